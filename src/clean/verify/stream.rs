//! The fragments of coded pixel data as one stream of bytes, frame by frame.

use std::io::{self, BufRead, BufReader, Read, SeekFrom};

use super::pixels::Fragments;
use crate::dicom::Extent;
use crate::dicom::write::ReadSeek;

/// Bytes read at a time. Default 64 KiB.
const BUFFER_BYTES: usize = 64 << 10;

/// Why a stream does not pass.
#[derive(Debug)]
pub(super) enum Fault {
    /// It holds what it should not, or cannot be followed.
    Broken(&'static str),
    /// It cannot be read.
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(fault: io::Error) -> Self {
        if fault.kind() == io::ErrorKind::UnexpectedEof {
            return Self::Broken("coded-stream-cut");
        }
        Self::Io(fault)
    }
}

/// Bytes of one fragment after the other.
pub(super) struct Stream<'a> {
    joined: BufReader<Joined<'a>>,
    /// Bytes that were gone over.
    taken: u64,
    /// Bytes after which each fragment ends.
    ends: Vec<u64>,
    /// First fragment of each frame.
    frames: Vec<usize>,
}

struct Joined<'a> {
    file: &'a mut dyn ReadSeek,
    fragments: std::slice::Iter<'a, Extent>,
    left: u64,
}

impl<'a> Stream<'a> {
    pub(super) fn new(file: &'a mut dyn ReadSeek, fragments: &'a Fragments) -> Self {
        let ends = fragments.iter().scan(0_u64, |end, fragment| {
            *end = end.saturating_add(fragment.bytes);
            Some(*end)
        });
        let ends = ends.collect();
        let joined = Joined { file, fragments: fragments.iter(), left: 0 };
        let joined = BufReader::with_capacity(BUFFER_BYTES, joined);
        Self { joined, taken: 0, ends, frames: Vec::new() }
    }

    /// Begins a frame, where a fragment begins; false at the end.
    pub(super) fn begin_frame(&mut self) -> bool {
        let fragment = self.ends.partition_point(|end| *end <= self.taken);
        if fragment == self.ends.len() {
            return false;
        }
        self.frames.push(fragment);
        true
    }

    /// Ends a frame: one byte of padding may follow in its fragment.
    pub(super) fn end_frame(&mut self) -> Result<(), Fault> {
        let end = self.ends.iter().find(|end| **end >= self.taken);
        let padding = match end.map_or(0, |end| end - self.taken) {
            0 => return Ok(()),
            1 => self.next()?,
            _more => None,
        };
        if padding == Some(0) { Ok(()) } else { Err(Fault::Broken("bytes-after-a-frame")) }
    }

    /// First fragment of each frame that was begun.
    pub(super) fn frames(&self) -> &[usize] {
        &self.frames
    }

    /// Bytes that were gone over.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Bytes up to the end of the fragment.
    pub(super) fn left_in_fragment(&self) -> u64 {
        self.ends.iter().find(|end| **end > self.taken).map_or(0, |end| end - self.taken)
    }

    fn consume(&mut self, bytes: usize) {
        self.joined.consume(bytes);
        self.taken += bytes as u64;
    }

    /// The next byte, `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<u8>> {
        let byte = self.joined.fill_buf()?.first().copied();
        self.consume(usize::from(byte.is_some()));
        Ok(byte)
    }

    /// The next byte, left where it is; `None` at the end.
    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.joined.fill_buf()?.first().copied())
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.joined.read_exact(&mut bytes)?;
        self.taken += N as u64;
        Ok(bytes)
    }

    /// The next bytes, at most 64 KiB: a marker segment's content.
    pub(super) fn segment(&mut self, bytes: u16) -> io::Result<Vec<u8>> {
        let mut segment = vec![0; usize::from(bytes)];
        self.joined.read_exact(&mut segment)?;
        self.taken += u64::from(bytes);
        Ok(segment)
    }

    /// The next bytes, as many as there are, up to `most`.
    pub(super) fn piece(&mut self, most: u64) -> io::Result<Vec<u8>> {
        let ready = self.joined.fill_buf()?;
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(ready.len());
        let piece = ready.get(..count).unwrap_or_default().to_vec();
        self.consume(count);
        Ok(piece)
    }

    /// Leaves out bytes.
    pub(super) fn skip(&mut self, mut bytes: u64) -> io::Result<()> {
        while bytes > 0 {
            let ready = self.joined.fill_buf()?.len();
            let step = usize::try_from(bytes).unwrap_or(usize::MAX).min(ready);
            if step == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.consume(step);
            bytes -= step as u64;
        }
        Ok(())
    }

    /// Goes on behind the next 0xFF, or over what is ready when there is none in
    /// it; says which. What was gone over is added to `passed`.
    pub(super) fn pass_marker_start(&mut self, passed: &mut Vec<u8>) -> io::Result<bool> {
        let ready = self.joined.fill_buf()?;
        if ready.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let found = ready.iter().position(|&byte| byte == 0xFF);
        let count = found.map_or(ready.len(), |at| at + 1);
        passed.extend_from_slice(ready.get(..count).unwrap_or_default());
        self.consume(count);
        Ok(found.is_some())
    }
}

impl Read for Joined<'_> {
    #[allow(clippy::disallowed_methods, reason = "this is the implementation of read")]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.left == 0 {
            let Some(fragment) = self.fragments.next() else { return Ok(0) };
            self.file.seek(SeekFrom::Start(fragment.offset))?;
            self.left = fragment.bytes;
        }
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read(buffer.get_mut(..wanted).unwrap_or_default())?;
        if count == 0 && wanted > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}
