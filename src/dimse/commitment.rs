//! Storage Commitment Push Model (PS3.4 Annex J): its two data sets, and the
//! messages that carry them, in both roles.
//!
//! In: an association. Out: a checked [`Request`] or [`Report`], or the
//! [`Refusal`] that its sender is told. Whether a transaction is known, and what
//! is kept, others decide.
//!
//! Invariant: no data set is read beyond [`DATA_SET_BYTES_MAX`], and no more
//! instances are held than [`REFERENCES_MAX`].

use std::io::Cursor;

use super::association::{Association, AssociationError, Message, Outgoing};
use super::command::{CommandSet, N_ACTION_RQ, N_EVENT_REPORT_RQ, Remark};
use super::status::{self, statuses};
use super::transport::Transport;
use crate::dicom::read::{ReadLimits, read_data_set};
use crate::dicom::transfer_syntax::{EXPLICIT_VR_LE, IMPLICIT_VR_LE};
use crate::dicom::write::{WriteError, plain_bytes};
use crate::dicom::{DataSet, Element, Tag, TransferSyntax, Uid, VR, Value};

/// Storage Commitment Push Model SOP Class (PS3.4 §J.3).
pub const PUSH_MODEL: &str = "1.2.840.10008.1.20.1";
/// Its well-known SOP Instance (PS3.4 §J.3.5).
pub const PUSH_MODEL_INSTANCE: &str = "1.2.840.10008.1.20.1.1";
/// Action Type ID "Request Storage Commitment" (PS3.4 Table J.3-1).
pub const REQUEST: u16 = 1;
/// Event Type ID "Storage Commitment Request Successful" (PS3.4 Table J.3-2).
pub const ALL_COMMITTED: u16 = 1;
/// Event Type ID "Storage Commitment Request Complete - Failures Exist".
pub const SOME_FAILED: u16 = 2;

/// Longest data set of either message. Default 4 MiB: 20,000 references with
/// everything that may stand in them.
pub const DATA_SET_BYTES_MAX: usize = 4 << 20;
/// Most references of one message. Default 20,000: above any study.
pub const REFERENCES_MAX: usize = 20_000;

/// Deepest nesting of either data set. Default 8: the standard has one level.
const DEPTH_MAX: u32 = 8;
/// Most elements and items of either. Default 160,000: eight for each reference.
const ELEMENTS_MAX: u32 = 160_000;

/// Failure Reason (0008,1197): processing failure.
pub const PROCESSING_FAILURE: u16 = 0x0110;
/// Failure Reason: no such object instance.
pub const NO_SUCH_INSTANCE: u16 = 0x0112;
/// Failure Reason: class / instance conflict.
pub const CLASS_INSTANCE_CONFLICT: u16 = 0x0119;

const TRANSACTION: Tag = Tag(0x0008, 0x1195);
const FAILURE_REASON: Tag = Tag(0x0008, 0x1197);
const FAILED: Tag = Tag(0x0008, 0x1198);
const REFERENCED: Tag = Tag(0x0008, 0x1199);
const CLASS: Tag = Tag(0x0008, 0x1150);
const INSTANCE: Tag = Tag(0x0008, 0x1155);

/// An instance that a message is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// SOP class.
    pub class: Uid,
    /// SOP instance.
    pub instance: Uid,
}

/// What an SCP is asked to keep (PS3.4 Table J.3-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Transaction UID.
    pub transaction: Uid,
    /// The instances.
    pub references: Vec<Reference>,
}

/// What an SCP says of a request (PS3.4 Table J.3-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Transaction UID of the request.
    pub transaction: Uid,
    /// What it keeps.
    pub committed: Vec<Reference>,
    /// What it does not, with its Failure Reason.
    pub failed: Vec<(Reference, u16)>,
}

