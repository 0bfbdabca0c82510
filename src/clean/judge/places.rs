//! Institutions that no header names: a word for one, and the name beside it.

use std::ops::Range;

use super::finder::{Found, FoundClass};
use super::lexicon::{Flags, Lexicon};
use super::words::{Line, Word, is_wide};

/// Most words of a name before the word for the institution, and after it.
const NAME_WORDS_MAX: usize = 4;
/// Ends of words for an institution, in languages that write them together.
const ENDS: [&str; 8] = [
    "klinik",
    "klinikum",
    "krankenhaus",
    "spital",
    "hospital",
    "ziekenhuis",
    "kliniken",
    "sjukhus",
];
/// Words for an institution in writing without spaces.
const SIGNS: [&str; 7] = ["医院", "病院", "診療所", "クリニック", "병원", "의원", "诊所"];

/// Adds the institutions that a text names.
pub(super) fn find(line: &Line<'_>, found: &mut Vec<Found>) {
    for (at, word) in line.words.iter().enumerate() {
        let named = kind(line, at, word).and_then(|count| named(line, at, at + count - 1));
        if let Some((first, last)) = named {
            let range = line.range(first, last);
            found.push(Found { range, class: FoundClass::Place, score: 0.8 });
        }
    }
    if line.has_wide {
        in_signs(line.text(), found);
    }
}

/// Words after which an occupation says where: `Mayor of`, `baker in`.
const WHERE: [&str; 17] = [
    "of", "in", "at", "from", "for", "near", "bei", "aus", "von", "de", "en", "em", "di", "da",
    "a", "te", "van",
];

/// Where an occupation is followed: from the first word after `of`, `in`, `at`
/// that no list knows to the end.
pub(super) fn of_occupation(line: &Line<'_>) -> Option<Range<usize>> {
    let names = |at: &usize| {
        let after = at.checked_sub(1).and_then(|before| line.words.get(before));
        let word = line.words.get(*at);
        let article = line.words.get(at + 1).filter(|_| word.is_some_and(is_article)).or(word);
        after.is_some_and(|word| WHERE.contains(&word.folded.as_str()))
            && (article
                .is_some_and(|word| !word.is_plain() && (word.is_capital() || !line.has_upper))
                || two_capitals(line, *at))
    };
    let first = (1..line.words.len()).find(names)?;
    Some(line.range(first, first).start..line.text().len())
}

/// `Port Ansel`: a word of the language, large, before another that no list knows.
fn two_capitals(line: &Line<'_>, at: usize) -> bool {
    let capital = |index: usize| line.words.get(index).filter(|word| word.is_capital());
    line.has_lower && capital(at).is_some() && capital(at + 1).is_some_and(|word| !word.is_plain())
}

fn is_article(word: &Word) -> bool {
    matches!(word.folded.as_str(), "the" | "la" | "le" | "der" | "den" | "las" | "los")
}

/// How many words the word for an institution has that begins here.
fn kind(line: &Line<'_>, at: usize, word: &Word) -> Option<usize> {
    let words = line.words.iter().skip(at).map(|word| word.folded.as_str());
    if let Some(count) = Lexicon::shared().place(words) {
        return Some(count);
    }
    let end = |end: &&str| word.folded.strip_suffix(*end).is_some_and(|head| head.len() > 2);
    let compound = word.is_letters() && ENDS.iter().any(end);
    (word.flags.has(Flags::PLACE) || compound).then_some(1)
}

/// The institution with the name before and after it; nothing for one without a name.
fn named(line: &Line<'_>, kind: usize, kind_end: usize) -> Option<(usize, usize)> {
    let (mut first, mut last) = (kind, kind_end);
    let (mut names, mut usual) = (0, 0);
    while kind - first < NAME_WORDS_MAX && first > 0 && is_close(line, first) {
        let Some(word) = line.words.get(first - 1) else { break };
        match part(line, word) {
            Some(true) => names += 1,
            Some(false) => usual += 1,
            None => break,
        }
        first -= 1;
    }
    let mut next = kind_end + 1;
    while next - kind_end <= NAME_WORDS_MAX && is_close(line, next) {
        let Some(word) = line.words.get(next) else { break };
        let link =
            word.flags.has(Flags::PARTICLE) || matches!(word.folded.as_str(), "of" | "fur" | "for");
        match part(line, word) {
            Some(true) => {
                names += 1;
                last = next;
            }
            Some(false) => {
                usual += 1;
                last = last.max(if word.is_capital() { next } else { last });
            }
            None if link => {}
            None => break,
        }
        next += 1;
    }
    (names > 0 || usual > 1).then_some((first, last))
}

fn is_close(line: &Line<'_>, at: usize) -> bool {
    matches!(line.gap(at), " " | "-" | "'" | "’" | ". " | "." | "_" | "  ")
}

/// A word of an institution's name: its own (`true`), or a usual one (`false`).
fn part(line: &Line<'_>, word: &Word) -> Option<bool> {
    let written = word.is_capital() || !line.has_upper && word.flags.is_empty();
    if word.folded == "s" && !word.is_capital() {
        return Some(false);
    }
    if !written
        || !word.is_letters()
        || word.flags.has(Flags::TITLE)
        || word.flags.has(Flags::EPONYM)
    {
        return None;
    }
    if word.flags.has(Flags::PLACE_WORD) && word.chars > 1 {
        return Some(false);
    }
    (word.chars > 1 && !word.is_plain()).then_some(true)
}

/// `東都病院`: the signs before the word for the institution are its name.
fn in_signs(text: &str, found: &mut Vec<Found>) {
    for sign in SIGNS {
        for (at, _) in text.match_indices(sign) {
            let head = text.get(..at).unwrap_or_default();
            let name = head.chars().rev().take_while(|c| is_wide(*c)).map(char::len_utf8);
            let start = at - name.sum::<usize>();
            let range = start..at + sign.len();
            found.push(Found { range, class: FoundClass::Place, score: 0.7 });
        }
    }
}
