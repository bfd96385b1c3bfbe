//! Messages in PostgreSQL: the embedded default. Durable, and no second server.
//!
//! The rules live in the functions of schema `messaging` (see the migration). A wake-up is only a hint:
//! consumers also look once a second.

mod dead_letters;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use database::migrate::{MigrateError, Migrations};
use database::{Connection, Database, Login};
use events::Envelope;
use events::topology::{EVENTS, Exchange, QUEUES, Queue, matches};
use include_dir::{Dir, include_dir};
use tokio::sync::{Notify, mpsc};
use tokio_postgres::{AsyncMessage, NoTls};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::delivery::{Delivery, Outgoing, PublishError};
use crate::transport::{QueueBacklog, QueueDepth, Tapped, TransportError};

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// A consumer that holds messages longer than this loses them to another; their effects still happen once.
const LEASE: Duration = Duration::from_secs(20);
/// An idle consumer looks this often, should a hint be lost; due retries are looked for as often.
const SWEEP: Duration = Duration::from_secs(1);
/// The longest pause before LISTEN is tried again.
const LISTEN_PAUSE: Duration = Duration::from_secs(5);
/// Events that a tap holds for a slow listener; more wait in its queue.
const TAPPED_AHEAD: usize = 1000;

/// The migrations of schema `messaging`.
pub fn migrations() -> Result<Migrations, MigrateError> {
    Migrations::bare("messaging", "messaging", &MIGRATIONS)
}

/// Declares every durable queue and binding of the topology. Done by `migrate up`, with the owner's rights.
/// All of them or none.
pub async fn declare_queues(owner: &tokio_postgres::Client) -> Result<(), tokio_postgres::Error> {
    owner.batch_execute("BEGIN").await?;
    let declared = declare_each_queue(owner).await;
    owner.batch_execute(if declared.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    declared
}

async fn declare_each_queue(owner: &tokio_postgres::Client) -> Result<(), tokio_postgres::Error> {
    for queue in QUEUES {
        let keys: Vec<&str> = EVENTS
            .iter()
            .filter(|event| event.exchange == queue.exchange)
            .map(|event| event.routing_key)
            .filter(|key| queue.routing_keys.iter().any(|pattern| matches(pattern, key)))
            .collect();
        owner
            .execute(
                "WITH declared AS (
                     INSERT INTO messaging.queues (name, service, dead_letter_exchange, dead_letter_queue)
                     VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET service = excluded.service RETURNING id),
                 unbound AS (
                     DELETE FROM messaging.bindings USING declared
                     WHERE queue_id = declared.id AND NOT routing_key = ANY ($6))
                 INSERT INTO messaging.bindings (exchange, routing_key, queue_id)
                 SELECT $5, routing_key, declared.id FROM declared, unnest($6::text[]) AS routing_key
                 ON CONFLICT DO NOTHING",
                &[
                    &queue.name(),
                    &queue.service,
                    &queue.dead_letter_exchange(),
                    &queue.dead_letter_queue(),
                    &queue.exchange.name(),
                    &keys,
                ],
            )
            .await?;
    }
    Ok(())
}

/// Wake-ups of this process: from its own relay in memory, from other processes by LISTEN.
#[derive(Clone)]
pub struct Wakes {
    queues: Arc<Mutex<HashMap<String, Arc<Notify>>>>,
    origin: Arc<str>,
}

impl Wakes {
    /// Without LISTEN: enough where every service runs in this process.
    #[expect(clippy::new_without_default, reason = "each has an identity of its own")]
    pub fn new() -> Wakes {
        Wakes { queues: Arc::default(), origin: Uuid::new_v4().simple().to_string().into() }
    }

    /// With LISTEN on a connection of its own, until `shutdown`. Any service's login will do.
    pub fn listening(login: Login, shutdown: CancellationToken) -> Wakes {
        let wakes = Wakes::new();
        let listener = wakes.clone();
        tokio::spawn(async move {
            let mut delay = Duration::from_millis(100);
            while !shutdown.is_cancelled() {
                let started = Instant::now();
                let listening = tokio::select! {
                    result = listener.listen(&login) => result,
                    () = shutdown.cancelled() => return,
                };
                if let Err(error) = listening {
                    tracing::warn!(%error, "lost the message hints; consumers look once a second until they are back");
                }
                if started.elapsed() > LISTEN_PAUSE {
                    delay = Duration::from_millis(100);
                }
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(LISTEN_PAUSE);
            }
        });
        wakes
    }

