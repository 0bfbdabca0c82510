//! Palette Color Lookup Tables (PS3.3 §C.7.6.3.1.5, §C.7.6.3.1.6), whole and
//! segmented (§C.7.9.2): tables of a data set in, colours of stored values out.
//!
//! For looking, not for measuring: entries are brought to 8 bits so that the
//! brightest one is bright. Tables shorter than their descriptor says, or of
//! unequal length, go on with their last entry, as on a viewer; whether a
//! value has an entry of its own is told by [`Palette::covers`], so that what
//! such a table hides is looked at in grey as well.

use dicom_dictionary_std::tags;

use super::source::read_words;
use super::{PixelError, ReadSeek};
use crate::dicom::{DataSet, Element, Tag};

/// Most bytes of one table: 65,536 entries of 16 bits. Segments of a table that
/// need more room than its entries do not pass.
const TABLE_BYTES_MAX: u64 = 2 * 65_536;

/// Descriptor, table and segmented table of one colour.
type Places = (Tag, Tag, Tag);

const RED: Places = (
    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
);
const GREEN: Places = (
    tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
);
const BLUE: Places = (
    tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
);

/// The three tables, brought to 8 bits for looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    /// Stored value of the first entry.
    first: i64,
    /// Red, green and blue of each entry; never empty.
    entries: Vec<[u8; 3]>,
    /// Number of entries that stand in all three tables.
    complete: usize,
}

impl Palette {
    /// Reads the tables of a data set.
    ///
    /// # Errors
    /// Missing, empty or contradictory tables, damaged segments: quarantine.
    pub fn read(
        set: &DataSet,
        big_endian: bool,
        input: &mut dyn ReadSeek,
    ) -> Result<Self, PixelError> {
        let mut table = |places| Table::read(set, places, big_endian, input);
        let tables = [table(RED)?, table(GREEN)?, table(BLUE)?];
        let [red, green, blue] = &tables;
        if red.first != green.first || green.first != blue.first {
            return Err(PixelError::Disagrees { what: "first value of the palette's tables" });
        }
        let lengths = tables.iter().map(|table| table.entries.len());
        let complete = lengths.clone().min().unwrap_or(0);
        let count = lengths.max().unwrap_or(0);
        // One shift for all three: colours stay what they are.
        let brightest = tables.iter().flat_map(|table| &table.entries).max().copied().unwrap_or(0);
        let shift = 8_u32.saturating_sub(brightest.leading_zeros());
        let entry = |index| tables.each_ref().map(|table| table.shade(index, shift));
        Ok(Self { first: red.first, entries: (0..count).map(entry).collect(), complete })
    }

    /// The colour of a stored value; those outside the table take its ends.
    #[must_use]
    pub fn colour(&self, value: i64) -> [u8; 3] {
        let last = self.entries.len().saturating_sub(1);
        let index = usize::try_from(value - self.first).unwrap_or(0).min(last);
        self.entries.get(index).copied().unwrap_or_default()
    }

    /// Stored value of the first entry.
    #[must_use]
    pub fn first(&self) -> i64 {
        self.first
    }

    /// Whether all values from `least` to `greatest` have entries of their own.
    #[must_use]
    pub fn covers(&self, (least, greatest): (i64, i64)) -> bool {
        let end = self.first.saturating_add(i64::try_from(self.complete).unwrap_or(i64::MAX));
        self.first <= least && greatest < end
    }

    /// The stored value with the darkest colour, the lowest one of several, of
    /// those that can be stored.
    #[must_use]
    pub fn darkest(&self, (least, greatest): (i64, i64)) -> i64 {
        let sum = |entry: &[u8; 3]| entry.iter().map(|channel| u32::from(*channel)).sum::<u32>();
        (self.first..)
            .zip(&self.entries)
            .filter(|(value, _entry)| (least..=greatest).contains(value))
            .min_by_key(|(_value, entry)| sum(entry))
            .map_or(least, |(value, _entry)| value)
    }
}

