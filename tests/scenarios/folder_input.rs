//! What a folder can hold beside plain objects: other files, links, pipes,
//! archives that lie, the same instance twice; and trees that are kept.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::files::{files_below, holds};
use crate::support::node::Node;
use crate::support::object::{CT, Object, PIXELS, ct_files};
use crate::support::process::{Run, run, tool};
use crate::support::python::python;
use crate::support::standing::digests;

const HEADER_ONLY: &str = "[project.default]\nheader_only = ['1.2.840.10008.5.1.4.1.1.2']\n";

/// `airlock deid IN home/NAME OPTIONS --report …`, with its report.
fn deid(node: &Node, input: &Path, name: &str, options: &[&str]) -> (Run, PathBuf, Value) {
    let (out, report) = (node.home().join(name), node.home().join(format!("{name}.json")));
    let run = run(&mut command(node, input, &out, &report, options));
    let report =
        fs::read(report).map_or(Value::Null, |text| serde_json::from_slice(&text).unwrap());
    (run, out, report)
}

fn command(node: &Node, input: &Path, out: &Path, report: &Path, options: &[&str]) -> Command {
    let mut command = node.airlock::<&Path>(&["deid".as_ref(), input, out]);
    command.args(options).arg("--report").arg(report).arg("--config").arg(node.configuration());
    command
}

/// A new folder with these slices.
fn folder(node: &Node, name: &str, numbers: std::ops::Range<usize>) -> PathBuf {
    let folder = node.home().join(name);
    fs::create_dir_all(&folder).unwrap();
    ct_files(&folder, numbers);
    folder
}

/// A DICOMDIR: file meta with the class of media directories (PS3.10 §8).
fn dicomdir() -> Vec<u8> {
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    for (element, uid) in [(0x02_u8, "1.2.840.10008.1.3.10"), (0x10, "1.2.840.10008.1.2.1\0")] {
        file.extend([2, 0, element, 0, b'U', b'I', 20, 0]);
        file.extend(uid.as_bytes());
    }
    // A directory record names the patient.
    file.extend([0x10, 0, 0x10, 0, b'P', b'N', 8, 0]);
    file.extend(b"DOE^JANE");
    file
}

fn outcomes(report: &Value, outcome: &str) -> usize {
    let rows = report["instances"].as_array().unwrap();
    rows.iter().filter(|row| row["outcome"] == outcome).count()
}

#[test]
fn a_report_is_written_over_nothing_but_a_report() {
    let node = Node::prepare(HEADER_ONLY);
    let input = folder(&node, "in", 0..1);
    let (first, _out, report) = deid(&node, &input, "first", &[]);
    assert_eq!((first.code(), outcomes(&report, "cleaned")), (0, 1), "{first:?}");
    let (again, _out, _report) = deid(&node, &input, "first", &[]);
    assert_eq!(again.code(), 0, "an earlier report is replaced: {again:?}");
    let original = files_below(&input).remove(0);
    let key = files_below(&node.home().join("data/keys")).remove(0);
    let letter = node.home().join("letter.json");
    fs::write(&letter, "{\"to\": \"whom it may concern\"}").unwrap();
    let begun = node.home().join("begun.json.part");
    fs::write(&begun, "something of the user's").unwrap();
    let missing = node.home().join("no/such/folder.json");
    for report in [&original, &key, &letter, &node.home().join("begun.json"), &missing, &input] {
        let before = [&original, &key, &letter, &begun].map(|path| fs::read(path).unwrap());
        let out = node.home().join("never");
        let ended = run(&mut command(&node, &input, &out, report, &[]));
        assert_eq!(ended.code(), 64, "{ended:?}");
        assert!(ended.stderr.contains("name "), "{ended:?}");
        let after = [&original, &key, &letter, &begun].map(|path| fs::read(path).unwrap());
        assert!(before == after && !out.exists());
    }
    let out = node.home().join("letter.json");
    let ended = run(&mut command(&node, &input, &out, &node.home().join("r.json"), &[]));
    assert_eq!(ended.code(), 64, "an output that is a file: {ended:?}");
}

