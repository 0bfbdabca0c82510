//! Names in another alphabet than the received object's: a sign that no text has,
//! and behind it how the word sounds, so that what is searched for can stand beside
//! the other spellings of a name. The cleaner has keys of its own.
//!
//! Words in Latin letters and words in others get different signs: within one
//! alphabet nothing is found by its sound.

use super::spelling::fold;
use super::vocabulary::Vocabulary;
use super::words::is_common;

/// Before the sound of a Latin name, where Cyrillic or Greek text is searched.
const OF_LATIN: char = 'ƿ';
/// Before that of a Cyrillic or Greek name, where Latin text is.
const OF_OTHERS: char = 'ȝ';
/// The same two for Japanese syllables.
const SYLLABLES_OF_LATIN: char = 'ƕ';
const SYLLABLES_OF_KANA: char = 'ȣ';
/// Shortest sound that is searched for.
const SOUND_CHARS_MIN: usize = 4;

/// Letters and groups of letters by the sound that romanisations share; read from
/// the first on, so that the longer ones come first.
const SOUNDS: &[(&str, &str)] = &[
    // Greek groups
    ("ου", "u"),
    ("ει", "i"),
    ("οι", "i"),
    ("αι", "e"),
    ("αυ", "av"),
    ("ευ", "ev"),
    ("μπ", "b"),
    ("ντ", "d"),
    ("γκ", "g"),
    ("γγ", "ng"),
    ("τζ", "z"),
    ("τσ", "z"),
    // Latin groups
    ("schtsch", "h"),
    ("shch", "h"),
    ("tsch", "h"),
    ("sch", "h"),
    ("tch", "h"),
    ("sh", "h"),
    ("ch", "h"),
    ("zh", "h"),
    ("kh", "h"),
    ("cz", "h"),
    ("sz", "h"),
    ("ts", "z"),
    ("tz", "z"),
    ("ck", "k"),
    ("ph", "v"),
    ("th", "t"),
    ("gh", "g"),
    ("dh", "d"),
    ("ou", "u"),
    ("oo", "u"),
    ("ee", "i"),
    ("ce", "ze"),
    ("ci", "zi"),
    ("cy", "zi"),
    ("mp", "b"),
    ("mb", "b"),
    ("x", "ks"),
];
const CYRILLIC: &str = "абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґўј";
const IN_LATIN: [&str; 38] = [
    "a", "b", "v", "g", "d", "e", "h", "z", "i", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t",
    "u", "v", "h", "z", "h", "h", "h", "", "i", "", "e", "iu", "ia", "i", "i", "e", "g", "v", "i",
];
const GREEK: &str = "αβγδεζηθικλμνξοπρσςτυφχψω";
const GREEK_IN_LATIN: [&str; 25] = [
    "a", "v", "g", "d", "e", "z", "i", "t", "i", "k", "l", "m", "n", "ks", "o", "p", "r", "s", "s",
    "t", "i", "v", "h", "ps", "o",
];
/// Hiragana from U+3041 on, in the order of Unicode.
const HIRAGANA_FROM: u32 = 0x3041;
const HIRAGANA: [&str; 86] = [
    "a", "a", "i", "i", "u", "u", "e", "e", "o", "o", "ka", "ga", "ki", "gi", "ku", "gu", "ke",
    "ge", "ko", "go", "sa", "za", "si", "zi", "su", "zu", "se", "ze", "so", "zo", "ta", "da", "ti",
    "zi", "", "tu", "zu", "te", "de", "to", "do", "na", "ni", "nu", "ne", "no", "ha", "ba", "pa",
    "hi", "bi", "pi", "hu", "bu", "pu", "he", "be", "pe", "ho", "bo", "po", "ma", "mi", "mu", "me",
    "mo", "-ya", "ya", "-yu", "yu", "-yo", "yo", "ra", "ri", "ru", "re", "ro", "wa", "wa", "i",
    "e", "o", "n", "bu", "ka", "ke",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    Latin,
    CyrillicOrGreek,
    Kana,
}

/// The signed sounds of a name of one word, for searching.
pub(super) fn sounds_of_name(name: &str) -> Vec<String> {
    let folded = fold(name);
    let word = folded.trim();
    let tells = !is_common(word) && Vocabulary::of(word).is_none();
    let Some(writing) = writing(word).filter(|_| tells) else { return Vec::new() };
    let kana = || syllables(name.trim(), writing);
    match writing {
        Writing::Latin => signed(OF_LATIN, sound(word), SYLLABLES_OF_LATIN, kana()),
        Writing::CyrillicOrGreek => signed(OF_OTHERS, sound(word), OF_OTHERS, None),
        Writing::Kana => signed(SYLLABLES_OF_KANA, kana(), OF_OTHERS, None),
    }
}

