//! airlock: a DICOM node between clinic and research.
//!
//! The folders are read in the order of one instance's way: [`accept`] →
//! [`spool`] → [`clean`] (in a [`worker`] process) → [`forward`] →
//! [`receipt`]. [`pipeline`] alone knows the order of the durable steps.
//! Who may import whom is tested in `tests/tidy.rs`.

pub mod accept;
pub mod app;
pub mod clean;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod corrections;
pub mod dicom;
pub mod dimse;
pub mod disk;
pub mod error;
pub mod forward;
pub mod identified;
pub mod kill_point;
pub mod lifecycle;
pub mod observe;
pub mod pipeline;
pub mod pseudonym;
pub mod queue;
pub mod reason;
pub mod receipt;
#[cfg(test)]
mod simulated;
pub mod spool;
pub mod vault;
pub mod worker;
