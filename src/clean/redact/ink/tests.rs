//! Claims about ink on drawn pictures. No detector takes part: what it found is
//! said by the tests.

use super::*;

const WIDTH: usize = 320;
const HEIGHT: usize = 240;
/// The scan area of the drawn pictures.
const SCAN: Rect = Rect { x0: 60, y0: 50, x1: 260, y1: 230 };

/// Five columns and seven rows a letter, `#` for ink.
const LETTERS: &[(char, [&str; 7])] = &[
    ('D', ["####.", "#...#", "#...#", "#...#", "#...#", "#...#", "####."]),
    ('O', [".###.", "#...#", "#...#", "#...#", "#...#", "#...#", ".###."]),
    ('E', ["#####", "#....", "#....", "####.", "#....", "#....", "#####"]),
    ('J', ["..###", "...#.", "...#.", "...#.", "...#.", "#..#.", ".##.."]),
    ('A', [".###.", "#...#", "#...#", "#####", "#...#", "#...#", "#...#"]),
    ('N', ["#...#", "##..#", "#.#.#", "#..##", "#...#", "#...#", "#...#"]),
    ('M', ["#...#", "##.##", "#.#.#", "#...#", "#...#", "#...#", "#...#"]),
    ('I', [".###.", "..#..", "..#..", "..#..", "..#..", "..#..", ".###."]),
    ('0', [".###.", "#...#", "#..##", "#.#.#", "##..#", "#...#", ".###."]),
    ('8', [".###.", "#...#", "#...#", ".###.", "#...#", "#...#", ".###."]),
    ('.', [".....", ".....", ".....", ".....", ".....", ".....", "..#.."]),
];

#[derive(Clone)]
struct Picture(View);

impl Picture {
    fn new() -> Self {
        let pixels = vec![0; WIDTH * HEIGHT];
        let mut picture =
            Self(View { width: WIDTH as u32, height: HEIGHT as u32, samples: 1, pixels });
        let mut noise = Noise(7);
        for y in SCAN.y0..SCAN.y1 {
            for x in SCAN.x0..SCAN.x1 {
                picture.set(x as usize, y as usize, 30 + (noise.next() % 120) as u8);
            }
        }
        picture
    }

    fn set(&mut self, x: usize, y: usize, value: u8) {
        if x < WIDTH && y < HEIGHT {
            self.0.pixels[y * WIDTH + x] = value;
        }
    }

    fn at(&self, x: u32, y: u32) -> u8 {
        self.0.pixels[y as usize * WIDTH + x as usize]
    }

    fn fill(&mut self, [x0, y0, x1, y1]: [usize; 4], value: u8) -> &mut Self {
        for y in y0..y1 {
            (x0..x1).for_each(|x| self.set(x, y, value));
        }
        self
    }

    /// Writes with pixels of `scale`; gives what it covers.
    fn write(&mut self, text: &str, (x, y): (usize, usize), scale: usize, value: u8) -> Rect {
        for (at, letter) in text.chars().enumerate() {
            let Some((_, rows)) = LETTERS.iter().find(|(known, _)| *known == letter) else {
                continue;
            };
            for (row, marks) in rows.iter().enumerate() {
                for (column, mark) in marks.bytes().enumerate() {
                    let (x, y) = (x + (at * 6 + column) * scale, y + row * scale);
                    if mark == b'#' {
                        self.fill([x, y, x + scale, y + scale], value);
                    }
                }
            }
        }
        let [x1, y1] = [x + text.len() * 6 * scale, y + 7 * scale].map(|at| at as u32);
        Rect { x0: x as u32, y0: y as u32, x1, y1 }
    }
}

/// Numbers that look random, the same each time.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }
}

fn line(rect: Rect, hide: bool) -> Finding {
    let reason = if hide { TextReason::Name } else { TextReason::Clinical };
    let grown = Rect {
        x0: rect.x0.saturating_sub(3),
        y0: rect.y0.saturating_sub(3),
        x1: (rect.x1 + 3).min(WIDTH as u32),
        y1: (rect.y1 + 3).min(HEIGHT as u32),
    };
    Finding { area: Area::upright(grown), reason, hide }
}

fn scan() -> Bits {
    let mut scan = Bits::new(WIDTH, HEIGHT);
    scan.mark(SCAN);
    scan
}

/// What is painted when the frames show these pictures and the detector found
/// `lines` in the first one.
fn hidden(frames: &[Picture], lines: &[Finding]) -> Vec<(Rect, u32)> {
    let mut watch = Watch::new(&scan(), false);
    watch.lines(lines);
    for (number, frame) in (0..).zip(frames) {
        watch.frame(number, std::slice::from_ref(&frame.0), None);
    }
    let areas: Vec<Area> =
        lines.iter().filter(|line| line.hide).map(|line| line.area.clone()).collect();
    watch.finish(&areas).unwrap()
}

fn rects(hidden: &[(Rect, u32)]) -> Vec<Rect> {
    hidden.iter().map(|(rect, _)| *rect).collect()
}

