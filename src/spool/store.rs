//! [`Spool`]: the handle, its limits, and what can be asked of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::admit::without_crc;
use super::id::IdSource;
use super::layout::{Dir, Layout};
use super::quota::Used;
use super::record::{self, Record};
use super::{DestinationName, SpoolError, SpoolId, SpoolReader, State};
use crate::clock::Clock;
use crate::disk::Disk;
use crate::vault::Vault;

/// Most bytes of a record that are read. Default 64 KiB: some 80 entries,
/// where rewriting starts at 4 KiB.
pub(super) const RECORD_BYTES_MAX: u64 = 64 << 10;

/// Most bytes of a report. 16 MiB: 100,000 boxes.
pub(super) const REPORT_BYTES_MAX: u64 = 16 << 20;

/// Number of locks that keep two steps on one instance apart. 64: far more
/// than there are workers and forwarders.
const STRIPES: usize = 64;

/// Limits of the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolLimits {
    /// Bytes that must stay free for clean copies, records and logs of what was
    /// taken already. Default 2 GiB: a copy of the largest usual cine.
    pub reserve_bytes: u64,
    /// Files that must stay free likewise. Default 512: each of what waits to be
    /// cleaned needs five names, and without room for them nothing could leave.
    pub reserve_files: u64,
    /// Longest object. Default 32 GiB: above any whole slide image.
    pub object_bytes_max: u64,
    /// Most bytes of all objects. Default none: the reserve already keeps the disk
    /// from running full; a quota is for a disk that is shared.
    pub quota_bytes: Option<u64>,
}

impl Default for SpoolLimits {
    fn default() -> Self {
        Self {
            reserve_bytes: 2 << 30,
            reserve_files: 512,
            object_bytes_max: 32 << 30,
            quota_bytes: None,
        }
    }
}

/// The durable store; clones share it.
#[derive(Debug, Clone)]
pub struct Spool(pub(super) Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) layout: Layout,
    pub(super) vault: Vault,
    pub(super) limits: SpoolLimits,
    pub(super) used: Used,
    pub(super) ids: Mutex<IdSource>,
    /// Of all objects that were committed since the start.
    pub(super) taken_bytes: AtomicU64,
    /// Open writers: each may take its allowance before it looks again.
    pub(super) writers: AtomicU64,
    /// The step on which the disk failed; set once.
    pub(super) failed: OnceLock<&'static str>,
    /// Directories under `outbox`.
    pub(super) destinations: Mutex<BTreeSet<DestinationName>>,
    stripes: [Mutex<()>; STRIPES],
}

impl Shared {
    pub(super) fn new(
        root: &Path,
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        (limits, vault): (SpoolLimits, Vault),
    ) -> Self {
        Self {
            disk,
            clock,
            layout: Layout::new(root),
            vault,
            limits,
            used: Used::default(),
            ids: Mutex::new(IdSource::new(None, 0)),
            taken_bytes: AtomicU64::new(0),
            writers: AtomicU64::new(0),
            failed: OnceLock::new(),
            destinations: Mutex::new(BTreeSet::new()),
            stripes: [const { Mutex::new(()) }; STRIPES],
        }
    }

    /// Keeps every other step on this instance out.
    pub(super) fn lock(&self, id: SpoolId) -> MutexGuard<'_, ()> {
        // The counter stands in bytes 6 and 7, the time's fastest byte is 5.
        let bytes = id.to_bytes();
        let mixed = usize::from(bytes[5] ^ bytes[7]);
        let stripe = self.stripes.get(mixed % STRIPES).unwrap_or(&self.stripes[0]);
        unpoisoned(stripe)
    }

    pub(super) fn next_id(&self) -> SpoolId {
        unpoisoned(&self.ids).next(self.clock.unix_ms())
    }

    pub(super) fn destinations(&self) -> Vec<DestinationName> {
        unpoisoned(&self.destinations).iter().cloned().collect()
    }
}

