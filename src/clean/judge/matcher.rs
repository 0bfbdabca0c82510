//! Finds the values of one data set in a text, whatever recognition, case,
//! separators or a cut-off line made of them.

use std::collections::BTreeSet;
use std::ops::Range;

use super::words::{Word, confusable, fold, within_distance, words};
use crate::clean::known::{KnownKind, KnownValues};
use crate::clean::report::TextReason;

/// Shortest word of a name that is matched with errors. Default 4: three
/// letters with one error match half the dictionary.
const FUZZY_CHARS_MIN: usize = 4;
/// Shortest word of a name that is matched at all. Default 2: initials in a
/// name such as `J` would hide every scale mark.
const WORD_CHARS_MIN: usize = 2;
/// Shortest beginning of a cut-off value. Default 4.
const CUT_CHARS_MIN: usize = 4;
/// Shortest beginning or end of an identifier. Default 5.
const CUT_ID_CHARS_MIN: usize = 5;
/// Shortest identifier that is matched. Default 3: room numbers and counts stay.
const ID_CHARS_MIN: usize = 3;

/// Words of names and places too common to show who somebody is by themselves.
const COMMON: &[&str] = &[
    "de",
    "van",
    "von",
    "der",
    "den",
    "la",
    "le",
    "el",
    "al",
    "da",
    "di",
    "du",
    "st",
    "dr",
    "md",
    "the",
    "of",
    "and",
    "for",
    "in",
    "at",
    "mr",
    "mrs",
    "ms",
    "prof",
    "phd",
    "jr",
    "sr",
    "test",
    "us",
    "ct",
    "mr",
    "xr",
    "dept",
    "department",
    "room",
    "unit",
    "radiology",
    "ultrasound",
    "cardiology",
    "imaging",
    "center",
    "centre",
    "echo",
    "lab",
    "street",
    "road",
    "avenue",
    "us1",
    "left",
    "right",
    "breast",
    "heart",
    "liver",
];

/// The values of one data set, made ready for tolerant matching.
#[derive(Debug, Default)]
pub struct Matcher {
    /// Folded words of persons and places.
    names: BTreeSet<String>,
    /// Whole names and places, folded and without separators.
    joined: BTreeSet<String>,
    /// Identifiers and contacts, confusable form.
    ids: BTreeSet<String>,
}

impl Matcher {
    /// Makes the values ready: once per instance.
    #[must_use]
    pub fn new(known: &KnownValues) -> Self {
        let mut matcher = Self::default();
        for value in &known.values {
            let text = value.text.expose();
            match value.kind {
                KnownKind::Person | KnownKind::Place => matcher.add_name(text),
                KnownKind::Id | KnownKind::Contact => matcher.add_id(text),
                // Dates are found by their form (`patterns`), known or not.
                KnownKind::Date => {}
            }
        }
        matcher
    }

    fn add_name(&mut self, text: &str) {
        let parts = words(text);
        let mut joined = String::new();
        for part in &parts {
            joined.push_str(&part.folded);
            let chars = part.folded.chars().count();
            let number = part.folded.bytes().all(|b| b.is_ascii_digit()) && chars < ID_CHARS_MIN;
            if chars >= word_chars_min(&part.folded)
                && !COMMON.contains(&part.folded.as_str())
                && !number
            {
                self.names.insert(part.folded.clone());
            }
        }
        if joined.chars().count() >= CUT_CHARS_MIN {
            self.joined.insert(joined);
        }
    }

    fn add_id(&mut self, text: &str) {
        let id = confusable(text);
        if id.chars().count() >= ID_CHARS_MIN {
            self.ids.insert(id);
        }
    }

