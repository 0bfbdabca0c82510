//! What the second door says to samples in each form that is no codestream.

use std::io::{Cursor, Write as _};

use super::samples::{self, NativeCheck, Shape};
use super::stream::{Fault, Stream};
use crate::dicom::{DataSet, Element, Extent, Source, Tag, VR};

/// One frame of 3 × 1 words with 12 bits of 16.
fn shape(signed: bool, high: u16, frames: &str) -> Shape {
    let words = [
        (0x0002, 1),
        (0x0010, 1),
        (0x0011, 3),
        (0x0100, 16),
        (0x0101, 12),
        (0x0102, high),
        (0x0103, u16::from(signed)),
    ];
    let word = |(element, value): (u16, u16)| {
        Element::bytes(Tag(0x0028, element), VR::US, value.to_le_bytes())
    };
    let mut set: DataSet = words.into_iter().map(word).collect();
    set.put(Element::bytes(Tag(0x0028, 0x0008), VR::IS, frames));
    Shape::of(&set).unwrap()
}

fn rule(checked: Result<(), Fault>) -> Result<(), &'static str> {
    match checked {
        Ok(()) => Ok(()),
        Err(Fault::Broken(rule)) => Err(rule),
        Err(Fault::Io(fault)) => panic!("{fault}"),
    }
}

fn native(shape: Shape, bytes: &[u8]) -> Result<(), &'static str> {
    // In pieces of each size: words lie across them.
    let check = |size: usize| {
        let mut check = NativeCheck::new(shape, shape.frames).unwrap();
        bytes.chunks(size).try_for_each(|piece| check.take(piece)).and_then(|()| check.end())
    };
    let whole = rule(check(bytes.len().max(1)));
    for size in 1..bytes.len() {
        assert_eq!(rule(check(size)), whole, "pieces of {size}");
    }
    whole
}

const BESIDE: Result<(), &str> = Err("bits-beside-the-samples");
const AFTER: Result<(), &str> = Err("bytes-after-the-samples");
const LENGTH: Result<(), &str> = Err("pixel-data-length");

#[test]
fn native_samples_are_as_many_as_said_and_nothing_stands_beside_them() {
    let plain = shape(false, 11, "1");
    assert_eq!(native(plain, &[0xFF, 0x0F, 0, 0, 1, 2]), Ok(()));
    assert_eq!(native(plain, &[0xFF, 0x0F, 0, 0, 1]), LENGTH);
    assert_eq!(native(plain, &[0xFF, 0x0F, 0, 0, 1, 2, 0, 0]), AFTER);
    assert_eq!(native(plain, &[0xFF, 0x0F, 0, 0, 1, b'D']), BESIDE);
    assert_eq!(native(shape(false, 11, "2"), &[1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0]), Ok(()));

    let signed = shape(true, 11, "1");
    assert_eq!(native(signed, &[0, 0xF8, 0, 0x08, 0, 0x07]), Ok(()), "with and without sign");
    assert_eq!(native(signed, &[0, 0x58, 0, 0, 0, 0]), BESIDE);
    assert_eq!(native(signed, &[0, 0xF7, 0, 0, 0, 0]), BESIDE);

    let shifted = shape(false, 15, "1");
    assert_eq!(native(shifted, &[0xF0, 0xFF, 0, 0, 0, 0]), Ok(()));
    assert_eq!(native(shifted, &[0xF1, 0xFF, 0, 0, 0, 0]), BESIDE);
}

fn bits(columns: u16, frames: &str) -> Shape {
    let words =
        [(0x0002, 1), (0x0010, 1), (0x0011, columns), (0x0100, 1), (0x0101, 1), (0x0103, 0)];
    let word = |(element, value): (u16, u16)| {
        Element::bytes(Tag(0x0028, element), VR::US, value.to_le_bytes())
    };
    let mut set: DataSet = words.into_iter().map(word).collect();
    set.put(Element::bytes(Tag(0x0028, 0x0008), VR::IS, frames));
    Shape::of(&set).unwrap()
}

#[test]
fn single_bits_end_with_zeros() {
    assert_eq!(native(bits(5, "3"), &[0xFF, 0x7F]), Ok(()));
    assert_eq!(native(bits(5, "3"), &[0xFF, 0xFF]), BESIDE);
    assert_eq!(native(bits(4, "1"), &[0x0F, 0]), Ok(()));
    assert_eq!(native(bits(4, "1"), &[0x0F, b'D']), AFTER);
    assert_eq!(native(bits(8, "2"), &[0xFF, 0xFF]), Ok(()));
}

