//! sled as an index over the journal: look-up keys in, sealed records out.
//!
//! Lies in `index/N`, N counting how often it was made. One tree, by the first
//! byte of the key:
//! ```text
//! p + HMAC(project, issuer, id)  → sealed record, as in the journal
//! c + HMAC(project, code)        → the key of its first person
//! n + HMAC(project)              → number of persons, u64 LE
//! s                              → [`Sentinel`]
//! ```
//! Invariant: entries and sentinel change in one batch, and the sentinel holds
//! a keyed sum over all entries, because sled loses entries without saying so
//! when its file is damaged. The index is believed only while the two agree.
//! sled opens its own files, past [`crate::disk::Disk`]; so does this module.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::error::PseudonymError;
use super::journal::Position;
use super::keys::{KeyPurpose, Keys, SecretKey};
use super::person::PersonKey;
use super::record::{JournalId, Mapping, SealedRecord};
use crate::disk::{Disk as _, RealDisk};

/// sled's page cache. Default 8 MiB (sled's own is 1 GiB): the front process is
/// to stay under 100 MB, and with 100,000 persons 32 MiB took 34 MB more and won
/// nothing for known persons.
const CACHE_BYTES: u64 = 8 * 1_024 * 1_024;
/// sled's threads may hold its lock for some milliseconds after it was closed.
/// Default 100 × 20 ms: longer than any of their writes.
const LOCK_TRIES: u32 = 100;
const LOCK_WAIT: Duration = Duration::from_millis(20);
const PERSON: u8 = b'p';
const CODE: u8 = b'c';
const NUMBER: u8 = b'n';
const SENTINEL: [u8; 1] = [b's'];
/// Of a key, without its kind.
type Hash = [u8; 32];

/// Which history the index has seen, and a sum over what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sentinel {
    pub(super) journal: JournalId,
    /// First 4 bytes of the look-up key's own HMAC: another key, another index.
    key_check: [u8; 4],
    /// Last record of the journal that was taken in.
    pub(super) sequence: u64,
    /// The journal's chain after that record.
    pub(super) chain: [u8; 32],
    /// Persons, all projects together.
    pub(super) persons: u64,
    /// Exclusive-or over the keyed hashes of all other entries.
    sum: Hash,
}

impl Sentinel {
    fn to_bytes(self) -> Vec<u8> {
        [
            &self.journal.0[..],
            &self.key_check,
            &self.sequence.to_le_bytes(),
            &self.chain,
            &self.persons.to_le_bytes(),
            &self.sum,
        ]
        .concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (journal, rest) = bytes.split_first_chunk()?;
        let (key_check, rest) = rest.split_first_chunk()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let (chain, rest) = rest.split_first_chunk()?;
        let (persons, rest) = rest.split_first_chunk()?;
        Some(Self {
            journal: JournalId(*journal),
            key_check: *key_check,
            sequence: u64::from_le_bytes(*sequence),
            chain: *chain,
            persons: u64::from_le_bytes(*persons),
            sum: rest.try_into().ok()?,
        })
    }
}

/// Why an index that stood there is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexDoubt {
    /// There is none, or it is empty.
    Absent,
    /// sled cannot open or read it, or panics.
    Unreadable,
    /// Entries are lost or changed.
    Damaged,
    /// Written with another key.
    OtherKey,
    /// Made from another journal, or from one that went on differently.
    OtherHistory,
}

/// An open sled database that agrees with its own sentinel.
#[derive(Debug)]
pub(super) struct Index {
    db: sled::Db,
    dir: PathBuf,
    lookup_key: SecretKey,
}

impl Index {
    /// Opens and checks the newest index under `root`. Takes about 0.4 s for
    /// 100,000 persons.
    pub(super) fn open(root: &Path, keys: &Keys) -> Result<(Self, Sentinel), IndexDoubt> {
        let generations = generations(root).map_err(|_any| IndexDoubt::Unreadable)?;
        let newest = generations.last().ok_or(IndexDoubt::Absent)?;
        guarded(|| {
            let opened = Self::open_db(&root.join(newest.to_string()), keys);
            let index = opened.map_err(|_any| IndexDoubt::Unreadable)?;
            let sentinel = index.checked_sentinel()?;
            Ok((index, sentinel))
        })
        .unwrap_or(Err(IndexDoubt::Unreadable))
    }

