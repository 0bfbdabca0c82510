//! The cleaning stage of the node: received instances in, clean copies with
//! their outbox links out, or quarantine with a reason.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing::{info, warn};

use super::line::{CleanLine, LineJob, Treatments};
use super::node::{Node, NodeError, SetAside};
use crate::clean::Cleaned;
use crate::config::Project;
use crate::lifecycle::Stopping;
use crate::queue::{Queue as _, Stage};
use crate::reason::{Quarantine, Reason};
use crate::receipt::report_bytes;
use crate::spool::{Arrival, DestinationName, Leaving, Record, SpoolId, State};
use crate::worker::WorkError;

/// Tries of one instance before it goes to quarantine (decision 4).
const ATTEMPTS_MAX: u32 = 3;
/// Wait after a worker died on an instance. Default 1 s: long enough that a
/// poisoned instance does not keep a core busy with process starts.
const WAIT_AFTER_DEATH: Duration = Duration::from_secs(1);
/// Wait after a fault that is not the instance's. Default 15 s: a full disk or
/// a missing library is not mended quicker.
const WAIT_AFTER_FAULT: Duration = Duration::from_secs(15);

/// Takes instances until the node stops; several of these run at once.
pub(super) async fn clean_loop(node: Arc<Node>, line: Arc<CleanLine>, mut stopping: Stopping) {
    loop {
        tokio::select! {
            biased;
            () = stopping.wait() => return,
            () = node.queue.wait(&Stage::Clean) => {}
        }
        // Another of these loops may have been quicker.
        let Some(id) = node.queue.claim(&Stage::Clean) else { continue };
        if let Err(error) = clean_one(&node, &line, id).await {
            warn!(spool_id = %id, %error, "cleaning put off");
            node.queue.later(&Stage::Clean, id, WAIT_AFTER_FAULT);
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
    node.on_spool(move |spool| {
        spool.note_attempt(id)?;
        spool.clean_part(id)
    })
    .await?;
    let issuer = issuer_of(node, arrival);
    let input = node.spool.stored_of(State::Received, &record);
    let output = node.spool.stored_part(&record);
    let (treatments, leaving) = (Treatments::of(&record.decisions), OnceLock::new());
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
            commit(node, id, project, &cleaned).await
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
    id: SpoolId,
    project: &Project,
    cleaned: &Cleaned,
) -> Result<(), NodeError> {
    let report = report_bytes(cleaned.report());
    let destinations = project
        .destinations
        .iter()
        .map(|name| name.parse::<DestinationName>())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| NodeError::Unusable { what: error.to_string() })?;
    let linked = destinations.clone();
    node.on_spool(move |spool| spool.commit_clean(id, &report, &linked)).await?;
    for destination in destinations {
        node.queue.offer(&Stage::Forward(destination), id);
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
        WorkError::Quarantine(quarantine) => set_aside(quarantine).await,
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
