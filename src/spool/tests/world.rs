//! A spool on a volatile disk beside a plain account of what it was told and
//! what it promised, so that both can be compared after every crash.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::invented_arrival;
use crate::clock::ManualClock;
use crate::disk::Disk as _;
use crate::disk::testing::{Cut, FaultyDisk, VolatileDisk};
use crate::reason::{Quarantine, Reason};
use crate::spool::{Delivery, DestinationName, Spool, SpoolError, SpoolId, SpoolLimits, State};

/// Destinations of the tests; an operation picks a subset by its bits.
pub(super) const DESTINATIONS: [&str; 3] = ["a", "b-2", "folder"];

/// One step on the n-th of the instances that are left.
#[derive(Debug, Clone, Copy)]
pub(super) enum Op {
    Receive(u8),
    Attempt(usize),
    Clean(usize, u8),
    Deliver(usize, usize),
    Quarantine(usize),
    Release(usize),
    Discard(usize),
    Forget,
    Again(usize, u8),
}

/// What the spool was told and promised of one instance.
#[derive(Debug, Clone)]
struct Account {
    bytes: Vec<u8>,
    /// Its commit was acknowledged.
    told: bool,
    /// Where the running node sees its original; `None`: gone.
    now: Option<State>,
    /// Where it may be found after a crash.
    may: BTreeSet<Option<State>>,
    attempts: std::ops::RangeInclusive<u32>,
    /// Destinations of the clean commit; the value: surely delivered.
    destinations: BTreeMap<DestinationName, bool>,
}

pub(super) struct World {
    memory: VolatileDisk,
    pub(super) disk: FaultyDisk,
    pub(super) spool: Spool,
    accounts: BTreeMap<SpoolId, Account>,
    stored: u64,
}

const ROOT: &str = "/data/spool";

impl World {
    pub(super) fn new() -> Self {
        let memory = VolatileDisk::default();
        let disk = FaultyDisk::new(Arc::new(memory.clone()));
        let spool = open(&disk).unwrap();
        Self { memory, disk, spool, accounts: BTreeMap::new(), stored: 0 }
    }

    /// Does one step where it fits; on an error the account says what may be.
    pub(super) fn apply(&mut self, op: Op) -> Result<(), SpoolError> {
        match op {
            Op::Receive(seed) => self.receive(seed),
            Op::Attempt(n) => self.pick(n, State::Received).map_or(Ok(()), |id| self.attempt(id)),
            Op::Clean(n, bits) => {
                self.pick(n, State::Received).map_or(Ok(()), |id| self.clean(id, bits))
            }
            Op::Deliver(n, which) => {
                self.pick(n, State::Held).map_or(Ok(()), |id| self.deliver(id, which))
            }
            Op::Quarantine(n) => self.pick_any(n).map_or(Ok(()), |id| self.quarantine(id)),
            Op::Release(n) => self.pick(n, State::Quarantine).map_or(Ok(()), |id| self.release(id)),
            Op::Discard(n) => self.pick(n, State::Quarantine).map_or(Ok(()), |id| {
                self.step(id, None, |spool| spool.discard(id, "j.doe", "test"))
            }),
            Op::Forget => self.forget(),
            Op::Again(n, bits) => {
                self.pick(n, State::Held).map_or(Ok(()), |id| self.again(id, bits))
            }
        }
    }

    /// Out again to those that have it, as for a repeat.
    fn again(&mut self, id: SpoolId, bits: u8) -> Result<(), SpoolError> {
        let account = self.accounts.get_mut(&id).unwrap();
        let all = account.destinations.iter_mut().enumerate();
        let chosen = all.filter(|(bit, (_, sure))| bits >> bit & 1 == 1 && **sure);
        let chosen: Vec<_> = chosen
            .map(|(_, (name, sure))| {
                *sure = false;
                name.clone()
            })
            .collect();
        let again = || self.spool.send_again(id, &chosen, 7);
        let done = again().or_else(|_failed| again());
        if done.is_err()
            && let Ok(awaiting) = self.spool.awaiting(id)
        {
            // What has a link is sent, as by the pipeline.
            let account = self.accounts.get_mut(&id).unwrap();
            for name in chosen.into_iter().filter(|name| !awaiting.contains(name)) {
                account.destinations.insert(name, true);
            }
        }
        done
    }

