//! Delivered instances that stay for a while, and their end.
//!
//! What every destination has stays as original, clean copy, report and record
//! until the time since its last delivery is over (`data.keep`), or the disk
//! needs the room. Names tell what is kept; a record is read when the instance's
//! turn may have come, so that a start costs the same whatever is kept.
//!
//! Invariant: an instance is forgotten only while its lock is held, so that no
//! repeat of it is promised anything that goes away beneath, and not while a
//! destination is to say yet that it keeps it ([`super::commitment`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tracing::{debug, info, warn};

use super::commitment::Commitments;
use super::node::{Node, NodeError, SetAside};
use crate::lifecycle::Stopping;
use crate::queue::Repeats;
use crate::reason::{Quarantine, Reason};
use crate::spool::{Record, Spool, SpoolError, SpoolId, State};

/// Instances that are looked at and forgotten together. Default 256: three syncs a
/// group, and steps on any of them wait for milliseconds.
const GROUP_MAX: usize = 256;
/// Pause between two groups. Default 100 ms: what comes in goes first.
const GROUP_PAUSE: Duration = Duration::from_millis(100);
/// Longest time between two looks at the free space. Default 10 s: as long as the
/// door may take to open again.
const LOOK_MAX: Duration = Duration::from_secs(10);
/// What a person is told that it is.
const FORGETTING: &str = "removing what was delivered";
/// Wait after a fault of the node's own disk. Default 15 s: a full disk is not
/// mended quicker.
const WAIT_AFTER_FAULT: Duration = Duration::from_secs(15);

/// What is kept, by the earliest time at which it may go.
///
/// Not bounded by itself: an id costs some 100 bytes, and the disk is full long before.
#[derive(Debug, Default)]
pub(super) struct Kept {
    lanes: Mutex<Lanes>,
    changed: Notify,
    /// All that stands was read, so that its repeats are known.
    repeats_known: AtomicBool,
}

#[derive(Debug, Default)]
struct Lanes {
    due_of: BTreeMap<SpoolId, u64>,
    by_due: BTreeSet<(u64, SpoolId)>,
    /// Those whose time was shortened: it lay further ahead than anything is kept,
    /// as the wall clock was put back since.
    shortened: BTreeSet<SpoolId>,
}

impl Kept {
    /// Keeps an instance until this time, milliseconds since 1970.
    pub(super) fn until(&self, id: SpoolId, due_unix_ms: u64) {
        let is_first = {
            let mut lanes = self.lanes();
            lanes.remove(id);
            lanes.due_of.insert(id, due_unix_ms);
            lanes.by_due.insert((due_unix_ms, id));
            lanes.by_due.first().is_some_and(|(_, first)| *first == id)
        };
        if is_first {
            self.changed.notify_one();
        }
    }

    /// The same for one that a restart found; what is known already is better.
    fn found(&self, id: SpoolId, due_unix_ms: u64) {
        let mut lanes = self.lanes();
        let due_unix_ms = *lanes.due_of.entry(id).or_insert(due_unix_ms);
        lanes.by_due.insert((due_unix_ms, id));
    }

    /// It is kept no more.
    pub(super) fn remove(&self, id: SpoolId) {
        self.lanes().remove(id);
    }

    pub(super) fn contains(&self, id: SpoolId) -> bool {
        self.lanes().due_of.contains_key(&id)
    }

    /// Shortens what lies further ahead than anything is kept: a clock that went
    /// wrong by years keeps nobody's data for years.
    fn shorten(&self, last_unix_ms: u64) {
        let mut lanes = self.lanes();
        let ahead = (last_unix_ms.saturating_add(1), SpoolId::LOWEST)..(u64::MAX, SpoolId::LOWEST);
        let ahead: Vec<_> = lanes.by_due.range(ahead).map(|(_, id)| *id).collect();
        for id in ahead {
            lanes.remove(id);
            lanes.due_of.insert(id, last_unix_ms);
            lanes.by_due.insert((last_unix_ms, id));
            lanes.shortened.insert(id);
        }
    }

    fn is_shortened(&self, id: SpoolId) -> bool {
        self.lanes().shortened.contains(&id)
    }

