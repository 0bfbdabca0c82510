//! Values that say nothing but are valid: dummies by VR and a site's own text.

use crate::dicom::{DataSet, Element, Tag, VR, Value};

const CODE_VALUE: Tag = Tag(0x0008, 0x0100);
const CODING_SCHEME: Tag = Tag(0x0008, 0x0102);
const CODE_MEANING: Tag = Tag(0x0008, 0x0104);
const CONTENT_SEQUENCE: Tag = Tag(0x0040, 0xA730);

/// A word that is valid as LO, SH, CS, PN and AE.
const WORD: &str = "REMOVED";

/// A dummy value for a VR (PS3.5 §6.2). Numbers and bytes are zeros of the
/// length that was there.
pub(super) fn value(vr: VR, original_bytes: usize) -> Vec<u8> {
    let zeros = |width: usize| vec![0; original_bytes.max(width).next_multiple_of(width)];
    match vr {
        VR::AE | VR::CS | VR::LO | VR::LT | VR::PN => WORD.into(),
        VR::SH | VR::ST | VR::UC | VR::UT => WORD.into(),
        VR::AS => "000Y".into(),
        VR::DA => "19000101".into(),
        VR::DT => "19000101000000".into(),
        VR::TM => "000000".into(),
        VR::DS | VR::IS => "0".into(),
        VR::UI => Vec::new(),
        VR::UR => "about:blank".into(),
        VR::OB | VR::OW | VR::SS | VR::UN | VR::US => zeros(2),
        VR::AT | VR::FL | VR::OF | VR::OL | VR::SL | VR::UL => zeros(4),
        VR::FD | VR::OD | VR::OV | VR::SV | VR::UV => zeros(8),
        VR::SQ => Vec::new(),
    }
}

/// Items that replace those of a sequence: a report's content, and codes,
/// which can name a person or place. `None`: the items are cleaned one by one.
pub(super) fn items(tag: Tag, items: &[DataSet]) -> Option<Vec<DataSet>> {
    if tag == CONTENT_SEQUENCE {
        return Some(vec![content_item()]);
    }
    let has_codes = items.iter().any(|item| item.get(CODE_MEANING).is_some());
    has_codes.then(|| vec![code(WORD, "99AIRLOCK", "Removed")])
}

/// An item of the Code Sequence Macro (PS3.3 Table 8.8-1).
pub(super) fn code(value: &str, scheme: &str, meaning: &str) -> DataSet {
    DataSet::from_iter([
        Element::bytes(CODE_VALUE, VR::SH, value),
        Element::bytes(CODING_SCHEME, VR::SH, scheme),
        Element::bytes(CODE_MEANING, VR::LO, meaning),
    ])
}

/// A text content item (PS3.3 §C.17.3): a report must have content.
fn content_item() -> DataSet {
    let concept = Value::Items(vec![code("121106", "DCM", "Comment")]);
    DataSet::from_iter([
        Element::bytes(Tag(0x0040, 0xA010), VR::CS, "CONTAINS"),
        Element::bytes(Tag(0x0040, 0xA040), VR::CS, "TEXT"),
        Element { tag: Tag(0x0040, 0xA043), vr: VR::SQ, value: concept },
        Element::bytes(Tag(0x0040, 0xA160), VR::UT, WORD),
    ])
}

/// Whether a site's text can stand in an element of this VR.
#[must_use]
pub(super) fn accepts(vr: VR, text: &str) -> bool {
    let characters = text.chars().count();
    let at_most = |limit: usize| characters <= limit && !text.contains('\\');
    match vr {
        VR::AE => at_most(16) && text.is_ascii(),
        VR::AS => super::values::capped_age(text).is_some(),
        VR::CS => {
            let term = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
            at_most(16) && text.bytes().all(|byte| term(byte) || matches!(byte, b' ' | b'_'))
        }
        VR::DA => super::dates::is_date(text),
        VR::DT => super::dates::is_date_time(text),
        VR::TM => super::dates::is_time(text),
        VR::DS => at_most(16) && text.parse::<f64>().is_ok_and(f64::is_finite),
        VR::IS => text.parse::<i32>().is_ok(),
        VR::LO | VR::PN => at_most(64),
        VR::SH => at_most(16),
        VR::ST => characters <= 1_024,
        VR::LT => characters <= 10_240,
        VR::UC | VR::UT => true,
        VR::UI => text.parse::<crate::dicom::Uid>().is_ok(),
        VR::AT | VR::FD | VR::FL | VR::OB | VR::OD | VR::OF | VR::OL | VR::OV => false,
        VR::OW | VR::SL | VR::SQ | VR::SS | VR::SV | VR::UL | VR::UN => false,
        VR::UR | VR::US | VR::UV => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dummies_of_text_are_values_of_their_vr() {
        use VR::*;
        for vr in [AE, AS, CS, DA, DS, DT, IS, LO, LT, PN, SH, ST, TM, UC, UT] {
            let text = String::from_utf8(value(vr, 40)).unwrap();
            assert!(accepts(vr, &text), "{vr:?} {text}");
        }
        for (vr, bytes) in [(US, 2), (FL, 4), (FD, 8), (OB, 2)] {
            assert_eq!(value(vr, 0).len(), bytes);
            assert!(value(vr, 17).len() >= 17 && value(vr, 17).len().is_multiple_of(bytes));
        }
    }

    #[test]
    fn a_text_that_breaks_its_vr_is_refused() {
        assert!(!accepts(VR::SH, "seventeen letters"));
        assert!(!accepts(VR::CS, "lower"));
        assert!(!accepts(VR::DA, "2024"));
        assert!(!accepts(VR::LO, "a\\b"));
        assert!(!accepts(VR::OB, "any"));
        assert!(!accepts(VR::UI, "1..2"));
    }
}
