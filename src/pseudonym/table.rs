//! The pseudonym table: a person in, [`Assigned`] out, the same for ever.
//!
//! Invariant: [`PseudonymTable::assign`] answers only what is synced in the
//! journal, and asks the table first: a person that is in it keeps code, shift
//! and key, whatever key and mode are set today. One process owns the directory.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::derive::{self, CodeMode, CodeRule};
use super::error::PseudonymError;
use super::index::{Index, Sentinel};
use super::journal::{Journal, Reader};
use super::keys::{KeyPurpose, Keys};
use super::normalise::ID_BYTES_MAX;
use super::person::{Assigned, PersonKey, UidKey};
use super::record::{Mapping, SealedRecord, Sealer};
use super::recover::{self, TableReport};
use crate::disk::{Disk, RealDisk};
use crate::kill_point::kill_point;

/// Longest project name. Default 64: it stands in every record and receipt.
pub const PROJECT_BYTES_MAX: usize = 64;
/// Codes that may be taken before the search is given up. Default 10,000: only
/// numbered codes beside imported ones ever need a second.
const CODE_TRIES_MAX: u32 = 10_000;
/// New persons between two syncs of the index. Default 1,000: what is not
/// synced is taken in from the journal at the next start, in milliseconds.
const INDEX_SYNC_EVERY: u64 = 1_000;
/// Longest imported date shift: 100 years.
const SHIFT_DAYS_ABS_MAX: u32 = 36_500;
const JOURNAL_FILE: &str = "journal";
const INDEX_DIR: &str = "index";
const LOCK_FILE: &str = "lock";

/// A mapping that was made elsewhere, for example in a trial's own list.
#[derive(Debug, Clone)]
pub struct Import {
    /// The project.
    pub project: String,
    /// Who, normalised.
    pub person: PersonKey,
    /// The code that the trial uses.
    pub code: String,
    /// Its date shift, or the one that a new person gets.
    pub shift_days: Option<i32>,
}

/// All mappings in the order in which they were made.
pub type Mappings = Box<dyn Iterator<Item = Result<Mapping, PseudonymError>> + Send>;

/// Who has which pseudonym. One local implementation, [`SledTable`]; a site that
/// outgrows one machine will have one over a network.
pub trait PseudonymTable: Send + Sync + std::fmt::Debug {
    /// The pseudonym of `person` in `project`; a new one is durable when this returns.
    ///
    /// # Errors
    /// [`PseudonymError::NoPatientId`] and [`PseudonymError::TooLong`]: quarantine.
    /// Others: the instance is tried again later, and readiness is withdrawn on
    /// [`PseudonymError::Failed`].
    fn assign(&self, project: &str, person: &PersonKey) -> Result<Assigned, PseudonymError>;

    /// The mapping of `person`, without making one.
    ///
    /// # Errors
    /// The index cannot be read or disagrees.
    fn lookup(&self, project: &str, person: &PersonKey) -> Result<Option<Mapping>, PseudonymError>;

    /// Who has `code`: the way back. With linked persons the first of them.
    ///
    /// # Errors
    /// The index cannot be read or disagrees.
    fn lookup_code(&self, project: &str, code: &str) -> Result<Option<Mapping>, PseudonymError>;

    /// Takes a code from a trial's list. Importing the same again changes nothing.
    ///
    /// # Errors
    /// [`PseudonymError::PersonKnown`], [`PseudonymError::CodeTaken`],
    /// [`PseudonymError::BadCode`], [`PseudonymError::BadShift`]: nothing is changed.
    fn import(&self, import: &Import) -> Result<Assigned, PseudonymError>;

    /// Gives `other` what `known` has: one person with two Patient IDs.
    ///
    /// # Errors
    /// [`PseudonymError::PersonUnknown`], [`PseudonymError::PersonKnown`]: nothing is changed.
    fn link(
        &self,
        project: &str,
        known: &PersonKey,
        other: &PersonKey,
    ) -> Result<Assigned, PseudonymError>;

    /// All mappings, for backup and for the trial's own list.
    ///
    /// # Errors
    /// The journal cannot be read.
    fn export(&self) -> Result<Mappings, PseudonymError>;

    /// Compares journal and index, each record. New persons wait meanwhile.
    ///
    /// # Errors
    /// What does not agree: restart, which makes the index again.
    fn verify(&self) -> Result<u64, PseudonymError>;

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
    index: Index,
    sealer: Arc<Sealer>,
    keys: Keys,
    rules: BTreeMap<String, CodeRule>,
    writer: Mutex<Writer>,
    /// Held as long as the table is open.
    _lock: File,
}

