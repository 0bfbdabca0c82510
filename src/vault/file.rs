//! A sealed file, segment by segment.
//!
//! ```text
//! magic       8 bytes   with the format's version
//! key id      8 bytes   hexadecimal digits, of the master key
//! salt        32 bytes  drawn for this file
//! segments    of 64 KiB of plain bytes, the last one of 0 to 64 KiB;
//!             each ChaCha20-Poly1305 (RFC 8439) with its 16-byte tag
//! ```
//! File key = HKDF-SHA-256 over salt, instance and kind. Nonce = three zeros,
//! 1 for the last segment and 0 for others, the segment's number (64 bits, big
//! endian); associated data = the head. This is the STREAM construction: a
//! segment that is changed, moved, missing or another file's is noticed when it
//! is read, a cut end when the file is opened.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt as _;

use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit as _, Nonce};
use zeroize::Zeroize as _;

use super::{KEY_ID_BYTES, SALT_BYTES, Seal, Vault, VaultError, derived, drawn};

/// How a sealed file begins; the last byte but two is the version. No plain file
/// of ours begins so: objects with 128 zeros, the others with `{`.
pub(super) const MAGIC: [u8; 8] = *b"\x89ALKV1\r\n";
pub(super) const HEAD_BYTES: usize = MAGIC.len() + KEY_ID_BYTES + SALT_BYTES;
/// Plain bytes of a segment. 64 KiB: a header is one, and a seek costs no more
/// than one.
pub(super) const SEGMENT_BYTES: usize = 64 << 10;
const TAG_BYTES: usize = 16;

/// The same as numbers of a file's length.
const HEAD: u64 = 48;
const SEGMENT: u64 = 64 << 10;
const TAG: u64 = 16;
const SEALED_SEGMENT: u64 = SEGMENT + TAG;

/// Whether a file that begins so is sealed.
#[must_use]
pub fn is_sealed(head: &[u8]) -> bool {
    head.starts_with(&MAGIC)
}

/// The cipher of one file.
struct Cipher {
    cipher: ChaCha20Poly1305,
    head: [u8; HEAD_BYTES],
}

impl Cipher {
    /// For a new file.
    fn new(vault: &Vault, seal: &Seal) -> Result<Self, VaultError> {
        let key = vault.current()?;
        let mut head = [0; HEAD_BYTES];
        let salt = drawn::<SALT_BYTES>()?;
        let parts = MAGIC.iter().chain(key.id.as_bytes()).chain(&salt);
        head.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        Self::of(vault, seal, head)
    }

    /// For a file that begins so.
    fn of(vault: &Vault, seal: &Seal, head: [u8; HEAD_BYTES]) -> Result<Self, VaultError> {
        let (id, salt) = head
            .get(MAGIC.len()..)
            .and_then(|rest| rest.split_at_checked(KEY_ID_BYTES))
            .ok_or(VaultError::Damaged)?;
        let key = derived(vault.of_id(id)?, salt, seal);
        Ok(Self { cipher: ChaCha20Poly1305::new(&Key::from(*key)), head })
    }

    fn seal(&self, number: u64, is_last: bool, segment: &mut Vec<u8>) -> Result<(), VaultError> {
        let sealed = self.cipher.encrypt_in_place(&nonce(number, is_last), &self.head, segment);
        sealed.map_err(|_too_long| VaultError::Damaged)
    }

    fn open(&self, number: u64, is_last: bool, segment: &mut Vec<u8>) -> Result<(), VaultError> {
        let opened = self.cipher.decrypt_in_place(&nonce(number, is_last), &self.head, segment);
        opened.map_err(|_not_ours| VaultError::Damaged)
    }
}

fn nonce(number: u64, is_last: bool) -> Nonce {
    let mut nonce = [0; 12];
    let tail = std::iter::once(u8::from(is_last)).chain(number.to_be_bytes());
    nonce.iter_mut().skip(3).zip(tail).for_each(|(to, from)| *to = from);
    Nonce::from(nonce)
}

/// Seals what is written, or passes it on where nothing is sealed. Only
/// [`Writer::finish`] makes it a file.
pub struct Writer<W> {
    out: W,
    sealing: Option<Sealing>,
    bytes: u64,
}

