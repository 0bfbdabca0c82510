//! What people ask of the table of pseudonyms: who is who, lists in and out,
//! two IDs of one person, a new key.
//!
//! Invariant: the ledger has a line with actor and reason before anything is
//! told or changed (decision 0004), and no line holds a Patient ID. Answers do:
//! they go to who asked, over a socket of mode 0600, and into no log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::{info, warn};

use super::handle::WORDS_BYTES_MAX;
use super::node::{Node, NodeError};
use super::person_words::{By, PersonAnswer, PersonRequest, PersonView, Whom, WrittenId};
use crate::clean::metadata::person_rules;
use crate::config::Project;
use crate::dicom::day;
use crate::identified::Identified;
use crate::pseudonym::{
    Mapping, NoPerson, PersonKey, PseudonymError, PseudonymTable, read_list, rekey,
};
use crate::receipt::{Event, Outcome, Receipt, TableAction};

/// Rows of one page of an export. Default 20,000: some 6 MB of a message.
const PAGE_ROWS: usize = 20_000;
/// Faults of a list that are told. Default 1,000: nobody mends more by hand.
const FAULTS_TOLD_MAX: usize = 1_000;

impl Node {
    /// Carries out a request about persons.
    ///
    /// # Errors
    /// The ledger took no line, so that nothing was told; or the table failed.
    pub async fn persons(&self, request: PersonRequest) -> Result<PersonAnswer, NodeError> {
        match request {
            PersonRequest::Lookup { project, whom, by } => self.look_up(&project, whom, by).await,
            PersonRequest::Export { project, after, by } => self.export(&project, after, by).await,
            PersonRequest::Import { project, list, dry_run, by } => {
                self.import(&project, list, dry_run, by).await
            }
            PersonRequest::Link { project, known, other, merge, by } => {
                self.link(&project, [known, other], merge, by).await
            }
            PersonRequest::Rekey { dry_run, by } => self.rekey(dry_run, by).await,
            PersonRequest::Verify => {
                let persons = self.on_table(|table| table.verify()).await??;
                Ok(PersonAnswer::Verified { persons })
            }
        }
    }

    async fn look_up(&self, project: &str, whom: Whom, by: By) -> Result<PersonAnswer, NodeError> {
        let asked = match &whom {
            Whom::Id(id) => Some(id.clone()),
            Whom::Code(_) => None,
        };
        let key = match asked.as_ref().map(|id| self.key_of(project, id)) {
            None => None,
            Some(Ok(key)) => Some(key),
            Some(Err(why)) => return Ok(refused(why)),
        };
        let name = project.to_owned();
        let found = self
            .on_table(move |table| match (whom, key) {
                (Whom::Code(code), _) => table.lookup_code(&name, code.expose()),
                (Whom::Id(_), Some(key)) => table.lookup(&name, &key),
                (Whom::Id(_), None) => Ok(None),
            })
            .await??;
        let ids = found.iter().map(|found| found.person.patient_id.expose());
        let ids: Vec<_> = ids.chain(asked.iter().map(|id| id.patient_id.expose())).collect();
        if let Some(refused) = by.refused(&ids) {
            return Ok(refused);
        }
        // A code that nobody has may be a Patient ID that somebody mistook for one.
        let code = found.as_ref().map(|found| found.code.clone()).unwrap_or_default();
        let persons = u64::from(found.is_some());
        self.note_use(project, TableAction::Lookup, by, code, persons).await?;
        Ok(PersonAnswer::Found(found.map(view)))
    }

    async fn export(&self, project: &str, after: u64, by: By) -> Result<PersonAnswer, NodeError> {
        if let Err(why) = self.project(project) {
            return Ok(refused(why));
        }
        if let Some(refused) = by.refused(&[]) {
            return Ok(refused);
        }
        let name = project.to_owned();
        let (page, persons) = self
            .on_table(move |table| -> Result<_, PseudonymError> {
                Ok((table.export(&name, after, PAGE_ROWS)?, table.persons_in(&name)?))
            })
            .await??;
        if after == 0 {
            self.note_use(project, TableAction::Export, by, String::new(), persons).await?;
        }
        let rows = page.rows.into_iter().map(view).collect();
        Ok(PersonAnswer::Page { rows, next: page.next })
    }

