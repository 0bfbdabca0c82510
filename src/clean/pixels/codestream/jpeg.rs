//! JPEG (ISO/IEC 10918-1 Annex B) and JPEG-LS (ISO/IEC 14495-1 Annex C).

use super::{Keeper, StreamHeader, Walked, be16, byte};
use crate::clean::pixels::PixelError;

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
const DRI: u8 = 0xDD;
const SOF_JPEG_LS: u8 = 0xF7;
const LSE: u8 = 0xF8;
/// JFIF segment without thumbnail: identifier, version, units, densities, 0 × 0.
const JFIF_BYTES: usize = 14;
/// Adobe segment: identifier, version, two flag words, transform.
const ADOBE_BYTES: usize = 12;
/// JPEG-LS colour transform of HP, which CharLS applies: `mrfx` and its number.
const HP_TRANSFORM_BYTES: usize = 5;

struct Walk<'a> {
    bytes: &'a [u8],
    family: Family,
    at: usize,
    keeper: Keeper,
    header: StreamHeader,
    frame_seen: bool,
}

/// Walks a codestream from its first marker to its last.
///
/// # Errors
/// No JPEG at all, a damaged marker structure, hierarchical coding, or no end
/// marker: quarantine.
pub fn walk(bytes: &[u8], family: Family) -> Result<Walked, PixelError> {
    let mut walk = Walk {
        bytes,
        family,
        at: 2,
        keeper: Keeper::default(),
        header: StreamHeader::default(),
        frame_seen: false,
    };
    if bytes.first_chunk::<2>() != Some(&[0xFF, SOI]) {
        return Err(walk.damaged("no start of image"));
    }
    walk.keeper.keep(bytes, 0..2);
    while walk.segment()? {}
    // One byte of padding makes the fragment even; more does not pass.
    walk.keeper.dropped |= !matches!(bytes.get(walk.at..), None | Some([] | [0]));
    if !walk.frame_seen {
        return Err(walk.damaged("no frame header"));
    }
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
            // Huffman and quantisation tables, arithmetic conditioning, restarts.
            0xC4 | 0xDB | 0xCC | DRI => self.keep_segment(marker, content.len(), start),
            LSE if self.family == Family::JpegLs => {
                if content.first() != Some(&1) {
                    return Err(PixelError::Unsupported { what: "this extension of JPEG-LS" });
                }
                self.keep_segment(marker, content.len(), start);
            }
            SOS => {
                self.scan_header(content);
                self.keep_segment(marker, content.len(), start);
                self.entropy_coded()?;
            }
            _application_or_comment => self.application(marker, content, start),
        }
        Ok(())
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
            0xE2 if content.starts_with(b"ICC_PROFILE\0") => content.len(),
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
        Ok(())
    }

    /// `Ns`, components, `NEAR ILV Al` in JPEG-LS.
    fn scan_header(&mut self, content: &[u8]) {
        let interleave = byte(content, content.len().saturating_sub(2));
        self.header.by_component |= self.family == Family::JpegLs && interleave == Some(0);
    }

    /// Keeps entropy-coded data up to the next marker that ends a scan.
    fn entropy_coded(&mut self) -> Result<(), PixelError> {
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
                self.keeper.keep(self.bytes, start..self.at);
                return Ok(());
            }
        }
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

    /// A stream with the frame header of 3 × 2 grey pixels of 8 bits.
    fn stream(extra: &[Vec<u8>], tail: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xFF, SOI];
        for segment in extra {
            bytes.extend_from_slice(segment);
        }
        bytes.extend(segment(0xC0, &[8, 0, 2, 0, 3, 1, 1, 0x11, 0]));
        bytes.extend(segment(SOS, &[1, 1, 0, 0, 63, 0]));
        bytes.extend_from_slice(&[1, 0xFF, 0, 2, 0xFF, 0xD0, 3, 0xFF, EOI]);
        bytes.extend_from_slice(tail);
        bytes
    }

    const JFIF: &[u8] = b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0";

    #[test]
    fn names_in_every_hiding_place_are_dropped_and_samples_stay() {
        let clean = stream(&[segment(0xE0, JFIF)], &[]);
        let walked = walk(&clean, Family::Jpeg).unwrap();
        assert!(walked.clean.is_none());
        assert_eq!((walked.header.width, walked.header.height), (3, 2));
        let thumbnail = b"JFIF\0\x01\x02\0\0\x01\0\x01\x01\x01DOE";
        let planted = [
            stream(&[segment(0xE0, JFIF), segment(0xFE, b"DOE^JANE")], &[]),
            stream(&[segment(0xE0, JFIF), segment(0xE1, b"Exif\0\0DOE^JANE")], &[]),
            stream(&[segment(0xE0, JFIF), segment(0xED, b"Photoshop DOE")], &[]),
            stream(&[segment(0xE0, thumbnail)], &[]),
            stream(&[segment(0xE0, JFIF)], b"DOE^JANE"),
            stream(&[segment(0xE0, JFIF), segment(0xF3, b"DOE")], &[]),
        ];
        for (place, bytes) in planted.iter().enumerate() {
            let walked = walk(bytes, Family::Jpeg).unwrap();
            assert_eq!(walked.clean.unwrap(), clean, "place {place}");
        }
    }

    #[test]
    fn adobe_and_colour_profile_stay_because_decoding_needs_them() {
        let adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01");
        let profile = segment(0xE2, b"ICC_PROFILE\0\x01\x01data");
        let walked = walk(&stream(&[adobe, profile], &[0]), Family::Jpeg).unwrap();
        assert!(walked.clean.is_none());
        assert_eq!(walked.header.adobe, Some(1));
    }

    #[test]
    fn structures_that_cannot_be_trusted_are_refused() {
        let whole = stream(&[], &[]);
        let no_end = &whole[..whole.len() - 2];
        for bytes in [b"".as_slice(), b"\xFF\xD8", b"DOE^JANE", no_end, &whole[..9]] {
            assert!(walk(bytes, Family::Jpeg).is_err());
        }
        assert!(walk(&whole, Family::JpegLs).is_err());
        let twice = segment(0xC0, &[8, 0, 9, 0, 9, 1, 1, 0x11, 0]);
        assert!(walk(&stream(&[twice], &[]), Family::Jpeg).is_err());
        let hierarchical = segment(0xDE, &[8, 0, 9, 0, 9, 1, 1, 0x11, 0]);
        assert!(walk(&stream(&[hierarchical], &[]), Family::Jpeg).is_err());
    }
}
