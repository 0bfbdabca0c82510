//! Rejection notes: what they name and was not sent is set aside, what was
//! sent is listed for whoever has to withdraw it elsewhere.
//!
//! Invariant: a note is remembered durably before it is cleaned
//! ([`super::line`]); from then on nothing that it names is sent, whatever ends
//! the process: each instance is looked up before it is cleaned and before it is
//! sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::line::recalled;
use super::node::{Node, NodeError, SetAside};
use crate::clean::Report;
use crate::clock::rfc3339;
use crate::reason::{Quarantine, Reason};
use crate::receipt::{Filter, Outcome};
use crate::spool::{Leaving, Record, SpoolError, SpoolId, State};

/// A recall and what became of what it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecallView {
    /// Project.
    pub project: String,
    /// New SOP Instance UID of the rejection note.
    pub note: String,
    /// Code of its title (PS3.16 CID 7010).
    pub code: String,
    /// The title.
    pub meaning: String,
    /// When the note was first seen, RFC 3339.
    pub time: String,
    /// What it names.
    pub instances: Vec<RecalledView>,
}

/// One recalled instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecalledView {
    /// New SOP Instance UID.
    pub instance: String,
    /// New Study Instance UID; empty when it was never seen.
    pub study: String,
    /// It stands in quarantine.
    pub held: bool,
    /// Destinations that have it, with the time of its delivery, RFC 3339.
    pub sent: BTreeMap<String, String>,
}

impl Node {
    /// Writes the receipt of a rejection note and sets aside what it names and
    /// stands ready to be sent. Does nothing for other instances.
    pub(super) async fn recall_by(
        &self,
        id: SpoolId,
        record: &Record,
        report: &Report,
    ) -> Result<(), NodeError> {
        let Some(note) = &report.recall else { return Ok(()) };
        let outcome = Outcome::Recall { code: note.code.clone(), instances: note.instances };
        self.receipt(id, record, Some(report), outcome).await?;
        let book = Arc::clone(&self.book);
        let named = self
            .on_spool(move |spool| {
                let mut named = Vec::new();
                // What every destination has is listed as sent, kept or not.
                for id in spool.list_waiting()? {
                    // One that was delivered meanwhile may have no report any more.
                    let Ok(report) = spool.report(id) else { continue };
                    let Ok(report) = serde_json::from_slice::<Report>(&report) else { continue };
                    if book.recalled_by(&report.sop_instance).is_some() {
                        named.push((id, report));
                    }
                }
                Ok(named)
            })
            .await?;
        for (id, report) in named {
            match self.set_aside_if_recalled(id, &report).await {
                // Delivered a moment ago: it is listed as sent.
                Err(NodeError::Spool(SpoolError::NotThere { .. } | SpoolError::Damaged { .. })) => {
                }
                other => {
                    other?;
                }
            }
        }
        Ok(())
    }

    /// Sets a clean copy aside when a rejection note names it and nobody has
    /// decided otherwise; whether it did.
    pub(super) async fn set_aside_if_recalled(
        &self,
        id: SpoolId,
        report: &Report,
    ) -> Result<bool, NodeError> {
        let Some(withdrawn) = self.book.recalled_by(&report.sop_instance) else { return Ok(false) };
        let held = self.locks.hold(id).await;
        if self.on_spool(move |spool| spool.state(id)).await? != Some(State::Held) {
            return Ok(true);
        }
        let record = self.on_spool(move |spool| spool.record(id)).await?;
        if record.is_accepted(withdrawn.at_unix_ms) {
            return Ok(false);
        }
        let aside = SetAside { why: recalled(&withdrawn.code), leaving: Some(leaving_of(report)) };
        self.quarantine_held(&held, id, aside).await?;
        Ok(true)
    }

