//! How associations come about and end: what we say of ourselves, limits, times,
//! answers to contexts and to extended negotiation, rejections, aborts.

use dicom_ul::pdu::{
    AbortRQSource, AssociationRQ, Pdu, PresentationContextProposed,
    PresentationContextResultReason as ContextAnswer, RequestorRoles, UserIdentity,
    UserIdentityType, UserVariableItem, write_pdu,
};

use super::acceptor::offer;
use super::{Table, bytes, code, text, wait};
use crate::accept::AcceptLimits;
use crate::config::Config;
use crate::dicom::transfer_syntax::{EXPLICIT_VR_LE, IMPLICIT_VR_LE};
use crate::dicom::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME};
use crate::dimse::association::negotiation::{APPLICATION_CONTEXT, Rejection, accept};
use crate::dimse::command::CommandError;
use crate::dimse::limits::{
    COMMAND_BYTES_MAX, COMMAND_FRAGMENTS_MAX, CONTEXTS_MAX, PEER_PDU_BYTES_MIN, SENT_PDU_BYTES_MAX,
};
use crate::dimse::pdu::PduError;
use crate::dimse::{AssociationError, Limits};
use crate::forward::send::SendLimits;

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const WORKLIST: &str = "1.2.840.10008.5.1.4.31";
/// A private transfer syntax, of which nobody outside knows the coding.
const PRIVATE_SYNTAX: &str = "1.3.46.670589.33.1.4.1";

/// Who we are (PS3.7 §D.3.3.2).
pub(super) fn implementation() -> Table {
    let row = |what: &str, value: &str| [text(what), code(value)];
    let rows = [
        row("application context name", APPLICATION_CONTEXT),
        row("Implementation Class UID", IMPLEMENTATION_CLASS_UID),
        row("Implementation Version Name", IMPLEMENTATION_VERSION_NAME),
    ];
    Table::new(("implementation", "Implementation"), ["what", "value"], rows)
}

/// How much at once.
pub(super) fn limits(config: &Config) -> Table {
    let (accept, limits) = (AcceptLimits::default(), Limits::default());
    let row = |what: &str, value: String, key: &str| {
        [text(what), value, if key.is_empty() { text("–") } else { code(key) }]
    };
    let length = |count: usize| bytes(u64::try_from(count).unwrap_or(u64::MAX));
    let rows = [
        row(
            "associations at once, as acceptor",
            config.associations_max.to_string(),
            "dicom.associations_max",
        ),
        row(
            "of one address",
            config.associations_per_address_max.to_string(),
            "dicom.associations_per_address_max",
        ),
        row("of one sender", text("the same"), "sender.NAME.associations_max"),
        row(
            "connections at once, with or without association; fewer with under 1,536 file descriptors",
            accept.connections_max.to_string(),
            "",
        ),
        row(
            "of one address, IPv6 by networks of 64 bits",
            accept.connections_per_address_max.to_string(),
            "",
        ),
        row(
            "associations at once, as requestor",
            text("1 for each destination"),
            "destination.NAME.associations",
        ),
        row("outstanding operations, either role", text("1"), ""),
        row("presentation contexts of an association", CONTEXTS_MAX.to_string(), ""),
        row("maximum length received", bytes(limits.pdu_bytes_max.into()), ""),
        row("maximum length sent", bytes(SENT_PDU_BYTES_MAX.into()), ""),
        row("least maximum length of a peer", bytes(PEER_PDU_BYTES_MIN.into()), ""),
        row("A-ASSOCIATE-RQ or -AC", bytes(limits.associate_bytes_max.into()), ""),
        row("command set", length(COMMAND_BYTES_MAX), ""),
        row("its fragments", COMMAND_FRAGMENTS_MAX.to_string(), ""),
        row("data set read after its refusal", length(limits.unwanted_bytes_max), ""),
    ];
    Table::new(
        ("association-limits", "Associations: how much"),
        ["what", "at most", "configuration"],
        rows,
    )
}

