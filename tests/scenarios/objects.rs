//! Documents, sound, photographs, heads and signatures through the whole line.
//!
//! Objects are built by pydicom; the clean copies are read by it again and by
//! `dciodvfy`, which must report no error that the received object did not have.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::files::{files_below, holds};
use crate::support::node::Node;
use crate::support::object::Object;
use crate::support::process::{run, tool};
use crate::support::python::python;

const BODY_PART: (u16, u16) = (0x0018, 0x0015);

fn build(folder: &Path, kind: &str, options: &[&str]) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let path = folder.join(format!("{kind}.dcm"));
    python("objects.py", &[&[kind, path.to_str().unwrap()], options].concat());
    path
}

/// Errors of `dciodvfy`, each once.
fn errors(file: &Path) -> BTreeSet<String> {
    let run = run(Command::new(tool("dciodvfy")).arg(file));
    let lines = run.stderr.lines().chain(run.stdout.lines());
    lines.filter(|line| line.starts_with("Error")).map(str::to_owned).collect()
}

/// Runs `airlock deid` and gives the clean files with the report's instances.
fn deid(node: &Node, input: &Path, name: &str, profile: &str) -> (Vec<PathBuf>, Vec<Value>) {
    let (out, report) = (node.home().join(name), node.home().join(format!("{name}.json")));
    let config = node.configuration();
    let run = node.command::<&Path>(&[
        "deid".as_ref(),
        "--config".as_ref(),
        &config,
        input,
        &out,
        "--profile".as_ref(),
        profile.as_ref(),
        "--report".as_ref(),
        &report,
    ]);
    assert!([0, 2].contains(&run.code()), "{run:?}");
    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    (files_below(&out), report["instances"].as_array().unwrap().clone())
}

fn no_identity(file: &Path) {
    let bytes = fs::read(file).unwrap();
    for text in ["Person0", "Invented Hospital", "PID-0000", "ACC0000000", "Beispiel", "19500607"] {
        assert!(!holds(&bytes, text), "{}: {text}", file.display());
    }
}

#[test]
fn documents_are_replaced_by_valid_ones_of_their_kind() {
    let node = Node::prepare("[project.default]\ndocuments = 'placeholder'\n");
    for (kind, begins) in
        [("pdf", "%PDF-1.4"), ("cda", "<?xml"), ("stl", "Document"), ("obj", "#"), ("mtl", "#")]
    {
        let input = build(&node.home().join(kind), kind, &[]);
        for profile in ["basic", "tcia"] {
            let name = format!("{kind}-{profile}");
            let (files, instances) = deid(&node, &input, &name, profile);
            let [file] = &files[..] else { panic!("{name}: {instances:?}") };
            assert_eq!(instances[0]["report"]["content"][0], "document-replaced", "{name}");
            no_identity(file);
            let shown: Value =
                serde_json::from_str(&python("document.py", &[file])).expect("what it shows");
            assert!(shown["document"].as_str().unwrap().starts_with(begins), "{name}: {shown}");
            assert_eq!(shown["whole"], true, "{name}: {shown}");
            assert_eq!(shown["burned_in"], "NO", "{name}");
            let new: Vec<String> = errors(file).difference(&errors(&input)).cloned().collect();
            assert!(new.is_empty(), "{name}: {new:?}");
        }
    }
}

#[test]
fn documents_photographs_and_sound_stay_in_quarantine_by_default() {
    let node = Node::prepare("");
    let input = node.home().join("in");
    for kind in ["pdf", "cda", "stl", "voice", "voice-in-ecg", "fast-ecg", "photograph", "ecg"] {
        build(&input, kind, &[]);
    }
    let (files, instances) = deid(&node, &input, "out", "tcia");
    let mut reasons: Vec<&str> =
        instances.iter().filter_map(|one| one["reason"].as_str()).collect();
    reasons.sort_unstable();
    let sound = "unsupported-content";
    assert_eq!(reasons, ["document", "document", "document", "photograph", sound, sound, sound]);
    let [ecg] = &files[..] else { panic!("{instances:?}") };
    no_identity(ecg);
    let new: Vec<String> =
        errors(ecg).difference(&errors(&input.join("ecg.dcm"))).cloned().collect();
    assert!(new.is_empty(), "{new:?}");
}

#[test]
fn photographs_pass_where_the_project_accepts_them() {
    let node = Node::prepare("[project.default]\nphotographs = 'accepted'\n");
    let input = build(&node.home().join("in"), "photograph", &[]);
    let (files, instances) = deid(&node, &input, "out", "basic");
    let [file] = &files[..] else { panic!("{instances:?}") };
    assert_eq!(instances[0]["report"]["content"][0], "photograph");
    no_identity(file);
}

