//! Time for a frame in every coding: decoding, looking (decoding, and pictures
//! to look at), and the whole job of hiding a box: looking, then once more with
//! painting and coding.
//!
//! In: the files of `CODEC_CINES`, a folder that `scripts/bench-codecs` fills;
//! without it nothing is measured. Finding text is left out (a looker that
//! always finds the same box), since it does not depend on the coding.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench stops at what it did not expect"
)]

use std::fs;
use std::hint::black_box;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

use airlock::clean::judge::{Judge, Matcher};
use airlock::clean::pixels::{Codec, Decoded, Decoder, FrameSource, PixelAttributes, Received};
use airlock::clean::redact::{LookError, Looker, PixelContext, PixelOutcome, clean_pixels};
use airlock::clean::text::{TextLine, View};
use airlock::config::CleanRules;
use airlock::dicom::read::{ReadLimits, read_part10};
use airlock::dicom::{DataSet, Tag, TransferSyntax};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);

/// One file, held in memory.
struct Cine {
    name: String,
    file: Cursor<Vec<u8>>,
    set: DataSet,
    syntax: TransferSyntax,
    big_endian: bool,
    codec: Codec,
    attributes: PixelAttributes,
    source: FrameSource,
    rules: CleanRules,
}

/// Finds a name in the first look, then nothing more.
struct Once(bool);

impl Looker for Once {
    fn lines(&mut self, view: &View) -> Result<Vec<TextLine>, LookError> {
        let first = std::mem::replace(&mut self.0, false);
        let right = (view.width / 2) as f32;
        let corners = [[12.0, 8.0], [right, 8.0], [right, 40.0], [12.0, 40.0]];
        let line = TextLine { corners, text: "Invented Ida".into(), confidence: 0.99 };
        Ok(first.then_some(line).into_iter().collect())
    }
}

impl Cine {
    fn open(path: &Path) -> Self {
        let mut file = Cursor::new(fs::read(path).unwrap());
        let read = read_part10(&mut file, &ReadLimits::default()).unwrap();
        let (set, syntax) = (read.set, read.meta.transfer_syntax);
        let rules = CleanRules::default();
        let codec = Codec::of(&syntax).unwrap();
        let attributes = PixelAttributes::read(&set, &rules.limits).unwrap();
        let big_endian = read.encoding.big_endian;
        let pixels = set.get(PIXEL_DATA).unwrap();
        let received =
            Received { set: &set, pixel_data: pixels, attributes: &attributes, codec, big_endian };
        let source = FrameSource::new(&received, &rules.limits, &mut file).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Self { name, file, set, syntax, big_endian, codec, attributes, source, rules }
    }

    fn decode(&mut self, frame: u32) -> Decoded {
        let coded = self.source.read(frame, &mut self.file).unwrap();
        Decoder { attributes: &self.attributes, codec: self.codec }.decode(coded).unwrap()
    }

    /// Cleans the instance with a looker that finds a box, or nothing.
    fn clean(&mut self, finds: bool, judge: &Judge, matcher: &Matcher) {
        let done = clean_pixels(PixelContext {
            set: &self.set,
            syntax: &self.syntax,
            input: &mut self.file,
            input_big_endian: self.big_endian,
            scratch: &mut Cursor::new(Vec::new()),
            looker: &mut Once(finds),
            judge,
            matcher,
            rules: &self.rules,
            uncoded: false,
        });
        let painted = matches!(done, Ok(PixelOutcome::Rewritten { .. }));
        assert!(done.is_ok() && (painted || !finds), "{done:?}");
    }
}

fn cines() -> Vec<PathBuf> {
    let Some(folder) = std::env::var_os("CODEC_CINES") else { return Vec::new() };
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some()).collect();
    files.sort();
    files
}

fn codecs(criterion: &mut Criterion) {
    let (judge, matcher) = (Judge::new(), Matcher::new(&Default::default()));
    for path in cines() {
        let mut cine = Cine::open(&path);
        let count = cine.attributes.frames;
        let mut group = criterion.benchmark_group(&cine.name);
        group.throughput(Throughput::Elements(1));
        let mut next = (0..count).cycle();
        group.bench_function("decode", |bencher| {
            bencher.iter(|| black_box(cine.decode(next.next().unwrap())));
        });
        group.throughput(Throughput::Elements(count.into()));
        for (name, finds) in [("look", false), ("hide", true)] {
            group.bench_function(name, |bencher| {
                bencher.iter(|| cine.clean(finds, &judge, &matcher));
            });
        }
        group.finish();
    }
}

fn quick() -> Criterion {
    // Codecs take the same time each time: few samples are enough.
    let (warm_up, measure) = (Duration::from_millis(300), Duration::from_secs(1));
    Criterion::default().sample_size(10).warm_up_time(warm_up).measurement_time(measure)
}

criterion_group!(name = benches; config = quick(); targets = codecs);
criterion_main!(benches);
