//! What can go wrong in the spool, and what the caller does then.

use std::io;

use super::SpoolId;
use crate::vault::VaultError;

/// Why a step of the spool did not happen. The instance is where it was
/// before the step, or where the step wanted it; never nowhere.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Refused with A700 (PS3.4 Table B.2-1); the sender tries again.
    #[error("spool has {free_bytes} bytes left, reserve is {reserve_bytes}")]
    Full {
        /// Free bytes on the file system.
        free_bytes: u64,
        /// Bytes that must stay free.
        reserve_bytes: u64,
    },
    /// Refused with A700 likewise: there is space, but the file system takes no
    /// more files.
    #[error("spool has room for {free_files} more files, reserve is {reserve_files}")]
    NoFiles {
        /// Files that the file system can still hold.
        free_files: u64,
        /// Files that must stay free.
        reserve_files: u64,
    },
    /// Refused with A700; the sender tries again.
    #[error("objects take {used_bytes} bytes, quota is {quota_bytes}")]
    OverQuota {
        /// Bytes of all objects.
        used_bytes: u64,
        /// The quota.
        quota_bytes: u64,
    },
    /// Over a named limit; refused for good.
    #[error("{what} is longer than {limit_bytes} bytes")]
    TooLong {
        /// What was too long.
        what: &'static str,
        /// The limit.
        limit_bytes: u64,
    },
    /// The disk failed before: nothing is taken or changed until a restart.
    /// Answered with A700; readiness is false.
    #[error("spool stopped after the disk failed to {step}")]
    Failed {
        /// The step that failed first.
        step: &'static str,
    },
    /// The system refused a step. After a failed write or sync every later
    /// step answers [`SpoolError::Failed`].
    #[error("cannot {step}: {source}")]
    Io {
        /// What was tried.
        step: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The record cannot be trusted: quarantine with `Reason::DamagedSpool`,
    /// which writes a new one.
    #[error("record of {id} is damaged: {what}")]
    Damaged {
        /// The instance.
        id: SpoolId,
        /// What is wrong.
        what: &'static str,
    },
    /// Sealed with a key that is not here, or that cannot be used: the instance
    /// stays, and the text says what to do.
    #[error("{id}: {source}")]
    Locked {
        /// The instance.
        id: SpoolId,
        /// Why.
        source: VaultError,
    },
    /// The step does not fit the state of the instance: a second caller came
    /// first, or a bug.
    #[error("{id} cannot be used so: it is not {wanted}")]
    NotThere {
        /// The instance.
        id: SpoolId,
        /// The state that the step starts from.
        wanted: &'static str,
    },
}
