//! The node's side of `release = study` ([`super::studies`]), and what it tells
//! of studies: what was received, delivered, set aside and thrown away of each.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::node::{Node, NodeError};
use super::studies::{Aside, Because, Gate, Member, Now, OnItsWay, StudyKey};
use crate::clean::Report;
use crate::config::Release;
use crate::dicom::AeTitle;
use crate::lifecycle::Stopping;
use crate::queue::{Queue as _, Stage};
use crate::receipt::{Filter, LedgerError, Outcome};
use crate::spool::{DestinationName, Record, Spool, SpoolError, SpoolId, State};

/// What a person is told that it is.
const READING_QUARANTINE: &str = "reading quarantine, before which no whole study is sent";
/// Wait before the quarantine is read once more. Default 15 s, as after other faults
/// of the disk.
const READ_AGAIN: Duration = Duration::from_secs(15);

/// Wait of a correction for what it corrects. Default 1 s: that goes first by itself.
const ORDER_WAIT: Duration = Duration::from_secs(1);

/// What became of a study, as far as ledger and spool tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyView {
    /// Project.
    pub project: String,
    /// New Study Instance UID.
    pub study: String,
    /// Instances that came: the four below.
    pub received: usize,
    /// Cleaned, and not yet everywhere.
    pub waiting: usize,
    /// Every destination has them.
    pub delivered: usize,
    /// In quarantine.
    pub quarantined: usize,
    /// Thrown away by a person.
    pub discarded: usize,
    /// What it waits for under `release = "study"`: `quiet`, `cleaning`, `quarantine`,
    /// `start`; empty when it may be sent.
    pub waits_for: String,
}

impl Node {
    /// Notes that an object of a project begins to come in; to be kept until that
    /// is over. None where nothing waits for whole studies.
    #[must_use]
    pub fn arrives(&self, id: SpoolId, project: &str, sender: &AeTitle) -> Option<OnItsWay> {
        let project = self.config.projects.get(project)?;
        let Release::Study { .. } = project.release else { return None };
        Some(self.studies.arrives(id, project.name.clone(), sender.clone()))
    }

    fn has_whole_studies(&self) -> bool {
        self.config.projects.values().any(|project| project.release != Release::Instance)
    }

    /// Notes a clean copy of a project that sends whole studies.
    pub(super) fn note_cleaned(&self, id: SpoolId, record: &Record, report: &Report) {
        if let Some(member) = self.member(record, report) {
            self.studies.note(id, member, self.now());
        }
    }

    /// Whether an instance may be sent to a destination now.
    pub(super) async fn gate(&self, id: SpoolId, to: &DestinationName) -> Result<Gate, NodeError> {
        for older in self.versions.older(id) {
            // Whoever holds it may be about to send it again.
            let _held = self.locks.hold(older).await;
            let awaiting = self.on_spool(move |spool| spool.awaiting(older)).await?;
            // What this destination refused for good it does not get first either.
            if awaiting.contains(to) && !self.refusals.has(older, to) {
                return Ok(Gate::Shut(ORDER_WAIT, Because::Order));
            }
        }
        if !self.has_whole_studies() {
            return Ok(Gate::Open);
        }
        if !self.studies.knows(id) {
            let found =
                self.on_spool(move |spool| Ok((spool.record(id)?, spool.report(id)?))).await;
            let (record, report) = match found {
                // Whoever sends it finds out what is wrong with it.
                Err(NodeError::Spool(SpoolError::Damaged { .. })) => return Ok(Gate::Open),
                found => found?,
            };
            let Ok(report) = serde_json::from_slice::<Report>(&report) else {
                return Ok(Gate::Open);
            };
            let Some(member) = self.member(&record, &report) else { return Ok(Gate::Open) };
            self.studies.note(id, member, self.now());
        }
        Ok(self.studies.look(id, self.now()))
    }

    /// Notes an instance that stands in quarantine now.
    pub(super) fn note_aside(&self, id: SpoolId, record: Option<&Record>) {
        if self.has_whole_studies() {
            self.studies.set_aside(id, aside(record));
        }
    }

    /// Reads what stands in quarantine, so that studies may be sent.
    pub(super) async fn read_quarantine(self: Arc<Self>, mut stopping: Stopping) {
        if !self.has_whole_studies() {
            return;
        }
        while let Err(error) = self.read_quarantine_once().await {
            warn!(%error, "quarantine cannot be read: whole studies are not sent");
            self.task_put_off(READING_QUARANTINE, &error);
            tokio::select! {
                () = stopping.wait() => return,
                () = tokio::time::sleep(READ_AGAIN) => {}
            }
        }
        self.task_goes_on(READING_QUARANTINE);
        self.studies.quarantine_is_read();
        info!("quarantine read: whole studies may be sent");
    }

    async fn read_quarantine_once(&self) -> Result<(), NodeError> {
        for id in self.on_spool(|spool| spool.list(State::Quarantine)).await? {
            // Nobody sets it aside or takes it back in between.
            let _held = self.locks.hold(id).await;
            if self.on_spool(move |spool| spool.state(id)).await? == Some(State::Quarantine) {
                // One whose record is damaged may be of any study.
                let record = self.on_spool(move |spool| spool.record(id)).await.ok();
                self.note_aside(id, record.as_ref());
            }
        }
        Ok(())
    }

    fn now(&self) -> Now {
        Now {
            monotonic: self.clock.monotonic(),
            unix_ms: self.clock.unix_ms(),
            oldest_uncleaned: self.queue.oldest(&Stage::Clean),
        }
    }

