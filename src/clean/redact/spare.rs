//! Lines that stay beside hidden ones: what is painted ends at the blank row
//! between them.
//!
//! Boxes are wider than their letters and get a margin, so that on a crowded
//! screen one box reaches into the letters of the next line. It is cut only at a
//! row of one shade: no letter of the hidden line reaches beyond such a row.

use super::area::{Area, MARGIN_PX, Rect};
use super::eyes::Finding;
use crate::clean::text::View;

/// Most shades by which a row without letters differs along itself: fainter
/// letters than that are not found in the first place.
const BLANK_SHADES_MAX: u8 = 6;
/// Most that is cut beside the margin, in percent of the box without it: a box
/// is half as high again as its letters.
const CUT_PERCENT_MAX: u32 = 15;

/// Cuts hidden areas where they reach into lines that stay.
pub(super) fn spare(view: &View, found: &mut [Finding]) {
    let kept: Vec<Rect> = found.iter().filter(|one| !one.hide).map(|one| one.area.rect).collect();
    for hidden in found.iter_mut().filter(|one| one.hide && one.area.is_upright()) {
        for kept in &kept {
            let rect = hidden.area.rect;
            let meets = kept.common(rect).pixels() > 0;
            if let Some(rect) = meets.then(|| cut(view, rect, *kept)).flatten() {
                hidden.area = Area::upright(rect);
            }
        }
    }
}

/// The hidden rectangle up to the last blank row before the letters of the other
/// line; `None` where there is none, or they stand on one line.
fn cut(view: &View, hidden: Rect, kept: Rect) -> Option<Rect> {
    let middle = |rect: Rect| u32::midpoint(rect.y0, rect.y1);
    let (own, other) = (middle(hidden), middle(kept));
    let apart = (hidden.y1 - hidden.y0).min(kept.y1 - kept.y0) / 2;
    if own.abs_diff(other) < apart {
        return None;
    }
    let letters = (hidden.y1 - hidden.y0).saturating_sub(2 * MARGIN_PX);
    let most = MARGIN_PX + letters * CUT_PERCENT_MAX / 100;
    if own < other {
        let row = (own..other).rev().find(|row| is_blank(view, hidden, *row))?;
        let y1 = hidden.y1.min(row + 1).max(hidden.y1.saturating_sub(most));
        Some(Rect { y1, ..hidden })
    } else {
        let row = (other..own).find(|row| is_blank(view, hidden, *row))?;
        let y0 = hidden.y0.max(row).min(hidden.y0 + most);
        Some(Rect { y0, ..hidden })
    }
}

/// The row has one shade along the rectangle.
fn is_blank(view: &View, along: Rect, row: u32) -> bool {
    let index = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let samples = usize::from(view.samples);
    let start = index(row) * index(view.width);
    let bytes = (start + index(along.x0)) * samples..(start + index(along.x1)) * samples;
    let Some(pixels) = view.pixels.get(bytes) else { return false };
    (0..samples).all(|sample| {
        let values = || pixels.iter().skip(sample).step_by(samples.max(1));
        let (least, most) = (values().min(), values().max());
        least.zip(most).is_some_and(|(least, most)| most - least <= BLANK_SHADES_MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::report::TextReason;

    /// Letters in rows 10 to 20 and 24 to 34 of a picture of 60 × 50.
    fn view(joined: bool) -> View {
        let pixel = |at: u32| {
            let (x, y) = (at % 60, at / 60);
            let letter = (10..20).contains(&y) || (24..34).contains(&y);
            let descender = joined && (20..24).contains(&y) && x == 30;
            if (letter && x % 3 == 0) || descender { 230 } else { 20 }
        };
        View {
            width: 60,
            height: 50,
            samples: 1,
            pixels: (0..60 * 50).map(|at| pixel(at) as u8).collect(),
        }
    }

    fn finding(y0: u32, y1: u32, hide: bool) -> Finding {
        let area = Area::upright(Rect { x0: 0, y0, x1: 60, y1 });
        let reason = if hide { TextReason::Name } else { TextReason::Clinical };
        Finding { area, reason, hide }
    }

    fn spared(view: &View, mut found: Vec<Finding>) -> (u32, u32) {
        spare(view, &mut found);
        (found[0].area.rect.y0, found[0].area.rect.y1)
    }

    #[test]
    fn paint_ends_before_the_letters_of_a_line_that_stays() {
        let (hidden, kept) = (|| finding(4, 28, true), || finding(19, 40, false));
        assert_eq!(spared(&view(false), vec![hidden(), kept()]), (4, 24));
        let below = vec![finding(17, 40, true), finding(3, 26, false)];
        assert_eq!(spared(&view(false), below), (20, 40));
    }

    #[test]
    fn a_large_faint_name_is_not_uncovered() {
        // A name of 30 rows that differs by 18 shades, a small clear line over its foot.
        let pixel = |at: u32| {
            let (x, y) = (at % 60, at / 60);
            let name = (5..35).contains(&y) && x % 4 < 2;
            let line = (30..36).contains(&y) && x >= 50 && x % 3 == 0;
            if line {
                230
            } else if name {
                30
            } else {
                12
            }
        };
        let pixels = (0..60 * 50).map(|at| pixel(at) as u8).collect();
        let view = View { width: 60, height: 50, samples: 1, pixels };
        let (_, y1) = spared(&view, vec![finding(0, 41, true), finding(27, 40, false)]);
        assert!(y1 >= 35, "{y1}");
    }

    #[test]
    fn what_touches_or_stands_beside_is_not_cut() {
        let both = vec![finding(4, 28, true), finding(19, 40, false)];
        assert_eq!(spared(&view(true), both), (4, 28), "a letter reaches over");
        let beside = vec![finding(4, 28, true), finding(6, 27, false)];
        assert_eq!(spared(&view(false), beside), (4, 28), "one line");
        let hidden = vec![finding(4, 28, true), finding(19, 40, true)];
        assert_eq!(spared(&view(false), hidden), (4, 28), "both go");
    }
}
