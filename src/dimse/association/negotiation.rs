//! What an acceptor answers to a request, as pure functions (PS3.8 §7.1.1,
//! §9.3.2 to §9.3.4; PS3.7 Annex D).

use std::collections::BTreeSet;

use dicom_ul::pdu::{
    AssociationAC, AssociationRJ, AssociationRJResult, AssociationRJServiceProviderASCEReason,
    AssociationRJServiceProviderPresentationReason, AssociationRJServiceUserReason,
    AssociationRJSource, AssociationRQ, PresentationContextProposed, PresentationContextResult,
    PresentationContextResultReason as ContextAnswer, RequestorRoles, UserVariableItem,
};

use super::identity::Claim;
use super::{Context, identity};
use crate::dicom::transfer_syntax::IMPLICIT_VR_LE;
use crate::dicom::{
    AeTitle, IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, TransferSyntax, Uid,
};
use crate::dimse::limits::{CONTEXTS_MAX, Limits, PEER_PDU_BYTES_MIN};

/// The DICOM Application Context Name (PS3.7 §A.2.1).
pub const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";

/// Why no association comes about (PS3.8 Table 9-21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum Rejection {
    /// Permanent, by the user, no reason given: the peer's PDUs are too short.
    #[error("peer takes fewer than {PEER_PDU_BYTES_MIN} bytes in a PDU")]
    PduTooShort,
    /// Permanent: not the DICOM application context.
    #[error("application context is not DICOM's")]
    ApplicationContext,
    /// Permanent: the calling AE title is not known here.
    #[error("calling AE title not recognized")]
    CallingAe,
    /// Permanent: the called AE title is not one of ours.
    #[error("called AE title not recognized")]
    CalledAe,
    /// Permanent: not version 1 of the protocol.
    #[error("protocol version not supported")]
    ProtocolVersion,
    /// Permanent, by the provider (ACSE), no reason given: the user identity is
    /// missing or wrong (PS3.7 §D.3.3.7).
    #[error("user identity missing or wrong")]
    UserIdentity,
    /// Transient: the node cannot take more now, for example for want of space.
    #[error("temporary congestion")]
    Congested,
    /// Transient: as many associations as allowed are open.
    #[error("local limit exceeded")]
    LocalLimit,
}

impl Rejection {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::PduTooShort,
        Self::ApplicationContext,
        Self::CallingAe,
        Self::CalledAe,
        Self::ProtocolVersion,
        Self::UserIdentity,
        Self::Congested,
        Self::LocalLimit,
    ];

    /// As it goes over the wire.
    #[must_use]
    pub fn to_pdu(self) -> AssociationRJ {
        use AssociationRJServiceProviderASCEReason as Acse;
        use AssociationRJServiceProviderPresentationReason as Presentation;
        use AssociationRJServiceUserReason as User;
        use AssociationRJSource::{ServiceProviderASCE, ServiceProviderPresentation, ServiceUser};
        let source = match self {
            Self::PduTooShort => ServiceUser(User::NoReasonGiven),
            Self::ApplicationContext => ServiceUser(User::ApplicationContextNameNotSupported),
            Self::CallingAe => ServiceUser(User::CallingAETitleNotRecognized),
            Self::CalledAe => ServiceUser(User::CalledAETitleNotRecognized),
            Self::ProtocolVersion => ServiceProviderASCE(Acse::ProtocolVersionNotSupported),
            Self::UserIdentity => ServiceProviderASCE(Acse::NoReasonGiven),
            Self::Congested => ServiceProviderPresentation(Presentation::TemporaryCongestion),
            Self::LocalLimit => ServiceProviderPresentation(Presentation::LocalLimitExceeded),
        };
        AssociationRJ { result: self.result(), source }
    }

    fn result(self) -> AssociationRJResult {
        match self {
            Self::PduTooShort
            | Self::ApplicationContext
            | Self::CallingAe
            | Self::CalledAe
            | Self::ProtocolVersion
            | Self::UserIdentity => AssociationRJResult::Permanent,
            Self::Congested | Self::LocalLimit => AssociationRJResult::Transient,
        }
    }
}

