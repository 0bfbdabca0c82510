//! Pictures to look at: stored samples in, 8-bit grey or RGB out.
//!
//! What a person can see on a screen must be visible here, so grey of more
//! than 8 bits is shown through its whole range and, where most of the picture
//! fills a small part of it, once more through that part.

use super::attributes::Photometric;
use super::{Palette, StoredFrame};
use crate::clean::text::View;

/// Part of the samples that the narrow window leaves out at each end, in
/// thousandths: less than a line of text covers.
const OUTSIDE_WINDOW_PERMILLE: usize = 5;
/// A narrow window is shown when the whole range is at least this many times
/// as wide: below that, contrasts differ too little to matter.
const NARROW_FACTOR: i64 = 2;
/// Most values that are sorted to find the narrow window.
const SAMPLED_VALUES_MAX: usize = 65_536;

/// How stored values are shown.
#[derive(Debug, Clone, Default)]
pub struct Display {
    /// The least value is the brightest.
    pub inverted: bool,
    /// Colours of the values.
    pub palette: Option<Palette>,
}

/// Ranges of values through which grey is shown, from black to white.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows(Vec<(i64, i64)>);

impl Windows {
    /// The windows of a frame. A painted frame is shown through those it had
    /// before: the same things must look the same in both looks.
    #[must_use]
    pub fn of(frame: &StoredFrame) -> Self {
        let is_plain = frame.bits.allocated == 8 && frame.bits.stored == 8 && !frame.bits.signed;
        if is_plain || frame.samples() == 3 {
            return Self(vec![frame.bits.range()]);
        }
        let whole = frame.extremes().unwrap_or(frame.bits.range());
        let narrow = narrow_window(frame);
        let wide_range = whole.1 - whole.0 >= NARROW_FACTOR * (narrow.1 - narrow.0);
        let second = (narrow.1 > narrow.0 && wide_range).then_some(narrow);
        Self([Some(whole), second].into_iter().flatten().collect())
    }
}

/// One or two pictures of a frame; together they show what it shows.
#[must_use]
pub fn views(frame: &StoredFrame, display: &Display, windows: &Windows) -> Vec<View> {
    match (frame.photometric, &display.palette) {
        (Photometric::Palette, Some(palette)) => {
            let pixels = frame.values().flat_map(|value| palette.colour(value)).collect();
            vec![view(frame, 3, pixels)]
        }
        (Photometric::Monochrome1 | Photometric::Monochrome2 | Photometric::Palette, _) => {
            let shown = windows.0.iter().map(|window| through(frame, *window, display.inverted));
            shown.map(|pixels| view(frame, 1, pixels)).collect()
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

/// The range without the outermost values at both ends.
fn narrow_window(frame: &StoredFrame) -> (i64, i64) {
    let count = frame.bytes.len() / frame.bits.bytes();
    let step = count.div_ceil(SAMPLED_VALUES_MAX).max(1);
    let mut values: Vec<i64> = frame.values().step_by(step).collect();
    values.sort_unstable();
    let outside = values.len() * OUTSIDE_WINDOW_PERMILLE / 1000;
    let low = values.get(outside).copied().unwrap_or(0);
    let high = values.get(values.len().saturating_sub(1 + outside)).copied().unwrap_or(0);
    (low, high)
}

fn through(frame: &StoredFrame, (low, high): (i64, i64), inverted: bool) -> Vec<u8> {
    let range = (high - low).max(1);
    let shade = |value: i64| {
        let shade = u8::try_from((value.clamp(low, high) - low) * 255 / range).unwrap_or(0xFF);
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
        let display = Display { inverted: true, palette: None };
        assert_eq!(views(&stored, &display, &Windows::of(&stored))[0].pixels, [255, 248, 0]);
    }

    #[test]
    fn text_within_a_small_part_of_a_wide_range_shows_in_the_second_view() {
        // A bright outlier makes the text (60) as dark as its ground (10).
        let mut values = vec![10_i16; 1000];
        values.extend([60; 40]);
        values.push(30_000);
        let stored = frame(Photometric::Monochrome2, WORD, &words(values));
        let shown = views(&stored, &Display::default(), &Windows::of(&stored));
        assert_eq!(shown.len(), 2);
        assert_eq!(shown[0].pixels[1000] - shown[0].pixels[0], 0);
        assert_eq!(shown[1].pixels[1000] - shown[1].pixels[0], 255);
    }

    #[test]
    fn signed_values_are_shown_in_order() {
        let stored = frame(Photometric::Monochrome2, WORD, &words([-1000, 0, 1000]));
        assert_eq!(
            views(&stored, &Display::default(), &Windows::of(&stored))[0].pixels,
            [0, 127, 255]
        );
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
