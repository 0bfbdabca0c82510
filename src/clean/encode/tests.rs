//! Claims about what comes out of the encoders, frame by frame.

use std::io::Cursor;

use charls::{CharLS, FrameInfo, InterleaveMode};

use super::*;
use crate::clean::pixels::codestream::{Interleave, Loss, jpeg};
use crate::clean::pixels::testing::{Header, put_us};
use crate::clean::pixels::{Coded, Decoder};
use crate::config::CleanLimits;

const ENCAPSULATED: &str = "1.2.840.10008.1.2.1.98";
const DEFLATED_FRAME: &str = "1.2.840.10008.1.2.8.1";
const RLE: &str = "1.2.840.10008.1.2.5";
const JPEG: &str = "1.2.840.10008.1.2.4.50";
const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";

/// Frames coded again, and where they lie.
struct Recoding {
    recoded: Recoded,
    scratch: Vec<u8>,
}

impl Recoding {
    fn element(&self, tag: Tag) -> Option<&Element> {
        self.recoded.replace.iter().find(|element| element.tag == tag)
    }

    fn text(&self, tag: Tag) -> Option<String> {
        let bytes = self.element(tag)?.as_bytes()?;
        Some(String::from_utf8_lossy(bytes).trim_end().to_owned())
    }

    fn fragments(&self) -> Vec<Vec<u8>> {
        match &self.element(tags::PIXEL_DATA).unwrap().value {
            Value::Fragments { fragments, .. } => {
                fragments.iter().map(|extent| self.bytes(extent)).collect()
            }
            Value::Bulk(extent) => vec![self.bytes(extent)],
            Value::Bytes(_) | Value::Items(_) => panic!("not from an encoder"),
        }
    }

    fn bytes(&self, extent: &Extent) -> Vec<u8> {
        let start = usize::try_from(extent.offset).unwrap();
        self.scratch[start..start + usize::try_from(extent.bytes).unwrap()].to_vec()
    }
}

fn attributes(set: &DataSet) -> PixelAttributes {
    PixelAttributes::read(set, &CleanLimits::default()).unwrap()
}

fn syntax(uid: &str) -> TransferSyntax {
    TransferSyntax::new(uid.parse().unwrap())
}

fn decode(set: &DataSet, uid: &str, coded: &[u8]) -> Decoded {
    let codec = Codec::of(&syntax(uid)).unwrap();
    let attributes = attributes(set);
    let decoder = Decoder { attributes: &attributes, codec };
    decoder.decode(Coded { bytes: coded.to_vec(), first_bit: 0 }).unwrap()
}

/// Codes frames again as they are; `painted` says what is claimed of them.
fn recode(set: &DataSet, uid: &str, frames: &[Decoded], painted: bool) -> Recoding {
    let attributes = attributes(set);
    let syntax = syntax(uid);
    let codec = Codec::of(&syntax).unwrap();
    let mut file = Cursor::new(Vec::new());
    let origin = Origin {
        set,
        attributes: &attributes,
        codec,
        syntax: &syntax,
        painted,
        edited: false,
        uncoded: false,
    };
    let mut recoder = Recoder::new(&origin, Scratch::new(&mut file, 0)).unwrap();
    frames.iter().for_each(|frame| recoder.push(frame.clone().into()).unwrap());
    let value = Value::Fragments { offset_table: Vec::new(), fragments: Vec::new() };
    let pixel_data = Element { tag: tags::PIXEL_DATA, vr: VR::OB, value };
    let recoded = recoder.finish(&pixel_data).unwrap();
    Recoding { recoded, scratch: file.into_inner() }
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| u8::try_from(at * 37 % 251).unwrap()).collect()
}

fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

#[test]
fn native_frames_in_fragments_stay_in_their_syntax_and_layout() {
    let planes = Header { planar: true, frames: 2, ..Header::rgb8(3, 5) };
    let pairs = Header { photometric: "YBR_FULL_422", frames: 2, ..Header::rgb8(3, 4) };
    let single = Header { bits: (1, 1), frames: 2, ..Header::grey8(3, 5) };
    let words = Header { frames: 2, ..Header::grey16(3, 5) };
    for (header, frame_bytes) in [(planes, 45), (pairs, 24), (single, 2), (words, 30)] {
        let set = header.set();
        let mut native = [bytes(frame_bytes), bytes(frame_bytes)];
        native[1].reverse();
        if header.bits.0 == 1 {
            // 15 bits: the last one belongs to no pixel.
            native.iter_mut().for_each(|frame| frame[1] &= 0x7F);
        }
        let plain = native.clone().map(padded);
        let deflated = native.clone().map(|frame| padded(deflate::encode(&frame).unwrap()));
        for (uid, received) in [(ENCAPSULATED, plain), (DEFLATED_FRAME, deflated)] {
            let frames = received.each_ref().map(|coded| decode(&set, uid, coded));
            let recoding = recode(&set, uid, &frames, true);
            assert_eq!(recoding.recoded.transfer_syntax.as_str(), uid);
            assert_eq!(recoding.fragments(), received, "{uid} {header:?}");
            let Value::Fragments { offset_table, .. } =
                &recoding.element(tags::PIXEL_DATA).unwrap().value
            else {
                panic!("native")
            };
            assert_eq!(offset_table.len(), 2);
        }
    }
}

