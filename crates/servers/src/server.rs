//! What the three kinds of server have in common, and the watch that restarts a dead one.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{Progress, Result};

/// How a start ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// The folder's own server was running already.
    Adopted,
    /// It was started now.
    Fresh,
}

/// A private server in a folder of its own.
#[async_trait]
pub trait Server: Send + Sync {
    /// Its name for people.
    fn name(&self) -> &'static str;

    /// Whether the folder's server process runs. Cheap: looks at a file and the process table.
    fn is_alive(&self) -> bool;

    /// Installs the programs if they are missing, then adopts the running server or starts it, and
    /// returns once it takes connections. A remembered port that another program took is replaced.
    ///
    /// # Errors
    /// [`crate::Error`], naming cause and fix.
    async fn start(&self, progress: &Progress) -> Result<Started>;

    /// As [`Server::start`], but keeps the port, because clients already know it.
    ///
    /// # Errors
    /// [`crate::Error`], naming cause and fix.
    async fn revive(&self, progress: &Progress) -> Result<Started>;

    /// Stops it in order and waits until its processes are gone. `false`: it did not run.
    ///
    /// # Errors
    /// [`crate::Error`], naming cause and fix.
    async fn stop(&self, progress: &Progress) -> Result<bool>;
}

/// Restarts the server whenever it is found dead, until `shutdown`: at once, then with pauses that double up to 10 s.
pub fn watch(server: Arc<dyn Server>, progress: Progress, shutdown: CancellationToken) -> JoinHandle<()> {
    const LOOK_EVERY: Duration = Duration::from_millis(250);
    const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
    const LONGEST_PAUSE: Duration = Duration::from_secs(10);
    tokio::spawn(async move {
        let mut pause = SHORTEST_PAUSE;
        let mut wait = LOOK_EVERY;
        while shutdown.run_until_cancelled(tokio::time::sleep(wait)).await.is_some() {
            wait = LOOK_EVERY;
            if server.is_alive() {
                pause = SHORTEST_PAUSE;
                continue;
            }
            let name = server.name();
            progress.step(format!("{name} died: starting it again"));
            let Some(outcome) = shutdown.run_until_cancelled(server.revive(&progress)).await else {
                break;
            };
            match outcome {
                Ok(_) => progress.step(format!("{name} runs again")),
                Err(error) => {
                    progress.step(format!("cannot restart {name}: {error}"));
                    wait = pause;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    })
}
