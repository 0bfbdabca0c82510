//! Storage Commitment towards destinations (PS3.4 Annex J): what waits to be
//! asked, what was asked, and what was reported.
//!
//! Invariant: what a destination has and has not committed to keep its record
//! tells; all here can be lost and is found again. A report is answered with
//! success when it is durable; the committer acts on it after that.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tracing::{info, warn};

use super::committer::BATCH_MAX;
use super::node::{Node, NodeError};
use crate::config::{Config, Destination, Peer};
use crate::dicom::AeTitle;
use crate::forward::commitment::{Refusal, Report};
use crate::spool::{
    CommitmentEnd, DestinationName, Record, Said, Spool, SpoolError, SpoolId, Transaction,
    TransactionName,
};

/// Least time that an instance stays after its delivery when a destination never
/// reported. Default 3 days: a weekend to find out why.
const GRACE_MIN: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// Transaction UIDs of one request that a report is heard under. Default 8: more
/// than there are requests before it is given up.
const UIDS_MAX: usize = 8;

/// What stays how long.
#[derive(Debug, Clone)]
pub(super) struct KeepRule {
    keep_ms: u64,
    asked: BTreeSet<DestinationName>,
}

impl KeepRule {
    fn new(config: &Config) -> Self {
        let asked = config.destinations.iter();
        let asked = asked.filter(|(_, destination)| destination.commitment_wait().is_some());
        Self {
            keep_ms: milliseconds(config.keep),
            // Names of the configuration were checked.
            asked: asked.filter_map(|(name, _)| name.parse().ok()).collect(),
        }
    }

    /// Whether delivered instances stay at all.
    pub(super) fn keeps(&self) -> bool {
        self.keep_ms > 0 || !self.asked.is_empty()
    }

    /// Until when a delivered instance stays, milliseconds since 1970; as long as a
    /// commitment is awaited, for ever.
    pub(super) fn due(&self, record: &Record) -> u64 {
        if self.asked.iter().any(|name| record.awaits_commitment(name)) {
            return u64::MAX;
        }
        let given_up = self.asked.iter().any(|name| ended(record, name, CommitmentEnd::GivenUp));
        let grace_ms = if given_up { milliseconds(GRACE_MIN) } else { 0 };
        record.delivered_unix_ms().saturating_add(self.keep_ms.max(grace_ms))
    }

    /// The latest time that anything delivered by now stays until, as long as no
    /// commitment is awaited.
    pub(super) fn latest(&self, now_unix_ms: u64) -> u64 {
        let grace_ms = if self.asked.is_empty() { 0 } else { milliseconds(GRACE_MIN) };
        now_unix_ms.saturating_add(self.keep_ms.max(grace_ms))
    }

    /// The earliest time at which one may go of which the id alone is known.
    pub(super) fn earliest(&self, id: SpoolId) -> u64 {
        // With commitments every record is looked at once, to ask for them.
        if self.asked.is_empty() { id.unix_ms().saturating_add(self.keep_ms) } else { 0 }
    }
}

