//! Walks JPEG and JPEG-LS streams (ISO/IEC 10918-1 Annex B, 14495-1 Annex C):
//! known segments of their exact length, tables that a scan uses, nothing after
//! the last sample.
//!
//! How long the samples are is counted by the cleaner's counter
//! (`pixels::codestream::entropy`), which is shared as the parser is: it gives
//! lengths and holds no rule.

use std::collections::BTreeSet;

use super::stream::{Fault, Stream};
use crate::clean::pixels::codestream::entropy::{Frame, Scan, Tables, without_tail};
use crate::clean::pixels::codestream::icc;

/// What a transfer syntax has in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    /// Baseline and extended sequential.
    Dct,
    Lossless,
    JpegLs,
}

const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;
const QUANTISATION: u8 = 0xDB;
const RESTART_INTERVAL: u8 = 0xDD;
const HUFFMAN: u8 = 0xC4;
const JPEG_LS_FRAME: u8 = 0xF7;
const JPEG_LS_PRESET: u8 = 0xF8;
const RESTART: std::ops::RangeInclusive<u8> = 0xD0..=0xD7;
/// JFIF without a thumbnail: the segment ends after its two sizes.
const JFIF_BYTES: usize = 14;
/// Adobe segment up to its transform, as the cleaner leaves it.
const ADOBE_HEAD: &[u8] = b"Adobe\0\x64\0\0\0\0";
/// Colour transform of JPEG-LS by Hewlett-Packard: name and one byte.
const TRANSFORM_BYTES: usize = 5;
/// Type and five numbers.
const PRESET_BYTES: usize = 11;
/// Most bytes of one scan. Default 256 MiB: a frame of the largest size that is
/// decoded, hardly compressed.
const SCAN_BYTES_MAX: usize = 256 << 20;
/// `ICC_PROFILE`, its number and their number.
const PROFILE_HEAD_BYTES: usize = 14;

/// One picture, from its first byte to its last.
pub(super) fn walk(stream: &mut Stream<'_>, process: Process) -> Result<(), Fault> {
    if stream.array()? != [0xFF, START_OF_IMAGE] {
        return Err(Fault::Broken("bytes-between-pictures"));
    }
    let mut picture = Picture::new(process);
    let mut marker = stream.array()?;
    loop {
        let [first, code] = marker;
        if first != 0xFF {
            return Err(Fault::Broken("coded-stream-damaged"));
        }
        if code == END_OF_IMAGE {
            return picture.end();
        }
        if code == START_OF_IMAGE {
            return Err(Fault::Broken("picture-in-picture"));
        }
        let length = u16::from_be_bytes(stream.array()?);
        let content = length.checked_sub(2).ok_or(Fault::Broken("coded-stream-damaged"))?;
        let segment = stream.segment(content)?;
        picture.segment(code, &segment)?;
        if code == START_OF_SCAN {
            let data = scan(stream, process)?;
            picture.samples(&segment, &data)?;
            // Its first byte ended the data.
            let [code] = stream.array()?;
            marker = [0xFF, code];
        } else {
            marker = stream.array()?;
        }
    }
}

/// What was seen of a picture.
struct Picture {
    process: Process,
    frame: Option<Frame>,
    tables: Tables,
    /// Tables that were defined and not used yet: segment, class, number.
    unused: BTreeSet<(u8, bool, u8)>,
    profile: Vec<u8>,
}

impl Picture {
    fn new(process: Process) -> Self {
        let (tables, unused) = (Tables::default(), BTreeSet::new());
        Self { process, frame: None, tables, unused, profile: Vec::new() }
    }

    fn segment(&mut self, code: u8, content: &[u8]) -> Result<(), Fault> {
        let jpeg = self.process != Process::JpegLs;
        let damaged = || Fault::Broken("segment-not-exact");
        match code {
            0xC0 | 0xC1 if self.process == Process::Dct => self.frame(code, content),
            0xC3 if self.process == Process::Lossless => self.frame(code, content),
            JPEG_LS_FRAME if !jpeg => {
                let components = content.get(5).map_or(0, |count| usize::from(*count));
                if content.len() == 6 + 3 * components { Ok(()) } else { Err(damaged()) }
            }
            HUFFMAN if jpeg => {
                let defined = self.tables.define(content).ok_or_else(damaged)?;
                defined.iter().try_for_each(|it| self.defined((HUFFMAN, it.ac, it.number)))
            }
            QUANTISATION if jpeg => self.quantisation(content),
            RESTART_INTERVAL => self.tables.restart(content).ok_or_else(damaged),
            JPEG_LS_PRESET if !jpeg && content.first() == Some(&1) => {
                if content.len() == PRESET_BYTES { Ok(()) } else { Err(damaged()) }
            }
            START_OF_SCAN if jpeg => Ok(()),
            START_OF_SCAN => {
                let components = content.first().map_or(0, |count| usize::from(*count));
                if content.len() == 2 * components + 4 { Ok(()) } else { Err(damaged()) }
            }
            0xE2 if content.starts_with(b"ICC_PROFILE\0") => {
                self.profile.extend(content.get(PROFILE_HEAD_BYTES..).unwrap_or_default());
                Ok(())
            }
            _other if is_plain(code, content) => Ok(()),
            _other => Err(Fault::Broken("comment-or-application-segment")),
        }
    }

