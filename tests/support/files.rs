//! Where the tests' files lie, and looking into folders and files.

use std::fs;
use std::path::{Path, PathBuf};

/// A path relative to the repository's root.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The ultrasound still of a test patient (tests/data/README.md).
pub(crate) fn sample() -> PathBuf {
    in_repository("tests/data/philips-epiq-still.dcm")
}

/// libfaketime for programs with threads, where Debian puts it for the machine's
/// architecture.
pub(crate) fn faketime() -> String {
    let places = fs::read_dir("/usr/lib").expect("/usr/lib").flatten();
    let mut files = places.map(|place| place.path().join("faketime/libfaketimeMT.so.1"));
    let file = files.find(|file| file.is_file()).expect("faketime: run scripts/setup --dev");
    file.to_str().expect("its path is UTF-8").to_owned()
}

/// All files below a folder, in order; nothing when it is not there yet.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("directory entry").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Whether `bytes` hold `text` anywhere.
pub(crate) fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len().max(1)).any(|window| window == text.as_bytes())
}
