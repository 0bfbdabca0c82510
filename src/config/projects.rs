//! Projects after checking (DESIGN.md decision 8).

use std::collections::BTreeMap;
use std::time::Duration;

use super::checked::{DEFAULT_PROJECT, Faults};
use super::content::{ContentRules, Documents, Features};
use super::destinations::Destination;
use super::devices::DeviceRules;
use super::persons::{issuer_aliases, person_reading, pseudonym_mode};
use super::profile::{CleanLimits, CleanRules, NameScores, PersonReading, Profile, TextPolicy};
use super::raw::{RawConfig, RawProject};
use crate::dicom::{AeTitle, Uid};

/// One project.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Called AE title that selects it.
    pub ae_title: AeTitle,
    /// What the cleaner must know.
    pub rules: CleanRules,
    /// How pseudonyms of new persons are made.
    pub code_mode: PseudonymMode,
    /// Put before each pseudonym.
    pub code_prefix: String,
    /// Names of its destinations, at least one.
    pub destinations: Vec<String>,
    /// The configuration says what is done with faces; else a default holds.
    pub faces_stated: bool,
    /// What is sent together.
    pub release: Release,
    /// A Patient ID without an issuer is that of the one person known by it.
    pub joins_missing_issuer: bool,
}

/// What of a project is sent together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Release {
    /// Each instance when it is ready.
    #[default]
    Instance,
    /// A study when it is whole.
    Study {
        /// How long nothing of it may have come.
        quiet: Duration,
    },
}

/// Quiet time of a study when none is written.
const QUIET: Duration = Duration::from_secs(5 * 60);
/// Longest that can be asked for. A day: what comes later is a study of its own for
/// any archive.
const QUIET_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A quiet time as it is written.
pub(super) fn checked_quiet(
    key: &str,
    raw: Option<Duration>,
    faults: &mut Faults,
) -> Option<Duration> {
    let quiet = raw?;
    if quiet.is_zero() || quiet > QUIET_MAX {
        faults.add(key, "more than nothing, at most 24h");
        return None;
    }
    Some(quiet)
}

fn checked_release(key: &dyn Fn(&str) -> String, raw: &RawProject, faults: &mut Faults) -> Release {
    let quiet = checked_quiet(&key("quiet"), raw.quiet, faults);
    match raw.release.as_deref() {
        None | Some("instance") => {
            if quiet.is_some() {
                faults.add(key("quiet"), "needs release = \"study\"");
            }
            Release::Instance
        }
        Some("study") => Release::Study { quiet: quiet.unwrap_or(QUIET) },
        Some(_) => {
            faults.add(key("release"), "write instance or study");
            Release::Instance
        }
    }
}

/// How pseudonyms of new persons are made (DESIGN.md decision 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PseudonymMode {
    /// From the key and the Patient ID.
    #[default]
    Hmac,
    /// Drawn: the table is the only link.
    Random,
    /// Prefix and a number.
    Sequential,
    /// From a list; who is not in it is quarantined.
    Imported,
}

pub(super) fn projects(
    raw: &RawConfig,
    ae_title: &AeTitle,
    destinations: &BTreeMap<String, Destination>,
    faults: &mut Faults,
) -> BTreeMap<String, Project> {
    let only_default = BTreeMap::from([(DEFAULT_PROJECT.to_owned(), RawProject::default())]);
    let written = if raw.project.is_empty() { &only_default } else { &raw.project };
    let aliases = issuer_aliases(raw, faults);
    let mut checked: BTreeMap<String, Project> = BTreeMap::new();
    for (name, project) in written {
        let mut good = checked_project(name, project, ae_title, destinations, faults);
        let key = |field: &str| format!("project.{name}.{field}");
        good.rules.persons = person_reading(&key, project, &aliases, faults);
        good.code_mode = pseudonym_mode(&key, project, faults);
        good.rules.devices = device_rules(&key("devices"), raw, project, faults);
        let folded = raw.dicom.ae_title_case == "ignored";
        if checked.values().any(|other| other.ae_title.is_same(&good.ae_title, folded)) {
            faults.add(format!("project.{name}.ae_title"), "another project has this AE title");
        }
        // Else a trial's data would go to the archive of another, without a word.
        if project.destinations.is_none() && written.len() > 1 && destinations.len() > 1 {
            faults.add(
                key("destinations"),
                "with several projects and destinations, name where each sends",
            );
        }
        checked.insert(name.clone(), good);
    }
    checked
}

