//! What keeps a schema's own tables bounded: partitions made ahead and dropped by age, old
//! idempotency records pruned.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::{Builder, Uuid};

use crate::{Database, Error};

crate::statements! {
    PARTITIONS = "SELECT keep_event_partitions($1, $2)";
    /// The oldest come first, so that it never reads all of them to find none.
    PRUNE_EVENTS = "DELETE FROM idempotency_records
        WHERE ctid = ANY(ARRAY(SELECT ctid FROM (SELECT ctid, created_at FROM idempotency_records
                                                 WHERE action NOT LIKE 'http:%' ORDER BY id LIMIT 10000) AS oldest
                               WHERE created_at < now() - make_interval(days => $1)))";
    PRUNE_ATTEMPTS = "DELETE FROM failed_attempts
        WHERE ctid = ANY(ARRAY(SELECT ctid FROM failed_attempts
                               WHERE failed_at < now() - make_interval(days => $1) LIMIT 10000))";
    PRUNE_ACTS = "DELETE FROM operator_acts WHERE id < $1";
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
    /// What operators did.
    pub acts_days: i32,
}

impl Default for Retention {
    fn default() -> Self {
        Retention { events_days: 30, applied_days: 30, keys_hours: 24, acts_days: 365 }
    }
}

/// Does all of it once. Call it at start and then every hour.
pub async fn run_once(database: &Database, keep: &Retention) -> Result<(), Error> {
    let db = database.read().await?;
    db.execute(PARTITIONS, &[&DAYS_AHEAD, &keep.events_days]).await?;
    let prunes =
        [(PRUNE_EVENTS, keep.applied_days), (PRUNE_ATTEMPTS, keep.applied_days), (PRUNE_KEYS, keep.keys_hours)];
    for (prune, age) in prunes {
        while db.execute(prune, &[&age]).await? > 0 {}
    }
    db.execute(PRUNE_ACTS, &[&first_id_of(Utc::now() - TimeDelta::days(keep.acts_days.into()))]).await?;
    Ok(())
}

/// The least id that is made then: version 7 begins with the time.
fn first_id_of(time: DateTime<Utc>) -> Uuid {
    let since_1970_ms = u64::try_from(time.timestamp_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(since_1970_ms, &[0; 10]).into_uuid()
}
