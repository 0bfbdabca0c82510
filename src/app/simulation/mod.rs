//! A node in simulated time over a disk that forgets, among destinations that
//! answer as a seed has it: power cuts at any call of the disk, errors of the disk,
//! restarts, until all is quiet; then the claims of docs/CRASHLAB.md.
//!
//! Real: the door's store, spool, queue, stages, delivery and its backoff, studies,
//! versions, keep, ledger, memory of corrections, admission of clean copies.
//! Scripted: DICOM associations on both sides (what is answered, not how), both
//! workers, the table of pseudonyms, clock and disk. Blocking steps run at once, with
//! pauses that the seed gives (`crate::simulated`), so that a seed is one run.
//!
//! `AIRLOCK_SIMULATION_SEEDS=N` or `FROM..TO` says which seeds the tests take.

mod checks;
mod net;
mod node;
mod parts;

use std::ops::Range;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use node::Broken;

/// Seeds of an ordinary test run: some seconds.
const SEEDS: u64 = 1_000;

static PANICS: AtomicUsize = AtomicUsize::new(0);
thread_local! {
    static HERE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Counts panics of tasks on threads that simulate.
fn count_panics() {
    static HOOK: Once = Once::new();
    HERE.set(true);
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if HERE.get() {
                PANICS.fetch_add(1, Ordering::Relaxed);
            }
            before(info);
        }));
    });
}

fn seeds(ordinary: Range<u64>) -> Range<u64> {
    let Ok(asked) = std::env::var("AIRLOCK_SIMULATION_SEEDS") else { return ordinary };
    match asked.split_once("..") {
        Some((from, to)) => from.parse().unwrap()..to.parse().unwrap(),
        None => {
            let seed: u64 = asked.parse().unwrap();
            seed..seed + 1
        }
    }
}

fn run_all(seeds: Range<u64>) {
    count_panics();
    let (mut failed, mut totals) = (Vec::new(), node::Totals::default());
    for seed in seeds.clone() {
        let before = PANICS.load(Ordering::Relaxed);
        let mut run = node::run(seed, Broken::No);
        if PANICS.load(Ordering::Relaxed) != before {
            run.faults.push("a task panicked".into());
        }
        totals.add(&run.totals);
        if !run.faults.is_empty() {
            if failed.is_empty() {
                run.log.iter().for_each(|line| println!("{line}"));
            }
            failed.push(format!("seed {seed}: {}", run.faults.join("; ")));
        }
    }
    println!("{} seeds: {totals:?}", seeds.end - seeds.start);
    let shown: Vec<_> = failed.iter().take(20).cloned().collect();
    assert!(failed.is_empty(), "{} seeds failed\n{}", failed.len(), shown.join("\n"));
}

#[test]
fn nothing_acknowledged_is_lost_whenever_the_power_goes() {
    run_all(seeds(0..SEEDS));
}

#[test]
#[ignore = "minutes"]
fn thousands_of_seeds() {
    run_all(seeds(0..10_000));
}

#[test]
fn a_seed_is_one_run() {
    for seed in 0..10 {
        let (first, second) = (node::run(seed, Broken::No), node::run(seed, Broken::No));
        assert!(first.log.len() > 1, "seed {seed} does something");
        assert_eq!(first.log, second.log, "seed {seed}");
    }
}

#[test]
fn a_node_that_is_broken_on_purpose_is_noticed() {
    for broken in [
        Broken::BytesUnsynced,
        Broken::NamesUnsynced,
        Broken::AnsweredEarly,
        Broken::Forgotten,
        Broken::Uncleaned,
        Broken::Twice,
    ] {
        let noticed = (0..60).filter(|seed| !node::run(*seed, broken).faults.is_empty()).count();
        println!("{broken:?}: noticed under {noticed} of 60 seeds");
        assert!(noticed > 0, "{broken:?}");
    }
}
