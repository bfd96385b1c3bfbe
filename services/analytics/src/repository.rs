//! All SQL of the analytics service.

use std::collections::HashMap;

use analytics_client::ReportName;
use chrono::{DateTime, NaiveDate, Utc};
use database::{Connection, Error};
use events::{Envelope, EventId};
use futures_util::future::try_join;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::facts::Tally;

/// Serialises the writers of facts and figures: an advisory lock of the transaction.
const WRITER: i64 = 0x0061_6e61_6c79; // "analy"

database::statements! {
    /// Keeps every event, once.
    ARCHIVE = "INSERT INTO events_archive (event_id, occurred_at, event_type, envelope)
        SELECT event_id, occurred_at, event_type, envelope::json
        FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[])
            AS event (event_id, occurred_at, event_type, envelope)
        ORDER BY event_id
        ON CONFLICT (event_id) DO NOTHING";
    /// The archive, oldest first, a page at a time.
    READ_ARCHIVE = "SELECT event_id, envelope::text AS envelope FROM events_archive
        WHERE event_id > $1 ORDER BY event_id LIMIT $2";
    /// One writer at a time.
    LOCK = "SELECT pg_advisory_xact_lock($1)";
    /// What is known of orders and carts. A statement of its own, since it has to see what the lock was waiting for.
    LOAD = "SELECT id, state::text AS state FROM facts WHERE id = ANY($1)";
    /// Remembers what is known now.
    STORE_FACTS = "INSERT INTO facts (id, state)
        SELECT id, state::json FROM unnest($1::uuid[], $2::text[]) AS fact (id, state)
        ON CONFLICT (id) DO UPDATE SET state = excluded.state, updated_at = now()";
    /// Adds to the figures of all reports.
    ADD_FIGURES = "INSERT INTO reports AS kept (name, day, dimension, currency, label, count, quantity, amount)
        SELECT name, day, dimension, currency, label, count, quantity, amount
        FROM unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::numeric[])
            AS more (name, day, dimension, currency, label, count, quantity, amount)
        ON CONFLICT (name, day, dimension, currency) DO UPDATE
        SET count = kept.count + excluded.count, quantity = kept.quantity + excluded.quantity,
            amount = kept.amount + excluded.amount, updated_at = now(),
            label = CASE WHEN excluded.label = '' THEN kept.label ELSE excluded.label END";
    /// Before rebuilding.
    FORGET_FIGURES = "DELETE FROM reports";
    /// Before rebuilding.
    FORGET_FACTS = "DELETE FROM facts";
    /// When each report last changed.
    UPDATED = "SELECT name, max(updated_at) AS updated_at FROM reports GROUP BY name";
    /// The figures of a report over some days.
    FIGURES = "SELECT day, dimension, currency, count, quantity, amount FROM reports
        WHERE name = $1 AND day BETWEEN $2 AND $3 AND (count <> 0 OR quantity <> 0 OR amount <> 0)
        ORDER BY day, dimension, currency";
    /// The dimensions of a report with the largest quantities over some days.
    LARGEST = "SELECT dimension, currency, (array_agg(label ORDER BY day DESC))[1] AS label,
            sum(count)::bigint AS count, sum(quantity)::bigint AS quantity, sum(amount) AS amount
        FROM reports WHERE name = $1 AND day BETWEEN $2 AND $3
        GROUP BY dimension, currency HAVING sum(quantity) > 0
        ORDER BY sum(quantity) DESC, sum(amount) DESC, dimension LIMIT $4";
}

pub(crate) async fn archive(tx: &Connection, batch: &[Envelope]) -> Result<(), Error> {
    let ids: Vec<EventId> = batch.iter().map(|envelope| envelope.event_id).collect();
    let times: Vec<DateTime<Utc>> = batch.iter().map(|envelope| envelope.timestamp).collect();
    let types: Vec<&str> = batch.iter().map(|envelope| envelope.event_type.as_str()).collect();
    let envelopes: Vec<String> = batch
        .iter()
        .map(|envelope| serde_json::to_string(envelope).expect("an envelope holds only what JSON can say"))
        .collect();
    tx.execute(ARCHIVE, &[&ids, &times, &types, &envelopes]).await?;
    Ok(())
}

/// An archived event, unparsed.
pub(crate) struct Archived {
    pub event_id: EventId,
    pub envelope: String,
}

/// The `limit` archived events after that one.
pub(crate) async fn read_archive(tx: &Connection, after: EventId, limit: i64) -> Result<Vec<Archived>, Error> {
    let rows = tx.query(READ_ARCHIVE, &[&after, &limit]).await?;
    Ok(rows.iter().map(|row| Archived { event_id: row.get("event_id"), envelope: row.get("envelope") }).collect())
}

