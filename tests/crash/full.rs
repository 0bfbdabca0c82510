//! C3: no space and no inodes, in the middle of everything. Refused at once, in
//! words that the sender takes for "later"; taken again when there is room; nothing
//! acknowledged is lost, and nobody has to start the node again.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::check::{check, check_share, compare};
use crate::dice::Dice;
use crate::image::{Tmpfs, may_mount};
use crate::load::Line;
use crate::support::process::wait_until;
use crate::trial::Trial;

/// Out of resources (PS3.4 Table B.2-1).
const OUT_OF_RESOURCES: u16 = 0xA700;
/// How often it is asked, and the longest wait for the quickest refusal.
const ASKED: usize = 3;
const REFUSAL_MAX: Duration = Duration::from_secs(1);
/// Longest wait for intake once there is room.
const RESUME_MAX: Duration = Duration::from_secs(10);

/// What takes all the room.
#[derive(Debug)]
struct Ballast(PathBuf);

impl Ballast {
    /// Bytes until none fits, then so many less.
    fn of_bytes(data: &Path, left: u64) -> Self {
        let path = data.join("ballast");
        let mut file = File::create(&path).unwrap();
        let chunk = vec![7; 64 << 10];
        while file.write_all(&chunk).is_ok() {}
        let bytes = file.metadata().unwrap().len();
        file.set_len(bytes.saturating_sub(left)).unwrap();
        Self(path)
    }

    /// Files until none fits.
    fn of_files(data: &Path) -> Self {
        let path = data.join("ballast");
        fs::create_dir(&path).unwrap();
        for number in 0.. {
            if File::create(path.join(number.to_string())).is_err() {
                break;
            }
        }
        Self(path)
    }

    fn remove(self) {
        if self.0.is_dir() { fs::remove_dir_all(self.0) } else { fs::remove_file(self.0) }.unwrap();
    }
}

fn refused_and_resumed(what: &str, fill: impl Fn(&Path) -> Ballast) {
    let mut trial = Trial::new("random");
    let data = trial.node.data();
    let disk = Tmpfs::mounted_at(&data, 32, 4_000);
    trial.node.start_again();
    let files = trial.next_files(12, &mut Dice::of(1, what));
    let mut line = Line::open(&trial.to(), &files[0], &trial.log).unwrap();
    for file in &files[..4] {
        assert_eq!(line.store(file), Some(0));
    }
    trial.drain();
    let ballast = fill(&data);

    // The quickest of a few: other tests run beside it.
    let quickest = |ask: &mut dyn FnMut()| {
        let took = (0..ASKED).map(|_| {
            let asked = Instant::now();
            ask();
            asked.elapsed()
        });
        let took: Vec<_> = took.collect();
        let (quickest, slowest) = (took.iter().min().unwrap(), took.iter().max().unwrap());
        assert!(*quickest < REFUSAL_MAX, "{what}: refused after {took:?}");
        assert!(*slowest < REFUSAL_MAX * 10, "{what}: refused after {took:?}");
    };
    quickest(&mut || assert_eq!(line.store(&files[4]), Some(OUT_OF_RESOURCES), "{what}"));
    // PS3.8 Table 9-21: rejected-transient, local limit exceeded or temporary congestion.
    quickest(&mut || {
        let refusal = Line::open(&trial.to(), &files[4], &trial.log).err().expect("a refusal");
        assert!(refusal.to_string().contains("result 2"), "{what}: {refusal}");
    });
    let verdict = trial.verdict_on("disk");
    assert_eq!(verdict["good"], false, "{what}: {verdict}");
    let queue = trial.node.queue();
    assert!(queue["free_bytes"].is_u64() && queue["free_files"].is_u64(), "{queue}");
    assert_eq!(queue["failed"], false, "{what}: {queue}");

    ballast.remove();
    let freed = Instant::now();
    let again = || (line.store(&files[4]) == Some(0)).then_some(());
    wait_until("intake", RESUME_MAX, again, || trial.node.log_tail());
    println!("{what}: taken again {:?} after there was room", freed.elapsed());
    for file in &files[5..] {
        assert_eq!(line.store(file), Some(0), "{what}");
    }
    line.release();
    trial.drain();
    let mut tally = compare(&trial);
    check_share(&mut tally);
    assert!(tally.faults.is_empty() && tally.quarantined == 0, "{what}: {tally:#?}");
    trial.node.stop();
    drop(disk);
}

