//! De-identification profiles after checking: which options of PS3.15 Annex E
//! are on, and what a site changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::content::ContentRules;
use super::devices::DeviceRules;
use super::profile_file;

/// The options of PS3.15 Annex E (Table E.1-1 columns, and Clean Pixel Data §E.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileOption {
    /// Clean Pixel Data (113101).
    CleanPixelData,
    /// Clean Graphics (113103).
    CleanGraphics,
    /// Clean Structured Content (113104).
    CleanStructuredContent,
    /// Clean Descriptors (113105).
    CleanDescriptors,
    /// Retain Longitudinal Temporal Information with Full Dates (113106).
    RetainFullDates,
    /// Retain Longitudinal Temporal Information with Modified Dates (113107).
    RetainModifiedDates,
    /// Retain Patient Characteristics (113108).
    RetainPatientCharacteristics,
    /// Retain Device Identity (113109).
    RetainDeviceIdentity,
    /// Retain UIDs (113110).
    RetainUids,
    /// Retain Safe Private (113111).
    RetainSafePrivate,
    /// Retain Institution Identity (113112).
    RetainInstitutionIdentity,
}

impl ProfileOption {
    /// Its name in a profile's file.
    #[must_use]
    pub fn name(self) -> String {
        // A unit variant is always a string.
        serde_json::to_value(self)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// What a site's rule does to one element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Leave as it is.
    Keep,
    /// Remove the element.
    Remove,
    /// Keep the element without a value.
    Empty,
    /// Put this text.
    Replace(String),
    /// Put a keyed hash of the value, as text valid for the VR.
    Hash,
    /// Shift dates by the person's offset.
    Shift,
    /// Clean the text.
    Clean,
}

/// One changed element of a site's profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagRule {
    /// Group number.
    pub group: u16,
    /// Element number.
    pub element: u16,
    /// What is done, at any depth.
    pub action: Action,
}

/// A private element that a site knows to be safe, beside those of PS3.15
/// Table E.3.10-1. It stays only under Retain Safe Private.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateTag {
    /// Private creator, without padding.
    pub creator: String,
    /// Group number, odd.
    pub group: u16,
    /// Low byte of the element number: the high one names the block.
    pub element: u8,
    /// Its VR, for senders that do not say it (Implicit VR, UN).
    #[serde(default)]
    pub vr: Option<String>,
}

/// Why there is no such profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// No profile of this name ships.
    #[error("there is no profile {name}; write basic, tcia or the path of a .toml file")]
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// The file cannot be read: mend its path or rights.
    #[error("cannot read profile {}", .path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file was read and is no profile: each fault with its key.
    #[error("profile {}: {}", .path.display(), .faults.join("; "))]
    Faulty {
        /// The file.
        path: PathBuf,
        /// What is wrong, all of it.
        faults: Vec<String>,
    },
}

/// A checked profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Its name, as it stands in receipts.
    pub name: String,
    /// The options that are on.
    pub options: BTreeSet<ProfileOption>,
    /// Single elements treated otherwise; they win over the table.
    pub rules: Vec<TagRule>,
    /// Private elements that the site adds to the safe ones.
    pub safe_private: Vec<PrivateTag>,
    /// Each person's baseline date is moved to one day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
}

/// The day that every person's baseline date is moved to, under Retain
/// Longitudinal Temporal Information with Modified Dates (PS3.15 §E.3.6). The
/// clean object says how many days its study lies after it (PS3.3 §C.7.2.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// Days since 1970-01-01.
    pub day: i64,
    /// Longitudinal Temporal Event Type (0012,0053): what the baseline date is
    /// the date of, `ENROLLMENT` or `BASELINE`.
    pub event: String,
}

impl Profile {
    /// `basic`: the Basic Application Level Confidentiality Profile with Clean
    /// Pixel Data (DESIGN.md §5).
    #[must_use]
    pub fn basic() -> Self {
        Self {
            name: "basic".into(),
            options: BTreeSet::from([ProfileOption::CleanPixelData]),
            rules: Vec::new(),
            safe_private: Vec::new(),
            baseline: None,
        }
    }

    /// `tcia`: basic with the options that keep data useful for research (DESIGN.md §5).
    #[must_use]
    pub fn tcia() -> Self {
        use ProfileOption as O;
        Self {
            name: "tcia".into(),
            options: BTreeSet::from([
                O::CleanPixelData,
                O::CleanGraphics,
                O::CleanStructuredContent,
                O::CleanDescriptors,
                O::RetainModifiedDates,
                O::RetainPatientCharacteristics,
                O::RetainDeviceIdentity,
                O::RetainSafePrivate,
            ]),
            rules: Vec::new(),
            safe_private: Vec::new(),
            baseline: None,
        }
    }

