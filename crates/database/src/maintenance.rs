//! What keeps a schema's own tables bounded: partitions made ahead and dropped by age, old
//! idempotency records pruned.

use crate::{Database, Error};

crate::statements! {
    PARTITIONS = "SELECT keep_event_partitions($1, $2)";
    PRUNE_EVENTS = "DELETE FROM idempotency_records
        WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency_records
                               WHERE created_at < now() - interval '30 days' AND action NOT LIKE 'http:%' LIMIT 10000))";
    PRUNE_KEYS = "DELETE FROM idempotency_records
        WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency_records
                               WHERE created_at < now() - interval '24 hours' AND action LIKE 'http:%' LIMIT 10000))";
}

/// Partitions are made this many days ahead.
const DAYS_AHEAD: i32 = 7;
/// Recorded events are kept this long; a partition with an unsent event is kept longer.
const DAYS_KEPT: i32 = 30;

/// Does all of it once. Call it at start and then every hour.
pub async fn run_once(database: &Database) -> Result<(), Error> {
    let db = database.read().await?;
    db.execute(PARTITIONS, &[&DAYS_AHEAD, &DAYS_KEPT]).await?;
    for prune in [PRUNE_EVENTS, PRUNE_KEYS] {
        while db.execute(prune, &[]).await? > 0 {}
    }
    Ok(())
}
