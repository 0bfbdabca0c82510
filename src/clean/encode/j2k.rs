//! JPEG 2000 without loss: reversible wavelet, reversible component transform
//! for RGB. All of it is Part 1, which both .90 and .91 allow (PS3.5 §A.4.4).
//!
//! Invariant: the stream holds no comment and is the same for the same samples.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::fd::AsRawFd as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use openjp2::openjpeg::{OPJ_CLRSPC_GRAY, OPJ_CLRSPC_UNSPECIFIED, OPJ_CODEC_J2K};
use openjp2::{Codec, Stream, opj_cparameters_t, opj_image, opj_image_comptparm};
use rustix::fs::{MemfdFlags, memfd_create};

use super::precision::fitting;
use crate::clean::pixels::codestream::j2k::walk;
use crate::clean::pixels::{Photometric, PixelError, StoredFrame};

/// Fewest bits of a sample: the library writes no stream for single bits.
const PRECISION_MIN: u8 = 2;
/// Most bits of a sample. The library holds coefficients in 32 bits with six
/// of them behind the point, the transforms add three: 22 would just fit.
pub(super) const PRECISION_MAX: u8 = 20;
/// Most resolutions: five decompositions, the default of ISO/IEC 15444-1 and
/// what the other toolkits write.
const RESOLUTIONS_MAX: u32 = 6;
/// Bytes that the library collects before it writes.
const BUFFER_BYTES: usize = 1 << 16;

fn failed() -> PixelError {
    PixelError::Damaged { codec: "JPEG 2000", what: "cannot be encoded" }
}

/// What a picture is called once it is coded (PS3.5 §8.2.4).
pub(super) fn photometric(samples: Photometric) -> Photometric {
    match samples {
        Photometric::Rgb => Photometric::YbrRct,
        same @ (Photometric::Monochrome1
        | Photometric::Monochrome2
        | Photometric::Palette
        | Photometric::YbrFull
        | Photometric::YbrFull422
        | Photometric::YbrIct
        | Photometric::YbrRct) => same,
    }
}

/// Encodes one frame with samples of `precision` bits, which is what the
/// received codestream had, or of Bits Stored where they need more.
///
/// # Errors
/// A failing encoder: quarantine.
pub(super) fn encode(frame: &StoredFrame, precision: u8) -> Result<Vec<u8>, PixelError> {
    let precision = fitting(frame, precision, PRECISION_MIN..=PRECISION_MAX);
    if precision > PRECISION_MAX {
        return Err(PixelError::Unsupported { what: "JPEG 2000 of more than 20 bits" });
    }
    // The library fails where its output outgrows 1.4 times the samples, which
    // noise of few bits does once it is transformed.
    let bytes = compress(frame, precision, resolutions(frame))
        .or_else(|_failed| compress(frame, precision, 1))?;
    // The library always puts a comment, be it empty.
    let walked = walk(&bytes)?;
    Ok(walked.clean.unwrap_or(bytes))
}

/// Each resolution halves the one before; the library refuses to go on after
/// a single row or column.
fn resolutions(frame: &StoredFrame) -> u32 {
    let halvings = frame.width.min(frame.height).max(1).ilog2();
    (halvings + 1).min(RESOLUTIONS_MAX)
}

