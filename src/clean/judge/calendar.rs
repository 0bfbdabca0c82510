//! Days of the calendar, for dates in text.

/// The day exists (Gregorian calendar).
pub(super) fn is_day(year: u32, month: u32, day: u32) -> bool {
    day >= 1 && day <= days_of(year, month)
}

/// `YYYYMMDD` moved by whole days; `None` outside the years 1 to 9999.
pub(super) fn shifted(day: &str, days: i32) -> Option<String> {
    let part = |range: std::ops::Range<usize>| day.get(range)?.parse::<u32>().ok();
    let (mut year, mut month, mut date) = (part(0..4)?, part(4..6)?, i64::from(part(6..8)?));
    date += i64::from(days);
    while date < 1 {
        (year, month) = if month == 1 { (year.checked_sub(1)?, 12) } else { (year, month - 1) };
        date += i64::from(days_of(year, month));
    }
    while date > i64::from(days_of(year, month)) {
        date -= i64::from(days_of(year, month));
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
    (1..=9999).contains(&year).then(|| format!("{year:04}{month:02}{date:02}"))
}

fn days_of(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_move_over_months_years_and_leap_days() {
        for (day, days, expected) in [
            ("20240301", -1, Some("20240229")),
            ("20230301", -1, Some("20230228")),
            ("20191231", 1, Some("20200101")),
            ("20200101", -366, Some("20181231")),
            ("99991231", 1, None),
            ("00010101", -1, None),
        ] {
            assert_eq!(shifted(day, days).as_deref(), expected, "{day} {days}");
        }
        assert!(is_day(2024, 2, 29) && !is_day(2023, 2, 29) && !is_day(2023, 13, 1));
    }
}
