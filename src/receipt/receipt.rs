//! What became of one instance: a cleaning [`Report`] and an outcome in, a
//! [`Receipt`] of at most 1 KB out.
//!
//! Invariant: no field can hold a value of the input. Digests, counts, codes,
//! new UIDs and names from the configuration go in; destinations' comments do
//! not, since a PACS may quote a patient in one. The whole report, which the
//! receipt names by its digest, is kept elsewhere for some days.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::outcome::{CODE_BYTES_MAX, NAME_BYTES_MAX, Outcome, OutcomeKind, bounded};
use crate::clean::report::{ContentNote, Report, TextReason};

/// Version of the format.
pub const RECEIPT_VERSION: u32 = 1;
/// Longest receipt as JSON. Default 1 KB: 10 million of them fit on 10 GB.
pub const RECEIPT_BYTES_MAX: usize = 1_024;
/// Longest id of an instance in the spool.
const ID_BYTES_MAX: usize = 40;
/// Longest id of a key; they have 8 digits.
const KEY_ID_BYTES_MAX: usize = 16;
/// Hex digits of the profile's digest: tells profiles apart, the report has it whole.
const PROFILE_DIGEST_CHARS: usize = 16;
/// What is left out of a receipt that would be too long, in this order. The
/// full report has it all, and totals stay.
const DROPPED_IN_ORDER: [Detail; 5] = [
    Detail::KeptByReason,
    Detail::HiddenByReason,
    Detail::Counts,
    Detail::Models,
    Detail::ProfileDigest,
];

/// What makes two receipts the same event: after a crash an event may be
/// written again, with another time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey {
    /// The instance's id in the spool.
    pub id: String,
    /// What happened.
    pub kind: OutcomeKind,
    /// To which destination, or at which release.
    pub destination: Option<String>,
}

/// What happened to which instance, when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The instance's id in the spool.
    pub id: String,
    /// Its project.
    pub project: String,
    /// When, in milliseconds since 1970 UTC.
    pub time_unix_ms: u64,
    /// What.
    pub outcome: Outcome,
}

/// Evidence of one event of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// [`RECEIPT_VERSION`].
    pub version: u32,
    /// The instance's id in the spool.
    pub id: String,
    /// When, in milliseconds since 1970 UTC.
    pub time_unix_ms: u64,
    /// Its project.
    pub project: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Hex SHA-256 of the file received.
    pub input: String,
    /// What cleaning did; absent where it did not come to its end.
    #[serde(flatten)]
    pub cleaning: Option<Cleaning>,
    /// Details that were left out to keep within [`RECEIPT_BYTES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Detail>,
}

/// A cleaning [`Report`] in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleaning {
    /// Hex SHA-256 of the clean file.
    pub output: String,
    /// Hex SHA-256 of the full report, see [`report_bytes`].
    pub report: String,
    /// Profile's name.
    pub profile: String,
    /// First 16 hex digits of the checked profile's digest.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub profile_digest: String,
    /// Models used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Key of the person's pseudonym.
    pub key_id: String,
    /// The pseudonym is the study's alone: nobody was named.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlinked: bool,
    /// New Study Instance UID.
    pub study: String,
    /// New Series Instance UID.
    pub series: String,
    /// New SOP Instance UID.
    pub instance: String,
    /// Elements by action.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u32>,
    /// Faces, photographs, documents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<ContentNote>,
    /// Boxes painted over.
    pub boxes_hidden: u32,
    /// Boxes of text left standing.
    pub boxes_kept: u32,
    /// Boxes painted over, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hidden: BTreeMap<TextReason, u32>,
    /// Boxes left standing, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<TextReason, u32>,
}

/// A detail that a receipt can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detail {
    /// [`Cleaning::kept`].
    KeptByReason,
    /// [`Cleaning::hidden`].
    HiddenByReason,
    /// [`Cleaning::counts`].
    Counts,
    /// [`Cleaning::models`].
    Models,
    /// [`Cleaning::profile_digest`].
    ProfileDigest,
}

