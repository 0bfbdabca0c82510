//! Walks elements, sequences and items, each within the bytes of what holds it.

use std::io::{self, Read, Seek};

use super::bytes::{Bytes, length_of};
use super::error::ReadError;
use super::header::{Header, UNDEFINED_LENGTH};
use super::{Notes, ReadLimits};
use crate::dicom::path::TagPath;
use crate::dicom::vr::{PIXEL_DATA, is_private, may_be_bulk, number_bytes, swap_numbers};
use crate::dicom::{DataSet, Element, Encoding, Extent, Source, Tag, VR, Value};

/// Group of items and delimiters (PS3.5 §7.5).
const DELIMITER_GROUP: u16 = 0xFFFE;
pub(super) const ITEM: Tag = Tag(DELIMITER_GROUP, 0xE000);
const ITEM_DELIMITER: Tag = Tag(DELIMITER_GROUP, 0xE00D);
pub(super) const SEQUENCE_DELIMITER: Tag = Tag(DELIMITER_GROUP, 0xE0DD);
/// Data Set Trailing Padding (PS3.10 §7.2).
const TRAILING_PADDING: Tag = Tag(0xFFFC, 0xFFFC);
/// Stands in errors for a tag that could not be read.
pub(super) const NO_TAG: Tag = Tag(0, 0);
const PIXEL_REPRESENTATION: Tag = Tag(0x0028, 0x0103);

/// Memory of an element beside its value: itself and its place in the map.
const ELEMENT_COST_BYTES: u64 = 128;
/// Memory of an item: the first node of its map has room for eleven elements.
const ITEM_COST_BYTES: u64 = 1024;

/// How the bytes of a part of the stream are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coding {
    pub(super) explicit_vr: bool,
    pub(super) big_endian: bool,
    /// Bulk values may stay in the source.
    in_place: bool,
}

impl Coding {
    pub(super) fn of(encoding: Encoding) -> Self {
        Self { explicit_vr: encoding.explicit_vr, big_endian: encoding.big_endian, in_place: true }
    }

    /// The same with all values in memory, for a source that does not outlive the tree.
    pub(super) fn held(self) -> Self {
        Self { in_place: false, ..self }
    }

    /// Inside UN of undefined length: Implicit VR Little Endian whatever is
    /// around it (PS3.5 §6.2.2 Note 2).
    fn inside_un(self) -> Self {
        // In a big endian file such a bulk value would be the only one of the other byte order.
        let in_place = self.in_place && !self.big_endian;
        Self { explicit_vr: false, big_endian: false, in_place }
    }
}

/// The data set or item that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    pub(super) coding: Coding,
    /// Offset after its last byte, or after what is around it when its length is undefined.
    bound: u64,
    /// Ends with a delimiter.
    delimited: bool,
    depth: u32,
    /// Pixel Representation is 1, here or around.
    pub(super) signed: bool,
}

impl Scope {
    /// The whole data set, up to `end`.
    pub(super) fn whole(coding: Coding, end: u64) -> Self {
        Self { coding, bound: end, delimited: false, depth: 0, signed: false }
    }
}

/// The state of one reading.
#[derive(Debug)]
pub(super) struct Parser<'a, R> {
    bytes: Bytes<'a, R>,
    pub(super) limits: &'a ReadLimits,
    path: TagPath,
    elements: u32,
    held_bytes: u64,
    notes: Notes,
    until: Option<Tag>,
    reached: bool,
}

impl<'a, R: Read + Seek> Parser<'a, R> {
    pub(super) fn new(source: &'a mut R, start: u64, limits: &'a ReadLimits) -> io::Result<Self> {
        Ok(Self {
            bytes: Bytes::new(source, start)?,
            limits,
            path: TagPath::root(),
            elements: 0,
            held_bytes: 0,
            notes: Notes::default(),
            until: None,
            reached: false,
        })
    }

    /// Stops after the top-level element `last`.
    pub(super) fn until(self, last: Tag) -> Self {
        Self { until: Some(last), ..self }
    }

    /// [`Parser::until`] was reached.
    pub(super) fn reached(&self) -> bool {
        self.reached
    }

    pub(super) fn notes(&self) -> Notes {
        self.notes
    }

    pub(super) fn end(&self) -> u64 {
        self.bytes.end()
    }

    pub(super) fn at_end(&self) -> bool {
        self.position() == self.end()
    }

    pub(super) fn position(&self) -> u64 {
        self.bytes.position()
    }

    pub(super) fn left(&self, scope: Scope) -> u64 {
        self.bytes.left(scope.bound)
    }

    /// Goes back to a position read a moment ago.
    pub(super) fn back_to(&mut self, position: u64) -> io::Result<()> {
        self.bytes.skip_to(position)
    }

    pub(super) fn array<const N: usize>(
        &mut self,
        tag: Tag,
        scope: Scope,
    ) -> Result<[u8; N], ReadError> {
        let wanted = u64::try_from(N).unwrap_or(u64::MAX);
        if self.left(scope) < wanted {
            return Err(self.truncated(tag, wanted, scope));
        }
        Ok(self.bytes.array()?)
    }

