//! Dates and times of day in a text, in any usual spelling.
//!
//! A date is *plain* when its spelling says which number is the year, the month
//! and the day whatever the country: those can be moved ([`Plain::moved`]).

use std::ops::Range;

use super::calendar;
use super::lexicon::{Flags, Lexicon};
use super::months::{self, Month};
use super::words::{Line, Word, fold};

/// Words that a date follows.
const BEFORE: [&str; 26] = [
    "on", "of", "from", "since", "until", "dated", "vom", "am", "seit", "bis", "zum", "le", "du",
    "depuis", "del", "el", "desde", "dal", "il", "em", "desde", "op", "sinds", "exam", "prior",
    "to",
];
/// Words that a version number follows.
const VERSIONS: [&str; 9] =
    ["v", "ver", "version", "vers", "sw", "syngo", "rev", "release", "software"];
/// Words that a relation of two numbers follows.
const RATIOS: [&str; 5] = ["ratio", "dilution", "verhaltnis", "rapport", "pitch"];

/// A date that is found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DateFound {
    pub(super) range: Range<usize>,
    /// What it says, when that is plain.
    pub(super) plain: Option<Plain>,
}

/// A date whose spelling leaves no doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plain {
    year: u32,
    month: u32,
    day: u32,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `2019-03-14`, with this separator.
    YearFirst(char),
    /// `20190314`.
    Compact,
    /// `14.03.2019`.
    Dotted,
}

impl Plain {
    /// `YYYYMMDD`.
    pub(super) fn day(self) -> String {
        format!("{:04}{:02}{:02}", self.year, self.month, self.day)
    }

    /// The same spelling of the day `days` later: its `YYYYMMDD`, and the text.
    pub(super) fn moved(self, days: i32) -> Option<(String, String)> {
        let day = calendar::shifted(&self.day(), days)?;
        let part = |range: Range<usize>| day.get(range).unwrap_or_default();
        let (year, month, date) = (part(0..4), part(4..6), part(6..8));
        let text = match self.form {
            Form::Compact => day.clone(),
            Form::YearFirst(between) => format!("{year}{between}{month}{between}{date}"),
            Form::Dotted => format!("{date}.{month}.{year}"),
        };
        Some((day, text))
    }
}

/// A run of digits, or of letters, of a word.
#[derive(Debug)]
struct Atom {
    range: Range<usize>,
    folded: String,
    number: Option<u32>,
    /// Characters.
    len: usize,
    /// Digits that may have been read as letters.
    misread: bool,
    /// The word it is of.
    word: usize,
}

struct Scan<'l> {
    line: &'l Line<'l>,
    atoms: Vec<Atom>,
}

/// All dates, in order.
pub(super) fn find(line: &Line<'_>) -> Vec<DateFound> {
    if !line.has_digits {
        return Vec::new();
    }
    let scan = Scan { line, atoms: atoms(line) };
    let mut found = Vec::new();
    let mut at = 0;
    while at < scan.atoms.len() {
        match scan.date(at) {
            Some((last, plain)) => {
                let range = scan.with_weekday(at)..scan.end(last);
                found.push(DateFound { range, plain });
                at = last + 1;
            }
            None => at += 1,
        }
    }
    found
}

/// All times of day, in order.
pub(super) fn times(line: &Line<'_>) -> Vec<Range<usize>> {
    if !line.has_digits {
        return Vec::new();
    }
    let scan = Scan { line, atoms: atoms(line) };
    let mut found = Vec::new();
    let mut at = 0;
    while at < scan.atoms.len() {
        let last = scan.time(at);
        if let (Some(last), Some(atom)) = (last, scan.atoms.get(at)) {
            found.push(atom.range.start..scan.end(last));
        }
        at = last.unwrap_or(at) + 1;
    }
    found
}