    /// A profile by name, or read from a file when the name ends in `.toml`.
    ///
    /// # Errors
    /// [`ProfileError`]: the key and its fault, exit 64.
    pub fn named(name: &str) -> Result<Self, ProfileError> {
        match name {
            "basic" => Ok(Self::basic()),
            "tcia" => Ok(Self::tcia()),
            file if file.ends_with(".toml") => profile_file::read(Path::new(file)),
            other => Err(ProfileError::Unknown { name: other.to_owned() }),
        }
    }

    /// Whether an option is on.
    #[must_use]
    pub fn has(&self, option: ProfileOption) -> bool {
        self.options.contains(&option)
    }
}

/// What is done with text found in pictures (DESIGN.md decision 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextPolicy {
    /// Hide every line that is not known to be clinical.
    #[default]
    HideUnlessKnownClinical,
    /// Hide what shows a sign of identity, and what cannot be read.
    HideIdentifying,
    /// Ultrasound: hide all outside the regions that is not explained.
    HideOutsideRegions,
    /// Hide all text.
    HideAll,
}

/// Limits of one cleaning, checked by the worker itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanLimits {
    /// Most pixels of one frame. Default 256 Mi: a 16 k × 16 k film.
    pub frame_pixels_max: u64,
    /// Most bytes of one decoded frame. Default 768 MiB.
    pub frame_bytes_max: u64,
    /// Most frames. Default 100,000: an hour of cine at 25 Hz.
    pub frames_max: u32,
}

impl Default for CleanLimits {
    fn default() -> Self {
        Self { frame_pixels_max: 256 << 20, frame_bytes_max: 768 << 20, frames_max: 100_000 }
    }
}

/// How a project reads Patient IDs (DESIGN.md decision 7).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PersonReading {
    /// Issuer where neither the object nor its sender says one.
    pub default_issuer: String,
    /// Other names of an issuer, and the name they stand for.
    pub issuer_aliases: BTreeMap<String, String>,
    /// Upper and lower case of Patient IDs are one.
    pub case_ignored: bool,
    /// Values that are no Patient ID, beside those that everybody uses.
    pub placeholders: BTreeSet<String>,
    /// A study without a Patient ID gets a code of its own instead of quarantine.
    pub code_per_study: bool,
}

/// From which likelihood on a find of the recogniser of names counts, in
/// thousandths. Means nothing where the recogniser is not installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameScores {
    /// A word in a text of the header is removed from here on. Default 500.
    pub text: u16,
    /// A word in a picture is hidden from here on. Default 100: a picture shows
    /// whom the header names, and a label too many costs less than a name.
    pub pictures: u16,
    /// A line in a picture in which no word reaches this, times 0.4 to 4 by what is known
    /// of the word, is taken for clinical where only such lines stay. Default 50; 0: the
    /// lists alone decide.
    pub clinical: u16,
}

impl Default for NameScores {
    fn default() -> Self {
        Self { text: 500, pictures: 100, clinical: 50 }
    }
}

/// What a worker must know of a project: one checked unit per project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanRules {
    /// Header profile.
    pub profile: Profile,
    /// Text in pictures.
    pub text_policy: TextPolicy,
    /// Names that no list has.
    #[serde(default)]
    pub names: NameScores,
    /// SOP Class UIDs whose pictures are not searched (default none; ignored
    /// where identity is likely: decision 10).
    pub header_only: BTreeSet<String>,
    /// SOP Class UIDs whose pictures are searched only where the screen marks
    /// something (default none; ignored where identity is likely).
    #[serde(default)]
    pub screened: BTreeSet<String>,
    /// Documents, photographs, faces.
    #[serde(default)]
    pub content: ContentRules,
    /// Layouts of devices.
    #[serde(default)]
    pub devices: DeviceRules,
    /// Limits.
    pub limits: CleanLimits,
    /// Who is who.
    #[serde(default)]
    pub persons: PersonReading,
}

impl Default for CleanRules {
    fn default() -> Self {
        Self {
            profile: Profile::basic(),
            text_policy: TextPolicy::default(),
            names: NameScores::default(),
            header_only: BTreeSet::new(),
            screened: BTreeSet::new(),
            content: ContentRules::default(),
            devices: DeviceRules::default(),
            limits: CleanLimits::default(),
            persons: PersonReading::default(),
        }
    }
}