    /// Those whose turn has come, the earliest first; with `early` also others.
    fn next(&self, now_unix_ms: u64, early: bool) -> Vec<SpoolId> {
        let lanes = self.lanes();
        let ready = lanes
            .by_due
            .iter()
            .take_while(|(due, _)| *due <= now_unix_ms || early && *due < u64::MAX);
        ready.take(GROUP_MAX).map(|(_, id)| *id).collect()
    }

    /// How long until the first one's turn.
    fn left(&self, now_unix_ms: u64) -> Duration {
        let first = self.lanes().by_due.first().map(|(due, _)| *due);
        let left = first.map(|due| Duration::from_millis(due.saturating_sub(now_unix_ms)));
        left.map_or(LOOK_MAX, |left| left.min(LOOK_MAX))
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lanes {
    fn remove(&mut self, id: SpoolId) {
        self.shortened.remove(&id);
        if let Some(due) = self.due_of.remove(&id) {
            self.by_due.remove(&(due, id));
        }
    }
}

/// What is asked about one whose turn may have come.
struct Look {
    commitments: Arc<Commitments>,
    now: Duration,
    now_ms: u64,
    early: bool,
    /// The latest time that anything delivered by now is kept until.
    last_ms: u64,
}

/// What becomes of one whose turn may have come.
enum Turn {
    /// It goes.
    Goes,
    /// It stays until then.
    Stays(u64),
    /// It is in another state by now.
    Elsewhere,
    /// Nobody knows whether it may go.
    Damaged(&'static str),
}

impl Node {
    /// Takes note of an instance that a destination has, by its record; who
    /// delivered it holds it. What every destination has stays, or is forgotten
    /// by now.
    pub(super) fn has_it(&self, record: &Record, was_last: bool) {
        self.commitments.look_at(record, self.clock.monotonic());
        if was_last {
            self.kept.until(record.id, self.commitments.rule.due(record));
        }
    }

    /// Takes note that a destination has an instance, and whether it was the last one;
    /// who delivered it holds it. `record`: where instances are kept, or asked about.
    pub(super) fn arrived(
        &self,
        id: SpoolId,
        record: Option<&Record>,
        was_last: bool,
        at_unix_ms: u64,
    ) {
        match record {
            Some(record) => self.has_it(record, was_last),
            // While another destination waits for it, a repeat is one.
            None if was_last => self.goes(id, at_unix_ms),
            None => {}
        }
        if was_last {
            self.studies.left(id);
            self.versions.left(id);
        }
    }

    /// Every destination has an instance that is not kept; who delivered it holds it.
    /// It goes with the next group: a repeat that comes from now on is taken.
    fn goes(&self, id: SpoolId, at_unix_ms: u64) {
        self.repeats.forget(id);
        self.kept.until(id, at_unix_ms);
    }

    /// The same when only a commitment changed.
    pub(super) async fn keep_on(&self, record: &Record) -> Result<(), NodeError> {
        let id = record.id;
        if self.on_spool(move |spool| spool.awaiting(id)).await?.is_empty() {
            self.kept.until(id, self.commitments.rule.due(record));
        }
        Ok(())
    }

    /// Waits until all that stood at the start is known by its mark, at most so long.
    pub async fn repeats_known(&self, wait_max: Duration) {
        let begun = self.clock.monotonic();
        while !self.kept.repeats_known.load(Ordering::Relaxed)
            && self.clock.monotonic().saturating_sub(begun) < wait_max
        {
            tokio::time::sleep(GROUP_PAUSE).await;
        }
    }

    /// Forgets one group; whether there was one.
    async fn forget_group(&self) -> Result<bool, NodeError> {
        let free_bytes = self.on_spool(Spool::free_bytes).await?;
        let early = free_bytes < self.config.reserve_bytes.saturating_mul(2);
        self.kept.shorten(self.commitments.rule.latest(self.clock.unix_ms()));
        let ids = self.kept.next(self.clock.unix_ms(), early);
        if ids.is_empty() {
            return Ok(false);
        }
        let held = self.locks.hold_all(&ids).await;
        let turns = self.turns(&ids, early).await?;
        let mut going = Vec::new();
        for (id, turn) in ids.into_iter().zip(turns) {
            match turn {
                Turn::Damaged(what) => {
                    let why = Quarantine::new(Reason::DamagedSpool, what);
                    if let Some(held) = held.first() {
                        self.quarantine_held(held, id, SetAside { why, leaving: None }).await?;
                    }
                }
                Turn::Goes => going.push(id),
                Turn::Stays(due) => self.kept.until(id, due),
                Turn::Elsewhere => {
                    self.kept.remove(id);
                    self.commitments.forget(id);
                }
            }
        }
        if going.is_empty() {
            return Ok(true);
        }
        // Before they go: a repeat that comes from now on is taken.
        going.iter().for_each(|id| self.repeats.forget(*id));
        let gone = going.clone();
        self.on_spool(move |spool| spool.forget(&gone)).await?;
        for id in &going {
            self.kept.remove(*id);
            self.commitments.forget(*id);
        }
        debug!(instances = going.len(), early, "delivered before, forgotten now");
        Ok(true)
    }

    async fn turns(&self, ids: &[SpoolId], early: bool) -> Result<Vec<Turn>, NodeError> {
        let now_ms = self.clock.unix_ms();
        let look = Look {
            commitments: Arc::clone(&self.commitments),
            now: self.clock.monotonic(),
            now_ms,
            early,
            last_ms: self.commitments.rule.latest(now_ms),
        };
        let ids = ids.iter().map(|id| (*id, self.kept.is_shortened(*id)));
        let ids: Vec<_> = ids.collect();
        let turns = move |spool: &Spool| {
            ids.into_iter().map(|(id, is_shortened)| look.turn(spool, id, is_shortened)).collect()
        };
        self.on_spool(turns).await
    }

    /// All that is delivered by its names; due when it would be had it been
    /// delivered as it came.
    async fn find_kept(&self) -> Result<(), NodeError> {
        let found = self.on_spool(Spool::list_delivered).await?;
        for id in &found {
            self.kept.found(*id, self.commitments.rule.earliest(*id));
        }
        self.kept.changed.notify_one();
        info!(instances = found.len(), "delivered before the restart");
        Ok(())
    }

    /// Remembers what the node holds, the newest first, so that repeats are known
    /// as before the restart.
    async fn remember_repeats(&self, stopping: &mut Stopping) -> Result<(), NodeError> {
        let mut ids = self
            .on_spool(|spool| {
                let mut ids = spool.list(State::Received)?;
                ids.extend(spool.list(State::Held)?);
                ids.extend(spool.list(State::Quarantine)?);
                Ok(ids)
            })
            .await?;
        ids.sort_unstable_by(|one, other| other.cmp(one));
        ids.truncate(Repeats::MAX);
        for group in ids.chunks(GROUP_MAX) {
            if stopping.is_set() {
                return Ok(());
            }
            // Nobody throws one away between its record and its place in memory.
            let _held = self.locks.hold_all(group).await;
            let group = group.to_vec();
            let known = self.on_spool(move |spool| Ok(known(spool, &group))).await?;
            for (id, key, sha256) in known {
                self.repeats.note(key, id, sha256);
            }
        }
        self.kept.repeats_known.store(true, Ordering::Relaxed);
        info!(instances = ids.len(), "repeats are known");
        Ok(())
    }
}

/// Ids that stand, with mark and digest of their record.
fn known(spool: &Spool, ids: &[SpoolId]) -> Vec<(SpoolId, [u8; 16], String)> {
    let known = |id: &SpoolId| {
        let state = spool.state(*id).ok().flatten()?;
        // Nobody knows what a damaged record stands for: its repeat is taken.
        let record = spool.record(*id).ok()?;
        if record.is_damaged() && state == State::Quarantine {
            return None;
        }
        Some((*id, record.arrival?.instance_key, record.sha256))
    };
    ids.iter().filter_map(known).collect()
}

impl Look {
    fn turn(&self, spool: &Spool, id: SpoolId, is_shortened: bool) -> Result<Turn, SpoolError> {
        if spool.state(id)? != Some(State::Held) || !spool.awaiting(id)?.is_empty() {
            return Ok(Turn::Elsewhere);
        }
        let due_ms = match spool.record(id) {
            // Somebody removed a name: it has not left.
            Ok(record) if is_missed(&record) => {
                return Ok(Turn::Damaged("in no outbox, and a destination has not got it"));
            }
            Ok(record) => {
                self.commitments.look_at(&record, self.now);
                self.commitments.rule.due(&record)
            }
            Err(SpoolError::Damaged { what, .. }) => return Ok(Turn::Damaged(what)),
            Err(error @ SpoolError::Locked { .. }) => {
                // Keys are read at a start; the others go on.
                warn!(spool_id = %id, %error, "delivered, stays until its key is there");
                return Ok(Turn::Stays(u64::MAX));
            }
            Err(error) => return Err(error),
        };
        // What awaits a commitment stays even for want of room. One that was delivered
        // in a future that the clock came back from has stayed as long as any.
        let has_stayed = self.early || is_shortened && due_ms > self.last_ms;
        let goes = due_ms <= self.now_ms || has_stayed && due_ms < u64::MAX;
        Ok(if goes { Turn::Goes } else { Turn::Stays(due_ms) })
    }
}

/// Whether a destination that it was meant for has not got it.
fn is_missed(record: &Record) -> bool {
    !record.is_delivered() && !record.forgotten
}

/// Forgets what was kept long enough, until the node stops.
pub(super) async fn keep_loop(node: Arc<Node>, mut stopping: Stopping) {
    while let Err(error) = node.find_kept().await {
        warn!(%error, "what was delivered cannot be listed");
        if sleeps(WAIT_AFTER_FAULT, &mut stopping).await {
            return;
        }
    }
    if let Err(error) = node.remember_repeats(&mut stopping).await {
        warn!(%error, "repeats of what came before the restart are taken again");
    }
    loop {
        let wait = match node.forget_group().await {
            Ok(true) => {
                node.task_goes_on(FORGETTING);
                Duration::ZERO
            }
            Ok(false) => {
                node.task_goes_on(FORGETTING);
                node.commitments.set_complete();
                node.kept.left(node.clock.unix_ms())
            }
            Err(error) => {
                warn!(%error, "what was delivered cannot be forgotten");
                node.task_put_off(FORGETTING, &error);
                WAIT_AFTER_FAULT
            }
        };
        let stops = tokio::select! {
            biased;
            stops = sleeps(wait, &mut stopping) => stops,
            () = node.kept.changed.notified() => false,
        };
        // What comes together goes together.
        if stops || sleeps(GROUP_PAUSE, &mut stopping).await {
            break;
        }
    }
    while node.forget_group().await.is_ok_and(|some| some) {}
}

/// Whether the node stops before the time is over.
async fn sleeps(time: Duration, stopping: &mut Stopping) -> bool {
    tokio::select! {
        biased;
        () = stopping.wait() => true,
        () = tokio::time::sleep(time) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> SpoolId {
        format!("{number:032x}").parse().unwrap()
    }

    #[test]
    fn the_earliest_goes_first_and_others_only_for_want_of_room() {
        let kept = Kept::default();
        kept.until(id(1), 300);
        kept.until(id(2), 100);
        kept.until(id(3), 200);
        kept.found(id(2), 900);
        assert_eq!(kept.next(99, false), []);
        assert_eq!(kept.next(200, false), [id(2), id(3)]);
        assert_eq!(kept.next(0, true), [id(2), id(3), id(1)]);
        kept.until(id(2), 400);
        assert_eq!(kept.left(150), Duration::from_millis(50));
        kept.remove(id(3));
        assert!(!kept.contains(id(3)) && kept.contains(id(2)));
        assert_eq!(kept.next(500, false), [id(1), id(2)]);
    }

    #[test]
    fn what_a_wrong_clock_would_keep_for_years_has_its_time_shortened() {
        let kept = Kept::default();
        kept.until(id(1), 90_000);
        kept.until(id(2), 150);
        kept.until(id(3), u64::MAX);
        kept.shorten(200);
        assert_eq!(kept.next(199, false), [id(2)]);
        assert_eq!(kept.next(200, false), [id(2), id(1)]);
        assert!(kept.is_shortened(id(1)) && !kept.is_shortened(id(2)));
        assert!(!kept.is_shortened(id(3)), "a commitment is awaited however long");
        // The clock is right again, and its time is told anew.
        kept.until(id(1), 90_000);
        assert!(!kept.is_shortened(id(1)));
        assert_eq!(kept.next(200, false), [id(2)]);
    }

    #[test]
    fn a_group_is_bounded() {
        let kept = Kept::default();
        (0..1_000).for_each(|number| kept.found(id(number), 5));
        assert_eq!(kept.next(5, false).len(), GROUP_MAX);
    }
}
