//! User Identity Negotiation (PS3.7 §D.3.3.7): who a requestor says that it is.

use dicom_ul::pdu::{UserIdentityType, UserVariableItem};
use zeroize::Zeroizing;

/// Item type of the acceptor's answer (PS3.7 Table D.3-15).
const ANSWER_ITEM: u8 = 0x59;

/// The form of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimKind {
    /// Type 1: a user name.
    Username,
    /// Type 2: a user name and a passcode.
    UsernamePasscode,
    /// Types 3 to 5: Kerberos ticket, SAML assertion, JSON Web Token. Not checked.
    Token,
}

/// What a request claims. Nothing of it is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its form.
    pub kind: ClaimKind,
    /// Primary field: the user name, or a token.
    pub name: Zeroizing<Vec<u8>>,
    /// Secondary field.
    pub passcode: Zeroizing<Vec<u8>>,
    /// A positive response is requested.
    pub wants_answer: bool,
}

impl std::fmt::Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claim").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Claim {
    /// The claim of a request; the standard allows one.
    #[must_use]
    pub fn of(variables: &[UserVariableItem]) -> Option<Self> {
        variables.iter().find_map(|variable| {
            let UserVariableItem::UserIdentityItem(item) = variable else { return None };
            #[allow(clippy::wildcard_enum_match_arm, reason = "the crate's enum may grow")]
            let kind = match item.identity_type() {
                UserIdentityType::Username => ClaimKind::Username,
                UserIdentityType::UsernamePassword => ClaimKind::UsernamePasscode,
                _ => ClaimKind::Token,
            };
            Some(Self {
                kind,
                name: Zeroizing::new(item.primary_field()),
                passcode: Zeroizing::new(item.secondary_field()),
                wants_answer: item.positive_response_requested(),
            })
        })
    }
}

/// The answer to a claim that was checked and found right: the server response
/// is empty for a user name, with passcode or without.
pub(super) fn answer(variables: &[UserVariableItem]) -> Option<UserVariableItem> {
    let claim = Claim::of(variables)?;
    let is_name = matches!(claim.kind, ClaimKind::Username | ClaimKind::UsernamePasscode);
    (claim.wants_answer && is_name).then(|| UserVariableItem::Unknown(ANSWER_ITEM, vec![0, 0]))
}

#[cfg(test)]
mod tests {
    use dicom_ul::pdu::UserIdentity;

    use super::*;

    #[test]
    fn a_claim_is_read_and_not_shown() {
        let item = |wants, kind| {
            let (name, passcode) = (b"cart".to_vec(), b"s3cret".to_vec());
            [UserVariableItem::UserIdentityItem(UserIdentity::new(wants, kind, name, passcode))]
        };
        let asked = item(true, UserIdentityType::UsernamePassword);
        let claim = Claim::of(&asked).unwrap();
        assert_eq!(
            (claim.name.as_slice(), claim.passcode.as_slice()),
            (&b"cart"[..], &b"s3cret"[..])
        );
        let shown = format!("{claim:?}");
        assert!(!shown.contains("cart") && !shown.contains("115"), "{shown}");
        assert_eq!(answer(&asked), Some(UserVariableItem::Unknown(0x59, vec![0, 0])));
        assert_eq!(answer(&item(false, UserIdentityType::UsernamePassword)), None);
        assert_eq!(answer(&item(true, UserIdentityType::Jwt)), None);
        assert_eq!(Claim::of(&[]), None);
    }
}
