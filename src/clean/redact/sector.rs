//! The scan area of an ultrasound: regions of the header, areas that a rule
//! knows, or what can be estimated from the picture.
//!
//! A scan is told from its surroundings by its texture (speckle has no two
//! equal neighbours, writing has mostly such) and, in a cine, by its movement.
//! Where regions cut a sector, its wings belong to it. An estimate is believed
//! only within named limits; else the instance is quarantined.

use super::area::Rect;
use super::ink::raster::{Bits, short};
use crate::clean::text::View;

/// Frames that are compared. Default 5: first, last and some between.
pub const FRAMES_COMPARED_MAX: u32 = 5;
/// Pixels beside the scan area that belong to it: its soft edge.
const EDGE_PX: usize = 2;
/// Side of a cell in pixels, and of a window in cells.
const CELL: usize = 8;
const WINDOW: usize = 4;
/// Cells between the rim of an area and what surely belongs to it.
const RIM_CELLS: usize = 2;
/// Neighbours that differ by more than this, of 255, are texture.
const TEXTURE_MIN: u8 = 2;
/// Part of a cell's pixels that differ from a neighbour, in percent, and cells
/// of a window that must have it. Default 40 and 14 of 16: dense writing has
/// half of its cells so.
const TEXTURE_PERCENT: usize = 40;
const TEXTURE_CELLS_MIN: usize = 14;
/// Pixels that differ by more than this between frames moved.
const MOVEMENT_MIN: u8 = 12;
/// Part of a cell's pixels that moved, in percent, and cells of a window.
const MOVEMENT_PERCENT: usize = 15;
const MOVEMENT_CELLS_MIN: usize = 10;
/// Least and greatest part of the picture that a scan fills, in percent.
const SHARE_PERCENT: std::ops::RangeInclusive<usize> = 8..=85;
/// Least part of its hull that a scan fills, in percent: it is convex.
const FILL_PERCENT_MIN: usize = 50;
/// Least part that two outlines of one scan have in common, in percent of both.
const AGREEMENT_PERCENT_MIN: usize = 70;
/// The same for where it moves and where it has texture: part of it rests.
const MOVEMENT_AGREEMENT_PERCENT_MIN: usize = 40;
/// Part of a textured area that must lie in regions for the rest to belong to
/// them, in percent.
const WING_PERCENT: usize = 50;

/// Why there is no estimate. The instance is quarantined: a rule for the device
/// can say what the picture does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SectorDoubt {
    /// Neither texture nor movement in one place.
    #[error("no area of the picture looks like a scan")]
    None,
    /// Outside of [`SHARE_PERCENT`].
    #[error("what looks like a scan fills {percent} % of the picture")]
    Share {
        /// Of the picture.
        percent: usize,
    },
    /// Less than [`FILL_PERCENT_MIN`].
    #[error("what looks like a scan fills {percent} % of its outline")]
    Fill {
        /// Of its hull.
        percent: usize,
    },
    /// It has no outside on any side.
    #[error("what looks like a scan touches all sides of the picture")]
    Sides,
    /// Frames, or texture and movement, say different things.
    #[error("frames agree by {percent} % on where the scan is")]
    Agreement {
        /// Of both outlines together.
        percent: usize,
    },
}

/// The scan area as far as it is known: `known` rectangles with the wings that
/// they cut, or an estimate where there are none. The views are of one size.
///
/// # Errors
/// [`SectorDoubt`]: quarantine, unknown layout.
pub(super) fn scan_area(known: &[Rect], frames: &[View]) -> Result<Bits, SectorDoubt> {
    let greys: Vec<Grey> = frames.iter().map(Grey::of).collect();
    let first = greys.first().ok_or(SectorDoubt::None)?;
    let mut scan = Bits::new(first.width, first.height);
    if known.is_empty() {
        return estimate(&greys).map(|hull| hull.widened(EDGE_PX));
    }
    known.iter().for_each(|rect| scan.mark(*rect));
    for wing in greys.iter().filter_map(Grey::textured) {
        let common = wing.cells.iter().filter(|(x, y)| scan.get(*x, *y)).count();
        if common * 100 >= wing.cells.len() * WING_PERCENT {
            let hull = wing.hull(first.width, first.height);
            scan.bits.iter_mut().zip(&hull.bits).for_each(|(scan, hull)| *scan |= hull);
        }
    }
    Ok(scan.widened(EDGE_PX))
}

