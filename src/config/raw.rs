//! The configuration as it is written: TOML and environment, nothing checked.
//!
//! Each default stands with its reason; docs/CONFIG.md lists them, and a test
//! compares the keys.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The whole file. Every part may be left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RawConfig {
    /// Where data lies.
    pub data: RawData,
    /// The DICOM door.
    pub dicom: RawDicom,
    /// Cleaning processes.
    pub worker: RawWorker,
    /// Models and runtime.
    pub models: RawModels,
    /// Keys.
    pub keys: RawKeys,
    /// Rules for all projects.
    pub rules: RawRules,
    /// Logging.
    pub log: RawLog,
    /// OpenTelemetry.
    pub telemetry: RawTelemetry,
    /// Projects by name; none: one project `default`.
    pub project: BTreeMap<String, RawProject>,
    /// Destinations by name; none: folder `DATA/delivered`.
    pub destination: BTreeMap<String, RawDestination>,
    /// Senders by name; none: any calling AE title from this machine only.
    pub sender: BTreeMap<String, RawSender>,
    /// Issuers of Patient IDs that have several names.
    pub issuer: BTreeMap<String, RawIssuer>,
}

/// `[data]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct RawData {
    /// Directory that one process owns. Default `./airlock-data`: runs without set-up.
    pub dir: PathBuf,
    /// MiB that stay free: below it C-STORE answers A700 and new associations
    /// are refused as transient. Default 512: room for the clean copies of what
    /// was accepted already.
    pub reserve_mib: u64,
    /// How long a delivered instance stays, from its last delivery on. Default 0:
    /// it is forgotten at once, airlock is no archive.
    #[serde(with = "humantime_serde")]
    pub keep: Duration,
    /// A sender's repeat of a kept instance sends its clean copy out again at most
    /// once in this time. Default 1 h: a cart that sends everything twice costs nothing.
    #[serde(with = "humantime_serde")]
    pub resend_window: Duration,
    /// Most MiB of objects in the spool: above it C-STORE answers A700 and new
    /// associations are refused as transient. Default none: the reserve keeps the disk
    /// from running full; for a disk that is shared.
    pub quota_mib: Option<u64>,
    /// How long an instance may wait before that is an alarm. Default 1 h: longer than
    /// any restart of a PACS.
    #[serde(with = "humantime_serde")]
    pub alarm_age: Duration,
    /// Objects, records and reports are encrypted in the spool. Default false:
    /// most sites encrypt the whole disk, and with the key the instances are lost.
    pub encrypt: bool,
}

impl Default for RawData {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("./airlock-data"),
            reserve_mib: 512,
            keep: Duration::ZERO,
            resend_window: Duration::from_secs(60 * 60),
            quota_mib: None,
            alarm_age: Duration::from_secs(60 * 60),
            encrypt: false,
        }
    }
}

/// `[dicom]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct RawDicom {
    /// AE title of the project `default`, and the calling title when forwarding.
    pub ae_title: String,
    /// Upper and lower case tell AE titles apart: `distinct` or `ignored`. Default
    /// `distinct`, as PS3.5 has it.
    pub ae_title_case: String,
    /// Address to listen on. Default loopback: nobody else gets in by accident.
    pub address: String,
    /// TCP port; 0 takes a free one. Default 11112: the registered port without privileges.
    pub port: u16,
    /// Most associations at once. Default 64: above it a transient refusal.
    pub associations_max: usize,
    /// Most of one address. Default 32: one that runs wild leaves the others half of
    /// the door, and routers open a few.
    pub associations_per_address_max: usize,
    /// Private SOP classes are accepted. Default true: carts send them in one
    /// association with the pictures; what cannot be cleaned is quarantined.
    pub private_sop_classes: bool,
    /// The door is open without TLS. Default true: most modalities speak nothing else.
    pub plain: bool,
    /// The door under TLS.
    pub tls: RawTls,
}

/// `[dicom.tls]`: on when a certificate is named.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct RawTls {
    /// TCP port. Default 2762, registered for DICOM over TLS.
    pub port: u16,
    /// Our certificate and those that signed it, PEM. Default none: no TLS.
    pub certificate: Option<PathBuf>,
    /// Its key, PEM. Default none.
    pub key_file: Option<PathBuf>,
    /// Senders must show a certificate that one of these signed, PEM. Default none: they need none.
    pub authorities: Option<PathBuf>,
}

impl Default for RawTls {
    fn default() -> Self {
        Self { port: 2762, certificate: None, key_file: None, authorities: None }
    }
}

impl Default for RawDicom {
    fn default() -> Self {
        Self {
            ae_title: "AIRLOCK".into(),
            ae_title_case: "distinct".into(),
            address: "127.0.0.1".into(),
            port: 11112,
            associations_max: 64,
            associations_per_address_max: 32,
            private_sop_classes: true,
            plain: true,
            tls: RawTls::default(),
        }
    }
}

