//! The detector: picture in, places that look like text out.

use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;

use super::bands::Band;
use super::models::DETECTOR;
use super::picture::{Picture, Tap};
use super::plan::Plan;
use super::regions::{DOUBT_MIN, SCORE_MIN, Sweep};
use super::{Region, TextError, runtime};

/// The model was trained on (v / 255 - mean) / deviation, in the order blue,
/// green, red of `Picture` with ImageNet's figures in this order (facts/models.md §1.3).
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// The loaded network with its input, kept for the next tile.
pub(crate) struct Detector {
    session: Session,
    input: Vec<f32>,
}

impl Detector {
    /// Loads the model.
    pub(crate) fn load(library: &Path, model: &Path) -> Result<Self, TextError> {
        let session = runtime::session(library, DETECTOR, model)?;
        Ok(Self { session, input: Vec::new() })
    }

    /// Searches the whole picture, tile by tile.
    pub(crate) fn find(&mut self, picture: &Picture<'_>) -> Result<Vec<Region>, TextError> {
        let (width, height) = picture.size();
        let plan = Plan::new(width, height);
        self.find_by(picture, &plan, SCORE_MIN)
    }

    /// Searches one window of the picture (left, top, right, lower edge) as it is
    /// scaled where the whole picture is searched; less sure finds count too. `None`
    /// where the window is larger than what the network sees at once.
    pub(crate) fn find_within(
        &mut self,
        picture: &Picture<'_>,
        place: [u32; 4],
    ) -> Result<Option<Vec<Region>>, TextError> {
        let (width, height) = picture.size();
        let Some(plan) = Plan::new(width, height).around([width, height], place) else {
            return Ok(None);
        };
        match self.find_by(picture, &plan, DOUBT_MIN) {
            Err(TextError::TooMuch { .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    fn find_by(
        &mut self,
        picture: &Picture<'_>,
        plan: &Plan,
        score_min: f32,
    ) -> Result<Vec<Region>, TextError> {
        let (width, height) = picture.size();
        let mut band = Band::new(plan);
        let mut sweep = Sweep::new(score_min);
        for (i, &top) in plan.tops.iter().enumerate() {
            band.move_to(top);
            for &left in &plan.lefts {
                self.fill(picture, plan, [left, top]);
                self.run(plan, |map| band.put(left, plan.tile[0], map))?;
            }
            let end = plan.tops.get(i + 1).copied().unwrap_or(top + plan.tile[1]);
            for y in top..end {
                sweep.row(y, band.row(y))?;
            }
        }
        sweep.finish(plan.scale(width, height))
    }

    /// Samples a tile of the scaled picture into the input, plane by plane.
    fn fill(&mut self, picture: &Picture<'_>, plan: &Plan, [left, top]: [u32; 2]) {
        let (width, height) = picture.size();
        let [tile_width, tile_height] = plan.tile;
        let column = Tap::scaled(plan.scaled[0], width);
        let line = Tap::scaled(plan.scaled[1], height);
        let columns: Vec<Tap> = (left..left + tile_width).map(column).collect();
        let area = tile_width as usize * tile_height as usize;
        self.input.resize(3 * area, 0.0);
        let factor = DEVIATION.map(|deviation| 1.0 / (255.0 * deviation));
        let offset = [0, 1, 2].map(|c| MEAN[c] / DEVIATION[c]);
        let mut at = 0;
        for y in top..top + tile_height {
            let down = line(y);
            for &across in &columns {
                let colour = picture.mix(across, down);
                for c in 0..3 {
                    self.input[c * area + at] = colour[c] * factor[c] - offset[c];
                }
                at += 1;
            }
        }
    }

    /// Runs the network and hands its map over.
    fn run(&mut self, plan: &Plan, take: impl FnOnce(&[f32])) -> Result<(), TextError> {
        let failed = |source| TextError::Run { model: DETECTOR, source };
        let [width, height] = plan.tile.map(|len| len as usize);
        let shape = [1, 3, height, width];
        let tensor = TensorRef::from_array_view((shape, self.input.as_slice())).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![tensor]).map_err(failed)?;
        let (_, map) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
        if map.len() != width * height {
            let detail = format!("map of {} values for {width} x {height}", map.len());
            return Err(TextError::Model { model: DETECTOR, detail });
        }
        take(map);
        Ok(())
    }
}
