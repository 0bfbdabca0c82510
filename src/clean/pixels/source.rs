//! Where the bytes of each frame lie: pixel data element in, the coded bytes
//! of one frame out.
//!
//! Invariant: a frame is read once it is wanted and costs its own bytes, never
//! the instance; where its place is not certain the instance is quarantined.
//! `assign` says which fragments are whose.

use std::io::SeekFrom;
use std::ops::Range;

use super::assign::{Assigned, Encapsulated};
use super::{Codec, PixelAttributes, PixelError, ReadSeek};
use crate::config::CleanLimits;
use crate::dicom::{DataSet, Element, Extent, Source, VR, Value};

/// Bytes of native data looked through at a time. Default 64 KiB.
const PIECE_BYTES: usize = 64 << 10;

/// The coded bytes of one frame.
#[derive(Debug)]
pub struct Coded {
    /// The bytes; native frames are little endian and exactly as long as the header says.
    pub bytes: Vec<u8>,
    /// Native single bits: bit of the first byte at which the frame begins.
    pub first_bit: u8,
}

/// How native bytes are turned into little endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Swap {
    None,
    /// Each group of 2 or 4 bytes is turned round.
    Groups(usize),
    /// The 16-bit halves of 32 bits are exchanged: a reader of big endian OW
    /// has turned the bytes of each half.
    Halves,
}

#[derive(Debug)]
enum Place {
    /// Native pixel data in the input file.
    Bulk { extent: Extent, swap: Swap },
    /// Short native pixel data that came with the data set.
    Held { bytes: Vec<u8>, swap: Swap },
    /// Fragments, and which are whose.
    Fragments(Assigned),
}

/// Pixel data with what is needed to find its frames.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// The data set that it stands in.
    pub set: &'a DataSet,
    /// The element.
    pub pixel_data: &'a Element,
    /// What the header says.
    pub attributes: &'a PixelAttributes,
    /// How the frames are coded.
    pub codec: Codec,
    /// Bulk values are big endian.
    pub big_endian: bool,
}

/// Finds and reads the frames of one instance.
#[derive(Debug)]
pub struct FrameSource {
    place: Place,
    frames: u32,
    frame_bits: u64,
    coded_bytes_max: u64,
}

impl FrameSource {
    /// Works out where each frame lies; of fragments it reads the first bytes
    /// where nothing else tells.
    ///
    /// # Errors
    /// Pixel data too short, not coded as the transfer syntax says, or
    /// fragments that cannot be assigned to frames: quarantine.
    pub fn new(
        received: &Received<'_>,
        limits: &CleanLimits,
        input: &mut dyn ReadSeek,
    ) -> Result<Self, PixelError> {
        let Received { set, pixel_data, attributes, codec, big_endian } = *received;
        let native = codec == Codec::Native;
        let swap = swap_of(pixel_data, attributes, big_endian);
        let place = match &pixel_data.value {
            Value::Bulk(extent) if native => Place::Bulk { extent: *extent, swap: swap.0 },
            Value::Bytes(bytes) if native => Place::Held { bytes: bytes.clone(), swap: swap.1 },
            Value::Fragments { offset_table, fragments } if !native => {
                let (frames, rle_segments) = (attributes.frames, attributes.rle_segments());
                let pixels =
                    Encapsulated { set, offset_table, fragments, frames, codec, rle_segments };
                Place::Fragments(pixels.assign(input)?)
            }
            Value::Bulk(_) | Value::Bytes(_) | Value::Fragments { .. } | Value::Items(_) => {
                return Err(PixelError::Disagrees { what: "encapsulation of Pixel Data" });
            }
        };
        let source = Self {
            place,
            frames: attributes.frames,
            frame_bits: attributes.native_frame_bits(),
            coded_bytes_max: limits.frame_bytes_max,
        };
        source.check_native_length()?;
        Ok(source)
    }

