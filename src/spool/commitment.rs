//! What destinations said of keeping an instance (PS3.4 Annex J), in its record.

use serde::{Deserialize, Serialize};

use super::record::Record;
use super::{DestinationName, Spool, SpoolError, SpoolId, State};
use crate::kill_point::kill_point;

/// A destination's storage commitment on one instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    /// Times that it reported not to keep what it had taken.
    pub failures: u32,
    /// How the waiting for it ended, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<CommitmentEnd>,
}

/// How the waiting for a commitment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommitmentEnd {
    /// It keeps it.
    Committed,
    /// It never reported.
    GivenUp,
}

impl Record {
    /// Whether this destination has it and has not said yet that it keeps it.
    #[must_use]
    pub fn awaits_commitment(&self, destination: &DestinationName) -> bool {
        let ended = self.commitments.get(destination).is_some_and(|known| known.end.is_some());
        self.deliveries.contains_key(destination) && !ended
    }
}

impl Spool {
    /// Notes how the waiting for a commitment ended. May be repeated.
    ///
    /// # Errors
    /// [`SpoolError::NotThere`] when it is not in `held`.
    pub fn end_commitment(
        &self,
        id: SpoolId,
        destination: &DestinationName,
        end: CommitmentEnd,
    ) -> Result<Record, SpoolError> {
        let shared = &*self.0;
        shared.usable()?;
        let _only = shared.lock(id);
        if shared.original(id)? != Some(State::Held) {
            return Err(SpoolError::NotThere { id, wanted: "held" });
        }
        let record = shared.amend(id, |record| {
            record.commitments.entry(destination.clone()).or_default().end = Some(end);
        })?;
        kill_point("spool.commitment.record-synced");
        Ok(record)
    }

    /// Puts an instance that a destination does not keep into its outbox again.
    ///
    /// # Errors
    /// [`SpoolError::NotThere`] when it is not in `held`.
    pub fn send_uncommitted_again(
        &self,
        id: SpoolId,
        destination: &DestinationName,
    ) -> Result<(), SpoolError> {
        self.link_again(id, std::slice::from_ref(destination), |record| {
            let known = record.commitments.entry(destination.clone()).or_default();
            known.failures = known.failures.saturating_add(1);
        })
    }
}