struct Sealing {
    cipher: Cipher,
    /// Plain bytes of the segment that is not full, or not followed yet.
    segment: Vec<u8>,
    number: u64,
}

impl<W: Write> Writer<W> {
    /// Passes bytes on.
    pub fn plain(out: W) -> Self {
        Self { out, sealing: None, bytes: 0 }
    }

    /// Seals them. Nothing is written before there is a segment.
    ///
    /// # Errors
    /// [`VaultError`]: no key, no randomness.
    pub fn sealed(out: W, vault: &Vault, seal: &Seal) -> Result<Self, VaultError> {
        let segment = Vec::with_capacity(SEGMENT_BYTES.saturating_add(TAG_BYTES));
        let sealing = Sealing { cipher: Cipher::new(vault, seal)?, segment, number: 0 };
        Ok(Self { out, sealing: Some(sealing), bytes: 0 })
    }

    /// Writes what is left, as the last. Gives the length of the file.
    ///
    /// # Errors
    /// The file's.
    pub fn finish(&mut self) -> io::Result<u64> {
        if let Some(sealing) = &mut self.sealing {
            self.bytes = self.bytes.saturating_add(sealing.put(true, &mut self.out)?);
        }
        self.out.flush()?;
        Ok(self.bytes)
    }

    /// What it is written to.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }
}

impl Sealing {
    fn put(&mut self, is_last: bool, out: &mut impl Write) -> io::Result<u64> {
        let mut bytes = 0;
        if self.number == 0 {
            out.write_all(&self.cipher.head)?;
            bytes = HEAD;
        }
        self.cipher.seal(self.number, is_last, &mut self.segment)?;
        out.write_all(&self.segment)?;
        let count = u64::try_from(self.segment.len()).unwrap_or(u64::MAX);
        self.segment.clear();
        self.number = self.number.saturating_add(1);
        Ok(count.saturating_add(bytes))
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(sealing) = &mut self.sealing else {
            self.out.write_all(bytes)?;
            self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            return Ok(bytes.len());
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            // A full one waits: it may be the last.
            if sealing.segment.len() >= SEGMENT_BYTES {
                self.bytes = self.bytes.saturating_add(sealing.put(false, &mut self.out)?);
            }
            let room = SEGMENT_BYTES.saturating_sub(sealing.segment.len()).min(rest.len());
            let (now, later) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            sealing.segment.extend_from_slice(now);
            rest = later;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Sealing {
    fn drop(&mut self) {
        self.segment.zeroize();
    }
}

/// Plain bytes of a file, sealed or not.
pub struct Reader<F> {
    file: F,
    opening: Option<Opening>,
    bytes: u64,
}

struct Opening {
    cipher: Cipher,
    position: u64,
    bytes: u64,
    /// Number and plain bytes of the segment that was read last.
    segment: Option<u64>,
    plain: Vec<u8>,
}

impl<F> std::fmt::Debug for Reader<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_sealed = self.opening.is_some();
        f.debug_struct("Reader").field("sealed", &is_sealed).finish_non_exhaustive()
    }
}

impl<F: Read + Seek> Reader<F> {
    /// A file that is read as it is, from where it stands.
    ///
    /// # Errors
    /// The file's.
    pub fn plain(mut file: F) -> io::Result<Self> {
        let at = file.stream_position()?;
        let bytes = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(at))?;
        Ok(Self { file, opening: None, bytes })
    }

    /// A file of ours. Its end is looked at, so that its length is certain.
    ///
    /// # Errors
    /// The file's; a [`VaultError`] in an error of the system.
    pub fn open(mut file: F, vault: &Vault, seal: &Seal) -> io::Result<Self> {
        let whole = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        let mut head = [0; HEAD_BYTES];
        let read = read_up_to(&mut file, &mut head)?;
        if !is_sealed(&head) {
            if seal.required {
                return Err(VaultError::Plain.into());
            }
            file.rewind()?;
            return Ok(Self { file, opening: None, bytes: whole });
        }
        let body = whole.checked_sub(HEAD).filter(|_| read == HEAD_BYTES);
        let bytes = body.and_then(plain_bytes).ok_or(VaultError::Damaged)?;
        let cipher = Cipher::of(vault, seal, head)?;
        let opening = Opening { cipher, position: 0, bytes, segment: None, plain: Vec::new() };
        let mut reader = Self { file, opening: Some(opening), bytes };
        if let Some(opening) = &mut reader.opening {
            opening.load(last_segment(bytes), &mut reader.file)?;
        }
        Ok(reader)
    }

