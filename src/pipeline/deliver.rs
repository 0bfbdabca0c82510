//! The forwarding stage of the node: clean copies in, receipts out, one task
//! per destination, so that one that is down keeps nobody else waiting.
//!
//! The task gives instances to lanes ([`super::lanes`]), up to so many at once as the
//! configuration allows, and is the only one that acts on what became of them: backoff,
//! failures and tries are the destination's, whichever lane met them. After a failure of
//! the destination nothing is begun until its wait is over, and then one instance alone
//! until one is delivered.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::health::Failure;
use super::lanes::Lanes;
use super::node::{Node, NodeError};
use super::sending::{Sent, To, note_delivered};
use super::sent::Last;
use super::target::Target;
use crate::clean::{Cleaned, Report};
use crate::forward::Kind;
use crate::forward::backoff::{Backoff, Waits};
use crate::forward::outcome::{Answer, Outcome, outcome};
use crate::forward::send::{KINDS_MAX, kind_of};
use crate::lifecycle::Stopping;
use crate::queue::{Queue as _, Stage};
use crate::reason::{Quarantine, Reason};
use crate::spool::{DestinationName, Record, SpoolId};

/// Wait after a fault of the node's own disk. Default 15 s: a full disk is not
/// mended quicker.
pub(super) const WAIT_AFTER_FAULT: Duration = Duration::from_secs(15);
/// Instances that may fail one after the other, by an abort or a failure to process,
/// before the destination is left alone. Default 5.
pub const ITEM_FAILURES_MAX: usize = 5;
/// Delivered instances of one destination whose receipts are being synced.
/// Default 64: one group of receipts; more would grow memory, not speed.
const FINISHING_MAX: usize = 64;

/// Why a correction is set aside that was answered 0111.
const NOT_REPLACED: &str =
    "status 0111: it keeps what was sent there before; remove that there, then release this";
/// The same of what it has from elsewhere, or since long ago.
const NOT_OURS: &str = "status 0111: it has an instance of this UID, and nothing tells that it is \
                        this one; remove that there, then release this";

/// Wait of an instance of which an earlier copy is still being sent. Default 1 s: that
/// ends by itself.
const WAIT_FOR_ITSELF: Duration = Duration::from_secs(1);

/// A target and its name in the configuration.
#[derive(Debug)]
pub struct Destination {
    /// Its name.
    pub name: DestinationName,
    /// Where it is.
    pub target: Target,
    /// Most associations with it at once; a folder is written to by one lane.
    pub associations: usize,
    /// How long it is left alone after failures.
    pub waits: Waits,
}

/// What one destination's task remembers; all of it can be forgotten.
struct Line {
    to: Arc<To>,
    lanes: Lanes,
    jobs: JoinSet<Ended>,
    backoff: Backoff,
    /// Goes on with each failure of the destination and each end of its failures: what
    /// began under an earlier one says nothing of it as it is now.
    turn: u64,
    /// Nothing is begun before.
    rests_until: Option<Instant>,
    /// After failures: whether somebody finds out if it is back, and whether it has
    /// answered C-ECHO since.
    is_probed: bool,
    has_answered: bool,
    /// Instances that failed since the last one was delivered, in a way that says
    /// nothing of the destination.
    failing: BTreeSet<SpoolId>,
    /// Tries of instances that were put off.
    tries: BTreeMap<SpoolId, u32>,
    /// All that stood before may have been sent by an earlier process.
    begun_at: SpoolId,
    /// Instances whose sending broke off: they may stand there.
    maybe_there: BTreeSet<SpoolId>,
    /// Instances on their way.
    sending: BTreeSet<SpoolId>,
    /// Kinds of objects sent lately, so that one association serves them all.
    kinds: VecDeque<Kind>,
    finishing: Arc<Semaphore>,
    /// What the destination did last, in plain words.
    said: String,
    stopping: Stopping,
}

/// An instance as it was begun.
#[derive(Debug, Clone, Copy)]
struct Begun {
    id: SpoolId,
    /// This one counted.
    tries: u32,
    turn: u64,
    probes: bool,
}

/// A lane that is free again.
struct Ended {
    target: Target,
    what: What,
}

enum What {
    Closed,
    /// C-ECHO: none where it was answered.
    Asked(Option<Answer>),
    /// Sent, or dealt with before.
    Tried(Begun, Result<Option<Sent>, NodeError>),
}

