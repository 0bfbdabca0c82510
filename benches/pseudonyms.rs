//! The table of pseudonyms at the size of a large archive: new persons a
//! second under load, look-ups, start, rebuild. Prints a table in Markdown.
//!
//! Not criterion: one table of a million persons is filled once and measured
//! from several sides. `PERSONS` and `THREADS` say how large, `DIR` where;
//! `REBUILD` makes only the index of a table again that stands there.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench stops at the first fault, prints, and measures by the clock"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use airlock::disk::RealDisk;
use airlock::identified::Identified;
use airlock::pseudonym::{Keys, MasterKey, PersonKey, PseudonymTable, SledTable, open};

/// Look-ups that are timed one by one.
const LOOKUPS: u64 = 100_000;

fn person(number: u64) -> PersonKey {
    PersonKey {
        issuer: Identified::new("HOSPITAL-A".to_owned()),
        patient_id: Identified::new(format!("{:010}", number * 7_919 + 12_345)),
    }
}

fn number_of(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

fn opened(dir: &Path) -> (SledTable, String, Duration) {
    let secret: Vec<u8> = (0..32_u8).map(|n| n.wrapping_mul(n).wrapping_add(1)).collect();
    let keys = Keys::new(MasterKey::from_secret(&secret).unwrap());
    let start = Instant::now();
    let (table, report) = open(&dir.join("pseudonyms"), &keys, Arc::new(RealDisk)).unwrap();
    (table, format!("{:?}", report.index), start.elapsed())
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse::<u64>().unwrap() / 1_024
}

fn bytes_below(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { bytes_below(&path) } else { path.metadata().unwrap().len() })
        .sum()
}

/// Pseudo-random, the same in every run.
fn scattered(round: u64, below: u64) -> u64 {
    round.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31).wrapping_mul(0xBF58_476D_1CE4_E5B9)
        % below
}

fn fill(table: &SledTable, range: std::ops::Range<u64>, threads: u64) -> f64 {
    let (next, count) = (AtomicU64::new(range.start), range.end - range.start);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= range.end {
                        break;
                    }
                    table.assign("trial", &person(number)).unwrap();
                }
            });
        }
    });
    count as f64 / start.elapsed().as_secs_f64()
}

/// Mean, median, 99th percentile in µs.
fn timed(mut one: impl FnMut(u64)) -> (f64, f64, f64) {
    let mut times: Vec<f64> = (0..LOOKUPS)
        .map(|round| {
            let start = Instant::now();
            one(round);
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    times.sort_by(f64::total_cmp);
    (mean, times[times.len() / 2], times[times.len() * 99 / 100])
}

fn row(what: &str, figure: &str) {
    println!("| {what} | {figure} |");
}

/// Loses the index of a table and makes it again.
fn rebuild(dir: &Path) -> u64 {
    let index = dir.join("pseudonyms/index");
    while index.is_dir() && std::fs::remove_dir_all(&index).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let (table, state, took) = opened(dir);
    let seconds = format!("{:.1}", took.as_secs_f64());
    row(&format!("start that makes the index again ({state}), s"), &seconds);
    table.len()
}

fn main() {
    // `cargo test` runs it too, without this.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    if let Ok(dir) = std::env::var("REBUILD") {
        rebuild(Path::new(&dir));
        return;
    }
    let (persons, threads) = (number_of("PERSONS", 1_000_000), number_of("THREADS", 64));
    let dir = PathBuf::from(std::env::var("DIR").unwrap_or("target/bench-pseudonyms".into()));
    if dir.is_dir() {
        std::fs::remove_dir_all(&dir).unwrap();
    }
    std::fs::create_dir_all(&dir).unwrap();
    row("what", "measured");
    row("---", "---");
    let (table, _, _) = opened(&dir);
    row(
        "new persons/s, one caller, each synced alone",
        &format!("{:.0}", fill(&table, 0..2_000, 1)),
    );
    row(
        "new persons/s, 9 callers (a node with 8 workers)",
        &format!("{:.0}", fill(&table, 2_000..20_000, 9)),
    );
    let tenth = persons / 10;
    let first = fill(&table, 20_000..20_000 + tenth, threads);
    let middle = fill(&table, 20_000 + tenth..persons - tenth, threads);
    let last = fill(&table, persons - tenth..persons, threads);
    row(
        &format!("new persons/s, {threads} callers: first tenth, between, last tenth"),
        &format!("{first:.0}, {middle:.0}, {last:.0}"),
    );
    row("persons", &format!("{}", table.len()));
    let code = table.lookup("trial", &person(7)).unwrap().unwrap().code;
    let known = timed(|round| {
        table.assign("trial", &person(scattered(round, persons))).unwrap();
    });
    let text = |(mean, median, p99): (f64, f64, f64)| format!("{mean:.1} ({median:.1}, {p99:.1})");
    row("known person → pseudonym, µs: mean (median, 99 %)", &text(known));
    let absent = timed(|round| {
        assert!(table.lookup("trial", &person(persons + round)).unwrap().is_none());
    });
    row("nobody, µs", &text(absent));
    let back = timed(|_round| {
        table.lookup_code("trial", &code).unwrap().unwrap();
    });
    row("pseudonym → person, µs", &text(back));
    row("resident memory, MiB", &format!("{}", resident_mib()));
    let start = Instant::now();
    table.verify().unwrap();
    row("verify, s", &format!("{:.1}", start.elapsed().as_secs_f64()));
    drop(table);
    let pseudonyms = dir.join("pseudonyms");
    let journal = pseudonyms.join("journal").metadata().unwrap().len();
    let index = bytes_below(&pseudonyms.join("index"));
    row("journal and index, MB", &format!("{}, {}", journal / 1_000_000, index / 1_000_000));
    let (table, state, took) = opened(&dir);
    row(
        &format!("start with an index that agrees ({state}), s"),
        &format!("{:.1}", took.as_secs_f64()),
    );
    drop(table);
    assert_eq!(rebuild(&dir), persons);
}
