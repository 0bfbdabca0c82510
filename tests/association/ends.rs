//! How associations begin at their widest, and how they end.

use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use airlock::dicom::TransferSyntax;
use airlock::dimse::Limits;
use airlock::dimse::scu::{Address, Scu};
use tokio::time::Instant;

use crate::{
    APPLICATION, CT, EXPLICIT, Raw, Shelf, data_set, in_thread, pdata, request, start,
    still_serves, store_command,
};

const ABORT: [u8; 10] = [7, 0, 0, 0, 0, 4, 0, 0, 0, 0];
const RELEASE: [u8; 10] = [5, 0, 0, 0, 0, 4, 0, 0, 0, 0];
const RELEASED: [u8; 10] = [6, 0, 0, 0, 0, 4, 0, 0, 0, 0];

/// Where a peer stops.
#[derive(Debug, Clone, Copy)]
enum State {
    Idle,
    AfterTheCommand,
    WithinTheCommand,
    WithinTheDataSet,
    AfterAnInstance,
    AfterAnInstanceAndACommand,
}

const STATES: [State; 6] = [
    State::Idle,
    State::AfterTheCommand,
    State::WithinTheCommand,
    State::WithinTheDataSet,
    State::AfterAnInstance,
    State::AfterAnInstanceAndACommand,
];

fn bring(raw: &mut Raw, state: State) {
    let command = store_command(CT, "1.2");
    match state {
        State::Idle => {}
        State::AfterTheCommand => raw.send(&pdata(1, 3, &command)),
        State::WithinTheCommand => raw.send(&pdata(1, 1, &command[..20])),
        State::WithinTheDataSet => {
            raw.send(&pdata(1, 3, &command));
            raw.send(&pdata(1, 0, &data_set("1.2", 10_000)));
        }
        State::AfterAnInstance | State::AfterAnInstanceAndACommand => {
            raw.send(&pdata(1, 3, &command));
            raw.send(&pdata(1, 2, &data_set("1.2", 100)));
            assert_eq!(raw.status(), 0);
            if matches!(state, State::AfterAnInstanceAndACommand) {
                raw.send(&pdata(1, 3, &command));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_or_an_end_in_each_state_keeps_what_was_answered_and_nothing_else() {
    for ending in [&ABORT[..], &[]] {
        for state in STATES {
            let node = Arc::new(start(Shelf::default()).await);
            let here = Arc::clone(&node);
            in_thread(move || {
                let mut raw = Raw::associated(&here);
                bring(&mut raw, state);
                raw.send(ending);
                raw.0.shutdown(Shutdown::Write).unwrap();
                assert_eq!(raw.rest(), b"", "{state:?}: nobody is left to answer");
            })
            .await;
            still_serves(&node).await;
            let counts = node.shelf.counts.lock().unwrap();
            let kept = matches!(state, State::AfterAnInstance | State::AfterAnInstanceAndACommand);
            assert_eq!(counts.kept.len(), usize::from(kept), "{state:?}");
            assert_eq!(counts.begun, counts.dropped + counts.kept.len(), "{state:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_does_not_close_after_release_or_abort_is_closed() {
    let node = Arc::new(start(Shelf::default()).await);
    let aborts_too = [RELEASE, ABORT].concat().leak();
    for (last_word, answer) in
        [(&RELEASE[..], &RELEASED[..]), (aborts_too, &RELEASED), (&[9, 0, 0, 0, 0, 0], &[7])]
    {
        let here = Arc::clone(&node);
        in_thread(move || {
            let mut raw = Raw::associated(&here);
            raw.send(last_word);
            let said = raw.pdu();
            assert_eq!(said[..answer.len()], *answer, "{said:?}");
            let begun = Instant::now();
            assert_eq!(raw.rest(), b"");
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(3), "{took:?}");
        })
        .await;
    }
    still_serves(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_and_twenty_eight_contexts_are_taken() {
    let node = Arc::new(start(Shelf::default()).await);
    let here = Arc::clone(&node);
    in_thread(move || {
        let contexts: Vec<_> = (0..128).map(|number| (2 * number + 1, CT)).collect();
        let mut raw = Raw::connect(&here);
        raw.send(&request("AIRLOCK", "MODALITY", &contexts));
        let answer = raw.pdu();
        assert_eq!(answer[0], 2);
        // Items of 21H: number, reserved, result, reserved (PS3.8 Table 9-18).
        let (mut taken, mut at) = (0, 74);
        while at + 4 <= answer.len() {
            let bytes = usize::from(u16::from_be_bytes([answer[at + 2], answer[at + 3]]));
            taken += usize::from(answer[at] == 0x21 && answer[at + 6] == 0);
            at += 4 + bytes;
        }
        assert_eq!(taken, 128);
        raw.send(&pdata(255, 3, &store_command(CT, "1.2")));
        raw.send(&pdata(255, 2, &data_set("1.2", 100)));
        assert_eq!(raw.status(), 0);
    })
    .await;
    assert_eq!(node.shelf.counts.lock().unwrap().kept.len(), 1);
}

/// A-ASSOCIATE-AC for one context, as bytes.
fn accepted() -> Vec<u8> {
    let asked = request("AIRLOCK", "MODALITY", &[(1, CT)]);
    let item = |kind: u8, content: &[u8]| {
        let bytes = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[kind, 0, bytes[0], bytes[1]], content].concat()
    };
    let context = [&[1, 0, 0, 0][..], &item(0x40, EXPLICIT.as_bytes())].concat();
    let items = [
        item(0x10, APPLICATION.as_bytes()),
        item(0x21, &context),
        item(0x50, &item(0x51, &16_384_u32.to_be_bytes())),
    ];
    // Version and titles come back as they were sent.
    let body = [&asked[6..74], &items.concat()].concat();
    let bytes = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[2, 0], &bytes[..], &body].concat()
}

/// The peer asks for release in the moment in which we do: the requestor answers first and
/// then waits for its own answer (PS3.8 §9.2, AR-8 and AR-9).
#[tokio::test(flavor = "multi_thread")]
async fn release_requests_that_cross_end_in_two_answers_ours_first() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address {
        called: "AIRLOCK".parse().unwrap(),
        calling: "MODALITY".parse().unwrap(),
        host: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
        tls: None,
    };
    let peer = in_thread(move || {
        let mut raw = Raw(listener.accept().unwrap().0);
        raw.0.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        assert_eq!(raw.pdu()[0], 1);
        raw.send(&accepted());
        assert_eq!(raw.pdu(), RELEASE);
        raw.send(&RELEASE);
        assert_eq!(raw.pdu(), RELEASED, "the requestor answers first");
        raw.send(&RELEASED);
        assert_eq!(raw.rest(), b"", "and closes");
    });
    let contexts =
        vec![(CT.parse().unwrap(), vec![TransferSyntax::new(EXPLICIT.parse().unwrap())])];
    let scu = async {
        let scu = Scu::open(&address, contexts, &Limits::default()).await.unwrap();
        scu.release().await.unwrap();
    };
    tokio::join!(peer, scu);
}
