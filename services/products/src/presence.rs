//! Who else writes this database: whether copies in this process can be trusted.
//!
//! Each process of the service holds a lock together with the others, for as long as it writes. One that gets it for
//! itself alone is the only one: its changes are the only changes, and it may keep copies. When another comes, which
//! waits for the lock before it writes, it lets go of its copies, then of the lock. All of it happens in one session
//! of the database: with the session, the lock is gone, and with its answers, the trust.
//!
//! Where copies are versioned in Redis nobody minds who is alone, but the lock is held all the same.

use std::time::{Duration, Instant};

use cache::Backend;
use database::{Connection, Database};
use service::Error;
use tokio_util::sync::CancellationToken;

use crate::repository::presence;

/// How often the session is asked.
const TICK: Duration = Duration::from_millis(200);
/// How long an answer is believed.
const LEASE: Duration = Duration::from_secs(1);
/// How long a process is alone before it keeps copies: another that lost its session has noticed by then.
const GRACE: Duration = Duration::from_secs(1);

/// A session that holds the lock with others.
pub struct Presence(Connection);

impl Presence {
    /// Waits until no other process relies on being alone.
    pub async fn join(database: &Database) -> Result<Presence, Error> {
        let session = database.read().await?;
        presence::join(&session).await?;
        Ok(Presence(session))
    }

    /// Lets go of every lock; without it they would live on in the pool.
    pub async fn leave(self) -> Result<(), Error> {
        presence::leave(&self.0).await
    }

    /// Trusts `backend` while this process is alone, until `shutdown`. Errors: the session is gone.
    async fn watch(&self, backend: &Backend, shutdown: &CancellationToken) -> Result<(), Error> {
        let mut alone_since = None;
        while !shutdown.is_cancelled() {
            let asked = Instant::now();
            match alone_since {
                None if presence::claim(&self.0).await? => alone_since = Some(asked),
                None => {}
                Some(_) if presence::is_wanted(&self.0).await? => {
                    backend.distrust();
                    presence::share(&self.0).await?;
                    alone_since = None;
                }
                Some(since) if since.elapsed() >= GRACE => backend.trust_for(asked, LEASE),
                Some(_) => {}
            }
            // Between two questions, not within one: who breaks off a question loses the session.
            shutdown.run_until_cancelled(tokio::time::sleep(TICK)).await;
        }
        Ok(())
    }
}

/// Holds the lock until `shutdown`, in one session after the other; `held` is the first.
pub async fn keep(database: &Database, backend: &Backend, mut held: Option<Presence>, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        let ended = hold(database, backend, held.take(), shutdown).await;
        backend.distrust();
        if let Err(error) = ended {
            tracing::warn!(?error, "the session that tells other processes of this one ended; a new one is opened");
            shutdown.run_until_cancelled(tokio::time::sleep(TICK)).await;
        }
    }
}

async fn hold(
    database: &Database,
    backend: &Backend,
    held: Option<Presence>,
    shutdown: &CancellationToken,
) -> Result<(), Error> {
    let presence = match held {
        Some(presence) => presence,
        None => match shutdown.run_until_cancelled(Presence::join(database)).await {
            Some(joined) => joined?,
            None => return Ok(()),
        },
    };
    presence.watch(backend, shutdown).await?;
    presence.leave().await
}
