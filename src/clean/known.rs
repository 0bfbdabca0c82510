//! What this data set says about persons and places: the strongest signal for
//! judging text, and what `verify` searches the clean copy for.

use std::collections::HashMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::identified::Identified;

/// What kind of value it is; the kind decides how tolerantly it is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownKind {
    /// A person's name (patient, relatives, physicians, operators); PN groups and components apart.
    Person,
    /// Patient ID, other IDs, accession, admission, study ID, serial numbers.
    Id,
    /// Institution, department, address, station name.
    Place,
    /// A date of study or other event, `YYYYMMDD`.
    Date,
    /// Telephone, e-mail.
    Contact,
    /// A date of birth, `YYYYMMDD`: never moved, under any option.
    BirthDate,
    /// An age, as in VR AS (PS3.5 §6.2): `095Y`.
    Age,
}

/// One value of this data set that identifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownValue {
    /// What it is.
    pub kind: KnownKind,
    /// The decoded text, trimmed (names: one component group with `^` kept).
    pub text: Identified<String>,
}

/// All identifying values of one data set, collected before cleaning, at any depth.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KnownValues {
    /// The values, without repeats, in a stable order.
    pub values: Vec<KnownValue>,
}

/// Least bytes of a name's part that is looked for as it stands.
const MISREAD_BYTES_MIN: usize = 4;

/// Names in bytes that the stated character set does not explain, by their first
/// letters: hundreds of them cost a long text no more than one.
#[derive(Debug, Default)]
pub struct MisreadNames {
    by_head: HashMap<[char; MISREAD_BYTES_MIN], Vec<Vec<char>>>,
}

impl MisreadNames {
    /// Adds the parts of a person's name that are such bytes.
    pub fn add(&mut self, name: &str) {
        for part in misread_parts(name) {
            let letters: Vec<char> = part.chars().collect();
            if let Some(head) = letters.first_chunk() {
                let same = self.by_head.entry(*head).or_default();
                if !same.contains(&letters) {
                    same.push(letters);
                }
            }
        }
    }

    /// Byte ranges of the text in which one stands.
    pub fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let letters: Vec<(usize, char)> = match self.by_head.is_empty() || text.is_ascii() {
            true => Vec::new(),
            false => text.char_indices().chain([(text.len(), ' ')]).collect(),
        };
        let starts = 0..letters.len().saturating_sub(MISREAD_BYTES_MIN);
        starts.filter_map(move |at| self.ends(&letters, at)).map(|(from, to)| from..to)
    }

    /// Where the longest one that begins at a letter begins and ends.
    fn ends(&self, letters: &[(usize, char)], at: usize) -> Option<(usize, usize)> {
        let here = letters.get(at..)?;
        let head = here.first_chunk::<MISREAD_BYTES_MIN>()?.map(|(_, letter)| letter);
        let stands = |name: &&Vec<char>| {
            let mut pairs = name.iter().zip(here);
            here.len() > name.len() && pairs.all(|(wanted, (_, letter))| wanted == letter)
        };
        let longest = self.by_head.get(&head)?.iter().filter(stands).map(Vec::len).max()?;
        Some((here.first()?.0, here.get(longest)?.0))
    }
}

/// Parts of a person's name whose bytes were written in another character set
/// than the stated one and read in one of a byte each: half of their letters or
/// more lie beyond ASCII, which no name of those languages has. Nobody knows what
/// they say, so they are looked for letter by letter.
///
/// Each component, and family and given name without anything between them.
fn misread_parts(name: &str) -> Vec<String> {
    let parts: Vec<&str> = name.split(['^', '=', '\\']).map(str::trim).take(3).collect();
    let whole = parts.concat();
    let backward: String = parts.iter().rev().copied().collect();
    let mut found: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
    found.extend([whole, backward]);
    found.retain(|part| is_misread(part));
    found.sort_unstable();
    found.dedup();
    found
}

fn is_misread(part: &str) -> bool {
    let letters = part.chars().count();
    let beyond = part.chars().filter(|letter| ('\u{80}'..='\u{ff}').contains(letter)).count();
    letters >= MISREAD_BYTES_MIN && beyond * 2 >= letters && part.chars().all(|c| c <= '\u{ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_bytes_that_no_character_set_explains_are_taken_as_they_stand() {
        // Three signs in GBK, and four letters of Thai, read as Latin-1.
        assert_eq!(misread_parts("\u{cd}\u{f5}\u{d0}\u{a1}\u{b6}\u{ab}").len(), 1);
        assert_eq!(
            misread_parts("\u{cd}\u{f5}^\u{d0}\u{a1}\u{b6}\u{ab}"),
            [
                "\u{cd}\u{f5}\u{d0}\u{a1}\u{b6}\u{ab}",
                "\u{d0}\u{a1}\u{b6}\u{ab}",
                "\u{d0}\u{a1}\u{b6}\u{ab}\u{cd}\u{f5}",
            ]
        );
        let mut names = MisreadNames::default();
        names.add("\u{cd}\u{f5}^\u{d0}\u{a1}\u{b6}\u{ab}");
        let ranges = |text: &str| names.find(text).collect::<Vec<_>>();
        let (first, second) = (2..10, 0..8);
        assert_eq!(ranges("CT\u{d0}\u{a1}\u{b6}\u{ab}\u{e9} a"), std::slice::from_ref(&first));
        assert_eq!(ranges("\u{d0}\u{a1}\u{b6}\u{ab}"), std::slice::from_ref(&second));
        assert!(ranges("\u{d0}\u{a1}\u{b6} CT").is_empty());
        for name in [
            "M\u{fc}ller^J\u{f6}rg",
            "\u{d8}\u{e9}",
            "Doe^Jane",
            "\u{418}\u{432}\u{430}\u{43d}",
            "",
        ] {
            assert_eq!(misread_parts(name), Vec::<String>::new(), "{name}");
        }
    }
}