#[test]
fn a_full_disk_is_answered_a700_within_a_second_and_intake_resumes_when_there_is_room() {
    if !may_mount() {
        return;
    }
    refused_and_resumed("under the reserve", |data| Ballast::of_bytes(data, 1 << 20));
    refused_and_resumed("to the last byte", |data| Ballast::of_bytes(data, 0));
    refused_and_resumed("to the last file", Ballast::of_files);
}

/// Instances that are sent while the disk fills.
const LOAD: usize = 200;
/// The disk fills so soon after the first acknowledgement, in milliseconds.
const FILL_MS_MAX: usize = 150;

/// The disk fills while instances are received, cleaned, sent and receipted.
fn fills_under_load(what: &str, fill: impl Fn(&Path) -> Ballast) {
    let mut dice = Dice::of(1, what);
    let mut trial = Trial::new("random");
    let data = trial.node.data();
    let disk = Tmpfs::mounted_at(&data, 32, 6_000);
    trial.node.start_again();
    let senders = trial.send(LOAD, &mut dice);
    let promised = || (trial.log.count() > 0).then_some(());
    wait_until("a first acknowledgement", RESUME_MAX, promised, String::new);
    std::thread::sleep(Duration::from_millis(u64::try_from(dice.below(FILL_MS_MAX)).unwrap()));
    let ballast = fill(&data);
    std::thread::sleep(Duration::from_secs(2));
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    let (taken, refused) = (trial.log.count(), trial.log.refused());
    ballast.remove();
    let freed = Instant::now();
    let more = trial.next_files(6, &mut dice);
    let all_taken = || {
        let mut line = Line::open(&trial.to(), &more[0], &trial.log).ok()?;
        let all = more.iter().all(|file| line.store(file) == Some(0));
        line.release();
        all.then_some(())
    };
    wait_until("intake", RESUME_MAX, all_taken, || trial.node.log_tail());
    let resumed = freed.elapsed();
    trial.drain();
    let empty = freed.elapsed();
    println!(
        "{what}: {taken} taken, {refused:?} refused; intake after {resumed:?}, empty after {empty:?}"
    );
    assert!(refused.keys().all(|status| *status == OUT_OF_RESOURCES), "{refused:?}");
    let mut tally = compare(&trial);
    check_share(&mut tally);
    assert!(tally.faults.is_empty() && tally.quarantined == 0, "{what}: {tally:#?}");
    assert_eq!(trial.node.queue()["failed"], false);
    trial.node.stop();
    drop(disk);
}

#[test]
fn a_disk_whose_bytes_run_out_under_load_loses_nothing_and_needs_no_restart() {
    if may_mount() {
        fills_under_load("bytes under load", |data| Ballast::of_bytes(data, 0));
    }
}

#[test]
fn a_disk_whose_files_run_out_under_load_loses_nothing_and_needs_no_restart() {
    if may_mount() {
        fills_under_load("files under load", Ballast::of_files);
    }
}

/// Only this part of the data directory has no room for so many instances: what is acknowledged waits, is
/// sent once, and is through when there is room.
fn part_is_full(part: &str, instances: usize) {
    let mut trial = Trial::new("random");
    let disk = Tmpfs::mounted_at(&trial.node.data().join(part), 4, 500);
    trial.node.start_again();
    let mut dice = Dice::of(1, part);
    trial.send(6, &mut dice).into_iter().for_each(|sender| sender.join().unwrap());
    trial.drain();
    let ballast = Ballast::of_bytes(&trial.node.data().join(part), 0);
    trial.send(instances, &mut dice).into_iter().for_each(|sender| sender.join().unwrap());
    assert_eq!(trial.log.count(), 6 + instances, "the spool has room");
    std::thread::sleep(Duration::from_secs(3));
    let waiting = trial.on_the_way().len();
    assert!(waiting > 0, "{part} was not full");
    ballast.remove();
    let freed = Instant::now();
    trial.drain();
    println!(
        "{part} full: {waiting} names waited, empty {:?} after there was room",
        freed.elapsed()
    );
    let tally = check(&trial);
    assert!(tally.faults.is_empty() && tally.delivered == 6 + instances, "{part}: {tally:#?}");
    trial.node.stop();
    drop(disk);
}

#[test]
fn a_full_ledger_alone_holds_instances_back_and_sends_nothing_twice() {
    if may_mount() {
        part_is_full("receipts", 60);
    }
}

#[test]
fn a_full_pseudonym_table_alone_holds_new_persons_back_until_there_is_room() {
    if may_mount() {
        part_is_full("pseudonyms", 60);
    }
}

#[test]
fn a_full_memory_of_corrections_alone_holds_new_studies_back_until_there_is_room() {
    if may_mount() {
        // A page of the journal holds some 70 studies.
        part_is_full("corrections", 360);
    }
}
