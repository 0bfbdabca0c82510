//! Lossless JPEG, first-order prediction (ISO/IEC 10918-1 Annex H, selection
//! value 1), which .57 and .70 allow (PS3.5 §A.4.1).
//!
//! Huffman tables are made for the frame, one for each component; what a
//! decoder takes colour from (identifiers, JFIF, Adobe) stays as received.

use super::precision::fitting;
use crate::clean::pixels::codestream::StreamHeader;
use crate::clean::pixels::frame::word;
use crate::clean::pixels::jpeg::bits::{BitWriter, category};
use crate::clean::pixels::jpeg::huffman::{self, Definition, HuffmanEncoder, HuffmanTable};
use crate::clean::pixels::{PixelError, StoredFrame};

/// Fewest and most bits of a sample (Table B.2).
const PRECISION_MIN: u8 = 2;
pub(super) const PRECISION_MAX: u8 = 16;
/// Difference 32,768, which has no additional bits (Table H.2).
const CATEGORY_MAX: u32 = 16;
/// Most components.
const COMPONENTS: usize = 3;

/// Encodes one frame with samples of the precision that the received stream
/// had, or of Bits Stored where they need more.
///
/// # Errors
/// Samples that lossless JPEG cannot hold: quarantine.
pub(super) fn encode(frame: &StoredFrame, received: &StreamHeader) -> Result<Vec<u8>, PixelError> {
    let precision = fitting(frame, received.precision, PRECISION_MIN..=PRECISION_MAX);
    if precision > PRECISION_MAX {
        return Err(PixelError::Unsupported { what: "lossless JPEG of more than 16 bits" });
    }
    let too_large = |_overflow| PixelError::Unsupported { what: "lossless JPEG of this size" };
    let size = [u16::try_from(frame.height), u16::try_from(frame.width)];
    let [height, width] = size;
    let size = [height.map_err(too_large)?, width.map_err(too_large)?];
    let samples = Samples { frame, mask: u16::MAX >> (16 - precision), half: 1 << (precision - 1) };
    let tables = tables(&samples);
    let mut stream = vec![0xFF, 0xD8];
    stream.extend(colour(received));
    stream.extend(frame_header(size, precision, &identifiers(frame, received)));
    for (destination, table) in (0_u8..).zip(&tables) {
        let table = table.clone();
        stream.extend(huffman::segment(&[Definition { class: 0, destination, table }]));
    }
    stream.extend(scan_header(&identifiers(frame, received)));
    stream.extend(coded(&samples, &tables));
    stream.extend([0xFF, 0xD9]);
    Ok(stream)
}

/// The samples of a frame as the codestream has them.
struct Samples<'a> {
    frame: &'a StoredFrame,
    /// The bits of a sample: signs drawn out above it are left off.
    mask: u16,
    /// Prediction of the first sample (§H.1.2.1).
    half: u16,
}

impl Samples<'_> {
    /// Hands each difference to the sample before, modulo 2¹⁶, to `take`, with
    /// the number of its component; a line begins at the sample above.
    fn differences(&self, mut take: impl FnMut(usize, i32)) {
        let bits = self.frame.bits;
        let pixel_bytes = self.frame.pixel_bytes();
        let row_bytes = usize::try_from(self.frame.width).unwrap_or(usize::MAX) * pixel_bytes;
        let mut above = [self.half; COMPONENTS];
        for row in self.frame.bytes.chunks_exact(row_bytes.max(1)) {
            let mut before = above;
            for (x, pixel) in row.chunks_exact(pixel_bytes).enumerate() {
                let words = pixel.chunks_exact(bits.bytes());
                for (component, (word_bytes, before)) in words.zip(&mut before).enumerate() {
                    let sample = u16::try_from(word(word_bytes) & u32::from(self.mask));
                    let sample = sample.unwrap_or_default();
                    take(component, i32::from(sample.wrapping_sub(*before).cast_signed()));
                    *before = sample;
                }
                if x == 0 {
                    above = before;
                }
            }
        }
    }
}

/// The best table for each component.
fn tables(samples: &Samples<'_>) -> Vec<HuffmanTable> {
    let mut frequencies = vec![[0_u64; 256]; samples.frame.samples()];
    samples.differences(|component, difference| {
        let category = usize::try_from(category(difference)).unwrap_or_default();
        let frequencies = frequencies.get_mut(component);
        if let Some(frequency) = frequencies.and_then(|table| table.get_mut(category)) {
            *frequency += 1;
        }
    });
    frequencies.iter().map(HuffmanTable::optimal).collect()
}

fn coded(samples: &Samples<'_>, tables: &[HuffmanTable]) -> Vec<u8> {
    let encoders: Vec<HuffmanEncoder> = tables.iter().map(HuffmanEncoder::new).collect();
    let mut writer = BitWriter::default();
    samples.differences(|component, difference| {
        let Some(encoder) = encoders.get(component) else { return };
        let category = category(difference);
        let (code, length) = encoder.code(u8::try_from(category).unwrap_or_default());
        writer.put(code, length);
        if category < CATEGORY_MAX {
            writer.put_signed(difference, category);
        }
    });
    writer.finish()
}

