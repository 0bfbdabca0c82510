//! Evidence: what became of each instance, in a ledger that cannot be changed
//! unseen (DESIGN.md decision 16).
//!
//! Invariant: no receipt holds a value of the input, and an appended receipt
//! is durable before its caller hears so.
//!
//! Read in this order: [`receipt`], `outcome`, [`ledger`], then below it `writer`, `chain`,
//! `segments` and `iter`.

mod chain;
mod error;
mod iter;
pub mod ledger;
mod outcome;
#[allow(clippy::module_inception, reason = "the file is named after its type")]
pub mod receipt;
mod segments;
#[cfg(test)]
mod tests;
mod writer;

pub use chain::LedgerKey;
pub use error::LedgerError;
pub use iter::{Filter, Receipts};
pub use ledger::{ClosedLedger, Ledger};
pub use outcome::{Outcome, OutcomeKind, Release, TableAction};
pub use receipt::{Cleaning, Detail, Event, EventKey, Receipt, report_bytes};
pub use writer::LedgerReport;
