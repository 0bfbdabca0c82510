//! Days of the Gregorian calendar as numbers, for dates as DA has them
//! (PS3.5 §6.2): text in, days since 1970-01-01 out, and back.

/// Days from 0001-01-01 to 9999-12-31, counted from 1970-01-01: the years that
/// DA can say.
pub const DAYS: std::ops::RangeInclusive<i64> = -719_162..=2_932_896;

/// `YYYYMMDD` of a day that exists, as days since 1970-01-01.
#[must_use]
pub fn parse(date: &str) -> Option<i64> {
    if date.len() != 8 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| {
        date.get(range).and_then(|digits| digits.parse::<i64>().ok())
    };
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let may_exist = year >= 1 && (1..=12).contains(&month) && day >= 1;
    let days = number(year, month, day);
    (may_exist && of_number(days) == (year, month, day)).then_some(days)
}

/// The day as `YYYYMMDD`; nothing outside of the years that DA can say.
#[must_use]
pub fn written(days: i64) -> Option<String> {
    DAYS.contains(&days).then(|| {
        let (year, month, day) = of_number(days);
        format!("{year:04}{month:02}{day:02}")
    })
}

/// The year is counted from March, so that the leap day is its last one.
fn number(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let cycle = year.div_euclid(400);
    let year_of_cycle = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    cycle * 146_097 + day_of_cycle - 719_468
}

/// The inverse of [`number`].
fn of_number(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let cycle = shifted.div_euclid(146_097);
    let day_of_cycle = shifted.rem_euclid(146_097);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524
        - day_of_cycle / 146_096)
        / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_cycle + cycle * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_numbered_and_written_back() {
        assert_eq!((parse("19700101"), parse("19600101")), (Some(0), Some(-3_653)));
        for date in ["00010101", "19000228", "20000229", "20231231", "99991231"] {
            assert_eq!(parse(date).and_then(written).as_deref(), Some(date));
        }
        for none in ["20230229", "20231301", "2023-1-1", "2023", "00000101", "2023010\u{e9}"] {
            assert_eq!(parse(none), None, "{none}");
        }
        assert_eq!((written(DAYS.start() - 1), written(DAYS.end() + 1)), (None, None));
    }
}
