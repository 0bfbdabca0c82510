//! Ways in which one name is spelled.

/// Letters with a second spelling by letters without marks.
const SPELLED: [(char, &str); 5] =
    [('ä', "ae"), ('ö', "oe"), ('ü', "ue"), ('ø', "oe"), ('å', "aa")];
/// Those spellings, and the letter that is left without its mark.
const CONTRACTED: [(&str, &str); 4] = [("ae", "a"), ("oe", "o"), ("ue", "u"), ("aa", "a")];
/// Most letters that a case ending adds or changes, in languages that have them.
const ENDING_CHARS_MAX: usize = 3;
/// Shortest stem before such an ending.
const STEM_CHARS_MIN: usize = 4;
/// The Arabic article.
const ARTICLE: &str = "ال";

use super::words::fold;
use crate::dicom::looks;

/// The folded forms of a word of a name, the usual one first: `muller` and
/// `mueller` for both `Müller` and `Mueller`.
pub(super) fn forms(written: &str) -> Vec<String> {
    let folded = fold(written);
    let mut forms = vec![folded.clone()];
    let lower = written.to_lowercase();
    if lower.contains(SPELLED.map(|(letter, _)| letter)) {
        let spelled = lower.chars().map(|c| {
            let pair = SPELLED.iter().find(|(letter, _)| *letter == c);
            pair.map_or_else(|| c.to_string(), |(_, letters)| (*letters).to_owned())
        });
        forms.push(fold(&spelled.collect::<String>()));
    }
    let mut contracted = folded.clone();
    for (pair, letter) in CONTRACTED {
        contracted = contracted.replace(pair, letter);
    }
    forms.push(contracted);
    if let Some(bare) = folded.strip_prefix(ARTICLE).filter(|bare| bare.chars().count() > 2) {
        forms.push(bare.to_owned());
    }
    // A name typed in two alphabets is meant in one.
    if written.contains(|c: char| c.is_ascii_alphabetic()) {
        forms.extend(looks::latin_word(written).map(|latin| fold(&latin)));
    }
    let mut seen: Vec<String> = Vec::new();
    for form in forms {
        if form.chars().count() > 1 && !seen.contains(&form) {
            seen.push(form);
        }
    }
    if seen.is_empty() {
        seen.push(folded);
    }
    seen
}

/// The same name with another ending, in Cyrillic and Greek: `Ивановой` of `Иванова`.
pub(super) fn is_inflected(word: &[char], name: &[char]) -> bool {
    let alphabet = |c: &char| ('\u{370}'..='\u{52F}').contains(c);
    word.iter().all(alphabet) && has_other_ending(word, name)
}

/// The two differ in what a case ending adds or changes.
pub(super) fn has_other_ending(word: &[char], name: &[char]) -> bool {
    if word.len() > name.len() + ENDING_CHARS_MAX {
        return false;
    }
    let common = word.iter().zip(name).take_while(|(a, b)| a == b).count();
    common >= STEM_CHARS_MIN && common + 2 >= name.len() && common + ENDING_CHARS_MAX >= word.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_have_a_form_in_common() {
        for (one, other) in [
            ("Müller", "Mueller"),
            ("Mueller", "Muller"),
            ("Søndergaard", "Soendergaard"),
            ("Ölschlägel", "Oelschlaegel"),
            ("Strauß", "STRAUSS"),
            ("Åkesson", "Aakesson"),
            ("العقيل", "عقيل"),
        ] {
            let others = forms(other);
            assert!(forms(one).iter().any(|form| others.contains(form)), "{one} {other}");
        }
        assert_eq!(forms("Doe").first().map(String::as_str), Some("doe"));
    }

    #[test]
    fn endings_are_seen_through() {
        let chars = |text: &str| fold(text).chars().collect::<Vec<_>>();
        assert!(is_inflected(&chars("Ивановой"), &chars("Иванова")));
        assert!(!is_inflected(&chars("Иванчук"), &chars("Иванова")));
        assert!(!is_inflected(&chars("doer"), &chars("doe")));
    }
}
