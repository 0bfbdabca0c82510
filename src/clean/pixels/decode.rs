//! Coded bytes of a frame in, stored samples out.
//!
//! What is decoded is the codestream as it may leave: it was walked first, its
//! header compared with the data set, and what must not pass was taken out.
//! Decoders run under `catch_unwind`: they panic on some damaged input. (What
//! they do beyond that is the worker process's to bound.)

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::attributes::Photometric;
use super::codestream::jpeg::Family;
use super::codestream::{Interleave, StreamHeader, Walked, j2k, jpeg};
use super::frame::put_word;
use super::jpeg::{DctImage, lossless};
use super::{Codec, Coded, PixelAttributes, PixelError, StoredFrame, jpeg2000, native, rle};

/// Second byte of the frame header of lossless JPEG with Huffman codes.
const LOSSLESS: u8 = 0xC3;

/// A decoded frame.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The samples.
    pub frame: StoredFrame,
    /// The coded bytes as they may leave, where that is not as they came.
    pub clean: Option<Vec<u8>>,
    /// Bits that belong to no value were set; they are cleared in `frame`.
    pub unused_bits: bool,
    /// What the codestream says of itself; of other codings only the precision,
    /// which is then Bits Stored.
    pub header: StreamHeader,
    /// Length of the coded bytes.
    pub coded_bytes: u64,
}

/// Decodes the frames of one instance.
#[derive(Debug)]
pub struct Decoder<'a> {
    /// What the header says.
    pub attributes: &'a PixelAttributes,
    /// How the frames are coded.
    pub codec: Codec,
}