fn atoms(line: &Line<'_>) -> Vec<Atom> {
    let mut atoms = Vec::new();
    for (index, word) in line.words.iter().enumerate() {
        let written = line.text().get(word.range.clone()).unwrap_or_default();
        if let Some(misread) = misread(word) {
            let (range, folded) = (word.range.clone(), word.folded.clone());
            let len = word.chars;
            atoms.push(Atom {
                range,
                folded,
                number: Some(misread),
                len,
                misread: true,
                word: index,
            });
            continue;
        }
        let mut from = 0;
        let mut kind = None;
        for (at, c) in
            written.char_indices().map(|(at, c)| (at, Some(c))).chain([(written.len(), None)])
        {
            // Signs without spaces stand alone: `年`.
            let now = c.map(|c| (c.is_numeric(), super::words::is_wide(c).then_some(at)));
            if kind.is_some() && now != kind {
                let piece = written.get(from..at).unwrap_or_default();
                let range = word.range.start + from..word.range.start + at;
                atoms.push(atom(piece, range, index));
                from = at;
            }
            kind = now;
        }
    }
    atoms
}

fn atom(piece: &str, range: Range<usize>, word: usize) -> Atom {
    let folded = fold(piece);
    let len = folded.chars().count();
    Atom { range, number: folded.parse().ok(), len, misread: false, word, folded }
}

/// `198O`, `l4`: digits read as letters.
fn misread(word: &Word) -> Option<u32> {
    let alike = |c: char| c.is_ascii_digit() || matches!(c, 'o' | 'i' | 'l');
    if word.digits == 0 || word.is_number() || word.chars > 4 || !word.folded.chars().all(alike) {
        return None;
    }
    word.folded.replace('o', "0").replace(['i', 'l'], "1").parse().ok()
}

