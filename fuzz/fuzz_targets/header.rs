//! Fuzz target; its body, and what must hold, is in tests/support/fuzz.rs.
#![no_main]

#[path = "../../tests/support/fuzz.rs"]
mod fuzz;
#[path = "../../tests/support/header_job.rs"]
mod header_job;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::header(bytes));
