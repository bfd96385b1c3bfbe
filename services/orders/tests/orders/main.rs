//! Orders on a real PostgreSQL, with real messages, a cart over HTTP, and peers that say what they say.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod batches;
mod hanging_up;
mod http;
mod paging;
mod parallel;
mod placing;
mod privacy;
mod races;
mod saga;
mod support;
mod undoing;
mod watchdog;
mod wishes;

use support::Shop;

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let shop = Shop::open().await;
    testkit::prepare_all(&shop.database, &orders::statements()).await;
}

#[tokio::test]
async fn the_schema_has_what_the_service_needs_at_start() {
    let shop = Shop::open().await;
    database::startup::check(&shop.database, &orders::migrations().unwrap(), orders::TABLES).await.unwrap();
}
