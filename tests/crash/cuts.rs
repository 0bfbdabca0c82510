//! C2: the power goes off under load; the next start has what the device held.
//!
//! Pseudonyms are random here: what the table lost, nothing else knows.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::check::{Tally, check};
use crate::dice::Dice;
use crate::image::Image;
use crate::kills;
use crate::support::process::wait_until;
use crate::trial::Trial;

/// Instances that are sent towards each cut; the cut comes before the last.
const INSTANCES: usize = 240;
/// For system calls that SIGSTOP found inside the kernel to end.
const STOP_WAIT: Duration = Duration::from_millis(20);
/// Longest load before a cut, in milliseconds.
const LOAD_MS_MAX: usize = 700;
const SENT_WAIT_MAX: Duration = Duration::from_secs(30);

/// A unit of a campaign: one node whose power is cut `cuts` times, at a random
/// moment under load or at a system call or named point that it was led to.
pub(crate) fn unit(dice: &mut Dice, cuts: usize) -> Tally {
    let mut trial = Trial::new("random");
    trial.sends_nobodys = true;
    let mut image = Image::mounted_at(&trial.node.data());
    let mut tally = Tally::default();
    trial.node.start_again();
    for _ in 0..cuts {
        if dice.below(2) == 0 && kills::front_dies_at_some_point(&mut trial, dice) {
            cut_off_the_dead(&trial, &mut image);
        } else {
            cut_under_load(&mut trial, &mut image, dice);
        }
        tally.power_cuts += 1;
        trial.recover();
        trial.drop_files();
    }
    tally.add(check(&trial));
    // Its files are open until it ends.
    trial.node.stop();
    drop(image);
    tally
}

/// Which way the power of a broken node is cut.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// At a random moment under load.
    UnderLoad,
    /// While it waits for what comes after an acknowledgement.
    AfterAnAnswer,
}

/// A cut of a node that leaves out syncs, and need not come up again: what of
/// its promises is gone.
pub(crate) fn cut_of_broken(dice: &mut Dice, left_out: &str, way: Way) -> Tally {
    let mut trial = Trial::new("random");
    let mut image = Image::mounted_at(&trial.node.data());
    // Until here it is sound: what is lost was promised by the broken one.
    trial.node.start_again();
    trial.drain();
    trial.node.stop();
    trial.node.set("AIRLOCK_SYNC_LEFT_OUT", left_out);
    trial.node.start_again();
    match way {
        Way::UnderLoad => cut_under_load(&mut trial, &mut image, dice),
        Way::AfterAnAnswer => {
            let nth = 3 + dice.below(4);
            if !kills::front_dies_at(&mut trial, "recvfrom", nth, dice) {
                return Tally::default();
            }
            cut_off_the_dead(&trial, &mut image);
        }
    }
    let mut tally = if trial.node.start_unless_it_dies().is_ok() {
        trial.drain();
        let found = check(&trial);
        trial.node.stop();
        found
    } else {
        let count = trial.log.count();
        let faults = vec![format!("it does not start again: {}", trial.node.log_tail())];
        Tally { acknowledged: count, lost: count, faults, ..Tally::default() }
    };
    tally.power_cuts = 1;
    drop(image);
    tally
}

/// The power goes off where the front has just been killed.
fn cut_off_the_dead(trial: &Trial, image: &mut Image) {
    for worker in left_behind(trial) {
        kill_process(worker, Signal::KILL).ok();
    }
    std::thread::sleep(STOP_WAIT);
    wait_until(
        "the workers' end",
        SENT_WAIT_MAX,
        || left_behind(trial).is_empty().then_some(()),
        || trial.node.log_tail(),
    );
    let frozen = image.freeze();
    image.thaw(frozen);
}

/// Sends until a moment that the dice choose, stops the node there, keeps what
/// the device holds and goes on from that.
fn cut_under_load(trial: &mut Trial, image: &mut Image, dice: &mut Dice) {
    let before = trial.log.count();
    let senders = trial.send(INSTANCES, dice);
    // Not before something was promised.
    let promised = || (trial.log.count() > before).then_some(());
    let explain = || trial.node.log_tail();
    wait_until("a first acknowledgement", SENT_WAIT_MAX, promised, explain);
    std::thread::sleep(Duration::from_millis(u64::try_from(dice.below(LOAD_MS_MAX)).unwrap()));
    let front = pid(trial.node.process_id());
    let workers = left_behind(trial);
    [front].iter().chain(&workers).for_each(|one| kill_process(*one, Signal::STOP).unwrap());
    std::thread::sleep(STOP_WAIT);
    let stopped = || [front].iter().chain(&workers).all(|one| is_stopped(*one)).then_some(());
    wait_until("all to stand still", SENT_WAIT_MAX, stopped, || trial.node.log_tail());
    let frozen = image.freeze();
    workers.iter().for_each(|one| kill_process(*one, Signal::KILL).unwrap());
    trial.node.kill();
    // What the sender was told, it was told before; now it sees the connection end.
    senders.into_iter().for_each(|sender| sender.join().expect("a sender"));
    trial.note_death();
    image.thaw(frozen);
}

/// Each thread of the process stands still, none of them inside a call (proc(5)); one
/// that is gone does too.
fn is_stopped(process: Pid) -> bool {
    let number = process.as_raw_nonzero();
    let threads = fs::read_dir(format!("/proc/{number}/task")).into_iter().flatten().flatten();
    let status = threads.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
    let mut states = status.filter_map(|stat| {
        let (_name, rest) = stat.rsplit_once(") ")?;
        rest.chars().next()
    });
    states.all(|state| matches!(state, 'T' | 't' | 'Z' | 'X'))
}

/// Workers of this node, whose front may be dead: they stand in its home.
pub(crate) fn left_behind(trial: &Trial) -> Vec<Pid> {
    let home = trial.node.home().canonicalize().expect("a home");
    let is_worker = |process: &Path| {
        let arguments = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
        fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == home)
            && arguments.split('\0').any(|argument| argument == "worker")
    };
    let processes = fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path());
    let id = |process: PathBuf| process.file_name()?.to_str()?.parse().ok();
    processes.filter(|process| is_worker(process)).filter_map(id).map(pid).collect()
}

pub(crate) fn pid(id: u32) -> Pid {
    i32::try_from(id).ok().and_then(Pid::from_raw).expect("a process id")
}
