//! Into quarantine, and the two ways out: release and discard.
//!
//! Rare steps, so each of them leaves every name durable: record first, then
//! the new name, then the old one.

use std::collections::BTreeSet;

use super::layout::Dir;
use super::record::{Decision, Discard, Leaving, QuarantineNote, Record, VERSION, salvage};
use super::store::{RECORD_BYTES_MAX, Shared};
use super::{Spool, SpoolError, SpoolId, State};
use crate::kill_point::kill_point;
use crate::reason::Quarantine;

/// Most characters of a detail or of a person's words in a record. 1,000:
/// some twenty lines, and six of them still fit in a record.
const NOTE_CHARS_MAX: usize = 1_000;

/// Most decisions that a record keeps; the oldest go. 16: more releases than
/// anybody has patience for, and the record stays within its limit.
const DECISIONS_MAX: usize = 16;

impl Spool {
    /// Sets an instance aside with its reason, from whichever state. A clean
    /// copy, its links and its report go; the original stays. A damaged record is
    /// rebuilt from what can be trusted. May be repeated: the last reason stays.
    ///
    /// # Errors
    /// [`SpoolError::NotThere`] when there is no original.
    pub fn quarantine(&self, id: SpoolId, why: &Quarantine) -> Result<(), SpoolError> {
        self.quarantine_leaving(id, why, None, None)
    }

    /// [`Spool::quarantine`] of an instance of which is known under which UIDs
    /// it was to leave, and under which rules; the UIDs, once noted, stay.
    ///
    /// # Errors
    /// As there.
    pub fn quarantine_leaving(
        &self,
        id: SpoolId,
        why: &Quarantine,
        leaving: Option<Leaving>,
        under: Option<String>,
    ) -> Result<(), SpoolError> {
        let shared = &*self.0;
        shared.usable()?;
        let _only = shared.lock(id);
        let Some(state) = shared.original(id)? else {
            return Err(SpoolError::NotThere { id, wanted: "in the spool" });
        };
        let note = QuarantineNote {
            why: Quarantine::new(why.reason, clipped(&why.detail)),
            at_unix_ms: shared.clock.unix_ms(),
            round: 0,
            leaving,
            under,
        };
        shared.note_quarantine(id, state, note)?;
        kill_point("spool.quarantine.record-synced");

        if state != State::Quarantine {
            shared.move_original(id, state, State::Quarantine)?;
        }
        kill_point("spool.quarantine.moved");
        shared.leave_quarantine_alone(id)?;
        kill_point("spool.quarantine.dropped");
        Ok(())
    }

    /// Sends an instance back to be cleaned and verified again, as if it had
    /// just come; nothing bypasses that. The last reason stays in the record. May
    /// be repeated after an error, which can have come when it was released already.
    ///
    /// # Errors
    /// [`SpoolError::NotThere`] when it is not in quarantine;
    /// [`SpoolError::Damaged`] when nobody knows how it came.
    pub fn release(&self, id: SpoolId) -> Result<(), SpoolError> {
        self.release_with(id, None)
    }

    /// [`Spool::release`] with a person's decision on what is done then, which
    /// the record keeps.
    ///
    /// # Errors
    /// As there.
    pub fn release_with(&self, id: SpoolId, decision: Option<Decision>) -> Result<(), SpoolError> {
        let shared = &*self.0;
        shared.usable()?;
        let _only = shared.lock(id);
        let record = shared.read_record(id)?;
        if record.releases > 0 && shared.original(id)? == Some(State::Received) {
            return shared.sync_dir(Dir::Quarantine);
        }
        shared.quarantined(id)?;
        if record.arrival.is_none() {
            return Err(SpoolError::Damaged { id, what: "nothing tells how it came" });
        }
        shared.amend(id, |record| {
            record.attempts = 0;
            record.releases = record.releases.saturating_add(1);
            record.deliveries.clear();
            record.commitments.clear();
            record.forgotten = false;
            let round = record.releases;
            record.decisions.extend(decision.map(|decision| Decision { round, ..decision }));
            let surplus = record.decisions.len().saturating_sub(DECISIONS_MAX);
            record.decisions.drain(..surplus);
        })?;
        kill_point("spool.release.record-synced");
        shared.leave_quarantine_alone(id)?;
        // Beside an original in `received` a link to the old clean copy would
        // count: none may come back.
        shared.sync_outboxes()?;
        shared.move_original(id, State::Quarantine, State::Received)?;
        shared.sync_dir(Dir::Quarantine)?;
        kill_point("spool.release.durable");
        Ok(())
    }

