//! The recogniser: a place in a picture in, what is written there out.

use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;

use super::alphabet::{Alphabet, Reading};
use super::geometry::Rect;
use super::models::RECOGNISER;
use super::picture::Picture;
use super::{Region, TextError, TextLine, runtime};

/// Rows of the network's input (facts/models.md §1.3).
const HEIGHT: usize = 48;
/// Columns of the input come in steps of this, so that few shapes occur and the
/// runtime's memory does not grow with every new one.
const WIDTH_STEP: usize = 32;
/// Least columns of the input. Default 128: with less two letters read unsurely;
/// at 320, as in training, short lines take twice as long and read no better.
const WIDTH_MIN: usize = 128;
/// Grey columns after the text, at least. Default 16: the last letter stands clear.
const MARGIN: usize = 16;
/// Most columns that show text. Default 3,200: a line 66 times as long as high;
/// a longer one is squeezed, reads badly and therefore counts as unreadable.
const WIDTH_MAX: usize = 3200;
/// From this ratio of height to width on a box holds text that runs up or down. Default 1.5.
const TALL: f32 = 1.5;
/// Letters stand one below the other from this length of a line for each of them
/// on, as a multiple of its height. Default 0.9: text has 0.5, capitals 0.7.
const STACKED_MIN: f32 = 0.9;
/// Right, left, anterior, posterior, head, foot, superior, inferior (PS3.3 §C.7.6.1.1.1).
const ORIENTATION: &str = "RLAPHFSI";
/// Under this confidence the text may stand on its head: the other direction is
/// tried. Default 0.9: catches 99.5 % of such lines (facts/models.md §1.5).
const SURE: f32 = 0.9;
/// Most samples per pixel of the input and axis when large text is made smaller.
/// Default 8: text of 384 px; larger text loses sharpness it does not need.
const TAPS_MAX: usize = 8;

/// The loaded network with its alphabet and its input, kept for the next line.
pub(crate) struct Recogniser {
    session: Session,
    alphabet: Alphabet,
    input: Vec<f32>,
}

impl Recogniser {
    /// Loads the model and the alphabet that it carries.
    pub(crate) fn load(library: &Path, model: &Path) -> Result<Self, TextError> {
        let session = runtime::session(library, RECOGNISER, model)?;
        let broken = |detail: String| TextError::Model { model: RECOGNISER, detail };
        let list = session
            .metadata()
            .map_err(|error| broken(error.to_string()))?
            .custom("character")
            .ok_or_else(|| broken("no alphabet in its metadata".to_owned()))?;
        Ok(Self { session, alphabet: Alphabet::parse(&list), input: Vec::new() })
    }

    /// Reads one region: along its longer side when it is tall, and from the
    /// other end too when the first reading is not sure.
    ///
    /// One region at a time: with one thread a batch takes as long (measured),
    /// needs more memory, and its padding would let a line's reading depend on its neighbours.
    pub(crate) fn read(
        &mut self,
        picture: &Picture<'_>,
        region: &Region,
    ) -> Result<TextLine, TextError> {
        let mut rect = Rect::from_corners(&region.corners);
        let turned = rect.height > rect.width * TALL;
        if turned {
            rect = rect.quarter_turned();
        }
        let mut reading = self.read_along(picture, &rect)?;
        if reading.confidence < SURE {
            let other = self.read_along(picture, &rect.half_turned())?;
            if other.confidence > reading.confidence {
                rect = rect.half_turned();
                reading = other;
            }
        }
        let Reading { text, confidence } = reading;
        let text = if turned { apart(text, &rect) } else { text };
        Ok(TextLine { corners: rect.corners(), text, confidence })
    }

    fn read_along(&mut self, picture: &Picture<'_>, rect: &Rect) -> Result<Reading, TextError> {
        let used = used_width(rect);
        let width = input_width(used);
        self.fill(picture, rect, used, width);
        let failed = |source| TextError::Run { model: RECOGNISER, source };
        let shape = [1, 3, HEIGHT, width];
        let tensor = TensorRef::from_array_view((shape, self.input.as_slice())).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![tensor]).map_err(failed)?;
        let (shape, steps) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
        let classes = shape.last().and_then(|&n| usize::try_from(n).ok()).unwrap_or(0);
        self.alphabet.decode(steps, classes)
    }

    /// Samples the rectangle into the first `used` of `width` columns; the rest
    /// is the middle grey 0, as in training.
    fn fill(&mut self, picture: &Picture<'_>, rect: &Rect, used: usize, width: usize) {
        let area = HEIGHT * width;
        self.input.clear();
        self.input.resize(3 * area, 0.0);
        let crop = Crop::new(rect, used);
        for y in 0..HEIGHT {
            for x in 0..used {
                let colour = crop.sample(picture, x, y);
                for (c, value) in colour.into_iter().enumerate() {
                    self.input[c * area + y * width + x] = value / 127.5 - 1.0;
                }
            }
        }
    }
}

