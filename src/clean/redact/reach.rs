//! How far a hidden line goes on beside what was found of it.
//!
//! A detector loses a line where it crosses to a ground of nearly its own shade:
//! `WAGNER` on the dark edge of a film is found, `NICHOLAS` on its bright field
//! is not. What is left there can be made readable, so the painted area goes on
//! along the line as long as there is more ink in its rows than beside them.

use std::ops::Range;

use super::area::{MARGIN_PX, Rect};
use crate::clean::text::View;

/// Longest way that a line is followed, in heights of its box. Default 12: some
/// twenty letters.
const REACH_HEIGHTS: u32 = 12;
/// Ink is there when neighbours along the line differ by so much more (in
/// percent) than in the rows above and below: grain differs as much in all of
/// them, letters of half the grain's contrast by half as much again ...
const INK_PERCENT: u32 = 130;
/// ... and by this many hundredths of a shade more, for grounds without grain.
const INK_MIN: u32 = 40;
/// Windows without ink before the line counts as ended: a space, no more.
const BLANKS_MAX: u32 = 2;
/// Samples of a pixel.
const SAMPLES_MAX: usize = 3;
/// Least height of a box whose ink can be told from grain, pixels.
const HEIGHT_MIN: u32 = 10;

/// What of a picture beside a hidden box belongs to its line, on either end.
/// `others` are the boxes of what was found beside it.
pub(super) fn beyond(view: &View, found: Rect, others: &[Rect]) -> Vec<Rect> {
    let [_x, _y, width, height] = found.position();
    let along = if width >= height { Axes::Lying(view) } else { Axes::Upright(view) };
    if width.min(height) < HEIGHT_MIN || width.max(height) < 2 * width.min(height) {
        return Vec::new();
    }
    let line = Line { along, found: along.turned(found), others };
    [line.follow(Way::Forward), line.follow(Way::Backward)].into_iter().flatten().collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Forward,
    Backward,
}

/// A picture seen along its rows or along its columns.
#[derive(Clone, Copy)]
enum Axes<'a> {
    Lying(&'a View),
    Upright(&'a View),
}

impl<'a> Axes<'a> {
    /// Length along and across.
    fn size(self) -> [u32; 2] {
        match self {
            Self::Lying(view) => [view.width, view.height],
            Self::Upright(view) => [view.height, view.width],
        }
    }

    /// A rectangle in these axes; twice gives it back.
    fn turned(self, rect: Rect) -> Rect {
        match self {
            Self::Lying(_) => rect,
            Self::Upright(_) => Rect { x0: rect.y0, y0: rect.x0, x1: rect.y1, y1: rect.x1 },
        }
    }

    fn pixel(self, along: u32, across: u32) -> &'a [u8] {
        let (view, x, y) = match self {
            Self::Lying(view) => (view, along, across),
            Self::Upright(view) => (view, across, along),
        };
        let samples = usize::from(view.samples);
        let at = (index(y) * index(view.width) + index(x)) * samples;
        view.pixels.get(at..at + samples).unwrap_or_default()
    }

    /// How much neighbours along the line differ, in hundredths of a shade. What all rows
    /// together go from their first shade to their last is no letter: the edge of a body, a
    /// slope of light. In grain and letters it is next to nothing.
    fn unrest(self, along: Range<u32>, across: Range<u32>) -> u32 {
        let Some(last) = along.end.checked_sub(1).filter(|last| *last > along.start) else {
            return 0;
        };
        let (mut sum, mut count) = (0_u64, 0_u64);
        let mut ways = [0_i64; SAMPLES_MAX];
        for row in across {
            for u in along.start..last {
                let pairs = self.pixel(u, row).iter().zip(self.pixel(u + 1, row));
                let most = pairs.map(|(one, next)| one.abs_diff(*next)).max().unwrap_or(0);
                sum += u64::from(most);
                count += 1;
            }
            let ends = self.pixel(along.start, row).iter().zip(self.pixel(last, row));
            for (way, (first, last)) in ways.iter_mut().zip(ends) {
                *way += i64::from(*last) - i64::from(*first);
            }
        }
        let way = ways.map(i64::unsigned_abs).into_iter().max().unwrap_or(0);
        let left = sum.saturating_sub(way);
        u32::try_from(left * 100 / count.max(1)).unwrap_or(u32::MAX)
    }
}

/// One line in its own axes.
struct Line<'a> {
    along: Axes<'a>,
    found: Rect,
    others: &'a [Rect],
}

