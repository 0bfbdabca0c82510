//! The input as one list of items: files, and members of archives one after
//! the other.
//!
//! A member is unpacked into staging under a number of ours and is gone when
//! its item is; its name is never a path.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::FolderRunError;
use super::find::{Found, Standing};
use super::kind::{Kind, Nature, nature_of};
use super::zip::{Archive, ZipError};
use crate::dicom::Uid;
use crate::reason::{Quarantine, Reason};
use crate::vault::{Reader, Stored, Vault};

/// Archives in archives: a disk's image that was sent as one, and no more.
const ARCHIVES_DEEP_MAX: usize = 2;

/// One file or member.
#[derive(Debug)]
pub(super) struct Item {
    /// From 1, in order of the input.
    pub(super) number: usize,
    /// Where it was found; may identify.
    pub(super) origin: Origin,
    /// What is to be done with it.
    pub(super) task: Task,
}

/// Where an item came from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// A file of the input.
    pub(super) path: PathBuf,
    /// Names of members, the outer one first.
    pub(super) members: Vec<Vec<u8>>,
}

impl Origin {
    /// For the eyes of who may see input paths.
    pub(super) fn shown(&self) -> String {
        let members = self.members.iter().map(|name| format!("!{}", String::from_utf8_lossy(name)));
        self.path.to_string_lossy().into_owned() + &members.collect::<String>()
    }

    /// The directories that it stood in, below `input`; an archive counts as one.
    pub(super) fn dirs(&self, input: &Path) -> PathBuf {
        let below = self.path.strip_prefix(input).unwrap_or(Path::new(""));
        let mut whole = below.to_owned();
        for member in &self.members {
            let name = Path::new(OsStr::from_bytes(member));
            // An absolute name would stand for the whole.
            whole.push(name.strip_prefix("/").unwrap_or(name));
        }
        whole.parent().map(Path::to_owned).unwrap_or_default()
    }
}

/// What is to be done with an item.
#[derive(Debug)]
pub(super) enum Task {
    /// To be cleaned. The UID is that of file meta.
    Clean { source: Source, instance: Option<Uid> },
    /// To be counted.
    Leave(Kind),
    /// Not even opened, or not whole.
    Refuse(Quarantine),
}

/// A file to be cleaned; an unpacked one is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: Stored,
    staged: bool,
}

impl Drop for Source {
    fn drop(&mut self) {
        if self.staged {
            // Staging is emptied at the end in any case.
            drop(std::fs::remove_file(self.file.path()));
        }
    }
}

/// An archive that is open, with the file it lies in.
#[derive(Debug)]
struct Open {
    archive: Archive,
    origin: Origin,
    /// Keeps an unpacked archive while it is read.
    _file: Source,
}

/// Gives one item after the other.
#[derive(Debug)]
pub(super) struct Feed {
    found: std::vec::IntoIter<Found>,
    open: Vec<Open>,
    staging: PathBuf,
    vault: Vault,
    number: usize,
    expected: usize,
    /// Members unpacked so far: names their files.
    unpacked: u64,
}

impl Feed {
    pub(super) fn new(found: Vec<Found>, staging: PathBuf, vault: Vault) -> Self {
        let expected = found.len();
        let found = found.into_iter();
        Self { found, open: Vec::new(), staging, vault, number: 0, expected, unpacked: 0 }
    }

    /// Number of items, as far as is known; archives tell theirs when they are opened.
    pub(super) fn expected(&self) -> usize {
        self.expected.max(self.number)
    }

    /// The next item.
    ///
    /// # Errors
    /// [`FolderRunError::Output`] when a member cannot be put into staging.
    pub(super) fn next(&mut self) -> Result<Option<Item>, FolderRunError> {
        loop {
            let found = match self.next_member()? {
                Some(found) => found,
                None => match self.found.next() {
                    Some(found) => self.file(found),
                    None => return Ok(None),
                },
            };
            // An archive that was opened is no item; its members are.
            if let Some((origin, task)) = found {
                self.number += 1;
                return Ok(Some(Item { number: self.number, origin, task }));
            }
        }
    }

