//! Groups, lists, links and merges: each holds after a restart and after the
//! index was made anew, and no fault shows a value.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::tests::{exported, keys, line, lose_index, open_with, opened, person, volatile};
use super::*;
use crate::disk::Disk as _;
use crate::disk::testing::{Cut, FaultyDisk};
use crate::identified::Identified;

fn with_rule(dir: &Path, rule: CodeRule) -> SledTable {
    opened(dir).0.with_rules(BTreeMap::from([("trial".to_owned(), rule)]))
}

fn listed() -> CodeRule {
    CodeRule::new(CodeMode::Imported, "").unwrap()
}

/// Goal: many callers share a sync. Method: 64 threads, calls of the disk counted.
#[test]
fn callers_that_wait_share_a_sync() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::new(Arc::new(crate::disk::RealDisk));
    let (table, _report) =
        open(&dir.path().join("pseudonyms"), &keys(1), Arc::new(disk.clone())).unwrap();
    let before = disk.calls();
    std::thread::scope(|scope| {
        for thread in 0..64 {
            let table = &table;
            scope.spawn(move || {
                for number in 0..8 {
                    table.assign("trial", &person(thread * 8 + number)).unwrap();
                }
            });
        }
    });
    // A write and a sync for each frame: 1,024 if each person had one.
    let calls = disk.calls() - before;
    println!("{calls} calls of the disk for 512 persons");
    assert!(calls < 512, "{calls}");
    assert_eq!(table.verify().unwrap(), 512);
    drop(table);
    lose_index(dir.path());
    assert_eq!(opened(dir.path()).0.verify().unwrap(), 512);
}

#[test]
fn a_failed_sync_tells_every_caller_of_its_group() {
    const EIO: i32 = 5;
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::new(Arc::new(crate::disk::RealDisk));
    let at = dir.path().join("pseudonyms");
    let (table, _report) = open(&at, &keys(1), Arc::new(disk.clone())).unwrap();
    table.assign("trial", &person(0)).unwrap();
    // The first group is written, its sync fails; nobody after it is told anything.
    disk.fail(disk.calls() + 1, EIO);
    let told = std::thread::scope(|scope| {
        let callers = (1..20).map(|number| {
            let table = &table;
            scope.spawn(move || table.assign("trial", &person(number)).is_ok())
        });
        let callers: Vec<_> = callers.collect();
        callers.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(told.iter().all(|given| !given), "{told:?}");
    assert!(table.lookup("trial", &person(0)).unwrap().is_some());
}

#[test]
fn a_list_is_taken_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let table = with_rule(dir.path(), listed());
    let good: Vec<_> = (0..700).map(|number| line(number, &format!("C-{number}"))).collect();
    let mut bad = good.clone();
    bad.push(line(800, "C-7"));
    bad.push(line(801, "CANARY\\"));
    bad.push(line(7, "C-OTHER"));
    bad.push(line(802, ""));
    bad.push(line(803, "canary-00803"));
    let faults = table.import(&bad).unwrap().unwrap_err();
    let lines: Vec<_> = faults.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [800, 801, 7, 802, 803]);
    assert!(!format!("{faults:?}").contains("CANARY"));
    assert!(table.is_empty(), "nothing of it");
    assert_eq!(table.import(&good).unwrap(), Ok(Imported { new: 700, known: 0 }));
    assert_eq!(table.import(&good).unwrap(), Ok(Imported { new: 0, known: 700 }));
    let refused = table.assign("trial", &person(900)).unwrap_err();
    assert!(matches!(refused, PseudonymError::NotInList), "{refused}");
    drop(table);
    lose_index(dir.path());
    let table = with_rule(dir.path(), listed());
    assert_eq!(table.assign("trial", &person(699)).unwrap().code, "C-699");
    assert_eq!((table.verify().unwrap(), table.persons_in("trial").unwrap()), (700, 700));
}

#[test]
fn a_list_beside_a_rule_gives_codes_by_the_rule_where_it_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let table = with_rule(dir.path(), CodeRule::new(CodeMode::Sequential, "N-").unwrap());
    let list = [line(1, "N-000002"), line(2, ""), line(3, "")];
    table.import(&list).unwrap().unwrap();
    let codes: Vec<_> = exported(&table).into_iter().map(|mapping| mapping.code).collect();
    assert_eq!(codes, ["N-000002", "N-000003", "N-000004"]);
    assert_eq!(table.assign("trial", &person(9)).unwrap().code, "N-000005");
}

