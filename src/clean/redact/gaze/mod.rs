//! What was last looked at of an instance's frames: views in, the rows that are to
//! be looked at out.
//!
//! A frame is looked at where it differs from the last look and the looker's
//! [`cells`](super::Looker::cells) say that text may stand there. A line that stands
//! still over a moving picture is the same line as long as its strokes stand
//! ([`strokes`]) and it looks no more like text than it did; what is painted over on every frame need not be looked at again.

mod strokes;

use std::ops::Range;

use self::strokes::Strokes;

use super::area::{Area, Rect, covered};
use super::{LookError, Looker};
use crate::clean::text::{CELL_PX, Cells, View};

/// Height of the strips that are compared between frames: about two lines of
/// small text, so that a change and its line lie in neighbouring strips.
pub(super) const STRIP_ROWS: u32 = 32;
/// A strip is looked at again when a sample of it differs by more than this, of
/// 255, from what was last looked at; noise of lossy coding stays under it ...
const CHANGE_MIN: u8 = 12;
/// ... or when this many of its samples, fewer than a name has, ...
const FAINT_SAMPLES_MIN: usize = 24;
/// ... differ by more than this: the detector has found names 6 steps from a
/// ground without noise. Noise as large makes a cine dear, not unsafe.
const FAINT_CHANGE_MIN: u8 = 3;
/// In the enhanced view noise of the picture itself goes beyond that: there a
/// strip is looked at again when this many of its samples differ ...
const ENHANCED_SAMPLES_MIN: usize = 24;
/// ... by more than this: the view is shown for differences of 21 shades, and a
/// name of letters 8 pixels high has over 50 samples of them.
const ENHANCED_CHANGE_MIN: u8 = 20;
/// Around a marked cell this many times fewer samples must differ than in a strip:
/// a cell and its neighbours hold three letters of a line.
const CELL_SHARE: usize = 2;
/// A frame shows something when this part of it (in percent) ...
const SHOWN_PERCENT: usize = 2;
/// ... is further than this from its commonest shade.
const GROUND_REACH: usize = 8;
/// Cells beside a line's strokes that are marked with it: the screen sees large
/// letters in cells four times as wide.
const HALO_CELLS: u32 = 4;

/// How much must differ: this many samples, each by more than that.
type Changes = &'static [(usize, u8)];
const CHANGES: Changes = &[(1, CHANGE_MIN), (FAINT_SAMPLES_MIN, FAINT_CHANGE_MIN)];
const ENHANCED_CHANGES: Changes = &[(ENHANCED_SAMPLES_MIN, ENHANCED_CHANGE_MIN)];

/// What was last looked at.
///
/// A line of text that was not there at the last look changes its strip by more
/// than [`CHANGE_MIN`], also when it fades in slowly: the comparison is with the
/// last look, not with the last frame. It is looked at when a cell of it is marked.
#[derive(Debug, Default)]
pub struct Gaze {
    /// How frames are searched until one that shows something was.
    first_whole: bool,
    /// No frame that shows something was searched whole.
    nothing_yet: bool,
    /// Every change is looked at, marked or not.
    unscreened: bool,
    near: Option<Vec<Area>>,
    /// Each view as it was where it was last looked at, else as it first was.
    seen: Vec<View>,
    /// Strips that were looked at since.
    looked: Vec<bool>,
    /// Of each view, the cells that were marked when they were looked at.
    known: Vec<Cells>,
    /// Of each view, the cells of the frame that is looked at; none while it is the
    /// first.
    now: Vec<Cells>,
}

impl Gaze {
    /// Looks at all of the first frame, marked or not.
    #[must_use]
    pub fn first_whole(mut self) -> Self {
        (self.first_whole, self.nothing_yet) = (true, true);
        self
    }

    /// Looks at every change, marked or not, and takes no line as known.
    #[must_use]
    pub fn unscreened(mut self) -> Self {
        self.unscreened = true;
        self
    }

    /// Looks again only for changes near these areas: elsewhere later frames are as
    /// another look saw them.
    #[must_use]
    pub fn near(mut self, areas: Vec<Area>) -> Self {
        self.near = Some(areas);
        self
    }

