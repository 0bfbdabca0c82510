//! Bytes of all objects, originals and clean copies, against a quota. Counted
//! once at the start, then with each file that comes and goes; nothing is
//! counted without a quota.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::layout::{Dir, JSON, META, PART};
use super::store::Shared;
use super::{Spool, SpoolError};

/// What is used of a quota.
#[derive(Debug, Default)]
pub(super) struct Used(AtomicU64);

impl Used {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn take(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        // Always changed: it never says None.
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok();
    }
}

impl Spool {
    /// Bytes of all objects; none without a quota.
    #[must_use]
    pub fn used_bytes(&self) -> Option<u64> {
        self.0.limits.quota_bytes.map(|_| self.0.used.get())
    }

    /// Bytes of all objects that were taken since the start.
    #[must_use]
    pub fn taken_bytes(&self) -> u64 {
        self.0.taken_bytes.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// Room for so many bytes more.
    pub(super) fn check_quota(&self, in_flight_bytes: u64) -> Result<(), SpoolError> {
        let Some(quota_bytes) = self.limits.quota_bytes else { return Ok(()) };
        let used_bytes = self.used.get();
        if used_bytes.saturating_add(in_flight_bytes) > quota_bytes {
            return Err(SpoolError::OverQuota { used_bytes, quota_bytes });
        }
        Ok(())
    }

    /// Counts an object that got its name.
    pub(super) fn count_in(&self, path: &Path) -> Result<(), SpoolError> {
        if self.limits.quota_bytes.is_some() {
            self.used.add(self.size_and_links(path)?.0);
        }
        Ok(())
    }

    /// Bytes that go with this name: it is an object's, and its last one.
    pub(super) fn last_bytes(&self, path: &Path) -> u64 {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let uncounted = [PART, META, JSON].iter().any(|ending| name.ends_with(ending));
        if self.limits.quota_bytes.is_none() || uncounted {
            return 0;
        }
        // One that is not there has none.
        match self.disk.size_and_links(path) {
            Ok((bytes, 1)) => bytes,
            Ok(_) | Err(_) => 0,
        }
    }

    /// Counts what stands; called when each object has one original.
    pub(super) fn count_all(&self) -> Result<(), SpoolError> {
        if self.limits.quota_bytes.is_none() {
            return Ok(());
        }
        for dir in [Dir::Received, Dir::Held, Dir::Cleaned, Dir::Quarantine] {
            let dir = self.layout.dir(dir);
            self.names(&dir)?.iter().try_for_each(|name| self.count_in(&dir.join(name)))?;
        }
        Ok(())
    }

    fn size_and_links(&self, path: &Path) -> Result<(u64, u64), SpoolError> {
        let found = self.disk.size_and_links(path);
        found.map_err(|source| SpoolError::Io { step: "ask for a file's length", source })
    }
}