/// `[worker]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct RawWorker {
    /// Cleaning processes; 0 takes one per core. Default 0: text recognition uses one thread each.
    pub count: usize,
    /// Most resident memory of one process, MiB. Default 1536: text recognition
    /// takes 400, one large decoded film the rest.
    pub memory_mib_max: u64,
    /// Longest time for one instance. Default 15 min: a long cine on a slow core.
    #[serde(with = "humantime_serde")]
    pub time_max: Duration,
}

impl Default for RawWorker {
    fn default() -> Self {
        Self { count: 0, memory_mib_max: 1536, time_max: Duration::from_secs(900) }
    }
}

/// `[models]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RawModels {
    /// Directory with `manifest.toml`. Default: searched beside the program, then in the repository.
    pub dir: Option<PathBuf>,
}

/// `[keys]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RawKeys {
    /// File with the 32 bytes of the master key. Default `DATA/keys/master`, made at first start.
    pub master_file: Option<PathBuf>,
}

/// `[rules]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RawRules {
    /// Files of device rules for all projects, beside those that ship. Default none.
    pub devices: Vec<PathBuf>,
}

/// `[log]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct RawLog {
    /// `text` or `json`. Default `text`.
    pub format: String,
    /// Filter as in `info,airlock=debug`. Default `info`.
    pub filter: String,
}

impl Default for RawLog {
    fn default() -> Self {
        Self { format: "text".into(), filter: "info".into() }
    }
}

/// `[telemetry]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RawTelemetry {
    /// OTLP endpoint (gRPC), as in `http://127.0.0.1:4317`. Default none: nothing is sent.
    pub otlp_endpoint: Option<String>,
}

/// `[project.NAME]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RawProject {
    /// Called AE title that selects it. Default: `dicom.ae_title` for the project `default`.
    pub ae_title: Option<String>,
    /// `basic`, `tcia`, or a file. Default `basic`.
    pub profile: Option<String>,
    /// What is done with text in pictures. Default `hide-unless-known-clinical`.
    pub text_policy: Option<String>,
    /// Likelihood from which a word of a text is a name. Default 0.5.
    pub name_score: Option<f32>,
    /// The same in pictures. Default 0.1: a label too many costs less than a name.
    pub name_score_pictures: Option<f32>,
    /// Below it everywhere a line of a picture counts as clinical. Default 0.05.
    pub clinical_score: Option<f32>,
    /// SOP Class UIDs whose pictures are not searched. Default none.
    pub header_only: Vec<String>,
    /// SOP Class UIDs whose pictures are searched where the screen marks something.
    /// Default none: their first frames are searched whatever it says.
    pub screened: Vec<String>,
    /// Files of device rules for this project alone. Default none.
    pub devices: Vec<PathBuf>,
    /// Encapsulated documents: `quarantine` or `placeholder`. Default `quarantine`.
    pub documents: Option<String>,
    /// Photographs: `accepted` or `quarantine`. Default `quarantine`.
    pub photographs: Option<String>,
    /// CT and MR of a head: `accepted` or `quarantine`. Default `accepted`, and said
    /// at start and in each receipt (docs/decisions/0015).
    pub faces: Option<String>,
    /// `hmac`, `random`, `sequential` or `imported`. Default `hmac`: a lost table gives the same codes again.
    pub pseudonym_mode: Option<String>,
    /// With `imported`: what becomes of who is not in the list: `quarantine`, or another mode.
    /// Default `quarantine`: a trial that has a list wants to know.
    pub not_in_list: Option<String>,
    /// `quarantine` or `code-per-study`. Default `quarantine`: two studies of one person
    /// without an ID cannot be told to be one person's.
    pub no_patient_id: Option<String>,
    /// `distinct` or `ignored`. Default `distinct`: two persons taken for one cannot be parted again.
    pub patient_id_case: Option<String>,
    /// Values that are no Patient ID, beside `UNKNOWN`, `TEST` and the like. Default none.
    pub placeholders: Vec<String>,
    /// Issuer of Patient ID where neither the object nor its sender says one. Default none.
    pub issuer: String,
    /// `joined` or `distinct`: a Patient ID once with and once without an issuer.
    /// Default `joined`: senders leave the issuer out of some studies of a person.
    pub missing_issuer: Option<String>,
    /// Put before each pseudonym. Default nothing.
    pub code_prefix: String,
    /// Names of destinations. Default: all.
    pub destinations: Option<Vec<String>>,
    /// `instance` or `study`: what is sent together. Default `instance`: nothing waits
    /// for anything.
    pub release: Option<String>,
    /// With `study`: how long nothing of a study may have come. Default 5 min: a patient
    /// is between two series longer than most senders pause.
    #[serde(with = "humantime_serde")]
    pub quiet: Option<Duration>,
}

