//! What a file is, by its first bytes: DICOM, an archive, or something that is
//! counted and left where it lies. Names are not asked.

use std::io::{self, Cursor, Read};

use serde::Serialize;

use crate::dicom::Uid;
use crate::dicom::read::{ReadError, ReadLimits, read_head};

/// Bytes looked at. 4 KiB: file meta has some 300.
const HEAD_BYTES: u64 = 4 << 10;
/// Media Storage Directory Storage (PS3.4 §B.5, PS3.10 §8).
const DIRECTORY_CLASS: &str = "1.2.840.10008.1.3.10";
const PREFIX_AT: usize = 128;
const PREFIX: &[u8] = b"DICM";

/// Something that is no DICOM object: counted, never copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A DICOMDIR (PS3.10 §8): its records name persons, files and their old UIDs.
    Dicomdir,
    /// JPEG, PNG and the like: a thumbnail can show what was burned in.
    Image,
    /// PDF, office documents.
    Document,
    /// Film or sound.
    Video,
    /// tar, gzip, 7z and other archives that are not opened.
    Archive,
    /// A program, as viewers on disks are.
    Program,
    /// Plain text.
    Text,
    /// No bytes.
    Empty,
    /// A link, which is not followed.
    Link,
    /// A pipe, a socket, a device: never opened.
    Special,
    /// Anything else.
    Other,
}

impl Kind {
    /// The word for it in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dicomdir => "dicomdir",
            Self::Image => "image",
            Self::Document => "document",
            Self::Video => "video",
            Self::Archive => "archive",
            Self::Program => "program",
            Self::Text => "text",
            Self::Empty => "empty",
            Self::Link => "link",
            Self::Special => "special",
            Self::Other => "other",
        }
    }
}

/// What is done with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Nature {
    /// Cleaned, or quarantined. Its SOP Instance UID where file meta has one.
    Dicom(Option<Uid>),
    /// Its members are looked at.
    Zip,
    /// Left.
    Not(Kind),
}

/// First bytes and what they show; the place in the file is first.
const SIGNATURES: &[(usize, &[u8], Kind)] = &[
    (0, b"\xFF\xD8\xFF", Kind::Image),
    (0, b"\x89PNG\r\n\x1A\n", Kind::Image),
    (0, b"GIF8", Kind::Image),
    (0, b"BM", Kind::Image),
    (0, b"II*\0", Kind::Image),
    (0, b"MM\0*", Kind::Image),
    (8, b"WEBP", Kind::Image),
    (0, b"\0\0\0\x0CjP", Kind::Image),
    (0, b"\xFF\x4F\xFF\x51", Kind::Image),
    (0, b"%PDF", Kind::Document),
    (0, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Kind::Document),
    (4, b"ftyp", Kind::Video),
    (8, b"AVI ", Kind::Video),
    (8, b"WAVE", Kind::Video),
    (0, b"\x1A\x45\xDF\xA3", Kind::Video),
    (0, b"\0\0\x01\xBA", Kind::Video),
    (0, b"\0\0\x01\xB3", Kind::Video),
    (0, b"\x1F\x8B", Kind::Archive),
    (0, b"7z\xBC\xAF\x27\x1C", Kind::Archive),
    (0, b"Rar!\x1A\x07", Kind::Archive),
    (0, b"\xFD7zXZ\0", Kind::Archive),
    (0, b"BZh", Kind::Archive),
    (0, b"\x28\xB5\x2F\xFD", Kind::Archive),
    (257, b"ustar", Kind::Archive),
    (0, b"MZ", Kind::Program),
    (0, b"\x7FELF", Kind::Program),
];

/// A local header, and the end of an archive without members.
const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// Looks at the beginning of a file.
///
/// # Errors
/// It cannot be read.
pub(super) fn nature_of(file: &mut impl Read) -> io::Result<Nature> {
    let mut head = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(nature(&head))
}

