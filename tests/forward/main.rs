//! Cleaned instances on their way to DICOM nodes that misbehave.
//!
//! Goal: every answer of a destination leads to what `docs/CONFORMANCE.md` says of it,
//! one association serves many instances, and no destination troubles another one.
//! Method: a scripted Storage SCP on loopback ([`scripted`]); one sender alone
//! ([`sender`]), then a node with two destinations in this process ([`node`]): each
//! answer ([`rows`]), asking before an instance is risked ([`probe`]), several
//! associations at once ([`pool`]), and what people are told ([`troubles`]).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails fails the test")]
#![allow(clippy::wildcard_enum_match_arm, reason = "an act matters where it is named alone")]

mod node;
mod pool;
mod probe;
mod rows;
mod scripted;
mod sender;
mod troubles;
