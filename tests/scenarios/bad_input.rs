//! What is broken, hostile or unlucky is refused clearly or set aside with its
//! reason; nothing acknowledged is lost, and the node goes on.
//!
//! Method: `airlock send` sends a file's bytes as they are, which no decent
//! sender does. After each mishap a good instance must come out.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::dcmtk::{StoreScp, storescu};
use crate::support::files::{files_below, in_repository, sample};
use crate::support::node::Node;
use crate::support::object::*;
use crate::support::process::{Process, Run, free_port, memory_bytes_peak, tool, wait_for};
use crate::support::python::Scp;

/// Longest wait for a destination to be tried again: the node waits 30 s
/// after a first failure, give or take a fifth, and as long for the next item.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(120);
const SHORT_WAIT_MAX: Duration = Duration::from_secs(60);

/// CT is not searched for text; the rest is.
const CONFIGURATION: &str = "[project.default]\nheader_only = ['1.2.840.10008.5.1.4.1.1.2']\n";

/// Sends one file and says what was told about it.
fn sent(node: &Node, name: &str, bytes: &[u8]) -> Run {
    let file = write(&node.home().join("files"), name, bytes);
    node.send("AIRLOCK", &[file])
}

/// Sends a good instance and waits until it stands at the destination.
fn goes_on(node: &Node, number: usize) {
    let before = node.delivered().len();
    let file = Object::ct(number).write(&node.home().join("good"));
    storescu("AIRLOCK", node.port(), &[], &[file]).success();
    node.settle();
    assert_eq!(node.delivered().len(), before + 1, "{:?}", node.quarantined());
}

/// Sequences in sequences, `depth` times, of defined length.
fn nested(depth: usize) -> Vec<u8> {
    let mut inner = Vec::new();
    for _ in 0..depth {
        let length = u32::try_from(inner.len()).unwrap();
        let item = [&[0xFE, 0xFF, 0x00, 0xE0][..], &length.to_le_bytes(), &inner].concat();
        let length = u32::try_from(item.len()).unwrap();
        inner = [explicit_head((0x0040, 0xA730), *b"SQ", length), item].concat();
    }
    inner
}

/// Secondary captures are always looked at, so these must be decoded.
fn secondary_capture(number: usize) -> Object {
    Object::ct(number)
        .text(SOP_CLASS, "UI", SECONDARY_CAPTURE)
        .number(BITS_ALLOCATED, 8)
        .number(BITS_STORED, 8)
        .number(HIGH_BIT, 7)
}

#[test]
fn broken_objects_are_acknowledged_and_set_aside_with_their_reason() {
    let node = Node::start(CONFIGURATION);
    let noise: Vec<u8> = (0..4_000_u32).map(|at| ((at * at) >> 3) as u8).collect();
    let whole = Object::ct(100).file();
    let huge = Object::ct(102).without(PIXELS).tail(explicit_head(PIXELS, *b"OB", 0xFFFF_FFF0));
    let garbage = |number, syntax| secondary_capture(number).fragment(syntax, &noise).file();
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("truncated", whole[..whole.len() - 700].to_vec(), &["unreadable"]),
        ("nested", Object::ct(101).without(PIXELS).tail(nested(1_000)).file(), &["over-limit"]),
        ("4 GiB", huge.file(), &["unreadable", "over-limit"]),
        ("nobody", Object::ct(103).text(PATIENT_ID, "LO", "").file(), &["no-patient-id"]),
        ("no ID", Object::ct(104).without(PATIENT_ID).file(), &["no-patient-id"]),
        ("no study", Object::ct(105).without(STUDY).file(), &["bad-uid"]),
        ("JPEG", garbage(106, "1.2.840.10008.1.2.4.50"), &["decode-failed"]),
        ("JPEG 2000", garbage(107, "1.2.840.10008.1.2.4.90"), &["decode-failed"]),
        ("JPEG-LS", garbage(108, "1.2.840.10008.1.2.4.80"), &["decode-failed"]),
        ("RLE", garbage(109, "1.2.840.10008.1.2.5"), &["decode-failed"]),
        (
            "short",
            secondary_capture(110).bytes(PIXELS, "OW", vec![0; 10]).file(),
            &["decode-failed"],
        ),
        (
            "wide",
            secondary_capture(111).number(ROWS, 65_535).number(COLUMNS, 65_535).file(),
            &["decode-failed", "over-limit"],
        ),
    ];
    let count = cases.len();
    for (name, bytes, reasons) in cases {
        let before: Vec<_> = node.quarantined().iter().map(|item| item["id"].clone()).collect();
        sent(&node, name, &bytes).success();
        node.settle();
        let new: Vec<_> =
            node.quarantined().into_iter().filter(|item| !before.contains(&item["id"])).collect();
        let [item] = &new[..] else { panic!("{name}: {new:?}\n{}", node.log_tail()) };
        assert!(reasons.contains(&item["reason"].as_str().unwrap()), "{name}: {item}");
        assert!(!item["next_step"].as_str().unwrap().is_empty(), "{name}: {item}");
        // The original is kept as it came, behind a meta of the node's.
        let kept = fs::read(node.spool("quarantine").join(item["id"].as_str().unwrap())).unwrap();
        assert!(kept.ends_with(&bytes[bytes.len() - 100..]), "{name}");
    }
    goes_on(&node, 199);
    assert_eq!(node.standing().quarantine, count);
    assert_eq!(node.receipts("quarantined").len(), count);
}

