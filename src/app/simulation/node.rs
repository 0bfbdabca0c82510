//! The lives of one node under one seed.

use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use super::checks;
use super::net::{Outside, Scripted, Sent, World};
use super::parts::{CT, EXPLICIT, Object, Persons, SimClock, Worker, sha256};
use crate::accept::Arrival;
use crate::app::door;
use crate::clock::Clock;
use crate::config::Config;
use crate::corrections::LocalBook;
use crate::dicom::TransferSyntax;
use crate::disk::Disk;
use crate::disk::testing::{Cut, Dice, FaultyDisk, VolatileDisk};
use crate::forward::Waits;
use crate::lifecycle::stop_flag;
use crate::pipeline::{CleanLine, Destination, LineMemory, Node, NodeParts, Target, Versions};
use crate::pseudonym::{KeyPurpose, Keys, MasterKey};
use crate::receipt::{Ledger, LedgerKey};
use crate::simulated;
use crate::spool::{Spool, SpoolLimits, State};

/// `plain` goes to both, `whole` to both as studies, `single` to one.
const CONFIG: &str = "\
[destination.pacs]\nae_title = 'PACS'\nhost = '10.1.2.3'\n
[destination.out]\nfolder = '/out'\n
[project.plain]\nae_title = 'PLAIN'\ndestinations = ['pacs', 'out']\n
[project.single]\nae_title = 'SINGLE'\ndestinations = ['pacs']\n
[project.whole]\nae_title = 'WHOLE'\ndestinations = ['pacs', 'out']\nrelease = 'study'\nquiet = '2 minutes'\n";
pub(super) static KNOWN: LazyLock<Arc<Config>> =
    LazyLock::new(|| Arc::new(Config::check(&toml::from_str(CONFIG).unwrap()).unwrap()));
const DESTINATIONS: [&str; 2] = ["pacs", "out"];
/// Longest life: whatever waits has had its turn.
const LIFE: Duration = Duration::from_secs(48 * 60 * 60);
/// How often a life is looked at.
const LOOK: Duration = Duration::from_secs(5);
pub(super) const SPOOL: &str = "/data/spool";
pub(super) const RECEIPTS: &str = "/data/receipts";

/// What a range of seeds came to.
#[derive(Debug, Default, Clone)]
pub(super) struct Totals {
    pub(super) acknowledged: usize,
    pub(super) delivered: usize,
    pub(super) quarantined: usize,
    pub(super) held: usize,
    pub(super) cuts: usize,
    pub(super) errors: usize,
}

impl Totals {
    pub(super) fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.delivered += other.delivered;
        self.quarantined += other.quarantined;
        self.held += other.held;
        self.cuts += other.cuts;
        self.errors += other.errors;
    }
}

/// What one seed came to.
pub(super) struct Run {
    pub(super) faults: Vec<String>,
    pub(super) log: Vec<String>,
    pub(super) totals: Totals,
}

/// How a node is broken on purpose, to show that it is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// It is not.
    No,
    /// No file is synced.
    BytesUnsynced,
    /// No directory is synced.
    NamesUnsynced,
    /// Success is answered before the commit.
    AnsweredEarly,
    /// A crash takes one instance that waits, with all its names.
    Forgotten,
    /// The clean object is the received one.
    Uncleaned,
    /// Each instance arrives twice.
    Twice,
}

/// Removes an instance that waits for a destination, as if it had been forgotten.
fn forget_one(disk: &VolatileDisk) {
    let files = disk.files();
    let waits = files.keys().find(|path| path.starts_with("/data/spool/outbox"));
    let Some(id) = waits.and_then(|path| path.file_name()?.to_str().map(str::to_owned)) else {
        return;
    };
    for path in files.keys().filter(|path| path.to_string_lossy().contains(&id)) {
        disk.remove(path).unwrap();
        disk.sync_dir(path.parent().unwrap()).unwrap();
    }
}

/// What is sent under a seed.
fn objects(dice: &mut Dice) -> Vec<Sent> {
    let mut objects: Vec<Object> = Vec::new();
    for number in 0..3 + dice.throw(8) {
        let again = (!objects.is_empty() && dice.throw(5) == 0).then(|| dice.throw(objects.len()));
        objects.push(match again {
            // A repeat, or a correction.
            Some(of) => Object { version: dice.throw(2), ..objects[of].clone() },
            None => {
                let which = dice.throw(3);
                let project = ["plain", "single", "whole"][which];
                // No study is in two projects.
                let study = 10 * (1 + which) + dice.throw(2);
                let bad = dice.throw(8) == 0;
                Object { project, study, instance: number, version: 0, bad }
            }
        });
    }
    let sent = |object: Object| {
        let digest = sha256(&object.bytes());
        Sent { object, digest, acknowledged: false, tries: 0 }
    };
    objects.into_iter().map(sent).collect()
}

