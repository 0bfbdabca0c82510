//! Cleaned instances on their way to a DICOM node that misbehaves.
//!
//! Goal: every answer of a destination leads to the outcome that the table
//! names, and one association serves many instances.
//! Method: a scripted Storage SCP on loopback; it notes how many associations
//! it had and what it received.

#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use airlock::clean::{Cleaned, Report};
use airlock::dicom::write::{NewMeta, part10_head};
use airlock::dicom::{TransferSyntax, Uid};
use airlock::dimse::association::acceptor::receive_request;
use airlock::dimse::association::negotiation::{Offer, Rejection};
use airlock::dimse::command::Remark;
use airlock::dimse::scu::{Address, Kind};
use airlock::dimse::{Association, AssociationError, Limits};
use airlock::forward::send::{SendLimits, Sender};
use airlock::forward::{Folder, Outcome};
use airlock::reason::Reason;
use dicom_ul::pdu::AbortRQSource;
use sha2::{Digest as _, Sha256};
use tokio::net::{TcpListener, TcpStream};

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const JPEG: &str = "1.2.840.10008.1.2.4.50";

/// What the peer does with the next C-STORE.
#[derive(Debug, Clone, Copy)]
enum Act {
    Answer(u16),
    AbortAfterFirstPiece,
    CloseAfterFirstPiece,
    /// Reads everything and never answers.
    Silence,
}

#[derive(Default)]
struct Seen {
    associations: usize,
    releases: usize,
    received: Vec<(String, Vec<u8>)>,
}

/// Takes CT in the syntaxes it was given.
struct Takes(Vec<&'static str>);

impl Offer for Takes {
    fn takes_class(&self, class: &Uid) -> bool {
        [CT, "1.2.840.10008.1.1"].contains(&class.as_str())
    }

    fn rank(&self, transfer_syntax: &TransferSyntax) -> Option<u32> {
        self.0.contains(&transfer_syntax.as_str()).then_some(0)
    }
}

struct Peer {
    address: Address,
    seen: Arc<Mutex<Seen>>,
}

async fn peer(script: Vec<Act>, syntaxes: Vec<&'static str>) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address {
        called: "RESEARCH".parse().unwrap(),
        calling: "AIRLOCK".parse().unwrap(),
        host: "localhost".into(),
        port: listener.local_addr().unwrap().port(),
        tls: None,
    };
    let seen = Arc::new(Mutex::new(Seen::default()));
    let script = Arc::new(Mutex::new(script.into_iter()));
    let here = Arc::clone(&seen);
    tokio::spawn(async move {
        let offer = Takes(syntaxes);
        loop {
            let (stream, _from) = listener.accept().await.unwrap();
            let pending = receive_request(stream, &Limits::default()).await.unwrap();
            if pending.peer().called.as_str() != "RESEARCH" {
                pending.reject(Rejection::CalledAe).await;
                continue;
            }
            here.lock().unwrap().associations += 1;
            let association = pending.accept(&offer).await.unwrap();
            act(association, &script, &here).await;
        }
    });
    Peer { address, seen }
}

async fn act(
    mut association: Association<TcpStream>,
    script: &Mutex<std::vec::IntoIter<Act>>,
    seen: &Mutex<Seen>,
) {
    loop {
        let message = match association.next_command(Duration::from_secs(5)).await {
            Ok(Some(message)) => message,
            Ok(None) => {
                seen.lock().unwrap().releases += 1;
                return association.accept_release().await;
            }
            Err(error) => return association.fail(&error).await,
        };
        let next = script.lock().unwrap().next();
        let act = next.unwrap_or(Act::Answer(0));
        let mut bytes = Vec::new();
        while message.command.has_data_set() {
            let piece = association.next_piece(message.context_id).await;
            let piece = piece.map(|piece| (piece.bytes.to_vec(), piece.is_last));
            let (part, is_last) = match piece {
                Ok(piece) => piece,
                Err(error) => return association.fail(&error).await,
            };
            bytes.extend(part);
            match act {
                Act::AbortAfterFirstPiece => {
                    return association.abort(AbortRQSource::ServiceUser).await;
                }
                Act::CloseAfterFirstPiece => return,
                Act::Answer(_) | Act::Silence => {}
            }
            if is_last {
                break;
            }
        }
        if let Some(instance) = message.command.instance() {
            seen.lock().unwrap().received.push((instance.to_string(), bytes));
        }
        let Act::Answer(status) = act else {
            // Until the other side gives up.
            let _ended: Result<_, AssociationError> =
                association.next_command(Duration::from_secs(9)).await;
            return;
        };
        let answer = message.command.response(status, Remark::default());
        association.send_command(message.context_id, &answer).await.unwrap();
    }
}

