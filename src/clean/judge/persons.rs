//! Persons that no header names, by the forms in which a text names them:
//! title, label, relative, `by`, initials, given names, titles after the name.

use super::context::{has_title_before, is_eponym, is_weak_title};
use super::finder::{Found, FoundClass};
use super::lexicon::{Flags, Label, Lexicon};
use super::words::{Case, Line, Word};

/// Most words of one name.
const NAME_WORDS_MAX: usize = 4;
/// Most words of one name in a text all in capitals, where nothing tells a
/// name from another word that no list knows.
const UPPER_WORDS_MAX: usize = 2;
/// A single word all in capitals that is no abbreviation has more letters.
const SHOUTED_CHARS_MIN: usize = 3;
/// Letters that stand for words before others: with, left, right.
const LETTER_WORDS: [&str; 5] = ["w", "c", "l", "r", "s"];
/// Longest word that a point behind it shortens, as in `St. Clair`.
const SHORTENED_CHARS_MAX: usize = 3;
/// Titles after a name that are nothing else.
pub(super) const SUFFIXES: [&str; 14] = [
    "md", "phd", "frcr", "rdms", "rdcs", "rvt", "rn", "dds", "mbbs", "facr", "crna", "frcp", "dnp",
    "arnp",
];

/// How sure the form is that a name follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// After a title, a label with a colon: what no list knows is a name.
    Sure,
    /// After `by`, a relative, a label alone: it must look like a name too.
    Likely,
}

/// Adds the persons that a text names.
pub(super) fn find(line: &Line<'_>, found: &mut Vec<Found>) {
    let mut add = |first: usize, last: usize, score: f32| {
        let range = line.range(first, last);
        found.push(Found { range, class: FoundClass::Person, score });
    };
    for (at, word) in line.words.iter().enumerate() {
        if let Some(last) = titled(line, at, word) {
            add(at, last, 0.95);
        }
        if let Some((first, last)) = labelled(line, at) {
            add(first, last, 0.9);
        }
        if let Some(last) = related(line, at, word) {
            add(at + 1, last, 0.8);
        }
        if let Some((first, last)) = given(line, at, word) {
            add(first, last, 0.8);
        }
        if let Some((first, last)) = by_form(line, at, word) {
            add(first, last, 0.8);
        }
    }
}

/// `Dr. med. Obermaier`, `Mrs Doe`.
fn titled(line: &Line<'_>, at: usize, word: &Word) -> Option<usize> {
    let strong = word.flags.has(Flags::TITLE);
    let weak = word.flags.has(Flags::WEAK_TITLE) && is_weak_title(line, at);
    if !(strong || weak) {
        return None;
    }
    let gap = line.gap(at + 1);
    if gap.chars().count() > 3 || gap.contains([',', ':', ';', '/', '\n', '-', '+']) {
        return None;
    }
    let form = if strong { Form::Sure } else { Form::Likely };
    if let Some(last) = name(line, at + 1, form) {
        return Some(last);
    }
    // `Dr. Head`, `Dr BRANCH`: a large letter after a title, and no `DR CHEST`.
    let next = line.words.get(at + 1)?;
    let dotted = gap.starts_with('.') && line.has_lower && next.case == Case::Capital;
    let titled = word.case == Case::Capital && next.is_capital() && next.is_letters();
    (strong && (dotted || titled) && word.chars > 1 && next.chars > 2).then_some(at + 1)
}

