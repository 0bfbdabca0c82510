//! Which instances of this run stand in the output: one UID, one content.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

/// First bytes of a digest: 32 bytes an instance, 3 MB for 100,000.
type Mark = [u8; 16];

/// What a claim found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// Nobody had the UID before.
    First,
    /// The same clean bytes came before.
    Repeat,
    /// Other bytes have this UID.
    Conflict,
}

/// Remembers the instances of one run.
#[derive(Debug, Default)]
pub(super) struct Once(Mutex<HashMap<Mark, Mark>>);

impl Once {
    /// Claims a new SOP Instance UID for clean bytes of this digest.
    pub(super) fn claim(&self, instance: &str, digest: &str) -> Claim {
        let (instance, digest) = (mark(instance), mark(digest));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(&instance) {
            None => {
                known.insert(instance, digest);
                Claim::First
            }
            Some(before) if *before == digest => Claim::Repeat,
            Some(_) => Claim::Conflict,
        }
    }
}

/// Tells texts apart without holding them.
pub(super) fn mark(text: &str) -> Mark {
    let digest = Sha256::digest(text.as_bytes());
    digest.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_uid_is_claimed_for_one_content() {
        let once = Once::default();
        assert_eq!(once.claim("2.25.1", "aa"), Claim::First);
        assert_eq!(once.claim("2.25.1", "aa"), Claim::Repeat);
        assert_eq!(once.claim("2.25.1", "bb"), Claim::Conflict);
        assert_eq!(once.claim("2.25.2", "aa"), Claim::First);
    }
}
