//! An acknowledged instance outlives SIGKILL at every named point, and comes
//! out with the bytes of a run that nobody interrupted.
//!
//! Method: a reference node gives the digests and the key. For each point a
//! node with the same key is armed, gets instances, dies there, and is started
//! again without sending anything anew. Every name of `kill_point::NAMES`
//! belongs to a way below: a new one fails here until it has one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use airlock::kill_point::NAMES;
use tempfile::TempDir;

use crate::support::dcmtk::{StoreScp, coded, dcmdump, dcmsend, storescu};
use crate::support::files::sample;
use crate::support::node::Node;
use crate::support::object::{CT, Object, PATIENT_ID, ct_files};
use crate::support::process::{Run, free_port, wait_for};
use crate::support::python::{Archive, python};
use crate::support::standing::Standing;

/// Passed by each instance from the first byte to the last name.
const DELIVERED: &[&str] = &[
    "spool.commit.object-synced",
    "spool.commit.record-synced",
    "spool.commit.named",
    "spool.commit.durable",
    "spool.attempt.synced",
    "spool.clean.report-synced",
    "spool.clean.object-synced",
    "spool.clean.named",
    "spool.clean.linked",
    "spool.clean.links-durable",
    "spool.clean.held",
    "spool.move.linked",
    "spool.move.durable",
    "spool.delivered.record-synced",
    "spool.delivered.unlinked",
    "spool.delivered.durable",
    "spool.forget.removed",
    "spool.forget.durable",
    "spool.forget.done",
];
/// Passed once for each new patient and study, of whom there are two.
const NAMED: &[&str] =
    &["pseudonym.journal.synced", "pseudonym.index.written", "corrections.study.synced"];
/// Passed once for a rejection note.
const RECALLED: &[&str] = &["corrections.recall.synced"];
/// Passed once for a batch of receipts.
const RECEIPTS: &[&str] = &["receipt.lines.synced", "receipt.anchor.synced"];
/// Passed on the way into quarantine.
const QUARANTINED: &[&str] =
    &["spool.quarantine.record-synced", "spool.quarantine.moved", "spool.quarantine.dropped"];
/// Passed on the two ways out.
const RELEASED: &[&str] = &["spool.release.record-synced", "spool.release.durable"];
/// Passed when a repeat sends a kept instance out again.
const REPEATED: &[&str] =
    &["spool.again.linked", "spool.again.links-durable", "spool.again.record-synced"];
/// Passed when a destination takes it uncompressed alone.
const RECODED: &[&str] = &["spool.recode.record-synced", "spool.recode.received"];
/// Passed while a destination is asked whether it keeps what it took.
const COMMITTED: &[&str] =
    &["spool.transaction.synced", "spool.commitment.record-synced", "spool.transaction.removed"];
const DISCARDED: &[&str] = &["spool.discard.record-synced", "spool.discard.durable"];

/// Passed once by a change of the key.
const REKEYED: &[&str] = &["keys.retired.linked", "keys.master.replaced"];

/// Good instances of each run.
const INSTANCES: usize = 12;
/// The point kills when it is passed for this time: some instances are
/// through by then, some have not begun.
const NTH: usize = 4;
/// Longest wait for the node to come to its point.
const DEATH_WAIT_MAX: Duration = Duration::from_secs(60);

/// What a run that nobody interrupted gives.
struct Reference {
    home: TempDir,
    /// Digests of what it delivered, by path.
    delivered: BTreeMap<PathBuf, String>,
    /// Those paths by instance number.
    paths: BTreeMap<usize, PathBuf>,
}

static REFERENCE: LazyLock<Reference> = LazyLock::new(|| {
    let home = tempfile::tempdir().unwrap();
    let files = ct_files(&home.path().join("good"), 0..INSTANCES);
    let nobody = Object::ct(900).text(PATIENT_ID, "LO", "").write(&home.path().join("bad"));
    let node = Node::start(&project_configuration());
    storescu("AIRLOCK", node.port(), &[], &files).success();
    storescu("AIRLOCK", node.port(), &[], &[nobody]).success();
    assert_eq!(node.settle().quarantine, 1, "{:?}", node.quarantined());
    fs::copy(node.data().join("keys/master"), home.path().join("master")).unwrap();
    let delivered = node.delivered();
    assert_eq!(delivered.len(), INSTANCES);
    let folder = node.data().join("delivered");
    let paths =
        delivered.keys().map(|path| (number_of(&folder.join(path)), path.clone())).collect();
    Reference { home, delivered, paths }
});

