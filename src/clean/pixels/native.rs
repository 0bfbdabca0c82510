//! Native pixel data (PS3.5 §8.1, §8.2): bytes of a frame to stored samples
//! and back. Both directions are exact.

use super::attributes::Photometric;
use super::{Coded, PixelAttributes, PixelError, StoredFrame};

/// Unpacks the bytes of a native frame.
///
/// # Errors
/// Fewer bytes than the header asks for, or 4:2:2 of odd width: quarantine.
pub fn unpack(attributes: &PixelAttributes, coded: Coded) -> Result<StoredFrame, PixelError> {
    let wanted = usize::try_from(attributes.decoded_bytes())
        .map_err(|_too_large| PixelError::OverLimit { limit: "frame_bytes_max" })?;
    let sample_bytes = attributes.bits.bytes();
    let bytes = if attributes.bits.allocated == 1 {
        bits_to_bytes(&coded.bytes, coded.first_bit, wanted)
    } else if attributes.photometric == Photometric::YbrFull422 {
        check_422(attributes)?;
        expand_422(&coded.bytes, wanted)
    } else if attributes.planar {
        interleave(&coded.bytes, sample_bytes, wanted)
    } else {
        coded.bytes
    };
    if bytes.len() != wanted {
        return Err(PixelError::Disagrees { what: "length of a frame" });
    }
    Ok(StoredFrame {
        width: attributes.columns,
        height: attributes.rows,
        photometric: attributes.photometric,
        bits: attributes.bits,
        bytes,
    })
}

fn check_422(attributes: &PixelAttributes) -> Result<(), PixelError> {
    if attributes.bits.allocated != 8 || attributes.planar {
        return Err(PixelError::Unsupported { what: "4:2:2 of this layout" });
    }
    if !attributes.columns.is_multiple_of(2) {
        return Err(PixelError::Disagrees { what: "Columns of 4:2:2" });
    }
    Ok(())
}

/// One byte for each bit, the lowest bit of a byte first (PS3.5 §8.1.1).
fn bits_to_bytes(packed: &[u8], first_bit: u8, count: usize) -> Vec<u8> {
    let bits = packed.iter().flat_map(|byte| (0..8).map(move |bit| (byte >> bit) & 1));
    bits.skip(usize::from(first_bit)).take(count).collect()
}

/// `Y Y Cb Cr` for two pixels becomes `Y Cb Cr` for each (PS3.3 §C.7.6.3.1.2).
fn expand_422(packed: &[u8], wanted: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(wanted);
    for [first, second, blue, red] in packed.as_chunks::<4>().0 {
        bytes.extend_from_slice(&[*first, *blue, *red, *second, *blue, *red]);
    }
    bytes
}

/// Three planes become pixels of three samples.
#[must_use]
pub fn interleave(planes: &[u8], sample_bytes: usize, wanted: usize) -> Vec<u8> {
    let plane = planes.len() / 3;
    let mut bytes = Vec::with_capacity(wanted);
    let (red, rest) = planes.split_at(plane);
    let (green, blue) = rest.split_at(plane);
    let chunks = red
        .chunks_exact(sample_bytes)
        .zip(green.chunks_exact(sample_bytes))
        .zip(blue.chunks_exact(sample_bytes));
    for ((red, green), blue) in chunks {
        bytes.extend_from_slice(red);
        bytes.extend_from_slice(green);
        bytes.extend_from_slice(blue);
    }
    bytes
}

/// Pixels of three samples become three planes.
#[must_use]
pub fn separate(pixels: &[u8], sample_bytes: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(pixels.len());
    for sample in 0..3 {
        for pixel in pixels.chunks_exact(3 * sample_bytes) {
            let start = sample * sample_bytes;
            bytes.extend_from_slice(pixel.get(start..start + sample_bytes).unwrap_or_default());
        }
    }
    bytes
}

/// Packs a frame into native bytes. Frames of single bits are packed by
/// [`BitPacker`] instead, since they share bytes.
#[must_use]
pub fn pack(frame: &StoredFrame, planar: bool) -> Vec<u8> {
    if frame.photometric == Photometric::YbrFull422 {
        let mut bytes = Vec::with_capacity(frame.bytes.len() / 3 * 2);
        for [first, blue, red, second, _blue, _red] in frame.bytes.as_chunks::<6>().0 {
            bytes.extend_from_slice(&[*first, *second, *blue, *red]);
        }
        return bytes;
    }
    if planar { separate(&frame.bytes, frame.bits.bytes()) } else { frame.bytes.clone() }
}

/// Packs single bits, frame after frame without padding between them.
#[derive(Debug, Default)]
pub struct BitPacker {
    byte: u8,
    count: u8,
}

impl BitPacker {
    /// The whole bytes that these samples complete.
    pub fn push(&mut self, samples: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(samples.len() / 8 + 1);
        for sample in samples {
            self.byte |= (sample & 1) << self.count;
            self.count += 1;
            if self.count == 8 {
                bytes.push(self.byte);
                *self = Self::default();
            }
        }
        bytes
    }

    /// The last byte, if one was begun.
    pub fn finish(&mut self) -> Option<u8> {
        let last = (self.count > 0).then_some(self.byte);
        *self = Self::default();
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::pixels::testing::Header;
    use crate::config::CleanLimits;

    fn attributes(header: Header) -> PixelAttributes {
        PixelAttributes::read(&header.set(), &CleanLimits::default()).unwrap()
    }

    fn coded(bytes: &[u8], first_bit: u8) -> Coded {
        Coded { bytes: bytes.to_vec(), first_bit }
    }

    #[test]
    fn planes_and_pairs_are_unpacked_and_packed_without_loss() {
        let planar = attributes(Header { planar: true, ..Header::rgb8(1, 2) });
        let frame = unpack(&planar, coded(&[1, 2, 3, 4, 5, 6], 0)).unwrap();
        assert_eq!(frame.bytes, [1, 3, 5, 2, 4, 6]);
        assert_eq!(pack(&frame, true), [1, 2, 3, 4, 5, 6]);

        let pairs = attributes(Header { photometric: "YBR_FULL_422", ..Header::rgb8(1, 2) });
        let frame = unpack(&pairs, coded(&[10, 20, 90, 91], 0)).unwrap();
        assert_eq!(frame.bytes, [10, 90, 91, 20, 90, 91]);
        assert_eq!(pack(&frame, false), [10, 20, 90, 91]);
        let odd = attributes(Header { photometric: "YBR_FULL_422", ..Header::rgb8(1, 3) });
        assert!(unpack(&odd, coded(&[0; 6], 0)).is_err());
    }

    #[test]
    fn single_bits_run_on_from_frame_to_frame() {
        let attributes = attributes(Header { bits: (1, 1), ..Header::grey8(1, 5) });
        let first = unpack(&attributes, coded(&[0b0111_0101], 0)).unwrap();
        assert_eq!(first.bytes, [1, 0, 1, 0, 1]);
        let second = unpack(&attributes, coded(&[0b0111_0101, 0b10], 5)).unwrap();
        assert_eq!(second.bytes, [1, 1, 0, 0, 1]);
        let mut packer = BitPacker::default();
        let mut packed = packer.push(&first.bytes);
        packed.extend(packer.push(&second.bytes));
        packed.extend(packer.finish());
        assert_eq!(packed, [0b0111_0101, 0b10]);
    }
}
