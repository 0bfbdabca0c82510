//! Device rules after checking: which pictures a rule is about, and what is
//! hidden, trusted or held there (docs/DEVICES.md).

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::device_file;
use crate::dicom::Tag;

/// Most rules of a project, shipped ones included. Default 1,000: ten times the
/// largest public collection; all are tried on each picture, and all travel to
/// the workers in one message.
pub const RULES_MAX: usize = 1000;

/// Left, top, width, height, in pixels of the stored frame.
pub type RectPx = [u32; 4];

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// The whole value is one of these; several values are joined by backslashes.
    Equals,
    /// One of the element's values is one of these.
    Has,
    /// One of these stands somewhere in the whole value.
    Contains,
    /// The whole value begins with one of these.
    StartsWith,
    /// The whole value ends with one of these.
    EndsWith,
}

impl Comparison {
    /// All of them, with their keys in a file.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Equals, "equals"),
        (Self::Has, "has"),
        (Self::Contains, "contains"),
        (Self::StartsWith, "starts_with"),
        (Self::EndsWith, "ends_with"),
    ];

    /// Its key in a file.
    #[must_use]
    pub fn key(self) -> &'static str {
        Self::ALL.iter().find(|(one, _)| *one == self).map_or("", |(_, key)| key)
    }
}

/// What must be true of one element.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// It stands in the data set, or does not.
    Present(bool),
    /// It has no value or is not there; or it has one.
    Empty(bool),
    /// Its value compares with one of `values`, or (`negated`) with none.
    Value {
        /// How.
        comparison: Comparison,
        /// With none of them; true also of an element that cannot be compared.
        negated: bool,
        /// Capital and small letters differ.
        exact_case: bool,
        /// In small letters unless `exact_case`.
        values: Vec<String>,
    },
}

/// A test of one element of the data set's first level.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Condition {
    /// Group number.
    pub group: u16,
    /// Element number.
    pub element: u16,
    /// What must be true of it.
    pub test: Test,
}

impl Condition {
    /// Its tag.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag(self.group, self.element)
    }
}

/// What is known of the pictures of one kind of device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceRule {
    /// Its name, as it stands in reports.
    pub id: String,
    /// All of these are true of a data set that it is about.
    pub when: Vec<Condition>,
    /// Hidden on every frame.
    pub hide: Vec<RectPx>,
    /// Where there are any: all outside of them is hidden on every frame.
    pub hide_outside: Vec<RectPx>,
    /// What cannot be read in them is no text.
    pub trust: Vec<RectPx>,
    /// The picture is not cleaned but held.
    pub quarantine: bool,
}

/// A project's device rules.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceRules {
    /// Hex SHA-256 of the rules: stands for them in the profile's digest.
    pub digest: String,
    /// The rules, shipped ones first.
    pub rules: Vec<DeviceRule>,
}

/// Why there are no device rules: exit 64.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The file cannot be read: mend its path or rights.
    #[error("cannot read {}", .path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file was read and holds no rules: each fault with its key.
    #[error("{name}: {}", .faults.join("; "))]
    Faulty {
        /// The file.
        name: String,
        /// What is wrong, all of it.
        faults: Vec<String>,
    },
}

impl DeviceRules {
    /// The rules that ship, and those of a site's files after them.
    ///
    /// # Errors
    /// [`DeviceError`] of each file: exit 64.
    pub fn read(files: &[PathBuf]) -> Result<Self, Vec<DeviceError>> {
        let mut errors = Vec::new();
        let mut rules: Vec<DeviceRule> = Vec::new();
        let mut add = |name: &str, more: Vec<DeviceRule>| {
            let known = |rule: &&DeviceRule| rules.iter().any(|other| other.id == rule.id);
            let mut faults: Vec<String> = more
                .iter()
                .filter(known)
                .map(|rule| format!("rule {}: another file has a rule of this id", rule.id))
                .collect();
            if rules.len() + more.len() > RULES_MAX {
                faults.push(format!("over {RULES_MAX} rules in all (RULES_MAX)"));
            }
            if !faults.is_empty() {
                return Err(DeviceError::Faulty { name: name.to_owned(), faults });
            }
            rules.extend(more);
            Ok(())
        };
        for (name, text) in device_file::SHIPPED {
            let checked = device_file::checked(text)
                .map_err(|faults| DeviceError::Faulty { name: name.into(), faults });
            errors.extend(checked.and_then(|more| add(name, more)).err());
        }
        for path in files {
            let name = path.display().to_string();
            errors.extend(device_file::read(path).and_then(|more| add(&name, more)).err());
        }
        if errors.is_empty() { Ok(Self::of(rules)) } else { Err(errors) }
    }

    /// These rules with their digest.
    #[must_use]
    pub fn of(rules: Vec<DeviceRule>) -> Self {
        // Serialising plain structs into memory does not fail.
        let bytes = serde_json::to_vec(&rules).unwrap_or_default();
        let digest = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { digest, rules }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "[[rule]]\nid = 'acme'\nquarantine = true\n\
                        when = [{ attribute = 'Manufacturer', contains = 'ACME' }]\n";

    #[test]
    fn a_sites_files_come_after_what_ships_and_ids_are_unique() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (dir.path().join("one.toml"), dir.path().join("other.toml"));
        std::fs::write(&one, RULE).unwrap();
        std::fs::write(&other, RULE.replace("acme", "emca")).unwrap();
        let shipped = DeviceRules::read(&[]).unwrap();
        let rules = DeviceRules::read(&[one.clone(), other.clone()]).unwrap();
        assert_eq!(rules.rules.len(), shipped.rules.len() + 2);
        assert_eq!(rules.rules.last().unwrap().id, "emca");
        assert_ne!(rules.digest, shipped.digest);
        let errors = DeviceRules::read(&[one.clone(), one, dir.path().join("none")]).unwrap_err();
        let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(text[0].contains("rule acme: another file has a rule"), "{text:?}");
        assert!(text[1].starts_with("cannot read"), "{text:?}");
    }

    #[test]
    fn more_rules_than_the_limit_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("many.toml");
        let many: String =
            (0..=RULES_MAX).map(|n| RULE.replace("acme", &format!("acme-{n}"))).collect();
        std::fs::write(&path, many).unwrap();
        let errors = DeviceRules::read(&[path]).unwrap_err();
        assert!(errors[0].to_string().contains("RULES_MAX"), "{errors:?}");
    }
}
