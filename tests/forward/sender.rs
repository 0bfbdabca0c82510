//! One sender against a destination that misbehaves: each answer's outcome, and one
//! association for many instances.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use airlock::clean::{Cleaned, Report};
use airlock::dicom::TransferSyntax;
use airlock::dicom::write::{NewMeta, part10_head};
use airlock::dimse::Limits;
use airlock::dimse::scu::{Address, Kind};
use airlock::forward::send::{SendLimits, Sender};
use airlock::forward::{Folder, Outcome};
use airlock::reason::Reason;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use crate::scripted::{Act, CT, EXPLICIT, Event, JPEG, Scripted};

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
    let (bytes, report) = clean_copy(instance, syntax, data);
    let path = dir.join(instance);
    std::fs::write(&path, &bytes).unwrap();
    Cleaned::admit(report, path).unwrap()
}

/// A small CT as a worker would have left it, with its report.
pub(crate) fn clean_copy(instance: &str, syntax: &str, data: &[u8]) -> (Vec<u8>, Report) {
    let meta = NewMeta {
        sop_class: &CT.parse().unwrap(),
        sop_instance: &instance.parse().unwrap(),
        transfer_syntax: &TransferSyntax::new(syntax.parse().unwrap()),
    };
    let bytes = [part10_head(&meta).unwrap(), data.to_vec()].concat();
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
    (bytes, report)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_instances_go_over_one_association_which_is_released_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let peer = Scripted::start(Act::Answer(0)).taking(&[EXPLICIT]);
    let mut sender = Sender::new(peer.address.clone(), limits());
    let data = vec![8_u8; 700_001];
    for n in 1..=20 {
        let item = cleaned(dir.path(), &format!("2.25.{n}"), EXPLICIT, &data);
        assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::Delivered);
    }
    sender.close().await;
    let stores = peer.stores();
    let releases = peer.count(|event| *event == Event::Released);
    assert_eq!((peer.associations(), releases, stores.len()), (1, 1, 20));
    assert!(stores.iter().all(|(_, bytes)| *bytes == data));
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_lead_to_the_outcomes_of_the_table_on_the_same_association() {
    let dir = tempfile::tempdir().unwrap();
    let script = [0xB007, 0xA700, 0x0110, 0xC123, 0x0124, 0].map(Act::Answer);
    let peer = Scripted::start(Act::Answer(0)).then(script);
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
    assert_eq!(peer.associations(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_in_mid_transfer_concerns_the_item_and_a_break_the_destination() {
    let dir = tempfile::tempdir().unwrap();
    let script = [Act::AbortInside, Act::CloseInside, Act::SilentBeforeResponse];
    let peer = Scripted::start(Act::Answer(0)).then(script);
    // After its last byte some of the object is still on its way to the peer.
    let mut limits = limits();
    limits.association.answer = Duration::from_secs(3);
    limits.association.stall = Duration::from_secs(10);
    let mut sender = Sender::new(peer.address.clone(), limits);
    let item = cleaned(dir.path(), "2.25.9", EXPLICIT, &vec![1; 20_000_000]);
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::RetryItem);
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::RetryDestination);
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::RetryDestination);
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::Delivered);
    let stores = peer.stores();
    assert_eq!(stores[0], stores[1], "the same bytes under the same UID");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_association_that_broke_is_replaced_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let peer = Scripted::start(Act::Answer(0)).then([Act::Answer(0), Act::CloseInside]);
    let mut sender = Sender::new(peer.address.clone(), limits());
    let item = cleaned(dir.path(), "2.25.9", EXPLICIT, b"data");
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::Delivered);
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::Delivered);
    assert_eq!(peer.associations(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn transfer_syntaxes_that_are_not_taken_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let jpeg = cleaned(dir.path(), "2.25.9", JPEG, b"data");
    let recoded = Scripted::start(Act::Answer(0)).taking(&[EXPLICIT]);
    let mut sender = Sender::new(recoded.address.clone(), limits());
    let explicit = TransferSyntax::new(EXPLICIT.parse().unwrap());
    assert_eq!(sender.deliver(&jpeg, &[], 1).await, Outcome::OtherSyntaxNeeded(explicit.clone()));

    let none = Scripted::start(Act::Answer(0)).taking(&["1.2.840.10008.1.2.5"]);
    let mut sender = Sender::new(none.address.clone(), limits());
    let outcome = sender.deliver(&jpeg, &[], 1).await;
    assert!(matches!(outcome, Outcome::Quarantine(q) if q.reason == Reason::NoTransferSyntax));

    // Kinds that wait are proposed together: no second association for them.
    let both = Scripted::start(Act::Answer(0)).taking(&[EXPLICIT, JPEG]);
    let mut sender = Sender::new(both.address.clone(), limits());
    let waiting = [Kind { class: CT.parse().unwrap(), transfer_syntax: explicit }];
    let native = cleaned(dir.path(), "2.25.10", EXPLICIT, b"data");
    assert_eq!(sender.deliver(&jpeg, &waiting, 1).await, Outcome::Delivered);
    assert_eq!(sender.deliver(&native, &[], 1).await, Outcome::Delivered);
    assert_eq!(both.associations(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_or_unwilling_destination_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let item = cleaned(dir.path(), "2.25.9", EXPLICIT, b"data");
    let peer = Scripted::start(Act::Answer(0)).taking(&[EXPLICIT]);
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
    let peer = Scripted::start(Act::Answer(0)).taking(&[EXPLICIT]);
    let mut sender = Sender::new(peer.address.clone(), limits());
    let item = cleaned(dir.path(), "2.25.9", EXPLICIT, b"data");
    let gone = cleaned(dir.path(), "2.25.10", EXPLICIT, b"data");
    std::fs::remove_file(gone.path()).unwrap();
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::Delivered);
    let outcome = sender.deliver(&gone, &[], 1).await;
    assert!(matches!(outcome, Outcome::Quarantine(q) if q.reason == Reason::DamagedSpool));
    assert_eq!(sender.deliver(&item, &[], 1).await, Outcome::Delivered);
    assert_eq!(peer.associations(), 1);
    let folder = Folder::new(dir.path().join("out"), Arc::new(airlock::disk::RealDisk));
    assert_eq!(folder.deliver(&item), Outcome::Delivered);
}
