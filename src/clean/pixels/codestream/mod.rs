//! Walks compressed codestreams before anybody decodes them: what the header
//! says, and the stream without what decoding does not need.
//!
//! Comments, Exif, XMP and other application segments, boxes around the
//! stream and bytes after its end can carry names; none of them passes. The
//! coded samples stay bit for bit.

pub mod j2k;
pub mod jpeg;

use std::ops::Range;

use super::{PixelAttributes, PixelError};

/// What a codestream says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamHeader {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Components.
    pub components: u8,
    /// Bits of a sample.
    pub precision: u8,
    /// Samples are signed (JPEG 2000 says so itself).
    pub signed: bool,
    /// JPEG: second byte of the SOF marker.
    pub process: u8,
    /// JPEG: the components have no common sampling.
    pub subsampled: bool,
    /// JPEG: transform flag of the Adobe segment.
    pub adobe: Option<u8>,
    /// JPEG: a JFIF segment, so colour is YCbCr.
    pub jfif: bool,
    /// JPEG: component identifiers spell `RGB`.
    pub rgb_identifiers: bool,
    /// JPEG: Define Restart Interval is not 0.
    pub restarts: bool,
    /// JPEG: a scan with a point transform.
    pub point_transform: bool,
    /// JPEG-LS: components come one after the other, interleave mode 0.
    pub by_component: bool,
    /// JPEG 2000: a component transform is applied.
    pub component_transform: bool,
}

impl StreamHeader {
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
