//! Codes painted frames again: stored samples in, a Pixel Data element in the
//! scratch file out.
//!
//! The same transfer syntax where an encoder exists (native, also in fragments
//! and deflated, RLE, JPEG-LS, JPEG 2000 Part 1, lossless JPEG) or where the
//! stream itself was edited (JPEG by its blocks), else Explicit VR Little
//! Endian. Invariant: every encoder here is lossless, one frame is held at a
//! time, and the attributes that describe the samples are handed out with them,
//! true of what was coded. An Extended Offset Table is dropped; several frames
//! get a Basic Offset Table where its 32 bits suffice (PS3.5 §A.4). Neighbours:
//! frames come from `clean::pixels`, painting is
//! `clean::redact`.

#![warn(clippy::indexing_slicing)]

mod deflate;
mod fragments;
mod j2k;
mod jpeg_lossless;
mod jpeg_ls;
mod precision;
mod truths;

use std::io::SeekFrom;

use dicom_dictionary_std::tags;

pub use fragments::FragmentList;

use crate::clean::pixels::native::{BitPacker, pack};
use crate::clean::pixels::rle;
use crate::clean::pixels::{
    Codec, Decoded, Photometric, PixelAttributes, PixelError, ReadWriteSeek, StoredFrame,
};
use crate::dicom::transfer_syntax::{EXPLICIT_VR_BE, EXPLICIT_VR_LE};
use crate::dicom::{DataSet, Element, Extent, Source, Tag, TransferSyntax, VR, Value};
use truths::Truths;

/// Longest native value: lengths have 32 bits and are even (PS3.5 §7.1.1).
const NATIVE_BYTES_MAX: u64 = 0xFFFF_FFFE;

const JPEG_LOSSLESS: &str = "1.2.840.10008.1.2.4.57";
const JPEG_LOSSLESS_SV1: &str = "1.2.840.10008.1.2.4.70";
const JPEG_2000_LOSSLESS: &str = "1.2.840.10008.1.2.4.90";
const JPEG_2000: &str = "1.2.840.10008.1.2.4.91";

/// A place in the scratch file from which on coded frames are put.
pub struct Scratch<'a> {
    file: &'a mut dyn ReadWriteSeek,
    at: u64,
}

impl std::fmt::Debug for Scratch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").field("at", &self.at).finish_non_exhaustive()
    }
}

impl<'a> Scratch<'a> {
    /// Goes on at byte `at`, over what may be there.
    pub fn new(file: &'a mut dyn ReadWriteSeek, at: u64) -> Self {
        Self { file, at }
    }

    /// Appends bytes and says where they lie.
    ///
    /// # Errors
    /// A failing file.
    pub fn put(&mut self, bytes: &[u8]) -> Result<Extent, PixelError> {
        self.file.seek(SeekFrom::Start(self.at))?;
        self.file.write_all(bytes)?;
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let extent = Extent { source: Source::Scratch, offset: self.at, bytes: count };
        self.at += count;
        Ok(extent)
    }
}

/// A frame that is to go out.
#[derive(Debug)]
pub struct Painted {
    /// What it shows; decoded from `stream` where there is one.
    pub decoded: Decoded,
    /// The edited codestream.
    pub stream: Option<Vec<u8>>,
}

impl From<Decoded> for Painted {
    fn from(decoded: Decoded) -> Self {
        Self { decoded, stream: None }
    }
}

/// What becomes of the pixel data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Native,
    /// Native frames, each in a fragment.
    Encapsulated,
    /// The same, deflated.
    Deflated,
    Rle,
    JpegLs,
    Jpeg2000,
    JpegLossless,
    /// The edited streams as they are.
    Streams,
}