/// All lives and the checks after them.
pub(super) fn run(seed: u64, broken: Broken) -> Run {
    let mut dice = Dice::new(seed.wrapping_mul(0x9E37_79B9) ^ 0x51AB);
    let objects = objects(&mut dice);
    let crashes = dice.throw(4);
    let world = World(Arc::new(Mutex::new(Outside {
        objects,
        dice: dice.clone(),
        got: Default::default(),
        unheard: Default::default(),
        calm: false,
        lanes: [1, 1, 2, 4][seed as usize % 4],
        broken,
        faults: Vec::new(),
        log: Vec::new(),
        totals: Totals::default(),
    })));
    let (mut disk, mut before, mut lives) = (VolatileDisk::default(), Duration::ZERO, 0);
    for life in 0..=crashes {
        let is_last = life == crashes;
        world.lock().calm = is_last;
        let faulty = FaultyDisk::new(Arc::new(disk.clone()));
        faulty.leave_out_syncs(broken == Broken::BytesUnsynced, broken == Broken::NamesUnsynced);
        let cuts = !is_last && dice.throw(4) > 0;
        if cuts {
            faulty.off_from(dice.throw(700));
        }
        if !is_last && dice.throw(3) == 0 {
            // EIO, ENOSPC
            faulty.fail(dice.throw(500), [5, 28][dice.throw(2)]);
            world.lock().totals.errors += 1;
        }
        before = one_life(&world, &faulty, before, is_last);
        lives += 1;
        disk = if is_last || !cuts && dice.throw(2) == 0 {
            disk.after_kill()
        } else {
            world.lock().totals.cuts += 1;
            let seed = dice.throw(usize::MAX) as u64;
            let cut = [Cut::LoseAll, Cut::KeepAll, Cut::InOrder(seed), Cut::AnySubset(seed)];
            disk.after_power_cut(cut[dice.throw(4)])
        };
        if broken == Broken::Forgotten && !is_last {
            forget_one(&disk);
        }
        world.lock().log.push(format!("life {life} ended at {before:?}"));
    }
    checks::all(&world, &disk, lives);
    let mut outside = world.lock();
    outside.totals.acknowledged = outside.objects.iter().filter(|sent| sent.acknowledged).count();
    Run {
        faults: std::mem::take(&mut outside.faults),
        log: std::mem::take(&mut outside.log),
        totals: outside.totals.clone(),
    }
}

