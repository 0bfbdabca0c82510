//! Lays the detector's answers for tiles over each other, one row of tiles at a
//! time: answers in, rows of the whole map out.
//!
//! Where tiles overlap the higher probability counts: text cut by the edge of
//! one tile stands whole in the other, and one component comes out. Only one row
//! of tiles is held, whatever the picture's height.

use super::plan::Plan;

/// A window of the map: as wide as the scaled picture, as high as a tile.
pub(crate) struct Band {
    width: usize,
    rows: Vec<u8>,
    top: usize,
}

impl Band {
    /// An empty band at the top of the picture.
    pub(crate) fn new(plan: &Plan) -> Self {
        let width = plan.scaled[0] as usize;
        Self { width, rows: vec![0; width * plan.tile[1] as usize], top: 0 }
    }

    /// Moves the window down to `top`; what both windows show stays.
    pub(crate) fn move_to(&mut self, top: u32) {
        let step = (top as usize).saturating_sub(self.top) * self.width;
        let step = step.min(self.rows.len());
        self.rows.copy_within(step.., 0);
        let kept = self.rows.len() - step;
        self.rows[kept..].fill(0);
        self.top = top as usize;
    }

    /// Lays a tile's probabilities (0 to 1, `tile_width` per row) at `left`.
    pub(crate) fn put(&mut self, left: u32, tile_width: u32, map: &[f32]) {
        let (left, tile_width) = (left as usize, tile_width as usize);
        for (row, values) in self.rows.chunks_exact_mut(self.width).zip(map.chunks(tile_width)) {
            for (old, new) in row[left..].iter_mut().zip(values) {
                *old = (*old).max((new * 255.0).round() as u8);
            }
        }
    }

    /// A row of the map, counted from the top of the picture.
    pub(crate) fn row(&self, y: u32) -> &[u8] {
        let start = (y as usize - self.top) * self.width;
        &self.rows[start..start + self.width]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_tiles_give_the_higher_probability_once() {
        let plan = Plan { scaled: [6, 6], tile: [4, 4], lefts: vec![0, 2], tops: vec![0, 2] };
        let mut band = Band::new(&plan);
        let mut rows = Vec::new();
        for (i, &top) in plan.tops.iter().enumerate() {
            band.move_to(top);
            for &left in &plan.lefts {
                // Each tile says 1 in its first pixel, and 0.2 elsewhere.
                let mut map = [0.2; 16];
                map[0] = 1.0;
                band.put(left, 4, &map);
            }
            let end = plan.tops.get(i + 1).copied().unwrap_or(6);
            rows.extend((top..end).map(|y| band.row(y).to_vec()));
        }
        let low = 51;
        assert_eq!(rows[0], [255, low, 255, low, low, low]);
        assert_eq!(rows[1], [low; 6]);
        assert_eq!(rows[2], [255, low, 255, low, low, low]);
        assert_eq!(rows.len(), 6);
        assert_eq!(rows[5], [low; 6]);
    }
}
