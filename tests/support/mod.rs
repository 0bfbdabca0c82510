//! What integration tests share: the node as a process, foreign peers, waiting.
//!
//! In: a test's configuration and files. Out: running processes that end when
//! their guard is dropped. Everything panics with the next step when something
//! is missing: a test that skips itself proves nothing.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a broken counterpart must stop the test, and tests wait by the clock"
)]

pub(crate) mod copies;
pub(crate) mod dcmtk;
pub(crate) mod files;
pub(crate) mod fuzz;
pub(crate) mod fuzz_wire;
pub(crate) mod header_job;
pub(crate) mod mutate;
pub(crate) mod node;
pub(crate) mod object;
pub(crate) mod orthanc;
pub(crate) mod process;
pub(crate) mod python;
pub(crate) mod standing;
