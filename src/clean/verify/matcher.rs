//! Searches text for what is known: whole words whatever their case and
//! accents, and any place in writing that has no spaces.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::known::{Kind, Known};

/// Letters of scripts written without spaces begin here (CJK, kana, hangul).
const WIDE_FROM: char = '\u{2E80}';
/// An ID of so many characters and digits is also found inside longer words,
/// as in `MRN12345678`; shorter ones would be found by chance.
const INSIDE_CHARS_MIN: usize = 8;
const INSIDE_DIGITS_MIN: usize = 5;

/// Text as it is compared: compatibility forms, accents and case folded.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let bare: String = text.nfkd().filter(|letter| !is_combining_mark(*letter)).collect();
    bare.nfc().flat_map(char::to_lowercase).collect()
}

/// The words of folded text.
pub(super) fn tokens(folded: &str) -> Vec<String> {
    words(folded).map(str::to_owned).collect()
}

/// The letter belongs to writing without spaces.
pub(super) fn is_wide(letter: char) -> bool {
    letter >= WIDE_FROM
}

fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// How much of what is known a value is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// All.
    Text,
    /// IDs of six and more characters: numbers written as text.
    Numbers,
    /// Texts of at least so many characters: bytes, where short words stand by chance.
    Bytes { chars_min: usize },
}

/// What is known, made ready for searching.
pub(super) struct Matcher<'a> {
    by_first: BTreeMap<&'a str, Vec<Needle<'a>>>,
    wide: Vec<(String, Kind)>,
    inside: Vec<(&'a str, Kind)>,
}

struct Needle<'a> {
    rest: &'a [String],
    chars: usize,
    kind: Kind,
}

impl<'a> Matcher<'a> {
    /// Makes the texts ready: once per instance.
    pub(super) fn new(known: &'a Known) -> Self {
        let mut by_first: BTreeMap<&str, Vec<Needle<'_>>> = BTreeMap::new();
        let mut wide = Vec::new();
        let mut inside = Vec::new();
        for (parts, kind) in known.texts() {
            let Some((first, rest)) = parts.split_first() else { continue };
            let chars = parts.iter().map(|part| part.chars().count()).sum();
            by_first.entry(first).or_default().push(Needle { rest, chars, kind });
            if parts.iter().flat_map(|part| part.chars()).any(is_wide) {
                wide.push((parts.concat(), kind));
            }
            let digits = first.bytes().filter(u8::is_ascii_digit).count();
            let long = chars >= INSIDE_CHARS_MIN && digits >= INSIDE_DIGITS_MIN;
            if kind == Kind::Id && rest.is_empty() && long {
                inside.push((first.as_str(), kind));
            }
        }
        Self { by_first, wide, inside }
    }

    /// What of the known stands in `text`.
    pub(super) fn find(&self, text: &str, depth: Depth) -> Option<Kind> {
        let folded = fold(text);
        let words: Vec<&str> = words(&folded).collect();
        let found = (0..words.len()).find_map(|at| self.at(words.get(at..)?, depth));
        found.or_else(|| if depth == Depth::Text { self.within(&folded, &words) } else { None })
    }

    fn at(&self, words: &[&str], depth: Depth) -> Option<Kind> {
        let (first, after) = words.split_first()?;
        self.by_first.get(first)?.iter().find_map(|needle| {
            let following = after.get(..needle.rest.len())?;
            let same = following.iter().zip(needle.rest).all(|(word, part)| word == part);
            (same && depth.takes(needle)).then_some(needle.kind)
        })
    }

    /// What needs no border of a word.
    fn within(&self, folded: &str, words: &[&str]) -> Option<Kind> {
        if !self.wide.is_empty() && folded.chars().any(is_wide) {
            let run = words.concat();
            if let Some((_, kind)) = self.wide.iter().find(|(part, _)| run.contains(part)) {
                return Some(*kind);
            }
        }
        let long = words.iter().filter(|word| word.len() > INSIDE_CHARS_MIN);
        long.flat_map(|word| self.inside.iter().filter(move |(id, _)| word.contains(id)))
            .map(|(_, kind)| *kind)
            .next()
    }
}

