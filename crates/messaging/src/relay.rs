//! The relay: the one place from which events leave a service.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use database::outbox::{self, Attempt, Claimed};
use database::{Database, Error};
use events::EventId;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::delivery::{Outgoing, PublishError};
use crate::low_water::{Found, LowWater, Walk};
use crate::transport::Transport;

/// Rows per round.
const ROWS: usize = 200;
/// The same, as PostgreSQL counts.
const BATCH: i64 = ROWS as i64;
/// A relay that dies with claimed rows holds them no longer than this.
const LEASE: Duration = Duration::from_secs(15);
/// Picks up what a crash left; everything else is nudged.
const SWEEP: Duration = Duration::from_secs(1);

/// A broker that is away is asked again after this, doubling.
const SHORTEST_REST: Duration = Duration::from_millis(100);
/// Kept short, because a waiting order should end soon after the broker is back.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// There may be more.
    Full,
    /// Nothing is due any more.
    Empty,
    /// The broker or the database did not take it; nothing is lost.
    Away,
}

/// Empties one service's outbox into the transport.
///
/// Several relays of one service may run: rows are claimed by state with `SKIP LOCKED`, and deleted only
/// where the lease is still held. At least once over RabbitMQ; exactly once where outbox and queues share
/// a database.
pub struct Relay {
    service: &'static str,
    database: Database,
    transport: Transport,
    due_from: LowWater<DateTime<Utc>>,
}

impl Relay {
    /// A relay for `service`, whose outbox lies in `database`.
    pub fn new(service: &'static str, database: Database, transport: Transport) -> Relay {
        Relay { service, database, transport, due_from: LowWater::new(Instant::now()) }
    }

    /// Runs until `shutdown`, then empties what is there once more.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut rest = SHORTEST_REST;
        let mut last = Round::Empty;
        loop {
            let due = async {
                match last {
                    Round::Away => tokio::time::sleep(rest).await,
                    Round::Empty | Round::Full => {
                        tokio::select! {
                            () = self.database.outbox_nudge().notified() => {}
                            () = tokio::time::sleep(SWEEP) => {}
                        }
                    }
                }
            };
            let ends = shutdown.run_until_cancelled(due).await.is_none();
            let before = std::mem::replace(&mut last, self.drain().await);
            if ends {
                return;
            }
            let still_away = before == Round::Away && last == Round::Away;
            rest = if still_away { (rest * 2).min(LONGEST_REST) } else { SHORTEST_REST };
        }
    }

    /// Rounds until nothing is due, or the broker or the database is away.
    async fn drain(&mut self) -> Round {
        loop {
            match self.round().await {
                Ok(Round::Full) => {}
                Ok(end) => return end,
                Err(error) => {
                    tracing::warn!(service = self.service, %error, "the relay could not read the outbox");
                    return Round::Away;
                }
            }
        }
    }

    /// One batch.
    async fn round(&mut self) -> Result<Round, Error> {
        if self.transport.shares_database_with(&self.database) {
            match self.move_batch().await {
                Ok(round) => return Ok(round),
                // One row that cannot be routed fails the statement: find it, row by row.
                Err(error) if !error.is_unavailable() && !error.is_overdue() => {}
                Err(error) => return Err(error),
            }
        }
        self.publish_batch().await
    }

    async fn move_batch(&mut self) -> Result<Round, Error> {
        let db = self.database.read().await?;
        let walk = self.due_from.begin(Instant::now());
        let moved = outbox::move_to_queues(&db, BATCH, self.transport.origin(), walk.from).await;
        let moved = moved.inspect_err(|error| self.give_up(walk, error))?;
        drop(db);
        let count = usize::try_from(moved.count).unwrap_or(usize::MAX);
        self.due_from.end(walk, Found::new(count, ROWS, moved.last_due_at), Instant::now());
        self.transport.wake(&moved.queues);
        self.count(moved.count);
        Ok(if moved.count < BATCH { Round::Empty } else { Round::Full })
    }

    /// Claim, commit, publish, await the broker's word, then delete what is still ours.
    async fn publish_batch(&mut self) -> Result<Round, Error> {
        let lease = Uuid::new_v4();
        let db = self.database.read().await?;
        let walk = self.due_from.begin(Instant::now());
        let claimed = outbox::claim(&db, BATCH, lease, LEASE, walk.from).await;
        let claimed = claimed.inspect_err(|error| self.give_up(walk, error))?;
        let last = claimed.iter().map(|row| row.due_at).max();
        self.due_from.end(walk, Found::new(claimed.len(), ROWS, last), Instant::now());
        drop(db);
        if claimed.is_empty() {
            return Ok(Round::Empty);
        }
        let full = claimed.len() == ROWS;
        let (rows, batch): (Vec<(EventId, i32)>, Vec<Outgoing>) =
            claimed.into_iter().map(|row| ((row.event_id, row.attempts), outgoing(row))).unzip();
        let answers = self.transport.publish(&batch).await;

        let mut sent: Vec<EventId> = Vec::with_capacity(rows.len());
        let mut away: Vec<EventId> = Vec::new();
        let mut away_error = String::new();
        let db = self.database.read().await?;
        for ((event_id, attempts), answer) in rows.into_iter().zip(answers) {
            match answer {
                Ok(()) => sent.push(event_id),
                Err(PublishError::Unreachable(error)) => {
                    away.push(event_id);
                    away_error = error;
                }
                Err(PublishError::Refused(error)) => {
                    tracing::warn!(service = self.service, %event_id, %error, attempts = attempts + 1, "the broker refused an event");
                    outbox::not_sent(&db, &[event_id], lease, &error, Attempt::Counts).await?;
                }
            }
        }
        outbox::sent(&db, &sent, lease).await?;
        self.count(i64::try_from(sent.len()).unwrap_or(i64::MAX));
        if !away.is_empty() {
            outbox::not_sent(&db, &away, lease, &away_error, Attempt::BrokerAway).await?;
            return Ok(Round::Away);
        }
        Ok(if full { Round::Full } else { Round::Empty })
    }

    /// What took too long is not tried again at once.
    fn give_up(&mut self, walk: Walk<DateTime<Utc>>, error: &Error) {
        if error.is_overdue() {
            self.due_from.give_up(walk, Instant::now());
        }
    }

    fn count(&self, published: i64) {
        if published > 0 {
            metrics::counter!("outbox_published_total", "service" => self.service).increment(published.unsigned_abs());
            metrics::histogram!("outbox_batch_events", "service" => self.service).record(published as f64);
        }
    }
}

fn outgoing(row: Claimed) -> Outgoing {
    Outgoing {
        event_id: row.event_id.uuid(),
        exchange: row.exchange,
        routing_key: row.routing_key,
        body: row.body,
        correlation_id: row.correlation_id.uuid(),
        traceparent: row.traceparent,
    }
}
