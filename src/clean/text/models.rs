//! Where the models and ONNX Runtime are: one search, one manifest.
//!
//! `models/manifest.toml` lists every file with size and SHA-256;
//! `scripts/setup` puts the files beside it. [`ModelFiles::find`] looks that those
//! this build uses are there in their right sizes: cheap enough for each worker.
//! [`ModelFiles::verify_digests`] reads them wholly (60 MB, some 0.2 s): the
//! front does that once before it starts workers, and `airlock check` does.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Id of ONNX Runtime's shared library in the manifest.
pub(crate) const RUNTIME: &str = "onnxruntime";
/// Id of the model that finds text.
pub(crate) const DETECTOR: &str = "ocr-detector";
/// Id of the model that reads text.
pub(crate) const RECOGNISER: &str = "ocr-recogniser";
/// Id of the model that says whether a frame may hold text at all.
pub(crate) const SCREEN: &str = "text-screen";
/// Ids of the recogniser of names: the network over tokens, the one over
/// characters, and what cuts a text into tokens.
pub(crate) const NAMES_ENCODER: &str = "names-encoder";
pub(crate) const NAMES_CHARACTERS: &str = "names-characters";
pub(crate) const NAMES_TOKENIZER: &str = "names-tokenizer";

/// The manifest's name in the models' folder.
const MANIFEST: &str = "manifest.toml";
/// Names the models' folder, before any of the usual places.
const ENVIRONMENT: &str = "AIRLOCK_MODELS";
/// Most bytes of a manifest. Default 64 KiB: some 200 files.
const MANIFEST_BYTES_MAX: u64 = 64 * 1024;
/// How many folders above the executable may hold `models/`. Default 4:
/// `target/debug/deps/test` lies three under the repository.
const ANCESTORS_MAX: usize = 4;
/// Bytes read at once for a digest.
const CHUNK_BYTES: usize = 64 * 1024;

/// Why the models cannot be used. The command line exits 64; a running node
/// takes no new work.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No folder with a manifest in any of the places.
    #[error("no models/{MANIFEST} beside the executable or above it; run scripts/setup")]
    NotFound,
    /// The folder that was named has no readable manifest.
    #[error("{} cannot be read; run scripts/setup", .path.display())]
    Unreadable {
        /// The manifest or file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The manifest is not what this build understands.
    #[error("{} is not a manifest: {detail}", .path.display())]
    Malformed {
        /// The manifest.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The manifest does not list a file that is needed.
    #[error("{} does not list {id} for {}", .path.display(), std::env::consts::ARCH)]
    NotListed {
        /// The manifest.
        path: PathBuf,
        /// The missing file's id.
        id: &'static str,
    },
    /// A file has another size than the manifest says: cut off or replaced.
    #[error("{} has {found_bytes} bytes, not {listed_bytes}; run scripts/setup", .path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// What it has.
        found_bytes: u64,
        /// What it should have.
        listed_bytes: u64,
    },
    /// A file has another digest than the manifest says.
    #[error("{} is not the file of the manifest; run scripts/setup", .path.display())]
    Digest {
        /// The file.
        path: PathBuf,
    },
}

/// A file of the manifest.
#[derive(Debug, Clone)]
struct ModelFile {
    id: &'static str,
    path: PathBuf,
    sha256: String,
}

/// The runtime and the models, all there in their right sizes.
#[derive(Debug, Clone)]
pub struct ModelFiles {
    folder: PathBuf,
    runtime: ModelFile,
    detector: ModelFile,
    recogniser: ModelFile,
    screen: ModelFile,
    names: Option<NameFiles>,
}

/// The files of the recogniser of names, with the runtime that runs them.
#[derive(Debug, Clone)]
pub struct NameFiles {
    runtime: PathBuf,
    encoder: ModelFile,
    characters: ModelFile,
    tokenizer: ModelFile,
}

impl NameFiles {
    /// ONNX Runtime's shared library.
    pub(crate) fn runtime(&self) -> &Path {
        &self.runtime
    }

    /// The network over tokens.
    pub(crate) fn encoder(&self) -> &Path {
        &self.encoder.path
    }

    /// The network over characters.
    pub(crate) fn characters(&self) -> &Path {
        &self.characters.path
    }

    /// What cuts a text into tokens.
    pub(crate) fn tokenizer(&self) -> &Path {
        &self.tokenizer.path
    }

    /// With another tokenizer.
    #[cfg(test)]
    pub(crate) fn with_tokenizer(mut self, path: PathBuf) -> Self {
        self.tokenizer.path = path;
        self
    }

    fn all(&self) -> [&ModelFile; 3] {
        [&self.encoder, &self.characters, &self.tokenizer]
    }
}

#[derive(Deserialize)]
struct Manifest {
    file: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    /// Relative to the models' folder.
    path: PathBuf,
    sha256: String,
    bytes: u64,
    /// Only for this processor family, in Rust's name; for all when missing.
    arch: Option<String>,
}

