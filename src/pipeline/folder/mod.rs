//! A folder through the same cleaning line as the node's: files in, clean
//! files and a list of what happened out.
//!
//! The input is the durable original: nothing is spooled, and what is
//! quarantined stays where it lies and out of the output. What is no DICOM
//! object ([`kind`]) is counted and left; archives ([`zip`]) are looked into.
//! Memory grows by some 200 bytes a file: outcomes are told in order and not kept.

mod feed;
mod find;
mod kind;
mod once;
mod order;
mod places;
mod settle;
mod tally;
mod tree;
mod zip;
#[cfg(test)]
#[allow(clippy::as_conversions, clippy::arithmetic_side_effects, reason = "our own numbers")]
mod zip_tests;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

pub use find::{Found, find, input_files};
pub use kind::Kind;
pub use places::{
    REPORT_HEAD, prepare, refuse_overlap, refuse_report, refuse_unusable, report_part, staging_dir,
};
pub use tally::Tally;
pub use tree::Tree;

use super::line::{CleanLine, LineJob};
use crate::clean::{AdmitError, Checked, Cleaned, Report};
use crate::config::Project;
use crate::forward::folder::Folder;
use crate::forward::outcome::Outcome as Sent;
use crate::reason::{Quarantine, Reason};
use crate::receipt::{Event, Ledger, Outcome as Evidence, Receipt};
use crate::vault::{Stored, Vault};
use crate::worker::WorkError;
use feed::{Feed, Item, Origin, Source, Task};
use once::{Claim, Mark, Once, mark};
use order::InOrder;
use settle::{SETTLING_MAX, Settler};

/// Tries of one file before it is quarantined (decision 4).
const ATTEMPTS_MAX: u32 = 3;
/// Outcomes that wait for one before them. Default 512: while one long cine is
/// cleaned, some hundred slices go by.
const AHEAD_MAX: usize = 512;
/// Why a folder could not be cleaned at all.
#[derive(Debug, thiserror::Error)]
pub enum FolderRunError {
    /// The input cannot be read: exit 64.
    #[error("{path}: {source}", path = .path.display())]
    Input {
        /// The path.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The output would be read as input, or the keys be given away with it: exit 64.
    #[error("input, output and data directory must not lie in each other")]
    Overlap,
    /// A path is not what it is to be: exit 64.
    #[error("{path}: {problem}", path = .path.display())]
    Unusable {
        /// The path.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: &'static str,
    },
    /// The output or what is needed for it cannot be written: exit 75.
    #[error("cannot write: {0}")]
    Output(String),
    /// The report cannot be written: exit 75.
    #[error("{path}: {source}", path = .path.display())]
    Report {
        /// Where it should stand.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Cleaning could not be tried: exit 75.
    #[error(transparent)]
    Work(WorkError),
}

/// What happened to one file.
#[derive(Debug, Clone, Serialize)]
pub struct FileOutcome {
    /// Place in the sorted list of inputs, from 1; members of archives count.
    pub number: usize,
    /// Input path; may identify, so that it is shown only when asked for.
    #[serde(skip)]
    pub input: String,
    /// What.
    #[serde(flatten)]
    pub end: End,
}

/// How it ended for one file.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum End {
    /// A clean copy stands in the output.
    Cleaned {
        /// New path below the output folder.
        output: PathBuf,
        /// What was done.
        report: Box<Report>,
    },
    /// The same instance with the same clean bytes came before in this run.
    Repeat,
    /// It stays where it is and out of the output.
    Quarantined {
        /// Why.
        reason: Reason,
        /// Where: rule, tag path, limit.
        #[serde(skip_serializing_if = "String::is_empty")]
        detail: String,
    },
    /// It is no DICOM object.
    #[serde(rename = "not-dicom")]
    Left {
        /// What it is.
        kind: Kind,
    },
}

/// What is needed to clean a folder.
pub struct FolderRun {
    /// The line.
    pub line: Arc<CleanLine>,
    /// The project.
    pub project: Arc<Project>,
    /// Receipts.
    pub ledger: Arc<Ledger>,
    /// Marks the receipts of this run.
    pub run_id: String,
    /// Time of the receipts, milliseconds since 1970.
    pub unix_ms: u64,
    /// Files that are cleaned and placed at once.
    pub at_once: usize,
    /// Where files are cleaned ([`staging_dir`]).
    pub staging: PathBuf,
    /// Says whether what lies there is sealed.
    pub vault: Vault,
    /// The output folder as a destination.
    pub folder: Folder,
    /// What was searched ([`find`]).
    pub input: PathBuf,
    /// New names of directories, where the input's tree is kept.
    pub tree: Option<Tree>,
}

/// State of one run.
struct Running {
    run: FolderRun,
    once: Once,
    settler: Settler,
    /// Staging files that nobody uses; each is used again, since making and
    /// removing files costs more than their bytes.
    slots: Mutex<Vec<Stored>>,
}

type Ended = Result<FileOutcome, FolderRunError>;

impl FolderRun {
    /// Cleans what was found, several at once; `told` gets every outcome in the
    /// order of the input, and how many there will be as far as is known.
    ///
    /// # Errors
    /// [`FolderRunError::Work`] when no worker can be started;
    /// [`FolderRunError::Output`] when the output cannot be written.
    pub async fn run(
        self,
        found: Vec<Found>,
        mut told: impl FnMut(FileOutcome, usize) -> Result<(), FolderRunError>,
    ) -> Result<(), FolderRunError> {
        let at_once = self.at_once.max(1);
        let turns = Arc::new(Semaphore::new(at_once));
        let mut feed = Feed::new(found, self.staging.clone(), self.vault.clone());
        let running = Arc::new(self.running(at_once)?);
        let mut order = InOrder::default();
        let mut tasks: JoinSet<(Option<Mark>, Ended)> = JoinSet::new();
        let mut in_work = HashSet::new();
        let mut next = None;
        let mut ended = false;
        loop {
            let ahead = order.waiting();
            let more = |tasks: usize| tasks < at_once + SETTLING_MAX && ahead < AHEAD_MAX;
            // A file that waits for another of its instance has its turn already.
            let mut blocked = false;
            while !ended && !blocked && more(tasks.len()) {
                let Ok(turn) = Arc::clone(&turns).try_acquire_owned() else { break };
                if next.is_none() {
                    // Reads a file's head, or unpacks a member.
                    next = tokio::task::block_in_place(|| feed.next())?;
                }
                let Some(item) = next.take() else {
                    ended = true;
                    break;
                };
                let instance = item.instance();
                // Of two files of one instance the first in order is the one
                // that counts, so the second waits for its end.
                blocked = instance.is_some_and(|instance| !in_work.insert(instance));
                if blocked {
                    next = Some(item);
                } else {
                    let running = Arc::clone(&running);
                    tasks.spawn(async move { (instance, running.one(item, turn).await) });
                }
            }
            let more = !ended && !blocked && more(tasks.len());
            let joined = tokio::select! {
                joined = tasks.join_next(), if !tasks.is_empty() => joined,
                _free = turns.acquire(), if more => continue,
                else => break,
            };
            let Some(joined) = joined else { break };
            let (instance, outcome) =
                joined.map_err(|error| FolderRunError::Output(error.to_string()))?;
            if let Some(instance) = instance {
                in_work.remove(&instance);
            }
            let outcome = outcome?;
            order.put(outcome.number, outcome);
            while let Some(outcome) = order.take() {
                told(outcome, feed.expected())?;
            }
        }
        Ok(())
    }