#[test]
fn an_object_of_some_300_bytes_that_declares_4_gib_costs_nothing() {
    let node = Node::start(CONFIGURATION);
    let declared = explicit_head(PIXELS, *b"OW", 0xFFFF_FFFE);
    let bytes = Object::bare(1).tail(declared).file();
    assert!(bytes.len() < 400, "{}", bytes.len());
    sent(&node, "small", &bytes).success();
    node.settle();
    assert_eq!(node.standing().quarantine, 1);
    let memory =
        node.workers("clean").into_iter().chain([node.process_id()]).map(memory_bytes_peak);
    assert!(memory.max().unwrap() < 1 << 30);
    goes_on(&node, 2);
}

#[test]
fn what_cannot_be_taken_is_refused_with_its_status_and_leaves_nothing() {
    let node = Node::start(CONFIGURATION);
    let refused = |name: &str, bytes: &[u8], said: &str| {
        let run = sent(&node, name, bytes);
        assert_ne!(run.code(), 0, "{name}");
        assert!(run.stderr.contains(said), "{name}: {run:?}");
    };
    refused("other instance", &Object::ct(1).file_named("1.2.3.4"), "A900");
    refused(
        "noise",
        &Object::ct(2).without(SOP_INSTANCE).tail(vec![]).file_named("1.2.3.5"),
        "C000",
    );
    let unknown = run_storescu_as(&node, "1.2.840.113619.5.2");
    assert_ne!(unknown.code(), 0, "{unknown:?}");
    let stranger = node.send("STRANGER", &[Object::ct(3).write(&node.home().join("good"))]);
    assert_ne!(stranger.code(), 0, "{stranger:?}");
    let standing = node.settle();
    assert_eq!(standing.quarantine, 0, "{:?}", node.quarantined());
    assert!(node.delivered().is_empty());
    goes_on(&node, 4);
}

/// Sends an object in a transfer syntax that nobody here knows.
fn run_storescu_as(node: &Node, transfer_syntax: &str) -> Run {
    sent(node, "unknown", &Object::ct(5).syntax(transfer_syntax).file())
}

/// A picture that takes the workers a while.
fn long_clean(node: &Node) {
    storescu("AIRLOCK", node.port(), &[], &[sample()]).success();
}

