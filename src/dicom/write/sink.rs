//! The target of a file: buffers, counts and digests in one pass.

use std::cell::Cell;
use std::io::{self, BufWriter, Write};

use sha2::{Digest, Sha256};

/// Bytes gathered before they are digested and written. 64 KiB: elements are
/// short, calls are not free.
const BUFFER_BYTES: usize = 64 << 10;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the whole file.
    pub sha256: [u8; 32],
}

impl Written {
    /// The digest in lower-case hexadecimal.
    #[must_use]
    pub fn sha256_hex(&self) -> String {
        self.sha256.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A buffered, counting and digesting writer.
pub(super) struct Sink<'a, W: Write> {
    out: BufWriter<Digesting<'a, W>>,
    /// Bytes taken so far, for who shares it.
    taken: &'a Cell<u64>,
}

struct Digesting<'a, W> {
    out: &'a mut W,
    digest: Sha256,
    bytes: u64,
}

impl<'a, W: Write> Sink<'a, W> {
    pub(super) fn new(out: &'a mut W, taken: &'a Cell<u64>) -> Self {
        let digesting = Digesting { out, digest: Sha256::new(), bytes: 0 };
        Self { out: BufWriter::with_capacity(BUFFER_BYTES, digesting), taken }
    }

    /// Adds a NUL when the number of bytes so far is odd.
    pub(super) fn make_even(&mut self) -> io::Result<()> {
        self.out.flush()?;
        if self.out.get_ref().bytes % 2 == 1 { self.out.write_all(&[0]) } else { Ok(()) }
    }

    /// Flushes all to the target.
    pub(super) fn finish(mut self) -> io::Result<Written> {
        self.out.flush()?;
        let digesting = self.out.get_mut();
        let sha256 = digesting.digest.finalize_reset().into();
        Ok(Written { bytes: digesting.bytes, sha256 })
    }
}

impl<W: Write> Write for Sink<'_, W> {
    #[allow(clippy::disallowed_methods, reason = "this is the implementation of write")]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.taken.set(self.taken.get().saturating_add(count as u64));
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Write for Digesting<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write_all(bytes)?;
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