    /// The rows of a frame that are to be looked at, all or none; remembers them as
    /// looked at. Cells under
    /// what is `hidden` on every frame are left out.
    ///
    /// # Errors
    /// The looker's: the instance is quarantined.
    pub fn rows(
        &mut self,
        views: &[View],
        enhanced: Option<usize>,
        hidden: &[Area],
        looker: &mut dyn Looker,
    ) -> Result<Vec<Range<u32>>, LookError> {
        let Some(height) = views.first().map(|view| view.height) else { return Ok(Vec::new()) };
        let shapes = |views: &[View]| -> Vec<(u32, u32, u8)> {
            views.iter().map(|view| (view.width, view.height, view.samples)).collect()
        };
        let changed = || {
            let mut pairs = views.iter().zip(&self.seen);
            pairs.any(|(view, seen)| !changed_strips(view, seen, CHANGES).is_empty())
        };
        if shapes(views) != shapes(&self.seen) || (self.nothing_yet && changed()) {
            let bands = self.start(views, height, looker)?;
            self.remember(views, &bands);
            return Ok(bands);
        }
        let mut marks = vec![None; views.len()];
        let strips = self.changed_marked(views, enhanced, hidden, looker, &mut marks)?;
        // The whole frame: a band of a moving picture, cut out, is taken for text.
        let whole = std::iter::once(0..height);
        let bands: Vec<Range<u32>> = whole.filter(|_| !strips.is_empty()).collect();
        self.remember(views, &bands);
        if !bands.is_empty() {
            let mut now = Vec::with_capacity(views.len());
            for (marks, view) in marks.into_iter().zip(views) {
                now.push(marks.map_or_else(|| self.cells_of(view, looker), Ok)?);
            }
            self.now = now;
            for (known, now) in self.known.iter_mut().zip(&self.now) {
                known.take(now, &bands);
            }
        }
        Ok(bands)
    }

    /// Whether a place of the frame that is looked at may hold text. A find there that
    /// nobody can read is else the grain of a moving picture, cut by a band.
    #[must_use]
    pub fn may_hold(&self, place: Rect) -> bool {
        let (columns, rows) = (place.x0..place.x1, place.y0..place.y1);
        self.now.is_empty() || self.now.iter().any(|cells| cells.any_in(&columns, &rows))
    }

    fn cells(&self, views: &[View], looker: &mut dyn Looker) -> Result<Vec<Cells>, LookError> {
        views.iter().map(|view| self.cells_of(view, looker)).collect()
    }

    fn cells_of(&self, view: &View, looker: &mut dyn Looker) -> Result<Cells, LookError> {
        if self.unscreened {
            return Ok(Cells::new(view.width, view.height, true));
        }
        looker.cells(view)
    }

    /// The first frame, or the first with other views.
    fn start(
        &mut self,
        views: &[View],
        height: u32,
        looker: &mut dyn Looker,
    ) -> Result<Vec<Range<u32>>, LookError> {
        self.seen = views.to_vec();
        self.now.clear();
        self.looked = vec![false; index(height.div_ceil(STRIP_ROWS))];
        self.known = self.cells(views, looker)?;
        self.nothing_yet &= !views.iter().any(shows_something);
        if !self.first_whole && !self.known.iter().any(Cells::any) {
            return Ok(Vec::new());
        }
        Ok(std::iter::once(0..height).collect())
    }

    /// Strips with a marked cell that changed, or that nobody looked at. Where it asks
    /// for the cells of a view it leaves them in `marks`.
    fn changed_marked(
        &self,
        views: &[View],
        enhanced: Option<usize>,
        hidden: &[Area],
        looker: &mut dyn Looker,
        marks: &mut [Option<Cells>],
    ) -> Result<Vec<u32>, LookError> {
        let mut strips = Vec::new();
        for (which, (view, marks)) in views.iter().zip(marks).enumerate() {
            let changes = if enhanced == Some(which) { ENHANCED_CHANGES } else { CHANGES };
            let Some((seen, known)) = self.seen.get(which).zip(self.known.get(which)) else {
                continue;
            };
            let changed = self.nearby(changed_strips(view, seen, changes));
            if changed.is_empty() {
                continue;
            }
            let cells = marks.insert(self.cells_of(view, looker)?);
            for (column, row) in cells.marked() {
                let strip = row * CELL_PX / STRIP_ROWS;
                let is_near = |changed: &u32| changed.abs_diff(strip) <= 1;
                if strips.contains(&strip) || !changed.iter().any(is_near) {
                    continue;
                }
                let looked = self.looked.get(index(strip)).copied().unwrap_or(false);
                let pair = Pair { view, seen, changes };
                let was_marked = !self.unscreened && cells.is_as(known, column, row);
                let is_known = looked && pair.is_same(column, row, was_marked);
                // With what is around it: a line can go on beyond the paint.
                if !is_known && !covered(cell(view, column, row, 1), hidden) {
                    strips.push(strip);
                }
            }
        }
        strips.sort_unstable();
        Ok(strips)
    }

    /// Those of some strips that come near the areas.
    fn nearby(&self, mut strips: Vec<u32>) -> Vec<u32> {
        if let Some(areas) = &self.near {
            strips.retain(|strip| {
                let start = strip * STRIP_ROWS;
                is_near(&(start..start + STRIP_ROWS), areas)
            });
        }
        strips
    }

