//! Other bytes under a SOP Instance UID that came before: a correction follows what
//! it corrects, another study is a conflict for a person.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::support::dcmtk::{StoreScp, storescu};
use crate::support::files::holds;
use crate::support::node::Node;
use crate::support::object::{CT, Object, STUDY};
use crate::support::process::{free_port, wait_for};

const KVP: (u16, u16) = (0x0018, 0x0060);

fn configuration(port: u16) -> String {
    format!(
        "[project.default]\nheader_only = ['{CT}']\n\
         [destination.pacs]\nae_title = 'PACS'\nhost = '127.0.0.1'\nport = {port}\n"
    )
}

fn send(node: &Node, name: &str, objects: &[Object]) {
    let folder = node.home().join(name);
    let files: Vec<PathBuf> = objects.iter().map(|object| object.write(&folder)).collect();
    storescu("AIRLOCK", node.port(), &[], &files).success();
}

fn with_kvp(object: Object, value: &str) -> Object {
    object.text(KVP, "DS", value)
}

/// The one file at the destination holds this.
fn only_file_holds(files: &[PathBuf], text: &str) -> bool {
    let [file] = files else { return false };
    fs::read(file).is_ok_and(|bytes| holds(&bytes, text))
}

fn wait_for_text(scp: &StoreScp, text: &str) {
    wait_for("the newer object", Duration::from_secs(60), || {
        only_file_holds(&scp.files(), text).then_some(())
    });
}

#[test]
fn a_correction_arrives_after_what_it_corrects_though_both_waited() {
    let port = free_port();
    let node = Node::start(&configuration(port));
    for (round, kvp) in ["101.5", "102.5", "103.5"].into_iter().enumerate() {
        send(&node, &format!("round{round}"), &[with_kvp(Object::ct(0), kvp)]);
    }
    node.wait_standing("three clean copies", |standing| standing.outbox == 3);
    // It overwrites by SOP Instance UID, as a PACS does: what came last stands.
    let scp = StoreScp::start_at(&node.home().join("pacs"), "PACS", port);
    node.wait_standing("all sent", |standing| standing.outbox == 0);
    assert!(only_file_holds(&scp.files(), "103.5"), "{:?}", scp.files());
    assert_eq!(node.settle().quarantine, 0, "{:?}", node.quarantined());
    assert_eq!(node.receipts("delivered").len(), 3);
}

#[test]
fn the_same_uid_in_another_study_is_held_also_after_a_restart_until_somebody_replaces() {
    let home = tempfile::tempdir().unwrap();
    let scp = StoreScp::start(home.path(), "PACS");
    let mut node = Node::start(&configuration(scp.port));
    send(&node, "first", &[Object::ct(0)]);
    node.wait_standing("sent", |standing| standing.outbox == 0 && standing.received == 0);
    let other = with_kvp(Object::ct(0), "88.5").text(STUDY, "UI", "2.25.20260101.2.77");
    send(&node, "other", std::slice::from_ref(&other));
    assert_eq!(node.settle().quarantine, 1);
    assert_eq!(node.reasons(), [("conflict".to_owned(), 1)].into());

    assert!(node.stop().success());
    node.start_again();
    wait_for("what was delivered is known", Duration::from_secs(20), || {
        (node.log().matches("what was delivered lately is known").count() == 2).then_some(())
    });
    let again = with_kvp(other, "89.5");
    send(&node, "again", &[again]);
    assert_eq!(node.settle().quarantine, 2, "{:?}", node.reasons());
    assert!(!only_file_holds(&scp.files(), "89.5"));

    let newest = node.quarantined().pop().unwrap()["id"].as_str().unwrap().to_owned();
    let words = ["quarantine", "release", &newest, "--then", "replace"];
    assert_eq!(node.command(&words).code(), 64, "who decided, and why?");
    let why = ["--actor", "tester", "--reason", "the cart used a UID twice"];
    node.command(&[&words[..], &why[..]].concat()).success();
    wait_for_text(&scp, "89.5");
    assert_eq!(node.settle().quarantine, 1, "{:?}", node.reasons());
    // Another correction in that study goes by itself now.
    let later = with_kvp(Object::ct(0), "90.5").text(STUDY, "UI", "2.25.20260101.2.77");
    send(&node, "later", &[later]);
    wait_for_text(&scp, "90.5");
}

#[test]
fn what_waited_over_a_restart_goes_before_its_correction_and_holds_another_study() {
    let port = free_port();
    let mut node = Node::start(&configuration(port));
    send(&node, "first", &[with_kvp(Object::ct(0), "101.5"), with_kvp(Object::ct(1), "101.5")]);
    node.wait_standing("clean copies", |standing| standing.outbox == 2);
    assert!(node.stop().success());
    node.start_again();
    let elsewhere = with_kvp(Object::ct(1), "88.5").text(STUDY, "UI", "2.25.20260101.2.77");
    send(&node, "then", &[with_kvp(Object::ct(0), "103.5"), elsewhere]);
    node.wait_standing("the correction, and the conflict", |standing| {
        (standing.outbox, standing.quarantine, standing.received) == (3, 1, 0)
    });
    assert_eq!(node.reasons(), [("conflict".to_owned(), 1)].into());
    let scp = StoreScp::start_at(&node.home().join("pacs"), "PACS", port);
    node.wait_standing("all sent", |standing| standing.outbox == 0);
    let texts = ["101.5", "103.5"].map(|text| {
        scp.files().iter().filter(|file| holds(&fs::read(file).unwrap(), text)).count()
    });
    assert_eq!(texts, [1, 1], "{:?}", scp.files());
}

#[test]
fn what_waits_does_not_leave_when_its_project_is_gone_or_sends_elsewhere() {
    let home = tempfile::tempdir().unwrap();
    let port = free_port();
    let projects = |gone: bool, to: &str| {
        let trial = format!(
            "[project.trial]\nae_title = 'TRIAL'\nheader_only = ['{CT}']\ndestinations = ['pacs']\n"
        );
        let rest = format!(
            "[project.rest]\nae_title = 'REST'\nheader_only = ['{CT}']\ndestinations = [{to}]\n\
             [project.last]\nae_title = 'LAST'\ndestinations = ['pacs']\n\
             [destination.pacs]\nae_title = 'PACS'\nhost = '127.0.0.1'\nport = {port}\n\
             [destination.out]\nfolder = '{}'\n",
            home.path().join("out").display()
        );
        if gone { rest } else { trial + &rest }
    };
    let mut node = Node::start(&projects(false, "'pacs'"));
    for (number, called) in ["TRIAL", "REST"].into_iter().enumerate() {
        let file = Object::ct(number).write(&node.home().join("in"));
        storescu(called, node.port(), &[], &[file]).success();
    }
    node.wait_standing("both wait", |standing| standing.outbox == 2);
    assert!(node.stop().success());
    node.configure(&projects(true, "'out'"));
    let scp = StoreScp::start_at(&node.home().join("pacs"), "PACS", port);
    node.start_again();
    node.wait_standing("one is set aside", |standing| {
        (standing.outbox, standing.quarantine) == (1, 1)
    });
    assert_eq!(node.reasons(), [("no-project".to_owned(), 1)].into());
    wait_for("a word on the other", Duration::from_secs(20), || {
        node.log().contains("does not send there any more").then_some(())
    });
    assert!(scp.files().is_empty(), "{:?}", scp.files());
}
