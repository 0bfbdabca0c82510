//! Named places where a test may kill the whole process, one after each
//! durable step: a restart must then come out right.
//!
//! `AIRLOCK_KILL_POINT=name[:n]` kills by SIGKILL when `name` is passed for the
//! n-th time (default 1). Builds without debug assertions ignore it. Imports
//! nothing; every module with a durable step may call [`kill_point`].

/// All names, so that a test can walk through them. A new call adds its name here.
pub const NAMES: &[&str] = &[
    "spool.commit.object-synced",
    "spool.commit.record-synced",
    "spool.commit.named",
    "spool.commit.durable",
    "spool.attempt.synced",
    "spool.clean.report-synced",
    "spool.clean.object-synced",
    "spool.clean.named",
    "spool.clean.linked",
    "spool.clean.links-durable",
    "spool.clean.held",
    "spool.recode.record-synced",
    "spool.recode.received",
    "spool.move.linked",
    "spool.move.durable",
    "spool.delivered.record-synced",
    "spool.delivered.unlinked",
    "spool.delivered.durable",
    "spool.quarantine.record-synced",
    "spool.quarantine.moved",
    "spool.quarantine.dropped",
    "spool.release.record-synced",
    "spool.release.durable",
    "spool.discard.record-synced",
    "spool.discard.durable",
    "spool.forget.removed",
    "spool.forget.durable",
    "spool.forget.done",
    "spool.again.linked",
    "spool.again.links-durable",
    "spool.again.record-synced",
    "spool.commitment.record-synced",
    "spool.transaction.synced",
    "spool.transaction.removed",
    "pseudonym.journal.synced",
    "pseudonym.index.written",
    "keys.retired.linked",
    "keys.master.replaced",
    "receipt.lines.synced",
    "receipt.anchor.synced",
    "corrections.study.synced",
    "corrections.recall.synced",
];

/// Kills this process here when the environment asks for it.
pub fn kill_point(name: &'static str) {
    #[cfg(debug_assertions)]
    armed::pass(name);
    #[cfg(not(debug_assertions))]
    let _unused_in_release = name;
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static WANTED: LazyLock<Option<(String, u32)>> =
        LazyLock::new(|| std::env::var("AIRLOCK_KILL_POINT").ok().and_then(|text| parse(&text)));
    static PASSED: AtomicU32 = AtomicU32::new(0);

    pub(super) fn pass(name: &'static str) {
        debug_assert!(super::NAMES.contains(&name), "{name} is missing in NAMES");
        let Some((wanted, nth)) = WANTED.as_ref() else { return };
        if wanted == name && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *nth {
            die();
        }
    }

    pub(super) fn parse(text: &str) -> Option<(String, u32)> {
        let (name, nth) = text.split_once(':').unwrap_or((text, "1"));
        let nth = nth.parse().ok().filter(|nth| *nth > 0)?;
        super::NAMES.contains(&name).then(|| (name.to_owned(), nth))
    }

    fn die() {
        use rustix::process::{Signal, getpid, kill_process};
        while kill_process(getpid(), Signal::KILL).is_ok() {
            // The signal may reach another thread first; nothing may run on here.
            std::thread::park();
        }
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_only_known_ones_are_armed() {
        let unique: std::collections::BTreeSet<_> = NAMES.iter().collect();
        assert_eq!(unique.len(), NAMES.len());
        let armed = |nth| Some((String::from("spool.commit.named"), nth));
        assert_eq!(armed::parse("spool.commit.named"), armed(1));
        assert_eq!(armed::parse("spool.commit.named:7"), armed(7));
        for bad in ["", "spool.commit.named:0", "spool.commit.named:x", "elsewhere"] {
            assert_eq!(armed::parse(bad), None, "{bad:?}");
        }
    }
}