    async fn import(
        &self,
        project: &str,
        list: Identified<String>,
        dry_run: bool,
        by: By,
    ) -> Result<PersonAnswer, NodeError> {
        if let Some(refused) = by.refused(&[]) {
            return Ok(refused);
        }
        let rules = match self.project(project) {
            Ok(project) => person_rules(&project.rules.persons, ""),
            Err(why) => return Ok(refused(why)),
        };
        let name = project.to_owned();
        let checked = self
            .on_table(move |table| -> Result<_, PseudonymError> {
                let list = match read_list(list.expose().as_bytes(), &name, &rules) {
                    Ok(list) => list,
                    Err(faults) => return Ok(Err(faults)),
                };
                let mut known = 0;
                for line in &list {
                    known += u64::from(table.lookup(&line.project, &line.person)?.is_some());
                }
                let faults = table.check_list(&list)?;
                Ok(if faults.is_empty() { Ok((list, known)) } else { Err(faults) })
            })
            .await??;
        let (list, known) = match checked {
            Ok(checked) => checked,
            Err(faults) => return Ok(refused_list(&faults)),
        };
        let lines = list.len() as u64;
        if dry_run {
            return Ok(PersonAnswer::Imported { new: lines - known, known });
        }
        self.note_use(project, TableAction::Import, by, String::new(), lines).await?;
        Ok(match self.on_table(move |table| table.import(&list)).await?? {
            Ok(done) => PersonAnswer::Imported { new: done.new, known: done.known },
            // The node has given codes between the two looks.
            Err(faults) => refused_list(&faults),
        })
    }

    async fn link(
        &self,
        project: &str,
        ids: [WrittenId; 2],
        merge: bool,
        by: By,
    ) -> Result<PersonAnswer, NodeError> {
        let written: Vec<_> = ids.iter().map(|id| id.patient_id.expose()).collect();
        if let Some(refused) = by.refused(&written) {
            return Ok(refused);
        }
        let keys = ids.each_ref().map(|id| self.key_of(project, id));
        let [known, other] = match keys {
            [Ok(known), Ok(other)] => [known, other],
            [Err(why), _] | [_, Err(why)] => return Ok(refused(why)),
        };
        let (name, first) = (project.to_owned(), known.clone());
        let standing = self.on_table(move |table| table.lookup(&name, &first)).await??;
        let code = standing.map(|standing| standing.code).unwrap_or_default();
        let action = if merge { TableAction::Merge } else { TableAction::Link };
        self.note_use(project, action, by, code, 2).await?;
        let name = project.to_owned();
        let linked = self.on_table(move |table| table.link(&name, &known, &other, merge)).await?;
        Ok(match linked {
            Ok(linked) => PersonAnswer::Linked {
                code: linked.assigned.code,
                former_code: linked.former_code,
                ids: linked.records,
            },
            Err(PseudonymError::PersonKnown) => refused(
                "the second ID has another pseudonym already; with --merge it gets the first one's",
            ),
            Err(PseudonymError::PersonUnknown) => refused(
                "the first ID has no pseudonym in this project; import it, or send an object of it",
            ),
            Err(error) => return Err(error.into()),
        })
    }

    async fn rekey(&self, dry_run: bool, by: By) -> Result<PersonAnswer, NodeError> {
        if let Some(refused) = by.refused(&[]) {
            return Ok(refused);
        }
        if self.config.master_key_file.is_some() {
            return Ok(refused(
                "keys.master_file is yours to change: copy it to DATA/keys/retired-OLD (mode 0600), \
                 write a new one in its place, and restart",
            ));
        }
        let persons = self.on_table(|table| table.len()).await?;
        let old_key_id = self.key_id.clone();
        if dry_run {
            return Ok(PersonAnswer::Rekeyed { old_key_id, new_key_id: None, persons });
        }
        self.note_use("", TableAction::Rekey, by, String::new(), persons).await?;
        let data_dir = self.config.data_dir.clone();
        let rekeyed = tokio::task::spawn_blocking(move || rekey(&data_dir)).await;
        let rekeyed = rekeyed
            .map_err(|_runtime_ends| NodeError::Stopping)?
            .map_err(|error| NodeError::Unusable { what: error.to_string() })?;
        warn!(
            old_key_id = rekeyed.old_key_id,
            new_key_id = rekeyed.new_key_id,
            "A NEW MASTER KEY WAS MADE. BACK UP THE KEYS; the new one is used after the next start"
        );
        let new_key_id = Some(rekeyed.new_key_id);
        Ok(PersonAnswer::Rekeyed { old_key_id: rekeyed.old_key_id, new_key_id, persons })
    }

