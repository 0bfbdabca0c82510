//! The claims on all cells together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use airlock::clean::pixels::{Codec, PixelError};
use airlock::dicom::TransferSyntax;
use serde::Deserialize;
use serde_json::json;
use tempfile::TempDir;

use crate::cell::{self, Cell, Outcome};
use crate::support::files::in_repository;
use crate::support::python::python;
use crate::table;

/// Threads that decode and paint.
const WORKERS: usize = 2;
/// Pictures of the devset that can be decoded; the rest is reports and documents.
const DEVSET_IMAGES: usize = 88;
/// Below this the size is that of the headers.
const SIZE_BYTES_MIN: u64 = 2000;

/// A transfer syntax, and what a painted instance comes out as.
pub(crate) struct Syntax {
    pub(crate) uid: &'static str,
    pub(crate) name: &'static str,
    pub(crate) painted_as: &'static str,
}

/// What issue 3 wants: the same one, but for the retired big endian and for
/// those that there is no encoder for.
#[rustfmt::skip]
pub(crate) const SYNTAXES: &[Syntax] = &[
    Syntax { uid: "1.2.840.10008.1.2", name: "Implicit VR Little Endian", painted_as: "1.2.840.10008.1.2" },
    Syntax { uid: "1.2.840.10008.1.2.1", name: "Explicit VR Little Endian", painted_as: "1.2.840.10008.1.2.1" },
    Syntax { uid: "1.2.840.10008.1.2.1.99", name: "Deflated Explicit VR Little Endian", painted_as: "1.2.840.10008.1.2.1.99" },
    Syntax { uid: "1.2.840.10008.1.2.2", name: "Explicit VR Big Endian", painted_as: "1.2.840.10008.1.2.1" },
    Syntax { uid: "1.2.840.10008.1.2.1.98", name: "Encapsulated Uncompressed", painted_as: "1.2.840.10008.1.2.1.98" },
    Syntax { uid: "1.2.840.10008.1.2.8.1", name: "Deflated Image Frame", painted_as: "1.2.840.10008.1.2.8.1" },
    Syntax { uid: "1.2.840.10008.1.2.5", name: "RLE Lossless", painted_as: "1.2.840.10008.1.2.5" },
    Syntax { uid: "1.2.840.10008.1.2.4.50", name: "JPEG Baseline", painted_as: "1.2.840.10008.1.2.4.50" },
    Syntax { uid: "1.2.840.10008.1.2.4.51", name: "JPEG Extended", painted_as: "1.2.840.10008.1.2.4.51" },
    Syntax { uid: "1.2.840.10008.1.2.4.57", name: "JPEG Lossless", painted_as: "1.2.840.10008.1.2.4.57" },
    Syntax { uid: "1.2.840.10008.1.2.4.70", name: "JPEG Lossless SV1", painted_as: "1.2.840.10008.1.2.4.70" },
    Syntax { uid: "1.2.840.10008.1.2.4.80", name: "JPEG-LS Lossless", painted_as: "1.2.840.10008.1.2.4.80" },
    Syntax { uid: "1.2.840.10008.1.2.4.81", name: "JPEG-LS Near-Lossless", painted_as: "1.2.840.10008.1.2.4.81" },
    Syntax { uid: "1.2.840.10008.1.2.4.90", name: "JPEG 2000 Lossless", painted_as: "1.2.840.10008.1.2.4.90" },
    Syntax { uid: "1.2.840.10008.1.2.4.91", name: "JPEG 2000", painted_as: "1.2.840.10008.1.2.4.91" },
    Syntax { uid: "1.2.840.10008.1.2.4.92", name: "JPEG 2000 Part 2 Lossless", painted_as: "1.2.840.10008.1.2.1" },
    Syntax { uid: "1.2.840.10008.1.2.4.93", name: "JPEG 2000 Part 2", painted_as: "1.2.840.10008.1.2.1" },
    Syntax { uid: "1.2.840.10008.1.2.4.201", name: "HTJ2K Lossless", painted_as: "1.2.840.10008.1.2.1" },
    Syntax { uid: "1.2.840.10008.1.2.4.202", name: "HTJ2K Lossless RPCL", painted_as: "1.2.840.10008.1.2.1" },
    Syntax { uid: "1.2.840.10008.1.2.4.203", name: "HTJ2K", painted_as: "1.2.840.10008.1.2.1" },
];

/// Transfer syntaxes whose encoder is lossless and ours to try.
const LOSSLESS_ENCODERS: &[&str] = &[
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
];

