//! Codes painted frames again: stored samples in, a Pixel Data element in the
//! scratch file out.
//!
//! The same transfer syntax where an encoder exists (native, RLE, JPEG-LS) or
//! where the stream itself was edited (JPEG by its blocks), else Explicit VR
//! Little Endian. Invariant: every encoder here is lossless, one frame is held
//! at a time, and the attributes that describe the samples are handed out with
//! them. Neighbours: frames come from `clean::pixels`, painting is
//! `clean::redact`.

#![warn(clippy::indexing_slicing)]

mod fragments;
mod jpeg_ls;

use std::io::SeekFrom;

use dicom_dictionary_std::tags;

pub use fragments::FragmentList;

use crate::clean::pixels::codestream::StreamHeader;
use crate::clean::pixels::native::{BitPacker, pack};
use crate::clean::pixels::rle;
use crate::clean::pixels::{
    Codec, Decoded, Photometric, PixelAttributes, PixelError, ReadWriteSeek, StoredFrame,
};
use crate::dicom::transfer_syntax::{EXPLICIT_VR_BE, EXPLICIT_VR_LE};
use crate::dicom::{Element, Extent, Source, Tag, TransferSyntax, VR, Value};

/// Longest native value: lengths have 32 bits and are even (PS3.5 §7.1.1).
const NATIVE_BYTES_MAX: u64 = 0xFFFF_FFFE;

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

/// How the pixel data came, which decides how it goes out.
#[derive(Debug, Clone)]
pub struct Received<'a> {
    /// The Image Pixel attributes.
    pub attributes: &'a PixelAttributes,
    /// How the frames are coded.
    pub codec: Codec,
    /// The transfer syntax.
    pub syntax: &'a TransferSyntax,
    /// What the first frame's codestream says of itself, if there is one.
    pub header: Option<StreamHeader>,
    /// The frames come as edited codestreams, not only as samples.
    pub edited: bool,
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
    Rle,
    JpegLs,
    /// The edited streams as they are.
    Streams,
}

impl Target {
    /// Chooses the coding. An encoder for another process of JPEG is chosen
    /// here, by the process in the header.
    fn of(received: &Received<'_>) -> Self {
        match received.codec {
            Codec::Jpeg if received.edited => Self::Streams,
            Codec::Rle => Self::Rle,
            Codec::JpegLs if received.attributes.bits.shift == 0 => Self::JpegLs,
            Codec::Native
            | Codec::JpegLs
            | Codec::EncapsulatedUncompressed
            | Codec::Jpeg
            | Codec::Jpeg2000
            | Codec::DeflatedFrame => Self::Native,
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

/// Codes the frames of one instance, in order.
#[derive(Debug)]
pub struct Recoder<'a> {
    attributes: &'a PixelAttributes,
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
    pub fn new(received: &Received<'a>, scratch: Scratch<'a>) -> Result<Self, PixelError> {
        let Received { attributes, codec, syntax, .. } = *received;
        let target = Target::of(received);
        if target == Target::Native {
            check_native_size(attributes, codec)?;
        }
        let keeps_syntax = match target {
            Target::Rle | Target::JpegLs | Target::Streams => true,
            Target::Native => codec == Codec::Native && syntax.as_str() != EXPLICIT_VR_BE,
        };
        Ok(Self {
            attributes,
            target,
            syntax: if keeps_syntax { syntax.clone() } else { explicit_little_endian()? },
            photometric: None,
            planar: attributes.planar && codec == Codec::Native,
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
        match self.target {
            Target::Native => {
                let bytes = self.native(frame);
                self.scratch.put(&bytes)?;
            }
            Target::Rle => {
                let fragment = rle::encode(&frame.bytes, shape(frame))?;
                self.put_fragment(fragment)?;
            }
            Target::JpegLs => {
                let fragment = jpeg_ls::encode(frame, decoded.precision)?;
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
            Target::Rle | Target::JpegLs | Target::Streams => {
                (VR::OB, std::mem::take(&mut self.fragments).finish())
            }
        };
        let mut replace = vec![Element { tag: tags::PIXEL_DATA, vr, value }];
        // An edited stream is described as before.
        if let Some(photometric) = self.photometric.filter(|_| self.target != Target::Streams) {
            let mut term = photometric.term().as_bytes().to_vec();
            term.resize(term.len().next_multiple_of(2), b' ');
            replace.push(Element::bytes(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, term));
            if photometric.samples() == 3 && self.target != Target::Rle {
                let planar = u16::from(self.planar).to_le_bytes();
                replace.push(Element::bytes(tags::PLANAR_CONFIGURATION, VR::US, planar));
            }
        }
        let remove = [POSITION_TABLES.as_slice(), &EXTREMES].concat();
        Ok(Recoded { replace, remove, transfer_syntax: self.syntax })
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

/// Extremes that may have been painted over (PS3.3 §C.7.6.3).
const EXTREMES: [Tag; 2] = [tags::SMALLEST_IMAGE_PIXEL_VALUE, tags::LARGEST_IMAGE_PIXEL_VALUE];

/// Tables of positions, which no longer hold for changed fragments.
pub const POSITION_TABLES: [Tag; 3] = [
    tags::EXTENDED_OFFSET_TABLE,
    tags::EXTENDED_OFFSET_TABLE_LENGTHS,
    tags::ENCAPSULATED_PIXEL_DATA_VALUE_TOTAL_LENGTH,
];

fn explicit_little_endian() -> Result<TransferSyntax, PixelError> {
    let uid = EXPLICIT_VR_LE.parse();
    let uid = uid.map_err(|_malformed| PixelError::Unsupported { what: "this transfer syntax" })?;
    Ok(TransferSyntax::new(uid))
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