#[test]
fn names_that_are_no_text_are_cleaned_like_others() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let node = Node::prepare(HEADER_ONLY);
    let input = folder(&node, "in", 0..2);
    let latin = input.join(OsStr::from_bytes(b"M\xFCller"));
    fs::create_dir(&latin).unwrap();
    for (number, file) in files_below(&input).into_iter().enumerate() {
        let mut name = format!("{number}-Gr").into_bytes();
        name.extend(b"\xF6\xDFe.dcm");
        fs::rename(file, latin.join(OsStr::from_bytes(&name))).unwrap();
    }
    let (run, _out, report) = deid(&node, &input, "out", &[]);
    assert_eq!((run.code(), outcomes(&report, "cleaned")), (0, 2), "{run:?}");
}

#[test]
fn what_is_no_object_is_counted_by_kind_and_never_copied() {
    let node = Node::prepare(HEADER_ONLY);
    let input = folder(&node, "in", 0..1);
    let nested = input.join("DISK1/VIEWER");
    fs::create_dir_all(&nested).unwrap();
    fs::rename(&ct_files(&input, [1])[0], nested.join("slice.jpg")).unwrap();
    fs::write(input.join("DICOMDIR"), dicomdir()).unwrap();
    fs::write(nested.join("thumbnail.dcm"), b"\xFF\xD8\xFF\xE0 DOE JANE").unwrap();
    fs::write(nested.join("viewer.exe"), b"MZ\x90\0").unwrap();
    fs::write(nested.join("README"), "for DOE JANE\r\n").unwrap();
    fs::write(nested.join("nothing"), "").unwrap();
    let (run, out, report) = deid(&node, &input, "out", &[]);
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(run.stdout.contains("2 cleaned, 0 quarantined, of 7 files"), "{run:?}");
    assert!(run.stdout.contains("1 dicomdir, 1 image, 1 program, 1 text, 1 empty"), "{run:?}");
    let left = json!({ "dicomdir": 1, "image": 1, "program": 1, "text": 1, "empty": 1 });
    assert_eq!(report["left"], left);
    assert_eq!((&report["version"], &report["cleaned"]), (&json!(2), &json!(2)));
    assert_eq!((&report["files"], &report["quarantined"]), (&json!(7), &json!(0)));
    assert_eq!(files_below(&out).len(), 2);
    let text = fs::read(node.home().join("out.json")).unwrap();
    assert!(!holds(&text, "slice") && !holds(&text, "VIEWER"), "a path stands in the report");
    // Not a terminal: no bar.
    assert!(!run.stderr.contains("ends in"), "{run:?}");

    fs::write(input.join("cut.dcm"), [&[0; 128], b"DICM\x02\0\0\0UL".as_slice()].concat()).unwrap();
    let (run, _, report) = deid(&node, &input, "again", &[]);
    assert_eq!(run.code(), 2, "{run:?}");
    assert_eq!(report["reasons"], json!({ "unreadable": 1 }));
    assert_eq!(outcomes(&report, "not-dicom"), 5);
}

