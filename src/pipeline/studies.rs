//! `release = study`: which studies are whole enough to be sent.
//!
//! A clean copy waits in its outboxes from the moment it stands; this module
//! only says whether it may go now. Invariant: nothing of a study goes while an
//! instance of it came within its quiet time, is still to be cleaned, is on its
//! way in, or stands in quarantine. In memory alone: after a restart members are
//! looked up when their turn comes and the quarantine is read before the first
//! answer. No meaning is given to the end of an association (PS3.4 §B.4).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::dicom::AeTitle;
use crate::spool::SpoolId;

/// How long an instance whose study waits for something without a known end is left
/// before it is asked about again. Default 5 s: a person who releases or discards
/// a sibling sees the study leave at once, and a look costs microseconds.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// The same for what ends by itself at once: cleaning, a transfer.
const LOOK_SOON: Duration = Duration::from_secs(1);

/// A study of a project, by its new UID.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StudyKey {
    /// Project.
    pub(super) project: String,
    /// New Study Instance UID.
    pub(super) study: String,
}

/// An instance whose clean copy stands.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Its study.
    pub(super) key: StudyKey,
    /// Who sent it.
    pub(super) sender: AeTitle,
    /// When it was acknowledged, milliseconds since 1970.
    pub(super) received_ms: u64,
    /// How long nothing may come after it.
    pub(super) quiet: Duration,
}

/// An instance in quarantine.
#[derive(Debug, Clone, Default)]
pub(super) struct Aside {
    /// Project and sender; none when its record was lost.
    pub(super) from: Option<(String, AeTitle)>,
    /// New Study Instance UID; none when it was not known by then.
    pub(super) study: Option<String>,
}

/// Whether an instance may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// Now.
    Open,
    /// Not before this time is over.
    Shut(Duration, Because),
}

/// What a study waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Because {
    /// More may come.
    Quiet,
    /// One that may be its own is on its way in or not yet cleaned.
    Cleaning,
    /// One that is or may be its own stands in quarantine.
    Quarantine,
    /// The quarantine has not been read since the start.
    Start,
    /// An older object of its SOP Instance UID goes first.
    Order,
}

impl Because {
    /// As `airlock queue` says it.
    pub(super) fn plain(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Cleaning => "cleaning",
            Self::Quarantine => "quarantine",
            Self::Start => "start",
            Self::Order => "order",
        }
    }
}

/// Time as a look needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// Never jumps.
    pub(super) monotonic: Duration,
    /// Milliseconds since 1970.
    pub(super) unix_ms: u64,
    /// The oldest instance that is still to be cleaned.
    pub(super) oldest_uncleaned: Option<SpoolId>,
}

/// What is known of studies that wait.
#[derive(Debug, Default)]
pub(super) struct Studies {
    known: Mutex<Known>,
    is_quarantine_read: AtomicBool,
}

#[derive(Debug, Default)]
struct Known {
    members: BTreeMap<SpoolId, StudyKey>,
    studies: BTreeMap<StudyKey, Study>,
    aside: BTreeMap<SpoolId, Aside>,
    of_study: BTreeMap<StudyKey, BTreeSet<SpoolId>>,
    of_unknown_study: BTreeSet<SpoolId>,
    arriving: BTreeMap<SpoolId, (String, AeTitle)>,
}

#[derive(Debug)]
struct Study {
    waiting: BTreeSet<SpoolId>,
    senders: BTreeSet<AeTitle>,
    /// First and last acknowledgement, milliseconds since 1970.
    first_ms: u64,
    last_ms: u64,
    quiet: Duration,
    /// Monotonic.
    quiet_until: Duration,
}

/// An object that is being received; dropped when that is over.
#[derive(Debug)]
pub struct OnItsWay {
    studies: Arc<Studies>,
    id: SpoolId,
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.studies.known().arriving.remove(&self.id);
    }
}

impl Studies {
    /// An object begins to come in.
    pub(super) fn arrives(
        self: &Arc<Self>,
        id: SpoolId,
        project: String,
        sender: AeTitle,
    ) -> OnItsWay {
        self.known().arriving.insert(id, (project, sender));
        OnItsWay { studies: Arc::clone(self), id }
    }

