//! Hides areas of a DCT picture block by block: a mask of pixels in, changed
//! coefficients out, and no other coefficient is touched.
//!
//! Per component, a block of which no sample is covered keeps its coefficients;
//! one that is covered altogether becomes flat; in one that is covered partly
//! the covered samples are overwritten *before* it is transformed again, so its
//! new coefficients depend on nothing but the ink and what is shown beside it.
//! Where quantisation would leave a covered sample off the ink, the whole block
//! becomes flat: more is hidden rather than less.

use std::ops::Range;

use super::damaged;
use super::dct::{self, Samples};
use super::image::{Block, Component, DctImage, Frame};
use crate::clean::pixels::PixelError;

/// How far a covered sample of a partly covered block may decode from the ink,
/// in samples of 8 bits. Default 8: JPEG's own noise is as large, and no
/// detector finds text of so little contrast.
const INK_TOLERANCE: u32 = 8;

/// The pixels that are to be hidden.
#[derive(Debug, Clone)]
pub struct Mask {
    width: usize,
    pixels: Vec<bool>,
    /// By row, from the first covered column to after the last one.
    extents: Vec<Range<usize>>,
}

impl Mask {
    /// Nothing is covered.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Self {
        let (width, height) = (as_usize(width), as_usize(height));
        let pixels = vec![false; width.saturating_mul(height)];
        Self { width, pixels, extents: vec![0..0; height] }
    }

    /// Covers columns `x0..x1` of row `y`, cut to the picture.
    pub fn cover(&mut self, y: u32, x0: u32, x1: u32) {
        self.fill(as_usize(y), as_usize(x0)..as_usize(x1));
    }

    fn fill(&mut self, y: usize, columns: Range<usize>) {
        let columns = columns.start..columns.end.min(self.width);
        let Some(extent) = self.extents.get_mut(y).filter(|_| !columns.is_empty()) else { return };
        *extent = if Range::is_empty(extent) {
            columns.clone()
        } else {
            extent.start.min(columns.start)..extent.end.max(columns.end)
        };
        let first = y * self.width;
        let row = self.pixels.get_mut(first + columns.start..first + columns.end);
        row.unwrap_or_default().fill(true);
    }

    /// Whether nothing is covered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.extents.iter().all(Range::is_empty)
    }

    /// Whether one of the pixels is covered. Outside of the picture lies what
    /// fills up the last blocks: it goes with the pixel at the edge, since it
    /// may show what the picture was cut from.
    fn covers_some(&self, columns: &Range<usize>, rows: &Range<usize>) -> bool {
        self.rows(columns, rows).any(|row| row.contains(&true))
    }

    /// Whether all of the pixels are covered.
    fn covers_all(&self, columns: &Range<usize>, rows: &Range<usize>) -> bool {
        self.rows(columns, rows).all(|row| !row.contains(&false))
    }

    fn rows(&self, columns: &Range<usize>, rows: &Range<usize>) -> impl Iterator<Item = &[bool]> {
        let columns = inside(columns, self.width);
        inside(rows, self.extents.len()).map(move |row| {
            let first = row * self.width;
            let row = self.pixels.get(first + columns.start..first + columns.end);
            row.unwrap_or_default()
        })
    }
}

/// A range cut to what there is; where nothing is left the last place.
fn inside(range: &Range<usize>, count: usize) -> Range<usize> {
    let start = range.start.min(count.saturating_sub(1));
    start..range.end.min(count).max(start + 1)
}

/// What a covered sample becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ink {
    /// The sample, as it is stored.
    pub sample: i32,
    /// Colour without brightness: a flat block of it hides nothing of the
    /// other components.
    pub neutral: bool,
}

impl DctImage<'_> {
    /// Hides what `mask` covers, with one ink for each component.
    ///
    /// # Errors
    /// A mask or inks that do not fit, or a component without quantisation
    /// table: quarantine.
    pub fn paint(&mut self, mask: &Mask, inks: &[Ink]) -> Result<(), PixelError> {
        let frame = self.frame;
        if inks.len() != self.components.len()
            || (mask.width, mask.extents.len()) != (frame.width, frame.height)
        {
            return Err(PixelError::Disagrees { what: "size in the codestream" });
        }
        let mut mask = mask.clone();
        self.round(&mut mask, inks, false)?;
        // What became flat beyond the mask must not shine through in components
        // that were painted before.
        if inks.iter().filter(|ink| !ink.neutral).count() > 1 {
            self.round(&mut mask, inks, true)?;
        }
        Ok(())
    }

    fn round(&mut self, mask: &mut Mask, inks: &[Ink], whole_only: bool) -> Result<(), PixelError> {
        for (component, ink) in self.components.iter_mut().zip(inks) {
            Brush::new(&self.frame, component, *ink)?.paint(component, mask, whole_only);
        }
        Ok(())
    }
}

/// Paints one component.
struct Brush {
    frame: Frame,
    h: usize,
    v: usize,
    quantisation: [u16; 64],
    ink: Ink,
    flat: Block,
    tolerance: u32,
}

impl Brush {
    fn new(frame: &Frame, component: &Component, ink: Ink) -> Result<Self, PixelError> {
        let quantisation =
            component.quantisation.ok_or(damaged("a component without quantisation table"))?;
        let sample_max = frame.sample_max();
        let ink = Ink { sample: ink.sample.clamp(0, sample_max), ..ink };
        Ok(Self {
            frame: *frame,
            h: component.shape.h,
            v: component.shape.v,
            flat: flat(ink.sample, quantisation.first().copied().unwrap_or(1), sample_max),
            quantisation,
            ink,
            tolerance: INK_TOLERANCE << (frame.precision - 8),
        })
    }

