//! Configuration: read raw (TOML and environment), checked once, used typed.

mod baseline;
pub mod checked;
pub mod content;
mod fit;
pub mod load;
mod persons;
pub mod profile;
mod profile_file;
pub mod raw;

pub use checked::{Config, Destination, Fault, Project, PseudonymMode, Sender};
pub use content::{ContentRules, Documents, Features};
pub use load::{ConfigError, load};
pub use profile::{
    Action, Baseline, CleanLimits, CleanRules, PersonReading, PrivateTag, Profile, ProfileOption,
    TagRule, TextPolicy,
};
