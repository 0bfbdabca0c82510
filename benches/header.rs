//! Time of cleaning a header, beside its floor: reading it.
//!
//! In: `HEADER_SLICE`, a CT slice that `scripts/bench-header` draws; without it
//! nothing is measured. `parse` reads the file into a tree (pixels stay where
//! they are), `basic` and `tcia` read it and do all that the cleaner does to a
//! header: collect what is known, judge, walk.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench stops at what it did not expect")]

use std::hint::black_box;
use std::io::Cursor;
use std::time::Duration;

use airlock::clean::judge::{Judge, Matcher};
use airlock::clean::metadata::{HeaderContext, clean_header, collect_known};
use airlock::config::Profile;
use airlock::dicom::DataSet;
use airlock::dicom::read::{ReadLimits, read_part10};
use airlock::pseudonym::{Assigned, UidKey};
use criterion::{Criterion, criterion_group, criterion_main};

fn parsed(file: &[u8]) -> DataSet {
    read_part10(&mut Cursor::new(file), &ReadLimits::default()).unwrap().set
}

fn cleaned(file: &[u8], profile: &Profile, judge: &Judge, assigned: &Assigned) -> DataSet {
    let set = parsed(file);
    let matcher = Matcher::new(&collect_known(&set));
    let context = HeaderContext { profile, assigned, judge, matcher: &matcher };
    clean_header(&set, &context).unwrap().0
}

fn header(criterion: &mut Criterion) {
    let Some(path) = std::env::var_os("HEADER_SLICE") else { return };
    let file = std::fs::read(path).unwrap();
    let (judge, uid_key) = (Judge::new(), UidKey([7; 32]));
    let assigned =
        Assigned { code: "INVENTED".into(), shift_days: -30, key_id: "0".repeat(8), uid_key };
    let mut group = criterion.benchmark_group("header");
    group.bench_function("parse", |bencher| bencher.iter(|| black_box(parsed(&file))));
    for profile in [Profile::basic(), Profile::tcia()] {
        group.bench_function(profile.name.clone(), |bencher| {
            bencher.iter(|| black_box(cleaned(&file, &profile, &judge, &assigned)));
        });
    }
    group.finish();
}

fn quick() -> Criterion {
    let (warm_up, measure) = (Duration::from_millis(500), Duration::from_secs(2));
    Criterion::default().sample_size(20).warm_up_time(warm_up).measurement_time(measure)
}

criterion_group!(name = benches; config = quick(); targets = header);
criterion_main!(benches);
