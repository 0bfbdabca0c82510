//! Searches text for what is known: whole words whatever their case and
//! accents, longer ones whatever stands between or around their letters, and any
//! place in writing that has no spaces.

use std::collections::HashMap;

use super::known::{Kind, Known, Mark, NUMBER_DIGITS_MIN, Weight};
use super::language::{self, Written};
use super::spelling::{fold, is_wide, runs, words};
use super::vocabulary::{Place, Vocabulary};
use super::words::is_common;

/// From so many characters on, separators inside a text do not matter, nor what
/// stands before a letter or behind a digit: `88 12-34`, `MRN881234`. Shorter ones
/// would be found by chance.
const JOINED_CHARS_MIN: usize = 6;
/// An ID of so many characters and digits is also found inside longer words of
/// letters and digits; a name of so many letters in longer words.
const INSIDE_CHARS_MIN: usize = 8;
const INSIDE_DIGITS_MIN: usize = 5;
const INSIDE_NAME_CHARS_MIN: usize = 7;
/// Letters by which texts of writing without spaces are kept: the shortest has two.
const WIDE_HEAD_CHARS: usize = 2;
/// Bytes that are searched for texts so short are searched in every way.
const SMALL_CHARS_MIN: usize = 5;
/// Most runs of letters and digits that one text may be cut into.
const JOINED_RUNS_MAX: usize = 12;

/// How much of what is known a value is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// All: text that a person may have typed.
    Text,
    /// Terms, codes, machine-made text. `explained`: what the vocabulary of this
    /// place has is no finding, for it stood here when the object was received.
    Term { place: Place, explained: bool },
    /// IDs of six and more characters: numbers written as text.
    Numbers,
    /// Texts of at least so many characters: bytes, where short words stand by chance.
    Bytes { chars_min: usize },
}

/// What is known, made ready for searching.
pub(super) struct Matcher<'a> {
    known: &'a Known,
    by_first: HashMap<&'a str, Vec<Needle<'a>>>,
    joined: HashMap<String, Needle<'a>>,
    joined_bytes_max: usize,
    /// By their first two letters.
    wide: HashMap<String, Vec<(String, Kind)>>,
    /// By their first [`INSIDE_NAME_CHARS_MIN`] letters.
    inside: HashMap<String, Vec<(String, Needle<'a>)>>,
}

#[derive(Debug, Clone, Copy)]
struct Needle<'a> {
    rest: &'a [String],
    chars: usize,
    mark: Mark,
    /// The vocabulary that all its words are of.
    vocabulary: Option<Vocabulary>,
}

impl<'a> Matcher<'a> {
    /// Makes the texts ready: once per instance.
    pub(super) fn new(known: &'a Known) -> Self {
        let mut matcher = Self {
            known,
            by_first: HashMap::new(),
            joined: HashMap::new(),
            joined_bytes_max: 0,
            wide: HashMap::new(),
            inside: HashMap::new(),
        };
        for (parts, mark) in known.texts() {
            matcher.add(parts, mark);
        }
        matcher
    }

