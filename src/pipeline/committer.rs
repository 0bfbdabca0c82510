//! The task that asks one destination for storage commitment and acts on what it
//! reports: committed ones may go, others are sent again.
//!
//! Each step is noted before the next; a task that is ended anywhere goes on from
//! the files at the next start.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tracing::{error, info, warn};

use super::commitment::{CommitmentLine, asked_under, lacks_answers};
use super::node::{Node, NodeError};
use super::settle::settle;
use crate::clean::Report as CleanReport;
use crate::dicom::Uid;
use crate::forward::backoff::{Backoff, Waits};
use crate::forward::commitment::{
    Address, AskError, Asking, AssociationError, Heard, Message, Reference, Refusal, Report,
    Request,
};
use crate::forward::send::SendLimits;
use crate::lifecycle::Stopping;
use crate::reason::{Quarantine, Reason};
use crate::spool::{
    Asked, CommitmentEnd, DestinationName, Spool, SpoolError, SpoolId, State, Transaction,
    TransactionName,
};

/// Most instances of one request. Default 500: a CT series, and a data set of 80 kB.
pub const BATCH_MAX: usize = 500;
/// How long the first delivered instance waits for others before they are asked
/// about together. Default 30 s, or a tenth of `commitment_wait`: a study is through
/// by then.
pub const BATCH_DELAY: Duration = Duration::from_secs(30);
/// How long the association stays open after the last request, for destinations
/// that report on it. Default 30 s, or a tenth of `commitment_wait`.
pub const LISTEN: Duration = Duration::from_secs(30);
/// Requests without a report before it is given up. Default 3: three days.
pub const SILENCES_MAX: u32 = 3;
/// Times that an instance is sent again because the destination does not keep it,
/// before it goes to quarantine. Default 3.
pub const RESENDS_MAX: u32 = 3;
/// Instances whose answers are noted side by side. Default 64: one group of receipts.
const SETTLE_AT_ONCE: usize = 64;
/// Longest time between two looks. Default 60 s: names are resolved anew then.
const LOOK_MAX: Duration = Duration::from_secs(60);
/// Shortest: a clock that stands still does not make it spin. Default 50 ms.
const LOOK_MIN: Duration = Duration::from_millis(50);
/// Longest wait for the addresses of a name. Default 5 s.
const RESOLVE_MAX: Duration = Duration::from_secs(5);
/// Wait after a fault of the node's own disk. Default 15 s.
const WAIT_AFTER_FAULT: Duration = Duration::from_secs(15);

/// Asks one destination until the node stops.
pub(super) async fn commit_loop(
    node: Arc<Node>,
    name: DestinationName,
    address: Address,
    mut stopping: Stopping,
) {
    let backoff = Backoff::new(Waits::default());
    let mut committer = Committer { node, name, address, backoff, resolved: None };
    loop {
        let stepped = tokio::select! {
            biased;
            () = stopping.wait() => return,
            stepped = committer.step() => stepped,
        };
        let wait = match stepped {
            Ok(()) => committer.wait(),
            Err(error) => {
                warn!(destination = committer.name.as_str(), %error, "storage commitment put off");
                committer.put_off(&error);
                WAIT_AFTER_FAULT
            }
        };
        let Some(line) = committer.node.commitments.line(&committer.name) else { return };
        tokio::select! {
            biased;
            () = stopping.wait() => return,
            () = tokio::time::sleep(wait) => {}
            () = line.changed.notified() => {}
        }
    }
}

struct Committer {
    node: Arc<Node>,
    name: DestinationName,
    address: Address,
    backoff: Backoff,
    /// When its host was looked up last.
    resolved: Option<Duration>,
}

impl Committer {
    fn line(&self) -> Result<&CommitmentLine, NodeError> {
        let what = || NodeError::Unusable { what: format!("destination.{}", self.name.as_str()) };
        self.node.commitments.line(&self.name).ok_or_else(what)
    }

