//! Explains ink: what is no writing stays. All that no rule here knows is
//! unexplained, and is hidden.
//!
//! Known are long straight lines and frames, grey and colour bars, ticks of a
//! scale, solid marks, pictograms that stand alone, and dots. Each rule is made
//! so that what it lets stay could not be read if it were writing: a stroke, not
//! a letter, or one sign alone.

use super::raster::{Bits, Group, Span, greatest_square};
use crate::clean::redact::sector::hull;
use crate::clean::text::View;

/// Shortest straight line, in pixels. Default 48: higher than letters are.
const LINE_LENGTH_MIN: usize = 48;
/// Broadest straight line, in pixels.
const LINE_BREADTH_MAX: usize = 5;
/// Least length of a bar as a multiple of its breadth, and its least breadth
/// and length in pixels.
const BAR_ASPECT_MIN: usize = 3;
const BAR_BREADTH_MIN: usize = 5;
const BAR_LENGTH_MIN: usize = 48;
/// Pixels at each end of a bar's cross section that may belong to its frame.
const BAR_FRAME_MAX: usize = 3;
/// Shades that a cross section of a bar may spread over: noise of lossy coding.
const BAR_SPREAD_MAX: u8 = 24;
/// Part of the cross sections that must be even, and of the rectangle that must
/// be filled, in percent: what is written in a bar is more than the rest.
const BAR_EVEN_PERCENT: usize = 95;
/// Most cross sections in one piece that are not even, in pixels: lower than letters.
const BAR_UNEVEN_RUN_MAX: usize = 3;
/// Broadest and longest tick of a scale, in pixels.
const TICK_BREADTH_MAX: usize = 4;
const TICK_LENGTH_MAX: usize = 24;
/// Fewest ticks of a scale.
const TICKS_MIN: usize = 4;
/// Least distance of ticks in pixels, and as a multiple of their length (in
/// tenths): the digits of `1111` are nearer to each other than they are high.
const TICK_DISTANCE_MIN: usize = 6;
const TICK_DISTANCE_TENTHS: usize = 12;
/// By how many pixels ticks may be off their line and their distance.
const TICK_TOLERANCE: usize = 2;
/// Ticks that may be missing between two: they are under something else.
const TICKS_MISSING_MAX: usize = 3;
/// Most marks that are tried as ticks. Default 1,000: more are no scale.
const TICK_CANDIDATES_MAX: usize = 1000;
/// Greatest dot, in pixels: smaller than a character can be.
const DOT_MAX: usize = 4;
/// Least distance of a dot from other ink, in pixels: those of a dotted font,
/// and the remains of faint letters, are nearer.
const DOT_APART: usize = 8;
/// Sides of a solid mark (a marker of orientation, a bullet), in pixels.
const MARK_SIDES: std::ops::RangeInclusive<usize> = 6..=24;
/// Sides of a pictogram (body mark, logo) in pixels, and its longest shape as a
/// multiple of its breadth. Smaller ones could be letters.
const PICTOGRAM_SIDES: std::ops::RangeInclusive<usize> = 24..=160;
const ASPECT_MAX: usize = 2;
/// Least distance of a mark or a pictogram from other ink, as a percentage of
/// its height: letters of a word are nearer.
const APART_PERCENT: usize = 60;
/// Least contrast of a pictogram, of 255: the detector misses faint writing, not
/// this.
const PICTOGRAM_CONTRAST_MIN: u8 = 64;
/// Side of the greatest square in something solid, in percent of its shorter
/// side: strokes of a bold letter have 30.
const SOLID_PERCENT: usize = 50;
/// Least part of its hull that a solid mark fills, in percent: with a letter on
/// it, it fills less.
const MARK_FILL_PERCENT: usize = 88;
/// Part of a pictogram's rectangle that its outline encloses, in percent.
const ENCLOSED_PERCENT: usize = 35;

/// What is known of one look at a frame.
pub(super) struct Look<'a> {
    pub(super) view: &'a View,
    pub(super) ink: &'a Bits,
    pub(super) contrast: &'a [u8],
    /// Inside of clinical lines that were read with confidence.
    pub(super) kept: &'a Bits,
    /// Inside of all other places that the detector found.
    pub(super) found: &'a Bits,
}

/// The ink that nothing explains.
pub(super) fn unexplained(look: &Look<'_>) -> Bits {
    let lines = straight_lines(look.ink);
    let explained = lines.bits.iter().zip(&look.kept.bits).map(|(line, kept)| *line || *kept);
    let bits = look.ink.bits.iter().zip(explained).map(|(ink, explained)| *ink && !explained);
    let rest = Bits { bits: bits.collect(), ..*look.ink };
    let mut open: Vec<Group> = rest.groups();
    open.retain(|group| !is_bar(group, look));
    let ticks = ticks(&open);
    let mut is_tick = ticks.into_iter();
    open.retain(|_| !is_tick.next().unwrap_or(false));
    let all: Vec<Span> = open.iter().map(|group| group.rect).collect();
    let mut left = Bits::new(rest.width, rest.height);
    for (index, group) in open.iter().enumerate() {
        let others = || all.iter().enumerate().filter(move |(other, _)| *other != index);
        let gap = || others().map(|(_, other)| group.rect.gap(*other)).min();
        let is_found = || group.pixels.iter().any(|pixel| look.found.bits[*pixel]);
        let known = is_dot(group.rect) && gap().is_none_or(|gap| gap >= DOT_APART)
            || is_alone(group.rect, gap) && !is_found() && is_mark_or_pictogram(group, look);
        if !known {
            group.pixels.iter().for_each(|pixel| left.bits[*pixel] = true);
        }
    }
    left
}

