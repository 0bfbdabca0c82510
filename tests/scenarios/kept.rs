//! Delivered instances that are kept: how long, and what a repeat of one does.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::support::dcmtk::storescu;
use crate::support::node::Node;
use crate::support::object::{CT, Object};
use crate::support::process::wait_for;
use crate::support::python::python;
use crate::support::standing::Standing;

const WAIT_MAX: Duration = Duration::from_secs(60);

/// CT is not searched for text: these tests are about states, not pictures.
fn configuration(data: &str) -> String {
    format!("[data]\n{data}\n[project.default]\nheader_only = ['{CT}']\n")
}

fn files(node: &Node, count: usize) -> Vec<PathBuf> {
    (0..count).map(|number| Object::ct(number).write(&node.home().join("files"))).collect()
}

fn send(node: &Node, files: &[PathBuf]) {
    storescu("AIRLOCK", node.port(), &[], files).success();
}

/// Waits until all are delivered, and so many originals stand.
fn settled(node: &Node, held: usize) {
    let wanted = Standing { held, ..Standing::default() };
    node.wait_standing("all are delivered and kept", |standing| *standing == wanted);
    // The name in the outbox goes before the node knows the instance as kept.
    wait_for("that they count as kept", WAIT_MAX, || {
        let told = node.log().matches("delivered spool_id=").count();
        (told >= receipts(node)).then_some(())
    });
}

