//! The memory of one machine: a journal, and what it says in memory.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use super::journal::{Journal, KeyId, RECORD_BYTES_MAX};
use super::{
    Claim, CorrectionBook, CorrectionError, Owner, RECALLED_MAX, Recall, STUDIES_MAX, Withdrawn,
};
use crate::disk::{Disk, FailedSync};
use crate::kill_point::kill_point;
use crate::pseudonym::{KeyPurpose, Keys, SecretKey};

const JOURNAL_FILE: &str = "journal";
/// First byte of a record; [`OLD_STUDY`] says nothing of the issuer.
const STUDY: u8 = b'P';
const OLD_STUDY: u8 = b'S';
const RECALL: u8 = b'R';

/// First 8 bytes of a keyed hash: among a million studies a false match has a
/// chance of 3 in 10^8, and it holds an instance instead of letting one pass.
type Mark = [u8; 8];

/// What was found when the memory was opened, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookReport {
    /// Studies remembered.
    pub studies: usize,
    /// Recalls remembered.
    pub recalls: usize,
    /// Bytes of a torn record that were cut: nobody was told of it.
    pub torn_bytes: u64,
    /// Records that nobody needs any more were left out of a new journal.
    pub rewritten: bool,
}

/// The memory of one machine.
#[derive(Debug)]
pub struct LocalBook {
    key: SecretKey,
    failed: FailedSync,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    journal: Journal,
    memory: Memory,
}

/// Whose a study is: the rest stands in the journal at this place.
#[derive(Debug, Clone, Copy)]
struct Owned {
    person: Mark,
    at: u64,
}

/// A person who came with a Patient ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Holder {
    person: Mark,
    issuer: Mark,
    at: u64,
}

/// The issuer that nobody states.
const NO_ISSUER: Mark = [0; 8];

/// A record of a study.
#[derive(Debug, PartialEq, Eq)]
struct StudyRecord<'a> {
    study: Mark,
    person: Mark,
    patient_id: Mark,
    /// Zeros without one.
    issuer: Mark,
    issuer_stated: bool,
    code: &'a str,
}

/// What the journal says.
#[derive(Debug, Default)]
struct Memory {
    owners: HashMap<Mark, Owned>,
    /// Persons by Patient ID, with the issuers under which they came.
    holders: HashMap<Mark, Vec<Holder>>,
    /// Studies in the order in which they were first seen.
    order: VecDeque<Mark>,
    recalls: Vec<Recall>,
    /// Recalled instances, with their place in `recalls`.
    recalled: HashMap<String, usize>,
}

impl LocalBook {
    /// Whether there is one in `dir`.
    ///
    /// # Errors
    /// [`CorrectionError::Io`]: the node does not start.
    pub fn is_in(dir: &Path, disk: &dyn Disk) -> Result<bool, CorrectionError> {
        let path = dir.join(JOURNAL_FILE);
        disk.exists(&path).map_err(CorrectionError::io("look for", &path))
    }

    /// Opens or makes the memory in `dir`. What is remembered stays comparable
    /// when a new key is in use: the journal keeps the key it began with.
    ///
    /// # Errors
    /// [`CorrectionError`]: the node does not start; each says what to do.
    pub fn open(
        dir: &Path,
        keys: &Keys,
        disk: Arc<dyn Disk>,
    ) -> Result<(Self, BookReport), CorrectionError> {
        disk.create_dir_all(dir).map_err(CorrectionError::io("make", dir))?;
        let path = dir.join(JOURNAL_FILE);
        if !Self::is_in(dir, disk.as_ref())? {
            Journal::create(&path, disk.as_ref(), key_id(keys), std::iter::empty())?;
            if let Some(parent) = dir.parent() {
                disk.sync_dir(parent).map_err(CorrectionError::io("sync", parent))?;
            }
        }
        let (mut memory, mut records) = (Memory::default(), 0_usize);
        let (mut journal, found) = Journal::open(&path, &disk, |record, at| {
            records += 1;
            memory.take(record, at)
        })?;
        let stated = String::from_utf8_lossy(&found.key_id).into_owned();
        let master = keys.of_id(&stated).ok_or_else(|| CorrectionError::UnknownKey {
            path: path.clone(),
            key_id: stated.clone(),
        })?;
        let key = master.derive(KeyPurpose::Corrections, "");
        let needed = memory.order.len() + memory.recalls.len();
        let rewritten = records > 2 * needed.max(1_000);
        if rewritten {
            let kept = memory.records(&mut journal)?;
            drop(journal);
            Journal::create(&path, disk.as_ref(), found.key_id, kept.into_iter())?;
            memory = Memory::default();
            (journal, _) = Journal::open(&path, &disk, |record, at| memory.take(record, at))?;
        }
        let report = BookReport {
            studies: memory.order.len(),
            recalls: memory.recalls.len(),
            torn_bytes: found.torn_bytes,
            rewritten,
        };
        let failed = journal.failed();
        Ok((Self { key, failed, inner: Mutex::new(Inner { journal, memory }) }, report))
    }

