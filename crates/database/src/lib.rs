//! PostgreSQL for a service: one schema, one role, pooled connections, versioned migrations, recorded
//! events with their outbox, and idempotency records.
//!
//! Everything here works inside the schema that a connection's `search_path` names; no statement
//! crosses schemas.

pub mod attempts;
pub mod audit;
mod command;
mod connection;
mod destructive;
mod error;
mod fresh;
mod gathering;
pub mod history;
pub mod idempotency;
pub mod maintenance;
pub mod migrate;
mod old_rows;
pub mod outbox;
mod pool;
pub mod startup;
pub mod trace;

pub use command::Command;
pub use connection::Connection;
pub use error::Error;
pub use fresh::FreshEvents;
pub use gathering::{Answers, Attempt, Failure, Gathering};
pub use old_rows::OldRows;
pub use pool::{Database, Login, PoolLimits};

pub use tokio_postgres::types::ToSql;
pub use tokio_postgres::{Row, Statement};

/// Declares the SQL of a repository: a constant for each statement, and `ALL` for the test that
/// prepares every one of them against the real schema.
///
/// ```ignore
/// database::statements! {
///     /// Finds a user by its id.
///     FIND_USER = "SELECT id, email FROM users WHERE id = $1";
/// }
/// ```
#[macro_export]
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* const $name: &str = $sql;)*
        /// Every statement of this repository, by name.
        pub const ALL: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];
    };
}

/// A boxed future, as the closures of [`Database::write`] return it.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
