//! Names in another alphabet than the header's: `Иванченко` of `Ivanchenko^…`,
//! `ヤマダ` of `Yamada`, and the other way round.
//!
//! Each word is brought to a key that its usual romanisations have in common
//! (`kh`, `h` and `ch`, `ya`, `ia` and `ja`, `ou` and `u`). Keys are so coarse that
//! they are compared between alphabets only: within one, words are compared as
//! they are spelled.

use std::ops::Range;

use super::kana::{self, is_kana, runs, to_hiragana};
use super::matcher::Part;
use super::spelling;
use super::words::fold;

/// Shortest key of letters. Default 4: shorter ones are in every language.
const KEY_CHARS_MIN: usize = 4;
/// Shortest run of kana that is a name: `いと`.
const KANA_MIN: usize = 2;
/// Said after a name, in kana.
const HONORIFICS: [&str; 5] = ["さん", "さま", "くん", "ちゃん", "せんせい"];

/// What a word is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    Latin,
    Cyrillic,
    Greek,
    Kana,
}

#[derive(Debug)]
struct Sound {
    alphabet: Alphabet,
    key: Vec<char>,
    part: Part,
}

/// The words of one data set's names, by how they sound.
#[derive(Debug, Default)]
pub(super) struct Sounds {
    letters: Vec<Sound>,
    syllables: Vec<Sound>,
}

impl Sounds {
    /// Adds a word of a name.
    pub(super) fn add(&mut self, written: &str, part: Part) {
        let Some(alphabet) = alphabet(written) else { return };
        for key in keys(written, alphabet) {
            self.letters.push(Sound { alphabet, key: key.chars().collect(), part });
        }
        if let Some(key) = syllables(written, alphabet) {
            self.syllables.push(Sound { alphabet, key: key.chars().collect(), part });
        }
    }

    /// The parts of names in other alphabets that a word sounds like.
    pub(super) fn like(&self, written: &str) -> Vec<Part> {
        if self.letters.is_empty() && self.syllables.is_empty() {
            return Vec::new();
        }
        let Some(alphabet) = alphabet(written) else { return Vec::new() };
        let others = |sounds: &[Sound]| sounds.iter().any(|sound| sound.alphabet != alphabet);
        let mut found = Vec::new();
        if others(&self.letters) {
            for key in keys(written, alphabet) {
                let key: Vec<char> = key.chars().collect();
                let same = |sound: &&Sound| {
                    let inflected = || spelling::has_other_ending(&key, &sound.key);
                    let alike = sound.key == key || alphabet != Alphabet::Latin && inflected();
                    sound.alphabet != alphabet && alike
                };
                found.extend(self.letters.iter().filter(same).map(|sound| sound.part));
            }
        }
        if alphabet == Alphabet::Latin && others(&self.syllables) {
            let key: Option<Vec<char>> =
                syllables(written, alphabet).map(|key| key.chars().collect());
            let same = |sound: &&Sound| {
                sound.alphabet == Alphabet::Kana && key.as_ref() == Some(&sound.key)
            };
            found.extend(self.syllables.iter().filter(same).map(|sound| sound.part));
        }
        found
    }

    /// Adds where names in Latin letters stand in kana: a run of kana that is one of
    /// them, or two of the same name, an honorific behind it or not.
    pub(super) fn find_kana(&self, text: &str, found: &mut Vec<Range<usize>>) {
        if !self.syllables.iter().any(|sound| sound.alphabet == Alphabet::Latin) {
            return;
        }
        for range in runs(text) {
            let run = text.get(range.clone()).unwrap_or_default();
            let folded = to_hiragana(run);
            let bare = HONORIFICS.iter().find_map(|after| folded.strip_suffix(after));
            let is_name = |kana: &str| {
                kana.chars().count() >= KANA_MIN
                    && syllables(kana, Alphabet::Kana).is_some_and(|key| self.is_name(&key))
            };
            if is_name(&folded) || bare.is_some_and(is_name) {
                found.push(range);
            }
        }
    }

    fn is_name(&self, key: &str) -> bool {
        let key: Vec<char> = key.chars().collect();
        let latin = || self.syllables.iter().filter(|sound| sound.alphabet == Alphabet::Latin);
        latin().any(|sound| {
            key.strip_prefix(sound.key.as_slice()).is_some_and(|rest| {
                let second = |other: &Sound| {
                    other.part.owner == sound.part.owner && other.key.as_slice() == rest
                };
                rest.is_empty() || latin().any(second)
            })
        })
    }
}

