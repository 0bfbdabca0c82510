//! A directory as destination: `DIR/<code>/<study>/<series>/<instance>.dcm`.
//!
//! Every component is a new UID or a pseudonym and was checked, so that no
//! value of a data set becomes a path. Invariant: [`Outcome::Delivered`] only
//! after file and all directories above it are synced; a half written file
//! never has a name that ends in `.dcm`. [`Folder::deliver_checked`] leaves the
//! directories to its caller, who syncs those of many files at once.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{Forwardable, Outcome};
use crate::clean::{AdmitError, Checked, Cleaned, Report};
use crate::disk::Disk;
use crate::reason::{Quarantine, Reason};
use crate::vault::VaultError;

/// How much is copied at once.
const CHUNK_BYTES: usize = 256 << 10;
/// Longest pseudonym as a directory name, as in a data set (LO).
const CODE_BYTES_MAX: usize = 64;

/// A directory that cleaned instances are written to.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    disk: Arc<dyn Disk>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
enum WriteFault {
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The clean file changed after it was admitted.
    #[error("the clean file is not what was admitted")]
    Changed,
    /// Another file of this name stands there.
    #[error("other content stands under this name")]
    Conflict,
}

impl WriteFault {
    /// What it means to the caller.
    fn outcome(self) -> Outcome {
        match self {
            Self::Io(error) => {
                tracing::warn!(%error, "a destination folder cannot be written");
                Outcome::RetryDestination
            }
            Self::Changed => {
                let detail = "clean file changed after it was admitted";
                Outcome::Quarantine(Quarantine::new(Reason::DamagedSpool, detail))
            }
            Self::Conflict => {
                let detail = "the destination folder holds another file of this name";
                Outcome::Quarantine(Quarantine::new(Reason::Conflict, detail))
            }
        }
    }
}

impl From<AdmitError> for WriteFault {
    fn from(error: AdmitError) -> Self {
        match error {
            AdmitError::Io(error) => Self::Io(error),
            AdmitError::Length { .. } | AdmitError::Digest => Self::Changed,
        }
    }
}

/// Directories and name of an instance, each a single checked component.
#[derive(Debug)]
struct Names {
    dirs: Vec<String>,
    instance: String,
}

impl Names {
    fn of(report: &Report, dirs: Option<&[String]>) -> Result<Self, Quarantine> {
        let instance = report.sop_instance.clone();
        let dirs = match dirs {
            Some(dirs) => dirs.to_vec(),
            None => vec![
                report.patient_code.clone(),
                report.study_instance.clone(),
                report.series_instance.clone(),
            ],
        };
        let all_names = dirs.iter().chain([&instance]).all(|name| is_path_component(name));
        if all_names {
            Ok(Self { dirs, instance })
        } else {
            let detail = "pseudonym is no name for a directory";
            Err(Quarantine::new(Reason::RuleFailed, detail))
        }
    }
}

impl Folder {
    /// A destination under `root`, which is created when needed.
    #[must_use]
    pub fn new(root: PathBuf, disk: Arc<dyn Disk>) -> Self {
        Self { root, disk }
    }

    /// Writes one instance, unless the same bytes stand there already.
    /// Blocks: called on a thread that may.
    #[must_use]
    pub fn deliver(&self, cleaned: &Cleaned) -> Outcome {
        let item = match Forwardable::of(cleaned) {
            Ok(item) => item,
            Err(quarantine) => return Outcome::Quarantine(quarantine),
        };
        let written = match Names::of(cleaned.report(), None) {
            Ok(names) => self.write(&item, &names),
            Err(quarantine) => return Outcome::Quarantine(quarantine),
        };
        written.map_or_else(WriteFault::outcome, |()| Outcome::Delivered)
    }

    /// Admits a checked object while it is copied here: each byte is read and
    /// digested once. `dirs` stand for pseudonym, study and series where the
    /// caller has other names. The file is synced; its name is durable once the
    /// caller has [`Self::sync`]ed the directories that come with it.
    ///
    /// # Errors
    /// What [`Self::deliver`] answers when it does not deliver.
    pub fn deliver_checked(
        &self,
        checked: Checked,
        dirs: Option<&[String]>,
    ) -> Result<(Cleaned, Vec<PathBuf>), Outcome> {
        let names = Names::of(&checked.report, dirs).map_err(Outcome::Quarantine)?;
        self.admit(checked, &names).map_err(WriteFault::outcome)
    }

