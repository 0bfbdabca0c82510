//! DCMTK: a Storage SCP as destination, senders, a dump.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::files::files_below;
use super::process::{Process, Run, free_port, listens, run, tool};

/// A running `storescp` that takes every SOP class and transfer syntax.
#[derive(Debug)]
pub(crate) struct StoreScp {
    pub(crate) ae_title: String,
    pub(crate) port: u16,
    folder: PathBuf,
    process: Process,
}

impl StoreScp {
    /// Starts one that writes into `folder` what it gets, byte for byte.
    pub(crate) fn start(folder: &Path, ae_title: &str) -> Self {
        Self::start_at(folder, ae_title, free_port())
    }

    /// As `start`, on a given port: for a destination that comes back.
    pub(crate) fn start_at(folder: &Path, ae_title: &str, port: u16) -> Self {
        Self::start_with(folder, ae_title, port, &["--accept-all"])
    }

    /// As `start_at`, taking transfer syntaxes by these options.
    pub(crate) fn start_with(folder: &Path, ae_title: &str, port: u16, takes: &[&str]) -> Self {
        fs::create_dir_all(folder).expect("folder for storescp");
        let mut command = Command::new(tool("storescp"));
        command.args(["--fork", "--promiscuous", "--bit-preserving"]).args(takes);
        command.args(["--aetitle", ae_title, "--output-directory"]).arg(folder);
        command.arg(port.to_string());
        let log = folder.with_extension("storescp.log");
        let mut process = Process::start("storescp", &mut command, &log);
        process.wait_for("storescp's port", || listens(port));
        Self { ae_title: ae_title.to_owned(), port, folder: folder.to_owned(), process }
    }

    /// What stands there, whole or not.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        files_below(&self.folder)
    }

    pub(crate) fn log(&self) -> String {
        self.process.log()
    }
}

/// `storescu OPTIONS -aec CALLED 127.0.0.1 PORT FILES`, folders included.
///
/// Proposes what `options` say, by default the uncompressed syntaxes; stops at
/// the first failure, and then its exit code is not 0.
pub(crate) fn storescu<F: AsRef<OsStr>>(
    called: &str,
    port: u16,
    options: &[&str],
    files: &[F],
) -> Run {
    let mut command = Command::new(tool("storescu"));
    command.args(["--scan-directories", "--recurse"]).args(options);
    command.args(["--call", called, "127.0.0.1", &port.to_string()]).args(files);
    run(&mut command)
}

/// A file coded by one of `dcmcrle`, `dcmcjpls` and the like.
pub(crate) fn coded(coder: &str, file: &Path) -> PathBuf {
    let coded = file.with_extension(coder);
    run(Command::new(tool(coder)).arg(file).arg(&coded)).success();
    coded
}

/// `dcmsend`: proposes for each file the transfer syntax that it has, sends
/// no other, and goes on after a refusal.
pub(crate) fn dcmsend<F: AsRef<OsStr>>(called: &str, port: u16, files: &[F]) -> Run {
    let mut command = Command::new(tool("dcmsend"));
    command.args(["--scan-directories", "--recurse", "--no-halt", "--decompress-never"]);
    command.args(["--call", called, "127.0.0.1", &port.to_string()]);
    run(command.args(files))
}

/// `echoscu`.
pub(crate) fn echoscu(calling: &str, called: &str, port: u16) -> Run {
    let mut command = Command::new(tool("echoscu"));
    command.args(["--aetitle", calling, "--call", called, "127.0.0.1", &port.to_string()]);
    run(&mut command)
}

/// The dump of a file; panics when DCMTK cannot read it.
pub(crate) fn dcmdump(file: &Path) -> String {
    run(Command::new(tool("dcmdump")).args(["--load-all", "--print-all"]).arg(file)).success()
}
