//! Whether a word that is also a name stands for a person where it stands.
//!
//! Doubt goes both ways: what is written as a name (a large letter within a
//! sentence, a title, a label) goes; a word of the clinic, and one beside the
//! words that it is used with, stays (docs/decisions/0013).

use super::lexicon::{Flags, Label, Lexicon};
use super::matcher::Weight;
use super::persons::SUFFIXES;
use super::words::{Case, Line, Word};

/// Words between an eponym and its noun: `Baker's popliteal cyst`.
const EPONYM_WORDS_BETWEEN: usize = 2;
/// Longest label of a person, in words.
const LABEL_WORDS_MAX: usize = 3;

/// A word that is somebody's name in the header, and a word of a language:
/// the text shows that it is the name here.
pub(super) fn shows_person(line: &Line<'_>, at: usize, weight: Weight) -> bool {
    let Some(word) = line.words.get(at) else { return false };
    if !matches!(weight, Weight::NameWord | Weight::Plain) {
        return false;
    }
    if has_title_before(line, at) || has_suffix_after(line, at) || line.gap(at + 1).contains('^') {
        return word.is_capital() || weight == Weight::NameWord;
    }
    if follows_label(line, at) && word.is_capital() {
        return true;
    }
    if line.has_lower && word.is_capital() && stands_after_label(line, at) {
        return true;
    }
    if weight == Weight::Plain {
        return word.is_capital() && has_marks(line, word);
    }
    let next_to_its_words = [at.checked_sub(1), Some(at + 1)].into_iter().flatten().any(|beside| {
        let gap = line.gap(at.max(beside));
        let close = gap.chars().count() <= 2 && !gap.contains([',', ':', ';', '.']);
        let other = line.words.get(beside).filter(|_| close);
        other.is_some_and(|other| Lexicon::shared().are_neighbours(&word.folded, &other.folded))
    });
    let alone = line.words.len() == 1;
    match word.case {
        Case::Lower => !line.has_upper && alone,
        Case::Capital | Case::Upper | Case::Mixed => !next_to_its_words,
        Case::None => true,
    }
}

/// A title stands before the word, perhaps with initials between.
pub(super) fn has_title_before(line: &Line<'_>, at: usize) -> bool {
    title_before(line, at).is_some()
}

/// Where the title before a word stands.
pub(super) fn title_before(line: &Line<'_>, at: usize) -> Option<usize> {
    let mut before = at;
    while let Some(index) = before.checked_sub(1) {
        let word = line.words.get(index)?;
        if line.gap(before).contains([',', ':', ';', '(', '\n', '/']) {
            return None;
        }
        let weak = word.flags.has(Flags::WEAK_TITLE) && is_weak_title(line, index);
        if word.flags.has(Flags::TITLE) || weak {
            return Some(index);
        }
        if !(word.is_initial() || word.flags.has(Flags::TITLE_TAIL)) {
            return None;
        }
        before = index;
    }
    None
}

/// `Ms`, `Fr.`, `Mr.`: an abbreviation used as a title, not as a modality, a
/// disease or a unit.
pub(super) fn is_weak_title(line: &Line<'_>, at: usize) -> bool {
    let Some(word) = line.words.get(at) else { return false };
    let after_number = at.checked_sub(1).and_then(|before| line.words.get(before));
    if after_number.is_some_and(Word::is_number) {
        return false;
    }
    word.chars > 2 || word.case == Case::Capital || line.gap(at + 1).starts_with('.')
}

fn has_suffix_after(line: &Line<'_>, at: usize) -> bool {
    let suffix = line.words.get(at + 1);
    let is_suffix = |word: &Word| {
        let degree = SUFFIXES.contains(&word.folded.as_str()) && word.case == Case::Upper;
        word.flags.has(Flags::SUFFIX) && word.chars > 1 && (degree || !word.is_plain())
    };
    // `M.D.`
    let letters = |index: usize, letter: &str| {
        line.words.get(index).is_some_and(|word| word.folded == letter && word.is_capital())
    };
    let pointed = letters(at + 1, "m") && line.gap(at + 2) == "." && letters(at + 2, "d");
    line.is_joined(at + 1) && (pointed || suffix.is_some_and(is_suffix))
}

