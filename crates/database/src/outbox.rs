//! Recorded events and what of them is unsent.
//!
//! `events` is the audit trail: append-only, by day. `outbox` is thin: a row per unsent event. Both are
//! written in the business transaction; the relay empties the outbox. Where the queues of the Postgres transport lie
//! beside the tables ([`crate::Database::send_straight`]), the same transaction puts events straight into them: the
//! message is the row that says so first, and only what no queue wants is left in the outbox.

use std::time::Duration;

use chrono::{DateTime, Utc};
use events::{CorrelationId, Draft, EventId};
use uuid::Uuid;

use crate::audit::{self, Action, Operator, Outcome, Subject};
use crate::{Command, Connection, Error, Row};

/// Attempts after which a row is failed: visible, with its last error, retryable by an operator.
pub const MAX_ATTEMPTS: i32 = 10;

const SEND_AGAIN: Action = Action::named("outbox.retry");
const GIVE_UP: Action = Action::named("outbox.discard");

/// The event into the audit trail, as every way of recording begins.
macro_rules! recorded {
    ($rest:literal) => {
        concat!(
            "WITH recorded AS (
         INSERT INTO events (event_id, event_type, aggregate_type, aggregate_id, correlation_id, exchange, routing_key,
                             envelope, traceparent)
         SELECT event_id, event_type, aggregate_type, aggregate_id, correlation_id, exchange, routing_key,
                envelope::json, traceparent
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[],
                     $9::text[])
           AS draft (event_id, event_type, aggregate_type, aggregate_id, correlation_id, exchange, routing_key,
                     envelope, traceparent)
         RETURNING event_id, recorded_at)",
            $rest
        )
    };
}

/// Leased from birth, where a relay of this process gets it as soon as it is committed.
const RECORD: &str = recorded!(
    " INSERT INTO outbox (event_id, recorded_at, lease, next_attempt_at)
     SELECT event_id, recorded_at, $10::uuid, coalesce(clock_timestamp() + $11::float8 * interval '1 second', now())
     FROM recorded"
);

/// Where the queues lie beside the tables. What no queue wants stays in the outbox, where the relay tries again, and
/// fails it visibly.
const RECORD_AND_SEND: &str = recorded!(
    ", sent AS MATERIALIZED (SELECT event_id, queue, is_durable FROM messaging.send($1, $2, $6, $7, $8, $9)),
     unsent AS (
         INSERT INTO outbox (event_id, recorded_at)
         SELECT event_id, recorded_at FROM recorded
         WHERE NOT EXISTS (SELECT FROM sent WHERE sent.event_id = recorded.event_id AND sent.is_durable))
     SELECT DISTINCT queue FROM sent"
);

/// An event as it is published.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The event.
    pub event_id: EventId,
    /// Name of its exchange.
    pub exchange: String,
    /// Its routing key.
    pub routing_key: String,
    /// The envelope, byte for byte as recorded.
    pub body: String,
    /// Its saga.
    pub correlation_id: CorrelationId,
    /// Its trace context, if it has one.
    pub traceparent: Option<String>,
}

impl Recorded {
    /// A draft, with the envelope and the trace that are recorded of it.
    pub fn of(draft: &Draft, body: &str, traceparent: Option<String>) -> Recorded {
        Recorded {
            event_id: draft.envelope.event_id,
            exchange: draft.exchange.name().to_owned(),
            routing_key: draft.routing_key.to_owned(),
            body: body.to_owned(),
            correlation_id: draft.envelope.correlation_id,
            traceparent,
        }
    }
}

/// Records events in the open transaction. They are published after its commit, at least once.
pub async fn record(tx: &Connection, drafts: &[Draft]) -> Result<(), Error> {
    if drafts.is_empty() {
        return Ok(());
    }
    let texts = Texts::of(tx, drafts);
    let command = recording(tx, drafts, &texts);
    let recorded = tx.run(&command).await?;
    note(tx, drafts, &texts, &recorded);
    Ok(())
}