/// A lock that a panic left behind guards nothing that could be half done:
/// what is half done stands on the disk, and steps can be repeated.
pub(super) fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Spool {
    /// An id that no instance has: all that stand are older, all that come are newer.
    #[must_use]
    pub fn id_of_now(&self) -> SpoolId {
        self.0.next_id()
    }

    /// Ids in one state, oldest first. Reads names only.
    ///
    /// # Errors
    /// [`SpoolError::Io`]: the caller tries later.
    pub fn list(&self, state: State) -> Result<Vec<SpoolId>, SpoolError> {
        self.0.ids_in(&self.0.layout.dir(state.into()))
    }

    /// Ids that wait for a destination, oldest first.
    ///
    /// # Errors
    /// [`SpoolError::Io`]: the caller tries later.
    pub fn list_outbox(&self, destination: &DestinationName) -> Result<Vec<SpoolId>, SpoolError> {
        if !unpoisoned(&self.0.destinations).contains(destination) {
            return Ok(Vec::new());
        }
        self.0.ids_in(&self.0.layout.outbox(destination))
    }

    /// Ids that every destination has, oldest first: they are kept, or wait for
    /// [`Spool::forget`].
    ///
    /// # Errors
    /// [`SpoolError::Io`]: the caller tries later.
    pub fn list_delivered(&self) -> Result<Vec<SpoolId>, SpoolError> {
        // First: links are there before `held` gets its name, so that one that is
        // committed meanwhile is not taken for delivered.
        let mut held = self.list(State::Held)?;
        let waiting = self.list_waiting()?;
        held.retain(|id| !waiting.contains(id));
        Ok(held)
    }

    /// Ids that some destination is still to get.
    ///
    /// # Errors
    /// [`SpoolError::Io`]: the caller tries later.
    pub fn list_waiting(&self) -> Result<BTreeSet<SpoolId>, SpoolError> {
        let mut waiting = BTreeSet::new();
        for destination in self.0.destinations() {
            waiting.extend(self.list_outbox(&destination)?);
        }
        Ok(waiting)
    }

    /// Destinations that have a directory, configured or not.
    #[must_use]
    pub fn destinations(&self) -> Vec<DestinationName> {
        self.0.destinations()
    }

    /// Where the instance's original stands now.
    ///
    /// # Errors
    /// [`SpoolError::Io`]: the caller tries later.
    pub fn state(&self, id: SpoolId) -> Result<Option<State>, SpoolError> {
        let _only = self.0.lock(id);
        self.0.original(id)
    }

    /// The instance's record.
    ///
    /// # Errors
    /// [`SpoolError::Damaged`]: the caller quarantines with `Reason::DamagedSpool`.
    pub fn record(&self, id: SpoolId) -> Result<Record, SpoolError> {
        let _only = self.0.lock(id);
        self.0.read_record(id)
    }

    /// Opens an object for reading.
    ///
    /// # Errors
    /// [`SpoolError::Io`] when it is not in this state; [`SpoolError::Locked`],
    /// [`SpoolError::Damaged`] when it is sealed and cannot be opened.
    pub fn open_object(&self, state: State, id: SpoolId) -> Result<SpoolReader, SpoolError> {
        self.0.open_object(state, id)
    }

    /// Directory of a state: what a worker may write into.
    #[must_use]
    pub fn dir(&self, state: State) -> PathBuf {
        self.0.layout.dir(state.into())
    }

    /// Path of an object; it is opened by [`Spool::stored`].
    #[must_use]
    pub fn path(&self, state: State, id: SpoolId) -> PathBuf {
        self.0.layout.object(state, id)
    }

    /// Where a worker writes the clean copy, for [`Spool::commit_clean`]. What a
    /// worker before it left there is removed.
    ///
    /// # Errors
    /// [`SpoolError::Io`]: the caller tries later.
    pub fn clean_part(&self, id: SpoolId) -> Result<PathBuf, SpoolError> {
        let _only = self.0.lock(id);
        let part = self.0.layout.clean_part(id);
        self.0.remove_if_there(&part)?;
        Ok(part)
    }

    /// The report of the clean commit.
    ///
    /// # Errors
    /// [`SpoolError::Damaged`], also when there is none: the caller quarantines;
    /// [`SpoolError::Locked`].
    pub fn report(&self, id: SpoolId) -> Result<Vec<u8>, SpoolError> {
        let damaged = |what| SpoolError::Damaged { id, what };
        match self.0.read_report(id) {
            Ok(file) => without_crc(file).map_err(damaged),
            Err(SpoolError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Err(damaged("its report is missing"))
            }
            Err(SpoolError::TooLong { .. }) => Err(damaged("its report is too long")),
            Err(other) => Err(other),
        }
    }

    /// Whether an object may be taken now. `accept` asks before it lets an
    /// association in; [`Spool::begin`] asks again.
    ///
    /// # Errors
    /// [`SpoolError::Full`], [`SpoolError::NoFiles`], [`SpoolError::OverQuota`] or
    /// [`SpoolError::Failed`]:
    /// refused as transient.
    pub fn check_space(&self) -> Result<(), SpoolError> {
        self.0.usable()?;
        self.0.check_space(self.0.writers.load(Ordering::Relaxed).saturating_add(1))
    }

    /// Whether the disk failed, so that nothing is taken until a restart.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.0.failed.get().is_some()
    }

    /// Counts a try to clean, synced before the try so that an instance that
    /// kills the whole node is counted too. Returns the tries so far.
    ///
    /// # Errors
    /// [`SpoolError::Damaged`]: the caller quarantines.
    pub fn note_attempt(&self, id: SpoolId) -> Result<u32, SpoolError> {
        self.note_attempt_for(id, Vec::new())
    }

    /// [`Spool::note_attempt`], with the destinations that the clean copy is meant for.
    ///
    /// # Errors
    /// As there.
    pub fn note_attempt_for(
        &self,
        id: SpoolId,
        meant_for: Vec<DestinationName>,
    ) -> Result<u32, SpoolError> {
        self.0.usable()?;
        let _only = self.0.lock(id);
        let record = self.0.amend(id, |record| {
            record.attempts = record.attempts.saturating_add(1);
            record.meant_for = meant_for;
        })?;
        crate::kill_point::kill_point("spool.attempt.synced");
        Ok(record.attempts)
    }

    /// Takes a counted try back: it could not be made, through no fault of the
    /// instance.
    ///
    /// # Errors
    /// [`SpoolError::Damaged`]: the caller quarantines.
    pub fn forgive_attempt(&self, id: SpoolId) -> Result<u32, SpoolError> {
        self.0.usable()?;
        let _only = self.0.lock(id);
        let record = self.0.amend(id, |record| {
            record.attempts = record.attempts.saturating_sub(1);
        })?;
        Ok(record.attempts)
    }

    /// Free bytes of the file system that the spool lies on.
    ///
    /// # Errors
    /// [`SpoolError::Io`]: the caller tries later.
    pub fn free_bytes(&self) -> Result<u64, SpoolError> {
        let free = self.0.disk.free_bytes(self.0.layout.root());
        free.map_err(|source| SpoolError::Io { step: "ask for free space", source })
    }

    /// How many more files that file system can hold; none where it knows no limit.
    ///
    /// # Errors
    /// [`SpoolError::Io`]: the caller tries later.
    pub fn free_files(&self) -> Result<Option<u64>, SpoolError> {
        let free = self.0.disk.free_files(self.0.layout.root());
        free.map_err(|source| SpoolError::Io { step: "ask for free space", source })
    }
}

