//! Forms that stand in pictures and seldom elsewhere: a label with initials
//! behind it, a title before any word, ages and days in a banner's shorthand.
//!
//! In a report `Tech CC` could be about a projection; on a screen somebody
//! worked there. Words on the allow-list do not save what stands so.

use std::ops::Range;

use super::Span;
use super::lexicon::{Flags, Label, Lexicon};
use super::matcher::{Matcher, OLD_AGES};
use super::numbers;
use super::words::{Line, Word};
use crate::clean::report::TextReason;

/// Labels that need no colon before initials.
const OPERATORS: [&str; 22] = [
    "tech",
    "technologist",
    "technician",
    "op",
    "oper",
    "operator",
    "sonographer",
    "physician",
    "radiologist",
    "radiographer",
    "mtra",
    "mta",
    "mtr",
    "untersucher",
    "operateur",
    "operatore",
    "operador",
    "tecnico",
    "tsrm",
    "laborant",
    "manip",
    "performed by",
];
/// Titles before a name; without those that are heart rates and settings too.
const TITLES: [&str; 20] = [
    "dr",
    "drs",
    "dra",
    "prof",
    "professor",
    "doctor",
    "mrs",
    "mme",
    "mlle",
    "monsieur",
    "madame",
    "herr",
    "frau",
    "sra",
    "srta",
    "signora",
    "dott",
    "dottssa",
    "mevr",
    "mevrouw",
];
/// Ends of streets in an address.
const STREETS: [&str; 8] = ["st", "street", "ave", "avenue", "rd", "road", "lane", "drive"];
/// Last words of institutions.
const HOUSES: [&str; 12] = [
    "center",
    "centre",
    "clinic",
    "hospital",
    "lab",
    "institute",
    "praxis",
    "klinik",
    "klinikum",
    "hopital",
    "clinique",
    "zentrum",
];
/// What else has a centre.
const CENTRED: [&str; 9] =
    ["window", "level", "image", "slice", "field", "line", "beam", "volume", "box"];
/// Most words of a labelled name.
const VALUE_WORDS_MAX: usize = 5;
/// Longest initials.
const INITIALS_MAX: usize = 3;

/// Adds what identifies by its form in a picture.
pub(super) fn find(line: &Line<'_>, matcher: &Matcher, found: &mut Vec<Span>) {
    let mut add = |range: Option<Range<usize>>, reason| {
        found.extend(range.map(|range| Span::new(range, reason)));
    };
    add(numbers::burned_age(line), TextReason::Identifier);
    add(age_and_sex(line), TextReason::Identifier);
    add(own_names_alone(line, matcher), TextReason::KnownValue);
    add(ordinary_place(line), TextReason::Place);
    for at in 0..line.words.len() {
        add(labelled(line, at), TextReason::Labelled);
        add(titled(line, at), TextReason::Name);
        add(short_day(line, at), TextReason::Date);
        add(dotted_time(line, at), TextReason::Time);
        add(spaced_day(line, at), TextReason::Date);
        add(dotted_initials(line, at), TextReason::Name);
        add(comma_initial(line, at), TextReason::Name);
    }
}

fn letters<'a>(line: &'a Line<'_>, at: usize) -> Option<&'a Word> {
    line.words.get(at).filter(|word| word.is_letters())
}

/// `Tech: AK`, `Name: Doppler, M.`, `Op JD`.
fn labelled(line: &Line<'_>, at: usize) -> Option<Range<usize>> {
    let lexicon = Lexicon::shared();
    let label =
        |at: usize| lexicon.label(line.words.iter().skip(at).map(|word| word.folded.as_str()));
    let (count, _person) = label(at).filter(|(_, label)| *label == Label::Person)?;
    let first = at + count;
    letters(line, first)?;
    let gap = line.gap(first);
    if !gap.contains([':', '=']) {
        let own = line.range(at, first - 1);
        let own = line.text().get(own).unwrap_or_default().to_lowercase();
        let initials = line.words.get(first).is_some_and(|word| word.chars <= INITIALS_MAX);
        let is_last = first + 1 >= line.words.len();
        if at > 0 || !OPERATORS.contains(&own.as_str()) || !(initials && is_last) {
            return None;
        }
    }
    let more = (first + 1..first + VALUE_WORDS_MAX)
        .take_while(|next| letters(line, *next).is_some() && label(*next).is_none());
    let last = more.last().unwrap_or(first);
    Some(line.range(first, last))
}

