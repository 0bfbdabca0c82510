//! A sender's repeat of an instance that the node holds: what was promised for
//! it holds already; what was delivered goes out once more; what stands in
//! quarantine is cleaned again when other rules may let it pass.
//!
//! Blocks: called on a thread that may.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tracing::{info, warn};

use super::locks::Held;
use super::node::{Node, NodeError};
use crate::clean::Report;
use crate::clean::job::profile_digest;
use crate::clean::text::ModelFiles;
use crate::config::{Config, Project};
use crate::queue::{Queue as _, Repeat, Stage};
use crate::reason::Reason;
use crate::receipt::{Outcome, Release};
use crate::spool::{DestinationName, Record, SpoolId, State};

/// How often a kept instance that somebody works on is looked at. Default 200: with
/// the pause 2 s, longer than a group of them takes to be looked through.
const HOLD_TRIES: u32 = 200;
/// Pause between two looks. Default 10 ms.
const HOLD_PAUSE: Duration = Duration::from_millis(10);

/// What a repeat of a kept instance leads to.
enum Again {
    /// Its clean copy goes out again.
    Sent(Vec<DestinationName>),
    /// It went out again a short while ago.
    Lately,
    /// Rules, models or version are others by now, or a rejection note names it.
    Anew,
}

impl Node {
    /// Whether the same bytes of this instance stand here, so that what was
    /// promised for them holds for the repeat too. When every destination has it,
    /// the kept clean copy goes out again, at most once per `data.resend_window`.
    /// Otherwise the repeat is taken as if it were new.
    pub fn repeated(&self, key: &[u8; 16], sha256: &str) -> bool {
        let Repeat::Same(id) = self.repeats.compare(key, sha256) else { return false };
        if !self.kept.contains(id) {
            return self.stands(id);
        }
        let Some(_held) = self.hold_soon(id) else { return false };
        if self.repeats.compare(key, sha256) != Repeat::Same(id) {
            // It went meanwhile.
            return false;
        }
        if !self.kept.contains(id) {
            return true;
        }
        match self.send_again(id) {
            Ok(Again::Sent(destinations)) => {
                info!(spool_id = %id, destinations = destinations.len(), "repeated, sent again");
                true
            }
            Ok(Again::Lately) => true,
            Ok(Again::Anew) => {
                self.repeats.forget(id);
                false
            }
            Err(error) => {
                warn!(spool_id = %id, %error, "repeated, not sent again: it is taken anew");
                self.repeats.forget(id);
                false
            }
        }
    }

    /// Whether an instance that is on its way, or was set aside, stands at all: an
    /// original that somebody removed keeps no promise.
    fn stands(&self, id: SpoolId) -> bool {
        match self.spool.state(id) {
            Ok(Some(State::Quarantine)) => self.clean_again_if_it_may_pass(id),
            Ok(Some(State::Received | State::Held | State::Cleaned)) => {}
            Ok(None) => {
                self.repeats.forget(id);
                return false;
            }
            Err(error) => {
                warn!(spool_id = %id, %error, "repeated, and cannot be looked at: it is taken anew");
                return false;
            }
        }
        // Damage may have been found this moment.
        self.repeats.knows(id)
    }

    /// Cleans an instance in quarantine again when what cleaning found there may be
    /// otherwise by now; whether it does changes nothing for who repeats it.
    fn clean_again_if_it_may_pass(&self, id: SpoolId) {
        // Somebody who works on it decides on it.
        let Some(_held) = self.locks.try_hold(id) else { return };
        match self.clean_again(id) {
            Ok(true) => info!(spool_id = %id, "repeated, cleaned again under other rules"),
            Ok(false) => {}
            Err(error) => warn!(spool_id = %id, %error, "repeated, stays in quarantine"),
        }
    }

    fn clean_again(&self, id: SpoolId) -> Result<bool, NodeError> {
        if self.spool.state(id)? != Some(State::Quarantine) {
            return Ok(false);
        }
        let record = self.spool.record(id)?;
        let (Some(arrival), Some(note)) = (&record.arrival, &record.quarantine) else {
            return Ok(false);
        };
        let under = self.cleaned_under(&arrival.project);
        if !is_of_rules(note.why.reason) || note.under.as_ref() == Some(&under) {
            return Ok(false);
        }
        let release = Release {
            round: record.releases.saturating_add(1),
            then: String::new(),
            actor: "airlock".to_owned(),
            because: "sent again after rules, models or version changed".to_owned(),
        };
        self.ledger.append(&self.receipt_of(id, &record, None, Outcome::Released(release)))?;
        self.spool.release(id)?;
        self.queue.offer(&Stage::Clean, id, &arrival.project);
        // After the offer: until it is cleaned its study waits for that.
        self.studies.taken_back(id);
        Ok(true)
    }

