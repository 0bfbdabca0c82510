//! Free text with a header beside it: what must go goes, what must stay stays.
//!
//! Method: `data/text/lines.tsv`, written by hand before the rules were. Each
//! phrase that must go and each that must stay counts once; a line whose text
//! must come back as it is counts as one that must stay. Floors, not 100 %:
//! the lines hold names that no rule knows and words that are names. Lines that
//! were written after the rules, for what they missed, hold to the last.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use airlock::clean::judge::{Judge, Matcher};
use airlock::clean::known::{KnownKind, KnownValue, KnownValues};
use airlock::clean::text::ModelFiles;
use airlock::identified::Identified;

const LINES: &str = include_str!("data/text/lines.tsv");
/// Share of phrases that must go and went; of phrases that must stay and stayed.
const REMOVED_MIN: f64 = 0.99;
const RETAINED_MIN: f64 = 0.99;
/// The same with the recogniser of names.
const NAMES_REMOVED_MIN: f64 = 0.99;
const NAMES_RETAINED_MIN: f64 = 0.97;

/// In the comment above lines that must all hold.
const LATER: &str = "written after the rules";

#[test]
fn what_identifies_goes_and_what_is_clinical_stays() {
    let (removed, retained, later) = judged(&Judge::new());
    let missed = removed.misses.len() + retained.misses.len();
    assert_eq!(later, Some(missed), "lines after '{LATER}' that do not hold");
    assert!(removed.share() >= REMOVED_MIN && retained.share() >= RETAINED_MIN);
}

#[test]
fn with_the_recogniser_what_must_go_goes_and_hardly_less_stays() {
    let files = ModelFiles::find(None).expect("run scripts/setup");
    let (removed, retained, _later) = judged(&Judge::with_names(&files));
    assert!(removed.share() >= NAMES_REMOVED_MIN && retained.share() >= NAMES_RETAINED_MIN);
}

/// What went and stayed as it should, and how many lines did not hold before the
/// later ones.
fn judged(judge: &Judge) -> (Rate, Rate, Option<usize>) {
    let (mut removed, mut retained) = (Rate::default(), Rate::default());
    let mut later = None;
    for (number, line) in (1..).zip(LINES.lines()) {
        if line.starts_with('#') {
            if line.contains(LATER) {
                later = Some(removed.misses.len() + retained.misses.len());
            }
            continue;
        }
        let columns: Vec<&str> = line.split('\t').collect();
        let [text, header, go, stay] = columns.try_into().unwrap();
        let cleaned = judge.clean_text(text, &Matcher::new(&known(header)));
        for phrase in phrases(go) {
            let gone = words(phrase).all(|word| word.chars().count() < 2 || !has(&cleaned, word));
            removed.count(gone, || format!("line {number}: stays: {phrase}"));
        }
        if stay == "*" {
            retained.count(cleaned == text, || format!("line {number}: {text} => {cleaned}"));
        }
        for phrase in phrases(stay).filter(|phrase| *phrase != "*") {
            let stayed = words(phrase).all(|word| has(&cleaned, word));
            retained
                .count(stayed, || format!("line {number}: gone: {phrase}: {text} => {cleaned}"));
        }
    }
    for miss in removed.misses.iter().chain(&retained.misses) {
        println!("{miss}");
    }
    println!("must go: {removed}; must stay: {retained}");
    (removed, retained, later)
}

#[derive(Default)]
struct Rate {
    passed: u32,
    misses: Vec<String>,
}

impl Rate {
    fn count(&mut self, passed: bool, miss: impl FnOnce() -> String) {
        if passed {
            self.passed += 1;
        } else {
            self.misses.push(miss());
        }
    }

    fn total(&self) -> usize {
        usize::try_from(self.passed).unwrap() + self.misses.len()
    }

    fn share(&self) -> f64 {
        f64::from(self.passed) / f64::from(u32::try_from(self.total()).unwrap())
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} ({:.2} %)", self.passed, self.total(), self.share() * 100.0)
    }
}

fn phrases(column: &str) -> impl Iterator<Item = &str> {
    column.split(" | ").map(str::trim).filter(|phrase| !phrase.is_empty())
}

fn words(phrase: &str) -> impl Iterator<Item = &str> {
    phrase.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// As a whole word; in writing without spaces, anywhere.
fn has(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    if word.chars().any(|c| c >= '\u{2E80}') {
        return text.contains(&word);
    }
    words(&text).any(|other| other == word)
}

fn known(header: &str) -> KnownValues {
    let value = |entry: &str| {
        let (kind, text) = entry.split_once(' ')?;
        assert!(["PN", "ID", "PL", "DA", "BD", "TL", "AS"].contains(&kind), "{kind}");
        let kind = match kind {
            "PN" => KnownKind::Person,
            "ID" => KnownKind::Id,
            "PL" => KnownKind::Place,
            "DA" | "BD" => KnownKind::Date,
            "TL" => KnownKind::Contact,
            "AS" => KnownKind::Age,
            _other => return None,
        };
        Some((kind, text.to_owned()))
    };
    let values = header.split(" ; ").filter_map(value).flat_map(|(kind, text)| {
        let groups: Vec<String> = match kind {
            KnownKind::Person => text.split('=').map(str::to_owned).collect(),
            KnownKind::Id
            | KnownKind::Place
            | KnownKind::Date
            | KnownKind::BirthDate
            | KnownKind::Contact
            | KnownKind::Age => vec![text],
        };
        groups.into_iter().map(move |text| KnownValue { kind, text: Identified::new(text) })
    });
    KnownValues { values: values.collect() }
}
