//! What we do at a destination: contexts, its answers, waits.

use super::acceptor::hex;
use super::{Table, code, text, wait};
use crate::dicom::{TransferSyntax, Uid};
use crate::dimse::scu::{Kind, VERIFICATION, plan_contexts, verification_contexts};
use crate::forward::backoff::OPEN_AFTER;
use crate::forward::outcome::PROCESSING_TRIES_MAX;
use crate::forward::{Answer, Outcome, Waits, outcome};
use crate::pipeline::deliver::ITEM_FAILURES_MAX;

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const JPEG: &str = "1.2.840.10008.1.2.4.50";

/// Contexts that are proposed for each SOP class.
pub(super) fn contexts() -> Table {
    let kind = Kind {
        class: Uid::constant(CT),
        transfer_syntax: TransferSyntax::new(Uid::constant(JPEG)),
    };
    let contexts = plan_contexts(std::slice::from_ref(&kind)).into_iter();
    let storage = contexts.flat_map(|(_, syntaxes)| syntaxes).map(|syntax| {
        let syntax = if syntax == kind.transfer_syntax {
            text("that of the clean object")
        } else {
            code(syntax.as_str())
        };
        [text("each storage SOP class at hand"), syntax]
    });
    let verification = verification_contexts().into_iter().flat_map(|(_, syntaxes)| syntaxes);
    let verification = verification
        .map(|syntax| [format!("Verification {}", code(VERIFICATION)), code(syntax.as_str())]);
    let head = ["abstract syntax", "transfer syntax of one context"];
    let name = ("scu-contexts", "Presentation contexts proposed");
    Table::new(name, head, storage.chain(verification))
}

/// Statuses of a destination and what they lead to: every one of the 65,536.
pub(super) fn statuses() -> Table {
    let mut ranges: Vec<(u16, u16, String)> = Vec::new();
    for status in 0..=u16::MAX {
        let then = words(&outcome(&Answer::Status(status), 1));
        match ranges.last_mut() {
            Some((_, last, same)) if *same == then => *last = status,
            Some(_) | None => ranges.push((status, status, then)),
        }
    }
    // What most of them lead to stands once, at the end.
    let unknown = words(&outcome(&Answer::Status(0x1234), 1));
    let named = [0x0112, 0x0117, 0x0122, 0x0212, 0xA900, 0xC000].map(hex);
    let rows = ranges.into_iter().filter(|(.., then)| *then != unknown).map(|(from, to, then)| {
        let shown = if from == to { hex(from) } else { format!("{}–{}", hex(from), hex(to)) };
        [shown, then]
    });
    let others = [format!("any other, as {}", named.join(", ")), unknown.clone()];
    let name = ("c-store-scu-statuses", "C-STORE as SCU: statuses");
    Table::new(name, ["status", "then"], rows.chain([others]))
}

/// What else a destination may do.
pub(super) fn others() -> Table {
    let rejected = |permanent| Answer::Rejected { permanent, from: 1, reason: 1 };
    let syntax = TransferSyntax::explicit_le();
    let rows = [
        ("no connection, no TLS, no association", Answer::Unreachable),
        ("A-ASSOCIATE-RJ, transient", rejected(false)),
        ("either of these while other associations of ours with it are open", Answer::NoFurther),
        ("A-ASSOCIATE-RJ, permanent", rejected(true)),
        ("A-ABORT before the response", Answer::Aborted),
        ("the end, silence, or an answer without meaning before the response", Answer::Broken),
        (
            "the SOP class is accepted in another of the proposed transfer syntaxes alone",
            Answer::OtherSyntax(syntax),
        ),
        ("the SOP class is accepted in none (result 4)", Answer::NoSyntax),
        ("the SOP class is not accepted", Answer::NoClass),
    ]
    .map(|(what, answer)| [text(what), words(&outcome(&answer, 1))]);
    Table::new(("scu-events", "As SCU: other events"), ["what happens", "then"], rows)
}

/// How long, how often.
pub(super) fn waits() -> Table {
    let waits = Waits::default();
    let row = |what: &str, value: String| [text(what), value];
    let rows = [
        row("wait after the first failure; doubled with each, ± 20 %", wait(waits.first)),
        row("longest wait", wait(waits.longest)),
        row("wait after a refusal that only a person can mend, ± 20 %", wait(waits.refused)),
        row("failures in a row after which C-ECHO asks first", OPEN_AFTER.to_string()),
        row(
            "instances that may fail in a row before the destination waits",
            ITEM_FAILURES_MAX.to_string(),
        ),
        row("tries of an instance answered 0110", PROCESSING_TRIES_MAX.to_string()),
    ];
    Table::new(("scu-waits", "As SCU: waits and tries"), ["what", "value"], rows)
}

fn words(outcome: &Outcome) -> String {
    text(match outcome {
        Outcome::Delivered => "delivered",
        Outcome::DeliveredWithWarning(_) => "delivered; the status stands in receipt and log",
        Outcome::AlreadyThere(_) => {
            "delivered if the same was, or may have been, sent there before; else quarantined"
        }
        Outcome::RetryItem => "this instance is sent again, the same bytes under the same UID",
        Outcome::RetryDestination => "the destination waits; the same bytes are sent again",
        Outcome::PauseDestination => {
            "the destination waits long and is asked by C-ECHO first; an error is logged"
        }
        Outcome::FewerAssociations => {
            "the instance goes over those; a further one is asked for again after the longest wait"
        }
        Outcome::OtherSyntaxNeeded(_) => {
            "cleaned again, to leave uncompressed in that transfer syntax for all that have not got it"
        }
        Outcome::Quarantine(_) => "quarantined, once other destinations have it",
    })
}
