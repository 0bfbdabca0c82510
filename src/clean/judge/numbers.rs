//! Identifiers and telephone numbers by their shape alone.

use std::ops::Range;

use super::Span;
use super::lexicon::Flags;
use super::matcher::{Matcher, OLD_AGES};
use super::words::{Case, Line, Word};
use crate::clean::report::TextReason;

/// Shortest run of digits that is an identifier.
const ID_DIGITS_MIN: usize = 6;
/// Fewest digits of an identifier in groups with hyphens, and with blanks.
const GROUPED_DIGITS_MIN: usize = 7;
const SPACED_DIGITS_MIN: usize = 9;
/// Fewest digits beside letters: `R65118`.
const MIXED_DIGITS_MIN: usize = 5;
/// Most letters before the digits of an identifier, and after them.
const LETTERS_BEFORE_MAX: usize = 5;
const LETTERS_AFTER_MAX: usize = 3;
/// Most digits of a measure behind a number in groups.
const MEASURE_DIGITS_MAX: usize = 3;
/// Components of a UID that is no version number.
const UID_GROUPS_MIN: usize = 6;
/// Digits of telephone numbers.
const PHONE_DIGITS: Range<usize> = 8..16;
/// Words for years of age, folded.
const YEARS: [&str; 26] = [
    "year", "years", "yr", "yrs", "yo", "jahr", "jahre", "jahren", "jahrig", "jahrige", "jahriger",
    "jahrigen", "jahriges", "ans", "anos", "anni", "jaar", "jarige", "lat", "let", "лет", "года",
    "год", "岁", "歳", "세",
];
/// Letters for years and sex behind an age; they stand for much else too.
const AGE_LETTERS: [&str; 6] = ["y", "j", "a", "f", "m", "w"];
/// Most groups of one number.
const GROUPS_MAX: usize = 24;

/// Adds identifiers and telephone numbers that lie outside `dates`.
pub(super) fn find(
    line: &Line<'_>,
    dates: &[Range<usize>],
    matcher: &Matcher,
    found: &mut Vec<Span>,
) {
    if !line.has_digits {
        return;
    }
    let mut at = 0;
    while let Some(word) = line.words.get(at) {
        if is_old_age(line, at, word, matcher) {
            found.push(Span::new(word.range.clone(), TextReason::Identifier));
        }
        let in_date = dates.iter().any(|date| date.contains(&word.range.start));
        if word.digits == 0 || in_date || follows_code_system(line, at) {
            at += 1;
        } else if word.is_number() {
            at = groups(line, dates, at, found) + 1;
        } else {
            if is_mixed_id(line, at, word) {
                found.push(Span::new(word.range.clone(), TextReason::Identifier));
            }
            at += 1;
        }
    }
}

/// An age of 90 years and more. One that the header tells too goes with any
/// unit or none, unless it is a measure.
fn is_old_age(line: &Line<'_>, at: usize, word: &Word, matcher: &Matcher) -> bool {
    let letter = word.folded.strip_prefix(['f', 'm', 'w']);
    let known_sex = letter.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let digits = word.folded.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = match known_sex {
        Some(number) => (number, ""),
        None => word.folded.split_at(digits),
    };
    let Some(years) = number.parse::<u32>().ok().filter(|years| OLD_AGES.contains(years)) else {
        return false;
    };
    let is_known = matcher.has_old_age(years);
    if known_sex.is_some() {
        return is_known;
    }
    let next = line.words.get(at + 1).filter(|_| line.gap(at + 1).chars().count() <= 1);
    let next_word = next.map_or("", |next| next.folded.as_str());
    // `95 y.o.`, `95 y/o`, `95y/o`.
    let in_letters = |first: &str, second: usize| {
        let old = line.words.get(second).is_some_and(|word| word.folded == "o");
        first == "y" && old && matches!(line.gap(second), "." | "/" | ". ")
    };
    if unit.is_empty() {
        let before = at.checked_sub(1).and_then(|before| line.words.get(before));
        let aged = before
            .is_some_and(|word| matches!(word.folded.as_str(), "aged" | "age" | "alter" | "edad"));
        let measured = is_measured(line, at, next);
        return aged
            || YEARS.contains(&next_word)
            || in_letters(next_word, at + 2)
            || (is_known && !measured);
    }
    // `90Y` is yttrium, `094Y` an age.
    let is_yttrium = number == "90";
    YEARS.contains(&unit)
        || in_letters(unit, at + 1)
        || (unit == "y" && (!is_yttrium || is_known))
        || (is_known && AGE_LETTERS.contains(&unit))
}

