//! From a received object to a clean one: header, picture, second look.
//!
//! Runs in a worker process. Reads no clock and draws no randomness: the same
//! input, profile, models and key give the same bytes (DESIGN.md decision 6).

pub mod cleaned;
pub mod content;
pub mod encode;
pub mod identity;
pub mod job;
pub mod judge;
pub mod known;
pub mod metadata;
pub mod names;
pub mod parts;
pub mod pixels;
pub mod redact;
pub mod report;
mod source;
pub mod text;
mod twin;
pub mod verify;

pub use cleaned::{AdmitError, Checked, Cleaned, Rest};
pub use identity::{Identity, Rejection};
pub use known::KnownValues;
pub use parts::{Parts, Stretch};
pub use report::Report;

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