/// `[destination.NAME]`: either `folder`, or `ae_title`, `host` and `port`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RawDestination {
    /// Directory to write into.
    pub folder: Option<PathBuf>,
    /// Called AE title.
    pub ae_title: Option<String>,
    /// Calling AE title. Default `dicom.ae_title`.
    pub calling_ae_title: Option<String>,
    /// Host name or address.
    pub host: Option<String>,
    /// TCP port. Default 104, the registered port; with TLS 2762.
    pub port: Option<u16>,
    /// Under TLS. Default false.
    pub tls: bool,
    /// Who signed the destination's certificate, PEM. Default none.
    pub authorities: Option<PathBuf>,
    /// SHA-256 of the destination's certificate, in place of `authorities`. Default none.
    pub certificate_sha256: Option<String>,
    /// Name in the destination's certificate. Default `host`.
    pub server_name: Option<String>,
    /// It is asked by Storage Commitment whether it keeps what it took. Default false:
    /// many a PACS does not offer it.
    pub commitment: bool,
    /// Longest wait for its report before it is asked again. Default 24 h: archives
    /// that commit at all do it by the next morning.
    #[serde(with = "humantime_serde")]
    pub commitment_wait: Option<Duration>,
    /// Most associations with it at once. Default 1: many a PACS takes the instances of a
    /// study badly side by side.
    pub associations: Option<usize>,
    /// Our certificate, where the destination asks for one, PEM. Default none.
    pub certificate: Option<PathBuf>,
    /// Its key, PEM. Default none.
    pub key_file: Option<PathBuf>,
}

/// `[sender.NAME]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RawSender {
    /// Calling AE title. Default any.
    pub ae_title: Option<String>,
    /// Addresses or networks as in `10.1.2.0/24`. Default any.
    pub addresses: Option<Vec<String>>,
    /// Issuer of Patient ID for instances that have none (PS3.3 §C.7.1.1).
    pub issuer: String,
    /// Only under TLS. Default false.
    pub tls: bool,
    /// User that it must be (PS3.7 §D.3.3.7). Default none: not asked. Needs TLS.
    pub user: Option<String>,
    /// File with the user's passcode. Default none: the name alone counts.
    pub passcode_file: Option<PathBuf>,
    /// SHA-256 of the certificates that it may show. Default any that is trusted.
    pub certificates: Option<Vec<String>>,
    /// Longest silence between two messages. Default 15 min; carts that send as they acquire need up to 2 h.
    #[serde(with = "humantime_serde")]
    pub idle: Option<Duration>,
    /// SOP Class UIDs that are taken from it. Default all.
    pub sop_classes: Option<Vec<String>>,
    /// Transfer Syntax UIDs that are taken before others. Default Explicit VR Little Endian, Implicit, lossless, lossy.
    pub transfer_syntaxes: Vec<String>,
    /// Most associations at once. Default as many as `dicom.associations_max`.
    pub associations_max: Option<usize>,
    /// Quiet time of studies that it sends. Default the project's.
    #[serde(with = "humantime_serde")]
    pub quiet: Option<Duration>,
    /// It may ask by Storage Commitment what we still hold. Default false: airlock is no archive.
    pub commitment: bool,
    /// Where it takes our report when its association is over. Default nowhere.
    pub commitment_host: Option<String>,
    /// TCP port there. Default 104.
    pub commitment_port: Option<u16>,
}

/// `[issuer.NAME]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RawIssuer {
    /// Issuer of Patient ID as it is to be read.
    pub name: String,
    /// Other spellings of it that senders use.
    pub aliases: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `section.key` of each key; names of projects and the like are `NAME`.
    fn keys(value: &serde_json::Value, above: &str) -> Vec<String> {
        let Some(map) = value.as_object() else { return vec![above.to_owned()] };
        let join = |key: &str| if above.is_empty() { key.into() } else { format!("{above}.{key}") };
        map.iter().flat_map(|(key, value)| keys(value, &join(key))).collect()
    }

    #[test]
    fn every_key_stands_in_the_documentation() {
        let mut raw = RawConfig::default();
        raw.project.insert("NAME".into(), RawProject::default());
        raw.destination.insert("NAME".into(), RawDestination::default());
        raw.sender.insert("NAME".into(), RawSender::default());
        raw.issuer.insert("NAME".into(), RawIssuer::default());
        let written = include_str!("../../docs/CONFIG.md");
        let all = keys(&serde_json::to_value(&raw).unwrap(), "");
        assert!(all.len() > 25, "{all:?}");
        for key in all {
            assert!(
                written.contains(&format!("| `{key}` |")),
                "{key} is missing in docs/CONFIG.md"
            );
        }
    }
}
