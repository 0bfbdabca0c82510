//! One decoded frame in the samples it was stored with.

use super::attributes::{Photometric, SampleBits};

/// A frame of stored samples: little endian words, rows from the top, the
/// samples of a pixel together. Never converted to another colour space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFrame {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// What the samples mean. [`Photometric::YbrFull422`] is held with one pair
    /// of colour differences for every pixel.
    pub photometric: Photometric,
    /// Where the value lies in a word.
    pub bits: SampleBits,
    /// The words.
    pub bytes: Vec<u8>,
}

impl StoredFrame {
    /// Samples of a pixel.
    #[must_use]
    pub fn samples(&self) -> usize {
        usize::from(self.photometric.samples())
    }

    /// Bytes of a pixel.
    #[must_use]
    pub fn pixel_bytes(&self) -> usize {
        self.samples() * self.bits.bytes()
    }

    /// The words in order, as unsigned numbers.
    pub fn words(&self) -> impl Iterator<Item = u32> {
        self.bytes.chunks_exact(self.bits.bytes()).map(word)
    }

    /// The values in order.
    pub fn values(&self) -> impl Iterator<Item = i64> {
        let bits = self.bits;
        self.words().map(move |word| bits.value(word))
    }

    /// Least and greatest value; `None` for a frame without samples.
    #[must_use]
    pub fn extremes(&self) -> Option<(i64, i64)> {
        let range =
            |extremes: (i64, i64), value: i64| (extremes.0.min(value), extremes.1.max(value));
        let first = self.values().next()?;
        Some(self.values().fold((first, first), range))
    }

    /// Clears the bits that belong to no value (they once carried overlays,
    /// PS3.5 §8.1.2) and says whether there were any. Above the high bit of
    /// signed values copies of the sign may stand, or nothing.
    pub fn clear_unused_bits(&mut self) -> bool {
        let bits = self.bits;
        let width = bits.bytes();
        // Single bits were unpacked to bytes and have nothing beside them.
        if bits.stored == bits.allocated {
            return false;
        }
        let mut cleared = false;
        for group in self.bytes.chunks_exact_mut(width) {
            let before = word(group);
            let after = bits.word(bits.value(before));
            let is_bare = before & bits.mask() == before;
            if before != after && !is_bare {
                cleared = true;
                put_word(group, after);
            }
        }
        cleared
    }

    /// The bytes of the pixels of row `y` from column `x0` up to `x1`, cut to
    /// the picture.
    pub fn span_mut(&mut self, y: u32, x0: u32, x1: u32) -> &mut [u8] {
        let pixel = self.pixel_bytes();
        let width = as_usize(self.width);
        let (x0, x1) = (as_usize(x0).min(width), as_usize(x1).min(width));
        let row = as_usize(y).saturating_mul(width);
        let range = (row + x0).saturating_mul(pixel)..(row + x1.max(x0)).saturating_mul(pixel);
        self.bytes.get_mut(range).unwrap_or_default()
    }
}

fn as_usize(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Reads a little endian word of up to four bytes.
#[must_use]
pub fn word(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| (word << 8) | u32::from(*byte))
}

/// Writes a little endian word of up to four bytes.
pub fn put_word(bytes: &mut [u8], word: u32) {
    for (byte, value) in bytes.iter_mut().zip(word.to_le_bytes()) {
        *byte = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bits: SampleBits, bytes: &[u8]) -> StoredFrame {
        let width = u32::try_from(bytes.len() / bits.bytes()).unwrap();
        let photometric = Photometric::Monochrome2;
        StoredFrame { width, height: 1, photometric, bits, bytes: bytes.to_vec() }
    }

    #[test]
    fn bits_that_carried_overlays_are_cleared_and_values_stay() {
        let bits = SampleBits { allocated: 16, stored: 12, shift: 0, signed: false };
        let mut with_overlay = frame(bits, &[0x34, 0xF2, 0xFF, 0x0F]);
        assert!(with_overlay.clear_unused_bits());
        assert_eq!(with_overlay.bytes, [0x34, 0x02, 0xFF, 0x0F]);
        assert!(!with_overlay.clear_unused_bits());
    }

    #[test]
    fn sign_bits_are_no_overlay() {
        let bits = SampleBits { allocated: 16, stored: 12, shift: 0, signed: true };
        for bytes in [[0x00, 0xF8, 0xFF, 0xFF, 0xFF, 0x07], [0x00, 0x08, 0xFF, 0x0F, 0xFF, 0x07]] {
            let mut negative = frame(bits, &bytes);
            assert_eq!(negative.extremes(), Some((-2048, 2047)));
            assert!(!negative.clear_unused_bits());
        }
        assert!(frame(bits, &[0x00, 0x58]).clear_unused_bits());
    }

    /// What is seen without decoding is what decoding sees.
    #[test]
    fn words_are_bare_where_nothing_would_be_cleared() {
        let words: Vec<u16> = (0..=u16::MAX).step_by(7).chain([0xF800, 0x0FFF, 0x8000]).collect();
        for signed in [false, true] {
            for (allocated, stored, shift) in
                [(16, 12, 0), (16, 12, 4), (16, 10, 2), (8, 6, 0), (32, 20, 3)]
            {
                let bits = SampleBits { allocated, stored, shift, signed };
                for word in &words {
                    let bytes = [word.to_le_bytes(), word.to_le_bytes()].concat();
                    for (at, bytes) in [(0, &bytes[..]), (9, &bytes[..])] {
                        let mut long = vec![0; at * bits.bytes()];
                        long.extend_from_slice(bytes);
                        let clears = frame(bits, &long).clear_unused_bits();
                        assert_eq!(bits.are_bare(&long), !clears, "{bits:?} {word:04x}");
                    }
                }
            }
        }
    }
}