/// A file's nature by its first bytes. What looks like DICOM and is damaged is
/// DICOM: the reader says what is wrong with it.
fn nature(head: &[u8]) -> Nature {
    let prefixed = head.get(PREFIX_AT..).is_some_and(|rest| rest.starts_with(PREFIX));
    match read_head(&mut Cursor::new(head), &ReadLimits::default()) {
        Ok(read) => {
            let is_directory =
                read.meta.sop_class.as_ref().is_some_and(|class| class.as_str() == DIRECTORY_CLASS);
            if is_directory {
                Nature::Not(Kind::Dicomdir)
            } else {
                Nature::Dicom(read.meta.sop_instance)
            }
        }
        Err(ReadError::NotDicom) if !prefixed => other_nature(head),
        Err(_damaged_or_long) => Nature::Dicom(None),
    }
}

fn other_nature(head: &[u8]) -> Nature {
    if head.is_empty() {
        return Nature::Not(Kind::Empty);
    }
    if ZIP.iter().any(|start| head.starts_with(start)) {
        return Nature::Zip;
    }
    let signed = SIGNATURES
        .iter()
        .find(|(at, signature, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(signature)));
    Nature::Not(match signed {
        Some((_, _, kind)) => *kind,
        None if is_text(head) => Kind::Text,
        None => Kind::Other,
    })
}

/// No control characters but white space, in UTF-8 or Latin letters.
fn is_text(head: &[u8]) -> bool {
    head.iter().all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_prefix(rest: &[u8]) -> Vec<u8> {
        [&[0; 128], b"DICM".as_slice(), rest].concat()
    }

    /// Explicit little endian file meta of one UID element.
    fn uid(element: u8, uid: &str) -> Vec<u8> {
        let length = u8::try_from(uid.len()).unwrap();
        [&[2, 0, element, 0, b'U', b'I', length, 0], uid.as_bytes()].concat()
    }

    #[test]
    fn objects_are_told_with_and_without_preamble() {
        let syntax = uid(0x10, "1.2.840.10008.1.2.1\0");
        let meta = [uid(0x03, "2.25.11\0"), syntax.clone()].concat();
        let known = Nature::Dicom(Some("2.25.11".parse().unwrap()));
        assert_eq!(nature(&with_prefix(&meta)), known);
        assert_eq!(nature(&meta), known, "no preamble");
        let explicit = [&[8, 0, 5, 0, b'C', b'S', 10, 0], b"ISO_IR 100".as_slice()].concat();
        assert_eq!(nature(&explicit), Nature::Dicom(None));
        let implicit = [&[8, 0, 5, 0, 10, 0, 0, 0], b"ISO_IR 100".as_slice()].concat();
        assert_eq!(nature(&implicit), Nature::Dicom(None));
        // A picture's header in the preamble changes nothing (CVE-2019-11687).
        let mut dual = with_prefix(&meta);
        dual[..4].copy_from_slice(b"II*\0");
        assert_eq!(nature(&dual), known);
    }

    #[test]
    fn what_looks_like_an_object_and_is_damaged_stays_one() {
        assert_eq!(nature(&with_prefix(b"")), Nature::Dicom(None));
        assert_eq!(nature(&with_prefix(&[0xFF; 40])), Nature::Dicom(None));
        let cut = uid(0x10, "1.2.840.10008.1.2.1\0");
        assert_eq!(nature(&with_prefix(&cut[..12])), Nature::Dicom(None));
    }

    #[test]
    fn other_files_are_told_by_their_content() {
        let directory = with_prefix(
            &[uid(0x02, "1.2.840.10008.1.3.10"), uid(0x10, "1.2.840.10008.1.2.1\0")].concat(),
        );
        let cases: [(&[u8], Kind); 9] = [
            (&directory, Kind::Dicomdir),
            (b"\xFF\xD8\xFF\xE0\0\x10JFIF", Kind::Image),
            (b"%PDF-1.7", Kind::Document),
            (b"\x1F\x8B\x08\0", Kind::Archive),
            (b"MZ\x90\0", Kind::Program),
            (b"Patient: see\r\nnext page", Kind::Text),
            (b"Bef\xFCnde", Kind::Text),
            (b"", Kind::Empty),
            (&[0; 300], Kind::Other),
        ];
        for (head, kind) in cases {
            assert_eq!(nature(head), Nature::Not(kind), "{head:?}");
        }
        assert_eq!(nature(b"PK\x03\x04\x14\0"), Nature::Zip);
    }
}
