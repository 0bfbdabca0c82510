//! Entropy-coded scans of a sequential DCT process (ISO/IEC 10918-1 §F.1, §F.2):
//! bits in, blocks out, and back.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::bits::{BitReader, BitWriter, category};
use super::damaged;
use super::huffman::{self, Definition, HuffmanDecoder, HuffmanEncoder, HuffmanTable};
use super::image::{Block, Component, Frame, Shape};
use crate::clean::pixels::PixelError;

/// Most components of a scan.
const COMPONENTS_MAX: usize = 4;
/// Classes of Huffman tables: DC and AC.
const CLASSES: usize = 2;
/// Symbols that a Huffman table can have.
const SYMBOLS: usize = 256;
/// Place of the last coefficient.
const LAST: usize = 63;
/// Run of 16 zeros, and end of block.
const ZEROS_16: u8 = 0xF0;
const END_OF_BLOCK: u8 = 0;
/// Greatest magnitude category that is read: 12 bits need 15.
const CATEGORY_MAX: u8 = 15;

/// Decoding tables by class (DC, AC) and destination.
pub(super) type Tables = [[Option<HuffmanDecoder>; 4]; 2];

/// What a scan holds.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) components: Vec<Part>,
    /// Interleaved units between restart markers; 0 for none.
    pub(super) restart_interval: u32,
}

/// One component of a scan.
#[derive(Debug)]
pub(super) struct Part {
    /// Which component of the picture.
    pub(super) index: usize,
    pub(super) id: u8,
    /// Destinations of its DC and its AC table.
    pub(super) tables: [usize; 2],
}

/// What comes next in a scan.
enum Step {
    /// The restart marker with this number, counted from 0.
    Restart(u32),
    /// Block `block` of the `slot`-th component of the scan.
    Block { slot: usize, block: usize },
}

