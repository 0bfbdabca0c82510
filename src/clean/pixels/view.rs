//! Pictures to look at: stored samples in, 8-bit grey or RGB out.
//!
//! What a person can see on a screen, with whatever window, must be visible
//! here. Grey of more than 8 bits is shown through its whole range, where most
//! of the picture fills a small part of it once more through that part, and
//! where text may hide from both, through a curve that gives each part of the
//! range room by its noise ([`Curve::by_noise`]). That order matters: shown with
//! more contrast than its noise bears, a clean picture is full of letters.
//! Rescaled or not, a viewer shows these values in this order (PS3.3 §C.11.1,
//! §C.11.2), which is why look-up tables of modality and window play no part.

use super::attributes::Photometric;
use super::{Palette, StoredFrame};
use crate::clean::text::View;

/// Part of the samples that the narrow window leaves out at each end, in
/// thousandths: less than a line of text covers.
const OUTSIDE_WINDOW_PERMILLE: usize = 5;
/// A narrow window is shown when the whole range is at least this many times
/// as wide: below that, contrasts differ too little to matter.
const NARROW_FACTOR: i64 = 2;
/// Most neighbours that are compared to learn how noisy the picture is.
const SAMPLED_PAIRS_MAX: usize = 65_536;
/// Parts of equally many pixels, in order of their values, whose noise is
/// measured apart.
const NOISE_PARTS: usize = 64;
/// Differences between neighbours up to this quantile, in percent, are noise:
/// text on a ground covers less than the rest.
const NOISE_PERCENT: usize = 95;
/// Shades that this much noise gets: grain that no detector takes for text.
const NOISE_SHADES: i64 = 10;
/// Shades between a ground without any noise and whatever else is on it.
const FLAT_SHADES: i64 = 32;
/// Grounds without noise that get these shades at most.
const FLATS_MAX: usize = 3;
/// The curve is looked through when it shows a difference of this many shades
/// between neighbours where the windows show less than a third of it ...
const HIDDEN_SHADES: u8 = 21;
/// ... in one of so many neighbours: fewer than a name makes.
const HIDDEN_PART: usize = 4096;

/// Widest range of values that are counted rather than sorted.
const COUNTED_MAX: i64 = 1 << 16;

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

/// A way from values to shades, rising in straight pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Curve {
    /// Values and their shades, in order; at least one.
    points: Vec<(i64, i64)>,
}

/// How the grey of a frame is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    curves: Vec<Curve>,
    extremes: (i64, i64),
    /// Which of the views is [`Curve::by_noise`].
    enhanced: Option<usize>,
}

impl Windows {
    /// The windows of a frame. A painted frame is shown through those it had
    /// before: the same things must look the same in both looks.
    #[must_use]
    pub fn of(frame: &StoredFrame) -> Self {
        let is_plain = frame.bits.allocated <= 8 && !frame.bits.signed && frame.bits.shift == 0;
        if frame.samples() == 3 || (is_plain && frame.photometric != Photometric::Palette) {
            let extremes = frame.bits.range();
            return Self { curves: vec![Curve::straight(extremes)], extremes, enhanced: None };
        }
        let extremes = frame.extremes().unwrap_or(frame.bits.range());
        let pairs = sampled_pairs(frame);
        let narrow = narrow_window(&pairs);
        let wide_range = extremes.1 - extremes.0 >= NARROW_FACTOR * (narrow.1 - narrow.0);
        let mut curves = vec![Curve::straight(extremes)];
        if narrow.1 > narrow.0 && wide_range {
            curves.push(Curve::straight(narrow));
        }
        let by_noise = Curve::by_noise(extremes, &pairs);
        let is_grey = frame.photometric != Photometric::Palette;
        let enhanced = (is_grey && by_noise.shows_more(&curves, &pairs)).then_some(curves.len());
        curves.extend(enhanced.map(|_| by_noise));
        Self { curves, extremes, enhanced }
    }

    /// Which of the views shows more contrast than a person would see. What
    /// cannot be read there may be the edge of a saturated ground as well.
    #[must_use]
    pub fn enhanced(&self) -> Option<usize> {
        self.enhanced
    }
}

