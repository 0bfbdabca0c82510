//! Claims: every one of pydicom's files is cleaned or quarantined with a reason,
//! without a panic, and dciodvfy finds nothing wrong with a clean file that it
//! does not find with what it was made of.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::reasons;
use crate::support::node::Node;
use crate::support::python::python;

/// Stands for the reason of what is counted and never copied.
pub(crate) const NO_INSTANCE: &str = "not-dicom";

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) input: PathBuf,
    /// The clean file, or reason and detail; what is no instance has its kind
    /// under [`NO_INSTANCE`].
    pub(crate) output: Result<PathBuf, (String, String)>,
}

/// Cleans the folders, each into its own, so that instances of one UID do not meet.
fn cleaned(node: &Node, folders: &[PathBuf], profile: &str) -> Vec<Fate> {
    let mut fates = Vec::new();
    for (number, folder) in folders.iter().enumerate() {
        let out = node.home().join(format!("{profile}-{}-{number}", fates.len()));
        let report = out.with_extension("json");
        let run = node.command::<&Path>(&[
            "deid".as_ref(),
            folder,
            &out,
            "--profile".as_ref(),
            profile.as_ref(),
            "--report-with-paths".as_ref(),
            "--report".as_ref(),
            &report,
        ]);
        assert!(matches!(run.code(), 0 | 2), "{run:?}");
        assert!(!run.stderr.contains("fault of the program"), "{run:?}");
        let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
        fates.extend(report["instances"].as_array().unwrap().iter().map(|one| fate(one, &out)));
    }
    fates
}

fn fate(instance: &Value, out: &Path) -> Fate {
    let text = |key: &str| instance[key].as_str().unwrap_or_default().to_owned();
    let output = match text("outcome").as_str() {
        "cleaned" => Ok(out.join(text("output"))),
        "quarantined" => Err((text("reason"), text("detail"))),
        NO_INSTANCE => Err((NO_INSTANCE.to_owned(), text("kind"))),
        other => panic!("{other}: {instance}"),
    };
    Fate { input: text("input").into(), output }
}

/// A cine of 120 frames in colour: most of the time goes into its text, which is
/// the same under each profile.
pub(crate) const LONG: &str = "color3d_jpeg_baseline.dcm";

fn leave_out(folders: &[PathBuf], name: &str) {
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let files = files.map(|file| file.unwrap().path());
    let left_out: Vec<_> = files.filter(|file| file.to_string_lossy().ends_with(name)).collect();
    assert_eq!(left_out.len(), 1, "{name}: {left_out:?}");
    left_out.into_iter().for_each(|file| fs::remove_file(file).unwrap());
}

fn folders(node: &Node, what: &str) -> Vec<PathBuf> {
    let folder = node.home().join(what);
    let printed = python("public_files.py", &[folder.as_os_str(), what.as_ref()]);
    serde_json::from_str(&printed).unwrap()
}

/// Errors that only the clean files have.
fn new_errors(node: &Node, fates: &[Fate]) -> Vec<Value> {
    let pairs: Vec<(&Path, &Path)> = fates
        .iter()
        .filter_map(|fate| Some((fate.input.as_path(), fate.output.as_deref().ok()?)))
        .collect();
    let file = node.home().join("pairs.json");
    fs::write(&file, serde_json::to_string(&pairs).unwrap()).unwrap();
    serde_json::from_str(&python("validity.py", &[file])).unwrap()
}

fn count(fates: &[Fate]) -> (usize, usize) {
    let cleaned = fates.iter().filter(|fate| fate.output.is_ok()).count();
    (cleaned, fates.len() - cleaned)
}

/// The node's own faults: no file may lead to one.
fn bugs(fates: &[Fate]) -> Vec<&Fate> {
    let is_bug = |reason: &str| matches!(reason, "internal" | "worker-died" | "conflict");
    fates.iter().filter(|fate| fate.output.as_ref().is_err_and(|(code, _)| is_bug(code))).collect()
}

#[test]
fn every_public_file_is_cleaned_or_quarantined_with_a_reason_and_stays_valid() {
    let node = Node::prepare("");
    let folders = folders(&node, "public");
    let mut counts: BTreeMap<&str, Vec<Fate>> = BTreeMap::new();
    for profile in ["basic", "tcia"] {
        if profile == "tcia" {
            leave_out(&folders, LONG);
        }
        let fates = cleaned(&node, &folders, profile);
        println!("{profile}: {:?} of pydicom's files cleaned, quarantined", count(&fates));
        assert!(bugs(&fates).is_empty(), "{:?}", bugs(&fates));
        let errors = new_errors(&node, &fates);
        assert!(errors.is_empty(), "{profile}: {errors:#?}");
        counts.insert(profile, fates);
    }
    let fates_of = |profile: &str| -> BTreeMap<PathBuf, Result<(), (String, String)>> {
        let seen =
            counts[profile].iter().filter(|fate| !fate.input.to_string_lossy().ends_with(LONG));
        seen.map(|fate| (fate.input.clone(), fate.output.clone().map(drop))).collect()
    };
    let basic = fates_of("basic");
    let differing: Vec<_> = fates_of("tcia")
        .into_iter()
        .filter(|(input, fate)| basic.get(input) != Some(fate))
        .collect();
    assert!(differing.is_empty(), "the header decides no fate: {differing:?}");
    reasons::compare(&counts["basic"]);
}

/// Combined actions are resolved so that each information object keeps what it
/// must have: objects of all SOP classes with all such attributes.
#[test]
fn what_an_information_object_must_have_stays() {
    let node = Node::prepare("");
    let folders = folders(&node, "iods");
    for profile in ["basic", "tcia"] {
        let fates = cleaned(&node, &folders, profile);
        println!("{profile}: {:?} of the made objects cleaned, quarantined", count(&fates));
        assert!(count(&fates).0 > 140, "{fates:?}");
        assert!(bugs(&fates).is_empty(), "{:?}", bugs(&fates));
        let errors = new_errors(&node, &fates);
        assert!(errors.is_empty(), "{profile}: {errors:#?}");
    }
}

#[test]
fn the_devset_stays_valid() {
    let node = Node::prepare("");
    let folders = folders(&node, "devset");
    if folders.is_empty() {
        println!("no ../shared/devset beside this clone: its instances are not checked");
        return;
    }
    for profile in ["basic", "tcia"] {
        let fates = cleaned(&node, &folders, profile);
        println!("{profile}: {:?} of the devset cleaned, quarantined", count(&fates));
        let errors = new_errors(&node, &fates);
        assert!(errors.is_empty(), "{profile}: {errors:#?}");
    }
}
