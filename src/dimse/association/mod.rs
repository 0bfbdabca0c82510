//! An established association: commands and data sets over it, and its end.
//!
//! [`acceptor`] and [`requestor`] establish it; from then on both roles use
//! the same [`Association`]. Data sets are received as slices of a small
//! buffer and sent from a reader: no data set stands whole in memory.
//!
//! Invariant: every error is answered by [`Association::fail`], which tells
//! the peer with the right source and reason when somebody is left to tell.

pub mod acceptor;
pub mod identity;
pub mod negotiation;
pub mod requestor;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use dicom_ul::pdu::{AbortRQServiceProviderReason as AbortReason, AbortRQSource, Pdu};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

use super::command::{CommandError, CommandSet};
use super::limits::{
    COMMAND_BYTES_MAX, COMMAND_FRAGMENTS_MAX, SENT_AT_ONCE_BYTES, SENT_PDU_BYTES_MAX,
};
use super::pdu::{PDV_HEADER_BYTES, PduError, PduKind, Pdv, pdata_header, read_pdv};
use super::stream::PduStream;
use super::transport::Transport;
use crate::dicom::{TransferSyntax, Uid};

/// How long an A-ABORT is looked for after a write has failed. 100 ms: it has
/// arrived before the reset, or never will.
const LAST_WORDS_WAIT: Duration = Duration::from_millis(100);

/// What ends an association against the plan.
#[derive(Debug, thiserror::Error)]
pub enum AssociationError {
    /// Below the level of messages.
    #[error(transparent)]
    Pdu(#[from] PduError),
    /// A command set without meaning; answered with A-ABORT.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The peer sent A-ABORT.
    #[error("peer aborted: source {from}, reason {reason}")]
    Aborted {
        /// Source, PS3.8 §9.3.8.
        from: u8,
        /// Reason.
        reason: u8,
    },
    /// A PDU or fragment that has no place in this state; answered with A-ABORT.
    #[error("{what} out of turn")]
    OutOfTurn {
        /// What came.
        what: &'static str,
    },
    /// A fragment for a context that was not accepted; answered with A-ABORT.
    #[error("presentation context {id} was not accepted")]
    ForeignContext {
        /// Its number.
        id: u8,
    },
    /// A command, or a data set that was refused, goes on and on; answered with A-ABORT.
    #[error("a command or a refused data set has no end")]
    Endless,
    /// What we were to send cannot be read; answered with A-ABORT.
    #[error("the data set to be sent cannot be read: {0}")]
    Source(#[source] io::Error),
}

impl AssociationError {
    /// What an A-ABORT for this error says; `None` when nobody is left to tell.
    #[must_use]
    pub fn abort_source(&self) -> Option<AbortRQSource> {
        match self {
            Self::Pdu(error) => error.abort_source(),
            Self::Aborted { .. } => None,
            Self::OutOfTurn { .. } => {
                Some(AbortRQSource::ServiceProvider(AbortReason::UnexpectedPdu))
            }
            Self::ForeignContext { .. } => {
                Some(AbortRQSource::ServiceProvider(AbortReason::InvalidPduParameter))
            }
            Self::Command(_) | Self::Source(_) | Self::Endless => Some(AbortRQSource::ServiceUser),
        }
    }
}

/// An accepted presentation context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Its number, odd.
    pub id: u8,
    /// Abstract syntax: the SOP class.
    pub class: Uid,
    /// The one transfer syntax of its data sets.
    pub transfer_syntax: TransferSyntax,
}

/// A received command and the context it came on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Number of the context.
    pub context_id: u8,
    /// The command.
    pub command: CommandSet,
}

/// Bytes of a data set as they came, a fragment or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Bytes of the data set; may be empty.
    pub bytes: &'a [u8],
    /// Nothing follows.
    pub is_last: bool,
}

/// A data set to be sent: exactly `bytes` bytes are read.
#[derive(Debug)]
pub struct Outgoing<R> {
    /// Where it is read from.
    pub reader: R,
    /// Its length.
    pub bytes: u64,
}

/// What came next on the wire.
enum Step {
    /// The head of a presentation data value, or what is left of one.
    Pdv(Pdv),
    ReleaseRequested,
}