impl Reference {
    /// A node that is not started, with the reference's key.
    fn node(&self) -> Node {
        self.node_with("")
    }

    fn node_with(&self, configuration: &str) -> Node {
        let key = self.home.path().join("master");
        let keys = format!("[keys]\nmaster_file = '{}'\n", key.display());
        Node::prepare(&(project_configuration() + &keys + configuration))
    }

    fn good(&self) -> PathBuf {
        self.home.path().join("good")
    }

    fn bad(&self) -> PathBuf {
        self.home.path().join("bad")
    }
}

/// CT is not searched for text: these tests are about states, not pictures.
fn project_configuration() -> String {
    format!("[project.default]\nheader_only = ['{CT}']\n")
}

/// Instance Number (0020,0013) of a clean file: no profile takes it away.
fn number_of(file: &Path) -> usize {
    let bytes = fs::read(file).unwrap();
    let head = b"\x20\x00\x13\x00IS";
    let at = bytes.windows(head.len()).position(|window| window == head).unwrap() + head.len();
    let length = usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    std::str::from_utf8(&bytes[at + 2..at + 2 + length]).unwrap().trim().parse().unwrap()
}

/// Instance numbers of the files that a `storescu --verbose` says were taken.
fn taken(run: &Run) -> BTreeSet<usize> {
    let (mut taken, mut file) = (BTreeSet::new(), None);
    for line in run.stdout.lines().chain(run.stderr.lines()) {
        if let Some(path) = line.strip_prefix("I: Sending file: ") {
            file = Path::new(path).file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        } else if line.starts_with("I: Received Store Response (Success)") {
            taken.insert(file.unwrap());
        }
    }
    taken
}

fn arm(node: &mut Node, point: &str, nth: usize) {
    node.set("AIRLOCK_KILL_POINT", &format!("{point}:{nth}"));
    node.start_again();
}

fn die_and_start_again(node: &mut Node, point: &str) {
    let status = node.wait(DEATH_WAIT_MAX);
    assert_eq!(status.signal(), Some(9), "{point}: {status}\n{}", node.log_tail());
    node.unset("AIRLOCK_KILL_POINT");
    node.start_again();
    // Nothing of ours is told as if somebody else had done it.
    assert!(node.queue()["found"].is_null(), "{point}: {}", node.queue());
}

/// What stands at the destination is of the reference, byte for byte, and all
/// that was acknowledged is there.
fn all_delivered(node: &Node, taken: &BTreeSet<usize>, point: &str) {
    let delivered = node.delivered();
    for (path, digest) in &delivered {
        assert_eq!(REFERENCE.delivered.get(path), Some(digest), "{point}: {}", path.display());
    }
    for number in taken {
        assert!(delivered.contains_key(&REFERENCE.paths[number]), "{point}: {number} is lost");
    }
    let receipts = node.receipts("delivered");
    let with_receipt: BTreeSet<_> = receipts.iter().map(|one| one["instance"].as_str()).collect();
    assert_eq!(with_receipt.len(), delivered.len(), "{point}: receipts");
    node.command(&["receipts", "verify"]).success();
}

fn dies_on_the_way_of_a_delivered_instance(point: &str, nth: usize) {
    dies_on_the_way(REFERENCE.node(), point, nth);
}

/// The same with this configuration beside it.
pub(crate) fn dies_configured(configuration: &str, point: &str) {
    dies_on_the_way(REFERENCE.node_with(configuration), point, NTH);
}

fn dies_on_the_way(mut node: Node, point: &str, nth: usize) {
    arm(&mut node, point, nth);
    let sent = storescu("AIRLOCK", node.port(), &["--verbose"], &[REFERENCE.good()]);
    let taken = taken(&sent);
    assert!(taken.len() >= nth - 1, "{point}: {taken:?}");
    die_and_start_again(&mut node, point);
    assert_eq!(node.settle().quarantine, 0, "{point}: {:?}", node.quarantined());
    all_delivered(&node, &taken, point);
}

