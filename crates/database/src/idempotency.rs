//! Which events a service has already applied.
//!
//! The record is inserted first, in the transaction of the effect: either both are there or neither.

use std::collections::HashSet;

use events::EventId;
use uuid::Uuid;

use crate::{Connection, Error, Row};

macro_rules! claim {
    ($condition:literal) => {
        concat!(
            "INSERT INTO idempotency_records (event_id, service_name, action, result)
             SELECT event_id, $2, action, '\"applied\"' FROM unnest($1::uuid[], $3::text[]) AS claim (event_id, action)
             ",
            $condition,
            "
             ORDER BY event_id
             ON CONFLICT (event_id, service_name) DO NOTHING
             RETURNING event_id"
        )
    };
}

crate::statements! {
    CLAIM = claim!("");
    /// Does nothing outside of the transaction that it opens.
    CLAIM_OPENING = claim!("WHERE current_setting('transaction_deferrable') = 'on'");
}

/// Records that `service` handles these events, each with the action that handles it, and returns those it had not handled before.
///
/// A copy that another replica is handling right now is waited for: its commit makes ours a duplicate,
/// its rollback makes it fresh.
pub async fn claim(tx: &Connection, service: &str, events: &[(EventId, &str)]) -> Result<HashSet<EventId>, Error> {
    let (ids, actions) = columns(events);
    Ok(ids_of(&tx.query(CLAIM, &[&ids, &service, &actions]).await?))
}

/// As [`claim`], but opens the transaction of [`Database::write_opening`](crate::Database::write_opening), if it is not
/// open yet.
pub async fn claim_opening(
    tx: &Connection,
    service: &str,
    events: &[(EventId, &str)],
) -> Result<HashSet<EventId>, Error> {
    if tx.is_in_transaction() {
        return claim(tx, service, events).await;
    }
    let (ids, actions) = columns(events);
    Ok(ids_of(&tx.open_with(CLAIM_OPENING, &[&ids, &service, &actions]).await?))
}

fn columns<'a>(events: &[(EventId, &'a str)]) -> (Vec<Uuid>, Vec<&'a str>) {
    events.iter().map(|(id, action)| (id.uuid(), *action)).unzip()
}

fn ids_of(rows: &[Row]) -> HashSet<EventId> {
    rows.iter().map(|row| row.get("event_id")).collect()
}
