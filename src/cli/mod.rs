//! Command line: arguments in, exit code out (DESIGN.md §4).
//!
//! The one place that prints. Nothing here decides; each command asks the
//! node over its socket, or does the work through `app`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is this module's work")]

mod args;
mod asked;
mod check;
mod conformance;
mod deid;
mod deid_report;
mod peer;
mod pseudonym;
mod queue;
mod recall;
mod receipts;
mod rules;
mod text;

use std::io::Write as _;

use clap::Parser as _;

use crate::app;
use crate::config::{self, Config};
use crate::error::ExitCode;
use crate::worker::{Role, child};
use args::{Args, Command, RulesCommand, WorkerRole};

/// Runs the program on the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Printing help can fail only where nobody reads it.
            drop(error.print());
            return if error.use_stderr() { ExitCode::Usage } else { ExitCode::Ok };
        }
    };
    // A worker gets its set-up by message and reads no configuration.
    if let Command::Worker { role } = args.command {
        return child::run(match role {
            WorkerRole::Clean => Role::Clean,
            WorkerRole::Verify => Role::Verify,
        });
    }
    std::panic::set_hook(Box::new(|panic| {
        // Not its message: it may quote a value.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // A stderr that is gone must not end the process from here.
        let told = writeln!(
            std::io::stderr(),
            "airlock: a fault of the program at {place}; please report it"
        );
        drop(told);
    }));
    // Needs no configuration: it makes a part of one.
    let done = if let Command::Rules(RulesCommand::Import(options)) = &args.command {
        rules::import(options)
    } else {
        run(args)
    };
    done.unwrap_or_else(|failure| {
        eprintln!("airlock: {}", failure.what);
        failure.code
    })
}

fn run(args: Args) -> Result<ExitCode, Failure> {
    let mut config = config::load(args.config.as_deref()).map_err(Failure::usage)?;
    if let Some(dir) = args.data {
        config.move_data_dir(dir);
    }
    match args.command {
        Command::Serve => serve(config),
        Command::Deid(options) => deid::run(config, options),
        Command::Text { file, json } => text::run(&file, json, &config),
        Command::Echo { peer } => peer::echo(&config, &peer),
        Command::Send { peer, paths } => peer::send(&config, &peer, &paths),
        Command::Check { json } => check::run(&config, json),
        Command::Queue { studies: false, study: None, json } => queue::status(&config, json),
        Command::Queue { study, json, .. } => queue::studies(&config, study, json),
        Command::Quarantine(command) => queue::quarantine(&config, command),
        Command::Pseudonym(command) => pseudonym::run(&config, command),
        Command::Receipts(options) => receipts::run(&config, options),
        Command::Conformance { json } => conformance::run(&config, json),
        Command::Recall { json } => recall::run(&config, json),
        Command::Rules(RulesCommand::Import(options)) => rules::import(&options),
        Command::Rules(RulesCommand::List { json }) => rules::list(&config, json),
        Command::Healthcheck => check::health(&config),
        Command::Worker { .. } => Ok(ExitCode::Bug),
    }
}

/// Longest wait for a step on the disk when the node ends. Default 1 s.
const BLOCKING_WAIT_MAX: std::time::Duration = std::time::Duration::from_secs(1);

fn serve(config: Config) -> Result<ExitCode, Failure> {
    let runtime = runtime()?;
    let served = runtime.block_on(app::serve(config));
    // A step on the disk may end later than we may wait; it is safe at any point.
    runtime.shutdown_timeout(BLOCKING_WAIT_MAX);
    served.map_err(Failure::from)?;
    Ok(ExitCode::Ok)
}

/// The threads of the front: cleaning happens in other processes.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure { code: ExitCode::Bug, what: error.to_string() })
}

/// For the front of a folder: it starts others' work and puts files together on
/// blocking threads. One thread for the rest wakes nobody to do so.
fn folder_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure { code: ExitCode::Bug, what: error.to_string() })
}

/// What the user is told, and the exit code.
#[derive(Debug)]
struct Failure {
    code: ExitCode,
    what: String,
}

impl Failure {
    fn usage(what: impl std::fmt::Display) -> Self {
        Self { code: ExitCode::Usage, what: what.to_string() }
    }

    fn later(what: impl std::fmt::Display) -> Self {
        Self { code: ExitCode::TryLater, what: what.to_string() }
    }
}
