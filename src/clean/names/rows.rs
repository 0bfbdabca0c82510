//! A text as the rows of whole numbers that the networks read, and the
//! characters that each place stands for.
//!
//! The rules are those of the training (models/train/encode.py, predict.py);
//! models/README.md states them. Long texts are cut into windows that overlap.

use std::ops::Range;

use tokenizers::Tokenizer;

/// Code points below this have an id of their own.
const DIRECT: u32 = 0x530;
const BUCKETS: u32 = 512;
const BLOCK_MAX: u32 = 255;
/// Marks of the encoder before and behind a line.
const START: i64 = 101;
const END: i64 = 102;

/// Marks stand for no character.
const NO_PLACE: Range<usize> = 0..0;

/// What a network reads at once, and which characters it says something of.
#[derive(Debug, PartialEq)]
pub(super) struct Window {
    pub(super) first: Vec<i64>,
    pub(super) second: Vec<i64>,
    /// Characters of the text (not bytes) of each place; empty for marks.
    pub(super) places: Vec<Range<usize>>,
}

/// Starts of windows of `size` places that step by `step`, over `count` places.
fn starts(count: usize, size: usize, step: usize) -> impl Iterator<Item = usize> {
    let overlap = size - step;
    (0..count.saturating_sub(overlap).max(1)).step_by(step)
}

/// Windows of the character network: 256 characters that step by 192.
pub(super) fn characters(text: &str) -> Vec<Window> {
    const SIZE: usize = 256;
    const STEP: usize = 192;
    let points: Vec<u32> = text.chars().map(u32::from).collect();
    let window = |start: usize| {
        let end = points.len().min(start + SIZE);
        let piece = points.get(start..end).unwrap_or_default();
        let id = |&point: &u32| {
            1 + i64::from(if point < DIRECT { point } else { DIRECT + 1 + point % BUCKETS })
        };
        Window {
            first: piece.iter().map(id).collect(),
            second: piece.iter().map(|point| i64::from((point >> 8).min(BLOCK_MAX))).collect(),
            places: (start..end).map(|at| at..at + 1).collect(),
        }
    };
    starts(points.len(), SIZE, STEP).map(window).collect()
}

/// Windows of the encoder: 126 tokens that step by 94, between its marks.
/// `None` when the tokenizer cannot cut the text; its words may hold some of it.
pub(super) fn tokens(tokenizer: &Tokenizer, text: &str) -> Option<Vec<Window>> {
    const SIZE: usize = 126;
    const STEP: usize = 94;
    let encoding = tokenizer.encode_char_offsets(text, false).ok()?;
    let characters: Vec<char> = text.chars().collect();
    let (ids, offsets) = (encoding.get_ids(), encoding.get_offsets());
    let window = |start: usize| {
        let end = ids.len().min(start + SIZE);
        let mut window =
            Window { first: vec![START], second: vec![0], places: Vec::from([NO_PLACE]) };
        let mut before = start.checked_sub(1).and_then(|at| offsets.get(at)).map(|place| place.1);
        for (&id, &(from, to)) in ids.iter().zip(offsets).take(end).skip(start) {
            let piece = characters.get(from..to).unwrap_or_default();
            window.first.push(i64::from(id));
            window.second.push(shape(piece, before == Some(from)));
            window.places.push(from..to);
            before = Some(to);
        }
        window.first.push(END);
        window.second.push(0);
        window.places.push(NO_PLACE);
        window
    };
    Some(starts(ids.len(), SIZE, STEP).map(window).collect())
}

/// What a token looks like: the encoder's vocabulary knows no case.
fn shape(piece: &[char], is_glued: bool) -> i64 {
    let letters = || piece.iter().filter(|c| c.is_alphabetic());
    let first = piece.first().copied().unwrap_or_default();
    let lower = |c: &char| !c.is_uppercase();
    let any_lower = letters().any(|c| c.is_lowercase());
    let any_upper = letters().any(|c| c.is_uppercase());
    let kind = if piece.is_empty() {
        0
    } else if letters().next().is_none() {
        if first.is_numeric() { 4 } else { 6 }
    } else if letters().any(|&c| c >= '\u{250}') {
        7
    } else if letters().count() < piece.len() {
        5
    } else if any_lower && !any_upper {
        1
    } else if first.is_uppercase() && piece.iter().skip(1).all(lower) {
        2
    } else if any_upper && !any_lower {
        3
    } else {
        5
    };
    kind + if is_glued { 8 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape_of(piece: &str) -> i64 {
        shape(&piece.chars().collect::<Vec<_>>(), false)
    }

    #[test]
    fn shapes_tell_case_and_script() {
        let cases = [
            ("12", 4),
            ("+", 6),
            ("doe", 1),
            ("Doe", 2),
            ("D", 2),
            ("DOE", 3),
            ("DoE", 5),
            ("D3", 5),
            ("\u{416}", 7),
        ];
        for (piece, wanted) in cases {
            assert_eq!(shape_of(piece), wanted, "{piece}");
        }
        assert_eq!(shape(&['o', 'e'], true), 9);
    }

    #[test]
    fn windows_overlap_and_cover_all_characters() {
        let text = "\u{e4}".repeat(600);
        let windows = characters(&text);
        let starts: Vec<_> = windows.iter().map(|window| window.places[0].start).collect();
        assert_eq!(starts, [0, 192, 384]);
        assert_eq!(windows[2].places.last().unwrap().end, 600);
        assert_eq!(characters("")[0].first.len(), 0);
        assert_eq!(characters("\u{e4}\u{601}")[0].first, [0xE5, 2 + 0x530 + 0x601 % 512]);
    }
}