/// `DR. HART`, `MRS COSTA`: the word behind a title, unless that is a setting.
fn titled(line: &Line<'_>, at: usize) -> Option<Range<usize>> {
    let title = line.words.get(at).filter(|word| TITLES.contains(&word.folded.as_str()))?;
    let next = letters(line, at + 1).filter(|word| word.chars > 1)?;
    let gap = line.gap(at + 1);
    let is_setting = next.flags.has(Flags::CLINICAL) && !gap.contains('.') && title.chars < 4;
    let joins = gap.chars().all(|c| c == ' ' || c == '.');
    (joins && !is_setting).then(|| line.range(at, at + 1))
}

/// `31mai21`, also where a letter of the month was misread.
fn short_day(line: &Line<'_>, at: usize) -> Option<Range<usize>> {
    let word = line.words.get(at)?;
    let is_digit = |c: &char| c.is_ascii_digit();
    let letters = word.folded.chars().filter(|c| c.is_alphabetic()).count();
    let head = word.folded.chars().take_while(is_digit).count();
    let tail = word.folded.chars().rev().take_while(is_digit).count();
    let is_day = (1..=2).contains(&head)
        && (2..=4).contains(&letters)
        && matches!(tail, 2 | 4)
        && head + letters + tail == word.chars;
    is_day.then(|| word.range.clone())
}

/// `12 03 67`, `12_03_67`, `1967 03 12`: three numbers that are a day, with no
/// setting before and no unit behind.
fn spaced_day(line: &Line<'_>, at: usize) -> Option<Range<usize>> {
    let number = |at: usize| {
        let word = line.words.get(at).filter(|word| word.is_number() && word.chars <= 4)?;
        word.folded.parse::<u32>().ok().map(|number| (number, word.chars))
    };
    let [(a, a_len), (b, b_len), (c, c_len)] = [number(at)?, number(at + 1)?, number(at + 2)?];
    let short = |gap: &str| (1..=3).contains(&gap.chars().count());
    // Another number beside them makes a row of settings.
    let alone = number(at + 3).is_none_or(|_| line.gap(at + 3).trim().is_empty())
        && at.checked_sub(1).is_none_or(|before| number(before).is_none());
    let is_day = |day: u32, month: u32| (1..=31).contains(&day) && (1..=12).contains(&month);
    let days = is_day(a, b) || is_day(b, a);
    let last = days && a_len <= 2 && b_len <= 2 && matches!(c_len, 2 | 4);
    let first = (is_day(b, c) || is_day(c, b)) && b_len <= 2 && c_len <= 2 && a_len == 4
        || (a_len == 2 && b_len == 2 && c_len == 2 && is_day(c, b));
    let unit = line.words.get(at + 3).is_some_and(|word| word.flags.has(Flags::UNIT));
    let decimal = [at + 1, at + 2].iter().filter(|at| line.gap(**at) == ".").count() == 1;
    let parted = short(line.gap(at + 1)) && short(line.gap(at + 2));
    (parted && alone && !unit && !decimal && (last || first)).then(|| line.range(at, at + 2))
}

/// `95 F`, `F95`, `95/M`: nothing but an age over 89 and a sex.
fn age_and_sex(line: &Line<'_>) -> Option<Range<usize>> {
    let text: String =
        line.words.iter().map(|word| word.folded.as_str()).collect::<Vec<_>>().concat();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let sex: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    let is_age = digits.parse::<u32>().is_ok_and(|years| OLD_AGES.contains(&years));
    let tight = line.words.len() <= 2 && (1..line.words.len()).all(|at| line.gap(at).len() <= 1);
    (is_age && tight && matches!(sex.as_str(), "f" | "m" | "w"))
        .then(|| line.range(0, line.words.len() - 1))
}

/// A line of nothing but words of this header's names, with sex, age or numbers:
/// `STONE F 42` of a patient called Stone.
fn own_names_alone(line: &Line<'_>, matcher: &Matcher) -> Option<Range<usize>> {
    let mut names = 0;
    for word in &line.words {
        if word.is_letters() && word.chars > 1 {
            if !matcher.is_name_word(&word.folded) {
                return None;
            }
            names += 1;
        }
    }
    (names > 0).then(|| line.range(0, line.words.len() - 1))
}

