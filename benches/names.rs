//! Time of judging texts: rules alone, and with the recogniser of names.
//!
//! In: the lines of `tests/data/names`. One round judges 32 lines that were not
//! judged before, one after the other: nothing is read in batches, so a line
//! costs the same alone.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench stops at what it did not expect"
)]

use std::hint::black_box;

use airlock::clean::judge::{Judge, Matcher};
use airlock::clean::text::ModelFiles;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const LINES: &str = include_str!("../tests/data/names/lines.jsonl");
const ROUND: usize = 32;

fn names(criterion: &mut Criterion) {
    let lines: Vec<String> = LINES
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| line["text"].as_str().unwrap().to_owned())
        .collect();
    let files = ModelFiles::find(None).expect("run scripts/setup");
    assert!(files.names().is_some(), "the recogniser's files are missing");
    let matcher = Matcher::default();
    let mut group = criterion.benchmark_group("names");
    group.throughput(Throughput::Elements(ROUND.try_into().unwrap()));
    for (name, judge) in [("rules", Judge::new()), ("recogniser", Judge::with_names(&files))] {
        let turn = std::cell::Cell::new(0_usize);
        // A number before it makes a line one that was not seen.
        let next = || {
            turn.set(turn.get() + 1);
            let turn = turn.get();
            let line = |at: usize| format!("{turn} {}", lines[(turn * ROUND + at) % lines.len()]);
            (0..ROUND).map(line).collect::<Vec<_>>()
        };
        let judged = |lines: Vec<String>| {
            lines.iter().map(|line| judge.spans(line, &matcher).len()).sum::<usize>()
        };
        group.bench_function(name, |bencher| {
            bencher.iter_batched(&next, |lines| black_box(judged(lines)), BatchSize::SmallInput)
        });
    }
    group.finish();
}

criterion_group!(benches, names);
criterion_main!(benches);
