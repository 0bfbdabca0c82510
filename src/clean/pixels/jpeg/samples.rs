//! Decodes coefficients: samples as they are stored, one for each pixel.
//!
//! Components of half the size are drawn out by the triangle filter that most
//! decoders use (three parts of the nearer sample, one of the farther); other
//! sizes by repeating samples.

use super::damaged;
use super::dct;
use super::image::{Component, DctImage, Frame};
use crate::clean::pixels::PixelError;

impl DctImage<'_> {
    /// The samples, those of a pixel together: one byte each for 8 bits, else
    /// two, low byte first.
    ///
    /// # Errors
    /// A component without quantisation table: quarantine.
    pub fn samples(&self) -> Result<Vec<u8>, PixelError> {
        let frame = &self.frame;
        let count = self.components.len();
        let width = if frame.precision > 8 { 2 } else { 1 };
        let line = frame.width * count * width;
        let mut bytes = vec![0; line * frame.height];
        for (index, component) in self.components.iter().enumerate() {
            let plane = Plane::new(frame, component)?;
            for (y, line) in bytes.chunks_exact_mut(line).enumerate() {
                let row = plane.row(y);
                let targets = line.chunks_exact_mut(width).skip(index).step_by(count);
                for (target, sample) in targets.zip(row) {
                    for (byte, value) in target.iter_mut().zip(sample.to_le_bytes()) {
                        *byte = value;
                    }
                }
            }
        }
        Ok(bytes)
    }
}

/// The decoded samples of a component, with those that fill up its blocks.
struct Plane {
    samples: Vec<u16>,
    stride: usize,
    /// Columns and rows that belong to the picture.
    columns: usize,
    rows: usize,
    /// How a pixel's place becomes a sample's: times the first, by the second.
    across: (usize, usize),
    down: (usize, usize),
}

impl Plane {
    fn new(frame: &Frame, component: &Component) -> Result<Self, PixelError> {
        let shape = component.shape;
        let quantisation =
            component.quantisation.ok_or(damaged("a component without quantisation table"))?;
        let stride = 8 * shape.wide;
        let mut samples = vec![0; stride * 8 * shape.high];
        let rows_of_blocks = component.blocks.chunks_exact(shape.stride);
        for (lines, blocks) in samples.chunks_exact_mut(8 * stride).zip(rows_of_blocks) {
            for (column, block) in blocks.iter().take(shape.wide).enumerate() {
                let decoded = dct::inverse(block, &quantisation, frame.sample_max());
                for (line, row) in lines.chunks_exact_mut(stride).zip(decoded.as_chunks::<8>().0) {
                    let targets = line.get_mut(8 * column..8 * column + 8).unwrap_or_default();
                    for (target, sample) in targets.iter_mut().zip(row) {
                        *target = u16::try_from(*sample).unwrap_or(0);
                    }
                }
            }
        }
        Ok(Self {
            samples,
            stride,
            columns: (frame.width * shape.h).div_ceil(frame.h_max),
            rows: (frame.height * shape.v).div_ceil(frame.v_max),
            across: (shape.h, frame.h_max),
            down: (shape.v, frame.v_max),
        })
    }

    /// The samples for the pixels of row `y`.
    fn row(&self, y: usize) -> Vec<u16> {
        let line = if is_half(self.down) {
            let (near, far) = neighbours(y, self.rows);
            self.line(near)
                .iter()
                .zip(self.line(far))
                .map(|(near, far)| (3 * near + far + 2) / 4)
                .collect()
        } else {
            self.line(y * self.down.0 / self.down.1).to_vec()
        };
        if self.across.0 == self.across.1 {
            return line;
        }
        let pixels = (self.columns * self.across.1).div_ceil(self.across.0);
        let at = |x: usize| line.get(x).copied().unwrap_or(0);
        let sample = |x: usize| {
            if is_half(self.across) {
                let (near, far) = neighbours(x, self.columns);
                (3 * at(near) + at(far) + 2) / 4
            } else {
                at(x * self.across.0 / self.across.1)
            }
        };
        (0..pixels).map(sample).collect()
    }

    fn line(&self, y: usize) -> &[u16] {
        let first = y.min(self.rows.saturating_sub(1)) * self.stride;
        self.samples.get(first..first + self.columns).unwrap_or_default()
    }
}

fn is_half((factor, greatest): (usize, usize)) -> bool {
    2 * factor == greatest
}

/// The samples that are nearest to a pixel, of which there are two to a sample.
fn neighbours(pixel: usize, count: usize) -> (usize, usize) {
    let near = pixel / 2;
    let far = if pixel.is_multiple_of(2) { near.saturating_sub(1) } else { near + 1 };
    (near, far.min(count.saturating_sub(1)))
}
