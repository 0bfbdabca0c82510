//! Why bytes are not taken as a data set.

use std::io;

use crate::dicom::path::TagPath;

/// A fault of the stream. The caller quarantines: [`ReadError::Limit`] as over
/// a limit, [`ReadError::Io`] as damage of the store, the others as unreadable.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The source itself failed.
    #[error("source cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A length says more than there is.
    #[error("{path} at byte {offset} wants {wanted} bytes, {left} are left")]
    Truncated {
        /// The element.
        path: TagPath,
        /// Where it begins to fail, from the start of the source.
        offset: u64,
        /// Bytes its header asks for.
        wanted: u64,
        /// Bytes left in the sequence, item or file around it.
        left: u64,
    },
    /// More than [`super::ReadLimits`] lets pass.
    #[error("{path} at byte {offset} passes the limit {limit}")]
    Limit {
        /// Name of the limit's field.
        limit: &'static str,
        /// The element.
        path: TagPath,
        /// From the start of the source.
        offset: u64,
    },
    /// An item, a delimiter or a command element where none may stand, or
    /// something else where one must stand (PS3.5 §7.5).
    #[error("{path} at byte {offset} is out of place")]
    Misplaced {
        /// The element.
        path: TagPath,
        /// From the start of the source.
        offset: u64,
    },
    /// No known VR, and neither length form fits (PS3.5 §7.1.2).
    #[error("{path} at byte {offset} has no value representation that can be read")]
    BadVr {
        /// The element.
        path: TagPath,
        /// From the start of the source.
        offset: u64,
    },
    /// Undefined length where the VR does not allow it (PS3.5 §7.1.2).
    #[error("{path} at byte {offset} may not have an undefined length")]
    BadUndefinedLength {
        /// The element.
        path: TagPath,
        /// From the start of the source.
        offset: u64,
    },
    /// Neither file meta nor a plain data set at the start.
    #[error(
        "the file begins neither with a head that states a transfer syntax nor with a data set"
    )]
    NotDicom,
    /// A private or unknown transfer syntax.
    #[error("transfer syntax is not known")]
    UnknownTransferSyntax,
    /// The data set is deflated: the caller inflates it first
    /// ([`super::inflate`]) and reads the inflated file.
    #[error("data set is deflated")]
    Deflated,
    /// The deflated stream is damaged.
    #[error("deflated data set is damaged")]
    BadDeflate,
}