impl Target {
    /// Chooses the coding.
    fn of(origin: &Origin<'_>) -> Self {
        let Origin { attributes, codec, syntax, .. } = *origin;
        match codec {
            _ if origin.uncoded => Self::Native,
            Codec::EncapsulatedUncompressed => Self::Encapsulated,
            Codec::DeflatedFrame => Self::Deflated,
            Codec::Rle => Self::Rle,
            Codec::JpegLs if attributes.bits.shift == 0 => Self::JpegLs,
            Codec::Jpeg2000 if takes_j2k(attributes, syntax) => Self::Jpeg2000,
            Codec::Jpeg if origin.edited => Self::Streams,
            Codec::Jpeg if takes_lossless_jpeg(attributes, syntax) => Self::JpegLossless,
            Codec::Native | Codec::JpegLs | Codec::Jpeg | Codec::Jpeg2000 => Self::Native,
        }
    }
}

/// Pixel data that was coded again, with what describes it.
#[derive(Debug)]
pub struct Recoded {
    /// Elements to put, Pixel Data among them.
    pub replace: Vec<Element>,
    /// Elements to remove.
    pub remove: Vec<Tag>,
    /// The transfer syntax that the samples are now in.
    pub transfer_syntax: TransferSyntax,
}

/// Whose frames are coded again.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The data set that Pixel Data stands in, as received.
    pub set: &'a DataSet,
    /// What it says of the pixels.
    pub attributes: &'a PixelAttributes,
    /// How the frames were coded.
    pub codec: Codec,
    /// The transfer syntax as received.
    pub syntax: &'a TransferSyntax,
    /// Values were changed, not only how they are coded.
    pub painted: bool,
    /// The frames come as edited codestreams, not only as samples.
    pub edited: bool,
    /// Native whatever it was: a destination takes nothing else.
    pub uncoded: bool,
}

/// Codes the frames of one instance, in order.
#[derive(Debug)]
pub struct Recoder<'a> {
    attributes: &'a PixelAttributes,
    truths: Truths,
    scratch: Scratch<'a>,
    target: Target,
    syntax: TransferSyntax,
    photometric: Option<Photometric>,
    planar: bool,
    native_start: u64,
    fragments: FragmentList,
    packer: BitPacker,
}

impl<'a> Recoder<'a> {
    /// Chooses the coding.
    ///
    /// # Errors
    /// A native result of 4 GiB or more: quarantine.
    pub fn new(origin: &Origin<'a>, scratch: Scratch<'a>) -> Result<Self, PixelError> {
        let Origin { set, attributes, codec, syntax, painted, .. } = *origin;
        let target = Target::of(origin);
        if target == Target::Native {
            check_native_size(attributes, codec)?;
        }
        let keeps_syntax = match target {
            Target::Encapsulated
            | Target::Deflated
            | Target::Rle
            | Target::JpegLs
            | Target::Jpeg2000
            | Target::JpegLossless
            | Target::Streams => true,
            Target::Native => codec == Codec::Native && syntax.as_str() != EXPLICIT_VR_BE,
        };
        Ok(Self {
            attributes,
            truths: Truths::new(set, attributes, painted),
            target,
            syntax: if keeps_syntax { syntax.clone() } else { explicit_little_endian()? },
            photometric: None,
            planar: attributes.planar && keeps_layout(codec),
            native_start: scratch.at,
            fragments: FragmentList::default(),
            packer: BitPacker::default(),
            scratch,
        })
    }

    /// Codes the next frame.
    ///
    /// # Errors
    /// Frames of different colour, a failing encoder or file: quarantine.
    pub fn push(&mut self, painted: Painted) -> Result<(), PixelError> {
        let Painted { decoded, stream } = painted;
        let frame = &decoded.frame;
        if self.photometric.is_some_and(|first| first != frame.photometric) {
            return Err(PixelError::Unsupported { what: "frames of different colour" });
        }
        self.photometric = Some(frame.photometric);
        self.truths.see(&decoded);
        match self.target {
            Target::Native => {
                let bytes = self.native(frame);
                self.scratch.put(&bytes)?;
            }
            Target::Encapsulated => {
                let fragment = self.native_frame(frame);
                self.put_fragment(fragment)?;
            }
            Target::Deflated => {
                let fragment = deflate::encode(&self.native_frame(frame))?;
                self.put_fragment(fragment)?;
            }
            Target::Rle => {
                let fragment = rle::encode(&frame.bytes, shape(frame))?;
                self.put_fragment(fragment)?;
            }
            Target::JpegLs => {
                let fragment = jpeg_ls::encode(&decoded)?;
                self.put_fragment(fragment)?;
            }
            Target::Jpeg2000 => {
                let fragment = j2k::encode(frame, decoded.header.precision)?;
                self.put_fragment(fragment)?;
            }
            Target::JpegLossless => {
                let fragment = jpeg_lossless::encode(frame, &decoded.header)?;
                self.put_fragment(fragment)?;
            }
            Target::Streams => {
                let other = PixelError::Unsupported { what: "frames of different coding" };
                self.put_fragment(stream.ok_or(other)?)?;
            }
        }
        Ok(())
    }