/// A number with a unit, a fraction or a sign of a measure beside it.
fn is_measured(line: &Line<'_>, at: usize, next: Option<&Word>) -> bool {
    let gap = line.gap(at + 1);
    let before = line.gap(at);
    let is_unit = next.is_some_and(|next| {
        next.is_number() || (next.flags.has(Flags::UNIT) && !AGE_LETTERS.contains(&&*next.folded))
    });
    is_unit
        || gap.trim_start().starts_with(['%', '°', '\u{b5}'])
        || before.ends_with(['=', '.', ','])
}

/// `R6511844`, `97135S`, and long words in which letters and digits change.
fn is_mixed_id(line: &Line<'_>, at: usize, word: &Word) -> bool {
    let letters = word.chars - word.digits;
    let digit = |c: char| c.is_ascii_digit();
    let head = word.folded.chars().take_while(|c| !digit(*c)).count();
    let tail = word.folded.chars().rev().take_while(|c| !digit(*c)).count();
    let unit: String = word.folded.chars().skip(word.chars - tail).collect();
    let is_measure = head == 0 && super::lexicon::Lexicon::shared().flags(&unit).has(Flags::UNIT);
    let one_run = word.digits >= MIXED_DIGITS_MIN
        && head + tail == letters
        && head <= LETTERS_BEFORE_MAX
        && tail <= LETTERS_AFTER_MAX;
    let kinds: Vec<bool> = word.folded.chars().map(digit).collect();
    let changes = kinds.windows(2).filter(|pair| pair.first() != pair.last()).count();
    let scrambled = word.chars >= 10 && word.digits >= 4 && changes >= 3;
    let machine = line.gap(at).ends_with('_') || line.gap(at + 1).starts_with('_');
    (one_run && !is_measure) || (scrambled && !machine && word.case != Case::Mixed)
}

/// Judges the groups of digits that begin at a word; the last word looked at.
fn groups(line: &Line<'_>, dates: &[Range<usize>], first: usize, found: &mut Vec<Span>) -> usize {
    let mut last = first;
    while last - first < GROUPS_MAX {
        let next = line.words.get(last + 1).filter(|word| word.is_number());
        let gap = line.gap(last + 1);
        let links = gap.len() <= 2 && gap.chars().all(|c| " -./()".contains(c));
        let free =
            next.is_some_and(|word| !dates.iter().any(|date| date.contains(&word.range.start)));
        if !links || !free {
            break;
        }
        last += 1;
    }
    let mut from = first;
    while from <= last {
        let hit = (from..=last).rev().find_map(|to| {
            let run = Run { line, first: from, last: to };
            run.reason().map(|reason| (to, run.range(), reason))
        });
        match hit {
            Some((to, range, reason)) => {
                found.push(Span::new(range, reason));
                from = to + 1;
            }
            None => from += 1,
        }
    }
    last
}

/// Neighbouring words of digits.
struct Run<'a> {
    line: &'a Line<'a>,
    first: usize,
    last: usize,
}

