//! JPEG-LS without loss (NEAR 0), which both JPEG-LS transfer syntaxes allow
//! (PS3.5 §A.4.3): a frame of stored samples in, a codestream out.
//!
//! Written here and not left to CharLS, which decodes: its interface reserves
//! as many bytes as the samples have and refuses frames that do not become
//! smaller, such as noise. Its output otherwise is the same byte for byte; the
//! tests hold the two together.

mod bits;
mod scan;

use crate::clean::pixels::codestream::Interleave;
use crate::clean::pixels::frame::word;
use crate::clean::pixels::{Decoded, PixelError, StoredFrame};
use scan::Scan;

/// Fewest and most bits of a sample (ISO/IEC 14495-1, P).
const PRECISION_MIN: u8 = 2;
const PRECISION_MAX: u8 = 16;
/// Above this precision older decoders take other thresholds for the default
/// ones; they are written out, as CharLS does.
const PRECISION_PLAIN_MAX: u8 = 12;

/// Encodes one frame with the precision and the interleave mode that the
/// received codestream had.
///
/// # Errors
/// Samples that JPEG-LS cannot hold: quarantine.
pub(super) fn encode(decoded: &Decoded) -> Result<Vec<u8>, PixelError> {
    let frame = &decoded.frame;
    let precision = decoded.header.precision.max(frame.bits.stored).max(PRECISION_MIN);
    if precision > PRECISION_MAX {
        return Err(PixelError::Unsupported { what: "JPEG-LS of more than 16 bits" });
    }
    let too_large = |_too_large| PixelError::OverLimit { limit: "size of a JPEG-LS frame" };
    let width = u16::try_from(frame.width).map_err(too_large)?;
    let height = u16::try_from(frame.height).map_err(too_large)?;
    let components: &[u8] = if frame.samples() == 3 { &[1, 2, 3] } else { &[1] };
    let mut bytes = vec![0xFF, 0xD8];
    put_frame_header(&mut bytes, precision, [height, width], components);
    if precision > PRECISION_PLAIN_MAX {
        put_presets(&mut bytes, precision);
    }
    let samples = samples(frame, precision);
    let width = usize::from(width);
    match (decoded.header.interleave, components) {
        (Interleave::Line, [_, _, ..]) => {
            put_scan_header(&mut bytes, components, 1);
            bytes = Scan::new(width, precision, bytes).by_line(&samples, components.len());
        }
        (Interleave::Sample, [_, _, ..]) => {
            put_scan_header(&mut bytes, components, 2);
            bytes = Scan::new(width, precision, bytes).by_sample(&samples);
        }
        (Interleave::Component | Interleave::Line | Interleave::Sample, _) => {
            for (index, component) in components.iter().enumerate() {
                put_scan_header(&mut bytes, &[*component], 0);
                let plane: Vec<u16> =
                    samples.iter().skip(index).step_by(components.len()).copied().collect();
                bytes = Scan::new(width, precision, bytes).by_line(&plane, 1);
            }
        }
    }
    bytes.extend([0xFF, 0xD9]);
    Ok(bytes)
}

/// Samples without bits above the precision (signs drawn out).
fn samples(frame: &StoredFrame, precision: u8) -> Vec<u16> {
    let mask = u32::MAX >> (32 - u32::from(precision));
    let groups = frame.bytes.chunks_exact(frame.bits.bytes());
    groups.map(|group| u16::try_from(word(group) & mask).unwrap_or(0)).collect()
}

fn put_segment(bytes: &mut Vec<u8>, marker: u8, content: &[u8]) {
    let size = u16::try_from(content.len() + 2).unwrap_or(u16::MAX);
    bytes.extend([0xFF, marker]);
    bytes.extend(size.to_be_bytes());
    bytes.extend(content);
}

/// SOF55: precision, lines, columns, components without subsampling.
fn put_frame_header(bytes: &mut Vec<u8>, precision: u8, size: [u16; 2], components: &[u8]) {
    let mut content = vec![precision];
    content.extend(size.iter().flat_map(|side| side.to_be_bytes()));
    content.push(u8::try_from(components.len()).unwrap_or(0));
    content.extend(components.iter().flat_map(|component| [*component, 0x11, 0]));
    put_segment(bytes, 0xF7, &content);
}

/// LSE, preset coding parameters: MAXVAL, T1, T2, T3, RESET.
fn put_presets(bytes: &mut Vec<u8>, precision: u8) {
    let mut content = vec![1];
    let presets = scan::presets(precision);
    content.extend(presets.iter().flat_map(|preset| preset.to_be_bytes()));
    put_segment(bytes, 0xF8, &content);
}

/// SOS: components without mapping table, NEAR 0, interleave mode.
fn put_scan_header(bytes: &mut Vec<u8>, components: &[u8], mode: u8) {
    let mut content = vec![u8::try_from(components.len()).unwrap_or(0)];
    content.extend(components.iter().flat_map(|component| [*component, 0]));
    content.extend([0, mode, 0]);
    put_segment(bytes, 0xDA, &content);
}

#[cfg(test)]
mod tests;
