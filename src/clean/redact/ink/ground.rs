//! Tells ink from its ground: a view in, the pixels that something was drawn
//! with out.
//!
//! Ground is what is flat and broad: a black border, a grey banner, also one
//! whose shade runs from row to row. It is found piece by piece, so that black
//! letters on a grey banner are ink although the border is as black. All other
//! pixels are ink unless they are as the ground beside them but for its noise.
//! In doubt a pixel is ink.

use super::raster::{Bits, greatest_square_per_label};
use crate::clean::text::View;

/// Least pixels of a piece of ground. Default 1,024: no stroke of a letter
/// under 80 pixels has as many.
const GROUND_PIXELS_MIN: usize = 1024;
/// Side of a square that fits into a piece of ground, in pixels. Default 8: into
/// strokes it fits from letters of 50 pixels on, which no detector misses.
const GROUND_SQUARE_MIN: u8 = 8;
/// Most that neighbours on one ground differ where the picture has no noise.
/// Default 1: the shade of a banner may run, a faint letter's edge may not.
const STEP_MIN: u8 = 1;
/// The same where it has. Default 3: beyond that nothing is ground, and all is ink.
const STEP_MAX: u8 = 3;
/// Most that a shade runs from row to row of a banner, where both rows are even ...
const SHADE_STEP_MAX: u8 = 4;
/// ... for this many pixels: no stroke is as long.
const EVEN_ROW_MIN: usize = 64;
/// Least difference from the ground that is ink, of 255. Default 3: less than a
/// person sees.
const INK_MIN: u8 = 3;
/// From here on ink is strong: lossy coding leaves ringing around it ...
const STRONG_MIN: u8 = 48;
/// ... that reaches this far, in pixels: its block of 8.
const RINGING_PX: usize = 8;
/// Nearer than this to strong ink are the soft edges of its strokes, which say
/// nothing of ringing.
const EDGE_PX: usize = 2;
/// What differs more than this is no ringing.
const RINGING_MAX: u8 = 40;
/// Ringing in this part of the neighbourhood, in percent, is measured ...
const RINGING_PERCENT: usize = 80;
/// ... and this many times as much still is ringing.
const RINGING_FACTOR: u8 = 3;
/// Furthest ground that a pixel is compared with, in pixels.
const GROUND_DISTANCE_MAX: u16 = 24;
/// Broadest stroke of one ground's colour on another, in pixels. Default 16: a
/// letter that touches the border of its banner is part of the border's ground.
const STROKE_MAX: usize = 16;
/// Broadest soft edge between two pieces of ground, or around such a stroke.
const SOFT_EDGE_MAX: usize = 3;

/// No ground.
const NONE: u32 = 0;
/// Not looked at: inside of the scan area.
const SCAN: u32 = u32::MAX;

/// What was drawn, and how far it stands off from its ground.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) ink: Bits,
    /// Difference from the ground beside it, greatest of the channels.
    pub(super) contrast: Vec<u8>,
}

/// Finds what was drawn outside of the scan area. The view's sizes agree with
/// its bytes and with `outside`.
pub(super) fn drawn(view: &View, outside: &Bits) -> Drawn {
    let canvas = Canvas { view, samples: usize::from(view.samples), outside };
    let noise = canvas.noise();
    let labels =
        canvas.grounds(noise, STEP_MIN.saturating_add(noise.saturating_mul(2)).min(STEP_MAX));
    let contrast = canvas.contrasts(&labels);
    let base = INK_MIN.saturating_add(4 * noise.min(16));
    let mut ink = canvas.far(&labels, &contrast, base);
    mark_strokes(&labels, &mut ink);
    clear_soft_edges(&labels, &mut ink);
    Drawn { ink, contrast }
}

struct Canvas<'a> {
    view: &'a View,
    samples: usize,
    outside: &'a Bits,
}

