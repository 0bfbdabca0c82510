//! Streams of every shape, made by a plain encoder that knows nothing of the
//! decoder, and damaged ones.

use super::decode;
use crate::clean::pixels::jpeg::bits::{BitWriter, category};
use crate::clean::pixels::jpeg::huffman::{self, Definition, HuffmanEncoder, HuffmanTable};

const WIDTH: usize = 13;
const HEIGHT: usize = 7;

/// How a stream is made.
#[derive(Debug, Clone)]
struct Make {
    precision: u8,
    predictor: u8,
    shift: u8,
    /// Rows of units between restarts; 0 for none.
    restart_rows: usize,
    /// Sampling factors of each component.
    sampling: Vec<(usize, usize)>,
    /// All components in one scan.
    together: bool,
}

const GREY: fn() -> Make = || Make {
    precision: 12,
    predictor: 1,
    shift: 0,
    restart_rows: 0,
    sampling: vec![(1, 1)],
    together: true,
};

/// Rows of samples.
type Plane = Vec<Vec<u16>>;

impl Make {
    fn factors(&self) -> (usize, usize) {
        let h = self.sampling.iter().map(|factors| factors.0).max().unwrap();
        (h, self.sampling.iter().map(|factors| factors.1).max().unwrap())
    }

    /// Samples that use the whole range, whatever the low bits were.
    fn planes(&self) -> Vec<Plane> {
        let (h_max, v_max) = self.factors();
        let mut state = 1_u32;
        let mut sample = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 13 & ((1 << self.precision) - 1)) as u16 >> self.shift
        };
        let plane = |(h, v): &(usize, usize)| {
            let (columns, rows) = ((WIDTH * h).div_ceil(h_max), (HEIGHT * v).div_ceil(v_max));
            (0..rows).map(|_| (0..columns).map(|_| sample()).collect()).collect()
        };
        self.sampling.iter().map(plane).collect()
    }

    fn stream(&self, planes: &[Plane]) -> Vec<u8> {
        let (h_max, v_max) = self.factors();
        let count = self.sampling.len() as u8;
        let mut stream = vec![0xFF, 0xD8];
        let mut sof = vec![self.precision, 0, HEIGHT as u8, 0, WIDTH as u8, count];
        for (id, (h, v)) in (1..).zip(&self.sampling) {
            sof.extend([id, (h << 4 | v) as u8, 0]);
        }
        put(&mut stream, 0xC3, &sof);
        // All seventeen categories.
        let mut frequencies = [0; 256];
        frequencies[..17].fill(1);
        let table = HuffmanTable::optimal(&frequencies);
        let encoder = HuffmanEncoder::new(&table);
        stream.extend(huffman::segment(&[Definition { class: 0, destination: 2, table }]));
        let all: Vec<usize> = (0..planes.len()).collect();
        let scans: Vec<&[usize]> = if self.together { vec![&all] } else { all.chunks(1).collect() };
        for scan in scans {
            let single = scan.len() == 1;
            let plane = &planes[scan[0]];
            let (columns, rows) = if single {
                (plane[0].len(), plane.len())
            } else {
                (WIDTH.div_ceil(h_max), HEIGHT.div_ceil(v_max))
            };
            let interval = (self.restart_rows * columns) as u16;
            put(&mut stream, 0xDD, &interval.to_be_bytes());
            let mut sos = vec![scan.len() as u8];
            scan.iter().for_each(|index| sos.extend([*index as u8 + 1, 0x20]));
            sos.extend([self.predictor, 0, self.shift]);
            put(&mut stream, 0xDA, &sos);
            let mut writer = BitWriter::default();
            for row in 0..rows {
                if self.restart_rows > 0 && row > 0 && row % self.restart_rows == 0 {
                    writer.restart((row / self.restart_rows - 1) as u32);
                }
                for column in 0..columns {
                    for index in scan {
                        let (h, v) = if single { (1, 1) } else { self.sampling[*index] };
                        for (dy, dx) in (0..v).flat_map(|dy| (0..h).map(move |dx| (dy, dx))) {
                            let (x, y) = (column * h + dx, row * v + dy);
                            let first = dy == 0
                                && (row == 0
                                    || self.restart_rows > 0 && row % self.restart_rows == 0);
                            self.put_sample(&encoder, &mut writer, &planes[*index], (x, y), first);
                        }
                    }
                }
            }
            stream.extend(writer.finish());
        }
        stream.extend([0xFF, 0xD9]);
        stream
    }

    fn put_sample(
        &self,
        encoder: &HuffmanEncoder,
        writer: &mut BitWriter,
        plane: &Plane,
        (x, y): (usize, usize),
        first: bool,
    ) {
        // Units at the edge are filled up with the last samples.
        let at = |x: usize, y: usize| {
            let row = &plane[y.min(plane.len() - 1)];
            i32::from(row[x.min(row.len() - 1)])
        };
        let prediction = match (x, first) {
            (0, true) => 1 << (self.precision - self.shift - 1),
            (_, true) => at(x - 1, y),
            (0, false) => at(x, y - 1),
            (_, false) => {
                let (a, b, c) = (at(x - 1, y), at(x, y - 1), at(x - 1, y - 1));
                match self.predictor {
                    1 => a,
                    2 => b,
                    3 => c,
                    4 => a + b - c,
                    5 => a + ((b - c) >> 1),
                    6 => b + ((a - c) >> 1),
                    7 => (a + b) >> 1,
                    _ => panic!("no such predictor"),
                }
            }
        };
        let difference = i32::from((at(x, y) - prediction) as i16);
        let (code, length) = encoder.code(category(difference) as u8);
        writer.put(code, length);
        if category(difference) < 16 {
            writer.put_signed(difference, category(difference));
        }
    }

    /// What a decoder has to give.
    fn expected(&self, planes: &[Plane]) -> Vec<u8> {
        let (h_max, v_max) = self.factors();
        let mut bytes = Vec::new();
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                for (plane, (h, v)) in planes.iter().zip(&self.sampling) {
                    let sample = plane[y * v / v_max][x * h / h_max] << self.shift;
                    let width = if self.precision > 8 { 2 } else { 1 };
                    bytes.extend(&sample.to_le_bytes()[..width]);
                }
            }
        }
        bytes
    }
}