/// What only one thread at a time may change.
#[derive(Debug)]
struct Writer {
    journal: Journal,
    sentinel: Sentinel,
    /// The journal has what the index has not: nothing new until a restart.
    index_failed: bool,
    since_sync: u64,
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
    let levelled = recover::level(&dir.join(INDEX_DIR), keys, &mut journal, &sealer)?;
    let report = TableReport {
        persons: levelled.sentinel.persons,
        torn_bytes,
        records_restored: levelled.records_restored,
        index: levelled.state,
    };
    let sentinel = levelled.sentinel;
    let table = SledTable {
        index: levelled.index,
        sealer: Arc::new(sealer),
        keys: keys.clone(),
        rules: BTreeMap::new(),
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

    fn writer(&self) -> Result<std::sync::MutexGuard<'_, Writer>, PseudonymError> {
        // After a panic nobody knows what the journal and the index have.
        let writer = self.writer.lock().map_err(|_poisoned| PseudonymError::Failed)?;
        if writer.index_failed { Err(PseudonymError::Failed) } else { Ok(writer) }
    }

    fn opened(&self, record: &SealedRecord) -> Result<Mapping, PseudonymError> {
        self.sealer.open(record)
    }

    fn find(&self, project: &str, person: &PersonKey) -> Result<Option<Mapping>, PseudonymError> {
        let Some(record) = self.index.person(project, person)? else { return Ok(None) };
        let mapping = self.opened(&record)?;
        if mapping.project != project || mapping.person != *person {
            return Err(PseudonymError::IndexDisagrees { sequence: record.sequence() });
        }
        Ok(Some(mapping))
    }

    fn assigned(&self, mapping: Mapping) -> Result<Assigned, PseudonymError> {
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

    /// Makes a mapping for a person that is not in the table.
    fn new_mapping(&self, project: &str, person: &PersonKey) -> Result<Mapping, PseudonymError> {
        let unset = CodeRule::default();
        let rule = self.rules.get(project).unwrap_or(&unset);
        let key = self.keys.current().derive(KeyPurpose::Pseudonym, project);
        let shift_days = match rule.mode() {
            CodeMode::Hmac | CodeMode::Sequential => derive::shift_days(&key, person),
            CodeMode::Random => derive::shift_from(u64::from_le_bytes(drawn()?)),
        };
        let persons = self.index.persons_in(project)?;
        for attempt in 0..CODE_TRIES_MAX {
            let code = match rule.mode() {
                CodeMode::Hmac => rule.hmac_code(&key, person, attempt),
                CodeMode::Random => rule.random_code(u128::from_le_bytes(drawn()?)),
                CodeMode::Sequential => rule.numbered_code(persons + 1 + u64::from(attempt)),
            };
            if self.index.holder(project, &code)?.is_none() {
                let key_id = self.keys.current().id().to_owned();
                let (project, person) = (project.to_owned(), person.clone());
                return Ok(Mapping { project, person, code, shift_days, key_id });
            }
        }
        Err(PseudonymError::NoFreeCode { tries: CODE_TRIES_MAX })
    }

    /// Makes `mapping` durable, then findable.
    fn commit(&self, writer: &mut Writer, mapping: &Mapping) -> Result<(), PseudonymError> {
        let sequence = writer.journal.end().sequence + 1;
        let record = self.sealer.seal(sequence, mapping)?;
        writer.journal.append(&record)?;
        kill_point("pseudonym.journal.synced");
        let mut changes = self.index.changes(writer.sentinel);
        let taken_in =
            changes.add(&record, mapping, writer.journal.end()).and_then(|()| changes.commit());
        // The journal is ahead for good: assigning again would write a second record.
        writer.index_failed = taken_in.is_err();
        writer.sentinel = taken_in?;
        kill_point("pseudonym.index.written");
        writer.since_sync += 1;
        if writer.since_sync >= INDEX_SYNC_EVERY {
            // Best effort: the mapping is durable, and a lost tail of the index is
            // taken in from the journal.
            drop(self.index.sync());
            writer.since_sync = 0;
        }
        Ok(())
    }
}

impl PseudonymTable for SledTable {
    fn assign(&self, project: &str, person: &PersonKey) -> Result<Assigned, PseudonymError> {
        check(project, person)?;
        if let Some(known) = self.find(project, person)? {
            return self.assigned(known);
        }
        let mut writer = self.writer()?;
        // Another thread may have been quicker.
        if let Some(known) = self.find(project, person)? {
            return self.assigned(known);
        }
        let mapping = self.new_mapping(project, person)?;
        self.commit(&mut writer, &mapping)?;
        drop(writer);
        self.assigned(mapping)
    }

