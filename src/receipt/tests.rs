//! The ledger as a whole: what was acknowledged stays, and nobody can change it
//! unseen.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::clean::report::Report;
use crate::clock::{Clock, ManualClock};
use crate::disk::RealDisk;
use crate::reason::Reason;

const DAY: Duration = Duration::from_secs(86_400);

fn key() -> LedgerKey {
    LedgerKey::new([7; 32])
}

fn delivered(id: &str, study: &str) -> Receipt {
    let report = Report { study_instance: study.to_owned(), ..Report::default() };
    let outcome = Outcome::Delivered { destination: "pacs".to_owned(), status: 0 };
    let (id, project) = (id.to_owned(), "trial".to_owned());
    Receipt::of_cleaned(Event { id, project, time_unix_ms: 5, outcome }, &report)
}

fn uncleaned(id: &str, outcome: Outcome) -> Receipt {
    let (id, project) = (id.to_owned(), "trial".to_owned());
    Receipt::of_uncleaned(Event { id, project, time_unix_ms: 5, outcome }, &"01".repeat(32))
}

fn quarantined(id: &str) -> Receipt {
    let detail = "(0010,0020)".to_owned();
    uncleaned(id, Outcome::Quarantined { reason: Reason::NoPatientId, detail })
}

fn open_at(dir: &Path, clock: &Arc<ManualClock>) -> Result<(Ledger, LedgerReport), LedgerError> {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    Ledger::open(&dir.join("receipts"), Arc::new(RealDisk), clock, key())
}

fn open(dir: &Path) -> Result<(Ledger, LedgerReport), LedgerError> {
    open_at(dir, &Arc::new(ManualClock::default()))
}

fn ids(ledger: &Ledger) -> Vec<String> {
    let receipts = ledger.iter(Filter::default()).unwrap();
    receipts.map(|receipt| receipt.unwrap().id).collect()
}

/// A closed ledger of three days with two lines each.
fn three_days(dir: &Path) -> Vec<std::path::PathBuf> {
    let clock = Arc::new(ManualClock::default());
    let (ledger, _report) = open_at(dir, &clock).unwrap();
    for day in 0..3 {
        for line in 0..2 {
            ledger.append(&delivered(&format!("{day}-{line}"), "2.25.1")).unwrap();
        }
        clock.advance(DAY);
    }
    let days = ["1970-01-01", "1970-01-02", "1970-01-03"];
    days.map(|day| dir.join("receipts").join(format!("{day}.jsonl"))).into()
}

#[test]
fn receipts_stand_in_a_file_a_day_and_verify_across_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let days = three_days(dir.path());
    for day in &days {
        assert_eq!(std::fs::read_to_string(day).unwrap().lines().count(), 2);
    }
    let (ledger, report) = open(dir.path()).unwrap();
    assert_eq!((report.lines, report.lines_adopted, report.torn_bytes), (6, 0, 0));
    assert_eq!(ledger.verify(), Ok(6));
    assert_eq!(ids(&ledger), ["0-0", "0-1", "1-0", "1-1", "2-0", "2-1"]);
    // The clock stands at the first day again: the chain goes on in the last file.
    ledger.append(&delivered("late", "2.25.1")).unwrap();
    assert_eq!(std::fs::read_to_string(&days[2]).unwrap().lines().count(), 3);
    assert_eq!(ledger.verify(), Ok(7));
}

#[test]
fn callers_at_the_same_time_share_a_sync() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _report) = open(dir.path()).unwrap();
    let turn = |ledger: &Ledger| ledger.anchor_turn();
    let before = turn(&ledger);
    std::thread::scope(|scope| {
        for thread in 0..40 {
            let ledger = &ledger;
            scope.spawn(move || ledger.append(&delivered(&format!("{thread}"), "2.25.1")).unwrap());
        }
    });
    assert!(turn(&ledger) - before < 20, "{} groups", turn(&ledger) - before);
    assert_eq!(ledger.verify(), Ok(40));
}

#[tokio::test]
async fn async_callers_get_their_answer() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _report) = open(dir.path()).unwrap();
    let (one, two) = (delivered("1", "2.25.1"), delivered("2", "2.25.1"));
    let answers = tokio::join!(ledger.append_async(&one), ledger.append_async(&two));
    assert_eq!(answers, (Ok(()), Ok(())));
    assert_eq!(ledger.len(), 2);
}

