//! Text that is positively clinical: words of the committed list, and
//! measurements. Everything else is not *known* to be clinical.

use std::collections::BTreeSet;

use super::lexicon::{Flags, Lexicon};
use super::words::{Line, fold};

/// `config/standard/clinical-words.txt`, part of the program.
const WORDS: &str = include_str!("../../../config/standard/clinical-words.txt");

/// Longest bare number: four digits can be a year of birth or part of an identifier.
const BARE_DIGITS_MAX: usize = 3;
/// Longest number with a unit or a letter before it: `PRF 5000Hz`, `C5-1`.
const DIGITS_MAX: usize = 5;
/// Most letters by themselves: more of them spell a name.
const SINGLE_LETTERS_MAX: usize = 2;
/// Fewest words of the clinic in a sentence with other words.
const CLINICAL_WORDS_MIN: usize = 2;
/// Most settings written together: window and centre, gain and range, each with its number.
const SETTINGS_RUNS_MAX: usize = 6;
/// Shortest word that is known although some letters were misread.
const MISREAD_CHARS_MIN: usize = 5;
/// Words of labels beside those that tell what follows.
const LABEL_WORDS: [&str; 20] = [
    "patient", "name", "no", "nr", "number", "id", "date", "time", "exam", "study", "series",
    "datum", "uhrzeit", "nom", "nome", "nombre", "fecha", "data", "naam", "of",
];
/// Most bare numbers on one line: more of them are an identifier in groups.
const BARE_NUMBERS_MAX: usize = 4;

/// The allow-list.
#[derive(Debug)]
pub(super) struct Clinical {
    words: BTreeSet<&'static str>,
    eponyms: BTreeSet<&'static str>,
    eponym_nouns: BTreeSet<&'static str>,
    /// Words that are names too, and count only before a measure: `Länge 10,2 cm`.
    before_measures: BTreeSet<&'static str>,
    /// Long words as a reader may misread them, see [`misread`].
    misread: BTreeSet<String>,
    /// Those of them that somebody may be called by.
    misread_names: BTreeSet<String>,
}

