//! Samples as the header describes them: how many bytes a frame has, and that
//! bits beside the values say nothing.

use super::stream::{Fault, Stream};
use crate::dicom::{DataSet, Tag};

const SAMPLES_PER_PIXEL: Tag = Tag(0x0028, 0x0002);
const PHOTOMETRIC: Tag = Tag(0x0028, 0x0004);
const NUMBER_OF_FRAMES: Tag = Tag(0x0028, 0x0008);
const ROWS: Tag = Tag(0x0028, 0x0010);
const COLUMNS: Tag = Tag(0x0028, 0x0011);
const BITS_ALLOCATED: Tag = Tag(0x0028, 0x0100);
const BITS_STORED: Tag = Tag(0x0028, 0x0101);
const HIGH_BIT: Tag = Tag(0x0028, 0x0102);
const PIXEL_REPRESENTATION: Tag = Tag(0x0028, 0x0103);

const RLE_HEADER_BYTES: u64 = 64;
/// Segments that an RLE header has room for (PS3.5 §G.5).
const RLE_SEGMENTS_MAX: usize = 15;

/// What the header says of the samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) frames: u64,
    pixels: u64,
    samples: u64,
    native_samples: u64,
    allocated: u32,
    /// The bits of a word that belong to the value.
    mask: u32,
    sign: Option<u32>,
}

impl Shape {
    /// `None` for a header that contradicts itself.
    pub(super) fn of(set: &DataSet) -> Option<Self> {
        let number = |tag| set.us(tag).map(u32::from);
        let frames = match set.get(NUMBER_OF_FRAMES).filter(|element| !element.is_empty()) {
            Some(_) => u64::try_from(set.integer(NUMBER_OF_FRAMES)?).ok()?,
            None => 1,
        };
        let allocated = number(BITS_ALLOCATED).filter(|bits| [1, 8, 16, 32].contains(bits))?;
        let stored = number(BITS_STORED).filter(|bits| (1..=allocated).contains(bits))?;
        let high = number(HIGH_BIT).unwrap_or(stored - 1);
        let shift = (high + 1).checked_sub(stored).filter(|shift| shift + stored <= allocated)?;
        let mask = (u32::MAX >> (32 - stored)) << shift;
        let samples = u64::from(number(SAMPLES_PER_PIXEL)?);
        // Colour differences for every second column only (PS3.3 §C.7.6.3.1.2).
        let pairs = set.ascii(PHOTOMETRIC) == Some("YBR_FULL_422");
        Some(Self {
            frames,
            pixels: u64::from(number(ROWS)?) * u64::from(number(COLUMNS)?),
            samples,
            native_samples: if pairs { 2 } else { samples },
            allocated,
            mask,
            sign: (number(PIXEL_REPRESENTATION) == Some(1)).then_some(1 << high),
        })
    }

    /// Bytes of `frames` native frames, which follow each other bit by bit.
    pub(super) fn native_bytes(&self, frames: u64) -> Option<u64> {
        let bits = self.pixels.checked_mul(self.native_samples * u64::from(self.allocated))?;
        Some(bits.checked_mul(frames)?.div_ceil(8))
    }

    /// Bits of the last byte of `frames` native frames that belong to none.
    fn last_unused(&self, frames: u64) -> u8 {
        let bits = self.pixels % 8 * self.native_samples * u64::from(self.allocated) * (frames % 8);
        match bits % 8 {
            0 => 0,
            used => 0xFF_u8 << used,
        }
    }

    /// Zeros, or above a value that is negative copies of its sign.
    fn is_clean(&self, word: u32) -> bool {
        let beside = word & !self.mask;
        let drawn_out = || {
            let all = u32::MAX >> (32 - self.allocated.max(8));
            let above = self.sign.map_or(0, |sign| all & !(sign | (sign - 1)));
            self.sign.is_some_and(|sign| word & sign != 0) && beside == above
        };
        beside == 0 || drawn_out()
    }

