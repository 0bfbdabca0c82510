//! Looks at frames: views in, judged areas out; and reads kept lines again on
//! later frames.

use super::area::{Area, Corners, MARGIN_PX, Rect, covered};
use super::gaze::Place;
use super::{LookError, Looker, narrow, reach, spare, windows};
use crate::clean::judge::LineVerdict;
use crate::clean::report::TextReason;
use crate::clean::text::{TextLine, View};

/// Part of a line (in percent) that another view must have read clearly for the
/// line to count as read.
const SAME_LINE_PERCENT: u64 = 60;

/// How far a find may go beyond a line that was found before and still be that line.
/// Default 2 pixels: boxes of one line differ by as much from frame to frame, and a
/// letter of the smallest text is wider.
const BEYOND_PX: u32 = 2;

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
    /// The lines of each view that the last look kept whole.
    kept: Vec<Vec<TextLine>>,
}

impl<'a> Eyes<'a> {
    /// Eyes that have seen nothing yet.
    #[must_use]
    pub fn new(
        looker: &'a mut dyn Looker,
        judge: &'a dyn Fn(&TextLine) -> LineVerdict,
        trusted: &'a [Rect],
    ) -> Self {
        Self { looker, judge, trusted, kept: Vec::new() }
    }
}

impl std::fmt::Debug for Eyes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Eyes")
    }
}

