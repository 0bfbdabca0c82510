//! The fragments of coded pixel data as one stream of bytes.

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
}

struct Joined<'a> {
    file: &'a mut dyn ReadSeek,
    fragments: std::slice::Iter<'a, Extent>,
    left: u64,
}

impl<'a> Stream<'a> {
    pub(super) fn new(file: &'a mut dyn ReadSeek, fragments: &'a Fragments) -> Self {
        let joined = Joined { file, fragments: fragments.iter(), left: 0 };
        Self { joined: BufReader::with_capacity(BUFFER_BYTES, joined) }
    }

    /// The next byte, `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<u8>> {
        let byte = self.joined.fill_buf()?.first().copied();
        self.joined.consume(usize::from(byte.is_some()));
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
        Ok(bytes)
    }

    /// The next bytes, at most 64 KiB: a marker segment's content.
    pub(super) fn segment(&mut self, bytes: u16) -> io::Result<Vec<u8>> {
        let mut segment = vec![0; usize::from(bytes)];
        self.joined.read_exact(&mut segment)?;
        Ok(segment)
    }

    /// Leaves out bytes.
    pub(super) fn skip(&mut self, mut bytes: u64) -> io::Result<()> {
        while bytes > 0 {
            let ready = self.joined.fill_buf()?.len();
            let step = usize::try_from(bytes).unwrap_or(usize::MAX).min(ready);
            if step == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.joined.consume(step);
            bytes -= step as u64;
        }
        Ok(())
    }

    /// Goes on behind the next 0xFF.
    pub(super) fn pass_marker_start(&mut self) -> io::Result<()> {
        loop {
            let ready = self.joined.fill_buf()?;
            if ready.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(at) = ready.iter().position(|&byte| byte == 0xFF) {
                self.joined.consume(at + 1);
                return Ok(());
            }
            let all = ready.len();
            self.joined.consume(all);
        }
    }

    /// Goes to the next picture: the first byte that is no padding, `None` at the end.
    pub(super) fn next_picture(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.next()? {
                Some(0) => {}
                other => return Ok(other),
            }
        }
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