    fn mark(&self, kind: &[u8], project: &str, value: &str) -> Mark {
        let hash = self.key.mac(&[kind, project.as_bytes(), value.as_bytes()]);
        *hash.first_chunk::<8>().unwrap_or(&[0; 8])
    }

    fn record<'a>(&self, claim: Claim<'_>, code: &'a str) -> StudyRecord<'a> {
        let Claim { project, study, patient_id, issuer_stated, issuer, .. } = claim;
        let stated = !issuer.is_empty();
        StudyRecord {
            study: self.mark(b"study", project, study),
            person: self.mark(b"person", project, code),
            patient_id: self.mark(b"patient-id", project, patient_id),
            issuer: if stated { self.mark(b"issuer", project, issuer) } else { NO_ISSUER },
            issuer_stated,
            code,
        }
    }

    fn inner(&self) -> Result<MutexGuard<'_, Inner>, CorrectionError> {
        // After a panic nobody knows what the journal and the memory have.
        self.inner.lock().map_err(|_poisoned| CorrectionError::Failed)
    }
}

impl CorrectionBook for LocalBook {
    fn has_failed(&self) -> bool {
        self.failed.is_set() || self.inner.is_poisoned()
    }

    fn claim(&self, claim: Claim<'_>, code: &str) -> Result<Owner, CorrectionError> {
        let claimed = self.record(claim, code);
        let mut inner = self.inner()?;
        match inner.memory.owners.get(&claimed.study) {
            Some(owned) if owned.person == claimed.person => Ok(Owner::Same),
            Some(_) => Ok(inner.joined(&claimed)?.map_or(Owner::Other, Owner::Join)),
            None => {
                // Another study of the person was quicker by a moment.
                let joined = inner.joined_across(claim, &claimed)?;
                if let Some(code) = joined.filter(|joined| joined != code) {
                    let held = self.record(claim, &code);
                    inner.note(&held.to_bytes(), "corrections.study.synced")?;
                    return Ok(Owner::Join(code));
                }
                inner.note(&claimed.to_bytes(), "corrections.study.synced")?;
                Ok(Owner::New)
            }
        }
    }

    fn joins(&self, claim: Claim<'_>) -> Result<Option<String>, CorrectionError> {
        let claimed = self.record(claim, "");
        let mut inner = self.inner()?;
        if inner.memory.owners.contains_key(&claimed.study) {
            return inner.joined(&claimed);
        }
        let joined = inner.joined_across(claim, &claimed)?;
        if let Some(code) = &joined {
            inner.note(&self.record(claim, code).to_bytes(), "corrections.study.synced")?;
        }
        Ok(joined)
    }

    fn adopt(&self, claim: Claim<'_>, code: &str) -> Result<(), CorrectionError> {
        let claimed = self.record(claim, code);
        let mut inner = self.inner()?;
        let owner = inner.memory.owners.get(&claimed.study);
        if owner.is_some_and(|owned| owned.person == claimed.person) {
            return Ok(());
        }
        inner.note(&claimed.to_bytes(), "corrections.study.synced")
    }

