//! Looks at frames: views in, judged areas out; and only where something
//! changed since the last look.

use std::ops::Range;

use super::area::{Area, MARGIN_PX, Rect};
use super::{LookError, Looker, narrow, reach, spare};
use crate::clean::judge::LineVerdict;
use crate::clean::report::TextReason;
use crate::clean::text::{TextLine, View};

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
/// From this part of the picture on (in percent) all of it is looked at.
const WHOLE_FROM_PERCENT: u32 = 70;
/// Part of a line (in percent) that another view must have read clearly for the
/// line to count as read.
const SAME_LINE_PERCENT: u64 = 60;

/// A judged place of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Where.
    pub area: Area,
    /// Why it is hidden or kept.
    pub reason: TextReason,
    /// It is to be hidden.
    pub hide: bool,
}

/// The looker and the judge of one instance.
pub struct Eyes<'a> {
    /// Finds and reads lines.
    pub looker: &'a mut dyn Looker,
    /// Judges a line.
    pub judge: &'a dyn Fn(&TextLine) -> LineVerdict,
    /// Places where what cannot be read is no text.
    pub trusted: &'a [Rect],
}

impl std::fmt::Debug for Eyes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Eyes")
    }
}

impl Eyes<'_> {
    /// Looks at some rows of a frame through each of its views. In the one with
    /// `enhanced` contrast only what can be read counts.
    ///
    /// # Errors
    /// The looker's: the instance is quarantined.
    pub fn look(
        &mut self,
        views: &[View],
        enhanced: Option<usize>,
        rows: &Range<u32>,
    ) -> Result<Vec<Finding>, LookError> {
        let mut by_view = Vec::with_capacity(views.len());
        for (index, view) in views.iter().enumerate() {
            let part = crop(view, rows);
            let lines = self.looker.lines(&part)?;
            let judged = lines.iter().flat_map(|line| self.findings(line, &part, view, rows.start));
            let counts = |finding: &Finding| {
                enhanced != Some(index) || finding.reason != TextReason::Unreadable
            };
            let mut found: Vec<Finding> = judged.filter(counts).collect();
            found.extend(reached(view, &found));
            spare::spare(view, &mut found);
            by_view.push(found);
        }
        Ok(merge(by_view).into_iter().map(|finding| self.settled(finding)).collect())
    }

    /// What cannot be read is kept where it lies, margin and all, in a trusted
    /// place. What was read stays as it was judged.
    fn settled(&self, finding: Finding) -> Finding {
        let rect = finding.area.rect;
        let lies_in = |trusted: &Rect| trusted.common(rect) == rect;
        if finding.reason == TextReason::Unreadable && self.trusted.iter().any(lies_in) {
            return Finding { reason: TextReason::DeviceTrusted, hide: false, ..finding };
        }
        finding
    }

    /// A line found in `part` of `view`: one finding, or one for each of its parts.
    fn findings(&self, line: &TextLine, part: &View, view: &View, first_row: u32) -> Vec<Finding> {
        let verdict = (self.judge)(line);
        let margin = rows_as_place(MARGIN_PX);
        let Some(parts) = narrow::parts(part, line, &verdict, self.judge, margin) else {
            let found = Self::placed(line, view, first_row, verdict.reason, verdict.hide);
            return vec![found];
        };
        let reason = |hide: bool| if hide { verdict.reason } else { TextReason::Clinical };
        let placed = |found: &narrow::Part| {
            Self::placed(&found.line, view, first_row, reason(found.hide), found.hide)
        };
        parts.iter().map(placed).collect()
    }

    fn placed(
        line: &TextLine,
        view: &View,
        first_row: u32,
        reason: TextReason,
        hide: bool,
    ) -> Finding {
        let mut placed = line.clone();
        for corner in &mut placed.corners {
            corner[1] += rows_as_place(first_row);
        }
        let area = Area::of_line(&placed, view.width, view.height);
        Finding { area, reason, hide }
    }
}

#[expect(clippy::as_conversions, reason = "a row under 65,536 is exact")]
fn rows_as_place(row: u32) -> f32 {
    row as f32
}

/// What hidden lines go on to beside what was found of them.
fn reached(view: &View, found: &[Finding]) -> Vec<Finding> {
    let goes_on = |finding: &Finding| {
        let by_rule = matches!(
            finding.reason,
            TextReason::Unreadable
                | TextReason::Policy
                | TextReason::DeviceRule
                | TextReason::Unexplained
        );
        finding.hide && !by_rule
    };
    let of = |(at, finding): (usize, &Finding)| {
        let others = found.iter().enumerate().filter(|(other, _)| *other != at);
        let others: Vec<Rect> = others.map(|(_, other)| other.area.rect).collect();
        let more = reach::beyond(view, finding.area.rect, &others);
        let reason = finding.reason;
        more.into_iter().map(move |rect| Finding { area: Area::upright(rect), reason, hide: true })
    };
    found.iter().enumerate().filter(|(_, finding)| goes_on(finding)).flat_map(of).collect()
}