    fn remember(&mut self, views: &[View], bands: &[Range<u32>]) {
        for rows in bands {
            for (view, seen) in views.iter().zip(&mut self.seen) {
                let range = index(rows.start) * row_bytes(view)..index(rows.end) * row_bytes(view);
                if let (Some(now), Some(before)) =
                    (view.pixels.get(range.clone()), seen.pixels.get_mut(range))
                {
                    before.copy_from_slice(now);
                }
            }
            for strip in rows.start / STRIP_ROWS..rows.end.div_ceil(STRIP_ROWS) {
                if let Some(looked) = self.looked.get_mut(index(strip)) {
                    *looked = true;
                }
            }
        }
    }
}

/// A view now and when it was last looked at.
struct Pair<'a> {
    view: &'a View,
    seen: &'a View,
    changes: Changes,
}

impl Pair<'_> {
    /// A marked cell shows what it showed: its pixels, or where it was marked before
    /// and the ground moved, the strokes there. The nearest strokes decide.
    fn is_same(&self, column: u32, row: u32, was_marked: bool) -> bool {
        let around = |cells| cell(self.view, column, row, cells);
        if !self.differs(around(1)) {
            return true;
        }
        // The screen marks a little more than the strokes.
        let compared =
            (1..=HALO_CELLS).map(|cells| strokes::compare(self.view, self.seen, around(cells)));
        let nearest = |compared: &Strokes| *compared != Strokes::Unclear;
        was_marked && compared.into_iter().find(nearest) == Some(Strokes::Stand)
    }

    fn differs(&self, place: Rect) -> bool {
        self.changes.iter().any(|(samples_min, change_min)| {
            let rows =
                (place.y0..place.y1).map(|y| (row(self.view, y, place), row(self.seen, y, place)));
            let far = rows.flat_map(|(now, before)| far(now, before, *change_min));
            let wanted = samples_min.div_ceil(CELL_SHARE);
            far.take(wanted).count() == wanted
        })
    }
}

/// A cell with some cells around it, inside the view.
fn cell(view: &View, column: u32, row: u32, around: u32) -> Rect {
    let reach = |cell: u32, len: u32| {
        let start = cell.saturating_sub(around).saturating_mul(CELL_PX).min(len);
        let end = cell.saturating_add(around + 1).saturating_mul(CELL_PX).min(len);
        (start, end)
    };
    let ((x0, x1), (y0, y1)) = (reach(column, view.width), reach(row, view.height));
    Rect { x0, y0, x1, y1 }
}

/// The samples of a row of a place.
fn row(view: &View, y: u32, place: Rect) -> &[u8] {
    let samples = usize::from(view.samples);
    let start = index(y) * row_bytes(view);
    let range = start + index(place.x0) * samples..start + index(place.x1) * samples;
    view.pixels.get(range).unwrap_or_default()
}

/// Whether a view is more than one ground with a mark on it: black frames before a
/// cine, test pictures.
fn shows_something(view: &View) -> bool {
    let mut counts = [0_usize; 256];
    for sample in &view.pixels {
        if let Some(count) = counts.get_mut(usize::from(*sample)) {
            *count += 1;
        }
    }
    let common = (0..256).max_by_key(|shade| counts.get(*shade)).unwrap_or(0);
    let near = common.saturating_sub(GROUND_REACH)..(common + GROUND_REACH + 1).min(256);
    let ground: usize = counts.get(near).unwrap_or_default().iter().sum();
    (view.pixels.len() - ground) * 100 >= view.pixels.len() * SHOWN_PERCENT
}

fn changed_strips(view: &View, seen: &View, changes: Changes) -> Vec<u32> {
    let strip_bytes = row_bytes(view).saturating_mul(index(STRIP_ROWS)).max(1);
    let strips = view.pixels.chunks(strip_bytes).zip(seen.pixels.chunks(strip_bytes));
    let changed = (0_u32..).zip(strips).filter(|(_, (now, before))| {
        changes.iter().any(|(samples_min, change_min)| {
            let far = far(now, before, *change_min);
            far.take(*samples_min).count() == *samples_min
        })
    });
    changed.map(|(number, _)| number).collect()
}

/// The samples that differ by more than a limit.
fn far<'a>(now: &'a [u8], before: &'a [u8], change_min: u8) -> impl Iterator<Item = u8> + 'a {
    let differences = now.iter().zip(before).map(|(now, before)| now.abs_diff(*before));
    differences.filter(move |difference| *difference > change_min)
}

/// Whether a band of rows comes near an area.
fn is_near(rows: &Range<u32>, areas: &[Area]) -> bool {
    areas.iter().any(|area| {
        let Rect { y0, y1, .. } = area.rect;
        y0.saturating_sub(STRIP_ROWS) < rows.end && rows.start < y1.saturating_add(STRIP_ROWS)
    })
}

pub(super) fn row_bytes(view: &View) -> usize {
    index(view.width).saturating_mul(usize::from(view.samples))
}

pub(super) fn index(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
