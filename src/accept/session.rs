//! One association from the first command to its end.

use std::net::IpAddr;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::time::{Instant, timeout, timeout_at};

use super::commitment::Owed;
use super::intake::Intake;
use super::{Admitted, Arrival, Door, Refused};
use crate::dicom::AeTitle;
use crate::dimse::association::Message;
use crate::dimse::command::{C_CANCEL_RQ, C_ECHO_RQ, C_STORE_RQ, RESPONSE, Remark};
use crate::dimse::scu::VERIFICATION;
use crate::dimse::{Association, AssociationError, Transport, status};

/// Bytes of a data set that are gathered before they are written: each write hands
/// the runtime's thread over. 256 KiB: two for a CT slice; with what a buffer grows by
/// at most 24 MiB for 64 associations.
const GATHERED_BYTES: usize = 256 << 10;
/// How long they are gathered, and how long the room for them is kept for the next ones.
/// 1 s: a sender that is slower, or stops, has none of it.
const GATHERED_FOR: Duration = Duration::from_secs(1);

/// Who sends, after admission.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) admitted: Admitted,
    pub(super) calling: AeTitle,
    pub(super) called: AeTitle,
    pub(super) peer: IpAddr,
}

/// What one association brought, for its line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) stored: u64,
    pub(super) refused: u64,
    pub(super) echoes: u64,
    pub(super) bytes: u64,
}

/// The service on one association.
pub(super) struct Session<'a> {
    pub(super) door: &'a Door,
    pub(super) caller: &'a Caller,
    pub(super) tally: &'a mut Tally,
    /// Reports of ours that were not answered yet.
    pub(super) owed: Vec<Owed>,
}

impl Session<'_> {
    /// Answers one command, whatever it is.
    pub(super) async fn answer<S: Transport>(
        &mut self,
        association: &mut Association<S>,
        message: Message,
    ) -> Result<(), AssociationError> {
        if Self::is_of_commitment(association, &message) {
            return self.answer_commitment(association, &message).await;
        }
        let field = message.command.field();
        if field & RESPONSE != 0 {
            return Err(AssociationError::OutOfTurn { what: "response" });
        }
        if field == C_STORE_RQ {
            return self.answer_store(association, &message).await;
        }
        skip_data_set(association, &message).await?;
        match field {
            C_ECHO_RQ => {
                self.tally.echoes = self.tally.echoes.saturating_add(1);
                respond(association, &message, status::SUCCESS, Remark::default()).await
            }
            // Nothing is pending when it arrives, and it has no response (PS3.7 §9.3.2.3).
            C_CANCEL_RQ => Ok(()),
            _unknown => {
                let refused = Refused::UnknownCommand;
                respond(association, &message, refused.status(), refused.remark()).await
            }
        }
    }

    async fn answer_store<S: Transport>(
        &mut self,
        association: &mut Association<S>,
        message: &Message,
    ) -> Result<(), AssociationError> {
        let outcome = match self.arrival(association, message) {
            Ok(arrival) => self.receive(association, message.context_id, &arrival).await?,
            Err(refused) => {
                skip_data_set(association, message).await?;
                Err(refused)
            }
        };
        match outcome {
            Ok(bytes) => {
                self.tally.stored = self.tally.stored.saturating_add(1);
                self.tally.bytes = self.tally.bytes.saturating_add(bytes);
                respond(association, message, status::SUCCESS, Remark::default()).await
            }
            Err(refused) => {
                self.tally.refused = self.tally.refused.saturating_add(1);
                respond(association, message, refused.status(), refused.remark()).await
            }
        }
    }

    /// What the command promises, checked against its context.
    fn arrival<S: Transport>(
        &self,
        association: &Association<S>,
        message: &Message,
    ) -> Result<Arrival, Refused> {
        let command = &message.command;
        let context = association.context(message.context_id).ok_or(Refused::NotOfContext)?;
        let class = command
            .class()
            .filter(|class| *class == context.class && class.as_str() != VERIFICATION)
            .ok_or(Refused::NotOfContext)?;
        let instance = command.instance().ok_or(Refused::BadInstance)?;
        if !command.has_data_set() {
            return Err(Refused::NoDataSet);
        }
        Ok(Arrival {
            project: self.caller.admitted.project.clone(),
            calling_ae: self.caller.calling.clone(),
            called_ae: self.caller.called.clone(),
            peer: self.caller.peer,
            sop_class: class,
            sop_instance: instance,
            transfer_syntax: context.transfer_syntax.clone(),
        })
    }

    /// Reads the data set to its end, whatever becomes of it; returns its
    /// length when it is kept.
    async fn receive<S: Transport>(
        &self,
        association: &mut Association<S>,
        context_id: u8,
        arrival: &Arrival,
    ) -> Result<Result<u64, Refused>, AssociationError> {
        let store = self.door.store.as_ref();
        let mut open = match blocking(|| Intake::open(store, arrival)) {
            Ok(open) => open,
            Err(refused) => {
                // The refusal is told when the data set is over.
                association.skip_data_set(context_id).await?;
                return Ok(Err(refused));
            }
        };
        let mut gathered = Vec::new();
        loop {
            let is_last = gather(association, context_id, &mut gathered).await?;
            if is_last {
                return Ok(blocking(|| {
                    open.take(&gathered)?;
                    let bytes = open.bytes;
                    open.finish().map(|()| bytes)
                }));
            }
            if let Err(refused) = blocking(|| open.take(&gathered)) {
                // What was written so far is removed.
                drop(open);
                association.skip_data_set(context_id).await?;
                return Ok(Err(refused));
            }
        }
    }
}

