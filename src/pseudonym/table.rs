//! The pseudonym table: a person in, [`Assigned`] out, the same for ever.
//!
//! Invariant: [`PseudonymTable::assign`] answers only what is synced in the
//! journal, and asks the table first: a person that is in it keeps code, shift
//! and key, whatever key and mode are set today. One process owns the directory.
//! Callers that wait at the same time share a sync (`group`); what people do to
//! the table stands in `changes`.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};

use super::changes::{Import, Imported, Linked, ListFault, Page};
use super::derive::CodeRule;
use super::error::PseudonymError;
use super::group::Group;
use super::index::{Index, IndexDoubt, Sentinel, guarded};
use super::journal::Journal;
use super::keys::{KeyPurpose, Keys};
use super::normalise::ID_BYTES_MAX;
use super::person::{Assigned, PersonKey, UidKey};
use super::record::{Mapping, SealedRecord, Sealer};
use super::recover::{self, TableReport};
use crate::disk::{Disk, FailedSync, RealDisk};

/// Longest project name. Default 64: it stands in every record and receipt.
pub const PROJECT_BYTES_MAX: usize = 64;
const JOURNAL_FILE: &str = "journal";
const INDEX_DIR: &str = "index";
const LOCK_FILE: &str = "lock";

/// Who has which pseudonym. One local implementation, [`SledTable`]; a site that
/// outgrows one machine will have one over a network.
pub trait PseudonymTable: Send + Sync + std::fmt::Debug {
    /// Whether nobody new is taken until a restart; never waits.
    fn has_failed(&self) -> bool;

    /// The pseudonym of `person` in `project`; a new one is durable when this returns.
    ///
    /// # Errors
    /// [`PseudonymError::NoPatientId`], [`PseudonymError::TooLong`],
    /// [`PseudonymError::NotInList`], [`PseudonymError::NoBaselineDate`] and
    /// [`PseudonymError::BaselineMoved`]: quarantine. Others: the instance is
    /// tried again later, and readiness is withdrawn on [`PseudonymError::Failed`].
    fn assign(&self, project: &str, person: &PersonKey) -> Result<Assigned, PseudonymError>;

    /// The mapping of `person`, without making one.
    ///
    /// # Errors
    /// The index cannot be read or disagrees.
    fn lookup(&self, project: &str, person: &PersonKey) -> Result<Option<Mapping>, PseudonymError>;

    /// Who has `code`, or had it before two persons were merged: the way back.
    /// With linked persons the first of them.
    ///
    /// # Errors
    /// The index cannot be read or disagrees.
    fn lookup_code(&self, project: &str, code: &str) -> Result<Option<Mapping>, PseudonymError>;

    /// Looks whether [`PseudonymTable::import`] would take a list.
    ///
    /// # Errors
    /// The table cannot be read.
    fn check_list(&self, list: &[Import]) -> Result<Vec<ListFault>, PseudonymError>;

    /// Takes codes from a trial's list: all of it or, with a fault in any line,
    /// none. Importing the same again changes nothing, so that an import that a
    /// crash has cut short is done again.
    ///
    /// # Errors
    /// The table failed: import again after a restart.
    fn import(&self, list: &[Import]) -> Result<Result<Imported, Vec<ListFault>>, PseudonymError>;

    /// Gives `other` what `known` has: one person with two Patient IDs. With
    /// `merge` also where `other` has another code already: it, and who was
    /// linked to it, get the code of `known` from now on.
    ///
    /// # Errors
    /// [`PseudonymError::PersonUnknown`], [`PseudonymError::PersonKnown`]: nothing is changed.
    fn link(
        &self,
        project: &str,
        known: &PersonKey,
        other: &PersonKey,
        merge: bool,
    ) -> Result<Linked, PseudonymError>;

    /// Mappings of a project as they are now, in the order in which they were
    /// made, at most `rows_max`; from the beginning with `after` 0.
    ///
    /// # Errors
    /// The journal cannot be read.
    fn export(&self, project: &str, after: u64, rows_max: usize) -> Result<Page, PseudonymError>;

    /// Compares journal and index, each record: it opens with its key, is the
    /// one that is found, and has a code of its own. New persons wait meanwhile.
    ///
    /// # Errors
    /// What does not agree: restart, which makes the index again.
    fn verify(&self) -> Result<u64, PseudonymError>;

