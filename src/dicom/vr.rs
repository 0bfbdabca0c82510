//! What a VR means for bytes: form of the length field, width of a number,
//! padding; and the VR that the dictionary gives to a tag.
//!
//! Used by the reader and the writer alike.

use dicom_core::dictionary::{DataDictionary as _, DataDictionaryEntry as _, VirtualVr};
use dicom_dictionary_std::StandardDataDictionary;

use super::{Tag, VR};

/// Pixel Data (PS3.3 §C.7.6.3.1).
pub const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);

/// In explicit VR: two reserved bytes and a length of 32 bits instead of one
/// of 16 (PS3.5 §7.1.2).
#[must_use]
pub fn has_long_length(vr: VR) -> bool {
    use VR::*;
    match vr {
        OB | OD | OF | OL | OV | OW | SQ | SV | UC | UN | UR | UT | UV => true,
        AE | AS | AT | CS | DA | DS | DT | FL | FD | IS | LO | LT | PN | SH | SL | SS | ST | TM
        | UI | UL | US => false,
    }
}

/// Bytes that change places together between little and big endian
/// (PS3.5 §7.3); 1 for text, OB and UN.
#[must_use]
pub fn number_bytes(vr: VR) -> usize {
    use VR::*;
    match vr {
        AT | OW | SS | US => 2,
        FL | OF | OL | SL | UL => 4,
        FD | OD | OV | SV | UV => 8,
        AE | AS | CS | DA | DS | DT | IS | LO | LT | OB | PN | SH | SQ | ST | TM | UC | UI | UN
        | UR | UT => 1,
    }
}

/// Like [`number_bytes`], for a bulk value: cells of native pixel data wider
/// than 16 bits are turned as a whole although their VR is OW (checked
/// against pydicom's `rtdose_expb.dcm`).
#[must_use]
pub fn bulk_number_bytes(tag: Tag, vr: VR, bits_allocated: Option<u16>) -> usize {
    match (tag == PIXEL_DATA && vr == VR::OW, bits_allocated) {
        (true, Some(32)) => 4,
        (true, Some(64)) => 8,
        (_, _) => number_bytes(vr),
    }
}

/// So many bytes, padded to even length, are whole numbers of the VR.
#[must_use]
pub fn are_whole(vr: VR, bytes: u64) -> bool {
    let width = if vr == VR::AT { 4 } else { number_bytes(vr) };
    bytes.div_ceil(2).saturating_mul(2).is_multiple_of(width as u64) || width <= 2
}

/// Reverses each number of `width` bytes in place; a rest that is no whole
/// number stays.
pub fn swap_numbers(bytes: &mut [u8], width: usize) {
    if width > 1 {
        bytes.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
}

/// The byte that makes a value's length even (PS3.5 §6.2): space for text,
/// NUL for UIDs and for all that is not text.
#[must_use]
pub fn pad_byte(vr: VR) -> u8 {
    if is_text(vr) && vr != VR::UI { b' ' } else { 0 }
}

/// The value is characters, UIDs included (PS3.5 §6.2).
#[must_use]
pub fn is_text(vr: VR) -> bool {
    use VR::*;
    match vr {
        AE | AS | CS | DA | DS | DT | IS | LO | LT | PN | SH | ST | TM | UC | UI | UR | UT => true,
        AT | FD | FL | OB | OD | OF | OL | OV | OW | SL | SQ | SS | SV | UL | UN | US | UV => false,
    }
}

/// The value may be so long that it stays in its file.
#[must_use]
pub fn may_be_bulk(vr: VR) -> bool {
    matches!(vr, VR::OB | VR::OD | VR::OF | VR::OL | VR::OV | VR::OW | VR::UN)
}

/// The VR of a tag by the dictionary (PS3.6), or UN: for Implicit VR.
///
/// `signed` is Pixel Representation (0028,0103) = 1, which decides between US
/// and SS; OB or OW is OW in Implicit VR (PS3.5 §A.1). A private creator is
/// LO, other private elements are UN.
#[must_use]
pub fn by_dictionary(tag: Tag, signed: bool) -> VR {
    if is_private(tag) {
        return if is_private_creator(tag) { VR::LO } else { VR::UN };
    }
    match StandardDataDictionary.by_tag(tag).map(|entry| entry.vr()) {
        Some(VirtualVr::Exact(vr)) => vr,
        Some(VirtualVr::Xs) => {
            if signed {
                VR::SS
            } else {
                VR::US
            }
        }
        // `Ox`, `Px`, `Lt`: OB or OW, or US or OW; the type may grow.
        Some(_) => VR::OW,
        None => VR::UN,
    }
}

/// The group is odd (PS3.5 §7.8).
#[must_use]
pub fn is_private(tag: Tag) -> bool {
    tag.group() % 2 == 1
}

/// The element reserves a private block (PS3.5 §7.8.1).
#[must_use]
pub fn is_private_creator(tag: Tag) -> bool {
    is_private(tag) && (0x0010..=0x00FF).contains(&tag.element())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dictionary_knows_repeating_groups_and_pixel_representation() {
        assert_eq!(by_dictionary(Tag(0x0010, 0x0010), false), VR::PN);
        assert_eq!(by_dictionary(Tag(0x6002, 0x3000), false), VR::OW);
        assert_eq!(by_dictionary(Tag(0x5004, 0x0005), false), VR::US);
        assert_eq!(by_dictionary(Tag(0x0028, 0x0106), false), VR::US);
        assert_eq!(by_dictionary(Tag(0x0028, 0x0106), true), VR::SS);
        assert_eq!(by_dictionary(Tag(0x0009, 0x0010), false), VR::LO);
        assert_eq!(by_dictionary(Tag(0x0009, 0x1010), false), VR::UN);
        assert_eq!(by_dictionary(Tag(0x0008, 0xFFFE), false), VR::UN);
    }

    #[test]
    fn values_of_whole_numbers_are_told_from_cut_ones() {
        for (vr, bytes, whole) in [
            (VR::SL, 6, false),
            (VR::SL, 8, true),
            (VR::SL, 0, true),
            (VR::FD, 12, false),
            // Padded when it is written.
            (VR::FD, 15, true),
            (VR::OW, 3, true),
            (VR::AT, 6, false),
            (VR::LO, 5, true),
        ] {
            assert_eq!(are_whole(vr, bytes), whole, "{vr} {bytes}");
        }
    }

    #[test]
    fn numbers_are_reversed_and_a_rest_stays() {
        let mut bytes = [1, 2, 3, 4, 5];
        swap_numbers(&mut bytes, 2);
        assert_eq!(bytes, [2, 1, 4, 3, 5]);
        assert_eq!(bulk_number_bytes(PIXEL_DATA, VR::OW, Some(32)), 4);
        assert_eq!(bulk_number_bytes(PIXEL_DATA, VR::OW, Some(16)), 2);
        assert_eq!(bulk_number_bytes(PIXEL_DATA, VR::OB, Some(32)), 1);
    }
}
