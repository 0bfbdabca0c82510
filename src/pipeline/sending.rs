//! One instance to one destination: what is asked before it is sent, and what is noted
//! when it is delivered. What its answer means for the destination is
//! [`super::deliver`]'s.

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::blocking::blocking;
use super::deliver::WAIT_AFTER_FAULT;
use super::node::{Node, NodeError, SetAside};
use super::studies::Gate;
use super::target::Target;
use crate::clean::{AdmitError, Cleaned, Report};
use crate::forward::Kind;
use crate::forward::backoff::Waits;
use crate::forward::outcome::Outcome;
use crate::lifecycle::Stopping;
use crate::queue::{Queue as _, Stage};
use crate::reason::{Quarantine, Reason};
use crate::receipt::Outcome as Evidence;
use crate::spool::{Delivery, DestinationName, Record, SpoolError, SpoolId, State};

/// Wait of what its project does not send to the destination any more. Default 1 h: the
/// configuration changes with a restart.
const WAIT_IF_NOT_MEANT: Duration = Duration::from_hours(1);

/// Whether the configuration sends something to a destination.
enum Meant {
    Yes,
    /// Its project does not send there.
    No,
    /// Its project is gone.
    NoProject,
}

/// A destination as an instance on its way there needs it.
pub(super) struct To {
    pub(super) node: Arc<Node>,
    pub(super) name: DestinationName,
    pub(super) stage: Stage,
    pub(super) waits: Waits,
}

/// An instance that was sent.
pub(super) struct Sent {
    pub(super) outcome: Outcome,
    pub(super) cleaned: Arc<Cleaned>,
    pub(super) record: Box<Record>,
    /// It may stand there, whatever the outcome.
    pub(super) may_be_there: bool,
}

impl To {
    /// Sends one instance, unless something keeps it: then it was dealt with here, and
    /// there is nothing to act on. An error is a fault of the node's own disk.
    pub(super) async fn send(
        &self,
        target: &mut Target,
        id: SpoolId,
        (kinds, tries): (&[Kind], u32),
    ) -> Result<Option<Sent>, NodeError> {
        let refusal = self.node.refusals.look(id, &self.name);
        if let Some(refusal) = &refusal
            && self.is_wanted_elsewhere(id).await?
        {
            let wait = self.waits.after(refusal.looks, &id.to_string());
            self.node.queue.later(&self.stage, id, wait);
            return Ok(None);
        }
        if let Gate::Shut(wait, _) = self.node.gate(id, &self.name).await? {
            self.node.queue.later(&self.stage, id, wait);
            return Ok(None);
        }
        // Sent without a record it could not be noted, and would be sent for ever.
        let record = match self.node.record(id).await? {
            Ok(record) => record,
            Err(damaged) => return self.damaged(id, damaged).await.map(|()| None),
        };
        let cleaned = match self.admitted(id).await? {
            Ok(cleaned) => Arc::new(cleaned),
            Err(damaged) => return self.damaged(id, damaged).await.map(|()| None),
        };
        match self.is_meant(&record) {
            Meant::Yes => {}
            Meant::NoProject => {
                let why = Quarantine::new(Reason::NoProject, "");
                self.node.quarantine_cleaned(id, why, cleaned.report()).await?;
                return Ok(None);
            }
            Meant::No => {
                warn!(spool_id = %id, destination = self.name.as_str(), "its project does not send there any more: it waits");
                self.node.queue.later(&self.stage, id, WAIT_IF_NOT_MEANT);
                return Ok(None);
            }
        }
        if self.node.set_aside_if_recalled(id, cleaned.report()).await? {
            return Ok(None);
        }
        if let Some(refusal) = refusal {
            self.node.quarantine_cleaned(id, refusal.why, cleaned.report()).await?;
            return Ok(None);
        }
        let outcome = target.deliver(Arc::clone(&cleaned), kinds, tries).await;
        if matches!(outcome, Outcome::AlreadyThere(_)) {
            // After a start receipts tell what it got.
            self.node.deliveries_known().await;
        }
        let may_be_there = target.may_have_it();
        Ok(Some(Sent { outcome, cleaned, record: Box::new(record), may_be_there }))
    }

    /// Whether the configuration of today sends an instance to this destination.
    fn is_meant(&self, record: &Record) -> Meant {
        let Some(arrival) = &record.arrival else { return Meant::Yes };
        match self.node.config.projects.get(&arrival.project) {
            None => Meant::NoProject,
            Some(project) if project.destinations.iter().any(|to| to == self.name.as_str()) => {
                Meant::Yes
            }
            Some(_) => Meant::No,
        }
    }

