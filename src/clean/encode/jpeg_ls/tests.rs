//! The encoder beside CharLS, which is held to be right: the same bytes for the
//! same samples, and what CharLS decodes is what went in.

use charls::{CharLS, FrameInfo, InterleaveMode};
use proptest::prelude::*;

use super::*;
use crate::clean::pixels::Photometric;
use crate::clean::pixels::attributes::SampleBits;
use crate::clean::pixels::codestream::StreamHeader;

fn decoded(size: [u32; 2], precision: u8, mode: Option<Interleave>, values: &[u16]) -> Decoded {
    let [height, width] = size;
    let allocated = if precision <= 8 { 8 } else { 16 };
    let bits = SampleBits { allocated, stored: precision, shift: 0, signed: false };
    let bytes = values.iter().flat_map(|value| value.to_le_bytes().into_iter().take(bits.bytes()));
    let photometric = mode.map_or(Photometric::Monochrome2, |_mode| Photometric::Rgb);
    let frame = StoredFrame { width, height, photometric, bits, bytes: bytes.collect() };
    let interleave = mode.unwrap_or_default();
    let header = StreamHeader { precision, interleave, ..StreamHeader::default() };
    Decoded { frame, clean: None, unused_bits: false, header, coded_bytes: 0 }
}

fn charls_encodes(frame: &StoredFrame, mode: Interleave) -> Vec<u8> {
    let info = FrameInfo {
        width: frame.width,
        height: frame.height,
        bits_per_sample: i32::from(frame.bits.stored),
        component_count: i32::try_from(frame.samples()).unwrap(),
    };
    let mut encoder = CharLS::default();
    let (mode, bytes) = match mode {
        Interleave::Component if frame.samples() == 3 => {
            let planes = crate::clean::pixels::native::separate(&frame.bytes, frame.bits.bytes());
            (InterleaveMode::None, planes)
        }
        Interleave::Component => (InterleaveMode::None, frame.bytes.clone()),
        Interleave::Line => (InterleaveMode::Line, frame.bytes.clone()),
        Interleave::Sample => (InterleaveMode::Sample, frame.bytes.clone()),
    };
    encoder.set_interleave_mode(mode).unwrap();
    encoder.encode(info, 0, &bytes).unwrap()
}

fn modes() -> impl Strategy<Value = Option<Interleave>> {
    prop_oneof![
        Just(None),
        Just(Some(Interleave::Component)),
        Just(Some(Interleave::Line)),
        Just(Some(Interleave::Sample)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn bytes_are_those_of_charls(
        width in 1_u32..80,
        height in 1_u32..9,
        precision in 2_u8..=16,
        mode in modes(),
        // Runs of samples near each other: every mode of the coder is entered.
        runs in prop::collection::vec((any::<u16>(), 0_u16..4, 1_usize..90), 1..30),
    ) {
        let samples = if mode.is_some() { 3 } else { 1 };
        let count = usize::try_from(width * height).unwrap() * samples;
        let mask = u16::MAX >> (16 - precision);
        let run = |(value, step, length): &(u16, u16, usize)| {
            let (value, step) = (*value, *step);
            (0..*length).map(move |at| value.wrapping_add(step * (u16::try_from(at).unwrap() % 3)) & mask)
        };
        let values: Vec<u16> = runs.iter().cycle().flat_map(run).take(count).collect();
        let decoded = decoded([height, width], precision, mode, &values);
        let ours = encode(&decoded).unwrap();
        prop_assert_eq!(&ours, &charls_encodes(&decoded.frame, decoded.header.interleave));
    }
}

#[test]
fn noise_that_becomes_larger_is_coded_without_loss() {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u16::try_from(state >> 16).unwrap()
    };
    for precision in [8, 16] {
        let mask = u16::MAX >> (16 - precision);
        let values: Vec<u16> = (0..300 * 300).map(|_at| next() & mask).collect();
        let decoded = decoded([300, 300], precision, None, &values);
        let coded = encode(&decoded).unwrap();
        assert!(coded.len() > decoded.frame.bytes.len(), "noise cannot be made smaller");
        assert_eq!(CharLS::default().decode(&coded).unwrap(), decoded.frame.bytes);
    }
}

#[test]
fn frames_of_one_row_or_column_are_coded() {
    for size in [[1, 4097], [4097, 1], [1, 1]] {
        for mode in [None, Some(Interleave::Line), Some(Interleave::Sample)] {
            let count = if mode.is_some() { 3 * 4097 } else { 4097 };
            let values: Vec<u16> = (0..count).map(|at| at % 4096 / 9).collect();
            let count =
                usize::try_from(size[0] * size[1]).unwrap() * if mode.is_some() { 3 } else { 1 };
            let decoded = decoded(size, 12, mode, &values[..count]);
            let coded = encode(&decoded).unwrap();
            assert_eq!(coded, charls_encodes(&decoded.frame, decoded.header.interleave));
        }
    }
}
