//! A cleaned instance: the only thing that `forward` takes (DESIGN.md decision 5).
//!
//! Invariant: a [`Cleaned`] exists only for a file whose length and digest are
//! those of its report, read here; its fields cannot be set otherwise.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::parts::{CHUNK_BYTES, Parts};
use super::report::Report;
use super::twin::{Digester, update_both};
use crate::vault::{Reader, Stored, VaultError};

/// A file that is what its report says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    report: Report,
    file: Stored,
}

/// A clean object that passed the second door, where it lies until it is admitted.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What was done; without digests where the object lies in parts.
    pub report: Report,
    /// What the cleaner wrote.
    pub written: Stored,
    /// What it wrote is the object; or this is missing in it.
    pub rest: Option<Rest>,
}

/// The part of a clean object that lies in the received file.
#[derive(Debug, Clone)]
pub struct Rest {
    /// The received file.
    pub received: Stored,
    /// Which part.
    pub parts: Parts,
    /// CRC-32 of that part as the second door read it.
    pub crc32: u32,
}

/// Why a file is not what its report says; it is cleaned again.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// The file cannot be read.
    #[error("the cleaned file cannot be read: {0}")]
    Io(#[source] io::Error),
    /// Another length than the report's.
    #[error("the cleaned file has {bytes} bytes, its report says {reported_bytes}")]
    Length {
        /// Of the file.
        bytes: u64,
        /// In the report.
        reported_bytes: u64,
    },
    /// Another digest than the report's, or parts that are not those that were checked.
    #[error("the cleaned file's digest is not that of its report")]
    Digest,
}

impl From<io::Error> for AdmitError {
    fn from(error: io::Error) -> Self {
        match VaultError::of(&error) {
            Some(fault) if fault.is_damage() => Self::Digest,
            Some(_) | None => Self::Io(error),
        }
    }
}

impl Cleaned {
    /// Reads the file again and compares it with its report.
    ///
    /// # Errors
    /// [`AdmitError`]: the instance is cleaned again, nothing is sent.
    pub fn admit(report: Report, file: impl Into<Stored>) -> Result<Self, AdmitError> {
        let file = file.into();
        let copied = copy_whole(&file, &mut io::sink())?;
        same_as_reported(&copied, &report)?;
        Ok(Self { report, file })
    }

