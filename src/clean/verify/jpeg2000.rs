//! Walks JPEG 2000 and HTJ2K codestreams (ISO/IEC 15444-1 Annex A): known
//! segments of their exact length, no comment, no file format around them.
//!
//! What is not looked into are the packets: bytes between the last packet of a
//! tile-part and its end are found by no check here.

use super::stream::{Fault, Stream};

const START_OF_CODESTREAM: [u8; 2] = [0xFF, 0x4F];
const START_OF_TILE_PART: u8 = 0x90;
const START_OF_DATA: u8 = 0x93;
const END_OF_CODESTREAM: u8 = 0xD9;
const CAPABILITIES: u8 = 0x50;
const SIZE: u8 = 0x51;
const CODING: u8 = 0x52;
const CODING_OF_COMPONENT: u8 = 0x53;
const TILE_PART_LENGTHS: u8 = 0x55;
const QUANTISATION: u8 = 0x5C;
const QUANTISATION_OF_COMPONENT: u8 = 0x5D;
const REGION: u8 = 0x5E;
const ORDER: u8 = 0x5F;
const COMMENT: u8 = 0x64;
/// What the encoder of ours says of itself, before its version number.
const ENCODER: &[u8] = b"Created by OpenJPEG version ";
/// Marker, length and content of the start of a tile part (A.4.2).
const TILE_PART_HEADER_BYTES: u64 = 12;
/// Deepest decomposition (Table A.15).
const LEVELS_MAX: usize = 32;

/// What was seen of one codestream.
#[derive(Default)]
struct Picture {
    components: usize,
    /// Tile and length of each tile-part, as the main header says and as found.
    told: Vec<(Option<u16>, u32)>,
    found: Vec<(u16, u32)>,
}

/// One picture, from its first byte to its last.
pub(super) fn walk(stream: &mut Stream<'_>) -> Result<(), Fault> {
    if stream.array()? != START_OF_CODESTREAM {
        return Err(Fault::Broken("bytes-between-pictures"));
    }
    let mut picture = Picture::default();
    loop {
        match picture.header(stream)? {
            (END_OF_CODESTREAM, _) => break,
            (START_OF_TILE_PART, _) => {
                if !picture.tile_part(stream)? {
                    break;
                }
            }
            (_main_header, _) => {}
        }
    }
    if picture.lengths_are_true() { Ok(()) } else { Err(Fault::Broken("lengths-untrue")) }
}

impl Picture {
    /// One marker and its segment; the segment of a tile part is left to be
    /// read. Gives the code and the bytes taken.
    fn header(&mut self, stream: &mut Stream<'_>) -> Result<(u8, u64), Fault> {
        let [first, code] = stream.array()?;
        if first != 0xFF {
            return Err(Fault::Broken("coded-stream-damaged"));
        }
        if [END_OF_CODESTREAM, START_OF_TILE_PART, START_OF_DATA].contains(&code) {
            return Ok((code, 2));
        }
        let length = u16::from_be_bytes(stream.array()?);
        let content = length.checked_sub(2).ok_or(Fault::Broken("coded-stream-damaged"))?;
        let segment = stream.segment(content)?;
        let in_main_header = self.found.is_empty();
        match code {
            COMMENT if is_encoder(&segment) => {}
            COMMENT => return Err(Fault::Broken("comment-or-application-segment")),
            TILE_PART_LENGTHS if in_main_header => self.lengths(&segment)?,
            CAPABILITIES
            | SIZE
            | CODING
            | CODING_OF_COMPONENT
            | QUANTISATION
            | QUANTISATION_OF_COMPONENT
            | REGION
            | ORDER => {
                if code == SIZE {
                    self.components = number(&segment, 34, 2).unwrap_or(0);
                }
                if !self.is_exact(code, &segment).unwrap_or(false) {
                    return Err(Fault::Broken("segment-not-exact"));
                }
            }
            _unknown => return Err(Fault::Broken("unknown-segment")),
        }
        Ok((code, 2 + u64::from(length)))
    }

