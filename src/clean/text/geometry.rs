//! Rectangles in any direction: points in, the smallest rectangle around them out.

/// A point in pixels, x to the right and y down.
pub(crate) type Point = [f32; 2];

/// A rectangle with a reading direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rect {
    /// Its middle.
    pub(crate) centre: Point,
    /// Unit vector in which text runs; its right-hand side is the text's foot.
    pub(crate) along: Point,
    /// Extent in the reading direction.
    pub(crate) width: f32,
    /// Extent across it.
    pub(crate) height: f32,
}

impl Rect {
    /// The smallest rectangle in direction `along` around `points`; none for none.
    pub(crate) fn around(points: &[Point], along: Point) -> Option<Self> {
        let down = turn_right(along);
        let (left, right) = extent(points, along)?;
        let (top, bottom) = extent(points, down)?;
        let (u, v) = (f32::midpoint(left, right), f32::midpoint(top, bottom));
        Some(Self {
            centre: [along[0] * u + down[0] * v, along[1] * u + down[1] * v],
            along,
            width: right - left,
            height: bottom - top,
        })
    }

    /// The rectangle whose corners [`Self::corners`] gave.
    pub(crate) fn from_corners(corners: &[Point; 4]) -> Self {
        let [a, b, c, d] = *corners;
        let (top, side) = (sub(b, a), sub(d, a));
        let (width, height) = (length(top), length(side));
        let along = if width > 0.0 { [top[0] / width, top[1] / width] } else { [1.0, 0.0] };
        let middle = |i: usize| (a[i] + b[i] + c[i] + d[i]) / 4.0;
        Self { centre: [middle(0), middle(1)], along, width, height }
    }

    /// Across the text, towards its foot.
    pub(crate) fn down(&self) -> Point {
        turn_right(self.along)
    }

    /// Corners, clockwise from the text's top left.
    pub(crate) fn corners(&self) -> [Point; 4] {
        [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
            .map(|(u, v)| self.at(u * self.width, v * self.height))
    }

    /// The point `u` along and `v` across from the middle.
    pub(crate) fn at(&self, u: f32, v: f32) -> Point {
        let down = self.down();
        [0, 1].map(|i| self.centre[i] + self.along[i] * u + down[i] * v)
    }

    /// Moved outwards by `margin` on each side.
    pub(crate) fn grown(self, margin: f32) -> Self {
        Self { width: self.width + 2.0 * margin, height: self.height + 2.0 * margin, ..self }
    }

    /// The same place, read a quarter turn clockwise: from top to bottom.
    pub(crate) fn quarter_turned(self) -> Self {
        Self { along: self.down(), width: self.height, height: self.width, ..self }
    }

    /// The same place, read from its other end.
    pub(crate) fn half_turned(self) -> Self {
        Self { along: [-self.along[0], -self.along[1]], ..self }
    }

    /// Shorter side.
    pub(crate) fn short_side(&self) -> f32 {
        self.width.min(self.height)
    }

    /// Area.
    pub(crate) fn area(&self) -> f32 {
        self.width * self.height
    }
}

/// How much larger an upright rectangle may be than the smallest turned one and
/// still be preferred. Default 1.15: short words give chance angles, and upright
/// boxes keep their edges along the pixels.
const UPRIGHT_SLACK: f32 = 1.15;

/// The smallest rectangle around a convex outline, upright where that costs
/// little; its reading direction is the one nearest to left-to-right.
pub(crate) fn smallest_rect(hull: &[Point]) -> Option<Rect> {
    let upright = Rect::around(hull, [1.0, 0.0])?;
    let mut best = upright;
    for (i, &from) in hull.iter().enumerate() {
        let edge = sub(hull[(i + 1) % hull.len()], from);
        let len = length(edge);
        if len <= 0.0 {
            continue;
        }
        let along = nearest_to_right([edge[0] / len, edge[1] / len]);
        if let Some(turned) = Rect::around(hull, along).filter(|r| r.area() < best.area()) {
            best = turned;
        }
    }
    Some(if upright.area() <= best.area() * UPRIGHT_SLACK { upright } else { best })
}

/// One of a direction's four quarter turns: the one nearest to left-to-right.
fn nearest_to_right([x, y]: Point) -> Point {
    if x.abs() >= y.abs() {
        return if x >= 0.0 { [x, y] } else { [-x, -y] };
    }
    if y > 0.0 { [y, -x] } else { [-y, x] }
}

/// Convex hull of points on the pixel grid, without points on its edges.
/// (Monotone chain; whole numbers, so that nothing depends on rounding.)
pub(crate) fn convex_hull(mut points: Vec<[i64; 2]>) -> Vec<[i64; 2]> {
    points.sort_unstable();
    points.dedup();
    if points.len() < 3 {
        return points;
    }
    let mut hull = half_hull(points.iter());
    let mut back = half_hull(points.iter().rev());
    hull.pop();
    back.pop();
    hull.append(&mut back);
    hull
}

fn half_hull<'a>(points: impl Iterator<Item = &'a [i64; 2]>) -> Vec<[i64; 2]> {
    let mut chain: Vec<[i64; 2]> = Vec::new();
    for &point in points {
        while let [.., a, b] = chain[..]
            && (b[0] - a[0]) * (point[1] - a[1]) <= (b[1] - a[1]) * (point[0] - a[0])
        {
            chain.pop();
        }
        chain.push(point);
    }
    chain
}

