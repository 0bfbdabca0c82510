//! Reads ZIP archives (APPNOTE 6.3.10): file in, members one after the other.
//!
//! Invariant: memory does not grow with the archive, nothing is allocated by a
//! length that it states but for a name of at most 64 KiB, and nothing beyond
//! the limits is unpacked. Names are given as bytes and are nobody's paths. Of
//! an archive that lies about counts, sizes or places a member is refused, or
//! what is left of it.

#![warn(clippy::indexing_slicing, clippy::as_conversions, clippy::arithmetic_side_effects)]

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

use flate2::bufread::DeflateDecoder;

use crate::vault::Reader;

/// Bytes unpacked at a time.
const CHUNK_BYTES: usize = 128 << 10;
/// Most members of an archive. Default 100,000: a large study has 10,000.
const MEMBERS_MAX: u64 = 100_000;
/// Longest member. Default 8 GiB: twice the longest native pixel data.
const MEMBER_BYTES_MAX: u64 = 8 << 30;
/// Most bytes that each byte of an archive may become, over all members, and
/// what any archive may become. Default 200 and 1 GiB: pictures become 2 to 20
/// times as long, one black cine a thousand times; a bomb a million times.
const ARCHIVE_RATIO_MAX: u64 = 200;
const ARCHIVE_BYTES_FREE: u64 = 1 << 30;

const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const END_BYTES: usize = 22;
const END64_SIGNATURE: [u8; 4] = *b"PK\x06\x06";
const END64_BYTES: usize = 56;
const LOCATOR_SIGNATURE: [u8; 4] = *b"PK\x06\x07";
const LOCATOR_BYTES: usize = 20;
const MEMBER_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
const MEMBER_BYTES: usize = 46;
const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
const LOCAL_BYTES: usize = 30;
/// Longest comment behind the end record.
const COMMENT_BYTES_MAX: usize = 65_535;
/// Header id of the 64-bit sizes (APPNOTE 4.5.3).
const EXTRA64: u16 = 0x0001;
/// Value of a 32-bit field whose number stands in the 64-bit one.
const IN_EXTRA: u32 = u32::MAX;
/// Flag bits 0 and 6 (APPNOTE 4.4.4): encrypted, strongly encrypted.
const ENCRYPTED: u16 = 1 | 1 << 6;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// Why a member, or what is left of an archive, cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ZipError {
    /// Its structure contradicts itself or the file ends.
    #[error("archive is damaged: {0}")]
    Damaged(&'static str),
    /// Needs a password.
    #[error("member of an archive is encrypted")]
    Encrypted,
    /// Packed in a way that is not read; or a part of a set.
    #[error("archive cannot be read: {0}")]
    Unsupported(&'static str),
    /// Too many, too long, or too much out of too little.
    #[error("archive is over a limit: {0}")]
    OverLimit(&'static str),
    /// The archive cannot be read by the system.
    #[error("archive cannot be read: {0}")]
    Read(io::Error),
    /// The member cannot be put down: the disk is full, perhaps.
    #[error("member cannot be written: {0}")]
    Write(io::Error),
}

/// The file ends too early, or fails.
fn unread(error: io::Error) -> ZipError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return ZipError::Damaged("cut off");
    }
    ZipError::Read(error)
}

/// A member as the directory has it.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Its name, in whatever character set; never a path of ours.
    pub(super) name: Vec<u8>,
    flags: u16,
    method: u16,
    crc32: u32,
    packed_bytes: u64,
    bytes: u64,
    local_at: u64,
}

impl Member {
    /// It names a directory and holds nothing.
    pub(super) fn is_dir(&self) -> bool {
        self.name.ends_with(b"/") && self.bytes == 0
    }
}

/// Where the directory stands.
#[derive(Debug, Clone, Copy)]
struct Directory {
    /// Bytes that stand before the archive in its file.
    before: u64,
    start: u64,
    end: u64,
    members: u64,
    /// `members` counts only up to 65,535.
    short_count: bool,
}

/// An archive that is being gone through.
#[derive(Debug)]
pub(super) struct Archive {
    file: BufReader<Reader<File>>,
    directory: Directory,
    /// Next header in the directory; none after an error or the end.
    next_at: Option<u64>,
    seen: u64,
    /// Bytes that may still be unpacked.
    budget: u64,
}

impl Archive {
    /// Finds the directory.
    ///
    /// # Errors
    /// [`ZipError`]: nothing of the archive is looked at.
    pub(super) fn open(mut file: Reader<File>) -> Result<Self, ZipError> {
        let bytes = file.seek(SeekFrom::End(0)).map_err(ZipError::Read)?;
        let directory = directory(&mut file, bytes)?;
        let budget = bytes.saturating_mul(ARCHIVE_RATIO_MAX).saturating_add(ARCHIVE_BYTES_FREE);
        let next_at = Some(directory.start);
        Ok(Self { file: BufReader::new(file), directory, next_at, seen: 0, budget })
    }

