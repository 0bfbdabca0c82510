//! The checker: compares what the sender was told with what came out.
//!
//! It knows nothing of the node's inside but names of files, and what the
//! commands `receipts verify` and `pseudonym verify` say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::load::{is_nobodys, patient_of};
use crate::sink::Delivery;
use crate::support::files::files_below;
use crate::trial::Trial;

/// Least share of what was acknowledged that must be delivered: a node that
/// quarantines everything loses nothing and is useless.
const DELIVERED_MIN: f64 = 0.95;

/// What one or many trials found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) kill_points: usize,
    /// Points that were armed, and that the node did not come to.
    pub(crate) not_reached: usize,
    pub(crate) power_cuts: usize,
    pub(crate) acknowledged: usize,
    pub(crate) delivered: usize,
    pub(crate) quarantined: usize,
    pub(crate) lost: usize,
    /// Deliveries made again after a crash, of all instances.
    pub(crate) repeated: usize,
    /// The most of them after one crash.
    pub(crate) repeated_max: usize,
    /// Everything that is not as it must be; a lost instance too.
    pub(crate) faults: Vec<String>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.kill_points += other.kill_points;
        self.not_reached += other.not_reached;
        self.power_cuts += other.power_cuts;
        self.acknowledged += other.acknowledged;
        self.delivered += other.delivered;
        self.quarantined += other.quarantined;
        self.lost += other.lost;
        self.repeated += other.repeated;
        self.repeated_max = self.repeated_max.max(other.repeated_max);
        self.faults.extend(other.faults);
    }

    /// The last line of every run.
    pub(crate) fn line(&self) -> String {
        let Self { kill_points, power_cuts, lost, .. } = self;
        format!("{kill_points} kill points, {power_cuts} power cuts, {lost} lost")
    }
}

/// Looks at a node that runs and has nothing on its way.
pub(crate) fn check(trial: &Trial) -> Tally {
    let mut tally = compare(trial);
    repeats(trial, &mut tally);
    tally
}

/// The same, where instances may come again without a crash: no receipt could be written.
pub(crate) fn compare(trial: &Trial) -> Tally {
    let mut tally = Tally::default();
    let acknowledged = trial.log.acknowledged();
    let at_sink = trial.sink.by_number();
    let in_folder = folder(trial, &mut tally.faults);
    tally.acknowledged = acknowledged.len();
    let aside = trial.node.quarantined();
    tally.quarantined = aside.len();
    if aside.len() != trial.set_aside().len() {
        tally.faults.push(format!("{} of those in quarantine are listed", aside.len()));
    }
    // By its reason one explains one of its kind alone.
    let aside_nobodys = aside.iter().filter(|one| one["reason"] == "no-patient-id").count();
    let both = |number: &&usize| at_sink.contains_key(number) && in_folder.contains_key(number);
    tally.delivered = acknowledged.iter().filter(both).count();
    let (nobodys, missing): (Vec<usize>, Vec<usize>) = acknowledged
        .iter()
        .filter(|number| !both(number))
        .partition(|number| trial.sends_nobodys && is_nobodys(**number));
    // What was stored and not acknowledged may stand there too.
    let unseen = nobodys.len().saturating_sub(aside_nobodys);
    let others = aside.len() - aside_nobodys;
    tally.lost = missing.len().saturating_sub(others) + unseen;
    if tally.lost > 0 {
        let aside: Vec<_> = aside.iter().map(|one| &one["reason"]).collect();
        tally.faults.push(format!("lost: among {missing:?} {nobodys:?}, in quarantine {aside:?}"));
    }
    let leaked = at_sink.keys().filter(|number| trial.sends_nobodys && is_nobodys(**number));
    tally.faults.extend(leaked.map(|number| format!("{number} is nobody's and left")));
    same_bytes(&at_sink, &in_folder, &mut tally.faults);
    same_pseudonyms(&at_sink, &mut tally.faults);
    for command in [["receipts", "verify"], ["pseudonym", "verify"]] {
        let said = trial.node.command(&command);
        if !said.status.success() {
            tally.faults.push(format!("{command:?}: {}{}", said.stdout, said.stderr));
        }
    }
    let sent = trial.sent();
    let strange = at_sink.keys().filter(|number| **number >= sent);
    tally.faults.extend(strange.map(|number| format!("{number} was never sent")));
    tally
}