/// Takes away what the destination has, as a person would, and waits whether
/// it comes again.
fn comes_again(node: &Node, files: &[PathBuf], wait: Duration) -> bool {
    let folder = node.data().join("delivered");
    fs::remove_dir_all(&folder).unwrap();
    let receipts = receipts(node);
    send(node, files);
    let begun = std::time::Instant::now();
    while begun.elapsed() < wait {
        if receipts_after(node, receipts) == files.len() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(receipts_after(node, receipts), 0);
    false
}

/// Lines of the ledger that tell of a delivery, repeated ones too.
fn receipts(node: &Node) -> usize {
    let lines = fs::read_dir(node.data().join("receipts")).unwrap().flatten().map(|file| {
        let text = String::from_utf8_lossy(&fs::read(file.path()).unwrap()).into_owned();
        text.lines().filter(|line| line.contains(r#""outcome":"delivered""#)).count()
    });
    lines.sum()
}

fn receipts_after(node: &Node, before: usize) -> usize {
    receipts(node) - before
}

#[test]
fn delivered_instances_stay_for_their_time_and_a_restart_does_not_change_it() {
    let mut node = Node::start(&configuration("keep = '30s'"));
    let files = files(&node, 3);
    send(&node, &files);
    settled(&node, 3);
    assert_eq!(node.queue()["kept"], 3);
    for dir in ["cleaned", "report", "meta"] {
        assert_eq!(fs::read_dir(node.spool(dir)).unwrap().count(), 3, "{dir}");
    }
    node.kill();
    node.start_again();
    assert_eq!(node.queue()["kept"], 3, "{}", node.log_tail());
    assert_eq!(node.settle(), Standing::default());
    for dir in ["cleaned", "report", "meta"] {
        assert_eq!(fs::read_dir(node.spool(dir)).unwrap().count(), 0, "{dir}");
    }
    assert_eq!(node.queue()["kept"], 0);
    assert_eq!(node.receipts("delivered").len(), 3);
    // Gone is gone: the same bytes are new now.
    send(&node, &files);
    settled(&node, 3);
}

#[test]
fn kept_instances_go_early_when_the_disk_fills() {
    let mut node = Node::start(&configuration("keep = '30 days'"));
    send(&node, &files(&node, 2));
    settled(&node, 2);
    node.stop();
    let free_mib = node_free_mib(&node);
    node.configure(&configuration(&format!(
        "keep = '30 days'\nreserve_mib = {}",
        free_mib * 6 / 10
    )));
    node.start_again();
    assert_eq!(node.settle(), Standing::default());
}

fn node_free_mib(node: &Node) -> u64 {
    node.queue()["free_bytes"].as_u64().unwrap() >> 20
}

#[test]
fn a_repeat_sends_the_kept_copy_again_once_in_the_window() {
    let mut node = Node::start(&configuration("keep = '1 day'"));
    let files = files(&node, 3);
    send(&node, &files);
    settled(&node, 3);
    let before = node.delivered();
    assert!(comes_again(&node, &files, WAIT_MAX));
    settled(&node, 3);
    assert_eq!(node.delivered(), before, "the same stored bytes");
    assert!(!comes_again(&node, &files, Duration::from_secs(3)), "within an hour");
    settled(&node, 3);
    // The window outlives a restart, and so does what is known of repeats.
    node.kill();
    node.start_again();
    fs::create_dir_all(node.data().join("delivered")).unwrap();
    wait_for("repeats are known again", WAIT_MAX, || {
        (node.log().matches("repeats are known").count() == 2).then_some(())
    });
    assert!(!comes_again(&node, &files, Duration::from_secs(3)));
    settled(&node, 3);
    // Without a window each one goes out.
    node.stop();
    node.configure(&configuration("keep = '1 day'\nresend_window = '0s'"));
    node.start_again();
    fs::create_dir_all(node.data().join("delivered")).unwrap();
    wait_for("repeats are known again", WAIT_MAX, || {
        (node.log().matches("repeats are known").count() == 3).then_some(())
    });
    for _ in 0..2 {
        assert!(comes_again(&node, &files, WAIT_MAX));
        settled(&node, 3);
    }
    assert_eq!(node.delivered(), before);
}

#[test]
fn a_repeat_is_cleaned_anew_when_the_rules_changed_since() {
    let mut node = Node::start(&configuration("keep = '1 day'"));
    let files = files(&node, 2);
    send(&node, &files);
    settled(&node, 2);
    node.stop();
    node.configure(&(configuration("keep = '1 day'") + "text_policy = 'hide-all'\n"));
    node.start_again();
    wait_for("repeats are known again", WAIT_MAX, || {
        (node.log().matches("repeats are known").count() == 2).then_some(())
    });
    fs::remove_dir_all(node.data().join("delivered")).unwrap();
    send(&node, &files);
    settled(&node, 4);
    assert_eq!(node.delivered().len(), 2);
}

#[test]
fn what_was_sent_and_is_kept_is_not_held_by_a_rejection_note_and_not_sent_again() {
    let node = Node::start(&configuration("keep = '1 day'"));
    let files = files(&node, 2);
    send(&node, &files);
    settled(&node, 2);
    let note = node.home().join("note.dcm");
    let references = "REFERENCES=2.25.20260101.1.0";
    python("objects.py", &["key-object", note.to_str().unwrap(), references]);
    send(&node, &[note]);
    settled(&node, 3);
    let recalls = node.records(&["recall"]);
    assert!(recalls[0]["instances"][0]["sent"]["delivered"].is_string(), "{recalls:?}");
    send(&node, &files[..1]);
    node.wait_standing("the repeat is held", |standing| {
        *standing == Standing { held: 3, quarantine: 1, ..Standing::default() }
    });
    assert_eq!(node.reasons().keys().collect::<Vec<_>>(), ["recalled"]);
}

#[test]
fn a_repeat_of_what_stands_in_quarantine_is_cleaned_again_under_other_rules_alone() {
    let held = "faces = 'quarantine'\n";
    let mut node = Node::start(&(configuration("keep = '0s'") + held));
    let head = |number| Object::ct(number).text((0x0018, 0x0015), "CS", "HEAD");
    let files: Vec<_> = (0..2).map(|number| head(number).write(&node.home().join("in"))).collect();
    send(&node, &files);
    let aside = Standing { quarantine: 2, ..Standing::default() };
    assert_eq!(node.settle(), aside);
    let restart = |node: &mut Node, configuration: &str, starts: usize| {
        node.stop();
        node.configure(configuration);
        node.start_again();
        wait_for("repeats are known again", WAIT_MAX, || {
            (node.log().matches("repeats are known").count() == starts).then_some(())
        });
    };
    // What no rule changed stays, also over a restart.
    send(&node, &files);
    restart(&mut node, &(configuration("keep = '1s'") + held), 2);
    send(&node, &files);
    assert_eq!(node.settle(), aside);
    assert_eq!(node.receipts("released").len(), 0);

    restart(&mut node, &(configuration("keep = '0s'") + "text_policy = 'hide-all'\n" + held), 3);
    send(&node, &files[..1]);
    wait_for("it was cleaned again", WAIT_MAX, || {
        (node.receipts("quarantined").len() == 3).then_some(())
    });
    assert_eq!(node.settle(), aside, "{}", node.log_tail());
    send(&node, &files[..1]);
    restart(&mut node, &configuration("keep = '0s'"), 4);
    send(&node, &files);
    assert_eq!(node.settle(), Standing::default(), "{}", node.log_tail());
    assert_eq!((node.delivered().len(), node.receipts("quarantined").len()), (2, 3));
    let released = node.receipts("released");
    assert_eq!(released.len(), 3, "{released:?}");
    assert_eq!(released[0]["actor"], "airlock");
}

#[test]
fn what_was_damaged_here_is_taken_when_its_sender_sends_it_again() {
    let away = configuration("keep = '0s'")
        + "[destination.out]\nae_title = 'AWAY'\nhost = '127.0.0.1'\nport = 9\n";
    let mut node = Node::start(&away);
    let files = files(&node, 2);
    send(&node, &files);
    let waits = Standing { held: 2, outbox: 2, ..Standing::default() };
    node.wait_standing("both wait for the destination", |standing| *standing == waits);
    node.stop();
    for file in fs::read_dir(node.spool("cleaned")).unwrap().flatten() {
        let mut bytes = fs::read(file.path()).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(file.path(), bytes).unwrap();
    }
    let folder = node.data().join("delivered");
    let out = format!("[destination.out]\nfolder = '{}'\n", folder.display());
    node.configure(&(configuration("keep = '0s'") + &out));
    node.start_again();
    let aside = Standing { quarantine: 2, ..Standing::default() };
    assert_eq!(node.settle(), aside, "{}", node.log_tail());
    assert_eq!(node.reasons().keys().collect::<Vec<_>>(), ["damaged-spool"]);

    send(&node, &files[..1]);
    assert_eq!(node.settle(), aside);
    assert_eq!(node.delivered().len(), 1, "{}", node.log_tail());
    node.kill();
    node.start_again();
    wait_for("repeats are known again", WAIT_MAX, || {
        (node.log().matches("repeats are known").count() == 3).then_some(())
    });
    send(&node, &files[1..]);
    assert_eq!(node.settle(), aside);
    assert_eq!(node.delivered().len(), 2, "{}", node.log_tail());
}

#[test]
fn a_record_that_was_damaged_in_quarantine_is_listed_and_can_be_discarded() {
    let node = Node::start(&(configuration("keep = '0s'") + "faces = 'quarantine'\n"));
    let head = |number| Object::ct(number).text((0x0018, 0x0015), "CS", "HEAD");
    let files: Vec<_> = (0..2).map(|number| head(number).write(&node.home().join("in"))).collect();
    send(&node, &files);
    let aside = |quarantine| Standing { quarantine, ..Standing::default() };
    assert_eq!(node.settle(), aside(2));
    let id = node.quarantined()[0]["id"].as_str().unwrap().to_owned();
    let record = node.spool("meta").join(format!("{id}.meta"));
    let mut bytes = fs::read(&record).unwrap();
    bytes[20] ^= 1;
    fs::write(&record, bytes).unwrap();

    assert_eq!(node.reasons().len(), 2, "{:?}", node.reasons());
    let words = ["quarantine", "discard", &id, "--actor", "tester", "--reason", "damaged"];
    node.command(&words).success();
    assert_eq!(node.settle(), aside(1));
    assert_eq!(node.reasons().keys().collect::<Vec<_>>(), ["face"]);
    assert_eq!(node.receipts("discarded").len(), 1);
}
