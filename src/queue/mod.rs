//! Which instance is next, per stage; stand-in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::spool::{DestinationName, SpoolId};

/// What is to be done with an instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// To be cleaned.
    Clean,
    /// To be forwarded.
    Forward(DestinationName),
}

/// Which instance is next.
pub trait Queue: Send + Sync {
    /// Adds one.
    fn offer(&self, stage: &Stage, id: SpoolId);
    /// It is done with.
    fn done(&self, stage: &Stage, id: SpoolId);
    /// Again after `delay`.
    fn later(&self, stage: &Stage, id: SpoolId, delay: Duration);
    /// Out of all stages.
    fn remove(&self, id: SpoolId);
}

#[derive(Debug, Default)]
struct Lane {
    ready: BTreeSet<SpoolId>,
    delayed: BTreeSet<(Duration, SpoolId)>,
}

/// In memory.
#[derive(Debug)]
pub struct LocalQueue {
    lanes: Mutex<BTreeMap<Stage, Lane>>,
    clock: Arc<dyn Clock>,
    news: Notify,
}

impl LocalQueue {
    /// Empty.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { lanes: Mutex::default(), clock, news: Notify::new() }
    }

    fn claim(&self, stage: &Stage) -> Option<SpoolId> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.get_mut(stage)?;
        let now = self.clock.monotonic();
        while let Some((at, id)) = lane.delayed.first().copied() {
            if at > now {
                break;
            }
            lane.delayed.pop_first();
            lane.ready.insert(id);
        }
        lane.ready.pop_first()
    }

    /// The next one, when there is one.
    pub async fn wait(&self, stage: &Stage) -> SpoolId {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            if let Some(id) = self.claim(stage) {
                return id;
            }
            tokio::select! {
                () = news => {}
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
    }
}

impl Queue for LocalQueue {
    fn offer(&self, stage: &Stage, id: SpoolId) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.entry(stage.clone()).or_default().ready.insert(id);
        self.news.notify_waiters();
    }

    fn done(&self, _stage: &Stage, _id: SpoolId) {}

    fn later(&self, stage: &Stage, id: SpoolId, delay: Duration) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let at = self.clock.monotonic() + delay;
        lanes.entry(stage.clone()).or_default().delayed.insert((at, id));
    }

    fn remove(&self, id: SpoolId) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        for lane in lanes.values_mut() {
            lane.ready.remove(&id);
            lane.delayed.retain(|(_, other)| *other != id);
        }
    }
}
