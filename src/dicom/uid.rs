//! Unique identifiers (PS3.5 §9).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A UID that obeys PS3.5 §9.1: at most 64 characters, components of digits
/// joined by dots. Leading zeros are let pass: real senders have them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uid(String);

/// Why a text is no UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a UID has 1 to 64 characters: digits in components joined by dots")]
pub struct UidError;

impl Uid {
    /// A UID of the standard, known to be well formed.
    pub(crate) fn constant(uid: &'static str) -> Self {
        debug_assert!(uid.parse::<Self>().is_ok(), "{uid} is no UID");
        Self(uid.to_owned())
    }

    /// The UID without padding.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a UI value as it stands in a data set: padded by NUL or space.
    ///
    /// # Errors
    /// [`UidError`]: the caller answers 0117 or quarantines.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UidError> {
        std::str::from_utf8(bytes).map_err(|_not_text| UidError)?.parse()
    }
}

impl FromStr for Uid {
    type Err = UidError;

    fn from_str(text: &str) -> Result<Self, UidError> {
        let uid = text.trim_matches(['\0', ' ']);
        let legal = (1..=64).contains(&uid.len())
            && uid
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        if legal { Ok(Self(uid.to_owned())) } else { Err(UidError) }
    }
}

impl TryFrom<String> for Uid {
    type Error = UidError;

    fn try_from(text: String) -> Result<Self, UidError> {
        text.parse()
    }
}

impl From<Uid> for String {
    fn from(uid: Uid) -> Self {
        uid.0
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_trimmed_and_bad_uids_are_refused() {
        assert_eq!(Uid::from_bytes(b"1.2.840\0").unwrap().as_str(), "1.2.840");
        let long = "1.".repeat(32) + "1";
        for bad in ["", ".", "1.", ".1", "1..2", "1.a", "../1", long.as_str()] {
            assert_eq!(bad.parse::<Uid>(), Err(UidError), "{bad:?}");
        }
    }
}
