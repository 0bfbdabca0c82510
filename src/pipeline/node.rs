//! The node's parts in one place, and the blocking steps on them made
//! awaitable.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::task::JoinSet;
use tracing::warn;

use super::blocking::blocking;
use super::commitment::Commitments;
use super::health::Health;
use super::keep::{self, Kept};
use super::line::CleanLine;
use super::locks::{Held, Locks};
use super::refusals::Refusals;
use super::room::Intake;
use super::studies::Studies;
use super::target::Target;
use super::versions::Versions;
use super::{again, committer, deliver, stages};
use crate::clean::Report;
use crate::clock::Clock;
use crate::config::Config;
use crate::corrections::CorrectionBook;
use crate::lifecycle::Stopping;
use crate::pseudonym::{PseudonymError, PseudonymTable};
use crate::queue::{LocalQueue, Queue as _, Repeats, Stage};
use crate::reason::{Quarantine, Reason};
use crate::receipt::{Event, Ledger, LedgerError, Outcome, Receipt};
use crate::spool::{Leaving, Record, Spool, SpoolError, SpoolId};
use crate::worker::WorkError;

/// A fault of the node itself; the instance stays where it is and is tried again.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The spool did not take the step.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The ledger did not take the receipt.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Cleaning could not be tried.
    #[error(transparent)]
    Work(WorkError),
    /// The table of pseudonyms failed.
    #[error(transparent)]
    Pseudonym(#[from] PseudonymError),
    /// A name of the configuration or a report of the spool is unusable.
    #[error("{what}")]
    Unusable {
        /// What.
        what: String,
    },
    /// A task was ended.
    #[error("the node is stopping")]
    Stopping,
}

/// What a node is made of.
#[derive(Debug)]
pub struct NodeParts {
    /// Configuration.
    pub config: Arc<Config>,
    /// Spool.
    pub spool: Spool,
    /// Receipts.
    pub ledger: Arc<Ledger>,
    /// Pseudonyms.
    pub table: Arc<dyn PseudonymTable>,
    /// Id of the key that new persons get.
    pub key_id: String,
    /// Whose each study is, and what was recalled.
    pub book: Arc<dyn CorrectionBook>,
    /// What was admitted under each UID.
    pub versions: Arc<Versions>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// Instances that can be kept at once; two of one key never are. Default 256: with 64
/// associations two others rarely wait for each other.
const ARRIVING: usize = 256;

/// A node: spool, queue, ledger.
#[derive(Debug)]
pub struct Node {
    pub(super) config: Arc<Config>,
    pub(super) spool: Spool,
    pub(super) queue: LocalQueue,
    pub(super) repeats: Repeats,
    pub(super) kept: Kept,
    pub(super) commitments: Arc<Commitments>,
    pub(super) refusals: Refusals,
    pub(super) health: Health,
    pub(super) intake: Intake,
    pub(super) studies: Arc<Studies>,
    pub(super) versions: Arc<Versions>,
    arriving: [Mutex<()>; ARRIVING],
    pub(super) ledger: Arc<Ledger>,
    pub(super) table: Arc<dyn PseudonymTable>,
    pub(super) key_id: String,
    pub(super) book: Arc<dyn CorrectionBook>,
    pub(super) locks: Arc<Locks>,
    pub(super) clock: Arc<dyn Clock>,
    /// What each project cleans with at present, by its name.
    under: OnceLock<BTreeMap<String, String>>,
}

impl Node {
    /// A node over what the last run left: names are read, nothing else.
    ///
    /// # Errors
    /// The spool cannot be listed: the node does not start.
    pub fn new(parts: NodeParts) -> Result<Arc<Self>, NodeError> {
        let queue = LocalQueue::new(Arc::clone(&parts.clock));
        let commitments = Arc::new(Commitments::new(&parts.config, &parts.spool)?);
        let node = Self {
            config: parts.config,
            spool: parts.spool,
            queue,
            repeats: Repeats::default(),
            kept: Kept::default(),
            commitments,
            refusals: Refusals::default(),
            health: Health::default(),
            intake: Intake::default(),
            studies: Arc::default(),
            versions: parts.versions,
            arriving: std::array::from_fn(|_| Mutex::default()),
            ledger: parts.ledger,
            table: parts.table,
            key_id: parts.key_id,
            book: parts.book,
            locks: Arc::default(),
            clock: parts.clock,
            under: OnceLock::new(),
        };
        node.take_up()?;
        Ok(Arc::new(node))
    }