impl Receipt {
    /// A receipt for an instance that was cleaned.
    #[must_use]
    pub fn of_cleaned(event: Event, report: &Report) -> Self {
        let input = report.input_digest.clone();
        Self::new(event, &input, Some(Cleaning::of(report)))
    }

    /// A receipt for one that was not: only the digest of what was received is known.
    #[must_use]
    pub fn of_uncleaned(event: Event, input_digest: &str) -> Self {
        Self::new(event, input_digest, None)
    }

    fn new(event: Event, input_digest: &str, cleaning: Option<Cleaning>) -> Self {
        let mut receipt = Self {
            version: RECEIPT_VERSION,
            id: bounded(&event.id, ID_BYTES_MAX),
            time_unix_ms: event.time_unix_ms,
            project: bounded(&event.project, NAME_BYTES_MAX),
            outcome: event.outcome.bounded(),
            input: bounded(input_digest, CODE_BYTES_MAX),
            cleaning,
            dropped: Vec::new(),
        };
        for detail in DROPPED_IN_ORDER {
            if receipt.to_json().len() <= RECEIPT_BYTES_MAX {
                break;
            }
            receipt.drop_detail(detail);
        }
        receipt
    }

    /// The receipt as one line of JSON.
    #[must_use]
    #[allow(clippy::expect_used, reason = "strings, numbers and maps with text keys only")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a receipt has a form in JSON")
    }

    /// What makes it the same event as another.
    #[must_use]
    pub fn event_key(&self) -> EventKey {
        EventKey {
            id: self.id.clone(),
            kind: self.outcome.kind(),
            destination: self.outcome.particular(),
        }
    }

    fn drop_detail(&mut self, detail: Detail) {
        let Some(cleaning) = &mut self.cleaning else { return };
        match detail {
            Detail::KeptByReason => cleaning.kept.clear(),
            Detail::HiddenByReason => cleaning.hidden.clear(),
            Detail::Counts => cleaning.counts.clear(),
            Detail::Models => cleaning.models.clear(),
            Detail::ProfileDigest => cleaning.profile_digest.clear(),
        }
        self.dropped.push(detail);
    }
}

impl Cleaning {
    fn of(report: &Report) -> Self {
        let boxes = |hidden| {
            let mut by_reason = BTreeMap::new();
            for area in report.pixels.boxes.iter().filter(|area| area.hidden == hidden) {
                *by_reason.entry(area.reason).or_insert(0) += 1;
            }
            by_reason
        };
        let (hidden, kept) = (boxes(true), boxes(false));
        let code = |text: &str| bounded(text, CODE_BYTES_MAX);
        Self {
            output: code(&report.output_digest),
            report: hex(&Sha256::digest(report_bytes(report))),
            profile: bounded(&report.profile, NAME_BYTES_MAX),
            profile_digest: bounded(&report.profile_digest, PROFILE_DIGEST_CHARS),
            models: report.models.iter().map(|model| bounded(model, NAME_BYTES_MAX)).collect(),
            key_id: bounded(&report.key_id, KEY_ID_BYTES_MAX),
            unlinked: report.unlinked,
            study: code(&report.study_instance),
            series: code(&report.series_instance),
            instance: code(&report.sop_instance),
            counts: report.header.counts.clone(),
            content: report.content.clone(),
            boxes_hidden: hidden.values().sum(),
            boxes_kept: kept.values().sum(),
            hidden,
            kept,
        }
    }
}

