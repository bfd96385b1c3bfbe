//! Messages in PostgreSQL: the embedded default. Durable, and no second server.
//!
//! The rules live in the functions of schema `messaging` (see the migration). A wake-up is only a hint:
//! consumers also look once a second.

mod dead_letters;
mod receiver;
mod tap;
mod wakes;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use database::Database;
use database::migrate::{MigrateError, Migrations};
use events::topology::{EVENTS, Exchange, QUEUES, Queue, matches};
use include_dir::{Dir, include_dir};
use uuid::Uuid;

pub(crate) use receiver::PostgresReceiver;
pub(crate) use tap::PostgresTap;
pub use wakes::Wakes;

use crate::delivery::{Outgoing, PublishError};
use crate::transport::{QueueBacklog, QueueDepth, TransportError};

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// An idle consumer looks this often, should a hint be lost; due retries are looked for as often.
const SWEEP: Duration = Duration::from_secs(1);

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
        self.wakes.origin()
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

    /// From now on what is recorded in `database` goes straight into the queues, if they lie there, too.
    pub fn carry_straight(&self, database: &Database) {
        if self.shares_database_with(database) {
            let wakes = self.wakes.clone();
            database.send_straight(move |queues| wakes.filled(queues));
        }
    }

    pub fn subscribe(&self, queue: &Queue, database: &Database) -> PostgresReceiver {
        PostgresReceiver::new(self.clone(), queue.name(), database)
    }

    pub fn tap(&self, exchanges: &[Exchange]) -> PostgresTap {
        PostgresTap::open(self.clone(), exchanges)
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
const SWEEP_RETRIES: &str = "SELECT messaging.sweep() AS queues";
const DEPTHS: &str = "SELECT queue, service, ready, delayed, dead FROM messaging.depths()";
const BACKLOGS: &str = "SELECT queue, ready, in_flight, delayed, dead FROM messaging.backlogs($1)";
