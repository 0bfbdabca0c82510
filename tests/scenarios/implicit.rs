//! A sender that knows Implicit VR Little Endian alone, with private and UN elements: what
//! leaves is what leaves of a sender that knows Explicit VR.

use std::fs;

use crate::support::files::files_below;
use crate::support::node::Node;
use crate::support::python::python;

const CONFIGURATION: &str = "[project.default]\nprofile = 'tcia'\n\
                             header_only = ['1.2.840.10008.5.1.4.1.1.2']\n";
/// As `implicit.py` prints them.
const STAYS: &str = "00180050 1.5; 00180060 120; 00080060 CT; 70531000 0.0015; 70531009 2.5\n";

#[test]
fn of_an_implicit_only_sender_the_same_leaves_as_of_an_explicit_one() {
    let implicit = Node::start(CONFIGURATION);
    sends(&implicit, "implicit");
    let mut explicit = Node::prepare(CONFIGURATION);
    crate::at_rest::with_key(&explicit, &implicit);
    explicit.start_again();
    sends(&explicit, "explicit");
    let delivered = [&implicit, &explicit].map(|node| node.data().join("delivered"));
    let [one, other] = delivered.each_ref().map(|folder| folder.as_os_str());
    let said = python("implicit.py", &["differ".as_ref(), one, other]);
    assert_eq!(said, format!("1 differ:\n{STAYS}2 differ:\n{STAYS}"));
}

/// Both instances are taken and delivered, and nothing in them is the patient's.
fn sends(node: &Node, syntax: &str) {
    let said = python("implicit.py", &["send", &node.port().to_string(), syntax]);
    assert_eq!(said, "1: 0000\n2: 0000\n", "{syntax}");
    assert_eq!(node.settle().quarantine, 0, "{syntax}: {:?}", node.quarantined());
    assert_eq!(node.delivered().len(), 2, "{syntax}");
    for file in files_below(&node.data().join("delivered")) {
        let bytes = fs::read(file).unwrap();
        let shows = |canary: &[u8]| bytes.windows(canary.len()).any(|part| part == canary);
        assert!(!shows(b"Kanarienvogel") && !shows(b"CANARY-4711"), "{syntax}");
    }
}
