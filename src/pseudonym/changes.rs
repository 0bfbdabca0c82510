//! What people do to the table: import, link, export, verify.
//!
//! Invariant: a list is taken as a whole or not at all, and no fault quotes a
//! value of it. What was given to a person is changed by one step only, a merge
//! that somebody asked for; the code that it takes away still leads to the person.

use std::collections::HashMap;

use super::derive;
use super::error::PseudonymError;
use super::group::Group;
use super::keys::KeyPurpose;
use super::person::{Assigned, PersonKey};
use super::record::Mapping;
use super::table::{PseudonymTable as _, SledTable, check};

/// A line of a list that was made elsewhere, for example a trial's own.
#[derive(Debug, Clone)]
pub struct Import {
    /// Its place in the list, for faults.
    pub line: u64,
    /// The project.
    pub project: String,
    /// Who, normalised.
    pub person: PersonKey,
    /// The code that the trial uses; empty: the project's rule makes one.
    pub code: String,
    /// Its date shift, or the one that a new person gets.
    pub shift_days: Option<i32>,
    /// The person's baseline date, in days since 1970-01-01.
    pub baseline_day: Option<i64>,
}

/// Why a line is not taken. Quotes nothing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFault {
    /// Line of the list, from 1.
    pub line: u64,
    /// What is wrong.
    pub what: String,
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Persons that were not in the table.
    pub new: u64,
    /// Persons that were in it with just this.
    pub known: u64,
}

/// What a link did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// What both have now.
    pub assigned: Assigned,
    /// The code that the second one had before, after a merge.
    pub former_code: Option<String>,
    /// Records that were made: 0 when they were one person already.
    pub records: u64,
}

/// Some rows of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Mappings as they are now.
    pub rows: Vec<Mapping>,
    /// What to ask for next; nothing at the end.
    pub next: Option<u64>,
}

impl SledTable {
    pub(super) fn list_faults(&self, list: &[Import]) -> Result<Vec<ListFault>, PseudonymError> {
        let mut faults = Vec::new();
        let mut persons: HashMap<_, &Import> = HashMap::new();
        let mut codes: HashMap<_, &Import> = HashMap::new();
        for line in list {
            let mut fault = |what: String| faults.push(ListFault { line: line.line, what });
            if let Err(refused) = self.check_line(line) {
                // A table that fails says nothing about the line.
                if matches!(
                    refused,
                    PseudonymError::Index(_)
                        | PseudonymError::IndexDisagrees { .. }
                        | PseudonymError::Undecipherable { .. }
                        | PseudonymError::UnknownKey { .. }
                ) {
                    return Err(refused);
                }
                fault(refused.to_string());
            }
            match persons.insert((&line.project, &line.person), line) {
                Some(first) if !says_the_same(first, line) => {
                    fault(format!("this person stands in line {} already, otherwise", first.line));
                }
                Some(_) | None => {}
            }
            let code = Some(&line.code).filter(|code| !code.is_empty());
            match code.and_then(|code| codes.insert((&line.project, code), line)) {
                Some(first) if first.person != line.person => fault(format!(
                    "line {} gives this code to another person; import one of them and link the other",
                    first.line
                )),
                Some(_) | None => {}
            }
        }
        Ok(faults)
    }

