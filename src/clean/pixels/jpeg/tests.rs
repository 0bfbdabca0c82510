use super::huffman::{Definition, HuffmanTable};
use super::image::{Block, Component, Frame, Part, component};
use super::scan::{self, Scan};
use super::*;

/// A made-up picture, and the coefficients that its stream codes.
#[derive(Debug, Clone)]
struct Spec {
    width: usize,
    height: usize,
    precision: u8,
    /// Sampling factors of the components.
    sampling: Vec<(u8, u8)>,
    interleaved: bool,
    single_table: bool,
    restart_interval: u16,
    /// All entries of the quantisation table.
    factor: u8,
}

impl Spec {
    fn new(width: usize, height: usize, sampling: &[(u8, u8)]) -> Self {
        Self {
            width,
            height,
            precision: 8,
            sampling: sampling.to_vec(),
            interleaved: true,
            single_table: false,
            restart_interval: 0,
            factor: 3,
        }
    }

    fn frame(&self) -> Frame {
        Frame {
            width: self.width,
            height: self.height,
            precision: self.precision,
            h_max: self.sampling.iter().map(|(h, _)| usize::from(*h)).max().unwrap(),
            v_max: self.sampling.iter().map(|(_, v)| usize::from(*v)).max().unwrap(),
        }
    }

    /// JFIF, DQT, SOF and DRI.
    fn segments(&self) -> Vec<Vec<u8>> {
        let jfif = b"\xFF\xE0\0\x10JFIF\0\x01\x02\0\0\x01\0\x01\0\0".to_vec();
        let table = [b"\xFF\xDB\0\x43\0".as_slice(), &[self.factor; 64]].concat();
        let sof = if self.precision == 8 { 0xC0 } else { 0xC1 };
        let count = u8::try_from(self.sampling.len()).unwrap();
        let [h1, h0] = u16::try_from(self.height).unwrap().to_be_bytes();
        let [w1, w0] = u16::try_from(self.width).unwrap().to_be_bytes();
        let mut frame = vec![0xFF, sof, 0, 8 + 3 * count, self.precision, h1, h0, w1, w0, count];
        for (id, (h, v)) in (1..).zip(&self.sampling) {
            frame.extend([id, h << 4 | v, 0]);
        }
        let [r1, r0] = self.restart_interval.to_be_bytes();
        vec![jfif, table, frame, vec![0xFF, 0xDD, 0, 4, r1, r0]]
    }

    fn scans(&self) -> Vec<Scan> {
        let part = |index: usize| {
            let table = usize::from(index > 0 && !self.single_table);
            scan::Part { index, id: u8::try_from(index + 1).unwrap(), tables: [table; 2] }
        };
        let count = self.sampling.len();
        let parts: Vec<Vec<scan::Part>> = if self.interleaved {
            vec![(0..count).map(part).collect()]
        } else {
            (0..count).map(|index| vec![part(index)]).collect()
        };
        let restart_interval = u32::from(self.restart_interval);
        parts.into_iter().map(|components| Scan { components, restart_interval }).collect()
    }

    /// The coded stream, with the coefficients of `value`.
    fn stream(&self, mut value: impl FnMut() -> [i16; 64]) -> Vec<u8> {
        let frame = self.frame();
        let alone = !self.interleaved || self.sampling.len() == 1;
        let mut components: Vec<Component> = Vec::new();
        for (id, (h, v)) in (1..).zip(&self.sampling) {
            let mut component = component(&frame, [id, h << 4 | v, 0]);
            let shape = component.shape;
            for at in 0..shape.stride * frame.units().1 * shape.v {
                let outside = at % shape.stride >= shape.wide || at / shape.stride >= shape.high;
                let values = if alone && outside { [0; 64] } else { value() };
                component.blocks.push(Block::new(values));
            }
            components.push(component);
        }
        let segments = self.segments();
        let parts = segments.iter().map(|bytes| Part::Segment(bytes));
        let parts = parts.chain(self.scans().into_iter().map(Part::Scan)).collect();
        DctImage { frame, components, parts }.write()
    }
}

/// Numbers without a pattern, the same in each run.
fn numbers(seed: u32) -> impl Iterator<Item = i32> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(seed), next).map(|state| i32::try_from(state >> 8).unwrap())
}

/// Blocks as pictures have them: more and larger values at low frequencies.
fn natural(seed: u32) -> impl FnMut() -> [i16; 64] {
    let mut numbers = numbers(seed);
    move || {
        let mut values = [0; 64];
        let mut next = || numbers.next().unwrap();
        let last = next() % 64;
        for (at, value) in (0..=last).zip(&mut values) {
            let span = 200 / (1 + at) + 1;
            *value = i16::try_from(next() % (2 * span + 1) - span).unwrap();
        }
        values
    }
}