    fn native(&mut self, frame: &StoredFrame) -> Vec<u8> {
        if self.attributes.bits.allocated == 1 {
            return self.packer.push(&frame.bytes);
        }
        pack(frame, self.planar)
    }

    /// A native frame by itself: single bits begin at a byte.
    fn native_frame(&mut self, frame: &StoredFrame) -> Vec<u8> {
        let mut bytes = self.native(frame);
        bytes.extend(self.packer.finish());
        bytes
    }

    fn put_fragment(&mut self, mut fragment: Vec<u8>) -> Result<(), PixelError> {
        if !fragment.len().is_multiple_of(2) {
            fragment.push(0);
        }
        let extent = self.scratch.put(&fragment)?;
        self.fragments.push_frame(&[extent]);
        Ok(())
    }

    /// The element and the attributes that go with it.
    ///
    /// # Errors
    /// A failing file.
    pub fn finish(mut self, pixel_data: &Element) -> Result<Recoded, PixelError> {
        let (vr, value) = match self.target {
            Target::Native => {
                let last: Vec<u8> = self.packer.finish().into_iter().collect();
                self.scratch.put(&last)?;
                let bytes = self.scratch.at - self.native_start;
                let extent = Extent { source: Source::Scratch, offset: self.native_start, bytes };
                (self.native_vr(pixel_data), Value::Bulk(extent))
            }
            Target::Encapsulated
            | Target::Deflated
            | Target::Rle
            | Target::JpegLs
            | Target::Jpeg2000
            | Target::JpegLossless
            | Target::Streams => (VR::OB, std::mem::take(&mut self.fragments).finish()),
        };
        let mut replace = vec![Element { tag: tags::PIXEL_DATA, vr, value }];
        if let Some(photometric) = self.described() {
            let mut term = photometric.term().as_bytes().to_vec();
            term.resize(term.len().next_multiple_of(2), b' ');
            replace.push(Element::bytes(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, term));
            if photometric.samples() == 3 && self.target != Target::Rle {
                let planar = u16::from(self.planar).to_le_bytes();
                replace.push(Element::bytes(tags::PLANAR_CONFIGURATION, VR::US, planar));
            }
        }
        let (put, mut remove) = self.truths.finish(self.is_exact());
        replace.extend(put);
        remove.extend(POSITION_TABLES);
        Ok(Recoded { replace, remove, transfer_syntax: self.syntax })
    }

    /// What the header is to call the samples; `None` where it stays as it is.
    fn described(&self) -> Option<Photometric> {
        let coded = self.photometric?;
        match self.target {
            Target::Jpeg2000 => Some(j2k::photometric(coded)),
            Target::Streams => self.corrected(coded),
            Target::Native
            | Target::Encapsulated
            | Target::Deflated
            | Target::Rle
            | Target::JpegLs
            | Target::JpegLossless => Some(coded),
        }
    }

    /// An edited stream is described as before, unless its YCbCr was called RGB
    /// or the other way round: the ink would be shown in colour.
    fn corrected(&self, coded: Photometric) -> Option<Photometric> {
        let was_rgb = self.attributes.photometric == Photometric::Rgb;
        match (was_rgb, coded == Photometric::Rgb) {
            (true, false) => Some(Photometric::YbrFull422),
            (false, true) => Some(Photometric::Rgb),
            (true, true) | (false, false) => None,
        }
    }

