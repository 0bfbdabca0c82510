//! C1: SIGKILL at the n-th system call of the front or of a worker, and at the
//! named points, while instances are received, cleaned, sent and receipted, and
//! while the next start takes up what was left.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use airlock::kill_point::NAMES;

use crate::check::{Tally, check};
use crate::dice::Dice;
use crate::support::process::{Process, tool};
use crate::trial::Trial;

/// Instances that are sent towards each kill.
const INSTANCES: usize = 6;
/// How often a named point may be passed before it kills: each instance passes it once.
const NTH_MAX: usize = INSTANCES;
/// Longest wait for a node to come to its point after all was sent and delivered.
const QUIET: Duration = Duration::from_millis(400);
/// Calls that a kill is tried at: those that change something outside the
/// process or wait for it. Waiting for locks and memory is left out.
const CALLS: &[&str] = &[
    "read",
    "write",
    "close",
    "lseek",
    "fsync",
    "fdatasync",
    "ftruncate",
    "rename",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "mkdir",
    "openat",
    "pwrite64",
    "pread64",
    "writev",
    "sendto",
    "recvfrom",
    "connect",
    "accept4",
    "socket",
    "statx",
    "newfstatat",
    "statfs",
    "getdents64",
    "fallocate",
    "sync_file_range",
    "epoll_ctl",
    "shutdown",
    "fcntl",
    "flock",
];

/// Which process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Front,
    Clean,
    Verify,
}

/// Where it dies.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Point {
    Named(&'static str, usize),
    Call(Who, String, usize),
}

impl Who {
    /// None: the last worker died, and no new one was needed yet.
    fn process(self, trial: &Trial) -> Option<u32> {
        match self {
            Self::Front => Some(trial.node.process_id()),
            Self::Clean => trial.node.workers("clean").pop(),
            Self::Verify => trial.node.workers("verify").pop(),
        }
    }
}

/// Named points on the way of an instance that is delivered.
fn names() -> Vec<&'static str> {
    let elsewhere =
        ["spool.quarantine", "spool.release", "spool.discard", "keys.", "corrections.recall"];
    let is_here = |name: &&&str| !elsewhere.iter().any(|other| name.starts_with(other));
    NAMES.iter().filter(is_here).copied().collect()
}

/// A unit of a campaign: one node that is killed `kills` times.
pub(crate) fn unit(dice: &mut Dice, kills: usize) -> Tally {
    let mut trial = Trial::new("hmac");
    trial.sends_nobodys = true;
    let mut tally = Tally::default();
    trial.node.start_again();
    let mut tries = 0;
    while tally.kill_points < kills && tries < 2 * kills {
        tries += 1;
        let point = draw(dice);
        let died = approach(&mut trial, &point, dice);
        if died {
            tally.kill_points += 1;
        } else {
            tally.not_reached += 1;
        }
        println!("{point:?}: {}", if died { "killed" } else { "not reached" });
        if died && dice.below(4) == 0 && die_in_the_next_start(&mut trial, dice) {
            tally.kill_points += 1;
        }
        if !trial.node.is_running() {
            trial.recover();
        }
    }
    // What a start leaves behind, the next one does not find.
    trial.node.stop();
    trial.node.start_again();
    trial.drain();
    let log = trial.node.log();
    let last = log.lines().rev().find(|line| line.contains("spool opened")).unwrap_or_default();
    let clean =
        ["received: 0", "held: 0", "outbox_links: 0", "parts_removed: 0", "litter_removed: 0"];
    let found = check(&trial);
    if !clean.iter().all(|count| last.contains(count)) {
        tally.faults.push(format!("a start after the last one finds: {last}"));
    }
    tally.add(found);
    tally
}

/// Sends towards a point that the front dies at, for whoever cuts the power there;
/// whether it died.
pub(crate) fn front_dies_at_some_point(trial: &mut Trial, dice: &mut Dice) -> bool {
    let point = loop {
        match draw(dice) {
            Point::Call(Who::Clean | Who::Verify, ..) => {}
            point => break point,
        }
    };
    let died = approach(trial, &point, dice);
    println!("{point:?}: {}", if died { "killed" } else { "not reached" });
    if !died && !trial.node.is_running() {
        trial.node.start_again();
    }
    died
}

/// The same at the front's n-th call.
pub(crate) fn front_dies_at(trial: &mut Trial, call: &str, nth: usize, dice: &mut Dice) -> bool {
    approach(trial, &Point::Call(Who::Front, call.to_owned(), nth), dice)
}

fn draw(dice: &mut Dice) -> Point {
    if dice.below(3) == 0 {
        return Point::Named(dice.of_slice::<&str>(&names()), 1 + dice.below(NTH_MAX));
    }
    let who = *dice.of_slice(&[Who::Front, Who::Front, Who::Front, Who::Clean, Who::Verify]);
    let calls = &counts()[&who];
    let at = dice.below(calls.len());
    let (call, most) = calls.iter().nth(at).expect("a call");
    Point::Call(who, call.clone(), 1 + dice.below(*most))
}

