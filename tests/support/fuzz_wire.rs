//! Bodies of the fuzz targets of the wire: any bytes of a peer in, a panic when a
//! claim is broken. As in `fuzz.rs`, without its header jobs.
#![allow(dead_code, reason = "each fuzz target uses its body")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken claim must stop the fuzzer"
)]

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use airlock::accept::StorageOffer;
use airlock::dicom::TransferSyntax;
use airlock::dimse::association::acceptor::receive_request;
use airlock::dimse::association::negotiation::{accept, check_request, contexts_are_legal};
use airlock::dimse::association::requestor::{Proposal, propose, request_of};
use airlock::dimse::command::Remark;
use airlock::dimse::commitment::{Report, Request};
use airlock::dimse::limits::COMMAND_BYTES_MAX;
use airlock::dimse::pdu::{
    HEADER_BYTES, PDV_HEADER_BYTES, PduKind, check_header, parse_associate, read_pdv,
};
use airlock::dimse::{Association, AssociationError, CommandSet, Limits};
use dicom_ul::pdu::{Pdu, write_pdu};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

/// Longest input that is looked at: longer ones only take time.
const BYTES_MAX: usize = 64 << 10;
const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";

/// The data sets of Storage Commitment are read and written as the same, or refused.
fn commitment(bytes: &[u8]) {
    for explicit_vr in [true, false] {
        if let Ok(report) = Report::decode(bytes, explicit_vr) {
            let written = report.encode(explicit_vr).expect("what was read is written");
            assert_eq!(Report::decode(&written, explicit_vr), Ok(report));
        }
        if let Ok(request) = Request::decode(bytes, explicit_vr) {
            let written = request.encode(explicit_vr).expect("what was read is written");
            assert_eq!(Request::decode(&written, explicit_vr), Ok(request));
        }
    }
}

/// A command is read and written as the same, or refused; its response is a command.
pub(crate) fn command(bytes: &[u8]) {
    commitment(bytes);
    let Ok(set) = CommandSet::decode(bytes) else { return };
    assert!(bytes.len() <= COMMAND_BYTES_MAX);
    let written = set.encode();
    if written.len() <= COMMAND_BYTES_MAX {
        let again = CommandSet::decode(&written).expect("what was written is read");
        assert_eq!(again.encode(), written);
        assert_eq!((again.class(), again.instance()), (set.class(), set.instance()));
        assert_eq!((again.field(), again.message_id()), (set.field(), set.message_id()));
    }
    for uid in [set.class(), set.instance()].into_iter().flatten() {
        assert!(uid.as_str().len() <= 64);
    }
    let remark = Remark { comment: Some("no room, try again later"), offending: None };
    let answer = set.response(0xA700, remark).encode();
    // The request's UIDs come back with a few elements of ours.
    assert!(answer.len() <= bytes.len() + 128, "{} of {}", answer.len(), bytes.len());
    if answer.len() <= COMMAND_BYTES_MAX {
        let answer = CommandSet::decode(&answer).expect("our response is read");
        assert_eq!(answer.status(), Ok(0xA700));
        assert!(!answer.has_data_set() && answer.field() & 0x8000 != 0);
        assert_eq!(answer.responded_to().ok(), Some(set.message_id().unwrap_or_default()));
    }
}

/// First byte: acceptor, acceptor after a good request, or requestor. Rest: what the
/// peer sends, then its end. Both roles come to an end, and hand on no byte that was
/// not sent; the acceptor hears the same however the bytes come.
pub(crate) fn pdu(bytes: &[u8]) {
    let Some((role, sent)) = bytes.split_first().filter(|_| bytes.len() <= BYTES_MAX) else {
        return;
    };
    framing(sent);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        match role % 3 {
            0 => acceptor(sent).await,
            1 => acceptor(&[&good_request(), sent].concat()).await,
            _ => requestor(sent).await,
        }
    });
}

/// The pure readers on the PDUs that the bytes hold.
fn framing(mut rest: &[u8]) {
    let limits = Limits::default();
    while let Some((header, after)) = rest.split_first_chunk::<HEADER_BYTES>() {
        let Ok((kind, body_bytes)) = check_header(*header, &limits) else { return };
        let Some((body, next)) = after.split_at_checked(body_bytes) else { return };
        match kind {
            PduKind::PData => values(body),
            PduKind::AssociateRq => request(body, &limits),
            PduKind::AssociateAc => drop(parse_associate(2, body, &limits)),
            PduKind::AssociateRj | PduKind::ReleaseRq | PduKind::ReleaseRp | PduKind::Abort => {}
        }
        rest = next;
    }
}

/// Presentation data values lie one behind the other inside their PDU.
fn values(mut body: &[u8]) {
    while let Some((head, rest)) = body.split_first_chunk::<PDV_HEADER_BYTES>() {
        let Ok(value) = read_pdv(*head, rest.len()) else { return };
        let (_fragment, next) = rest.split_at(value.fragment_bytes);
        body = next;
    }
}

