//! One lossless scan of JPEG-LS (ISO/IEC 14495-1 Annex A and B): lines of
//! samples in, coded bits out.
//!
//! Each sample is predicted from its neighbours; the context that their
//! differences make says how the error is coded. Where all differences are 0
//! the length of a run is coded instead. Names of the standard stand in
//! brackets.

use super::bits::BitWriter;

/// Counts are halved at this number (RESET, default).
const RESET: i32 = 64;
/// Contexts of the regular mode, signs merged.
const CONTEXTS: usize = 365;
/// Bits of a run's length for each run index (J).
const RUN_BITS: [u32; 32] = [
    0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13,
    14, 15,
];

/// MAXVAL, T1, T2, T3 and RESET for samples of `precision` bits.
pub(super) fn presets(precision: u8) -> [u16; 5] {
    let Parameters { max, thresholds: [first, second, third], .. } = Parameters::new(precision);
    [max, first, second, third, RESET].map(|preset| u16::try_from(preset).unwrap_or(u16::MAX))
}

/// What follows from the number of bits of a sample.
#[derive(Debug, Clone, Copy)]
struct Parameters {
    /// Greatest sample (MAXVAL).
    max: i32,
    /// Bits of an error written plainly (qbpp).
    error_bits: u32,
    /// Longest code of an error (LIMIT).
    code_bits_max: u32,
    /// Where differences change their class (T1, T2, T3).
    thresholds: [i32; 3],
}

impl Parameters {
    /// The defaults of the standard for samples of 2 to 16 bits (§C.2.4.1.1).
    fn new(precision: u8) -> Self {
        let max = (1 << precision) - 1;
        let bits = u32::from(precision);
        let thresholds = if max >= 128 {
            let factor = (max.min(4095) + 128) / 256;
            [factor + 2, 4 * factor + 3, 17 * factor + 4]
        } else {
            let factor = 256 / (max + 1);
            [(3 / factor).max(2), (7 / factor).max(3), (21 / factor).max(4)]
        };
        let mut least = 1;
        let thresholds = thresholds.map(|threshold| {
            least = if threshold > max || threshold < least { least } else { threshold };
            least
        });
        Self { max, error_bits: bits, code_bits_max: 2 * (bits + bits.max(8)), thresholds }
    }

    fn range(self) -> i32 {
        self.max + 1
    }

    /// Class of a difference, -4 to 4.
    fn class(self, difference: i32) -> i32 {
        let [first, second, third] = self.thresholds;
        let size = difference.abs();
        let class = i32::from(size > 0)
            + i32::from(size >= first)
            + i32::from(size >= second)
            + i32::from(size >= third);
        if difference < 0 { -class } else { class }
    }

    /// An error as its least equivalent modulo the range.
    fn reduced(self, error: i32) -> i32 {
        let error = if error < 0 { error + self.range() } else { error };
        if error >= (self.range() + 1) / 2 { error - self.range() } else { error }
    }
}

/// Statistics of one context of the regular mode.
#[derive(Debug, Clone, Copy)]
struct Context {
    /// Sum of sizes of errors (A).
    sizes: i32,
    /// Sum of errors (B).
    bias: i32,
    /// What the prediction is corrected by (C).
    correction: i32,
    /// Occurrences (N).
    count: i32,
}

/// Statistics of one kind of sample that ends a run.
#[derive(Debug, Clone, Copy)]
struct RunContext {
    sizes: i32,
    count: i32,
    /// Errors below 0 (Nn).
    negative: i32,
}

/// The samples before one: left, above, above left, above right (Ra to Rd).
#[derive(Debug, Clone, Copy)]
struct Neighbours {
    left: i32,
    above: i32,
    above_left: i32,
    above_right: i32,
}

impl Neighbours {
    /// `x` counts from 1; the line's ends have one sample of margin.
    fn at(above: &[u16], line: &[u16], x: usize) -> Self {
        Self {
            left: sample(line, x - 1),
            above: sample(above, x),
            above_left: sample(above, x - 1),
            above_right: sample(above, x + 1),
        }
    }

    /// Signed number of the context; 0 where all differences are.
    fn context(self, parameters: Parameters) -> i32 {
        let class = |difference| parameters.class(difference);
        81 * class(self.above_right - self.above)
            + 9 * class(self.above - self.above_left)
            + class(self.above_left - self.left)
    }

    /// Median edge detector.
    fn prediction(self) -> i32 {
        let (least, greatest) = (self.left.min(self.above), self.left.max(self.above));
        if self.above_left >= greatest {
            least
        } else if self.above_left <= least {
            greatest
        } else {
            self.left + self.above - self.above_left
        }
    }
}

fn sample(line: &[u16], x: usize) -> i32 {
    line.get(x).map_or(0, |sample| i32::from(*sample))
}

