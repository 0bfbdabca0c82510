//! Frames of the journal: sealed records in, checksummed bytes out, and back.
//!
//! ```text
//! record  length u32 LE  CRC-32 u32 LE of the body  body: one sealed record
//! group   length u32 LE with its highest bit set  CRC-32 u32 LE of the body
//!         body: of each record its length u32 LE and the sealed record
//! ```
//! Invariant: what is written before one sync is one frame. A power cut may
//! keep any blocks of it; since records within a group have no checksum of
//! their own, a torn group never looks like whole records behind damage.
#![warn(clippy::indexing_slicing, clippy::as_conversions, clippy::arithmetic_side_effects)]

use std::collections::VecDeque;
use std::io::{self, Read};

use super::record::{RECORD_BYTES_MAX, RECORD_BYTES_MIN, SealedRecord};

/// Length and CRC.
pub(super) const FRAME_HEADER_BYTES: usize = 8;
/// Longest body of a group. Default 256 KiB: 256 records of usual length, so
/// that the records of all callers that wait share a sync.
pub(super) const GROUP_BYTES_MAX: usize = 256 * 1_024;
/// Longest frame, and so the longest tail that one torn write can leave.
pub(super) const FRAME_BYTES_MAX: u64 = 256 * 1_024 + 8;
const _: () = assert!(GROUP_BYTES_MAX == 256 * 1_024 && GROUP_BYTES_MAX >= RECORD_BYTES_MAX);
const GROUP: u32 = 1 << 31;
/// Of the length before each record of a group.
const LENGTH_BYTES: usize = 4;

/// What one sync made durable.
#[derive(Debug)]
pub(super) struct Frame {
    /// At least one.
    pub(super) records: VecDeque<SealedRecord>,
    /// Bytes with its header.
    pub(super) bytes: u64,
}

/// Bytes that a record adds to a group.
pub(super) fn bytes_in_group(record: &SealedRecord) -> usize {
    record.bytes().len().saturating_add(LENGTH_BYTES)
}

/// The frame of `records`; nothing for none and for more than a frame holds.
pub(super) fn frame(records: &[SealedRecord]) -> Option<Vec<u8>> {
    let (flag, body) = match records {
        [] => return None,
        [one] => (0, one.bytes().to_vec()),
        several => {
            let mut body = Vec::new();
            for record in several {
                let bytes = u32::try_from(record.bytes().len()).ok()?;
                body.extend_from_slice(&bytes.to_le_bytes());
                body.extend_from_slice(record.bytes());
            }
            (GROUP, body)
        }
    };
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= GROUP_BYTES_MAX)?;
    let crc = crc32fast::hash(&body);
    Some([&(length | flag).to_le_bytes()[..], &crc.to_le_bytes(), &body].concat())
}

/// One frame, or nothing where the next `left_bytes` do not begin with one.
pub(super) fn read_frame(input: &mut impl Read, left_bytes: u64) -> io::Result<Option<Frame>> {
    let mut length = [0; 4];
    let mut crc = [0; 4];
    let Some(body_bytes_max) = left_bytes.checked_sub(8) else { return Ok(None) };
    input.read_exact(&mut length)?;
    input.read_exact(&mut crc)?;
    let length = u32::from_le_bytes(length);
    let (is_group, length) = (length & GROUP != 0, length & !GROUP);
    let longest = if is_group { GROUP_BYTES_MAX } else { RECORD_BYTES_MAX };
    let fits =
        usize::try_from(length).is_ok_and(|length| (RECORD_BYTES_MIN..=longest).contains(&length));
    if !fits || u64::from(length) > body_bytes_max {
        return Ok(None);
    }
    let mut body = Vec::new();
    input.take(u64::from(length)).read_to_end(&mut body)?;
    if crc32fast::hash(&body) != u32::from_le_bytes(crc) {
        return Ok(None);
    }
    let bytes = u64::from(length).saturating_add(8);
    let records = if is_group {
        records_of(&body)
    } else {
        SealedRecord::from_bytes(body).map(|record| VecDeque::from([record]))
    };
    Ok(records.map(|records| Frame { records, bytes }))
}

/// The records of a group, of which there are at least two.
fn records_of(body: &[u8]) -> Option<VecDeque<SealedRecord>> {
    let (mut records, mut rest) = (VecDeque::new(), body);
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<LENGTH_BYTES>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (record, after) = after.split_at_checked(length)?;
        records.push_back(SealedRecord::from_bytes(record.to_vec())?);
        rest = after;
    }
    (records.len() > 1).then_some(records)
}
