//! `airlock deid` on a folder: the same line as the node's, from files to files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::dcmtk::dcmdump;
use crate::support::files::{files_below, holds, sample};
use crate::support::node::Node;
use crate::support::process::{Run, run, tool};
use crate::support::python::{corpus, identifiers};
use crate::support::standing::digests;

/// Runs `airlock deid` into `home/NAME` and reads its report.
fn deid(node: &Node, input: &Path, name: &str, profile: &str) -> (Run, PathBuf, Value) {
    let (out, report) = (node.home().join(name), node.home().join(format!("{name}.json")));
    let run = node.command::<&Path>(&[
        "deid".as_ref(),
        input,
        &out,
        "--profile".as_ref(),
        profile.as_ref(),
        "--report".as_ref(),
        &report,
    ]);
    let report = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    (run, out, report)
}

/// Pixels that DCMTK decodes to, as a PNM.
fn picture(file: &Path) -> Vec<u8> {
    let pnm = file.with_extension("pnm");
    run(Command::new(tool("dcm2pnm")).arg(file).arg(&pnm)).success();
    fs::read(pnm).unwrap()
}

#[test]
fn the_sample_comes_out_clean_decodable_and_changed_only_where_text_was() {
    let node = Node::prepare("");
    let (run, out, report) = deid(&node, &sample(), "out", "basic");
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(run.stdout.contains("1 cleaned, 0 quarantined, of 1 files"), "{run:?}");
    let [file] = &files_below(&out)[..] else { panic!("{:?}", files_below(&out)) };
    let bytes = fs::read(file).unwrap();
    for text in identifiers(&[sample()]) {
        assert!(!holds(&bytes, &text), "{text:?}");
    }
    assert!(dcmdump(file).contains("(0012,0062) CS [YES]"));
    let before = node.home().join("before.dcm");
    fs::copy(sample(), &before).unwrap();
    let (before, after) = (picture(&before), picture(file));
    assert_eq!(before.len(), after.len());
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    // A line of text at the top, some hundredths of the picture.
    assert!((1_000..before.len() / 5).contains(&changed), "{changed} of {}", before.len());
    assert_eq!(report["instances"][0]["outcome"], "cleaned");
}

#[test]
fn a_folder_cleaned_twice_gives_the_same_bytes_and_every_file_is_accounted_for() {
    let node = Node::prepare("");
    let input = node.home().join("in");
    let count = corpus(&input, 20).len() + 1;
    fs::copy(sample(), input.join("sample.dcm")).unwrap();
    let (run, out, report) = deid(&node, &input, "first", "basic");
    let instances = report["instances"].as_array().unwrap();
    let cleaned: BTreeSet<_> = instances.iter().filter_map(|one| one["output"].as_str()).collect();
    let quarantined = instances.iter().filter(|one| one["outcome"] == "quarantined");
    let reasons: Vec<_> = quarantined.map(|one| (&one["reason"], &one["detail"])).collect();
    println!("quarantined: {reasons:?}");
    assert_eq!((instances.len(), cleaned.len() + reasons.len()), (count, count));
    assert!(reasons.len() <= count / 10, "{reasons:?}");
    assert!(reasons.iter().all(|(reason, _)| reason.is_string()));
    assert_eq!(run.code(), if reasons.is_empty() { 0 } else { 2 }, "{run:?}");
    let said =
        format!("{} cleaned, {} quarantined, of {count} files", cleaned.len(), reasons.len());
    assert!(run.stdout.contains(&said), "{said}: {run:?}");

    let first = digests(&out);
    let names: BTreeSet<_> = first.keys().filter_map(|path| path.to_str()).collect();
    assert_eq!(names, cleaned);
    let (_, out, _) = deid(&node, &input, "second", "basic");
    assert_eq!(digests(&out), first);
    node.command(&["receipts", "verify"]).success();
}

#[test]
fn both_profiles_clean_what_the_other_cleans() {
    let node = Node::prepare("");
    let input = node.home().join("in");
    corpus(&input, 12);
    let cleaned = |name: &str| {
        let (_, out, _) = deid(&node, &input, name, name);
        files_below(&out).len()
    };
    assert!(cleaned("basic") >= 10);
    assert!(cleaned("tcia") >= 10);
}

#[test]
fn an_output_inside_the_input_is_refused() {
    let node = Node::prepare("");
    let input = node.home().join("in");
    fs::create_dir(&input).unwrap();
    fs::copy(sample(), input.join("sample.dcm")).unwrap();
    let inside = input.join("out");
    let run = node.command::<&Path>(&["deid".as_ref(), &input, &inside]);
    assert_eq!(run.code(), 64, "{run:?}");
}
