//! JPEG 2000 and High-Throughput JPEG 2000: a walked codestream in, words of
//! the width of Bits Allocated out, the samples of a pixel together.
//!
//! Whether a sample is signed is what Pixel Representation says: where the
//! codestream contradicts it, the bits stay and are read the other way, as
//! pydicom does. Components with fewer samples than the picture has pixels are
//! repeated.

use super::PixelAttributes;
use super::codestream::{GridComponent, StreamHeader};
use super::decode::sign_extended;
use super::frame::put_word;

/// Decodes one frame.
pub(super) fn decode(
    stream: &[u8],
    header: &StreamHeader,
    attributes: &PixelAttributes,
) -> Result<Vec<u8>, ()> {
    let image = jpeg2k::Image::from_bytes(stream).map_err(drop)?;
    let components = image.components();
    if components.len() != header.grid.len() || components.len() != usize::from(header.components) {
        return Err(());
    }
    let bytes = usize::try_from(attributes.decoded_bytes()).map_err(|_too_large| ())?;
    let mut frame = vec![0; bytes];
    for (index, (component, grid)) in components.iter().zip(&header.grid).enumerate() {
        let plane = Plane {
            across: Sampling::new(header.origin[0], grid.separation[0], component.width())?,
            down: Sampling::new(header.origin[1], grid.separation[1], component.height())?,
            samples: component.data(),
        };
        plane.check(header)?;
        let place = Place { attributes, component: *grid, index, count: components.len() };
        plane.put(&mut frame, &place);
    }
    Ok(frame)
}

/// Where the samples of a component go.
struct Place<'a> {
    attributes: &'a PixelAttributes,
    component: GridComponent,
    index: usize,
    count: usize,
}

/// How the samples of a component lie in one direction of the grid.
struct Sampling {
    origin: usize,
    separation: usize,
    /// The sample number that comes first: its multiple of the separation is
    /// the first in the picture (ISO/IEC 15444-1 §B.2).
    first: usize,
    count: usize,
}

impl Sampling {
    fn new(origin: u32, separation: u8, count: u32) -> Result<Self, ()> {
        let origin = usize::try_from(origin).map_err(drop)?;
        let count = usize::try_from(count).map_err(drop)?;
        let separation = usize::from(separation.max(1));
        Ok(Self { origin, separation, first: origin.div_ceil(separation), count })
    }

    /// The sample at or before a pixel; the first one for pixels before it.
    fn sample(&self, pixel: usize) -> usize {
        let sample = (self.origin + pixel) / self.separation;
        sample.saturating_sub(self.first).min(self.count.saturating_sub(1))
    }

    /// Samples that `pixels` pixels have.
    fn expected(&self, pixels: u32) -> usize {
        let end = self.origin + usize::try_from(pixels).unwrap_or(usize::MAX);
        end.div_ceil(self.separation).saturating_sub(self.first)
    }
}

struct Plane<'a> {
    across: Sampling,
    down: Sampling,
    samples: &'a [i32],
}

impl Plane<'_> {
    fn check(&self, header: &StreamHeader) -> Result<(), ()> {
        let counts = [self.across.count, self.down.count];
        let expected = [self.across.expected(header.width), self.down.expected(header.height)];
        let product = self.across.count.checked_mul(self.down.count);
        let sound = counts == expected && product == Some(self.samples.len());
        if sound && !self.samples.is_empty() { Ok(()) } else { Err(()) }
    }

    /// Writes the words into every `count`-th place of the frame.
    fn put(&self, frame: &mut [u8], place: &Place<'_>) {
        let bits = place.attributes.bits;
        let width = bits.bytes();
        let columns = usize::try_from(place.attributes.columns).unwrap_or(usize::MAX);
        let row_bytes = columns.saturating_mul(place.count).saturating_mul(width);
        let own = place.index * width..(place.index + 1) * width;
        let whole = self.across.separation == 1;
        for (y, row) in frame.chunks_exact_mut(row_bytes).enumerate() {
            let start = self.down.sample(y) * self.across.count;
            let line = self.samples.get(start..start + self.across.count).unwrap_or_default();
            let pixels = row.chunks_exact_mut(place.count * width);
            for (x, pixel) in pixels.enumerate() {
                let sample = line.get(if whole { x } else { self.across.sample(x) });
                let sample = sample.copied().unwrap_or_default().cast_unsigned();
                let word = sign_extended(sample, place.component.precision, bits.signed);
                put_word(pixel.get_mut(own.clone()).unwrap_or_default(), word);
            }
        }
    }
}

#[cfg(test)]
mod tests;
