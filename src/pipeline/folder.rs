//! A folder through the same cleaning line as the node's: files in, clean
//! files and a list of what happened out.
//!
//! The input is the durable original: nothing is spooled, and what is
//! quarantined stays where it lies and out of the output.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use tokio::task::JoinSet;

use super::line::{CleanLine, LineJob};
use crate::clean::{Cleaned, Report};
use crate::config::Project;
use crate::forward::folder::Folder;
use crate::forward::outcome::Outcome;
use crate::reason::{Quarantine, Reason};
use crate::receipt::{Event, Ledger, Outcome as Evidence, Receipt};
use crate::worker::WorkError;

/// Tries of one file before it is quarantined (decision 4).
const ATTEMPTS_MAX: u32 = 3;
/// Directory in the data directory that files are cleaned in: what was not yet
/// verified must never lie in the output, whatever ends the run.
const STAGING_DIR: &str = "staging";

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
    /// Cleaning could not be tried: exit 75.
    #[error(transparent)]
    Work(WorkError),
}

/// What happened to one file.
#[derive(Debug, Clone, Serialize)]
pub struct FileOutcome {
    /// Place in the sorted list of inputs, from 1.
    pub number: usize,
    /// Input path; may identify, so that it is shown only when asked for.
    #[serde(skip)]
    pub path: PathBuf,
    /// `cleaned` or `quarantined`.
    pub outcome: &'static str,
    /// New path below the output folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<PathBuf>,
    /// Why it was quarantined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Where: rule, tag path, limit.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
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
}

/// The files below `input`, sorted; links to directories are not followed.
///
/// # Errors
/// [`FolderRunError::Input`].
pub fn input_files(input: &Path) -> Result<Vec<PathBuf>, FolderRunError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| FolderRunError::Input { path, source }
    };
    let (mut files, mut dirs) = (Vec::new(), Vec::new());
    let kind = std::fs::metadata(input).map_err(failed(input))?;
    if kind.is_dir() {
        dirs.push(input.to_owned())
    } else {
        files.push(input.to_owned())
    }
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).map_err(failed(&dir))? {
            let entry = entry.map_err(failed(&dir))?;
            let path = entry.path();
            if entry.file_type().map_err(failed(&path))?.is_dir() {
                dirs.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Where files are cleaned before they are verified.
#[must_use]
pub fn staging_dir(data_dir: &Path) -> PathBuf {
    data_dir.join(STAGING_DIR)
}

/// Makes the output folder and the staging place, which is emptied of what an
/// ended run left. The caller holds the data directory.
///
/// # Errors
/// [`FolderRunError::Output`].
pub fn prepare(output: &Path, data_dir: &Path) -> Result<(), FolderRunError> {
    let failed = |path: &Path| {
        let shown = path.display().to_string();
        move |error: std::io::Error| FolderRunError::Output(format!("{shown}: {error}"))
    };
    let staging = staging_dir(data_dir);
    match std::fs::remove_dir_all(&staging) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(&staging)(error)),
    }
    std::fs::create_dir_all(&staging).map_err(failed(&staging))?;
    std::fs::create_dir_all(output).map_err(failed(output))
}

/// Refuses places that lie in each other. Asked before anything is made.
///
/// # Errors
/// [`FolderRunError::Overlap`]; [`FolderRunError::Input`] for a path that cannot be told.
pub fn refuse_overlap(input: &Path, output: &Path, data_dir: &Path) -> Result<(), FolderRunError> {
    let places = [real(input)?, real(output)?, real(data_dir)?];
    for (at, one) in places.iter().enumerate() {
        if places.iter().skip(at + 1).any(|other| one.starts_with(other) || other.starts_with(one))
        {
            return Err(FolderRunError::Overlap);
        }
    }
    Ok(())
}

/// The path without links, as far as it exists.
fn real(path: &Path) -> Result<PathBuf, FolderRunError> {
    let failed = |source| FolderRunError::Input { path: path.to_owned(), source };
    let absolute = std::path::absolute(path).map_err(failed)?;
    for existing in absolute.ancestors() {
        if let Ok(real) = existing.canonicalize() {
            let rest = absolute.strip_prefix(existing).unwrap_or(Path::new(""));
            return Ok(if rest.as_os_str().is_empty() { real } else { real.join(rest) });
        }
    }
    Ok(absolute)
}

/// Why a file is not even opened: no regular file, or one that cannot be read.
/// A pipe or a device would never end.
fn refused_unopened(path: &Path) -> Option<Quarantine> {
    let unreadable = |what: &str| Some(Quarantine::new(Reason::Unreadable, what));
    match std::fs::metadata(path) {
        Ok(kind) if !kind.is_file() => unreadable("not a regular file"),
        Ok(_) => match std::fs::File::open(path) {
            Ok(_) => None,
            Err(error) => unreadable(&error.kind().to_string()),
        },
        Err(error) => unreadable(&error.kind().to_string()),
    }
}