impl Scan<'_> {
    fn number(&self, at: usize) -> Option<(u32, usize)> {
        let atom = self.atoms.get(at)?;
        atom.number.map(|number| (number, atom.len))
    }

    fn word(&self, at: usize) -> &str {
        self.atoms.get(at).map_or("", |atom| atom.folded.as_str())
    }

    fn end(&self, at: usize) -> usize {
        self.atoms.get(at).map_or(0, |atom| atom.range.end)
    }

    fn gap(&self, at: usize) -> &str {
        let from = at.checked_sub(1).map_or(0, |before| self.end(before));
        let to = self.atoms.get(at).map_or(self.line.text().len(), |atom| atom.range.start);
        self.line.text().get(from..to).unwrap_or_default()
    }

    /// What stands before an atom: one of `-/.`, a blank, or nothing (`'0'`).
    fn between(&self, at: usize) -> Option<char> {
        let gap = self.gap(at);
        if gap.chars().count() > 3 {
            return None;
        }
        let mut signs = gap.chars().filter(|c| *c != ' ');
        match (signs.next(), signs.next()) {
            (None, None) if gap.is_empty() => Some('0'),
            (None, None) => Some(' '),
            (Some('-' | '–' | '\u{2010}' | '\u{2011}'), None) => Some('-'),
            (Some(sign @ ('/' | '.')), None) => Some(sign),
            _ => None,
        }
    }

    fn is_unit(&self, at: usize) -> bool {
        let unit = |atom: &Atom| Lexicon::shared().flags(&atom.folded).has(Flags::UNIT);
        self.gap(at).trim().is_empty() && self.atoms.get(at).is_some_and(unit)
            || self.gap(at).trim_start().starts_with('%')
    }

    fn follows(&self, at: usize, words: &[&str]) -> bool {
        at.checked_sub(1).is_some_and(|before| words.contains(&self.word(before)))
    }

    /// The date that begins here: its last atom, and what it plainly says.
    fn date(&self, at: usize) -> Option<(usize, Option<Plain>)> {
        self.compact(at)
            .or_else(|| self.three_numbers(at))
            .or_else(|| self.signs(at).map(|last| (last, None)))
            .or_else(|| self.day_and_month(at).map(|last| (last, None)))
            .or_else(|| self.month_first(at).map(|last| (last, None)))
            .or_else(|| self.month_and_year(at).map(|last| (last, None)))
    }

    /// `20190314`, `20190314102431`, `14032019`.
    fn compact(&self, at: usize) -> Option<(usize, Option<Plain>)> {
        let atom = self.atoms.get(at).filter(|atom| atom.number.is_some() || atom.len > 9)?;
        let digits = atom.folded.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || ![8, 12, 14].contains(&atom.len) || self.is_unit(at + 1) {
            return None;
        }
        let part = |range: Range<usize>| atom.folded.get(range)?.parse::<u32>().ok();
        let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
        if is_year(year, 4) && calendar::is_day(year, month, day) {
            let plain = (atom.len == 8).then_some(Plain { year, month, day, form: Form::Compact });
            return Some((at, plain));
        }
        let backward = (part(4..8)?, part(2..4)?, part(0..2)?);
        let is_backward = atom.len == 8
            && is_year(backward.0, 4)
            && (calendar::is_day(backward.0, backward.1, backward.2)
                || calendar::is_day(backward.0, backward.2, backward.1));
        is_backward.then_some((at, None))
    }

    /// `2019-03-14`, `14.03.2019`, `3/14/19`, `14 03 1967`.
    fn three_numbers(&self, at: usize) -> Option<(usize, Option<Plain>)> {
        let ((a, a_len), (b, b_len), (c, c_len)) =
            (self.number(at)?, self.number(at + 1)?, self.number(at + 2)?);
        let between = self.between(at + 1).filter(|sign| *sign != '0')?;
        let sign_goes_on = |at: usize| {
            between != ' ' && self.between(at) == Some(between) && !self.gap(at).contains(' ')
        };
        let before = at > 0 && self.number(at - 1).is_some() && sign_goes_on(at);
        let after = self.number(at + 3).is_some() && sign_goes_on(at + 3);
        if self.between(at + 2) != Some(between) || before || after || b_len > 2 {
            return None;
        }
        if a_len == 4 && c_len <= 2 && is_year(a, 4) && calendar::is_day(a, b, c) && between != ' '
        {
            let whole = b_len == 2 && c_len == 2 && self.gap(at + 1).len() == 1 && between != '/';
            let form = Form::YearFirst(between);
            return Some((at + 2, whole.then_some(Plain { year: a, month: b, day: c, form })));
        }
        let year = if c_len == 2 { 2000 + c } else { c };
        let fits = calendar::is_day(year, b, a) || calendar::is_day(year, a, b);
        if a_len > 2 || !fits || !is_year(c, c_len) {
            // `67-03-14`
            let short = [a_len, b_len, c_len] == [2, 2, 2] && between == '-';
            let known = short && calendar::is_day(1900 + a, b, c) && !self.is_unit(at + 3);
            return known.then_some((at + 2, None));
        }
        let two_each = a_len == 2 && b_len == 2;
        let atoms = self.atoms.get(at..at + 3)?;
        if atoms.iter().any(|atom| atom.misread) && !(two_each || c_len == 4) {
            return None;
        }
        if between == ' ' && !(two_each && c_len == 4) {
            return None;
        }
        if c_len == 2 && (self.is_unit(at + 3) || self.follows(at, &VERSIONS)) {
            return None;
        }
        let plain = between == '.' && two_each && c_len == 4 && calendar::is_day(c, b, a);
        let form = Form::Dotted;
        Some((at + 2, plain.then_some(Plain { year: c, month: b, day: a, form })))
    }

    /// `2019年3月14日`, `2019년 3월`.
    fn signs(&self, at: usize) -> Option<usize> {
        let (_, len) = self.number(at).filter(|(_, len)| *len <= 4)?;
        let year = matches!(self.word(at + 1), "年" | "년") && len > 0;
        let month = matches!(self.word(at + 3), "月" | "월") && self.number(at + 2).is_some();
        if !year || !month {
            return None;
        }
        let day = matches!(self.word(at + 5), "日" | "일") && self.number(at + 4).is_some();
        Some(if day { at + 5 } else { at + 3 })
    }

    /// The next atom that is no `of`, `de`, `th`.
    fn past_links(&self, mut at: usize) -> Option<usize> {
        for _ in 0..2 {
            let free = self.gap(at).chars().all(|c| " -/.,_'’º°".contains(c));
            if !free || self.gap(at).chars().count() > 3 {
                return None;
            }
            if !months::LINKS.contains(&self.word(at)) {
                return Some(at);
            }
            at += 1;
        }
        Some(at)
    }

    fn month(&self, at: usize) -> Option<Month> {
        self.atoms.get(at).and_then(|atom| months::month(&atom.folded))
    }

    /// A year after a month: four digits, or two that are no measure.
    fn year(&self, at: usize) -> bool {
        let Some((year, len)) = self.number(at) else { return false };
        let time = self.gap(at + 1).starts_with(':') && self.number(at + 1).is_some();
        is_year(year, len) && (len == 4 || !(self.is_unit(at + 1) || time))
    }

    /// `14 March 2019`, `14MAR19`, `1er mars`, `21 April`.
    fn day_and_month(&self, at: usize) -> Option<usize> {
        self.number(at).filter(|(day, len)| (1..=31).contains(day) && *len <= 2)?;
        let row = at > 0
            && self.number(at - 1).is_some()
            && matches!(self.between(at), Some('.' | '/'))
            && !self.gap(at).contains(' ');
        if row {
            return None;
        }
        let named = self.past_links(at + 1)?;
        let month = self.month(named)?;
        let year = self.past_links(named + 1).filter(|year| self.year(*year));
        let sure = !month.is_ambiguous || self.follows(at, &BEFORE);
        year.or_else(|| sure.then_some(named))
    }

    /// `March 14, 2019`, `Mar 14`, `April 21st`.
    fn month_first(&self, at: usize) -> Option<usize> {
        let month = self.month(at)?;
        let day = self.past_links(at + 1)?;
        self.number(day).filter(|(day, len)| (1..=31).contains(day) && *len <= 2)?;
        let year = self.past_links(day + 1).filter(|year| self.year(*year));
        let plain_year = year.filter(|year| self.number(*year).is_some_and(|(_, len)| len == 4));
        let sure = !month.is_ambiguous && !self.is_unit(day + 1);
        plain_year.or(year.filter(|_| !month.is_ambiguous)).or(sure.then_some(day))
    }

    /// `March 2019`, `03/2019`, `2019-03`.
    fn month_and_year(&self, at: usize) -> Option<usize> {
        if self.month(at).is_some() {
            let year = self.past_links(at + 1)?;
            let (number, len) = self.number(year)?;
            let short = len == 2 && self.gap(year).contains(['\'', '’']);
            return ((len == 4 && is_year(number, 4)) || short).then_some(year);
        }
        let ((a, a_len), (b, b_len)) = (self.number(at)?, self.number(at + 1)?);
        let between = self.between(at + 1).filter(|sign| "-/.".contains(*sign))?;
        let alone = |at: usize| self.number(at).is_none() || self.between(at) != Some(between);
        let free = (at == 0 || self.number(at - 1).is_none() || self.between(at) != Some(between))
            && alone(at + 2)
            && !self.is_unit(at + 2)
            && !self.gap(at + 1).contains(' ');
        let recent = |year: u32| (1900..2100).contains(&year);
        let month_first = a_len <= 2 && (1..=12).contains(&a) && b_len == 4 && recent(b);
        let year_first = a_len == 4 && recent(a) && b_len == 2 && (1..=12).contains(&b);
        let two = a_len == 2 || between == '/';
        (free && (month_first && two || year_first && between != '.')).then_some(at + 1)
    }

    /// Where the weekday before a date begins, or the date.
    fn with_weekday(&self, at: usize) -> usize {
        let start = self.atoms.get(at).map_or(0, |atom| atom.range.start);
        let first_word = self.atoms.get(at).map_or(0, |atom| atom.word);
        for back in 1..=2 {
            let Some(index) = first_word.checked_sub(back) else { break };
            let Some(word) = self.line.words.get(index) else { break };
            if self.line.gap(index + 1).chars().count() > 2 {
                break;
            }
            if months::WEEKDAYS.contains(&word.folded.as_str()) {
                return word.range.start;
            }
            if !matches!(word.folded.as_str(), "den" | "le" | "the" | "el" | "o" | "il" | "de") {
                break;
            }
        }
        start
    }

    /// `10:24`, `10:24:31.5`, `10h24`, `3 pm`, `10.15 Uhr`: the last atom.
    fn time(&self, at: usize) -> Option<usize> {
        let (_, len) = self.number(at).filter(|(hour, len)| *hour < 24 && *len <= 2)?;
        let half_day = |at: usize| {
            let open = self.gap(at).trim().is_empty() || self.gap(at) == ".";
            open && matches!(self.word(at), "am" | "pm" | "uhr")
        };
        if half_day(at + 1) && self.word(at + 1) != "uhr" && self.gap(at) != "." {
            return Some(at + 1);
        }
        let minute =
            |at: usize| self.number(at).is_some_and(|(minute, len)| minute < 60 && len == 2);
        if self.word(at + 1) == "h" && minute(at + 2) && self.gap(at + 1).is_empty() {
            return self.gap(at + 2).is_empty().then_some(at + 2);
        }
        if !minute(at + 1) || self.follows(at, &RATIOS) {
            return None;
        }
        let colon = |at: usize| self.gap(at).trim() == ":";
        if self.gap(at + 1) == "." && half_day(at + 2) {
            return Some(at + 2);
        }
        if !colon(at + 1) {
            return None;
        }
        let close = self.gap(at + 1) == ":";
        let seconds = minute(at + 2) && (colon(at + 2) || close && self.gap(at + 2) == ".");
        let last = if seconds { at + 2 } else { at + 1 };
        if half_day(last + 1) {
            return Some(last + 1);
        }
        let free = !self.is_unit(last + 1) && (close || last + 1 >= self.atoms.len());
        (seconds || (len == 2 && free)).then_some(last)
    }
}

