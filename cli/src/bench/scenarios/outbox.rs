//! From the commit that records an event to the beginning of the transaction that handles it, at low load: every delivery
//! of real checkouts, told by PostgreSQL's commit timestamps and the consumers' own records.
//!
//! Left out: analytics, which waits on purpose to gather batches, and the gateway's live view, which keeps no records.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use events::topology::QUEUES;
use tokio_postgres::Client;

use super::{Outcome, journeys};
use crate::bench::fixture::Market;
use crate::bench::line::PATIENCE;
use crate::bench::shop::Shop;
use crate::error::Result;
use crate::wire;

/// Between two looks whether everything is handled.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The consumers that are timed.
const SERVICES: [&str; 4] = ["products", "cart", "orders", "payments"];

const NOW: &str = "SELECT clock_timestamp()::text AS now";
/// How many of each kind were recorded since.
const RECORDED: &str = "
    SELECT exchange, routing_key, count(*) AS events FROM (
        SELECT exchange, routing_key FROM catalog.events WHERE recorded_at >= $1::text::timestamptz
        UNION ALL SELECT exchange, routing_key FROM cart.events WHERE recorded_at >= $1::text::timestamptz
        UNION ALL SELECT exchange, routing_key FROM orders.events WHERE recorded_at >= $1::text::timestamptz
        UNION ALL SELECT exchange, routing_key FROM payments.events WHERE recorded_at >= $1::text::timestamptz) AS every
    GROUP BY exchange, routing_key";
/// Milliseconds of each delivery. The clock of both ends is the server's.
const DELIVERIES: &str = "
    WITH recorded AS (
        SELECT event_id, pg_xact_commit_timestamp(xmin) AS at FROM catalog.events WHERE recorded_at >= $1::text::timestamptz
        UNION ALL SELECT event_id, pg_xact_commit_timestamp(xmin) FROM cart.events WHERE recorded_at >= $1::text::timestamptz
        UNION ALL SELECT event_id, pg_xact_commit_timestamp(xmin) FROM orders.events WHERE recorded_at >= $1::text::timestamptz
        UNION ALL SELECT event_id, pg_xact_commit_timestamp(xmin) FROM payments.events WHERE recorded_at >= $1::text::timestamptz),
    handled AS (
        SELECT event_id, created_at FROM catalog.idempotency_records
        UNION ALL SELECT event_id, created_at FROM cart.idempotency_records
        UNION ALL SELECT event_id, created_at FROM orders.idempotency_records
        UNION ALL SELECT event_id, created_at FROM payments.idempotency_records)
    SELECT (extract(epoch FROM handled.created_at - recorded.at) * 1000)::float8 AS ms
    FROM recorded JOIN handled USING (event_id)";

/// Checkouts at this rate, and what became of their events.
pub async fn run(shop: &Shop, market: &Arc<Market>, rate: u32, length: Duration) -> Result<Outcome> {
    let owner = shop.owner().await?;
    let begin: String = owner.query_one(NOW, &[]).await.map_err(wire::Error::from)?.get("now");
    let mut outcome = journeys::latency(shop, market, rate, length).await?;
    let mut latencies = Vec::new();
    if outcome.failures.is_empty() {
        let started = Instant::now();
        loop {
            let wanted = wanted(&owner, &begin).await?;
            latencies = deliveries(&owner, &begin).await?;
            match (latencies.len()).cmp(&wanted) {
                std::cmp::Ordering::Equal => break,
                std::cmp::Ordering::Less if started.elapsed() < PATIENCE => tokio::time::sleep(LOOK_EVERY).await,
                _ => {
                    outcome.failures.push(format!("{wanted} deliveries are due, {} are there", latencies.len()));
                    break;
                }
            }
        }
    }
    // Also those of the warm-up and of the carts that were filled before: at low load they are alike.
    Ok(Outcome { turns: latencies.len(), latencies, ..outcome })
}

/// How many deliveries the recorded events have to bring.
async fn wanted(owner: &Client, begin: &str) -> Result<usize> {
    let mut consumers: HashMap<(&str, &str), usize> = HashMap::new();
    for queue in QUEUES.iter().filter(|queue| SERVICES.contains(&queue.service)) {
        for key in queue.routing_keys {
            *consumers.entry((queue.exchange.name(), key)).or_default() += 1;
        }
    }
    let rows = owner.query(RECORDED, &[&begin]).await.map_err(wire::Error::from)?;
    Ok(rows
        .iter()
        .map(|row| {
            let kind = (row.get("exchange"), row.get("routing_key"));
            consumers.get(&kind).copied().unwrap_or(0) * row.get::<_, i64>("events") as usize
        })
        .sum())
}

async fn deliveries(owner: &Client, begin: &str) -> Result<Vec<Duration>> {
    let rows = owner.query(DELIVERIES, &[&begin]).await.map_err(wire::Error::from)?;
    Ok(rows.iter().map(|row| Duration::from_secs_f64(row.get::<_, f64>("ms").max(0.0) / 1e3)).collect())
}