/// Whether all pixels of a shade within a part of the picture are painted.
fn covers(rects: &[Rect], picture: &Picture, part: Rect, shade: u8) -> bool {
    let areas: Vec<Area> = rects.iter().map(|rect| Area::upright(*rect)).collect();
    let places = (part.y0..part.y1).flat_map(|y| (part.x0..part.x1).map(move |x| (x, y)));
    let mut drawn = places.filter(|(x, y)| picture.at(*x, *y) == shade);
    drawn.all(|(x, y)| areas.iter().any(|area| area.contains(x, y)))
}

fn touches(rects: &[Rect], part: Rect) -> bool {
    rects.iter().any(|rect| {
        let common = rect.common(part);
        common.x0 < common.x1 && common.y0 < common.y1
    })
}

#[test]
fn a_faint_name_that_no_detector_finds_is_hidden_and_a_clinical_line_stays() {
    for (ground, shade) in [(0, 6), (40, 46), (40, 34), (200, 190), (200, 0)] {
        let mut picture = Picture::new();
        picture.fill([0, 0, WIDTH, 30], ground);
        let name = picture.write("DOE JANE", (10, 8), 2, shade);
        let label = picture.write("MI 0.8", (4, 100), 1, 255);
        let hidden = rects(&hidden(&[picture.clone()], &[line(label, false)]));
        assert!(covers(&hidden, &picture, name, shade), "{shade} on {ground}: {hidden:?}");
        assert!(!touches(&hidden, label), "{shade} on {ground}: {hidden:?}");
        // The margin is painted too: soft edges of the strokes.
        let left = hidden.iter().map(|rect| rect.x0).min();
        assert_eq!(left, Some(name.x0 - 3), "{shade} on {ground}: {hidden:?}");
    }
}

#[test]
fn the_same_line_without_a_reading_is_hidden() {
    let mut picture = Picture::new();
    let label = picture.write("MI 0.8", (4, 100), 1, 255);
    assert!(touches(&rects(&hidden(&[picture], &[])), label));
}

#[test]
fn a_banner_whose_shade_runs_is_ground_and_a_name_on_it_is_ink() {
    let mut picture = Picture::new();
    for y in 0..30 {
        picture.fill([0, y, WIDTH, y + 1], 40 + 2 * y as u8);
    }
    assert_eq!(hidden(&[picture.clone()], &[]), []);
    let name = picture.write("DOE", (100, 8), 1, 40);
    let hidden = rects(&hidden(&[picture.clone()], &[]));
    assert!(covers(&hidden, &picture, name, 40));
    assert!(hidden.iter().all(|rect| rect.pixels() < 60 * 20), "{hidden:?}");
}

fn with_graphics() -> Picture {
    let mut picture = Picture::new();
    // A grey bar, a frame, a scale with long and short ticks, a solid mark.
    for y in 0..100 {
        picture.fill([290, 60 + y, 302, 61 + y], 255 - 2 * y as u8);
    }
    picture.fill([2, 34, 318, 36], 180).fill([2, 34, 3, 238], 180);
    for tick in 0..8 {
        let (y, length) = (60 + 20 * tick, if tick % 2 == 0 { 8 } else { 3 });
        picture.fill([264, y, 264 + length, y + 2], 255);
    }
    picture.fill([20, 60, 30, 70], 200);
    picture
}

#[test]
fn bars_frames_ticks_and_marks_stay() {
    assert_eq!(hidden(&[with_graphics()], &[]), []);
}

#[test]
fn what_is_written_on_a_graphic_or_touches_it_is_hidden_and_the_graphic_stays() {
    let mut picture = with_graphics();
    // Its top touches the frame's line.
    let name = picture.write("DOE", (100, 36), 1, 180);
    let hidden = rects(&hidden(&[picture.clone()], &[]));
    assert!(covers(&hidden, &picture, name, 180), "{hidden:?}");
    assert!(hidden.iter().all(|rect| rect.x0 > 90 && rect.x1 < 125), "{hidden:?}");

    let mut picture = with_graphics();
    let name = picture.write("DOE", (284, 100), 1, 255);
    let hidden = rects(&self::hidden(&[picture.clone()], &[]));
    assert!(covers(&hidden, &picture, name, 255), "{hidden:?}");
}

#[test]
fn letters_of_the_borders_colour_that_hang_on_the_border_are_ink() {
    let mut picture = Picture::new();
    picture.fill([0, 0, WIDTH, 30], 200);
    let name = picture.write("DOE", (100, 23), 1, 0);
    picture.fill([100, 29, 118, 30], 0);
    let name = Rect { y1: 29, ..name };
    assert!(covers(&rects(&hidden(&[picture.clone()], &[])), &picture, name, 0));
}

