//! Headers of data elements (PS3.5 §7.1), no more: enough to look into the
//! start of a data set without reading it.

use crate::dicom::{Encoding, Tag};

/// Undefined length (PS3.5 §7.1.2).
pub const UNDEFINED_BYTES: u32 = 0xFFFF_FFFF;
/// Sequences, items and their delimiters have headers without VR (PS3.5 §7.5).
const ITEM_GROUP: u16 = 0xFFFE;

/// The header of one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElementHeader {
    /// Its tag.
    pub tag: Tag,
    /// Length of the header itself.
    pub header_bytes: usize,
    /// Stated length of the value, or [`UNDEFINED_BYTES`].
    pub value_bytes: u32,
}

/// What stands at the start of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A header.
    Header(ElementHeader),
    /// The bytes end inside the header.
    Short,
    /// An explicit VR that is no two upper case letters.
    NoVr,
}

/// Reads the element header at the start of `bytes`.
#[must_use]
pub fn header_at(bytes: &[u8], encoding: Encoding) -> Found {
    let Some((&[g0, g1, e0, e1, a, b, c, d], rest)) = bytes.split_first_chunk::<8>() else {
        return Found::Short;
    };
    let u16_of = |pair| {
        if encoding.big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    };
    let u32_of = |four| {
        if encoding.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    };
    let tag = Tag(u16_of([g0, g1]), u16_of([e0, e1]));
    if !encoding.explicit_vr || tag.0 == ITEM_GROUP {
        let value_bytes = u32_of([a, b, c, d]);
        return Found::Header(ElementHeader { tag, header_bytes: 8, value_bytes });
    }
    if !(a.is_ascii_uppercase() && b.is_ascii_uppercase()) {
        return Found::NoVr;
    }
    if !has_long_header([a, b]) {
        let value_bytes = u32::from(u16_of([c, d]));
        return Found::Header(ElementHeader { tag, header_bytes: 8, value_bytes });
    }
    match rest.first_chunk::<4>() {
        Some(four) => {
            let value_bytes = u32_of(*four);
            Found::Header(ElementHeader { tag, header_bytes: 12, value_bytes })
        }
        None => Found::Short,
    }
}

/// VRs with two reserved bytes and a 32-bit length (PS3.5 Table 7.1-1).
fn has_long_header(vr: [u8; 2]) -> bool {
    matches!(
        &vr,
        b"OB"
            | b"OD"
            | b"OF"
            | b"OL"
            | b"OV"
            | b"OW"
            | b"SQ"
            | b"SV"
            | b"UC"
            | b"UN"
            | b"UR"
            | b"UT"
            | b"UV"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_in_all_encodings() {
        let header = |tag, header_bytes, value_bytes| {
            Found::Header(ElementHeader { tag, header_bytes, value_bytes })
        };
        let class = Tag(0x0008, 0x0016);
        let implicit = [8, 0, 0x16, 0, 26, 0, 0, 0];
        assert_eq!(header_at(&implicit, Encoding::IMPLICIT_LE), header(class, 8, 26));
        let explicit = [8, 0, 0x16, 0, b'U', b'I', 26, 0];
        assert_eq!(header_at(&explicit, Encoding::EXPLICIT_LE), header(class, 8, 26));
        let big = Encoding { explicit_vr: true, big_endian: true, deflated: false };
        assert_eq!(header_at(&[0, 8, 0, 0x16, b'U', b'I', 0, 26], big), header(class, 8, 26));
        let sequence = [8, 0, 6, 0, b'S', b'Q', 0, 0, 255, 255, 255, 255];
        let language = Tag(0x0008, 0x0006);
        let undefined = header(language, 12, UNDEFINED_BYTES);
        assert_eq!(header_at(&sequence, Encoding::EXPLICIT_LE), undefined);
        assert_eq!(header_at(&sequence[..11], Encoding::EXPLICIT_LE), Found::Short);
        assert_eq!(header_at(&implicit, Encoding::EXPLICIT_LE), Found::NoVr);
    }
}
