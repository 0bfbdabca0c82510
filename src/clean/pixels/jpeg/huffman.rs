//! Huffman tables: DHT segments in and out (ISO/IEC 10918-1 §B.2.4.2), fast
//! decoding (§C, §F.2.2.3), and the best table for given frequencies (§K.2).

use super::bits::BitReader;
use super::damaged;
use crate::clean::pixels::PixelError;

/// Longest code (ISO/IEC 10918-1 §C).
const CODE_BITS_MAX: usize = 16;
/// Codes up to this length are decoded with one look.
const FAST_BITS: u32 = 9;
/// Second byte of the DHT marker.
const DHT: u8 = 0xC4;

/// A table as it stands in a DHT segment: BITS and HUFFVAL.
///
/// Invariant: the lengths describe a prefix code, and there are as many values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HuffmanTable {
    /// Codes of each length, 1 to 16.
    counts: [u8; CODE_BITS_MAX],
    /// Values in the order of their codes.
    values: Vec<u8>,
}

/// One table of a DHT segment, with the place where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Tc: 0 for DC and lossless tables, 1 for AC tables.
    pub class: u8,
    /// Th: destination, 0 to 3.
    pub destination: u8,
    /// The table.
    pub table: HuffmanTable,
}

/// Reads the content of a DHT segment, after its length.
///
/// # Errors
/// Lengths that make no prefix code, too few values, or a place that does not
/// exist.
pub fn read_segment(mut content: &[u8]) -> Result<Vec<Definition>, PixelError> {
    let wrong = || damaged("Huffman table");
    let mut definitions = Vec::new();
    while let Some((place, rest)) = content.split_first() {
        let (counts, rest) = rest.split_first_chunk().ok_or_else(wrong)?;
        let total: usize = counts.iter().map(|count| usize::from(*count)).sum();
        let (values, rest) = rest.split_at_checked(total).ok_or_else(wrong)?;
        let (class, destination) = (place >> 4, place & 15);
        if class > 1 || destination > 3 {
            return Err(wrong());
        }
        let table = HuffmanTable::new(*counts, values.to_vec())?;
        definitions.push(Definition { class, destination, table });
        content = rest;
    }
    Ok(definitions)
}

/// A whole DHT segment with its marker.
#[must_use]
pub fn segment(definitions: &[Definition]) -> Vec<u8> {
    let mut content = Vec::new();
    for Definition { class, destination, table } in definitions {
        content.push(class << 4 | destination);
        content.extend(table.counts);
        content.extend(&table.values);
    }
    // At most eight tables of 17 + 256 bytes.
    let size = u16::try_from(content.len() + 2).unwrap_or(u16::MAX).to_be_bytes();
    [&[0xFF, DHT], &size, content.as_slice()].concat()
}

impl HuffmanTable {
    fn new(counts: [u8; CODE_BITS_MAX], values: Vec<u8>) -> Result<Self, PixelError> {
        // Codes of one length follow each other; the first of the next length
        // is twice the one after the last (§C.2).
        let mut code = 0_usize;
        for (length, count) in (1..).zip(counts) {
            code = 2 * code + usize::from(count);
            if code > 1 << length {
                return Err(damaged("Huffman table"));
            }
        }
        let total: usize = counts.iter().map(|count| usize::from(*count)).sum();
        if total != values.len() || total > 256 {
            return Err(damaged("Huffman table"));
        }
        Ok(Self { counts, values })
    }

    /// The table with the shortest coded form for values that occur so often,
    /// with codes of at most 16 bits, none of them all ones (§K.2). Values that
    /// do not occur get no code.
    #[must_use]
    pub fn optimal(frequencies: &[u64; 256]) -> Self {
        let mut lengths = code_lengths(frequencies);
        let mut order: Vec<(usize, u8)> =
            (0..=255).zip(&lengths).map(|(value, length)| (*length, value)).collect();
        // By length as they came out of the tree, then by value: shortening
        // moves lengths, not the order (§K.2, Figure K.4).
        order.retain(|(length, _)| *length > 0);
        order.sort_unstable();
        let mut counts = vec![0_usize; lengths.iter().max().map_or(0, |length| length + 1).max(17)];
        for length in lengths.drain(..).filter(|length| *length > 0) {
            if let Some(count) = counts.get_mut(length) {
                *count += 1;
            }
        }
        shorten(&mut counts);
        let mut table = [0; CODE_BITS_MAX];
        for (target, count) in table.iter_mut().zip(counts.iter().skip(1)) {
            *target = u8::try_from(*count).unwrap_or(u8::MAX);
        }
        Self { counts: table, values: order.into_iter().map(|(_, value)| value).collect() }
    }

    /// Each value with its code and the code's length, in the order of codes.
    fn codes(&self) -> impl Iterator<Item = (u8, u32, u32)> {
        let lengths = (1_u32..)
            .zip(self.counts)
            .flat_map(|(length, count)| std::iter::repeat_n(length, usize::from(count)));
        let mut next = 0_u32;
        let mut last = 0;
        self.values.iter().zip(lengths).map(move |(value, length)| {
            next <<= length - last;
            last = length;
            let code = next;
            next += 1;
            (*value, code, length)
        })
    }
}