/// The last statements of a transaction's work, and the events that it records: see [`Connection::last`].
pub async fn record_with(tx: &Connection, commands: Vec<Command<'_>>, drafts: &[Draft]) -> Result<(), Error> {
    if drafts.is_empty() {
        return tx.last(&commands).await.map(drop);
    }
    let texts = Texts::of(tx, drafts);
    let mut commands = commands;
    commands.push(recording(tx, drafts, &texts));
    let answers = tx.last(&commands).await?;
    note(tx, drafts, &texts, answers.last().map_or(&[], Vec::as_slice));
    Ok(())
}

/// What of drafts is written as text, in their order.
struct Texts {
    envelopes: Vec<String>,
    /// None if no draft has one.
    traces: Option<Vec<Option<String>>>,
}

impl Texts {
    fn of(tx: &Connection, drafts: &[Draft]) -> Texts {
        let envelope =
            |draft: &Draft| serde_json::to_string(&draft.envelope).expect("an envelope holds only what JSON can say");
        Texts { envelopes: drafts.iter().map(envelope).collect(), traces: tx.traces_of(drafts) }
    }

    fn trace(&self, index: usize) -> Option<String> {
        self.traces.as_ref()?[index].clone()
    }
}

fn recording<'a>(tx: &Connection, drafts: &'a [Draft], texts: &'a Texts) -> Command<'a> {
    let is_sent = tx.has_queues_beside();
    let command = Command::new(if is_sent { RECORD_AND_SEND } else { RECORD })
        .with(drafts.iter().map(|draft| draft.envelope.event_id.uuid()).collect::<Vec<Uuid>>())
        .with(drafts.iter().map(|draft| draft.envelope.event_type.as_str()).collect::<Vec<_>>())
        .with(drafts.iter().map(|draft| draft.envelope.aggregate_type.as_str()).collect::<Vec<_>>())
        .with(drafts.iter().map(|draft| draft.envelope.aggregate_id).collect::<Vec<Uuid>>())
        .with(drafts.iter().map(|draft| draft.envelope.correlation_id.uuid()).collect::<Vec<Uuid>>())
        .with(drafts.iter().map(|draft| draft.exchange.name()).collect::<Vec<_>>())
        .with(drafts.iter().map(|draft| draft.routing_key).collect::<Vec<_>>())
        .with(&texts.envelopes)
        .with(&texts.traces);
    if is_sent {
        return command;
    }
    let (lease, seconds) = tx.lease_from_birth().unzip();
    command.with(lease).with(seconds)
}

/// Whom to tell after the commit.
fn note(tx: &Connection, drafts: &[Draft], texts: &Texts, recorded: &[Row]) {
    if tx.has_queues_beside() {
        return tx.note_filled_queues(recorded.iter().map(|row| row.get("queue")));
    }
    let drafts = drafts.iter().zip(&texts.envelopes).enumerate();
    tx.note_recorded(drafts.map(|(index, (draft, body))| Recorded::of(draft, body, texts.trace(index))));
}

/// What was due.
#[derive(Debug)]
pub struct Due {
    /// Leased now, by the age of the events.
    pub claimed: Vec<Recorded>,
    /// Since when the last of them was due; if there were less than were asked for, everything was claimed up to here.
    pub until: DateTime<Utc>,
}

const CLAIM: &str = "WITH due AS (
         SELECT event_id, next_attempt_at AS due_at FROM outbox
         WHERE failed_at IS NULL AND next_attempt_at BETWEEN coalesce($4::timestamptz, '-infinity') AND now()
         ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED),
     leased AS (
         UPDATE outbox SET lease = $2, next_attempt_at = now() + $3::float8 * interval '1 second'
         FROM due WHERE outbox.event_id = due.event_id
         RETURNING outbox.event_id, outbox.recorded_at, due.due_at),
     claimed AS (
         SELECT event_id, exchange, routing_key, envelope::text AS body, correlation_id, traceparent, due_at
         FROM leased JOIN events USING (event_id, recorded_at))
     SELECT claimed.*, CASE WHEN count(due_at) OVER () < $1 THEN now() ELSE max(due_at) OVER () END AS until
     FROM (SELECT) AS always LEFT JOIN claimed ON true
     ORDER BY event_id";

