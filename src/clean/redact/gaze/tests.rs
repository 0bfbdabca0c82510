//! Which frames are looked at, with a looker that marks what is bright.

use super::*;
use crate::clean::judge::LineVerdict;
use crate::clean::report::TextReason;
use crate::clean::text::{Cells, TextLine};

/// Marks the cells of one view that hold a sample of at least 60; all of them
/// where it is told so.
#[derive(Default)]
struct Bright {
    all: bool,
    asked: u32,
}

impl Looker for Bright {
    fn lines(&mut self, _view: &View) -> Result<Vec<TextLine>, LookError> {
        unreachable!("the gaze reads nothing")
    }

    fn cells(&mut self, view: &View) -> Result<Cells, LookError> {
        self.asked += 1;
        let mut cells = Cells::new(view.width, view.height, self.all);
        for (place, sample) in (0_u32..).zip(&view.pixels) {
            if *sample >= 60 {
                cells.mark(place % view.width / CELL_PX, place / view.width / CELL_PX);
            }
        }
        Ok(cells)
    }
}

/// Eyes that keep nothing of what they see.
fn eyes(looker: &mut Bright) -> Eyes<'_> {
    let hide = &|_: &TextLine| LineVerdict {
        hide: true,
        reason: TextReason::Unreadable,
        spans: Vec::new(),
    };
    Eyes::new(looker, hide, &[])
}

const EVERYWHERE: Bright = Bright { all: true, asked: 0 };

fn view(height: u32, mark: Option<(u32, u8)>) -> View {
    let shades = [50, 20].into_iter().cycle();
    let mut pixels: Vec<u8> = shades.take(10 * index(height)).collect();
    if let Some((row, value)) = mark {
        pixels[index(row) * 10 + 4] = value;
    }
    View { width: 10, height, samples: 1, pixels }
}

fn wants(gaze: &mut Gaze, view: View, enhanced: Option<usize>) -> bool {
    gaze.wants(&[view], enhanced, &[], &mut eyes(&mut { EVERYWHERE })).unwrap()
}

#[test]
fn the_first_frame_is_looked_at_whole_and_a_still_one_not_again() {
    let mut gaze = Gaze::default();
    assert!(wants(&mut gaze, view(400, None), None));
    assert!(!wants(&mut gaze, view(400, None), None));
    assert!(!wants(&mut gaze, view(400, Some((200, 50 + CHANGE_MIN))), None));
}

#[test]
fn a_faint_name_that_appears_late_is_looked_at() {
    let mut gaze = Gaze::default();
    let ground = view(400, None);
    wants(&mut gaze, ground.clone(), None);
    let with = |samples: usize| {
        let mut changed = ground.clone();
        changed.pixels.iter_mut().take(samples).for_each(|sample| *sample += 4);
        changed
    };
    assert!(!wants(&mut gaze, with(FAINT_SAMPLES_MIN - 1), None));
    assert!(wants(&mut gaze, with(FAINT_SAMPLES_MIN), None));
}

#[test]
fn grain_of_an_enhanced_view_is_no_change_and_a_name_in_it_is() {
    let mut gaze = Gaze::default();
    let ground = view(400, None);
    wants(&mut gaze, ground.clone(), Some(0));
    let with = |samples: usize| {
        let mut changed = ground.clone();
        changed.pixels.iter_mut().step_by(7).take(samples).for_each(|sample| *sample += 21);
        changed
    };
    assert!(!wants(&mut gaze, with(ENHANCED_SAMPLES_MIN - 1), Some(0)));
    assert!(wants(&mut gaze, with(ENHANCED_SAMPLES_MIN), Some(0)));
}

#[test]
fn what_appears_is_looked_at_once() {
    let mut gaze = Gaze::default();
    wants(&mut gaze, view(400, None), None);
    assert!(wants(&mut gaze, view(400, Some((200, 90))), None));
    assert!(!wants(&mut gaze, view(400, Some((200, 90))), None));
}

