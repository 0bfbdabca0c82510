//! Changes to coded bytes, fragments and offset tables.

use std::ops::Range;

use super::picture::Pixels;
use super::random::put;
use super::{Picture, Random};

/// Bytes of an RLE header: a count and 15 offsets (PS3.5 §G.5).
const RLE_HEAD_BYTES: usize = 64;
/// Fields that are changed lie so near behind the marker.
const FIELDS_BYTES: usize = 44;
const EXTENDED_TABLE: (u16, u16) = (0x7FE0, 0x0001);
const EXTENDED_LENGTHS: (u16, u16) = (0x7FE0, 0x0002);

/// A marker segment of JPEG, JPEG-LS or JPEG 2000: marker, length, fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) at: usize,
    marker: u8,
    end: usize,
}

/// Segments that say how large the picture is.
pub(super) enum Kind {
    /// JPEG's and JPEG-LS's frame header.
    Frame,
    /// JPEG 2000's.
    Size,
    Other,
}

impl Segment {
    pub(super) fn kind(&self) -> Kind {
        match self.marker {
            0xC4 | 0xC8 | 0xCC => Kind::Other,
            0xC0..=0xCF | 0xF7 => Kind::Frame,
            0x51 => Kind::Size,
            _ => Kind::Other,
        }
    }

    fn range(&self) -> Range<usize> {
        self.at..self.end
    }
}

/// The segments of a codestream, as far as they look like some; none in other bytes.
pub(super) fn segments(stream: &[u8]) -> Vec<Segment> {
    let mut found = Vec::new();
    let (mut at, mut in_samples) = (0, false);
    while let [first, marker, rest @ ..] = &stream[at.min(stream.len())..] {
        let is_marker = *first == 0xFF && *marker != 0xFF;
        let least = if in_samples { 0x90 } else { 0x4F };
        if !is_marker || *marker < least {
            at += 1;
            continue;
        }
        let alone = matches!(*marker, 0x4F | 0x93 | 0xD0..=0xD9);
        let length = match rest {
            [high, low, ..] if !alone => usize::from(u16::from_be_bytes([*high, *low])),
            _ => 0,
        };
        let end = (at + 2 + length).min(stream.len());
        found.push(Segment { at, marker: *marker, end });
        in_samples |= matches!(*marker, 0xDA | 0x93);
        at = end;
    }
    found
}

fn stream<'a>(picture: &'a mut Picture, random: &mut Random) -> Option<&'a mut Vec<u8>> {
    let streams = picture.streams();
    let number = random.below(streams.len());
    streams.get_mut(number)
}

/// A codestream and one of its segments.
fn segment<'a>(
    picture: &'a mut Picture,
    random: &mut Random,
) -> Option<(&'a mut Vec<u8>, Segment)> {
    let stream = stream(picture, random)?;
    let segments = segments(stream);
    (!segments.is_empty()).then(|| (stream, *random.pick(&segments)))
}

pub(super) fn change_field(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    let Some((stream, segment)) = segment(picture, random) else { return };
    let fields = (segment.end - segment.at).saturating_sub(4).min(FIELDS_BYTES);
    let at = segment.at + 4 + random.below(fields);
    match random.below(4) {
        0 => {
            let now = stream.get(at).copied().unwrap_or(0);
            put(stream, at, &[now ^ (1 << random.below(8))]);
        }
        1 => put(stream, at, &[random.byte()]),
        2 => put(stream, at, &random.short().to_be_bytes()),
        _ => put(stream, at, &random.number().to_be_bytes()[4..]),
    }
}

pub(super) fn change_length(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    let Some((stream, segment)) = segment(picture, random) else { return };
    let length = u16::try_from(segment.end - segment.at).unwrap_or(0).wrapping_sub(2);
    let length = match random.below(3) {
        0 => length.wrapping_add(1),
        1 => length.wrapping_sub(1),
        _ => random.short(),
    };
    put(stream, segment.at + 2, &length.to_be_bytes());
}

/// Takes a segment out, and puts it nowhere, twice or somewhere else.
pub(super) fn move_segment(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    let Some((stream, segment)) = segment(picture, random) else { return };
    let copy = stream[segment.range()].to_vec();
    if !random.one_in(3) {
        stream.drain(segment.range());
    }
    if random.one_in(3) {
        return;
    }
    let places: Vec<usize> = segments(stream).iter().map(|segment| segment.at).collect();
    let at = if places.is_empty() { 0 } else { *random.pick(&places) };
    for _ in 0..=random.below(3) {
        stream.splice(at..at, copy.iter().copied());
    }
}

