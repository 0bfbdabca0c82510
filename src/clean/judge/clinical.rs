//! Text that is positively clinical: words of the committed list, and
//! measurements. Everything else is not *known* to be clinical.

use std::collections::BTreeSet;

use super::words::fold;

/// `config/standard/clinical-words.txt`, part of the program.
const WORDS: &str = include_str!("../../../config/standard/clinical-words.txt");

/// Longest bare number: four digits can be a year of birth or part of an identifier.
const BARE_DIGITS_MAX: usize = 3;
/// Longest number with a unit or a letter before it: `PRF 5000Hz`, `C5-1`.
const DIGITS_MAX: usize = 5;
/// Most bare numbers on one line: more of them are an identifier in groups.
const BARE_NUMBERS_MAX: usize = 4;

/// The allow-list.
#[derive(Debug)]
pub(super) struct Clinical {
    words: BTreeSet<&'static str>,
    eponyms: BTreeSet<&'static str>,
    eponym_nouns: BTreeSet<&'static str>,
}

impl Clinical {
    /// Reads the committed list.
    pub(super) fn new() -> Self {
        let (mut words, mut eponyms, mut eponym_nouns) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut part = "";
        for line in WORDS.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                part = title;
            } else if !line.starts_with('#') {
                match part {
                    "eponyms" => eponyms.extend(line.split_whitespace()),
                    "eponym nouns" => {
                        eponym_nouns.extend(line.split_whitespace());
                        words.extend(line.split_whitespace());
                    }
                    _ => words.extend(line.split_whitespace()),
                }
            }
        }
        Self { words, eponyms, eponym_nouns }
    }

    /// Every part of the line is a clinical word or a measurement. An eponym
    /// counts only beside its kind of noun: `Baker cyst`, neither `Baker` nor
    /// `Baker left`.
    pub(super) fn is_clinical(&self, line: &str) -> bool {
        let folded = fold(line);
        let (mut noun, mut eponym, mut bare, mut parts) = (false, false, 0, 0);
        for part in folded.split(|c: char| c.is_whitespace() || matches!(c, '|' | ',' | ';')) {
            if !part.chars().any(char::is_alphanumeric) {
                continue;
            }
            parts += 1;
            noun |= self.eponym_nouns.contains(part);
            match self.kind(part) {
                Kind::Word | Kind::Measure => {}
                Kind::BareNumber => bare += 1,
                Kind::Eponym => eponym = true,
                Kind::Unknown => return false,
            }
        }
        parts > 0 && bare <= BARE_NUMBERS_MAX && (!eponym || noun)
    }

    fn kind(&self, part: &str) -> Kind {
        let part = part
            .trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '%' | '°' | '+' | '-'));
        if self.words.contains(part) {
            return Kind::Word;
        }
        if self.eponyms.contains(part.trim_end_matches("'s")) {
            return Kind::Eponym;
        }
        if is_bare_number(part) {
            return Kind::BareNumber;
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
            return false;
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

enum Kind {
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
            "Dr Smith",
            "St Mary",
            "Иванов",
        ] {
            assert!(!clinical.is_clinical(line), "{line}");
        }
    }
}
