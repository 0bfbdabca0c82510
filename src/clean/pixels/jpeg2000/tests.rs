//! Streams that the encoder of ours does not write, made with the library.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsRawFd as _;

use openjp2::openjpeg::{OPJ_CLRSPC_UNSPECIFIED, OPJ_CODEC_J2K};
use openjp2::{Codec as Library, Stream, opj_cparameters_t, opj_image, opj_image_comptparm};
use rustix::fs::{MemfdFlags, memfd_create};

use crate::clean::pixels::attributes::SampleBits;
use crate::clean::pixels::{
    Codec, Coded, Decoder, Photometric, PixelAttributes, PixelError, StoredFrame,
};

/// Picture of 13 × 9 pixels, 6 and 4 from the beginning of the grid.
const ORIGIN: [u32; 2] = [6, 4];
const SIZE: [u32; 2] = [13, 9];

/// One component: bits, signed, separation.
#[derive(Clone, Copy)]
struct Component {
    bits: u32,
    signed: bool,
    separation: [u32; 2],
}

const PLAIN: Component = Component { bits: 8, signed: false, separation: [1, 1] };

/// The sample of a component: tells component, column and row apart.
fn sample(component: usize, x: u32, y: u32) -> i32 {
    (component as u32 * 60 + (x * 5 + y * 11) % 60) as i32
}