/// Transfer syntaxes that are quarantined as a whole.
pub(crate) const UNSUPPORTED: &[(&str, &str)] = &[
    ("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile, Main Level"),
    ("1.2.840.10008.1.2.4.101", "MPEG2 Main Profile, High Level"),
    ("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile, Level 4.1"),
    ("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile, Level 5.1"),
    ("1.2.840.10008.1.2.4.94", "JPIP Referenced"),
    ("1.2.840.10008.1.2.4.110", "JPEG XL Lossless"),
    ("1.2.840.10008.1.2.4.112", "JPEG XL"),
    ("1.2.840.10008.1.2.4.55", "JPEG Full Progression (retired)"),
    ("1.2.840.10008.1.2.7.1", "SMPTE ST 2110-20 Uncompressed Progressive Active Video"),
];

/// Cells that are quarantined, and why that is right.
pub(crate) const REFUSED: &[(&str, &str)] = &[
    (
        "pydicom-files-JPEG2000-embedded-sequence-delimiter",
        "the codestream is of another size than the header says",
    ),
    (
        "jpeg51-gdcm-mono2-16-12-97x61x2",
        "GDCM writes a frame header with 16 bits, which JPEG Extended has not",
    ),
    ("pydicom-files-MR_truncated", "the file ends inside of Pixel Data"),
];

/// Cells that pydicom decodes wrongly, and who says so.
pub(crate) const NOT_AS_PYDICOM: &[(&str, &str)] = &[
    (
        "jpeg50-gdcm-rgb-8-8-97x61x2",
        "GDCM calls its subsampled YCbCr RGB, and pydicom believes it; RGB is not subsampled",
    ),
    (
        "jpeg51-422-rgb-16-12-97x61",
        "how subsampled colour is drawn out is not standardised: libjpeg-turbo does as airlock does",
    ),
    (
        "jpeg57-pointtransform-mono2-16-12-97x61",
        "pylibjpeg does not know the point transform; dcmtk, GDCM and libjpeg-turbo decode as airlock does",
    ),
];

/// Whether a DCT stays in the codestream.
pub(crate) fn is_dct(syntax: &str) -> bool {
    matches!(syntax, "1.2.840.10008.1.2.4.50" | "1.2.840.10008.1.2.4.51")
}

/// What two decoders of a coding may differ by, in units of the least bit.
pub(crate) fn tolerance(cell: &Cell) -> i64 {
    // Rounding of two inverse transforms. Everything else is exactly defined, or
    // both sides use OpenJPEG or CharLS.
    match (is_dct(&cell.syntax), cell.bits[1]) {
        (false, _) => 0,
        (true, ..=8) => 2,
        (true, _) => 4,
    }
}

/// What other readers found in a painted cell.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Check {
    /// The reader beside pydicom.
    pub(crate) other: Option<String>,
    pub(crate) faults: Vec<String>,
}

/// A cell with all that is known of it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) cell: Cell,
    pub(crate) outcome: Outcome,
    pub(crate) check: Option<Check>,
}

#[test]
fn video_streams_and_retired_codings_are_refused_by_name() {
    for (uid, name) in UNSUPPORTED {
        let syntax = TransferSyntax::new(uid.parse().unwrap());
        let refused = Codec::of(&syntax);
        assert!(matches!(refused, Err(PixelError::Unsupported { .. })), "{name}: {refused:?}");
    }
}

#[test]
fn every_cell_is_decoded_as_by_pydicom_and_painted_so_that_others_read_it() {
    let begin = std::env::var("AIRLOCK_CELLS").unwrap_or_default();
    let work = tempfile::tempdir().unwrap();
    let rows = rows(&begin, work.path());
    let mut faults = Vec::new();
    for row in rows.iter().filter(|row| row.cell.missing.is_none()) {
        faults.extend(faults_of(row));
    }
    let page = table::page(&rows);
    println!("{page}");
    if !begin.is_empty() {
        refuse(&faults, work);
        println!("only the cells that begin like {begin}: {} is not compared", table::PAGE);
        return;
    }
    faults.extend(coverage_faults(&rows));
    faults.extend(size_faults(&rows));
    faults.extend(devset_faults(&rows));
    if std::env::var_os("AIRLOCK_WRITE_DOCS").is_some() {
        fs::write(in_repository(table::PAGE), &page).unwrap();
    }
    refuse(&faults, work);
    let committed = fs::read_to_string(in_repository(table::PAGE)).unwrap_or_default();
    assert!(
        committed == page,
        "{} is not what this test found: AIRLOCK_WRITE_DOCS=1 cargo test --test codecs",
        table::PAGE
    );
}

