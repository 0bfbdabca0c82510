//! The forwarding stage of the node: clean copies in, receipts out, one task
//! per destination, so that one that is down keeps nobody else waiting.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tracing::{error, info, warn};

use super::blocking::blocking;
use super::node::{Node, NodeError, SetAside};
use super::studies::Gate;
use crate::clean::{AdmitError, Cleaned, Report};
use crate::forward::Kind;
use crate::forward::backoff::{Backoff, Waits};
use crate::forward::folder::Folder;
use crate::forward::outcome::{Answer, Outcome, outcome};
use crate::forward::send::{KINDS_MAX, Sender, kind_of};
use crate::lifecycle::Stopping;
use crate::queue::{Queue as _, Stage};
use crate::reason::{Quarantine, Reason};
use crate::receipt::Outcome as Evidence;
use crate::spool::{Delivery, DestinationName, Record, SpoolError, SpoolId, State};

/// Wait after a fault of the node's own disk. Default 15 s: a full disk is not
/// mended quicker.
const WAIT_AFTER_FAULT: Duration = Duration::from_secs(15);
/// Instances that may fail one after the other, by an abort or a failure to process,
/// before the destination is left alone. Default 5.
pub const ITEM_FAILURES_MAX: usize = 5;
/// Delivered instances of one destination whose receipts are being synced.
/// Default 64: one group of receipts; more would grow memory, not speed.
const FINISHING_MAX: usize = 64;

/// Wait of what its project does not send to the destination any more. Default 1 h: the
/// configuration changes with a restart.
const WAIT_IF_NOT_MEANT: Duration = Duration::from_hours(1);

/// Whether the configuration sends something to a destination.
enum Meant {
    Yes,
    /// Its project does not send there.
    No,
    /// Its project is gone.
    NoProject,
}

/// Where clean copies go.
#[derive(Debug)]
pub enum Target {
    /// A directory.
    Folder(Folder),
    /// A Storage SCP.
    Ae(Box<Sender>),
    /// Of a simulation.
    #[cfg(test)]
    Scripted(Box<dyn Script>),
}

/// A destination that answers as a simulation has it.
#[cfg(test)]
pub trait Script: Send + Sync + std::fmt::Debug {
    /// What it says to an instance.
    fn answer(
        &mut self,
        cleaned: Arc<Cleaned>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send + '_>>;
    /// It answers C-ECHO.
    fn is_there(&self) -> bool;
}

/// A target and its name in the configuration.
#[derive(Debug)]
pub struct Destination {
    /// Its name.
    pub name: DestinationName,
    /// Where it is.
    pub target: Target,
    /// How long it is left alone after failures.
    pub waits: Waits,
}

/// What one destination's task remembers; all of it can be forgotten.
struct Line {
    node: Arc<Node>,
    name: DestinationName,
    stage: Stage,
    waits: Waits,
    backoff: Backoff,
    /// Instances that failed since the last one was delivered, in a way that says
    /// nothing of the destination.
    failing: BTreeSet<SpoolId>,
    /// Tries of instances that were put off.
    tries: BTreeMap<SpoolId, u32>,
    /// Kinds of objects sent lately, so that one association serves them all.
    kinds: VecDeque<Kind>,
    finishing: Arc<Semaphore>,
    stopping: Stopping,
}

/// Sends to one destination until the node stops.
pub(super) async fn deliver_loop(
    node: Arc<Node>,
    destination: Destination,
    mut stopping: Stopping,
) {
    let Destination { name, mut target, waits } = destination;
    let mut line = Line {
        node,
        stage: Stage::Forward(name.clone()),
        name,
        waits,
        backoff: Backoff::new(waits),
        failing: BTreeSet::new(),
        tries: BTreeMap::new(),
        kinds: VecDeque::new(),
        finishing: Arc::new(Semaphore::new(FINISHING_MAX)),
        stopping: stopping.clone(),
    };
    // Else a correction could overtake what waited before the start.
    tokio::select! {
        biased;
        () = stopping.wait() => {}
        () = line.node.versions_known() => {}
    }
    loop {
        tokio::select! {
            biased;
            () = stopping.wait() => break,
            () = line.node.queue.wait(&line.stage) => {}
            () = target.idle() => continue,
        }
        if line.backoff.is_open() {
            let answers = tokio::select! {
                biased;
                () = stopping.wait() => break,
                answers = line.answers(&target) => answers,
            };
            if !answers {
                line.pause(&mut target, &mut stopping).await;
                continue;
            }
        }
        let Some(id) = line.node.queue.claim(&line.stage) else { continue };
        if let Err(error) = line.one(&mut target, id).await {
            warn!(spool_id = %id, destination = line.name.as_str(), %error, "forwarding put off");
            line.node.queue.later(&line.stage, id, WAIT_AFTER_FAULT);
        }
        line.pause(&mut target, &mut stopping).await;
    }
    target.close().await;
    // What was delivered gets its receipt before the node ends.
    drop(line.finishing.acquire_many(FINISHING_MAX as u32).await);
}

impl Target {
    async fn deliver(&mut self, cleaned: Arc<Cleaned>, kinds: &[Kind], tries: u32) -> Outcome {
        match self {
            Self::Ae(sender) => sender.deliver(&cleaned, kinds, tries).await,
            Self::Folder(folder) => {
                let folder = folder.clone();
                let written = tokio::task::spawn_blocking(move || folder.deliver(&cleaned));
                written.await.unwrap_or(Outcome::RetryItem)
            }
            #[cfg(test)]
            Self::Scripted(script) => outcome(&script.answer(cleaned).await, tries),
        }
    }

