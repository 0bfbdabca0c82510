use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::disk::{Disk, RealDisk};
use crate::pseudonym::{Keys, MasterKey};

fn keys(digit: &str) -> Keys {
    let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e";
    Keys::new(MasterKey::from_secret(format!("{hex}0{digit}").as_bytes()).unwrap())
}

fn open(dir: &Path) -> (LocalBook, BookReport) {
    try_open(dir, &keys("7")).unwrap()
}

fn try_open(dir: &Path, keys: &Keys) -> Result<(LocalBook, BookReport), CorrectionError> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    LocalBook::open(dir, keys, disk)
}

fn claim(project: &'static str, study: &'static str) -> Claim<'static> {
    Claim {
        project,
        study,
        patient_id: "ID",
        issuer_stated: true,
        issuer: "",
        joins_missing_issuer: false,
    }
}

fn recall(note: &str, instances: &[&str]) -> Recall {
    Recall {
        project: "a".into(),
        note: note.into(),
        code: "113001".into(),
        time_unix_ms: 5,
        instances: instances.iter().map(|uid| (*uid).to_owned()).collect(),
    }
}

#[test]
fn the_first_person_keeps_a_study_over_restarts_until_another_adopts_it() {
    let dir = tempfile::tempdir().unwrap();
    let (book, _) = open(dir.path());
    assert_eq!(book.claim(claim("a", "1.2"), "P1").unwrap(), Owner::New);
    assert_eq!(book.claim(claim("a", "1.2"), "P1").unwrap(), Owner::Same);
    assert_eq!(book.claim(claim("a", "1.2"), "P2").unwrap(), Owner::Other);
    // Another study, another project.
    assert_eq!(book.claim(claim("a", "1.3"), "P2").unwrap(), Owner::New);
    assert_eq!(book.claim(claim("b", "1.2"), "P2").unwrap(), Owner::New);
    drop(book);
    let (book, report) = open(dir.path());
    assert_eq!((report.studies, report.torn_bytes), (3, 0));
    assert_eq!(book.claim(claim("a", "1.2"), "P2").unwrap(), Owner::Other);
    book.adopt(claim("a", "1.2"), "P2").unwrap();
    drop(book);
    let (book, report) = open(dir.path());
    assert_eq!(report.studies, 3);
    assert_eq!(book.claim(claim("a", "1.2"), "P2").unwrap(), Owner::Same);
    assert_eq!(book.claim(claim("a", "1.2"), "P1").unwrap(), Owner::Other);
}

#[test]
fn the_same_id_without_issuer_joins_the_person_of_its_study() {
    let dir = tempfile::tempdir().unwrap();
    let (book, _) = open(dir.path());
    let of =
        |study, patient_id, issuer_stated| Claim { patient_id, issuer_stated, ..claim("a", study) };
    assert_eq!(book.joins(of("1", "ID", false)).unwrap(), None);
    assert_eq!(book.claim(of("1", "ID", true), "P1").unwrap(), Owner::New);
    assert_eq!(book.claim(of("2", "ID", false), "P0").unwrap(), Owner::New);
    drop(book);
    let (book, _) = open(dir.path());
    // One of the two says nothing of its issuer, whichever came first.
    assert_eq!(book.joins(of("1", "ID", false)).unwrap().as_deref(), Some("P1"));
    assert_eq!(book.claim(of("1", "ID", false), "P0").unwrap(), Owner::Join("P1".into()));
    assert_eq!(book.claim(of("2", "ID", true), "P1").unwrap(), Owner::Join("P0".into()));
    // Two issuers are two persons, and so are two IDs.
    assert_eq!(book.claim(of("1", "ID", true), "P2").unwrap(), Owner::Other);
    assert_eq!(book.claim(of("1", "ID2", false), "P3").unwrap(), Owner::Other);
    assert_eq!(book.joins(of("1", "ID", true)).unwrap(), None);
    assert_eq!(book.joins(of("3", "ID", false)).unwrap(), None);
}

#[test]
fn an_id_without_issuer_is_that_of_the_one_person_known_by_it() {
    let dir = tempfile::tempdir().unwrap();
    let of = |study, issuer| Claim {
        issuer,
        issuer_stated: !issuer.is_empty(),
        joins_missing_issuer: true,
        ..claim("a", study)
    };
    let (book, _) = open(dir.path());
    let joins = |book: &LocalBook, study, issuer| book.joins(of(study, issuer)).unwrap();
    assert_eq!(joins(&book, "1", ""), None);
    assert_eq!(book.claim(of("1", ""), "P1").unwrap(), Owner::New);
    // Another study, which says the issuer; also when two were given a code at once.
    assert_eq!(book.claim(of("2", "A"), "P2").unwrap(), Owner::Join("P1".into()));
    assert_eq!(joins(&book, "3", "A").as_deref(), Some("P1"));
    assert_eq!(book.claim(of("2", "A"), "P2").unwrap(), Owner::Join("P1".into()));
    drop(book);
    let (book, _) = open(dir.path());
    assert_eq!(joins(&book, "4", "A").as_deref(), Some("P1"));
    // Whose code was never joined is the table's to say.
    assert_eq!(joins(&book, "5", ""), None);
    // A second issuer is a second person.
    assert_eq!(joins(&book, "6", "B"), None);
    assert_eq!(book.claim(of("6", "B"), "P6").unwrap(), Owner::New);
    let other = |study, issuer| Claim { project: "b", ..of(study, issuer) };
    assert_eq!(book.joins(other("7", "A")).unwrap(), None, "another project");
    let distinct = Claim { joins_missing_issuer: false, ..of("8", "A") };
    assert_eq!(book.joins(distinct).unwrap(), None);
    // Two persons are known under stated issuers: which one is meant is not known.
    assert_eq!(book.claim(other("11", "A"), "P7").unwrap(), Owner::New);
    assert_eq!(book.claim(other("12", "B"), "P8").unwrap(), Owner::New);
    assert_eq!(book.joins(other("13", "")).unwrap(), None);
}

