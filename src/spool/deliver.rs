//! The end of an instance: one link less per delivery, then nothing.

use super::layout::Dir;
use super::record::Delivery;
use super::store::Shared;
use super::{DestinationName, Spool, SpoolError, SpoolId, State};
use crate::kill_point::kill_point;

impl Spool {
    /// Notes a destination's last word and takes the instance out of its
    /// outbox. Returns whether it was the last destination. May be repeated:
    /// the first word stays.
    ///
    /// # Errors
    /// [`SpoolError::NotThere`] when it is not in `held`, or was never meant for
    /// this destination.
    pub fn delivered(
        &self,
        id: SpoolId,
        destination: &DestinationName,
        delivery: Delivery,
    ) -> Result<bool, SpoolError> {
        let shared = &*self.0;
        shared.usable()?;
        let _only = shared.lock(id);
        let link = shared.layout.link(destination, id);
        if shared.original(id)? != Some(State::Held) {
            return Err(SpoolError::NotThere { id, wanted: "held" });
        }
        let waits = shared.stands(&link)?;
        if !waits && !shared.read_record(id)?.deliveries.contains_key(destination) {
            return Err(SpoolError::NotThere { id, wanted: "in the destination's outbox" });
        }
        shared.amend(id, |record| {
            record.deliveries.entry(destination.clone()).or_insert(delivery);
        })?;
        kill_point("spool.delivered.record-synced");

        shared.remove_if_there(&link)?;
        kill_point("spool.delivered.unlinked");
        // Synced, so that a power cut does not bring the delivery back.
        shared.sync_path(&shared.layout.outbox(destination))?;
        kill_point("spool.delivered.durable");
        Ok(!shared.is_awaited(id)?)
    }

    /// Notes a destination's last word on an instance that was taken back meanwhile to
    /// be cleaned again for another, so that this one does not get it twice; whether it
    /// was. `releases`: of the clean copy that was delivered.
    ///
    /// # Errors
    /// The record cannot be read or written.
    pub fn delivered_meanwhile(
        &self,
        id: SpoolId,
        destination: &DestinationName,
        delivery: Delivery,
        releases: u32,
    ) -> Result<bool, SpoolError> {
        let shared = &*self.0;
        shared.usable()?;
        let _only = shared.lock(id);
        if shared.original(id)? != Some(State::Received)
            || shared.read_record(id)?.releases != releases
        {
            return Ok(false);
        }
        shared.amend(id, |record| {
            record.deliveries.entry(destination.clone()).or_insert(delivery);
        })?;
        Ok(true)
    }

    /// Notes that a destination has something else under the instance's UID.
    ///
    /// # Errors
    /// The record cannot be read or written: the caller tries later.
    pub fn note_taken(&self, id: SpoolId, at: &DestinationName) -> Result<(), SpoolError> {
        self.0.usable()?;
        let _only = self.0.lock(id);
        self.0.amend(id, |record| {
            record.taken_at.insert(at.clone());
        })?;
        Ok(())
    }

    /// Destinations that still wait for the instance.
    ///
    /// # Errors
    /// [`SpoolError::Io`]: the caller tries later.
    pub fn awaiting(&self, id: SpoolId) -> Result<Vec<DestinationName>, SpoolError> {
        let _only = self.0.lock(id);
        self.0.awaiting(id)
    }

    /// Removes all of the instances that every destination has. One call for
    /// many costs three syncs. May be repeated.
    ///
    /// # Errors
    /// The first that could not go, as [`SpoolError::NotThere`] when it is not in `held` or
    /// still in an outbox; the others are gone.
    pub fn forget(&self, ids: &[SpoolId]) -> Result<(), SpoolError> {
        let shared = &*self.0;
        shared.usable()?;
        // The clean commit left the removal of this name unsynced, and a release
        // may have failed late: no other original may come back when the one in
        // `held` is gone, and be cleaned again.
        shared.sync_dir(Dir::Received)?;
        shared.sync_dir(Dir::Quarantine)?;
        // One that cannot go keeps no other, and what of the others is left goes too.
        let (mut removed, mut first_fault) = (Vec::new(), Ok(()));
        for id in ids {
            match shared.remove_held(*id) {
                Ok(()) => removed.push(*id),
                Err(fault) => first_fault = first_fault.and(Err(fault)),
            }
        }
        kill_point("spool.forget.removed");
        shared.sync_dir(Dir::Held)?;
        kill_point("spool.forget.durable");
        for id in removed {
            let _only = shared.lock(id);
            shared.drop_clean(id)?;
            shared.remove_if_there(&shared.layout.record(id))?;
        }
        kill_point("spool.forget.done");
        first_fault
    }
}

impl Shared {
    fn remove_held(&self, id: SpoolId) -> Result<(), SpoolError> {
        let _only = self.lock(id);
        match self.original(id)? {
            // Forgotten before, perhaps not to the end.
            None => Ok(()),
            Some(State::Held) if !self.is_awaited(id)? => {
                match self.read_record(id) {
                    // Else its record would look like that of an original that somebody removed.
                    Ok(record) if record.deliveries.is_empty() => {
                        self.amend(id, |record| record.forgotten = true)?;
                    }
                    // It may be read by the next start.
                    Err(unread @ (SpoolError::Io { .. } | SpoolError::Locked { .. })) => {
                        return Err(unread);
                    }
                    Ok(_) | Err(_) => {}
                }
                self.remove_if_there(&self.layout.object(State::Held, id))
            }
            Some(State::Held) => {
                Err(SpoolError::NotThere { id, wanted: "delivered to every destination" })
            }
            Some(State::Received | State::Cleaned | State::Quarantine) => {
                Err(SpoolError::NotThere { id, wanted: "held" })
            }
        }
    }

    fn is_awaited(&self, id: SpoolId) -> Result<bool, SpoolError> {
        Ok(!self.awaiting(id)?.is_empty())
    }

    fn awaiting(&self, id: SpoolId) -> Result<Vec<DestinationName>, SpoolError> {
        let mut awaiting = Vec::new();
        for destination in self.destinations() {
            if self.stands(&self.layout.link(&destination, id))? {
                awaiting.push(destination);
            }
        }
        Ok(awaiting)
    }
}
