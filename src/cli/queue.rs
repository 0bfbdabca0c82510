//! `airlock queue` and `airlock quarantine`.

use std::time::Duration;

use humantime_serde::re::humantime::format_duration;

use super::Failure;
use super::args::{QuarantineCommand, ReleaseArgs, Then};
use super::asked::ask;
use crate::config::Config;
use crate::control::{Answer, Request};
use crate::error::ExitCode;
use crate::pipeline::{Choice, PutOffView, QuarantineView, ReleaseOrder, TroubleView, Which};

/// What waits where.
pub(super) fn status(config: &Config, json: bool) -> Result<ExitCode, Failure> {
    let Answer::Queue(view) = ask(config, Request::Queue)? else { return Err(odd()) };
    if json {
        return print_json(&view);
    }
    println!("waiting to be cleaned: {}", view.received);
    for (destination, waiting) in &view.outbox {
        println!("waiting for {destination}: {waiting}");
        if let Some(trouble) = view.troubles.get(destination) {
            print_trouble(trouble);
        }
        if let Some(refused) = view.refused.get(destination) {
            println!(
                "  {refused} refused for good: set aside when the other destinations have them"
            );
        }
    }
    println!("in quarantine: {}", view.quarantine);
    println!("delivered and kept: {}", view.kept);
    for (destination, view) in &view.commitments {
        println!("storage commitment of {destination} awaited for: {}", view.awaited);
        if view.given_up > 0 {
            println!(
                "{destination} NEVER REPORTED on {}: they are kept for a grace time; find out \
                 whether it has them",
                view.given_up
            );
        }
    }
    println!("oldest waits for: {} s", view.oldest_seconds);
    let files = view.free_files.map_or_else(String::new, |files| format!(", {files} files"));
    println!("free: {} MiB{files}", view.free_bytes >> 20);
    if let Some(used_bytes) = view.used_bytes {
        println!("used of the quota: {} MiB", used_bytes >> 20);
    }
    if let Some(seconds) = view.room_seconds {
        let room = format_duration(Duration::from_secs(seconds / 60 * 60));
        let at_least = if view.kept > 0 { "at least " } else { "" };
        println!(
            "room, should nothing go out, by the busiest hour since the start: {at_least}{room}"
        );
    }
    for put_off in &view.put_off {
        let PutOffView { what, for_seconds, tries, .. } = put_off;
        let of_what = put_off.of_what();
        println!("PUT OFF: {of_what}, for {for_seconds} s, tries {tries}: {what}");
    }
    for found in &view.found {
        println!("found at a start: {found}");
    }
    for alarm in &view.alarms {
        println!("ALARM: {alarm}");
    }
    if view.failed {
        println!("NOTHING IS TAKEN until the node is restarted");
    }
    Ok(ExitCode::Ok)
}

fn print_trouble(trouble: &TroubleView) {
    let TroubleView { since, failures, said, next_try_seconds, .. } = trouble;
    let what = if trouble.refuses {
        "REFUSES US (check AE titles and its configuration)"
    } else {
        "takes nothing at present"
    };
    println!("  {what} since {since}: {said}");
    println!("  failures in a row: {failures}; tried again in {next_try_seconds} s");
}

/// What became of studies.
pub(super) fn studies(
    config: &Config,
    study: Option<String>,
    json: bool,
) -> Result<ExitCode, Failure> {
    let Answer::Studies(views) = ask(config, Request::Studies { study })? else {
        return Err(odd());
    };
    if json {
        return print_json(&views);
    }
    for view in &views {
        println!("{}  {}", view.study, view.project);
        println!(
            "  received {}: delivered {}, waiting {}, in quarantine {}, discarded {}",
            view.received, view.delivered, view.waiting, view.quarantined, view.discarded
        );
        if let Some(what) = waits(&view.waits_for) {
            println!("  {what}");
        }
    }
    println!("{} studies", views.len());
    Ok(ExitCode::Ok)
}

/// What a study waits for, and what to do.
fn waits(word: &str) -> Option<&'static str> {
    match word {
        "quiet" => Some("waits: more of it may come (project.NAME.quiet)"),
        "cleaning" => Some("waits: what came while it did is being cleaned"),
        "quarantine" => Some(
            "waits: an instance of it, or one of an unknown study that came with it, stands in \
             quarantine; release or discard it",
        ),
        "start" => Some("waits: the node has just started"),
        _ => None,
    }
}

/// Looks at, releases or discards.
pub(super) fn quarantine(config: &Config, command: QuarantineCommand) -> Result<ExitCode, Failure> {
    let mut show = Show::Each;
    let as_json;
    let request = match command {
        QuarantineCommand::List { each, json } => {
            as_json = json;
            show = if each { Show::Each } else { Show::Causes };
            Request::Quarantine { id: None }
        }
        QuarantineCommand::Show { id, json } => {
            as_json = json;
            Request::Quarantine { id: Some(id) }
        }
        QuarantineCommand::Release(args) => {
            as_json = args.json;
            Request::Release(order(args))
        }
        QuarantineCommand::Discard { id, actor, reason, json } => {
            as_json = json;
            Request::Discard { id, actor, reason }
        }
    };
    match ask(config, request)? {
        Answer::Quarantine(views) if as_json => print_json(&views),
        Answer::Done(ids) if as_json => print_json(&ids),
        Answer::Quarantine(views) => {
            match show {
                Show::Each => views.iter().for_each(print_each),
                Show::Causes => print_causes(&views),
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
        | Answer::Studies(_)
        | Answer::Receipts(_)
        | Answer::Recalls(_)
        | Answer::ChainWhole(_)
        | Answer::Persons(_)
        | Answer::Failed { .. } => Err(odd()),
    }
}

/// How a list is shown.
#[derive(Debug, Clone, Copy)]
enum Show {
    Each,
    Causes,
}

fn order(args: ReleaseArgs) -> ReleaseOrder {
    let choice = |then| match then {
        Then::Remove => Choice::Remove,
        Then::Empty => Choice::Empty,
        Then::Adopt => Choice::Adopt,
        Then::Accept => Choice::Accept,
        Then::Replace => Choice::Replace,
    };
    ReleaseOrder {
        which: args.cause.map_or(Which::Ids(args.ids), Which::Cause),
        then: args.then.map(choice),
        actor: args.actor.unwrap_or_default(),
        reason: args.reason.unwrap_or_default(),
    }
}

fn print_each(view: &QuarantineView) {
    println!("{}  {}  {}  {} bytes", view.id, view.received, view.project, view.bytes);
    println!("  {}: {}", view.reason, view.plain);
    if !view.detail.is_empty() {
        println!("  where: {}", view.detail);
    }
    println!("  what to do: {}", view.next_step);
}

/// One entry a cause, the first that came first.
fn print_causes(views: &[QuarantineView]) {
    let mut counts: Vec<(&QuarantineView, usize)> = Vec::new();
    for view in views {
        match counts.iter_mut().find(|(first, _)| first.cause == view.cause) {
            Some((_, count)) => *count += 1,
            None => counts.push((view, 1)),
        }
    }
    for (first, count) in counts {
        let instances = if count == 1 { "instance" } else { "instances" };
        println!("cause {}  {count} {instances}  {}", first.cause, first.project);
        println!("  {}: {}", first.reason, first.plain);
        if !first.detail.is_empty() {
            println!("  where: {}", first.detail);
        }
        if !first.study.is_empty() {
            println!("  study: {}", first.study);
        }
        println!("  since {}, first {}", first.received, first.id);
        println!("  what to do: {}", first.next_step);
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