    /// Whoever decodes what was coded gets the samples that were pushed.
    fn is_exact(&self) -> bool {
        match self.target {
            Target::Native
            | Target::Encapsulated
            | Target::Deflated
            | Target::Rle
            | Target::JpegLs
            | Target::Jpeg2000
            | Target::JpegLossless => true,
            Target::Streams => false,
        }
    }

    /// OW for more than 8 bits (PS3.5 §A.2); else what it was, or OB.
    fn native_vr(&self, pixel_data: &Element) -> VR {
        let was_native = matches!(pixel_data.value, Value::Bulk(_) | Value::Bytes(_));
        if self.attributes.bits.allocated > 8 || (was_native && pixel_data.vr == VR::OW) {
            VR::OW
        } else {
            VR::OB
        }
    }
}

/// Tables of positions, which no longer hold for changed fragments.
pub const POSITION_TABLES: [Tag; 3] = [
    tags::EXTENDED_OFFSET_TABLE,
    tags::EXTENDED_OFFSET_TABLE_LENGTHS,
    tags::ENCAPSULATED_PIXEL_DATA_VALUE_TOTAL_LENGTH,
];

/// JPEG 2000 Part 1, with words that hold the value only. Part 2 means frames
/// coded together (PS3.5 §A.4.4), for the high-throughput syntaxes there is no
/// encoder: both become native.
fn takes_j2k(attributes: &PixelAttributes, syntax: &TransferSyntax) -> bool {
    let part_1 = matches!(syntax.as_str(), JPEG_2000_LOSSLESS | JPEG_2000);
    let bits = attributes.bits;
    part_1 && bits.shift == 0 && bits.allocated > 1 && bits.stored <= j2k::PRECISION_MAX
}

/// The lossless JPEG syntaxes, with words that hold the value only.
fn takes_lossless_jpeg(attributes: &PixelAttributes, syntax: &TransferSyntax) -> bool {
    let lossless = matches!(syntax.as_str(), JPEG_LOSSLESS | JPEG_LOSSLESS_SV1);
    let bits = attributes.bits;
    lossless && bits.shift == 0 && bits.allocated > 1 && bits.stored <= jpeg_lossless::PRECISION_MAX
}

fn explicit_little_endian() -> Result<TransferSyntax, PixelError> {
    let uid = EXPLICIT_VR_LE.parse();
    let uid = uid.map_err(|_malformed| PixelError::Unsupported { what: "this transfer syntax" })?;
    Ok(TransferSyntax::new(uid))
}

/// Planes stay planes where frames stay native.
fn keeps_layout(codec: Codec) -> bool {
    match codec {
        Codec::Native | Codec::EncapsulatedUncompressed | Codec::DeflatedFrame => true,
        Codec::Rle | Codec::Jpeg | Codec::JpegLs | Codec::Jpeg2000 => false,
    }
}

fn check_native_size(attributes: &PixelAttributes, codec: Codec) -> Result<(), PixelError> {
    let frame_bits = match codec {
        Codec::Native | Codec::EncapsulatedUncompressed | Codec::DeflatedFrame => {
            attributes.native_frame_bits()
        }
        Codec::Rle | Codec::Jpeg | Codec::JpegLs | Codec::Jpeg2000 => {
            attributes.decoded_bytes() * 8
        }
    };
    let bits = frame_bits.checked_mul(u64::from(attributes.frames));
    if bits.is_none_or(|bits| bits.div_ceil(8) > NATIVE_BYTES_MAX) {
        return Err(PixelError::OverLimit { limit: "4 GiB of native Pixel Data" });
    }
    Ok(())
}

fn shape(frame: &StoredFrame) -> rle::Shape {
    let size = |count| usize::try_from(count).unwrap_or(usize::MAX);
    rle::Shape {
        width: size(frame.width),
        height: size(frame.height),
        samples: frame.samples(),
        sample_bytes: frame.bits.bytes(),
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
