//! Palette Color Lookup Tables (PS3.3 §C.7.6.3.1.5, §C.7.6.3.1.6).

use dicom_dictionary_std::tags;

use super::source::read_words;
use super::{PixelError, ReadSeek};
use crate::dicom::{DataSet, Tag};

/// Most bytes of one table: 65,536 entries of 16 bits.
const TABLE_BYTES_MAX: u64 = 2 * 65_536;

/// The three tables, brought to 8 bits for looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    /// Stored value of the first entry.
    first: i64,
    /// Red, green and blue of each entry.
    entries: Vec<[u8; 3]>,
}

impl Palette {
    /// Reads the tables of a data set.
    ///
    /// # Errors
    /// Missing or contradictory tables; segmented tables are not supported:
    /// quarantine.
    pub fn read(
        set: &DataSet,
        big_endian: bool,
        input: &mut dyn ReadSeek,
    ) -> Result<Self, PixelError> {
        if set.get(tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA).is_some() {
            return Err(PixelError::Unsupported { what: "a segmented palette" });
        }
        let mut channel =
            |descriptor, table| read_table(set, (descriptor, table), big_endian, input);
        let red = channel(
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        )?;
        let green = channel(
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        )?;
        let blue = channel(
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        )?;
        let same = red.first == green.first
            && green.first == blue.first
            && red.entries.len() == green.entries.len()
            && green.entries.len() == blue.entries.len();
        if !same {
            return Err(PixelError::Disagrees { what: "size of the palette's tables" });
        }
        let channels = red.entries.iter().zip(&green.entries).zip(&blue.entries);
        let entries = channels.map(|((red, green), blue)| [*red, *green, *blue]).collect();
        Ok(Self { first: red.first, entries })
    }

    /// The colour of a stored value; those outside the table take its ends.
    #[must_use]
    pub fn colour(&self, value: i64) -> [u8; 3] {
        let last = self.entries.len().saturating_sub(1);
        let index = usize::try_from(value - self.first).unwrap_or(0).min(last);
        self.entries.get(index).copied().unwrap_or_default()
    }

    /// The stored value with the darkest colour, the lowest one of several.
    #[must_use]
    pub fn darkest(&self) -> i64 {
        let sum = |entry: &[u8; 3]| entry.iter().map(|channel| u32::from(*channel)).sum::<u32>();
        let darkest = self.entries.iter().enumerate().min_by_key(|(_index, entry)| sum(entry));
        let index = darkest.map_or(0, |(index, _entry)| index);
        self.first + i64::try_from(index).unwrap_or(0)
    }
}

struct Table {
    first: i64,
    entries: Vec<u8>,
}

fn read_table(
    set: &DataSet,
    (descriptor, table): (Tag, Tag),
    big_endian: bool,
    input: &mut dyn ReadSeek,
) -> Result<Table, PixelError> {
    let malformed = PixelError::Attribute { name: "PaletteColorLookupTableDescriptor" };
    let missing = PixelError::Attribute { name: "PaletteColorLookupTableData" };
    let words = set.get(descriptor).and_then(|element| element.as_bytes());
    let Some(&[[count_0, count_1], first, [bits, _]]) = words.map(|bytes| bytes.as_chunks().0)
    else {
        return Err(malformed);
    };
    let count = match u16::from_le_bytes([count_0, count_1]) {
        0 => 65_536,
        count => usize::from(count),
    };
    // Signed or unsigned like the pixels; only values below 0 tell.
    let first = if is_signed(set) {
        i64::from(i16::from_le_bytes(first))
    } else {
        i64::from(u16::from_le_bytes(first))
    };
    let element = set.get(table).ok_or(missing)?;
    let bytes = read_words(element, TABLE_BYTES_MAX, big_endian, input)?;
    let pairs = bytes.as_chunks::<2>().0;
    let entries: Vec<u8> = if pairs.len() >= count {
        // Some writers put 8-bit entries into the low byte of 16-bit ones.
        let low = bits == 8 || pairs.iter().take(count).all(|[_low, high]| *high == 0);
        pairs.iter().take(count).map(|[small, big]| if low { *small } else { *big }).collect()
    } else {
        bytes.iter().take(count).copied().collect()
    };
    if entries.len() != count {
        return Err(PixelError::Disagrees { what: "size of the palette's tables" });
    }
    Ok(Table { first, entries })
}

fn is_signed(set: &DataSet) -> bool {
    set.us(tags::PIXEL_REPRESENTATION) == Some(1)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::dicom::{Element, VR};

    fn tables(descriptor: [u16; 3], data: [&[u8]; 3]) -> DataSet {
        let descriptors = [0x1101, 0x1102, 0x1103].map(|element| Tag(0x0028, element));
        let places = [0x1201, 0x1202, 0x1203].map(|element| Tag(0x0028, element));
        let words: Vec<u8> = descriptor.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut set = DataSet::new();
        for ((descriptor, place), bytes) in descriptors.into_iter().zip(places).zip(data) {
            set.put(Element::bytes(descriptor, VR::US, words.clone()));
            set.put(Element::bytes(place, VR::OW, bytes));
        }
        set
    }

    fn read(set: &DataSet) -> Result<Palette, PixelError> {
        Palette::read(set, false, &mut Cursor::new(Vec::new()))
    }

    #[test]
    fn entries_of_8_and_16_bits_give_the_same_colours() {
        let wide = tables([3, 10, 16], [&[0, 9, 0, 80, 0, 255], &[0, 9, 0, 0, 0, 255], &[0; 6]]);
        let narrow = tables([3, 10, 8], [&[9, 80, 255, 0], &[9, 0, 255, 0], &[0; 4]]);
        let low = tables([3, 10, 16], [&[9, 0, 80, 0, 255, 0], &[9, 0, 0, 0, 255, 0], &[0; 6]]);
        for set in [wide, narrow, low] {
            let palette = read(&set).unwrap();
            assert_eq!(palette.colour(11), [80, 0, 0]);
            assert_eq!(palette.colour(0), [9, 9, 0]);
            assert_eq!(palette.colour(99), [255, 255, 0]);
            assert_eq!(palette.darkest(), 10);
        }
    }

    #[test]
    fn tables_that_are_short_or_segmented_are_refused() {
        assert!(read(&tables([9, 0, 16], [&[0; 8], &[0; 8], &[0; 8]])).is_err());
        let mut set = tables([3, 0, 8], [&[0; 4], &[0; 4], &[0; 4]]);
        let tag = tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA;
        set.put(Element::bytes(tag, VR::OW, [0, 0]));
        assert!(matches!(read(&set), Err(PixelError::Unsupported { .. })));
        assert!(read(&DataSet::new()).is_err());
    }
}