#[test]
fn links_pipes_and_closed_directories_do_not_stop_a_run() {
    let node = Node::prepare(HEADER_ONLY);
    let (input, outside) = (folder(&node, "in", 0..1), folder(&node, "outside", 1..2));
    symlink(&files_below(&outside)[0], input.join("far.dcm")).unwrap();
    symlink(&outside, input.join("far")).unwrap();
    symlink("..", input.join("back")).unwrap();
    symlink("itself", input.join("itself")).unwrap();
    run(Command::new(tool("mkfifo")).arg(input.join("pipe"))).success();
    let (run_plain, out, report) = deid(&node, &input, "out", &[]);
    assert_eq!(run_plain.code(), 0, "{run_plain:?}");
    assert_eq!(report["left"], json!({ "link": 4, "special": 1 }));
    assert_eq!(files_below(&out).len(), 1);

    let closed = input.join("closed");
    fs::create_dir(&closed).unwrap();
    ct_files(&closed, [2]);
    run(Command::new(tool("chmod")).arg("0").arg(&closed)).success();
    // Root without what lets it read everything.
    let plain = command(&node, &input, &node.home().join("o"), &node.home().join("o.json"), &[]);
    let mut limited = Command::new(tool("setpriv"));
    limited.args(["--bounding-set", "-dac_override,-dac_read_search"]);
    limited.args(["--inh-caps", "-dac_override,-dac_read_search"]);
    limited.arg(plain.get_program()).args(plain.get_args()).current_dir(node.home());
    for (name, value) in plain.get_envs() {
        if let Some(value) = value {
            limited.env(name, value);
        }
    }
    let closed_run = run(&mut limited);
    run(Command::new(tool("chmod")).arg("700").arg(&closed)).success();
    assert_eq!(closed_run.code(), 2, "{closed_run:?}");
    assert!(closed_run.stderr.contains("directory cannot be listed"), "{closed_run:?}");
    assert!(closed_run.stdout.contains("1 cleaned, 1 quarantined, of 7 files"), "{closed_run:?}");

    let (run_following, out, report) = deid(&node, &input, "followed", &["--follow-links"]);
    assert_eq!(run_following.code(), 0, "{run_following:?}");
    assert_eq!(report["cleaned"], 3, "{report}");
    assert_eq!(report["left"], json!({ "link": 3, "special": 1 }));
    assert_eq!(files_below(&out).len(), 3);
}

#[test]
fn archives_are_read_member_by_member_and_their_lies_answered_one_by_one() {
    let node = Node::prepare(HEADER_ONLY);
    let slices = files_below(&folder(&node, "slices", 0..3));
    let input = node.home().join("in");
    let arguments: Vec<&Path> =
        [input.as_path()].into_iter().chain(slices.iter().map(PathBuf::as_path)).collect();
    python("archives.py", &arguments);
    let before = files_below(node.home());
    let (run, out, report) = deid(&node, &input, "out", &["--report-with-paths"]);
    assert_eq!(run.code(), 2, "{run:?}");
    assert_eq!(files_below(&out).len(), 3, "{report}");
    assert_eq!((&report["cleaned"], &report["quarantined"]), (&json!(3), &json!(4)), "{report}");
    let reasons = json!({ "unreadable": 1, "unsupported-content": 1, "over-limit": 2 });
    assert_eq!(report["reasons"], reasons, "{report}");
    assert_eq!(report["left"], json!({ "image": 1, "text": 1 }), "{report}");
    let rows = report["instances"].as_array().unwrap();
    let input_of = |row: &Value| row["input"].as_str().unwrap().to_owned();
    let inputs: BTreeSet<String> = rows.iter().map(input_of).collect();
    assert_eq!(inputs.len(), rows.len());
    assert!(
        inputs.iter().any(|path| path.ends_with("outer.zip!inner.zip!thumbnail")),
        "{inputs:?}"
    );
    // Nothing but the output, its report and the data directory is new.
    let data = node.data();
    let new = files_below(node.home()).into_iter().filter(|path| {
        !before.contains(path) && !path.starts_with(&out) && !path.starts_with(&data)
    });
    assert_eq!(new.collect::<Vec<_>>(), [node.home().join("out.json")]);
    assert!(!data.join("staging").exists());
    assert!(!Path::new("/etc/notes.txt").exists());

    // The same members as files give the same clean bytes.
    let plain = folder(&node, "slices", 0..3);
    assert_eq!(digests(&deid(&node, &plain, "plain", &[]).1), digests(&out));
    // One archive is an input too.
    let (run, out, _) = deid(&node, &input.join("many.zip"), "one", &[]);
    assert_eq!((run.code(), files_below(&out).len()), (0, 2), "{run:?}");
}