    /// All that is to be done now.
    async fn step(&mut self) -> Result<(), NodeError> {
        self.resolve().await?;
        self.settle_all().await?;
        self.overdue().await?;
        self.gather().await?;
        if self.backoff.is_ready(self.node.clock.monotonic()) {
            self.ask_all().await?;
        }
        self.settle_all().await
    }

    /// How long until there is something to do.
    fn wait(&self) -> Duration {
        let Ok(line) = self.line() else { return LOOK_MAX };
        let (now, now_ms) = (self.node.clock.monotonic(), self.node.clock.unix_ms());
        let left = |open: &Transaction| {
            let wait_ms = u64::try_from(line.wait.as_millis()).unwrap_or(u64::MAX);
            let due_ms = open.begun_unix_ms.saturating_add(wait_ms);
            let report = Duration::from_millis(due_ms.saturating_sub(now_ms));
            if open.taken { report } else { report.min(self.backoff.left(now)) }
        };
        let open = line.open().iter().map(left).min();
        let batch = line.until_batch(now, part(line.wait, BATCH_DELAY));
        let first = open.into_iter().chain(batch).min();
        first.unwrap_or(LOOK_MAX).clamp(LOOK_MIN, LOOK_MAX)
    }

    /// Where the destination may call from. What cannot be looked up now stays.
    async fn resolve(&mut self) -> Result<(), NodeError> {
        let now = self.node.clock.monotonic();
        if self.resolved.is_some_and(|at| now.saturating_sub(at) < LOOK_MAX) {
            return Ok(());
        }
        self.resolved = Some(now);
        let looking = tokio::net::lookup_host((self.address.host.as_str(), self.address.port));
        if let Ok(Ok(found)) = tokio::time::timeout(RESOLVE_MAX, looking).await {
            let found: BTreeSet<IpAddr> = found.map(|at| at.ip().to_canonical()).collect();
            self.line()?.set_addresses(found);
        }
        Ok(())
    }

    /// Told for a while: a step that has nothing to do says nothing of the fault.
    fn put_off(&self, error: &NodeError) {
        self.node.task_put_off(&format!("storage commitment of {}", self.name.as_str()), error);
    }

    /// Puts what waits into requests.
    async fn gather(&self) -> Result<(), NodeError> {
        loop {
            let line = self.line()?;
            let delay = part(line.wait, BATCH_DELAY);
            let ids = line.take_batch(self.node.clock.monotonic(), delay, BATCH_MAX);
            if ids.is_empty() {
                return Ok(());
            }
            let (name, batch) = (self.name.clone(), ids.clone());
            let asked = self.node.on_spool(move |spool| asked(spool, &batch, &name)).await;
            let (asked, damaged) = match asked {
                Ok(found) => found,
                Err(error) => {
                    // They are asked about when they can be read.
                    let now = self.node.clock.monotonic();
                    ids.into_iter().for_each(|id| line.pend(id, now));
                    return Err(error);
                }
            };
            for (id, what) in damaged {
                self.node.quarantine(id, Quarantine::new(Reason::DamagedSpool, what)).await?;
            }
            if asked.is_empty() {
                continue;
            }
            let (name, now_ms) = (self.node.spool.transaction_name(), self.node.clock.unix_ms());
            line.put(Transaction::new(name, self.name.clone(), asked, now_ms));
        }
    }

