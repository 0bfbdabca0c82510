//! DIMSE over the DICOM upper layer (PS3.7, PS3.8): associations, commands and
//! streamed data sets, in both roles.
//!
//! In: a connected byte stream. Out: checked commands and pieces of data sets.
//! `accept` and `forward` build services on it; it knows neither spool nor
//! configuration. Only the types and the coding of PDUs come from `dicom-ul`;
//! state, limits and answers are ours, so that every refusal carries the right
//! source and reason.
//!
//! Invariant: nothing is allocated by a length that a peer states before that
//! length was compared with a named limit, and no byte of a peer can panic.
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::as_conversions, clippy::arithmetic_side_effects)
)]

pub mod association;
pub mod command;
pub mod commitment;
mod data_set;
pub mod limits;
pub mod pdu;
pub mod scu;
pub mod status;
pub mod stream;
pub mod tls;
pub mod transport;

pub use association::{Association, AssociationError, Context};
pub use command::CommandSet;
pub use limits::Limits;
pub use transport::Transport;
