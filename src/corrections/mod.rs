//! What must be remembered to notice a correction made in the clinic: which
//! person a study came under, and which instances a rejection note withdrew.
//!
//! Invariants
//! * What [`CorrectionBook::claim`] and [`CorrectionBook::recall`] answer is
//!   synced in the journal: a restart knows it too.
//! * No original UID, name or Patient ID is in it: studies and Patient IDs are
//!   keyed marks, persons their pseudonyms, instances stand under the UIDs that
//!   they leave with.
//! * Bounded: the oldest studies are forgotten ([`STUDIES_MAX`]), recalls are
//!   refused over [`RECALLED_MAX`] and never forgotten.
//!
//! Read in this order: this file, [`book`], `journal` below it.

pub mod book;
mod error;
mod journal;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use book::{BookReport, LocalBook};
pub use error::CorrectionError;

/// Studies that are remembered. Default 900,000: three years of a hospital with
/// 300,000 a year, in 35 MB of memory.
pub const STUDIES_MAX: usize = 900_000;
/// Recalled instances that are remembered. Default 250,000: some 500 whole CT
/// studies, in 25 MB of memory.
pub const RECALLED_MAX: usize = 250_000;

/// Who a study comes under.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The project.
    pub project: &'a str,
    /// Study Instance UID as received.
    pub study: &'a str,
    /// Patient ID, normalised.
    pub patient_id: &'a str,
    /// The instance itself says who issued it.
    pub issuer_stated: bool,
    /// Who issued it, normalised: stated, or by the configuration; may be empty.
    pub issuer: &'a str,
    /// A Patient ID without an issuer is that of the one person known by it.
    pub joins_missing_issuer: bool,
}

/// Whose a study is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// It was not known; it is this person's from now on.
    New,
    /// This person's.
    Same,
    /// That of the person with this pseudonym: the same Patient ID, and one of the
    /// two says nothing of its issuer, as senders of one person do.
    Join(String),
    /// It came before under another: held as `second-patient`.
    Other,
}

/// What a rejection note withdrew. UIDs are those under which instances leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    /// The project.
    pub project: String,
    /// SOP Instance UID of the note.
    pub note: String,
    /// Code of its title (PS3.16 CID 7010).
    pub code: String,
    /// When it was first seen, milliseconds since 1970 UTC.
    pub time_unix_ms: u64,
    /// SOP Instance UIDs of what it names.
    pub instances: Vec<String>,
}

/// That a rejection note withdrew an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    /// Code of the note's title (PS3.16 CID 7010).
    pub code: String,
    /// When the note was first seen, milliseconds since 1970.
    pub at_unix_ms: u64,
}

/// The memory of one site. One local implementation, [`LocalBook`]; a site that
/// outgrows one machine will have one over a network (DESIGN.md decision 20).
pub trait CorrectionBook: Send + Sync + std::fmt::Debug {
    /// Whether nothing more is remembered until a restart; never waits.
    fn has_failed(&self) -> bool;

    /// Whose the study is, when it now comes with the pseudonym `code`. The first
    /// one to claim it keeps it; that is durable when this returns. Linked
    /// Patient IDs share a code, so that they are one person here too.
    ///
    /// # Errors
    /// [`CorrectionError`]: the instance is tried again later.
    fn claim(&self, claim: Claim<'_>, code: &str) -> Result<Owner, CorrectionError>;

    /// The pseudonym to join for a claim ([`Owner::Join`]), asked before the
    /// person is given one. A study that was not known is that person's from now on.
    ///
    /// # Errors
    /// [`CorrectionError`]: the instance is tried again later.
    fn joins(&self, claim: Claim<'_>) -> Result<Option<String>, CorrectionError>;

    /// Gives the study to the person with the pseudonym `code`, because somebody
    /// has found out that it is theirs.
    ///
    /// # Errors
    /// [`CorrectionError`]: the instance is tried again later.
    fn adopt(&self, claim: Claim<'_>, code: &str) -> Result<(), CorrectionError>;

    /// Remembers a rejection note; durable when this returns. The same note of
    /// the same project again changes nothing.
    ///
    /// # Errors
    /// [`CorrectionError::TooMany`]: the note is quarantined. Others: it is
    /// tried again later.
    fn recall(&self, recall: Recall) -> Result<(), CorrectionError>;

    /// The last note that withdrew the instance which leaves as `instance`.
    fn recalled_by(&self, instance: &str) -> Option<Withdrawn>;

    /// All recalls, oldest first.
    fn recalls(&self) -> Vec<Recall>;
}
