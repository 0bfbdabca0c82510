//! A destination that answers 0111 (Duplicate SOP Instance), with pynetdicom as such.

use std::time::Duration;

use crate::support::dcmtk::dcmsend;
use crate::support::node::Node;
use crate::support::object::{CT, Object};
use crate::support::process::wait_for;
use crate::support::python::Scp;

/// Longer than an instance waits after an abort (30 s, a fifth more by its spread).
const WAIT_MAX: Duration = Duration::from_secs(120);

fn node(options: &[&str]) -> (Node, Scp, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let scp = Scp::start(&home.path().join("pacs"), "PACS", options);
    let node = Node::start(&format!(
        "[project.default]\nheader_only = ['{CT}']\n[destination.pacs]\nae_title = 'PACS'\n\
         host = '127.0.0.1'\nport = {}\n",
        scp.port
    ));
    (node, scp, home)
}

fn send(node: &Node, object: Object) {
    dcmsend("AIRLOCK", node.port(), &[object.write(&node.home().join("in"))]).success();
}

#[test]
fn what_the_destination_has_from_elsewhere_is_set_aside() {
    let (mut node, scp, _home) = node(&["--answer", "0111"]);
    send(&node, Object::ct(1));
    wait_for("quarantine", WAIT_MAX, || (node.standing().quarantine == 1).then_some(()));
    let aside = node.quarantined().remove(0);
    assert_eq!(aside["reason"], "refused-by-destination");
    assert!(aside["detail"].as_str().unwrap().contains("nothing tells"), "{aside}");
    assert_eq!((scp.answers().len(), node.receipts("delivered").len()), (1, 0));

    // Also when it is released after a restart and nobody has removed the other one there.
    let id = aside["id"].as_str().unwrap().to_owned();
    node.stop();
    node.start_again();
    node.command(&["quarantine", "release", &id]).success();
    wait_for("the second answer", WAIT_MAX, || (scp.answers().len() == 2).then_some(()));
    wait_for("quarantine", WAIT_MAX, || (node.standing().quarantine == 1).then_some(()));
    assert_eq!(node.receipts("delivered").len(), 0);
}

#[test]
fn what_may_have_arrived_before_an_abort_is_delivered() {
    let (node, scp, _home) = node(&["--abort-at", "1", "--answer", "0111"]);
    send(&node, Object::ct(1));
    wait_for("a receipt", WAIT_MAX, || node.receipts("delivered").pop());
    assert_eq!(node.receipts("delivered")[0]["status"], 0x0111);
    assert_eq!((node.settle().quarantine, scp.answers().len()), (0, 1));
}

#[test]
fn a_correction_that_the_destination_does_not_take_is_set_aside() {
    let (node, scp, _home) = node(&["--answer", "0000,0111"]);
    send(&node, Object::ct(1));
    wait_for("a receipt", WAIT_MAX, || node.receipts("delivered").pop());
    send(&node, Object::ct(1).text((0x0018, 0x0015), "CS", "KNEE"));
    wait_for("quarantine", WAIT_MAX, || (node.standing().quarantine == 1).then_some(()));
    let aside = &node.quarantined()[0];
    assert!(aside["detail"].as_str().unwrap().contains("keeps what was sent"), "{aside}");
    assert_eq!((scp.answers().len(), node.receipts("delivered").len()), (2, 1));
}
