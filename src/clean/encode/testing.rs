//! Made-up frames for the round trips through the encoders.

use super::{j2k, jpeg_lossless};
use crate::clean::pixels::attributes::SampleBits;
use crate::clean::pixels::codestream::StreamHeader;
use crate::clean::pixels::frame::put_word;
use crate::clean::pixels::{Photometric, PixelAttributes, StoredFrame};

/// Columns and rows: single pixels, lines, odd sizes.
pub(crate) const SIZES: [(u32, u32); 5] = [(1, 1), (1, 4097), (4097, 1), (65, 33), (34, 97)];
/// Bits Allocated, Bits Stored, signed.
pub(crate) const DEPTHS: [(u8, u8, bool); 8] = [
    (8, 8, false),
    (8, 7, true),
    (8, 2, false),
    (16, 10, false),
    (16, 12, false),
    (16, 12, true),
    (16, 16, false),
    (16, 16, true),
];

/// What the made-up samples look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Texture {
    /// A slope with a little noise, like a picture.
    Smooth,
    /// Every value.
    Noise,
    /// The least and the greatest value in turns.
    Extremes,
}

/// A frame of the given size, bits (allocated, stored, signed) and look.
pub(crate) fn frame(
    photometric: Photometric,
    (width, height): (u32, u32),
    (allocated, stored, signed): (u8, u8, bool),
    texture: Texture,
) -> StoredFrame {
    let bits = SampleBits { allocated, stored, shift: 0, signed };
    let samples = u32::from(photometric.samples());
    let mut bytes = vec![0; (width * height * samples) as usize * bits.bytes()];
    let mut state = 1_u32;
    let (least, greatest) = bits.range();
    for (index, target) in (0_i64..).zip(bytes.chunks_exact_mut(bits.bytes())) {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let random = i64::from(state >> 8);
        let value = match texture {
            Texture::Smooth => (index / 7 % 200 + random % 3).min(greatest - least),
            Texture::Noise => random % (greatest - least + 1),
            Texture::Extremes => random % 2 * (greatest - least),
        };
        put_word(target, bits.word(least + value));
    }
    StoredFrame { width, height, photometric, bits, bytes }
}

/// The attributes of a data set that holds the frame.
pub(crate) fn decoder_input(frame: &StoredFrame) -> PixelAttributes {
    PixelAttributes {
        rows: frame.height,
        columns: frame.width,
        photometric: frame.photometric,
        bits: frame.bits,
        planar: false,
        frames: 1,
    }
}

/// A lossless JPEG stream.
pub(crate) fn lossless_jpeg(frame: &StoredFrame) -> Vec<u8> {
    let header = StreamHeader { precision: frame.bits.stored, ..StreamHeader::default() };
    jpeg_lossless::encode(frame, &header).unwrap()
}

/// A JPEG 2000 stream.
pub(crate) fn jpeg_2000(frame: &StoredFrame) -> Vec<u8> {
    j2k::encode(frame, frame.bits.stored).unwrap()
}
