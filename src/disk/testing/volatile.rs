//! A disk in memory that forgets at a power cut what was not synced.
//!
//! The model is harsher than ext4: content is durable only after `sync_data`,
//! a name only after `sync_dir` of its own directory, and unsynced changes
//! survive in any subset. A rename within a directory is one change; one across
//! directories is two, so that a power cut may leave both names or none.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::Dice;
use crate::disk::{Disk, DiskFile};

/// What becomes of unsynced changes at a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// All of them are lost.
    LoseAll,
    /// All of them had reached the disk.
    KeepAll,
    /// Names up to some point in time, as a journal keeps them; contents at random.
    InOrder(u64),
    /// Any subset.
    AnySubset(u64),
}

/// The disk; clones share it.
#[derive(Debug, Clone, Default)]
pub struct VolatileDisk(Arc<Mutex<Fs>>);

#[derive(Debug, Clone, Default)]
struct Fs {
    inodes: Vec<Inode>,
    now: Tree,
    durable: Tree,
    pending: Vec<Change>,
    free_bytes: Option<u64>,
}

#[derive(Debug, Clone, Default)]
struct Tree {
    files: BTreeMap<PathBuf, usize>,
    dirs: BTreeSet<PathBuf>,
}

#[derive(Debug, Clone, Default)]
struct Inode {
    now: Vec<u8>,
    durable: Vec<u8>,
}

#[derive(Debug, Clone)]
enum Change {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, usize),
    MakeDir(PathBuf),
}

impl VolatileDisk {
    /// Sets what [`Disk::free_bytes`] answers.
    pub fn set_free_bytes(&self, free_bytes: u64) {
        self.fs().free_bytes = Some(free_bytes);
    }

    /// The disk as a dead process leaves it: unsynced changes are still pending.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        Self(Arc::new(Mutex::new(self.fs().clone())))
    }

    /// The disk as it is found after a power cut.
    #[must_use]
    pub fn after_power_cut(&self, cut: Cut) -> Self {
        let mut fs = self.fs().clone();
        let mut dice = match cut {
            Cut::LoseAll | Cut::KeepAll => Dice::new(0),
            Cut::InOrder(seed) | Cut::AnySubset(seed) => Dice::new(seed),
        };
        let pending = std::mem::take(&mut fs.pending);
        let in_order = dice.throw(pending.len() + 1);
        for (index, change) in pending.into_iter().enumerate() {
            let kept = match cut {
                Cut::LoseAll => false,
                Cut::KeepAll => true,
                Cut::InOrder(_) => index < in_order,
                Cut::AnySubset(_) => dice.throw(2) == 0,
            };
            if kept {
                fs.durable.apply(change);
            }
        }
        fs.durable.drop_orphans();
        for inode in &mut fs.inodes {
            inode.lose(cut, &mut dice);
        }
        fs.now = fs.durable.clone();
        Self(Arc::new(Mutex::new(fs)))
    }

    /// All files and their bytes.
    #[must_use]
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let fs = self.fs();
        fs.now.files.iter().map(|(path, ino)| (path.clone(), fs.inodes[*ino].now.clone())).collect()
    }

    /// Changes a file behind everybody's back, as a failing medium does.
    pub fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut fs = self.fs();
        let ino = fs.now.files[path];
        change(&mut fs.inodes[ino].now);
        fs.inodes[ino].durable = fs.inodes[ino].now.clone();
    }

    fn fs(&self) -> MutexGuard<'_, Fs> {
        self.0.lock().unwrap()
    }

    fn handle(&self, ino: usize, writable: bool) -> Box<dyn DiskFile> {
        Box::new(VolatileFile { disk: self.clone(), ino, position: 0, writable })
    }
}

impl Tree {
    fn apply(&mut self, change: Change) {
        match change {
            Change::Link(path, ino) => {
                self.files.insert(path, ino);
            }
            Change::Unlink(path) => {
                self.files.remove(&path);
            }
            Change::Rename(from, to, ino) => {
                self.files.remove(&from);
                self.files.insert(to, ino);
            }
            Change::MakeDir(path) => {
                self.dirs.insert(path);
            }
        }
    }

    /// A file whose directory did not survive is gone with it.
    fn drop_orphans(&mut self) {
        let all = self.dirs.clone();
        let stands = |path: &Path| {
            path.ancestors().skip(1).all(|dir| dir.parent().is_none() || all.contains(dir))
        };
        self.dirs.retain(|dir| stands(dir));
        self.files.retain(|path, _ino| stands(path));
    }

    fn has_dir(&self, path: &Path) -> bool {
        path.parent().is_none() || self.dirs.contains(path)
    }
}