/// `Ref: Ogunleye`, `referred by Ogunleye`, `Patient Hargreaves`.
fn labelled(line: &Line<'_>, at: usize) -> Option<(usize, usize)> {
    let words = line.words.iter().skip(at).map(|word| word.folded.as_str());
    let (count, label) = Lexicon::shared().label(words)?;
    if label != Label::Person {
        return None;
    }
    let gap = line.gap(at + count);
    let marked = gap.contains([':', '：', '=']);
    let open = gap.chars().all(|c| " .:：=".contains(c)) && gap.chars().count() <= 3;
    if !open {
        return None;
    }
    let form = if marked { Form::Sure } else { Form::Likely };
    let shouted = shouted(line, at + count, 1);
    let mut last = name(line, at + count, form).max(shouted)?;
    // Several persons: `jb / Ruiz`.
    while marked && line.gap(last + 1).contains(['/', '&', ',']) {
        // The second name is the line's last word, or a sign follows it.
        let ends = |next: &usize| {
            *next + 1 == line.words.len() || line.gap(*next + 1).contains(['/', '&', ',', ';', ':'])
        };
        match name(line, last + 1, Form::Likely).filter(ends) {
            Some(next) => last = next,
            None => break,
        }
    }
    let of_patient =
        matches!(line.words.get(at)?.folded.as_str(), "patient" | "pat" | "pt" | "pts");
    Some((at + count, if of_patient { last } else { with_surname(line, at + count, last) }))
}

/// `wife Maria`, `per Lund`.
fn related(line: &Line<'_>, at: usize, word: &Word) -> Option<usize> {
    if !word.flags.has(Flags::RELATIVE) && !word.flags.has(Flags::BEFORE) {
        return None;
    }
    let gap = line.gap(at + 1);
    let open = gap.chars().all(|c| " :,".contains(c)) && gap.chars().count() <= 2;
    let next = line.words.get(at + 1)?;
    let noun = line.words.get(at + 2).is_some_and(|word| word.flags.has(Flags::EPONYM_NOUN));
    let comma_before_word = gap.contains(',') && !next.flags.has(Flags::GIVEN);
    if !open || noun || comma_before_word {
        return None;
    }
    let words_min = if word.flags.has(Flags::RELATIVE) { 1 } else { 2 };
    let sure = word.flags.has(Flags::BEFORE) && next.flags.has(Flags::SURE_EPONYM);
    let last = name(line, at + 1, Form::Likely).max(shouted(line, at + 1, words_min));
    last.filter(|_| !sure).map(|last| with_surname(line, at + 1, last))
}

/// `son Matilda Crisp called`: a surname that is a word too, behind one given name.
fn with_surname(line: &Line<'_>, first: usize, last: usize) -> usize {
    let (Some(given), Some(word)) = (line.words.get(last), line.words.get(last + 1)) else {
        return last;
    };
    let after = line.words.get(last + 2);
    let large = after.is_some_and(Word::is_capital) && line.gap(last + 2).trim().is_empty();
    let alike = given.case == word.case && word.is_capital() && word.is_letters();
    let surname = first == last
        && line.gap(last + 1) == " "
        && line.has_lower
        && alike
        && !large
        && !word.flags.has(Flags::EPONYM);
    if surname { last + 1 } else { last }
}

/// `husband HAIBO SHI consented`: all in capitals behind a word that is not.
fn shouted(line: &Line<'_>, mut first: usize, words_min: usize) -> Option<usize> {
    let before = first.checked_sub(1).and_then(|before| line.words.get(before))?;
    if !matches!(before.case, Case::Lower | Case::Capital) {
        return None;
    }
    while line.words.get(first).is_some_and(|word| SUFFIXES.contains(&word.folded.as_str())) {
        first += 1;
    }
    let upper = |word: &Word| {
        word.case == Case::Upper && word.is_letters() && word.chars > 1 && !word.is_plain()
    };
    let begins =
        line.words.get(first).filter(|word| upper(word) && !word.flags.has(Flags::TITLE))?;
    let mut last = first;
    while last - first + 1 < NAME_WORDS_MAX
        && matches!(line.gap(last + 1), " " | "-")
        && line.words.get(last + 1).is_some_and(upper)
    {
        last += 1;
    }
    let count = last - first + 1;
    let enough = count >= words_min && (count > 1 || begins.chars > SHOUTED_CHARS_MIN);
    enough.then_some(last)
}