/// A full report as it is kept: these bytes are what a receipt's digest is of.
#[must_use]
#[allow(clippy::expect_used, reason = "strings, numbers and maps with text keys only")]
pub fn report_bytes(report: &Report) -> Vec<u8> {
    serde_json::to_vec(report).expect("a report has a form in JSON")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::report::{HeaderReport, PixelReport, TextBox};
    use crate::reason::Reason;
    use crate::receipt::{Release, TableAction};

    fn event(outcome: Outcome) -> Event {
        Event {
            id: "01J9Z2M4T7".to_owned(),
            project: "trial".to_owned(),
            time_unix_ms: 1_795_391_999_000,
            outcome,
        }
    }

    fn delivered() -> Outcome {
        Outcome::Delivered { destination: "pacs".to_owned(), status: 0xB000 }
    }

    fn area(reason: TextReason, hidden: bool) -> TextBox {
        TextBox { first_frame: 0, frames: 1, rect_px: [1, 2, 3, 4], reason, hidden }
    }

    fn report() -> Report {
        let counts = [("removed", 41), ("uid-mapped", 7), ("kept", 88)];
        Report {
            version: 1,
            profile: "basic".to_owned(),
            profile_digest: "ab".repeat(32),
            models: vec!["find 0123456789ab".to_owned(), "read 0123456789ab".to_owned()],
            key_id: "e34d8c2b".to_owned(),
            input_digest: "01".repeat(32),
            output_digest: "23".repeat(32),
            sop_instance: "2.25.1".to_owned(),
            series_instance: "2.25.2".to_owned(),
            study_instance: "2.25.3".to_owned(),
            header: HeaderReport {
                counts: counts.map(|(action, count)| (action.to_owned(), count)).into(),
                method_codes: vec!["113100".to_owned()],
            },
            pixels: PixelReport {
                frames: 1,
                screened: true,
                frames_read: 1,
                boxes: vec![
                    area(TextReason::KnownValue, true),
                    area(TextReason::KnownValue, true),
                    area(TextReason::Date, true),
                    area(TextReason::Clinical, false),
                ],
                devices: Vec::new(),
                unchanged: false,
            },
            ..Report::default()
        }
    }

    /// As long as every part of a report can be.
    fn longest() -> Report {
        let uid = "2.".to_owned() + &"9".repeat(62);
        let reasons = [
            TextReason::Unreadable,
            TextReason::KnownValue,
            TextReason::Date,
            TextReason::Time,
            TextReason::Identifier,
            TextReason::Contact,
            TextReason::Name,
            TextReason::Place,
            TextReason::Labelled,
            TextReason::NotKnownClinical,
            TextReason::Policy,
            TextReason::DeviceRule,
            TextReason::DeviceTrusted,
            TextReason::Unexplained,
        ];
        let mut long = report();
        long.profile = "p".repeat(500);
        long.key_id = "k".repeat(500);
        long.models = vec!["m".repeat(60); 9];
        (long.study_instance, long.series_instance) = (uid.clone(), uid.clone());
        long.sop_instance = uid;
        long.header.counts = (0..40).map(|n| (format!("action-number-{n}"), u32::MAX)).collect();
        let both = reasons.iter().flat_map(|reason| [area(*reason, true), area(*reason, false)]);
        long.pixels.boxes = both.collect();
        // One excludes the others.
        long.content = vec![ContentNote::DocumentReplaced];
        long
    }

    #[test]
    fn a_receipt_holds_what_was_done() {
        let receipt = Receipt::of_cleaned(event(delivered()), &report());
        // Of the whole report, which grows with what is learned to clean.
        let report_digest = receipt.cleaning.clone().unwrap().report;
        insta::assert_snapshot!(receipt.to_json().replace(&report_digest, "‹report›"));
        assert!(receipt.dropped.is_empty());
        assert_eq!(serde_json::from_str::<Receipt>(&receipt.to_json()).unwrap(), receipt);
    }

    #[test]
    fn each_outcome_reads_back_without_a_report_too() {
        let words = |text: &str| text.to_owned();
        for outcome in [
            delivered(),
            Outcome::Quarantined { reason: Reason::NoPatientId, detail: words("(0010,0020)") },
            Outcome::Discarded {
                actor: words("jürgen"),
                reason: words("twice sent"),
                study: words("2.25.1"),
            },
            Outcome::TableUse {
                action: TableAction::Lookup,
                actor: words("jürgen"),
                reason: words("adverse event"),
                code: words("C-1"),
                persons: 1,
            },
            Outcome::Released(Release::default()),
            Outcome::Released(Release {
                round: 2,
                then: words("remove (0008,103E)"),
                actor: words("jürgen"),
                because: words("device text"),
            }),
            Outcome::Recall { code: words("113001"), instances: 7 },
        ] {
            let receipt = Receipt::of_uncleaned(event(outcome), &"01".repeat(32));
            let read: Receipt = serde_json::from_str(&receipt.to_json()).unwrap();
            assert_eq!(read, receipt);
        }
    }

    #[test]
    fn the_longest_receipt_of_each_kind_fits() {
        let long = |c: char| c.to_string().repeat(500);
        for outcome in [
            Outcome::Delivered { destination: long('d'), status: u16::MAX },
            Outcome::Quarantined { reason: Reason::RefusedByDestination, detail: long('"') },
            Outcome::Recall { code: long('1'), instances: u32::MAX },
        ] {
            let (id, project) = (long('i'), long('\\'));
            let worst = Event { id, project, time_unix_ms: u64::MAX, outcome };
            let receipt = Receipt::of_cleaned(worst, &longest());
            let bytes = receipt.to_json().len();
            assert!(bytes <= RECEIPT_BYTES_MAX, "{bytes}: {receipt:?}");
            assert!(receipt.dropped.len() >= 4);
            let hidden = longest().pixels.boxes.iter().filter(|area| area.hidden).count();
            let told = receipt.cleaning.unwrap().boxes_hidden;
            assert_eq!(told as usize, hidden, "totals stay");
        }
        // What is released or discarded has no clean copy.
        let (then, actor, because) = (long('t'), long('a'), long('"'));
        for outcome in [
            Outcome::Released(Release { round: u32::MAX, then, actor, because }),
            Outcome::Discarded { actor: long('\u{1}'), reason: long('ä'), study: long('1') },
        ] {
            let (id, project) = (long('i'), long('p'));
            let event = Event { id, project, time_unix_ms: u64::MAX, outcome };
            let receipt = Receipt::of_uncleaned(event, &long('0'));
            assert!(receipt.to_json().len() <= RECEIPT_BYTES_MAX, "{receipt:?}");
        }
    }

    #[test]
    fn the_longest_use_of_the_table_fits() {
        let long = |c: char| c.to_string().repeat(500);
        let outcome = Outcome::TableUse {
            action: TableAction::Import,
            actor: long('ä'),
            reason: long('\n'),
            code: long('C'),
            persons: u64::MAX,
        };
        let worst = Event { id: long('i'), project: long('\\'), ..event(outcome) };
        let bytes = Receipt::of_uncleaned(worst, "").to_json().len();
        assert!(bytes <= RECEIPT_BYTES_MAX, "{bytes}");
    }

    #[test]
    fn details_go_in_the_stated_order_and_only_until_the_receipt_fits() {
        let mut report = report();
        for models in 0..40 {
            report.models = vec!["find 0123456789ab".to_owned(); models];
            let receipt = Receipt::of_cleaned(event(delivered()), &report);
            assert!(receipt.to_json().len() <= RECEIPT_BYTES_MAX);
            assert_eq!(receipt.dropped, DROPPED_IN_ORDER[..receipt.dropped.len()]);
            let mut longer = receipt.clone();
            if longer.dropped.pop() == Some(Detail::HiddenByReason) {
                let whole = Cleaning::of(&report);
                longer.cleaning.as_mut().unwrap().hidden = whole.hidden;
                assert!(longer.to_json().len() > RECEIPT_BYTES_MAX, "dropped without need");
            }
        }
        assert_eq!(Receipt::of_cleaned(event(delivered()), &report).dropped.len(), 4);
    }

    #[test]
    fn the_report_digest_is_that_of_the_kept_bytes() {
        let receipt = Receipt::of_cleaned(event(delivered()), &report());
        let digest = hex(&Sha256::digest(report_bytes(&report())));
        assert_eq!(receipt.cleaning.unwrap().report, digest);
    }

    #[test]
    fn two_destinations_are_two_events_and_the_time_is_none() {
        let key = |destination: &str, time_unix_ms| {
            let outcome = Outcome::Delivered { destination: destination.to_owned(), status: 0 };
            let event = Event { time_unix_ms, ..event(outcome) };
            Receipt::of_cleaned(event, &report()).event_key()
        };
        assert_eq!(key("a", 1), key("a", 2));
        assert_ne!(key("a", 1), key("b", 1));
    }
}
