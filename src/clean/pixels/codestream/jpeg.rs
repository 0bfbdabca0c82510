//! JPEG (ISO/IEC 10918-1 Annex B) and JPEG-LS (ISO/IEC 14495-1 Annex C).
//!
//! Kept are the segments that decoding needs, each without room to spare, and
//! the coded samples; also gone are tables that no scan uses and bytes that
//! stand after the last sample of a scan. (In JPEG-LS those are an error of the
//! decoder's.)

use super::entropy::{self, Frame, Scan, Tables};
use super::spare::{Kind, Spare};
use super::{Interleave, Keeper, Loss, StreamHeader, Walked, be16, byte};
use crate::clean::pixels::{PixelAttributes, PixelError};

/// Which of the two; they share markers but not bit stuffing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Sequential, progressive and lossless JPEG.
    Jpeg,
    /// JPEG-LS.
    JpegLs,
}

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DHT: u8 = 0xC4;
const DQT: u8 = 0xDB;
const DRI: u8 = 0xDD;
const SOF_JPEG_LS: u8 = 0xF7;
const LSE: u8 = 0xF8;
/// JFIF segment without thumbnail: identifier, version, units, densities, 0 × 0.
const JFIF_BYTES: usize = 14;
/// Adobe segment: identifier, version, two flag words, transform.
const ADOBE_BYTES: usize = 12;
/// JPEG-LS colour transform of HP, which CharLS applies: `mrfx` and its number.
const HP_TRANSFORM_BYTES: usize = 5;
/// What stands in an Adobe segment before the transform: version and flags that
/// no decoder reads.
const ADOBE_HEAD: [u8; ADOBE_BYTES - 1] = *b"Adobe\0\x64\0\0\0\0";

/// Preset coding parameters of JPEG-LS: type, MAXVAL, three thresholds, RESET.
const PRESET_BYTES: usize = 11;

struct Walk<'a> {
    bytes: &'a [u8],
    family: Family,
    scans: u32,
    at: usize,
    keeper: Keeper,
    header: StreamHeader,
    frame_seen: bool,
    attributes: Option<&'a PixelAttributes>,
    frame: Option<Frame>,
    tables: Tables,
    spare: Spare,
}

/// Walks a codestream from its first marker to its last. Where `attributes` are
/// given, the frame header must agree with them before a sample is counted.
///
/// # Errors
/// No JPEG at all, a damaged marker structure, hierarchical coding, or no end
/// marker: quarantine.
pub fn walk(
    bytes: &[u8],
    family: Family,
    attributes: Option<&PixelAttributes>,
) -> Result<Walked, PixelError> {
    let mut walk = Walk {
        bytes,
        family,
        scans: 0,
        at: 2,
        keeper: Keeper::default(),
        header: StreamHeader::default(),
        frame_seen: false,
        attributes,
        frame: None,
        tables: Tables::default(),
        spare: Spare::default(),
    };
    if bytes.first_chunk::<2>() != Some(&[0xFF, SOI]) {
        return Err(walk.damaged("no start of image"));
    }
    walk.keeper.keep(bytes, 0..2);
    while walk.segment()? {}
    // One byte of padding makes the fragment even; more does not pass.
    walk.keeper.dropped |= !matches!(bytes.get(walk.at..), None | Some([] | [0]));
    if !walk.frame_seen || walk.scans == 0 {
        return Err(walk.damaged("no frame header or no scan"));
    }
    walk.keeper.dropped |= walk.spare.take_out(&mut walk.keeper.kept);
    Ok(walk.keeper.finish(walk.header))
}

