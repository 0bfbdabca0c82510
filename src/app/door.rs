//! The DICOM door over configuration and spool: who may come in, and where
//! what they bring is kept.

use std::net::IpAddr;
use std::sync::Arc;

use rustix::process::{Resource, Rlimit};
use tracing::{error, warn};

use super::commitment::ByNode;
use super::opened::Opened;
use super::passcodes::Passcodes;
use crate::accept::{
    AcceptLimits, Admission, Admitted, Arrival, CommitmentPolicy, Door, Incoming, Refusal, Room,
    Secured, SenderPolicy, StorageOffer, Store, StoreError,
};
use crate::config::{CallerIs, Config, Sender};
use crate::dicom::AeTitle;
use crate::pipeline::{self, Node};
use crate::pseudonym::SecretKey;
use crate::spool::{self, SpoolError, SpoolWriter};

/// Most associations at once of a destination that reports. Default 4: it reports on
/// one after the other.
const REPORTERS_MAX: usize = 4;

/// File descriptors that are left to the node itself: workers, spool, ledger, table,
/// sockets to destinations. 512: half of the usual limit.
const DESCRIPTORS_OWN: u64 = 512;
/// Fewest connections, however few descriptors there are: one for each association.
const CONNECTIONS_MIN: usize = 64;

/// The door of a node.
#[must_use]
pub fn door(opened: &Opened, node: Arc<Node>, config: &Arc<Config>, passcodes: Passcodes) -> Door {
    let private_classes = config.private_sop_classes;
    let limits = AcceptLimits {
        associations_max: config.associations_max,
        associations_per_address_max: config.associations_per_address_max,
        connections_max: AcceptLimits::default().connections_max.min(descriptors_left()),
        ..AcceptLimits::default()
    };
    let (to, config) = (Arc::clone(&node), Arc::clone(config));
    Door {
        admission: Arc::new(ByConfig { config: Arc::clone(&config), node: to, passcodes }),
        commitments: Some(Arc::new(ByNode::new(
            Arc::clone(&node),
            config,
            opened.instance_key.clone(),
        ))),
        store: store(node, opened.instance_key.clone()),
        offer: StorageOffer { private_classes },
        room: Room::new(&limits),
        limits,
    }
}

/// Connections that fit beside the node's own files, with as many descriptors as the
/// system gives.
fn descriptors_left() -> usize {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = match rustix::process::setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_refused) => limit.current,
    };
    let left = current.unwrap_or(u64::MAX).saturating_sub(DESCRIPTORS_OWN);
    let left = usize::try_from(left).unwrap_or(usize::MAX).max(CONNECTIONS_MIN);
    if left < AcceptLimits::default().connections_max {
        warn!(connections = left, "few file descriptors: raise the limit (nofile) to 4096");
    }
    left
}

/// Where what comes in is kept.
pub(super) fn store(node: Arc<Node>, instance_key: SecretKey) -> Arc<dyn Store> {
    Arc::new(IntoSpool { node, instance_key })
}

/// Called title, calling title and address against the configuration.
struct ByConfig {
    config: Arc<Config>,
    node: Arc<Node>,
    passcodes: Passcodes,
}

impl Admission for ByConfig {
    fn admit(
        &self,
        called: &AeTitle,
        calling: &AeTitle,
        peer: IpAddr,
        secured: &Secured,
    ) -> Result<Admitted, Refusal> {
        let reports_of = self.node.reporter(calling, called, (peer, secured.tls));
        match (self.sender(called, calling, peer, secured), reports_of) {
            (Ok(mut admitted), reports_of) => {
                admitted.policy.commitment.reports_of = reports_of;
                Ok(admitted)
            }
            (Err(_not_a_sender), Some(destination)) => Ok(reporter(destination)),
            (Err(refusal), None) => Err(refusal),
        }
    }
}

impl ByConfig {
    fn sender(
        &self,
        called: &AeTitle,
        calling: &AeTitle,
        peer: IpAddr,
        secured: &Secured,
    ) -> Result<Admitted, Refusal> {
        let project = self.config.project_of(called).ok_or(Refusal::UnknownCalled)?;
        let policy = if self.config.senders.is_empty() {
            // Nobody is configured: only this machine gets in.
            if !peer.is_loopback() {
                return Err(Refusal::UnknownCalling);
            }
            SenderPolicy::default()
        } else {
            let certificate = secured.certificate.as_ref();
            let caller = CallerIs { calling, peer, tls: secured.tls, certificate };
            let sender = self.config.sender_of(&caller).ok_or(Refusal::UnknownCalling)?;
            if !self.passcodes.lets_in(sender, secured.claim.as_ref()) {
                return Err(Refusal::UnknownUser);
            }
            policy_of(sender)
        };
        if !self.node.is_taking() {
            return Err(Refusal::Congested);
        }
        self.node.spool().check_space().map_err(|_full_or_failed| Refusal::Congested)?;
        Ok(Admitted { project: project.name.clone(), policy })
    }
}