fn dies_on_the_way_into_quarantine(point: &str) {
    let mut node = REFERENCE.node();
    arm(&mut node, point, 1);
    let sent =
        storescu("AIRLOCK", node.port(), &["--verbose"], &[REFERENCE.good(), REFERENCE.bad()]);
    let mut taken = taken(&sent);
    die_and_start_again(&mut node, point);
    // It may die with the instance set aside and not yet answered: nobody was told.
    let quarantine = node.settle().quarantine;
    assert!((usize::from(taken.remove(&900))..=1).contains(&quarantine), "{point}");
    all_delivered(&node, &taken, point);
    for item in node.quarantined() {
        assert_eq!(item["reason"], "no-patient-id", "{point}: {item}");
        let receipts = node.receipts("quarantined");
        assert!(receipts.iter().any(|one| one["id"] == item["id"]), "{point}: no receipt");
    }
}

/// An instance whose name is taken at the destination, so that it is set aside
/// until somebody makes room there.
fn set_aside(node: &Node) -> String {
    let path = node.data().join("delivered").join(&REFERENCE.paths[&3]);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "another file").unwrap();
    storescu("AIRLOCK", node.port(), &[], &[REFERENCE.good().join("3.dcm")]).success();
    assert_eq!(node.settle().quarantine, 1);
    let item = node.quarantined().remove(0);
    assert_eq!(item["reason"], "conflict", "{item}");
    fs::remove_file(path).unwrap();
    item["id"].as_str().unwrap().to_owned()
}

fn dies_on_the_way_out_of_quarantine(point: &str) {
    let mut node = REFERENCE.node();
    arm(&mut node, point, 1);
    let id = set_aside(&node);
    node.command(&["quarantine", "release", &id]);
    die_and_start_again(&mut node, point);
    if node.settle().quarantine == 1 {
        node.command(&["quarantine", "release", &id]).success();
        assert_eq!(node.settle().quarantine, 0, "{point}");
    }
    all_delivered(&node, &BTreeSet::from([3]), point);
    assert!(node.receipts("released").iter().any(|one| one["id"] == id.as_str()), "{point}");
}

fn dies_while_it_throws_away(point: &str) {
    let mut node = REFERENCE.node();
    arm(&mut node, point, 1);
    let id = set_aside(&node);
    let discard = ["quarantine", "discard", &id, "--actor", "tester", "--reason", "sent twice"];
    node.command(&discard);
    die_and_start_again(&mut node, point);
    if node.settle().quarantine == 1 {
        node.command(&discard).success();
    }
    assert_eq!(node.settle().quarantine, 0, "{point}");
    assert!(node.delivered().is_empty(), "{point}");
    let [receipt, ..] = &node.receipts("discarded")[..] else { panic!("{point}: no receipt") };
    assert_eq!((&receipt["id"], &receipt["actor"]), (&id.into(), &"tester".into()), "{point}");
}

/// A compressed slice for a destination that takes none: whenever it dies, the slice
/// arrives uncompressed, and once.
fn dies_while_it_goes_back_to_be_recoded(point: &str) {
    let mut node = Node::prepare("");
    let pacs = node.home().join("pacs");
    let scp = StoreScp::start_with(&pacs, "PACS", free_port(), &["+xe"]);
    node.configure(&format!(
        "[project.default]\nheader_only = ['{CT}']\n\
         [destination.pacs]\nae_title = 'PACS'\nhost = '127.0.0.1'\nport = {}\n",
        scp.port
    ));
    arm(&mut node, point, 1);
    let file = coded("dcmcrle", &Object::ct(0).write(&node.home().join("in")));
    // The node may die before the association is released: what came of it is asked below.
    let _code = dcmsend("AIRLOCK", node.port(), &[file]).code();
    die_and_start_again(&mut node, point);
    assert_eq!(node.settle().quarantine, 0, "{point}: {:?}", node.quarantined());
    wait_for("its delivery", DEATH_WAIT_MAX, || {
        (node.receipts("delivered").len() == 1).then_some(())
    });
    let files = scp.files();
    let [file] = &files[..] else { panic!("{point}: {files:?}") };
    assert!(dcmdump(file).contains("LittleEndianExplicit"), "{point}");
}

#[test]
fn recoded_instances_survive() {
    RECODED.iter().for_each(|point| dies_while_it_goes_back_to_be_recoded(point));
}