    fn running(self, at_once: usize) -> Result<Running, FolderRunError> {
        let slot = |slot| staged(&self.vault, self.staging.join(format!("slot-{slot}")));
        let slots = (0..at_once).map(slot).collect::<Result<Vec<_>, _>>()?;
        let settler = Settler::start(self.folder.clone(), Arc::clone(&self.ledger));
        Ok(Running { run: self, once: Once::default(), settler, slots: Mutex::new(slots) })
    }
}

impl Item {
    /// Tells instances apart before they are cleaned, where file meta names them.
    fn instance(&self) -> Option<Mark> {
        match &self.task {
            Task::Clean { instance: Some(uid), .. } => Some(mark(uid.as_str())),
            Task::Clean { instance: None, .. } | Task::Leave(_) | Task::Refuse(_) => None,
        }
    }
}

impl Running {
    /// Takes one file to its end. `turn` is given back when it stands in the
    /// output: receipts come many at once, and need none.
    async fn one(&self, item: Item, turn: OwnedSemaphorePermit) -> Ended {
        let Item { number, origin, task } = item;
        let (end, dirs) = match task {
            Task::Leave(kind) => (End::Left { kind }, Vec::new()),
            Task::Refuse(quarantine) => (quarantined(quarantine), Vec::new()),
            Task::Clean { source, instance: _ } => {
                let slot = self.slot()?;
                let placed = self.clean_and_place(&origin, &source, &slot).await;
                self.slots.lock().unwrap_or_else(PoisonError::into_inner).push(slot);
                placed?
            }
        };
        drop(turn);
        if let Some(receipt) = self.receipt(number, &end) {
            self.settler.settle(dirs, &receipt).await?;
        }
        Ok(FileOutcome { number, input: origin.shown(), end })
    }

    /// How it ended, and which directories of the output have a new name.
    async fn clean_and_place(
        &self,
        origin: &Origin,
        source: &Source,
        slot: &Stored,
    ) -> Result<(End, Vec<PathBuf>), FolderRunError> {
        let checked = match self.clean(&source.file, slot).await {
            Ok(checked) => checked,
            Err(WorkError::Quarantine(why)) => return Ok((quarantined(why), Vec::new())),
            Err(WorkError::Died { death, what }) => {
                let why = Quarantine::new(death.reason(), what);
                return Ok((quarantined(why), Vec::new()));
            }
            Err(error) => return Err(FolderRunError::Work(error)),
        };
        match self.once.claim(&checked.report.sop_instance).await {
            Claim::First(pending) => {
                let (end, dirs) = self.place(origin, checked).await?;
                if let End::Cleaned { report, .. } = &end {
                    pending.settle(&report.output_digest);
                }
                Ok((end, dirs))
            }
            Claim::Before(digest) => Ok((repeated(checked, digest).await?, Vec::new())),
        }
    }