    /// Members that the directory states; not to be believed.
    pub(super) fn stated_members(&self) -> u64 {
        self.directory.members.min(MEMBERS_MAX)
    }

    /// The next member. After an error there is none any more.
    pub(super) fn next_member(&mut self) -> Option<Result<Member, ZipError>> {
        let at = self.next_at.take()?;
        if at >= self.directory.end {
            let stated = self.directory.members;
            let counted = if self.directory.short_count { self.seen & 0xFFFF } else { self.seen };
            let same = counted == stated;
            return (!same).then_some(Err(ZipError::Damaged("number of members")));
        }
        if self.seen >= MEMBERS_MAX {
            return Some(Err(ZipError::OverLimit("number of members")));
        }
        self.seen = self.seen.saturating_add(1);
        Some(self.member_at(at))
    }

    fn member_at(&mut self, at: u64) -> Result<Member, ZipError> {
        self.file.seek(SeekFrom::Start(at)).map_err(ZipError::Read)?;
        let mut header = [0; MEMBER_BYTES];
        self.file.read_exact(&mut header).map_err(unread)?;
        if !header.starts_with(&MEMBER_SIGNATURE) {
            return Err(ZipError::Damaged("directory"));
        }
        let lengths = [u16_at(&header, 28), u16_at(&header, 30), u16_at(&header, 32)];
        let [name_bytes, extra_bytes, _comment_bytes] = lengths;
        let mut name = vec![0; usize::from(name_bytes)];
        self.file.read_exact(&mut name).map_err(unread)?;
        let mut extra = vec![0; usize::from(extra_bytes)];
        self.file.read_exact(&mut extra).map_err(unread)?;
        let mut wide = wide_numbers(&extra);
        let mut number = |at| match u32_at(&header, at) {
            IN_EXTRA => wide.next().ok_or(ZipError::Damaged("64-bit sizes")),
            narrow => Ok(u64::from(narrow)),
        };
        // In this order, whichever of them are there (APPNOTE 4.5.3).
        let (bytes, packed_bytes, local_at) = (number(24)?, number(20)?, number(42)?);
        let header_bytes: u64 = lengths.into_iter().map(u64::from).sum();
        let next_at = at.saturating_add(length(MEMBER_BYTES)).saturating_add(header_bytes);
        self.next_at = Some(next_at);
        Ok(Member {
            name,
            flags: u16_at(&header, 8),
            method: u16_at(&header, 10),
            crc32: u32_at(&header, 16),
            packed_bytes,
            bytes,
            local_at,
        })
    }

    /// Unpacks a member whole.
    ///
    /// # Errors
    /// [`ZipError`]: what `out` got is to be thrown away; other members may be well.
    pub(super) fn unpack(&mut self, member: &Member, out: &mut dyn Write) -> Result<(), ZipError> {
        if member.flags & ENCRYPTED != 0 {
            return Err(ZipError::Encrypted);
        }
        if member.bytes > MEMBER_BYTES_MAX {
            return Err(ZipError::OverLimit("length of a member"));
        }
        if member.bytes > self.budget {
            return Err(ZipError::OverLimit("bytes unpacked from one archive"));
        }
        self.go_to(member)?;
        let packed = self.file.by_ref().take(member.packed_bytes);
        let limits = (member.bytes, &mut self.budget);
        match member.method {
            STORED if member.packed_bytes != member.bytes => {
                Err(ZipError::Damaged("length of a member"))
            }
            STORED => copy(packed, member.crc32, limits, out),
            DEFLATED => copy(DeflateDecoder::new(packed), member.crc32, limits, out),
            _other => Err(ZipError::Unsupported("method of packing")),
        }
    }

    /// Goes to the first packed byte, which stands before the directory as the last one does.
    fn go_to(&mut self, member: &Member) -> Result<(), ZipError> {
        let outside = ZipError::Damaged("place of a member");
        let at = member.local_at.checked_add(self.directory.before);
        let at = at.filter(|at| *at < self.directory.start);
        let Some(at) = at else { return Err(outside) };
        self.file.seek(SeekFrom::Start(at)).map_err(ZipError::Read)?;
        let mut header = [0; LOCAL_BYTES];
        self.file.read_exact(&mut header).map_err(unread)?;
        if !header.starts_with(&LOCAL_SIGNATURE) {
            return Err(outside);
        }
        let before = [length(LOCAL_BYTES), u16_at(&header, 26).into(), u16_at(&header, 28).into()];
        let start = before.into_iter().fold(at, u64::saturating_add);
        if start.saturating_add(member.packed_bytes) > self.directory.start {
            return Err(outside);
        }
        self.file.seek(SeekFrom::Start(start)).map_err(ZipError::Read)?;
        Ok(())
    }
}