    fn receive(&mut self, seed: u8) -> Result<(), SpoolError> {
        let bytes = vec![seed; 1 + usize::from(seed) * 3];
        let mut writer = self.spool.begin()?;
        let id = writer.id();
        assert!(self.accounts.keys().all(|other| *other < id), "ids rise");
        let (head, tail) = bytes.split_at(bytes.len() / 2);
        writer.append(head)?;
        writer.append(tail)?;
        let account = Account {
            bytes,
            told: false,
            now: None,
            may: [None, Some(State::Received)].into(),
            attempts: 0..=0,
            destinations: BTreeMap::new(),
        };
        self.accounts.insert(id, account);
        let told = writer.commit(invented_arrival());
        let account = self.accounts.get_mut(&id).unwrap();
        if told.is_ok() {
            account.told = true;
            account.settle(Some(State::Received));
            self.stored += 1;
        }
        told.map(drop)
    }

    fn attempt(&mut self, id: SpoolId) -> Result<(), SpoolError> {
        if !self.accounts[&id].told {
            return self.quarantine(id);
        }
        let account = self.accounts.get_mut(&id).unwrap();
        let before = *account.attempts.start();
        account.attempts = before..=account.attempts.end() + 1;
        let after = self.spool.note_attempt(id)?;
        assert!(after > before && account.attempts.contains(&after));
        account.attempts = after..=after;
        Ok(())
    }

    fn clean(&mut self, id: SpoolId, bits: u8) -> Result<(), SpoolError> {
        if !self.accounts[&id].told {
            return self.quarantine(id);
        }
        let part = self.spool.clean_part(id)?;
        let (copy, report) = clean_copy(&self.accounts[&id].bytes);
        let written = self.disk.create_new(&part).and_then(|mut file| file.write_all(&copy));
        written.map_err(|source| SpoolError::Io { step: "work", source })?;
        let chosen: Vec<DestinationName> = (0..DESTINATIONS.len())
            .filter(|bit| bits >> bit & 1 == 1)
            .map(|bit| DESTINATIONS[bit].parse().unwrap())
            .collect();
        self.accounts.get_mut(&id).unwrap().destinations =
            chosen.iter().map(|name| (name.clone(), false)).collect();
        let done =
            self.step(id, Some(State::Held), |spool| spool.commit_clean(id, &report, &chosen));
        if done.is_err() && !self.spool.has_failed() {
            // Without a failed store an error means: as before.
            self.accounts.get_mut(&id).unwrap().settle(Some(State::Received));
        }
        done
    }

    fn deliver(&mut self, id: SpoolId, which: usize) -> Result<(), SpoolError> {
        let waiting: Vec<_> = self.waiting(id);
        let Some(destination) = waiting.get(which % waiting.len().max(1)) else { return Ok(()) };
        let delivery = Delivery { status: 0xB000, at_unix_ms: 9 };
        let deliver = || self.spool.delivered(id, destination, delivery);
        // A step that failed for want of something is repeated, as by the pipeline.
        let last = deliver().or_else(|_failed| deliver())?;
        assert_eq!(last, waiting.len() == 1);
        let account = self.accounts.get_mut(&id).unwrap();
        account.destinations.insert(destination.clone(), true);
        Ok(())
    }

    fn waiting(&self, id: SpoolId) -> Vec<DestinationName> {
        let all = &self.accounts[&id].destinations;
        all.iter().filter(|(_, sure)| !**sure).map(|(name, _)| name.clone()).collect()
    }

    fn quarantine(&mut self, id: SpoolId) -> Result<(), SpoolError> {
        let why = Quarantine::new(Reason::DamagedSpool, "test");
        self.step(id, Some(State::Quarantine), |spool| spool.quarantine(id, &why))
    }

    fn release(&mut self, id: SpoolId) -> Result<(), SpoolError> {
        if !self.accounts[&id].told {
            return Ok(());
        }
        let attempts = self.accounts[&id].attempts.clone();
        self.accounts.get_mut(&id).unwrap().attempts = 0..=*attempts.end();
        self.step(id, Some(State::Received), |spool| {
            // Repeated, as by a person who is told that it failed.
            spool.release(id).or_else(|_failed| spool.release(id))
        })?;
        self.accounts.get_mut(&id).unwrap().attempts = 0..=0;
        Ok(())
    }

