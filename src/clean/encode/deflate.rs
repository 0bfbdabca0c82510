//! Deflated Image Frame Compression (PS3.5 §A.4.13): a native frame in, its
//! deflated bytes out, the same ones for the same frame.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::clean::pixels::PixelError;

/// Deflates one frame, without a header of zlib or gzip.
///
/// # Errors
/// None in practice: it writes to memory.
pub(super) fn encode(frame: &[u8]) -> Result<Vec<u8>, PixelError> {
    let mut deflater = DeflateEncoder::new(Vec::new(), Compression::default());
    deflater.write_all(frame)?;
    Ok(deflater.finish()?)
}
