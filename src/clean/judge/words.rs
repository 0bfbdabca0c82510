//! Text cut into words that remember where they stood.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;

/// A run of letters and digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Byte range in the text.
    pub(super) range: Range<usize>,
    /// Lower case, without diacritics.
    pub(super) folded: String,
}

/// The words of a text: runs of letters, digits and marks.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, is_word_char(c)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                let range = from..at;
                let folded = fold(text.get(range.clone()).unwrap_or_default());
                found.push(Word { range, folded });
                start = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    found
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c)
}

/// Lower case, compatibility forms resolved (full-width letters and digits),
/// diacritics dropped: what two spellings of a name have in common.
pub(super) fn fold(text: &str) -> String {
    text.nfkd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

/// `fold`, letters and digits only, and characters that recognition confuses
/// made one: O/0, I/l/1, S/5, B/8, Z/2, G/6, rn/m, vv/w.
pub(super) fn confusable(text: &str) -> String {
    let folded: String = fold(text).chars().filter(|c| c.is_alphanumeric()).collect();
    let folded = folded.replace("rn", "m").replace("vv", "w");
    folded
        .chars()
        .map(|c| match c {
            'o' | 'q' => '0',
            'i' | 'l' | 'j' => '1',
            's' => '5',
            'b' => '8',
            'z' => '2',
            'g' => '6',
            other => other,
        })
        .collect()
}

/// Edit distance of two texts is at most `limit` (counted in characters).
pub(super) fn within_distance(a: &str, b: &str, limit: usize) -> bool {
    let b: Vec<char> = b.chars().collect();
    if a.chars().count().abs_diff(b.len()) > limit {
        return false;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let above = *cell;
            let cost = diagonal + usize::from(x != *y);
            left = cost.min(above + 1).min(left + 1);
            *cell = left;
            diagonal = above;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().is_some_and(|distance| *distance <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_place_and_lose_case_and_accents() {
        let found = words("Hôpital St-Luc, 12");
        let folded: Vec<_> = found.iter().map(|word| word.folded.as_str()).collect();
        assert_eq!(folded, ["hopital", "st", "luc", "12"]);
        assert_eq!("Hôpital St-Luc, 12".get(found[0].range.clone()), Some("Hôpital"));
    }

    #[test]
    fn misread_characters_become_one() {
        assert_eq!(confusable("MRN0042317"), confusable("MRNO0423l7"));
        assert_eq!(confusable("Bernard"), confusable("8emard"));
    }

    #[test]
    fn distance_is_symmetric_and_bounded() {
        assert!(within_distance("patient", "patlent", 1));
        assert!(within_distance("", "ab", 2));
        assert!(!within_distance("kitten", "sitting", 2));
        assert!(within_distance("kitten", "sitting", 3));
    }
}
