//! Whether a site's text can be the value of an attribute: VR and text in, yes
//! or no out. `clean::metadata` asks again, date by date, before it writes one.

use crate::dicom::{Uid, VR};

/// The VR is text that may be typed, code strings among it.
pub(super) fn is_text(vr: VR) -> bool {
    matches!(vr, VR::CS | VR::LO | VR::LT | VR::PN | VR::SH | VR::ST | VR::UC | VR::UT)
}

/// The text is one value of the VR (PS3.5 §6.2). An empty one is not: the
/// action `empty` says so.
pub(super) fn can_stand(vr: VR, text: &str) -> bool {
    let characters = text.chars().count();
    let single = |limit: usize| characters <= limit && !text.contains('\\');
    let plain = !text.chars().any(|letter| letter.is_control() && !"\t\n\r\x0C".contains(letter));
    let fits = match vr {
        VR::AE => single(16) && text.is_ascii(),
        VR::CS => single(16) && text.bytes().all(is_of_term),
        VR::SH => single(16),
        VR::LO | VR::PN => single(64),
        VR::ST => characters <= 1_024,
        VR::LT => characters <= 10_240,
        VR::UC | VR::UT => true,
        VR::AS => is_age(text),
        VR::DA => is_date(text),
        VR::DT => text.get(..8).is_some_and(is_date) && characters <= 26,
        VR::TM => characters <= 16 && text.bytes().all(|byte| b"0123456789.".contains(&byte)),
        VR::DS => single(16) && text.parse::<f64>().is_ok_and(f64::is_finite),
        VR::IS => text.parse::<i32>().is_ok(),
        VR::UI => text.parse::<Uid>().is_ok(),
        VR::AT | VR::FD | VR::FL | VR::OB | VR::OD | VR::OF | VR::OL | VR::OV => false,
        VR::OW | VR::SL | VR::SQ | VR::SS | VR::SV | VR::UL | VR::UN => false,
        VR::UR | VR::US | VR::UV => false,
    };
    fits && plain && !text.is_empty()
}

fn is_of_term(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b' ' | b'_')
}

/// Three digits and a unit (PS3.5 §6.2, AS).
fn is_age(text: &str) -> bool {
    text.split_at_checked(3).is_some_and(|(number, unit)| {
        number.bytes().all(|byte| byte.is_ascii_digit()) && matches!(unit, "D" | "W" | "M" | "Y")
    })
}

/// Eight digits with a month and a day among them.
fn is_date(text: &str) -> bool {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u8>().ok();
    text.len() == 8
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && number(4..6).is_some_and(|month| (1..=12).contains(&month))
        && number(6..8).is_some_and(|day| (1..=31).contains(&day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_each_vr_stand_and_others_do_not() {
        let good = [
            (VR::AE, "NODE 1"),
            (VR::CS, "ORIGINAL_1"),
            (VR::SH, "Gr\u{f6}\u{df}e"),
            (VR::LO, "a text"),
            (VR::PN, "Trial^Seven"),
            (VR::UT, "two\r\nlines"),
            (VR::AS, "090Y"),
            (VR::DA, "20240131"),
            (VR::DT, "20240131120000"),
            (VR::TM, "120000.5"),
            (VR::DS, "-1.5"),
            (VR::IS, "12"),
            (VR::UI, "1.2.3"),
        ];
        for (vr, text) in good {
            assert!(can_stand(vr, text), "{vr:?} {text}");
            assert!(!can_stand(vr, ""), "{vr:?}");
        }
        let bad = [
            (VR::CS, "lower"),
            (VR::SH, "seventeen letters"),
            (VR::LO, "a\\b"),
            (VR::LO, "bell\u{7}"),
            (VR::AS, "90Y"),
            (VR::DA, "20241301"),
            (VR::DA, "2024.01.31"),
            (VR::TM, "noon"),
            (VR::DS, "NaN"),
            (VR::IS, "1.5"),
            (VR::UI, "1..2"),
            (VR::US, "1"),
            (VR::SQ, "x"),
            (VR::OB, "x"),
        ];
        for (vr, text) in bad {
            assert!(!can_stand(vr, text), "{vr:?} {text}");
        }
    }
}
