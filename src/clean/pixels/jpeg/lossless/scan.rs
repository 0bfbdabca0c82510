//! One scan of a lossless process: bits in, samples of its components out
//! (ISO/IEC 10918-1 §H.1.2, §H.2).

use super::Frame;
use super::table::Differences;
use crate::clean::pixels::PixelError;
use crate::clean::pixels::jpeg::bits::BitReader;
use crate::clean::pixels::jpeg::damaged;
use crate::clean::pixels::jpeg::huffman::HuffmanTable;

/// What a scan header says.
pub(super) struct Header<'a> {
    /// Identifier and tables of each component.
    pub(super) described: &'a [[u8; 2]],
    /// Ss: 1 to 7.
    pub(super) predictor: u8,
    /// Al: low bits that were left off.
    pub(super) shift: u8,
    /// Units between restart markers; 0 for none.
    pub(super) restart_interval: usize,
}

/// A component while its scan is read.
struct Part {
    /// Which component of the picture.
    index: usize,
    table: Differences,
    /// Samples of an interleaved unit, across and down.
    h: usize,
    v: usize,
    samples: Vec<u16>,
    stride: usize,
}

/// Reads the samples of a scan and says how many bytes of `coded` it has.
pub(super) fn read(
    header: &Header<'_>,
    frame: &mut Frame,
    tables: &[Option<HuffmanTable>; 4],
    coded: &[u8],
) -> Result<usize, PixelError> {
    let (columns, rows) = units(header, frame)?;
    let lines = lines_of_interval(header, columns)?;
    let mut parts = parts(header, frame, tables, coded.len())?;
    let mut scan = Scan {
        reader: BitReader::new(coded),
        predictor: header.predictor,
        first_row: true,
        initial: 1 << (frame.precision - header.shift - 1),
    };
    for row in 0..rows {
        scan.first_row = row % lines == 0;
        if scan.first_row && row > 0 {
            let number = row / lines - 1;
            scan.reader.restart(u32::try_from(number % 8).unwrap_or(0))?;
        }
        scan.units(row, columns, &mut parts)?;
    }
    for part in parts {
        if let Some(component) = frame.components.get_mut(part.index) {
            component.samples = part.samples;
            component.stride = part.stride;
            component.shift = header.shift;
        }
    }
    Ok(scan.reader.marker())
}

/// The components of the scan, with room for their samples.
fn parts(
    header: &Header<'_>,
    frame: &Frame,
    tables: &[Option<HuffmanTable>; 4],
    coded_bytes: usize,
) -> Result<Vec<Part>, PixelError> {
    let (columns, rows) = units(header, frame)?;
    let single = header.described.len() == 1;
    let mut parts: Vec<Part> = Vec::with_capacity(header.described.len());
    // Each sample takes one bit at least.
    let mut bits_left = coded_bytes.saturating_mul(8);
    for [id, table] in header.described {
        let (index, component) = frame.component(*id)?;
        let (h, v) = if single { (1, 1) } else { (component.h, component.v) };
        let table = tables.get(usize::from(table >> 4)).and_then(Option::as_ref);
        let table = table.ok_or(damaged("a scan without Huffman table"))?;
        let count = columns * h * rows * v;
        bits_left = bits_left.checked_sub(count).ok_or(damaged("samples end early"))?;
        if parts.iter().any(|part| part.index == index) || !component.samples.is_empty() {
            return Err(damaged("a component in two scans"));
        }
        let samples = vec![0; count];
        let table = Differences::new(table);
        parts.push(Part { index, table, h, v, samples, stride: columns * h });
    }
    Ok(parts)
}

/// Units in a row, and rows of them: samples of a single component, else blocks
/// of samples of all (§A.2, with data units of one sample).
fn units(header: &Header<'_>, frame: &Frame) -> Result<(usize, usize), PixelError> {
    let [[id, _]] = header.described else {
        return Ok((frame.width.div_ceil(frame.h_max), frame.height.div_ceil(frame.v_max)));
    };
    let (_, component) = frame.component(*id)?;
    Ok((
        (frame.width * component.h).div_ceil(frame.h_max),
        (frame.height * component.v).div_ceil(frame.v_max),
    ))
}

/// Rows of units between restarts, which only happen at the beginning of a row
/// (§H.1.1).
fn lines_of_interval(header: &Header<'_>, columns: usize) -> Result<usize, PixelError> {
    match header.restart_interval {
        0 => Ok(usize::MAX),
        interval if interval.is_multiple_of(columns) => Ok(interval / columns),
        _within_a_row => Err(PixelError::Unsupported { what: "restarts within a line" }),
    }
}

struct Scan<'a> {
    reader: BitReader<'a>,
    predictor: u8,
    /// The row of units is the first one, or the first after a restart.
    first_row: bool,
    /// Prediction of the very first sample.
    initial: u16,
}

impl Scan<'_> {
    /// Reads one row of units.
    fn units(&mut self, row: usize, columns: usize, parts: &mut [Part]) -> Result<(), PixelError> {
        for column in 0..columns {
            for part in &mut *parts {
                for y in row * part.v..(row + 1) * part.v {
                    let first_line = self.first_row && y == row * part.v;
                    for x in column * part.h..(column + 1) * part.h {
                        let at = y * part.stride + x;
                        let prediction = self.prediction(part, at, x, first_line);
                        let difference = part.table.decode(&mut self.reader)?;
                        if let Some(sample) = part.samples.get_mut(at) {
                            *sample = prediction.wrapping_add(difference);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The prediction from the neighbours (Table H.1); in a first line from the
    /// left only, at the beginning of other lines from above (§H.1.2.1).
    #[inline]
    fn prediction(&self, part: &Part, at: usize, x: usize, first_line: bool) -> u16 {
        let sample = |back: usize| {
            at.checked_sub(back).and_then(|at| part.samples.get(at)).copied().unwrap_or_default()
        };
        match (first_line, x) {
            (true, 0) => return self.initial,
            (true, _) => return sample(1),
            (false, 0) => return sample(part.stride),
            (false, _) if self.predictor == 1 => return sample(1),
            (false, _) => {}
        }
        let [left, above, between] =
            [sample(1), sample(part.stride), sample(part.stride + 1)].map(i32::from);
        modulo(match self.predictor {
            2 => above,
            3 => between,
            4 => left + above - between,
            5 => left + ((above - between) >> 1),
            6 => above + ((left - between) >> 1),
            _ => (left + above) >> 1,
        })
    }
}

/// The low 16 bits: lossless samples are numbers modulo 2¹⁶.
#[inline]
pub(super) fn modulo(number: i32) -> u16 {
    let [low, high, ..] = number.to_le_bytes();
    u16::from_le_bytes([low, high])
}
