//! All SQL of the analytics service.

use std::collections::HashMap;

use analytics_client::ReportName;
use chrono::{DateTime, NaiveDate, Utc};
use database::{Connection, Error, ToSql};
use events::{Envelope, EventId};
use futures_util::future::{try_join, try_join3};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::facts::Tally;

/// Serialises the writers of facts and figures: an advisory lock of the transaction.
const WRITER: i64 = 0x0061_6e61_6c79; // "analy"

database::statements! {
    /// Keeps every event, once; for ever, so where somebody lives is left out.
    ARCHIVE = "INSERT INTO events_archive (event_id, occurred_at, event_type, envelope)
        SELECT event_id, occurred_at, event_type, CASE event_type
            WHEN 'CartCheckoutInitiated' THEN jsonb_set(envelope::jsonb, '{payload,shipping_address}',
                '{\"full_name\": \"\", \"line1\": \"\", \"city\": \"\", \"postal_code\": \"\", \"country_code\": \"ZZ\"}', false)::json
            ELSE envelope::json END
        FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[])
            AS event (event_id, occurred_at, event_type, envelope)
        ORDER BY event_id
        ON CONFLICT (event_id) DO NOTHING";
    /// The archive, oldest first, a page at a time.
    READ_ARCHIVE = "SELECT event_id, envelope::text AS envelope FROM events_archive
        WHERE event_id > $1 ORDER BY event_id LIMIT $2";
    /// One writer at a time.
    LOCK = "SELECT pg_advisory_xact_lock($1)";
    /// Which generation is shown, and which one grows.
    GENERATIONS = "SELECT shown, building, actor, began_at, moved_at, done, wanted FROM generations";
    /// What is known of orders and carts. A statement of its own, since it has to see what the lock was waiting for.
    /// The generations are asked for first, for they lead the index: joined, they may be looked at last, and each id then
    /// reads the whole index.
    LOAD = "SELECT generation, id, state::text AS state FROM facts
        WHERE generation = ANY((SELECT ARRAY[shown, building] FROM generations)::int[]) AND id = ANY($1)";
    /// Remembers what is known now.
    STORE_FACTS = "INSERT INTO facts (generation, id, state)
        SELECT $3, id, state::json FROM unnest($1::uuid[], $2::text[]) AS fact (id, state)
        ON CONFLICT (generation, id) DO UPDATE SET state = excluded.state, updated_at = now()";
    /// Adds to the figures of all reports.
    ADD_FIGURES = "INSERT INTO reports AS kept
            (generation, name, day, dimension, currency, label, count, quantity, amount)
        SELECT $9, name, day, dimension, currency, label, count, quantity, amount
        FROM unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::numeric[])
            AS more (name, day, dimension, currency, label, count, quantity, amount)
        ON CONFLICT (generation, name, day, dimension, currency) DO UPDATE
        SET count = kept.count + excluded.count, quantity = kept.quantity + excluded.quantity,
            amount = kept.amount + excluded.amount, updated_at = now(),
            label = CASE WHEN excluded.label = '' THEN kept.label ELSE excluded.label END";
    /// Begins a generation; one that grows already is given up.
    BEGIN_GENERATION = "UPDATE generations SET building = greatest(shown, building) + 1, actor = $1, began_at = now(),
            moved_at = now(), done = 0, wanted = (SELECT count(*) FROM events_archive)
        RETURNING shown, building, actor, began_at, moved_at, done, wanted";
    /// Notes how far a generation is.
    MOVE_ON = "UPDATE generations SET done = done + $2, moved_at = now() WHERE building = $1";
    /// Shows a generation.
    SHOW_GENERATION = "UPDATE generations SET shown = building, building = NULL, moved_at = now() WHERE building = $1";
    /// Gives up this generation if it still grows; without one, whichever grows.
    GIVE_UP = "UPDATE generations SET building = NULL, moved_at = now() WHERE building = coalesce($1::int, building)";
    /// Removes what belongs to no generation, some at a time.
    PRUNE_FACTS = "DELETE FROM facts WHERE ctid = ANY(ARRAY(SELECT facts.ctid FROM facts, generations
        WHERE generation <> shown AND generation IS DISTINCT FROM building LIMIT 10000))";
    /// Removes what belongs to no generation.
    PRUNE_FIGURES = "DELETE FROM reports USING generations
        WHERE generation <> shown AND generation IS DISTINCT FROM building";
    /// When each report last changed.
    UPDATED = "SELECT name, max(updated_at) AS updated_at FROM reports
        WHERE generation = (SELECT shown FROM generations) GROUP BY name";
    /// The figures of a report over some days.
    FIGURES = "SELECT day, dimension, currency, count, quantity, amount FROM reports
        WHERE generation = (SELECT shown FROM generations)
            AND name = $1 AND day BETWEEN $2 AND $3 AND (count <> 0 OR quantity <> 0 OR amount <> 0)
        ORDER BY day, dimension, currency";
    /// The dimensions of a report with the largest quantities over some days.
    LARGEST = "SELECT dimension, currency, (array_agg(label ORDER BY day DESC))[1] AS label,
            sum(count)::bigint AS count, sum(quantity)::bigint AS quantity, sum(amount) AS amount
        FROM reports
        WHERE generation = (SELECT shown FROM generations) AND name = $1 AND day BETWEEN $2 AND $3
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

