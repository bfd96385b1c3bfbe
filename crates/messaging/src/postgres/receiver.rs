//! The receiving end of a durable queue.
//!
//! Messages are received in one of two ways. Under a lease: a statement of its own takes it and counts the delivery, so
//! that a message that takes its consumer down is found. Or within the transaction of their effect, where the queue
//! lies beside the tables: no lease, no commit but the effect's. The second is for messages that came since this
//! receiver is at work and that nobody was given before: whatever could have killed a predecessor comes under a lease.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use database::{Connection, Database, Row};
use events::EventId;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{PostgresTransport, SWEEP};
use crate::delivery::{Delivery, Received, Taken};
use crate::low_water::{Found, LowWater, Walk};
use crate::transport::TransportError;

/// A consumer that holds messages longer than this loses them to another; their effects still happen once.
const LEASE: Duration = Duration::from_secs(20);

/// Before every message.
const BEGINNING: i64 = 0;

const RECEIVE: &str = "SELECT id, exchange, routing_key, body, attempts, deliveries, traceparent FROM messaging.receive($1, $2, $3, $4, $5)";
/// Messages and their idempotency records in one statement.
const TAKE: &str = "WITH taken AS MATERIALIZED (SELECT * FROM messaging.take($1, $2, $4)),
     fresh AS (
         INSERT INTO idempotency_records (event_id, service_name, action, result)
         SELECT event_id, $3, min(event_type), '\"applied\"' FROM taken GROUP BY event_id ORDER BY event_id
         ON CONFLICT (event_id, service_name) DO NOTHING
         RETURNING event_id)
     SELECT taken.id, taken.event_id, routing_key, body, traceparent, fresh.event_id IS NOT NULL AS is_fresh
     FROM taken LEFT JOIN fresh USING (event_id) ORDER BY taken.id";
const ACK: &str = "SELECT messaging.ack($1, $2, $3)";
const RELEASE: &str = "SELECT messaging.release($1, $2)";
const RETRY: &str = "SELECT messaging.retry_later($1, $2, $3, $4)";
const PARK: &str = "SELECT messaging.park($1, $2, $3, $4)";

/// The receiving end of a durable queue. Cheap to clone; the clones are one receiver.
#[derive(Clone)]
pub(crate) struct PostgresReceiver {
    transport: PostgresTransport,
    queue: Arc<str>,
    wake: Arc<Notify>,
    /// Names this receiver; a message whose lease is another's is not ours to settle.
    lease: Uuid,
    /// Whether messages may be taken within the transaction of their effect.
    takes: bool,
    /// The last look left nothing behind: only a hint makes the next one worthwhile.
    emptied: Arc<AtomicBool>,
    /// Of no use unless it takes.
    leases: Arc<Mutex<Leases>>,
    walks: Arc<Mutex<Walks>>,
}

/// Where the next look at the queue begins. Taking and leasing look for different things on the same way.
struct Walks {
    take: LowWater<i64>,
    lease: LowWater<i64>,
}

/// When a receiver that takes messages looks for those that it may not take. A lease costs several times what taking
/// does, so however long a queue is, what may be taken is.
#[derive(Clone, Copy)]
enum Leases {
    /// Until a look leaves nothing behind: whatever was there before may have killed a predecessor.
    All,
    /// One batch, next.
    OneBatch,
    /// A batch once a second.
    NowAndThen { looked_at: Instant, left_some: bool },
}

impl Walks {
    fn new(now: Instant) -> Walks {
        Walks { take: LowWater::new(now), lease: LowWater::new(now) }
    }
}

impl Leases {
    fn is_due(self) -> bool {
        match self {
            Leases::All | Leases::OneBatch => true,
            Leases::NowAndThen { looked_at, .. } => looked_at.elapsed() >= SWEEP,
        }
    }

    fn after_look(self, left_some: bool) -> Leases {
        match self {
            Leases::All if left_some => Leases::All,
            _ => Leases::NowAndThen { looked_at: Instant::now(), left_some },
        }
    }

