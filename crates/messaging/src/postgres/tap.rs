//! A short-lived queue that one process reads.

use std::time::Duration;

use events::Envelope;
use events::topology::{EVENTS, Exchange};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::{PostgresTransport, SWEEP};
use crate::transport::{Tapped, TransportError};

/// Events that a tap holds for a slow listener; more wait in its queue.
const TAPPED_AHEAD: usize = 1000;
/// Events read at once.
const BATCH: i32 = 500;

const OPEN: &str = "SELECT messaging.open_tap($1, $2, $3)";
const DRAIN: &str = "SELECT body FROM messaging.drain($1, $2) ORDER BY id";

/// A short-lived queue of this process. A task of its own empties it, so that dropping
/// [`PostgresTap::next`] half-way loses nothing.
pub(crate) struct PostgresTap {
    tapped: mpsc::Receiver<Tapped>,
    _end: DropGuard,
}

impl PostgresTap {
    pub fn open(transport: PostgresTransport, exchanges: &[Exchange]) -> PostgresTap {
        let queue = format!("gateway.{}.{}", exchanges.first().map_or("events", |e| e.name()), Uuid::new_v4().simple());
        let (tell, tapped) = mpsc::channel(TAPPED_AHEAD);
        let end = CancellationToken::new();
        let pipe = Pipe { transport, queue, exchanges: exchanges.to_vec(), tell };
        tokio::spawn(end.clone().run_until_cancelled_owned(pipe.run()));
        PostgresTap { tapped, _end: end.drop_guard() }
    }

    pub async fn next(&mut self) -> Tapped {
        match self.tapped.recv().await {
            Some(tapped) => tapped,
            None => std::future::pending().await, // only while the runtime shuts down
        }
    }
}

struct Pipe {
    transport: PostgresTransport,
    queue: String,
    exchanges: Vec<Exchange>,
    tell: mpsc::Sender<Tapped>,
}

impl Pipe {
    /// Opens the tap, tells of a gap, hands out what comes; and again, whenever that is interrupted.
    async fn run(self) {
        let mut delay = Duration::from_millis(100);
        loop {
            let error = match self.open().await {
                Ok(()) => {
                    delay = Duration::from_millis(100);
                    let Err(error) = self.pour().await else { return };
                    error
                }
                Err(error) => error,
            };
            tracing::debug!(%error, "the live view of events is interrupted");
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(Duration::from_secs(2));
        }
    }

    async fn open(&self) -> Result<(), TransportError> {
        let (exchanges, keys): (Vec<&str>, Vec<&str>) = EVENTS
            .iter()
            .filter(|event| self.exchanges.contains(&event.exchange))
            .map(|event| (event.exchange.name(), event.routing_key))
            .unzip();
        let db = self.transport.database.read().await?;
        db.execute(OPEN, &[&self.queue, &exchanges, &keys]).await?;
        Ok(())
    }

    /// Read and deleted by one statement: if its answer is lost, so is the connection, and the gap is told.
    /// `Ok`: nobody listens any more.
    async fn pour(&self) -> Result<(), TransportError> {
        let wake = self.transport.wakes.of(&self.queue);
        if self.tell.send(Tapped::Gap).await.is_err() {
            return Ok(());
        }
        loop {
            let rows = self.transport.database.read().await?.query(DRAIN, &[&self.queue, &BATCH]).await?;
            // Only the durable queues park what cannot be read.
            for envelope in rows.iter().filter_map(|row| Envelope::parse(row.get::<_, &str>("body").as_bytes()).ok()) {
                if self.tell.send(Tapped::Event(Box::new(envelope))).await.is_err() {
                    return Ok(());
                }
            }
            if rows.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                // No hint: look nevertheless.
                if tokio::time::timeout(SWEEP, wake.notified()).await.is_err() {
                    self.transport.sweep().await?;
                }
            }
        }
    }
}
