//! The truth about pseudonyms: an append-only file of sealed records.
//!
//! ```text
//! header  "AIRLPSJ\n"  version u32 LE  journal id 16 bytes  CRC-32 u32 LE
//! frames  of one record or of a group of records, see [`super::frame`]
//! ```
//! Invariant: [`Journal::append`] returns only after its one frame is synced,
//! and nothing is written meanwhile, so that after a crash at most the last
//! frame is torn. A torn tail is cut and reported; damage before a whole frame
//! is an error that names the place, never skipped.
#![warn(clippy::indexing_slicing, clippy::as_conversions, clippy::arithmetic_side_effects)]

use std::collections::VecDeque;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::error::PseudonymError;
use super::frame::{FRAME_BYTES_MAX, FRAME_HEADER_BYTES, frame, read_frame};
use super::record::{JournalId, SealedRecord};
use crate::disk::{Disk, DiskFile, FailedSync, replace_synced};

const MAGIC: [u8; 8] = *b"AIRLPSJ\n";
const VERSION: u32 = 1;
pub(super) const HEADER_BYTES: u64 = 32;
const _: () = assert!(FRAME_HEADER_BYTES == 8);

/// An open journal: the one writer.
#[derive(Debug)]
pub(super) struct Journal {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Writer,
    id: JournalId,
    end: Position,
    failed: FailedSync,
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

    /// Number and chain once `record` is appended; the bytes are those of its frame.
    pub(super) fn chained(self, record: &SealedRecord) -> Self {
        let chain = Sha256::new().chain_update(self.chain).chain_update(record.bytes());
        Self { sequence: record.sequence(), bytes: self.bytes, chain: chain.finalize().into() }
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
        Ok((
            Self { disk, path, file: Writer(file), id, end, failed: FailedSync::default() },
            torn_bytes,
        ))
    }

    pub(super) fn id(&self) -> JournalId {
        self.id
    }

    /// Seen by whoever asks whether new persons can still be taken.
    pub(super) fn failed(&self) -> FailedSync {
        self.failed.clone()
    }

    pub(super) fn end(&self) -> Position {
        self.end
    }

    /// Appends records, which carry the next numbers, by one write and one sync.
    ///
    /// After a failed write the file is cut back and the next records may be
    /// tried: a full disk heals. After a failed sync nothing more is taken,
    /// since a second sync may falsely succeed.
    pub(super) fn append(&mut self, records: &[SealedRecord]) -> Result<(), PseudonymError> {
        if self.failed.is_set() || !follow(self.end.sequence, records) {
            return Err(PseudonymError::Failed);
        }
        let Some(bytes) = frame(records) else { return Err(PseudonymError::Failed) };
        if let Err(source) = self.write(&bytes) {
            // What cannot be cut back now is cut at the next start.
            if self.file.0.set_byte_len(self.end.bytes).is_err() {
                self.failed.set();
            }
            return Err(PseudonymError::Io { step: "append to", path: self.path.clone(), source });
        }
        if let Err(source) = self.file.0.sync_data() {
            self.failed.set();
            return Err(PseudonymError::Io { step: "sync", path: self.path.clone(), source });
        }
        let frame_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.end = records.iter().fold(self.end, Position::chained);
        self.end.bytes = self.end.bytes.saturating_add(frame_bytes);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.0.seek(SeekFrom::Start(self.end.bytes))?;
        self.file.0.write_all(bytes)
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
    /// Records of the frame that was read last.
    pending: VecDeque<SealedRecord>,
    /// Where it stands: the last record given, and the end of its frame.
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
        let (path, pending, position) = (path.to_owned(), VecDeque::new(), Position::start(id));
        Ok(Self { path, input, end_bytes, pending, position })
    }

