//! RLE Lossless (PS3.5 Annex G): one fragment to the bytes of a frame and back.
//!
//! A fragment is a header of 64 bytes and one segment for each byte of a
//! sample, the most significant byte first.

use super::PixelError;

const HEADER_BYTES: usize = 64;
/// Segments that the header has room for (PS3.5 §G.5).
const SEGMENTS_MAX: usize = 15;
/// Longest run or literal (PS3.5 §G.3.1).
const RUN_MAX: usize = 128;

/// What the bytes of a fragment stand for.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Samples of a pixel.
    pub samples: usize,
    /// Bytes of a sample.
    pub sample_bytes: usize,
}

impl Shape {
    fn pixels(self) -> usize {
        self.width.saturating_mul(self.height)
    }

    fn segments(self) -> usize {
        self.samples * self.sample_bytes
    }

    /// Where a segment's bytes go in a pixel of little endian words.
    fn place(self, segment: usize) -> usize {
        let sample = segment / self.sample_bytes;
        let significance = self.sample_bytes - 1 - segment % self.sample_bytes;
        sample * self.sample_bytes + significance
    }
}

/// A decoded fragment.
#[derive(Debug)]
pub struct Unrolled {
    /// Little endian words, the samples of a pixel together.
    pub bytes: Vec<u8>,
    /// The fragment holds bytes that no pixel needs.
    pub has_extra: bool,
}

fn damaged(what: &'static str) -> PixelError {
    PixelError::Damaged { codec: "RLE", what }
}

/// Decodes one fragment.
///
/// # Errors
/// A header that does not fit the shape, or segments that are too short:
/// quarantine.
pub fn decode(fragment: &[u8], shape: Shape) -> Result<Unrolled, PixelError> {
    let offsets = read_header(fragment, shape)?;
    let total = shape
        .pixels()
        .checked_mul(shape.segments())
        .ok_or(PixelError::OverLimit { limit: "frame_bytes_max" })?;
    let mut bytes = vec![0; total];
    let mut has_extra = false;
    let ends = offsets.iter().skip(1).copied().chain([fragment.len()]);
    for (segment, (start, end)) in offsets.iter().zip(ends).enumerate() {
        let coded = fragment.get(*start..end).ok_or(damaged("offset of a segment"))?;
        let mut targets = bytes.get_mut(shape.place(segment)..).unwrap_or_default().iter_mut();
        let rest = unroll(coded, shape.pixels(), |value| {
            if let Some(target) = targets.next() {
                *target = value;
            }
            // `nth` leaves out the other bytes of the pixel.
            if shape.segments() > 1 {
                targets.nth(shape.segments() - 2);
            }
        })?;
        has_extra |= rest.is_none_or(|rest| !matches!(rest, [] | [0]));
    }
    has_extra |= offsets.first() != Some(&HEADER_BYTES);
    let unused = fragment.get(4 + 4 * offsets.len()..HEADER_BYTES).unwrap_or_default();
    has_extra |= unused.iter().any(|byte| *byte != 0);
    Ok(Unrolled { bytes, has_extra })
}

fn read_header(fragment: &[u8], shape: Shape) -> Result<Vec<usize>, PixelError> {
    let header = fragment.first_chunk::<HEADER_BYTES>().ok_or(damaged("header"))?;
    let mut fields = header.as_chunks::<4>().0.iter().map(|field| u32::from_le_bytes(*field));
    let count = fields.next().and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    if count > SEGMENTS_MAX || count != shape.segments() {
        return Err(PixelError::Disagrees { what: "number of RLE segments" });
    }
    let offsets: Vec<usize> =
        fields.take(count).map(|field| usize::try_from(field).unwrap_or(usize::MAX)).collect();
    if !offsets.is_sorted() || offsets.first().is_none_or(|first| *first < HEADER_BYTES) {
        return Err(damaged("offset of a segment"));
    }
    Ok(offsets)
}

