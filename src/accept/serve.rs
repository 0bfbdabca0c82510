//! Connections of the door: how many, how each one begins and ends, and what
//! is left of it in the log.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dicom_ul::pdu::{AbortRQServiceProviderReason as AbortReason, AbortRQSource};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::classes::SenderOffer;
use super::session::{Caller, Session, Tally};
use super::telling::Telling;
use super::{AcceptLimits, Door, Refusal, Secured, SenderPolicy};
use crate::dimse::association::acceptor::{Pending, receive_request};
use crate::dimse::association::negotiation::Rejection;
use crate::dimse::tls::{TlsServer, Wire};
use crate::dimse::transport::tune;
use crate::dimse::{Association, AssociationError, Transport};

/// Pause after `accept` failed, as it does when the process is out of file
/// descriptors. 100 ms: long enough not to spin, short enough not to be noticed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long A-ABORT may take to be sent at the end of a shutdown. 1 s.
const ABORT_WAIT: Duration = Duration::from_secs(1);

/// Least time between two words on connections that are closed. 1 min: a flood
/// fills no log.
const TELL_AGAIN: Duration = Duration::from_mins(1);

/// What counts as one address: a host with IPv6 has a network of 64 bits to itself.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

/// How far a shutdown has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Open,
    /// Messages in progress end, nothing new begins.
    Draining,
    /// Everything is aborted.
    Stopped,
}

/// Room for connections and for associations, on all ports together.
#[derive(Debug, Clone)]
pub struct Room {
    connections: Arc<Semaphore>,
    associations: Arc<Semaphore>,
    /// Open associations of senders that have a limit of their own.
    by_sender: Counts<String>,
    by_address: Counts<IpAddr>,
    per_address_max: usize,
    /// Open connections, with or without association.
    connected: Counts<IpAddr>,
    connected_max: usize,
    /// When somebody was last told that connections are closed for want of room.
    told: Arc<Mutex<Option<Instant>>>,
    /// What is told of each address.
    telling: Arc<Telling>,
}

/// Open associations by whose they are.
type Counts<K> = Arc<Mutex<HashMap<K, usize>>>;

/// An association's place among those of its kind; free again when dropped.
struct Place<K: Eq + Hash> {
    counts: Counts<K>,
    whose: K,
}

impl<K: Eq + Hash + Clone> Place<K> {
    /// One more; `None` when there are `most`.
    fn take(counts: &Counts<K>, whose: &K, most: usize) -> Option<Self> {
        let mut open = counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.get(whose).copied().unwrap_or_default();
        if count >= most {
            return None;
        }
        open.insert(whose.clone(), count.saturating_add(1));
        Some(Self { counts: Arc::clone(counts), whose: whose.clone() })
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut open = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.whose) {
            *count = count.saturating_sub(1);
            // Addresses are without number: those that are gone are not kept.
            if *count == 0 {
                open.remove(&self.whose);
            }
        }
    }
}

impl Room {
    /// Places for one more association of a sender at an address; `None` when
    /// either has as many as it may.
    fn place_for(
        &self,
        policy: &SenderPolicy,
        peer: IpAddr,
    ) -> Option<(Place<IpAddr>, Option<Place<String>>)> {
        let at_address = Place::take(&self.by_address, &network(peer), self.per_address_max)?;
        let of_sender = match policy.associations_max {
            Some(most) => Some(Place::take(&self.by_sender, &policy.name, most)?),
            None => None,
        };
        Some((at_address, of_sender))
    }

    /// A place for one more connection; `None` when all or those of its address are taken.
    fn connect(&self, peer: IpAddr) -> Option<(OwnedSemaphorePermit, Place<IpAddr>)> {
        let at_address = Place::take(&self.connected, &network(peer), self.connected_max);
        let permit = Arc::clone(&self.connections).try_acquire_owned().ok();
        let places = permit.zip(at_address);
        if places.is_none() {
            self.tell_once(peer);
        }
        places
    }

    /// Whether another line on this address may be written now.
    pub(super) fn may_tell(&self, peer: IpAddr) -> bool {
        self.telling.may_tell(peer)
    }

