//! How many bits a sample of a new codestream has.

use std::ops::RangeInclusive;

use crate::clean::pixels::StoredFrame;

/// The precision of the received stream; Bits Stored where a painted value does
/// not fit, or where an encoder does not go so far. Within `possible` if Bits
/// Stored is.
pub(super) fn fitting(frame: &StoredFrame, received: u8, possible: RangeInclusive<u8>) -> u8 {
    let stored = frame.bits.stored.max(*possible.start());
    if received >= stored {
        // Above Bits Stored there is nothing, or copies of the sign.
        return if possible.contains(&received) { received } else { stored };
    }
    let received = received.max(*possible.start());
    let half = 1_i64 << (received - 1);
    let range = if frame.bits.signed { -half..half } else { 0..2 * half };
    let fits = frame
        .extremes()
        .is_none_or(|(least, greatest)| range.contains(&least) && range.contains(&greatest));
    if fits { received } else { stored }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::encode::testing::{Texture, frame};
    use crate::clean::pixels::Photometric;

    #[test]
    fn precision_is_what_was_received_unless_a_value_needs_more() {
        let grey =
            |signed| frame(Photometric::Monochrome2, (4, 1), (16, 12, signed), Texture::Smooth);
        let with = |mut frame: StoredFrame, words: [i16; 4]| {
            frame.bytes = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            frame
        };
        let small = with(grey(false), [0, 1, 1023, 1023]);
        for (received, precision) in [(1, 12), (10, 10), (12, 12), (16, 16), (20, 12)] {
            assert_eq!(fitting(&small, received, 2..=16), precision, "{received}");
        }
        assert_eq!(fitting(&with(grey(false), [0, 1, 1024, 0]), 10, 2..=16), 12);
        assert_eq!(fitting(&with(grey(true), [-512, 511, 0, 0]), 10, 2..=16), 10);
        assert_eq!(fitting(&with(grey(true), [-513, 511, 0, 0]), 10, 2..=16), 12);
    }
}
