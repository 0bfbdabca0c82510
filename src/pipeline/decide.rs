//! A person's decision on quarantined instances: one at a time, or all that
//! stand for the same cause.
//!
//! Invariant: what is released is cleaned and verified again; a decision can
//! only take more away, say whose a study is, or pass over a rejection note.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

use super::handle::{check_words, quarantine_id};
use super::node::{Node, NodeError};
use crate::queue::{Queue as _, Stage};
use crate::reason::Reason;
use crate::receipt::{Outcome, Release};
use crate::spool::{Decision, Record, SpoolError, SpoolId, State, Then};

/// Hex digits of a cause's name.
const CAUSE_DIGITS: usize = 12;
/// Instances that are released at once: their receipts share a sync.
const AT_ONCE: usize = 64;

/// Which instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// These ids.
    Ids(Vec<String>),
    /// All of a cause, named by itself or by an instance that stands for it.
    Cause(String),
}

/// What is done beside cleaning again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The element that the cause names is removed, at any depth.
    Remove,
    /// It is emptied.
    Empty,
    /// The study is this patient's: for `second-patient`.
    Adopt,
    /// It is passed on all the same: for `recalled`.
    Accept,
    /// It is passed on after what was sent under its UID: for `conflict`.
    Replace,
}

/// A decision to release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseOrder {
    /// Which.
    pub which: Which,
    /// What is done then; none: cleaned again under the present rules.
    pub then: Option<Choice>,
    /// Who decides; needed with `then`.
    pub actor: String,
    /// Why, in words without a patient's value; needed with `then`.
    pub reason: String,
}

impl Node {
    /// Carries out a release; gives the ids. The receipt first, as for every
    /// step (decision 0004). Fails when one cannot be released; those of its group
    /// and before it are.
    ///
    /// # Errors
    /// One is not in quarantine, nothing tells how it came, its reason does not
    /// go with the choice, or there is no such cause.
    pub async fn release(self: &Arc<Self>, order: &ReleaseOrder) -> Result<Vec<String>, NodeError> {
        if order.then.is_some() {
            check_words(&order.actor, &order.reason)?;
        }
        let ids = match &order.which {
            Which::Ids(ids) => {
                ids.iter().map(|id| quarantine_id(id)).collect::<Result<Vec<_>, _>>()?
            }
            Which::Cause(name) => self.of_cause(name).await?,
        };
        let order = Arc::new(order.clone());
        for together in ids.chunks(AT_ONCE) {
            // Each to its end: one that is cut off would stand in `received`, in no queue.
            let mut first_error = None;
            let mut releases = JoinSet::new();
            for id in together.iter().copied() {
                let (node, order) = (Arc::clone(self), Arc::clone(&order));
                releases.spawn(async move { node.release_one(id, &order).await });
            }
            while let Some(released) = releases.join_next().await {
                let released = released.unwrap_or(Err(NodeError::Stopping));
                first_error = first_error.or(released.err());
            }
            if let Some(error) = first_error {
                return Err(error);
            }
        }
        Ok(ids.iter().map(ToString::to_string).collect())
    }

    async fn release_one(&self, id: SpoolId, order: &ReleaseOrder) -> Result<(), NodeError> {
        let held = self.locks.hold(id).await;
        let record = self.record_in_quarantine(&held, id).await?;
        if record.arrival.is_none() {
            let what = "nothing tells how it came";
            return Err(SpoolError::Damaged { id, what }.into());
        }
        let then = order.then.map(|choice| then(choice, &record)).transpose()?;
        let decision = then.map(|then| Decision {
            then,
            actor: order.actor.trim().to_owned(),
            reason: order.reason.trim().to_owned(),
            // After what is accepted, whatever the clock said then.
            at_unix_ms: self.clock.unix_ms().max(self.withdrawn_at(&record)),
            round: 0,
        });
        let release = Release {
            round: record.releases.saturating_add(1),
            then: then.map(described).unwrap_or_default(),
            actor: order.actor.trim().to_owned(),
            because: order.reason.trim().to_owned(),
        };
        self.receipt(id, &record, None, Outcome::Released(release)).await?;
        self.on_spool(move |spool| spool.release_with(id, decision)).await?;
        let project = record.arrival.as_ref().map_or("", |arrival| arrival.project.as_str());
        self.queue.offer(&Stage::Clean, id, project);
        // After the offer: until it is cleaned its study waits for that.
        self.studies.taken_back(id);
        Ok(())
    }

    /// When a rejection note withdrew it; 0: none has.
    fn withdrawn_at(&self, record: &Record) -> u64 {
        let leaving = record.quarantine.as_ref().and_then(|note| note.leaving.as_ref());
        let withdrawn = leaving.and_then(|leaving| self.book.recalled_by(&leaving.instance));
        withdrawn.map_or(0, |withdrawn| withdrawn.at_unix_ms)
    }