    /// Waits a moment for whoever works on a kept one; it may be about to go.
    fn hold_soon(&self, id: SpoolId) -> Option<Held> {
        for _try in 0..HOLD_TRIES {
            if let Some(held) = self.locks.try_hold(id) {
                return Some(held);
            }
            #[cfg(test)]
            if crate::simulated::is_on() {
                // Nobody else runs while this thread sleeps.
                return None;
            }
            std::thread::sleep(HOLD_PAUSE);
        }
        None
    }

    fn send_again(&self, id: SpoolId) -> Result<Again, NodeError> {
        let record = self.spool.record(id)?;
        let now_ms = self.clock.unix_ms();
        let window_ms = u64::try_from(self.config.resend_window.as_millis()).unwrap_or(u64::MAX);
        // A clock that was set back does not hold it up.
        let lately = record.resent_unix_ms.filter(|at| *at <= now_ms);
        if lately.is_some_and(|at| now_ms.saturating_sub(at) < window_ms) {
            return Ok(Again::Lately);
        }
        let project = record.arrival.as_ref().map(|arrival| &arrival.project);
        let Some(project) = project.and_then(|name| self.config.projects.get(name)) else {
            return Ok(Again::Anew);
        };
        let report = self.spool.report(id)?;
        let unusable = |what: String| NodeError::Unusable { what };
        let report: Report =
            serde_json::from_slice(&report).map_err(|error| unusable(error.to_string()))?;
        if !self.is_as_today(&report, project) || self.is_recalled(&report, &record) {
            return Ok(Again::Anew);
        }
        let destinations = destinations(project)?;
        if !self.versions.goes_again(id, &project.name, &report) {
            return Ok(Again::Anew);
        }
        let linked = self.spool.send_again(id, &destinations, now_ms);
        // Also after an error: what has a link is to be sent.
        let awaiting = self.spool.awaiting(id)?;
        if awaiting.is_empty() {
            self.versions.left(id);
        }
        for destination in awaiting {
            self.kept.remove(id);
            self.queue.offer(&Stage::Forward(destination), id, &project.name);
        }
        linked?;
        Ok(Again::Sent(destinations))
    }

    /// Cleaning it today gives the same bytes, as far as can be told without.
    fn is_as_today(&self, report: &Report, project: &Project) -> bool {
        let models = || match ModelFiles::find(self.config.models_dir.as_deref()) {
            Ok(models) => models.versions() == report.models,
            Err(_no_models) => false,
        };
        report.software == env!("CARGO_PKG_VERSION")
            && report.profile_digest == profile_digest(&project.rules)
            && (report.models.is_empty() || models())
    }

    fn is_recalled(&self, report: &Report, record: &Record) -> bool {
        let withdrawn = self.book.recalled_by(&report.sop_instance);
        withdrawn.is_some_and(|withdrawn| !record.is_accepted(withdrawn.at_unix_ms))
    }
}

/// Whether other rules, models or another version may do away with a reason; the
/// others a person decides on, or a destination.
fn is_of_rules(reason: Reason) -> bool {
    !matches!(
        reason,
        Reason::SecondPatient
            | Reason::Recalled
            | Reason::Conflict
            | Reason::DamagedSpool
            | Reason::RefusedByDestination
            | Reason::NotCommitted
            | Reason::NoTransferSyntax
    )
}

/// Names what each project cleans with at present: rules, limits, models, version.
pub(super) fn names_of_rules(config: &Config) -> BTreeMap<String, String> {
    let models = ModelFiles::find(config.models_dir.as_deref()).map(|models| models.versions());
    let common = format!(
        "{} {} {} {:?}",
        env!("CARGO_PKG_VERSION"),
        config.worker_time_max.as_millis(),
        config.worker_memory_bytes_max,
        models.unwrap_or_default(),
    );
    let name = |project: &Project| {
        let rules = profile_digest(&project.rules);
        let persons = (project.code_mode, project.joins_missing_issuer);
        let digest = Sha256::digest(format!("{common} {rules} {persons:?}"));
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    };
    let projects = config.projects.values();
    projects.map(|project| (project.name.clone(), name(project))).collect()
}

/// Where a project's instances go.
pub(super) fn destinations(project: &Project) -> Result<Vec<DestinationName>, NodeError> {
    let names = project.destinations.iter().map(|name| name.parse());
    names
        .collect::<Result<_, _>>()
        .map_err(|error: crate::spool::NameError| NodeError::Unusable { what: error.to_string() })
}