#[test]
fn a_baseline_date_falls_on_the_projects_day() {
    let day = 20_000;
    let dir = tempfile::tempdir().unwrap();
    let rule = || CodeRule::default().with_baseline(Some(-3_653));
    let table = with_rule(dir.path(), rule());
    assert!(matches!(table.assign("trial", &person(1)), Err(PseudonymError::NoBaselineDate)));
    assert!(table.is_empty());
    let dated = |number, day| Import { baseline_day: Some(day), ..line(number, "") };
    let faults = table.import(&[dated(1, day), line(2, "X"), dated(3, -3_653)]).unwrap();
    assert_eq!(faults.unwrap_err().iter().map(|fault| fault.line).collect::<Vec<_>>(), [2, 3]);
    table.import(&[dated(1, day)]).unwrap().unwrap();
    let given = table.assign("trial", &person(1)).unwrap();
    assert_eq!(i64::from(given.shift_days) + day, -3_653);
    assert!(table.import(&[dated(1, day + 1)]).unwrap().is_err(), "dates that were sent");
    drop(table);
    // The project changes its mind: nobody's dates move in two ways.
    let table = with_rule(dir.path(), rule().with_baseline(Some(0)));
    assert!(matches!(table.assign("trial", &person(1)), Err(PseudonymError::BaselineMoved)));
    drop(table);
    // Without the option the person keeps what it has.
    assert_eq!(opened(dir.path()).0.assign("trial", &person(1)).unwrap(), given);
}

#[test]
fn merged_persons_have_one_code_and_the_old_one_leads_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let (table, _report) = opened(dir.path());
    let given: Vec<_> =
        (0..4).map(|number| table.assign("trial", &person(number)).unwrap()).collect();
    let link = |table: &SledTable, known, other, merge| {
        table.link("trial", &person(known), &person(other), merge)
    };
    // 10 is linked to 1; then 1 turns out to be 0.
    link(&table, 1, 10, false).unwrap();
    assert!(matches!(link(&table, 0, 1, false), Err(PseudonymError::PersonKnown)));
    let merged = link(&table, 0, 1, true).unwrap();
    assert_eq!((merged.records, merged.former_code.as_ref()), (2, Some(&given[1].code)));
    // And 3 is also 0, by way of 10.
    link(&table, 10, 3, true).unwrap();
    let holds = |table: &SledTable| {
        for number in [0, 1, 10, 3] {
            assert_eq!(table.assign("trial", &person(number)).unwrap(), given[0], "{number}");
        }
        assert_eq!(table.assign("trial", &person(2)).unwrap(), given[2]);
        for former in [1, 3] {
            let found = table.lookup_code("trial", &given[former].code).unwrap().unwrap();
            assert_eq!(found.code, given[0].code);
            assert!(found.former_codes.contains(&given[former].code));
        }
        let found = table.lookup_code("trial", &given[0].code).unwrap().unwrap();
        assert_eq!(found.person, person(0));
        assert_eq!(table.verify().unwrap(), 5);
        let rows = exported(table);
        let persons: BTreeSet<_> =
            rows.iter().map(|row| row.person.patient_id.expose().clone()).collect();
        assert_eq!((rows.len(), persons.len()), (5, 5), "each as it is now");
    };
    holds(&table);
    drop(table);
    let (table, report) = opened(dir.path());
    assert_eq!(report.index, IndexState::Level);
    holds(&table);
    drop(table);
    lose_index(dir.path());
    holds(&opened(dir.path()).0);
}

#[test]
fn studies_of_nobody_share_nothing_with_each_other_or_with_persons() {
    let dir = tempfile::tempdir().unwrap();
    let table = with_rule(dir.path(), listed());
    let studies = ["1.2.3", "1.2.4"].map(PersonKey::of_study);
    let [one, two] = studies.each_ref().map(|study| table.assign("trial", study).unwrap());
    assert_ne!(one.code, two.code);
    assert_eq!(table.assign("trial", &studies[0]).unwrap(), one);
    let back = table.lookup_code("trial", &one.code).unwrap().unwrap();
    assert!(back.person.is_unlinked() && !person(1).is_unlinked());
    // A person whose ID is the study's UID is somebody else.
    let rules = PersonRules::standard();
    let said = rules.person(studies[0].issuer.expose(), "1.2.3").unwrap();
    assert!(!said.is_unlinked());
}