fn estimate(frames: &[Grey]) -> Result<Bits, SectorDoubt> {
    let first = frames.first().ok_or(SectorDoubt::None)?;
    let (width, height) = (first.width, first.height);
    let textured: Vec<Blob> = frames.iter().filter_map(Grey::textured).collect();
    let moved = Grey::moved(frames);
    if textured.len() < frames.len() && !textured.is_empty() && moved.is_none() {
        return Err(SectorDoubt::Agreement { percent: textured.len() * 100 / frames.len() });
    }
    let hulls: Vec<Bits> = textured.iter().map(|blob| blob.hull(width, height)).collect();
    for pair in hulls.windows(2) {
        agree(pair, AGREEMENT_PERCENT_MIN)?;
    }
    let hull = match (hulls.first(), &moved) {
        (None, None) => return Err(SectorDoubt::None),
        (Some(still), None) => still.clone(),
        (None, Some(moved)) => moved.hull(width, height),
        (Some(still), Some(moved)) => {
            let both = [still.clone(), moved.hull(width, height)];
            agree(&both, MOVEMENT_AGREEMENT_PERCENT_MIN)?;
            let points = textured.iter().chain([moved]).flat_map(|blob| blob.points.clone());
            hull(points.collect(), width, height)
        }
    };
    let blob = textured.iter().chain(&moved).map(|blob| blob.cells.len()).max().unwrap_or(0);
    is_plausible(&hull, blob * CELL * CELL)?;
    Ok(hull)
}

fn is_plausible(hull: &Bits, filled: usize) -> Result<(), SectorDoubt> {
    let area = hull.count().max(1);
    let percent = area * 100 / hull.bits.len().max(1);
    if !SHARE_PERCENT.contains(&percent) {
        return Err(SectorDoubt::Share { percent });
    }
    let fill = filled * 100 / area;
    if fill < FILL_PERCENT_MIN {
        return Err(SectorDoubt::Fill { percent: fill });
    }
    let (width, height) = (hull.width, hull.height);
    let near = CELL;
    let touches = [
        (0..height).any(|y| (0..near).any(|x| hull.get(x, y))),
        (0..height).any(|y| (0..near).any(|x| hull.get(width.saturating_sub(x + 1), y))),
        (0..width).any(|x| (0..near).any(|y| hull.get(x, y))),
        (0..width).any(|x| (0..near).any(|y| hull.get(x, height.saturating_sub(y + 1)))),
    ];
    if touches.iter().all(|touches| *touches) { Err(SectorDoubt::Sides) } else { Ok(()) }
}

fn agree(hulls: &[Bits], percent_min: usize) -> Result<(), SectorDoubt> {
    let [one, other] = hulls else { return Ok(()) };
    let pairs = || one.bits.iter().zip(&other.bits);
    let common = pairs().filter(|(one, other)| **one && **other).count();
    let either = pairs().filter(|(one, other)| **one || **other).count().max(1);
    let percent = common * 100 / either;
    if percent < percent_min { Err(SectorDoubt::Agreement { percent }) } else { Ok(()) }
}

struct Grey {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Grey {
    fn of(view: &View) -> Self {
        let [width, height] =
            [view.width, view.height].map(|side| usize::try_from(side).unwrap_or(0));
        let pixels = match view.samples {
            3 => {
                let luma = |[r, g, b]: &[u8; 3]| {
                    let sum = u16::from(*r) + 2 * u16::from(*g) + u16::from(*b);
                    u8::try_from(sum / 4).unwrap_or(u8::MAX)
                };
                view.pixels.as_chunks::<3>().0.iter().map(luma).collect()
            }
            _ => view.pixels.clone(),
        };
        Self { width, height, pixels }
    }

