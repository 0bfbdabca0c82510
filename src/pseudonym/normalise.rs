//! Issuer and Patient ID as they stand in a data set in, [`PersonKey`] out.
//!
//! Invariant: normalising twice changes nothing, so that it does not matter
//! which side has done it already. What cannot name one person never becomes a
//! [`PersonKey`]: two patients called `UNKNOWN` must not share a pseudonym.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization as _;

use super::person::PersonKey;
use crate::identified::Identified;

/// Longest issuer or Patient ID. Default 1,024 bytes: LO has 64 characters
/// (PS3.5 §6.2), of up to 4 bytes each in UTF-8; real senders pass that, but not
/// by more than this.
pub const ID_BYTES_MAX: usize = 1_024;

/// Values that senders put where they have no Patient ID. Default for
/// [`PersonRules::placeholders`]; compared without regard to case.
pub const PLACEHOLDERS: [&str; 10] =
    ["UNKNOWN", "UNK", "TEST", "ANONYMOUS", "ANON", "NONE", "NULL", "N/A", "NA", "NO ID"];

/// What a site does with upper and lower case in Patient IDs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CaseRule {
    /// `ab1` and `AB1` are two persons. The default: LO keeps case, and taking
    /// two persons for one cannot be undone, the other way round it can.
    #[default]
    Distinct,
    /// They are one person.
    Ignored,
}

/// How a site reads Patient IDs.
#[derive(Debug, Clone, Default)]
pub struct PersonRules {
    /// Issuer for senders that leave Issuer of Patient ID (0010,0021) out.
    pub default_issuer: String,
    /// Other names of an issuer, and the name they stand for. One step only.
    pub issuer_aliases: BTreeMap<String, String>,
    /// Upper and lower case of Patient IDs.
    pub case: CaseRule,
    /// Values that are no Patient ID, in upper case; see [`PersonRules::standard`].
    pub placeholders: BTreeSet<String>,
}

/// Why a data set names no person. The caller quarantines with `no-patient-id`
/// or, if the project allows it, gives an unlinked code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPerson {
    /// Nothing there.
    #[error("the Patient ID is empty")]
    Empty,
    /// A value of the list of placeholders, zeros or no letter or digit at all.
    #[error("the Patient ID is a placeholder")]
    Placeholder,
    /// Over [`ID_BYTES_MAX`].
    #[error("the Patient ID or its issuer has more than {ID_BYTES_MAX} bytes")]
    TooLong,
}

impl PersonRules {
    /// No default issuer, no aliases, case kept, [`PLACEHOLDERS`].
    #[must_use]
    pub fn standard() -> Self {
        Self { placeholders: PLACEHOLDERS.map(str::to_owned).into(), ..Self::default() }
    }

    /// Adds other names of issuers, each with the name that it stands for.
    #[must_use]
    pub fn with_aliases(mut self, aliases: impl IntoIterator<Item = (String, String)>) -> Self {
        // What is too long for an issuer is said by nobody.
        let normal = |text: String| trimmed(&text).unwrap_or_default();
        let aliases = aliases.into_iter().map(|(from, to)| (normal(from), normal(to)));
        self.issuer_aliases.extend(aliases);
        self
    }

    /// Adds a site's own values that are no Patient ID.
    #[must_use]
    pub fn with_placeholders(mut self, values: impl IntoIterator<Item = String>) -> Self {
        let values = values.into_iter().map(|value| trimmed(&value).unwrap_or_default());
        self.placeholders.extend(values.map(|value| folded(&value)));
        self
    }

    /// Who `patient_id` of `issuer` is.
    ///
    /// Trims spaces and NULs at both ends (padding of LO, PS3.5 §6.2) and
    /// composes Unicode (NFC), because the same umlaut arrives composed or not
    /// with the sender's character set. Leading zeros and inner spaces stay:
    /// some sites tell patients apart by them.
    ///
    /// # Errors
    /// [`NoPerson`]: the caller quarantines with `no-patient-id`.
    pub fn person(&self, issuer: &str, patient_id: &str) -> Result<PersonKey, NoPerson> {
        let patient_id = self.cased(&trimmed(patient_id)?);
        if patient_id.is_empty() {
            return Err(NoPerson::Empty);
        }
        if self.is_placeholder(&patient_id) {
            return Err(NoPerson::Placeholder);
        }
        Ok(PersonKey {
            issuer: Identified::new(self.issuer(issuer)?),
            patient_id: Identified::new(patient_id),
        })
    }

