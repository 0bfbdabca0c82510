//! Configuration: read raw (TOML and environment), checked once, used typed.

pub mod profile;

pub use profile::{Action, CleanLimits, CleanRules, Profile, ProfileOption, TagRule, TextPolicy};
