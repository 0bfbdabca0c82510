//! pydicom and pynetdicom, in the environment that `scripts/setup --dev` makes.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::files::{files_below, in_repository};
use super::process::{Process, run};

/// Runs `tests/python/SCRIPT` to the end and returns what it printed.
pub(crate) fn python<A: AsRef<OsStr>>(script: &str, arguments: &[A]) -> String {
    run(&mut command(script, arguments)).success()
}

fn command<A: AsRef<OsStr>>(script: &str, arguments: &[A]) -> Command {
    let interpreter = in_repository(".venv/bin/python");
    assert!(interpreter.is_file(), "no .venv/bin/python: run scripts/setup --dev");
    let mut command = Command::new(interpreter);
    command.arg(in_repository("tests/python").join(script)).args(arguments);
    command
}

/// Copies `count` public files of pydicom's into a folder: the same ones each time.
pub(crate) fn corpus(folder: &Path, count: usize) -> Vec<PathBuf> {
    python("corpus.py", &[folder.as_os_str(), count.to_string().as_ref()]);
    files_below(folder)
}

/// What identifies the patient in these files and must not be in a clean one.
pub(crate) fn identifiers(files: &[PathBuf]) -> Vec<String> {
    serde_json::from_str(&python("identifiers.py", files)).expect("a list of strings")
}

/// Whose these files are, in order: the same text, the same patient.
pub(crate) fn patients<F: AsRef<OsStr>>(files: &[F]) -> Vec<String> {
    serde_json::from_str(&python("patients.py", files)).expect("a list of strings")
}

/// A Storage SCP of pynetdicom's that misbehaves as `tests/python/scp.py` is told.
#[derive(Debug)]
pub(crate) struct Scp {
    pub(crate) port: u16,
    folder: PathBuf,
    process: Process,
}

impl Scp {
    /// Starts one; `options` as in `["--answer", "A700,0000"]`.
    pub(crate) fn start(folder: &Path, ae_title: &str, options: &[&str]) -> Self {
        let mut command = command("scp.py", &[folder.as_os_str(), ae_title.as_ref()]);
        let log = folder.with_extension("scp.log");
        let mut process = Process::start("scp.py", command.args(options), &log);
        let printed = |log: &Path| {
            let text = std::fs::read_to_string(log).ok()?;
            text.lines().find_map(|line| line.strip_prefix("ready ")?.parse().ok())
        };
        let port = process.wait_for("scp.py's port", || printed(&log));
        Self { port, folder: folder.to_owned(), process }
    }

    /// The answers so far, as in `("1.2.3", "A700")`, in order.
    pub(crate) fn answers(&self) -> Vec<(String, String)> {
        let log = self.process.log();
        let stored = log.lines().filter_map(|line| line.strip_prefix("stored "));
        stored.filter_map(|line| line.split_once(' ')).map(|(u, s)| (u.into(), s.into())).collect()
    }

    /// Whether it printed this line.
    pub(crate) fn said(&self, line: &str) -> bool {
        self.process.log().lines().any(|said| said == line)
    }

    /// What was answered with success.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        files_below(&self.folder)
    }
}

/// An archive of pynetdicom's that stores and commits as `tests/python/commitment.py` is told.
#[derive(Debug)]
pub(crate) struct Archive {
    pub(crate) port: u16,
    process: Process,
}

impl Archive {
    /// Starts one with AE title `PACS`; `options` as in `["--report", "never"]`.
    pub(crate) fn start(folder: &Path, options: &[&str]) -> Self {
        let mut command =
            command("commitment.py", &["scp".as_ref(), folder.as_os_str(), "PACS".as_ref()]);
        let log = folder.with_extension("archive.log");
        let mut process = Process::start("commitment.py", command.args(options), &log);
        let printed = |log: &Path| {
            let text = std::fs::read_to_string(log).ok()?;
            text.lines().find_map(|line| line.strip_prefix("ready ")?.parse().ok())
        };
        let port = process.wait_for("commitment.py's port", || printed(&log));
        Self { port, process }
    }

    /// What it printed of one kind, as in `stored`, without the word.
    pub(crate) fn lines(&self, word: &str) -> Vec<String> {
        let log = self.process.log();
        let lines = log.lines().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
        lines.map(str::to_owned).collect()
    }

    pub(crate) fn log(&self) -> String {
        self.process.log()
    }
}
