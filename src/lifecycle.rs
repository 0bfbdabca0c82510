//! Start and stop: one flag that everybody watches, set by SIGTERM or SIGINT.
//!
//! Invariant: after [`Stop::stop`] nothing new is begun; what was begun ends
//! or is left in a state that the next start takes up.

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
