//! Tells organs from letters: broad shapes that the detector takes for one
//! huge unreadable word, and what is written on them.
//!
//! A body in a slice is bright, closed and alone, as a letter is; the detector
//! finds it at every scale. Such a find is no line of text, but text can stand
//! on it, so that the picture is searched once more without its broad shades.

use super::TextLine;
use super::View;
use super::geometry::Rect;

/// Mean confidence from which a find counts as read, and is never a texture.
const READ_CONFIDENCE: f32 = 0.9;
/// The same for a find of [`WORD_CHARS_MIN`] characters or more: a body is
/// read as `O` or `()`, seldom as more.
const WORD_CONFIDENCE: f32 = 0.5;
/// Characters of the shortest word.
const WORD_CHARS_MIN: usize = 3;
/// Least height, in pixels. Default 24: smaller finds are hidden, not weighed.
const HEIGHT_MIN_PX: f32 = 24.0;
/// Least height as a share of the picture's shorter side. Default 0.12: text
/// of an eighth of the picture is a title, and is read.
const HEIGHT_MIN_SHARE: f32 = 0.12;
/// Longest shape as a multiple of its height. Default 4: a name of five letters is longer.
const LENGTH_MAX: f32 = 4.0;
/// Pixels that a stroke differs from its surroundings, of 255.
const STROKE_CONTRAST: u8 = 24;
/// Most pixels on strokes, as a share of the shape. Measured: bodies in slices
/// up to 0.16, letters from 0.3 on.
const STROKES_MAX: f32 = 0.25;
/// Radius of the surroundings that a stroke is compared with, in pixels.
const STROKE_RADIUS: usize = 4;
/// Radius of the shades that are taken out, in pixels: wider than a stroke,
/// narrower than an organ.
const SHADE_RADIUS: usize = 8;
/// By how much differences from the shades are raised.
const SHADE_GAIN: i32 = 2;

/// A grey copy of a frame, made when the first broad find comes.
pub(super) struct Grey {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Grey {
    /// The brightness of a checked view.
    pub(super) fn of(view: &View) -> Self {
        let (width, height) = (view.width as usize, view.height as usize);
        let pixels = match view.samples {
            3 => view.pixels.chunks_exact(3).map(brightness).collect(),
            _ => view.pixels.clone(),
        };
        Self { width, height, pixels }
    }

    /// The picture without its broad shades: strokes stay, organs go grey.
    pub(super) fn without_shades(&self) -> View {
        let shades = self.blurred(SHADE_RADIUS);
        let pixels = self.pixels.iter().zip(&shades).map(|(pixel, shade)| {
            let difference = (i32::from(*pixel) - i32::from(*shade)) * SHADE_GAIN;
            (128 + difference).clamp(0, 255) as u8
        });
        View {
            width: self.width as u32,
            height: self.height as u32,
            samples: 1,
            pixels: pixels.collect(),
        }
    }

    /// The share of a rectangle's pixels that lie on strokes.
    fn strokes(&self, [x0, y0, x1, y1]: [usize; 4]) -> f32 {
        let part = Self {
            width: x1 - x0,
            height: y1 - y0,
            pixels: (y0..y1)
                .flat_map(|y| &self.pixels[y * self.width + x0..y * self.width + x1])
                .copied()
                .collect(),
        };
        let around = part.blurred(STROKE_RADIUS);
        let pairs = part.pixels.iter().zip(&around);
        let on = pairs.filter(|(pixel, around)| pixel.abs_diff(**around) > STROKE_CONTRAST);
        on.count() as f32 / part.pixels.len().max(1) as f32
    }

    /// Means over squares of side `2 × radius + 1`, cut at the borders.
    fn blurred(&self, radius: usize) -> Vec<u8> {
        let mut across = vec![0; self.pixels.len()];
        for (row, out) in
            self.pixels.chunks_exact(self.width).zip(across.chunks_exact_mut(self.width))
        {
            running_means(row.len(), radius, |i| row[i], |i, mean| out[i] = mean);
        }
        let mut down = vec![0; across.len()];
        for x in 0..self.width {
            let at = |y: usize| y * self.width + x;
            running_means(self.height, radius, |y| across[at(y)], |y, mean| down[at(y)] = mean);
        }
        down
    }

    /// The rectangle around a find, inside the picture; none when it is empty.
    fn around(&self, line: &TextLine) -> Option<[usize; 4]> {
        let side = |axis: usize, bound: usize| {
            let places = line.corners.iter().map(|corner| corner[axis]);
            let low = places.clone().fold(f32::INFINITY, f32::min).max(0.0) as usize;
            let high = places.fold(0.0, f32::max).ceil() as usize;
            (low.min(bound), high.min(bound))
        };
        let ((x0, x1), (y0, y1)) = (side(0, self.width), side(1, self.height));
        (x1 > x0 && y1 > y0).then_some([x0, y0, x1, y1])
    }

