//! Mail addresses, addresses in the web, streets: by their shape.

use std::ops::Range;

use super::Span;
use super::lexicon::Flags;
use super::words::{Case, Line, Word};
use crate::clean::report::TextReason;

/// Ends of street names in German and Dutch.
const STREET_ENDS: [&str; 16] = [
    "vagen", "gatan", "vej", "gade", "katu", "utca", "strasse", "str", "weg", "gasse", "platz",
    "allee", "ufer", "damm", "straat", "laan",
];
/// Kinds of streets and districts behind a hyphen, in Japanese and Korean.
const HYPHENED: [&str; 14] = [
    "dori", "machi", "cho", "chome", "ku", "shi", "mura", "ro", "daero", "gil", "dong", "gu",
    "eup", "myeon",
];
/// Kinds of streets that are little else.
const SURE_KINDS: [&str; 13] = [
    "street",
    "road",
    "avenue",
    "boulevard",
    "lane",
    "drive",
    "crescent",
    "terrace",
    "mews",
    "gardens",
    "grove",
    "highway",
    "parkway",
];
/// What is said of a flat before its number.
pub(super) const DOORS: [&str; 13] = [
    "unit",
    "flat",
    "apt",
    "apartment",
    "suite",
    "lot",
    "bus",
    "bte",
    "top",
    "stiege",
    "piso",
    "lgh",
    "int",
];
/// Most words between a house number and the kind of street.
const STREET_WORDS_MAX: usize = 3;
/// Most words of a town, and of a street's name after its kind.
const TOWN_WORDS_MAX: usize = 3;
/// Longest house number.
const HOUSE_CHARS_MAX: usize = 5;

/// Adds what is found.
pub(super) fn find(line: &Line<'_>, found: &mut Vec<Span>) {
    let mut ranges = Vec::new();
    mail(line.text(), &mut ranges);
    web(line.text(), &mut ranges);
    if line.has_digits {
        for at in 0..line.words.len() {
            ranges.extend(street(line, at));
            ranges.extend(compound_street(line, at));
            ranges.extend(street_before(line, at));
            ranges.extend(calle(line, at));
        }
    }
    ranges.extend((1..line.words.len()).filter_map(|at| hyphened(line, at)));
    found.extend(ranges.into_iter().map(|range| Span::new(range, TextReason::Contact)));
}

fn mail(text: &str, found: &mut Vec<Range<usize>>) {
    let local = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    let domain = |c: char| c.is_alphanumeric() || ".-".contains(c);
    for (at, _) in text.match_indices('@') {
        let head = text.get(..at).unwrap_or_default();
        let tail = text.get(at + 1..).unwrap_or_default();
        let before: usize = head.chars().rev().take_while(|c| local(*c)).map(char::len_utf8).sum();
        let after: usize = tail.chars().take_while(|c| domain(*c)).map(char::len_utf8).sum();
        let host = tail.get(..after).unwrap_or_default().trim_end_matches('.');
        let dotted = host.rsplit_once('.').is_some_and(|(_, last)| {
            last.chars().count() > 1 && last.chars().all(char::is_alphabetic)
        });
        if before > 0 && dotted {
            found.push(at - before..at + 1 + host.len());
        }
    }
}

fn web(text: &str, found: &mut Vec<Range<usize>>) {
    if !text.contains("www.") && !text.contains("://") && !text.contains("WWW.") {
        return;
    }
    let mut from = 0;
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim().trim_end_matches([':', ',', ';', ')', '.']);
        let lower = word.to_ascii_lowercase();
        if lower.starts_with("www.") || lower.contains("://") {
            found.push(from..from + word.len());
        }
        from += piece.len();
    }
}

/// A word of a name that a street or town may have.
fn is_name_like(line: &Line<'_>, word: &Word) -> bool {
    let named = !word.is_plain() || word.flags.has(Flags::PLACE_WORD);
    named && word.is_letters() && (word.is_capital() || !line.has_upper) && word.chars > 1
}

