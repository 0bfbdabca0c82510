//! Instances that were never tried, by project: projects take turns, each serves
//! its oldest first.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use crate::spool::SpoolId;

/// Sets by project, and whose turn was last.
#[derive(Debug, Default)]
pub(super) struct Turns {
    by_project: BTreeMap<Box<str>, BTreeSet<SpoolId>>,
    last: Box<str>,
}

impl Turns {
    /// False when it is here already, for whichever project.
    pub(super) fn insert(&mut self, id: SpoolId, project: &str) -> bool {
        if self.by_project.values().any(|ids| ids.contains(&id)) {
            return false;
        }
        if let Some(ids) = self.by_project.get_mut(project) {
            return ids.insert(id);
        }
        self.by_project.insert(project.into(), BTreeSet::from([id]));
        true
    }

    /// The oldest of the project whose turn it is.
    pub(super) fn next(&self) -> Option<SpoolId> {
        self.turn().and_then(|(_, ids)| ids.first().copied())
    }

    /// Gives the turn on.
    pub(super) fn pass(&mut self) {
        let next: Option<Box<str>> = self.turn().map(|(project, _)| project.into());
        if let Some(next) = next {
            self.last = next;
        }
    }

    fn turn(&self) -> Option<(&str, &BTreeSet<SpoolId>)> {
        let behind = (Excluded(&*self.last), Unbounded);
        let next = self.by_project.range::<str, _>(behind).next();
        next.or_else(|| self.by_project.iter().next()).map(|(project, ids)| (&**project, ids))
    }

    pub(super) fn remove(&mut self, id: SpoolId) {
        self.by_project.retain(|_, ids| {
            ids.remove(&id);
            !ids.is_empty()
        });
    }

    /// The oldest of all.
    pub(super) fn oldest(&self) -> Option<SpoolId> {
        self.by_project.values().filter_map(BTreeSet::first).min().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_project.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.by_project.values().map(BTreeSet::len).sum()
    }
}
