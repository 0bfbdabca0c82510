//! No value of a data set shows anywhere but in the kept original.
//!
//! Method: objects in which all that could identify holds a canary
//! (`tests/python/canary.py`) go through the node and through a folder run,
//! good ones, odd ones and ones that end in quarantine. Then everything that
//! airlock wrote or said is searched, names of files included.

use std::fs;
use std::path::{Path, PathBuf};

use regex::bytes::{Regex, RegexBuilder};

use crate::support::files::{files_below, in_repository};
use crate::support::node::Node;
use crate::support::process::Run;
use crate::support::python::python;

struct Canaries {
    folder: PathBuf,
    any: Regex,
}

impl Canaries {
    fn write(folder: PathBuf) -> Self {
        let table = in_repository("config/standard/e1-1.tsv");
        let texts: Vec<String> =
            serde_json::from_str(&python("canary.py", &[&folder, &table])).unwrap();
        let any: Vec<_> = texts.iter().map(|text| regex::escape(text)).collect();
        let any = RegexBuilder::new(&any.join("|")).case_insensitive(true).build().unwrap();
        let this = Self { folder, any };
        for file in this.files("") {
            let hits = this.any.find_iter(&fs::read(&file).unwrap()).count();
            assert!(hits > 1_000, "only {hits} canaries in {}", file.display());
        }
        this
    }

    fn files(&self, kind: &str) -> Vec<PathBuf> {
        files_below(&self.folder.join(kind))
    }

    /// Panics with some bytes around the first canary.
    fn none_in(&self, place: &str, bytes: &[u8]) {
        if let Some(found) = self.any.find(bytes) {
            let from = found.start().saturating_sub(60);
            let around = &bytes[from..bytes.len().min(found.end() + 60)];
            let count = self.any.find_iter(bytes).count();
            panic!("{count} in {place}, the first here: {}", around.escape_ascii());
        }
    }

    fn none_said(&self, what: &str, run: &Run) {
        self.none_in(what, run.stdout.as_bytes());
        self.none_in(what, run.stderr.as_bytes());
    }

    /// Looks at paths and bytes of all files but those in `originals`.
    fn none_below(&self, folder: &Path, originals: &[PathBuf]) {
        let kept = |file: &&PathBuf| originals.iter().any(|original| file.starts_with(original));
        let (kept, others): (Vec<_>, Vec<_>) = files_below(folder)
            .into_iter()
            .filter(|file| file.is_file())
            .partition(|file| kept(&file));
        for file in &others {
            self.none_in(&file.display().to_string(), &fs::read(file).unwrap());
        }
        for file in kept.iter().chain(&others) {
            let name = file.strip_prefix(folder).unwrap().display().to_string();
            self.none_in("a name", name.as_bytes());
        }
        assert!(!others.is_empty(), "nothing in {}", folder.display());
    }
}

fn configuration(level: &str) -> String {
    format!("[log]\nfilter = '{level}'\n")
}

#[test]
fn a_node_shows_no_value_of_what_passes_through_or_stands_in_quarantine() {
    let home = tempfile::tempdir().unwrap();
    let canaries = Canaries::write(home.path().join("in"));
    let node = Node::start(&configuration("debug"));
    for file in canaries.files("") {
        node.send("AIRLOCK", &[file]).success();
    }
    let standing = node.settle();
    let (bad, unsure) = (canaries.files("bad").len(), canaries.files("unsure").len());
    let delivered = node.delivered().len();
    assert_eq!(delivered + standing.quarantine, canaries.files("").len());
    assert!((bad..=bad + unsure).contains(&standing.quarantine), "{:?}", node.quarantined());

    canaries.none_below(&node.data(), &[node.spool("quarantine")]);
    canaries.none_in("the log", node.log().as_bytes());
    assert!(node.log().len() > 500);
    let id = node.quarantined().remove(0)["id"].as_str().unwrap().to_owned();
    let commands: [&[&str]; 9] = [
        &["queue"],
        &["queue", "--json"],
        &["quarantine", "list"],
        &["quarantine", "list", "--json"],
        &["quarantine", "show", &id, "--json"],
        &["receipts"],
        &["receipts", "--json"],
        &["receipts", "--csv"],
        &["receipts", "verify"],
    ];
    for command in commands {
        let run = node.command(command);
        canaries.none_said(&command.join(" "), &run);
        assert!(!run.success().is_empty(), "{command:?}");
    }
}

#[test]
fn a_folder_run_shows_no_value_and_no_path_of_its_input() {
    let home = tempfile::tempdir().unwrap();
    let canaries = Canaries::write(home.path().join("in"));
    let node = Node::prepare(&configuration("debug"));
    for profile in ["basic", "tcia"] {
        let out = node.home().join(profile);
        let report = node.home().join(format!("{profile}.json"));
        let run = node.command::<&Path>(&[
            "deid".as_ref(),
            &canaries.folder,
            &out,
            "--profile".as_ref(),
            profile.as_ref(),
            "--report".as_ref(),
            &report,
        ]);
        assert_eq!(run.code(), 2, "{run:?}");
        canaries.none_said("deid", &run);
        canaries.none_in("the report", &fs::read(report).unwrap());
        if profile == "basic" {
            assert!(files_below(&out).len() >= canaries.files("good").len(), "{run:?}");
            canaries.none_below(&out, &[]);
        }
    }
    canaries.none_below(&node.data(), &[]);
}
