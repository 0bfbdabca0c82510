//! Days of the calendar, to know which dates the clean copy may hold.

/// `YYYYMMDD` as a day number, when it is a day of the calendar.
pub(super) fn day_number(text: &str) -> Option<i64> {
    let digits = text.as_bytes().first_chunk::<8>()?;
    let number = |range: &[u8]| {
        range.iter().try_fold(0_i64, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
        })
    };
    let [y1, y2, y3, y4, m1, m2, d1, d2] = *digits;
    let (year, month, day) = (number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?);
    let valid = year >= 1 && (1..=12).contains(&month) && (1..=31).contains(&day);
    let days = days_of(year, month, day);
    (valid && written(days) == text.get(..8)?).then_some(days)
}

/// A day number as `YYYYMMDD`.
pub(super) fn written(days: i64) -> String {
    let shifted = days + 719_468; // days since 0000-03-01
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}")
}

/// Days since 1970-01-01 of the proleptic Gregorian calendar.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_numbered_and_written_back() {
        assert_eq!(day_number("19700101"), Some(0));
        assert_eq!(day_number("20000229120000"), Some(11_016));
        for day in ["00010101", "19000228", "20231231", "20240229", "99991231"] {
            assert_eq!(day_number(day).map(written).as_deref(), Some(day));
        }
        for no_day in ["20230229", "20231301", "2023-1-1", "2023", "00000101", "２０２３０１０１"]
        {
            assert_eq!(day_number(no_day), None, "{no_day}");
        }
    }
}
