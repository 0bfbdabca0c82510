//! Both models on real and drawn frames. Goal: what a screen shows is found and
//! read, wherever and however it stands; nothing depends on chance.
//! Method: the Philips still (tests/data/README.md) and two frames drawn by
//! tests/python/draw_text_frames.py. Without the models these tests fail.

use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::*;

/// One for all tests: each would take 300 MB.
static OCR: LazyLock<Mutex<Ocr>> = LazyLock::new(|| {
    let files = ModelFiles::find(None).expect("models are missing: run scripts/setup");
    Mutex::new(Ocr::load(files).expect("models do not load: run scripts/setup"))
});

fn lines(view: &View) -> Result<Vec<MergedLine>, TextError> {
    OCR.lock().unwrap_or_else(PoisonError::into_inner).lines(view)
}

fn data(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn drawn(name: &str) -> View {
    let image = image::open(data(name)).unwrap().into_luma8();
    View { width: image.width(), height: image.height(), samples: 1, pixels: image.into_raw() }
}

/// The still's pixels are the uncompressed tail of its file.
fn philips() -> View {
    let (width, height) = (1024, 768);
    let bytes = std::fs::read(data("philips-epiq-still.dcm")).unwrap();
    let pixels = bytes[bytes.len() - 1024 * 768..].to_vec();
    View { width, height, samples: 1, pixels }
}

/// The line with that text, spaces aside.
fn line<'a>(lines: &'a [MergedLine], text: &str) -> &'a TextLine {
    let tight = |s: &str| s.replace(' ', "");
    let read: Vec<&str> = lines.iter().map(|merged| merged.line.text.as_str()).collect();
    let found = lines.iter().find(|merged| tight(&merged.line.text).contains(&tight(text)));
    &found.unwrap_or_else(|| panic!("{text} is not among {read:?}")).line
}

/// Left, top, right and bottom of a line.
fn bounds(line: &TextLine) -> [f32; 4] {
    let side = |axis: usize, pick: fn(f32, f32) -> f32| {
        line.corners.iter().map(|corner| corner[axis]).reduce(pick).unwrap()
    };
    [side(0, f32::min), side(1, f32::min), side(0, f32::max), side(1, f32::max)]
}

/// The line lies over the ink at left, top, right, bottom and not far beyond.
fn assert_covers(line: &TextLine, ink: [f32; 4]) {
    let box_px = bounds(line);
    let beyond = 8.0 + 0.8 * (ink[3] - ink[1]).min(ink[2] - ink[0]);
    for (i, sign) in [(0, 1.0), (1, 1.0), (2, -1.0), (3, -1.0)] {
        let margin = (ink[i] - box_px[i]) * sign;
        assert!((-1.0..beyond).contains(&margin), "{}: {box_px:?} over {ink:?}", line.text);
    }
}

#[test]
fn real_still_shows_its_banner_and_its_settings() {
    let found = lines(&philips()).unwrap();
    for text in ["ZZZ TEST PATIENTFI", "00079241539", "08/29/1951", "CCHS CLEVELAN", "03/02/2017"] {
        assert!(line(&found, text).confidence >= 0.9, "{text}");
    }
    let settings = [
        "Adv Breast",
        "L12-5",
        "36Hz",
        "RS",
        "2D",
        "60%",
        "Dyn R 58",
        "P Med",
        "Res",
        "TAC1",
        "TIS0.0",
        "MI 0.6",
        "M3",
        "x3",
        "4.0cm",
    ];
    for text in settings {
        assert!(line(&found, text).confidence >= 0.9, "{text}");
    }
    assert_covers(line(&found, "PATIENTFI"), [9.0, 6.0, 282.0, 20.0]);
    assert_covers(line(&found, "4.0cm"), [857.0, 700.0, 926.0, 716.0]);
}

#[test]
fn text_is_read_in_every_direction_and_shade() {
    let found = lines(&drawn("text-frame.png")).unwrap();
    let level = ["OSTROWSKI, MAREK", "DOB: 14-MAR-1967", "ID 99812733", "Gn 62", "LIVER SAG"];
    let turned = ["LEFT KIDNEY", "RIGHT KIDNEY", "ST. MARY HOSPITAL", "DUBOIS HELENE"];
    for text in level.into_iter().chain(turned).chain(["NGUYEN THI LAN"]) {
        assert!(line(&found, text).confidence >= 0.9, "{text}");
    }
    assert_eq!(found.len(), 10, "{found:?}");
    assert_covers(line(&found, "LEFT KIDNEY"), [32.0, 152.0, 47.0, 265.0]);
}

