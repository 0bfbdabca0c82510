//! Cuts long texts into pieces that are judged one by one.
//!
//! Invariant: the cores of the pieces are the whole text, one behind the other.

use std::ops::Range;

/// Longest piece of a text that is judged at once, in bytes. Default 4 KiB: more
/// than most reports have; rules that look far along a line are quadratic in it.
pub(super) const PIECE_BYTES: usize = 4 << 10;
/// What is seen before and behind a piece, in bytes: more than a name, an address
/// or a date has.
const AROUND_BYTES: usize = 256;

/// A piece of a text: finds of `core` count, `seen` is looked at.
pub(super) struct Piece {
    pub(super) core: Range<usize>,
    pub(super) seen: Range<usize>,
}

/// Cuts a text into pieces between words.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let (mut pieces, mut from) = (Vec::new(), 0);
    loop {
        let last = text.len() - from <= PIECE_BYTES;
        let to = if last { text.len() } else { border(text, from + PIECE_BYTES) };
        let seen = match from.checked_sub(AROUND_BYTES) {
            Some(before) => border(text, before).min(from),
            None => 0,
        }..border(text, to + AROUND_BYTES);
        pieces.push(Piece { core: from..to, seen });
        if to == text.len() {
            return pieces;
        }
        from = to;
    }
}

/// The next blank from `at` on; where none is near, the next letter.
fn border(text: &str, at: usize) -> usize {
    let letter = (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let ahead = text.get(letter..).unwrap_or_default().char_indices().take(AROUND_BYTES);
    let blank = ahead.into_iter().find(|(_, c)| c.is_whitespace());
    blank.map_or(letter, |(ahead, _)| letter + ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_whole_text_and_see_what_is_around() {
        for text in ["", "knee", &"knee ".repeat(3_000), &"\u{5c71}".repeat(5_000)] {
            let pieces = pieces(text);
            let cores: String =
                pieces.iter().filter_map(|piece| text.get(piece.core.clone())).collect();
            assert_eq!(cores, text);
            for Piece { core, seen } in &pieces {
                assert!(text.get(seen.clone()).is_some() && seen.start <= core.start);
                assert!(seen.end >= core.end && core.len() <= PIECE_BYTES + 4 * AROUND_BYTES);
            }
        }
    }
}