statuses! {
    /// Why an N-ACTION or N-EVENT-REPORT is not acted on (PS3.7 §C.5).
    Refusal

    /// Reports and requests that cannot be noted now.
    Failed = status::PROCESSING_FAILURE, "not noted, send it again",
        "an error inside airlock: the disk, or too many requests at once";
    /// Not the well-known instance.
    OtherInstance = status::NO_SUCH_INSTANCE, "not the well-known SOP instance",
        "the SOP Instance UID is not the well-known one";
    /// Not an event of the service.
    OtherEvent = status::NO_SUCH_EVENT, "event type is neither 1 nor 2",
        "N-EVENT-REPORT with another Event Type ID than 1 and 2";
    /// A report on nothing that we asked for.
    UnknownTransaction = status::INVALID_ARGUMENT, "no such transaction",
        "N-EVENT-REPORT with a Transaction UID that this destination was not given, or answered before";
    /// Not a data set of the service.
    Unreadable = status::INVALID_ARGUMENT, "data set unreadable or without its UIDs",
        "the data set cannot be read, has no Transaction UID, or a reference lacks its UIDs";
    /// Not the class.
    OtherClass = status::NO_SUCH_CLASS, "not the class of the context",
        "the SOP Class UID is not the Push Model's";
    /// Not an action of the service.
    OtherAction = status::NO_SUCH_ACTION, "action type is not 1",
        "N-ACTION with another Action Type ID than 1";
    /// The role is the other one's.
    NotAllowed = status::NOT_AUTHORIZED, "not in this role",
        "N-ACTION from a sender without `sender.NAME.commitment`; N-EVENT-REPORT from no destination that was asked";
    /// Nothing to act on.
    NoDataSet = status::MISTYPED_ARGUMENT, "no data set",
        "the command says that no data set follows";
    /// Longer than is read.
    TooLong = status::RESOURCE_LIMITATION, "too many references",
        "more than 20,000 references, or 4 MiB";
}

impl Request {
    /// The data set of an N-ACTION.
    ///
    /// # Errors
    /// [`WriteError`]: a bug.
    pub fn encode(&self, explicit_vr: bool) -> Result<Vec<u8>, WriteError> {
        let references = self.references.iter().map(|reference| item(reference, None)).collect();
        let set =
            DataSet::from_iter([uid(TRANSACTION, &self.transaction), of(REFERENCED, references)]);
        plain_bytes(&set, explicit_vr)
    }

    /// Reads the data set of an N-ACTION.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn decode(bytes: &[u8], explicit_vr: bool) -> Result<Self, Refusal> {
        let set = data_set(bytes, explicit_vr)?;
        let references: Vec<_> = references(&set, REFERENCED)?;
        if references.is_empty() {
            return Err(Refusal::Unreadable);
        }
        let references = references.into_iter().map(|(reference, _)| reference).collect();
        Ok(Self { transaction: transaction(&set)?, references })
    }
}

impl Report {
    /// Event Type ID.
    #[must_use]
    pub fn event(&self) -> u16 {
        if self.failed.is_empty() { ALL_COMMITTED } else { SOME_FAILED }
    }

    /// The data set of an N-EVENT-REPORT.
    ///
    /// # Errors
    /// [`WriteError`]: a bug.
    pub fn encode(&self, explicit_vr: bool) -> Result<Vec<u8>, WriteError> {
        let mut set = DataSet::from_iter([uid(TRANSACTION, &self.transaction)]);
        // Each sequence stands only when it has items (PS3.4 Table J.3-2).
        if !self.committed.is_empty() {
            let items = self.committed.iter().map(|reference| item(reference, None)).collect();
            set.put(of(REFERENCED, items));
        }
        if !self.failed.is_empty() {
            let items = self.failed.iter().map(|(reference, why)| item(reference, Some(*why)));
            set.put(of(FAILED, items.collect()));
        }
        plain_bytes(&set, explicit_vr)
    }

    /// Reads the data set of an N-EVENT-REPORT. What stands in Failed SOP Sequence
    /// has failed, whatever the event type says; a missing Failure Reason is a
    /// processing failure.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn decode(bytes: &[u8], explicit_vr: bool) -> Result<Self, Refusal> {
        let set = data_set(bytes, explicit_vr)?;
        let committed = references(&set, REFERENCED)?;
        let failed = references(&set, FAILED)?;
        if committed.len().saturating_add(failed.len()) > REFERENCES_MAX {
            return Err(Refusal::TooLong);
        }
        let reason =
            |(reference, why): (_, Option<u16>)| (reference, why.unwrap_or(PROCESSING_FAILURE));
        Ok(Self {
            transaction: transaction(&set)?,
            committed: committed.into_iter().map(|(reference, _)| reference).collect(),
            failed: failed.into_iter().map(reason).collect(),
        })
    }
}

