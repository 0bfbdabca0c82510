//! The truth about pseudonyms: an append-only file of sealed records.
//!
//! ```text
//! header  "AIRLPSJ\n"  version u32 LE  journal id 16 bytes  CRC-32 u32 LE
//! record  length u32 LE  CRC-32 u32 LE of the bytes that follow  sealed record
//! ```
//! Invariant: [`Journal::append`] returns only after the record is synced, one
//! at a time, so that after a crash at most the last record is torn. A torn tail
//! is cut and reported; damage before a whole record is an error that names the
//! place, never skipped.
#![warn(clippy::indexing_slicing, clippy::as_conversions, clippy::arithmetic_side_effects)]

use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::error::PseudonymError;
use super::record::{JournalId, RECORD_BYTES_MAX, RECORD_BYTES_MIN, SealedRecord};
use crate::disk::{Disk, DiskFile, replace_synced};

const MAGIC: [u8; 8] = *b"AIRLPSJ\n";
const VERSION: u32 = 1;
pub(super) const HEADER_BYTES: u64 = 32;
/// Length and CRC.
const FRAME_HEADER_BYTES: usize = 8;
/// Longest tail that one torn write can leave. Anything longer is damage.
const TORN_TAIL_BYTES_MAX: u64 = 17 * 1_024;
const _: () = assert!(TORN_TAIL_BYTES_MAX > 16 * 1_024 + 8 && RECORD_BYTES_MAX == 16 * 1_024);

/// An open journal: the one writer.
#[derive(Debug)]
pub(super) struct Journal {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Writer,
    id: JournalId,
    end: Position,
    sync_failed: bool,
}

/// Where a journal stands after some record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// Number of the last record; 0 for none.
    pub(super) sequence: u64,
    /// Bytes up to its end.
    pub(super) bytes: u64,
    /// SHA-256 over the one before it and the record: says that two histories are the same.
    pub(super) chain: [u8; 32],
}

impl Position {
    fn start(id: JournalId) -> Self {
        Self { sequence: 0, bytes: HEADER_BYTES, chain: Sha256::digest(id.0).into() }
    }

    /// Where a journal stands once `record` is appended.
    pub(super) fn after(self, record: &SealedRecord) -> Self {
        let frame_bytes = record.bytes().len().saturating_add(FRAME_HEADER_BYTES);
        let chain = Sha256::new().chain_update(self.chain).chain_update(record.bytes());
        Self {
            sequence: record.sequence(),
            bytes: self.bytes.saturating_add(u64::try_from(frame_bytes).unwrap_or(u64::MAX)),
            chain: chain.finalize().into(),
        }
    }
}

/// The file, without its content in debug output.
struct Writer(Box<dyn DiskFile>);

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Journal {
    /// Makes a journal without records. Its header stands whole or not at all.
    pub(super) fn create(path: &Path, disk: &Arc<dyn Disk>) -> Result<(), PseudonymError> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|_no_source| PseudonymError::NoRandomness)?;
        replace_synced(disk.as_ref(), path, &header(JournalId(id)))
            .map_err(PseudonymError::io("make", path))
    }

    /// Opens a journal for appending, checks every record's checksum and number,
    /// and cuts a torn tail. Gives the number of bytes cut.
    pub(super) fn open(path: &Path, disk: Arc<dyn Disk>) -> Result<(Self, u64), PseudonymError> {
        let io = PseudonymError::io("read", path);
        let mut file = disk.open_rw(path).map_err(&io)?;
        let file_bytes = file.byte_len().map_err(&io)?;
        let mut head = [0; 32];
        let whole = file_bytes >= HEADER_BYTES;
        let id = match whole.then(|| file.read_exact(&mut head)).transpose().map_err(&io)? {
            Some(()) => header_id(&head),
            None => None,
        };
        let id = id.ok_or_else(|| PseudonymError::NotAJournal { path: path.to_owned() })?;

        let mut reader = Reader::new(path, disk.as_ref(), id, file_bytes)?;
        while reader.step()?.is_some() {}
        let end = reader.position;
        let torn_bytes = file_bytes.saturating_sub(end.bytes);
        if torn_bytes > 0 {
            refuse_damage(&mut file, path, end, torn_bytes)?;
            let cut = PseudonymError::io("cut the torn end of", path);
            file.set_byte_len(end.bytes).map_err(&cut)?;
            file.sync_data().map_err(&cut)?;
        }
        let path = path.to_owned();
        Ok((Self { disk, path, file: Writer(file), id, end, sync_failed: false }, torn_bytes))
    }

    pub(super) fn id(&self) -> JournalId {
        self.id
    }

    pub(super) fn end(&self) -> Position {
        self.end
    }

    /// Appends a record, which carries the next number, and syncs it.
    ///
    /// After a failed write the file is cut back and the next record may be
    /// tried: a full disk heals. After a failed sync nothing more is taken,
    /// since a second sync may falsely succeed.
    pub(super) fn append(&mut self, record: &SealedRecord) -> Result<(), PseudonymError> {
        if self.sync_failed || self.end.sequence.checked_add(1) != Some(record.sequence()) {
            return Err(PseudonymError::Failed);
        }
        if let Err(source) = self.write(record) {
            // What cannot be cut back now is cut at the next start.
            self.sync_failed = self.file.0.set_byte_len(self.end.bytes).is_err();
            return Err(PseudonymError::Io { step: "append to", path: self.path.clone(), source });
        }
        if let Err(source) = self.file.0.sync_data() {
            self.sync_failed = true;
            return Err(PseudonymError::Io { step: "sync", path: self.path.clone(), source });
        }
        self.end = self.end.after(record);
        Ok(())
    }

    fn write(&mut self, record: &SealedRecord) -> io::Result<()> {
        self.file.0.seek(SeekFrom::Start(self.end.bytes))?;
        self.file.0.write_all(&frame(record))
    }

    /// Reads all records up to the present end.
    pub(super) fn reader(&self) -> Result<Reader, PseudonymError> {
        Reader::new(&self.path, self.disk.as_ref(), self.id, self.end.bytes)
    }
}