    async fn listen(&self, login: &Login) -> Result<(), tokio_postgres::Error> {
        let (client, mut connection) = login.config()?.connect(NoTls).await?;
        let (sender, mut notices) = tokio::sync::mpsc::channel(256);
        let reader = tokio::spawn(async move {
            loop {
                match std::future::poll_fn(|context| connection.poll_message(context)).await {
                    Some(Ok(message)) => {
                        if sender.send(message).await.is_err() {
                            return Ok(());
                        }
                    }
                    Some(Err(error)) => return Err(error),
                    None => return Ok(()),
                }
            }
        });
        client.batch_execute("LISTEN prost_messages").await?;
        self.wake_all();
        while let Some(message) = notices.recv().await {
            if let AsyncMessage::Notification(notice) = message {
                self.heard(notice.payload());
            }
        }
        reader.await.unwrap_or(Ok(()))
    }

    /// A hint reads `origin queue queue …`; our own were told in memory already.
    fn heard(&self, payload: &str) {
        let mut words = payload.split(' ');
        if words.next() != Some(&self.origin) {
            for queue in words {
                self.wake(queue);
            }
        }
    }

    fn of(&self, queue: &str) -> Arc<Notify> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(queues.entry(queue.to_owned()).or_default())
    }

    fn wake(&self, queue: &str) {
        if let Some(notify) = self.queues.lock().unwrap_or_else(PoisonError::into_inner).get(queue) {
            notify.notify_one();
        }
    }

    fn wake_all(&self) {
        for notify in self.queues.lock().unwrap_or_else(PoisonError::into_inner).values() {
            notify.notify_one();
        }
    }
}

#[derive(Clone)]
pub(crate) struct PostgresTransport {
    database: Database,
    wakes: Wakes,
    /// When this transport last looked for due retries.
    swept: Arc<Mutex<Instant>>,
}

impl PostgresTransport {
    pub fn new(database: Database, wakes: Wakes) -> PostgresTransport {
        PostgresTransport { database, wakes, swept: Arc::new(Mutex::new(Instant::now())) }
    }

    /// Puts due retries back into their queues, once a second, however busy the queues are.
    async fn sweep(&self) -> Result<(), TransportError> {
        {
            let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
            if swept.elapsed() < SWEEP {
                return Ok(());
            }
            *swept = Instant::now();
        }
        let db = self.database.read().await?;
        let due: Vec<String> = db.query_one(SWEEP_RETRIES, &[]).await?.get("queues");
        self.wake(&due);
        Ok(())
    }

    pub async fn check(&self) -> Result<(), TransportError> {
        self.database.read().await?.query_one("SELECT 1", &[]).await?;
        Ok(())
    }

    pub fn shares_database_with(&self, database: &Database) -> bool {
        self.database.is_same_pool(database)
    }

    pub fn wake(&self, queues: &[String]) {
        for queue in queues {
            self.wakes.wake(queue);
        }
    }

    pub fn origin(&self) -> &str {
        &self.wakes.origin
    }

