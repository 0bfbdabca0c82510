//! Hides by ink, not by detection: outside of the scan area whatever was drawn
//! and is neither a clinical line that was read with confidence nor a known
//! graphic is to be hidden (`hide-outside-regions`).
//!
//! Frames and the lines found in them in, rectangles to paint out. The detector
//! misses a fifth of faint lines; here a line has to be *read* to stay.
//! Invariant: no ink outside of the scan area stays unpainted on any frame but
//! what [`graphics`] or a kept line explains. What is scan area says `sector`.

mod graphics;
mod ground;
pub(crate) mod raster;
mod rectangles;
#[cfg(test)]
mod tests;

use super::area::{Area, Rect};
use super::eyes::Finding;
use crate::clean::report::TextReason;
use crate::clean::text::View;
use raster::{Bits, at};

/// Most pixels of a frame whose ink is looked for. Default 12 Mi: more than any
/// ultrasound has, and about 200 MB of working memory.
pub const INK_PIXELS_MAX: u64 = 12 << 20;
/// A pixel outside of the scan area that changes by more than this between
/// frames is looked at again: as much makes ink of ground.
const CHANGE_MIN: u8 = 3;
/// Ink in one piece of this part of an *estimated* outside (one in so many
/// pixels of the picture) is no writing: the estimate is wrong. Default 50: a
/// banner's line is in hundreds of pieces.
const DOUBTFUL_PIECE_PART: usize = 50;

/// Watches the outside of the scan area over the frames of an instance.
#[derive(Debug)]
pub struct Watch {
    outside: Bits,
    estimated: bool,
    /// What was found in the rows that were looked at last.
    lines: Vec<Finding>,
    seen: Vec<View>,
    /// First frame in which a pixel was unexplained; `u32::MAX`: in none.
    since: Vec<u32>,
    /// Inside of kept lines, of any frame.
    spared: Bits,
}

/// Why ink cannot be told from picture; the instance is quarantined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InkError {
    /// A great piece of picture lies outside of the estimated scan area.
    #[error("a piece of {pixels} pixels lies outside of the estimated scan sector")]
    Doubtful {
        /// Its size.
        pixels: usize,
    },
    /// More scattered ink than writing can be.
    #[error("ink outside of the scan area is too scattered to be covered")]
    Scattered,
}

impl Watch {
    /// For a scan area; `estimated` when no header says it.
    #[must_use]
    pub(crate) fn new(scan: &Bits, estimated: bool) -> Self {
        let bits: Vec<bool> = scan.bits.iter().map(|inside| !inside).collect();
        Self {
            since: vec![u32::MAX; bits.len()],
            spared: Bits::new(scan.width, scan.height),
            outside: Bits { bits, ..*scan },
            estimated,
            lines: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// Takes what a look at a frame found; what was found before is forgotten.
    pub fn lines(&mut self, found: &[Finding]) {
        self.lines = found.to_vec();
    }

    /// Looks for ink in a frame, if it changed outside of the scan area. Its
    /// lines were given before.
    pub fn frame(&mut self, frame: u32, views: &[View], enhanced: Option<usize>) {
        let views: Vec<&View> = (0..)
            .zip(views)
            .filter(|(index, _)| enhanced != Some(*index))
            .map(|(_, v)| v)
            .collect();
        let fits = views.iter().all(|view| {
            (at(view.width), at(view.height)) == (self.outside.width, self.outside.height)
        });
        if !fits {
            // Not one picture: nothing is known of it.
            self.since.iter_mut().for_each(|since| *since = frame.min(*since));
            return;
        }
        if !self.is_changed(&views) {
            return;
        }
        let kept = self.covered(|line| !line.hide && line.reason == TextReason::Clinical);
        let found = self.covered(|line| line.hide || line.reason != TextReason::Clinical);
        for view in &views {
            let drawn = ground::drawn(view, &self.outside);
            let (ink, contrast) = (&drawn.ink, drawn.contrast.as_slice());
            let look = graphics::Look { view, ink, contrast, kept: &kept, found: &found };
            let left = graphics::unexplained(&look);
            for (since, left) in self.since.iter_mut().zip(&left.bits) {
                if *left {
                    *since = frame.min(*since);
                }
            }
        }
        self.spared.bits.iter_mut().zip(&kept.bits).for_each(|(spared, kept)| *spared |= kept);
        self.seen = views.into_iter().cloned().collect();
    }

    /// The rectangles to paint, each with the first frame that needs it. What
    /// lies in `hidden` needs none.
    ///
    /// # Errors
    /// [`InkError`]: quarantine.
    pub fn finish(self, hidden: &[Area]) -> Result<Vec<(Rect, u32)>, InkError> {
        let mut open = Bits {
            bits: self.since.iter().map(|since| *since != u32::MAX).collect(),
            ..self.outside
        };
        for area in hidden {
            unmark(&mut open, area);
        }
        let largest = open.groups().iter().map(|group| group.pixels.len()).max().unwrap_or(0);
        if self.estimated && largest * DOUBTFUL_PIECE_PART >= open.bits.len() {
            return Err(InkError::Doubtful { pixels: largest });
        }
        let rects = rectangles::covering(&open, &self.spared).ok_or(InkError::Scattered)?;
        let first = |rect: &Rect| {
            let rows = at(rect.y0)..at(rect.y1);
            let since = rows.flat_map(|y| &self.since[y * open.width..][at(rect.x0)..at(rect.x1)]);
            since.copied().min().unwrap_or(0)
        };
        Ok(rects.into_iter().map(|rect| (rect, first(&rect))).collect())
    }

    fn is_changed(&self, views: &[&View]) -> bool {
        if views.len() != self.seen.len() {
            return true;
        }
        views.iter().zip(&self.seen).any(|(view, seen)| {
            let samples = usize::from(view.samples).max(1);
            let pairs = view.pixels.chunks_exact(samples).zip(seen.pixels.chunks_exact(samples));
            let mut pairs = pairs.zip(&self.outside.bits).filter(|(_, outside)| **outside);
            pairs.any(|((now, before), _)| {
                now.iter().zip(before).any(|(now, before)| now.abs_diff(*before) > CHANGE_MIN)
            })
        })
    }

    fn covered(&self, counts: impl Fn(&Finding) -> bool) -> Bits {
        let size = (self.outside.width, self.outside.height);
        let mut covered = Bits::new(size.0, size.1);
        for line in self.lines.iter().filter(|line| counts(line)) {
            for_each_pixel(size, &line.area, |place| covered.bits[place] = true);
        }
        covered
    }
}

fn unmark(bits: &mut Bits, area: &Area) {
    for_each_pixel((bits.width, bits.height), area, |place| bits.bits[place] = false);
}

/// Calls `act` with the place of each pixel of an area.
fn for_each_pixel((width, height): (usize, usize), area: &Area, mut act: impl FnMut(usize)) {
    for y in area.rect.y0..area.rect.y1.min(raster::short(height)) {
        for x in area.rect.x0..area.rect.x1.min(raster::short(width)) {
            if area.contains(x, y) {
                act(at(y) * width + at(x));
            }
        }
    }
}