#[test]
fn a_repeated_event_is_given_once_but_a_second_round_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _report) = open(dir.path()).unwrap();
    let released = uncleaned("a", Outcome::Released(Release::default()));
    for receipt in [
        &quarantined("a"),
        &quarantined("a"),
        &released,
        &released,
        &quarantined("a"),
        &released,
        &delivered("a", "2.25.1"),
        &delivered("b", "2.25.1"),
        &delivered("a", "2.25.1"),
    ] {
        ledger.append(receipt).unwrap();
    }
    let kinds: Vec<_> = ledger
        .iter(Filter::default())
        .unwrap()
        .map(|receipt| receipt.map(|receipt| receipt.outcome.kind()).unwrap())
        .collect();
    let expected = [
        OutcomeKind::Quarantined,
        OutcomeKind::Released,
        OutcomeKind::Quarantined,
        OutcomeKind::Released,
        OutcomeKind::Delivered,
        OutcomeKind::Delivered,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(ledger.len(), 9);
}

#[test]
fn a_study_is_found_by_its_new_uid() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _report) = open(dir.path()).unwrap();
    for (id, study) in [("a", "2.25.1"), ("b", "2.25.2"), ("c", "2.25.1")] {
        ledger.append(&delivered(id, study)).unwrap();
    }
    ledger.append(&quarantined("d")).unwrap();
    let of_study = Filter { study: Some("2.25.1".to_owned()), ..Filter::default() };
    let found: Vec<_> = ledger.iter(of_study).unwrap().map(|found| found.unwrap().id).collect();
    assert_eq!(found, ["a", "c"]);
}

#[test]
fn a_torn_end_is_cut_and_whole_lines_behind_the_anchor_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let receipts = dir.path().join("receipts");
    let day = receipts.join("1970-01-01.jsonl");
    {
        let (ledger, _report) = open(dir.path()).unwrap();
        ledger.append(&delivered("a", "2.25.1")).unwrap();
        ledger.append(&delivered("b", "2.25.1")).unwrap();
    }
    // The first line's anchor, which an even turn has not yet replaced.
    let old_anchor = std::fs::read(receipts.join("head.1")).unwrap();
    let whole = std::fs::read(&day).unwrap();
    let first_line = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in first_line..=whole.len() {
        // Crash after some bytes of the second group, before its anchor.
        std::fs::write(&day, &whole[..cut]).unwrap();
        std::fs::write(receipts.join("head.0"), b"torn").unwrap();
        std::fs::write(receipts.join("head.1"), &old_anchor).unwrap();
        let (ledger, report) = open(dir.path()).unwrap();
        let kept_whole = cut == whole.len();
        assert_eq!(report.lines_adopted, u64::from(kept_whole));
        let torn = if kept_whole { 0 } else { cut - first_line };
        assert_eq!(report.torn_bytes, torn as u64);
        assert_eq!(ledger.verify(), Ok(1 + u64::from(kept_whole)));
    }
    // A group of the next day that was torn before its first line was whole.
    std::fs::write(receipts.join("1970-01-02.jsonl"), b"{\"version\":1,\"i").unwrap();
    let (ledger, report) = open(dir.path()).unwrap();
    assert_eq!((report.lines, report.torn_bytes), (2, 15));
    ledger.append(&delivered("c", "2.25.1")).unwrap();
    assert_eq!(ledger.verify(), Ok(3));
}

#[test]
fn whole_lines_cut_off_are_missed() {
    let dir = tempfile::tempdir().unwrap();
    let days = three_days(dir.path());
    let whole = std::fs::read(&days[2]).unwrap();
    let first_line = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    std::fs::write(&days[2], &whole[..first_line]).unwrap();
    assert!(matches!(open(dir.path()), Err(LedgerError::CutOff { .. })));
    std::fs::remove_file(&days[2]).unwrap();
    assert!(matches!(open(dir.path()), Err(LedgerError::CutOff { .. })));
    let closed = ClosedLedger::open(&dir.path().join("receipts"), Arc::new(RealDisk), key());
    let verdict = closed.unwrap().unwrap().verify();
    assert!(matches!(verdict, Err(LedgerError::CutOff { .. })), "{verdict:?}");
}

