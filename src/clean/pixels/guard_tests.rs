//! Hostile frames: what they claim is compared with the header before anything
//! is allocated for it, and what they unfold to ends where the header says.
//!
//! Method: each stream is made by hand or by an encoder and then bent; a case
//! passes when it is refused with the right words, fast, whatever it claims.

use super::codestream::jpeg::{Family, walk};
use super::testing::{Header, put_us};
use super::*;
use crate::config::CleanLimits;
use crate::dicom::{DataSet, TransferSyntax};

const BASELINE: &str = "1.2.840.10008.1.2.4.50";
const LOSSLESS: &str = "1.2.840.10008.1.2.4.70";
const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";
const RLE: &str = "1.2.840.10008.1.2.5";
const DEFLATED_FRAME: &str = "1.2.840.10008.1.2.8.1";

fn decode(set: &DataSet, uid: &str, bytes: &[u8]) -> Result<Decoded, PixelError> {
    let attributes = PixelAttributes::read(set, &CleanLimits::default())?;
    let codec = Codec::of(&TransferSyntax::new(uid.parse().unwrap()))?;
    let decoder = Decoder { attributes: &attributes, codec };
    let clean = decoder.clean(&Coded { bytes: bytes.to_vec(), first_bit: 0 });
    let decoded = decoder.decode(Coded { bytes: bytes.to_vec(), first_bit: 0 });
    // What is refused by the walk is refused before it is decoded, too.
    assert!(clean.is_ok() || decoded.is_err());
    decoded
}

fn refusal(set: &DataSet, uid: &str, bytes: &[u8]) -> String {
    decode(set, uid, bytes).expect_err("refused").to_string()
}

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xFF, marker];
    bytes.extend_from_slice(&u16::try_from(content.len() + 2).unwrap().to_be_bytes());
    bytes.extend_from_slice(content);
    bytes
}

/// A stream of the JPEG kinds: frame header of any size, `scans` empty scans.
fn jpeg(sof: u8, precision: u8, size: (u16, u16), components: u8, scans: usize) -> Vec<u8> {
    let mut frame = vec![precision];
    frame.extend(size.0.to_be_bytes());
    frame.extend(size.1.to_be_bytes());
    frame.push(components);
    (1..=components).for_each(|identifier| frame.extend([identifier, 0x11, 0]));
    let mut bytes = vec![0xFF, 0xD8];
    bytes.extend(segment(sof, &frame));
    for _scan in 0..scans {
        bytes.extend(segment(0xDA, &[1, 1, 0, 0, 0, 0]));
        bytes.extend([0x12, 0x34]);
    }
    bytes.extend([0xFF, 0xD9]);
    bytes
}

/// Size in a stream of JPEG 2000; nothing else of it is there.
fn j2k(width: u32, height: u32) -> Vec<u8> {
    let mut size = vec![0, 0];
    for field in [width, height, 0, 0, width, height, 0, 0] {
        size.extend(field.to_be_bytes());
    }
    size.extend([0, 1, 7, 1, 1]);
    let mut bytes = vec![0xFF, 0x4F];
    bytes.extend(segment(0x51, &size));
    bytes.extend(segment(0x52, &[0, 0, 0, 1, 0, 0, 4, 4, 0, 1]));
    bytes.extend(segment(0x90, &[0, 0, 0, 0, 0, 0, 0, 1]));
    bytes.extend([0xFF, 0x93, 1, 2, 0xFF, 0xD9]);
    bytes
}

#[test]
fn a_stream_of_another_size_than_the_header_is_never_decoded() {
    let set = Header::grey8(4, 4).set();
    let size = "size in the codestream does not agree with the header";
    for (uid, sof) in [(BASELINE, 0xC0), (LOSSLESS, 0xC3), (JPEG_LS, 0xF7)] {
        // 4 GiB of samples from less than 50 bytes.
        assert_eq!(refusal(&set, uid, &jpeg(sof, 8, (65_535, 65_535), 1, 1)), size);
        assert_eq!(refusal(&set, uid, &jpeg(sof, 8, (4, 5), 1, 1)), size);
        assert_eq!(refusal(&set, uid, &jpeg(sof, 8, (0, 4), 1, 1)), size, "DNL would tell");
        let components = "number of components in the codestream does not agree with the header";
        assert_eq!(refusal(&set, uid, &jpeg(sof, 8, (4, 4), 3, 1)), components);
        assert_eq!(refusal(&set, uid, &jpeg(sof, 8, (4, 4), 255, 1)), components);
        let precision = "precision in the codestream does not agree with the header";
        assert_eq!(refusal(&set, uid, &jpeg(sof, 16, (4, 4), 1, 1)), precision);
        assert_eq!(refusal(&set, uid, &jpeg(sof, 0, (4, 4), 1, 1)), precision);
    }
    assert_eq!(refusal(&set, JPEG_2000, &j2k(u32::MAX, u32::MAX)), "JPEG 2000: image size");
    assert_eq!(refusal(&set, JPEG_2000, &j2k(5, 4)), size);
}

