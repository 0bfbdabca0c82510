//! Puts the parts together: what `serve`, `deid` and the asking commands need.

pub mod door;
pub mod opened;
pub mod serve;
pub mod tls;

pub use opened::{AppError, Opened};
pub use serve::serve;