/// How long.
pub(super) fn times() -> Table {
    let (accept, limits, send) =
        (AcceptLimits::default(), Limits::default(), SendLimits::default());
    let row = |what: &str, time, key: &str| {
        [text(what), wait(time), if key.is_empty() { text("–") } else { code(key) }]
    };
    let rows = [
        row("TLS handshake; request; answer to a request or release (ARTIM)", limits.artim, ""),
        row("silence between two messages, as acceptor", limits.idle, "sender.NAME.idle"),
        row("silence inside a message; a write that hangs", limits.stall, ""),
        row("a PDU that is no P-DATA-TF, from first to last byte", limits.pdu_time_max, ""),
        row("answer to our C-STORE or C-ECHO", limits.answer, ""),
        row("name look-up with TCP connect, as requestor", limits.connect, ""),
        row("an idle association of ours until its release", send.idle_release, ""),
        row("messages in progress at the node's end", accept.drain, ""),
    ];
    Table::new(("times", "Associations: how long"), ["what", "at most", "configuration"], rows)
}

/// What single contexts are answered (PS3.8 Table 9-18).
pub(super) fn context_results(config: &Config) -> Table {
    let asked = [
        (CT, EXPLICIT_VR_LE, "a SOP class and one of the transfer syntaxes above"),
        (WORKLIST, IMPLICIT_VR_LE, "another SOP class; the association is accepted all the same"),
        (CT, PRIVATE_SYNTAX, "no transfer syntax whose coding is known"),
    ];
    let contexts =
        (1..).step_by(2).zip(asked).map(|(id, (class, syntax, _))| PresentationContextProposed {
            id,
            abstract_syntax: text(class),
            transfer_syntaxes: vec![text(syntax)],
        });
    let request = request(contexts.collect(), Vec::new());
    let (answer, _) = accept(&request, &offer(config), &Limits::default());
    let rows = answer.presentation_contexts.iter().zip(asked).map(|(context, (_, _, when))| {
        let (result, meaning) = match &context.reason {
            ContextAnswer::Acceptance => (0, "acceptance"),
            ContextAnswer::UserRejection => (1, "user rejection"),
            ContextAnswer::NoReason => (2, "no reason"),
            ContextAnswer::AbstractSyntaxNotSupported => (3, "abstract syntax not supported"),
            ContextAnswer::TransferSyntaxesNotSupported => (4, "transfer syntaxes not supported"),
        };
        [text(when), result.to_string(), text(meaning)]
    });
    let name = ("context-results", "Presentation contexts: answers");
    Table::new(name, ["proposed", "result", "meaning"], rows)
}

/// What items of extended negotiation are answered (PS3.7 §D.3.3).
pub(super) fn extended(config: &Config) -> Table {
    let roles = RequestorRoles { scu: true, scp: true };
    let identity =
        UserIdentity::new(true, UserIdentityType::Username, b"user".to_vec(), Vec::new());
    let asked = [
        ("SCP/SCU Role Selection", UserVariableItem::ScuScpRoleSelectionSubItem(text(CT), roles)),
        ("Asynchronous Operations Window", UserVariableItem::Unknown(0x53, vec![0, 9, 0, 9])),
        (
            "SOP Class Extended Negotiation",
            UserVariableItem::SopClassExtendedNegotiationSubItem(text(CT), vec![2, 0, 0, 0]),
        ),
        ("SOP Class Common Extended Negotiation", UserVariableItem::Unknown(0x57, vec![0, 0])),
        ("User Identity; no `sender.NAME.user`", UserVariableItem::UserIdentityItem(identity)),
    ];
    let own = accept(&request(Vec::new(), Vec::new()), &offer(config), &Limits::default());
    let own = own.0.user_variables.len();
    let rows = asked.map(|(name, item)| {
        let request = request(Vec::new(), vec![item]);
        let (answer, _) = accept(&request, &offer(config), &Limits::default());
        let said = match answer.user_variables.get(own) {
            None => text("not answered: the default holds"),
            Some(UserVariableItem::ScuScpRoleSelectionSubItem(_, roles)) => format!(
                "SCU {}, SCP {}",
                if roles.scu { "accepted" } else { "declined" },
                if roles.scp { "accepted" } else { "declined" }
            ),
            Some(_) => text("answered"),
        };
        let proposed = match name {
            "SCP/SCU Role Selection" => "SCP for Storage Commitment, to report (4.2.1.5)",
            _others => "never proposed",
        };
        [text(name), said, text(proposed)]
    });
    let commitment = [
        "SCP/SCU Role Selection, Storage Commitment",
        "SCU accepted from a sender with `sender.NAME.commitment`, SCP from a destination that is asked; else declined",
        "as above",
    ];
    let user = [
        "User Identity; `sender.NAME.user`",
        "types 1 and 2 checked: wrong or missing is rejected, right is answered where asked for; others are rejected",
        "never proposed",
    ];
    let rows = rows.into_iter().chain([commitment.map(text), user.map(text)]);
    let head = ["item", "as acceptor", "as requestor"];
    Table::new(("extended-negotiation", "Extended negotiation"), head, rows)
}