    /// Makes an empty index under `root`, in a directory of its own: threads of
    /// a doubted database may still write to the old one. That one is kept, for
    /// a developer to look at; those before it go, so that the disk does not fill.
    pub(super) fn create(
        root: &Path,
        keys: &Keys,
        start: (JournalId, Position),
    ) -> Result<(Self, Sentinel), PseudonymError> {
        let io = PseudonymError::io("make an index in", root);
        RealDisk.create_dir_all(root).map_err(&io)?;
        let mut old = generations(root).map_err(&io)?;
        let newest = old.pop().unwrap_or(0);
        for generation in old {
            // Best effort: what cannot be removed now is removed the next time.
            drop(std::fs::remove_dir_all(root.join(generation.to_string())));
        }
        let index = Self::open_db(&root.join((newest + 1).to_string()), keys)?;
        let sentinel = Sentinel {
            journal: start.0,
            key_check: index.key_check(),
            sequence: start.1.sequence,
            chain: start.1.chain,
            persons: 0,
            sum: [0; 32],
        };
        index.db.insert(SENTINEL, sentinel.to_bytes())?;
        Ok((index, sentinel))
    }

    fn open_db(dir: &Path, keys: &Keys) -> Result<Self, PseudonymError> {
        let config = sled::Config::new()
            .path(dir)
            .cache_capacity(CACHE_BYTES)
            // Flushed by `sync`; a lost tail is taken in from the journal again.
            .flush_every_ms(None);
        let mut db = config.open();
        for _again in 0..LOCK_TRIES {
            if !is_locked(&db) {
                break;
            }
            std::thread::sleep(LOCK_WAIT);
            db = config.open();
        }
        let lookup_key = keys.current().derive(KeyPurpose::TableLookup, "");
        Ok(Self { db: db?, dir: dir.to_owned(), lookup_key })
    }

    fn key_check(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = self.lookup_key.mac(&[b"key check"]);
        [a, b, c, d]
    }

    /// Reads every entry and compares count and sum with the sentinel.
    pub(super) fn checked_sentinel(&self) -> Result<Sentinel, IndexDoubt> {
        let unreadable = |_any: sled::Error| IndexDoubt::Unreadable;
        let stored = self.db.get(SENTINEL).map_err(unreadable)?.ok_or(IndexDoubt::Absent)?;
        let sentinel = Sentinel::from_bytes(&stored).ok_or(IndexDoubt::Damaged)?;
        if sentinel.key_check != self.key_check() {
            return Err(IndexDoubt::OtherKey);
        }
        let (mut persons, mut sum) = (0, [0; 32]);
        for entry in self.db.iter() {
            let (key, value) = entry.map_err(unreadable)?;
            if *key != SENTINEL {
                persons += u64::from(key.first() == Some(&PERSON));
                add(&mut sum, &self.entry_hash(&key, &value));
            }
        }
        let agrees = (persons, sum) == (sentinel.persons, sentinel.sum);
        agrees.then_some(sentinel).ok_or(IndexDoubt::Damaged)
    }

    /// The record of a person. Takes no lock.
    pub(super) fn person(
        &self,
        project: &str,
        person: &PersonKey,
    ) -> Result<Option<SealedRecord>, PseudonymError> {
        self.record(&self.person_key(project, person))
    }

    /// The record of the first person that has `code`.
    pub(super) fn holder(
        &self,
        project: &str,
        code: &str,
    ) -> Result<Option<SealedRecord>, PseudonymError> {
        match self.db.get(self.code_key(project, code))? {
            Some(person) => self.record(&person),
            None => Ok(None),
        }
    }

    /// Persons of one project.
    pub(super) fn persons_in(&self, project: &str) -> Result<u64, PseudonymError> {
        Ok(number(self.db.get(self.number_key(project))?.as_deref()))
    }

    /// All records with a number above `sequence`, in order.
    pub(super) fn records_after(
        &self,
        sequence: u64,
    ) -> Result<BTreeMap<u64, SealedRecord>, PseudonymError> {
        let mut records = BTreeMap::new();
        for entry in self.db.scan_prefix([PERSON]) {
            let (_key, value) = entry?;
            if let Some(record) = SealedRecord::from_bytes(value.to_vec())
                && record.sequence() > sequence
            {
                records.insert(record.sequence(), record);
            }
        }
        Ok(records)
    }

    /// Starts a set of changes that are made at once or not at all.
    pub(super) fn changes(self: &Arc<Self>, sentinel: Sentinel) -> Changes {
        Changes { index: Arc::clone(self), pending: BTreeMap::new(), sentinel }
    }

    /// Makes everything durable: sled's own flush does not outlive a power cut
    /// (it never calls `fsync`), so its file is synced after it.
    pub(super) fn sync(&self) -> Result<(), PseudonymError> {
        self.db.flush()?;
        let file = self.dir.join("db");
        std::fs::File::open(&file)
            .and_then(|db| db.sync_data())
            .map_err(PseudonymError::io("sync", &file))
    }

    fn record(&self, key: &[u8]) -> Result<Option<SealedRecord>, PseudonymError> {
        let Some(value) = self.db.get(key)? else { return Ok(None) };
        let record = SealedRecord::from_bytes(value.to_vec());
        record.map(Some).ok_or(PseudonymError::IndexDisagrees { sequence: 0 })
    }

