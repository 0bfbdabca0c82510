//! What each destination got last under each SOP Instance UID: digests of clean objects
//! in, whether a destination got another one there out.
//!
//! Asked when a destination answers that it has the UID already (0111). In memory alone,
//! the newest deliveries; after a restart receipts tell them ([`super::versions`]).

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most deliveries that are remembered. Default 200,000, some 20 MiB; the oldest goes first.
const REMEMBERED_MAX: usize = 200_000;

/// The last deliveries.
#[derive(Debug)]
pub(super) struct Sent {
    known: Mutex<Known>,
    max: usize,
}

impl Default for Sent {
    fn default() -> Self {
        Self { known: Mutex::default(), max: REMEMBERED_MAX }
    }
}

/// Where a UID was sent to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// Destination.
    pub(super) to: &'a str,
    /// Project.
    pub(super) project: &'a str,
    /// New SOP Instance UID.
    pub(super) instance: &'a str,
}

/// What a destination got last under a UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    /// A clean object of this digest.
    This,
    /// Another.
    Other,
    /// Nothing that is known.
    Unknown,
}

/// A place or a digest in 64 bits.
type Mark = u64;

/// When a destination got something: receipts of before the start come first, whenever
/// they are read.
type When = (bool, u64);

#[derive(Debug, Default)]
struct Known {
    last: BTreeMap<Mark, (When, Mark)>,
    /// For the oldest to go.
    order: BTreeMap<When, Mark>,
    count: u64,
    /// All receipts that are looked at were read.
    is_read: bool,
}

impl Sent {
    /// A destination has a clean object of this digest now.
    pub(super) fn note(&self, place: Place<'_>, output: &str) {
        self.known().note(place, output, true, self.max);
    }

    /// The same by a receipt of before the start, the oldest first.
    pub(super) fn note_before(&self, place: Place<'_>, output: &str) {
        self.known().note(place, output, false, self.max);
    }

    /// What a destination got last under this UID, beside a clean object of this digest.
    pub(super) fn last(&self, place: Place<'_>, output: &str) -> Last {
        match self.known().last.get(&place.mark()) {
            Some((_, last)) if *last == mark(output) => Last::This,
            Some(_) => Last::Other,
            None => Last::Unknown,
        }
    }

    pub(super) fn all_read(&self) {
        self.known().is_read = true;
    }

    pub(super) fn is_read(&self) -> bool {
        self.known().is_read
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // No step can panic between two changes that belong together.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn note(&mut self, place: Place<'_>, output: &str, is_live: bool, max: usize) {
        let place = place.mark();
        let before = self.last.get(&place).map(|(when, _)| *when);
        if before.is_some_and(|(was_live, _)| was_live && !is_live) {
            return;
        }
        self.count = self.count.saturating_add(1);
        let when = (is_live, self.count);
        self.last.insert(place, (when, mark(output)));
        before.and_then(|before| self.order.remove(&before));
        self.order.insert(when, place);
        while self.order.len() > max
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.last.remove(&oldest);
        }
    }
}

impl Place<'_> {
    fn mark(self) -> Mark {
        mark((self.to, self.project, self.instance))
    }
}

fn mark(of: impl Hash) -> Mark {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place<'a>(to: &'a str, instance: &'a str) -> Place<'a> {
        Place { to, project: "trial", instance }
    }

    #[test]
    fn what_a_destination_got_last_under_a_uid_is_what_counts_there() {
        let sent = Sent::default();
        let (here, there) = (place("pacs", "2.25.9"), place("other", "2.25.9"));
        assert_eq!(sent.last(here, "a"), Last::Unknown);
        sent.note_before(here, "a");
        assert_eq!((sent.last(here, "a"), sent.last(here, "b")), (Last::This, Last::Other));
        assert_eq!(sent.last(there, "b"), Last::Unknown, "it never got the first");
        let another = Place { project: "another", ..here };
        assert_eq!(sent.last(another, "b"), Last::Unknown, "UIDs of projects differ");
        sent.note_before(here, "b");
        assert_eq!(sent.last(here, "a"), Last::Other, "the later receipt");
        sent.note(here, "c");
        sent.note_before(here, "a");
        assert_eq!(sent.last(here, "c"), Last::This, "receipts are older than what was sent since");
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes_receipts_of_before_first() {
        let sent = Sent { max: 2, ..Sent::default() };
        let uids = ["2.25.1", "2.25.2", "2.25.3"];
        let known = || uids.map(|uid| sent.last(place("pacs", uid), "a") != Last::Unknown);
        for uid in uids {
            sent.note(place("pacs", uid), "a");
            sent.note(place("pacs", "2.25.1"), "b");
        }
        assert_eq!(known(), [true, false, true], "the one that was sent again stays");
        sent.note_before(place("pacs", "2.25.2"), "a");
        assert_eq!(known(), [true, false, true]);
        let bounded = sent.known();
        assert_eq!((bounded.last.len(), bounded.order.len()), (2, 2));
    }
}