    /// What is searched for.
    pub(super) fn known(&self) -> &'a Known {
        self.known
    }

    fn add(&mut self, parts: &'a [String], mark: Mark) {
        let Some((first, rest)) = parts.split_first() else { return };
        let whole = parts.concat();
        let chars = whole.chars().count();
        let needle = Needle { rest, chars, mark, vocabulary: vocabulary(parts, mark) };
        self.by_first.entry(first).or_default().push(needle);
        if whole.chars().any(is_wide) {
            let head = head(&whole, WIDE_HEAD_CHARS).unwrap_or(&whole).to_owned();
            self.wide.entry(head).or_default().push((whole.clone(), mark.kind));
        }
        let digits = whole.bytes().filter(u8::is_ascii_digit).count();
        let inside = match mark.kind {
            Kind::Id => chars >= INSIDE_CHARS_MIN && digits >= INSIDE_DIGITS_MIN,
            Kind::Name => {
                let common = parts.iter().all(|word| is_common(word));
                chars >= INSIDE_NAME_CHARS_MIN && !common && needle.vocabulary.is_none()
            }
            Kind::Place | Kind::Contact | Kind::Date => false,
        };
        if inside {
            let head = head(&whole, INSIDE_NAME_CHARS_MIN).unwrap_or(&whole).to_owned();
            self.inside.entry(head).or_default().push((whole.clone(), needle));
        }
        let joins = mark.weight == Weight::Whole || rest.is_empty();
        if joins && chars >= JOINED_CHARS_MIN {
            self.joined_bytes_max = self.joined_bytes_max.max(whole.len());
            let held = self.joined.entry(whole).or_insert(needle);
            if mark < held.mark {
                *held = needle;
            }
        }
    }

    /// What of the known stands in `text`.
    pub(super) fn find(&self, text: &str, depth: Depth) -> Option<Kind> {
        let folded = fold(text);
        let split: Vec<&str> = words(&folded).collect();
        let written = Written::new(text);
        let found = (0..split.len()).find_map(|at| self.at(&written, &split, at, depth));
        found.or_else(|| match depth {
            Depth::Text | Depth::Term { .. } => self.anyhow(&folded, &split, depth),
            Depth::Bytes { chars_min } if chars_min <= SMALL_CHARS_MIN => {
                self.anyhow(&folded, &split, depth)
            }
            Depth::Bytes { .. } if self.known.days.stand_unseparated(&folded) => Some(Kind::Date),
            Depth::Bytes { .. } => self.wide_in(&folded, &split),
            Depth::Numbers => None,
        })
    }

    /// What is found whatever separates it.
    fn anyhow(&self, folded: &str, split: &[&str], depth: Depth) -> Option<Kind> {
        if self.known.days.stand_in(folded) {
            return Some(Kind::Date);
        }
        self.wide_in(folded, split)
            .or_else(|| self.joined_in(split, depth))
            .or_else(|| self.inside_of(split, depth))
            .or_else(|| self.phone_in(folded))
    }

    fn at(&self, text: &Written<'_>, split: &[&str], at: usize, depth: Depth) -> Option<Kind> {
        let (first, after) = split.get(at..)?.split_first()?;
        self.by_first.get(first)?.iter().find_map(|needle| {
            let following = after.get(..needle.rest.len())?;
            let same = following.iter().zip(needle.rest).all(|(word, part)| word == part);
            let finding = same
                && depth.takes(needle)
                && !(depth == Depth::Text
                    && needle.is_word(first)
                    && language::is_explained(text, split, at));
            finding.then_some(needle.mark.kind)
        })
    }

    /// In writing without spaces a name has no borders.
    fn wide_in(&self, folded: &str, split: &[&str]) -> Option<Kind> {
        if self.wide.is_empty() || !folded.chars().any(is_wide) {
            return None;
        }
        let run = split.concat();
        tails(&run).find_map(|tail| {
            let parts = self.wide.get(head(tail, WIDE_HEAD_CHARS)?)?;
            parts.iter().find(|(part, _)| tail.starts_with(part)).map(|(_, kind)| *kind)
        })
    }

    /// Neighbouring runs of letters and digits that together are a known text.
    fn joined_in(&self, split: &[&str], depth: Depth) -> Option<Kind> {
        if self.joined.is_empty() {
            return None;
        }
        let pieces: Vec<&str> = split.iter().flat_map(|word| runs(word)).collect();
        let mut whole = String::with_capacity(self.joined_bytes_max);
        (0..pieces.len()).find_map(|start| {
            whole.clear();
            let mut count = 0_usize;
            pieces.iter().skip(start).take(JOINED_RUNS_MAX).find_map(|piece| {
                count += 1;
                if whole.len() + piece.len() > self.joined_bytes_max {
                    return None;
                }
                whole.push_str(piece);
                let needle = self.joined.get(&whole)?;
                // A plain word tells nothing in pieces either; another one that stands by
                // itself was looked at before, where it stands.
                let alone = count == 1 && split.contains(&whole.as_str());
                let word = depth == Depth::Text
                    && needle.is_word(&whole)
                    && (alone || language::is_plain(&whole));
                (depth.takes(needle) && !word).then_some(needle.mark.kind)
            })
        })
    }

    /// Words that hold a known text.
    fn inside_of(&self, split: &[&str], depth: Depth) -> Option<Kind> {
        let long = split.iter().filter(|word| word.len() > INSIDE_NAME_CHARS_MIN);
        long.flat_map(|word| tails(word)).find_map(|tail| {
            let parts = self.inside.get(head(tail, INSIDE_NAME_CHARS_MIN)?)?;
            let found = |(known, needle): &&(String, Needle<'_>)| {
                tail.starts_with(known) && depth.takes(needle)
            };
            parts.iter().find(found).map(|(_, needle)| needle.mark.kind)
        })
    }

    /// Digits with anything between them but letters.
    fn phone_in(&self, folded: &str) -> Option<Kind> {
        let runs = folded.split(|letter: char| letter.is_alphabetic());
        let digits = runs.map(|run| run.chars().filter(char::is_ascii_digit).collect::<String>());
        let found = digits
            .filter(|digits| digits.len() > NUMBER_DIGITS_MIN)
            .any(|digits| self.known.has_phone_in(&digits));
        found.then_some(Kind::Contact)
    }
}