    /// Makes the names in these directories durable.
    ///
    /// # Errors
    /// The system's error.
    pub fn sync<'a>(&self, dirs: impl IntoIterator<Item = &'a PathBuf>) -> io::Result<()> {
        dirs.into_iter().try_for_each(|dir| self.disk.sync_dir(dir))
    }

    fn admit(
        &self,
        checked: Checked,
        names: &Names,
    ) -> Result<(Cleaned, Vec<PathBuf>), WriteFault> {
        let disk = self.disk.as_ref();
        let dir = self.dir_of(names);
        let path = dir.join(format!("{}.dcm", names.instance));
        if disk.exists(&path)? {
            let cleaned = Cleaned::admit_copying(checked, path.clone(), &mut io::sink())?;
            let standing = digest_of(&mut disk.open(&path)?, &mut io::sink())?;
            if standing != cleaned.report().output_digest {
                return Err(WriteFault::Conflict);
            }
            return Ok((cleaned, vec![dir]));
        }
        let part = part_of(&dir, &names.instance);
        let mut unsynced = Vec::new();
        let mut target = match disk.create_new(&part) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                unsynced = self.make_dirs(&names.dirs)?;
                disk.create_new(&part)?
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                disk.remove(&part)?;
                disk.create_new(&part)?
            }
            made => made?,
        };
        let admitted = Cleaned::admit_copying(checked, path.clone(), &mut target);
        let cleaned = match admitted {
            Ok(cleaned) => cleaned,
            Err(error) => {
                disk.remove(&part)?;
                return Err(error.into());
            }
        };
        // Synced before the rename: after a crash a short file would pass for whole.
        target.sync_data()?;
        disk.rename(&part, &path)?;
        unsynced.push(dir);
        Ok((cleaned, unsynced))
    }

    fn write(&self, item: &Forwardable<'_>, names: &Names) -> Result<(), WriteFault> {
        let disk = self.disk.as_ref();
        let dir = self.dir_of(names);
        self.sync(&self.make_dirs(&names.dirs)?)?;
        let path = dir.join(format!("{}.dcm", names.instance));
        if disk.exists(&path)? {
            let same = digest_of(&mut disk.open(&path)?, &mut io::sink())? == item.digest;
            // Synced again: a crash may have come between the rename and its sync.
            return if same { Ok(disk.sync_dir(&dir)?) } else { Err(WriteFault::Conflict) };
        }
        let part = part_of(&dir, &names.instance);
        if disk.exists(&part)? {
            disk.remove(&part)?;
        }
        let mut target = disk.create_new(&part)?;
        let digest = match item.file.open().and_then(|mut file| digest_of(&mut file, &mut target)) {
            Err(error) if VaultError::of(&error).is_some_and(VaultError::is_damage) => {
                String::new()
            }
            read => read?,
        };
        if digest != item.digest {
            disk.remove(&part)?;
            return Err(WriteFault::Changed);
        }
        // Synced before the rename: after a crash a short file would pass for whole.
        target.sync_data()?;
        disk.rename(&part, &path)?;
        Ok(disk.sync_dir(&dir)?)
    }

    fn dir_of(&self, names: &Names) -> PathBuf {
        names.dirs.iter().fold(self.root.clone(), |dir, name| dir.join(name))
    }

    /// Makes the directories of an instance; gives those with a new name in them.
    fn make_dirs(&self, names: &[String]) -> io::Result<Vec<PathBuf>> {
        let disk = self.disk.as_ref();
        let (mut dir, mut unsynced) = (self.root.clone(), Vec::new());
        for name in std::iter::once("").chain(names.iter().map(String::as_str)) {
            let parent = dir.clone();
            if !name.is_empty() {
                dir.push(name);
            }
            if !disk.exists(&dir)? {
                disk.create_dir_all(&dir)?;
                let of_name = if name.is_empty() { parent_of(&dir) } else { &parent };
                unsynced.push(of_name.to_owned());
            }
        }
        Ok(unsynced)
    }
}