impl FolderRun {
    /// Cleans `files`, several at once, in a stable order of results;
    /// `progress` is told after each.
    ///
    /// # Errors
    /// [`FolderRunError::Work`] when no worker can be started;
    /// [`FolderRunError::Output`] when the output cannot be written.
    pub async fn run(
        self: Arc<Self>,
        files: Vec<PathBuf>,
        mut progress: impl FnMut(&FileOutcome),
    ) -> Result<Vec<FileOutcome>, FolderRunError> {
        let mut waiting = files.into_iter().enumerate();
        let mut tasks = JoinSet::new();
        let mut outcomes = BTreeMap::new();
        loop {
            while tasks.len() < self.at_once.max(1) {
                let Some((at, path)) = waiting.next() else { break };
                let run = Arc::clone(&self);
                tasks.spawn(async move { run.one(at + 1, path).await });
            }
            match tasks.join_next().await {
                None => break,
                Some(Ok(outcome)) => {
                    let outcome = outcome?;
                    progress(&outcome);
                    outcomes.insert(outcome.number, outcome);
                }
                Some(Err(error)) => return Err(FolderRunError::Output(error.to_string())),
            }
        }
        Ok(outcomes.into_values().collect())
    }

    async fn one(&self, number: usize, path: PathBuf) -> Result<FileOutcome, FolderRunError> {
        let part = self.staging.join(format!("{number}.part"));
        let cleaned = match refused_unopened(&path) {
            Some(refused) => Err(refused.into()),
            None => self.clean(&path, &part).await,
        };
        let verdict = match cleaned {
            Ok(cleaned) => self.place(cleaned, number).await?,
            Err(WorkError::Quarantine(quarantine)) => Err(quarantine),
            Err(WorkError::Died { death, what }) => Err(Quarantine::new(death.reason(), what)),
            Err(error) => return Err(FolderRunError::Work(error)),
        };
        // The copy in the output stands; or cleaning failed half way.
        drop(std::fs::remove_file(&part));
        let mut outcome = FileOutcome {
            number,
            path,
            outcome: "cleaned",
            output: None,
            reason: None,
            detail: String::new(),
            report: None,
        };
        match verdict {
            Ok(report) => {
                outcome.output = Some(place_of(&report));
                outcome.report = Some(report);
            }
            Err(quarantine) => {
                let evidence = Evidence::Quarantined {
                    reason: quarantine.reason,
                    detail: quarantine.detail.clone(),
                };
                let receipt = Receipt::of_uncleaned(self.event(number, evidence), "");
                self.note(&receipt).await?;
                outcome.outcome = "quarantined";
                outcome.reason = Some(quarantine.reason);
                outcome.detail = quarantine.detail;
            }
        }
        Ok(outcome)
    }

    /// Puts a clean file into the output, with a receipt.
    async fn place(
        &self,
        cleaned: Cleaned,
        number: usize,
    ) -> Result<Result<Report, Quarantine>, FolderRunError> {
        let folder = self.folder.clone();
        let placed = tokio::task::spawn_blocking(move || (folder.deliver(&cleaned), cleaned)).await;
        let (outcome, cleaned) =
            placed.map_err(|error| FolderRunError::Output(error.to_string()))?;
        match outcome {
            Outcome::Delivered | Outcome::DeliveredWithWarning(_) => {
                // The output's path may identify; the receipt says that it was a folder.
                let destination = "folder".to_owned();
                let evidence = Evidence::Delivered { destination, status: 0 };
                let event = self.event(number, evidence);
                self.note(&Receipt::of_cleaned(event, cleaned.report())).await?;
                Ok(Ok(cleaned.report().clone()))
            }
            Outcome::Quarantine(why) => Ok(Err(why)),
            Outcome::RetryItem
            | Outcome::RetryDestination
            | Outcome::PauseDestination
            | Outcome::OtherSyntaxNeeded(_) => {
                Err(FolderRunError::Output("the output folder cannot be written".into()))
            }
        }
    }

    fn event(&self, number: usize, outcome: Evidence) -> Event {
        Event {
            id: format!("{}-{number}", self.run_id),
            project: self.project.name.clone(),
            time_unix_ms: self.unix_ms,
            outcome,
        }
    }

    async fn note(&self, receipt: &Receipt) -> Result<(), FolderRunError> {
        let noted = self.ledger.append_async(receipt).await;
        noted.map_err(|error| FolderRunError::Output(error.to_string()))
    }

    async fn clean(&self, input: &Path, output: &Path) -> Result<Cleaned, WorkError> {
        let job = LineJob {
            input,
            output,
            project: &self.project,
            default_issuer: "",
            expected_digest: None,
            treatments: None,
            leaving: None,
        };
        let mut attempt = 1;
        loop {
            match self.line.clean(job).await {
                Err(WorkError::Died { .. }) if attempt < ATTEMPTS_MAX => attempt += 1,
                other => return other,
            }
        }
    }
}

/// Where [`Folder`] puts it, below the output folder.
fn place_of(report: &Report) -> PathBuf {
    [&report.patient_code, &report.study_instance, &report.series_instance]
        .into_iter()
        .collect::<PathBuf>()
        .join(format!("{}.dcm", report.sop_instance))
}
