//! The door to the clinic: a Storage SCP (PS3.4 Annex B) with Verification.
//!
//! In: connections of modalities. Out: instances in a [`Store`], each with
//! what is known of its arrival, and true answers: 0000 goes out only after
//! [`Incoming::commit`] has returned, and after any refusal nothing is kept.
//! Data sets go to the store as they arrive and never stand whole in memory.
//! Who may come is asked of [`Admission`]; nothing is looked at beyond the
//! first elements of a data set, up to SOP Instance UID (0008,0018).
//!
//! Invariant: no input of a peer panics, and none makes the node allocate more
//! than the limits of [`AcceptLimits`] and [`Limits`].

mod answers;
mod classes;
mod commitment;
#[cfg(test)]
mod hour_tests;
mod intake;
mod serve;
mod session;
mod telling;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

pub use answers::Refused;
pub use classes::{StorageOffer, is_storage_class};
pub use commitment::{Asker, CommitmentPolicy, Commitments, Later};
pub use serve::{Port, Room, serve};

use crate::dicom::{AeTitle, TransferSyntax, Uid};
use crate::dimse::Limits;
use crate::dimse::association::identity::Claim;
use crate::dimse::tls::Fingerprint;

/// Decides by who asks.
pub trait Admission: Send + Sync {
    /// Whether this caller may send to this title from this address.
    ///
    /// # Errors
    /// [`Refusal`]: no association comes about.
    fn admit(
        &self,
        called: &AeTitle,
        calling: &AeTitle,
        peer: IpAddr,
        secured: &Secured,
    ) -> Result<Admitted, Refusal>;
}

/// What secures a caller's connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Secured {
    /// It runs under TLS.
    pub tls: bool,
    /// SHA-256 of the certificate that the caller showed and proved to own.
    pub certificate: Option<Fingerprint>,
    /// Who it says that it is.
    pub claim: Option<Claim>,
}

/// A caller that may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The project that the called AE title stands for.
    pub project: String,
    /// How it is treated.
    pub policy: SenderPolicy,
}

/// How one sender is treated; by default as the door treats everybody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SenderPolicy {
    /// Its name, by which its associations are counted.
    pub name: String,
    /// Longest silence between two messages.
    pub idle: Option<Duration>,
    /// SOP classes that are taken; Verification always is.
    pub classes: Option<BTreeSet<Uid>>,
    /// Transfer syntaxes that are liked better than all others, the best first.
    pub preferred: Vec<TransferSyntax>,
    /// Most associations at once.
    pub associations_max: Option<usize>,
    /// What it may do of Storage Commitment.
    pub commitment: CommitmentPolicy,
    /// Its user was checked and found right.
    pub user_known: bool,
}

/// Why a caller may not send, or not now (PS3.8 Table 9-21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The calling title, its address or their pair is not allowed: permanent.
    #[error("calling AE title or address not allowed")]
    UnknownCalling,
    /// No project has this called title: permanent.
    #[error("called AE title not known")]
    UnknownCalled,
    /// Not the user that the sender must be: permanent.
    #[error("user identity missing or wrong")]
    UnknownUser,
    /// No room at present: transient, the sender tries again.
    #[error("no room at present")]
    Congested,
}

/// Takes instances and keeps them.
pub trait Store: Send + Sync {
    /// Starts one instance.
    ///
    /// # Errors
    /// [`StoreError`]: the instance is refused.
    fn begin(&self, arrival: &Arrival) -> Result<Box<dyn Incoming>, StoreError>;
}

/// One instance on its way into the store; dropped without
/// [`Incoming::commit`] it leaves nothing behind.
pub trait Incoming: Send {
    /// Takes the next bytes of the Part 10 file.
    ///
    /// # Errors
    /// [`StoreError`]: the instance is refused.
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError>;
    /// Returns only after file, record and directory are on the disk.
    ///
    /// # Errors
    /// [`StoreError`]: the instance is refused.
    fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// Why the store does not take an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Under the reserve, over a quota, or no space: answered A700, the sender tries again.
    #[error("no room")]
    Full,
    /// Longer than the store takes: answered C000, no try can help.
    #[error("too long")]
    TooLong,
    /// An error inside the node: answered 0110.
    #[error("the store failed")]
    Failed,
}

/// What is known of an instance before its first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Project, by the called AE title.
    pub project: String,
    /// Who sends.
    pub calling_ae: AeTitle,
    /// To which of our titles.
    pub called_ae: AeTitle,
    /// From where.
    pub peer: IpAddr,
    /// SOP class of the command.
    pub sop_class: Uid,
    /// SOP instance of the command.
    pub sop_instance: Uid,
    /// Of the data set.
    pub transfer_syntax: TransferSyntax,
}

/// How much the door takes at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptLimits {
    /// Most open associations; one more is rejected as transient, local limit
    /// exceeded. Default 64: a large hospital has 20 to 60 sending AEs.
    pub associations_max: usize,
    /// Most of them from one address; one more is rejected alike. Default 32: one
    /// that runs wild leaves the others half of the door.
    pub associations_per_address_max: usize,
    /// Most open connections, with or without association; one more is closed
    /// at once. Default 1024: hundreds of silent ones must not shut out a
    /// modality, and each costs some 14 KiB; one that stops in the middle of a PDU
    /// costs what came of it, 256 KiB at most.
    pub connections_max: usize,
    /// Most of them from one address (of IPv6 one network of 64 bits). Default 256:
    /// one that opens without end leaves the others three quarters of the door.
    pub connections_per_address_max: usize,
    /// How long messages in progress may take to end after shutdown was asked
    /// for. Default 6 s: container runtimes kill after 10.
    pub drain: Duration,
    /// Limits of each association.
    pub association: Limits,
}

impl Default for AcceptLimits {
    fn default() -> Self {
        Self {
            associations_max: 64,
            associations_per_address_max: 32,
            connections_max: 1024,
            connections_per_address_max: 256,
            drain: Duration::from_secs(6),
            association: Limits::default(),
        }
    }
}

/// Everything the door needs.
pub struct Door {
    /// Who may come.
    pub admission: Arc<dyn Admission>,
    /// Where instances go.
    pub store: Arc<dyn Store>,
    /// What is known of storage commitment; none: nobody may ask or report.
    pub commitments: Option<Arc<dyn Commitments>>,
    /// Which SOP classes and transfer syntaxes are taken.
    pub offer: StorageOffer,
    /// How much at once.
    pub limits: AcceptLimits,
    /// What of it is free, on all ports that this door is served on.
    pub room: Room,
}
