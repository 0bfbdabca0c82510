//! Steps that block, off the runtime's threads.

use tokio::task::JoinError;

/// Runs a step on a thread that may block; in a simulation at once, in the order
/// that its seed gives.
///
/// # Errors
/// The runtime ends, or the step panicked.
pub(super) async fn blocking<T: Send + 'static>(
    step: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    #[cfg(test)]
    if crate::simulated::is_on() {
        crate::simulated::pause().await;
        return Ok(step());
    }
    tokio::task::spawn_blocking(step).await
}
