//! What the harness would catch: a node that leaves out its syncs, and foreign
//! archives that store only, under the same cuts.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::campaign::tell;
use crate::check::{Tally, whole};
use crate::cuts::{self, Way, pid};
use crate::dice::Dice;
use crate::image::{Image, may_mount};
use crate::load::{Log, To, send_beside, write_instance};
use crate::sink::Delivery;
use crate::support::files::files_below;
use crate::support::orthanc::Orthanc;
use crate::support::process::{Process, free_port, listens, tool, wait_until};

/// Cuts until a broken node must have been caught. Without syncs of bytes the first
/// one does; a name is mostly saved by the next sync of anything.
const CUTS_MAX: usize = 60;

#[test]
fn a_node_that_leaves_out_its_syncs_is_caught() {
    if !may_mount() {
        return;
    }
    let ways = [("all", Way::UnderLoad), ("names", Way::AfterAnAnswer)];
    for (left_out, way) in ways {
        let mut caught = Tally::default();
        for number in 0..CUTS_MAX {
            let dice = &mut Dice::of(1, &format!("broken-{left_out}-{number}"));
            caught.add(cuts::cut_of_broken(dice, left_out, way));
            if caught.lost > 0 {
                break;
            }
        }
        println!("{left_out} left out: {caught:?}");
        assert!(caught.lost > 0, "{left_out} left out, and nobody noticed: {caught:?}");
        tell(&format!("broken node, {left_out} left out"), &caught, 1);
    }
}

/// Cuts of each foreign archive.
const FOREIGN_CUTS: usize = 20;
/// Instances that are sent towards each.
const FOREIGN_INSTANCES: usize = 240;

/// An archive that only stores.
trait Archive {
    fn process_id(&self) -> u32;
    fn port(&self) -> u16;
}

/// dcmtk's, in one process.
struct StoreScp {
    process: Process,
    port: u16,
}

impl StoreScp {
    fn start(folder: &Path, log: &Path) -> Self {
        let port = free_port();
        let mut command = Command::new(tool("storescp"));
        command.args(["--promiscuous", "--accept-all", "--bit-preserving"]);
        command.args(["--aetitle", CALLED, "--output-directory"]).arg(folder).arg(port.to_string());
        let mut process = Process::start("storescp", &mut command, log);
        process.wait_for("storescp's port", || listens(port));
        Self { process, port }
    }
}

const CALLED: &str = "ARCHIVE";

impl Archive for StoreScp {
    fn process_id(&self) -> u32 {
        self.process.id()
    }

    fn port(&self) -> u16 {
        self.port
    }
}

impl Archive for Orthanc {
    fn process_id(&self) -> u32 {
        Orthanc::process_id(self)
    }

    fn port(&self) -> u16 {
        self.dicom_port
    }
}

/// Cuts the power of an archive at a random moment under load; what it promised.
fn cut(archive: impl Archive, image: &mut Image, files: &Path, dice: &mut Dice) -> BTreeSet<usize> {
    let log = Log::default();
    let all = (0..FOREIGN_INSTANCES).map(|number| write_instance(files, number)).collect();
    let sender = send_beside(&To { called: CALLED, port: archive.port() }, all, &log);
    let promised = || (log.count() > 0).then_some(());
    wait_until("a first acknowledgement", Duration::from_secs(30), promised, String::new);
    std::thread::sleep(Duration::from_millis(u64::try_from(dice.below(700)).unwrap()));
    kill_process(pid(archive.process_id()), Signal::STOP).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    let frozen = image.freeze();
    drop(archive);
    sender.join().expect("a sender");
    image.thaw(frozen);
    log.acknowledged()
}

fn cut_storescp(dice: &mut Dice) -> Tally {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("data");
    let mut image = Image::mounted_at(&folder);
    let archive = StoreScp::start(&folder, &home.path().join("log"));
    let promised = cut(archive, &mut image, home.path(), dice);
    let kept = |path: PathBuf| whole(&path).map(|delivery| delivery.number);
    compared(&promised, files_below(&folder).into_iter().filter_map(kept).collect())
}

fn cut_orthanc(dice: &mut Dice) -> Tally {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("data");
    let mut image = Image::mounted_at(&folder);
    let archive = Orthanc::start(&folder, CALLED);
    let promised = cut(archive, &mut image, home.path(), dice);
    let archive = Orthanc::start(&folder, CALLED);
    let kept = archive.instances().into_iter().filter_map(|id| {
        let file = home.path().join("kept");
        // An index without its file answers otherwise than by the file.
        fs::write(&file, archive.try_file(&id)?).unwrap();
        whole(&file).map(|delivery: Delivery| delivery.number)
    });
    let tally = compared(&promised, kept.collect());
    drop(archive);
    tally
}

fn compared(promised: &BTreeSet<usize>, kept: BTreeSet<usize>) -> Tally {
    let delivered = promised.intersection(&kept).count();
    let acknowledged = promised.len();
    let lost = acknowledged - delivered;
    Tally { power_cuts: 1, acknowledged, delivered, lost, ..Tally::default() }
}

/// Only reported: what they promise is theirs to say.
#[test]
#[ignore = "no claim of ours: scripts/crashlab --full"]
fn foreign_archives() {
    assert!(may_mount(), "needs root");
    let tell_of = |name: &str, cut: fn(&mut Dice) -> Tally| {
        let mut all = Tally::default();
        for number in 0..FOREIGN_CUTS {
            all.add(cut(&mut Dice::of(1, &format!("{name}-{number}"))));
        }
        println!("{name}: {all:?}");
        tell(name, &all, 1);
    };
    tell_of("dcmtk storescp", cut_storescp);
    tell_of("Orthanc", cut_orthanc);
}
