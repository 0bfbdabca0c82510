//! Identifiers, telephone numbers and days of one data set in a text, with
//! other separators, prefixes and misread digits.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::{Bound, Range};

use super::lexicon::{Flags, Label, Lexicon};
use super::words::{Line, Word, confusable, fold, letters_in, squeezed, within_distance};

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
/// Shortest run of digits within an identifier that is one by itself.
const RUN_DIGITS_MIN: usize = 6;
/// How far before its word's end an identifier may begin behind letters: `xPZ-1`.
const BEHIND_BYTES_MAX: usize = 8;
/// Most neighbouring words that make one identifier.
const WORDS_MAX: usize = 5;

#[derive(Debug)]
struct Id {
    plain: String,
    misread: Vec<char>,
    /// The letters of the misread one.
    letters: u64,
    chars: usize,
}

/// Neighbouring words without what stands between them.
#[derive(Debug, Clone, Copy)]
struct Run<'a> {
    text: &'a str,
    first_bytes: usize,
    last_bytes: usize,
    digits: usize,
}

/// What is looked for.
#[derive(Debug, Default)]
pub(super) struct Ids {
    ids: Vec<Id>,
    /// Without separators, and whether it tells beside a label only.
    exact: BTreeMap<String, bool>,
    /// Digits of identifiers that have letters too: where the whole is not found.
    runs: BTreeSet<String>,
    /// By their last [`PHONE_DIGITS_MIN`] digits.
    phones: HashMap<String, Vec<String>>,
    /// Days without separators, in the orders of day, month and year.
    days: HashSet<String>,
}

impl Ids {
    pub(super) fn add_id(&mut self, text: &str) {
        let plain = squeezed(text);
        let chars = plain.chars().count();
        let lexicon = Lexicon::shared();
        let known = lexicon.flags(&plain);
        // One word: several that together are one are what they are, whatever that is.
        let is_one = Line::new(text, lexicon).words.len() == 1;
        let is_word = is_one && (known.has(Flags::PLAIN) || known.has(Flags::NAME_WORD));
        if chars < ID_CHARS_MIN || is_word {
            return;
        }
        // `MRN 0042317` is written `4231 7` too.
        for run in plain.split(|c: char| !c.is_ascii_digit()).filter(|run| *run != plain) {
            let runs = [run, run.trim_start_matches('0')].into_iter();
            let long = runs.filter(|run| run.len() >= RUN_DIGITS_MIN);
            self.runs.extend(long.map(str::to_owned));
        }
        self.add_plain(plain);
    }

    fn add_plain(&mut self, plain: String) {
        let chars = plain.chars().count();
        let is_number = plain.bytes().all(|byte| byte.is_ascii_digit());
        let misread: Vec<char> = confusable(&plain).chars().collect();
        let letters = letters_in(&misread);
        let short = is_number && chars < NUMBER_CHARS_MIN || chars == ID_CHARS_MIN;
        self.exact.insert(plain.clone(), short);
        self.ids.push(Id { plain, misread, letters, chars });
    }

