//! The door under abuse, over loopback and in raw bytes.
//!
//! Goal: whatever a peer sends, it gets the answer that PS3.8 has for it, no
//! part of an instance stays, and the node goes on serving others.
//! Method: a real listener with short limits and a store in memory that counts
//! what was begun, kept and dropped.

#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use airlock::accept::{
    AcceptLimits, Admission, Admitted, Arrival, Door, Incoming, Port, Refusal, Room, Secured,
    SenderPolicy, StorageOffer, Store, StoreError, serve,
};
use airlock::dicom::read::{ReadLimits, read_head};
use airlock::dicom::write::{NewMeta, part10_head};
use airlock::dicom::{AeTitle, TransferSyntax};
use airlock::dimse::Limits;
use airlock::dimse::scu::{Address, send_files, verify};
use tokio::sync::watch;

mod commands;
mod ends;

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const APPLICATION: &str = "1.2.840.10008.3.1.1.1";

#[derive(Default)]
struct Counts {
    begun: usize,
    dropped: usize,
    kept: Vec<(Arrival, Vec<u8>)>,
}

#[derive(Clone, Default)]
struct Shelf {
    counts: Arc<Mutex<Counts>>,
    /// Each write takes so long.
    pause: Duration,
    full: bool,
}

struct Part {
    shelf: Shelf,
    arrival: Arrival,
    bytes: Option<Vec<u8>>,
}

impl Store for Shelf {
    fn begin(&self, arrival: &Arrival) -> Result<Box<dyn Incoming>, StoreError> {
        if self.full {
            return Err(StoreError::Full);
        }
        self.counts.lock().unwrap().begun += 1;
        let bytes = Some(Vec::new());
        Ok(Box::new(Part { shelf: self.clone(), arrival: arrival.clone(), bytes }))
    }
}

impl Incoming for Part {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        std::thread::sleep(self.shelf.pause);
        self.bytes.as_mut().unwrap().extend_from_slice(bytes);
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let kept = (self.arrival.clone(), self.bytes.take().unwrap());
        self.shelf.counts.lock().unwrap().kept.push(kept);
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.bytes.is_some() {
            self.shelf.counts.lock().unwrap().dropped += 1;
        }
    }
}

struct OnlyModality;

impl Admission for OnlyModality {
    fn admit(
        &self,
        called: &AeTitle,
        calling: &AeTitle,
        _peer: IpAddr,
        _secured: &Secured,
    ) -> Result<Admitted, Refusal> {
        match (called.as_str(), calling.as_str()) {
            ("AIRLOCK", "MODALITY") => {
                Ok(Admitted { project: "trial".into(), policy: SenderPolicy::default() })
            }
            ("AIRLOCK", "BUSY") => Err(Refusal::Congested),
            ("AIRLOCK", _) => Err(Refusal::UnknownCalling),
            _ => Err(Refusal::UnknownCalled),
        }
    }
}

struct Node {
    address: SocketAddr,
    shelf: Shelf,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
}

fn short_limits() -> AcceptLimits {
    AcceptLimits {
        associations_max: 3,
        associations_per_address_max: 3,
        connections_max: 60,
        connections_per_address_max: 30,
        drain: Duration::from_millis(500),
        association: Limits {
            artim: Duration::from_millis(300),
            idle: Duration::from_millis(800),
            stall: Duration::from_millis(300),
            unwanted_bytes_max: 1 << 20,
            ..Limits::default()
        },
    }
}

async fn start(shelf: Shelf) -> Node {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let limits = short_limits();
    let door = Door {
        admission: Arc::new(OnlyModality),
        store: Arc::new(shelf.clone()),
        commitments: None,
        offer: StorageOffer::default(),
        room: Room::new(&limits),
        limits,
    };
    let port = Port { listener, tls: None };
    let serving = tokio::spawn(serve(port, Arc::new(door), stopped));
    Node { address, shelf, stop, serving }
}

fn as_modality(node: &Node) -> Address {
    Address {
        called: "AIRLOCK".parse().unwrap(),
        calling: "MODALITY".parse().unwrap(),
        host: node.address.ip().to_string(),
        port: node.address.port(),
        tls: None,
    }
}

