//! The screen: a small network that says which cells of a frame may hold text.
//!
//! It stands before the detector, which costs some two hundred times as much:
//! where no cell is marked, the detector seldom finds text (docs/SCREEN.md has how
//! seldom). It sees grey; a coloured frame is shown to it channel by
//! channel, because letters can be as bright as what they stand on.

use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;

use super::models::SCREEN;
use super::{TextError, View, runtime};

/// Side of a cell, in pixels of the frame.
pub const CELL_PX: u32 = 8;
/// From this logit on a cell is marked. Default 1: see docs/SCREEN.md.
const MARKED_MIN: f32 = 1.0;
/// The network halves its input five times.
const GRID: u32 = 32;
/// Longest side of what the network sees at once, in pixels. Default 1024: some
/// 60 MB of its memory, less than the detector takes.
const TILE_MAX: u32 = 1024;
/// Common pixels of neighbouring tiles: a line up to that height stands whole in one.
const OVERLAP: u32 = 128;
/// A pixel whose channels differ by more than this has a colour. Default 3:
/// lossy coding gives grey some.
const COLOUR_MIN: u8 = 3;

/// Cells of a view, row by row from the top; some are marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cells {
    across: u32,
    marked: Vec<bool>,
}

impl Cells {
    /// All cells of a view of this size, marked or not. Those at the right and lower
    /// border may reach beyond it.
    #[must_use]
    pub fn new(width: u32, height: u32, marked: bool) -> Self {
        let (across, down) = (width.div_ceil(CELL_PX), height.div_ceil(CELL_PX));
        Self { across, marked: vec![marked; across as usize * down as usize] }
    }

    /// Column and row of each marked cell.
    pub fn marked(&self) -> impl Iterator<Item = (u32, u32)> {
        let across = self.across.max(1);
        let places = (0_u32..).zip(&self.marked).filter(|(_, marked)| **marked);
        places.map(move |(place, _)| (place % across, place / across))
    }

    /// Marks a cell; one outside is left out.
    pub fn mark(&mut self, column: u32, row: u32) {
        let place = u64::from(row) * u64::from(self.across) + u64::from(column);
        let cell = usize::try_from(place).ok().and_then(|place| self.marked.get_mut(place));
        if let Some(cell) = cell.filter(|_| column < self.across) {
            *cell = true;
        }
    }
}

/// The loaded network with its input, kept for the next frame.
pub(crate) struct Screen {
    session: Session,
    input: Vec<f32>,
}

impl Screen {
    /// Loads the model.
    pub(crate) fn load(library: &Path, model: &Path) -> Result<Self, TextError> {
        let session = runtime::session(library, SCREEN, model)?;
        Ok(Self { session, input: Vec::new() })
    }

    /// The cells that may hold text. The view was checked by its caller.
    pub(crate) fn cells(&mut self, view: &View) -> Result<Cells, TextError> {
        let mut cells = Cells::new(view.width, view.height, false);
        for plane in planes(view) {
            for top in starts(view.height) {
                for left in starts(view.width) {
                    self.tile(view, plane, [left, top], &mut cells)?;
                }
            }
        }
        Ok(cells)
    }

