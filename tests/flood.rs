//! What floods the door costs it next to nothing.
//!
//! Goal: noise, lying lengths, too many contexts and data without end are answered by
//! A-ABORT and do not grow the memory. Method: a door in this process, raw bytes on
//! loopback, and an allocator that counts; alone in its file, since the peak belongs to
//! the whole process.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails fails the test")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use airlock::accept::{
    AcceptLimits, Admission, Admitted, Arrival, Door, Incoming, Port, Refusal, Room, Secured,
    SenderPolicy, StorageOffer, Store, StoreError, serve,
};
use airlock::dicom::AeTitle;
use airlock::dimse::{CommandSet, Limits};
use dicom_ul::pdu::{AssociationRQ, Pdu, PresentationContextProposed, UserVariableItem, write_pdu};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
/// What the store takes of an instance.
const STORED_BYTES_MAX: u64 = 8 << 20;
/// What is read after a refusal.
const UNWANTED_BYTES_MAX: usize = 32 << 20;
/// Where a flood ends by itself: the door has not had enough of it.
const FLOOD_BYTES_MAX: u64 = 512 << 20;
/// Most that one peer may cost, our own side of the test included.
const PEER_BYTES_MAX: usize = 1 << 20;

/// Counts bytes, keeps none.
#[derive(Clone, Default)]
struct Scales(Arc<AtomicU64>);

struct Part {
    bytes: u64,
    most: Arc<AtomicU64>,
}

impl Store for Scales {
    fn begin(&self, _arrival: &Arrival) -> Result<Box<dyn Incoming>, StoreError> {
        Ok(Box::new(Part { bytes: 0, most: Arc::clone(&self.0) }))
    }
}

impl Incoming for Part {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.bytes += u64::try_from(bytes.len()).unwrap();
        if self.bytes > STORED_BYTES_MAX {
            return Err(StoreError::TooLong);
        }
        self.most.fetch_max(self.bytes, Ordering::Relaxed);
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

struct Anybody;

impl Admission for Anybody {
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

/// A door that ends with the runtime.
async fn door(store: Scales) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let association = Limits { unwanted_bytes_max: UNWANTED_BYTES_MAX, ..Limits::default() };
    let limits = AcceptLimits { association, ..AcceptLimits::default() };
    let door = Door {
        admission: Arc::new(Anybody),
        store: Arc::new(store),
        commitments: None,
        offer: StorageOffer::default(),
        room: Room::new(&limits),
        limits,
    };
    tokio::spawn(async move {
        let (_never, stopped) = tokio::sync::watch::channel(false);
        serve(Port { listener, tls: None }, Arc::new(door), stopped).await;
    });
    address
}

fn request(contexts: usize) -> Vec<u8> {
    let context = |number: usize| PresentationContextProposed {
        id: u8::try_from(2 * number % 256).unwrap() | 1,
        abstract_syntax: CT.into(),
        transfer_syntaxes: vec![EXPLICIT.into()],
    };
    let request = AssociationRQ {
        protocol_version: 1,
        calling_ae_title: "MODALITY".into(),
        called_ae_title: "AIRLOCK".into(),
        application_context_name: "1.2.840.10008.3.1.1.1".into(),
        presentation_contexts: (0..contexts).map(context).collect(),
        user_variables: vec![UserVariableItem::MaxLength(16_384)],
    };
    let mut bytes = Vec::new();
    write_pdu(&mut bytes, &Pdu::AssociationRQ(request)).unwrap();
    bytes
}

/// The same with items that nobody knows before its end.
fn with_unknown_items(count: usize) -> Vec<u8> {
    let mut bytes = request(1);
    bytes.extend([0x77, 0, 0, 2, 1, 2].repeat(count));
    let body_bytes = u32::try_from(bytes.len() - 6).unwrap();
    bytes[2..6].copy_from_slice(&body_bytes.to_be_bytes());
    bytes
}

fn pdata(control: u8, fragment: &[u8]) -> Vec<u8> {
    let bytes = u32::try_from(fragment.len()).unwrap();
    let head = [(bytes + 6).to_be_bytes(), (bytes + 2).to_be_bytes()].concat();
    [&[4, 0], &head[..], &[1, control], fragment].concat()
}

fn store_command(class: &str) -> Vec<u8> {
    let (class, instance) = (class.parse().unwrap(), "1.2".parse().unwrap());
    pdata(3, &CommandSet::store_request(1, &class, &instance).encode())
}

/// Sends `first`, then `again` without end, until the door has had enough; what it said.
fn flood(address: SocketAddr, first: &[u8], again: &[u8]) -> (Vec<u8>, u64) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let hearing = std::thread::spawn(move || {
        let mut said = Vec::new();
        match reader.read_to_end(&mut said) {
            Ok(_) => said,
            // Closed over bytes that still came.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => said,
            Err(error) => panic!("{error}"),
        }
    });
    let mut sent_bytes = 0;
    let mut sends = stream.write_all(first);
    let goes_on = |sent: u64| !again.is_empty() && sent < FLOOD_BYTES_MAX;
    while sends.is_ok() && goes_on(sent_bytes) && !hearing.is_finished() {
        sends = stream.write_all(again);
        sent_bytes += u64::try_from(again.len()).unwrap();
    }
    (hearing.join().unwrap(), sent_bytes)
}