/// What an acceptor takes.
pub trait Offer: Send + Sync {
    /// Whether data sets of this SOP class are taken, or it is Verification.
    fn takes_class(&self, class: &Uid) -> bool;
    /// How much this transfer syntax is liked, lower is better; `None` when it
    /// is not taken.
    fn rank(&self, transfer_syntax: &TransferSyntax) -> Option<u32>;
    /// Roles that the requestor may take for this SOP class (PS3.7 §D.3.3.4).
    fn roles(&self, class: &str) -> Roles {
        let _same_for_all = class;
        Roles { scu: true, scp: false }
    }
    /// The requestor's user identity was checked and found right. Where nobody
    /// checks it is not answered, as by who does not know the item (PS3.7 §D.3.3.7).
    fn knows_user(&self) -> bool {
        false
    }
}

/// Roles of an association's requestor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// It is the user.
    pub scu: bool,
    /// It is the provider.
    pub scp: bool,
}

/// Who asks, as far as it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Called AE title.
    pub called: AeTitle,
    /// Calling AE title.
    pub calling: AeTitle,
    /// Who it says that it is (PS3.7 §D.3.3.7); never logged.
    pub claim: Option<Claim>,
}

/// Checks what is wrong with a request before anybody asks who it is.
///
/// # Errors
/// [`Rejection`].
pub fn check_request(request: &AssociationRQ) -> Result<Peer, Rejection> {
    // Only bit 0 is tested (PS3.8 §9.3.2).
    if request.protocol_version & 1 == 0 {
        return Err(Rejection::ProtocolVersion);
    }
    if request.application_context_name.trim_end_matches('\0') != APPLICATION_CONTEXT {
        return Err(Rejection::ApplicationContext);
    }
    let title = |text: &str| text.trim_end_matches('\0').parse::<AeTitle>();
    let peer = Peer {
        called: title(&request.called_ae_title).map_err(|_bad| Rejection::CalledAe)?,
        calling: title(&request.calling_ae_title).map_err(|_bad| Rejection::CallingAe)?,
        claim: Claim::of(&request.user_variables),
    };
    if (1..PEER_PDU_BYTES_MIN).contains(&peer_pdu_bytes_max(&request.user_variables)) {
        return Err(Rejection::PduTooShort);
    }
    Ok(peer)
}

/// Numbers are odd and stand once, and there are no more than a byte can
/// number (PS3.8 §9.3.2.2); otherwise the request is malformed.
#[must_use]
pub fn contexts_are_legal(proposed: &[PresentationContextProposed]) -> bool {
    let mut seen = BTreeSet::new();
    proposed.len() <= CONTEXTS_MAX
        && proposed.iter().all(|context| context.id & 1 == 1 && seen.insert(context.id))
}

/// The longest P-DATA-TF a peer takes; 0 when it states no limit.
#[must_use]
pub fn peer_pdu_bytes_max(variables: &[UserVariableItem]) -> u32 {
    variables.iter().find_map(max_length).unwrap_or(0)
}

/// The answer to a request that nothing speaks against, and the contexts that
/// it accepts. Contexts are refused one by one: the association stands even
/// when none is taken.
#[must_use]
pub fn accept(
    request: &AssociationRQ,
    offer: &dyn Offer,
    limits: &Limits,
) -> (AssociationAC, Vec<Context>) {
    let mut accepted = Vec::new();
    let mut results = Vec::new();
    for proposed in &request.presentation_contexts {
        let result = match judge(proposed, offer) {
            Ok(context) => {
                let transfer_syntax = context.transfer_syntax.as_str().to_owned();
                accepted.push(context);
                (ContextAnswer::Acceptance, transfer_syntax)
            }
            Err(answer) => (answer, IMPLICIT_VR_LE.to_owned()),
        };
        let (reason, transfer_syntax) = result;
        results.push(PresentationContextResult { id: proposed.id, reason, transfer_syntax });
    }
    let mut user_variables = our_variables(limits);
    user_variables
        .extend(request.user_variables.iter().filter_map(|item| role_answer(item, offer)));
    if offer.knows_user() {
        user_variables.extend(identity::answer(&request.user_variables));
    }
    let answer = AssociationAC {
        protocol_version: 1,
        calling_ae_title: request.calling_ae_title.clone(),
        called_ae_title: request.called_ae_title.clone(),
        application_context_name: APPLICATION_CONTEXT.to_owned(),
        presentation_contexts: results,
        user_variables,
    };
    (answer, accepted)
}