#[test]
fn a_recall_is_known_after_a_restart_and_noted_once() {
    let dir = tempfile::tempdir().unwrap();
    let (book, _) = open(dir.path());
    book.recall(recall("2.25.9", &["2.25.1", "2.25.2"])).unwrap();
    book.recall(Recall { time_unix_ms: 6, ..recall("2.25.9", &["2.25.1", "2.25.2"]) }).unwrap();
    drop(book);
    let (book, report) = open(dir.path());
    assert_eq!(report.recalls, 1);
    assert_eq!(book.recalled_by("2.25.2").unwrap().code, "113001");
    assert_eq!(book.recalled_by("2.25.3"), None);
    assert_eq!(book.recalls(), [recall("2.25.9", &["2.25.1", "2.25.2"])]);
}

#[test]
fn too_many_recalled_instances_are_refused_not_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let (book, _) = open(dir.path());
    let names: Vec<String> = (0..60_000).map(|number| format!("2.25.{number}")).collect();
    for part in 0..4 {
        let of_part: Vec<String> = names.iter().map(|name| format!("{name}.{part}")).collect();
        let named: Vec<&str> = of_part.iter().map(String::as_str).collect();
        book.recall(recall(&part.to_string(), &named)).unwrap();
    }
    let named: Vec<&str> = names.iter().map(String::as_str).collect();
    let refused = book.recall(recall("5", &named));
    assert!(matches!(refused, Err(CorrectionError::TooMany { .. })));
    assert!(book.recalled_by("2.25.0.0").is_some());
    assert!(book.recalled_by("2.25.0").is_none());
}

#[test]
fn no_uid_or_patient_id_stands_in_the_journal_of_studies() {
    let dir = tempfile::tempdir().unwrap();
    let (book, _) = open(dir.path());
    book.claim(claim("trial", "1.2.840.5555"), "PSEUDO-77").unwrap();
    let bytes = std::fs::read(dir.path().join("journal")).unwrap();
    for text in ["1.2.840.5555", "PAT-9", "trial"] {
        assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{text}");
    }
}

#[test]
fn a_journal_cut_at_any_byte_keeps_what_was_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let (book, _) = open(dir.path());
    let mut ends = vec![std::fs::metadata(&path).unwrap().len()];
    for study in ["1", "2", "3"] {
        book.claim(claim("a", study), "P").unwrap();
        ends.push(std::fs::metadata(&path).unwrap().len());
    }
    drop(book);
    let whole = std::fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let opened = try_open(dir.path(), &keys("7"));
        if (cut as u64) < ends[0] {
            assert!(matches!(opened, Err(CorrectionError::NotAJournal { .. })), "{cut}");
            continue;
        }
        let (book, report) = opened.unwrap();
        let kept = ends.iter().filter(|end| **end <= cut as u64).count() - 1;
        assert_eq!(report.studies, kept, "{cut}");
        assert_eq!(book.claim(claim("a", "9"), "P").unwrap(), Owner::New);
        drop(book);
        assert_eq!(open(dir.path()).1.studies, kept + 1, "{cut}");
    }
}

#[test]
fn damage_before_a_whole_record_and_a_missing_key_stop_the_node() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let (book, _) = open(dir.path());
    for study in ["1", "2", "3"] {
        book.claim(claim("a", study), "P").unwrap();
    }
    drop(book);
    let whole = std::fs::read(&path).unwrap();
    for at in [24, 30, 40, 55] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        let opened = try_open(dir.path(), &keys("7"));
        assert!(matches!(opened, Err(CorrectionError::Damaged { .. })), "{at}: {opened:?}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "nothing is cut");
    }
    std::fs::write(&path, &whole).unwrap();
    let opened = try_open(dir.path(), &keys("8"));
    assert!(matches!(opened, Err(CorrectionError::UnknownKey { .. })), "{opened:?}");
}

#[test]
fn a_journal_of_much_that_is_superseded_is_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (book, _) = open(dir.path());
    book.recall(recall("2.25.9", &["2.25.1"])).unwrap();
    for time in 0..2_100 {
        book.adopt(claim("a", "1.2"), if time % 2 == 0 { "P1" } else { "P2" }).unwrap();
    }
    drop(book);
    let (book, report) = open(dir.path());
    assert!(report.rewritten);
    drop(book);
    let (book, report) = open(dir.path());
    assert_eq!((report.rewritten, report.studies, report.recalls), (false, 1, 1));
    assert_eq!(book.claim(claim("a", "1.2"), "P2").unwrap(), Owner::Same);
    assert!(book.recalled_by("2.25.1").is_some());
}
