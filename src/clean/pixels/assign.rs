//! Which fragments hold which frame: fragments, offset tables and first bytes
//! in, one range of fragments for each frame out.
//!
//! A frame lies in one fragment or several, and no fragment holds parts of two
//! (PS3.5 §A.4). From that follows what is trusted, in this order:
//!
//! 1. Fragments without bytes hold nothing and are left out.
//! 2. As many fragments as frames: one each. A table could only be wrong.
//! 3. Beginnings of codestreams, where the coding has one that can be told
//!    (JPEG, JPEG-LS, JPEG 2000, RLE): exactly as many as frames, the first
//!    fragment among them. The bytes are what a decoder reads; tables that
//!    count item headers or padding wrongly are common.
//! 4. One frame in a coding without such a beginning: all fragments.
//! 5. The Extended Offset Table, then the Basic Offset Table: an entry for each
//!    frame, each at a fragment that can begin one; Lengths must agree.
//!
//! Otherwise the instance is quarantined. Invariant: every frame has fragments,
//! in order, and no two share one. What stands behind the end of a frame's
//! codestream (extra fragments) is dropped when the frame is walked. Tables are
//! never passed on: `clean::encode` writes a Basic Offset Table of its own.

use std::io::SeekFrom;
use std::ops::Range;

use dicom_dictionary_std::tags;

use super::codestream::j2k;
use super::{Codec, PixelError, ReadSeek};
use crate::dicom::{DataSet, Extent, Source, Tag};

/// Longest beginning that is compared: the signature box of JPEG 2000.
const BEGINNING_BYTES: usize = 12;
/// Length of an item's header (PS3.5 §A.4): tag and length.
const ITEM_HEADER_BYTES: u64 = 8;

/// Encapsulated pixel data as received.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encapsulated<'a> {
    /// Holds the Extended Offset Table, if there is one.
    pub(super) set: &'a DataSet,
    /// Entries of the Basic Offset Table.
    pub(super) offset_table: &'a [u32],
    /// All fragments.
    pub(super) fragments: &'a [Extent],
    /// Number of Frames.
    pub(super) frames: u32,
    /// How each frame is coded.
    pub(super) codec: Codec,
    /// Segments of an RLE frame.
    pub(super) rle_segments: u32,
}

/// Fragments with bytes, and for each frame its range of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assigned {
    pub(super) fragments: Vec<Extent>,
    pub(super) frames: Vec<Range<usize>>,
}

