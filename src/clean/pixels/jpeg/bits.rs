//! Bits of entropy-coded segments (ISO/IEC 10918-1 §F.1.2.3 and §F.2.2.5):
//! most significant bit first, 0xFF followed by a stuffed 0.
//!
//! Invariant: the reader never goes past a marker but by [`BitReader::restart`],
//! and bits that are not there are an error, never zeros.

use super::damaged;
use crate::clean::pixels::PixelError;

/// Most bits that can be looked at or taken at once.
pub const BITS_MAX: u32 = 32;

/// Reads the bits of one scan.
#[derive(Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits, the first one on top; zeros below the `held` ones.
    window: u64,
    held: u32,
}

impl<'a> BitReader<'a> {
    /// Reads from the beginning of `bytes`, which follow a scan header and may
    /// go on after the scan.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, window: 0, held: 0 }
    }

    /// The next `count` bits (at most [`BITS_MAX`]) without taking them; zeros
    /// stand for those after the end.
    #[inline]
    pub fn peek(&mut self, count: u32) -> u32 {
        if self.held < BITS_MAX {
            self.fill();
        }
        // Two shifts: one by 64 would be an overflow.
        u32::try_from(self.window >> 1 >> (63 - count.min(BITS_MAX))).unwrap_or(0)
    }

    /// Takes `count` bits (at most [`BITS_MAX`]) that were looked at.
    ///
    /// # Errors
    /// The scan ends before.
    #[inline]
    pub fn skip(&mut self, count: u32) -> Result<(), PixelError> {
        if count > self.held {
            return Err(damaged("samples end early"));
        }
        self.held -= count;
        self.window <<= count;
        Ok(())
    }

    /// Takes `count` bits.
    ///
    /// # Errors
    /// The scan ends before.
    #[inline]
    pub fn take(&mut self, count: u32) -> Result<u32, PixelError> {
        let bits = self.peek(count);
        self.skip(count)?;
        Ok(bits)
    }

    /// Takes the additional bits of a value of magnitude category `category`
    /// (at most 16) and extends its sign (ISO/IEC 10918-1 §F.2.2.1, EXTEND).
    ///
    /// # Errors
    /// The scan ends before.
    #[inline]
    pub fn signed(&mut self, category: u32) -> Result<i32, PixelError> {
        if category == 0 {
            return Ok(0);
        }
        let bits = i32::try_from(self.take(category.min(16))?).unwrap_or(0);
        let half = 1_i32 << (category.min(16) - 1);
        Ok(if bits < half { bits - 2 * half + 1 } else { bits })
    }

    /// Goes over the padding and the restart marker `RSTm` with
    /// `m = index mod 8`, which must be next.
    ///
    /// # Errors
    /// Another marker or none: intervals are missing or out of order.
    pub fn restart(&mut self, index: u32) -> Result<(), PixelError> {
        let at = self.marker();
        let wanted = 0xD0 + u8::try_from(index % 8).unwrap_or(0);
        if self.bytes.get(at..).and_then(<[u8]>::first_chunk) != Some(&[0xFF, wanted]) {
            return Err(damaged("restart marker"));
        }
        *self = Self { bytes: self.bytes, at: at + 2, window: 0, held: 0 };
        Ok(())
    }

    /// Where the marker lies that follows what was read; what stands between
    /// (padding, nothing in sound streams besides) is gone over. The length of
    /// the bytes where there is none.
    #[must_use]
    pub fn marker(&self) -> usize {
        let mut at = self.at;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let Some(offset) = rest.iter().position(|byte| *byte == 0xFF) else {
                return self.bytes.len();
            };
            at += offset;
            match self.bytes.get(at + 1) {
                Some(0) => at += 2,
                // A fill byte.
                Some(0xFF) => at += 1,
                Some(_) => return at,
                None => return self.bytes.len(),
            }
        }
    }

    /// Takes bytes into the window until a marker or the end.
    #[inline]
    fn fill(&mut self) {
        if self.held <= 32
            && let Some(four) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<4>)
        {
            let word = u32::from_be_bytes(*four);
            if !has_ff(word) {
                self.window |= u64::from(word) << (32 - self.held);
                self.held += 32;
                self.at += 4;
                return;
            }
        }
        self.fill_slowly();
    }

    fn fill_slowly(&mut self) {
        while self.held <= 56 {
            let Some(byte) = self.bytes.get(self.at) else { return };
            if *byte == 0xFF {
                if self.bytes.get(self.at + 1) != Some(&0) {
                    return;
                }
                self.at += 1;
            }
            self.at += 1;
            self.window |= u64::from(*byte) << (56 - self.held);
            self.held += 8;
        }
    }
}

/// Whether one of the four bytes is 0xFF: its complement is a zero byte, which
/// borrows from its top bit when 1 is taken from each byte.
fn has_ff(word: u32) -> bool {
    (!word).wrapping_sub(0x0101_0101) & word & 0x8080_8080 != 0
}