    fn tile(
        &mut self,
        view: &View,
        plane: Plane,
        [left, top]: [u32; 2],
        cells: &mut Cells,
    ) -> Result<(), TextError> {
        let side = |start: u32, len: u32| (len - start).min(TILE_MAX).next_multiple_of(GRID);
        let (width, height) = (side(left, view.width), side(top, view.height));
        self.fill(view, plane, [left, top], [width, height]);
        let failed = |source| TextError::Run { model: SCREEN, source };
        let shape = [1, 1, height as usize, width as usize];
        let tensor = TensorRef::from_array_view((shape, self.input.as_slice())).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![tensor]).map_err(failed)?;
        let (_, logits) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
        let across = width / CELL_PX;
        if logits.len() != across as usize * (height / CELL_PX) as usize {
            let detail = format!("{} cells for {width} x {height}", logits.len());
            return Err(TextError::Model { model: SCREEN, detail });
        }
        for (place, logit) in (0_u32..).zip(logits) {
            if is_marked(*logit) {
                cells.mark(left / CELL_PX + place % across, top / CELL_PX + place / across);
            }
        }
        Ok(())
    }

    /// A tile as numbers; beyond the frame its border goes on.
    fn fill(&mut self, view: &View, plane: Plane, at: [u32; 2], size: [u32; 2]) {
        let [left, top] = at.map(|start| start as usize);
        let [width, height] = size.map(|len| len as usize);
        let row_bytes = view.width as usize * usize::from(view.samples);
        self.input.clear();
        for y in top..top + height {
            let y = y.min(view.height as usize - 1);
            let row = &view.pixels[y * row_bytes..(y + 1) * row_bytes];
            let shown = (view.width as usize - left).min(width);
            let first = self.input.len();
            match plane {
                Plane::Grey => {
                    self.input.extend(row[left..left + shown].iter().map(|v| f32::from(*v)));
                }
                Plane::Channel(channel) => {
                    let pixels = row[left * 3..(left + shown) * 3].chunks_exact(3);
                    self.input.extend(pixels.map(|pixel| f32::from(pixel[channel])));
                }
            }
            let last = self.input.last().copied().unwrap_or(0.0);
            self.input.resize(first + width, last);
        }
    }
}

/// What is no number is no answer: the detector decides.
fn is_marked(logit: f32) -> bool {
    logit.is_nan() || logit >= MARKED_MIN
}

/// What the network is shown of a view.
#[derive(Clone, Copy)]
enum Plane {
    /// Its one sample.
    Grey,
    /// One of red, green, blue.
    Channel(usize),
}

/// One plane shows all of a grey picture, also of one that is stored in colours.
fn planes(view: &View) -> Vec<Plane> {
    if view.samples == 1 {
        return vec![Plane::Grey];
    }
    let has_colour = |pixel: &[u8]| {
        let least = pixel.iter().min().copied().unwrap_or(0);
        pixel.iter().any(|sample| sample - least > COLOUR_MIN)
    };
    if view.pixels.chunks_exact(3).any(has_colour) {
        return [0, 1, 2].map(Plane::Channel).to_vec();
    }
    vec![Plane::Channel(1)]
}

/// Where tiles begin along a side.
fn starts(len: u32) -> Vec<u32> {
    let step = TILE_MAX - OVERLAP;
    let count = if len <= TILE_MAX { 1 } else { (len - OVERLAP).div_ceil(step) };
    (0..count).map(|number| number * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_reach_the_border_and_overlap() {
        assert_eq!(starts(1), [0]);
        assert_eq!(starts(1024), [0]);
        assert_eq!(starts(1025), [0, 896]);
        for len in 1..5000 {
            let starts = starts(len);
            let last = starts[starts.len() - 1];
            assert!(last < len && last + TILE_MAX >= len, "{len}");
            assert!(starts.len() < 2 || len - last > OVERLAP, "{len}: a tile for nothing");
        }
    }

    #[test]
    fn grey_that_is_stored_in_colours_is_one_plane() {
        let view = |pixels: &[u8]| View {
            width: u32::try_from(pixels.len() / 3).unwrap(),
            height: 1,
            samples: 3,
            pixels: pixels.to_vec(),
        };
        assert_eq!(planes(&view(&[9, 9, 9, 80, 81, 78])).len(), 1);
        assert_eq!(planes(&view(&[9, 9, 9, 80, 84, 80])).len(), 3);
    }

    #[test]
    fn cells_are_counted_from_the_upper_left_and_none_lies_outside() {
        let mut cells = Cells::new(20, 9, false);
        for (column, row) in [(2, 1), (3, 0), (0, 2)] {
            cells.mark(column, row);
        }
        assert_eq!(cells.marked().collect::<Vec<_>>(), [(2, 1)]);
        assert_eq!(Cells::new(20, 9, true).marked().count(), 6);
    }

    #[test]
    fn what_is_no_number_is_searched() {
        let marks = [MARKED_MIN, MARKED_MIN - 0.1, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        assert_eq!(marks.map(is_marked), [true, false, true, true, false]);
    }
}