    fn file(&mut self, found: Found) -> Option<(Origin, Task)> {
        let origin = Origin { path: found.path.clone(), members: Vec::new() };
        let refuse = |what: &str| Task::Refuse(Quarantine::new(Reason::Unreadable, what));
        match found.standing {
            Standing::Link => Some((origin, Task::Leave(Kind::Link))),
            Standing::Special => Some((origin, Task::Leave(Kind::Special))),
            Standing::Unlisted => Some((origin, refuse("directory cannot be listed"))),
            Standing::File => {
                self.source(Source { file: found.path.into(), staged: false }, origin)
            }
        }
    }

    /// Looks into a file; `None` when it is an archive, whose members come next.
    fn source(&mut self, source: Source, origin: Origin) -> Option<(Origin, Task)> {
        let opened = open(&source.file).and_then(|mut file| {
            let nature = nature_of(&mut file)?;
            Ok((file, nature))
        });
        let (file, nature) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let refused = Quarantine::new(Reason::Unreadable, error.kind().to_string());
                return Some((origin, Task::Refuse(refused)));
            }
        };
        match nature {
            Nature::Dicom(instance) => Some((origin, Task::Clean { source, instance })),
            Nature::Not(kind) => Some((origin, Task::Leave(kind))),
            Nature::Zip if self.open.len() >= ARCHIVES_DEEP_MAX => {
                let refused = Quarantine::new(Reason::OverLimit, "archives in archives");
                Some((origin, Task::Refuse(refused)))
            }
            Nature::Zip => match Archive::open(file) {
                Ok(archive) => {
                    let members = usize::try_from(archive.stated_members()).unwrap_or(usize::MAX);
                    self.expected = self.expected.saturating_add(members).saturating_sub(1);
                    self.open.push(Open { archive, origin, _file: source });
                    None
                }
                Err(error) => Some((origin, Task::Refuse(refused(&error)))),
            },
        }
    }

    /// The next member of the innermost open archive; `None` when none is open,
    /// `Some(None)` when there is nothing to tell of this step.
    #[allow(clippy::option_option, reason = "an item, none here, or no archive at all")]
    fn next_member(&mut self) -> Result<Option<Option<(Origin, Task)>>, FolderRunError> {
        let Some(innermost) = self.open.last_mut() else { return Ok(None) };
        let mut origin = innermost.origin.clone();
        let member = match innermost.archive.next_member() {
            Some(Ok(member)) => member,
            Some(Err(error)) => return Ok(Some(Some((origin, Task::Refuse(refused(&error)))))),
            None => {
                self.open.pop();
                return Ok(Some(None));
            }
        };
        if member.is_dir() {
            self.expected = self.expected.saturating_sub(1);
            return Ok(Some(None));
        }
        origin.members.push(member.name.clone());
        self.unpacked += 1;
        let path = self.staging.join(format!("member-{}", self.unpacked));
        let file = super::staged(&self.vault, path)?;
        let source = Source { file, staged: true };
        let unpacked = match source.file.create() {
            Ok(mut file) => innermost
                .archive
                .unpack(&member, &mut file)
                .and_then(|()| file.finish().map_err(ZipError::Write)),
            Err(error) => Err(ZipError::Write(error)),
        };
        match unpacked {
            Ok(_bytes) => Ok(Some(self.source(source, origin))),
            Err(ZipError::Write(error)) => Err(FolderRunError::Output(format!("staging: {error}"))),
            Err(error) => Ok(Some(Some((origin, Task::Refuse(refused(&error)))))),
        }
    }
}

/// Opens a regular file. One that became a pipe since it was found must not
/// keep the run waiting.
fn open(stored: &Stored) -> std::io::Result<Reader<File>> {
    let path = stored.path();
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let regular = file.metadata()?.is_file();
    if regular { stored.read(file) } else { Err(std::io::ErrorKind::Unsupported.into()) }
}

/// The reason that goes with a fault of an archive.
fn refused(error: &ZipError) -> Quarantine {
    let reason = match error {
        ZipError::Damaged(_) | ZipError::Read(_) | ZipError::Write(_) => Reason::Unreadable,
        ZipError::Encrypted | ZipError::Unsupported(_) => Reason::UnsupportedContent,
        ZipError::OverLimit(_) => Reason::OverLimit,
    };
    Quarantine::new(reason, error.to_string())
}
