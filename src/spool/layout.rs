//! Where each name of an instance lies under the spool's root.

use std::path::{Path, PathBuf};

use super::{DestinationName, SpoolId};

/// Where an object can be listed and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Acknowledged, waiting to be cleaned.
    Received,
    /// Original of an instance whose clean copy stands.
    Held,
    /// The clean copy.
    Cleaned,
    /// Original that was not passed on.
    Quarantine,
}

/// A directory of the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dir {
    Incoming,
    Received,
    Held,
    Cleaned,
    Quarantine,
    Meta,
    Report,
    Outbox,
    /// Open requests for storage commitment: no names of instances.
    Transactions,
}

impl Dir {
    pub(super) const ALL: [Self; 9] = [
        Self::Incoming,
        Self::Received,
        Self::Held,
        Self::Cleaned,
        Self::Quarantine,
        Self::Meta,
        Self::Report,
        Self::Outbox,
        Self::Transactions,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Received => "received",
            Self::Held => "held",
            Self::Cleaned => "cleaned",
            Self::Quarantine => "quarantine",
            Self::Meta => "meta",
            Self::Report => "report",
            Self::Outbox => "outbox",
            Self::Transactions => "transactions",
        }
    }
}

impl From<State> for Dir {
    fn from(state: State) -> Self {
        match state {
            State::Received => Self::Received,
            State::Held => Self::Held,
            State::Cleaned => Self::Cleaned,
            State::Quarantine => Self::Quarantine,
        }
    }
}

/// Ending of a file that is still being written.
pub(super) const PART: &str = ".part";
/// Ending of a record.
pub(super) const META: &str = ".meta";
/// Ending of a report.
pub(super) const JSON: &str = ".json";

/// Paths under one root.
#[derive(Debug)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn dir(&self, dir: Dir) -> PathBuf {
        self.root.join(dir.name())
    }

    pub(super) fn object(&self, state: State, id: SpoolId) -> PathBuf {
        self.dir(state.into()).join(id.to_string())
    }

    pub(super) fn incoming(&self, id: SpoolId) -> PathBuf {
        self.dir(Dir::Incoming).join(format!("{id}{PART}"))
    }

    pub(super) fn clean_part(&self, id: SpoolId) -> PathBuf {
        self.dir(Dir::Cleaned).join(format!("{id}{PART}"))
    }

    pub(super) fn record(&self, id: SpoolId) -> PathBuf {
        self.dir(Dir::Meta).join(format!("{id}{META}"))
    }

    pub(super) fn report(&self, id: SpoolId) -> PathBuf {
        self.dir(Dir::Report).join(format!("{id}{JSON}"))
    }

    pub(super) fn outbox(&self, destination: &DestinationName) -> PathBuf {
        self.dir(Dir::Outbox).join(destination.as_str())
    }

    pub(super) fn link(&self, destination: &DestinationName, id: SpoolId) -> PathBuf {
        self.outbox(destination).join(id.to_string())
    }
}