/// Leases up to `limit` due rows to `lease`: by state, since a row with a lower id may commit later. `due_from` spares
/// a walk over what was due before; None leaves nothing out.
pub async fn claim(
    db: &Connection,
    limit: i64,
    lease: Uuid,
    duration: Duration,
    due_from: Option<DateTime<Utc>>,
) -> Result<Due, Error> {
    let rows = db.query(CLAIM, &[&limit, &lease, &duration.as_secs_f64(), &due_from]).await?;
    let until = rows.first().expect("a row, even if nothing is due").get("until");
    let claimed = |row: &Row| {
        Some(Recorded {
            event_id: row.get::<_, Option<EventId>>("event_id")?,
            exchange: row.get("exchange"),
            routing_key: row.get("routing_key"),
            body: row.get("body"),
            correlation_id: row.get("correlation_id"),
            traceparent: row.get("traceparent"),
        })
    };
    Ok(Due { claimed: rows.iter().filter_map(claimed).collect(), until })
}

const SENT: &str = "DELETE FROM outbox WHERE event_id = ANY($1) AND lease = $2";

/// Takes published rows out, where the lease is still mine. Returns how many were.
pub async fn sent(db: &Connection, events: &[EventId], lease: Uuid) -> Result<u64, Error> {
    db.execute(SENT, &[&events, &lease]).await
}

/// A row that commits while it is asked for is left out, as by every statement; its lease ends by itself.
const RELEASE: &str = "UPDATE outbox SET lease = NULL, next_attempt_at = now()
     WHERE lease = $1 AND failed_at IS NULL AND next_attempt_at > now()";

/// Makes everything due that is leased to `lease`.
pub async fn release(db: &Connection, lease: Uuid) -> Result<u64, Error> {
    db.execute(RELEASE, &[&lease]).await
}

const NOT_SENT: &str = "UPDATE outbox
     SET attempts = attempts + $4::int, last_error = $3, lease = NULL,
         next_attempt_at = now() + least(30.0, 0.1 * power(2, least(attempts, 20))) * interval '1 second',
         failed_at = CASE WHEN attempts + $4::int >= $5 THEN now() END
     WHERE event_id = ANY($1) AND lease = $2";

/// Puts unpublished rows back, to be tried again from 100 ms doubling to 30 s.
///
/// `counts`: the broker refused this very message. An unreachable broker does not count towards
/// [`MAX_ATTEMPTS`].
pub async fn not_sent(
    db: &Connection,
    events: &[EventId],
    lease: Uuid,
    error: &str,
    counts: Attempt,
) -> Result<u64, Error> {
    let increment: i32 = match counts {
        Attempt::Counts => 1,
        Attempt::BrokerAway => 0,
    };
    db.execute(NOT_SENT, &[&events, &lease, &error, &increment, &MAX_ATTEMPTS]).await
}

/// Does a failed publish count against the message?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// The broker answered and refused.
    Counts,
    /// The broker could not be reached.
    BrokerAway,
}

const MOVE: &str = "WITH due AS MATERIALIZED (
         SELECT event_id FROM outbox
         WHERE failed_at IS NULL AND next_attempt_at BETWEEN coalesce($3::timestamptz, '-infinity') AND now()
         ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED),
     moved AS (
         DELETE FROM outbox USING due WHERE outbox.event_id = due.event_id
         RETURNING outbox.event_id, outbox.recorded_at, outbox.next_attempt_at AS due_at),
     batch AS (
         SELECT array_agg(event_id ORDER BY event_id) AS ids, array_agg(exchange ORDER BY event_id) AS exchanges,
                array_agg(routing_key ORDER BY event_id) AS keys, array_agg(envelope::text ORDER BY event_id) AS bodies,
                array_agg(traceparent ORDER BY event_id) AS traceparents, count(*) AS moved,
                max(due_at) AS last_due_at
         FROM moved JOIN events USING (event_id, recorded_at))
     SELECT batch.moved, last_due_at, messaging.publish($2, ids, exchanges, keys, bodies, traceparents) AS queues
     FROM batch WHERE batch.moved > 0";

