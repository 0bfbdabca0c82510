//! A data set as a tree of raw bytes: what the reader makes, the profile
//! engine edits and the writer writes.
//!
//! Short values are held as the bytes that were received (always little
//! endian: the reader swaps big endian ones); bulk values stay in the source
//! file as an [`Extent`], so that memory does not grow with the instance.

use std::collections::BTreeMap;

use super::{Tag, VR, vr};

/// Which file an [`Extent`] lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The file the data set was read from.
    Input,
    /// The worker's scratch file: frames that were painted and coded again,
    /// always little endian.
    Scratch,
}

/// A range of bytes in a file beside the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Extent {
    /// The file.
    pub source: Source,
    /// First byte, from the start of the file.
    pub offset: u64,
    /// Number of bytes.
    pub bytes: u64,
}

/// The value of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The bytes as they stood in the stream, padding included, little endian.
    Bytes(Vec<u8>),
    /// The items of a sequence (VR SQ).
    Items(Vec<DataSet>),
    /// A bulk value left in its file (native pixel data and the like), in
    /// that file's byte order.
    Bulk(Extent),
    /// Encapsulated pixel data (PS3.5 §A.4): the Basic Offset Table's entries
    /// and the fragments after it.
    Fragments {
        /// Entries of the Basic Offset Table; often empty.
        offset_table: Vec<u32>,
        /// The fragments' contents, item headers left out.
        fragments: Vec<Extent>,
    },
}

/// One element: tag, VR, value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The tag.
    pub tag: Tag,
    /// The VR as it stood in the stream, or by dictionary for Implicit VR (UN when unknown).
    pub vr: VR,
    /// The value.
    pub value: Value,
}

impl Element {
    /// An element of raw bytes; the writer pads to even length (PS3.5 §6.2).
    #[must_use]
    pub fn bytes(tag: Tag, vr: VR, bytes: impl Into<Vec<u8>>) -> Self {
        Self { tag, vr, value: Value::Bytes(bytes.into()) }
    }

    /// The raw bytes, when the value is short and no sequence.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &self.value {
            Value::Bytes(bytes) => Some(bytes),
            Value::Items(_) | Value::Bulk(_) | Value::Fragments { .. } => None,
        }
    }

    /// The items, when the value is a sequence.
    #[must_use]
    pub fn items(&self) -> Option<&[DataSet]> {
        match &self.value {
            Value::Items(items) => Some(items),
            Value::Bytes(_) | Value::Bulk(_) | Value::Fragments { .. } => None,
        }
    }

    /// The value ends with a whole number of its VR: others cannot be read, and
    /// throw other readers off behind it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        match &self.value {
            Value::Bytes(bytes) => vr::are_whole(self.vr, bytes.len() as u64),
            Value::Bulk(extent) => vr::are_whole(self.vr, extent.bytes),
            Value::Items(_) | Value::Fragments { .. } => true,
        }
    }

    /// No value at all: zero bytes, zero items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.value {
            Value::Bytes(bytes) => bytes.is_empty(),
            Value::Items(items) => items.is_empty(),
            Value::Bulk(extent) => extent.bytes == 0,
            Value::Fragments { fragments, .. } => fragments.is_empty(),
        }
    }
}

/// Elements in the order of their tags (PS3.5 §7.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataSet {
    elements: BTreeMap<Tag, Element>,
}

impl DataSet {
    /// A data set without elements.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The element of this tag.
    #[must_use]
    pub fn get(&self, tag: Tag) -> Option<&Element> {
        self.elements.get(&tag)
    }

    /// The element of this tag, to be edited.
    pub fn get_mut(&mut self, tag: Tag) -> Option<&mut Element> {
        self.elements.get_mut(&tag)
    }

    /// Puts an element, replacing one of the same tag, which is returned.
    pub fn put(&mut self, element: Element) -> Option<Element> {
        self.elements.insert(element.tag, element)
    }

    /// Takes an element out.
    pub fn remove(&mut self, tag: Tag) -> Option<Element> {
        self.elements.remove(&tag)
    }

    /// Elements in the order of their tags.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Element> {
        self.elements.values()
    }

    /// Elements in the order of their tags, to be edited (tags stay).
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Element> {
        self.elements.values_mut()
    }

    /// Keeps the elements for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut Element) -> bool) {
        self.elements.retain(|_, element| keep(element));
    }

    /// The tags, in order.
    #[must_use]
    pub fn tags(&self) -> Vec<Tag> {
        self.elements.keys().copied().collect()
    }

    /// Number of elements on this level.
    #[must_use]
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// No elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// A short ASCII value without padding: UIDs, codes, numbers. `None` when
    /// absent, not ASCII, or no plain value. Text of persons goes through
    /// `dicom::charset` instead.
    #[must_use]
    pub fn ascii(&self, tag: Tag) -> Option<&str> {
        let bytes = self.get(tag)?.as_bytes()?;
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii())?;
        Some(text.trim_matches(['\0', ' ']))
    }

    /// The first value of a US element.
    #[must_use]
    pub fn us(&self, tag: Tag) -> Option<u16> {
        let bytes = self.get(tag)?.as_bytes()?;
        bytes.first_chunk::<2>().map(|pair| u16::from_le_bytes(*pair))
    }

    /// The first value of an IS element.
    #[must_use]
    pub fn integer(&self, tag: Tag) -> Option<i64> {
        self.ascii(tag)?.split('\\').next()?.trim().parse().ok()
    }
}

impl FromIterator<Element> for DataSet {
    fn from_iter<I: IntoIterator<Item = Element>>(elements: I) -> Self {
        Self { elements: elements.into_iter().map(|element| (element.tag, element)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_stand_in_order_of_their_tags_and_values_are_unpadded() {
        let rows = Tag(0x0028, 0x0010);
        let class = Tag(0x0008, 0x0016);
        let mut set = DataSet::new();
        set.put(Element::bytes(rows, VR::US, [0, 2]));
        set.put(Element::bytes(class, VR::UI, *b"1.2.840\0"));
        assert_eq!(set.tags(), [class, rows]);
        assert_eq!(set.us(rows), Some(512));
        assert_eq!(set.ascii(class), Some("1.2.840"));
    }
}
