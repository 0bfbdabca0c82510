//! Pictures in every coding: what comes in as other programs wrote it, and what
//! other programs read of what goes out.
//!
//! Goal: for each cell of codec × photometric interpretation × bits × frames,
//! our decoding equals pydicom's, and after one box was painted the output opens
//! in two other readers, equals the input outside of the box and is dark inside.
//! Method: `tests/python/codec_matrix.py` makes the cells with foreign encoders
//! and checks what came out; between the two each cell goes through the public
//! functions of `clean::pixels` and `clean::redact`, with eyes that see one line.
//! `docs/CODECS.md` is the table of this test:
//! `AIRLOCK_WRITE_DOCS=1 cargo test --test codecs` writes it anew, and
//! `AIRLOCK_CELLS=jpeg51 cargo test --test codecs` runs the cells of that name only.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and tells what it measured"
)]

#[path = "../support/mod.rs"]
mod support;

mod cell;
mod matrix;
mod table;