    /// Whether a find is broad, unreadable and without strokes.
    pub(super) fn is_texture(&self, line: &TextLine) -> bool {
        let (width, height) = (self.width as u32, self.height as u32);
        is_broad(line, width, height)
            && self.around(line).is_some_and(|rect| self.strokes(rect) < STROKES_MAX)
    }
}

/// Whether a find of a picture of this size is too broad for a line of text
/// and was not read.
pub(super) fn is_broad(line: &TextLine, width: u32, height: u32) -> bool {
    let is_word = line.text.chars().filter(|c| c.is_alphanumeric()).count() >= WORD_CHARS_MIN;
    let read = if is_word { WORD_CONFIDENCE } else { READ_CONFIDENCE };
    if !line.text.is_empty() && line.confidence >= read {
        return false;
    }
    let rect = Rect::from_corners(&line.corners);
    let (short, long) = (rect.width.min(rect.height), rect.width.max(rect.height));
    let least = HEIGHT_MIN_PX.max(HEIGHT_MIN_SHARE * width.min(height) as f32);
    short >= least && long < LENGTH_MAX * short
}

/// Rec. 601 weights, in thousandths.
fn brightness(pixel: &[u8]) -> u8 {
    let weights = [299_u32, 587, 114];
    let sum: u32 =
        pixel.iter().zip(weights).map(|(sample, weight)| u32::from(*sample) * weight).sum();
    (sum / 1000) as u8
}

/// Means over a window of `2 × radius + 1` values, cut at both ends.
fn running_means(
    count: usize,
    radius: usize,
    value: impl Fn(usize) -> u8,
    mut put: impl FnMut(usize, u8),
) {
    let mut sum: u32 = (0..radius.min(count)).map(|i| u32::from(value(i))).sum();
    let mut inside = radius.min(count) as u32;
    for i in 0..count {
        if i + radius < count {
            sum += u32::from(value(i + radius));
            inside += 1;
        }
        if i > radius {
            sum -= u32::from(value(i - radius - 1));
            inside -= 1;
        }
        put(i, (sum / inside.max(1)) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unread(x: f32, y: f32, width: f32, height: f32) -> TextLine {
        let corners = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]];
        TextLine { corners, text: String::new(), confidence: 0.0 }
    }

    fn picture(shade: impl Fn(usize, usize) -> u8) -> Grey {
        let pixels = (0..200 * 200).map(|i| shade(i % 200, i / 200)).collect();
        Grey { width: 200, height: 200, pixels }
    }

    /// A smooth disc of radius 60 in the middle.
    fn body(x: usize, y: usize) -> u8 {
        let distance = x.abs_diff(100).pow(2) + y.abs_diff(100).pow(2);
        if distance < 3600 { 150 - (distance / 60) as u8 } else { 0 }
    }

    #[test]
    fn a_smooth_body_is_texture_and_bars_like_letters_are_not() {
        let find = unread(35.0, 35.0, 130.0, 130.0);
        assert!(picture(body).is_texture(&find));
        let bars = |x: usize, y: usize| if (x / 5).is_multiple_of(2) { 200 } else { body(x, y) };
        assert!(!picture(bars).is_texture(&find));
    }

    #[test]
    fn lines_small_finds_and_what_was_read_are_never_texture() {
        let grey = picture(body);
        assert!(!grey.is_texture(&unread(10.0, 90.0, 180.0, 30.0)));
        assert!(!grey.is_texture(&unread(90.0, 90.0, 20.0, 20.0)));
        let mut read = unread(35.0, 35.0, 130.0, 130.0);
        (read.text, read.confidence) = ("O".into(), 0.9);
        assert!(!grey.is_texture(&read));
        (read.text, read.confidence) = ("DOE".into(), 0.5);
        assert!(!grey.is_texture(&read));
        (read.text, read.confidence) = ("O".into(), 0.8);
        assert!(grey.is_texture(&read));
    }

    #[test]
    fn shades_go_and_strokes_stay() {
        let stroke = |x: usize, y: usize| if y == 100 { 255 } else { body(x, y) };
        let view = picture(stroke).without_shades();
        let at = |x: usize, y: usize| view.pixels[y * 200 + x];
        assert!(at(100, 60).abs_diff(128) < 12, "{}", at(100, 60));
        assert!(at(100, 100) > 220);
    }

    #[test]
    fn means_are_those_of_the_cut_window() {
        let row = [10, 20, 30, 40, 50];
        let mut means = Vec::new();
        running_means(5, 1, |i| row[i], |_, mean| means.push(mean));
        assert_eq!(means, [15, 20, 30, 40, 45]);
    }
}
