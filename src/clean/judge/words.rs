//! Text cut into words that remember where they stood and how they were
//! written.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::lexicon::{Flags, Lexicon};
use super::overlaps;
use crate::dicom::looks::{is_unseen, latin_word, without_unseen};

/// Fewest words of a line that are at most familiar, when nothing else is in it, ...
const ALONE_MIN: usize = 2;
/// ... and beside words that nobody knows. Default 3: beside one such word the recogniser
/// took names for words (`duplicate KOWALSKI`).
const BESIDE_UNKNOWN_MIN: usize = 3;
/// Letters of a word with digits that may be a misread name: `an5ori`.
const MISREAD_LETTERS: usize = 3;

/// Characters of a known word that is no short name misread.
const TELLING_CHARS: usize = 4;

/// Letters of scripts written without spaces begin here (CJK, kana, hangul).
const WIDE_FROM: char = '\u{2E80}';

/// How a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// All small.
    Lower,
    /// The first letter large, the others small.
    Capital,
    /// All large, two letters or more; or one large letter.
    Upper,
    /// Otherwise, as in `McAllister`.
    Mixed,
    /// No letters that have a case.
    None,
}

/// How letters that show nothing, or look like others, are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As they stand: what shows nothing parts words.
    Plain,
    /// What shows nothing is not there.
    Closed,
    /// So, and words that look Latin are Latin.
    Latin,
}

/// A run of letters, digits and marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Byte range in the text.
    pub(super) range: Range<usize>,
    /// Lower case, without diacritics.
    pub(super) folded: String,
    /// How it is written.
    pub(super) case: Case,
    /// What the lexicon knows of it.
    pub(super) flags: Flags,
    /// Digits in it.
    pub(super) digits: usize,
    /// Characters of the folded form.
    pub(super) chars: usize,
}

impl Word {
    /// Letters alone.
    pub(super) fn is_letters(&self) -> bool {
        self.digits == 0
    }

    /// Digits alone.
    pub(super) fn is_number(&self) -> bool {
        self.digits == self.chars
    }

    /// One letter.
    pub(super) fn is_initial(&self) -> bool {
        self.chars == 1 && self.digits == 0
    }

    /// Written with a large first letter.
    pub(super) fn is_capital(&self) -> bool {
        matches!(self.case, Case::Capital | Case::Upper | Case::Mixed)
    }

    /// A word of the language or of the clinic, and not mostly a name.
    pub(super) fn is_plain(&self) -> bool {
        self.flags.has(Flags::PLAIN) && !self.flags.has(Flags::NAME_WORD)
    }

    /// A list knows somebody who is called by it.
    pub(super) fn may_be_name(&self) -> bool {
        self.flags.has(Flags::NAMES) || self.flags.has(Flags::CALLED)
    }

    fn standing(&self) -> Standing {
        let is_long = self.chars - self.digits >= TELLING_CHARS;
        let is_listed = !self.flags.is_empty() || self.flags.has(Flags::FAMILIAR);
        if self.may_be_name() {
            Standing::Doubtful
        } else if self.is_letters() && is_long && self.is_plain() {
            Standing::Ordinary
        } else if is_listed || self.is_number() {
            Standing::Known
        } else if is_long {
            Standing::Unknown
        } else {
            Standing::Doubtful
        }
    }
}

/// What is known of a word, beginning with the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Four letters and more, on no list.
    Unknown,
    /// Somebody may be called by it, or it is short and on no list.
    Doubtful,
    /// On a list, but short, or of no language or clinic; or familiar; or a number.
    Known,
    /// A word of a language or of the clinic, of four letters and more, and nobody's name
    /// that a list knows.
    Ordinary,
}

/// A text, its words and what its letters have in common.
#[derive(Debug)]
pub struct Line<'a> {
    text: &'a str,
    pub(super) words: Vec<Word>,
    /// Some letter is small, so that a large one says something.
    pub(super) has_lower: bool,
    /// Some word of two letters begins with a large letter.
    pub(super) has_upper: bool,
    pub(super) has_digits: bool,
    pub(super) has_wide: bool,
}

impl<'a> Line<'a> {
    /// Cuts a text.
    pub(super) fn new(text: &'a str, lexicon: &Lexicon) -> Self {
        Self::read(text, lexicon, Reading::Plain)
    }