    /// Says that connections are closed, at most once in a while.
    fn tell_once(&self, peer: IpAddr) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_some_and(|at| at.elapsed() < TELL_AGAIN) {
            return;
        }
        *told = Some(Instant::now());
        let all_taken = self.connections.available_permits() == 0;
        tracing::warn!(%peer, all_taken, "connections are closed: as many as allowed are open");
    }

    /// Room within these limits.
    #[must_use]
    pub fn new(limits: &AcceptLimits) -> Self {
        Self {
            connections: Arc::new(Semaphore::new(limits.connections_max)),
            associations: Arc::new(Semaphore::new(limits.associations_max)),
            by_sender: Arc::default(),
            by_address: Arc::default(),
            per_address_max: limits.associations_per_address_max,
            connected: Arc::default(),
            connected_max: limits.connections_per_address_max,
            told: Arc::default(),
            telling: Arc::default(),
        }
    }
}

/// A port that is listened on.
#[derive(Debug)]
pub struct Port {
    /// The socket.
    pub listener: TcpListener,
    /// What its connections are secured with; none: they are not.
    pub tls: Option<Arc<TlsServer>>,
}

/// How an association ended.
pub(super) enum Ending {
    Released,
    Shutdown,
    Failed(AssociationError),
}

/// Serves connections until `shutdown` says true (or its sender is dropped);
/// then lets messages in progress end within [`super::AcceptLimits::drain`],
/// and aborts the rest. Needs a multi-threaded runtime: the store blocks.
pub async fn serve(port: Port, door: Arc<Door>, mut shutdown: watch::Receiver<bool>) {
    let Port { listener, tls } = port;
    let room = &door.room;
    let (phase, phases) = watch::channel(Phase::Open);
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            () = asked_to_stop(&mut shutdown) => break,
            Some(_ended) = tasks.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => {
                    // The listener may take both families: `::ffff:10.1.2.3` is 10.1.2.3.
                    let peer = from.ip().to_canonical();
                    let Some(places) = room.connect(peer) else { continue };
                    let (door, tls, phases) = (Arc::clone(&door), tls.clone(), phases.clone());
                    tasks.spawn(async move {
                        let mut stop = phases.clone();
                        tokio::select! {
                            wire = secured(stream, peer, tls.as_deref(), &door) => {
                                if let Some(wire) = wire {
                                    attend(wire, peer, &door, phases).await;
                                }
                            }
                            () = reached(&mut stop, Phase::Draining) => {}
                        }
                        drop(places);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    phase.send_replace(Phase::Draining);
    if timeout(door.limits.drain, join_all(&mut tasks)).await.is_err() {
        phase.send_replace(Phase::Stopped);
        if timeout(ABORT_WAIT, join_all(&mut tasks)).await.is_err() {
            tasks.shutdown().await;
        }
    }
}

async fn asked_to_stop(shutdown: &mut watch::Receiver<bool>) {
    // A dropped sender is the end of the program, too.
    if let Err(gone) = shutdown.wait_for(|asked| *asked).await {
        tracing::debug!(%gone, "nobody can ask for shutdown any more");
    }
}

async fn join_all(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

/// Returns when a shutdown has come this far.
async fn reached(phases: &mut watch::Receiver<Phase>, phase: Phase) {
    if let Err(gone) = phases.wait_for(|now| *now >= phase).await {
        tracing::debug!(%gone, "the door is gone");
    }
}

/// The connection, secured where the port is; `None` when that failed.
async fn secured(
    stream: TcpStream,
    peer: IpAddr,
    tls: Option<&TlsServer>,
    door: &Door,
) -> Option<Wire> {
    tune(&stream);
    let Some(tls) = tls else {
        return Some(Wire::Plain(stream));
    };
    match timeout(door.limits.association.artim, tls.accept(stream)).await {
        Ok(Ok(wire)) => return Some(wire),
        Ok(Err(error)) if door.room.may_tell(peer) => {
            tracing::info!(%peer, %error, "TLS handshake failed");
        }
        Err(_elapsed) if door.room.may_tell(peer) => {
            tracing::info!(%peer, "no TLS handshake in time");
        }
        Ok(Err(_)) | Err(_) => {}
    }
    None
}

/// One connection from its first byte to its last.
async fn attend(stream: Wire, peer: IpAddr, door: &Door, mut phases: watch::Receiver<Phase>) {
    let (tls, certificate) = (stream.is_secured(), stream.peer_certificate());
    let received = tokio::select! {
        received = receive_request(stream, &door.limits.association) => received,
        () = reached(&mut phases, Phase::Draining) => return,
    };
    let pending = match received {
        Ok(pending) => pending,
        Err(error) if error.is_probe() => {
            tracing::debug!(%peer, "connected and closed");
            return;
        }
        Err(error) => {
            if door.room.may_tell(peer) {
                tracing::info!(%peer, %error, "no association");
            }
            return;
        }
    };
    let claim = pending.peer().claim.clone();
    let secured = Secured { tls, certificate, claim };
    let caller = match admit(&pending, peer, &secured, door) {
        Ok(caller) => caller,
        Err(rejection) => return turn_away(pending, door, peer, rejection).await,
    };
    let Ok(permit) = Arc::clone(&door.room.associations).try_acquire_owned() else {
        return turn_away(pending, door, peer, Rejection::LocalLimit).await;
    };
    let policy = &caller.admitted.policy;
    let Some(place) = door.room.place_for(policy, peer) else {
        return turn_away(pending, door, peer, Rejection::LocalLimit).await;
    };
    let offer = SenderOffer { door: door.offer, policy };
    let mut association = match pending.accept(&offer).await {
        Ok(association) => association,
        Err(error) => {
            if door.room.may_tell(peer) {
                tracing::info!(%peer, %error, "no association");
            }
            return;
        }
    };
    let mut tally = Tally::default();
    let mut session = Session { door, caller: &caller, tally: &mut tally, owed: Vec::new() };
    let mut stop = phases.clone();
    let ending = tokio::select! {
        ending = converse(&mut association, &mut session, &mut phases) => ending,
        () = reached(&mut stop, Phase::Stopped) => Ending::Shutdown,
    };
    session.tell_later();
    // Its place is free before the peer has closed.
    drop((permit, place));
    // One that brought an instance is told in any case.
    if tally.stored > 0 || door.room.may_tell(peer) {
        log_end(&caller, tally, &ending);
    }
    end(association, ending).await;
}

/// Commands and answers until the peer releases, something fails, or a
/// shutdown is asked for between two messages.
pub(super) async fn converse<S: Transport>(
    association: &mut Association<S>,
    session: &mut Session<'_>,
    phases: &mut watch::Receiver<Phase>,
) -> Ending {
    let idle = session.caller.admitted.policy.idle.unwrap_or(association.idle_wait());
    loop {
        let received = tokio::select! {
            biased;
            () = reached(phases, Phase::Draining) => return Ending::Shutdown,
            received = association.next_command(idle) => received,
        };
        let answered = match received {
            Ok(Some(message)) => session.answer(association, message).await,
            Ok(None) => return Ending::Released,
            Err(error) => Err(error),
        };
        if let Err(error) = answered {
            return Ending::Failed(error);
        }
    }
}

async fn end(association: Association<Wire>, ending: Ending) {
    match ending {
        Ending::Released => association.accept_release().await,
        Ending::Shutdown => {
            let source = AbortRQSource::ServiceProvider(AbortReason::ReasonNotSpecified);
            association.abort(source).await;
        }
        Ending::Failed(error) => association.fail(&error).await,
    }
}

fn admit(
    pending: &Pending<Wire>,
    peer: IpAddr,
    secured: &Secured,
    door: &Door,
) -> Result<Caller, Rejection> {
    let asking = pending.peer();
    let admitted = door.admission.admit(&asking.called, &asking.calling, peer, secured);
    let admitted = admitted.map_err(|refusal| match refusal {
        Refusal::UnknownCalling => Rejection::CallingAe,
        Refusal::UnknownCalled => Rejection::CalledAe,
        Refusal::UnknownUser => Rejection::UserIdentity,
        Refusal::Congested => Rejection::Congested,
    })?;
    tracing::debug!(user_identity = ?secured.claim.as_ref().map(|claim| claim.kind), "association admitted");
    let (calling, called) = (asking.calling.clone(), asking.called.clone());
    Ok(Caller { admitted, calling, called, peer })
}

async fn turn_away(pending: Pending<Wire>, door: &Door, peer: IpAddr, rejection: Rejection) {
    let asking = pending.peer();
    if door.room.may_tell(peer) {
        tracing::info!(
            %peer, calling = %asking.calling, called = %asking.called, reason = %rejection,
            user_identity = ?asking.claim.as_ref().map(|claim| claim.kind),
            "association rejected"
        );
    }
    pending.reject(rejection).await;
}

fn log_end(caller: &Caller, tally: Tally, ending: &Ending) {
    let ended = match ending {
        Ending::Released => String::from("released"),
        Ending::Shutdown => String::from("aborted for shutdown"),
        Ending::Failed(error) => error.to_string(),
    };
    tracing::info!(
        peer = %caller.peer, calling = %caller.calling, called = %caller.called,
        project = %caller.admitted.project, stored = tally.stored, refused = tally.refused,
        echoes = tally.echoes, bytes = tally.bytes, ended, "association ended"
    );
}
