//! Opens an object for cleaning: the parsed data set beside the file that its
//! bulk values lie in, whatever the transfer syntax.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::job::JobError;
use crate::dicom::read::{FileMeta, ReadError, ReadLimits, inflate, read_data_set, read_head};
use crate::dicom::{DataSet, Encoding};
use crate::reason::{Quarantine, Reason};
use crate::vault::{Reader, ScratchFile, Stored, Vault};

/// An object that was read.
pub(super) struct Opened {
    /// Holds the bulk values: the object itself, or what its data set inflated to.
    pub(super) file: Bulk,
    /// File meta as received.
    pub(super) meta: FileMeta,
    /// The data set.
    pub(super) set: DataSet,
    /// Bulk values in `file` are big endian.
    pub(super) big_endian: bool,
    /// `file` is what the data set inflated to.
    pub(super) inflated: bool,
}

/// Where bulk values lie.
pub(super) enum Bulk {
    /// In the object itself.
    Object(Reader<File>),
    /// In what it inflated to.
    Inflated(ScratchFile),
}

impl Read for Bulk {
    #[allow(clippy::disallowed_methods, reason = "this is the implementation of read")]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Object(file) => file.read(buffer),
            Self::Inflated(file) => file.read(buffer),
        }
    }
}

impl Seek for Bulk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Object(file) => file.seek(to),
            Self::Inflated(file) => file.seek(to),
        }
    }
}

/// Reads an object; a deflated one is inflated into a nameless file in
/// `scratch_dir`, sealed as `vault` says.
pub(super) fn open(object: &Stored, scratch_dir: &Path, vault: &Vault) -> Result<Opened, JobError> {
    let limits = ReadLimits::default();
    let mut file = object.open()?;
    let head = read_head(&mut file, &limits).map_err(refused)?;
    let unknown = || refused(ReadError::UnknownTransferSyntax);
    let encoding = head.meta.transfer_syntax.encoding().ok_or_else(unknown)?;
    let inflated = encoding.deflated;
    let (mut file, start, encoding) = if inflated {
        let mut target = ScratchFile::new(nameless(scratch_dir)?, vault)?;
        inflate(&mut file, head.data_set_offset, &mut target, &limits).map_err(refused)?;
        (Bulk::Inflated(target), 0, Encoding::EXPLICIT_LE)
    } else {
        (Bulk::Object(file), head.data_set_offset, encoding)
    };
    let parsed = read_data_set(&mut file, start, encoding, &limits).map_err(refused)?;
    let (meta, set, big_endian) = (head.meta, parsed.set, encoding.big_endian);
    Ok(Opened { file, meta, set, big_endian, inflated })
}

/// A file without a name: gone when it is closed, also by a crash.
pub(super) fn nameless(dir: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).mode(0o600).custom_flags(libc::O_TMPFILE).open(dir)
}

/// A nameless file that is made when something is first put into it: most
/// instances need none, and making and dropping files costs more than their bytes.
pub(super) struct LaterFile {
    dir: PathBuf,
    vault: Vault,
    file: Option<ScratchFile>,
}

impl LaterFile {
    /// In `dir`, when it is needed; sealed as `vault` says.
    pub(super) fn new(dir: &Path, vault: &Vault) -> Self {
        Self { dir: dir.to_owned(), vault: vault.clone(), file: None }
    }

    fn made(&mut self) -> io::Result<&mut ScratchFile> {
        let file = match self.file.take() {
            Some(file) => file,
            None => ScratchFile::new(nameless(&self.dir)?, &self.vault)?,
        };
        Ok(self.file.insert(file))
    }
}

impl Read for LaterFile {
    #[allow(clippy::disallowed_methods, reason = "this is the implementation of read")]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.as_mut().map_or(Ok(0), |file| file.read(buffer))
    }
}

impl Write for LaterFile {
    #[allow(clippy::disallowed_methods, reason = "this is the implementation of write")]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.made()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), ScratchFile::flush)
    }
}

impl Seek for LaterFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match (&self.file, to) {
            // The start of what is empty is its end too.
            (None, SeekFrom::Start(0) | SeekFrom::End(0) | SeekFrom::Current(0)) => Ok(0),
            (_, to) => self.made()?.seek(to),
        }
    }
}

/// The reason that goes with a fault of the stream.
fn refused(error: ReadError) -> JobError {
    let detail = error.to_string();
    let reason = match error {
        ReadError::Io(error) => return error.into(),
        ReadError::Limit { .. } => Reason::OverLimit,
        ReadError::UnknownTransferSyntax => Reason::UnknownTransferSyntax,
        ReadError::Truncated { .. }
        | ReadError::Misplaced { .. }
        | ReadError::BadVr { .. }
        | ReadError::BadUndefinedLength { .. }
        | ReadError::NotDicom
        | ReadError::Deflated
        | ReadError::BadDeflate => Reason::Unreadable,
    };
    Quarantine::new(reason, detail).into()
}