impl Walk<'_> {
    fn damaged(&self, what: &'static str) -> PixelError {
        let codec = match self.family {
            Family::Jpeg => "JPEG",
            Family::JpegLs => "JPEG-LS",
        };
        PixelError::Damaged { codec, what }
    }

    /// Takes one marker with what belongs to it; false after the last one.
    fn segment(&mut self) -> Result<bool, PixelError> {
        let marker = self.marker()?;
        match marker {
            EOI => {
                self.keeper.keep(&[0xFF, EOI], 0..2);
                return Ok(false);
            }
            SOI => return Err(self.damaged("a second start of image")),
            // Parameters without a segment, out of place: not needed.
            0x01 | 0xD0..=0xD7 => {
                self.keeper.dropped = true;
                return Ok(true);
            }
            0xC8 | 0xDC | 0xDE | 0xDF => {
                return Err(PixelError::Unsupported { what: "hierarchical or open-ended JPEG" });
            }
            _with_segment => {}
        }
        let start = self.at;
        let size = be16(self.bytes, start).map_or(0, usize::from);
        let end = start.saturating_add(size);
        if size < 2 || end > self.bytes.len() {
            return Err(self.damaged("length of a segment"));
        }
        self.at = end;
        self.content(marker, start + 2, end)?;
        Ok(true)
    }

    /// The next marker's second byte; fill bytes before it are left out.
    fn marker(&mut self) -> Result<u8, PixelError> {
        if byte(self.bytes, self.at) != Some(0xFF) {
            return Err(self.damaged("bytes where a marker is due, or no end of image"));
        }
        self.at += 1;
        while byte(self.bytes, self.at) == Some(0xFF) {
            self.at += 1;
            self.keeper.dropped = true;
        }
        let marker = byte(self.bytes, self.at).filter(|marker| *marker != 0);
        self.at += 1;
        marker.ok_or(self.damaged("no end of image"))
    }

    /// Keeps or drops the segment with content `start..end`.
    fn content(&mut self, marker: u8, start: usize, end: usize) -> Result<(), PixelError> {
        let content = self.bytes.get(start..end).unwrap_or_default();
        match marker {
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | SOF_JPEG_LS => {
                self.frame_header(marker, content)?;
                self.keep_segment(marker, content.len(), start);
            }
            DHT | DQT => self.define(marker, content, start)?,
            DRI => {
                self.tables.restart(content).ok_or(self.damaged("restart interval"))?;
                self.keep_segment(marker, content.len(), start);
            }
            LSE if self.family == Family::JpegLs => {
                // Mapping tables change what samples mean, and the oversize form
                // another size than the frame header's.
                if content.first() != Some(&1) {
                    let what = "JPEG-LS with a mapping table or oversize dimensions";
                    return Err(PixelError::Unsupported { what });
                }
                if content.len() != PRESET_BYTES {
                    return Err(self.damaged("length of a segment"));
                }
                self.keep_segment(marker, content.len(), start);
            }
            SOS => {
                self.scan_header(content)?;
                self.keep_segment(marker, content.len(), start);
                self.entropy_coded(content)?;
            }
            _application_or_comment => self.application(marker, content, start),
        }
        Ok(())
    }

    /// Takes Huffman or quantisation tables, which JPEG-LS has not.
    fn define(&mut self, marker: u8, content: &[u8], start: usize) -> Result<(), PixelError> {
        if self.family == Family::JpegLs {
            self.keeper.dropped = true;
            return Ok(());
        }
        let at = self.keeper.kept.len();
        self.keep_segment(marker, content.len(), start);
        let sound = if marker == DHT {
            let defined = self.tables.define(content);
            self.spare.huffman(at, defined.as_deref().unwrap_or_default());
            defined.is_some()
        } else {
            self.spare.quantisation(at, content)
        };
        if sound { Ok(()) } else { Err(self.damaged("tables")) }
    }

    fn keep_segment(&mut self, marker: u8, count: usize, start: usize) {
        let size = u16::try_from(count + 2).unwrap_or(u16::MAX).to_be_bytes();
        self.keeper.keep(&[0xFF, marker], 0..2);
        self.keeper.keep(&size, 0..2);
        self.keeper.keep(self.bytes, start..start + count);
    }

    /// Keeps the beginning of application segments that decoders read; the
    /// rest of them (thumbnails, Exif, XMP, comments) is dropped.
    fn application(&mut self, marker: u8, content: &[u8], start: usize) {
        let keep = match marker {
            0xE0 if content.starts_with(b"JFIF\0") && content.len() >= JFIF_BYTES => {
                self.header.jfif = true;
                JFIF_BYTES
            }
            0xEE if content.starts_with(b"Adobe") && content.len() >= ADOBE_BYTES => {
                self.header.adobe = byte(content, ADOBE_BYTES - 1);
                ADOBE_BYTES
            }
            0xE2 if content.starts_with(b"ICC_PROFILE\0") => {
                let at = self.keeper.kept.len();
                self.keep_segment(marker, content.len(), start);
                self.spare.profile(at..self.keeper.kept.len(), byte(content, 12));
                return;
            }
            0xE8 if self.family == Family::JpegLs && content.starts_with(b"mrfx") => {
                content.len().min(HP_TRANSFORM_BYTES)
            }
            _other => {
                self.keeper.dropped = true;
                return;
            }
        };
        self.keeper.dropped |= keep < content.len();
        let thumbnail = marker == 0xE0 && content.get(12..JFIF_BYTES) != Some(&[0, 0]);
        self.keep_segment(marker, keep, start);
        if marker == 0xEE && !content.starts_with(&ADOBE_HEAD) {
            let at = self.keeper.kept.len() - ADOBE_BYTES;
            if let Some(head) = self.keeper.kept.get_mut(at..at + ADOBE_HEAD.len()) {
                head.copy_from_slice(&ADOBE_HEAD);
            }
            self.keeper.dropped = true;
        }
        if thumbnail {
            // The size of a thumbnail that is no longer there.
            let end = self.keeper.kept.len();
            if let Some(size) = self.keeper.kept.get_mut(end - 2..) {
                size.fill(0);
            }
            self.keeper.dropped = true;
        }
    }

    fn frame_header(&mut self, marker: u8, content: &[u8]) -> Result<(), PixelError> {
        if self.frame_seen {
            return Err(self.damaged("a second frame header"));
        }
        if (marker == SOF_JPEG_LS) != (self.family == Family::JpegLs) {
            return Err(self.damaged("another coding than the transfer syntax says"));
        }
        self.frame_seen = true;
        let short = || self.damaged("frame header");
        let precision = byte(content, 0).ok_or_else(short)?;
        let height = be16(content, 1).ok_or_else(short)?;
        let width = be16(content, 3).ok_or_else(short)?;
        let components = byte(content, 5).ok_or_else(short)?;
        let described = content.get(6..).unwrap_or_default().as_chunks::<3>().0;
        if described.len() != usize::from(components) {
            return Err(self.damaged("frame header"));
        }
        self.header.identifiers = described.iter().map(|[identifier, ..]| *identifier).collect();
        let first = described.first().map(|component| component[1]);
        self.header.subsampled = described.iter().any(|component| Some(component[1]) != first);
        self.header.width = u32::from(width);
        self.header.height = u32::from(height);
        self.header.components = components;
        self.header.precision = precision;
        self.header.process = marker;
        if let Some(attributes) = self.attributes {
            self.header.check(attributes)?;
        }
        // All but the lossless processes have a cosine transform.
        if !matches!(marker, SOF_JPEG_LS | 0xC3 | 0xC7 | 0xCB | 0xCF) {
            self.header.loss = Some(Loss::Jpeg);
        }
        if self.family == Family::Jpeg {
            // In no transfer syntax that is handled, and what lies behind their
            // last sample cannot be told.
            let frame = Frame::read(marker, content);
            self.frame = Some(frame.ok_or(PixelError::Unsupported {
                what: "progressive, arithmetic or hierarchical JPEG",
            })?);
        }
        Ok(())
    }

    /// `Ns`, components, `Ss Se AhAl`; in JPEG-LS `NEAR ILV Al`.
    fn scan_header(&mut self, content: &[u8]) -> Result<(), PixelError> {
        if !self.frame_seen {
            return Err(self.damaged("a scan before the frame header"));
        }
        self.scans += 1;
        // Without progression a component is coded once; every scan costs a
        // pass over the whole picture.
        if self.scans > u32::from(self.header.components) {
            return Err(self.damaged("more scans than components"));
        }
        let Some(&[first, second, _low]) = content.last_chunk::<3>() else {
            return Err(self.damaged("scan header"));
        };
        match self.family {
            Family::Jpeg => Ok(()),
            Family::JpegLs => self.jpeg_ls_scan(first, second),
        }
    }

    /// `NEAR` and `ILV` of a scan (ISO/IEC 14495-1 Annex C).
    fn jpeg_ls_scan(&mut self, near: u8, interleave: u8) -> Result<(), PixelError> {
        let interleave = match interleave {
            0 => Interleave::Component,
            1 => Interleave::Line,
            2 => Interleave::Sample,
            _other => return Err(self.damaged("scan header")),
        };
        if self.scans > 1 && interleave != self.header.interleave {
            return Err(PixelError::Unsupported { what: "JPEG-LS with scans of different kind" });
        }
        self.header.interleave = interleave;
        if near > 0 {
            self.header.loss = Some(Loss::NearLossless);
        }
        Ok(())
    }

    /// Keeps entropy-coded data up to the next marker that ends a scan.
    fn entropy_coded(&mut self, scan_header: &[u8]) -> Result<(), PixelError> {
        let start = self.at;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(offset) = rest.iter().position(|byte| *byte == 0xFF) else {
                return Err(self.damaged("no end of image"));
            };
            let next = byte(rest, offset + 1).ok_or(self.damaged("no end of image"))?;
            let stuffed = match self.family {
                Family::Jpeg => next == 0,
                Family::JpegLs => next < 0x80,
            };
            if stuffed || (0xD0..=0xD7).contains(&next) {
                self.at += offset + 2;
            } else {
                self.at += offset;
                break;
            }
        }
        match self.family {
            Family::Jpeg => self.keep_samples(scan_header, start),
            Family::JpegLs => {
                let components = scan_header.first().map_or(0, |count| usize::from(*count));
                if scan_header.len() != 2 * components + 4 {
                    return Err(self.damaged("scan header"));
                }
                self.keeper.keep(self.bytes, start..self.at);
                Ok(())
            }
        }
    }

    /// Keeps of the data from `start` on what the samples of the scan need.
    fn keep_samples(&mut self, scan_header: &[u8], start: usize) -> Result<(), PixelError> {
        let frame = self.frame.as_ref().ok_or(self.damaged("a scan before its frame"))?;
        let scan = Scan::read(frame, scan_header).ok_or(self.damaged("scan header"))?;
        let data = self.bytes.get(start..self.at).unwrap_or_default();
        for (component, dc, ac) in &scan.members {
            self.spare.uses(Kind::Dc, *dc);
            if let Some(ac) = ac {
                self.spare.uses(Kind::Ac, *ac);
                self.spare.uses(Kind::Quantisation, component.quantisation);
            }
        }
        match entropy::without_tail(frame, &scan, &self.tables, data)? {
            None => self.keeper.keep(data, 0..data.len()),
            Some(clean) => {
                self.keeper.keep(&clean, 0..clean.len());
                self.keeper.dropped = true;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xFF, marker];
        bytes.extend_from_slice(&u16::try_from(content.len() + 2).unwrap().to_be_bytes());
        bytes.extend_from_slice(content);
        bytes
    }

    /// One table each, with a code of one bit: category 0, end of block.
    fn tables(number: u8) -> [Vec<u8>; 3] {
        let one_code = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let table = |head: u8| [&[head], &one_code[..]].concat();
        [
            segment(DQT, &[&[number], &[1; 64][..]].concat()),
            segment(DHT, &table(number)),
            segment(DHT, &table(0x10 | number)),
        ]
    }

    /// A stream of 24 × 2 grey pixels of 8 bits: three blocks with a restart
    /// after each.
    fn stream_with(before: &[Vec<u8>], samples: &[u8], tail: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xFF, SOI];
        bytes.extend(before.concat());
        bytes.extend(segment(0xC0, &[8, 0, 2, 0, 24, 1, 1, 0x11, 0]));
        bytes.extend(segment(DRI, &[0, 1]));
        bytes.extend(segment(SOS, &[1, 1, 0, 0, 63, 0]));
        bytes.extend_from_slice(samples);
        bytes.extend_from_slice(&[0xFF, EOI]);
        bytes.extend_from_slice(tail);
        bytes
    }

    const SAMPLES: &[u8] = b"\x3F\xFF\xD0\x3F\xFF\xD1\x3F";

    fn stream(extra: &[Vec<u8>], tail: &[u8]) -> Vec<u8> {
        stream_with(&[extra, &tables(0)].concat(), SAMPLES, tail)
    }

    const JFIF: &[u8] = b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0";

    #[test]
    fn names_in_every_hiding_place_are_dropped_and_samples_stay() {
        let clean = stream(&[segment(0xE0, JFIF)], &[]);
        let walked = walk(&clean, Family::Jpeg, None).unwrap();
        assert!(walked.clean.is_none());
        assert_eq!((walked.header.width, walked.header.height), (24, 2));
        let thumbnail = b"JFIF\0\x01\x02\0\0\x01\0\x01\x01\x01DOE";
        let planted = [
            stream(&[segment(0xE0, JFIF), segment(0xFE, b"DOE^JANE")], &[]),
            stream(&[segment(0xE0, JFIF), segment(0xE1, b"Exif\0\0DOE^JANE")], &[]),
            stream(&[segment(0xE0, JFIF), segment(0xED, b"Photoshop DOE")], &[]),
            stream(&[segment(0xE0, thumbnail)], &[]),
            stream(&[segment(0xE0, JFIF)], b"DOE^JANE"),
            stream(&[segment(0xE0, JFIF), segment(0xF3, b"DOE")], &[]),
            stream(&[segment(0xE0, JFIF), segment(0xE2, b"ICC_PROFILE\0\x01\x01DOE")], &[]),
            stream(&[segment(0xE0, JFIF), segment(0xCC, b"\0DOE")], &[]),
            // Tables that another one of the same number replaces, or no scan names.
            stream(&[&[segment(0xE0, JFIF)][..], &tables(0)].concat(), &[]),
            stream(&[&[segment(0xE0, JFIF)][..], &tables(1)].concat(), &[]),
            // After the samples of an interval and of the scan.
            stream_with(
                &[&[segment(0xE0, JFIF)][..], &tables(0)].concat(),
                b"\x3FDOE\xFF\xD0\x3F^\xFF\xD1\x3FJANE\xFF\0",
                &[],
            ),
        ];
        for (place, bytes) in planted.iter().enumerate() {
            let walked = walk(bytes, Family::Jpeg, None).unwrap();
            assert_eq!(walked.clean.unwrap(), clean, "place {place}");
        }
    }

    #[test]
    fn of_several_tables_in_a_segment_the_unused_ones_go() {
        let [quantisation, dc, ac] = tables(0);
        let [_, _, other] = tables(1);
        let joined = |parts: &[&Vec<u8>]| {
            segment(DHT, &parts.iter().flat_map(|part| &part[4..]).copied().collect::<Vec<u8>>())
        };
        let clean = stream_with(&[quantisation.clone(), joined(&[&dc, &ac])], SAMPLES, &[]);
        assert!(walk(&clean, Family::Jpeg, None).unwrap().clean.is_none());
        for order in [[&dc, &other, &ac], [&other, &dc, &ac], [&dc, &ac, &other]] {
            let planted = stream_with(&[quantisation.clone(), joined(&order)], SAMPLES, &[]);
            assert_eq!(walk(&planted, Family::Jpeg, None).unwrap().clean.unwrap(), clean);
        }
    }

    #[test]
    fn adobe_stays_because_decoding_needs_it_but_says_nothing_else() {
        let adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01");
        let clean = stream(std::slice::from_ref(&adobe), &[0]);
        let walked = walk(&clean, Family::Jpeg, None).unwrap();
        assert!(walked.clean.is_none());
        assert_eq!(walked.header.adobe, Some(1));
        let planted = stream(&[segment(0xEE, b"AdobeDOEJAN\x01")], &[]);
        let walked = walk(&planted, Family::Jpeg, None).unwrap();
        assert_eq!(walked.clean.unwrap(), clean[..clean.len() - 1]);
    }

    #[test]
    fn structures_that_cannot_be_trusted_are_refused() {
        let whole = stream(&[], &[]);
        let no_end = &whole[..whole.len() - 2];
        for bytes in [b"".as_slice(), b"\xFF\xD8", b"DOE^JANE", no_end, &whole[..9]] {
            assert!(walk(bytes, Family::Jpeg, None).is_err());
        }
        assert!(walk(&whole, Family::JpegLs, None).is_err());
        let twice = segment(0xC0, &[8, 0, 9, 0, 9, 1, 1, 0x11, 0]);
        assert!(walk(&stream(&[twice], &[]), Family::Jpeg, None).is_err());
        let hierarchical = segment(0xDE, &[8, 0, 9, 0, 9, 1, 1, 0x11, 0]);
        assert!(walk(&stream(&[hierarchical], &[]), Family::Jpeg, None).is_err());
    }
}
