//! The catalogue and its stock: products, categories, pictures, and holds for orders.
//!
//! A product's stock moves in three ways. An admin sets or adjusts it ([`handlers`]); an order holds it, and the
//! hold is committed or given back ([`consumers`], decided by [`model::stock`]). What was received is the sum of
//! `inventory_history.change`; what is held or sold are the open lines of `inventory_reservations`; `stock_quantity`
//! is what can be sold now. Available + held + sold = received, always.
//!
//! A hold that is past its time is given back by its saga, never by us: see [`background`].

pub mod api;
mod cached;
pub mod consumers;
mod handlers;
pub mod model;
mod presence;
pub mod repository;
mod seed;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cache::Backend;
use database::Database;
use database::migrate::{MigrateError, Migrations};
use include_dir::{Dir, include_dir};
use tokio_util::sync::CancellationToken;

use cached::Cached;
use presence::Presence;

pub use api::router;
pub use consumers::consumers;
pub use repository::statements;
pub use seed::{SeedReport, seed};

/// The service's name: its role is `prost_products`, its queues begin with it.
pub const SERVICE: &str = "products";

/// The schema it owns.
pub const SCHEMA: &str = "catalog";

/// Its tables, besides those that every schema has.
pub const TABLES: &[&str] =
    &["categories", "products", "pictures", "inventory_history", "order_holds", "inventory_reservations"];

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// How its schema is built.
pub fn migrations() -> Result<Migrations, MigrateError> {
    Migrations::of_service(SERVICE, SCHEMA, &MIGRATIONS)
}

/// Unused uploads that are taken away at once, and how often that happens while one may lie unused: it takes a look
/// at every product.
const PRUNED_AT_ONCE: i64 = 1000;
const PRUNES_PER_GRACE: u32 = 24;

/// What can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductsConfig {
    /// How long a hold is meant to last; longer than the saga's own deadline.
    pub hold_for: Duration,
    /// How long a hold may stay past its time before it is reported.
    pub overdue_grace: Duration,
    /// How often overdue holds are looked for.
    pub sweep_interval: Duration,
    /// How long an uploaded picture may lie here without a product that shows it.
    pub picture_grace: Duration,
}

impl Default for ProductsConfig {
    fn default() -> Self {
        ProductsConfig {
            hold_for: Duration::from_secs(60 * 60),
            overdue_grace: Duration::from_secs(10 * 60),
            sweep_interval: Duration::from_secs(60),
            picture_grace: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// The products service; as `Arc<dyn ProductsApi>` it is the client inside one process.
pub struct Products {
    database: Database,
    config: ProductsConfig,
    cached: Cached,
    presence: Mutex<Option<Presence>>,
}

impl Products {
    /// The service on its own schema. It keeps copies in this process once [`background`] has made sure that no
    /// other process writes the same catalogue.
    pub fn new(database: Database, config: ProductsConfig) -> Arc<Products> {
        Products::with_cache(database, config, Backend::in_process())
    }

    /// The same with another cache: see [`redis_cache`].
    pub fn with_cache(database: Database, config: ProductsConfig, cache: Backend) -> Arc<Products> {
        Arc::new(Products { database, config, cached: Cached::new(cache), presence: Mutex::default() })
    }

    /// Makes this process known to the others on this database, before it writes: one that relied on being alone
    /// then keeps no copies any more. [`background`] keeps it so.
    pub async fn join(&self) -> Result<(), service::Error> {
        let presence = Presence::join(&self.database).await?;
        *self.presence.lock().unwrap_or_else(PoisonError::into_inner) = Some(presence);
        Ok(())
    }
}

/// A cache in Redis for all processes on this database, whatever else lies in that Redis.
///
/// Errors: the URL is none, or the database cannot be asked what it is.
pub async fn redis_cache(database: &Database, url: &str) -> Result<Backend, service::Error> {
    let identity = repository::presence::identity(&database.read().await?).await?;
    Backend::redis(url, &format!("prost:{SERVICE}:{identity}")).map_err(service::Error::internal)
}

/// Keeps this process known to others ([`Products::join`]), takes unused uploads away, and reports holds that are past
/// their time, until `shutdown`.
///
/// As to the holds, it gives nothing back. Whether an order still needs its hold is known to its saga alone: a clock of ours could
/// take back what a payment in this very second pays for, and two clocks must not decide one thing. The saga has a
/// deadline of its own, shorter than a hold, and asks for the release (a release after the hold's time is booked
/// as `expired`); a request that is not answered is repeated until it is. Orders places an order only after it
/// has stored it, so there is no hold whose order is unknown. An overdue hold therefore means that a saga is stuck,
/// or that orders is down: `products_overdue_hold_lines` and a warning say so, `prost saga` helps.
pub async fn background(service: Arc<Products>, shutdown: CancellationToken) {
    let held = service.presence.lock().unwrap_or_else(PoisonError::into_inner).take();
    let ProductsConfig { sweep_interval, picture_grace, .. } = service.config;
    let prune_interval = (picture_grace / PRUNES_PER_GRACE).max(Duration::from_secs(1));
    tokio::join!(
        presence::keep(&service.database, &service.cached.backend, held, &shutdown),
        every(sweep_interval, &shutdown, || service.report_overdue()),
        every(prune_interval, &shutdown, || service.prune_pictures()),
    );
}

/// Does `work` now and then. What fails is tried again the next time.
async fn every<F>(interval: Duration, shutdown: &CancellationToken, work: impl Fn() -> F)
where
    F: Future<Output = Result<(), service::Error>>,
{
    let mut tick = tokio::time::interval(interval);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = work().await {
            tracing::warn!(?error, "background work failed; it is tried again");
        }
    }
}

impl Products {
    /// A bounded number; the next sweep goes on.
    async fn prune_pictures(&self) -> Result<(), service::Error> {
        let grace = self.config.picture_grace;
        let prune = self.database.write_statement(move |tx| {
            Box::pin(async move { repository::pictures::prune(tx, grace, PRUNED_AT_ONCE).await })
        });
        let pruned = prune.await?;
        if pruned > 0 {
            tracing::info!(pruned, "took away uploaded pictures that no product shows");
        }
        Ok(())
    }

    async fn report_overdue(&self) -> Result<(), service::Error> {
        let db = self.database.read().await?;
        let (lines, oldest) = repository::stock::overdue(&db, self.config.overdue_grace).await?;
        metrics::gauge!("products_overdue_hold_lines").set(lines as f64);
        if let Some(order_id) = oldest {
            tracing::warn!(lines, %order_id, "stock is held past its time; look at the saga of the oldest order");
        }
        Ok(())
    }
}
