//! A person in, a code and a date shift out, by keyed hash.
//!
//! Invariant: the construction never changes: the golden vectors below are
//! those of every table that was ever written. `HMAC-SHA-256(key of the
//! project, length-prefixed (domain, issuer, Patient ID))`; unkeyed hashes of
//! Patient IDs are reversed in seconds.

use super::error::PseudonymError;
use super::keys::SecretKey;
use super::person::PersonKey;
use super::record::Mapping;

/// Longest date shift, in days. Default 365: dates move back by 1 to 365 days,
/// so that no study lies in the future and its age is right within a year.
pub const SHIFT_DAYS_MAX: u64 = 365;
/// Longest imported date shift: 100 years.
const SHIFT_DAYS_ABS_MAX: u32 = 36_500;
/// Longest code: that of LO (PS3.5 §6.2), which Patient ID has.
pub const CODE_CHARS_MAX: usize = 64;
/// Longest prefix: leaves room for 32 characters and fits on a work list.
pub const PREFIX_CHARS_MAX: usize = 16;
/// Sixteen consonants: letters only, so that no initial of a name can stand in
/// a code as a word of its own between digits; no vowels, so that no code holds
/// a word. Capitals, because systems that fold case fold to these.
const CONSONANTS: &[u8; 16] = b"BCDFGHJKMNPQRSTV";
/// 128 bits in steps of 4.
const CODE_DIGITS: u32 = 32;

/// How the code of a new person is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CodeMode {
    /// From the key and the Patient ID: a lost table gives the same codes again.
    #[default]
    Hmac,
    /// Drawn: nothing but the table links code and person (HIPAA 164.514(c)
    /// strictly read). A lost table cannot be made again.
    Random,
    /// Prefix and a number, counted by project.
    Sequential,
    /// Of a trial's list alone: who is not in it gets none.
    Imported,
}

/// A project's codes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CodeRule {
    mode: CodeMode,
    prefix: String,
    /// Where the baseline date of each person is moved to.
    baseline_day: Option<i64>,
}

impl CodeRule {
    /// Codes by `mode` that begin with `prefix`, which may be empty.
    ///
    /// # Errors
    /// [`PseudonymError::BadCode`] for a prefix over [`PREFIX_CHARS_MAX`] or
    /// with characters that a code may not have: the configuration is refused.
    pub fn new(mode: CodeMode, prefix: &str) -> Result<Self, PseudonymError> {
        let fits = prefix.len() <= PREFIX_CHARS_MAX && prefix.bytes().all(is_code_byte);
        if !fits || prefix.starts_with(' ') {
            return Err(PseudonymError::BadCode);
        }
        Ok(Self { mode, prefix: prefix.to_owned(), baseline_day: None })
    }

    /// Moves each person's imported baseline date to this day, counted from
    /// 1970-01-01. Who has none gets no pseudonym.
    #[must_use]
    pub fn with_baseline(mut self, day: Option<i64>) -> Self {
        self.baseline_day = day;
        self
    }

    /// How the code of a new person is made. A study of nobody is in no list.
    pub(super) fn mode_for(&self, person: &PersonKey) -> CodeMode {
        let listed = self.mode == CodeMode::Imported;
        if listed && person.is_unlinked() { CodeMode::Hmac } else { self.mode }
    }

    /// Whether a person that is not in the table may be put there.
    pub(super) fn takes_new(&self, person: &PersonKey) -> Result<(), PseudonymError> {
        if self.baseline_day.is_some() {
            return Err(PseudonymError::NoBaselineDate);
        }
        match self.mode_for(person) {
            CodeMode::Imported => Err(PseudonymError::NotInList),
            CodeMode::Hmac | CodeMode::Random | CodeMode::Sequential => Ok(()),
        }
    }

    /// Whether the dates of a known person move as the project says.
    pub(super) fn check_baseline(&self, mapping: &Mapping) -> Result<(), PseudonymError> {
        let Some(wanted) = self.baseline_day else { return Ok(()) };
        let Some(day) = mapping.baseline_day else { return Err(PseudonymError::NoBaselineDate) };
        if day + i64::from(mapping.shift_days) == wanted {
            Ok(())
        } else {
            Err(PseudonymError::BaselineMoved)
        }
    }

    /// The shift that moves a person's baseline date where the project wants it.
    pub(super) fn baseline_shift(&self, day: i64) -> Option<Result<i32, PseudonymError>> {
        let wanted = self.baseline_day?;
        let shift = i32::try_from(wanted - day).ok();
        Some(shift.filter(|days| is_shift(*days)).ok_or(PseudonymError::BadShift))
    }

    pub(super) fn wants_baseline(&self) -> bool {
        self.baseline_day.is_some()
    }

    /// The code for `attempt`, which counts from 0 and grows when another person
    /// has the code already: by chance once in 10^25 or so with a million
    /// persons, but imported codes may be anything.
    pub(super) fn hmac_code(&self, key: &SecretKey, person: &PersonKey, attempt: u32) -> String {
        let issuer = person.issuer.expose().as_bytes();
        let patient_id = person.patient_id.expose().as_bytes();
        let hash = match attempt {
            0 => key.mac(&[b"patient", issuer, patient_id]),
            _again => key.mac(&[b"patient", issuer, patient_id, &attempt.to_be_bytes()]),
        };
        format!("{}{}", self.prefix, consonants(first_128_bits(&hash)))
    }

    pub(super) fn random_code(&self, drawn: u128) -> String {
        format!("{}{}", self.prefix, consonants(drawn))
    }

