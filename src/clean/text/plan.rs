//! How a picture is laid under the detector: sizes in, scale and tiles out.
//!
//! The whole picture is scaled once, in thought; tiles are windows of the scaled
//! picture, so that their answers can be laid over each other pixel by pixel.

use std::ops::Range;

/// Longer side of the network's input, in pixels. Default 1280: with
/// [`SHORT_MAX`] the largest input with which a worker stays under 512 MB.
const LONG_MAX: u32 = 1280;
/// Shorter side of the network's input, in pixels.
const SHORT_MAX: u32 = 960;
/// Largest enlargement. Default 2: best recall for small text; at 3 the time
/// doubles and nothing is gained (facts/models.md §1.4).
const SCALE_MAX: f32 = 2.0;
/// Common pixels of two neighbouring tiles. Default 96: a line of text up to
/// that height stands whole in one of them; at least 64 are asked for.
const OVERLAP: u32 = 96;
/// The network halves its input five times.
const GRID: u32 = 32;
/// Sides of windows come in steps of this, so that few shapes occur and the
/// runtime's memory does not grow with every new one.
const WINDOW_STEP: u32 = 128;

/// Tiles over a scaled picture; all of one size.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// Size of the scaled picture, multiples of 32.
    pub(crate) scaled: [u32; 2],
    /// Size of a tile, multiples of 32.
    pub(crate) tile: [u32; 2],
    /// Left edges of the tiles in the scaled picture, rising.
    pub(crate) lefts: Vec<u32>,
    /// Top edges of the tiles in the scaled picture, rising.
    pub(crate) tops: Vec<u32>,
}

impl Plan {
    /// Plan for a picture of `width` × `height` pixels, both at least 1.
    ///
    /// A picture that fits into the network is enlarged, at most twofold; a
    /// larger one is searched tile by tile in its own size.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let lying = Self::within([width, height], [LONG_MAX, SHORT_MAX]);
        let upright = Self::within([width, height], [SHORT_MAX, LONG_MAX]);
        // Fewest runs of the network first, then the larger scale.
        if upright.rank() < lying.rank() { upright } else { lying }
    }

    fn within(size: [u32; 2], max: [u32; 2]) -> Self {
        let fit = (max[0] as f32 / size[0] as f32).min(max[1] as f32 / size[1] as f32);
        let scale = fit.clamp(1.0, SCALE_MAX);
        let scaled = size.map(|len| to_grid(len as f32 * scale));
        let (across, lefts) = windows(scaled[0], max[0]);
        let (down, tops) = windows(scaled[1], max[1]);
        Self { scaled, tile: [across, down], lefts, tops }
    }

    /// One tile of the same scaled picture, around a place of the picture: its left,
    /// top, right and lower edge in pixels. `None` where one tile is too small for it.
    pub(crate) fn around(&self, [width, height]: [u32; 2], place: [u32; 4]) -> Option<Self> {
        let [x0, y0, x1, y1] = place;
        let (left, across) = window(x0..x1, width, self.scaled[0], self.tile[0])?;
        let (top, down) = window(y0..y1, height, self.scaled[1], self.tile[1])?;
        Some(Self { tile: [across, down], lefts: vec![left], tops: vec![top], ..self.clone() })
    }

    /// Network pixels per pixel of the picture, on each axis.
    pub(crate) fn scale(&self, width: u32, height: u32) -> [f32; 2] {
        [self.scaled[0] as f32 / width as f32, self.scaled[1] as f32 / height as f32]
    }

    fn rank(&self) -> (usize, std::cmp::Reverse<u64>) {
        let area = u64::from(self.scaled[0]) * u64::from(self.scaled[1]);
        (self.lefts.len() * self.tops.len(), std::cmp::Reverse(area))
    }
}

/// Start and size, in pixels of the network, of a window over `place` of `len`
/// pixels that are scaled to `scaled`; `None` where it is larger than a tile.
fn window(place: Range<u32>, len: u32, scaled: u32, tile: u32) -> Option<(u32, u32)> {
    let at = |edge: u32, up: u64| {
        let edge = u64::from(edge.min(len)) * u64::from(scaled);
        ((edge + up) / u64::from(len.max(1))) as u32
    };
    let start = at(place.start, 0) / GRID * GRID;
    let end = at(place.end, u64::from(len.max(1)) - 1).max(start + 1);
    if end - start > tile {
        return None;
    }
    let size = (end - start).next_multiple_of(WINDOW_STEP).min(tile);
    Some((start.min(scaled - size), size))
}