/// Letters of orientation that stand one below the other, each on its own line,
/// with blanks between them: longer than text that runs up or down would be.
fn apart(text: String, rect: &Rect) -> String {
    let letters = text.chars().count();
    let is_stack = letters > 1
        && rect.width >= letters as f32 * STACKED_MIN * rect.height
        && text.chars().all(|letter| ORIENTATION.contains(letter));
    if !is_stack {
        return text;
    }
    text.chars().map(String::from).collect::<Vec<_>>().join(" ")
}

/// Columns of the input that show the rectangle in its own proportions.
fn used_width(rect: &Rect) -> usize {
    let width = (HEIGHT as f32 * rect.width / rect.height.max(1.0)).ceil();
    (width as usize).clamp(1, WIDTH_MAX)
}

/// Columns of the whole input when `used` of them show text.
fn input_width(used: usize) -> usize {
    (used + MARGIN).max(WIDTH_MIN).next_multiple_of(WIDTH_STEP)
}

/// A rectangle laid under the input's grid.
struct Crop<'a> {
    rect: &'a Rect,
    /// Pixels of the picture per pixel of the input, along and across.
    step: [f32; 2],
    taps: [usize; 2],
}

impl<'a> Crop<'a> {
    fn new(rect: &'a Rect, used: usize) -> Self {
        let step = [rect.width / used as f32, rect.height / HEIGHT as f32];
        Self { rect, step, taps: step.map(|s| (s.round() as usize).clamp(1, TAPS_MAX)) }
    }

    /// The mean colour under one pixel of the input.
    fn sample(&self, picture: &Picture<'_>, x: usize, y: usize) -> [f32; 3] {
        let [across, down] = self.taps;
        let mut sum = [0.0_f32; 3];
        for j in 0..down {
            let v = (y as f32 + (j as f32 + 0.5) / down as f32) * self.step[1];
            for i in 0..across {
                let u = (x as f32 + (i as f32 + 0.5) / across as f32) * self.step[0];
                let [px, py] = self.rect.at(u - self.rect.width / 2.0, v - self.rect.height / 2.0);
                let colour = picture.sample(px, py);
                sum = std::array::from_fn(|c| sum[c] + colour[c]);
            }
        }
        sum.map(|value| value / (across * down) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::text::View;

    fn rect(width: f32, height: f32) -> Rect {
        Rect { centre: [width / 2.0, height / 2.0], along: [1.0, 0.0], width, height }
    }

    #[test]
    fn letters_of_orientation_in_a_column_are_words_of_their_own() {
        let column = rect(57.0, 12.0);
        assert_eq!(apart("RPLA".into(), &column), "R P L A");
        for (text, rect) in [("RPLA", rect(28.0, 12.0)), ("DOEM", rect(57.0, 12.0)), ("R", column)]
        {
            assert_eq!(apart(text.into(), &rect), text);
        }
    }

    #[test]
    fn width_follows_the_proportions_up_to_a_limit() {
        assert_eq!(used_width(&rect(100.0, 24.0)), 200);
        assert_eq!(used_width(&rect(100_000.0, 10.0)), WIDTH_MAX);
        assert_eq!(used_width(&rect(0.0, 0.0)), 1);
    }

    #[test]
    fn crop_turns_with_its_rectangle() {
        // Columns 0, 10, 20 … 110 of grey.
        let pixels = (0..12 * 48).map(|i| (i % 12 * 10) as u8).collect();
        let view = View { width: 12, height: 48, samples: 1, pixels };
        let picture = Picture::new(&view).unwrap();
        let whole = rect(12.0, 48.0);
        let level = Crop::new(&whole, 12);
        assert_eq!([0, 5, 11].map(|x| level.sample(&picture, x, 3)[0]), [0.0, 50.0, 110.0]);
        let half = whole.half_turned();
        assert_eq!([0, 11].map(|x| Crop::new(&half, 12).sample(&picture, x, 3)[0]), [110.0, 0.0]);
        // Read from top to bottom the columns lie one under the other, the right one on top.
        let quarter = whole.quarter_turned();
        let crop = Crop::new(&quarter, 192);
        assert!(crop.sample(&picture, 90, 0)[0] > 105.0);
        assert!(crop.sample(&picture, 90, 47)[0] < 5.0);
    }

    #[test]
    fn large_text_is_averaged_not_skipped() {
        // One black column in two: plain sampling would see all or nothing.
        let pixels = (0..400 * 400).map(|i| if i % 2 == 0 { 0 } else { 200 }).collect();
        let view = View { width: 400, height: 400, samples: 1, pixels };
        let picture = Picture::new(&view).unwrap();
        let whole = rect(400.0, 400.0);
        let value = Crop::new(&whole, 48).sample(&picture, 20, 20)[0];
        assert!((value - 100.0).abs() < 15.0, "{value}");
    }
}
