//! The Image Pixel attributes (PS3.3 §C.7.6.3), checked before anything is
//! allocated.

use dicom_dictionary_std::tags;

use super::PixelError;
use crate::config::CleanLimits;
use crate::dicom::{DataSet, Tag};

/// Photometric Interpretation (PS3.3 §C.7.6.3.1.2), as far as it is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Photometric {
    /// Grey, the smallest value is white.
    Monochrome1,
    /// Grey, the smallest value is black.
    Monochrome2,
    /// Index into red, green and blue look-up tables.
    Palette,
    /// Red, green, blue.
    Rgb,
    /// Luminance and two colour differences, full range.
    YbrFull,
    /// The same, colour differences for every second column.
    YbrFull422,
    /// JPEG 2000 irreversible colour transform.
    YbrIct,
    /// JPEG 2000 reversible colour transform.
    YbrRct,
}

impl Photometric {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "MONOCHROME1" => Self::Monochrome1,
            "MONOCHROME2" => Self::Monochrome2,
            "PALETTE COLOR" => Self::Palette,
            "RGB" => Self::Rgb,
            "YBR_FULL" => Self::YbrFull,
            "YBR_FULL_422" => Self::YbrFull422,
            "YBR_ICT" => Self::YbrIct,
            "YBR_RCT" => Self::YbrRct,
            _other => return None,
        })
    }

    /// The defined term.
    #[must_use]
    pub fn term(self) -> &'static str {
        match self {
            Self::Monochrome1 => "MONOCHROME1",
            Self::Monochrome2 => "MONOCHROME2",
            Self::Palette => "PALETTE COLOR",
            Self::Rgb => "RGB",
            Self::YbrFull => "YBR_FULL",
            Self::YbrFull422 => "YBR_FULL_422",
            Self::YbrIct => "YBR_ICT",
            Self::YbrRct => "YBR_RCT",
        }
    }

    /// Samples per pixel that go with it.
    #[must_use]
    pub fn samples(self) -> u8 {
        match self {
            Self::Monochrome1 | Self::Monochrome2 | Self::Palette => 1,
            Self::Rgb | Self::YbrFull | Self::YbrFull422 | Self::YbrIct | Self::YbrRct => 3,
        }
    }
}

/// How the value of a sample lies in its word (PS3.5 §8.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleBits {
    /// Bits Allocated: 1, 8, 16 or 32.
    pub allocated: u8,
    /// Bits Stored.
    pub stored: u8,
    /// Unused bits below the value; 0 in nearly every object.
    pub shift: u8,
    /// Two's complement.
    pub signed: bool,
}

impl SampleBits {
    /// Bytes of a sample in a decoded frame; single bits are held as bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        usize::from(self.allocated.div_ceil(8))
    }

    /// The bits of a word that belong to the value.
    #[must_use]
    pub fn mask(self) -> u32 {
        let ones = u32::MAX.checked_shr(32 - u32::from(self.stored)).unwrap_or(0);
        ones << self.shift
    }

    /// The value of a word.
    #[must_use]
    pub fn value(self, word: u32) -> i64 {
        let value = (word & self.mask()) >> self.shift;
        let sign = 1_i64 << (self.stored - 1);
        let value = i64::from(value);
        if self.signed && value & sign != 0 { value - 2 * sign } else { value }
    }

    /// The word of a value: sign extended above, zero below.
    #[must_use]
    pub fn word(self, value: i64) -> u32 {
        let shifted = value << self.shift;
        let word = shifted.rem_euclid(1 << 32);
        let word = u32::try_from(word).unwrap_or(0);
        if self.signed { word & self.word_mask() } else { word & self.mask() }
    }

    /// Whether little endian words have nothing beside their values: zeros, or
    /// above a negative value copies of its sign.
    #[must_use]
    pub fn are_bare(self, words: &[u8]) -> bool {
        let (mask, all) = (self.mask(), self.word_mask());
        if !is_any_set(words, self.bytes(), all & !mask) {
            return true;
        }
        if !self.signed {
            return false;
        }
        let sign = 1_u32 << (self.stored - 1 + self.shift);
        let above = all & !(sign | (sign - 1));
        words.chunks_exact(self.bytes()).map(super::frame::word).all(|word| {
            let (beside, fill) = (word & !mask, if word & sign == 0 { 0 } else { above });
            beside == 0 || beside == fill
        })
    }

    /// All bits of a word.
    fn word_mask(self) -> u32 {
        u32::MAX >> (32 - 8 * u32::from(self.allocated.div_ceil(8)))
    }

    /// Least and greatest value that can be stored.
    #[must_use]
    pub fn range(self) -> (i64, i64) {
        let count = 1_i64 << self.stored;
        if self.signed { (-count / 2, count / 2 - 1) } else { (0, count - 1) }
    }
}

