//! The byte stream under an association: TCP, TLS over it, memory in tests.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpStream;

/// A connected byte stream.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {
    /// Called before each read; a TCP socket arms its quick acknowledgement.
    fn before_read(&self) {}
}

impl Transport for TcpStream {
    /// Senders that leave Nagle's algorithm on (DCMTK's default) hold back the
    /// end of each message until the last segment is acknowledged; a delayed
    /// acknowledgement then costs 40 ms an instance. Linux falls back to
    /// delayed ones by itself, so this is set anew each time.
    fn before_read(&self) {
        #[cfg(target_os = "linux")]
        if let Err(error) = rustix::net::sockopt::set_tcp_quickack(self, true) {
            tracing::debug!(%error, "no quick acknowledgement");
        }
    }
}

impl Transport for DuplexStream {}

/// How long a connection is silent before TCP asks whether the peer is still
/// there. Default 2 min: firewalls forget after 5.
const KEEP_ALIVE: Duration = Duration::from_secs(120);

/// Switches Nagle's algorithm off, since our answers are whole messages, and
/// keep-alive on: carts leave associations open for hours.
pub fn tune(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "Nagle's algorithm stays on");
    }
    let keeps = rustix::net::sockopt::set_socket_keepalive(stream, true)
        .and_then(|()| rustix::net::sockopt::set_tcp_keepidle(stream, KEEP_ALIVE));
    if let Err(error) = keeps {
        tracing::debug!(%error, "no keep-alive");
    }
}
