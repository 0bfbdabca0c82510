//! What can go wrong with the memory of corrections, and what happens then.

use std::io;
use std::path::PathBuf;

/// Why something was not remembered, or the memory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum CorrectionError {
    /// The note is quarantined with `over-limit`.
    #[error("over {limit} recalled instances")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The node does not start.
    #[error("{path} is no journal of corrections of version 1, or its beginning is damaged")]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// The node does not start: a study of two patients could pass unnoticed.
    #[error(
        "{path} is damaged at byte {offset_bytes}, and whole records follow: check the disk and \
         restore it from its backup, or move it aside to begin without what it remembered"
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Where the damage begins.
        offset_bytes: u64,
    },
    /// The node does not start: what is remembered cannot be compared.
    #[error("{path} was written with key {key_id}, which is not at hand: restore that key")]
    UnknownKey {
        /// The journal.
        path: PathBuf,
        /// Id of the missing key.
        key_id: String,
    },
    /// An earlier write could not be made durable: nothing new until a restart.
    #[error("the journal of corrections failed earlier and takes nothing until a restart")]
    Failed,
    /// The disk failed: the instance is tried again later.
    #[error("cannot {step} {path}: {source}")]
    Io {
        /// What was tried.
        step: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl CorrectionError {
    /// For `map_err`: the system's error with what was tried on which file.
    pub(super) fn io(
        step: &'static str,
        path: &std::path::Path,
    ) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { step, path: path.clone(), source }
    }
}