impl Canvas<'_> {
    /// Greatest difference of two pixels' channels.
    fn difference(&self, one: usize, other: usize) -> u8 {
        let pixel = |place: usize| &self.view.pixels[place * self.samples..][..self.samples];
        let pairs = pixel(one).iter().zip(pixel(other));
        pairs.map(|(one, other)| one.abs_diff(*other)).max().unwrap_or(0)
    }

    /// The median difference of neighbours outside of the scan area.
    fn noise(&self) -> u8 {
        let mut counts = [0_usize; 256];
        let mut all = 0;
        for place in 1..self.outside.bits.len() {
            if self.outside.bits[place] && self.outside.bits[place - 1] {
                counts[usize::from(self.difference(place, place - 1))] += 1;
                all += 1;
            }
        }
        quantile(&counts, all, 50)
    }

    /// A number for each piece of ground, [`NONE`] where there is none.
    fn grounds(&self, noise: u8, step: u8) -> Vec<u32> {
        let (width, height) = (self.outside.width, self.outside.height);
        let inside = |outside: &bool| if *outside { NONE } else { SCAN };
        let mut labels: Vec<u32> = self.outside.bits.iter().map(inside).collect();
        let even = self.even_rows(noise);
        let belongs = |place: usize, near: usize| {
            let difference = self.difference(place, near);
            let runs = place.abs_diff(near) == width && even[place] && even[near];
            difference <= step || (runs && difference <= SHADE_STEP_MAX)
        };
        let (mut count, mut sizes, mut open) = (0, vec![0_usize], Vec::new());
        for first in 0..labels.len() {
            if labels[first] != NONE {
                continue;
            }
            count += 1;
            labels[first] = count;
            open.push(first);
            let mut size = 0;
            while let Some(place) = open.pop() {
                size += 1;
                let (x, y) = (place % width, place / width);
                let near = [
                    (x > 0).then(|| place - 1),
                    (x + 1 < width).then_some(place + 1),
                    (y > 0).then(|| place - width),
                    (y + 1 < height).then_some(place + width),
                ];
                for near in near.into_iter().flatten() {
                    if labels[near] == NONE && belongs(place, near) {
                        labels[near] = count;
                        open.push(near);
                    }
                }
            }
            sizes.push(size);
        }
        let squares = greatest_square_per_label(&labels, width, sizes.len(), SCAN);
        for label in labels.iter_mut().filter(|label| **label != SCAN) {
            let index = usize::try_from(*label).unwrap_or(0);
            if sizes[index] < GROUND_PIXELS_MIN || squares[index] < GROUND_SQUARE_MIN {
                *label = NONE;
            }
        }
        labels
    }

    /// Pixels in a row of pixels that are even but for noise.
    fn even_rows(&self, noise: u8) -> Vec<bool> {
        let width = self.outside.width;
        let mut even = vec![false; self.outside.bits.len()];
        for start_of_row in (0..even.len()).step_by(width.max(1)) {
            let mut start = start_of_row;
            for place in start_of_row..start_of_row + width {
                let next = place + 1;
                let goes_on = next < start_of_row + width
                    && self.outside.bits[place]
                    && self.outside.bits[next]
                    && self.difference(place, next) <= noise;
                if !goes_on {
                    even[start..next].fill(next - start >= EVEN_ROW_MIN);
                    start = next;
                }
            }
        }
        even
    }

    /// Difference of each pixel from the nearest ground; 255 where there is none.
    fn contrasts(&self, labels: &[u32]) -> Vec<u8> {
        let sources = nearest_ground(labels, self.outside.width);
        let contrast = |(place, label): (usize, &u32)| match (*label, sources[place]) {
            (SCAN, _) => 0,
            (NONE, Some(source)) => self.difference(place, source),
            (NONE, None) => u8::MAX,
            _ground => 0,
        };
        labels.iter().enumerate().map(contrast).collect()
    }

    /// The pixels further from the ground than its noise.
    fn far(&self, labels: &[u32], contrast: &[u8], base: u8) -> Bits {
        let strong = Bits {
            bits: contrast.iter().map(|contrast| *contrast >= STRONG_MIN).collect(),
            ..*self.outside
        };
        let (near, edge) = (strong.widened(RINGING_PX), strong.widened(EDGE_PX));
        let mut counts = [0_usize; 256];
        let mut all = 0;
        for (place, contrast) in contrast.iter().enumerate() {
            let counts_here = near.bits[place] && !edge.bits[place] && labels[place] != SCAN;
            if counts_here && *contrast <= RINGING_MAX {
                counts[usize::from(*contrast)] += 1;
                all += 1;
            }
        }
        let ringing = quantile(&counts, all, RINGING_PERCENT);
        let beside = base.saturating_add(ringing.saturating_mul(RINGING_FACTOR)).min(RINGING_MAX);
        let is_ink = |(place, contrast): (usize, &u8)| {
            *contrast > if near.bits[place] { beside } else { base }
        };
        Bits { bits: contrast.iter().enumerate().map(is_ink).collect(), ..*self.outside }
    }
}

