//! One node with its sender and its destinations: a folder beside its data and
//! a Storage SCP outside, so that each delivery is seen twice.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::dice::Dice;
use crate::load::{Log, To, is_nobodys, send_beside, write_instance, write_nobodys};
use crate::sink::Sink;
use crate::support::files::files_below;
use crate::support::node::Node;
use crate::support::object::CT;
use crate::support::process::wait_until;

/// Longest time in which nothing of what waits moves. A worker that was killed costs
/// a second, a fault of the disk 15; a machine that compiles beside it the rest.
const DRAIN_WAIT_MAX: Duration = Duration::from_secs(60);
const DRAIN_POLL: Duration = Duration::from_millis(20);
/// Longest wait for the sink to see that the node is gone.
const SINK_WAIT_MAX: Duration = Duration::from_secs(30);
/// Associations that send side by side.
const SENDERS: usize = 2;

/// A node under trial.
pub(crate) struct Trial {
    pub(crate) node: Node,
    pub(crate) sink: Sink,
    pub(crate) log: Log,
    files: TempDir,
    /// The next new instance's number.
    next: usize,
    /// Deliveries at the sink when the node died, for each time.
    pub(crate) deaths: Vec<usize>,
    /// Some instances have no Patient ID.
    pub(crate) sends_nobodys: bool,
}

impl Trial {
    /// A node that is not started yet, with pseudonyms of this mode.
    pub(crate) fn new(mode: &str) -> Self {
        let sink = Sink::start();
        let node = Node::prepare(&configuration(&sink, mode));
        let files = tempfile::tempdir().expect("a folder");
        Self {
            node,
            sink,
            log: Log::default(),
            files,
            next: 0,
            deaths: Vec::new(),
            sends_nobodys: false,
        }
    }

    pub(crate) fn to(&self) -> To {
        To { called: "AIRLOCK", port: self.node.port() }
    }

    /// Files of the next `count` instances; now and then one that was sent before
    /// and not acknowledged, as a modality does that tries again.
    pub(crate) fn next_files(&mut self, count: usize, dice: &mut Dice) -> Vec<PathBuf> {
        let acknowledged = self.log.acknowledged();
        let unanswered: Vec<_> = (0..self.next).filter(|one| !acknowledged.contains(one)).collect();
        let mut numbers: Vec<usize> = (self.next..self.next + count).collect();
        self.next += count;
        if !unanswered.is_empty() && dice.below(2) == 0 {
            self.log.note_resent(&unanswered);
            numbers.splice(0..0, unanswered);
        }
        let write = |number| {
            if self.sends_nobodys && is_nobodys(number) {
                write_nobodys(self.files.path(), number)
            } else {
                write_instance(self.files.path(), number)
            }
        };
        numbers.into_iter().map(write).collect()
    }

    /// Sends `count` instances over several associations at once.
    pub(crate) fn send(
        &mut self,
        count: usize,
        dice: &mut Dice,
    ) -> Vec<std::thread::JoinHandle<()>> {
        let files = self.next_files(count, dice);
        let mut shares = vec![Vec::new(); SENDERS];
        for (at, file) in files.into_iter().enumerate() {
            shares[at % SENDERS].push(file);
        }
        let to = self.to();
        shares.into_iter().map(|share| send_beside(&to, share, &self.log)).collect()
    }

    /// How many instances there are.
    pub(crate) fn sent(&self) -> usize {
        self.next
    }

    /// The node died by itself or was killed.
    pub(crate) fn note_death(&mut self) {
        // What it had sent is still on its way to the sink, and so is its end.
        let seen = || self.sink.is_alone().then_some(());
        wait_until("the sink's last word", SINK_WAIT_MAX, seen, || self.node.log_tail());
        self.deaths.push(self.sink.count());
    }

    /// Names in the spool, quarantine and its records left out.
    pub(crate) fn on_the_way(&self) -> Vec<PathBuf> {
        let set_aside = self.set_aside();
        let root = self.node.data().join("spool");
        let is_moving = |path: &PathBuf| {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            !name.is_some_and(|name| set_aside.contains(&name))
        };
        files_below(&root).into_iter().filter(is_moving).collect()
    }

    /// Ids in quarantine.
    pub(crate) fn set_aside(&self) -> Vec<String> {
        let all = files_below(&self.node.spool("quarantine"));
        all.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    /// Waits until nothing is on its way.
    pub(crate) fn drain(&self) {
        let (mut before, mut since) = (self.on_the_way(), Instant::now());
        while !before.is_empty() {
            let stuck = since.elapsed() > DRAIN_WAIT_MAX;
            assert!(!stuck, "not empty: {before:?}\n{}", self.node.log_tail());
            std::thread::sleep(DRAIN_POLL);
            let now = self.on_the_way();
            if now != before {
                (before, since) = (now, Instant::now());
            }
        }
    }

    /// What `airlock check` says of something.
    pub(crate) fn verdict_on(&self, what: &str) -> Value {
        let configuration = self.node.configuration();
        let check = ["check", "--config", configuration.to_str().expect("a path"), "--json"];
        let said = self.node.command(&check).stdout;
        let verdicts: Vec<Value> = serde_json::from_str(&said).expect("verdicts");
        verdicts.into_iter().find(|one| one["what"] == what).expect("a verdict")
    }

    /// Another start of the node that died, until it has delivered all.
    pub(crate) fn recover(&mut self) {
        self.node.start_again();
        self.drain();
    }

    /// Makes room for the next round of a long campaign.
    pub(crate) fn drop_files(&self) {
        for file in files_below(self.files.path()) {
            fs::remove_file(file).ok();
        }
    }
}

/// Header only, so that an instance costs milliseconds; one worker of each role.
pub(crate) fn configuration(sink: &Sink, mode: &str) -> String {
    configuration_through(sink.port(), mode)
}

/// The same, with the Storage SCP behind another port.
pub(crate) fn configuration_through(port: u16, mode: &str) -> String {
    format!(
        "[data]\nreserve_mib = 2\n[worker]\ncount = 1\n\
         [project.default]\nheader_only = ['{CT}']\nfaces = 'accepted'\npseudonym_mode = '{mode}'\n\
         [destination.folder]\nfolder = 'data/delivered'\n\
         [destination.sink]\nae_title = 'RESEARCH'\nhost = '127.0.0.1'\nport = {port}\n"
    )
}