/// A given name of the list, with the names beside it.
fn given(line: &Line<'_>, at: usize, word: &Word) -> Option<(usize, usize)> {
    let is_name = word.flags.has(Flags::GIVEN)
        && word.is_capital()
        && !word.is_plain()
        && !word.flags.has(Flags::NAME_WORD);
    if !is_name || (word.flags.has(Flags::EPONYM) && is_eponym(line, at)) {
        return None;
    }
    if line.words.get(at + 1).is_some_and(|next| next.flags.has(Flags::EPONYM_NOUN)) {
        return None;
    }
    let mut first = at;
    if let Some(before) = at.checked_sub(1) {
        let gap = line.gap(at);
        let beside = matches!(gap, " " | ", " | "," | "_" | "^");
        if beside && line.words.get(before).is_some_and(|word| looks_like_name(line, before, word))
        {
            first = before;
        }
    }
    let last = name(line, at, Form::Likely).unwrap_or(at);
    Some((first, last))
}

/// `HARGREAVES^EDITH`, `J. Moreau`, `Doe, J.`, `Venter, MD`.
fn by_form(line: &Line<'_>, at: usize, word: &Word) -> Option<(usize, usize)> {
    let next = line.words.get(at + 1)?;
    let gap = line.gap(at + 1);
    let named = |at: usize, word: &Word| looks_like_name(line, at, word);
    if gap == "^" {
        let unknown = |word: &Word| word.flags.is_empty() && word.is_letters();
        let both = named(at, word) && (named(at + 1, next) || next.chars == 1 && next.is_letters());
        return (both && (unknown(word) || word.flags.has(Flags::GIVEN)))
            .then(|| (at, carets(line, at + 1)));
    }
    if word.is_initial() && word.is_capital() && gap.starts_with('.') {
        let close = gap.len() <= 2 && !next.flags.has(Flags::EPONYM);
        return (close && named(at + 1, next)).then_some((at, at + 1));
    }
    if gap.starts_with(',') && gap.len() <= 2 && next.is_initial() && next.is_capital() {
        let dotted = line.gap(at + 2).starts_with('.');
        return (dotted && named(at, word) && !word.flags.has(Flags::EPONYM))
            .then_some((at, at + 1));
    }
    let suffix = SUFFIXES.contains(&next.folded.as_str()) && next.is_capital();
    let short = word.case == Case::Upper && word.chars > 1 && word.flags.is_empty();
    if suffix && gap.len() <= 2 && (named(at, word) || short && word.is_letters()) {
        let mut first = at;
        while at - first < NAME_WORDS_MAX && first > 0 && line.gap(first) == " " {
            let before = line.words.get(first - 1);
            if !before.is_some_and(|word| named(first - 1, word)) {
                break;
            }
            first -= 1;
        }
        return Some((first, at + 1));
    }
    None
}

/// The last word of names joined by carets.
fn carets(line: &Line<'_>, mut last: usize) -> usize {
    while line.gap(last + 1).starts_with('^')
        && line.words.get(last + 1).is_some_and(|word| word.is_letters() && !word.is_plain())
    {
        last += 1;
    }
    last
}

/// No list knows the word as anything but a name, and it is written as one.
fn looks_like_name(line: &Line<'_>, at: usize, word: &Word) -> bool {
    let written = if line.has_lower {
        matches!(word.case, Case::Capital | Case::Mixed)
            || word.case == Case::Upper && word.chars > 3
    } else {
        word.case == Case::Upper
    };
    let taken = word.flags.has(Flags::TITLE) || word.flags.has(Flags::PLACE);
    let eponym = word.flags.has(Flags::EPONYM) && is_eponym(line, at);
    written && word.is_letters() && word.chars > 1 && !word.is_plain() && !taken && !eponym
}

