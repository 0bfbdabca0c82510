//! A cleaned instance: the only thing that `forward` takes (DESIGN.md decision 5).
//!
//! Invariant: a [`Cleaned`] exists only for a file whose length and digest are
//! those of its report, read again here; its fields cannot be set otherwise.

use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::report::Report;

/// How much of the file is read at once. 128 KiB: it is still in the cache when
/// it is digested.
const CHUNK_BYTES: usize = 128 << 10;

/// A file that is what its report says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    report: Report,
    path: PathBuf,
}

/// Why a file is not what its report says; it is cleaned again.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// The file cannot be read.
    #[error("the cleaned file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Another length than the report's.
    #[error("the cleaned file has {bytes} bytes, its report says {reported_bytes}")]
    Length {
        /// Of the file.
        bytes: u64,
        /// In the report.
        reported_bytes: u64,
    },
    /// Another digest than the report's.
    #[error("the cleaned file's digest is not that of its report")]
    Digest,
}

impl Cleaned {
    /// Reads the file again and compares it with its report.
    ///
    /// # Errors
    /// [`AdmitError`]: the instance is cleaned again, nothing is sent.
    pub fn admit(report: Report, path: PathBuf) -> Result<Self, AdmitError> {
        Self::admit_copying(report, path, &mut std::io::sink())
    }

    /// The same, while the file is copied to `target`: what went there is what
    /// was compared, so that a file that changes meanwhile does not pass. After
    /// an error the caller throws away what `target` got.
    ///
    /// # Errors
    /// As [`Cleaned::admit`]; [`AdmitError::Io`] also when `target` fails.
    pub fn admit_copying(
        report: Report,
        path: PathBuf,
        target: &mut dyn Write,
    ) -> Result<Self, AdmitError> {
        let mut file = std::fs::File::open(&path)?;
        let mut chunk = vec![0; CHUNK_BYTES];
        let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
        loop {
            let read = file.read(&mut chunk)?;
            let Some(part) = chunk.get(..read).filter(|part| !part.is_empty()) else { break };
            hash.update(part);
            target.write_all(part)?;
            bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        }
        if bytes != report.output_bytes {
            return Err(AdmitError::Length { bytes, reported_bytes: report.output_bytes });
        }
        let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if digest != report.output_digest {
            return Err(AdmitError::Digest);
        }
        Ok(Self { report, path })
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was done to it.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(Cleaned::admit_copying(report.clone(), path.clone(), &mut copy).is_ok());
        assert_eq!(copy, b"abc");
        std::fs::write(&path, "abd").unwrap();
        let changed = Cleaned::admit(report.clone(), path.clone());
        assert!(matches!(changed, Err(AdmitError::Digest)));
        std::fs::write(&path, "abcd").unwrap();
        let longer = Cleaned::admit(report, path);
        assert!(matches!(longer, Err(AdmitError::Length { bytes: 4, reported_bytes: 3 })));
    }
}