impl Inode {
    fn lose(&mut self, cut: Cut, dice: &mut Dice) {
        if self.now == self.durable {
            return;
        }
        let kept = match cut {
            Cut::LoseAll => self.durable.clone(),
            Cut::KeepAll => self.now.clone(),
            Cut::InOrder(_) | Cut::AnySubset(_) => {
                let same = self.now.iter().zip(&self.durable).take_while(|(a, b)| a == b).count();
                let written = same + dice.throw(self.now.len().saturating_sub(same) + 1);
                let mut torn = self.now[..written.min(self.now.len())].to_vec();
                match dice.throw(4) {
                    0 => torn = self.durable.clone(),
                    1 => torn = self.now.clone(),
                    // The length reached the disk, the bytes did not.
                    2 => torn.resize(self.now.len(), 0),
                    _ => {}
                }
                torn
            }
        };
        self.now = kept.clone();
        self.durable = kept;
    }
}

impl Fs {
    fn dir_of(&self, path: &Path) -> io::Result<()> {
        let dir = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        if self.now.has_dir(dir) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn inode(&self, path: &Path) -> io::Result<usize> {
        self.now.files.get(path).copied().ok_or(io::ErrorKind::NotFound.into())
    }

    fn change(&mut self, change: Change) {
        self.now.apply(change.clone());
        self.pending.push(change);
    }

    fn create(&mut self, path: &Path) -> io::Result<usize> {
        self.dir_of(path)?;
        self.inodes.push(Inode::default());
        let ino = self.inodes.len() - 1;
        self.change(Change::Link(path.to_owned(), ino));
        Ok(ino)
    }
}

impl Disk for VolatileDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut fs = self.fs();
        if fs.now.files.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let ino = fs.create(path)?;
        Ok(self.handle(ino, true))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let ino = self.fs().inode(path)?;
        Ok(self.handle(ino, false))
    }

    fn open_rw(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut fs = self.fs();
        let ino = match fs.inode(path) {
            Ok(ino) => ino,
            Err(_absent) => fs.create(path)?,
        };
        Ok(self.handle(ino, true))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut fs = self.fs();
        let ino = fs.inode(from)?;
        fs.dir_of(to)?;
        if fs.inode(to).is_ok_and(|there| there == ino) {
            return Ok(()); // two names of one file: rename(2) does nothing
        }
        if from.parent() == to.parent() {
            fs.change(Change::Rename(from.to_owned(), to.to_owned(), ino));
        } else {
            fs.change(Change::Link(to.to_owned(), ino));
            fs.change(Change::Unlink(from.to_owned()));
        }
        Ok(())
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut fs = self.fs();
        let ino = fs.inode(from)?;
        fs.dir_of(to)?;
        if fs.now.files.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs.change(Change::Link(to.to_owned(), ino));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut fs = self.fs();
        fs.inode(path)?;
        fs.change(Change::Unlink(path.to_owned()));
        Ok(())
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut fs = self.fs();
        let missing: Vec<_> = path.ancestors().filter(|dir| !fs.now.has_dir(dir)).collect();
        for dir in missing.into_iter().rev() {
            fs.change(Change::MakeDir(dir.to_owned()));
        }
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut fs = self.fs();
        if !fs.now.has_dir(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        for change in std::mem::take(&mut fs.pending) {
            let (Change::Link(name, _)
            | Change::Unlink(name)
            | Change::Rename(_, name, _)
            | Change::MakeDir(name)) = &change;
            if name.parent() == Some(path) {
                fs.durable.apply(change);
            } else {
                fs.pending.push(change);
            }
        }
        Ok(())
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        let fs = self.fs();
        if !fs.now.has_dir(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let entries = fs.now.files.keys().chain(&fs.now.dirs);
        Ok(entries
            .filter(|entry| entry.parent() == Some(path))
            .map(|entry| entry.file_name().unwrap().to_str().unwrap().to_owned())
            .collect())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let fs = self.fs();
        Ok(fs.now.files.contains_key(path) || fs.now.has_dir(path))
    }

    fn size_and_links(&self, path: &Path) -> io::Result<(u64, u64)> {
        let fs = self.fs();
        let ino = fs.inode(path)?;
        let links = fs.now.files.values().filter(|other| **other == ino).count();
        Ok((fs.inodes[ino].now.len() as u64, links as u64))
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        Ok(self.fs().free_bytes.unwrap_or(1 << 40))
    }

    fn free_files(&self, _path: &Path) -> io::Result<Option<u64>> {
        Ok(None)
    }
}

struct VolatileFile {
    disk: VolatileDisk,
    ino: usize,
    position: usize,
    writable: bool,
}

impl Read for VolatileFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let fs = self.disk.fs();
        let rest = fs.inodes[self.ino].now.get(self.position..).unwrap_or_default();
        let count = rest.len().min(bytes.len());
        bytes[..count].copy_from_slice(&rest[..count]);
        self.position += count;
        Ok(count)
    }
}