/// Gives `count` bytes to `take` and returns what is left of `coded`; `None`
/// when the last literal holds more than was missing.
fn unroll(
    coded: &[u8],
    count: usize,
    mut take: impl FnMut(u8),
) -> Result<Option<&[u8]>, PixelError> {
    let mut rest = coded;
    let mut missing = count;
    let mut overlong = false;
    while missing > 0 {
        let (control, after) = rest.split_first().ok_or(damaged("segment too short"))?;
        rest = after;
        match control {
            0..=127 => {
                let length = usize::from(*control) + 1;
                let (literal, after) =
                    rest.split_at_checked(length).ok_or(damaged("segment too short"))?;
                literal.iter().take(missing).for_each(|value| take(*value));
                rest = after;
                overlong = length > missing;
                missing = missing.saturating_sub(length);
            }
            // No operation (PS3.5 §G.3.2).
            128 => {}
            129..=255 => {
                let length = 257 - usize::from(*control);
                let (value, after) = rest.split_first().ok_or(damaged("segment too short"))?;
                (0..length.min(missing)).for_each(|_again| take(*value));
                rest = after;
                missing = missing.saturating_sub(length);
            }
        }
    }
    Ok((!overlong).then_some(rest))
}

/// Encodes one frame; rows are coded apart from each other (PS3.5 §G.3.1).
///
/// # Errors
/// More segments than a header has room for, or a fragment of 4 GiB:
/// quarantine.
pub fn encode(bytes: &[u8], shape: Shape) -> Result<Vec<u8>, PixelError> {
    let segments = shape.segments();
    if segments > SEGMENTS_MAX {
        return Err(PixelError::Unsupported { what: "RLE of so many bytes a pixel" });
    }
    let mut fragment = vec![0; HEADER_BYTES];
    put_field(&mut fragment, 0, segments)?;
    let mut row = Vec::with_capacity(shape.width);
    for segment in 0..segments {
        let start = fragment.len();
        put_field(&mut fragment, segment + 1, start)?;
        for pixels in bytes.chunks_exact(shape.width.saturating_mul(segments).max(1)) {
            row.clear();
            row.extend(pixels.iter().skip(shape.place(segment)).step_by(segments));
            roll(&row, &mut fragment);
        }
        if !fragment.len().is_multiple_of(2) {
            fragment.push(0);
        }
    }
    Ok(fragment)
}

fn put_field(fragment: &mut [u8], index: usize, value: usize) -> Result<(), PixelError> {
    let value = u32::try_from(value)
        .map_err(|_too_large| PixelError::OverLimit { limit: "4 GiB of a fragment" })?;
    if let Some(field) = fragment.get_mut(4 * index..4 * index + 4) {
        field.copy_from_slice(&value.to_le_bytes());
    }
    Ok(())
}

/// Codes one row: runs of three and more as runs, pairs only where no literal
/// is open, since closing one costs a byte.
fn roll(row: &[u8], coded: &mut Vec<u8>) {
    let mut rest = row;
    let mut literal: &[u8] = &[];
    let mut literal_start = row;
    while let Some(first) = rest.first() {
        let run = rest.iter().take(RUN_MAX).take_while(|value| *value == first).count();
        if run >= 3 || (run == 2 && literal.is_empty()) {
            put_literal(literal, coded);
            coded.push(u8::try_from(257 - run).unwrap_or(128));
            coded.push(*first);
            rest = rest.get(run..).unwrap_or_default();
            literal = &[];
            literal_start = rest;
        } else {
            rest = rest.get(run..).unwrap_or_default();
            let length = literal_start.len() - rest.len();
            literal = literal_start.get(..length).unwrap_or_default();
        }
    }
    put_literal(literal, coded);
}

