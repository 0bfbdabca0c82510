//! What stands where in a node's data directory, and waiting for it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::files::files_below;
use super::node::Node;
use super::process::{Run, wait_until};

/// Longest wait for all that was received to be delivered or quarantined: on
/// a machine that compiles beside it, 50 pictures took 130 s.
const SETTLE_WAIT_MAX: Duration = Duration::from_secs(300);

/// Longest wait for the last names of what was delivered.
const FORGET_WAIT_MAX: Duration = Duration::from_secs(10);

/// Counts of names in the spool; a destination's link counts each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    pub(crate) incoming: usize,
    pub(crate) received: usize,
    pub(crate) held: usize,
    pub(crate) outbox: usize,
    pub(crate) quarantine: usize,
}

impl Node {
    /// Counts names. Looked at in the order in which an instance moves, so that
    /// none is missed while it moves on.
    pub(crate) fn standing(&self) -> Standing {
        let count = |dir: &str| files_below(&self.spool(dir)).len();
        Standing {
            incoming: count("incoming"),
            received: count("received"),
            held: count("held"),
            outbox: count("outbox"),
            quarantine: count("quarantine"),
        }
    }

    /// A directory of the spool.
    pub(crate) fn spool(&self, dir: &str) -> PathBuf {
        self.data().join("spool").join(dir)
    }

    /// Waits until nothing is on its way, and checks that `airlock queue` says so.
    pub(crate) fn settle(&self) -> Standing {
        let standing = self.wait_standing("an empty queue", |standing| {
            let quarantine = standing.quarantine;
            *standing == Standing { quarantine, ..Standing::default() }
        });
        self.wait_forgotten(standing.quarantine);
        let queue = self.queue();
        assert_eq!(queue["received"], 0, "{queue}");
        assert_eq!(queue["quarantine"], standing.quarantine, "{queue}");
        let outbox = queue["outbox"].as_object().expect("counts by destination");
        assert!(outbox.values().all(|waiting| waiting == 0), "{queue}");
        standing
    }

    /// What is delivered loses its original first and its record last: waits for that a
    /// moment. What a test left in those folders itself stays.
    fn wait_forgotten(&self, quarantined: usize) {
        let begun = Instant::now();
        let left = |dir: &str| files_below(&self.spool(dir)).len();
        while (left("meta") > quarantined || left("transactions") > 0)
            && begun.elapsed() < FORGET_WAIT_MAX
        {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the spool's names are as wanted.
    pub(crate) fn wait_standing(&self, what: &str, wanted: impl Fn(&Standing) -> bool) -> Standing {
        let look = || Some(self.standing()).filter(&wanted);
        let explain = || format!("{:?}\n{}", self.standing(), self.log_tail());
        wait_until(what, SETTLE_WAIT_MAX, look, explain)
    }

    /// `airlock queue --json`.
    pub(crate) fn queue(&self) -> Value {
        serde_json::from_str(&self.command(&["queue", "--json"]).success()).expect("JSON")
    }

    /// `airlock quarantine list --json`.
    pub(crate) fn quarantined(&self) -> Vec<Value> {
        self.records(&["quarantine", "list"])
    }

    /// How many stand in quarantine for which reason.
    pub(crate) fn reasons(&self) -> BTreeMap<String, usize> {
        let mut reasons = BTreeMap::new();
        for item in self.quarantined() {
            *reasons.entry(item["reason"].as_str().expect("a code").to_owned()).or_default() += 1;
        }
        reasons
    }

    /// Receipts of one outcome, as in `delivered`.
    pub(crate) fn receipts(&self, outcome: &str) -> Vec<Value> {
        let all = self.records(&["receipts"]);
        all.into_iter().filter(|receipt| receipt["outcome"] == outcome).collect()
    }

    /// Digests of what stands in the default destination, by path.
    pub(crate) fn delivered(&self) -> BTreeMap<PathBuf, String> {
        digests(&self.data().join("delivered"))
    }

    /// `AE@HOST:PORT` for `airlock send`.
    pub(crate) fn address(&self, called: &str) -> String {
        format!("{called}@127.0.0.1:{}", self.port())
    }

    /// Sends files as they are, by airlock itself: for what no other sender sends.
    pub(crate) fn send(&self, called: &str, files: &[PathBuf]) -> Run {
        let mut arguments = vec!["send".into(), self.address(called).into()];
        arguments.extend(files.iter().map(|file| file.clone().into_os_string()));
        self.command(&arguments)
    }

    /// Process ids of its workers of one role (`clean` or `verify`).
    pub(crate) fn workers(&self, role: &str) -> Vec<u32> {
        let parent = format!("PPid:\t{}\n", self.process_id());
        let of_node = |process: &Path| {
            let status = fs::read_to_string(process.join("status")).unwrap_or_default();
            let arguments = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
            status.contains(&parent) && arguments.split('\0').any(|argument| argument == role)
        };
        let processes = fs::read_dir("/proc").expect("/proc").flatten();
        let processes = processes.map(|entry| entry.path()).filter(|process| of_node(process));
        let id = |process: PathBuf| process.file_name()?.to_str()?.parse().ok();
        processes.filter_map(id).collect()
    }
}

/// Hex SHA-256 of every file below `folder`, by path relative to it.
pub(crate) fn digests(folder: &Path) -> BTreeMap<PathBuf, String> {
    let digest = |path: PathBuf| {
        let hash = Sha256::digest(fs::read(&path).expect("a file"));
        let path = path.strip_prefix(folder).expect("below the folder").to_owned();
        (path, hex(&hash))
    };
    files_below(folder).into_iter().map(digest).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string");
        text
    })
}
