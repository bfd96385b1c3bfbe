//! Accounts: registration, login, sessions, profiles. The only service that signs tokens.
//!
//! It publishes and consumes nothing: registration and login succeed or fail at once.

mod accounts;
mod api;
mod config;
mod handlers;
mod hasher;
mod model;
mod repository;
mod sessions;

use std::sync::Arc;

use database::Database;
use database::migrate::{MigrateError, Migrations};
use include_dir::{Dir, include_dir};
use service::TokenKeys;
use tokio_util::sync::CancellationToken;

pub use accounts::{Account, DEMO_LOGINS, DemoLogin, promote};
pub use api::router;
pub use config::UsersConfig;
use hasher::Hasher;

/// The service's name: its role, its part of every queue's name.
pub const SERVICE: &str = "users";
/// The schema it owns.
pub const SCHEMA: &str = "users";
/// Its tables, besides those that every schema shares.
pub const TABLES: &[&str] = &["users", "refresh_tokens", "login_failures"];

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// The versions of its schema.
pub fn migrations() -> Result<Migrations, MigrateError> {
    Migrations::of_service(SERVICE, SCHEMA, &MIGRATIONS)
}

/// Every statement of its repository, by name.
pub fn statements() -> Vec<(&'static str, &'static str)> {
    repository::ALL.to_vec()
}

/// It consumes nothing.
pub fn consumers(_service: &Arc<Users>) -> Vec<messaging::Consumer> {
    Vec::new()
}

/// The users service. Implements [`users_client::UsersApi`]: who calls, may they, then the work.
pub struct Users {
    database: Database,
    keys: TokenKeys,
    hasher: Hasher,
    config: UsersConfig,
}

impl Users {
    /// Puts the service together and starts its hashing threads; they end when it is dropped.
    pub fn new(database: Database, keys: TokenKeys, config: UsersConfig) -> Arc<Users> {
        let hasher = Hasher::start(&config);
        Arc::new(Users { database, keys, hasher, config })
    }
}

/// Removes what is over, once an hour: expired refresh tokens and login failures nobody counts any more.
pub async fn background(service: Arc<Users>, shutdown: CancellationToken) {
    let mut hourly = tokio::time::interval(std::time::Duration::from_secs(60 * 60));
    loop {
        tokio::select! {
            _ = hourly.tick() => {}
            () = shutdown.cancelled() => return,
        }
        if let Err(error) = service.prune().await {
            tracing::warn!(%error, "could not prune sessions and login failures; the next round tries again");
        }
    }
}