    fn issuer(&self, issuer: &str) -> Result<String, NoPerson> {
        let stated = trimmed(issuer)?;
        let issuer = if stated.is_empty() { trimmed(&self.default_issuer)? } else { stated };
        Ok(self.issuer_aliases.get(&issuer).cloned().unwrap_or(issuer))
    }

    fn cased(&self, patient_id: &str) -> String {
        match self.case {
            CaseRule::Distinct => patient_id.to_owned(),
            // Composed again: some capitals only exist as letter and accent.
            CaseRule::Ignored => folded(patient_id),
        }
    }

    fn is_placeholder(&self, patient_id: &str) -> bool {
        let says_something = |c: char| c.is_alphanumeric() && c != '0';
        !patient_id.chars().any(says_something) || self.placeholders.contains(&folded(patient_id))
    }
}

fn folded(text: &str) -> String {
    text.to_uppercase().nfc().collect()
}

fn trimmed(text: &str) -> Result<String, NoPerson> {
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    // Measured before and after: composing may shorten or, rarely, lengthen.
    let composed: String = text.nfc().take(ID_BYTES_MAX + 1).collect();
    if text.len() > ID_BYTES_MAX || composed.len() > ID_BYTES_MAX {
        return Err(NoPerson::TooLong);
    }
    Ok(composed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(rules: &PersonRules, issuer: &str, id: &str) -> (String, String) {
        let person = rules.person(issuer, id).unwrap();
        (person.issuer.expose().clone(), person.patient_id.expose().clone())
    }

    #[test]
    fn padding_and_composition_do_not_make_a_second_person() {
        let rules = PersonRules::standard();
        let plain = ids(&rules, "HOSP", "\u{c4}-77");
        for (issuer, id) in
            [(" HOSP", "\u{c4}-77 "), ("HOSP\0", "A\u{308}-77\0"), ("HOSP ", " \u{c4}-77\0\0")]
        {
            assert_eq!(ids(&rules, issuer, id), plain, "{issuer:?} {id:?}");
        }
    }

    #[test]
    fn issuer_case_and_leading_zeros_tell_persons_apart() {
        let rules = PersonRules::standard();
        let plain = ids(&rules, "A", "ab12");
        for (issuer, id) in [("B", "ab12"), ("", "ab12"), ("A", "AB12"), ("A", "0ab12")] {
            assert_ne!(ids(&rules, issuer, id), plain);
        }
    }

    #[test]
    fn site_rules_fill_in_alias_and_fold() {
        let rules = PersonRules {
            default_issuer: "OLD".to_owned(),
            issuer_aliases: BTreeMap::from([("OLD".to_owned(), "NEW".to_owned())]),
            case: CaseRule::Ignored,
            ..PersonRules::standard()
        };
        let expected = ("NEW".to_owned(), "AB12".to_owned());
        assert_eq!(ids(&rules, "", "ab12"), expected);
        assert_eq!(ids(&rules, "OLD", "AB12"), expected);
        assert_eq!(ids(&rules, "NEW", "aB12"), expected);
    }

    #[test]
    fn placeholders_never_become_a_person() {
        let rules = PersonRules::standard();
        for id in ["0", "0000", "unknown", "Test ", "--", "0-0", "?", "\0", "n/a"] {
            assert!(rules.person("A", id).is_err(), "{id:?}");
        }
        for id in ["", "   ", "\0\0"] {
            assert_eq!(rules.person("A", id), Err(NoPerson::Empty));
        }
        assert!(rules.person("A", "TEST1").is_ok());
        assert_eq!(rules.person("A", &"7".repeat(1_025)), Err(NoPerson::TooLong));
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(issuer in "\\PC{0,12}", id in "\\PC{0,12}", fold: bool) {
            let case = if fold { CaseRule::Ignored } else { CaseRule::Distinct };
            let rules = PersonRules { case, ..PersonRules::standard() };
            if let Ok(once) = rules.person(&issuer, &id) {
                let twice = rules.person(once.issuer.expose(), once.patient_id.expose());
                prop_assert_eq!(twice, Ok(once));
            }
        }
    }
}