fn jpeg_ls(
    samples: &[u8],
    header: &Header,
    precision: u16,
    mode: InterleaveMode,
    near: i32,
) -> Vec<u8> {
    let info = FrameInfo {
        width: u32::from(header.columns),
        height: u32::from(header.rows),
        bits_per_sample: i32::from(precision),
        component_count: i32::from(header.samples()),
    };
    let mut encoder = CharLS::default();
    encoder.set_interleave_mode(mode).unwrap();
    encoder.encode(info, near, samples).unwrap()
}

#[test]
fn jpeg_ls_comes_back_byte_for_byte_in_every_depth_and_interleave_mode() {
    for precision in 2..=16_u16 {
        let (allocated, width) = if precision <= 8 { (8, 1) } else { (16, 2) };
        let mask = u16::MAX >> (16 - precision);
        for signed in [false, true] {
            let base = Header { bits: (allocated, precision), signed, ..Header::grey8(9, 13) };
            for (photometric, mode) in [
                ("MONOCHROME2", InterleaveMode::None),
                ("PALETTE COLOR", InterleaveMode::None),
                ("RGB", InterleaveMode::None),
                ("RGB", InterleaveMode::Line),
                ("YBR_FULL", InterleaveMode::Sample),
            ] {
                let header = Header { photometric, ..base.clone() };
                let count = 9 * 13 * usize::from(header.samples());
                let values = (0..count).map(|at| u16::try_from(at * 2741 % 65_521).unwrap() & mask);
                let samples: Vec<u8> =
                    values.flat_map(|value| value.to_le_bytes().into_iter().take(width)).collect();
                let received = padded(jpeg_ls(&samples, &header, precision, mode, 0));
                let set = header.set();
                let frame = decode(&set, JPEG_LS, &received);
                let recoding = recode(&set, JPEG_LS, &[frame], true);
                assert_eq!(recoding.fragments(), [received], "{header:?} {mode:?}");
                assert_eq!(recoding.recoded.transfer_syntax.as_str(), JPEG_LS);
                assert_eq!(recoding.element(tags::LOSSY_IMAGE_COMPRESSION), None);
            }
        }
    }
}

#[test]
fn near_lossless_is_coded_without_further_loss_and_stays_labelled() {
    let near_lossless = "1.2.840.10008.1.2.4.81";
    let header = Header::grey8(16, 16);
    let received = jpeg_ls(&bytes(256), &header, 8, InterleaveMode::None, 3);
    let mut set = header.set();
    let frame = decode(&set, near_lossless, &received);
    assert_eq!(frame.header.loss, Some(Loss::NearLossless));
    let samples = frame.frame.bytes.clone();
    let recoding = recode(&set, near_lossless, std::slice::from_ref(&frame), true);
    let fragment = recoding.fragments().concat();
    let walked = jpeg::walk(&fragment, jpeg::Family::JpegLs, None).unwrap();
    assert_eq!(walked.header.loss, None);
    assert_eq!(decode(&set, near_lossless, &fragment).frame.bytes, samples);
    assert_eq!(recoding.text(tags::LOSSY_IMAGE_COMPRESSION).unwrap(), "01");
    assert_eq!(recoding.text(tags::LOSSY_IMAGE_COMPRESSION_METHOD).unwrap(), "ISO_14495_1");

    set.put(Element::bytes(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "01"));
    let told = recode(&set, near_lossless, &[frame], true);
    assert_eq!(told.element(tags::LOSSY_IMAGE_COMPRESSION_RATIO), None, "stays as received");
}

fn grey(values: &[u8], loss: Option<Loss>) -> Decoded {
    let set = Header::grey8(1, u16::try_from(values.len()).unwrap()).set();
    let mut decoded = decode(&set, ENCAPSULATED, values);
    decoded.header.loss = loss;
    Decoded { coded_bytes: 3, ..decoded }
}