fn ended(record: &Record, destination: &DestinationName, how: CommitmentEnd) -> bool {
    record.commitments.get(destination).is_some_and(|known| known.end == Some(how))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Counts for `airlock queue`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitmentView {
    /// Delivered, and the destination has not said yet that it keeps them.
    pub awaited: usize,
    /// Kept for a grace time, as it never said so.
    pub given_up: usize,
}

/// Everything about the commitments of all destinations.
#[derive(Debug)]
pub(super) struct Commitments {
    pub(super) rule: KeepRule,
    lines: BTreeMap<DestinationName, CommitmentLine>,
    /// All that is kept was looked at since the start.
    complete: AtomicBool,
}

/// Those of one destination.
#[derive(Debug)]
pub(super) struct CommitmentLine {
    /// Longest wait for a report.
    pub(super) wait: Duration,
    peer: Peer,
    state: Mutex<State>,
    /// Held while a transaction's file is written anew.
    pub(super) writing: tokio::sync::Mutex<()>,
    pub(super) changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// In no transaction yet, with the monotonic time since when.
    pending: BTreeMap<SpoolId, Duration>,
    open: BTreeMap<TransactionName, Transaction>,
    /// The instances of the open ones.
    asked: BTreeMap<SpoolId, TransactionName>,
    given_up: BTreeSet<SpoolId>,
    /// Where the destination may call from.
    addresses: BTreeSet<IpAddr>,
}

impl State {
    fn close(&mut self, name: TransactionName) {
        let Some(closed) = self.open.remove(&name) else { return };
        for instance in closed.instances {
            self.asked.remove(&instance.id);
        }
    }
}

impl Commitments {
    /// With the requests that the last run left open.
    pub(super) fn new(config: &Config, spool: &Spool) -> Result<Self, SpoolError> {
        let rule = KeepRule::new(config);
        let mut lines = BTreeMap::new();
        for (name, destination) in &config.destinations {
            if let (Destination::Ae(peer), Ok(name)) = (destination, name.parse())
                && let Some(wait) = peer.commitment_wait
            {
                lines.insert(name, CommitmentLine::new(peer.clone(), wait));
            }
        }
        // Those of destinations that are not asked any more stay until they are again.
        for transaction in spool.transactions()? {
            if let Some(line) = lines.get(&transaction.destination) {
                line.put(transaction);
            }
        }
        Ok(Self { rule, lines, complete: AtomicBool::new(false) })
    }

    pub(super) fn line(&self, destination: &DestinationName) -> Option<&CommitmentLine> {
        self.lines.get(destination)
    }

    /// Takes note of what a record tells of commitments.
    pub(super) fn look_at(&self, record: &Record, now: Duration) {
        for (name, line) in &self.lines {
            if record.awaits_commitment(name) {
                line.pend(record.id, now);
            } else if ended(record, name, CommitmentEnd::GivenUp) {
                line.state().given_up.insert(record.id);
            }
        }
    }

    /// The instance is gone, or elsewhere.
    pub(super) fn forget(&self, id: SpoolId) {
        for line in self.lines.values() {
            let mut state = line.state();
            state.pending.remove(&id);
            state.given_up.remove(&id);
        }
    }

    /// All that is kept has been looked at.
    pub(super) fn set_complete(&self) {
        self.complete.store(true, Ordering::Relaxed);
    }

    /// Counts by destination; blocking where nobody has looked yet.
    pub(super) fn views(
        &self,
        spool: &Spool,
        delivered: &[SpoolId],
    ) -> BTreeMap<String, CommitmentView> {
        if !self.lines.is_empty() && !self.complete.load(Ordering::Relaxed) {
            for record in delivered.iter().filter_map(|id| spool.record(*id).ok()) {
                self.look_at(&record, Duration::ZERO);
            }
        }
        let view = |(name, line): (&DestinationName, &CommitmentLine)| {
            (name.as_str().to_owned(), line.view())
        };
        self.lines.iter().map(view).collect()
    }
}

impl CommitmentLine {
    fn new(peer: Peer, wait: Duration) -> Self {
        Self {
            wait,
            peer,
            state: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// An instance is to be asked about, unless it is already.
    pub(super) fn pend(&self, id: SpoolId, now: Duration) {
        let mut state = self.state();
        if !state.asked.contains_key(&id) && !state.pending.contains_key(&id) {
            state.pending.insert(id, now);
            let waiting = state.pending.len();
            drop(state);
            // The first begins the wait, and a whole batch ends it.
            if waiting == 1 || waiting.is_multiple_of(BATCH_MAX) {
                self.changed.notify_one();
            }
        }
    }

    /// Takes what waits out, at most `max`, when there are so many or the first
    /// has waited for `delay`.
    pub(super) fn take_batch(&self, now: Duration, delay: Duration, max: usize) -> Vec<SpoolId> {
        let mut state = self.state();
        let since = state.pending.values().min().copied();
        let ripe = since.is_some_and(|since| now.saturating_sub(since) >= delay);
        if !ripe && state.pending.len() < max {
            return Vec::new();
        }
        let rest = match state.pending.keys().nth(max).copied() {
            Some(first_left) => state.pending.split_off(&first_left),
            None => BTreeMap::new(),
        };
        std::mem::replace(&mut state.pending, rest).into_keys().collect()
    }

    /// How long until [`CommitmentLine::take_batch`] gives something; none: nothing waits.
    pub(super) fn until_batch(&self, now: Duration, delay: Duration) -> Option<Duration> {
        let since = self.state().pending.values().min().copied()?;
        Some(since.saturating_add(delay).saturating_sub(now))
    }

    /// Open requests.
    pub(super) fn open(&self) -> Vec<Transaction> {
        self.state().open.values().cloned().collect()
    }

    pub(super) fn transaction(&self, name: TransactionName) -> Option<Transaction> {
        self.state().open.get(&name).cloned()
    }

    pub(super) fn put(&self, transaction: Transaction) {
        let mut state = self.state();
        state.close(transaction.name);
        for instance in &transaction.instances {
            state.asked.insert(instance.id, transaction.name);
        }
        state.open.insert(transaction.name, transaction);
    }

    pub(super) fn close(&self, name: TransactionName) {
        self.state().close(name);
    }

    pub(super) fn give_up(&self, id: SpoolId) {
        self.state().given_up.insert(id);
    }

    /// A request that was taken still lacks answers.
    pub(super) fn listens(&self) -> bool {
        self.state().open.values().any(|open| open.taken && lacks_answers(open))
    }

    pub(super) fn set_addresses(&self, addresses: BTreeSet<IpAddr>) {
        self.state().addresses = addresses;
    }

    /// Whether it may be this destination that calls.
    fn is_from(
        &self,
        config: &Config,
        (calling, called): (&AeTitle, &AeTitle),
        at: IpAddr,
    ) -> bool {
        let is_same = |one: &AeTitle, other| one.is_same(other, config.ae_title_case_ignored);
        let literal = self.peer.host.parse::<IpAddr>().is_ok_and(|host| host == at);
        is_same(&self.peer.called, calling)
            && is_same(&self.peer.calling, called)
            && (literal || self.state().addresses.contains(&at))
    }

    fn view(&self) -> CommitmentView {
        let state = self.state();
        let open = state.open.values().flat_map(|open| &open.instances);
        let unsaid = open.filter(|one| one.said.is_none()).count();
        CommitmentView {
            awaited: unsaid.saturating_add(state.pending.len()),
            given_up: state.given_up.len(),
        }
    }

    /// The request of this Transaction UID with what the report says of it.
    fn with_report(&self, report: &Report) -> Option<Transaction> {
        let state = self.state();
        let known = |open: &&Transaction| open.uids.contains(&report.transaction);
        let mut transaction = state.open.values().find(known)?.clone();
        drop(state);
        let committed = report.committed.iter().map(|one| (&one.instance, Said::Committed));
        let failed = report.failed.iter().map(|(one, why)| (&one.instance, Said::Failed(*why)));
        // One that stands in both has failed.
        let said: BTreeMap<_, _> = committed.chain(failed).collect();
        for instance in transaction.instances.iter_mut().filter(|one| one.said.is_none()) {
            instance.said = said.get(&instance.instance).copied();
        }
        Some(transaction)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something was asked of which nothing was said.
pub(super) fn lacks_answers(transaction: &Transaction) -> bool {
    transaction.instances.iter().any(|one| one.said.is_none())
}

/// Adds a UID under which it is asked now; the oldest go.
pub(super) fn asked_under(transaction: &mut Transaction, uid: crate::dicom::Uid) {
    transaction.uids.push(uid);
    let surplus = transaction.uids.len().saturating_sub(UIDS_MAX);
    transaction.uids.drain(..surplus);
}

impl Node {
    /// The destination that calls us so, when it may have something to report.
    #[must_use]
    pub fn reporter(
        &self,
        calling: &AeTitle,
        called: &AeTitle,
        (at, tls): (IpAddr, bool),
    ) -> Option<String> {
        let lines = self.commitments.lines.iter();
        let mut found = lines.filter(|(_, line)| {
            // What goes out under TLS is not reported on without.
            (tls || line.peer.tls.is_none()) && line.is_from(&self.config, (calling, called), at)
        });
        found.next().map(|(name, _)| name.as_str().to_owned())
    }

    /// Takes a report of a destination; returns when it is durable.
    ///
    /// # Errors
    /// [`Refusal`]: the destination is told.
    pub async fn reported(&self, destination: &str, report: Report) -> Result<(), Refusal> {
        let name = destination.parse::<DestinationName>().map_err(|_bad| Refusal::NotAllowed)?;
        let line = self.commitments.line(&name).ok_or(Refusal::NotAllowed)?;
        let (committed, failed) = (report.committed.len(), report.failed.len());
        let _writing = line.writing.lock().await;
        let Some(transaction) = line.with_report(&report) else {
            info!(destination, committed, failed, "report on an unknown transaction");
            return Err(Refusal::UnknownTransaction);
        };
        let written = transaction.clone();
        if let Err(error) = self.on_spool(move |spool| spool.put_transaction(&written)).await {
            warn!(destination, %error, "report on storage commitment not noted");
            return Err(Refusal::Failed);
        }
        line.put(transaction);
        line.changed.notify_one();
        info!(destination, committed, failed, "report on storage commitment");
        Ok(())
    }

    /// Whether the original of an instance of this mark and class stands here, for
    /// the sender that brought it and asks. Blocks.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn holds(
        &self,
        key: &[u8; 16],
        calling: &AeTitle,
        class: &crate::dicom::Uid,
    ) -> Result<Holding, NodeError> {
        let Some(id) = self.repeats.id_of(key) else { return Ok(Holding::Nothing) };
        let Some(state) = self.spool.state(id)? else { return Ok(Holding::Nothing) };
        let record = match self.spool.record(id) {
            Ok(record) => record,
            Err(SpoolError::Damaged { .. }) => return Ok(Holding::Nothing),
            Err(error) => return Err(error.into()),
        };
        // What is damaged is held by nobody.
        if state == crate::spool::State::Quarantine && record.is_damaged() {
            return Ok(Holding::Nothing);
        }
        // What another has sent is nobody else's business.
        let folded = self.config.ae_title_case_ignored;
        Ok(match record.arrival {
            Some(arrival) if !arrival.calling_ae.is_same(calling, folded) => Holding::Nothing,
            Some(arrival) if arrival.sop_class == *class => Holding::It,
            Some(_) | None => Holding::OtherClass,
        })
    }
}

/// What is held of an instance that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// Its original.
    It,
    /// An original of this UID and another class.
    OtherClass,
    /// Nothing.
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::commitment::Reference;
    use crate::spool::{Asked, Commitment, Delivery, invented_arrival, spool_in};

    const PACS: &str = "[destination.pacs]\nae_title = 'PACS'\nhost = '10.1.2.3'\ncommitment = true\n\
                        [destination.out]\nfolder = '/out'\n";

    fn config(toml: &str) -> Config {
        Config::check(&toml::from_str(toml).unwrap()).unwrap()
    }

    fn pacs() -> DestinationName {
        "pacs".parse().unwrap()
    }

    /// Of an instance that destinations have since these times.
    fn record(spool: &Spool, deliveries: &[(&str, u64)]) -> Record {
        let mut writer = spool.begin().unwrap();
        writer.append(b"as received").unwrap();
        let mut record = spool.record(writer.commit(invented_arrival()).unwrap()).unwrap();
        for (name, at_unix_ms) in deliveries {
            let delivery = Delivery { status: 0, at_unix_ms: *at_unix_ms };
            record.deliveries.insert(name.parse().unwrap(), delivery);
        }
        record
    }

    #[test]
    fn what_awaits_a_commitment_stays_and_what_never_got_one_stays_three_days() {
        let dir = tempfile::tempdir().unwrap();
        let spool = spool_in(dir.path(), std::sync::Arc::new(crate::clock::ManualClock::default()));
        let rule = KeepRule::new(&config(PACS));
        let kept = KeepRule::new(&config(&format!("[data]\nkeep = '4 days'\n{PACS}")));
        let mut record = record(&spool, &[("out", 900), ("pacs", 500)]);
        assert_eq!(rule.due(&record), u64::MAX);
        let day_ms = 24 * 60 * 60 * 1_000;
        for (end, due, kept_due) in [
            (CommitmentEnd::Committed, 900, 900 + 4 * day_ms),
            (CommitmentEnd::GivenUp, 900 + 3 * day_ms, 900 + 4 * day_ms),
        ] {
            record.commitments.insert(pacs(), Commitment { failures: 0, end: Some(end) });
            assert_eq!((rule.due(&record), kept.due(&record)), (due, kept_due));
        }
        assert!(!KeepRule::new(&config("")).keeps() && rule.keeps());
    }

    #[test]
    fn a_report_counts_under_every_uid_of_its_request_and_failure_wins() {
        let dir = tempfile::tempdir().unwrap();
        let spool = spool_in(dir.path(), std::sync::Arc::new(crate::clock::ManualClock::default()));
        let commitments = Commitments::new(&config(PACS), &spool).unwrap();
        let line = commitments.line(&pacs()).unwrap();
        let reference = |number: u32| Reference {
            class: "1.2.840.10008.5.1.4.1.1.2".parse().unwrap(),
            instance: format!("2.25.{number}").parse().unwrap(),
        };
        let asked = |number| {
            let Reference { class, instance } = reference(number);
            let id = record(&spool, &[("pacs", 5)]).id;
            Asked { id, class, instance, said: None }
        };
        let instances = vec![asked(1), asked(2), asked(3)];
        let id = instances[0].id;
        let mut open = Transaction::new(spool.transaction_name(), pacs(), instances, 0);
        for number in 0..10 {
            asked_under(&mut open, format!("2.25.77{number}").parse().unwrap());
        }
        line.put(open);
        let report = |transaction: &str| Report {
            transaction: transaction.parse().unwrap(),
            committed: vec![reference(1), reference(2), reference(9)],
            failed: vec![(reference(2), 0x0110)],
        };
        for unknown in ["2.25.770", "2.25.1"] {
            assert_eq!(line.with_report(&report(unknown)), None, "{unknown}");
        }
        for known in ["2.25.772", "2.25.779"] {
            let told = line.with_report(&report(known)).unwrap();
            let said: Vec<_> = told.instances.iter().map(|one| one.said).collect();
            assert_eq!(said, [Some(Said::Committed), Some(Said::Failed(0x0110)), None]);
        }
        // What is asked about already does not wait to be asked about.
        line.pend(id, Duration::ZERO);
        assert_eq!(line.take_batch(Duration::MAX, Duration::ZERO, 9), []);
        assert_eq!(line.view(), CommitmentView { awaited: 3, given_up: 0 });
    }

    #[test]
    fn batches_wait_for_their_time_or_their_size() {
        let line = CommitmentLine::new(
            match config(PACS).destinations.remove("pacs") {
                Some(Destination::Ae(peer)) => peer,
                Some(Destination::Folder(_)) | None => panic!("an archive"),
            },
            Duration::from_secs(9),
        );
        let id = |number: u32| format!("{number:032x}").parse::<SpoolId>().unwrap();
        let second = Duration::from_secs(1);
        line.pend(id(1), second);
        line.pend(id(2), 2 * second);
        assert_eq!(line.take_batch(3 * second, 5 * second, 3), []);
        assert_eq!(line.until_batch(3 * second, 5 * second), Some(3 * second));
        assert_eq!(line.take_batch(6 * second, 5 * second, 3), [id(1), id(2)]);
        (3..7).for_each(|number| line.pend(id(number), 6 * second));
        assert_eq!(line.take_batch(6 * second, 5 * second, 3), [id(3), id(4), id(5)]);
        assert_eq!(line.take_batch(6 * second, 5 * second, 3), []);
    }
}
