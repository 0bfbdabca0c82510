//! What a value is by its VR and by its own form: a DA that is no date is text.

use super::dates::day_number;
use crate::dicom::VR;

/// Shortest number in binary that can be somebody's.
const NUMBER_DIGITS_MIN: usize = 7;
/// Longest value whose single numbers are looked at: longer ones are tables.
const NUMBERS_MAX: usize = 64;
/// Ages beyond are stated as 90 (HIPAA 164.514(b)(2)(i)(C)).
const AGE_YEARS_MAX: u32 = 90;

/// How a value is searched; UIDs are searched in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Day,
    Time,
    Age,
    Number,
    Uids,
    Text,
    Bytes,
    /// Text or bytes.
    Unknown,
}

/// The form of a value.
pub(super) fn form(vr: VR, text: &str) -> Form {
    use VR::*;
    let values = || text.split('\\').map(|value| value.trim_matches([' ', '\0']));
    let stated = match vr {
        DA | DT => (Form::Day, values().all(is_day)),
        TM => (Form::Time, values().all(is_time)),
        AS => (Form::Age, values().all(is_age)),
        DS | IS => (Form::Number, values().all(is_number)),
        UI => (Form::Uids, values().all(is_uid)),
        AE | CS | LO | LT | PN | SH | ST | UC | UR | UT => (Form::Text, true),
        AT | FD | FL | SL | SS | SV | UL | US | UV => (Form::Bytes, true),
        OB | OD | OF | OL | OV | OW | SQ => (Form::Bytes, true),
        UN => (Form::Unknown, true),
    };
    if let (form, true) = stated { form } else { Form::Text }
}

/// A day, perhaps with a time and an offset from UTC, or nothing.
fn is_day(value: &str) -> bool {
    let rest = value.bytes().skip(8).all(|byte| byte.is_ascii_digit() || b".+-".contains(&byte));
    value.is_empty() || (day_number(value).is_some() && rest)
}

fn is_time(value: &str) -> bool {
    let (time, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = time.replace(':', "");
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let hours = digits.get(..2).and_then(|hours| hours.parse::<u8>().ok());
    let whole = number(&digits) && [2, 4, 6].contains(&digits.len());
    value.is_empty() || (whole && hours < Some(24) && number(fraction) && fraction.len() <= 6)
}

fn is_age(value: &str) -> bool {
    let [a, b, c, unit] = value.as_bytes() else { return value.is_empty() };
    [a, b, c].into_iter().all(u8::is_ascii_digit) && b"DWMY".contains(unit)
}

/// No age of those few who are over 89 years old.
pub(super) fn is_common_age(text: &str) -> bool {
    text.split('\\').map(|value| value.trim_matches([' ', '\0'])).all(|value| {
        let years = value.strip_suffix('Y').and_then(|years| years.parse::<u32>().ok());
        years.is_none_or(|years| years <= AGE_YEARS_MAX)
    })
}

fn is_number(value: &str) -> bool {
    let plain = value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    value.is_empty() || (plain && value.parse::<f64>().is_ok())
}

fn is_uid(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// The long whole numbers of a binary value, written out.
pub(super) fn long_numbers(vr: VR, bytes: &[u8]) -> impl Iterator<Item = String> {
    let whole = [VR::UL, VR::SL, VR::OL].contains(&vr);
    let whole_long = [VR::UV, VR::SV, VR::OV].contains(&vr);
    let real = [VR::FL, VR::OF].contains(&vr);
    let real_long = [VR::FD, VR::OD].contains(&vr);
    let width = if whole || real {
        4
    } else if whole_long || real_long {
        8
    } else {
        bytes.len().max(1)
    };
    let numbers = bytes.chunks_exact(width).take(NUMBERS_MAX).filter_map(move |chunk| {
        let four = || chunk.first_chunk::<4>().copied();
        let eight = || chunk.first_chunk::<8>().copied();
        if whole {
            Some(u32::from_le_bytes(four()?).to_string())
        } else if whole_long {
            Some(u64::from_le_bytes(eight()?).to_string())
        } else if real {
            Some(format!("{:.0}", f32::from_le_bytes(four()?)))
        } else if real_long {
            Some(format!("{:.0}", f64::from_le_bytes(eight()?)))
        } else {
            None
        }
    });
    numbers.filter(|number| (NUMBER_DIGITS_MIN..=20).contains(&number.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_the_form_of_its_vr_is_text() {
        for (vr, value, wanted) in [
            (VR::DA, "20240131\\", Form::Day),
            (VR::DT, "20240131101500.5+0100", Form::Day),
            (VR::DA, "20240131 QUILL", Form::Text),
            (VR::DA, "QUILL", Form::Text),
            (VR::TM, "101500.25", Form::Time),
            (VR::TM, "881234", Form::Text),
            (VR::TM, "19611005", Form::Text),
            (VR::DS, "447-19-03", Form::Text),
            (VR::AS, "095Y", Form::Age),
            (VR::AS, "JANE", Form::Text),
            (VR::IS, "-12 ", Form::Number),
            (VR::DS, "1 Elm St", Form::Text),
            (VR::UI, "1.2.3\0", Form::Uids),
            (VR::UI, "quill", Form::Text),
            (VR::US, "QUIL", Form::Bytes),
        ] {
            assert_eq!(form(vr, value), wanted, "{vr} {value}");
        }
    }

    #[test]
    fn long_numbers_are_written_out() {
        let of = |vr, bytes: &[u8]| long_numbers(vr, bytes).collect::<Vec<_>>();
        assert_eq!(of(VR::UL, &19_611_005_u32.to_le_bytes()), ["19611005"]);
        assert_eq!(of(VR::FD, &8_812_345_f64.to_le_bytes()), ["8812345"]);
        assert!(of(VR::UL, &512_u32.to_le_bytes()).is_empty());
        assert!(of(VR::US, &[1, 2]).is_empty() && of(VR::FD, &[1]).is_empty());
        assert!(is_common_age("090Y\\012M") && !is_common_age("091Y"));
    }
}