/// Joins what the views showed. A line that one view showed too faintly to be
/// read is left to the view that read it.
fn merge(by_view: Vec<Vec<Finding>>) -> Vec<Finding> {
    let mut merged = Vec::new();
    for (index, findings) in by_view.iter().enumerate() {
        for finding in findings {
            let others = by_view.iter().enumerate().filter(|(other, _)| *other != index);
            let read_elsewhere = finding.reason == TextReason::Unreadable
                && others.flat_map(|(_, findings)| findings).any(|other| is_read(other, finding));
            if !read_elsewhere {
                merged.push(finding.clone());
            }
        }
    }
    merged
}

fn is_read(other: &Finding, faint: &Finding) -> bool {
    let common = other.area.rect.common(faint.area.rect).pixels();
    other.reason != TextReason::Unreadable
        && common * 100 >= faint.area.rect.pixels() * SAME_LINE_PERCENT
}

fn crop(view: &View, rows: &Range<u32>) -> View {
    let row_bytes = row_bytes(view);
    let range = index(rows.start) * row_bytes..index(rows.end) * row_bytes;
    let pixels = view.pixels.get(range).unwrap_or_default().to_vec();
    View { height: rows.end.saturating_sub(rows.start), pixels, ..*view }
}

fn row_bytes(view: &View) -> usize {
    index(view.width).saturating_mul(usize::from(view.samples))
}

