//! Fuzz target; its body, and what must hold, is in tests/support/fuzz_wire.rs.
#![no_main]

#[path = "../../tests/support/fuzz_wire.rs"]
mod fuzz_wire;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_wire::pdu(bytes));
