//! Text values of elements: bytes in a data set's character set in, cleaned
//! bytes in the same set out. What was not changed keeps its bytes.

use std::collections::HashMap;

use crate::clean::judge::{Judge, Matcher};
use crate::clean::report::TextReason;
use crate::dicom::{DataSet, Tag, VR};

const SPECIFIC_CHARACTER_SET: Tag = Tag(0x0008, 0x0005);
/// Most texts whose verdict is remembered. Default 4,096: functional groups
/// repeat the same few texts in thousands of items, and one entry is short.
const REMEMBERED_MAX: usize = 4_096;
/// Longest text that is remembered, in bytes.
const REMEMBERED_BYTES_MAX: usize = 256;

/// How a data set codes its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    /// ISO 646 or a superset that is read as Latin-1.
    Latin,
    /// UTF-8.
    Utf8,
    /// One that this build cannot read: its text is taken for identifying.
    Unread,
}

impl Charset {
    /// What holds where a data set names none (PS3.5 §6.1.2.1): its text is
    /// ASCII; real senders put Latin-1 there.
    pub(super) const DEFAULT: Self = Self::Latin;

    /// The character set of `set`, or the one around it.
    pub(super) fn of(set: &DataSet, around: Self) -> Self {
        match set.ascii(SPECIFIC_CHARACTER_SET) {
            None => around,
            Some("" | "ISO_IR 6" | "ISO_IR 100" | "ISO 2022 IR 6" | "ISO 2022 IR 100") => {
                Self::Latin
            }
            Some("ISO_IR 192") => Self::Utf8,
            Some(_other) => Self::Unread,
        }
    }

    /// The text of a value, without padding.
    pub(super) fn decoded(self, bytes: &[u8], _vr: VR) -> Option<String> {
        let text = match self {
            Self::Latin => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Self::Utf8 => String::from_utf8(bytes.to_vec()).ok()?,
            Self::Unread if bytes.is_ascii() && !bytes.contains(&0x1B) => {
                String::from_utf8(bytes.to_vec()).ok()?
            }
            Self::Unread => return None,
        };
        Some(text.trim_end_matches(['\0', ' ']).to_owned())
    }

    fn encoded(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Latin => text.chars().map(|letter| u8::try_from(letter).ok()).collect(),
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Unread => text.is_ascii().then(|| text.as_bytes().to_vec()),
        }
    }

    /// `text` without the words that this character set cannot say.
    pub(super) fn encoded_words(self, text: &str) -> Vec<u8> {
        self.encoded(text).unwrap_or_else(|| {
            let words: Vec<_> = text.split(' ').filter_map(|word| self.encoded(word)).collect();
            words.join(&b' ')
        })
    }
}

/// What became of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cleaned {
    /// Nothing identifies: the bytes stay.
    Unchanged,
    /// These bytes instead; perhaps none.
    Changed(Vec<u8>),
}

/// How much of a text is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Depth {
    /// All that looks like identity.
    Judged,
    /// Only what this data set says about persons and places.
    KnownOnly,
}

/// Cleans the texts of one data set.
pub(super) struct TextCleaner<'a> {
    judge: &'a Judge,
    matcher: &'a Matcher,
    remembered: HashMap<(String, Depth), Option<String>>,
}

impl<'a> TextCleaner<'a> {
    pub(super) fn new(judge: &'a Judge, matcher: &'a Matcher) -> Self {
        Self { judge, matcher, remembered: HashMap::new() }
    }

    /// Cleans each value of a text. Text that cannot be decoded becomes empty.
    pub(super) fn cleaned(
        &mut self,
        bytes: &[u8],
        vr: VR,
        charset: Charset,
        depth: Depth,
    ) -> Cleaned {
        let Some(text) = charset.decoded(bytes, vr) else {
            return Cleaned::Changed(Vec::new());
        };
        let values: Vec<&str> =
            if is_multi_valued(vr) { text.split('\\').collect() } else { vec![text.as_str()] };
        let cleaned: Vec<Option<String>> =
            values.iter().map(|value| self.cleaned_value(value, depth)).collect();
        if cleaned.iter().all(Option::is_none) {
            return Cleaned::Unchanged;
        }
        let parts: Vec<&str> = values
            .iter()
            .zip(&cleaned)
            .map(|(value, cleaned)| cleaned.as_deref().unwrap_or(value))
            .collect();
        Cleaned::Changed(charset.encoded_words(&parts.join("\\")))
    }

    /// The cleaned value, or `None` when nothing identifies.
    fn cleaned_value(&mut self, value: &str, depth: Depth) -> Option<String> {
        if value.trim().is_empty() {
            return None;
        }
        let key = (value.to_owned(), depth);
        if let Some(verdict) = self.remembered.get(&key) {
            return verdict.clone();
        }
        let verdict = self.judged(value, depth);
        let worth = value.len() <= REMEMBERED_BYTES_MAX && self.remembered.len() < REMEMBERED_MAX;
        if worth {
            self.remembered.insert(key, verdict.clone());
        }
        verdict
    }

    fn judged(&self, value: &str, depth: Depth) -> Option<String> {
        if depth == Depth::KnownOnly {
            let spans = self.judge.spans(value, self.matcher);
            if !spans.iter().any(|span| span.reason == TextReason::KnownValue) {
                return None;
            }
        }
        let cleaned = self.judge.clean_text(value, self.matcher);
        (cleaned != value).then_some(cleaned)
    }
}

/// The backslash parts values (PS3.5 §6.2): not in ST, LT and UT.
pub(super) fn is_multi_valued(vr: VR) -> bool {
    !matches!(vr, VR::ST | VR::LT | VR::UT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untouched_text_keeps_its_bytes_and_unread_text_is_emptied() {
        let (judge, matcher) = (Judge::new(), Matcher::default());
        let mut cleaner = TextCleaner::new(&judge, &matcher);
        let clean = |cleaner: &mut TextCleaner<'_>, bytes: &[u8], charset| {
            cleaner.cleaned(bytes, VR::LO, charset, Depth::Judged)
        };
        let latin = clean(&mut cleaner, b"t2_tse_cor 3mm ", Charset::Latin);
        assert_eq!(latin, Cleaned::Unchanged);
        let unread = clean(&mut cleaner, b"\x1B$B;3\x1B(B", Charset::Unread);
        assert_eq!(unread, Cleaned::Changed(Vec::new()));
    }
}