/// `Heart Center`, `12 High St`: institutions and streets of ordinary words.
fn ordinary_place(line: &Line<'_>) -> Option<Range<usize>> {
    let last = line.words.last().filter(|word| word.is_letters())?;
    let words = line.words.len();
    let first_number = line.words.first().is_some_and(Word::is_number);
    let is_street = first_number && words > 2 && STREETS.contains(&last.folded.as_str());
    let before = words.checked_sub(2).and_then(|at| line.words.get(at));
    let is_house = HOUSES.contains(&last.folded.as_str())
        && before.is_some_and(|word| {
            word.is_letters() && word.chars > 2 && !CENTRED.contains(&word.folded.as_str())
        });
    (is_street || is_house).then(|| line.range(0, words - 1))
}

/// `17.54.31`: hours, minutes and seconds, or a day.
fn dotted_time(line: &Line<'_>, at: usize) -> Option<Range<usize>> {
    let part = |at: usize, under: u32| {
        let word = line.words.get(at).filter(|word| word.is_number() && word.chars == 2)?;
        word.folded.parse::<u32>().ok().filter(|number| *number < under)
    };
    let joined = line.gap(at + 1) == "." && line.gap(at + 2) == ".";
    let alone = !line.gap(at).ends_with('.') && !line.gap(at + 3).starts_with('.');
    (joined
        && alone
        && part(at, 32).is_some()
        && part(at + 1, 60).is_some()
        && part(at + 2, 100).is_some())
    .then(|| line.range(at, at + 2))
}

/// `J.R.`: letters with points between them.
fn dotted_initials(line: &Line<'_>, at: usize) -> Option<Range<usize>> {
    let single = |at: usize| line.words.get(at).is_some_and(Word::is_initial);
    let capital = |at: usize| line.words.get(at).is_some_and(Word::is_capital);
    let joined = single(at) && single(at + 1) && matches!(line.gap(at + 1), "." | ". ");
    let closed = line.gap(at + 2).starts_with('.');
    (joined && closed && capital(at) && capital(at + 1)).then(|| line.range(at, at + 1))
}

/// `Doppler, M.`
fn comma_initial(line: &Line<'_>, at: usize) -> Option<Range<usize>> {
    letters(line, at).filter(|word| word.chars > 1)?;
    let is_initial =
        line.words.get(at + 1).is_some_and(|word| word.is_initial() && word.is_capital());
    let closed = line.gap(at + 1).starts_with(',') && line.gap(at + 2).starts_with('.');
    (is_initial && closed).then(|| line.range(at, at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        find(&Line::new(text, Lexicon::shared()), &Matcher::default(), &mut found);
        let mut texts: Vec<&str> =
            found.into_iter().map(|span| text.get(span.range).unwrap()).collect();
        texts.dedup();
        texts
    }

    #[test]
    fn labels_titles_initials_and_short_days_are_found_whatever_words_they_have() {
        for (text, found) in [
            ("Tech: AK", vec!["AK"]),
            ("Tech CC", vec!["CC"]),
            ("Name: Doppler, M.", vec!["Doppler, M"]),
            ("Untersucher: Lang MI 0.8", vec!["Lang MI"]),
            ("DR. HART W 255", vec!["DR. HART"]),
            ("MRS COSTA Circ 12.1", vec!["MRS COSTA"]),
            ("31mai21", vec!["31mai21"]),
            ("22apr22 - 17.54.31", vec!["22apr22", "17.54.31"]),
            ("15.12.04", vec!["15.12.04"]),
            ("J.R.", vec!["J.R"]),
            ("Doppler, M.", vec!["Doppler, M"]),
            ("94Y F", vec!["94Y"]),
            ("95/F", vec!["95/F"]),
            ("F95", vec!["F95"]),
            ("LIVER 12 03 67", vec!["12 03 67"]),
            ("1967 03 12", vec!["1967 03 12"]),
            ("12_03_67", vec!["12_03_67"]),
            ("Heart Center", vec!["Heart Center"]),
            ("12 High St", vec!["12 High St"]),
        ] {
            assert_eq!(spans(text), found, "{text}");
        }
    }

    #[test]
    fn settings_and_measures_are_not() {
        for text in [
            "DR 63",
            "DR Med",
            "Rad: 5.2 cm",
            "Sono CT",
            "L12-5",
            "MI 0.8 TIS 0.2",
            "W 400 L 40",
            "HR 62 bpm",
            "1.43 cm",
            "3D Vol",
            "12w3d",
            "2024",
            "T2 FLAIR",
            "Ref: 12 mm",
            "x 3",
            "KIDNEY, L",
            "Window Center",
            "3/3/4",
            "10.2 25 mm",
            "2 2 2",
            "95 kV",
            "Patient Position",
            "4ch 2ch",
            "1.5.2",
        ] {
            assert_eq!(spans(text), Vec::<&str>::new(), "{text}");
        }
    }
}
