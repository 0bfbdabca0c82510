//! The claims on all cells together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde::Deserialize;
use serde_json::json;

use crate::cell::{self, Cell, Outcome, Painting};
use crate::support::files::in_repository;
use crate::support::python::python;
use crate::table;

/// Threads that decode and paint.
const WORKERS: usize = 2;
/// Pictures of the devset that can be decoded; the rest is reports and documents.
const DEVSET_IMAGES: usize = 88;

/// What each transfer syntax is painted to: itself, or why not.
pub(crate) const PAINTED_AS: &[(&str, &str)] = &[
    ("1.2.840.10008.1.2", "1.2.840.10008.1.2"),
    ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1"),
    ("1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.1.98"),
    ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.1.99"),
    // Retired: leaves as Explicit VR Little Endian.
    ("1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1"),
    ("1.2.840.10008.1.2.5", "1.2.840.10008.1.2.5"),
    ("1.2.840.10008.1.2.8.1", "1.2.840.10008.1.2.8.1"),
    ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.50"),
    ("1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.51"),
    ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.57"),
    ("1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.70"),
    ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.80"),
    ("1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.81"),
    ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.90"),
    ("1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.91"),
    // No encoder for these here.
    ("1.2.840.10008.1.2.4.92", "1.2.840.10008.1.2.1"),
    ("1.2.840.10008.1.2.4.93", "1.2.840.10008.1.2.1"),
    ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.1"),
    ("1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.1"),
    ("1.2.840.10008.1.2.4.203", "1.2.840.10008.1.2.1"),
];

/// Cells that are quarantined, and why that is right.
const REFUSED: &[(&str, &str)] = &[];

/// Cells that pydicom decodes wrongly, and who says so.
const NOT_AS_PYDICOM: &[(&str, &str)] = &[];

/// What two decoders of a coding may differ by, in units of the least bit.
pub(crate) fn tolerance(cell: &Cell) -> i64 {
    match cell.syntax.as_str() {
        // Rounding of two inverse transforms.
        "1.2.840.10008.1.2.4.50" | "1.2.840.10008.1.2.4.51" => {
            if cell.bits[1] > 8 { 4 } else { 2 }
        }
        _lossless_or_exactly_defined => 0,
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
fn every_cell_is_decoded_as_by_pydicom_and_painted_so_that_others_read_it() {
    let rows = rows();
    let mut faults = Vec::new();
    for row in rows.iter().filter(|row| row.cell.missing.is_none()) {
        faults.extend(faults_of(row));
    }
    faults.extend(devset_faults(&rows));
    let page = table::page(&rows);
    println!("{page}");
    if std::env::var_os("AIRLOCK_WRITE_DOCS").is_some() {
        fs::write(in_repository(table::PAGE), &page).unwrap();
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    let committed = fs::read_to_string(in_repository(table::PAGE)).unwrap_or_default();
    assert!(
        committed == page,
        "{} is not what this test found: AIRLOCK_WRITE_DOCS=1 cargo test --test codecs",
        table::PAGE
    );
}

fn rows() -> Vec<Row> {
    let work = tempfile::tempdir().unwrap();
    let (folder, out) = (work.path().join("in"), work.path().join("out"));
    fs::create_dir(&out).unwrap();
    python("codec_matrix.py", &["make".as_ref(), folder.as_os_str()]);
    let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
    let cells: Vec<Cell> = serde_json::from_str(&manifest).unwrap();
    let outcomes = run_all(&cells, &folder, &out);
    let painted: BTreeMap<_, _> = cells
        .iter()
        .zip(&outcomes)
        .filter_map(|(cell, outcome)| Some((cell, outcome.painted.as_ref().ok()?)))
        .map(|(cell, painting)| (&cell.name, told(cell, painting)))
        .collect();
    fs::write(out.join("painted.json"), serde_json::to_vec(&painted).unwrap()).unwrap();
    let printed = python("codec_matrix.py", &["check".as_ref(), folder.as_os_str(), out.as_os_str()]);
    let mut checks: BTreeMap<String, Check> = serde_json::from_str(&printed).unwrap();
    let rows = cells.into_iter().zip(outcomes);
    rows.map(|(cell, outcome)| {
        let check = checks.remove(&cell.name);
        Row { cell, outcome, check }
    })
    .collect()
}

fn told(cell: &Cell, painting: &Painting) -> serde_json::Value {
    json!({ "rect": painting.rect, "comparable": cell.undecoded.is_none() })
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
                        Some(why) => Outcome { decoded: Err(why.clone()), painted: Err(why.clone()) },
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
            let expected = PAINTED_AS.iter().find(|(from, _to)| *from == cell.syntax);
            if expected.is_none_or(|(_from, to)| *to != painting.syntax) {
                faults.push(format!("came out in {}", painting.syntax));
            }
        }
    }
    faults.extend(row.check.iter().flat_map(|check| check.faults.clone()));
    let named = format!("{} ({}, {})", cell.name, cell.by, cell.syntax);
    faults.into_iter().map(|fault| format!("{named}: {fault}")).collect()
}

/// All images of the devset come out, where it is there.
fn devset_faults(rows: &[Row]) -> Option<String> {
    let images: Vec<&Row> = rows.iter().filter(|row| row.cell.by == "devset").collect();
    if images.is_empty() {
        println!("no ../shared/devset beside this clone: its images are not checked");
        return None;
    }
    let names: BTreeSet<_> = images
        .iter()
        .filter(|row| row.outcome.painted.is_ok())
        .map(|row| &row.cell.name)
        .collect();
    println!("{} of {DEVSET_IMAGES} images of the devset come out", names.len());
    (names.len() != DEVSET_IMAGES).then(|| format!("{} images of the devset come out", names.len()))
}
