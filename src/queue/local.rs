//! The one queue there is: sets in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::turns::Turns;
use super::{Depth, Queue, Stage, Wait};
use crate::clock::Clock;
use crate::spool::{Spool, SpoolError, SpoolId, State};

/// Longest sleep of a waiter before it looks again. 60 s: a bound for clocks
/// that do not run alike, far above any wait that matters.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// A queue in this process.
#[derive(Debug)]
pub struct LocalQueue {
    clock: Arc<dyn Clock>,
    lanes: Mutex<BTreeMap<Stage, Lane>>,
}

#[derive(Debug, Default)]
struct Lane {
    /// Never tried since they were offered.
    fresh: Turns,
    /// Given back, with the monotonic time of their next try.
    delayed: BTreeMap<SpoolId, Duration>,
    by_due: BTreeSet<(Duration, SpoolId)>,
    taken: BTreeSet<SpoolId>,
    /// The next claim prefers one that comes back.
    delayed_first: bool,
    changed: Arc<Notify>,
}

impl LocalQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, lanes: Mutex::default() }
    }

    /// Offers all that waits in the spool. Reads names only; blocking.
    ///
    /// # Errors
    /// [`SpoolError::Io`]: the node does not start.
    pub fn fill(&self, spool: &Spool) -> Result<(), SpoolError> {
        for id in spool.list(State::Received)? {
            self.offer(&Stage::Clean, id, "");
        }
        for destination in spool.destinations() {
            let ids = spool.list_outbox(&destination)?;
            let stage = Stage::Forward(destination);
            for id in ids {
                self.offer(&stage, id, "");
            }
        }
        Ok(())
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<Stage, Lane>> {
        // No step below can panic between two changes that belong together.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, stage: &Stage, act: impl FnOnce(&mut Lane) -> T) -> T {
        let mut lanes = self.lanes();
        if let Some(lane) = lanes.get_mut(stage) {
            return act(lane);
        }
        act(lanes.entry(stage.clone()).or_default())
    }

    /// None: ready now. Else how long to sleep at most, and what wakes before.
    fn until_ready(&self, stage: &Stage) -> Option<Duration> {
        let now = self.clock.monotonic();
        self.with(stage, |lane| match lane.by_due.first() {
            _ if !lane.fresh.is_empty() => None,
            Some((due, _)) if *due <= now => None,
            Some((due, _)) => Some(due.saturating_sub(now).min(LOOK_AGAIN)),
            None => Some(LOOK_AGAIN),
        })
    }
}

impl Queue for LocalQueue {
    fn offer(&self, stage: &Stage, id: SpoolId, project: &str) -> bool {
        self.with(stage, |lane| {
            let is_new = !lane.taken.contains(&id)
                && !lane.delayed.contains_key(&id)
                && lane.fresh.insert(id, project);
            if is_new {
                lane.changed.notify_waiters();
            }
            is_new
        })
    }

    fn claim(&self, stage: &Stage) -> Option<SpoolId> {
        let now = self.clock.monotonic();
        self.with(stage, |lane| {
            let back = lane.by_due.first().copied().filter(|(due, _)| *due <= now);
            let id = match (back, lane.fresh.next()) {
                (None, None) => return None,
                (Some((_, id)), None) => id,
                (None, Some(id)) => id,
                (Some((_, back)), Some(fresh)) => {
                    lane.delayed_first = !lane.delayed_first;
                    if lane.delayed_first { back } else { fresh }
                }
            };
            if back.is_none_or(|(_, back)| back != id) {
                lane.fresh.pass();
            }
            lane.remove(id);
            lane.taken.insert(id);
            Some(id)
        })
    }

    fn done(&self, stage: &Stage, id: SpoolId) {
        self.with(stage, |lane| lane.remove(id));
    }

    fn later(&self, stage: &Stage, id: SpoolId, delay: Duration) {
        let due = self.clock.monotonic().saturating_add(delay);
        self.with(stage, |lane| {
            if lane.taken.remove(&id) {
                lane.delayed.insert(id, due);
                lane.by_due.insert((due, id));
                lane.changed.notify_waiters();
            }
        });
    }

    fn hasten(&self, stage: &Stage) {
        let now = self.clock.monotonic();
        self.with(stage, |lane| {
            for due in lane.delayed.values_mut() {
                *due = now.min(*due);
            }
            lane.by_due = lane.delayed.iter().map(|(id, due)| (*due, *id)).collect();
            lane.changed.notify_waiters();
        });
    }

    fn depth(&self, stage: &Stage) -> Depth {
        let now = self.clock.monotonic();
        self.with(stage, |lane| {
            let back = lane.by_due.iter().take_while(|(due, _)| *due <= now).count();
            Depth {
                ready: lane.fresh.len() + back,
                delayed: lane.by_due.len() - back,
                taken: lane.taken.len(),
            }
        })
    }

    fn oldest(&self, stage: &Stage) -> Option<SpoolId> {
        self.with(stage, |lane| {
            let delayed = lane.delayed.first_key_value().map(|(id, _)| id);
            let fresh = lane.fresh.oldest();
            [fresh.as_ref(), lane.taken.first(), delayed].into_iter().flatten().min().copied()
        })
    }

    fn stages(&self) -> Vec<Stage> {
        self.lanes().keys().cloned().collect()
    }

    fn wait<'a>(&'a self, stage: &'a Stage) -> Wait<'a> {
        let changed = self.with(stage, |lane| Arc::clone(&lane.changed));
        Box::pin(async move {
            loop {
                let mut woken = std::pin::pin!(changed.notified());
                // Before looking: what is offered in between wakes us.
                woken.as_mut().enable();
                let Some(longest) = self.until_ready(stage) else { return };
                // A timeout is no fault: something may be due now.
                tokio::time::timeout(longest, woken).await.ok();
            }
        })
    }
}

impl Lane {
    fn remove(&mut self, id: SpoolId) {
        self.fresh.remove(id);
        self.taken.remove(&id);
        if let Some(due) = self.delayed.remove(&id) {
            self.by_due.remove(&(due, id));
        }
    }
}
