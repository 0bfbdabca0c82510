//! A DICOM node as destination (Storage SCU, PS3.4 Annex B).
//!
//! One [`Sender`] keeps one association for many instances; a destination may have
//! several ([`Sender::another`]), which open theirs one after the other. Contexts are
//! planned from what was sent lately, a new association is opened when something else comes, and
//! [`Sender::close`] releases it, when nothing came for [`Sender::idle_release`].
//! The bytes sent are those of the clean file; Move Originator is never named.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;

use super::{Answer, Forwardable, Outcome, outcome};
use crate::clean::Cleaned;
use crate::dimse::Limits;
use crate::dimse::association::requestor::ProposalError;
use crate::dimse::scu::{self, Address, Kind, Object, OpenError, Place, Scu, plan_contexts};

/// Most kinds of objects that one association is opened for: three contexts
/// each fit into 128.
pub const KINDS_MAX: usize = 42;

/// How a destination is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendLimits {
    /// How long an association is kept without anything to send. Default 10 s:
    /// longer than the gap between two slices of one series, shorter than what
    /// archives let idle.
    pub idle_release: Duration,
    /// Limits of the association.
    pub association: Limits,
}

impl Default for SendLimits {
    fn default() -> Self {
        Self { idle_release: Duration::from_secs(10), association: Limits::default() }
    }
}

/// One DICOM destination.
#[derive(Debug)]
pub struct Sender {
    address: Address,
    limits: SendLimits,
    open: Option<Open>,
    answered: Option<Answer>,
    /// The last instance was sent once more over a new association.
    resent: bool,
    shared: Arc<Shared>,
}

/// What the senders of one destination have in common.
#[derive(Debug, Default)]
struct Shared {
    /// Held while one of them opens an association; why the last that failed did.
    opening: Mutex<Option<Answer>>,
    /// How often one failed.
    failures: AtomicUsize,
    /// Associations that are open.
    open: Arc<AtomicUsize>,
}

/// An open association, counted as long as it lives.
#[derive(Debug)]
struct Open {
    scu: Scu,
    _counted: Counted,
}