fn specs() -> Vec<Spec> {
    let full: &[(u8, u8)] = &[(1, 1), (1, 1), (1, 1)];
    let (half, quarter): (&[_], &[_]) = (&[(2, 1), (1, 1), (1, 1)], &[(2, 2), (1, 1), (1, 1)]);
    let colour = Spec::new(37, 29, quarter);
    vec![
        Spec::new(1, 1, &[(1, 1)]),
        Spec::new(1, 1, quarter),
        Spec::new(40, 24, &[(1, 1)]),
        Spec::new(37, 29, &[(2, 2)]),
        Spec::new(64, 48, full),
        Spec::new(37, 29, half),
        colour.clone(),
        Spec::new(50, 50, &[(1, 2), (1, 1), (1, 2)]),
        Spec::new(70, 70, &[(4, 1), (1, 1), (2, 1)]),
        Spec::new(70, 70, &[(3, 2), (2, 1), (1, 2)]),
        Spec { interleaved: false, ..colour.clone() },
        Spec { single_table: true, ..colour.clone() },
        Spec { restart_interval: 1, ..colour.clone() },
        Spec { restart_interval: 5, interleaved: false, ..colour.clone() },
        Spec { precision: 12, ..Spec::new(37, 29, &[(1, 1)]) },
        Spec { precision: 12, restart_interval: 2, ..colour },
    ]
}

fn coefficients(image: &DctImage<'_>) -> Vec<Vec<[i16; 64]>> {
    let values = |component: &Component| component.blocks.iter().map(|it| *it.values()).collect();
    image.components.iter().map(values).collect()
}

#[test]
fn every_coefficient_of_every_form_comes_back() {
    for spec in specs() {
        let mut make = natural(5);
        let mut made = Vec::new();
        let stream = spec.stream(|| {
            made.push(make());
            made[made.len() - 1]
        });
        let image = DctImage::read(&stream).unwrap();
        let held: Vec<[i16; 64]> = coefficients(&image).concat();
        assert_eq!(held.iter().filter(|block| **block != [0; 64]).count(), made.len(), "{spec:?}");
        assert!(made.iter().all(|block| held.contains(block)), "{spec:?}");
        assert_eq!(image.write(), stream, "{spec:?}");
    }
}

#[test]
fn another_decoder_shows_the_same_picture_within_its_rounding() {
    for spec in specs().into_iter().filter(|spec| spec.precision == 8) {
        let stream = spec.stream(natural(9));
        let mut decoder = jpeg_decoder::Decoder::new(stream.as_slice());
        if spec.sampling.len() == 3 {
            decoder.set_color_transform(jpeg_decoder::ColorTransform::RGB);
        }
        let theirs = match decoder.decode() {
            Ok(theirs) => theirs,
            Err(jpeg_decoder::Error::Unsupported(_)) => continue,
            Err(error) => panic!("{error} {spec:?}"),
        };
        let ours = DctImage::read(&stream).unwrap().samples().unwrap();
        assert_eq!(ours.len(), theirs.len());
        let worst = ours.iter().zip(&theirs).map(|(ours, theirs)| ours.abs_diff(*theirs)).max();
        assert!(worst.unwrap() <= 3, "{worst:?} {spec:?}");
    }
}

const GREY_12: &[u8] = include_bytes!("../../../../tests/data/jpeg/grey-12bit.jpg");
const GREY_12_RAW: &[u8] = include_bytes!("../../../../tests/data/jpeg/grey-12bit.raw");
const COLOUR: &[u8] = include_bytes!("../../../../tests/data/jpeg/colour-420.jpg");
const COLOUR_RAW: &[u8] = include_bytes!("../../../../tests/data/jpeg/colour-420.raw");

#[test]
fn streams_of_dcmtk_and_libjpeg_are_decoded_as_they_decode_them() {
    let ours = DctImage::read(GREY_12).unwrap().samples().unwrap();
    let words = |bytes: &[u8]| -> Vec<u16> {
        bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect()
    };
    let pairs = words(&ours).into_iter().zip(words(GREY_12_RAW));
    assert_eq!(ours.len(), GREY_12_RAW.len());
    assert!(pairs.into_iter().all(|(ours, theirs)| ours.abs_diff(theirs) <= 1));
    let ours = DctImage::read(COLOUR).unwrap().samples().unwrap();
    assert_eq!(ours.len(), COLOUR_RAW.len());
    assert!(ours.iter().zip(COLOUR_RAW).all(|(ours, theirs)| ours.abs_diff(*theirs) <= 1));
}

