//! Objects that come under a SOP Instance UID that was admitted before: of the same
//! study they are corrections, sent after what they correct; of another study they
//! are a conflict, for a person.
//!
//! What was admitted is known by its new UIDs, so that nothing of the source stands
//! in memory. Invariant: of one UID nothing older is admitted after something newer.
//! In memory alone; after a restart what waits is read before anything is cleaned or
//! sent; then the last days' receipts are, and until they have been, less is known of
//! what was delivered.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{info, warn};

use super::blocking::blocking;
use super::node::{Node, NodeError};
use super::recall::leaving_of;
use super::sent::{Last, Place, Sent};
use crate::clean::Report;
use crate::lifecycle::Stopping;
use crate::reason::{Quarantine, Reason};
use crate::receipt::{Filter, LedgerError, Outcome, Receipt};
use crate::spool::{DestinationName, Leaving, Spool, SpoolId};

/// Most instances that are remembered. Default 200,000, some 23 MiB: a week of a
/// community hospital's; the oldest goes first.
const REMEMBERED_MAX: usize = 200_000;
/// How far back receipts are read at a start. Default three days, a weekend: what a
/// sender's queue repeats is younger.
const READ_BACK_MS: u64 = 3 * 86_400_000;

/// Instances that are read together at the start. Default 256: other steps of the
/// spool come in between.
const READ_GROUP: usize = 256;
/// What a person is told that it is.
const READING_WAITING: &str = "reading what waits, before which nothing is cleaned or sent";
/// Pause before what waits is read once more. Default 10 s: a disk that fails is not
/// mended quicker.
const READ_AGAIN: Duration = Duration::from_secs(10);
/// Pause between two looks at whether it was read. Default 20 ms.
const READ_PAUSE: Duration = Duration::from_millis(20);

/// What was admitted under each UID.
#[derive(Debug)]
pub struct Versions {
    known: Mutex<Known>,
    sent: Sent,
    max: usize,
}

impl Default for Versions {
    fn default() -> Self {
        Self { known: Mutex::default(), sent: Sent::default(), max: REMEMBERED_MAX }
    }
}

/// A new SOP Instance UID of a project, or a new Study Instance UID, in 64 bits: two
/// that are taken for one (1 in 10^9 of full memories) cost a look by a person.
type Mark = u64;

#[derive(Debug, Default)]
struct Known {
    /// Not hashed: a hash table that is full and goes on changing doubles once more.
    newest: BTreeMap<Mark, Admitted>,
    /// For the oldest to go.
    by_id: BTreeMap<SpoolId, Mark>,
    /// Clean copies that wait, where more than one of a UID may.
    waiting: HashMap<Mark, BTreeSet<SpoolId>>,
    mark_of: HashMap<SpoolId, Mark>,
    /// All that waited at the start is known.
    is_read: bool,
}

#[derive(Debug, Clone, Copy)]
struct Admitted {
    id: SpoolId,
    study: Mark,
    /// Of the clean object.
    output: Mark,
}

/// What an instance is to those admitted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The first, or a correction.
    Goes,
    /// Another study has its UID.
    OtherStudy,
    /// A newer object of its UID was admitted.
    Superseded,
}

impl Verdict {
    fn quarantine(self) -> Result<(), Quarantine> {
        let conflict = |detail: &str| Err(Quarantine::new(Reason::Conflict, detail));
        match self {
            Self::Goes => Ok(()),
            Self::OtherStudy => conflict("(0008,0018) was received before in another study"),
            Self::Superseded => conflict("a newer object of this instance was admitted before"),
        }
    }
}

impl Versions {
    /// Looks before the work is done, when only the UIDs are known.
    pub(super) fn check(&self, project: &str, leaving: &Leaving) -> Result<(), Quarantine> {
        let known = self.known();
        let admitted = known.newest.get(&mark(project, &leaving.instance));
        let other = admitted.is_some_and(|admitted| admitted.study != mark("", &leaving.study));
        if other { Verdict::OtherStudy } else { Verdict::Goes }.quarantine()
    }

    /// An instance of a project is about to be admitted, with the digest of its clean
    /// object. `replaces`: a person decided that it goes whatever was sent before.
    pub(super) fn admit(
        &self,
        id: SpoolId,
        (project, output): (&str, &str),
        leaving: &Leaving,
        replaces: bool,
    ) -> Result<(), Quarantine> {
        let mut known = self.known();
        let (instance, study) = (mark(project, &leaving.instance), mark("", &leaving.study));
        let output = mark("", output);
        let newest = known.newest.get(&instance).copied();
        let verdict = match newest {
            _ if replaces => Verdict::Goes,
            Some(before) if before.study != study => Verdict::OtherStudy,
            // The same content goes in whatever order.
            Some(before) if before.id > id && before.output != output => Verdict::Superseded,
            Some(_) | None => Verdict::Goes,
        };
        verdict.quarantine()?;
        if newest.is_none_or(|before| replaces || before.id < id) {
            known.note(instance, Admitted { id, study, output });
        }
        known.waiting.entry(instance).or_default().insert(id);
        known.mark_of.insert(id, instance);
        known.shrink(self.max);
        Ok(())
    }