#[test]
fn slow_fading_adds_up_until_it_is_looked_at() {
    let mut gaze = Gaze::default();
    wants(&mut gaze, view(400, None), None);
    let mut looks = 0;
    for step in 1..=20 {
        looks += u32::from(wants(&mut gaze, view(400, Some((200, 50 + 4 * step))), None));
    }
    assert!(looks >= 3, "{looks}");
}

#[test]
fn where_nothing_is_marked_nothing_is_looked_at_unless_the_first_frame_must_be() {
    let mut looker = Bright::default();
    let nothing = [view(400, None)];
    assert!(!Gaze::default().wants(&nothing, None, &[], &mut eyes(&mut looker)).unwrap());
    let mut gaze = Gaze::default().first_whole();
    assert!(gaze.wants(&nothing, None, &[], &mut eyes(&mut looker)).unwrap());
    let faint = [view(400, Some((200, 30)))];
    assert!(!gaze.wants(&faint, None, &[], &mut eyes(&mut looker)).unwrap(), "not marked");
    let name = [view(400, Some((200, 90)))];
    assert!(Gaze::default().wants(&name, None, &[], &mut eyes(&mut looker)).unwrap());
}

/// The change of the ground beside a line marks its strip as changed, never
/// the line as looked at.
#[test]
fn a_line_that_fades_in_on_a_moving_ground_is_looked_at_when_it_is_marked() {
    let mut looker = Bright::default();
    let mut gaze = Gaze::default();
    let frame = |step: u8| {
        let mut frame = View { width: 100, height: 64, samples: 1, pixels: vec![50; 6400] };
        // Ground that moves at the right, below what is marked.
        frame.pixels[90] = [20, 35, 45][usize::from(step.min(1) + step % 2)];
        frame.pixels[5] = 50 + step.min(10);
        [frame]
    };
    for step in 0..10 {
        assert!(!gaze.wants(&frame(step), None, &[], &mut eyes(&mut looker)).unwrap(), "{step}");
    }
    assert!(gaze.wants(&frame(10), None, &[], &mut eyes(&mut looker)).unwrap());
    for step in 11..20 {
        assert!(!gaze.wants(&frame(step), None, &[], &mut eyes(&mut looker)).unwrap(), "{step}");
    }
    assert!(looker.asked > 10, "asked for each frame whose ground moved: {}", looker.asked);
}

#[test]
fn a_marked_cell_is_looked_at_again_when_it_changes_and_not_when_others_do() {
    let mut looker = Bright::default();
    let mut gaze = Gaze::default();
    let frame = |line: u8, ground: u8| {
        let mut frame = View { width: 100, height: 64, samples: 1, pixels: vec![50; 6400] };
        (frame.pixels[5], frame.pixels[90]) = (line, ground);
        [frame]
    };
    assert!(gaze.wants(&frame(200, 50), None, &[], &mut eyes(&mut looker)).unwrap());
    assert!(!gaze.wants(&frame(200, 20), None, &[], &mut eyes(&mut looker)).unwrap());
    assert!(gaze.wants(&frame(230, 20), None, &[], &mut eyes(&mut looker)).unwrap());
}

#[test]
fn near_some_areas_only_what_lies_there_is_looked_at() {
    let area = Area::upright(Rect { x0: 0, y0: 200, x1: 5, y1: 210 });
    let mut gaze = Gaze::default().first_whole().near(vec![area]);
    assert!(wants(&mut gaze, view(400, None), None));
    assert!(!wants(&mut gaze, view(400, Some((20, 90))), None));
    assert!(wants(&mut gaze, view(400, Some((205, 90))), None));
}

/// A frame of 200 × 96 with letters of one shade over a ground that moves.
fn labelled(step: u32, letters: bool, hidden: bool) -> [View; 1] {
    let pixels = (0..200 * 96).map(|place: u32| {
        let (x, y) = (place % 200, place / 200);
        let is_stroke = letters
            && (8..18).contains(&y)
            && (16..80).contains(&x)
            && (x % 8 < 2 || (y == 12 && x % 8 < 6));
        let is_name = hidden && (70..80).contains(&y) && (100..160).contains(&x) && x % 6 < 2;
        let shift = [0, 11, 22, 33, 7, 17, 27, 13, 24, 19, 30][index(step)];
        let ground = (x * 7 + y * 13 + shift) % 41;
        if is_stroke || is_name { 230 } else { u8::try_from(ground).unwrap() }
    });
    [View { width: 200, height: 96, samples: 1, pixels: pixels.collect() }]
}