fn is_dot(rect: Span) -> bool {
    rect.longer() <= DOT_MAX
}

fn is_alone(rect: Span, gap: impl Fn() -> Option<usize>) -> bool {
    let fits = MARK_SIDES.contains(&rect.shorter()) || PICTOGRAM_SIDES.contains(&rect.shorter());
    fits && rect.longer() <= ASPECT_MAX * rect.shorter()
        && gap().is_none_or(|gap| gap * 100 >= rect.height() * APART_PERCENT)
}

/// The pixels of long straight lines; where something touches a line, it is
/// broader than one and stays ink.
fn straight_lines(ink: &Bits) -> Bits {
    let mut lines = Bits::new(ink.width, ink.height);
    let across = breadths(&ink.bits, ink.width, ink.height, (1, ink.width));
    let down = breadths(&ink.bits, ink.height, ink.width, (ink.width, 1));
    for (place, line) in lines.bits.iter_mut().enumerate() {
        let [width, height] = [across[place], down[place]];
        *line = width.max(height) >= LINE_LENGTH_MIN && width.min(height) <= LINE_BREADTH_MAX;
    }
    lines
}

/// Length of the run of ink that each pixel lies in; 0 without ink.
fn breadths(
    bits: &[bool],
    len: usize,
    lines: usize,
    (step, line_step): (usize, usize),
) -> Vec<usize> {
    let mut breadths = vec![0; bits.len()];
    for line in 0..lines {
        let mut start = 0;
        for place in 0..=len {
            if place < len && bits[line * line_step + place * step] {
                continue;
            }
            for inside in start..place {
                breadths[line * line_step + inside * step] = place - start;
            }
            start = place + 1;
        }
    }
    breadths
}

/// A grey or colour bar, or a rule: a filled rectangle whose cross sections are
/// even, whatever they change to.
fn is_bar(group: &Group, look: &Look<'_>) -> bool {
    let rect = group.rect;
    let is_long = rect.longer() >= BAR_LENGTH_MIN.max(BAR_ASPECT_MIN * rect.shorter());
    let is_filled = group.pixels.len() * 100 >= rect.width() * rect.height() * BAR_EVEN_PERCENT;
    if !is_long || !is_filled || rect.shorter() < BAR_BREADTH_MIN {
        return false;
    }
    let stands = rect.height() >= rect.width();
    let sections = rect.longer();
    let (mut uneven, mut in_a_row, mut longest) = (0, 0, 0);
    for section in 0..sections {
        let place = |at: usize| match stands {
            true => (rect.y0 + section) * look.ink.width + rect.x0 + at,
            false => (rect.y0 + at) * look.ink.width + rect.x0 + section,
        };
        let inner = BAR_FRAME_MAX.min((rect.shorter() - 1) / 2)..;
        let inner = inner.start..rect.shorter() - inner.start;
        in_a_row = if is_even(look.view, inner.map(place)) { 0 } else { in_a_row + 1 };
        uneven += usize::from(in_a_row > 0);
        longest = longest.max(in_a_row);
    }
    longest <= BAR_UNEVEN_RUN_MAX && uneven * 100 <= sections * (100 - BAR_EVEN_PERCENT)
}

fn is_even(view: &View, places: impl Iterator<Item = usize>) -> bool {
    let samples = usize::from(view.samples);
    let mut ends = [(u8::MAX, 0_u8); 3];
    for place in places {
        for (sample, (least, greatest)) in
            view.pixels[place * samples..][..samples].iter().zip(&mut ends)
        {
            (*least, *greatest) = ((*least).min(*sample), (*greatest).max(*sample));
        }
    }
    ends.iter().all(|(least, greatest)| greatest.saturating_sub(*least) <= BAR_SPREAD_MAX)
}