/// `Patient: Head`, `Ref. Long`.
fn follows_label(line: &Line<'_>, at: usize) -> bool {
    (1..=LABEL_WORDS_MAX).any(|count| {
        let Some(first) = at.checked_sub(count) else { return false };
        let words = line.words.iter().skip(first).map(|word| word.folded.as_str());
        let label = Lexicon::shared().label(words);
        label == Some((count, Label::Person)) && line.gap(at).contains([':', '='])
    })
}

/// `pt Head`, `attending Shim`: the label alone, before a word that the header has as a name.
fn stands_after_label(line: &Line<'_>, at: usize) -> bool {
    (1..=LABEL_WORDS_MAX).any(|count| {
        let Some(first) = at.checked_sub(count) else { return false };
        let words = line.words.iter().skip(first).map(|word| word.folded.as_str());
        let capital = line.words.get(at).is_some_and(|word| word.case == Case::Capital);
        let small = line.words.get(at - 1).is_some_and(|word| word.case == Case::Lower);
        Lexicon::shared().label(words) == Some((count, Label::Person))
            && line.gap(at) == " "
            && (capital || small)
    })
}

/// Latin letters with diacritics, which the lists do not have: `Groß` is no `gross`.
fn has_marks(line: &Line<'_>, word: &Word) -> bool {
    let written = line.text().get(word.range.clone()).unwrap_or_default();
    !written.is_ascii() && written.chars().all(|c| c < '\u{250}')
}

/// Two letters that are somebody's initials stand where a person is named.
pub(super) fn expects_initials(line: &Line<'_>, at: usize) -> bool {
    let Some(word) = line.words.get(at) else { return false };
    if follows_label(line, at) || has_title_before(line, at) {
        return true;
    }
    let before = at.checked_sub(1).and_then(|before| line.words.get(before));
    let by = before.is_some_and(|word| word.flags.has(Flags::BEFORE));
    let last = at + 1 == line.words.len();
    let apart = last && line.gap(at).contains(['/', '-']);
    word.case == Case::Upper && !word.is_plain() && (by || apart)
}

/// An eponym with its noun: `Murphy sign`, `Baker's cyst`, `maladie de Hodgkin`,
/// or one of several in a row (`Wolff-Parkinson-White`).
pub(super) fn is_eponym(line: &Line<'_>, at: usize) -> bool {
    if has_title_before(line, at) {
        return false;
    }
    // `Hill-Sachs`: two of them make one without a noun.
    let hyphened = |index: usize, beside: usize| {
        let other = line.words.get(beside);
        line.gap(index) == "-" && other.is_some_and(|word| word.flags.has(Flags::EPONYM))
    };
    if hyphened(at + 1, at + 1) || at > 0 && hyphened(at, at - 1) {
        return true;
    }
    let noun = |word: &Word| word.flags.has(Flags::EPONYM_NOUN);
    let mut skipped = 0;
    for index in at + 1..line.words.len() {
        let Some(word) = line.words.get(index) else { break };
        if line.gap(index).contains([',', ';', ':', '(', '\n']) {
            break;
        }
        if noun(word) {
            return true;
        }
        let linked = word.folded == "s" || word.flags.has(Flags::EPONYM) || word.folded == "and";
        skipped += usize::from(!linked);
        if skipped >= EPONYM_WORDS_BETWEEN || (!linked && !word.is_plain()) {
            break;
        }
    }
    let before = |count: usize| at.checked_sub(count).and_then(|index| line.words.get(index));
    let linked = |word: &Word| word.flags.has(Flags::PARTICLE) || word.folded == "m";
    let small = |word: &Word| linked(word) && word.chars <= 2;
    before(1).is_some_and(noun) || before(1).is_some_and(small) && before(2).is_some_and(noun)
}
