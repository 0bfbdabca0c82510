//! C9 and the long run: the cost of an instance does not grow with what waits,
//! 10,000 at once are taken, and an hour of work leaves memory and handles as
//! they were.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::dice::Dice;
use crate::load::{Line, Log, To, write_instance, write_of};
use crate::support::copies::Copies;
use crate::support::files::files_below;
use crate::support::node::Node;
use crate::support::object::CT;
use crate::support::process::{free_port, memory_bytes_peak, wait_until};

/// Folder alone; `more` is another destination.
fn node(more: &str) -> Node {
    Node::start(&format!(
        "[data]\nreserve_mib = 2\n[worker]\ncount = 1\n\
         [project.default]\nheader_only = ['{CT}']\nfaces = 'accepted'\n\
         [destination.folder]\nfolder = 'data/delivered'\n{more}"
    ))
}

fn to(node: &Node) -> To {
    To { called: "AIRLOCK", port: node.port() }
}

/// Processor time of the front so far (utime and stime of proc(5), at 100 Hz).
fn cpu(node: &Node) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", node.process_id())).unwrap();
    let fields: Vec<u64> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse().unwrap())
        .collect();
    Duration::from_millis(10 * fields.iter().sum::<u64>())
}

/// Instances that are measured.
const MEASURED: usize = 300;

/// Processor time of the front for an instance, and time to the answer.
fn cost(node: &Node, folder: &std::path::Path, from: usize) -> (Duration, Duration) {
    let files: Vec<PathBuf> =
        (from..from + MEASURED).map(|number| write_instance(folder, number)).collect();
    let waits = || node.spool("outbox/folder");
    let (before, begun) = (cpu(node), Instant::now());
    let mut line = Line::open(&to(node), &files[0], &Log::default()).unwrap();
    assert!(files.iter().all(|file| line.store(file) == Some(0)));
    let answered = begun.elapsed();
    line.release();
    let through =
        || (node.standing().received == 0 && files_below(&waits()).is_empty()).then_some(());
    wait_until("all in the folder", Duration::from_secs(60), through, || node.log_tail());
    let count = u32::try_from(MEASURED).unwrap();
    ((cpu(node) - before) / count, answered / count)
}

#[test]
#[ignore = "a measurement of minutes: scripts/soak --cost"]
fn an_instance_costs_the_same_beside_100_000_that_wait() {
    let home = tempfile::tempdir().unwrap();
    let down = format!(
        "[destination.down]\nae_title = 'DOWN'\nhost = '127.0.0.1'\nport = {}\n",
        free_port()
    );
    let mut node = node(&down);
    let first = write_instance(home.path(), 0);
    let mut line = Line::open(&to(&node), &first, &Log::default()).unwrap();
    line.store(&first);
    line.release();
    node.wait_standing("one that waits", |standing| standing.outbox == 1 && standing.received == 0);
    let mut costs = BTreeMap::new();
    let mut standing = 1;
    for waiting in [100, 10_000, 100_000] {
        node.stop();
        let clean = [("held", ""), ("cleaned", ""), ("outbox/down", ""), ("report", ".json")];
        Copies::of_the_oldest_in(&node, "held").make(standing, waiting - standing, &clean);
        standing = waiting;
        let begun = Instant::now();
        node.start_again();
        let ready = begun.elapsed();
        let found = cost(&node, home.path(), waiting);
        println!(
            "{waiting} waiting: ready in {ready:?}; front {:?} of processor, answer after {:?}",
            found.0, found.1
        );
        standing += MEASURED;
        costs.insert(waiting, found);
    }
    let (few, many) = (costs[&100], costs[&100_000]);
    assert!(many.0 < few.0 * 2 && many.1 < few.1 * 2, "{costs:?}");
}

