//! Text values of elements: bytes in a data set's character set in, cleaned
//! bytes in the same set out. What was not changed keeps its bytes.

use std::collections::HashMap;

use crate::clean::judge::{Judge, Matcher, TextDates};
use crate::clean::known::KnownKind;
use crate::dicom::VR;
use crate::dicom::charset::{Charset, has_values};

/// Most texts whose verdict is remembered. Default 4,096: functional groups
/// repeat the same few texts in thousands of items, and one entry is short.
const REMEMBERED_MAX: usize = 4_096;
/// Longest text that is remembered, in bytes.
const REMEMBERED_BYTES_MAX: usize = 256;

/// `text` in a character set, without the words that it cannot say.
fn encoded_words(charset: &Charset, text: &str) -> Vec<u8> {
    charset.encode(text).unwrap_or_else(|| {
        let sayable: Vec<&str> =
            text.split(' ').filter(|word| charset.encode(word).is_some()).collect();
        // Each word can be said alone, so together they can.
        charset.encode(&sayable.join(" ")).unwrap_or_default()
    })
}

/// What became of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cleaned {
    /// Nothing identifies: the bytes stay.
    Unchanged,
    /// These bytes instead; perhaps none.
    Changed(Vec<u8>),
}

/// Cleans the texts of one data set.
pub(super) struct TextCleaner<'a> {
    judge: &'a Judge,
    matcher: &'a Matcher,
    dates: TextDates,
    remembered: HashMap<String, Option<String>>,
    unsayable: bool,
    /// The text at hand is an Occupation.
    pub(super) of_occupation: bool,
    /// The text at hand stands beside a label that is not in it.
    pub(super) beside_label: Option<KnownKind>,
}

impl<'a> TextCleaner<'a> {
    pub(super) fn new(judge: &'a Judge, matcher: &'a Matcher, dates: TextDates) -> Self {
        Self {
            judge,
            matcher,
            dates,
            remembered: HashMap::new(),
            unsayable: false,
            of_occupation: false,
            beside_label: None,
        }
    }

    /// A rewritten text needed a character that its character set does not have.
    pub(super) fn are_unsayable(&self) -> bool {
        self.unsayable
    }

    /// A rewritten text in a character set; where that cannot say it, its
    /// other words, and [`TextCleaner::are_unsayable`] holds.
    pub(super) fn encoded(&mut self, text: &str, charset: &Charset) -> Vec<u8> {
        charset.encode(text).unwrap_or_else(|| {
            self.unsayable = true;
            encoded_words(charset, text)
        })
    }

    /// Cleans each value of a text. Text that cannot be decoded becomes empty.
    pub(super) fn cleaned(&mut self, bytes: &[u8], vr: VR, charset: &Charset) -> Cleaned {
        let decoded = charset.decode(bytes, vr);
        let text = decoded.text.trim_end_matches(['\0', ' ']);
        let values: Vec<&str> =
            if has_values(vr) { text.split('\\').collect() } else { vec![text] };
        let cleaned: Vec<Option<String>> = values
            .iter()
            .map(|value| {
                let cleaned = self.cleaned_value(value);
                if !decoded.lossy {
                    return cleaned;
                }
                let readable = cleaned.unwrap_or_else(|| (*value).to_owned());
                Some(without_foreign_words(&readable))
            })
            .collect();
        if cleaned.iter().all(Option::is_none) {
            return Cleaned::Unchanged;
        }
        let parts: Vec<&str> = values
            .iter()
            .zip(&cleaned)
            .map(|(value, cleaned)| cleaned.as_deref().unwrap_or(value))
            .collect();
        let text = parts.join("\\");
        // What was guessed is not worth another character set.
        let bytes = if decoded.lossy {
            encoded_words(charset, &text)
        } else {
            self.encoded(&text, charset)
        };
        Cleaned::Changed(bytes)
    }

    /// The cleaned value, or `None` when nothing identifies.
    fn cleaned_value(&mut self, value: &str) -> Option<String> {
        if value.trim().is_empty() {
            return None;
        }
        if self.of_occupation {
            let cleaned = self.judge.clean_occupation(value, self.matcher, self.dates);
            return (cleaned != value).then_some(cleaned);
        }
        if let Some(kind) = self.beside_label {
            return self.cleaned_beside(label_of(kind), value);
        }
        if let Some(verdict) = self.remembered.get(value) {
            return verdict.clone();
        }
        let cleaned = self.judge.clean_text_with(value, self.matcher, self.dates);
        let verdict = (cleaned != value).then_some(cleaned);
        let worth = value.len() <= REMEMBERED_BYTES_MAX && self.remembered.len() < REMEMBERED_MAX;
        if worth {
            self.remembered.insert(value.to_owned(), verdict.clone());
        }
        verdict
    }

    /// The value cleaned as if its label stood before it.
    fn cleaned_beside(&self, label: &str, value: &str) -> Option<String> {
        let labelled = format!("{label}: {value}");
        let cleaned = self.judge.clean_text_with(&labelled, self.matcher, self.dates);
        let rest = cleaned.strip_prefix(label).unwrap_or(&cleaned).trim_start_matches([':', ' ']);
        (cleaned != labelled).then(|| rest.to_owned())
    }
}

/// What stands before a value of this kind in text.
fn label_of(kind: KnownKind) -> &'static str {
    match kind {
        KnownKind::Person => "Name",
        KnownKind::Id => "ID",
        KnownKind::Place => "Address",
        KnownKind::Contact => "Tel",
        KnownKind::Date | KnownKind::BirthDate => "DOB",
        KnownKind::Age => "Age",
    }
}

/// Text that was guessed, because its bytes break its character set: letters
/// beyond ASCII may be a name in any script, so their words go.
pub(super) fn without_foreign_words(text: &str) -> String {
    let is_readable = |word: &&str| {
        word.chars().all(|letter| letter.is_ascii() || !letter.is_alphabetic() || letter == 'µ')
    };
    text.split(' ').filter(is_readable).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(bytes: &[u8], charset: &[u8]) -> Cleaned {
        let (judge, matcher) = (Judge::new(), Matcher::default());
        let charset = Charset::from_specific(charset);
        TextCleaner::new(&judge, &matcher, TextDates::Remove).cleaned(bytes, VR::LO, &charset)
    }

    #[test]
    fn untouched_text_keeps_its_bytes() {
        assert_eq!(cleaned(b"t2_tse_cor 3mm ", b""), Cleaned::Unchanged);
        assert_eq!(cleaned(b"Sch\xE4del", b"ISO_IR 100"), Cleaned::Unchanged);
    }

    #[test]
    fn words_that_break_their_character_set_go() {
        assert_eq!(cleaned(b"AXIAL \xE9tude", b""), Cleaned::Changed(b"AXIAL".to_vec()));
    }

    #[test]
    fn words_that_a_character_set_cannot_say_are_left_out() {
        let latin = Charset::from_specific(b"ISO_IR 100");
        assert_eq!(encoded_words(&latin, "caf\u{e9} \u{3a6} 3"), b"caf\xE9 3");
    }
}
