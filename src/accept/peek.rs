//! A look at the first elements of a data set, up to SOP Instance UID
//! (0008,0018), before it is answered.
//!
//! Pure: bytes in, [`Look`] out. Walks headers without recursion; nothing is
//! allocated. Every later fault of a data set is found by the cleaner.

use crate::dicom::{Encoding, Tag, Uid};
use crate::dimse::element::{Found, UNDEFINED_BYTES, header_at};

/// How far is looked. 64 KiB: what stands before (0008,0018) is a handful of
/// short elements, with room for a long sequence.
pub(super) const PEEK_BYTES_MAX: usize = 64 << 10;

/// Deepest nesting before (0008,0018). 16: nothing real nests there at all.
const DEPTH_MAX: u32 = 16;

pub(super) const SOP_CLASS: Tag = Tag(0x0008, 0x0016);
pub(super) const SOP_INSTANCE: Tag = Tag(0x0008, 0x0018);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// What the start of a data set shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Look {
    /// The bytes end before both UIDs.
    NeedMore,
    /// Both UIDs.
    Uids {
        /// SOP Class UID.
        class: Uid,
        /// SOP Instance UID.
        instance: Uid,
    },
    /// Not a data set in this encoding, or one of the UIDs is missing or malformed.
    Unreadable,
}

/// Looks for both UIDs; `encoding` must not be deflated.
pub(super) fn look(head: &[u8], encoding: Encoding) -> Look {
    let mut class = None;
    let mut depth = 0_u32;
    let mut rest = head;
    loop {
        let header = match header_at(rest, encoding) {
            Found::Header(header) => header,
            Found::Short => return Look::NeedMore,
            Found::NoVr => return Look::Unreadable,
        };
        if depth == 0 && header.tag > SOP_INSTANCE {
            return Look::Unreadable;
        }
        let after_header = rest.get(header.header_bytes..).unwrap_or_default();
        if header.tag == ITEM_END || header.tag == SEQUENCE_END {
            let Some(outer) = depth.checked_sub(1) else { return Look::Unreadable };
            depth = outer;
            rest = after_header;
            continue;
        }
        if header.value_bytes == UNDEFINED_BYTES {
            depth = depth.saturating_add(1);
            if depth > DEPTH_MAX {
                return Look::Unreadable;
            }
            rest = after_header;
            continue;
        }
        let value_bytes = usize::try_from(header.value_bytes).unwrap_or(usize::MAX);
        let Some((value, after)) = after_header.split_at_checked(value_bytes) else {
            return Look::NeedMore;
        };
        if depth == 0 && header.tag == SOP_CLASS {
            class = Uid::from_bytes(value).ok();
        }
        if depth == 0 && header.tag == SOP_INSTANCE {
            return match (class, Uid::from_bytes(value).ok()) {
                (Some(class), Some(instance)) => Look::Uids { class, instance },
                (None, _) | (_, None) => Look::Unreadable,
            };
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BIG: Encoding = Encoding { explicit_vr: true, big_endian: true, deflated: false };

    fn element(encoding: Encoding, tag: Tag, vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let put = |bytes: &mut Vec<u8>, number: u16| {
            let pair =
                if encoding.big_endian { number.to_be_bytes() } else { number.to_le_bytes() };
            bytes.extend(pair);
        };
        put(&mut bytes, tag.0);
        put(&mut bytes, tag.1);
        if encoding.explicit_vr {
            bytes.extend(vr);
            put(&mut bytes, u16::try_from(value.len()).unwrap());
        } else {
            bytes.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
        }
        bytes.extend(value);
        bytes
    }

    fn start(encoding: Encoding) -> Vec<u8> {
        [
            element(encoding, Tag(8, 5), b"CS", b"ISO_IR 100"),
            element(encoding, SOP_CLASS, b"UI", b"1.2.3\0"),
            element(encoding, SOP_INSTANCE, b"UI", b"1.2.44"),
            element(encoding, Tag(8, 0x20), b"DA", b"20200101"),
        ]
        .concat()
    }

    #[test]
    fn both_uids_are_found_in_every_encoding_as_soon_as_they_stand() {
        let found =
            Look::Uids { class: "1.2.3".parse().unwrap(), instance: "1.2.44".parse().unwrap() };
        for encoding in [Encoding::EXPLICIT_LE, Encoding::IMPLICIT_LE, BIG] {
            let bytes = start(encoding);
            let end = bytes.len() - 16;
            assert_eq!(look(&bytes, encoding), found);
            for cut in 0..end {
                assert_eq!(look(&bytes[..cut], encoding), Look::NeedMore, "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_sequence_of_undefined_length_before_the_uids_is_passed() {
        let language: &[u8] = &[
            8, 0, 6, 0, b'S', b'Q', 0, 0, 255, 255, 255, 255, 0xFE, 0xFF, 0x00, 0xE0, 255, 255,
            255, 255, 8, 0, 0x18, 0, b'U', b'I', 2, 0, b'9', 0, 0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0,
            0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0,
        ];
        let bytes = [language, &start(Encoding::EXPLICIT_LE)].concat();
        assert!(matches!(
            look(&bytes, Encoding::EXPLICIT_LE),
            Look::Uids { instance, .. } if instance.as_str() == "1.2.44"
        ));
    }

    #[test]
    fn what_is_no_data_set_or_lacks_a_uid_is_unreadable() {
        let explicit = Encoding::EXPLICIT_LE;
        assert_eq!(look(&start(Encoding::IMPLICIT_LE), explicit), Look::Unreadable);
        assert_eq!(look(b"GET / HTTP/1.1\r\n\r\n", explicit), Look::Unreadable);
        let no_class = element(explicit, SOP_INSTANCE, b"UI", b"1.2");
        assert_eq!(look(&no_class, explicit), Look::Unreadable);
        let bad = [
            element(explicit, SOP_CLASS, b"UI", b"1.2"),
            element(explicit, SOP_INSTANCE, b"UI", b"../../etc"),
        ];
        assert_eq!(look(&bad.concat(), explicit), Look::Unreadable);
        let late = element(explicit, Tag(0x10, 0x10), b"PN", b"NOBODY");
        assert_eq!(look(&late, explicit), Look::Unreadable);
        let deep = [8, 0, 6, 0, b'S', b'Q', 0, 0, 255, 255, 255, 255].repeat(1_000);
        assert_eq!(look(&deep, explicit), Look::Unreadable);
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at_without_harm(
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
            explicit_vr: bool,
            big_endian: bool,
        ) {
            let encoding = Encoding { explicit_vr, big_endian, deflated: false };
            let shown = look(&bytes, encoding);
            prop_assert!(bytes.len() >= 8 || shown == Look::NeedMore);
        }
    }
}