    fn forget(&mut self) -> Result<(), SpoolError> {
        let done: Vec<_> = (self.accounts.iter())
            .filter(|(id, account)| account.is_at(State::Held) && self.waiting(**id).is_empty())
            .map(|(id, _)| *id)
            .collect();
        for id in &done {
            self.accounts.get_mut(id).unwrap().may.insert(None);
        }
        self.spool.forget(&done)?;
        self.accounts.retain(|id, _| !done.contains(id));
        Ok(())
    }

    /// A step that ends in `after`, or on an error there or where it was.
    fn step(
        &mut self,
        id: SpoolId,
        after: Option<State>,
        step: impl FnOnce(&Spool) -> Result<(), SpoolError>,
    ) -> Result<(), SpoolError> {
        let account = self.accounts.get_mut(&id).unwrap();
        account.may.insert(after);
        step(&self.spool)?;
        account.settle(after);
        if after.is_none() {
            self.accounts.remove(&id);
        }
        Ok(())
    }

    fn pick(&self, n: usize, state: State) -> Option<SpoolId> {
        let fitting: Vec<_> =
            self.accounts.iter().filter(|(_, account)| account.is_at(state)).collect();
        fitting.get(n % fitting.len().max(1)).map(|(id, _)| **id)
    }

    fn pick_any(&self, n: usize) -> Option<SpoolId> {
        [State::Received, State::Held, State::Quarantine]
            .into_iter()
            .cycle()
            .skip(n % 3)
            .take(3)
            .find_map(|state| self.pick(n / 3, state))
    }

    /// Starts again: after a power cut, or after a kill.
    pub(super) fn restart(&mut self, cut: Option<Cut>) {
        self.crash(cut);
        self.spool = open(&self.disk).unwrap();
        self.check();
    }

    /// A start that is itself cut short at its `call`-th call; false when it
    /// has no such call.
    pub(super) fn restart_cut_short(&mut self, cut: Option<Cut>, call: usize) -> bool {
        self.crash(cut);
        self.disk.off_from(call);
        open(&self.disk).is_err()
    }

    fn crash(&mut self, cut: Option<Cut>) {
        self.memory = match cut {
            None => self.memory.after_kill(),
            Some(cut) => self.memory.after_power_cut(cut),
        };
        self.disk = FaultyDisk::new(Arc::new(self.memory.clone()));
    }

    /// After a step that failed and may be repeated: each original is whole and
    /// where it may be. What else was left is removed by the repetition.
    pub(super) fn check_live(&mut self) {
        let files = self.memory.files();
        for (id, account) in &mut self.accounts {
            let state = self.spool.state(*id).unwrap();
            assert!(account.may.contains(&state), "{id} is {state:?}: {account:?}");
            account.now = state;
            let original = state.map(|state| &files[&self.spool.path(state, *id)]);
            assert!(original.is_none_or(|bytes| *bytes == account.bytes), "{id} is half");
        }
    }

    /// Compares every file with the account; what was open is settled by what
    /// is found.
    pub(super) fn check(&mut self) {
        let mut files = self.memory.files();
        for (id, account) in &mut self.accounts {
            let mut find = |name: String| files.remove(&PathBuf::from(format!("{ROOT}/{name}")));
            let mut originals = BTreeMap::new();
            for (state, dir) in [
                (State::Received, "received"),
                (State::Held, "held"),
                (State::Quarantine, "quarantine"),
            ] {
                originals.extend(find(format!("{dir}/{id}")).map(|bytes| (state, bytes)));
            }
            assert!(originals.len() <= 1, "{id} twice: {:?}", originals.keys());
            let state = originals.keys().next().copied();
            assert!(account.may.contains(&state), "{id} is {state:?}: {account:?}");
            assert!(originals.values().all(|bytes| *bytes == account.bytes), "{id} is half");
            account.settle(state);

            let record = find(format!("meta/{id}.meta"));
            if state.is_none() {
                assert!(record.is_none(), "{id} left its record");
                continue;
            }
            account.check_record(&self.spool, *id);
            if state == Some(State::Held) {
                account.check_clean(&self.spool, *id, find);
            } else {
                account.destinations.clear();
            }
        }
        assert!(files.is_empty(), "left over: {:?}", files.keys());
        self.accounts.retain(|_, account| account.may != [None].into());
    }

