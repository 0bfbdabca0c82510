//! JPEG of our own (ISO/IEC 10918-1), for what no decoder crate does: changing
//! a picture without touching the rest of it.
//!
//! [`bits`] and [`huffman`] are the layer that all Huffman-coded processes
//! share. Everything here takes walked streams only: the structure was checked
//! and what must not pass was taken out before (`codestream::jpeg`).

pub mod bits;
pub mod huffman;
pub mod lossless;

use super::{Codec, PixelError};

/// A damaged stream: quarantine.
fn damaged(what: &'static str) -> PixelError {
    PixelError::Damaged { codec: Codec::Jpeg.name(), what }
}
