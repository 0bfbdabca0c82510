//! The 8 × 8 DCT (ISO/IEC 10918-1 §A.3.3) in whole numbers: quantised
//! coefficients in, samples out, and back. The same on every machine.
//!
//! Both directions multiply by the basis row by row, rows of zeros left out.
//! With coefficients up to [`COEFFICIENT_MAX`] no sum comes near 63 bits.

use super::image::Block;

/// Where the coefficients in zigzag order stand in rows of frequencies
/// (ISO/IEC 10918-1 Figure A.6).
const ZIGZAG: [u8; 64] = zigzag();
/// Greatest dequantised coefficient. 12 bits have up to 2¹⁵; more comes of
/// hostile tables and is cut.
const COEFFICIENT_MAX: i64 = 1 << 20;
/// Fraction bits of the basis, and bits that are dropped between the passes.
const BASIS_BITS: u32 = 20;
const DROPPED_BITS: u32 = 8;
/// Fraction bits after both passes.
const FRACTION_BITS: u32 = 2 * BASIS_BITS - DROPPED_BITS;
/// `cos(k π / 16) / 2` for k from 0 to 8.
const HALF_COSINES: [i64; 9] =
    [524_288, 514_214, 484_379, 435_930, 370_728, 291_279, 200_636, 102_284, 0];
/// By frequency, then place.
const BASIS: [[i64; 8]; 8] = basis();
/// By place, then frequency.
const TRANSPOSED: [[i64; 8]; 8] = transposed(BASIS);

/// The samples of a block, rows from the top.
pub(super) type Samples = [i32; 64];

