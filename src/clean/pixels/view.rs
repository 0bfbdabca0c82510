//! Pictures to look at: stored samples in, 8-bit grey or RGB out.
//!
//! What a person can see on a screen, with whatever window, must be visible
//! here. A window shows one part of the range, so grey of more than 8 bits is
//! shown through two curves over all of it that follow the frame's own values:
//! [`Curve::even`] gives flat ground and what is written on it room by the
//! pixels that they cover, also where five grey levels of 4,000 tell them
//! apart; [`Curve::gentle`] goes with the values themselves, so that noise is
//! not blown up to the size of text. Linear or not, rescaled or not, a viewer
//! shows these values in this order (PS3.3 §C.11.1, §C.11.2), which is why
//! look-up tables of modality and window play no part here.

use super::attributes::Photometric;
use super::{Palette, StoredFrame};
use crate::clean::text::View;

/// Values that are told apart at most; wider ranges share them in steps.
const LEVELS_MAX: i64 = 65_536;
/// Largest part of the pixels (one in this many) that one value counts for: a
/// background that fills the picture leaves room to the rest.
const SHARE_MAX: u64 = 10;
/// Part of the pixels (one in this many) at each end that are outliers: a
/// marker, or what was written on the picture with its greatest value.
const OUTLIERS_PART: u64 = 100;
/// Shades left to the outliers of each end: enough to read what is written
/// among them.
const OUTLIER_SHADES: u64 = 48;

/// How stored values are shown.
#[derive(Debug, Clone, Default)]
pub struct Display {
    /// The least value is the brightest.
    pub inverted: bool,
    /// Stored values stand for others (Modality LUT, PS3.3 §C.11.1).
    pub rescaled: bool,
    /// Pixel Padding Value (PS3.3 §C.7.5.1.1.2).
    pub padding: Option<i64>,
    /// Colours of the values; with grey, of those from its first one on
    /// (Supplemental Palette Color Lookup Table, PS3.3 §C.7.6.19).
    pub palette: Option<Palette>,
}

/// A way from values to shades, rising.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Curve {
    least: i64,
    /// Values that share a shade entry.
    step: i64,
    shades: Vec<u8>,
}

/// How the grey of a frame is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    curves: Vec<Curve>,
    extremes: (i64, i64),
}

impl Windows {
    /// The windows of a frame. A painted frame is shown through those it had
    /// before: the same things must look the same in both looks.
    #[must_use]
    pub fn of(frame: &StoredFrame) -> Self {
        let is_plain = frame.bits.allocated <= 8 && !frame.bits.signed && frame.bits.shift == 0;
        if frame.samples() == 3 || (is_plain && frame.photometric != Photometric::Palette) {
            let extremes = frame.bits.range();
            return Self { curves: vec![Curve::straight(extremes)], extremes };
        }
        let histogram = Histogram::of(frame);
        let curves = vec![Curve::even(&histogram), Curve::gentle(&histogram)];
        Self { curves, extremes: histogram.extremes }
    }
}

/// How often each value occurs.
struct Histogram {
    extremes: (i64, i64),
    step: i64,
    counts: Vec<u32>,
    pixels: u64,
}

impl Histogram {
    fn of(frame: &StoredFrame) -> Self {
        let extremes = frame.extremes().unwrap_or(frame.bits.range());
        let (least, greatest) = extremes;
        let step = (greatest - least) / LEVELS_MAX + 1;
        let levels = usize::try_from((greatest - least) / step + 1).unwrap_or(1);
        let mut counts = vec![0_u32; levels];
        let mut pixels = 0;
        for value in frame.values() {
            let level = usize::try_from((value - least) / step).unwrap_or(0);
            if let Some(count) = counts.get_mut(level) {
                *count = count.saturating_add(1);
                pixels += 1;
            }
        }
        Self { extremes, step, counts, pixels }
    }

    /// The curve that rises at each value by its weight: half before it, half
    /// after it. Weights are whole numbers, so that every machine draws the same.
    fn curve(&self, weight: impl Fn(u32) -> u64) -> Curve {
        let mut heights = Vec::with_capacity(self.counts.len());
        let mut height = 0_u64;
        for count in &self.counts {
            let weight = weight(*count);
            heights.push(height + weight / 2);
            height += weight;
        }
        let first = heights.first().copied().unwrap_or(0);
        let range = heights.last().map_or(1, |last| (last - first).max(1));
        let shade = |height: &u64| u8::try_from((height - first) * 255 / range).unwrap_or(0xFF);
        let shades = heights.iter().map(shade).collect();
        Curve { least: self.extremes.0, step: self.step, shades }
    }