/// The share that is asked of a whole run, not of each crash.
pub(crate) fn check_share(tally: &mut Tally) {
    let share = tally.delivered as f64 / tally.acknowledged.max(1) as f64;
    if share < DELIVERED_MIN || tally.acknowledged == 0 {
        tally.faults.push(format!("only {share:.3} of {} delivered", tally.acknowledged));
    }
}

/// Whole objects in the folder destination, by number.
fn folder(trial: &Trial, faults: &mut Vec<String>) -> BTreeMap<usize, Vec<u8>> {
    let folder = trial.node.data().join("delivered");
    let mut found = BTreeMap::new();
    for path in files_below(&folder) {
        let shown = path.strip_prefix(&folder).unwrap_or(&path).display().to_string();
        if path.extension().is_none_or(|extension| extension != "dcm") {
            faults.push(format!("an orphan at the destination: {shown}"));
        } else if let Some(delivery) = whole(&path) {
            if found.insert(delivery.number, delivery.bytes).is_some() {
                faults.push(format!("{} twice in the folder", delivery.number));
            }
        } else {
            faults.push(format!("half a file under a whole name: {shown}"));
        }
    }
    found
}

/// The object in a file when it has all of its pixels.
pub(crate) fn whole(path: &Path) -> Option<Delivery> {
    const PIXELS: &[u8] = b"\xE0\x7F\x10\x00OW\x00\x00";
    let bytes = fs::read(path).ok()?;
    let at = bytes.windows(PIXELS.len()).position(|window| window == PIXELS)? + PIXELS.len();
    let length = u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
    let is_whole = bytes.len() == at + 4 + usize::try_from(length).ok()?;
    is_whole.then(|| Delivery::of(bytes))
}

fn same_bytes(
    at_sink: &BTreeMap<usize, Vec<Delivery>>,
    in_folder: &BTreeMap<usize, Vec<u8>>,
    faults: &mut Vec<String>,
) {
    for (number, deliveries) in at_sink {
        let first = &deliveries[0];
        if deliveries.iter().any(|other| other != first) {
            faults.push(format!("{number} was delivered again with other bytes"));
        }
        if in_folder.get(number).is_some_and(|file| !file.ends_with(&first.bytes)) {
            faults.push(format!("{number} differs between folder and Storage SCP"));
        }
    }
}

/// One person, one pseudonym, over all crashes.
fn same_pseudonyms(at_sink: &BTreeMap<usize, Vec<Delivery>>, faults: &mut Vec<String>) {
    let mut codes: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    let mut people: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for delivery in at_sink.values().flatten() {
        let patient = patient_of(delivery.number);
        codes.entry(patient).or_default().insert(&delivery.code);
        people.entry(&delivery.code).or_default().insert(patient);
    }
    let split = codes.iter().filter(|(_, codes)| codes.len() > 1);
    faults.extend(split.map(|(patient, codes)| format!("patient {patient} is split: {codes:?}")));
    let merged = people.iter().filter(|(_, patients)| patients.len() > 1);
    faults.extend(merged.map(|(code, patients)| format!("{code} is {patients:?}")));
}

/// Between two deaths an instance is delivered once; after one, at most once more.
/// What the modality sent twice is left out.
fn repeats(trial: &Trial, tally: &mut Tally) {
    let resent = trial.log.resent();
    let deliveries = trial.sink.deliveries();
    let mut before: BTreeSet<usize> = BTreeSet::new();
    let mut from = 0;
    for to in trial.deaths.iter().copied().chain([deliveries.len()]) {
        let mut here = BTreeSet::new();
        let mut again = 0;
        for delivery in &deliveries[from..to] {
            if resent.contains(&delivery.number) {
                continue;
            }
            if !here.insert(delivery.number) {
                tally.faults.push(format!("{} delivered twice without a crash", delivery.number));
            }
            again += usize::from(before.contains(&delivery.number));
        }
        tally.repeated += again;
        tally.repeated_max = tally.repeated_max.max(again);
        before.extend(here);
        from = to;
    }
}
