//! What can go wrong with pixels; each kind has one reason for quarantine.

use crate::reason::{Quarantine, Reason};

/// Why pixels could not be used. Every variant ends in quarantine.
#[derive(Debug, thiserror::Error)]
pub enum PixelError {
    /// A coding that is not handled: `unsupported-pixels`.
    #[error("{what} is not supported")]
    Unsupported {
        /// The coding.
        what: &'static str,
    },
    /// An attribute that decoding needs is missing or malformed: `decode-failed`.
    #[error("{name} is missing or malformed")]
    Attribute {
        /// Keyword of the attribute.
        name: &'static str,
    },
    /// Header, length and codestream contradict each other: `decode-failed`.
    #[error("{what} does not agree with the header")]
    Disagrees {
        /// What contradicts.
        what: &'static str,
    },
    /// A codestream is damaged: `decode-failed`.
    #[error("{codec}: {what}")]
    Damaged {
        /// The coding.
        codec: &'static str,
        /// What was found.
        what: &'static str,
    },
    /// A limit of the project was passed: `over-limit`.
    #[error("limit {limit} is passed")]
    OverLimit {
        /// Name of the limit.
        limit: &'static str,
    },
    /// Reading the input or the scratch file failed: `internal`.
    #[error("file of the worker: {0}")]
    File(#[from] std::io::Error),
}

impl From<PixelError> for Quarantine {
    fn from(error: PixelError) -> Self {
        let reason = match &error {
            PixelError::Unsupported { .. } => Reason::UnsupportedPixels,
            PixelError::Attribute { .. }
            | PixelError::Disagrees { .. }
            | PixelError::Damaged { .. } => Reason::DecodeFailed,
            PixelError::OverLimit { .. } => Reason::OverLimit,
            PixelError::File(_) => Reason::Internal,
        };
        Self::new(reason, error.to_string())
    }
}