#[test]
fn projects_give_unrelated_pseudonyms() {
    let dir = tempfile::tempdir().unwrap();
    let (table, _report) = opened(dir.path());
    let (mut codes, mut same_shift) = (BTreeSet::new(), 0);
    for number in 0..200 {
        let [a, b] = ["a", "b"].map(|project| table.assign(project, &person(number)).unwrap());
        assert!(codes.insert(a.code) && codes.insert(b.code));
        same_shift += u32::from(a.shift_days == b.shift_days);
    }
    // 200 / 365 are expected to meet by chance.
    assert!(same_shift <= 5, "{same_shift}");
}

/// Goal: a list that a power cut has cut short is whole after it was imported
/// again. Method: the power goes at each call of the disk.
#[test]
fn a_list_cut_short_by_a_power_cut_is_imported_again() {
    let list: Vec<_> = (0..5).map(|number| line(number, &format!("C-{number}"))).collect();
    let work = |dir: &Path, disk: &FaultyDisk| {
        let opened = open(&dir.join("pseudonyms"), &keys(1), Arc::new(disk.clone()));
        opened.ok().is_some_and(|(table, _)| table.import(&list).is_ok_and(|done| done.is_ok()))
    };
    let calls = {
        let dir = tempfile::tempdir().unwrap();
        let disk = FaultyDisk::new(Arc::new(volatile(dir.path())));
        assert!(work(dir.path(), &disk));
        disk.calls()
    };
    for call in 0..calls {
        for cut in [Cut::LoseAll, Cut::KeepAll, Cut::AnySubset(call as u64)] {
            let dir = tempfile::tempdir().unwrap();
            let inner = volatile(dir.path());
            let disk = FaultyDisk::new(Arc::new(inner.clone()));
            disk.off_from(call);
            let told = work(dir.path(), &disk);
            lose_index(dir.path());
            let after = Arc::new(inner.after_power_cut(cut));
            let (table, report) = open(&dir.path().join("pseudonyms"), &keys(1), after).unwrap();
            // One frame: all or none.
            assert!(report.persons == 5 || (report.persons == 0 && !told), "{cut:?}");
            table.import(&list).unwrap().unwrap();
            assert_eq!(table.verify().unwrap(), 5);
        }
    }
}

/// The golden vectors of normalisation: tests/data/pseudonyms/README.md.
#[test]
fn normalisation_is_that_of_all_earlier_releases() {
    let text = include_str!("../../tests/data/pseudonyms/normalisation.json");
    let vectors: serde_json::Value = serde_json::from_str(text).unwrap();
    let vectors = vectors.as_array().unwrap();
    assert!(vectors.len() >= 20);
    for vector in vectors {
        let word = |key: &str| vector[key].as_str().unwrap_or_default().to_owned();
        let texts = |key: &str| -> Vec<String> {
            let list = vector[key].as_array().cloned().unwrap_or_default();
            list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        let aliases = vector["aliases"].as_object().cloned().unwrap_or_default();
        let aliases =
            aliases.iter().map(|(from, to)| (from.clone(), to.as_str().unwrap().to_owned()));
        let case = if vector["case"] == "ignored" { CaseRule::Ignored } else { CaseRule::Distinct };
        let rules =
            PersonRules { default_issuer: word("default_issuer"), case, ..PersonRules::standard() }
                .with_aliases(aliases)
                .with_placeholders(texts("placeholders"));
        let found = rules.person(&word("issuer"), &word("patient_id"));
        match vector["person"].as_array() {
            None => assert!(found.is_err(), "{vector}"),
            Some(person) => {
                let [issuer, id] = [0, 1].map(|at| person[at].as_str().unwrap().to_owned());
                let expected =
                    PersonKey { issuer: Identified::new(issuer), patient_id: Identified::new(id) };
                assert_eq!(found, Ok(expected), "{vector}");
            }
        }
    }
}

#[test]
fn the_key_of_a_table_can_be_changed_and_nobody_is_split() {
    let dir = tempfile::tempdir().unwrap();
    let old = Keys::load_or_create(dir.path()).unwrap().0;
    let given: Vec<_> = {
        let table = open_with(dir.path(), &old).unwrap().0;
        (0..5).map(|number| table.assign("trial", &person(number)).unwrap()).collect()
    };
    rekey(dir.path()).unwrap();
    let ring = Keys::load_or_create(dir.path()).unwrap().0;
    let table = open_with(dir.path(), &ring).unwrap().0;
    for (number, given) in (0..).zip(&given) {
        assert_eq!(table.assign("trial", &person(number)).unwrap(), *given);
    }
    assert_ne!(table.assign("trial", &person(50)).unwrap().key_id, given[0].key_id);
    assert_eq!(table.verify().unwrap(), 6);
    assert!(crate::disk::RealDisk.exists(&dir.path().join("keys/master")).unwrap());
}

#[derive(Debug, Clone)]
enum Step {
    Assign(u32),
    Link(u32, u32),
    Merge(u32, u32),
    Import(Vec<u32>),
    Restart,
    IndexLost,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..12_u32).prop_map(Step::Assign),
        2 => (0..12_u32, 0..12_u32).prop_map(|(known, other)| Step::Link(known, other)),
        2 => (0..12_u32, 0..12_u32).prop_map(|(known, other)| Step::Merge(known, other)),
        1 => proptest::collection::vec(0..12_u32, 1..5).prop_map(Step::Import),
        1 => Just(Step::Restart),
        1 => Just(Step::IndexLost),
    ]
}

