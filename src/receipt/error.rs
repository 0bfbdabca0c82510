//! What can go wrong with the ledger, and what happens then.

use std::io;

/// Why a receipt is not written, or the ledger cannot be read. Cheap to copy,
/// since all callers of one group get the same answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The disk failed: the receipt is tried again, the held original stays.
    #[error("receipt ledger: cannot {step}: {kind}")]
    Io {
        /// What was tried.
        step: &'static str,
        /// The system's error.
        kind: io::ErrorKind,
    },
    /// An earlier sync failed. Nothing is taken until a restart; originals stay held.
    #[error("the receipt ledger failed earlier and takes nothing until a restart")]
    Failed,
    /// The ledger is being closed; the receipt is written after the restart.
    #[error("the receipt ledger is closed")]
    Closed,
    /// Lines stand there, but nothing says how many there should be. The node
    /// does not start.
    #[error(
        "receipt ledger: `head.0` and `head.1` are missing, damaged or of another key; restore them, or \
         move the receipts directory aside as it is and start a new one"
    )]
    NoAnchor,
    /// Lines that were written are gone. The node does not start.
    #[error(
        "receipt ledger: {segment} has {found_bytes} bytes where {expected_bytes} were written; \
         restore it, or move the receipts directory aside as it is and start a new one"
    )]
    CutOff {
        /// The file.
        segment: String,
        /// Its length as it was acknowledged.
        expected_bytes: u64,
        /// Its length.
        found_bytes: u64,
    },
    /// More is wrong behind the last acknowledged line than a torn write leaves.
    /// The node does not start.
    #[error(
        "receipt ledger: {segment} is damaged from byte {offset_bytes} on; restore it, or move \
         the receipts directory aside as it is and start a new one"
    )]
    Damaged {
        /// The file.
        segment: String,
        /// Where the damage begins.
        offset_bytes: u64,
    },
    /// A line was changed, added or taken out, or the disk has damaged it.
    #[error(
        "receipt ledger: {segment} line {line} does not follow on the line before it: somebody or \
         the disk changed it; keep it as it is for whoever asks, and restore it from a backup"
    )]
    Broken {
        /// The file.
        segment: String,
        /// The first line that is wrong, from 1.
        line: u64,
    },
}

impl LedgerError {
    /// For `map_err`: the system's error with what was tried.
    pub(super) fn io(step: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| Self::Io { step, kind: error.kind() }
    }
}
