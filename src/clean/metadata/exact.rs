//! Whether a machine-made text holds a value that identifies in the same data
//! set: names of makers and models, terms, codes.
//!
//! Only whole names, identifiers and places count, not single words of them:
//! `Philips Medical Systems` stays although the clinic is a `Medical Center`,
//! and `HEAD` although somebody is called so. Free text goes to `clean::judge`.

use std::collections::BTreeSet;

use crate::clean::known::{KnownKind, KnownValues, MisreadNames};

/// Shortest value that is looked for inside a longer text, in letters and
/// digits. Default 6: shorter ones are in many words and version numbers.
const INSIDE_CHARS_MIN: usize = 6;
/// Shortest value that a whole text is compared with. Default 3.
const WHOLE_CHARS_MIN: usize = 3;

/// The values of one data set, made ready for comparing.
#[derive(Debug, Default)]
pub(super) struct ExactValues {
    /// Letters and digits alone, in lower case.
    squeezed: BTreeSet<String>,
    /// Names in bytes that the stated character set does not explain.
    misread: MisreadNames,
}

impl ExactValues {
    pub(super) fn new(known: &KnownValues) -> Self {
        let mut values = Self::default();
        for value in known.values.iter().filter(|value| value.kind != KnownKind::Age) {
            let text = value.text.expose();
            values.add(text);
            if value.kind == KnownKind::Person {
                values.misread.add(text);
                // Given name first, as it is spoken.
                let mut parts: Vec<&str> = text.split('^').take(2).collect();
                values.add(&parts.concat());
                parts.reverse();
                values.add(&parts.concat());
            }
        }
        values
    }

    /// Without these, squeezed: they tell nothing (see `explained`).
    pub(super) fn without(mut self, explained: &BTreeSet<String>) -> Self {
        self.squeezed.retain(|value| !explained.contains(value));
        self
    }

    fn add(&mut self, text: &str) {
        let squeezed = squeezed(text);
        if squeezed.chars().count() >= WHOLE_CHARS_MIN {
            self.squeezed.insert(squeezed);
        }
    }

    /// The text is, or holds, one of the values.
    pub(super) fn are_in(&self, text: &str) -> bool {
        if self.misread.find(text).next().is_some() {
            return true;
        }
        let text = squeezed(text);
        self.squeezed.contains(&text)
            || self.squeezed.iter().any(|value| {
                value.chars().count() >= INSIDE_CHARS_MIN && text.contains(value.as_str())
            })
    }
}

/// Letters and digits alone, in lower case.
pub(super) fn squeezed(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::known::KnownValue;
    use crate::identified::Identified;

    #[test]
    fn whole_values_are_found_and_single_words_are_not() {
        let value = |kind, text: &str| KnownValue { kind, text: Identified::new(text.into()) };
        let values = ExactValues::new(&KnownValues {
            values: vec![
                value(KnownKind::Person, "Head^Jane^Q"),
                value(KnownKind::Person, "Doe"),
                value(KnownKind::Id, "77-1234"),
                value(KnownKind::Place, "Lake Medical Center"),
                value(KnownKind::Person, "\u{cd}\u{f5}^\u{d0}\u{a1}\u{b6}\u{ab}"),
            ],
        });
        for text in [
            "HEAD JANE",
            "for jane head",
            "X771234",
            "Doe",
            "LAKE MEDICAL CENTER CT1",
            "CT\u{d0}\u{a1}\u{b6}\u{ab}",
        ] {
            assert!(values.are_in(text), "{text}");
        }
        for text in ["HEAD", "Philips Medical Systems", "Doenitz", "771", ""] {
            assert!(!values.are_in(text), "{text}");
        }
    }
}