    /// Sets aside what is damaged, unless it was taken away meanwhile, to be cleaned
    /// again for another destination or by a rejection note.
    async fn damaged(&self, id: SpoolId, why: Quarantine) -> Result<(), NodeError> {
        let held = self.node.locks.hold(id).await;
        let waits = self.node.on_spool(move |spool| Ok((spool.state(id)?, spool.awaiting(id)?)));
        let (state, awaiting) = waits.await?;
        // One without an original is an error still: it is tried until a restart tells.
        if state.is_some_and(|state| state != State::Held || !awaiting.contains(&self.name)) {
            return Ok(());
        }
        self.node.quarantine_held(&held, id, SetAside { why, leaving: None }).await
    }

    /// Whether another destination is still to get the instance.
    pub(super) async fn is_wanted_elsewhere(&self, id: SpoolId) -> Result<bool, NodeError> {
        let awaiting = self.node.on_spool(move |spool| spool.awaiting(id)).await?;
        Ok(awaiting.iter().any(|other| {
            *other != self.name
                && self.node.config.destinations.contains_key(other.as_str())
                && !self.node.refusals.has(id, other)
        }))
    }

    /// The clean copy, its digest checked again: it may have lain for days.
    async fn admitted(&self, id: SpoolId) -> Result<Result<Cleaned, Quarantine>, NodeError> {
        let damaged = |what: &str| Ok(Err(Quarantine::new(Reason::DamagedSpool, what)));
        let report = match self.node.on_spool(move |spool| spool.report(id)).await {
            Err(NodeError::Spool(SpoolError::Damaged { what, .. })) => return damaged(what),
            read => read?,
        };
        let Ok(report) = serde_json::from_slice::<Report>(&report) else {
            return damaged("report");
        };
        let file = self.node.spool.stored(State::Cleaned, id);
        match blocking(move || Cleaned::admit(report, file)).await {
            Ok(Ok(cleaned)) => Ok(Ok(cleaned)),
            // Waiting would not bring it back.
            Ok(Err(AdmitError::Io(error))) if error.kind() == std::io::ErrorKind::NotFound => {
                damaged("the clean copy is missing")
            }
            Ok(Err(AdmitError::Io(error))) => Err(NodeError::Unusable { what: error.to_string() }),
            Ok(Err(error)) => damaged(&error.to_string()),
            Err(ended) => Err(ended.into()),
        }
    }
}

/// Tries until it is noted or the node stops; only a restart sends it again.
pub(super) async fn note_delivered(
    node: &Node,
    name: &DestinationName,
    (id, cleaned, last_word): (SpoolId, &Cleaned, (u16, u32)),
    mut stopping: Stopping,
) {
    let stage = Stage::Forward(name.clone());
    while let Err(error) = finish(node, name, id, cleaned, last_word).await {
        // Somebody set it aside meanwhile.
        if let NodeError::Spool(SpoolError::NotThere { .. }) = error {
            return;
        }
        if let NodeError::Spool(SpoolError::Damaged { what, .. }) = error {
            let damaged = Quarantine::new(Reason::DamagedSpool, what);
            if let Err(error) = node.quarantine(id, damaged).await {
                warn!(spool_id = %id, %error, "cannot be set aside");
            }
            return;
        }
        warn!(spool_id = %id, %error, "delivered, but not noted yet");
        node.put_off(&stage, id, &error);
        tokio::select! {
            () = stopping.wait() => return,
            () = tokio::time::sleep(WAIT_AFTER_FAULT) => {}
        }
    }
    node.goes_on(&stage, id);
}

async fn finish(
    node: &Node,
    name: &DestinationName,
    id: SpoolId,
    cleaned: &Cleaned,
    (status, releases): (u16, u32),
) -> Result<(), NodeError> {
    // Receipt and link belong together: nobody sets it aside in between.
    let _held = node.locks.hold(id).await;
    let record = node.on_spool(move |spool| spool.record(id)).await?;
    let keeps = node.commitments.rule.keeps();
    let outcome = Evidence::Delivered { destination: name.as_str().to_owned(), status };
    node.receipt(id, &record, Some(cleaned.report()), outcome).await?;
    let project = record.arrival.as_ref().map_or("", |arrival| arrival.project.as_str());
    // Before its link goes: its correction waits for that.
    node.versions.note_sent(name, project, cleaned.report());
    let delivery = Delivery { status, at_unix_ms: node.clock.unix_ms() };
    let destination = name.clone();
    let noted = node
        .on_spool(move |spool| {
            if spool.delivered_meanwhile(id, &destination, delivery, releases)? {
                return Ok(None);
            }
            let was_last = spool.delivered(id, &destination, delivery)?;
            let record = if keeps { Some(spool.record(id)?) } else { None };
            Ok(Some((was_last, record)))
        })
        .await?;
    info!(spool_id = %id, destination = name.as_str(), status, "delivered");
    // It is cleaned again for another destination, and not for this one.
    let Some((was_last, record)) = noted else { return Ok(()) };
    node.queue.done(&Stage::Forward(name.clone()), id);
    node.arrived(id, record.as_ref(), was_last, delivery.at_unix_ms);
    Ok(())
}