    /// Bytes of native pixel data without padding or anything after it.
    fn native_bytes(&self) -> Result<u64, PixelError> {
        let bits = self.frame_bits.checked_mul(u64::from(self.frames));
        bits.map(|bits| bits.div_ceil(8)).ok_or(PixelError::OverLimit { limit: "frames_max" })
    }

    fn check_native_length(&self) -> Result<(), PixelError> {
        let present = match &self.place {
            Place::Bulk { extent, .. } => extent.bytes,
            Place::Held { bytes, .. } => length(bytes),
            Place::Fragments(_) => return Ok(()),
        };
        if present < self.native_bytes()? {
            return Err(PixelError::Disagrees { what: "length of Pixel Data" });
        }
        Ok(())
    }

    /// Shows all samples of native pixel data that lies in the file as it will
    /// be read, in pieces of whole words of `word_bytes`, until `look` has seen
    /// enough; `None` where they are not simply there.
    ///
    /// # Errors
    /// A failing file: quarantine.
    pub fn look_through(
        &self,
        word_bytes: usize,
        input: &mut dyn ReadSeek,
        mut look: impl FnMut(&[u8]) -> bool,
    ) -> Result<Option<bool>, PixelError> {
        let Place::Bulk { extent, swap: Swap::None } = &self.place else { return Ok(None) };
        if extent.source != Source::Input {
            return Ok(None);
        }
        let mut piece = vec![0; PIECE_BYTES - PIECE_BYTES % word_bytes.max(1)];
        let mut left = self.native_bytes()?;
        input.seek(SeekFrom::Start(extent.offset))?;
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            let bytes = piece.get_mut(..count).unwrap_or_default();
            input.read_exact(bytes)?;
            if !look(bytes) {
                return Ok(Some(false));
            }
            left -= length(bytes);
        }
        Ok(Some(true))
    }

    /// Native pixel data of exactly the length that the header asks for, when
    /// there is more than that and one byte of padding: what follows the last
    /// frame does not pass.
    ///
    /// # Errors
    /// None in practice: the length was checked before.
    pub fn without_tail(&self) -> Result<Option<Value>, PixelError> {
        let wanted = self.native_bytes()?;
        let padded = wanted.next_multiple_of(2);
        Ok(match &self.place {
            Place::Bulk { extent, .. } if extent.bytes > padded => {
                Some(Value::Bulk(Extent { bytes: wanted, ..*extent }))
            }
            Place::Held { bytes, .. } if length(bytes) > padded => {
                let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
                Some(Value::Bytes(bytes.get(..wanted).unwrap_or_default().to_vec()))
            }
            Place::Bulk { .. } | Place::Held { .. } | Place::Fragments(_) => None,
        })
    }

    /// The fragments of one frame; empty for native pixel data.
    #[must_use]
    pub fn fragments(&self, frame: u32) -> &[Extent] {
        match &self.place {
            Place::Fragments(assigned) => usize::try_from(frame)
                .ok()
                .and_then(|frame| assigned.frames.get(frame))
                .and_then(|range| assigned.fragments.get(range.clone()))
                .unwrap_or_default(),
            Place::Bulk { .. } | Place::Held { .. } => &[],
        }
    }

    /// The coded bytes of a frame whose fragments cannot pass one by one: one
    /// before the last has an odd number of bytes (PS3.5 §A.4 asks for even
    /// ones), and a byte of padding in mid-frame would damage it.
    #[must_use]
    pub fn joined(&self, frame: u32, coded: Coded) -> Option<Vec<u8>> {
        let (_last, before) = self.fragments(frame).split_last()?;
        let has_odd = before.iter().any(|extent| !extent.bytes.is_multiple_of(2));
        has_odd.then_some(coded.bytes)
    }

    /// Reads the coded bytes of frame `frame`, counted from 0.
    ///
    /// # Errors
    /// A frame over the limit or a failing file: quarantine.
    pub fn read(&self, frame: u32, input: &mut dyn ReadSeek) -> Result<Coded, PixelError> {
        let first = self.frame_bits * u64::from(frame);
        let range = first / 8..(first + self.frame_bits).div_ceil(8);
        let first_bit = u8::try_from(first % 8).unwrap_or(0);
        let mut bytes = Vec::new();
        let swap = match &self.place {
            Place::Bulk { extent, swap } => {
                read_native(*extent, range, *swap, &mut bytes, input)?;
                Swap::None
            }
            Place::Held { bytes: held, swap } => {
                let start = usize::try_from(range.start).unwrap_or(usize::MAX);
                let end = usize::try_from(range.end).unwrap_or(usize::MAX);
                bytes.extend_from_slice(held.get(start..end).unwrap_or_default());
                *swap
            }
            Place::Fragments(_) => {
                for extent in self.fragments(frame) {
                    if length(&bytes).saturating_add(extent.bytes) > self.coded_bytes_max {
                        return Err(PixelError::OverLimit { limit: "frame_bytes_max" });
                    }
                    read_extent(*extent, &mut bytes, input)?;
                }
                Swap::None
            }
        };
        turn(&mut bytes, swap);
        Ok(Coded { bytes, first_bit })
    }
}