fn extent(points: &[Point], axis: Point) -> Option<(f32, f32)> {
    points.iter().map(|&point| dot(point, axis)).fold(None, |range, value| {
        let (low, high) = range.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

pub(crate) fn dot(a: Point, b: Point) -> f32 {
    a[0] * b[0] + a[1] * b[1]
}

fn sub(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1]]
}

fn length(a: Point) -> f32 {
    a[0].hypot(a[1])
}

fn turn_right([x, y]: Point) -> Point {
    [-y, x]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f32, b: f32) -> bool {
        (a - b).abs() < 1e-2
    }

    #[test]
    fn hull_keeps_only_the_outer_corners() {
        let grid = (0..4).flat_map(|x| (0..3).map(move |y| [x, y])).collect();
        let mut hull = convex_hull(grid);
        hull.sort_unstable();
        assert_eq!(hull, [[0, 0], [0, 2], [3, 0], [3, 2]]);
        assert_eq!(convex_hull(vec![[1, 1], [1, 1]]), [[1, 1]]);
    }

    #[test]
    fn turned_box_is_found_with_its_angle_and_reads_left_to_right() {
        for degrees in [20.0_f32, -20.0, 40.0, 160.0, 250.0] {
            let along = [degrees.to_radians().cos(), degrees.to_radians().sin()];
            let truth = Rect { centre: [50.0, 40.0], along, width: 60.0, height: 10.0 };
            let found = smallest_rect(&truth.corners()).unwrap();
            assert!(close(found.area(), 600.0), "{degrees}: {found:?}");
            assert!(found.along[0] >= found.along[1].abs() - 1e-3, "{degrees}: {found:?}");
            assert!(close(found.centre[0], 50.0) && close(found.centre[1], 40.0));
        }
    }

    #[test]
    fn nearly_level_box_becomes_upright() {
        let along = [1.0_f32.to_radians().cos(), 1.0_f32.to_radians().sin()];
        let truth = Rect { centre: [50.0, 40.0], along, width: 30.0, height: 10.0 };
        assert_eq!(smallest_rect(&truth.corners()).unwrap().along, [1.0, 0.0]);
    }

    #[test]
    fn turns_keep_the_place() {
        let rect = Rect { centre: [5.0, 5.0], along: [1.0, 0.0], width: 2.0, height: 8.0 };
        let turned = rect.quarter_turned();
        assert_eq!(turned.corners(), [[6.0, 1.0], [6.0, 9.0], [4.0, 9.0], [4.0, 1.0]]);
        assert_eq!(rect.half_turned().corners()[0], rect.corners()[2]);
        assert_eq!(Rect::from_corners(&turned.corners()), turned);
    }
}