    pub(super) fn add_contact(&mut self, text: &str) {
        let digits: String = fold(text).chars().filter(char::is_ascii_digit).collect();
        if digits.len() >= PHONE_DIGITS_MIN {
            let end = digits.get(digits.len() - PHONE_DIGITS_MIN..).unwrap_or_default();
            self.phones.entry(end.to_owned()).or_default().push(digits);
        } else {
            // `none`, `home`: no way to reach anybody.
            let plain = squeezed(text);
            let chars = plain.chars().count();
            let is_word = Lexicon::shared().flags(&plain).has(Flags::PLAIN);
            if chars >= ID_CHARS_MIN && !(is_word && chars < TOLERANT_CHARS_MIN) {
                self.add_plain(plain);
            }
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
        let mut first_bytes = 0;
        let (mut digits, mut exact, mut tolerant, mut run) = (0, None, None, None);
        for at in first..(first + WORDS_MAX).min(line.words.len()) {
            let Some(word) = line.words.get(at) else { break };
            if at > first && line.gap(at).chars().count() > 2 {
                break;
            }
            plain.push_str(&word.folded);
            digits += word.digits;
            if at == first {
                first_bytes = plain.len();
            }
            if digits == 0 && at > first && !self.may_begin(&plain, first_bytes) {
                break;
            }
            if self.is_exact(&plain, || labelled(line, first)) {
                exact = Some(at);
            } else if tolerant.is_none()
                && digits > 0
                && self.is_similar(&Run {
                    text: &plain,
                    first_bytes,
                    last_bytes: word.folded.len(),
                    digits,
                })
            {
                tolerant = Some(at);
            }
            if run.is_none() && digits >= RUN_DIGITS_MIN {
                let is_run = self.has_run(&plain, first_bytes, word.folded.len());
                run = is_run.then_some(at);
            }
        }
        found.extend(exact.or(tolerant).or(run).map(|last| line.range(first, last)));
    }

    fn is_exact(&self, run: &str, labelled: impl Fn() -> bool) -> bool {
        self.exact.get(run).is_some_and(|short| !short || labelled())
    }

    /// The digits of an identifier stand in all words of the run.
    fn has_run(&self, run: &str, first_bytes: usize, last_bytes: usize) -> bool {
        self.runs.iter().any(|digits| {
            let at = run.find(digits.as_str());
            at.is_some_and(|at| at < first_bytes && at + digits.len() + last_bytes > run.len())
        })
    }

    fn any_starts_with(&self, run: &str) -> bool {
        let from = (Bound::Included(run), Bound::Unbounded);
        self.exact.range::<str, _>(from).next().is_some_and(|(id, _)| id.starts_with(run))
    }

    /// An identifier may begin in the first word of the run, perhaps behind letters.
    fn may_begin(&self, run: &str, first_bytes: usize) -> bool {
        let starts = (first_bytes.saturating_sub(BEHIND_BYTES_MAX)..first_bytes).chain([0]);
        starts.filter_map(|start| run.get(start..)).any(|rest| self.any_starts_with(rest))
    }

    fn is_similar(&self, run: &Run<'_>) -> bool {
        let Run { text: run, first_bytes, last_bytes, digits } = *run;
        let single = first_bytes == run.len();
        let chars = run.chars().count();
        if chars < TOLERANT_CHARS_MIN {
            return false;
        }
        let misread: Vec<char> = confusable(run).chars().collect();
        let letters = letters_in(&misread);
        // A part has no letter that the whole has not, an error changes two.
        let may_be = |id: &&Id| {
            id.chars >= TOLERANT_CHARS_MIN
                && (letters & !id.letters == 0
                    || id.letters & !letters == 0
                    || (letters ^ id.letters).count_ones() <= 2)
        };
        self.ids.iter().filter(may_be).any(|id| {
            let part = single && (id.plain.starts_with(run) || id.plain.ends_with(run));
            // It stands in all words of the run: `PZ-4471903x`.
            let inside = run
                .find(&id.plain)
                .is_some_and(|at| at < first_bytes && at + id.plain.len() + last_bytes > run.len());
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
            let end = digits.len().checked_sub(PHONE_DIGITS_MIN);
            let phones = end.and_then(|end| self.phones.get(digits.get(end..)?));
            let is_phone = phones
                .into_iter()
                .flatten()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(id: &str, text: &'a str) -> Vec<&'a str> {
        let mut ids = Ids::default();
        ids.add_id(id);
        let mut found = Vec::new();
        ids.find(&Line::new(text, Lexicon::shared()), &mut found);
        found.into_iter().filter_map(|range| text.get(range)).collect()
    }

    #[test]
    fn an_identifier_is_found_between_letters_and_what_stands_beside_it_stays() {
        for (text, wanted) in [
            ("no PZ-4471903Winter 3", "PZ-4471903Winter"),
            ("no xPZ-4471903 3", "xPZ-4471903"),
            ("no xP-Z-4471903y 3", "xP-Z-4471903y"),
            ("3 PZ 4471903", "PZ 4471903"),
            ("447 1903 3", "447 1903"),
        ] {
            assert_eq!(found("PZ-4471903", text).first(), Some(&wanted), "{text}");
        }
        assert!(found("PZ-4471903", "3 knee 44").is_empty());
        for text in ["44719O3 Winter", "447 1903 Winter", "4471903 Winter"] {
            assert_eq!(found("4471903-Winter", text), [text], "none of it stays");
        }
        assert_eq!(found("Victoria Wright", "for Victoria Wright 2"), ["Victoria Wright"]);
        assert_eq!(found("follow-up", "at follow-up"), ["follow-up"]);
        assert!(found("AXIAL", "axial").is_empty());
    }
}
