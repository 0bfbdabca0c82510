//! The few system calls that durability rests on, behind one trait, so that
//! tests can make each of them fail or tear.
//!
//! Invariant: [`Disk::sync_dir`] after every rename, link or removal whose
//! survival somebody is told of.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

mod latch;
mod left_out;
#[cfg(test)]
pub mod testing;

pub use latch::FailedSync;

/// An open file that can be made durable.
pub trait DiskFile: Read + Write + Seek + Send {
    /// `fdatasync`: returns when the bytes are on the disk.
    ///
    /// # Errors
    /// The system's error. It is never retried: a second `fsync` may falsely succeed.
    fn sync_data(&mut self) -> io::Result<()>;
    /// Length in bytes.
    ///
    /// # Errors
    /// The system's error.
    fn byte_len(&self) -> io::Result<u64>;
    /// Cuts the file to `bytes`.
    ///
    /// # Errors
    /// The system's error.
    fn set_byte_len(&mut self, bytes: u64) -> io::Result<()>;
}

impl DiskFile for File {
    fn sync_data(&mut self) -> io::Result<()> {
        if left_out::bytes() {
            return Ok(());
        }
        File::sync_data(self)
    }

    fn byte_len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_byte_len(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }
}

/// The system calls of the durable steps.
pub trait Disk: Send + Sync + std::fmt::Debug {
    /// Creates a file that must not exist yet, mode 0600.
    ///
    /// # Errors
    /// The system's error.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens an existing file for reading.
    ///
    /// # Errors
    /// The system's error.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens for reading and writing, creating it (mode 0600) when absent.
    ///
    /// # Errors
    /// The system's error.
    fn open_rw(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Renames within one file system, replacing the target.
    ///
    /// # Errors
    /// The system's error.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes a hard link.
    ///
    /// # Errors
    /// The system's error; `AlreadyExists` when the link stands.
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// The system's error.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Creates a directory and its parents, mode 0700.
    ///
    /// # Errors
    /// The system's error.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// `fsync` of a directory: returns when its names are on the disk.
    ///
    /// # Errors
    /// The system's error.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// The file names in a directory, unordered.
    ///
    /// # Errors
    /// The system's error.
    fn names(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Whether a file of this name stands.
    ///
    /// # Errors
    /// The system's error (`Path::exists` would swallow it).
    fn exists(&self, path: &Path) -> io::Result<bool>;
    /// Length in bytes, and the number of names that the file has.
    ///
    /// # Errors
    /// The system's error.
    fn size_and_links(&self, path: &Path) -> io::Result<(u64, u64)>;
    /// Free bytes for this user on the file system of `path`.
    ///
    /// # Errors
    /// The system's error.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;
    /// How many more files the file system of `path` can hold; none where it
    /// knows no such limit.
    ///
    /// # Errors
    /// The system's error.
    fn free_files(&self, path: &Path) -> io::Result<Option<u64>>;
}

/// The machine's disk.
#[derive(Debug, Default, Clone, Copy)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(private_file().create_new(true).open(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File::open(path)?))
    }

    fn open_rw(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(private_file().create(true).truncate(false).open(path)?))
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one wrapper; callers sync the directory"
    )]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::hard_link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        if left_out::names() {
            return Ok(());
        }
        File::open(path)?.sync_all()
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(path)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn size_and_links(&self, path: &Path) -> io::Result<(u64, u64)> {
        use std::os::unix::fs::MetadataExt as _;
        let found = std::fs::symlink_metadata(path)?;
        Ok((found.len(), found.nlink()))
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(path)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn free_files(&self, path: &Path) -> io::Result<Option<u64>> {
        let stat = rustix::fs::statvfs(path)?;
        // Some file systems make inodes as they need them, and say 0 of 0.
        Ok((stat.f_files > 0).then_some(stat.f_favail))
    }
}

fn private_file() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

/// Writes `bytes` to `path` so that after a crash either the old or the new
/// content stands whole: temporary file, sync, rename, sync of the directory.
///
/// # Errors
/// The system's error; the old content then still stands.
pub fn replace_synced(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path.parent().unwrap_or_else(|| Path::new("."));
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    if disk.exists(&part)? {
        disk.remove(&part)?;
    }
    let mut file = disk.create_new(&part)?;
    file.write_all(bytes)?;
    // Synced before the rename: after a crash a short file would pass for whole.
    file.sync_data()?;
    disk.rename(&part, path)?;
    disk.sync_dir(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaced_file_holds_the_new_bytes_and_no_part_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("record");
        for content in [b"one".as_slice(), b"two, longer"] {
            replace_synced(&RealDisk, &path, content).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), content);
        }
        assert_eq!(RealDisk.names(dir.path()).unwrap(), ["record"]);
    }
}
