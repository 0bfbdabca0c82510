//! Finds and reads the configuration: file, then environment over it.

use std::path::{Path, PathBuf};

use super::checked::{Config, Fault};
use super::raw::RawConfig;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or is no TOML: exit 64.
    #[error("{path}: {what}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        what: String,
    },
    /// Keys or values are wrong: all of them are listed, exit 64.
    #[error("{}", list(.0))]
    Faulty(Vec<Fault>),
}

fn list(faults: &[Fault]) -> String {
    let lines: Vec<_> =
        faults.iter().map(|fault| format!("{}: {}", fault.key, fault.what)).collect();
    lines.join("\n")
}

/// Prefix of environment variables, as in `AIRLOCK__DATA__DIR`.
const PREFIX: &str = "AIRLOCK";
/// Sections of the file; other `AIRLOCK__…` variables are refused like unknown keys.
const SEPARATOR: &str = "__";

/// Reads `file` (when given) and the environment, and checks the whole.
///
/// # Errors
/// [`ConfigError`]: printed as it is; the program exits 64.
pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    Config::check(&read(file)?).map_err(ConfigError::Faulty)
}

fn read(file: Option<&Path>) -> Result<RawConfig, ConfigError> {
    let shown = file.map_or_else(|| PathBuf::from("environment"), Path::to_path_buf);
    let unreadable = |what: String| ConfigError::Unreadable { path: shown.clone(), what };
    let mut builder = config::Config::builder();
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        builder = builder.add_source(config::File::from_str(&text, config::FileFormat::Toml));
    }
    let environment =
        config::Environment::with_prefix(PREFIX).prefix_separator(SEPARATOR).separator(SEPARATOR);
    let built =
        builder.add_source(environment).build().map_err(|error| unreadable(error.to_string()))?;
    let mut unknown: Vec<_> =
        std::env::vars_os().filter_map(|(name, _)| misspelt(&name.to_string_lossy())).collect();
    let raw: RawConfig = serde_ignored::deserialize(built, |path| {
        unknown.push(Fault { key: path.to_string(), what: "there is no such key".into() });
    })
    .map_err(|error: config::ConfigError| unreadable(error.to_string()))?;
    if unknown.is_empty() { Ok(raw) } else { Err(ConfigError::Faulty(unknown)) }
}

/// A variable that is meant for a key and begins as none does.
fn misspelt(variable: &str) -> Option<Fault> {
    let rest = variable.strip_prefix("AIRLOCK_").filter(|rest| !rest.starts_with('_'))?;
    let what = format!("write AIRLOCK__{rest}, with two underscores after AIRLOCK");
    rest.contains(SEPARATOR).then(|| Fault { key: variable.to_owned(), what })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("airlock.toml");
        std::fs::write(&path, text).unwrap();
        load(Some(&path))
    }

    #[test]
    fn unknown_keys_are_refused_by_name_all_at_once() {
        let error = load_text("[dicom]\nprot = 1\n[project.a]\nprofil = 'basic'").unwrap_err();
        let text = error.to_string();
        assert!(text.contains("dicom.prot") && text.contains("project.a.profil"), "{text}");
    }

    #[test]
    fn a_file_is_read_typed() {
        let config = load_text("[dicom]\nport = 104\n[worker]\ntime_max = '2min'").unwrap();
        assert_eq!(config.listen.port(), 104);
        assert_eq!(config.worker_time_max.as_secs(), 120);
    }

    #[test]
    fn variables_with_one_underscore_too_few_are_refused() {
        let fault = misspelt("AIRLOCK_DATA__ENCRYPT").unwrap();
        assert!(fault.what.contains("AIRLOCK__DATA__ENCRYPT"), "{fault:?}");
        // The second is what Kubernetes sets for a service.
        for good in ["AIRLOCK__DATA__ENCRYPT", "AIRLOCK_DICOM_PORT", "AIRLOCK_MODELS", "PATH"] {
            assert!(misspelt(good).is_none(), "{good}");
        }
    }

    #[test]
    fn empty_lists_that_would_mean_everybody_are_refused() {
        let all = "[sender.a]\naddresses = []\ncertificates = []\nsop_classes = []\n\
                   [project.p]\ndestinations = []\n";
        let text = load_text(all).unwrap_err().to_string();
        for key in ["addresses", "certificates", "sop_classes", "destinations"] {
            assert!(text.contains(&format!("{key}: an empty list names nobody")), "{text}");
        }
    }

    #[test]
    fn with_several_projects_and_destinations_each_says_where_it_sends() {
        let folders = "[destination.one]\nfolder = '/one'\n[destination.two]\nfolder = '/two'\n";
        let two = "[project.a]\nae_title = 'A'\n[project.b]\nae_title = 'B'\n";
        let text = load_text(&format!("{folders}{two}")).unwrap_err().to_string();
        assert!(
            text.contains("project.a.destinations") && text.contains("project.b.destinations"),
            "{text}"
        );
        load_text(&format!("{folders}[project.a]\nae_title = 'A'\n")).unwrap();
        load_text(&format!("[destination.one]\nfolder = '/one'\n{two}")).unwrap();
    }

    #[test]
    fn scores_with_which_nothing_is_found_are_refused() {
        for bad in ["name_score = 0.95", "name_score_pictures = 1", "clinical_score = 0.5"] {
            let text = load_text(&format!("[project.a]\n{bad}")).unwrap_err().to_string();
            assert!(text.contains(bad.split(' ').next().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_low_score_of_pictures_alone_is_enough() {
        let config = load_text("[project.a]\nname_score_pictures = 0.03").unwrap();
        let scores = config.projects.values().map(|project| project.rules.names).next().unwrap();
        assert_eq!((scores.pictures, scores.clinical), (30, 30));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = load(Some(Path::new("/nowhere/airlock.toml"))).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/airlock.toml: "));
    }
}
