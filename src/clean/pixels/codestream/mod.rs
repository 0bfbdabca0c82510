//! Walks compressed codestreams before anybody decodes them: what the header
//! says, and the stream without what decoding does not need.
//!
//! Comments, Exif, XMP and other application segments, boxes around the
//! stream and bytes after its end can carry names; none of them passes. The
//! coded samples stay bit for bit.

pub mod entropy;
pub mod icc;
pub mod j2k;
pub mod jpeg;
mod spare;

use std::ops::Range;

use super::attributes::SampleBits;
use super::{PixelAttributes, PixelError};

/// By what lossy coding samples went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// JPEG with a discrete cosine transform.
    Jpeg,
    /// JPEG-LS with an error above 0.
    NearLossless,
    /// JPEG 2000 with its irreversible wavelet.
    Jpeg2000,
    /// The same, high-throughput.
    HighThroughput,
}

impl Loss {
    /// Defined term of Lossy Image Compression Method (PS3.3 §C.7.6.1.1.5).
    #[must_use]
    pub fn method(self) -> &'static str {
        match self {
            Self::Jpeg => "ISO_10918_1",
            Self::NearLossless => "ISO_14495_1",
            Self::Jpeg2000 => "ISO_15444_1",
            Self::HighThroughput => "ISO_15444_15",
        }
    }
}

/// How the components of JPEG-LS follow each other (ISO/IEC 14495-1, ILV).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interleave {
    /// One component after the other, in scans of their own.
    #[default]
    Component,
    /// Line by line.
    Line,
    /// Sample by sample.
    Sample,
}

/// What a codestream says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamHeader {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Components.
    pub components: u8,
    /// Bits of a sample; the most that a component has.
    pub precision: u8,
    /// JPEG: second byte of the SOF marker.
    pub process: u8,
    /// JPEG: the components have no common sampling.
    pub subsampled: bool,
    /// JPEG: transform flag of the Adobe segment.
    pub adobe: Option<u8>,
    /// JPEG: a JFIF segment, so colour is YCbCr.
    pub jfif: bool,
    /// JPEG: component identifiers, in order.
    pub identifiers: Vec<u8>,
    /// JPEG-LS: how components follow each other.
    pub interleave: Interleave,
    /// The coding does not give back what went in.
    pub loss: Option<Loss>,
    /// JPEG 2000: a component transform is applied.
    pub component_transform: bool,
    /// JPEG 2000: the components on their grid.
    pub grid: Vec<GridComponent>,
    /// JPEG 2000: column and row of the grid at which the picture begins.
    pub origin: [u32; 2],
}

/// A component of JPEG 2000 (ISO/IEC 15444-1 Table A.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridComponent {
    /// Bits of a sample.
    pub precision: u8,
    /// Samples are signed.
    pub signed: bool,
    /// Columns and rows of the grid from one sample to the next; never 0.
    pub separation: [u8; 2],
}

impl StreamHeader {
    /// JPEG: the component identifiers spell `RGB`.
    #[must_use]
    pub fn has_rgb_identifiers(&self) -> bool {
        self.identifiers == b"RGB"
    }

    /// Baseline or extended sequential DCT with Huffman coding, which is edited
    /// by its blocks.
    #[must_use]
    pub fn is_sequential_dct(&self) -> bool {
        matches!(self.process, 0xC0 | 0xC1)
    }

    /// Compares with what the data set says, before anything is decoded.
    ///
    /// # Errors
    /// Any disagreement: quarantine.
    pub fn check(&self, attributes: &PixelAttributes) -> Result<(), PixelError> {
        if self.width != attributes.columns || self.height != attributes.rows {
            return Err(PixelError::Disagrees { what: "size in the codestream" });
        }
        if self.components != attributes.samples() {
            return Err(PixelError::Disagrees { what: "number of components in the codestream" });
        }
        if self.precision == 0 || self.precision > attributes.bits.allocated {
            return Err(PixelError::Disagrees { what: "precision in the codestream" });
        }
        let SampleBits { stored, shift, .. } = attributes.bits;
        if shift > 0 && self.precision < stored + shift {
            // Whether the unused low bits were coded too cannot be told.
            return Err(PixelError::Disagrees { what: "HighBit" });
        }
        Ok(())
    }
}

/// A walked codestream.
#[derive(Debug)]
pub struct Walked {
    /// What its header says.
    pub header: StreamHeader,
    /// The stream without what must not pass; `None` when all of it may.
    pub clean: Option<Vec<u8>>,
}

/// Collects what is kept of a stream.
#[derive(Debug, Default)]
struct Keeper {
    kept: Vec<u8>,
    dropped: bool,
}

impl Keeper {
    fn keep(&mut self, bytes: &[u8], range: Range<usize>) {
        self.kept.extend_from_slice(bytes.get(range).unwrap_or_default());
    }

    fn finish(self, header: StreamHeader) -> Walked {
        Walked { header, clean: self.dropped.then_some(self.kept) }
    }
}

fn byte(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk::<2>().map(|pair| u16::from_be_bytes(*pair))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|four| u32::from_be_bytes(*four))
}
