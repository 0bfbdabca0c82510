//! Destinations, and what everybody outside the node remembers.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::clean::Cleaned;
use crate::clock::Clock as _;
use crate::disk::testing::{Dice, FaultyDisk};
use crate::forward::Answer;
use crate::pipeline::Script;
use crate::spool::{Spool, State};

use super::node::{Broken, Totals};
use super::parts::{Object, SimClock, clean_bytes, sha256};

/// How long a sibling may stand in quarantine while an instance is already being
/// taken out of the queue.
const UNDER_WAY_MS: u64 = 2_000;

/// Outside the node: survives every crash.
#[derive(Debug)]
pub(super) struct Outside {
    pub(super) dice: Dice,
    pub(super) objects: Vec<Sent>,
    /// Deliveries by destination and digest of the received object.
    pub(super) got: BTreeMap<(&'static str, String), usize>,
    /// Of these, stored without the node hearing of it.
    pub(super) unheard: BTreeMap<(&'static str, String), usize>,
    pub(super) calm: bool,
    /// Associations that each destination may be sent to over.
    pub(super) lanes: usize,
    pub(super) broken: Broken,
    pub(super) faults: Vec<String>,
    pub(super) log: Vec<String>,
    pub(super) totals: Totals,
}

/// One object to be sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) object: Object,
    pub(super) digest: String,
    pub(super) acknowledged: bool,
    pub(super) tries: usize,
}

/// Shared with tasks.
#[derive(Debug, Clone)]
pub(super) struct World(pub(super) Arc<Mutex<Outside>>);

impl World {
    pub(super) fn lock(&self) -> MutexGuard<'_, Outside> {
        self.0.lock().unwrap()
    }

    pub(super) fn throw(&self, sides: usize) -> usize {
        self.lock().dice.throw(sides)
    }
}

/// One destination in one life of the node.
#[derive(Debug, Clone)]
pub(super) struct Scripted {
    pub(super) name: &'static str,
    pub(super) world: World,
    pub(super) disk: FaultyDisk,
    pub(super) spool: Spool,
    pub(super) clock: Arc<SimClock>,
}

impl Script for Scripted {
    fn answer(
        &mut self,
        cleaned: Arc<Cleaned>,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
        Box::pin(self.says(cleaned))
    }

    fn another(&self) -> Box<dyn Script> {
        Box::new(self.clone())
    }

    fn is_there(&self) -> bool {
        self.world.lock().calm || self.world.throw(3) > 0
    }
}

impl Scripted {
    async fn says(&self, cleaned: Arc<Cleaned>) -> Answer {
        self.check_study(&cleaned);
        let chosen = if self.world.lock().calm { 19 } else { self.world.throw(20) };
        let (stores, answer, seconds) = match chosen {
            0 => (false, Answer::Status(0xA700), 0),
            1 => (false, Answer::Status(0x0110), 0),
            2 => (false, Answer::Unreachable, 5),
            3 => (false, Answer::Broken, 1),
            4 => (true, Answer::Broken, 1),
            5 => (true, Answer::Aborted, 0),
            6 => (true, Answer::Status(0xB000), 0),
            7 => (false, Answer::Broken, 60),
            8 => (true, Answer::Status(0), 40),
            9 if self.world.throw(4) == 0 => (false, Answer::Status(0xA900), 0),
            10 if self.world.throw(4) == 0 => (false, Answer::Status(0x0124), 0),
            11 => (false, Answer::Rejected { permanent: false, from: 2, reason: 1 }, 0),
            _ => (true, Answer::Status(0), 0),
        };
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        if stores && !self.disk.is_off() {
            let heard = matches!(answer, Answer::Status(_));
            if !self.store(&cleaned, heard) {
                return Answer::FileUnreadable;
            }
        }
        let ms = 1 + self.world.throw(20) as u64;
        tokio::time::sleep(Duration::from_millis(ms)).await;
        answer
    }

    /// False when the node's own file cannot be read.
    fn store(&self, cleaned: &Cleaned, heard: bool) -> bool {
        let mut bytes = Vec::new();
        let read = cleaned.file().open().and_then(|mut file| file.read_to_end(&mut bytes));
        if read.is_err() {
            return false;
        }
        let report = cleaned.report();
        let at = self.clock.monotonic().as_millis();
        let mut world = self.world.lock();
        let is_known =
            world.objects.iter().any(|sent| sent.digest == report.input_digest && !sent.object.bad);
        if !is_known || bytes != clean_bytes(&report.sop_instance, &report.input_digest) {
            let what = sha256(&bytes);
            world.faults.push(format!("{} got {what}, which nobody cleaned", self.name));
        }
        let key = (self.name, report.input_digest.clone());
        let copies = if world.broken == Broken::Twice { 2 } else { 1 };
        *world.got.entry(key.clone()).or_default() += copies;
        if !heard {
            *world.unheard.entry(key).or_default() += 1;
        }
        world.totals.delivered += 1;
        world.log.push(format!("{at} {} has {} {heard}", self.name, report.input_digest));
        true
    }

    /// Nothing of a study leaves while a sibling stands in quarantine.
    fn check_study(&self, cleaned: &Cleaned) {
        if self.disk.is_off() {
            return;
        }
        let now_ms = self.clock.unix_ms();
        for id in self.spool.list(State::Quarantine).unwrap_or_default() {
            let Ok(record) = self.spool.record(id) else { continue };
            let (Some(arrival), Some(note)) = (record.arrival, record.quarantine) else { continue };
            let study = note.leaving.map(|leaving| leaving.study);
            if arrival.project == "whole"
                && study.as_ref() == Some(&cleaned.report().study_instance)
                && now_ms.saturating_sub(note.at_unix_ms) > UNDER_WAY_MS
            {
                let fault = "a study leaves while a sibling stands in quarantine";
                self.world.lock().faults.push(fault.into());
            }
        }
    }
}
