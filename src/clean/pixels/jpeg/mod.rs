//! JPEG of our own (ISO/IEC 10918-1), for what no decoder crate does: changing
//! a picture without touching the rest of it, and 12 bits.
//!
//! [`DctImage`] holds a sequential DCT picture as its quantised coefficients: a
//! walked stream in, the same coefficients out again in fresh Huffman codes.
//! [`paint`] hides areas block by block, `samples` decodes. [`bits`] and
//! [`huffman`] are the layer that all Huffman-coded processes share.
//!
//! Everything here takes walked streams (`codestream::jpeg`) but believes
//! nothing: each length and code is checked, and a picture is allocated only
//! if the stream is long enough to code it.

pub mod bits;
mod dct;
pub mod huffman;
mod image;
pub mod lossless;
pub mod paint;
mod samples;
mod scan;

pub use image::DctImage;
pub use paint::{Ink, Mask};

use super::{Codec, PixelError};

/// A damaged stream: quarantine.
fn damaged(what: &'static str) -> PixelError {
    PixelError::Damaged { codec: Codec::Jpeg.name(), what }
}

#[cfg(test)]
mod tests;
