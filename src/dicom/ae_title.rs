//! Application Entity titles (PS3.5 §6.2, VR AE).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An AE title: 1 to 16 printable ASCII characters without backslash, leading
/// and trailing spaces removed (they are not significant, PS3.5 §6.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AeTitle(String);

/// Why a text is no AE title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an AE title has 1 to 16 printable ASCII characters and no backslash")]
pub struct AeTitleError;

impl AeTitle {
    /// `AIRLOCK`: the title without configuration (DESIGN.md §4).
    #[must_use]
    pub fn default_title() -> Self {
        Self("AIRLOCK".to_owned())
    }

    /// Both are one title, told apart by case or not.
    #[must_use]
    pub fn is_same(&self, other: &Self, case_ignored: bool) -> bool {
        self == other || case_ignored && self.0.eq_ignore_ascii_case(&other.0)
    }

    /// The title without padding.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AeTitle {
    type Err = AeTitleError;

    fn from_str(text: &str) -> Result<Self, AeTitleError> {
        let title = text.trim_matches(' ');
        let legal = title.bytes().all(|byte| (0x20..0x7F).contains(&byte) && byte != b'\\');
        if legal && (1..=16).contains(&title.len()) {
            Ok(Self(title.to_owned()))
        } else {
            Err(AeTitleError)
        }
    }
}

impl TryFrom<String> for AeTitle {
    type Error = AeTitleError;

    fn try_from(text: String) -> Result<Self, AeTitleError> {
        text.parse()
    }
}

impl From<AeTitle> for String {
    fn from(title: AeTitle) -> Self {
        title.0
    }
}

impl fmt::Display for AeTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_trimmed_and_bad_titles_are_refused() {
        assert_eq!("AIRLOCK  ".parse::<AeTitle>().unwrap().as_str(), "AIRLOCK");
        for bad in ["", "   ", "SEVENTEEN-LETTERS", "A\\B", "Ä", "A\nB"] {
            assert_eq!(bad.parse::<AeTitle>(), Err(AeTitleError), "{bad:?}");
        }
    }
}