    /// Brings everything to its end and expects an empty disk.
    pub(super) fn drain(&mut self) {
        while let Some((id, account)) = self.accounts.iter().next() {
            let (id, state) = (*id, account.now);
            match state {
                Some(State::Received) => self.clean(id, 0b101),
                Some(State::Held) if self.waiting(id).is_empty() => self.forget(),
                Some(State::Held) => self.deliver(id, 0),
                Some(State::Quarantine) if account.told => self.release(id),
                Some(State::Quarantine) => {
                    self.step(id, None, |spool| spool.discard(id, "j.doe", "unknown"))
                }
                Some(State::Cleaned) | None => unreachable!("{id} is {state:?}"),
            }
            .unwrap();
        }
        self.restart(Some(Cut::LoseAll));
        assert_eq!(self.memory.files(), BTreeMap::new());
    }

    /// Instances acknowledged so far.
    pub(super) fn stored(&self) -> u64 {
        self.stored
    }
}

impl Account {
    fn is_at(&self, state: State) -> bool {
        self.now == Some(state)
    }

    fn settle(&mut self, state: Option<State>) {
        (self.now, self.may) = (state, [state].into());
    }

    /// Copy and report stand whole, and each destination either waits or has it.
    fn check_clean(
        &mut self,
        spool: &Spool,
        id: SpoolId,
        mut find: impl FnMut(String) -> Option<Vec<u8>>,
    ) {
        let (copy, report) = clean_copy(&self.bytes);
        assert!(find(format!("cleaned/{id}")).is_some_and(|bytes| bytes == copy), "copy of {id}");
        assert!(find(format!("report/{id}.json")).is_some(), "{id}");
        assert_eq!(spool.report(id).unwrap(), report, "{id}");
        let record = spool.record(id).unwrap();
        for (name, sure) in &mut self.destinations {
            let link = find(format!("outbox/{name}/{id}"));
            assert!(link.is_none() || !*sure, "{id} would be delivered again to {name}");
            let known = record.deliveries.contains_key(name);
            assert!(link.is_some() || known, "{id} is lost on its way to {name}");
            assert!(link.as_ref().is_none_or(|bytes| *bytes == copy));
            *sure = link.is_none();
        }
    }

    fn check_record(&mut self, spool: &Spool, id: SpoolId) {
        match spool.record(id) {
            Ok(record) => {
                // Rebuilt for quarantine while the object could not be read: it says so with
                // no bytes, and as nobody knows how it came it is not released.
                let unread = record.bytes == 0 && record.arrival.is_none();
                let known = record.bytes == self.bytes.len() as u64;
                assert!(known || unread && record.quarantine.is_some(), "{record:?}");
                assert!(self.attempts.contains(&record.attempts), "{record:?} {self:?}");
                // After a kill what was not synced may still go: a try, or the release that
                // took the tries away.
                let before = if self.is_at(State::Quarantine) { *self.attempts.end() } else { 0 };
                self.attempts = *self.attempts.start()..=record.attempts.max(before);
                self.told |= record.arrival.is_some();
                if self.is_at(State::Quarantine) {
                    assert!(record.quarantine.is_some(), "{id} has no reason");
                }
            }
            Err(error) => assert!(!self.told, "{id}: {error}"),
        }
    }
}

fn open(disk: &FaultyDisk) -> Result<Spool, SpoolError> {
    let limits = SpoolLimits::default();
    let opened = Spool::open(
        Path::new(ROOT),
        Arc::new(disk.clone()),
        Arc::new(ManualClock::default()),
        limits,
    );
    opened.map(|(spool, _recovery)| spool)
}

fn clean_copy(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    ([b"clean ", bytes].concat(), format!("{{\"bytes\":{}}}", bytes.len()).into_bytes())
}