fn is_year(year: u32, len: usize) -> bool {
    len == 2 || (len == 4 && (1800..2600).contains(&year))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(text: &str) -> Vec<String> {
        let line = Line::new(text, Lexicon::shared());
        find(&line).into_iter().map(|date| text.get(date.range).unwrap().to_owned()).collect()
    }

    #[test]
    fn dates_are_found_whole_in_many_spellings() {
        for date in [
            "14/03/1967",
            "1967-03-14",
            "14.3.67",
            "19670314",
            "14-MAR-1967",
            "Mar 14, 1967",
            "14 März 1967",
            "1967年3月14日",
            "O1/02/198O",
            "14 mar 67",
            "MAR 1967",
            "20260304101112",
            "14 de marzo de 2019",
            "1er février 2020",
            "Do, 14. März 2019",
            "03/2019",
            "2019-03",
            "67-03-14",
            "21st of April 2020",
            "14 марта 2019",
            "2019년 3월 14일",
        ] {
            assert_eq!(dates(&format!("seen {date} then")), [date], "{date}");
        }
    }

    #[test]
    fn numbers_that_are_no_dates_are_not_found() {
        for text in [
            "120/80",
            "L4/5",
            "10-12-14 mm",
            "syngo 3.5.12",
            "1.2.840.113619",
            "pT2 pN1 (3/14)",
            "may 3 lesions",
            "TR 500/TE 12",
            "3 x 4 x 12",
            "12 sep mm",
            "2-3-4 weeks",
            "dec 120",
            "5.1 ChestRoutine",
            "0.5/0.5/10",
            "-120.5 -120.5 12",
        ] {
            assert_eq!(dates(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn times_are_told_from_ratios() {
        let times = |text: &str| {
            let line = Line::new(text, Lexicon::shared());
            times(&line)
                .into_iter()
                .map(|range| text.get(range).unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            times("at 10:24:31 and 3 pm, 10h24, 10.15 Uhr"),
            ["10:24:31", "3 pm", "10h24", "10.15 Uhr"]
        );
        for text in ["Lesion 1: 14 mm", "ratio 10:20", "1.375:1", "TA 2:15", "Lesion 12: 14 mm"] {
            assert_eq!(times(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn plain_dates_move_in_their_spelling() {
        let moved = |text: &str| {
            let line = Line::new(text, Lexicon::shared());
            find(&line).first().and_then(|date| date.plain?.moved(-14)).map(|(_, text)| text)
        };
        assert_eq!(moved("2019-03-14").as_deref(), Some("2019-02-28"));
        assert_eq!(moved("14.03.2019").as_deref(), Some("28.02.2019"));
        assert_eq!(moved("20190314").as_deref(), Some("20190228"));
        for text in ["03/04/2019", "2019/03/14", "14 March 2019", "14.3.19", "2019-3-14"] {
            assert_eq!(moved(text), None, "{text}");
        }
    }
}
