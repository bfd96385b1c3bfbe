//! What can go wrong between a service and its database.

use std::time::Duration;

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

/// A failed statement, or no connection to run it on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection could be had: the server is away, or all connections stayed busy.
    #[error("no database connection: {}", chain(.0))]
    Pool(#[from] PoolError),
    /// The server refused or broke off a statement.
    #[error("{}", describe(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// The server did not answer in time, not even that it cancelled the statement.
    #[error("the database did not answer within {0:?}")]
    TimedOut(Duration),
    /// A statement came after the last ones of its transaction.
    #[error("the transaction has ended")]
    Ended,
    /// Too many wait for the same kind of work already.
    #[error("too many requests wait for the database")]
    Crowded,
    /// A detached transaction panicked; it was rolled back.
    #[error("the transaction was aborted by a panic")]
    Panicked,
}

pub(crate) fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("database error {}: {}", db.code().code(), db.message()),
        None => format!("database connection: {}", chain(error)),
    }
}

/// The error with all its causes: the driver's own text is only "db error".
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

impl Error {
    /// The violated constraint, if that is what happened: the database decides uniqueness.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Error::Postgres(error) => error.as_db_error().and_then(|db| db.constraint()),
            Error::Pool(_) | Error::TimedOut(_) | Error::Crowded | Error::Ended | Error::Panicked => None,
        }
    }

    /// The five-letter SQLSTATE, if the server gave one.
    pub fn sql_state(&self) -> Option<&SqlState> {
        match self {
            Error::Postgres(error) => error.code(),
            Error::Pool(_) | Error::TimedOut(_) | Error::Crowded | Error::Ended | Error::Panicked => None,
        }
    }

    /// The server ended the statement because it took too long. Overload can be the cause, and so can the work
    /// itself: whoever tries again counts.
    pub fn is_overdue(&self) -> bool {
        self.sql_state() == Some(&SqlState::QUERY_CANCELED)
    }

    /// The database is away or overloaded: the same work may succeed later, and nothing is wrong with it.
    pub fn is_unavailable(&self) -> bool {
        match self {
            // The server ends a statement earlier than this, so that it is the server that does not answer.
            Error::Pool(_) | Error::TimedOut(_) | Error::Crowded => true,
            Error::Ended | Error::Panicked => false,
            Error::Postgres(error) => match error.code() {
                // No SQLSTATE: the connection itself broke, unless a value did not fit its column.
                None => error.is_closed() || !is_conversion(error),
                Some(state) => {
                    let class = &state.code()[..2];
                    // 08 connection, 53 resources, 57 operator intervention, 58 system error.
                    let is_away = matches!(class, "08" | "53" | "57" | "58") && !self.is_overdue();
                    is_away || *state == SqlState::READ_ONLY_SQL_TRANSACTION
                }
            },
        }
    }

    /// Two transactions stood in each other's way; the same work may succeed at once.
    pub fn is_conflict(&self) -> bool {
        matches!(
            self.sql_state(),
            Some(
                &SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::LOCK_NOT_AVAILABLE
            )
        )
    }
}

fn is_conversion(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    text.starts_with("error deserializing column")
        || text.starts_with("error serializing parameter")
        || text.starts_with("invalid column")
        || text.starts_with("query returned an unexpected number of rows")
        || text.starts_with("expected ")
}
