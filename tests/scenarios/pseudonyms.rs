//! The table of pseudonyms through the program itself: a trial's list in, who
//! is who out, two IDs of one person, studies of nobody, baseline dates; and
//! no Patient ID anywhere but in the answers.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::dcmtk::dcmdump;
use crate::support::files::{files_below, holds};
use crate::support::node::Node;
use crate::support::object::{CT, Object, PATIENT_ID, STUDY, ct_files};
use crate::support::process::Run;

const BY: [&str; 4] = ["--actor", "a.tester", "--reason", "question of the sponsor"];
/// Begins every Patient ID here.
const CANARY: &str = "PID-00";

/// CT is not searched for text: these tests are about persons, not pictures.
fn configuration(project: &str) -> String {
    format!("[log]\nfilter = 'debug'\n[project.default]\nheader_only = ['{CT}']\n{project}\n")
}

fn pseudonym(node: &Node, arguments: &[&str]) -> Run {
    let configuration = node.configuration();
    let with = ["--config", configuration.to_str().unwrap(), "pseudonym"];
    node.command(&[&with[..], arguments].concat())
}

fn asked(node: &Node, arguments: &[&str]) -> Value {
    let run = pseudonym(node, &[arguments, &BY, &["--json"]].concat());
    serde_json::from_str(&run.success()).unwrap()
}

fn deid(node: &Node, input: &Path, name: &str, more: &[&str]) -> (Run, PathBuf) {
    let (configuration, out) = (node.configuration(), node.home().join(name));
    let mut arguments =
        vec!["--config", configuration.to_str().unwrap(), "deid", input.to_str().unwrap()];
    arguments.push(out.to_str().unwrap());
    arguments.extend(more);
    (node.command(&arguments), out)
}

