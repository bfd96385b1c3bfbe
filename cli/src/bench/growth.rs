//! A shop with years behind it: products, users and orders by the million, written straight into the tables.

use std::sync::Arc;

use servers::Progress;

use super::fixture::Market;
use super::shop::Shop;
use crate::error::Result;
use crate::wire;

/// Needs `prost.grown`, the size; makes what the two others need in their session.
const BEGIN: &str = include_str!("growth/begin.sql");
/// Products and users.
const CATALOGUE: &str = include_str!("growth/catalogue.sql");
/// Orders, and what they leave behind everywhere.
const ORDERS: &str = include_str!("growth/orders.sql");

/// Grows a new shop, and opens a market of what it then has.
pub async fn grow(shop: &Shop, size: u32, progress: &Progress) -> Result<Arc<Market>> {
    progress.step(format!("loading {size} products, users and orders"));
    tokio::try_join!(load(shop, CATALOGUE, size), load(shop, ORDERS, size))?;
    progress.step("gathering statistics of the loaded tables");
    shop.execute("VACUUM ANALYZE").await?;
    Market::of_grown(shop, size).await
}

async fn load(shop: &Shop, sql: &str, size: u32) -> Result<()> {
    let session = shop.owner().await?;
    for part in [&format!("SET prost.grown = {size}"), BEGIN, sql] {
        session.batch_execute(part).await.map_err(wire::Error::from)?;
    }
    Ok(())
}