    /// Number of persons of a project; a linked one counts.
    ///
    /// # Errors
    /// The index cannot be read.
    fn persons_in(&self, project: &str) -> Result<u64, PseudonymError>;

    /// Number of persons, all projects together; a linked one counts.
    fn len(&self) -> u64;

    /// Whether nobody is in it.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The table of one machine: journal and sled.
#[derive(Debug)]
pub struct SledTable {
    index: RwLock<Arc<Index>>,
    index_dir: PathBuf,
    pub(super) sealer: Arc<Sealer>,
    pub(super) keys: Keys,
    rules: BTreeMap<String, CodeRule>,
    /// Callers with new persons. Held for a moment only, also by who writes.
    line: Mutex<Line>,
    /// Told after each group.
    written: Condvar,
    writer: Mutex<Writer>,
    failed: FailedSync,
    /// Held as long as the table is open.
    _lock: File,
}

/// Callers with new persons, and whether one of them writes.
#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    writes: bool,
}

/// A caller with a person that is not in the table.
#[derive(Debug)]
struct Waiting {
    project: String,
    person: PersonKey,
    answer: Arc<Answer>,
}

/// Filled by whoever writes the group that the caller is in.
type Answer = Mutex<Option<Result<Mapping, PseudonymError>>>;

/// What only one thread at a time may change.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) journal: Journal,
    pub(super) sentinel: Sentinel,
    /// The journal has what the index has not: nothing new until it is made again.
    pub(super) index_failed: bool,
    /// New persons since the index was synced.
    pub(super) since_sync: u64,
}

/// Opens or makes the table in `dir`, and brings its index level.
///
/// # Errors
/// [`PseudonymError`]: the node does not start; each says what to do.
pub fn open(
    dir: &Path,
    keys: &Keys,
    disk: Arc<dyn Disk>,
) -> Result<(SledTable, TableReport), PseudonymError> {
    disk.create_dir_all(dir).map_err(PseudonymError::io("make", dir))?;
    // sled and the lock go past `disk`, which may be a test's.
    RealDisk.create_dir_all(dir).map_err(PseudonymError::io("make", dir))?;
    let lock = lock(&dir.join(LOCK_FILE))?;
    let (mut journal, torn_bytes) = open_journal(dir, disk)?;
    let sealer = Sealer::new(keys, journal.id());
    let index_dir = dir.join(INDEX_DIR);
    let levelled = recover::level(&index_dir, keys, &mut journal, &sealer)?;
    let report = TableReport {
        persons: levelled.sentinel.persons,
        torn_bytes,
        records_restored: levelled.records_restored,
        index: levelled.state,
    };
    let sentinel = levelled.sentinel;
    let table = SledTable {
        index: RwLock::new(levelled.index),
        index_dir,
        sealer: Arc::new(sealer),
        keys: keys.clone(),
        rules: BTreeMap::new(),
        line: Mutex::default(),
        written: Condvar::new(),
        failed: journal.failed(),
        writer: Mutex::new(Writer { journal, sentinel, index_failed: false, since_sync: 0 }),
        _lock: lock,
    };
    Ok((table, report))
}

