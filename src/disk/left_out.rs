//! A node that is broken on purpose: syncs that a test leaves out, so that the
//! crash laboratory can show that it would notice.
//!
//! `AIRLOCK_SYNC_LEFT_OUT=bytes|names|all` leaves out `fdatasync` of files, `fsync` of
//! directories, or both. Builds without debug assertions ignore it.

/// Whether bytes of files are left unsynced.
pub(super) fn bytes() -> bool {
    is_asked_for("bytes")
}

/// Whether names in directories are left unsynced.
pub(super) fn names() -> bool {
    is_asked_for("names")
}

#[cfg(debug_assertions)]
fn is_asked_for(what: &str) -> bool {
    use std::sync::LazyLock;
    static ASKED: LazyLock<Option<String>> =
        LazyLock::new(|| std::env::var("AIRLOCK_SYNC_LEFT_OUT").ok());
    ASKED.as_deref().is_some_and(|asked| asked == "all" || asked == what)
}

#[cfg(not(debug_assertions))]
fn is_asked_for(_what: &str) -> bool {
    false
}
