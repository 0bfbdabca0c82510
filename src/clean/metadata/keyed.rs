//! Keyed hashes of a project: an original UID or identifier in, the same
//! replacement everywhere out.
//!
//! Invariant: the construction never changes (golden vectors below); an
//! unkeyed hash of an identifier could be reversed by trying all of them.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::pseudonym::UidKey;

/// Crockford's base 32: no letters that are taken for digits.
const BASE32: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 80 bits, so that the text fits into SH (PS3.5 §6.2): among 10^7 values a
/// collision has a chance of 4 in 10^11.
const HASH_CHARS: u32 = 16;

/// The new UID of `original` in a project: `2.25.` and the decimal form of a
/// UUID of version 8 (PS3.5 §B.2, RFC 9562), at most 44 characters.
///
/// Padding does not matter. Two objects that name the same UID go on naming
/// the same one.
#[must_use]
pub fn mapped_uid(key: &UidKey, original: &str) -> String {
    let original = original.trim_matches(['\0', ' ']);
    let bits = first_128_bits(&keyed_hash(key, "uid", original.as_bytes()));
    let version = 0x8_u128 << 76;
    let variant = 0x2_u128 << 62;
    let uuid = bits & !(0xF_u128 << 76) & !(0x3_u128 << 62) | version | variant;
    format!("2.25.{uuid}")
}

/// A replacement of an identifier: 16 letters and digits, valid in SH, LO, CS,
/// PN and AE alike.
#[must_use]
pub(super) fn hashed_text(key: &UidKey, original: &[u8]) -> String {
    let bits = first_128_bits(&keyed_hash(key, "value", original.trim_ascii()));
    let digits = (0..HASH_CHARS).map(|place| bits >> (123 - 5 * place) & 31);
    digits
        .map(|digit| usize::try_from(digit).ok().and_then(|at| BASE32.get(at)))
        .map(|letter| char::from(*letter.unwrap_or(&b'0')))
        .collect()
}

/// HMAC-SHA-256 over domain and value, each after its length (8 bytes, big
/// endian), so that no two pairs run together.
fn keyed_hash(key: &UidKey, domain: &str, value: &[u8]) -> [u8; 32] {
    let mut mac = mac(&key.0);
    for part in [domain.as_bytes(), value] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[allow(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes any key length")
}

fn first_128_bits(hash: &[u8; 32]) -> u128 {
    hash.iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::Uid;

    #[test]
    fn construction_is_the_one_of_all_earlier_releases() {
        let key = UidKey([7; 32]);
        assert_eq!(mapped_uid(&key, "1.2.3"), GOLDEN_UID);
        assert_eq!(hashed_text(&key, b"S-42 "), GOLDEN_TEXT);
    }

    const GOLDEN_UID: &str = "2.25.147534748027114910351989458941574415963";
    const GOLDEN_TEXT: &str = "BY2KXZ57KZHRP9BX";

    #[test]
    fn mapped_uids_are_legal_and_differ_by_key_and_original() {
        let (one, two) = (UidKey([1; 32]), UidKey([2; 32]));
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..1000 {
            for key in [&one, &two] {
                let uid = mapped_uid(key, &format!("1.2.840.{number}"));
                assert!(uid.len() <= 44 && uid.parse::<Uid>().is_ok(), "{uid}");
                let uuid: u128 = uid.strip_prefix("2.25.").unwrap().parse().unwrap();
                assert_eq!((uuid >> 76 & 0xF, uuid >> 62 & 0x3), (8, 2));
                assert!(seen.insert(uid));
            }
        }
        assert_eq!(mapped_uid(&one, "1.2.3"), mapped_uid(&one, "1.2.3\0"));
    }
}
