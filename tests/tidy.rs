//! The house rules as a test: who may import whom (DESIGN.md §3), how long a
//! file may be, what may not be left over.
//!
//! Method: for each file under `src/` the first name after every `crate::`,
//! also inside brace groups, is compared with a constant table.

#![allow(clippy::unwrap_used, clippy::string_slice, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Module, and what of ours it may import.
const ALLOWED: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("dicom", &[]),
    ("disk", &[]),
    ("identified", &[]),
    ("kill_point", &[]),
    ("reason", &[]),
    // For tests alone.
    ("simulated", &["disk"]),
    ("error", &["dicom", "reason"]),
    ("config", &["dicom", "error"]),
    ("observe", &["config", "error", "reason"]),
    ("lifecycle", &["config", "error", "reason"]),
    ("dimse", &["dicom", "error", "vault"]),
    ("vault", &["simulated"]),
    ("spool", &["clock", "dicom", "disk", "error", "kill_point", "reason", "simulated", "vault"]),
    ("queue", &["clock", "dicom", "error", "reason", "spool"]),
    ("pseudonym", &["identified", "dicom", "disk", "error", "kill_point"]),
    ("corrections", &["disk", "kill_point", "pseudonym"]),
    ("clean", &["config", "dicom", "error", "identified", "pseudonym", "reason", "vault"]),
    (
        "worker",
        &["clean", "config", "dicom", "error", "observe", "pseudonym", "reason", "spool", "vault"],
    ),
    (
        "accept",
        &[
            "clock",
            "config",
            "dicom",
            "dimse",
            "error",
            "lifecycle",
            "observe",
            "queue",
            "reason",
            "spool",
        ],
    ),
    (
        "forward",
        &[
            "clean", "clock", "config", "dicom", "dimse", "disk", "error", "observe", "reason",
            "spool", "vault",
        ],
    ),
    ("receipt", &["clean", "clock", "dicom", "disk", "error", "kill_point", "reason", "simulated"]),
    (
        "pipeline",
        &[
            "clean",
            "clock",
            "config",
            "corrections",
            "dicom",
            "error",
            "forward",
            "identified",
            "kill_point",
            "lifecycle",
            "observe",
            "pseudonym",
            "queue",
            "reason",
            "receipt",
            "simulated",
            "spool",
            "vault",
            "worker",
        ],
    ),
    (
        "control",
        &[
            "config",
            "corrections",
            "dicom",
            "error",
            "observe",
            "pipeline",
            "pseudonym",
            "queue",
            "reason",
            "receipt",
        ],
    ),
];

/// Modules that may use all others and that nobody imports.
const TOP: &[&str] = &["app", "cli", "lib", "main"];

/// Longest file, in lines. Generated tables are not under `src/`.
const FILE_LINES_MAX: usize = 600;

#[test]
fn nobody_imports_what_the_design_forbids() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let module = module_of(&path);
        if TOP.contains(&module.as_str()) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == module) else {
            faults.push(format!("{}: module {module} is not in the table", path.display()));
            continue;
        };
        for name in imports(&text) {
            if name != module && !allowed.contains(&name.as_str()) {
                faults.push(format!("{}: {module} may not use {name}", path.display()));
            }
        }
        if text.contains("super::super::") {
            faults.push(format!("{}: super::super:: escapes this check", path.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn imports_are_found_inside_brace_groups() {
    let text = "use crate::{dicom::Uid, accept::{a, b}};\nlet x = crate::spool::Spool::new();\n\
                use crate::config;";
    let found: Vec<_> = imports(text).into_iter().collect();
    assert_eq!(found, ["accept", "config", "dicom", "spool"]);
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            faults.push(format!("{}: {lines} lines", path.display()));
        }
        // A test file beside its module is described by it.
        let tests =
            path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("tests.rs"));
        if !tests && !text.starts_with("//! ") {
            faults.push(format!("{}: no module comment", path.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_is_left_over() {
    let leftovers = ["todo!(", "unimplemented!(", concat!("FIX", "ME"), concat!("XX", "X ")];
    let mut faults = Vec::new();
    for (path, text) in sources() {
        for leftover in leftovers.iter().filter(|leftover| text.contains(**leftover)) {
            faults.push(format!("{}: {leftover}", path.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 20, "sources were not found");
    files
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.strip_prefix(&root).unwrap().to_owned(), text)
        })
        .collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// `dicom/uid.rs` → `dicom`; `clock.rs` → `clock`.
fn module_of(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// First names after `crate::`, also inside brace groups.
fn imports(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            names.extend(group_heads(group));
        } else {
            names.insert(head(rest));
        }
    }
    names.remove("");
    names
}

/// Heads of the parts of a brace group, nested groups skipped.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut heads) = (1, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => {
                heads.push(head(group[start..at].trim()));
                start = at + 1;
            }
            _ => {}
        }
        if depth == 0 {
            heads.push(head(group[start..at].trim()));
            break;
        }
    }
    heads
}

fn head(path: &str) -> String {
    path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