/// Adds the text with each word by its sound, where another alphabet than the
/// text's may be searched for. `latin_too`: some name is not in plain ASCII.
pub(super) fn push_sounds(views: &mut Vec<String>, text: &str, latin_too: bool) {
    if text.is_ascii() && !latin_too {
        return;
    }
    let mut sounds: Vec<String> = Vec::new();
    for word in runs(text) {
        let folded = fold(word);
        match writing(&folded) {
            Some(Writing::CyrillicOrGreek) => {
                sounds.extend(signed(OF_LATIN, sound(&folded), OF_LATIN, None));
            }
            Some(Writing::Kana) => {
                let kana = syllables(word, Writing::Kana);
                sounds.extend(signed(SYLLABLES_OF_LATIN, kana, OF_LATIN, None));
            }
            Some(Writing::Latin) if latin_too && !super::language::is_plain(&folded) => {
                let kana = syllables(word, Writing::Latin);
                sounds.extend(signed(OF_OTHERS, sound(&folded), SYLLABLES_OF_KANA, kana));
            }
            Some(Writing::Latin) | None => {}
        }
    }
    if !sounds.is_empty() {
        views.push(sounds.join(" "));
    }
}

fn signed(
    sign: char,
    sound: Option<String>,
    other_sign: char,
    other: Option<String>,
) -> Vec<String> {
    let one = sound.map(|sound| format!("{sign}{sound}"));
    one.into_iter().chain(other.map(|sound| format!("{other_sign}{sound}"))).collect()
}

/// Words, and runs of one kind of kana.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let kind = |letter: char| match letter {
        '\u{3041}'..='\u{3096}' => 1,
        '\u{30A1}'..='\u{30FC}' | '\u{FF66}'..='\u{FF9F}' => 2,
        _ if letter.is_alphanumeric() || unicode_normalization::char::is_combining_mark(letter) => {
            3
        }
        _ => 0,
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(|letter: char| kind(letter) != 0)?;
        let from = rest.get(start..)?;
        let first = kind(from.chars().next()?);
        let end = from.find(|letter: char| kind(letter) != first).unwrap_or(from.len());
        let (word, after) = from.split_at_checked(end)?;
        rest = after;
        Some(word)
    })
}

fn writing(folded: &str) -> Option<Writing> {
    let of = |letter: char| {
        if letter.is_ascii_lowercase() {
            Some(Writing::Latin)
        } else if CYRILLIC.contains(letter) || GREEK.contains(letter) {
            Some(Writing::CyrillicOrGreek)
        } else if matches!(letter, '\u{3041}'..='\u{3096}' | 'ー') {
            Some(Writing::Kana)
        } else {
            None
        }
    };
    let first = of(folded.chars().next()?)?;
    folded.chars().all(|letter| of(letter) == Some(first)).then_some(first)
}

fn sound(folded: &str) -> Option<String> {
    let mut letters = String::new();
    let mut rest = folded;
    while let Some(letter) = rest.chars().next() {
        let group = SOUNDS.iter().find(|(spelled, _)| rest.starts_with(spelled));
        let taken = match group {
            Some((spelled, sound)) => {
                letters.push_str(sound);
                spelled.len()
            }
            None => {
                push_letter(&mut letters, letter);
                letter.len_utf8()
            }
        };
        rest = rest.get(taken..)?;
    }
    for (beside, left) in [
        ("ai", "e"),
        ("ei", "i"),
        ("oi", "i"),
        ("ia", "a"),
        ("ie", "e"),
        ("io", "o"),
        ("iu", "u"),
        ("nt", "d"),
        ("nd", "d"),
        ("mb", "b"),
    ] {
        letters = letters.replace(beside, left);
    }
    let mut sound = String::new();
    for letter in letters.chars() {
        if !sound.ends_with(letter) {
            sound.push(letter);
        }
    }
    if let Some(stem) = sound.strip_suffix("er") {
        sound = format!("{stem}r");
    }
    (sound.chars().count() >= SOUND_CHARS_MIN).then_some(sound)
}

