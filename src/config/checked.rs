//! The configuration after checking: typed, whole, and possible.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::destinations::{Destination, destinations};
use super::profile::CleanRules;
use super::projects::{Project, projects};
use super::raw::RawConfig;
use super::senders::{CallerIs, Sender, checked_sender, one_issuer};
use super::tls::{DoorTls, door_tls};
use crate::dicom::AeTitle;

/// Name of the project and destination that exist without configuration.
pub const DEFAULT_PROJECT: &str = "default";
/// Name of the folder destination that exists without configuration.
pub const DEFAULT_DESTINATION: &str = "delivered";
/// Longest name of a project, destination or sender, in characters.
const NAME_CHARS_MAX: usize = 32;

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Directory that one process owns.
    pub data_dir: PathBuf,
    /// Bytes that stay free.
    pub reserve_bytes: u64,
    /// How long a delivered instance stays.
    pub keep: Duration,
    /// Least time between two sendings of a kept instance for its sender's repeats.
    pub resend_window: Duration,
    /// Most bytes of objects in the spool.
    pub quota_bytes: Option<u64>,
    /// How long an instance may wait before that is an alarm.
    pub alarm_age: Duration,
    /// What is written into the spool is encrypted.
    pub encrypts: bool,
    /// DICOM door.
    pub listen: SocketAddr,
    /// The door is open without TLS.
    pub plain: bool,
    /// The same door under TLS.
    pub tls: Option<DoorTls>,
    /// Our AE title.
    pub ae_title: AeTitle,
    /// AE titles are compared without case.
    pub ae_title_case_ignored: bool,
    /// Most associations at once.
    pub associations_max: usize,
    /// Most of one address.
    pub associations_per_address_max: usize,
    /// Private SOP classes are accepted.
    pub private_sop_classes: bool,
    /// Cleaning processes.
    pub workers: usize,
    /// Most resident memory of one, bytes.
    pub worker_memory_bytes_max: u64,
    /// Longest time for one instance.
    pub worker_time_max: Duration,
    /// Models, where not searched for.
    pub models_dir: Option<PathBuf>,
    /// Master key file; none: `DATA/keys/master`, made at first start.
    pub master_key_file: Option<PathBuf>,
    /// JSON log lines.
    pub log_json: bool,
    /// Log filter.
    pub log_filter: String,
    /// OTLP endpoint.
    pub otlp_endpoint: Option<String>,
    /// Projects by name.
    pub projects: BTreeMap<String, Project>,
    /// Destinations by name.
    pub destinations: BTreeMap<String, Destination>,
    /// Who may send; empty: anybody on this machine.
    pub senders: Vec<Sender>,
}

/// One fault of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key, as in `destination.research.port`.
    pub key: String,
    /// What is wrong and what to write.
    pub what: String,
}

/// Collects faults, so that all are told at once.
#[derive(Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, key: impl Into<String>, what: impl Into<String>) {
        self.0.push(Fault { key: key.into(), what: what.into() });
    }

    /// The parsed value, or a fault and the stand-in.
    pub(super) fn parse<T: std::str::FromStr>(&mut self, key: &str, text: &str, stand_in: T) -> T
    where
        T::Err: std::fmt::Display,
    {
        text.parse().unwrap_or_else(|fault: T::Err| {
            self.add(key, fault.to_string());
            stand_in
        })
    }

    /// What a list holds; one that is written and empty is a fault, as it would mean
    /// everybody.
    pub(super) fn listed<'a>(&mut self, key: &str, list: Option<&'a [String]>) -> &'a [String] {
        if list.is_some_and(<[String]>::is_empty) {
            self.add(key, "an empty list names nobody: leave the key out where all are meant");
        }
        list.unwrap_or_default()
    }

    pub(super) fn name(&mut self, key: &str, name: &str) {
        let legal = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !legal || name.is_empty() || name.len() > NAME_CHARS_MAX {
            self.add(key, "a name has 1 to 32 of the characters a-z 0-9 -");
        }
    }
}

/// What must not be nothing.
fn check_least(raw: &RawConfig, faults: &mut Faults) {
    if raw.dicom.associations_max == 0 {
        faults.add("dicom.associations_max", "at least 1");
    }
    if raw.dicom.associations_per_address_max == 0 {
        faults.add("dicom.associations_per_address_max", "at least 1");
    }
    if raw.data.reserve_mib == 0 {
        faults.add("data.reserve_mib", "at least 1: records and receipts need room too");
    }
    if raw.data.quota_mib == Some(0) {
        faults.add("data.quota_mib", "at least 1");
    }
    if raw.worker.time_max < Duration::from_secs(1) {
        faults.add("worker.time_max", "at least 1s");
    }
    if raw.worker.memory_mib_max < 256 {
        faults.add("worker.memory_mib_max", "at least 256");
    }
}

