//! Which SQL statements take the time, as pg_stat_statements counts it.

use serde::Serialize;

use super::shop::Shop;
use crate::error::{Error, Result};

/// Statements that are told.
const MOST: i64 = 25;

/// Each, and all together, which comes first.
const TOP: &str = "SELECT 'all statements' AS text, sum(calls)::bigint AS calls, sum(total_exec_time) AS total_ms
        FROM pg_stat_statements
    UNION ALL SELECT * FROM (
        SELECT regexp_replace(left(query, 140), '\\s+', ' ', 'g'), calls, total_exec_time
        FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT $1) AS costliest";
/// The shop is new: all its orders were made while statements were counted, those of the warm-up among them.
const ORDERS: &str = "SELECT count(*) AS orders FROM orders.orders";

/// The setting that makes PostgreSQL able to count, from its next start.
pub const LOAD: &str = "shared_preload_libraries = 'pg_stat_statements'";

/// What one statement took.
#[derive(Debug, Serialize)]
pub struct Statement {
    /// Its beginning.
    pub text: String,
    /// Executions per order.
    pub calls_per_journey: f64,
    /// Milliseconds of one execution.
    pub mean_ms: f64,
    /// Milliseconds per order.
    pub ms_per_journey: f64,
}

/// Begins to count.
pub async fn begin(shop: &Shop) -> Result<()> {
    let owner = shop.owner().await?;
    let count = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT pg_stat_statements_reset()";
    owner.batch_execute(count).await.map_err(|error| unavailable(&error))
}

/// What was counted, the costliest first.
pub async fn end(shop: &Shop) -> Result<Vec<Statement>> {
    let owner = shop.owner().await?;
    let journeys: i64 = owner.query_one(ORDERS, &[]).await.map_err(|error| unavailable(&error))?.get("orders");
    let rows = owner.query(TOP, &[&MOST]).await.map_err(|error| unavailable(&error))?;
    let per_journey = |figure: f64| figure / journeys.max(1) as f64;
    Ok(rows
        .iter()
        .map(|row| {
            let (calls, total_ms): (i64, f64) = (row.get("calls"), row.get("total_ms"));
            Statement {
                text: row.get("text"),
                calls_per_journey: per_journey(calls as f64),
                mean_ms: total_ms / calls.max(1) as f64,
                ms_per_journey: per_journey(total_ms),
            }
        })
        .collect())
}

fn unavailable(error: &tokio_postgres::Error) -> Error {
    Error::failed(
        format!("PostgreSQL does not count statements: {error}"),
        "Install its contrib modules, or leave out --profile",
    )
}