    /// Whether a segment is as long as its content asks for (A.5, A.6); for
    /// capabilities ISO/IEC 15444-1 §A.5.2 with one word for each bit.
    fn is_exact(&self, code: u8, segment: &[u8]) -> Option<bool> {
        let index = if self.components < 257 { 1 } else { 2 };
        let wanted = match code {
            CAPABILITIES => 4 + 2 * usize::try_from(number(segment, 0, 4)?.count_ones()).ok()?,
            SIZE => 36 + 3 * self.components,
            CODING => 10 + precincts(segment.first()?, segment.get(5)?),
            CODING_OF_COMPONENT => {
                index + 6 + precincts(segment.get(index)?, segment.get(index + 1)?)
            }
            REGION => index + 2,
            ORDER => return Some(segment.len().is_multiple_of(5 + 2 * index)),
            QUANTISATION => return is_quantisation(segment),
            QUANTISATION_OF_COMPONENT => return is_quantisation(segment.get(index..)?),
            _other => return None,
        };
        Some(segment.len() == wanted)
    }

    /// Tile-part Lengths (A.7.1): an index and the sizes of what follows, then
    /// for each tile-part its tile, if it is given, and its length.
    fn lengths(&mut self, segment: &[u8]) -> Result<(), Fault> {
        let Some(([_index, sizes], entries)) = segment.split_first_chunk() else {
            return Err(Fault::Broken("segment-not-exact"));
        };
        let tile_bytes = usize::from(sizes >> 4 & 3);
        let length_bytes = if sizes & 0x40 == 0 { 2 } else { 4 };
        let entry_bytes = tile_bytes + length_bytes;
        if !entries.len().is_multiple_of(entry_bytes) || tile_bytes == 3 || sizes & 0x8F != 0 {
            return Err(Fault::Broken("segment-not-exact"));
        }
        for entry in entries.chunks_exact(entry_bytes) {
            let tile = number(entry, 0, tile_bytes).and_then(|tile| u16::try_from(tile).ok());
            let length = number(entry, tile_bytes, length_bytes);
            let length = length.and_then(|length| u32::try_from(length).ok()).unwrap_or(0);
            self.told.push((tile.filter(|_| tile_bytes > 0), length));
        }
        Ok(())
    }

    fn lengths_are_true(&self) -> bool {
        let same = |((tile, length), found): (&(Option<u16>, u32), &(u16, u32))| {
            tile.is_none_or(|tile| tile == found.0) && *length == found.1
        };
        self.told.is_empty()
            || (self.told.len() == self.found.len() && self.told.iter().zip(&self.found).all(same))
    }

    /// A tile part: header, then data of the stated length. False when the
    /// length is left open and the codestream ended with it.
    fn tile_part(&mut self, stream: &mut Stream<'_>) -> Result<bool, Fault> {
        let [s1, s2, t1, t2, l1, l2, l3, l4, _, _] = stream.array::<10>()?;
        let length = u32::from_be_bytes([l1, l2, l3, l4]);
        if [s1, s2] != [0, 10] {
            return Err(Fault::Broken("segment-not-exact"));
        }
        self.found.push((u16::from_be_bytes([t1, t2]), length));
        let mut taken = TILE_PART_HEADER_BYTES;
        loop {
            let (code, header_bytes) = self.header(stream)?;
            taken = taken.saturating_add(header_bytes);
            if code == START_OF_DATA {
                break;
            }
            if code == START_OF_TILE_PART || code == END_OF_CODESTREAM {
                return Err(Fault::Broken("coded-stream-damaged"));
            }
        }
        if length == 0 {
            end_of_data(stream)?;
            return Ok(false);
        }
        let data = u64::from(length).checked_sub(taken);
        stream.skip(data.ok_or(Fault::Broken("coded-stream-damaged"))?)?;
        Ok(true)
    }
}

/// A big endian number of some bytes.
fn number(bytes: &[u8], at: usize, count: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + count)?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

/// Bytes of precinct sizes: one a resolution, when they are given.
fn precincts(style: &u8, levels: &u8) -> usize {
    if style & 1 == 0 { 0 } else { usize::from(*levels) + 1 }
}

/// A style, then steps: one of two bytes, or for each of up to 97 subbands one
/// of one byte (reversible) or two (Table A.28).
fn is_quantisation(segment: &[u8]) -> Option<bool> {
    let (style, steps) = segment.split_first()?;
    let bands = |steps: usize| steps % 3 == 1 && steps <= 3 * LEVELS_MAX + 1;
    Some(match style & 0x1F {
        0 => bands(steps.len()),
        1 => steps.len() == 2,
        2 => steps.len().is_multiple_of(2) && bands(steps.len() / 2),
        _unknown => false,
    })
}

