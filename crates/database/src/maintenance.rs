//! What keeps a schema's own tables bounded: partitions made ahead and dropped by age, old
//! idempotency records pruned.

use crate::{Database, Error};

crate::statements! {
    PARTITIONS = "SELECT keep_event_partitions($1, $2)";
    PRUNE_EVENTS = "DELETE FROM idempotency_records
        WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency_records
                               WHERE created_at < now() - make_interval(days => $1) AND action NOT LIKE 'http:%' LIMIT 10000))";
    PRUNE_KEYS = "DELETE FROM idempotency_records
        WHERE ctid = ANY(ARRAY(SELECT ctid FROM idempotency_records
                               WHERE created_at < now() - make_interval(hours => $1) AND action LIKE 'http:%' LIMIT 10000))";
}

/// Partitions are made this many days ahead.
const DAYS_AHEAD: i32 = 7;

/// How long a schema keeps what it only keeps for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Recorded events; a partition with an unsent event is kept longer.
    pub events_days: i32,
    /// Which events were applied: longer than any of them can be delivered again, or it would be applied again.
    pub applied_days: i32,
    /// Answers to HTTP idempotency keys.
    pub keys_hours: i32,
}

impl Default for Retention {
    fn default() -> Self {
        Retention { events_days: 30, applied_days: 30, keys_hours: 24 }
    }
}

/// Does all of it once. Call it at start and then every hour.
pub async fn run_once(database: &Database, keep: &Retention) -> Result<(), Error> {
    let db = database.read().await?;
    db.execute(PARTITIONS, &[&DAYS_AHEAD, &keep.events_days]).await?;
    for (prune, age) in [(PRUNE_EVENTS, keep.applied_days), (PRUNE_KEYS, keep.keys_hours)] {
        while db.execute(prune, &[&age]).await? > 0 {}
    }
    Ok(())
}