    /// A clean copy that was delivered goes out again: what corrects it waits for it.
    /// False, and nothing is noted, when something newer was admitted. Its outbox links
    /// are made while it is held ([`super::locks`]).
    pub(super) fn goes_again(&self, id: SpoolId, project: &str, report: &Report) -> bool {
        let leaving = leaving_of(report);
        let mut known = self.known();
        let instance = mark(project, &leaving.instance);
        if known.is_outdated(id, instance, report) {
            return false;
        }
        known.waiting.entry(instance).or_default().insert(id);
        known.mark_of.insert(id, instance);
        true
    }

    /// A clean copy stood at the start and waits for some destination.
    fn stands(&self, id: SpoolId, (project, output): (&str, &str), leaving: &Leaving) {
        let mut known = self.known();
        let (instance, study) = (mark(project, &leaving.instance), mark("", &leaving.study));
        if known.newest.get(&instance).is_none_or(|before| before.id < id) {
            known.note(instance, Admitted { id, study, output: mark("", output) });
            known.shrink(self.max);
        }
        known.waiting.entry(instance).or_default().insert(id);
        known.mark_of.insert(id, instance);
    }

    fn is_read(&self) -> bool {
        self.known().is_read
    }

    /// What is older of its UID and still waits for some destination.
    pub(super) fn older(&self, id: SpoolId) -> Vec<SpoolId> {
        let known = self.known();
        let waiting = known.mark_of.get(&id).and_then(|mark| known.waiting.get(mark));
        waiting.into_iter().flat_map(|waiting| waiting.range(..id)).copied().collect()
    }

    /// Its clean copy waits no more: every destination has it, or it was set aside.
    pub(super) fn left(&self, id: SpoolId) {
        let mut known = self.known();
        let Some(mark) = known.mark_of.remove(&id) else { return };
        if let Some(waiting) = known.waiting.get_mut(&mark) {
            waiting.remove(&id);
            if waiting.is_empty() {
                known.waiting.remove(&mark);
            }
        }
    }

    fn remember(&self, receipt: &Receipt) {
        let (Outcome::Delivered { destination, .. }, Some(cleaning)) =
            (&receipt.outcome, &receipt.cleaning)
        else {
            return;
        };
        let (project, instance) = (&*receipt.project, &*cleaning.instance);
        self.sent.note_before(Place { to: destination, project, instance }, &cleaning.output);
        let Ok(id) = receipt.id.parse() else { return };
        let mut known = self.known();
        let instance = mark(&receipt.project, &cleaning.instance);
        // What was admitted since the start is newer.
        if known.newest.get(&instance).is_none_or(|before| before.id < id) {
            let (study, output) = (mark("", &cleaning.study), mark("", &cleaning.output));
            known.note(instance, Admitted { id, study, output });
            known.shrink(self.max);
        }
    }

    /// A destination has a clean object of a project.
    pub(super) fn note_sent(&self, to: &DestinationName, project: &str, report: &Report) {
        self.sent.note(place(to, project, report), &report.output_digest);
    }

    /// What a destination got last under the same UID.
    pub(super) fn last_at(&self, to: &DestinationName, project: &str, report: &Report) -> Last {
        self.sent.last(place(to, project, report), &report.output_digest)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // No step can panic between two changes that belong together.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Whether what a person or a newer object put in its place was admitted since.
    fn is_outdated(&self, id: SpoolId, instance: Mark, report: &Report) -> bool {
        let newest = self.newest.get(&instance);
        newest.is_some_and(|newest| {
            newest.study != mark("", &report.study_instance)
                || newest.id > id && newest.output != mark("", &report.output_digest)
        })
    }

    fn note(&mut self, instance: Mark, admitted: Admitted) {
        if let Some(before) = self.newest.insert(instance, admitted) {
            self.by_id.remove(&before.id);
        }
        self.by_id.insert(admitted.id, instance);
    }

    fn shrink(&mut self, max: usize) {
        while self.by_id.len() > max
            && let Some((_oldest, mark)) = self.by_id.pop_first()
        {
            self.newest.remove(&mark);
        }
    }
}

fn place<'a>(to: &'a DestinationName, project: &'a str, report: &'a Report) -> Place<'a> {
    Place { to: to.as_str(), project, instance: &report.sop_instance }
}

fn mark(project: &str, uid: &str) -> Mark {
    let mut hasher = DefaultHasher::new();
    (project, uid).hash(&mut hasher);
    hasher.finish()
}

impl Node {
    /// Reads what waits and what was delivered lately, so that corrections and
    /// conflicts are known as before the restart.
    pub(super) async fn remember_versions(self: Arc<Self>, mut stopping: Stopping) {
        while let Err(error) = self.read_waiting(&stopping).await {
            warn!(%error, "what waits cannot be read: nothing is sent");
            self.task_put_off(READING_WAITING, &error);
            tokio::select! {
                () = stopping.wait() => return,
                () = tokio::time::sleep(READ_AGAIN) => {}
            }
        }
        self.task_goes_on(READING_WAITING);
        if !self.versions.is_read() {
            return;
        }
        self.remember_delivered(stopping).await;
    }