/// Goes behind the end of codestream. Coded data holds no code from 0xFF90 on
/// (Annex A.1.1), so the next one ends it.
fn end_of_data(stream: &mut Stream<'_>) -> Result<(), Fault> {
    let mut passed = Vec::new();
    loop {
        let at_marker = stream.pass_marker_start(&mut passed)?;
        passed.clear();
        match stream.peek()? {
            Some(END_OF_CODESTREAM) if at_marker => return Ok(stream.skip(1)?),
            Some(code) if !at_marker || code < START_OF_TILE_PART => {}
            Some(_) | None => return Err(Fault::Broken("coded-stream-damaged")),
        }
    }
}

/// The encoder's own remark: registration value 1 (text), name and version.
fn is_encoder(segment: &[u8]) -> bool {
    let text = segment.strip_prefix(&[0, 1]).and_then(|text| text.strip_prefix(ENCODER));
    text.is_some_and(|version| {
        version.len() <= 16 && version.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::dicom::{Extent, Source};

    fn walked(bytes: &[u8]) -> Result<(), &'static str> {
        let all = [Extent { source: Source::Input, offset: 0, bytes: bytes.len() as u64 }];
        match walk(&mut Stream::new(&mut Cursor::new(bytes), &all)) {
            Ok(()) => Ok(()),
            Err(Fault::Broken(rule)) => Err(rule),
            Err(Fault::Io(fault)) => panic!("{fault}"),
        }
    }

    const SIZ: &[u8] = b"\xFF\x51\0\x29\0\0\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\
        \0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\x01\x07\x01\x01";

    fn codestream(main: &[u8], part: &[u8], open: bool) -> Vec<u8> {
        let data = b"coded\xFF\x8Fdata";
        let length = if open { 0 } else { 12 + part.len() + 2 + data.len() } as u32;
        let mut bytes = [b"\xFF\x4F", SIZ].concat();
        bytes.extend(main);
        bytes.extend(b"\xFF\x90\0\x0A\0\0");
        bytes.extend(length.to_be_bytes());
        bytes.extend(b"\0\x01");
        bytes.extend(part);
        bytes.extend(b"\xFF\x93");
        bytes.extend(data);
        bytes.extend(b"\xFF\xD9");
        bytes
    }

    #[test]
    fn plain_codestreams_pass() {
        let ours = b"\xFF\x64\0\x25\0\x01Created by OpenJPEG version 2.5.0";
        for open in [false, true] {
            let one = codestream(ours, b"", open);
            assert_eq!(walked(&one), Ok(()));
        }
    }

    #[test]
    fn what_is_no_picture_does_not_pass() {
        let comment = b"\xFF\x64\0\x07\0\x01Doe";
        let segment = Err("comment-or-application-segment");
        assert_eq!(walked(&codestream(comment, b"", false)), segment);
        assert_eq!(walked(&codestream(b"", comment, false)), segment);
        assert_eq!(walked(b"\0\0\0\x0CjP  \r\n"), Err("bytes-between-pictures"));
        for (code, rule) in [
            (b"\xFF\x58", "unknown-segment"),
            (b"\xFF\x63", "unknown-segment"),
            (b"\xFF\x61", "unknown-segment"),
            (b"\xFF\x52", "segment-not-exact"),
            (b"\xFF\x5C", "segment-not-exact"),
        ] {
            let planted = [&code[..], b"\0\x05Doe"].concat();
            assert_eq!(walked(&codestream(&planted, b"", false)), Err(rule));
            assert_eq!(walked(&codestream(b"", &planted, false)), Err(rule));
        }
        let lengths = |length| [b"\xFF\x55\0\x08\0\x40".as_slice(), &[0, 0, 0, length]].concat();
        assert_eq!(walked(&codestream(&lengths(25), b"", false)), Ok(()));
        assert_eq!(walked(&codestream(&lengths(68), b"", false)), Err("lengths-untrue"));
        let whole = codestream(b"", b"", false);
        for length in 3..whole.len() {
            assert!(walked(&whole[..length]).is_err(), "{length}");
        }
    }
}