impl ModelFiles {
    /// Finds the models' folder and looks that every listed file is there.
    ///
    /// The first of these counts: `explicit` (from the configuration), the
    /// environment's `AIRLOCK_MODELS`, `models/` beside the executable or in a
    /// folder above it, and in debug builds `models/` of the repository.
    ///
    /// # Errors
    /// Any [`ModelError`]; most say that `scripts/setup` is to be run.
    pub fn find(explicit: Option<&Path>) -> Result<Self, ModelError> {
        let named = explicit
            .map(Path::to_owned)
            .or_else(|| std::env::var_os(ENVIRONMENT).map(PathBuf::from));
        // A folder that somebody named is not passed over for another one.
        if let Some(folder) = named {
            return Self::open(&folder);
        }
        let folder = usual_folders().into_iter().find(|folder| folder.join(MANIFEST).is_file());
        Self::open(&folder.ok_or(ModelError::NotFound)?)
    }

    /// Reads every file and compares its digest with the manifest.
    ///
    /// # Errors
    /// [`ModelError::Digest`] for the first that differs: it is not used.
    pub fn verify_digests(&self) -> Result<(), ModelError> {
        for file in self.all() {
            let found = digest(&file.path)
                .map_err(|source| ModelError::Unreadable { path: file.path.clone(), source })?;
            if !found.eq_ignore_ascii_case(&file.sha256) {
                return Err(ModelError::Digest { path: file.path.clone() });
            }
        }
        Ok(())
    }

    /// The folder of the manifest; a worker is told this one.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// ONNX Runtime's shared library.
    #[must_use]
    pub fn runtime(&self) -> &Path {
        &self.runtime.path
    }

    /// The text detector.
    #[must_use]
    pub fn detector(&self) -> &Path {
        &self.detector.path
    }

    /// The text recogniser.
    #[must_use]
    pub fn recogniser(&self) -> &Path {
        &self.recogniser.path
    }

    /// The screen before the detector.
    #[must_use]
    pub fn screen(&self) -> &Path {
        &self.screen.path
    }

    /// The recogniser of names; `None` where its files are not installed: names
    /// are then found by rules alone.
    #[must_use]
    pub fn names(&self) -> Option<&NameFiles> {
        self.names.as_ref()
    }

    /// Id and first 12 hexadecimal digits of the digest of each file, for
    /// [`Report::models`](crate::clean::Report::models).
    #[must_use]
    pub fn versions(&self) -> Vec<String> {
        self.all()
            .map(|file| format!("{} {}", file.id, file.sha256.get(..12).unwrap_or(&file.sha256)))
            .collect()
    }

    fn all(&self) -> impl Iterator<Item = &ModelFile> {
        let names = self.names.iter().flat_map(NameFiles::all);
        [&self.runtime, &self.detector, &self.recogniser, &self.screen].into_iter().chain(names)
    }

    fn open(folder: &Path) -> Result<Self, ModelError> {
        let path = folder.join(MANIFEST);
        let manifest = read_manifest(&path)?;
        let file = |id| {
            let listed = manifest.file.iter().find(|entry| entry.is(id));
            let entry = listed.ok_or_else(|| ModelError::NotListed { path: path.clone(), id })?;
            checked(id, folder, entry)
        };
        let runtime = file(RUNTIME)?;
        // All of its files or none: one that is missing alone is a fault.
        let name_ids = [NAMES_ENCODER, NAMES_CHARACTERS, NAMES_TOKENIZER];
        let is_there = |id: &&str| {
            let listed = manifest.file.iter().find(|entry| entry.is(id));
            listed.is_some_and(|entry| folder.join(&entry.path).try_exists().unwrap_or(true))
        };
        let names = if name_ids.iter().any(is_there) {
            let [encoder, characters, tokenizer] = name_ids.map(file);
            Some(NameFiles {
                runtime: runtime.path.clone(),
                encoder: encoder?,
                characters: characters?,
                tokenizer: tokenizer?,
            })
        } else {
            None
        };
        Ok(Self {
            folder: folder.to_owned(),
            runtime,
            detector: file(DETECTOR)?,
            recogniser: file(RECOGNISER)?,
            screen: file(SCREEN)?,
            names,
        })
    }
}

impl Entry {
    /// It is the file `id` for this processor family.
    fn is(&self, id: &str) -> bool {
        self.id == id && self.arch.as_deref().is_none_or(|arch| arch == std::env::consts::ARCH)
    }
}

/// `models/` at the places where an installation or a build has it.
fn usual_folders() -> Vec<PathBuf> {
    let executable = std::env::current_exe().unwrap_or_default();
    let mut folders: Vec<PathBuf> = executable
        .ancestors()
        .skip(1)
        .take(ANCESTORS_MAX)
        .map(|folder| folder.join("models"))
        .collect();
    if cfg!(debug_assertions) {
        folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("models"));
    }
    folders
}