    /// The same, while the object is copied to `target`: what went there is what
    /// was compared, so that a file that changes meanwhile does not pass. After
    /// an error the caller throws away what `target` got; else what it got will
    /// stand at `file`.
    ///
    /// An object in parts is put together, and its report gets the digests of
    /// what was received and of what went to `target`.
    ///
    /// # Errors
    /// As [`Cleaned::admit`]; [`AdmitError::Io`] also when `target` fails.
    pub fn admit_copying(
        checked: Checked,
        file: impl Into<Stored>,
        target: &mut dyn Write,
    ) -> Result<Self, AdmitError> {
        let Checked { mut report, written, rest } = checked;
        let copied = match &rest {
            None => copy_whole(&written, target)?,
            Some(rest) => {
                let (copied, received_digest) = copy_parts(&written, rest, target)?;
                report.input_digest = received_digest;
                report.output_digest.clone_from(&copied.digest);
                copied
            }
        };
        same_as_reported(&copied, &report)?;
        Ok(Self { report, file: file.into() })
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Stored {
        &self.file
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// What was done to it.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }
}

/// What was copied.
struct Copied {
    bytes: u64,
    digest: String,
}

fn same_as_reported(copied: &Copied, report: &Report) -> Result<(), AdmitError> {
    if copied.bytes != report.output_bytes {
        let (bytes, reported_bytes) = (copied.bytes, report.output_bytes);
        return Err(AdmitError::Length { bytes, reported_bytes });
    }
    if copied.digest != report.output_digest {
        return Err(AdmitError::Digest);
    }
    Ok(())
}

fn copy_whole(file: &Stored, target: &mut dyn Write) -> Result<Copied, AdmitError> {
    let mut hash = Sha256::new();
    let mut pieces = Pieces::new(file.open()?);
    let mut bytes = 0_u64;
    pieces.each(u64::MAX, |piece| {
        hash.update(piece);
        bytes = bytes.saturating_add(piece.len() as u64);
        target.write_all(piece)
    })?;
    Ok(Copied { bytes, digest: super::hex(&hash.finalize()) })
}

/// Copies written bytes and stretches in their order; gives also the hex
/// SHA-256 of the received file, which is read from its first byte to its last.
fn copy_parts(
    written: &Stored,
    rest: &Rest,
    target: &mut dyn Write,
) -> Result<(Copied, String), AdmitError> {
    let mut written = Pieces::new(written.open()?);
    let mut received = Pieces::new(rest.received.open()?);
    let (mut fresh, mut left) = (Digester::default(), Digester::default());
    let (mut out, mut whole) = (Digester::default(), Digester::default());
    let (mut sum, mut bytes) = (crc32fast::Hasher::new(), 0_u64);
    let mut put = |piece: &[u8]| {
        bytes = bytes.saturating_add(piece.len() as u64);
        target.write_all(piece)
    };
    for stretch in &rest.parts.stretches {
        let before = stretch.at.saturating_sub(written.taken);
        written.each(before, |piece| {
            fresh.update(piece);
            out.update(piece);
            put(piece)
        })?;
        let between = stretch.offset.saturating_sub(received.taken);
        received.each(between, |piece| {
            left.update(piece);
            whole.update(piece);
            Ok(())
        })?;
        received.each(stretch.bytes, |piece| {
            sum.update(piece);
            update_both(&mut out, &mut whole, piece);
            put(piece)
        })?;
    }
    written.each(u64::MAX, |piece| {
        fresh.update(piece);
        out.update(piece);
        put(piece)
    })?;
    received.each(u64::MAX, |piece| {
        left.update(piece);
        whole.update(piece);
        Ok(())
    })?;
    let parts = &rest.parts;
    let same = fresh.hex() == parts.written_digest
        && left.hex() == parts.rest_digest
        && sum.finalize() == rest.crc32;
    if !same {
        return Err(AdmitError::Digest);
    }
    Ok((Copied { bytes, digest: out.hex() }, whole.hex()))
}

/// A file piece by piece.
struct Pieces {
    file: Reader<File>,
    chunk: Vec<u8>,
    /// Bytes given so far.
    taken: u64,
}

impl Pieces {
    fn new(file: Reader<File>) -> Self {
        Self { file, chunk: Vec::new(), taken: 0 }
    }

    /// The next `bytes`, or what there is of them.
    fn each(
        &mut self,
        bytes: u64,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut left = bytes;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK_BYTES);
            if self.chunk.len() < wanted {
                self.chunk.resize(wanted, 0);
            }
            let read = self.file.read(self.chunk.get_mut(..wanted).unwrap_or_default())?;
            let Some(piece) = self.chunk.get(..read).filter(|piece| !piece.is_empty()) else {
                break;
            };
            take(piece)?;
            left = left.saturating_sub(read as u64);
            self.taken = self.taken.saturating_add(read as u64);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, SeekFrom};
    use std::path::PathBuf;

    use super::*;
    use crate::clean::parts::{Assembled, Stretch};

    #[test]
    fn only_a_file_as_its_report_says_is_admitted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("clean");
        std::fs::write(&path, "abc").unwrap();
        let report = Report {
            output_bytes: 3,
            output_digest: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
                .into(),
            ..Report::default()
        };
        assert!(Cleaned::admit(report.clone(), path.clone()).is_ok());
        let mut copy = Vec::new();
        let checked = Checked { report: report.clone(), written: path.clone().into(), rest: None };
        assert!(Cleaned::admit_copying(checked, path.clone(), &mut copy).is_ok());
        assert_eq!(copy, b"abc");
        std::fs::write(&path, "abd").unwrap();
        let changed = Cleaned::admit(report.clone(), path.clone());
        assert!(matches!(changed, Err(AdmitError::Digest)));
        std::fs::write(&path, "abcd").unwrap();
        let longer = Cleaned::admit(report, path);
        assert!(matches!(longer, Err(AdmitError::Length { bytes: 4, reported_bytes: 3 })));
    }