    /// Asks what was not asked yet, on one association, and listens on it.
    async fn ask_all(&mut self) -> Result<(), NodeError> {
        let mut open = None;
        while let Some(name) = self.next_to_ask()? {
            let mut asking = match open.take() {
                Some(asking) => asking,
                None => match Asking::open(&self.address, &SendLimits::default().association).await
                {
                    Ok(asking) => asking,
                    Err(error) => {
                        self.failed(&error);
                        return Ok(());
                    }
                },
            };
            let Some(request) = self.begin(name).await? else {
                open = Some(asking);
                continue;
            };
            match self.ask(&mut asking, &request).await {
                Ok(0) => {
                    self.backoff.succeeded();
                    self.note(name, |transaction| transaction.taken = true).await?;
                    open = Some(asking);
                }
                Ok(status) => {
                    let destination = self.name.as_str();
                    error!(destination, status, "destination refuses storage commitment");
                    self.backoff.refused(self.node.clock.monotonic(), destination);
                    // It is not active any more (PS3.4 §J.3.2.1.2).
                    let gone = |transaction: &mut Transaction| drop(transaction.uids.pop());
                    self.note(name, gone).await?;
                    open = Some(asking);
                    break;
                }
                Err(error) => {
                    asking.fail(&error).await;
                    self.failed(&error.into());
                    return Ok(());
                }
            }
        }
        match open {
            Some(asking) => self.listen(asking).await,
            None => Ok(()),
        }
    }

    fn next_to_ask(&self) -> Result<Option<TransactionName>, NodeError> {
        let open = self.line()?.open();
        let mut next = open.iter().filter(|open| !open.taken && lacks_answers(open));
        Ok(next.next().map(|open| open.name))
    }

    /// A request under a new UID, durable before it is sent.
    async fn begin(&self, name: TransactionName) -> Result<Option<Request>, NodeError> {
        let uid = new_uid()?;
        let under = uid.clone();
        let noted = self.note(name, move |transaction| asked_under(transaction, under)).await?;
        // Perhaps all was reported on meanwhile.
        let noted = noted.filter(lacks_answers);
        Ok(noted.map(|transaction| Request {
            transaction: uid,
            references: transaction
                .instances
                .into_iter()
                .filter(|one| one.said.is_none())
                .map(|one| Reference { class: one.class, instance: one.instance })
                .collect(),
        }))
    }

    /// Changes a transaction and writes it.
    async fn note(
        &self,
        name: TransactionName,
        change: impl FnOnce(&mut Transaction),
    ) -> Result<Option<Transaction>, NodeError> {
        let line = self.line()?;
        let _writing = line.writing.lock().await;
        let Some(mut transaction) = line.transaction(name) else { return Ok(None) };
        change(&mut transaction);
        if transaction.instances.is_empty() {
            self.node.on_spool(move |spool| spool.remove_transaction(name)).await?;
            line.close(name);
            return Ok(None);
        }
        let written = transaction.clone();
        self.node.on_spool(move |spool| spool.put_transaction(&written)).await?;
        line.put(transaction.clone());
        Ok(Some(transaction))
    }

    /// Sends a request; returns the status of its answer. Reports that come before it are heard.
    async fn ask(&self, asking: &mut Asking, request: &Request) -> Result<u16, AssociationError> {
        let (destination, instances) = (self.name.as_str(), request.references.len());
        let sent = asking.ask(request).await?;
        loop {
            match asking.hear(asking.answer_wait()).await? {
                Heard::Answer(to, status) if to == sent => {
                    info!(destination, instances, status, "storage commitment asked for");
                    return Ok(status);
                }
                Heard::Report(message, report) => self.heard(asking, &message, report).await?,
                Heard::Answer(..) | Heard::Release => return Err(asking.out_of_turn()),
            }
        }
    }

    async fn heard(
        &self,
        asking: &mut Asking,
        message: &Message,
        report: Result<Report, Refusal>,
    ) -> Result<(), AssociationError> {
        let outcome = match report {
            Ok(report) => self.node.reported(self.name.as_str(), report).await,
            Err(refusal) => Err(refusal),
        };
        asking.confirm(message, outcome).await
    }