fn read_manifest(path: &Path) -> Result<Manifest, ModelError> {
    let unreadable = |source| ModelError::Unreadable { path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MANIFEST_BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
    toml::from_str(&text).map_err(|error| ModelError::Malformed {
        path: path.to_owned(),
        detail: error.message().to_owned(),
    })
}

/// The listed file, when it is there in its right size.
fn checked(id: &'static str, folder: &Path, entry: &Entry) -> Result<ModelFile, ModelError> {
    let path = folder.join(&entry.path);
    let found_bytes = match std::fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(source) => return Err(ModelError::Unreadable { path, source }),
    };
    if found_bytes != entry.bytes {
        return Err(ModelError::Size { path, found_bytes, listed_bytes: entry.bytes });
    }
    Ok(ModelFile { id, path, sha256: entry.sha256.clone() })
}

fn digest(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let len = file.read(&mut chunk)?;
        if len == 0 {
            break;
        }
        hasher.update(chunk.get(..len).unwrap_or_default());
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    /// A models' folder whose every file holds `abc`.
    fn folder(listed: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = String::from("version = 1\n");
        for (id, arch) in listed {
            let name = format!("{id}-{arch}");
            std::fs::write(folder.path().join(&name), "abc").unwrap();
            manifest += &format!(
                "[[file]]\nid = \"{id}\"\npath = \"{name}\"\nbytes = 3\nsha256 = \"{ABC}\"\n"
            );
            if !arch.is_empty() {
                manifest += &format!("arch = \"{arch}\"\n");
            }
        }
        std::fs::write(folder.path().join(MANIFEST), manifest).unwrap();
        folder
    }

    const ALL: [(&str, &str); 4] =
        [(RUNTIME, std::env::consts::ARCH), (DETECTOR, ""), (RECOGNISER, ""), (SCREEN, "")];

    #[test]
    fn complete_folder_is_found_and_verified() {
        let folder = folder(&ALL);
        let files = ModelFiles::find(Some(folder.path())).unwrap();
        files.verify_digests().unwrap();
        assert_eq!(files.detector(), folder.path().join("ocr-detector-"));
        assert_eq!(files.versions()[1], "ocr-detector ba7816bf8f01");
    }

    #[test]
    fn missing_file_names_setup() {
        let folder = folder(&ALL);
        std::fs::remove_file(folder.path().join("ocr-detector-")).unwrap();
        let error = ModelFiles::find(Some(folder.path())).unwrap_err();
        assert!(error.to_string().contains("scripts/setup"), "{error}");
    }

    #[test]
    fn named_folder_without_manifest_is_not_passed_over() {
        let empty = tempfile::tempdir().unwrap();
        let error = ModelFiles::find(Some(empty.path())).unwrap_err();
        assert!(matches!(error, ModelError::Unreadable { .. }), "{error}");
    }

    #[test]
    fn cut_file_fails_by_size_and_changed_file_by_digest() {
        let folder = folder(&ALL);
        let path = folder.path().join("ocr-recogniser-");
        std::fs::write(&path, "abd").unwrap();
        let files = ModelFiles::find(Some(folder.path())).unwrap();
        assert!(matches!(files.verify_digests(), Err(ModelError::Digest { .. })));
        std::fs::write(&path, "ab").unwrap();
        let error = ModelFiles::find(Some(folder.path())).unwrap_err();
        assert!(matches!(error, ModelError::Size { found_bytes: 2, listed_bytes: 3, .. }));
    }

    #[test]
    fn without_the_recogniser_of_names_the_rules_work_and_half_of_it_is_a_fault() {
        let names = [(NAMES_ENCODER, ""), (NAMES_CHARACTERS, ""), (NAMES_TOKENIZER, "")];
        let folder = folder(&[ALL.as_slice(), &names].concat());
        let files = ModelFiles::find(Some(folder.path())).unwrap();
        assert!(files.names().is_some());
        assert_eq!(files.versions().len(), 7);
        std::fs::remove_file(folder.path().join("names-encoder-")).unwrap();
        let error = ModelFiles::find(Some(folder.path())).unwrap_err();
        assert!(matches!(error, ModelError::Unreadable { .. }), "{error}");
        for (id, _) in &names[1..] {
            std::fs::remove_file(folder.path().join(format!("{id}-"))).unwrap();
        }
        assert!(ModelFiles::find(Some(folder.path())).unwrap().names().is_none());
    }

    #[test]
    fn runtime_of_another_processor_does_not_count() {
        let folder = folder(&[(RUNTIME, "vax"), (DETECTOR, ""), (RECOGNISER, "")]);
        let error = ModelFiles::find(Some(folder.path())).unwrap_err();
        assert!(matches!(error, ModelError::NotListed { id: RUNTIME, .. }), "{error}");
    }

    #[test]
    fn installed_models_are_those_of_the_manifest() {
        let files = ModelFiles::find(None).expect("run scripts/setup");
        files.verify_digests().expect("run scripts/setup");
    }
}
