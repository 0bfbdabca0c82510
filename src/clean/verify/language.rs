//! Words of typed text that tell nothing of a person where they stand, although
//! somebody is called so: `CT HEAD`, `young adult`, `Baker cyst`
//! (docs/decisions/0010).
//!
//! The lists are those of the cleaner; how they are read and asked is not.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::spelling::fold;
use super::vocabulary::Vocabulary;

const CLINICAL: &str = include_str!("../../../config/standard/clinical-words.txt");
const TEXT: &str = include_str!("../../../config/standard/text-words.txt");

/// How far an eponym's noun may stand behind it, in words: `Baker's popliteal cyst`
/// has `s` and another between.
const NOUN_BEHIND: usize = 4;
/// And before it: `maladie de Hodgkin`.
const NOUN_BEFORE: usize = 2;

static LISTS: LazyLock<Lists> = LazyLock::new(Lists::read);

#[derive(Default)]
struct Lists {
    plain: HashSet<&'static str>,
    /// Words that are names too, with the words that they are used with.
    names: HashMap<&'static str, Vec<&'static str>>,
    eponyms: HashSet<&'static str>,
    nouns: HashSet<&'static str>,
}

impl Lists {
    fn read() -> Self {
        let mut lists = Self::default();
        let mut part = "";
        for line in CLINICAL.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                part = title;
            } else if !line.starts_with('#') {
                match part {
                    "eponyms" => lists.eponyms.extend(line.split_whitespace()),
                    "eponym nouns" => {
                        lists.nouns.extend(line.split_whitespace());
                        lists.plain.extend(line.split_whitespace());
                    }
                    _ => lists.plain.extend(line.split_whitespace()),
                }
            }
        }
        for line in TEXT.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                part = title;
            } else if !line.starts_with('#') {
                lists.add(part, line);
            }
        }
        lists
    }

    fn add(&mut self, part: &str, line: &'static str) {
        match part {
            "names" => {
                let (name, beside) = line.split_once(':').unwrap_or((line, ""));
                self.names.entry(name).or_default().extend(beside.split_whitespace());
            }
            "extra eponyms" => self.eponyms.extend(line.split_whitespace()),
            "extra eponym nouns" => {
                self.nouns.extend(line.split_whitespace());
                self.plain.extend(line.split_whitespace());
            }
            "words" | "relatives" | "code systems" | "places" | "place words" | "units" => {
                self.plain.extend(line.split_whitespace());
            }
            _ => {}
        }
    }
}

/// The folded word is of a language or of the clinic, and not mostly a name.
pub(super) fn is_plain(word: &str) -> bool {
    let known = LISTS.plain.contains(word) || Vocabulary::of(word) == Some(Vocabulary::Standard);
    known && !LISTS.names.contains_key(word)
}

/// A text as it is written; its words are looked through once, and only when one
/// of them is in question.
pub(super) struct Written<'a> {
    text: &'a str,
    /// Folded words, and whether one stands there with a large letter.
    words: OnceCell<HashMap<String, bool>>,
}

impl<'a> Written<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, words: OnceCell::new() }
    }

    /// The word stands in the text, and nowhere with a large letter.
    fn is_small(&self, word: &str) -> bool {
        let words = self.words.get_or_init(|| {
            let mut words = HashMap::new();
            for written in self.text.split(|letter: char| !letter.is_alphanumeric()) {
                *words.entry(fold(written)).or_insert(false) |=
                    written.chars().any(char::is_uppercase);
            }
            words
        });
        words.get(word) == Some(&false)
    }
}

/// The word at this place of `text` says what it says of everybody. `folded`:
/// the words of the text, one of them at `at`.
pub(super) fn is_explained(text: &Written<'_>, folded: &[&str], at: usize) -> bool {
    let Some(word) = folded.get(at) else { return false };
    is_plain(word) || is_name_used_as_word(text, folded, at) || is_eponym(folded, at)
}

fn is_name_used_as_word(text: &Written<'_>, folded: &[&str], at: usize) -> bool {
    let Some(word) = folded.get(at) else { return false };
    let Some(its_words) = LISTS.names.get(word) else { return false };
    let beside = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten();
    let beside_its_words =
        beside.filter_map(|index| folded.get(index)).any(|other| its_words.contains(other));
    beside_its_words || text.is_small(word)
}

fn is_eponym(folded: &[&str], at: usize) -> bool {
    let is_eponym =
        |index: usize| folded.get(index).is_some_and(|word| LISTS.eponyms.contains(word));
    if !is_eponym(at) {
        return false;
    }
    let from = at.saturating_sub(NOUN_BEFORE);
    let around = folded.iter().take(at.saturating_add(NOUN_BEHIND)).skip(from);
    let two = is_eponym(at + 1) || at.checked_sub(1).is_some_and(is_eponym);
    two || around.into_iter().any(|word| LISTS.nouns.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::verify::spelling::words;

    fn explained(text: &str, word: &str) -> bool {
        let folded = fold(text);
        let cut: Vec<&str> = words(&folded).collect();
        let at = cut.iter().position(|other| *other == word).unwrap();
        is_explained(&Written::new(text), &cut, at)
    }

    #[test]
    fn words_are_explained_by_what_they_are_and_by_their_neighbours() {
        for (text, word) in [
            ("CT HEAD", "head"),
            ("YOUNG ADULT", "young"),
            ("grace run, rose thorn", "rose"),
            ("Baker's popliteal cyst", "baker"),
            ("Hill-Sachs lesion", "hill"),
            ("maladie de Hodgkin", "hodgkin"),
            ("page 2 of 3", "page"),
        ] {
            assert!(explained(text, word), "{text}");
        }
        for (text, word) in [
            ("Rose", "rose"),
            ("rose, Rose", "rose"),
            ("YOUNG CT", "young"),
            ("Baker seen", "baker"),
            ("winterbottom", "winterbottom"),
            ("Doe cyst", "doe"),
        ] {
            assert!(!explained(text, word), "{text}");
        }
    }
}
