//! `airlock rules`: device rules from other programs, and those in force.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

use super::Failure;
use super::args::{ImportArgs, RulesFormat};
use crate::config::import::{self, Format};
use crate::config::{Config, DeviceRule, RectPx, device_file};
use crate::error::ExitCode;

/// Reads a script or recipe and writes what became of it: rules to `--out` or
/// standard output, what is left out to standard error.
pub(super) fn import(options: &ImportArgs) -> Result<ExitCode, Failure> {
    let path = &options.file;
    let failed = |error: std::io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let bytes = device_file::text_of(path).map_err(failed)?;
    let text = String::from_utf8_lossy(&bytes);
    let format = match options.format {
        Some(RulesFormat::Ctp) => Format::Ctp,
        Some(RulesFormat::Deid) => Format::Deid,
        None => Format::guess(&text),
    };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let imported = import::import(&text, format, &stem);
    for left_out in &imported.left_out {
        eprintln!("line {}: left out: {}", left_out.line, left_out.what);
    }
    if imported.rules.is_empty() {
        return Err(Failure::usage(format!("{}: no rule came out of it", path.display())));
    }
    let source = path.file_name().unwrap_or_default().to_string_lossy();
    let toml = imported.to_toml(&source);
    // What the node would refuse is no result.
    device_file::checked(&toml)
        .map_err(|faults| Failure { code: ExitCode::Bug, what: faults.join("\n") })?;
    match &options.out {
        Some(out) => write_new(out, &toml)?,
        None => print!("{toml}"),
    }
    eprintln!("{} rules, {} left out", imported.rules.len(), imported.left_out.len());
    Ok(if imported.left_out.is_empty() { ExitCode::Ok } else { ExitCode::Quarantined })
}

/// A file that is there already stays: somebody may have worked on it.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

/// One rule of one project.
#[derive(Serialize)]
struct Shown<'a> {
    project: &'a str,
    id: &'a str,
    when: Vec<String>,
    hide: &'a [RectPx],
    hide_outside: &'a [RectPx],
    trust: &'a [RectPx],
    quarantine: bool,
}

impl<'a> Shown<'a> {
    fn of(project: &'a str, rule: &'a DeviceRule) -> Self {
        Self {
            project,
            id: &rule.id,
            when: rule.when.iter().map(import::condition_text).collect(),
            hide: &rule.hide,
            hide_outside: &rule.hide_outside,
            trust: &rule.trust,
            quarantine: rule.quarantine,
        }
    }

    fn print(&self) {
        println!("{}: {}", self.project, self.id);
        for condition in &self.when {
            println!("  when {condition}");
        }
        for (what, rects) in
            [("hide", self.hide), ("hide outside", self.hide_outside), ("trust", self.trust)]
        {
            for [left, top, width, height] in rects {
                println!("  {what} {width} × {height} at {left}, {top}");
            }
        }
        if self.quarantine {
            println!("  quarantine");
        }
    }
}

/// The rules of each project, in the order in which they are tried.
pub(super) fn list(config: &Config, json: bool) -> Result<ExitCode, Failure> {
    for (project, checked) in &config.projects {
        for rule in &checked.rules.devices.rules {
            let shown = Shown::of(project, rule);
            if json {
                println!("{}", serde_json::to_string(&shown).map_err(Failure::usage)?);
            } else {
                shown.print();
            }
        }
    }
    Ok(ExitCode::Ok)
}