/// An established association.
#[derive(Debug)]
pub struct Association<S> {
    stream: PduStream<S>,
    contexts: BTreeMap<u8, Context>,
    /// Longest P-DATA-TF body we may send.
    sent_pdu_bytes: usize,
    /// The presentation data value of which bytes are still to come.
    begun: Option<Pdv>,
    last_message_id: u16,
}

impl<S: Transport> Association<S> {
    /// `peer_pdu_bytes_max` 0 means that the peer states no limit (PS3.8 §D.1.1).
    fn new(mut stream: PduStream<S>, contexts: Vec<Context>, peer_pdu_bytes_max: u32) -> Self {
        stream.establish();
        let sent = match peer_pdu_bytes_max {
            0 => SENT_PDU_BYTES_MAX,
            stated => stated.min(SENT_PDU_BYTES_MAX),
        };
        Self {
            stream,
            contexts: contexts.into_iter().map(|context| (context.id, context)).collect(),
            sent_pdu_bytes: usize::try_from(sent).unwrap_or(0),
            begun: None,
            last_message_id: 0,
        }
    }

    /// The accepted context of this number.
    #[must_use]
    pub fn context(&self, id: u8) -> Option<&Context> {
        self.contexts.get(&id)
    }

    /// All accepted contexts, in the order of their numbers.
    pub fn contexts(&self) -> impl Iterator<Item = &Context> {
        self.contexts.values()
    }

    /// How long an answer of the peer may take.
    #[must_use]
    pub fn answer_wait(&self) -> Duration {
        self.stream.limits().answer
    }

    /// How long the peer may be silent between two messages.
    #[must_use]
    pub fn idle_wait(&self) -> Duration {
        self.stream.limits().idle
    }

    /// The next Message ID; 0 is never given.
    pub fn next_message_id(&mut self) -> u16 {
        self.last_message_id = self.last_message_id.checked_add(1).unwrap_or(1);
        self.last_message_id
    }

    /// Returns when the peer has sent something that is not looked at yet. May be
    /// dropped: nothing received is lost.
    ///
    /// # Errors
    /// [`AssociationError`], to be given to [`Association::fail`].
    pub async fn comes(&mut self) -> Result<(), AssociationError> {
        Ok(self.stream.comes().await?)
    }

    /// The next command, waited for at most `wait`; `None` when the peer asks
    /// for release instead, which [`Association::accept_release`] answers.
    ///
    /// # Errors
    /// [`AssociationError`], to be given to [`Association::fail`].
    pub async fn next_command(
        &mut self,
        wait: Duration,
    ) -> Result<Option<Message>, AssociationError> {
        let mut wait = wait;
        let mut bytes = Vec::new();
        let mut context_id = None;
        for _fragment in 0..COMMAND_FRAGMENTS_MAX {
            let pdv = match self.next_step(wait).await? {
                Step::Pdv(pdv) => pdv,
                Step::ReleaseRequested if context_id.is_none() => return Ok(None),
                Step::ReleaseRequested => return Err(out_of_turn("A-RELEASE-RQ")),
            };
            if !pdv.is_command {
                return Err(out_of_turn("data set without a command"));
            }
            if *context_id.get_or_insert(pdv.context_id) != pdv.context_id {
                return Err(out_of_turn("command on two contexts"));
            }
            let whole = pdv.fragment_bytes.saturating_add(bytes.len());
            if whole > COMMAND_BYTES_MAX {
                return Err(CommandError::TooLong { bytes: whole }.into());
            }
            bytes.extend(self.stream.data(pdv.fragment_bytes, pdv.fragment_bytes).await?);
            if pdv.is_last {
                let command = CommandSet::decode(&bytes)?;
                return Ok(Some(Message { context_id: pdv.context_id, command }));
            }
            wait = self.stream.limits().stall;
        }
        Err(AssociationError::Endless)
    }

