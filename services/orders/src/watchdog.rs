//! Finds sagas that nobody moved in time, and tells how many are open.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{Orders, repository, runner};

const BATCH: i64 = 100;

/// The states in which a saga may stand that has not ended.
const OPEN: [&str; 6] = ["PENDING", "CART_VALIDATED", "INVENTORY_RESERVED", "FAILED", "CANCELLING", "STUCK"];

/// Runs until `shutdown`. Several may run: each takes rows that no other holds.
pub async fn background(service: Arc<Orders>, shutdown: CancellationToken) {
    let forget = service.addresses.walk_daily(&service.database, "forget addresses", &shutdown);
    tokio::join!(watch(&service, &shutdown), forget);
}

async fn watch(service: &Orders, shutdown: &CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(service.config.watch_interval) => {}
            () = shutdown.cancelled() => return,
        }
        if let Err(error) = round(service).await {
            tracing::warn!(%error, "the watchdog could not look at the sagas; it looks again");
        }
    }
}

async fn round(service: &Orders) -> Result<(), database::Error> {
    loop {
        let config = service.config.clone();
        let expired: usize =
            service.database.write(move |tx| Box::pin(async move { runner::expire(tx, &config, BATCH).await })).await?;
        if expired < usize::try_from(BATCH).unwrap_or(usize::MAX) {
            break;
        }
    }
    let db = service.database.read().await?;
    let open = repository::sagas::open_by_status(&db).await?;
    for status in OPEN {
        // Never zero in between: whoever reads the metrics at that moment would take an alert back.
        let count = open.iter().find(|(found, _)| found == status).map_or(0, |(_, count)| *count);
        metrics::gauge!("sagas_open", "status" => status).set(count as f64);
    }
    Ok(())
}