/// What both roles tell of themselves (PS3.8 §D.1, PS3.7 §D.3.3.2).
#[must_use]
pub fn our_variables(limits: &Limits) -> Vec<UserVariableItem> {
    vec![
        UserVariableItem::MaxLength(limits.pdu_bytes_max),
        UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS_UID.to_owned()),
        UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION_NAME.to_owned()),
    ]
}

/// One context: the transfer syntax we like best of those proposed.
fn judge(
    proposed: &PresentationContextProposed,
    offer: &dyn Offer,
) -> Result<Context, ContextAnswer> {
    let class = proposed.abstract_syntax.parse::<Uid>().ok();
    let class = class
        .filter(|class| offer.takes_class(class))
        .ok_or(ContextAnswer::AbstractSyntaxNotSupported)?;
    proposed
        .transfer_syntaxes
        .iter()
        .filter_map(|text| text.parse::<Uid>().ok())
        .map(TransferSyntax::new)
        .filter_map(|syntax| offer.rank(&syntax).map(|rank| (rank, syntax)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, transfer_syntax)| Context { id: proposed.id, class, transfer_syntax })
        .ok_or(ContextAnswer::TransferSyntaxesNotSupported)
}

/// Of the roles proposed those that the requestor may take.
fn role_answer(variable: &UserVariableItem, offer: &dyn Offer) -> Option<UserVariableItem> {
    let UserVariableItem::ScuScpRoleSelectionSubItem(class, roles) = variable else {
        return None;
    };
    let may = offer.roles(class.trim_matches(['\0', ' ']));
    let answer = RequestorRoles { scu: roles.scu && may.scu, scp: roles.scp && may.scp };
    Some(UserVariableItem::ScuScpRoleSelectionSubItem(class.clone(), answer))
}

