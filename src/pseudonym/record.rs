//! One mapping in, its sealed bytes out, and back: what stands in the journal
//! and, byte for byte the same, in the index.
//!
//! ```text
//! sequence    u64 LE   1, 2, 3 …
//! key id      8 bytes  hexadecimal digits, of the key that sealed it
//! salt        16 bytes drawn
//! ciphertext  XChaCha20-Poly1305 over the mapping as JSON, with its 16-byte tag;
//!             nonce = sequence ‖ salt, associated data = version ‖ journal id ‖ sequence ‖ key id
//! ```
//! Invariant: no record can be moved to another place or journal unseen. The
//! salt keeps nonces apart when a torn record's number is used again.
#![warn(clippy::indexing_slicing, clippy::as_conversions, clippy::arithmetic_side_effects)]

use std::collections::BTreeMap;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::PseudonymError;
use super::keys::{KeyPurpose, Keys, SecretKey};
use super::person::PersonKey;

/// Longest sealed record. Default 16 KiB: two IDs of 1,024 bytes at their
/// longest in JSON, and the rest.
pub(super) const RECORD_BYTES_MAX: usize = 16 * 1_024;
/// Sequence, key id, salt, tag and the shortest JSON.
pub(super) const RECORD_BYTES_MIN: usize = 8 + KEY_ID_BYTES + SALT_BYTES + 16 + 2;
const KEY_ID_BYTES: usize = 8;
const SALT_BYTES: usize = 16;
const AAD_VERSION: &[u8] = b"airlock pseudonym record 1";

/// One person of one project, and what was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The project.
    pub project: String,
    /// Who.
    pub person: PersonKey,
    /// The pseudonym.
    pub code: String,
    /// Whole days to add to every date.
    pub shift_days: i32,
    /// Key that UIDs of this person are made with.
    pub key_id: String,
    /// Code and shift are those of a person that stood before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub linked: bool,
    /// The person's imported baseline date, in days since 1970-01-01.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_day: Option<i64>,
    /// Codes that the person had before it was merged with another one. Where
    /// there are any, this record takes the place of an earlier one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_codes: Vec<String>,
}

impl Mapping {
    /// Whether it takes the place of an earlier record of the same person.
    pub(super) fn replaces(&self) -> bool {
        !self.former_codes.is_empty()
    }

    /// Whether the person has `code`, or had it.
    pub(super) fn answers_to(&self, code: &str) -> bool {
        self.code == code || self.former_codes.iter().any(|former| former == code)
    }
}

/// Drawn when a journal is made, so that records of two are never mixed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JournalId(pub(super) [u8; 16]);

/// A mapping as it stands on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SealedRecord {
    bytes: Vec<u8>,
}

impl SealedRecord {
    /// Takes bytes that have the shape of a record; they may still not open.
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let fits = (RECORD_BYTES_MIN..=RECORD_BYTES_MAX).contains(&bytes.len());
        let record = Self { bytes };
        (fits && record.parts().is_some()).then_some(record)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The record's number.
    pub(super) fn sequence(&self) -> u64 {
        self.parts().map_or(0, |parts| u64::from_le_bytes(*parts.sequence))
    }

    /// Id of the key that sealed it.
    pub(super) fn key_id(&self) -> &str {
        self.parts().map_or("", |parts| parts.key_id)
    }

    fn parts(&self) -> Option<Parts<'_>> {
        let (sequence, rest) = self.bytes.split_first_chunk::<8>()?;
        let (key_id, rest) = rest.split_first_chunk::<KEY_ID_BYTES>()?;
        let (salt, ciphertext) = rest.split_first_chunk::<SALT_BYTES>()?;
        let key_id = std::str::from_utf8(key_id).ok()?;
        key_id.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(Parts {
            sequence,
            key_id,
            salt,
            ciphertext,
        })
    }
}

struct Parts<'a> {
    sequence: &'a [u8; 8],
    key_id: &'a str,
    salt: &'a [u8; SALT_BYTES],
    ciphertext: &'a [u8],
}

/// Seals and opens the records of one journal.
#[derive(Debug)]
pub(super) struct Sealer {
    journal: JournalId,
    current_id: String,
    value_keys: BTreeMap<String, SecretKey>,
}

impl Sealer {
    pub(super) fn new(keys: &Keys, journal: JournalId) -> Self {
        let value_keys = keys
            .all()
            .map(|key| (key.id().to_owned(), key.derive(KeyPurpose::TableValues, "")))
            .collect();
        Self { journal, current_id: keys.current().id().to_owned(), value_keys }
    }

    /// Whether records of this key can be opened.
    pub(super) fn knows(&self, key_id: &str) -> bool {
        self.value_keys.contains_key(key_id)
    }