    async fn idle(&mut self) {
        match self {
            Self::Ae(sender) => sender.idle().await,
            Self::Folder(_) => std::future::pending().await,
            #[cfg(test)]
            Self::Scripted(_) => std::future::pending().await,
        }
    }

    async fn close(&mut self) {
        match self {
            Self::Ae(sender) => sender.close().await,
            Self::Folder(_) => {}
            #[cfg(test)]
            Self::Scripted(_) => {}
        }
    }
}

impl Line {
    /// Waits as long as the destination is to be left alone, or until the node stops.
    async fn pause(&self, target: &mut Target, stopping: &mut Stopping) {
        let pause = self.backoff.left(self.node.clock.monotonic());
        if pause.is_zero() {
            return;
        }
        target.close().await;
        tokio::select! {
            () = stopping.wait() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// After several failures in a row, or a refusal, the destination is asked by C-ECHO
    /// before an instance is risked. One that takes no C-ECHO but talks to us is there.
    async fn answers(&mut self, target: &Target) -> bool {
        #[cfg(test)]
        if let Target::Scripted(script) = target
            && !script.is_there()
        {
            let name = self.name.clone();
            self.left_alone(&outcome(&Answer::Unreachable, 1), name.as_str());
            return false;
        }
        let Target::Ae(sender) = target else { return true };
        match sender.is_there().await {
            Ok(()) => {
                info!(
                    destination = self.name.as_str(),
                    "destination answers; one instance is tried"
                );
                true
            }
            Err(error) => {
                info!(destination = self.name.as_str(), %error, "no answer to C-ECHO");
                let name = self.name.clone();
                self.left_alone(&outcome(&Answer::from(&error), 1), name.as_str());
                false
            }
        }
    }

    /// One instance. An error is a fault of the node's own disk.
    async fn one(&mut self, target: &mut Target, id: SpoolId) -> Result<(), NodeError> {
        let refusal = self.node.refusals.look(id, &self.name);
        if let Some(refusal) = &refusal
            && self.is_wanted_elsewhere(id).await?
        {
            let wait = self.waits.after(refusal.looks, &id.to_string());
            self.node.queue.later(&self.stage, id, wait);
            return Ok(());
        }
        if let Gate::Shut(wait, _) = self.node.gate(id, &self.name).await? {
            self.node.queue.later(&self.stage, id, wait);
            return Ok(());
        }
        // Sent without a record it could not be noted, and would be sent for ever.
        let record = match self.node.record(id).await? {
            Ok(record) => record,
            Err(damaged) => return self.damaged(id, damaged).await,
        };
        let cleaned = match self.admitted(id).await? {
            Ok(cleaned) => Arc::new(cleaned),
            Err(damaged) => return self.damaged(id, damaged).await,
        };
        match self.is_meant(&record) {
            Meant::Yes => {}
            Meant::NoProject => {
                let why = Quarantine::new(Reason::NoProject, "");
                return self.node.quarantine_cleaned(id, why, cleaned.report()).await;
            }
            Meant::No => {
                warn!(spool_id = %id, destination = self.name.as_str(), "its project does not send there any more: it waits");
                self.node.queue.later(&self.stage, id, WAIT_IF_NOT_MEANT);
                return Ok(());
            }
        }
        if self.node.set_aside_if_recalled(id, cleaned.report()).await? {
            return Ok(());
        }
        if let Some(refusal) = refusal {
            return self.node.quarantine_cleaned(id, refusal.why, cleaned.report()).await;
        }
        self.remember(&cleaned);
        let tries = self.tries.get(&id).copied().unwrap_or(0) + 1;
        let kinds = self.kinds.make_contiguous();
        let outcome = target.deliver(Arc::clone(&cleaned), kinds, tries).await;
        self.act_on(outcome, id, cleaned, (tries, record.releases)).await
    }

    /// Whether the configuration of today sends an instance to this destination.
    fn is_meant(&self, record: &Record) -> Meant {
        let Some(arrival) = &record.arrival else { return Meant::Yes };
        match self.node.config.projects.get(&arrival.project) {
            None => Meant::NoProject,
            Some(project) if project.destinations.iter().any(|to| to == self.name.as_str()) => {
                Meant::Yes
            }
            Some(_) => Meant::No,
        }
    }

    /// Sets aside what is damaged, unless it was taken away meanwhile, to be cleaned
    /// again for another destination or by a rejection note.
    async fn damaged(&self, id: SpoolId, why: Quarantine) -> Result<(), NodeError> {
        let held = self.node.locks.hold(id).await;
        let waits = self.node.on_spool(move |spool| Ok((spool.state(id)?, spool.awaiting(id)?)));
        let (state, awaiting) = waits.await?;
        // One without an original is an error still: it is tried until a restart tells.
        if state.is_some_and(|state| state != State::Held || !awaiting.contains(&self.name)) {
            return Ok(());
        }
        self.node.quarantine_held(&held, id, SetAside { why, leaving: None }).await
    }

    async fn act_on(
        &mut self,
        outcome: Outcome,
        id: SpoolId,
        cleaned: Arc<Cleaned>,
        (tries, releases): (u32, u32),
    ) -> Result<(), NodeError> {
        match outcome {
            Outcome::Delivered => self.delivered(id, cleaned, 0, releases).await,
            Outcome::DeliveredWithWarning(status) => {
                warn!(spool_id = %id, destination = self.name.as_str(), status, "stored with a warning");
                self.delivered(id, cleaned, status, releases).await;
            }
            Outcome::RetryItem if self.failing.len() >= ITEM_FAILURES_MAX => {
                // By now it is not the instances' fault.
                self.tries.insert(id, tries);
                self.put_off_all(id, &Outcome::RetryDestination);
            }
            Outcome::RetryItem => {
                self.failing.insert(id);
                self.tries.insert(id, tries);
                let wait = self.waits.after(tries, &id.to_string());
                self.node.queue.later(&self.stage, id, wait);
            }
            Outcome::RetryDestination | Outcome::PauseDestination => self.put_off_all(id, &outcome),
            Outcome::Quarantine(why) => self.refused(id, why, cleaned.report()).await?,
            Outcome::OtherSyntaxNeeded(syntax) => {
                if !self.node.leaves_in(id, &syntax, cleaned.report()).await? {
                    let why = Quarantine::new(Reason::NoTransferSyntax, syntax.as_str());
                    self.refused(id, why, cleaned.report()).await?;
                }
            }
        }
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
        let concerns_all = why.reason == Reason::DamagedSpool;
        if concerns_all || !self.is_wanted_elsewhere(id).await? {
            return self.node.quarantine_cleaned(id, why, report).await;
        }
        warn!(
            spool_id = %id, destination = self.name.as_str(), reason = why.reason.code(),
            detail = why.detail, "refused for good; set aside when the other destinations have it"
        );
        self.node.refusals.note(id, &self.name, why);
        self.node.queue.later(&self.stage, id, self.waits.first);
        Ok(())
    }

    /// Whether another destination is still to get the instance.
    async fn is_wanted_elsewhere(&self, id: SpoolId) -> Result<bool, NodeError> {
        let awaiting = self.node.on_spool(move |spool| spool.awaiting(id)).await?;
        Ok(awaiting.iter().any(|other| {
            *other != self.name
                && self.node.config.destinations.contains_key(other.as_str())
                && !self.node.refusals.has(id, other)
        }))
    }

    /// The clean copy, its digest checked again: it may have lain for days.
    async fn admitted(&self, id: SpoolId) -> Result<Result<Cleaned, Quarantine>, NodeError> {
        let damaged = |what: &str| Ok(Err(Quarantine::new(Reason::DamagedSpool, what)));
        let report = match self.node.on_spool(move |spool| spool.report(id)).await {
            Err(NodeError::Spool(SpoolError::Damaged { what, .. })) => return damaged(what),
            read => read?,
        };
        let Ok(report) = serde_json::from_slice::<Report>(&report) else {
            return damaged("report");
        };
        let file = self.node.spool.stored(State::Cleaned, id);
        match blocking(move || Cleaned::admit(report, file)).await {
            Ok(Ok(cleaned)) => Ok(Ok(cleaned)),
            // Waiting would not bring it back.
            Ok(Err(AdmitError::Io(error))) if error.kind() == std::io::ErrorKind::NotFound => {
                damaged("the clean copy is missing")
            }
            Ok(Err(AdmitError::Io(error))) => Err(NodeError::Unusable { what: error.to_string() }),
            Ok(Err(error)) => damaged(&error.to_string()),
            Err(_runtime_ends) => Err(NodeError::Stopping),
        }
    }

    fn remember(&mut self, cleaned: &Cleaned) {
        if let Some(kind) = kind_of(cleaned)
            && !self.kinds.contains(&kind)
        {
            self.kinds.push_front(kind);
            self.kinds.truncate(KINDS_MAX);
        }
    }

    fn put_off_all(&mut self, id: SpoolId, outcome: &Outcome) {
        let wait = self.left_alone(outcome, &id.to_string());
        self.node.queue.later(&self.stage, id, wait);
    }

    /// Counts a failure of the destination; how long all its instances wait.
    fn left_alone(&mut self, outcome: &Outcome, spread_by: &str) -> Duration {
        let now = self.node.clock.monotonic();
        let destination = self.name.as_str();
        if *outcome == Outcome::PauseDestination {
            let wait = self.backoff.refused(now, spread_by);
            error!(
                destination,
                ?wait,
                "destination refuses us: check AE titles and its configuration"
            );
            return wait;
        }
        let wait = self.backoff.failed(now, spread_by);
        warn!(destination, ?wait, "destination does not take instances now");
        wait
    }

    /// Receipt, then one outbox link less (docs/decisions/0004), beside the
    /// next instance.
    async fn delivered(&mut self, id: SpoolId, cleaned: Arc<Cleaned>, status: u16, releases: u32) {
        if self.backoff.failures() > 0 {
            self.node.queue.hasten(&self.stage);
        }
        self.backoff.succeeded();
        self.failing.clear();
        self.tries.remove(&id);
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&self.finishing).acquire_owned().await else { return };
        let (node, name, stopping) =
            (Arc::clone(&self.node), self.name.clone(), self.stopping.clone());
        tokio::spawn(async move {
            note_delivered(&node, &name, (id, &cleaned, (status, releases)), stopping).await;
            drop(permit);
        });
    }
}

/// Tries until it is noted or the node stops; only a restart sends it again.
async fn note_delivered(
    node: &Node,
    name: &DestinationName,
    (id, cleaned, last_word): (SpoolId, &Cleaned, (u16, u32)),
    mut stopping: Stopping,
) {
    while let Err(error) = finish(node, name, id, cleaned, last_word).await {
        // Somebody set it aside meanwhile.
        if let NodeError::Spool(SpoolError::NotThere { .. }) = error {
            return;
        }
        if let NodeError::Spool(SpoolError::Damaged { what, .. }) = error {
            let damaged = Quarantine::new(Reason::DamagedSpool, what);
            if let Err(error) = node.quarantine(id, damaged).await {
                warn!(spool_id = %id, %error, "cannot be set aside");
            }
            return;
        }
        warn!(spool_id = %id, %error, "delivered, but not noted yet");
        tokio::select! {
            () = stopping.wait() => return,
            () = tokio::time::sleep(WAIT_AFTER_FAULT) => {}
        }
    }
}

async fn finish(
    node: &Node,
    name: &DestinationName,
    id: SpoolId,
    cleaned: &Cleaned,
    (status, releases): (u16, u32),
) -> Result<(), NodeError> {
    // Receipt and link belong together: nobody sets it aside in between.
    let _held = node.locks.hold(id).await;
    let record = node.on_spool(move |spool| spool.record(id)).await?;
    let keeps = node.commitments.rule.keeps();
    let outcome = Evidence::Delivered { destination: name.as_str().to_owned(), status };
    node.receipt(id, &record, Some(cleaned.report()), outcome).await?;
    let delivery = Delivery { status, at_unix_ms: node.clock.unix_ms() };
    let destination = name.clone();
    let noted = node
        .on_spool(move |spool| {
            if spool.delivered_meanwhile(id, &destination, delivery, releases)? {
                return Ok(None);
            }
            let was_last = spool.delivered(id, &destination, delivery)?;
            let record = if keeps { Some(spool.record(id)?) } else { None };
            Ok(Some((was_last, record)))
        })
        .await?;
    info!(spool_id = %id, destination = name.as_str(), status, "delivered");
    // It is cleaned again for another destination, and not for this one.
    let Some((was_last, record)) = noted else { return Ok(()) };
    node.queue.done(&Stage::Forward(name.clone()), id);
    node.arrived(id, record.as_ref(), was_last, delivery.at_unix_ms);
    Ok(())
}
