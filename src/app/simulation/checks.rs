//! The claims, over what the last life left.

use std::path::Path;
use std::sync::Arc;

use super::net::World;
use super::node::{KNOWN, RECEIPTS, SPOOL, ledger_key};
use super::parts::new_uid;
use crate::clock::ManualClock;
use crate::disk::Disk;
use crate::disk::testing::VolatileDisk;
use crate::reason::Reason;
use crate::receipt::ClosedLedger;
use crate::spool::{Record, Recovery, Spool, SpoolLimits, State};

/// Everything that must hold at the end.
pub(super) fn all(world: &World, disk: &VolatileDisk, lives: usize) {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let clock = Arc::new(ManualClock::default());
    let opened = Spool::open(Path::new(SPOOL), Arc::clone(&disk), clock, SpoolLimits::default());
    let mut faults = Vec::new();
    match opened {
        Ok((spool, recovery)) => {
            faults.extend(orphans(&recovery));
            faults.extend(lost(world, &spool));
        }
        Err(error) => faults.push(format!("the spool does not open: {error}")),
    }
    faults.extend(repeated(world, lives));
    match ClosedLedger::open(Path::new(RECEIPTS), disk, ledger_key()) {
        Ok(Some(ledger)) => faults.extend(ledger.verify().err().map(|error| error.to_string())),
        Ok(None) => faults.push("there is no ledger".into()),
        Err(error) => faults.push(error.to_string()),
    }
    world.lock().faults.extend(faults);
}

/// One more start finds nothing to remove.
fn orphans(recovery: &Recovery) -> Option<String> {
    let stands = Recovery {
        received: recovery.received,
        held: recovery.held,
        quarantined: recovery.quarantined,
        outbox_links: recovery.outbox_links,
        ..Recovery::default()
    };
    (*recovery != stands).then(|| format!("left behind: {recovery:?}"))
}

/// Each acknowledged object is everywhere, in quarantine, or held by its study.
fn lost(world: &World, spool: &Spool) -> Vec<String> {
    let records = |ids: Vec<_>| -> Vec<Record> {
        ids.into_iter().filter_map(|id| spool.record(id).ok()).collect()
    };
    let aside = records(spool.list(State::Quarantine).unwrap());
    let waiting = records(spool.list_waiting().unwrap().into_iter().collect());
    let mut faults = Vec::new();
    let mut world = world.lock();
    for record in &aside {
        let why = record.quarantine.as_ref().map(|note| note.why.reason);
        if why.is_none() {
            faults.push(format!("{} is in quarantine for no reason", record.id));
        }
        if why == Some(Reason::DamagedSpool) && world.totals.errors == 0 {
            faults.push(format!("{} was damaged by a crash", record.id));
        }
    }
    let (mut held, mut set_aside) = (0, 0);
    for sent in world.objects.iter().filter(|sent| sent.acknowledged) {
        let is_it = |record: &&Record| record.sha256 == sent.digest;
        if aside.iter().any(|record| is_it(&record)) {
            set_aside += 1;
            continue;
        }
        let study = new_uid(&sent.object.study_uid());
        let sibling_is_aside = aside.iter().any(|record| {
            let note = record.quarantine.as_ref();
            note.and_then(|note| note.leaving.as_ref()).is_none_or(|leaving| leaving.study == study)
        });
        if waiting.iter().any(|record| is_it(&record)) {
            held += 1;
            if sent.object.project != "whole" || !sibling_is_aside {
                faults.push(format!("{:?} waits for nothing", sent.object));
            }
            continue;
        }
        for name in &KNOWN.projects[sent.object.project].destinations {
            let has_it = world.got.keys().any(|(to, digest)| *to == name && *digest == sent.digest);
            if !has_it {
                faults.push(format!("{:?} is lost to {name}", sent.object));
            }
        }
    }
    world.totals.held += held;
    world.totals.quarantined += set_aside;
    faults
}

/// At most once for each time that it was sent, for each start, and for each time
/// that a destination kept its answer to itself.
fn repeated(world: &World, lives: usize) -> Vec<String> {
    let world = world.lock();
    let mut faults = Vec::new();
    for ((to, digest), count) in &world.got {
        let of_it = world.objects.iter().filter(|sent| sent.digest == *digest);
        let tries: usize = of_it.map(|sent| sent.tries).sum();
        let unheard = world.unheard.get(&(*to, digest.clone())).copied().unwrap_or(0);
        if *count > tries + lives - 1 + unheard {
            faults.push(format!("{to} got {digest} {count} times"));
        }
    }
    faults
}
