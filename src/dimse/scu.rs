//! Verification and Storage as a user of the services (PS3.4 Annexes A, B).
//!
//! In: an address and objects in files. Out: the peer's statuses. `forward`
//! builds delivery of cleaned instances on [`Scu`]; [`send_files`] serves the
//! command `airlock send`, which sends a user's own files and cleans nothing.

use std::path::{Path, PathBuf};

use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::association::requestor::{Proposal, ProposalError, RefusedContexts, propose};
use super::association::{Association, AssociationError, Outgoing};
use super::command::{C_ECHO_RQ, C_STORE_RQ, CommandSet, RESPONSE};
use super::data_set;
use super::limits::{CONTEXTS_MAX, Limits};
use super::tls::{ClientTls, Wire};
use super::transport::tune;
use crate::dicom::read::{ReadError, ReadLimits, read_head};
use crate::dicom::transfer_syntax::{EXPLICIT_VR_LE, IMPLICIT_VR_LE};
use crate::dicom::{AeTitle, TransferSyntax, Uid};
use crate::vault::Stored;

/// The Verification SOP Class (PS3.4 §A.4).
pub const VERIFICATION: &str = "1.2.840.10008.1.1";

/// Where a peer is and what we call each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The peer's AE title.
    pub called: AeTitle,
    /// Our AE title.
    pub calling: AeTitle,
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What the connection is secured with; none: it is not.
    pub tls: Option<ClientTls>,
}

/// A SOP class in a transfer syntax: what one presentation context is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kind {
    /// SOP class.
    pub class: Uid,
    /// Transfer syntax of the data set as it lies in the file.
    pub transfer_syntax: TransferSyntax,
}

/// An object to be sent: what it is, and where its data set lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// SOP class and transfer syntax.
    pub kind: Kind,
    /// SOP instance.
    pub instance: Uid,
    /// The DICOM file.
    pub file: Stored,
    /// First byte of the data set in the file.
    pub data_set_offset: u64,
}

impl Object {
    /// Reads the file meta information.
    ///
    /// # Errors
    /// [`SendError::File`], [`SendError::Head`], [`SendError::Nameless`].
    pub fn read(stored: &Stored) -> Result<Self, SendError> {
        let file = stored.open().map_err(SendError::File)?;
        let head = read_head(&mut std::io::BufReader::new(file), &ReadLimits::default())?;
        let class = head.meta.sop_class.ok_or(SendError::Nameless)?;
        Ok(Self {
            kind: Kind { class, transfer_syntax: head.meta.transfer_syntax },
            instance: head.meta.sop_instance.ok_or(SendError::Nameless)?,
            file: stored.clone(),
            data_set_offset: head.data_set_offset,
        })
    }
}

/// What an association has for a kind of object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// It can be sent on this context.
    Context(u8),
    /// It can be sent when it is coded anew in this transfer syntax.
    OtherSyntax(TransferSyntax),
    /// The peer takes the class in none of the proposed syntaxes.
    NoSyntax,
    /// The peer does not take the class.
    NoClass,
    /// This association was not opened for it.
    NotProposed,
}