/// Waits until a try to clean the one received instance has begun and kills
/// its worker, so that the try counts; false when the instance was gone before.
fn kill_worker_at_try(node: &Node, tries: u32) -> bool {
    // The last entry of its record counts.
    let tries_noted = || {
        let waiting = files_below(&node.spool("received"));
        let id = waiting.first().and_then(|path| path.file_name())?;
        let record = node.spool("meta").join(format!("{}.meta", id.display()));
        let record = fs::read_to_string(record).unwrap_or_default();
        let noted = record.rsplit("\"attempts\":").next().unwrap_or_default();
        let digits = noted.split(|letter: char| !letter.is_ascii_digit()).next();
        Some(digits.and_then(|digits| digits.parse::<u32>().ok()).unwrap_or_default())
    };
    let begun = || match tries_noted() {
        None => Some(false),
        Some(noted) => (noted == tries).then_some(true),
    };
    let put_off = || node.log().matches("cleaning put off").count();
    loop {
        let put_off_before = put_off();
        if !wait_for("a try to clean", SHORT_WAIT_MAX, begun) {
            return false;
        }
        let workers = wait_for("a worker", SHORT_WAIT_MAX, || {
            Some(node.workers("clean")).filter(|workers| !workers.is_empty())
        });
        for worker in workers {
            let worker = Pid::from_raw(i32::try_from(worker).unwrap()).unwrap();
            kill_process(worker, Signal::KILL).ok();
        }
        // A worker that was killed before it took the order costs no try.
        let counted = wait_for("the end of the try", SHORT_WAIT_MAX, || {
            let died = node.log().matches("worker died, tried again").count();
            let gone = tries_noted().is_none();
            (put_off() > put_off_before)
                .then_some(false)
                .or_else(|| (gone || died >= tries as usize).then_some(true))
        });
        if counted {
            return true;
        }
    }
}

#[test]
fn an_instance_whose_worker_is_killed_is_cleaned_by_another() {
    let node = Node::start(CONFIGURATION);
    long_clean(&node);
    assert!(kill_worker_at_try(&node, 1));
    assert_eq!(node.settle().quarantine, 0, "{:?}", node.quarantined());
    assert_eq!(node.delivered().len(), 1);
    goes_on(&node, 1);
}

#[test]
fn an_instance_that_kills_three_workers_is_set_aside_and_comes_back_by_release() {
    let node = Node::start(CONFIGURATION);
    long_clean(&node);
    for tries in 1..=3 {
        assert!(kill_worker_at_try(&node, tries), "try {tries}: {}", node.log_tail());
    }
    assert_eq!(node.settle().quarantine, 1);
    let item = node.quarantined().remove(0);
    assert_eq!(item["reason"], "worker-died", "{item}");
    goes_on(&node, 1);
    node.command(&["quarantine", "release", item["id"].as_str().unwrap()]).success();
    assert_eq!(node.settle().quarantine, 0, "{:?}", node.quarantined());
    assert_eq!(node.delivered().len(), 2);
}

#[test]
fn a_sender_that_goes_away_in_mid_transfer_leaves_nothing() {
    let node = Node::start(CONFIGURATION);
    let (object, pixels) = (Object::enhanced_ct(200, 1024), 200 << 20);
    let path = write(&node.home().join("files"), "long", &object.head(pixels));
    let file = File::options().write(true).open(&path).unwrap();
    // A hole: nobody gets to read all of it.
    file.set_len(file.metadata().unwrap().len() + u64::from(pixels)).unwrap();
    let mut command = Command::new(tool("storescu"));
    // Small PDUs: the transfer takes a while.
    command.args(["--max-send-pdu", "4096", "--call", "AIRLOCK", "127.0.0.1"]);
    command.arg(node.port().to_string()).arg(path);
    let mut sender = Process::start("storescu", &mut command, &node.home().join("storescu.log"));
    let growing = || {
        let parts = files_below(&node.spool("incoming"));
        parts.iter().any(|part| part.metadata().is_ok_and(|part| part.len() > 0)).then_some(())
    };
    wait_for("the first bytes", SHORT_WAIT_MAX, growing);
    sender.kill();
    node.wait_standing("nothing left", |standing| *standing == Default::default());
    assert!(node.delivered().is_empty());
    goes_on(&node, 1);
}