/// Code lengths by Huffman's procedure with one more value of frequency 1,
/// which takes the code of all ones (§K.2, Figures K.1 and K.2).
fn code_lengths(frequencies: &[u64; 256]) -> Vec<usize> {
    let reserved = frequencies.len();
    let mut weights: Vec<u64> = frequencies.iter().copied().chain([1]).collect();
    let mut lengths = vec![0_usize; weights.len()];
    // Which tree each value is in, named by one of its values.
    let mut trees: Vec<usize> = (0..=reserved).collect();
    while let Some((first, second)) = two_lightest(&weights) {
        let moved = weights.get_mut(second).map(std::mem::take).unwrap_or_default();
        if let Some(weight) = weights.get_mut(first) {
            *weight = weight.saturating_add(moved);
        }
        for (tree, length) in trees.iter_mut().zip(&mut lengths) {
            if *tree == first || *tree == second {
                *tree = first;
                *length += 1;
            }
        }
    }
    lengths
}

/// The two trees of least weight above 0; of equal ones the later value, so
/// that the reserved one gets the longest code (§K.2).
fn two_lightest(weights: &[u64]) -> Option<(usize, usize)> {
    let by_weight = |(_, weight): &(usize, &u64)| **weight;
    let lightest = |without: Option<usize>| {
        let heavy = weights.iter().enumerate().rev();
        heavy.filter(|(at, weight)| **weight > 0 && Some(*at) != without).min_by_key(by_weight)
    };
    let (first, _) = lightest(None)?;
    let (second, _) = lightest(Some(first))?;
    Some((first, second))
}

/// Brings counts by length to lengths of at most 16 and takes out the reserved
/// code, which is among the longest (§K.2, Figure K.3).
fn shorten(counts: &mut [usize]) {
    let mut add = |length: usize, change: isize| {
        if let Some(count) = counts.get_mut(length) {
            *count = count.saturating_add_signed(change);
        }
        counts.get(length).copied().unwrap_or(0)
    };
    let longest = 257;
    for length in (CODE_BITS_MAX + 1..=longest).rev() {
        while add(length, 0) > 0 {
            // Two leaves at the end become one a level up; a shorter leaf makes
            // room for the other.
            let mut shorter = length - 2;
            while shorter > 1 && add(shorter, 0) == 0 {
                shorter -= 1;
            }
            add(length, -2);
            add(length - 1, 1);
            add(shorter + 1, 2);
            add(shorter, -1);
        }
    }
    let last = (1..=CODE_BITS_MAX).rev().find(|length| add(*length, 0) > 0);
    if let Some(length) = last {
        add(length, -1);
    }
}

/// A table made for decoding.
#[derive(Debug, Clone)]
pub struct HuffmanDecoder {
    /// By the next [`FAST_BITS`] bits: length of the code, or 0, and value.
    fast: Vec<(u8, u8)>,
    /// By length, 1 to 16: one more than the last code, brought to 16 bits, and
    /// what is added to a code to find its value.
    slow: [(u32, i32); CODE_BITS_MAX],
    values: Vec<u8>,
}

impl HuffmanDecoder {
    /// Makes the look-up tables.
    #[must_use]
    pub fn new(table: &HuffmanTable) -> Self {
        let mut fast = vec![(0, 0); 1 << FAST_BITS];
        for (value, code, length) in table.codes().filter(|(_, _, length)| *length <= FAST_BITS) {
            let free = FAST_BITS - length;
            let first = usize::try_from(code << free).unwrap_or(usize::MAX);
            let entries = fast.get_mut(first..first + (1 << free)).unwrap_or_default();
            entries.fill((u8::try_from(length).unwrap_or(0), value));
        }
        let mut slow = [(0, 0); CODE_BITS_MAX];
        let (mut code, mut index) = (0_u32, 0_i32);
        for ((length, count), entry) in (1_u32..).zip(table.counts).zip(&mut slow) {
            code <<= 1;
            let offset = index - i32::try_from(code).unwrap_or(0);
            code += u32::from(count);
            index += i32::from(count);
            *entry = (code << (16 - length), offset);
        }
        Self { fast, slow, values: table.values.clone() }
    }

    /// Takes one code and says its value.
    ///
    /// # Errors
    /// A code that is not in the table, or the scan ends inside of it.
    #[inline]
    pub fn decode(&self, reader: &mut BitReader<'_>) -> Result<u8, PixelError> {
        let bits = reader.peek(16);
        let entry = usize::try_from(bits >> (16 - FAST_BITS)).unwrap_or(0);
        let (length, value) = self.fast.get(entry).copied().unwrap_or_default();
        if length > 0 {
            reader.skip(u32::from(length))?;
            return Ok(value);
        }
        self.decode_long(bits, reader)
    }