#[test]
fn a_picture_that_moves_is_looked_at_when_a_name_comes() {
    let mut looker = Bright::default();
    let mut gaze = Gaze::default();
    for step in 0..9 {
        assert!(
            !gaze.wants(&labelled(step, false, false), None, &[], &mut eyes(&mut looker)).unwrap()
        );
    }
    assert!(gaze.wants(&labelled(9, false, true), None, &[], &mut eyes(&mut looker)).unwrap());
}

#[test]
fn a_moving_line_under_what_is_hidden_is_not_looked_at_again() {
    let mut looker = Bright::default();
    let mut gaze = Gaze::default();
    let hidden = [Area::upright(Rect { x0: 80, y0: 48, x1: 184, y1: 96 })];
    gaze.wants(&labelled(0, false, true), None, &[], &mut eyes(&mut looker)).unwrap();
    assert!(!gaze.wants(&labelled(1, false, true), None, &hidden, &mut eyes(&mut looker)).unwrap());
    assert!(gaze.wants(&labelled(2, false, true), None, &[], &mut eyes(&mut looker)).unwrap());
}

#[test]
fn black_frames_before_the_first_that_shows_something_do_not_count_as_first() {
    let mut looker = Bright { asked: 0, all: false };
    let mut gaze = Gaze::default().first_whole();
    let black = [View { width: 64, height: 64, samples: 1, pixels: vec![0; 64 * 64] }];
    assert!(gaze.wants(&black, None, &[], &mut eyes(&mut looker)).unwrap());
    assert!(!gaze.wants(&black, None, &[], &mut eyes(&mut looker)).unwrap(), "nothing changed");
    // Nothing is marked on it, and it is searched all the same; the next one is not.
    let dim = |step: u8| {
        let pixels = (0..64 * 64).map(|place: u32| u8::try_from(place % 50).unwrap() + step);
        [View { width: 64, height: 64, samples: 1, pixels: pixels.collect() }]
    };
    assert!(gaze.wants(&dim(0), None, &[], &mut eyes(&mut looker)).unwrap());
    assert!(!gaze.wants(&dim(9), None, &[], &mut eyes(&mut looker)).unwrap());
}

/// White lines stay, and between them one of another shade is replaced.
#[test]
fn a_line_that_is_replaced_between_lines_that_stay_is_looked_at() {
    let frame = |name: bool| {
        let pixels = (0..160 * 64).map(|place: u32| {
            let (x, y) = (place % 160, place / 160);
            let white = (matches!(y, 2..10 | 30..38)) && x % 8 < 2 && x < 140;
            let bars = if name { x % 6 < 2 } else { x % 9 < 3 };
            let other = (16..25).contains(&y) && (10..120).contains(&x) && bars;
            if white {
                235
            } else if other {
                140
            } else {
                0
            }
        });
        [View { width: 160, height: 64, samples: 1, pixels: pixels.collect() }]
    };
    let (mut looker, mut gaze) = (Bright::default(), Gaze::default());
    assert!(gaze.wants(&frame(false), None, &[], &mut eyes(&mut looker)).unwrap());
    assert!(gaze.wants(&frame(true), None, &[], &mut eyes(&mut looker)).unwrap());
}

#[test]
fn without_the_screen_each_change_is_looked_at() {
    let (mut looker, mut gaze) = (Bright::default(), Gaze::default().unscreened());
    assert!(gaze.wants(&labelled(0, true, false), None, &[], &mut eyes(&mut looker)).unwrap());
    assert!(gaze.wants(&labelled(1, true, false), None, &[], &mut eyes(&mut looker)).unwrap());
    assert_eq!(looker.asked, 0);
}