/// Reads records in order, up to a fixed place.
#[derive(Debug)]
pub(super) struct Reader {
    path: PathBuf,
    input: Input,
    end_bytes: u64,
    /// Where it stands.
    pub(super) position: Position,
}

struct Input(BufReader<Box<dyn DiskFile>>);

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Input")
    }
}

impl Reader {
    fn new(
        path: &Path,
        disk: &dyn Disk,
        id: JournalId,
        end_bytes: u64,
    ) -> Result<Self, PseudonymError> {
        let io = PseudonymError::io("read", path);
        let mut file = disk.open(path).map_err(&io)?;
        file.seek(SeekFrom::Start(HEADER_BYTES)).map_err(&io)?;
        let input = Input(BufReader::with_capacity(64 * 1_024, file));
        Ok(Self { path: path.to_owned(), input, end_bytes, position: Position::start(id) })
    }

    /// The next record; nothing at the end and at anything that is no record.
    fn step(&mut self) -> Result<Option<SealedRecord>, PseudonymError> {
        let left_bytes = self.end_bytes.saturating_sub(self.position.bytes);
        let record = read_frame(&mut self.input.0, left_bytes)
            .map_err(PseudonymError::io("read", &self.path))?;
        let next = self.position.sequence.checked_add(1);
        let record = record.filter(|record| Some(record.sequence()) == next);
        if let Some(record) = &record {
            self.position = self.position.after(record);
        }
        Ok(record)
    }

    /// The next record. Unlike [`Reader::step`], stopping before the end is an
    /// error: somebody has changed a file that was found whole when it was opened.
    pub(super) fn next_record(&mut self) -> Result<Option<SealedRecord>, PseudonymError> {
        let record = self.step()?;
        if record.is_none() && self.position.bytes < self.end_bytes {
            return Err(damaged(&self.path, self.position));
        }
        Ok(record)
    }
}

fn damaged(path: &Path, last_sound: Position) -> PseudonymError {
    PseudonymError::JournalDamaged {
        path: path.to_owned(),
        offset_bytes: last_sound.bytes,
        sequence: last_sound.sequence,
    }
}

/// Tells a torn tail, which is shorter than a record and holds none, from
/// damage, which stands before whole records or is longer.
fn refuse_damage(
    file: &mut Box<dyn DiskFile>,
    path: &Path,
    end: Position,
    torn_bytes: u64,
) -> Result<(), PseudonymError> {
    if torn_bytes > TORN_TAIL_BYTES_MAX {
        return Err(damaged(path, end));
    }
    let mut tail = Vec::new();
    let io = PseudonymError::io("read", path);
    file.seek(SeekFrom::Start(end.bytes)).map_err(&io)?;
    file.take(TORN_TAIL_BYTES_MAX).read_to_end(&mut tail).map_err(&io)?;
    let mut rest = tail.as_slice();
    while let Some((_first, shorter)) = rest.split_first() {
        let left_bytes = u64::try_from(rest.len()).unwrap_or(u64::MAX);
        if read_frame(&mut &*rest, left_bytes).map_err(&io)?.is_some() {
            return Err(damaged(path, end));
        }
        rest = shorter;
    }
    Ok(())
}

/// One record, or nothing where the next `left_bytes` do not begin with one.
fn read_frame(input: &mut impl io::Read, left_bytes: u64) -> io::Result<Option<SealedRecord>> {
    let mut length = [0; 4];
    let mut crc = [0; 4];
    let Some(body_bytes_max) = left_bytes.checked_sub(8) else { return Ok(None) };
    input.read_exact(&mut length)?;
    input.read_exact(&mut crc)?;
    let length = u32::from_le_bytes(length);
    let fits = usize::try_from(length)
        .is_ok_and(|length| (RECORD_BYTES_MIN..=RECORD_BYTES_MAX).contains(&length));
    if !fits || u64::from(length) > body_bytes_max {
        return Ok(None);
    }
    let mut body = Vec::new();
    input.take(u64::from(length)).read_to_end(&mut body)?;
    if crc32fast::hash(&body) != u32::from_le_bytes(crc) {
        return Ok(None);
    }
    Ok(SealedRecord::from_bytes(body))
}

