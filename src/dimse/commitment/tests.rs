//! Data sets read as written, and messages that do not fit, over memory.

use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{DuplexStream, duplex};

use super::*;
use crate::dimse::association::acceptor::receive_request as association_request;
use crate::dimse::association::negotiation::Offer;
use crate::dimse::association::requestor::{Proposal, propose};
use crate::dimse::limits::Limits;

fn reference(number: usize) -> Reference {
    Reference {
        class: "1.2.840.10008.5.1.4.1.1.2".parse().unwrap(),
        instance: format!("2.25.{number}").parse().unwrap(),
    }
}

fn report() -> Report {
    Report {
        transaction: "2.25.77".parse().unwrap(),
        committed: vec![reference(1), reference(2)],
        failed: vec![(reference(3), NO_SUCH_INSTANCE)],
    }
}

#[test]
fn both_data_sets_are_read_as_they_were_written() {
    for explicit_vr in [true, false] {
        let request = Request {
            transaction: "2.25.77".parse().unwrap(),
            references: (0..500).map(reference).collect(),
        };
        let bytes = request.encode(explicit_vr).unwrap();
        assert_eq!(Request::decode(&bytes, explicit_vr), Ok(request));
        let bytes = report().encode(explicit_vr).unwrap();
        assert_eq!(Report::decode(&bytes, explicit_vr), Ok(report()));
    }
    assert_eq!(report().event(), SOME_FAILED);
    assert_eq!(Report { failed: Vec::new(), ..report() }.event(), ALL_COMMITTED);
}

#[test]
fn data_sets_without_their_uids_are_refused_and_nothing_panics() {
    let bytes = report().encode(true).unwrap();
    for end in 0..bytes.len() {
        // Cut between elements it may be read; a cut one is refused.
        drop(Report::decode(&bytes[..end], true));
    }
    for garbage in [&b""[..], b"\0", &[0xFF; 64]] {
        assert_eq!(Report::decode(garbage, true), Err(Refusal::Unreadable), "{garbage:?}");
        assert_eq!(Request::decode(garbage, false), Err(Refusal::Unreadable));
    }
    let nothing = Request { transaction: "2.25.1".parse().unwrap(), references: Vec::new() };
    let bytes = nothing.encode(true).unwrap();
    assert_eq!(Request::decode(&bytes, true), Err(Refusal::Unreadable));
    let many = Request { references: (0..20_001).map(reference).collect(), ..nothing };
    assert_eq!(Request::decode(&many.encode(true).unwrap(), true), Err(Refusal::TooLong));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for explicit_vr in [true, false] {
            if let Ok(report) = Report::decode(&bytes, explicit_vr) {
                prop_assert!(report.committed.len() + report.failed.len() < 300);
            }
            drop(Request::decode(&bytes, explicit_vr));
        }
    }
}

#[test]
fn comments_fit_their_element() {
    for refusal in Refusal::ALL {
        assert!((1..=64).contains(&refusal.comment().len()), "{refusal:?}");
        assert_ne!(refusal.status(), status::SUCCESS);
    }
}

struct TakesIt;

impl Offer for TakesIt {
    fn takes_class(&self, _class: &Uid) -> bool {
        true
    }

    fn rank(&self, _transfer_syntax: &TransferSyntax) -> Option<u32> {
        Some(0)
    }
}

async fn pair() -> (Association<DuplexStream>, Association<DuplexStream>) {
    let (near, far) = duplex(1 << 20);
    let accepting = tokio::spawn(async move {
        association_request(far, &Limits::default()).await.unwrap().accept(&TakesIt).await.unwrap()
    });
    let proposal = Proposal {
        called: "AIRLOCK".parse().unwrap(),
        calling: "PACS".parse().unwrap(),
        contexts: contexts(),
        provides: vec![Uid::constant(PUSH_MODEL)],
    };
    let (requestor, refused) = propose(near, &proposal, &Limits::default()).await.unwrap();
    assert!(refused.is_empty(), "{refused:?}");
    (requestor, accepting.await.unwrap())
}

/// What the far side makes of a command with this data set.
async fn told(
    pair: &mut (Association<DuplexStream>, Association<DuplexStream>),
    command: CommandSet,
    bytes: &[u8],
) -> Result<(), Refusal> {
    let (near, far) = pair;
    near.send_command(1, &command).await.unwrap();
    let with_data_set = command.has_data_set();
    let sending = async {
        if with_data_set {
            let bytes_count = u64::try_from(bytes.len()).unwrap();
            let mut outgoing = Outgoing { reader: bytes, bytes: bytes_count };
            near.send_data_set(1, &mut outgoing).await.unwrap();
        }
    };
    let receiving = async {
        let message = far.next_command(Duration::from_secs(5)).await.unwrap().unwrap();
        let outcome = if command.field() == N_ACTION_RQ {
            receive_request(far, &message).await.unwrap().map(drop)
        } else {
            receive_report(far, &message).await.unwrap().map(drop)
        };
        respond(far, &message, outcome).await.unwrap();
        outcome
    };
    let ((), outcome) = tokio::join!(sending, receiving);
    let answer = near.next_command(Duration::from_secs(5)).await.unwrap().unwrap().command;
    assert_eq!(answer.status().unwrap(), outcome.map_or_else(Refusal::status, |()| 0));
    assert_eq!(answer.instance().as_ref().map(Uid::as_str), command_instance(&command));
    outcome
}

fn command_instance(command: &CommandSet) -> Option<&'static str> {
    let named = command.instance().or_else(|| command.requested_instance())?;
    [PUSH_MODEL_INSTANCE, "1.2.3"].into_iter().find(|known| *known == named.as_str())
}

#[tokio::test]
async fn messages_that_are_not_the_services_are_refused_each_with_its_status() {
    let mut pair = pair().await;
    let good = report().encode(true).unwrap();
    let event = |kind| CommandSet::n_request(N_EVENT_REPORT_RQ, 1, kind);
    assert_eq!(told(&mut pair, event(SOME_FAILED), &good).await, Ok(()));
    assert_eq!(told(&mut pair, event(3), &good).await, Err(Refusal::OtherEvent));
    assert_eq!(told(&mut pair, event(1), b"nonsense").await, Err(Refusal::Unreadable));
    let long = vec![0; DATA_SET_BYTES_MAX + 2];
    assert_eq!(told(&mut pair, event(1), &long).await, Err(Refusal::TooLong));
    let action = |kind| CommandSet::n_request(N_ACTION_RQ, 1, kind);
    let request =
        Request { transaction: "2.25.7".parse().unwrap(), references: vec![reference(1)] };
    let request = request.encode(true).unwrap();
    assert_eq!(told(&mut pair, action(REQUEST), &request).await, Ok(()));
    assert_eq!(told(&mut pair, action(2), &request).await, Err(Refusal::OtherAction));
    // C-STORE's command names other UIDs, and none of the two types.
    let (class, instance) = (Uid::constant(PUSH_MODEL), "1.2.3".parse().unwrap());
    let other = CommandSet::store_request(1, &class, &instance);
    assert_eq!(told(&mut pair, other, &good).await, Err(Refusal::OtherInstance));
    let instance = Uid::constant(PUSH_MODEL_INSTANCE);
    let other = CommandSet::store_request(1, &Uid::constant("1.2.4"), &instance);
    assert_eq!(told(&mut pair, other, &good).await, Err(Refusal::OtherClass));
    assert_eq!(told(&mut pair, CommandSet::echo_request(1), &[]).await, Err(Refusal::NoDataSet));
    // After all that the association still works.
    assert_eq!(told(&mut pair, event(SOME_FAILED), &good).await, Ok(()));
}
