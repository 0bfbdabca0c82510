//! Dates in text, in the spellings in which people write them: numbers with and
//! without separators, names of months, years of two digits.
//!
//! A text with more than one reading has all of them: what is asked is whether a
//! known day may be meant.

use std::collections::BTreeSet;

use super::dates::{day_number, written};
use super::spelling::{runs, words};

/// Beginnings of the months' names, folded: English, German, French, Spanish,
/// Italian, Portuguese, Dutch, Polish, Turkish have these or begin so.
const MONTHS: [(&str, u16); 46] = [
    ("jan", 1),
    ("ene", 1),
    ("gen", 1),
    ("sty", 1),
    ("oca", 1),
    ("feb", 2),
    ("fev", 2),
    ("lut", 2),
    ("sub", 2),
    ("mar", 3),
    ("maer", 3),
    ("mrz", 3),
    ("maa", 3),
    ("apr", 4),
    ("avr", 4),
    ("abr", 4),
    ("kwi", 4),
    ("nis", 4),
    ("may", 5),
    ("mai", 5),
    ("mei", 5),
    ("mag", 5),
    ("maj", 5),
    ("jun", 6),
    ("juin", 6),
    ("giu", 6),
    ("cze", 6),
    ("haz", 6),
    ("jul", 7),
    ("juil", 7),
    ("lug", 7),
    ("lip", 7),
    ("tem", 7),
    ("aug", 8),
    ("aou", 8),
    ("ago", 8),
    ("sie", 8),
    ("sep", 9),
    ("set", 9),
    ("wrz", 9),
    ("oct", 10),
    ("okt", 10),
    ("out", 10),
    ("ott", 10),
    ("nov", 11),
    ("dec", 12),
];
const MORE_MONTHS: [(&str, u16); 6] =
    [("dez", 12), ("dic", 12), ("gru", 12), ("ara", 12), ("lis", 11), ("eyl", 9)];
/// Words between the parts of a date: ordinals, `de`, the CJK signs.
const FILLERS: [&str; 13] = [
    "st", "nd", "rd", "th", "of", "de", "del", "the", "\u{5e74}", "\u{6708}", "\u{65e5}", "t",
    "den",
];
/// Digits of `YYYYMMDD`.
const DAY_DIGITS: usize = 8;
/// Longest text between two parts of a date, in bytes.
const GAP_BYTES_MAX: usize = 3;

/// The days that may not be written, ready for searching.
#[derive(Debug, Default)]
pub(super) struct Days {
    days: BTreeSet<i64>,
    /// `YYYYMMDD`.
    written: BTreeSet<String>,
    /// Year of two digits, month, day.
    short: BTreeSet<[u8; 3]>,
    /// Six digits of a day of birth, `YYMMDD` and `DDMMYY`, as they stand in
    /// numbers of persons.
    births: BTreeSet<String>,
    birth_days: BTreeSet<i64>,
}

impl Days {
    pub(super) fn add(&mut self, day: i64) {
        let text = written(day);
        if let [_, _, y, z, m, n, d, e] = text.as_bytes() {
            let two = |tens: &u8, ones: &u8| (tens & 15) * 10 + (ones & 15);
            self.short.insert([two(y, z), two(m, n), two(d, e)]);
        }
        self.written.insert(text);
        self.days.insert(day);
    }

    /// A day of birth is also looked for in six digits.
    pub(super) fn add_birth(&mut self, day: i64) {
        self.add(day);
        self.birth_days.insert(day);
        let text = written(day);
        if let (Some(year), Some(month), Some(date)) =
            (text.get(2..4), text.get(4..6), text.get(6..))
        {
            self.births.insert(format!("{year}{month}{date}"));
            self.births.insert(format!("{date}{month}{year}"));
        }
    }

    pub(super) fn has(&self, day: i64) -> bool {
        self.days.contains(&day)
    }

    /// Somebody was born on the day.
    pub(super) fn is_birth(&self, day: i64) -> bool {
        self.birth_days.contains(&day)
    }

    pub(super) fn len(&self) -> usize {
        self.days.len()
    }

    /// One of the days stands in folded text.
    pub(super) fn stand_in(&self, folded: &str) -> bool {
        if self.days.is_empty() || !folded.bytes().any(|byte| byte.is_ascii_digit()) {
            return false;
        }
        let parts = parts(folded);
        parts.iter().any(|part| self.is_in_digits(part.text))
            || parts.windows(3).any(|three| self.is_three(three))
    }

    /// One of the days stands in folded text without separators: in bytes.
    pub(super) fn stand_unseparated(&self, folded: &str) -> bool {
        let digits = folded.split(|letter: char| !letter.is_ascii_digit());
        !self.days.is_empty()
            && digits.filter(|run| run.len() >= DAY_DIGITS).any(|run| self.is_in_digits(run))
    }

    /// A run of digits holds a day, perhaps with more around it: `20240131101500`.
    fn is_in_digits(&self, digits: &str) -> bool {
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        if digits.len() == 6 {
            return self.births.contains(digits);
        }
        let other_orders = || {
            let (Some(head), Some(year)) = (digits.get(..4), digits.get(4..)) else { return false };
            let (one, two) = head.split_at(2);
            digits.len() == DAY_DIGITS
                && [format!("{year}{two}{one}"), format!("{year}{one}{two}")]
                    .iter()
                    .any(|day| self.written.contains(day))
        };
        let windows = (0..=digits.len().saturating_sub(DAY_DIGITS))
            .filter_map(|start| digits.get(start..start + DAY_DIGITS));
        windows.into_iter().any(|day| self.written.contains(day)) || other_orders()
    }

