//! A sequential DCT stream as its coefficients, and back: every marker segment
//! stays as it is but Huffman tables and scan headers, which are made anew.
//!
//! Invariant: what [`DctImage::write`] gives has the coefficients that are held
//! here, each of them, so that an unchanged image comes back unchanged.

use super::damaged;
use super::huffman::{self, HuffmanDecoder};
use super::scan::{self, Scan, Tables};
use crate::clean::pixels::PixelError;

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DQT: u8 = 0xDB;
const DRI: u8 = 0xDD;
const DHT: u8 = 0xC4;
/// Greatest sampling factor (ISO/IEC 10918-1 §B.2.2).
const SAMPLING_MAX: u8 = 4;
/// Least number of bits of a coded block: one for DC, one for the end of block.
const BLOCK_BITS_MIN: usize = 2;

/// Quantised coefficients of 8 × 8 samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// In zigzag order.
    values: [i16; 64],
    /// Which of them are not 0, the first one lowest: most are, and going over
    /// them would cost more than coding the others.
    nonzero: u64,
}

impl Block {
    pub(super) const EMPTY: Self = Self { values: [0; 64], nonzero: 0 };

    pub(super) fn new(values: [i16; 64]) -> Self {
        let bit = |at: usize| 1_u64 << at;
        let set = values.iter().enumerate().filter(|(_, value)| **value != 0);
        Self { nonzero: set.fold(0, |bits, (at, _)| bits | bit(at)), values }
    }

    pub(super) fn values(&self) -> &[i16; 64] {
        &self.values
    }

    pub(super) fn nonzero(&self) -> u64 {
        self.nonzero
    }

    /// Sets the value at `at`, if there is such a place.
    pub(super) fn set(&mut self, at: usize, value: i16) -> Option<()> {
        *self.values.get_mut(at)? = value;
        let bit = 1 << at;
        self.nonzero = if value == 0 { self.nonzero & !bit } else { self.nonzero | bit };
        Some(())
    }
}

/// How the blocks of a component lie.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shape {
    /// Horizontal and vertical sampling factor.
    pub(super) h: usize,
    pub(super) v: usize,
    /// Blocks that have a sample inside the picture.
    pub(super) wide: usize,
    pub(super) high: usize,
    /// Blocks of a row with those that only fill up the last interleaved unit.
    pub(super) stride: usize,
}

/// One component.
#[derive(Debug)]
pub(super) struct Component {
    id: u8,
    pub(super) shape: Shape,
    quantiser: u8,
    /// The table that held when the component's scan began, in zigzag order.
    pub(super) quantisation: Option<[u16; 64]>,
    pub(super) blocks: Vec<Block>,
}

/// Sizes of the picture.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Bits of a sample: 8 or 12.
    pub(super) precision: u8,
    /// Greatest sampling factors of the components.
    pub(super) h_max: usize,
    pub(super) v_max: usize,
}

impl Frame {
    /// Interleaved units in a row, and rows of them.
    pub(super) fn units(&self) -> (usize, usize) {
        (self.width.div_ceil(8 * self.h_max), self.height.div_ceil(8 * self.v_max))
    }

    /// The greatest sample.
    pub(super) fn sample_max(&self) -> i32 {
        (1 << self.precision) - 1
    }
}

/// What stands between the start and the end of the image, in order.
#[derive(Debug)]
pub(super) enum Part<'a> {
    /// A segment with its marker, as it came.
    Segment(&'a [u8]),
    Scan(Scan),
}

/// A sequential DCT picture (SOF0, SOF1), as coefficients.
#[derive(Debug)]
pub struct DctImage<'a> {
    pub(super) frame: Frame,
    pub(super) components: Vec<Component>,
    pub(super) parts: Vec<Part<'a>>,
}

impl<'a> DctImage<'a> {
    /// Reads a walked stream. The caller has compared its header with the data
    /// set, which bounds the size.
    ///
    /// # Errors
    /// Another process, a picture without known height, or a damaged stream:
    /// quarantine.
    pub fn read(stream: &'a [u8]) -> Result<Self, PixelError> {
        let mut reading = Reading { stream, ..Reading::default() };
        if stream.first_chunk::<2>() != Some(&[0xFF, SOI]) {
            return Err(damaged("no start of image"));
        }
        reading.at = 2;
        while reading.segment()? {}
        let Reading { frame: Some(frame), components, parts, .. } = reading else {
            return Err(damaged("no frame header"));
        };
        if components.iter().any(|component| component.blocks.is_empty()) {
            return Err(damaged("a component without scan"));
        }
        Ok(Self { frame, components, parts })
    }

