//! C6: files that a failing disk, a clean-up script or a person damaged between
//! two starts. The node starts, or says which file it is and what to do; what it
//! cannot vouch for is quarantined, nothing of it leaves, and the rest flows.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::cuts::left_behind;
use crate::dice::Dice;
use crate::image::may_mount;
use crate::load::{send, write_instance};
use crate::scripted::Act;
use crate::sink::Delivery;
use crate::support::files::files_below;
use crate::support::object::{Object, PIXELS, explicit_head};
use crate::support::process::{run, wait_until};
use crate::trial::Trial;

/// What happens to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    Cut,
    Zeroed,
    Flipped,
    Foreign,
    Deleted,
    Appended,
}

use Damage::{Appended, Cut, Deleted, Flipped, Foreign, Zeroed};

impl Damage {
    fn to(self, path: &Path) {
        let bytes = fs::read(path).unwrap();
        let changed = match self {
            Cut => bytes[..bytes.len() / 2].to_vec(),
            Zeroed => vec![0; bytes.len()],
            Flipped => {
                let mut bytes = bytes;
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0x10;
                bytes
            }
            Foreign => b"another program's file\n".repeat(40),
            Appended => [&bytes[..], &[0; 300]].concat(),
            Deleted => return fs::remove_file(path).unwrap(),
        };
        // In place: a hard link shows it too, as with a failing disk.
        fs::write(path, changed).unwrap();
    }
}

/// Damage to one of the names of an instance.
struct Row {
    file: &'static str,
    damage: Damage,
    /// It must be quarantined; else delivered.
    is_quarantined: bool,
}

const fn row(file: &'static str, damage: Damage, is_quarantined: bool) -> Row {
    Row { file, damage, is_quarantined }
}

/// While instances wait to be cleaned. The first is the one that is being cleaned.
const RECEIVED: &[Row] = &[
    row("received/ID", Deleted, true),
    row("received/ID", Cut, true),
    row("received/ID", Zeroed, true),
    row("received/ID", Flipped, true),
    row("received/ID", Foreign, true),
    row("received/ID", Appended, true),
    row("meta/ID.meta", Cut, true),
    row("meta/ID.meta", Zeroed, true),
    row("meta/ID.meta", Flipped, true),
    row("meta/ID.meta", Foreign, true),
    row("meta/ID.meta", Deleted, true),
    // A torn append that nobody was told of.
    row("meta/ID.meta", Appended, false),
];

/// While clean copies wait for the Storage SCP.
const HELD: &[Row] = &[
    // Not needed any more but for a release.
    row("held/ID", Flipped, false),
    row("held/ID", Deleted, true),
    row("cleaned/ID", Cut, true),
    row("cleaned/ID", Zeroed, true),
    row("cleaned/ID", Flipped, true),
    row("cleaned/ID", Foreign, true),
    row("cleaned/ID", Deleted, true),
    row("report/ID.json", Cut, true),
    row("report/ID.json", Zeroed, true),
    row("report/ID.json", Flipped, true),
    row("report/ID.json", Foreign, true),
    row("report/ID.json", Deleted, true),
    row("meta/ID.meta", Flipped, true),
    row("meta/ID.meta", Deleted, true),
    row("outbox/sink/ID", Deleted, true),
];

/// Instances beside those that are damaged.
const SOUND: usize = 4;

fn ids_in(folder: &Path) -> Vec<String> {
    let names = files_below(folder).into_iter();
    names.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

/// Damages one instance a row; gives the row of each damaged id.
fn damage<'a>(trial: &Trial, from: &str, rows: &'a [Row]) -> BTreeMap<String, &'a Row> {
    let ids = ids_in(&trial.node.spool(from));
    assert!(ids.len() >= rows.len() + SOUND, "{ids:?}");
    let rows: BTreeMap<_, _> = ids.into_iter().zip(rows).collect();
    for (id, row) in &rows {
        row.damage.to(&trial.node.spool("").join(row.file.replace("ID", id)));
    }
    rows
}

