//! The door to research: cleaned instances in, the destination's word out.
//!
//! Takes [`Cleaned`] and nothing else, so that no path leads from a received
//! file to a destination. A destination is a DICOM node ([`send::Sender`]) or a
//! directory ([`folder::Folder`]); what an answer means is one table
//! ([`outcome`]), when to try again one rule ([`backoff`]). Keeps no state on
//! disk: `pipeline` removes an outbox link after [`Outcome::Delivered`].

pub mod backoff;
pub mod commitment;
pub mod folder;
pub mod outcome;
pub mod send;

pub use backoff::{Backoff, Waits};
pub use folder::Folder;
pub use outcome::{Answer, Outcome, outcome};
pub use send::Sender;

pub use crate::dimse::scu::Kind;

use crate::clean::Cleaned;
use crate::dicom::{TransferSyntax, Uid};
use crate::reason::{Quarantine, Reason};
use crate::vault::Stored;

/// What a destination needs of a [`Cleaned`], taken from its checked report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwardable<'a> {
    /// The clean DICOM file.
    pub file: &'a Stored,
    /// SOP class.
    pub sop_class: Uid,
    /// New SOP instance.
    pub sop_instance: Uid,
    /// New series.
    pub series: Uid,
    /// New study.
    pub study: Uid,
    /// Transfer syntax of the file.
    pub transfer_syntax: TransferSyntax,
    /// Pseudonym.
    pub patient_code: &'a str,
    /// Hex SHA-256 of the file.
    pub digest: &'a str,
}

impl<'a> Forwardable<'a> {
    /// Reads the report of a cleaned instance.
    ///
    /// # Errors
    /// [`Quarantine`] when the report holds a malformed UID, which is a bug.
    pub fn of(cleaned: &'a Cleaned) -> Result<Self, Quarantine> {
        let report = cleaned.report();
        let uid = |text: &str, name: &str| {
            let malformed = || format!("{name} in the report is no UID");
            text.parse::<Uid>().map_err(|_bad| Quarantine::new(Reason::Internal, malformed()))
        };
        let syntax = uid(&report.transfer_syntax_out, "transfer syntax")?;
        Ok(Self {
            file: cleaned.file(),
            sop_class: uid(&report.sop_class, "SOP class")?,
            sop_instance: uid(&report.sop_instance, "SOP instance")?,
            series: uid(&report.series_instance, "series")?,
            study: uid(&report.study_instance, "study")?,
            transfer_syntax: TransferSyntax::new(syntax),
            patient_code: &report.patient_code,
            digest: &report.output_digest,
        })
    }
}

#[cfg(test)]
pub(crate) mod testing;
