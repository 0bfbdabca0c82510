//! Mutated files of every coding, cleaned in this process: no panic, no long
//! wait, no memory beyond what the limits allow, and what comes out can be
//! cleaned again.
//!
//! Method: a seeded mutator that knows the structure makes files of the small
//! pictures in `tests/data/codecs`; each goes the worker's way (`clean::job`)
//! with a looker that costs nothing. Ten seconds in `cargo test`, longer by
//! `scripts/mutate`. What failed once is kept in `tests/data/corpus` and is
//! cleaned here each time. The same through real processes is in
//! `tests/scenarios/mutated.rs`.
//!
//! `MUTATE_SECONDS`, `MUTATE_SEED`, `MUTATE_ONLY` (pictures whose names begin so) and
//! `MUTATE_CASE` (one case, told in full) steer it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, looks at the clock and tells what it did"
)]

#[path = "../support/mod.rs"]
mod support;

mod bounds;
mod subject;
mod tally;

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use airlock::reason::Reason;
use bounds::Watched;
use subject::{Outcome, Subject};
use support::files::{files_below, in_repository};
use support::mutate::{Random, mutant, seeds};
use tally::Tally;

/// How long plain `cargo test` mutates.
const SECONDS: u64 = 10;
/// The run of plain `cargo test`: the same files each time.
const SEED: u64 = 20_261_123;
/// Progressive coding is not among the processes of its transfer syntax (PS3.5
/// §A.4.1): it may be refused.
const MAY_BE_REFUSED: &str = "jpeg-progressive";
/// More findings say nothing new.
const FINDINGS_MAX: usize = 20;

/// Memory is measured for the whole process: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where findings are put, and the case at work in case it ends the process.
fn folder() -> PathBuf {
    let folder = in_repository("target/mutations");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}: {text}")))
}

/// The one picture of a coding that no transfer syntax in use has.
const REFUSED: &str = "jpeg-progressive";

#[test]
fn pictures_of_every_coding_are_cleaned_before_they_are_mutated() {
    let _turn = alone();
    let subject = Subject::new(&folder().join("pictures"));
    let mut refused = Vec::new();
    for path in files_below(&in_repository("tests/data/codecs")) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name == MAY_BE_REFUSED {
            continue;
        }
        for seed in 0..4 {
            let outcome = subject.clean(&fs::read(&path).unwrap(), Random::new(seed, 0));
            let expected = if name == REFUSED {
                matches!(outcome, Ok(Outcome::Refused(Reason::UnsupportedPixels, _)))
            } else {
                matches!(outcome, Ok(Outcome::Cleaned { .. }))
            };
            if !expected {
                refused.push(format!("{name}: {outcome:?}"));
                break;
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn what_failed_once_is_answered_for() {
    let _turn = alone();
    let mut watched = Watched::new(Subject::new(&folder().join("corpus")));
    for path in files_below(&in_repository("tests/data/corpus")) {
        if path.extension().is_none_or(|ending| ending != "dcm") {
            continue;
        }
        for seed in 0..4 {
            let case = watched.run(&fs::read(&path).unwrap(), Random::new(seed, 0));
            assert!(case.fault.is_none(), "{}: {case:?}", path.display());
        }
    }
}

#[test]
fn mutated_files_cost_one_instance_each_and_no_more_than_the_limits() {
    let _turn = alone();
    let seed = setting("MUTATE_SEED").unwrap_or(SEED);
    let time = Duration::from_secs(setting("MUTATE_SECONDS").unwrap_or(SECONDS));
    let only = setting("MUTATE_CASE");
    println!("seed {seed}, {} s", time.as_secs());
    let mut seeds = seeds();
    if let Ok(only) = std::env::var("MUTATE_ONLY") {
        seeds.retain(|picture| picture.name.starts_with(&only));
    }
    let mut watched = Watched::new(Subject::new(&folder().join("work")));
    let mut tally = Tally::default();
    let begun = Instant::now();
    for number in only.unwrap_or(0).. {
        let made = mutant(&seeds, seed, number);
        let case = watched.run(&made.bytes, Random::new(!seed, number));
        if only.is_some() {
            let path = folder().join(format!("seed{seed}-case{number}.dcm"));
            fs::write(&path, &made.bytes).unwrap();
            println!("{}: {:?}\n{case:?}", path.display(), made.story);
        }
        if let Some(fault) = tally.add(number, &made.story, &case) {
            let path = folder().join(format!("seed{seed}-case{number}.dcm"));
            fs::write(&path, &made.bytes).unwrap();
            println!("FINDING case {number}, {:?}: {fault}\n  {}", made.story, path.display());
        }
        let ended = begun.elapsed() > time || tally.findings() >= FINDINGS_MAX;
        if only.is_some() || ended {
            break;
        }
    }
    println!("{tally}");
    assert_eq!(tally.findings(), 0, "see target/mutations; seed {seed}");
}
