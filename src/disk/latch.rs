//! [`FailedSync`]: a writer's own note that a sync failed, to be seen by others too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set once a sync has failed, and never cleared: what was written before may be gone
/// and a second sync may falsely succeed, so only a restart, which reads what stands,
/// goes on. Clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct FailedSync(Arc<AtomicBool>);

impl FailedSync {
    /// From now on nothing more is written.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether nothing more is written.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
