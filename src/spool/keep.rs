//! Delivered instances that are kept: since when, and out once more.

use super::record::Record;
use super::{DestinationName, Spool, SpoolError, SpoolId, State};
use crate::kill_point::kill_point;

impl Record {
    /// When the last destination got it, milliseconds since 1970; when it was
    /// received where none is known to have it.
    #[must_use]
    pub fn delivered_unix_ms(&self) -> u64 {
        let last = self.deliveries.values().map(|delivery| delivery.at_unix_ms).max();
        last.unwrap_or(self.received_unix_ms)
    }
}

impl Spool {
    /// Puts the clean copy that stands into outboxes again, as its sender sent a
    /// repeat at `at_unix_ms`. May be repeated after an error; until then it waits
    /// for those of [`Spool::awaiting`].
    ///
    /// # Errors
    /// [`SpoolError::NotThere`] when it is not in `held`.
    pub fn send_again(
        &self,
        id: SpoolId,
        destinations: &[DestinationName],
        at_unix_ms: u64,
    ) -> Result<(), SpoolError> {
        self.link_again(id, destinations, |record| record.resent_unix_ms = Some(at_unix_ms))
    }

    pub(super) fn link_again(
        &self,
        id: SpoolId,
        destinations: &[DestinationName],
        note: impl FnOnce(&mut Record),
    ) -> Result<(), SpoolError> {
        let shared = &*self.0;
        shared.usable()?;
        destinations.iter().try_for_each(|name| shared.ensure_destination(name))?;
        let _only = shared.lock(id);
        if shared.original(id)? != Some(State::Held) {
            return Err(SpoolError::NotThere { id, wanted: "held" });
        }
        let cleaned = shared.layout.object(State::Cleaned, id);
        for destination in destinations {
            let link = shared.layout.link(destination, id);
            if !shared.stands(&link)? {
                shared.link(&cleaned, &link)?;
            }
            kill_point("spool.again.linked");
        }
        for destination in destinations {
            shared.sync_path(&shared.layout.outbox(destination))?;
        }
        kill_point("spool.again.links-durable");
        // Behind the links: without them the record would tell of a delivery less,
        // and nothing of one to make.
        shared.amend(id, |record| {
            record.deliveries.retain(|name, _| !destinations.contains(name));
            for name in destinations {
                if let Some(known) = record.commitments.get_mut(name) {
                    known.end = None;
                }
            }
            note(record);
        })?;
        kill_point("spool.again.record-synced");
        Ok(())
    }
}
