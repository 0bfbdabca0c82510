//! The lanes of one destination, each with an association or none: which one the next
//! instance takes, and when one that is idle is released.
//!
//! Invariant: no association is opened while an open one is free, and no more at once
//! than the destination takes at present.

use std::time::Duration;

use tokio::time::Instant;

use super::target::Target;

/// Lanes that are free, and how many may be in use.
#[derive(Debug)]
pub(super) struct Lanes {
    /// The last one used is the next: the others become idle.
    open: Vec<(Target, Instant)>,
    closed: Vec<Target>,
    /// Taken, for whatever it is.
    taken: usize,
    /// Most that may be in use at present.
    limit: usize,
    most: usize,
    grows_at: Option<Instant>,
}

impl Lanes {
    pub(super) fn new(target: Target, most: usize) -> Self {
        let most = if matches!(target, Target::Folder(_)) { 1 } else { most.max(1) };
        let mut closed: Vec<_> = (1..most).map(|_| target.another()).collect();
        closed.push(target);
        Self { open: Vec::new(), closed, taken: 0, limit: most, most, grows_at: None }
    }

    /// One can be taken.
    pub(super) fn has_one(&self) -> bool {
        !self.open.is_empty() || self.in_use() < self.limit && !self.closed.is_empty()
    }

    /// Takes an open one, else one that will open an association.
    pub(super) fn take(&mut self) -> Option<Target> {
        if !self.has_one() {
            return None;
        }
        let open = self.open.pop().map(|(target, _)| target);
        let target = open.or_else(|| self.closed.pop())?;
        self.taken += 1;
        Some(target)
    }

    pub(super) fn give_back(&mut self, target: Target) {
        self.taken -= 1;
        if target.is_open() {
            let until = Instant::now() + target.idle_release();
            self.open.push((target, until));
        } else {
            self.closed.push(target);
        }
    }

    /// The destination takes no more associations than those beside the one that is
    /// about to be given back; more are tried after a while.
    pub(super) fn shrink(&mut self, for_: Duration) {
        self.limit = self.in_use().saturating_sub(1).clamp(1, self.limit);
        self.grows_at = Some(Instant::now() + for_);
    }

    /// The next time when [`Lanes::tick`] has something to do.
    pub(super) fn next(&self) -> Option<Instant> {
        self.open.iter().map(|(_, until)| *until).chain(self.grows_at).min()
    }

    /// Takes those that were idle long enough, to be closed.
    pub(super) fn tick(&mut self) -> Vec<Target> {
        let now = Instant::now();
        if self.grows_at.is_some_and(|at| at <= now) {
            (self.limit, self.grows_at) = (self.most, None);
        }
        self.take_open(|until| until <= now)
    }

    /// Takes all that are open and free, to be closed.
    pub(super) fn take_all_open(&mut self) -> Vec<Target> {
        self.take_open(|_until| true)
    }

    fn take_open(&mut self, wanted: impl Fn(Instant) -> bool) -> Vec<Target> {
        let taken: Vec<_> = self
            .open
            .extract_if(.., |(_, until)| wanted(*until))
            .map(|(target, _)| target)
            .collect();
        self.taken += taken.len();
        taken
    }

    fn in_use(&self) -> usize {
        self.taken + self.open.len()
    }
}
