//! `airlock text`: judges lines of text.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use super::Failure;
use crate::clean::judge::{Judge, Matcher};
use crate::config::TextPolicy;
use crate::error::ExitCode;

/// Judges each line of `file` (or standard input for `-`) as one that was read
/// from a picture without doubt, with no data set to compare with.
pub(super) fn run(file: &Path, json: bool) -> Result<ExitCode, Failure> {
    let from: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        let opened = std::fs::File::open(file);
        Box::new(opened.map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?)
    };
    let (judge, matcher) = (Judge::new(), Matcher::default());
    for line in BufReader::new(from).lines() {
        let line = line.map_err(Failure::usage)?;
        let verdict = judge.line(&line, 1.0, &matcher, TextPolicy::default());
        if json {
            let shown = serde_json::to_string(&verdict).map_err(Failure::usage)?;
            println!("{shown}");
        } else {
            let class = if verdict.hide { "hide" } else { "keep" };
            println!("{class}\t{}\t{line}", reason_word(&verdict)?);
        }
    }
    Ok(ExitCode::Ok)
}

/// The reason's stable code.
fn reason_word(verdict: &crate::clean::judge::LineVerdict) -> Result<String, Failure> {
    let value = serde_json::to_value(verdict.reason).map_err(Failure::usage)?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}
