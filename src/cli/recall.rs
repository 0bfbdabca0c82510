//! `airlock recall`.

use super::Failure;
use super::asked::ask;
use super::queue::{odd, print_json};
use crate::config::Config;
use crate::control::{Answer, Request};
use crate::error::ExitCode;
use crate::pipeline::RecallView;

/// Shows what rejection notes withdrew.
pub(super) fn run(config: &Config, json: bool) -> Result<ExitCode, Failure> {
    let Answer::Recalls(recalls) = ask(config, Request::Recalls)? else { return Err(odd()) };
    if json {
        return print_json(&recalls);
    }
    recalls.iter().for_each(print);
    println!("{} recalls", recalls.len());
    Ok(ExitCode::Ok)
}

/// Sent ones one by one: they have to be withdrawn where they are.
fn print(recall: &RecallView) {
    let named = recall.instances.len();
    let held = recall.instances.iter().filter(|instance| instance.held).count();
    let sent = recall.instances.iter().filter(|instance| !instance.sent.is_empty());
    println!("{}  {}  {}: {}", recall.time, recall.project, recall.code, recall.meaning);
    println!("  names {named} instances: {} sent, {held} held", sent.clone().count());
    for instance in sent {
        for (destination, time) in &instance.sent {
            println!("  sent to {destination} at {time}: {}", instance.instance);
        }
    }
}