impl Depth {
    fn takes(self, needle: &Needle<'_>) -> bool {
        match self {
            Self::Text => true,
            Self::Numbers => needle.kind == Kind::Id && needle.chars >= 6 && needle.rest.is_empty(),
            Self::Bytes { chars_min } => needle.chars >= chars_min,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find_in(known: &Known, text: &str) -> Option<Kind> {
        Matcher::new(known).find(text, Depth::Text)
    }

    fn known(name: &str, id: &str) -> Known {
        let mut known = Known::default();
        known.add_name(name);
        known.add_id(id, true);
        known
    }

    #[test]
    fn names_are_found_in_any_case_order_and_accent() {
        let known = known("M\u{fc}ller-L\u{fc}denscheidt^Ana Maria^^Dr.", "");
        for text in [
            "seen by MULLER today",
            "maria",
            "Mu\u{308}ller",
            "(L\u{fc}denscheidt)",
            "\u{ff2d}\u{ff41}\u{ff52}\u{ff49}\u{ff41}",
        ] {
            assert_eq!(find_in(&known, text), Some(Kind::Name), "{text}");
        }
        for text in ["Ana", "Dr.", "Mariacron", "Mullerian duct"] {
            assert_eq!(find_in(&known, text), None, "{text}");
        }
    }

    #[test]
    fn short_names_are_found_as_a_whole_only() {
        let known = known("Li^Wei", "");
        assert_eq!(find_in(&known, "LI"), None);
        for text in ["Li, Wei", "WEI LI", "liwei"] {
            assert_eq!(find_in(&known, text), Some(Kind::Name), "{text}");
        }
    }

    #[test]
    fn a_clinical_word_is_found_as_whole_name_only() {
        assert_eq!(find_in(&known("Breast^Jane", ""), "LEFT BREAST"), None);
        assert_eq!(find_in(&known("Breast^Jane", ""), "breast jane"), Some(Kind::Name));
        assert_eq!(find_in(&known("BREAST", ""), "left breast"), Some(Kind::Name));
        assert_eq!(find_in(&known("Test^Patient", ""), "patient position"), None);
    }

    #[test]
    fn names_without_spaces_are_found_anywhere() {
        let known = known("Yamada^Tarou=\u{5c71}\u{7530}^\u{592a}\u{90ce}", "");
        assert_eq!(find_in(&known, "\u{60a3}\u{8005}\u{5c71}\u{7530}\u{69d8}"), Some(Kind::Name));
        assert_eq!(find_in(&known, "\u{5c71}\u{7530} \u{592a}\u{90ce}"), Some(Kind::Name));
        assert_eq!(find_in(&known, "\u{5c71}"), None);
    }

    #[test]
    fn ids_are_found_with_and_without_their_hyphens() {
        let known = known("", "327-46-8953");
        for text in ["ID 327-46-8953.", "327468953", "MRN327468953", "327 46 8953"] {
            assert_eq!(find_in(&known, text), Some(Kind::Id), "{text}");
        }
        assert_eq!(find_in(&known, "327 46"), None);
    }

    #[test]
    fn days_are_found_in_usual_spellings() {
        let mut known = Known::default();
        known.add_day(crate::clean::verify::dates::day_number("20240131").unwrap());
        for text in ["20240131", "2024-01-31", "31.01.2024", "01/31/2024 10:00"] {
            assert_eq!(find_in(&known, text), Some(Kind::Date), "{text}");
        }
        assert_eq!(find_in(&known, "2024-01-30"), None);
    }

    #[test]
    fn depth_bounds_what_is_searched() {
        let known = known("Doer^Jane", "123456");
        let matcher = Matcher::new(&known);
        assert_eq!(matcher.find("doer 123456", Depth::Numbers), Some(Kind::Id));
        assert_eq!(matcher.find("doer", Depth::Numbers), None);
        assert_eq!(matcher.find("doer", Depth::Bytes { chars_min: 4 }), Some(Kind::Name));
        assert_eq!(matcher.find("doer", Depth::Bytes { chars_min: 6 }), None);
    }
}