    /// Cuts a text in one of its readings.
    pub(super) fn read(text: &'a str, lexicon: &Lexicon, reading: Reading) -> Self {
        let inside = |c: char| reading != Reading::Plain && is_unseen(c);
        let mut words = Vec::new();
        let mut start = None;
        for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
            match (start, is_word_char(c) || start.is_some() && inside(c)) {
                (None, true) => start = Some(at),
                (Some(from), false) => {
                    words.push(word(text, from..at, lexicon, reading));
                    start = None;
                }
                (None, false) | (Some(_), true) => {}
            }
        }
        let has_lower = words
            .iter()
            .any(|word| word.chars > 1 && !matches!(word.case, Case::Upper | Case::None));
        let has_upper = words.iter().any(|word| word.chars > 1 && word.is_capital());
        let has_digits = words.iter().any(|word| word.digits > 0);
        let has_wide = !text.is_ascii() && text.chars().any(is_wide);
        Self { text, words, has_lower, has_upper, has_digits, has_wide }
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// What is known of the words at a byte range; of several the least.
    pub(super) fn standing(&self, range: &Range<usize>) -> Standing {
        let touched = self.words.iter().filter(|word| overlaps(&word.range, range));
        touched.map(Word::standing).min().unwrap_or(Standing::Unknown)
    }

    /// Half of the words at least are known, one of four letters among them that nobody is
    /// called by: a name, alone or with a number, is not left to the recogniser. One known word
    /// is one of the clinic: any other is somebody's name somewhere (`TROTTER`). A view beside it
    /// (`COCKER PA`) is a second one: to ask for two long words cost 2 points of clinical lines. Words
    /// that are only familiar make up the half where two of them stand alone, or three
    /// beside a word that nobody knows (`rebook KOWALSKI`).
    pub(super) fn is_mostly_known(&self) -> bool {
        let counts =
            |word: &&Word| word.is_letters() || word.chars - word.digits >= MISREAD_LETTERS;
        let words = self.words.iter().filter(|word| word.chars > 1).filter(counts);
        let is_known = |word: &&Word| {
            word.is_letters()
                && (word.is_plain() || word.flags.has(Flags::EPONYM) || word.flags.has(Flags::UNIT))
        };
        let is_heard_of = |word: &&Word| is_known(word) || word.flags.has(Flags::FAMILIAR);
        let is_telling = |word: &&Word| word.chars >= TELLING_CHARS && !word.may_be_name();
        let count = words.clone().count();
        let known = words.clone().filter(is_known).count();
        let may_tell =
            |word: &Word| is_telling(&word) && (known > 1 || word.flags.has(Flags::CLINICAL));
        if known * 2 >= count && words.clone().filter(is_known).any(may_tell) {
            return true;
        }
        let heard_of = words.clone().filter(is_heard_of).count();
        let enough = if heard_of == count { ALONE_MIN } else { BESIDE_UNKNOWN_MIN };
        heard_of >= enough
            && heard_of * 2 >= count
            && words.filter(is_heard_of).any(|word| is_telling(&word))
    }

    /// Behind a word like `by` or `laut`, particles and what is shorter than a name between
    /// or not, stands what no list knows, or what somebody is called by.
    pub(super) fn may_tell_of_somebody(&self) -> bool {
        let tells = |word: &Word| word.flags.has(Flags::BEFORE) || word.flags.has(Flags::TELLS);
        let is_short = |word: &Word| {
            word.flags.has(Flags::PARTICLE) || word.folded == "und" || word.chars < MISREAD_LETTERS
        };
        let is_unknown = |word: &Word| word.flags.is_empty() && !word.flags.has(Flags::FAMILIAR);
        let is_somebody =
            |word: &Word| word.is_letters() && (word.may_be_name() || is_unknown(word));
        self.words.iter().enumerate().filter(|(_, word)| tells(word)).any(|(at, _)| {
            let mut behind = self.words.iter().skip(at + 1).skip_while(|word| is_short(word));
            behind.next().is_some_and(is_somebody)
        })
    }

