//! One process owns a data directory: [`DataLock`].

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// The lock on a data directory; released when dropped, also by a crash.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
    path: PathBuf,
}

/// Why the directory cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it: the caller uses its socket, or exits 75.
    #[error("the data directory is held by {}", holder(*.pid))]
    Held {
        /// The holder, as far as it wrote itself down.
        pid: Option<u32>,
    },
    /// The directory or its lock cannot be used: exit 64.
    #[error("cannot lock {path}: {source}")]
    Io {
        /// The lock's file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| String::from("another process"), |pid| format!("process {pid}"))
}

impl DataLock {
    /// Takes the lock of `data`, creating the directory when absent.
    ///
    /// # Errors
    /// [`LockError`]; a lock that is held is not waited for.
    pub fn acquire(data: &Path) -> Result<Self, LockError> {
        let path = data.join("lock");
        let failed = |source| LockError::Io { path: path.clone(), source };
        let mut file = open(data, &path).map_err(failed)?;
        // Bound to the open file, so that it ends with the process, however that ends.
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(LockError::Held { pid: read_pid(&mut file) }),
            Err(errno) => return Err(failed(errno.into())),
        }
        write_pid(&mut file).map_err(failed)?;
        Ok(Self { _file: file, path })
    }

    /// The lock's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn open(data: &Path, path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data)?;
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// For messages only; the lock itself does not rest on it.
fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(format!("{}\n", std::process::id()).as_bytes())
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_owner_at_a_time_and_says_who() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let lock = DataLock::acquire(&data).unwrap();
        let Err(LockError::Held { pid }) = DataLock::acquire(&data) else {
            panic!("two owners");
        };
        assert_eq!(pid, Some(std::process::id()));
        drop(lock);
        DataLock::acquire(&data).unwrap();
    }
}