    pub async fn publish(&self, batch: &[Outgoing]) -> Vec<Result<(), PublishError>> {
        match self.publish_all(batch).await {
            Ok(()) => batch.iter().map(|_| Ok(())).collect(),
            Err(PublishError::Refused(_)) if batch.len() > 1 => {
                let mut answers = Vec::with_capacity(batch.len());
                for message in batch {
                    answers.push(self.publish_all(std::slice::from_ref(message)).await);
                }
                answers
            }
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn publish_all(&self, batch: &[Outgoing]) -> Result<(), PublishError> {
        let ids: Vec<Uuid> = batch.iter().map(|message| message.event_id).collect();
        let exchanges: Vec<&str> = batch.iter().map(|message| message.exchange.as_str()).collect();
        let keys: Vec<&str> = batch.iter().map(|message| message.routing_key.as_str()).collect();
        let bodies: Vec<&str> = batch.iter().map(|message| message.body.as_str()).collect();
        let traces: Vec<Option<&str>> = batch.iter().map(|message| message.traceparent.as_deref()).collect();
        let publish = async {
            let db = self.database.read().await?;
            db.query_one(PUBLISH, &[&self.origin(), &ids, &exchanges, &keys, &bodies, &traces]).await
        };
        let queues: Vec<String> = publish
            .await
            .map_err(|error| {
                let text = error.to_string();
                let is_away = error.is_unavailable() || error.is_overdue();
                if is_away { PublishError::Unreachable(text) } else { PublishError::Refused(text) }
            })?
            .get("queues");
        self.wake(&queues);
        Ok(())
    }

    pub fn subscribe(&self, queue: &Queue) -> PostgresReceiver {
        self.receiver(queue.name())
    }

    fn receiver(&self, queue: String) -> PostgresReceiver {
        let wake = self.wakes.of(&queue);
        PostgresReceiver {
            transport: self.clone(),
            queue: queue.into(),
            wake,
            lease: Uuid::new_v4(),
            emptied: Arc::default(),
        }
    }

    pub fn tap(&self, exchanges: &[Exchange]) -> PostgresTap {
        let queue = format!("gateway.{}.{}", exchanges.first().map_or("events", |e| e.name()), Uuid::new_v4().simple());
        let (tell, tapped) = mpsc::channel(TAPPED_AHEAD);
        let end = CancellationToken::new();
        let pouring = run_tap(self.receiver(queue), exchanges.to_vec(), tell);
        tokio::spawn(end.clone().run_until_cancelled_owned(pouring));
        PostgresTap { tapped, _end: end.drop_guard() }
    }

    pub async fn depths(&self) -> Result<Vec<QueueDepth>, TransportError> {
        let rows = self.database.read().await?.query(DEPTHS, &[]).await?;
        Ok(rows
            .iter()
            .map(|row| QueueDepth {
                queue: row.get("queue"),
                service: row.get("service"),
                ready: row.get("ready"),
                delayed: row.get("delayed"),
                dead: row.get("dead"),
            })
            .collect())
    }

    pub async fn backlogs(&self, service: &str) -> Result<Vec<QueueBacklog>, TransportError> {
        let rows = self.database.read().await?.query(BACKLOGS, &[&service]).await?;
        Ok(rows
            .iter()
            .map(|row| QueueBacklog {
                queue: row.get("queue"),
                ready: row.get("ready"),
                in_flight: Some(row.get("in_flight")),
                delayed: Some(row.get("delayed")),
                dead: row.get("dead"),
            })
            .collect())
    }
}

const PUBLISH: &str = "SELECT messaging.publish($1, $2, $3, $4, $5, $6) AS queues";
const RECEIVE: &str =
    "SELECT id, exchange, routing_key, body, attempts, deliveries, traceparent FROM messaging.receive($1, $2, $3, $4)";
const ACK: &str = "SELECT messaging.ack($1, $2, $3)";
const RELEASE: &str = "SELECT messaging.release($1, $2)";
const RETRY: &str = "SELECT messaging.retry_later($1, $2, $3, $4)";
const PARK: &str = "SELECT messaging.park($1, $2, $3, $4)";
const SWEEP_RETRIES: &str = "SELECT messaging.sweep() AS queues";
const OPEN_TAP: &str = "SELECT messaging.open_tap($1, $2, $3)";
const DEPTHS: &str = "SELECT queue, service, ready, delayed, dead FROM messaging.depths()";
const BACKLOGS: &str = "SELECT queue, ready, in_flight, delayed, dead FROM messaging.backlogs($1)";

#[derive(Clone)]
pub(crate) struct PostgresReceiver {
    transport: PostgresTransport,
    queue: Arc<str>,
    wake: Arc<Notify>,
    /// Names this receiver; a message whose lease is another's is not ours to settle.
    lease: Uuid,
    /// The last look left nothing behind: only a hint makes the next one worthwhile.
    emptied: Arc<AtomicBool>,
}

impl PostgresReceiver {
    /// None at the shutdown, which is looked for between two statements: one that is broken off may still take leases,
    /// after everything else was given back.
    pub async fn receive(&self, max: usize, shutdown: &CancellationToken) -> Result<Vec<Delivery>, TransportError> {
        while !shutdown.is_cancelled() {
            if self.emptied.swap(false, Ordering::Relaxed) {
                // No hint: look nevertheless.
                let hint = tokio::time::timeout(SWEEP, self.wake.notified());
                if shutdown.run_until_cancelled(hint).await.is_none() {
                    break;
                }
            }
            self.transport.sweep().await?;
            let batch = self.take(max).await?;
            self.emptied.store(batch.len() < max, Ordering::Relaxed);
            if !batch.is_empty() {
                return Ok(batch);
            }
        }
        Ok(Vec::new())
    }

    async fn take(&self, max: usize) -> Result<Vec<Delivery>, TransportError> {
        let max = i32::try_from(max).unwrap_or(i32::MAX);
        let db = self.transport.database.read().await?;
        let rows = db.query(RECEIVE, &[&&*self.queue, &max, &self.lease, &LEASE.as_secs_f64()]).await?;
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

    fn ids(deliveries: &[Delivery]) -> Vec<i64> {
        deliveries.iter().map(|delivery| delivery.tag.cast_signed()).collect()
    }

    pub async fn settle_in(
        &self,
        tx: &Connection,
        database: &Database,
        deliveries: &[Delivery],
    ) -> Result<bool, database::Error> {
        if !self.transport.database.is_same_pool(database) {
            return Ok(false);
        }
        tx.execute(ACK, &[&&*self.queue, &Self::ids(deliveries), &self.lease]).await?;
        Ok(true)
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

/// A short-lived queue of this process. A task of its own empties it, so that dropping
/// [`PostgresTap::next`] half-way loses nothing.
pub(crate) struct PostgresTap {
    tapped: mpsc::Receiver<Tapped>,
    _end: DropGuard,
}

impl PostgresTap {
    pub async fn next(&mut self) -> Tapped {
        match self.tapped.recv().await {
            Some(tapped) => tapped,
            None => std::future::pending().await, // only while the runtime shuts down
        }
    }
}

/// Opens the tap, tells of a gap, hands out what comes; and again, whenever that is interrupted.
async fn run_tap(receiver: PostgresReceiver, exchanges: Vec<Exchange>, tell: mpsc::Sender<Tapped>) {
    let mut delay = Duration::from_millis(100);
    loop {
        let error = match open_tap(&receiver, &exchanges).await {
            Ok(()) => {
                delay = Duration::from_millis(100);
                let Err(error) = pour(&receiver, &tell).await else { return };
                error
            }
            Err(error) => error,
        };
        tracing::debug!(%error, "the live view of events is interrupted");
        tokio::time::sleep(delay).await;
        delay = (delay * 2).min(Duration::from_secs(2));
    }
}

async fn open_tap(receiver: &PostgresReceiver, exchanges: &[Exchange]) -> Result<(), TransportError> {
    let (exchanges, keys): (Vec<&str>, Vec<&str>) = EVENTS
        .iter()
        .filter(|event| exchanges.contains(&event.exchange))
        .map(|event| (event.exchange.name(), event.routing_key))
        .unzip();
    let db = receiver.transport.database.read().await?;
    db.execute(OPEN_TAP, &[&&*receiver.queue, &exchanges, &keys]).await?;
    Ok(())
}

/// `Ok`: nobody listens any more.
async fn pour(receiver: &PostgresReceiver, tell: &mpsc::Sender<Tapped>) -> Result<(), TransportError> {
    if tell.send(Tapped::Gap).await.is_err() {
        return Ok(());
    }
    // Its queue goes with it, and leases of its own with that.
    let endless = CancellationToken::new();
    loop {
        let deliveries = receiver.receive(500, &endless).await?;
        receiver.settle(&deliveries).await?;
        // Only the durable queues park what cannot be read.
        for envelope in deliveries.iter().filter_map(|delivery| Envelope::parse(&delivery.body).ok()) {
            if tell.send(Tapped::Event(Box::new(envelope))).await.is_err() {
                return Ok(());
            }
        }
    }
}