/// Nearest multiple of 32, at least 32.
fn to_grid(len: f32) -> u32 {
    ((len / GRID as f32).round() as u32).max(1) * GRID
}

/// Windows of at most `max` that cover `len`: their size and starts.
fn windows(len: u32, max: u32) -> (u32, Vec<u32>) {
    if len <= max {
        return (len, vec![0]);
    }
    let count = (len - OVERLAP).div_ceil(max - OVERLAP);
    let size = (len + (count - 1) * OVERLAP).div_ceil(count).next_multiple_of(GRID).min(max);
    let starts = (0..count)
        .map(|i| (u64::from(i) * u64::from(len - size) / u64::from(count - 1)) as u32)
        .collect();
    (size, starts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_pictures_are_enlarged_up_to_the_network() {
        let scaled = |w, h| Plan::new(w, h).scaled;
        assert_eq!(scaled(640, 480), [1280, 960]);
        assert_eq!(scaled(800, 600), [1280, 960]);
        assert_eq!(scaled(1024, 768), [1280, 960]);
        assert_eq!(scaled(600, 800), [960, 1280]);
        assert_eq!(scaled(512, 512), [960, 960]);
        assert_eq!(scaled(100, 40), [192, 96]);
        assert_eq!(scaled(1, 1), [32, 32]);
    }

    #[test]
    fn films_are_searched_in_their_own_size_by_tiles() {
        let plan = Plan::new(4000, 3000);
        assert_eq!(plan.scaled, [4000, 3008]);
        assert!(plan.rank().0 <= 16, "{plan:?}");
        let plan = Plan::new(1300, 900);
        assert_eq!((plan.lefts.len(), plan.tops.len()), (2, 1));
    }

    proptest! {
        #[test]
        fn a_window_covers_its_place_and_lies_in_the_scaled_picture(
            w in 1u32..3000, h in 1u32..3000, x in 0u32..3000, y in 0u32..3000, side in 1u32..1500
        ) {
            let (x, y) = (x.min(w - 1), y.min(h - 1));
            let plan = Plan::new(w, h);
            let Some(window) = plan.around([w, h], [x, y, x + side, y + side]) else {
                let scale = plan.scale(w, h);
                let [tw, th] = plan.tile;
                let is_large = |tile: u32, scale: f32| (side + 1) as f32 * scale + 64.0 > tile as f32;
                prop_assert!(is_large(tw, scale[0]) || is_large(th, scale[1]));
                return Ok(());
            };
            let starts = [window.lefts[0], window.tops[0]];
            for (axis, (start, (first, len))) in starts.iter().zip([(x, w), (y, h)]).enumerate() {
                let (tile, scaled) = (window.tile[axis], plan.scaled[axis]);
                prop_assert!(start + tile <= scaled && tile % GRID == 0 && start % GRID == 0);
                let scale = f64::from(scaled) / f64::from(len);
                let end = f64::from((first + side).min(len)) * scale;
                prop_assert!(f64::from(*start) <= f64::from(first) * scale);
                prop_assert!(f64::from(start + tile) + 0.001 >= end);
            }
        }

        #[test]
        fn tiles_cover_the_picture_and_overlap(w in 1u32..20_000, h in 1u32..20_000) {
            let plan = Plan::new(w, h);
            let [tw, th] = plan.tile;
            prop_assert!(tw.max(th) <= LONG_MAX && tw.min(th) <= SHORT_MAX);
            prop_assert!(tw % GRID == 0 && th % GRID == 0);
            for (starts, size, len) in
                [(&plan.lefts, tw, plan.scaled[0]), (&plan.tops, th, plan.scaled[1])]
            {
                prop_assert_eq!(starts[0], 0);
                prop_assert_eq!(starts[starts.len() - 1] + size, len);
                for pair in starts.windows(2) {
                    prop_assert!(pair[0] < pair[1]);
                    prop_assert!(pair[0] + size >= pair[1] + OVERLAP - 1);
                }
            }
        }
    }
}