/// JFIF and Adobe segments, where the received stream had them.
fn colour(received: &StreamHeader) -> Vec<u8> {
    let mut segments = Vec::new();
    if received.jfif {
        // Version 1.1, density 1 : 1, no thumbnail.
        segments.extend(b"\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    }
    if let Some(transform) = received.adobe {
        segments.extend(b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0");
        segments.push(transform);
    }
    segments
}

/// The received ones; 1, 2, 3 where they do not tell components apart.
fn identifiers(frame: &StoredFrame, received: &StreamHeader) -> Vec<u8> {
    let mut sorted = received.identifiers.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() == frame.samples() && received.identifiers.len() == frame.samples() {
        return received.identifiers.clone();
    }
    (1..).take(frame.samples()).collect()
}

/// `P Y X Nf`, then `C HV Tq` for each component (§B.2.2).
fn frame_header(size: [u16; 2], precision: u8, identifiers: &[u8]) -> Vec<u8> {
    let mut content = vec![precision];
    content.extend(size.iter().flat_map(|side| side.to_be_bytes()));
    content.push(count(identifiers));
    content.extend(identifiers.iter().flat_map(|identifier| [*identifier, 0x11, 0]));
    segment(0xC3, &content)
}

/// `Ns`, then `Cs TdTa` for each component, `Ss Se AhAl` (§B.2.3).
fn scan_header(identifiers: &[u8]) -> Vec<u8> {
    let mut content = vec![count(identifiers)];
    let tables = (0_u8..).map(|destination| destination << 4);
    content.extend(identifiers.iter().zip(tables).flat_map(|(id, table)| [*id, table]));
    content.extend([1, 0, 0]);
    segment(0xDA, &content)
}

fn count(identifiers: &[u8]) -> u8 {
    u8::try_from(identifiers.len()).unwrap_or(u8::MAX)
}

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let size = u16::try_from(content.len() + 2).unwrap_or(u16::MAX).to_be_bytes();
    [&[0xFF, marker], size.as_slice(), content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::encode::testing::{DEPTHS, SIZES, Texture, decoder_input, frame};
    use crate::clean::pixels::{Codec, Coded, Decoder, Photometric};

    fn received(frame: &StoredFrame) -> StreamHeader {
        StreamHeader { precision: frame.bits.stored, ..StreamHeader::default() }
    }

    fn decoded(frame: &StoredFrame, bytes: &[u8]) -> StoredFrame {
        let attributes = decoder_input(frame);
        let decoder = Decoder { attributes: &attributes, codec: Codec::Jpeg };
        decoder.decode(Coded { bytes: bytes.to_vec(), first_bit: 0 }).unwrap().frame
    }

    #[test]
    fn what_was_encoded_is_decoded_bit_for_bit() {
        for size in SIZES {
            for (allocated, stored, signed) in DEPTHS {
                for colour in [Photometric::Monochrome2, Photometric::Rgb, Photometric::YbrFull] {
                    for texture in [Texture::Noise, Texture::Extremes, Texture::Smooth] {
                        let frame = frame(colour, size, (allocated, stored, signed), texture);
                        let coded = encode(&frame, &received(&frame)).unwrap();
                        assert!(decoded(&frame, &coded) == frame, "{size:?} {stored} {colour:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_tells_decoders_the_colour_stays_as_received() {
        let rgb = frame(Photometric::Rgb, (5, 4), (8, 8, false), Texture::Noise);
        let headers = [
            StreamHeader { identifiers: b"RGB".to_vec(), ..received(&rgb) },
            StreamHeader { identifiers: vec![0, 1, 2], adobe: Some(0), ..received(&rgb) },
            StreamHeader { identifiers: vec![1, 2, 3], jfif: true, ..received(&rgb) },
        ];
        for header in headers {
            let attributes = decoder_input(&rgb);
            let decoder = Decoder { attributes: &attributes, codec: Codec::Jpeg };
            let bytes = encode(&rgb, &header).unwrap();
            let decoded = decoder.decode(Coded { bytes, first_bit: 0 }).unwrap();
            assert!(decoded.clean.is_none(), "nothing in it that does not pass");
            let told = decoded.header;
            assert_eq!(
                (&told.identifiers, told.adobe, told.jfif),
                (&header.identifiers, header.adobe, header.jfif)
            );
        }
        let twice = StreamHeader { identifiers: vec![7, 7, 7], ..received(&rgb) };
        assert_eq!(decoded(&rgb, &encode(&rgb, &twice).unwrap()), rgb);
    }

    #[test]
    fn a_difference_of_half_the_range_has_no_additional_bits() {
        let mut frame = frame(Photometric::Monochrome2, (3, 1), (16, 16, false), Texture::Smooth);
        frame.bytes = [0x8000_u16, 0, 0x8000].iter().flat_map(|word| word.to_le_bytes()).collect();
        let coded = encode(&frame, &received(&frame)).unwrap();
        assert_eq!(decoded(&frame, &coded), frame);
    }
}
