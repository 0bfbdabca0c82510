//! How a node fares, for the door and for people: what stopped until a restart, which
//! destination takes nothing at present, what is put off again and again, what the start
//! found.
//!
//! In memory alone, but for what starts found: a start begins with everything well, and
//! finds out anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing::error;

use super::node::{Node, NodeError};
use crate::clock::{Clock, rfc3339};
use crate::queue::Stage;
use crate::spool::{DestinationName, SpoolError, SpoolId, State};
use crate::vault::VaultError;

/// Most instances of a step of which is remembered that they were put off. Default 1,000: enough to
/// see that it is not one alone.
const PUT_OFF_MAX: usize = 1_000;
/// For how long the last fault of a task is told. Default 10 min: each tries again within
/// a minute.
const TASK_FAULT_TOLD: Duration = Duration::from_secs(10 * 60);

/// A destination that takes nothing at present.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TroubleView {
    /// It refuses us: somebody has to change its configuration or ours. Else it is away,
    /// full or busy, and comes back by itself.
    pub refuses: bool,
    /// Since when, RFC 3339.
    pub since: String,
    /// The same, in seconds.
    pub for_seconds: u64,
    /// Failures in a row.
    pub failures: u32,
    /// What it did last, in plain words.
    pub said: String,
    /// Until it is tried again.
    pub next_try_seconds: u64,
}

/// What a fault of the node's own keeps from going on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutOffView {
    /// What is tried again: cleaning, sending to a destination, a task.
    pub step: String,
    /// What went wrong last, in plain words.
    pub what: String,
    /// How many instances; at most 1,000 of a step are counted. 0: all that wait for it.
    pub instances: usize,
    /// Since when the first of them, in seconds.
    pub for_seconds: u64,
    /// Most tries of one of them.
    pub tries: u32,
}

impl PutOffView {
    /// As in "cleaning (3 instances)".
    #[must_use]
    pub fn of_what(&self) -> String {
        match self.instances {
            0 => self.step.clone(),
            1 => format!("{} (1 instance)", self.step),
            instances => format!("{} ({instances} instances)", self.step),
        }
    }
}

/// What a node knows of its own troubles.
#[derive(Debug, Default)]
pub(super) struct Health {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    troubles: BTreeMap<DestinationName, Trouble>,
    ended: BTreeSet<String>,
    /// By step, and by instance where it is one instance's.
    put_off: BTreeMap<String, BTreeMap<Option<SpoolId>, PutOff>>,
    found: Vec<String>,
}

/// The time is that of the clock that never goes back.
#[derive(Debug)]
struct PutOff {
    since: Duration,
    last: Duration,
    tries: u32,
    what: String,
}

/// Times are those of the clock that never goes back, but for `since_unix_ms`.
#[derive(Debug)]
struct Trouble {
    since: Duration,
    since_unix_ms: u64,
    next_try: Duration,
    failure: Failure,
    /// It talks to us again, and nothing was sent since.
    answers: bool,
}

/// A failure of a destination.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) refuses: bool,
    /// In a row, this one counted.
    pub(super) failures: u32,
    pub(super) said: String,
    /// How long it is left alone.
    pub(super) wait: Duration,
}

impl Health {
    /// A destination failed.
    pub(super) fn failed(&self, name: &DestinationName, failure: Failure, clock: &dyn Clock) {
        let now = clock.monotonic();
        let next_try = now.saturating_add(failure.wait);
        let mut known = self.known();
        match known.troubles.get_mut(name) {
            Some(trouble) => {
                (trouble.next_try, trouble.failure, trouble.answers) = (next_try, failure, false);
            }
            None => {
                let since_unix_ms = clock.unix_ms();
                let answers = false;
                let trouble = Trouble { since: now, since_unix_ms, next_try, failure, answers };
                known.troubles.insert(name.clone(), trouble);
            }
        }
    }

    /// A destination answered C-ECHO: until an instance fails again nobody is told.
    pub(super) fn answers(&self, name: &DestinationName) {
        if let Some(trouble) = self.known().troubles.get_mut(name) {
            trouble.answers = true;
        }
    }

