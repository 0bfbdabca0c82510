//! `airlock text`: judges lines of text.

use std::io::{self, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use super::Failure;
use crate::clean::judge::{Judge, LineVerdict, Matcher};
use crate::clean::text::{ModelFiles, TELEMETRY_OFF, is_silent};
use crate::config::checked::DEFAULT_PROJECT;
use crate::config::{CleanRules, Config};
use crate::error::ExitCode;

/// Judges each line of `file` (or standard input for `-`) as one that was read
/// from a picture without doubt, with no data set to compare with, by the rules
/// of the project `default` or of the first one.
pub(super) fn run(file: &Path, json: bool, config: &Config) -> Result<ExitCode, Failure> {
    let files = ModelFiles::find(config.models_dir.as_deref()).map_err(Failure::usage)?;
    if files.names().is_some() && !is_silent() {
        return Err(started_silent());
    }
    let from: Box<dyn Read> = if file == Path::new("-") {
        Box::new(io::stdin())
    } else {
        let opened = std::fs::File::open(file);
        Box::new(opened.map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?)
    };
    let judge = Judge::with_names(&files);
    let first = || config.projects.values().next();
    let project = config.projects.get(DEFAULT_PROJECT).or_else(first);
    let rules = project.map(|project| project.rules.clone()).unwrap_or_default();
    match judge_lines(BufReader::new(from), &judge, &rules, json) {
        // Who reads has read enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::Ok),
        Err(error) => Err(Failure::usage(error)),
        Ok(()) => Ok(ExitCode::Ok),
    }
}

fn judge_lines(
    from: impl io::BufRead,
    judge: &Judge,
    rules: &CleanRules,
    json: bool,
) -> io::Result<()> {
    let matcher = Matcher::default().with_scores(rules.names);
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in from.lines() {
        let line = line?;
        let verdict = judge.line(&line, 1.0, &matcher, rules.text_policy);
        if let Some(trouble) = judge.trouble() {
            return Err(io::Error::other(trouble.what));
        }
        if json {
            writeln!(out, "{}", serde_json::to_string(&verdict)?)?;
        } else {
            let class = if verdict.hide { "hide" } else { "keep" };
            writeln!(out, "{class}\t{}\t{line}", reason_word(&verdict)?)?;
        }
    }
    out.flush()
}

/// Starts this program anew, in this process, so that ONNX Runtime may be
/// loaded; comes back only when that failed.
fn started_silent() -> Failure {
    match std::env::current_exe() {
        Ok(program) => {
            let mut anew = Command::new(program);
            anew.args(std::env::args_os().skip(1)).env(TELEMETRY_OFF, "1");
            Failure::usage(anew.exec())
        }
        Err(error) => Failure::usage(error),
    }
}

/// The reason's stable code.
fn reason_word(verdict: &LineVerdict) -> io::Result<String> {
    let value = serde_json::to_value(verdict.reason)?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}
