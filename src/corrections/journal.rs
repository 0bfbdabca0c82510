//! The truth about corrections: an append-only file.
//!
//! ```text
//! header  "AIRLCOR\n"  version u32 LE  key id 8 bytes  CRC-32 u32 LE
//! record  length u32 LE  CRC-32 u32 LE of the bytes that follow  record
//! ```
//! Invariant: [`Journal::append`] returns only after the record is synced. A
//! torn tail is cut; damage before a whole record is an error, never skipped.
#![warn(clippy::indexing_slicing, clippy::as_conversions, clippy::arithmetic_side_effects)]

use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::CorrectionError;
use crate::disk::{Disk, DiskFile, FailedSync, replace_synced};

const MAGIC: [u8; 8] = *b"AIRLCOR\n";
const VERSION: u32 = 1;
const HEADER_BYTES: u64 = 24;
/// Longest record. 8 MiB: a note of 65,536 instances with UIDs of 64 characters.
pub(super) const RECORD_BYTES_MAX: usize = 8 << 20;
/// Length and CRC.
const FRAME_BYTES: u64 = 8;

/// Characters of a key's id.
pub(super) type KeyId = [u8; 8];

/// An open journal: the one writer.
pub(super) struct Journal {
    path: PathBuf,
    file: Box<dyn DiskFile>,
    end_bytes: u64,
    failed: FailedSync,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("end_bytes", &self.end_bytes).finish_non_exhaustive()
    }
}

/// What opening found beside the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) key_id: KeyId,
    /// Bytes of a torn record that were cut.
    pub(super) torn_bytes: u64,
}

impl Journal {
    /// Makes a journal of `records`, whole or not at all; one that stands is replaced.
    pub(super) fn create(
        path: &Path,
        disk: &dyn Disk,
        key_id: KeyId,
        records: impl Iterator<Item = Vec<u8>>,
    ) -> Result<(), CorrectionError> {
        let mut bytes = header(key_id).to_vec();
        records.for_each(|record| bytes.extend(frame(&record)));
        replace_synced(disk, path, &bytes).map_err(CorrectionError::io("make", path))
    }

    /// Opens a journal and tells each record and its place to `take`.
    pub(super) fn open(
        path: &Path,
        disk: &Arc<dyn Disk>,
        mut take: impl FnMut(&[u8], u64) -> Option<()>,
    ) -> Result<(Self, Found), CorrectionError> {
        let io = CorrectionError::io("read", path);
        let not_ours = || CorrectionError::NotAJournal { path: path.to_owned() };
        let mut file = disk.open_rw(path).map_err(&io)?;
        let file_bytes = file.byte_len().map_err(&io)?;
        if file_bytes < HEADER_BYTES {
            return Err(not_ours());
        }
        let mut head = [0; 24];
        let mut reader = BufReader::with_capacity(64 << 10, disk.open(path).map_err(&io)?);
        reader.read_exact(&mut head).map_err(&io)?;
        let key_id = key_id_of(&head).ok_or_else(not_ours)?;
        let mut end_bytes = HEADER_BYTES;
        loop {
            let left_bytes = file_bytes.saturating_sub(end_bytes);
            let Some(record) = read_frame(&mut reader, left_bytes).map_err(&io)? else { break };
            // Whole by its checksum and not to be understood: another version's.
            take(&record, end_bytes).ok_or_else(not_ours)?;
            end_bytes = end_bytes.saturating_add(FRAME_BYTES).saturating_add(byte_count(&record));
        }
        let torn_bytes = file_bytes.saturating_sub(end_bytes);
        if torn_bytes > 0 {
            refuse_damage(file.as_mut(), path, end_bytes)?;
            let cut = CorrectionError::io("cut the torn end of", path);
            file.set_byte_len(end_bytes).map_err(&cut)?;
            file.sync_data().map_err(&cut)?;
        }
        let journal =
            Self { path: path.to_owned(), file, end_bytes, failed: FailedSync::default() };
        Ok((journal, Found { key_id, torn_bytes }))
    }

    /// Seen by whoever asks whether anything can still be remembered.
    pub(super) fn failed(&self) -> FailedSync {
        self.failed.clone()
    }

