//! Establishing an association that we ask for (PS3.8 §9.2, states Sta4 and Sta5).

use std::collections::BTreeMap;

use dicom_ul::pdu::{
    AssociationAC, AssociationRQ, Pdu, PresentationContextProposed,
    PresentationContextResultReason as ContextAnswer, RequestorRoles, UserVariableItem,
};

use super::negotiation::{APPLICATION_CONTEXT, our_variables, peer_pdu_bytes_max};
use super::{Association, AssociationError, Context, aborted, out_of_turn, send_abort};
use crate::dicom::{AeTitle, TransferSyntax, Uid};
use crate::dimse::limits::{CONTEXTS_MAX, Limits, PEER_PDU_BYTES_MIN};
use crate::dimse::pdu::{PduError, PduKind};
use crate::dimse::stream::PduStream;
use crate::dimse::transport::Transport;

/// What we ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The peer's AE title.
    pub called: AeTitle,
    /// Our AE title.
    pub calling: AeTitle,
    /// SOP class and transfer syntaxes of each context; numbered in this
    /// order from 1 in odd numbers. Those past 128 are not proposed.
    pub contexts: Vec<(Uid, Vec<TransferSyntax>)>,
    /// SOP classes of which we are the provider here, by SCP/SCU Role Selection
    /// (PS3.7 §D.3.3.4).
    pub provides: Vec<Uid>,
}

/// Why no association came about.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// The peer sent A-ASSOCIATE-RJ (PS3.8 §9.3.4).
    #[error("peer rejected: result {result}, source {from}, reason {reason}")]
    Rejected {
        /// 1 permanent, 2 transient.
        result: u8,
        /// 1 user, 2 provider (ACSE), 3 provider (presentation).
        from: u8,
        /// Meaning depends on the source.
        reason: u8,
    },
    /// Broken, out of turn, or late.
    #[error(transparent)]
    Association(#[from] AssociationError),
}

/// Numbers of the contexts that were not accepted, with the peer's reason 1 to 4.
pub type RefusedContexts = BTreeMap<u8, u8>;

/// Asks for an association and waits for the answer.
///
/// # Errors
/// [`ProposalError`]; the peer has been told and the connection is closed.
pub async fn propose<S: Transport>(
    transport: S,
    proposal: &Proposal,
    limits: &Limits,
) -> Result<(Association<S>, RefusedContexts), ProposalError> {
    let mut stream = PduStream::new(transport, limits.clone());
    let request = request_of(proposal, limits);
    match exchange(&mut stream, &request).await {
        Ok(answer) => match read_answer(&request, &answer) {
            Ok((contexts, refused)) => {
                let peer_max = peer_pdu_bytes_max(&answer.user_variables);
                Ok((Association::new(stream, contexts, peer_max), refused))
            }
            Err(error) => Err(fail(stream, error).await.into()),
        },
        Err(ProposalError::Association(error)) => Err(fail(stream, error).await.into()),
        Err(rejected @ ProposalError::Rejected { .. }) => Err(rejected),
    }
}

/// The A-ASSOCIATE-RQ of a proposal.
#[must_use]
pub fn request_of(proposal: &Proposal, limits: &Limits) -> AssociationRQ {
    let contexts = proposal.contexts.iter().take(CONTEXTS_MAX);
    let presentation_contexts = (1..=u8::MAX)
        .step_by(2)
        .zip(contexts)
        .map(|(id, (class, syntaxes))| PresentationContextProposed {
            id,
            abstract_syntax: class.as_str().to_owned(),
            transfer_syntaxes: syntaxes.iter().map(|syntax| syntax.as_str().to_owned()).collect(),
        })
        .collect();
    let mut user_variables = our_variables(limits);
    user_variables.extend(proposal.provides.iter().map(|class| {
        let roles = RequestorRoles { scu: false, scp: true };
        UserVariableItem::ScuScpRoleSelectionSubItem(class.as_str().to_owned(), roles)
    }));
    AssociationRQ {
        protocol_version: 1,
        calling_ae_title: proposal.calling.as_str().to_owned(),
        called_ae_title: proposal.called.as_str().to_owned(),
        application_context_name: APPLICATION_CONTEXT.to_owned(),
        presentation_contexts,
        user_variables,
    }
}

/// Compares the answer with the request: only what was proposed can be
/// accepted, and each context once.
///
/// # Errors
/// [`PduError::Malformed`]: the association is aborted.
pub fn read_answer(
    request: &AssociationRQ,
    answer: &AssociationAC,
) -> Result<(Vec<Context>, RefusedContexts), AssociationError> {
    let malformed = |what| AssociationError::Pdu(PduError::Malformed { what });
    if (1..PEER_PDU_BYTES_MIN).contains(&peer_pdu_bytes_max(&answer.user_variables)) {
        return Err(malformed("maximum length"));
    }
    let mut accepted = BTreeMap::new();
    let mut refused = RefusedContexts::new();
    for result in &answer.presentation_contexts {
        let proposed = request.presentation_contexts.iter().find(|asked| asked.id == result.id);
        let Some(proposed) = proposed else { return Err(malformed("presentation context")) };
        if let Some(reason) = refusal(&result.reason) {
            refused.insert(result.id, reason);
            continue;
        }
        let syntax = result.transfer_syntax.parse::<Uid>().ok();
        let syntax = syntax
            .filter(|uid| proposed.transfer_syntaxes.iter().any(|asked| asked == uid.as_str()));
        let (Some(syntax), Ok(class)) = (syntax, proposed.abstract_syntax.parse()) else {
            return Err(malformed("accepted transfer syntax"));
        };
        let context =
            Context { id: result.id, class, transfer_syntax: TransferSyntax::new(syntax) };
        if accepted.insert(result.id, context).is_some() {
            return Err(malformed("presentation context answered twice"));
        }
    }
    Ok((accepted.into_values().collect(), refused))
}

fn refusal(answer: &ContextAnswer) -> Option<u8> {
    match answer {
        ContextAnswer::Acceptance => None,
        ContextAnswer::UserRejection => Some(1),
        ContextAnswer::NoReason => Some(2),
        ContextAnswer::AbstractSyntaxNotSupported => Some(3),
        ContextAnswer::TransferSyntaxesNotSupported => Some(4),
    }
}

async fn exchange<S: Transport>(
    stream: &mut PduStream<S>,
    request: &AssociationRQ,
) -> Result<AssociationAC, ProposalError> {
    let written = stream.write(&Pdu::AssociationRQ(request.clone())).await;
    written.map_err(AssociationError::from)?;
    let artim = stream.limits().artim;
    match stream.read(artim).await.map_err(AssociationError::from)? {
        PduKind::AssociateAc => Ok(stream.associate_accept().map_err(AssociationError::from)?),
        PduKind::AssociateRj => {
            let [result, from, reason] = stream.verdict();
            Err(ProposalError::Rejected { result, from, reason })
        }
        PduKind::Abort => Err(aborted(stream.verdict()).into()),
        PduKind::AssociateRq => Err(out_of_turn("A-ASSOCIATE-RQ").into()),
        PduKind::PData => Err(out_of_turn("P-DATA-TF").into()),
        PduKind::ReleaseRq | PduKind::ReleaseRp => Err(out_of_turn("A-RELEASE").into()),
    }
}

async fn fail<S: Transport>(stream: PduStream<S>, error: AssociationError) -> AssociationError {
    if let Some(source) = error.abort_source() {
        send_abort(stream, source).await;
    }
    error
}