/// Arms the point, sends, and waits for the end; whether it came.
fn approach(trial: &mut Trial, point: &Point, dice: &mut Dice) -> bool {
    match point {
        Point::Named(name, nth) => {
            trial.node.stop();
            trial.node.set("AIRLOCK_KILL_POINT", &format!("{name}:{nth}"));
            let died = trial.node.start_unless_it_dies().is_err() || dies_under_load(trial, dice);
            trial.node.unset("AIRLOCK_KILL_POINT");
            if died {
                trial.note_death();
            } else {
                trial.node.stop();
            }
            died
        }
        Point::Call(Who::Front, call, nth) => {
            let strace = armed(trial, Who::Front, call, *nth).expect("a front");
            let died = dies_under_load(trial, dice);
            drop(strace);
            if died {
                trial.note_death();
            }
            died
        }
        Point::Call(who, call, nth) => {
            let Some(mut strace) = armed(trial, *who, call, *nth) else {
                // Brings a new one.
                assert!(!dies_under_load(trial, dice), "{}", trial.node.log_tail());
                return false;
            };
            let front_died = dies_under_load(trial, dice);
            assert!(!front_died, "{point:?} took the front along:\n{}", trial.node.log_tail());
            // strace ends with the one that it watches.
            strace.ended().is_some()
        }
    }
}

/// strace that kills the process at its call; returns when it watches.
fn armed(trial: &Trial, who: Who, call: &str, nth: usize) -> Option<Process> {
    let inject = format!("inject={call}:signal=KILL:when={nth}");
    watched(trial, who, &["-e", &format!("trace={call}"), "-e", &inject, "-o", "/dev/null"])
}

fn watched(trial: &Trial, who: Who, options: &[&str]) -> Option<Process> {
    let process = who.process(trial)?.to_string();
    let log = trial.node.home().join("strace.log");
    fs::remove_file(&log).ok();
    let mut command = Command::new(tool("strace"));
    command.arg("-f").args(options).args(["-p", &process]);
    let mut strace = Process::start("strace", &mut command, &log);
    let attached = || fs::read_to_string(&log).ok().filter(|text| text.contains("attached"));
    strace.wait_for("strace at the node", attached);
    Some(strace)
}

/// Sends; whether the front died before all was sent and delivered.
fn dies_under_load(trial: &mut Trial, dice: &mut Dice) -> bool {
    let senders = trial.send(INSTANCES, dice);
    let mut quiet_since = None;
    loop {
        if trial.node.ended().is_some() {
            senders.into_iter().for_each(|sender| sender.join().expect("a sender"));
            return true;
        }
        let all_sent = senders.iter().all(std::thread::JoinHandle::is_finished);
        if all_sent && trial.on_the_way().is_empty() {
            if quiet_since.get_or_insert_with(Instant::now).elapsed() > QUIET {
                return false;
            }
        } else {
            quiet_since = None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A second death while the node takes up what the first one left.
fn die_in_the_next_start(trial: &mut Trial, dice: &mut Dice) -> bool {
    if trial.node.is_running() {
        return false;
    }
    let name = *dice.of_slice::<&str>(&names());
    trial.node.set("AIRLOCK_KILL_POINT", name);
    let ready = trial.node.start_unless_it_dies();
    trial.node.unset("AIRLOCK_KILL_POINT");
    let died = ready.is_err() || {
        let start = Instant::now();
        loop {
            if trial.node.ended().is_some() {
                break true;
            }
            if trial.on_the_way().is_empty() && start.elapsed() > QUIET {
                break false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    println!("then {name}: {}", if died { "killed" } else { "not reached" });
    if died {
        trial.note_death();
    } else {
        trial.node.stop();
    }
    died
}

/// How often one thread of each process makes each call while instances pass.
fn counts() -> &'static BTreeMap<Who, BTreeMap<String, usize>> {
    static COUNTS: OnceLock<BTreeMap<Who, BTreeMap<String, usize>>> = OnceLock::new();
    COUNTS.get_or_init(|| {
        let all = [Who::Front, Who::Clean, Who::Verify];
        all.into_iter().map(|who| (who, counted(who))).collect()
    })
}

fn counted(who: Who) -> BTreeMap<String, usize> {
    let mut trial = Trial::new("hmac");
    trial.node.start_again();
    let seen = trial.node.home().join("calls.log");
    let watching = watched(&trial, who, &["-o", seen.to_str().expect("a path")]);
    let mut strace = watching.expect("a process");
    let died = dies_under_load(&mut trial, &mut Dice::of(0, "counts"));
    assert!(!died, "{}", trial.node.log_tail());
    trial.node.stop();
    // It writes all when the watched process is gone.
    strace.wait(Duration::from_secs(10));
    let mut by_thread: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in fs::read_to_string(seen).expect("what strace saw").lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((call, _)) = rest.trim_start().split_once('(') else { continue };
        if CALLS.contains(&call) {
            *by_thread.entry((call.to_owned(), thread.to_owned())).or_default() += 1;
        }
    }
    let mut most: BTreeMap<String, usize> = BTreeMap::new();
    for ((call, _thread), count) in by_thread {
        let entry = most.entry(call).or_default();
        *entry = count.max(*entry);
    }
    println!("calls of {who:?} by one thread: {most:?}");
    most
}
