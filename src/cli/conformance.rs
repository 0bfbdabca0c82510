//! `airlock conformance`: the tables of the conformance statement.

use std::io::{self, Write as _};

use super::Failure;
use super::queue::print_json;
use crate::app::conformance::tables;
use crate::config::Config;
use crate::error::ExitCode;

/// Prints each table as Markdown under its title, or all as JSON.
pub(super) fn run(config: &Config, json: bool) -> Result<ExitCode, Failure> {
    let tables = tables(config);
    if json {
        return print_json(&tables);
    }
    let sections = tables.iter().map(|table| format!("## {}\n\n{}", table.title, table.markdown()));
    let text = sections.collect::<Vec<_>>().join("\n");
    match io::stdout().lock().write_all(text.as_bytes()) {
        // Who reads has read enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::Ok),
        Err(error) => Err(Failure::later(error)),
        Ok(()) => Ok(ExitCode::Ok),
    }
}
