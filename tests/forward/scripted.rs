//! A Storage SCP on loopback that does what it is told, and remembers what it saw.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use airlock::dicom::{TransferSyntax, Uid};
use airlock::dimse::association::Message;
use airlock::dimse::association::acceptor::receive_request;
use airlock::dimse::association::negotiation::{Offer, Rejection};
use airlock::dimse::command::{C_ECHO_RQ, Remark};
use airlock::dimse::scu::{Address, VERIFICATION};
use airlock::dimse::{Association, AssociationError, CommandSet, Limits};
use dicom_ul::pdu::AbortRQSource;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

pub(crate) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(crate) const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub(crate) const IMPLICIT: &str = "1.2.840.10008.1.2";
pub(crate) const JPEG: &str = "1.2.840.10008.1.2.4.50";

/// Longest wait for a command on an association.
const IDLE: Duration = Duration::from_secs(60);

/// What the destination does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Answers C-STORE with this status.
    Answer(u16),
    /// Closes before the A-ASSOCIATE-RQ.
    CloseOnConnect,
    /// Takes the A-ASSOCIATE-RQ and says nothing.
    SilentOnConnect,
    RejectTransient,
    RejectPermanent,
    /// A-ABORT, or the end, in place of the A-ASSOCIATE-AC.
    AbortRequest,
    CloseOnRequest,
    /// The same after it.
    AbortAccepted,
    CloseAccepted,
    /// The same after the first piece of a data set; or reads no more.
    AbortInside,
    CloseInside,
    StallInside,
    /// The same after the last piece; or never answers.
    AbortBeforeResponse,
    CloseBeforeResponse,
    SilentBeforeResponse,
    /// Answers by A-RELEASE-RQ, for another message, or without a status.
    ReleaseBeforeResponse,
    OtherMessage,
    NoStatus,
    /// Takes neither class; the class in no syntax; Explicit VR Little Endian alone.
    NoClass,
    NoSyntax,
    OnlyExplicit,
    /// Answers C-STORE with A700, and takes no C-ECHO.
    FullWithoutEcho,
}

/// What it saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Connected(Instant),
    Associated,
    Echo,
    /// The command of a C-STORE: its instance.
    Asked(String),
    /// A whole data set: its instance, and its bytes.
    Store(String, Vec<u8>),
    Released,
}

#[derive(Debug)]
struct State {
    /// What is done with the next C-STOREs.
    next: VecDeque<Act>,
    /// And with all others.
    standing: Act,
    /// To this instance alone.
    only: Option<String>,
    syntaxes: Vec<&'static str>,
    events: Vec<Event>,
    /// Before it has stored one.
    delay: Duration,
    /// More associations at once it rejects as transient.
    at_once_max: usize,
    at_once: usize,
    most_at_once: usize,
}

/// A scripted destination; it ends with its runtime.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    pub(crate) address: Address,
    state: Arc<Mutex<State>>,
}

/// A port that is taken, and on which nobody listens yet.
pub(crate) fn closed_port() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket
}

impl Scripted {
    /// One that does this with every C-STORE.
    pub(crate) fn start(standing: Act) -> Self {
        let socket = closed_port();
        let scripted = Self::at(&socket, standing);
        scripted.open(socket);
        scripted
    }

    /// One that is not there until it is opened.
    pub(crate) fn at(socket: &TcpSocket, standing: Act) -> Self {
        let address = Address {
            called: "RESEARCH".parse().unwrap(),
            calling: "AIRLOCK".parse().unwrap(),
            host: "localhost".into(),
            port: socket.local_addr().unwrap().port(),
            tls: None,
        };
        let state = State {
            next: VecDeque::new(),
            standing,
            only: None,
            syntaxes: vec![EXPLICIT, IMPLICIT, JPEG],
            events: Vec::new(),
            delay: Duration::ZERO,
            at_once_max: usize::MAX,
            at_once: 0,
            most_at_once: 0,
        };
        Self { address, state: Arc::new(Mutex::new(state)) }
    }

    pub(crate) fn open(&self, socket: TcpSocket) {
        let (listener, here) = (socket.listen(64).unwrap(), self.clone());
        tokio::spawn(async move {
            while let Ok((stream, _from)) = listener.accept().await {
                let here = here.clone();
                tokio::spawn(async move { here.attend(stream).await });
            }
        });
    }

    /// What it does with the next C-STOREs, before it goes on as it did.
    pub(crate) fn then(self, next: impl IntoIterator<Item = Act>) -> Self {
        self.state().next.extend(next);
        self
    }

