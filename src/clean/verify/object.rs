//! One of the two files, read into a tree, with the file its bulk values lie in.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::{Scratch, refuse};
use crate::dicom::read::{Head, Notes, ReadError, ReadLimits, inflate, read_data_set, read_head};
use crate::dicom::vr::PIXEL_DATA;
use crate::dicom::write::ReadSeek;
use crate::dicom::{DataSet, Encoding};
use crate::reason::{Quarantine, Reason};
use crate::vault::ScratchFile;

/// A file that was read.
pub(super) struct Object<'a> {
    /// File meta.
    pub(super) head: Head,
    /// The data set.
    pub(super) set: DataSet,
    /// What the reader tolerated.
    pub(super) notes: Notes,
    /// Length of the file.
    pub(super) bytes: u64,
    /// Where extents lie: the file, or what it was inflated to.
    pub(super) bulk: Box<dyn ReadSeek + 'a>,
}

/// A file that could not be read.
#[derive(Debug)]
pub(super) struct OpenFault(ReadError);

impl<'a> Object<'a> {
    /// Reads a file; a deflated data set is inflated into `scratch`.
    pub(super) fn open(
        file: &'a mut dyn ReadSeek,
        scratch: Scratch<'_>,
    ) -> Result<Self, OpenFault> {
        Self::read(file, scratch).map_err(OpenFault)
    }

    fn read(mut file: &'a mut dyn ReadSeek, scratch: Scratch<'_>) -> Result<Self, ReadError> {
        let limits = ReadLimits::default();
        let bytes = file.seek(io::SeekFrom::End(0))?;
        let head = read_head(&mut file, &limits)?;
        let syntax = &head.meta.transfer_syntax;
        let encoding = syntax.encoding().ok_or(ReadError::UnknownTransferSyntax)?;
        let (mut bulk, start, encoding): (Box<dyn ReadSeek + 'a>, u64, Encoding) =
            if encoding.deflated {
                let vault = scratch.vault.cloned().unwrap_or_default();
                let mut inflated = ScratchFile::new(nameless(scratch.path)?, &vault)?;
                inflate(&mut file, head.data_set_offset, &mut inflated, &limits)?;
                (Box::new(inflated), 0, Encoding { deflated: false, ..encoding })
            } else {
                (Box::new(file), head.data_set_offset, encoding)
            };
        let parsed = read_data_set(&mut bulk, start, encoding, &limits)?;
        Ok(Self { head, set: parsed.set, notes: parsed.notes, bytes, bulk })
    }

    /// There is native or encapsulated pixel data with something in it.
    pub(super) fn has_pixels(&self) -> bool {
        self.set.get(PIXEL_DATA).is_some_and(|element| !element.is_empty())
    }
}

/// A file that vanishes when it is closed, whatever happens in between.
fn nameless(path: &Path) -> io::Result<std::fs::File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

impl OpenFault {
    /// The received file was cleaned once, so this is damage or a bug of ours.
    pub(super) fn of_input(self) -> Quarantine {
        let reason = match &self.0 {
            ReadError::Limit { .. } => Reason::OverLimit,
            ReadError::UnknownTransferSyntax => Reason::UnknownTransferSyntax,
            ReadError::Io(_)
            | ReadError::Truncated { .. }
            | ReadError::Misplaced { .. }
            | ReadError::BadVr { .. }
            | ReadError::BadUndefinedLength { .. }
            | ReadError::NotDicom
            | ReadError::Deflated
            | ReadError::BadDeflate => Reason::Unreadable,
        };
        Quarantine::new(reason, format!("second reading: {}", self.0))
    }

    /// A clean copy that cannot be read was not checked.
    pub(super) fn of_output(self) -> Quarantine {
        refuse(format!("clean-copy-unreadable: {}", self.0))
    }
}