#[test]
fn heads_pass_by_default_with_a_word_on_it_and_not_where_the_project_says_so() {
    let folder = |node: &Node| {
        let input = node.home().join("in");
        Object::ct(0).text(BODY_PART, "CS", "HEAD").write(&input);
        Object::ct(1).text(BODY_PART, "CS", "ABDOMEN").write(&input);
        input
    };
    let node = Node::prepare("");
    let (files, instances) = deid(&node, &folder(&node), "out", "basic");
    assert_eq!(files.len(), 2);
    assert_eq!(instances[0]["report"]["content"][0], "faces");
    assert_eq!(instances[1]["report"]["content"], Value::Null);
    let receipts = node.receipts("delivered");
    let faces = receipts.iter().filter(|one| one["content"][0] == "faces").count();
    assert_eq!((receipts.len(), faces), (2, 1), "{receipts:?}");
    let check = node.command(&["check"]);
    assert!(check.stdout.contains("FACES ACCEPTED BY DEFAULT"), "{check:?}");

    let node = Node::prepare("[project.default]\nfaces = 'quarantine'\n");
    let (files, instances) = deid(&node, &folder(&node), "out", "basic");
    assert_eq!(files.len(), 1);
    assert_eq!(instances[0]["reason"], "face");
}

#[test]
fn signatures_former_values_and_icons_do_not_pass() {
    let node = Node::prepare("");
    let input = build(&node.home().join("in"), "signed", &["ConversionType=WSD"]);
    for profile in ["basic", "tcia"] {
        let (files, instances) = deid(&node, &input, profile, profile);
        let [file] = &files[..] else { panic!("{profile}: {instances:?}") };
        no_identity(file);
        let dump = crate::support::dcmtk::dcmdump(file);
        for tag in ["(0088,0200)", "(0400,0500)", "(0400,0561)", "(4ffe,0001)", "(fffa,fffa)"] {
            assert!(!dump.contains(tag), "{profile}: {tag}\n{dump}");
        }
        let new: Vec<String> = errors(file).difference(&errors(&input)).cloned().collect();
        assert!(new.is_empty(), "{profile}: {new:?}");
    }
}

/// A slice with a text of the device that only the second door objects to.
fn refused_by_verify(number: usize) -> Object {
    // A name that the free-text cleaner is made to keep, by a rule of the site.
    Object::ct(number).text((0x0008, 0x103E), "LO", "Invented Person0 thorax")
}

#[test]
fn one_decision_releases_all_that_stand_for_a_cause() {
    let mut node = Node::prepare("");
    let profile = node.home().join("site.toml");
    fs::write(&profile, "name = 'site'\noptions = ['clean-pixel-data', 'retain-safe-private']\n[rules]\n'0008,103E' = 'keep'\n").unwrap();
    let class = crate::support::object::CT;
    node.configure(&format!(
        "[project.default]\nheader_only = ['{class}']\nprofile = '{}'\n",
        profile.display()
    ));
    node.start_again();
    let folder = node.home().join("in");
    let files: Vec<PathBuf> =
        (0..5).map(|number| refused_by_verify(number).write(&folder)).collect();
    let other = refused_by_verify(12).write(&folder);
    let all = [files, vec![other]].concat();
    crate::support::dcmtk::storescu("AIRLOCK", node.port(), &[], &all).success();
    assert_eq!(node.settle().quarantine, 6, "{:?}", node.quarantined());
    let items = node.quarantined();
    let detail = items[0]["detail"].as_str().unwrap();
    assert!(detail.ends_with("at (0008,103E)"), "{detail}");
    let listed = node.command(&["quarantine", "list"]).success();
    assert!(listed.contains("5 instances"), "{listed}");
    assert!(listed.contains("6 in quarantine"), "{listed}");
    let each = node.command(&["quarantine", "list", "--each"]).success();
    assert_eq!(each.matches("what to do").count(), 6, "{each}");

    // The same rules find the same again.
    let id = items[0]["id"].as_str().unwrap();
    node.command(&["quarantine", "release", "--cause", id]).success();
    assert_eq!(node.settle().quarantine, 6);
    // Another choice does not go with the reason.
    let words = ["--actor", "tester", "--reason", "a device's word"];
    let adopt = [&["quarantine", "release", "--cause", id, "--then", "adopt"], &words[..]].concat();
    assert_eq!(node.command(&adopt).code(), 75);
    let remove =
        [&["quarantine", "release", "--cause", id, "--then", "remove"], &words[..]].concat();
    node.command(&remove).success();
    assert_eq!(node.settle().quarantine, 1, "{:?}", node.quarantined());
    let released = node.receipts("released");
    let decided = released.iter().filter(|one| one["then"] == "remove (0008,103E)");
    assert_eq!(decided.filter(|one| one["actor"] == "tester").count(), 5, "{released:?}");
    let delivered = files_below(&node.data().join("delivered"));
    assert_eq!(delivered.len(), 5);
    for file in &delivered {
        no_identity(file);
        assert!(!crate::support::dcmtk::dcmdump(file).contains("(0008,103e)"));
    }
    node.command(&["receipts", "verify"]).success();
}
