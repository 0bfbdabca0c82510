//! The ledger of receipts: a [`Receipt`] in, durable evidence on disk.
//!
//! Invariant: [`Ledger::append`] answers only after the line is synced, so that
//! `forget` may then remove the original. One thread writes; callers that come
//! at the same time share its syncs.
//!
//! Appending is idempotent for readers: after a crash the same event may be
//! written again (its time may differ), and [`Receipts`] gives it once. The same
//! event means the same [`super::EventKey`] with no release between.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::chain::{Anchor, LedgerKey};
use super::error::LedgerError;
use super::iter::{Filter, Receipts};
use super::receipt::Receipt;
use super::segments;
use super::writer::{GROUP_LINES_MAX, LedgerReport, Writer, read_anchor};
use crate::clock::Clock;
use crate::disk::{Disk, FailedSync};

/// Receipts waiting for the writer. Default 1,024: four groups, 1 MB.
const QUEUE_RECEIPTS_MAX: usize = 1_024;
/// How long the first receipt of a group waits for others. Default 10 ms: a
/// sync takes 2 to 20 ms, and nobody waits for a receipt but `forget`; 50 ms is
/// the most that DESIGN.md decision 16 allows.
const GROUP_WAIT: Duration = Duration::from_millis(10);

/// The open ledger.
#[derive(Debug)]
pub struct Ledger {
    place: Place,
    synced: Arc<Mutex<Anchor>>,
    failed: FailedSync,
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// Where a ledger lies and how its lines are checked.
#[derive(Debug, Clone)]
struct Place {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    key: LedgerKey,
}

#[derive(Debug)]
struct Job {
    json: String,
    reply: oneshot::Sender<Result<(), LedgerError>>,
}

impl Ledger {
    /// Opens or makes the ledger in `dir` and starts its writer.
    ///
    /// # Errors
    /// [`LedgerError`]: the node does not start; each says what to do.
    pub fn open(
        dir: &Path,
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        key: LedgerKey,
    ) -> Result<(Self, LedgerReport), LedgerError> {
        let (writer, report) = Writer::open(dir, Arc::clone(&disk), clock, key.clone())?;
        let synced = Arc::new(Mutex::new(writer.anchor().clone()));
        let failed = writer.failed();
        let (queue, jobs) = mpsc::channel(QUEUE_RECEIPTS_MAX);
        let after_sync = Arc::clone(&synced);
        #[cfg(test)]
        if crate::simulated::is_on() {
            tokio::spawn(write_groups_simulated(writer, jobs, after_sync));
            let place = Place { dir: dir.to_owned(), disk, key };
            return Ok((Self { place, synced, failed, queue: Some(queue), thread: None }, report));
        }
        let thread = std::thread::Builder::new()
            .name("receipts".to_owned())
            .spawn(move || write_groups(writer, jobs, &after_sync))
            .map_err(LedgerError::io("start the writer"))?;
        let place = Place { dir: dir.to_owned(), disk, key };
        Ok((Self { place, synced, failed, queue: Some(queue), thread: Some(thread) }, report))
    }

    /// Writes a receipt; returns when it is durable. For threads outside the
    /// async runtime: within it, use [`Ledger::append_async`].
    ///
    /// # Errors
    /// [`LedgerError`]: the receipt is tried again, the held original stays.
    ///
    /// # Panics
    /// When called within an async task, which it would block.
    pub fn append(&self, receipt: &Receipt) -> Result<(), LedgerError> {
        let (reply, answer) = oneshot::channel();
        let job = Job { json: receipt.to_json(), reply };
        self.queue()?.blocking_send(job).map_err(|_closed| LedgerError::Closed)?;
        answer.blocking_recv().unwrap_or(Err(LedgerError::Closed))
    }

    /// Writes a receipt; ready when it is durable.
    ///
    /// # Errors
    /// [`LedgerError`]: the receipt is tried again, the held original stays.
    pub async fn append_async(&self, receipt: &Receipt) -> Result<(), LedgerError> {
        let (reply, answer) = oneshot::channel();
        let job = Job { json: receipt.to_json(), reply };
        self.queue()?.send(job).await.map_err(|_closed| LedgerError::Closed)?;
        answer.await.unwrap_or(Err(LedgerError::Closed))
    }

