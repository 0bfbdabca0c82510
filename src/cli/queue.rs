//! `airlock queue` and `airlock quarantine`.

use super::Failure;
use super::args::QuarantineCommand;
use super::asked::ask;
use crate::config::Config;
use crate::control::{Answer, Request};
use crate::error::ExitCode;

/// What waits where.
pub(super) fn status(config: &Config, json: bool) -> Result<ExitCode, Failure> {
    let Answer::Queue(view) = ask(config, Request::Queue)? else { return Err(odd()) };
    if json {
        return print_json(&view);
    }
    println!("waiting to be cleaned: {}", view.received);
    for (destination, waiting) in &view.outbox {
        println!("waiting for {destination}: {waiting}");
    }
    println!("in quarantine: {}", view.quarantine);
    println!("oldest waits for: {} s", view.oldest_seconds);
    println!("free: {} MiB", view.free_bytes >> 20);
    if view.failed {
        println!("THE DISK FAILED: nothing is taken until the node is restarted");
    }
    Ok(ExitCode::Ok)
}

/// Looks at, releases or discards.
pub(super) fn quarantine(config: &Config, command: QuarantineCommand) -> Result<ExitCode, Failure> {
    let (request, json) = match command {
        QuarantineCommand::List { json } => (Request::Quarantine { id: None }, json),
        QuarantineCommand::Show { id, json } => (Request::Quarantine { id: Some(id) }, json),
        QuarantineCommand::Release { ids, json } => (Request::Release { ids }, json),
        QuarantineCommand::Discard { id, actor, reason, json } => {
            (Request::Discard { id, actor, reason }, json)
        }
    };
    match ask(config, request)? {
        Answer::Quarantine(views) if json => print_json(&views),
        Answer::Done(ids) if json => print_json(&ids),
        Answer::Quarantine(views) => {
            for view in &views {
                println!("{}  {}  {}  {} bytes", view.id, view.received, view.project, view.bytes);
                println!("  {}: {}", view.reason, view.plain);
                if !view.detail.is_empty() {
                    println!("  where: {}", view.detail);
                }
                println!("  what to do: {}", view.next_step);
            }
            println!("{} in quarantine", views.len());
            Ok(ExitCode::Ok)
        }
        Answer::Done(ids) => {
            println!("done: {}", ids.join(" "));
            Ok(ExitCode::Ok)
        }
        Answer::Ready
        | Answer::Queue(_)
        | Answer::Receipts(_)
        | Answer::ChainWhole(_)
        | Answer::Persons(_)
        | Answer::Failed { .. } => Err(odd()),
    }
}

/// Prints one JSON value.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<ExitCode, Failure> {
    println!("{}", serde_json::to_string_pretty(value).map_err(Failure::usage)?);
    Ok(ExitCode::Ok)
}

/// The node answered something else: another version of it runs.
pub(super) fn odd() -> Failure {
    Failure::later("the node that runs here is of another version; restart it")
}
