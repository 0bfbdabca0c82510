//! The crash laboratory: what was acknowledged is kept and delivered, whatever
//! kills the node, the machine or the disk (docs/CRASHLAB.md).
//!
//! Method: the sender's log of acknowledgements and the destination's log of
//! deliveries are kept outside the node ([`load`], [`sink`]); the node dies at
//! chosen system calls and named points ([`kills`]) or with its disk ([`cuts`]),
//! is started again, and [`check`] compares. The same harness shows what it would
//! catch: a node that leaves out its syncs, and two foreign archives ([`controls`]).
//! `scripts/crashlab` runs the same for hours ([`campaign`]).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, waits by the clock and tells what it measured"
)]
#![allow(clippy::wildcard_enum_match_arm, reason = "an act matters where it is named alone")]
#![allow(clippy::string_slice, reason = "ASCII of our own")]

#[path = "../support/mod.rs"]
mod support;

#[path = "../forward/scripted.rs"]
#[allow(dead_code, reason = "each test program uses its part")]
mod scripted;

mod campaign;
mod chaos;
mod check;
mod clock;
mod controls;
mod cuts;
mod damage;
mod dice;
mod ends;
mod faults;
mod full;
mod image;
mod kills;
mod load;
mod long;
mod sink;
mod slow;
mod trial;
mod upgrade;
