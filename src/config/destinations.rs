//! Destinations after checking.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::checked::{DEFAULT_DESTINATION, Faults};
use super::raw::{RawConfig, RawDestination};
use super::tls::{PeerTls, peer_tls};
use crate::dicom::AeTitle;

/// One destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A directory.
    Folder(PathBuf),
    /// A Storage SCP.
    Ae(Peer),
}

/// A Storage SCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Called AE title.
    pub called: AeTitle,
    /// Calling AE title.
    pub calling: AeTitle,
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What the connection is secured with; none: it is not.
    pub tls: Option<PeerTls>,
    /// It is asked whether it keeps what it took, and its report is waited for so
    /// long; none: it is not asked.
    pub commitment_wait: Option<Duration>,
    /// Most associations at once.
    pub associations: usize,
}

/// Wait for a report on storage commitment where none is configured.
const COMMITMENT_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
/// Shortest that can be asked for: less, and every report comes too late.
const COMMITMENT_WAIT_MIN: Duration = Duration::from_secs(1);

/// Most associations that can be asked for. 8: they share our disk and its archive's.
pub(super) const ASSOCIATIONS_MAX: usize = 8;

impl Destination {
    /// How long its report on storage commitment is waited for; none: it is not asked.
    #[must_use]
    pub fn commitment_wait(&self) -> Option<Duration> {
        match self {
            Self::Folder(_) => None,
            Self::Ae(peer) => peer.commitment_wait,
        }
    }
}

pub(super) fn destinations(
    raw: &RawConfig,
    calling: &AeTitle,
    faults: &mut Faults,
) -> BTreeMap<String, Destination> {
    if raw.destination.is_empty() {
        let folder = Destination::Folder(raw.data.dir.join(DEFAULT_DESTINATION));
        return BTreeMap::from([(DEFAULT_DESTINATION.to_owned(), folder)]);
    }
    let mut checked = BTreeMap::new();
    for (name, destination) in &raw.destination {
        let key = format!("destination.{name}");
        faults.name(&key, name);
        if let Some(good) = checked_destination(&key, destination, calling, faults) {
            checked.insert(name.clone(), good);
        }
    }
    checked
}

fn checked_destination(
    key: &str,
    raw: &RawDestination,
    calling: &AeTitle,
    faults: &mut Faults,
) -> Option<Destination> {
    let commitment_wait = commitment_wait(key, raw, faults);
    let associations = associations(key, raw, faults);
    match (&raw.folder, &raw.ae_title, &raw.host) {
        (Some(folder), None, None) => Some(Destination::Folder(folder.clone())),
        (None, Some(called), Some(host)) => Some(Destination::Ae(Peer {
            called: faults.parse(&format!("{key}.ae_title"), called, calling.clone()),
            calling: raw.calling_ae_title.as_ref().map_or_else(
                || calling.clone(),
                |title| faults.parse(&format!("{key}.calling_ae_title"), title, calling.clone()),
            ),
            host: host.clone(),
            port: raw.port.unwrap_or(if raw.tls { 2762 } else { 104 }),
            tls: peer_tls(key, raw, host, faults),
            commitment_wait,
            associations,
        })),
        _ => {
            faults.add(key, "write either folder, or ae_title and host (and port)");
            None
        }
    }
}

fn associations(key: &str, raw: &RawDestination, faults: &mut Faults) -> usize {
    let wanted = raw.associations.unwrap_or(1);
    if !(1..=ASSOCIATIONS_MAX).contains(&wanted) {
        faults.add(format!("{key}.associations"), format!("1 to {ASSOCIATIONS_MAX}"));
    }
    if raw.folder.is_some() && raw.associations.is_some() {
        faults.add(format!("{key}.associations"), "a folder has none");
    }
    wanted
}

fn commitment_wait(key: &str, raw: &RawDestination, faults: &mut Faults) -> Option<Duration> {
    if raw.commitment && raw.folder.is_some() {
        faults.add(format!("{key}.commitment"), "a folder cannot be asked");
    }
    let wait = raw.commitment_wait.unwrap_or(COMMITMENT_WAIT);
    if wait < COMMITMENT_WAIT_MIN {
        faults.add(format!("{key}.commitment_wait"), "at least 1s");
    }
    raw.commitment.then_some(wait)
}