    fn lookup(&self, project: &str, person: &PersonKey) -> Result<Option<Mapping>, PseudonymError> {
        self.find(project, person)
    }

    fn lookup_code(&self, project: &str, code: &str) -> Result<Option<Mapping>, PseudonymError> {
        let Some(record) = self.index.holder(project, code)? else { return Ok(None) };
        let mapping = self.opened(&record)?;
        if mapping.project != project || mapping.code != code {
            return Err(PseudonymError::IndexDisagrees { sequence: record.sequence() });
        }
        Ok(Some(mapping))
    }

    fn import(&self, import: &Import) -> Result<Assigned, PseudonymError> {
        check(&import.project, &import.person)?;
        if !derive::is_code(&import.code) {
            return Err(PseudonymError::BadCode);
        }
        let bad_shift = |days: i32| days == 0 || days.unsigned_abs() > SHIFT_DAYS_ABS_MAX;
        if import.shift_days.is_some_and(bad_shift) {
            return Err(PseudonymError::BadShift);
        }
        let mut writer = self.writer()?;
        if let Some(known) = self.find(&import.project, &import.person)? {
            let same = known.code == import.code
                && import.shift_days.is_none_or(|days| days == known.shift_days);
            return if same { self.assigned(known) } else { Err(PseudonymError::PersonKnown) };
        }
        if self.index.holder(&import.project, &import.code)?.is_some() {
            return Err(PseudonymError::CodeTaken);
        }
        let current = self.keys.current();
        let key = current.derive(KeyPurpose::Pseudonym, &import.project);
        let derived_shift = || derive::shift_days(&key, &import.person);
        let mapping = Mapping {
            project: import.project.clone(),
            person: import.person.clone(),
            code: import.code.clone(),
            shift_days: import.shift_days.unwrap_or_else(derived_shift),
            key_id: current.id().to_owned(),
        };
        self.commit(&mut writer, &mapping)?;
        self.assigned(mapping)
    }

    fn link(
        &self,
        project: &str,
        known: &PersonKey,
        other: &PersonKey,
    ) -> Result<Assigned, PseudonymError> {
        check(project, other)?;
        let mut writer = self.writer()?;
        let first = self.find(project, known)?.ok_or(PseudonymError::PersonUnknown)?;
        let mapping = Mapping { person: other.clone(), ..first };
        if let Some(standing) = self.find(project, other)? {
            let same = standing == mapping;
            return if same { self.assigned(standing) } else { Err(PseudonymError::PersonKnown) };
        }
        self.commit(&mut writer, &mapping)?;
        self.assigned(mapping)
    }

    fn export(&self) -> Result<Mappings, PseudonymError> {
        let reader = self.writer()?.journal.reader()?;
        let mut mappings = Export { reader, sealer: Arc::clone(&self.sealer) };
        Ok(Box::new(std::iter::from_fn(move || mappings.next_mapping().transpose())))
    }

    fn verify(&self) -> Result<u64, PseudonymError> {
        let writer = self.writer()?;
        let disagrees = |sequence| PseudonymError::IndexDisagrees { sequence };
        let checked = self.index.checked_sentinel().map_err(|_doubt| disagrees(0))?;
        if checked != writer.sentinel || checked.sequence != writer.journal.end().sequence {
            return Err(disagrees(0));
        }
        let mut reader = writer.journal.reader()?;
        while let Some(record) = reader.next_record()? {
            let mapping = self.opened(&record)?;
            let found = self.index.person(&mapping.project, &mapping.person)?;
            let first = found.as_ref().is_some_and(|found| found.sequence() <= record.sequence());
            let way_back = self.lookup_code(&mapping.project, &mapping.code)?.is_some();
            if !first || !way_back {
                return Err(disagrees(record.sequence()));
            }
        }
        Ok(writer.sentinel.persons)
    }

    fn len(&self) -> u64 {
        let writer = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        writer.sentinel.persons
    }
}

impl Drop for SledTable {
    fn drop(&mut self) {
        // Best effort: a lost tail of the index is taken in from the journal.
        drop(self.index.sync());
    }
}

struct Export {
    reader: Reader,
    sealer: Arc<Sealer>,
}

impl Export {
    fn next_mapping(&mut self) -> Result<Option<Mapping>, PseudonymError> {
        let record = self.reader.next_record()?;
        record.map(|record| self.sealer.open(&record)).transpose()
    }
}

fn check(project: &str, person: &PersonKey) -> Result<(), PseudonymError> {
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

fn drawn<const N: usize>() -> Result<[u8; N], PseudonymError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_no_source| PseudonymError::NoRandomness)?;
    Ok(bytes)
}