    fn check_line(&self, line: &Import) -> Result<(), PseudonymError> {
        check(&line.project, &line.person)?;
        if !line.code.is_empty() && !derive::is_code(&line.code) {
            return Err(PseudonymError::BadCode);
        }
        // A pseudonym that is the Patient ID would pass every check.
        if line.code.eq_ignore_ascii_case(line.person.patient_id.expose()) {
            return Err(PseudonymError::CodeIsId);
        }
        let shift = self.stated_shift(line)?;
        if shift.is_some_and(|days| !derive::is_shift(days)) {
            return Err(PseudonymError::BadShift);
        }
        if let Some(known) = self.find(&line.project, &line.person)? {
            if !line.code.is_empty() && line.code != known.code {
                return Err(PseudonymError::PersonKnown);
            }
            let same_baseline =
                line.baseline_day.is_none() || line.baseline_day == known.baseline_day;
            let same_shift = shift.is_none_or(|days| days == known.shift_days);
            return if same_shift && same_baseline {
                Ok(())
            } else {
                Err(PseudonymError::ShiftKnown)
            };
        }
        let rule = self.rule(&line.project);
        if rule.wants_baseline() && line.baseline_day.is_none() {
            return Err(PseudonymError::NoBaselineDate);
        }
        if line.code.is_empty() && rule.mode_for(&line.person) == derive::CodeMode::Imported {
            return Err(PseudonymError::BadCode);
        }
        if !line.code.is_empty() && self.index().holder(&line.project, &line.code)?.is_some() {
            return Err(PseudonymError::CodeTaken);
        }
        Ok(())
    }

    /// The shift that a line states, or that follows from its baseline date.
    fn stated_shift(&self, line: &Import) -> Result<Option<i32>, PseudonymError> {
        let rule = self.rule(&line.project);
        match line.baseline_day.and_then(|day| rule.baseline_shift(day)) {
            None => Ok(line.shift_days),
            Some(moved) => {
                let moved = moved?;
                let agrees = line.shift_days.is_none_or(|stated| stated == moved);
                if agrees { Ok(Some(moved)) } else { Err(PseudonymError::BadShift) }
            }
        }
    }

    pub(super) fn import_list(
        &self,
        list: &[Import],
    ) -> Result<Result<Imported, Vec<ListFault>>, PseudonymError> {
        let mut writer = self.writer()?;
        // Nobody writes from here on, so that what was checked stays so.
        let faults = self.list_faults(list)?;
        if !faults.is_empty() {
            return Ok(Err(faults));
        }
        let mut imported = Imported::default();
        let mut lines = list.iter().peekable();
        while lines.peek().is_some() {
            let mut group = Group::begin(self, &mut writer);
            while !group.is_full()
                && let Some(line) = lines.next()
            {
                if group.find(&line.project, &line.person)?.is_some() {
                    imported.known += 1;
                    continue;
                }
                let mapping = self.imported_mapping(&group, line)?;
                group.add(mapping)?;
                imported.new += 1;
            }
            group.commit()?;
        }
        Ok(Ok(imported))
    }

    fn imported_mapping(
        &self,
        group: &Group<'_>,
        line: &Import,
    ) -> Result<Mapping, PseudonymError> {
        let made = if line.code.is_empty() {
            group.new_mapping(&line.project, &line.person)?
        } else {
            let current = self.keys.current();
            let key = current.derive(KeyPurpose::Pseudonym, &line.project);
            Mapping {
                project: line.project.clone(),
                person: line.person.clone(),
                code: line.code.clone(),
                shift_days: derive::shift_days(&key, &line.person),
                key_id: current.id().to_owned(),
                linked: false,
                baseline_day: None,
                former_codes: Vec::new(),
            }
        };
        let shift_days = self.stated_shift(line)?.unwrap_or(made.shift_days);
        Ok(Mapping { shift_days, baseline_day: line.baseline_day, ..made })
    }

    pub(super) fn link_persons(
        &self,
        project: &str,
        known: &PersonKey,
        other: &PersonKey,
        merge: bool,
    ) -> Result<Linked, PseudonymError> {
        check(project, other)?;
        let mut writer = self.writer()?;
        let first = self.find(project, known)?.ok_or(PseudonymError::PersonUnknown)?;
        let standing = self.find(project, other)?;
        let former_code = standing.map(|standing| standing.code).filter(|code| *code != first.code);
        let is_linked = |person: &PersonKey| -> Result<bool, PseudonymError> {
            let found = self.find(project, person)?;
            Ok(found.is_some_and(|found| found.code == first.code))
        };
        if former_code.is_some() && !merge {
            return Err(PseudonymError::PersonKnown);
        }
        let who = match &former_code {
            Some(code) => self.persons_with(project, code, &writer)?,
            None if is_linked(other)? => Vec::new(),
            None => vec![other.clone()],
        };
        let mut group = Group::begin(self, &mut writer);
        for person in &who {
            let mut former_codes = Vec::new();
            if let Some(old) = self.find(project, person)? {
                former_codes = old.former_codes;
                former_codes.push(old.code);
            }
            let person = person.clone();
            group.add(Mapping { person, linked: true, former_codes, ..first.clone() })?;
        }
        group.commit()?;
        Ok(Linked { assigned: self.assigned(first)?, former_code, records: who.len() as u64 })
    }