/// Events that went from the outbox straight into queues.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moved {
    /// How many.
    pub count: i64,
    /// Which queues got something.
    pub queues: Vec<String>,
    /// Since when the last of them was due.
    pub last_due_at: Option<DateTime<Utc>>,
}

/// Moves up to `limit` due rows straight into the queues of the Postgres transport, where both share a
/// database: one statement, one commit, so exactly once and without a lease.
///
/// `origin` names this process in the hint to others; `due_from` as for [`claim`]. Errors: a message that no queue wants
/// fails the whole statement and moves nothing.
pub async fn move_to_queues(
    db: &Connection,
    limit: i64,
    origin: &str,
    due_from: Option<DateTime<Utc>>,
) -> Result<Moved, Error> {
    let row = db.query_opt(MOVE, &[&limit, &origin, &due_from]).await?;
    let moved =
        |row: Row| Moved { count: row.get("moved"), queues: row.get("queues"), last_due_at: row.get("last_due_at") };
    Ok(row.map(moved).unwrap_or_default())
}

/// What an outbox holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Backlog {
    /// Rows waiting to be sent.
    pub pending: i64,
    /// When the oldest of them was recorded.
    pub oldest: Option<DateTime<Utc>>,
    /// Rows given up.
    pub failed: i64,
    /// The latest error among them all.
    pub last_error: Option<String>,
}

const BACKLOG: &str = "SELECT count(*) FILTER (WHERE failed_at IS NULL) AS pending,
            min(recorded_at) FILTER (WHERE failed_at IS NULL) AS oldest,
            count(*) FILTER (WHERE failed_at IS NOT NULL) AS failed,
            (SELECT last_error FROM outbox WHERE last_error IS NOT NULL ORDER BY next_attempt_at DESC LIMIT 1) AS last_error
     FROM outbox";

/// Counts what is unsent.
pub async fn backlog(db: &Connection) -> Result<Backlog, Error> {
    let row = db.query_one(BACKLOG, &[]).await?;
    Ok(Backlog {
        pending: row.get("pending"),
        oldest: row.get("oldest"),
        failed: row.get("failed"),
        last_error: row.get("last_error"),
    })
}

/// An unsent event, as operators see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsent {
    /// The event.
    pub event_id: EventId,
    /// Its name.
    pub event_type: String,
    /// What it is about.
    pub aggregate_id: Uuid,
    /// Its saga.
    pub correlation_id: Uuid,
    /// Name of its exchange.
    pub exchange: String,
    /// Its routing key.
    pub routing_key: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// How often the broker refused it.
    pub attempts: i32,
    /// When it is tried next, unless it failed.
    pub next_attempt_at: DateTime<Utc>,
    /// What was said last.
    pub last_error: Option<String>,
    /// When it was given up.
    pub failed_at: Option<DateTime<Utc>>,
}

/// Which unsent events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All.
    Unsent,
    /// Those that are still tried.
    Pending,
    /// Those given up.
    Failed,
}

const LIST: &str = "SELECT event_id, event_type, aggregate_id, correlation_id, exchange, routing_key,
            outbox.recorded_at, attempts, next_attempt_at, last_error, failed_at
     FROM outbox JOIN events USING (event_id, recorded_at)
     WHERE ($1::bool IS NULL OR (failed_at IS NOT NULL) = $1) AND ($2::uuid IS NULL OR event_id > $2)
       AND ($3::uuid IS NULL OR event_id = $3 OR correlation_id = $3 OR aggregate_id = $3)
     ORDER BY event_id LIMIT $4";

