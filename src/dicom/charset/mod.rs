//! Character sets (PS3.5 §6.1): bytes of text values in, text out, and back.
//!
//! For comparing and for cleaning only: a value that nobody rewrites keeps its
//! bytes. Values are split at backslashes *after* decoding, because 0x5C is
//! also the second byte of Chinese characters.

mod sets;
mod switching;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, GBK, UTF_8, WINDOWS_1252};

use super::{DataSet, Tag, VR};
use sets::Set;

/// Specific Character Set (PS3.3 §C.12.1.1.2).
pub const SPECIFIC_CHARACTER_SET: Tag = Tag(0x0008, 0x0005);

/// How the text of one data set or item is coded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charset {
    kind: Kind,
    /// A term is not known: bytes beyond ASCII are guessed.
    unknown: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// One coding of variable length, without code extension (PS3.5 §6.1.2.4).
    Whole(&'static Encoding),
    /// ISO 2022: the initial set and those that escape sequences may invoke.
    Switching { first: Option<Set>, others: Vec<Set> },
}

/// Decoded text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text, padding included.
    pub text: String,
    /// Some bytes mean nothing in the stated character set; the text is then
    /// a best guess, good for finding names in it, not for writing it back.
    pub lossy: bool,
}

impl Decoded {
    /// The single values without padding. For VRs that have no multiplicity
    /// (ST, LT, UT, UR) a backslash is a character: take `text` instead.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.text.split('\\').map(|value| value.trim_matches([' ', '\0']))
    }
}

impl Default for Charset {
    /// The default repertoire: ASCII.
    fn default() -> Self {
        Self { kind: Kind::Switching { first: None, others: Vec::new() }, unknown: false }
    }
}

impl Charset {
    /// Reads a value of Specific Character Set (0008,0005). Usual misspellings
    /// (`ISO-IR 100`, `ISO 2022 IR 100` alone) are understood.
    #[must_use]
    pub fn from_specific(value: &[u8]) -> Self {
        let terms: Vec<Option<Term>> = value.split(|&byte| byte == b'\\').map(term).collect();
        let unknown = terms.iter().any(Option::is_none);
        let whole = terms.iter().flatten().find_map(|term| match term {
            Term::Whole(encoding) => Some(*encoding),
            Term::Set(_) | Term::Ascii => None,
        });
        if let Some(encoding) = whole {
            return Self { kind: Kind::Whole(encoding), unknown };
        }
        let sets: Vec<Option<Set>> = terms
            .into_iter()
            .map(|term| match term {
                Some(Term::Set(set)) => Some(set),
                Some(Term::Whole(_) | Term::Ascii) | None => None,
            })
            .collect();
        let first = sets.first().copied().flatten();
        let others = sets.into_iter().skip(1).flatten().collect();
        Self { kind: Kind::Switching { first, others }, unknown }
    }

    /// Every term was known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.unknown
    }

    /// The character set of a data set: its own, or the default repertoire.
    #[must_use]
    pub fn of(set: &DataSet) -> Self {
        Self::default().for_item(set).into_owned()
    }

    /// The character set inside an item: its own when it states one, else
    /// this one (PS3.5 §7.5.3).
    #[must_use]
    pub fn for_item(&self, item: &DataSet) -> Cow<'_, Self> {
        match item.get(SPECIFIC_CHARACTER_SET).and_then(|element| element.as_bytes()) {
            Some(value) => Cow::Owned(Self::from_specific(value)),
            None => Cow::Borrowed(self),
        }
    }

    /// Decodes a value. VRs that Specific Character Set does not concern are ASCII.
    #[must_use]
    pub fn decode(&self, bytes: &[u8], vr: VR) -> Decoded {
        if bytes.iter().all(|byte| byte.is_ascii() && *byte != switching::ESCAPE) {
            let text = bytes.iter().map(|&byte| char::from(byte)).collect();
            return Decoded { text, lossy: false };
        }
        if !is_extensible(vr) {
            return guess(bytes);
        }
        match &self.kind {
            Kind::Whole(encoding) => whole(encoding, bytes),
            Kind::Switching { first: None, others } if self.unknown || others.is_empty() => {
                let decoded = switching::decode(bytes, vr, None, others);
                if decoded.lossy { guess(bytes) } else { decoded }
            }
            Kind::Switching { first, others } => switching::decode(bytes, vr, *first, others),
        }
    }

    /// Encodes text for a value of this data set; `None` when a character is
    /// in none of its character sets.
    #[must_use]
    pub fn encode(&self, text: &str) -> Option<Vec<u8>> {
        if text.is_ascii() {
            return Some(text.as_bytes().to_vec());
        }
        match &self.kind {
            Kind::Whole(encoding) => {
                let (bytes, _, unmappable) = encoding.encode(text);
                (!unmappable).then(|| bytes.into_owned())
            }
            Kind::Switching { first, others } => switching::encode(text, *first, others),
        }
    }
}

/// The VR's text is coded as Specific Character Set says (PS3.5 §6.1.2.3).
/// UN may be any of them.
#[must_use]
pub fn is_extensible(vr: VR) -> bool {
    matches!(vr, VR::LO | VR::LT | VR::PN | VR::SH | VR::ST | VR::UC | VR::UN | VR::UT)
}

/// A backslash separates values of this VR (PS3.5 §6.4).
#[must_use]
pub fn has_values(vr: VR) -> bool {
    !matches!(vr, VR::LT | VR::ST | VR::UT | VR::UR)
}

/// The component groups of a person's name: alphabetic, ideographic, phonetic
/// (PS3.5 §6.2.1).
pub fn name_groups(name: &str) -> impl Iterator<Item = &str> {
    name.split('=').take(3).map(|group| group.trim_matches([' ', '\0']))
}

/// The components of one group: family, given, middle, prefix, suffix (PS3.5 §6.2.1).
pub fn name_components(group: &str) -> impl Iterator<Item = &str> {
    group.split('^').map(|component| component.trim_matches([' ', '\0']))
}

enum Term {
    Ascii,
    Set(Set),
    Whole(&'static Encoding),
}

/// One value of Specific Character Set (PS3.3 Tables C.12-2 to C.12-5).
fn term(value: &[u8]) -> Option<Term> {
    let text = std::str::from_utf8(value).ok()?.trim_matches([' ', '\0']).to_ascii_uppercase();
    match text.as_str() {
        "" => return Some(Term::Ascii),
        "GB18030" => return Some(Term::Whole(GB18030)),
        "GBK" => return Some(Term::Whole(GBK)),
        _registered => {}
    }
    let number = text.rsplit([' ', '_', '-']).next()?;
    let registered = text.starts_with("ISO") && text.contains("IR");
    match (registered, number) {
        (true, "6") => Some(Term::Ascii),
        (true, "192") => Some(Term::Whole(UTF_8)),
        (true, number) => Set::of_registration(number.parse().ok()?).map(Term::Set),
        (false, _) => None,
    }
}

fn whole(encoding: &'static Encoding, bytes: &[u8]) -> Decoded {
    let (text, lossy) = encoding.decode_without_bom_handling(bytes);
    if lossy && encoding == UTF_8 {
        return guess(bytes);
    }
    Decoded { text: text.into_owned(), lossy }
}

/// Bytes beyond what is stated: UTF-8 where they are, else Latin.
fn guess(bytes: &[u8]) -> Decoded {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    };
    Decoded { text, lossy: true }
}
