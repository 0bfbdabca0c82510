//! `docs/CONFORMANCE.md` holds the tables that `airlock conformance` prints, each
//! between two marks; what stands there otherwise fails.
//!
//! `AIRLOCK_WRITE_DOCS=1 cargo test --test conformance` writes them anew.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const END: &str = "<!-- end -->";
/// Sections of the statement, in this order (PS3.2).
const SECTIONS: [&str; 14] = [
    "## 1 Overview",
    "## 3 Introduction",
    "## 4 Networking",
    "### 4.1 Implementation model",
    "### 4.2 AE specifications",
    "#### 4.2.1 Storage SCP",
    "#### 4.2.2 Storage SCU",
    "### 4.3 Network interfaces",
    "### 4.4 Configuration",
    "## 5 Media interchange",
    "## 6 Character sets",
    "## 7 Security",
    "## 8 Annexes",
    "### 8.1 De-identification",
];

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CONFORMANCE.md")
}

/// `airlock conformance` without any configuration.
fn printed(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_airlock"));
    let ours = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("AIRLOCK_");
    for (name, _) in env::vars_os().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    let done = command.arg("conformance").args(arguments).current_dir(home.path());
    let done = done.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "it makes no data directory");
    String::from_utf8(done.stdout).unwrap()
}

/// Name, and the table as Markdown, of each table.
fn tables() -> Vec<(String, String)> {
    let as_json: Value = serde_json::from_str(&printed(&["--json"])).unwrap();
    let text = printed(&[]);
    let sections = text.split("## ").skip(1);
    let as_text = sections.map(|section| section.split_once("\n\n").unwrap());
    let mut tables = Vec::new();
    for (json, (title, table)) in as_json.as_array().unwrap().iter().zip(as_text) {
        assert_eq!(json["title"], title);
        let rows = json["rows"].as_array().unwrap().len();
        assert_eq!(table.trim().lines().count(), rows + 2, "{title}");
        tables.push((json["name"].as_str().unwrap().to_owned(), table.trim().to_owned()));
    }
    assert_eq!(tables.len(), as_json.as_array().unwrap().len());
    tables
}

fn mark(name: &str) -> String {
    format!("<!-- airlock conformance: {name} -->")
}

/// The document with these tables in their places.
fn filled(text: &str, tables: &[(String, String)]) -> String {
    let mut filled = text.to_owned();
    for (name, table) in tables {
        let mark = mark(name);
        let (before, rest) =
            filled.split_once(&mark).unwrap_or_else(|| panic!("no place for the table {name}"));
        let (_, after) = rest.split_once(END).unwrap_or_else(|| panic!("no end after {name}"));
        filled = format!("{before}{mark}\n\n{table}\n\n{END}{after}");
    }
    filled
}

#[test]
fn the_document_holds_the_tables_that_the_program_prints() {
    let (text, tables) = (fs::read_to_string(document()).unwrap(), tables());
    let filled = filled(&text, &tables);
    if env::var_os("AIRLOCK_WRITE_DOCS").is_some() {
        fs::write(document(), &filled).unwrap();
        return;
    }
    let marks = text.matches("<!-- airlock conformance: ").count();
    assert_eq!(marks, tables.len(), "each table has one place");
    for (is, should) in text.lines().zip(filled.lines()) {
        assert_eq!(is, should, "AIRLOCK_WRITE_DOCS=1 cargo test --test conformance");
    }
    assert_eq!(text, filled);
}

#[test]
fn the_document_has_the_sections_of_the_template_in_order() {
    let text = fs::read_to_string(document()).unwrap();
    let mut rest = text.as_str();
    for section in SECTIONS {
        let start = format!("\n{section}");
        let (_, after) =
            rest.split_once(&start).unwrap_or_else(|| panic!("{section} is missing or misplaced"));
        rest = after;
    }
}

#[test]
fn what_the_tables_say_of_storage_is_what_the_door_takes() {
    let tables = tables();
    let table = |name: &str| &tables.iter().find(|(one, _)| one == name).unwrap().1;
    let classes = table("storage-classes");
    for uid in ["1.2.840.10008.5.1.4.1.1.2`", "1.2.840.10008.5.1.4.1.1.6.1`"] {
        assert!(classes.contains(uid), "{uid}");
    }
    assert!(classes.lines().count() > 150, "{}", classes.lines().count());
    assert!(!classes.contains("1.2.840.10008.1.3.10`"), "the DICOMDIR");
    let syntaxes = table("transfer-syntaxes");
    assert!(syntaxes.lines().nth(2).unwrap().contains("1.2.840.10008.1.2.1`"), "{syntaxes}");
    assert!(!syntaxes.contains("| – |"), "a syntax without a name:\n{syntaxes}");
}