    /// Reads elements to the end of the scope.
    pub(super) fn data_set(&mut self, mut scope: Scope) -> Result<DataSet, ReadError> {
        let mut set = DataSet::new();
        while let Some(tag) = self.next_tag(scope)? {
            let header = self.header(tag, scope)?;
            if self.left_out(header, scope)? {
                continue;
            }
            let element = self.element(header, scope)?;
            if tag == PIXEL_REPRESENTATION {
                scope.signed = element.as_bytes().and_then(<[u8]>::first) == Some(&1);
            }
            if set.put(element).is_some() {
                self.notes.duplicates = self.notes.duplicates.saturating_add(1);
            }
            if scope.depth == 0 && self.until == Some(tag) {
                self.reached = true;
                break;
            }
        }
        Ok(set)
    }

    /// The next element's tag; `None` at the end of the scope.
    fn next_tag(&mut self, scope: Scope) -> Result<Option<Tag>, ReadError> {
        if self.left(scope) == 0 && !scope.delimited {
            return Ok(None);
        }
        let start = self.position();
        if scope.depth == 0 && self.left(scope) < 8 && self.rest_is_zero(scope)? {
            return Ok(None);
        }
        let tag = self.tag(NO_TAG, scope)?;
        if tag == ITEM_DELIMITER && scope.delimited {
            self.length32(tag, scope)?;
            return Ok(None);
        }
        if scope.depth == 0 && self.until.is_some_and(|last| tag > last) {
            self.reached = true;
            return Ok(None);
        }
        match tag.group() {
            // Files rounded up to a block of a medium end in zeros.
            0 if scope.depth == 0 && tag.element() == 0 => {
                self.back_to(start)?;
                if self.rest_is_zero(scope)? {
                    return Ok(None);
                }
                Err(self.misplaced(tag))
            }
            // Commands and file meta have no place in a data set (PS3.5 §7.1).
            0x0000 | 0x0002 | DELIMITER_GROUP => Err(self.misplaced(tag)),
            _even_or_private => Ok(Some(tag)),
        }
    }

    /// Reads to the end of the scope when it holds nothing but zeros; else goes back.
    fn rest_is_zero(&mut self, scope: Scope) -> Result<bool, ReadError> {
        let start = self.position();
        let mut chunk = [0; 512];
        let chunk_bytes = length_of(&chunk);
        while self.left(scope) > 0 {
            let wanted = usize::try_from(self.left(scope).min(chunk_bytes)).unwrap_or(0);
            let part = chunk.get_mut(..wanted).unwrap_or_default();
            self.bytes.fill(part)?;
            if part.iter().any(|&byte| byte != 0) {
                self.back_to(start)?;
                return Ok(false);
            }
        }
        let padding = self.position().saturating_sub(start);
        self.notes.padding_bytes = self.notes.padding_bytes.saturating_add(padding);
        Ok(true)
    }

    /// Skips what is not kept: group lengths, also of private groups and before they
    /// are padded, and trailing padding.
    fn left_out(&mut self, header: Header, scope: Scope) -> Result<bool, ReadError> {
        let Some(bytes) = header.bytes else { return Ok(false) };
        let group_length = header.tag.element() == 0 && !is_private(header.tag);
        if header.tag == TRAILING_PADDING && scope.depth == 0 {
            self.notes.padding_bytes = self.notes.padding_bytes.saturating_add(bytes);
        } else if header.tag.element() == 0 && (group_length || matches!(bytes, 3 | 4)) {
            self.notes.group_lengths = self.notes.group_lengths.saturating_add(1);
        } else {
            return Ok(false);
        }
        self.count_element(header.tag)?;
        self.bytes.skip_to(header.value_offset.saturating_add(bytes))?;
        Ok(true)
    }

    /// Reads the value after `header`.
    pub(super) fn element(&mut self, header: Header, scope: Scope) -> Result<Element, ReadError> {
        self.count_element(header.tag)?;
        let Header { tag, vr, bytes, value_offset } = header;
        let Some(bytes) = bytes else { return self.undefined_length(header, scope) };
        let value_end = value_offset.saturating_add(bytes);
        if vr == VR::SQ {
            let inside = Scope { bound: value_end, ..scope };
            return Ok(Element { tag, vr, value: Value::Items(self.items(tag, false, inside)?) });
        }
        if self.stays_in_file(header, bytes, scope) {
            self.bytes.skip_to(value_end)?;
            let extent = Extent { source: Source::Input, offset: value_offset, bytes };
            return Ok(Element { tag, vr, value: Value::Bulk(extent) });
        }
        let mut value = self.buffer(tag, bytes)?;
        self.bytes.fill(&mut value)?;
        if scope.coding.big_endian {
            swap_numbers(&mut value, number_bytes(vr));
        }
        Ok(Element::bytes(tag, vr, value))
    }

