//! Lines over a moving picture: which are looked at again, with a looker that reads
//! shades.

use super::*;
use crate::clean::judge::LineVerdict;
use crate::clean::redact::area::{Corners, MARGIN_PX};
use crate::clean::report::TextReason;
use crate::clean::text::{Cells, TextLine};

const WIDTH: u32 = 400;
const HEIGHT: u32 = 320;
const LABEL: Rect = Rect { x0: 96, y0: 88, x1: 144, y1: 100 };
/// Shade of a label, of a name in its place, and of any other text.
const CLINICAL: u8 = 200;
const NAME: u8 = 210;
const MORE: u8 = 220;

/// Finds and reads what is brighter than the ground; keeps what is clinical.
#[derive(Default)]
struct Shades {
    searched: u32,
    read: u32,
    /// Finds that are no text, in windows alone.
    mistaken: Option<Rect>,
    /// Windows show nothing of this shade.
    blind: Option<u8>,
    /// Frames on which the screen marks nothing.
    unmarked: u32,
}

fn boxes(view: &View) -> Vec<(Rect, u8)> {
    let mut boxes: Vec<(Rect, u8)> = Vec::new();
    for (place, shade) in (0_u32..).zip(&view.pixels).filter(|(_, shade)| **shade >= CLINICAL) {
        let (x, y) = (place % view.width, place / view.width);
        match boxes.iter_mut().find(|(_, known)| known == shade) {
            Some((rect, _)) => {
                (rect.x0, rect.x1) = (rect.x0.min(x), rect.x1.max(x + 1));
                (rect.y0, rect.y1) = (rect.y0.min(y), rect.y1.max(y + 1));
            }
            None => boxes.push((Rect { x0: x, y0: y, x1: x + 1, y1: y + 1 }, *shade)),
        }
    }
    boxes
}

fn line(rect: Rect, shade: u8) -> TextLine {
    let [x0, y0, x1, y1] = [rect.x0, rect.y0, rect.x1, rect.y1].map(|place| place as f32);
    let corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
    let text = if shade == CLINICAL { "LIVER" } else { "DOE" };
    TextLine { corners, text: text.to_owned(), confidence: 0.99 }
}

impl Looker for Shades {
    fn lines(&mut self, view: &View) -> Result<Vec<TextLine>, LookError> {
        self.searched += 1;
        Ok(boxes(view).into_iter().map(|(rect, shade)| line(rect, shade)).collect())
    }

    fn cells(&mut self, view: &View) -> Result<Cells, LookError> {
        let mut cells = Cells::new(view.width, view.height, false);
        if self.unmarked > 0 {
            self.unmarked -= 1;
            return Ok(cells);
        }
        // A screen marks what is beside letters too.
        for (rect, _) in boxes(view) {
            for row in rect.y0 / CELL_PX - 1..=rect.y1 / CELL_PX + 1 {
                for column in rect.x0 / CELL_PX - 1..=rect.x1 / CELL_PX + 1 {
                    cells.mark(column, row);
                }
            }
        }
        Ok(cells)
    }

    fn places(&mut self, view: &View, part: Rect) -> Result<Option<Vec<Corners>>, LookError> {
        let seen = boxes(view).into_iter().filter(|(_, shade)| Some(*shade) != self.blind);
        let found = seen.map(|(rect, _)| rect).chain(self.mistaken);
        let inside = found.filter(|rect| rect.common(part).pixels() > 0);
        Ok(Some(inside.map(|rect| line(rect, 0).corners).collect()))
    }

    fn read(&mut self, view: &View, place: Corners) -> Result<TextLine, LookError> {
        self.read += 1;
        let [[x, y], ..] = place;
        let shade = view.pixels[(y as u32 * view.width + x as u32) as usize];
        Ok(line(LABEL, shade))
    }
}

fn judge(line: &TextLine) -> LineVerdict {
    let hide = line.text != "LIVER";
    LineVerdict { hide, reason: TextReason::Clinical, spans: Vec::new() }
}

/// A moving ground with text in some places.
fn frame(step: u32, texts: &[(Rect, u8)]) -> [View; 1] {
    let pixels = (0..WIDTH * HEIGHT).map(|place| {
        let (x, y) = (place % WIDTH, place / WIDTH);
        let is_there = |(rect, _): &&(Rect, u8)| Area::upright(*rect).contains(x, y);
        let ground = (x * 7 + y * 13 + step * 29) % 91;
        texts.iter().find(is_there).map_or(ground as u8, |(_, shade)| *shade)
    });
    [View { width: WIDTH, height: HEIGHT, samples: 1, pixels: pixels.collect() }]
}

/// Shows frames one after the other; for each whether it was looked at.
fn looks(looker: &mut Shades, frames: &[[View; 1]]) -> Vec<bool> {
    let mut eyes = Eyes::new(looker, &judge, &[]);
    let mut gaze = Gaze::default().first_whole();
    let look = |frame: &[View; 1]| {
        let wanted = gaze.wants(frame, None, &[], &mut eyes).unwrap();
        if wanted {
            eyes.look(frame, None).unwrap();
        }
        wanted
    };
    frames.iter().map(look).collect()
}

