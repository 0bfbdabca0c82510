//! What this data set says about persons and places: the strongest signal for
//! judging text, and what `verify` searches the clean copy for.

use serde::{Deserialize, Serialize};

use crate::identified::Identified;

/// What kind of value it is; the kind decides how tolerantly it is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownKind {
    /// A person's name (patient, relatives, physicians, operators); PN groups and components apart.
    Person,
    /// Patient ID, other IDs, accession, admission, study ID, serial numbers.
    Id,
    /// Institution, department, address, station name.
    Place,
    /// A date of study or other event, `YYYYMMDD`.
    Date,
    /// Telephone, e-mail.
    Contact,
    /// A date of birth, `YYYYMMDD`: never moved, under any option.
    BirthDate,
}

/// One value of this data set that identifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownValue {
    /// What it is.
    pub kind: KnownKind,
    /// The decoded text, trimmed (names: one component group with `^` kept).
    pub text: Identified<String>,
}

/// All identifying values of one data set, collected before cleaning, at any depth.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KnownValues {
    /// The values, without repeats, in a stable order.
    pub values: Vec<KnownValue>,
}
