//! How much waits, for Prometheus. Asked seldom: one statement for the outbox, and what a look at the queues costs.

use std::sync::Arc;
use std::time::Duration;

use service::Error;
use tokio_util::sync::CancellationToken;

use crate::Operations;

/// As often as most scrape.
const INTERVAL: Duration = Duration::from_secs(15);

/// Samples this service's outbox and queues until `shutdown`.
pub async fn sample(operations: Arc<Operations>, shutdown: CancellationToken) {
    loop {
        if let Err(error) = operations.sample_once().await {
            tracing::debug!(
                service = operations.service,
                ?error,
                "what waits could not be counted; it is counted again"
            );
        }
        if shutdown.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none() {
            return;
        }
    }
}

impl Operations {
    async fn sample_once(&self) -> Result<(), Error> {
        let outbox = self.outbox_status().await?;
        let service = self.service;
        metrics::gauge!("outbox_pending_events", "service" => service).set(count(outbox.pending));
        metrics::gauge!("outbox_oldest_age_seconds", "service" => service).set(count(outbox.oldest_age_s.unwrap_or(0)));
        metrics::gauge!("outbox_failed_events", "service" => service).set(count(outbox.failed));
        for queue in self.backlogs().await? {
            metrics::gauge!("queue_ready_messages", "queue" => queue.name.clone()).set(count(queue.ready));
            metrics::gauge!("queue_dead_letters", "queue" => queue.name.clone()).set(count(queue.dead_letters));
            if let Some(in_flight) = queue.in_flight {
                metrics::gauge!("queue_in_flight_messages", "queue" => queue.name.clone()).set(count(in_flight));
            }
            if let Some(delayed) = queue.delayed {
                metrics::gauge!("queue_delayed_messages", "queue" => queue.name).set(count(delayed));
            }
        }
        Ok(())
    }
}

fn count(count: i64) -> f64 {
    count as f64
}