    /// Quarantines an instance whose clean copy stands; nothing where it was taken away
    /// meanwhile, to be cleaned again or set aside.
    pub(super) async fn quarantine_cleaned(
        &self,
        id: SpoolId,
        why: Quarantine,
        report: &Report,
    ) -> Result<(), NodeError> {
        let held = self.locks.hold(id).await;
        let state = self.on_spool(move |spool| spool.state(id)).await?;
        if state.is_some_and(|state| state != State::Held) {
            return Ok(());
        }
        let aside = SetAside { why, leaving: Some(leaving_of(report)) };
        self.quarantine_held(&held, id, aside).await
    }

    /// All recalls, with what was sent by the ledger and what is held by the
    /// quarantine's records.
    ///
    /// # Errors
    /// Spool or ledger cannot be read.
    pub async fn recalls(&self) -> Result<Vec<RecallView>, NodeError> {
        let recalls = self.book.recalls();
        let mut found: BTreeMap<String, RecalledView> = BTreeMap::new();
        for instance in recalls.iter().flat_map(|recall| &recall.instances) {
            let view = RecalledView {
                instance: instance.clone(),
                study: String::new(),
                held: false,
                sent: BTreeMap::new(),
            };
            found.insert(instance.clone(), view);
        }
        if !found.is_empty() {
            self.add_held(&mut found).await?;
            found = self.with_sent(found).await?;
        }
        let view = |recall: crate::corrections::Recall| RecallView {
            instances: recall.instances.iter().filter_map(|uid| found.get(uid)).cloned().collect(),
            project: recall.project,
            note: recall.note,
            meaning: meaning(&recall.code).to_owned(),
            code: recall.code,
            time: rfc3339(recall.time_unix_ms),
        };
        Ok(recalls.into_iter().map(view).collect())
    }

    async fn add_held(&self, found: &mut BTreeMap<String, RecalledView>) -> Result<(), NodeError> {
        let held: BTreeSet<(String, String)> = self
            .on_spool(|spool| {
                let mut held = BTreeSet::new();
                for id in spool.list(State::Quarantine)? {
                    let Ok(record) = spool.record(id) else { continue };
                    let note = record.quarantine.filter(|note| note.why.reason == Reason::Recalled);
                    if let Some(leaving) = note.and_then(|note| note.leaving) {
                        held.insert((leaving.instance, leaving.study));
                    }
                }
                Ok(held)
            })
            .await?;
        for (instance, study) in held {
            if let Some(view) = found.get_mut(&instance) {
                (view.held, view.study) = (true, study);
            }
        }
        Ok(())
    }

    async fn with_sent(
        &self,
        mut found: BTreeMap<String, RecalledView>,
    ) -> Result<BTreeMap<String, RecalledView>, NodeError> {
        let ledger = Arc::clone(&self.ledger);
        let walked = tokio::task::spawn_blocking(move || {
            for receipt in ledger.iter(Filter::default())? {
                let receipt = receipt?;
                let Some(cleaning) = &receipt.cleaning else { continue };
                if let Outcome::Delivered { destination, .. } = &receipt.outcome
                    && let Some(view) = found.get_mut(&cleaning.instance)
                {
                    view.study.clone_from(&cleaning.study);
                    view.sent.insert(destination.clone(), rfc3339(receipt.time_unix_ms));
                }
            }
            Ok::<_, crate::receipt::LedgerError>(found)
        });
        Ok(walked.await.map_err(|_runtime_ends| NodeError::Stopping)??)
    }
}

/// The UIDs that a clean object has.
pub(super) fn leaving_of(report: &Report) -> Leaving {
    Leaving { study: report.study_instance.clone(), instance: report.sop_instance.clone() }
}

/// Titles of rejection notes (PS3.16 CID 7010).
fn meaning(code: &str) -> &'static str {
    match code {
        "113001" => "Rejected for Quality Reasons",
        "113037" => "Rejected for Patient Safety Reasons",
        "113038" => "Incorrect Modality Worklist Entry",
        "113039" => "Data Retention Policy Expired",
        _ => "",
    }
}