    fn member(&self, record: &Record, report: &Report) -> Option<Member> {
        let arrival = record.arrival.as_ref()?;
        let Release::Study { quiet } = self.config.projects.get(&arrival.project)?.release else {
            return None;
        };
        let like = |peer: IpAddr| self.config.sender_like(&arrival.calling_ae, peer);
        let of_sender = arrival.peer.and_then(like).and_then(|sender| sender.quiet);
        Some(Member {
            key: StudyKey {
                project: arrival.project.clone(),
                study: report.study_instance.clone(),
            },
            sender: arrival.calling_ae.clone(),
            // By its id, as what arrives is compared: ids go on when the clock is set back.
            received_ms: record.id.unix_ms(),
            quiet: of_sender.unwrap_or(quiet),
        })
    }

    /// What became of each study: of all, or of one, by its new UID. Reads ledger,
    /// quarantine and the reports of what waits.
    ///
    /// # Errors
    /// Spool or ledger cannot be read.
    pub async fn study_views(&self, study: Option<String>) -> Result<Vec<StudyView>, NodeError> {
        let mut tallies = self.on_spool(standing).await?;
        let ledger = Arc::clone(&self.ledger);
        let filter = study.clone();
        let walked = tokio::task::spawn_blocking(move || -> Result<_, LedgerError> {
            for receipt in ledger.iter(Filter::default())? {
                let receipt = receipt?;
                let (cleaned, discarded) = match (&receipt.outcome, &receipt.cleaning) {
                    (Outcome::Delivered { .. }, Some(cleaning)) => (Some(&cleaning.study), None),
                    (Outcome::Discarded { study, .. }, _) if !study.is_empty() => {
                        (None, Some(study))
                    }
                    _ => continue,
                };
                let Some(study) = cleaned.or(discarded) else { continue };
                if filter.as_ref().is_some_and(|wanted| wanted != study) {
                    continue;
                }
                let tally = tallies.entry((receipt.project.clone(), study.clone())).or_default();
                let ids = if cleaned.is_some() { &mut tally.sent } else { &mut tally.discarded };
                ids.insert(receipt.id);
            }
            Ok(tallies)
        });
        let tallies = walked.await.map_err(|_runtime_ends| NodeError::Stopping)??;
        let mut waits: BTreeMap<StudyKey, &'static str> = BTreeMap::new();
        for (key, _, gate) in self.studies.waiting(self.now()) {
            if let Gate::Shut(_, because) = gate {
                waits.insert(key, because.plain());
            }
        }
        let wanted = |uid: &String| study.as_ref().is_none_or(|wanted| wanted == uid);
        let views = tallies.into_iter().filter(|((_, uid), _)| wanted(uid));
        Ok(views.map(|((project, study), tally)| tally.view(project, study, &waits)).collect())
    }
}

/// Ids of one study by where they are.
#[derive(Debug, Default)]
struct Tally {
    waiting: BTreeSet<String>,
    quarantined: BTreeSet<String>,
    /// At least one destination has it.
    sent: BTreeSet<String>,
    discarded: BTreeSet<String>,
}

impl Tally {
    fn view(
        self,
        project: String,
        study: String,
        waits: &BTreeMap<StudyKey, &'static str>,
    ) -> StudyView {
        let here = |id: &&String| !self.waiting.contains(*id) && !self.quarantined.contains(*id);
        let delivered = self.sent.iter().filter(here).count();
        let discarded = self.discarded.iter().filter(here).count();
        let key = StudyKey { project, study };
        let waits_for = waits.get(&key).copied().unwrap_or_default().to_owned();
        StudyView {
            received: self.waiting.len() + self.quarantined.len() + delivered + discarded,
            waiting: self.waiting.len(),
            delivered,
            quarantined: self.quarantined.len(),
            discarded,
            waits_for,
            project: key.project,
            study: key.study,
        }
    }
}

/// What the spool holds, by project and new Study Instance UID.
fn standing(spool: &Spool) -> Result<BTreeMap<(String, String), Tally>, SpoolError> {
    let mut tallies: BTreeMap<(String, String), Tally> = BTreeMap::new();
    let mut waiting = BTreeSet::new();
    for destination in spool.destinations() {
        waiting.extend(spool.list_outbox(&destination)?);
    }
    for id in waiting {
        // One that was delivered or set aside meanwhile has neither any more.
        let (Ok(record), Ok(report)) = (spool.record(id), spool.report(id)) else { continue };
        let Ok(report) = serde_json::from_slice::<Report>(&report) else { continue };
        let Some(arrival) = record.arrival else { continue };
        let tally = tallies.entry((arrival.project, report.study_instance)).or_default();
        tally.waiting.insert(id.to_string());
    }
    for id in spool.list(State::Quarantine)? {
        let Ok(record) = spool.record(id) else { continue };
        let Aside { from: Some((project, _)), study: Some(study) } = aside(Some(&record)) else {
            continue;
        };
        tallies.entry((project, study)).or_default().quarantined.insert(id.to_string());
    }
    Ok(tallies)
}

fn aside(record: Option<&Record>) -> Aside {
    let arrival = record.and_then(|record| record.arrival.as_ref());
    let note = record.and_then(|record| record.quarantine.as_ref());
    Aside {
        from: arrival.map(|arrival| (arrival.project.clone(), arrival.calling_ae.clone())),
        study: note.and_then(|note| note.leaving.as_ref()).map(|leaving| leaving.study.clone()),
    }
}
