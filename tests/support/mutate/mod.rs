//! Files that no sender meant: good small pictures of every coding in
//! (`tests/data/codecs`), mutated files out.
//!
//! Knows the structure: attributes, fragments, offset tables and the segments of
//! codestreams are changed apart and together, so that a change gets past the
//! first check. Invariant: seed and case number give the same bytes everywhere.

mod attributes;
mod codestream;
mod picture;
mod random;

use std::fs;

pub(crate) use picture::Picture;
pub(crate) use random::Random;

use super::files::{files_below, in_repository};
use super::object::SOP_INSTANCE;
use picture::Form;

/// Most changes of one picture: more give noise that the first check refuses.
const CHANGES_MAX: usize = 3;
/// Longest file: the time goes into many files, not into long ones.
const FILE_BYTES_MAX: usize = 1 << 20;

/// A mutated file, and how it was made.
#[derive(Debug)]
pub(crate) struct Mutant {
    pub(crate) bytes: Vec<u8>,
    /// The picture it was made from and the changes, for the report.
    pub(crate) story: Vec<String>,
}

/// The pictures to begin with, in order of their names.
pub(crate) fn seeds() -> Vec<Picture> {
    let files = files_below(&in_repository("tests/data/codecs"));
    assert!(files.len() >= 40, "pictures are missing: {}", files.len());
    let read = |path: &std::path::PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        Picture::read(&name, &fs::read(path).expect("a picture"))
    };
    files.iter().map(read).collect()
}

type Change = fn(&mut Picture, &[Picture], &mut Random);

/// Changes and how often each is made, in relation.
const CHANGES: &[(&str, usize, Change)] = &[
    ("attribute", 4, attributes::change_one),
    ("size everywhere", 3, attributes::resize_everywhere),
    ("precision everywhere", 2, attributes::change_precision_everywhere),
    ("photometric", 2, attributes::change_photometric),
    ("frames", 2, attributes::change_frames),
    ("palette", 1, attributes::change_palette),
    ("transfer syntax", 1, attributes::change_syntax),
    ("segment field", 8, codestream::change_field),
    ("segment length", 2, codestream::change_length),
    ("segment moved", 2, codestream::move_segment),
    ("segment of another", 2, codestream::take_segment),
    ("marker", 2, codestream::change_marker),
    ("restart markers", 2, codestream::put_restarts),
    ("head of RLE", 3, codestream::change_rle_head),
    ("coded bytes", 6, codestream::change_bytes),
    ("cut", 3, codestream::cut),
    ("spliced", 2, codestream::splice),
    ("fragments", 3, codestream::change_fragments),
    ("offset table", 2, codestream::change_table),
];

/// The mutated file number `case` of a run.
pub(crate) fn mutant(seeds: &[Picture], seed: u64, case: u64) -> Mutant {
    let mut random = Random::new(seed, case);
    let mut picture = random.pick(seeds).clone();
    let mut story = vec![picture.name.clone()];
    for _ in 0..=random.below(CHANGES_MAX) {
        let (name, change) = choose(&mut random);
        change(&mut picture, seeds, &mut random);
        story.push(name.to_owned());
    }
    // Each file is an instance of its own.
    picture.set_text(SOP_INSTANCE, *b"UI", &format!("2.25.20260201.1.{case}"));
    let form = if picture.is_native() && random.one_in(2) {
        random.pick(&[Form::ImplicitLittle, Form::ExplicitBig, Form::Deflated]).to_owned()
    } else {
        Form::ExplicitLittle
    };
    if form != Form::ExplicitLittle {
        story.push(format!("{form:?}"));
    }
    let written = picture.write(form);
    let mut bytes = written.bytes;
    if random.one_in(8) {
        story.push(change_file(&mut bytes, &written.lengths, seeds, &mut random).to_owned());
    }
    bytes.truncate(FILE_BYTES_MAX);
    Mutant { bytes, story }
}

fn choose(random: &mut Random) -> (&'static str, Change) {
    let all = CHANGES.iter().map(|(_, weight, _)| weight).sum();
    let mut left = random.below(all);
    for (name, weight, change) in CHANGES {
        if left < *weight {
            return (name, *change);
        }
        left -= weight;
    }
    unreachable!("the weights add up")
}

/// Changes bytes of the whole file. `lengths` are the places of length fields.
fn change_file(
    bytes: &mut Vec<u8>,
    lengths: &[usize],
    seeds: &[Picture],
    random: &mut Random,
) -> &'static str {
    match random.below(5) {
        0 => {
            let cut = random.below(bytes.len());
            bytes.truncate(cut);
            "file cut"
        }
        1 => {
            let at = *random.pick(lengths);
            let number = random.number().to_le_bytes();
            let width = if random.one_in(2) { 2 } else { 4 };
            random::put(bytes, at, &number[..width]);
            "element length"
        }
        2 => {
            let other = random.pick(seeds).write(Form::ExplicitLittle).bytes;
            let (at, from) = (random.below(bytes.len()), random.below(other.len()));
            bytes.truncate(at);
            bytes.extend(&other[from..]);
            "file spliced"
        }
        3 => {
            random.run(bytes);
            "run of bytes"
        }
        _ => {
            random.flips(bytes);
            "bits of the file"
        }
    }
}