    fn person_key(&self, project: &str, person: &PersonKey) -> Vec<u8> {
        let issuer = person.issuer.expose().as_bytes();
        let patient_id = person.patient_id.expose().as_bytes();
        self.key(PERSON, &[b"person", project.as_bytes(), issuer, patient_id])
    }

    fn code_key(&self, project: &str, code: &str) -> Vec<u8> {
        self.key(CODE, &[b"code", project.as_bytes(), code.as_bytes()])
    }

    fn number_key(&self, project: &str) -> Vec<u8> {
        self.key(NUMBER, &[b"number", project.as_bytes()])
    }

    fn key(&self, kind: u8, parts: &[&[u8]]) -> Vec<u8> {
        [&[kind][..], &self.lookup_key.mac(parts)].concat()
    }

    fn entry_hash(&self, key: &[u8], value: &[u8]) -> Hash {
        self.lookup_key.mac(&[b"entry", key, value])
    }
}

/// Entries to be written in one batch with the sentinel.
pub(super) struct Changes {
    index: Arc<Index>,
    pending: BTreeMap<Vec<u8>, Vec<u8>>,
    sentinel: Sentinel,
}

impl Changes {
    /// Takes in the next record of the journal. A person that is known already
    /// keeps what was given first, unless the record says that it replaces it.
    pub(super) fn add(
        &mut self,
        record: &SealedRecord,
        mapping: &Mapping,
        position: Position,
    ) -> Result<(), PseudonymError> {
        self.sentinel.sequence = position.sequence;
        self.sentinel.chain = position.chain;
        let person = self.index.person_key(&mapping.project, &mapping.person);
        let known = self.get(&person)?.is_some();
        if known && !mapping.replaces() {
            return Ok(());
        }
        let code = self.index.code_key(&mapping.project, &mapping.code);
        // A code that stands already is a linked one: it leads to the first person.
        if self.get(&code)?.is_none() {
            self.put(code, person.clone())?;
        }
        self.put(person, record.bytes().to_vec())?;
        if !known {
            let number_key = self.index.number_key(&mapping.project);
            let persons = number(self.get(&number_key)?.as_deref()) + 1;
            self.put(number_key, persons.to_le_bytes().to_vec())?;
            self.sentinel.persons += 1;
        }
        Ok(())
    }

    /// Persons of one project, those that wait here included.
    pub(super) fn persons_in(&self, project: &str) -> Result<u64, PseudonymError> {
        Ok(number(self.get(&self.index.number_key(project))?.as_deref()))
    }

    /// Entries waiting.
    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Writes them. Not yet durable: see [`Index::sync`].
    pub(super) fn commit(self) -> Result<Sentinel, PseudonymError> {
        let mut batch = sled::Batch::default();
        for (key, value) in self.pending {
            batch.insert(key, value);
        }
        batch.insert(&SENTINEL, self.sentinel.to_bytes());
        self.index.db.apply_batch(batch)?;
        Ok(self.sentinel)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, PseudonymError> {
        match self.pending.get(key) {
            Some(value) => Ok(Some(value.clone())),
            None => Ok(self.index.db.get(key)?.map(|value| value.to_vec())),
        }
    }

    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), PseudonymError> {
        if let Some(old) = self.get(&key)? {
            add(&mut self.sentinel.sum, &self.index.entry_hash(&key, &old));
        }
        add(&mut self.sentinel.sum, &self.index.entry_hash(&key, &value));
        self.pending.insert(key, value);
        Ok(())
    }
}

/// The numbers of the indexes made so far that still stand, in order.
fn generations(root: &Path) -> std::io::Result<Vec<u32>> {
    if !RealDisk.exists(root)? {
        return Ok(Vec::new());
    }
    let names = RealDisk.names(root)?;
    let mut generations: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
    generations.sort_unstable();
    Ok(generations)
}

/// Runs something on a database that may be damaged: sled panics on some
/// damaged files instead of returning an error. Nothing after a panic.
pub(super) fn guarded<T>(action: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(action)).ok()
}

/// sled's own lock is taken. The table's lock is ours, so it can only be held by
/// threads of a database that this process has just closed.
fn is_locked(opened: &sled::Result<sled::Db>) -> bool {
    matches!(opened, Err(sled::Error::Io(error)) if error.kind() == std::io::ErrorKind::Other)
}

/// Adds to the sum, or takes out of it what is in it.
fn add(sum: &mut Hash, hash: &Hash) {
    for (to, from) in sum.iter_mut().zip(hash) {
        *to ^= from;
    }
}

fn number(value: Option<&[u8]>) -> u64 {
    value.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}
