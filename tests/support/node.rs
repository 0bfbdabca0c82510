//! airlock itself as a process: started, asked, stopped, killed, started again.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::process::{
    Process, READY_WAIT_MAX, Run, STOP_WAIT_MAX, memory_bytes_peak, run, tail, wait_until,
};

/// A node with a temporary home: configuration, data directory, log.
///
/// The configuration is the test's; data directory and port (a free one) come
/// by the environment and win over it.
#[derive(Debug)]
pub(crate) struct Node {
    home: TempDir,
    environment: Vec<(String, String)>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    process: Process,
    port: u16,
}

impl Node {
    /// Starts one; returns when it says that it is ready.
    pub(crate) fn start(configuration: &str) -> Self {
        let mut node = Self::prepare(configuration);
        node.start_again();
        node
    }

    /// Makes the home without starting, for a test that puts something there first.
    pub(crate) fn prepare(configuration: &str) -> Self {
        let home = tempfile::Builder::new().prefix("airlock-test-").tempdir().expect("a home");
        let node = Self { home, environment: Vec::new(), running: None };
        node.configure(configuration);
        node
    }

    /// Changes the configuration for the next start.
    pub(crate) fn configure(&self, configuration: &str) {
        fs::write(self.configuration(), configuration).expect("configuration");
    }

    /// Sets a variable for the next start and for commands.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.environment.retain(|(known, _)| known != name);
    }

    /// Starts it on the same data directory.
    pub(crate) fn start_again(&mut self) {
        let mut process = self.launch();
        let endpoints = self.endpoints_file();
        let port = process.wait_for("the node's endpoints", || dicom_port(&endpoints));
        self.running = Some(Running { process, port });
    }

    /// Starts it where it may die before it is ready; whether it is ready.
    pub(crate) fn start_unless_it_dies(&mut self) -> Result<(), ExitStatus> {
        let mut process = self.launch();
        let endpoints = self.endpoints_file();
        let look = || match process.ended() {
            Some(status) => Some(Err(status)),
            None => dicom_port(&endpoints).map(Ok),
        };
        let port = wait_until("the node's endpoints", READY_WAIT_MAX, look, || self.log_tail())?;
        self.running = Some(Running { process, port });
        Ok(())
    }

    /// Starts it and waits for its end: a start that must fail, or a kill point.
    pub(crate) fn start_and_wait(&mut self) -> ExitStatus {
        self.launch().wait(STOP_WAIT_MAX)
    }

    fn launch(&mut self) -> Process {
        assert!(self.running.is_none(), "the node runs already");
        // What a killed node left would pass for readiness.
        fs::remove_file(self.endpoints_file()).ok();
        let mut command = self.airlock(&["serve"]);
        command.arg("--config").arg(self.configuration());
        Process::start("airlock serve", &mut command, &self.home.path().join("node.log"))
    }

    fn endpoints_file(&self) -> PathBuf {
        self.data().join("run").join("endpoints.json")
    }

    /// Runs `airlock ARGUMENTS` on this node's data directory. What needs the
    /// whole configuration is given `--config` and [`Node::configuration`].
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Run {
        run(&mut self.airlock(arguments))
    }

    /// The records that `airlock ARGUMENTS` prints with `--json`: a list, or one a line.
    pub(crate) fn records(&self, arguments: &[&str]) -> Vec<Value> {
        let text = self.command(&[arguments, &["--json"]].concat()).success();
        match serde_json::from_str(&text) {
            Ok(Value::Array(records)) => records,
            _ => text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect(),
        }
    }

    /// `airlock ARGUMENTS` on this node's data directory, not started yet.
    pub(crate) fn airlock<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_airlock"));
        for (name, _) in env::vars_os().filter(|(name, _)| is_ours(name)) {
            command.env_remove(name);
        }
        // Set by cargo for the library's own tests; a node has to do without.
        command.env_remove("ORT_DISABLE_TELEMETRY");
        command.args(arguments);
        command.env("AIRLOCK__DATA__DIR", self.data()).env("AIRLOCK__DICOM__PORT", "0");
        command.envs(self.environment.iter().cloned()).current_dir(self.home.path());
        command
    }

    /// Its configuration file.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.home.path().join("airlock.toml")
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// The folder that holds configuration, data and log; free for a test's own files.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Its DICOM port.
    pub(crate) fn port(&self) -> u16 {
        self.running().port
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.running().process.id()
    }

    /// Most resident memory of the front process so far, in bytes.
    pub(crate) fn memory_bytes_peak(&self) -> u64 {
        memory_bytes_peak(self.process_id())
    }

    /// All that it logged, over all starts.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("node.log")).unwrap_or_default()
    }

    /// The end of it.
    pub(crate) fn log_tail(&self) -> String {
        tail(&self.home.path().join("node.log"))
    }

    /// Asks it to stop and waits for that.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        let mut process = self.take();
        process.terminate();
        process.wait(STOP_WAIT_MAX)
    }

    /// SIGKILL, as a power cut that spares the disk's cache.
    pub(crate) fn kill(&mut self) {
        self.take().kill();
    }

    /// Waits for an end that it brings about itself, as at a kill point.
    pub(crate) fn wait(&mut self, wait_max: Duration) -> ExitStatus {
        self.take().wait(wait_max)
    }

    /// Its exit status, when it has ended by itself.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.running.as_mut().expect("the node was started").process.ended()?;
        self.running = None;
        Some(status)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the node runs")
    }

    fn take(&mut self) -> Process {
        self.running.take().expect("the node runs").process
    }
}

fn is_ours(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with("AIRLOCK_")
}

/// The port in `run/endpoints.json`, once it is whole; that under TLS where no other is open.
fn dicom_port(endpoints: &Path) -> Option<u16> {
    let endpoints: Value = serde_json::from_slice(&fs::read(endpoints).ok()?).ok()?;
    endpoints["dicom"]
        .as_str()
        .or(endpoints["dicom_tls"].as_str())?
        .rsplit_once(':')?
        .1
        .parse()
        .ok()
}
