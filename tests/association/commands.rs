//! Commands that the door does not act on, and contexts that it does not take.

use std::sync::Arc;

use airlock::dimse::CommandSet;
use airlock::dimse::command::C_CANCEL_RQ;

use crate::{CT, Node, Raw, Shelf, data_set, in_thread, pdata, request, start, store_command};

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

/// C-CANCEL-RQ of message 1 (PS3.7 Table 9.3-5), it names no class.
fn cancel() -> Vec<u8> {
    let element = |number: u16, value: u16| {
        let mut bytes = vec![0, 0];
        bytes.extend(number.to_le_bytes());
        bytes.extend([2, 0, 0, 0]);
        bytes.extend(value.to_le_bytes());
        bytes
    };
    let rest = [element(0x0100, C_CANCEL_RQ), element(0x0120, 1), element(0x0800, 0x0101)].concat();
    let mut command = vec![0, 0, 0, 0, 4, 0, 0, 0];
    command.extend(u32::try_from(rest.len()).unwrap().to_le_bytes());
    command.extend(rest);
    command
}

/// A request of this command field, without a data set.
fn bare(field: u16) -> Vec<u8> {
    let mut command = CommandSet::echo_request(7).encode();
    let at = command.windows(4).position(|part| part == [0, 0, 0, 1]).unwrap() + 8;
    command[at..at + 2].copy_from_slice(&field.to_le_bytes());
    command
}

fn store(raw: &mut Raw, instance: &str) {
    raw.send(&pdata(1, 3, &store_command(CT, instance)));
    raw.send(&pdata(1, 2, &data_set(instance, 100)));
    assert_eq!(raw.status(), 0x0000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_has_no_response_and_an_unknown_command_is_refused_and_storing_goes_on() {
    let node = Arc::new(start(Shelf::default()).await);
    let here = Arc::clone(&node);
    in_thread(move || {
        let mut raw = Raw::associated(&here);
        store(&mut raw, "1.1");
        // Were it answered, the next status read would be that answer's.
        raw.send(&pdata(1, 3, &cancel()));
        store(&mut raw, "1.2");
        // C-GET, C-FIND, C-MOVE, N-GET, N-CREATE, and one that nobody has defined.
        for field in [0x0010, 0x0020, 0x0021, 0x0110, 0x0140, 0x0777] {
            raw.send(&pdata(1, 3, &bare(field)));
            let answer = CommandSet::decode(&raw.pdu()[12..]).unwrap();
            assert_eq!(answer.field(), field | 0x8000);
            assert_eq!(
                (answer.status(), answer.responded_to()),
                (Ok(0x0211), Ok(7)),
                "{field:04X}"
            );
        }
        store(&mut raw, "1.3");
        // Before a message ends nothing is pending either: its C-STORE is what is stored.
        raw.send(&[pdata(1, 3, &cancel()), pdata(1, 3, &store_command(CT, "1.4"))].concat());
        raw.send(&pdata(1, 2, &data_set("1.4", 100)));
        assert_eq!(raw.status(), 0x0000);
        raw.send(&RELEASE);
        assert_eq!(raw.rest(), RELEASED);
    })
    .await;
    let counts = node.shelf.counts.lock().unwrap();
    let kept: Vec<_> =
        counts.kept.iter().map(|(arrival, _)| arrival.sop_instance.as_str().to_owned()).collect();
    assert_eq!(kept, ["1.1", "1.2", "1.3", "1.4"]);
}

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