fn checked_project(
    name: &str,
    raw: &RawProject,
    ae_title: &AeTitle,
    destinations: &BTreeMap<String, Destination>,
    faults: &mut Faults,
) -> Project {
    let key = |field: &str| format!("project.{name}.{field}");
    faults.name(&format!("project.{name}"), name);
    let called = match &raw.ae_title {
        Some(title) => faults.parse(&key("ae_title"), title, ae_title.clone()),
        None => ae_title.clone(),
    };
    for (field, classes) in [("header_only", &raw.header_only), ("screened", &raw.screened)] {
        if classes.iter().any(|class| class.parse::<Uid>().is_err()) {
            faults.add(key(field), "a list of SOP Class UIDs");
        }
    }
    let listed = faults.listed(&key("destinations"), raw.destinations.as_deref());
    for wanted in listed.iter().filter(|wanted| !destinations.contains_key(*wanted)) {
        faults.add(key("destinations"), format!("there is no [destination.{wanted}]"));
    }
    let legal =
        raw.code_prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !legal || raw.code_prefix.len() > 16 {
        faults.add(key("code_prefix"), "at most 16 of the characters A-Z a-z 0-9 - _");
    }
    let listed =
        if listed.is_empty() { destinations.keys().cloned().collect() } else { listed.to_vec() };
    Project {
        name: name.to_owned(),
        ae_title: called,
        rules: CleanRules {
            profile: checked_profile(&key("profile"), raw.profile.as_deref(), faults),
            text_policy: checked_policy(&key("text_policy"), raw.text_policy.as_deref(), faults),
            names: checked_scores(&key, raw, faults),
            header_only: raw.header_only.iter().cloned().collect(),
            screened: raw.screened.iter().cloned().collect(),
            content: checked_content(&key, raw, faults),
            devices: DeviceRules::default(),
            limits: CleanLimits::default(),
            persons: PersonReading::default(),
        },
        code_mode: PseudonymMode::default(),
        code_prefix: raw.code_prefix.clone(),
        destinations: listed,
        faces_stated: raw.faces.is_some(),
        release: checked_release(&key, raw, faults),
        joins_missing_issuer: match raw.missing_issuer.as_deref() {
            None | Some("joined") => true,
            Some("distinct") => false,
            Some(_) => {
                faults.add(key("missing_issuer"), "write joined or distinct");
                true
            }
        },
    }
}

fn checked_profile(key: &str, name: Option<&str>, faults: &mut Faults) -> Profile {
    match Profile::named(name.unwrap_or("basic")) {
        Ok(profile) => profile,
        Err(fault) => {
            faults.add(key, fault.to_string());
            Profile::basic()
        }
    }
}

/// Highest score that a name may have to have. 0.9: what the recogniser is so sure of
/// is hidden whatever somebody writes.
const NAME_SCORE_MAX: f32 = 0.9;

fn checked_scores(
    key: &dyn Fn(&str) -> String,
    raw: &RawProject,
    faults: &mut Faults,
) -> NameScores {
    let mut checked = |field: &str, score: Option<f32>, default: u16| match score {
        None => default,
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 900"
        )]
        Some(score) if (0.0..=NAME_SCORE_MAX).contains(&score) => (score * 1000.0).round() as u16,
        Some(_) => {
            faults.add(key(field), format!("a number from 0 to {NAME_SCORE_MAX}"));
            default
        }
    };
    let usual = NameScores::default();
    let pictures = checked("name_score_pictures", raw.name_score_pictures, usual.pictures);
    let scores = NameScores {
        text: checked("name_score", raw.name_score, usual.text),
        pictures,
        clinical: checked("clinical_score", raw.clinical_score, usual.clinical.min(pictures)),
    };
    if scores.clinical > scores.pictures {
        faults.add(key("clinical_score"), "at most name_score_pictures");
    }
    scores
}

fn checked_policy(key: &str, name: Option<&str>, faults: &mut Faults) -> TextPolicy {
    match name {
        None | Some("hide-unless-known-clinical") => TextPolicy::HideUnlessKnownClinical,
        Some("hide-identifying") => TextPolicy::HideIdentifying,
        Some("hide-outside-regions") => TextPolicy::HideOutsideRegions,
        Some("hide-all") => TextPolicy::HideAll,
        Some(_) => {
            faults.add(
                key,
                "write hide-unless-known-clinical, hide-identifying, hide-outside-regions or hide-all",
            );
            TextPolicy::default()
        }
    }
}

/// What ships, what all projects add, what this one adds.
fn device_rules(
    key: &str,
    raw: &RawConfig,
    project: &RawProject,
    faults: &mut Faults,
) -> DeviceRules {
    let files = [raw.rules.devices.as_slice(), &project.devices].concat();
    DeviceRules::read(&files).unwrap_or_else(|errors| {
        errors.iter().for_each(|error| faults.add(key, error.to_string()));
        DeviceRules::default()
    })
}

fn checked_content(
    key: &dyn Fn(&str) -> String,
    raw: &RawProject,
    faults: &mut Faults,
) -> ContentRules {
    let default = ContentRules::default();
    let documents = match raw.documents.as_deref() {
        None | Some("quarantine") => Documents::Quarantine,
        Some("placeholder") => Documents::Placeholder,
        Some(_) => {
            faults.add(key("documents"), "write quarantine or placeholder");
            default.documents
        }
    };
    let mut features = |name: &str, text: &Option<String>, default| match text.as_deref() {
        None => default,
        Some("accepted") => Features::Accepted,
        Some("quarantine") => Features::Quarantine,
        Some(_) => {
            faults.add(key(name), "write accepted or quarantine");
            default
        }
    };
    ContentRules {
        documents,
        photographs: features("photographs", &raw.photographs, default.photographs),
        faces: features("faces", &raw.faces, default.faces),
    }
}