/// The last word of a name that begins at a word, or nothing when none does.
fn name(line: &Line<'_>, first: usize, form: Form) -> Option<usize> {
    let mut at = first;
    // Titles before the name: `Hr. Dr. med.`
    while let Some(word) = line.words.get(at) {
        let title = word.flags.has(Flags::TITLE) || word.flags.has(Flags::TITLE_TAIL);
        let weak = word.flags.has(Flags::WEAK_TITLE) && is_weak_title(line, at);
        let before = SUFFIXES.contains(&word.folded.as_str()) && word.is_capital();
        if !(title || weak || before) || line.gap(at + 1).chars().count() > 3 {
            break;
        }
        at += 1;
    }
    while line.words.get(at).is_some_and(is_link) && line.is_joined(at + 1) {
        at += 1;
    }
    let word = line.words.get(at)?;
    if !begins_name(line, at, word, form) {
        return None;
    }
    let limit = if line.has_lower { NAME_WORDS_MAX } else { UPPER_WORDS_MAX };
    let (mut last, mut names) = (at, usize::from(!word.is_initial()));
    let mut next = at + 1;
    while let Some(word) = line.words.get(next) {
        let comma = line.gap(next).contains(',');
        let before = line.words.get(next - 1);
        let ended = line.gap(next).contains(". ")
            && before.is_some_and(|word| word.chars > SHORTENED_CHARS_MAX);
        if ended || !line.is_joined(next) || (names >= limit && !word.is_initial()) {
            break;
        }
        if word.is_initial()
            && word.is_capital()
            && (!comma || names == 1)
            && !is_letter_word(line, next, word)
        {
            last = next;
        } else if is_link(word) && !comma {
            // Counts only with what follows it.
        } else if word.flags.has(Flags::SUFFIX) && !word.is_plain() && word.chars > 1 {
            last = next;
        } else if continues_name(line, next, word, comma) {
            last = next;
            names += 1;
        } else {
            break;
        }
        next += 1;
    }
    (names > 0).then_some(last)
}

/// `W CONTRAST`: a word cut to one letter, no initial.
fn is_letter_word(line: &Line<'_>, at: usize, word: &Word) -> bool {
    let next = line.words.get(at + 1);
    LETTER_WORDS.contains(&word.folded.as_str())
        && line.gap(at + 1) == " "
        && next.is_some_and(Word::is_plain)
}

fn is_link(word: &Word) -> bool {
    word.flags.has(Flags::PARTICLE) && word.chars > 1 && !word.flags.has(Flags::GIVEN)
}

fn begins_name(line: &Line<'_>, at: usize, word: &Word, form: Form) -> bool {
    if !word.is_letters() || word.is_plain() || word.flags.has(Flags::EPONYM) && is_eponym(line, at)
    {
        return false;
    }
    let small = word.case == Case::Lower;
    match form {
        Form::Sure => {
            let named = !word.flags.has(Flags::NAME_WORD) || !small;
            named && (word.chars > 1 || word.is_capital())
        }
        Form::Likely => {
            let initial =
                word.is_initial() && word.is_capital() && line.gap(at + 1).starts_with('.');
            let listed = word.flags.has(Flags::GIVEN) && word.is_capital();
            let upper_text = !line.has_lower && word.chars > 2 && word.flags.is_empty();
            initial || listed || looks_like_name(line, at, word) && (line.has_lower || upper_text)
        }
    }
}

fn continues_name(line: &Line<'_>, at: usize, word: &Word, comma: bool) -> bool {
    let given = word.flags.has(Flags::GIVEN) && word.is_capital();
    // `Whitlock-Jones`: the second half may be a word or an eponym.
    if line.gap(at) == "-" && word.is_capital() && word.is_letters() && word.chars > 2 {
        return true;
    }
    let eponym = word.flags.has(Flags::SURE_EPONYM);
    if eponym || comma && !given || has_title_before(line, at) && word.is_plain() {
        return false;
    }
    let lower_text = !line.has_upper && !word.is_plain() && word.is_letters() && word.chars > 1;
    looks_like_name(line, at, word) || given || lower_text && word.flags.is_empty()
}
