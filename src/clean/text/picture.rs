//! A checked [`View`] that can be sampled between its pixels.

use super::{TextError, View};

/// A view whose sizes agree, so that sampling stays inside its bytes.
#[derive(Clone, Copy)]
pub(crate) struct Picture<'a> {
    width: usize,
    height: usize,
    samples: usize,
    pixels: &'a [u8],
}

impl<'a> Picture<'a> {
    /// Checks the sizes: at least one pixel, 1 or 3 samples, exactly their bytes.
    pub(crate) fn new(view: &'a View) -> Result<Self, TextError> {
        let (width, height) = (view.width as usize, view.height as usize);
        let samples = usize::from(view.samples);
        let bytes = width.checked_mul(height).and_then(|area| area.checked_mul(samples));
        let fits = bytes == Some(view.pixels.len()) && !view.pixels.is_empty();
        if !fits || !matches!(samples, 1 | 3) {
            return Err(TextError::View {
                width: view.width,
                height: view.height,
                samples: view.samples,
                bytes: view.pixels.len(),
            });
        }
        Ok(Self { width, height, samples, pixels: &view.pixels })
    }

    /// Columns and rows.
    pub(crate) fn size(&self) -> (u32, u32) {
        (self.width as u32, self.height as u32)
    }

    /// All pixels are equal: nothing is written there.
    pub(crate) fn is_uniform(&self) -> bool {
        let first = &self.pixels[..self.samples];
        self.pixels.chunks_exact(self.samples).all(|pixel| pixel == first)
    }

    /// Blue, green and red at a position, 0 to 255, bilinear; outside the
    /// picture its border goes on. (0, 0) is the outer corner of the first pixel.
    pub(crate) fn sample(&self, x: f32, y: f32) -> [f32; 3] {
        self.mix(Tap::at(x, self.width), Tap::at(y, self.height))
    }

    /// As [`Self::sample`], with the two positions worked out before.
    pub(crate) fn mix(&self, across: Tap, down: Tap) -> [f32; 3] {
        let upper = self.mix_row(across, down.first);
        let lower = self.mix_row(across, down.second);
        std::array::from_fn(|c| upper[c] + (lower[c] - upper[c]) * down.weight)
    }

    fn mix_row(&self, across: Tap, row: usize) -> [f32; 3] {
        let start = row * self.width;
        let left = self.pixel(start + across.first);
        let right = self.pixel(start + across.second);
        std::array::from_fn(|c| left[c] + (right[c] - left[c]) * across.weight)
    }

    fn pixel(&self, index: usize) -> [f32; 3] {
        let at = index * self.samples;
        if self.samples == 1 {
            return [f32::from(self.pixels[at]); 3];
        }
        [2, 1, 0].map(|c| f32::from(self.pixels[at + c]))
    }
}

/// The two neighbours of a position on one axis, and the share of the second.
#[derive(Clone, Copy)]
pub(crate) struct Tap {
    first: usize,
    second: usize,
    weight: f32,
}

impl Tap {
    /// Neighbours of `position` among `len` pixels; pixel i has its centre at i + 0.5.
    pub(crate) fn at(position: f32, len: usize) -> Self {
        let last = len.saturating_sub(1);
        let centred = (position - 0.5).clamp(0.0, last as f32);
        let first = (centred.floor() as usize).min(last);
        Self { first, second: (first + 1).min(last), weight: centred - first as f32 }
    }

    /// Positions of `count` evenly spread samples over `len` pixels.
    pub(crate) fn scaled(count: u32, len: u32) -> impl Fn(u32) -> Self {
        let step = len as f32 / count as f32;
        move |index| Self::at((index as f32 + 0.5) * step, len as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(width: u32, height: u32, samples: u8, pixels: Vec<u8>) -> View {
        View { width, height, samples, pixels }
    }

    #[test]
    fn sizes_that_contradict_each_other_are_refused() {
        for bad in [
            view(2, 2, 1, vec![0; 3]),
            view(2, 2, 2, vec![0; 8]),
            view(0, 4, 1, vec![]),
            view(u32::MAX, u32::MAX, 3, vec![0; 12]),
        ] {
            assert!(matches!(Picture::new(&bad), Err(TextError::View { .. })));
        }
    }

    #[test]
    fn sampling_is_bilinear_between_centres_and_goes_on_outside() {
        let grey = view(2, 1, 1, vec![0, 100]);
        let picture = Picture::new(&grey).unwrap();
        assert_eq!(picture.sample(0.5, 0.5)[0], 0.0);
        assert_eq!(picture.sample(1.0, 0.5)[0], 50.0);
        assert_eq!(picture.sample(1.5, 0.5)[0], 100.0);
        assert_eq!(picture.sample(9.0, -7.0)[0], 100.0);
    }

    #[test]
    fn colour_comes_out_blue_first() {
        let red = view(1, 1, 3, vec![200, 20, 2]);
        assert_eq!(Picture::new(&red).unwrap().sample(0.5, 0.5), [2.0, 20.0, 200.0]);
    }

    #[test]
    fn uniform_means_every_pixel() {
        let mut flat = view(3, 2, 3, [9, 8, 7].repeat(6));
        assert!(Picture::new(&flat).unwrap().is_uniform());
        flat.pixels[17] = 8;
        assert!(!Picture::new(&flat).unwrap().is_uniform());
    }
}
