//! Storage Commitment at the door (PS3.4 Annex J): destinations report here what
//! they keep, and senders that may ask are told what we still hold.
//!
//! Who may do which is asked of admission; what is known and held of
//! [`Commitments`]. A report of ours goes out on the sender's association while
//! it is open, else on one of ours.

use std::pin::Pin;

use super::Refused;
use super::session::Session;
use crate::dicom::AeTitle;
use crate::dimse::association::Message;
use crate::dimse::command::{N_ACTION_RQ, N_EVENT_REPORT_RQ, RESPONSE, Remark};
use crate::dimse::commitment::{
    PUSH_MODEL, Refusal, Report, Request, receive_report, receive_request, respond, send_report,
};
use crate::dimse::{Association, AssociationError, Transport, status};

/// Most reports of ours on one association that are not answered yet. Default 16: one
/// more request is refused, and asked again.
const OWED_MAX: usize = 16;
/// Most instances in them together. Default 40,000: two requests of the largest kind.
const OWED_INSTANCES_MAX: usize = 40_000;

/// Something that takes its time.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the door asks about storage commitment.
pub trait Commitments: Send + Sync {
    /// Takes a report of a destination; returns when it is durable.
    fn reported<'a>(
        &'a self,
        destination: &'a str,
        report: Report,
    ) -> Later<'a, Result<(), Refusal>>;
    /// Tells which of these instances, received for its project from whom asks, are
    /// still held.
    fn held<'a>(&'a self, asker: &'a Asker, request: Request)
    -> Later<'a, Result<Report, Refusal>>;
    /// Reports on an association of ours, and tries again; returns at once.
    fn tell(&self, asker: Asker, report: Report);
}

/// Whom a report of ours is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Its name in the configuration.
    pub sender: String,
    /// Whose project its instances are.
    pub project: String,
    /// Its AE title.
    pub calling: AeTitle,
    /// Ours that it called.
    pub called: AeTitle,
}

/// What one caller may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommitmentPolicy {
    /// It is this destination, and may report.
    pub reports_of: Option<String>,
    /// It may ask what we hold.
    pub asks: bool,
    /// It may do nothing else.
    pub alone: bool,
}

impl CommitmentPolicy {
    /// The class is taken.
    pub(super) fn is_taken(&self) -> bool {
        self.reports_of.is_some() || self.asks
    }
}

/// A report that is sent and not answered: its Message ID.
pub(super) type Owed = (u16, Report);

impl Session<'_> {
    /// Whether a message is for this service.
    pub(super) fn is_of_commitment<S: Transport>(
        association: &Association<S>,
        message: &Message,
    ) -> bool {
        let context = association.context(message.context_id);
        context.is_some_and(|context| context.class.as_str() == PUSH_MODEL)
    }

    /// Answers a message on a context of the Push Model, whatever it is.
    pub(super) async fn answer_commitment<S: Transport>(
        &mut self,
        association: &mut Association<S>,
        message: &Message,
    ) -> Result<(), AssociationError> {
        match message.command.field() {
            N_EVENT_REPORT_RQ => self.answer_report(association, message).await,
            N_ACTION_RQ => self.answer_request(association, message).await,
            answer if answer == N_EVENT_REPORT_RQ | RESPONSE => {
                self.hear_answer(association, message).await
            }
            field if field & RESPONSE != 0 => Err(AssociationError::OutOfTurn { what: "response" }),
            _unknown => {
                if message.command.has_data_set() {
                    association.skip_data_set(message.context_id).await?;
                }
                let refused = Refused::UnknownCommand;
                let remark = Remark { comment: Some(refused.comment()), offending: None };
                let response = message.command.response(refused.status(), remark);
                association.send_command(message.context_id, &response).await
            }
        }
    }

    async fn answer_report<S: Transport>(
        &mut self,
        association: &mut Association<S>,
        message: &Message,
    ) -> Result<(), AssociationError> {
        let report = receive_report(association, message).await?;
        let from = self.caller.admitted.policy.commitment.reports_of.as_deref();
        let outcome = match (report, from, &self.door.commitments) {
            (Err(refusal), ..) => Err(refusal),
            (Ok(report), Some(from), Some(book)) => book.reported(from, report).await,
            (Ok(_), ..) => Err(Refusal::NotAllowed),
        };
        if let Err(refusal) = outcome
            && self.door.room.may_tell(self.caller.peer)
        {
            tracing::info!(calling = %self.caller.calling, ?refusal, "report refused");
        }
        respond(association, message, outcome).await
    }

    async fn answer_request<S: Transport>(
        &mut self,
        association: &mut Association<S>,
        message: &Message,
    ) -> Result<(), AssociationError> {
        let request = receive_request(association, message).await?;
        let may = self.caller.admitted.policy.commitment.asks;
        let outcome = match (request, &self.door.commitments) {
            (Err(refusal), _) => Err(refusal),
            (Ok(_), _) if !may => Err(Refusal::NotAllowed),
            (Ok(request), _) if !self.may_owe(request.references.len()) => Err(Refusal::Failed),
            (Ok(request), Some(book)) => book.held(&self.asker(), request).await,
            (Ok(_), None) => Err(Refusal::Failed),
        };
        respond(association, message, outcome.as_ref().map(|_| ()).map_err(|why| *why)).await?;
        let Ok(report) = outcome else { return Ok(()) };
        tracing::info!(
            calling = %self.caller.calling, held = report.committed.len(),
            not_held = report.failed.len(), "asked for storage commitment"
        );
        // Owed from here on: what breaks on the way is told on another association.
        self.owed.push((0, report.clone()));
        let sent = send_report(association, message.context_id, &report).await?;
        if let Some(last) = self.owed.last_mut() {
            last.0 = sent;
        }
        Ok(())
    }

    /// Whether one more report of so many instances may wait for its answer.
    fn may_owe(&self, instances: usize) -> bool {
        let of = |report: &Report| report.committed.len().saturating_add(report.failed.len());
        let owed = self.owed.iter().map(|(_, report)| of(report)).sum::<usize>();
        self.owed.len() < OWED_MAX && owed.saturating_add(instances) <= OWED_INSTANCES_MAX
    }

    fn asker(&self) -> Asker {
        Asker {
            sender: self.caller.admitted.policy.name.clone(),
            project: self.caller.admitted.project.clone(),
            calling: self.caller.calling.clone(),
            called: self.caller.called.clone(),
        }
    }

    async fn hear_answer<S: Transport>(
        &mut self,
        association: &mut Association<S>,
        message: &Message,
    ) -> Result<(), AssociationError> {
        if message.command.has_data_set() {
            association.skip_data_set(message.context_id).await?;
        }
        let to = message.command.responded_to()?;
        if !self.owed.iter().any(|(sent, _)| *sent == to) {
            return Err(AssociationError::OutOfTurn { what: "response to nothing" });
        }
        if message.command.status()? == status::SUCCESS {
            self.owed.retain(|(sent, _)| *sent != to);
        }
        Ok(())
    }

    /// Tells on an association of ours what was not heard on this one.
    pub(super) fn tell_later(&mut self) {
        let Some(book) = &self.door.commitments else { return };
        let asker = self.asker();
        for (_, report) in self.owed.drain(..) {
            book.tell(asker.clone(), report);
        }
    }
}