impl Encapsulated<'_> {
    /// Assigns the fragments; reads their first bytes where that is needed.
    ///
    /// # Errors
    /// Fragments that cannot be assigned with certainty, or a failing file:
    /// quarantine.
    pub(super) fn assign(&self, input: &mut dyn ReadSeek) -> Result<Assigned, PixelError> {
        let fragments: Vec<Extent> =
            self.fragments.iter().filter(|fragment| fragment.bytes > 0).copied().collect();
        let frames = self.frame_ranges(&fragments, input)?;
        Ok(Assigned { fragments, frames })
    }

    fn frame_ranges(
        &self,
        fragments: &[Extent],
        input: &mut dyn ReadSeek,
    ) -> Result<Vec<Range<usize>>, PixelError> {
        let count = usize::try_from(self.frames).unwrap_or(usize::MAX);
        if fragments.len() < count {
            return Err(PixelError::Disagrees { what: "number of fragments" });
        }
        if fragments.len() == count {
            return Ok((0..count).map(|frame| frame..frame + 1).collect());
        }
        let beginnings = self.beginnings(fragments, input)?;
        if let Some(beginnings) = &beginnings
            && beginnings.len() == count
            && beginnings.first() == Some(&0)
        {
            return Ok(ranges(beginnings, fragments.len()));
        }
        if beginnings.is_none() && count == 1 {
            return Ok(std::iter::once(0..fragments.len()).collect());
        }
        let can_begin = |index: &usize| {
            beginnings.as_ref().is_none_or(|known| known.binary_search(index).is_ok())
        };
        let by_table = self.by_extended_table(fragments).or_else(|| self.by_basic_table());
        match by_table {
            Some(starts) if starts.iter().all(can_begin) => Ok(ranges(&starts, fragments.len())),
            Some(_) | None if beginnings.is_some() => {
                Err(PixelError::Disagrees { what: "number of codestreams in the fragments" })
            }
            Some(_) | None => Err(PixelError::Disagrees { what: "number of fragments" }),
        }
    }

    /// The fragments that begin a codestream; `None` where that cannot be told.
    fn beginnings(
        &self,
        fragments: &[Extent],
        input: &mut dyn ReadSeek,
    ) -> Result<Option<Vec<usize>>, PixelError> {
        match self.codec {
            Codec::Native | Codec::EncapsulatedUncompressed | Codec::DeflatedFrame => {
                return Ok(None);
            }
            Codec::Rle | Codec::Jpeg | Codec::JpegLs | Codec::Jpeg2000 => {}
        }
        let mut found = Vec::new();
        for (index, fragment) in fragments.iter().enumerate() {
            if self.is_beginning(&first_bytes(*fragment, input)?) {
                found.push(index);
            }
        }
        Ok(Some(found))
    }

    fn is_beginning(&self, bytes: &[u8]) -> bool {
        match self.codec {
            Codec::Jpeg | Codec::JpegLs => bytes.starts_with(&[0xFF, 0xD8, 0xFF]),
            Codec::Jpeg2000 => j2k::begins(bytes),
            // Number of segments, and the first one behind the header (PS3.5 §G.5).
            Codec::Rle => {
                let fields: Vec<u32> = bytes
                    .as_chunks::<4>()
                    .0
                    .iter()
                    .map(|field| u32::from_le_bytes(*field))
                    .collect();
                fields.get(..2) == Some(&[self.rle_segments, 64])
            }
            Codec::Native | Codec::EncapsulatedUncompressed | Codec::DeflatedFrame => false,
        }
    }

    /// PS3.3 §C.7.6.3: offsets of 64 bits, and the length of each frame without
    /// its padding.
    fn by_extended_table(&self, fragments: &[Extent]) -> Option<Vec<usize>> {
        let starts = self.by_offsets(&words(self.set, tags::EXTENDED_OFFSET_TABLE)?)?;
        let Some(lengths) = words(self.set, tags::EXTENDED_OFFSET_TABLE_LENGTHS) else {
            return Some(starts);
        };
        let present = ranges(&starts, fragments.len()).into_iter().map(|range| {
            let frame = fragments.get(range).unwrap_or_default();
            frame.iter().fold(0_u64, |sum, fragment| sum.saturating_add(fragment.bytes))
        });
        // Some count the padding, some do not.
        let same = |(said, found): (&u64, u64)| {
            said.checked_next_multiple_of(2) == found.checked_next_multiple_of(2)
        };
        let agree = lengths.len() == starts.len() && lengths.iter().zip(present).all(same);
        agree.then_some(starts)
    }

    fn by_basic_table(&self) -> Option<Vec<usize>> {
        let offsets: Vec<u64> = self.offset_table.iter().map(|offset| u64::from(*offset)).collect();
        self.by_offsets(&offsets)
    }

    /// Offsets count from the first fragment's item header to each frame's first
    /// item header. Gives places among the fragments that have bytes.
    fn by_offsets(&self, offsets: &[u64]) -> Option<Vec<usize>> {
        let mut starts = Vec::with_capacity(offsets.len());
        let mut wanted = offsets.iter();
        let mut next = wanted.next();
        let (mut position, mut index) = (0_u64, 0);
        for fragment in self.fragments {
            if next == Some(&position) {
                starts.push(index);
                next = wanted.next();
            }
            index += usize::from(fragment.bytes > 0);
            let bytes = fragment.bytes.next_multiple_of(2);
            position = position.saturating_add(ITEM_HEADER_BYTES).saturating_add(bytes);
        }
        let frames = usize::try_from(self.frames).unwrap_or(usize::MAX);
        let complete = next.is_none() && starts.first() == Some(&0) && starts.len() == frames;
        // Two frames at one place: the fragment between them was empty.
        let apart = starts.array_windows::<2>().all(|[one, other]| one < other)
            && starts.last().is_some_and(|last| *last < index);
        (complete && apart).then_some(starts)
    }
}

