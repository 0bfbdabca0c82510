//! Lossless JPEG with Huffman codes (SOF3, ISO/IEC 10918-1 Annex H): a walked
//! stream in, samples out.
//!
//! Seven predictors, point transform, restarts, 2 to 16 bits, components
//! together or one scan each, also of different sampling. Invariant: a picture
//! is allocated only if the stream has a bit for each of its samples, and every
//! sample is read once. The encoder is `clean::encode::jpeg_lossless`.

mod scan;
mod table;

use super::damaged;
use super::huffman::{self, HuffmanTable};
use crate::clean::pixels::PixelError;

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DRI: u8 = 0xDD;
const DHT: u8 = 0xC4;
/// The frame header of this process.
const SOF3: u8 = 0xC3;
/// Most components of a picture. Default 4: DICOM has had one, three and four.
const COMPONENTS_MAX: usize = 4;
/// Greatest sampling factor (ISO/IEC 10918-1 §B.2.2).
const SAMPLING_MAX: u8 = 4;

/// Decodes a walked stream to samples of one byte (up to 8 bits) or two, the
/// low byte first, those of a pixel together.
///
/// # Errors
/// Another process, or a damaged stream: quarantine.
pub fn decode(stream: &[u8]) -> Result<Vec<u8>, PixelError> {
    let mut reading = Reading { stream, at: 2, ..Reading::default() };
    if stream.first_chunk::<2>() != Some(&[0xFF, SOI]) {
        return Err(damaged("no start of image"));
    }
    while reading.segment()? {}
    let frame = reading.frame.ok_or(damaged("no frame header"))?;
    if frame.components.iter().any(|component| component.samples.is_empty()) {
        return Err(damaged("a component without scan"));
    }
    Ok(frame.interleaved())
}

/// A stream that is being read.
#[derive(Default)]
struct Reading<'a> {
    stream: &'a [u8],
    at: usize,
    tables: [Option<HuffmanTable>; 4],
    /// Units between restart markers; 0 for none.
    restart_interval: usize,
    frame: Option<Frame>,
}

/// The picture.
#[derive(Debug)]
struct Frame {
    precision: u8,
    width: usize,
    height: usize,
    /// Greatest sampling factors.
    h_max: usize,
    v_max: usize,
    components: Vec<Component>,
}

/// One component; its samples lie in rows of `stride`.
#[derive(Debug)]
struct Component {
    id: u8,
    h: usize,
    v: usize,
    /// Empty until its scan was read.
    samples: Vec<u16>,
    stride: usize,
    /// Low bits that were left off (Al).
    shift: u8,
}

