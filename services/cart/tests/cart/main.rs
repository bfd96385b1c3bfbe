//! The cart on a real database, with real messages.

mod checkout;
mod filling;
mod news;
mod privacy;
mod rest;
mod support;

use support::Shop;

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let shop = Shop::open().await;
    testkit::prepare_all(&shop.database, &cart::statements()).await;
}

#[tokio::test]
async fn the_schema_has_what_the_service_needs_at_start() {
    let shop = Shop::open().await;
    let migrations = cart::migrations().expect("well-formed");
    database::startup::check(&shop.database, &migrations, cart::TABLES).await.expect("complete");
}
