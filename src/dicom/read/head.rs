//! What stands before the data set: preamble, prefix and file meta (PS3.10 §7.1),
//! or nothing of it.

use std::io::{Read, Seek, SeekFrom};

use super::error::ReadError;
use super::parser::{Coding, NO_TAG, Parser, Scope};
use super::{ReadLimits, bytes};
use crate::dicom::transfer_syntax::{EXPLICIT_VR_BE, EXPLICIT_VR_LE, IMPLICIT_VR_LE};
use crate::dicom::{DataSet, Encoding, Tag, TransferSyntax, Uid, VR};

const PREAMBLE_BYTES: usize = 128;
const PREFIX: [u8; 4] = *b"DICM";
const META_GROUP: u16 = 0x0002;
const MEDIA_CLASS: Tag = Tag(META_GROUP, 0x0002);
const MEDIA_INSTANCE: Tag = Tag(META_GROUP, 0x0003);
const TRANSFER_SYNTAX: Tag = Tag(META_GROUP, 0x0010);

/// The 128 bytes before `DICM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preamble {
    /// The file begins with elements.
    Absent,
    /// All zero.
    Zero,
    /// Something else, for example a TIFF header or a program (CVE-2019-11687).
    Other,
}

/// File meta information (PS3.10 §7.1).
#[derive(Debug, Clone)]
pub struct FileMeta {
    /// Media Storage SOP Class UID, when present and well formed.
    pub sop_class: Option<Uid>,
    /// Media Storage SOP Instance UID, when present and well formed.
    pub sop_instance: Option<Uid>,
    /// As stated, or found by looking at the data set when it is not stated.
    pub transfer_syntax: TransferSyntax,
    /// All elements of group 0002, group length included, as they stood.
    pub elements: DataSet,
    /// The bytes before `DICM`.
    pub preamble: Preamble,
}

/// File meta and where the data set begins.
#[derive(Debug, Clone)]
pub struct Head {
    /// File meta information.
    pub meta: FileMeta,
    /// First byte of the data set.
    pub data_set_offset: u64,
}

/// Reads what stands before the data set.
///
/// # Errors
/// [`ReadError::NotDicom`] when the file begins like something else; other
/// [`ReadError`]s when file meta is damaged.
pub fn read_head<R: Read + Seek>(source: &mut R, limits: &ReadLimits) -> Result<Head, ReadError> {
    let (preamble, start) = preamble(source)?;
    let mut parser = Parser::new(source, start, limits)?;
    let scope = Scope::whole(Coding::of(Encoding::EXPLICIT_LE).held(), parser.end());
    let mut elements = DataSet::new();
    loop {
        let element_start = parser.position();
        if parser.left(scope) < 4 || parser.tag(NO_TAG, scope)?.group() != META_GROUP {
            parser.back_to(element_start)?;
            break;
        }
        parser.back_to(element_start)?;
        let tag = parser.tag(NO_TAG, scope)?;
        let header = parser.header(tag, scope)?;
        elements.put(parser.element(header, scope)?);
    }
    let data_set_offset = parser.position();
    let plain = preamble == Preamble::Absent && elements.is_empty();
    let transfer_syntax = match uid(&elements, TRANSFER_SYNTAX) {
        Some(uid) => TransferSyntax::new(uid),
        None => guess(source, data_set_offset, plain)?,
    };
    let meta = FileMeta {
        sop_class: uid(&elements, MEDIA_CLASS),
        sop_instance: uid(&elements, MEDIA_INSTANCE),
        transfer_syntax,
        elements,
        preamble,
    };
    Ok(Head { meta, data_set_offset })
}

fn uid(elements: &DataSet, tag: Tag) -> Option<Uid> {
    Uid::from_bytes(elements.get(tag)?.as_bytes()?).ok()
}

/// Finds out whether a preamble and prefix stand at the start; the offset is
/// that of the first element.
fn preamble<R: Read + Seek>(source: &mut R) -> Result<(Preamble, u64), ReadError> {
    let end = source.seek(SeekFrom::End(0))?;
    source.rewind()?;
    let mut start = [0; PREAMBLE_BYTES];
    let mut prefix = [0; PREFIX.len()];
    let elements_start = bytes::length_of(&start).saturating_add(bytes::length_of(&prefix));
    if end < elements_start {
        return Ok((Preamble::Absent, 0));
    }
    source.read_exact(&mut start)?;
    source.read_exact(&mut prefix)?;
    if prefix != PREFIX {
        return Ok((Preamble::Absent, 0));
    }
    let zero = start.iter().all(|&byte| byte == 0);
    Ok((if zero { Preamble::Zero } else { Preamble::Other }, elements_start))
}

/// The transfer syntax of a data set that does not state it, by its first
/// element. Nothing but group 0008 is believed where nothing else says that
/// the file is DICOM.
fn guess<R: Read + Seek>(
    source: &mut R,
    start: u64,
    plain: bool,
) -> Result<TransferSyntax, ReadError> {
    let left = source.seek(SeekFrom::End(0))?.saturating_sub(start);
    if left < 8 {
        return Err(ReadError::NotDicom);
    }
    source.seek(SeekFrom::Start(start))?;
    let mut first = [0; 8];
    source.read_exact(&mut first)?;
    let [group_a, group_b, _, _, vr_a, vr_b, length_a, length_b] = first;
    let little = u16::from_le_bytes([group_a, group_b]);
    let big = u16::from_be_bytes([group_a, group_b]);
    let plausible = |group: u16| group == 0x0008 || (!plain && (0x0004..=0x0020).contains(&group));
    let has_vr = VR::from_binary([vr_a, vr_b]).is_some();
    let implicit_length = u32::from_le_bytes([vr_a, vr_b, length_a, length_b]);
    let found = if plausible(little) && has_vr {
        EXPLICIT_VR_LE
    } else if plausible(big) && has_vr {
        EXPLICIT_VR_BE
    } else if plausible(little) && u64::from(implicit_length) <= left {
        IMPLICIT_VR_LE
    } else {
        return Err(ReadError::NotDicom);
    };
    found.parse().map(TransferSyntax::new).map_err(|_bad| ReadError::NotDicom)
}
