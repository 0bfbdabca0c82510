//! Negotiation, statuses, aborts and a slow sender, with pynetdicom as the tester.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use crate::support::node::Node;
use crate::support::object::Object;
use crate::support::process::wait_for;
use crate::support::python::{Scp, python};

const EXPECTED: &str = "\
128 contexts: 128
others beside CT: 1, 3 3 3 3 3
unknown syntax: 4
echo beside it: 0000
preferred: 1.2.840.10008.1.2.1 1.2.840.10008.1.2 1.2.840.10008.1.2.4.80
released: True
nothing taken: rejected False, 3
stored: 0000
other instance: A900
no data set: C000
stored again: 0000
echo after it: 0000
another class than the context's: 0122
malformed instance: 0117
without data set: 0212
C-FIND: 0211
echo after them: 0000
abort idle: True
cut idle: cut
abort after the command: True
cut after the command: cut
abort within the data set: True
cut within the data set: cut
slow: 0000
";

#[test]
fn pynetdicom_is_answered_as_the_standard_says_and_leaves_nothing_half() {
    let node = Node::start(
        "[data]\nkeep = '1h'\n[project.default]\nheader_only = ['1.2.840.10008.5.1.4.1.1.2']\n\
         [destination.folder]\nfolder = 'data/delivered'\n",
    );
    let files = node.home().join("files");
    let file = Object::ct(1).write(&files);
    let said = python("negotiate.py", &[node.port().to_string().as_str(), file.to_str().unwrap()]);
    assert_eq!(said, EXPECTED);
    let standing = node.wait_standing("all is out", |standing| {
        standing.incoming + standing.received + standing.outbox == 0
    });
    assert_eq!(standing.quarantine, 0, "{standing:?}");
    // What comes again is the same instance: while it is kept it goes out once more at most
    // within the window.
    let delivered = node.receipts("delivered");
    assert!((1..=2).contains(&delivered.len()), "{delivered:?}");
    let outputs: BTreeSet<_> =
        delivered.iter().map(|one| one["cleaning"]["output"].to_string()).collect();
    assert_eq!(outputs.len(), 1, "{delivered:?}");
    let log = node.log();
    assert!(!log.contains("fault of the program"), "{}", node.log_tail());
    fs::remove_dir_all(files).unwrap();
}

#[test]
fn a_release_that_crosses_pynetdicoms_ends_in_order_for_both() {
    let node =
        Node::prepare("[project.default]\n[destination.folder]\nfolder = 'data/delivered'\n");
    let scp = Scp::start(&node.home().join("cross"), "CROSS", &["--cross"]);
    let peer = format!("CROSS@127.0.0.1:{}", scp.port);
    node.command(&["echo", &peer]).success();
    let released = || scp.said("released").then_some(());
    wait_for("the end of pynetdicom's side", Duration::from_secs(20), released);
    assert!(scp.said("crossed"), "neither waited for the other");
}
