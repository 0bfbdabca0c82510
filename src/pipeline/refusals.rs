//! What single destinations refused for good while others still wait for it.
//!
//! An instance is in one state for all destinations: quarantine takes it from
//! every outbox. So what one refuses goes there only when no other is still to
//! get it. In memory alone: after a restart it is offered and refused again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::reason::Quarantine;
use crate::spool::{DestinationName, SpoolId};

/// Refusals of instances that stand in some outbox.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    known: Mutex<BTreeMap<SpoolId, BTreeMap<DestinationName, Refusal>>>,
}

/// A destination's last word on an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Reason and status.
    pub(super) why: Quarantine,
    /// How often was looked whether others have it by now.
    pub(super) looks: u32,
}

impl Refusals {
    /// Remembers that a destination refused an instance.
    pub(super) fn note(&self, id: SpoolId, by: &DestinationName, why: Quarantine) {
        self.known().entry(id).or_default().insert(by.clone(), Refusal { why, looks: 0 });
    }

    /// What this destination said of the instance; counts the look.
    pub(super) fn look(&self, id: SpoolId, by: &DestinationName) -> Option<Refusal> {
        let mut known = self.known();
        let refusal = known.get_mut(&id)?.get_mut(by)?;
        refusal.looks = refusal.looks.saturating_add(1);
        Some(refusal.clone())
    }

    /// Whether this destination refused the instance.
    pub(super) fn has(&self, id: SpoolId, by: &DestinationName) -> bool {
        self.known().get(&id).is_some_and(|refusals| refusals.contains_key(by))
    }

    /// How many instances each destination refused.
    pub(super) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for by in self.known().values().flat_map(BTreeMap::keys) {
            let count: &mut usize = counts.entry(by.as_str().to_owned()).or_default();
            *count = count.saturating_add(1);
        }
        counts
    }

    /// The instance is set aside: a later release is a new beginning.
    pub(super) fn forget(&self, id: SpoolId) {
        self.known().remove(&id);
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<SpoolId, BTreeMap<DestinationName, Refusal>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