/// The table of one colour.
struct Table {
    first: i64,
    entries: Vec<u16>,
}

impl Table {
    fn read(
        set: &DataSet,
        (descriptor, whole, segmented): Places,
        big_endian: bool,
        input: &mut dyn ReadSeek,
    ) -> Result<Self, PixelError> {
        let malformed = PixelError::Attribute { name: "PaletteColorLookupTableDescriptor" };
        let missing = PixelError::Attribute { name: "PaletteColorLookupTableData" };
        let descriptor = set.get(descriptor).and_then(Element::as_bytes);
        let Some(&[count, first, bits]) = descriptor.map(|bytes| bytes.as_chunks().0) else {
            return Err(malformed);
        };
        let count = match u16::from_le_bytes(count) {
            0 => 65_536,
            count => usize::from(count),
        };
        let narrow = u16::from_le_bytes(bits) <= 8;
        let mut bytes = |element| read_words(element, TABLE_BYTES_MAX, big_endian, input);
        let mut entries = match (set.get(whole), set.get(segmented)) {
            (Some(element), _) => plain(&bytes(element)?, count, narrow),
            (None, Some(element)) => Segments::of(&bytes(element)?, narrow)
                .expand()
                .ok_or(PixelError::Disagrees { what: "segments of the palette's tables" })?,
            (None, None) => return Err(missing),
        };
        entries.truncate(count);
        if entries.is_empty() {
            return Err(missing);
        }
        Ok(Self { first: first_value(set, first), entries })
    }

    fn shade(&self, index: usize, shift: u32) -> u8 {
        let last = self.entries.len().saturating_sub(1);
        let entry = self.entries.get(index.min(last)).copied().unwrap_or(0);
        u8::try_from(entry >> shift).unwrap_or(u8::MAX)
    }
}

/// Signed or unsigned like the pixels; only values below 0 tell.
fn first_value(set: &DataSet, word: [u8; 2]) -> i64 {
    if set.us(tags::PIXEL_REPRESENTATION) == Some(1) {
        i64::from(i16::from_le_bytes(word))
    } else {
        i64::from(u16::from_le_bytes(word))
    }
}

/// Entries that stand one after the other. Some writers put entries of 8 bits
/// into the low byte of 16-bit words, others pack those said to have 16.
fn plain(bytes: &[u8], count: usize, narrow: bool) -> Vec<u16> {
    let packed = bytes.len() < count.saturating_mul(2)
        && (narrow || bytes.len() == count.next_multiple_of(2));
    if packed { bytes.iter().map(|byte| u16::from(*byte)).collect() } else { words(bytes) }
}

fn words(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().map(|word| u16::from_le_bytes(*word)).collect()
}

/// A segmented table (PS3.3 §C.7.9.2): numbers of the width of an entry.
struct Segments {
    numbers: Vec<u16>,
    narrow: bool,
    entries: Vec<u16>,
}

/// Most entries of a table.
const ENTRIES_MAX: usize = 65_536;

impl Segments {
    fn of(bytes: &[u8], narrow: bool) -> Self {
        let numbers =
            if narrow { bytes.iter().map(|byte| u16::from(*byte)).collect() } else { words(bytes) };
        Self { numbers, narrow, entries: Vec::new() }
    }

    /// The entries; `None` for segments that are cut, unknown or endless. Each
    /// segment gives at least one entry, so that their number bounds the work.
    fn expand(mut self) -> Option<Vec<u16>> {
        let mut at = 0;
        // No segment has a single number: one that is left is padding.
        while at + 1 < self.numbers.len() {
            at = match self.number(at)? {
                2 => self.indirect(at)?,
                _drawn => self.drawn(at)?,
            };
        }
        Some(self.entries)
    }

    fn number(&self, at: usize) -> Option<u16> {
        self.numbers.get(at).copied()
    }