    /// Whether the study of an instance is known already.
    pub(super) fn knows(&self, id: SpoolId) -> bool {
        self.known().members.contains_key(&id)
    }

    /// A clean copy stands, or was found after a restart.
    pub(super) fn note(&self, id: SpoolId, member: Member, now: Now) {
        let mut known = self.known();
        if known.members.insert(id, member.key.clone()).is_some() {
            return;
        }
        // A wall clock that was set back must not make a study wait for years.
        let age = Duration::from_millis(now.unix_ms.saturating_sub(member.received_ms));
        let until = (now.monotonic + member.quiet).saturating_sub(age.min(member.quiet));
        let study = known.studies.entry(member.key).or_insert_with(|| Study {
            waiting: BTreeSet::new(),
            senders: BTreeSet::new(),
            first_ms: member.received_ms,
            last_ms: member.received_ms,
            quiet: member.quiet,
            quiet_until: until,
        });
        study.waiting.insert(id);
        study.senders.insert(member.sender);
        study.first_ms = study.first_ms.min(member.received_ms);
        study.last_ms = study.last_ms.max(member.received_ms);
        study.quiet = study.quiet.max(member.quiet);
        study.quiet_until = study.quiet_until.max(until);
    }

    /// Every destination has it, or it is gone another way. A study of which
    /// nothing waits any more is forgotten.
    pub(super) fn left(&self, id: SpoolId) {
        self.known().leave(id);
    }

    /// It stands in quarantine now. Its study is taken from what was known of it
    /// where `aside` does not name one.
    pub(super) fn set_aside(&self, id: SpoolId, mut aside: Aside) {
        let mut known = self.known();
        if aside.study.is_none() {
            let earlier = known.aside.get(&id).and_then(|earlier| earlier.study.clone());
            let member = || known.members.get(&id).map(|key| key.study.clone());
            aside.study = earlier.or_else(member);
        }
        known.leave(id);
        known.take_back(id);
        match (&aside.from, &aside.study) {
            (Some((project, _)), Some(study)) => {
                let key = StudyKey { project: project.clone(), study: study.clone() };
                known.of_study.entry(key).or_default().insert(id);
            }
            (Some(_), None) | (None, _) => {
                known.of_unknown_study.insert(id);
            }
        }
        known.aside.insert(id, aside);
    }

    /// It stands in quarantine no more.
    pub(super) fn taken_back(&self, id: SpoolId) {
        self.known().take_back(id);
    }

    /// The quarantine was read: from now on the gate opens.
    pub(super) fn quarantine_is_read(&self) {
        self.is_quarantine_read.store(true, Ordering::Release);
    }

    /// Whether a member may be sent now.
    pub(super) fn look(&self, id: SpoolId, now: Now) -> Gate {
        let known = self.known();
        let Some(key) = known.members.get(&id) else {
            return Gate::Shut(LOOK_SOON, Because::Start);
        };
        self.gate(&known, key, now)
    }

    /// Why each study that waits does, and how many instances of it do.
    pub(super) fn waiting(&self, now: Now) -> Vec<(StudyKey, usize, Gate)> {
        let known = self.known();
        let view = |(key, study): (&StudyKey, &Study)| {
            (key.clone(), study.waiting.len(), self.gate(&known, key, now))
        };
        known.studies.iter().map(view).collect()
    }

    fn gate(&self, known: &Known, key: &StudyKey, now: Now) -> Gate {
        let Some(study) = known.studies.get(key) else { return Gate::Open };
        let left = study.quiet_until.saturating_sub(now.monotonic);
        if !left.is_zero() {
            return Gate::Shut(left, Because::Quiet);
        }
        if !self.is_quarantine_read.load(Ordering::Acquire) {
            return Gate::Shut(LOOK_SOON, Because::Start);
        }
        if known.of_study.contains_key(key) || known.may_be_aside(key, study) {
            return Gate::Shut(LOOK_AGAIN, Because::Quarantine);
        }
        // What began to come in before the quiet was over may be of the study.
        let before = |id: SpoolId| id.unix_ms() <= study.until_ms();
        let arriving = known.arriving.iter().any(|(id, (project, sender))| {
            *project == key.project && study.senders.contains(sender) && before(*id)
        });
        if arriving || now.oldest_uncleaned.is_some_and(before) {
            return Gate::Shut(LOOK_SOON, Because::Cleaning);
        }
        Gate::Open
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // No step can panic between two changes that belong together.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn leave(&mut self, id: SpoolId) {
        let Some(key) = self.members.remove(&id) else { return };
        if let Some(study) = self.studies.get_mut(&key) {
            study.waiting.remove(&id);
            if study.waiting.is_empty() {
                self.studies.remove(&key);
            }
        }
    }