    /// What stands before a word, back to the word before it or the beginning.
    pub(super) fn gap(&self, index: usize) -> &'a str {
        let from = index.checked_sub(1).and_then(|before| self.words.get(before));
        let to = self.words.get(index).map_or(self.text.len(), |word| word.range.start);
        self.text.get(from.map_or(0, |word| word.range.end)..to).unwrap_or_default()
    }

    /// A unit follows the word, at most a sign behind it: `22 mm`, `22mm`.
    pub(super) fn has_unit_behind(&self, index: usize) -> bool {
        let unit = self.words.get(index + 1).is_some_and(|word| word.flags.has(Flags::UNIT));
        unit && self.gap(index + 1).chars().count() <= 1
    }

    /// The text of words `from` to `to`, both included.
    pub(super) fn range(&self, from: usize, to: usize) -> Range<usize> {
        let start = self.words.get(from).map_or(0, |word| word.range.start);
        start..self.words.get(to).map_or(self.text.len(), |word| word.range.end)
    }

    /// The word is followed by others of the same name: blanks, commas, points,
    /// hyphens, apostrophes, carets between them.
    pub(super) fn is_joined(&self, index: usize) -> bool {
        let gap = self.gap(index);
        gap.chars().count() <= 3
            && gap
                .chars()
                .all(|c| matches!(c, ' ' | ',' | '.' | '-' | '\'' | '’' | '^' | '_' | '='))
    }
}

fn word(text: &str, range: Range<usize>, lexicon: &Lexicon, reading: Reading) -> Word {
    let written = read_as(text.get(range.clone()).unwrap_or_default(), reading);
    let written = written.as_ref();
    let folded = fold(written);
    let digits = folded.bytes().filter(u8::is_ascii_digit).count();
    let chars = if folded.is_ascii() { folded.len() } else { folded.chars().count() };
    let mut flags = lexicon.flags(&folded);
    let case = case(written);
    if flags.is_empty() && case == Case::Mixed && is_compound(written, lexicon) {
        flags = Flags::WORD;
    }
    Word { range, case, flags, digits, chars, folded }
}

fn read_as(written: &str, reading: Reading) -> Cow<'_, str> {
    if reading == Reading::Plain || written.is_ascii() {
        return Cow::Borrowed(written);
    }
    let seen = without_unseen(written).map_or(Cow::Borrowed(written), Cow::Owned);
    let latin = if reading == Reading::Latin { latin_word(&seen) } else { None };
    latin.map_or(seen, Cow::Owned)
}

/// `AbdRoutine`: words of the lexicon written together, each with a large letter.
fn is_compound(written: &str, lexicon: &Lexicon) -> bool {
    let mut from = 0;
    let mut before_small = false;
    let mut pieces = 0;
    for (at, c) in written.char_indices().chain([(written.len(), 'A')]) {
        if c.is_uppercase() && (before_small || at == written.len()) {
            let piece = written.get(from..at).unwrap_or_default();
            if !lexicon.flags(&fold(piece)).has(Flags::PLAIN) {
                return false;
            }
            pieces += 1;
            from = at;
        }
        before_small = c.is_lowercase();
    }
    pieces > 1
}

fn case(written: &str) -> Case {
    let mut letters = written.chars().filter(|c| c.is_alphabetic());
    let Some(first) = letters.next() else { return Case::None };
    let (mut upper, mut lower) = (false, false);
    for letter in letters {
        upper |= letter.is_uppercase();
        lower |= letter.is_lowercase();
    }
    match (first.is_uppercase(), upper, lower) {
        (false, false, _) if first.is_lowercase() => Case::Lower,
        (false, false, false) => Case::None,
        (true, _, false) => Case::Upper,
        (true, false, true) => Case::Capital,
        _ => Case::Mixed,
    }
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || (!c.is_ascii() && is_combining_mark(c))
}

/// The letter belongs to writing without spaces.
pub(super) fn is_wide(letter: char) -> bool {
    letter >= WIDE_FROM && letter.is_alphabetic()
}