    /// The largest area with texture.
    fn textured(&self) -> Option<Blob> {
        let (width, count) = (self.width, self.pixels.len());
        let differs = |place: usize| {
            let next = [place + 1, place + width];
            next.into_iter().any(|next| {
                next < count && self.pixels[place].abs_diff(self.pixels[next]) > TEXTURE_MIN
            })
        };
        let marked = Bits { width, height: self.height, bits: (0..count).map(differs).collect() };
        Blob::largest(&marked, TEXTURE_PERCENT, TEXTURE_CELLS_MIN)
    }

    /// The largest area that moves.
    fn moved(frames: &[Self]) -> Option<Blob> {
        let first = frames.first()?;
        let mut marked = Bits::new(first.width, first.height);
        for pair in frames.windows(2) {
            let [one, other] = pair else { continue };
            let pairs = one.pixels.iter().zip(&other.pixels);
            for (moved, (one, other)) in marked.bits.iter_mut().zip(pairs) {
                *moved |= one.abs_diff(*other) > MOVEMENT_MIN;
            }
        }
        Blob::largest(&marked, MOVEMENT_PERCENT, MOVEMENT_CELLS_MIN)
    }
}

/// Cells in one piece.
struct Blob {
    /// A pixel of each cell.
    cells: Vec<(usize, usize)>,
    /// The first and last marked pixel of each row.
    points: Vec<(usize, usize)>,
}

impl Blob {
    /// The largest piece of cells that lie in windows full of marked pixels.
    fn largest(marked: &Bits, percent: usize, cells_min: usize) -> Option<Self> {
        let (across, down) = (marked.width / CELL, marked.height / CELL);
        let mut full = Bits::new(across, down);
        for (cell, full) in full.bits.iter_mut().enumerate() {
            let (x0, y0) = (cell % across * CELL, cell / across * CELL);
            let row = |y: usize| &marked.bits[y * marked.width + x0..][..CELL];
            let count = (y0..y0 + CELL).flat_map(row).filter(|bit| **bit).count();
            *full = count * 100 >= CELL * CELL * percent;
        }
        let mut open = Bits::new(across, down);
        for y in 0..(down + 1).saturating_sub(WINDOW) {
            for x in 0..(across + 1).saturating_sub(WINDOW) {
                let row = |y: usize| &full.bits[y * across + x..][..WINDOW];
                if (y..y + WINDOW).flat_map(row).filter(|full| **full).count() >= cells_min {
                    (y..y + WINDOW).for_each(|y| open.bits[y * across + x..][..WINDOW].fill(true));
                }
            }
        }
        let largest = open.groups().into_iter().max_by_key(|group| group.pixels.len())?;
        let cells = largest
            .pixels
            .iter()
            .map(|cell| (cell % across * CELL + CELL / 2, cell / across * CELL + CELL / 2));
        let mut blob = Bits::new(across, down);
        largest.pixels.iter().for_each(|cell| blob.bits[*cell] = true);
        let inverse = Bits { bits: blob.bits.iter().map(|cell| !cell).collect(), ..blob };
        let rim = inverse.widened(RIM_CELLS);
        let core = Bits { bits: rim.bits.iter().map(|rim| !rim).collect(), ..blob };
        let points = outline(&connected(marked, &core, &blob.widened(1)));
        Some(Self { cells: cells.collect(), points })
    }