#[test]
fn verify_names_the_first_line_that_was_changed_or_taken_out() {
    let dir = tempfile::tempdir().unwrap();
    let days = three_days(dir.path());
    let whole = std::fs::read_to_string(&days[1]).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let (first, second) = (lines[0], lines[1]);
    let other_status = second.replace(r#""status":0"#, r#""status":1"#);
    assert_ne!(other_status, second);
    for (changed, day, line) in [
        (format!("{first}{other_status}"), "1970-01-02.jsonl", 2),
        (format!("{second}{first}"), "1970-01-02.jsonl", 1),
        (format!("{first}{first}{second}"), "1970-01-02.jsonl", 2),
        (second.to_owned(), "1970-01-02.jsonl", 1),
        (first.to_owned(), "1970-01-03.jsonl", 1),
        (String::new(), "1970-01-03.jsonl", 1),
        (format!("{first}\n{second}"), "1970-01-02.jsonl", 2),
        (format!("{first}{}\n{second}", "x".repeat(5_000)), "1970-01-02.jsonl", 2),
    ] {
        std::fs::write(&days[1], &changed).unwrap();
        let (ledger, _report) = open(dir.path()).unwrap();
        let expected = LedgerError::Broken { segment: day.to_owned(), line };
        assert_eq!(ledger.verify(), Err(expected), "{changed}");
    }
}

#[test]
fn a_broken_line_does_not_hide_the_others_from_a_reader() {
    let dir = tempfile::tempdir().unwrap();
    let days = three_days(dir.path());
    let whole = std::fs::read_to_string(&days[1]).unwrap();
    std::fs::write(&days[1], format!("not a receipt\n{whole}")).unwrap();
    let (ledger, _report) = open(dir.path()).unwrap();
    let items: Vec<_> = ledger.iter(Filter::default()).unwrap().collect();
    assert_eq!(items.iter().filter(|item| item.is_ok()).count(), 6);
    assert_eq!(items.iter().filter(|item| item.is_err()).count(), 1);
}

#[test]
fn lost_anchors_or_another_key_are_refused_and_one_lost_anchor_is_not() {
    let dir = tempfile::tempdir().unwrap();
    three_days(dir.path());
    let receipts = dir.path().join("receipts");
    let heads = ["head.0", "head.1"].map(|name| receipts.join(name));
    for (head, gone) in heads.iter().zip([false, true]) {
        if gone {
            std::fs::remove_file(head).unwrap();
        } else {
            std::fs::write(head, [0; 100]).unwrap();
        }
        let (ledger, _report) = open(dir.path()).unwrap();
        assert_eq!(ledger.verify(), Ok(6));
        drop(ledger);
        std::fs::remove_dir_all(&receipts).unwrap();
        three_days(dir.path());
    }
    let other = LedgerKey::new([8; 32]);
    let clock = Arc::new(ManualClock::default());
    let refused = Ledger::open(&receipts, Arc::new(RealDisk), clock, other);
    assert_eq!(refused.unwrap_err(), LedgerError::NoAnchor);
    for head in &heads {
        std::fs::remove_file(head).unwrap();
    }
    assert_eq!(open(dir.path()).unwrap_err(), LedgerError::NoAnchor);
}

#[test]
fn there_is_no_ledger_before_the_first_start() {
    let dir = tempfile::tempdir().unwrap();
    let closed = ClosedLedger::open(&dir.path().join("receipts"), Arc::new(RealDisk), key());
    assert!(closed.unwrap().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// Goal: what was acknowledged stays and verifies, whatever a crash leaves
    /// behind it. Method: noise behind the end, restarts, a list beside the ledger.
    #[test]
    fn the_ledger_is_a_list_that_survives(
        rounds in proptest::collection::vec((0..5_usize, 0..3_u32, any::<Vec<u8>>()), 1..12),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let mut told: Vec<String> = Vec::new();
        for (count, days, noise) in rounds {
            clock.advance(DAY * days);
            let (ledger, report) = open_at(dir.path(), &clock).unwrap();
            prop_assert_eq!(report.lines, told.len() as u64);
            for _ in 0..count {
                let id = format!("{}", told.len());
                ledger.append(&delivered(&id, "2.25.1")).unwrap();
                told.push(id);
            }
            prop_assert_eq!(ledger.verify(), Ok(told.len() as u64));
            prop_assert_eq!(&ids(&ledger), &told);
            drop(ledger);
            let mut files = std::fs::read_dir(dir.path().join("receipts")).unwrap();
            let newest = files
                .by_ref()
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
                .max();
            if let Some(newest) = newest {
                let mut bytes = std::fs::read(&newest).unwrap();
                bytes.extend_from_slice(&noise);
                std::fs::write(&newest, bytes).unwrap();
            }
        }
    }
}
