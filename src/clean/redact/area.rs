//! Areas of a picture and how they are painted over.

use crate::clean::pixels::attributes::SampleBits;
use crate::clean::pixels::frame::{put_word, word};
use crate::clean::pixels::view::Display;
use crate::clean::pixels::{Photometric, StoredFrame, jpeg};
use crate::clean::text::TextLine;

/// Painted around a line of text: anti-aliased edges and the ringing of lossy
/// coding lie within 3 pixels of the glyphs (facts/models.md §1.4).
pub const MARGIN_PX: u32 = 3;
/// A line that rises by less than this part of its length is painted upright.
const UPRIGHT_SLOPE: f32 = 0.05;

/// An upright rectangle in pixels, inside its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// First column.
    pub x0: u32,
    /// First row.
    pub y0: u32,
    /// Column after the last one.
    pub x1: u32,
    /// Row after the last one.
    pub y1: u32,
}

impl Rect {
    /// The whole picture.
    #[must_use]
    pub fn whole(width: u32, height: u32) -> Self {
        Self { x0: 0, y0: 0, x1: width, y1: height }
    }

    /// Left, top, width, height.
    #[must_use]
    pub fn position(self) -> [u32; 4] {
        [self.x0, self.y0, self.x1.saturating_sub(self.x0), self.y1.saturating_sub(self.y0)]
    }

    /// Number of pixels.
    #[must_use]
    pub fn pixels(self) -> u64 {
        let [_x, _y, width, height] = self.position();
        u64::from(width) * u64::from(height)
    }

    fn contains(self, x: u32, y: u32) -> bool {
        (self.x0..self.x1).contains(&x) && (self.y0..self.y1).contains(&y)
    }

    /// The part that both have.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        Self {
            x0: self.x0.max(other.x0),
            y0: self.y0.max(other.y0),
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
        }
    }
}

/// Corners of a place that looks like text, clockwise.
pub type Corners = [[f32; 2]; 4];

/// What is painted: a rectangle, or inside of it a tilted one.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// The bounding rectangle with its margin.
    pub rect: Rect,
    tilted: Option<[[f32; 2]; 4]>,
}

impl Area {
    /// An upright area.
    #[must_use]
    pub fn upright(rect: Rect) -> Self {
        Self { rect, tilted: None }
    }

    /// It is a rectangle, not a tilted one.
    #[must_use]
    pub fn is_upright(&self) -> bool {
        self.tilted.is_none()
    }

    /// The area of a line of text with its margin. Corners that are no numbers
    /// give the whole picture: something was there.
    #[must_use]
    pub fn of_line(line: &TextLine, width: u32, height: u32) -> Self {
        Self::of_corners(line.corners, width, height)
    }

    /// The same of a place that looks like text.
    #[must_use]
    pub fn of_corners(corners: Corners, width: u32, height: u32) -> Self {
        if corners.iter().flatten().any(|place| !place.is_finite()) {
            return Self::upright(Rect::whole(width, height));
        }
        let ends = |axis: usize, end: fn(f32, f32) -> f32| {
            corners.iter().filter_map(|corner| corner.get(axis).copied()).reduce(end).unwrap_or(0.0)
        };
        let margin = MARGIN_PX;
        let rect = Rect {
            x0: pixel(ends(0, f32::min).floor()).saturating_sub(margin).min(width),
            y0: pixel(ends(1, f32::min).floor()).saturating_sub(margin).min(height),
            x1: pixel(ends(0, f32::max).ceil()).saturating_add(margin).min(width),
            y1: pixel(ends(1, f32::max).ceil()).saturating_add(margin).min(height),
        };
        let tilted = is_tilted(&corners).then_some(corners);
        Self { rect, tilted }
    }

    /// Whether the area covers a pixel.
    #[must_use]
    pub fn contains(&self, x: u32, y: u32) -> bool {
        self.rect.contains(x, y) && self.tilted.is_none_or(|corners| is_near(&corners, x, y))
    }

    /// The columns of row `y` that the area covers: in a convex area they follow
    /// each other.
    fn columns(&self, y: u32) -> (u32, u32) {
        let Rect { x0, x1, .. } = self.rect;
        if self.tilted.is_none() {
            return (x0, x1);
        }
        let first = (x0..x1).find(|x| self.contains(*x, y));
        let last = (x0..x1).rev().find(|x| self.contains(*x, y));
        first.zip(last).map_or((x0, x0), |(first, last)| (first, last + 1))
    }
}

/// Whether the areas together cover nearly all (99 of 100 pixels) of a rectangle.
#[must_use]
pub fn covered(rect: Rect, areas: &[Area]) -> bool {
    let near: Vec<&Area> =
        areas.iter().filter(|area| area.rect.common(rect).pixels() > 0).collect();
    let mut open = 0_u64;
    for y in rect.y0..rect.y1 {
        for x in rect.x0..rect.x1 {
            open += u64::from(!near.iter().any(|area| area.contains(x, y)));
        }
    }
    open * 100 <= rect.pixels()
}

