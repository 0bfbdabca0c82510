//! Codes of differences with their additional bits (ISO/IEC 10918-1 §H.1.2.2).

use super::scan::modulo;
use crate::clean::pixels::PixelError;
use crate::clean::pixels::jpeg::bits::BitReader;
use crate::clean::pixels::jpeg::damaged;
use crate::clean::pixels::jpeg::huffman::{HuffmanDecoder, HuffmanEncoder, HuffmanTable};

/// Greatest magnitude category; it has one value and so no additional bits.
const CATEGORY_MAX: u8 = 16;
/// Codes that together with their additional bits are not longer are decoded
/// with one look. Default 12: nearly all differences of smooth pictures.
const FAST_BITS: u32 = 12;

/// A table made for decoding differences.
pub(super) struct Differences {
    /// By the next [`FAST_BITS`] bits: bits to take, or 0, and the difference.
    fast: Vec<(u8, u16)>,
    slow: HuffmanDecoder,
}

impl Differences {
    /// Makes the look-up tables.
    pub(super) fn new(table: &HuffmanTable) -> Self {
        let codes = HuffmanEncoder::new(table);
        let mut fast = vec![(0, 0); 1 << FAST_BITS];
        for category in 0..=CATEGORY_MAX {
            let (code, length) = codes.code(category);
            let more = if category == CATEGORY_MAX { 0 } else { u32::from(category) };
            if length == 0 || length + more > FAST_BITS {
                continue;
            }
            let free = FAST_BITS - length - more;
            let taken = u8::try_from(length + more).unwrap_or_default();
            for bits in 0..1_u32 << more {
                let first = place((code << more | bits) << free);
                let entries = fast.get_mut(first..first + (1 << free)).unwrap_or_default();
                entries.fill((taken, difference(category, bits)));
            }
        }
        Self { fast, slow: HuffmanDecoder::new(table) }
    }

    /// Takes one difference, modulo 2¹⁶.
    ///
    /// # Errors
    /// A code that is not in the table, or the scan ends inside of it.
    #[inline]
    pub(super) fn decode(&self, reader: &mut BitReader<'_>) -> Result<u16, PixelError> {
        let next = place(reader.peek(FAST_BITS));
        let (length, difference) = self.fast.get(next).copied().unwrap_or_default();
        if length > 0 {
            reader.skip(u32::from(length))?;
            return Ok(difference);
        }
        self.decode_long(reader)
    }

    fn decode_long(&self, reader: &mut BitReader<'_>) -> Result<u16, PixelError> {
        let category = self.slow.decode(reader)?;
        match category {
            CATEGORY_MAX => Ok(difference(category, 0)),
            0..CATEGORY_MAX => Ok(difference(category, reader.take(u32::from(category))?)),
            _ => Err(damaged("a difference out of range")),
        }
    }
}

#[inline]
fn place(bits: u32) -> usize {
    usize::try_from(bits).unwrap_or(usize::MAX)
}

/// The difference of a category with its additional bits: those that begin with
/// 0 stand for negative numbers (Table H.2, §F.2.2.1).
fn difference(category: u8, bits: u32) -> u16 {
    let bits = bits.cast_signed();
    match category {
        0 => 0,
        CATEGORY_MAX => 1 << 15,
        _ if bits >> (category - 1) == 0 => modulo(bits - (1 << category) + 1),
        _ => modulo(bits),
    }
}