    fn is_three(&self, three: &[Part<'_>]) -> bool {
        let [one, two, three] = three else { return false };
        if !two.is_near || !three.is_near {
            return false;
        }
        let (a, b, c) = (one.number(), two.number(), three.number());
        match (a, b, c) {
            (Some(a), Some(b), Some(c)) => self.is(a, b, c) || self.is(c, b, a) || self.is(c, a, b),
            // 31 January 2024, 2024 January 31
            (Some(a), None, Some(c)) => month(two.text)
                .is_some_and(|month| self.is(c, (month, 2), a) || self.is(a, (month, 2), c)),
            // January 31, 2024
            (None, Some(b), Some(c)) => {
                month(one.text).is_some_and(|month| self.is(c, (month, 2), b))
            }
            (_, _, _) => false,
        }
    }

    /// Year, month and day, each with its digits, are one of the days.
    fn is(&self, year: Number, month: Number, day: Number) -> bool {
        let small = |(number, digits): Number| u8::try_from(number).ok().filter(|_| digits <= 2);
        let (Some(month), Some(day)) = (small(month), small(day)) else { return false };
        match year {
            (year, 4) => self.written.contains(&format!("{year:04}{month:02}{day:02}")),
            (year, 2) => {
                u8::try_from(year).is_ok_and(|year| self.short.contains(&[year, month, day]))
            }
            (_, _) => false,
        }
    }
}

/// A number and how many digits it was written with.
type Number = (u16, usize);

/// A run of digits or of letters.
struct Part<'a> {
    text: &'a str,
    /// Little stands between it and the part before.
    is_near: bool,
}

impl Part<'_> {
    fn number(&self) -> Option<Number> {
        let digits = self.text.bytes().all(|byte| byte.is_ascii_digit());
        let number = self.text.parse().ok().filter(|_| digits && self.text.len() <= 4)?;
        Some((number, self.text.len()))
    }
}

fn parts(folded: &str) -> Vec<Part<'_>> {
    let mut end = 0;
    let mut found = Vec::new();
    for text in words(folded).flat_map(runs) {
        // Each is a slice of `folded`.
        let start = text.as_ptr().addr() - folded.as_ptr().addr();
        if FILLERS.contains(&text) {
            end = start + text.len();
            continue;
        }
        found.push(Part { text, is_near: start - end <= GAP_BYTES_MAX });
        end = start + text.len();
    }
    found
}

fn month(word: &str) -> Option<u16> {
    let first = word.trim_matches(['\u{6708}', '.']);
    MONTHS
        .iter()
        .chain(&MORE_MONTHS)
        .find(|(beginning, _)| first.starts_with(beginning))
        .map(|(_, month)| *month)
}

/// The days that a value of DA or DT names, also in its retired form `2024.01.31`.
pub(super) fn days_of_value(text: &str) -> impl Iterator<Item = Option<i64>> {
    text.split('\\').map(|value| {
        let value = value.trim_matches([' ', '\0']);
        day_number(value).or_else(|| day_number(&value.replace(['.', '-', '/'], "")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::verify::spelling::fold;

    fn days(birth: bool) -> Days {
        let mut days = Days::default();
        let day = day_number("20240131").unwrap();
        if birth {
            days.add_birth(day)
        } else {
            days.add(day)
        }
        days
    }

    #[test]
    fn a_day_is_found_in_the_spellings_that_people_use() {
        let days = days(false);
        for text in [
            "20240131",
            "2024-01-31",
            "31.01.2024",
            "01/31/2024 10:00",
            "31/1/2024",
            "1-31-24",
            "31.1.24",
            "20240131101500",
            "2024-01-31T10:15",
            "31 Jan 2024",
            "31-JAN-24",
            "31JAN2024",
            "January 31, 2024",
            "Jan. 31st 2024",
            "31st of January 2024",
            "31. Januar 2024",
            "31 janvier 2024",
            "31 de enero de 2024",
            "2024 January 31",
            "2024\u{5e74}1\u{6708}31\u{65e5}",
            "31012024",
            "01312024",
            "ACC20240131-7",
            "31 gennaio 2024",
            "31_01_2024",
            "2024.01.31",
        ] {
            assert!(days.stand_in(&fold(text)), "{text}");
        }
        for text in [
            "20240130",
            "2024-01-30",
            "30.01.2024",
            "31 Feb 2024",
            "240131",
            "31.01",
            "1.31",
            "Jan 2024",
            "31 and then much later 1 and 2024",
            "131.2024",
            "",
            "2024",
        ] {
            assert!(!days.stand_in(&fold(text)), "{text}");
        }
    }

    #[test]
    fn a_day_of_birth_is_found_in_six_digits() {
        for text in ["310124-1234", "240131"] {
            assert!(days(true).stand_in(text) && !days(false).stand_in(text), "{text}");
        }
        assert!(!days(true).stand_in("1240131"));
    }

    #[test]
    fn retired_forms_of_a_value_name_a_day_too() {
        let of = |text| days_of_value(text).collect::<Vec<_>>();
        assert_eq!(of("2024.01.31"), of("20240131"));
        assert_eq!(of("20240131\\20240201"), [Some(19_753), Some(19_754)]);
        assert_eq!(of("2024"), [None]);
    }
}