impl Config {
    /// Checks a raw configuration.
    ///
    /// # Errors
    /// All faults at once; the program prints them and exits 64.
    pub fn check(raw: &RawConfig) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults::default();
        let stand_in = AeTitle::default_title();
        let ae_title = faults.parse("dicom.ae_title", &raw.dicom.ae_title, stand_in);
        let address =
            faults.parse("dicom.address", &raw.dicom.address, IpAddr::from([127, 0, 0, 1]));
        if !matches!(raw.log.format.as_str(), "text" | "json") {
            faults.add("log.format", "write text or json");
        }
        if !matches!(raw.dicom.ae_title_case.as_str(), "distinct" | "ignored") {
            faults.add("dicom.ae_title_case", "write distinct or ignored");
        }
        check_least(raw, &mut faults);
        let tls = door_tls(&raw.dicom, address, &mut faults);
        let destinations = destinations(raw, &ae_title, &mut faults);
        let projects = projects(raw, &ae_title, &destinations, &mut faults);
        let senders: Vec<Sender> = raw
            .sender
            .iter()
            .map(|(name, sender)| checked_sender(name, sender, &mut faults))
            .collect();
        one_issuer(&senders, &mut faults);
        if tls.as_ref().is_none_or(|tls| tls.authorities.is_none()) {
            for sender in senders.iter().filter(|sender| !sender.certificates.is_empty()) {
                let key = format!("sender.{}.certificates", sender.name);
                faults.add(key, "needs dicom.tls.authorities: else nobody is asked for one");
            }
        }
        if !faults.0.is_empty() {
            return Err(faults.0);
        }
        Ok(Self {
            data_dir: raw.data.dir.clone(),
            reserve_bytes: raw.data.reserve_mib.saturating_mul(1 << 20),
            keep: raw.data.keep,
            resend_window: raw.data.resend_window,
            quota_bytes: raw.data.quota_mib.map(|mib| mib.saturating_mul(1 << 20)),
            alarm_age: raw.data.alarm_age,
            encrypts: raw.data.encrypt,
            listen: SocketAddr::new(address, raw.dicom.port),
            plain: raw.dicom.plain,
            tls,
            ae_title,
            ae_title_case_ignored: raw.dicom.ae_title_case == "ignored",
            associations_max: raw.dicom.associations_max,
            associations_per_address_max: raw.dicom.associations_per_address_max,
            private_sop_classes: raw.dicom.private_sop_classes,
            workers: worker_count(raw.worker.count),
            worker_memory_bytes_max: raw.worker.memory_mib_max.saturating_mul(1 << 20),
            worker_time_max: raw.worker.time_max,
            models_dir: raw.models.dir.clone(),
            master_key_file: raw.keys.master_file.clone(),
            log_json: raw.log.format == "json",
            log_filter: raw.log.filter.clone(),
            otlp_endpoint: raw.telemetry.otlp_endpoint.clone().filter(|text| !text.is_empty()),
            projects,
            destinations,
            senders,
        })
    }

    /// Moves the data directory, and the folder destination that lies in it by default.
    pub fn move_data_dir(&mut self, dir: PathBuf) {
        let default = Destination::Folder(self.data_dir.join(DEFAULT_DESTINATION));
        if self.destinations.get(DEFAULT_DESTINATION) == Some(&default) {
            let moved = Destination::Folder(dir.join(DEFAULT_DESTINATION));
            self.destinations.insert(DEFAULT_DESTINATION.to_owned(), moved);
        }
        self.data_dir = dir;
    }

    /// The project that a called AE title selects.
    #[must_use]
    pub fn project_of(&self, called: &AeTitle) -> Option<&Project> {
        self.projects.values().find(|project| self.is_same(&project.ae_title, called))
    }

    fn is_same(&self, one: &AeTitle, other: &AeTitle) -> bool {
        one.is_same(other, self.ae_title_case_ignored)
    }

    /// The sender that a caller is: of several the one with an AE title, then the
    /// one with the narrowest network. None where that one's connection must be
    /// secured otherwise: a broader sender does not stand in for it.
    #[must_use]
    pub fn sender_of(&self, caller: &CallerIs<'_>) -> Option<&Sender> {
        let trusted = |sender: &&Sender| sender.trusts(caller.tls, caller.certificate);
        self.nearest(caller.calling, caller.peer).into_iter().find(trusted)
    }

    /// The same by title and address alone, of whoever came in.
    #[must_use]
    pub fn sender_like(&self, calling: &AeTitle, peer: IpAddr) -> Option<&Sender> {
        self.nearest(calling, peer).into_iter().next()
    }

    /// Those that fit best, in their order.
    fn nearest(&self, calling: &AeTitle, peer: IpAddr) -> Vec<&Sender> {
        let fits = |sender: &&Sender| {
            sender.ae_title.as_ref().is_none_or(|title| self.is_same(title, calling))
        };
        let found = self.senders.iter().filter(fits).filter_map(|sender| {
            sender.network(peer).map(|bits| ((sender.ae_title.is_some(), bits), sender))
        });
        let found: Vec<_> = found.collect();
        let best = found.iter().map(|(rank, _)| *rank).max();
        let best = found.into_iter().filter(|(rank, _)| Some(*rank) == best);
        best.map(|(_, sender)| sender).collect()
    }

    /// What each project's cleaner must know.
    #[must_use]
    pub fn clean_rules(&self) -> BTreeMap<String, CleanRules> {
        self.projects.iter().map(|(name, project)| (name.clone(), project.rules.clone())).collect()
    }
}