impl Run<'_> {
    fn words(&self) -> impl Iterator<Item = &Word> {
        self.line.words.get(self.first..=self.last).into_iter().flatten()
    }

    fn digits(&self) -> usize {
        self.words().map(|word| word.chars).sum()
    }

    fn gaps(&self) -> impl Iterator<Item = &str> {
        (self.first + 1..=self.last).map(|at| self.line.gap(at))
    }

    fn all_gaps(&self, wanted: &str) -> bool {
        self.last > self.first && self.gaps().all(|gap| gap == wanted)
    }

    /// With the sign of a country or area before it.
    fn range(&self) -> Range<usize> {
        let mut range = self.line.range(self.first, self.last);
        let gap = self.line.gap(self.first);
        let signs = gap.chars().rev().take_while(|c| matches!(c, '+' | '(' | '#')).count();
        range.start -= signs;
        range
    }

    fn reason(&self) -> Option<TextReason> {
        if self.is_phone() {
            return Some(TextReason::Contact);
        }
        self.is_id().then_some(TextReason::Identifier)
    }

    fn is_measure(&self) -> bool {
        let unit = self.line.words.get(self.last + 1);
        let gap = self.line.gap(self.last + 1);
        let near = gap.is_empty() || gap == " " || gap == "-";
        near && unit.is_some_and(|word| word.flags.has(Flags::UNIT))
            || gap.trim_start().starts_with('%')
    }

    /// The last group is a short number by itself, with its unit: `618 0294538 22 mm`.
    fn ends_in_measure(&self) -> bool {
        let last = self.line.words.get(self.last);
        self.last > self.first
            && self.line.gap(self.last) == " "
            && last.is_some_and(|word| word.chars <= MEASURE_DIGITS_MAX)
            && self.is_measure()
    }

    /// A part of a decimal number, or of a longer row with the same sign.
    fn is_part(&self) -> bool {
        let number = |at: Option<usize>| {
            at.and_then(|at| self.line.words.get(at)).is_some_and(Word::is_number)
        };
        let sign = |gap: &str| matches!(gap, "." | "," | "/" | "-");
        number(self.first.checked_sub(1)) && sign(self.line.gap(self.first))
            || number(Some(self.last + 1)) && sign(self.line.gap(self.last + 1))
    }

    fn is_phone(&self) -> bool {
        let digits = self.digits();
        if !PHONE_DIGITS.contains(&digits) || self.is_part() || self.ends_in_measure() {
            return false;
        }
        let before = self.line.gap(self.first);
        let lead = self.words().next().map_or("", |word| word.folded.as_str());
        let groups = self.last - self.first + 1;
        let lens: Vec<usize> = self.words().map(|word| word.chars).collect();
        let north_american = lens.ends_with(&[3, 3, 4]) && groups <= 4;
        let international = before.ends_with('+') || lead.starts_with("00");
        let area =
            before.ends_with('(') && self.gaps().next().is_some_and(|gap| gap.starts_with(')'));
        let trunk = lead.starts_with('0') && lead.len() > 1 && groups > 1 && !self.all_gaps(".");
        let sparse = self.gaps().all(|gap| gap.len() <= 2);
        sparse && (north_american || international || area || trunk)
    }

    fn is_id(&self) -> bool {
        let (digits, groups) = (self.digits(), self.last - self.first + 1);
        if groups == 1 {
            return digits >= ID_DIGITS_MIN && !self.is_part() && !self.is_measure();
        }
        if self.ends_in_measure() {
            return false;
        }
        if self.all_gaps(".") {
            return groups >= UID_GROUPS_MIN;
        }
        let longest = self.words().map(|word| word.chars).max().unwrap_or_default();
        if self.all_gaps("-") {
            return digits >= GROUPED_DIGITS_MIN && (groups > 2 || longest > 4) && !self.is_part();
        }
        let round = self.words().filter(|word| word.folded.ends_with('0')).count();
        self.all_gaps(" ")
            && digits >= SPACED_DIGITS_MIN
            && groups > 2
            && round * 2 < groups
            && !self.is_part()
    }
}

/// `ICD-10 S42.301A`, `SNOMED 22298006`: a code that means the same for all.
pub(super) fn follows_code_system(line: &Line<'_>, at: usize) -> bool {
    (1..=3).any(|back| {
        let Some(before) = at.checked_sub(back) else { return false };
        let close = (before + 1..=at).all(|next| line.gap(next).chars().count() <= 2);
        let word = line.words.get(before);
        close && word.is_some_and(|word| word.flags.has(Flags::CODE_SYSTEM))
    })
}
