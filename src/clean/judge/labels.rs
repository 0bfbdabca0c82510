//! Labels and the numbers after them: `MRN 4711`, `DOB 14.3.67`, `Tel: 555`.

use std::ops::Range;

use super::Span;
use super::contacts::DOORS;
use super::lexicon::{Flags, Label, Lexicon};
use super::words::{Case, Line};
use crate::clean::report::TextReason;

/// Words between a label and its number: `no`, `is`.
const FILLERS: [&str; 8] = ["no", "nr", "number", "num", "n", "is", "o", "id"];
/// Shortest labelled value without a colon.
const VALUE_CHARS_MIN: usize = 3;
/// Fewest digits of a labelled telephone number.
const PHONE_DIGITS_MIN: usize = 5;
/// Most groups of one number.
const GROUPS_MAX: usize = 8;
/// Characters between a label and its date.
const GAP_MAX: usize = 6;
/// Most words of an address.
const ADDRESS_WORDS_MAX: usize = 12;

/// Adds labels with their values.
pub(super) fn find(line: &Line<'_>, dates: &[Range<usize>], found: &mut Vec<Span>) {
    for at in 0..line.words.len() {
        let words = line.words.iter().skip(at).map(|word| word.folded.as_str());
        let Some((count, label)) = Lexicon::shared().label(words) else { continue };
        let next = at + count;
        // What a number says without its label is nothing; `call` is a word.
        let hit = match label {
            Label::Id => id(line, next).map(|last| (at, last)),
            Label::Birth => birth(line, next, dates, at, found).map(|last| (at, last)),
            Label::Contact => contact(line, next).map(|last| (next, last)),
            Label::Address => address(line, next).map(|last| (next, last)),
            // The finder's.
            Label::Person => None,
        };
        if let Some((first, last)) = hit {
            found.push(Span::new(line.range(first, last), TextReason::Labelled));
        }
    }
}

fn is_marked(gap: &str) -> bool {
    gap.contains([':', '：', '#', '='])
}

/// Nothing but blanks and the signs that end a label.
fn is_open(gap: &str) -> bool {
    gap.chars().count() <= 5 && gap.chars().all(|c| " :：#=.°º-–/".contains(c))
}

/// The last word of the identifier that begins at a word, past fillers.
fn id(line: &Line<'_>, mut at: usize) -> Option<usize> {
    let mut marked = is_marked(line.gap(at));
    if !is_open(line.gap(at)) {
        return None;
    }
    while line.words.get(at).is_some_and(|word| FILLERS.contains(&word.folded.as_str())) {
        at += 1;
        marked |= is_marked(line.gap(at));
        if !is_open(line.gap(at)) {
            return None;
        }
    }
    let first = line.words.get(at)?;
    let (mut last, mut digits, mut chars) = (at, first.digits, first.chars);
    for next in at + 1..at + GROUPS_MAX {
        let Some(word) = line.words.get(next) else { break };
        let gap = line.gap(next);
        let tight = matches!(gap, "-" | "." | "/" | "_");
        let after = line.words.get(next + 1);
        let measure = after.is_some_and(|after| after.flags.has(Flags::UNIT))
            || after.is_some_and(|after| after.digits > 0)
                && matches!(line.gap(next + 1), "." | ",");
        let grouped = word.chars > 2 && first.is_number() && first.chars < 5;
        let spaced = gap == " " && word.is_number() && grouped && !measure;
        if !(tight && (word.digits > 0 || digits == 0) || spaced) {
            break;
        }
        last = next;
        digits += word.digits;
        chars += word.chars;
    }
    let is_measure = line.has_unit_behind(last) && !marked;
    let long = chars >= VALUE_CHARS_MIN || marked;
    (digits > 0 && long && !is_measure).then_some(last)
}

/// A date after the label, or a year, or six digits and more.
fn birth(
    line: &Line<'_>,
    next: usize,
    dates: &[Range<usize>],
    label: usize,
    found: &mut Vec<Span>,
) -> Option<usize> {
    let start = line.range(label, next.saturating_sub(1)).end;
    let date = dates.iter().find(|date| (start..=start + GAP_MAX).contains(&date.start));
    if let Some(date) = date {
        let range = line.range(label, label).start..date.end;
        found.push(Span::new(range, TextReason::Labelled));
        return None;
    }
    let word = line.words.get(next).filter(|word| word.digits > 0)?;
    let year = word.chars == 4 && (word.folded.starts_with("19") || word.folded.starts_with("20"));
    let open = is_open(line.gap(next));
    (open && (year || word.digits >= 6)).then_some(next)
}

fn contact(line: &Line<'_>, at: usize) -> Option<usize> {
    let gap = line.gap(at);
    let open = gap.chars().count() <= 4 && gap.chars().all(|c| " :：=.+(#".contains(c));
    line.words.get(at).filter(|word| open && word.is_number())?;
    let (mut last, mut digits) = (at, 0);
    for next in at..at + GROUPS_MAX {
        let Some(word) = line.words.get(next).filter(|word| word.is_number()) else { break };
        let gap = line.gap(next);
        let links = gap.chars().count() <= 3 && gap.chars().all(|c| " -./()+".contains(c));
        let measure = line.has_unit_behind(next) && gap == " ";
        if next > at && (!links || measure) {
            break;
        }
        digits += word.chars;
        last = next;
    }
    // An extension: `ext 4`.
    let extension =
        line.words.get(last + 1).is_some_and(|word| matches!(word.folded.as_str(), "ext" | "x"));
    if extension && line.words.get(last + 2).is_some_and(|word| word.is_number()) {
        last += 2;
    }
    (digits >= PHONE_DIGITS_MIN).then_some(last)
}

/// The address after its label: names with a large letter, numbers, what links them.
fn address(line: &Line<'_>, at: usize) -> Option<usize> {
    if !is_open(line.gap(at)) {
        return None;
    }
    let (mut last, mut shown, mut capital) = (None, false, false);
    for next in at..line.words.len().min(at + ADDRESS_WORDS_MAX) {
        let Some(word) = line.words.get(next) else { break };
        let gap = line.gap(next);
        let after_c = next > at
            && gap.starts_with('/')
            && line.words.get(next - 1).is_some_and(|word| word.folded == "c");
        let tight = gap.chars().count() <= 3
            && !matches!(gap, " - " | " / " | "/ ")
            && gap.chars().all(|c| " ,.-/'’#".contains(c));
        if next > at && !(tight || after_c) {
            break;
        }
        let number = word.digits > 0 && !line.has_unit_behind(next);
        // A word all in capitals behind others is what the address stands before.
        let shouted = word.case == Case::Upper && word.chars > 1 && capital;
        let named = word.is_letters() && word.is_capital() && !word.is_plain();
        let usual = word.case == Case::Capital && line.has_lower && last.is_some();
        let suffix = gap == "-" && word.is_letters();
        let flat = DOORS.contains(&word.folded.as_str());
        if flat && line.words.get(next + 1).is_some_and(|number| number.digits > 0) {
            continue;
        }
        if word.flags.has(Flags::PARTICLE) && !word.is_capital() && next > at {
            continue;
        }
        if shouted || !(number || named || usual || suffix) {
            break;
        }
        shown |= number || named;
        capital |= matches!(word.case, Case::Capital | Case::Mixed);
        last = Some(next);
    }
    last.filter(|_| shown)
}