    /// Throws a quarantined instance away for good. The receipt is the caller's,
    /// written before this.
    ///
    /// # Errors
    /// [`SpoolError::NotThere`] when it is not in quarantine.
    pub fn discard(&self, id: SpoolId, actor: &str, reason: &str) -> Result<(), SpoolError> {
        let shared = &*self.0;
        shared.usable()?;
        let _only = shared.lock(id);
        let quarantined = shared.quarantined(id)?;
        let discard = Discard {
            actor: clipped(actor),
            reason: clipped(reason),
            at_unix_ms: shared.clock.unix_ms(),
        };
        shared.amend(id, |record| record.discarded = Some(discard))?;
        kill_point("spool.discard.record-synced");
        shared.leave_quarantine_alone(id)?;
        shared.remove_if_there(&quarantined)?;
        shared.sync_dir(Dir::Quarantine)?;
        kill_point("spool.discard.durable");
        // Last: without its original the record is only litter.
        shared.remove_if_there(&shared.layout.record(id))
    }
}

impl Shared {
    /// Removes every other name of a quarantined instance, also those that a
    /// quarantine left that failed half way.
    fn leave_quarantine_alone(&self, id: SpoolId) -> Result<(), SpoolError> {
        self.sync_dir(Dir::Quarantine)?;
        self.remove_if_there(&self.layout.object(State::Held, id))?;
        self.remove_if_there(&self.layout.object(State::Received, id))?;
        // Both: the clean commit leaves its removal from `received` unsynced.
        self.sync_dir(Dir::Held)?;
        self.sync_dir(Dir::Received)?;
        // Only now: without links `held` would mean "delivered". Not synced: beside
        // an original in quarantine they are litter.
        self.drop_clean(id)
    }

    fn quarantined(&self, id: SpoolId) -> Result<std::path::PathBuf, SpoolError> {
        match self.original(id)? {
            Some(State::Quarantine) => Ok(self.layout.object(State::Quarantine, id)),
            Some(State::Received | State::Held | State::Cleaned) | None => {
                Err(SpoolError::NotThere { id, wanted: "in quarantine" })
            }
        }
    }

    fn note_quarantine(
        &self,
        id: SpoolId,
        state: State,
        mut note: QuarantineNote,
    ) -> Result<(), SpoolError> {
        let amended = self.amend(id, |record| {
            if let Some(known) = record.quarantine.take().and_then(|before| before.leaving) {
                note.leaving.get_or_insert(known);
            }
            note.round = record.releases;
            record.quarantine = Some(note.clone());
        });
        match amended {
            Err(SpoolError::Damaged { .. }) => {
                let rebuilt = self.rebuild(id, state)?;
                note.round = rebuilt.releases;
                self.replace_record(&Record { quarantine: Some(note), ..rebuilt })
            }
            Ok(_) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// A record from what can be trusted: its newest whole entry, else the bytes.
    fn rebuild(&self, id: SpoolId, state: State) -> Result<Record, SpoolError> {
        let file = self.read_bounded(&self.layout.record(id), "record", RECORD_BYTES_MAX);
        if let Some(record) = file.ok().and_then(|file| salvage(id, &file, &self.vault)) {
            return Ok(record);
        }
        // An object that cannot be read is quarantined all the same.
        let mut object = match self.open_object(state, id) {
            Ok(object) => Some(object),
            Err(SpoolError::Damaged { .. }) => None,
            Err(other) => return Err(other),
        };
        let digest = object.as_mut().and_then(|object| object.digest().ok());
        let (sha256, bytes) = digest.unwrap_or_default();
        Ok(Record {
            version: VERSION,
            id,
            received_unix_ms: id.unix_ms(),
            bytes,
            sha256,
            sealed: object.is_some_and(|object| object.is_sealed()),
            arrival: None,
            attempts: 0,
            releases: 0,
            quarantine: None,
            deliveries: std::collections::BTreeMap::new(),
            discarded: None,
            decisions: Vec::new(),
            resent_unix_ms: None,
            commitments: std::collections::BTreeMap::new(),
            forgotten: false,
            meant_for: Vec::new(),
            taken_at: BTreeSet::new(),
        })
    }
}

fn clipped(text: &str) -> String {
    text.chars().take(NOTE_CHARS_MAX).collect()
}
