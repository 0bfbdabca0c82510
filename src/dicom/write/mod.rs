//! Writes a DICOM file anew: [`DataSet`] in, bytes and their digest out.
//!
//! Invariant: nothing of the sender's preamble or file meta passes, because
//! neither comes in (DESIGN.md decision 12); memory does not grow with bulk
//! values, which are copied in pieces from where they lie.
//!
//! Sequences and items are written with undefined length (PS3.5 §7.5), so that
//! no length has to be known before its content is written. Big endian is read
//! but never written: the caller asks for Explicit VR Little Endian instead.

mod bulk;
mod element;
mod sink;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::io::{self, Read, Seek, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;

pub use sink::Written;

use super::path::TagPath;
use super::{
    DataSet, Element, Extent, IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, Tag,
    TransferSyntax, Uid, VR,
};
use bulk::{Bulk, Leaving};
use element::Encoder;
use sink::Sink;

const PREAMBLE: [u8; 128] = [0; 128];
const PREFIX: [u8; 4] = *b"DICM";

/// What the new file meta says (PS3.10 §7.1); the rest of it is ours.
#[derive(Debug, Clone, Copy)]
pub struct NewMeta<'a> {
    /// SOP Class UID, as in the data set.
    pub sop_class: &'a Uid,
    /// SOP Instance UID, as in the data set.
    pub sop_instance: &'a Uid,
    /// How the data set is written.
    pub transfer_syntax: &'a TransferSyntax,
}

/// A file that bulk values are copied from.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek + ?Sized> ReadSeek for T {}

/// Where the [`super::Extent`]s of a data set lie.
pub struct BulkSources<'a> {
    /// The file the data set was read from.
    pub input: &'a mut dyn ReadSeek,
    /// The worker's scratch file, when there is one.
    pub scratch: Option<&'a mut dyn ReadSeek>,
    /// Numbers in `input` are big endian, and are turned on the way.
    pub input_big_endian: bool,
}

/// A bulk value that was not written: it belongs here, and lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Bytes that were written before it.
    pub at: u64,
    /// Where it lies in the input; its bytes go as they are.
    pub extent: Extent,
}

/// Why a file was not written. The caller drops what is there of it and quarantines.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Source or target failed.
    #[error("file cannot be copied: {0}")]
    Io(#[from] io::Error),
    /// Not a transfer syntax that is written: big endian or unknown.
    #[error("transfer syntax cannot be written")]
    UnsupportedTransferSyntax,
    /// Encapsulated pixel data in a native transfer syntax or the other way
    /// round (PS3.5 §8.2), or a fragment that is not in its file.
    #[error("pixel data does not agree with the transfer syntax")]
    PixelDataMismatch,
    /// An extent lies in the scratch file, and there is none.
    #[error("{path} lies in a scratch file that is not there")]
    NoScratch {
        /// The element.
        path: TagPath,
    },
    /// A value of more than 4 GiB (PS3.5 §7.1.1).
    #[error("{path} is too long for a length field")]
    TooLong {
        /// The element.
        path: TagPath,
    },
    /// Nested deeper than any reader accepts.
    #[error("{path} is nested too deep")]
    TooDeep {
        /// The element.
        path: TagPath,
    },
}

/// Writes preamble, file meta and data set to `out`, and flushes it. Elements
/// of group 0002 in `set` are a mistake of the caller's and are not written.
///
/// # Errors
/// [`WriteError`]: what was written so far is no file.
pub fn write_part10(
    out: &mut impl Write,
    meta: &NewMeta<'_>,
    set: &DataSet,
    bulk: &mut BulkSources<'_>,
) -> Result<Written, WriteError> {
    write(out, meta, set, bulk, None).map(|(written, _none_left)| written)
}

/// The same, but bulk values of the input with at least `bytes_min` bytes are
/// left where they lie: whoever puts the file together takes them from there.
/// Nothing is left out of a deflated data set, and no value whose byte order
/// changes.
///
/// # Errors
/// As [`write_part10`].
pub fn write_part10_leaving(
    out: &mut impl Write,
    meta: &NewMeta<'_>,
    set: &DataSet,
    bulk: &mut BulkSources<'_>,
    bytes_min: u64,
) -> Result<(Written, Vec<Left>), WriteError> {
    write(out, meta, set, bulk, Some(bytes_min))
}

