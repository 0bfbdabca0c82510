//! The head of a DICOM file (PS3.10 §7.1): written before a received data set,
//! taken off before one is sent.
//!
//! The preamble is always 128 zeros: what a sender puts there can be an
//! executable (CVE-2019-11687), and over the network it never came anyway.

use std::io::Read;
use std::path::Path;

use super::element::{Found, UNDEFINED_BYTES, header_at};
use crate::dicom::{
    Encoding, IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, Tag, TransferSyntax, Uid,
};

/// Longest preamble and meta information that is read. 64 KiB: ours has 350
/// bytes; private information (0002,0102) of others may be longer.
pub const META_BYTES_MAX: usize = 64 << 10;

const PREAMBLE_BYTES: usize = 128;
const MAGIC: &[u8; 4] = b"DICM";

/// What the meta information says (PS3.10 Table 7.1-1), as far as it is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMeta {
    /// Media Storage SOP Class UID.
    pub class: Uid,
    /// Media Storage SOP Instance UID.
    pub instance: Uid,
    /// Transfer Syntax UID of the data set.
    pub transfer_syntax: TransferSyntax,
}

/// Why a file is no DICOM file that can be sent.
#[derive(Debug, thiserror::Error)]
pub enum MetaError {
    /// The file cannot be read.
    #[error("cannot read the file: {0}")]
    Io(#[from] std::io::Error),
    /// No `DICM` after 128 bytes.
    #[error("no DICOM file: no DICM after the preamble")]
    NotDicom,
    /// Meta information is cut off, too long or malformed.
    #[error("file meta information is cut off or malformed")]
    Malformed,
    /// An element is missing or no UID.
    #[error("file meta information has no usable {name}")]
    Missing {
        /// The element's name.
        name: &'static str,
    },
}

impl FileMeta {
    /// Preamble, prefix and meta information, ready to stand before the data set.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut meta = Vec::new();
        put_long(&mut meta, 0x0001, *b"OB", &[0, 1]);
        put_short(&mut meta, 0x0002, *b"UI", self.class.as_str(), 0);
        put_short(&mut meta, 0x0003, *b"UI", self.instance.as_str(), 0);
        put_short(&mut meta, 0x0010, *b"UI", self.transfer_syntax.as_str(), 0);
        put_short(&mut meta, 0x0012, *b"UI", IMPLEMENTATION_CLASS_UID, 0);
        put_short(&mut meta, 0x0013, *b"SH", IMPLEMENTATION_VERSION_NAME, b' ');
        let mut bytes = vec![0; PREAMBLE_BYTES];
        bytes.extend(MAGIC);
        bytes.extend([2, 0, 0, 0, b'U', b'L', 4, 0]);
        bytes.extend(u32::try_from(meta.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.append(&mut meta);
        bytes
    }

    /// Reads preamble, prefix and meta information from the start of a file;
    /// returns also where the data set starts.
    ///
    /// # Errors
    /// [`MetaError`]: the file is not sent.
    pub fn parse(head: &[u8]) -> Result<(Self, u64), MetaError> {
        let after_magic = head
            .get(PREAMBLE_BYTES..)
            .and_then(|rest| rest.strip_prefix(MAGIC))
            .ok_or(MetaError::NotDicom)?;
        let (mut class, mut instance, mut transfer_syntax) = (None, None, None);
        let mut rest = after_magic;
        while rest.first_chunk() == Some(&[2, 0]) {
            let (tag, value, after) = split_meta_element(rest)?;
            match tag.1 {
                0x0002 => class = Uid::from_bytes(value).ok(),
                0x0003 => instance = Uid::from_bytes(value).ok(),
                0x0010 => transfer_syntax = Uid::from_bytes(value).ok(),
                _ => {}
            }
            rest = after;
        }
        let meta = Self {
            class: class.ok_or(MetaError::Missing { name: "SOP class" })?,
            instance: instance.ok_or(MetaError::Missing { name: "SOP instance" })?,
            transfer_syntax: transfer_syntax
                .map(TransferSyntax::new)
                .ok_or(MetaError::Missing { name: "transfer syntax" })?,
        };
        let start = head.len().saturating_sub(rest.len());
        Ok((meta, u64::try_from(start).map_err(|_| MetaError::Malformed)?))
    }

    /// Reads the head of the file at `path`; returns also where the data set starts.
    ///
    /// # Errors
    /// [`MetaError`]: the file is not sent.
    pub fn read(path: &Path) -> Result<(Self, u64), MetaError> {
        let longest = u64::try_from(META_BYTES_MAX).unwrap_or(u64::MAX);
        let mut head = Vec::new();
        std::fs::File::open(path)?.take(longest).read_to_end(&mut head)?;
        Self::parse(&head)
    }
}

fn split_meta_element(bytes: &[u8]) -> Result<(Tag, &[u8], &[u8]), MetaError> {
    let Found::Header(header) = header_at(bytes, Encoding::EXPLICIT_LE) else {
        return Err(MetaError::Malformed);
    };
    let value_bytes = Some(header.value_bytes)
        .filter(|bytes| *bytes != UNDEFINED_BYTES)
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or(MetaError::Malformed)?;
    let rest = bytes.get(header.header_bytes..).unwrap_or_default();
    let (value, after) = rest.split_at_checked(value_bytes).ok_or(MetaError::Malformed)?;
    Ok((header.tag, value, after))
}

fn put_short(bytes: &mut Vec<u8>, element: u16, vr: [u8; 2], text: &str, pad: u8) {
    let mut value = text.as_bytes().to_vec();
    if !value.len().is_multiple_of(2) {
        value.push(pad);
    }
    bytes.extend([2, 0]);
    bytes.extend(element.to_le_bytes());
    bytes.extend(vr);
    bytes.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    bytes.append(&mut value);
}

fn put_long(bytes: &mut Vec<u8>, element: u16, vr: [u8; 2], value: &[u8]) {
    bytes.extend([2, 0]);
    bytes.extend(element.to_le_bytes());
    bytes.extend(vr);
    bytes.extend([0, 0]);
    bytes.extend(u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn meta() -> FileMeta {
        FileMeta {
            class: "1.2.840.10008.5.1.4.1.1.2".parse().unwrap(),
            instance: "1.2.3".parse().unwrap(),
            transfer_syntax: TransferSyntax::new("1.2.840.10008.1.2.1".parse().unwrap()),
        }
    }

    #[test]
    fn a_written_head_is_read_back_and_the_data_set_starts_after_it() {
        let mut bytes = meta().to_bytes();
        let head_bytes = bytes.len() as u64;
        bytes.extend([8, 0, 0x16, 0]);
        let (read, start) = FileMeta::parse(&bytes).unwrap();
        assert_eq!(read, meta());
        assert_eq!(start, head_bytes);
        assert!(bytes[..128].iter().all(|byte| *byte == 0));
        let stated = u32::from_le_bytes(bytes[140..144].try_into().unwrap());
        assert_eq!(u64::from(stated), head_bytes - 144);
    }

    #[test]
    fn the_head_is_legal_for_the_toolkit() {
        let bytes = meta().to_bytes();
        let read = dicom_object::FileMetaTable::from_reader(&bytes[128..]).unwrap();
        assert_eq!(read.media_storage_sop_instance_uid(), "1.2.3");
        assert_eq!(read.transfer_syntax(), "1.2.840.10008.1.2.1");
    }

    #[test]
    fn cut_off_and_foreign_heads_are_refused() {
        let bytes = meta().to_bytes();
        assert!(matches!(FileMeta::parse(&bytes[..100]), Err(MetaError::NotDicom)));
        assert!(matches!(FileMeta::parse(&bytes[..150]), Err(MetaError::Malformed)));
        assert!(matches!(FileMeta::parse(&bytes[..144]), Err(MetaError::Missing { .. })));
    }

    proptest! {
        #[test]
        fn any_head_is_read_or_refused(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = vec![0; 128];
            bytes.extend(b"DICM\x02\0");
            bytes.extend(tail);
            let _read = FileMeta::parse(&bytes);
        }
    }
}
