//! Pixel data in, one decoded frame at a time out; and what a frame shows.
//!
//! [`FrameSource`] finds the bytes of a frame in the input file, [`decode`]
//! makes stored samples of them ([`StoredFrame`]), [`view`] makes pictures to
//! look at. Invariant: nothing is allocated before [`PixelAttributes`] and the
//! codestream's own header agree and are within the limits, and a frame costs
//! memory once, never the instance. Painting is `clean::redact`, coding again
//! is `clean::encode`.
//!
//! The decoders are the crates that the DICOM toolkit's adapters wrap, but for
//! JPEG with 12 bits, which is read by [`jpeg`]. They are called directly: the
//! adapters label YBR as RGB, hand out planar JPEG-LS as interleaved, and
//! refuse large blank frames.

#![warn(clippy::indexing_slicing)]

mod assign;
pub mod attributes;
pub mod codec;
pub mod codestream;
pub mod decode;
mod error;
pub mod frame;
pub mod jpeg;
mod jpeg2000;
pub mod native;
pub mod palette;
pub mod rle;
pub mod source;
pub mod view;

use std::io::{Read, Seek, Write};

pub use attributes::{Photometric, PixelAttributes};
pub use codec::Codec;
pub use decode::{Decoded, Decoder};
pub use error::PixelError;
pub use frame::StoredFrame;
pub use palette::Palette;
pub use source::{Coded, FrameSource, Received};

/// A file to read frames from.
pub trait ReadSeek: Read + Seek {}
impl<T: Read + Seek + ?Sized> ReadSeek for T {}

/// A file to write coded frames to.
pub trait ReadWriteSeek: Read + Write + Seek {}
impl<T: Read + Write + Seek + ?Sized> ReadWriteSeek for T {}

#[cfg(test)]
mod guard_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod view_tests;