    /// Hears reports on the association of the requests, for a while.
    async fn listen(&self, mut asking: Asking) -> Result<(), NodeError> {
        let line = self.line()?;
        let until = tokio::time::sleep(part(line.wait, LISTEN));
        tokio::pin!(until);
        loop {
            if !line.listens() {
                break;
            }
            let comes = tokio::select! {
                () = &mut until => break,
                // Perhaps a report on another association.
                () = line.changed.notified() => continue,
                comes = asking.comes() => comes,
            };
            let heard = match comes {
                Ok(()) => asking.hear(LOOK_MIN).await,
                Err(error) => Err(error),
            };
            let done = match heard {
                Ok(Heard::Report(message, report)) => {
                    self.heard(&mut asking, &message, report).await
                }
                Ok(Heard::Release) => {
                    asking.released().await;
                    return Ok(());
                }
                Ok(Heard::Answer(..)) => Err(asking.out_of_turn()),
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                // All requests were taken: their reports may come otherwise.
                info!(destination = self.name.as_str(), %error, "no reports on this association");
                asking.fail(&error).await;
                return Ok(());
            }
        }
        asking.end().await;
        Ok(())
    }

    fn failed(&mut self, error: &AskError) {
        let (destination, now) = (self.name.as_str(), self.node.clock.monotonic());
        if error.is_refusal() {
            let wait = self.backoff.refused(now, destination);
            error!(destination, %error, ?wait, "storage commitment cannot be asked for: check the \
                destination's configuration, or switch commitment off");
        } else {
            let wait = self.backoff.failed(now, destination);
            warn!(destination, %error, ?wait, "storage commitment cannot be asked for now");
        }
    }

    /// Requests of which no report came in time.
    async fn overdue(&self) -> Result<(), NodeError> {
        let line = self.line()?;
        let now_ms = self.node.clock.unix_ms();
        let wait_ms = u64::try_from(line.wait.as_millis()).unwrap_or(u64::MAX);
        for open in line.open() {
            // What was begun in a future that the clock came back from has waited.
            let waited_ms = now_ms.checked_sub(open.begun_unix_ms).unwrap_or(wait_ms);
            if !lacks_answers(&open) || waited_ms < wait_ms {
                continue;
            }
            if open.silences.saturating_add(1) >= SILENCES_MAX {
                self.give_up(open).await?;
                continue;
            }
            let destination = self.name.as_str();
            warn!(
                destination,
                instances = open.instances.len(),
                "no report on storage commitment: asked again"
            );
            let again = |transaction: &mut Transaction| {
                transaction.silences = transaction.silences.saturating_add(1);
                transaction.begun_unix_ms = now_ms;
                transaction.taken = false;
            };
            self.note(open.name, again).await?;
        }
        Ok(())
    }

    async fn give_up(&self, open: Transaction) -> Result<(), NodeError> {
        let line = self.line()?;
        let silent: Vec<_> = open.instances.iter().filter(|one| one.said.is_none()).collect();
        error!(
            destination = self.name.as_str(),
            instances = silent.len(),
            "NO REPORT ON STORAGE COMMITMENT after {SILENCES_MAX} requests: they are kept for the \
             grace time and then forgotten; find out whether the destination has them"
        );
        for one in silent {
            let (id, name) = (one.id, self.name.clone());
            let _held = self.node.locks.hold(id).await;
            let given_up = self
                .node
                .on_spool(move |spool| {
                    let held = spool.state(id)? == Some(State::Held);
                    let record = readable(spool.record(id))?;
                    if !held || !record.is_some_and(|record| record.awaits_commitment(&name)) {
                        return Ok(None);
                    }
                    spool.end_commitment(id, &name, CommitmentEnd::GivenUp).map(Some)
                })
                .await?;
            if let Some(record) = given_up {
                line.give_up(id);
                self.node.keep_on(&record).await?;
            }
        }
        self.note(open.name, |transaction| transaction.instances.retain(|one| one.said.is_some()))
            .await?;
        Ok(())
    }

    /// Acts on all that was reported. What fails stays for the next step and holds
    /// nothing else up.
    async fn settle_all(&self) -> Result<(), NodeError> {
        for open in self.line()?.open() {
            let said = open.instances.iter().filter(|one| one.said.is_some());
            let said: Vec<_> = said.cloned().collect();
            if said.is_empty() {
                continue;
            }
            let mut done = BTreeSet::new();
            for group in said.chunks(SETTLE_AT_ONCE) {
                done.extend(self.settle_group(group, open.begun_unix_ms).await?);
            }
            let rest = |one: &Asked| one.said.is_none() || !done.contains(&one.id);
            self.note(open.name, |transaction| transaction.instances.retain(rest)).await?;
            self.look_again(done).await?;
        }
        Ok(())
    }

