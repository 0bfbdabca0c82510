//! A buffered source that knows its position and its end.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// Bytes read ahead. 16 KiB: the header of a usual object in one to three reads.
const BUFFER_BYTES: usize = 16 << 10;

/// A source from `position` to `end`.
#[derive(Debug)]
pub(super) struct Bytes<'a, R> {
    reader: BufReader<&'a mut R>,
    position: u64,
    end: u64,
}

impl<'a, R: Read + Seek> Bytes<'a, R> {
    /// Goes to `start`; the end is the end of the source.
    pub(super) fn new(source: &'a mut R, start: u64) -> io::Result<Self> {
        let end = source.seek(SeekFrom::End(0))?;
        let position = source.seek(SeekFrom::Start(start))?;
        Ok(Self { reader: BufReader::with_capacity(BUFFER_BYTES, source), position, end })
    }

    /// Offset of the next byte, from the start of the source.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Offset after the last byte.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Bytes before `bound`.
    pub(super) fn left(&self, bound: u64) -> u64 {
        bound.saturating_sub(self.position)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// The next `bytes.len()` bytes.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.reader.read_exact(bytes)?;
        self.position = self.position.saturating_add(length_of(bytes));
        Ok(())
    }

    /// Goes on to `position`.
    pub(super) fn skip_to(&mut self, position: u64) -> io::Result<()> {
        match position.checked_signed_diff(self.position) {
            // Keeps what is in the buffer where the target lies in it.
            Some(step) => self.reader.seek_relative(step)?,
            None => return Err(io::ErrorKind::InvalidInput.into()),
        }
        self.position = position;
        Ok(())
    }
}

/// A slice's length as a file length; `usize` is never wider than `u64` here.
pub(super) fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
