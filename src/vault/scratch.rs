//! A file for one process and one instance, whose blocks may reach the disk
//! though it has no name: ChaCha20 under a key that is drawn and never written.
//!
//! Nobody but its maker reads it, so that nothing is authenticated. What is
//! written twice to one place is hidden from whoever sees the disk once, not
//! from who compares two images of it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit as _, StreamCipher as _, StreamCipherSeek as _};
use zeroize::Zeroizing;

use super::{KEY_BYTES, Vault, drawn};

/// Bytes that are turned at once. 64 KiB: as a segment.
const CHUNK_BYTES: usize = 64 << 10;

/// Read, written and sought in as any file.
pub struct ScratchFile {
    file: File,
    cipher: Option<ChaCha20>,
    chunk: Vec<u8>,
}

impl std::fmt::Debug for ScratchFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScratchFile").finish_non_exhaustive()
    }
}

impl ScratchFile {
    /// Over an empty file; plain where `vault` seals nothing.
    ///
    /// # Errors
    /// No randomness from the system.
    pub fn new(file: File, vault: &Vault) -> io::Result<Self> {
        if !vault.seals() {
            return Ok(Self { file, cipher: None, chunk: Vec::new() });
        }
        let key = Zeroizing::new(drawn::<KEY_BYTES>()?);
        let cipher = ChaCha20::new(&(*key).into(), &[0; 12].into());
        Ok(Self { file, cipher: Some(cipher), chunk: Vec::new() })
    }
}

/// Past 256 GiB the cipher's counter ends.
fn too_long(_: chacha20::cipher::StreamCipherError) -> io::Error {
    io::ErrorKind::FileTooLarge.into()
}

impl Read for ScratchFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(cipher) = &mut self.cipher else { return self.file.read(buffer) };
        let at = self.file.stream_position()?;
        let count = self.file.read(buffer)?;
        cipher.try_seek(at).map_err(too_long)?;
        let bytes = buffer.get_mut(..count).unwrap_or_default();
        cipher.try_apply_keystream(bytes).map_err(too_long)?;
        Ok(count)
    }
}

impl Write for ScratchFile {
    #[allow(clippy::disallowed_methods, reason = "this is the implementation of write")]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(cipher) = &mut self.cipher else { return self.file.write(bytes) };
        let now = bytes.get(..bytes.len().min(CHUNK_BYTES)).unwrap_or_default();
        let at = self.file.stream_position()?;
        self.chunk.clear();
        self.chunk.extend_from_slice(now);
        cipher.try_seek(at).map_err(too_long)?;
        cipher.try_apply_keystream(&mut self.chunk).map_err(too_long)?;
        self.file.write_all(&self.chunk)?;
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for ScratchFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
