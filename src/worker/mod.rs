//! Cleaning in child processes: an order in, a report or a reason out.
//!
//! The front ([`pool`]) never decodes pixels; the child ([`child`]) has no
//! network and writes nowhere but where it is told ([`sandbox`]). A hostile
//! file costs one quarantined instance (DESIGN.md decision 4).

pub mod child;
pub mod pool;
pub mod protocol;
pub mod sandbox;

pub use pool::{Death, Made, Pool, PoolOptions, WorkError};
pub use protocol::{CleanOrder, Role, Setup, VerifyOrder};
