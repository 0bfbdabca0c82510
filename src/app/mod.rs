//! Puts the parts together: what `serve`, `deid` and the asking commands need.

mod commitment;
pub mod conformance;
pub mod door;
mod found;
pub mod opened;
pub mod passcodes;
pub mod peers;
pub mod serve;
#[cfg(test)]
mod simulation;

pub use opened::{AppError, Opened};
pub use serve::serve;