    /// The coded stream, with the shortest Huffman codes for what it holds.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut stream = vec![0xFF, SOI];
        for part in &self.parts {
            match part {
                Part::Segment(bytes) => stream.extend_from_slice(bytes),
                Part::Scan(scan) => scan::write(scan, &self.frame, &self.components, &mut stream),
            }
        }
        stream.extend([0xFF, EOI]);
        stream
    }
}

/// What is known on the way through a stream.
#[derive(Debug, Default)]
struct Reading<'a> {
    stream: &'a [u8],
    at: usize,
    frame: Option<Frame>,
    components: Vec<Component>,
    parts: Vec<Part<'a>>,
    quantisation: [Option<[u16; 64]>; 4],
    tables: Tables,
    restart_interval: u32,
}

impl<'a> Reading<'a> {
    /// Takes one segment; false after the end of the image.
    fn segment(&mut self) -> Result<bool, PixelError> {
        let start = self.at;
        let rest = self.stream.get(start..).unwrap_or_default();
        let marker = match rest {
            [0xFF, EOI, ..] => return Ok(false),
            [0xFF, marker, ..] => *marker,
            _no_marker => return Err(damaged("bytes where a marker is due")),
        };
        let size =
            rest.get(2..).and_then(<[u8]>::first_chunk).map(|size| u16::from_be_bytes(*size));
        let end = start + 2 + usize::from(size.unwrap_or(0));
        let content = self.stream.get(start + 4..end).ok_or(damaged("length of a segment"))?;
        self.at = end;
        match marker {
            DHT => return self.huffman_tables(content).map(|()| true),
            SOS => return self.scan(content).map(|()| true),
            0xC0 | 0xC1 => self.frame_header(marker, content)?,
            0xC2..=0xCF => return Err(PixelError::Unsupported { what: "this process of JPEG" }),
            0xDC => return Err(PixelError::Unsupported { what: "open-ended JPEG" }),
            DQT => self.quantisation_tables(content)?,
            DRI => {
                let interval = content.first_chunk().ok_or(damaged("restart interval"))?;
                self.restart_interval = u32::from(u16::from_be_bytes(*interval));
            }
            _application => {}
        }
        self.parts.push(Part::Segment(self.stream.get(start..end).unwrap_or_default()));
        Ok(true)
    }

    fn huffman_tables(&mut self, content: &[u8]) -> Result<(), PixelError> {
        for definition in huffman::read_segment(content)? {
            let class = self.tables.get_mut(usize::from(definition.class));
            let place = class.and_then(|class| class.get_mut(usize::from(definition.destination)));
            if let Some(place) = place {
                *place = Some(HuffmanDecoder::new(&definition.table));
            }
        }
        Ok(())
    }

    /// `Pq Tq` and 64 numbers of one or two bytes (ISO/IEC 10918-1 §B.2.4.1).
    fn quantisation_tables(&mut self, mut content: &[u8]) -> Result<(), PixelError> {
        let wrong = || damaged("quantisation table");
        while let Some((place, rest)) = content.split_first() {
            let width = usize::from(place >> 4) + 1;
            let (numbers, rest) = rest.split_at_checked(64 * width).ok_or_else(wrong)?;
            let target = self.quantisation.get_mut(usize::from(place & 15)).ok_or_else(wrong)?;
            let mut table = [0; 64];
            for (entry, number) in table.iter_mut().zip(numbers.chunks_exact(width)) {
                *entry = number.iter().fold(0, |high, low| high << 8 | u16::from(*low));
            }
            if width > 2 || table.contains(&0) {
                return Err(wrong());
            }
            *target = Some(table);
            content = rest;
        }
        Ok(())
    }

