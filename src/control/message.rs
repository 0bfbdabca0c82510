//! What commands ask and are told. Stable: `--json` prints these as they are.

use serde::{Deserialize, Serialize};

use crate::pipeline::{
    PersonAnswer, PersonRequest, QuarantineView, QueueView, RecallView, ReleaseOrder, StudyView,
};
use crate::receipt::Receipt;

/// From a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// The node is ready.
    Health,
    /// What waits where.
    Queue,
    /// What became of each study, all or one.
    Studies {
        /// New Study Instance UID; none: all.
        study: Option<String>,
    },
    /// Quarantine, all or one.
    Quarantine {
        /// One id; none: all.
        id: Option<String>,
    },
    /// Clean again.
    Release(ReleaseOrder),
    /// Recalls.
    Recalls,
    /// Throw away.
    Discard {
        /// Id.
        id: String,
        /// Who.
        actor: String,
        /// Why.
        reason: String,
    },
    /// Receipts, all or of one study.
    Receipts {
        /// New Study Instance UID; none: all.
        study: Option<String>,
    },
    /// Walk the ledger's chain.
    VerifyReceipts,
    /// The table of pseudonyms.
    Persons(PersonRequest),
}

/// To a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Ready.
    Ready,
    /// What waits where.
    Queue(QueueView),
    /// What became of each study.
    Studies(Vec<StudyView>),
    /// Quarantine.
    Quarantine(Vec<QuarantineView>),
    /// Recalls.
    Recalls(Vec<RecallView>),
    /// Done for these ids.
    Done(Vec<String>),
    /// Receipts.
    Receipts(Vec<Receipt>),
    /// The chain is whole: this many lines.
    ChainWhole(u64),
    /// The table of pseudonyms.
    Persons(PersonAnswer),
    /// It was not done.
    Failed {
        /// Why and what to do.
        what: String,
    },
}