/// Fails with what was found; the files stay, to be looked at.
fn refuse(faults: &[String], work: TempDir) {
    if !faults.is_empty() {
        let (count, place) = (faults.len(), work.keep());
        panic!("{count} faults:\n{}\nthe files are in {}", faults.join("\n"), place.display());
    }
}

fn rows(begin: &str, work: &Path) -> Vec<Row> {
    let start = Instant::now();
    let (folder, out) = (work.join("in"), work.join("out"));
    fs::create_dir(&out).unwrap();
    python("codec_matrix.py", &["make".as_ref(), folder.as_os_str(), begin.as_ref()]);
    let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
    let cells: Vec<Cell> = serde_json::from_str(&manifest).unwrap();
    let made = start.elapsed();
    let outcomes = run_all(&cells, &folder, &out);
    let cleaned = start.elapsed();
    let painted: BTreeMap<_, _> = cells
        .iter()
        .zip(&outcomes)
        .filter_map(|(cell, outcome)| Some((&cell.name, told(cell, outcome)?)))
        .collect();
    fs::write(out.join("painted.json"), serde_json::to_vec(&painted).unwrap()).unwrap();
    let printed =
        python("codec_matrix.py", &["check".as_ref(), folder.as_os_str(), out.as_os_str()]);
    let seconds = |from, to: Duration| to.saturating_sub(from).as_secs();
    println!(
        "{} cells made in {} s, cleaned in {} s, checked in {} s",
        cells.len(),
        seconds(Duration::ZERO, made),
        seconds(made, cleaned),
        seconds(cleaned, start.elapsed())
    );
    let mut checks: BTreeMap<String, Check> = serde_json::from_str(&printed).unwrap();
    let rows = cells.into_iter().zip(outcomes);
    rows.map(|(cell, outcome)| {
        let check = checks.remove(&cell.name);
        Row { cell, outcome, check }
    })
    .collect()
}

/// What the check has to know of a painted cell.
fn told(cell: &Cell, outcome: &Outcome) -> Option<serde_json::Value> {
    let painting = outcome.painted.as_ref().ok()?;
    let comparable = is_comparable(cell, outcome);
    Some(json!({ "rect": painting.rect, "comparable": comparable }))
}

/// Whether pydicom can say what the picture was before. With a DCT it can, however
/// it rounds: coefficients are compared, and two pictures of one decoder.
pub(crate) fn is_comparable(cell: &Cell, outcome: &Outcome) -> bool {
    let difference = outcome.decoded.as_ref().ok().and_then(|decoding| decoding.difference);
    difference.is_some_and(|far| far <= tolerance(cell) || is_dct(&cell.syntax))
}

fn run_all(cells: &[Cell], folder: &Path, out: &Path) -> Vec<Outcome> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _worker in 0..WORKERS {
            scope.spawn(|| {
                while let Some((at, cell)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    cells.get(at).map(|cell| (at, cell))
                } {
                    let outcome = match &cell.missing {
                        None => cell::run(cell, folder, out),
                        Some(why) => Outcome::none(why),
                    };
                    done.lock().unwrap().insert(at, outcome);
                }
            });
        }
    });
    done.into_inner().unwrap().into_values().collect()
}

fn is_listed(list: &[(&str, &str)], cell: &Cell) -> bool {
    list.iter().any(|(name, _why)| *name == cell.name)
}

fn faults_of(row: &Row) -> Vec<String> {
    let cell = &row.cell;
    let refused = is_listed(REFUSED, cell);
    let mut faults = Vec::new();
    match &row.outcome.decoded {
        Err(why) if !refused => faults.push(format!("not decoded: {why}")),
        Err(_refused) => {}
        Ok(_decoding) if refused => {}
        Ok(decoding) => {
            let far = decoding.difference.unwrap_or(0);
            let differs = far > tolerance(cell) || !decoding.same_meaning;
            if differs != is_listed(NOT_AS_PYDICOM, cell) {
                let meant = if decoding.same_meaning { "same" } else { "another" };
                faults.push(format!("{far} from pydicom's values, {meant} meaning"));
            }
        }
    }
    match &row.outcome.painted {
        Err(why) if !refused => faults.push(format!("not painted: {why}")),
        Err(_refused) => {}
        Ok(_painted) if refused => faults.push("painted, but is listed as refused".to_owned()),
        Ok(painting) => {
            let expected = SYNTAXES.iter().find(|syntax| syntax.uid == cell.syntax);
            if expected.is_none_or(|syntax| syntax.painted_as != painting.syntax) {
                faults.push(format!("came out in {}", painting.syntax));
            }
        }
    }
    faults.extend(coding_fault(row));
    faults.extend(row.check.iter().flat_map(|check| check.faults.clone()));
    let named = format!("{} ({}, {})", cell.name, cell.by, cell.syntax);
    faults.into_iter().map(|fault| format!("{named}: {fault}")).collect()
}