#[test]
fn jpeg_ls_cannot_take_another_size_from_an_extension() {
    let set = Header::grey8(4, 4).set();
    let words = "JPEG-LS with a mapping table or oversize dimensions is not supported";
    let plain = jpeg(0xF7, 8, (4, 4), 1, 1);
    let with = |extension: &[u8]| {
        let mut bytes = plain[..2].to_vec();
        bytes.extend(segment(0xF8, extension));
        bytes.extend_from_slice(&plain[2..]);
        bytes
    };
    for kind in [2, 3, 4, 5, 255] {
        assert_eq!(refusal(&set, JPEG_LS, &with(&[kind, 2, 255, 255, 255, 255])), words);
    }
    let long = with(&[1, 0, 255, 0, 3, 0, 7, 0, 21, 0, 64, b'D', b'O', b'E']);
    assert_eq!(refusal(&set, JPEG_LS, &long), "JPEG-LS: length of a segment");
    assert!(walk(&with(&[1, 0, 255, 0, 3, 0, 7, 0, 21, 0, 64]), Family::JpegLs, None).is_ok());
}

#[test]
fn scans_are_counted_and_mixed_interleave_is_refused() {
    let set = Header::grey8(4, 4).set();
    let many = "JPEG-LS: more scans than components";
    assert_eq!(refusal(&set, JPEG_LS, &jpeg(0xF7, 8, (4, 4), 1, 2)), many);
    assert!(walk(&jpeg(0xF7, 8, (4, 4), 3, 3), Family::JpegLs, None).is_ok());
    assert!(walk(&jpeg(0xF7, 8, (4, 4), 3, 0), Family::JpegLs, None).is_err());
    let progressive = "progressive, arithmetic or hierarchical JPEG is not supported";
    assert_eq!(refusal(&set, BASELINE, &jpeg(0xC2, 8, (4, 4), 1, 1)), progressive);
    let mut mixed = jpeg(0xF7, 8, (4, 4), 3, 2);
    let second = mixed.len() - 2 - 2 - 2;
    mixed[second] = 1;
    let words = "JPEG-LS with scans of different kind is not supported";
    assert_eq!(refusal(&Header::rgb8(4, 4).set(), JPEG_LS, &mixed), words);
}

#[test]
fn a_blank_film_is_legal_in_rle_and_an_endless_run_ends() {
    let film = Header::grey16(4096, 4096).set();
    let shape = rle::Shape { width: 4096, height: 4096, samples: 1, sample_bytes: 2 };
    let fragment = rle::encode(&vec![0; 2 * 4096 * 4096], shape).unwrap();
    let decoded = decode(&film, RLE, &fragment).unwrap();
    assert!(decoded.frame.bytes.iter().all(|byte| *byte == 0));
    // The same fragment for a picture of 16 pixels: what is too much is dropped.
    let small = decode(&Header::grey16(4, 4).set(), RLE, &fragment).unwrap();
    assert_eq!(small.frame.bytes, [0; 32]);
    assert!(small.clean.unwrap().len() < 128);
}

#[test]
fn a_deflated_frame_unfolds_no_further_than_the_header_says() {
    use std::io::Write as _;
    let mut deflater = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    deflater.write_all(&vec![0; 64 << 20]).unwrap();
    let bomb = deflater.finish().unwrap();
    assert!(bomb.len() < 100_000);
    let set = Header::grey8(4, 4).set();
    let words = "length of a frame does not agree with the header";
    assert_eq!(refusal(&set, DEFLATED_FRAME, &bomb), words);
    let short = Header::grey8(9000, 9000).set();
    assert_eq!(refusal(&short, DEFLATED_FRAME, &bomb), words);
}

#[test]
fn depths_that_no_decoder_knows_are_refused_in_words() {
    let mut set = Header::grey16(4, 4).set();
    put_us(&mut set, dicom_dictionary_std::tags::BITS_ALLOCATED, 12);
    assert_eq!(
        refusal(&set, RLE, &[]),
        "Bits Allocated of neither 1, 8, 16 nor 32 is not supported"
    );
    // Values of 12 bits at the top of their words, in a stream of 12 bits.
    let mut high = Header { bits: (16, 12), ..Header::grey8(4, 4) }.set();
    put_us(&mut high, dicom_dictionary_std::tags::HIGH_BIT, 15);
    let stream = jpeg(0xF7, 12, (4, 4), 1, 1);
    assert_eq!(refusal(&high, JPEG_LS, &stream), "HighBit does not agree with the header");
}
