//! Child processes with a log, a deadline and an end.

use std::env;
use std::fmt::Display;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Longest wait for a peer to come up: a loaded CI machine takes several
/// times the second that it takes alone.
pub(crate) const READY_WAIT_MAX: Duration = Duration::from_secs(30);
/// Longest wait for an orderly end.
pub(crate) const STOP_WAIT_MAX: Duration = Duration::from_secs(30);
/// Ports that tests choose, and how many.
const PORTS_FROM: u16 = 20_000;
const PORTS: u16 = 12_000;
const POLL: Duration = Duration::from_millis(20);
/// Lines of a log shown when something fails.
const LOG_LINES_SHOWN: usize = 40;

/// A running child; killed and reaped on drop.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with stdout and stderr appended to `log`.
    pub(crate) fn start(name: &str, command: &mut Command, log: &Path) -> Self {
        let out = File::options().create(true).append(true).open(log).expect("log file");
        let err = out.try_clone().expect("log file");
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self { name: name.to_owned(), child, log: log.to_owned() }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The exit status, when it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("wait for a child")
    }

    /// SIGTERM: asks for an orderly end.
    pub(crate) fn terminate(&self) {
        let id = i32::try_from(self.id()).expect("process id");
        let pid = Pid::from_raw(id).expect("process id");
        kill_process(pid, Signal::TERM).expect("SIGTERM");
    }

    /// SIGKILL, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("wait for a child");
    }

    /// Waits for the end by itself.
    pub(crate) fn wait(&mut self, wait_max: Duration) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        let log = self.log.clone();
        wait_until(&what, wait_max, || self.ended(), || tail(&log))
    }

    /// The same, and what it and its children took of memory until then.
    pub(crate) fn wait_measured(&mut self, wait_max: Duration) -> (ExitStatus, Peaks) {
        let what = format!("the end of {}", self.name);
        let (log, id) = (self.log.clone(), self.id());
        let mut peaks = Peaks { front_bytes: 0, worker_bytes: 0 };
        let look = || {
            peaks.front_bytes = peaks.front_bytes.max(resident_bytes_peak(id).unwrap_or(0));
            let workers = children(id).into_iter().filter_map(resident_bytes_peak);
            peaks.worker_bytes = workers.fold(peaks.worker_bytes, u64::max);
            self.ended()
        };
        let status = wait_until(&what, wait_max, look, || tail(&log));
        (status, peaks)
    }

    /// Waits for `found`; panics with the log when the process or the time ends.
    pub(crate) fn wait_for<T>(&mut self, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
        let log = self.log.clone();
        let look = || {
            if let Some(value) = found() {
                return Some(value);
            }
            if let Some(status) = self.ended() {
                panic!("{} ended ({status}) before {what}:\n{}", self.name, tail(&self.log));
            }
            None
        };
        wait_until(what, READY_WAIT_MAX, look, || tail(&log))
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already; there is nothing else to do with a failure here.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Most resident memory of a process and of any of its children.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peaks {
    pub(crate) front_bytes: u64,
    pub(crate) worker_bytes: u64,
}

/// Processes that this one started.
fn children(process: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let of_task = |task: fs::DirEntry| fs::read_to_string(task.path().join("children")).ok();
    let all: Vec<String> = tasks.filter_map(of_task).collect();
    all.iter().flat_map(|ids| ids.split_whitespace()).filter_map(|id| id.parse().ok()).collect()
}

/// Most resident memory of a process so far, in bytes (`VmHWM`, proc(5)).
pub(crate) fn memory_bytes_peak(process: u32) -> u64 {
    resident_bytes_peak(process).expect("a process")
}

/// The same; nothing for a process that is gone.
fn resident_bytes_peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"))?;
    kib.parse::<u64>().ok()?.checked_mul(1024)
}

/// A loopback port that was free a moment ago. Below those that the system gives to
/// whoever asks for any, and no test asks for it twice.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 100).unwrap_or(0) * 100;
    let ports = || Some(PORTS_FROM + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS);
    std::iter::from_fn(ports)
        .take(usize::from(PORTS))
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a free port")
}

/// Whether something listens there.
pub(crate) fn listens(port: u16) -> Option<()> {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(drop)
}

/// Waits until `found` has something.
pub(crate) fn wait_for<T>(what: &str, wait_max: Duration, found: impl FnMut() -> Option<T>) -> T {
    wait_until(what, wait_max, found, String::new)
}

/// The same, with more to say when it does not come.
pub(crate) fn wait_until<T, E: Display>(
    what: &str,
    wait_max: Duration,
    mut found: impl FnMut() -> Option<T>,
    explain: impl Fn() -> E,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(start.elapsed() < wait_max, "no sign of {what} in {wait_max:?}\n{}", explain());
        thread::sleep(POLL);
    }
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
}

/// A counterpart's program; Debian keeps servers outside an ordinary PATH.
pub(crate) fn tool(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: run scripts/setup --dev"))
}

/// Runs to the end, stdout and stderr as text.
pub(crate) fn run(command: &mut Command) -> Run {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    Run::from(output)
}

/// What a finished command left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The exit code; panics when a signal ended it.
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("ended by a signal: {self:?}"))
    }

    /// stdout of a command that must have succeeded.
    pub(crate) fn success(self) -> String {
        assert!(self.status.success(), "{}\n{}\n{}", self.status, self.stdout, self.stderr);
        self.stdout
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