/// The name of a file that is being written.
fn part_of(dir: &Path, instance: &str) -> PathBuf {
    dir.join(format!(".{instance}.part"))
}

fn parent_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or_else(|| Path::new("."))
}

/// Copies and returns the hex SHA-256 of what was copied.
fn digest_of(source: &mut dyn Read, target: &mut dyn Write) -> io::Result<String> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut hash = Sha256::new();
    loop {
        let read = source.read(&mut chunk)?;
        let Some(part) = chunk.get(..read).filter(|part| !part.is_empty()) else { break };
        hash.update(part);
        target.write_all(part)?;
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Letters, digits, dot, hyphen and underscore, not starting with a dot.
fn is_path_component(code: &str) -> bool {
    (1..=CODE_BYTES_MAX).contains(&code.len())
        && !code.starts_with('.')
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;
    use crate::forward::testing::cleaned;

    const EXPLICIT: &str = "1.2.840.10008.1.2.1";

    fn folder(dir: &Path) -> Folder {
        Folder::new(dir.join("out/research"), Arc::new(RealDisk))
    }

    #[test]
    fn an_instance_is_written_under_its_new_names_and_again_is_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let item = cleaned(dir.path(), "2.25.9", EXPLICIT, b"content");
        let folder = folder(dir.path());
        for _ in 0..2 {
            assert_eq!(folder.deliver(&item), Outcome::Delivered);
            let path = dir.path().join("out/research/AL-7QK2/2.25.1/2.25.2/2.25.9.dcm");
            assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(item.path()).unwrap());
            let names = RealDisk.names(path.parent().unwrap()).unwrap();
            assert_eq!(names, ["2.25.9.dcm"]);
        }
    }

    #[test]
    fn other_content_under_the_same_uid_is_a_conflict_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let folder = folder(dir.path());
        let first = cleaned(dir.path(), "2.25.9", EXPLICIT, b"first");
        assert_eq!(folder.deliver(&first), Outcome::Delivered);
        let second = cleaned(dir.path(), "2.25.9", "1.2.840.10008.1.2", b"second");
        let conflict = folder.deliver(&second);
        assert!(matches!(conflict, Outcome::Quarantine(q) if q.reason == Reason::Conflict));
        assert_eq!(folder.deliver(&first), Outcome::Delivered);
    }

    #[test]
    fn a_part_of_an_earlier_crash_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let series = dir.path().join("out/research/AL-7QK2/2.25.1/2.25.2");
        std::fs::create_dir_all(&series).unwrap();
        std::fs::write(series.join(".2.25.9.part"), "half").unwrap();
        let item = cleaned(dir.path(), "2.25.9", EXPLICIT, b"content");
        assert_eq!(folder(dir.path()).deliver(&item), Outcome::Delivered);
        assert_eq!(RealDisk.names(&series).unwrap(), ["2.25.9.dcm"]);
    }

    #[test]
    fn a_clean_file_that_changed_after_admission_is_not_delivered() {
        let dir = tempfile::tempdir().unwrap();
        let item = cleaned(dir.path(), "2.25.9", EXPLICIT, b"content");
        std::fs::write(item.path(), "tampered").unwrap();
        let refused = folder(dir.path()).deliver(&item);
        assert!(matches!(refused, Outcome::Quarantine(q) if q.reason == Reason::DamagedSpool));
        let series = dir.path().join("out/research/AL-7QK2/2.25.1/2.25.2");
        assert!(RealDisk.names(&series).unwrap().is_empty());
    }

    #[test]
    fn codes_that_are_no_directory_names_are_refused() {
        for good in ["AL-7QK2", "a.b_c", "0"] {
            assert!(is_path_component(good), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", ".", "..", ".hidden", "a/b", "a\\b", "a b", "ä", "a\0", long.as_str()] {
            assert!(!is_path_component(bad), "{bad:?}");
        }
    }
}