/// The first letters of a text that has as many.
fn head(text: &str, chars: usize) -> Option<&str> {
    let end = text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(chars)?;
    text.get(..end)
}

/// A text from each of its letters on.
fn tails(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().filter_map(|(at, _)| text.get(at..))
}

impl Needle<'_> {
    /// One word of a name or a place, or letters alone as an identifier (Station
    /// Name `AXIAL`): what else it means is a question.
    fn is_word(&self, word: &str) -> bool {
        let letters = || word.chars().all(char::is_alphabetic);
        self.rest.is_empty()
            && match self.mark.kind {
                Kind::Name | Kind::Place => true,
                Kind::Id => letters(),
                Kind::Contact | Kind::Date => false,
            }
    }
}

/// A whole name or an ID of the person is more than its words.
fn vocabulary(parts: &[String], mark: Mark) -> Option<Vocabulary> {
    let [first, rest @ ..] = parts else { return None };
    let single = rest.is_empty();
    let number = single && first.bytes().all(|byte| byte.is_ascii_digit());
    if number {
        return (first.len() < NUMBER_DIGITS_MIN).then_some(Vocabulary::Standard);
    }
    if !single && mark.weight == Weight::Whole {
        return None;
    }
    let of = |word: &str| {
        let plain = || language::is_plain(word).then_some(Vocabulary::Standard);
        Vocabulary::of(word).or_else(plain)
    };
    let of_first = of(first)?;
    rest.iter().all(|word| of(word) == Some(of_first)).then_some(of_first)
}