type Check = fn(&mut Stream<'_>, Shape) -> Result<(), Fault>;

/// One frame in one fragment.
fn coded(check: Check, shape: Shape, bytes: &[u8]) -> Result<(), &'static str> {
    let fragments = [Extent { source: Source::Input, offset: 0, bytes: bytes.len() as u64 }];
    let mut file = Cursor::new(bytes.to_vec());
    let mut stream = Stream::new(&mut file, &fragments);
    assert!(stream.begin_frame());
    rule(check(&mut stream, shape).and_then(|()| stream.end_frame()))
}

const SAMPLES: [u8; 6] = [0x34, 0x02, 0xFF, 0x0F, 0, 0];

#[test]
fn uncompressed_and_deflated_frames_end_with_their_samples() {
    let deflate = |bytes: &[u8]| {
        let mut deflater = flate2::write::DeflateEncoder::new(Vec::new(), Default::default());
        deflater.write_all(bytes).unwrap();
        deflater.finish().unwrap()
    };
    let plain = shape(false, 11, "1");
    assert_eq!(coded(samples::uncompressed, plain, &SAMPLES), Ok(()));
    let longer = [&SAMPLES[..], b"DOE"].concat();
    assert!(coded(samples::uncompressed, plain, &longer).is_err());
    assert_eq!(coded(samples::uncompressed, plain, &SAMPLES[..5]), LENGTH);

    let stream = deflate(&SAMPLES);
    assert_eq!(coded(samples::deflated, plain, &stream), Ok(()));
    assert_eq!(coded(samples::deflated, plain, &[&stream[..], &[0]].concat()), Ok(()));
    assert_eq!(coded(samples::deflated, plain, &[&stream[..], b"DOE"].concat()), AFTER);
    assert_eq!(coded(samples::deflated, plain, &deflate(&longer)), AFTER);
    assert_eq!(coded(samples::deflated, plain, &deflate(&SAMPLES[..4])), LENGTH);
    assert_eq!(coded(samples::deflated, plain, &deflate(b"DOEDOE")), BESIDE);
    for cut in 0..stream.len() {
        assert!(coded(samples::deflated, plain, &stream[..cut.max(1)]).is_err());
    }
}

/// High bytes 2, 15, 0 and low bytes as literals.
fn rle(first: u32, tails: [&[u8]; 2]) -> Vec<u8> {
    let high = [&[2, 2, 15, 0][..], tails[0]].concat();
    let low = [&[2, 0x34, 0xFF, 0][..], tails[1]].concat();
    let mut bytes = vec![0; 64];
    bytes[0] = 2;
    bytes[4..8].copy_from_slice(&first.to_le_bytes());
    bytes[8..12].copy_from_slice(&(64 + high.len() as u32).to_le_bytes());
    bytes.extend([high, low].concat());
    bytes
}

#[test]
fn rle_segments_end_with_their_pixels_and_follow_each_other() {
    let plain = shape(false, 11, "1");
    let check = |bytes: &[u8]| coded(samples::rle, plain, bytes);
    assert_eq!(check(&rle(64, [b"", b""])), Ok(()));
    assert_eq!(check(&rle(64, [b"\0", b"\0"])), Ok(()));
    assert_eq!(check(&rle(64, [b"DOE", b""])), AFTER);
    assert_eq!(check(&rle(64, [b"", b"DO"])), Err("bytes-after-a-frame").or(AFTER));
    assert_eq!(check(&rle(66, [b"", b""])), Err("bytes-beside-the-samples"));
    let mut unused = rle(64, [b"", b""]);
    unused[60] = b'D';
    assert_eq!(check(&unused), Err("bytes-beside-the-samples"));
    let mut overlay = rle(64, [b"", b""]);
    overlay[65] |= 0x40;
    assert_eq!(check(&overlay), BESIDE);
    // A literal that goes on after the last pixel.
    let mut long = rle(64, [b"", b""]);
    long[68] = 5;
    long.extend(b"DOE");
    assert_eq!(check(&long), AFTER);
}