/// Runs the library. A stream in memory would need callbacks that are unsafe; a
/// file without a name needs no directory and leaves nothing after a crash, and
/// the sandbox allows it: Landlock does not govern what no path leads to.
fn compress(frame: &StoredFrame, precision: u8, resolutions: u32) -> Result<Vec<u8>, PixelError> {
    let mut image = image(frame, precision).ok_or_else(failed)?;
    let mut file = File::from(memfd_create("j2k", MemfdFlags::CLOEXEC).map_err(failed_call)?);
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let stream = Stream::new_file(path, BUFFER_BYTES, false)?;
    let run = AssertUnwindSafe(|| put(&mut image, &mut parameters(frame, resolutions), stream));
    if catch_unwind(run).ok().flatten().is_none() {
        return Err(failed());
    }
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn failed_call(error: rustix::io::Errno) -> PixelError {
    PixelError::File(error.into())
}

fn image(frame: &StoredFrame, precision: u8) -> Option<Box<opj_image>> {
    let component = opj_image_comptparm {
        dx: 1,
        dy: 1,
        w: frame.width,
        h: frame.height,
        x0: 0,
        y0: 0,
        prec: u32::from(precision),
        bpp: u32::from(precision),
        sgnd: u32::from(frame.bits.signed),
    };
    let colour = frame.samples() == 3;
    let space = if colour { OPJ_CLRSPC_UNSPECIFIED } else { OPJ_CLRSPC_GRAY };
    let mut image = opj_image::create(&vec![component; frame.samples()], space)?;
    (image.x1, image.y1) = (frame.width, frame.height);
    let bits = frame.bits;
    let samples = frame.samples();
    for (index, component) in image.comps_mut()?.iter_mut().enumerate() {
        let words = frame.words().skip(index).step_by(samples);
        for (target, word) in component.data_mut()?.iter_mut().zip(words) {
            *target = i32::try_from(bits.value(word)).ok()?;
        }
    }
    Some(image)
}

fn parameters(frame: &StoredFrame, resolutions: u32) -> opj_cparameters_t {
    let mut parameters = opj_cparameters_t::default();
    parameters.set_comment("");
    // One layer that leaves nothing out.
    parameters.tcp_numlayers = 1;
    parameters.cp_disto_alloc = 1;
    parameters.irreversible = 0;
    parameters.tcp_mct = i8::from(frame.photometric == Photometric::Rgb);
    parameters.numresolution = i32::try_from(resolutions).unwrap_or(1);
    parameters
}

fn put(
    image: &mut opj_image,
    parameters: &mut opj_cparameters_t,
    mut stream: Stream,
) -> Option<()> {
    let mut codec = Codec::new_encoder(OPJ_CODEC_J2K)?;
    let done = codec.setup_encoder(parameters, image) == 1
        && codec.start_compress(image, &mut stream) == 1
        && codec.encode(&mut stream) == 1
        && codec.end_compress(&mut stream) == 1;
    done.then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::encode::testing::{DEPTHS, SIZES, Texture, decoder_input, frame};
    use crate::clean::pixels::{Codec as PixelCodec, Coded, Decoder};

    fn decoded(frame: &StoredFrame, bytes: &[u8]) -> StoredFrame {
        let attributes = decoder_input(frame);
        let decoder = Decoder { attributes: &attributes, codec: PixelCodec::Jpeg2000 };
        decoder.decode(Coded { bytes: bytes.to_vec(), first_bit: 0 }).unwrap().frame
    }

    #[test]
    fn what_was_encoded_is_decoded_bit_for_bit() {
        for size in SIZES {
            for (allocated, stored, signed) in DEPTHS {
                for colour in [Photometric::Monochrome2, Photometric::Rgb, Photometric::YbrFull] {
                    for texture in [Texture::Noise, Texture::Extremes, Texture::Smooth] {
                        let frame = frame(colour, size, (allocated, stored, signed), texture);
                        let coded = encode(&frame, stored).unwrap();
                        assert!(coded == encode(&frame, stored).unwrap(), "not deterministic");
                        assert!(decoded(&frame, &coded) == frame, "{size:?} {stored} {colour:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn deep_samples_are_lossless_up_to_the_limit_and_refused_beyond() {
        for (stored, fits) in [(PRECISION_MAX, true), (PRECISION_MAX + 1, false)] {
            for texture in [Texture::Noise, Texture::Extremes] {
                let frame = frame(Photometric::Rgb, (70, 66), (32, stored, false), texture);
                let coded = encode(&frame, stored);
                assert_eq!(coded.is_ok(), fits);
                if let Ok(coded) = coded {
                    assert!(decoded(&frame, &coded) == frame);
                }
            }
        }
    }

    #[test]
    fn rgb_is_transformed_and_other_colour_is_not_and_no_comment_is_left() {
        for (colour, transformed) in
            [(Photometric::Rgb, true), (Photometric::YbrFull, false), (Photometric::Palette, false)]
        {
            let frame = frame(colour, (9, 7), (8, 8, false), Texture::Noise);
            let coded = encode(&frame, 8).unwrap();
            let walked = walk(&coded).unwrap();
            assert!(walked.clean.is_none(), "something that does not pass");
            assert_eq!(walked.header.component_transform, transformed);
            let called = photometric(colour);
            assert_eq!(called == Photometric::YbrRct, transformed);
        }
    }
}
