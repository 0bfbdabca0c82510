//! Counts of a run: outcomes by kind, the dearest cases, findings.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::bounds::Case;
use super::subject::Outcome;

#[derive(Debug, Default)]
pub(crate) struct Tally {
    cases: u64,
    /// Outcomes, with an example of each.
    outcomes: BTreeMap<String, (u64, u64)>,
    faults: BTreeSet<String>,
    slowest: (Duration, u64),
    most_allocated: (u64, u64),
    most_resident: (u64, u64),
    /// Files of each picture that were cleaned all the same.
    cleaned: BTreeMap<String, u64>,
}

impl Tally {
    /// Adds a case; gives its fault when it is one that was not seen yet.
    pub(crate) fn add(&mut self, number: u64, story: &[String], case: &Case) -> Option<String> {
        self.cases += 1;
        self.slowest = self.slowest.max((case.time, number));
        self.most_allocated = self.most_allocated.max((case.allocated_bytes, number));
        self.most_resident = self.most_resident.max((case.resident_bytes, number));
        let kind = match (&case.fault, &case.outcome) {
            (Some(fault), _) => format!("FAULT {}", without_numbers(fault)),
            (None, Some(Outcome::Cleaned { painted })) => {
                let picture = story.first().cloned().unwrap_or_default();
                *self.cleaned.entry(picture).or_default() += 1;
                if *painted { "cleaned, painted".into() } else { "cleaned".into() }
            }
            (None, Some(Outcome::Refused(reason, detail))) => {
                format!("{}: {}", reason.code(), without_numbers(detail))
            }
            (None, Some(Outcome::RefusedBySecondLook(reason, detail))) => {
                format!("second look, {}: {}", reason.code(), without_numbers(detail))
            }
            (None, None) => "nothing".into(),
        };
        self.outcomes.entry(kind.clone()).or_insert((0, number)).0 += 1;
        let is_new = case.fault.is_some() && self.faults.insert(kind);
        case.fault.clone().filter(|_| is_new)
    }

    /// Different faults so far.
    pub(crate) fn findings(&self) -> usize {
        self.faults.len()
    }
}

/// Tags, places and lengths make no kinds of their own.
fn without_numbers(text: &str) -> String {
    let mut short = String::new();
    for word in text.split_inclusive(' ') {
        let is_tag = word.starts_with('(') && word.trim_end().ends_with(')');
        let number = |character: char| character.is_ascii_digit();
        short.push_str(&if is_tag { "(tag) ".into() } else { word.replace(number, "#") });
    }
    short.replace("##", "#").replace("##", "#").replace("##", "#")
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} files", self.cases)?;
        writeln!(f, "slowest: {:?} (case {})", self.slowest.0, self.slowest.1)?;
        let (bytes, case) = self.most_allocated;
        writeln!(f, "most memory asked for: {} KiB (case {case})", bytes >> 10)?;
        let (bytes, case) = self.most_resident;
        writeln!(f, "most growth of resident memory: {} KiB (case {case})", bytes >> 10)?;
        let mut kinds: Vec<_> = self.outcomes.iter().collect();
        kinds.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        for (kind, (count, example)) in kinds {
            writeln!(f, "{count:8}  {kind} (as in case {example})")?;
        }
        write!(f, "cleaned files by picture:")?;
        self.cleaned.iter().try_for_each(|(name, count)| write!(f, " {name} {count};"))
    }
}
