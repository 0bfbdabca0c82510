//! Paints one frame: coded bytes in, out the painted frame as it is to be
//! looked at and as it is to be coded.
//!
//! Where the codestream itself is edited (JPEG by its blocks), what is looked
//! at is decoded from the edited stream: never a picture that only should be.

use super::area::{Area, Ink};
use crate::clean::encode::Painted;
use crate::clean::pixels::jpeg::{DctImage, Mask};
use crate::clean::pixels::view::{Display, Windows};
use crate::clean::pixels::{Coded, Decoded, Decoder, PixelError};

/// What is painted on all frames of an instance, and how.
#[derive(Debug)]
pub(super) struct Brush<'a> {
    pub(super) decoder: Decoder<'a>,
    pub(super) display: &'a Display,
    /// Least and greatest value of signed samples.
    pub(super) extremes: Option<(i64, i64)>,
    pub(super) areas: &'a [Area],
    /// The areas as pixels, where codestreams are edited.
    pub(super) mask: Option<Mask>,
}

/// A painted frame.
#[derive(Debug)]
pub(super) struct Canvas {
    /// The windows it had before, through which it is looked at again.
    pub(super) windows: Windows,
    pub(super) painted: Painted,
}

impl Brush<'_> {
    /// Paints one frame.
    ///
    /// # Errors
    /// The decoder's, before or after: quarantine.
    pub(super) fn paint(&self, coded: Coded) -> Result<Canvas, PixelError> {
        match &self.mask {
            Some(mask) => self.edit(coded, mask),
            None => self.paint_samples(coded),
        }
    }

    fn paint_samples(&self, coded: Coded) -> Result<Canvas, PixelError> {
        let mut decoded = self.decoder.decode(coded)?;
        let windows = Windows::of(&decoded.frame);
        let ink = self.ink(&decoded);
        ink.paint(&mut decoded.frame, self.areas);
        Ok(Canvas { windows, painted: decoded.into() })
    }

    fn edit(&self, coded: Coded, mask: &Mask) -> Result<Canvas, PixelError> {
        let received = coded.bytes.clone();
        let decoded = self.decoder.decode(coded)?;
        let windows = Windows::of(&decoded.frame);
        let stream = decoded.clean.as_deref().unwrap_or(&received);
        if mask.is_empty() {
            let stream = Some(stream.to_vec());
            return Ok(Canvas { windows, painted: Painted { decoded, stream } });
        }
        let (photometric, bits) = (decoded.frame.photometric, decoded.frame.bits);
        let inks = self.ink(&decoded).in_jpeg(photometric, bits, decoded.header.precision);
        let mut image = DctImage::read(stream)?;
        image.paint(mask, &inks)?;
        let stream = image.write();
        // Neither is needed any more, and both are as large as the picture.
        drop((image, decoded.frame));
        // How much was lost is told by what was received, not by what is flat now.
        let coded_bytes = decoded.coded_bytes;
        let coded = Coded { bytes: stream.clone(), first_bit: 0 };
        let decoded = Decoded { coded_bytes, ..self.decoder.decode(coded)? };
        Ok(Canvas { windows, painted: Painted { decoded, stream: Some(stream) } })
    }

    fn ink(&self, decoded: &Decoded) -> Ink {
        let frame = &decoded.frame;
        Ink::darkest(frame.photometric, frame.bits, self.display, self.extremes)
    }
}