    fn frame(&mut self, code: u8, content: &[u8]) -> Result<(), Fault> {
        if self.frame.is_some() {
            return Err(Fault::Broken("picture-in-picture"));
        }
        self.frame = Some(Frame::read(code, content).ok_or(Fault::Broken("segment-not-exact"))?);
        Ok(())
    }

    /// 64 numbers of one or two bytes a table (ISO/IEC 10918-1 §B.2.4.1).
    fn quantisation(&mut self, mut content: &[u8]) -> Result<(), Fault> {
        while let Some((head, rest)) = content.split_first() {
            let bytes = if head >> 4 == 0 { 64 } else { 128 };
            content = rest.get(bytes..).ok_or(Fault::Broken("segment-not-exact"))?;
            self.defined((QUANTISATION, false, head & 0x0F))?;
        }
        Ok(())
    }

    fn defined(&mut self, table: (u8, bool, u8)) -> Result<(), Fault> {
        if self.unused.insert(table) { Ok(()) } else { Err(Fault::Broken("unused-table")) }
    }

    /// The data of a scan is as long as its samples.
    fn samples(&mut self, scan: &[u8], data: &[u8]) -> Result<(), Fault> {
        if self.process == Process::JpegLs {
            return Ok(());
        }
        let damaged = Fault::Broken("coded-stream-damaged");
        let Some(frame) = &self.frame else { return Err(damaged) };
        let Some(scan) = Scan::read(frame, scan) else { return Err(damaged) };
        for (component, dc, ac) in &scan.members {
            self.unused.remove(&(HUFFMAN, false, *dc));
            if let Some(ac) = ac {
                self.unused.remove(&(HUFFMAN, true, *ac));
                self.unused.remove(&(QUANTISATION, false, component.quantisation));
            }
        }
        match without_tail(frame, &scan, &self.tables, data) {
            Ok(None) => Ok(()),
            Ok(Some(_shorter)) => Err(Fault::Broken("bytes-after-the-samples")),
            Err(_damaged) => Err(damaged),
        }
    }

    fn end(mut self) -> Result<(), Fault> {
        if !self.unused.is_empty() {
            return Err(Fault::Broken("unused-table"));
        }
        let plain = self.profile.is_empty() || icc::scrub(&mut self.profile) == Some(false);
        if plain { Ok(()) } else { Err(Fault::Broken("colour-profile-with-text")) }
    }
}

/// The data of a scan; goes behind the first byte of the marker after it.
/// JPEG-LS, whose samples are not counted, is passed without being held.
fn scan(stream: &mut Stream<'_>, process: Process) -> Result<Vec<u8>, Fault> {
    let mut data = Vec::new();
    let stuffed_end = if process == Process::JpegLs { 0x80 } else { 0x01 };
    loop {
        let at_marker = stream.pass_marker_start(&mut data)?;
        if data.len() > SCAN_BYTES_MAX {
            return Err(Fault::Broken("coded-stream-too-long"));
        }
        if process == Process::JpegLs {
            data.clear();
        }
        match stream.peek()? {
            Some(code) if at_marker && code >= stuffed_end && !RESTART.contains(&code) => break,
            Some(_) => {}
            None => return Err(Fault::Broken("coded-stream-cut")),
        }
    }
    data.pop();
    Ok(data)
}

