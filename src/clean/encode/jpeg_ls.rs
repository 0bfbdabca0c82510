//! JPEG-LS without loss (NEAR 0), which both JPEG-LS transfer syntaxes allow
//! (PS3.5 §A.4.3).

use charls::{CharLS, FrameInfo, InterleaveMode};

use crate::clean::pixels::frame::word;
use crate::clean::pixels::{PixelError, StoredFrame};

/// Fewest bits of a sample (ISO/IEC 14495-1, P).
const PRECISION_MIN: u8 = 2;

/// Encodes one frame with samples of `precision` bits, which is what the
/// received codestream had.
///
/// # Errors
/// Samples that JPEG-LS cannot hold, or a failing encoder: quarantine.
pub(super) fn encode(frame: &StoredFrame, precision: u8) -> Result<Vec<u8>, PixelError> {
    let precision = precision.max(frame.bits.stored).max(PRECISION_MIN);
    if precision > 16 {
        return Err(PixelError::Unsupported { what: "JPEG-LS of more than 16 bits" });
    }
    let info = FrameInfo {
        width: frame.width,
        height: frame.height,
        bits_per_sample: i32::from(precision),
        component_count: if frame.samples() == 3 { 3 } else { 1 },
    };
    let mut encoder = CharLS::default();
    let coded = if frame.samples() == 3 {
        // Not the default, which would take interleaved samples for planes.
        encoder.set_interleave_mode(InterleaveMode::Sample)
    } else {
        Ok(())
    };
    coded
        .and_then(|()| encoder.encode(info, 0, &samples(frame, precision)))
        .map_err(|_code| PixelError::Damaged { codec: "JPEG-LS", what: "cannot be encoded" })
}

/// One byte for up to 8 bits, else two; bits above the precision (signs drawn
/// out) are left off.
fn samples(frame: &StoredFrame, precision: u8) -> Vec<u8> {
    let width = frame.bits.bytes();
    let narrow = if precision <= 8 { 1 } else { 2 };
    if width == narrow && u32::from(precision) == 8 * u32::from(frame.bits.allocated / 8) {
        return frame.bytes.clone();
    }
    let mask = u32::MAX >> (32 - u32::from(precision));
    let mut bytes = Vec::with_capacity(frame.bytes.len() / width * narrow);
    for group in frame.bytes.chunks_exact(width) {
        let value = (word(group) & mask).to_le_bytes();
        bytes.extend(value.iter().take(narrow));
    }
    bytes
}