/// Becomes the one writer until the end of the transaction, and reads what is known.
pub(crate) async fn lock_and_load(tx: &Connection, ids: &[Uuid]) -> Result<HashMap<Uuid, String>, Error> {
    // Prepared before, the two are sent in this order at once.
    tx.prepare(LOCK).await?;
    tx.prepare(LOAD).await?;
    let (_, rows) = try_join(tx.query_one(LOCK, &[&WRITER]), tx.query(LOAD, &[&ids])).await?;
    Ok(rows.iter().map(|row| (row.get("id"), row.get("state"))).collect())
}

/// Writes what is known now, and adds to the figures.
pub(crate) async fn store(tx: &Connection, facts: &[(Uuid, String)], tally: &Tally) -> Result<(), Error> {
    let facts = async {
        if facts.is_empty() {
            return Ok(0);
        }
        let (ids, states): (Vec<Uuid>, Vec<&str>) = facts.iter().map(|(id, state)| (*id, state.as_str())).unzip();
        tx.execute(STORE_FACTS, &[&ids, &states]).await
    };
    let figures = async { if tally.rows().len() == 0 { Ok(()) } else { add_figures(tx, tally).await } };
    try_join(facts, figures).await?;
    Ok(())
}

async fn add_figures(tx: &Connection, tally: &Tally) -> Result<(), Error> {
    let names: Vec<&str> = tally.rows().map(|(key, _)| key.report.as_str()).collect();
    let days: Vec<NaiveDate> = tally.rows().map(|(key, _)| key.day).collect();
    let dimensions: Vec<&str> = tally.rows().map(|(key, _)| key.dimension.as_str()).collect();
    let currencies: Vec<&str> = tally.rows().map(|(key, _)| key.currency.as_str()).collect();
    let labels: Vec<&str> = tally.rows().map(|(_, figures)| figures.label.as_deref().unwrap_or_default()).collect();
    let counts: Vec<i64> = tally.rows().map(|(_, figures)| figures.count).collect();
    let quantities: Vec<i64> = tally.rows().map(|(_, figures)| figures.quantity).collect();
    let amounts: Vec<Decimal> = tally.rows().map(|(_, figures)| figures.amount).collect();
    tx.execute(ADD_FIGURES, &[&names, &days, &dimensions, &currencies, &labels, &counts, &quantities, &amounts])
        .await?;
    Ok(())
}

/// Becomes the one writer and forgets all facts and figures.
pub(crate) async fn lock_and_forget(tx: &Connection) -> Result<(), Error> {
    tx.query_one(LOCK, &[&WRITER]).await?;
    tx.execute(FORGET_FIGURES, &[]).await?;
    tx.execute(FORGET_FACTS, &[]).await?;
    Ok(())
}

/// When each report last changed, for those that ever did.
pub(crate) async fn updated(db: &Connection) -> Result<HashMap<String, DateTime<Utc>>, Error> {
    Ok(db.query(UPDATED, &[]).await?.iter().map(|row| (row.get("name"), row.get("updated_at"))).collect())
}

/// A row of the table `reports`.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub day: NaiveDate,
    pub dimension: String,
    pub currency: String,
    pub label: String,
    pub count: i64,
    pub quantity: i64,
    pub amount: Decimal,
}

/// By day, dimension and currency.
pub(crate) async fn figures(
    db: &Connection,
    report: ReportName,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Row>, Error> {
    let rows = db.query(FIGURES, &[&report.as_str(), &from, &to]).await?;
    Ok(rows
        .iter()
        .map(|row| Row {
            day: row.get("day"),
            dimension: row.get("dimension"),
            currency: row.get("currency"),
            label: String::new(),
            count: row.get("count"),
            quantity: row.get("quantity"),
            amount: row.get("amount"),
        })
        .collect())
}

/// By quantity over all these days, the largest first; `day` is the first one.
pub(crate) async fn largest(
    db: &Connection,
    report: ReportName,
    from: NaiveDate,
    to: NaiveDate,
    limit: i64,
) -> Result<Vec<Row>, Error> {
    let rows = db.query(LARGEST, &[&report.as_str(), &from, &to, &limit]).await?;
    Ok(rows
        .iter()
        .map(|row| Row {
            day: from,
            dimension: row.get("dimension"),
            currency: row.get("currency"),
            label: row.get("label"),
            count: row.get("count"),
            quantity: row.get("quantity"),
            amount: row.get("amount"),
        })
        .collect())
}