    fn take_back(&mut self, id: SpoolId) {
        self.of_unknown_study.remove(&id);
        let Some(Aside { from: Some((project, _)), study: Some(study) }) = self.aside.remove(&id)
        else {
            return;
        };
        let key = StudyKey { project, study };
        if let Some(ids) = self.of_study.get_mut(&key) {
            ids.remove(&id);
            if ids.is_empty() {
                self.of_study.remove(&key);
            }
        }
    }

    /// Whether something stands in quarantine of which nobody knows the study and
    /// that came from a sender of this one while it came.
    fn may_be_aside(&self, key: &StudyKey, study: &Study) -> bool {
        let quiet_ms = u64::try_from(study.quiet.as_millis()).unwrap_or(u64::MAX);
        let times = study.first_ms.saturating_sub(quiet_ms)..=study.until_ms();
        self.of_unknown_study.iter().filter(|id| times.contains(&id.unix_ms())).any(|id| match self
            .aside
            .get(id)
            .and_then(|aside| aside.from.as_ref())
        {
            Some((project, sender)) => *project == key.project && study.senders.contains(sender),
            None => true,
        })
    }
}

impl Study {
    fn until_ms(&self) -> u64 {
        let quiet_ms = u64::try_from(self.quiet.as_millis()).unwrap_or(u64::MAX);
        self.last_ms.saturating_add(quiet_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_secs(300);
    const START_MS: u64 = 1_000_000_000;

    fn id_at(second: u64, number: u64) -> SpoolId {
        format!("{:012x}{number:020x}", START_MS + second * 1000).parse().unwrap()
    }

    fn member(study: &str, second: u64) -> Member {
        Member {
            key: StudyKey { project: "trial".into(), study: study.into() },
            sender: "CART".parse().unwrap(),
            received_ms: START_MS + second * 1000,
            quiet: QUIET,
        }
    }

    fn now(second: u64) -> Now {
        Now {
            monotonic: Duration::from_secs(second),
            unix_ms: START_MS + second * 1000,
            oldest_uncleaned: None,
        }
    }

    fn aside(study: Option<&str>) -> Aside {
        let from = Some(("trial".into(), "CART".parse().unwrap()));
        Aside { from, study: study.map(Into::into) }
    }

    fn studies() -> Arc<Studies> {
        let studies = Arc::new(Studies::default());
        studies.quarantine_is_read();
        studies
    }

    fn because(gate: Gate) -> Option<Because> {
        match gate {
            Gate::Open => None,
            Gate::Shut(_, because) => Some(because),
        }
    }

    #[test]
    fn a_study_goes_when_nothing_came_for_its_quiet_time_and_a_late_one_begins_anew() {
        let studies = studies();
        let ids = [id_at(0, 1), id_at(100, 2), id_at(1000, 3)];
        studies.note(ids[0], member("2.25.1", 0), now(0));
        studies.note(ids[1], member("2.25.1", 100), now(100));
        assert_eq!(
            studies.look(ids[0], now(300)),
            Gate::Shut(Duration::from_secs(100), Because::Quiet)
        );
        assert_eq!(studies.look(ids[0], now(400)), Gate::Open);
        studies.left(ids[0]);
        studies.note(ids[2], member("2.25.1", 1000), now(1000));
        assert_eq!(because(studies.look(ids[1], now(1299))), Some(Because::Quiet));
        assert_eq!(studies.look(ids[1], now(1300)), Gate::Open);
        studies.left(ids[1]);
        studies.left(ids[2]);
        assert!(studies.waiting(now(2000)).is_empty(), "nothing of it is remembered");
    }

    #[test]
    fn a_sibling_in_quarantine_holds_its_study_and_no_other_until_it_is_gone() {
        let studies = studies();
        let (a, b, bad) = (id_at(0, 1), id_at(0, 2), id_at(0, 3));
        studies.note(a, member("2.25.1", 0), now(0));
        studies.note(b, member("2.25.2", 0), now(0));
        studies.set_aside(bad, aside(Some("2.25.1")));
        assert_eq!(because(studies.look(a, now(500))), Some(Because::Quarantine));
        assert_eq!(studies.look(b, now(500)), Gate::Open);
        studies.taken_back(bad);
        assert_eq!(studies.look(a, now(500)), Gate::Open);
        // One that was about to be sent and was refused keeps its study.
        studies.set_aside(b, aside(None));
        studies.note(id_at(1, 4), member("2.25.2", 1), now(1));
        assert_eq!(because(studies.look(id_at(1, 4), now(5000))), Some(Because::Quarantine));
        assert_eq!(studies.look(a, now(5000)), Gate::Open);
    }

    #[test]
    fn one_of_an_unknown_study_holds_what_its_sender_sent_around_that_time() {
        let studies = studies();
        let (early, late) = (id_at(0, 1), id_at(5000, 2));
        studies.note(early, member("2.25.1", 0), now(0));
        studies.note(late, member("2.25.2", 5000), now(5000));
        let stranger = Member { sender: "CT".parse().unwrap(), ..member("2.25.3", 0) };
        studies.note(id_at(0, 5), stranger, now(0));
        studies.set_aside(id_at(250, 3), aside(None));
        assert_eq!(because(studies.look(early, now(9000))), Some(Because::Quarantine));
        assert_eq!(studies.look(late, now(9000)), Gate::Open);
        assert_eq!(studies.look(id_at(0, 5), now(9000)), Gate::Open);
        studies.set_aside(id_at(5100, 4), Aside::default());
        assert_eq!(
            because(studies.look(late, now(9000))),
            Some(Because::Quarantine),
            "whose it is, nobody knows"
        );
    }

    #[test]
    fn what_began_to_come_in_or_waits_to_be_cleaned_may_be_of_the_study() {
        let studies = studies();
        let id = id_at(0, 1);
        studies.note(id, member("2.25.1", 0), now(0));
        let cine = studies.arrives(id_at(200, 2), "trial".into(), "CART".parse().unwrap());
        let other = studies.arrives(id_at(200, 3), "trial".into(), "CT".parse().unwrap());
        assert_eq!(because(studies.look(id, now(900))), Some(Because::Cleaning));
        drop(cine);
        assert_eq!(studies.look(id, now(900)), Gate::Open);
        drop(other);
        let uncleaned = |second| Now { oldest_uncleaned: Some(id_at(second, 9)), ..now(900) };
        assert_eq!(because(studies.look(id, uncleaned(300))), Some(Because::Cleaning));
        assert_eq!(studies.look(id, uncleaned(301)), Gate::Open, "it came after the quiet time");
    }

    #[test]
    fn after_a_restart_quiet_goes_on_and_a_clock_set_back_does_not_stop_it() {
        let studies = Arc::new(Studies::default());
        let id = id_at(0, 1);
        let restarted = |unix_s: u64, monotonic_s: u64| Now {
            monotonic: Duration::from_secs(monotonic_s),
            unix_ms: START_MS + unix_s * 1000,
            oldest_uncleaned: None,
        };
        assert_eq!(because(studies.look(id, restarted(200, 0))), Some(Because::Start));
        studies.note(id, member("2.25.1", 0), restarted(200, 0));
        assert_eq!(because(studies.look(id, restarted(200, 0))), Some(Because::Quiet));
        assert_eq!(because(studies.look(id, restarted(300, 100))), Some(Because::Start));
        studies.quarantine_is_read();
        assert_eq!(studies.look(id, restarted(300, 100)), Gate::Open);
        let future = id_at(900_000, 2);
        studies.note(future, member("2.25.2", 900_000), restarted(300, 100));
        assert_eq!(studies.look(future, restarted(600, 400)), Gate::Open);
    }
}