    /// Those of a group that are settled.
    async fn settle_group(
        &self,
        group: &[Asked],
        begun_ms: u64,
    ) -> Result<BTreeSet<SpoolId>, NodeError> {
        let mut settling = JoinSet::new();
        for one in group.iter().cloned() {
            let (node, name) = (Arc::clone(&self.node), self.name.clone());
            settling.spawn(async move { (one.id, settle(&node, &name, one, begun_ms).await) });
        }
        let mut done = BTreeSet::new();
        while let Some(settled) = settling.join_next().await {
            match settled.map_err(|_runtime_ends| NodeError::Stopping)? {
                (id, Ok(())) => {
                    done.insert(id);
                }
                (id, Err(error)) => {
                    warn!(spool_id = %id, %error, "report not acted on yet");
                    self.put_off(&error);
                }
            }
        }
        Ok(done)
    }

    /// What is still to be asked about is asked in a new request.
    async fn look_again(&self, ids: BTreeSet<SpoolId>) -> Result<(), NodeError> {
        let (commitments, now) = (Arc::clone(&self.node.commitments), self.node.clock.monotonic());
        self.node
            .on_spool(move |spool| {
                for id in ids {
                    if spool.state(id)? == Some(State::Held)
                        && let Ok(record) = spool.record(id)
                    {
                        commitments.look_at(&record, now);
                    }
                }
                Ok(())
            })
            .await
    }
}

/// A named time, or a tenth of the wait for a report where that is shorter.
fn part(wait: Duration, usual: Duration) -> Duration {
    usual.min(wait / 10)
}

/// A Transaction UID: `2.25.` and 128 random bits, so that nobody guesses it.
fn new_uid() -> Result<Uid, NodeError> {
    let mut bytes = [0; 16];
    let unusable = |what: String| NodeError::Unusable { what };
    getrandom::fill(&mut bytes).map_err(|error| unusable(error.to_string()))?;
    let text = format!("2.25.{}", u128::from_be_bytes(bytes));
    text.parse().map_err(|error: crate::dicom::uid::UidError| unusable(error.to_string()))
}

/// What is read; nothing where it is damaged or its key is missing, which no
/// further try changes.
fn readable<T>(read: Result<T, SpoolError>) -> Result<Option<T>, SpoolError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(
            SpoolError::Damaged { .. } | SpoolError::Locked { .. } | SpoolError::NotThere { .. },
        ) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Instances, and what is wrong with them.
type Damaged = Vec<(SpoolId, &'static str)>;

/// Those of a batch that are to be asked about, with the UIDs they left under; and
/// those that are damaged.
fn asked(
    spool: &Spool,
    ids: &[SpoolId],
    destination: &DestinationName,
) -> Result<(Vec<Asked>, Damaged), SpoolError> {
    let (mut asked, mut damaged) = (Vec::new(), Vec::new());
    for id in ids {
        if spool.state(*id)? != Some(State::Held) {
            continue;
        }
        let (record, report) = match (spool.record(*id), spool.report(*id)) {
            (Err(SpoolError::Damaged { what, .. }), _)
            | (_, Err(SpoolError::Damaged { what, .. })) => {
                damaged.push((*id, what));
                continue;
            }
            (record, report) => (readable(record)?, readable(report)?),
        };
        let awaits = record.is_some_and(|record| record.awaits_commitment(destination));
        let report = report.and_then(|json| serde_json::from_slice::<CleanReport>(&json).ok());
        if let (true, Some(report)) = (awaits, report)
            && let (Ok(class), Ok(instance)) =
                (report.sop_class.parse(), report.sop_instance.parse())
        {
            asked.push(Asked { id: *id, class, instance, said: None });
        }
    }
    Ok((asked, damaged))
}