/// Writes the bits of one scan.
#[derive(Debug, Default)]
pub struct BitWriter {
    bytes: Vec<u8>,
    /// The bits that make no byte yet, the last one lowest.
    window: u64,
    held: u32,
}

impl BitWriter {
    /// Appends the low `count` bits (at most [`BITS_MAX`]) of `bits`.
    #[inline]
    pub fn put(&mut self, bits: u32, count: u32) {
        let mask = (1_u64 << count.min(BITS_MAX)) - 1;
        self.window = self.window << count.min(BITS_MAX) | (u64::from(bits) & mask);
        self.held += count.min(BITS_MAX);
        if self.held >= 32 {
            self.drain();
        }
    }

    /// Appends the additional bits of `value` in its magnitude category
    /// (ISO/IEC 10918-1 §F.1.2.1): the low bits, of `value − 1` when negative.
    #[inline]
    pub fn put_signed(&mut self, value: i32, category: u32) {
        let bits = if value < 0 { value.wrapping_sub(1) } else { value };
        self.put(bits.cast_unsigned(), category);
    }

    /// Appends a code of `length` bits and the additional bits of `value`, at
    /// most [`BITS_MAX`] together: one step instead of two.
    #[inline]
    pub fn put_coded(&mut self, code: u32, length: u32, value: i32, category: u32) {
        let bits = if value < 0 { value.wrapping_sub(1) } else { value };
        let low = bits.cast_unsigned() & ((1 << category) - 1);
        self.put(code << category | low, length + category);
    }

    /// Pads and writes the restart marker `RSTm` with `m = index mod 8`.
    pub fn restart(&mut self, index: u32) {
        self.pad();
        self.bytes.extend([0xFF, 0xD0 + u8::try_from(index % 8).unwrap_or(0)]);
    }

    /// Pads and hands out the coded bytes.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.pad();
        self.bytes
    }

    /// Fills the last byte with ones (ISO/IEC 10918-1 §F.1.2.3).
    fn pad(&mut self) {
        self.put(0x7F, (8 - self.held % 8) % 8);
        self.drain();
    }

    fn drain(&mut self) {
        while self.held >= 8 {
            self.held -= 8;
            let byte = u8::try_from(self.window >> self.held & 0xFF).unwrap_or(0);
            self.bytes.push(byte);
            if byte == 0xFF {
                self.bytes.push(0);
            }
        }
        self.window &= 0xFF;
    }
}

/// The magnitude category of a value: the bits of its absolute value.
#[inline]
#[must_use]
pub fn category(value: i32) -> u32 {
    32 - value.unsigned_abs().leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without a pattern, the same in each run.
    fn numbers() -> impl Iterator<Item = u32> {
        let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(1), next).map(|state| state >> 8)
    }

    #[test]
    fn bits_come_back_whatever_the_stuffing() {
        let items: Vec<(u32, u32)> = numbers()
            .take(5000)
            .map(|number| {
                let count = number % 33;
                // Many ones, so that stuffing is frequent.
                let bits = if number % 3 == 0 { u32::MAX } else { number.rotate_left(9) };
                (if count == 32 { bits } else { bits & ((1 << count) - 1) }, count)
            })
            .collect();
        let mut writer = BitWriter::default();
        for (bits, count) in &items {
            writer.put(*bits, *count);
        }
        let bytes = writer.finish();
        assert!(bytes.windows(2).all(|pair| pair[0] != 0xFF || pair[1] == 0));
        let mut reader = BitReader::new(&bytes);
        for (bits, count) in &items {
            assert_eq!(reader.peek(*count), *bits);
            assert_eq!(reader.take(*count).unwrap(), *bits);
        }
        assert_eq!(reader.marker(), bytes.len());
        reader.take(8).unwrap_err();
    }

    #[test]
    fn signed_values_come_back_in_each_category() {
        for value in (-70_000..70_000).filter(|value| category(*value) <= 16) {
            let mut writer = BitWriter::default();
            writer.put_signed(value, category(value));
            let bytes = writer.finish();
            assert_eq!(BitReader::new(&bytes).signed(category(value)).unwrap(), value);
        }
    }

    #[test]
    fn markers_end_the_bits_and_restarts_must_come_in_order() {
        let mut writer = BitWriter::default();
        writer.put(0b101, 3);
        writer.restart(8);
        writer.put(0xFFFF, 16);
        let mut bytes = writer.finish();
        bytes.extend([0xFF, 0xD9]);
        assert_eq!(bytes, [0b1011_1111, 0xFF, 0xD0, 0xFF, 0, 0xFF, 0, 0xFF, 0xD9]);
        let mut reader = BitReader::new(&bytes);
        assert_eq!(reader.take(3).unwrap(), 0b101);
        assert!(reader.take(6).is_err(), "the marker ends the bits");
        assert!(reader.restart(1).is_err());
        reader.restart(0).unwrap();
        assert_eq!(reader.take(16).unwrap(), 0xFFFF);
        assert!(reader.take(1).is_err());
        assert_eq!(reader.marker(), 7);
    }
}