fn ends_with_abort(said: &[u8]) -> bool {
    said.len() >= 10 && said[said.len() - 10..said.len() - 2] == [7, 0, 0, 0, 0, 4, 0, 0]
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_are_aborted_and_memory_stays_small() {
    let scales = Scales::default();
    let address = door(scales.clone()).await;
    let piece = vec![0; 200_000];
    let associated = [request(1), store_command(CT)].concat();
    // Of another class than the context's: refused, and read past.
    let other = store_command("1.2.840.10008.5.1.4.1.1.4");
    let empty = pdata(0, b"").repeat(10_000);
    let floods: Vec<(&str, Vec<u8>, Vec<u8>)> = vec![
        ("HTTP", b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n".to_vec(), piece.clone()),
        ("a TLS hello", vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3], piece.clone()),
        ("a request of 4 GiB", vec![1, 0, 0xFF, 0xFF, 0xFF, 0xFF], piece.clone()),
        ("data of 4 GiB", [request(1), vec![4, 0, 0xFF, 0xFF, 0xFF, 0xFF]].concat(), piece.clone()),
        (
            "a value of 4 GiB",
            [request(1), vec![4, 0, 0, 0, 0, 6, 0xFF, 0xFF, 0xFF, 0xFF, 1, 3]].concat(),
            piece.clone(),
        ),
        ("300 contexts", request(300), Vec::new()),
        ("a command without end", request(1), pdata(1, &piece)),
        ("an empty command without end", request(1), pdata(1, b"").repeat(1_000)),
        ("a data set without end", associated, pdata(0, &piece)),
        ("a refused data set of empty pieces", [request(1), other].concat(), empty),
    ];
    for (what, first, again) in floods {
        // Of each flood by itself: what the one before held is free again.
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        let (said, sent_bytes) =
            tokio::task::spawn_blocking(move || flood(address, &first, &again)).await.unwrap();
        let grown = MEMORY.peak_usage().saturating_sub(before);
        println!("{what}: {sent_bytes} bytes taken, memory grew by {grown}");
        assert!(sent_bytes < FLOOD_BYTES_MAX, "{what}: nobody stopped it");
        assert!(ends_with_abort(&said), "{what}: {said:?}");
        assert!(grown < PEER_BYTES_MAX, "{what}: memory grew by {grown} bytes");
    }
    // The data set was stored as far as the store went, and not a byte further.
    let most = scales.0.load(Ordering::Relaxed);
    assert!(most <= STORED_BYTES_MAX && most > STORED_BYTES_MAX - 500_000, "{most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_ten_thousand_unknown_items_is_read_past_them() {
    let address = door(Scales::default()).await;
    let said = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&with_unknown_items(10_000)).unwrap();
        let mut header = [0; 6];
        stream.read_exact(&mut header).unwrap();
        header[0]
    });
    assert_eq!(said.await.unwrap(), 2, "accepted");
}