/// A rejection note of two instances that are through: what it withdraws is
/// known after the death, and the note comes out once.
fn dies_while_it_recalls(point: &str) {
    let mut node = REFERENCE.node();
    arm(&mut node, point, 1);
    let files: Vec<_> =
        (0..2).map(|number| REFERENCE.good().join(format!("{number}.dcm"))).collect();
    storescu("AIRLOCK", node.port(), &[], &files).success();
    node.settle();
    let note = node.home().join("note.dcm");
    let references = "REFERENCES=2.25.20260101.1.0,2.25.20260101.1.1";
    python("objects.py", &["key-object", note.to_str().unwrap(), references]);
    // The node may die before the association is released: what came of the note is asked below.
    let _code = storescu("AIRLOCK", node.port(), &[], &[note]).code();
    die_and_start_again(&mut node, point);
    assert_eq!(node.settle().quarantine, 0, "{point}: {:?}", node.quarantined());
    assert_eq!(node.delivered().len(), 3, "{point}");
    let recalls = node.records(&["recall"]);
    let [recall] = &recalls[..] else { panic!("{point}: {recalls:?}") };
    let sent = recall["instances"].as_array().unwrap().iter();
    assert_eq!(sent.filter(|one| one["sent"]["delivered"].is_string()).count(), 2, "{recall}");
    assert_eq!(node.receipts("recall").len(), 1, "{point}");
    node.command(&["receipts", "verify"]).success();
}

#[test]
fn every_point_is_on_a_way_that_is_tested() {
    let tested = [
        DELIVERED,
        NAMED,
        RECALLED,
        RECEIPTS,
        QUARANTINED,
        RELEASED,
        DISCARDED,
        REPEATED,
        RECODED,
        COMMITTED,
        REKEYED,
    ]
    .concat();
    assert_eq!(BTreeSet::from_iter(&tested), BTreeSet::from_iter(NAMES));
}

#[test]
fn delivered_instances_survive_while_they_are_received() {
    for point in &DELIVERED[..10] {
        dies_on_the_way_of_a_delivered_instance(point, NTH);
    }
}

#[test]
fn delivered_instances_survive_while_they_are_handed_on() {
    for point in &DELIVERED[10..] {
        // What is delivered together is forgotten together, in one step.
        let nth = if point.starts_with("spool.forget.") { 1 } else { NTH };
        dies_on_the_way_of_a_delivered_instance(point, nth);
    }
}

#[test]
fn delivered_instances_survive_while_pseudonyms_and_receipts_are_written() {
    for point in NAMED {
        dies_on_the_way_of_a_delivered_instance(point, 2);
    }
    for point in RECEIPTS {
        dies_on_the_way_of_a_delivered_instance(point, 1);
    }
}

#[test]
fn quarantined_instances_survive() {
    QUARANTINED.iter().for_each(|point| dies_on_the_way_into_quarantine(point));
}

#[test]
fn released_and_discarded_instances_survive_or_are_gone_as_told() {
    RELEASED.iter().for_each(|point| dies_on_the_way_out_of_quarantine(point));
    DISCARDED.iter().for_each(|point| dies_while_it_throws_away(point));
}

/// A kept instance that its sender repeats: whether the repeat was answered or
/// not, it stands as before, and no link to anything else is left.
#[test]
fn kept_instances_survive_while_they_go_out_again() {
    for point in REPEATED {
        let mut node = REFERENCE.node();
        let configuration = fs::read_to_string(node.configuration()).unwrap();
        node.configure(&("[data]\nkeep = '1 day'\n".to_owned() + &configuration));
        arm(&mut node, point, 1);
        let file = REFERENCE.good().join("3.dcm");
        storescu("AIRLOCK", node.port(), &[], &[&file]).success();
        let kept = |standing: &Standing| *standing == Standing { held: 1, ..Standing::default() };
        node.wait_standing("it is kept", kept);
        // The name in the outbox goes before the node knows it as kept.
        wait_for("that it counts as kept", DEATH_WAIT_MAX, || {
            node.log().contains("delivered spool_id=").then_some(())
        });
        assert_ne!(storescu("AIRLOCK", node.port(), &[], &[&file]).code(), 0, "{point}");
        die_and_start_again(&mut node, point);
        node.wait_standing("it is kept still", kept);
        wait_for("repeats are known again", DEATH_WAIT_MAX, || {
            (node.log().matches("repeats are known").count() == 2).then_some(())
        });
        storescu("AIRLOCK", node.port(), &[], &[&file]).success();
        node.wait_standing("it is kept once", kept);
        all_delivered(&node, &BTreeSet::from([3]), point);
    }
}

