//! Storage Commitment (PS3.4 Annex J) with foreign peers: towards an archive that
//! reports on the same association, on one of its own, late, wrong or never; and
//! towards a modality that asks what is held.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::support::dcmtk::storescu;
use crate::support::node::Node;
use crate::support::object::{CT, Object};
use crate::support::orthanc::Orthanc;
use crate::support::process::{free_port, wait_for};
use crate::support::python::{Archive, python};
use crate::support::standing::Standing;

const WAIT_MAX: Duration = Duration::from_secs(90);
/// Batches are gathered and associations stay open for a tenth of it.
const WAIT: &str = "40s";

/// CT is not searched for text: these tests are about states, not pictures.
fn configuration(archive: &Archive, wait: &str, rest: &str) -> String {
    format!(
        "{rest}\n[project.default]\nheader_only = ['{CT}']\n[destination.pacs]\nae_title = 'PACS'\n\
         host = '127.0.0.1'\nport = {}\ncommitment = true\ncommitment_wait = '{wait}'\n",
        archive.port
    )
}

/// A node whose port is known before it starts.
fn node_at(port: u16) -> Node {
    let mut node = Node::prepare("");
    node.set("AIRLOCK__DICOM__PORT", &port.to_string());
    node
}

fn files(node: &Node, count: usize) -> Vec<PathBuf> {
    (0..count).map(|number| Object::ct(number).write(&node.home().join("files"))).collect()
}

fn send(node: &Node, files: &[PathBuf]) {
    storescu("AIRLOCK", node.port(), &["-aet", "LAB"], files).success();
}

fn held(count: usize) -> impl Fn(&Standing) -> bool {
    move |standing| *standing == Standing { held: count, ..Standing::default() }
}

/// Sends some, and waits until the archive has committed to all and they are gone.
fn all_are_committed(options: &[&str]) {
    let port = free_port();
    let mut node = node_at(port);
    let to = format!("127.0.0.1:{port}");
    let archive = Archive::start(&node.home().join("pacs"), &[options, &["--to", &to]].concat());
    // The archive is no sender: it may come in to report all the same.
    node.configure(&configuration(&archive, WAIT, "[sender.lab]\nae_title = 'LAB'"));
    node.start_again();
    send(&node, &files(&node, 5));
    node.wait_standing("delivered, not committed", |standing| {
        held(5)(standing) || standing.held == 0
    });
    assert_eq!(node.settle(), Standing::default(), "{}", archive.log());
    assert_eq!(archive.lines("stored").len(), 5);
    assert_eq!(node.receipts("committed").len(), 5);
    let reported = archive.lines("reported");
    assert!(reported.iter().all(|line| line.ends_with(" 0000")), "{reported:?}");
    assert_eq!(archive.lines("asked").len(), 1, "one request for all");
    assert_eq!(node.queue()["commitments"]["pacs"], json!({"awaited": 0, "given_up": 0}));
}

#[test]
fn a_report_on_the_same_association_lets_originals_go() {
    all_are_committed(&["--report", "same"]);
}

#[test]
fn a_report_on_an_association_of_the_archives_own_lets_originals_go() {
    all_are_committed(&["--report", "new"]);
}

#[test]
fn an_archive_that_proposes_no_role_is_heard_too() {
    all_are_committed(&["--report", "new", "--no-role"]);
}

#[test]
fn what_the_archive_does_not_keep_is_sent_again_and_set_aside_in_the_end() {
    for (fail, stored, aside) in [("1", 3, 0), ("99", 5, 1)] {
        let node = Node::prepare("");
        let options = ["--report", "same", "--fail", fail];
        let archive = Archive::start(&node.home().join("pacs"), &options);
        node.configure(&configuration(&archive, WAIT, ""));
        let mut node = node;
        node.start_again();
        // The first of them fails, and again when it alone is asked about.
        send(&node, &files(&node, 2));
        let quarantine = node.settle().quarantine;
        assert_eq!((quarantine, archive.lines("stored").len()), (aside, stored), "{fail}");
        assert_eq!(node.receipts("committed").len(), 2 - aside, "{fail}");
        if aside > 0 {
            let item = &node.quarantined()[0];
            assert_eq!(item["reason"], "not-committed", "{item}");
            assert_eq!(item["detail"], "pacs, failure reason 0112", "{item}");
        }
    }
}

