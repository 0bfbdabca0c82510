//! What a sender is told of an instance or a message: the statuses of the door, each
//! with its Error Comment and when it is given, in one list.
//!
//! `airlock conformance` prints the list; nothing else may be answered.

use super::StoreError;
use crate::dicom::Tag;
use crate::dimse::command::Remark;
use crate::dimse::status::{self, statuses};

statuses! {
    /// Why an instance is not kept, or a message not acted on.
    Refused

    /// The reserve of free space, or the disk.
    Full = status::OUT_OF_RESOURCES, "no room, try again later",
        "free space or files under the reserve, the quota reached, no space, or the disk failed";
    /// Another class in the data set.
    OtherClass = status::DATA_SET_MISMATCH, "data set and command name different UIDs",
        "SOP Class UID of command and data set differ";
    /// Another instance in the data set.
    OtherInstance = status::DATA_SET_MISMATCH, "data set and command name different UIDs",
        "SOP Instance UID of command and data set differ";
    /// No data set in the transfer syntax of its context.
    Unreadable = status::CANNOT_UNDERSTAND, "data set unreadable up to SOP Instance UID",
        "the first 64 KiB of the data set cannot be read up to SOP Instance UID";
    /// Longer than the spool takes.
    TooLong = status::CANNOT_UNDERSTAND, "instance is too long",
        "the instance is longer than the spool takes";
    /// A bug.
    StoreFailed = status::PROCESSING_FAILURE, "the store failed",
        "an error inside airlock";
    /// The command names no UID as its instance.
    BadInstance = status::INVALID_INSTANCE, "malformed SOP Instance UID",
        "SOP Instance UID of the command is missing or malformed";
    /// Not what the context is for.
    NotOfContext = status::CLASS_NOT_SUPPORTED, "not the SOP class of the context",
        "SOP Class UID of the command is not that of its presentation context";
    /// Not C-STORE, C-ECHO or C-CANCEL.
    UnknownCommand = status::UNRECOGNIZED_OPERATION, "only C-STORE and C-ECHO are known here",
        "another command than C-STORE, C-ECHO and C-CANCEL";
    /// Nothing to store.
    NoDataSet = status::MISTYPED_ARGUMENT, "C-STORE without data set",
        "the command says that no data set follows";
}

impl Refused {
    /// What the sender is to do.
    #[must_use]
    pub fn sender(self) -> &'static str {
        match self {
            Self::Full => "tries again later",
            Self::StoreFailed => "tries again",
            Self::NotOfContext | Self::UnknownCommand => "–",
            Self::OtherClass
            | Self::OtherInstance
            | Self::Unreadable
            | Self::TooLong
            | Self::BadInstance
            | Self::NoDataSet => "mends it",
        }
    }

    /// Offending Element (0000,0901), where one is to blame.
    #[must_use]
    pub fn offending(self) -> Option<Tag> {
        match self {
            Self::OtherClass => Some(Tag(0x0008, 0x0016)),
            Self::OtherInstance => Some(Tag(0x0008, 0x0018)),
            Self::Full
            | Self::Unreadable
            | Self::TooLong
            | Self::StoreFailed
            | Self::BadInstance
            | Self::NotOfContext
            | Self::UnknownCommand
            | Self::NoDataSet => None,
        }
    }

    /// What goes into the response beside the status.
    pub(super) fn remark(self) -> Remark {
        Remark { comment: Some(self.comment()), offending: self.offending() }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::TooLong => Self::TooLong,
            StoreError::Failed => Self::StoreFailed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_fit_their_element_and_failures_are_failures() {
        for refused in Refused::ALL {
            assert!((1..=64).contains(&refused.comment().len()), "{refused:?}");
            assert_ne!(refused.status(), status::SUCCESS);
            assert!(!(0xB000..0xC000).contains(&refused.status()), "no warnings: {refused:?}");
        }
    }
}
