//! A disk whose n-th call fails.
//!
//! Every call of [`Disk`] and [`DiskFile`] is counted from 0, so that a test
//! can walk through all of them.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::disk::{Disk, DiskFile};

/// Passes calls on to another disk, except those that were told to fail.
#[derive(Debug, Clone)]
pub struct FaultyDisk {
    inner: Arc<dyn Disk>,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    calls: usize,
    fail: Option<(usize, i32)>,
    off_from: Option<usize>,
    bytes_unsynced: bool,
    names_unsynced: bool,
}

impl FaultyDisk {
    /// Fails nothing yet.
    #[must_use]
    pub fn new(inner: Arc<dyn Disk>) -> Self {
        Self { inner, plan: Arc::default() }
    }

    /// Makes the call of this number fail once with this `errno`; a write is
    /// torn: half of it happens.
    pub fn fail(&self, call: usize, errno: i32) {
        self.plan.lock().unwrap().fail = Some((call, errno));
    }

    /// From this call on nothing happens any more: the power is off, or the
    /// process is dead.
    pub fn off_from(&self, call: usize) {
        self.plan.lock().unwrap().off_from = Some(call);
    }

    /// From now on syncs of files, or of directories, do nothing.
    pub fn leave_out_syncs(&self, bytes: bool, names: bool) {
        let mut plan = self.plan.lock().unwrap();
        (plan.bytes_unsynced, plan.names_unsynced) = (bytes, names);
    }

    /// Calls made so far.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.plan.lock().unwrap().calls
    }

    fn pass(&self) -> io::Result<()> {
        let mut plan = self.plan.lock().unwrap();
        let call = plan.calls;
        plan.calls += 1;
        if plan.off_from.is_some_and(|from| call >= from) {
            return Err(io::Error::other("the power is off"));
        }
        match plan.fail {
            Some((at, errno)) if at == call => Err(io::Error::from_raw_os_error(errno)),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether the power went off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        let plan = self.plan.lock().unwrap();
        plan.off_from.is_some_and(|from| plan.calls > from)
    }

    fn file(&self, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(FaultyFile { disk: self.clone(), file })
    }
}

impl Disk for FaultyDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.pass()?;
        Ok(self.file(self.inner.create_new(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.pass()?;
        Ok(self.file(self.inner.open(path)?))
    }

    fn open_rw(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.pass()?;
        Ok(self.file(self.inner.open_rw(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass()?;
        self.inner.rename(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass()?;
        self.inner.hard_link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.pass()?;
        self.inner.remove(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.pass()?;
        self.inner.create_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.pass()?;
        if self.plan.lock().unwrap().names_unsynced {
            return Ok(());
        }
        self.inner.sync_dir(path)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        self.pass()?;
        self.inner.names(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.pass()?;
        self.inner.exists(path)
    }

    fn size_and_links(&self, path: &Path) -> io::Result<(u64, u64)> {
        self.pass()?;
        self.inner.size_and_links(path)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        self.pass()?;
        self.inner.free_bytes(path)
    }

    fn free_files(&self, path: &Path) -> io::Result<Option<u64>> {
        self.pass()?;
        self.inner.free_files(path)
    }
}

struct FaultyFile {
    disk: FaultyDisk,
    file: Box<dyn DiskFile>,
}

impl Read for FaultyFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.disk.pass()?;
        self.file.read(bytes)
    }
}

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.disk.pass() {
            if !self.disk.is_off() {
                self.file.write_all(&bytes[..bytes.len() / 2])?;
            }
            return Err(error);
        }
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for FaultyFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl DiskFile for FaultyFile {
    fn sync_data(&mut self) -> io::Result<()> {
        self.disk.pass()?;
        if self.disk.plan.lock().unwrap().bytes_unsynced {
            return Ok(());
        }
        self.file.sync_data()
    }

    fn byte_len(&self) -> io::Result<u64> {
        self.disk.pass()?;
        self.file.byte_len()
    }

    fn set_byte_len(&mut self, bytes: u64) -> io::Result<()> {
        self.disk.pass()?;
        self.file.set_byte_len(bytes)
    }
}