impl Eyes<'_> {
    /// Looks at a frame through each of its views. In the one with
    /// `enhanced` contrast only what can be read counts.
    ///
    /// # Errors
    /// The looker's: the instance is quarantined.
    pub fn look(
        &mut self,
        views: &[View],
        enhanced: Option<usize>,
    ) -> Result<Vec<Finding>, LookError> {
        let mut by_view = Vec::with_capacity(views.len());
        self.kept.clear();
        for (index, view) in views.iter().enumerate() {
            let lines = self.looker.lines(view)?;
            let verdicts: Vec<LineVerdict> = lines.iter().map(|line| (self.judge)(line)).collect();
            let judged = lines.iter().zip(&verdicts);
            let kept = judged.clone().filter(|(_, verdict)| !verdict.hide);
            self.kept.push(kept.map(|(line, _)| line.clone()).collect());
            let judged: Vec<Judged> =
                judged.map(|(line, verdict)| self.findings(line, verdict, view)).collect();
            let counts = |finding: &Finding| {
                enhanced != Some(index) || finding.reason != TextReason::Unreadable
            };
            let captioned: Vec<Finding> =
                judged.iter().filter_map(|judged| judged.captioned.clone()).collect();
            let findings = judged.into_iter().flat_map(|judged| judged.findings);
            let mut found: Vec<Finding> = findings.filter(counts).collect();
            found.extend(reached(view, &found, &captioned));
            spare::spare(view, &mut found);
            by_view.push(found);
        }
        Ok(merge(by_view).into_iter().map(|finding| self.settled(finding)).collect())
    }

    /// Forgets what the last look kept: a frame of another kind passed without one.
    pub fn forget(&mut self) {
        self.kept.clear();
    }

    /// Whether nothing is new around these places: what looks like text there has not
    /// `changed` since the last look, lies under what is `hidden` on every frame, or
    /// lies under lines that the last look kept and that, read again, are kept still.
    ///
    /// # Errors
    /// The looker's: the instance is quarantined.
    pub fn keep_still(
        &mut self,
        views: &[View],
        places: &[Place],
        hidden: &[Area],
        changed: &dyn Fn(usize, Rect) -> bool,
    ) -> Result<bool, LookError> {
        for (index, view) in views.iter().enumerate() {
            let places: Vec<Place> =
                places.iter().filter(|place| place.view == index).copied().collect();
            let mut find = |part| self.looker.places(view, part);
            let Some(found) = windows::search(&places, [view.width, view.height], &mut find)?
            else {
                return Ok(false);
            };
            let kept = self.kept.get(index).map_or(&[][..], Vec::as_slice);
            let mut to_read: Vec<Corners> = Vec::new();
            for (corners, area) in found {
                if !changed(index, tight(area.rect, view)) || covered(area.rect, hidden) {
                    continue;
                }
                let before = to_read.len();
                let under = kept.iter().filter(|line| is_same(line, &area, view));
                to_read.extend(under.map(|line| line.corners));
                if to_read.len() == before {
                    return Ok(false);
                }
                to_read.push(corners);
            }
            for (at, corners) in to_read.iter().enumerate() {
                let is_read = to_read.get(..at).is_some_and(|read| read.contains(corners));
                if !is_read && self.hides(view, *corners)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// What stands at a place, read and judged as a line of its own.
    fn hides(&mut self, view: &View, place: Corners) -> Result<bool, LookError> {
        let now = self.looker.read(view, place)?;
        Ok((self.judge)(&now).hide)
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

    /// A line found in a view: one finding, or one for each of its parts.
    fn findings(&self, line: &TextLine, verdict: &LineVerdict, view: &View) -> Judged {
        let placed = |line: &TextLine, reason, hide| {
            let area = Area::of_line(line, view.width, view.height);
            Finding { area, reason, hide }
        };
        let Some(parts) = narrow::parts(view, line, verdict, self.judge, margin()) else {
            let findings = vec![placed(line, verdict.reason, verdict.hide)];
            return Judged { findings, captioned: None };
        };
        let reason = |hide: bool| if hide { verdict.reason } else { TextReason::Clinical };
        let has_caption =
            parts.first().is_some_and(|part| !part.hide && part.line.text.ends_with(':'));
        Judged {
            findings: parts
                .iter()
                .map(|part| placed(&part.line, reason(part.hide), part.hide))
                .collect(),
            captioned: has_caption.then(|| placed(line, verdict.reason, true)),
        }
    }
}

/// What became of one line.
struct Judged {
    findings: Vec<Finding>,
    /// The line as a whole, where its label alone stays: what is hidden goes on beside all
    /// of it, not beside the value.
    captioned: Option<Finding>,
}

/// A box without its margin; at the border it has none.
fn tight(rect: Rect, view: &View) -> Rect {
    let inwards = |start: u32| if start == 0 { 0 } else { start + MARGIN_PX };
    let outwards = |end: u32, len: u32| if end >= len { len } else { end - MARGIN_PX.min(end) };
    let tight = Rect {
        x0: inwards(rect.x0),
        y0: inwards(rect.y0),
        x1: outwards(rect.x1, view.width),
        y1: outwards(rect.y1, view.height),
    };
    if tight.x0 < tight.x1 && tight.y0 < tight.y1 { tight } else { rect }
}

/// What is found lies where an upright line was, is as high, and goes beyond it by less
/// than a letter.
fn is_same(line: &TextLine, found: &Area, view: &View) -> bool {
    let kept = Area::of_line(line, view.width, view.height);
    let Rect { x0, y0, x1, y1 } = kept.rect;
    let Rect { x0: left, y0: top, x1: right, y1: foot } = found.rect;
    let lies = |inner: u32, outer: u32| inner + BEYOND_PX >= outer;
    let height = |rect: Rect| u64::from(rect.y1 - rect.y0);
    kept.is_upright()
        && height(found.rect) * 100 >= height(kept.rect) * SAME_LINE_PERCENT
        && lies(left, x0)
        && lies(top, y0)
        && lies(x1, right)
        && lies(y1, foot)
}

#[expect(clippy::as_conversions, reason = "a few pixels are exact")]
fn margin() -> f32 {
    MARGIN_PX as f32
}

/// What hidden lines go on to beside what was found of them.
fn reached(view: &View, found: &[Finding], captioned: &[Finding]) -> Vec<Finding> {
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
    let beyond = |finding: &Finding, is_other: &dyn Fn(usize, Rect) -> bool| -> Vec<Finding> {
        let rects = found.iter().map(|other| other.area.rect).enumerate();
        let others: Vec<Rect> =
            rects.filter(|(at, rect)| is_other(*at, *rect)).map(|(_, rect)| rect).collect();
        let reason = finding.reason;
        let more = reach::beyond(view, finding.area.rect, &others).into_iter();
        more.map(|rect| Finding { area: Area::upright(rect), reason, hide: true }).collect()
    };
    let hidden = found.iter().enumerate().filter(|(_, finding)| goes_on(finding));
    let own = hidden.flat_map(|(at, finding)| beyond(finding, &|other, _| other != at));
    // A line's own parts do not end it.
    let whole = captioned.iter().filter(|line| goes_on(line)).flat_map(|line| {
        beyond(line, &|_, rect| line.area.rect.common(rect).pixels() * 2 < rect.pixels())
    });
    own.chain(whole).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn view(height: u32) -> View {
        View { width: 10, height, samples: 1, pixels: vec![50; 10 * height as usize] }
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
        let mut blot = Blot;
        let mut eyes = Eyes::new(&mut blot, &unread, &[]);
        let views = [view(40), view(40)];
        assert_eq!(eyes.look(&views, None).unwrap().len(), 2);
        assert_eq!(eyes.look(&views, Some(1)).unwrap().len(), 1);
    }

    #[test]
    fn a_hidden_line_goes_on_past_its_own_label_that_stays() {
        // Letters of 3 columns from 20 to 300: a name that nothing found, then a label, its value.
        let pixel = |at: usize| {
            let (x, y) = (at % 400, at / 400);
            let ink = (45..55).contains(&y) && (20..300).contains(&x) && (x / 3).is_multiple_of(2);
            if ink { 200 } else { 150 }
        };
        let view =
            View { width: 400, height: 100, samples: 1, pixels: (0..40_000).map(pixel).collect() };
        let at = |x0, x1, hide| Finding {
            area: Area::upright(Rect { x0, y0: 40, x1, y1: 60 }),
            reason: if hide { TextReason::KnownValue } else { TextReason::Clinical },
            hide,
        };
        let found = [at(160, 220, false), at(220, 300, true)];
        let is_reached = |captioned: &[Finding]| {
            let more = reached(&view, &found, captioned);
            more.iter().any(|more| more.area.rect.x0 <= 20 && more.area.rect.x1 == 160)
        };
        assert!(is_reached(&[at(160, 300, true)]));
        assert!(!is_reached(&[]), "the label would end it");
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