    /// The file itself, where it is plain.
    ///
    /// # Errors
    /// This reader, where it is sealed.
    pub fn into_plain(self) -> Result<F, Box<Self>> {
        if self.is_sealed() { Err(Box::new(self)) } else { Ok(self.file) }
    }

    /// Whether it is sealed.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.opening.is_some()
    }

    /// Length in plain bytes.
    #[must_use]
    pub fn byte_len(&self) -> u64 {
        self.bytes
    }
}

impl Reader<File> {
    /// Bytes from `offset` on; the position does not change.
    ///
    /// # Errors
    /// The file's.
    pub fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match &mut self.opening {
            None => self.file.read_at(buffer, offset),
            Some(opening) => opening.read_at(buffer, offset, &mut self.file),
        }
    }
}

impl Opening {
    /// Opens a segment, unless it is the one that is open.
    fn load(&mut self, number: u64, file: &mut (impl Read + Seek)) -> io::Result<()> {
        if self.segment == Some(number) {
            return Ok(());
        }
        self.segment = None;
        let start = number.saturating_mul(SEGMENT);
        let plain = self.bytes.saturating_sub(start).min(SEGMENT);
        let is_last = number == last_segment(self.bytes);
        let sealed = usize::try_from(plain.saturating_add(TAG)).unwrap_or(usize::MAX);
        // At most a segment and its tag.
        self.plain.resize(sealed, 0);
        file.seek(SeekFrom::Start(HEAD.saturating_add(number.saturating_mul(SEALED_SEGMENT))))?;
        if read_up_to(file, &mut self.plain)? != sealed {
            return Err(VaultError::Damaged.into());
        }
        self.cipher.open(number, is_last, &mut self.plain)?;
        self.segment = Some(number);
        Ok(())
    }

    fn read_at(
        &mut self,
        buffer: &mut [u8],
        offset: u64,
        file: &mut (impl Read + Seek),
    ) -> io::Result<usize> {
        if offset >= self.bytes || buffer.is_empty() {
            return Ok(0);
        }
        let number = offset.checked_div(SEGMENT).unwrap_or(0);
        self.load(number, file)?;
        let within = offset.saturating_sub(number.saturating_mul(SEGMENT));
        let within = usize::try_from(within).unwrap_or(usize::MAX);
        let there = self.plain.get(within..).unwrap_or_default();
        let count = there.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), there.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.plain.zeroize();
    }
}

impl<F: Read + Seek> Read for Reader<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(opening) = &mut self.opening else { return self.file.read(buffer) };
        let count = opening.read_at(buffer, opening.position, &mut self.file)?;
        let moved = u64::try_from(count).unwrap_or(u64::MAX);
        opening.position = opening.position.saturating_add(moved);
        Ok(count)
    }
}

impl<F: Read + Seek> Seek for Reader<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let Some(opening) = &mut self.opening else { return self.file.seek(to) };
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(by) => opening.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => opening.position.checked_add_signed(by),
        };
        opening.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(opening.position)
    }
}

/// Plain bytes of a body of this length; no such file is written: `None`.
fn plain_bytes(body: u64) -> Option<u64> {
    let segments = body.div_ceil(SEALED_SEGMENT);
    let plain = body.checked_sub(segments.checked_mul(TAG)?)?;
    // At least one segment, and none is empty but a first one.
    let whole = segments.checked_sub(1)?.checked_mul(SEGMENT)?;
    (plain > whole || (plain == 0 && segments == 1)).then_some(plain)
}

fn last_segment(plain_bytes: u64) -> u64 {
    plain_bytes.saturating_sub(1).checked_div(SEGMENT).unwrap_or(0)
}

fn read_up_to(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0_usize;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => done = done.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
