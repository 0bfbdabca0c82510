//! From the detector's map to boxes: rows of probabilities in, regions out
//! (the post-processing of a "differentiable binarisation" detector).
//!
//! The map is taken row by row: pixels over the threshold are joined to
//! components as they come, so that neither the map nor labels for it are held.

use super::geometry::{Point, Rect, convex_hull, smallest_rect};
use super::{Region, TextError};

/// A pixel of the map counts as text from this probability on. Default 0.3, as
/// measured (facts/models.md §1.4).
const PIXEL_MIN: u8 = 77;
/// A component counts as text from this mean probability on. Default 0.5, as measured.
pub(super) const SCORE_MIN: f32 = 0.5;
/// The same where a find only has the whole frame searched. Default 0.3: each component.
pub(super) const DOUBT_MIN: f32 = 0.3;
/// The detector marks the kernel of a line, shrunk by about this ratio of area
/// to outline; boxes grow by it. Default 1.6, as measured.
const UNCLIP: f32 = 1.6;
/// Boxes with a shorter side than this many pixels of the map are specks. Default 3.
const SIDE_MIN: f32 = 3.0;
/// Most components of one frame. Default 2,048: a report page has some 300 lines;
/// each costs 10 ms and more to read.
const REGIONS_MAX: usize = 2048;
/// Most runs of text pixels of one frame. Default 1 Mi: 2,048 lines of 64 px
/// height have an eighth of that; bounds memory on hostile pictures to 16 MB.
const RUNS_MAX: usize = 1 << 20;

/// Neighbouring text pixels of one row.
#[derive(Clone, Copy)]
struct Run {
    y: u32,
    start: u32,
    /// One past the last pixel.
    end: u32,
    /// Sum of the probabilities, 255 each at most.
    sum: u64,
}

/// Joins runs to components while the rows of the map pass by.
pub(crate) struct Sweep {
    /// Least mean probability of a component that counts.
    score_min: f32,
    runs: Vec<Run>,
    /// For each run, one with a lower or equal index in the same component.
    parents: Vec<u32>,
    /// Where the runs of the row before begin.
    previous: usize,
}

impl Sweep {
    /// Before the first row.
    pub(crate) fn new(score_min: f32) -> Self {
        Self { score_min, runs: Vec::new(), parents: Vec::new(), previous: 0 }
    }

    /// Takes the next row of the map, the rows in order from 0.
    pub(crate) fn row(&mut self, y: u32, probabilities: &[u8]) -> Result<(), TextError> {
        let current = self.runs.len();
        let mut x = 0;
        while x < probabilities.len() {
            let len = probabilities[x..].iter().take_while(|&&p| p >= PIXEL_MIN).count();
            if len > 0 {
                let sum = probabilities[x..x + len].iter().map(|&p| u64::from(p)).sum();
                self.push(Run { y, start: x as u32, end: (x + len) as u32, sum })?;
            }
            x += len + 1;
        }
        self.join(current);
        self.previous = current;
        Ok(())
    }

    fn push(&mut self, run: Run) -> Result<(), TextError> {
        if self.runs.len() >= RUNS_MAX {
            return Err(TextError::TooMuch { what: "runs of text pixels", limit: RUNS_MAX });
        }
        self.parents.push(self.runs.len() as u32);
        self.runs.push(run);
        Ok(())
    }

    /// Joins the runs from `current` on with those of the row before that touch
    /// them, by a side or a corner.
    fn join(&mut self, current: usize) {
        let mut above = self.previous;
        for below in current..self.runs.len() {
            let run = self.runs[below];
            while above < current && self.runs[above].end < run.start {
                above += 1;
            }
            let mut touching = above;
            while touching < current && self.runs[touching].start <= run.end {
                self.unite(touching, below);
                touching += 1;
            }
        }
    }

    fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b) as u32;
    }

    fn root(&mut self, mut run: usize) -> usize {
        while self.parents[run] as usize != run {
            let parent = self.parents[run] as usize;
            self.parents[run] = self.parents[parent];
            run = parent;
        }
        run
    }

    /// The boxes in pixels of the picture, in the order of their first row;
    /// `scale` is pixels of the map per pixel of the picture.
    pub(crate) fn finish(mut self, scale: [f32; 2]) -> Result<Vec<Region>, TextError> {
        let mut order: Vec<(usize, usize)> =
            (0..self.runs.len()).map(|run| (self.root(run), run)).collect();
        order.sort_unstable();
        let components = order.chunk_by(|a, b| a.0 == b.0);
        let regions: Vec<Region> = components
            .filter_map(|members| {
                let runs: Vec<Run> = members.iter().map(|&(_, run)| self.runs[run]).collect();
                region(&runs, scale, self.score_min)
            })
            .take(REGIONS_MAX + 1)
            .collect();
        if regions.len() > REGIONS_MAX {
            return Err(TextError::TooMuch {
                what: "places that look like text",
                limit: REGIONS_MAX,
            });
        }
        Ok(regions)
    }
}

/// The box of one component; none when it is a speck or too improbable.
///
/// The mean is taken over the component, not over its box: it falls less for
/// curved or touching lines, so that doubt is kept as text.
fn region(runs: &[Run], scale: [f32; 2], score_min: f32) -> Option<Region> {
    let sum: u64 = runs.iter().map(|run| run.sum).sum();
    let count: u64 = runs.iter().map(|run| u64::from(run.end - run.start)).sum();
    let score = sum as f32 / (count as f32 * 255.0);
    let outline: Vec<Point> = convex_hull(runs.iter().flat_map(run_corners).collect())
        .into_iter()
        .map(|[x, y]| [x as f32 / scale[0], y as f32 / scale[1]])
        .collect();
    let kernel = smallest_rect(&outline)?;
    let side_min = SIDE_MIN / scale[0].min(scale[1]);
    if score < score_min || kernel.short_side() < side_min {
        return None;
    }
    Some(Region { corners: unclipped(kernel).corners(), score })
}