/// One A-ASSOCIATE-RQ; each context has a number and an abstract syntax.
fn request(called: &str, calling: &str, contexts: &[(u8, &str)]) -> Vec<u8> {
    let item = |kind: u8, content: &[u8]| {
        let mut bytes = vec![kind, 0];
        bytes.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        bytes.extend(content);
        bytes
    };
    let mut body = vec![0, 1, 0, 0];
    body.extend(format!("{called:<16}{calling:<16}").bytes());
    body.extend([0; 32]);
    body.extend(item(0x10, APPLICATION.as_bytes()));
    for (id, class) in contexts {
        let mut content = vec![*id, 0, 0, 0];
        content.extend(item(0x30, class.as_bytes()));
        content.extend(item(0x40, EXPLICIT.as_bytes()));
        body.extend(item(0x20, &content));
    }
    body.extend(item(0x50, &item(0x51, &16_384_u32.to_be_bytes())));
    let mut pdu = vec![1, 0];
    pdu.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    pdu.extend(body);
    pdu
}

/// One P-DATA-TF with one presentation data value.
fn pdata(context: u8, control: u8, fragment: &[u8]) -> Vec<u8> {
    let bytes = u32::try_from(fragment.len()).unwrap();
    let mut pdu = vec![4, 0];
    pdu.extend((bytes + 6).to_be_bytes());
    pdu.extend((bytes + 2).to_be_bytes());
    pdu.extend([context, control]);
    pdu.extend(fragment);
    pdu
}

fn store_command(class: &str, instance: &str) -> Vec<u8> {
    airlock::dimse::CommandSet::store_request(
        1,
        &class.parse().unwrap(),
        &instance.parse().unwrap(),
    )
    .encode()
}

fn data_set(instance: &str, padding: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (element, uid) in [(0x16, CT), (0x18, instance)] {
        let padded = if uid.len() % 2 == 0 { uid.to_owned() } else { format!("{uid}\0") };
        bytes.extend([8, 0, element, 0, b'U', b'I', u8::try_from(padded.len()).unwrap(), 0]);
        bytes.extend(padded.bytes());
    }
    bytes.extend([0xE0, 0x7F, 0x10, 0, b'O', b'B', 0, 0]);
    bytes.extend(u32::try_from(padding).unwrap().to_le_bytes());
    bytes.resize(bytes.len() + padding, 7);
    bytes
}

