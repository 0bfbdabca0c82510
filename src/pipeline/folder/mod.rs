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
mod tally;
mod tree;
mod zip;
#[cfg(test)]
#[allow(clippy::as_conversions, clippy::arithmetic_side_effects, reason = "our own numbers")]
mod zip_tests;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::task::JoinSet;

pub use find::{Found, find, input_files};
pub use kind::Kind;
pub use places::{prepare, refuse_overlap, staging_dir};
pub use tally::Tally;
pub use tree::Tree;

use super::line::{CleanLine, LineJob};
use crate::clean::Report;
use crate::config::Project;
use crate::forward::folder::Folder;
use crate::forward::outcome::Outcome as Sent;
use crate::reason::{Quarantine, Reason};
use crate::receipt::{Event, Ledger, Outcome as Evidence, Receipt};
use crate::worker::WorkError;
use feed::{Feed, Item, Origin, Source, Task};
use once::{Claim, Once, mark};
use order::InOrder;

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
    /// The output cannot be written: exit 75.
    #[error("output: {0}")]
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
    /// Files at once.
    pub at_once: usize,
    /// Where files are cleaned ([`staging_dir`]).
    pub staging: PathBuf,
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
    /// Staging files that nobody uses; each is used again, since making and
    /// removing files costs more than their bytes.
    slots: Mutex<Vec<PathBuf>>,
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
        let mut feed = Feed::new(found, self.staging.clone());
        let slots = (0..at_once).map(|slot| self.staging.join(format!("slot-{slot}"))).collect();
        let running =
            Arc::new(Running { run: self, once: Once::default(), slots: Mutex::new(slots) });
        let mut order = InOrder::default();
        let mut tasks: JoinSet<(Option<[u8; 16]>, Ended)> = JoinSet::new();
        let mut in_work = HashSet::new();
        let mut next = None;
        let mut ended = false;
        loop {
            while !ended && tasks.len() < at_once && order.waiting() < AHEAD_MAX {
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
                if instance.is_some_and(|instance| !in_work.insert(instance)) {
                    next = Some(item);
                    break;
                }
                let running = Arc::clone(&running);
                tasks.spawn(async move { (instance, running.one(item).await) });
            }
            let Some(joined) = tasks.join_next().await else { break };
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
}

impl Item {
    /// Tells instances apart before they are cleaned, where file meta names them.
    fn instance(&self) -> Option<[u8; 16]> {
        match &self.task {
            Task::Clean { instance: Some(uid), .. } => Some(mark(uid.as_str())),
            Task::Clean { instance: None, .. } | Task::Leave(_) | Task::Refuse(_) => None,
        }
    }
}

impl Running {
    async fn one(&self, item: Item) -> Ended {
        let Item { number, origin, task } = item;
        let end = match task {
            Task::Leave(kind) => End::Left { kind },
            Task::Refuse(quarantine) => quarantined(quarantine),
            Task::Clean { source, instance: _ } => {
                let slot = self.slot();
                let end = self.clean_and_place(number, &origin, &source, &slot).await;
                self.slots.lock().unwrap_or_else(PoisonError::into_inner).push(slot);
                end?
            }
        };
        if let End::Quarantined { reason, detail } = &end {
            let evidence = Evidence::Quarantined { reason: *reason, detail: detail.clone() };
            self.note(&Receipt::of_uncleaned(self.event(number, evidence), "")).await?;
        }
        Ok(FileOutcome { number, input: origin.shown(), end })
    }

    async fn clean_and_place(
        &self,
        number: usize,
        origin: &Origin,
        source: &Source,
        slot: &Path,
    ) -> Result<End, FolderRunError> {
        let report = match self.clean(&source.path, slot).await {
            Ok(report) => report,
            Err(WorkError::Quarantine(quarantine)) => return Ok(quarantined(quarantine)),
            Err(WorkError::Died { death, what }) => {
                return Ok(quarantined(Quarantine::new(death.reason(), what)));
            }
            Err(error) => return Err(FolderRunError::Work(error)),
        };
        match self.once.claim(&report.sop_instance, &report.output_digest) {
            Claim::First => self.place(number, origin, report, slot).await,
            Claim::Repeat => Ok(End::Repeat),
            Claim::Conflict => {
                let detail = "another file of this instance in the same input has other content";
                Ok(quarantined(Quarantine::new(Reason::Conflict, detail)))
            }
        }
    }

    /// Admits a checked file into the output, with a receipt.
    async fn place(
        &self,
        number: usize,
        origin: &Origin,
        report: Report,
        staged: &Path,
    ) -> Result<End, FolderRunError> {
        let run = &self.run;
        let dirs = run.tree.as_ref().map(|tree| tree.dirs(&origin.dirs(&run.input)));
        let (folder, staged) = (run.folder.clone(), staged.to_owned());
        let output = place_of(&report, dirs.as_deref());
        let placed = tokio::task::spawn_blocking(move || {
            folder.deliver_checked(report, &staged, dirs.as_deref())
        });
        let placed = placed.await.map_err(|error| FolderRunError::Output(error.to_string()))?;
        match placed {
            Ok(cleaned) => {
                // The output's path may identify; the receipt says that it was a folder.
                let destination = "folder".to_owned();
                let evidence = Evidence::Delivered { destination, status: 0 };
                let event = self.event(number, evidence);
                self.note(&Receipt::of_cleaned(event, cleaned.report())).await?;
                Ok(End::Cleaned { output, report: Box::new(cleaned.report().clone()) })
            }
            Err(Sent::Quarantine(why)) => Ok(quarantined(why)),
            Err(
                Sent::Delivered
                | Sent::DeliveredWithWarning(_)
                | Sent::RetryItem
                | Sent::RetryDestination
                | Sent::PauseDestination
                | Sent::OtherSyntaxNeeded(_),
            ) => Err(FolderRunError::Output("the output folder cannot be written".into())),
        }
    }

    fn slot(&self) -> PathBuf {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        // There are as many slots as tasks.
        slots.pop().unwrap_or_else(|| self.run.staging.join("slot"))
    }

    fn event(&self, number: usize, outcome: Evidence) -> Event {
        Event {
            id: format!("{}-{number}", self.run.run_id),
            project: self.run.project.name.clone(),
            time_unix_ms: self.run.unix_ms,
            outcome,
        }
    }

    async fn note(&self, receipt: &Receipt) -> Result<(), FolderRunError> {
        let noted = self.run.ledger.append_async(receipt).await;
        noted.map_err(|error| FolderRunError::Output(error.to_string()))
    }

    async fn clean(&self, input: &Path, output: &Path) -> Result<Report, WorkError> {
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
