//! Storage Commitment: when it is asked for, what is answered, and what is reported.

use super::acceptor::hex;
use super::{Table, bytes, code, text, wait};
use crate::dimse::commitment::{
    CLASS_INSTANCE_CONFLICT, DATA_SET_BYTES_MAX, NO_SUCH_INSTANCE, PROCESSING_FAILURE,
    REFERENCES_MAX, Refusal, contexts as proposed,
};
use crate::dimse::status;
use crate::pipeline::committer::{BATCH_DELAY, BATCH_MAX, LISTEN, RESENDS_MAX, SILENCES_MAX};

/// Contexts that are proposed, in either role.
pub(super) fn contexts() -> Table {
    let rows = proposed().into_iter().flat_map(|(class, syntaxes)| {
        let class = code(class.as_str());
        syntaxes.into_iter().map(move |syntax| [class.clone(), code(syntax.as_str())])
    });
    let head = ["abstract syntax", "transfer syntax"];
    Table::new(("commitment-contexts", "Storage Commitment: one context"), head, rows)
}

/// What N-ACTION and N-EVENT-REPORT are answered.
pub(super) fn statuses() -> Table {
    let taken = [
        hex(status::SUCCESS),
        text("the report is noted durably; the request is answered by a report"),
        text("–"),
    ];
    let refused = Refusal::ALL
        .iter()
        .map(|refusal| [hex(refusal.status()), text(refusal.when()), text(refusal.comment())]);
    let head = ["status", "when", "Error Comment"];
    let name = ("commitment-statuses", "N-ACTION as SCP, N-EVENT-REPORT as SCU: statuses");
    Table::new(name, head, [taken].into_iter().chain(refused))
}

/// How a destination is asked.
pub(super) fn asking() -> Table {
    let row = |what: &str, value: String| [text(what), value];
    let rows = [
        row("most instances of one request", BATCH_MAX.to_string()),
        row("wait for others after the first, or a tenth of `commitment_wait`", wait(BATCH_DELAY)),
        row(
            "the association stays open for reports, or a tenth of `commitment_wait`",
            wait(LISTEN),
        ),
        row("requests without a report before it is given up", SILENCES_MAX.to_string()),
        row("times that an instance is sent again because it is not kept", RESENDS_MAX.to_string()),
        row("most references of a message that is read", REFERENCES_MAX.to_string()),
        row("longest data set of a message that is read", bytes(DATA_SET_BYTES_MAX as u64)),
    ];
    let name = ("commitment-limits", "Storage Commitment: times and limits");
    Table::new(name, ["what", "value"], rows)
}

/// What a sender that may ask is told (PS3.3 §C.14.1.1).
pub(super) fn failures() -> Table {
    let rows = [
        (
            text("Referenced SOP Sequence"),
            "its original is held: received, delivered and kept, or in quarantine",
        ),
        (
            hex(NO_SUCH_INSTANCE),
            "nothing whole is held of it, or not for this project or not from this AE title",
        ),
        (hex(CLASS_INSTANCE_CONFLICT), "it is held under another SOP class"),
        (hex(PROCESSING_FAILURE), "the disk failed"),
    ]
    .map(|(reason, when)| [reason, text(when)]);
    let name = ("commitment-failures", "Storage Commitment as SCP: what is reported");
    Table::new(name, ["Failure Reason", "when"], rows)
}
