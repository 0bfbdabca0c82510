//! Steps that block, off the runtime's threads.

use super::node::NodeError;

/// Why a step has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Ended {
    /// The runtime ends.
    #[error("the node is stopping")]
    Stopping,
    /// It panicked. What it said is told nowhere: it may quote a value.
    #[error("a fault of the program ended the step")]
    Fault,
}

impl From<Ended> for NodeError {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Stopping => Self::Stopping,
            Ended::Fault => Self::Unusable { what: ended.to_string() },
        }
    }
}

/// Runs a step on a thread that may block; in a simulation at once, in the order
/// that its seed gives.
///
/// # Errors
/// [`Ended`].
pub(super) async fn blocking<T: Send + 'static>(
    step: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Ended> {
    #[cfg(test)]
    if crate::simulated::is_on() {
        crate::simulated::pause().await;
        return Ok(step());
    }
    let done = tokio::task::spawn_blocking(step).await;
    done.map_err(|error| if error.is_panic() { Ended::Fault } else { Ended::Stopping })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_without_its_words() {
        let ended = blocking(|| panic!("DOE^JANE")).await.map(|(): ()| ()).unwrap_err();
        assert_eq!(ended, Ended::Fault);
        let error = NodeError::from(ended);
        assert!(!error.to_string().contains("DOE") && !matches!(error, NodeError::Stopping));
    }
}
