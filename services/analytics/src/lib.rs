//! Figures from events alone: an archive of every event, and reports that are exact however the events came.

mod api;
mod changes;
mod consumers;
mod facts;
mod handlers;
mod rebuild;
mod reports;
mod repository;

use std::sync::Arc;
use std::time::Duration;

use database::Database;
use database::migrate::{MigrateError, Migrations};
use events::topology::QUEUES;
use include_dir::{Dir, include_dir};
use messaging::Consumer;

pub use api::router;
use consumers::Recorder;
pub use rebuild::{Next, RebuildError, Rebuilt};

/// The service's name: its role, its part of every queue's name.
pub const SERVICE: &str = "analytics";
/// The schema it owns, in a database of its own.
pub const SCHEMA: &str = "public";
/// Its tables, besides those that every schema shares.
pub const TABLES: &[&str] = &["events_archive", "facts", "reports", "generations"];

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// The versions of its schema.
pub fn migrations() -> Result<Migrations, MigrateError> {
    Migrations::of_service(SERVICE, SCHEMA, &MIGRATIONS)
}

/// Every statement of its repository, by name.
pub fn statements() -> Vec<(&'static str, &'static str)> {
    repository::ALL.to_vec()
}

/// One consumer per exchange: all events there are.
pub fn consumers(service: &Arc<Analytics>) -> Vec<Consumer> {
    QUEUES
        .iter()
        .filter(|queue| queue.service == SERVICE)
        .map(|queue| Consumer { queue, database: service.database.clone(), handler: Arc::new(Recorder) })
        .collect()
}

/// What can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalyticsConfig {
    /// A cart that was not changed for so long counts as abandoned.
    pub abandoned_after: Duration,
}

impl Default for AnalyticsConfig {
    fn default() -> Self {
        AnalyticsConfig { abandoned_after: Duration::from_secs(24 * 60 * 60) }
    }
}

/// The analytics service. Implements [`analytics_client::AnalyticsApi`]: who calls, may they, then the work.
pub struct Analytics {
    database: Database,
    config: AnalyticsConfig,
}

impl Analytics {
    /// Puts the service together.
    pub fn new(database: Database, config: AnalyticsConfig) -> Arc<Analytics> {
        Arc::new(Analytics { database, config })
    }
}