fn index(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// What was last looked at, strip by strip.
///
/// A line of text that was not there at the last look changes its strip by more
/// than [`CHANGE_MIN`], also when it fades in slowly: the comparison is with the
/// last look, not with the last frame.
#[derive(Debug, Default)]
pub struct Gaze {
    seen: Vec<View>,
}

impl Gaze {
    /// The rows of a frame that differ from what was last looked at, with a strip
    /// of margin; remembers them as looked at. Whole rows, so that no line is cut.
    pub fn changed(&mut self, views: &[View], enhanced: Option<usize>) -> Vec<Range<u32>> {
        let Some(first) = views.first() else { return Vec::new() };
        let height = first.height;
        let shapes = |views: &[View]| -> Vec<(u32, u32, u8)> {
            views.iter().map(|view| (view.width, view.height, view.samples)).collect()
        };
        if shapes(views) != shapes(&self.seen) {
            self.seen = views.to_vec();
            return std::iter::once(0..height).collect();
        }
        let bands = widen(&self.changed_strips(views, enhanced), height);
        for band in &bands {
            self.remember(views, band);
        }
        bands
    }

    fn changed_strips(&self, views: &[View], enhanced: Option<usize>) -> Vec<u32> {
        let mut changed = Vec::new();
        for (which, (view, seen)) in views.iter().zip(&self.seen).enumerate() {
            let changes: &[(usize, u8)] = if enhanced == Some(which) {
                &[(ENHANCED_SAMPLES_MIN, ENHANCED_CHANGE_MIN)]
            } else {
                &[(1, CHANGE_MIN), (FAINT_SAMPLES_MIN, FAINT_CHANGE_MIN)]
            };
            let strip_bytes = row_bytes(view).saturating_mul(index(STRIP_ROWS)).max(1);
            let strips = view.pixels.chunks(strip_bytes).zip(seen.pixels.chunks(strip_bytes));
            for (number, (now, before)) in (0_u32..).zip(strips) {
                let differ = |(samples_min, change_min): &(usize, u8)| {
                    let pairs = now.iter().zip(before);
                    let far = pairs.filter(|(now, before)| now.abs_diff(**before) > *change_min);
                    far.take(*samples_min).count() == *samples_min
                };
                if changes.iter().any(differ) {
                    changed.push(number);
                }
            }
        }
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    fn remember(&mut self, views: &[View], rows: &Range<u32>) {
        for (view, seen) in views.iter().zip(&mut self.seen) {
            let range = index(rows.start) * row_bytes(view)..index(rows.end) * row_bytes(view);
            if let (Some(now), Some(before)) =
                (view.pixels.get(range.clone()), seen.pixels.get_mut(range))
            {
                before.copy_from_slice(now);
            }
        }
    }
}

/// Strips as bands of rows with a strip of margin, touching ones joined.
fn widen(strips: &[u32], height: u32) -> Vec<Range<u32>> {
    let mut bands: Vec<Range<u32>> = Vec::new();
    for strip in strips {
        let start = strip.saturating_sub(1) * STRIP_ROWS;
        let end = strip.saturating_add(2).saturating_mul(STRIP_ROWS).min(height);
        match bands.last_mut() {
            Some(last) if last.end >= start => last.end = end,
            Some(_) | None => bands.push(start..end),
        }
    }
    let rows: u32 = bands.iter().map(|band| band.end - band.start).sum();
    let whole = u64::from(rows) * 100 >= u64::from(height) * u64::from(WHOLE_FROM_PERCENT);
    if whole && rows > 0 { std::iter::once(0..height).collect() } else { bands }
}

/// Whether a band of rows comes near an area.
#[must_use]
pub fn is_near(rows: &Range<u32>, areas: &[Area]) -> bool {
    areas.iter().any(|area| {
        let Rect { y0, y1, .. } = area.rect;
        y0.saturating_sub(STRIP_ROWS) < rows.end && rows.start < y1.saturating_add(STRIP_ROWS)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(height: u32, mark: Option<(u32, u8)>) -> View {
        let mut pixels = vec![50; 10 * index(height)];
        if let Some((row, value)) = mark {
            pixels[index(row) * 10 + 4] = value;
        }
        View { width: 10, height, samples: 1, pixels }
    }

    #[test]
    fn the_first_frame_is_looked_at_whole_and_a_still_one_not_again() {
        let mut gaze = Gaze::default();
        assert_eq!(gaze.changed(&[view(400, None)], None).first(), Some(&(0..400)));
        assert!(gaze.changed(&[view(400, None)], None).is_empty());
        assert!(gaze.changed(&[view(400, Some((200, 50 + CHANGE_MIN)))], None).is_empty());
    }

    #[test]
    fn a_faint_name_that_appears_late_is_looked_at() {
        let mut gaze = Gaze::default();
        let ground = view(400, None);
        gaze.changed(std::slice::from_ref(&ground), None);
        let with = |samples: usize| {
            let mut changed = ground.clone();
            changed.pixels.iter_mut().take(samples).for_each(|sample| *sample += 4);
            changed
        };
        assert!(gaze.changed(&[with(FAINT_SAMPLES_MIN - 1)], None).is_empty());
        assert!(!gaze.changed(&[with(FAINT_SAMPLES_MIN)], None).is_empty());
    }

    #[test]
    fn grain_of_an_enhanced_view_is_no_change_and_a_name_in_it_is() {
        let mut gaze = Gaze::default();
        let ground = view(400, None);
        gaze.changed(std::slice::from_ref(&ground), Some(0));
        let with = |samples: usize| {
            let mut changed = ground.clone();
            changed.pixels.iter_mut().step_by(7).take(samples).for_each(|sample| *sample += 21);
            changed
        };
        assert!(gaze.changed(&[with(ENHANCED_SAMPLES_MIN - 1)], Some(0)).is_empty());
        assert!(!gaze.changed(&[with(ENHANCED_SAMPLES_MIN)], Some(0)).is_empty());
    }

    #[test]
    fn what_appears_is_looked_at_in_whole_rows_around_it() {
        let mut gaze = Gaze::default();
        gaze.changed(&[view(400, None)], None);
        let band: Range<u32> = 160..256;
        assert_eq!(gaze.changed(&[view(400, Some((200, 90)))], None), [band]);
        assert!(gaze.changed(&[view(400, Some((200, 90)))], None).is_empty());
    }

    #[test]
    fn slow_fading_adds_up_until_it_is_looked_at() {
        let mut gaze = Gaze::default();
        gaze.changed(&[view(400, None)], None);
        let mut looks = 0;
        for step in 1..=20 {
            looks += gaze.changed(&[view(400, Some((200, 50 + 4 * step)))], None).len();
        }
        assert!(looks >= 3, "{looks}");
    }

    #[test]
    fn changes_in_most_of_the_picture_are_looked_at_whole() {
        let every_second: Vec<u32> = (0..12).step_by(2).collect();
        assert_eq!(widen(&every_second, 400).first(), Some(&(0..400)));
        assert_eq!(widen(&[0, 8], 400), [0..64, 224..320]);
    }

    #[test]
    fn what_cannot_be_read_counts_but_in_an_enhanced_view() {
        struct Blot;
        impl Looker for Blot {
            fn lines(&mut self, _view: &View) -> Result<Vec<TextLine>, LookError> {
                let corners = [[0., 0.], [9., 0.], [9., 9.], [0., 9.]];
                Ok(vec![TextLine { corners, text: String::new(), confidence: 0.0 }])
            }
        }
        let (hide, reason) = (true, TextReason::Unreadable);
        let unread = |_: &TextLine| LineVerdict { hide, reason, spans: Vec::new() };
        let mut eyes = Eyes { looker: &mut Blot, judge: &unread, trusted: &[] };
        let views = [view(40, None), view(40, None)];
        assert_eq!(eyes.look(&views, None, &(0..40)).unwrap().len(), 2);
        assert_eq!(eyes.look(&views, Some(1), &(0..40)).unwrap().len(), 1);
    }

    #[test]
    fn a_line_too_faint_in_one_view_is_left_to_the_view_that_read_it() {
        let at = |x0, reason, hide| Finding {
            area: Area::upright(Rect { x0, y0: 0, x1: x0 + 100, y1: 10 }),
            reason,
            hide,
        };
        let faint = at(0, TextReason::Unreadable, true);
        let clear = at(10, TextReason::Clinical, false);
        assert_eq!(merge(vec![vec![faint.clone()], vec![clear.clone()]]), [clear]);
        let elsewhere = at(500, TextReason::Clinical, false);
        assert_eq!(merge(vec![vec![faint.clone()], vec![elsewhere.clone()]]).len(), 2);
        let name = at(0, TextReason::Name, true);
        assert_eq!(merge(vec![vec![name.clone()], vec![faint, elsewhere]])[0], name);
    }
}