fn push_letter(letters: &mut String, letter: char) {
    let in_table = |alphabet: &str, latin: &[&'static str]| {
        alphabet.chars().position(|other| other == letter).and_then(|at| latin.get(at).copied())
    };
    let known = in_table(CYRILLIC, &IN_LATIN).or_else(|| in_table(GREEK, &GREEK_IN_LATIN));
    match (known, letter) {
        (Some(latin), _) => letters.push_str(latin),
        (None, 'w' | 'f') => letters.push('v'),
        (None, 'y' | 'j') => letters.push('i'),
        (None, 'c' | 'q') => letters.push('k'),
        (None, other) => letters.push(other),
    }
}

/// How Japanese syllables sound, in kana or in Latin letters that spell some.
fn syllables(written: &str, writing: Writing) -> Option<String> {
    let mut sound = match writing {
        Writing::Kana => of_kana(written)?,
        Writing::Latin => of_latin(&fold(written))?,
        Writing::CyrillicOrGreek => return None,
    };
    for (long, short) in
        [("ou", "o"), ("aa", "a"), ("ii", "i"), ("uu", "u"), ("ee", "e"), ("oo", "o")]
    {
        sound = sound.replace(long, short);
    }
    (sound.chars().count() >= SOUND_CHARS_MIN).then_some(sound)
}

fn of_kana(written: &str) -> Option<String> {
    use unicode_normalization::UnicodeNormalization as _;
    let mut sound = String::new();
    for letter in written.nfkc().filter(|letter| *letter != 'ー') {
        let code = u32::from(letter);
        // Katakana stand 0x60 behind their hiragana.
        let code = if code >= 0x30A1 { code.checked_sub(0x60)? } else { code };
        let at = usize::try_from(code.checked_sub(HIRAGANA_FROM)?).ok()?;
        match HIRAGANA.get(at)?.strip_prefix('-') {
            Some(small) => {
                let stem = sound.strip_suffix('i').map(str::to_owned);
                sound = stem.unwrap_or(sound) + small;
            }
            None => sound.push_str(HIRAGANA.get(at)?),
        }
    }
    Some(sound)
}

fn of_latin(folded: &str) -> Option<String> {
    let mut text = folded.to_owned();
    for (spelled, syllable) in [
        ("shi", "si"),
        ("sh", "sy"),
        ("tch", "ch"),
        ("chi", "ti"),
        ("ch", "ty"),
        ("tsu", "tu"),
        ("dzu", "zu"),
        ("du", "zu"),
        ("di", "zi"),
        ("fu", "hu"),
        ("ji", "zi"),
        ("j", "zy"),
        ("mb", "nb"),
        ("mp", "np"),
    ] {
        text = text.replace(spelled, syllable);
    }
    let letters: Vec<char> = text.chars().collect();
    let is_vowel = |letter: Option<&char>| letter.is_some_and(|letter| "aiueo".contains(*letter));
    let mut sound = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let next = letters.get(at + 1);
        let long = *letter == 'h' && sound.ends_with('o') && !is_vowel(next);
        let stop = next == Some(letter) && !is_vowel(next);
        let fits = is_vowel(Some(letter)) || *letter == 'n' || is_vowel(next) || next == Some(&'y');
        if long || stop {
            continue;
        }
        if !fits || !"aiueonkstnhmyrwgzdbp".contains(*letter) {
            return None;
        }
        sound.push(*letter);
    }
    Some(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_found(name: &str, text: &str) -> bool {
        let mut views = Vec::new();
        push_sounds(&mut views, text, !name.is_ascii());
        let said: Vec<&str> = views.iter().flat_map(|view| view.split(' ')).collect();
        sounds_of_name(name).iter().any(|sound| said.contains(&sound.as_str()))
    }

    #[test]
    fn a_name_is_found_in_another_alphabet_and_not_in_its_own() {
        for (name, text) in [
            ("Ivanchenko", "КТ Иванченко"),
            ("Иванченко", "CT Ivanchenko"),
            ("Chaikovsky", "чайковский"),
            ("Papadopoulos", "Παπαδόπουλος CT"),
            ("Γεώργιος", "GEORGIOS"),
            ("Yamada", "胸部ヤマダ様"),
            ("Tarou", "たろう"),
            ("ヤマダ", "Yamada chest"),
            ("ﾔﾏﾀﾞ", "yamada"),
            ("Shouji", "ショージ"),
        ] {
            assert!(is_found(name, text), "{name} {text}");
        }
        for (name, text) in [
            ("Iwanow", "Ivanov"),
            ("Иванов", "Иванченко"),
            ("Head", "голова"),
            ("Yamada", "たろう"),
            ("Test", "тест"),
        ] {
            assert!(!is_found(name, text), "{name} {text}");
        }
    }
}