impl Clinical {
    /// Reads the committed list.
    pub(super) fn new() -> Self {
        let (mut words, mut eponyms, mut eponym_nouns, mut before_measures) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut part = "";
        for line in WORDS.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                part = title;
            } else if !line.starts_with('#') {
                match part {
                    "eponyms" => eponyms.extend(line.split_whitespace()),
                    "before measures" => before_measures.extend(line.split_whitespace()),
                    "eponym nouns" => {
                        eponym_nouns.extend(line.split_whitespace());
                        words.extend(line.split_whitespace());
                    }
                    _ => words.extend(line.split_whitespace()),
                }
            }
        }
        let long = words.iter().filter(|word| word.chars().count() >= MISREAD_CHARS_MIN);
        let names = long.clone().filter(|word| super::may_be_name(word));
        let misread_names = names.map(|word| misread(word)).collect();
        let misread = long.map(|word| misread(word)).collect();
        Self { words, eponyms, eponym_nouns, before_measures, misread, misread_names }
    }

    /// A long word of the clinic with letters misread, and nobody's name that a list knows.
    pub(super) fn is_misread(&self, word: &str) -> bool {
        let misread = misread(word);
        let is_long = word.chars().count() >= MISREAD_CHARS_MIN;
        is_long && self.misread.contains(&misread) && !self.misread_names.contains(&misread)
    }

    /// Every part of the line is a clinical word or a measurement. An eponym
    /// counts only beside its kind of noun: `Baker cyst`, neither `Baker` nor
    /// `Baker left`.
    pub(super) fn is_clinical(&self, line: &str) -> bool {
        let folded = fold(line);
        if is_label(line) {
            return true;
        }
        let (mut noun, mut eponym, mut bare, mut parts) = (false, false, 0, 0);
        let (mut plain, mut clinical, mut singles, mut wants_number) = (0, 0, 0, false);
        let small: BTreeSet<String> = line
            .split_whitespace()
            .filter(|word| !word.chars().any(char::is_uppercase))
            .map(|word| fold(word.trim_matches(|c: char| !c.is_alphanumeric())))
            .collect();
        for part in folded.split(|c: char| c.is_whitespace() || matches!(c, '|' | ',' | ';')) {
            if !part.chars().any(char::is_alphanumeric) {
                continue;
            }
            // A word of the language counts in a sentence only, where a name is
            // written with a capital.
            let is_small = small.contains(part.trim_matches(|c: char| !c.is_alphanumeric()));
            parts += 1;
            singles += usize::from(
                part.chars().filter(|c| c.is_alphabetic()).count() == 1
                    && part.chars().count() == 1,
            );
            noun |= self.eponym_nouns.contains(part);
            let kind = self.kind(part);
            let has_digit = part.bytes().any(|byte| byte.is_ascii_digit());
            if wants_number && !has_digit {
                return false;
            }
            wants_number = matches!(kind, Kind::BeforeMeasure);
            match kind {
                Kind::Word | Kind::Measure | Kind::BeforeMeasure => clinical += 1,
                Kind::BareNumber => bare += 1,
                Kind::Eponym => eponym = true,
                Kind::Plain if is_small => plain += 1,
                Kind::Plain => return false,
                Kind::Unknown => return false,
            }
        }
        if singles > SINGLE_LETTERS_MAX && !is_orientation(line) {
            return false;
        }
        let is_sentence = plain == 0 || (clinical >= CLINICAL_WORDS_MIN && plain <= clinical);
        parts > 0 && !wants_number && is_sentence && bare <= BARE_NUMBERS_MAX && (!eponym || noun)
    }

    /// Letters and numbers in turn, written together: `w400l40`, `gain55dr63`.
    fn are_settings(&self, runs: &[&str]) -> bool {
        let is_setting = |pair: &[&str]| match pair {
            [word, number] => {
                let known = self.words.contains(word) && word.chars().count() > 1;
                let window = matches!(*word, "w" | "l" | "c");
                let digits = number.bytes().all(|byte| byte.is_ascii_digit());
                (known || window) && digits && number.len() <= DIGITS_MAX
            }
            _ => false,
        };
        runs.len() <= SETTINGS_RUNS_MAX && runs.chunks(2).all(is_setting)
    }

    fn kind(&self, part: &str) -> Kind {
        let part = part
            .trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '%' | '°' | '+' | '-'));
        // Numbers in groups of three: an identifier, whatever stands between them.
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let letters = part.chars().filter(|c| c.is_alphabetic()).count();
        if digits > DIGITS_MAX && letters < 2 {
            return Kind::Unknown;
        }
        let is_long = part.chars().count() >= MISREAD_CHARS_MIN;
        if self.words.contains(part) || is_long && self.misread.contains(&misread(part)) {
            return Kind::Word;
        }
        if self.eponyms.contains(part.trim_end_matches("'s")) {
            return Kind::Eponym;
        }
        if self.before_measures.contains(part.trim_end_matches(':')) {
            return Kind::BeforeMeasure;
        }
        if is_bare_number(part) {
            return Kind::BareNumber;
        }
        if is_plain(part) {
            return Kind::Plain;
        }
        if is_probe(part) {
            return Kind::Measure;
        }
        let pieces = part.split(|c: char| {
            matches!(
                c,
                '/' | '-'
                    | ':'
                    | '='
                    | '('
                    | ')'
                    | '\''
                    | '.'
                    | '_'
                    | '+'
                    | '&'
                    | '#'
                    | '*'
                    | '×'
                    | '^'
                    | '['
                    | ']'
                    | '<'
                    | '>'
                    | '~'
                    | '±'
            )
        });
        let mut any = false;
        for piece in pieces.filter(|piece| !piece.is_empty()) {
            any = true;
            let known = self.words.contains(piece) || self.is_measure(piece);
            if !known {
                return Kind::Unknown;
            }
        }
        if any { Kind::Measure } else { Kind::Unknown }
    }

    /// A number with a unit or a known word before or after it: `36hz`, `l12`,
    /// `tis0`, `m3`, `60%`, `x3`, `2d`.
    fn is_measure(&self, piece: &str) -> bool {
        let runs = runs(piece);
        if runs.len() > 3 {
            return self.are_settings(&runs);
        }
        runs.iter().all(|run| {
            let digits = run.bytes().all(|b| b.is_ascii_digit());
            let symbol = run.chars().all(|c| matches!(c, '%' | '°' | 'µ' | 'μ' | '²' | '³'));
            let letter = run.chars().count() == 1 && run.bytes().all(|b| b.is_ascii_lowercase());
            let limit = if runs.len() > 1 { DIGITS_MAX } else { BARE_DIGITS_MAX };
            (digits && run.len() <= limit) || symbol || letter || self.words.contains(run)
        })
    }
}

/// Letters that are taken for each other made one: `ctdlvol` is `CTDIvol`.
fn misread(word: &str) -> String {
    let one = word.replace("rn", "m");
    let alike = |letter| match letter {
        'l' | '1' | '|' | '!' => 'i',
        '0' => 'o',
        '5' => 's',
        '8' => 'b',
        other => other,
    };
    one.chars().map(alike).collect()
}

/// A label without its value: `Patient ID:`, `Exam no:`. What it labels is judged
/// by itself.
fn is_label(line: &str) -> bool {
    if !line.trim_end().ends_with(':') {
        return false;
    }
    let lexicon = Lexicon::shared();
    let line = Line::new(line, lexicon);
    let mut at = 0;
    while at < line.words.len() {
        let words = line.words.iter().skip(at).map(|word| word.folded.as_str());
        let own = line.words.get(at).map_or("", |word| word.folded.as_str());
        match lexicon.label(words) {
            Some((count, _label)) => at += count,
            None if LABEL_WORDS.contains(&own) => at += 1,
            None => return false,
        }
    }
    at > 0
}

/// Letters of orientation, each once: `R P L A`.
fn is_orientation(line: &str) -> bool {
    let mut seen = BTreeSet::new();
    line.split_whitespace().all(|word| {
        matches!(word, "R" | "L" | "A" | "P" | "H" | "F" | "S" | "I") && seen.insert(word)
    })
}