/// A destination that calls to report, and may do nothing else, also while the
/// spool is full: what it keeps may go.
fn reporter(destination: String) -> Admitted {
    let policy = SenderPolicy {
        name: format!("destination {destination}"),
        associations_max: Some(REPORTERS_MAX),
        commitment: CommitmentPolicy { reports_of: Some(destination), asks: false, alone: true },
        ..SenderPolicy::default()
    };
    Admitted { project: String::new(), policy }
}

/// How a sender is treated.
fn policy_of(sender: &Sender) -> SenderPolicy {
    SenderPolicy {
        name: sender.name.clone(),
        idle: sender.idle,
        classes: (!sender.sop_classes.is_empty()).then(|| sender.sop_classes.clone()),
        preferred: sender.transfer_syntaxes.clone(),
        associations_max: sender.associations_max,
        commitment: CommitmentPolicy {
            asks: sender.commitment.is_some(),
            ..CommitmentPolicy::default()
        },
        user_known: sender.user.is_some(),
    }
}

/// The mark by which an instance is known again without its UID.
pub(super) fn instance_mark(key: &SecretKey, project: &str, instance: &str) -> [u8; 16] {
    let mark = key.mac(&[project.as_bytes(), instance.as_bytes()]);
    mark.first_chunk::<16>().copied().unwrap_or([0; 16])
}

/// Into the spool, and from there into the queue.
struct IntoSpool {
    node: Arc<Node>,
    instance_key: SecretKey,
}

impl Store for IntoSpool {
    fn begin(&self, arrival: &Arrival) -> Result<Box<dyn Incoming>, StoreError> {
        // What is taken now would wait for a restart.
        if !self.node.is_taking() {
            error!("instance refused: a part of the node stopped; restart it");
            return Err(StoreError::Full);
        }
        let writer = self.node.spool().begin().map_err(|error| told(&error))?;
        let instance = arrival.sop_instance.as_str();
        let instance_key = instance_mark(&self.instance_key, &arrival.project, instance);
        let arrival = spool::Arrival {
            project: arrival.project.clone(),
            calling_ae: arrival.calling_ae.clone(),
            called_ae: arrival.called_ae.clone(),
            peer: Some(arrival.peer),
            sop_class: arrival.sop_class.clone(),
            transfer_syntax: arrival.transfer_syntax.clone(),
            instance_key,
        };
        let coming = self.node.arrives(writer.id(), &arrival.project, &arrival.calling_ae);
        Ok(Box::new(OnItsWay { writer, arrival, node: Arc::clone(&self.node), _coming: coming }))
    }
}

struct OnItsWay {
    writer: SpoolWriter,
    arrival: spool::Arrival,
    node: Arc<Node>,
    /// Its study waits for it.
    _coming: Option<pipeline::OnItsWay>,
}

impl Incoming for OnItsWay {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.writer.append(bytes).map_err(|error| told(&error))
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let (key, sha256) = (self.arrival.instance_key, self.writer.sha256());
        // The same instance on two associations at once: the second waits and is a repeat.
        let _alone = self.node.arriving(&key);
        if self.node.repeated(&key, &sha256) {
            // The bytes that stand keep the promise, these go.
            return Ok(());
        }
        let project = self.arrival.project.clone();
        let id = self.writer.commit(self.arrival).map_err(|error| told(&error))?;
        self.node.received(id, &project, key, sha256);
        Ok(())
    }
}

/// What the sender is told; the log says the rest.
fn told(error: &SpoolError) -> StoreError {
    error!(%error, "instance refused");
    match error {
        // A failed disk answers "out of resources" too: the sender tries again
        // later, and does not take the instance for a bad one.
        SpoolError::Full { .. }
        | SpoolError::NoFiles { .. }
        | SpoolError::OverQuota { .. }
        | SpoolError::Failed { .. }
        | SpoolError::Io { .. }
        | SpoolError::Locked { .. } => StoreError::Full,
        SpoolError::TooLong { what: "object", .. } => StoreError::TooLong,
        SpoolError::TooLong { .. } | SpoolError::Damaged { .. } | SpoolError::NotThere { .. } => {
            StoreError::Failed
        }
    }
}
