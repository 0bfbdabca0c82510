//! Walks JPEG and JPEG-LS streams (ISO/IEC 10918-1 Annex B, 14495-1 Annex C):
//! no comment, no Exif, nothing between pictures.

use super::stream::{Fault, Stream};

const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;
const COMMENT: u8 = 0xFE;
const RESTART: std::ops::RangeInclusive<u8> = 0xD0..=0xD7;
const APPLICATION: std::ops::RangeInclusive<u8> = 0xE0..=0xEF;
/// JFIF without a thumbnail: the segment ends after its two sizes.
const JFIF_BYTES: usize = 14;
const ADOBE_BYTES: usize = 12;
/// Colour transform of JPEG-LS by Hewlett-Packard: name and one byte.
const TRANSFORM_BYTES: usize = 5;

/// Walks all pictures of the stream.
pub(super) fn walk(stream: &mut Stream<'_>) -> Result<(), Fault> {
    while let Some(first) = stream.next_picture()? {
        // Padding after a picture may be fill bytes too.
        if first == 0xFF {
            match marker(stream)? {
                Some(START_OF_IMAGE) => picture(stream)?,
                None => return Ok(()),
                Some(_) => return Err(Fault::Broken("bytes-between-pictures")),
            }
        } else {
            return Err(Fault::Broken("bytes-between-pictures"));
        }
    }
    Ok(())
}

/// From after the start of image to its end.
fn picture(stream: &mut Stream<'_>) -> Result<(), Fault> {
    if stream.next()? != Some(0xFF) {
        return Err(Fault::Broken("coded-stream-damaged"));
    }
    loop {
        let code = marker(stream)?.ok_or(Fault::Broken("coded-stream-cut"))?;
        if code == END_OF_IMAGE {
            return Ok(());
        }
        if code == START_OF_IMAGE {
            return Err(Fault::Broken("picture-in-picture"));
        }
        let length = u16::from_be_bytes(stream.array()?);
        let content = length.checked_sub(2).ok_or(Fault::Broken("coded-stream-damaged"))?;
        let segment = stream.segment(content)?;
        if code == COMMENT || (APPLICATION.contains(&code) && !is_plain(code, &segment)) {
            return Err(Fault::Broken("comment-or-application-segment"));
        }
        if code == START_OF_SCAN {
            scan(stream)?;
        } else if stream.next()? != Some(0xFF) {
            return Err(Fault::Broken("coded-stream-damaged"));
        }
    }
}

/// The code of a marker after its first 0xFF; more of them are fill bytes.
/// `None` at the end of the stream.
fn marker(stream: &mut Stream<'_>) -> Result<Option<u8>, Fault> {
    loop {
        match stream.next()? {
            Some(0xFF) => {}
            other => return Ok(other),
        }
    }
}

/// Goes over coded samples and stops before the code of the marker after them.
fn scan(stream: &mut Stream<'_>) -> Result<(), Fault> {
    loop {
        stream.pass_marker_start()?;
        // A byte below 0x80 belongs to the samples (stuffing), a restart marker too.
        match stream.peek()? {
            Some(code) if code < 0x80 || RESTART.contains(&code) => {}
            Some(_) => return Ok(()),
            None => return Err(Fault::Broken("coded-stream-cut")),
        }
    }
}

/// An application segment that only says how to show the samples.
fn is_plain(code: u8, segment: &[u8]) -> bool {
    match code {
        0xE0 => segment.starts_with(b"JFIF\0") && segment.len() == JFIF_BYTES,
        0xE2 => segment.starts_with(b"ICC_PROFILE\0"),
        0xE8 => segment.starts_with(b"mrfx") && segment.len() == TRANSFORM_BYTES,
        0xEE => segment.starts_with(b"Adobe") && segment.len() == ADOBE_BYTES,
        _other => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::dicom::{Extent, Source};

    fn walked(bytes: &[u8]) -> Result<(), &'static str> {
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
        match walk(&mut Stream::new(&mut file, &fragments)) {
            Ok(()) => Ok(()),
            Err(Fault::Broken(rule)) => Err(rule),
            Err(Fault::Io(fault)) => panic!("{fault}"),
        }
    }

    const JFIF: &[u8] = b"\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
    const SCAN: &[u8] = b"\xFF\xDA\0\x04\x01\x02abc\xFF\0d\xFF\xD0e\xFF\x7Ff";

    fn picture_with(segments: &[&[u8]]) -> Vec<u8> {
        [b"\xFF\xD8".as_slice(), &segments.concat(), SCAN, b"\xFF\xD9"].concat()
    }

    #[test]
    fn plain_pictures_pass() {
        let adobe = b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\x01";
        let icc = b"\xFF\xE2\0\x10ICC_PROFILE\0\x01\x01";
        let one = picture_with(&[JFIF, adobe, icc]);
        assert_eq!(walked(&one), Ok(()));
        assert_eq!(walked(&[&one[..], b"\0", &one, b"\xFF"].concat()), Ok(()));
        let two_scans = [b"\xFF\xD8".as_slice(), SCAN, SCAN, b"\xFF\xD9\0"].concat();
        assert_eq!(walked(&two_scans), Ok(()));
    }

    #[test]
    fn what_is_no_picture_does_not_pass() {
        let segment = Err("comment-or-application-segment");
        assert_eq!(walked(&picture_with(&[b"\xFF\xFE\0\x05Doe"])), segment);
        assert_eq!(walked(&picture_with(&[b"\xFF\xE1\0\x08Exif\0\0"])), segment);
        assert_eq!(walked(&picture_with(&[b"\xFF\xE0\0\x08JFXX\0\0"])), segment);
        let late = [&picture_with(&[])[..SCAN.len() + 2], b"\xFF\xFE\0\x05Doe\xFF\xD9"].concat();
        assert_eq!(walked(&late), segment);
        let trailing = [picture_with(&[]), b"Doe".to_vec()].concat();
        assert_eq!(walked(&trailing), Err("bytes-between-pictures"));
        assert_eq!(walked(b"JANE DOE"), Err("bytes-between-pictures"));
        let whole = picture_with(&[JFIF]);
        for length in 3..whole.len() {
            assert!(walked(&whole[..length]).is_err(), "{length}");
        }
    }
}