/// A coordinate as a pixel; saturates at both ends.
#[expect(clippy::as_conversions, reason = "float to integer saturates, and NaN was sorted out")]
fn pixel(place: f32) -> u32 {
    place as u32
}

#[expect(clippy::as_conversions, reason = "a coordinate under 65,536 is exact")]
fn place(pixel: u32) -> f32 {
    pixel as f32 + 0.5
}

/// Twice the area to the right of the way from `a` over `b` to `point`.
fn turn(a: [f32; 2], b: [f32; 2], point: [f32; 2]) -> f32 {
    (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])
}

fn edges(corners: &[[f32; 2]; 4]) -> [([f32; 2], [f32; 2]); 4] {
    let [a, b, c, d] = *corners;
    [(a, b), (b, c), (c, d), (d, a)]
}

/// A convex, clockwise area that is not upright. Others are painted with their
/// whole bounding rectangle.
fn is_tilted(corners: &[[f32; 2]; 4]) -> bool {
    let [a, b, c, d] = *corners;
    let (across, down) = ((b[0] - a[0]).abs(), (b[1] - a[1]).abs());
    let upright = down <= UPRIGHT_SLOPE * across || across <= UPRIGHT_SLOPE * down;
    let turns = [turn(a, b, c), turn(b, c, d), turn(c, d, a), turn(d, a, b)];
    !upright && turns.iter().all(|turn| *turn > 1.0)
}

/// Inside the corners or within the margin of an edge.
fn is_near(corners: &[[f32; 2]; 4], x: u32, y: u32) -> bool {
    let point = [place(x), place(y)];
    edges(corners).iter().all(|(a, b)| {
        let length = (b[0] - a[0]).hypot(b[1] - a[1]);
        turn(*a, *b, point) >= -place(MARGIN_PX) * length
    })
}

/// The pixels that the areas cover.
#[must_use]
pub fn mask(areas: &[Area], width: u32, height: u32) -> jpeg::Mask {
    let mut mask = jpeg::Mask::new(width, height);
    for area in areas {
        for y in area.rect.y0..area.rect.y1.min(height) {
            let (x0, x1) = area.columns(y);
            mask.cover(y, x0, x1);
        }
    }
    mask
}

/// The bytes of a painted pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ink(Vec<u8>);

impl Ink {
    /// Whether the ink depends on the values that occur: the least possible one
    /// would stretch every automatic window where values are signed, rescaled
    /// or wide and inverted. In plain grey it is what black is.
    #[must_use]
    pub fn follows_extremes(bits: SampleBits, display: &Display) -> bool {
        bits.signed || display.rescaled || (bits.allocated > 16 && display.inverted)
    }

    /// The darkest displayed value in the stored samples, of those that occur
    /// (`extremes`) where it depends on them. Pixel Padding Value lies outside
    /// of what the picture shows (PS3.3 §C.7.5.1.1.2), so it is taken when it is
    /// darker still.
    #[must_use]
    pub fn darkest(
        photometric: Photometric,
        bits: SampleBits,
        display: &Display,
        extremes: Option<(i64, i64)>,
    ) -> Self {
        let follows = Self::follows_extremes(bits, display);
        let (mut least, mut greatest) = extremes.filter(|_| follows).unwrap_or(bits.range());
        let (first, last) = bits.range();
        if let Some(padding) = display.padding.filter(|value| (first..=last).contains(value)) {
            (least, greatest) = (least.min(padding), greatest.max(padding));
        }
        let middle = 1_i64 << (bits.stored - 1);
        let values = match (photometric, &display.palette) {
            (Photometric::Palette, Some(palette)) => vec![palette.darkest(bits.range())],
            (Photometric::Monochrome1 | Photometric::Monochrome2 | Photometric::Palette, _) => {
                vec![if display.inverted { greatest } else { least }]
            }
            (Photometric::Rgb | Photometric::YbrIct | Photometric::YbrRct, _) => vec![least; 3],
            (Photometric::YbrFull | Photometric::YbrFull422, _) => vec![0, middle, middle],
        };
        let mut pixel = vec![0; values.len() * bits.bytes()];
        for (bytes, value) in pixel.chunks_exact_mut(bits.bytes()).zip(values) {
            put_word(bytes, bits.word(value));
        }
        Self(pixel)
    }

    /// The same for the components of a JPEG stream with samples of
    /// `precision` bits, which are not signed.
    #[must_use]
    pub fn in_jpeg(
        &self,
        photometric: Photometric,
        bits: SampleBits,
        precision: u8,
    ) -> Vec<jpeg::Ink> {
        let mask = u32::MAX >> (32 - u32::from(precision.clamp(1, 16)));
        let ybr = matches!(photometric, Photometric::YbrFull | Photometric::YbrFull422);
        let samples = self.0.chunks_exact(bits.bytes()).map(|bytes| word(bytes) & mask);
        samples
            .enumerate()
            .map(|(component, sample)| {
                let neutral = ybr && component > 0;
                let sample = if neutral { mask / 2 + 1 } else { sample };
                jpeg::Ink { sample: i32::try_from(sample).unwrap_or(0), neutral }
            })
            .collect()
    }