/// Reads an N-ACTION to its end.
///
/// # Errors
/// [`AssociationError`], to be given to [`Association::fail`].
pub async fn receive_request<S: Transport>(
    association: &mut Association<S>,
    message: &Message,
) -> Result<Result<Request, Refusal>, AssociationError> {
    let command = &message.command;
    let named = (command.requested_class(), command.requested_instance());
    let wanted = command.action_type() == Some(REQUEST);
    let of_kind = if wanted { Ok(()) } else { Err(Refusal::OtherAction) };
    let bytes = receive(association, message, named).await?;
    let explicit_vr = is_explicit(association, message.context_id);
    Ok(bytes.and_then(|bytes| of_kind.and_then(|()| Request::decode(&bytes, explicit_vr))))
}

/// Reads an N-EVENT-REPORT to its end.
///
/// # Errors
/// [`AssociationError`], to be given to [`Association::fail`].
pub async fn receive_report<S: Transport>(
    association: &mut Association<S>,
    message: &Message,
) -> Result<Result<Report, Refusal>, AssociationError> {
    let command = &message.command;
    let named = (command.class(), command.instance());
    let known = matches!(command.event_type(), Some(ALL_COMMITTED | SOME_FAILED));
    let of_kind = if known { Ok(()) } else { Err(Refusal::OtherEvent) };
    let bytes = receive(association, message, named).await?;
    let explicit_vr = is_explicit(association, message.context_id);
    Ok(bytes.and_then(|bytes| of_kind.and_then(|()| Report::decode(&bytes, explicit_vr))))
}

/// Answers an N-ACTION or N-EVENT-REPORT.
///
/// # Errors
/// [`AssociationError`], to be given to [`Association::fail`].
pub async fn respond<S: Transport>(
    association: &mut Association<S>,
    message: &Message,
    outcome: Result<(), Refusal>,
) -> Result<(), AssociationError> {
    message.command.message_id()?;
    let (status, comment) = match outcome {
        Ok(()) => (status::SUCCESS, None),
        Err(refusal) => (refusal.status(), Some(refusal.comment())),
    };
    let remark = Remark { comment, offending: None };
    let response = message.command.response(status, remark);
    association.send_command(message.context_id, &response).await
}

/// Sends an N-ACTION; returns its Message ID.
///
/// # Errors
/// [`AssociationError`], to be given to [`Association::fail`].
pub async fn send_request<S: Transport>(
    association: &mut Association<S>,
    context_id: u8,
    request: &Request,
) -> Result<u16, AssociationError> {
    let explicit_vr = is_explicit(association, context_id);
    let message_id = association.next_message_id();
    let command = CommandSet::n_request(N_ACTION_RQ, message_id, REQUEST);
    send(association, context_id, (&command, request.encode(explicit_vr))).await?;
    Ok(message_id)
}

/// Sends an N-EVENT-REPORT; returns its Message ID.
///
/// # Errors
/// [`AssociationError`], to be given to [`Association::fail`].
pub async fn send_report<S: Transport>(
    association: &mut Association<S>,
    context_id: u8,
    report: &Report,
) -> Result<u16, AssociationError> {
    let explicit_vr = is_explicit(association, context_id);
    let message_id = association.next_message_id();
    let command = CommandSet::n_request(N_EVENT_REPORT_RQ, message_id, report.event());
    send(association, context_id, (&command, report.encode(explicit_vr))).await?;
    Ok(message_id)
}

/// What we propose, in either role.
#[must_use]
pub fn contexts() -> Vec<(Uid, Vec<TransferSyntax>)> {
    let syntaxes =
        [EXPLICIT_VR_LE, IMPLICIT_VR_LE].map(|uid| TransferSyntax::new(Uid::constant(uid)));
    vec![(Uid::constant(PUSH_MODEL), syntaxes.into())]
}

