//! Start and stop: one flag that everybody watches, set by SIGTERM or SIGINT.
//!
//! Invariant: after [`Stop::stop`] nothing new is begun; what was begun ends
//! or is left in a state that the next start takes up.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use tokio::sync::watch;

/// The flag's reading end; cheap to clone.
#[derive(Debug, Clone)]
pub struct Stopping {
    flag: watch::Receiver<bool>,
}

/// The flag's writing end.
#[derive(Debug)]
pub struct Stop {
    flag: watch::Sender<bool>,
}

/// A new flag, not set.
#[must_use]
pub fn stop_flag() -> (Stop, Stopping) {
    let (sender, receiver) = watch::channel(false);
    (Stop { flag: sender }, Stopping { flag: receiver })
}

impl Stop {
    /// Sets the flag.
    pub fn stop(&self) {
        self.flag.send_replace(true);
    }
}

impl Stopping {
    /// The flag is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self.flag.borrow()
    }

    /// The flag as a plain watch, for modules that know nothing of us.
    #[must_use]
    pub fn flag(&self) -> watch::Receiver<bool> {
        self.flag.clone()
    }

    /// Returns once the flag is set (or its writer is gone).
    pub async fn wait(&mut self) {
        // An error means that the writer is gone: nobody will set it any more.
        drop(self.flag.wait_for(|set| *set).await);
    }
}

/// Returns at the first SIGTERM or SIGINT.
///
/// # Errors
/// The system refuses a handler: the program ends, since it could not be stopped cleanly.
pub async fn asked_to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Tells the service manager how far the node is (`sd_notify`): `READY=1`,
/// `STOPPING=1`. Does nothing where none asked for it by `NOTIFY_SOCKET`.
pub fn notify(state: &str) {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let sent = socket_address(&name).and_then(|address| {
        let socket = UnixDatagram::unbound()?;
        socket.send_to_addr(state.as_bytes(), &address)
    });
    if let Err(error) = sent {
        tracing::warn!(%error, state, "the service manager was not told");
    }
}

/// A path, or a name without one that begins with `@`.
fn socket_address(name: &OsStr) -> std::io::Result<SocketAddr> {
    match name.as_bytes().split_first() {
        Some((b'@', rest)) => SocketAddr::from_abstract_name(rest),
        _ => SocketAddr::from_pathname(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_set_flag_is_seen_by_all_who_wait() {
        let (stop, stopping) = stop_flag();
        let mut waiting = stopping.clone();
        assert!(!stopping.is_set());
        stop.stop();
        waiting.wait().await;
        assert!(stopping.is_set());
    }
}