/// Instances whose originals wait for the archive's word: killed before it is
/// asked, when it has taken the request, when its report is noted, and while the
/// report is acted on. All of them are committed in the end, and only then gone.
#[test]
fn instances_survive_while_their_archive_is_asked_to_keep_them() {
    let points = COMMITTED.iter().map(|point| (*point, 1));
    for (point, nth) in points.chain([(COMMITTED[0], 2), (COMMITTED[0], 3)]) {
        let port = free_port();
        let mut node = REFERENCE.node();
        node.set("AIRLOCK__DICOM__PORT", &port.to_string());
        let to = format!("127.0.0.1:{port}");
        let archive = Archive::start(&node.home().join("pacs"), &["--report", "new", "--to", &to]);
        let configuration = fs::read_to_string(node.configuration()).unwrap();
        let pacs = format!(
            "[destination.pacs]\nae_title = 'PACS'\nhost = '127.0.0.1'\nport = {}\n\
             commitment = true\ncommitment_wait = '8s'\n",
            archive.port
        );
        node.configure(&(configuration + &pacs));
        arm(&mut node, point, nth);
        let files: Vec<_> =
            (0..3).map(|number| REFERENCE.good().join(format!("{number}.dcm"))).collect();
        storescu("AIRLOCK", node.port(), &[], &files).success();
        die_and_start_again(&mut node, point);
        assert_eq!(node.settle(), Standing::default(), "{point}:{nth} {}", archive.log());
        let committed = node.receipts("committed");
        let ids: BTreeSet<_> = committed.iter().map(|one| one["id"].as_str()).collect();
        assert_eq!((committed.len(), ids.len()), (3, 3), "{point}:{nth}");
        let stored: BTreeSet<_> = archive.lines("stored").into_iter().collect();
        assert_eq!(stored.len(), 3, "{point}:{nth}");
        let left = fs::read_dir(node.spool("transactions")).unwrap().count();
        assert_eq!(left, 0, "{point}:{nth}: requests are left over");
        node.command(&["receipts", "verify"]).success();
    }
}

/// Known persons come out as before, whatever the key is now.
#[test]
fn a_change_of_the_key_splits_nobody_wherever_it_is_killed() {
    for point in REKEYED {
        let mut node = Node::prepare(&project_configuration());
        fs::create_dir_all(node.data().join("keys")).unwrap();
        fs::copy(REFERENCE.home.path().join("master"), node.data().join("keys/master")).unwrap();
        node.start_again();
        storescu("AIRLOCK", node.port(), &[], &[REFERENCE.good().join("3.dcm")]).success();
        node.settle();
        node.stop();
        node.set("AIRLOCK_KILL_POINT", point);
        let rekey = ["pseudonym", "rekey", "--actor", "tester", "--reason", "once a year"];
        assert_eq!(node.command(&rekey).status.signal(), Some(9), "{point}");
        node.unset("AIRLOCK_KILL_POINT");
        node.command(&rekey).success();
        node.start_again();
        storescu("AIRLOCK", node.port(), &[], &[REFERENCE.good().join("4.dcm")]).success();
        assert_eq!(node.settle().quarantine, 0, "{point}: {:?}", node.quarantined());
        all_delivered(&node, &BTreeSet::from([3, 4]), point);
        node.command(&["pseudonym", "verify"]).success();
        assert_eq!(node.receipts("table-use").len(), 2, "{point}");
    }
}

#[test]
fn rejection_notes_survive() {
    RECALLED.iter().for_each(|point| dies_while_it_recalls(point));
}

#[test]
fn a_picture_with_text_comes_out_the_same_after_a_kill() {
    let deliver = |node: &Node| storescu("AIRLOCK", node.port(), &[], &[sample()]).success();
    let mut quiet = REFERENCE.node();
    quiet.start_again();
    deliver(&quiet);
    assert_eq!(quiet.settle().quarantine, 0, "{:?}", quiet.quarantined());
    let mut killed = REFERENCE.node();
    arm(&mut killed, "spool.clean.object-synced", 1);
    deliver(&killed);
    die_and_start_again(&mut killed, "spool.clean.object-synced");
    assert_eq!(killed.settle().quarantine, 0, "{:?}", killed.quarantined());
    assert_eq!(killed.delivered().len(), 1);
    assert_eq!(killed.delivered(), quiet.delivered());
}