    /// Nothing is there any more that may be taken: what the last look left behind cannot wait for the next second.
    fn after_taking_all(self) -> Leases {
        match self {
            Leases::NowAndThen { left_some: true, .. } => Leases::OneBatch,
            other => other,
        }
    }
}

impl PostgresReceiver {
    /// A receiver whose effects are written to `database`.
    pub fn new(transport: PostgresTransport, queue: String, database: &Database) -> PostgresReceiver {
        PostgresReceiver {
            wake: transport.wakes.of(&queue),
            takes: transport.database.is_same_pool(database) && database.has_queues_beside(),
            transport,
            queue: queue.into(),
            lease: Uuid::new_v4(),
            emptied: Arc::default(),
            leases: Arc::new(Mutex::new(Leases::All)),
            walks: Arc::new(Mutex::new(Walks::new(Instant::now()))),
        }
    }

    /// None at the shutdown, which is looked for between two statements: one that is broken off may still take leases,
    /// after everything else was given back.
    pub async fn receive(&self, max: usize, shutdown: &CancellationToken) -> Result<Received, TransportError> {
        while !shutdown.is_cancelled() {
            if self.emptied.swap(false, Ordering::Relaxed) {
                // No hint: look nevertheless.
                let hint = tokio::time::timeout(SWEEP, self.wake.notified());
                if shutdown.run_until_cancelled(hint).await.is_none() {
                    break;
                }
            }
            self.transport.sweep().await?;
            if self.takes && !self.leases().is_due() {
                return Ok(Received::Hint);
            }
            let batch = self.lease(max).await?;
            let left_some = batch.len() == max;
            self.emptied.store(!left_some, Ordering::Relaxed);
            let mut leases = self.leases();
            *leases = leases.after_look(left_some);
            drop(leases);
            if !batch.is_empty() {
                return Ok(Received::Leased(batch));
            }
        }
        Ok(Received::Leased(Vec::new()))
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn walks(&self) -> MutexGuard<'_, Walks> {
        self.walks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn lease(&self, max: usize) -> Result<Vec<Delivery>, TransportError> {
        let limit = i32::try_from(max).unwrap_or(i32::MAX);
        let db = self.transport.database.read().await?;
        let walk = self.walks().lease.begin(Instant::now());
        let from = walk.from.unwrap_or(BEGINNING);
        let rows = db
            .query(RECEIVE, &[&&*self.queue, &limit, &self.lease, &LEASE.as_secs_f64(), &from])
            .await
            .inspect_err(|error| give_up(&mut self.walks().lease, walk, error))?;
        self.walks().lease.end(walk, found(&rows, max), Instant::now());
        Ok(rows
            .iter()
            .map(|row| Delivery {
                tag: row.get::<_, i64>("id").cast_unsigned(),
                routing_key: row.get("routing_key"),
                body: row.get::<_, String>("body").into_bytes(),
                attempts: row.get::<_, i32>("attempts").cast_unsigned(),
                deliveries: row.get::<_, i32>("deliveries").cast_unsigned(),
                traceparent: row.get::<_, Option<&str>>("traceparent").and_then(|text| text.parse().ok()),
            })
            .collect())
    }

    /// Opens the transaction, takes up to `max` messages out of the queue and records that `service` applies them, all
    /// in one round trip. If the transaction rolls back, the messages are there again.
    pub async fn take(&self, tx: &Connection, service: &str, max: usize) -> Result<Vec<Taken>, database::Error> {
        let limit = i32::try_from(max).unwrap_or(i32::MAX);
        let walk = self.walks().take.begin(Instant::now());
        let from = walk.from.unwrap_or(BEGINNING);
        let rows = tx
            .open_with(TAKE, &[&&*self.queue, &limit, &service, &from])
            .await
            .inspect_err(|error| give_up(&mut self.walks().take, walk, error))?;
        let now = Instant::now();
        let mut walks = self.walks();
        walks.take.end(walk, found(&rows, max), now);
        walks.lease.pass(last_of(&rows), now);
        drop(walks);
        Ok(rows
            .iter()
            .map(|row| Taken {
                delivery: Delivery {
                    tag: row.get::<_, i64>("id").cast_unsigned(),
                    routing_key: row.get("routing_key"),
                    body: row.get::<_, String>("body").into_bytes(),
                    attempts: 0,
                    deliveries: 1,
                    traceparent: row.get::<_, Option<&str>>("traceparent").and_then(|text| text.parse().ok()),
                },
                event_id: EventId(row.get("event_id")),
                is_fresh: row.get("is_fresh"),
            })
            .collect())
    }

    /// So many of `max` were taken, and their effects are committed.
    pub fn took(&self, count: usize, max: usize) {
        if count < max {
            let mut leases = self.leases();
            *leases = leases.after_taking_all();
            self.emptied.store(!leases.is_due(), Ordering::Relaxed);
        }
    }

    /// Taking failed, and nothing has happened: the same messages come under a lease.
    pub fn took_nothing(&self) {
        let mut leases = self.leases();
        if let Leases::NowAndThen { .. } = *leases {
            *leases = Leases::OneBatch;
        }
    }

    fn ids(deliveries: &[Delivery]) -> Vec<i64> {
        deliveries.iter().map(|delivery| delivery.tag.cast_signed()).collect()
    }

    pub fn settles_inside(&self, database: &Database) -> bool {
        self.transport.database.is_same_pool(database)
    }

    pub async fn settle_in(&self, tx: &Connection, deliveries: &[Delivery]) -> Result<(), database::Error> {
        tx.execute(ACK, &[&&*self.queue, &Self::ids(deliveries), &self.lease]).await?;
        Ok(())
    }

    pub async fn settle(&self, deliveries: &[Delivery]) -> Result<(), TransportError> {
        let db = self.transport.database.read().await?;
        db.execute(ACK, &[&&*self.queue, &Self::ids(deliveries), &self.lease]).await?;
        Ok(())
    }

    pub async fn release(&self) -> Result<(), TransportError> {
        let db = self.transport.database.read().await?;
        db.execute(RELEASE, &[&&*self.queue, &self.lease]).await?;
        Ok(())
    }

    pub async fn retry(&self, delivery: &Delivery, delay: Duration) -> Result<(), TransportError> {
        let db = self.transport.database.read().await?;
        let id = delivery.tag.cast_signed();
        db.execute(RETRY, &[&&*self.queue, &id, &self.lease, &delay.as_secs_f64()]).await?;
        Ok(())
    }

    pub async fn park(&self, delivery: &Delivery, reason: &str) -> Result<(), TransportError> {
        let db = self.transport.database.read().await?;
        db.execute(PARK, &[&&*self.queue, &delivery.tag.cast_signed(), &self.lease, &reason]).await?;
        Ok(())
    }
}

/// What took too long is not tried again at once.
fn give_up(mark: &mut LowWater<i64>, walk: Walk<i64>, error: &database::Error) {
    if error.is_overdue() {
        mark.give_up(walk, Instant::now());
    }
}

fn found(rows: &[Row], max: usize) -> Found<i64> {
    Found::new(rows.len(), max, last_of(rows))
}

fn last_of(rows: &[Row]) -> Option<i64> {
    rows.last().map(|row| row.get("id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(left_some: bool) -> Leases {
        Leases::OneBatch.after_look(left_some)
    }

    #[test]
    fn what_was_there_before_is_leased_to_the_last_message() {
        let (still, over) = (Leases::All.after_look(true), Leases::All.after_look(false));
        assert!(still.is_due() && !over.is_due());
    }

    #[test]
    fn however_long_a_queue_is_one_batch_of_it_is_leased_and_the_rest_taken() {
        assert!(!looked(true).is_due());
        assert!(!looked(true).after_look(true).is_due());
    }

    #[test]
    fn what_was_left_is_leased_as_soon_as_there_is_nothing_to_take() {
        assert!(looked(true).after_taking_all().is_due());
        assert!(!looked(false).after_taking_all().is_due());
    }

    #[test]
    fn a_second_later_another_batch_is_leased() {
        let before = Instant::now().checked_sub(SWEEP).expect("a machine runs for a second before its tests");
        assert!(Leases::NowAndThen { looked_at: before, left_some: false }.is_due());
    }
}