    /// Whether nothing more is written until a restart: a sync failed, or the writer ended.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.is_set() || self.queue.as_ref().is_none_or(mpsc::Sender::is_closed)
    }

    /// Number of receipts that are durable, repeated ones included.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.anchor().lines
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Walks the chain over all segments and gives the number of lines.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] names the first line that is wrong,
    /// [`LedgerError::CutOff`] says that lines are missing at the end.
    pub fn verify(&self) -> Result<u64, LedgerError> {
        segments::verify(&self.place.dir, &self.place.disk, &self.place.key, &self.anchor())
    }

    /// The receipts that are durable now, oldest first, each event once.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub fn iter(&self, filter: Filter) -> Result<Receipts, LedgerError> {
        Receipts::new(&self.place.dir, &self.place.disk, &self.anchor(), filter)
    }

    #[cfg(test)]
    pub(super) fn anchor_turn(&self) -> u64 {
        self.anchor().turn
    }

    fn anchor(&self) -> Anchor {
        self.synced.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn queue(&self) -> Result<&mpsc::Sender<Job>, LedgerError> {
        self.queue.as_ref().ok_or(LedgerError::Closed)
    }
}

impl Drop for Ledger {
    /// Writes what is waiting, then stops the writer.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the writer was reported by its hook; its callers got `Closed`.
            drop(thread.join());
        }
    }
}

/// A ledger that no process writes to, for the command line: changes nothing.
#[derive(Debug)]
pub struct ClosedLedger {
    place: Place,
    anchor: Anchor,
}

impl ClosedLedger {
    /// Reads the anchor of the ledger in `dir`; nothing where there is no ledger.
    ///
    /// # Errors
    /// [`LedgerError::NoAnchor`], [`LedgerError::Io`].
    pub fn open(
        dir: &Path,
        disk: Arc<dyn Disk>,
        key: LedgerKey,
    ) -> Result<Option<Self>, LedgerError> {
        let anchor = read_anchor(dir, disk.as_ref(), &key)?;
        let place = Place { dir: dir.to_owned(), disk, key };
        Ok(anchor.map(|anchor| Self { place, anchor }))
    }

    /// As [`Ledger::verify`].
    ///
    /// # Errors
    /// As [`Ledger::verify`].
    pub fn verify(&self) -> Result<u64, LedgerError> {
        segments::verify(&self.place.dir, &self.place.disk, &self.place.key, &self.anchor)
    }

    /// As [`Ledger::iter`].
    ///
    /// # Errors
    /// As [`Ledger::iter`].
    pub fn iter(&self, filter: Filter) -> Result<Receipts, LedgerError> {
        Receipts::new(&self.place.dir, &self.place.disk, &self.anchor, filter)
    }
}

/// The writer's thread: ends when the ledger is dropped.
fn write_groups(mut writer: Writer, mut jobs: mpsc::Receiver<Job>, synced: &Mutex<Anchor>) {
    while let Some(first) = jobs.blocking_recv() {
        std::thread::sleep(GROUP_WAIT);
        write_group(&mut writer, first, &mut jobs, synced);
    }
}

/// The first receipt and all that wait behind it.
fn write_group(
    writer: &mut Writer,
    first: Job,
    jobs: &mut mpsc::Receiver<Job>,
    synced: &Mutex<Anchor>,
) {
    let (mut receipts, mut replies) = (vec![first.json], vec![first.reply]);
    while receipts.len() < GROUP_LINES_MAX
        && let Ok(job) = jobs.try_recv()
    {
        receipts.push(job.json);
        replies.push(job.reply);
    }
    let written = writer.append(&receipts);
    *synced.lock().unwrap_or_else(PoisonError::into_inner) = writer.anchor().clone();
    for reply in replies {
        // Whoever went away learns it from the ledger after the restart.
        drop(reply.send(written.clone()));
    }
}

/// [`write_groups`] as a task, in simulated time.
#[cfg(test)]
async fn write_groups_simulated(
    mut writer: Writer,
    mut jobs: mpsc::Receiver<Job>,
    synced: Arc<Mutex<Anchor>>,
) {
    while let Some(first) = jobs.recv().await {
        tokio::time::sleep(GROUP_WAIT).await;
        write_group(&mut writer, first, &mut jobs, &synced);
    }
}
