//! A worker that reads text stays under 512 MB (DESIGN.md §6), whatever it is shown.
//!
//! Alone in its file: the peak belongs to the whole process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use airlock::clean::text::{ModelFiles, Ocr, View};

/// Peak resident memory of this process.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn drawn(name: &str) -> View {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let image = image::open(path).unwrap().into_luma8();
    View { width: image.width(), height: image.height(), samples: 1, pixels: image.into_raw() }
}

#[test]
fn reading_frames_of_many_sizes_stays_under_the_worker_limit() {
    let files = ModelFiles::find(None).expect("models are missing: run scripts/setup");
    let mut ocr = Ocr::load(files).expect("models do not load: run scripts/setup");
    let frame = drawn("text-frame.png");
    // Windows of the frame: each size is a new shape for the networks.
    for (width, height) in [(800, 600), (333, 600), (800, 100), (517, 411), (800, 333)] {
        let rows = frame.pixels.chunks(800).take(height);
        let pixels = rows.flat_map(|row| &row[..width]).copied().collect();
        let view = View { width: width as u32, height: height as u32, samples: 1, pixels };
        ocr.lines(&view).unwrap();
    }
    ocr.lines(&drawn("text-film.png")).unwrap();
    let peak = peak_kib() / 1024;
    assert!(peak < 450, "{peak} MiB; the decoder needs the rest");
}