#[test]
fn a_second_process_on_the_same_data_is_sent_away() {
    let node = Node::start(CONFIGURATION);
    let out = node.home().join("out");
    let sample = sample();
    let deid = node.command(&["deid".as_ref(), sample.as_os_str(), out.as_os_str()]);
    assert_eq!(deid.code(), 75, "{deid:?}");
    let serve = node.command(&["serve"]);
    assert_eq!(serve.code(), 75, "{serve:?}");
    assert!(!serve.stderr.is_empty() && files_below(&out).is_empty());
    goes_on(&node, 1);
}

/// Configuration of a destination and of the project that sends there.
fn destination(name: &str, port: u16) -> String {
    let title = name.to_uppercase();
    format!(
        "[destination.{name}]\nae_title = '{title}'\nhost = '127.0.0.1'\nport = {port}\n\
         [project.{name}]\nae_title = '{title}'\nheader_only = ['{CT}']\ndestinations = ['{name}']\n"
    )
}

/// Instances that a destination of pynetdicom's answered so, in order.
fn answers(scp: &Scp, uid: &str) -> Vec<String> {
    scp.answers().into_iter().filter(|(one, _)| one == uid).map(|(_, status)| status).collect()
}

/// The one instance that a destination has.
fn instance_at(scp: &Scp) -> String {
    let stem = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let files = scp.files();
    let [file] = &files[..] else { panic!("{files:?} {:?}", scp.answers()) };
    stem(file)
}

/// Goal: no failure of a destination loses an instance, doubles it or holds up
/// another destination's line. Method: one node, one project for each kind of
/// failure, all at once, since the node waits half a minute before it tries again.
#[test]
fn destinations_that_are_down_full_busy_refusing_or_rude_lose_nothing() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let full = Scp::start(&at("full"), "FULL", &["--answer", "A700,0000"]);
    let busy = Scp::start(&at("busy"), "BUSY", &["--answer", "0110,0000"]);
    let rude = Scp::start(&at("rude"), "RUDE", &["--abort-at", "1"]);
    let refusing = Scp::start(&at("refusing"), "REFUSING", &["--answer", "C000,0000"]);
    let down_port = free_port();
    let parts = [
        destination("down", down_port),
        destination("full", full.port),
        destination("busy", busy.port),
        destination("rude", rude.port),
        destination("refusing", refusing.port),
    ];
    let node = Node::start(&parts.concat());
    for (number, called) in ["DOWN", "FULL", "BUSY", "RUDE", "REFUSING"].into_iter().enumerate() {
        let file = Object::ct(number * 10).write(&at("files"));
        storescu(called, node.port(), &[], &[file]).success();
    }
    // What is refused for good is set aside at once, the others wait.
    node.wait_standing("one refused, the others tried", |standing| {
        (standing.quarantine, standing.received) == (1, 0)
    });
    let item = node.quarantined().remove(0);
    assert_eq!(
        (&item["reason"], &item["project"]),
        (&"refused-by-destination".into(), &"refusing".into())
    );
    assert!(item["detail"].as_str().unwrap().contains("C000"), "{item}");
    node.command(&["quarantine", "release", item["id"].as_str().unwrap()]).success();
    let down = StoreScp::start_at(&at("down"), "DOWN", down_port);
    wait_for("all deliveries", RETRY_WAIT_MAX, || (node.standing().outbox == 0).then_some(()));
    assert_eq!(node.settle().quarantine, 0, "{:?}", node.quarantined());

    assert_eq!(down.files().len(), 1, "{}", down.log());
    for (scp, expected) in [
        (&full, vec!["A700", "0000"]),
        (&busy, vec!["0110", "0000"]),
        (&rude, vec!["0000"]),
        (&refusing, vec!["C000", "0000"]),
    ] {
        assert_eq!(answers(scp, &instance_at(scp)), expected, "{:?}", scp.answers());
    }
    assert_eq!(node.receipts("delivered").len(), 5);
}

