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

/// An object that was read.
pub(super) struct Opened {
    /// Holds the bulk values: the object itself, or what its data set inflated to.
    pub(super) file: File,
    /// File meta as received.
    pub(super) meta: FileMeta,
    /// The data set.
    pub(super) set: DataSet,
    /// Bulk values in `file` are big endian.
    pub(super) big_endian: bool,
    /// `file` is what the data set inflated to.
    pub(super) inflated: bool,
}

/// Reads the object at `path`; a deflated one is inflated into a nameless file
/// in `scratch_dir`.
pub(super) fn open(path: &Path, scratch_dir: &Path) -> Result<Opened, JobError> {
    let limits = ReadLimits::default();
    let mut file = File::open(path)?;
    let head = read_head(&mut file, &limits).map_err(refused)?;
    let unknown = || refused(ReadError::UnknownTransferSyntax);
    let encoding = head.meta.transfer_syntax.encoding().ok_or_else(unknown)?;
    let inflated = encoding.deflated;
    let (mut file, start, encoding) = if inflated {
        let mut target = nameless(scratch_dir)?;
        inflate(&mut file, head.data_set_offset, &mut target, &limits).map_err(refused)?;
        (target, 0, Encoding::EXPLICIT_LE)
    } else {
        (file, head.data_set_offset, encoding)
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
    file: Option<File>,
}

impl LaterFile {
    /// In `dir`, when it is needed.
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), file: None }
    }

    fn made(&mut self) -> io::Result<&mut File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => nameless(&self.dir)?,
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
        self.file.as_mut().map_or(Ok(()), File::flush)
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
        ReadError::Io(error) => return JobError::Io(error),
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