    /// Reads what waits; ends early when the node stops.
    async fn read_waiting(self: &Arc<Self>, stopping: &Stopping) -> Result<(), NodeError> {
        let ids = self.on_spool(Spool::list_waiting).await?;
        let ids: Vec<_> = ids.into_iter().collect();
        for group in ids.chunks(READ_GROUP) {
            if stopping.is_set() {
                return Ok(());
            }
            let (node, group) = (Arc::clone(self), group.to_vec());
            self.on_spool(move |spool| {
                group.into_iter().for_each(|id| node.read_one_waiting(spool, id));
                Ok(())
            })
            .await?;
        }
        self.versions.known().is_read = true;
        info!(instances = ids.len(), "what waits is known");
        Ok(())
    }

    /// What cannot be read its destination's task finds out about.
    fn read_one_waiting(&self, spool: &Spool, id: SpoolId) {
        let (Ok(record), Ok(report)) = (spool.record(id), spool.report(id)) else { return };
        let Ok(report) = serde_json::from_slice::<Report>(&report) else { return };
        let Some(arrival) = &record.arrival else { return };
        let output = (arrival.project.as_str(), report.output_digest.as_str());
        self.versions.stands(id, output, &leaving_of(&report));
    }

    /// Returns when what waited at the start is known.
    pub(super) async fn versions_known(&self) {
        while !self.versions.is_read() {
            tokio::time::sleep(READ_PAUSE).await;
        }
    }

    /// Returns when what was delivered before the start is known, as far as it is read.
    pub(super) async fn deliveries_known(&self) {
        while !self.versions.sent.is_read() {
            tokio::time::sleep(READ_PAUSE).await;
        }
    }

    async fn remember_delivered(self: Arc<Self>, stopping: Stopping) {
        let since = self.clock.unix_ms().saturating_sub(READ_BACK_MS);
        let node = Arc::clone(&self);
        let read = blocking(move || -> Result<usize, LedgerError> {
            let mut count = 0;
            for receipt in node.ledger.iter(Filter { since_unix_ms: since, ..Filter::default() })? {
                if stopping.is_set() {
                    break;
                }
                node.versions.remember(&receipt?);
                count += 1;
            }
            Ok(count)
        });
        let read = read.await;
        self.versions.sent.all_read();
        match read {
            Ok(Ok(receipts)) => info!(receipts, "what was delivered lately is known"),
            Ok(Err(error)) => {
                warn!(%error, "receipts cannot be read: conflicts with what was delivered before the start are not seen");
            }
            Err(_runtime_ends) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> SpoolId {
        format!("{number:032x}").parse().unwrap()
    }

    fn leaving(study: &str, instance: &str) -> Leaving {
        Leaving { study: study.into(), instance: instance.into() }
    }

    #[test]
    fn a_uid_in_another_study_is_a_conflict_until_a_person_replaces() {
        let versions = Versions::default();
        let (first, other) = (leaving("2.25.1", "2.25.9"), leaving("2.25.2", "2.25.9"));
        versions.admit(id(1), ("trial", "a"), &first, false).unwrap();
        let refused = versions.check("trial", &other).unwrap_err();
        assert_eq!(refused.reason, Reason::Conflict);
        assert!(versions.admit(id(2), ("trial", "b"), &other, false).is_err());
        versions.check("another", &other).unwrap();
        versions.check("trial", &first).unwrap();
        versions.admit(id(2), ("trial", "b"), &other, true).unwrap();
        assert!(versions.check("trial", &first).is_err(), "the study that has it now counts");
    }

    #[test]
    fn a_correction_waits_for_what_it_corrects_and_nothing_older_follows_it() {
        let versions = Versions::default();
        let same = leaving("2.25.1", "2.25.9");
        versions.admit(id(1), ("trial", "a"), &same, false).unwrap();
        versions.admit(id(3), ("trial", "c"), &same, false).unwrap();
        assert_eq!((versions.older(id(1)), versions.older(id(3))), (vec![], vec![id(1)]));
        versions.admit(id(2), ("trial", "c"), &same, false).expect("the same content");
        versions.left(id(2));
        let late = versions.admit(id(2), ("trial", "b"), &same, false).unwrap_err();
        assert!(late.detail.contains("newer"), "{late:?}");
        versions.left(id(1));
        assert!(versions.older(id(3)).is_empty());
        versions.left(id(3));
        let known = versions.known();
        assert!(known.waiting.is_empty() && known.mark_of.is_empty(), "{known:?}");
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes() {
        let versions = Versions { max: 2, ..Versions::default() };
        for number in 1..=3 {
            let uid = format!("2.25.{number}");
            versions.admit(id(number), ("trial", "a"), &leaving("2.25.1", &uid), false).unwrap();
            versions.left(id(number));
        }
        let elsewhere = |number: u32| leaving("2.25.77", &format!("2.25.{number}"));
        versions.check("trial", &elsewhere(1)).unwrap();
        assert!(versions.check("trial", &elsewhere(3)).is_err());
        assert_eq!(versions.known().newest.len(), 2);
    }
}