#[test]
fn an_unknown_transfer_syntax_in_a_folder_is_set_aside_by_name() {
    let home = tempfile::tempdir().unwrap();
    let input = home.path().join("in");
    write(&input, "unknown", &Object::ct(1).syntax("1.2.840.113619.5.2").file());
    Object::ct(2).write(&input);
    let node = Node::prepare(CONFIGURATION);
    let (out, report) = (home.path().join("out"), home.path().join("report.json"));
    let run = node.command::<&Path>(&[
        "deid".as_ref(),
        &input,
        &out,
        "--report".as_ref(),
        &report,
        "--config".as_ref(),
        &node.configuration(),
    ]);
    assert_eq!(run.code(), 2, "{run:?}");
    assert!(run.stdout.contains("1 cleaned, 1 quarantined, of 2 files"), "{run:?}");
    let report: serde_json::Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    let reasons: Vec<_> =
        report["instances"].as_array().unwrap().iter().map(|one| &one["reason"]).collect();
    assert!(reasons.contains(&&"unknown-transfer-syntax".into()), "{reasons:?}");
}

#[test]
fn what_a_fault_of_the_node_puts_off_is_told_with_its_cause_and_goes_on_when_that_is_mended() {
    let home = tempfile::tempdir().unwrap();
    let (models, detector) = (home.path().join("models"), Path::new("ocr/det.onnx"));
    for file in files_below(&in_repository("models")) {
        let copy = models.join(file.strip_prefix(in_repository("models")).unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(file, copy).unwrap();
    }
    let node = Node::start(&format!("[models]\ndir = '{}'\n", models.display()));
    // A worker loads it when its first picture comes.
    fs::remove_file(models.join(detector)).unwrap();
    fs::write(models.join(detector), b"another program's file").unwrap();
    sent(&node, "one", &Object::ct(1).file()).success();
    let told = || node.queue()["put_off"].as_array().map(|all| all[0].clone());
    let put_off = wait_for("what was put off", SHORT_WAIT_MAX, told);
    assert_eq!((&put_off["step"], &put_off["instances"]), (&"cleaning".into(), &1.into()));
    assert!(put_off["what"].as_str().unwrap().contains("det.onnx"), "{put_off}");
    let said = node.command(&["queue"]).success();
    assert!(said.contains("PUT OFF: cleaning (1 instance)"), "{said}");

    fs::remove_file(models.join(detector)).unwrap();
    std::os::unix::fs::symlink(in_repository("models").join(detector), models.join(detector))
        .unwrap();
    assert_eq!(node.settle().quarantine, 0, "{:?}", node.quarantined());
    assert_eq!(node.delivered().len(), 1);
    assert!(node.queue()["put_off"].is_null());
}

#[test]
fn an_instance_whose_files_are_gone_is_told_as_put_off_and_a_start_sets_it_aside() {
    let port = free_port();
    let away = format!(
        "destinations = ['away']\n\
         [destination.away]\nae_title = 'AWAY'\nhost = '127.0.0.1'\nport = {port}\n"
    );
    let mut node = Node::start(&format!("{CONFIGURATION}{away}"));
    sent(&node, "one", &Object::ct(1).file()).success();
    node.wait_standing("it waits", |standing| standing.held == 1 && standing.received == 0);
    for state in ["held", "cleaned"] {
        files_below(&node.spool(state)).iter().for_each(|file| fs::remove_file(file).unwrap());
    }
    let sink = StoreScp::start_at(&node.home().join("sink"), "AWAY", port);
    let told = || node.queue()["put_off"].as_array().map(|all| all[0].clone());
    let put_off = wait_for("what was put off", RETRY_WAIT_MAX, told);
    assert_eq!((&put_off["step"], &put_off["instances"]), (&"sending to away".into(), &1.into()));
    assert!(node.stop().success());

    // A command that opens the spool mends it, and the node tells all the same.
    node.command(&["quarantine", "list"]).success();
    node.start_again();
    node.wait_standing("it is set aside", |standing| standing.quarantine == 1);
    assert_eq!(node.quarantined()[0]["reason"], "damaged-spool");
    let queue = node.queue();
    assert!(queue["put_off"].is_null() && sink.files().is_empty(), "{queue}");
    let found = queue["found"].as_array().unwrap();
    assert!(found.len() == 1 && found[0].as_str().unwrap().contains("1 originals were gone"));
}
