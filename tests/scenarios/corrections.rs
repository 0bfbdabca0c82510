//! Corrections made in the clinic: a rejection note before and after what it
//! names was sent, a study under a second patient, and that a restart in
//! between forgets neither.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::dcmtk::{StoreScp, storescu};
use crate::support::node::Node;
use crate::support::object::{CT, Object, PATIENT_ID};
use crate::support::process::{free_port, wait_for};
use crate::support::python::python;

const STUDY_OF_0: &str = "2.25.20260101.2.0";

/// CT is not searched for text: these tests are about states, not pictures.
fn configuration(destination: &str) -> String {
    format!("[project.default]\nheader_only = ['{CT}']\n{destination}")
}

fn to_port(port: u16) -> String {
    format!("[destination.pacs]\nae_title = 'PACS'\nhost = '127.0.0.1'\nport = {port}\n")
}

/// A Key Object Selection that names the first `count` instances of patient 0.
fn key_object(node: &Node, title: &str, numbers: &[usize]) -> PathBuf {
    let path = node.home().join(format!("note-{title}.dcm"));
    let names: Vec<String> =
        numbers.iter().map(|number| format!("2.25.20260101.1.{number}")).collect();
    let references = format!("REFERENCES={}", names.join(","));
    let file = path.to_str().unwrap();
    python("objects.py", &["key-object", file, &format!("CODE={title}"), &references]);
    path
}

fn ct(node: &Node, numbers: impl IntoIterator<Item = usize>) -> Vec<PathBuf> {
    let folder = node.home().join("ct");
    numbers.into_iter().map(|number| Object::ct(number).write(&folder)).collect()
}

fn send(node: &Node, files: &[PathBuf]) {
    storescu("AIRLOCK", node.port(), &[], files).success();
}

fn recall(node: &Node) -> Vec<Value> {
    let all = node.records(&["recall"]);
    all.into_iter().flat_map(|recall| recall["instances"].as_array().unwrap().clone()).collect()
}

fn count(instances: &[Value], wanted: impl Fn(&Value) -> bool) -> usize {
    instances.iter().filter(|instance| wanted(instance)).count()
}

fn is_sent(instance: &Value) -> bool {
    !instance["sent"].as_object().unwrap().is_empty()
}

#[test]
fn a_note_after_sending_lists_what_was_sent_and_holds_what_comes_later() {
    let mut node = Node::start(&configuration(""));
    send(&node, &ct(&node, 0..3));
    node.settle();
    let note = key_object(&node, "113001", &[0, 1, 3]);
    send(&node, &[note]);
    assert_eq!(node.settle().quarantine, 0, "{:?}", node.quarantined());
    // The note leaves cleaned, as any other: a PACS that knows it acts on it.
    assert_eq!(node.delivered().len(), 4);
    let instances = recall(&node);
    assert_eq!((instances.len(), count(&instances, is_sent)), (3, 2), "{instances:?}");
    let delivered = node.delivered();
    for instance in instances.iter().filter(|instance| is_sent(instance)) {
        let name = format!("{}.dcm", instance["instance"].as_str().unwrap());
        assert!(delivered.keys().any(|path| path.ends_with(&name)), "{name}");
    }
    let receipts = node.receipts("recall");
    let [receipt] = &receipts[..] else { panic!("{receipts:?}") };
    assert_eq!((&receipt["code"], &receipt["instances"]), (&"113001".into(), &3.into()));

    // What comes later is held, and what comes again too, a restart in between.
    assert!(node.stop().success());
    node.start_again();
    send(&node, &ct(&node, [1, 3, 4]));
    assert_eq!(node.settle().quarantine, 2, "{:?}", node.quarantined());
    assert_eq!(node.reasons(), [("recalled".to_owned(), 2)].into());
    let instances = recall(&node);
    assert_eq!(count(&instances, |instance| instance["held"] == true), 2, "{instances:?}");
    assert_eq!(node.delivered().len(), 5);
    no_original_uid_in(&node.data().join("corrections"));

    // A person can pass over the note, by name and with a reason.
    let id = node.quarantined()[0]["id"].as_str().unwrap().to_owned();
    let refused = node.command(&["quarantine", "release", &id, "--then", "accept"]);
    assert_eq!(refused.code(), 64);
    let accept =
        ["quarantine", "release", &id, "--then", "accept", "--actor", "t", "--reason", "r"];
    node.command(&accept).success();
    assert_eq!(node.settle().quarantine, 1, "{:?}", node.quarantined());
}