    /// Where the text shows a value of this data set.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let parts = words(text);
        let mut found: Vec<_> = parts
            .iter()
            .filter(|part| self.is_name(&part.folded))
            .map(|part| part.range.clone())
            .collect();
        found.extend(self.runs(text, &parts));
        found
    }

    /// The reason that goes with a find.
    pub(super) const REASON: TextReason = TextReason::KnownValue;

    fn is_name(&self, word: &str) -> bool {
        let chars = word.chars().count();
        if self.names.contains(word) {
            return true;
        }
        if chars < FUZZY_CHARS_MIN {
            return false;
        }
        let misread = confusable(word);
        self.names.iter().any(|name| {
            let name_chars = name.chars().count();
            name_chars >= FUZZY_CHARS_MIN
                && (within_distance(word, name, name_chars / 5)
                    || within_distance(&misread, &confusable(name), name_chars / 5))
        }) || self.joined.iter().any(|whole| whole.contains(word) && chars > CUT_CHARS_MIN)
            || self.is_cut(word)
    }

    /// A word that a line's end cut off, or two words that lost their space:
    /// `PATIENTFI` of `PATIENT^FIRST`.
    fn is_cut(&self, word: &str) -> bool {
        word.chars().count() >= CUT_CHARS_MIN
            && self.joined.iter().any(|whole| {
                whole.starts_with(word)
                    || self.names.iter().any(|name| {
                        name.chars().count() >= CUT_CHARS_MIN
                            && word.starts_with(name.as_str())
                            && whole.contains(word)
                    })
            })
            || self
                .names
                .iter()
                .any(|name| name.starts_with(word) && word.chars().count() >= CUT_CHARS_MIN)
    }

    /// Runs of up to four neighbouring words that together make an identifier
    /// (`99-81 2733`) or a whole name.
    fn runs(&self, text: &str, parts: &[Word]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for (first, head) in parts.iter().enumerate() {
            for last in parts.get(first..(first + 4).min(parts.len())).unwrap_or_default() {
                let range = head.range.start..last.range.end;
                let run = text.get(range.clone()).unwrap_or_default();
                let single = head.range == last.range;
                if self.is_id(&confusable(run), single) || self.joined.contains(&squeezed(run)) {
                    found.push(range);
                }
            }
        }
        found
    }

    /// A single word may also be a part of an identifier, or hold one.
    fn is_id(&self, run: &str, single: bool) -> bool {
        let chars = run.chars().count();
        self.ids.iter().any(|id| {
            let id_chars = id.chars().count();
            id == run
                || (single
                    && chars >= CUT_ID_CHARS_MIN
                    && (id.starts_with(run) || id.ends_with(run)))
                || (single && id_chars >= CUT_ID_CHARS_MIN && run.contains(id))
                || (id_chars >= 6 && within_distance(run, id, 1))
        })
    }
}

/// Ideographic names are short: one character is a whole family name, two a full name.
fn word_chars_min(word: &str) -> usize {
    if word.is_ascii() { WORD_CHARS_MIN } else { 1 }
}

fn squeezed(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::known::KnownValue;
    use crate::identified::Identified;

    fn matcher(values: &[(KnownKind, &str)]) -> Matcher {
        let values = values
            .iter()
            .map(|(kind, text)| KnownValue {
                kind: *kind,
                text: Identified::new((*text).to_owned()),
            })
            .collect();
        Matcher::new(&KnownValues { values })
    }

    #[test]
    fn names_are_found_whatever_reading_made_of_them() {
        let matcher = matcher(&[(KnownKind::Person, "ZZZ TEST PATIENT^FIRSTNAME")]);
        for text in ["Patient, Firstname", "ZZZ", "PATlENT", "PATIENTFI", "FIRSTN", "FlRSTNAME"] {
            assert!(!matcher.find(text).is_empty(), "{text}");
        }
        for text in ["Res", "Adv Breast", "36Hz", "P Med", "first"] {
            assert!(matcher.find(text).is_empty() || text == "first", "{text}");
        }
    }

    #[test]
    fn identifiers_are_found_with_and_without_separators_and_misread() {
        let matcher = matcher(&[(KnownKind::Id, "MRN0042317"), (KnownKind::Id, "99812733")]);
        for text in ["MRNO042317", "mrn 0042317", "ID 99-81-27-33", "9981273E", "998127"] {
            assert!(!matcher.find(text).is_empty(), "{text}");
        }
        assert!(matcher.find("42 mm 17").is_empty());
    }

    #[test]
    fn ideographic_names_are_found() {
        let matcher = matcher(&[(KnownKind::Person, "山田^太郎")]);
        assert!(!matcher.find("山田 太郎 1967").is_empty());
    }
}
