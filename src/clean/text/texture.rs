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
/// Characters that discs, rings and their edges are read as.
const ROUND_CHARS: &str = "0OoQDCcG1Il8369日口";
/// Least height, in pixels. Default 24: smaller finds are hidden, not weighed.
const HEIGHT_MIN_PX: f32 = 24.0;
/// Least height of a smooth body, as a share of the picture's shorter side.
/// Default 0.12: text of an eighth of the picture is a title, and is read.
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
/// The same for the strokes of letters as high as the find, as a share of its
/// height: the box is higher than its letters, whose strokes are up to a
/// quarter of them.
const LETTER_REACH: f32 = 0.16;
/// Grain finer than this share of the height is no stroke of such letters.
const GRAIN_SHARE: f32 = 0.03;
/// By how much strokes must stand out from what is around the find to be
/// letters. Default 1.35: cysts in speckle up to 1.3, letters from 2 on.
const STANDS_OUT: f32 = 1.35;
/// Part of the pixels (in percent) that may be stronger than what is compared.
const STRONGEST_PERCENT: usize = 5;
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
    fn strokes(&self, rect: [usize; 4]) -> f32 {
        let part = self.part(rect);
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
        let Some(rect) = self.around(line).filter(|_| is_broad(line)) else { return false };
        let [short, _long] = sides(line);
        let is_large = short >= HEIGHT_MIN_SHARE * self.width.min(self.height) as f32;
        (is_large && self.strokes(rect) < STROKES_MAX) || self.is_grain(rect)
    }

    /// Whether a find has no strokes as broad as its letters would have, and
    /// what it has is as strong around it: speckle, with or without a cyst.
    fn is_grain(&self, [x0, y0, x1, y1]: [usize; 4]) -> bool {
        let height = (x1 - x0).min(y1 - y0);
        let reach = ((height as f32 * LETTER_REACH).round() as usize).max(2);
        let margin = height / 2;
        let outer = [
            x0.saturating_sub(margin),
            y0.saturating_sub(margin),
            (x1 + margin).min(self.width),
            (y1 + margin).min(self.height),
        ];
        let grain = (height as f32 * GRAIN_SHARE) as usize / 2;
        let part = self.part(outer);
        let ridges = Self { pixels: part.blurred(grain), ..part }.ridges(reach);
        let [left, top] = [x0 - outer[0], y0 - outer[1]];
        let [right, bottom] = [x1 - outer[0], y1 - outer[1]];
        let inside = ridges.part([left, top, right, bottom]).pixels;
        let strokes = inside.iter().filter(|ridge| **ridge > STROKE_CONTRAST).count();
        if strokes as f32 >= STROKES_MAX * inside.len() as f32 {
            return false;
        }
        let sides = [
            [0, top, left, bottom],
            [right, top, ridges.width, bottom],
            [left, 0, right, top],
            [left, bottom, right, ridges.height],
        ];
        let mut around = sides.map(|side| strongest(ridges.part(side).pixels));
        around.sort_unstable();
        // A line of text on one side must not excuse one here.
        f32::from(strongest(inside)) <= STANDS_OUT * f32::from(around[1])
    }

    /// How far each pixel stands out from both sides, at a distance of `reach`:
    /// over strokes narrower than that, not over steps from one ground to another.
    fn ridges(&self, reach: usize) -> Self {
        let (width, height) = (self.width, self.height);
        let slant = reach * 7 / 10;
        let at = |x: usize, y: usize| self.pixels[y * width + x];
        let pixels = (0..width * height).map(|i| {
            let (x, y) = (i % width, i / width);
            let (left, right) = (x.saturating_sub(reach), (x + reach).min(width - 1));
            let (up, down) = (y.saturating_sub(reach), (y + reach).min(height - 1));
            let (west, east) = (x.saturating_sub(slant), (x + slant).min(width - 1));
            let (north, south) = (y.saturating_sub(slant), (y + slant).min(height - 1));
            let middle = at(x, y);
            let pairs = [
                (at(left, y), at(right, y)),
                (at(x, up), at(x, down)),
                (at(west, north), at(east, south)),
                (at(east, north), at(west, south)),
            ];
            let standing = pairs.map(|(one, other)| {
                let above = middle.saturating_sub(one).min(middle.saturating_sub(other));
                above.max(one.saturating_sub(middle).min(other.saturating_sub(middle)))
            });
            standing.into_iter().max().unwrap_or(0)
        });
        Self { width, height, pixels: pixels.collect() }
    }

    /// The pixels of a rectangle inside the picture.
    fn part(&self, [x0, y0, x1, y1]: [usize; 4]) -> Self {
        let rows = (y0..y1).flat_map(|y| &self.pixels[y * self.width + x0..y * self.width + x1]);
        Self { width: x1 - x0, height: y1 - y0, pixels: rows.copied().collect() }
    }
}