    /// Shades that go with the values: straight over those of nearly all
    /// pixels, and straight in a small part of the scale over the outliers.
    fn straight(&self) -> impl Iterator<Item = u64> {
        let passed = |counts: &mut dyn Iterator<Item = &u32>| {
            let mut sum = 0;
            let outside = |count: &&u32| {
                sum += u64::from(**count);
                sum <= self.pixels / OUTLIERS_PART
            };
            u64::try_from(counts.take_while(outside).count()).unwrap_or(0)
        };
        let last = u64::try_from(self.counts.len()).unwrap_or(1).saturating_sub(1);
        let low = passed(&mut self.counts.iter());
        let high = last.saturating_sub(passed(&mut self.counts.iter().rev())).max(low);
        let dark = if low > 0 { OUTLIER_SHADES } else { 0 };
        let bright = if high < last { OUTLIER_SHADES } else { 0 };
        (0..=last).map(move |level| match level {
            _ if level < low => level * dark / low,
            _ if level <= high => {
                dark + (level - low) * (255 - dark - bright) / (high - low).max(1)
            }
            _ => 255 - bright + (level - high) * bright / (last - high),
        })
    }
}

impl Curve {
    fn straight((least, greatest): (i64, i64)) -> Self {
        let range = (greatest - least).max(1);
        let shades = (0..=range).map(|level| u8::try_from(level * 255 / range).unwrap_or(0xFF));
        Self { least, step: 1, shades: shades.collect() }
    }

    /// Each value takes as much of the scale as pixels have it, up to a tenth.
    fn even(histogram: &Histogram) -> Self {
        let most = (histogram.pixels / SHARE_MAX).max(1);
        histogram.curve(|count| 2 * u64::from(count).min(most))
    }

    /// Half by the cube root of that, which takes from noise on large grounds,
    /// half by the values themselves.
    fn gentle(histogram: &Histogram) -> Self {
        let root = histogram.curve(|count| cube_root(u64::from(count) << 30));
        let mixed = histogram.straight().zip(&root.shades).map(|(straight, shade)| {
            u8::try_from(u64::midpoint(straight, u64::from(*shade))).unwrap_or(0xFF)
        });
        Self { shades: mixed.collect(), ..root }
    }

    fn shade(&self, value: i64) -> u8 {
        let last = self.shades.len().saturating_sub(1);
        let level = usize::try_from((value - self.least) / self.step).unwrap_or(0).min(last);
        self.shades.get(level).copied().unwrap_or(0)
    }
}

/// The whole part of the cube root, digit by digit.
fn cube_root(value: u64) -> u64 {
    let fits = |root: u64| root.checked_pow(3).is_some_and(|cube| cube <= value);
    (0..22)
        .rev()
        .map(|bit| 1 << bit)
        .fold(0, |root, bit| if fits(root | bit) { root | bit } else { root })
}

/// The pictures of a frame, at most three; together they show what it shows.
#[must_use]
pub fn views(frame: &StoredFrame, display: &Display, windows: &Windows) -> Vec<View> {
    let grey = || {
        let shown = windows.curves.iter().map(|curve| shades(frame, curve, display.inverted));
        shown.map(|pixels| view(frame, 1, pixels))
    };
    match (frame.photometric, &display.palette) {
        (Photometric::Palette, Some(palette)) => {
            let pixels = frame.values().flat_map(|value| palette.colour(value)).collect();
            let coloured = view(frame, 3, pixels);
            // Values without an entry look alike in colour, whatever they draw.
            let hidden = !palette.covers(windows.extremes);
            std::iter::once(coloured).chain(grey().take(usize::from(hidden))).collect()
        }
        (Photometric::Monochrome1 | Photometric::Monochrome2 | Photometric::Palette, palette) => {
            let supplement =
                palette.as_ref().filter(|palette| palette.first() <= windows.extremes.1);
            let coloured =
                supplement.map(|palette| view(frame, 3, supplemented(frame, palette, windows)));
            grey().chain(coloured).collect()
        }
        (Photometric::Rgb | Photometric::YbrIct | Photometric::YbrRct, _) => {
            vec![view(frame, 3, to_8_bits(frame))]
        }
        (Photometric::YbrFull | Photometric::YbrFull422, _) => {
            vec![view(frame, 3, ybr_to_rgb(to_8_bits(frame)))]
        }
    }
}