fn directories(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeSet::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// No Patient ID in what airlock wrote or said, but where it was asked for one.
fn nothing_shown(node: &Node, said: &[&Run]) {
    let originals = node.spool("quarantine");
    for file in files_below(&node.data()) {
        if file.is_file() && !file.starts_with(&originals) {
            assert!(!holds(&fs::read(&file).unwrap(), CANARY), "{}", file.display());
        }
    }
    assert!(!holds(node.log().as_bytes(), CANARY), "the log");
    for run in said {
        assert!(!run.stdout.contains(CANARY) && !run.stderr.contains(CANARY), "{run:?}");
    }
    let receipts = node.command(&["receipts", "--json"]).success();
    assert!(!receipts.contains(CANARY) && receipts.contains("table-use"));
    node.command(&["receipts", "verify"]).success();
}

#[test]
fn a_trials_list_names_its_patients_and_quarantines_the_others() {
    let node = Node::prepare(&configuration("pseudonym_mode = 'imported'"));
    let input = node.home().join("in");
    for number in [0, 1, 10] {
        Object::ct(number).write(&input);
    }
    let list = node.home().join("list.csv");
    let list_path = list.to_str().unwrap();
    let import = [&["import", list_path][..], &BY].concat();
    fs::write(&list, "patient_id,code\nPID-000000,SUBJ-001\nPID-000007,SUBJ-001\nPID-000008,a^b\n")
        .unwrap();
    let refused = pseudonym(&node, &import);
    assert_eq!(refused.code(), 64, "{refused:?}");
    assert!(refused.stderr.contains("line 3") && refused.stderr.contains("line 4"), "{refused:?}");
    fs::write(&list, "issuer,patient_id,code\n,PID-000000,SUBJ-001\n,PID-000007,SUBJ-002\n")
        .unwrap();
    let dry = pseudonym(&node, &[&import[..], &["--dry-run"]].concat());
    let imported = pseudonym(&node, &import);
    assert!(imported.stdout.contains("2 persons imported"), "{imported:?}");

    let (run, out) = deid(&node, &input, "out", &[]);
    assert_eq!(run.code(), 2, "{run:?}");
    assert!(run.stderr.contains("not-in-list"), "{run:?}");
    assert_eq!(directories(&out), BTreeSet::from(["SUBJ-001".to_owned()]));
    assert_eq!(files_below(&out).len(), 2);

    let by_code = asked(&node, &["lookup", "--code", "SUBJ-001"]);
    assert_eq!(by_code["person"]["patient_id"], "PID-000000");
    let by_id = asked(&node, &["lookup", "--id", "PID-000007"]);
    assert_eq!(by_id["person"]["code"], "SUBJ-002");
    // A Patient ID that somebody takes for a pseudonym is not written down.
    assert_eq!(asked(&node, &["lookup", "--code", "PID-000000"])["found"], false);
    let telling = ["lookup", "--id", "PID-000000", "--actor", "me", "--reason", "pid-000000 asks"];
    let told = pseudonym(&node, &telling);
    assert_eq!(told.code(), 64, "{told:?}");

    let export = node.home().join("export.csv");
    let exporting = [&["export", export.to_str().unwrap()][..], &BY].concat();
    let exported = pseudonym(&node, &exporting);
    assert!(exported.stdout.starts_with("2 persons"), "{exported:?}");
    assert_eq!(fs::metadata(&export).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&export).unwrap();
    assert!(text.contains("\nSUBJ-001,,PID-000000,-"), "{text}");
    assert_eq!(pseudonym(&node, &exporting).code(), 64, "never over a file");
    let verified = pseudonym(&node, &["verify"]);
    assert!(verified.stdout.contains("2 persons"), "{verified:?}");

    let uses: Vec<_> = node.receipts("table-use");
    let words = |key: &str| -> Vec<_> {
        uses.iter().map(|one| one[key].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(words("action"), ["import", "lookup", "lookup", "lookup", "export"]);
    assert_eq!(words("code"), ["", "SUBJ-001", "SUBJ-002", "", ""]);
    assert!(words("actor").iter().all(|actor| actor == "a.tester"));
    nothing_shown(&node, &[&refused, &dry, &imported, &run, &told, &exported, &verified]);
}

#[test]
fn a_running_node_is_asked_filled_and_linked_over_its_socket() {
    let mut node = Node::start(&configuration("pseudonym_mode = 'imported'"));
    let objects = node.home().join("objects");
    let files: Vec<_> = [0, 10].map(|number| Object::ct(number).write(&objects)).to_vec();
    node.send("AIRLOCK", &files).success();
    assert_eq!(node.settle().quarantine, 2);
    assert_eq!(node.reasons()["not-in-list"], 2);
    let list = node.home().join("list.csv");
    fs::write(&list, "patient_id,code\nPID-000000,SUBJ-001\n").unwrap();
    assert_eq!(asked(&node, &["import", list.to_str().unwrap()])["new"], 1);
    // The second patient is the first one, under another ID.
    let link = ["link", "--id", "PID-000000", "--other-id", "PID-000001"];
    assert_eq!(asked(&node, &link)["code"], "SUBJ-001");
    for item in node.quarantined() {
        node.command(&["quarantine", "release", item["id"].as_str().unwrap()]).success();
    }
    assert_eq!(node.settle().quarantine, 0, "{:?}", node.quarantined());
    let folder = node.data().join("delivered");
    let one_person = |folder: &Path| directories(folder) == BTreeSet::from(["SUBJ-001".into()]);
    assert!(one_person(&folder));
    assert_eq!(directories(&folder.join("SUBJ-001")).len(), 2, "two studies");

    node.stop();
    node.start_again();
    node.send("AIRLOCK", &[Object::ct(11).write(&objects)]).success();
    assert_eq!(node.settle().quarantine, 0);
    assert!(one_person(&folder) && files_below(&folder).len() == 3);
    let found = asked(&node, &["lookup", "--id", "PID-000001"]);
    assert_eq!(
        (&found["person"]["code"], &found["person"]["linked"]),
        (&"SUBJ-001".into(), &true.into())
    );
    assert!(pseudonym(&node, &["verify"]).stdout.contains("2 persons"));
    nothing_shown(&node, &[]);
}

#[test]
fn two_pseudonyms_of_one_person_are_merged_only_when_it_is_said() {
    let node = Node::prepare(&configuration(""));
    let input = node.home().join("in");
    ct_files(&input, [0, 10]);
    let (run, out) = deid(&node, &input, "out", &[]);
    assert_eq!((run.code(), directories(&out).len()), (0, 2), "{run:?}");
    let link = ["link", "--id", "PID-000000", "--other-id", "PID-000001"];
    let refused = pseudonym(&node, &[&link[..], &BY].concat());
    assert_eq!(refused.code(), 64, "{refused:?}");
    assert!(refused.stderr.contains("--merge"), "{refused:?}");
    let merged = pseudonym(&node, &[&link[..], &["--merge"], &BY].concat());
    assert!(merged.stdout.contains("stays so at its destinations"), "{merged:?}");
    let (run, again) = deid(&node, &input, "again", &[]);
    assert_eq!((run.code(), directories(&again).len()), (0, 1), "{run:?}");
    let code = directories(&again).into_iter().next().unwrap();
    let former = directories(&out).into_iter().find(|former| *former != code).unwrap();
    assert_eq!(asked(&node, &["lookup", "--code", &former])["person"]["code"], code.as_str());
    nothing_shown(&node, &[&refused, &merged, &run]);
}

#[test]
fn studies_of_nobody_get_a_pseudonym_each_and_say_so() {
    let node = Node::prepare(&configuration("no_patient_id = 'code-per-study'"));
    let input = node.home().join("in");
    for (number, id) in [(0, ""), (1, "UNKNOWN"), (10, ""), (20, "PID-000020")] {
        Object::ct(number)
            .text(PATIENT_ID, "LO", id)
            .text(STUDY, "UI", &format!("1.2.3.{}", number / 10))
            .write(&input);
    }
    let (run, out) = deid(&node, &input, "out", &[]);
    assert_eq!((run.code(), directories(&out).len()), (0, 3), "{run:?}");
    let receipts = node.receipts("delivered");
    assert_eq!(receipts.iter().filter(|one| one["unlinked"] == true).count(), 3, "{receipts:?}");
    let code_of = |folder: &str| {
        let (run, out) = deid(&node, &input.join(folder), folder, &[]);
        assert_eq!(run.code(), 0, "{run:?}");
        directories(&out).into_iter().next().unwrap()
    };
    let code = code_of("0.dcm");
    assert_eq!(code_of("1.dcm"), code, "one study");
    let found = asked(&node, &["lookup", "--code", &code]);
    assert_eq!(found["person"]["unlinked_study"], true);
}

#[test]
fn the_issuer_comes_from_file_argument_or_project_and_may_have_other_names() {
    let node = Node::prepare(&format!(
        "{}[issuer.main]\nname = 'HOSP A'\naliases = ['Old.Hosp']\n",
        configuration("issuer = 'HOSP A'")
    ));
    let input = node.home().join("in");
    Object::ct(0).write(&input);
    let named = node.home().join("named");
    Object::ct(0).text((0x0010, 0x0021), "LO", "Old.Hosp").write(&named);
    let code_of = |input: &Path, name: &str, more: &[&str]| {
        let (run, out) = deid(&node, input, name, more);
        assert_eq!(run.code(), 0, "{run:?}");
        directories(&out).into_iter().next().unwrap()
    };
    let own = code_of(&input, "own", &[]);
    assert_eq!(code_of(&named, "named-out", &[]), own);
    // In another study: one study is of one person, whoever's issuer is not stated in it.
    let elsewhere = node.home().join("elsewhere");
    Object::ct(0).text(STUDY, "UI", "1.2.3.77").write(&elsewhere);
    let other = code_of(&elsewhere, "other", &["--issuer", "HOSP B"]);
    assert_ne!(other, own);
    let found = asked(&node, &["lookup", "--code", &other]);
    assert_eq!(found["person"]["issuer"], "HOSP B");
}

#[test]
fn dates_count_from_each_persons_baseline() {
    let node = Node::prepare(&configuration("profile = 'trial.toml'"));
    fs::write(
        node.home().join("trial.toml"),
        "name = 'trial'\noptions = ['clean-descriptors', 'retain-modified-dates']\n\
         [baseline]\ndate = '19600101'\nevent = 'ENROLLMENT'\n",
    )
    .unwrap();
    let input = node.home().join("in");
    for number in [0, 10] {
        Object::ct(number).write(&input);
    }
    let list = node.home().join("list.csv");
    // The studies are of 2026-01-02.
    fs::write(&list, "patient_id,code,baseline_date\nPID-000000,,2025-12-03\n").unwrap();
    assert_eq!(asked(&node, &["import", list.to_str().unwrap()])["new"], 1);
    let (run, out) = deid(&node, &input, "out", &[]);
    assert_eq!(run.code(), 2, "{run:?}");
    assert!(run.stderr.contains("no-baseline-date"), "{run:?}");
    let [file] = &files_below(&out)[..] else { panic!("{:?}", files_below(&out)) };
    let dump = dcmdump(file);
    for line in [
        "(0008,0020) DA [19600131]",
        "(0012,0052) FD 30",
        "(0012,0053) CS [ENROLLMENT]",
        "(0028,0303) CS [MODIFIED]",
    ] {
        assert!(dump.contains(line), "{line}\n{dump}");
    }
    nothing_shown(&node, &[&run]);
}
