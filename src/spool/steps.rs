//! System calls of the spool, one by one, each with its verdict on a failure.
//!
//! Invariant: after a failed write or sync nothing is written any more until a
//! restart, because a second sync may falsely succeed (facts: PostgreSQL has
//! panicked on it since 2018). No space is no failure: it passes.

use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::atomic::Ordering;

use super::io::WRITER_ALLOWANCE_BYTES;
use super::layout::Dir;
use super::record::{self, Decoded, Record};
use super::store::{RECORD_BYTES_MAX, Shared, unpoisoned};
use super::{DestinationName, SpoolError, SpoolId, State};
use crate::disk::replace_synced;
use crate::kill_point::kill_point;
use crate::vault::Vault;

/// Length at which a record is written anew instead of appended to. 4 KiB:
/// an entry then never straddles a page, so that a torn one has no whole end.
const RECORD_REWRITE_BYTES: u64 = 4 << 10;

impl Shared {
    /// Fails when the disk failed before.
    pub(super) fn usable(&self) -> Result<(), SpoolError> {
        match self.failed.get() {
            None => Ok(()),
            Some(step) => Err(SpoolError::Failed { step }),
        }
    }

    /// Turns a system's error into what the caller does next.
    pub(super) fn judge(&self, step: &'static str, source: io::Error) -> SpoolError {
        if matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            if let Err(no_files @ SpoolError::NoFiles { .. }) = self.check_files() {
                return no_files;
            }
            // What cannot be asked counts as none.
            let free_bytes = self.disk.free_bytes(self.layout.root()).unwrap_or(0);
            return SpoolError::Full { free_bytes, reserve_bytes: self.limits.reserve_bytes };
        }
        if !is_harmless(&source) {
            self.fail(step);
        }
        SpoolError::Io { step, source }
    }

    /// Marks the store failed for good; the first step is remembered.
    pub(super) fn fail(&self, step: &'static str) {
        self.failed.get_or_init(|| step);
    }

    /// Room for what `writers` open writers may write before they look again.
    pub(super) fn check_space(&self, writers: u64) -> Result<(), SpoolError> {
        let reserve_bytes = self.limits.reserve_bytes;
        let free_bytes = self
            .disk
            .free_bytes(self.layout.root())
            .map_err(|source| SpoolError::Io { step: "ask for free space", source })?;
        let in_flight_bytes = writers.saturating_mul(WRITER_ALLOWANCE_BYTES);
        if free_bytes < reserve_bytes.saturating_add(in_flight_bytes) {
            return Err(SpoolError::Full { free_bytes, reserve_bytes });
        }
        self.check_files()?;
        self.check_quota(in_flight_bytes)
    }

    fn check_files(&self) -> Result<(), SpoolError> {
        let reserve_files = self.limits.reserve_files;
        let free_files = self
            .disk
            .free_files(self.layout.root())
            .map_err(|source| SpoolError::Io { step: "ask for free files", source })?;
        match free_files {
            Some(free_files) if free_files < reserve_files => {
                Err(SpoolError::NoFiles { free_files, reserve_files })
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn check_own_space(&self) -> Result<(), SpoolError> {
        self.check_space(self.writers.load(Ordering::Relaxed))
    }

    pub(super) fn create_dir(&self, dir: &Path) -> Result<(), SpoolError> {
        self.disk.create_dir_all(dir).map_err(|e| self.judge("create a directory", e))
    }

    /// Makes the destination's directory, durable before the first link in it.
    pub(super) fn ensure_destination(&self, name: &DestinationName) -> Result<(), SpoolError> {
        let mut known = unpoisoned(&self.destinations);
        if !known.contains(name) {
            self.create_dir(&self.layout.outbox(name))?;
            self.sync_dir(Dir::Outbox)?;
            known.insert(name.clone());
        }
        Ok(())
    }

    pub(super) fn sync_dir(&self, dir: Dir) -> Result<(), SpoolError> {
        self.sync_path(&self.layout.dir(dir))
    }

    pub(super) fn sync_path(&self, dir: &Path) -> Result<(), SpoolError> {
        self.disk.sync_dir(dir).map_err(|source| {
            if !is_harmless(&source) {
                // Even for want of space: which names stand now is unknown.
                self.fail("sync a directory");
            }
            self.judge("sync a directory", source)
        })
    }

    /// Syncs a file that another process has written.
    pub(super) fn sync_file(&self, path: &Path) -> Result<(), SpoolError> {
        // A write-back error nobody was told of is reported to this new handle too.
        let mut file = self.disk.open(path).map_err(|e| self.judge("open an object", e))?;
        file.sync_data().map_err(|e| self.judge("sync an object", e))
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> Result<(), SpoolError> {
        self.disk.rename(from, to).map_err(|e| self.judge("rename an object", e))
    }

    pub(super) fn link(&self, from: &Path, to: &Path) -> Result<(), SpoolError> {
        self.disk.hard_link(from, to).map_err(|e| self.judge("link an object", e))
    }

    pub(super) fn remove_if_there(&self, path: &Path) -> Result<(), SpoolError> {
        let bytes = self.last_bytes(path);
        self.remove_uncounted(path)?;
        self.used.take(bytes);
        Ok(())
    }

    pub(super) fn remove_uncounted(&self, path: &Path) -> Result<(), SpoolError> {
        match self.disk.remove(path) {
            Ok(()) => Ok(()),
            Err(source) if source.kind() == ErrorKind::NotFound => Ok(()),
            Err(source) => Err(self.judge("remove a file", source)),
        }
    }

    pub(super) fn stands(&self, path: &Path) -> Result<bool, SpoolError> {
        self.disk.exists(path).map_err(|source| SpoolError::Io { step: "look for a file", source })
    }

    pub(super) fn names(&self, dir: &Path) -> Result<Vec<String>, SpoolError> {
        self.disk.names(dir).map_err(|source| SpoolError::Io { step: "read a directory", source })
    }

    pub(super) fn read_bounded(
        &self,
        path: &Path,
        what: &'static str,
        limit_bytes: u64,
    ) -> Result<Vec<u8>, SpoolError> {
        let failed = |source| SpoolError::Io { step: "read a file", source };
        let file = self.disk.open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(limit_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
        match u64::try_from(bytes.len()) {
            Ok(len) if len <= limit_bytes => Ok(bytes),
            Ok(_) | Err(_) => Err(SpoolError::TooLong { what, limit_bytes }),
        }
    }

    /// Writes a new file and syncs its bytes. Its name becomes durable with the
    /// directory; until then no state rests on it.
    pub(super) fn write_new(&self, path: &Path, bytes: &[u8]) -> Result<(), SpoolError> {
        let mut file = self.disk.create_new(path).map_err(|e| self.judge("create a file", e))?;
        file.write_all(bytes).map_err(|e| self.judge("write a file", e))?;
        file.sync_data().map_err(|e| self.judge("sync a file", e))
    }

    /// Adds an entry to a record that holds `before`, synced.
    pub(super) fn append_record(
        &self,
        record: &Record,
        before: &Decoded,
    ) -> Result<(), SpoolError> {
        let end = before.whole_bytes;
        let entry = encode(record, end, &self.vault)?;
        if end.saturating_add(byte_count(&entry)) > RECORD_REWRITE_BYTES {
            return self.replace_record(record);
        }
        let path = self.layout.record(record.id);
        let mut file = self.disk.open_rw(&path).map_err(|e| self.judge("open a record", e))?;
        let appended = (|| {
            if before.is_torn {
                // A new entry behind the torn one would be read as part of it.
                file.set_byte_len(end)?;
            }
            file.seek(SeekFrom::Start(end))?;
            file.write_all(&entry)?;
            file.sync_data()
        })();
        appended.map_err(|source| {
            if file.set_byte_len(end).is_err() {
                self.fail("cut a record");
            }
            self.judge("write a record", source)
        })
    }

    /// Writes a record anew, with its name durable.
    pub(super) fn replace_record(&self, record: &Record) -> Result<(), SpoolError> {
        let entry = encode(record, 0, &self.vault)?;
        replace_synced(&*self.disk, &self.layout.record(record.id), &entry)
            .map_err(|e| self.judge("replace a record", e))
    }

    /// Moves an acknowledged original. By link and removal, not by rename: while
    /// another step syncs the old directory, a rename could be cut in two on the
    /// disk and leave no name at all. The old name's removal is not synced here.
    pub(super) fn move_original(
        &self,
        id: SpoolId,
        from: State,
        to: State,
    ) -> Result<(), SpoolError> {
        let (source, target) = (self.layout.object(from, id), self.layout.object(to, id));
        // What stands there is a stale second name of the same original.
        self.remove_if_there(&target)?;
        self.link(&source, &target)?;
        kill_point("spool.move.linked");
        self.sync_dir(to.into())?;
        kill_point("spool.move.durable");
        self.remove_if_there(&source)
    }

    /// Removes everything of a clean commit but its original: links first, as
    /// they are what makes a delivery.
    pub(super) fn drop_clean(&self, id: SpoolId) -> Result<(), SpoolError> {
        for destination in self.destinations() {
            self.remove_if_there(&self.layout.link(&destination, id))?;
        }
        self.remove_if_there(&self.layout.object(State::Cleaned, id))?;
        self.remove_if_there(&self.layout.clean_part(id))?;
        self.remove_if_there(&self.layout.report(id))
    }

    pub(super) fn sync_outboxes(&self) -> Result<(), SpoolError> {
        self.destinations().iter().try_for_each(|name| self.sync_path(&self.layout.outbox(name)))
    }
}

/// The entry of a record `at` so many bytes in its file, checked against the limit.
pub(super) fn encode(record: &Record, at: u64, vault: &Vault) -> Result<Vec<u8>, SpoolError> {
    let entry = record::encode(record, at, vault)
        .map_err(|source| SpoolError::Io { step: "encode a record", source })?;
    if byte_count(&entry) > RECORD_BYTES_MAX {
        return Err(SpoolError::TooLong { what: "record", limit_bytes: RECORD_BYTES_MAX });
    }
    Ok(entry)
}

pub(super) fn byte_count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Errors that say nothing about the medium: a name that is or is not there,
/// or want of handles and memory.
fn is_harmless(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let scarce = [Errno::MFILE, Errno::NFILE, Errno::NOMEM].map(Errno::raw_os_error);
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists)
        || error.raw_os_error().is_some_and(|errno| scarce.contains(&errno))
}
