//! Fragments of encapsulated pixel data and their Basic Offset Table.

use crate::dicom::{Extent, Value};

/// Collects the fragments of the frames, in order.
#[derive(Debug, Default)]
pub struct FragmentList {
    fragments: Vec<Extent>,
    /// Where each frame begins, counted as in the Basic Offset Table (PS3.5 §A.4).
    starts: Vec<u64>,
    position: u64,
}

impl FragmentList {
    /// Adds the fragments of the next frame.
    pub fn push_frame(&mut self, fragments: &[Extent]) {
        self.starts.push(self.position);
        for fragment in fragments {
            self.position += 8 + fragment.bytes.next_multiple_of(2);
            self.fragments.push(*fragment);
        }
    }

    /// Whether a received value is this one: the same fragments, and a Basic
    /// Offset Table that is true or empty.
    #[must_use]
    pub fn is(&self, received: &Value) -> bool {
        let Value::Fragments { offset_table, fragments } = received else { return false };
        let said = offset_table.iter().map(|offset| u64::from(*offset));
        let true_table = offset_table.is_empty() || said.eq(self.starts.iter().copied());
        *fragments == self.fragments && true_table
    }

    /// The value. The table is left empty, as the standard allows, for a single
    /// frame and where an offset does not fit into 32 bits.
    #[must_use]
    pub fn finish(self) -> Value {
        let offsets: Option<Vec<u32>> =
            self.starts.iter().map(|start| u32::try_from(*start).ok()).collect();
        let offset_table = if self.starts.len() > 1 { offsets.unwrap_or_default() } else { vec![] };
        Value::Fragments { offset_table, fragments: self.fragments }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::Source;

    #[test]
    fn offsets_count_item_headers_and_overflow_leaves_the_table_empty() {
        let extent = |bytes| Extent { source: Source::Scratch, offset: 0, bytes };
        let mut list = FragmentList::default();
        list.push_frame(&[extent(10), extent(20)]);
        list.push_frame(&[extent(30)]);
        let Value::Fragments { offset_table, fragments } = list.finish() else {
            panic!("fragments")
        };
        assert_eq!((offset_table, fragments.len()), (vec![0, 46], 3));
        let received = |offset_table: &[u32]| Value::Fragments {
            offset_table: offset_table.to_vec(),
            fragments: vec![extent(10), extent(20), extent(30)],
        };
        let mut list = FragmentList::default();
        list.push_frame(&[extent(10), extent(20)]);
        list.push_frame(&[extent(30)]);
        assert!(list.is(&received(&[])) && list.is(&received(&[0, 46])));
        for untrue in [&[0_u32][..], &[0, 45], &[0, 46, 99]] {
            assert!(!list.is(&received(untrue)), "{untrue:?}");
        }
        let mut long = FragmentList::default();
        long.push_frame(&[extent(u64::from(u32::MAX))]);
        long.push_frame(&[extent(10)]);
        let Value::Fragments { offset_table, .. } = long.finish() else { panic!("fragments") };
        assert!(offset_table.is_empty());
    }
}
