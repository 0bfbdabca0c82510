//! A clean object in parts: the bytes that the cleaner wrote, and stretches of
//! the received file that go as they are (docs/decisions/0016).
//!
//! Invariant: [`Assembled`] shows the second door byte for byte what
//! [`super::Cleaned::admit_copying`] puts together; digests of the written
//! bytes and of the rest of the received file and a checksum of the stretches
//! say that it was the same.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::dicom::write::{Left, ReadSeek};
use crate::vault::{Reader, Stored};

/// Shortest stretch that is left where it lies. Default 64 KiB: what costs less
/// to copy than to keep account of is copied.
pub(super) const STRETCH_BYTES_MIN: u64 = 64 << 10;
/// Most stretches of an object. Default 16,384: 1 GiB in the shortest ones.
const STRETCHES_MAX: usize = 16_384;
/// Most written bytes that the second door holds in memory. Default 1 MiB:
/// hundreds of headers; more is read from its file.
const HELD_BYTES_MAX: u64 = 1 << 20;
/// Bytes looked at at once. 128 KiB: still in the cache when they are digested.
pub(super) const CHUNK_BYTES: usize = 128 << 10;

/// A stretch of the received file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Written bytes that stand before it.
    pub at: u64,
    /// First byte, from the start of the received file.
    pub offset: u64,
    /// Number of bytes.
    pub bytes: u64,
}

/// What a clean object consists of, beside the file that the cleaner wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// Stretches in the order of both files, at least one.
    pub stretches: Vec<Stretch>,
    /// Hex SHA-256 of the written bytes.
    pub written_digest: String,
    /// Hex SHA-256 of the received file without the stretches.
    pub rest_digest: String,
}

/// Stretches of what was left where it lies; `None` where that would be too
/// many, or not in the order of the received file: the object is then written whole.
pub(super) fn stretches(left: &[Left]) -> Option<Vec<Stretch>> {
    let stretch =
        |left: &Left| Stretch { at: left.at, offset: left.extent.offset, bytes: left.extent.bytes };
    let stretches: Vec<Stretch> = left.iter().map(stretch).collect();
    let in_order = stretches.is_sorted_by(|one, next| one.end() <= next.offset);
    (in_order && stretches.len() <= STRETCHES_MAX).then_some(stretches)
}

impl Stretch {
    fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes)
    }
}

/// Hex SHA-256 of a file without the stretches; of none: of the whole file.
pub(super) fn digest_without(
    file: &mut impl ReadSeek,
    stretches: &[Stretch],
) -> io::Result<String> {
    let (mut digest, mut chunk, mut at) = (Sha256::new(), Vec::new(), 0_u64);
    let whole = Stretch { at: 0, offset: u64::MAX, bytes: 0 };
    for stretch in stretches.iter().chain([&whole]) {
        file.seek(SeekFrom::Start(at))?;
        let mut left = stretch.offset.saturating_sub(at);
        while left > 0 {
            chunk.resize(usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK_BYTES), 0);
            let count = file.read(&mut chunk)?;
            if count == 0 {
                break;
            }
            digest.update(chunk.get(..count).unwrap_or_default());
            left = left.saturating_sub(count as u64);
        }
        at = stretch.end();
    }
    Ok(super::hex(&digest.finalize()))
}

/// Where a run of the object's bytes lies.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// First byte in the object.
    start: u64,
    bytes: u64,
    /// First byte in its file.
    offset: u64,
    /// Bytes of earlier stretches; `None` for written bytes.
    stretched: Option<u64>,
}

/// What the cleaner wrote.
#[derive(Debug)]
enum Wrote {
    Held(Vec<u8>),
    Lies(Reader<File>),
}

/// The clean object before anybody put it together.
#[derive(Debug)]
pub(super) struct Assembled {
    written: Wrote,
    received: Reader<File>,
    runs: Vec<Run>,
    bytes: u64,
    position: u64,
    /// Over the stretches' bytes, as far as they were read one after the other.
    sum: crc32fast::Hasher,
    summed: u64,
}