/// Goes through a scan in the order of coding (ISO/IEC 10918-1 §A.2): one
/// component by blocks, several by interleaved units.
fn in_order<E>(
    scan: &Scan,
    frame: &Frame,
    components: &[Shape],
    mut each: impl FnMut(Step) -> Result<(), E>,
) -> Result<(), E> {
    let (mut wide, mut high) = frame.units();
    let mut units: Vec<Shape> =
        scan.components.iter().filter_map(|part| components.get(part.index).copied()).collect();
    if let [single] = units.as_mut_slice() {
        (wide, high) = (single.wide, single.high);
        (single.h, single.v) = (1, 1);
    }
    let mut left = scan.restart_interval;
    let mut restarts = 0;
    for row in 0..high {
        for column in 0..wide {
            if scan.restart_interval > 0 {
                if left == 0 {
                    each(Step::Restart(restarts))?;
                    restarts += 1;
                    left = scan.restart_interval;
                }
                left -= 1;
            }
            for (slot, unit) in units.iter().enumerate() {
                for y in 0..unit.v {
                    let first = (row * unit.v + y) * unit.stride + column * unit.h;
                    for block in first..first + unit.h {
                        each(Step::Block { slot, block })?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn shapes(components: &[Component]) -> Vec<Shape> {
    components.iter().map(|component| component.shape).collect()
}

/// Reads the blocks of a scan and says how many bytes of `coded` it has.
pub(super) fn read(
    scan: &Scan,
    frame: &Frame,
    tables: &Tables,
    components: &mut [Component],
    coded: &[u8],
) -> Result<usize, PixelError> {
    let mut coders = Vec::with_capacity(scan.components.len());
    let [dc_tables, ac_tables] = tables;
    for part in &scan.components {
        let dc = dc_tables.get(part.tables[0]).and_then(Option::as_ref);
        let ac = ac_tables.get(part.tables[1]).and_then(Option::as_ref);
        coders.push((part.index, dc.zip(ac).ok_or(damaged("a scan without Huffman table"))?));
    }
    let mut reader = BitReader::new(coded);
    let mut predictions = [0_i32; COMPONENTS_MAX];
    in_order(scan, frame, &shapes(components), |step| match step {
        Step::Restart(number) => {
            predictions = [0; COMPONENTS_MAX];
            reader.restart(number)
        }
        Step::Block { slot, block } => {
            let coder = coders.get(slot).zip(predictions.get_mut(slot));
            let Some(((index, (dc, ac)), prediction)) = coder else { return Ok(()) };
            let target =
                components.get_mut(*index).and_then(|component| component.blocks.get_mut(block));
            let target = target.ok_or(damaged("size of a scan"))?;
            read_block((dc, ac), &mut reader, prediction, target)
        }
    })?;
    Ok(reader.marker())
}

/// Reads one block (ISO/IEC 10918-1 §F.2.2).
fn read_block(
    (dc, ac): (&HuffmanDecoder, &HuffmanDecoder),
    reader: &mut BitReader<'_>,
    prediction: &mut i32,
    block: &mut Block,
) -> Result<(), PixelError> {
    let too_large = || damaged("a coefficient out of range");
    let category = dc.decode(reader)?;
    if category > CATEGORY_MAX {
        return Err(too_large());
    }
    *prediction += reader.signed(u32::from(category))?;
    let first = i16::try_from(*prediction).map_err(|_out| too_large())?;
    block.set(0, first);
    let mut at = 0;
    while at < LAST {
        let symbol = ac.decode(reader)?;
        let (run, category) = (usize::from(symbol >> 4), symbol & 15);
        match symbol {
            END_OF_BLOCK => return Ok(()),
            ZEROS_16 => at += 16,
            _progressive if category == 0 => return Err(damaged("run of zeros")),
            _value => {
                at += run + 1;
                let value = reader.signed(u32::from(category))?;
                let value = i16::try_from(value).map_err(|_out| too_large())?;
                block.set(at, value).ok_or(damaged("run of zeros"))?;
            }
        }
    }
    Ok(())
}

/// Writes Huffman tables, scan header and blocks.
pub(super) fn write(scan: &Scan, frame: &Frame, components: &[Component], stream: &mut Vec<u8>) {
    let mut frequencies = Frequencies(vec![0; entry(scan.components.len(), 0, 0)]);
    code(scan, frame, components, &mut frequencies);
    let tables = best_tables(scan, &frequencies);
    stream.extend(huffman::segment(&tables));
    put_header(scan, stream);
    let mut coder = Coder { codes: codes(scan, &tables), bits: BitWriter::default() };
    code(scan, frame, components, &mut coder);
    stream.extend(coder.bits.finish());
}

fn put_header(scan: &Scan, stream: &mut Vec<u8>) {
    let count = u8::try_from(scan.components.len()).unwrap_or(0);
    stream.extend([0xFF, 0xDA, 0, 6 + 2 * count, count]);
    for part in &scan.components {
        let [dc, ac] = part.tables.map(|table| u8::try_from(table).unwrap_or(0));
        stream.extend([part.id, dc << 4 | ac]);
    }
    stream.extend([0, 63, 0]);
}

/// What is done with the symbols of a scan: they are counted, then written.
trait Sink {
    fn restart(&mut self, number: u32);
    /// A symbol (see [`entry`]) and the additional bits of `value`.
    fn put(&mut self, entry: usize, value: i32, category: u32);
}

/// Where the symbol of a slot and class stands in a flat table.
fn entry(slot: usize, class: usize, symbol: u8) -> usize {
    (slot * CLASSES + class) * SYMBOLS + usize::from(symbol)
}

struct Frequencies(Vec<u64>);

impl Sink for Frequencies {
    fn restart(&mut self, _number: u32) {}

    fn put(&mut self, entry: usize, _value: i32, _category: u32) {
        if let Some(count) = self.0.get_mut(entry) {
            *count += 1;
        }
    }
}

struct Coder {
    /// Codes with their lengths.
    codes: Vec<(u32, u32)>,
    bits: BitWriter,
}

impl Sink for Coder {
    fn restart(&mut self, number: u32) {
        self.bits.restart(number);
    }

    fn put(&mut self, entry: usize, value: i32, category: u32) {
        let (code, length) = self.codes.get(entry).copied().unwrap_or_default();
        self.bits.put_coded(code, length, value, category);
    }
}

fn code(scan: &Scan, frame: &Frame, components: &[Component], sink: &mut impl Sink) {
    let mut predictions = [0_i32; COMPONENTS_MAX];
    let Ok(()) = in_order::<Infallible>(scan, frame, &shapes(components), |step| {
        match step {
            Step::Restart(number) => {
                predictions = [0; COMPONENTS_MAX];
                sink.restart(number);
            }
            Step::Block { slot, block } => {
                let component =
                    scan.components.get(slot).and_then(|part| components.get(part.index));
                let block = component.and_then(|component| component.blocks.get(block));
                if let Some((block, prediction)) = block.zip(predictions.get_mut(slot)) {
                    code_block(block, prediction, slot, sink);
                }
            }
        }
        Ok(())
    });
}

/// Codes one block (ISO/IEC 10918-1 §F.1.2).
fn code_block(block: &Block, prediction: &mut i32, slot: usize, sink: &mut impl Sink) {
    let [dc, ..] = *block.values();
    let difference = i32::from(dc) - *prediction;
    *prediction = i32::from(dc);
    let size = category(difference);
    sink.put(entry(slot, 0, u8::try_from(size).unwrap_or(u8::MAX)), difference, size);
    let mut rest = block.nonzero() & !1;
    let mut last = 0;
    while rest != 0 {
        let at = usize::try_from(rest.trailing_zeros()).unwrap_or(LAST);
        rest &= rest - 1;
        let mut run = at - last - 1;
        last = at;
        while run >= 16 {
            sink.put(entry(slot, 1, ZEROS_16), 0, 0);
            run -= 16;
        }
        let value = block.values().get(at).copied().map_or(0, i32::from);
        let size = category(value);
        let symbol = run << 4 | usize::try_from(size).unwrap_or(0);
        sink.put(entry(slot, 1, 0) + symbol, value, size);
    }
    if last < LAST {
        sink.put(entry(slot, 1, END_OF_BLOCK), 0, 0);
    }
}

/// The best table for each destination that the scan uses.
fn best_tables(scan: &Scan, frequencies: &Frequencies) -> Vec<Definition> {
    let mut sums: BTreeMap<(u8, u8), [u64; SYMBOLS]> = BTreeMap::new();
    let mut counted = frequencies.0.chunks_exact(SYMBOLS);
    for part in &scan.components {
        for (class, destination) in (0..).zip(part.tables) {
            let destination = u8::try_from(destination).unwrap_or(0);
            let sum = sums.entry((class, destination)).or_insert([0; SYMBOLS]);
            for (sum, count) in sum.iter_mut().zip(counted.next().unwrap_or_default()) {
                *sum += count;
            }
        }
    }
    sums.into_iter()
        .map(|((class, destination), sum)| Definition {
            class,
            destination,
            table: HuffmanTable::optimal(&sum),
        })
        .collect()
}

/// The codes of the tables in the order of [`entry`].
fn codes(scan: &Scan, tables: &[Definition]) -> Vec<(u32, u32)> {
    let mut codes = Vec::with_capacity(entry(scan.components.len(), 0, 0));
    for part in &scan.components {
        for (class, destination) in (0..).zip(part.tables) {
            let is_it = |table: &&Definition| {
                table.class == class && usize::from(table.destination) == destination
            };
            let encoder = tables.iter().find(is_it).map(|found| HuffmanEncoder::new(&found.table));
            let code = |symbol| encoder.as_ref().map(|encoder| encoder.code(symbol));
            codes.extend((0..=u8::MAX).map(|symbol| code(symbol).unwrap_or_default()));
        }
    }
    codes
}