    /// Goes over the blocks near the mask. `whole_only` leaves out those that
    /// are covered partly: they were painted before.
    fn paint(&self, component: &mut Component, mask: &mut Mask, whole_only: bool) {
        let stride = component.shape.stride;
        for (row, blocks) in component.blocks.chunks_exact_mut(stride).enumerate() {
            for column in self.columns(mask, row) {
                let Some(block) = blocks.get_mut(column) else { break };
                match self.cover(mask, row, column) {
                    0 => {}
                    u64::MAX => *block = self.flat,
                    _partly if whole_only => {}
                    cover => {
                        *block = self.edited(block, cover).unwrap_or_else(|| {
                            if !self.ink.neutral {
                                self.spread(mask, row, column);
                            }
                            self.flat
                        });
                    }
                }
            }
        }
    }

    /// Blocks of a row that can be covered.
    fn columns(&self, mask: &Mask, row: usize) -> Range<usize> {
        let rows = self.pixel_rows(8 * row..8 * row + 8);
        let rows = inside(&rows, self.frame.height);
        let covered = mask.extents.get(rows).unwrap_or_default().iter();
        let (mut first, mut end) = (usize::MAX, 0);
        for extent in covered.filter(|extent| !extent.is_empty()) {
            (first, end) = (first.min(extent.start), end.max(extent.end));
        }
        if first >= end {
            return 0..0;
        }
        // To the end of the row where the picture's edge is covered.
        let end = if end == self.frame.width { usize::MAX } else { self.block_of(end - 1) + 1 };
        self.block_of(first)..end
    }

    fn block_of(&self, x: usize) -> usize {
        x * self.h / self.frame.h_max / 8
    }

    /// Columns of pixels that samples stand for.
    fn pixel_columns(&self, samples: Range<usize>) -> Range<usize> {
        let (h, h_max) = (self.h, self.frame.h_max);
        samples.start * h_max / h..(samples.end * h_max).div_ceil(h)
    }

    fn pixel_rows(&self, samples: Range<usize>) -> Range<usize> {
        let (v, v_max) = (self.v, self.frame.v_max);
        samples.start * v_max / v..(samples.end * v_max).div_ceil(v)
    }

    /// The covered samples of a block as bits, the first one lowest.
    fn cover(&self, mask: &Mask, row: usize, column: usize) -> u64 {
        let whole = self.pixel_columns(8 * column..8 * column + 8);
        let rows = self.pixel_rows(8 * row..8 * row + 8);
        if !mask.covers_some(&whole, &rows) {
            return 0;
        }
        if mask.covers_all(&whole, &rows) {
            return u64::MAX;
        }
        let mut cover = 0;
        for y in (0..8).rev() {
            let rows = drawn_out(self.pixel_rows(8 * row + y..8 * row + y + 1));
            for x in (0..8).rev() {
                let columns = drawn_out(self.pixel_columns(8 * column + x..8 * column + x + 1));
                cover = cover << 1 | u64::from(mask.covers_some(&columns, &rows));
            }
        }
        cover
    }

    /// The block with ink on its covered samples; `None` where one of them
    /// would be shown off the ink.
    fn edited(&self, block: &Block, cover: u64) -> Option<Block> {
        let sample_max = self.frame.sample_max();
        let mut samples: Samples = dct::inverse(block, &self.quantisation, sample_max);
        let is_covered = |at: usize| cover >> at & 1 == 1;
        for (at, sample) in samples.iter_mut().enumerate() {
            if is_covered(at) {
                *sample = self.ink.sample;
            }
        }
        let edited = dct::forward(&samples, &self.quantisation, sample_max);
        let shown = dct::inverse(&edited, &self.quantisation, sample_max);
        let mut covered = shown.iter().enumerate().filter(|(at, _)| is_covered(*at));
        covered
            .all(|(_, sample)| sample.abs_diff(self.ink.sample) <= self.tolerance)
            .then_some(edited)
    }

    /// Covers all pixels of a block that became flat.
    fn spread(&self, mask: &mut Mask, row: usize, column: usize) {
        let columns = self.pixel_columns(8 * column..8 * column + 8);
        for y in self.pixel_rows(8 * row..8 * row + 8) {
            mask.fill(y, columns.clone());
        }
    }
}

/// The pixels that a sample shows in, given those it stands for: decoders that
/// draw out half a component let it run over half its width on both sides.
fn drawn_out(pixels: Range<usize>) -> Range<usize> {
    let more = pixels.len() / 2;
    pixels.start.saturating_sub(more)..pixels.end + more
}

/// The block that shows `sample` everywhere: the least and the greatest sample
/// are passed rather than missed, others met as nearly as quantisation allows.
fn flat(sample: i32, factor: u16, sample_max: i32) -> Block {
    let factor = i32::from(factor);
    let level = 8 * (sample - (sample_max / 2 + 1));
    let dc = if sample == 0 {
        level.div_euclid(factor)
    } else if sample == sample_max {
        -(-level).div_euclid(factor)
    } else {
        (2 * level + factor).div_euclid(2 * factor)
    };
    let mut block = Block::EMPTY;
    block.set(0, i16::try_from(dc).unwrap_or(0));
    block
}

fn as_usize(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
