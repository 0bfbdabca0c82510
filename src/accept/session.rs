//! One association from the first command to its end.

use std::net::IpAddr;

use tokio::runtime::{Handle, RuntimeFlavor};

use super::commitment::Owed;
use super::intake::Intake;
use super::{Admitted, Arrival, Door, Refused};
use crate::dicom::AeTitle;
use crate::dimse::association::Message;
use crate::dimse::command::{C_CANCEL_RQ, C_ECHO_RQ, C_STORE_RQ, RESPONSE, Remark};
use crate::dimse::scu::VERIFICATION;
use crate::dimse::{Association, AssociationError, Transport, status};

/// Bytes of a data set that are gathered before they are written: each write hands
/// the runtime's thread over. 256 KiB: two for a CT slice, 16 MiB for 64 associations.
const GATHERED_BYTES: usize = 256 << 10;

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
            let piece = association.next_piece(context_id).await?;
            gathered.extend_from_slice(piece.bytes);
            if piece.is_last {
                return Ok(blocking(|| {
                    open.take(&gathered)?;
                    let bytes = open.bytes;
                    open.finish().map(|()| bytes)
                }));
            }
            if gathered.len() < GATHERED_BYTES {
                continue;
            }
            if let Err(refused) = blocking(|| open.take(&gathered)) {
                // What was written so far is removed.
                drop(open);
                association.skip_data_set(context_id).await?;
                return Ok(Err(refused));
            }
            gathered.clear();
        }
    }
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
