//! [`SpoolWriter`] and [`SpoolReader`], the only ways to an object's bytes, so
//! that encryption at rest can come under them.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::atomic::Ordering;

use sha2::{Digest as _, Sha256};

use super::layout::Dir;
use super::record::{Arrival, Record, VERSION};
use super::steps::{byte_count, encode};
use super::{Spool, SpoolError, SpoolId, State};
use crate::disk::DiskFile;
use crate::kill_point::kill_point;
use crate::vault::{Kind, Reader, Seal, Writer};

/// Bytes that a writer takes before it looks at the free space again. 1 MiB:
/// hundreds of writers still fit in the smallest sensible reserve.
pub(super) const WRITER_ALLOWANCE_BYTES: u64 = 1 << 20;

/// An object on its way in. Dropped without [`SpoolWriter::commit`] it leaves
/// nothing behind.
pub struct SpoolWriter {
    spool: Spool,
    id: SpoolId,
    file: Writer<Box<dyn DiskFile>>,
    digest: Sha256,
    bytes: u64,
    /// Bytes that are counted against the quota.
    counted_bytes: u64,
    unchecked_bytes: u64,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Writing,
    /// A write failed: bytes are missing, so that no commit may follow.
    Broken,
    /// Record and object may stand under their names, but nobody was told.
    Committing,
    Committed,
}

impl Spool {
    /// Opens a new object.
    ///
    /// # Errors
    /// [`SpoolError::Full`] when the reserve would be touched, counting what
    /// open writers may still write; [`SpoolError::OverQuota`];
    /// [`SpoolError::Failed`]. All are A700.
    pub fn begin(&self) -> Result<SpoolWriter, SpoolError> {
        self.check_space()?;
        let id = self.0.next_id();
        let path = self.0.layout.incoming(id);
        let file = self.0.disk.create_new(&path).map_err(|e| self.0.judge("create a file", e))?;
        let file = if self.0.vault.seals() {
            let seal = Seal { id: id.to_bytes(), kind: Kind::Original, required: true };
            let sealed = Writer::sealed(file, &self.0.vault, &seal);
            // What was created is empty, and goes at the next start.
            sealed.map_err(|source| SpoolError::Locked { id, source })?
        } else {
            Writer::plain(file)
        };
        self.0.writers.fetch_add(1, Ordering::Relaxed);
        Ok(SpoolWriter {
            spool: self.clone(),
            id,
            file,
            digest: Sha256::new(),
            bytes: 0,
            counted_bytes: 0,
            unchecked_bytes: 0,
            stage: Stage::Writing,
        })
    }
}

impl SpoolWriter {
    /// The id that the object will have.
    #[must_use]
    pub fn id(&self) -> SpoolId {
        self.id
    }

