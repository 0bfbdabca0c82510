//! Encapsulated pixel data (PS3.5 §A.4): an offset table, then fragments.

use std::io::{Read, Seek};

use super::bytes::length_of;
use super::error::ReadError;
use super::header::UNDEFINED_LENGTH;
use super::parser::{ITEM, Parser, SEQUENCE_DELIMITER, Scope};
use crate::dicom::{Extent, Tag, Value};

impl<R: Read + Seek> Parser<'_, R> {
    /// Reads the items up to the delimiter; fragments stay in the source.
    pub(super) fn fragments(&mut self, tag: Tag, scope: Scope) -> Result<Value, ReadError> {
        let extent_cost = u64::try_from(size_of::<Extent>()).unwrap_or(u64::MAX);
        let Some(table_bytes) = self.fragment_length(tag, scope)? else {
            return Ok(Value::Fragments { offset_table: Vec::new(), fragments: Vec::new() });
        };
        let offset_table = self.offset_table(tag, table_bytes, scope)?;
        let mut fragments = Vec::new();
        while let Some(bytes) = self.fragment_length(tag, scope)? {
            if fragments.len() >= self.fragments_max() {
                return Err(self.over(tag, "fragments_max"));
            }
            self.charge(tag, extent_cost)?;
            fragments.push(self.extent(bytes)?);
        }
        Ok(Value::Fragments { offset_table, fragments })
    }

    /// The length of the next fragment, `None` at the delimiter.
    fn fragment_length(&mut self, tag: Tag, scope: Scope) -> Result<Option<u64>, ReadError> {
        let item = self.tag(tag, scope)?;
        let length = self.length32(tag, scope)?;
        if item == SEQUENCE_DELIMITER {
            return Ok(None);
        }
        if item != ITEM {
            return Err(self.misplaced(tag));
        }
        if length == UNDEFINED_LENGTH {
            return Err(self.bad_undefined_length(tag));
        }
        let bytes = u64::from(length);
        if bytes > self.left(scope) {
            return Err(self.truncated(tag, bytes, scope));
        }
        Ok(Some(bytes))
    }

    fn offset_table(&mut self, tag: Tag, bytes: u64, scope: Scope) -> Result<Vec<u32>, ReadError> {
        let entry_bytes = 4;
        if !bytes.is_multiple_of(entry_bytes) {
            return Err(self.misplaced(tag));
        }
        let entries_max = u64::try_from(self.fragments_max()).unwrap_or(u64::MAX);
        if bytes > entries_max.saturating_mul(entry_bytes) {
            return Err(self.over(tag, "fragments_max"));
        }
        let mut table = self.buffer(tag, bytes)?;
        self.fill(&mut table)?;
        debug_assert_eq!(length_of(&table), bytes);
        let big_endian = scope.coding.big_endian;
        let entries = table.as_chunks::<4>().0.iter();
        let word = if big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        Ok(entries.map(|entry| word(*entry)).collect())
    }

    fn fragments_max(&self) -> usize {
        usize::try_from(self.limits.fragments_max).unwrap_or(usize::MAX)
    }
}
