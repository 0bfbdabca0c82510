//! The types that the cleaner sees of the pseudonym table.

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::identified::Identified;

/// Who a person is: issuer and Patient ID, normalised (PS3.3 §C.7.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PersonKey {
    /// Issuer of Patient ID, or the source AE's default issuer; may be empty.
    pub issuer: Identified<String>,
    /// Patient ID, trimmed.
    pub patient_id: Identified<String>,
}

/// Issuer of what is no person: normalising takes NULs away, so that no
/// data set and no list can say it.
const UNLINKED_ISSUER: &str = "\0unlinked study";

impl PersonKey {
    /// Stands for the unknown person of one study (PS3.3 §C.7.2.1), which gets
    /// a code of its own and is linked to no other study.
    #[must_use]
    pub fn of_study(study_uid: &str) -> Self {
        Self {
            issuer: Identified::new(UNLINKED_ISSUER.to_owned()),
            patient_id: Identified::new(study_uid.to_owned()),
        }
    }

    /// Whether this is a study of nobody, see [`PersonKey::of_study`].
    #[must_use]
    pub fn is_unlinked(&self) -> bool {
        self.issuer.expose() == UNLINKED_ISSUER
    }
}

/// A project's 32-byte key for UIDs and hashes, derived by HKDF from the master key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize)]
#[zeroize(drop)]
pub struct UidKey(pub [u8; 32]);

impl std::fmt::Debug for UidKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UidKey(‹secret›)")
    }
}

/// What the front tells a worker about the person of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    /// The pseudonym: new Patient ID and Patient's Name, valid LO, at most 64 characters.
    pub code: String,
    /// Whole days to add to every date; never 0.
    pub shift_days: i32,
    /// Key the mapping was derived with (8 hex digits), for receipts.
    pub key_id: String,
    /// The project's key for UIDs and keyed hashes.
    pub uid_key: UidKey,
}