fn moved(rect: Rect, [x, y]: [u32; 2]) -> Rect {
    Rect { x0: rect.x0 + x, y0: rect.y0 + y, x1: rect.x1 + x, y1: rect.y1 + y }
}

#[test]
fn a_label_over_a_moving_picture_is_looked_at_once() {
    let mut looker = Shades::default();
    let frames: Vec<_> = (0..9).map(|step| frame(step, &[(LABEL, CLINICAL)])).collect();
    let looks = looks(&mut looker, &frames);
    assert_eq!(looks, [true, false, false, false, false, false, false, false, false]);
}

#[test]
fn a_name_in_the_place_of_a_label_is_looked_at() {
    let mut looker = Shades::default();
    let label = |step| frame(step, &[(LABEL, CLINICAL)]);
    let frames = [label(0), label(1), frame(2, &[(LABEL, NAME)]), label(3)];
    assert_eq!(looks(&mut looker, &frames), [true, false, true, true]);
    assert!(looker.read > 0);
}

#[test]
fn text_beside_below_or_far_from_a_label_is_looked_at() {
    let wider = Rect { x1: LABEL.x1 + MARGIN_PX + 2, ..LABEL };
    for more in [wider, moved(LABEL, [52, 0]), moved(LABEL, [0, 15]), moved(LABEL, [60, 80])] {
        let label = |step| frame(step, &[(LABEL, CLINICAL)]);
        let frames = [label(0), label(1), frame(2, &[(LABEL, CLINICAL), (more, MORE)])];
        assert_eq!(looks(&mut Shades::default(), &frames), [true, false, true], "{more:?}");
    }
}

#[test]
fn many_marked_cells_beside_what_a_window_shows_have_the_frame_looked_at() {
    let label = (LABEL, CLINICAL);
    let mut looker = Shades { blind: Some(CLINICAL), ..Shades::default() };
    assert_eq!(looks(&mut looker, &[frame(0, &[label]), frame(1, &[label])]), [true, true]);
    let mut looker = Shades { blind: Some(MORE), ..Shades::default() };
    let name = (moved(LABEL, [0, 30]), MORE);
    let frames = [frame(0, &[label]), frame(1, &[label]), frame(2, &[label, name])];
    assert_eq!(looks(&mut looker, &frames), [true, false, true], "beside a kept label");
}

/// As for classes that a project lists: the first frame passes where nothing is marked.
#[test]
fn nothing_is_unchanged_before_the_first_look() {
    let mut looker = Shades { unmarked: 1, ..Shades::default() };
    let mut eyes = Eyes::new(&mut looker, &judge, &[]);
    let mut gaze = Gaze::default();
    let name = [(LABEL, NAME)];
    assert!(!gaze.wants(&frame(0, &name), None, &[], &mut eyes).unwrap());
    assert!(gaze.wants(&frame(1, &name), None, &[], &mut eyes).unwrap());
}

#[test]
fn a_small_name_inside_a_large_kept_line_is_looked_at() {
    let large = Rect { x0: 60, y0: 60, x1: 160, y1: 120 };
    let small = Rect { x0: 90, y0: 80, x1: 130, y1: 92 };
    let frames = [frame(0, &[(large, CLINICAL)]), frame(1, &[(small, MORE), (large, CLINICAL)])];
    assert_eq!(looks(&mut Shades::default(), &frames), [true, true]);
}

#[test]
fn what_only_windows_take_for_text_is_no_news_where_it_stays_and_is_where_it_moves() {
    let tick = Rect { x0: 150, y0: 90, x1: 158, y1: 94 };
    let with_tick = |step, shade: u8| frame(step, &[(LABEL, CLINICAL), (tick, shade)]);
    let mut looker = Shades { mistaken: Some(tick), ..Shades::default() };
    let frames = [with_tick(0, 120), with_tick(1, 120), with_tick(2, 120), with_tick(3, 90)];
    assert_eq!(looks(&mut looker, &frames), [true, false, false, true]);
}

#[test]
fn a_looker_that_knows_no_windows_looks_at_each_change() {
    struct Plain(Shades);
    impl Looker for Plain {
        fn lines(&mut self, view: &View) -> Result<Vec<TextLine>, LookError> {
            self.0.lines(view)
        }
    }
    let mut plain = Plain(Shades::default());
    let mut eyes = Eyes::new(&mut plain, &judge, &[]);
    let mut gaze = Gaze::default().first_whole();
    for step in 0..3 {
        let frame = frame(step, &[(LABEL, CLINICAL)]);
        assert!(gaze.wants(&frame, None, &[], &mut eyes).unwrap());
        eyes.look(&frame, None).unwrap();
    }
}
