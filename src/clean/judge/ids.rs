//! Identifiers, telephone numbers and days of one data set in a text, with
//! other separators, prefixes and misread digits.

use std::collections::HashSet;
use std::ops::Range;

use super::lexicon::{Flags, Label, Lexicon};
use super::words::{Line, Word, confusable, fold, squeezed, within_distance};

/// Shortest identifier that is matched. Default 3: room numbers and counts stay.
const ID_CHARS_MIN: usize = 3;
/// Shortest number that is an identifier without a label before it.
const NUMBER_CHARS_MIN: usize = 4;
/// Shortest identifier that is matched inside a longer word, in part, or misread.
const TOLERANT_CHARS_MIN: usize = 5;
/// Shortest identifier that is matched with one error.
const FUZZY_CHARS_MIN: usize = 6;
/// Fewest digits of a telephone number, without its area.
const PHONE_DIGITS_MIN: usize = 7;
/// Most neighbouring words that make one identifier.
const WORDS_MAX: usize = 5;

#[derive(Debug)]
struct Id {
    plain: String,
    misread: Vec<char>,
    chars: usize,
    is_number: bool,
}

/// What is looked for.
#[derive(Debug, Default)]
pub(super) struct Ids {
    ids: Vec<Id>,
    phones: Vec<String>,
    /// Days without separators, in the orders of day, month and year.
    days: HashSet<String>,
}

impl Ids {
    pub(super) fn add_id(&mut self, text: &str) {
        let plain = squeezed(text);
        let chars = plain.chars().count();
        let known = Lexicon::shared().flags(&plain);
        let is_word = known.has(Flags::PLAIN) || known.has(Flags::NAME_WORD);
        if chars < ID_CHARS_MIN || is_word {
            return;
        }
        let is_number = plain.bytes().all(|byte| byte.is_ascii_digit());
        let misread = confusable(&plain).chars().collect();
        self.ids.push(Id { plain, misread, chars, is_number });
    }

    pub(super) fn add_contact(&mut self, text: &str) {
        let digits: String = fold(text).chars().filter(char::is_ascii_digit).collect();
        if digits.len() >= PHONE_DIGITS_MIN {
            self.phones.push(digits);
        } else {
            self.add_id(text);
        }
    }

    /// `YYYYMMDD`.
    pub(super) fn add_day(&mut self, day: &str) {
        let part = |range: Range<usize>| day.get(range).unwrap_or_default();
        let (year, short, month, date) = (part(0..4), part(2..4), part(4..6), part(6..8));
        for year in [year, short] {
            self.days.insert(format!("{year}{month}{date}"));
            self.days.insert(format!("{date}{month}{year}"));
            self.days.insert(format!("{month}{date}{year}"));
        }
    }

    /// Adds where they stand.
    pub(super) fn find(&self, line: &Line<'_>, found: &mut Vec<Range<usize>>) {
        for (at, word) in line.words.iter().enumerate() {
            if word.is_number() && word.chars > 5 && self.days.contains(&word.folded) {
                found.push(word.range.clone());
            }
            if !self.ids.is_empty() {
                self.ids_from(line, at, found);
            }
            if !self.phones.is_empty() && word.is_number() {
                self.phones_from(line, at, found);
            }
        }
    }

    /// Identifiers that begin at a word, and go over some of the next: the
    /// longest run that is one exactly, else the shortest that may be one, so
    /// that a number beside an identifier stays.
    fn ids_from(&self, line: &Line<'_>, first: usize, found: &mut Vec<Range<usize>>) {
        let mut plain = String::new();
        let (mut digits, mut exact, mut tolerant) = (0, None, None);
        for at in first..(first + WORDS_MAX).min(line.words.len()) {
            let Some(word) = line.words.get(at) else { break };
            if at > first && line.gap(at).chars().count() > 2 {
                break;
            }
            plain.push_str(&word.folded);
            digits += word.digits;
            if digits == 0 && at > first && self.ids.iter().all(|id| !id.plain.starts_with(&plain))
            {
                break;
            }
            if self.is_exact(&plain, || labelled(line, first)) {
                exact = Some(at);
            } else if tolerant.is_none()
                && digits > 0
                && self.is_similar(&plain, at == first, digits)
            {
                tolerant = Some(at);
            }
        }
        found.extend(exact.or(tolerant).map(|last| line.range(first, last)));
    }

    fn is_exact(&self, run: &str, labelled: impl Fn() -> bool) -> bool {
        self.ids.iter().any(|id| {
            let short = id.is_number && id.chars < NUMBER_CHARS_MIN || id.chars == ID_CHARS_MIN;
            id.plain == run && (!short || labelled())
        })
    }

    fn is_similar(&self, run: &str, single: bool, digits: usize) -> bool {
        let chars = run.chars().count();
        if chars < TOLERANT_CHARS_MIN {
            return false;
        }
        let misread: Vec<char> = confusable(run).chars().collect();
        self.ids.iter().filter(|id| id.chars >= TOLERANT_CHARS_MIN).any(|id| {
            let part = single && (id.plain.starts_with(run) || id.plain.ends_with(run));
            let inside = single && run.contains(&id.plain);
            let fuzzy = id.chars >= FUZZY_CHARS_MIN
                && digits * 2 >= chars
                && (single || chars == id.chars)
                && within_distance(&misread, &id.misread, 1);
            part || inside || misread == id.misread || fuzzy
        })
    }

    /// A telephone number that begins at a word of digits.
    fn phones_from(&self, line: &Line<'_>, first: usize, found: &mut Vec<Range<usize>>) {
        let mut digits = String::new();
        for at in first..line.words.len().min(first + 2 * WORDS_MAX) {
            let Some(word) = line.words.get(at).filter(|word| word.is_number()) else { return };
            if at > first && line.gap(at).chars().count() > 3 {
                return;
            }
            digits.push_str(&word.folded);
            let is_phone = digits.len() >= PHONE_DIGITS_MIN
                && self
                    .phones
                    .iter()
                    .any(|phone| phone.ends_with(&digits) || digits.ends_with(phone.as_str()));
            if is_phone {
                found.push(line.range(first, at));
                return;
            }
        }
    }
}

/// A label of an identifier stands before the word.
fn labelled(line: &Line<'_>, at: usize) -> bool {
    let label = |count: usize| {
        let first = at.checked_sub(count)?;
        let words = line.words.iter().skip(first).map(|word: &Word| word.folded.as_str());
        Lexicon::shared().label(words).filter(|(words, _)| *words == count)
    };
    line.gap(at).contains('#') || (1..=3).any(|count| matches!(label(count), Some((_, Label::Id))))
}