#[test]
fn what_was_lossy_says_so_when_it_leaves_uncompressed() {
    let set = Header { frames: 2, ..Header::grey8(1, 4) }.set();
    let frames = [grey(&[1, 2, 3, 4], None), grey(&[1, 2, 3, 4], Some(Loss::Jpeg))];
    let recoding = recode(&set, JPEG, &frames, true);
    assert_eq!(recoding.recoded.transfer_syntax.as_str(), EXPLICIT_VR_LE);
    assert_eq!(recoding.text(tags::LOSSY_IMAGE_COMPRESSION).unwrap(), "01");
    assert_eq!(recoding.text(tags::LOSSY_IMAGE_COMPRESSION_METHOD).unwrap(), "ISO_10918_1");
    assert_eq!(recoding.text(tags::LOSSY_IMAGE_COMPRESSION_RATIO).unwrap(), "1.33");
    let lossless = recode(&set, JPEG, &[grey(&[1, 2, 3, 4], None)], true);
    assert_eq!(lossless.element(tags::LOSSY_IMAGE_COMPRESSION), None, "nothing is claimed");
}

#[test]
fn extremes_are_told_anew_where_they_were_told() {
    let header = Header { frames: 2, bits: (16, 16), signed: true, ..Header::grey8(1, 2) };
    let mut set = header.set();
    put_us(&mut set, tags::SMALLEST_IMAGE_PIXEL_VALUE, 1);
    put_us(&mut set, tags::LARGEST_PIXEL_VALUE_IN_SERIES, 9);
    let frame = |values: [i16; 2]| {
        let bytes: Vec<u8> = values.into_iter().flat_map(i16::to_le_bytes).collect();
        decode(&set, ENCAPSULATED, &bytes)
    };
    let frames = [frame([5, 300]), frame([-7, 2])];
    let painted = recode(&set, RLE, &frames, true);
    let least = painted.element(tags::SMALLEST_IMAGE_PIXEL_VALUE).unwrap();
    assert_eq!((least.vr, least.as_bytes().unwrap()), (VR::SS, &(-7_i16).to_le_bytes()[..]));
    assert_eq!(painted.element(tags::LARGEST_IMAGE_PIXEL_VALUE), None, "it was not told");
    assert!(painted.recoded.remove.contains(&tags::LARGEST_IMAGE_PIXEL_VALUE));
    assert!(painted.recoded.remove.contains(&tags::LARGEST_PIXEL_VALUE_IN_SERIES));
    let as_it_was = recode(&set, RLE, &frames, false);
    assert!(!as_it_was.recoded.remove.contains(&tags::LARGEST_PIXEL_VALUE_IN_SERIES));

    // US has 16 bits (PS3.5 §6.2).
    let wide = Header { bits: (32, 32), ..Header::grey8(1, 1) };
    let mut set = wide.set();
    put_us(&mut set, tags::LARGEST_IMAGE_PIXEL_VALUE, 9);
    let frame = decode(&set, ENCAPSULATED, &70_000_u32.to_le_bytes());
    let recoding = recode(&set, ENCAPSULATED, &[frame], true);
    assert!(recoding.recoded.remove.contains(&tags::LARGEST_IMAGE_PIXEL_VALUE));
}

#[test]
fn native_results_of_4_gib_are_refused_and_fragments_are_not() {
    let set = Header { frames: 4295, ..Header::grey8(1000, 1000) }.set();
    let attributes = attributes(&set);
    let mut file = Cursor::new(Vec::new());
    let mut made = |uid: &str| {
        let syntax = syntax(uid);
        let codec = Codec::of(&syntax).unwrap();
        let origin = Origin {
            set: &set,
            attributes: &attributes,
            codec,
            syntax: &syntax,
            painted: true,
            edited: false,
            uncoded: false,
        };
        Recoder::new(&origin, Scratch::new(&mut file, 0)).map(drop)
    };
    assert!(matches!(
        made(EXPLICIT_VR_LE),
        Err(PixelError::OverLimit { limit: "4 GiB of native Pixel Data" })
    ));
    for uid in [ENCAPSULATED, DEFLATED_FRAME, RLE, JPEG_LS] {
        assert!(made(uid).is_ok(), "{uid}");
    }
}

#[test]
fn a_grey_stream_is_never_interleaved() {
    let set = Header::grey8(1, 4).set();
    let mut odd = grey(&[1, 2, 3, 4], None);
    odd.header.interleave = Interleave::Line;
    let recoding = recode(&set, JPEG_LS, &[odd], true);
    assert_eq!(decode(&set, JPEG_LS, &recoding.fragments().concat()).frame.bytes, [1, 2, 3, 4]);
}
