//! Both roles against each other and against raw bytes, over memory.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::acceptor::{RequestError, receive_request};
use super::negotiation::{Offer, Rejection};
use super::requestor::{Proposal, ProposalError, propose};
use super::*;
use crate::dimse::command::{C_STORE_RQ, Remark};
use crate::dimse::limits::Limits;
use crate::dimse::status;

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const WAIT: Duration = Duration::from_secs(2);

struct TakesCt;

impl Offer for TakesCt {
    fn takes_class(&self, class: &Uid) -> bool {
        class.as_str() == CT
    }

    fn rank(&self, _transfer_syntax: &TransferSyntax) -> Option<u32> {
        Some(0)
    }
}

fn limits() -> Limits {
    Limits {
        artim: Duration::from_millis(200),
        stall: Duration::from_millis(200),
        ..Limits::default()
    }
}

fn uid(text: &str) -> Uid {
    text.parse().unwrap()
}

fn proposal() -> Proposal {
    let syntax = TransferSyntax::new(uid(EXPLICIT));
    Proposal {
        called: "AIRLOCK".parse().unwrap(),
        calling: "MODALITY".parse().unwrap(),
        contexts: vec![(uid(CT), vec![syntax.clone()]), (uid("1.2.3"), vec![syntax])],
        provides: Vec::new(),
    }
}

async fn pair() -> (Association<DuplexStream>, Association<DuplexStream>) {
    let (near, far) = duplex(64 << 10);
    let accepting = tokio::spawn(async move {
        let pending = receive_request(far, &limits()).await.unwrap();
        assert_eq!(pending.peer().calling.as_str(), "MODALITY");
        pending.accept(&TakesCt).await.unwrap()
    });
    let (requestor, refused) = propose(near, &proposal(), &limits()).await.unwrap();
    assert_eq!(refused, [(3, 3)].into());
    (requestor, accepting.await.unwrap())
}

#[tokio::test]
async fn a_data_set_passes_whole_in_pieces_and_the_answer_comes_back() {
    let (mut scu, mut scp) = pair().await;
    let sent: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let expected = sent.clone();
    let serving = tokio::spawn(async move {
        let message = scp.next_command(WAIT).await.unwrap().unwrap();
        assert_eq!(message.command.field(), C_STORE_RQ);
        let mut received = Vec::new();
        loop {
            let piece = scp.next_piece(message.context_id).await.unwrap();
            received.extend_from_slice(piece.bytes);
            if piece.is_last {
                break;
            }
        }
        let answer = message.command.response(status::SUCCESS, Remark::default());
        scp.send_command(message.context_id, &answer).await.unwrap();
        assert!(scp.next_command(WAIT).await.unwrap().is_none());
        scp.accept_release().await;
        received
    });
    let request = CommandSet::store_request(scu.next_message_id(), &uid(CT), &uid("1.2"));
    scu.send_command(1, &request).await.unwrap();
    let mut outgoing = Outgoing { bytes: sent.len() as u64, reader: sent.as_slice() };
    scu.send_data_set(1, &mut outgoing).await.unwrap();
    let answer = scu.next_command(WAIT).await.unwrap().unwrap();
    assert_eq!(answer.command.status(), Ok(status::SUCCESS));
    scu.release().await.unwrap();
    assert!(serving.await.unwrap() == expected);
}

#[tokio::test]
async fn an_empty_data_set_is_one_empty_last_fragment() {
    let (mut scu, mut scp) = pair().await;
    scu.send_data_set(1, &mut Outgoing { bytes: 0, reader: &[][..] }).await.unwrap();
    let piece = scp.next_piece(1).await.unwrap();
    assert_eq!(piece, Piece { bytes: &[], is_last: true });
}

#[tokio::test]
async fn a_source_shorter_than_promised_aborts_and_never_ends_the_data_set() {
    let (mut scu, mut scp) = pair().await;
    let short = scu.send_data_set(1, &mut Outgoing { bytes: 9, reader: &[1, 2][..] }).await;
    let Err(error) = short else { panic!("sent") };
    assert!(matches!(error, AssociationError::Source(_)));
    tokio::spawn(async move { scu.fail(&error).await });
    let seen = scp.next_piece(1).await;
    assert!(matches!(seen, Err(AssociationError::Aborted { from: 0, .. })), "{seen:?}");
}

#[tokio::test]
async fn small_peers_get_small_fragments() {
    let (near, mut far) = duplex(64 << 10);
    let context =
        Context { id: 1, class: uid(CT), transfer_syntax: TransferSyntax::new(uid(EXPLICIT)) };
    let mut scu = Association::new(PduStream::new(near, limits()), vec![context], 128);
    let data = [9_u8; 300];
    scu.send_data_set(1, &mut Outgoing { bytes: 300, reader: &data[..] }).await.unwrap();
    drop(scu);
    let mut wire = Vec::new();
    far.read_to_end(&mut wire).await.unwrap();
    let mut lengths = Vec::new();
    let mut rest = wire.as_slice();
    while let Some((head, after)) = rest.split_first_chunk::<6>() {
        let bytes = u32::from_be_bytes(head[2..].try_into().unwrap());
        lengths.push(bytes);
        rest = &after[bytes as usize..];
    }
    assert_eq!(lengths, [128, 128, 62]);
}

/// What the acceptor answers to raw bytes in the place of a request.
async fn answer_to(bytes: &[u8]) -> (Vec<u8>, RequestError) {
    let (mut near, far) = duplex(64 << 10);
    near.write_all(bytes).await.unwrap();
    let receiving = tokio::spawn(async move { receive_request(far, &limits()).await.unwrap_err() });
    let mut answer = Vec::new();
    near.read_to_end(&mut answer).await.unwrap();
    drop(near);
    (answer, receiving.await.unwrap())
}

