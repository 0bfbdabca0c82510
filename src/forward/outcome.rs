//! What a destination's answer means for an instance: one table, pure.
//!
//! The rows are DESIGN.md's and `facts/ops.md` 1.4; a test names each of them.

use std::fmt;

use crate::dicom::TransferSyntax;
use crate::dimse::association::AssociationError;
use crate::dimse::association::requestor::ProposalError;
use crate::dimse::scu::{OpenError, Place, SendError};
use crate::reason::{Quarantine, Reason};

/// Most tries of an instance that a destination cannot process (0110).
/// 10: a destination's bug is found by then, its restart is over.
pub const PROCESSING_TRIES_MAX: u32 = 10;

/// What a destination did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It answered C-STORE with this status.
    Status(u16),
    /// It rejected the association (PS3.8 §9.3.4).
    Rejected {
        /// Result 1, permanent; else transient.
        permanent: bool,
        /// Source.
        from: u8,
        /// Reason.
        reason: u8,
    },
    /// No connection, or none that became an association.
    Unreachable,
    /// The same, or a transient rejection, while other associations with it are open.
    NoFurther,
    /// It aborted the association while this instance was on its way.
    Aborted,
    /// The connection broke or fell silent while this instance was on its way.
    Broken,
    /// It takes the class, but only recoded.
    OtherSyntax(TransferSyntax),
    /// It takes the class in none of the syntaxes at hand.
    NoSyntax,
    /// It does not take the class.
    NoClass,
    /// Our own clean file cannot be read.
    FileUnreadable,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "it answered C-STORE with {status:04X}H"),
            Self::Rejected { permanent, from, reason } => {
                let result = if *permanent { "for good" } else { "for the time being" };
                write!(f, "it rejected the association {result}")?;
                match rejection(*from, *reason) {
                    Some(why) => write!(f, ": {why}"),
                    None => write!(f, " (source {from}, reason {reason})"),
                }
            }
            Self::Unreachable | Self::NoFurther => f.write_str("no association came about"),
            Self::Aborted => f.write_str("it aborted the association"),
            Self::Broken => f.write_str("the connection broke or fell silent"),
            Self::OtherSyntax(_) | Self::NoSyntax => {
                f.write_str("it did not accept the transfer syntax")
            }
            Self::NoClass => f.write_str("it did not accept the SOP class"),
            Self::FileUnreadable => f.write_str("the clean file cannot be read here"),
        }
    }
}

/// Reasons of A-ASSOCIATE-RJ (PS3.8 Table 9-21) that say something.
fn rejection(from: u8, reason: u8) -> Option<&'static str> {
    match (from, reason) {
        (1, 2) => Some("application context name not supported"),
        (1, 3) => Some("calling AE title not recognized"),
        (1, 7) => Some("called AE title not recognized"),
        (2, 2) => Some("protocol version not supported"),
        (3, 1) => Some("temporary congestion"),
        (3, 2) => Some("local limit exceeded"),
        _ => None,
    }
}

/// What is done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It stands there.
    Delivered,
    /// It stands there, the destination remarked something (Bxxx): counted and shown.
    DeliveredWithWarning(u16),
    /// It says that it has an instance of this UID already (0111): delivered before a crash
    /// or an abort, unless what is sent corrects what it has.
    AlreadyThere(u16),
    /// This instance is tried again later, others go on: the same bytes under
    /// the same UID, since it may stand there already.
    RetryItem,
    /// The destination is full or away: all its instances wait, by [`super::Backoff`].
    RetryDestination,
    /// The destination's configuration refuses us: it is paused, an alarm is
    /// raised, and it is probed with C-ECHO.
    PauseDestination,
    /// It takes no more associations at present: the instance goes over those that
    /// are open.
    FewerAssociations,
    /// No try can help this instance.
    Quarantine(Quarantine),
    /// A worker writes a second [`crate::clean::Cleaned`] in this syntax.
    OtherSyntaxNeeded(TransferSyntax),
}

/// What an answer means; `tries` counts this one.
#[must_use]
pub fn outcome(answer: &Answer, tries: u32) -> Outcome {
    match answer {
        Answer::Status(status) => of_status(*status, tries),
        Answer::Rejected { permanent: true, .. } => Outcome::PauseDestination,
        Answer::Rejected { permanent: false, .. } | Answer::Unreachable | Answer::Broken => {
            Outcome::RetryDestination
        }
        Answer::NoFurther => Outcome::FewerAssociations,
        Answer::Aborted => Outcome::RetryItem,
        Answer::OtherSyntax(syntax) => Outcome::OtherSyntaxNeeded(syntax.clone()),
        Answer::NoSyntax => quarantine(Reason::NoTransferSyntax, "context result 4"),
        Answer::NoClass => quarantine(Reason::RefusedByDestination, "SOP class not accepted"),
        Answer::FileUnreadable => quarantine(Reason::DamagedSpool, "clean file cannot be read"),
    }
}