fn put_literal(literal: &[u8], coded: &mut Vec<u8>) {
    for part in literal.chunks(RUN_MAX) {
        coded.push(u8::try_from(part.len() - 1).unwrap_or(0));
        coded.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(width: usize, height: usize, samples: usize, sample_bytes: usize) -> Shape {
        Shape { width, height, samples, sample_bytes }
    }

    #[test]
    fn the_standards_example_of_runs_and_literals_is_read() {
        let coded = [0xFE, 0xAA, 0x02, 0x80, 0x00, 0x2A, 0x80, 0xFD, 0xAA, 7];
        let mut bytes = Vec::new();
        let rest = unroll(&coded, 10, |value| bytes.push(value)).unwrap();
        assert_eq!(bytes, [0xAA, 0xAA, 0xAA, 0x80, 0, 0x2A, 0xAA, 0xAA, 0xAA, 0xAA]);
        assert_eq!(rest, Some(&[7][..]));
    }

    #[test]
    fn segments_stand_most_significant_byte_first() {
        let fragment = encode(&[0x34, 0x12, 0x34, 0x12], shape(2, 1, 1, 2)).unwrap();
        assert_eq!(fragment[..12], [2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0]);
        assert_eq!(fragment[64..], [0xFF, 0x12, 0xFF, 0x34]);
    }

    #[test]
    fn bytes_that_no_pixel_needs_are_noticed() {
        let one = shape(4, 1, 1, 1);
        let clean = encode(&[9; 4], one).unwrap();
        assert!(!decode(&clean, one).unwrap().has_extra);
        let mut tail = clean.clone();
        tail.extend_from_slice(b"DOE^JANE");
        let mut header = clean.clone();
        header[20] = b'D';
        // A literal with more values than the row has left.
        let mut literal = clean[..64].to_vec();
        literal.extend_from_slice(b"\xFE\x09\x06\x09DOE^JA");
        for planted in [tail, header, literal] {
            let unrolled = decode(&planted, one).unwrap();
            assert!(unrolled.has_extra);
            assert_eq!(encode(&unrolled.bytes, one).unwrap(), clean);
        }
    }

    #[test]
    fn a_blank_frame_of_32_mebibytes_is_legal() {
        let film = shape(4096, 4096, 1, 2);
        let fragment = encode(&vec![0; 2 * 4096 * 4096], film).unwrap();
        assert!(fragment.len() < 600_000);
        assert!(decode(&fragment, film).unwrap().bytes.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn damaged_fragments_are_refused() {
        let one = shape(4, 2, 1, 2);
        let whole = encode(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 7, 6, 5, 4, 3, 2], one).unwrap();
        for cut in 0..whole.len() - 1 {
            assert!(decode(&whole[..cut], one).is_err(), "cut at {cut}");
        }
        assert!(decode(&whole, shape(4, 2, 1, 1)).is_err());
        let mut swapped = whole;
        swapped[4] = 200;
        assert!(decode(&swapped, one).is_err());
    }

    proptest! {
        #[test]
        fn round_trip_is_exact(
            width in 1_usize..300,
            height in 1_usize..5,
            samples in prop_oneof![Just(1_usize), Just(3)],
            sample_bytes in prop_oneof![Just(1_usize), Just(2), Just(4)],
            runs in prop::collection::vec((any::<u8>(), 1_usize..200), 1..40),
        ) {
            let shape = shape(width, height, samples, sample_bytes);
            let total = width * height * samples * sample_bytes;
            let pattern = runs.iter().cycle().flat_map(|(value, count)| vec![*value; *count]);
            let bytes: Vec<u8> = pattern.take(total).collect();
            let fragment = encode(&bytes, shape).unwrap();
            prop_assert!(fragment.len().is_multiple_of(2));
            let unrolled = decode(&fragment, shape).unwrap();
            prop_assert_eq!(unrolled.bytes, bytes);
            prop_assert!(!unrolled.has_extra);
        }

        #[test]
        fn any_bytes_are_answered(fragment in prop::collection::vec(any::<u8>(), 0..200)) {
            let result = decode(&fragment, shape(5, 3, 1, 1));
            prop_assert!(result.is_err() || result.is_ok());
        }
    }
}