impl Decoder<'_> {
    /// What may leave of the coded bytes, without decoding them; `None` when
    /// all of it.
    ///
    /// # Errors
    /// A damaged structure or one that disagrees with the header: quarantine.
    pub fn clean(&self, coded: &Coded) -> Result<Option<Vec<u8>>, PixelError> {
        match self.codec {
            Codec::Native => Ok(None),
            Codec::Jpeg | Codec::Jpeg2000 => Ok(self.walk(&coded.bytes)?.clean),
            Codec::JpegLs => {
                let walked = self.walk(&coded.bytes)?;
                let stream = walked.clean.as_deref().unwrap_or(&coded.bytes);
                // Only the decoder knows where the samples end: it refuses more.
                self.decompress(stream, &walked.header)?;
                Ok(walked.clean)
            }
            Codec::Rle => {
                let unrolled = rle::decode(&coded.bytes, self.shape())?;
                if !unrolled.has_extra {
                    return Ok(None);
                }
                rle::encode(&unrolled.bytes, self.shape()).map(Some)
            }
            Codec::EncapsulatedUncompressed => self.cut(&coded.bytes),
            Codec::DeflatedFrame => self.inflate(&coded.bytes).map(|(_frame, clean)| clean),
        }
    }

    /// What a codestream says of itself, after it was compared with the data
    /// set.
    ///
    /// # Errors
    /// A damaged structure or one that disagrees with the header: quarantine.
    pub fn header(&self, coded: &Coded) -> Result<StreamHeader, PixelError> {
        Ok(self.walk(&coded.bytes)?.header)
    }

    /// Decodes one frame.
    ///
    /// # Errors
    /// Everything that [`Self::clean`] refuses, codings that no decoder reads
    /// rightly, and damaged samples: quarantine.
    pub fn decode(&self, coded: Coded) -> Result<Decoded, PixelError> {
        let mut header =
            StreamHeader { precision: self.attributes.bits.stored, ..StreamHeader::default() };
        let coded_bytes = u64::try_from(coded.bytes.len()).unwrap_or(u64::MAX);
        let (mut frame, clean) = match self.codec {
            Codec::Native => (native::unpack(self.attributes, coded)?, None),
            Codec::EncapsulatedUncompressed => {
                let clean = self.cut(&coded.bytes)?;
                let bytes = clean.clone().unwrap_or(coded.bytes);
                (self.unpack_encapsulated(bytes)?, clean)
            }
            Codec::DeflatedFrame => {
                let (bytes, clean) = self.inflate(&coded.bytes)?;
                (self.unpack_encapsulated(bytes)?, clean)
            }
            Codec::Rle => {
                let unrolled = rle::decode(&coded.bytes, self.shape())?;
                let has_extra = unrolled.has_extra;
                let clean = has_extra.then(|| rle::encode(&unrolled.bytes, self.shape()));
                let photometric = self.full_sampling()?;
                (self.frame(photometric, unrolled.bytes), clean.transpose()?)
            }
            Codec::Jpeg | Codec::JpegLs | Codec::Jpeg2000 => {
                let walked = self.walk(&coded.bytes)?;
                let stream = walked.clean.as_deref().unwrap_or(&coded.bytes);
                header = walked.header;
                (self.decompress(stream, &header)?, walked.clean)
            }
        };
        let unused_bits = frame.clear_unused_bits();
        Ok(Decoded { frame, clean, unused_bits, header, coded_bytes })
    }

    fn walk(&self, bytes: &[u8]) -> Result<Walked, PixelError> {
        let walked = match self.codec {
            Codec::Jpeg2000 => j2k::walk(bytes)?,
            Codec::JpegLs => jpeg::walk(bytes, Family::JpegLs, Some(self.attributes))?,
            Codec::Jpeg
            | Codec::Native
            | Codec::EncapsulatedUncompressed
            | Codec::Rle
            | Codec::DeflatedFrame => jpeg::walk(bytes, Family::Jpeg, Some(self.attributes))?,
        };
        walked.header.check(self.attributes)?;
        Ok(walked)
    }

    fn shape(&self) -> rle::Shape {
        let size = |count| usize::try_from(count).unwrap_or(usize::MAX);
        rle::Shape {
            width: size(self.attributes.columns),
            height: size(self.attributes.rows),
            samples: usize::from(self.attributes.samples()),
            sample_bytes: self.attributes.bits.bytes(),
        }
    }

    fn frame(&self, photometric: Photometric, bytes: Vec<u8>) -> StoredFrame {
        let attributes = self.attributes;
        StoredFrame {
            width: attributes.columns,
            height: attributes.rows,
            photometric,
            bits: attributes.bits,
            bytes,
        }
    }

    /// What the samples mean once they stand one for each pixel.
    fn full_sampling(&self) -> Result<Photometric, PixelError> {
        match self.attributes.photometric {
            Photometric::YbrIct | Photometric::YbrRct => {
                Err(PixelError::Unsupported { what: "YBR_ICT or YBR_RCT outside of JPEG 2000" })
            }
            Photometric::YbrFull422 => Ok(Photometric::YbrFull),
            same @ (Photometric::Monochrome1
            | Photometric::Monochrome2
            | Photometric::Palette
            | Photometric::Rgb
            | Photometric::YbrFull) => Ok(same),
        }
    }

    /// Bytes of a native frame that lies in fragments of its own.
    fn native_bytes(&self) -> Result<usize, PixelError> {
        usize::try_from(self.attributes.native_frame_bits().div_ceil(8))
            .map_err(|_too_large| PixelError::OverLimit { limit: "frame_bytes_max" })
    }

    fn unpack_encapsulated(&self, mut bytes: Vec<u8>) -> Result<StoredFrame, PixelError> {
        bytes.truncate(self.native_bytes()?);
        native::unpack(self.attributes, Coded { bytes, first_bit: 0 })
    }

    /// An uncompressed frame without what follows it.
    fn cut(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, PixelError> {
        let wanted = self.native_bytes()?;
        let tail =
            bytes.get(wanted..).ok_or(PixelError::Disagrees { what: "length of a frame" })?;
        let kept = bytes.get(..wanted).unwrap_or_default();
        Ok(if matches!(tail, [] | [0]) { None } else { Some(kept.to_vec()) })
    }

    /// Inflates a frame up to the length that the header asks for, no further.
    fn inflate(&self, bytes: &[u8]) -> Result<(Vec<u8>, Option<Vec<u8>>), PixelError> {
        let damaged = |what| PixelError::Damaged { codec: Codec::DeflatedFrame.name(), what };
        let wanted = self.native_bytes()?;
        let mut inflater = flate2::read::DeflateDecoder::new(bytes);
        let mut frame = Vec::new();
        let limit = u64::try_from(wanted).unwrap_or(u64::MAX);
        let read = inflater.by_ref().take(limit).read_to_end(&mut frame);
        read.map_err(|_bad| damaged("stream cannot be inflated"))?;
        let mut more = Vec::new();
        let read = inflater.by_ref().take(2).read_to_end(&mut more);
        read.map_err(|_bad| damaged("stream cannot be inflated"))?;
        if frame.len() != wanted || !matches!(more.as_slice(), [] | [0]) {
            return Err(PixelError::Disagrees { what: "length of a frame" });
        }
        let used = usize::try_from(inflater.total_in()).unwrap_or(usize::MAX);
        let (kept, tail) = bytes.split_at(used.min(bytes.len()));
        let clean = !matches!(tail, [] | [0]);
        Ok((frame, clean.then(|| kept.to_vec())))
    }

    fn decompress(&self, stream: &[u8], header: &StreamHeader) -> Result<StoredFrame, PixelError> {
        match self.codec {
            Codec::JpegLs => {
                let photometric = self.full_sampling()?;
                let samples =
                    guarded("JPEG-LS", || charls::CharLS::default().decode(stream).map_err(drop))?;
                let samples =
                    if header.interleave == Interleave::Component && header.components == 3 {
                        let width = if header.precision > 8 { 2 } else { 1 };
                        native::interleave(&samples, width, samples.len())
                    } else {
                        samples
                    };
                Ok(self.frame(photometric, self.allocate(samples, header)?))
            }
            Codec::Jpeg2000 => {
                let bytes =
                    guarded("JPEG 2000", || jpeg2000::decode(stream, header, self.attributes))?;
                Ok(self.frame(self.photometric_of_j2k(header), bytes))
            }
            Codec::Jpeg
            | Codec::Native
            | Codec::EncapsulatedUncompressed
            | Codec::Rle
            | Codec::DeflatedFrame => {
                check_jpeg_process(header)?;
                let photometric = self.photometric_of_jpeg(header);
                let bytes_max = self.attributes.decoded_bytes();
                let samples = decode_jpeg(stream, header, bytes_max)?;
                Ok(self.frame(photometric, self.allocate(samples, header)?))
            }
        }
    }

    /// Brings samples of one or two bytes to the width of Bits Allocated.
    fn allocate(&self, samples: Vec<u8>, header: &StreamHeader) -> Result<Vec<u8>, PixelError> {
        let bits = self.attributes.bits;
        let wanted = usize::try_from(self.attributes.decoded_bytes()).unwrap_or(usize::MAX);
        let count = wanted / bits.bytes();
        let width = samples.len() / count;
        if samples.len() != count * width || !(1..=2).contains(&width) {
            return Err(PixelError::Disagrees { what: "number of decoded samples" });
        }
        if width == bits.bytes() && !bits.signed {
            return Ok(samples);
        }
        if width > bits.bytes() {
            return Err(PixelError::Disagrees { what: "precision in the codestream" });
        }
        let mut bytes = vec![0; wanted];
        for (target, sample) in
            bytes.chunks_exact_mut(bits.bytes()).zip(samples.chunks_exact(width))
        {
            let value = sign_extended(super::frame::word(sample), header.precision, bits.signed);
            put_word(target, value);
        }
        Ok(bytes)
    }

    /// The inverse component transform gives RGB whatever it was called.
    fn photometric_of_j2k(&self, header: &StreamHeader) -> Photometric {
        match self.attributes.photometric {
            Photometric::YbrIct | Photometric::YbrRct => Photometric::Rgb,
            Photometric::YbrFull | Photometric::YbrFull422 if header.component_transform => {
                Photometric::Rgb
            }
            Photometric::YbrFull422 => Photometric::YbrFull,
            same @ (Photometric::Monochrome1
            | Photometric::Monochrome2
            | Photometric::Palette
            | Photometric::Rgb
            | Photometric::YbrFull) => same,
        }
    }

    /// What the three components are: by the Adobe segment, then by their
    /// names, then by the data set. A JFIF stream of several samplings is YCbCr
    /// whatever the data set says: RGB is not subsampled.
    fn photometric_of_jpeg(&self, header: &StreamHeader) -> Photometric {
        let photometric = self.attributes.photometric;
        if photometric.samples() != 3 {
            return photometric;
        }
        let lossless = header.process == LOSSLESS;
        match header.adobe {
            Some(0) => return Photometric::Rgb,
            Some(_ycc) if !lossless => return Photometric::YbrFull,
            Some(_) | None => {}
        }
        if header.has_rgb_identifiers() {
            return Photometric::Rgb;
        }
        match photometric {
            Photometric::Rgb if !lossless && (header.jfif || header.subsampled) => {
                Photometric::YbrFull
            }
            Photometric::Rgb => Photometric::Rgb,
            Photometric::YbrFull
            | Photometric::YbrFull422
            | Photometric::YbrIct
            | Photometric::YbrRct
            | Photometric::Monochrome1
            | Photometric::Monochrome2
            | Photometric::Palette => Photometric::YbrFull,
        }
    }
}