impl Reading<'_> {
    /// Takes one marker with what belongs to it; false after the last one.
    fn segment(&mut self) -> Result<bool, PixelError> {
        let [0xFF, marker] = *self.bytes::<2>(self.at)? else {
            return Err(damaged("bytes where a marker is due"));
        };
        if marker == EOI {
            return Ok(false);
        }
        let size = usize::from(u16::from_be_bytes(*self.bytes(self.at + 2)?));
        let end = self.at + 2 + size;
        let content = self.stream.get(self.at + 4..end).ok_or(damaged("length of a segment"))?;
        self.at = end;
        match marker {
            SOF3 => self.frame_header(content)?,
            DHT => {
                for definition in huffman::read_segment(content)? {
                    let slot = self.tables.get_mut(usize::from(definition.destination));
                    if let Some(slot) = slot.filter(|_| definition.class == 0) {
                        *slot = Some(definition.table);
                    }
                }
            }
            DRI => {
                let interval = content.first_chunk().ok_or(damaged("restart interval"))?;
                self.restart_interval = usize::from(u16::from_be_bytes(*interval));
            }
            SOS => self.scan(content)?,
            0xC0..=0xCF => return Err(PixelError::Unsupported { what: "this process of JPEG" }),
            _application_or_other => {}
        }
        Ok(true)
    }

    fn bytes<const N: usize>(&self, at: usize) -> Result<&[u8; N], PixelError> {
        let bytes = self.stream.get(at..).and_then(<[u8]>::first_chunk);
        bytes.ok_or(damaged("no end of image"))
    }

    /// `P Y X Nf`, then `C HV Tq` for each component (§B.2.2).
    fn frame_header(&mut self, content: &[u8]) -> Result<(), PixelError> {
        let wrong = || damaged("frame header");
        let ([precision, y1, y0, x1, x0, count], described) =
            content.split_first_chunk::<6>().ok_or_else(wrong)?;
        let (described, rest) = described.as_chunks::<3>();
        let components: Vec<Component> = described.iter().map(Component::new).collect();
        let sampled = |component: &Component| {
            let range = 1..=usize::from(SAMPLING_MAX);
            range.contains(&component.h) && range.contains(&component.v)
        };
        let sound = (2..=16).contains(precision)
            && (1..=COMPONENTS_MAX).contains(&components.len())
            && components.len() == usize::from(*count)
            && rest.is_empty()
            && components.iter().all(sampled);
        let frame = Frame {
            precision: *precision,
            width: usize::from(u16::from_be_bytes([*x1, *x0])),
            height: usize::from(u16::from_be_bytes([*y1, *y0])),
            h_max: components.iter().map(|component| component.h).max().unwrap_or(1),
            v_max: components.iter().map(|component| component.v).max().unwrap_or(1),
            components,
        };
        if self.frame.is_some() || !sound || frame.width == 0 || frame.height == 0 {
            return Err(wrong());
        }
        self.frame = Some(frame);
        Ok(())
    }

    /// `Ns`, then `Cs TdTa` for each component, `Ss Se AhAl` (§B.2.3), and the
    /// coded samples.
    fn scan(&mut self, content: &[u8]) -> Result<(), PixelError> {
        let wrong = || damaged("scan header");
        let frame = self.frame.as_mut().ok_or_else(wrong)?;
        let (count, rest) = content.split_first().ok_or_else(wrong)?;
        let (described, [predictor, _end, shift]) =
            rest.split_last_chunk::<3>().ok_or_else(wrong)?;
        let (described, odd) = described.as_chunks::<2>();
        let shift = shift & 15;
        let sound = (1..=COMPONENTS_MAX).contains(&described.len())
            && described.len() == usize::from(*count)
            && odd.is_empty()
            && (1..=7).contains(predictor)
            && shift < frame.precision;
        if !sound {
            return Err(wrong());
        }
        let coded = self.stream.get(self.at..).unwrap_or_default();
        let header = scan::Header {
            described,
            predictor: *predictor,
            shift,
            restart_interval: self.restart_interval,
        };
        self.at += scan::read(&header, frame, &self.tables, coded)?;
        Ok(())
    }
}

impl Component {
    fn new([id, sampling, _quantiser]: &[u8; 3]) -> Self {
        let (h, v) = (usize::from(sampling >> 4), usize::from(sampling & 15));
        Self { id: *id, h, v, samples: Vec::new(), stride: 0, shift: 0 }
    }
}

impl Frame {
    /// Number and description of the component with an identifier.
    fn component(&self, id: u8) -> Result<(usize, &Component), PixelError> {
        let mut components = self.components.iter().enumerate();
        components.find(|(_, component)| component.id == id).ok_or(damaged("scan header"))
    }

    /// The samples of each pixel together; those of a component with fewer of
    /// them are repeated.
    fn interleaved(&self) -> Vec<u8> {
        let width = if self.precision > 8 { 2 } else { 1 };
        let pixel = width * self.components.len();
        let mut bytes = vec![0; self.width * self.height * pixel];
        for (index, component) in self.components.iter().enumerate() {
            let rows = bytes.chunks_exact_mut(self.width * pixel);
            for (y, row) in rows.enumerate() {
                let first = y * component.v / self.v_max * component.stride;
                let line = component.samples.get(first..).unwrap_or_default();
                let targets =
                    row.chunks_exact_mut(width).skip(index).step_by(self.components.len());
                for (x, target) in targets.enumerate() {
                    let x =
                        if component.h == self.h_max { x } else { x * component.h / self.h_max };
                    let sample = line.get(x).copied().unwrap_or_default();
                    let word = (sample << component.shift).to_le_bytes();
                    for (byte, value) in target.iter_mut().zip(word) {
                        *byte = value;
                    }
                }
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests;
