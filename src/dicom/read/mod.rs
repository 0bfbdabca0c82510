//! Reads a data set into a tree of raw bytes: stream in, [`Part10`] out.
//!
//! Invariant: nothing is allocated by a length that was not compared with the
//! bytes left and with a limit, nesting is bounded, and bulk values stay in
//! their file; so the reader is the structure guard too. The toolkit's reader
//! is not used for received bytes: it overflows its stack on deep nesting and
//! allocates by declared lengths.

#![warn(clippy::indexing_slicing, clippy::as_conversions, clippy::arithmetic_side_effects)]

mod bytes;
mod error;
mod fragments;
mod head;
mod header;
mod inflate;
mod parser;
#[cfg(test)]
#[allow(clippy::as_conversions, clippy::arithmetic_side_effects, reason = "our own numbers")]
mod tests;
#[cfg(test)]
#[allow(clippy::as_conversions, clippy::arithmetic_side_effects, reason = "our own numbers")]
mod trap_tests;

use std::io::{Cursor, Read, Seek};

pub use error::ReadError;
pub use head::{FileMeta, Head, Preamble, read_head};
pub use inflate::inflate;

use super::{DataSet, Encoding, Tag};
use parser::{Coding, Parser, Scope};

/// What one object may cost its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLimits {
    /// Deepest nesting of sequences. Default 64: the deepest real SR trees have some 20 levels.
    pub depth_max: u32,
    /// Most elements and items of one object. Default 1 Mi: ten times a large enhanced object.
    pub elements_max: u32,
    /// Longest value that is held in memory. Default 64 MiB: no standard attribute but bulk data comes near.
    pub value_bytes_max: u64,
    /// Most memory for the whole tree. Default 256 MiB: half of a worker's share.
    pub held_bytes_max: u64,
    /// Most fragments, and most entries of an offset table. Default 1 Mi: ten for each frame allowed.
    pub fragments_max: u32,
    /// Longer values of binary VRs stay in the file. Default 256 KiB: colour tables and profiles are shorter.
    pub bulk_from_bytes: u64,
    /// Most bytes that one deflated byte may become. Default 1,000: deflate itself ends at 1,032,
    /// and black frames come near it.
    pub inflate_ratio_max: u64,
    /// Most bytes of an inflated data set. Default 4 GiB.
    pub inflated_bytes_max: u64,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            depth_max: 64,
            elements_max: 1 << 20,
            value_bytes_max: 64 << 20,
            held_bytes_max: 256 << 20,
            fragments_max: 1 << 20,
            bulk_from_bytes: 256 << 10,
            inflate_ratio_max: 1_000,
            inflated_bytes_max: 4 << 30,
        }
    }
}

/// What was tolerated and left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Notes {
    /// Elements replaced by a later one of the same tag.
    pub duplicates: u32,
    /// Group lengths left out (retired, PS3.5 §7.2).
    pub group_lengths: u32,
    /// Bytes of padding left out after and between elements: (FFFC,FFFC) and zeros at the end.
    pub padding_bytes: u64,
}

/// A data set without file meta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The elements.
    pub set: DataSet,
    /// What was tolerated.
    pub notes: Notes,
}

/// A whole file (PS3.10 §7).
#[derive(Debug, Clone)]
pub struct Part10 {
    /// File meta information.
    pub meta: FileMeta,
    /// The data set.
    pub set: DataSet,
    /// First byte of the data set in the source.
    pub data_set_offset: u64,
    /// How the data set is coded; `big_endian` tells the order of bulk values.
    pub encoding: Encoding,
    /// What was tolerated.
    pub notes: Notes,
}

/// Reads a DICOM file; also one without preamble, without group length or
/// without transfer syntax, when it plainly begins with file meta or group 0008.
///
/// # Errors
/// [`ReadError`]; for [`ReadError::Deflated`] the caller uses [`read_head`],
/// [`inflate`] and [`read_data_set`].
pub fn read_part10<R: Read + Seek>(
    source: &mut R,
    limits: &ReadLimits,
) -> Result<Part10, ReadError> {
    let head = read_head(source, limits)?;
    let encoding = head.meta.transfer_syntax.encoding().ok_or(ReadError::UnknownTransferSyntax)?;
    let parsed = read_data_set(source, head.data_set_offset, encoding, limits)?;
    Ok(Part10 {
        meta: head.meta,
        set: parsed.set,
        data_set_offset: head.data_set_offset,
        encoding,
        notes: parsed.notes,
    })
}

/// Reads a data set from `start` to the end of the source. Extents of bulk
/// values count from the start of the source.
///
/// # Errors
/// [`ReadError`]: the caller quarantines.
pub fn read_data_set<R: Read + Seek>(
    source: &mut R,
    start: u64,
    encoding: Encoding,
    limits: &ReadLimits,
) -> Result<Parsed, ReadError> {
    if encoding.deflated {
        return Err(ReadError::Deflated);
    }
    let mut parser = Parser::new(source, start, limits)?;
    let set = parser.data_set(Scope::whole(Coding::of(encoding), parser.end()))?;
    Ok(Parsed { set, notes: parser.notes() })
}

/// Reads the elements up to and including `last`, as far as `prefix` reaches.
/// The flag says that the elements up to `last` are complete.
pub(super) fn read_until(
    prefix: &[u8],
    encoding: Encoding,
    last: Tag,
) -> Result<(DataSet, bool), ReadError> {
    let limits = ReadLimits::default();
    let mut source = Cursor::new(prefix);
    let mut parser = Parser::new(&mut source, 0, &limits)?.until(last);
    let set = parser.data_set(Scope::whole(Coding::of(encoding).held(), parser.end()))?;
    Ok((set, parser.reached()))
}

/// The items in a value of VR UN and defined length, when all its bytes are
/// items: Implicit VR Little Endian (PS3.5 §6.2.2 Note 2) or, against the
/// standard but seen, Explicit VR Little Endian. `None`: it is something else.
///
/// Items inside may again hold such values; the caller bounds how deep it looks.
#[must_use]
pub fn parse_un_sequence(value: &[u8]) -> Option<Vec<DataSet>> {
    if !value.starts_with(&[0xFE, 0xFF, 0x00, 0xE0]) {
        return None;
    }
    let limits = ReadLimits::default();
    let codings = [Encoding::IMPLICIT_LE, Encoding::EXPLICIT_LE];
    codings.into_iter().find_map(|encoding| {
        // With and without the delimiter that a sequence of undefined length leaves behind.
        [false, true].into_iter().find_map(|delimited| {
            let mut source = Cursor::new(value);
            let mut parser = Parser::new(&mut source, 0, &limits).ok()?;
            let scope = Scope::whole(Coding::of(encoding).held(), parser.end());
            let items = parser.items(Tag(0, 0), delimited, scope).ok()?;
            parser.at_end().then_some(items)
        })
    })
}
