//! An hour of simulated time on one association: carts send as they acquire.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{DuplexStream, duplex};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::classes::SenderOffer;
use super::serve::{Ending, Phase, converse};
use super::session::{Caller, Session, Tally};
use super::*;
use crate::dimse::association::Outgoing;
use crate::dimse::association::acceptor::receive_request;
use crate::dimse::association::requestor::{Proposal, propose};
use crate::dimse::command::CommandSet;
use crate::dimse::pdu::PduError;
use crate::dimse::{Association, AssociationError, Limits};

const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const US: &str = "1.2.840.10008.5.1.4.1.1.6.1";
const MINUTE: Duration = Duration::from_secs(60);

/// SOP Instance UIDs and what was kept of each.
type Kept = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

#[derive(Default)]
struct Shelf(Kept);

struct OnShelf(Kept, String, Vec<u8>);

impl Store for Shelf {
    fn begin(&self, arrival: &Arrival) -> Result<Box<dyn Incoming>, StoreError> {
        let name = arrival.sop_instance.as_str().to_owned();
        Ok(Box::new(OnShelf(Arc::clone(&self.0), name, Vec::new())))
    }
}

impl Incoming for OnShelf {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.2.extend_from_slice(bytes);
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.0.lock().unwrap().push((self.1, self.2));
        Ok(())
    }
}

struct Everybody;

impl Admission for Everybody {
    fn admit(
        &self,
        _called: &AeTitle,
        _calling: &AeTitle,
        _peer: IpAddr,
        _secured: &Secured,
    ) -> Result<Admitted, Refusal> {
        Ok(Admitted { project: "trial".into(), policy: SenderPolicy::default() })
    }
}

/// A cart's association with a door that treats it so; what was kept, and how it ended.
async fn cart(
    policy: SenderPolicy,
) -> (Association<DuplexStream>, Kept, tokio::task::JoinHandle<Ending>) {
    let (near, far) = duplex(1 << 20);
    let shelf = Arc::default();
    let kept = Arc::clone(&shelf);
    let serving = tokio::spawn(async move {
        let limits = AcceptLimits::default();
        let door = Door {
            admission: Arc::new(Everybody),
            store: Arc::new(Shelf(shelf)),
            commitments: None,
            offer: StorageOffer { private_classes: false },
            room: Room::new(&limits),
            limits,
        };
        let pending = receive_request(far, &door.limits.association).await.unwrap();
        let caller = Caller {
            admitted: Admitted { project: "trial".into(), policy },
            calling: pending.peer().calling.clone(),
            called: pending.peer().called.clone(),
            peer: [127, 0, 0, 1].into(),
        };
        let offer = SenderOffer { door: door.offer, policy: &caller.admitted.policy };
        let mut association = pending.accept(&offer).await.unwrap();
        let mut tally = Tally::default();
        let mut session =
            Session { door: &door, caller: &caller, tally: &mut tally, owed: Vec::new() };
        let (_open, mut phases) = watch::channel(Phase::Open);
        let ending = converse(&mut association, &mut session, &mut phases).await;
        if let Ending::Released = ending {
            association.accept_release().await;
        }
        ending
    });
    let proposal = Proposal {
        provides: Vec::new(),
        called: "AIRLOCK".parse().unwrap(),
        calling: "CART".parse().unwrap(),
        contexts: vec![(US.parse().unwrap(), vec![TransferSyntax::new(EXPLICIT.parse().unwrap())])],
    };
    let (association, _) = propose(near, &proposal, &Limits::default()).await.unwrap();
    (association, kept, serving)
}

fn data_set(instance: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    // SOP Class and SOP Instance UID, and Study Instance UID, that of the instance but for
    // its last component.
    let study = instance.rsplit_once('.').unwrap().0;
    for (group, element, uid) in [(8, 0x16, US), (8, 0x18, instance), (0x20, 0x0D, study)] {
        let padded = uid.len() + uid.len() % 2;
        bytes.extend([group, 0, element, 0, b'U', b'I', u8::try_from(padded).unwrap(), 0]);
        bytes.extend(uid.bytes());
        bytes.resize(bytes.len() + uid.len() % 2, 0);
    }
    bytes
}

async fn store(scu: &mut Association<DuplexStream>, instance: &str) -> Option<u16> {
    let bytes = data_set(instance);
    let (class, uid) = (US.parse().unwrap(), instance.parse().unwrap());
    let request = CommandSet::store_request(scu.next_message_id(), &class, &uid);
    scu.send_command(1, &request).await.ok()?;
    let mut outgoing = Outgoing { bytes: bytes.len() as u64, reader: bytes.as_slice() };
    scu.send_data_set(1, &mut outgoing).await.ok()?;
    scu.next_command(MINUTE).await.ok()??.command.status().ok()
}

#[tokio::test(start_paused = true)]
async fn an_image_every_ten_minutes_for_an_hour_of_two_studies_is_kept_as_it_comes() {
    let (mut scu, kept, serving) = cart(SenderPolicy::default()).await;
    let begun = Instant::now();
    for image in 1..=6 {
        let instance = format!("1.2.{}.{image}", image / 4);
        assert_eq!(store(&mut scu, &instance).await, Some(0), "image {image}");
        assert_eq!(kept.lock().unwrap().len(), image);
        sleep(10 * MINUTE).await;
    }
    assert!(begun.elapsed() >= 60 * MINUTE);
    scu.release().await.unwrap();
    assert!(matches!(serving.await.unwrap(), Ending::Released));
    let kept = kept.lock().unwrap();
    let studies: Vec<_> = kept.iter().map(|(name, _)| name.rsplit_once('.').unwrap().0).collect();
    assert_eq!(studies, ["1.2.0", "1.2.0", "1.2.0", "1.2.1", "1.2.1", "1.2.1"]);
    for (name, bytes) in kept.iter() {
        assert!(bytes.ends_with(&data_set(name)), "{name} is kept as it came");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_an_association_after_its_sender_s_time_and_keeps_what_came() {
    let (mut scu, kept, serving) = cart(SenderPolicy::default()).await;
    assert_eq!(store(&mut scu, "1.2.1").await, Some(0));
    sleep(14 * MINUTE).await;
    assert_eq!(store(&mut scu, "1.2.2").await, Some(0));
    sleep(16 * MINUTE).await;
    assert_eq!(store(&mut scu, "1.2.3").await, None);
    let Ending::Failed(AssociationError::Pdu(PduError::TimedOut { seconds, .. })) =
        serving.await.unwrap()
    else {
        panic!("the silence was not noticed")
    };
    assert_eq!((seconds, kept.lock().unwrap().len()), (15 * 60, 2));

    let patient = SenderPolicy { idle: Some(120 * MINUTE), ..SenderPolicy::default() };
    let (mut scu, kept, _serving) = cart(patient).await;
    for image in 1..=3 {
        assert_eq!(store(&mut scu, &format!("1.2.{image}")).await, Some(0), "image {image}");
        sleep(110 * MINUTE).await;
    }
    assert_eq!(kept.lock().unwrap().len(), 3);
}
