//! Claims about JPEG instances that are painted in their blocks.

use dicom_dictionary_std::tags;

use super::area::{Area, Rect, mask};
use super::brush::{Brush, Canvas};
use super::tests::{HEIGHT, Instance, JPEG, PAINTED, WIDTH, is_in};
use crate::clean::pixels::codestream::jpeg::{Family, walk};
use crate::clean::pixels::jpeg::DctImage;
use crate::clean::pixels::testing::Header;
use crate::clean::pixels::view::Display;
use crate::clean::pixels::{Codec, Coded, Decoder, PixelAttributes};
use crate::dicom::{Element, VR, Value};

const EXTENDED: &str = "1.2.840.10008.1.2.4.51";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const GREY: &[u8] = include_bytes!("../../../tests/data/jpeg/grey.jpg");
const COLOUR: &[u8] = include_bytes!("../../../tests/data/jpeg/colour-420.jpg");
const GREY_12: &[u8] = include_bytes!("../../../tests/data/jpeg/grey-12bit.jpg");

/// Every picture of the fixtures has the white mark of `tests::MARK`.
fn header() -> Header {
    Header::grey8(HEIGHT as u16, WIDTH as u16)
}

fn colour() -> Header {
    Header { photometric: "YBR_FULL_422", ..header() }
}

fn deep() -> Header {
    Header { bits: (16, 12), ..header() }
}

/// Columns from here on lie beyond the 16 × 16 units around the painted part,
/// and beyond what a decoder draws out of them.
const UNTOUCHED_FROM: usize = 33;

fn is_far(pixel: usize) -> bool {
    pixel % WIDTH >= UNTOUCHED_FROM
}

#[test]
fn a_painted_stream_keeps_its_syntax_and_all_but_the_touched_blocks() {
    for (header, syntax, stream, tolerance) in [
        (header(), JPEG, GREY, 8),
        (colour(), JPEG, COLOUR, 8),
        (header(), EXTENDED, GREY, 8),
        (deep(), EXTENDED, GREY_12, 8 << 4),
    ] {
        let instance = Instance::encapsulated(&header, syntax, &[stream.to_vec()]);
        let cleaned = instance.clean().unwrap();
        assert!(cleaned.rewritten);
        assert_eq!(cleaned.syntax, syntax);
        assert_eq!(cleaned.hidden().len(), 1, "{syntax} {header:?} {:?}", cleaned.hidden());
        let out = &cleaned.fragments[0];
        assert!(
            walk(out, Family::Jpeg, None).unwrap().clean.is_none(),
            "nothing beside the picture"
        );
        let (before, after) = (DctImage::read(stream), DctImage::read(out));
        let (before, after) =
            (before.unwrap().samples().unwrap(), after.unwrap().samples().unwrap());
        let wide = usize::from(header.bits.1 > 8) + 1;
        let pixel_bytes = wide * usize::from(header.samples());
        let pixels = before.chunks(pixel_bytes).zip(after.chunks(pixel_bytes));
        for (at, (before, after)) in pixels.enumerate() {
            let luma =
                after[..wide].iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
            assert!(!is_in(PAINTED, at) || luma <= tolerance, "{luma} at {at}");
            assert!(!is_far(at) || before == after, "{at}");
        }
    }
}

#[test]
fn what_describes_a_stream_stays_when_its_blocks_are_painted() {
    let mut instance = Instance::encapsulated(&colour(), JPEG, &[COLOUR.to_vec()]);
    let planar = Element::bytes(tags::PLANAR_CONFIGURATION, VR::US, [0, 0]);
    instance.set.put(planar.clone());
    instance.set.put(Element::bytes(tags::LARGEST_IMAGE_PIXEL_VALUE, VR::US, [255, 0]));
    let cleaned = instance.clean().unwrap();
    for tag in [tags::PHOTOMETRIC_INTERPRETATION, tags::PLANAR_CONFIGURATION] {
        assert_eq!(cleaned.set.get(tag), instance.set.get(tag));
    }
    assert_eq!(cleaned.set.get(tags::LARGEST_IMAGE_PIXEL_VALUE), None, "may be painted over");
}

#[test]
fn every_frame_of_a_cine_is_painted_into_its_own_fragment() {
    let header = Header { frames: 3, ..header() };
    let with_comment = [&GREY[..2], b"\xFF\xFE\0\x0ADOE^JANE", &GREY[2..]].concat();
    let fragments = [GREY.to_vec(), with_comment, GREY.to_vec()];
    let cleaned = Instance::encapsulated(&header, JPEG, &fragments).clean().unwrap();
    assert_eq!(cleaned.fragments.len(), 3);
    assert_eq!(cleaned.fragments[0], cleaned.fragments[1], "the comment does not pass");
    assert_eq!(cleaned.frames().len(), 3);
    let Value::Fragments { offset_table, .. } = &cleaned.set.get(tags::PIXEL_DATA).unwrap().value
    else {
        panic!("fragments")
    };
    let step = u32::try_from(cleaned.fragments[0].len()).unwrap() + 8;
    assert_eq!(*offset_table, [0, step, 2 * step]);
}

#[test]
fn what_is_looked_at_again_is_decoded_from_the_edited_stream() {
    let canvas = painted(Area::upright(Rect { x0: 7, y0: 5, x1: 23, y1: 15 }));
    let stream = canvas.painted.stream.unwrap();
    assert_ne!(stream, GREY);
    let shown = canvas.painted.decoded.frame.bytes;
    let mut decoder = jpeg_decoder::Decoder::new(stream.as_slice());
    assert_eq!(shown, decoder.decode().unwrap());
    // An ideal picture would be black to the pixel.
    let mut inside = shown.iter().enumerate().filter(|(at, _)| is_in(PAINTED, *at));
    assert!(inside.any(|(_, sample)| *sample > 0));
}

#[test]
fn a_frame_that_no_area_covers_passes_byte_for_byte() {
    let canvas = painted(Area::upright(Rect { x0: 0, y0: 0, x1: 0, y1: 0 }));
    assert_eq!(canvas.painted.stream.as_deref(), Some(GREY));
}

fn painted(area: Area) -> Canvas {
    let attributes = PixelAttributes::read(&header().set(), &Default::default()).unwrap();
    let areas = [area];
    let brush = Brush {
        decoder: Decoder { attributes: &attributes, codec: Codec::Jpeg },
        display: &Display::default(),
        extremes: None,
        mask: Some(mask(&areas, attributes.columns, attributes.rows)),
        areas: &areas,
    };
    brush.paint(Coded { bytes: GREY.to_vec(), first_bit: 0 }).unwrap()
}

#[test]
fn bits_beside_the_values_are_cleared_in_samples() {
    // The data set says 6 bits, the stream has 8.
    let header = Header { bits: (8, 6), ..header() };
    let cleaned = Instance::encapsulated(&header, JPEG, &[GREY.to_vec()]).clean().unwrap();
    assert_eq!(cleaned.syntax, EXPLICIT);
    assert!(cleaned.fragments[0].iter().all(|byte| *byte < 64));
}

#[test]
fn eight_bits_in_words_of_sixteen_are_looked_at_and_painted() {
    let header = Header { bits: (16, 8), ..header() };
    let cleaned = Instance::encapsulated(&header, EXTENDED, &[GREY.to_vec()]).clean().unwrap();
    assert_eq!(cleaned.syntax, EXTENDED);
    for (at, word) in cleaned.frames()[0].as_chunks::<2>().0.iter().enumerate() {
        assert!(!is_in(PAINTED, at) || u16::from_le_bytes(*word) <= 8);
    }
}
