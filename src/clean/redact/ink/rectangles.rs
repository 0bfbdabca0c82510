//! Covers marked pixels with few rectangles.

use super::raster::{Bits, Span};
use crate::clean::redact::area::{MARGIN_PX, Rect};

/// Sides of the cells that pixels are gathered in, finest first, in pixels.
const CELLS: [usize; 5] = [8, 16, 32, 64, 128];
/// Widest gap in a row of cells that is covered too, in pixels: between words,
/// and where a faint letter was too faint.
const GAP_MAX: usize = 16;
/// Most rectangles. Default 1,000: half of what an instance may have hidden.
const RECTANGLES_MAX: usize = 1000;

/// Rectangles with margin that cover all of `marked`. Gaps are covered only
/// where `spared` has nothing. `None`: more than [`RECTANGLES_MAX`] in any cells.
pub(super) fn covering(marked: &Bits, spared: &Bits) -> Option<Vec<Rect>> {
    let covers = CELLS.iter().map(|cell| with_cells(marked, spared, *cell));
    covers.into_iter().find(|rects| rects.len() <= RECTANGLES_MAX)
}

fn with_cells(marked: &Bits, spared: &Bits, cell: usize) -> Vec<Rect> {
    let mut spans: Vec<Span> = Vec::new();
    // Those of the row of cells above, which can still grow.
    let mut growing: Vec<usize> = Vec::new();
    for y0 in (0..marked.height).step_by(cell) {
        let band = y0..(y0 + cell).min(marked.height);
        let mut next = Vec::new();
        for run in runs(marked, spared, &band, cell) {
            let joined = growing.iter().copied().find(|index| joins(spans[*index], run, spared));
            match joined {
                Some(index) => {
                    spans[index] = union(spans[index], run);
                    next.push(index);
                }
                None => {
                    next.push(spans.len());
                    spans.push(run);
                }
            }
        }
        growing = next;
    }
    let margin = usize::try_from(MARGIN_PX).unwrap_or(0);
    spans.into_iter().map(|span| span.area(margin, marked.width, marked.height)).collect()
}

/// Runs of cells with marked pixels in a band of rows, cut down to the pixels.
fn runs(marked: &Bits, spared: &Bits, band: &std::ops::Range<usize>, cell: usize) -> Vec<Span> {
    let mut runs: Vec<Span> = Vec::new();
    for x in 0..marked.width {
        let mut rows = band.clone().filter(|y| marked.get(x, *y));
        let Some(first) = rows.next() else { continue };
        let column =
            Span { x0: x, y0: first, x1: x + 1, y1: rows.next_back().unwrap_or(first) + 1 };
        match runs.last_mut() {
            Some(run) if column.x0 - run.x1 <= GAP_MAX.max(cell) => {
                let both = union(*run, column);
                let is_free = column.x0 - run.x1 < 2 || !touches(spared, both);
                if is_free { *run = both } else { runs.push(column) }
            }
            Some(_) | None => runs.push(column),
        }
    }
    runs
}

/// Two runs of neighbouring bands become one rectangle when they share most of
/// their width and nothing is lost by it.
fn joins(above: Span, below: Span, spared: &Bits) -> bool {
    let common = above.x1.min(below.x1).saturating_sub(above.x0.max(below.x0));
    let both = union(above, below);
    common * 2 >= both.width() && !touches(spared, both)
}

fn touches(spared: &Bits, span: Span) -> bool {
    let row = |y: usize| &spared.bits[y * spared.width + span.x0..y * spared.width + span.x1];
    (span.y0..span.y1).any(|y| row(y).contains(&true))
}

fn union(one: Span, other: Span) -> Span {
    one.with(other.x0, other.y0).with(other.x1 - 1, other.y1 - 1)
}
