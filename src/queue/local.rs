//! The one queue there is: sets in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

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
    fresh: BTreeSet<SpoolId>,
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
            self.offer(&Stage::Clean, id);
        }
        for destination in spool.destinations() {
            let ids = spool.list_outbox(&destination)?;
            let stage = Stage::Forward(destination);
            for id in ids {
                self.offer(&stage, id);
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
    fn offer(&self, stage: &Stage, id: SpoolId) -> bool {
        self.with(stage, |lane| {
            let is_new = !lane.taken.contains(&id)
                && !lane.delayed.contains_key(&id)
                && lane.fresh.insert(id);
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
            let id = match (back, lane.fresh.first().copied()) {
                (None, None) => return None,
                (Some((_, id)), None) => id,
                (None, Some(id)) => id,
                (Some((_, back)), Some(fresh)) => {
                    lane.delayed_first = !lane.delayed_first;
                    if lane.delayed_first { back } else { fresh }
                }
            };
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
            [lane.fresh.first(), lane.taken.first(), delayed].into_iter().flatten().min().copied()
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
        self.fresh.remove(&id);
        self.taken.remove(&id);
        if let Some(due) = self.delayed.remove(&id) {
            self.by_due.remove(&(due, id));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::ManualClock;
    use crate::disk::RealDisk;
    use crate::spool::{DestinationName, SpoolLimits, invented_arrival};

    fn id(number: u32) -> SpoolId {
        format!("{number:032x}").parse().unwrap()
    }

    fn queue() -> (LocalQueue, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::default());
        (LocalQueue::new(clock.clone()), clock)
    }

    const CLEAN: Stage = Stage::Clean;

    #[test]
    fn the_oldest_comes_first_and_only_once() {
        let (queue, _) = queue();
        for number in [3, 1, 2] {
            assert!(queue.offer(&CLEAN, id(number)));
        }
        assert_eq!(queue.claim(&CLEAN), Some(id(1)));
        assert!(!queue.offer(&CLEAN, id(1)), "somebody works on it");
        assert!(!queue.offer(&CLEAN, id(2)), "it waits already");
        assert_eq!(queue.claim(&CLEAN), Some(id(2)));
        assert_eq!(queue.oldest(&CLEAN), Some(id(1)));
        queue.done(&CLEAN, id(1));
        assert_eq!(queue.oldest(&CLEAN), Some(id(2)));
        assert_eq!(queue.depth(&CLEAN), Depth { ready: 1, delayed: 0, taken: 1 });
        assert_eq!(queue.claim(&Stage::Forward("pacs".parse().unwrap())), None);
    }

    #[test]
    fn a_delayed_one_waits_its_time_and_stops_nobody() {
        let (queue, clock) = queue();
        queue.offer(&CLEAN, id(1));
        queue.offer(&CLEAN, id(2));
        assert_eq!(queue.claim(&CLEAN), Some(id(1)));
        queue.later(&CLEAN, id(1), Duration::from_secs(30));
        assert!(!queue.offer(&CLEAN, id(1)), "no way around the delay");
        assert_eq!(queue.claim(&CLEAN), Some(id(2)));
        assert_eq!(queue.claim(&CLEAN), None);
        clock.advance(Duration::from_secs(30));
        assert_eq!(queue.claim(&CLEAN), Some(id(1)));
        queue.later(&CLEAN, id(1), Duration::from_secs(600));
        assert_eq!(queue.depth(&CLEAN), Depth { ready: 0, delayed: 1, taken: 1 });
        queue.hasten(&CLEAN);
        assert_eq!(queue.claim(&CLEAN), Some(id(1)));
    }

    #[test]
    fn those_that_keep_failing_and_new_ones_take_turns() {
        let (queue, _) = queue();
        for number in 0..10 {
            queue.offer(&CLEAN, id(number));
        }
        let failing = [(); 5].map(|()| queue.claim(&CLEAN).unwrap());
        failing.iter().for_each(|id| queue.later(&CLEAN, *id, Duration::ZERO));
        let mut fresh = BTreeSet::new();
        for _ in 0..10 {
            let next = queue.claim(&CLEAN).unwrap();
            if next >= id(5) {
                fresh.insert(next);
                queue.done(&CLEAN, next);
            } else {
                queue.later(&CLEAN, next, Duration::ZERO);
            }
        }
        assert!(fresh.len() >= 5, "only {} of 5 new ones came in 10 turns", fresh.len());
    }

    #[test]
    fn it_is_filled_from_the_spool_by_names() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let limits = SpoolLimits { reserve_bytes: 0, ..SpoolLimits::default() };
        let (spool, _) =
            Spool::open(dir.path(), Arc::new(RealDisk), clock.clone(), limits).unwrap();
        let ids = [(); 3].map(|()| spool.begin().unwrap().commit(invented_arrival()).unwrap());
        let pacs: DestinationName = "pacs".parse().unwrap();
        std::fs::write(spool.clean_part(ids[1]).unwrap(), b"clean").unwrap();
        spool.commit_clean(ids[1], b"{}", std::slice::from_ref(&pacs)).unwrap();

        let queue = LocalQueue::new(clock);
        queue.fill(&spool).unwrap();
        assert_eq!(queue.claim(&CLEAN), Some(ids[0]));
        assert_eq!(queue.claim(&CLEAN), Some(ids[2]));
        assert_eq!(queue.claim(&Stage::Forward(pacs)), Some(ids[1]));
        assert_eq!(queue.stages().len(), 2);
    }

    #[tokio::test]
    async fn every_waiter_wakes_when_there_is_something_for_it() {
        let queue = Arc::new(LocalQueue::new(Arc::new(ManualClock::default())));
        let workers: Vec<_> = (0..4)
            .map(|_| {
                let queue = Arc::clone(&queue);
                tokio::spawn(async move {
                    loop {
                        queue.wait(&CLEAN).await;
                        if let Some(id) = queue.claim(&CLEAN) {
                            return id;
                        }
                    }
                })
            })
            .collect();
        tokio::task::yield_now().await;
        for number in 0..4 {
            queue.offer(&CLEAN, id(number));
        }
        let mut served = BTreeSet::new();
        for worker in workers {
            served.insert(worker.await.unwrap());
        }
        assert_eq!(served.len(), 4);
    }

    #[tokio::test]
    async fn a_waiter_wakes_when_a_delay_is_over() {
        let queue = LocalQueue::new(Arc::new(crate::clock::SystemClock::new()));
        queue.offer(&CLEAN, id(1));
        queue.claim(&CLEAN).unwrap();
        queue.later(&CLEAN, id(1), Duration::from_millis(20));
        tokio::time::timeout(Duration::from_secs(5), queue.wait(&CLEAN)).await.unwrap();
        assert_eq!(queue.claim(&CLEAN), Some(id(1)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// Whatever the order of calls: nothing is lost, nothing is given twice.
        #[test]
        fn every_offered_one_is_claimed_until_it_is_done(
            acts in prop::collection::vec((0..5_u8, 0..12_u32), 1..200)
        ) {
            let (queue, clock) = queue();
            let (mut inside, mut taken) = (BTreeSet::new(), BTreeSet::new());
            for (act, number) in acts {
                let id = id(number);
                match act {
                    0 => prop_assert_eq!(queue.offer(&CLEAN, id), inside.insert(id)),
                    1 => if let Some(next) = queue.claim(&CLEAN) {
                        prop_assert!(inside.contains(&next) && taken.insert(next));
                    },
                    2 => { queue.done(&CLEAN, id); inside.remove(&id); taken.remove(&id); }
                    3 => { queue.later(&CLEAN, id, Duration::from_secs(number.into())); taken.remove(&id); }
                    _ => clock.advance(Duration::from_secs(1)),
                }
                let depth = queue.depth(&CLEAN);
                prop_assert_eq!(depth.taken, taken.len());
                prop_assert_eq!(depth.ready + depth.delayed + depth.taken, inside.len());
                prop_assert_eq!(queue.oldest(&CLEAN), inside.first().copied());
            }
            clock.advance(Duration::from_secs(60));
            while let Some(next) = queue.claim(&CLEAN) {
                prop_assert!(taken.insert(next));
            }
            prop_assert_eq!(taken, inside);
        }
    }
}