    /// A value that ends with a delimiter: a sequence or encapsulated pixel data.
    fn undefined_length(&mut self, header: Header, scope: Scope) -> Result<Element, ReadError> {
        let Header { tag, vr, .. } = header;
        let encapsulated = scope.coding.explicit_vr && vr != VR::UN && may_be_bulk(vr);
        if tag == PIXEL_DATA || encapsulated {
            if !scope.coding.in_place {
                return Err(self.bad_undefined_length(tag));
            }
            return Ok(Element { tag, vr: VR::OB, value: self.fragments(tag, scope)? });
        }
        let coding = if vr == VR::SQ {
            scope.coding
        } else if vr == VR::UN {
            scope.coding.inside_un()
        } else {
            return Err(self.bad_undefined_length(tag));
        };
        let items = self.items(tag, true, Scope { coding, ..scope })?;
        Ok(Element { tag, vr: VR::SQ, value: Value::Items(items) })
    }

    /// Reads items to the end of `scope`, or to the delimiter.
    pub(super) fn items(
        &mut self,
        tag: Tag,
        delimited: bool,
        scope: Scope,
    ) -> Result<Vec<DataSet>, ReadError> {
        let mut items = Vec::new();
        let mut index: u32 = 0;
        while delimited || self.left(scope) > 0 {
            let item = self.tag(tag, scope)?;
            let length = self.length32(tag, scope)?;
            if item == SEQUENCE_DELIMITER && delimited {
                break;
            }
            if item != ITEM {
                return Err(self.misplaced(tag));
            }
            if scope.depth >= self.limits.depth_max {
                return Err(self.over(tag, "depth_max"));
            }
            self.count_element(tag)?;
            self.charge(tag, ITEM_COST_BYTES)?;
            self.path.enter(tag, index);
            items.push(self.item(length, scope)?);
            self.path.leave();
            index = index.saturating_add(1);
        }
        Ok(items)
    }

    fn item(&mut self, length: u32, scope: Scope) -> Result<DataSet, ReadError> {
        let depth = scope.depth.saturating_add(1);
        if length == UNDEFINED_LENGTH {
            return self.data_set(Scope { delimited: true, depth, ..scope });
        }
        let bytes = u64::from(length);
        if bytes > self.left(scope) {
            return Err(self.truncated(ITEM, bytes, scope));
        }
        let bound = self.position().saturating_add(bytes);
        self.data_set(Scope { bound, delimited: false, depth, ..scope })
    }

    fn stays_in_file(&self, header: Header, bytes: u64, scope: Scope) -> bool {
        let pixels = scope.depth == 0 && header.tag == PIXEL_DATA;
        let long = bytes > self.limits.bulk_from_bytes && may_be_bulk(header.vr);
        scope.coding.in_place && (pixels || long)
    }

    /// Room for a value, after both limits and the bytes left were asked.
    pub(super) fn buffer(&mut self, tag: Tag, bytes: u64) -> Result<Vec<u8>, ReadError> {
        if bytes > self.limits.value_bytes_max {
            return Err(self.over(tag, "value_bytes_max"));
        }
        self.charge(tag, bytes)?;
        let room = usize::try_from(bytes).map_err(|_wide| self.over(tag, "value_bytes_max"))?;
        Ok(vec![0; room])
    }

    /// Puts an extent's worth of bytes behind and returns where it lies.
    pub(super) fn extent(&mut self, bytes: u64) -> io::Result<Extent> {
        let offset = self.position();
        self.bytes.skip_to(offset.saturating_add(bytes))?;
        Ok(Extent { source: Source::Input, offset, bytes })
    }

    pub(super) fn fill(&mut self, value: &mut [u8]) -> io::Result<()> {
        self.bytes.fill(value)
    }

    fn count_element(&mut self, tag: Tag) -> Result<(), ReadError> {
        self.elements = self.elements.saturating_add(1);
        if self.elements > self.limits.elements_max {
            return Err(self.over(tag, "elements_max"));
        }
        self.charge(tag, ELEMENT_COST_BYTES)
    }

    /// Adds to the memory that the tree takes.
    pub(super) fn charge(&mut self, tag: Tag, bytes: u64) -> Result<(), ReadError> {
        self.held_bytes = self.held_bytes.saturating_add(bytes);
        if self.held_bytes > self.limits.held_bytes_max {
            return Err(self.over(tag, "held_bytes_max"));
        }
        Ok(())
    }

    pub(super) fn truncated(&self, tag: Tag, wanted: u64, scope: Scope) -> ReadError {
        let left = self.left(scope);
        ReadError::Truncated { path: self.path.at(tag), offset: self.position(), wanted, left }
    }

    pub(super) fn over(&self, tag: Tag, limit: &'static str) -> ReadError {
        ReadError::Limit { limit, path: self.path.at(tag), offset: self.position() }
    }

    pub(super) fn misplaced(&self, tag: Tag) -> ReadError {
        ReadError::Misplaced { path: self.path.at(tag), offset: self.position() }
    }

    pub(super) fn bad_vr(&self, tag: Tag) -> ReadError {
        ReadError::BadVr { path: self.path.at(tag), offset: self.position() }
    }

    pub(super) fn bad_undefined_length(&self, tag: Tag) -> ReadError {
        ReadError::BadUndefinedLength { path: self.path.at(tag), offset: self.position() }
    }
}