    /// The next record; nothing at the end and at anything that is no record.
    fn step(&mut self) -> Result<Option<SealedRecord>, PseudonymError> {
        if self.pending.is_empty() {
            let left_bytes = self.end_bytes.saturating_sub(self.position.bytes);
            let frame = read_frame(&mut self.input.0, left_bytes)
                .map_err(PseudonymError::io("read", &self.path))?;
            let sequence = self.position.sequence;
            let Some(frame) = frame.filter(|frame| follow(sequence, &frame.records)) else {
                return Ok(None);
            };
            self.position.bytes = self.position.bytes.saturating_add(frame.bytes);
            self.pending = frame.records;
        }
        let record = self.pending.pop_front();
        if let Some(record) = &record {
            self.position = self.position.chained(record);
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

/// Whether the records carry the numbers after `sequence`.
fn follow<'a>(sequence: u64, records: impl IntoIterator<Item = &'a SealedRecord>) -> bool {
    let mut next = sequence.checked_add(1);
    records.into_iter().all(|record| {
        let follows = next == Some(record.sequence());
        next = record.sequence().checked_add(1);
        follows
    })
}

fn damaged(path: &Path, last_sound: Position) -> PseudonymError {
    PseudonymError::JournalDamaged {
        path: path.to_owned(),
        offset_bytes: last_sound.bytes,
        sequence: last_sound.sequence,
    }
}

/// Tells a torn tail, which is shorter than a frame and holds none, from
/// damage, which stands before whole frames or is longer.
fn refuse_damage(
    file: &mut Box<dyn DiskFile>,
    path: &Path,
    end: Position,
    torn_bytes: u64,
) -> Result<(), PseudonymError> {
    if torn_bytes > FRAME_BYTES_MAX {
        return Err(damaged(path, end));
    }
    let mut tail = Vec::new();
    let io = PseudonymError::io("read", path);
    file.seek(SeekFrom::Start(end.bytes)).map_err(&io)?;
    file.take(FRAME_BYTES_MAX).read_to_end(&mut tail).map_err(&io)?;
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
    use crate::pseudonym::record::RECORD_BYTES_MIN;

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
            journal.append(&[record(sequence, sequence as usize)]).unwrap();
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
            journal.append(&[record(kept as u64 + 1, 0)]).unwrap();
            drop(journal);
            assert_eq!(open(&path).unwrap().0.end().sequence, kept as u64 + 1);
        }
    }

    /// Goal: a torn group is cut as a whole, also where later blocks of it
    /// reached the disk and earlier ones did not; damage to a group before
    /// others is told. Method: every cut, a hole at every place, every bit.
    #[test]
    fn a_group_is_whole_or_gone_and_damage_before_it_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        Journal::create(&path, &disk).unwrap();
        let (mut journal, _torn) = open(&path).unwrap();
        let mut ends = Vec::new();
        for group in [1..=1, 2..=4, 5..=9] {
            let records: Vec<_> = group.map(|sequence| record(sequence, 3)).collect();
            journal.append(&records).unwrap();
            ends.push(journal.end());
        }
        let whole = std::fs::read(&path).unwrap();
        let [_, second, third] = ends[..] else { panic!() };
        let (from, to) = (second.bytes as usize, third.bytes as usize);
        for at in from..to {
            let mut holed = whole.clone();
            holed[at] ^= 0xff;
            for bytes in [&whole[..at], &holed] {
                std::fs::write(&path, bytes).unwrap();
                let (mut journal, torn_bytes) = open(&path).unwrap();
                assert_eq!(journal.end(), second, "byte {at}");
                assert_eq!(torn_bytes, bytes.len() as u64 - second.bytes);
                journal.append(&[record(5, 0), record(6, 0)]).unwrap();
                drop(journal);
                assert_eq!(open(&path).unwrap().0.end().sequence, 6);
            }
        }
        for at in ends[0].bytes as usize..from {
            let mut holed = whole.clone();
            holed[at] ^= 0x10;
            std::fs::write(&path, &holed).unwrap();
            let refused = open(&path).unwrap_err();
            assert!(matches!(refused, PseudonymError::JournalDamaged { sequence: 1, .. }));
        }
        std::fs::write(&path, &whole).unwrap();
        let mut reader = open(&path).unwrap().0.reader().unwrap();
        let mut sequences = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            sequences.push(record.sequence());
        }
        assert_eq!(sequences, (1..=9).collect::<Vec<_>>());
        assert_eq!(reader.position, third);
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
        let long_tail = vec![0; FRAME_BYTES_MAX as usize + 1];
        for tail in [long_tail, frame(&[record(9, 0)]).unwrap(), frame(&[record(4, 0)]).unwrap()] {
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