    /// No bit of any pair of bytes stands beside a value. Eight bytes at a time:
    /// nearly all pictures have 16 bits with nothing beside.
    fn are_bare_pairs(&self, pairs: &[u8]) -> bool {
        let (eights, rest) = pairs.as_chunks::<8>();
        let beside = u64::from(!self.mask & 0xFFFF) * 0x0001_0001_0001_0001;
        let mut all = 0;
        for eight in eights {
            all |= u64::from_le_bytes(*eight);
        }
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        (all | u64::from_le_bytes(last)) & beside == 0
    }

    fn word_bytes(&self) -> usize {
        usize::try_from(self.allocated.div_ceil(8)).unwrap_or(1)
    }

    /// The most significant byte of a word, by itself.
    fn is_clean_top(&self, byte: u8) -> bool {
        let shift = self.allocated.saturating_sub(8);
        let top = u32::from(byte) << shift;
        let beside = top & !self.mask;
        let all_beside = !self.mask & (0xFF << shift);
        beside == 0 || (self.sign.is_some() && beside == all_beside)
    }
}

/// Checks little endian samples that come in pieces.
#[derive(Debug)]
pub(super) struct NativeCheck {
    shape: Shape,
    word: Vec<u8>,
    seen: u64,
    wanted: u64,
    last_unused: u8,
}

impl NativeCheck {
    /// For the samples of `frames` frames together.
    pub(super) fn new(shape: Shape, frames: u64) -> Option<Self> {
        let wanted = shape.native_bytes(frames)?;
        let last_unused = if shape.allocated == 1 { shape.last_unused(frames) } else { 0 };
        Some(Self { shape, word: Vec::new(), seen: 0, wanted, last_unused })
    }

    /// Takes the next bytes.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let left = usize::try_from(self.wanted.saturating_sub(self.seen)).unwrap_or(usize::MAX);
        let (samples, after) = bytes.split_at(left.min(bytes.len()));
        self.samples(samples)?;
        self.seen += bytes.len() as u64;
        // One byte of zero makes the length even.
        let padding = self.seen - self.seen.min(self.wanted);
        if padding > self.wanted % 2 || after.iter().any(|byte| *byte != 0) {
            return Err(Fault::Broken("bytes-after-the-samples"));
        }
        Ok(())
    }

    fn samples(&mut self, samples: &[u8]) -> Result<(), Fault> {
        let unclean = Err(Fault::Broken("bits-beside-the-samples"));
        if self.shape.allocated == 1 {
            let ends_here = self.seen + samples.len() as u64 == self.wanted;
            let last = samples.last().filter(|_| ends_here);
            return if last.is_some_and(|last| last & self.last_unused != 0) {
                unclean
            } else {
                Ok(())
            };
        }
        let size = self.shape.word_bytes();
        if self.shape.mask == u32::MAX >> (32 - self.shape.allocated) {
            return Ok(());
        }
        let missing = (size - self.word.len()) % size;
        let (first, rest) = samples.split_at(missing.min(samples.len()));
        self.word.extend_from_slice(first);
        let carried = std::mem::take(&mut self.word);
        let words = rest.chunks_exact(size);
        self.word.extend_from_slice(words.remainder());
        if carried.len() < size && !carried.is_empty() {
            self.word = carried;
            return Ok(());
        }
        let clean = |word: &[u8]| self.shape.is_clean(crate::clean::pixels::frame::word(word));
        let mut words = std::iter::once(carried.as_slice()).chain(words);
        let bare = size == 2 && clean(&carried) && self.shape.are_bare_pairs(rest);
        if bare || words.all(clean) { Ok(()) } else { unclean }
    }

    /// All were there.
    pub(super) fn end(&self) -> Result<(), Fault> {
        if self.seen < self.wanted { Err(Fault::Broken("pixel-data-length")) } else { Ok(()) }
    }
}

/// A native frame in fragments of its own (PS3.5 §A.4.11).
pub(super) fn uncompressed(stream: &mut Stream<'_>, shape: Shape) -> Result<(), Fault> {
    let mut check = NativeCheck::new(shape, 1).ok_or(Fault::Broken("pixel-data-length"))?;
    let mut left = check.wanted;
    while left > 0 {
        let piece = stream.piece(left)?;
        if piece.is_empty() {
            break;
        }
        left -= piece.len() as u64;
        check.take(&piece)?;
    }
    check.end()
}