/// Lower case, compatibility forms resolved (full-width letters and digits),
/// diacritics dropped, letters such as `ß` and `ø` spelled by their base,
/// katakana as hiragana: what two spellings of a name have in common.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    let bare = text.nfkd().filter(|c| !is_combining_mark(*c));
    for c in bare.flat_map(char::to_lowercase) {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ı' => folded.push('i'),
            '\u{30A1}'..='\u{30F6}' => {
                folded.push(char::from_u32(u32::from(c) - 0x60).unwrap_or(c));
            }
            // Arabic-Indic digits.
            '\u{660}'..='\u{669}' | '\u{6F0}'..='\u{6F9}' => {
                folded.push(char::from_digit(u32::from(c) & 0xF, 10).unwrap_or(c));
            }
            other => folded.push(other),
        }
    }
    // Hangul is one letter a syllable again.
    folded.nfc().collect()
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

/// `fold`, letters and digits only.
pub(super) fn squeezed(text: &str) -> String {
    let mut folded = fold(text);
    folded.retain(char::is_alphanumeric);
    folded
}

/// Two texts differ in at most `limit` characters: one wrong, left out, too
/// many, or two neighbours changed about.
pub(super) fn within_distance(a: &[char], b: &[char], limit: usize) -> bool {
    if a.len().abs_diff(b.len()) > limit {
        return false;
    }
    // What both begin and end with costs nothing.
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(head..).unwrap_or_default(), b.get(head..).unwrap_or_default());
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let a = a.get(..a.len() - tail).unwrap_or_default();
    let b = b.get(..b.len() - tail).unwrap_or_default();
    match (limit, a, b) {
        (_, [], rest) | (_, rest, []) => rest.len() <= limit,
        (0, ..) => false,
        (_, [_], [_]) => true,
        (1, [x, y], [z, w]) => x == w && y == z,
        (1, ..) => false,
        (..) => within_rows(a, b, limit),
    }
}

/// The same by the rows of the table; it ends when no way is left.
fn within_rows(a: &[char], b: &[char], limit: usize) -> bool {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let at =
                |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut cost =
                (at(&row, j) + usize::from(x != y)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let crossed = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if crossed {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            next.push(cost);
        }
        before = std::mem::replace(&mut row, next);
        // A crossing takes up the row before.
        if row.iter().chain(&before).all(|cost| *cost > limit) {
            return false;
        }
    }
    row.last().is_some_and(|distance| *distance <= limit)
}

/// The letters of a text as bits: texts that differ in `n` letters differ in at
/// most `2 n` bits.
pub(super) fn letters_in(chars: &[char]) -> u64 {
    chars.iter().fold(0, |bits, c| bits | 1 << (u32::from(*c) % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_place_and_lose_case_and_accents() {
        let line = Line::new("Hôpital St-Luc, 12", Lexicon::shared());
        let folded: Vec<_> = line.words.iter().map(|word| word.folded.as_str()).collect();
        assert_eq!(folded, ["hopital", "st", "luc", "12"]);
        assert_eq!("Hôpital St-Luc, 12".get(line.words[0].range.clone()), Some("Hôpital"));
        assert_eq!(fold("Strauß ŁØ ヤマダ ﾔﾏﾀﾞ ٢٠١٩ 김"), "strauss lo やまた やまた 2019 김");
    }

    #[test]
    fn how_a_word_is_written_is_told() {
        let cases = [
            ("doe", Case::Lower),
            ("Doe", Case::Capital),
            ("DOE", Case::Upper),
            ("McDoe", Case::Mixed),
            ("J", Case::Upper),
            ("3mm", Case::Lower),
            ("12", Case::None),
            ("山田", Case::None),
        ];
        for (text, expected) in cases {
            assert_eq!(case(text), expected, "{text}");
        }
    }

    #[test]
    fn compounds_of_known_words_are_known() {
        let lexicon = Lexicon::shared();
        assert!(is_compound("AbdRoutine", lexicon) && !is_compound("McAllister", lexicon));
    }

    #[test]
    fn misread_characters_become_one() {
        assert_eq!(confusable("MRN0042317"), confusable("MRNO0423l7"));
        assert_eq!(confusable("Bernard"), confusable("8emard"));
    }

    #[test]
    fn distance_is_symmetric_and_bounded() {
        let within = |a: &str, b: &str, limit| {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            within_distance(&a, &b, limit) && within_distance(&b, &a, limit)
        };
        assert!(within("patient", "patlent", 1) && within("simth", "smith", 1));
        assert!(within("", "ab", 2) && within("kitten", "sitting", 3));
        assert!(!within("kitten", "sitting", 2));
    }
}