/// Sends to one destination until the node stops.
pub(super) async fn deliver_loop(
    node: Arc<Node>,
    destination: Destination,
    mut stopping: Stopping,
) {
    let mut line = Line::new(node, destination, stopping.clone());
    // Else a correction could overtake what waited before the start.
    tokio::select! {
        biased;
        () = stopping.wait() => {}
        () = line.to.node.versions_known() => {}
    }
    while line.step(&mut stopping).await {}
    line.end().await;
}

impl Line {
    fn new(node: Arc<Node>, destination: Destination, stopping: Stopping) -> Self {
        let Destination { name, target, associations, waits } = destination;
        let begun_at = node.spool.id_of_now();
        Self {
            to: Arc::new(To { node, stage: Stage::Forward(name.clone()), name, waits }),
            lanes: Lanes::new(target, associations),
            jobs: JoinSet::new(),
            backoff: Backoff::new(waits),
            turn: 0,
            rests_until: None,
            is_probed: false,
            has_answered: false,
            failing: BTreeSet::new(),
            tries: BTreeMap::new(),
            begun_at,
            maybe_there: BTreeSet::new(),
            sending: BTreeSet::new(),
            kinds: VecDeque::new(),
            finishing: Arc::new(Semaphore::new(FINISHING_MAX)),
            said: String::new(),
            stopping,
        }
    }