/// Gathers what comes next of a data set in place of what was gathered before, until it
/// is enough for a write or long enough ago that it began; whether that was the last.
async fn gather<S: Transport>(
    association: &mut Association<S>,
    context_id: u8,
    gathered: &mut Vec<u8>,
) -> Result<bool, AssociationError> {
    if gathered.len() < GATHERED_BYTES {
        // Time ended it: the next may come as slowly.
        *gathered = Vec::new();
    }
    gathered.clear();
    let first = timeout(GATHERED_FOR, append_piece(association, context_id, gathered)).await;
    let mut is_last = if let Ok(appended) = first {
        appended?
    } else {
        // However long it is waited for, the room of the last write is free meanwhile.
        *gathered = Vec::new();
        append_piece(association, context_id, gathered).await?
    };
    let until = Instant::now() + GATHERED_FOR;
    while !is_last && gathered.len() < GATHERED_BYTES {
        let next = append_piece(association, context_id, gathered);
        let Ok(appended) = timeout_at(until, next).await else { break };
        is_last = appended?;
    }
    Ok(is_last)
}

/// May be dropped while it waits.
async fn append_piece<S: Transport>(
    association: &mut Association<S>,
    context_id: u8,
    gathered: &mut Vec<u8>,
) -> Result<bool, AssociationError> {
    let piece = association.next_piece(context_id).await?;
    gathered.extend_from_slice(piece.bytes);
    Ok(piece.is_last)
}

/// A step that blocks for the length of a disk write or sync. On a runtime with one
/// thread, as in tests whose hours take no time, there is nobody to hand over to.
fn blocking<T>(step: impl FnOnce() -> T) -> T {
    if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
        return tokio::task::block_in_place(step);
    }
    step()
}

/// Reads past the data set of a message that is not stored, if it has one.
async fn skip_data_set<S: Transport>(
    association: &mut Association<S>,
    message: &Message,
) -> Result<(), AssociationError> {
    if message.command.has_data_set() {
        association.skip_data_set(message.context_id).await?;
    }
    Ok(())
}

async fn respond<S: Transport>(
    association: &mut Association<S>,
    message: &Message,
    status: u16,
    remark: Remark,
) -> Result<(), AssociationError> {
    message.command.message_id()?;
    let response = message.command.response(status, remark);
    association.send_command(message.context_id, &response).await
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, duplex};

    use super::*;
    use crate::accept::StorageOffer;
    use crate::dicom::TransferSyntax;
    use crate::dimse::Limits;
    use crate::dimse::association::Outgoing;
    use crate::dimse::association::acceptor::receive_request;
    use crate::dimse::association::requestor::{Proposal, propose};

    const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
    const EXPLICIT: &str = "1.2.840.10008.1.2.1";

    #[tokio::test(start_paused = true)]
    async fn what_came_of_a_message_that_stops_is_handed_on_and_its_room_is_free() {
        // What the other side gives the network at once.
        const LESS: usize = 128 << 10;
        let limits = Limits { pdu_bytes_max: 6 + (32 << 10), ..Limits::default() };
        let (near, far) = duplex(1 << 20);
        let accepting = tokio::spawn(async move {
            let pending = receive_request(far, &limits).await.unwrap();
            pending.accept(&StorageOffer { private_classes: false }).await.unwrap()
        });
        let syntaxes = vec![TransferSyntax::new(EXPLICIT.parse().unwrap())];
        let proposal = Proposal {
            provides: Vec::new(),
            called: "AIRLOCK".parse().unwrap(),
            calling: "CART".parse().unwrap(),
            contexts: vec![(CT.parse().unwrap(), syntaxes)],
        };
        let (mut scu, _) = propose(near, &proposal, &Limits::default()).await.unwrap();
        let mut scp = accepting.await.unwrap();
        let whole = (0..400_000_u32).map(|at| at.to_be_bytes()[3]).collect::<Vec<_>>();
        let bytes = u64::try_from(whole.len()).unwrap();
        let (mut feed, reader) = duplex(1 << 20);
        let sending = tokio::spawn(async move {
            scu.send_data_set(1, &mut Outgoing { reader, bytes }).await.map(|()| scu)
        });
        // What is handed over at once, and after what time; then it stops.
        let steps = [
            (0..GATHERED_BYTES, Duration::ZERO),
            (GATHERED_BYTES..GATHERED_BYTES + LESS, GATHERED_FOR),
        ];
        let mut gathered = Vec::new();
        for (part, after) in steps {
            feed.write_all(&whole[part.clone()]).await.unwrap();
            let begun = Instant::now();
            assert!(!gather(&mut scp, 1, &mut gathered).await.unwrap());
            assert_eq!(begun.elapsed().as_secs(), after.as_secs());
            assert_eq!(gathered, &whole[part]);
            let more = timeout(5 * GATHERED_FOR, gather(&mut scp, 1, &mut gathered)).await;
            assert!(more.is_err() && gathered.capacity() == 0, "{}", gathered.capacity());
        }
        feed.write_all(&whole[GATHERED_BYTES + LESS..]).await.unwrap();
        assert!(gather(&mut scp, 1, &mut gathered).await.unwrap());
        assert_eq!(gathered, &whole[GATHERED_BYTES + LESS..]);
        let _open = sending.await.unwrap().unwrap();
    }
}