impl Assembled {
    /// Opens the parts. Written bytes are held where they are few, and compared
    /// with their digest then: nobody changes them any more.
    ///
    /// # Errors
    /// A file's; `InvalidData` when the written bytes are not those of the digest.
    pub(super) fn open(written: &Stored, received: &Stored, parts: &Parts) -> io::Result<Self> {
        let mut file = written.open()?;
        let written_bytes = file.byte_len();
        let digest;
        let written = if written_bytes <= HELD_BYTES_MAX {
            let mut held = Vec::new();
            (&mut file).take(HELD_BYTES_MAX).read_to_end(&mut held)?;
            digest = super::hex(&Sha256::digest(&held));
            Wrote::Held(held)
        } else {
            digest = digest_without(&mut file, &[])?;
            Wrote::Lies(file)
        };
        if digest != parts.written_digest {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "written bytes changed"));
        }
        let runs = runs(&parts.stretches, written_bytes);
        let bytes = runs.iter().map(|run| run.bytes).sum();
        Ok(Self {
            written,
            received: received.open()?,
            runs,
            bytes,
            position: 0,
            sum: crc32fast::Hasher::new(),
            summed: 0,
        })
    }

    /// CRC-32 of the stretches' bytes, one after the other. What was not read
    /// yet in that order is read here.
    ///
    /// # Errors
    /// The received file's.
    pub(super) fn checksum(&mut self) -> io::Result<u32> {
        let mut chunk = vec![0; CHUNK_BYTES];
        for at in 0..self.runs.len() {
            let Some(run) = self.runs.get(at).copied() else { break };
            let Some(before) = run.stretched else { continue };
            loop {
                let done = self.summed.saturating_sub(before);
                self.position = run.start.saturating_add(done);
                if done >= run.bytes || self.read(&mut chunk)? == 0 {
                    break;
                }
            }
        }
        Ok(self.sum.clone().finalize())
    }

    fn run(&self) -> Option<Run> {
        let after = self.runs.partition_point(|run| run.start <= self.position);
        let run = self.runs.get(after.checked_sub(1)?)?;
        (self.position < run.start.saturating_add(run.bytes)).then_some(*run)
    }

    /// Takes bytes of stretches that follow those that were taken.
    fn add(&mut self, at: u64, bytes: &[u8]) {
        let known = self.summed.checked_sub(at).and_then(|known| usize::try_from(known).ok());
        if let Some(fresh) = known.and_then(|known| bytes.get(known..)) {
            self.sum.update(fresh);
            self.summed = self.summed.saturating_add(fresh.len() as u64);
        }
    }
}

/// The object's bytes in order; empty runs are left out.
fn runs(stretches: &[Stretch], written_bytes: u64) -> Vec<Run> {
    let (mut runs, mut start, mut at, mut before) = (Vec::new(), 0_u64, 0_u64, 0_u64);
    let mut push = |bytes: u64, offset, stretched| {
        if bytes > 0 {
            runs.push(Run { start, bytes, offset, stretched });
            start = start.saturating_add(bytes);
        }
    };
    for stretch in stretches {
        push(stretch.at.saturating_sub(at), at, None);
        push(stretch.bytes, stretch.offset, Some(before));
        at = stretch.at;
        before = before.saturating_add(stretch.bytes);
    }
    push(written_bytes.saturating_sub(at), at, None);
    runs
}

impl Read for Assembled {
    #[allow(clippy::disallowed_methods, reason = "this is the implementation of read")]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(run) = self.run() else { return Ok(0) };
        let within = self.position.saturating_sub(run.start);
        let left = usize::try_from(run.bytes.saturating_sub(within)).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let Some(buffer) = buffer.get_mut(..wanted) else { return Ok(0) };
        let offset = run.offset.saturating_add(within);
        let count = match (&mut self.written, run.stretched) {
            (_, Some(_)) => self.received.read_at(buffer, offset)?,
            (Wrote::Lies(file), None) => file.read_at(buffer, offset)?,
            (Wrote::Held(held), None) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                held.get(from..).unwrap_or_default().read(buffer)?
            }
        };
        if let Some(before) = run.stretched {
            self.add(before.saturating_add(within), buffer.get(..count).unwrap_or_default());
        }
        self.position = self.position.saturating_add(count as u64);
        Ok(count)
    }
}

impl Seek for Assembled {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(by) => self.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