/// A word of a language or of the standard that is nobody's name and no place's.
fn is_plain(part: &str) -> bool {
    let flags = Lexicon::shared().flags(part);
    let named = [Flags::NAME_WORD, Flags::GIVEN, Flags::TITLE, Flags::WEAK_TITLE, Flags::SUFFIX];
    let placed = [Flags::PLACE, Flags::PLACE_WORD, Flags::STREET, Flags::STREET_BEFORE];
    let others = [Flags::PARTICLE, Flags::RELATIVE, Flags::EPONYM, Flags::BEFORE];
    let mut telling = named.into_iter().chain(placed).chain(others);
    part.chars().count() > 1
        && part.chars().all(char::is_alphabetic)
        && flags.has(Flags::WORD)
        && !telling.any(|flag| flags.has(flag))
}

/// A transducer or a setting in a maker's shorthand: `rab6-d`, `pvt-375bt`,
/// `c10-3v`: up to three letters and three digits in a group, no more than three
/// digits in all, which identify nobody.
fn is_probe(part: &str) -> bool {
    let groups: Vec<&str> = part.split('-').collect();
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    // `kim-12` may be somebody.
    let is_word = |group: &&str| {
        group.len() > 2
            && group.bytes().all(|byte| byte.is_ascii_lowercase())
            && group.contains(['a', 'e', 'i', 'o', 'u', 'y'])
    };
    let short = |group: &&str| {
        runs(group).iter().all(|run| {
            let known = Lexicon::shared().flags(run);
            run.is_ascii()
                && run.len() <= 3
                && !known.has(Flags::GIVEN)
                && !known.has(Flags::NAME_WORD)
        })
    };
    groups.len() == 2
        && (1..=3).contains(&digits)
        && part.bytes().any(|byte| byte.is_ascii_lowercase())
        && groups.iter().all(|group| !group.is_empty() && runs(group).len() <= 3)
        && groups.iter().all(short)
        && !groups.iter().any(is_word)
}

enum Kind {
    /// Only before a number.
    BeforeMeasure,
    /// No word of the clinic, and no name.
    Plain,
    Word,
    Measure,
    BareNumber,
    Eponym,
    Unknown,
}

/// `12`, `-3.5`, `1,2`: at most three digits before the point.
fn is_bare_number(part: &str) -> bool {
    let number = part.trim_start_matches(['+', '-']);
    let mut halves = number.splitn(2, ['.', ',']);
    let whole = halves.next().unwrap_or_default();
    let fraction = halves.next().unwrap_or("0");
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && digits(fraction) && whole.len() <= BARE_DIGITS_MAX && fraction.len() <= 4
}

/// `l12hz` → `l`, `12`, `hz`.
fn runs(piece: &str) -> Vec<&str> {
    let mut runs = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, c) in piece.char_indices() {
        let class = (c.is_ascii_digit(), c.is_alphabetic());
        if last.is_some_and(|before| before != class) {
            runs.push(piece.get(start..at).unwrap_or_default());
            start = at;
        }
        last = Some(class);
    }
    runs.push(piece.get(start..).unwrap_or_default());
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_settings_and_anatomy_are_clinical() {
        let clinical = Clinical::new();
        for line in [
            "L12-5",
            "36Hz",
            "RS",
            "2D",
            "60%",
            "Dyn R 58",
            "P Med",
            "Res",
            "TAC1",
            "TIS0.0",
            "MI 0.6",
            "M3",
            "x3",
            "4.0cm",
            "P",
            "LEFT KIDNEY LONG",
            "EF: 55 %",
            "LVIDd 4.2 cm",
            "CHEST PA",
            "Baker cyst",
            "SE 3 IM 12",
            "120 bpm",
            "Adv Breast",
            "PRF 5000Hz",
            "W 400 L 40",
            "W400L40",
            "R P L A",
            "CTDlvol 12.4 mGy",
            "K1DNEY",
            "Patient ID:",
            "Exam no:",
            "DOB:",
            "Länge 10,2 cm",
            "RAB6-D",
            "PVT-375BT",
            "Liver normal in size and shape",
            "SSW 22+3",
            "FC 72 lpm",
            "Rein droit coupe longitudinale",
        ] {
            assert!(clinical.is_clinical(line), "{line}");
        }
    }

    #[test]
    fn names_numbers_and_the_unknown_are_not() {
        let clinical = Clinical::new();
        for line in [
            "DOE, JANE",
            "BAKER",
            "99812733",
            "1967",
            "John Smith",
            "",
            "12 34 56 78 90",
            "A1B2C3D4",
            "Doe:",
            "Dr Smith:",
            "MI1L2T3S4",
            "Lange",
            "Lange, Petra",
            "Kim-12",
            "AB12-3456",
            "Sunday Meeting",
            "W A G N E R",
            "123.456.789-09",
            "123-456",
            "Costa 12 mm circ",
            "LIVER COSTA SPLEEN",
            "General Hospital",
            "Dr Smith",
            "St Mary",
            "Иванов",
        ] {
            assert!(!clinical.is_clinical(line), "{line}");
        }
    }
}