    /// Admits a checked file into the output.
    async fn place(
        &self,
        origin: &Origin,
        checked: Checked,
    ) -> Result<(End, Vec<PathBuf>), FolderRunError> {
        let run = &self.run;
        let dirs = run.tree.as_ref().map(|tree| tree.dirs(&origin.dirs(&run.input)));
        let folder = run.folder.clone();
        let output = place_of(&checked.report, dirs.as_deref());
        let placed =
            tokio::task::spawn_blocking(move || folder.deliver_checked(checked, dirs.as_deref()));
        match placed.await.map_err(|error| FolderRunError::Output(error.to_string()))? {
            Ok((cleaned, dirs)) => {
                let report = Box::new(cleaned.report().clone());
                Ok((End::Cleaned { output, report }, dirs))
            }
            Err(Sent::Quarantine(why)) => Ok((quarantined(why), Vec::new())),
            Err(
                Sent::Delivered
                | Sent::DeliveredWithWarning(_)
                | Sent::AlreadyThere(_)
                | Sent::RetryItem
                | Sent::RetryDestination
                | Sent::PauseDestination
                | Sent::FewerAssociations
                | Sent::OtherSyntaxNeeded(_),
            ) => Err(FolderRunError::Output("the output folder cannot be written".into())),
        }
    }

    fn slot(&self) -> Result<Stored, FolderRunError> {
        let free = self.slots.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // There are as many slots as tasks.
        free.map_or_else(|| staged(&self.run.vault, self.run.staging.join("slot")), Ok)
    }

    /// What is put on record, if anything is.
    fn receipt(&self, number: usize, end: &End) -> Option<Receipt> {
        let event = |outcome| Event {
            id: format!("{}-{number}", self.run.run_id),
            project: self.run.project.name.clone(),
            time_unix_ms: self.run.unix_ms,
            outcome,
        };
        match end {
            End::Cleaned { report, .. } => {
                // The output's path may identify; the receipt says that it was a folder.
                let destination = "folder".to_owned();
                let evidence = Evidence::Delivered { destination, status: 0 };
                Some(Receipt::of_cleaned(event(evidence), report))
            }
            End::Quarantined { reason, detail } => {
                let evidence = Evidence::Quarantined { reason: *reason, detail: detail.clone() };
                Some(Receipt::of_uncleaned(event(evidence), ""))
            }
            End::Repeat | End::Left { .. } => None,
        }
    }

    async fn clean(&self, input: &Stored, output: &Stored) -> Result<Checked, WorkError> {
        let job = LineJob {
            input,
            output,
            project: &self.run.project,
            default_issuer: "",
            expected_digest: None,
            treatments: None,
            leaving: None,
        };
        let mut attempt = 1;
        loop {
            match self.run.line.check(job).await {
                Err(WorkError::Died { .. }) if attempt < ATTEMPTS_MAX => attempt += 1,
                other => return other,
            }
        }
    }
}

/// A staged file at this path.
fn staged(vault: &Vault, path: PathBuf) -> Result<Stored, FolderRunError> {
    vault.staged(path).map_err(|error| FolderRunError::Output(error.to_string()))
}

/// An instance that came before, as an object of this digest.
async fn repeated(checked: Checked, before: Mark) -> Result<End, FolderRunError> {
    let admit = move || {
        let path = checked.written.clone();
        Cleaned::admit_copying(checked, path, &mut std::io::sink())
    };
    let admitted = tokio::task::spawn_blocking(admit).await;
    let admitted = admitted.map_err(|error| FolderRunError::Output(error.to_string()))?;
    let (reason, detail) = match admitted {
        Ok(cleaned) if mark(&cleaned.report().output_digest) == before => return Ok(End::Repeat),
        Ok(_other) => {
            (Reason::Conflict, "another file of this instance in the same input has other content")
        }
        Err(AdmitError::Io(error)) => return Err(FolderRunError::Output(error.to_string())),
        Err(AdmitError::Length { .. } | AdmitError::Digest) => {
            (Reason::DamagedSpool, "clean file changed after it was checked")
        }
    };
    Ok(quarantined(Quarantine::new(reason, detail)))
}

fn quarantined(why: Quarantine) -> End {
    End::Quarantined { reason: why.reason, detail: why.detail }
}

/// Where [`Folder`] puts it, below the output folder.
fn place_of(report: &Report, dirs: Option<&[String]>) -> PathBuf {
    let usual = [&report.patient_code, &report.study_instance, &report.series_instance];
    let dirs: PathBuf = match dirs {
        Some(dirs) => dirs.iter().collect(),
        None => usual.into_iter().collect(),
    };
    dirs.join(format!("{}.dcm", report.sop_instance))
}