/// Unsent events, oldest first, after the event `after`; those of one event, saga or thing, if `about` names it.
pub async fn list(
    db: &Connection,
    which: Which,
    about: Option<Uuid>,
    after: Option<EventId>,
    limit: i64,
) -> Result<Vec<Unsent>, Error> {
    let failed = match which {
        Which::Unsent => None,
        Which::Pending => Some(false),
        Which::Failed => Some(true),
    };
    let rows = db.query(LIST, &[&failed, &after, &about, &limit]).await?;
    Ok(rows
        .iter()
        .map(|row| Unsent {
            event_id: row.get("event_id"),
            event_type: row.get("event_type"),
            aggregate_id: row.get("aggregate_id"),
            correlation_id: row.get("correlation_id"),
            exchange: row.get("exchange"),
            routing_key: row.get("routing_key"),
            recorded_at: row.get("recorded_at"),
            attempts: row.get("attempts"),
            next_attempt_at: row.get("next_attempt_at"),
            last_error: row.get("last_error"),
            failed_at: row.get("failed_at"),
        })
        .collect())
}

const RETRY: &str = "WITH retried AS (
         UPDATE outbox SET failed_at = NULL, attempts = 0, next_attempt_at = now(), lease = NULL
         WHERE event_id = ANY ($1) AND failed_at IS NOT NULL RETURNING event_id, recorded_at)
     SELECT event_id, event_type, correlation_id FROM retried JOIN events USING (event_id, recorded_at)";
const DISCARD: &str = "WITH discarded AS (
         DELETE FROM outbox WHERE event_id = ANY ($1) AND failed_at IS NOT NULL RETURNING event_id, recorded_at)
     SELECT event_id, event_type, correlation_id FROM discarded JOIN events USING (event_id, recorded_at)";

/// Lets failed events be sent again, with all their attempts, on an operator's word. Returns those that were failed.
pub async fn retry(tx: &Connection, operator: &Operator, events: &[EventId]) -> Result<Vec<EventId>, Error> {
    let retried = settle_failed(tx, RETRY, operator, SEND_AGAIN, events).await?;
    if !retried.is_empty() {
        tx.note_due_events();
    }
    Ok(retried)
}

/// Gives up sending failed events, on an operator's word; what was recorded stays in the audit trail of events.
/// Returns those that were failed: an event that is still tried may be on its way.
pub async fn discard(tx: &Connection, operator: &Operator, events: &[EventId]) -> Result<Vec<EventId>, Error> {
    settle_failed(tx, DISCARD, operator, GIVE_UP, events).await
}

async fn settle_failed(
    tx: &Connection,
    statement: &str,
    operator: &Operator,
    action: Action,
    events: &[EventId],
) -> Result<Vec<EventId>, Error> {
    let rows = tx.query(statement, &[&events]).await?;
    let settled: Vec<EventId> = rows.iter().map(|row| row.get("event_id")).collect();
    let subjects: Vec<Subject> = rows
        .iter()
        .map(|row| Subject {
            id: row.get("event_id"),
            queue: None,
            event_id: Some(row.get("event_id")),
            event_type: Some(row.get("event_type")),
            correlation_id: Some(row.get("correlation_id")),
        })
        .collect();
    audit::record(tx, operator, action, &subjects, Outcome::Done).await?;
    Ok(settled)
}

/// The statements of this module, for the test that prepares them. Two of them need the queues beside the schema.
pub const ALL: &[(&str, &str)] = &[
    ("RECORD", RECORD),
    ("RECORD_AND_SEND", RECORD_AND_SEND),
    ("CLAIM", CLAIM),
    ("SENT", SENT),
    ("RELEASE", RELEASE),
    ("NOT_SENT", NOT_SENT),
    ("MOVE", MOVE),
    ("BACKLOG", BACKLOG),
    ("LIST", LIST),
    ("RETRY", RETRY),
    ("DISCARD", DISCARD),
];
