//! How a project names persons: the keys of its pseudonyms and Patient IDs,
//! checked.

use std::collections::BTreeMap;

use super::checked::Faults;
use super::profile::PersonReading;
use super::projects::PseudonymMode;
use super::raw::{RawConfig, RawProject};

/// Longest list of placeholders and longest of issuers' other names. Default
/// 1,000: they travel to each worker.
const LIST_MAX: usize = 1_000;

/// Other names of issuers, of the whole configuration.
pub(super) fn issuer_aliases(raw: &RawConfig, faults: &mut Faults) -> BTreeMap<String, String> {
    let mut aliases = BTreeMap::new();
    let names: Vec<&str> = raw.issuer.values().map(|issuer| issuer.name.trim()).collect();
    for (label, issuer) in &raw.issuer {
        let key = format!("issuer.{label}");
        faults.name(&key, label);
        if issuer.name.trim().is_empty() {
            faults.add(format!("{key}.name"), "write the issuer as it is to be read");
        }
        for alias in issuer.aliases.iter().map(|alias| alias.trim()) {
            if alias.is_empty() || names.contains(&alias) {
                faults.add(format!("{key}.aliases"), "an alias is empty or the name of an issuer");
            } else if aliases.insert(alias.to_owned(), issuer.name.trim().to_owned()).is_some() {
                faults.add(format!("{key}.aliases"), "an alias stands for two issuers");
            }
        }
    }
    if aliases.len() > LIST_MAX {
        faults.add("issuer", format!("at most {LIST_MAX} aliases"));
    }
    aliases
}

/// Who is who in a project.
pub(super) fn person_reading(
    key: &dyn Fn(&str) -> String,
    raw: &RawProject,
    aliases: &BTreeMap<String, String>,
    faults: &mut Faults,
) -> PersonReading {
    let case_ignored = match raw.patient_id_case.as_deref() {
        None | Some("distinct") => false,
        Some("ignored") => true,
        Some(_) => {
            faults.add(key("patient_id_case"), "write distinct or ignored");
            false
        }
    };
    let code_per_study = match raw.no_patient_id.as_deref() {
        None | Some("quarantine") => false,
        Some("code-per-study") => true,
        Some(_) => {
            faults.add(key("no_patient_id"), "write quarantine or code-per-study");
            false
        }
    };
    let empty = raw.placeholders.iter().any(|value| value.trim().is_empty());
    if empty || raw.placeholders.len() > LIST_MAX {
        faults.add(key("placeholders"), format!("at most {LIST_MAX} values, none of them empty"));
    }
    PersonReading {
        default_issuer: raw.issuer.trim().to_owned(),
        issuer_aliases: aliases.clone(),
        case_ignored,
        placeholders: raw.placeholders.iter().cloned().collect(),
        code_per_study,
    }
}

/// How codes of new persons are made. A list with a fallback is that mode:
/// what was imported stands before what is made.
pub(super) fn pseudonym_mode(
    key: &dyn Fn(&str) -> String,
    raw: &RawProject,
    faults: &mut Faults,
) -> PseudonymMode {
    let mode = match raw.pseudonym_mode.as_deref() {
        None => Some(PseudonymMode::Hmac),
        Some("imported") => Some(PseudonymMode::Imported),
        Some(name) => making(name),
    };
    let mode = mode.unwrap_or_else(|| {
        faults.add(key("pseudonym_mode"), "write hmac, random, sequential or imported");
        PseudonymMode::Hmac
    });
    let Some(fallback) = raw.not_in_list.as_deref() else { return mode };
    if mode != PseudonymMode::Imported {
        faults.add(key("not_in_list"), "needs pseudonym_mode = 'imported'");
        return mode;
    }
    match fallback {
        "quarantine" => mode,
        name => making(name).unwrap_or_else(|| {
            faults.add(key("not_in_list"), "write quarantine, hmac, random or sequential");
            mode
        }),
    }
}

fn making(name: &str) -> Option<PseudonymMode> {
    match name {
        "hmac" => Some(PseudonymMode::Hmac),
        "random" => Some(PseudonymMode::Random),
        "sequential" => Some(PseudonymMode::Sequential),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Fault};

    fn check(toml: &str) -> Result<Config, Vec<Fault>> {
        Config::check(&toml::from_str(toml).unwrap())
    }

    #[test]
    fn a_project_says_how_it_names_persons() {
        let config = check(
            "[issuer.main]\nname = 'HOSP'\naliases = ['Old Hosp', 'A.B^C']\n\
             [project.a]\npseudonym_mode = 'imported'\nissuer = 'HOSP'\nplaceholders = ['NOTFALL']\n\
             no_patient_id = 'code-per-study'\npatient_id_case = 'ignored'\n\
             [project.b]\nae_title = 'B'\npseudonym_mode = 'imported'\nnot_in_list = 'random'",
        )
        .unwrap();
        let persons = &config.projects["a"].rules.persons;
        assert!(persons.case_ignored && persons.code_per_study);
        assert_eq!(persons.default_issuer, "HOSP");
        assert_eq!(persons.issuer_aliases["A.B^C"], "HOSP");
        assert_eq!(config.projects["a"].code_mode, PseudonymMode::Imported);
        assert_eq!(config.projects["b"].code_mode, PseudonymMode::Random);
    }

    #[test]
    fn faults_of_persons_are_told_with_their_keys() {
        let faults = check(
            "[issuer.one]\nname = 'A'\naliases = ['X', '']\n[issuer.two]\nname = 'B'\naliases = ['X', 'A']\n\
             [project.a]\npseudonym_mode = 'guess'\nno_patient_id = 'x'\npatient_id_case = 'x'\n\
             placeholders = [' ']\nnot_in_list = 'hmac'",
        )
        .unwrap_err();
        let keys: Vec<_> = faults.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "issuer.one.aliases",
                "issuer.two.aliases",
                "issuer.two.aliases",
                "project.a.patient_id_case",
                "project.a.no_patient_id",
                "project.a.placeholders",
                "project.a.pseudonym_mode",
                "project.a.not_in_list",
            ]
        );
    }
}
