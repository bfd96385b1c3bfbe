//! The one place where services, clients, databases and transport are put together.

mod demo;
mod operators;
mod schemas;
mod serve;
mod settings;

use database::migrate::MigrateError;
use database::startup::StartupError;
use service::ConfigError;
use tokio_postgres::error::SqlState;

pub use demo::{DemoLogin, bulk_register, promote, seed};
pub use operators::{accounts, operators, reports, sagas};
pub use schemas::{check_schemas, connect, migrate_down, migrate_status, migrate_up};
pub use serve::serve;
pub use settings::{Messages, Settings};

use crate::service_name::ServiceName;

/// Why the shop could not be wired, served, migrated or filled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A variable is wrong.
    #[error("{0}\n  docs/configuration.md has every variable; ./prost up sets them itself")]
    Config(#[from] ConfigError),
    /// A variable of a feature that this release does not have.
    #[error("{variable} is set, but this release does not have {feature} yet. Unset it")]
    NotYet {
        /// The variable.
        variable: &'static str,
        /// What it would configure.
        feature: &'static str,
    },
    /// The server cannot be reached.
    #[error("cannot connect to the database: {}. Is it running, and is DATABASE_URL right?", describe(.0))]
    Connect(tokio_postgres::Error),
    /// The server refused something.
    #[error("the database refused: {}", describe(.0))]
    Database(#[from] tokio_postgres::Error),
    /// A deploy did not happen.
    #[error("{}{}", .0, advice(.0))]
    Migrate(#[from] MigrateError),
    /// The broker could not be prepared.
    #[error(
        "the databases are migrated, but not the broker: {0}. Is it running, and may AMQP_URL's user declare queues? Then migrate up again"
    )]
    Broker(messaging::TransportError),
    /// A service refuses to start.
    #[error("{service} does not start: {error}")]
    Startup {
        /// Which.
        service: ServiceName,
        /// Why.
        error: StartupError,
    },
    /// A port cannot be listened on.
    #[error("cannot listen on {address} for {service}: {error}. Choose others with PORT or {}_PORT", service.as_str().to_uppercase())]
    Listen {
        /// Which.
        service: ServiceName,
        /// Where.
        address: String,
        /// Why.
        error: std::io::Error,
    },
    /// The reports could not be built again.
    #[error("the reports are as they were: {0}")]
    Reports(#[from] analytics::RebuildError),
    /// A service's own work failed. Faults of ours tell their causes: nobody but the operator reads them here.
    #[error("{}", if .0.status.is_server_error() { format!("{:?}", .0) } else { .0.message.to_string() })]
    Service(#[from] service::Error),
}

fn advice(error: &MigrateError) -> &'static str {
    match error {
        MigrateError::Edited { .. } | MigrateError::OutOfOrder { .. } => {
            "\n  If another build of Prost made this shop, go on with that build, or begin anew: ./prost reset"
        }
        MigrateError::Database(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            "\n  The login of DATABASE_URL has to own its database, and to be allowed to make others: CREATEROLE and CREATEDB"
        }
        _ => "",
    }
}

fn describe(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string),
        |db| db.message().to_owned(),
    )
}
