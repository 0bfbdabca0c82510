//! Tells a repeat of an instance that is still in the node, without reading
//! anything: key and digest in, the id that came before out.
//!
//! Only a help: after a restart it is empty until `pipeline` has filled it from
//! the records, and what it does not know is taken once more, which is right too,
//! only more work.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::spool::SpoolId;

/// Instances in the node by their key (see [`crate::spool::Arrival`]).
#[derive(Debug)]
pub struct Repeats {
    known: Mutex<Known>,
    max: usize,
}

impl Default for Repeats {
    fn default() -> Self {
        Self { known: Mutex::default(), max: Self::MAX }
    }
}

#[derive(Debug, Default)]
struct Known {
    by_key: HashMap<[u8; 16], (SpoolId, String)>,
    by_id: BTreeMap<SpoolId, [u8; 16]>,
}

/// What is known of an instance that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing: it is taken.
    New,
    /// The same bytes stand in the spool: success is true without taking them.
    Same(SpoolId),
    /// Other bytes under the same SOP Instance UID: taken, then quarantined as
    /// a conflict.
    Other(SpoolId),
}

impl Repeats {
    /// Most instances that are remembered. Default 200,000: the largest backlog
    /// that is promised, some 40 MB; the oldest goes first.
    pub const MAX: usize = 200_000;

    /// Compares an incoming instance with those in the node. `sha256` is lower
    /// case hex, as [`crate::spool::SpoolWriter::sha256`] gives it.
    #[must_use]
    pub fn compare(&self, key: &[u8; 16], sha256: &str) -> Repeat {
        match self.known().by_key.get(key) {
            None => Repeat::New,
            Some((id, known)) if known == sha256 => Repeat::Same(*id),
            Some((id, _)) => Repeat::Other(*id),
        }
    }

    /// The instance that is known under this key, whatever its bytes.
    #[must_use]
    pub fn id_of(&self, key: &[u8; 16]) -> Option<SpoolId> {
        self.known().by_key.get(key).map(|(id, _)| *id)
    }

    /// Whether this instance is known under its key.
    #[must_use]
    pub fn knows(&self, id: SpoolId) -> bool {
        self.known().by_id.contains_key(&id)
    }

    /// Remembers an acknowledged instance; the first one under a key stays.
    pub fn note(&self, key: [u8; 16], id: SpoolId, sha256: String) {
        let mut known = self.known();
        if known.by_key.contains_key(&key) {
            return;
        }
        known.by_key.insert(key, (id, sha256));
        known.by_id.insert(id, key);
        if known.by_id.len() > self.max
            && let Some((_oldest, key)) = known.by_id.pop_first()
        {
            known.by_key.remove(&key);
        }
    }

    /// Forgets an instance that leaves the node.
    pub fn forget(&self, id: SpoolId) {
        let mut known = self.known();
        if let Some(key) = known.by_id.remove(&id) {
            known.by_key.remove(&key);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_bytes_and_other_bytes_under_one_uid_are_told_apart_until_it_leaves() {
        let repeats = Repeats { max: 2, ..Repeats::default() };
        let ids = ["0a", "0b", "0c"].map(|end| format!("{end:0>32}").parse::<SpoolId>().unwrap());
        repeats.note([1; 16], ids[0], String::from("aa"));
        repeats.note([1; 16], ids[1], String::from("bb"));
        assert_eq!(repeats.compare(&[1; 16], "aa"), Repeat::Same(ids[0]));
        assert_eq!(repeats.compare(&[1; 16], "bb"), Repeat::Other(ids[0]));
        assert_eq!(repeats.compare(&[2; 16], "aa"), Repeat::New);
        repeats.forget(ids[0]);
        assert_eq!(repeats.compare(&[1; 16], "aa"), Repeat::New);
        for (key, id) in ids.into_iter().enumerate() {
            repeats.note([u8::try_from(key).unwrap(); 16], id, String::from("aa"));
        }
        assert_eq!(repeats.compare(&[0; 16], "aa"), Repeat::New, "the oldest went");
        assert_eq!(repeats.compare(&[2; 16], "aa"), Repeat::Same(ids[2]));
    }
}
