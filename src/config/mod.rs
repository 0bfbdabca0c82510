//! Configuration: read raw (TOML and environment), checked once, used typed.

mod baseline;
pub mod checked;
pub mod content;
mod destinations;
pub mod device_file;
pub mod devices;
mod fit;
pub mod import;
pub mod load;
mod persons;
pub mod profile;
mod profile_file;
mod projects;
pub mod raw;
pub mod senders;
pub mod tls;

pub use checked::{Config, Fault};
pub use content::{ContentRules, Documents, Features};
pub use destinations::{Destination, Peer};
pub use devices::{Comparison, Condition, DeviceError, DeviceRule, DeviceRules, RectPx, Test};
pub use load::{ConfigError, load};
pub use profile::{
    Action, Baseline, CleanLimits, CleanRules, NameScores, PersonReading, PrivateTag, Profile,
    ProfileOption, TagRule, TextPolicy,
};
pub use projects::{Project, PseudonymMode, Release};
pub use raw::RawConfig;
pub use senders::{CallerIs, Reports, Sender};
pub use tls::{DoorTls, PeerTls, PeerTrust};