/// From a start to a crash, or until all is quiet; gives the time by then.
fn one_life(world: &World, disk: &FaultyDisk, before: Duration, is_last: bool) -> Duration {
    let (files, dice) = (disk.clone(), world.clone());
    let _simulated = simulated::begin(
        Box::new(move |path| {
            let mut bytes = Vec::new();
            files.open(path)?.read_to_end(&mut bytes)?;
            Ok(bytes)
        }),
        Box::new(move |sides| dice.throw(sides)),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let ended = runtime.block_on(async {
        let clock = Arc::new(SimClock::new(before));
        if let Some(started) = start(world, disk, &clock) {
            live(world, disk, &started, is_last).await;
        } else if is_last {
            world.lock().faults.push("the node does not start".into());
        }
        tokio::time::sleep(LOOK).await;
        clock.monotonic()
    });
    // Whatever was under way ends in the middle.
    drop(runtime);
    ended
}

struct Started {
    node: Arc<Node>,
    line: Arc<CleanLine>,
    spool: Spool,
    clock: Arc<SimClock>,
}

pub(super) fn keys() -> Keys {
    let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e07";
    Keys::new(MasterKey::from_secret(hex.as_bytes()).unwrap())
}

pub(super) fn ledger_key() -> LedgerKey {
    LedgerKey::new(*keys().current().derive(KeyPurpose::Ledger, "").expose())
}

/// As `app::opened` and `app::serve` do it; none when the disk does not let it.
fn start(world: &World, disk: &FaultyDisk, clock: &Arc<SimClock>) -> Option<Started> {
    let told = |what: String| world.lock().log.push(what);
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let time: Arc<dyn Clock> = Arc::clone(clock) as _;
    disk.create_dir_all(Path::new("/data")).ok()?;
    disk.sync_dir(Path::new("/")).ok()?;
    let (book, _) = LocalBook::open(Path::new("/data/corrections"), &keys(), Arc::clone(&disk))
        .map_err(|error| told(error.to_string()))
        .ok()?;
    let (ledger, _) =
        Ledger::open(Path::new(RECEIPTS), Arc::clone(&disk), Arc::clone(&time), ledger_key())
            .map_err(|error| told(error.to_string()))
            .ok()?;
    let limits = SpoolLimits::default();
    let (spool, recovery) =
        Spool::open(Path::new(SPOOL), Arc::clone(&disk), Arc::clone(&time), limits)
            .map_err(|error| told(error.to_string()))
            .ok()?;
    told(format!("{recovery:?}"));
    let (book, versions, table): (_, Arc<Versions>, _) =
        (Arc::new(book), Arc::default(), Arc::new(Persons));
    let memory = LineMemory {
        table: table.clone(),
        book: book.clone(),
        versions: Arc::clone(&versions),
        clock: Arc::clone(&time),
        vault: spool.vault().clone(),
    };
    let uncleaned = world.lock().broken == Broken::Uncleaned;
    let line = CleanLine::stubbed(&KNOWN, memory, Box::new(Worker { disk, uncleaned })).unwrap();
    let node = Node::new(NodeParts {
        config: Arc::clone(&KNOWN),
        spool: spool.clone(),
        ledger: Arc::new(ledger),
        table,
        key_id: "00000000".into(),
        book,
        versions,
        clock: time,
    })
    .ok()?;
    Some(Started { node, line: Arc::new(line), spool, clock: Arc::clone(clock) })
}

async fn live(world: &World, disk: &FaultyDisk, started: &Started, is_last: bool) {
    let (_stop, stopping) = stop_flag();
    let scripted = |name| {
        let associations = world.lock().lanes;
        let (world, disk, spool) = (world.clone(), disk.clone(), started.spool.clone());
        let clock = Arc::clone(&started.clock);
        let script = Scripted { name, world, disk, spool, clock };
        Destination {
            name: name.parse().unwrap(),
            target: Target::Scripted(Box::new(script)),
            associations,
            waits: Waits::default(),
        }
    };
    let destinations = DESTINATIONS.into_iter().map(scripted).collect();
    let (node, line) = (Arc::clone(&started.node), Arc::clone(&started.line));
    tokio::spawn(async move { node.run(line, destinations, stopping).await });
    for half in 0..2 {
        tokio::spawn(send(world.clone(), Arc::clone(&started.node), half));
    }
    let begun = started.clock.monotonic();
    let mut quiet_since = begun;
    let mut last = None;
    loop {
        tokio::time::sleep(LOOK).await;
        if disk.is_off() || !is_last && !started.node.is_taking() {
            return;
        }
        let now = started.clock.monotonic();
        let all_sent = world.lock().objects.iter().all(|sent| sent.acknowledged);
        let standing = (
            started.spool.list(State::Received).unwrap_or_default(),
            started.spool.list_waiting().unwrap_or_default(),
            started.spool.list_delivered().unwrap_or_default(),
        );
        let empty = standing.0.is_empty() && standing.1.is_empty() && standing.2.is_empty();
        // Some of a study wait for ever when one of it stands in quarantine.
        if last.as_ref() != Some(&standing) {
            (last, quiet_since) = (Some(standing), now);
        }
        let patience = Duration::from_secs(if empty { 20 } else { 2 * 60 * 60 });
        if all_sent && now - quiet_since >= patience {
            return;
        }
        if now - begun > LIFE {
            world.lock().faults.push("the node never came to rest".into());
            return;
        }
    }
}

/// One association: every second object, again until it is acknowledged.
async fn send(world: World, node: Arc<Node>, half: usize) {
    let store = door::store(node, keys().current().derive(KeyPurpose::InstanceKey, ""));
    let count = world.lock().objects.len();
    for index in (0..count).filter(|index| index % 2 == half) {
        loop {
            if world.lock().objects[index].acknowledged {
                break;
            }
            let wait = [0, 10, 1_000, 60_000][world.throw(4)];
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let object = {
                let mut world = world.lock();
                world.objects[index].tries += 1;
                world.objects[index].object.clone()
            };
            let arrival = Arrival {
                project: object.project.into(),
                calling_ae: "CART".parse().unwrap(),
                called_ae: object.project.to_uppercase().parse().unwrap(),
                peer: [127, 0, 0, 1].into(),
                sop_class: CT.parse().unwrap(),
                sop_instance: object.uid().parse().unwrap(),
                transfer_syntax: TransferSyntax::new(EXPLICIT.parse().unwrap()),
            };
            let bytes = object.bytes();
            let (head, tail) = bytes.split_at(world.throw(bytes.len()));
            let Ok(mut incoming) = store.begin(&arrival) else { continue };
            if incoming.write(head).is_err() {
                continue;
            }
            simulated::pause().await;
            if world.lock().broken == Broken::AnsweredEarly {
                world.lock().objects[index].acknowledged = true;
            }
            if incoming.write(tail).is_ok() && incoming.commit().is_ok() {
                let mut world = world.lock();
                world.objects[index].acknowledged = true;
                world.log.push(format!("acknowledged {index}"));
            }
        }
    }
}