/// Some word has one of these bits. Eight bytes at a time: this is all that is
/// done with most pictures.
fn is_any_set(words: &[u8], width: usize, bits: u32) -> bool {
    let wide = u64::from(bits);
    let pattern = match width {
        1 => wide * 0x0101_0101_0101_0101,
        2 => wide * 0x0001_0001_0001_0001,
        _four => wide * 0x0000_0001_0000_0001,
    };
    let (eights, rest) = words.as_chunks::<8>();
    let mut found = 0;
    for eight in eights {
        found |= u64::from_le_bytes(*eight);
    }
    let last = rest.chunks_exact(width).map(super::frame::word).any(|word| word & bits != 0);
    found & pattern != 0 || last
}

/// What the header says of the pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PixelAttributes {
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub columns: u32,
    /// Photometric Interpretation.
    pub photometric: Photometric,
    /// Where the value lies in a word.
    pub bits: SampleBits,
    /// Planar Configuration 1: all red, then all green, then all blue.
    pub planar: bool,
    /// Number of Frames.
    pub frames: u32,
}

impl PixelAttributes {
    /// Reads and checks the attributes.
    ///
    /// # Errors
    /// Missing or contradictory attributes, and frames over the limits: the
    /// instance is quarantined.
    pub fn read(set: &DataSet, limits: &CleanLimits) -> Result<Self, PixelError> {
        let photometric = set
            .ascii(tags::PHOTOMETRIC_INTERPRETATION)
            .filter(|term| !term.is_empty())
            .ok_or(PixelError::Attribute { name: "PhotometricInterpretation" })?;
        let photometric = Photometric::parse(photometric)
            .ok_or(PixelError::Unsupported { what: "this photometric interpretation" })?;
        let samples = required(set, tags::SAMPLES_PER_PIXEL, "SamplesPerPixel")?;
        if samples != u16::from(photometric.samples()) {
            return Err(PixelError::Disagrees { what: "SamplesPerPixel" });
        }
        let attributes = Self {
            rows: u32::from(required(set, tags::ROWS, "Rows")?),
            columns: u32::from(required(set, tags::COLUMNS, "Columns")?),
            photometric,
            bits: read_bits(set)?,
            planar: photometric.samples() == 3
                && set.us(tags::PLANAR_CONFIGURATION).unwrap_or(0) == 1,
            frames: read_frames(set)?,
        };
        attributes.check(limits)?;
        Ok(attributes)
    }

    fn check(&self, limits: &CleanLimits) -> Result<(), PixelError> {
        if self.rows == 0 || self.columns == 0 {
            return Err(PixelError::Attribute { name: "Rows or Columns" });
        }
        let colour = self.photometric.samples() == 3;
        if colour && self.bits.allocated == 1 {
            return Err(PixelError::Unsupported { what: "colour of this depth" });
        }
        if self.photometric == Photometric::Palette && self.bits.allocated > 16 {
            return Err(PixelError::Unsupported { what: "a palette of this depth" });
        }
        if u64::from(self.rows) * u64::from(self.columns) > limits.frame_pixels_max {
            return Err(PixelError::OverLimit { limit: "frame_pixels_max" });
        }
        if self.decoded_bytes() > limits.frame_bytes_max {
            return Err(PixelError::OverLimit { limit: "frame_bytes_max" });
        }
        if self.frames > limits.frames_max {
            return Err(PixelError::OverLimit { limit: "frames_max" });
        }
        Ok(())
    }

    /// Samples of a pixel.
    #[must_use]
    pub fn samples(&self) -> u8 {
        self.photometric.samples()
    }

    /// Pixels of a frame; at most 2³².
    #[must_use]
    pub fn pixels(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.columns)
    }

    /// Bytes of a decoded frame; at most 2³² × 3 × 4.
    #[must_use]
    pub fn decoded_bytes(&self) -> u64 {
        let sample_bytes = u64::from(self.bits.allocated.div_ceil(8));
        self.pixels() * u64::from(self.samples()) * sample_bytes
    }

    /// Segments of an RLE frame: one for each byte of a pixel (PS3.5 §G.2).
    #[must_use]
    pub fn rle_segments(&self) -> u32 {
        u32::from(self.samples()) * u32::from(self.bits.allocated.div_ceil(8))
    }

    /// Bits of a native frame (PS3.5 §8.1.1): frames of single bits follow
    /// each other without padding, 4:2:2 has two samples a pixel.
    #[must_use]
    pub fn native_frame_bits(&self) -> u64 {
        let samples = match self.photometric {
            Photometric::YbrFull422 => 2,
            Photometric::Monochrome1
            | Photometric::Monochrome2
            | Photometric::Palette
            | Photometric::Rgb
            | Photometric::YbrFull
            | Photometric::YbrIct
            | Photometric::YbrRct => u64::from(self.samples()),
        };
        self.pixels() * samples * u64::from(self.bits.allocated)
    }
}

fn required(set: &DataSet, tag: Tag, name: &'static str) -> Result<u16, PixelError> {
    set.us(tag).ok_or(PixelError::Attribute { name })
}