/// Which generation of facts and figures is shown, and how far the next one is.
#[derive(Debug, Clone)]
pub(crate) struct Generations {
    pub shown: i32,
    pub building: Option<i32>,
    pub actor: Option<String>,
    pub began_at: Option<DateTime<Utc>>,
    pub moved_at: Option<DateTime<Utc>>,
    pub done: i64,
    pub wanted: i64,
}

impl Generations {
    /// All that what comes in goes into.
    pub fn growing(&self) -> impl Iterator<Item = i32> + use<> {
        std::iter::once(self.shown).chain(self.building)
    }
}

fn generations_from(row: &database::Row) -> Generations {
    Generations {
        shown: row.get("shown"),
        building: row.get("building"),
        actor: row.get("actor"),
        began_at: row.get("began_at"),
        moved_at: row.get("moved_at"),
        done: row.get("done"),
        wanted: row.get("wanted"),
    }
}

/// How the generations stand.
pub(crate) async fn generations(db: &Connection) -> Result<Generations, Error> {
    Ok(generations_from(&db.query_one(GENERATIONS, &[]).await?))
}

/// What is known of things, by generation and id.
pub(crate) type Known = HashMap<(i32, Uuid), String>;

/// Becomes the one writer until the end of the transaction, and reads what is known in all growing generations.
pub(crate) async fn lock_and_load(tx: &Connection, ids: &[Uuid]) -> Result<(Generations, Known), Error> {
    // Prepared before, the three are sent in this order at once.
    for statement in [LOCK, GENERATIONS, LOAD] {
        tx.prepare(statement).await?;
    }
    let (_, generations, rows) =
        try_join3(tx.query_one(LOCK, &[&WRITER]), tx.query_one(GENERATIONS, &[]), tx.query(LOAD, &[&ids])).await?;
    let known = rows.iter().map(|row| ((row.get("generation"), row.get("id")), row.get("state")));
    Ok((generations_from(&generations), known.collect()))
}

/// Writes what is known now, and adds to the figures, of one generation.
pub(crate) async fn store(
    tx: &Connection,
    generation: i32,
    facts: &[(Uuid, String)],
    tally: &Tally,
) -> Result<(), Error> {
    let facts = async {
        if facts.is_empty() {
            return Ok(0);
        }
        let (ids, states): (Vec<Uuid>, Vec<&str>) = facts.iter().map(|(id, state)| (*id, state.as_str())).unzip();
        tx.execute(STORE_FACTS, &[&ids, &states, &generation]).await
    };
    let figures = async { if tally.rows().len() == 0 { Ok(()) } else { add_figures(tx, generation, tally).await } };
    try_join(facts, figures).await?;
    Ok(())
}

async fn add_figures(tx: &Connection, generation: i32, tally: &Tally) -> Result<(), Error> {
    let names: Vec<&str> = tally.rows().map(|(key, _)| key.report.as_str()).collect();
    let days: Vec<NaiveDate> = tally.rows().map(|(key, _)| key.day).collect();
    let dimensions: Vec<&str> = tally.rows().map(|(key, _)| key.dimension.as_str()).collect();
    let currencies: Vec<&str> = tally.rows().map(|(key, _)| key.currency.as_str()).collect();
    let labels: Vec<&str> = tally.rows().map(|(_, figures)| figures.label.as_deref().unwrap_or_default()).collect();
    let counts: Vec<i64> = tally.rows().map(|(_, figures)| figures.count).collect();
    let quantities: Vec<i64> = tally.rows().map(|(_, figures)| figures.quantity).collect();
    let amounts: Vec<Decimal> = tally.rows().map(|(_, figures)| figures.amount).collect();
    let parameters: [&(dyn ToSql + Sync); 9] =
        [&names, &days, &dimensions, &currencies, &labels, &counts, &quantities, &amounts, &generation];
    tx.execute(ADD_FIGURES, &parameters).await?;
    Ok(())
}

/// Begins a generation, as the one writer: whoever wrote before has committed to the archive what the new one is to be
/// built from, and whoever writes after writes to the new one, too.
pub(crate) async fn begin_generation(tx: &Connection, actor: &str) -> Result<Generations, Error> {
    tx.query_one(LOCK, &[&WRITER]).await?;
    Ok(generations_from(&tx.query_one(BEGIN_GENERATION, &[&actor]).await?))
}

/// Notes how many more events a generation has read.
pub(crate) async fn move_on(tx: &Connection, generation: i32, events: i64) -> Result<(), Error> {
    tx.execute(MOVE_ON, &[&generation, &events]).await?;
    Ok(())
}

/// Shows a generation, unless it was given up.
pub(crate) async fn show(tx: &Connection, generation: i32) -> Result<bool, Error> {
    tx.query_one(LOCK, &[&WRITER]).await?;
    Ok(tx.execute(SHOW_GENERATION, &[&generation]).await? > 0)
}

/// Gives up this generation if it still grows, or without one whichever grows; whether it did.
pub(crate) async fn give_up(tx: &Connection, generation: Option<i32>) -> Result<bool, Error> {
    tx.query_one(LOCK, &[&WRITER]).await?;
    Ok(tx.execute(GIVE_UP, &[&generation]).await? > 0)
}

/// Removes all that belongs to no generation.
pub(crate) async fn prune(db: &Connection) -> Result<(), Error> {
    db.execute(PRUNE_FIGURES, &[]).await?;
    while db.execute(PRUNE_FACTS, &[]).await? > 0 {}
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
