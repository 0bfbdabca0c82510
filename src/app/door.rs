//! The DICOM door over configuration and spool: who may come in, and where
//! what they bring is kept.

use std::net::IpAddr;
use std::sync::Arc;

use tracing::error;

use super::opened::Opened;
use super::passcodes::Passcodes;
use crate::accept::{
    AcceptLimits, Admission, Admitted, Arrival, Door, Incoming, Refusal, Room, Secured,
    SenderPolicy, StorageOffer, Store, StoreError,
};
use crate::config::{CallerIs, Config, Sender};
use crate::dicom::AeTitle;
use crate::pipeline::Node;
use crate::pseudonym::SecretKey;
use crate::spool::{self, SpoolError, SpoolWriter};

/// The door of a node.
#[must_use]
pub fn door(opened: &Opened, node: Arc<Node>, config: &Arc<Config>, passcodes: Passcodes) -> Door {
    let private_classes = config.private_sop_classes;
    let limits = AcceptLimits {
        associations_max: config.associations_max,
        associations_per_address_max: config.associations_per_address_max,
        ..AcceptLimits::default()
    };
    let (to, config) = (Arc::clone(&node), Arc::clone(config));
    Door {
        admission: Arc::new(ByConfig { config, node: to, passcodes }),
        store: Arc::new(IntoSpool { node, instance_key: opened.instance_key.clone() }),
        offer: StorageOffer { private_classes },
        room: Room::new(&limits),
        limits,
    }
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
        self.node.spool().check_space().map_err(|_full_or_failed| Refusal::Congested)?;
        Ok(Admitted { project: project.name.clone(), policy })
    }
}

/// How a sender is treated.
fn policy_of(sender: &Sender) -> SenderPolicy {
    SenderPolicy {
        name: sender.name.clone(),
        idle: sender.idle,
        classes: (!sender.sop_classes.is_empty()).then(|| sender.sop_classes.clone()),
        preferred: sender.transfer_syntaxes.clone(),
        associations_max: sender.associations_max,
        user_known: sender.user.is_some(),
    }
}

/// Into the spool, and from there into the queue.
struct IntoSpool {
    node: Arc<Node>,
    instance_key: SecretKey,
}

impl Store for IntoSpool {
    fn begin(&self, arrival: &Arrival) -> Result<Box<dyn Incoming>, StoreError> {
        let writer = self.node.spool().begin().map_err(|error| told(&error))?;
        let mark = self
            .instance_key
            .mac(&[arrival.project.as_bytes(), arrival.sop_instance.as_str().as_bytes()]);
        let mut instance_key = [0; 16];
        instance_key.copy_from_slice(mark.first_chunk::<16>().unwrap_or(&[0; 16]));
        let arrival = spool::Arrival {
            project: arrival.project.clone(),
            calling_ae: arrival.calling_ae.clone(),
            called_ae: arrival.called_ae.clone(),
            peer: Some(arrival.peer),
            sop_class: arrival.sop_class.clone(),
            transfer_syntax: arrival.transfer_syntax.clone(),
            instance_key,
        };
        Ok(Box::new(OnItsWay { writer, arrival, node: Arc::clone(&self.node) }))
    }
}

struct OnItsWay {
    writer: SpoolWriter,
    arrival: spool::Arrival,
    node: Arc<Node>,
}

impl Incoming for OnItsWay {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.writer.append(bytes).map_err(|error| told(&error))
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let (key, sha256) = (self.arrival.instance_key, self.writer.sha256());
        // The same instance on two associations at once: the second waits and is a repeat.
        let _alone = self.node.arriving(&key);
        if self.node.has(&key, &sha256) {
            // A repeat: the bytes that stand keep the promise, these go.
            return Ok(());
        }
        let id = self.writer.commit(self.arrival).map_err(|error| told(&error))?;
        self.node.received(id, key, sha256);
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