#[test]
fn an_archive_that_never_reports_is_asked_again_and_given_up_with_an_alarm() {
    let mut node = Node::prepare("");
    let archive = Archive::start(&node.home().join("pacs"), &["--report", "never"]);
    node.configure(&configuration(&archive, "4s", ""));
    node.start_again();
    send(&node, &files(&node, 1));
    // Killed before it is noted that the archive took it, it would be asked once more.
    let taken = || {
        let mut requests = std::fs::read_dir(node.spool("transactions")).unwrap().flatten();
        let text = requests.find_map(|file| std::fs::read_to_string(file.path()).ok())?;
        text.contains(r#""taken":true"#).then_some(())
    };
    wait_for("a first request", WAIT_MAX, taken);
    // The request survives: it is not asked anew at once.
    node.kill();
    node.start_again();
    let given_up = || (node.queue()["commitments"]["pacs"]["given_up"] == 1).then_some(());
    wait_for("the end of patience", WAIT_MAX, given_up);
    let asked = archive.lines("asked");
    assert_eq!(asked.len(), 3, "{asked:?}");
    let uids: std::collections::BTreeSet<_> =
        asked.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(uids.len(), 3, "each under a new Transaction UID");
    assert!(node.log().contains("NO REPORT ON STORAGE COMMITMENT"), "{}", node.log_tail());
    let config = node.configuration();
    let check = node.command(&["check", "--config", config.to_str().unwrap()]);
    assert!(check.stdout.contains("BAD   storage commitment of pacs"), "{}", check.stdout);
    // It stays for the grace time, also over a restart.
    node.stop();
    node.start_again();
    std::thread::sleep(Duration::from_secs(2));
    assert!(held(1)(&node.standing()));
    assert_eq!(node.queue()["commitments"]["pacs"], json!({"awaited": 0, "given_up": 1}));
}

#[test]
fn strangers_and_unknown_transactions_are_refused() {
    let port = free_port();
    let mut node = node_at(port);
    let to = format!("127.0.0.1:{port}");
    let options = ["--report", "wrong", "--to", &to];
    let archive = Archive::start(&node.home().join("pacs"), &options);
    node.configure(&configuration(&archive, "1 day", "[sender.lab]\nae_title = 'LAB'"));
    node.start_again();
    send(&node, &files(&node, 1));
    let report = |calling, called| python("commitment.py", &["report", &to, calling, called]);
    assert_eq!(report("OTHER", "AIRLOCK"), "rejected\n");
    assert_eq!(report("PACS", "ANOTHER"), "rejected\n");
    // Known as a sender, and no destination: its context is refused.
    assert_eq!(report("LAB", "AIRLOCK"), format!("accepted {CT}\nrefused\n"));
    // A destination may report and nothing else, and only on what it was asked.
    assert_eq!(report("PACS", "AIRLOCK"), "accepted 1.2.840.10008.1.20.1\nstatus 0115\n");
    wait_for("the wrong report", WAIT_MAX, || {
        archive.lines("reported").iter().any(|line| line.ends_with(" 0115")).then_some(())
    });
    assert!(held(1)(&node.standing()));
    assert_eq!(node.queue()["commitments"]["pacs"], json!({"awaited": 1, "given_up": 0}));
}

#[test]
fn orthanc_commits_to_what_it_stores() {
    let port = free_port();
    let mut node = node_at(port);
    let modality = json!({"AET": "AIRLOCK", "Host": "127.0.0.1", "Port": port});
    let folder = node.home().join("orthanc");
    let orthanc = Orthanc::start_knowing(&folder, "ORTHANC", &json!({"airlock": modality}));
    node.configure(&format!(
        "[project.default]\nheader_only = ['{CT}']\n[sender.lab]\nae_title = 'LAB'\n\
         [destination.pacs]\nae_title = 'ORTHANC'\nhost = '127.0.0.1'\nport = {}\n\
         commitment = true\ncommitment_wait = '{WAIT}'\n",
        orthanc.dicom_port
    ));
    node.start_again();
    send(&node, &files(&node, 4));
    assert_eq!(node.settle(), Standing::default());
    assert_eq!(orthanc.instances().len(), 4);
    assert_eq!(node.receipts("committed").len(), 4);
}

/// A node whose destination is away, so that all that it takes stays.
fn asked_node(sender: &str) -> Node {
    let node = Node::start(&format!(
        "[project.default]\nheader_only = ['{CT}']\n[sender.lab]\nae_title = 'LAB'\n{sender}\n\
         [destination.pacs]\nae_title = 'PACS'\nhost = '127.0.0.1'\nport = {}\n",
        free_port()
    ));
    send(&node, &files(&node, 2));
    node.wait_standing("both wait", |standing| standing.outbox == 2);
    node
}

fn ask(node: &Node, listen: Option<u16>) -> Vec<String> {
    let to = format!("127.0.0.1:{}", node.port());
    let listen = listen.map(|port| format!("--listen={port}"));
    let mut arguments = vec!["ask".to_owned()];
    arguments.extend(listen);
    arguments.extend([to, "LAB".into(), "AIRLOCK".into()]);
    arguments.push(format!("{CT}=2.25.20260101.1.0"));
    arguments.push("1.2.840.10008.5.1.4.1.1.4=2.25.20260101.1.1".to_owned());
    arguments.push(format!("{CT}=2.25.20260101.1.7"));
    let mut lines: Vec<_> =
        python("commitment.py", &arguments).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn a_modality_is_told_what_is_held_only_where_the_site_says_so() {
    let refused = asked_node("");
    assert_eq!(ask(&refused, None), ["refused"]);
    let told = [
        "answer 0000",
        "event 2",
        "failed 2.25.20260101.1.1 0119",
        "failed 2.25.20260101.1.7 0112",
        "kept 2.25.20260101.1.0",
    ];
    let port = free_port();
    let place =
        format!("commitment = true\ncommitment_host = '127.0.0.1'\ncommitment_port = {port}");
    let mut node = asked_node(&place);
    assert_eq!(ask(&node, None), told);
    assert_eq!(ask(&node, Some(port)), told, "on an association of ours");
    // What came before a restart is known after it.
    node.kill();
    node.start_again();
    assert_eq!(ask(&node, None), told);
    let config = node.configuration();
    let check = node.command(&["check", "--config", config.to_str().unwrap()]);
    assert!(check.stdout.contains("AIRLOCK IS NO ARCHIVE: to lab"), "{}", check.stdout);
}