    /// Seals with the key in use.
    pub(super) fn seal(
        &self,
        sequence: u64,
        mapping: &Mapping,
    ) -> Result<SealedRecord, PseudonymError> {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(|_no_source| PseudonymError::NoRandomness)?;
        let unsealed = PseudonymError::Undecipherable { sequence };
        let Ok(plain) = serde_json::to_vec(mapping).map(Zeroizing::new) else {
            return Err(unsealed);
        };
        let sequence = sequence.to_le_bytes();
        let aad = self.associated_data(&sequence, &self.current_id);
        let payload = Payload { msg: &plain, aad: &aad };
        let Ok(ciphertext) =
            self.cipher(&self.current_id)?.encrypt(&nonce(&sequence, &salt), payload)
        else {
            return Err(unsealed);
        };
        let bytes = [&sequence[..], self.current_id.as_bytes(), &salt, &ciphertext].concat();
        SealedRecord::from_bytes(bytes).ok_or(PseudonymError::TooLong {
            what: "the record of this person",
            limit_bytes: RECORD_BYTES_MAX,
        })
    }

    /// Opens a record that was sealed with any key at hand.
    pub(super) fn open(&self, record: &SealedRecord) -> Result<Mapping, PseudonymError> {
        let sequence = record.sequence();
        let undecipherable = || PseudonymError::Undecipherable { sequence };
        let parts = record.parts().ok_or_else(undecipherable)?;
        let aad = self.associated_data(parts.sequence, parts.key_id);
        let payload = Payload { msg: parts.ciphertext, aad: &aad };
        let plain = self
            .cipher(parts.key_id)?
            .decrypt(&nonce(parts.sequence, parts.salt), payload)
            .map(Zeroizing::new)
            .map_err(|_not_ours| undecipherable())?;
        serde_json::from_slice(&plain).map_err(|_not_ours| undecipherable())
    }

    fn cipher(&self, key_id: &str) -> Result<XChaCha20Poly1305, PseudonymError> {
        let key = self
            .value_keys
            .get(key_id)
            .ok_or_else(|| PseudonymError::UnknownKey { key_id: key_id.to_owned() })?;
        Ok(XChaCha20Poly1305::new(&Key::from(*key.expose())))
    }

    fn associated_data(&self, sequence: &[u8; 8], key_id: &str) -> Vec<u8> {
        [AAD_VERSION, &self.journal.0, sequence, key_id.as_bytes()].concat()
    }
}

fn nonce(sequence: &[u8; 8], salt: &[u8; SALT_BYTES]) -> XNonce {
    let mut nonce = XNonce::default();
    for (to, from) in nonce.iter_mut().zip(sequence.iter().chain(salt)) {
        *to = *from;
    }
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identified::Identified;
    use crate::pseudonym::keys::MasterKey;

    fn keys(seed: u8) -> Keys {
        let secret: Vec<u8> = (0..32_u8).map(|n| n.wrapping_mul(n).wrapping_add(seed)).collect();
        Keys::new(MasterKey::from_secret(&secret).unwrap())
    }

    fn mapping() -> Mapping {
        Mapping {
            project: "trial".to_owned(),
            person: PersonKey {
                issuer: Identified::new("HOSP".to_owned()),
                patient_id: Identified::new("MRN-4711".to_owned()),
            },
            code: "C1".to_owned(),
            shift_days: -7,
            key_id: "00000000".to_owned(),
            linked: false,
            baseline_day: None,
            former_codes: Vec::new(),
        }
    }

    #[test]
    fn sealed_mappings_open_again_and_show_nothing() {
        let sealer = Sealer::new(&keys(1), JournalId([7; 16]));
        let record = sealer.seal(5, &mapping()).unwrap();
        assert_eq!(sealer.open(&record).unwrap(), mapping());
        assert_eq!((record.sequence(), record.key_id()), (5, sealer.current_id.as_str()));
        assert!(!record.bytes().windows(8).any(|window| window == b"MRN-4711"));
        // The same number used again, after a torn write, has another nonce.
        assert_ne!(sealer.seal(5, &mapping()).unwrap(), record);
    }

    #[test]
    fn a_record_opens_only_whole_in_its_place_and_with_its_key() {
        let sealer = Sealer::new(&keys(1), JournalId([7; 16]));
        let record = sealer.seal(5, &mapping()).unwrap();
        for at in 0..record.bytes().len() {
            let mut bytes = record.bytes().to_vec();
            bytes[at] ^= 1;
            if let Some(changed) = SealedRecord::from_bytes(bytes) {
                assert!(sealer.open(&changed).is_err(), "byte {at}");
            }
        }
        let elsewhere = Sealer::new(&keys(1), JournalId([8; 16]));
        assert!(matches!(elsewhere.open(&record), Err(PseudonymError::Undecipherable { .. })));
        let other_key = Sealer::new(&keys(2), JournalId([7; 16]));
        assert!(matches!(other_key.open(&record), Err(PseudonymError::UnknownKey { .. })));
    }

    #[test]
    fn a_retired_key_still_opens_what_it_sealed() {
        let old = keys(1);
        let record = Sealer::new(&old, JournalId([7; 16])).seal(1, &mapping()).unwrap();
        let ring = keys(2).with_retired(old.current().clone());
        assert_eq!(Sealer::new(&ring, JournalId([7; 16])).open(&record).unwrap(), mapping());
    }
}
