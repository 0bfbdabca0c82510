//! What the screen says of frames, how long it takes, and what the detector finds
//! in those that it would let pass.
//!
//! In: the files of `SCREEN_FILES`, a folder that `scripts/screen-figures` fills;
//! without it nothing is measured. Out: a line of JSON for the first frame of each
//! file. With `SCREEN_VIEWS`, the views are written there too, as bytes. With
//! `SCREEN_WINDOWS`, every frame is searched, whole and in windows around what is marked.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench stops at what it did not expect, takes the time, and speaks"
)]

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Instant;

use airlock::clean::pixels::view::{Display, Windows, views};
use airlock::clean::pixels::{Codec, Decoder, FrameSource, PixelAttributes, Received};
use airlock::clean::redact::area::{Corners, Rect};
use airlock::clean::redact::gaze::Place;
use airlock::clean::redact::windows;
use airlock::clean::text::{ModelFiles, Ocr, TextError, View};
use airlock::config::CleanRules;
use airlock::dicom::Tag;
use airlock::dicom::read::{ReadLimits, read_part10};

const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);

/// The views of a file's first frame, and how long they took in microseconds.
fn shown(path: &Path) -> (Vec<View>, u128) {
    let mut file = Cursor::new(fs::read(path).unwrap());
    let read = read_part10(&mut file, &ReadLimits::default()).unwrap();
    let (set, syntax) = (read.set, read.meta.transfer_syntax);
    let rules = CleanRules::default();
    let codec = Codec::of(&syntax).unwrap();
    let attributes = PixelAttributes::read(&set, &rules.limits).unwrap();
    let big_endian = read.encoding.big_endian;
    let pixel_data = set.get(PIXEL_DATA).unwrap();
    let received = Received { set: &set, pixel_data, attributes: &attributes, codec, big_endian };
    let source = FrameSource::new(&received, &rules.limits, &mut file).unwrap();
    let coded = source.read(0, &mut file).unwrap();
    let frame = Decoder { attributes: &attributes, codec }.decode(coded).unwrap().frame;
    let start = Instant::now();
    let shown = views(&frame, &Display::default(), &Windows::of(&frame));
    (shown, start.elapsed().as_micros())
}

fn keep(folder: &Path, name: &str, views: &[View]) {
    for (number, view) in views.iter().enumerate() {
        let View { width, height, samples, pixels } = view;
        let file = format!("{name}.{number}.{width}x{height}x{samples}");
        fs::write(folder.join(file), pixels).unwrap();
    }
}

/// The middles of the marked cells.
fn marked(ocr: &mut Ocr, view: &View) -> Vec<Place> {
    let cells = ocr.cells(view).unwrap();
    cells.marked().map(|(column, row)| Place::of_cell(0, column, row)).collect()
}

/// What is found in windows around the places of each view; nothing where a view is to be
/// searched whole.
fn found_in_windows(ocr: &mut Ocr, views: &[View], places: &[Vec<Place>]) -> Option<Vec<Corners>> {
    let mut found = Vec::new();
    for (view, places) in views.iter().zip(places) {
        let mut find = |Rect { x0, y0, x1, y1 }| -> Result<_, TextError> {
            let regions = ocr.find_within(view, [x0, y0, x1, y1])?;
            Ok(regions.map(|regions| regions.iter().map(|region| region.corners).collect()))
        };
        let size = [view.width, view.height];
        let in_windows = windows::search(places, size, &mut find).unwrap()?;
        found.extend(in_windows.into_iter().map(|(corners, _)| corners));
    }
    Some(found)
}

fn main() {
    let Some(folder) = std::env::var_os("SCREEN_FILES") else { return };
    let kept = std::env::var_os("SCREEN_VIEWS").map(PathBuf::from);
    let windowed = std::env::var_os("SCREEN_WINDOWS").is_some();
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_instance = |path: &PathBuf| path.extension().is_some_and(|end| end == "dcm");
    let mut files: Vec<_> = entries.filter(is_instance).collect();
    files.sort();
    let mut ocr = Ocr::load(ModelFiles::find(None).unwrap()).unwrap();
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (views, view_us) = shown(&path);
        if let Some(kept) = &kept {
            keep(kept, &name, &views);
        }
        let start = Instant::now();
        let places: Vec<Vec<Place>> = views.iter().map(|view| marked(&mut ocr, view)).collect();
        let screen_us = start.elapsed().as_micros();
        let marked: Vec<usize> = places.iter().map(Vec::len).collect();
        let passes = windowed || marked.iter().all(|count| *count == 0);
        let in_windows = windowed.then(|| found_in_windows(&mut ocr, &views, &places)).flatten();
        let found: Vec<_> = views
            .iter()
            .filter(|_| passes)
            .flat_map(|view| ocr.find(view).unwrap())
            .map(|region| region.corners)
            .collect();
        let row = serde_json::json!({
            "file": name, "marked": marked, "view_us": view_us, "screen_us": screen_us, "found": found,
            "in_windows": in_windows,
        });
        println!("{row}");
    }
}