impl Node {
    /// Until an instance has begun to come.
    fn wait_begun(&self) {
        let begun = tokio::time::Instant::now();
        while self.shelf.counts.lock().unwrap().begun == 0 {
            assert!(begun.elapsed() < Duration::from_secs(10), "no instance has begun");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

struct Raw(TcpStream);

impl Raw {
    fn connect(node: &Node) -> Self {
        let stream = TcpStream::connect(node.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        Self(stream)
    }

    fn associated(node: &Node) -> Self {
        let mut raw = Self::connect(node);
        raw.send(&request("AIRLOCK", "MODALITY", &[(1, CT), (3, "1.2.840.10008.5.1.4.31")]));
        let answer = raw.pdu();
        assert_eq!(answer[0], 2, "{answer:?}");
        raw
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    fn pdu(&mut self) -> Vec<u8> {
        let mut header = [0; 6];
        self.0.read_exact(&mut header).unwrap();
        let mut pdu = header.to_vec();
        pdu.resize(6 + u32::from_be_bytes(header[2..].try_into().unwrap()) as usize, 0);
        self.0.read_exact(&mut pdu[6..]).unwrap();
        pdu
    }

    /// Everything until the node closes.
    fn rest(mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn status(&mut self) -> u16 {
        let answer = self.pdu();
        assert_eq!(answer[0], 4, "{answer:?}");
        airlock::dimse::CommandSet::decode(&answer[12..]).unwrap().status().unwrap()
    }
}

fn abort(reason: u8) -> Vec<u8> {
    vec![7, 0, 0, 0, 0, 4, 0, 0, 2, reason]
}

fn rejection(result: u8, source: u8, reason: u8) -> Vec<u8> {
    vec![3, 0, 0, 0, 0, 4, 0, result, source, reason]
}

async fn in_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn still_serves(node: &Node) {
    assert_eq!(verify(&as_modality(node), &Limits::default()).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_before_an_association_is_aborted_at_once() {
    let node = Arc::new(start(Shelf::default()).await);
    let many: Vec<(u8, &str)> = (0..300_u16).map(|at| ((2 * at % 256) as u8 | 1, CT)).collect();
    let cases: Vec<(Vec<u8>, Vec<u8>)> = vec![
        (request("AIRLOCK", "MODALITY", &many), abort(6)),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), abort(1)),
        (vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3], abort(1)),
        (vec![1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1], abort(6)),
        (vec![4, 0, 0xFF, 0xFF, 0xFF, 0xFF], abort(6)),
        (pdata(1, 3, &store_command(CT, "1.2")), abort(2)),
        (request("AIRLOCK", "MODALITY", &[(2, CT)]), abort(6)),
        (request("AIRLOCK", "MODALITY", &[(1, CT), (1, CT)]), abort(6)),
        (request("AIRLOCK", "STRANGER", &[(1, CT)]), rejection(1, 1, 3)),
        (request("STRANGER", "MODALITY", &[(1, CT)]), rejection(1, 1, 7)),
        (request("AIRLOCK", "BUSY", &[(1, CT)]), rejection(2, 3, 1)),
        (request("", "MODALITY", &[(1, CT)]), rejection(1, 1, 7)),
    ];
    for (bytes, expected) in cases {
        let here = Arc::clone(&node);
        let sent = bytes.clone();
        let answer = in_thread(move || {
            let mut raw = Raw::connect(&here);
            raw.send(&sent);
            raw.rest()
        });
        assert_eq!(answer.await, expected, "{bytes:?}");
    }
    still_serves(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_out_of_place_abort_and_leave_nothing() {
    let node = Arc::new(start(Shelf::default()).await);
    let store = pdata(1, 3, &store_command(CT, "1.2"));
    let cases: Vec<(Vec<u8>, Vec<u8>)> = vec![
        (pdata(1, 2, b"data"), abort(2)),
        (pdata(3, 3, &store_command("1.2.840.10008.5.1.4.31", "1.2")), abort(6)),
        (pdata(2, 3, &store_command(CT, "1.2")), abort(6)),
        ([store.clone(), pdata(3, 2, b"data")].concat(), abort(6)),
        ([store.clone(), store.clone()].concat(), abort(2)),
        ([store.clone(), vec![5, 0, 0, 0, 0, 4, 0, 0, 0, 0]].concat(), abort(2)),
        ([store.clone(), vec![4, 0, 0, 4, 0, 1]].concat(), abort(6)),
        (vec![4, 0, 0, 0, 0, 6, 0, 0, 0, 9, 1, 3], abort(6)),
        (request("AIRLOCK", "MODALITY", &[(1, CT)]), abort(2)),
        (pdata(1, 3, b"no command set"), vec![7, 0, 0, 0, 0, 4, 0, 0, 0, 0]),
    ];
    for (bytes, expected) in cases {
        let here = Arc::clone(&node);
        let sent = bytes.clone();
        let answer = in_thread(move || {
            let mut raw = Raw::associated(&here);
            raw.send(&sent);
            raw.rest()
        });
        assert_eq!(answer.await, expected, "{bytes:?}");
    }
    still_serves(&node).await;
    let counts = node.shelf.counts.lock().unwrap();
    assert_eq!((counts.begun, counts.dropped, counts.kept.len()), (4, 4, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_data_set_is_read_to_its_end_and_an_endless_one_is_aborted() {
    let node = Arc::new(start(Shelf::default()).await);
    // Another SOP class than the context's.
    let refused = pdata(1, 3, &store_command("1.2.840.10008.5.1.4.31", "1.2"));
    for (pieces, is_aborted) in [(1, false), (130, true)] {
        let (here, refused) = (Arc::clone(&node), refused.clone());
        let answer = in_thread(move || {
            let mut raw = Raw::associated(&here);
            raw.send(&refused);
            for _ in 0..pieces {
                raw.send(&pdata(1, 0, &[0; 9_000]));
            }
            if !is_aborted {
                raw.send(&pdata(1, 2, b"end"));
                raw.send(&[5, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
            }
            raw.rest()
        })
        .await;
        let abort_by_user = [7, 0, 0, 0, 0, 4, 0, 0, 0, 0];
        assert_eq!(answer == abort_by_user, is_aborted, "{answer:?}");
        // Status 0122: SOP class not supported.
        let told = answer.windows(2).any(|bytes| bytes == [0x22, 0x01]);
        assert_eq!(told, !is_aborted, "{answer:?}");
    }
    still_serves(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_breaks_off_leaves_no_part() {
    let node = Arc::new(start(Shelf::default()).await);
    let endings: [&[u8]; 3] = [&[7, 0, 0, 0, 0, 4, 0, 0, 0, 0], &[4, 0, 0, 0, 1, 0, 0], &[]];
    for ending in endings {
        let here = Arc::clone(&node);
        in_thread(move || {
            let mut raw = Raw::associated(&here);
            raw.send(&pdata(1, 3, &store_command(CT, "1.2")));
            raw.send(&pdata(1, 0, &data_set("1.2", 10_000)));
            raw.send(ending);
            raw.0.shutdown(std::net::Shutdown::Write).unwrap();
            assert_eq!(raw.rest(), b"", "nobody is left to answer");
        })
        .await;
    }
    let counts = node.shelf.counts.lock().unwrap();
    assert_eq!((counts.begun, counts.dropped, counts.kept.len()), (3, 3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_silent_peers_are_cut_off_in_each_state() {
    let node = Arc::new(start(Shelf::default()).await);
    let begun = tokio::time::Instant::now();
    let mut waits = Vec::new();
    for state in 0..4 {
        let here = Arc::clone(&node);
        waits.push(in_thread(move || {
            let mut raw = if state < 2 { Raw::connect(&here) } else { Raw::associated(&here) };
            match state {
                0 => {}
                1 => raw.send(&request("AIRLOCK", "MODALITY", &[(1, CT)])[..30]),
                2 => raw.send(&pdata(1, 3, &store_command(CT, "1.2"))),
                _ => {}
            }
            raw.rest()
        }));
    }
    for wait in waits {
        assert_eq!(wait.await, abort(0));
    }
    assert!(begun.elapsed() < Duration::from_secs(3));
    let counts = node.shelf.counts.lock().unwrap();
    assert_eq!((counts.begun, counts.dropped), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_association_too_many_is_rejected_as_transient_and_silent_ones_do_not_count() {
    let node = Arc::new(start(Shelf::default()).await);
    let here = Arc::clone(&node);
    in_thread(move || {
        let _silent: Vec<_> = (0..20).map(|_| Raw::connect(&here)).collect();
        let open: Vec<_> = (0..3).map(|_| Raw::associated(&here)).collect();
        let mut late = Raw::connect(&here);
        late.send(&request("AIRLOCK", "MODALITY", &[(1, CT)]));
        assert_eq!(late.rest(), rejection(2, 3, 2));
        drop(open);
        let begun = tokio::time::Instant::now();
        loop {
            let mut again = Raw::connect(&here);
            again.send(&request("AIRLOCK", "MODALITY", &[(1, CT)]));
            if again.pdu()[0] == 2 {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "no place is free again");
            std::thread::sleep(Duration::from_millis(20));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_that_opens_without_end_leaves_the_others_room() {
    let node = Arc::new(start(Shelf::default()).await);
    let here = Arc::clone(&node);
    in_thread(move || {
        let mut silent: Vec<_> = (0..35).map(|_| Raw::connect(&here)).collect();
        // Without a word: one whose time for a request is over gets an A-ABORT.
        for one in silent.iter_mut().skip(30) {
            assert!(matches!(one.0.read(&mut [0]), Ok(0)), "over 30 from an address");
        }
    })
    .await;
    let _silent: Vec<_> = (0..60).map(|_| TcpStream::connect(node.address).unwrap()).collect();
    let other = tokio::net::TcpSocket::new_v4().unwrap();
    other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let stream = other.connect(node.address).await.unwrap().into_std().unwrap();
    in_thread(move || {
        stream.set_nonblocking(false).unwrap();
        let mut raw = Raw(stream);
        raw.send(&request("AIRLOCK", "MODALITY", &[(1, CT)]));
        assert_eq!(raw.pdu()[0], 2, "an A-ASSOCIATE-AC");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_messages_keep_the_association_in_step() {
    let node = Arc::new(start(Shelf::default()).await);
    let here = Arc::clone(&node);
    in_thread(move || {
        let mut raw = Raw::associated(&here);
        let data = |bytes: &[u8]| pdata(1, 2, bytes);
        // Another class than the context's.
        raw.send(&pdata(1, 3, &store_command("1.2.840.10008.5.1.4.1.1.4", "1.2")));
        raw.send(&data(&data_set("1.2", 100)));
        assert_eq!(raw.status(), 0x0122);
        // Another instance in the data set.
        raw.send(&pdata(1, 3, &store_command(CT, "1.2")));
        raw.send(&data(&data_set("1.3", 100)));
        assert_eq!(raw.status(), 0xA900);
        raw.send(&pdata(1, 3, &store_command(CT, "1.2")));
        raw.send(&data(b"GET / HTTP/1.1\r\n"));
        assert_eq!(raw.status(), 0xC000);
        // C-FIND with an identifier.
        let mut find = store_command(CT, "1.2");
        let field = find.windows(4).position(|part| part == [0, 0, 0, 1]).unwrap() + 8;
        find[field] = 0x20;
        raw.send(&pdata(1, 3, &find));
        raw.send(&data(b"whatever"));
        assert_eq!(raw.status(), 0x0211);
        // An instance without a UID, and one without a data set.
        let mut nameless = store_command(CT, "1.2");
        let uid = nameless.len() - 2;
        nameless[uid] = b'x';
        raw.send(&pdata(1, 3, &nameless));
        raw.send(&data(b"whatever"));
        assert_eq!(raw.status(), 0x0117);
        let mut bare = store_command(CT, "1.2");
        let kind = bare.windows(4).position(|part| part == [0, 0, 0, 8]).unwrap() + 8;
        bare[kind..kind + 2].copy_from_slice(&[1, 1]);
        raw.send(&pdata(1, 3, &bare));
        assert_eq!(raw.status(), 0x0212);
        // Command in two fragments, data set in many, in one write.
        let command = store_command(CT, "1.2");
        let (start, end) = command.split_at(11);
        let mut wire = [pdata(1, 1, start), pdata(1, 3, end)].concat();
        let whole = data_set("1.2", 5_000);
        for piece in whole.chunks(100) {
            wire.extend(pdata(1, 0, piece));
        }
        wire.extend(pdata(1, 2, b""));
        raw.send(&wire);
        assert_eq!(raw.status(), 0x0000);
        raw.send(&[5, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
        assert_eq!(raw.rest(), [6, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
    })
    .await;
    let counts = node.shelf.counts.lock().unwrap();
    assert_eq!(counts.kept.len(), 1);
    assert_eq!(counts.begun - counts.dropped, 1);
    let (arrival, file) = &counts.kept[0];
    assert_eq!(arrival.project, "trial");
    let head = read_head(&mut std::io::Cursor::new(file), &ReadLimits::default()).unwrap();
    assert_eq!(head.meta.transfer_syntax.as_str(), EXPLICIT);
    assert_eq!(file[usize::try_from(head.data_set_offset).unwrap()..], data_set("1.2", 5_000));
}

fn write_file(dir: &std::path::Path, instance: &str, padding: usize) -> std::path::PathBuf {
    let meta = NewMeta {
        sop_class: &CT.parse().unwrap(),
        sop_instance: &instance.parse().unwrap(),
        transfer_syntax: &TransferSyntax::new(EXPLICIT.parse().unwrap()),
    };
    let path = dir.join(instance);
    let head = part10_head(&meta).unwrap();
    std::fs::write(&path, [head, data_set(instance, padding)].concat()).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn files_sent_by_our_own_scu_arrive_byte_for_byte() {
    let node = start(Shelf::default()).await;
    let dir = tempfile::tempdir().unwrap();
    let mut paths: Vec<_> =
        (1..=20_usize).map(|n| write_file(dir.path(), &format!("1.2.{n}"), n * 40_000)).collect();
    let noise = dir.path().join("noise");
    std::fs::write(&noise, "not DICOM").unwrap();
    paths.insert(3, noise);
    let mut answers = Vec::new();
    send_files(&as_modality(&node), &paths, &Limits::default(), |_path, answer| {
        answers.push(answer.ok());
    })
    .await
    .unwrap();
    assert_eq!(answers.iter().filter(|answer| **answer == Some(0)).count(), 20);
    assert_eq!(answers[3], None);
    let counts = node.shelf.counts.lock().unwrap();
    for (arrival, file) in &counts.kept {
        let sent = std::fs::read(dir.path().join(arrival.sop_instance.as_str())).unwrap();
        assert!(*file == sent, "{}", arrival.sop_instance);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_store_is_answered_a700_and_the_association_goes_on() {
    let node = start(Shelf { full: true, ..Shelf::default() }).await;
    let dir = tempfile::tempdir().unwrap();
    let paths = [write_file(dir.path(), "1.2.1", 300_000), write_file(dir.path(), "1.2.2", 9)];
    let mut answers = Vec::new();
    send_files(&as_modality(&node), &paths, &Limits::default(), |_path, answer| {
        answers.push(answer.unwrap());
    })
    .await
    .unwrap();
    assert_eq!(answers, [0xA700, 0xA700]);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_lets_a_message_in_progress_end_and_aborts_idle_ones() {
    let node = start(Shelf { pause: Duration::from_millis(30), ..Shelf::default() }).await;
    let node = Arc::new(node);
    let here = Arc::clone(&node);
    let peers = in_thread(move || {
        let idle = Raw::associated(&here);
        let mut busy = Raw::associated(&here);
        busy.send(&pdata(1, 3, &store_command(CT, "1.2")));
        busy.send(&pdata(1, 0, &data_set("1.2", 100)));
        here.wait_begun();
        (idle, busy)
    });
    let (idle, mut busy) = peers.await;
    node.stop.send(true).unwrap();
    in_thread(move || {
        assert_eq!(idle.rest(), abort(0));
        busy.send(&pdata(1, 2, b"end!"));
        assert_eq!(busy.status(), 0);
        assert_eq!(busy.rest(), abort(0));
    })
    .await;
    let node = Arc::into_inner(node).unwrap();
    tokio::time::timeout(Duration::from_secs(3), node.serving).await.unwrap().unwrap();
    assert_eq!(node.shelf.counts.lock().unwrap().kept.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_aborts_a_message_that_does_not_end() {
    let node = Arc::new(start(Shelf::default()).await);
    let here = Arc::clone(&node);
    let dripping = tokio::task::spawn_blocking(move || {
        let mut raw = Raw::associated(&here);
        raw.send(&pdata(1, 3, &store_command(CT, "1.2")));
        for _ in 0..20 {
            raw.send(&pdata(1, 0, &data_set("1.2", 10)));
            std::thread::sleep(Duration::from_millis(50));
            if here.serving.is_finished() {
                break;
            }
        }
    });
    let there = Arc::clone(&node);
    in_thread(move || there.wait_begun()).await;
    node.stop.send(true).unwrap();
    let begun = tokio::time::Instant::now();
    while !node.serving.is_finished() {
        assert!(begun.elapsed() < Duration::from_secs(3), "did not stop");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The peer's next write may already meet a closed connection.
    let _peer_ended = dripping.await;
    let counts = node.shelf.counts.lock().unwrap();
    assert_eq!((counts.begun, counts.dropped), (1, 1));
}
