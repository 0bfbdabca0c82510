//! What people ask of a node: what waits where, why something stands in
//! quarantine, release, discard.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::alarm;
use super::commitment::CommitmentView;
use super::health::{PutOffView, TroubleView};
use super::locks::Held;
use super::node::{Node, NodeError, SetAside};
use crate::clock::rfc3339;
use crate::reason::{Quarantine, Reason};
use crate::receipt::{Filter, Outcome, Receipt};
use crate::spool::{Record, SpoolError, SpoolId, State};
use crate::vault::VaultError;

/// Longest actor or reason of a discard, in bytes: it stands in a receipt of 1 KB.
pub const WORDS_BYTES_MAX: usize = 200;

/// How many of each state are opened at either end to look for their keys. Default 500: a
/// key that is missing is an old one, or the last one; in all a second.
const LOOKED_AT: usize = 500;

/// Counts of instances by place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueView {
    /// Waiting to be cleaned.
    pub received: usize,
    /// Waiting for each destination.
    pub outbox: BTreeMap<String, usize>,
    /// In quarantine.
    pub quarantine: usize,
    /// Delivered and kept.
    #[serde(default)]
    pub kept: usize,
    /// Storage commitment of each destination that is asked for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub commitments: BTreeMap<String, CommitmentView>,
    /// Age of the oldest that waits, seconds; 0 when nothing waits.
    pub oldest_seconds: u64,
    /// Free bytes of the data directory's file system.
    pub free_bytes: u64,
    /// Files that it can still hold; none where it knows no such limit.
    #[serde(default)]
    pub free_files: Option<u64>,
    /// Bytes of all objects; none without a quota.
    #[serde(default)]
    pub used_bytes: Option<u64>,
    /// For how many seconds there is room when nothing goes out, by the busiest hour since
    /// the start; none before anything came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_seconds: Option<u64>,
    /// Destinations that take nothing at present, and for which something waits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub troubles: BTreeMap<String, TroubleView>,
    /// How many instances each destination refused for good, which go to quarantine when
    /// the others have them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, usize>,
    /// What a fault of the node's own keeps from going on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub put_off: Vec<PutOffView>,
    /// Ids of keys that something in the spool is sealed with and that are not here; as
    /// far as it was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_keys: Vec<String>,
    /// What starts of the last 30 days found in the spool that a person should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
    /// Nothing is taken until a restart; [`QueueView::stopped`] says why.
    pub failed: bool,
    /// What stopped until a restart, in plain words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<String>,
    /// What somebody should see to, in plain words.
    #[serde(default)]
    pub alarms: Vec<String>,
}

/// One instance in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineView {
    /// Our id.
    pub id: String,
    /// When it was received, RFC 3339.
    pub received: String,
    /// Project; empty when the record was lost.
    pub project: String,
    /// AE title of the sender.
    pub calling_ae: String,
    /// SOP Class UID.
    pub sop_class: String,
    /// Bytes.
    pub bytes: u64,
    /// What it shares with the others of its study that stand for the same
    /// reason at the same place; `release --cause` takes it.
    pub cause: String,
    /// New Study Instance UID; empty when it was not known by then.
    pub study: String,
    /// Reason's code.
    pub reason: String,
    /// Reason in plain words.
    pub plain: String,
    /// Where: rule, tag path, limit.
    pub detail: String,
    /// What to do.
    pub next_step: String,
}

impl Node {
    /// What waits where, from the directories themselves.
    ///
    /// # Errors
    /// The spool cannot be listed.
    pub async fn standing(&self) -> Result<QueueView, NodeError> {
        let now_ms = self.clock.unix_ms();
        let commitments = Arc::clone(&self.commitments);
        let view = self.on_spool(move |spool| {
            let received = spool.list(State::Received)?;
            let mut oldest = received.first().copied();
            let mut outbox = BTreeMap::new();
            for destination in spool.destinations() {
                let waiting = spool.list_outbox(&destination)?;
                oldest = oldest.into_iter().chain(waiting.first().copied()).min();
                outbox.insert(destination.as_str().to_owned(), waiting.len());
            }
            let delivered = spool.list_delivered()?;
            Ok(QueueView {
                received: received.len(),
                outbox,
                quarantine: spool.list(State::Quarantine)?.len(),
                kept: delivered.len(),
                commitments: commitments.views(spool, &delivered),
                oldest_seconds: oldest.map_or(0, |id| now_ms.saturating_sub(id.unix_ms()) / 1_000),
                free_bytes: spool.free_bytes()?,
                free_files: spool.free_files()?,
                used_bytes: spool.used_bytes(),
                ..QueueView::default()
            })
        });
        let view = QueueView {
            refused: self.refusals.counts(),
            failed: !self.is_taking(),
            stopped: self.stopped(),
            put_off: self.put_offs().await?,
            missing_keys: self.spool.vault().missing(),
            found: self.found(),
            ..view.await?
        };
        let mut troubles = self.health.troubles(self.clock.monotonic());
        // Where nothing waits nobody finds out whether it is over.
        troubles.retain(|name, _| view.outbox.get(name).is_some_and(|waiting| *waiting > 0));
        let room = alarm::room_bytes(&view, &self.config);
        let view = QueueView { troubles, room_seconds: self.intake.lasts_seconds(room), ..view };
        Ok(QueueView { alarms: alarm::words(&view, &self.config), ..view })
    }