fn dark(sample: i32) -> Ink {
    Ink { sample, neutral: false }
}

fn inks(spec: &Spec) -> Vec<Ink> {
    let middle = 1 << (spec.precision - 1);
    let neutral = Ink { sample: middle, neutral: true };
    [dark(0), neutral, neutral].into_iter().take(spec.sampling.len()).collect()
}

/// Columns and rows.
fn mask(spec: &Spec, [x0, y0, x1, y1]: [u32; 4]) -> Mask {
    let size = |count: usize| u32::try_from(count).unwrap();
    let mut mask = Mask::new(size(spec.width), size(spec.height));
    (y0..y1).for_each(|y| mask.cover(y, x0, x1));
    mask
}

#[test]
fn only_touched_blocks_change_and_what_is_covered_is_dark() {
    for spec in specs().into_iter().filter(|spec| spec.width >= 37) {
        let stream = spec.stream(natural(11));
        let before = coefficients(&DctImage::read(&stream).unwrap());
        let rect = [11, 6, 27, 21];
        let mut image = DctImage::read(&stream).unwrap();
        image.paint(&mask(&spec, rect), &inks(&spec)).unwrap();
        let after_stream = image.write();
        let after = DctImage::read(&after_stream).unwrap();
        for (index, (before, after)) in before.iter().zip(coefficients(&after)).enumerate() {
            let shape = image.components[index].shape;
            let changed = |at: &usize| before[*at] != after[*at];
            for at in (0..before.len()).filter(changed) {
                let (column, row) = (at % shape.stride, at / shape.stride);
                let across = 8 * image.frame.h_max / shape.h;
                let down = 8 * image.frame.v_max / shape.v;
                // What a block became flat for is hidden in all components.
                let wide = if index == 0 { 0 } else { 8 };
                let touched = column * across < 27 + wide
                    && (column + 1) * across + wide > 11
                    && row * down < 21 + wide
                    && (row + 1) * down + wide > 6;
                assert!(touched, "component {index}, block {column}, {row} {spec:?}");
            }
        }
        let count = spec.sampling.len();
        let wide = usize::from(spec.precision > 8) + 1;
        let samples = after.samples().unwrap();
        let tolerance = 8 << (spec.precision - 8);
        for (at, bytes) in samples.chunks_exact(wide).enumerate() {
            let (x, y) = (at / count % spec.width, at / count / spec.width);
            let inside = (11..27).contains(&x) && (6..21).contains(&y);
            if inside && at % count == 0 {
                let sample = bytes.iter().rev().fold(0, |word, byte| word << 8 | i32::from(*byte));
                assert!(sample <= tolerance, "{sample} at {x}, {y} {spec:?}");
            }
        }
    }
}

#[test]
fn blocks_that_are_covered_altogether_are_flat_up_to_the_edge() {
    let spec = Spec::new(37, 29, &[(2, 2), (1, 1), (1, 1)]);
    let stream = spec.stream(natural(13));
    let mut image = DctImage::read(&stream).unwrap();
    image.paint(&mask(&spec, [0, 0, 37, 29]), &inks(&spec)).unwrap();
    for (component, dc) in image.components.iter().zip([-342, 0, 0]) {
        let mut expected = [0; 64];
        expected[0] = dc;
        // Those too that fill up the last units beyond the picture.
        assert!(component.blocks.iter().all(|block| *block.values() == expected));
    }
    assert!(
        image.samples().unwrap().as_chunks::<3>().0.iter().all(|pixel| *pixel == [0, 128, 128])
    );
}

#[test]
fn inverted_pictures_and_rgb_get_their_own_ink() {
    let spec = Spec::new(24, 24, &[(1, 1)]);
    let stream = spec.stream(natural(17));
    let mut image = DctImage::read(&stream).unwrap();
    image.paint(&mask(&spec, [0, 0, 24, 24]), &[dark(255)]).unwrap();
    assert!(image.samples().unwrap().iter().all(|sample| *sample == 255));
    let spec = Spec::new(24, 24, &[(1, 1), (1, 1), (1, 1)]);
    let stream = spec.stream(natural(17));
    let mut image = DctImage::read(&stream).unwrap();
    image.paint(&mask(&spec, [3, 3, 13, 13]), &[dark(0); 3]).unwrap();
    let zero: Block = flat_block(-342);
    // A block that one component could not show exactly is flat in all three.
    for at in 0..9 {
        let flat = image.components.iter().filter(|it| it.blocks[at].values() == zero.values());
        assert!([0, 3].contains(&flat.count()), "block {at}");
    }
}

