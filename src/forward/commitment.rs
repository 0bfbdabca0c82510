//! Storage Commitment at a destination (PS3.4 Annex J): asking on an association
//! of ours, and hearing the reports that come on it.
//!
//! Keeps no state: which request is open, and what a report means, `pipeline` knows.

use std::time::Duration;

use crate::dicom::Uid;
use crate::dimse::association::Association;
use crate::dimse::association::requestor::ProposalError;
use crate::dimse::command::{N_ACTION_RQ, N_EVENT_REPORT_RQ, RESPONSE};
use crate::dimse::commitment::{
    PUSH_MODEL, contexts, receive_report, respond, send_report, send_request,
};
use crate::dimse::scu::{OpenError, connect};
use crate::dimse::tls::Wire;
use crate::dimse::{Limits, status};

pub use crate::dimse::association::{AssociationError, Message};
pub use crate::dimse::commitment::{Reference, Refusal, Report, Request};
pub use crate::dimse::scu::Address;

/// Why a destination could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No association: the destination is left alone for a while.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It does not offer the service: a person has to configure it.
    #[error("the peer does not take Storage Commitment")]
    NotOffered,
    /// The association broke: whether the request was taken is not known.
    #[error(transparent)]
    Association(#[from] AssociationError),
}

impl AskError {
    /// Only a person can mend it.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::NotOffered => true,
            Self::Open(OpenError::Proposal(ProposalError::Rejected { result, .. })) => *result == 1,
            Self::Open(_) | Self::Association(_) => false,
        }
    }
}

/// What comes on the association.
#[derive(Debug)]
pub enum Heard {
    /// The answer to the N-ACTION of this Message ID, or to our report: its status.
    Answer(u16, u16),
    /// A report, to be answered by [`Asking::confirm`].
    Report(Box<Message>, Result<Report, Refusal>),
    /// The peer asks for release.
    Release,
}

/// An association for Storage Commitment.
#[derive(Debug)]
pub struct Asking {
    association: Association<Wire>,
    context_id: u8,
}

impl Asking {
    /// Opens one on which we ask.
    ///
    /// # Errors
    /// [`AskError`]; nothing stays open.
    pub async fn open(address: &Address, limits: &Limits) -> Result<Self, AskError> {
        Self::over(address, None, limits).await
    }

    async fn over(
        address: &Address,
        provides: Option<Uid>,
        limits: &Limits,
    ) -> Result<Self, AskError> {
        let (association, _refused) = connect(address, contexts(), provides, limits).await?;
        let context_id = association.contexts().next().map(|context| context.id);
        match context_id {
            Some(context_id) => Ok(Self { association, context_id }),
            None => {
                release(association).await;
                Err(AskError::NotOffered)
            }
        }
    }

    /// Sends a request; returns its Message ID.
    ///
    /// # Errors
    /// [`AssociationError`], to be given to [`Asking::fail`].
    pub async fn ask(&mut self, request: &Request) -> Result<u16, AssociationError> {
        send_request(&mut self.association, self.context_id, request).await
    }

    /// How long an answer may take.
    #[must_use]
    pub fn answer_wait(&self) -> Duration {
        self.association.answer_wait()
    }

    /// Returns when something comes. May be dropped.
    ///
    /// # Errors
    /// [`AssociationError`], to be given to [`Asking::fail`].
    pub async fn comes(&mut self) -> Result<(), AssociationError> {
        self.association.comes().await
    }

    /// What an answer to nothing, or a release before the answer, is.
    #[must_use]
    pub fn out_of_turn(&self) -> AssociationError {
        AssociationError::OutOfTurn { what: "answer or release" }
    }

    /// What comes next, waited for at most `wait`. May be dropped while it waits
    /// for the first byte of a message.
    ///
    /// # Errors
    /// [`AssociationError`], to be given to [`Asking::fail`].
    pub async fn hear(&mut self, wait: Duration) -> Result<Heard, AssociationError> {
        let Some(message) = self.association.next_command(wait).await? else {
            return Ok(Heard::Release);
        };
        let command = &message.command;
        let field = command.field();
        if field == N_EVENT_REPORT_RQ {
            let report = receive_report(&mut self.association, &message).await?;
            return Ok(Heard::Report(Box::new(message), report));
        }
        if field & RESPONSE == 0 {
            return Err(AssociationError::OutOfTurn { what: "request to its requestor" });
        }
        if command.has_data_set() {
            self.association.skip_data_set(message.context_id).await?;
        }
        if ![N_ACTION_RQ, N_EVENT_REPORT_RQ].contains(&(field & !RESPONSE)) {
            return Err(AssociationError::OutOfTurn { what: "response to nothing" });
        }
        Ok(Heard::Answer(command.responded_to()?, command.status()?))
    }

    /// Answers a report.
    ///
    /// # Errors
    /// [`AssociationError`], to be given to [`Asking::fail`].
    pub async fn confirm(
        &mut self,
        message: &Message,
        outcome: Result<(), Refusal>,
    ) -> Result<(), AssociationError> {
        respond(&mut self.association, message, outcome).await
    }

    /// Answers the peer's request for release.
    pub async fn released(self) {
        self.association.accept_release().await;
    }

    /// Releases it.
    pub async fn end(self) {
        release(self.association).await;
    }

    /// Ends it after an error.
    pub async fn fail(self, error: &AssociationError) {
        self.association.fail(error).await;
    }
}

/// Reports to a sender on an association of ours, on which we are the provider.
///
/// # Errors
/// [`AskError`]; a status other than 0000 is one of the association's.
pub async fn report_to(
    address: &Address,
    report: &Report,
    limits: &Limits,
) -> Result<(), AskError> {
    let mut asking = Asking::over(address, Some(Uid::constant(PUSH_MODEL)), limits).await?;
    match told(&mut asking, report).await {
        Ok(()) => {
            asking.end().await;
            Ok(())
        }
        Err(error) => {
            asking.fail(&error).await;
            Err(error.into())
        }
    }
}

async fn told(asking: &mut Asking, report: &Report) -> Result<(), AssociationError> {
    let sent = send_report(&mut asking.association, asking.context_id, report).await?;
    match asking.hear(asking.answer_wait()).await? {
        Heard::Answer(to, status::SUCCESS) if to == sent => Ok(()),
        Heard::Answer(..) => Err(AssociationError::OutOfTurn { what: "refusal of our report" }),
        Heard::Report(..) => Err(AssociationError::OutOfTurn { what: "report" }),
        Heard::Release => Err(AssociationError::OutOfTurn { what: "A-RELEASE-RQ" }),
    }
}

/// All answers were heard before, so that a failed release changes nothing.
async fn release(association: Association<Wire>) {
    if let Err(error) = association.release().await {
        tracing::debug!(%error, "release failed");
    }
}