    /// Paints the areas. In 4:2:2 two columns share their colour, so areas are
    /// widened to whole pairs.
    pub fn paint(&self, frame: &mut StoredFrame, areas: &[Area]) {
        let pairs = frame.photometric == Photometric::YbrFull422;
        for area in areas {
            for y in area.rect.y0..area.rect.y1.min(frame.height) {
                let (mut x0, mut x1) = area.columns(y);
                if pairs && x0 < x1 {
                    (x0, x1) = (x0 - x0 % 2, x1.next_multiple_of(2));
                }
                for pixel in frame.span_mut(y, x0, x1).chunks_exact_mut(self.0.len()) {
                    pixel.copy_from_slice(&self.0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(corners: [[f32; 2]; 4]) -> TextLine {
        TextLine { corners, text: String::new(), confidence: 0.0 }
    }

    fn upright(x0: f32, y0: f32, x1: f32, y1: f32) -> TextLine {
        line([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    }

    #[test]
    fn a_line_gets_its_margin_and_stays_inside_the_picture() {
        let area = Area::of_line(&upright(10.2, 10.0, 20.5, 15.0), 100, 50);
        assert_eq!(area.rect, Rect { x0: 7, y0: 7, x1: 24, y1: 18 });
        let edge = Area::of_line(&upright(-5.0, -1.0, 300.0, 4.0), 100, 50);
        assert_eq!(edge.rect, Rect { x0: 0, y0: 0, x1: 100, y1: 7 });
        let broken = Area::of_line(&upright(f32::NAN, 0.0, 1.0, 1.0), 100, 50);
        assert_eq!(broken.rect, Rect::whole(100, 50));
    }

    #[test]
    fn a_tilted_line_is_covered_with_its_margin_and_its_corners_are_spared() {
        let area = Area::of_line(&line([[20., 10.], [90., 80.], [80., 90.], [10., 20.]]), 100, 100);
        assert!(area.contains(50, 50));
        assert!(area.contains(20, 9), "margin at the corner");
        assert!(!area.contains(85, 20));
        assert!(!area.contains(15, 85));
    }

    #[test]
    fn folded_corners_are_painted_as_their_bounding_rectangle() {
        let area = Area::of_line(&line([[20., 10.], [80., 90.], [90., 80.], [10., 20.]]), 100, 100);
        assert!(area.contains(85, 20));
    }

    #[test]
    fn ink_is_the_darkest_displayed_value() {
        let bits = |allocated, stored, signed| SampleBits { allocated, stored, shift: 0, signed };
        let plain = Display::default();
        let inverted = Display { inverted: true, ..Display::default() };
        let rescaled = Display { rescaled: true, ..Display::default() };
        let padded =
            |padding, inverted| Display { padding: Some(padding), inverted, ..Display::default() };
        let (black, white) = (padded(-2000, false), padded(32_000, true));
        let (bright, foreign) = (padded(3000, false), padded(-40_000, false));
        let grey = Photometric::Monochrome2;
        let cases = [
            (grey, bits(8, 8, false), &plain, None, vec![0]),
            (grey, bits(16, 12, false), &inverted, None, vec![0xFF, 0x0F]),
            (grey, bits(16, 16, true), &plain, Some((-1024, 3000)), vec![0x00, 0xFC]),
            (grey, bits(16, 16, true), &inverted, Some((-1024, 3000)), vec![0xB8, 0x0B]),
            (Photometric::Rgb, bits(8, 8, false), &plain, None, vec![0, 0, 0]),
            (Photometric::YbrFull, bits(8, 8, false), &plain, None, vec![0, 128, 128]),
            (Photometric::YbrFull, bits(16, 12, false), &plain, None, vec![0, 0, 0, 8, 0, 8]),
            (Photometric::YbrFull, bits(16, 16, false), &plain, None, vec![0, 0, 0, 128, 0, 128]),
            (grey, bits(1, 1, false), &inverted, None, vec![1]),
            (grey, bits(16, 12, false), &plain, Some((24, 3000)), vec![0, 0]),
            (grey, bits(16, 12, false), &rescaled, Some((24, 3000)), vec![24, 0]),
            (grey, bits(32, 32, false), &inverted, Some((1, 258)), vec![2, 1, 0, 0]),
            (grey, bits(32, 32, true), &plain, Some((-2, 9)), vec![0xFE, 0xFF, 0xFF, 0xFF]),
            // Padding that is darker than the picture, brighter, and no sample at all.
            (grey, bits(16, 16, true), &black, Some((-1024, 2000)), vec![0x30, 0xF8]),
            (grey, bits(16, 16, true), &white, Some((-1024, 2000)), vec![0x00, 0x7D]),
            (grey, bits(16, 16, true), &bright, Some((-1024, 2000)), vec![0x00, 0xFC]),
            (grey, bits(16, 16, true), &foreign, Some((-1024, 2000)), vec![0x00, 0xFC]),
        ];
        for (photometric, bits, display, extremes, bytes) in cases {
            let ink = Ink::darkest(photometric, bits, display, extremes);
            assert_eq!(ink, Ink(bytes), "{photometric:?} {bits:?}");
        }
    }
}