fn view(frame: &StoredFrame, samples: u8, pixels: Vec<u8>) -> View {
    View { width: frame.width, height: frame.height, samples, pixels }
}

fn shades(frame: &StoredFrame, curve: &Curve, inverted: bool) -> Vec<u8> {
    let shade = |value: i64| {
        let shade = curve.shade(value);
        if inverted { 0xFF - shade } else { shade }
    };
    if frame.bits.allocated <= 16 {
        // Dividing once for each possible word is cheaper than for each pixel.
        let bits = frame.bits;
        let words = 1_u32 << (8 * u32::from(bits.allocated.div_ceil(8)));
        let shades: Vec<u8> = (0..words).map(|word| shade(bits.value(word))).collect();
        let index = |word| usize::try_from(word).unwrap_or(0);
        return frame.words().map(|word| shades.get(index(word)).copied().unwrap_or(0)).collect();
    }
    frame.values().map(shade).collect()
}

/// Grey below the palette's first value, colour from there on (PS3.3 §C.7.6.19).
fn supplemented(frame: &StoredFrame, palette: &Palette, windows: &Windows) -> Vec<u8> {
    let Some(curve) = windows.curves.first() else { return Vec::new() };
    let colour = |value| {
        if value < palette.first() { [curve.shade(value); 3] } else { palette.colour(value) }
    };
    frame.values().flat_map(colour).collect()
}

/// The most significant 8 bits of each sample.
fn to_8_bits(frame: &StoredFrame) -> Vec<u8> {
    let bits = frame.bits;
    if bits.allocated == 8 && bits.stored == 8 {
        return frame.bytes.clone();
    }
    let (least, greatest) = bits.range();
    let range = (greatest - least).max(1);
    frame.values().map(|value| u8::try_from((value - least) * 255 / range).unwrap_or(0)).collect()
}

