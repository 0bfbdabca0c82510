//! Elements, sequences and fragments as bytes (PS3.5 §7).

use std::borrow::Cow;
use std::io::Write;

use super::bulk::Bulk;
use super::{BulkSources, WriteError};
use crate::dicom::path::TagPath;
use crate::dicom::vr::{has_long_length, pad_byte};
use crate::dicom::{DataSet, Element, Extent, Tag, VR, Value};

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_DELIMITER: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_DELIMITER: Tag = Tag(0xFFFE, 0xE0DD);
const UNDEFINED_LENGTH: u32 = u32::MAX;
/// Longest value with a length field of 16 bits, as lengths are even (PS3.5 §6.2.2).
const SHORT_VALUE_BYTES_MAX: u64 = 65_534;
/// Deepest nesting written. 256: more than the reader's 64 and what it finds in UN beneath.
const DEPTH_MAX: usize = 256;
/// File meta and command groups have no place in a data set (PS3.5 §7.1).
const GROUPS_LEFT_OUT: [u16; 2] = [0x0000, 0x0002];

/// Writes the elements of one data set to a target.
pub(super) struct Encoder<'a, 'b, 'c> {
    out: &'a mut dyn Write,
    bulk: &'a mut Bulk<'b, 'c>,
    explicit_vr: bool,
    path: TagPath,
}

/// A data set without bulk values, file meta and command groups too.
pub(super) fn encoded(set: &DataSet, explicit_vr: bool) -> Result<Vec<u8>, WriteError> {
    let mut bytes = Vec::new();
    let mut empty = std::io::empty();
    let mut sources = BulkSources { input: &mut empty, scratch: None, input_big_endian: false };
    let mut bulk = Bulk::new(&mut sources, set);
    let mut encoder = Encoder::new(&mut bytes, &mut bulk, explicit_vr);
    set.iter().try_for_each(|element| encoder.element(element))?;
    Ok(bytes)
}

impl<'a, 'b, 'c> Encoder<'a, 'b, 'c> {
    pub(super) fn new(
        out: &'a mut dyn Write,
        bulk: &'a mut Bulk<'b, 'c>,
        explicit_vr: bool,
    ) -> Self {
        Self { out, bulk, explicit_vr, path: TagPath::root() }
    }

    /// Writes all elements in the order of their tags.
    pub(super) fn data_set(&mut self, set: &DataSet) -> Result<(), WriteError> {
        set.iter()
            .filter(|element| !GROUPS_LEFT_OUT.contains(&element.tag.group()))
            .try_for_each(|element| self.element(element))
    }

    fn element(&mut self, element: &Element) -> Result<(), WriteError> {
        match &element.value {
            Value::Bytes(bytes) => self.bytes(element, bytes),
            Value::Items(items) => self.items(element.tag, items),
            Value::Bulk(extent) => self.bulk_value(element, *extent),
            Value::Fragments { offset_table, fragments } => {
                self.fragments(element.tag, offset_table, fragments)
            }
        }
    }

    fn bytes(&mut self, element: &Element, bytes: &[u8]) -> Result<(), WriteError> {
        let vr = self.header(element.tag, element.vr, bytes.len() as u64)?;
        self.out.write_all(bytes)?;
        self.pad(vr, bytes.len() as u64)
    }

    fn bulk_value(&mut self, element: &Element, extent: Extent) -> Result<(), WriteError> {
        let vr = self.header(element.tag, element.vr, extent.bytes)?;
        let path = self.path.at(element.tag);
        self.bulk.copy_value(self.out, extent, (element.tag, element.vr), &path)?;
        self.pad(vr, extent.bytes)
    }

    fn items(&mut self, tag: Tag, items: &[DataSet]) -> Result<(), WriteError> {
        if items.is_empty() {
            return self.long_header(tag, VR::SQ, 0);
        }
        if self.path.depth() >= DEPTH_MAX {
            return Err(WriteError::TooDeep { path: self.path.at(tag) });
        }
        self.long_header(tag, VR::SQ, UNDEFINED_LENGTH)?;
        for (index, item) in items.iter().enumerate() {
            self.mark(ITEM, UNDEFINED_LENGTH)?;
            self.path.enter(tag, u32::try_from(index).unwrap_or(u32::MAX));
            self.data_set(item)?;
            self.path.leave();
            self.mark(ITEM_DELIMITER, 0)?;
        }
        self.mark(SEQUENCE_DELIMITER, 0)
    }