fn read_bits(set: &DataSet) -> Result<SampleBits, PixelError> {
    let allocated = required(set, tags::BITS_ALLOCATED, "BitsAllocated")?;
    let stored = required(set, tags::BITS_STORED, "BitsStored")?;
    let high = set.us(tags::HIGH_BIT).unwrap_or(stored.saturating_sub(1));
    let allocated = match allocated {
        1 => 1_u8,
        8 => 8,
        16 => 16,
        32 => 32,
        _other => {
            return Err(PixelError::Unsupported {
                what: "Bits Allocated of neither 1, 8, 16 nor 32",
            });
        }
    };
    let stored = u8::try_from(stored)
        .ok()
        .filter(|stored| (1..=allocated).contains(stored))
        .ok_or(PixelError::Disagrees { what: "BitsStored" })?;
    let shift = u8::try_from(high)
        .ok()
        .filter(|high| *high < allocated)
        .and_then(|high| (high + 1).checked_sub(stored))
        .ok_or(PixelError::Disagrees { what: "HighBit" })?;
    let signed = match set.us(tags::PIXEL_REPRESENTATION).unwrap_or(0) {
        0 => false,
        1 => true,
        _other => return Err(PixelError::Attribute { name: "PixelRepresentation" }),
    };
    Ok(SampleBits { allocated, stored, shift, signed })
}

fn read_frames(set: &DataSet) -> Result<u32, PixelError> {
    match set.get(tags::NUMBER_OF_FRAMES) {
        None => Ok(1),
        Some(element) if element.is_empty() => Ok(1),
        Some(_) => set
            .integer(tags::NUMBER_OF_FRAMES)
            .and_then(|frames| u32::try_from(frames).ok())
            .filter(|frames| *frames > 0)
            .ok_or(PixelError::Attribute { name: "NumberOfFrames" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::pixels::testing::{Header, put_us};

    fn read(set: &DataSet) -> Result<PixelAttributes, PixelError> {
        PixelAttributes::read(set, &CleanLimits::default())
    }

    #[test]
    fn contradictions_are_refused_before_anything_is_allocated() {
        let cases: [(Tag, u16); 8] = [
            (tags::SAMPLES_PER_PIXEL, 3),
            (tags::SAMPLES_PER_PIXEL, 0),
            (tags::BITS_ALLOCATED, 12),
            (tags::BITS_STORED, 17),
            (tags::BITS_STORED, 0),
            (tags::HIGH_BIT, 16),
            (tags::ROWS, 0),
            (tags::PIXEL_REPRESENTATION, 2),
        ];
        for (tag, value) in cases {
            let mut set = Header::grey16(4, 4).set();
            assert!(read(&set).is_ok());
            put_us(&mut set, tag, value);
            assert!(read(&set).is_err(), "{tag} = {value}");
        }
    }

    #[test]
    fn no_number_of_frames_is_one_and_none_or_less_is_refused() {
        let mut set = Header::grey8(4, 4).set();
        let frames = |text: &str, set: &mut DataSet| {
            let tag = tags::NUMBER_OF_FRAMES;
            set.put(crate::dicom::Element::bytes(tag, crate::dicom::VR::IS, text));
            read(set).map(|attributes| attributes.frames)
        };
        assert_eq!(read(&set).unwrap().frames, 1);
        assert_eq!(frames("", &mut set).unwrap(), 1);
        assert_eq!(frames(" 3 ", &mut set).unwrap(), 3);
        for malformed in ["0", "-1", "1A", "99999999999"] {
            assert!(frames(malformed, &mut set).is_err(), "{malformed}");
        }
        assert!(matches!(
            frames("100001", &mut set),
            Err(PixelError::OverLimit { limit: "frames_max" })
        ));
    }

    #[test]
    fn limits_bound_frames_and_their_number() {
        let set = Header::grey16(1000, 1000).set();
        let mut limits = CleanLimits { frame_pixels_max: 999_999, ..CleanLimits::default() };
        assert!(matches!(
            PixelAttributes::read(&set, &limits),
            Err(PixelError::OverLimit { limit: "frame_pixels_max" })
        ));
        limits = CleanLimits { frame_bytes_max: 1_999_999, ..CleanLimits::default() };
        assert!(matches!(
            PixelAttributes::read(&set, &limits),
            Err(PixelError::OverLimit { limit: "frame_bytes_max" })
        ));
    }

    #[test]
    fn values_and_words_are_inverse_for_every_layout() {
        for (allocated, stored, shift, signed) in [
            (8, 8, 0, false),
            (16, 12, 0, false),
            (16, 12, 4, false),
            (16, 12, 0, true),
            (16, 16, 0, true),
            (32, 32, 0, true),
            (32, 32, 0, false),
        ] {
            let bits = SampleBits { allocated, stored, shift, signed };
            let (least, greatest) = bits.range();
            for value in [least, least + 1, 0, greatest - 1, greatest] {
                assert_eq!(bits.value(bits.word(value)), value, "{bits:?}");
            }
        }
        let bits = SampleBits { allocated: 16, stored: 12, shift: 0, signed: true };
        assert_eq!(bits.word(-1), 0xFFFF);
    }
}
