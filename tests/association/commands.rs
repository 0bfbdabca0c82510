//! Contexts that the door does not take.

use std::sync::Arc;

use airlock::dimse::CommandSet;

use crate::{Node, Raw, Shelf, in_thread, pdata, request, start};

const VERIFICATION: &str = "1.2.840.10008.1.1";
const RELEASE: [u8; 10] = [5, 0, 0, 0, 0, 4, 0, 0, 0, 0];
const RELEASED: [u8; 10] = [6, 0, 0, 0, 0, 4, 0, 0, 0, 0];

/// What modalities ask for beside storage.
const OTHERS: [&str; 6] = [
    "1.2.840.10008.5.1.4.31",        // Modality Worklist
    "1.2.840.10008.3.1.2.3.3",       // MPPS
    "1.2.840.10008.5.1.1.9",         // Basic Grayscale Print Management
    "1.2.840.10008.5.1.4.1.2.2.1",   // Study Root FIND
    "1.2.840.10008.5.1.4.1.1.200.4", // Protocol Approval FIND
    "1.2.840.10008.5.1.4.1.1.201.3", // Inventory MOVE
];

/// Context ids and results of an A-ASSOCIATE-AC (PS3.8 Table 9-18).
fn results(answer: &[u8]) -> Vec<(u8, u8)> {
    assert_eq!(answer[0], 2, "{answer:?}");
    let mut items = &answer[74..];
    let mut results = Vec::new();
    while let [kind, _, high, low, rest @ ..] = items {
        let (item, others) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        if *kind == 0x21 {
            results.push((item[0], item[2]));
        }
        items = others;
    }
    results
}

fn proposing(node: &Node, classes: &[&str]) -> (Raw, Vec<(u8, u8)>) {
    let contexts: Vec<_> = (1..).step_by(2).zip(classes.iter().copied()).collect();
    let mut raw = Raw::connect(node);
    raw.send(&request("AIRLOCK", "MODALITY", &contexts));
    let answer = raw.pdu();
    (raw, results(&answer))
}

#[tokio::test(flavor = "multi_thread")]
async fn contexts_are_refused_one_by_one_and_the_association_stands() {
    let node = Arc::new(start(Shelf::default()).await);
    let here = Arc::clone(&node);
    in_thread(move || {
        let refused = [(1, 3), (3, 3), (5, 3), (7, 3), (9, 3), (11, 3)];
        let (mut raw, answered) = proposing(&here, &OTHERS);
        assert_eq!(answered, refused, "abstract syntax not supported");
        raw.send(&RELEASE);
        assert_eq!(raw.rest(), RELEASED);

        let (mut raw, answered) = proposing(&here, &[&OTHERS[..], &[VERIFICATION]].concat());
        assert_eq!(answered, [&refused[..], &[(13, 0)]].concat());
        raw.send(&pdata(13, 3, &CommandSet::echo_request(1).encode()));
        assert_eq!(raw.status(), 0x0000);
        raw.send(&RELEASE);
        assert_eq!(raw.rest(), RELEASED);
    })
    .await;
}