    fn recall(&self, recall: Recall) -> Result<(), CorrectionError> {
        let too_many = CorrectionError::TooMany { limit: RECALLED_MAX };
        let mut inner = self.inner()?;
        let known = inner.memory.recalls.iter().any(|known| {
            (&known.project, &known.note, &known.code, &known.instances)
                == (&recall.project, &recall.note, &recall.code, &recall.instances)
        });
        if known {
            return Ok(());
        }
        let record = recall_record(&recall);
        let total = inner.memory.recalled.len() + recall.instances.len();
        if total > RECALLED_MAX || record.len() > RECORD_BYTES_MAX {
            return Err(too_many);
        }
        inner.note(&record, "corrections.recall.synced")
    }

    fn recalled_by(&self, instance: &str) -> Option<Withdrawn> {
        // Poisoned or not: what was taken in before the panic still holds.
        let inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let at = inner.memory.recalled.get(instance)?;
        let recall = inner.memory.recalls.get(*at)?;
        Some(Withdrawn { code: recall.code.clone(), at_unix_ms: recall.time_unix_ms })
    }

    fn recalls(&self) -> Vec<Recall> {
        let inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        inner.memory.recalls.clone()
    }
}

impl Inner {
    /// Durable first, then known.
    fn note(&mut self, record: &[u8], point: &'static str) -> Result<(), CorrectionError> {
        let at = self.journal.append(record)?;
        kill_point(point);
        self.memory.take(record, at).ok_or(CorrectionError::Failed)
    }

    /// The pseudonym of the study's owner, where that is the same Patient ID, of one
    /// issuer or without one on one side.
    fn joined(&mut self, claimed: &StudyRecord<'_>) -> Result<Option<String>, CorrectionError> {
        let Some(owned) = self.memory.owners.get(&claimed.study) else { return Ok(None) };
        let record = self.journal.record_at(owned.at)?;
        let Some(known) = StudyRecord::read(&record) else { return Err(CorrectionError::Failed) };
        // One issuer too: the study may have joined a person while this was assigned.
        let one_issuer = known.issuer == claimed.issuer && known.issuer != NO_ISSUER;
        let same = known.patient_id == claimed.patient_id
            && (one_issuer || !(known.issuer_stated && claimed.issuer_stated));
        Ok(same.then(|| known.code.to_owned()))
    }
}

impl Inner {
    /// The pseudonym of the one person who is known by this Patient ID in other
    /// studies, where an issuer is missing on one side.
    fn joined_across(
        &mut self,
        claim: Claim<'_>,
        claimed: &StudyRecord<'_>,
    ) -> Result<Option<String>, CorrectionError> {
        let Some(holder) = self.memory.holder(claimed).filter(|_| claim.joins_missing_issuer)
        else {
            return Ok(None);
        };
        let record = self.journal.record_at(holder.at)?;
        let known = StudyRecord::read(&record).ok_or(CorrectionError::Failed)?;
        Ok(Some(known.code.to_owned()))
    }
}

impl Memory {
    /// Whom a Patient ID joins: whom it joined before under this issuer, else the only
    /// person there is, unless two issuers are stated.
    fn holder(&self, claimed: &StudyRecord<'_>) -> Option<Holder> {
        let holders = self.holders.get(&claimed.patient_id)?;
        if let Some(at) = holders.iter().position(|holder| holder.issuer == claimed.issuer) {
            // Who joined nobody is looked up in the table: links may have changed it.
            let (same, earlier) = (holders.get(at)?, holders.get(..at)?);
            return earlier.iter().find(|other| other.person == same.person).copied();
        }
        let (first, others) = holders.split_first()?;
        let one = others.iter().all(|other| other.person == first.person);
        let stated = holders.iter().any(|holder| holder.issuer != NO_ISSUER);
        (one && !(stated && claimed.issuer != NO_ISSUER)).then_some(*first)
    }

    fn hold(&mut self, record: &StudyRecord<'_>, at: u64) {
        if record.issuer == NO_ISSUER && record.issuer_stated {
            // Of an old record: which one is not known.
            return;
        }
        let holders = self.holders.entry(record.patient_id).or_default();
        let holder = Holder { person: record.person, issuer: record.issuer, at };
        if !holders.iter().any(|known| known.issuer == holder.issuer) {
            holders.push(holder);
        }
    }

