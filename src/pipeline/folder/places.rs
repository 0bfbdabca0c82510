//! Input, output, data directory and report: apart from each other, and made.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::FolderRunError;

/// Directory in the data directory that files are cleaned in: what was not yet
/// verified must never lie in the output, whatever ends the run.
const STAGING_DIR: &str = "staging";

/// How a report of ours begins; only such a file is written over.
pub const REPORT_HEAD: &str = "{\"version\":";

/// Where files are cleaned before they are verified.
#[must_use]
pub fn staging_dir(data_dir: &Path) -> PathBuf {
    data_dir.join(STAGING_DIR)
}

/// Makes the output folder and the staging place, which is emptied of what an
/// ended run left. The caller holds the data directory.
///
/// # Errors
/// [`FolderRunError::Output`].
pub fn prepare(output: &Path, data_dir: &Path) -> Result<(), FolderRunError> {
    let failed = |path: &Path| {
        let shown = path.display().to_string();
        move |error: std::io::Error| FolderRunError::Output(format!("{shown}: {error}"))
    };
    let staging = staging_dir(data_dir);
    match std::fs::remove_dir_all(&staging) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(&staging)(error)),
    }
    let mut private = std::fs::DirBuilder::new();
    private.recursive(true).mode(0o700).create(&staging).map_err(failed(&staging))?;
    std::fs::create_dir_all(output).map_err(failed(output))
}

/// Refuses places that lie in each other. Asked before anything is made.
///
/// # Errors
/// [`FolderRunError::Overlap`]; [`FolderRunError::Input`] for a path that cannot be told.
pub fn refuse_overlap(input: &Path, output: &Path, data_dir: &Path) -> Result<(), FolderRunError> {
    let places = [real(input)?, real(output)?, real(data_dir)?];
    for (at, one) in places.iter().enumerate() {
        if places.iter().skip(at + 1).any(|other| one.starts_with(other) || other.starts_with(one))
        {
            return Err(FolderRunError::Overlap);
        }
    }
    Ok(())
}

/// Refuses places that are not what they are to be. Asked before anything is made.
///
/// # Errors
/// [`FolderRunError::Unusable`], with what to do.
pub fn refuse_unusable(output: &Path, data_dir: &Path) -> Result<(), FolderRunError> {
    for (path, problem) in [
        (output, "the output is a folder and this is none: name another"),
        (data_dir, "the data directory is a folder and this is none: name another"),
    ] {
        if path.metadata().is_ok_and(|found| !found.is_dir()) {
            return Err(FolderRunError::Unusable { path: path.to_owned(), problem });
        }
    }
    Ok(())
}

/// Refuses to write a report over anything but an earlier report, and into the
/// input or the data directory: originals and keys stand there. Asked before
/// anything is made.
///
/// # Errors
/// [`FolderRunError::Unusable`], with what to do; [`FolderRunError::Input`] for
/// a path that cannot be told.
pub fn refuse_report(report: &Path, input: &Path, data_dir: &Path) -> Result<(), FolderRunError> {
    let refuse = |problem| Err(FolderRunError::Unusable { path: report.to_owned(), problem });
    let place = real(report)?;
    if place.starts_with(real(input)?) || place.starts_with(real(data_dir)?) {
        return refuse("a report must not stand in the input or the data directory: name another");
    }
    if report.is_dir() {
        return refuse("this is a folder: name the report's file in it");
    }
    if !place.parent().is_some_and(Path::is_dir) {
        return refuse("the folder of the report is not there: make it, or name another");
    }
    for path in [report.to_owned(), report_part(report)] {
        if path.symlink_metadata().is_ok() && !is_report(&path) {
            return refuse("what stands there is no report of airlock: name another file");
        }
    }
    Ok(())
}

/// The name that a report has until it is whole.
#[must_use]
pub fn report_part(report: &Path) -> PathBuf {
    let mut part = report.as_os_str().to_owned();
    part.push(".part");
    PathBuf::from(part)
}

/// Whether a report, whole or begun, stands there, or an empty file.
fn is_report(path: &Path) -> bool {
    let Some(found) = path.symlink_metadata().ok().filter(std::fs::Metadata::is_file) else {
        return false;
    };
    let mut head = [0; REPORT_HEAD.len()];
    found.len() == 0
        || (File::open(path).is_ok_and(|mut file| file.read_exact(&mut head).is_ok())
            && head == *REPORT_HEAD.as_bytes())
}

/// The path without links, as far as it exists.
fn real(path: &Path) -> Result<PathBuf, FolderRunError> {
    let failed = |source| FolderRunError::Input { path: path.to_owned(), source };
    let absolute = std::path::absolute(path).map_err(failed)?;
    for existing in absolute.ancestors() {
        if let Ok(real) = existing.canonicalize() {
            let rest = absolute.strip_prefix(existing).unwrap_or(Path::new(""));
            return Ok(if rest.as_os_str().is_empty() { real } else { real.join(rest) });
        }
    }
    Ok(absolute)
}