/// From each start up to the next one.
fn ranges(starts: &[usize], end: usize) -> Vec<Range<usize>> {
    let ends = starts.iter().skip(1).copied().chain([end]);
    starts.iter().zip(ends).map(|(start, end)| *start..end).collect()
}

fn words(set: &DataSet, tag: Tag) -> Option<Vec<u64>> {
    let bytes = set.get(tag)?.as_bytes()?;
    Some(bytes.as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect())
}

fn first_bytes(fragment: Extent, input: &mut dyn ReadSeek) -> Result<Vec<u8>, PixelError> {
    if fragment.source != Source::Input {
        return Err(PixelError::Disagrees { what: "file of Pixel Data" });
    }
    let count = usize::try_from(fragment.bytes).unwrap_or(usize::MAX).min(BEGINNING_BYTES);
    let mut bytes = vec![0; count];
    input.seek(SeekFrom::Start(fragment.offset))?;
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::dicom::{Element, VR};

    const SOI: &[u8] = b"\xFF\xD8\xFF\xE0";
    const MORE: &[u8] = b"more";

    struct Case {
        set: DataSet,
        offset_table: Vec<u32>,
        codec: Codec,
        contents: Vec<Vec<u8>>,
    }

    impl Case {
        fn new(codec: Codec, contents: &[&[u8]]) -> Self {
            let contents = contents.iter().map(|bytes| bytes.to_vec()).collect();
            Self { set: DataSet::new(), offset_table: Vec::new(), codec, contents }
        }

        /// Fragments that no beginning can be seen of.
        fn plain(lengths: &[usize]) -> Self {
            let contents = lengths.iter().map(|bytes| vec![7; *bytes]).collect();
            Self { contents, ..Self::new(Codec::DeflatedFrame, &[]) }
        }

        fn table(self, offset_table: &[u32]) -> Self {
            Self { offset_table: offset_table.to_vec(), ..self }
        }

        fn extended(mut self, offsets: &[u64], lengths: &[u64]) -> Self {
            let places = [
                (tags::EXTENDED_OFFSET_TABLE, offsets),
                (tags::EXTENDED_OFFSET_TABLE_LENGTHS, lengths),
            ];
            for (tag, words) in places {
                let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
                self.set.put(Element::bytes(tag, VR::OV, bytes));
            }
            self
        }

        fn assign(&self, frames: u32) -> Option<Vec<Range<usize>>> {
            let mut offset = 0;
            let place = |bytes: &Vec<u8>| {
                let bytes = u64::try_from(bytes.len()).unwrap();
                offset += bytes;
                Extent { source: Source::Input, offset: offset - bytes, bytes }
            };
            let fragments: Vec<Extent> = self.contents.iter().map(place).collect();
            let pixels = Encapsulated {
                set: &self.set,
                offset_table: &self.offset_table,
                fragments: &fragments,
                frames,
                codec: self.codec,
                rle_segments: 1,
            };
            let assigned = pixels.assign(&mut Cursor::new(self.contents.concat())).ok()?;
            assert!(assigned.fragments.iter().all(|fragment| fragment.bytes > 0));
            Some(assigned.frames)
        }
    }

    #[test]
    fn as_many_fragments_as_frames_are_one_each_whatever_tables_say() {
        for case in [
            Case::plain(&[10, 20, 30]),
            Case::plain(&[10, 20, 30]).table(&[0, 1, 2]),
            Case::plain(&[10, 20, 30]).extended(&[0], &[9]),
            Case::plain(&[10, 20, 30]).table(&[0, 18]),
            Case::new(Codec::Jpeg, &[SOI, SOI, SOI]),
        ] {
            assert_eq!(case.assign(3).unwrap(), [0..1, 1..2, 2..3]);
        }
    }

    #[test]
    fn beginnings_of_codestreams_decide_with_an_empty_or_a_wrong_table() {
        let j2k: &[u8] = b"\xFF\x4F\xFF\x51\0\x29";
        let rle: &[u8] = &[1, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0];
        for (codec, start) in [
            (Codec::Jpeg, SOI),
            (Codec::JpegLs, b"\xFF\xD8\xFF\xF7"),
            (Codec::Jpeg2000, j2k),
            (Codec::Jpeg2000, b"\0\0\0\x0CjP  \r\n\x87\n"),
            (Codec::Rle, rle),
        ] {
            let case = Case::new(codec, &[start, MORE, start, start, MORE, MORE]);
            let right = [0..2, 2..3, 3..6];
            assert_eq!(case.assign(3).unwrap(), right, "{codec:?}");
            // Counted without item headers.
            let wrong = case.table(&[0, 8, 12]);
            assert_eq!(wrong.assign(3).unwrap(), right, "{codec:?}");
        }
    }

    #[test]
    fn frames_that_do_not_begin_are_refused() {
        let two = Case::new(Codec::Jpeg, &[SOI, MORE, SOI]);
        assert_eq!(two.assign(2).unwrap(), [0..2, 2..3]);
        assert_eq!(two.assign(1), None, "a second codestream might be a frame");
        let late = Case::new(Codec::Jpeg, &[MORE, SOI, SOI]);
        assert_eq!(late.assign(2), None);
        let at_no_beginning = Case::new(Codec::Jpeg, &[SOI, MORE, MORE]).table(&[0, 12]);
        assert_eq!(at_no_beginning.assign(2), None);
        assert_eq!(Case::new(Codec::Jpeg, &[SOI, SOI]).assign(3), None);
        assert_eq!(Case::new(Codec::Jpeg, &[]).assign(1), None);
    }

    #[test]
    fn a_table_that_names_a_beginning_for_each_frame_settles_surplus_codestreams() {
        let surplus = Case::new(Codec::Jpeg, &[SOI, SOI, SOI]).table(&[0, 12]);
        assert_eq!(surplus.assign(2).unwrap(), [0..1, 1..3]);
        assert_eq!(surplus.table(&[0, 13]).assign(2), None);
    }

    #[test]
    fn codings_without_a_beginning_need_a_table_for_several_frames() {
        let four = || Case::plain(&[10, 20, 30, 40]);
        assert_eq!(four().assign(1).unwrap().first(), Some(&(0..4)));
        assert_eq!(four().assign(2), None);
        assert_eq!(four().table(&[0, 46]).assign(2).unwrap(), [0..2, 2..4]);
        for wrong in [&[0_u32, 45][..], &[18, 46], &[0, 18, 46], &[0, 30], &[0, 0]] {
            assert_eq!(four().table(wrong).assign(2), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_extended_table_counts_when_its_lengths_agree() {
        let three = || Case::plain(&[10, 20, 30]).table(&[0, 46]);
        let extended = three().extended(&[0, 18], &[10, 50]);
        assert_eq!(extended.assign(2).unwrap(), [0..1, 1..3]);
        let unpadded = three().extended(&[0, 18], &[9, 50]);
        assert_eq!(unpadded.assign(2).unwrap(), [0..1, 1..3]);
        let disagrees = three().extended(&[0, 18], &[10, 20]);
        assert_eq!(disagrees.assign(2).unwrap(), [0..2, 2..3], "the Basic Offset Table is next");
    }

    #[test]
    fn fragments_without_bytes_are_left_out() {
        let empty: &[u8] = &[];
        let case = Case::new(Codec::Jpeg, &[empty, SOI, empty, SOI, empty]);
        assert_eq!(case.assign(2).unwrap(), [0..1, 1..2]);
        assert_eq!(case.assign(3), None, "a frame cannot be empty");
        let by_table = Case::plain(&[10, 0, 20, 30]).table(&[0, 26]);
        assert_eq!(by_table.assign(2).unwrap(), [0..1, 1..3]);
        let at_the_end = Case::plain(&[10, 20, 30, 0]).table(&[0, 84]);
        assert_eq!(at_the_end.assign(2), None);
    }
}
