//! What is asked of the table of pseudonyms and answered: the words of
//! [`super::persons`], as they travel over the control socket.
//!
//! Patient IDs are [`Identified`]: no debug output of a request shows one.

use serde::{Deserialize, Serialize};

use crate::identified::Identified;

/// Who asks, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// Who.
    pub actor: String,
    /// Why, in a few words without a patient's value.
    pub reason: String,
}

/// An ID as a person writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenId {
    /// Issuer; empty: the project's default.
    pub issuer: Identified<String>,
    /// Patient ID.
    pub patient_id: Identified<String>,
}

/// Whom a look-up is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whom {
    /// Who has this pseudonym; it may be a Patient ID that was taken for one.
    Code(Identified<String>),
    /// Which pseudonym this patient has.
    Id(WrittenId),
}

/// A request to the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonRequest {
    /// Who is who.
    Lookup {
        /// Project.
        project: String,
        /// Whom.
        whom: Whom,
        /// For whom.
        by: By,
    },
    /// Some rows of a project's list.
    Export {
        /// Project.
        project: String,
        /// Number that the last page ended with; 0 begins.
        after: u64,
        /// For whom.
        by: By,
    },
    /// A list in.
    Import {
        /// Project.
        project: String,
        /// The CSV.
        list: Identified<String>,
        /// Only look whether it would be taken.
        dry_run: bool,
        /// For whom.
        by: By,
    },
    /// Two IDs are one person.
    Link {
        /// Project.
        project: String,
        /// The one whose pseudonym stays.
        known: WrittenId,
        /// The other one.
        other: WrittenId,
        /// Also where the other has another pseudonym.
        merge: bool,
        /// For whom.
        by: By,
    },
    /// A new key for new persons.
    Rekey {
        /// Only say what would happen.
        dry_run: bool,
        /// For whom.
        by: By,
    },
    /// Compare table and journal.
    Verify,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    /// Project.
    pub project: String,
    /// Pseudonym.
    pub code: String,
    /// Issuer of Patient ID; may be empty.
    pub issuer: Identified<String>,
    /// Patient ID; of a study of nobody its Study Instance UID.
    pub patient_id: Identified<String>,
    /// Whole days added to the person's dates.
    pub shift_days: i32,
    /// Imported baseline date, `YYYYMMDD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_date: Option<Identified<String>>,
    /// Key that the person's UIDs are made with.
    pub key_id: String,
    /// Linked to another ID with the same pseudonym.
    pub linked: bool,
    /// A study that names nobody.
    pub unlinked_study: bool,
    /// Pseudonyms before a merge; data that was sent may carry them.
    pub former_codes: Vec<String>,
}

/// An answer about the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonAnswer {
    /// Who it is; nothing: nobody.
    Found(Option<PersonView>),
    /// Some rows, and what to ask for next.
    Page {
        /// Rows.
        rows: Vec<PersonView>,
        /// Nothing at the end.
        next: Option<u64>,
    },
    /// A list was taken, or would be.
    Imported {
        /// Persons that are new.
        new: u64,
        /// Persons that were known with just this.
        known: u64,
    },
    /// Two IDs are one person.
    Linked {
        /// What both have.
        code: String,
        /// What the second one had.
        former_code: Option<String>,
        /// IDs that got another pseudonym by it, or their first.
        ids: u64,
    },
    /// A new key was made, or would be.
    Rekeyed {
        /// Key that known persons keep.
        old_key_id: String,
        /// Key of new persons; nothing in a dry run.
        new_key_id: Option<String>,
        /// Known persons.
        persons: u64,
    },
    /// Table and journal agree.
    Verified {
        /// Persons.
        persons: u64,
    },
    /// Nothing was done.
    Refused {
        /// Why: all of it, without a value.
        faults: Vec<String>,
    },
}