/// One process per core when the configuration says 0.
fn worker_count(count: usize) -> usize {
    if count > 0 {
        return count;
    }
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ContentRules, Documents, Features, Profile};

    fn check(toml: &str) -> Result<Config, Vec<Fault>> {
        Config::check(&toml::from_str(toml).unwrap())
    }

    #[test]
    fn nothing_configured_listens_on_loopback_and_delivers_to_a_folder() {
        let config = check("").unwrap();
        assert!(config.listen.ip().is_loopback());
        assert_eq!(config.projects[DEFAULT_PROJECT].destinations, [DEFAULT_DESTINATION]);
        assert_eq!(config.projects[DEFAULT_PROJECT].rules.profile, Profile::basic());
    }

    #[test]
    fn all_faults_are_told_at_once_with_their_keys() {
        let faults = check(
            "[dicom]\nae_title = 'SEVENTEEN-LETTERS'\naddress = 'here'\n[log]\nformat = 'xml'\n\
             [project.a]\ntext_policy = 'x'\ndestinations = ['nowhere']\n[destination.b]\nhost = 'h'\n\
             [sender.c]\naddresses = ['10.0.0.0/99']",
        )
        .unwrap_err();
        let keys: Vec<_> = faults.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "dicom.ae_title",
                "dicom.address",
                "log.format",
                "destination.b",
                "project.a.destinations",
                "project.a.text_policy",
                "sender.c.addresses"
            ]
        );
    }

    #[test]
    fn a_destination_has_one_to_eight_associations_and_a_folder_none() {
        let of = |toml: &str| check(&format!("[destination.b]\n{toml}"));
        let ae = "ae_title = 'B'\nhost = 'h'\n";
        for (written, expected) in [("", 1), ("associations = 8", 8)] {
            let config = of(&format!("{ae}{written}")).unwrap();
            let Destination::Ae(peer) = &config.destinations["b"] else { panic!() };
            assert_eq!(peer.associations, expected);
        }
        for bad in [
            format!("{ae}associations = 0"),
            format!("{ae}associations = 9"),
            "folder = '/f'\nassociations = 2".into(),
        ] {
            assert_eq!(of(&bad).unwrap_err()[0].key, "destination.b.associations", "{bad}");
        }
    }

    #[test]
    fn what_a_project_does_with_content_is_stated_in_two_words() {
        let content = |toml: &str| {
            let config = check(&format!("[project.default]\n{toml}")).unwrap();
            let project = config.projects.into_values().next().unwrap();
            (project.rules.content, project.faces_stated)
        };
        assert_eq!(content(""), (ContentRules::default(), false));
        let stated = "documents = 'placeholder'\nphotographs = 'accepted'\nfaces = 'quarantine'";
        let (rules, faces_stated) = content(stated);
        assert_eq!(rules.documents, Documents::Placeholder);
        assert_eq!((rules.photographs, rules.faces), (Features::Accepted, Features::Quarantine));
        assert!(faces_stated);
        let faults =
            check("[project.default]\ndocuments = 'keep'\nphotographs = 'x'\nfaces = 'yes'");
        let keys: Vec<_> = faults.unwrap_err().into_iter().map(|fault| fault.key).collect();
        assert_eq!(
            keys,
            ["documents", "photographs", "faces"].map(|key| format!("project.default.{key}"))
        );
    }

    #[test]
    fn two_projects_cannot_share_a_called_ae_title() {
        let faults = check("[project.a]\n[project.b]").unwrap_err();
        assert_eq!(faults[0].key, "project.b.ae_title");
    }

    #[test]
    fn senders_match_by_title_and_network() {
        let config =
            check("[sender.cart]\nae_title = 'CART1'\naddresses = ['10.1.0.0/16', '::1']").unwrap();
        let (cart, other) = ("CART1".parse().unwrap(), "OTHER".parse().unwrap());
        assert!(config.sender_like(&cart, [10, 1, 9, 9].into()).is_some());
        assert!(config.sender_like(&cart, [10, 2, 0, 1].into()).is_none());
        assert!(config.sender_like(&other, [10, 1, 9, 9].into()).is_none());
    }
}