fn lock(path: &Path) -> Result<File, PseudonymError> {
    let failed = PseudonymError::io("lock", path);
    let file =
        File::options().create(true).truncate(false).write(true).open(path).map_err(&failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(PseudonymError::Locked { path: path.to_owned() })
        }
        Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Opens the journal; makes one only where nothing says that there was one.
fn open_journal(dir: &Path, disk: Arc<dyn Disk>) -> Result<(Journal, u64), PseudonymError> {
    let path: PathBuf = dir.join(JOURNAL_FILE);
    let look = PseudonymError::io("look for", &path);
    if !disk.exists(&path).map_err(&look)? {
        if RealDisk.exists(&dir.join(INDEX_DIR)).map_err(&look)? {
            return Err(PseudonymError::JournalMissing { path });
        }
        Journal::create(&path, &disk)?;
        if let Some(parent) = dir.parent() {
            disk.sync_dir(parent).map_err(PseudonymError::io("sync", parent))?;
        }
    }
    Journal::open(&path, disk)
}

impl SledTable {
    /// Sets how codes of new persons are made, by project. Others get
    /// [`CodeMode::Hmac`] without prefix.
    #[must_use]
    pub fn with_rules(mut self, rules: BTreeMap<String, CodeRule>) -> Self {
        self.rules = rules;
        self
    }

    pub(super) fn rule(&self, project: &str) -> CodeRule {
        self.rules.get(project).cloned().unwrap_or_default()
    }

    /// The index as it is now; another may take its place at any time.
    pub(super) fn index(&self) -> Arc<Index> {
        Arc::clone(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn writer(&self) -> Result<MutexGuard<'_, Writer>, PseudonymError> {
        // After a panic nobody knows what the journal has.
        let mut writer = self.writer.lock().map_err(|_poisoned| PseudonymError::Failed)?;
        if writer.index_failed {
            self.mend_index(&mut writer)?;
        }
        Ok(writer)
    }

    /// Makes the index again from the journal after sled failed, as on a full disk:
    /// it takes nothing more then, even when there is room.
    fn mend_index(&self, writer: &mut Writer) -> Result<(), PseudonymError> {
        let (dir, doubt) = (&self.index_dir, IndexDoubt::Unreadable);
        let made =
            guarded(|| recover::rebuild(dir, &self.keys, &writer.journal, &self.sealer, doubt));
        // Tried again by whoever comes next.
        let levelled = made.unwrap_or(Err(PseudonymError::Failed))?;
        let mut place = self.index.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *place, levelled.index);
        drop(place);
        // It may panic once more.
        if guarded(|| drop(old)).is_none() {
            tracing::warn!("the index that failed could not be closed");
        }
        writer.sentinel = levelled.sentinel;
        writer.since_sync = 0;
        writer.index_failed = false;
        Ok(())
    }

    /// [`SledTable::find`] where somebody waits for the answer: an index that fails
    /// is made again.
    fn find_or_mend(
        &self,
        project: &str,
        person: &PersonKey,
    ) -> Result<Option<Mapping>, PseudonymError> {
        let index = self.index();
        match self.find(project, person) {
            Err(PseudonymError::Index(_)) => {}
            found => return found,
        }
        let mut writer = self.writer.lock().map_err(|_poisoned| PseudonymError::Failed)?;
        // Another caller may have been quicker.
        if Arc::ptr_eq(&index, &self.index()) {
            self.mend_index(&mut writer)?;
        }
        drop(writer);
        self.find(project, person)
    }

    pub(super) fn opened(&self, record: &SealedRecord) -> Result<Mapping, PseudonymError> {
        self.sealer.open(record)
    }

    pub(super) fn find(
        &self,
        project: &str,
        person: &PersonKey,
    ) -> Result<Option<Mapping>, PseudonymError> {
        let Some(record) = self.index().person(project, person)? else { return Ok(None) };
        let mapping = self.opened(&record)?;
        if mapping.project != project || mapping.person != *person {
            return Err(PseudonymError::IndexDisagrees { sequence: record.sequence() });
        }
        Ok(Some(mapping))
    }

    pub(super) fn assigned(&self, mapping: Mapping) -> Result<Assigned, PseudonymError> {
        let Some(key) = self.keys.of_id(&mapping.key_id) else {
            return Err(PseudonymError::UnknownKey { key_id: mapping.key_id });
        };
        let uid_key = UidKey(*key.derive(KeyPurpose::Uid, &mapping.project).expose());
        Ok(Assigned {
            code: mapping.code,
            shift_days: mapping.shift_days,
            key_id: mapping.key_id,
            uid_key,
        })
    }

    /// A new person: while another caller writes a group, waits in line to be in
    /// the next one; who finds nobody writing writes for all in line.
    fn assign_new(&self, project: &str, person: &PersonKey) -> Result<Mapping, PseudonymError> {
        let answer = Arc::new(Answer::default());
        let waiting = Waiting {
            project: project.to_owned(),
            person: person.clone(),
            answer: Arc::clone(&answer),
        };
        let mut line = self.line();
        line.waiting.push_back(waiting);
        loop {
            if let Some(given) = taken(&answer) {
                return given;
            }
            if line.writes {
                line = self.written.wait(line).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            line.writes = true;
            drop(line);
            let turn = Turn { table: self };
            let group = self.writer().and_then(|mut writer| self.write_group(&mut writer));
            drop(turn);
            line = self.line();
            if let Err(error) = group {
                line.waiting.retain(|waiting| !Arc::ptr_eq(&waiting.answer, &answer));
                return taken(&answer).unwrap_or(Err(error));
            }
        }
    }

    /// Makes those who wait durable by one sync. When that fails they wait
    /// again, each to try and to be told of it.
    fn write_group(&self, writer: &mut Writer) -> Result<(), PseudonymError> {
        let mut group = Group::begin(self, writer);
        let mut given = Vec::new();
        while !group.is_full() {
            let next = self.line().waiting.pop_front();
            let Some(waiting) = next else { break };
            let mapping = group.assign(&waiting.project, &waiting.person);
            given.push((waiting, mapping));
        }
        let committed = group.commit();
        let mut again = Vec::new();
        for (waiting, mapping) in given {
            if committed.is_err() && mapping.is_ok() {
                again.push(waiting);
            } else {
                *waiting.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(mapping);
            }
        }
        let mut line = self.line();
        again.into_iter().rev().for_each(|waiting| line.waiting.push_front(waiting));
        drop(line);
        committed
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turn to write, given on when it ends, by a panic too.
struct Turn<'a> {
    table: &'a SledTable,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.table.line().writes = false;
        self.table.written.notify_all();
    }
}

fn taken(answer: &Answer) -> Option<Result<Mapping, PseudonymError>> {
    answer.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl PseudonymTable for SledTable {
    fn has_failed(&self) -> bool {
        self.failed.is_set() || self.writer.is_poisoned()
    }

    fn assign(&self, project: &str, person: &PersonKey) -> Result<Assigned, PseudonymError> {
        check(project, person)?;
        let rule = self.rule(project);
        let mapping = match self.find_or_mend(project, person)? {
            Some(known) => known,
            None => {
                rule.takes_new(person)?;
                self.assign_new(project, person)?
            }
        };
        rule.check_baseline(&mapping)?;
        self.assigned(mapping)
    }

    fn lookup(&self, project: &str, person: &PersonKey) -> Result<Option<Mapping>, PseudonymError> {
        self.find(project, person)
    }

    fn lookup_code(&self, project: &str, code: &str) -> Result<Option<Mapping>, PseudonymError> {
        let Some(record) = self.index().holder(project, code)? else { return Ok(None) };
        let mapping = self.opened(&record)?;
        if mapping.project != project || !mapping.answers_to(code) {
            return Err(PseudonymError::IndexDisagrees { sequence: record.sequence() });
        }
        Ok(Some(mapping))
    }

    fn check_list(&self, list: &[Import]) -> Result<Vec<ListFault>, PseudonymError> {
        self.list_faults(list)
    }

    fn import(&self, list: &[Import]) -> Result<Result<Imported, Vec<ListFault>>, PseudonymError> {
        self.import_list(list)
    }

    fn link(
        &self,
        project: &str,
        known: &PersonKey,
        other: &PersonKey,
        merge: bool,
    ) -> Result<Linked, PseudonymError> {
        self.link_persons(project, known, other, merge)
    }

    fn export(&self, project: &str, after: u64, rows_max: usize) -> Result<Page, PseudonymError> {
        self.export_page(project, after, rows_max)
    }

    fn verify(&self) -> Result<u64, PseudonymError> {
        self.verify_all()
    }

    fn persons_in(&self, project: &str) -> Result<u64, PseudonymError> {
        self.index().persons_in(project)
    }

    fn len(&self) -> u64 {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.sentinel.persons
    }
}

impl Drop for SledTable {
    fn drop(&mut self) {
        // Best effort: a lost tail of the index is taken in from the journal.
        drop(guarded(|| self.index().sync()));
    }
}

pub(super) fn check(project: &str, person: &PersonKey) -> Result<(), PseudonymError> {
    if person.patient_id.expose().is_empty() {
        return Err(PseudonymError::NoPatientId);
    }
    for (what, bytes, limit_bytes) in [
        ("the project's name", project.len(), PROJECT_BYTES_MAX),
        ("the issuer", person.issuer.expose().len(), ID_BYTES_MAX),
        ("the Patient ID", person.patient_id.expose().len(), ID_BYTES_MAX),
    ] {
        if bytes > limit_bytes {
            return Err(PseudonymError::TooLong { what, limit_bytes });
        }
    }
    Ok(())
}