impl Shared {
    /// The state told by names; the strongest original wins.
    pub(super) fn original(&self, id: SpoolId) -> Result<Option<State>, SpoolError> {
        for state in [State::Quarantine, State::Held, State::Received] {
            if self.stands(&self.layout.object(state, id))? {
                return Ok(Some(state));
            }
        }
        Ok(None)
    }

    pub(super) fn ids_in(&self, dir: &Path) -> Result<Vec<SpoolId>, SpoolError> {
        let mut ids: Vec<SpoolId> =
            self.names(dir)?.iter().filter_map(|name| name.parse().ok()).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    pub(super) fn read_record(&self, id: SpoolId) -> Result<Record, SpoolError> {
        self.read_decoded(id).map(|decoded| decoded.record)
    }

    fn read_decoded(&self, id: SpoolId) -> Result<record::Decoded, SpoolError> {
        let damaged = |what| SpoolError::Damaged { id, what };
        let path = self.layout.record(id);
        let file = match self.read_bounded(&path, "record", RECORD_BYTES_MAX) {
            Ok(file) => file,
            Err(SpoolError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return Err(damaged("it is missing"));
            }
            Err(SpoolError::TooLong { .. }) => return Err(damaged("it is too long")),
            Err(other) => return Err(other),
        };
        record::decode(id, &file, &self.vault).map_err(|fault| fault.of(id, &self.vault))
    }

    /// Changes the record and syncs it.
    pub(super) fn amend(
        &self,
        id: SpoolId,
        change: impl FnOnce(&mut Record),
    ) -> Result<Record, SpoolError> {
        let before = self.read_decoded(id)?;
        let mut record = before.record.clone();
        change(&mut record);
        if record == before.record {
            // Perhaps written by a process that was killed before it could sync.
            self.sync_file(&self.layout.record(id))?;
        } else {
            self.append_record(&record, &before)?;
        }
        Ok(record)
    }

    pub(super) fn make_dir(&self, dir: Dir) -> Result<(), SpoolError> {
        self.create_dir(&self.layout.dir(dir))
    }
}