/// Copies exactly the bytes that were stated, checked by their CRC-32.
fn copy(
    mut source: impl Read,
    crc32: u32,
    (stated, budget): (u64, &mut u64),
    out: &mut dyn Write,
) -> Result<(), ZipError> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut left = stated;
    let mut hasher = crc32fast::Hasher::new();
    loop {
        let count = match source.read(&mut chunk) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // The inflater's word for bytes that are none of its own.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                return Err(ZipError::Damaged("packed bytes"));
            }
            Err(error) => return Err(unread(error)),
        };
        let Some(part) = chunk.get(..count).filter(|part| !part.is_empty()) else { break };
        left = left.checked_sub(length(count)).ok_or(ZipError::Damaged("length of a member"))?;
        *budget = budget.saturating_sub(length(count));
        hasher.update(part);
        out.write_all(part).map_err(ZipError::Write)?;
    }
    if left > 0 || hasher.finalize() != crc32 {
        return Err(ZipError::Damaged("length or checksum of a member"));
    }
    Ok(())
}

/// Finds the end record, which ends the file, and by it the directory.
fn directory(file: &mut Reader<File>, bytes: u64) -> Result<Directory, ZipError> {
    let tail_bytes = length(END_BYTES).saturating_add(length(COMMENT_BYTES_MAX)).min(bytes);
    let tail_at = bytes.saturating_sub(tail_bytes);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(tail_at)).map_err(ZipError::Read)?;
    file.take(tail_bytes).read_to_end(&mut tail).map_err(ZipError::Read)?;
    let ends_here = |at: &usize| {
        let record = tail.get(*at..).unwrap_or_default();
        let comment = usize::from(u16_at(record, 20));
        record.starts_with(&END_SIGNATURE) && END_BYTES.checked_add(comment) == Some(record.len())
    };
    let last = tail.len().saturating_sub(END_BYTES);
    let at = (0..=last).rev().find(ends_here).ok_or(ZipError::Damaged("no end record"))?;
    let record = tail.get(at..).unwrap_or_default();
    let record_at = tail_at.saturating_add(length(at));
    let [disk, first_disk] = [u16_at(record, 4), u16_at(record, 6)];
    let (members, size, offset) = (u16_at(record, 10), u32_at(record, 12), u32_at(record, 16));
    if let Some(wide) = end64(file, record_at)? {
        return Ok(wide);
    }
    if disk != 0 || first_disk != 0 {
        return Err(ZipError::Unsupported("part of a set"));
    }
    placed(record_at, u64::from(members), u64::from(size), u64::from(offset), true)
}

/// The 64-bit end record, when its locator stands before the other one.
fn end64(file: &mut Reader<File>, record_at: u64) -> Result<Option<Directory>, ZipError> {
    let Some(locator_at) = record_at.checked_sub(length(LOCATOR_BYTES)) else { return Ok(None) };
    let mut locator = [0; LOCATOR_BYTES];
    file.seek(SeekFrom::Start(locator_at)).map_err(ZipError::Read)?;
    file.read_exact(&mut locator).map_err(unread)?;
    if !locator.starts_with(&LOCATOR_SIGNATURE) {
        return Ok(None);
    }
    // It stands before its locator; where it says itself to stand counts from
    // the archive's beginning, which need not be the file's.
    let at = locator_at.checked_sub(length(END64_BYTES)).ok_or(ZipError::Damaged("end record"))?;
    let mut record = [0; END64_BYTES];
    file.seek(SeekFrom::Start(at)).map_err(ZipError::Read)?;
    file.read_exact(&mut record).map_err(unread)?;
    if !record.starts_with(&END64_SIGNATURE) {
        return Err(ZipError::Damaged("end record"));
    }
    let (members, size, offset) = (u64_at(&record, 32), u64_at(&record, 40), u64_at(&record, 48));
    placed(at, members, size, offset, false).map(Some)
}

/// The directory ends where the end record begins; what stands before the
/// archive in its file moves all its places.
fn placed(
    end: u64,
    members: u64,
    size: u64,
    offset: u64,
    short_count: bool,
) -> Result<Directory, ZipError> {
    let outside = || ZipError::Damaged("place of the directory");
    let start = end.checked_sub(size).ok_or_else(outside)?;
    let before = start.checked_sub(offset).ok_or_else(outside)?;
    Ok(Directory { before, start, end, members, short_count })
}

/// The numbers of the 64-bit extra field.
fn wide_numbers(mut extra: &[u8]) -> impl Iterator<Item = u64> {
    let mut found: &[u8] = &[];
    while let Some((head, rest)) = extra.split_first_chunk::<4>() {
        let (id, bytes) = (u16_at(head, 0), usize::from(u16_at(head, 2)));
        let Some((field, after)) = rest.split_at_checked(bytes) else { break };
        if id == EXTRA64 {
            found = field;
            break;
        }
        extra = after;
    }
    let numbers: Vec<u64> =
        found.as_chunks::<8>().0.iter().map(|eight| u64::from_le_bytes(*eight)).collect();
    numbers.into_iter()
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk().copied()).unwrap_or([0; N])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

/// A length in memory as one in a file.
fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
