//! Regular expressions as people write them in rules: words with `|` between
//! them, anchors and `.*` at the ends. Others have no translation.

use crate::config::devices::Comparison;

/// Signs that mean something in a regular expression.
const SIGNS: &str = r".^$*+?()[]{}\";

/// The comparisons of which one must hold; `whole`: the expression must match
/// the whole value.
pub(super) fn comparisons(pattern: &str, whole: bool) -> Option<Vec<(Comparison, String)>> {
    alternatives(pattern)?.iter().map(|words| comparison(words, whole)).collect()
}

/// A letter, and whether a backslash made it one.
type Letter = (char, bool);

/// Splits at each `|` that is no letter.
fn alternatives(pattern: &str) -> Option<Vec<Vec<Letter>>> {
    let mut found = vec![Vec::new()];
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        let read = match letter {
            '\\' => {
                let escaped = letters.next().filter(char::is_ascii_punctuation)?;
                (escaped, true)
            }
            '|' => {
                found.push(Vec::new());
                continue;
            }
            plain => (plain, false),
        };
        found.last_mut()?.push(read);
    }
    Some(found)
}

fn comparison(letters: &[Letter], whole: bool) -> Option<(Comparison, String)> {
    let mut rest = letters;
    let (mut from_start, mut to_end) = (whole, whole);
    if let Some(more) = rest.strip_prefix(&[('^', false)]) {
        (rest, from_start) = (more, true);
    }
    if let Some(more) = rest.strip_suffix(&[('$', false)]) {
        (rest, to_end) = (more, true);
    }
    if let Some(more) = rest.strip_prefix(&[('.', false), ('*', false)]) {
        (rest, from_start) = (more, false);
    }
    if let Some(more) = rest.strip_suffix(&[('.', false), ('*', false)]) {
        (rest, to_end) = (more, false);
    }
    // One of a repeated last letter is enough where more may follow.
    if let (Some(more), false) = (rest.strip_suffix(&[('+', false)]), to_end) {
        rest = more;
    }
    let is_letter = |(letter, escaped): &Letter| *escaped || !SIGNS.contains(*letter);
    if rest.is_empty() || !rest.iter().all(is_letter) {
        return None;
    }
    let comparison = match (from_start, to_end) {
        (true, true) => Comparison::Equals,
        (true, false) => Comparison::StartsWith,
        (false, true) => Comparison::EndsWith,
        (false, false) => Comparison::Contains,
    };
    Some((comparison, rest.iter().map(|(letter, _)| *letter).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Comparison::{Contains, EndsWith, Equals, StartsWith};

    type Expected = Option<&'static [(Comparison, &'static str)]>;

    #[test]
    fn words_and_anchors_are_translated_and_nothing_else() {
        let cases: [(&str, bool, Expected); 16] = [
            ("GE", false, Some(&[(Contains, "GE")])),
            ("A400|A500", false, Some(&[(Contains, "A400"), (Contains, "A500")])),
            ("^GE|Corp$", false, Some(&[(StartsWith, "GE"), (EndsWith, "Corp")])),
            (".*GE.*", true, Some(&[(Contains, "GE")])),
            ("GE.*", true, Some(&[(StartsWith, "GE")])),
            ("GE", true, Some(&[(Equals, "GE")])),
            (r"Inc\.", false, Some(&[(Contains, "Inc.")])),
            (r"A\|B", false, Some(&[(Contains, "A|B")])),
            ("Definition AS+", false, Some(&[(Contains, "Definition AS")])),
            ("AS+", true, None),
            ("A+B", false, None),
            ("G.E", false, None),
            ("(A|B)", false, None),
            (r"\d", false, None),
            ("", false, None),
            ("A||B", false, None),
        ];
        for (pattern, whole, expected) in cases {
            let expected = expected
                .map(|list| list.iter().map(|(c, text)| (*c, (*text).to_owned())).collect());
            assert_eq!(comparisons(pattern, whole), expected, "{pattern} {whole}");
        }
    }
}
