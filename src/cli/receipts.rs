//! `airlock receipts`.

use super::Failure;
use super::args::{ReceiptsArgs, ReceiptsCommand};
use super::asked::ask;
use super::queue::odd;
use crate::clock::rfc3339;
use crate::config::Config;
use crate::control::{Answer, Request};
use crate::error::ExitCode;
use crate::receipt::{Outcome, Receipt};

/// Shows or verifies.
pub(super) fn run(config: &Config, args: ReceiptsArgs) -> Result<ExitCode, Failure> {
    if let Some(ReceiptsCommand::Verify) = args.command {
        let Answer::ChainWhole(lines) = ask(config, Request::VerifyReceipts)? else {
            return Err(odd());
        };
        println!("the chain is whole: {lines} receipts");
        return Ok(ExitCode::Ok);
    }
    let Answer::Receipts(receipts) = ask(config, Request::Receipts { study: args.study })? else {
        return Err(odd());
    };
    if args.csv {
        println!("time,id,project,outcome,study,series,instance,profile,input,output");
    }
    for receipt in &receipts {
        if args.json {
            println!("{}", serde_json::to_string(receipt).map_err(Failure::usage)?);
        } else {
            println!("{}", line(receipt, if args.csv { "," } else { "  " }));
        }
    }
    Ok(ExitCode::Ok)
}

fn line(receipt: &Receipt, gap: &str) -> String {
    let cleaning = receipt.cleaning.as_ref();
    let word = |pick: fn(&crate::receipt::Cleaning) -> &String| {
        cleaning.map(|cleaning| pick(cleaning).clone()).unwrap_or_default()
    };
    let outcome = match &receipt.outcome {
        Outcome::Delivered { destination, status } => {
            format!("delivered to {destination} ({status:04X}H)")
        }
        Outcome::Committed { destination } => format!("committed by {destination}"),
        Outcome::Quarantined { reason, .. } => format!("quarantined: {}", reason.code()),
        Outcome::Discarded { actor, .. } => format!("discarded by {actor}"),
        Outcome::Released(release) if release.then.is_empty() => "released".to_owned(),
        Outcome::Released(release) => format!("released by {}: {}", release.actor, release.then),
        Outcome::Recall { code, instances } => format!("recalls {instances}: {code}"),
        Outcome::TableUse { action, actor, code, persons, .. } => {
            format!("pseudonyms: {action:?} of {persons} by {actor} {code}").to_lowercase()
        }
    };
    // A comma or a line break in an actor's name must not make a column.
    let outcome = outcome.replace([',', '\n', '\r', '"'], " ");
    [
        rfc3339(receipt.time_unix_ms),
        receipt.id.clone(),
        receipt.project.clone(),
        outcome,
        word(|cleaning| &cleaning.study),
        word(|cleaning| &cleaning.series),
        word(|cleaning| &cleaning.instance),
        word(|cleaning| &cleaning.profile),
        receipt.input.clone(),
        word(|cleaning| &cleaning.output),
    ]
    .join(gap)
}