/// A request that is read gets an answer for each of its contexts, which can be written.
fn request(body: &[u8], limits: &Limits) {
    let Some(Pdu::AssociationRQ(request)) = parse_associate(1, body, limits) else { return };
    if check_request(&request).is_err() || !contexts_are_legal(&request.presentation_contexts) {
        return;
    }
    let (answer, accepted) = accept(&request, &StorageOffer::default(), limits);
    assert_eq!(answer.presentation_contexts.len(), request.presentation_contexts.len());
    assert!(accepted.len() <= request.presentation_contexts.len());
    let mut written = Vec::new();
    write_pdu(&mut written, &Pdu::AssociationAC(answer)).expect("our answer is written");
}

/// What was handed on of each data set, and how it ended.
type Heard = (Vec<Vec<u8>>, Option<String>);

async fn acceptor(sent: &[u8]) {
    let mut heard = Vec::new();
    // All at once, and a few bytes at a time with waits that are given up.
    for chunk in [BYTES_MAX, 1 + sent.len() / 64] {
        let (stream, peer) = duplex(BYTES_MAX + (4 << 10));
        let served = async {
            let pending = receive_request(stream, &limits()).await.ok()?;
            let association = pending.accept(&StorageOffer::default()).await.ok()?;
            Some(converse(association, sent.len(), chunk < BYTES_MAX).await)
        };
        // The peer has ended or will: nobody waits for anything.
        heard.push(tokio::join!(served, feed(peer, sent, chunk)).0);
    }
    assert_eq!(heard[0], heard[1], "what is heard does not go by how it comes");
}

async fn requestor(sent: &[u8]) {
    let (stream, peer) = wire(sent).await;
    let asked = async {
        let (association, _) = propose(stream, &proposal(), &limits()).await.ok()?;
        Some(converse(association, sent.len(), false).await)
    };
    tokio::join!(asked, drain(peer));
}

/// Reads all messages with their data sets.
async fn converse(
    mut association: Association<DuplexStream>,
    sent_bytes: usize,
    gives_up: bool,
) -> Heard {
    let (mut taken_bytes, mut data_sets) = (0, Vec::new());
    loop {
        let message = match association.next_command(Duration::from_secs(9)).await {
            Ok(Some(message)) => message,
            Ok(None) => {
                association.accept_release().await;
                return (data_sets, None);
            }
            Err(error) => {
                association.fail(&error).await;
                return (data_sets, Some(error.to_string()));
            }
        };
        if !message.command.has_data_set() {
            continue;
        }
        data_sets.push(Vec::new());
        loop {
            let (bytes, is_last) = match piece(&mut association, message.context_id, gives_up).await
            {
                Ok(piece) => piece,
                Err(error) => {
                    association.fail(&error).await;
                    return (data_sets, Some(error.to_string()));
                }
            };
            taken_bytes += bytes.len();
            assert!(taken_bytes <= sent_bytes, "more than was sent");
            data_sets.last_mut().unwrap().extend(bytes);
            if is_last {
                break;
            }
        }
    }
}

/// The next piece; where waits are given up, by futures that are dropped while it is
/// not there.
async fn piece(
    association: &mut Association<DuplexStream>,
    context_id: u8,
    gives_up: bool,
) -> Result<(Vec<u8>, bool), AssociationError> {
    loop {
        let mut next = pin!(association.next_piece(context_id));
        let polled = poll_fn(|context| match next.as_mut().poll(context) {
            Poll::Pending if gives_up => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
            Poll::Ready(piece) => {
                Poll::Ready(Some(piece.map(|piece| (piece.bytes.to_vec(), piece.is_last))))
            }
        });
        if let Some(piece) = polled.await {
            return piece;
        }
        tokio::task::yield_now().await;
    }
}

/// Sends this so many bytes at a time and ends, then reads what comes.
async fn feed(mut peer: DuplexStream, sent: &[u8], chunk: usize) {
    for part in sent.chunks(chunk) {
        // Whoever aborts does not read on.
        if peer.write_all(part).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    peer.shutdown().await.unwrap();
    drain(peer).await;
}

/// A stream on which a peer has sent this and ended.
async fn wire(sent: &[u8]) -> (DuplexStream, DuplexStream) {
    let (ours, mut theirs) = duplex(BYTES_MAX + (4 << 10));
    theirs.write_all(sent).await.unwrap();
    theirs.shutdown().await.unwrap();
    (ours, theirs)
}

async fn drain(mut peer: DuplexStream) {
    let mut answers = Vec::new();
    peer.read_to_end(&mut answers).await.unwrap();
}

fn limits() -> Limits {
    Limits { unwanted_bytes_max: 1 << 20, ..Limits::default() }
}

fn proposal() -> Proposal {
    let syntax = TransferSyntax::new(EXPLICIT.parse().unwrap());
    Proposal {
        called: "AIRLOCK".parse().unwrap(),
        calling: "MODALITY".parse().unwrap(),
        contexts: vec![(CT.parse().unwrap(), vec![syntax])],
        provides: Vec::new(),
    }
}

fn good_request() -> Vec<u8> {
    let mut written = Vec::new();
    let request = request_of(&proposal(), &Limits::default());
    write_pdu(&mut written, &Pdu::AssociationRQ(request)).unwrap();
    written
}