    /// Appends a record, syncs it and gives its place. After a failed write the file is cut back
    /// and the next one may be tried; after a failed sync nothing more is taken,
    /// since a second sync may falsely succeed.
    pub(super) fn append(&mut self, record: &[u8]) -> Result<u64, CorrectionError> {
        if self.failed.is_set() {
            return Err(CorrectionError::Failed);
        }
        let frame = frame(record);
        let written = self
            .file
            .seek(SeekFrom::Start(self.end_bytes))
            .and_then(|_| self.file.write_all(&frame));
        if let Err(source) = written {
            // What cannot be cut back now is cut at the next start.
            if self.file.set_byte_len(self.end_bytes).is_err() {
                self.failed.set();
            }
            return Err(CorrectionError::io("append to", &self.path)(source));
        }
        if let Err(source) = self.file.sync_data() {
            self.failed.set();
            return Err(CorrectionError::io("sync", &self.path)(source));
        }
        let at = self.end_bytes;
        self.end_bytes = at.saturating_add(byte_count(&frame));
        Ok(at)
    }

    /// The record at a place that opening or appending gave.
    pub(super) fn record_at(&mut self, at: u64) -> Result<Vec<u8>, CorrectionError> {
        let io = CorrectionError::io("read", &self.path);
        self.file.seek(SeekFrom::Start(at)).map_err(&io)?;
        let left_bytes = self.end_bytes.saturating_sub(at);
        let record = read_frame(&mut self.file, left_bytes).map_err(&io)?;
        // It was whole when it was written or opened.
        record.ok_or_else(|| CorrectionError::Damaged { path: self.path.clone(), offset_bytes: at })
    }
}

/// Tells a torn tail, which is shorter than a record and holds none, from damage.
fn refuse_damage(
    file: &mut dyn DiskFile,
    path: &Path,
    end_bytes: u64,
) -> Result<(), CorrectionError> {
    let io = CorrectionError::io("read", path);
    let damaged = || CorrectionError::Damaged { path: path.to_owned(), offset_bytes: end_bytes };
    let tail_bytes_max = byte_of(RECORD_BYTES_MAX).saturating_add(FRAME_BYTES);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(end_bytes)).map_err(&io)?;
    file.take(tail_bytes_max.saturating_add(1)).read_to_end(&mut tail).map_err(&io)?;
    if byte_count(&tail) > tail_bytes_max {
        return Err(damaged());
    }
    let mut rest = tail.as_slice();
    while let Some((_first, shorter)) = rest.split_first() {
        if read_frame(&mut &*rest, byte_count(rest)).map_err(&io)?.is_some() {
            return Err(damaged());
        }
        rest = shorter;
    }
    Ok(())
}

/// One record, or nothing where the next `left_bytes` do not begin with one.
fn read_frame(input: &mut impl io::Read, left_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let (mut length, mut crc) = ([0; 4], [0; 4]);
    let Some(body_bytes_max) = left_bytes.checked_sub(FRAME_BYTES) else { return Ok(None) };
    input.read_exact(&mut length)?;
    input.read_exact(&mut crc)?;
    let length = u64::from(u32::from_le_bytes(length));
    if length == 0 || length > body_bytes_max.min(byte_of(RECORD_BYTES_MAX)) {
        return Ok(None);
    }
    let mut body = Vec::new();
    input.take(length).read_to_end(&mut body)?;
    Ok((crc32fast::hash(&body) == u32::from_le_bytes(crc)).then_some(body))
}

fn frame(record: &[u8]) -> Vec<u8> {
    // A record is at most 8 MiB long.
    let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
    [&length.to_le_bytes(), &crc32fast::hash(record).to_le_bytes(), record].concat()
}

fn header(key_id: KeyId) -> [u8; 24] {
    let mut bytes = [&MAGIC[..], &VERSION.to_le_bytes(), &key_id].concat();
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    let mut header = [0; 24];
    for (to, from) in header.iter_mut().zip(bytes) {
        *to = from;
    }
    header
}

fn key_id_of(bytes: &[u8; 24]) -> Option<KeyId> {
    let (_before, rest) = bytes.split_first_chunk::<12>()?;
    let key_id = *rest.first_chunk::<8>()?;
    (header(key_id) == *bytes).then_some(key_id)
}

fn byte_count(bytes: &[u8]) -> u64 {
    byte_of(bytes.len())
}

fn byte_of(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
