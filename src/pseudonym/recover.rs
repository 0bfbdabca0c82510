//! A journal and whatever stands beside it in, an index that agrees with it out.
//!
//! Invariant: the journal decides. The index is believed only as far as its own
//! sentinel, the key and the journal's chain agree; else it is made again. The
//! one case in which the index knows more, a journal whose end was lost after
//! it was synced, is mended from it or refused, never passed over.

use std::path::Path;
use std::sync::Arc;

use super::error::PseudonymError;
use super::index::{Index, IndexDoubt, Sentinel, guarded};
use super::journal::Journal;
use super::keys::Keys;
use super::record::Sealer;

/// Entries that are written to sled at once while an index is made. Default
/// 3,000: about 1 MB, a thousand persons. Batches of 60,000 took no less time
/// for a million persons, and 600 MB of memory.
const BATCH_ENTRIES: usize = 3_000;

/// What was found and done when the table was opened, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableReport {
    /// Persons in the table, all projects together.
    pub persons: u64,
    /// Bytes of a torn record that were cut from the journal: nobody was told of it.
    pub torn_bytes: u64,
    /// Records that the journal had lost and the index still had.
    pub records_restored: u64,
    /// The index.
    pub index: IndexState,
}

/// What was done with the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexState {
    /// It agreed.
    Level,
    /// It lacked the journal's last records, as after a crash.
    CaughtUp {
        /// How many.
        records: u64,
    },
    /// It was made from the whole journal; the old one was left beside it.
    Rebuilt(IndexDoubt),
}

/// What [`level`] gives back.
pub(super) struct Levelled {
    pub(super) index: Arc<Index>,
    pub(super) sentinel: Sentinel,
    pub(super) state: IndexState,
    pub(super) records_restored: u64,
}

/// Opens the index in `dir` and brings it level with `journal`.
pub(super) fn level(
    dir: &Path,
    keys: &Keys,
    journal: &mut Journal,
    sealer: &Sealer,
) -> Result<Levelled, PseudonymError> {
    refuse_unknown_keys(journal, sealer)?;
    let (index, sentinel) = match Index::open(dir, keys) {
        Ok((index, sentinel)) => (Arc::new(index), sentinel),
        Err(doubt) => return rebuild(dir, keys, journal, sealer, doubt),
    };
    if sentinel.journal != journal.id() {
        drop(index);
        return rebuild(dir, keys, journal, sealer, IndexDoubt::OtherHistory);
    }
    if sentinel.sequence > journal.end().sequence {
        return restore(index, sentinel, journal, sealer);
    }
    if !saw_this_history(&sentinel, journal)? {
        drop(index);
        return rebuild(dir, keys, journal, sealer, IndexDoubt::OtherHistory);
    }
    let records = journal.end().sequence - sentinel.sequence;
    if records == 0 {
        return Ok(Levelled { index, sentinel, state: IndexState::Level, records_restored: 0 });
    }
    let sentinel = match guarded(|| take_in(&index, sentinel, journal, sealer)) {
        Some(Ok(sentinel)) => sentinel,
        // What could be read cannot be written on.
        None | Some(Err(PseudonymError::Index(_))) => {
            drop(index);
            return rebuild(dir, keys, journal, sealer, IndexDoubt::Unreadable);
        }
        Some(Err(other)) => return Err(other),
    };
    let state = IndexState::CaughtUp { records };
    Ok(Levelled { index, sentinel, state, records_restored: 0 })
}

/// Before anything is changed: with the wrong key in place nothing can be read,
/// and going on would give every person a second code.
fn refuse_unknown_keys(journal: &Journal, sealer: &Sealer) -> Result<(), PseudonymError> {
    let mut reader = journal.reader()?;
    while let Some(record) = reader.next_record()? {
        if !sealer.knows(record.key_id()) {
            return Err(PseudonymError::UnknownKey { key_id: record.key_id().to_owned() });
        }
    }
    Ok(())
}

fn saw_this_history(sentinel: &Sentinel, journal: &Journal) -> Result<bool, PseudonymError> {
    let mut reader = journal.reader()?;
    while reader.position.sequence < sentinel.sequence && reader.next_record()?.is_some() {}
    Ok(reader.position.chain == sentinel.chain)
}

/// Makes the index again beside the old one.
pub(super) fn rebuild(
    dir: &Path,
    keys: &Keys,
    journal: &Journal,
    sealer: &Sealer,
    doubt: IndexDoubt,
) -> Result<Levelled, PseudonymError> {
    let start = (journal.id(), journal.reader()?.position);
    let (index, sentinel) = Index::create(dir, keys, start)?;
    let index = Arc::new(index);
    let sentinel = take_in(&index, sentinel, journal, sealer)?;
    Ok(Levelled { index, sentinel, state: IndexState::Rebuilt(doubt), records_restored: 0 })
}

/// Takes the records after the sentinel into the index, in batches.
fn take_in(
    index: &Arc<Index>,
    mut sentinel: Sentinel,
    journal: &Journal,
    sealer: &Sealer,
) -> Result<Sentinel, PseudonymError> {
    let seen = sentinel.sequence;
    let mut reader = journal.reader()?;
    let mut changes = index.changes(sentinel);
    while let Some(record) = reader.next_record()? {
        if record.sequence() <= seen {
            continue;
        }
        changes.add(&record, &sealer.open(&record)?, reader.position)?;
        if changes.len() >= BATCH_ENTRIES {
            sentinel = changes.commit()?;
            changes = index.changes(sentinel);
        }
    }
    sentinel = changes.commit()?;
    index.sync()?;
    Ok(sentinel)
}

/// Appends to the journal what only the index still has. The chain proves that
/// it is the same bytes in the same order; without that proof the node stops.
fn restore(
    index: Arc<Index>,
    sentinel: Sentinel,
    journal: &mut Journal,
    sealer: &Sealer,
) -> Result<Levelled, PseudonymError> {
    let lost = index.records_after(journal.end().sequence)?;
    let mut position = journal.end();
    for record in lost.values() {
        sealer.open(record)?;
        position = position.chained(record);
    }
    if (position.sequence, position.chain) != (sentinel.sequence, sentinel.chain) {
        return Err(PseudonymError::JournalBehindIndex {
            journal_sequence: journal.end().sequence,
            index_sequence: sentinel.sequence,
        });
    }
    for record in lost.values() {
        journal.append(std::slice::from_ref(record))?;
    }
    let records_restored = lost.len() as u64;
    Ok(Levelled { index, sentinel, state: IndexState::Level, records_restored })
}
