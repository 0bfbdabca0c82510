//! Text is found at both ends and in the middle of a wide range of values.
//!
//! Method: frames like those of CT, radiography, MR and a captured screen, of 12
//! and 16 bits, with the same invented name drawn (tests/data/text-frame.png)
//! where each is hardest to see; every name must be read in one of the views.
//! Without the models this test fails.

use std::path::Path;

use super::attributes::SampleBits;
use super::view::{Display, Windows, views};
use super::{Photometric, StoredFrame};
use crate::clean::text::{ModelFiles, Ocr};

const WIDTH: usize = 400;
const HEIGHT: usize = 300;
const NAME: &str = "OSTROWSKI";

/// The drawn name: 230 × 26 shares of ink, 0 to 255.
fn name() -> Vec<Vec<i64>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/text-frame.png");
    let image = image::open(file).unwrap().into_luma8();
    (5..31).map(|y| (8..238).map(|x| i64::from(image.get_pixel(x, y).0[0])).collect()).collect()
}

/// A picture of values, with noise that is the same each time.
struct Canvas {
    values: Vec<i64>,
    noise: u32,
}

impl Canvas {
    fn new(ground: i64) -> Self {
        Self { values: vec![ground; WIDTH * HEIGHT], noise: 1 }
    }

    /// Draws where `value` gives something for the column, the row and noise
    /// from -100 to 100, small values more often.
    fn draw(&mut self, value: impl Fn(i64, i64, i64) -> Option<i64>) {
        for (at, place) in self.values.iter_mut().enumerate() {
            let mut sum = 0;
            for _die in 0..4 {
                self.noise = self.noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                sum += i64::from(self.noise >> 16) % 51 - 25;
            }
            *place = value((at % WIDTH) as i64, (at / WIDTH) as i64, sum).unwrap_or(*place);
        }
    }

    fn disc(&mut self, (cx, cy): (i64, i64), radius: i64, value: i64, noise: i64) {
        let inside = |x, y| (x - cx) * (x - cx) + (y - cy) * (y - cy) < radius * radius;
        self.draw(|x, y, die| inside(x, y).then_some(value + die * noise / 50));
    }

    /// Writes the name with its top left at a point.
    fn write(&mut self, (x0, y0): (usize, usize), value: i64) {
        for (y, row) in name().iter().enumerate() {
            for (x, ink) in row.iter().enumerate() {
                let place = &mut self.values[(y0 + y) * WIDTH + x0 + x];
                *place += (value - *place) * ink / 255;
            }
        }
    }

    fn frame(&self, stored: u8, signed: bool) -> StoredFrame {
        let bits = SampleBits { allocated: 16, stored, shift: 0, signed };
        let (least, greatest) = bits.range();
        let words = self.values.iter().map(|value| bits.word((*value).clamp(least, greatest)));
        StoredFrame {
            width: WIDTH as u32,
            height: HEIGHT as u32,
            photometric: Photometric::Monochrome2,
            bits,
            bytes: words.flat_map(|word| (word as u16).to_le_bytes()).collect(),
        }
    }
}

/// Air, soft tissue, bone and metal; names 40 above the air, in the soft tissue
/// and as bright as metal.
fn ct() -> StoredFrame {
    let mut canvas = Canvas::new(-1024);
    canvas.disc((200, 150), 130, 40, 10);
    canvas.disc((160, 90), 30, -850, 10);
    canvas.disc((240, 90), 30, -850, 10);
    canvas.disc((200, 230), 20, 1000, 60);
    canvas.disc((200, 40), 3, 3071, 0);
    canvas.write((2, 1), -984);
    canvas.write((90, 140), 150);
    canvas.write((2, 272), 3071);
    canvas.frame(16, true)
}

/// Names five grey levels above a flat edge near 0, and at the maximum, beside
/// structures up to 4,000.
fn radiograph() -> StoredFrame {
    let mut canvas = Canvas::new(3);
    canvas.draw(|x, y, die| (y > 40).then_some(600 + 8 * x + 2 * (y % 64) + 2 * die));
    canvas.write((80, 8), 8);
    canvas.write((40, 150), 3300);
    canvas.write((2, 270), 4095);
    canvas.frame(12, false)
}

/// A head at 400 over noise near 0, and a name as bright as 16 bits allow.
fn mr() -> StoredFrame {
    let mut canvas = Canvas::new(0);
    canvas.draw(|_x, _y, die| Some(die.abs() / 5));
    canvas.disc((200, 150), 120, 400, 60);
    canvas.write((2, 2), 90);
    canvas.write((90, 140), 800);
    canvas.write((2, 272), 32_767);
    canvas.frame(16, false)
}

/// A screen with a ramp of all shades: names just above black, in the middle,
/// and on a label of its own far above.
fn screen() -> StoredFrame {
    let mut canvas = Canvas::new(0);
    canvas.draw(|x, y, _| (60..200).contains(&y).then_some(x * 50));
    canvas.draw(|x, y, _| (y > 240 && x < 300).then_some(60_000));
    canvas.write((100, 10), 5);
    canvas.write((90, 120), 25_000);
    canvas.write((20, 265), 65_535);
    canvas.frame(16, false)
}

#[test]
fn names_are_read_at_both_ends_and_in_the_middle_of_the_range() {
    let files = ModelFiles::find(None).expect("models are missing: run scripts/setup");
    let mut ocr = Ocr::load(files).expect("models do not load: run scripts/setup");
    let cases = [("CT", ct()), ("CR", radiograph()), ("MR", mr()), ("screen", screen())];
    for (what, frame) in cases {
        let shown = views(&frame, &Display::default(), &Windows::of(&frame));
        assert!(shown.len() <= 3, "{what}: a view costs half a second");
        let mut rows = Vec::new();
        for view in &shown {
            let lines = ocr.lines(view).unwrap();
            let named =
                lines.iter().filter(|found| found.line.text.replace(' ', "").contains(NAME));
            rows.extend(named.map(|found| found.line.corners[0][1]));
        }
        for part in [0.0..100.0, 100.0..200.0, 200.0..300.0] {
            assert!(
                rows.iter().any(|row| part.contains(row)),
                "{what}: none in {part:?} of {rows:?}"
            );
        }
    }
}
