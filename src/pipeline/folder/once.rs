//! Which instances of this run stand in the output: one UID, one content.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

/// First bytes of a digest: 33 bytes an instance, 3 MB for 100,000.
pub(super) type Mark = [u8; 16];

/// What a claim found.
#[derive(Debug)]
pub(super) enum Claim<'a> {
    /// Nobody had the UID before.
    First(Pending<'a>),
    /// An object with a digest of this mark came before.
    Before(Mark),
}

/// The claim of one that is being put into the output: others of its UID wait
/// for what becomes of it. Dropped unsettled, it gives the UID back.
#[derive(Debug)]
pub(super) struct Pending<'a> {
    once: &'a Once,
    instance: Mark,
    settled: bool,
}

/// Remembers the instances of one run.
#[derive(Debug, Default)]
pub(super) struct Once {
    /// Digests by instance, where they are known.
    known: Mutex<HashMap<Mark, Option<Mark>>>,
    changed: Notify,
}

impl Once {
    /// Claims a new SOP Instance UID.
    pub(super) async fn claim(&self, instance: &str) -> Claim<'_> {
        let instance = mark(instance);
        loop {
            // Made before the look, so that no change in between is missed.
            let changed = self.changed.notified();
            match self.known().entry(instance) {
                Entry::Vacant(vacant) => {
                    vacant.insert(None);
                    return Claim::First(Pending { once: self, instance, settled: false });
                }
                Entry::Occupied(known) => {
                    if let Some(digest) = known.get() {
                        return Claim::Before(*digest);
                    }
                }
            }
            changed.await;
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Mark, Option<Mark>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending<'_> {
    /// It stands in the output with this digest.
    pub(super) fn settle(mut self, digest: &str) {
        self.settled = true;
        self.once.known().insert(self.instance, Some(mark(digest)));
        self.once.changed.notify_waiters();
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.once.known().remove(&self.instance);
            self.once.changed.notify_waiters();
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

    #[tokio::test]
    async fn one_uid_is_claimed_for_one_content() {
        let once = Once::default();
        let Claim::First(first) = once.claim("2.25.1").await else { panic!("not the first") };
        first.settle("aa");
        let again = once.claim("2.25.1").await;
        assert!(matches!(again, Claim::Before(digest) if digest == mark("aa")));
        assert!(matches!(once.claim("2.25.2").await, Claim::First(_)));
    }

    #[tokio::test]
    async fn a_second_claim_waits_for_the_end_of_the_first() {
        let once = Once::default();
        let Claim::First(first) = once.claim("2.25.1").await else { panic!("not the first") };
        let mut second = std::pin::pin!(once.claim("2.25.1"));
        let waits = tokio::time::timeout(std::time::Duration::from_millis(20), &mut second).await;
        assert!(waits.is_err());
        drop(first);
        let Claim::First(second) = second.await else { panic!("was given back") };
        let third = async { matches!(once.claim("2.25.1").await, Claim::Before(_)) };
        let ((), third) = tokio::join!(async { second.settle("bb") }, third);
        assert!(third);
    }
}
