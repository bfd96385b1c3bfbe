//! What a service checks before it takes work.

use crate::migrate::Migrations;
use crate::{Database, Error};

/// Why a service refuses to start.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// The database cannot be asked.
    #[error("cannot check the database: {0}. Is it running, is DATABASE_URL right, and was `prost migrate up` run?")]
    Database(#[from] Error),
    /// The connection sees another schema than the service's own.
    #[error(
        "connected to schema `{found}`, but this service owns `{expected}`. Run `prost migrate up` with the owner's login"
    )]
    WrongSchema {
        /// The service's schema.
        expected: String,
        /// What `current_schema()` says.
        found: String,
    },
    /// Tables are not there.
    #[error("schema `{schema}` lacks the tables {}. Run `prost migrate up`", tables.join(", "))]
    MissingTables {
        /// The service's schema.
        schema: String,
        /// Their names.
        tables: Vec<String>,
    },
    /// Migrations are not applied.
    #[error("schema `{schema}` lacks the migrations {}. Run `prost migrate up`", versions.join(", "))]
    MissingMigrations {
        /// The service's schema.
        schema: String,
        /// Their versions and names.
        versions: Vec<String>,
    },
}

crate::statements! {
    CURRENT_SCHEMA = "SELECT coalesce(current_schema(), '') AS schema";
    TABLES = "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = current_schema()";
    VERSIONS = "SELECT version FROM schema_migrations";
}

/// Tables that every schema shares.
pub const FOUNDATION_TABLES: &[&str] = &["schema_migrations", "idempotency_records", "events", "outbox"];

/// Checks that the schema is the service's own, complete, and migrated. Newer migrations than ours are no error.
pub async fn check(database: &Database, migrations: &Migrations, tables: &[&str]) -> Result<(), StartupError> {
    let schema = database.schema().to_owned();
    let db = database.read().await?;
    let found: String = db.query_one(CURRENT_SCHEMA, &[]).await?.get("schema");
    if found != schema {
        return Err(StartupError::WrongSchema { expected: schema, found });
    }
    let present: Vec<String> = db.query(TABLES, &[]).await?.iter().map(|row| row.get("name")).collect();
    let missing: Vec<String> = FOUNDATION_TABLES
        .iter()
        .chain(tables)
        .filter(|table| !present.iter().any(|name| name == *table))
        .map(|table| (*table).to_owned())
        .collect();
    if !missing.is_empty() {
        return Err(StartupError::MissingTables { schema, tables: missing });
    }
    let applied: Vec<i32> = db.query(VERSIONS, &[]).await?.iter().map(|row| row.get("version")).collect();
    let versions: Vec<String> = migrations
        .list()
        .iter()
        .filter(|migration| !applied.contains(&migration.version))
        .map(|migration| format!("{:04}_{}", migration.version, migration.name))
        .collect();
    if !versions.is_empty() {
        return Err(StartupError::MissingMigrations { schema, versions });
    }
    Ok(())
}