/// The alphabet of all letters of a word; `None` for others and for mixed ones.
fn alphabet(written: &str) -> Option<Alphabet> {
    let of = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' => {
            Some(Alphabet::Latin)
        }
        '\u{400}'..='\u{52F}' => Some(Alphabet::Cyrillic),
        '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}' => Some(Alphabet::Greek),
        _ if is_kana(letter) => Some(Alphabet::Kana),
        _ => None,
    };
    let mut letters = written.chars().filter(|letter| letter.is_alphabetic());
    let first = of(letters.next()?)?;
    letters.all(|letter| of(letter) == Some(first)).then_some(first)
}

/// The key of a word in kana, or of one in Latin letters that spells Japanese.
fn syllables(written: &str, alphabet: Alphabet) -> Option<String> {
    match alphabet {
        Alphabet::Kana => kana::of_kana(written),
        Alphabet::Latin => kana::of_romaji(written),
        Alphabet::Cyrillic | Alphabet::Greek => None,
    }
}

/// The keys of a word in Latin, Cyrillic or Greek letters.
fn keys(written: &str, alphabet: Alphabet) -> Vec<String> {
    let lower = written.to_lowercase();
    let mut readings = vec![lower.clone()];
    match alphabet {
        Alphabet::Kana => return Vec::new(),
        // `Фёдоров`: Fedorov, Fyodorov.
        Alphabet::Cyrillic if lower.contains('ё') => readings.push(lower.replace('ё', "о")),
        // `Joukov`: Жуков.
        Alphabet::Latin if lower.starts_with('j') => readings.push(lower.replacen('j', "zh", 1)),
        Alphabet::Latin | Alphabet::Cyrillic | Alphabet::Greek => {}
    }
    let mut keys: Vec<String> = Vec::new();
    for reading in readings {
        let key = key(&romanised(&fold(&reading), alphabet));
        if key.chars().count() >= KEY_CHARS_MIN && !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// Digraphs of Greek, before the single letters.
const GREEK_PAIRS: [(&str, &str); 14] = [
    ("ου", "u"),
    ("αυ", "av"),
    ("ευ", "ev"),
    ("ηυ", "iv"),
    ("μπ", "b"),
    ("ντ", "d"),
    ("γκ", "g"),
    ("γγ", "ng"),
    ("τζ", "tz"),
    ("τσ", "ts"),
    ("ει", "i"),
    ("οι", "i"),
    ("υι", "i"),
    ("αι", "e"),
];

fn romanised(folded: &str, alphabet: Alphabet) -> String {
    let mut text = folded.to_owned();
    if alphabet == Alphabet::Greek {
        for (pair, letters) in GREEK_PAIRS {
            text = text.replace(pair, letters);
        }
    }
    text.chars()
        .map(|letter| letters_of(letter).map_or(letter.to_string(), str::to_owned))
        .collect()
}

/// A usual romanisation of a letter without marks.
fn letters_of(letter: char) -> Option<&'static str> {
    Some(match letter {
        'а' | 'α' => "a",
        'б' => "b",
        'в' | 'β' | 'ў' => "v",
        'г' | 'ґ' | 'γ' => "g",
        'д' | 'δ' => "d",
        'е' | 'э' | 'є' | 'ε' => "e",
        'ж' | 'ђ' | 'џ' => "zh",
        'з' | 'ζ' => "z",
        'и' | 'й' | 'і' | 'ї' | 'ы' | 'ј' | 'η' | 'ι' | 'υ' => "i",
        'к' | 'κ' => "k",
        'л' | 'љ' | 'λ' => "l",
        'м' | 'μ' => "m",
        'н' | 'њ' | 'ν' => "n",
        'о' | 'ο' | 'ω' => "o",
        'п' | 'π' => "p",
        'р' | 'ρ' => "r",
        'с' | 'σ' | 'ς' => "s",
        'т' | 'τ' => "t",
        'у' => "u",
        'ф' | 'φ' => "f",
        'х' | 'χ' => "kh",
        'ц' => "ts",
        'ч' | 'ћ' => "ch",
        'ш' => "sh",
        'щ' => "sch",
        'ъ' | 'ь' => "",
        'ю' => "yu",
        'я' => "ya",
        'θ' => "t",
        'ξ' => "x",
        'ψ' => "ps",
        _other => return None,
    })
}

/// Longer spellings of one sound, the longest first; then what is left of them.
const SOUNDS: [(&str, &str); 34] = [
    ("schtsch", "h"),
    ("shch", "h"),
    ("tsch", "h"),
    ("sch", "h"),
    ("tch", "h"),
    ("dzh", "h"),
    ("sh", "h"),
    ("ch", "h"),
    ("zh", "h"),
    ("kh", "h"),
    ("cz", "h"),
    ("sz", "h"),
    ("ts", "z"),
    ("tz", "z"),
    ("ck", "k"),
    ("ph", "f"),
    ("th", "t"),
    ("gh", "g"),
    ("dh", "d"),
    ("ou", "u"),
    ("oo", "u"),
    ("ee", "i"),
    ("ce", "ze"),
    ("ci", "zi"),
    ("cy", "zi"),
    ("c", "k"),
    ("q", "k"),
    ("x", "ks"),
    ("w", "v"),
    ("f", "v"),
    ("y", "i"),
    ("j", "i"),
    ("mp", "b"),
    ("mb", "b"),
];
/// What is left of vowels and of `nt` beside each other.
const NEIGHBOURS: [(&str, &str); 9] = [
    ("ai", "e"),
    ("ei", "i"),
    ("oi", "i"),
    ("ia", "a"),
    ("ie", "e"),
    ("io", "o"),
    ("iu", "u"),
    ("nt", "d"),
    ("nd", "d"),
];

fn key(romanised: &str) -> String {
    let mut text: String = romanised.chars().filter(char::is_ascii_lowercase).collect();
    for (spelled, sound) in SOUNDS {
        text = text.replace(spelled, sound);
    }
    text = single(&text);
    for (spelled, sound) in NEIGHBOURS {
        text = text.replace(spelled, sound);
    }
    text = single(&text);
    // `Aleksandr`, `Alexander`.
    match text.strip_suffix("er") {
        Some(stem) => format!("{stem}r"),
        None => text,
    }
}

/// Each letter once where it stands twice.
fn single(text: &str) -> String {
    let mut before = None;
    text.chars().filter(|letter| before.replace(*letter) != Some(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys_of(word: &str) -> Vec<String> {
        keys(word, alphabet(word).unwrap())
    }

    #[test]
    fn romanisations_of_one_name_have_a_key_in_common() {
        for (one, other) in [
            ("Иванченко", "Ivanchenko"),
            ("Прокофий", "Prokofiy"),
            ("Хрущёв", "Khrushchev"),
            ("Чайковский", "Tchaikovsky"),
            ("Чайковский", "Tschaikowski"),
            ("Ельцин", "Jelzin"),
            ("Ельцин", "Yeltsin"),
            ("Жуков", "Zhukov"),
            ("Жуков", "Joukov"),
            ("Евгений", "Evgeny"),
            ("Евгений", "Jewgenij"),
            ("Юлиана", "Iouliana"),
            ("Наталья", "Natalia"),
            ("Наталья", "Natalja"),
            ("Михаил", "Michail"),
            ("Александр", "Alexander"),
            ("Иванов", "Iwanow"),
            ("Иванов", "Ivanoff"),
            ("Фёдоров", "Fyodorov"),
            ("Παπαδόπουλος", "Papadopoulos"),
            ("Γεώργιος", "Georgios"),
            ("Χρήστος", "Christos"),
            ("Βασίλειος", "Vasileios"),
            ("Ιωάννης", "Ioannis"),
            ("Λάμπρος", "Lambros"),
            ("ΓΕΩΡΓΙΟΣ", "GEORGIOS"),
        ] {
            let others = keys_of(other);
            let ours = keys_of(one);
            assert!(
                ours.iter().any(|key| others.contains(key)),
                "{one} {ours:?} {other} {others:?}"
            );
        }
        for (one, other) in [("Иванченко", "Ivanov"), ("Жуков", "Yukov"), ("Петров", "Peters")]
        {
            assert!(!keys_of(one).iter().any(|key| keys_of(other).contains(key)), "{one} {other}");
        }
    }
}
