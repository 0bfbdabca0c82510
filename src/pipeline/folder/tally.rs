//! Counts of one run: by outcome, by reason, by kind.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{End, Kind};
use crate::clean::report::ContentNote;
use crate::reason::Reason;

/// What became of how many.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Files and members of archives.
    pub files: usize,
    /// Clean copies in the output.
    pub cleaned: usize,
    /// Files that came again with the same clean bytes.
    pub repeats: usize,
    /// Files that stay out of the output.
    pub quarantined: usize,
    /// Of these, by reason.
    pub reasons: BTreeMap<Reason, usize>,
    /// What is no DICOM object, by kind.
    pub left: BTreeMap<Kind, usize>,
    /// Of those that came out, with faces, photographs, placeholders.
    pub content: BTreeMap<ContentNote, usize>,
    /// Instances that rejection notes name.
    pub recalled: u64,
}

impl Tally {
    /// Counts one.
    pub fn add(&mut self, end: &End) {
        self.files += 1;
        match end {
            End::Cleaned { report, .. } => {
                self.cleaned += 1;
                for note in &report.content {
                    *self.content.entry(*note).or_insert(0) += 1;
                }
                let named = report.recall.as_ref().map_or(0, |note| note.instances);
                self.recalled += u64::from(named);
            }
            End::Repeat => self.repeats += 1,
            End::Quarantined { reason, .. } => {
                self.quarantined += 1;
                *self.reasons.entry(*reason).or_insert(0) += 1;
            }
            End::Left { kind } => *self.left.entry(*kind).or_insert(0) += 1,
        }
    }

    /// The counts in words: one line, and one more for each thing to look at.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let Self { files, cleaned, repeats, quarantined, reasons, left, content, recalled } = self;
        let mut lines =
            vec![format!("{cleaned} cleaned, {quarantined} quarantined, of {files} files")];
        let list = |counts: Vec<String>| counts.join(", ");
        if !reasons.is_empty() {
            let counts = reasons.iter().map(|(reason, count)| format!("{count} {}", reason.code()));
            lines.push(format!("quarantined: {}", list(counts.collect())));
        }
        if *repeats > 0 {
            lines.push(format!("the same instance once more, not copied again: {repeats}"));
        }
        if !left.is_empty() {
            let counts = left.iter().map(|(kind, count)| format!("{count} {}", kind.as_str()));
            lines.push(format!("no DICOM object, not copied: {}", list(counts.collect())));
        }
        for (note, count) in content {
            let what = match note {
                ContentNote::Faces => "show a head, from which a face can be rendered (faces)",
                ContentNote::Photograph => "may show a person's features (photographs)",
                ContentNote::DocumentReplaced => "hold a placeholder instead of their document",
            };
            lines.push(format!("{count} {what}"));
        }
        if *recalled > 0 {
            lines.push(format!("named by rejection notes, see airlock recall: {recalled}"));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_is_counted_once() {
        let mut tally = Tally::default();
        let refused = |reason| End::Quarantined { reason, detail: String::new() };
        let ends = [
            End::Repeat,
            refused(Reason::Conflict),
            refused(Reason::Conflict),
            refused(Reason::Unreadable),
            End::Left { kind: Kind::Dicomdir },
        ];
        ends.iter().for_each(|end| tally.add(end));
        assert_eq!((tally.files, tally.quarantined, tally.repeats), (5, 3, 1));
        let json = serde_json::to_value(&tally).unwrap();
        assert_eq!(json["reasons"], serde_json::json!({ "conflict": 2, "unreadable": 1 }));
        assert_eq!(json["left"], serde_json::json!({ "dicomdir": 1 }));
        assert_eq!(
            tally.lines(),
            [
                "0 cleaned, 3 quarantined, of 5 files",
                "quarantined: 1 unreadable, 2 conflict",
                "the same instance once more, not copied again: 1",
                "no DICOM object, not copied: 1 dicomdir",
            ]
        );
    }
}
