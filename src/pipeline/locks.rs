//! One step at a time on one instance, across the pipeline and the people who
//! decide on it: a receipt and the step that it tells of belong together.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::spool::SpoolId;

/// Which instances somebody works on.
#[derive(Debug, Default)]
pub(super) struct Locks {
    held: Mutex<BTreeSet<SpoolId>>,
    freed: Notify,
}

/// Held by one step; the next one goes on when it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    locks: Arc<Locks>,
    id: SpoolId,
}

impl Locks {
    /// Waits until nobody else works on the instance.
    pub(super) async fn hold(self: &Arc<Self>, id: SpoolId) -> Held {
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            // Before looking: what is dropped in between wakes us.
            freed.as_mut().enable();
            if self.set().insert(id) {
                return Held { locks: Arc::clone(self), id };
            }
            freed.await;
        }
    }

    /// The instance, unless somebody works on it.
    pub(super) fn try_hold(self: &Arc<Self>, id: SpoolId) -> Option<Held> {
        self.set().insert(id).then(|| Held { locks: Arc::clone(self), id })
    }

    /// Waits for all of them. In the order of their ids, so that two who want
    /// several never wait for each other.
    pub(super) async fn hold_all(self: &Arc<Self>, ids: &[SpoolId]) -> Vec<Held> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let mut held = Vec::with_capacity(ids.len());
        for id in ids {
            held.push(self.hold(id).await);
        }
        held
    }

    fn set(&self) -> MutexGuard<'_, BTreeSet<SpoolId>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.locks.set().remove(&self.id);
        self.locks.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn the_second_waits_for_the_first_and_others_do_not() {
        let locks = Arc::new(Locks::default());
        let id = |digit: &str| digit.repeat(32).parse::<SpoolId>().unwrap();
        let first = locks.hold(id("1")).await;
        let _other = locks.hold(id("2")).await;
        let waiting = tokio::time::timeout(Duration::from_millis(50), locks.hold(id("1")));
        assert!(waiting.await.is_err());
        let second = tokio::spawn({
            let locks = Arc::clone(&locks);
            async move { locks.hold(id("1")).await }
        });
        tokio::task::yield_now().await;
        drop(first);
        tokio::time::timeout(Duration::from_secs(5), second).await.unwrap().unwrap();
    }
}
