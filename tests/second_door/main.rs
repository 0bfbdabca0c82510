//! The header's two doors against each other, in memory: what is hidden in it, what
//! only looks hidden, and any data set at all.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and tells what it measured"
)]

#[path = "../support/mod.rs"]
mod support;

mod agreement;
mod corpora;
mod hiding;
mod long;
mod ordinary;
mod people;
mod places;
mod properties;