    /// Queues what the spool holds.
    fn take_up(&self) -> Result<(), NodeError> {
        let configured: BTreeSet<_> = self.config.destinations.keys().map(String::as_str).collect();
        for destination in self.spool.destinations() {
            let waiting = self.spool.list_outbox(&destination)?;
            if !waiting.is_empty() && !configured.contains(destination.as_str()) {
                warn!(
                    destination = destination.as_str(),
                    waiting = waiting.len(),
                    "instances wait for a destination that is not configured"
                );
            }
        }
        Ok(self.queue.fill(&self.spool)?)
    }

    /// The spool, for `accept`.
    #[must_use]
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Alone with an instance while it is compared, kept and noted; blocks.
    pub fn arriving(&self, key: &[u8; 16]) -> MutexGuard<'_, ()> {
        let [first, ..] = *key;
        let place = usize::from(first) % ARRIVING;
        self.arriving[place].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An acknowledged instance is there to be cleaned.
    pub fn received(&self, id: SpoolId, project: &str, key: [u8; 16], sha256: String) {
        self.repeats.note(key, id, sha256);
        self.queue.offer(&Stage::Clean, id, project);
    }

    /// Cleans and forwards until `stopping` is set; returns when all that was
    /// begun has ended or stands where the next start finds it.
    pub async fn run(
        self: &Arc<Self>,
        line: Arc<CleanLine>,
        destinations: Vec<deliver::Destination>,
        stopping: Stopping,
    ) {
        let mut tasks = Tasks::default();
        tasks.spawn("what reads quarantine", Arc::clone(self).read_quarantine(stopping.clone()));
        tasks.spawn("what reads versions", Arc::clone(self).remember_versions(stopping.clone()));
        tasks.spawn("what ends kept ones", keep::keep_loop(Arc::clone(self), stopping.clone()));
        // One more than there are workers: while one instance is verified the
        // next one is cleaned.
        for _ in 0..=self.config.workers {
            let cleaning =
                stages::clean_loop(Arc::clone(self), Arc::clone(&line), stopping.clone());
            tasks.spawn("cleaning", cleaning);
        }
        for destination in destinations {
            let name = destination.name.clone();
            if let (Some(_asked), Target::Ae(sender)) =
                (self.commitments.line(&name), &destination.target)
            {
                let (node, address) = (Arc::clone(self), sender.address().clone());
                let asking = committer::commit_loop(node, name.clone(), address, stopping.clone());
                tasks.spawn(&format!("storage commitment of {}", name.as_str()), asking);
            }
            let sending = deliver::deliver_loop(Arc::clone(self), destination, stopping.clone());
            tasks.spawn(&format!("sending to {}", name.as_str()), sending);
        }
        while let Some(ended) = tasks.running.join_next_with_id().await {
            if let Err(error) = ended {
                let what = tasks.names.get(&error.id()).map_or("a task", String::as_str);
                self.task_ended(what);
            }
        }
    }

    /// Runs a blocking step of the spool.
    pub(super) async fn on_spool<T: Send + 'static>(
        &self,
        step: impl FnOnce(&Spool) -> Result<T, SpoolError> + Send + 'static,
    ) -> Result<T, NodeError> {
        let spool = self.spool.clone();
        match blocking(move || step(&spool)).await {
            Ok(done) => Ok(done?),
            Err(ended) => Err(ended.into()),
        }
    }

    /// Names rules, models and version that a project's instances are cleaned with;
    /// one name for all projects that are not configured.
    pub(super) fn cleaned_under(&self, project: &str) -> String {
        let known = self.under.get_or_init(|| again::names_of_rules(&self.config));
        known.get(project).cloned().unwrap_or_default()
    }