fn write(
    out: &mut impl Write,
    meta: &NewMeta<'_>,
    set: &DataSet,
    bulk: &mut BulkSources<'_>,
    leave_bytes_min: Option<u64>,
) -> Result<(Written, Vec<Left>), WriteError> {
    let encoding = meta.transfer_syntax.encoding();
    let encoding = encoding
        .filter(|encoding| !encoding.big_endian)
        .ok_or(WriteError::UnsupportedTransferSyntax)?;
    check_pixel_data(set, meta.transfer_syntax)?;
    let (written, left) = (Cell::new(0), Cell::default());
    let mut sink = Sink::new(out, &written);
    sink.write_all(&part10_head(meta)?)?;
    let leaving = leave_bytes_min.filter(|_| !encoding.deflated).map(|bytes_min| Leaving {
        bytes_min,
        written: &written,
        left: &left,
    });
    let mut bulk = Bulk::new(bulk, set).leaving(leaving);
    if encoding.deflated {
        let mut deflate = DeflateEncoder::new(&mut sink, Compression::default());
        Encoder::new(&mut deflate, &mut bulk, encoding.explicit_vr).data_set(set)?;
        deflate.finish()?;
        // One NUL after the stream where its length is odd (PS3.5 §A.5).
        sink.make_even()?;
    } else {
        Encoder::new(&mut sink, &mut bulk, encoding.explicit_vr).data_set(set)?;
    }
    let written = sink.finish()?;
    Ok((written, left.take()))
}

/// Preamble, prefix and file meta alone, to stand before a data set that is
/// kept as it came.
///
/// # Errors
/// [`WriteError`] when a UID does not fit its element; a [`Uid`] always does.
pub fn part10_head(meta: &NewMeta<'_>) -> Result<Vec<u8>, WriteError> {
    let mut head = PREAMBLE.to_vec();
    head.extend(PREFIX);
    head.extend(file_meta(meta)?);
    Ok(head)
}

/// A new preamble-less file meta group: version, class, instance, transfer
/// syntax, our implementation.
fn file_meta(meta: &NewMeta<'_>) -> Result<Vec<u8>, WriteError> {
    let uid = |element, uid: &str| Element::bytes(Tag(0x0002, element), VR::UI, uid.as_bytes());
    let group = DataSet::from_iter([
        Element::bytes(Tag(0x0002, 0x0001), VR::OB, [0, 1]),
        uid(0x0002, meta.sop_class.as_str()),
        uid(0x0003, meta.sop_instance.as_str()),
        uid(0x0010, meta.transfer_syntax.as_str()),
        uid(0x0012, IMPLEMENTATION_CLASS_UID),
        Element::bytes(Tag(0x0002, 0x0013), VR::SH, IMPLEMENTATION_VERSION_NAME),
    ]);
    let length = element::encoded(&group, true)?;
    let group_length = u32::try_from(length.len())
        .map_err(|_wide| WriteError::TooLong { path: TagPath::root() })?;
    let first = Element::bytes(Tag(0x0002, 0x0000), VR::UL, group_length.to_le_bytes());
    let mut bytes = element::encoded(&DataSet::from_iter([first]), true)?;
    bytes.extend(length);
    Ok(bytes)
}

/// A data set without bulk values as bytes: what a message carries beside its command.
///
/// # Errors
/// [`WriteError::TooLong`], [`WriteError::TooDeep`].
pub fn plain_bytes(set: &DataSet, explicit_vr: bool) -> Result<Vec<u8>, WriteError> {
    element::encoded(set, explicit_vr)
}

/// Native pixel data goes with a native transfer syntax only (PS3.5 §8.2).
fn check_pixel_data(set: &DataSet, syntax: &TransferSyntax) -> Result<(), WriteError> {
    use super::Value;
    let Some(pixels) = set.get(super::vr::PIXEL_DATA) else { return Ok(()) };
    let encapsulated = match pixels.value {
        Value::Fragments { .. } => true,
        Value::Bytes(_) | Value::Bulk(_) | Value::Items(_) => false,
    };
    if encapsulated == syntax.is_native() {
        return Err(WriteError::PixelDataMismatch);
    }
    Ok(())
}