/// The number of a house, and not of a measure: `40 %`, `8.4 mGy`, `431 ms`.
fn is_house_at(line: &Line<'_>, at: usize) -> bool {
    let gap = line.gap(at + 1);
    let next = line.words.get(at + 1);
    let unit = line.has_unit_behind(at);
    let decimal = matches!(gap, "." | ",") && next.is_some_and(|word| word.digits > 0);
    let after = at.checked_sub(1).and_then(|before| line.words.get(before));
    let fraction = line.gap(at) == "." && after.is_some_and(|word| word.digits > 0);
    let measure = unit || decimal || fraction || gap.trim_start().starts_with('%');
    line.words.get(at).is_some_and(is_house) && !measure
}

/// `2ºB`, `3a`: floor and door.
fn is_door(word: &Word) -> bool {
    word.digits > 0 && !word.is_number() && word.chars <= HOUSE_CHARS_MAX
}

fn is_house(word: &Word) -> bool {
    // `17a`, not `T1`.
    word.folded.starts_with(|c: char| c.is_ascii_digit())
        && word.chars <= HOUSE_CHARS_MAX
        && word.chars - word.digits <= 1
}

/// `12 Oak Hill Road, Fairport`: to the last kind of street that is near.
fn street(line: &Line<'_>, at: usize) -> Option<Range<usize>> {
    line.words.get(at).filter(|_| is_house_at(line, at))?;
    let near = |kind: &usize| {
        let gaps = (at + 1..*kind).all(|index| line.gap(index).chars().count() <= 2);
        gaps && line.gap(*kind).trim().is_empty()
    };
    let is_kind =
        |kind: &usize| line.words.get(*kind).is_some_and(|word| word.flags.has(Flags::STREET));
    let kind =
        (at + 2..=at + 1 + STREET_WORDS_MAX).rev().find(|kind| is_kind(kind) && near(kind))?;
    let between = line.words.get(at + 1..kind)?;
    let letters = between.iter().all(Word::is_letters);
    // `12 High Street`: words of the language, each with a large letter.
    let capitals = line.has_lower
        && line.words.get(at + 1..=kind)?.iter().all(|word| word.case == Case::Capital)
        && line.words.get(kind).is_some_and(|word| SURE_KINDS.contains(&word.folded.as_str()));
    let named = letters && (capitals || between.iter().any(|word| is_name_like(line, word)));
    named.then(|| line.range(unit_before(line, at), town(line, kind)))
}

/// `Unit 4/329 Wattle Cres`: where the flat before the house begins.
fn unit_before(line: &Line<'_>, house: usize) -> usize {
    let number = house
        .checked_sub(1)
        .filter(|before| line.gap(house) == "/" && line.words.get(*before).is_some_and(is_house));
    let Some(number) = number else { return house };
    let unit = number.checked_sub(1).filter(|before| {
        line.words.get(*before).is_some_and(|word| DOORS.contains(&word.folded.as_str()))
    });
    unit.unwrap_or(number)
}

/// `Lindenstraße 17, 89073 Ulm`.
fn compound_street(line: &Line<'_>, at: usize) -> Option<Range<usize>> {
    let word = line.words.get(at)?;
    let ends = STREET_ENDS
        .iter()
        .any(|end| word.folded.strip_suffix(end).is_some_and(|head| head.len() > 2));
    let house = line.words.get(at + 1).filter(|_| is_house_at(line, at + 1))?;
    let close = line.gap(at + 1).chars().all(|c| c == ' ' || c == '.');
    let named = ends && word.is_capital() && !word.is_plain() && close && house.digits > 0;
    named.then(|| line.range(at, town(line, at + 1)))
}

/// `14 rue des Acacias`, `calle Mayor 3`.
fn street_before(line: &Line<'_>, at: usize) -> Option<Range<usize>> {
    let kind = line.words.get(at)?;
    if !kind.flags.has(Flags::STREET_BEFORE) {
        return None;
    }
    let house_before = at
        .checked_sub(1)
        .filter(|before| is_house_at(line, *before) && line.gap(at).chars().count() <= 2);
    let mut last = at;
    let mut named = false;
    for next in at + 1..=at + 1 + TOWN_WORDS_MAX {
        let Some(word) = line.words.get(next).filter(|_| line.is_joined(next)) else { break };
        let link = word.flags.has(Flags::PARTICLE) && !word.is_capital();
        let usual = house_before.is_some() && line.has_lower && word.case == Case::Capital;
        if !(link || usual || is_name_like(line, word)) || line.gap(next).contains(',') {
            break;
        }
        named |= !link;
        last = next;
    }
    if !named {
        return None;
    }
    let near = is_house_at(line, last + 1) && line.gap(last + 1).chars().count() <= 2;
    let first = house_before.unwrap_or(at);
    if near {
        return Some(line.range(first, town(line, last + 1)));
    }
    house_before.is_some().then(|| line.range(first, town(line, last)))
}

