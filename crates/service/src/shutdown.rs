//! Orderly shutdown: one signal, all tasks counted, a deadline for the rest.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Whoever stops a process learns what it waits for after the first, and again after each of the second.
const FIRST_WORD: Duration = Duration::from_secs(1);
const NEXT_WORD: Duration = Duration::from_secs(5);

/// Tells every task to finish, and waits until they have. Clones share the same state.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    token: CancellationToken,
    tasks: TaskTracker,
    running: Running,
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
    pub fn spawn<F>(&self, name: impl Into<Cow<'static, str>>, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let name = name.into();
        let span = tracing::error_span!("task", task = %name);
        let entry = self.running.enter(name);
        self.tasks.spawn(
            async move {
                task.await;
                drop(entry);
                tracing::debug!("task ended");
            }
            .instrument(span),
        );
    }

    /// Begins the shutdown and waits until all tasks have ended; `false` if the deadline passed before.
    pub async fn wait(&self, deadline: Duration) -> bool {
        self.begin();
        self.tasks.close();
        let ended = tokio::time::timeout(deadline, self.tasks.wait());
        let tell = || tracing::info!(tasks = self.running.names(), "draining: these tasks are not done yet");
        telling(ended, tell).await.is_ok()
    }
}

/// Waits, and tells now and then what for.
pub(crate) async fn telling<F: Future>(waiting: F, tell: impl Fn()) -> F::Output {
    let mut waiting = pin!(waiting);
    let mut words = tokio::time::interval_at(tokio::time::Instant::now() + FIRST_WORD, NEXT_WORD);
    loop {
        tokio::select! {
            biased;
            ended = &mut waiting => return ended,
            _ = words.tick() => tell(),
        }
    }
}

/// How many tasks of each name run.
#[derive(Clone, Debug, Default)]
struct Running(Arc<Mutex<BTreeMap<Cow<'static, str>, usize>>>);

/// A task that runs until this is dropped.
struct Entry {
    running: Running,
    name: Cow<'static, str>,
}

impl Running {
    fn enter(&self, name: Cow<'static, str>) -> Entry {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name.clone()).or_default() += 1;
        Entry { running: self.clone(), name }
    }

    fn names(&self) -> String {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = |(name, count): (&Cow<'static, str>, &usize)| match count {
            1 => name.to_string(),
            _ => format!("{name} × {count}"),
        };
        running.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut running = self.running.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.name);
            }
        }
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
    async fn knows_what_it_waits_for() {
        let shutdown = Shutdown::new();
        let token = shutdown.token();
        shutdown.spawn("done", async {});
        shutdown.spawn("panicked", async { panic!("as it is meant to") });
        shutdown.spawn("relay", std::future::pending());
        shutdown.spawn("consumer".to_owned(), std::future::pending());
        shutdown.spawn("consumer", async move { token.cancelled().await });
        assert_eq!(shutdown.running.names(), "consumer × 2, done, panicked, relay");
        assert!(!shutdown.wait(Duration::from_millis(50)).await);
        assert_eq!(shutdown.running.names(), "consumer, relay");
    }

    #[tokio::test]
    async fn gives_up_at_the_deadline() {
        let shutdown = Shutdown::new();
        shutdown.spawn("deaf", std::future::pending());
        assert!(!shutdown.wait(Duration::from_millis(5)).await);
    }
}