#[tokio::test]
async fn noise_in_the_place_of_a_request_is_aborted_with_the_right_reason() {
    let abort = |reason| vec![7, 0, 0, 0, 0, 4, 0, 0, 2, reason];
    let cases: [(&[u8], u8); 6] = [
        (b"GET / HTTP/1.1\r\n\r\n", 1),
        (&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC], 1),
        (&[1, 0, 0xFF, 0xFF, 0xFF, 0xFF], 6),
        (&[5, 0, 0, 0, 0, 4, 0, 0, 0, 0], 2),
        (&[4, 0, 0, 0, 0, 6, 0, 0, 0, 2, 1, 3], 2),
        (&[1, 0, 0, 0], 0),
    ];
    for (bytes, reason) in cases {
        let (answer, error) = answer_to(bytes).await;
        assert_eq!(answer, abort(reason), "{bytes:?}: {error}");
    }
    let peer_abort = [7, 0, 0, 0, 0, 4, 0, 0, 0, 0];
    assert_eq!(answer_to(&peer_abort).await.0, b"", "an abort is not answered");
}

#[tokio::test]
async fn a_rejected_requestor_learns_why() {
    let (near, far) = duplex(64 << 10);
    tokio::spawn(async move {
        let pending = receive_request(far, &limits()).await.unwrap();
        pending.reject(Rejection::LocalLimit).await;
    });
    let error = propose(near, &proposal(), &limits()).await.unwrap_err();
    assert!(matches!(error, ProposalError::Rejected { result: 2, from: 3, reason: 2 }), "{error}");
}

#[tokio::test]
async fn an_answer_that_was_not_asked_for_is_aborted() {
    for (id, syntax) in [(9, EXPLICIT), (1, "1.2.840.10008.1.2.4.50")] {
        let (near, mut far) = duplex(64 << 10);
        let answering = tokio::spawn(async move {
            let mut request = [0; 6];
            far.read_exact(&mut request).await.unwrap();
            let length = u32::from_be_bytes(request[2..].try_into().unwrap());
            let mut body = vec![0; length as usize];
            far.read_exact(&mut body).await.unwrap();
            let mut accept = body[..68].to_vec();
            accept.extend([0x10, 0, 0, 21]);
            accept.extend(b"1.2.840.10008.3.1.1.1");
            let syntax_bytes = u8::try_from(syntax.len()).unwrap();
            accept.extend([0x21, 0, 0, 8 + syntax_bytes, id, 0, 0, 0, 0x40, 0, 0, syntax_bytes]);
            accept.extend(syntax.as_bytes());
            let mut pdu = vec![2, 0];
            pdu.extend(u32::try_from(accept.len()).unwrap().to_be_bytes());
            pdu.extend(accept);
            far.write_all(&pdu).await.unwrap();
            let mut answer = Vec::new();
            far.read_to_end(&mut answer).await.unwrap();
            answer
        });
        let error = propose(near, &proposal(), &limits()).await.unwrap_err();
        assert!(matches!(error, ProposalError::Association(_)), "{error}");
        assert_eq!(answering.await.unwrap(), [7, 0, 0, 0, 0, 4, 0, 0, 2, 6]);
    }
}

#[tokio::test]
async fn fragments_out_of_place_are_errors_with_the_right_abort() {
    let data = |context, control: u8| [4, 0, 0, 0, 0, 6, 0, 0, 0, 2, context, control];
    let cases: [(&[u8], &str); 6] = [
        (&data(1, 2), "data set without a command"),
        (&data(3, 3), "presentation context 3"),
        (&[1, 0, 0, 0, 0, 68], "A-ASSOCIATE"),
        (&[4, 0, 0, 0, 0, 68], "no rest of a PDU"),
        (&[6, 0, 0, 0, 0, 4, 0, 0, 0, 0], "A-RELEASE-RP"),
        (&[4, 0, 0, 0, 0, 6, 0, 0, 0, 3, 1, 3], "malformed"),
    ];
    for (bytes, expected) in cases {
        let (mut near, far) = duplex(1 << 10);
        let context =
            Context { id: 1, class: uid(CT), transfer_syntax: TransferSyntax::new(uid(EXPLICIT)) };
        let mut scp = Association::new(PduStream::new(far, limits()), vec![context], 0);
        near.write_all(bytes).await.unwrap();
        let error = scp.next_command(WAIT).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.abort_source().is_some());
    }
}

#[tokio::test]
async fn an_endless_command_is_cut_off() {
    let (mut near, far) = duplex(1 << 20);
    let context =
        Context { id: 1, class: uid(CT), transfer_syntax: TransferSyntax::new(uid(EXPLICIT)) };
    let mut scp = Association::new(PduStream::new(far, limits()), vec![context], 0);
    let mut pdu = vec![4, 0, 0, 0, 16, 6, 0, 0, 16, 2, 1, 1];
    pdu.extend([0; 4096]);
    for _ in 0..5 {
        near.write_all(&pdu).await.unwrap();
    }
    let error = scp.next_command(WAIT).await.unwrap_err();
    assert!(matches!(error, AssociationError::Command(CommandError::TooLong { .. })), "{error}");
}

#[tokio::test]
async fn both_sides_may_ask_for_release_at_once() {
    let (scu, scp) = pair().await;
    let (one, other) = tokio::join!(scu.release(), scp.release());
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
}
