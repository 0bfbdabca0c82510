//! The runs: a quick one among the other tests, and a long one in units that
//! can be taken up again by seed and number (`scripts/crashlab`).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::{env, panic};

use serde::{Deserialize, Serialize};

use crate::check::{Tally, check_share};
use crate::dice::Dice;
use crate::image::may_mount;
use crate::{cuts, kills};

/// Kills and cuts of one unit: few enough that a fault is near its cause.
const KILLS_PER_UNIT: usize = 10;
const CUTS_PER_UNIT: usize = 5;
const QUICK_KILLS: usize = 20;
const QUICK_CUTS: usize = 5;

fn seed() -> u64 {
    env::var("CRASHLAB_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

fn count(name: &str, default: usize) -> usize {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What the quick and the long run share.
fn judge(name: &str, mut tally: Tally, seed: u64) {
    check_share(&mut tally);
    println!("{tally:#?}");
    println!("seed {seed}: {}", tally.line());
    tell(name, &tally, seed);
    assert!(tally.faults.is_empty(), "seed {seed}: {:#?}", tally.faults);
    assert_eq!(tally.lost, 0, "seed {seed}");
}

/// For `scripts/crashlab`, which prints the last line itself.
pub(crate) fn tell(name: &str, tally: &Tally, seed: u64) {
    let Some(file) = env::var_os("CRASHLAB_OUT") else { return };
    let mut told = serde_json::to_value(tally).expect("JSON");
    told["name"] = name.into();
    told["seed"] = seed.into();
    told["line"] = tally.line().into();
    let mut file = File::options().create(true).append(true).open(file).expect("CRASHLAB_OUT");
    writeln!(file, "{told}").expect("CRASHLAB_OUT");
}

#[test]
fn acknowledged_instances_survive_a_kill_at_any_system_call() {
    let seed = seed();
    let mut tally = Tally::default();
    for number in 0..QUICK_KILLS.div_ceil(KILLS_PER_UNIT) {
        tally.add(kills::unit(&mut Dice::of(seed, &format!("kills-{number}")), KILLS_PER_UNIT));
    }
    assert!(tally.kill_points >= QUICK_KILLS, "{tally:?}");
    judge("kills", tally, seed);
}

#[test]
fn acknowledged_instances_survive_a_power_cut_under_load() {
    if !may_mount() {
        return;
    }
    let seed = seed();
    let tally = cuts::unit(&mut Dice::of(seed, "cuts-0"), QUICK_CUTS);
    judge("cuts", tally, seed);
}

/// A unit that has ended.
#[derive(Debug, Serialize, Deserialize)]
struct Done {
    unit: String,
    tally: Tally,
}

/// Units that a run with this seed has ended before.
fn ended(file: &PathBuf) -> BTreeMap<String, Tally> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Done>(line).ok());
    lines.map(|done| (done.unit, done.tally)).collect()
}

#[test]
#[ignore = "takes an hour: scripts/crashlab --full"]
fn full() {
    assert!(may_mount(), "the long run cuts the power, which needs root");
    let seed = seed();
    let state =
        PathBuf::from(env::var_os("CRASHLAB_DIR").unwrap_or_else(|| "target/crashlab".into()));
    fs::create_dir_all(&state).expect("a folder");
    let file = state.join(format!("seed-{seed}.jsonl"));
    let mut ended = ended(&file);
    let (kills, cuts) = (count("CRASHLAB_KILLS", 1_000), count("CRASHLAB_CUTS", 200));
    let mut all = Tally::default();
    for number in 0.. {
        if all.kill_points >= kills && all.power_cuts >= cuts {
            break;
        }
        for kind in ["kills", "cuts"] {
            let is_over =
                if kind == "kills" { all.kill_points >= kills } else { all.power_cuts >= cuts };
            if is_over {
                continue;
            }
            let unit = format!("{kind}-{number}");
            let tally = ended.remove(&unit).unwrap_or_else(|| {
                let tally = run_unit(seed, kind, &unit);
                let done = serde_json::to_string(&Done { unit, tally: tally.clone() });
                let mut file =
                    File::options().create(true).append(true).open(&file).expect("a file");
                writeln!(file, "{}", done.expect("JSON")).expect("a file");
                tally
            });
            all.add(tally);
        }
    }
    judge("full", all, seed);
}

/// A unit that panics is a fault of its own, and the run goes on.
fn run_unit(seed: u64, kind: &str, unit: &str) -> Tally {
    let mut dice = Dice::of(seed, unit);
    let tally = panic::catch_unwind(panic::AssertUnwindSafe(|| match kind {
        "kills" => kills::unit(&mut dice, KILLS_PER_UNIT),
        _ => cuts::unit(&mut dice, CUTS_PER_UNIT),
    }));
    let tally = tally.unwrap_or_else(|cause| {
        let says = cause.downcast_ref::<String>().cloned().unwrap_or_default();
        let (kill_points, power_cuts) =
            if kind == "kills" { (KILLS_PER_UNIT, 0) } else { (0, CUTS_PER_UNIT) };
        let faults = vec![format!("{unit}: {says}")];
        Tally { kill_points, power_cuts, faults, ..Tally::default() }
    });
    println!("seed {seed} {unit}: {}, {} faults", tally.line(), tally.faults.len());
    tally
}
