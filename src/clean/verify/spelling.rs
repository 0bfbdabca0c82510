//! Spellings of one word that are the same to a reader: case, accents, widths of
//! letters, umlauts as two letters.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::romanised;
use crate::dicom::looks;

/// Letters of scripts written without spaces begin here (CJK, kana, hangul).
const WIDE_FROM: char = '\u{2E80}';
/// Katakana that have a hiragana, and the distance to it.
const KATAKANA: std::ops::RangeInclusive<u32> = 0x30A1..=0x30F6;
const TO_HIRAGANA: u32 = 0x60;

/// Letters that are written as two where they are not at hand.
const UMLAUTS: [(char, &str); 5] =
    [('\u{e4}', "ae"), ('\u{f6}', "oe"), ('\u{fc}', "ue"), ('\u{e5}', "aa"), ('\u{f8}', "oe")];
/// The way back, to the letter without its accent: `ue` for `ü` for `u`.
const FROM_TWO: [(&str, &str); 3] = [("ae", "a"), ("oe", "o"), ("ue", "u")];

/// Text as it is compared: compatibility forms, accents, kana and case folded.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let bare = text.nfkd().filter(|letter| !is_combining_mark(*letter));
    let bare: String = bare.flat_map(char::to_lowercase).collect();
    let mut folded = String::with_capacity(bare.len());
    for letter in bare.nfc().filter(|letter| !is_combining_mark(*letter)) {
        match plain(letter) {
            Some(letters) => folded.push_str(letters),
            None => folded.push(hiragana(letter)),
        }
    }
    folded
}

/// Letters that do not part into a letter and an accent.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        '\u{df}' => "ss",
        '\u{e6}' => "ae",
        '\u{153}' => "oe",
        '\u{f8}' => "o",
        '\u{142}' => "l",
        '\u{111}' | '\u{f0}' => "d",
        '\u{131}' => "i",
        '\u{fe}' => "th",
        _other => return None,
    })
}

fn hiragana(letter: char) -> char {
    let code = u32::from(letter);
    let moved = KATAKANA.contains(&code).then(|| char::from_u32(code - TO_HIRAGANA)).flatten();
    moved.unwrap_or(letter)
}

/// The folded spellings of a name: as it stands, with umlauts as two letters,
/// and with two letters as the umlaut that they may stand for.
pub(super) fn spellings(text: &str) -> Vec<String> {
    let seen = looks::without_unseen(text);
    let text = seen.as_deref().unwrap_or(text);
    let mut found = vec![fold(text)];
    let lower = text.nfc().flat_map(char::to_lowercase).collect::<String>();
    let in_two = UMLAUTS
        .iter()
        .fold(lower.clone(), |text, (letter, letters)| text.replace(*letter, letters));
    if in_two != lower {
        found.push(fold(&in_two));
    }
    let folded = fold(text);
    let in_one =
        FROM_TWO.iter().fold(folded.clone(), |text, (letters, one)| text.replace(letters, one));
    if in_one != folded {
        found.push(in_one);
    }
    found.extend(romanised::sounds_of_name(text));
    // A name typed in two alphabets is meant in one.
    if text.contains(|letter: char| letter.is_ascii_alphabetic()) {
        found.extend(looks::latin_words(text).map(|latin| fold(&latin)));
    }
    found
}

/// The words of folded text.
pub(super) fn tokens(folded: &str) -> Vec<String> {
    words(folded).map(str::to_owned).collect()
}

/// The words of folded text: runs of letters and digits.
pub(super) fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// A word's runs of digits and of other letters: `mrn`, `4711` of `mrn4711`.
pub(super) fn runs(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let digits = rest.chars().next()?.is_ascii_digit();
        let end = rest.find(|letter: char| letter.is_ascii_digit() != digits);
        let (run, after) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        rest = after;
        Some(run)
    })
}

/// The letter belongs to writing without spaces.
pub(super) fn is_wide(letter: char) -> bool {
    letter >= WIDE_FROM
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_that_read_alike_fold_alike() {
        for (one, other) in [
            ("M\u{dc}LLER", "Mu\u{308}ller"),
            ("Stra\u{df}er", "STRASSER"),
            ("\u{141}ukasz", "lukasz"),
            ("\u{ff2d}\u{ff41}\u{ff52}\u{ff49}\u{ff41}", "maria"),
            ("\u{ff94}\u{ff8f}\u{ff80}\u{ff9e}", "\u{3084}\u{307e}\u{3060}"),
            ("\u{30e4}\u{30de}\u{30c0}", "\u{3084}\u{307e}\u{3060}"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn umlauts_are_written_as_two_letters_and_back() {
        assert_eq!(spellings("M\u{fc}ller").get(..2).unwrap(), ["muller", "mueller"]);
        assert_eq!(spellings("Mueller").get(..2).unwrap(), ["mueller", "muller"]);
        assert_eq!(spellings("Doe"), ["doe", "do"]);
        assert_eq!(spellings("Kim"), ["kim"]);
    }

    #[test]
    fn words_part_where_digits_begin() {
        assert_eq!(runs("mrn0042x").collect::<Vec<_>>(), ["mrn", "0042", "x"]);
        assert_eq!(runs("31jan").collect::<Vec<_>>(), ["31", "jan"]);
        assert_eq!(runs("").count(), 0);
    }
}