/// Outer corners of a run's pixels.
fn run_corners(run: &Run) -> [[i64; 2]; 4] {
    let [left, right, top] = [run.start, run.end, run.y].map(i64::from);
    [[left, top], [right, top], [right, top + 1], [left, top + 1]]
}

/// The line's box around the kernel that the detector marks.
fn unclipped(kernel: Rect) -> Rect {
    kernel.grown(kernel.area() * UNCLIP / (2.0 * (kernel.width + kernel.height)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A map of 0 with `value` where `inside` says so.
    fn sweep(size: [u32; 2], value: u8, inside: impl Fn(f32, f32) -> bool) -> Vec<Region> {
        let mut sweep = Sweep::new(SCORE_MIN);
        for y in 0..size[1] {
            let row: Vec<u8> = (0..size[0])
                .map(|x| if inside(x as f32 + 0.5, y as f32 + 0.5) { value } else { 0 })
                .collect();
            sweep.row(y, &row).unwrap();
        }
        sweep.finish([2.0, 2.0]).unwrap()
    }

    fn block(x: f32, y: f32) -> bool {
        (20.0..80.0).contains(&x) && (30.0..40.0).contains(&y)
    }

    #[test]
    fn block_becomes_a_box_grown_by_its_area_over_its_outline() {
        let found = sweep([100, 60], 255, block);
        assert_eq!(found.len(), 1);
        // Kernel of 30 x 5 px of the picture: 150 * 1.6 / 70 on each side.
        let grow = 150.0 * 1.6 / 70.0;
        let (left, top, right, bottom) = (10.0 - grow, 15.0 - grow, 40.0 + grow, 20.0 + grow);
        let truth = [[left, top], [right, top], [right, bottom], [left, bottom]];
        for (corner, truth) in found[0].corners.iter().zip(truth) {
            assert!((corner[0] - truth[0]).abs() < 1e-3, "{corner:?} is not {truth:?}");
            assert!((corner[1] - truth[1]).abs() < 1e-3, "{corner:?} is not {truth:?}");
        }
        assert!((found[0].score - 1.0).abs() < 1e-6);
    }

    #[test]
    fn weak_components_and_specks_are_dropped() {
        assert_eq!(sweep([100, 60], 120, block).len(), 0);
        assert_eq!(sweep([100, 60], 128, block).len(), 1);
        assert_eq!(sweep([100, 60], 255, |x, y| x < 50.0 && (8.0..10.0).contains(&y)).len(), 0);
        assert_eq!(sweep([100, 60], 255, |x, y| x < 50.0 && (8.0..11.0).contains(&y)).len(), 1);
    }

    #[test]
    fn pixels_under_the_threshold_part_components() {
        let found = sweep([100, 60], 255, |x, y| block(x, y) && !(48.0..=52.0).contains(&x));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn arms_that_meet_below_or_at_a_corner_are_one_component() {
        let u = |x: f32, y: f32| {
            let arm = (10.0..15.0).contains(&x) || (30.0..35.0).contains(&x);
            let foot = (10.0..35.0).contains(&x) && y >= 35.0;
            y < 40.0 && (arm || foot)
        };
        assert_eq!(sweep([50, 50], 255, u).len(), 1);
        let corner = |x: f32, y: f32| {
            (x < 10.0 && y < 10.0) || (x > 10.0 && x < 20.0 && y > 10.0 && y < 20.0)
        };
        assert_eq!(sweep([50, 50], 255, corner).len(), 1);
    }

    #[test]
    fn turned_line_gets_a_turned_box() {
        let (sin, cos) = 30.0_f32.to_radians().sin_cos();
        let found = sweep([300, 300], 255, |x, y| {
            let (dx, dy) = (x - 150.0, y - 150.0);
            (dx * cos + dy * sin).abs() < 100.0 && (dy * cos - dx * sin).abs() < 10.0
        });
        let rect = Rect::from_corners(&found[0].corners);
        assert!((rect.along[1].asin().to_degrees() - 30.0).abs() < 1.0, "{rect:?}");
        assert!((rect.centre[0] - 75.0).abs() < 0.5 && (rect.centre[1] - 75.0).abs() < 0.5);
        // 100 x 10 px grown by 1000 * 1.6 / 220 on each side.
        assert!((rect.width - 114.5).abs() < 2.0 && (rect.height - 24.5).abs() < 2.0, "{rect:?}");
    }

    #[test]
    fn order_is_by_first_row_then_column() {
        let found = sweep([100, 60], 255, |x, y| {
            ((60.0..90.0).contains(&x) && y < 10.0)
                || (x < 30.0 && (5.0..15.0).contains(&y))
                || (x < 30.0 && y > 40.0)
        });
        let lefts: Vec<bool> = found.iter().map(|r| r.corners[0][0] < 20.0).collect();
        assert_eq!(lefts, [false, true, true]);
    }

    #[test]
    fn too_many_places_are_an_error_not_a_cut() {
        let mut sweep = Sweep::new(SCORE_MIN);
        let row: Vec<u8> = (0..400).map(|x| if x % 8 < 4 { 255 } else { 0 }).collect();
        let gap = vec![0; 400];
        for y in 0..400 {
            sweep.row(y, if y % 8 < 4 { &row } else { &gap }).unwrap();
        }
        assert!(matches!(sweep.finish([1.0, 1.0]), Err(TextError::TooMuch { .. })));
    }
}
