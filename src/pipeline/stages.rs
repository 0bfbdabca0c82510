//! The cleaning stage of the node: received instances in, clean copies with
//! their outbox links out, or quarantine with a reason.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing::{info, warn};

use super::again::destinations;
use super::line::{CleanLine, LineJob, Treatments};
use super::node::{Node, NodeError, SetAside};
use super::recall::leaving_of;
use crate::clean::Cleaned;
use crate::config::Project;
use crate::lifecycle::Stopping;
use crate::queue::{Queue as _, Stage};
use crate::reason::{Quarantine, Reason};
use crate::receipt::report_bytes;
use crate::spool::{Arrival, Leaving, Record, SpoolId, State, Then};
use crate::worker::WorkError;

/// Tries of one instance before it goes to quarantine (decision 4).
const ATTEMPTS_MAX: u32 = 3;
/// Wait after a worker died on an instance. Default 1 s: long enough that a
/// poisoned instance does not keep a core busy with process starts.
const WAIT_AFTER_DEATH: Duration = Duration::from_secs(1);
/// Wait after a fault that is not the instance's. Default 15 s: a full disk or
/// a missing library is not mended quicker.
const WAIT_AFTER_FAULT: Duration = Duration::from_secs(15);

/// Detail of a quarantine for bytes that are not those acknowledged.
const CHANGED: &str = "bytes differ from those acknowledged";

/// Takes instances until the node stops; several of these run at once.
pub(super) async fn clean_loop(node: Arc<Node>, line: Arc<CleanLine>, mut stopping: Stopping) {
    // Else a conflict with what waits would not be seen.
    tokio::select! {
        biased;
        () = stopping.wait() => return,
        () = node.versions_known() => {}
    }
    loop {
        tokio::select! {
            biased;
            () = stopping.wait() => return,
            () = node.queue.wait(&Stage::Clean) => {}
        }
        // Another of these loops may have been quicker.
        let Some(id) = node.queue.claim(&Stage::Clean) else { continue };
        match clean_one(&node, &line, id).await {
            Ok(()) => node.goes_on(&Stage::Clean, id),
            Err(error) => {
                warn!(spool_id = %id, %error, "cleaning put off");
                node.put_off(&Stage::Clean, id, &error);
                node.queue.later(&Stage::Clean, id, WAIT_AFTER_FAULT);
            }
        }
    }
}

/// One instance through the stage. An error is a fault of the node's own disk;
/// the instance is then tried again.
async fn clean_one(node: &Node, line: &CleanLine, id: SpoolId) -> Result<(), NodeError> {
    let record = match node.record(id).await? {
        Ok(record) => record,
        Err(damaged) => return node.quarantine(id, damaged).await,
    };
    let Some(arrival) = &record.arrival else {
        let lost = Quarantine::new(Reason::DamagedSpool, "the record was lost");
        return node.quarantine(id, lost).await;
    };
    let Some(project) = node.config.projects.get(&arrival.project) else {
        return node.quarantine(id, Quarantine::new(Reason::NoProject, "")).await;
    };
    if record.attempts >= ATTEMPTS_MAX {
        let detail = format!("{ATTEMPTS_MAX} tries");
        return node.quarantine(id, Quarantine::new(Reason::WorkerDied, detail)).await;
    }
    let meant_for = destinations(project)?;
    node.on_spool(move |spool| {
        spool.note_attempt_for(id, meant_for)?;
        spool.clean_part(id)
    })
    .await?;
    let issuer = issuer_of(node, arrival);
    let input = node.spool.stored_of(State::Received, &record);
    let output = node.spool.stored_part(&record);
    let (treatments, leaving) =
        (Treatments::of(&record.decisions, record.releases), OnceLock::new());
    let job = LineJob {
        input: &input,
        output: &output,
        project,
        default_issuer: issuer,
        expected_digest: Some(&record.sha256),
        treatments: Some(&treatments),
        leaving: Some(&leaving),
    };
    match line.clean(job).await {
        Ok(cleaned) => {
            // Before the note is admitted: what it withdraws must not overtake it.
            node.recall_by(id, &record, cleaned.report()).await?;
            commit(node, &record, project, &cleaned).await
        }
        Err(error) => put_off(node, id, &record, (error, leaving.into_inner())).await,
    }
}