impl Depth {
    fn takes(self, needle: &Needle<'_>) -> bool {
        match self {
            Self::Text => true,
            Self::Term { place, explained } => {
                let is_explained = needle.vocabulary.is_some_and(|words| place.explains(words));
                needle.mark.weight != Weight::Typed && !(explained && is_explained)
            }
            Self::Numbers => {
                let whole = needle.chars >= NUMBER_DIGITS_MIN && needle.rest.is_empty();
                needle.mark.kind == Kind::Id && whole
            }
            Self::Bytes { chars_min } => {
                needle.mark.weight != Weight::Typed && needle.chars >= chars_min
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::verify::dates::day_number;

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
    fn names_are_found_in_any_case_order_accent_and_spelling() {
        let double = known("M\u{fc}ller-L\u{fc}denscheidt^Ana Maria^^Dr.", "");
        for text in [
            "seen by MULLER today",
            "maria",
            "Mu\u{308}ller",
            "(L\u{fc}denscheidt)",
            "\u{ff2d}\u{ff41}\u{ff52}\u{ff49}\u{ff41}",
            "MUELLER",
            "Luedenscheidt",
            "Ana",
            "CT_Luedenscheidt2",
            "xLUDENSCHEIDTx",
            "muellerluedenscheidt",
        ] {
            assert_eq!(find_in(&double, text), Some(Kind::Name), "{text}");
        }
        for text in ["Dr.", "Mariacron", "Mullerian duct", "anatomy"] {
            assert_eq!(find_in(&double, text), None, "{text}");
        }
        let other = known("Mueller^Jo", "");
        assert_eq!(find_in(&other, "M\u{fc}ller"), Some(Kind::Name));
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
        assert_eq!(find_in(&known("BREAST", ""), "left breast"), None);
        assert_eq!(find_in(&known("Test^Patient", ""), "patient position"), None);
        assert_eq!(find_in(&known("PANCREAS_0001", "PANCREAS_0001"), "Pancreas"), None);
        assert_eq!(find_in(&known("PANCREAS_0001", ""), "pancreas 0001"), Some(Kind::Name));
    }

    #[test]
    fn names_without_spaces_are_found_anywhere() {
        let known = known("Yamada^Tarou=\u{5c71}\u{7530}^\u{592a}\u{90ce}", "");
        assert_eq!(find_in(&known, "\u{60a3}\u{8005}\u{5c71}\u{7530}\u{69d8}"), Some(Kind::Name));
        assert_eq!(find_in(&known, "\u{5c71}\u{7530} \u{592a}\u{90ce}"), Some(Kind::Name));
        assert_eq!(find_in(&known, "\u{5c71}"), None);
    }

    #[test]
    fn ids_are_found_however_they_are_separated() {
        let ssn = known("", "327-46-8953");
        for text in ["ID 327-46-8953.", "327468953", "MRN327468953", "3274 68 953", "x327468953y1"]
        {
            assert_eq!(find_in(&ssn, text), Some(Kind::Id), "{text}");
        }
        assert_eq!(find_in(&ssn, "327 46"), None);
        let prefixed = known("", "MRN00442317");
        for text in ["442317", "00442317A", "mrn 0044 2317", "no. 442317"] {
            assert_eq!(find_in(&prefixed, text), Some(Kind::Id), "{text}");
        }
        assert_eq!(find_in(&known("", "1000"), "b1000"), None);
    }

    #[test]
    fn phone_numbers_are_found_without_their_country_and_separators() {
        let mut known = Known::default();
        known.add_contact("+49 (0)89 1234-5678");
        for text in ["089/12345678", "call 9 1234 5678 now", "0049-89-12345678"] {
            assert_eq!(find_in(&known, text), Some(Kind::Contact), "{text}");
        }
        assert_eq!(find_in(&known, "1234 and 5678"), None);
    }

    #[test]
    fn a_word_of_a_language_is_no_place_in_pieces_either() {
        let mut known = Known::default();
        known.add_place("Sch\u{e4}del");
        for text in ["Sch\u{e4}del", "schadel", "scha~del"] {
            assert_eq!(find_in(&known, text), None, "{text}");
        }
    }

    #[test]
    fn days_are_found_in_usual_spellings() {
        let mut known = Known::default();
        known.add_day(day_number("20240131").unwrap(), false);
        for text in ["20240131", "2024-01-31", "31.01.2024", "01/31/2024 10:00", "31 jan 2024"] {
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

    #[test]
    fn a_term_is_explained_by_the_vocabulary_and_a_name_is_not() {
        let find = |name: &str, text: &str, explained| {
            let known = known(name, "2024");
            Matcher::new(&known).find(text, Depth::Term { place: Place::Term, explained })
        };
        for (name, text) in [
            ("MCA^PERFUSION", "PERFUSION"),
            ("PERFUSION", "PERFUSION"),
            ("Field^Grant", "FIELD MAP"),
        ] {
            assert_eq!(find(name, text, true), None, "{text}");
            assert_eq!(find(name, text, false), Some(Kind::Name), "{text}");
        }
        assert_eq!(find("MCA^PERFUSION", "MCA PERFUSION", true), Some(Kind::Name));
        assert_eq!(find("Winterbottom^Jo", "WINTERBOTTOM", true), Some(Kind::Name));
        assert_eq!(find("Roe^Jo", "V2024", true), None);
        assert_eq!(find("Roe^Jo", "V 2024", true), None);
    }
}
