//! The outcomes of an instance, and what a person did with the table of
//! pseudonyms.

use serde::{Deserialize, Serialize};

use crate::reason::Reason;

/// Longest project, destination or actor that is written in full.
pub(super) const NAME_BYTES_MAX: usize = 48;
/// Longest detail or reason in words that is written in full.
const DETAIL_BYTES_MAX: usize = 100;
/// Longest digest or UID.
pub(super) const CODE_BYTES_MAX: usize = 64;

/// What became of the instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// A destination has it.
    Delivered {
        /// The destination's name in the configuration.
        destination: String,
        /// Status of its C-STORE response (PS3.4 Table B.2-1); 0 for a folder.
        status: u16,
    },
    /// A destination has said that it keeps it (PS3.4 Annex J).
    Committed {
        /// The destination's name in the configuration.
        destination: String,
    },
    /// It waits for a person.
    Quarantined {
        /// Why.
        reason: Reason,
        /// Where: rule, tag path, limit. Never a value of the data set.
        detail: String,
    },
    /// A person gave it up; it is gone.
    Discarded {
        /// Who.
        actor: String,
        /// Why, in the person's words.
        reason: String,
        /// New Study Instance UID, where it was known.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        study: String,
    },
    /// A person sent it round again: cleaned and checked under today's rules.
    Released(Release),
    /// It is a rejection note: what it names is not sent any more.
    Recall {
        /// Code of its title (PS3.16 CID 7010).
        code: String,
        /// Instances that it names.
        instances: u32,
    },
    /// Nothing became of an instance: a person used the table of pseudonyms.
    TableUse {
        /// What for.
        action: TableAction,
        /// Who.
        actor: String,
        /// Why, in the person's words.
        reason: String,
        /// The pseudonym, where it is about one.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        code: String,
        /// Of how many persons.
        persons: u64,
    },
}

/// What a person did with the table of pseudonyms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TableAction {
    /// Asked who has a code, or which code somebody has.
    Lookup,
    /// Took the list out.
    Export,
    /// Put a list in.
    Import,
    /// Said that two IDs are one person.
    Link,
    /// The same, for two that had codes already.
    Merge,
    /// Made a new key for new persons.
    Rekey,
}

/// How an instance was released. Without a decision all is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// How many times it has been released by now.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub round: u32,
    /// What is done beside cleaning it again, as in `remove (0008,103E)`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub then: String,
    /// Who decided.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub actor: String,
    /// Why, in the person's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub because: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// An outcome without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeKind {
    /// [`Outcome::Delivered`].
    Delivered,
    /// [`Outcome::Committed`].
    Committed,
    /// [`Outcome::Quarantined`].
    Quarantined,
    /// [`Outcome::Discarded`].
    Discarded,
    /// [`Outcome::Released`].
    Released,
    /// [`Outcome::Recall`].
    Recall,
    /// [`Outcome::TableUse`].
    TableUse,
}

impl Outcome {
    /// The outcome without its details.
    #[must_use]
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::Delivered { .. } => OutcomeKind::Delivered,
            Self::Committed { .. } => OutcomeKind::Committed,
            Self::Quarantined { .. } => OutcomeKind::Quarantined,
            Self::Discarded { .. } => OutcomeKind::Discarded,
            Self::Released(_) => OutcomeKind::Released,
            Self::Recall { .. } => OutcomeKind::Recall,
            Self::TableUse { .. } => OutcomeKind::TableUse,
        }
    }

    /// What tells two events of one kind apart.
    pub(super) fn particular(&self) -> Option<String> {
        match self {
            Self::Delivered { destination, .. } | Self::Committed { destination } => {
                Some(destination.clone())
            }
            Self::Released(release) => Some(release.round.to_string()),
            Self::Quarantined { .. }
            | Self::Discarded { .. }
            | Self::Recall { .. }
            | Self::TableUse { .. } => None,
        }
    }

    pub(super) fn bounded(self) -> Self {
        match self {
            Self::Delivered { destination, status } => {
                Self::Delivered { destination: bounded(&destination, NAME_BYTES_MAX), status }
            }
            Self::Committed { destination } => {
                Self::Committed { destination: bounded(&destination, NAME_BYTES_MAX) }
            }
            Self::Quarantined { reason, detail } => {
                Self::Quarantined { reason, detail: bounded(&detail, DETAIL_BYTES_MAX) }
            }
            Self::Discarded { actor, reason, study } => Self::Discarded {
                actor: bounded(&actor, NAME_BYTES_MAX),
                reason: bounded(&reason, DETAIL_BYTES_MAX),
                study: bounded(&study, CODE_BYTES_MAX),
            },
            Self::TableUse { action, actor, reason, code, persons } => Self::TableUse {
                action,
                actor: bounded(&actor, NAME_BYTES_MAX),
                reason: bounded(&reason, DETAIL_BYTES_MAX),
                code: bounded(&code, CODE_BYTES_MAX),
                persons,
            },
            Self::Released(Release { round, then, actor, because }) => Self::Released(Release {
                round,
                then: bounded(&then, NAME_BYTES_MAX),
                actor: bounded(&actor, NAME_BYTES_MAX),
                because: bounded(&because, DETAIL_BYTES_MAX),
            }),
            Self::Recall { code, instances } => {
                Self::Recall { code: bounded(&code, CODE_BYTES_MAX), instances }
            }
        }
    }
}

/// At most `bytes_max` bytes that need no escape in JSON, so that the length
/// of a receipt is known and a line stays a line.
pub(super) fn bounded(text: &str, bytes_max: usize) -> String {
    let mut bounded = String::new();
    for c in text.chars() {
        let c = if c.is_control() || matches!(c, '"' | '\\') { '?' } else { c };
        if bounded.len() + c.len_utf8() > bytes_max {
            break;
        }
        bounded.push(c);
    }
    bounded
}