fn limits() -> SendLimits {
    let association = Limits {
        artim: Duration::from_millis(400),
        stall: Duration::from_millis(400),
        answer: Duration::from_millis(400),
        connect: Duration::from_millis(400),
        ..Limits::default()
    };
    SendLimits { idle_release: Duration::from_millis(50), association }
}

fn cleaned(dir: &Path, instance: &str, syntax: &str, data: &[u8]) -> Cleaned {
    let meta = NewMeta {
        sop_class: &CT.parse().unwrap(),
        sop_instance: &instance.parse().unwrap(),
        transfer_syntax: &TransferSyntax::new(syntax.parse().unwrap()),
    };
    let bytes = [part10_head(&meta).unwrap(), data.to_vec()].concat();
    let path = dir.join(instance);
    std::fs::write(&path, &bytes).unwrap();
    let report = Report {
        output_digest: Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect(),
        output_bytes: u64::try_from(bytes.len()).unwrap(),
        sop_class: CT.into(),
        sop_instance: instance.into(),
        series_instance: "2.25.2".into(),
        study_instance: "2.25.1".into(),
        patient_code: "CODE-1".into(),
        transfer_syntax_out: syntax.into(),
        ..Report::default()
    };
    Cleaned::admit(report, path).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_instances_go_over_one_association_which_is_released_when_idle() {
    let dir = tempfile::tempdir().unwrap();
    let peer = peer(vec![], vec![EXPLICIT]).await;
    let mut sender = Sender::new(peer.address.clone(), limits());
    let data = vec![8_u8; 700_001];
    for n in 1..=20 {
        let item = cleaned(dir.path(), &format!("2.25.{n}"), EXPLICIT, &data);
        assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::Delivered);
    }
    sender.idle().await;
    let seen = peer.seen.lock().unwrap();
    assert_eq!((seen.associations, seen.releases, seen.received.len()), (1, 1, 20));
    assert!(seen.received.iter().all(|(_, bytes)| *bytes == data));
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_lead_to_the_outcomes_of_the_table_on_the_same_association() {
    let dir = tempfile::tempdir().unwrap();
    let script = [0xB007, 0xA700, 0x0110, 0xC123, 0x0124, 0].map(Act::Answer);
    let peer = peer(script.into(), vec![EXPLICIT]).await;
    let mut sender = Sender::new(peer.address.clone(), limits());
    let item = cleaned(dir.path(), "2.25.9", EXPLICIT, b"data");
    let mut outcomes = Vec::new();
    for _ in 0..6 {
        outcomes.push(sender.deliver(&item, &[], 1).await);
    }
    assert!(
        matches!(&outcomes[3], Outcome::Quarantine(q) if q.reason == Reason::RefusedByDestination)
    );
    outcomes.remove(3);
    assert_eq!(
        outcomes,
        [
            Outcome::DeliveredWithWarning(0xB007),
            Outcome::RetryDestination,
            Outcome::RetryItem,
            Outcome::PauseDestination,
            Outcome::Delivered,
        ]
    );
    assert_eq!(peer.seen.lock().unwrap().associations, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_in_mid_transfer_concerns_the_item_and_a_break_the_destination() {
    let dir = tempfile::tempdir().unwrap();
    let script = vec![Act::AbortAfterFirstPiece, Act::CloseAfterFirstPiece, Act::Silence];
    let peer = peer(script, vec![EXPLICIT]).await;
    let mut sender = Sender::new(peer.address.clone(), limits());
    let item = cleaned(dir.path(), "2.25.9", EXPLICIT, &vec![1; 20_000_000]);
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::RetryItem);
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::RetryDestination);
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::RetryDestination);
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::Delivered);
    let seen = peer.seen.lock().unwrap();
    assert_eq!(seen.received[0], seen.received[1], "the same bytes under the same UID");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_association_that_broke_is_replaced_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let peer = peer(vec![Act::Answer(0), Act::CloseAfterFirstPiece], vec![EXPLICIT]).await;
    let mut sender = Sender::new(peer.address.clone(), limits());
    let item = cleaned(dir.path(), "2.25.9", EXPLICIT, b"data");
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::Delivered);
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::Delivered);
    assert_eq!(peer.seen.lock().unwrap().associations, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn transfer_syntaxes_that_are_not_taken_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let jpeg = cleaned(dir.path(), "2.25.9", JPEG, b"data");
    let recoded = peer(vec![], vec![EXPLICIT]).await;
    let mut sender = Sender::new(recoded.address.clone(), limits());
    let explicit = TransferSyntax::new(EXPLICIT.parse().unwrap());
    assert_eq!(sender.deliver(&jpeg, &[], 1).await, Outcome::OtherSyntaxNeeded(explicit.clone()));

    let none = peer(vec![], vec!["1.2.840.10008.1.2.5"]).await;
    let mut sender = Sender::new(none.address.clone(), limits());
    let outcome = sender.deliver(&jpeg, &[], 1).await;
    assert!(matches!(outcome, Outcome::Quarantine(q) if q.reason == Reason::NoTransferSyntax));

    // Kinds that wait are proposed together: no second association for them.
    let both = peer(vec![], vec![EXPLICIT, JPEG]).await;
    let mut sender = Sender::new(both.address.clone(), limits());
    let waiting = [Kind { class: CT.parse().unwrap(), transfer_syntax: explicit }];
    let native = cleaned(dir.path(), "2.25.10", EXPLICIT, b"data");
    assert_eq!(sender.deliver(&jpeg, &waiting, 1).await, Outcome::Delivered);
    assert_eq!(sender.deliver(&native, &[], 1).await, Outcome::Delivered);
    assert_eq!(both.seen.lock().unwrap().associations, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_or_unwilling_destination_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let item = cleaned(dir.path(), "2.25.9", EXPLICIT, b"data");
    let peer = peer(vec![], vec![EXPLICIT]).await;
    let wrong = Address { called: "OTHER".parse().unwrap(), ..peer.address.clone() };
    let mut sender = Sender::new(wrong, limits());
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::PauseDestination);
    assert_eq!(Sender::new(peer.address.clone(), limits()).echo().await.ok(), None, "no Implicit");

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let absent = Address { port: closed, ..peer.address.clone() };
    let mut sender = Sender::new(absent, limits());
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::RetryDestination);
    let nowhere = Address { host: "no-such-host.invalid".into(), ..peer.address.clone() };
    let mut sender = Sender::new(nowhere, limits());
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::RetryDestination);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_file_that_is_gone_is_quarantined_and_the_association_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let peer = peer(vec![], vec![EXPLICIT]).await;
    let mut sender = Sender::new(peer.address.clone(), limits());
    let item = cleaned(dir.path(), "2.25.9", EXPLICIT, b"data");
    let gone = cleaned(dir.path(), "2.25.10", EXPLICIT, b"data");
    std::fs::remove_file(gone.path()).unwrap();
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::Delivered);
    let outcome = sender.deliver(&gone, &[], 1).await;
    assert!(matches!(outcome, Outcome::Quarantine(q) if q.reason == Reason::DamagedSpool));
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::Delivered);
    assert_eq!(peer.seen.lock().unwrap().associations, 1);
    let folder = Folder::new(dir.path().join("out"), Arc::new(airlock::disk::RealDisk));
    assert_eq!(folder.deliver(&item), Outcome::Delivered);
}