/// Reads a whole element of at most `bytes_max` bytes, for look-up tables.
///
/// # Errors
/// A value over the limit or a failing file: quarantine.
pub fn read_words(
    element: &Element,
    bytes_max: u64,
    big_endian: bool,
    input: &mut dyn ReadSeek,
) -> Result<Vec<u8>, PixelError> {
    match &element.value {
        Value::Bytes(bytes) => Ok(bytes.clone()),
        Value::Bulk(extent) if extent.bytes <= bytes_max => {
            let mut bytes = Vec::new();
            read_extent(*extent, &mut bytes, input)?;
            let swap = if big_endian { Swap::Groups(2) } else { Swap::None };
            turn(&mut bytes, swap);
            Ok(bytes)
        }
        Value::Bulk(_) => Err(PixelError::OverLimit { limit: "length of a look-up table" }),
        Value::Items(_) | Value::Fragments { .. } => {
            Err(PixelError::Attribute { name: "PaletteColorLookupTableData" })
        }
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// How bulk values (first) and held values (second) are turned: the reader has
/// already turned held ones by their VR, OW as 16-bit words (PS3.5 §7.3).
fn swap_of(element: &Element, attributes: &PixelAttributes, big_endian: bool) -> (Swap, Swap) {
    let words = element.vr == VR::OW;
    match (big_endian, attributes.bits.allocated) {
        (false, _) => (Swap::None, Swap::None),
        (true, 32) => (Swap::Groups(4), if words { Swap::Halves } else { Swap::Groups(4) }),
        (true, 16) => (Swap::Groups(2), if words { Swap::None } else { Swap::Groups(2) }),
        (true, _) if words => (Swap::Groups(2), Swap::None),
        (true, _) => (Swap::None, Swap::None),
    }
}

fn turn(bytes: &mut [u8], swap: Swap) {
    match swap {
        Swap::None => {}
        Swap::Groups(size) => {
            for group in bytes.chunks_exact_mut(size) {
                group.reverse();
            }
        }
        Swap::Halves => {
            for group in bytes.chunks_exact_mut(4) {
                group.rotate_left(2);
            }
        }
    }
}

fn read_extent(
    extent: Extent,
    bytes: &mut Vec<u8>,
    input: &mut dyn ReadSeek,
) -> Result<(), PixelError> {
    if extent.source != Source::Input {
        return Err(PixelError::Disagrees { what: "file of Pixel Data" });
    }
    let count = usize::try_from(extent.bytes)
        .map_err(|_too_large| PixelError::OverLimit { limit: "frame_bytes_max" })?;
    let start = bytes.len();
    bytes
        .try_reserve_exact(count)
        .map_err(|_no_memory| PixelError::OverLimit { limit: "memory" })?;
    bytes.resize(start + count, 0);
    input.seek(SeekFrom::Start(extent.offset))?;
    input.read_exact(bytes.get_mut(start..).unwrap_or_default())?;
    Ok(())
}

/// Reads `range` of a native value, turned into little endian: the range is
/// widened to whole groups first, since a frame can begin inside of one.
fn read_native(
    extent: Extent,
    range: Range<u64>,
    swap: Swap,
    bytes: &mut Vec<u8>,
    input: &mut dyn ReadSeek,
) -> Result<(), PixelError> {
    let group = match swap {
        Swap::None | Swap::Halves => 1,
        Swap::Groups(size) => u64::try_from(size).unwrap_or(1),
    };
    let start = range.start - range.start % group;
    let end = range.end.next_multiple_of(group).min(extent.bytes);
    let wide = Extent { offset: extent.offset + start, bytes: end.saturating_sub(start), ..extent };
    read_extent(wide, bytes, input)?;
    turn(bytes, swap);
    let skip = usize::try_from(range.start - start).unwrap_or(0);
    bytes.drain(..skip.min(bytes.len()));
    bytes.truncate(usize::try_from(range.end - range.start).unwrap_or(usize::MAX));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use dicom_dictionary_std::tags;

    use super::*;
    use crate::clean::pixels::testing::Header;

    fn native(header: Header, vr: VR, bytes: &[u8], big_endian: bool, frame: u32) -> Coded {
        let set = header.set();
        let limits = CleanLimits::default();
        let attributes = PixelAttributes::read(&set, &limits).unwrap();
        let count = u64::try_from(bytes.len()).unwrap();
        let extent = Extent { source: Source::Input, offset: 0, bytes: count };
        let element = Element { tag: tags::PIXEL_DATA, vr, value: Value::Bulk(extent) };
        let received = Received {
            set: &set,
            pixel_data: &element,
            attributes: &attributes,
            codec: Codec::Native,
            big_endian,
        };
        let mut input = Cursor::new(bytes.to_vec());
        let source = FrameSource::new(&received, &limits, &mut input).unwrap();
        source.read(frame, &mut input).unwrap()
    }

    #[test]
    fn big_endian_frames_come_out_little_endian() {
        let words = native(Header::grey16(1, 2), VR::OW, &[1, 2, 3, 4], true, 0);
        assert_eq!(words.bytes, [2, 1, 4, 3]);
        // Frames of three bytes in 16-bit words: the second begins inside a word.
        let odd = Header { frames: 2, ..Header::grey8(1, 3) };
        let bytes = [2, 1, 4, 3, 6, 5];
        assert_eq!(native(odd.clone(), VR::OW, &bytes, true, 0).bytes, [1, 2, 3]);
        assert_eq!(native(odd, VR::OW, &bytes, true, 1).bytes, [4, 5, 6]);
    }

    #[test]
    fn short_pixel_data_is_refused_and_long_is_cut() {
        let set = Header::grey8(2, 2).set();
        let limits = CleanLimits::default();
        let attributes = PixelAttributes::read(&set, &limits).unwrap();
        let source = |bytes| {
            let extent = Extent { source: Source::Input, offset: 8, bytes };
            let value = Value::Bulk(extent);
            let received = Received {
                set: &set,
                pixel_data: &Element { tag: tags::PIXEL_DATA, vr: VR::OB, value },
                attributes: &attributes,
                codec: Codec::Native,
                big_endian: false,
            };
            FrameSource::new(&received, &limits, &mut Cursor::new(Vec::new()))
        };
        assert!(matches!(source(3), Err(PixelError::Disagrees { .. })));
        assert_eq!(source(4).unwrap().without_tail().unwrap(), None);
        let cut = Extent { source: Source::Input, offset: 8, bytes: 4 };
        assert_eq!(source(10).unwrap().without_tail().unwrap(), Some(Value::Bulk(cut)));
    }
}
