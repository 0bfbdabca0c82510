//! Makes names in the output durable, those of many files at once, and then
//! writes the receipts.
//!
//! Invariant: a receipt says "delivered" only after the directories that the
//! file's name stands in are synced.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::FolderRunError;
use crate::forward::folder::Folder;
use crate::receipt::{Ledger, Receipt};

/// Files whose names wait to be synced. Default 256, as a group of the ledger.
pub(super) const SETTLING_MAX: usize = 256;
/// How long the first name of a group waits for others. Default 10 ms, as the
/// ledger: files of a series follow each other faster.
const GROUP_WAIT: Duration = Duration::from_millis(10);

/// Takes what was placed and quarantined.
#[derive(Debug)]
pub(super) struct Settler {
    ledger: Arc<Ledger>,
    queue: mpsc::Sender<Job>,
}

/// Directories to sync, and who is to be told.
struct Job {
    dirs: Vec<PathBuf>,
    reply: oneshot::Sender<Result<(), String>>,
}

impl Settler {
    /// Begins to sync for `folder`; ends with this value.
    pub(super) fn start(folder: Folder, ledger: Arc<Ledger>) -> Self {
        let (queue, jobs) = mpsc::channel(SETTLING_MAX);
        tokio::spawn(sync_groups(folder, jobs));
        Self { ledger, queue }
    }

    /// Syncs the directories, then writes the receipt.
    ///
    /// # Errors
    /// [`FolderRunError::Output`] when one of the two cannot be done.
    pub(super) async fn settle(
        &self,
        dirs: Vec<PathBuf>,
        receipt: &Receipt,
    ) -> Result<(), FolderRunError> {
        if !dirs.is_empty() {
            self.sync(dirs).await.map_err(FolderRunError::Output)?;
        }
        let noted = self.ledger.append_async(receipt).await;
        noted.map_err(|error| FolderRunError::Output(error.to_string()))
    }

    async fn sync(&self, dirs: Vec<PathBuf>) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        let ended = || "the output folder is not synced any more".to_owned();
        self.queue.send(Job { dirs, reply }).await.map_err(|_closed| ended())?;
        answer.await.map_err(|_closed| ended())?
    }
}

async fn sync_groups(folder: Folder, mut jobs: mpsc::Receiver<Job>) {
    let mut group = Vec::new();
    while let Some(first) = jobs.recv().await {
        tokio::time::sleep(GROUP_WAIT).await;
        group.push(first);
        while group.len() < SETTLING_MAX
            && let Ok(job) = jobs.try_recv()
        {
            group.push(job);
        }
        let dirs = group.iter_mut().flat_map(|job| std::mem::take(&mut job.dirs));
        let dirs: BTreeSet<PathBuf> = dirs.collect();
        let folder = folder.clone();
        let synced = tokio::task::spawn_blocking(move || folder.sync(&dirs)).await;
        let synced = match synced {
            Ok(synced) => synced.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        for job in group.drain(..) {
            // Whoever went away was told that the run failed.
            drop(job.reply.send(synced.clone()));
        }
    }
}