/// `C/ Almendros 15`.
fn calle(line: &Line<'_>, at: usize) -> Option<Range<usize>> {
    let word = line.words.get(at)?;
    let marked = word.folded == "c" && word.is_capital() && line.gap(at + 1).starts_with('/');
    if !marked || !line.words.get(at + 1).is_some_and(|word| is_name_like(line, word)) {
        return None;
    }
    let house = (at + 2..at + 3 + STREET_WORDS_MAX).find(|index| is_house_at(line, *index))?;
    let joined = (at + 2..=house).all(|index| line.gap(index).chars().count() <= 2);
    joined.then(|| line.range(at, town(line, house)))
}

/// `266 Sakura-dori`, `Haneul-dong`: kinds of streets and districts behind a hyphen.
fn hyphened(line: &Line<'_>, at: usize) -> Option<Range<usize>> {
    let kind = line.words.get(at)?;
    let is_kind = HYPHENED.contains(&kind.folded.as_str()) && kind.case == Case::Lower;
    let name = line.words.get(at - 1)?;
    if !is_kind || line.gap(at) != "-" || !(name.is_capital() && is_name_like(line, name)) {
        return None;
    }
    let house = (at - 1)
        .checked_sub(1)
        .filter(|before| is_house_at(line, *before) && line.gap(at - 1).chars().count() <= 2);
    Some(line.range(house.unwrap_or(at - 1), town(line, at)))
}

/// The last word of the town after a street: postal code and names.
fn town(line: &Line<'_>, street: usize) -> usize {
    let (mut last, mut words) = (street, 0);
    for at in street + 1..line.words.len().min(street + 4 + TOWN_WORDS_MAX) {
        let Some(word) = line.words.get(at) else { break };
        let gap = line.gap(at);
        // `341/3`: the number goes on.
        let flat = gap == "/" && at == street + 1 && is_house(word);
        if !flat && (gap.chars().count() > 2 || gap.contains([':', '-', '/', '(', ';'])) {
            break;
        }
        let code = word.is_number() && (4..=5).contains(&word.chars);
        let numbered = line.words.get(at + 1).is_some_and(is_house);
        let marked = |index: usize| {
            line.words.get(index).is_some_and(|word| DOORS.contains(&word.folded.as_str()))
        };
        let door = gap.contains(',') && is_door(word)
            || numbered && marked(at)
            || is_house(word) && marked(at - 1);
        let beside =
            |other: usize| line.words.get(other).is_some_and(|word| is_name_like(line, word));
        // `Port Ansel`: a word of the clinic beside a name, behind the comma.
        let usual = word.case == Case::Capital
            && line.has_lower
            && (gap.contains(',') && beside(at + 1) || words > 0 && beside(at - 1));
        let name = (usual || is_name_like(line, word)) && words < TOWN_WORDS_MAX;
        if !(code || name || door || flat) {
            break;
        }
        words += usize::from(name);
        last = at;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::judge::lexicon::Lexicon;

    fn first(text: &str) -> Option<String> {
        let line = Line::new(text, Lexicon::shared());
        let mut found = Vec::new();
        find(&line, &mut found);
        found.first().map(|span| text.get(span.range.clone()).unwrap().to_owned())
    }

    #[test]
    fn addresses_are_found_whole() {
        for address in [
            "a.roe@mail.example.org",
            "www.example.org/a?b",
            "12 Oak Hill Road, Fairport",
            "Lindenstraße 17, 89073 Ulm",
            "14 rue des Acacias",
            "calle Mayor 3",
            "via Garibaldi 12",
        ] {
            assert_eq!(first(&format!("CT {address}: knee")).as_deref(), Some(address));
        }
        for text in ["2 mm ST elevation", "12@30 mAs", "3 way stopcock", "via oral 3", "5 mm place"]
        {
            assert_eq!(first(text), None, "{text}");
        }
    }
}