/// Dequantises, transforms, rounds and cuts to `0..=sample_max`: what a decoder
/// shows.
pub(super) fn inverse(block: &Block, quantisation: &[u16; 64], sample_max: i32) -> Samples {
    let mut coefficients = [[0_i64; 8]; 8];
    for ((value, factor), place) in block.values().iter().zip(quantisation).zip(ZIGZAG) {
        let product = i64::from(*value) * i64::from(*factor);
        let row = coefficients.get_mut(usize::from(place / 8));
        if let Some(target) = row.and_then(|row| row.get_mut(usize::from(place % 8))) {
            *target = product.clamp(-COEFFICIENT_MAX, COEFFICIENT_MAX);
        }
    }
    let level = i64::from(sample_max / 2 + 1);
    let mut samples = [0; 64];
    let rows = transform(&coefficients, &TRANSPOSED);
    for (target, value) in samples.iter_mut().zip(rows.as_flattened()) {
        let rounded = (value + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS;
        let cut = (rounded + level).clamp(0, i64::from(sample_max));
        *target = i32::try_from(cut).unwrap_or(0);
    }
    samples
}

/// Transforms samples and quantises them to the nearest.
pub(super) fn forward(samples: &Samples, quantisation: &[u16; 64], sample_max: i32) -> Block {
    let level = i64::from(sample_max / 2 + 1);
    let mut shifted = [[0_i64; 8]; 8];
    for (target, sample) in shifted.as_flattened_mut().iter_mut().zip(samples) {
        *target = i64::from(*sample) - level;
    }
    let coefficients = transform(&shifted, &BASIS);
    let mut values = [0; 64];
    for ((target, factor), place) in values.iter_mut().zip(quantisation).zip(ZIGZAG) {
        let value = coefficients.as_flattened().get(usize::from(place)).copied().unwrap_or(0);
        let step = i64::from(*factor) << FRACTION_BITS;
        let away = if value < 0 { -step / 2 } else { step / 2 };
        *target = i16::try_from((value + away) / step).unwrap_or(0);
    }
    Block::new(values)
}

/// `M X Mᵀ`, for a matrix given by its rows.
fn transform(input: &[[i64; 8]; 8], matrix: &[[i64; 8]; 8]) -> [[i64; 8]; 8] {
    let columns = transposed(*matrix);
    let mut between = [[0_i64; 8]; 8];
    // Row r of X goes into row k of the product by M[k][r].
    for (row, factors) in input.iter().zip(&columns) {
        if row.iter().all(|value| *value == 0) {
            continue;
        }
        for (target, factor) in between.iter_mut().zip(factors) {
            add(target, row, *factor);
        }
    }
    let mut output = [[0_i64; 8]; 8];
    for (target, row) in output.iter_mut().zip(&between) {
        for (value, factors) in row.iter().zip(&columns) {
            if *value != 0 {
                add(target, factors, value >> DROPPED_BITS);
            }
        }
    }
    output
}

fn add(target: &mut [i64; 8], row: &[i64; 8], factor: i64) {
    for (target, value) in target.iter_mut().zip(row) {
        *target += value * factor;
    }
}

#[allow(clippy::indexing_slicing, reason = "constant, evaluated by the compiler")]
const fn basis() -> [[i64; 8]; 8] {
    let mut basis = [[0; 8]; 8];
    let mut frequency = 0;
    while frequency < 8 {
        let mut place = 0;
        while place < 8 {
            basis[frequency][place] = match frequency {
                // c(0) = 1 / √2, which is cos(4 π / 16).
                0 => HALF_COSINES[4],
                _ => half_cosine((2 * place + 1) * frequency % 32),
            };
            place += 1;
        }
        frequency += 1;
    }
    basis
}

/// `cos(step π / 16) / 2` for steps once round the circle.
#[allow(clippy::indexing_slicing, reason = "constant, evaluated by the compiler")]
const fn half_cosine(step: usize) -> i64 {
    match step {
        0..=8 => HALF_COSINES[step],
        9..=16 => -HALF_COSINES[16 - step],
        17..=24 => -HALF_COSINES[step - 16],
        _ => HALF_COSINES[32 - step],
    }
}

#[allow(clippy::indexing_slicing, reason = "both indices are below 8")]
const fn transposed(matrix: [[i64; 8]; 8]) -> [[i64; 8]; 8] {
    let mut result = [[0; 8]; 8];
    let mut at = 0;
    while at < 64 {
        result[at % 8][at / 8] = matrix[at / 8][at % 8];
        at += 1;
    }
    result
}

/// Diagonals from the top left, every second one upwards.
#[allow(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "constant, evaluated by the compiler"
)]
const fn zigzag() -> [u8; 64] {
    let mut order = [0; 64];
    let (mut row, mut column, mut at) = (0_u8, 0_u8, 0);
    while at < 64 {
        order[at] = row * 8 + column;
        let upwards = (row + column) % 2 == 0;
        if upwards && column == 7 {
            row += 1;
        } else if upwards && row == 0 {
            column += 1;
        } else if upwards {
            row -= 1;
            column += 1;
        } else if row == 7 {
            column += 1;
        } else if column == 0 {
            row += 1;
        } else {
            row += 1;
            column -= 1;
        }
        at += 1;
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zigzag_begins_and_ends_as_the_standard_draws_it() {
        assert_eq!(ZIGZAG[..12], [0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25]);
        assert_eq!(ZIGZAG[60..], [47, 55, 62, 63].map(|place: u8| place).as_slice()[..]);
        let mut sorted = ZIGZAG;
        sorted.sort_unstable();
        assert!(sorted.iter().zip(0..).all(|(place, at)| *place == at));
    }

    /// The definition of the inverse DCT, in floating point.
    fn reference(block: &Block, quantisation: &[u16; 64]) -> Vec<f64> {
        let scale = |frequency: usize| if frequency == 0 { 0.5_f64.sqrt() } else { 1.0 };
        let angle = |place: usize, frequency: usize| {
            let turns = f64::from(u32::try_from((2 * place + 1) * frequency).unwrap());
            (turns * std::f64::consts::PI / 16.0).cos()
        };
        let mut samples = vec![0.0; 64];
        for (at, sample) in samples.iter_mut().enumerate() {
            for (zig, place) in ZIGZAG.iter().enumerate() {
                let (v, u) = (usize::from(place / 8), usize::from(place % 8));
                let value = f64::from(block.values()[zig]) * f64::from(quantisation[zig]);
                *sample += scale(u) * scale(v) / 4.0 * value * angle(at % 8, u) * angle(at / 8, v);
            }
        }
        samples
    }

    fn numbers() -> impl Iterator<Item = i32> {
        let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(7), next).map(|state| i32::try_from(state >> 9).unwrap())
    }

    #[test]
    fn samples_are_the_rounded_inverse_transform() {
        let mut numbers = numbers();
        for round in 0..200 {
            let quantisation = [1 + round; 64];
            let mut values = [0; 64];
            for value in &mut values {
                let number = numbers.next().unwrap();
                if number % 4 == 0 {
                    *value = i16::try_from(number % 2001 - 1000).unwrap() / (round / 10 + 1) as i16;
                }
            }
            let block = Block::new(values);
            let samples = inverse(&block, &quantisation, 4095);
            for (sample, exact) in samples.iter().zip(reference(&block, &quantisation)) {
                let exact = (exact + 2048.0).clamp(0.0, 4095.0);
                assert!((f64::from(*sample) - exact).abs() < 0.51, "{sample} {exact}");
            }
        }
    }

    #[test]
    fn samples_come_back_from_unquantised_coefficients() {
        let mut numbers = numbers();
        for sample_max in [255, 4095] {
            let samples: Samples = [0; 64].map(|_| numbers.next().unwrap() % (sample_max + 1));
            let block = forward(&samples, &[1; 64], sample_max);
            for (back, sample) in inverse(&block, &[1; 64], sample_max).iter().zip(samples) {
                assert!((back - sample).abs() <= 1);
            }
        }
    }

    #[test]
    fn the_most_hostile_coefficients_overflow_nothing() {
        for value in [i16::MAX, i16::MIN] {
            inverse(&Block::new([value; 64]), &[u16::MAX; 64], 4095);
        }
        forward(&[i32::from(i16::MAX); 64], &[1; 64], 255);
    }
}