    pub(crate) fn taking(self, syntaxes: &[&'static str]) -> Self {
        self.state().syntaxes = syntaxes.to_vec();
        self
    }

    /// Takes so long for each C-STORE.
    pub(crate) fn delaying(self, delay: Duration) -> Self {
        self.state().delay = delay;
        self
    }

    /// From now on takes no more associations at once than these.
    pub(crate) fn limit(&self, at_once_max: usize) {
        self.state().at_once_max = at_once_max;
    }

    /// Associations that are open.
    #[allow(dead_code, reason = "one of the programs that share this does not ask")]
    pub(crate) fn at_once(&self) -> usize {
        self.state().at_once
    }

    /// Most associations that were open at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state().most_at_once
    }

    /// Does what it does with this instance alone, and stores all others.
    pub(crate) fn only(self, instance: &str) -> Self {
        self.state().only = Some(instance.to_owned());
        self
    }

    /// From now on.
    pub(crate) fn behave(&self, standing: Act) {
        self.state().standing = standing;
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    pub(crate) fn count(&self, event: impl Fn(&Event) -> bool) -> usize {
        self.state().events.iter().filter(|one| event(one)).count()
    }

    pub(crate) fn associations(&self) -> usize {
        self.count(|event| *event == Event::Associated)
    }

    /// Instance and bytes of each C-STORE that came whole.
    pub(crate) fn stores(&self) -> Vec<(String, Vec<u8>)> {
        let of = |event| match event {
            Event::Store(instance, bytes) => Some((instance, bytes)),
            Event::Connected(_)
            | Event::Associated
            | Event::Echo
            | Event::Asked(_)
            | Event::Released => None,
        };
        self.events().into_iter().filter_map(of).collect()
    }

    /// How often it was to store an instance.
    pub(crate) fn tries_of(&self, instance: &str) -> usize {
        self.count(|event| matches!(event, Event::Asked(one) if one == instance))
    }

    /// When each connection came.
    pub(crate) fn connections(&self) -> Vec<Instant> {
        let of = |event| match event {
            Event::Connected(at) => Some(at),
            Event::Store(..)
            | Event::Associated
            | Event::Echo
            | Event::Asked(_)
            | Event::Released => None,
        };
        self.events().into_iter().filter_map(of).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn note(&self, event: Event) {
        self.state().events.push(event);
    }

    /// What is done with this C-STORE.
    fn act_on(&self, instance: &str) -> Act {
        let mut state = self.state();
        let standing = state.standing;
        let meant = state.only.as_ref().is_none_or(|only| only == instance);
        let standing = if meant { standing } else { Act::Answer(0) };
        state.next.pop_front().unwrap_or(standing)
    }

    async fn attend(&self, mut stream: TcpStream) {
        self.note(Event::Connected(Instant::now()));
        let standing = self.state().standing;
        match standing {
            Act::CloseOnConnect => return,
            Act::SilentOnConnect => return until_closed(stream).await,
            Act::AbortRequest | Act::CloseOnRequest => {
                read_pdu(&mut stream).await;
                if standing == Act::AbortRequest {
                    stream.write_all(&[7, 0, 0, 0, 0, 4, 0, 0, 0, 0]).await.ok();
                    until_closed(stream).await;
                }
                return;
            }
            _ => {}
        }
        let Ok(pending) = receive_request(stream, &Limits::default()).await else { return };
        let full = !self.enter();
        let rejection = match standing {
            _ if full => Some(Rejection::Congested),
            Act::RejectTransient => Some(Rejection::Congested),
            Act::RejectPermanent => Some(Rejection::CallingAe),
            _ if pending.peer().called != self.address.called => Some(Rejection::CalledAe),
            _ => None,
        };
        if let Some(rejection) = rejection {
            if !full {
                self.state().at_once -= 1;
            }
            return pending.reject(rejection).await;
        }
        let takes = Takes { standing, syntaxes: self.state().syntaxes.clone() };
        let association = pending.accept(&takes).await.unwrap();
        self.note(Event::Associated);
        match standing {
            Act::AbortAccepted => association.abort(AbortRQSource::ServiceUser).await,
            Act::CloseAccepted => {}
            _ => self.converse(association).await,
        }
        self.state().at_once -= 1;
    }

    fn enter(&self) -> bool {
        let mut state = self.state();
        if state.at_once >= state.at_once_max {
            return false;
        }
        state.at_once += 1;
        state.most_at_once = state.most_at_once.max(state.at_once);
        true
    }

    async fn converse(&self, mut association: Association<TcpStream>) {
        loop {
            let message = match association.next_command(IDLE).await {
                Ok(Some(message)) => message,
                Ok(None) => {
                    self.note(Event::Released);
                    return association.accept_release().await;
                }
                Err(error) => return association.fail(&error).await,
            };
            if message.command.field() == C_ECHO_RQ {
                self.note(Event::Echo);
                let answer = message.command.response(0, Remark::default());
                association.send_command(message.context_id, &answer).await.ok();
                continue;
            }
            let instance = message.command.instance().unwrap().to_string();
            self.note(Event::Asked(instance.clone()));
            let act = self.act_on(&instance);
            let bytes = match data_set(&mut association, message.context_id, act).await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return leave(association, act).await,
                Err(error) => return association.fail(&error).await,
            };
            let delay = self.state().delay;
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            self.note(Event::Store(instance, bytes));
            match answer(&message, act) {
                Some(answer) => {
                    if association.send_command(message.context_id, &answer).await.is_err() {
                        return;
                    }
                }
                None => return leave(association, act).await,
            }
        }
    }
}

/// What it accepts in an association.
struct Takes {
    standing: Act,
    syntaxes: Vec<&'static str>,
}

impl Offer for Takes {
    fn takes_class(&self, class: &Uid) -> bool {
        match self.standing {
            Act::NoClass => class.as_str() == VERIFICATION,
            Act::FullWithoutEcho => class.as_str() == CT,
            _ => [CT, VERIFICATION].contains(&class.as_str()),
        }
    }