/// Lossless is lossless, also with nothing painted.
fn coding_fault(row: &Row) -> Option<String> {
    let coding = row.outcome.coded.as_ref().ok()?;
    (!coding.equal && !is_dct(&coding.syntax)).then(|| "coded again: other samples".to_owned())
}

/// Each lossless encoder was tried on every depth, sign, colour and shape.
fn coverage_faults(rows: &[Row]) -> Vec<String> {
    type Wanted = (&'static str, fn(&Cell) -> bool);
    let wanted: [Wanted; 10] = [
        ("8 bits", |cell| cell.bits == [8, 8]),
        ("10 bits", |cell| cell.bits == [16, 10]),
        ("12 bits", |cell| cell.bits == [16, 12]),
        ("16 bits", |cell| cell.bits == [16, 16]),
        ("signed", |cell| cell.signed),
        ("grey", |cell| cell.photometric == "MONOCHROME2"),
        ("colour", |cell| cell.photometric.starts_with(['R', 'Y'])),
        ("an odd size", |cell| cell.size == [97, 61]),
        ("one pixel", |cell| cell.size == [1, 1]),
        ("a long row", |cell| cell.size == [4097, 1]),
    ];
    let mut faults = Vec::new();
    for syntax in LOSSLESS_ENCODERS {
        let came_back = |row: &&Row| {
            let coding = row.outcome.coded.as_ref();
            coding.is_ok_and(|coding| coding.equal && coding.syntax == *syntax)
        };
        for (what, is_wanted) in wanted {
            if !rows.iter().filter(came_back).any(|row| is_wanted(&row.cell)) {
                faults.push(format!("{what} did not go through the encoder of {syntax}"));
            }
        }
    }
    faults
}

/// What dcmtk coded without loss, with the bytes of its frames and of ours.
pub(crate) fn size_pairs(rows: &[Row]) -> Vec<(&Row, u64, u64)> {
    let tools = ["jpeg70-dcmcjpeg-", "jls80-dcmcjpls-", "rle-dcmcrle-"];
    let mut pairs = Vec::new();
    for row in rows {
        let by_tool = tools.iter().any(|tool| row.cell.name.starts_with(tool));
        if let Some(coding) = row.outcome.coded.as_ref().ok().filter(|_coding| by_tool) {
            pairs.push((row, coding.bytes_before, coding.bytes_after));
        }
    }
    pairs
}

/// JPEG lossless within 5 % of dcmtk, RLE within 2 %, JPEG-LS equal: in bytes of
/// the frames, where there is more than a header to compare.
fn size_faults(rows: &[Row]) -> Vec<String> {
    let mut faults = Vec::new();
    let pairs = size_pairs(rows);
    for codec in ["jpeg70", "jls80", "rle"] {
        let large = pairs.iter().any(|(row, before, _after)| {
            row.cell.name.starts_with(codec) && *before > SIZE_BYTES_MIN
        });
        if !large {
            faults.push(format!("no size of {codec} was compared"));
        }
    }
    for (row, before, after) in pairs {
        let percent = match row.cell.name.split('-').next() {
            Some("jls80") => 100,
            Some("rle") => 102,
            Some(_) | None => 105,
        };
        if after * 100 > before * percent && before > SIZE_BYTES_MIN {
            faults.push(format!("{}: {after} bytes, dcmtk {before}", row.cell.name));
        }
    }
    faults
}

/// All images of the devset come out, where it is there.
fn devset_faults(rows: &[Row]) -> Option<String> {
    let images: Vec<&Row> = rows.iter().filter(|row| row.cell.by == "devset").collect();
    if images.is_empty() {
        println!("no ../shared/devset beside this clone: its images are not checked");
        return None;
    }
    let names: BTreeSet<_> =
        images.iter().filter(|row| row.outcome.painted.is_ok()).map(|row| &row.cell.name).collect();
    println!("{} of {DEVSET_IMAGES} images of the devset come out", names.len());
    (names.len() != DEVSET_IMAGES).then(|| format!("{} images of the devset come out", names.len()))
}
