//! The whole node with foreign peers: one file a group of claims, counts at
//! both ends.
//!
//! One program, so that tests that wait (a destination is tried again after
//! half a minute) run beside those that work.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, waits by the clock and tells what it measured"
)]

#[path = "../support/mod.rs"]
mod support;

mod at_rest;
mod bad_input;
mod cine;
mod commitment;
mod corrections;
mod devices;
mod doors;
mod duplicates;
mod folder;
mod folder_input;
mod folder_limits;
mod gallery;
mod hiding;
mod hour;
mod identity;
mod implicit;
mod kept;
mod kill_points;
mod limits;
mod mutated;
mod negotiation;
mod no_identity;
mod objects;
mod orthanc;
mod pressure;
mod pseudonyms;
mod recode;
mod studies;
mod tls;
mod versions;