/// An application segment that only says how to show the samples.
fn is_plain(code: u8, segment: &[u8]) -> bool {
    match code {
        0xE0 => segment.starts_with(b"JFIF\0") && segment.len() == JFIF_BYTES,
        0xE8 => segment.starts_with(b"mrfx") && segment.len() == TRANSFORM_BYTES,
        0xEE => segment.starts_with(ADOBE_HEAD) && segment.len() == ADOBE_HEAD.len() + 1,
        _other => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::dicom::{Extent, Source};

    fn walked_as(process: Process, bytes: &[u8]) -> Result<(), &'static str> {
        // Three bytes a fragment: markers lie across fragments too.
        let fragments: Vec<Extent> = (0..bytes.len())
            .step_by(3)
            .map(|at| Extent {
                source: Source::Input,
                offset: at as u64,
                bytes: 3.min(bytes.len() - at) as u64,
            })
            .collect();
        let mut file = Cursor::new(bytes);
        match walk(&mut Stream::new(&mut file, &fragments), process) {
            Ok(()) => Ok(()),
            Err(Fault::Broken(rule)) => Err(rule),
            Err(Fault::Io(fault)) => panic!("{fault}"),
        }
    }

    fn walked(bytes: &[u8]) -> Result<(), &'static str> {
        walked_as(Process::Dct, bytes)
    }

    const JFIF: &[u8] = b"\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
    const SAMPLES: &[u8] = b"\x3F\xFF\xD0\x3F";

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u16 + 2).to_be_bytes();
        [&[0xFF, marker], &length[..], content].concat()
    }

    /// Tables of one code each.
    fn tables(number: u8) -> Vec<u8> {
        let one_code = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let table = |head: u8| segment(HUFFMAN, &[&[head], &one_code[..]].concat());
        let quantisation = segment(QUANTISATION, &[&[number], &[1; 64][..]].concat());
        [quantisation, table(number), table(0x10 | number)].concat()
    }

    /// Two blocks, a restart between them.
    fn picture(segments: &[&[u8]], samples: &[u8]) -> Vec<u8> {
        [
            b"\xFF\xD8",
            &segments.concat()[..],
            &tables(0),
            &segment(0xC0, &[8, 0, 8, 0, 16, 1, 1, 0x11, 0]),
            &segment(RESTART_INTERVAL, &[0, 1]),
            &segment(START_OF_SCAN, &[1, 1, 0, 0, 63, 0]),
            samples,
            b"\xFF\xD9",
        ]
        .concat()
    }

    fn picture_with(segments: &[&[u8]]) -> Vec<u8> {
        picture(segments, SAMPLES)
    }

    #[test]
    fn plain_pictures_pass() {
        let adobe = b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\x01";
        assert_eq!(walked(&picture_with(&[])), Ok(()));
        assert_eq!(walked(&picture_with(&[JFIF, adobe])), Ok(()));
        let jpeg_ls = [
            b"\xFF\xD8",
            &segment(JPEG_LS_FRAME, &[8, 0, 2, 0, 3, 1, 1, 0x11, 0])[..],
            &segment(JPEG_LS_PRESET, &[1, 0, 255, 0, 3, 0, 7, 0, 21, 0, 64]),
            &segment(START_OF_SCAN, &[1, 1, 0, 0, 0, 0]),
            b"abc\xFF\x7Fd\xFF\xD9",
        ]
        .concat();
        assert_eq!(walked_as(Process::JpegLs, &jpeg_ls), Ok(()));
        assert!(walked(&jpeg_ls).is_err());
        assert!(walked_as(Process::JpegLs, &picture_with(&[])).is_err());
    }

    #[test]
    fn what_is_no_picture_does_not_pass() {
        let foreign = Err("comment-or-application-segment");
        for planted in [
            &b"\xFF\xFE\0\x05Doe"[..],
            b"\xFF\xE1\0\x08Exif\0\0",
            b"\xFF\xE0\0\x08JFXX\0\0",
            b"\xFF\xED\0\x05Doe",
            b"\xFF\xF3\0\x05Doe",
            b"\xFF\xCC\0\x05Doe",
            b"\xFF\xF8\0\x05\x02oe",
            b"\xFF\xEE\0\x0EAdobeDoeDoe\x01",
        ] {
            assert_eq!(walked(&picture_with(&[planted])), foreign, "{}", planted.escape_ascii());
        }
        let icc = segment(0xE2, b"ICC_PROFILE\0\x01\x01Doe");
        assert_eq!(walked(&picture_with(&[&icc])), Err("colour-profile-with-text"));
        assert_eq!(walked(&picture_with(&[&tables(0)])), Err("unused-table"));
        assert_eq!(walked(&picture_with(&[&tables(1)])), Err("unused-table"));
        let long = segment(RESTART_INTERVAL, b"\0\x01Doe");
        assert_eq!(walked(&picture_with(&[&long])), Err("segment-not-exact"));
        for samples in [&b"\x3F\xFF\xD0\x3FDoe"[..], b"\x3FDoe\xFF\xD0\x3F"] {
            assert_eq!(walked(&picture(&[], samples)), Err("bytes-after-the-samples"));
        }
        assert_eq!(walked(b"JANE DOE"), Err("bytes-between-pictures"));
        let whole = picture_with(&[JFIF]);
        for length in 0..whole.len() {
            assert!(walked(&whole[..length]).is_err(), "{length}");
        }
    }
}
