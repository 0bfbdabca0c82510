//! What readers of a text see and programs do not: letters that show nothing,
//! and letters of other alphabets that look like Latin ones.
//!
//! Facts of Unicode alone; who asks decides what they mean.

use unicode_normalization::UnicodeNormalization as _;

/// Letters of Greek and Cyrillic that look like a Latin one, large and small.
/// Small Cyrillic letters that look like a small large one (`в`) are with them.
const TWINS: [(char, char); 79] = [
    ('Α', 'A'),
    ('Β', 'B'),
    ('Ε', 'E'),
    ('Ζ', 'Z'),
    ('Η', 'H'),
    ('Ι', 'I'),
    ('Κ', 'K'),
    ('Μ', 'M'),
    ('Ν', 'N'),
    ('Ο', 'O'),
    ('Ρ', 'P'),
    ('Τ', 'T'),
    ('Υ', 'Y'),
    ('Χ', 'X'),
    ('α', 'a'),
    ('γ', 'y'),
    ('ε', 'e'),
    ('η', 'n'),
    ('ι', 'i'),
    ('κ', 'k'),
    ('ν', 'v'),
    ('ο', 'o'),
    ('ρ', 'p'),
    ('τ', 't'),
    ('υ', 'u'),
    ('χ', 'x'),
    ('ω', 'w'),
    ('ϲ', 'c'),
    ('ϳ', 'j'),
    ('Ϲ', 'C'),
    ('Ϳ', 'J'),
    ('А', 'A'),
    ('В', 'B'),
    ('Е', 'E'),
    ('К', 'K'),
    ('М', 'M'),
    ('Н', 'H'),
    ('О', 'O'),
    ('Р', 'P'),
    ('С', 'C'),
    ('Т', 'T'),
    ('У', 'Y'),
    ('Х', 'X'),
    ('Ѕ', 'S'),
    ('І', 'I'),
    ('Ј', 'J'),
    ('Ԁ', 'D'),
    ('Ԛ', 'Q'),
    ('Ԝ', 'W'),
    ('Ѵ', 'V'),
    ('Ү', 'Y'),
    ('Ԍ', 'G'),
    ('Ӏ', 'I'),
    ('а', 'a'),
    ('в', 'b'),
    ('е', 'e'),
    ('к', 'k'),
    ('м', 'm'),
    ('н', 'h'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('т', 't'),
    ('у', 'y'),
    ('х', 'x'),
    ('ѕ', 's'),
    ('і', 'i'),
    ('ј', 'j'),
    ('ԁ', 'd'),
    ('ԛ', 'q'),
    ('ԝ', 'w'),
    ('ѵ', 'v'),
    ('ү', 'y'),
    ('һ', 'h'),
    ('ӏ', 'l'),
    ('ԍ', 'g'),
    ('ɡ', 'g'),
    ('ɑ', 'a'),
    ('ɩ', 'i'),
];

/// The character shows nothing by itself: soft hyphens, zero-width blanks and
/// joiners, marks of direction, selectors (Default_Ignorable_Code_Point of
/// Unicode, without fillers that are letters).
#[must_use]
pub fn is_unseen(letter: char) -> bool {
    !letter.is_ascii()
        && matches!(letter,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// The text without what shows nothing; `None` when all of it shows.
#[must_use]
pub fn without_unseen(text: &str) -> Option<String> {
    if text.is_ascii() || !text.chars().any(is_unseen) {
        return None;
    }
    Some(text.chars().filter(|letter| !is_unseen(*letter)).collect())
}

/// The Latin word that a word looks like whose letters are not all Latin:
/// `Wіnter` with a Cyrillic `і`. `None` where a letter looks like no Latin one.
#[must_use]
pub fn latin_word(word: &str) -> Option<String> {
    if word.is_ascii() || !word.chars().any(has_twin) {
        return None;
    }
    // Accents first: `ї` is an `і` with two points.
    let bare =
        word.nfkd().filter(|letter| !unicode_normalization::char::is_combining_mark(*letter));
    bare.map(|letter| match twin(letter) {
        Some(twin) => Some(twin),
        None => (!letter.is_alphabetic() || is_latin(letter)).then_some(letter),
    })
    .collect()
}

/// A text whose words are read as the Latin ones that they look like; `None`
/// when there are none.
#[must_use]
pub fn latin_words(text: &str) -> Option<String> {
    if text.is_ascii() || !text.chars().any(has_twin) {
        return None;
    }
    let mut read = String::with_capacity(text.len());
    let mut changed = false;
    for run in text.split_inclusive(|letter: char| !is_of_word(letter)) {
        let end = run.char_indices().next_back().filter(|(_, last)| !is_of_word(*last));
        let (word, after) = run.split_at(end.map_or(run.len(), |(at, _)| at));
        match latin_word(word) {
            Some(latin) => {
                changed = true;
                read.push_str(&latin);
            }
            None => read.push_str(word),
        }
        read.push_str(after);
    }
    changed.then_some(read)
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || unicode_normalization::char::is_combining_mark(letter)
}

fn twin(letter: char) -> Option<char> {
    TWINS.iter().find(|(other, _)| *other == letter).map(|(_, latin)| *latin)
}

/// The letter, or the one below its accents, looks like a Latin one.
fn has_twin(letter: char) -> bool {
    // Greek, Cyrillic and the phonetic letters.
    matches!(letter, '\u{250}'..='\u{2AF}' | '\u{370}'..='\u{52F}' | '\u{1F00}'..='\u{1FFF}')
        && (twin(letter).is_some() || letter.nfd().next().and_then(twin).is_some())
}

fn is_latin(letter: char) -> bool {
    letter.is_ascii() || matches!(letter, '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_is_taken_out() {
        assert_eq!(
            without_unseen("Win\u{AD}ter\u{200B}bot\u{FEFF}tom").as_deref(),
            Some("Winterbottom")
        );
        assert_eq!(without_unseen("M\u{fc}ller"), None);
    }

    #[test]
    fn words_that_look_latin_are_read_so_and_others_are_not() {
        for (word, latin) in [
            ("W\u{456}nterb\u{43e}ttom", Some("Winterbottom")),
            ("\u{421}\u{41e}\u{420}\u{415}", Some("COPE")),
            ("\u{3a1}\u{39f}\u{395}", Some("POE")),
            ("R\u{457}os", Some("Rios")),
            ("\u{418}\u{432}\u{430}\u{43d}\u{43e}\u{432}", None),
            ("Winter", None),
            ("M\u{fc}ller", None),
        ] {
            assert_eq!(latin_word(word).as_deref(), latin, "{word}");
        }
        let read = latin_words("by W\u{456}nter, \u{418}\u{432}\u{430}\u{43d}.");
        assert_eq!(read.as_deref(), Some("by Winter, \u{418}\u{432}\u{430}\u{43d}."));
        assert_eq!(latin_words("\u{418}\u{432}\u{430}\u{43d}"), None);
    }
}
