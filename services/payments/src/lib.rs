//! Payments: charges an order once, gives money back, and never takes "unknown" for "no".
//!
//! An order asks with `PaymentRequested`: the intent is stored first, then the provider is called outside
//! any transaction with the payment's id as idempotency key, then the result is stored together with the
//! event that tells the order. A lost answer is asked for again with the same key until the truth is known.

mod announce;
mod api;
mod consumers;
mod gauges;
mod handlers;
/// Open for the proof, which calls these decisions.
#[doc(hidden)]
pub mod model;
mod provider;
mod recorder;
mod repository;
mod test_provider;
mod worker;

use std::sync::Arc;

use database::Database;
use database::migrate::{MigrateError, Migrations};
use include_dir::{Dir, include_dir};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

pub use api::router;
pub use consumers::consumers;
pub use provider::{Charge, ChargeOutcome, PaymentProvider, Reversal, ReversalOutcome, Unanswered};
pub use test_provider::TestProvider;
pub use worker::PaymentsConfig;

use worker::{Answered, Worker};

/// Name of the service: its role is `prost_payments`.
pub const SERVICE: &str = "payments";
/// The schema it owns.
pub const SCHEMA: &str = "payments";
/// Its tables, besides those every schema has.
pub const TABLES: &[&str] = &["payments", "refunds", "test_provider_charges", "test_provider_refunds"];

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Its migrations, the foundation included.
pub fn migrations() -> Result<Migrations, MigrateError> {
    Migrations::of_service(SERVICE, SCHEMA, &MIGRATIONS)
}

/// Every statement, by name, for the test that prepares them.
pub fn statements() -> Vec<(&'static str, &'static str)> {
    [repository::ALL, gauges::ALL, test_provider::ALL].concat()
}

/// The service.
pub struct Payments {
    database: Database,
    worker: Arc<Worker>,
    answers: Mutex<mpsc::Receiver<Answered>>,
}

impl Payments {
    /// A service that lets `provider` move the money. It calls it only while [`background`] runs.
    pub fn new(database: Database, provider: Arc<dyn PaymentProvider>, config: PaymentsConfig) -> Arc<Payments> {
        let (sender, answers) = mpsc::channel(config.concurrency.max(1));
        let worker = Arc::new(Worker::new(database.clone(), provider, config, sender));
        Arc::new(Payments { database, worker, answers: Mutex::new(answers) })
    }
}

/// Calls the provider and records its answers until `shutdown`; ends when every call under way is recorded.
pub async fn background(service: Arc<Payments>, shutdown: CancellationToken) {
    let mut answers = service.answers.lock().await;
    let finished = CancellationToken::new();
    let work = async {
        service.worker.run(&shutdown).await;
        finished.cancel();
    };
    let count = gauges::run(&service.database, &shutdown);
    tokio::join!(work, recorder::run(&service.worker, &mut answers, &finished), count);
}
