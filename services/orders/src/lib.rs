//! Orders: places them, and carries each through its saga until it is confirmed or undone.

mod api;
mod consumers;
mod durations;
mod handlers;
mod model;
mod placement;
mod privacy;
mod reconciliation;
mod repository;
mod runner;
pub mod saga;
mod watchdog;

use std::sync::Arc;
use std::time::Duration;

use cart_client::CartApi;
use database::migrate::{MigrateError, Migrations};
use database::{Database, OldRows};
use include_dir::{Dir, include_dir};
use placement::Placements;

pub use api::router;
pub use consumers::consumers;
pub use reconciliation::reconcile;
pub use watchdog::background;

/// The service's name.
pub const SERVICE: &str = "orders";
/// Its schema.
pub const SCHEMA: &str = "orders";
/// Its tables.
pub const TABLES: &[&str] =
    &["orders", "order_items", "saga_states", "compensation_log", "inventory_reservations", "timeline"];

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// The migrations of its schema.
pub fn migrations() -> Result<Migrations, MigrateError> {
    Migrations::of_service(SERVICE, SCHEMA, &MIGRATIONS)
}

/// Every SQL statement, by name.
pub fn statements() -> Vec<(&'static str, &'static str)> {
    [repository::ALL, repository::sagas::ALL, reconciliation::ALL, privacy::ALL].concat()
}

/// How long sagas wait.
#[derive(Debug, Clone)]
pub struct OrdersConfig {
    /// For the cart's word and for the stock.
    pub reservation_deadline: Duration,
    /// For the payment; shorter than the products' hold (1 hour), so that no paid order loses its stock.
    pub payment_deadline: Duration,
    /// For the answer to an undo, the first time; doubles with each repetition.
    pub undo_patience: Duration,
    /// For the answer to an undo, at most.
    pub undo_patience_max: Duration,
    /// How often the watchdog looks for sagas whose time is over.
    pub watch_interval: Duration,
    /// An order that is over keeps its address for so long.
    pub addresses_kept_days: i32,
    /// How often a piece of all orders is compared with their payments.
    pub reconcile_interval: Duration,
}

impl Default for OrdersConfig {
    fn default() -> Self {
        OrdersConfig {
            reservation_deadline: Duration::from_secs(15 * 60),
            payment_deadline: Duration::from_secs(30 * 60),
            undo_patience: Duration::from_secs(10),
            undo_patience_max: Duration::from_secs(5 * 60),
            watch_interval: Duration::from_secs(1),
            addresses_kept_days: 180,
            reconcile_interval: Duration::from_secs(60),
        }
    }
}

/// The service.
pub struct Orders {
    database: Database,
    cart: Arc<dyn CartApi>,
    addresses: OldRows,
    placements: Placements,
    config: OrdersConfig,
}

impl Orders {
    /// Orders over its database, asking `cart` to check out.
    pub fn new(database: Database, cart: Arc<dyn CartApi>, config: OrdersConfig) -> Arc<Orders> {
        let addresses = privacy::addresses(config.addresses_kept_days);
        let placements = placement::gathering(database.clone(), config.reservation_deadline);
        Arc::new(Orders { database, cart, placements, addresses, config })
    }
}
