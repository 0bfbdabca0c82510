//! How a node fares, for the door and for people: what stopped until a restart, and
//! which destination takes nothing at present.
//!
//! In memory alone: a start begins with everything well, and finds out anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing::error;

use super::node::Node;
use crate::clock::{Clock, rfc3339};
use crate::spool::DestinationName;

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

/// What a node knows of its own troubles.
#[derive(Debug, Default)]
pub(super) struct Health {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    troubles: BTreeMap<DestinationName, Trouble>,
    ended: BTreeSet<String>,
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

    fn known(&self) -> MutexGuard<'_, Known> {
        // No step can panic between two changes that belong together.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
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
