//! The cart: what a shopper means to buy, and the beginning of every checkout.
//!
//! Filling a cart never looks at stock: only the reservation decides. A line keeps the price that the shopper
//! saw when it was last added; if the catalogue's price is another at checkout, the order is refused
//! (`PRICE_CHANGED`), and the cart that comes back shows the present prices. So nobody pays a price that was
//! not shown, and no cart changes its total behind the shopper's back.
//!
//! Names and prices come from a copy of the catalogue, projected from its events; a product that the copy does
//! not know yet is asked for, outside any transaction.

mod api;
mod catalogue;
mod checkout;
mod consumers;
mod filling;
mod handlers;
/// Open for the proof, which calls these decisions.
#[doc(hidden)]
pub mod model;
mod privacy;
mod repository;

use std::sync::Arc;
use std::time::Duration;

use database::migrate::{MigrateError, Migrations};
use database::{Database, OldRows};
use events::Currency;
use include_dir::{Dir, include_dir};
use products_client::ProductsApi;
use tokio_util::sync::CancellationToken;

pub use api::router;
pub use consumers::consumers;
pub use repository::statements;

use catalogue::Catalogue;
use checkout::Checkouts;
use filling::NewCarts;

/// Name of the service: its role, queues and URL.
pub const SERVICE: &str = "cart";

/// The schema that it owns.
pub const SCHEMA: &str = "cart";

/// Its tables, besides those that every schema shares.
pub const TABLES: &[&str] = &["products", "carts", "cart_items", "saga_states", "inventory_locks"];

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Carts left alone are marked in batches of so many.
const ABANDON_BATCH: i64 = 500;

/// The schema's migrations.
pub fn migrations() -> Result<Migrations, MigrateError> {
    Migrations::of_service(SERVICE, SCHEMA, &MIGRATIONS)
}

/// What can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartConfig {
    /// A cart that nobody touched for so long is abandoned.
    pub abandoned_after: Duration,
    /// How often abandoned carts are looked for.
    pub sweep_every: Duration,
    /// A checkout undecided for so long counts as overdue (a metric; orders decides about it).
    pub checkout_overdue_after: Duration,
    /// The currency of an empty cart's total.
    pub default_currency: Currency,
    /// A decided checkout keeps its address for so long.
    pub addresses_kept_days: i32,
}

impl Default for CartConfig {
    fn default() -> Self {
        CartConfig {
            abandoned_after: Duration::from_secs(7 * 24 * 60 * 60),
            sweep_every: Duration::from_secs(60),
            checkout_overdue_after: Duration::from_secs(60 * 60),
            default_currency: Currency::EUR,
            addresses_kept_days: 30,
        }
    }
}

/// The cart service; implements [`cart_client::CartApi`].
pub struct Carts {
    database: Database,
    catalogue: Catalogue,
    addresses: OldRows,
    checkouts: Checkouts,
    new_carts: NewCarts,
    config: CartConfig,
}

impl Carts {
    /// Builds the service on its database. `products` is asked about products that the copy does not know.
    pub fn new(database: Database, products: Arc<dyn ProductsApi>, config: CartConfig) -> Arc<Carts> {
        let catalogue = Catalogue::new(database.clone(), products);
        let addresses = privacy::addresses(config.addresses_kept_days);
        let checkouts = checkout::gathering(database.clone(), config.checkout_overdue_after);
        let new_carts = filling::gathering(database.clone());
        Arc::new(Carts { database, catalogue, checkouts, new_carts, addresses, config })
    }

    /// Marks carts as abandoned that nobody touched for long. Returns how many.
    pub async fn abandon_idle_carts(&self) -> Result<u64, service::Error> {
        let mut abandoned = 0;
        loop {
            let idle = self.config.abandoned_after;
            let marked = self
                .database
                .write_statement(move |db| Box::pin(repository::carts::abandon(db, idle, ABANDON_BATCH)))
                .await?;
            abandoned += marked;
            if marked < ABANDON_BATCH.unsigned_abs() {
                return Ok(abandoned);
            }
        }
    }

    /// How many checkouts are undecided for too long?
    pub async fn overdue_checkouts(&self) -> Result<i64, service::Error> {
        let db = self.database.read().await?;
        Ok(repository::checkouts::overdue(&db).await?)
    }

    async fn sweep(&self) -> Result<(), service::Error> {
        let abandoned = self.abandon_idle_carts().await?;
        if abandoned > 0 {
            tracing::info!(abandoned, "carts were left alone");
            metrics::counter!("carts_abandoned_total").increment(abandoned);
        }
        let overdue = self.overdue_checkouts().await?;
        if overdue > 0 {
            tracing::warn!(overdue, "checkouts are undecided for too long; see `prost saga list`");
        }
        metrics::gauge!("cart_checkouts_overdue").set(f64::from(i32::try_from(overdue).unwrap_or(i32::MAX)));
        Ok(())
    }
}

/// Looks for abandoned carts, overdue checkouts and addresses that nobody needs any more, until `shutdown`.
pub async fn background(service: Arc<Carts>, shutdown: CancellationToken) {
    let forget = service.addresses.walk_daily(&service.database, "forget addresses", &shutdown);
    tokio::join!(sweep(&service, &shutdown), forget);
}

async fn sweep(service: &Carts, shutdown: &CancellationToken) {
    loop {
        if let Err(error) = service.sweep().await {
            tracing::warn!(%error, "could not look for abandoned carts; the next round tries again");
        }
        tokio::select! {
            () = tokio::time::sleep(service.config.sweep_every) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