    fn rank(&self, transfer_syntax: &TransferSyntax) -> Option<u32> {
        let syntax = transfer_syntax.as_str();
        match self.standing {
            Act::NoSyntax => None,
            Act::OnlyExplicit => (syntax == EXPLICIT).then_some(0),
            _ => self.syntaxes.iter().position(|known| *known == syntax)?.try_into().ok(),
        }
    }
}

/// The whole data set; `None` when the act ends it after its first piece.
async fn data_set(
    association: &mut Association<TcpStream>,
    context_id: u8,
    act: Act,
) -> Result<Option<Vec<u8>>, AssociationError> {
    let mut bytes = Vec::new();
    loop {
        let piece = association.next_piece(context_id).await?;
        bytes.extend(piece.bytes);
        if matches!(act, Act::AbortInside | Act::CloseInside | Act::StallInside) {
            return Ok(None);
        }
        if piece.is_last {
            return Ok(Some(bytes));
        }
    }
}

/// The response, where the act has one.
fn answer(message: &Message, act: Act) -> Option<CommandSet> {
    let command = &message.command;
    match act {
        Act::Answer(status) => Some(command.response(status, Remark::default())),
        Act::FullWithoutEcho => Some(command.response(0xA700, Remark::default())),
        Act::OtherMessage => {
            let (class, instance) = (command.class().unwrap(), command.instance().unwrap());
            let other = command.message_id().unwrap().wrapping_add(1);
            let other = CommandSet::store_request(other, &class, &instance);
            Some(other.response(0, Remark::default()))
        }
        Act::NoStatus => {
            let mut bytes = command.response(0, Remark::default()).encode();
            let at = bytes.windows(4).position(|tag| tag == [0, 0, 0, 9]).unwrap();
            bytes.drain(at..at + 10);
            Some(CommandSet::decode(&bytes).unwrap())
        }
        _ => None,
    }
}

/// How it leaves an association that it does not go on with.
async fn leave(mut association: Association<TcpStream>, act: Act) {
    match act {
        Act::AbortInside | Act::AbortBeforeResponse => {
            association.abort(AbortRQSource::ServiceUser).await;
        }
        Act::ReleaseBeforeResponse => {
            association.release().await.ok();
        }
        Act::StallInside => std::future::pending().await,
        Act::SilentBeforeResponse => {
            // Until the other side gives up.
            association.next_command(IDLE).await.ok();
        }
        _ => {}
    }
}

async fn read_pdu(stream: &mut TcpStream) {
    let mut header = [0; 6];
    stream.read_exact(&mut header).await.unwrap();
    let body_bytes = u32::from_be_bytes(header[2..].try_into().unwrap());
    let mut body = vec![0; usize::try_from(body_bytes).unwrap()];
    stream.read_exact(&mut body).await.unwrap();
}

async fn until_closed(mut stream: TcpStream) {
    let mut bytes = [0; 4_096];
    while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
}
