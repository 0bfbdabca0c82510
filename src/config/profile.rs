//! De-identification profiles after checking: which options of PS3.15 Annex E
//! are on, and what a site changed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

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

/// A checked profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Its name, as it stands in receipts.
    pub name: String,
    /// The options that are on.
    pub options: BTreeSet<ProfileOption>,
    /// Single elements treated otherwise; they win over the table.
    pub rules: Vec<TagRule>,
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
        }
    }

    /// Whether an option is on.
    #[must_use]
    pub fn has(&self, option: ProfileOption) -> bool {
        self.options.contains(&option)
    }
}