/// Puts in a segment of another picture.
pub(super) fn take_segment(picture: &mut Picture, seeds: &[Picture], random: &mut Random) {
    let mut other = random.pick(seeds).clone();
    let Some((from, taken)) = segment(&mut other, random) else { return };
    let copy = from[taken.range()].to_vec();
    let Some((stream, at)) = segment(picture, random) else { return };
    let range = if random.one_in(2) { at.range() } else { at.at..at.at };
    stream.splice(range, copy);
}

pub(super) fn change_marker(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    let Some((stream, segment)) = segment(picture, random) else { return };
    let markers = [0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC9, 0xDB, 0xDD, 0xF7, 0xF8, 0x51, 0x52, 0x5C];
    let marker = if random.one_in(2) { *random.pick(&markers) } else { random.byte() };
    put(stream, segment.at + 1, &[marker]);
}

/// Restart intervals that are not kept, restart markers that nobody announced.
pub(super) fn put_restarts(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    let Some(stream) = stream(picture, random) else { return };
    let scan = segments(stream).into_iter().find(|segment| segment.marker == 0xDA);
    let Some(scan) = scan else { return };
    if !random.one_in(3) {
        let numbers = [scan.end, stream.len()];
        for _ in 0..=random.below(4) {
            let at = numbers[0] + random.below(numbers[1].saturating_sub(numbers[0]));
            let number = u8::try_from(random.below(8)).expect("a small number");
            stream.splice(at..at, [0xFF, 0xD0 + number]);
        }
    }
    if !random.one_in(3) {
        let interval = random.short().to_be_bytes();
        stream.splice(scan.at..scan.at, [0xFF, 0xDD, 0, 4, interval[0], interval[1]]);
    }
}

pub(super) fn change_rle_head(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    if picture.syntax != "1.2.840.10008.1.2.5" {
        return;
    }
    let Some(stream) = stream(picture, random) else { return };
    // The count and the first offsets; the last ones are seldom read.
    let at = if random.one_in(4) { random.below(RLE_HEAD_BYTES) } else { random.below(5) * 4 };
    let number = if random.one_in(2) { random.number() % 4096 } else { random.number() };
    put(stream, at, &number.to_le_bytes()[..4]);
}

pub(super) fn change_bytes(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    let Some(stream) = stream(picture, random) else { return };
    if random.one_in(2) {
        random.flips(stream);
    } else {
        random.run(stream);
    }
}

pub(super) fn cut(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    let Some(stream) = stream(picture, random) else { return };
    let left = random.below(stream.len());
    stream.truncate(left);
}

pub(super) fn splice(picture: &mut Picture, seeds: &[Picture], random: &mut Random) {
    let mut other = random.pick(seeds).clone();
    let Some(from) = stream(&mut other, random).cloned() else { return };
    let Some(stream) = stream(picture, random) else { return };
    let (at, start) = (random.below(stream.len()), random.below(from.len()));
    stream.truncate(at);
    stream.extend(&from[start..]);
}

/// Fragments lost, doubled, emptied, swapped, divided, joined or made up.
pub(super) fn change_fragments(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    let Pixels::Fragments { fragments, .. } = &mut picture.pixels else { return };
    if fragments.is_empty() {
        return;
    }
    let at = random.below(fragments.len());
    match random.below(7) {
        0 => drop(fragments.remove(at)),
        1 => fragments.insert(at, fragments[at].clone()),
        2 => fragments[at].clear(),
        3 => {
            let other = random.below(fragments.len());
            fragments.swap(at, other);
        }
        4 => {
            let place = random.below(fragments[at].len());
            let tail = fragments[at].split_off(place);
            fragments.insert(at + 1, tail);
        }
        5 if at > 0 => {
            let joined = fragments.remove(at);
            fragments[at - 1].extend(joined);
        }
        _ => fragments.insert(at, (0..random.below(99)).map(|_| random.byte()).collect()),
    }
}

/// Wrong offsets in either table (PS3.5 §A.4), or one where there was none.
pub(super) fn change_table(picture: &mut Picture, _seeds: &[Picture], random: &mut Random) {
    if random.one_in(3) {
        let tag = if random.one_in(3) { EXTENDED_LENGTHS } else { EXTENDED_TABLE };
        let numbers = (0..=random.below(4)).flat_map(|_| random.number().to_le_bytes());
        let value = numbers.collect();
        picture.elements.insert(tag, (*b"OV", value));
        return;
    }
    let Pixels::Fragments { table, .. } = &mut picture.pixels else { return };
    match random.below(3) {
        0 => table.clear(),
        1 => table.extend(random.number().to_le_bytes().iter().take(4)),
        _ => {
            let at = random.below(table.len() / 4 + 1) * 4;
            put(table, at, &random.number().to_le_bytes()[..4]);
        }
    }
}