    /// The record, or why it cannot be trusted.
    pub(super) async fn record(
        &self,
        id: SpoolId,
    ) -> Result<Result<Record, Quarantine>, NodeError> {
        match self.on_spool(move |spool| spool.record(id)).await {
            Ok(record) => Ok(Ok(record)),
            Err(NodeError::Spool(SpoolError::Damaged { what, .. })) => {
                Ok(Err(Quarantine::new(Reason::DamagedSpool, what)))
            }
            Err(error) => Err(error),
        }
    }

    /// Puts an instance into quarantine, with a receipt. The receipt first, as
    /// for a delivery (decision 0004): killed in between, the instance is tried
    /// and set aside once more, and the same event is written twice.
    pub(super) async fn quarantine(&self, id: SpoolId, why: Quarantine) -> Result<(), NodeError> {
        let held = self.locks.hold(id).await;
        self.quarantine_held(&held, id, SetAside { why, leaving: None }).await
    }

    /// [`Node::quarantine`] by who holds the instance already, and knows under
    /// which UIDs it was to leave.
    pub(super) async fn quarantine_held(
        &self,
        _held: &Held,
        id: SpoolId,
        aside: SetAside,
    ) -> Result<(), NodeError> {
        let SetAside { why, leaving } = aside;
        warn!(spool_id = %id, reason = why.reason.code(), detail = why.detail, "quarantined");
        // Its repeats stay known: the same bytes are not set aside twice. Only what is
        // damaged here is taken again, from now on: its sender has it whole.
        if why.reason == Reason::DamagedSpool {
            self.repeats.forget(id);
        }
        let outcome = Outcome::Quarantined { reason: why.reason, detail: why.detail.clone() };
        let record = self.record(id).await?;
        if let Ok(record) = &record {
            self.receipt(id, record, None, outcome.clone()).await?;
        }
        let arrival = record.as_ref().ok().and_then(|record| record.arrival.as_ref());
        let under = arrival.map(|arrival| self.cleaned_under(&arrival.project));
        self.on_spool(move |spool| spool.quarantine_leaving(id, &why, leaving, under)).await?;
        // What the spool noted, before the queue forgets that it was to be cleaned.
        let noted = self.on_spool(move |spool| spool.record(id)).await.ok();
        self.note_aside(id, noted.as_ref());
        self.versions.left(id);
        for stage in self.queue.stages() {
            self.queue.done(&stage, id);
            self.goes_on(&stage, id);
        }
        self.refusals.forget(id);
        self.kept.remove(id);
        self.commitments.forget(id);
        if record.is_err() {
            // Rebuilt from the bytes by now.
            let record = self.on_spool(move |spool| spool.record(id)).await?;
            self.receipt(id, &record, None, outcome).await?;
        }
        Ok(())
    }

    /// Writes a receipt; returns when it is synced.
    pub(super) async fn receipt(
        &self,
        id: SpoolId,
        record: &Record,
        report: Option<&Report>,
        outcome: Outcome,
    ) -> Result<(), NodeError> {
        let receipt = self.receipt_of(id, record, report, outcome);
        Ok(self.ledger.append_async(&receipt).await?)
    }

    pub(super) fn receipt_of(
        &self,
        id: SpoolId,
        record: &Record,
        report: Option<&Report>,
        outcome: Outcome,
    ) -> Receipt {
        let project = record.arrival.as_ref().map_or("", |arrival| arrival.project.as_str());
        let event = Event {
            id: id.to_string(),
            project: project.to_owned(),
            time_unix_ms: self.clock.unix_ms(),
            outcome,
        };
        match report {
            Some(report) => Receipt::of_cleaned(event, report),
            None => Receipt::of_uncleaned(event, &record.sha256),
        }
    }
}

/// What runs until the node stops, by its name.
#[derive(Default)]
struct Tasks {
    running: JoinSet<()>,
    names: HashMap<tokio::task::Id, String>,
}

impl Tasks {
    fn spawn(&mut self, name: &str, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.running.spawn(task).id();
        self.names.insert(id, name.to_owned());
    }
}

/// Why an instance is set aside.
pub(super) struct SetAside {
    /// Reason and place.
    pub(super) why: Quarantine,
    /// Under which UIDs it was to leave.
    pub(super) leaving: Option<Leaving>,
}