/// The current line of one component and the one above, with margins.
#[derive(Debug)]
struct Lines {
    above: Vec<u16>,
    line: Vec<u16>,
}

impl Lines {
    fn new(width: usize) -> Self {
        Self { above: vec![0; width + 2], line: vec![0; width + 2] }
    }

    /// Goes on to the next line.
    fn advance(&mut self, samples: impl Iterator<Item = u16>) {
        std::mem::swap(&mut self.above, &mut self.line);
        for (place, sample) in self.line.iter_mut().skip(1).zip(samples) {
            *place = sample;
        }
        // Left of the line stands what is above its first sample; right of the
        // line above, its last one.
        if let (Some(margin), Some(first)) = (self.line.first_mut(), self.above.get(1)) {
            *margin = *first;
        }
        if let Some([last, margin]) = self.above.last_chunk_mut::<2>() {
            *margin = *last;
        }
    }

    fn neighbours(&self, x: usize) -> Neighbours {
        Neighbours::at(&self.above, &self.line, x)
    }

    fn at(&self, x: usize) -> i32 {
        sample(&self.line, x)
    }

    /// Samples from `x` on that equal the one before.
    fn run(&self, x: usize, width: usize) -> usize {
        let before = self.line.get(x - 1);
        let rest = self.line.get(x..=width).unwrap_or_default();
        rest.iter().take_while(|sample| Some(*sample) == before).count()
    }
}

/// One scan at work.
#[derive(Debug)]
pub(super) struct Scan {
    bits: BitWriter,
    parameters: Parameters,
    contexts: Vec<Context>,
    /// For a sample unlike, and like, the one above.
    run_contexts: [RunContext; 2],
    width: usize,
}

impl Scan {
    /// A scan of lines of `width` samples whose bytes go behind `bytes`.
    pub(super) fn new(width: usize, precision: u8, bytes: Vec<u8>) -> Self {
        let parameters = Parameters::new(precision);
        let sizes = ((parameters.range() + 32) / 64).max(2);
        Self {
            bits: BitWriter::after(bytes),
            parameters,
            contexts: vec![Context { sizes, bias: 0, correction: 0, count: 1 }; CONTEXTS],
            run_contexts: [RunContext { sizes, count: 1, negative: 0 }; 2],
            width,
        }
    }

    /// Codes pixels of `samples` samples line by line, one component's line
    /// after the other; gives all bytes.
    pub(super) fn by_line(mut self, pixels: &[u16], samples: usize) -> Vec<u8> {
        let mut components: Vec<(Lines, usize)> =
            (0..samples).map(|_component| (Lines::new(self.width), 0)).collect();
        for row in pixels.chunks_exact((self.width * samples).max(1)) {
            for (component, (lines, run_index)) in components.iter_mut().enumerate() {
                lines.advance(row.iter().skip(component).step_by(samples).copied());
                self.line(lines, run_index);
            }
        }
        self.bits.finish()
    }

    /// Codes pixels of three samples, the samples of a pixel together.
    pub(super) fn by_sample(mut self, pixels: &[u16]) -> Vec<u8> {
        let mut components = [(); 3].map(|()| Lines::new(self.width));
        let mut run_index = 0;
        for row in pixels.chunks_exact((self.width * 3).max(1)) {
            for (component, lines) in components.iter_mut().enumerate() {
                lines.advance(row.iter().skip(component).step_by(3).copied());
            }
            self.triple_line(&components, &mut run_index);
        }
        self.bits.finish()
    }

    fn line(&mut self, lines: &Lines, run_index: &mut usize) {
        let mut x = 1;
        while x <= self.width {
            let near = lines.neighbours(x);
            let context = near.context(self.parameters);
            if context != 0 {
                self.regular(context, near, lines.at(x));
                x += 1;
                continue;
            }
            let run = lines.run(x, self.width);
            x += run;
            if self.run_length(run, x > self.width, run_index) {
                let near = lines.neighbours(x);
                let like = near.left == near.above;
                self.run_end(near, lines.at(x), like, *run_index);
                *run_index = run_index.saturating_sub(1);
                x += 1;
            }
        }
    }

    fn triple_line(&mut self, components: &[Lines; 3], run_index: &mut usize) {
        let mut x = 1;
        while x <= self.width {
            let near = components.each_ref().map(|lines| lines.neighbours(x));
            let contexts = near.map(|near| near.context(self.parameters));
            if contexts != [0; 3] {
                for ((lines, near), context) in components.iter().zip(near).zip(contexts) {
                    self.regular(context, near, lines.at(x));
                }
                x += 1;
                continue;
            }
            let runs = components.each_ref().map(|lines| lines.run(x, self.width));
            let run = runs.into_iter().min().unwrap_or(0);
            x += run;
            if self.run_length(run, x > self.width, run_index) {
                for lines in components {
                    // Here all are coded as unlike the one above (Annex B).
                    self.run_end(lines.neighbours(x), lines.at(x), false, *run_index);
                }
                *run_index = run_index.saturating_sub(1);
                x += 1;
            }
        }
    }

