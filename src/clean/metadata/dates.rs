//! Dates and times as they stand in a data set: text in, shifted or checked
//! text out; what is not plainly a date gives `None`, so that nothing passes
//! unread.

use crate::dicom::day;

/// Adds whole days to a DA value (PS3.5 §6.2). Retired forms with points,
/// partial dates and ranges give `None`.
#[must_use]
pub(super) fn shifted_date(date: &str, shift_days: i32) -> Option<String> {
    day::written(day::parse(date)? + i64::from(shift_days))
}

/// Adds whole days to a DT value; time of day, fraction and offset from UTC
/// stay as they are. A value without a day gives `None`.
#[must_use]
pub(super) fn shifted_date_time(value: &str, shift_days: i32) -> Option<String> {
    let (date, rest) = value.split_at_checked(8)?;
    let shifted = shifted_date(date, shift_days)?;
    is_time_with_offset(rest).then(|| shifted + rest)
}

/// A DA value that can be kept as it is.
#[must_use]
pub(super) fn is_date(value: &str) -> bool {
    day::parse(value).is_some()
}

/// A DT value that can be kept as it is: also a year or a month alone.
#[must_use]
pub(super) fn is_date_time(value: &str) -> bool {
    let partial = matches!(value.len(), 4 | 6) && value.bytes().all(|b| b.is_ascii_digit());
    partial || shifted_date_time(value, 0).is_some()
}

/// A TM value: `HH`, `HHMM`, `HHMMSS` and a fraction, or the retired form with
/// colons.
#[must_use]
pub(super) fn is_time(value: &str) -> bool {
    let (whole, fraction) = split_fraction(value);
    let whole: String = whole.split(':').collect();
    is_clock(&whole) && fraction.is_none_or(|digits| whole.len() == 6 && is_fraction(digits))
}

/// An offset from UTC, `+HHMM` or `-HHMM`.
#[must_use]
pub(super) fn is_utc_offset(value: &str) -> bool {
    value.strip_prefix(['+', '-']).is_some_and(|digits| digits.len() == 4 && is_clock(digits))
}

fn is_time_with_offset(rest: &str) -> bool {
    let (time, offset) = match rest.find(['+', '-']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (whole, fraction) = split_fraction(time);
    (whole.is_empty() || is_clock(whole))
        && fraction.is_none_or(|digits| whole.len() == 6 && is_fraction(digits))
        && (offset.is_empty() || is_utc_offset(offset))
}

fn split_fraction(time: &str) -> (&str, Option<&str>) {
    match time.split_once('.') {
        Some((whole, digits)) => (whole, Some(digits)),
        None => (time, None),
    }
}

fn is_fraction(digits: &str) -> bool {
    (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

/// `HH`, `HHMM` or `HHMMSS`, with second 60 for a leap second.
fn is_clock(digits: &str) -> bool {
    let below = |range: std::ops::Range<usize>, end: u8| {
        digits.get(range).is_none_or(|pair| pair.parse::<u8>().is_ok_and(|number| number < end))
    };
    matches!(digits.len(), 2 | 4 | 6)
        && digits.bytes().all(|b| b.is_ascii_digit())
        && below(0..2, 24)
        && below(2..4, 60)
        && below(4..6, 61)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_move_over_months_and_leap_days() {
        let cases = [
            ("20240301", -1, Some("20240229")),
            ("20230301", -1, Some("20230228")),
            ("19000301", -1, Some("19000228")),
            ("20000101", -365, Some("19990101")),
            ("00010101", -1, None),
            ("99991231", 1, None),
            ("20230229", 1, None),
            ("20231301", 1, None),
            ("2023.01.01", 1, None),
            ("202301", 1, None),
            ("20230101-20230201", 1, None),
            ("", 1, None),
            ("2023010\u{e9}", 1, None),
        ];
        for (date, shift, expected) in cases {
            assert_eq!(shifted_date(date, shift).as_deref(), expected, "{date} {shift}");
        }
    }

    #[test]
    fn times_fractions_and_offsets_stay() {
        let cases = [
            ("20240301235960.123456+0200", Some("20240229235960.123456+0200")),
            ("20240301", Some("20240229")),
            ("2024030112-0500", Some("2024022912-0500")),
            ("202403", None),
            ("20240301 12", None),
            ("2024030125", None),
            ("20240301120000.", None),
            ("20240301DOE", None),
        ];
        for (value, expected) in cases {
            assert_eq!(shifted_date_time(value, -1).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn only_times_are_times() {
        for time in ["12", "1230", "123059", "123059.1", "12:30:59", "12:30"] {
            assert!(is_time(time), "{time}");
        }
        for not in ["", "1", "24", "1260", "DOE", "12.5", "123059.", "12-13", "1230599"] {
            assert!(!is_time(not), "{not}");
        }
        assert!(is_utc_offset("-0330") && !is_utc_offset("0330") && !is_utc_offset("+03"));
    }

    proptest! {
        #[test]
        fn intervals_stay_and_a_shift_back_gives_the_date_again(
            first in -700_000_i64..2_900_000, second in -700_000_i64..2_900_000, shift in -365_i32..365,
        ) {
            let text = |number| day::written(number).unwrap();
            let number = |date: &str| day::parse(date).unwrap();
            let moved = [first, second].map(|day| shifted_date(&text(day), shift).unwrap());
            prop_assert_eq!(number(&moved[1]) - number(&moved[0]), second - first);
            prop_assert_eq!(shifted_date(&moved[0], -shift).unwrap(), text(first));
        }
    }
}