    /// A discrete (§C.7.9.2.1) or linear segment (§C.7.9.2.2); gives its end.
    fn drawn(&mut self, at: usize) -> Option<usize> {
        let length = self.number(at + 1).filter(|length| *length > 0)?;
        let count = usize::from(length);
        if self.entries.len() + count > ENTRIES_MAX {
            return None;
        }
        match self.number(at)? {
            0 => {
                let end = at + 2 + count;
                let entries = self.numbers.get(at + 2..end)?;
                self.entries.extend_from_slice(entries);
                Some(end)
            }
            1 => {
                let from = i64::from(*self.entries.last()?);
                let to = i64::from(self.number(at + 2)?);
                let (length, half) = (i64::from(length), i64::from(length) / 2);
                for step in 1..=length {
                    let entry = from + ((to - from) * step + half).div_euclid(length);
                    self.entries.push(u16::try_from(entry).ok()?);
                }
                Some(at + 3)
            }
            _unknown => None,
        }
    }

    /// Copies earlier segments by their byte offset (§C.7.9.2.3), none of which
    /// may be indirect again; gives the segment's end.
    fn indirect(&mut self, at: usize) -> Option<usize> {
        let copies = self.number(at + 1).filter(|copies| *copies > 0)?;
        let width = if self.narrow { 4 } else { 2 };
        let end = at + 2 + width;
        let offset = self
            .numbers
            .get(at + 2..end)?
            .iter()
            .rev()
            .fold(0, |offset, number| (offset << (32 / width)) | u64::from(*number));
        let offset = usize::try_from(offset).ok()?;
        let mut from = match self.narrow {
            true => offset,
            false if offset.is_multiple_of(2) => offset / 2,
            false => return None,
        };
        for _copy in 0..copies {
            from = self.drawn(from)?;
        }
        Some(end)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::clean::pixels::testing::put_us;
    use crate::dicom::VR;

    const WHOLE: [u16; 3] = [0x1201, 0x1202, 0x1203];
    const SEGMENTED: [u16; 3] = [0x1221, 0x1222, 0x1223];

    fn tables(descriptor: [u16; 3], places: [u16; 3], data: [&[u8]; 3]) -> DataSet {
        let descriptors = [0x1101, 0x1102, 0x1103].map(|element| Tag(0x0028, element));
        let words: Vec<u8> = descriptor.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut set = DataSet::new();
        for ((descriptor, place), bytes) in descriptors.into_iter().zip(places).zip(data) {
            set.put(Element::bytes(descriptor, VR::US, words.clone()));
            set.put(Element::bytes(Tag(0x0028, place), VR::OW, bytes));
        }
        set
    }

    fn read(set: &DataSet) -> Result<Palette, PixelError> {
        Palette::read(set, false, &mut Cursor::new(Vec::new()))
    }

    const ALL: (i64, i64) = (0, 65_535);

    #[test]
    fn entries_of_8_and_16_bits_give_the_same_colours() {
        let [wide, packed, low]: [[&[u8]; 3]; 3] = [
            [&[0, 9, 0, 80, 0, 255], &[0, 9, 0, 0, 0, 255], &[0; 6]],
            [&[9, 80, 255, 0], &[9, 0, 255, 0], &[0; 4]],
            [&[9, 0, 80, 0, 255, 0], &[9, 0, 0, 0, 255, 0], &[0; 6]],
        ];
        for (bits, data) in [(16, wide), (8, packed), (16, packed), (16, low), (8, low)] {
            let palette = read(&tables([3, 10, bits], WHOLE, data)).unwrap();
            assert_eq!(palette.colour(11), [80, 0, 0], "{bits} {data:?}");
            assert_eq!(palette.colour(0), [9, 9, 0]);
            assert_eq!(palette.colour(99), [255, 255, 0]);
            assert_eq!(palette.darkest(ALL), 10);
            assert!(
                palette.covers((10, 12)) && !palette.covers((9, 12)) && !palette.covers((10, 13))
            );
        }
    }

    #[test]
    fn a_palette_that_uses_few_of_its_bits_is_not_shown_in_the_dark() {
        // 12 bits in words of 16: by the high byte alone all would be nearly black.
        let table: &[u8] = &[0, 0, 0xFF, 0x07, 0xFF, 0x0F];
        let palette = read(&tables([3, 0, 16], WHOLE, [table; 3])).unwrap();
        assert_eq!([palette.colour(1)[0], palette.colour(2)[0]], [127, 255]);
    }

    #[test]
    fn short_and_unequal_tables_go_on_with_their_last_entry_and_say_so() {
        let set = tables([4, 0, 8], WHOLE, [&[1, 2, 3, 4], &[5, 6], &[7, 8, 9, 10]]);
        let palette = read(&set).unwrap();
        assert_eq!(palette.colour(3), [4, 6, 10]);
        assert!(palette.covers((0, 1)) && !palette.covers((0, 2)));
        assert!(read(&tables([4, 0, 8], WHOLE, [&[1, 2], &[], &[3, 4]])).is_err());
        assert!(read(&DataSet::new()).is_err());
    }

    #[test]
    fn first_values_are_signed_with_the_pixels() {
        let table: &[u8] = &[9, 0];
        let mut set = tables([2, 0xFFFE, 8], WHOLE, [table; 3]);
        assert_eq!(read(&set).unwrap().first(), 65_534);
        put_us(&mut set, tags::PIXEL_REPRESENTATION, 1);
        let palette = read(&set).unwrap();
        assert_eq!((palette.first(), palette.darkest((-128, 127))), (-2, -1));
        // An entry that no sample can hold is no ink.
        assert_eq!(palette.darkest((-128, -2)), -2);
    }

    fn segmented(bits: u16, count: u16, data: &[u8]) -> Result<Vec<u8>, PixelError> {
        let palette = read(&tables([count, 0, bits], SEGMENTED, [data; 3]))?;
        Ok((0..i64::from(count)).map(|value| palette.colour(value)[0]).collect())
    }

    #[test]
    fn discrete_linear_and_indirect_segments_are_drawn() {
        // 10 20; up to 60 in 4 steps; both once more.
        let narrow = [0, 2, 10, 20, 1, 4, 60, 2, 2, 0, 0, 0, 0, 0];
        let entries = [10, 20, 30, 40, 50, 60, 10, 20, 30, 40, 50, 60];
        assert_eq!(segmented(8, 12, &narrow).unwrap(), entries);
        // The copy begins at the linear segment, 8 bytes on, and starts from 0.
        let wide: Vec<u8> = [0, 2, 0, 0xFF00, 1, 2, 0, 2, 1, 8, 0_u16]
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        assert_eq!(segmented(16, 6, &wide).unwrap(), [0, 255, 127, 0, 0, 0]);
    }

    #[test]
    fn damaged_and_endless_segments_are_refused() {
        let damaged: [&[u8]; 7] = [
            &[0, 9, 1, 2],
            &[1, 4, 60, 0],
            &[3, 1, 0, 0],
            &[0, 0, 0, 0],
            &[2, 1, 0, 0, 0, 0],
            // An indirect segment that copies itself.
            &[0, 1, 5, 2, 1, 3, 0, 0, 0, 0],
            &[0, 1, 5, 2, 1, 0, 1, 0, 0, 0],
        ];
        for data in damaged {
            assert!(segmented(8, 4, data).is_err(), "{data:?}");
        }
        // Copies of a long segment: more entries than a table can have.
        let mut endless = vec![0, 1, 5, 1, 255, 9];
        for _copy in 0..300 {
            endless.extend([2, 1, 3, 0, 0, 0]);
        }
        assert!(segmented(8, 4, &endless).is_err());
    }
}