/// Values of some pixels in order, each with its difference to the next pixel.
fn sampled_pairs(frame: &StoredFrame) -> Vec<(i64, i64)> {
    let step = (frame.bytes.len() / frame.bits.bytes()).div_ceil(SAMPLED_PAIRS_MAX).max(1);
    let width = usize::try_from(frame.width).unwrap_or(usize::MAX);
    // No divisor of the width: the samples would stand in columns.
    let step = if step > 1 && width.is_multiple_of(step) { step + 1 } else { step };
    let neighbours = frame.values().zip(frame.values().skip(1));
    let pairs: Vec<(i64, i64)> =
        neighbours.step_by(step).map(|(value, next)| (value, next - value)).collect();
    by_value(pairs)
}

/// By the value alone, as they come: each part of the range is a fair sample of its
/// pairs. Counted where the range is small, because sorting takes ten times as long.
fn by_value(mut pairs: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    let least = pairs.iter().map(|(value, _)| *value).min().unwrap_or(0);
    let greatest = pairs.iter().map(|(value, _)| *value).max().unwrap_or(0);
    let place = |value: i64| usize::try_from(value - least).unwrap_or(0);
    if greatest - least > COUNTED_MAX {
        pairs.sort_by_key(|(value, _)| *value);
        return pairs;
    }
    let mut starts = vec![0_usize; place(greatest) + 2];
    for (value, _) in &pairs {
        if let Some(count) = starts.get_mut(place(*value) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut sorted = vec![(0, 0); pairs.len()];
    for pair in pairs {
        let Some(next) = starts.get_mut(place(pair.0)) else { continue };
        if let Some(free) = sorted.get_mut(*next) {
            *free = pair;
        }
        *next += 1;
    }
    sorted
}

/// The range without the outermost values at both ends.
fn narrow_window(pairs: &[(i64, i64)]) -> (i64, i64) {
    let outside = pairs.len() * OUTSIDE_WINDOW_PERMILLE / 1000;
    let at = |index: usize| pairs.get(index).map_or(0, |(value, _)| *value);
    (at(outside), at(pairs.len().saturating_sub(1 + outside)))
}

impl Curve {
    fn straight((least, greatest): (i64, i64)) -> Self {
        Self { points: vec![(least, 0), (greatest.max(least + 1), 255)] }
    }

    /// A part of the range rises by its noise: what differs by more than noise
    /// differs by more shades, wherever it lies. A ground without noise stands
    /// off from all other values, so that five levels of 65,536 can be read.
    fn by_noise(extremes: (i64, i64), pairs: &[(i64, i64)]) -> Self {
        let flats = flat_grounds(pairs);
        let noises = noises(extremes, pairs);
        // Of each point: its value, shades of flat grounds up to it, and of noise
        // in 1/65536, which have to share what the others leave.
        let mut points = vec![(extremes.0, 0, 0)];
        let (mut fixed, mut height) = (0, 0);
        let ends = noises.iter().skip(1).map(|(start, _)| *start).chain([extremes.1]);
        for ((start, noise), end) in noises.iter().zip(ends) {
            for flat in flats.iter().filter(|flat| (*start..end.max(start + 1)).contains(flat)) {
                points.push((*flat - 1, fixed, height));
                points.push((*flat, fixed + FLAT_SHADES, height));
                points.push((*flat + 1, fixed + 2 * FLAT_SHADES, height));
                fixed += 2 * FLAT_SHADES;
            }
            height += (end - start) * ((NOISE_SHADES << 16) / noise.max(&1));
            points.push((end, fixed, height));
        }
        points.sort_unstable();
        // Never more than noise bears, also where there would be room.
        let room = 255 - fixed;
        let whole = height.max(room << 16).max(1);
        let shade = |(value, fixed, height)| (value, fixed + height * room / whole);
        Self { points: points.into_iter().map(shade).collect() }
    }

    /// Whether the curve shows enough that the others do not.
    fn shows_more(&self, others: &[Self], pairs: &[(i64, i64)]) -> bool {
        let contrast = |curve: &Self, (value, difference): (i64, i64)| {
            curve.shade(value).abs_diff(curve.shade(value.saturating_add(difference)))
        };
        let is_hidden = |pair: &&(i64, i64)| {
            pair.1 != 0
                && contrast(self, **pair) >= HIDDEN_SHADES
                && others.iter().all(|other| contrast(other, **pair) < HIDDEN_SHADES / 3)
        };
        pairs.iter().filter(is_hidden).count() * HIDDEN_PART > pairs.len()
    }

    fn shade(&self, value: i64) -> u8 {
        self.shade_after(value, self.points.partition_point(|(point, _)| *point <= value))
    }

    /// The shades of values that mostly rise: the place of one is that of the next.
    fn shades(&self, values: impl Iterator<Item = i64>) -> impl Iterator<Item = u8> {
        let mut after = 0;
        values.map(move |value| {
            let is_at = |after: usize| {
                let reached = |(point, _): &(i64, i64)| *point <= value;
                let before = after.checked_sub(1).and_then(|before| self.points.get(before));
                before.is_none_or(reached) && !self.points.get(after).is_some_and(reached)
            };
            if !is_at(after) {
                after = self.points.partition_point(|(point, _)| *point <= value);
            }
            self.shade_after(value, after)
        })
    }

    /// The shade of a value that stands before the point of this number.
    fn shade_after(&self, value: i64, after: usize) -> u8 {
        let before = after.checked_sub(1).and_then(|index| self.points.get(index));
        let shade = match (before, self.points.get(after)) {
            (Some((x0, y0)), Some((x1, y1))) => y0 + (value - x0) * (y1 - y0) / (x1 - x0).max(1),
            (Some((_, shade)), None) | (None, Some((_, shade))) => *shade,
            (None, None) => 0,
        };
        u8::try_from(shade.clamp(0, 255)).unwrap_or(0)
    }
}

/// The commonest values that have no noise around them, in order.
fn flat_grounds(pairs: &[(i64, i64)]) -> Vec<i64> {
    let mut flats: Vec<(usize, i64)> = pairs
        .chunk_by(|(one, _), (other, _)| one == other)
        .filter(|same| same.len() * 100 >= pairs.len() && noise(same) == 0)
        .filter_map(|same| same.first().map(|(value, _)| (same.len(), *value)))
        .collect();
    flats.sort_unstable_by(|one, other| other.cmp(one));
    flats.truncate(FLATS_MAX);
    let mut values: Vec<i64> = flats.into_iter().map(|(_, value)| value).collect();
    values.sort_unstable();
    values
}

/// Where the parts of the range begin, and their noise.
fn noises(extremes: (i64, i64), pairs: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut parts: Vec<(i64, i64)> = Vec::with_capacity(NOISE_PARTS);
    for part in pairs.chunks(pairs.len().div_ceil(NOISE_PARTS).max(1)) {
        let first = part.first().map_or(extremes.0, |(value, _)| *value);
        match parts.last() {
            // A value that fills several parts.
            Some((start, _)) if *start == first => {}
            Some(_) | None => parts.push((first, noise(part))),
        }
    }
    if let Some((start, _)) = parts.first_mut() {
        *start = extremes.0;
    }
    parts
}

/// How much neighbours differ, but for those that differ most.
fn noise(pairs: &[(i64, i64)]) -> i64 {
    let mut differences: Vec<i64> = pairs.iter().map(|(_, difference)| difference.abs()).collect();
    let at = (differences.len() * NOISE_PERCENT / 100).min(differences.len().saturating_sub(1));
    if differences.is_empty() {
        return 0;
    }
    *differences.select_nth_unstable(at).1
}

/// The pictures of a frame, at most four; together they show what it shows.
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
    let turned = |shade: u8| if inverted { 0xFF - shade } else { shade };
    if frame.bits.allocated <= 16 {
        // Dividing once for each possible word is cheaper than for each pixel.
        let bits = frame.bits;
        let words = 1_u32 << (8 * u32::from(bits.allocated.div_ceil(8)));
        let values = (0..words).map(|word| bits.value(word));
        let shades: Vec<u8> = curve.shades(values).map(turned).collect();
        let index = |word| usize::try_from(word).unwrap_or(0);
        return frame.words().map(|word| shades.get(index(word)).copied().unwrap_or(0)).collect();
    }
    frame.values().map(|value| turned(curve.shade(value))).collect()
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

    proptest::proptest! {
        #[test]
        fn counting_gives_what_sorting_gives(
            values in proptest::collection::vec((-300_i64..300, -9_i64..9), 0..200),
            wide in proptest::bool::ANY,
        ) {
            let mut pairs = values;
            if wide {
                pairs.push((COUNTED_MAX, 0));
            }
            let mut sorted = pairs.clone();
            sorted.sort_by_key(|(value, _)| *value);
            proptest::prop_assert_eq!(by_value(pairs), sorted);
        }
    }

    #[test]
    fn shades_of_many_values_are_those_of_each() {
        let curve = Curve { points: vec![(-9, 3), (0, 40), (0, 60), (7, 200), (90, 255)] };
        let values = [-20, -9, -8, -1, 0, 1, 6, 7, 8, 89, 90, 91, 5, -100, 0, 7];
        let each: Vec<u8> = values.iter().map(|value| curve.shade(*value)).collect();
        assert_eq!(curve.shades(values.into_iter()).collect::<Vec<u8>>(), each);
    }

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

    /// The strongest contrast of two pixels in any of the views.
    fn contrast(stored: &StoredFrame, one: usize, other: usize) -> u8 {
        let shown = views(stored, &Display::default(), &Windows::of(stored));
        let of = |view: &View| view.pixels[one].abs_diff(view.pixels[other]);
        shown.iter().map(of).max().unwrap()
    }

    #[test]
    fn few_levels_of_many_show_at_both_ends_and_in_the_middle() {
        // Ground and text 5 levels above it, in a range of 30,000.
        for ground in [0, 15_000, 29_000] {
            let mut values: Vec<i16> = (0..1000).map(|step| step * 30).collect();
            values.extend([ground; 400]);
            values.extend((0..40).map(|pixel| if pixel % 8 < 4 { ground + 5 } else { ground }));
            values.extend([ground; 400]);
            let stored = frame(Photometric::Monochrome2, WORD, &words(values));
            assert!(contrast(&stored, 1399, 1400) >= HIDDEN_SHADES, "above {ground}");
        }
    }

    #[test]
    fn text_within_a_small_part_of_a_wide_range_shows() {
        // A bright outlier makes the text (60) as dark as its ground (10).
        let mut values = vec![10_i16; 1000];
        values.extend([60; 40]);
        values.push(30_000);
        let stored = frame(Photometric::Monochrome2, WORD, &words(values));
        assert_eq!(contrast(&stored, 999, 1000), 255);
    }

    #[test]
    fn noise_is_not_shown_with_more_contrast_than_it_bears() {
        // Noise of some 40 levels at the lower end of 4,000.
        let noise = |pixel: u32| (pixel.wrapping_mul(2_654_435_761) >> 16) % 80;
        let mut values: Vec<i16> = (0..5000).map(|pixel| noise(pixel) as i16).collect();
        values.extend((0..5000).map(|step| step * 4 / 5));
        let stored = frame(Photometric::Monochrome2, WORD, &words(values));
        for view in views(&stored, &Display::default(), &Windows::of(&stored)) {
            let noisy = &view.pixels[..5000];
            let range = noisy.iter().max().unwrap() - noisy.iter().min().unwrap();
            assert!(range <= 30, "{range}");
        }
    }

    #[test]
    fn signed_values_are_shown_in_order() {
        let stored = frame(Photometric::Monochrome2, WORD, &words([-1000, 0, 1000]));
        let shown = views(&stored, &Display::default(), &Windows::of(&stored));
        assert_eq!(shown[0].pixels, [0, 127, 255]);
        // Also where the values need 32 bits, and inverted.
        let wide = SampleBits { allocated: 32, stored: 32, shift: 0, signed: true };
        let bytes: Vec<u8> =
            [i32::MIN, 0, i32::MAX].iter().flat_map(|value| value.to_le_bytes()).collect();
        let stored = frame(Photometric::Monochrome2, wide, &bytes);
        let display = Display { inverted: true, ..Display::default() };
        let shown = views(&stored, &display, &Windows::of(&stored));
        assert_eq!(shown[0].pixels, [255, 128, 0]);
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
        let grey_only = views(&grey, &display, &Windows::of(&grey));
        assert!(grey_only.iter().all(|view| view.samples == 1));
        let both = frame(Photometric::Monochrome2, WORD, &words([0, 999, 1000, 1001]));
        let shown = views(&both, &display, &Windows::of(&both));
        let coloured = shown.last().unwrap();
        assert_eq!((coloured.samples, &coloured.pixels[6..]), (3, &[0, 0, 0, 255, 0, 0][..]));
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