    /// The ledger's line about a use of the table; returns when it is synced.
    async fn note_use(
        &self,
        project: &str,
        action: TableAction,
        by: By,
        code: String,
        persons: u64,
    ) -> Result<(), NodeError> {
        static USES: AtomicU64 = AtomicU64::new(0);
        let unix_ms = self.clock.unix_ms();
        let number = USES.fetch_add(1, Ordering::Relaxed);
        let event = Event {
            id: format!("table-{unix_ms:012x}-{:x}-{number:x}", std::process::id()),
            project: project.to_owned(),
            time_unix_ms: unix_ms,
            outcome: Outcome::TableUse {
                action,
                actor: by.actor.trim().to_owned(),
                reason: by.reason.trim().to_owned(),
                code,
                persons,
            },
        };
        info!(id = event.id, project, ?action, persons, "table of pseudonyms used");
        Ok(self.ledger.append_async(&Receipt::of_uncleaned(event, "")).await?)
    }

    /// Runs a blocking step on the table.
    async fn on_table<T: Send + 'static>(
        &self,
        step: impl FnOnce(&dyn PseudonymTable) -> T + Send + 'static,
    ) -> Result<T, NodeError> {
        let table = Arc::clone(&self.table);
        let done = tokio::task::spawn_blocking(move || step(table.as_ref())).await;
        done.map_err(|_runtime_ends| NodeError::Stopping)
    }

    fn project(&self, name: &str) -> Result<&Project, &'static str> {
        let project = self.config.projects.get(name);
        project.ok_or("there is no such project in the configuration")
    }

    /// Who an ID is in a project.
    fn key_of(&self, project: &str, id: &WrittenId) -> Result<PersonKey, &'static str> {
        let rules = person_rules(&self.project(project)?.rules.persons, "");
        rules.person(id.issuer.expose(), id.patient_id.expose()).map_err(|nobody| match nobody {
            NoPerson::Empty => "the Patient ID is empty",
            NoPerson::Placeholder => "the Patient ID is a placeholder of this project",
            NoPerson::TooLong => "the Patient ID or its issuer is too long",
        })
    }
}

impl By {
    /// Why these words are no evidence: empty, too long, or with an ID in them.
    fn refused(&self, ids: &[&String]) -> Option<PersonAnswer> {
        for words in [&self.actor, &self.reason] {
            if words.trim().is_empty() || words.len() > WORDS_BYTES_MAX {
                return Some(refused(&format!(
                    "actor and reason need 1 to {WORDS_BYTES_MAX} bytes each"
                )));
            }
            let words = words.to_uppercase();
            let quotes = |id: &&&String| words.contains(&id.trim().to_uppercase());
            if ids.iter().filter(|id| id.trim().len() > 2).any(|id| quotes(&id)) {
                return Some(refused("actor and reason stay in the ledger: no Patient ID in them"));
            }
        }
        None
    }
}

fn refused(why: &str) -> PersonAnswer {
    PersonAnswer::Refused { faults: vec![why.to_owned()] }
}

fn refused_list(faults: &[crate::pseudonym::ListFault]) -> PersonAnswer {
    let told = faults.iter().take(FAULTS_TOLD_MAX);
    let mut told: Vec<_> =
        told.map(|fault| format!("line {}: {}", fault.line, fault.what)).collect();
    if faults.len() > FAULTS_TOLD_MAX {
        told.push(format!("and {} more", faults.len() - FAULTS_TOLD_MAX));
    }
    PersonAnswer::Refused { faults: told }
}

fn view(mapping: Mapping) -> PersonView {
    let unlinked_study = mapping.person.is_unlinked();
    PersonView {
        project: mapping.project,
        code: mapping.code,
        issuer: if unlinked_study { Identified::default() } else { mapping.person.issuer },
        patient_id: mapping.person.patient_id,
        shift_days: mapping.shift_days,
        baseline_date: mapping.baseline_day.and_then(day::written).map(Identified::new),
        key_id: mapping.key_id,
        linked: mapping.linked,
        unlinked_study,
        former_codes: mapping.former_codes,
    }
}