/// PS3.3 §C.7.6.3.1.2, with factors in 1/65536.
fn ybr_to_rgb(mut pixels: Vec<u8>) -> Vec<u8> {
    for pixel in pixels.as_chunks_mut::<3>().0 {
        let [luma, blue, red] = pixel.map(i32::from);
        let (luma, blue, red) = (luma << 16, blue - 128, red - 128);
        let channel =
            |value: i32| u8::try_from(((value + 0x8000) >> 16).clamp(0, 255)).unwrap_or(0);
        *pixel = [
            channel(luma + 91_881 * red),
            channel(luma - 22_554 * blue - 46_802 * red),
            channel(luma + 116_130 * blue),
        ];
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::pixels::attributes::SampleBits;

    fn frame(photometric: Photometric, bits: SampleBits, bytes: &[u8]) -> StoredFrame {
        let pixel = bits.bytes() * usize::from(photometric.samples());
        let width = u32::try_from(bytes.len() / pixel).unwrap();
        StoredFrame { width, height: 1, photometric, bits, bytes: bytes.to_vec() }
    }

    const BYTE: SampleBits = SampleBits { allocated: 8, stored: 8, shift: 0, signed: false };
    const WORD: SampleBits = SampleBits { allocated: 16, stored: 16, shift: 0, signed: true };

    fn words(values: impl IntoIterator<Item = i16>) -> Vec<u8> {
        values.into_iter().flat_map(i16::to_le_bytes).collect()
    }

    #[test]
    fn grey_of_8_bits_is_shown_as_it_is_and_monochrome1_inverted() {
        let stored = frame(Photometric::Monochrome1, BYTE, &[0, 7, 255]);
        assert_eq!(
            views(&stored, &Display::default(), &Windows::of(&stored))[0].pixels,
            [0, 7, 255]
        );
        let display = Display { inverted: true, ..Display::default() };
        assert_eq!(views(&stored, &display, &Windows::of(&stored))[0].pixels, [255, 248, 0]);
    }

    #[test]
    fn few_levels_of_many_show_at_both_ends_and_in_the_middle() {
        // Ground and text 5 levels above it, in a range of 30,000.
        for ground in [0, 15_000, 29_000] {
            let mut values: Vec<i16> = (0..1000).map(|step| step * 30).collect();
            values.extend([ground; 400]);
            values.extend([ground + 5; 40]);
            let stored = frame(Photometric::Monochrome2, WORD, &words(values));
            let shown = views(&stored, &Display::default(), &Windows::of(&stored));
            assert_eq!(shown.len(), 2);
            let contrast = shown[0].pixels[1400] - shown[0].pixels[1399];
            assert!(contrast >= 15, "{contrast} above {ground}");
        }
    }

    #[test]
    fn contrast_of_values_that_few_pixels_have_shows_in_the_second_view() {
        // A small label far above the picture: no pixels lie between ground and text.
        let mut values: Vec<i16> = (0..20_000).map(|pixel| pixel % 1000).collect();
        values.extend([3000; 400]);
        values.extend([4095; 20]);
        let stored = frame(Photometric::Monochrome2, WORD, &words(values));
        let shown = views(&stored, &Display::default(), &Windows::of(&stored));
        let contrast = |view: &View| view.pixels[20_400] - view.pixels[20_399];
        assert!(contrast(&shown[0]) < 5);
        assert!(contrast(&shown[1]) >= 20);
    }

    #[test]
    fn signed_values_are_shown_in_order() {
        let stored = frame(Photometric::Monochrome2, WORD, &words([-1000, 0, 1000]));
        for view in views(&stored, &Display::default(), &Windows::of(&stored)) {
            assert_eq!(view.pixels, [0, 127, 255]);
        }
        // Also where the range is wider than what is told apart, and inverted.
        let wide = SampleBits { allocated: 32, stored: 32, shift: 0, signed: true };
        let bytes: Vec<u8> =
            [i32::MIN, 0, i32::MAX].iter().flat_map(|value| value.to_le_bytes()).collect();
        let stored = frame(Photometric::Monochrome2, wide, &bytes);
        let display = Display { inverted: true, ..Display::default() };
        for view in views(&stored, &display, &Windows::of(&stored)) {
            assert_eq!(view.pixels, [255, 128, 0]);
        }
    }

    #[test]
    fn a_blank_frame_is_blank() {
        let stored = frame(Photometric::Monochrome2, WORD, &words([7; 9]));
        for view in views(&stored, &Display::default(), &Windows::of(&stored)) {
            assert_eq!(view.pixels, [0; 9]);
        }
    }

    fn red_from(first: u16, bits: SampleBits) -> Display {
        use crate::dicom::{DataSet, Element, Tag, VR};
        let mut set = DataSet::new();
        for (element, table) in [(0x1101, [0_u8, 255]), (0x1102, [0, 0]), (0x1103, [0, 0])] {
            let words = [2, first, 8].map(u16::to_le_bytes).concat();
            set.put(Element::bytes(Tag(0x0028, element), VR::US, words));
            set.put(Element::bytes(Tag(0x0028, element + 0x100), VR::OW, table));
        }
        let mut file = std::io::Cursor::new(Vec::new());
        let palette = Palette::read(&set, false, &mut file).unwrap();
        assert!(bits.range().1 > i64::from(first));
        Display { palette: Some(palette), ..Display::default() }
    }

    #[test]
    fn values_without_a_colour_are_looked_at_in_grey_too() {
        let display = red_from(0, BYTE);
        let known = frame(Photometric::Palette, BYTE, &[0, 1, 0]);
        assert_eq!(views(&known, &display, &Windows::of(&known)).len(), 1);
        let unknown = frame(Photometric::Palette, BYTE, &[1, 9, 1, 200]);
        let shown = views(&unknown, &display, &Windows::of(&unknown));
        assert_eq!((shown.len(), shown[0].samples, shown[1].samples), (2, 3, 1));
        assert!(shown[1].pixels[1] > shown[1].pixels[0]);
    }

    #[test]
    fn colours_above_the_grey_are_shown_as_colours() {
        let display = red_from(1000, WORD);
        let grey = frame(Photometric::Monochrome2, WORD, &words([0, 500, 999]));
        assert_eq!(views(&grey, &display, &Windows::of(&grey)).len(), 2);
        let both = frame(Photometric::Monochrome2, WORD, &words([0, 999, 1000, 1001]));
        let shown = views(&both, &display, &Windows::of(&both));
        assert_eq!(shown.len(), 3);
        assert_eq!(shown[2].pixels[6..], [0, 0, 0, 255, 0, 0]);
    }

    #[test]
    fn ybr_becomes_the_colours_it_stands_for() {
        let stored = frame(Photometric::YbrFull, BYTE, &[0, 128, 128, 255, 128, 128, 76, 85, 255]);
        assert_eq!(
            views(&stored, &Display::default(), &Windows::of(&stored))[0].pixels,
            [0, 0, 0, 255, 255, 255, 254, 0, 0]
        );
    }
}