    fn frame_header(&mut self, marker: u8, content: &[u8]) -> Result<(), PixelError> {
        let wrong = || damaged("frame header");
        let ([precision, h1, h0, w1, w0, count], described) =
            content.split_first_chunk().ok_or_else(wrong)?;
        let (described, rest) = described.as_chunks::<3>();
        let deep = *precision == 12 && marker != 0xC0;
        let sound = (*precision == 8 || deep)
            && rest.is_empty()
            && (1..=4).contains(count)
            && described.len() == usize::from(*count)
            && self.frame.is_none();
        let factor = |factors: u8| (1..=SAMPLING_MAX).contains(&factors);
        if !sound || !described.iter().all(|[_, hv, _]| factor(hv >> 4) && factor(hv & 15)) {
            return Err(wrong());
        }
        let greatest = |shift: u8| {
            described.iter().map(|[_, hv, _]| usize::from(hv >> shift & 15)).max().unwrap_or(1)
        };
        let frame = Frame {
            width: usize::from(u16::from_be_bytes([*w1, *w0])),
            height: usize::from(u16::from_be_bytes([*h1, *h0])),
            precision: *precision,
            h_max: greatest(4),
            v_max: greatest(0),
        };
        if frame.width == 0 || frame.height == 0 {
            return Err(PixelError::Unsupported { what: "open-ended JPEG" });
        }
        self.components = described.iter().map(|parts| component(&frame, *parts)).collect();
        let blocks =
            self.components.iter().map(|component| component.shape.wide * component.shape.high);
        if blocks.sum::<usize>() > self.stream.len() * 8 / BLOCK_BITS_MIN {
            return Err(damaged("samples end early"));
        }
        self.frame = Some(frame);
        Ok(())
    }

    /// A scan header and what it codes (ISO/IEC 10918-1 §B.2.3). The spectral
    /// selection says nothing in a sequential process.
    fn scan(&mut self, content: &'a [u8]) -> Result<(), PixelError> {
        let frame = self.frame.ok_or(damaged("a scan before the frame header"))?;
        let mut scan = Scan { components: Vec::new(), restart_interval: self.restart_interval };
        let wrong = || damaged("scan header");
        let (count, rest) = content.split_first().ok_or_else(wrong)?;
        let selected = rest.get(..2 * usize::from(*count)).ok_or_else(wrong)?;
        for [id, tables] in selected.as_chunks::<2>().0 {
            let is_next =
                |component: &Component| component.id == *id && component.blocks.is_empty();
            let index = self.components.iter().position(is_next).ok_or_else(wrong)?;
            self.allocate(&frame, index)?;
            scan.components.push(scan::Part {
                index,
                id: *id,
                tables: [usize::from(tables >> 4), usize::from(tables & 15)],
            });
        }
        if scan.components.is_empty() {
            return Err(wrong());
        }
        let coded = self.stream.get(self.at..).unwrap_or_default();
        self.at += scan::read(&scan, &frame, &self.tables, &mut self.components, coded)?;
        self.parts.push(Part::Scan(scan));
        Ok(())
    }

    /// Makes room for the blocks of a component whose scan begins.
    fn allocate(&mut self, frame: &Frame, index: usize) -> Result<(), PixelError> {
        let Some(component) = self.components.get_mut(index) else { return Ok(()) };
        let quantiser = usize::from(component.quantiser);
        component.quantisation = self.quantisation.get(quantiser).copied().flatten();
        let count = component.shape.stride * frame.units().1 * component.shape.v;
        component
            .blocks
            .try_reserve_exact(count)
            .map_err(|_no_memory| PixelError::OverLimit { limit: "memory" })?;
        component.blocks.resize(count, Block::EMPTY);
        Ok(())
    }
}

/// A component of `C`, `H V`, `Tq`, still without blocks.
pub(super) fn component(frame: &Frame, [id, sampling, quantiser]: [u8; 3]) -> Component {
    let (h, v) = (usize::from(sampling >> 4), usize::from(sampling & 15));
    let shape = Shape {
        h,
        v,
        wide: (frame.width * h).div_ceil(frame.h_max).div_ceil(8),
        high: (frame.height * v).div_ceil(frame.v_max).div_ceil(8),
        stride: frame.units().0 * h,
    };
    Component { id, shape, quantiser, quantisation: None, blocks: Vec::new() }
}