/// Original UIDs of these tests begin with this.
fn no_original_uid_in(folder: &Path) {
    for file in crate::support::files::files_below(folder) {
        let bytes = fs::read(&file).unwrap();
        assert!(!crate::support::files::holds(&bytes, "2.25.20260101"), "{}", file.display());
    }
}

#[test]
fn a_note_before_sending_holds_what_waits_for_a_destination_that_is_down() {
    let port = free_port();
    let mut node = Node::start(&configuration(&to_port(port)));
    send(&node, &ct(&node, 0..4));
    node.wait_standing("clean copies", |standing| standing.outbox == 4 && standing.received == 0);
    let note = key_object(&node, "113038", &[0, 2]);
    send(&node, &[note]);
    node.wait_standing("the two held", |standing| standing.quarantine == 2);
    assert_eq!(node.reasons(), [("recalled".to_owned(), 2)].into());
    let instances = recall(&node);
    assert_eq!((instances.len(), count(&instances, is_sent)), (2, 0));
    assert_eq!(count(&instances, |instance| instance["held"] == true), 2, "{instances:?}");

    // A restart in between; then the destination comes up.
    node.kill();
    let scp = StoreScp::start_at(&node.home().join("pacs"), "PACS", port);
    node.start_again();
    assert_eq!(node.settle().quarantine, 2);
    wait_for("three files", std::time::Duration::from_secs(60), || {
        (scp.files().len() == 3).then_some(())
    });
    // Released without a decision, it is found recalled again.
    let ids: Vec<String> =
        node.quarantined().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
    let cause = node.quarantined()[0]["cause"].as_str().unwrap().to_owned();
    node.command(&["quarantine", "release", "--cause", &cause]).success();
    assert_eq!(node.settle().quarantine, ids.len());
    assert_eq!(scp.files().len(), 3);
}

#[test]
fn other_key_objects_recall_nothing() {
    let node = Node::start(&configuration(""));
    send(&node, &ct(&node, 0..2));
    send(&node, &[key_object(&node, "113000", &[0, 1])]);
    assert_eq!(node.settle().quarantine, 0);
    assert_eq!(node.delivered().len(), 3);
    assert!(recall(&node).is_empty());
}

/// A slice of patient 0's study that says it is another person's.
fn of_second_patient(number: usize) -> Object {
    Object::ct(number).text(PATIENT_ID, "LO", "PID-OTHER").text(
        (0x0010, 0x0010),
        "PN",
        "Other^Person",
    )
}

#[test]
fn a_study_under_a_second_patient_is_held_until_somebody_says_whose_it_is() {
    let mut node = Node::start(&configuration(""));
    send(&node, &ct(&node, 0..2));
    node.settle();
    assert!(node.stop().success());
    node.start_again();
    let folder = node.home().join("second");
    let wrong: Vec<PathBuf> =
        (2..4).map(|number| of_second_patient(number).write(&folder)).collect();
    assert_eq!(Object::ct(2).value((0x0020, 0x000D)), STUDY_OF_0);
    send(&node, &wrong);
    assert_eq!(node.settle().quarantine, 2, "{:?}", node.quarantined());
    assert_eq!(node.reasons(), [("second-patient".to_owned(), 2)].into());
    // The first patient's own go on.
    send(&node, &ct(&node, [5]));
    assert_eq!(node.settle().quarantine, 2);
    assert_eq!(node.delivered().len(), 3);
    // One cause for both; a release alone finds the same again.
    let causes: std::collections::BTreeSet<String> =
        node.quarantined().iter().map(|item| item["cause"].to_string()).collect();
    assert_eq!(causes.len(), 1, "{causes:?}");
    let id = node.quarantined()[0]["id"].as_str().unwrap().to_owned();
    node.command(&["quarantine", "release", "--cause", &id]).success();
    assert_eq!(node.settle().quarantine, 2);
    // The second was right: the study is theirs from now on.
    let adopt = ["--then", "adopt", "--actor", "tester", "--reason", "mended at the source"];
    let release = [&["quarantine", "release", "--cause", id.as_str()], &adopt[..]].concat();
    let done = node.command(&release).success();
    assert_eq!(done.matches(' ').count(), 2, "{done}");
    assert_eq!(node.settle().quarantine, 0, "{:?}", node.quarantined());
    assert_eq!(node.delivered().len(), 5);
    let released = node.receipts("released");
    assert_eq!(count(&released, |one| one["then"] == "adopt" && one["actor"] == "tester"), 2);
    send(&node, &ct(&node, [6]));
    assert_eq!(node.settle().quarantine, 1);
    assert_eq!(node.reasons(), [("second-patient".to_owned(), 1)].into());
}

