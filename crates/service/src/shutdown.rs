//! Orderly shutdown: one signal, all tasks counted, a deadline for the rest.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Tells every task to finish, and waits until they have. Clones share the same state.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    token: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// Nothing runs yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when shutdown begins: stop taking, finish what is in flight.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Begins the shutdown.
    pub fn begin(&self) {
        self.token.cancel();
    }

    /// Whether the shutdown has begun.
    pub fn is_draining(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Runs a task that the shutdown waits for; it should end soon after [`Shutdown::token`] is cancelled.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(
            async move {
                task.await;
                tracing::debug!("task ended");
            }
            .instrument(tracing::error_span!("task", task = name)),
        );
    }

    /// Begins the shutdown and waits until all tasks have ended; `false` if the deadline passed before.
    pub async fn wait(&self, deadline: Duration) -> bool {
        self.begin();
        self.tasks.close();
        tokio::time::timeout(deadline, self.tasks.wait()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waits_for_tasks_that_listen() {
        let shutdown = Shutdown::new();
        let token = shutdown.token();
        shutdown.spawn("listener", async move { token.cancelled().await });
        assert!(!shutdown.is_draining());
        assert!(shutdown.wait(Duration::from_secs(5)).await);
        assert!(shutdown.is_draining());
    }

    #[tokio::test]
    async fn gives_up_at_the_deadline() {
        let shutdown = Shutdown::new();
        shutdown.spawn("deaf", std::future::pending());
        assert!(!shutdown.wait(Duration::from_millis(5)).await);
    }
}