/// A stream of the components with samples by [`sample`], in tiles of 12 × 12.
fn stream(components: &[Component]) -> Vec<u8> {
    let extent = |axis: usize, component: &Component| {
        let separation = component.separation[axis];
        (ORIGIN[axis] + SIZE[axis]).div_ceil(separation) - ORIGIN[axis].div_ceil(separation)
    };
    let described: Vec<_> = components
        .iter()
        .map(|component| opj_image_comptparm {
            dx: component.separation[0],
            dy: component.separation[1],
            w: extent(0, component),
            h: extent(1, component),
            x0: 0,
            y0: 0,
            prec: component.bits,
            bpp: component.bits,
            sgnd: u32::from(component.signed),
        })
        .collect();
    let mut image = opj_image::create(&described, OPJ_CLRSPC_UNSPECIFIED).unwrap();
    [image.x0, image.y0] = ORIGIN;
    [image.x1, image.y1] = [ORIGIN[0] + SIZE[0], ORIGIN[1] + SIZE[1]];
    let planes = image.comps_mut().unwrap().iter_mut().zip(components).enumerate();
    for (index, (plane, component)) in planes {
        let (width, height) = (extent(0, component), extent(1, component));
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        for (target, (x, y)) in plane.data_mut().unwrap().iter_mut().zip(places) {
            *target = sample(index, x, y);
        }
    }
    let mut parameters = opj_cparameters_t::default();
    (parameters.tcp_numlayers, parameters.cp_disto_alloc, parameters.numresolution) = (1, 1, 2);
    (parameters.tile_size_on, parameters.cp_tdx, parameters.cp_tdy) = (1, 12, 12);
    let mut file = File::from(memfd_create("j2k", MemfdFlags::CLOEXEC).unwrap());
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let mut output = Stream::new_file(path, 4096, false).unwrap();
    let mut library = Library::new_encoder(OPJ_CODEC_J2K).unwrap();
    assert_eq!(library.setup_encoder(&mut parameters, &mut image), 1);
    assert_eq!(library.start_compress(&mut image, &mut output), 1);
    assert_eq!(library.encode(&mut output), 1);
    assert_eq!(library.end_compress(&mut output), 1);
    drop(output);
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

fn decode(
    bytes: &[u8],
    photometric: Photometric,
    bits: SampleBits,
) -> Result<StoredFrame, PixelError> {
    let attributes = PixelAttributes {
        rows: SIZE[1],
        columns: SIZE[0],
        photometric,
        bits,
        planar: false,
        frames: 1,
    };
    let decoder = Decoder { attributes: &attributes, codec: Codec::Jpeg2000 };
    let coded = Coded { bytes: bytes.to_vec(), first_bit: 0 };
    decoder.decode(coded).map(|decoded| decoded.frame)
}

const BYTE: SampleBits = SampleBits { allocated: 8, stored: 8, shift: 0, signed: false };
const WORD: SampleBits = SampleBits { allocated: 16, stored: 12, shift: 0, signed: false };

#[test]
fn tiles_offsets_and_missing_samples_are_laid_out_on_the_grid() {
    let halves = Component { separation: [2, 2], ..PLAIN };
    let thirds = Component { separation: [3, 1], ..PLAIN };
    let bytes = stream(&[PLAIN, halves, thirds]);
    let frame = decode(&bytes, Photometric::YbrFull, BYTE).unwrap();
    let mut pixels = frame.bytes.as_chunks::<3>().0.iter();
    for y in 0..SIZE[1] {
        for x in 0..SIZE[0] {
            let at = |separation: u32, axis: usize, pixel: u32| {
                let first = ORIGIN[axis].div_ceil(separation);
                ((ORIGIN[axis] + pixel) / separation).saturating_sub(first)
            };
            let expected =
                [sample(0, x, y), sample(1, at(2, 0, x), at(2, 1, y)), sample(2, at(3, 0, x), y)];
            assert_eq!(pixels.next().unwrap().map(i32::from), expected, "{x} {y}");
        }
    }
}

#[test]
fn pixels_before_the_first_sample_show_it() {
    // Samples stand at 6 and 9 of the grid, the picture goes from 5 to 11.
    let sampling = super::Sampling::new(5, 3, 2).unwrap();
    assert_eq!(sampling.expected(7), 2);
    let samples: Vec<usize> = (0..7).map(|pixel| sampling.sample(pixel)).collect();
    assert_eq!(samples, [0, 0, 0, 0, 1, 1, 1]);
}

#[test]
fn components_keep_their_own_precision() {
    let deep = Component { bits: 12, ..PLAIN };
    let frame = decode(&stream(&[deep, PLAIN, PLAIN]), Photometric::YbrFull, WORD).unwrap();
    let values: Vec<i64> = frame.values().take(6).collect();
    assert_eq!(values, [0, 60, 120, 5, 65, 125]);
    let deeper = Component { bits: 9, ..PLAIN };
    let refused = decode(&stream(&[PLAIN, deeper, PLAIN]), Photometric::YbrFull, BYTE);
    assert!(refused.is_err(), "nine bits do not fit into eight");
}

#[test]
fn pixel_representation_decides_where_the_codestream_contradicts_it() {
    let seven = Component { bits: 7, ..PLAIN };
    let signed = SampleBits { stored: 7, signed: true, ..BYTE };
    let signed_seven = Component { signed: true, ..seven };
    // 59 is the greatest sample; 120 % 64 would be negative in seven bits.
    for component in [seven, signed_seven] {
        let grey = decode(&stream(&[component]), Photometric::Monochrome2, signed).unwrap();
        assert_eq!(grey.extremes(), Some((0, 59)));
    }
    let six = Component { bits: 6, ..PLAIN };
    let signed = SampleBits { stored: 6, ..signed };
    let grey = decode(&stream(&[six]), Photometric::Monochrome2, signed).unwrap();
    assert_eq!(grey.extremes(), Some((-32, 31)));
    let shallow = SampleBits { stored: 8, ..BYTE };
    let grey = decode(&stream(&[six]), Photometric::Monochrome2, shallow).unwrap();
    assert_eq!(grey.extremes(), Some((0, 59)));
}

#[test]
fn damaged_streams_are_answered() {
    let whole = stream(&[PLAIN, PLAIN, PLAIN]);
    let mut state = 7_usize;
    for round in 0..3000 {
        let mut bytes = whole.clone();
        for _flip in 0..=round % 3 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888);
            let at = (state >> 33) % bytes.len();
            bytes[at] ^= 1 << (state >> 60 & 7);
        }
        let _frame = decode(&bytes, Photometric::Rgb, BYTE);
    }
    for cut in 0..whole.len() {
        assert!(decode(&whole[..cut], Photometric::Rgb, BYTE).is_err());
    }
}