/// Why no association came about.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Name look-up or TCP connect failed.
    #[error("cannot connect: {0}")]
    Connect(#[source] std::io::Error),
    /// Name look-up and TCP connect took too long.
    #[error("no connection within {seconds} s")]
    ConnectTimedOut {
        /// The limit.
        seconds: u64,
    },
    /// Connected, but the peer is not who it should be, or takes no TLS.
    #[error("no secured connection: {0}")]
    Tls(#[source] std::io::Error),
    /// Connected, but no association.
    #[error(transparent)]
    Proposal(#[from] ProposalError),
}

/// Why a file was not stored, other than by a status.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It is no DICOM file.
    #[error("no DICOM file: {0}")]
    Head(#[from] ReadError),
    /// It says neither what it is nor which instance.
    #[error("file meta information without SOP class or instance")]
    Nameless,
    /// It cannot be opened or sought in.
    #[error("cannot read the file: {0}")]
    File(#[source] std::io::Error),
    /// The peer takes no context for it.
    #[error("the peer takes neither this SOP class nor a syntax it is at hand in: {0:?}")]
    NoPlace(Place),
    /// The association broke.
    #[error(transparent)]
    Association(#[from] AssociationError),
}

/// An open association on which we are the user.
#[derive(Debug)]
pub struct Scu {
    association: Association<Wire>,
    proposed: Vec<(Uid, Vec<TransferSyntax>)>,
    refused: RefusedContexts,
}

impl Scu {
    /// Connects and proposes these contexts.
    ///
    /// # Errors
    /// [`OpenError`]; nothing stays open.
    pub async fn open(
        address: &Address,
        contexts: Vec<(Uid, Vec<TransferSyntax>)>,
        limits: &Limits,
    ) -> Result<Self, OpenError> {
        let (association, refused) = connect(address, contexts.clone(), None, limits).await?;
        Ok(Self { association, proposed: contexts, refused })
    }

    /// What the association has for this kind of object.
    #[must_use]
    pub fn place(&self, kind: &Kind) -> Place {
        let accepted = self.association.contexts().filter(|context| context.class == kind.class);
        let mut other = None;
        for context in accepted {
            if context.transfer_syntax == kind.transfer_syntax {
                return Place::Context(context.id);
            }
            other.get_or_insert(&context.transfer_syntax);
        }
        let asked = (1_u8..=u8::MAX).step_by(2).zip(&self.proposed);
        let mut of_class = asked.filter(|(_, (class, _))| *class == kind.class);
        if !of_class.clone().any(|(_, (_, all))| all.contains(&kind.transfer_syntax)) {
            return Place::NotProposed;
        }
        if let Some(syntax) = other {
            return Place::OtherSyntax(syntax.clone());
        }
        // Reason 4 is "transfer syntaxes not supported" (PS3.8 Table 9-18).
        if of_class.any(|(id, _)| self.refused.get(&id) == Some(&4)) {
            return Place::NoSyntax;
        }
        Place::NoClass
    }

    /// C-ECHO; returns the status.
    ///
    /// # Errors
    /// [`AssociationError`], to be given to [`Scu::fail`].
    pub async fn echo(&mut self, context_id: u8) -> Result<u16, AssociationError> {
        let message_id = self.association.next_message_id();
        let request = CommandSet::echo_request(message_id);
        self.association.send_command(context_id, &request).await?;
        self.answer_to(C_ECHO_RQ, message_id).await
    }

    /// C-STORE; returns the status. A Move Originator is never named.
    ///
    /// # Errors
    /// [`SendError::Association`] must be given to [`Scu::fail`]; after
    /// [`SendError::File`] the association goes on.
    pub async fn store(&mut self, context_id: u8, object: &Object) -> Result<u16, SendError> {
        let opened = data_set::open(&object.file, object.data_set_offset).await;
        let (reader, bytes) = opened.map_err(SendError::File)?;
        let message_id = self.association.next_message_id();
        let (class, instance) = (&object.kind.class, &object.instance);
        let request = CommandSet::store_request(message_id, class, instance);
        self.association.send_command(context_id, &request).await?;
        let reader = BufReader::with_capacity(READ_AT_ONCE_BYTES, reader);
        let mut outgoing = Outgoing { reader, bytes };
        self.association.send_data_set(context_id, &mut outgoing).await?;
        Ok(self.answer_to(C_STORE_RQ, message_id).await?)
    }

    /// Releases the association.
    ///
    /// # Errors
    /// [`AssociationError`]; the connection is closed all the same.
    pub async fn release(self) -> Result<(), AssociationError> {
        self.association.release().await
    }

    /// Ends the association after an error.
    pub async fn fail(self, error: &AssociationError) {
        self.association.fail(error).await;
    }

    async fn answer_to(&mut self, field: u16, message_id: u16) -> Result<u16, AssociationError> {
        let wait = self.association.answer_wait();
        let message = self.association.next_command(wait).await?;
        let Some(message) = message else {
            return Err(AssociationError::OutOfTurn { what: "A-RELEASE-RQ" });
        };
        if message.command.has_data_set() {
            self.association.skip_data_set(message.context_id).await?;
        }
        if message.command.field() != field | RESPONSE
            || message.command.responded_to()? != message_id
        {
            return Err(AssociationError::OutOfTurn { what: "response to another request" });
        }
        Ok(message.command.status()?)
    }
}

/// Connects and proposes contexts; `provides` names a class that we are the
/// provider of.
///
/// # Errors
/// [`OpenError`]; nothing stays open.
pub async fn connect(
    address: &Address,
    contexts: Vec<(Uid, Vec<TransferSyntax>)>,
    provides: Option<Uid>,
    limits: &Limits,
) -> Result<(Association<Wire>, RefusedContexts), OpenError> {
    let connecting = TcpStream::connect((address.host.as_str(), address.port));
    let seconds = limits.connect.as_secs();
    let stream = timeout(limits.connect, connecting)
        .await
        .map_err(|_elapsed| OpenError::ConnectTimedOut { seconds })?
        .map_err(OpenError::Connect)?;
    tune(&stream);
    let stream = match &address.tls {
        None => Wire::Plain(stream),
        Some(tls) => timeout(limits.connect, tls.connect(stream))
            .await
            .map_err(|_elapsed| OpenError::ConnectTimedOut { seconds })?
            .map_err(OpenError::Tls)?,
    };
    let proposal = Proposal {
        called: address.called.clone(),
        calling: address.calling.clone(),
        contexts,
        provides: provides.into_iter().collect(),
    };
    Ok(propose(stream, &proposal, limits).await?)
}

/// One context for each kind, and for each class one in Explicit and one in
/// Implicit VR Little Endian to learn whether a recoded copy would be taken.
/// At most 128: kinds past that are reported as [`Place::NotProposed`].
#[must_use]
pub fn plan_contexts(kinds: &[Kind]) -> Vec<(Uid, Vec<TransferSyntax>)> {
    let mut contexts: Vec<(Uid, Vec<TransferSyntax>)> = Vec::new();
    for kind in kinds {
        let mut wanted = vec![kind.transfer_syntax.clone()];
        let fallbacks = [EXPLICIT_VR_LE, IMPLICIT_VR_LE].map(str::parse::<Uid>);
        wanted.extend(fallbacks.into_iter().flatten().map(TransferSyntax::new));
        for syntax in wanted {
            let context = (kind.class.clone(), vec![syntax]);
            if !contexts.contains(&context) {
                contexts.push(context);
            }
        }
    }
    contexts.truncate(CONTEXTS_MAX);
    contexts
}

/// Asks the peer for C-ECHO on an association of its own; returns the status.
///
/// # Errors
/// [`OpenError`].
pub async fn verify(address: &Address, limits: &Limits) -> Result<u16, OpenError> {
    let kinds = verification_contexts();
    let mut scu = Scu::open(address, kinds, limits).await?;
    let Some(context_id) = scu.association.contexts().next().map(|context| context.id) else {
        let error = AssociationError::OutOfTurn { what: "refusal of Verification" };
        scu.fail(&error).await;
        return Err(ProposalError::from(error).into());
    };
    match scu.echo(context_id).await {
        Ok(status) => {
            release_quietly(Some(scu)).await;
            Ok(status)
        }
        Err(error) => {
            scu.fail(&error).await;
            Err(ProposalError::from(error).into())
        }
    }
}

/// Sends files as they are, over as few associations as their kinds need;
/// `each` is told of every file in turn.
///
/// # Errors
/// [`OpenError`] when the peer cannot be reached; files not yet reported were
/// not sent.
pub async fn send_files(
    address: &Address,
    paths: &[PathBuf],
    limits: &Limits,
    mut each: impl FnMut(&Path, Result<u16, SendError>),
) -> Result<(), OpenError> {
    let mut open: Option<Scu> = None;
    for (at, path) in paths.iter().enumerate() {
        let object = match Object::read(&path.as_path().into()) {
            Ok(object) => object,
            Err(error) => {
                each(path, Err(error));
                continue;
            }
        };
        let mut scu = match open.take() {
            Some(scu) if scu.place(&object.kind) != Place::NotProposed => scu,
            other => {
                release_quietly(other).await;
                let kinds = kinds_from(paths.get(at..).unwrap_or_default());
                Scu::open(address, plan_contexts(&kinds), limits).await?
            }
        };
        let result = match scu.place(&object.kind) {
            Place::Context(id) => scu.store(id, &object).await,
            place @ (Place::OtherSyntax(_)
            | Place::NoSyntax
            | Place::NoClass
            | Place::NotProposed) => Err(SendError::NoPlace(place)),
        };
        match &result {
            Err(SendError::Association(error)) => scu.fail(error).await,
            Ok(_)
            | Err(
                SendError::Head(_)
                | SendError::Nameless
                | SendError::File(_)
                | SendError::NoPlace(_),
            ) => {
                open = Some(scu);
            }
        }
        each(path, result);
    }
    release_quietly(open).await;
    Ok(())
}

/// Every answer has been heard before, so a failed release changes nothing.
async fn release_quietly(scu: Option<Scu>) {
    if let Some(scu) = scu
        && let Err(error) = scu.release().await
    {
        tracing::debug!(%error, "release failed");
    }
}

/// The kinds of the files at the start of `paths`, as many as one association holds.
fn kinds_from(paths: &[PathBuf]) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    for kind in
        paths.iter().filter_map(|path| Some(Object::read(&path.as_path().into()).ok()?.kind))
    {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
        // Each kind takes up to three contexts.
        if kinds.len() >= CONTEXTS_MAX / 3 {
            break;
        }
    }
    kinds
}

/// Bytes of a file that are read at once: each read goes to another thread and back.
/// 256 KiB: two for a CT slice.
const READ_AT_ONCE_BYTES: usize = 256 << 10;

/// What [`verify`] proposes.
#[must_use]
pub fn verification_contexts() -> Vec<(Uid, Vec<TransferSyntax>)> {
    let implicit = TransferSyntax::new(Uid::constant(IMPLICIT_VR_LE));
    vec![(Uid::constant(VERIFICATION), vec![implicit])]
}