/// Which groups are ticks: short strokes or dots on one line, as far apart from
/// each other as all the others, or a few times as far.
fn ticks(groups: &[Group]) -> Vec<bool> {
    let mut known = vec![false; groups.len()];
    let is_candidate =
        |rect: Span| rect.shorter() <= TICK_BREADTH_MAX && rect.longer() <= TICK_LENGTH_MAX;
    let candidates: Vec<(usize, Span)> = (0..)
        .zip(groups)
        .map(|(index, group)| (index, group.rect))
        .filter(|(_, rect)| is_candidate(*rect))
        .take(TICK_CANDIDATES_MAX + 1)
        .collect();
    if candidates.len() > TICK_CANDIDATES_MAX {
        return known;
    }
    for (_, first) in &candidates {
        for stands in [true, false] {
            // Ticks end, begin or have their middle on one line.
            for edge in [Edge::First, Edge::Middle, Edge::Last] {
                let line = edge.across(*first, stands);
                let on_line = candidates.iter().filter(|(_, rect)| {
                    let lies_across = match stands {
                        true => rect.width() + 1 >= rect.height(),
                        false => rect.height() + 1 >= rect.width(),
                    };
                    lies_across && edge.across(*rect, stands).abs_diff(line) <= TICK_TOLERANCE
                });
                let mut marks: Vec<(usize, usize, Span)> = on_line
                    .map(|(index, rect)| (Edge::Middle.across(*rect, !stands), *index, *rect))
                    .collect();
                marks.sort_unstable_by_key(|(place, index, _)| (*place, *index));
                scale(&marks).into_iter().for_each(|index| known[index] = true);
            }
        }
    }
    known
}

#[derive(Clone, Copy)]
enum Edge {
    First,
    Middle,
    Last,
}

impl Edge {
    /// Twice the column (of a scale that stands) or row of the edge, halved.
    fn across(self, rect: Span, stands: bool) -> usize {
        let (first, last) = if stands { (rect.x0, rect.x1) } else { (rect.y0, rect.y1) };
        match self {
            Self::First => first,
            Self::Middle => usize::midpoint(first, last),
            Self::Last => last,
        }
    }
}

/// The longest scale that begins with the first marks; empty when there is none.
fn scale(marks: &[(usize, usize, Span)]) -> Vec<usize> {
    let lengths = marks.iter().map(|(_, _, rect)| rect.longer());
    let least = TICK_DISTANCE_MIN.max(lengths.min().unwrap_or(0) * TICK_DISTANCE_TENTHS / 10);
    let mut longest = Vec::new();
    for pair in marks.windows(2) {
        let [(start, first, _), (next, _, _)] = pair else { continue };
        let distance = next - start;
        if distance < least {
            continue;
        }
        let (mut at, mut chain) = (*start, vec![*first]);
        for (place, index, _) in marks.iter().filter(|(place, _, _)| *place > *start) {
            let steps = (place - at + distance / 2) / distance;
            let is_step = (1..=TICKS_MISSING_MAX + 1).contains(&steps)
                && (place - at).abs_diff(steps * distance) <= TICK_TOLERANCE;
            if is_step {
                at = *place;
                chain.push(*index);
            }
        }
        if chain.len() >= TICKS_MIN && chain.len() > longest.len() {
            longest = chain;
        }
    }
    longest
}

/// A solid mark, or a pictogram: solid or with a closed outline, and strong.
fn is_mark_or_pictogram(group: &Group, look: &Look<'_>) -> bool {
    let rect = group.rect;
    let alone = group.alone(look.ink.width);
    let is_solid = greatest_square(&alone) * 100 >= rect.shorter() * SOLID_PERCENT;
    if MARK_SIDES.contains(&rect.shorter()) && MARK_SIDES.contains(&rect.longer()) {
        let marked = (0..alone.bits.len()).filter(|place| alone.bits[*place]);
        let points = marked.map(|place| (place % alone.width, place / alone.width)).collect();
        let hull = hull(points, alone.width, alone.height).count();
        return is_solid && alone.count() * 100 >= hull * MARK_FILL_PERCENT;
    }
    let mut contrasts: Vec<u8> = group.pixels.iter().map(|pixel| look.contrast[*pixel]).collect();
    let middle = contrasts.len() / 2;
    let is_strong = *contrasts.select_nth_unstable(middle).1 >= PICTOGRAM_CONTRAST_MIN;
    let encloses = enclosed(&alone) * 100 >= alone.bits.len() * ENCLOSED_PERCENT;
    let fits =
        PICTOGRAM_SIDES.contains(&rect.shorter()) && PICTOGRAM_SIDES.contains(&rect.longer());
    fits && is_strong && (is_solid || encloses)
}

/// Pixels without ink from which no way leads out.
fn enclosed(alone: &Bits) -> usize {
    let (width, height) = (alone.width, alone.height);
    let mut reached = alone.bits.clone();
    let mut open: Vec<usize> = (0..alone.bits.len())
        .filter(|place| {
            let (x, y) = (place % width, place / width);
            x == 0 || y == 0 || x + 1 == width || y + 1 == height
        })
        .collect();
    let mut outer = 0;
    while let Some(place) = open.pop() {
        if std::mem::replace(&mut reached[place], true) {
            continue;
        }
        outer += 1;
        let (x, y) = (place % width, place / width);
        open.extend((x > 0).then(|| place - 1));
        open.extend((x + 1 < width).then_some(place + 1));
        open.extend((y > 0).then(|| place - width));
        open.extend((y + 1 < height).then_some(place + width));
    }
    alone.bits.len() - outer - alone.count()
}