async fn send<S: Transport>(
    association: &mut Association<S>,
    context_id: u8,
    (command, bytes): (&CommandSet, Result<Vec<u8>, WriteError>),
) -> Result<(), AssociationError> {
    let bytes = bytes
        .map_err(|error| AssociationError::Source(std::io::Error::other(error.to_string())))?;
    association.send_command(context_id, command).await?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let mut outgoing = Outgoing { reader: bytes.as_slice(), bytes: length };
    association.send_data_set(context_id, &mut outgoing).await
}

async fn receive<S: Transport>(
    association: &mut Association<S>,
    message: &Message,
    (class, instance): (Option<Uid>, Option<Uid>),
) -> Result<Result<Vec<u8>, Refusal>, AssociationError> {
    if !message.command.has_data_set() {
        return Ok(Err(Refusal::NoDataSet));
    }
    let mut bytes = Vec::new();
    loop {
        let piece = association.next_piece(message.context_id).await?;
        let (is_last, room) = (piece.is_last, DATA_SET_BYTES_MAX.saturating_sub(bytes.len()));
        if piece.bytes.len() > room {
            if !is_last {
                association.skip_data_set(message.context_id).await?;
            }
            return Ok(Err(Refusal::TooLong));
        }
        bytes.extend_from_slice(piece.bytes);
        if is_last {
            break;
        }
    }
    let is = |uid: Option<Uid>, wanted: &str| uid.is_some_and(|uid| uid.as_str() == wanted);
    Ok(if !is(class, PUSH_MODEL) {
        Err(Refusal::OtherClass)
    } else if !is(instance, PUSH_MODEL_INSTANCE) {
        Err(Refusal::OtherInstance)
    } else {
        Ok(bytes)
    })
}

fn is_explicit<S: Transport>(association: &Association<S>, context_id: u8) -> bool {
    let context = association.context(context_id);
    context.is_some_and(|context| context.transfer_syntax.as_str() == EXPLICIT_VR_LE)
}

fn uid(tag: Tag, uid: &Uid) -> Element {
    Element::bytes(tag, VR::UI, uid.as_str())
}

fn of(tag: Tag, items: Vec<DataSet>) -> Element {
    Element { tag, vr: VR::SQ, value: Value::Items(items) }
}

fn item(reference: &Reference, failure: Option<u16>) -> DataSet {
    let failure = failure.map(|why| Element::bytes(FAILURE_REASON, VR::US, why.to_le_bytes()));
    let uids = [uid(CLASS, &reference.class), uid(INSTANCE, &reference.instance)];
    uids.into_iter().chain(failure).collect()
}

fn data_set(bytes: &[u8], explicit_vr: bool) -> Result<DataSet, Refusal> {
    use crate::dicom::Encoding;
    let encoding = if explicit_vr { Encoding::EXPLICIT_LE } else { Encoding::IMPLICIT_LE };
    let limits =
        ReadLimits { depth_max: DEPTH_MAX, elements_max: ELEMENTS_MAX, ..ReadLimits::default() };
    let parsed = read_data_set(&mut Cursor::new(bytes), 0, encoding, &limits);
    parsed.map(|parsed| parsed.set).map_err(|_unreadable| Refusal::Unreadable)
}

fn transaction(set: &DataSet) -> Result<Uid, Refusal> {
    set.ascii(TRANSACTION).and_then(|uid| uid.parse().ok()).ok_or(Refusal::Unreadable)
}

/// The items of a sequence with their Failure Reason; none when it is missing.
fn references(set: &DataSet, tag: Tag) -> Result<Vec<(Reference, Option<u16>)>, Refusal> {
    let Some(element) = set.get(tag) else { return Ok(Vec::new()) };
    // An empty sequence is no sequence in Explicit VR alone.
    let items = element.items().unwrap_or_default();
    if items.len() > REFERENCES_MAX {
        return Err(Refusal::TooLong);
    }
    let uid = |item: &DataSet, tag| item.ascii(tag).and_then(|uid| uid.parse::<Uid>().ok());
    let reference = |item: &DataSet| {
        let (class, instance) = (uid(item, CLASS)?, uid(item, INSTANCE)?);
        Some((Reference { class, instance }, item.us(FAILURE_REASON)))
    };
    items.iter().map(|item| reference(item).ok_or(Refusal::Unreadable)).collect()
}

#[cfg(test)]
mod tests;
