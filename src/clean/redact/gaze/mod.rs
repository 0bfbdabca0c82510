//! What was last looked at of an instance's frames: views in, whether a frame is to
//! be looked at out.
//!
//! A frame is looked at, whole, where it differs from the last look and the looker's
//! [`cells`](super::Looker::cells) say that text may stand there. What is painted over
//! on every frame need not be looked at again, nor a kept line over a moving picture
//! that still reads as one to keep.

use std::ops::Range;

use super::area::{Area, Rect, covered};
use super::eyes::Eyes;
use super::{LookError, Looker};
use crate::clean::text::{CELL_PX, View};

/// Height of the strips that are compared between frames: about two lines of
/// small text, so that a change and its line lie in neighbouring strips.
const STRIP_ROWS: u32 = 32;
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
    /// Frames with another shape, the first of all among them, are looked at, marked
    /// or not.
    first_whole: bool,
    /// No frame that shows something was looked at.
    nothing_yet: bool,
    /// Every change is looked at, marked or not.
    unscreened: bool,
    near: Option<Vec<Area>>,
    /// Each view at the last look; while there was none, as it first was.
    seen: Vec<View>,
    /// There was a look since the views have this shape.
    looked: bool,
}

impl Gaze {
    /// Looks at the first frame that shows something, marked or not, and at those
    /// before it.
    #[must_use]
    pub fn first_whole(mut self) -> Self {
        (self.first_whole, self.nothing_yet) = (true, true);
        self
    }

    /// Looks at every change, marked or not.
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

    /// Whether a frame is to be looked at; remembers it as looked at. Text under what
    /// is `hidden` on every frame is no reason, nor are lines that the eyes keep still.
    ///
    /// # Errors
    /// The looker's: the instance is quarantined.
    pub fn wants(
        &mut self,
        views: &[View],
        enhanced: Option<usize>,
        hidden: &[Area],
        eyes: &mut Eyes<'_>,
    ) -> Result<bool, LookError> {
        let shapes = |views: &[View]| -> Vec<(u32, u32, u8)> {
            views.iter().map(|view| (view.width, view.height, view.samples)).collect()
        };
        let is_first = shapes(views) != shapes(&self.seen);
        let look = if is_first || (self.nothing_yet && self.changed(views, enhanced)) {
            self.nothing_yet &= !views.iter().any(shows_something);
            self.first_whole || self.unscreened || is_marked(views, eyes.looker)?
        } else if self.unscreened {
            self.pairs(views, enhanced).any(|pair| !self.nearby(pair.changed_strips()).is_empty())
        } else {
            let news = self.news(views, enhanced, hidden, eyes.looker)?;
            let changed = |view: usize, place: Rect| {
                !self.looked
                    || self.pairs(views, enhanced).nth(view).is_none_or(|pair| pair.differs(place))
            };
            !news.is_empty() && !eyes.keep_still(views, &news, hidden, &changed)?
        };
        if look || is_first {
            self.seen = views.to_vec();
            self.looked = look;
            if !look {
                eyes.forget();
            }
        }
        Ok(look)
    }

    fn changed(&self, views: &[View], enhanced: Option<usize>) -> bool {
        self.pairs(views, enhanced).any(|pair| !pair.changed_strips().is_empty())
    }

    /// The marked cells that changed, or that nobody looked at.
    fn news(
        &self,
        views: &[View],
        enhanced: Option<usize>,
        hidden: &[Area],
        looker: &mut dyn Looker,
    ) -> Result<Vec<Place>, LookError> {
        let mut news = Vec::new();
        for (index, pair) in self.pairs(views, enhanced).enumerate() {
            let changed = self.nearby(pair.changed_strips());
            if changed.is_empty() {
                continue;
            }
            let is_news = |&(column, row): &(u32, u32)| {
                let strip = row * CELL_PX / STRIP_ROWS;
                let around = cell(pair.view, column, row);
                changed.iter().any(|changed| changed.abs_diff(strip) <= 1)
                    && (!self.looked || pair.differs(around))
                    // With what is around it: a line can go on beyond the paint.
                    && !covered(around, hidden)
            };
            let cells = looker.cells(pair.view)?;
            let place = |(column, row)| Place::of_cell(index, column, row);
            news.extend(cells.marked().filter(is_news).map(place));
        }
        Ok(news)
    }

    fn pairs<'a>(
        &'a self,
        views: &'a [View],
        enhanced: Option<usize>,
    ) -> impl Iterator<Item = Pair<'a>> {
        views.iter().zip(&self.seen).enumerate().map(move |(which, (view, seen))| {
            let changes = if enhanced == Some(which) { ENHANCED_CHANGES } else { CHANGES };
            Pair { view, seen, changes }
        })
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
}

/// The middle of a cell of one of a frame's views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which of the views.
    pub view: usize,
    /// Column of its pixel.
    pub x: u32,
    /// Row of its pixel.
    pub y: u32,
}

impl Place {
    /// The middle of a cell of a view.
    #[must_use]
    pub fn of_cell(view: usize, column: u32, row: u32) -> Self {
        let [x, y] = [column, row].map(|cell| cell * CELL_PX + CELL_PX / 2);
        Self { view, x, y }
    }
}

fn is_marked(views: &[View], looker: &mut dyn Looker) -> Result<bool, LookError> {
    for view in views {
        if looker.cells(view)?.marked().next().is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A view now and when it was last looked at.
struct Pair<'a> {
    view: &'a View,
    seen: &'a View,
    changes: Changes,
}

impl Pair<'_> {
    fn changed_strips(&self) -> Vec<u32> {
        let strip_bytes = row_bytes(self.view).saturating_mul(index(STRIP_ROWS)).max(1);
        let strips = self.view.pixels.chunks(strip_bytes).zip(self.seen.pixels.chunks(strip_bytes));
        let changed = (0_u32..).zip(strips).filter(|(_, (now, before))| {
            self.changes.iter().any(|(samples_min, change_min)| {
                let far = far(now, before, *change_min);
                far.take(*samples_min).count() == *samples_min
            })
        });
        changed.map(|(number, _)| number).collect()
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

/// A cell and those beside it, inside the view.
fn cell(view: &View, column: u32, row: u32) -> Rect {
    let reach = |cell: u32, len: u32| {
        let start = cell.saturating_sub(1).saturating_mul(CELL_PX).min(len);
        let end = cell.saturating_add(2).saturating_mul(CELL_PX).min(len);
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

fn row_bytes(view: &View) -> usize {
    index(view.width).saturating_mul(usize::from(view.samples))
}

fn index(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod kept_tests;
#[cfg(test)]
mod tests;