#[test]
fn a_folder_with_a_study_of_two_patients_holds_the_second() {
    let node = Node::prepare(&configuration(""));
    let input = node.home().join("in");
    // One worker: the first file's person has the study.
    Object::ct(0).write(&input);
    of_second_patient(1).write(&input);
    let (config, out) = (node.configuration(), node.home().join("out"));
    let one = "AIRLOCK__WORKER__COUNT";
    let mut command = node.airlock(&["deid", "--config"]);
    command.arg(config).arg(&input).arg(&out).env(one, "1");
    let run = crate::support::process::run(&mut command);
    assert_eq!(run.code(), 2, "{run:?}");
    assert!(run.stderr.contains("second-patient"), "{run:?}");
    assert!(run.stdout.contains("1 cleaned, 1 quarantined, of 2 files"), "{run:?}");
}

#[test]
fn the_same_id_with_and_without_issuer_is_one_person_in_a_study() {
    let node = Node::start(&configuration(""));
    let folder = node.home().join("mixed");
    let with = |number| Object::ct(number).text((0x0010, 0x0021), "LO", "CLINIC");
    let files: Vec<PathBuf> = [with(0), Object::ct(1), with(2), Object::ct(3)]
        .iter()
        .map(|object| object.write(&folder))
        .collect();
    send(&node, &files);
    assert_eq!(node.settle().quarantine, 0, "{:?}", node.quarantined());
    // The folder begins with the pseudonym.
    let persons: std::collections::BTreeSet<_> =
        node.delivered().into_keys().map(|path| path.iter().next().unwrap().to_owned()).collect();
    assert_eq!((persons.len(), node.delivered().len()), (1, 4));
    // So it is in another study.
    let later = with(5).text((0x0020, 0x000D), "UI", "1.2.3.9").write(&folder);
    send(&node, &[later]);
    assert_eq!(node.settle().quarantine, 0, "{:?}", node.quarantined());
    let persons: std::collections::BTreeSet<_> =
        node.delivered().into_keys().map(|path| path.iter().next().unwrap().to_owned()).collect();
    assert_eq!((persons.len(), node.delivered().len()), (1, 5));
    // Another issuer of the same ID is another person.
    let other = Object::ct(4).text((0x0010, 0x0021), "LO", "ELSEWHERE").write(&folder);
    send(&node, &[other]);
    node.settle();
    assert_eq!(node.reasons(), [("second-patient".to_owned(), 1)].into());
}

#[test]
fn two_operators_at_once_leave_one_receipt() {
    let node = Node::start(&configuration(""));
    let folder = node.home().join("nobody");
    let nobody: Vec<PathBuf> = (0..8)
        .map(|number| Object::ct(900 + number).text(PATIENT_ID, "LO", "").write(&folder))
        .collect();
    send(&node, &nobody);
    assert_eq!(node.settle().quarantine, nobody.len());
    for item in node.quarantined() {
        let id = item["id"].as_str().unwrap();
        let discard = |actor: &str| {
            let words = ["quarantine", "discard", id, "--actor", actor, "--reason", "twice"];
            let quiet = std::process::Stdio::null;
            node.airlock(&words).stdout(quiet()).stderr(quiet()).spawn().unwrap()
        };
        let (mut one, mut two) = (discard("one"), discard("two"));
        let codes = [one.wait().unwrap(), two.wait().unwrap()];
        assert_eq!(codes.iter().filter(|code| code.success()).count(), 1, "{codes:?}");
    }
    let mut ids: Vec<String> =
        node.receipts("discarded").iter().map(|one| one["id"].to_string()).collect();
    let lines = ids.len();
    ids.dedup();
    assert_eq!((ids.len(), lines), (nobody.len(), nobody.len()));
    assert_eq!(node.settle().quarantine, 0);
    // Each line of the ledger, repeated ones too.
    let counted = node.command(&["receipts", "verify"]).success();
    assert!(counted.contains(&format!("{} receipts", 2 * nobody.len())), "{counted}");
}
