//! What a service recorded, and what became of the events it was sent. For operators who follow an order.

use chrono::{DateTime, Utc};
use events::{CorrelationId, EventId};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::{Connection, Error};

macro_rules! recorded {
    ($column:literal) => {
        concat!(
            "SELECT event_id, events.recorded_at, event_type, aggregate_type, aggregate_id, correlation_id, exchange,
                routing_key, envelope::text AS envelope, traceparent, outbox.event_id IS NULL AS published,
                coalesce(attempts, 0) AS attempts, last_error
            FROM events LEFT JOIN outbox USING (event_id)
            WHERE ",
            $column,
            " = $1 AND ($2::uuid IS NULL OR event_id > $2)
            ORDER BY event_id LIMIT $3"
        )
    };
}

crate::statements! {
    RECORDED_OF_SAGA = recorded!("correlation_id");
    RECORDED_ONE = recorded!("event_id");
    APPLIED = "SELECT event_id, action, created_at FROM idempotency_records
        WHERE event_id = ANY ($1) AND service_name = $2";
    FAILED = "SELECT event_id, queue, attempts, last_error FROM failed_attempts WHERE event_id = ANY ($1)";
    DISCARDED = "SELECT event_id, queue FROM operator_acts
        WHERE event_id = ANY ($1) AND action = 'dead_letter.discard' AND outcome = 'done'";
}

/// An event as its service recorded it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The event.
    pub event_id: EventId,
    /// When.
    pub recorded_at: DateTime<Utc>,
    /// Its name.
    pub event_type: String,
    /// Kind of thing it is about.
    pub aggregate_type: String,
    /// That thing.
    pub aggregate_id: Uuid,
    /// Its saga.
    pub correlation_id: CorrelationId,
    /// Name of its exchange.
    pub exchange: String,
    /// Its routing key.
    pub routing_key: String,
    /// What is published, byte for byte.
    pub envelope: String,
    /// The trace context that it carries.
    pub traceparent: Option<String>,
    /// Has the outbox sent it?
    pub published: bool,
    /// How often the broker refused it, while it waits.
    pub attempts: i32,
    /// What the broker said last, while it waits.
    pub last_error: Option<String>,
}

/// Which recorded events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those of one saga.
    OfSaga(CorrelationId),
    /// This one.
    One(EventId),
}

/// Recorded events, in the order of their ids, after the event `after`.
pub async fn recorded(
    db: &Connection,
    which: Which,
    after: Option<EventId>,
    limit: i64,
) -> Result<Vec<Recorded>, Error> {
    let rows = match which {
        Which::OfSaga(saga) => db.query(RECORDED_OF_SAGA, &[&saga, &after, &limit]).await?,
        Which::One(event) => db.query(RECORDED_ONE, &[&event, &after, &limit]).await?,
    };
    Ok(rows
        .iter()
        .map(|row| Recorded {
            event_id: row.get("event_id"),
            recorded_at: row.get("recorded_at"),
            event_type: row.get("event_type"),
            aggregate_type: row.get("aggregate_type"),
            aggregate_id: row.get("aggregate_id"),
            correlation_id: row.get("correlation_id"),
            exchange: row.get("exchange"),
            routing_key: row.get("routing_key"),
            envelope: row.get("envelope"),
            traceparent: row.get("traceparent"),
            published: row.get("published"),
            attempts: row.get("attempts"),
            last_error: row.get("last_error"),
        })
        .collect())
}

/// An event that a service applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The event.
    pub event_id: EventId,
    /// What handled it.
    pub action: String,
    /// When the transaction of its effect began.
    pub at: DateTime<Utc>,
}

/// Attempts to apply an event that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The event.
    pub event_id: EventId,
    /// In which queue.
    pub queue: String,
    /// How many.
    pub attempts: i32,
    /// Why, the last time.
    pub last_error: String,
}

/// What a service knows of events that it was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handled {
    /// Those it applied.
    pub applied: Vec<Applied>,
    /// Those that it tried in vain, at least once.
    pub failed: Vec<Failed>,
    /// Those whose dead letters an operator threw away, each with its queue.
    pub discarded: Vec<(EventId, Option<String>)>,
}

/// What `service` did with these events.
pub async fn handled(db: &Connection, service: &str, events: &[EventId]) -> Result<Handled, Error> {
    let (of_service, ids): ([&(dyn ToSql + Sync); 2], [&(dyn ToSql + Sync); 1]) = ([&events, &service], [&events]);
    let (applied, failed, discarded) =
        tokio::try_join!(db.query(APPLIED, &of_service), db.query(FAILED, &ids), db.query(DISCARDED, &ids))?;
    let applied = applied.iter().map(|row| Applied {
        event_id: row.get("event_id"),
        action: row.get("action"),
        at: row.get("created_at"),
    });
    let failed = failed.iter().map(|row| Failed {
        event_id: row.get("event_id"),
        queue: row.get("queue"),
        attempts: row.get("attempts"),
        last_error: row.get("last_error"),
    });
    Ok(Handled {
        applied: applied.collect(),
        failed: failed.collect(),
        discarded: discarded.iter().map(|row| (row.get("event_id"), row.get("queue"))).collect(),
    })
}