#[test]
fn a_kept_tree_has_new_names_the_same_in_every_run() {
    let node = Node::prepare(HEADER_ONLY);
    let input = node.home().join("in");
    for (dir, number) in [("DOE^JANE/ct", 0), ("DOE^JANE/ct/DOE^JANE", 1), ("ROE/ct", 10)] {
        fs::create_dir_all(input.join(dir)).unwrap();
        ct_files(&input.join(dir), [number]);
    }
    ct_files(&input, [20]);
    let dirs = |name: &str| {
        let (run, out, _) = deid(&node, &input, name, &["--keep-tree"]);
        assert_eq!(run.code(), 0, "{run:?}");
        let files = files_below(&out);
        assert!(files.iter().all(|file| file.extension().is_some_and(|end| end == "dcm")));
        let below = |file: &PathBuf| file.parent().unwrap().strip_prefix(&out).unwrap().to_owned();
        files.iter().map(below).collect::<BTreeSet<PathBuf>>()
    };
    let first = dirs("first");
    let parts = |path: &PathBuf| -> Vec<String> {
        path.iter().map(|part| part.to_string_lossy().into_owned()).collect()
    };
    let [root, short, deep, other] = {
        let mut by_depth: Vec<Vec<String>> = first.iter().map(parts).collect();
        by_depth.sort_by_key(Vec::len);
        let deep = by_depth.pop().unwrap();
        let (short, other): (Vec<_>, Vec<_>) =
            by_depth.iter().skip(1).cloned().partition(|path| deep.starts_with(path));
        [by_depth[0].clone(), short[0].clone(), deep, other[0].clone()]
    };
    assert!(root.is_empty());
    assert_eq!((short.len(), deep.len(), other.len()), (2, 3, 2));
    assert_eq!(deep[0], deep[2], "the same component has the same name");
    assert_eq!(short[1], other[1]);
    assert_ne!(short[0], other[0]);
    for name in ["DOE", "JANE", "ROE", "ct"] {
        assert!(!first.iter().any(|path| path.to_string_lossy().contains(name)), "{first:?}");
    }
    assert_eq!(dirs("second"), first);
}

#[test]
fn the_same_instance_twice_is_a_repeat_and_with_other_bytes_a_conflict() {
    let node = Node::prepare(HEADER_ONLY);
    let input = folder(&node, "in", 0..1);
    fs::write(input.join("zz-copy"), Object::ct(0).file()).unwrap();
    let (run, out, report) = deid(&node, &input, "out", &[]);
    assert_eq!(run.code(), 0, "{run:?}");
    assert_eq!((&report["cleaned"], &report["repeats"]), (&json!(1), &json!(1)));
    let alone = digests(&out);

    let other = Object::ct(0).bytes(PIXELS, "OW", vec![1; 32 * 32 * 2]);
    fs::write(input.join("zz-other"), other.file()).unwrap();
    for round in 0..3 {
        let (run, out, report) = deid(&node, &input, &format!("out{round}"), &[]);
        assert_eq!(run.code(), 2, "{run:?}");
        assert_eq!(report["reasons"], json!({ "conflict": 1 }));
        // The first in order stands, however fast the others were.
        assert_eq!(digests(&out), alone);
    }
    assert_eq!(CT, "1.2.840.10008.5.1.4.1.1.2");
}

#[test]
fn a_run_that_was_killed_goes_on_where_it_stopped() {
    const SLICES: usize = 60;
    let node = Node::prepare(HEADER_ONLY);
    let input = folder(&node, "in", 0..SLICES);
    let (_, whole, _) = deid(&node, &input, "whole", &[]);
    let whole = digests(&whole);
    assert_eq!(whole.len(), SLICES);
    let (out, report) = (node.home().join("out"), node.home().join("out.json"));
    let mut child = command(&node, &input, &out, &report, &[]).spawn().unwrap();
    let begun = Instant::now();
    while files_below(&out).len() < SLICES / 4 && begun.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!report.exists(), "a report that is not whole has no name");
    // The data directory is free once the last worker has seen that it is alone.
    let killed = digests(&out)
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|end| end == "dcm"));
    let killed: Vec<_> = killed.collect();
    assert!(
        !killed.is_empty() && killed.iter().all(|(path, digest)| whole.get(path) == Some(digest))
    );
    let (run, out, report) = deid(&node, &input, "out", &[]);
    assert_eq!(run.code(), 0, "{run:?}");
    assert_eq!(report["cleaned"], SLICES);
    assert_eq!(digests(&out), whole);
}