    fn hull(&self, width: usize, height: usize) -> Bits {
        hull(self.points.clone(), width, height)
    }
}

/// The marked pixels of `core`, and those of `cells` that hang together with
/// them: writing beside a scan does not, also where its cells are as full.
fn connected(marked: &Bits, core: &Bits, cells: &Bits) -> Bits {
    let (width, height) = (marked.width, marked.height);
    let is_in = |cells: &Bits, place: usize| {
        cells.get(place % width / CELL, place / width / CELL) && marked.bits[place]
    };
    let mut open: Vec<usize> = (0..marked.bits.len()).filter(|place| is_in(core, *place)).collect();
    let mut reached = Bits::new(width, height);
    while let Some(place) = open.pop() {
        if std::mem::replace(&mut reached.bits[place], true) {
            continue;
        }
        let (x, y) = (place % width, place / width);
        for near_y in y.saturating_sub(1)..(y + 2).min(height) {
            for near_x in x.saturating_sub(1)..(x + 2).min(width) {
                let near = near_y * width + near_x;
                if !reached.bits[near] && is_in(cells, near) {
                    open.push(near);
                }
            }
        }
    }
    reached
}

/// First and last pixel of each row.
fn outline(marked: &Bits) -> Vec<(usize, usize)> {
    let mut points = Vec::new();
    for (y, row) in marked.bits.chunks_exact(marked.width.max(1)).enumerate() {
        points.extend(row.iter().position(|bit| *bit).map(|x| (x, y)));
        points.extend(row.iter().rposition(|bit| *bit).map(|x| (x, y)));
    }
    points
}

/// The pixels inside of the convex hull of some points.
pub(super) fn hull(points: Vec<(usize, usize)>, width: usize, height: usize) -> Bits {
    let mut hull = Bits::new(width, height);
    let mut points: Vec<(i64, i64)> =
        points.into_iter().map(|(x, y)| (i64::from(short(x)), i64::from(short(y)))).collect();
    // By rows: each row of the hull lies between its left and its right chain.
    points.sort_unstable_by_key(|(x, y)| (*y, *x));
    let left = chain(points.iter().copied(), |turn| turn <= 0);
    points.sort_unstable_by_key(|(x, y)| (*y, std::cmp::Reverse(*x)));
    let right = chain(points.iter().copied(), |turn| turn >= 0);
    for (y, row) in hull.bits.chunks_exact_mut(width.max(1)).enumerate() {
        let row_y = i64::from(short(y));
        let [from, to] = [&left, &right].map(|chain| crossing(chain, row_y));
        if let (Some(from), Some(to)) = (from, to) {
            let last = width.saturating_sub(1);
            let place = |x: i64| usize::try_from(x).unwrap_or(0).min(last);
            row[place(from)..=place(to).max(place(from))].fill(true);
        }
    }
    hull
}

/// The chain of points that never turns the wrong way.
fn chain(
    points: impl Iterator<Item = (i64, i64)>,
    is_wrong: impl Fn(i64) -> bool,
) -> Vec<(i64, i64)> {
    let mut chain: Vec<(i64, i64)> = Vec::new();
    for point in points {
        if chain.last().is_some_and(|last| last.1 == point.1) {
            // The outermost point of a row came first.
            continue;
        }
        while let [.., before, last] = chain.as_slice() {
            let turn = (last.0 - before.0) * (point.1 - before.1)
                - (last.1 - before.1) * (point.0 - before.0);
            // Left: points right of the way are inside. Right: the other way round.
            if is_wrong(-turn) {
                chain.pop();
            } else {
                break;
            }
        }
        chain.push(point);
    }
    chain
}

/// Where a chain crosses a row.
fn crossing(chain: &[(i64, i64)], y: i64) -> Option<i64> {
    let after = chain.partition_point(|point| point.1 <= y);
    let before = chain.get(after.checked_sub(1)?)?;
    match chain.get(after) {
        Some(next) => Some(before.0 + (next.0 - before.0) * (y - before.1) / (next.1 - before.1)),
        None => (before.1 == y).then_some(before.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 320;
    const HEIGHT: usize = 240;

    /// A sector with its tip at the top, speckle by `seed`, and lines of dense
    /// strokes above it.
    fn sector(tip: (usize, usize), radius: usize, seed: u32) -> View {
        let mut noise = seed;
        let mut pixels = vec![0_u8; WIDTH * HEIGHT];
        for (place, pixel) in pixels.iter_mut().enumerate() {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (x, y) = (place % WIDTH, place / WIDTH);
            let (across, down) = (x.abs_diff(tip.0), y.saturating_sub(tip.1));
            if across < down && across * across + down * down < radius * radius {
                *pixel = 20 + (noise >> 24) as u8 / 2;
            }
            let writes = y < 24 && y % 12 > 3 && (x / 2) % 3 == 0;
            *pixel = if writes { 255 } else { *pixel };
        }
        View { width: WIDTH as u32, height: HEIGHT as u32, samples: 1, pixels }
    }

    fn rect(x0: u32, y0: u32, x1: u32, y1: u32) -> Rect {
        Rect { x0, y0, x1, y1 }
    }

    #[test]
    fn a_still_sector_is_estimated_by_its_speckle_and_a_cine_by_both() {
        let frames: Vec<View> = (1..=3).map(|seed| sector((160, 30), 190, seed)).collect();
        for frames in [&frames[..1], &frames[..]] {
            let scan = scan_area(&[], frames).unwrap();
            assert!(scan.get(160, 100) && scan.get(80, 150) && scan.get(160, 215));
            for (x, y) in [(10, 10), (160, 20), (40, 60), (300, 60), (20, 230)] {
                assert!(!scan.get(x, y), "{x}, {y}");
            }
        }
    }

    #[test]
    fn writing_beside_a_scan_does_not_become_part_of_it() {
        let mut frame = sector((160, 10), 190, 1);
        for y in 150..HEIGHT {
            for x in 0..WIDTH {
                let letter = y % 12 >= 9 && y % 12 < 11 || x % 5 < 2;
                let letter = letter && ((153..161).contains(&y) || (165..173).contains(&y));
                frame.pixels[y * WIDTH + x] = if letter { 200 } else { 60 };
            }
        }
        let scan = scan_area(&[], &[frame]).unwrap();
        assert!(scan.get(160, 147) && (0..WIDTH).all(|x| !scan.get(x, 156)));
    }

    #[test]
    fn doubt_over_an_estimate_is_no_estimate() {
        let blank = View { pixels: vec![0; WIDTH * HEIGHT], ..sector((160, 30), 190, 1) };
        assert_eq!(scan_area(&[], std::slice::from_ref(&blank)), Err(SectorDoubt::None));
        let small = sector((160, 100), 70, 1);
        assert!(matches!(scan_area(&[], &[small]), Err(SectorDoubt::Share { .. })));
        // All of the picture is speckle.
        let full = View { pixels: sector((160, 0), 1, 1).pixels, ..blank.clone() };
        let mut noise = 5_u32;
        let mut speckle = || {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 24) as u8
        };
        let full = View { pixels: full.pixels.iter().map(|_| speckle()).collect(), ..full };
        assert!(matches!(scan_area(&[], &[full]), Err(SectorDoubt::Share { .. })));
        // Two scans in one cine.
        let frames = [sector((100, 30), 150, 1), sector((230, 30), 150, 2)];
        assert!(matches!(scan_area(&[], &frames), Err(SectorDoubt::Agreement { .. })));
    }

    #[test]
    fn what_is_known_holds_and_grows_by_the_wings_it_cuts_only() {
        let frame = sector((160, 30), 190, 1);
        let scan = scan_area(&[rect(90, 40, 230, 225)], std::slice::from_ref(&frame)).unwrap();
        assert!(scan.get(91, 41), "a corner of the region outside of the sector");
        assert!(scan.get(60, 150), "a wing");
        assert!(!scan.get(10, 10) && !scan.get(50, 60));
        // A region elsewhere has no part in the sector.
        let apart = scan_area(&[rect(2, 100, 40, 140)], std::slice::from_ref(&frame)).unwrap();
        assert!(apart.get(20, 120) && !apart.get(160, 150));
    }
}