/// What came out of the rows: nothing changed left, each damaged one is named.
fn judge(trial: &Trial, rows: &BTreeMap<String, &Row>) {
    trial.drain();
    let mut quarantined: BTreeMap<String, Value> = BTreeMap::new();
    for item in trial.node.quarantined() {
        quarantined.insert(item["id"].as_str().unwrap().to_owned(), item);
    }
    let mut faults = Vec::new();
    for (id, row) in rows {
        let found = quarantined.remove(id);
        let what = format!("{} {:?}", row.file, row.damage);
        println!(
            "{what}: {}",
            found.as_ref().map_or("delivered", |item| item["detail"].as_str().unwrap())
        );
        if found.is_some() != row.is_quarantined {
            faults.push(format!("{what}: {found:?}"));
        }
        let Some(item) = found else { continue };
        let says = item["next_step"].as_str().unwrap_or_default();
        if item["reason"] != "damaged-spool" || !says.contains("check the disk") {
            faults.push(format!("{what}: {item}"));
        }
    }
    assert!(quarantined.is_empty(), "sound ones: {quarantined:?}");
    let aside = rows.values().filter(|row| row.is_quarantined).count();
    assert_eq!(trial.node.queue()["quarantine"], aside);
    let at_sink = trial.sink.by_number();
    assert_eq!(at_sink.len(), trial.log.count() - aside, "delivered");
    for delivery in at_sink.values().flatten() {
        assert_eq!(pixels(&delivery.bytes), pixels(&Object::ct(delivery.number).file()), "leaked");
    }
    assert!(faults.is_empty(), "{faults:#?}\n{}", trial.node.log_tail());
    trial.node.command(&["receipts", "verify"]).success();
    let verdict = trial.verdict_on("data");
    let says = format!("0 waiting, {aside} in quarantine");
    assert!(verdict["says"].as_str().unwrap().contains(&says), "{verdict}");
}

/// What no project changes in a CT slice.
fn pixels(file: &[u8]) -> Vec<u8> {
    let head = explicit_head(PIXELS, *b"OW", 2_048);
    let at = file.windows(head.len()).position(|window| window == head).expect("pixels");
    file[at + head.len()..].to_vec()
}

#[test]
fn damaged_instances_that_wait_to_be_cleaned_are_quarantined_and_the_rest_flows() {
    let mut trial = Trial::new("hmac");
    trial.node.start_again();
    let workers = left_behind(&trial);
    workers.iter().for_each(|worker| kill_process(*worker, Signal::STOP).unwrap());
    let senders = trial.send(RECEIVED.len() + SOUND, &mut Dice::of(1, "received"));
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    workers.iter().for_each(|worker| kill_process(*worker, Signal::KILL).unwrap());
    trial.node.kill();
    let rows = damage(&trial, "received", RECEIVED);
    trial.node.start_again();
    judge(&trial, &rows);
    found(&trial, &["1 originals were gone"]);
    trial.node.stop();
}

#[test]
fn damaged_instances_that_wait_for_a_destination_are_quarantined_and_the_rest_flows() {
    let trial = held_back(HELD.len() + SOUND);
    let rows = damage(&trial, "held", HELD);
    fs::write(trial.node.spool("meta").join(format!("{:032x}.meta", 1)), b"alone").unwrap();
    let mut trial = trial;
    trial.sink.behave(Act::Answer(0));
    trial.node.start_again();
    judge(&trial, &rows);
    found(&trial, &["1 originals were gone", "1 records without an original"]);
    trial.node.stop();
}

/// What `queue`, `check` and the log say that the start found.
fn found(trial: &Trial, starts: &[&str]) {
    let queue = trial.node.queue();
    let found = queue["found"].as_array().unwrap_or_else(|| panic!("{queue}"));
    assert_eq!(found.len(), starts.len(), "{queue}");
    let (log, verdict) = (trial.node.log(), trial.verdict_on("data"));
    for (found, start) in found.iter().zip(starts) {
        let found = found.as_str().unwrap();
        let (_, what) = found.split_once("Z: ").unwrap();
        assert!(what.starts_with(start), "{found}");
        assert!(verdict["says"].as_str().unwrap().contains(found), "{verdict}");
        assert!(log.contains(what), "{found}");
    }
}

/// A node that was killed while so many instances waited for the Storage SCP.
fn held_back(instances: usize) -> Trial {
    let mut trial = Trial::new("random");
    trial.sink.behave(Act::RejectTransient);
    trial.node.start_again();
    let senders = trial.send(instances, &mut Dice::of(1, "held"));
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    assert_eq!(trial.log.count(), instances);
    let waits = |dir: &str| ids_in(&trial.node.spool(dir)).len();
    let all = || (waits("outbox/sink") == instances && waits("outbox/folder") == 0).then_some(());
    wait_until("all in one outbox", std::time::Duration::from_secs(30), all, || {
        trial.node.log_tail()
    });
    trial.node.kill();
    trial
}

