//! The three models behind one door: a worker has one [`Ocr`] and loads each
//! model when it first needs it.

use super::detect::Detector;
use super::geometry::Rect;
use super::picture::Picture;
use super::recognise::Recogniser;
use super::screen::Screen;
use super::texture::{Grey, is_broad};
use super::{Cells, MergedLine, ModelFiles, Region, TextError, TextLine, View, merge};

/// Finds and reads text. One per worker; it takes a network's memory (some
/// 290 MB in all) from the first frame on.
pub struct Ocr {
    files: ModelFiles,
    detector: Option<Detector>,
    recogniser: Option<Recogniser>,
    screen: Option<Screen>,
}

impl Ocr {
    /// Remembers where the models are; each is loaded when it is first needed,
    /// so that a worker that sees no pictures stays small.
    #[must_use]
    pub fn new(files: ModelFiles) -> Self {
        Self { files, detector: None, recogniser: None, screen: None }
    }

    /// Loads the models now.
    ///
    /// # Errors
    /// [`TextError::Runtime`] and [`TextError::Model`]: the caller stops and names `scripts/setup`.
    pub fn load(files: ModelFiles) -> Result<Self, TextError> {
        let mut ocr = Self::new(files);
        ocr.detector()?;
        ocr.recogniser()?;
        ocr.screen()?;
        Ok(ocr)
    }

    /// The lines of text in a frame, pieces of one line joined, from the top.
    ///
    /// # Errors
    /// Any [`TextError`]: the caller quarantines; the frame was not searched.
    pub fn lines(&mut self, view: &View) -> Result<Vec<MergedLine>, TextError> {
        let regions = self.find(view)?;
        let pieces = self.read(view, &regions)?;
        if !pieces.iter().any(is_broad) {
            return Ok(merge(pieces));
        }
        let grey = Grey::of(view);
        let (textures, mut pieces): (Vec<_>, Vec<_>) =
            pieces.into_iter().partition(|piece| grey.is_texture(piece));
        if !textures.is_empty() {
            pieces.extend(self.written_on(&textures, &grey, &pieces)?);
        }
        Ok(merge(pieces))
    }

    /// What stands on textures and was not found beside them: searched once
    /// more without the broad shades.
    fn written_on(
        &mut self,
        textures: &[TextLine],
        grey: &Grey,
        found: &[TextLine],
    ) -> Result<Vec<TextLine>, TextError> {
        let fine = grey.without_shades();
        let mut regions = self.find(&fine)?;
        regions.retain(|region| {
            let centre = Rect::from_corners(&region.corners).centre;
            let inside = |line: &TextLine| holds(&line.corners, centre);
            textures.iter().any(inside) && !found.iter().any(inside)
        });
        let mut pieces = self.read(&fine, &regions)?;
        pieces.retain(|piece| !grey.is_texture(piece));
        Ok(pieces)
    }

    /// The cells of a frame that may hold text: where none is marked, [`Self::find`]
    /// seldom finds any (docs/SCREEN.md).
    ///
    /// # Errors
    /// Any [`TextError`]: the caller quarantines; the frame was not searched.
    pub fn cells(&mut self, view: &View) -> Result<Cells, TextError> {
        if Picture::new(view)?.is_uniform() {
            return Ok(Cells::new(view.width, view.height, false));
        }
        self.screen()?.cells(view)
    }

    /// Every place that looks like text, in the order of their first row.
    ///
    /// # Errors
    /// Any [`TextError`]: the caller quarantines; the frame was not searched.
    pub fn find(&mut self, view: &View) -> Result<Vec<Region>, TextError> {
        let picture = Picture::new(view)?;
        if picture.is_uniform() {
            return Ok(Vec::new());
        }
        self.detector()?.find(&picture)
    }

    /// What stands in each region: one line for each, in their order; empty
    /// text where nothing could be read.
    ///
    /// # Errors
    /// Any [`TextError`]: the caller quarantines.
    pub fn read(&mut self, view: &View, regions: &[Region]) -> Result<Vec<TextLine>, TextError> {
        if regions.is_empty() {
            return Ok(Vec::new());
        }
        let picture = Picture::new(view)?;
        let recogniser = self.recogniser()?;
        regions.iter().map(|region| recogniser.read(&picture, region)).collect()
    }

    /// Every place that looks like text in one part of a frame (left, top, right, lower
    /// edge), for much less than searching all of it; `None` where the part is too large
    /// for that.
    ///
    /// # Errors
    /// Any [`TextError`]: the caller quarantines; the frame was not searched.
    pub fn find_within(
        &mut self,
        view: &View,
        part: [u32; 4],
    ) -> Result<Option<Vec<Region>>, TextError> {
        self.detector()?.find_within(&Picture::new(view)?, part)
    }

    fn detector(&mut self) -> Result<&mut Detector, TextError> {
        let loaded = match self.detector.take() {
            Some(detector) => detector,
            None => Detector::load(self.files.runtime(), self.files.detector())?,
        };
        Ok(self.detector.insert(loaded))
    }

    fn recogniser(&mut self) -> Result<&mut Recogniser, TextError> {
        let loaded = match self.recogniser.take() {
            Some(recogniser) => recogniser,
            None => Recogniser::load(self.files.runtime(), self.files.recogniser())?,
        };
        Ok(self.recogniser.insert(loaded))
    }

    fn screen(&mut self) -> Result<&mut Screen, TextError> {
        let loaded = match self.screen.take() {
            Some(screen) => screen,
            None => Screen::load(self.files.runtime(), self.files.screen())?,
        };
        Ok(self.screen.insert(loaded))
    }
}

/// A point lies in the upright rectangle around some corners.
fn holds(corners: &[[f32; 2]; 4], point: [f32; 2]) -> bool {
    (0..2).all(|axis| {
        let places = corners.iter().map(|corner| corner[axis]);
        let (low, high) = (
            places.clone().fold(f32::INFINITY, f32::min),
            places.fold(f32::NEG_INFINITY, f32::max),
        );
        (low..=high).contains(&point[axis])
    })
}
