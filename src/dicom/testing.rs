//! Bytes of data sets written out by hand, for tests of what our own writer
//! would never write.

use super::vr::has_long_length;
use super::{Tag, VR};

/// An element of Explicit VR Little Endian.
pub(crate) fn explicit(tag: Tag, vr: VR, value: &[u8]) -> Vec<u8> {
    let mut bytes = tag_bytes(tag);
    bytes.extend(vr.to_string().as_bytes());
    if has_long_length(vr) {
        bytes.extend([0, 0]);
        bytes.extend((value.len() as u32).to_le_bytes());
    } else {
        bytes.extend((value.len() as u16).to_le_bytes());
    }
    bytes.extend(value);
    bytes
}

/// An element of Implicit VR Little Endian.
pub(crate) fn implicit(tag: Tag, value: &[u8]) -> Vec<u8> {
    mark(tag, value.len() as u32, value)
}

/// Tag, 32-bit length as given, and bytes after it: items, delimiters, implicit elements.
pub(crate) fn mark(tag: Tag, length: u32, after: &[u8]) -> Vec<u8> {
    let mut bytes = tag_bytes(tag);
    bytes.extend(length.to_le_bytes());
    bytes.extend(after);
    bytes
}

/// Tag, VR, a long length as given, and bytes after it.
pub(crate) fn long(tag: Tag, vr: &[u8; 2], length: u32, after: &[u8]) -> Vec<u8> {
    let mut bytes = tag_bytes(tag);
    bytes.extend(vr);
    bytes.extend([0, 0]);
    bytes.extend(length.to_le_bytes());
    bytes.extend(after);
    bytes
}

/// An item of defined length.
pub(crate) fn item(content: &[u8]) -> Vec<u8> {
    implicit(Tag(0xFFFE, 0xE000), content)
}

/// The delimiter of an item of undefined length.
pub(crate) fn item_end() -> Vec<u8> {
    implicit(Tag(0xFFFE, 0xE00D), &[])
}

/// The delimiter of a sequence of undefined length.
pub(crate) fn sequence_end() -> Vec<u8> {
    implicit(Tag(0xFFFE, 0xE0DD), &[])
}

/// Preamble, prefix and a short file meta for `transfer_syntax`, then `set`.
pub(crate) fn file(transfer_syntax: &str, set: &[u8]) -> Vec<u8> {
    let mut uid = transfer_syntax.as_bytes().to_vec();
    if uid.len() % 2 == 1 {
        uid.push(0);
    }
    let mut bytes = vec![0; 128];
    bytes.extend(b"DICM");
    bytes.extend(explicit(Tag(0x0002, 0x0010), VR::UI, &uid));
    bytes.extend(set);
    bytes
}

fn tag_bytes(tag: Tag) -> Vec<u8> {
    [tag.group().to_le_bytes(), tag.element().to_le_bytes()].concat()
}