    pub(super) fn numbered_code(&self, number: u64) -> String {
        format!("{}{number:06}", self.prefix)
    }
}

/// Whole days to add to each of the person's dates: −365 to −1.
///
/// Taken modulo 365 from 64 bits: the bias is under 10^-16.
pub(super) fn shift_days(key: &SecretKey, person: &PersonKey) -> i32 {
    let issuer = person.issuer.expose().as_bytes();
    let hash = key.mac(&[b"date-shift", issuer, person.patient_id.expose().as_bytes()]);
    shift_from((first_128_bits(&hash) >> 64) as u64)
}

/// A shift that a list may state: not 0, at most [`SHIFT_DAYS_ABS_MAX`] either way.
pub(super) fn is_shift(days: i32) -> bool {
    days != 0 && days.unsigned_abs() <= SHIFT_DAYS_ABS_MAX
}

pub(super) fn shift_from(uniform: u64) -> i32 {
    let back = 1 + uniform % SHIFT_DAYS_MAX;
    -i32::try_from(back).unwrap_or(1)
}

/// A code that can stand in LO, and in PN as one component: printable ASCII
/// without the backslash (PS3.5 §6.2) and without the delimiters of PN.
pub(super) fn is_code(code: &str) -> bool {
    (1..=CODE_CHARS_MAX).contains(&code.len())
        && code.bytes().all(is_code_byte)
        && code.trim() == code
}

fn is_code_byte(byte: u8) -> bool {
    (byte.is_ascii_graphic() || byte == b' ') && !matches!(byte, b'\\' | b'^' | b'=')
}

fn first_128_bits(hash: &[u8; 32]) -> u128 {
    hash.iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}

fn consonants(bits: u128) -> String {
    (0..CODE_DIGITS)
        .rev()
        .map(|digit| char::from(CONSONANTS[(bits >> (4 * digit) & 15) as usize]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identified::Identified;
    use crate::pseudonym::keys::{KeyPurpose, MasterKey};

    fn key() -> SecretKey {
        let hex = b"8f2b7c11d04e5a96e3371fb08cd942675ae0c8f5194b6d20b7a34418fe93520d";
        MasterKey::from_secret(hex).unwrap().derive(KeyPurpose::Pseudonym, "trial-7")
    }

    fn person(issuer: &str, id: &str) -> PersonKey {
        PersonKey {
            issuer: Identified::new(issuer.to_owned()),
            patient_id: Identified::new(id.to_owned()),
        }
    }

    #[test]
    fn codes_and_shifts_are_those_of_every_table_ever_written() {
        // Computed by a Python script that shares no code with this module.
        for (issuer, id, first, second, shift) in [
            (
                "",
                "1234567",
                "VBKKVNJPCTRNPDJFGVBRDFDVKDFCMTCJ",
                "NMKPVVRDHMBSVNBFQSVCJRPCPGHQNQFC",
                -200,
            ),
            (
                "HOSP-A",
                "1234567",
                "MJJPHNHGQSPKQCMKJNVHSHCHDCCBMDBD",
                "FFDMFJVKKFHBPDPTPGSQFBRRNCBKHJDJ",
                -77,
            ),
            (
                "HOSP-B",
                "1234567",
                "CSTVRKMSRRPDFFQRDRQCDBHCVRVSRHTH",
                "SCNCHDKTMMKQGCQBQBGVVVGMKCQSPGPD",
                -69,
            ),
            (
                "Köln",
                "Ä-77",
                "MSCJKFHPBCGGFCNRQBNCBMHBVMTBRDCM",
                "HNDPCBPTHFFKCRTHFVDGDSHCGHSSNCBR",
                -93,
            ),
        ] {
            let (key, person) = (key(), person(issuer, id));
            let rule = CodeRule::new(CodeMode::Hmac, "T7-").unwrap();
            assert_eq!(rule.hmac_code(&key, &person, 0), format!("T7-{first}"));
            assert_eq!(rule.hmac_code(&key, &person, 1), format!("T7-{second}"));
            assert_eq!(shift_days(&key, &person), shift);
        }
    }

    #[test]
    fn parts_cannot_be_moved_between_issuer_and_id() {
        let rule = CodeRule::default();
        let code = |issuer, id| rule.hmac_code(&key(), &person(issuer, id), 0);
        assert_ne!(code("A", "BC"), code("AB", "C"));
    }

    #[test]
    fn every_shift_is_between_one_and_365_days_back() {
        let mut seen = std::collections::BTreeSet::new();
        for uniform in (0..730).chain([u64::MAX]) {
            seen.insert(shift_from(uniform));
        }
        assert_eq!((seen.first(), seen.last(), seen.len()), (Some(&-365), Some(&-1), 365));
    }

    #[test]
    fn codes_fit_lo_and_pn() {
        let prefix = "P".repeat(PREFIX_CHARS_MAX);
        let rule = CodeRule::new(CodeMode::Random, &prefix).unwrap();
        assert!(is_code(&rule.random_code(u128::MAX)) && is_code(&rule.numbered_code(u64::MAX)));
        for bad in ["", " A", "A ", "A\\B", "A^B", "A=B", "Ä", "A\0", &"7".repeat(65)] {
            assert!(!is_code(bad), "{bad:?}");
        }
        for bad in [" A", "A^", "ABCDEFGHIJKLMNOPQ"] {
            assert!(CodeRule::new(CodeMode::Hmac, bad).is_err(), "{bad:?}");
        }
    }
}