fn flat_block(dc: i16) -> Block {
    let mut values = [0; 64];
    values[0] = dc;
    Block::new(values)
}

/// Two blocks that show the same beside the covered samples must be the same
/// after painting: else coefficients would tell what was covered.
#[test]
fn nothing_of_what_was_covered_survives() {
    let spec = Spec { factor: 1, ..Spec::new(8, 8, &[(1, 1)]) };
    let cover = mask(&spec, [0, 1, 8, 8]);
    let shown = |stream: &[u8]| DctImage::read(stream).unwrap().samples().unwrap();
    let of = |samples: &dct::Samples| {
        let block = *dct::forward(samples, &[1; 64], 255).values();
        spec.stream(|| block)
    };
    let painted = |stream: &[u8]| {
        let mut image = DctImage::read(stream).unwrap();
        image.paint(&cover, &[dark(0)]).unwrap();
        coefficients(&image)
    };
    let mut compared = 0;
    for seed in 0..300 {
        let mut numbers = numbers(seed);
        let mut next = || 40 + numbers.next().unwrap() % 150;
        let one: dct::Samples = std::array::from_fn(|_| next());
        let other: dct::Samples = std::array::from_fn(|at| if at < 8 { one[at] } else { next() });
        let streams = [of(&one), of(&other)];
        assert_ne!(streams[0], streams[1]);
        if shown(&streams[0])[..8] == shown(&streams[1])[..8] {
            compared += 1;
            let painted_one = painted(&streams[0]);
            assert!(painted_one[0][0] != *flat_block(-1024).values());
            assert_eq!(painted_one, painted(&streams[1]));
        }
    }
    assert!(compared > 20, "{compared}");
}

#[test]
fn ink_that_quantisation_cannot_show_makes_the_block_flat() {
    let spec = Spec { factor: 100, ..Spec::new(8, 8, &[(1, 1)]) };
    let bright = spec.stream(|| *flat_block(10).values());
    let mut image = DctImage::read(&bright).unwrap();
    image.paint(&mask(&spec, [0, 0, 3, 3]), &[dark(0)]).unwrap();
    assert_eq!(image.components[0].blocks[0].values(), flat_block(-11).values());
}

#[test]
fn damaged_streams_end_in_an_error_or_a_picture_never_in_a_panic() {
    let colour = Spec { restart_interval: 2, ..Spec::new(37, 29, &[(2, 2), (1, 1), (1, 1)]) };
    let made = colour.stream(natural(3));
    for stream in [&made, GREY_12, COLOUR] {
        for length in 0..stream.len() - 2 {
            assert!(DctImage::read(&stream[..length]).is_err(), "cut at {length}");
        }
    }
    for stream in [GREY_12, COLOUR] {
        // Every fifth, so that each place in a byte has its turn.
        for bit in (0..stream.len() * 8).step_by(5) {
            let mut flipped = stream.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(mut image) = DctImage::read(&flipped) {
                let (width, height) = (image.frame.width, image.frame.height);
                let side = |count: usize| u32::try_from(count).unwrap();
                let mut mask = Mask::new(side(width), side(height));
                (3..20).for_each(|y| mask.cover(y, 3, 20));
                let inks = vec![dark(0); image.components.len()];
                if image.paint(&mask, &inks).is_ok() {
                    let written = image.write();
                    let again = DctImage::read(&written).unwrap();
                    assert_eq!(coefficients(&again), coefficients(&image), "bit {bit}");
                    again.samples().unwrap();
                }
            }
        }
    }
}

#[test]
fn a_large_picture_in_a_short_stream_is_refused_before_it_is_allocated() {
    let mut stream = Spec::new(16, 16, &[(1, 1)]).stream(natural(1));
    let at = stream.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    stream[at + 5..at + 9].fill(0xFF);
    assert!(matches!(
        DctImage::read(&stream),
        Err(PixelError::Damaged { what: "samples end early", .. })
    ));
}

#[test]
fn what_is_no_sequential_dct_is_not_read() {
    let stream = Spec::new(16, 16, &[(1, 1)]).stream(natural(1));
    let at = stream.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    for process in [0xC2, 0xC3, 0xC9] {
        let mut other = stream.clone();
        other[at + 1] = process;
        assert!(matches!(DctImage::read(&other), Err(PixelError::Unsupported { .. })));
    }
    let table = Definition { class: 0, destination: 0, table: HuffmanTable::optimal(&[1; 256]) };
    let no_scan = [b"\xFF\xD8".as_slice(), &huffman::segment(&[table]), b"\xFF\xD9"].concat();
    assert!(DctImage::read(&no_scan).is_err());
}
