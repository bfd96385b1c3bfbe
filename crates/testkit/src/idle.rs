//! Waiting for rest: by looking at states, never by sleeping long enough.

use std::time::{Duration, Instant};

use events::topology::{QUEUES, matches};
use messaging::Transport;
use tokio_postgres::Client;

use crate::TestDatabase;

const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Asks until the answer is `Ok`; panics with the last `Err` after `limit`.
pub async fn eventually<T, F>(limit: Duration, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, String>>,
{
    let end = Instant::now() + limit;
    loop {
        match ask().await {
            Ok(value) => return value,
            Err(missing) => assert!(Instant::now() < end, "after {limit:?} still: {missing}"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Waits until the shop is at rest: outboxes empty, nothing ready or delayed in the queues of `consumers`,
/// and each recorded event either applied by each of these services that wants it or in its dead letters.
///
/// # Panics
/// After `limit`, with what is still open.
pub async fn drain_until_idle(database: &TestDatabase, transport: &Transport, consumers: &[&str], limit: Duration) {
    let owner = database.owner().await;
    eventually(limit, || async {
        let mut open = unsent(&owner).await;
        let depths = match transport.depths().await {
            Ok(depths) => depths,
            Err(error) => return Err(format!("the queues cannot be asked: {error}")),
        };
        // RabbitMQ's retry queues are shared by all services; they stand under `prost`.
        let concerned = |service: &str| service == "prost" || consumers.contains(&service);
        for depth in depths.iter().filter(|depth| concerned(&depth.service)) {
            if depth.ready + depth.delayed > 0 {
                open.push(format!("{}: {} ready, {} delayed", depth.queue, depth.ready, depth.delayed));
            }
        }
        for (queue, missing) in unapplied(&owner, consumers).await {
            let dead = depths.iter().find(|depth| depth.queue == queue).map_or(0, |depth| depth.dead);
            if missing > dead {
                open.push(format!("{queue}: {missing} events neither applied nor dead"));
            }
        }
        if open.is_empty() { Ok(()) } else { Err(open.join("; ")) }
    })
    .await;
}

/// The schemas that hold this table.
async fn schemas_with(owner: &Client, table: &str) -> Vec<String> {
    owner
        .query("SELECT schemaname::text AS schema FROM pg_tables WHERE tablename = $1 ORDER BY 1", &[&table])
        .await
        .expect("list the schemas")
        .iter()
        .map(|row| row.get("schema"))
        .collect()
}

async fn unsent(owner: &Client) -> Vec<String> {
    let mut open = Vec::new();
    for schema in schemas_with(owner, "outbox").await {
        let sql =
            format!("SELECT count(*) AS unsent, max(last_error) AS error FROM {schema}.outbox WHERE failed_at IS NULL");
        let row = owner.query_one(&sql, &[]).await.expect("count the outbox");
        let (unsent, error): (i64, Option<String>) = (row.get("unsent"), row.get("error"));
        if unsent > 0 {
            open.push(format!("{schema}.outbox: {unsent} unsent ({})", error.unwrap_or_default()));
        }
    }
    open
}

/// Per queue of these services, how many sent events it wants and its service has not applied.
async fn unapplied(owner: &Client, consumers: &[&str]) -> Vec<(String, i64)> {
    let schemas = schemas_with(owner, "idempotency_records").await;
    assert!(!schemas.is_empty(), "no schema holds idempotency records: nobody consumes here");
    let union = |columns: &str, table: &str| {
        schemas
            .iter()
            .map(|schema| format!("SELECT {columns} FROM {schema}.{table}"))
            .collect::<Vec<_>>()
            .join(" UNION ALL ")
    };
    let sql = format!(
        "SELECT routing_key, count(*) AS missing
         FROM ({}) event
         WHERE exchange = $2
           AND NOT EXISTS (SELECT 1 FROM ({}) failed WHERE failed.event_id = event.event_id)
           AND NOT EXISTS (SELECT 1 FROM ({}) record
                           WHERE record.event_id = event.event_id AND record.service_name = $1)
         GROUP BY routing_key",
        union("event_id, exchange, routing_key", "events"),
        union("event_id", "outbox"),
        union("event_id, service_name", "idempotency_records"),
    );
    let mut missing = Vec::new();
    for queue in QUEUES.iter().filter(|queue| consumers.contains(&queue.service)) {
        let rows = owner.query(&sql, &[&queue.service, &queue.exchange.name()]).await.expect("compare the records");
        let count = rows
            .iter()
            .filter(|row| queue.routing_keys.iter().any(|pattern| matches(pattern, row.get("routing_key"))))
            .map(|row| row.get::<_, i64>("missing"))
            .sum();
        missing.push((queue.name(), count));
    }
    missing
}