    /// A destination takes instances again.
    pub(super) fn recovered(&self, name: &DestinationName) {
        self.known().troubles.remove(name);
    }

    /// Destinations that take nothing at present.
    pub(super) fn troubles(&self, now: Duration) -> BTreeMap<String, TroubleView> {
        let known = self.known();
        let view = |trouble: &Trouble| TroubleView {
            refuses: trouble.failure.refuses,
            since: rfc3339(trouble.since_unix_ms),
            for_seconds: now.saturating_sub(trouble.since).as_secs(),
            failures: trouble.failure.failures,
            said: trouble.failure.said.clone(),
            next_try_seconds: trouble.next_try.saturating_sub(now).as_secs(),
        };
        let troubles = known.troubles.iter().filter(|(_, trouble)| !trouble.answers);
        troubles.map(|(name, trouble)| (name.as_str().to_owned(), view(trouble))).collect()
    }

    /// A fault of the node's own keeps an instance, or all of them, from a step; it is
    /// tried again.
    fn put_off(&self, step: &str, id: Option<SpoolId>, what: String, now: Duration) {
        let mut known = self.known();
        let put_off = known.put_off.entry(step.to_owned()).or_default();
        let lasting = put_off.get_mut(&id).filter(|before| !is_over(id, before, now));
        if let Some(lasting) = lasting {
            lasting.tries = lasting.tries.saturating_add(1);
            (lasting.last, lasting.what) = (now, what);
        } else if put_off.len() < PUT_OFF_MAX || put_off.contains_key(&id) {
            put_off.insert(id, PutOff { since: now, last: now, tries: 1, what });
        }
    }

    /// The step was made, or waits for something else.
    fn goes_on(&self, step: impl FnOnce() -> String, id: Option<SpoolId>) {
        let mut known = self.known();
        // Nearly always: nothing is made for it.
        if known.put_off.is_empty() {
            return;
        }
        let step = step();
        if let Some(put_off) = known.put_off.get_mut(&step) {
            put_off.remove(&id);
            if put_off.is_empty() {
                known.put_off.remove(&step);
            }
        }
    }

    /// Instances that are put off.
    fn ids_put_off(&self) -> BTreeSet<SpoolId> {
        self.known().put_off.values().flat_map(BTreeMap::keys).copied().flatten().collect()
    }

    /// An instance waits for nothing any more.
    fn forget(&self, id: SpoolId) {
        let mut known = self.known();
        known.put_off.retain(|_, put_off| {
            put_off.remove(&Some(id));
            !put_off.is_empty()
        });
    }