/// What a link is to do to a map of who has what; nothing when it is refused.
fn link_in(model: &mut BTreeMap<u32, Assigned>, known: u32, other: u32, merge: bool) -> Option<()> {
    let first = model.get(&known)?.clone();
    let former = model.get(&other).map(|standing| standing.code.clone());
    match former {
        Some(code) if code != first.code => {
            let moved = model.values_mut().filter(|standing| standing.code == code);
            merge.then(|| moved.for_each(|standing| *standing = first.clone()))
        }
        Some(_) | None => {
            model.insert(other, first);
            Some(())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// Goal: whatever people do to the table, each ID has what a plain map says,
    /// and every code that was ever told leads to who has it now.
    #[test]
    fn links_and_lists_keep_to_a_map(steps in proptest::collection::vec(step(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let mut model: BTreeMap<u32, Assigned> = BTreeMap::new();
        let mut leads: BTreeMap<String, u32> = BTreeMap::new();
        let mut table = Some(opened(dir.path()).0);
        for step in &steps {
            let now = table.as_ref().unwrap();
            match step {
                Step::Assign(number) => {
                    let given = now.assign("trial", &person(*number)).unwrap();
                    prop_assert_eq!(model.entry(*number).or_insert(given.clone()), &given);
                }
                Step::Link(known, other) | Step::Merge(known, other) => {
                    let merge = matches!(step, Step::Merge(..));
                    let done = now.link("trial", &person(*known), &person(*other), merge);
                    let expected = link_in(&mut model, *known, *other, merge);
                    prop_assert_eq!(done.is_ok(), expected.is_some());
                }
                Step::Import(numbers) => {
                    let list: Vec<_> = numbers.iter().map(|number| line(*number, "")).collect();
                    now.import(&list).unwrap().unwrap();
                    for number in numbers {
                        let given = now.assign("trial", &person(*number)).unwrap();
                        prop_assert_eq!(model.entry(*number).or_insert(given.clone()), &given);
                    }
                }
                Step::Restart | Step::IndexLost => {
                    drop(table.take());
                    if matches!(step, Step::IndexLost) {
                        lose_index(dir.path());
                    }
                    table = Some(opened(dir.path()).0);
                }
            }
            leads.extend(model.iter().map(|(number, given)| (given.code.clone(), *number)));
        }
        let table = table.unwrap();
        prop_assert_eq!(table.verify().unwrap(), model.len() as u64);
        for (number, given) in &model {
            prop_assert_eq!(&table.assign("trial", &person(*number)).unwrap(), given);
        }
        for (code, number) in &leads {
            let found = table.lookup_code("trial", code).unwrap().unwrap();
            prop_assert_eq!(&found.code, &model[number].code);
        }
    }
}