/// The low `precision` bits of a sample as a word, with its sign drawn out.
pub(super) fn sign_extended(sample: u32, precision: u8, signed: bool) -> u32 {
    let unused = 32 - u32::from(precision.clamp(1, 32));
    let top = sample << unused;
    if signed { (top.cast_signed() >> unused).cast_unsigned() } else { top >> unused }
}

/// What the decoder gets wrong or does not do.
fn check_jpeg_process(header: &StreamHeader) -> Result<(), PixelError> {
    let unsupported = |what| Err(PixelError::Unsupported { what });
    match header.process {
        0xC0 if header.precision != 8 => unsupported("baseline JPEG with 12 bits"),
        0xC0 | 0xC1 | LOSSLESS => Ok(()),
        _other => unsupported("progressive, arithmetic or hierarchical JPEG"),
    }
}

/// Decodes with the crate what it can, and with our own decoder what else is
/// sequential: 12 bits, components of two thirds the size and the like.
fn decode_jpeg(
    stream: &[u8],
    header: &StreamHeader,
    bytes_max: u64,
) -> Result<Vec<u8>, PixelError> {
    if header.process == LOSSLESS {
        return lossless::decode(stream);
    }
    let own = || DctImage::read(stream).and_then(|image| image.samples());
    if header.is_sequential_dct() && header.precision != 8 {
        return own();
    }
    let decoded = guarded("JPEG", || {
        let mut decoder = jpeg_decoder::Decoder::new(stream);
        decoder.set_max_decoding_buffer_size(usize::try_from(bytes_max).unwrap_or(usize::MAX));
        // Colour is handed out as it is stored: "RGB" means no conversion,
        // while "None" would hand out whole lines.
        if header.components == 3 {
            decoder.set_color_transform(jpeg_decoder::ColorTransform::RGB);
        }
        match decoder.decode() {
            Ok(samples) => Ok(Some(samples)),
            Err(jpeg_decoder::Error::Unsupported(_)) if header.is_sequential_dct() => Ok(None),
            Err(_damaged) => Err(()),
        }
    })?;
    decoded.map_or_else(own, Ok)
}

/// Runs a decoder so that its panic costs one instance.
fn guarded<T>(
    codec: &'static str,
    decode: impl FnOnce() -> Result<T, ()>,
) -> Result<T, PixelError> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(Ok(samples)) => Ok(samples),
        Ok(Err(())) => Err(PixelError::Damaged { codec, what: "samples cannot be decoded" }),
        Err(_panic) => Err(PixelError::Damaged { codec, what: "the decoder gave up" }),
    }
}
