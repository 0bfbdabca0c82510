//! A small ext4 on a loop device, whose power can be cut: the backing file is
//! copied while nothing writes, which is what the device held, and the copy is
//! mounted in its place.
//!
//! `commit=300`: a name or a byte that nobody synced is not saved by chance.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::process::{run, tool};

/// Room for a table, a ledger and some hundreds of instances.
const IMAGE_BYTES: u64 = 96 << 20;
/// Memory keeps a copy cheap.
const FAST: &str = "/dev/shm";

/// A file system that is mounted somewhere; taken down when dropped.
#[derive(Debug)]
pub(crate) struct Image {
    home: TempDir,
    copies: usize,
    at: PathBuf,
}

impl Image {
    /// Makes one, empty, and mounts it at `at`.
    pub(crate) fn mounted_at(at: &Path) -> Self {
        let base =
            if Path::new(FAST).is_dir() { PathBuf::from(FAST) } else { std::env::temp_dir() };
        let home = tempfile::Builder::new().prefix("airlock-lab-").tempdir_in(base);
        let image = Self { home: home.expect("a home"), copies: 0, at: at.to_owned() };
        fs::create_dir_all(at).expect("a mount point");
        let file = fs::File::create(image.file()).expect("an image");
        file.set_len(IMAGE_BYTES).expect("an image");
        run(Command::new(tool("mkfs.ext4")).args(["-q", "-F", "-m", "0"]).arg(image.file()))
            .success();
        image.mount();
        image
    }

    fn file(&self) -> PathBuf {
        self.home.path().join(format!("{}.ext4", self.copies))
    }

    fn mount(&self) {
        let mut mount = Command::new(tool("mount"));
        mount.args(["-o", "loop,commit=300,noatime"]).arg(self.file()).arg(&self.at);
        run(&mut mount).success();
    }

    /// Keeps what the device holds now; whoever writes there has been stopped.
    pub(crate) fn freeze(&mut self) -> Frozen {
        let from = self.file();
        self.copies += 1;
        let mut copy = Command::new(tool("cp"));
        run(copy.args(["--sparse=always"]).arg(&from).arg(self.file())).success();
        Frozen { old: from }
    }

    /// Mounts what was frozen in place of what went on; nobody uses that any more.
    pub(crate) fn thaw(&self, frozen: Frozen) {
        unmount(&self.at);
        fs::remove_file(frozen.old).expect("the image that lost its power");
        self.mount();
    }
}

/// An image that was copied.
#[derive(Debug)]
pub(crate) struct Frozen {
    old: PathBuf,
}

impl Drop for Image {
    fn drop(&mut self) {
        unmount(&self.at);
    }
}

/// Whether file systems can be mounted and users changed here. Without root it is said aloud, and
/// is a failure where `CI` is set.
pub(crate) fn may_mount() -> bool {
    use std::io::Write as _;
    if rustix::process::geteuid().is_root() {
        return true;
    }
    let says = "NOT TESTED: power cuts, full disks and files of other users need root";
    assert!(std::env::var_os("CI").is_none(), "{says}");
    // Not by a macro: the test harness would hide it.
    writeln!(std::io::stderr(), "{says}").ok();
    false
}

/// A file system in memory of so many bytes and files; taken down when dropped.
#[derive(Debug)]
pub(crate) struct Tmpfs {
    at: PathBuf,
}

impl Tmpfs {
    pub(crate) fn mounted_at(at: &Path, mib: u32, files: u32) -> Self {
        fs::create_dir_all(at).expect("a mount point");
        let mut mount = Command::new(tool("mount"));
        let options = format!("size={mib}m,nr_inodes={files}");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at);
        run(&mut mount).success();
        Self { at: at.to_owned() }
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        unmount(&self.at);
    }
}

fn unmount(at: &Path) {
    let plain = run(Command::new(tool("umount")).arg(at));
    if !plain.status.success() {
        run(Command::new(tool("umount")).arg("--lazy").arg(at));
    }
}