    /// Takes in a record; nothing when it is not understood.
    fn take(&mut self, record: &[u8], at: u64) -> Option<()> {
        let (kind, body) = record.split_first()?;
        match *kind {
            STUDY | OLD_STUDY => {
                let record = StudyRecord::read(record)?;
                self.hold(&record, at);
                self.own(record.study, Owned { person: record.person, at });
            }
            RECALL => self.remember(serde_json::from_slice(body).ok()?),
            _ => return None,
        }
        Some(())
    }

    fn own(&mut self, study: Mark, owned: Owned) {
        if self.owners.insert(study, owned).is_none() {
            self.order.push_back(study);
        }
        while self.order.len() > STUDIES_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.owners.remove(&oldest);
            }
        }
    }

    fn remember(&mut self, recall: Recall) {
        let at = self.recalls.len();
        for instance in &recall.instances {
            self.recalled.insert(instance.clone(), at);
        }
        self.recalls.push(recall);
    }

    /// The records of a journal that says the same and no more.
    fn records(&self, journal: &mut Journal) -> Result<Vec<Vec<u8>>, CorrectionError> {
        let owned = self.order.iter().filter_map(|study| self.owners.get(study));
        let studies = owned.map(|owned| journal.record_at(owned.at));
        studies.chain(self.recalls.iter().map(|recall| Ok(recall_record(recall)))).collect()
    }
}

impl<'a> StudyRecord<'a> {
    fn to_bytes(&self) -> Vec<u8> {
        let stated = [u8::from(self.issuer_stated)];
        let marks = [self.study, self.person, self.patient_id, self.issuer].concat();
        [&[STUDY][..], &marks, &stated, self.code.as_bytes()].concat()
    }

    fn read(record: &'a [u8]) -> Option<Self> {
        let (kind, rest) = record.split_first()?;
        let (study, rest) = rest.split_first_chunk::<8>()?;
        let (person, rest) = rest.split_first_chunk::<8>()?;
        let (patient_id, rest) = rest.split_first_chunk::<8>()?;
        let (issuer, rest) = match *kind {
            STUDY => rest.split_first_chunk::<8>()?,
            OLD_STUDY => (&NO_ISSUER, rest),
            _ => return None,
        };
        let (stated, code) = rest.split_first()?;
        Some(Self {
            study: *study,
            person: *person,
            patient_id: *patient_id,
            issuer: *issuer,
            issuer_stated: *stated == 1,
            code: std::str::from_utf8(code).ok()?,
        })
    }
}

fn recall_record(recall: &Recall) -> Vec<u8> {
    // Strings and a number: serialising them does not fail.
    let body = serde_json::to_vec(recall).unwrap_or_default();
    [&[RECALL][..], &body].concat()
}

fn key_id(keys: &Keys) -> KeyId {
    let mut id = [b'0'; 8];
    for (to, from) in id.iter_mut().zip(keys.current().id().bytes()) {
        *to = from;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_without_an_issuer_are_read() {
        let bytes = [&[OLD_STUDY][..], &[1; 8], &[2; 8], &[3; 8], &[1], b"CODE"].concat();
        let record = StudyRecord::read(&bytes).unwrap();
        let issuer = NO_ISSUER;
        let (study, person, patient_id) = ([1; 8], [2; 8], [3; 8]);
        let code = "CODE";
        let issuer_stated = true;
        let wanted = StudyRecord { study, person, patient_id, issuer, issuer_stated, code };
        assert_eq!(record, wanted);
        let mut memory = Memory::default();
        memory.take(&bytes, 7).unwrap();
        assert_eq!(memory.owners.len(), 1);
        assert!(memory.holders.is_empty(), "nobody knows of which issuer");
        let again = StudyRecord { issuer: [4; 8], ..wanted };
        assert_eq!(StudyRecord::read(&again.to_bytes()), Some(again));
    }
}