fn frame(record: &SealedRecord) -> Vec<u8> {
    let body = record.bytes();
    // A record is at most 16 KiB long.
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [&length.to_le_bytes(), &crc32fast::hash(body).to_le_bytes(), body].concat()
}

fn header(id: JournalId) -> [u8; 32] {
    let mut bytes = [&MAGIC[..], &VERSION.to_le_bytes(), &id.0].concat();
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    let mut header = [0; 32];
    for (to, from) in header.iter_mut().zip(bytes) {
        *to = from;
    }
    header
}

fn header_id(bytes: &[u8; 32]) -> Option<JournalId> {
    let (before_id, rest) = bytes.split_first_chunk::<12>()?;
    let id = JournalId(*rest.first_chunk::<16>()?);
    (header(id) == *bytes && before_id.starts_with(&MAGIC)).then_some(id)
}

#[cfg(test)]
#[allow(
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    reason = "tests count in small numbers of their own"
)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;

    fn record(sequence: u64, filler_bytes: usize) -> SealedRecord {
        let mut bytes = sequence.to_le_bytes().to_vec();
        bytes.extend_from_slice(b"0a1b2c3d");
        bytes.resize(RECORD_BYTES_MIN + filler_bytes, 0x77);
        SealedRecord::from_bytes(bytes).unwrap()
    }

    fn open(path: &Path) -> Result<(Journal, u64), PseudonymError> {
        Journal::open(path, Arc::new(RealDisk))
    }

    /// A journal of four records and the place where each ends, the header first.
    fn written(path: &Path) -> Vec<u64> {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        Journal::create(path, &disk).unwrap();
        let (mut journal, torn_bytes) = open(path).unwrap();
        assert_eq!(torn_bytes, 0);
        let mut ends = vec![journal.end().bytes];
        for sequence in 1..=4 {
            journal.append(&record(sequence, sequence as usize)).unwrap();
            ends.push(journal.end().bytes);
        }
        ends
    }

    #[test]
    fn a_journal_cut_at_any_byte_keeps_all_records_before_the_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let ends = written(&path);
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let opened = open(&path);
            if cut < HEADER_BYTES as usize {
                assert!(matches!(opened, Err(PseudonymError::NotAJournal { .. })));
                continue;
            }
            let (mut journal, torn_bytes) = opened.unwrap();
            let kept = ends.iter().filter(|end| **end <= cut as u64).count() - 1;
            assert_eq!(journal.end().sequence, kept as u64);
            assert_eq!(torn_bytes, cut as u64 - ends[kept]);
            // And it goes on from there.
            journal.append(&record(kept as u64 + 1, 0)).unwrap();
            drop(journal);
            assert_eq!(open(&path).unwrap().0.end().sequence, kept as u64 + 1);
        }
    }

    #[test]
    fn a_tail_of_zeros_or_noise_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let ends = written(&path);
        let whole = std::fs::read(&path).unwrap();
        for tail in [vec![0; 300], vec![0xff; 300], b"1234567".to_vec()] {
            std::fs::write(&path, [&whole[..], &tail].concat()).unwrap();
            let (journal, torn_bytes) = open(&path).unwrap();
            assert_eq!((journal.end().sequence, torn_bytes), (4, tail.len() as u64));
            assert_eq!(std::fs::metadata(&path).unwrap().len(), ends[4]);
        }
    }

    #[test]
    fn damage_before_a_whole_record_is_an_error_that_names_the_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let ends = written(&path);
        let whole = std::fs::read(&path).unwrap();
        for at in HEADER_BYTES as usize..ends[3] as usize {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&path, &bytes).unwrap();
            let hit = ends.iter().filter(|end| **end <= at as u64).count() - 1;
            match open(&path) {
                Err(PseudonymError::JournalDamaged { offset_bytes, sequence, .. }) => {
                    assert_eq!((offset_bytes, sequence), (ends[hit], hit as u64), "byte {at}");
                }
                other => panic!("byte {at}: {other:?}"),
            }
            assert_eq!(std::fs::read(&path).unwrap(), bytes, "nothing is cut");
        }
    }

    #[test]
    fn a_long_tail_and_a_record_out_of_order_are_damage() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        written(&path);
        let whole = std::fs::read(&path).unwrap();
        let long_tail = vec![0; TORN_TAIL_BYTES_MAX as usize + 1];
        for tail in [long_tail, frame(&record(9, 0)), frame(&record(4, 0))] {
            std::fs::write(&path, [&whole[..], &tail].concat()).unwrap();
            assert!(matches!(open(&path), Err(PseudonymError::JournalDamaged { .. })));
        }
    }

    #[test]
    fn a_foreign_or_newer_file_is_not_taken_for_a_journal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let mut newer = header(JournalId([1; 16]));
        newer[8] = 2;
        for bytes in [&newer[..], &[0; 32], b"hello", b""] {
            std::fs::write(&path, bytes).unwrap();
            assert!(matches!(open(&path), Err(PseudonymError::NotAJournal { .. })));
        }
    }
}