#[test]
fn single_letters_in_rows_are_no_marks_and_dots_near_each_other_no_dots() {
    let mut picture = Picture::new();
    let row = picture.write("OOOOO", (20, 5), 4, 255);
    let mut dotted = Picture::new();
    for (x, y) in (0..8).flat_map(|x| (0..5).map(move |y| (x, y))).filter(|(x, y)| x * y % 3 != 1) {
        dotted.fill([10 + 4 * x, 100 + 4 * y, 12 + 4 * x, 102 + 4 * y], 255);
    }
    assert!(covers(&rects(&hidden(&[picture.clone()], &[])), &picture, row, 255));
    let dots = Rect { x0: 10, y0: 100, x1: 42, y1: 118 };
    assert!(covers(&rects(&hidden(&[dotted.clone()], &[])), &dotted, dots, 255));
    let mut alone = Picture::new();
    alone.fill([20, 120, 22, 122], 255).fill([20, 180, 23, 183], 255);
    assert_eq!(hidden(&[alone], &[]), []);
}

#[test]
fn a_pictogram_alone_stays_but_not_where_the_detector_found_something() {
    let mut picture = Picture::new();
    let mark = Rect { x0: 10, y0: 150, x1: 45, y1: 185 };
    picture.fill([10, 150, 45, 185], 220).fill([13, 153, 42, 182], 0);
    assert_eq!(hidden(std::slice::from_ref(&picture), &[]), []);
    let found = Finding { reason: TextReason::NoSignOfIdentity, ..line(mark, false) };
    assert!(touches(&rects(&hidden(std::slice::from_ref(&picture), &[found])), mark));
    // Faint, it could be what the detector misses.
    let mut faint = Picture::new();
    faint.fill([10, 150, 45, 185], 30).fill([13, 153, 42, 182], 0);
    assert!(touches(&rects(&hidden(&[faint], &[])), mark));
}

#[test]
fn a_name_on_frame_40_only_is_hidden_from_there_on() {
    let plain = with_graphics();
    let mut frames = vec![plain.clone(); 60];
    let name = frames[40].write("DOE JANE", (10, 8), 1, 8);
    let hidden = hidden(&frames, &[]);
    assert!(covers(&rects(&hidden), &frames[40], name, 8));
    assert!(hidden.iter().all(|(_, first)| *first == 40), "{hidden:?}");
}

#[test]
fn an_outside_that_rests_is_not_looked_at_again() {
    let mut watch = Watch::new(&scan(), false);
    let picture = with_graphics();
    watch.frame(0, std::slice::from_ref(&picture.0), None);
    let mut moved = picture.clone();
    moved.fill([100, 100, 200, 200], 255);
    assert!(!watch.is_changed(&[&moved.0]));
    moved.set(5, 5, CHANGE_MIN + 1);
    assert!(watch.is_changed(&[&moved.0]));
}

/// Method: random words, shades and places on a random ground beside graphics,
/// some words read as clinical. Each pixel that differs from the picture before
/// a word was written must be painted, unless it lies in the scan area, in a
/// clinical line or on a graphic, or looks as the ground does.
#[test]
fn after_painting_no_ink_stays_that_is_not_explained() {
    for seed in 1..=60 {
        let mut noise = Noise(seed);
        let mut pick = |below: u32| (noise.next() % below) as usize;
        let mut picture = with_graphics();
        let ground = pick(120) as u8;
        picture.fill([0, 0, WIDTH, 33], ground);
        let bare = picture.clone();
        let mut lines = Vec::new();
        for row in [2, 64, 90, 124, 164, 204] {
            let place = (32 + pick(190), row);
            let shade = ground.wrapping_add(5).wrapping_add(pick(200) as u8);
            let text = ["DOE JANE", "MI 0.8", "NODE", "JOAN"][pick(4)];
            let rect = picture.write(text, place, 1 + pick(2), shade);
            if text == "MI 0.8" && pick(2) == 0 {
                lines.push(line(rect, false));
            }
        }
        let painted = rects(&hidden(std::slice::from_ref(&picture), &lines));
        let shown =
            |areas: &[Rect], x, y| areas.iter().any(|area| Area::upright(*area).contains(x, y));
        let kept: Vec<Rect> = lines.iter().map(|line| line.area.rect).collect();
        // Two more columns: what is left of a letter that the scan cuts is no letter.
        let scan = scan().widened(4);
        for y in 0..HEIGHT as u32 {
            for x in 0..WIDTH as u32 {
                let under = if y < 33 { ground } else { 0 };
                let written =
                    bare.at(x, y) == under && picture.at(x, y).abs_diff(under) > CHANGE_MIN;
                let open = written && !scan.get(x as usize, y as usize) && !shown(&kept, x, y);
                assert!(!open || shown(&painted, x, y), "seed {seed}: {x}, {y}");
            }
        }
    }
}

#[test]
fn a_great_piece_outside_of_an_estimate_is_doubt() {
    let mut picture = Picture::new();
    let mut noise = Noise(3);
    for y in 10..230 {
        (0..58).for_each(|x| picture.set(x, y, 60 + (noise.next() % 90) as u8));
    }
    let finish = |estimated| {
        let mut watch = Watch::new(&scan(), estimated);
        watch.frame(0, std::slice::from_ref(&picture.0), None);
        watch.finish(&[])
    };
    assert!(matches!(finish(true), Err(InkError::Doubtful { .. })));
    assert!(finish(false).is_ok_and(|rects| !rects.is_empty()));
}