    /// Encapsulated pixel data has VR OB and undefined length (PS3.5 §A.4).
    fn fragments(
        &mut self,
        tag: Tag,
        offset_table: &[u32],
        fragments: &[Extent],
    ) -> Result<(), WriteError> {
        self.long_header(tag, VR::OB, UNDEFINED_LENGTH)?;
        let table = padded_offsets(offset_table, fragments);
        let table: Vec<u8> = table.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        self.fragment_header(tag, table.len() as u64)?;
        self.out.write_all(&table)?;
        for fragment in fragments {
            self.fragment_header(tag, fragment.bytes)?;
            let path = self.path.at(tag);
            self.bulk.copy_fragment(self.out, *fragment, &path)?;
            self.pad(VR::OB, fragment.bytes)?;
        }
        self.mark(SEQUENCE_DELIMITER, 0)
    }

    fn fragment_header(&mut self, tag: Tag, bytes: u64) -> Result<(), WriteError> {
        let length = self.length32(tag, bytes)?;
        self.mark(ITEM, length)
    }

    /// Writes tag, VR and length of a value that will be padded to even; the
    /// VR that was written is returned.
    fn header(&mut self, tag: Tag, vr: VR, bytes: u64) -> Result<VR, WriteError> {
        let length = self.length32(tag, bytes)?;
        match (u16::try_from(length), has_long_length(vr) || !self.explicit_vr) {
            (_, true) => self.long_header(tag, vr, length).map(|()| vr),
            (Ok(short), false) if u64::from(length) <= SHORT_VALUE_BYTES_MAX => {
                self.tag(tag)?;
                self.out.write_all(vr.to_string().as_bytes())?;
                self.out.write_all(&short.to_le_bytes())?;
                Ok(vr)
            }
            // Too long for its VR: UN has a long length field (PS3.5 §6.2.2).
            (_, false) => self.long_header(tag, VR::UN, length).map(|()| vr),
        }
    }

    /// A header with a 32-bit length; in Implicit VR that is every header.
    fn long_header(&mut self, tag: Tag, vr: VR, length: u32) -> Result<(), WriteError> {
        self.tag(tag)?;
        if self.explicit_vr {
            self.out.write_all(vr.to_string().as_bytes())?;
            self.out.write_all(&[0, 0])?;
        }
        self.out.write_all(&length.to_le_bytes())?;
        Ok(())
    }

    /// An item or a delimiter.
    fn mark(&mut self, tag: Tag, length: u32) -> Result<(), WriteError> {
        self.tag(tag)?;
        self.out.write_all(&length.to_le_bytes())?;
        Ok(())
    }

    fn tag(&mut self, tag: Tag) -> Result<(), WriteError> {
        self.out.write_all(&tag.group().to_le_bytes())?;
        self.out.write_all(&tag.element().to_le_bytes())?;
        Ok(())
    }

    fn pad(&mut self, vr: VR, bytes: u64) -> Result<(), WriteError> {
        if !bytes.is_multiple_of(2) {
            self.out.write_all(&[pad_byte(vr)])?;
        }
        Ok(())
    }

    /// The padded length as it stands in a field; the last value means undefined.
    fn length32(&self, tag: Tag, bytes: u64) -> Result<u32, WriteError> {
        let even = bytes.checked_next_multiple_of(2).and_then(|even| u32::try_from(even).ok());
        even.filter(|&length| length != UNDEFINED_LENGTH)
            .ok_or_else(|| WriteError::TooLong { path: self.path.at(tag) })
    }
}

/// The offset table after odd fragments are padded: offsets that counted the
/// unpadded lengths move. A table that points between fragments helps nobody
/// and is left empty, which is allowed (PS3.5 §A.4).
fn padded_offsets<'a>(table: &'a [u32], fragments: &[Extent]) -> Cow<'a, [u32]> {
    if table.is_empty() || fragments.iter().all(|fragment| fragment.bytes.is_multiple_of(2)) {
        return Cow::Borrowed(table);
    }
    let item_header_bytes = 8;
    let mut moved = std::collections::BTreeMap::new();
    let (mut before, mut after) = (0_u64, 0_u64);
    for fragment in fragments {
        moved.insert(before, after);
        before = before.saturating_add(item_header_bytes + fragment.bytes);
        after = after.saturating_add(item_header_bytes + fragment.bytes.next_multiple_of(2));
    }
    let relocate = |entry: &u32| u32::try_from(*moved.get(&u64::from(*entry))?).ok();
    table.iter().map(relocate).collect::<Option<Vec<_>>>().unwrap_or_default().into()
}