/// A deflated frame (PS3.5 §A.4.13): one fragment, whose stream ends with it.
pub(super) fn deflated(stream: &mut Stream<'_>, shape: Shape) -> Result<(), Fault> {
    let mut check = NativeCheck::new(shape, 1).ok_or(Fault::Broken("pixel-data-length"))?;
    let mut inflater = flate2::Decompress::new(false);
    let mut inflated = vec![0; 64 << 10];
    let mut left = stream.left_in_fragment();
    loop {
        let piece = stream.piece(left)?;
        left -= piece.len() as u64;
        let mut rest = piece.as_slice();
        loop {
            let before = (inflater.total_in(), inflater.total_out());
            let status = inflater
                .decompress(rest, &mut inflated, flate2::FlushDecompress::None)
                .map_err(|_damaged| Fault::Broken("coded-stream-damaged"))?;
            let used = usize::try_from(inflater.total_in() - before.0).unwrap_or(usize::MAX);
            let made = usize::try_from(inflater.total_out() - before.1).unwrap_or(usize::MAX);
            rest = rest.get(used..).unwrap_or_default();
            check.take(inflated.get(..made).unwrap_or_default())?;
            if status == flate2::Status::StreamEnd {
                let padded = matches!((rest, left), ([], 0) | ([0], 0));
                let ended = padded || (rest.is_empty() && left == 1 && stream.next()? == Some(0));
                check.end()?;
                return if ended { Ok(()) } else { Err(Fault::Broken("bytes-after-the-samples")) };
            }
            if made < inflated.len() && rest.is_empty() {
                break;
            }
        }
        if piece.is_empty() {
            return Err(Fault::Broken("coded-stream-cut"));
        }
    }
}

/// An RLE frame (PS3.5 Annex G): a header, and segments that follow each other
/// and end with their last pixel.
pub(super) fn rle(stream: &mut Stream<'_>, shape: Shape) -> Result<(), Fault> {
    let damaged = Fault::Broken("coded-stream-damaged");
    let start = stream.taken();
    let end = start + stream.left_in_fragment();
    let header: [u8; 64] = stream.array()?;
    let mut fields = header.as_chunks::<4>().0.iter().map(|field| u32::from_le_bytes(*field));
    let count = fields.next().and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    let words = u64::try_from(shape.word_bytes()).unwrap_or(1);
    if count > RLE_SEGMENTS_MAX || count as u64 != shape.samples * words {
        return Err(damaged);
    }
    let offsets: Vec<u64> = fields.by_ref().take(count).map(u64::from).collect();
    if offsets.first() != Some(&RLE_HEADER_BYTES) || fields.any(|unused| unused != 0) {
        return Err(Fault::Broken("bytes-beside-the-samples"));
    }
    let ends = offsets.iter().skip(1).map(|offset| start + offset).chain([end]);
    for (segment, segment_end) in (0_u64..).zip(ends) {
        let is_top = segment % words == 0;
        unrolled(stream, shape, is_top)?;
        let padding = segment_end.checked_sub(stream.taken());
        let sound = match padding {
            Some(0) => true,
            Some(1) => stream.next()? == Some(0),
            Some(_) | None => false,
        };
        if !sound {
            return Err(Fault::Broken("bytes-after-the-samples"));
        }
    }
    Ok(())
}

/// One segment, up to its last pixel.
fn unrolled(stream: &mut Stream<'_>, shape: Shape, is_top: bool) -> Result<(), Fault> {
    let mut missing = shape.pixels;
    while missing > 0 {
        let [control] = stream.array()?;
        let (values, repeated) = match control {
            0..=127 => (u64::from(control) + 1, 1),
            128 => continue,
            129..=255 => (1, 257 - u64::from(control)),
        };
        if values > missing {
            return Err(Fault::Broken("bytes-after-the-samples"));
        }
        for _value in 0..values {
            let [byte] = stream.array()?;
            if is_top && !shape.is_clean_top(byte) {
                return Err(Fault::Broken("bits-beside-the-samples"));
            }
        }
        missing = missing.saturating_sub(values * repeated);
    }
    Ok(())
}
