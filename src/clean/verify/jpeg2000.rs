//! Walks JPEG 2000 and HTJ2K codestreams (ISO/IEC 15444-1 Annex A): no
//! comment, no file format around them, nothing between pictures.

use super::stream::{Fault, Stream};

const START_OF_CODESTREAM: u8 = 0x4F;
const START_OF_TILE_PART: u8 = 0x90;
const START_OF_DATA: u8 = 0x93;
const END_OF_CODESTREAM: u8 = 0xD9;
const COMMENT: u8 = 0x64;
/// Markers without a segment (Table A.1): 0xFF30 to 0xFF3F.
const BARE: std::ops::RangeInclusive<u8> = 0x30..=0x3F;
/// What the encoder of ours says of itself, before its version number.
const ENCODER: &[u8] = b"Created by OpenJPEG version ";
/// Marker, length and content of the start of a tile part (A.4.2).
const TILE_PART_HEADER_BYTES: u64 = 12;

/// Walks all pictures of the stream.
pub(super) fn walk(stream: &mut Stream<'_>) -> Result<(), Fault> {
    while let Some(first) = stream.next_picture()? {
        let [second] = stream.array()?;
        if [first, second] != [0xFF, START_OF_CODESTREAM] {
            return Err(Fault::Broken("bytes-between-pictures"));
        }
        picture(stream)?;
    }
    Ok(())
}

/// From after the start of codestream to its end.
fn picture(stream: &mut Stream<'_>) -> Result<(), Fault> {
    loop {
        match header(stream)? {
            (END_OF_CODESTREAM, _) => return Ok(()),
            (START_OF_TILE_PART, _) => {
                if !tile_part(stream)? {
                    return Ok(());
                }
            }
            (_main_header, _) => {}
        }
    }
}

/// One marker and its segment; the segment of a tile part is left to be read.
/// Gives the code and the bytes taken.
fn header(stream: &mut Stream<'_>) -> Result<(u8, u64), Fault> {
    let [first, code] = stream.array()?;
    if first != 0xFF {
        return Err(Fault::Broken("coded-stream-damaged"));
    }
    let bare = [END_OF_CODESTREAM, START_OF_TILE_PART, START_OF_DATA].contains(&code);
    if bare || BARE.contains(&code) {
        return Ok((code, 2));
    }
    let length = u16::from_be_bytes(stream.array()?);
    let content = length.checked_sub(2).ok_or(Fault::Broken("coded-stream-damaged"))?;
    let segment = stream.segment(content)?;
    if code == COMMENT && !is_encoder(&segment) {
        return Err(Fault::Broken("comment-or-application-segment"));
    }
    Ok((code, 2 + u64::from(length)))
}

/// A tile part: header, then data of the stated length. False when the length
/// is left open and the codestream ended with it.
fn tile_part(stream: &mut Stream<'_>) -> Result<bool, Fault> {
    let [_, _, _, _, l1, l2, l3, l4, _, _] = stream.array::<10>()?;
    let bytes = u64::from(u32::from_be_bytes([l1, l2, l3, l4]));
    let mut taken = TILE_PART_HEADER_BYTES;
    loop {
        let (code, header_bytes) = header(stream)?;
        taken = taken.saturating_add(header_bytes);
        if code == START_OF_DATA {
            break;
        }
        if code == START_OF_TILE_PART || code == END_OF_CODESTREAM {
            return Err(Fault::Broken("coded-stream-damaged"));
        }
    }
    if bytes == 0 {
        end_of_data(stream)?;
        return Ok(false);
    }
    let data = bytes.checked_sub(taken).ok_or(Fault::Broken("coded-stream-damaged"))?;
    stream.skip(data)?;
    Ok(true)
}

/// Goes behind the end of codestream. Coded data holds no code from 0xFF90 on
/// (Annex A.1.1), so the next one ends it.
fn end_of_data(stream: &mut Stream<'_>) -> Result<(), Fault> {
    loop {
        stream.pass_marker_start()?;
        match stream.peek()? {
            Some(END_OF_CODESTREAM) => return Ok(stream.skip(1)?),
            Some(code) if code < START_OF_TILE_PART => {}
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

    fn codestream(main: &[u8], part: &[u8], open: bool) -> Vec<u8> {
        let data = b"coded\xFF\x8Fdata";
        let length = if open { 0 } else { 12 + part.len() + 2 + data.len() } as u32;
        let mut bytes = b"\xFF\x4F\xFF\x51\0\x04ab".to_vec();
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
            assert_eq!(walked(&[&one[..], b"\0", &one].concat()), Ok(()));
        }
    }

    #[test]
    fn what_is_no_picture_does_not_pass() {
        let comment = b"\xFF\x64\0\x07\0\x01Doe";
        let segment = Err("comment-or-application-segment");
        assert_eq!(walked(&codestream(comment, b"", false)), segment);
        assert_eq!(walked(&codestream(b"", comment, false)), segment);
        assert_eq!(walked(b"\0\0\0\x0CjP  \r\n"), Err("bytes-between-pictures"));
        let trailing = [codestream(b"", b"", false), b"Doe".to_vec()].concat();
        assert_eq!(walked(&trailing), Err("bytes-between-pictures"));
        let whole = codestream(b"", b"", false);
        for length in 3..whole.len() {
            assert!(walked(&whole[..length]).is_err(), "{length}");
        }
    }
}
