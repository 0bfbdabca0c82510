//! Deflated data sets (PS3.5 §A.5) are inflated into a file before they are
//! read, so that memory does not grow with them and bombs end early.

use std::io::{self, Read, Seek, SeekFrom, Write};

use flate2::read::DeflateDecoder;

use super::error::ReadError;
use super::{ReadLimits, bytes};
use crate::dicom::path::TagPath;

/// Bytes inflated at a time.
const CHUNK_BYTES: usize = 64 << 10;
/// Below this many bytes the ratio is not asked: a short header of zeros is no bomb.
const RATIO_FROM_BYTES: u64 = 64 << 20;

/// Inflates what stands from `start` to the end of `source` into `out` and
/// returns the number of bytes written; read them as Explicit VR Little Endian.
///
/// # Errors
/// [`ReadError::Limit`] past the ratio or the total, [`ReadError::BadDeflate`]
/// when the stream is damaged or cut.
pub fn inflate<R: Read + Seek>(
    source: &mut R,
    start: u64,
    out: &mut impl Write,
    limits: &ReadLimits,
) -> Result<u64, ReadError> {
    let deflated = source.seek(SeekFrom::End(0))?.saturating_sub(start);
    source.seek(SeekFrom::Start(start))?;
    let by_ratio = deflated.saturating_mul(limits.inflate_ratio_max).max(RATIO_FROM_BYTES);
    let over = |limit| ReadError::Limit { limit, path: TagPath::root(), offset: start };
    let mut decoder = DeflateDecoder::new(source);
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut written: u64 = 0;
    loop {
        let count = match decoder.read(&mut chunk) {
            Ok(0) => return Ok(written),
            Ok(count) => count,
            Err(fault) => return Err(damaged(fault)),
        };
        let part = chunk.get(..count).unwrap_or_default();
        written = written.saturating_add(bytes::length_of(part));
        if written > limits.inflated_bytes_max {
            return Err(over("inflated_bytes_max"));
        }
        if written > by_ratio {
            return Err(over("inflate_ratio_max"));
        }
        out.write_all(part)?;
    }
}

/// Tells a damaged stream from a failing source.
fn damaged(fault: io::Error) -> ReadError {
    let in_stream = [io::ErrorKind::InvalidInput, io::ErrorKind::InvalidData]
        .contains(&fault.kind())
        || fault.kind() == io::ErrorKind::UnexpectedEof;
    if in_stream { ReadError::BadDeflate } else { ReadError::Io(fault) }
}
