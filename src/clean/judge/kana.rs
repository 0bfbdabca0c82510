//! Japanese syllables: kana and their romanisations brought to one key, spelled as
//! in the table of kana, so that `ヤマダ` is `Yamada` and `さとう` is `Satoh`.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;

use super::words::fold;

/// Shortest key: `ito`.
const KEY_CHARS_MIN: usize = 3;
/// Vowels that are one long one.
const LONG: [(&str, &str); 6] =
    [("ou", "o"), ("oo", "o"), ("uu", "u"), ("aa", "a"), ("ii", "i"), ("ee", "e")];

/// Rows of the table of kana, by the consonant before `aiueo`.
const ROWS: [(&str, &str); 15] = [
    ("あいうえお", ""),
    ("かきくけこ", "k"),
    ("さしすせそ", "s"),
    ("たちつてと", "t"),
    ("なにぬねの", "n"),
    ("はひふへほ", "h"),
    ("まみむめも", "m"),
    ("らりるれろ", "r"),
    ("がぎぐげご", "g"),
    ("ざじずぜぞ", "z"),
    ("だぢづでど", "d"),
    ("ばびぶべぼ", "b"),
    ("ぱぴぷぺぽ", "p"),
    ("ぁぃぅぇぉ", ""),
    ("わゐ_ゑを", "w"),
];

/// The key of a word in kana.
pub(super) fn of_kana(kana: &str) -> Option<String> {
    key(&spelled_kana(&to_hiragana(kana))?)
}

/// The key of a word in Latin letters that spells Japanese syllables.
pub(super) fn of_romaji(written: &str) -> Option<String> {
    key(&spelled_romaji(&fold(written))?)
}

/// Long vowels short, syllables that sound the same spelled the same.
fn key(spelled: &str) -> Option<String> {
    let mut key = spelled.replace("wo", "o").replace("di", "zi").replace("du", "zu");
    for (long, short) in LONG {
        key = key.replace(long, short);
    }
    (key.chars().count() >= KEY_CHARS_MIN).then_some(key)
}

fn spelled_kana(hiragana: &str) -> Option<String> {
    let mut spelled = String::new();
    for kana in hiragana.chars() {
        match kana {
            'ん' => spelled.push('n'),
            'っ' | 'ー' => {}
            'ゔ' => spelled.push_str("bu"),
            'や' => spelled.push_str("ya"),
            'ゆ' => spelled.push_str("yu"),
            'よ' => spelled.push_str("yo"),
            'ゃ' | 'ゅ' | 'ょ' => {
                // `し` and a small `や` are one syllable.
                if spelled.ends_with('i') {
                    spelled.pop();
                }
                spelled.push_str(if kana == 'ゃ' {
                    "ya"
                } else if kana == 'ゅ' {
                    "yu"
                } else {
                    "yo"
                });
            }
            _ => {
                let (place, consonant) = ROWS.iter().find_map(|(row, consonant)| {
                    row.chars().position(|other| other == kana).map(|at| (at, consonant))
                })?;
                spelled.push_str(consonant);
                spelled.push("aiueo".chars().nth(place)?);
            }
        }
    }
    Some(spelled)
}

/// Hepburn and other spellings of syllables, as the table of kana has them.
const ROMAJI: [(&str, &str); 17] = [
    ("tch", "ch"),
    ("shi", "si"),
    ("sh", "sy"),
    ("chi", "ti"),
    ("ch", "ty"),
    ("tsu", "tu"),
    ("dzu", "zu"),
    ("fu", "hu"),
    ("ji", "zi"),
    ("jy", "zy"),
    ("j", "zy"),
    ("l", "r"),
    ("v", "b"),
    ("mb", "nb"),
    ("mp", "np"),
    ("mm", "nm"),
    ("nn", "n"),
];

fn spelled_romaji(folded: &str) -> Option<String> {
    let mut text = folded.to_owned();
    for (spelled, syllable) in ROMAJI {
        text = text.replace(spelled, syllable);
    }
    let mut spelled = String::new();
    let mut letters = text.chars().peekable();
    let vowel = |letter: &char| "aiueo".contains(*letter);
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied();
        match letter {
            'a' | 'i' | 'u' | 'e' | 'o' | 'n' => spelled.push(letter),
            // `Satoh`, `Ohno`: a sign of length.
            'h' if spelled.ends_with('o')
                && !next.as_ref().is_some_and(|c| vowel(c) || *c == 'y') => {}
            // A doubled consonant is a stop.
            _ if next == Some(letter) => {}
            _ if "kgsztdhbpmr".contains(letter) && next == Some('y') => spelled.push(letter),
            _ if "kgsztdhbpmryw".contains(letter) && next.as_ref().is_some_and(vowel) => {
                spelled.push(letter);
            }
            _ => return None,
        }
    }
    Some(spelled)
}

/// Katakana, also of half width, as hiragana with their marks.
pub(super) fn to_hiragana(kana: &str) -> String {
    let moved = |letter: char| match letter {
        '\u{30A1}'..='\u{30F6}' => char::from_u32(u32::from(letter) - 0x60).unwrap_or(letter),
        _ => letter,
    };
    kana.nfkc().map(moved).collect()
}

/// Where kana stand without other letters between them; hiragana and katakana
/// beside each other are two runs.
pub(super) fn runs(text: &str) -> Vec<Range<usize>> {
    let kind = |letter: char| match letter {
        'ー' | '\u{30A1}'..='\u{30FA}' | '\u{FF66}'..='\u{FF9F}' => Some(true),
        '\u{3041}'..='\u{3096}' => Some(false),
        _ => None,
    };
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut open = None;
    for (at, letter) in text.char_indices() {
        let this = kind(letter);
        match runs.last_mut() {
            Some(run) if this.is_some() && open == this => run.end = at + letter.len_utf8(),
            _ if this.is_some() => runs.push(at..at + letter.len_utf8()),
            _ => {}
        }
        open = this;
    }
    runs
}

/// The letter is a kana, of full or half width, or their sign of length.
pub(super) fn is_kana(letter: char) -> bool {
    matches!(letter,
        '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | 'ー' | '\u{FF66}'..='\u{FF9F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kana_and_romaji_spell_the_same_syllables() {
        for (kana, romaji) in [
            ("ヤマダ", "Yamada"),
            ("ﾔﾏﾀﾞ", "YAMADA"),
            ("たろう", "Taro"),
            ("たろう", "Tarou"),
            ("さとう", "Satoh"),
            ("しょうじ", "Shoji"),
            ("ちば", "Chiba"),
            ("つだ", "Tsuda"),
            ("ふじもと", "Fujimoto"),
            ("なんば", "Namba"),
            ("はっとり", "Hattori"),
            ("いのうえ", "Inoue"),
            ("おおはら", "Ohara"),
        ] {
            let key = of_kana(kana);
            assert!(key.is_some() && key == of_romaji(romaji), "{kana} {key:?}");
        }
        assert_eq!(of_romaji("Smith"), None);
        assert_eq!(of_romaji("Schmidt"), None);
    }
}
