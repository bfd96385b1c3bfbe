//! Dead letters of the Postgres transport.

use chrono::{DateTime, Utc};
use database::Row;
use events::topology::Queue;
use uuid::Uuid;

use super::PostgresTransport;
use crate::dead_letters::{DeadLetter, DeadLetterFilter, Glance};
use crate::transport::TransportError;

const PAGE: &str = "SELECT letter_id, event_id, exchange, routing_key, body, attempts, reason, dead_at
     FROM messaging.dead_letters_of($1, $2, $3, $4, $5, $6)";
const NAMED: &str = "SELECT letter_id, event_id, exchange, routing_key, body, attempts, reason, dead_at
     FROM messaging.dead_letters_named($1, $2)";
const REPLAY: &str = "SELECT messaging.replay_dead_letters($1, $2, $3) AS letters";
const DISCARD: &str = "SELECT messaging.discard_dead_letters($1, $2) AS letters";

/// Dead letters that hold an event's id, looked through for those of that event.
const MOST_MENTIONS: usize = 1_000;

impl PostgresTransport {
    pub async fn dead_letters(
        &self,
        queue: &Queue,
        filter: &DeadLetterFilter,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, TransportError> {
        let name = queue.name();
        let (after_at, after_id): (Option<DateTime<Utc>>, Option<Uuid>) = filter.after.unzip();
        let max = i32::try_from(limit).unwrap_or(i32::MAX);
        let db = self.database.read().await?;
        let rows = db.query(PAGE, &[&name, &filter.about, &filter.until, &after_at, &after_id, &max]).await?;
        Ok(rows.iter().map(|row| letter(&name, row)).collect())
    }

    pub async fn dead_letters_named(&self, queue: &Queue, ids: &[Uuid]) -> Result<Vec<DeadLetter>, TransportError> {
        let name = queue.name();
        let rows = self.database.read().await?.query(NAMED, &[&name, &ids]).await?;
        let mut letters: Vec<DeadLetter> = rows.iter().map(|row| letter(&name, row)).collect();
        // What did not come through a relay names its event in its body alone.
        for id in ids.iter().filter(|id| rows.iter().all(|row| !is_named(row, **id))) {
            let about = DeadLetterFilter { about: Some(id.to_string()), ..DeadLetterFilter::default() };
            let mentions = self.dead_letters(queue, &about, MOST_MENTIONS).await?;
            letters.extend(mentions.into_iter().filter(|letter| letter.event_id == Some(*id)));
        }
        Ok(letters)
    }

    pub async fn replay_dead_letters(&self, queue: &Queue, letters: &[Uuid]) -> Result<Vec<Uuid>, TransportError> {
        let name = queue.name();
        let db = self.database.read().await?;
        let replayed = db.query_one(REPLAY, &[&self.origin(), &name, &letters]).await?.get("letters");
        self.wakes.wake(&name);
        Ok(replayed)
    }

    pub async fn discard_dead_letters(&self, queue: &Queue, letters: &[Uuid]) -> Result<Vec<Uuid>, TransportError> {
        let db = self.database.read().await?;
        Ok(db.query_one(DISCARD, &[&queue.name(), &letters]).await?.get("letters"))
    }
}

fn is_named(row: &Row, id: Uuid) -> bool {
    row.get::<_, Uuid>("letter_id") == id || row.get::<_, Option<Uuid>>("event_id") == Some(id)
}

fn letter(queue: &str, row: &Row) -> DeadLetter {
    let body: String = row.get("body");
    let glance = Glance::at(&body);
    DeadLetter {
        id: row.get("letter_id"),
        queue: queue.to_owned(),
        event_id: row.get::<_, Option<Uuid>>("event_id").or(glance.event_id),
        event_type: glance.event_type,
        correlation_id: glance.correlation_id,
        exchange: row.get("exchange"),
        routing_key: row.get("routing_key"),
        reason: row.get("reason"),
        attempts: row.get::<_, i32>("attempts").cast_unsigned(),
        dead_at: row.get("dead_at"),
        body,
    }
}