    /// The instances of a cause, oldest first.
    async fn of_cause(&self, name: &str) -> Result<Vec<SpoolId>, NodeError> {
        let name = match name.parse::<SpoolId>() {
            Ok(id) => cause(&self.read_in_quarantine(id).await?),
            Err(_no_id) => name.to_owned(),
        };
        let wanted = name.clone();
        let ids = self
            .on_spool(move |spool| {
                let mut ids = Vec::new();
                for id in spool.list(State::Quarantine)? {
                    match spool.record(id) {
                        Ok(record) if cause(&record) == wanted => ids.push(id),
                        // Nobody knows what one with a damaged or locked record stands for.
                        Ok(_) | Err(SpoolError::Damaged { .. } | SpoolError::Locked { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(ids)
            })
            .await?;
        if ids.is_empty() {
            let what = format!("nothing stands in quarantine for cause {name}");
            return Err(NodeError::Unusable { what });
        }
        Ok(ids)
    }
}

/// What a record stands in quarantine for: project, study, reason and place,
/// the numbers of items aside. An instance whose study is not known stands for
/// itself.
pub(super) fn cause(record: &Record) -> String {
    let note = record.quarantine.as_ref();
    let id = record.id.to_string();
    let study = note.and_then(|note| note.leaving.as_ref()).map_or(&id, |leaving| &leaving.study);
    let project = record.arrival.as_ref().map_or("", |arrival| arrival.project.as_str());
    let code = note.map_or("", |note| note.why.reason.code());
    let place = note.map(|note| without_item_numbers(&note.why.detail)).unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [project, study, code, &place] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    digits.chars().take(CAUSE_DIGITS).collect()
}

/// `(0040,A730)[2].(0040,A160)` → `(0040,A730)[].(0040,A160)`.
fn without_item_numbers(detail: &str) -> String {
    let mut inside = false;
    let keeps = |letter: &char| {
        inside = (inside || *letter == '[') && *letter != ']';
        !inside || !letter.is_ascii_digit()
    };
    detail.chars().filter(keeps).collect()
}

/// What a choice means for one instance.
fn then(choice: Choice, record: &Record) -> Result<Then, NodeError> {
    let refused = |what: &str| NodeError::Unusable { what: format!("{}: {what}", record.id) };
    let why = record.quarantine.as_ref().map(|note| &note.why);
    let why = why.ok_or_else(|| refused("nothing tells why it stands"))?;
    let element = || {
        let named = matches!(why.reason, Reason::IdentifierFound | Reason::RuleFailed);
        let element = last_element(&why.detail).filter(|_| named);
        element.ok_or_else(|| refused("its reason names no element to remove or empty"))
    };
    match choice {
        Choice::Remove => element().map(|(group, number)| Then::Remove(group, number)),
        Choice::Empty => element().map(|(group, number)| Then::Empty(group, number)),
        Choice::Adopt if why.reason == Reason::SecondPatient => Ok(Then::Adopt),
        Choice::Accept if why.reason == Reason::Recalled => Ok(Then::Accept),
        Choice::Replace if why.reason == Reason::Conflict => Ok(Then::Replace),
        Choice::Replace => Err(refused("replace is for conflict")),
        Choice::Adopt => Err(refused("adopt is for second-patient")),
        Choice::Accept => Err(refused("accept is for recalled")),
    }
}

/// The last `(gggg,eeee)` of a detail: the element that a path ends at.
fn last_element(detail: &str) -> Option<(u16, u16)> {
    detail.rsplit('(').find_map(|part| {
        let (group, rest) = part.split_at_checked(4)?;
        let (number, rest) = rest.strip_prefix(',')?.split_at_checked(4)?;
        rest.starts_with(')').then_some(())?;
        Some((u16::from_str_radix(group, 16).ok()?, u16::from_str_radix(number, 16).ok()?))
    })
}

fn described(then: Then) -> String {
    match then {
        Then::Remove(group, number) => format!("remove ({group:04X},{number:04X})"),
        Then::Empty(group, number) => format!("empty ({group:04X},{number:04X})"),
        Then::Adopt => "adopt".to_owned(),
        Then::Accept => "accept".to_owned(),
        Then::Replace => "replace".to_owned(),
        Then::ExplicitLittleEndian => "explicit little endian".to_owned(),
        Then::ImplicitLittleEndian => "implicit little endian".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_element_of_a_cause_is_the_one_its_path_ends_at() {
        let nested = "name-remains at (0040,A730)[12].(0040,A160)";
        assert_eq!(last_element(nested), Some((0x0040, 0xA160)));
        assert_eq!(last_element("(0008,103E): the text does not fit"), Some((0x0008, 0x103E)));
        for none in ["", "data set", "(0040)", "(0040,A16", "(zzzz,0000)"] {
            assert_eq!(last_element(none), None, "{none}");
        }
        assert_eq!(without_item_numbers(nested), "name-remains at (0040,A730)[].(0040,A160)");
    }
}