/// The default issuer of Patient ID of who sent it.
fn issuer_of<'a>(node: &'a Node, arrival: &Arrival) -> &'a str {
    // Who came in was let in: what secured the connection is not asked again.
    let sender = arrival.peer.and_then(|peer| node.config.sender_like(&arrival.calling_ae, peer));
    sender.map_or("", |sender| sender.issuer.as_str())
}

async fn commit(
    node: &Node,
    record: &Record,
    project: &Project,
    cleaned: &Cleaned,
) -> Result<(), NodeError> {
    let id = record.id;
    let replaces = record.decisions.iter().any(|decided| decided.then == Then::Replace);
    let leaving = leaving_of(cleaned.report());
    let output = &cleaned.report().output_digest;
    if let Err(why) = node.versions.admit(id, (&project.name, output), &leaving, replaces) {
        let held = node.locks.hold(id).await;
        return node.quarantine_held(&held, id, SetAside { why, leaving: Some(leaving) }).await;
    }
    let report = report_bytes(cleaned.report());
    let mut destinations = destinations(project)?;
    // Nobody notes a delivery in between.
    let _held = node.locks.hold(id).await;
    let record = &node.on_spool(move |spool| spool.record(id)).await?;
    // Those that have it, where it was cleaned again for another.
    destinations.retain(|name| !record.deliveries.contains_key(name));
    let linked = destinations.clone();
    node.on_spool(move |spool| spool.commit_clean(id, &report, &linked)).await?;
    // Before it can be sent, and before the queue forgets that it was to be cleaned.
    node.note_cleaned(id, record, cleaned.report());
    if destinations.is_empty() {
        // All have it: the last word came while it was cleaned again.
        let kept = node.commitments.rule.keeps().then_some(record);
        node.arrived(id, kept, true, node.clock.unix_ms());
    }
    for destination in destinations {
        node.queue.offer(&Stage::Forward(destination), id, &project.name);
    }
    node.queue.done(&Stage::Clean, id);
    Ok(())
}

async fn put_off(
    node: &Node,
    id: SpoolId,
    record: &Record,
    (error, leaving): (WorkError, Option<Leaving>),
) -> Result<(), NodeError> {
    let set_aside = async |why| {
        let held = node.locks.hold(id).await;
        node.quarantine_held(&held, id, SetAside { why, leaving }).await
    };
    match error {
        WorkError::Quarantine(quarantine) => {
            set_aside(damage_or(node, id, record, quarantine).await?).await
        }
        WorkError::Died { death, what } if record.attempts + 1 >= ATTEMPTS_MAX => {
            set_aside(Quarantine::new(death.reason(), what)).await
        }
        WorkError::Died { what, .. } => {
            info!(spool_id = %id, %what, "worker died, tried again in a fresh one");
            node.queue.later(&Stage::Clean, id, WAIT_AFTER_DEATH);
            Ok(())
        }
        WorkError::NotStarted { .. } | WorkError::Io { .. } | WorkError::NotAssigned { .. } => {
            // Not the instance's fault: the try does not count.
            node.on_spool(move |spool| spool.forgive_attempt(id)).await?;
            Err(NodeError::Work(error))
        }
    }
}

/// What is wrong with an instance whose bytes changed since it was acknowledged is
/// the disk's fault, whatever the cleaner took offence at.
async fn damage_or(
    node: &Node,
    id: SpoolId,
    record: &Record,
    verdict: Quarantine,
) -> Result<Quarantine, NodeError> {
    let digest = node.on_spool(move |spool| {
        let mut object = spool.open_object(State::Received, id)?;
        // What cannot be read has no digest.
        Ok(object.digest().map(|(sha256, _bytes)| sha256).unwrap_or_default())
    });
    if digest.await? == record.sha256 {
        return Ok(verdict);
    }
    Ok(Quarantine::new(Reason::DamagedSpool, CHANGED))
}