    fn decode_long(&self, bits: u32, reader: &mut BitReader<'_>) -> Result<u8, PixelError> {
        for (length, (end, offset)) in (1_u32..).zip(self.slow) {
            if bits < end {
                reader.skip(length)?;
                let code = i32::try_from(bits >> (16 - length)).unwrap_or(0);
                let index = usize::try_from(code + offset).ok();
                let value = index.and_then(|index| self.values.get(index)).copied();
                return value.ok_or_else(|| damaged("Huffman code"));
            }
        }
        Err(damaged("Huffman code"))
    }
}

/// A table made for coding.
#[derive(Debug, Clone)]
pub struct HuffmanEncoder {
    /// By value: code and its length; length 0 for values without a code.
    codes: [(u16, u8); 256],
}

impl HuffmanEncoder {
    /// Makes the look-up table.
    #[must_use]
    pub fn new(table: &HuffmanTable) -> Self {
        let mut codes = [(0, 0); 256];
        for (value, code, length) in table.codes() {
            if let Some(entry) = codes.get_mut(usize::from(value)) {
                *entry = (u16::try_from(code).unwrap_or(0), u8::try_from(length).unwrap_or(0));
            }
        }
        Self { codes }
    }

    /// Code and length of a value; length 0 where the table has no code for it.
    #[inline]
    #[must_use]
    pub fn code(&self, value: u8) -> (u32, u32) {
        let (code, length) = self.codes.get(usize::from(value)).copied().unwrap_or_default();
        (u32::from(code), u32::from(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::pixels::jpeg::bits::BitWriter;

    fn round_trip(frequencies: &[u64; 256]) -> HuffmanTable {
        let table = HuffmanTable::optimal(frequencies);
        let definitions = [Definition { class: 1, destination: 3, table }];
        let segment = segment(&definitions);
        assert_eq!(read_segment(&segment[4..]).unwrap(), definitions);
        let [Definition { table, .. }] = definitions;
        for (_, code, length) in table.codes() {
            assert!(length <= 16 && code + 1 < 1 << length, "{code:b} of {length} bits");
        }
        let (encoder, decoder) = (HuffmanEncoder::new(&table), HuffmanDecoder::new(&table));
        let occurring = |value: &u8| frequencies[usize::from(*value)] > 0;
        let mut writer = BitWriter::default();
        for value in (0..=255).filter(occurring) {
            let (code, length) = encoder.code(value);
            assert!(length > 0);
            writer.put(code, length);
        }
        let bytes = writer.finish();
        let mut reader = BitReader::new(&bytes);
        for value in (0..=255).filter(occurring) {
            assert_eq!(decoder.decode(&mut reader).unwrap(), value);
        }
        table
    }

    #[test]
    fn every_distribution_gives_a_table_that_decodes_what_it_coded() {
        let mut growing = [0_u64; 256];
        let (mut last, mut next) = (1_u64, 1_u64);
        for frequency in &mut growing {
            // Fibonacci numbers give the longest codes.
            *frequency = last;
            (last, next) = (next, last.saturating_add(next).min(1 << 60));
        }
        round_trip(&growing);
        round_trip(&[1; 256]);
        round_trip(&[u64::MAX; 256]);
        let mut few = [0; 256];
        round_trip(&few);
        few[200] = 7;
        assert_eq!(round_trip(&few).counts[0], 1);
        few[3] = 1;
        round_trip(&few);
    }

    #[test]
    fn frequent_values_get_short_codes() {
        let mut frequencies = [0; 256];
        for (value, count) in [(5, 40), (6, 30), (7, 20), (8, 10)] {
            frequencies[value] = count;
        }
        let table = round_trip(&frequencies);
        // Without the reserved code: 1, 2, 3, 3; with it one more level.
        assert_eq!(table.values, [5, 6, 7, 8]);
        assert_eq!(table.counts[..4], [1, 1, 1, 1]);
    }

    #[test]
    fn lengths_that_make_no_prefix_code_are_refused() {
        let table = |counts: &[u8], values: usize| {
            let mut content = vec![0];
            content.extend(counts);
            content.resize(17, 0);
            content.resize(17 + values, 1);
            read_segment(&content)
        };
        assert!(table(&[0, 3], 3).is_ok());
        assert!(table(&[0, 4], 4).is_ok(), "complete codes can be read");
        assert!(table(&[0, 5], 5).is_err());
        assert!(table(&[2, 1], 3).is_err());
        assert!(table(&[0, 3], 2).is_err());
        assert!(read_segment(&[0; 16]).is_err());
        assert!(read_segment(&[&[0x20_u8][..], &[0; 16]].concat()).is_err());
        assert!(read_segment(&[&[0x04_u8][..], &[0; 16]].concat()).is_err());
    }

    #[test]
    fn codes_outside_of_the_table_are_damage() {
        let content = [&[0_u8, 0, 1][..], &[0; 14], &[9]].concat();
        let definitions = read_segment(&content).unwrap();
        let decoder = HuffmanDecoder::new(&definitions[0].table);
        assert_eq!(decoder.decode(&mut BitReader::new(&[0x3F])).unwrap(), 9);
        assert!(decoder.decode(&mut BitReader::new(&[0x40, 0])).is_err());
        assert!(decoder.decode(&mut BitReader::new(&[])).is_err());
    }
}
