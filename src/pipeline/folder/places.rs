//! Input, output and data directory: apart from each other, and made.

use std::path::{Path, PathBuf};

use super::FolderRunError;

/// Directory in the data directory that files are cleaned in: what was not yet
/// verified must never lie in the output, whatever ends the run.
const STAGING_DIR: &str = "staging";

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
    std::fs::create_dir_all(&staging).map_err(failed(&staging))?;
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
