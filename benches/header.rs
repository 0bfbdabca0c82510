//! Time of cleaning a header, beside its floor: reading it.
//!
//! In: `HEADER_SLICE`, a CT slice that `scripts/bench-header` draws; without it
//! nothing is measured. `parse` reads the file into a tree (pixels stay where
//! they are), `basic` and `tcia` read it and do all that the cleaner does to a
//! header: collect what is known, judge, walk. `instance` is what a worker does
//! with the file: `clean` writes the header and looks through the pixels,
//! `verify` is the second door.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench stops at what it did not expect")]

use std::hint::black_box;
use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use airlock::clean::job::{Input, Subject, Tools, verify};
use airlock::clean::judge::{Judge, Matcher};
use airlock::clean::metadata::{HeaderContext, clean_header, collect_known};
use airlock::clean::redact::{LookError, Looker};
use airlock::clean::text::{TextLine, View};
use airlock::config::{CleanRules, Profile};
use airlock::dicom::DataSet;
use airlock::dicom::read::{ReadLimits, read_part10};
use airlock::pseudonym::{Assigned, UidKey};
use criterion::{Criterion, criterion_group, criterion_main};

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

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

/// Nobody looks at pictures of a class that is header-only.
struct Nobody;

impl Looker for Nobody {
    fn lines(&mut self, _view: &View) -> Result<Vec<TextLine>, LookError> {
        Err(LookError("header only".into()))
    }
}

fn instance(criterion: &mut Criterion) {
    let Some(path) = std::env::var_os("HEADER_SLICE") else { return };
    let (judge, uid_key) = (Judge::new(), UidKey([7; 32]));
    let assigned =
        Assigned { code: "INVENTED".into(), shift_days: -30, key_id: "0".repeat(8), uid_key };
    let header_only = [CT.to_owned()].into_iter().collect();
    let rules = CleanRules { header_only, ..CleanRules::default() };
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (&Path::new(&path).into(), folder.path().join("clean").into());
    let job = Input {
        input,
        output: &output,
        rules: &rules,
        default_issuer: "",
        in_parts: true,
        leave_in: None,
    };
    let clean = || {
        let mut tools = Tools { looker: &mut Nobody, judge: &judge, models: &[] };
        tools.clean(&job, |_identity| Ok(assigned.clone())).unwrap()
    };
    let mut group = criterion.benchmark_group("instance");
    group.bench_function("clean", |bencher| bencher.iter(|| black_box(clean())));
    let (report, parts) = clean();
    let subject = Subject { input, output: &output, parts: parts.as_ref() };
    group.bench_function("verify", |bencher| {
        bencher.iter(|| black_box(verify(subject, &rules, &assigned, &report).unwrap()));
    });
    group.finish();
}

fn quick() -> Criterion {
    let (warm_up, measure) = (Duration::from_millis(500), Duration::from_secs(2));
    Criterion::default().sample_size(20).warm_up_time(warm_up).measurement_time(measure)
}

criterion_group!(name = benches; config = quick(); targets = header, instance);
criterion_main!(benches);
