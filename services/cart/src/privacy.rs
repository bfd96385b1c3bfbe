//! Where a checkout was meant to go is orders' business once it is decided: the snapshot stays, its address goes.

use std::sync::Arc;
use std::time::Duration;

use database::{Connection, Error};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Carts;

/// Nothing is urgent here.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);

database::statements! {
    /// One page of those that are old enough, in the order of their ids, which is that of time: it needs no index of
    /// its own. What is kept of an address has the shape of one, so that everybody can still read it.
    FORGET = "WITH page AS MATERIALIZED (
            SELECT id FROM saga_states
            WHERE id > $1 AND id < rpad(lpad(to_hex((extract(epoch FROM now() - make_interval(days => $2)) * 1000)::bigint),
                                             12, '0'), 32, '0')::uuid
            ORDER BY id LIMIT 1000),
        forgotten AS (
            UPDATE saga_states
            SET payload = payload || '{\"shipping_address\": {\"full_name\": \"\", \"line1\": \"\", \"city\": \"\", \"postal_code\": \"\", \"country_code\": \"ZZ\"}}'
            FROM page
            WHERE saga_states.id = page.id AND status <> 'started' AND payload #>> '{shipping_address,line1}' <> ''
            RETURNING saga_states.id)
        SELECT (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last, (SELECT count(*) FROM forgotten) AS forgotten";
}

impl Carts {
    /// Forgets the addresses of checkouts that were decided long ago. Returns of how many.
    pub async fn forget_addresses(&self) -> Result<i64, service::Error> {
        let (mut after, mut forgotten) = (Uuid::nil(), 0);
        loop {
            let days = self.config.addresses_kept_days;
            let (last, count) =
                self.database.write_statement(move |db| Box::pin(async move { forget(db, after, days).await })).await?;
            forgotten += count;
            match last {
                Some(last) => after = last,
                None => return Ok(forgotten),
            }
        }
    }
}

async fn forget(db: &Connection, after: Uuid, days: i32) -> Result<(Option<Uuid>, i64), Error> {
    let row = db.query_one(FORGET, &[&after, &days]).await?;
    Ok((row.get("last"), row.get("forgotten")))
}

/// At the start and every day, until `shutdown`.
pub(crate) async fn run(service: Arc<Carts>, shutdown: CancellationToken) {
    loop {
        match service.forget_addresses().await {
            Ok(0) => {}
            Ok(addresses) => tracing::info!(addresses, "addresses are forgotten"),
            Err(error) => tracing::warn!(%error, "addresses could not be forgotten; the next round tries again"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