    /// Bytes taken so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// SHA-256 of the bytes taken so far, lower case hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex(self.digest.clone())
    }

    /// Takes the next bytes; the same as [`Write::write_all`], with the spool's
    /// own errors.
    ///
    /// # Errors
    /// [`SpoolError::Full`], [`SpoolError::TooLong`], [`SpoolError::Io`]: the
    /// object cannot be committed any more.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        let taken = self.take(bytes);
        if taken.is_err() {
            self.stage = Stage::Broken;
        }
        taken
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        let shared = &self.spool.0;
        shared.usable()?;
        let count = byte_count(bytes);
        let limit_bytes = shared.limits.object_bytes_max;
        self.bytes = self.bytes.saturating_add(count);
        if self.bytes > limit_bytes {
            return Err(SpoolError::TooLong { what: "object", limit_bytes });
        }
        self.unchecked_bytes = self.unchecked_bytes.saturating_add(count);
        if self.unchecked_bytes >= WRITER_ALLOWANCE_BYTES {
            shared.check_own_space()?;
            self.unchecked_bytes = 0;
        }
        self.file.write_all(bytes).map_err(|e| shared.judge("write an object", e))?;
        self.count(self.counted_bytes.saturating_add(count));
        self.digest.update(bytes);
        Ok(())
    }

    /// Makes the object durable under its id: bytes, then record, then name.
    /// Success may be answered after this and only after this.
    ///
    /// # Errors
    /// As [`SpoolWriter::append`]; then nothing is kept.
    pub fn commit(mut self, arrival: Arrival) -> Result<SpoolId, SpoolError> {
        let spool = self.spool.clone();
        let shared = &spool.0;
        shared.usable()?;
        if self.stage != Stage::Writing {
            return Err(SpoolError::NotThere { id: self.id, wanted: "written whole" });
        }
        let file_bytes = self.file.finish().map_err(|e| shared.judge("write an object", e))?;
        self.count(file_bytes);
        self.file.get_mut().sync_data().map_err(|e| shared.judge("sync an object", e))?;
        kill_point("spool.commit.object-synced");

        self.stage = Stage::Committing;
        let record = self.record(arrival);
        shared.write_new(&shared.layout.record(self.id), &encode(&record, 0, &shared.vault)?)?;
        kill_point("spool.commit.record-synced");

        // The record's name first, synced: an object without one counts as damaged.
        shared.sync_dir(Dir::Meta)?;
        let received = shared.layout.object(State::Received, self.id);
        shared.rename(&shared.layout.incoming(self.id), &received)?;
        kill_point("spool.commit.named");
        shared.sync_dir(Dir::Received)?;
        kill_point("spool.commit.durable");
        self.stage = Stage::Committed;
        shared.taken_bytes.fetch_add(self.bytes, Ordering::Relaxed);
        Ok(self.id)
    }

    /// So many bytes are counted against the quota from now on.
    fn count(&mut self, bytes: u64) {
        let used = &self.spool.0.used;
        used.add(bytes);
        used.take(std::mem::replace(&mut self.counted_bytes, bytes));
    }

    fn record(&self, arrival: Arrival) -> Record {
        Record {
            version: VERSION,
            id: self.id,
            received_unix_ms: self.spool.0.clock.unix_ms(),
            bytes: self.bytes,
            sha256: self.sha256(),
            sealed: self.spool.0.vault.seals(),
            arrival: Some(arrival),
            attempts: 0,
            releases: 0,
            quarantine: None,
            deliveries: std::collections::BTreeMap::new(),
            discarded: None,
            decisions: Vec::new(),
            resent_unix_ms: None,
            commitments: std::collections::BTreeMap::new(),
            forgotten: false,
            meant_for: Vec::new(),
            taken_at: BTreeSet::new(),
        }
    }

    /// Removes what stands; what cannot be removed goes at the next start.
    fn undo(&self) -> Result<(), SpoolError> {
        let shared = &self.spool.0;
        shared.remove_if_there(&shared.layout.incoming(self.id))?;
        if self.stage == Stage::Committing {
            // The object before its record: without one it counts as damaged.
            shared.remove_uncounted(&shared.layout.object(State::Received, self.id))?;
            shared.remove_if_there(&shared.layout.record(self.id))?;
        }
        Ok(())
    }
}

impl Drop for SpoolWriter {
    fn drop(&mut self) {
        self.spool.0.writers.fetch_sub(1, Ordering::Relaxed);
        if self.stage != Stage::Committed {
            // Nobody can be told here, and the next start removes it.
            self.undo().ok();
            self.count(0);
        }
    }
}

impl Write for SpoolWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.append(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(
                error @ (SpoolError::Full { .. }
                | SpoolError::NoFiles { .. }
                | SpoolError::OverQuota { .. }),
            ) => Err(io::Error::new(io::ErrorKind::StorageFull, error)),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An object's bytes, in any state.
#[derive(Debug)]
pub struct SpoolReader {
    pub(super) file: Reader<Box<dyn DiskFile>>,
}

impl SpoolReader {
    /// Length in bytes.
    #[must_use]
    pub fn byte_len(&self) -> u64 {
        self.file.byte_len()
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.file.is_sealed()
    }

    /// SHA-256 of all bytes, lower case hex, and their number. Reads through.
    ///
    /// # Errors
    /// The system's error.
    pub fn digest(&mut self) -> io::Result<(String, u64)> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut digest = Sha256::new();
        let mut bytes = 0_u64;
        let mut buffer = vec![0; 256 << 10];
        loop {
            let count = self.file.read(&mut buffer)?;
            if count == 0 {
                return Ok((hex(digest), bytes));
            }
            let chunk = buffer.get(..count).unwrap_or_default();
            digest.update(chunk);
            bytes = bytes.saturating_add(byte_count(chunk));
        }
    }
}

impl Read for SpoolReader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }
}

impl Seek for SpoolReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

fn hex(digest: Sha256) -> String {
    digest.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
        text
    })
}
