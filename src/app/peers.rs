//! Peers and their TLS from the configuration.

use super::opened::AppError;
use crate::config::{DoorTls, Peer, PeerTls, PeerTrust};
use crate::dimse::scu::Address;
use crate::dimse::tls::{ClientAuth, ClientTls, Identity, ServerTrust, TlsServer};

/// The door's side.
///
/// # Errors
/// [`AppError::Tls`]: a file cannot be read, or they are no use together.
pub fn door_tls(tls: &DoorTls) -> Result<TlsServer, AppError> {
    let identity = Identity { certificate: tls.certificate.clone(), key: tls.key_file.clone() };
    let clients = match &tls.authorities {
        None => ClientAuth::None,
        Some(path) => ClientAuth::Required(path.clone()),
    };
    Ok(TlsServer::new(identity, clients)?)
}

/// Where a destination is, and what the connection is secured with.
#[must_use]
pub fn address_of(peer: &Peer) -> Address {
    Address {
        called: peer.called.clone(),
        calling: peer.calling.clone(),
        host: peer.host.clone(),
        port: peer.port,
        tls: peer.tls.as_ref().map(client_tls),
    }
}

/// A destination's side.
fn client_tls(tls: &PeerTls) -> ClientTls {
    ClientTls {
        trust: match &tls.trust {
            PeerTrust::Authorities(path) => ServerTrust::Authorities(path.clone()),
            PeerTrust::Certificate(fingerprint) => ServerTrust::Pinned(*fingerprint),
        },
        identity: tls.identity.as_ref().map(|(certificate, key)| Identity {
            certificate: certificate.clone(),
            key: key.clone(),
        }),
        server_name: tls.server_name.clone(),
    }
}
