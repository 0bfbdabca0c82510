//! A data directory, locked and opened: keys, pseudonyms, receipts, spool.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::{info, warn};

use super::found;
use super::passcodes::PasscodeError;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Features, PseudonymMode};
use crate::corrections::{CorrectionError, LocalBook};
use crate::dimse::tls::TlsError;
use crate::disk::{Disk, RealDisk};
use crate::error::ExitCode;
use crate::observe::ObserveError;
use crate::pipeline::{LineMemory, Node, NodeError, NodeParts, Versions};
use crate::pseudonym::{
    self, CodeMode, CodeRule, KeyError, KeyOrigin, KeyPurpose, Keys, MasterKey, PseudonymError,
    SledTable,
};
use crate::receipt::{Ledger, LedgerError, LedgerKey};
use crate::spool::{DataLock, LockError, Spool, SpoolError, SpoolLimits};
use crate::vault::{Vault, VaultKey};
use crate::worker::WorkError;

/// Why the program cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Another process owns the data directory: exit 75.
    #[error("{0}")]
    Locked(#[from] LockError),
    /// The key is missing, wrong or readable by others: exit 64.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// The pseudonym table cannot be trusted: exit 64.
    #[error("{0}")]
    Pseudonym(#[from] PseudonymError),
    /// The memory of corrections cannot be trusted: exit 64.
    #[error("{0}")]
    Correction(#[from] CorrectionError),
    /// The ledger cannot be trusted: exit 64.
    #[error("{0}")]
    Ledger(#[from] LedgerError),
    /// The spool cannot be opened: exit 75.
    #[error("{0}")]
    Spool(#[from] SpoolError),
    /// The data directory, or a part of it, is another user's: exit 75.
    #[error(
        "{dir}: {source}; all of it must belong to the user that airlock runs as, as by \
         chown -R"
    )]
    NotOurs {
        /// The data directory.
        dir: PathBuf,
        /// What was refused.
        source: SpoolError,
    },
    /// A part of the node does not work: exit 75.
    #[error("{0}")]
    Node(#[from] NodeError),
    /// No worker can be started: exit 64, mostly models that are missing.
    #[error("{0}")]
    Work(#[from] WorkError),
    /// TLS cannot be set up: exit 64.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// A sender's passcode cannot be used: exit 64.
    #[error("{0}")]
    Passcode(#[from] PasscodeError),
    /// Logging cannot be set up: exit 64.
    #[error("{0}")]
    Observe(#[from] ObserveError),
    /// The system refuses something: exit 75.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// The system's error.
        source: std::io::Error,
    },
}

impl AppError {
    /// The system's error on `what`.
    pub fn system(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::System { what, source }
    }

    /// The exit code that goes with it (DESIGN.md §4).
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Key(_)
            | Self::Pseudonym(_)
            | Self::Correction(_)
            | Self::Ledger(_)
            | Self::Work(_)
            | Self::Tls(_)
            | Self::Passcode(_)
            | Self::Observe(_) => ExitCode::Usage,
            Self::Locked(_)
            | Self::Spool(_)
            | Self::NotOurs { .. }
            | Self::Node(_)
            | Self::System { .. } => ExitCode::TryLater,
        }
    }
}

/// Everything under a data directory, held by its lock.
#[derive(Debug)]
pub struct Opened {
    /// The table of persons.
    pub table: Arc<SledTable>,
    /// Whose each study is, and what was recalled.
    pub book: Arc<LocalBook>,
    /// The receipts.
    pub ledger: Arc<Ledger>,
    /// The spool.
    pub spool: Spool,
    /// What starts found in it, in plain words.
    found: Vec<String>,
    /// Key of the marks by which repeats are known.
    pub instance_key: pseudonym::SecretKey,
    /// The current master key.
    pub keys: Keys,
    /// What was admitted under each UID.
    pub versions: Arc<Versions>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    key_id: String,
    config: Arc<Config>,
    // Last, so that it is released after all that it guards.
    _lock: DataLock,
}

impl Opened {
    /// Locks and opens `config.data_dir`, making what is missing at a first start.
    ///
    /// # Errors
    /// [`AppError`], each with its exit code.
    pub fn new(config: &Arc<Config>) -> Result<Self, AppError> {
        let dir = &config.data_dir;
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let shown = dir.display();
        // Whatever makes files here (sled asks for 0666), nobody else reads them.
        rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
        disk.create_dir_all(dir).map_err(AppError::system(format!("make {shown}")))?;
        let lock = DataLock::acquire(dir)?;
        let keys = keys(config)?;
        let table = table(config, &keys, &disk)?;
        let ledger = ledger(dir, &keys, &disk, &clock)?;
        let corrections = dir.join("corrections");
        if !ledger.is_empty() && !LocalBook::is_in(&corrections, &*disk)? {
            found::forgotten(dir, &*clock)
                .map_err(AppError::system(format!("write {shown}/run/found.json")))?;
        }
        let (book, remembered) = LocalBook::open(&corrections, &keys, Arc::clone(&disk))?;
        info!(?remembered, "memory of corrections opened");
        let limits = SpoolLimits {
            reserve_bytes: config.reserve_bytes,
            quota_bytes: config.quota_bytes,
            ..SpoolLimits::default()
        };
        let with = (limits, vault(config, &keys));
        let (spool, recovery) =
            Spool::open_with(&dir.join("spool"), disk, Arc::clone(&clock), with)
                .map_err(|error| not_ours(dir, error))?;
        info!(?recovery, "spool opened");
        let found = found::noted(dir, &recovery, &*clock);
        Ok(Self {
            table: Arc::new(table),
            book: Arc::new(book),
            ledger: Arc::new(ledger),
            spool,
            found,
            instance_key: keys.current().derive(KeyPurpose::InstanceKey, ""),
            key_id: keys.current().id().to_owned(),
            keys,
            versions: Arc::default(),
            clock,
            config: Arc::clone(config),
            _lock: lock,
        })
    }

    /// The node over it.
    ///
    /// # Errors
    /// The spool cannot be listed.
    pub fn node(&self) -> Result<Arc<Node>, AppError> {
        let node = Node::new(NodeParts {
            config: Arc::clone(&self.config),
            spool: self.spool.clone(),
            ledger: Arc::clone(&self.ledger),
            table: Arc::clone(&self.table) as _,
            key_id: self.key_id.clone(),
            book: Arc::clone(&self.book) as _,
            versions: Arc::clone(&self.versions),
            clock: Arc::clone(&self.clock),
        })?;
        node.found_at_start(self.found.clone());
        Ok(node)
    }

    /// What a cleaning line asks about each instance.
    #[must_use]
    pub fn line_memory(&self) -> LineMemory {
        LineMemory {
            table: Arc::clone(&self.table) as _,
            book: Arc::clone(&self.book) as _,
            versions: Arc::clone(&self.versions),
            clock: Arc::clone(&self.clock),
            vault: self.spool.vault().clone(),
        }
    }
}

/// Says loudly which projects pass faces on without having said so.
pub(super) fn warn_of_faces(config: &Config) {
    for (name, project) in &config.projects {
        if !project.faces_stated && project.rules.content.faces == Features::Accepted {
            warn!(
                project = name,
                "CT and MR of heads are passed on with the face that can be rendered from them: \
                 say whether that is wanted with faces = \"accepted\" or \"quarantine\""
            );
        }
    }
}

/// Names the directory where the system names only the step.
fn not_ours(dir: &Path, error: SpoolError) -> AppError {
    if let SpoolError::Io { source, .. } = &error
        && source.kind() == ErrorKind::PermissionDenied
    {
        return AppError::NotOurs { dir: dir.to_owned(), source: error };
    }
    AppError::Spool(error)
}

/// The keys of the spool: what an older one sealed is still read.
fn vault(config: &Config, keys: &Keys) -> Vault {
    let key = |key: &MasterKey| VaultKey::new(key.id(), key.derive(KeyPurpose::Vault, "").expose());
    Vault::new(config.encrypts, keys.all().map(key).collect())
}

fn keys(config: &Config) -> Result<Keys, AppError> {
    if let Some(path) = &config.master_key_file {
        return Ok(Keys::with_retired_in(MasterKey::from_file(path)?, &config.data_dir)?);
    }
    let (keys, origin) = Keys::load_or_create(&config.data_dir)?;
    if origin == KeyOrigin::Created {
        warn!(
            path = %config.data_dir.join("keys").display(),
            "A NEW MASTER KEY WAS MADE. BACK IT UP: without it no pseudonym can be traced back \
             and no person keeps the same pseudonym."
        );
    }
    Ok(keys)
}

/// The ledger goes on under the key that its chain was begun with, whatever
/// key new persons get today.
fn ledger(
    data_dir: &Path,
    keys: &Keys,
    disk: &Arc<dyn Disk>,
    clock: &Arc<dyn Clock>,
) -> Result<Ledger, LedgerError> {
    let dir = data_dir.join("receipts");
    let mut refused = LedgerError::NoAnchor;
    for key in keys.all() {
        let ledger_key = LedgerKey::new(*key.derive(KeyPurpose::Ledger, "").expose());
        match Ledger::open(&dir, Arc::clone(disk), Arc::clone(clock), ledger_key) {
            Ok((ledger, found)) => {
                info!(?found, "ledger opened");
                return Ok(ledger);
            }
            Err(LedgerError::NoAnchor) => {}
            Err(other) => {
                refused = other;
                break;
            }
        }
    }
    Err(refused)
}

fn table(config: &Config, keys: &Keys, disk: &Arc<dyn Disk>) -> Result<SledTable, AppError> {
    let dir = config.data_dir.join("pseudonyms");
    let (table, report) = pseudonym::open(&dir, keys, Arc::clone(disk))?;
    info!(?report, "pseudonym table opened");
    let mut rules = BTreeMap::new();
    for (name, project) in &config.projects {
        rules.insert(
            name.clone(),
            CodeRule::new(code_mode(project.code_mode), &project.code_prefix)?.with_baseline(
                project.rules.profile.baseline.as_ref().map(|baseline| baseline.day),
            ),
        );
    }
    Ok(table.with_rules(rules))
}

fn code_mode(mode: PseudonymMode) -> CodeMode {
    match mode {
        PseudonymMode::Hmac => CodeMode::Hmac,
        PseudonymMode::Random => CodeMode::Random,
        PseudonymMode::Sequential => CodeMode::Sequential,
        PseudonymMode::Imported => CodeMode::Imported,
    }
}

/// Where the door listens.
#[derive(Debug, Default)]
pub struct Endpoints {
    /// Without TLS.
    pub dicom: Option<SocketAddr>,
    /// Under TLS.
    pub dicom_tls: Option<SocketAddr>,
}

impl std::fmt::Display for Endpoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tls = self.dicom_tls.map(|address| format!("{address} (TLS)"));
        let all: Vec<_> = self.dicom.map(|at| at.to_string()).into_iter().chain(tls).collect();
        f.write_str(&all.join(", "))
    }
}

/// Writes `DATA/run/endpoints.json`: the node is ready at these addresses.
///
/// # Errors
/// The system's error.
pub fn write_endpoints(data_dir: &Path, endpoints: &Endpoints) -> Result<(), AppError> {
    let dir = data_dir.join("run");
    let failed = || AppError::system(format!("write {}", dir.display()));
    RealDisk.create_dir_all(&dir).map_err(failed())?;
    let endpoints = serde_json::json!({
        "dicom": endpoints.dicom,
        "dicom_tls": endpoints.dicom_tls,
        "pid": std::process::id(),
    });
    crate::disk::replace_synced(
        &RealDisk,
        &dir.join("endpoints.json"),
        endpoints.to_string().as_bytes(),
    )
    .map_err(failed())
}
