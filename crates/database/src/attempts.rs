//! Deliveries that failed: how often, and why last. Nothing is written for one that succeeds at once.

use events::EventId;

use crate::{Connection, Error};

crate::statements! {
    NOTE = "INSERT INTO failed_attempts AS failed (event_id, queue, last_error) VALUES ($1, $2, $3)
        ON CONFLICT (event_id, queue) DO UPDATE
        SET attempts = failed.attempts + 1, last_error = excluded.last_error, failed_at = now()";
}

/// Notes that one more attempt to apply this event failed.
pub async fn note(db: &Connection, event: EventId, queue: &str, error: &str) -> Result<(), Error> {
    db.execute(NOTE, &[&event, &queue, &error]).await?;
    Ok(())
}