#[test]
#[ignore = "a burst of 10,000 takes minutes: scripts/soak --burst"]
fn a_burst_of_10_000_on_1_4_and_16_associations_is_taken_and_memory_stays_bounded() {
    let node = node("");
    let home = tempfile::tempdir().unwrap();
    let mut next = 0;
    for associations in [1, 4, 16] {
        let share = 10_000 / associations;
        let begun = Instant::now();
        let address = to(&node);
        let mut times: Vec<Duration> = thread::scope(|scope| {
            let senders: Vec<_> = (0..associations)
                .map(|sender| {
                    let (address, folder) = (address.clone(), home.path().join(sender.to_string()));
                    let numbers = next + sender * share..next + (sender + 1) * share;
                    scope.spawn(move || {
                        let log = Log::default();
                        let first = write_instance(&folder, numbers.start);
                        let mut line = Line::open(&address, &first, &log).unwrap();
                        numbers
                            .map(|number| {
                                let file = write_instance(&folder, number);
                                let asked = Instant::now();
                                assert_eq!(line.store(&file), Some(0));
                                let took = asked.elapsed();
                                fs::remove_file(file).unwrap();
                                took
                            })
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
        });
        next += 10_000;
        let took = begun.elapsed();
        times.sort_unstable();
        let peak = memory_bytes_peak(node.process_id());
        println!(
            "{associations} associations: {} in {took:?}, p50 {:?}, p99 {:?}, front at most {} MiB",
            times.len(),
            times[times.len() / 2],
            times[times.len() * 99 / 100],
            peak >> 20
        );
        assert!(peak < 512 << 20, "{peak}");
    }
    let all = || (files_below(&node.data().join("delivered")).len() == next).then_some(());
    wait_until("all delivered", Duration::from_secs(1_200), all, || node.log_tail());
    assert_eq!(node.standing().quarantine, 0);
}

/// What is looked at: resident KiB and open files of the front and its workers.
#[derive(Debug, Clone, Copy)]
struct Sample {
    kib: u64,
    handles: usize,
}

fn sample(node: &Node) -> Sample {
    let workers = ["clean", "verify"].map(|role| node.workers(role)).concat();
    let mut sample = Sample { kib: 0, handles: 0 };
    for process in workers.into_iter().chain([node.process_id()]) {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        sample.kib += kib.unwrap_or(0);
        sample.handles +=
            fs::read_dir(format!("/proc/{process}/fd")).map_or(0, |handles| handles.count());
    }
    sample
}

/// Seconds between two samples.
const SAMPLE_EVERY: Duration = Duration::from_secs(2);

#[test]
#[ignore = "takes as long as it is told: scripts/soak"]
fn memory_and_handles_are_flat_over_a_long_run_at_half_load() {
    let seconds =
        std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3_600);
    let node = node("");
    let home = tempfile::tempdir().unwrap();
    // What it takes and delivers at most, for a tenth of the time and until all of that
    // is out: taking alone is faster than cleaning.
    let sent = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    paced(&node, home.path(), &sent, Duration::from_secs(seconds) / 10, Duration::ZERO);
    let mut delivered = 0;
    drain(&node, &sent, &mut delivered);
    let full = delivered / usize::try_from(begun.elapsed().as_secs().max(1)).unwrap();
    let pause = Duration::from_secs(1) / u32::try_from(full.max(2) / 2).unwrap();
    println!("full load: {full} instances a second; half of that for {seconds} s");
    let over = Arc::new(AtomicBool::new(false));
    let (mut samples, mut full_at) = (Vec::new(), None);
    thread::scope(|scope| {
        let (node, folder, sent, over_) = (&node, home.path(), &sent, Arc::clone(&over));
        scope.spawn(move || {
            paced(node, folder, sent, Duration::from_secs(seconds), pause);
            over_.store(true, Ordering::SeqCst);
        });
        while !over.load(Ordering::SeqCst) {
            thread::sleep(SAMPLE_EVERY);
            let now = sample(node);
            if samples.len() % PRINT_EVERY == 0 {
                println!("{delivered} delivered: {now:?}");
            }
            samples.push(now);
            delivered += taken_away(node);
            if delivered >= REMEMBERED && full_at.is_none() {
                full_at = Some(samples.len());
            }
        }
    });
    drain(&node, &sent, &mut delivered);
    // The first quarter warms caches, and what is remembered of instances grows until it
    // is full.
    let begin = full_at.unwrap_or_default().max(samples.len() / 4);
    let third = (samples.len() - begin) / 3;
    let early = median(&samples[begin..begin + third]);
    let late = median(&samples[samples.len() - third..]);
    println!("{delivered} delivered; early {early:?}, late {late:?}, of {} samples", samples.len());
    let grown = late.kib.saturating_sub(early.kib);
    assert!(grown * 20 <= early.kib, "memory grew by {grown} KiB: {early:?}, {late:?}");
    assert!(late.handles <= early.handles + 4, "handles: {early:?}, {late:?}");
    node.command(&["receipts", "verify"]).success();
}

/// Instances that a node remembers at most (`pipeline::versions`, `pipeline::sent`).
const REMEMBERED: usize = 200_000;
/// Samples between two that are printed: five minutes.
const PRINT_EVERY: usize = 150;

/// Patients who come again and again: what the table keeps of new ones grows with
/// them, and is measured by `scripts/bench-pseudonyms`.
const PATIENTS: usize = 300;

/// Waits until all that was sent is delivered, and takes it away.
fn drain(node: &Node, sent: &AtomicUsize, delivered: &mut usize) {
    let all = || {
        *delivered += taken_away(node);
        (*delivered == sent.load(Ordering::SeqCst)).then_some(())
    };
    wait_until("all delivered", Duration::from_secs(900), all, || node.log_tail());
}

/// Sends one after the other with a pause between; how many a second it came to.
fn paced(
    node: &Node,
    folder: &std::path::Path,
    sent: &AtomicUsize,
    time: Duration,
    pause: Duration,
) -> usize {
    let begun = Instant::now();
    let write = |number| write_of(folder, number, number / 3 % PATIENTS);
    let first = write(sent.load(Ordering::SeqCst));
    let mut line = Line::open(&to(node), &first, &Log::default()).unwrap();
    let mut dice = Dice::of(1, "soak");
    let (mut count, mut of_line) = (0, 0);
    while begun.elapsed() < time {
        let file = write(sent.load(Ordering::SeqCst));
        // Now and then another association, as by another modality.
        if of_line > 200 && dice.below(100) == 0 {
            let next = Line::open(&to(node), &file, &Log::default()).unwrap();
            std::mem::replace(&mut line, next).release();
            of_line = 0;
        }
        assert_eq!(line.store(&file), Some(0), "{}", node.log_tail());
        sent.fetch_add(1, Ordering::SeqCst);
        fs::remove_file(file).unwrap();
        (count, of_line) = (count + 1, of_line + 1);
        let due = pause * u32::try_from(count).unwrap();
        thread::sleep(due.saturating_sub(begun.elapsed()));
    }
    line.release();
    count / usize::try_from(time.as_secs().max(1)).unwrap()
}

/// Takes whole objects away from the destination, so that the disk does not fill.
fn taken_away(node: &Node) -> usize {
    let all = files_below(&node.data().join("delivered"));
    let whole = all.iter().filter(|path| path.extension().is_some_and(|ending| ending == "dcm"));
    whole.map(|path| fs::remove_file(path).unwrap()).count()
}

fn median(samples: &[Sample]) -> Sample {
    let mut kib: Vec<_> = samples.iter().map(|sample| sample.kib).collect();
    let mut handles: Vec<_> = samples.iter().map(|sample| sample.handles).collect();
    kib.sort_unstable();
    handles.sort_unstable();
    Sample { kib: kib[kib.len() / 2], handles: handles[handles.len() / 2] }
}