    /// Opens the oldest and the newest of each state, so that [`QueueView::missing_keys`]
    /// has something to tell also where no node runs that would come upon it.
    ///
    /// # Errors
    /// The spool cannot be listed.
    pub async fn look_for_keys(&self) -> Result<(), NodeError> {
        self.on_spool(|spool| {
            for state in [State::Received, State::Held, State::Quarantine] {
                let ids = spool.list(state)?;
                let newest = ids.len().saturating_sub(LOOKED_AT).max(LOOKED_AT.min(ids.len()));
                let (oldest, newest) = (ids.iter().take(LOOKED_AT), ids.iter().skip(newest));
                for id in oldest.chain(newest) {
                    // Only that they were asked for a key counts.
                    drop((spool.record(*id), spool.open_object(state, *id)));
                }
            }
            Ok(())
        })
        .await
    }

    /// What stands in quarantine: all, or one.
    ///
    /// # Errors
    /// The spool cannot be listed; [`NodeError::Unusable`] for an id that is not there.
    pub async fn quarantined(&self, id: Option<&str>) -> Result<Vec<QuarantineView>, NodeError> {
        let ids = match id {
            Some(id) => vec![quarantine_id(id)?],
            None => self.on_spool(|spool| spool.list(State::Quarantine)).await?,
        };
        let mut views = Vec::new();
        for id in ids {
            match self.on_spool(move |spool| spool.record(id)).await {
                Ok(record) => views.push(view(&record)),
                Err(NodeError::Spool(SpoolError::Damaged { what, .. })) => {
                    views.push(damaged(id, what));
                }
                Err(NodeError::Spool(SpoolError::Locked { source, .. })) => {
                    views.push(locked(id, &source));
                }
                // It was released or discarded meanwhile.
                Err(NodeError::Spool(SpoolError::NotThere { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(views)
    }

    /// Throws an instance away for good. The receipt first: what is gone must
    /// have a line that says who wanted it.
    ///
    /// # Errors
    /// It is not in quarantine, or actor or reason are empty or too long.
    pub async fn discard(&self, id: &str, actor: &str, why: &str) -> Result<(), NodeError> {
        let id = quarantine_id(id)?;
        check_words(actor, why)?;
        let (actor, why) = (actor.trim().to_owned(), why.trim().to_owned());
        let held = self.locks.hold(id).await;
        let record = self.record_in_quarantine(&held, id).await?;
        let leaving = record.quarantine.as_ref().and_then(|note| note.leaving.as_ref());
        let study = leaving.map(|leaving| leaving.study.clone()).unwrap_or_default();
        let outcome = Outcome::Discarded { actor: actor.clone(), reason: why.clone(), study };
        self.receipt(id, &record, None, outcome).await?;
        // Before it goes: a repeat that comes from now on is taken.
        self.repeats.forget(id);
        self.on_spool(move |spool| spool.discard(id, &actor, &why)).await?;
        self.studies.taken_back(id);
        Ok(())
    }

    /// The record of what stands in quarantine; one that was damaged there is made
    /// again from what can be trusted.
    pub(super) async fn record_in_quarantine(
        &self,
        held: &Held,
        id: SpoolId,
    ) -> Result<Record, NodeError> {
        match self.read_in_quarantine(id).await {
            Err(NodeError::Spool(SpoolError::Damaged { what, .. })) => {
                let why = Quarantine::new(Reason::DamagedSpool, what);
                self.quarantine_held(held, id, SetAside { why, leaving: None }).await?;
                self.read_in_quarantine(id).await
            }
            read => read,
        }
    }

    pub(super) async fn read_in_quarantine(&self, id: SpoolId) -> Result<Record, NodeError> {
        self.on_spool(move |spool| match spool.state(id)? {
            Some(State::Quarantine) => spool.record(id),
            Some(State::Received | State::Held | State::Cleaned) | None => {
                Err(SpoolError::NotThere { id, wanted: "in quarantine" })
            }
        })
        .await
    }

    /// Receipts, all or of one (new) study.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn receipts(&self, study: Option<String>) -> Result<Vec<Receipt>, NodeError> {
        let ledger = Arc::clone(&self.ledger);
        let read = tokio::task::spawn_blocking(move || -> Result<Vec<_>, _> {
            ledger.iter(Filter { study, ..Filter::default() })?.collect()
        });
        Ok(read.await.map_err(|_runtime_ends| NodeError::Stopping)??)
    }

    /// Walks the ledger's chain; the number of lines.
    ///
    /// # Errors
    /// The first line that is broken.
    pub async fn verify_receipts(&self) -> Result<u64, NodeError> {
        let ledger = Arc::clone(&self.ledger);
        let walked = tokio::task::spawn_blocking(move || ledger.verify()).await;
        Ok(walked.map_err(|_runtime_ends| NodeError::Stopping)??)
    }
}

/// Words of a person that stand in a receipt.
pub(super) fn check_words(actor: &str, why: &str) -> Result<(), NodeError> {
    let unusable = |words: &str| words.trim().is_empty() || words.len() > WORDS_BYTES_MAX;
    if unusable(actor) || unusable(why) {
        let what = format!("actor and reason need 1 to {WORDS_BYTES_MAX} bytes each");
        return Err(NodeError::Unusable { what });
    }
    Ok(())
}

pub(super) fn quarantine_id(text: &str) -> Result<SpoolId, NodeError> {
    text.parse().map_err(|_no_id| NodeError::Unusable {
        what: "an id has 32 hex digits, as in `airlock quarantine list`".into(),
    })
}

/// One whose record cannot be read: nothing is known but that.
fn unread(id: SpoolId) -> QuarantineView {
    QuarantineView {
        id: id.to_string(),
        received: rfc3339(id.unix_ms()),
        project: String::new(),
        calling_ae: String::new(),
        sop_class: String::new(),
        bytes: 0,
        cause: id.to_string(),
        study: String::new(),
        reason: String::new(),
        plain: String::new(),
        detail: String::new(),
        next_step: String::new(),
    }
}

fn damaged(id: SpoolId, what: &str) -> QuarantineView {
    let reason = Reason::DamagedSpool;
    QuarantineView {
        reason: reason.code().to_owned(),
        plain: reason.plain().to_owned(),
        detail: what.to_owned(),
        next_step: reason.next_step().to_owned(),
        ..unread(id)
    }
}

/// Why it stands there is sealed: the reason is no reason of quarantine.
fn locked(id: SpoolId, why: &VaultError) -> QuarantineView {
    QuarantineView {
        reason: "key-missing".to_owned(),
        plain: "why it was set aside cannot be read".to_owned(),
        next_step: why.to_string(),
        ..unread(id)
    }
}

fn view(record: &Record) -> QuarantineView {
    let arrival = record.arrival.as_ref();
    let why = record.quarantine.as_ref().map(|note| &note.why);
    let leaving = record.quarantine.as_ref().and_then(|note| note.leaving.as_ref());
    let word = |word: Option<&str>| word.unwrap_or_default().to_owned();
    QuarantineView {
        id: record.id.to_string(),
        received: rfc3339(record.received_unix_ms),
        project: word(arrival.map(|arrival| arrival.project.as_str())),
        calling_ae: word(arrival.map(|arrival| arrival.calling_ae.as_str())),
        sop_class: word(arrival.map(|arrival| arrival.sop_class.as_str())),
        bytes: record.bytes,
        cause: super::decide::cause(record),
        study: word(leaving.map(|leaving| leaving.study.as_str())),
        reason: word(why.map(|why| why.reason.code())),
        plain: word(why.map(|why| why.reason.plain())),
        detail: word(why.map(|why| why.detail.as_str())),
        next_step: word(why.map(|why| why.reason.next_step())),
    }
}