    /// Who has `code` now, linked ones included: read from the whole journal,
    /// since the index leads to the first of them only.
    fn persons_with(
        &self,
        project: &str,
        code: &str,
        writer: &super::table::Writer,
    ) -> Result<Vec<PersonKey>, PseudonymError> {
        let mut reader = writer.journal.reader()?;
        let mut persons = Vec::new();
        while let Some(record) = reader.next_record()? {
            let mapping = self.opened(&record)?;
            if mapping.project == project
                && mapping.code == code
                && self.is_current(&mapping, record.sequence())?
            {
                persons.push(mapping.person);
            }
        }
        Ok(persons)
    }

    /// Whether the record of this number is what is found for its person.
    fn is_current(&self, mapping: &Mapping, sequence: u64) -> Result<bool, PseudonymError> {
        let found = self.index().person(&mapping.project, &mapping.person)?;
        Ok(found.is_some_and(|found| found.sequence() == sequence))
    }

    pub(super) fn export_page(
        &self,
        project: &str,
        after: u64,
        rows_max: usize,
    ) -> Result<Page, PseudonymError> {
        let mut reader = self.writer()?.journal.reader()?;
        let mut rows = Vec::new();
        while let Some(record) = reader.next_record()? {
            if record.sequence() <= after {
                continue;
            }
            let mapping = self.opened(&record)?;
            if mapping.project == project && self.is_current(&mapping, record.sequence())? {
                rows.push(mapping);
            }
            if rows.len() >= rows_max {
                return Ok(Page { rows, next: Some(record.sequence()) });
            }
        }
        Ok(Page { rows, next: None })
    }

    pub(super) fn verify_all(&self) -> Result<u64, PseudonymError> {
        let writer = self.writer()?;
        let disagrees = |sequence| PseudonymError::IndexDisagrees { sequence };
        let checked = self.index().checked_sentinel().map_err(|_doubt| disagrees(0))?;
        if checked != writer.sentinel || checked.sequence != writer.journal.end().sequence {
            return Err(disagrees(0));
        }
        let mut reader = writer.journal.reader()?;
        while let Some(record) = reader.next_record()? {
            if !self.agrees(record.sequence(), &self.opened(&record)?)? {
                return Err(disagrees(record.sequence()));
            }
        }
        Ok(writer.sentinel.persons)
    }

    /// Whether a record of the journal is the one that is found, or was rightly
    /// passed over or replaced; and whether its code is its person's alone.
    fn agrees(&self, sequence: u64, mapping: &Mapping) -> Result<bool, PseudonymError> {
        let Some(found) = self.index().person(&mapping.project, &mapping.person)? else {
            return Ok(false);
        };
        if found.sequence() < sequence {
            return Ok(!mapping.replaces());
        }
        if found.sequence() > sequence {
            return Ok(self.opened(&found)?.replaces());
        }
        for former in &mapping.former_codes {
            if self.lookup_code(&mapping.project, former)?.is_none() {
                return Ok(false);
            }
        }
        let holder = self.lookup_code(&mapping.project, &mapping.code)?;
        Ok(holder.is_some_and(|holder| mapping.linked || holder.person == mapping.person))
    }
}

fn says_the_same(first: &Import, second: &Import) -> bool {
    (&first.code, first.shift_days, first.baseline_day)
        == (&second.code, second.shift_days, second.baseline_day)
}
