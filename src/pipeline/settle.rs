//! What a destination said of keeping one instance, acted on: a line in the
//! ledger and its record, or out again, or quarantine.

use std::sync::Arc;

use tracing::warn;

use super::committer::RESENDS_MAX;
use super::locks::Held;
use super::node::{Node, NodeError, SetAside};
use crate::clean::Report;
use crate::queue::{Queue as _, Stage};
use crate::reason::{Quarantine, Reason};
use crate::receipt::Outcome;
use crate::spool::{Asked, CommitmentEnd, DestinationName, Leaving, Record, Said, SpoolId, State};

/// Acts on what was said of one instance. May be repeated.
pub(super) async fn settle(
    node: &Arc<Node>,
    name: &DestinationName,
    one: Asked,
    begun_ms: u64,
) -> Result<(), NodeError> {
    let Asked { id, said: Some(said), .. } = one else { return Ok(()) };
    let held = node.locks.hold(id).await;
    let of = name.clone();
    let record = node
        .on_spool(move |spool| {
            let held = spool.state(id)? == Some(State::Held);
            let record = if held { spool.record(id).ok() } else { None };
            Ok(record.filter(|record| record.awaits_commitment(&of)))
        })
        .await?;
    // Gone, set aside, on its way again, or settled before.
    let Some(record) = record else { return Ok(()) };
    match said {
        Said::Committed => {
            let report = clean_report(node, id).await?;
            let outcome = Outcome::Committed { destination: name.as_str().to_owned() };
            node.receipt(id, &record, Some(&report), outcome).await?;
            let of = name.clone();
            let end = CommitmentEnd::Committed;
            let record = node.on_spool(move |spool| spool.end_commitment(id, &of, end)).await?;
            node.keep_on(&record).await
        }
        Said::Failed(why) => {
            let delivered = record.deliveries.get(name).map(|delivery| delivery.at_unix_ms);
            if delivered.is_some_and(|at| at > begun_ms) {
                // It was sent again since it was asked about.
                return Ok(());
            }
            let uncommitted = Uncommitted { node, name, held: &held };
            uncommitted.act(id, &record, why).await
        }
    }
}

/// An instance that a destination took and does not keep.
struct Uncommitted<'a> {
    node: &'a Arc<Node>,
    name: &'a DestinationName,
    held: &'a Held,
}

impl Uncommitted<'_> {
    async fn act(&self, id: SpoolId, record: &Record, why: u16) -> Result<(), NodeError> {
        let (node, destination) = (self.node, self.name.as_str());
        let failures = record.commitments.get(self.name).map_or(0, |known| known.failures);
        let reason = format!("{why:04X}");
        warn!(spool_id = %id, destination, reason, failures, "taken and not kept");
        if failures < RESENDS_MAX {
            let name = self.name.clone();
            node.on_spool(move |spool| spool.send_uncommitted_again(id, &name)).await?;
            node.kept.remove(id);
            let project = record.arrival.as_ref().map_or("", |arrival| arrival.project.as_str());
            node.queue.offer(&Stage::Forward(self.name.clone()), id, project);
            return Ok(());
        }
        let awaiting = node.on_spool(move |spool| spool.awaiting(id)).await?;
        let is_there = |to: &DestinationName| node.config.destinations.contains_key(to.as_str());
        if awaiting.iter().any(is_there) {
            // Not before the others have it: quarantine takes it from every outbox.
            return Ok(());
        }
        let report = clean_report(node, id).await?;
        let detail = format!("{destination}, failure reason {reason}");
        let aside = SetAside {
            why: Quarantine::new(Reason::NotCommitted, detail),
            leaving: Some(Leaving { study: report.study_instance, instance: report.sop_instance }),
        };
        node.quarantine_held(self.held, id, aside).await
    }
}

async fn clean_report(node: &Node, id: SpoolId) -> Result<Report, NodeError> {
    let report = node.on_spool(move |spool| spool.report(id)).await?;
    serde_json::from_slice(&report).map_err(|error| NodeError::Unusable { what: error.to_string() })
}
