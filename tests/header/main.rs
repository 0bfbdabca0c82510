//! The header against counterparts: pydicom's character sets, dciodvfy, and all
//! of pydicom's files with the reasons of those that are quarantined.
//!
//! `docs/REASONS.md` is printed here: `AIRLOCK_WRITE_DOCS=1 cargo test --test header`
//! writes it anew.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and tells what it measured"
)]

#[path = "../support/mod.rs"]
mod support;

mod charsets;
mod public_files;
mod reasons;
