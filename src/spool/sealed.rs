//! What of an instance is sealed, and how it is opened.

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use super::store::{REPORT_BYTES_MAX, Shared};
use super::{Record, Spool, SpoolError, SpoolId, SpoolReader, State};
use crate::vault::{Kind, Reader, Seal, Stored, Vault, VaultError, Writer, is_sealed};

/// Bytes that a CRC-32 and sealing add to a report at most: 10, a head, and 16 for each 64 KiB.
const SEALED_REPORT_BYTES_MAX: u64 = REPORT_BYTES_MAX + (8 << 10);

fn kind_of(state: State) -> Kind {
    match state {
        State::Received | State::Held | State::Quarantine => Kind::Original,
        State::Cleaned => Kind::Clean,
    }
}

impl Spool {
    /// The keys.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// An object, plain or sealed: its digest is known otherwise.
    #[must_use]
    pub fn stored(&self, state: State, id: SpoolId) -> Stored {
        self.0.stored(self.path(state, id), state, (id, false))
    }

    /// An object, sealed if its record says so.
    #[must_use]
    pub fn stored_of(&self, state: State, record: &Record) -> Stored {
        self.0.stored(self.path(state, record.id), state, (record.id, record.sealed))
    }

    /// What [`Spool::clean_part`] names: sealed where the original is.
    #[must_use]
    pub fn stored_part(&self, record: &Record) -> Stored {
        let path = self.0.layout.clean_part(record.id);
        self.0.stored(path, State::Cleaned, (record.id, record.sealed))
    }
}

impl Shared {
    fn stored(&self, path: PathBuf, state: State, (id, required): (SpoolId, bool)) -> Stored {
        let seal = Seal { id: id.to_bytes(), kind: kind_of(state), required };
        Stored::sealed(path, self.vault.clone(), seal)
    }

    pub(super) fn open_object(&self, state: State, id: SpoolId) -> Result<SpoolReader, SpoolError> {
        let failed = |source: io::Error| self.unopened(id, "an object", source);
        let file = self.disk.open(&self.layout.object(state, id)).map_err(failed)?;
        let seal = Seal { id: id.to_bytes(), kind: kind_of(state), required: false };
        let file = Reader::open(file, &self.vault, &seal).map_err(failed)?;
        Ok(SpoolReader { file })
    }

    fn unopened(&self, id: SpoolId, what: &'static str, source: io::Error) -> SpoolError {
        match VaultError::of(&source) {
            Some(fault) if fault.is_damage() => SpoolError::Damaged { id, what },
            Some(fault) => {
                self.vault.note_missing(fault);
                SpoolError::Locked { id, source: fault.clone() }
            }
            None => SpoolError::Io { step: "open an object", source },
        }
    }

    /// A report as it is written: sealed where anything of the instance is.
    pub(super) fn sealed_report(&self, id: SpoolId, json: &[u8]) -> Result<Vec<u8>, SpoolError> {
        if !self.vault.seals() && !self.was_sealed(id)? {
            return Ok(json.to_vec());
        }
        let seal = Seal { id: id.to_bytes(), kind: Kind::Report, required: true };
        let locked = |source| SpoolError::Locked { id, source };
        let mut sealed = Vec::new();
        let mut writer = Writer::sealed(&mut sealed, &self.vault, &seal).map_err(locked)?;
        let written = writer.write_all(json).and_then(|()| writer.finish());
        written.map_err(|source| SpoolError::Io { step: "seal a report", source })?;
        drop(writer);
        Ok(sealed)
    }

    pub(super) fn read_report(&self, id: SpoolId) -> Result<Vec<u8>, SpoolError> {
        let path = self.layout.report(id);
        let file = self.read_bounded(&path, "report", SEALED_REPORT_BYTES_MAX)?;
        let sealed = is_sealed(&file);
        // Only a plain one is asked for: a sealed one proves itself.
        if !sealed && self.was_sealed(id)? {
            return Err(SpoolError::Damaged { id, what: "a plain report stands in its place" });
        }
        if !sealed {
            return Ok(file);
        }
        let seal = Seal { id: id.to_bytes(), kind: Kind::Report, required: true };
        let mut json = Vec::new();
        let opened = Reader::open(io::Cursor::new(file), &self.vault, &seal);
        let read = opened.and_then(|mut reader| reader.read_to_end(&mut json));
        read.map_err(|source| self.unopened(id, "its report", source))?;
        Ok(json)
    }

    /// Whether the record says that the original is sealed.
    fn was_sealed(&self, id: SpoolId) -> Result<bool, SpoolError> {
        Ok(self.read_record(id)?.sealed)
    }
}