#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn in_(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Sender {
    /// A destination; nothing is opened yet.
    #[must_use]
    pub fn new(address: Address, limits: SendLimits) -> Self {
        Self { address, limits, open: None, answered: None, resent: false, shared: Arc::default() }
    }

    /// One more for the same destination, with an association of its own.
    #[must_use]
    pub fn another(&self) -> Self {
        let (address, limits) = (self.address.clone(), self.limits.clone());
        let shared = Arc::clone(&self.shared);
        Self { address, limits, open: None, answered: None, resent: false, shared }
    }

    /// Its association is open, as far as is known.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// What the destination did with the last instance.
    #[must_use]
    pub fn answered(&self) -> Option<&Answer> {
        self.answered.as_ref()
    }

    /// It may have the last instance, though it did not say so: all or some of it was sent
    /// and no answer came, or one that says nothing of it.
    #[must_use]
    pub fn may_have_it(&self) -> bool {
        let open = [Answer::Aborted, Answer::Broken, Answer::Status(0x0110)];
        self.resent || self.answered.as_ref().is_some_and(|answer| open.contains(answer))
    }

    /// How long an association is kept without anything to send.
    #[must_use]
    pub fn idle_release(&self) -> Duration {
        self.limits.idle_release
    }

    /// Where the destination is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Sends one instance. `waiting` names the kinds of what will follow, so
    /// that one association serves them too; `tries` counts this one.
    pub async fn deliver(&mut self, cleaned: &Cleaned, waiting: &[Kind], tries: u32) -> Outcome {
        (self.answered, self.resent) = (None, false);
        let object = match Forwardable::of(cleaned).map(|item| object_of(cleaned, item)) {
            Ok(object) => object,
            Err(quarantine) => return Outcome::Quarantine(quarantine),
        };
        let object = match object {
            Ok(object) => object,
            Err(error) => return outcome(&Answer::from(&error), tries),
        };
        let answer = match self.send(&object, waiting).await {
            Ok(status) => Answer::Status(status),
            Err(answer) => answer,
        };
        tracing::debug!(destination = %self.address.called, ?answer, "instance sent");
        let outcome = outcome(&answer, tries);
        self.answered = Some(answer);
        outcome
    }

    /// Releases the association, if one is open.
    pub async fn close(&mut self) {
        if let Some(open) = self.open.take()
            && let Err(error) = open.scu.release().await
        {
            // All answers were heard before, so nothing is in doubt.
            tracing::debug!(destination = %self.address.called, %error, "release failed");
        }
    }

    /// C-ECHO on an association of its own; `Ok` is the status.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn echo(&self) -> Result<u16, OpenError> {
        scu::verify(&self.address, &self.limits.association).await
    }

    /// The destination talks to us: it answers C-ECHO with whatever status, or takes
    /// an association without Verification.
    ///
    /// # Errors
    /// [`OpenError`]: it cannot be reached or rejects us.
    pub async fn is_there(&self) -> Result<(), OpenError> {
        match self.echo().await {
            Ok(_) | Err(OpenError::Proposal(ProposalError::Association(_))) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn send(&mut self, object: &Object, waiting: &[Kind]) -> Result<u16, Answer> {
        let reused = self.open.is_some();
        let first = self.send_once(object, waiting).await;
        match first {
            // A kept association may have been closed by the peer meanwhile;
            // that says nothing about the destination or the instance.
            Err(Answer::Broken | Answer::Aborted) if reused => {
                self.resent = true;
                self.send_once(object, waiting).await
            }
            Ok(_) | Err(_) => first,
        }
    }

    async fn send_once(&mut self, object: &Object, waiting: &[Kind]) -> Result<u16, Answer> {
        let mut open = self.association_for(&object.kind, waiting).await?;
        let context_id = match open.scu.place(&object.kind) {
            Place::Context(id) => id,
            place @ (Place::OtherSyntax(_)
            | Place::NoSyntax
            | Place::NoClass
            | Place::NotProposed) => {
                self.open = Some(open);
                return Err(Answer::from(&place));
            }
        };
        match open.scu.store(context_id, object).await {
            Ok(status) => {
                self.open = Some(open);
                Ok(status)
            }
            Err(error) => {
                let answer = Answer::from(&error);
                match error {
                    scu::SendError::Association(error) => open.scu.fail(&error).await,
                    scu::SendError::Head(_)
                    | scu::SendError::Nameless
                    | scu::SendError::File(_)
                    | scu::SendError::NoPlace(_) => self.open = Some(open),
                }
                Err(answer)
            }
        }
    }

    /// The open association when it was opened for this kind, else a new one
    /// for this kind and those that wait.
    async fn association_for(&mut self, kind: &Kind, waiting: &[Kind]) -> Result<Open, Answer> {
        if let Some(open) = self.open.take() {
            if open.scu.place(kind) != Place::NotProposed {
                return Ok(open);
            }
            self.open = Some(open);
            self.close().await;
        }
        let mut kinds = vec![kind.clone()];
        for other in waiting {
            if kinds.len() < KINDS_MAX && !kinds.contains(other) {
                kinds.push(other.clone());
            }
        }
        self.open_for(&kinds).await
    }

    /// One at a time, so that it is known whether others are open; who waited while
    /// another one failed does not ask the peer the same.
    async fn open_for(&self, kinds: &[Kind]) -> Result<Open, Answer> {
        let shared = &self.shared;
        let failures = shared.failures.load(Ordering::Acquire);
        let mut last = shared.opening.lock().await;
        let answer = match &*last {
            Some(answer) if shared.failures.load(Ordering::Acquire) != failures => answer.clone(),
            Some(_) | None => {
                let contexts = plan_contexts(kinds);
                match Scu::open(&self.address, contexts, &self.limits.association).await {
                    Ok(scu) => {
                        *last = None;
                        return Ok(Open { scu, _counted: Counted::in_(&shared.open) });
                    }
                    Err(error) => {
                        tracing::info!(destination = %self.address.called, %error, "no association");
                        let answer = Answer::from(&error);
                        *last = Some(answer.clone());
                        shared.failures.fetch_add(1, Ordering::AcqRel);
                        answer
                    }
                }
            }
        };
        let none =
            matches!(answer, Answer::Rejected { permanent: false, .. } | Answer::Unreachable);
        let others_are_open = shared.open.load(Ordering::Relaxed) > 0;
        Err(if none && others_are_open { Answer::NoFurther } else { answer })
    }
}

/// The kind of a cleaned instance, for `waiting`; `None` when its report is malformed.
#[must_use]
pub fn kind_of(cleaned: &Cleaned) -> Option<Kind> {
    let item = Forwardable::of(cleaned).ok()?;
    Some(Kind { class: item.sop_class, transfer_syntax: item.transfer_syntax })
}

/// What the report says must be what the file's own head says: both were
/// written by the worker, and the digest binds only the file.
fn object_of(cleaned: &Cleaned, item: Forwardable<'_>) -> Result<Object, scu::SendError> {
    let object = Object::read(cleaned.file())?;
    let kind = Kind { class: item.sop_class, transfer_syntax: item.transfer_syntax };
    if object.kind != kind || object.instance != item.sop_instance {
        return Err(scu::SendError::Nameless);
    }
    Ok(object)
}