/// The least value with `percent` of all counts at or below it.
fn quantile(counts: &[usize; 256], all: usize, percent: usize) -> u8 {
    let mut below = 0;
    let reached = |count: &usize| {
        below += count;
        below * 100 >= all * percent
    };
    counts.iter().position(reached).and_then(|value| u8::try_from(value).ok()).unwrap_or(0)
}

/// For each pixel the nearest pixel of ground, by two sweeps.
fn nearest_ground(labels: &[u32], width: usize) -> Vec<Option<usize>> {
    let is_ground = |label: &u32| !matches!(*label, NONE | SCAN);
    let mut nearest: Vec<(u16, Option<usize>)> = labels
        .iter()
        .enumerate()
        .map(|(place, label)| if is_ground(label) { (0, Some(place)) } else { (u16::MAX, None) })
        .collect();
    let count = nearest.len();
    let take = |nearest: &mut Vec<(u16, Option<usize>)>, place: usize, from: usize| {
        let (distance, source) = nearest[from];
        let distance = distance.saturating_add(1);
        if distance < nearest[place].0 && distance <= GROUND_DISTANCE_MAX {
            nearest[place] = (distance, source);
        }
    };
    for place in 0..count {
        if !place.is_multiple_of(width) {
            take(&mut nearest, place, place - 1);
        }
        if place >= width {
            take(&mut nearest, place, place - width);
        }
    }
    for place in (0..count).rev() {
        if !(place + 1).is_multiple_of(width) {
            take(&mut nearest, place, place + 1);
        }
        if place + width < count {
            take(&mut nearest, place, place + width);
        }
    }
    nearest.into_iter().map(|(_, source)| source).collect()
}

/// A short run of pixels between others, along a row or a column.
struct Run {
    label: u32,
    /// First place on its line, and the one after its last.
    start: usize,
    end: usize,
}

/// The runs of one line of labels.
fn runs(line: &[u32]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (place, label) in line.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if run.label == *label => run.end = place + 1,
            Some(_) | None => runs.push(Run { label: *label, start: place, end: place + 1 }),
        }
    }
    runs
}

/// Calls `mark` with each row's and column's labels and the places of their pixels.
fn each_line(labels: &[u32], width: usize, mut mark: impl FnMut(&[u32], &dyn Fn(usize) -> usize)) {
    let height = labels.len() / width.max(1);
    for (y, row) in labels.chunks_exact(width.max(1)).enumerate() {
        mark(row, &|x| y * width + x);
    }
    let mut column = Vec::with_capacity(height);
    for x in 0..width {
        column.clear();
        column.extend((0..height).map(|y| labels[y * width + x]));
        mark(&column, &|y| y * width + x);
    }
}

/// Strokes of one ground's colour that lie on another are ink.
fn mark_strokes(labels: &[u32], ink: &mut Bits) {
    each_line(labels, ink.width, |line, place| {
        let runs = runs(line);
        for (index, run) in runs.iter().enumerate() {
            let is_short = run.end - run.start <= STROKE_MAX;
            if matches!(run.label, NONE | SCAN) || !is_short {
                continue;
            }
            let beyond_edge = |runs: &mut dyn Iterator<Item = &Run>| {
                let mut soft = 0;
                for run in runs {
                    match run.label {
                        NONE if soft + run.end - run.start <= SOFT_EDGE_MAX => {
                            soft += run.end - run.start;
                        }
                        NONE | SCAN => return None,
                        ground => return Some(ground),
                    }
                }
                None
            };
            let before = beyond_edge(&mut runs[..index].iter().rev());
            let after = beyond_edge(&mut runs[index + 1..].iter());
            if before.is_some() && before == after && before != Some(run.label) {
                (run.start..run.end).for_each(|at| ink.bits[place(at)] = true);
            }
        }
    });
}

/// The soft edge between two pieces of ground is not ink.
fn clear_soft_edges(labels: &[u32], ink: &mut Bits) {
    each_line(labels, ink.width, |line, place| {
        for neighbours in runs(line).windows(3) {
            let [before, edge, after] = neighbours else { continue };
            let grounds = [before.label, after.label];
            let between = grounds.iter().all(|label| !matches!(*label, NONE | SCAN));
            let is_short = edge.end - edge.start < SOFT_EDGE_MAX;
            if edge.label == NONE && is_short && between && before.label != after.label {
                (edge.start..edge.end).for_each(|at| ink.bits[place(at)] = false);
            }
        }
    });
}