fn of_status(status: u16, tries: u32) -> Outcome {
    match status {
        0x0000 => Outcome::Delivered,
        // Warnings of PS3.4 Table B.2-1, and those of PS3.7 Annex C for any service.
        0xB000..=0xBFFF | 0x0001 | 0x0107 | 0x0116 => Outcome::DeliveredWithWarning(status),
        // Duplicate SOP Instance (PS3.7 Annex C).
        0x0111 => Outcome::AlreadyThere(status),
        0xA700..=0xA7FF | 0x0213 => Outcome::RetryDestination,
        0x0110 if tries < PROCESSING_TRIES_MAX => Outcome::RetryItem,
        0x0124 | 0x0214 => Outcome::PauseDestination,
        // 0110 too often, A9xx, Cxxx, 0117, 0122 and 0112, 0212, and what nobody has defined.
        _permanent => quarantine(Reason::RefusedByDestination, &format!("status {status:04X}")),
    }
}

fn quarantine(reason: Reason, detail: &str) -> Outcome {
    Outcome::Quarantine(Quarantine::new(reason, detail))
}

impl From<&OpenError> for Answer {
    fn from(error: &OpenError) -> Self {
        match error {
            OpenError::Proposal(ProposalError::Rejected { result, from, reason }) => {
                Self::Rejected { permanent: *result == 1, from: *from, reason: *reason }
            }
            OpenError::Connect(_)
            | OpenError::ConnectTimedOut { .. }
            | OpenError::Tls(_)
            | OpenError::Proposal(ProposalError::Association(_)) => Self::Unreachable,
        }
    }
}

impl From<&SendError> for Answer {
    fn from(error: &SendError) -> Self {
        match error {
            SendError::File(_) | SendError::Head(_) | SendError::Nameless => Self::FileUnreadable,
            SendError::NoPlace(place) => place.into(),
            SendError::Association(AssociationError::Source(_)) => Self::FileUnreadable,
            SendError::Association(AssociationError::Aborted { .. }) => Self::Aborted,
            SendError::Association(
                AssociationError::Pdu(_)
                | AssociationError::Command(_)
                | AssociationError::OutOfTurn { .. }
                | AssociationError::Endless
                | AssociationError::ForeignContext { .. },
            ) => Self::Broken,
        }
    }
}

impl From<&Place> for Answer {
    fn from(place: &Place) -> Self {
        match place {
            Place::OtherSyntax(syntax) => Self::OtherSyntax(syntax.clone()),
            Place::NoSyntax => Self::NoSyntax,
            Place::NoClass => Self::NoClass,
            // An association that was opened for something else: a new one is opened.
            Place::NotProposed | Place::Context(_) => Self::Unreachable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_of_the_table_has_its_outcome() {
        let refused = |detail: &str| quarantine(Reason::RefusedByDestination, detail);
        let rejected = |permanent| Answer::Rejected { permanent, from: 1, reason: 3 };
        let explicit = TransferSyntax::new("1.2.840.10008.1.2.1".parse().unwrap());
        let rows = [
            (Answer::Status(0x0000), Outcome::Delivered),
            (Answer::Status(0xB000), Outcome::DeliveredWithWarning(0xB000)),
            (Answer::Status(0xB006), Outcome::DeliveredWithWarning(0xB006)),
            (Answer::Status(0xB007), Outcome::DeliveredWithWarning(0xB007)),
            (Answer::Status(0x0111), Outcome::AlreadyThere(0x0111)),
            (Answer::Status(0xA700), Outcome::RetryDestination),
            (Answer::Status(0xA702), Outcome::RetryDestination),
            (Answer::Status(0x0213), Outcome::RetryDestination),
            (Answer::Status(0x0110), Outcome::RetryItem),
            (Answer::Status(0xA900), refused("status A900")),
            (Answer::Status(0xC000), refused("status C000")),
            (Answer::Status(0xCFFF), refused("status CFFF")),
            (Answer::Status(0x0117), refused("status 0117")),
            (Answer::Status(0x0122), refused("status 0122")),
            (Answer::Status(0x0112), refused("status 0112")),
            (Answer::Status(0x0212), refused("status 0212")),
            (Answer::Status(0x1234), refused("status 1234")),
            (Answer::Status(0x0124), Outcome::PauseDestination),
            (Answer::Status(0x0214), Outcome::PauseDestination),
            (rejected(true), Outcome::PauseDestination),
            (rejected(false), Outcome::RetryDestination),
            (Answer::Unreachable, Outcome::RetryDestination),
            (Answer::Broken, Outcome::RetryDestination),
            (Answer::NoFurther, Outcome::FewerAssociations),
            (Answer::Aborted, Outcome::RetryItem),
            (Answer::OtherSyntax(explicit.clone()), Outcome::OtherSyntaxNeeded(explicit)),
            (Answer::NoSyntax, quarantine(Reason::NoTransferSyntax, "context result 4")),
            (Answer::NoClass, refused("SOP class not accepted")),
            (Answer::FileUnreadable, quarantine(Reason::DamagedSpool, "clean file cannot be read")),
        ];
        for (answer, expected) in rows {
            assert_eq!(outcome(&answer, 1), expected, "{answer:?}");
        }
    }

    #[test]
    fn a_processing_failure_is_tried_ten_times() {
        let failure = Answer::Status(0x0110);
        assert_eq!(outcome(&failure, 9), Outcome::RetryItem);
        assert!(matches!(outcome(&failure, 10), Outcome::Quarantine(_)));
        assert_eq!(outcome(&Answer::Status(0xA700), 10_000), Outcome::RetryDestination);
    }
}
