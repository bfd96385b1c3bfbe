//! Which events a service has already applied.
//!
//! The record is inserted first, in the transaction of the effect: either both are there or neither.

use std::collections::HashSet;

use events::EventId;
use uuid::Uuid;

use crate::{Connection, Error};

crate::statements! {
    CLAIM = "INSERT INTO idempotency_records (event_id, service_name, action, result)
        SELECT event_id, $2, action, '\"applied\"' FROM unnest($1::uuid[], $3::text[]) AS claim (event_id, action)
        ORDER BY event_id
        ON CONFLICT (event_id, service_name) DO NOTHING
        RETURNING event_id";
}

/// Records that `service` handles these events, each with the action that handles it, and returns those it had not handled before.
///
/// A copy that another replica is handling right now is waited for: its commit makes ours a duplicate,
/// its rollback makes it fresh.
pub async fn claim(tx: &Connection, service: &str, events: &[(EventId, &str)]) -> Result<HashSet<EventId>, Error> {
    let ids: Vec<Uuid> = events.iter().map(|(id, _)| id.uuid()).collect();
    let actions: Vec<&str> = events.iter().map(|(_, action)| *action).collect();
    let rows = tx.query(CLAIM, &[&ids, &service, &actions]).await?;
    Ok(rows.iter().map(|row| row.get("event_id")).collect())
}