#[test]
fn corners_begin_at_the_top_left_of_the_text_not_of_the_picture() {
    let found = lines(&drawn("text-frame.png")).unwrap();
    let direction = |text: &str| {
        let [a, b, ..] = line(&found, text).corners;
        (b[1] - a[1]).atan2(b[0] - a[0]).to_degrees().round() as i32
    };
    assert_eq!(direction("LIVER SAG"), 0);
    assert_eq!(direction("LEFT KIDNEY"), -90);
    assert_eq!(direction("RIGHT KIDNEY"), 90);
    assert_eq!(direction("ST. MARY HOSPITAL").abs(), 180);
    assert!((-18..=-12).contains(&direction("DUBOIS HELENE")));
}

#[test]
fn film_is_read_across_the_borders_of_its_tiles() {
    let found = lines(&drawn("text-film.png")).unwrap();
    let texts = [
        "OSTROWSKI MAREK 1967",
        "ACROSS THE UPRIGHT BORDER 4711",
        "ON THE LEVEL BORDER",
        "ST. MARY HOSPITAL",
        "PORTABLE",
    ];
    for text in texts {
        assert!(line(&found, text).confidence >= 0.9, "{text}");
    }
    assert_eq!(found.len(), texts.len(), "{found:?}");
}

#[test]
fn colour_reads_like_grey() {
    let grey = drawn("text-frame.png");
    let pixels = grey.pixels.iter().flat_map(|&v| [v, v, v]).collect();
    let colour = View { samples: 3, pixels, ..grey.clone() };
    assert_eq!(lines(&colour).unwrap(), lines(&grey).unwrap());
}

#[test]
fn same_frame_gives_the_same_lines() {
    let frame = philips();
    let first = lines(&frame).unwrap();
    lines(&drawn("text-frame.png")).unwrap();
    assert_eq!(lines(&frame).unwrap(), first);
}

#[test]
fn uniform_frame_has_no_text_and_a_wrong_one_is_refused() {
    let flat = View { width: 640, height: 480, samples: 1, pixels: vec![17; 640 * 480] };
    assert!(lines(&flat).unwrap().is_empty());
    let short = View { height: 481, ..flat };
    assert!(matches!(lines(&short), Err(TextError::View { .. })));
}

#[test]
fn smallest_frames_pass_through_the_network() {
    for (width, height) in [(1, 2), (700, 3), (3, 2000)] {
        let pixels = (0..width * height).map(|i| (i * 37 % 251) as u8).collect();
        let view = View { width, height, samples: 1, pixels };
        lines(&view).unwrap();
    }
}

#[test]
fn the_screen_marks_every_line_that_is_found_and_nothing_in_a_body_with_grain() {
    let cells = |view: &View| OCR.lock().unwrap_or_else(PoisonError::into_inner).cells(view);
    for view in [philips(), drawn("text-frame.png")] {
        let marked: Vec<_> = cells(&view).unwrap().marked().collect();
        // A single character may be a mark on a scale.
        let is_text = |found: &MergedLine| found.line.text.chars().count() > 1;
        for found in lines(&view).unwrap().into_iter().filter(is_text) {
            let [left, top, right, bottom] = bounds(&found.line);
            let is_in = |cell: u32, low: f32, high: f32| {
                let (start, end) = ((cell * CELL_PX) as f32, ((cell + 1) * CELL_PX) as f32);
                end > low && start < high
            };
            let holds = |&(x, y): &(u32, u32)| is_in(x, left, right) && is_in(y, top, bottom);
            assert!(marked.iter().any(holds), "{} is not marked", found.line.text);
        }
    }
    let pixels = (0..400_u32 * 300).map(|place| {
        let (x, y) = ((place % 400) as f32 - 200.0, (place / 400) as f32 - 150.0);
        let grain = (place.wrapping_mul(2_654_435_761) >> 24) % 13;
        let body = if x.hypot(y * 1.3) < 130.0 { 90 } else { 4 };
        (body + grain) as u8
    });
    let body = View { width: 400, height: 300, samples: 1, pixels: pixels.collect() };
    assert_eq!(cells(&body).unwrap().marked().count(), 0);
}