/// A-ASSOCIATE-RJ (PS3.8 Table 9-21).
pub(super) fn rejections() -> Table {
    let rows = Rejection::ALL.iter().map(|rejection| {
        let [result, source, reason] = last_bytes(&Pdu::AssociationRJ(rejection.to_pdu()));
        let kind = if result == 1 { "permanent" } else { "transient" };
        let kind = format!("{result} ({kind})");
        [rejection.to_string(), kind, source.to_string(), reason.to_string()]
    });
    let head = ["when", "result", "source", "reason"];
    Table::new(("rejections", "A-ASSOCIATE-RJ"), head, rows)
}

/// A-ABORT (PS3.8 Table 9-26).
pub(super) fn aborts() -> Table {
    let limit_bytes = Limits::default().pdu_bytes_max;
    let out_of_turn = AssociationError::OutOfTurn { what: "P-DATA-TF" };
    let bad_length = PduError::BadLength { kind: 4, bytes: u32::MAX, limit_bytes };
    let late = PduError::TimedOut { awaited: "byte", seconds: 0 };
    let errors: [(&str, AssociationError); 8] = [
        ("a time of the table above has passed", late.into()),
        ("a PDU of unknown type: HTTP, TLS, noise", PduError::UnknownType { kind: 0 }.into()),
        ("a PDU of a length that its type does not allow", bad_length.into()),
        (
            "a malformed PDU; a presentation context with an even number, or twice",
            PduError::Malformed { what: "PDU" }.into(),
        ),
        (
            "a fragment for a context that was not accepted",
            AssociationError::ForeignContext { id: 1 },
        ),
        ("a PDU or fragment that has no place in this state", out_of_turn),
        ("a command set without meaning", CommandError::Truncated.into()),
        ("a command or a refused data set without end", AssociationError::Endless),
    ];
    let rows = errors.into_iter().map(|(when, error)| {
        // Each of these has somebody left to tell.
        let source = error.abort_source().unwrap_or(AbortRQSource::Reserved);
        let [_, source, reason] = last_bytes(&Pdu::AbortRQ { source });
        [text(when), source.to_string(), reason.to_string()]
    });
    Table::new(("aborts", "A-ABORT"), ["when", "source", "reason"], rows)
}

fn request(
    presentation_contexts: Vec<PresentationContextProposed>,
    user_variables: Vec<UserVariableItem>,
) -> AssociationRQ {
    AssociationRQ {
        protocol_version: 1,
        calling_ae_title: text("MODALITY"),
        called_ae_title: text("AIRLOCK"),
        application_context_name: text(APPLICATION_CONTEXT),
        presentation_contexts,
        user_variables,
    }
}

/// Result, source and reason as they go over the wire.
fn last_bytes(pdu: &Pdu) -> [u8; 3] {
    let mut written = Vec::new();
    // Writing into memory does not fail; nothing written shows as zeros.
    drop(write_pdu(&mut written, pdu));
    written.last_chunk().copied().unwrap_or_default()
}