fn max_length(variable: &UserVariableItem) -> Option<u32> {
    let UserVariableItem::MaxLength(bytes) = variable else { return None };
    Some(*bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
    const JPEG: &str = "1.2.840.10008.1.2.4.50";
    const EXPLICIT: &str = "1.2.840.10008.1.2.1";

    struct OnlyCt;

    impl Offer for OnlyCt {
        fn takes_class(&self, class: &Uid) -> bool {
            class.as_str() == CT
        }

        fn rank(&self, transfer_syntax: &TransferSyntax) -> Option<u32> {
            [EXPLICIT, JPEG]
                .iter()
                .position(|known| *known == transfer_syntax.as_str())?
                .try_into()
                .ok()
        }
    }

    fn proposed(id: u8, class: &str, syntaxes: &[&str]) -> PresentationContextProposed {
        PresentationContextProposed {
            id,
            abstract_syntax: class.into(),
            transfer_syntaxes: syntaxes.iter().map(|&syntax| syntax.into()).collect(),
        }
    }

    fn request(contexts: Vec<PresentationContextProposed>) -> AssociationRQ {
        AssociationRQ {
            protocol_version: 1,
            calling_ae_title: "MODALITY".into(),
            called_ae_title: "AIRLOCK".into(),
            application_context_name: APPLICATION_CONTEXT.into(),
            presentation_contexts: contexts,
            user_variables: vec![UserVariableItem::MaxLength(16384)],
        }
    }

    #[test]
    fn contexts_are_answered_one_by_one_in_our_order_of_liking() {
        let request = request(vec![
            proposed(1, CT, &[JPEG, EXPLICIT]),
            proposed(3, "1.2.840.10008.5.1.4.31", &[EXPLICIT]),
            proposed(5, CT, &["1.3.46.670589.33.1.4.1"]),
            proposed(7, "not a uid", &[EXPLICIT]),
        ]);
        let (answer, accepted) = accept(&request, &OnlyCt, &Limits::default());
        let results: Vec<_> =
            answer.presentation_contexts.iter().map(|c| (c.id, c.reason.clone())).collect();
        assert_eq!(
            results,
            [
                (1, ContextAnswer::Acceptance),
                (3, ContextAnswer::AbstractSyntaxNotSupported),
                (5, ContextAnswer::TransferSyntaxesNotSupported),
                (7, ContextAnswer::AbstractSyntaxNotSupported),
            ]
        );
        assert_eq!(accepted.len(), 1);
        assert_eq!(accepted[0].transfer_syntax.as_str(), EXPLICIT);
    }

    #[test]
    fn the_acceptor_says_who_it_is_and_declines_the_scp_role() {
        let mut request = request(vec![proposed(1, CT, &[EXPLICIT])]);
        let roles = RequestorRoles { scu: true, scp: true };
        request.user_variables.push(UserVariableItem::ScuScpRoleSelectionSubItem(CT.into(), roles));
        let (answer, _) = accept(&request, &OnlyCt, &Limits::default());
        let declined = RequestorRoles { scu: true, scp: false };
        assert_eq!(
            answer.user_variables,
            [
                UserVariableItem::MaxLength(256 << 10),
                UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS_UID.into()),
                UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION_NAME.into()),
                UserVariableItem::ScuScpRoleSelectionSubItem(CT.into(), declined),
            ]
        );
    }

    #[test]
    fn a_provider_that_asks_for_an_association_is_let_be_one_where_the_offer_says_so() {
        struct Reports;
        impl Offer for Reports {
            fn takes_class(&self, _class: &Uid) -> bool {
                true
            }
            fn rank(&self, _transfer_syntax: &TransferSyntax) -> Option<u32> {
                Some(0)
            }
            fn roles(&self, class: &str) -> Roles {
                Roles { scu: false, scp: class == CT }
            }
        }
        for (class, scp) in [(CT, true), ("1.2.3", false)] {
            let mut request = request(vec![proposed(1, class, &[EXPLICIT])]);
            let roles = RequestorRoles { scu: true, scp: true };
            let item = UserVariableItem::ScuScpRoleSelectionSubItem(class.into(), roles);
            request.user_variables.push(item);
            let (answer, _) = accept(&request, &Reports, &Limits::default());
            let roles = RequestorRoles { scu: false, scp };
            let item = UserVariableItem::ScuScpRoleSelectionSubItem(class.into(), roles);
            assert_eq!(answer.user_variables.last(), Some(&item));
        }
    }

    #[test]
    fn requests_are_refused_with_the_reason_of_table_9_21() {
        type Spoil = fn(&mut AssociationRQ);
        let good = request(vec![]);
        assert!(check_request(&good).is_ok());
        let refusals: [(Rejection, Spoil); 6] = [
            (Rejection::ProtocolVersion, |r| r.protocol_version = 2),
            (Rejection::ApplicationContext, |r| r.application_context_name = "1.2".into()),
            (Rejection::CalledAe, |r| r.called_ae_title = String::new()),
            (Rejection::CallingAe, |r| r.calling_ae_title = "a\\b".into()),
            (Rejection::PduTooShort, |r| r.user_variables = vec![UserVariableItem::MaxLength(127)]),
            (Rejection::PduTooShort, |r| r.user_variables = vec![UserVariableItem::MaxLength(1)]),
        ];
        for (expected, spoil) in refusals {
            let mut bad = good.clone();
            spoil(&mut bad);
            assert_eq!(check_request(&bad), Err(expected));
        }
        let mut unlimited = good;
        unlimited.protocol_version = 3;
        unlimited.user_variables = vec![UserVariableItem::MaxLength(0)];
        assert!(check_request(&unlimited).is_ok(), "bit 0 alone is tested, 0 is no limit");
    }

    #[test]
    fn context_numbers_must_be_odd_and_stand_once() {
        let ids = |ids: &[u8]| {
            let contexts: Vec<_> = ids.iter().map(|&id| proposed(id, CT, &[EXPLICIT])).collect();
            contexts_are_legal(&contexts)
        };
        assert!(ids(&[1, 255, 3]));
        assert!(!ids(&[2]));
        assert!(!ids(&[0]));
        assert!(!ids(&[1, 3, 1]));
    }
}