/// Whether a find is too broad for a line of text and was not read.
pub(super) fn is_broad(line: &TextLine) -> bool {
    let letters = || line.text.chars().filter(|c| c.is_alphanumeric());
    let is_round = letters().all(|c| ROUND_CHARS.contains(c));
    let is_word = letters().count() >= WORD_CHARS_MIN && !is_round;
    let read = if is_word { WORD_CONFIDENCE } else { READ_CONFIDENCE };
    if !line.text.is_empty() && line.confidence >= read {
        return false;
    }
    let [short, long] = sides(line);
    short >= HEIGHT_MIN_PX && long < LENGTH_MAX * short
}

/// The shorter and the longer side of a find.
fn sides(line: &TextLine) -> [f32; 2] {
    let rect = Rect::from_corners(&line.corners);
    [rect.width.min(rect.height), rect.width.max(rect.height)]
}

/// The value that [`STRONGEST_PERCENT`] of the values exceed; 0 of none.
fn strongest(mut values: Vec<u8>) -> u8 {
    let at = values.len() * (100 - STRONGEST_PERCENT) / 100;
    if at >= values.len() {
        return 0;
    }
    *values.select_nth_unstable(at).1
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

    /// Grain of 3 pixels, the same in each run.
    fn speckle(x: usize, y: usize) -> u8 {
        let cell = (x / 3).wrapping_mul(2_654_435_761) ^ (y / 3).wrapping_mul(40_503);
        60 + (cell.wrapping_mul(2_246_822_519) >> 16) as u8 % 40
    }

    fn is_in_cyst(x: usize, y: usize) -> bool {
        x.abs_diff(100).pow(2) * 4 + y.abs_diff(100).pow(2) * 9 < 16_000
    }

    #[test]
    fn a_cyst_in_speckle_is_texture_and_a_letter_in_speckle_is_not() {
        let find = unread(32.0, 52.0, 136.0, 96.0);
        let cyst = |x: usize, y: usize| if is_in_cyst(x, y) { 12 } else { speckle(x, y) };
        assert!(picture(cyst).is_texture(&find));
        assert!(picture(speckle).is_texture(&find));
        let is_stroke = |x: usize, y: usize| {
            (60..140).contains(&y) && matches!(x, 45..52 | 75..82 | 105..112 | 135..142)
        };
        let written = |x: usize, y: usize| if is_stroke(x, y) { 235 } else { speckle(x, y) };
        assert!(!picture(written).is_texture(&find));
        let ring = |x: usize, y: usize| {
            let inner = x.abs_diff(100).pow(2) * 6 + y.abs_diff(100).pow(2) * 16 < 16_000;
            if is_in_cyst(x, y) && !inner { 240 } else { speckle(x, y) }
        };
        assert!(!picture(ring).is_texture(&find), "a zero");
    }

    #[test]
    fn text_beside_a_find_does_not_excuse_it() {
        let find = unread(60.0, 80.0, 90.0, 40.0);
        let bars = |x: usize| (x / 6).is_multiple_of(2);
        let faint = |x: usize, y: usize| match y {
            85..115 if (65..145).contains(&x) && bars(x) => 90,
            122..160 if bars(x) => 250,
            _ => 20,
        };
        assert!(!picture(faint).is_texture(&find));
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
        (read.text, read.confidence) = ("010".into(), 0.6);
        assert!(grey.is_texture(&read), "rings are no word");
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