    /// The next bytes of the data set that belongs to a command of this context. May be
    /// dropped while it waits: nothing received is lost.
    ///
    /// # Errors
    /// [`AssociationError`], to be given to [`Association::fail`].
    pub async fn next_piece(&mut self, context_id: u8) -> Result<Piece<'_>, AssociationError> {
        let stall = self.stream.limits().stall;
        let pdv = match self.next_step(stall).await? {
            Step::Pdv(pdv) => pdv,
            Step::ReleaseRequested => return Err(out_of_turn("A-RELEASE-RQ")),
        };
        if pdv.is_command || pdv.context_id != context_id {
            return Err(out_of_turn("command or other context inside a data set"));
        }
        // Before the wait: whoever drops it comes back to this value.
        self.begun = Some(pdv);
        let bytes = self.stream.piece(pdv.fragment_bytes).await?;
        let left = pdv.fragment_bytes.saturating_sub(bytes.len());
        self.begun = (left > 0).then_some(Pdv { fragment_bytes: left, ..pdv });
        let is_last = pdv.is_last && left == 0;
        Ok(Piece { bytes, is_last })
    }

    /// Reads a data set to its end and throws it away.
    ///
    /// # Errors
    /// [`AssociationError`], to be given to [`Association::fail`].
    pub async fn skip_data_set(&mut self, context_id: u8) -> Result<(), AssociationError> {
        let mut left = self.stream.limits().unwanted_bytes_max;
        loop {
            let piece = self.next_piece(context_id).await?;
            if piece.is_last {
                return Ok(());
            }
            // Pieces without a byte are counted too.
            let taken = piece.bytes.len().saturating_add(PDV_HEADER_BYTES);
            left = left.checked_sub(taken).ok_or(AssociationError::Endless)?;
        }
    }

    /// Sends a command.
    ///
    /// # Errors
    /// [`AssociationError`], to be given to [`Association::fail`].
    pub async fn send_command(
        &mut self,
        context_id: u8,
        command: &CommandSet,
    ) -> Result<(), AssociationError> {
        let encoded = command.encode();
        let mut fragments = encoded.chunks(self.fragment_bytes_max()).peekable();
        let mut bytes = Vec::new();
        while let Some(fragment) = fragments.next() {
            let control = if fragments.peek().is_none() { 3 } else { 1 };
            let fragment_bytes = u32::try_from(fragment.len()).unwrap_or(u32::MAX);
            bytes.extend(pdata_header(context_id, control, fragment_bytes));
            bytes.extend(fragment);
        }
        match self.stream.write_bytes(&bytes).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.last_words(error).await),
        }
    }

    /// Sends a data set.
    ///
    /// # Errors
    /// [`AssociationError`], to be given to [`Association::fail`].
    pub async fn send_data_set<R: AsyncRead + Unpin>(
        &mut self,
        context_id: u8,
        outgoing: &mut Outgoing<R>,
    ) -> Result<(), AssociationError> {
        let mut left_bytes = outgoing.bytes;
        let mut pdus = Vec::new();
        loop {
            let longest = u64::try_from(self.fragment_bytes_max()).unwrap_or(u64::MAX);
            let fragment_bytes = u32::try_from(left_bytes.min(longest)).unwrap_or(0);
            left_bytes = left_bytes.saturating_sub(u64::from(fragment_bytes));
            let control = if left_bytes == 0 { 2 } else { 0 };
            pdus.extend(pdata_header(context_id, control, fragment_bytes));
            let mut limited = (&mut outgoing.reader).take(u64::from(fragment_bytes));
            let read = limited.read_to_end(&mut pdus).await.map_err(AssociationError::Source)?;
            if read != usize::try_from(fragment_bytes).unwrap_or(usize::MAX) {
                return Err(AssociationError::Source(io::ErrorKind::UnexpectedEof.into()));
            }
            if left_bytes > 0 && pdus.len() < SENT_AT_ONCE_BYTES {
                continue;
            }
            if let Err(error) = self.stream.write_bytes(&pdus).await {
                return Err(self.last_words(error).await);
            }
            if left_bytes == 0 {
                return Ok(());
            }
            pdus.clear();
        }
    }

    /// Ends the association in order: A-RELEASE-RQ, its answer, close.
    ///
    /// # Errors
    /// [`AssociationError`]; the connection is closed all the same.
    pub async fn release(mut self) -> Result<(), AssociationError> {
        match self.exchange_release().await {
            Ok(()) => Ok(()),
            Err(error) => {
                self.fail(&error).await;
                Err(error)
            }
        }
    }

    /// Answers the peer's A-RELEASE-RQ and waits for it to close.
    pub async fn accept_release(mut self) {
        if let Err(error) = self.stream.write(&Pdu::ReleaseRP).await {
            tracing::debug!(%error, "release was not answered");
        }
        self.stream.await_close().await;
    }

    /// Ends the association after an error: A-ABORT where somebody is left to
    /// read it, then close.
    pub async fn fail(self, error: &AssociationError) {
        if let Some(source) = error.abort_source() {
            self.abort(source).await;
        }
    }

    /// Sends A-ABORT and closes.
    pub async fn abort(self, source: AbortRQSource) {
        send_abort(self.stream, source).await;
    }

    /// Why a write failed: a peer that aborts in the middle of a data set
    /// closes over unread bytes, so that our write meets a reset before we
    /// have read its A-ABORT.
    async fn last_words(&mut self, error: PduError) -> AssociationError {
        match timeout(LAST_WORDS_WAIT, self.stream.read(LAST_WORDS_WAIT)).await {
            Ok(Ok(PduKind::Abort)) => aborted(self.stream.verdict()),
            Ok(Ok(_) | Err(_)) | Err(_) => error.into(),
        }
    }

    async fn exchange_release(&mut self) -> Result<(), AssociationError> {
        self.stream.write(&Pdu::ReleaseRQ).await?;
        let artim = self.stream.limits().artim;
        // One that goes on talking is not waited for longer.
        match timeout(artim, self.hear_release(artim)).await {
            Ok(heard) => heard,
            Err(_elapsed) => {
                Err(PduError::TimedOut { awaited: "A-RELEASE-RP", seconds: artim.as_secs() }.into())
            }
        }
    }

    async fn hear_release(&mut self, artim: Duration) -> Result<(), AssociationError> {
        loop {
            match self.stream.read(artim).await? {
                PduKind::ReleaseRp => return Ok(()),
                // Both sides asked at once: the requestor answers first (PS3.8 §9.2, AR-8, AR-9).
                PduKind::ReleaseRq => self.stream.write(&Pdu::ReleaseRP).await?,
                // Still allowed until the peer has seen our request (AR-6).
                PduKind::PData => {}
                PduKind::Abort => return Err(aborted(self.stream.verdict())),
                PduKind::AssociateRq | PduKind::AssociateAc | PduKind::AssociateRj => {
                    return Err(out_of_turn("A-ASSOCIATE"));
                }
            }
        }
    }

    async fn next_step(&mut self, wait: Duration) -> Result<Step, AssociationError> {
        loop {
            if let Some(pdv) = self.begun.take() {
                return Ok(Step::Pdv(pdv));
            }
            if self.stream.data_left() > 0 {
                let head = self.stream.data(PDV_HEADER_BYTES, PDV_HEADER_BYTES).await?;
                let head = head.try_into().map_err(|_| PduError::Truncated)?;
                let pdv = read_pdv(head, self.stream.data_left())?;
                if !self.contexts.contains_key(&pdv.context_id) {
                    return Err(AssociationError::ForeignContext { id: pdv.context_id });
                }
                return Ok(Step::Pdv(pdv));
            }
            match self.stream.read(wait).await? {
                PduKind::PData => {}
                PduKind::ReleaseRq => return Ok(Step::ReleaseRequested),
                PduKind::Abort => return Err(aborted(self.stream.verdict())),
                PduKind::ReleaseRp => return Err(out_of_turn("A-RELEASE-RP")),
                PduKind::AssociateRq | PduKind::AssociateAc | PduKind::AssociateRj => {
                    return Err(out_of_turn("A-ASSOCIATE"));
                }
            }
        }
    }

    /// Even, as commands and data sets are.
    fn fragment_bytes_max(&self) -> usize {
        (self.sent_pdu_bytes.saturating_sub(PDV_HEADER_BYTES) & !1).max(2)
    }
}

/// Sends A-ABORT on a connection that may have no association yet, and closes.
async fn send_abort<S: Transport>(mut stream: PduStream<S>, source: AbortRQSource) {
    match stream.write(&Pdu::AbortRQ { source }).await {
        Ok(()) => stream.await_close().await,
        Err(error) => tracing::debug!(%error, "A-ABORT was not sent"),
    }
}

fn out_of_turn(what: &'static str) -> AssociationError {
    AssociationError::OutOfTurn { what }
}

fn aborted([_, from, reason]: [u8; 3]) -> AssociationError {
    AssociationError::Aborted { from, reason }
}

#[cfg(test)]
mod tests;