impl Line<'_> {
    fn follow(&self, way: Way) -> Option<Rect> {
        let Rect { x0, y0, x1, y1 } = self.found;
        let height = y1 - y0;
        let [length, _across] = self.along.size();
        let step = (height / 2).max(1);
        let (mut last, mut blanks) = (None, 0);
        for number in 0..REACH_HEIGHTS * 2 {
            let window = match way {
                Way::Forward => {
                    let from = x1.saturating_add(number * step);
                    from..from.saturating_add(height).min(length)
                }
                Way::Backward => {
                    let to = x0.saturating_sub(number * step);
                    to.saturating_sub(height)..to
                }
            };
            // Shorter than a letter: the border of the picture.
            if window.end < window.start + step || self.meets_other(&window) {
                break;
            }
            if self.has_ink(&window) {
                (last, blanks) = (Some(window), 0);
            } else {
                blanks += 1;
                if blanks > BLANKS_MAX {
                    break;
                }
            }
        }
        let last = last?;
        let reached = match way {
            Way::Forward => {
                Rect { x0: x1, x1: last.end.saturating_add(MARGIN_PX).min(length), y0, y1 }
            }
            Way::Backward => Rect { x0: last.start.saturating_sub(MARGIN_PX), x1: x0, y0, y1 },
        };
        Some(self.along.turned(reached))
    }

    fn meets_other(&self, window: &Range<u32>) -> bool {
        // Another line, not one that only touches these rows.
        let Rect { y0, y1, .. } = self.found;
        let quarter = (y1 - y0) / 4;
        self.is_taken(window, &(y0 + quarter..y1 - quarter))
    }

    fn is_taken(&self, along: &Range<u32>, across: &Range<u32>) -> bool {
        let place = Rect { x0: along.start, x1: along.end, y0: across.start, y1: across.end };
        self.others.iter().any(|other| self.along.turned(*other).common(place).pixels() > 0)
    }

    /// More unrest in the rows of the letters than in those above and below.
    fn has_ink(&self, window: &Range<u32>) -> bool {
        let Rect { y0, y1, .. } = self.found;
        let [_length, width] = self.along.size();
        let height = y1 - y0;
        // Letters stand in the middle of their box.
        let rows = y0 + height / 5..y1 - height / 5;
        let above = y0.checked_sub(height).map(|top| top + height / 5..y0 - height / 5);
        let below = (y1 + height <= width).then(|| y1 + height / 5..y1 + height - height / 5);
        let beside: Vec<u32> = [above, below]
            .into_iter()
            .flatten()
            .filter(|rows| !self.is_taken(window, rows))
            .map(|rows| self.along.unrest(window.clone(), rows))
            .collect();
        let Some(beside) = beside.into_iter().max() else { return false };
        let own = self.along.unrest(window.clone(), rows);
        own > beside.saturating_add(INK_MIN)
            && u64::from(own) * 100 > u64::from(beside) * u64::from(INK_PERCENT)
    }
}

fn index(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: u32 = 400;
    const HEIGHT: u32 = 100;
    const FOUND: Rect = Rect { x0: 20, y0: 40, x1: 120, y1: 60 };

    /// Letters of 3 columns with 3 between them where `is_written` says so, `ink`
    /// shades over a ground with some grain.
    fn view(ink: u8, grain: u32, is_written: impl Fn(u32) -> bool) -> View {
        let pixel = |at: u32| {
            let (x, y) = (at % WIDTH, at / WIDTH);
            let noise = at.wrapping_mul(2_654_435_761) >> 16;
            let shade = 150 + u8::try_from(noise % (grain + 1)).unwrap();
            let letter = (45..55).contains(&y) && (x / 3).is_multiple_of(2) && is_written(x);
            if letter { shade.saturating_add(ink) } else { shade }
        };
        let pixels = (0..WIDTH * HEIGHT).map(pixel).collect();
        View { width: WIDTH, height: HEIGHT, samples: 1, pixels }
    }

    #[test]
    fn a_line_goes_on_where_its_ink_does_and_ends_where_it_ends() {
        for (ink, grain) in [(90, 6), (6, 4), (3, 0)] {
            let shown = view(ink, grain, |x| (20..200).contains(&x));
            let more = beyond(&shown, FOUND, &[]);
            assert_eq!(more.len(), 1, "{ink} over {grain}");
            let Rect { x0, x1, y0, y1 } = more[0];
            assert_eq!((x0, y0, y1), (120, 40, 60));
            assert!((200..=223).contains(&x1), "{x1}");
        }
        let gap = view(40, 4, |x| (20..120).contains(&x) || (140..220).contains(&x));
        assert!(beyond(&gap, FOUND, &[])[0].x1 >= 220, "over a space");
        let before = view(40, 4, |x| x < 120);
        let at = Rect { x0: 80, x1: 140, ..FOUND };
        assert!(beyond(&before, at, &[]).iter().any(|more| more.x0 <= 3 && more.x1 == 80));
    }

    #[test]
    fn grain_lines_and_what_was_found_beside_it_end_a_line() {
        assert_eq!(beyond(&view(40, 6, |x| (20..115).contains(&x)), FOUND, &[]), []);
        let mut ruled = view(0, 4, |_| false);
        ruled.pixels[50 * 400..51 * 400].fill(255);
        assert_eq!(beyond(&ruled, FOUND, &[]), [], "a rule is no text");
        let other = Rect { x0: 140, y0: 40, x1: 300, y1: 60 };
        let written = view(40, 4, |x| (20..115).contains(&x) || (140..300).contains(&x));
        let more = beyond(&written, FOUND, &[other]);
        assert!(more.iter().all(|more| more.x1 <= 140), "{more:?}");
        let mut body = view(0, 4, |_| false);
        for (at, shade) in body.pixels.iter_mut().enumerate() {
            let (x, y) = (at % 400, at / 400);
            // An edge that lies in the line's rows only.
            *shade = if x > 110 + y && (40..60).contains(&y) { 150 } else { 0 };
        }
        assert_eq!(beyond(&body, FOUND, &[]), [], "the edge of a body");
        let mut textured = view(0, 60, |_| false);
        textured.pixels[..20].fill(0);
        assert_eq!(beyond(&textured, FOUND, &[]), [], "texture above, in it and below");
    }

    #[test]
    fn a_line_that_runs_up_is_followed_up() {
        let lying = view(40, 4, |x| (20..200).contains(&x));
        let (width, height) = (HEIGHT, WIDTH);
        let pixels = (0..width * height)
            .map(|at| lying.pixels[index((at % width) * WIDTH + at / width)])
            .collect();
        let standing = View { width, height, samples: 1, pixels };
        let found = Rect { x0: 40, y0: 20, x1: 60, y1: 120 };
        let more = beyond(&standing, found, &[]);
        assert_eq!((more[0].x0, more[0].y0, more[0].x1), (40, 120, 60));
        assert!((200..=223).contains(&more[0].y1));
    }
}