impl Write for VolatileFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let mut fs = self.disk.fs();
        let content = &mut fs.inodes[self.ino].now;
        let end = self.position + bytes.len();
        content.resize(content.len().max(end), 0);
        content[self.position..end].copy_from_slice(bytes);
        self.position = end;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for VolatileFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let len = self.disk.fs().inodes[self.ino].now.len();
        let target = match to {
            SeekFrom::Start(at) => i64::try_from(at).unwrap(),
            SeekFrom::End(by) => i64::try_from(len).unwrap() + by,
            SeekFrom::Current(by) => i64::try_from(self.position).unwrap() + by,
        };
        self.position = usize::try_from(target).map_err(|_negative| io::ErrorKind::InvalidInput)?;
        Ok(self.position as u64)
    }
}

impl DiskFile for VolatileFile {
    fn sync_data(&mut self) -> io::Result<()> {
        let mut fs = self.disk.fs();
        let inode = &mut fs.inodes[self.ino];
        inode.durable = inode.now.clone();
        Ok(())
    }

    fn byte_len(&self) -> io::Result<u64> {
        Ok(self.disk.fs().inodes[self.ino].now.len() as u64)
    }

    fn set_byte_len(&mut self, bytes: u64) -> io::Result<()> {
        let bytes = usize::try_from(bytes).unwrap();
        self.disk.fs().inodes[self.ino].now.resize(bytes, 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk_with(path: &Path, bytes: &[u8]) -> VolatileDisk {
        let disk = VolatileDisk::default();
        for dir in ["/a", "/b"] {
            disk.create_dir_all(Path::new(dir)).unwrap();
        }
        disk.sync_dir(Path::new("/")).unwrap();
        disk.create_new(path).unwrap().write_all(bytes).unwrap();
        disk
    }

    #[test]
    fn a_name_lives_only_when_its_directory_was_synced_and_bytes_only_when_the_file_was() {
        let path = Path::new("/a/x");
        let disk = disk_with(path, b"bytes");
        assert!(disk.after_power_cut(Cut::LoseAll).files().is_empty());
        disk.sync_dir(Path::new("/a")).unwrap();
        assert_eq!(disk.after_power_cut(Cut::LoseAll).files()[path], b"");
        disk.open(path).unwrap().sync_data().unwrap();
        assert_eq!(disk.after_power_cut(Cut::LoseAll).files()[path], b"bytes");
        assert_eq!(disk.after_kill().files()[path], b"bytes");
    }

    #[test]
    fn a_rename_across_directories_is_as_durable_as_each_of_them() {
        let (from, to) = (Path::new("/a/x"), Path::new("/b/x"));
        let disk = disk_with(from, b"bytes");
        disk.sync_dir(Path::new("/a")).unwrap();
        disk.rename(from, to).unwrap();
        let left = |seed| disk.after_power_cut(Cut::AnySubset(seed)).files().len();
        let seen: BTreeSet<_> = (0..64).map(left).collect();
        assert_eq!(seen, [0, 1, 2].into(), "none, one or both names");
        disk.sync_dir(Path::new("/b")).unwrap();
        assert_eq!(disk.after_power_cut(Cut::LoseAll).files().len(), 2);
        disk.sync_dir(Path::new("/a")).unwrap();
        assert_eq!(disk.after_power_cut(Cut::LoseAll).files().len(), 1);
    }

    #[test]
    fn a_rename_within_a_directory_leaves_the_old_or_the_new() {
        let (from, to) = (Path::new("/a/new"), Path::new("/a/x"));
        let disk = disk_with(to, b"old");
        disk.open(to).unwrap().sync_data().unwrap();
        disk.create_new(from).unwrap();
        disk.sync_dir(Path::new("/a")).unwrap();
        disk.rename(from, to).unwrap();
        for seed in 0..64 {
            assert!(disk.after_power_cut(Cut::AnySubset(seed)).files().contains_key(to));
        }
    }

    #[test]
    fn files_in_an_unsynced_directory_are_lost_with_it() {
        let disk = VolatileDisk::default();
        disk.create_dir_all(Path::new("/a/b")).unwrap();
        disk.create_new(Path::new("/a/b/x")).unwrap();
        disk.sync_dir(Path::new("/a/b")).unwrap();
        disk.sync_dir(Path::new("/a")).unwrap();
        assert!(disk.after_power_cut(Cut::LoseAll).files().is_empty());
        disk.sync_dir(Path::new("/")).unwrap();
        assert_eq!(disk.after_power_cut(Cut::LoseAll).files().len(), 1);
    }
}
