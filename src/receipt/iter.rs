//! Receipts for people: the ledger's lines in, each event once out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use super::chain::Anchor;
use super::error::LedgerError;
use super::outcome::OutcomeKind;
use super::receipt::Receipt;
use super::segments::{Placed, Start, Walk, segment_of};
use crate::disk::Disk;

/// Instances whose events are remembered to leave repeated ones out. Default
/// 65,536, some 10 MB: a crash repeats what was in work, which is far less.
const REMEMBERED_IDS_MAX: usize = 65_536;

/// Which receipts are wanted. Without any field: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this study, by its new UID.
    pub study: Option<String>,
    /// From the start of this moment's UTC day on, milliseconds since 1970.
    pub since_unix_ms: u64,
}

impl Filter {
    fn takes(&self, receipt: &Receipt) -> bool {
        let study = receipt.cleaning.as_ref().map(|cleaning| &cleaning.study);
        self.study.is_none() || self.study.as_ref() == study
    }
}

/// Iterates over receipts. A line that cannot be read is an error item that
/// names its place; the next item is that of the next line.
pub struct Receipts {
    walk: Walk,
    /// Where the ledger ended when the walk began.
    end: (String, u64),
    filter: Filter,
    seen: Seen,
    ended: bool,
}

impl std::fmt::Debug for Receipts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receipts").field("filter", &self.filter).finish_non_exhaustive()
    }
}

impl Receipts {
    pub(super) fn new(
        dir: &Path,
        disk: &Arc<dyn Disk>,
        anchor: &Anchor,
        filter: Filter,
    ) -> Result<Self, LedgerError> {
        let end = (anchor.segment.clone(), anchor.bytes);
        let start = Start { segment: segment_of(filter.since_unix_ms), bytes: 0 };
        let walk = Walk::begin(dir, disk, Some(&start))?;
        Ok(Self { walk, end, filter, seen: Seen::default(), ended: anchor.lines == 0 })
    }

    fn next_receipt(&mut self) -> Result<Option<Receipt>, LedgerError> {
        while let Some(placed) = self.walk.next_line()? {
            if self.is_behind_end(&placed) {
                return Ok(None);
            }
            let broken = |_no_receipt| LedgerError::Broken {
                segment: placed.segment.clone(),
                line: placed.number,
            };
            let receipt = serde_json::from_str(&placed.line.json).map_err(broken)?;
            if self.filter.takes(&receipt) && self.seen.is_new(&receipt) {
                return Ok(Some(receipt));
            }
        }
        Ok(None)
    }

    /// What is being written right now is not yet durable.
    fn is_behind_end(&self, placed: &Placed) -> bool {
        (&placed.segment, placed.end_bytes) > (&self.end.0, self.end.1)
    }
}

impl Iterator for Receipts {
    type Item = Result<Receipt, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_receipt().transpose();
        // After a fault of the disk there is no next line to go on with.
        self.ended = match &next {
            None => true,
            Some(Ok(_)) => false,
            Some(Err(error)) => !matches!(error, LedgerError::Broken { .. }),
        };
        next
    }
}

/// What happened to each instance since it last went round.
#[derive(Default)]
struct Seen {
    events: BTreeMap<String, BTreeSet<(OutcomeKind, Option<String>)>>,
    order: VecDeque<String>,
}

impl Seen {
    /// Whether this event was not seen before, and takes note of it.
    ///
    /// An instance may be quarantined, released and quarantined again: a release
    /// begins a new round, and any other event ends the release.
    fn is_new(&mut self, receipt: &Receipt) -> bool {
        let key = receipt.event_key();
        if !self.events.contains_key(&key.id) {
            self.order.push_back(key.id.clone());
            if self.order.len() > REMEMBERED_IDS_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.events.remove(&oldest);
            }
        }
        let events = self.events.entry(key.id).or_default();
        let released = (OutcomeKind::Released, None);
        if key.kind == OutcomeKind::Released {
            let repeated = events.contains(&released);
            *events = BTreeSet::from([released]);
            return !repeated;
        }
        events.remove(&released);
        events.insert((key.kind, key.destination))
    }
}
