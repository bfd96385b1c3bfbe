//! Tells Prometheus how many payments are open.

mod repository;

use std::time::Duration;

use database::Database;
use tokio_util::sync::CancellationToken;

pub(crate) use repository::ALL;

/// As often as most scrape.
const INTERVAL: Duration = Duration::from_secs(15);

/// Counts until `shutdown`.
pub(crate) async fn run(database: &Database, shutdown: &CancellationToken) {
    loop {
        if let Err(error) = count(database).await {
            tracing::debug!(%error, "open payments could not be counted; they are counted again");
        }
        if shutdown.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none() {
            return;
        }
    }
}

async fn count(database: &Database) -> Result<(), database::Error> {
    let open = repository::open(&database.read().await?).await?;
    metrics::gauge!("payments_open", "state" => "pending").set(open.pending as f64);
    metrics::gauge!("payments_open", "state" => "unknown").set(open.unknown as f64);
    metrics::gauge!("payments_oldest_open_age_seconds").set(open.oldest_age_s);
    Ok(())
}