    /// Twenty bytes of which `4..14` and `16..18` go as they are.
    fn parts(dir: &Path) -> Checked {
        let (written, received) = (dir.join("written"), dir.join("received"));
        std::fs::write(&written, "HEAD+end").unwrap();
        std::fs::write(&received, "head0123456789--ABzz").unwrap();
        let digest = |text: &str| crate::clean::hex(&Sha256::digest(text));
        let stretches =
            vec![Stretch { at: 4, offset: 4, bytes: 10 }, Stretch { at: 5, offset: 16, bytes: 2 }];
        let parts = Parts {
            stretches,
            written_digest: digest("HEAD+end"),
            rest_digest: digest("head--zz"),
        };
        let crc32 = crc32fast::hash(b"0123456789AB");
        let report = Report { output_bytes: 20, ..Report::default() };
        let rest = Rest { received: received.into(), parts, crc32 };
        Checked { report, written: written.into(), rest: Some(rest) }
    }

    #[test]
    fn parts_are_put_together_as_the_second_door_saw_them() {
        let dir = tempfile::tempdir().unwrap();
        let checked = parts(dir.path());
        let rest = checked.rest.clone().unwrap();
        let mut seen = Vec::new();
        let mut assembled = Assembled::open(&checked.written, &rest.received, &rest.parts).unwrap();
        assembled.seek(SeekFrom::Start(17)).unwrap();
        assembled.read_to_end(&mut seen).unwrap();
        assert_eq!(seen, b"end");
        assembled.rewind().unwrap();
        seen.clear();
        assembled.read_to_end(&mut seen).unwrap();
        assert_eq!(seen, b"HEAD0123456789+ABend");
        assert_eq!(assembled.checksum().unwrap(), rest.crc32);
        let mut unread = Assembled::open(&checked.written, &rest.received, &rest.parts).unwrap();
        unread.seek(SeekFrom::End(-6)).unwrap();
        unread.read_exact(&mut [0; 2]).unwrap();
        assert_eq!(unread.checksum().unwrap(), rest.crc32);

        let mut copy = Vec::new();
        let path = PathBuf::from("stands-here");
        let cleaned = Cleaned::admit_copying(checked, path.clone(), &mut copy).unwrap();
        assert_eq!(copy, seen);
        assert_eq!(cleaned.path(), path);
        let digest = |text: &[u8]| crate::clean::hex(&Sha256::digest(text));
        assert_eq!(cleaned.report().output_digest, digest(&seen));
        assert_eq!(cleaned.report().input_digest, digest(b"head0123456789--ABzz"));
    }

    #[test]
    fn parts_that_changed_after_they_were_checked_are_not_admitted() {
        let dir = tempfile::tempdir().unwrap();
        for (file, changed) in [
            ("received", "head0123456780--ABzz"),
            ("received", "Head0123456789--ABzz"),
            ("received", "head0123456789--ABz"),
            ("received", "head012345"),
            ("written", "HEAd+end"),
            ("written", "HEAD+end and more"),
        ] {
            let checked = parts(dir.path());
            std::fs::write(dir.path().join(file), changed).unwrap();
            let rest = checked.rest.clone().unwrap();
            let opened = Assembled::open(&checked.written, &rest.received, &rest.parts);
            assert_eq!(opened.is_err(), file == "written", "{changed}");
            let admitted = Cleaned::admit_copying(checked, PathBuf::new(), &mut io::sink());
            let refused = matches!(admitted, Err(AdmitError::Digest));
            assert!(refused, "{changed}");
        }
    }
}
