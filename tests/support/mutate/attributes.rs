//! Changes to what the header says, alone or together with the codestream.

use super::codestream::{Kind, segments};
use super::random::put;
use super::{Picture, Random};
use crate::support::object::{BITS_ALLOCATED, BITS_STORED, COLUMNS, FRAMES, HIGH_BIT, ROWS, Tag};

const SAMPLES: Tag = (0x0028, 0x0002);
const PHOTOMETRIC: Tag = (0x0028, 0x0004);
const PLANAR: Tag = (0x0028, 0x0006);
const REPRESENTATION: Tag = (0x0028, 0x0103);
const NUMBERS: [Tag; 8] =
    [SAMPLES, PLANAR, ROWS, COLUMNS, BITS_ALLOCATED, BITS_STORED, HIGH_BIT, REPRESENTATION];

const PHOTOMETRICS: [(&str, u16); 9] = [
    ("MONOCHROME1", 1),
    ("MONOCHROME2", 1),
    ("PALETTE COLOR", 1),
    ("RGB", 3),
    ("YBR_FULL", 3),
    ("YBR_FULL_422", 3),
    ("YBR_ICT", 3),
    ("YBR_RCT", 3),
    ("YBR_PARTIAL_420", 3),
];

/// Rows and columns that cost something when they are believed.
const SIZES: [(u16, u16); 10] = [
    (1, 1),
    (1, 4097),
    (4097, 1),
    (1024, 1024),
    (1025, 1024),
    (65_535, 16),
    (16, 65_535),
    (16_384, 16_384),
    (65_535, 65_535),
    (21, 29),
];

const SYNTAXES: [&str; 22] = [
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.98",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.8.1",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.92",
    "1.2.840.10008.1.2.4.93",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.4.203",
    "1.2.840.10008.1.2.4.100",
    "1.2.840.113619.5.2",
];

/// One number of the Image Pixel attributes, near its value or far from it.
pub(super) fn change_one(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    let tag = *random.pick(&NUMBERS);
    let now = picture.number(tag);
    let number = match random.below(4) {
        0 => now.wrapping_add(1),
        1 => now.wrapping_sub(1),
        2 => *random.pick(&[0, 1, 3, 4, 8, 10, 12, 16, 32, 64]),
        _ => random.short(),
    };
    if random.one_in(12) {
        picture.elements.remove(&tag);
    } else {
        picture.set_number(tag, number);
    }
}

pub(super) fn change_photometric(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    let (term, samples) = *random.pick(&PHOTOMETRICS);
    picture.set_text(PHOTOMETRIC, *b"CS", term);
    if random.one_in(2) {
        picture.set_number(SAMPLES, samples);
    }
}

pub(super) fn change_frames(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    let texts = ["", "0", "-1", "2", "3", "4", "100", "99999", "2147483648", "1e3"];
    let any = random.short().to_string();
    let frames = if random.one_in(3) { &any } else { *random.pick(&texts) };
    picture.set_text(FRAMES, *b"IS", frames);
}

pub(super) fn change_syntax(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    (*random.pick(&SYNTAXES)).clone_into(&mut picture.syntax);
}

/// A descriptor or an entry of the look-up tables (PS3.3 §C.7.6.3.1.5, .6).
pub(super) fn change_palette(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    let tables: Vec<Tag> =
        picture.elements.keys().copied().filter(|tag| (0x1101..=0x1223).contains(&tag.1)).collect();
    let Some(tag) = (!tables.is_empty()).then(|| *random.pick(&tables)) else { return };
    let (_, value) = picture.elements.get_mut(&tag).expect("just listed");
    if random.one_in(4) {
        let cut = random.below(value.len() + 1) & !1;
        value.truncate(cut);
    } else {
        let (at, number) = (random.below(value.len() / 2 + 1) * 2, random.short());
        put(value, at, &number.to_le_bytes());
    }
}

/// Rows, Columns and the codestreams say the same, whatever the samples are.
pub(super) fn resize_everywhere(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    let (rows, columns) = *random.pick(&SIZES);
    picture.set_number(ROWS, rows);
    picture.set_number(COLUMNS, columns);
    let (height, width) = (u32::from(rows).to_be_bytes(), u32::from(columns).to_be_bytes());
    let one_tile = random.one_in(2);
    for stream in picture.streams() {
        for segment in segments(stream) {
            match segment.kind() {
                Kind::Frame => put(stream, segment.at + 5, &[&height[2..], &width[2..]].concat()),
                Kind::Size => {
                    put(stream, segment.at + 6, &[width, height].concat());
                    if one_tile {
                        put(stream, segment.at + 22, &[width, height].concat());
                    }
                }
                Kind::Other => {}
            }
        }
    }
}

/// Bits Stored, High Bit and the codestreams say the same.
pub(super) fn change_precision_everywhere(
    picture: &mut Picture,
    _seeds: &[Picture],
    random: &mut Random,
) {
    let bits = *random.pick(&[1_u8, 2, 7, 8, 9, 12, 15, 16]);
    picture.set_number(BITS_STORED, bits.into());
    picture.set_number(HIGH_BIT, u16::from(bits) - 1);
    if random.one_in(2) {
        picture.set_number(BITS_ALLOCATED, if bits > 8 { 16 } else { 8 });
    }
    for stream in picture.streams() {
        for segment in segments(stream) {
            match segment.kind() {
                Kind::Frame => put(stream, segment.at + 4, &[bits]),
                Kind::Size => put(stream, segment.at + 40, &[bits - 1]),
                Kind::Other => {}
            }
        }
    }
}
