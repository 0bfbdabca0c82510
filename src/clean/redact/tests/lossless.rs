//! Pictures in lossless JPEG and JPEG 2000, painted and coded again.

use super::*;
use crate::clean::encode::testing::{jpeg_2000, lossless_jpeg};
use crate::clean::pixels::StoredFrame;

const JPEG_LOSSLESS: &str = "1.2.840.10008.1.2.4.57";
const JPEG_LOSSLESS_SV1: &str = "1.2.840.10008.1.2.4.70";
const JPEG_2000_LOSSLESS: &str = "1.2.840.10008.1.2.4.90";
const JPEG_2000: &str = "1.2.840.10008.1.2.4.91";
const JPEG_2000_PART_2: &str = "1.2.840.10008.1.2.4.92";
const HTJ2K_LOSSLESS: &str = "1.2.840.10008.1.2.4.201";

/// The picture of a kind, coded by `encode`.
fn coded(kind: &Kind, encode: fn(&StoredFrame) -> Vec<u8>) -> Vec<u8> {
    let (header, ground, mark, _ink) = kind;
    let attributes = PixelAttributes::read(&header.set(), &Default::default()).unwrap();
    let mut fragment = encode(&StoredFrame {
        width: attributes.columns,
        height: attributes.rows,
        photometric: attributes.photometric,
        bits: attributes.bits,
        bytes: picture(ground, mark),
    });
    fragment.resize(fragment.len().next_multiple_of(2), 0);
    fragment
}

/// All that have no more bits than the encoders take.
fn kinds_coded() -> impl Iterator<Item = Kind> {
    kinds().into_iter().filter(|(header, ..)| header.bits.1 <= 16)
}

fn photometric(cleaned: &Cleaned) -> &str {
    cleaned.set.ascii(tags::PHOTOMETRIC_INTERPRETATION).unwrap()
}

#[test]
fn every_kind_that_lossless_jpeg_holds_is_painted_and_stays_in_its_syntax() {
    for kind in kinds_coded() {
        let fragment = coded(&kind, lossless_jpeg);
        let (header, ground, _mark, ink) = kind;
        for syntax in [JPEG_LOSSLESS, JPEG_LOSSLESS_SV1] {
            let fragments = [fragment.clone()];
            let cleaned = Instance::encapsulated(&header, syntax, &fragments).clean().unwrap();
            assert_eq!(cleaned.syntax, syntax);
            assert_eq!(photometric(&cleaned), header.photometric);
            assert_eq!(cleaned.frames(), [expected(&ground, &ink)], "{header:?}");
        }
    }
}

#[test]
fn every_kind_that_jpeg_2000_holds_is_painted_and_stays_in_its_syntax() {
    for kind in kinds_coded() {
        let fragment = coded(&kind, jpeg_2000);
        let (header, ground, _mark, ink) = kind;
        for syntax in [JPEG_2000_LOSSLESS, JPEG_2000] {
            let fragments = [fragment.clone()];
            let cleaned = Instance::encapsulated(&header, syntax, &fragments).clean().unwrap();
            assert_eq!(cleaned.syntax, syntax);
            // RGB is coded through the component transform, and says so.
            let called = if header.photometric == "RGB" { "YBR_RCT" } else { header.photometric };
            assert_eq!(photometric(&cleaned), called);
            assert_eq!(cleaned.frames(), [expected(&ground, &ink)], "{header:?}");
        }
    }
}

#[test]
fn what_no_encoder_writes_becomes_native_and_keeps_its_samples() {
    for kind in kinds_coded() {
        let fragment = coded(&kind, jpeg_2000);
        let (header, ground, _mark, ink) = kind;
        for syntax in [JPEG_2000_PART_2, HTJ2K_LOSSLESS] {
            let fragments = [fragment.clone()];
            let cleaned = Instance::encapsulated(&header, syntax, &fragments).clean().unwrap();
            assert_eq!(cleaned.syntax, EXPLICIT);
            assert_eq!(photometric(&cleaned), header.photometric);
            assert_eq!(cleaned.fragments, [expected(&ground, &ink)], "{header:?}");
        }
    }
}
