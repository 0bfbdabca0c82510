//! Persons that become durable by one sync: who is new in, their mappings out.
//!
//! Invariant: within a group, too, a person gets one mapping and a code goes to
//! one person; nothing is told before [`Group::commit`] has returned.

use std::collections::{BTreeSet, HashMap};

use super::derive::{self, CodeMode};
use super::error::PseudonymError;
use super::frame::{GROUP_BYTES_MAX, bytes_in_group};
use super::index::{Changes, guarded};
use super::journal::Position;
use super::keys::KeyPurpose;
use super::person::PersonKey;
use super::record::{Mapping, RECORD_BYTES_MAX, SealedRecord};
use super::table::{SledTable, Writer};
use crate::kill_point::kill_point;

/// Most persons that share a sync. Default 256: their records fit into a frame
/// at usual length, and nobody waits long for the sealing of the others.
const GROUP_RECORDS_MAX: usize = 256;
/// Codes that may be taken before the search is given up. Default 10,000: only
/// numbered codes beside imported ones ever need a second.
const CODE_TRIES_MAX: u32 = 10_000;
/// New persons between two syncs of the index while a list is imported. Default
/// 1,000: what is not synced is taken in from the journal at the next start.
const INDEX_SYNC_EVERY: u64 = 1_000;

/// A group that is being put together; whoever has it is the one writer.
pub(super) struct Group<'a> {
    table: &'a SledTable,
    writer: &'a mut Writer,
    changes: Changes,
    position: Position,
    records: Vec<SealedRecord>,
    bytes: usize,
    /// What the index does not know yet.
    persons: HashMap<(String, PersonKey), Mapping>,
    codes: BTreeSet<(String, String)>,
    /// A record was taken in by half: nothing of this group may be written.
    broken: bool,
}

impl<'a> Group<'a> {
    pub(super) fn begin(table: &'a SledTable, writer: &'a mut Writer) -> Self {
        Self {
            table,
            changes: table.index().changes(writer.sentinel),
            position: writer.journal.end(),
            writer,
            records: Vec::new(),
            bytes: 0,
            persons: HashMap::new(),
            codes: BTreeSet::new(),
            broken: false,
        }
    }

    /// Whether another record might not fit into the frame.
    pub(super) fn is_full(&self) -> bool {
        self.records.len() >= GROUP_RECORDS_MAX
            || self.bytes + RECORD_BYTES_MAX + 4 > GROUP_BYTES_MAX
    }

    /// What `person` has, or gets by the project's rule.
    pub(super) fn assign(
        &mut self,
        project: &str,
        person: &PersonKey,
    ) -> Result<Mapping, PseudonymError> {
        // Another caller may have been quicker.
        if let Some(known) = self.find(project, person)? {
            return Ok(known);
        }
        let mapping = self.new_mapping(project, person)?;
        self.add(mapping.clone())?;
        Ok(mapping)
    }

    pub(super) fn find(
        &self,
        project: &str,
        person: &PersonKey,
    ) -> Result<Option<Mapping>, PseudonymError> {
        match self.persons.get(&(project.to_owned(), person.clone())) {
            Some(mapping) => Ok(Some(mapping.clone())),
            None => self.table.find(project, person),
        }
    }

    fn is_taken(&self, project: &str, code: &str) -> Result<bool, PseudonymError> {
        Ok(self.codes.contains(&(project.to_owned(), code.to_owned()))
            || self.table.index().holder(project, code)?.is_some())
    }

    /// A mapping by the project's rule, not yet added.
    pub(super) fn new_mapping(
        &self,
        project: &str,
        person: &PersonKey,
    ) -> Result<Mapping, PseudonymError> {
        let rule = self.table.rule(project);
        let current = self.table.keys.current();
        let key = current.derive(KeyPurpose::Pseudonym, project);
        let mode = rule.mode_for(person);
        let shift_days = match mode {
            CodeMode::Hmac | CodeMode::Sequential | CodeMode::Imported => {
                derive::shift_days(&key, person)
            }
            CodeMode::Random => derive::shift_from(u64::from_le_bytes(drawn()?)),
        };
        let persons = self.changes.persons_in(project)?;
        for attempt in 0..CODE_TRIES_MAX {
            let code = match mode {
                CodeMode::Hmac => rule.hmac_code(&key, person, attempt),
                CodeMode::Random => rule.random_code(u128::from_le_bytes(drawn()?)),
                CodeMode::Sequential => rule.numbered_code(persons + 1 + u64::from(attempt)),
                CodeMode::Imported => return Err(PseudonymError::NotInList),
            };
            if !self.is_taken(project, &code)? {
                return Ok(Mapping {
                    project: project.to_owned(),
                    person: person.clone(),
                    code,
                    shift_days,
                    key_id: current.id().to_owned(),
                    linked: false,
                    baseline_day: None,
                    former_codes: Vec::new(),
                });
            }
        }
        Err(PseudonymError::NoFreeCode { tries: CODE_TRIES_MAX })
    }

    /// Takes a mapping in.
    pub(super) fn add(&mut self, mapping: Mapping) -> Result<(), PseudonymError> {
        let record = self.table.sealer.seal(self.position.sequence + 1, &mapping)?;
        let position = self.position.chained(&record);
        self.broken = true;
        self.changes.add(&record, &mapping, position)?;
        self.broken = false;
        self.position = position;
        self.bytes += bytes_in_group(&record);
        self.records.push(record);
        self.codes.insert((mapping.project.clone(), mapping.code.clone()));
        self.persons.insert((mapping.project.clone(), mapping.person.clone()), mapping);
        Ok(())
    }

    /// Makes all of them durable, then findable.
    pub(super) fn commit(self) -> Result<(), PseudonymError> {
        if self.broken {
            return Err(PseudonymError::Failed);
        }
        if self.records.is_empty() {
            return Ok(());
        }
        let Self { table, writer, changes, records, .. } = self;
        writer.journal.append(&records)?;
        kill_point("pseudonym.journal.synced");
        let taken_in = guarded(|| changes.commit()).unwrap_or(Err(PseudonymError::Failed));
        // The journal is ahead: assigning again would write second records. Who comes
        // next makes the index again.
        writer.index_failed = taken_in.is_err();
        writer.sentinel = taken_in?;
        kill_point("pseudonym.index.written");
        writer.since_sync += records.len() as u64;
        if records.len() < GROUP_RECORDS_MAX || writer.since_sync >= INDEX_SYNC_EVERY {
            // A second place for each record: whoever cuts the journal's end off
            // is found out, and it is restored. Best effort: the mappings are
            // durable, and a lost tail of the index is taken in from the journal.
            drop(guarded(|| table.index().sync()));
            writer.since_sync = 0;
        }
        Ok(())
    }
}

fn drawn<const N: usize>() -> Result<[u8; N], PseudonymError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_no_source| PseudonymError::NoRandomness)?;
    Ok(bytes)
}