    /// Codes a sample of the regular mode.
    fn regular(&mut self, number: i32, near: Neighbours, value: i32) {
        let parameters = self.parameters;
        let sign = if number < 0 { -1 } else { 1 };
        let index = usize::try_from(number.abs()).unwrap_or(0);
        let Some(context) = self.contexts.get_mut(index) else { return };
        let predicted = (near.prediction() + sign * context.correction).clamp(0, parameters.max);
        let error = parameters.reduced(sign * (value - predicted));
        let low_bits = golomb_bits(context.count, context.sizes);
        let turned = low_bits == 0 && 2 * context.bias <= -context.count;
        let mapped = if turned {
            if error >= 0 { 2 * error + 1 } else { -2 * (error + 1) }
        } else if error >= 0 {
            2 * error
        } else {
            -2 * error - 1
        };
        context.learn(error);
        self.golomb(mapped, low_bits, parameters.code_bits_max);
    }

    /// Codes the length of a run; true when a sample that ends it follows.
    fn run_length(&mut self, run: usize, at_end: bool, index: &mut usize) -> bool {
        let mut rest = run;
        let bits_of = |index: usize| RUN_BITS.get(index).copied().unwrap_or(15);
        while rest >= 1 << bits_of(*index) {
            self.bits.put(1, 1);
            rest -= 1 << bits_of(*index);
            *index = (*index + 1).min(RUN_BITS.len() - 1);
        }
        if at_end {
            if rest > 0 {
                self.bits.put(1, 1);
            }
            return false;
        }
        let rest = u32::try_from(rest).unwrap_or(0);
        self.bits.put(rest, bits_of(*index) + 1);
        true
    }

    /// Codes the sample that ends a run.
    fn run_end(&mut self, near: Neighbours, value: i32, like: bool, run_index: usize) {
        let parameters = self.parameters;
        let sign = if !like && near.left > near.above { -1 } else { 1 };
        let predicted = if like { near.left } else { near.above };
        let error = parameters.reduced(sign * (value - predicted));
        let [unlike_context, like_context] = &mut self.run_contexts;
        let context = if like { like_context } else { unlike_context };
        let like = i32::from(like);
        let sizes = context.sizes + like * (context.count >> 1);
        let low_bits = golomb_bits(context.count, sizes);
        let mostly_negative = 2 * context.negative >= context.count;
        let mapped = match error {
            0 => false,
            1.. => low_bits == 0 && !mostly_negative,
            _negative => low_bits != 0 || mostly_negative,
        };
        let mapped = 2 * error.abs() - like - i32::from(mapped);
        context.learn(error, (mapped + 1 - like) >> 1);
        let run_bits = RUN_BITS.get(run_index).copied().unwrap_or(15);
        self.golomb(mapped, low_bits, parameters.code_bits_max - run_bits - 1);
    }

    /// A Golomb code of at most `bits_max` bits: beyond it the number stands
    /// plainly.
    fn golomb(&mut self, number: i32, low_bits: u32, bits_max: u32) {
        let number = u32::try_from(number).unwrap_or(0);
        let high = number >> low_bits;
        let plain_from = bits_max - self.parameters.error_bits - 1;
        if high < plain_from {
            self.bits.put_unary(high);
            self.bits.put(number, low_bits);
        } else {
            self.bits.put_unary(plain_from);
            self.bits.put(number.saturating_sub(1), self.parameters.error_bits);
        }
    }
}

/// Low bits of a Golomb code (k).
fn golomb_bits(count: i32, sizes: i32) -> u32 {
    (0..31).find(|bits| (i64::from(count) << bits) >= i64::from(sizes)).unwrap_or(0)
}

impl Context {
    fn learn(&mut self, error: i32) {
        self.bias += error;
        self.sizes += error.abs();
        if self.count == RESET {
            self.sizes >>= 1;
            self.bias >>= 1;
            self.count >>= 1;
        }
        self.count += 1;
        if self.bias <= -self.count {
            self.bias = (self.bias + self.count).max(1 - self.count);
            self.correction = (self.correction - 1).max(-128);
        } else if self.bias > 0 {
            self.bias = (self.bias - self.count).min(0);
            self.correction = (self.correction + 1).min(127);
        }
    }
}

impl RunContext {
    fn learn(&mut self, error: i32, size: i32) {
        self.negative += i32::from(error < 0);
        self.sizes += size;
        if self.count == RESET {
            self.sizes >>= 1;
            self.count >>= 1;
            self.negative >>= 1;
        }
        self.count += 1;
    }
}
