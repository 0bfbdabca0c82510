//! Tag, VR and length of an element (PS3.5 §7.1).

use std::io::{Read, Seek};

use super::error::ReadError;
use super::parser::{Parser, Scope};
use crate::dicom::vr::{by_dictionary, has_long_length};
use crate::dicom::{Tag, VR};

/// Length field of a value that ends with a delimiter (PS3.5 §7.5.2).
pub(super) const UNDEFINED_LENGTH: u32 = u32::MAX;

/// An element before its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    /// The tag.
    pub(super) tag: Tag,
    /// From the stream or the dictionary; UN for a VR that is not known.
    pub(super) vr: VR,
    /// `None`: undefined.
    pub(super) bytes: Option<u64>,
    /// Offset of the value.
    pub(super) value_offset: u64,
}

impl<R: Read + Seek> Parser<'_, R> {
    /// Reads a tag in the byte order of the scope; `around` names the place in errors.
    pub(super) fn tag(&mut self, around: Tag, scope: Scope) -> Result<Tag, ReadError> {
        let [a, b, c, d] = self.array::<4>(around, scope)?;
        Ok(if scope.coding.big_endian {
            Tag(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
        } else {
            Tag(u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
        })
    }

    /// Reads a length of 32 bits in the byte order of the scope.
    pub(super) fn length32(&mut self, tag: Tag, scope: Scope) -> Result<u32, ReadError> {
        let field = self.array::<4>(tag, scope)?;
        Ok(word32(field, scope))
    }

    /// Reads VR and length after the tag, and compares the length with the bytes left.
    pub(super) fn header(&mut self, tag: Tag, scope: Scope) -> Result<Header, ReadError> {
        let (vr, length) = if scope.coding.explicit_vr {
            self.explicit(tag, scope)?
        } else {
            (by_dictionary(tag, scope.signed), self.length32(tag, scope)?)
        };
        let bytes = (length != UNDEFINED_LENGTH).then_some(u64::from(length));
        if bytes.is_some_and(|bytes| bytes > self.left(scope)) {
            return Err(self.truncated(tag, bytes.unwrap_or_default(), scope));
        }
        Ok(Header { tag, vr, bytes, value_offset: self.position() })
    }

    fn explicit(&mut self, tag: Tag, scope: Scope) -> Result<(VR, u32), ReadError> {
        let field = self.array::<4>(tag, scope)?;
        let [first, second, third, fourth] = field;
        match VR::from_binary([first, second]) {
            Some(vr) if has_long_length(vr) => Ok((vr, self.length32(tag, scope)?)),
            Some(vr) => Ok((vr, word16([third, fourth], scope))),
            None if first.is_ascii_uppercase() && second.is_ascii_uppercase() => {
                Ok((VR::UN, self.length_of_unknown(tag, [third, fourth], scope)?))
            }
            // No letters at all: some writers leave out VRs here and there,
            // so the field may be the length of an implicit element.
            None => match word32(field, scope) {
                length if length == UNDEFINED_LENGTH || u64::from(length) <= self.left(scope) => {
                    Ok((by_dictionary(tag, scope.signed), length))
                }
                _too_long => Err(self.bad_vr(tag)),
            },
        }
    }

    /// The length of an element whose VR consists of letters but is not known.
    /// New VRs have the long form (PS3.5 §7.1.2: the VRs with a 16-bit length
    /// are listed and closed); the short form is tried where that cannot be.
    fn length_of_unknown(
        &mut self,
        tag: Tag,
        field: [u8; 2],
        scope: Scope,
    ) -> Result<u32, ReadError> {
        let start = self.position();
        if field == [0, 0] && self.left(scope) >= 4 {
            let length = self.length32(tag, scope)?;
            if u64::from(length) <= self.left(scope) {
                return Ok(length);
            }
            self.back_to(start)?;
        }
        let length = word16(field, scope);
        if u64::from(length) <= self.left(scope) { Ok(length) } else { Err(self.bad_vr(tag)) }
    }
}

fn word16(field: [u8; 2], scope: Scope) -> u32 {
    u32::from(if scope.coding.big_endian {
        u16::from_be_bytes(field)
    } else {
        u16::from_le_bytes(field)
    })
}

fn word32(field: [u8; 4], scope: Scope) -> u32 {
    if scope.coding.big_endian { u32::from_be_bytes(field) } else { u32::from_le_bytes(field) }
}
