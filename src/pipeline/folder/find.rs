//! Finds the files below the input: a tree in, a sorted list out.
//!
//! Invariant: the walk ends, and leaves the input only by links to files that
//! the user asked to follow; a directory that cannot be listed costs itself,
//! not the run.

use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

use super::FolderRunError;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// A regular file, or a link to one that is followed.
    File,
    /// A link that is not followed.
    Link,
    /// A pipe, a socket, a device.
    Special,
    /// A directory that cannot be listed.
    Unlisted,
}

/// One path of the input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub standing: Standing,
}

/// All below `input`, sorted by path. With `follow_links` links to files are
/// followed. Links to directories never are: they can lead round in a circle,
/// and to the output or the keys.
///
/// # Errors
/// [`FolderRunError::Input`] when `input` itself is not there.
pub fn find(input: &Path, follow_links: bool) -> Result<Vec<Found>, FolderRunError> {
    let failed = |source| FolderRunError::Input { path: input.to_owned(), source };
    let top = std::fs::metadata(input).map_err(failed)?;
    let mut walk = Walk { follow_links, found: Vec::new(), dirs: Vec::new() };
    if top.is_dir() {
        // Unreadable here is a fault of the call, not one directory of many.
        drop(std::fs::read_dir(input).map_err(failed)?);
        walk.dirs.push(input.to_owned());
    } else {
        walk.add(input.to_owned(), standing_of(top.file_type()));
    }
    while let Some(dir) = walk.dirs.pop() {
        if walk.list(&dir).is_err() {
            walk.add(dir, Standing::Unlisted);
        }
    }
    walk.found.sort();
    Ok(walk.found)
}

/// The regular files below `input`, sorted; links to files count, links to
/// directories do not.
///
/// # Errors
/// [`FolderRunError::Input`], also for a directory that cannot be listed.
pub fn input_files(input: &Path) -> Result<Vec<PathBuf>, FolderRunError> {
    let usable = |found: Found| match found.standing {
        Standing::File => Ok(Some(found.path)),
        Standing::Link => Ok(found.path.is_file().then_some(found.path)),
        Standing::Special => Ok(None),
        Standing::Unlisted => {
            let source = io::ErrorKind::PermissionDenied.into();
            Err(FolderRunError::Input { path: found.path, source })
        }
    };
    find(input, false)?.into_iter().filter_map(|found| usable(found).transpose()).collect()
}

struct Walk {
    follow_links: bool,
    found: Vec<Found>,
    dirs: Vec<PathBuf>,
}

impl Walk {
    fn list(&mut self, dir: &Path) -> io::Result<()> {
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_symlink() {
                self.link(path);
            } else if kind.is_dir() {
                self.dirs.push(path);
            } else {
                self.add(path, standing_of(kind));
            }
        }
        Ok(())
    }

    /// One that leads nowhere, in a circle or to a directory stays a link.
    fn link(&mut self, path: PathBuf) {
        match std::fs::metadata(&path) {
            Ok(target) if self.follow_links && target.is_file() => self.add(path, Standing::File),
            Ok(_) | Err(_) => self.add(path, Standing::Link),
        }
    }

    fn add(&mut self, path: PathBuf, standing: Standing) {
        self.found.push(Found { path, standing });
    }
}

fn standing_of(kind: FileType) -> Standing {
    if kind.is_file() { Standing::File } else { Standing::Special }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(root: &Path, follow_links: bool) -> Vec<(String, Standing)> {
        let found = find(root, follow_links).unwrap();
        let name = |found: Found| {
            let path = found.path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            (path, found.standing)
        };
        found.into_iter().map(name).collect()
    }

    #[test]
    fn links_are_told_and_followed_only_when_asked_without_end() {
        let home = tempfile::tempdir().unwrap();
        let (root, outside) = (home.path().join("in"), home.path().join("outside"));
        fs::create_dir_all(root.join("a")).unwrap();
        fs::create_dir_all(&outside).unwrap();
        fs::write(root.join("a/one"), "1").unwrap();
        fs::write(outside.join("two"), "2").unwrap();
        symlink(&outside, root.join("far")).unwrap();
        symlink(outside.join("two"), root.join("two")).unwrap();
        symlink("..", root.join("a/back")).unwrap();
        symlink("self", root.join("self")).unwrap();
        let link = |name: &str| (name.to_owned(), Standing::Link);
        let file = |name: &str| (name.to_owned(), Standing::File);
        let plain = [link("a/back"), file("a/one"), link("far"), link("self"), link("two")];
        assert_eq!(names(&root, false), plain);
        let followed = [link("a/back"), file("a/one"), link("far"), link("self"), file("two")];
        assert_eq!(names(&root, true), followed);
    }

    #[test]
    fn a_missing_input_is_a_fault_of_the_call() {
        let home = tempfile::tempdir().unwrap();
        let missing = find(&home.path().join("none"), false);
        assert!(matches!(missing, Err(FolderRunError::Input { .. })));
    }
}