fn put(stream: &mut Vec<u8>, marker: u8, content: &[u8]) {
    stream.extend([0xFF, marker, 0, content.len() as u8 + 2]);
    stream.extend(content);
}

/// One of each kind.
fn kinds() -> Vec<Make> {
    let mut kinds = Vec::new();
    for predictor in 1..=7 {
        for precision in [2, 8, 12, 16] {
            kinds.push(Make { predictor, precision, ..GREY() });
        }
        kinds.push(Make { predictor, restart_rows: 2, ..GREY() });
        kinds.push(Make { predictor, shift: 3, ..GREY() });
        for together in [true, false] {
            let sampling = vec![(1, 1); 3];
            let colour = Make { sampling, together, precision: 8, predictor, ..GREY() };
            kinds.push(Make { restart_rows: 1, ..colour.clone() });
            kinds.push(Make { sampling: vec![(2, 1), (1, 1), (1, 1)], ..colour.clone() });
            kinds.push(Make { sampling: vec![(2, 2), (1, 1), (1, 2)], restart_rows: 1, ..colour });
        }
    }
    kinds
}

#[test]
fn every_kind_of_stream_gives_its_samples() {
    for make in kinds() {
        let planes = make.planes();
        let decoded = decode(&make.stream(&planes)).unwrap();
        assert!(decoded == make.expected(&planes), "{make:?}");
    }
}

#[test]
fn streams_that_are_cut_or_contradict_themselves_are_refused() {
    let make = Make { sampling: vec![(1, 1); 3], precision: 8, ..GREY() };
    let whole = make.stream(&make.planes());
    for end in 0..whole.len() - 2 {
        assert!(decode(&whole[..end]).is_err(), "cut at {end}");
    }
    let place = |marker: u8| whole.windows(2).position(|pair| pair == [0xFF, marker]).unwrap();
    let (sof, sos) = (place(0xC3), place(0xDA));
    for (what, at, value) in [
        ("another process", sof + 1, 0xC0),
        ("precision", sof + 4, 17),
        ("a picture larger than its bits", sof + 5, 0x40),
        ("sampling factor 0", sof + 11, 0x10),
        ("sampling factor 5", sof + 11, 0x51),
        ("a component twice in a scan", sos + 7, 1),
        ("no such component", sos + 7, 9),
        ("no such table", sos + 6, 0x30),
        ("no predictor", sos + 11, 0),
        ("no such predictor", sos + 11, 8),
        ("all bits left off", sos + 13, 8),
    ] {
        let mut bytes = whole.clone();
        bytes[at] = value;
        assert!(decode(&bytes).is_err(), "{what}");
    }
    let mut twice = whole.clone();
    twice.splice(whole.len() - 2.., whole[sos..].iter().copied());
    assert!(decode(&twice).is_err(), "a component in two scans");
    let restarts = Make { restart_rows: 2, ..GREY() };
    let mut bytes = restarts.stream(&restarts.planes());
    let interval = bytes.windows(2).position(|pair| pair == [0xFF, 0xDD]).unwrap() + 5;
    bytes[interval] += 1;
    assert!(decode(&bytes).is_err(), "restarts within a line");
}

#[test]
fn any_bytes_are_answered() {
    let mut state = 5_u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    for make in kinds() {
        let whole = make.stream(&make.planes());
        for _round in 0..100 {
            let mut bytes = whole.clone();
            for _flip in 0..=random() % 3 {
                let at = random() % bytes.len();
                bytes[at] ^= 1 << (random() % 8);
            }
            // Whatever it gives; a size that grew must have had the bits for it.
            if let Ok(samples) = decode(&bytes) {
                assert!(samples.len() <= 16 * 8 * bytes.len());
            }
        }
    }
}