    /// What is put off, by step and cause.
    fn put_offs(&self, now: Duration) -> Vec<PutOffView> {
        let mut views = Vec::new();
        for (step, put_off) in &self.known().put_off {
            let mut of_step: BTreeMap<&str, PutOffView> = BTreeMap::new();
            let lasting = put_off.iter().filter(|(id, put_off)| !is_over(**id, put_off, now));
            for (id, PutOff { since, tries, what, .. }) in lasting {
                let view = of_step.entry(what).or_default();
                view.instances = view.instances.saturating_add(usize::from(id.is_some()));
                view.for_seconds = view.for_seconds.max(now.saturating_sub(*since).as_secs());
                view.tries = view.tries.max(*tries);
            }
            let of_step = of_step.into_iter();
            views.extend(of_step.map(|(what, view)| {
                let (step, what) = (step.clone(), what.to_owned());
                PutOffView { step, what, ..view }
            }));
        }
        views
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // No step can panic between two changes that belong together.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a task has long gone on: not each of them says so.
fn is_over(id: Option<SpoolId>, put_off: &PutOff, now: Duration) -> bool {
    id.is_none() && now.saturating_sub(put_off.last) > TASK_FAULT_TOLD
}

/// The same cause in the same words, whichever instance it is and how much is free.
fn cause_of(error: &NodeError, id: SpoolId) -> String {
    if matches!(error, NodeError::Spool(SpoolError::Full { .. })) {
        return "no space is left".to_owned();
    }
    error.to_string().replace(&id.to_string(), "it")
}

fn step_of(stage: &Stage) -> String {
    match stage {
        Stage::Clean => "cleaning".to_owned(),
        Stage::Forward(name) => format!("sending to {}", name.as_str()),
    }
}

/// Runs a task whose end by a fault of the program people are told.
pub async fn told(
    node: Arc<Node>,
    what: &'static str,
    task: impl Future<Output = ()> + Send + 'static,
) {
    if tokio::spawn(task).await.is_err_and(|error| error.is_panic()) {
        node.task_ended(what);
    }
}

impl Node {
    /// A task ended by a fault of the program. What the fault says is told nowhere: it may
    /// quote a value.
    pub(super) fn task_ended(&self, what: &str) {
        error!(what, "ended by a fault of the program");
        self.health.known().ended.insert(what.to_owned());
    }

    /// A fault keeps an instance from a step. Where it is a missing key, that is told for
    /// all of them together.
    pub(super) fn put_off(&self, stage: &Stage, id: SpoolId, error: &NodeError) {
        let is_told = matches!(
            error,
            NodeError::Stopping
                | NodeError::Spool(SpoolError::Locked {
                    source: VaultError::UnknownKey { .. },
                    ..
                })
        );
        if !is_told {
            let what = cause_of(error, id);
            self.health.put_off(&step_of(stage), Some(id), what, self.clock.monotonic());
        }
    }

    /// A fault keeps a task of the node from going on.
    pub(super) fn task_put_off(&self, task: &str, error: &NodeError) {
        if !matches!(error, NodeError::Stopping) {
            self.health.put_off(task, None, error.to_string(), self.clock.monotonic());
        }
    }

    /// An instance made a step, or waits for something else.
    pub(super) fn goes_on(&self, stage: &Stage, id: SpoolId) {
        self.health.goes_on(|| step_of(stage), Some(id));
    }

    /// A task goes on.
    pub(super) fn task_goes_on(&self, task: &str) {
        self.health.goes_on(|| task.to_owned(), None);
    }

    /// What is put off, by step and cause; what ended by another way is not.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub(super) async fn put_offs(&self) -> Result<Vec<PutOffView>, NodeError> {
        let ids = self.health.ids_put_off();
        if !ids.is_empty() {
            let ended = self.on_spool(move |spool| {
                let mut ended = Vec::new();
                for id in ids {
                    let has_ended = match spool.state(id)? {
                        Some(State::Received) => false,
                        Some(State::Held) => spool.awaiting(id)?.is_empty(),
                        Some(State::Quarantine | State::Cleaned) => true,
                        // Else somebody took its original away, and that is its fault.
                        None => spool.record(id).map_or(true, |record| record.has_ended()),
                    };
                    if has_ended {
                        ended.push(id);
                    }
                }
                Ok(ended)
            });
            ended.await?.into_iter().for_each(|id| self.health.forget(id));
        }
        Ok(self.health.put_offs(self.clock.monotonic()))
    }

    /// What starts found in the spool, in plain words, for who asks how the node fares.
    pub fn found_at_start(&self, found: Vec<String>) {
        self.health.known().found = found;
    }

    /// What starts found in the spool.
    pub(super) fn found(&self) -> Vec<String> {
        self.health.known().found.clone()
    }

    /// Whether what is taken can be brought to its end. What was taken while it was not
    /// is kept, but waits for a restart.
    #[must_use]
    pub fn is_taking(&self) -> bool {
        self.failed_parts().is_empty()
    }

    /// What stopped until somebody restarts the node, in plain words.
    #[must_use]
    pub fn stopped(&self) -> Vec<String> {
        let parts = self.failed_parts().into_iter().map(|what| {
            format!(
                "STOPPED: {what}. The node's log says why, most often that the disk failed: look \
                 at it, then restart the node"
            )
        });
        let ended = self.health.known().ended.clone();
        let tasks = ended.into_iter().map(|what| {
            format!("{what} ended by a fault of the program: restart the node and report it")
        });
        parts.chain(tasks).collect()
    }

    /// Each stops for good at the first sync that failed, since a second one may falsely
    /// succeed; and after a fault of the program that left it in doubt.
    fn failed_parts(&self) -> Vec<&'static str> {
        [
            (self.spool.has_failed(), "the spool: nothing is taken, cleaned or sent"),
            (
                self.ledger.has_failed(),
                "the ledger of receipts: nothing is taken, and nothing can be noted as delivered \
                 or set aside",
            ),
            (
                self.table.has_failed(),
                "the journal of pseudonyms: nothing is taken, and no new person can be cleaned",
            ),
            (
                self.book.has_failed(),
                "the journal of corrections: nothing is taken, and no new study can be cleaned",
            ),
        ]
        .into_iter()
        .filter_map(|(failed, what)| failed.then_some(what))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn failure(said: &str) -> Failure {
        Failure { refuses: false, failures: 1, said: said.into(), wait: Duration::from_secs(30) }
    }

    #[test]
    fn what_is_put_off_is_told_by_step_and_cause_until_it_goes_on() {
        let health = Health::default();
        let (clean, send) = ("cleaning", "sending to pacs");
        let id = |number: u32| Some(format!("{number:032x}").parse().unwrap());
        let put_off = |step: &str, id, what: &str, seconds| {
            health.put_off(step, id, what.to_owned(), Duration::from_secs(seconds));
        };
        put_off(clean, id(1), "no worker", 10);
        put_off(clean, id(2), "no worker", 20);
        put_off(send, id(3), "a file", 25);
        let told = |now| {
            let views = health.put_offs(Duration::from_secs(now)).into_iter();
            let told = |view: PutOffView| {
                (view.step, view.what, view.instances, view.for_seconds, view.tries)
            };
            views.map(told).collect::<Vec<_>>()
        };
        let sending =
            |instances, seconds| (send.to_owned(), String::from("a file"), instances, seconds, 1);
        let cleaning = (clean.to_owned(), String::from("no worker"), 2, 20, 1);
        assert_eq!(told(30), [cleaning, sending(1, 5)]);
        put_off(clean, id(1), "other", 40);
        health.goes_on(|| clean.into(), id(2));
        health.goes_on(|| clean.into(), id(3));
        let cleaning = (clean.to_owned(), String::from("other"), 1, 40, 2);
        assert_eq!(told(50), [cleaning, sending(1, 25)]);
        assert_eq!(health.ids_put_off().len(), 2);
        health.forget(id(1).unwrap());
        (10..3_000).for_each(|n| put_off(send, id(n), "a file", 50));
        put_off(clean, None, "no list", 50);
        put_off(clean, None, "no list", 90);
        let list = |seconds, tries| (clean.to_owned(), String::from("no list"), 0, seconds, tries);
        assert_eq!(told(650), [list(600, 2), sending(PUT_OFF_MAX, 625)]);
        // Nobody says that a task goes on; an instance's fault is told until it does.
        assert_eq!(told(691), [sending(PUT_OFF_MAX, 666)]);
        put_off(clean, None, "no list", 700);
        assert_eq!(told(700)[0], list(0, 1));
    }

    #[test]
    fn a_destination_is_in_trouble_from_its_first_failure_to_its_next_success() {
        let (health, clock) = (Health::default(), ManualClock::default());
        let name: DestinationName = "pacs".parse().unwrap();
        health.failed(&name, failure("no connection"), &clock);
        let first = health.troubles(clock.monotonic());
        clock.advance(Duration::from_secs(100));
        health.failed(
            &name,
            Failure { refuses: true, failures: 2, ..failure("status 0124") },
            &clock,
        );
        let view = health.troubles(clock.monotonic()).remove("pacs").unwrap();
        assert_eq!(view.since, first["pacs"].since);
        let told = (view.for_seconds, view.failures, view.refuses, view.said.as_str());
        assert_eq!(told, (100, 2, true, "status 0124"));
        assert_eq!(view.next_try_seconds, 30);
        clock.advance(Duration::from_secs(31));
        assert_eq!(health.troubles(clock.monotonic())["pacs"].next_try_seconds, 0);
        health.answers(&name);
        assert!(health.troubles(clock.monotonic()).is_empty());
        health.failed(&name, failure("no connection"), &clock);
        assert_eq!(health.troubles(clock.monotonic())["pacs"].for_seconds, 131);
        health.recovered(&name);
        assert!(health.troubles(clock.monotonic()).is_empty());
    }
}
