//! `release = "study"`: nothing of a study is sent before it is quiet and whole,
//! and what holds it is told.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::support::dcmtk::storescu;
use crate::support::node::Node;
use crate::support::object::{CT, Object, PATIENT_ID};

const QUIET: Duration = Duration::from_secs(4);

fn configuration() -> String {
    configured(QUIET)
}

fn configured(quiet: Duration) -> String {
    let seconds = quiet.as_secs();
    format!("[project.default]\nheader_only = ['{CT}']\nrelease = 'study'\nquiet = '{seconds}s'\n")
}

fn send(node: &Node, objects: &[Object]) {
    let folder = node.home().join("sent");
    let files: Vec<PathBuf> = objects.iter().map(|object| object.write(&folder)).collect();
    storescu("AIRLOCK", node.port(), &[], &files).success();
}

/// A slice of patient 0's study that says it is another person's: held.
fn of_second_patient(number: usize) -> Object {
    Object::ct(number).text(PATIENT_ID, "LO", "PID-OTHER")
}

fn studies(node: &Node) -> Vec<Value> {
    node.records(&["queue", "--studies"])
}

fn counts(study: &Value) -> [u64; 5] {
    ["received", "waiting", "delivered", "quarantined", "discarded"]
        .map(|key| study[key].as_u64().unwrap())
}

fn wait_cleaned(node: &Node, waiting: usize) {
    node.wait_standing("clean copies", |standing| {
        standing.received == 0 && standing.outbox == waiting
    });
}

fn wait_delivered(node: &Node, wanted: usize) {
    node.wait_standing("the outbox empty", |standing| standing.outbox == 0);
    assert_eq!(node.delivered().len(), wanted);
}

#[test]
fn a_study_leaves_when_nothing_of_it_came_for_its_quiet_time_across_a_kill() {
    // So long that a busy machine looks while it still runs.
    let quiet = Duration::from_secs(20);
    let mut node = Node::start(&configured(quiet));
    send(&node, &[Object::ct(0), Object::ct(1)]);
    sleep(quiet * 3 / 4);
    send(&node, &[Object::ct(2)]);
    wait_cleaned(&node, 3);
    // The first two are older than the quiet time by now, the third is not.
    sleep(quiet / 2);
    assert!(node.delivered().is_empty(), "{:?}", node.delivered());
    let waiting = studies(&node);
    assert_eq!((waiting.len(), counts(&waiting[0])), (1, [3, 3, 0, 0, 0]));
    assert_eq!(waiting[0]["waits_for"], "quiet");
    node.kill();
    node.start_again();
    wait_delivered(&node, 3);
    // One that comes late waits for its own quiet time.
    send(&node, &[Object::ct(3)]);
    wait_cleaned(&node, 1);
    sleep(quiet / 4);
    assert_eq!(node.delivered().len(), 3);
    wait_delivered(&node, 4);
    let sent = studies(&node);
    assert_eq!((sent.len(), counts(&sent[0])), (1, [4, 0, 4, 0, 0]), "{sent:?}");
    assert_eq!(sent[0]["waits_for"], "");
}

#[test]
fn a_sender_has_its_own_quiet_time() {
    let sender = "[sender.cart]\nae_title = 'CART'\nquiet = '1h'\n[sender.others]\n";
    let node = Node::start(&format!("{}{sender}", configuration()));
    let folder = node.home().join("sent");
    let file = |object: Object| vec![object.write(&folder)];
    storescu("AIRLOCK", node.port(), &["--aetitle", "CART"], &file(Object::ct(0))).success();
    storescu("AIRLOCK", node.port(), &["--aetitle", "PACS"], &file(Object::ct(10))).success();
    node.wait_standing("the other one's study sent", |standing| {
        standing.received == 0 && standing.outbox == 1
    });
    sleep(QUIET + QUIET / 2);
    assert_eq!(node.delivered().len(), 1);
    let waiting: Vec<_> =
        studies(&node).iter().filter(|one| one["waits_for"] == "quiet").map(counts).collect();
    assert_eq!(waiting, [[1, 1, 0, 0, 0]]);
}

#[test]
fn a_sibling_in_quarantine_holds_its_study_alone_until_a_person_decides() {
    let mut node = Node::start(&configuration());
    send(&node, &[Object::ct(0), Object::ct(1), of_second_patient(2), Object::ct(10)]);
    node.wait_standing("the other study sent", |standing| {
        standing.received == 0 && standing.outbox == 2 && standing.quarantine == 1
    });
    assert_eq!(node.delivered().len(), 1);
    let held = |node: &Node| {
        let all = studies(node);
        all.into_iter().find(|study| study["waits_for"] == "quarantine").map(|one| counts(&one))
    };
    assert_eq!(held(&node), Some([3, 2, 0, 1, 0]));
    assert!(node.stop().success());
    node.start_again();
    sleep(QUIET + QUIET / 2);
    assert_eq!(held(&node), Some([3, 2, 0, 1, 0]), "{:?}", studies(&node));
    assert_eq!(node.delivered().len(), 1);

    let id = node.quarantined()[0]["id"].as_str().unwrap().to_owned();
    let words = ["quarantine", "discard", &id, "--actor", "tester", "--reason", "sent in error"];
    node.command(&words).success();
    wait_delivered(&node, 3);
    let of_patient_0 = studies(&node).into_iter().find(|study| study["discarded"] == 1).unwrap();
    assert_eq!(counts(&of_patient_0), [3, 0, 2, 0, 1]);
    let uid = of_patient_0["study"].as_str().unwrap().to_owned();
    assert_eq!(node.records(&["queue", "--study", &uid]), [of_patient_0]);
}

#[test]
fn one_of_which_nobody_knows_the_study_holds_what_came_with_it() {
    let node = Node::start(&configuration());
    send(&node, &[Object::ct(0), Object::ct(900).text(PATIENT_ID, "LO", "")]);
    node.wait_standing("one held", |standing| standing.quarantine == 1);
    sleep(QUIET + QUIET / 2);
    assert!(node.delivered().is_empty(), "{:?}", node.delivered());
    assert_eq!(studies(&node)[0]["waits_for"], "quarantine");
    // Released, it is held again, for the same reason: the study waits on.
    let id = node.quarantined()[0]["id"].as_str().unwrap().to_owned();
    node.command(&["quarantine", "release", &id]).success();
    node.wait_standing("held again", |standing| standing.quarantine == 1 && standing.received == 0);
    sleep(QUIET);
    assert!(node.delivered().is_empty(), "{:?}", node.delivered());
    let words = ["quarantine", "discard", &id, "--actor", "tester", "--reason", "not a patient"];
    node.command(&words).success();
    wait_delivered(&node, 1);
}
