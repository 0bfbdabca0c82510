//! [`Stored`]: a path, and how what lies there is read and written.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::{Reader, Seal, Vault, Writer};

/// A file, sealed or not.
#[derive(Debug, Clone)]
pub struct Stored {
    path: PathBuf,
    sealed: Option<(Vault, Seal)>,
}

impl Stored {
    /// A file that is not ours, or was never sealed.
    #[must_use]
    pub fn plain(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), sealed: None }
    }

    /// A file of ours under its seal.
    #[must_use]
    pub fn sealed(path: impl Into<PathBuf>, vault: Vault, seal: Seal) -> Self {
        Self { path: path.into(), sealed: Some((vault, seal)) }
    }

    /// What it is bound to, for another process that has the keys.
    #[must_use]
    pub fn seal(&self) -> Option<Seal> {
        self.sealed.as_ref().map(|(_, seal)| *seal)
    }

    /// The other way round.
    #[must_use]
    pub fn told(path: &Path, seal: Option<Seal>, vault: &Vault) -> Self {
        Self { path: path.to_owned(), sealed: seal.map(|seal| (vault.clone(), seal)) }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keys for what is written beside it.
    #[must_use]
    pub fn vault(&self) -> Vault {
        self.sealed.as_ref().map(|(vault, _)| vault.clone()).unwrap_or_default()
    }

    /// Opens it for reading.
    ///
    /// # Errors
    /// The system's; a [`super::VaultError`] in one.
    pub fn open(&self) -> io::Result<Reader<File>> {
        #[cfg(test)]
        if let Some(file) = crate::simulated::file(&self.path) {
            return self.read(file?);
        }
        self.read(File::open(&self.path)?)
    }

    /// Reads it by a handle that the caller has.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn read(&self, file: File) -> io::Result<Reader<File>> {
        match &self.sealed {
            None => Reader::plain(file),
            Some((vault, seal)) => Reader::open(file, vault, seal),
        }
    }

    /// Opens it for writing from its start, mode 0600; it is not cut: a file that is
    /// used again keeps its pages and blocks. Sealed where that is required or
    /// the vault seals.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn create(&self) -> io::Result<Writer<File>> {
        let mut file = OpenOptions::new();
        let file = file.write(true).create(true).truncate(false).mode(0o600).open(&self.path)?;
        match &self.sealed {
            Some((vault, seal)) if seal.required || vault.seals() => {
                Ok(Writer::sealed(file, vault, seal)?)
            }
            Some(_) | None => Ok(Writer::plain(file)),
        }
    }
}

impl From<PathBuf> for Stored {
    fn from(path: PathBuf) -> Self {
        Self::plain(path)
    }
}

impl From<&Path> for Stored {
    fn from(path: &Path) -> Self {
        Self::plain(path)
    }
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.seal() == other.seal()
    }
}

impl Eq for Stored {}
