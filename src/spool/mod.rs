//! Durable store of received instances: bytes in, [`SpoolId`] out. The
//! directory is the queue; every state is a name, and names alone tell after
//! a crash how far an instance had come.
//!
//! Invariants
//! * [`SpoolWriter::commit`] returns only after bytes, record and name are
//!   synced; `accept` answers success only after that.
//! * An acknowledged instance has its original under exactly one of
//!   `received`, `held` and `quarantine` until [`Spool::forget`] or
//!   [`Spool::discard`].
//! * What is written is sealed where the vault says so; lengths and digests are
//!   those of the plain bytes.
//! * All blocking; callers in async code use `spawn_blocking`. Never imports `clean`.
//!
//! # Names of one instance
//!
//! | name | is there | bytes |
//! |---|---|---|
//! | `incoming/ID.part` | while it is received | growing |
//! | `meta/ID.meta` | from before the original's name to the very end | [`Record`] |
//! | `received/ID` | from the acknowledgement until a clean copy stands | the original |
//! | `cleaned/ID.part` | while a worker writes | growing |
//! | `report/ID.json`, `cleaned/ID` | from the clean commit until it is forgotten | report, clean copy |
//! | `outbox/DEST/ID` | from the clean commit, or a repeat, until DEST has it | hard link to the clean copy |
//! | `held/ID` | from the clean commit until it is forgotten | the original |
//! | `quarantine/ID` | from the verdict until release or discard | the original |
//!
//! `transactions/NAME.json` are open requests for storage commitment.
//!
//! # What a crash leaves, and what [`Spool::open`] makes of it
//!
//! The strongest original wins: `quarantine` over `held` over `received`.
//!
//! | originals | it means | made of it |
//! |---|---|---|
//! | none | never acknowledged, or being forgotten or discarded | all other names are removed, the record last |
//! | `received` | waiting, or a clean commit had not ended | report, clean copy and links are removed: it is cleaned again, with the same result |
//! | `held` (and `received`) | the links were durable before `held` got its name | `received` is removed; each link still there is a delivery to make, none means all are made: it is kept or forgotten |
//! | `quarantine` (and another) | a quarantine or a release had not ended, nobody was told | the other original, links, clean copy and report are removed |
//!
//! An acknowledged original moves by a second name, its sync, and the removal
//! of the first name, never by rename: so a cut leaves both names, never none.
//! The old name may come back after a power cut until its directory is synced
//! too. The rule above makes that harmless for `received` beside `held`; every
//! step that would make it harmful (forget, quarantine, release, discard) syncs
//! that directory as well. Open syncs all directories before and after mending,
//! so that nothing is built on what a killed process left unsynced.
#![warn(clippy::indexing_slicing, clippy::as_conversions, clippy::arithmetic_side_effects)]

mod admit;
mod commitment;
mod deliver;
mod error;
mod id;
mod io;
mod keep;
mod layout;
mod lock;
mod quarantine;
mod quota;
mod record;
mod recover;
mod sealed;
mod steps;
mod store;
#[cfg(test)]
#[allow(clippy::as_conversions, clippy::arithmetic_side_effects, reason = "tests may fail loudly")]
mod tests;
mod transactions;

pub use commitment::{Commitment, CommitmentEnd};
pub use error::SpoolError;
pub use id::{DestinationName, NameError, SpoolId};
pub use io::{SpoolReader, SpoolWriter};
pub use layout::State;
pub use lock::{DataLock, LockError};
pub use record::{Arrival, Decision, Delivery, Discard, Leaving, QuarantineNote, Record, Then};
pub use recover::Recovery;
pub use store::{Spool, SpoolLimits};
#[cfg(test)]
pub(crate) use tests::{invented_arrival, spool_in};
pub use transactions::{Asked, Said, Transaction, TransactionName};
