//! One pseudonym per person and project: identity keys in, code and shift out.
//!
//! Invariant: a new mapping is synced in the journal before anybody is told
//! it; sled is an index that is rebuilt from the journal on any doubt
//! (DESIGN.md decision 7).

pub mod person;

pub use person::{Assigned, PersonKey, UidKey};
