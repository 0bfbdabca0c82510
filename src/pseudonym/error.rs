//! What can go wrong with pseudonyms, and what happens then.
//!
//! No variant holds a patient's value: at most paths of ours, counts and key ids.

use std::io;
use std::path::PathBuf;

/// Why no pseudonym can be given, or the table cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum PseudonymError {
    /// The caller quarantines with `no-patient-id`.
    #[error("there is no Patient ID")]
    NoPatientId,
    /// Project, issuer or Patient ID over its limit: quarantine.
    #[error("{what} is longer than {limit_bytes} bytes")]
    TooLong {
        /// Which of them.
        what: &'static str,
        /// Its limit.
        limit_bytes: usize,
    },
    /// The project takes codes from a list, and this person is not in it: quarantine.
    #[error("this person is not in the project's list")]
    NotInList,
    /// The project moves baseline dates, and this person has none: quarantine.
    #[error("no baseline date was imported for this person")]
    NoBaselineDate,
    /// The project's baseline date was changed after the import: quarantine.
    #[error("the project's baseline date is not the one that this person's dates were moved to")]
    BaselineMoved,
    /// An import gives a person another shift or baseline date: refused, since
    /// dates that were sent are moved otherwise.
    #[error("the dates of this person are moved by another number of days already")]
    ShiftKnown,
    /// A code or prefix that cannot stand in LO and PN: refused to whoever gave it.
    #[error("a code has 1 to 64 printable ASCII characters without \\ ^ = and outer spaces")]
    BadCode,
    /// An import would let Patient IDs out as they are: refused.
    #[error("the code is the Patient ID itself")]
    CodeIsId,
    /// An import or link gives a person a second code: refused, the first stays.
    #[error("this person has another code in this project already")]
    PersonKnown,
    /// An import gives a code to a second person: refused.
    #[error("this code belongs to another person in this project")]
    CodeTaken,
    /// A link starts from a person that is not in the table: refused.
    #[error("this person has no code in this project yet")]
    PersonUnknown,
    /// A shift outside −36,500 to 36,500, or 0: the import is refused.
    #[error("a date shift is at most 36500 days either way, and never 0")]
    BadShift,
    /// So many codes were taken that something is wrong: quarantine, a bug.
    #[error("no free code was found in {tries} tries")]
    NoFreeCode {
        /// Codes that were taken.
        tries: u32,
    },
    /// The system's source of randomness failed: try again.
    #[error("no randomness from the system")]
    NoRandomness,
    /// Two processes on one directory: the second gives up.
    #[error("{path} is in use by another process")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The node does not start.
    #[error("{path} is missing, but its index stands: restore the journal from its backup")]
    JournalMissing {
        /// Where it should stand.
        path: PathBuf,
    },
    /// The node does not start.
    #[error("{path} is no pseudonym journal of version 1 or its first 32 bytes are damaged")]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// The node does not start: skipping a record would split a person.
    #[error(
        "{path} is damaged at byte {offset_bytes} (after record {sequence}), and whole records \
         follow: check the disk and restore the journal from its backup"
    )]
    JournalDamaged {
        /// The journal.
        path: PathBuf,
        /// Where the damaged record begins.
        offset_bytes: u64,
        /// Number of the last sound record before it.
        sequence: u64,
    },
    /// The node does not start: mappings that were told to somebody are gone.
    #[error(
        "the pseudonym journal ends at record {journal_sequence}, but its index has seen record \
         {index_sequence}: restore the newest journal, or move the index aside to accept the loss"
    )]
    JournalBehindIndex {
        /// Last record of the journal.
        journal_sequence: u64,
        /// Last record that the index has seen.
        index_sequence: u64,
    },
    /// The key in `keys/` is not the one that this was made with.
    #[error("the table was written with key {key_id}, which is not at hand: restore that key")]
    UnknownKey {
        /// Id of the missing key.
        key_id: String,
    },
    /// Whole by its checksum but not by its key: tampering, or a bug.
    #[error("record {sequence} of the pseudonym journal cannot be opened with its key")]
    Undecipherable {
        /// The record's number.
        sequence: u64,
    },
    /// The index and the journal say different things: restart, which rebuilds the index.
    #[error("the pseudonym index does not agree with record {sequence} of the journal")]
    IndexDisagrees {
        /// The journal's record, or 0 where it is about the whole.
        sequence: u64,
    },
    /// sled failed: restart, which rebuilds the index.
    #[error("the pseudonym index failed")]
    Index(#[from] sled::Error),
    /// An earlier write could not be made durable. Nothing new is assigned until a restart.
    #[error("the pseudonym table failed earlier and takes no new persons until a restart")]
    Failed,
    /// The disk failed: the instance is tried again later.
    #[error("cannot {step} {path}")]
    Io {
        /// What was tried.
        step: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl PseudonymError {
    /// For `map_err`: the system's error with what was tried on which file.
    pub(super) fn io(
        step: &'static str,
        path: &std::path::Path,
    ) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { step, path: path.clone(), source }
    }
}