/// What a file of the whole node may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It starts, and all is delivered under the old pseudonyms.
    Flows,
    /// The same, but `check` says of the receipts what holds this.
    Tells(&'static str),
    /// It does not start, and its last word holds this.
    Says(&'static str),
}

use End::{Flows, Says, Tells};

/// Files that all instances rest on. `*` stands for the one file there is.
const SHARED: &[(&str, Damage, End)] = &[
    ("pseudonyms/journal", Cut, Flows),
    ("pseudonyms/journal", Zeroed, Says("journal")),
    ("pseudonyms/journal", Flipped, Says("restore the journal from its backup")),
    ("pseudonyms/journal", Foreign, Says("no pseudonym journal")),
    ("pseudonyms/journal", Deleted, Says("restore the journal from its backup")),
    ("pseudonyms/journal", Appended, Flows),
    ("pseudonyms/index/1/db", Cut, Flows),
    ("pseudonyms/index/1/db", Zeroed, Flows),
    ("pseudonyms/index/1/db", Flipped, Flows),
    ("pseudonyms/index/1/db", Foreign, Flows),
    ("pseudonyms/index/1/db", Deleted, Flows),
    ("pseudonyms/index/1/db", Appended, Flows),
    ("pseudonyms/index/1/conf", Cut, Flows),
    ("pseudonyms/index/1/conf", Zeroed, Flows),
    ("pseudonyms/index/1/conf", Foreign, Flows),
    ("pseudonyms/index/1/conf", Deleted, Flows),
    ("receipts/head.0", Zeroed, Flows),
    ("receipts/head.1", Foreign, Flows),
    ("receipts/*", Cut, Says("restore it")),
    ("receipts/*", Deleted, Says("restore it")),
    ("receipts/*", Appended, Flows),
    ("receipts/*", Zeroed, Tells("does not follow")),
    ("receipts/*", Flipped, Tells("does not follow")),
    ("receipts/*", Foreign, Says("restore it")),
    ("corrections/journal", Cut, Flows),
    ("corrections/journal", Zeroed, Says("corrections")),
    ("corrections/journal", Flipped, Says("corrections")),
    ("corrections/journal", Foreign, Says("corrections")),
    ("corrections/journal", Appended, Flows),
    ("corrections/journal", Deleted, Flows),
    ("keys/master", Cut, Says("master")),
    ("keys/master", Foreign, Says("master")),
    ("keys/master", Deleted, Says("master")),
    ("keys/master", Flipped, Says("key")),
    ("run/endpoints.json", Foreign, Flows),
    ("lock", Foreign, Flows),
];

#[test]
fn damaged_tables_and_ledgers_are_made_again_or_named_with_what_to_do() {
    let mut trial = held_back(9);
    let (data, saved) = (trial.node.data(), trial.node.home().join("saved"));
    run(Command::new("cp").arg("-a").arg(&data).arg(&saved)).success();
    trial.sink.behave(Act::Answer(0));
    let again = trial.node.home().join("again");
    let known_again = [0, 3, 6].map(|number| write_instance(&again, number));
    let mut codes: BTreeMap<usize, Delivery> = BTreeMap::new();
    let mut faults = Vec::new();
    for (file, damage, end) in SHARED {
        fs::remove_dir_all(&data).unwrap();
        run(Command::new("cp").arg("-a").arg(&saved).arg(&data)).success();
        damage.to(&path_of(&data, file));
        let what = format!("{file} {damage:?}");
        let from = trial.sink.count();
        match (trial.node.start_unless_it_dies(), end) {
            (Ok(()), Flows | Tells(_)) => {
                trial.drain();
                // Known persons, asked of the table that was made again.
                send(&trial.to(), &known_again, &trial.log);
                trial.drain();
                faults.extend(told(&trial, *end).map(|wrong| format!("{what}: {wrong}")));
                let quarantined = trial.set_aside().len();
                let came = trial.sink.deliveries().split_off(from);
                if came.len() != 9 + known_again.len() || quarantined > 0 {
                    faults.push(format!("{what}: {} came, {quarantined} quarantined", came.len()));
                }
                for delivery in came {
                    let known = codes.entry(delivery.number).or_insert_with(|| delivery.clone());
                    if *known != delivery {
                        faults.push(format!("{what}: {} is another", delivery.number));
                    }
                }
                println!("{what}: flows");
                trial.node.stop();
            }
            (Err(status), Says(words)) => {
                let log = trial.node.log_tail();
                let last = log.lines().last().unwrap_or_default();
                println!("{what}: {status}: {last}");
                if status.code().is_none_or(|code| code == 70) || !last.contains(words) {
                    faults.push(format!("{what}: {status}: {last}"));
                }
                let verdict = trial.verdict_on("data");
                let says = verdict["says"].as_str().unwrap_or_default();
                if verdict["good"] != false || !last.ends_with(says) {
                    faults.push(format!("{what}: airlock check: {verdict}"));
                }
            }
            (Ok(()), Says(words)) => {
                faults.push(format!("{what}: starts, and does not say {words}"));
                trial.node.kill();
            }
            (Err(status), Flows | Tells(_)) => {
                let log = trial.node.log_tail();
                faults
                    .push(format!("{what}: {status}: {}", log.lines().last().unwrap_or_default()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Without it nothing is known of what was withdrawn: people are told.
#[test]
fn a_memory_of_corrections_that_is_gone_begins_anew_and_that_is_told() {
    let mut trial = Trial::new("hmac");
    trial.node.start_again();
    assert!(trial.node.queue()["found"].is_null(), "the first start");
    let files = [0, 1].map(|number| write_instance(trial.node.home(), number));
    send(&trial.to(), &files, &trial.log);
    trial.drain();
    trial.node.stop();
    fs::remove_file(trial.node.data().join("corrections/journal")).unwrap();
    trial.node.start_again();
    found(&trial, &["the memory of corrections was not there"]);
    send(&trial.to(), &files, &trial.log);
    trial.drain();
    trial.node.stop();
    trial.node.start_again();
    found(&trial, &["the memory of corrections was not there"]);
}

/// What is wrong with what a running node's ledger and table are said to be.
fn told(trial: &Trial, end: End) -> Option<String> {
    let verify = |of: &str| trial.node.command(&[of, "verify"]).status.success();
    let receipts = trial.verdict_on("receipts");
    let is_told = match end {
        Tells(words) => {
            let says = receipts["says"].as_str().unwrap_or_default();
            receipts["good"] == false && says.contains(words) && !verify("receipts")
        }
        Flows | Says(_) => receipts["good"] == true && verify("receipts"),
    };
    (!is_told || !verify("pseudonym")).then(|| format!("airlock check: {receipts}"))
}

/// A file of the data directory; `*` is the one segment of the ledger.
fn path_of(data: &Path, file: &str) -> PathBuf {
    let Some(folder) = file.strip_suffix("/*") else { return data.join(file) };
    let all = files_below(&data.join(folder));
    let segments: Vec<_> =
        all.into_iter().filter(|path| !path.to_string_lossy().contains("head.")).collect();
    let [segment] = &segments[..] else { panic!("{segments:?}") };
    segment.clone()
}

#[test]
fn a_node_whose_files_another_user_owns_says_so() {
    if !may_mount() {
        return;
    }
    let mut trial = Trial::new("hmac");
    trial.node.start_again();
    trial.node.stop();
    let nobody = 65_534;
    let root = trial.node.home().to_owned();
    // Everything is nobody's, one directory is root's.
    run(Command::new("chown").args(["-R", &nobody.to_string()]).arg(&root)).success();
    run(Command::new("chown").arg("0").arg(trial.node.spool("received"))).success();
    let mut serve = Command::new("setpriv");
    serve.args(["--reuid", &nobody.to_string(), "--clear-groups"]);
    let airlock = trial.node.airlock(&["serve", "--config"]);
    serve.arg(airlock.get_program()).args(airlock.get_args()).arg(trial.node.configuration());
    for (name, value) in airlock.get_envs() {
        match value {
            Some(value) => serve.env(name, value),
            None => serve.env_remove(name),
        };
    }
    let said = run(serve.current_dir(&root));
    println!("{said:?}");
    let last = said.stderr.lines().last().unwrap_or_default();
    assert_eq!(said.code(), 75, "{said:?}");
    assert!(last.contains("Permission denied") && last.contains("must belong to"), "{last}");
    assert!(last.contains(trial.node.data().to_str().unwrap()), "{last}");
}
