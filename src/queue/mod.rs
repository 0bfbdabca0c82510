//! Which instance is next: ids of the spool in, one claim at a time out.
//!
//! Only an index in memory: the spool's names are the queue, and a restart
//! fills this again from them. Invariant: an id is in a stage at most once, and
//! between [`Queue::claim`] and [`Queue::done`] or [`Queue::later`] it belongs
//! to one caller. A site that outgrows one machine puts another [`Queue`] here.

mod local;
mod repeats;
#[cfg(test)]
mod tests;
mod turns;

use std::pin::Pin;
use std::time::Duration;

pub use local::LocalQueue;
pub use repeats::{Repeat, Repeats};

use crate::spool::{DestinationName, SpoolId};

/// What an instance waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// To be cleaned and verified.
    Clean,
    /// To be sent to a destination.
    Forward(DestinationName),
}

/// How many instances stand in a stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// May be claimed now.
    pub ready: usize,
    /// Wait for their next try.
    pub delayed: usize,
    /// Somebody works on them.
    pub taken: usize,
}

/// The end of [`Queue::wait`].
pub type Wait<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Decides which instance is next in each stage.
///
/// Projects take turns, so that a long queue of one keeps no other waiting; within a
/// project first come, first served. Those that come back after a delay and those that
/// never were tried take turns, so that neither starves the other. Not bounded
/// by itself: an id costs some 24 bytes, and the disk is full long before.
pub trait Queue: Send + Sync + std::fmt::Debug {
    /// Adds an instance of a project; false when it is in the stage already. An empty
    /// name where the project is not known, as after a restart: they share a turn.
    fn offer(&self, stage: &Stage, id: SpoolId, project: &str) -> bool;
    /// Gives the next one that is ready, to this caller alone.
    fn claim(&self, stage: &Stage) -> Option<SpoolId>;
    /// The stage is over for this instance.
    fn done(&self, stage: &Stage, id: SpoolId);
    /// Gives a claimed instance back, to be ready again after `delay`, which is
    /// measured by a clock that never jumps.
    fn later(&self, stage: &Stage, id: SpoolId, delay: Duration);
    /// Makes all delayed instances of a stage ready now: its destination answers again.
    fn hasten(&self, stage: &Stage);
    /// Counts for metrics and `airlock queue`.
    fn depth(&self, stage: &Stage) -> Depth;
    /// The oldest instance of a stage, claimed or not: its age is the alarm.
    fn oldest(&self, stage: &Stage) -> Option<SpoolId>;
    /// Stages that were ever used.
    fn stages(&self) -> Vec<Stage>;
    /// Ends when an instance of the stage is ready. Another caller may claim it
    /// first: call [`Queue::claim`], and wait again when that gives nothing.
    fn wait<'a>(&'a self, stage: &'a Stage) -> Wait<'a>;
}