    /// One thing that happens; false when the node stops.
    async fn step(&mut self, stopping: &mut Stopping) -> bool {
        let may_begin = self.may_begin();
        let next = self.lanes.next().into_iter().chain(self.rests_until).min();
        let alarm = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stopping.wait() => return false,
            Some(ended) = self.jobs.join_next() => self.ended(unpanicked(ended)).await,
            () = self.to.node.queue.wait(&self.to.stage), if may_begin => self.begin(),
            () = alarm => self.woken(),
        }
        true
    }

    /// What was begun ends, and what was delivered gets its receipt, before the node ends.
    async fn end(mut self) {
        let open = self.lanes.take_all_open();
        self.close(open);
        while let Some(ended) = self.jobs.join_next().await {
            self.ended(unpanicked(ended)).await;
            let open = self.lanes.take_all_open();
            self.close(open);
        }
        drop(self.finishing.acquire_many(FINISHING_MAX as u32).await);
    }

    fn may_begin(&self) -> bool {
        let alone = self.backoff.failures() > 0 && self.is_probed;
        self.rests_until.is_none() && !alone && self.lanes.has_one()
    }

    /// The next instance, or C-ECHO: after several failures in a row, or a refusal, it
    /// asks before an instance is risked.
    fn begin(&mut self) {
        let probes = self.backoff.failures() > 0;
        if self.backoff.is_open() && !self.has_answered {
            let Some(target) = self.lanes.take() else { return };
            self.is_probed = true;
            self.jobs.spawn(async move {
                let what = What::Asked(target.silence().await);
                Ended { target, what }
            });
            return;
        }
        let Some(id) = self.to.node.queue.claim(&self.to.stage) else { return };
        if self.sending.contains(&id) {
            self.later(id, WAIT_FOR_ITSELF);
            return;
        }
        let Some(mut target) = self.lanes.take() else {
            self.later(id, Duration::ZERO);
            return;
        };
        self.sending.insert(id);
        (self.is_probed, self.has_answered) = (probes, false);
        let tries = self.tries.get(&id).copied().unwrap_or(0) + 1;
        let begun = Begun { id, tries, turn: self.turn, probes };
        let (to, kinds) = (Arc::clone(&self.to), Vec::from(self.kinds.clone()));
        self.jobs.spawn(async move {
            let result = to.send(&mut target, id, (&kinds, tries)).await;
            Ended { target, what: What::Tried(begun, result) }
        });
    }

    async fn ended(&mut self, ended: Ended) {
        let Ended { target, what } = ended;
        match what {
            What::Closed => {}
            What::Asked(None) => {
                (self.is_probed, self.has_answered) = (false, true);
                self.to.node.health.answers(&self.to.name);
                let destination = self.to.name.as_str();
                info!(destination, "destination answers; one instance is tried");
            }
            What::Asked(Some(answer)) => {
                self.is_probed = false;
                self.said = answer.to_string();
                let name = self.to.name.clone();
                self.left_alone(&outcome(&answer, 1), name.as_str());
            }
            What::Tried(begun, result) => {
                self.sending.remove(&begun.id);
                if begun.probes {
                    self.is_probed = false;
                }
                self.said = target.said();
                let acted = match result {
                    Ok(Some(sent)) => self.act_on(begun, sent).await,
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                };
                let (id, To { node, stage, name, .. }) = (begun.id, &*self.to);
                match acted {
                    Ok(()) => node.goes_on(stage, id),
                    Err(error) => {
                        let destination = name.as_str();
                        warn!(spool_id = %id, destination, %error, "forwarding put off");
                        node.put_off(stage, id, &error);
                        self.later(id, WAIT_AFTER_FAULT);
                    }
                }
            }
        }
        self.lanes.give_back(target);
        if self.rests_until.is_some() {
            let open = self.lanes.take_all_open();
            self.close(open);
        }
    }

    /// A wait is over: the destination's, or that of an idle association.
    fn woken(&mut self) {
        self.rests_until = self.rests_until.filter(|until| *until > Instant::now());
        let idle = self.lanes.tick();
        self.close(idle);
    }

    fn close(&mut self, targets: Vec<Target>) {
        for mut target in targets {
            self.jobs.spawn(async move {
                target.close().await;
                Ended { target, what: What::Closed }
            });
        }
    }

    fn later(&self, id: SpoolId, wait: Duration) {
        self.to.node.queue.later(&self.to.stage, id, wait);
    }

    async fn act_on(&mut self, begun: Begun, sent: Sent) -> Result<(), NodeError> {
        let Begun { id, tries, .. } = begun;
        let Sent { outcome, cleaned, record, may_be_there } = sent;
        let releases = record.releases;
        self.remember(&cleaned);
        if may_be_there {
            self.maybe_there.insert(id);
        }
        match outcome {
            Outcome::Delivered => self.delivered(begun, cleaned, 0, releases).await,
            Outcome::DeliveredWithWarning(status) => {
                warn!(spool_id = %id, destination = self.to.name.as_str(), status, "stored with a warning");
                self.delivered(begun, cleaned, status, releases).await;
            }
            Outcome::AlreadyThere(status) => {
                self.already_there(begun, cleaned, &record, status).await?;
            }
            Outcome::RetryItem if self.failing.len() >= ITEM_FAILURES_MAX => {
                // By now it is not the instances' fault.
                self.tries.insert(id, tries);
                self.put_off_all(begun, &Outcome::RetryDestination);
            }
            Outcome::RetryItem => {
                self.failing.insert(id);
                self.tries.insert(id, tries);
                self.later(id, self.to.waits.after(tries, &id.to_string()));
            }
            Outcome::RetryDestination | Outcome::PauseDestination => {
                self.put_off_all(begun, &outcome);
            }
            Outcome::FewerAssociations => {
                info!(
                    destination = self.to.name.as_str(),
                    "takes no further association: those that are open go on"
                );
                self.lanes.shrink(self.to.waits.longest);
                self.later(id, Duration::ZERO);
            }
            Outcome::Quarantine(why) => self.refused(id, why, cleaned.report()).await?,
            Outcome::OtherSyntaxNeeded(syntax) => {
                if !self.to.node.leaves_in(id, &syntax, cleaned.report()).await? {
                    let why = Quarantine::new(Reason::NoTransferSyntax, syntax.as_str());
                    self.refused(id, why, cleaned.report()).await?;
                }
            }
        }
        Ok(())
    }

    /// It has an instance of this UID: this one, if a crash, an abort or a broken
    /// connection made us send it again, but not if it got something else last.
    async fn already_there(
        &mut self,
        begun: Begun,
        cleaned: Arc<Cleaned>,
        record: &Record,
        status: u16,
    ) -> Result<(), NodeError> {
        let (id, destination) = (begun.id, &self.to.name);
        let project = record.arrival.as_ref().map_or("", |arrival| arrival.project.as_str());
        // What was set aside before it was sent is as old, and was not sent.
        let stood = id < self.begun_at && record.quarantine.is_none();
        let was_sent =
            (stood || self.maybe_there.contains(&id)) && !record.taken_at.contains(destination);
        let detail = match self.to.node.versions.last_at(destination, project, cleaned.report()) {
            Last::This => None,
            Last::Unknown if was_sent => None,
            Last::Other => Some(NOT_REPLACED),
            Last::Unknown => Some(NOT_OURS),
        };
        if let Some(detail) = detail {
            let at = destination.clone();
            // Not known any more after a restart, when it may be asked again.
            self.to.node.on_spool(move |spool| spool.note_taken(id, &at)).await?;
            let why = Quarantine::new(Reason::RefusedByDestination, detail);
            return self.refused(id, why, cleaned.report()).await;
        }
        warn!(
            spool_id = %id, destination = destination.as_str(), status,
            "the destination has an instance of this UID already: taken for delivered"
        );
        self.delivered(begun, cleaned, status, record.releases).await;
        Ok(())
    }

    /// Sets aside what this destination will never take, but not before the others
    /// have it: quarantine takes it from every outbox.
    async fn refused(
        &mut self,
        id: SpoolId,
        why: Quarantine,
        report: &Report,
    ) -> Result<(), NodeError> {
        self.tries.remove(&id);
        self.maybe_there.remove(&id);
        let concerns_all = why.reason == Reason::DamagedSpool;
        if concerns_all || !self.to.is_wanted_elsewhere(id).await? {
            return self.to.node.quarantine_cleaned(id, why, report).await;
        }
        warn!(
            spool_id = %id, destination = self.to.name.as_str(), reason = why.reason.code(),
            detail = why.detail, "refused for good; set aside when the other destinations have it"
        );
        self.to.node.refusals.note(id, &self.to.name, why);
        self.later(id, self.to.waits.first);
        Ok(())
    }

    fn remember(&mut self, cleaned: &Cleaned) {
        if let Some(kind) = kind_of(cleaned)
            && !self.kinds.contains(&kind)
        {
            self.kinds.push_front(kind);
            self.kinds.truncate(KINDS_MAX);
        }
    }

    fn put_off_all(&mut self, begun: Begun, outcome: &Outcome) {
        let item = begun.id.to_string();
        let is_news = begun.turn == self.turn
            || *outcome == Outcome::PauseDestination && !self.backoff.is_open();
        let wait = if is_news {
            self.left_alone(outcome, &item)
        } else {
            // Other lanes met the same failure before.
            self.to.waits.after(1, &item)
        };
        self.later(begun.id, wait);
    }

    /// Counts a failure of the destination; how long all its instances wait.
    fn left_alone(&mut self, outcome: &Outcome, spread_by: &str) -> Duration {
        let now = self.to.node.clock.monotonic();
        let destination = self.to.name.as_str();
        let is_refusal = *outcome == Outcome::PauseDestination;
        let wait = if is_refusal {
            self.backoff.refused(now, spread_by)
        } else {
            self.backoff.failed(now, spread_by)
        };
        self.turn += 1;
        self.rests_until = Some(Instant::now() + wait);
        let failure = Failure {
            refuses: is_refusal,
            failures: self.backoff.failures(),
            said: self.said.clone(),
            wait,
        };
        self.to.node.health.failed(&self.to.name, failure, &*self.to.node.clock);
        if is_refusal {
            error!(
                destination,
                ?wait,
                "destination refuses us: check AE titles and its configuration"
            );
        } else {
            warn!(destination, ?wait, "destination does not take instances now");
        }
        wait
    }

    /// Receipt, then one outbox link less (docs/decisions/0004), beside the
    /// next instance.
    async fn delivered(&mut self, begun: Begun, cleaned: Arc<Cleaned>, status: u16, releases: u32) {
        let id = begun.id;
        // What began before a failure does not tell that it is over.
        if self.backoff.failures() > 0 && begun.turn == self.turn {
            self.to.node.queue.hasten(&self.to.stage);
            self.backoff.succeeded();
            self.to.node.health.recovered(&self.to.name);
            self.turn += 1;
        }
        self.failing.clear();
        self.tries.remove(&id);
        self.maybe_there.remove(&id);
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&self.finishing).acquire_owned().await else { return };
        let (to, stopping) = (Arc::clone(&self.to), self.stopping.clone());
        tokio::spawn(async move {
            let noting = {
                let to = Arc::clone(&to);
                let noting = async move {
                    let word = (id, &*cleaned, (status, releases));
                    note_delivered(&to.node, &to.name, word, stopping).await;
                };
                tokio::spawn(noting)
            };
            if noting.await.is_err_and(|error| error.is_panic()) {
                to.node.task_ended(&format!("a delivery to {}", to.name.as_str()));
            }
            drop(permit);
        });
    }
}

/// A lane that panicked ends its destination's task, as any other does.
fn unpanicked(ended: Result<Ended, tokio::task::JoinError>) -> Ended {
    match ended {
        Ok(ended) => ended,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
