//! Versioned migrations with UP and DOWN.
//!
//! Each schema has its own sequence, and its own `schema_migrations` table that remembers version,
//! name, checksum, time and duration. A deploy covers several schemas, of several databases too, and is all or
//! nothing: if anything of it fails, the migrations that it applied are undone in reverse order.
//!
//! Own code, because no library keeps the contract (UP and DOWN per schema, checksums, undo of a
//! half-failed deploy, guard against data loss); see `docs/adr/0003-migrations.md`.

mod deploy;
mod logins;

use chrono::{DateTime, Utc};
use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};
use tokio_postgres::Client;

pub use self::deploy::{Target, up, up_everywhere};
pub use self::logins::{let_in, role_of};
use crate::destructive;
use crate::error::describe;

static FOUNDATION: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");
/// Serialises deploys: an advisory lock of the whole database.
const DEPLOY_LOCK: i64 = 0x70726f7374; // "prost"

/// One migration: how to get there and how to get back.
#[derive(Debug, Clone)]
pub struct Migration {
    /// Its number; applied in this order.
    pub version: i32,
    /// What it does, from the file name.
    pub name: String,
    /// SQL of UP.
    pub up: String,
    /// SQL of DOWN.
    pub down: String,
    /// SHA-256 of both, so that an edit after applying is noticed.
    pub checksum: String,
}

impl Migration {
    /// Does its DOWN throw data away?
    pub fn loses_data(&self) -> bool {
        destructive::throws_data_away(&self.down)
    }

    fn label(&self) -> String {
        format!("{:04}_{}", self.version, self.name)
    }
}

/// The migrations of one schema, in order.
#[derive(Debug, Clone)]
pub struct Migrations {
    service: String,
    schema: String,
    list: Vec<Migration>,
}

/// Why a deploy did not happen.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A file is misnamed or has no partner.
    #[error("migration file `{0}`: expected NNNN_name.up.sql with NNNN_name.down.sql beside it, numbered without gaps")]
    BadFile(String),
    /// The server cannot be asked.
    #[error("cannot migrate: {}", describe(.0))]
    Database(#[from] tokio_postgres::Error),
    /// Applied, then edited.
    #[error(
        "{schema}: migration {label} was edited after it was applied. Restore the file, and put the change into a new migration"
    )]
    Edited {
        /// The schema.
        schema: String,
        /// The migration.
        label: String,
    },
    /// A lower number than one already applied.
    #[error("{schema}: migration {label} is out of order: {latest:04} is applied already. Give it a higher number")]
    OutOfOrder {
        /// The schema.
        schema: String,
        /// The migration.
        label: String,
        /// The latest one applied.
        latest: i32,
    },
    /// Its SQL failed; the deploy was undone.
    #[error("{schema}: migration {label} failed: {error}. {undone}")]
    Failed {
        /// The schema.
        schema: String,
        /// The migration.
        label: String,
        /// What the server said.
        error: String,
        /// What was undone.
        undone: String,
    },
    /// Something after the migrations failed; the deploy was undone.
    #[error("{what} failed: {error}. {undone}")]
    Unfinished {
        /// What failed.
        what: String,
        /// What the server said.
        error: String,
        /// What was undone.
        undone: String,
    },
    /// A DOWN that throws data away needs to be asked for.
    #[error("{schema}: going down from {label} throws data away. Add --allow-data-loss if that is meant")]
    DataLoss {
        /// The schema.
        schema: String,
        /// The migration.
        label: String,
    },
    /// The schema holds a migration this release does not know.
    #[error(
        "{schema}: migration {version:04} is applied but unknown to this release; go down with the release that brought it"
    )]
    Unknown {
        /// The schema.
        schema: String,
        /// Its number.
        version: i32,
    },
}

/// A migration and what became of it.
#[derive(Debug, Clone)]
pub struct Step {
    /// The schema.
    pub schema: String,
    /// Its number.
    pub version: i32,
    /// What it does.
    pub name: String,
    /// When it was applied, if it is.
    pub applied_at: Option<DateTime<Utc>>,
    /// How long that took.
    pub duration_ms: Option<i64>,
}

impl Migrations {
    /// The foundation every schema shares, then the files of `dir`.
    pub fn of_service(service: &str, schema: &str, dir: &Dir<'_>) -> Result<Migrations, MigrateError> {
        let mut list = read(&FOUNDATION)?;
        list.extend(read(dir)?);
        Migrations::checked(service, schema, list)
    }

    /// Only the files of `dir`, for a schema that is no service's.
    pub fn bare(service: &str, schema: &str, dir: &Dir<'_>) -> Result<Migrations, MigrateError> {
        Migrations::checked(service, schema, read(dir)?)
    }

    /// From migrations already read; for tests of the runner.
    pub fn checked(service: &str, schema: &str, list: Vec<Migration>) -> Result<Migrations, MigrateError> {
        for (index, migration) in list.iter().enumerate() {
            if usize::try_from(migration.version).ok() != Some(index + 1) {
                return Err(MigrateError::BadFile(migration.label()));
            }
        }
        Ok(Migrations { service: service.to_owned(), schema: schema.to_owned(), list })
    }

    /// In order.
    pub fn list(&self) -> &[Migration] {
        &self.list
    }

    /// What [`status`] says of a database that is not there yet.
    pub fn unapplied(&self) -> Vec<Step> {
        self.list.iter().map(|migration| self.step(migration)).collect()
    }

    fn step(&self, migration: &Migration) -> Step {
        Step {
            schema: self.schema.clone(),
            version: migration.version,
            name: migration.name.clone(),
            applied_at: None,
            duration_ms: None,
        }
    }

    /// The schema they build.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The service whose role may use that schema.
    pub fn service(&self) -> &str {
        &self.service
    }
}

impl Migration {
    /// A migration from its texts.
    pub fn new(version: i32, name: &str, up: &str, down: &str) -> Migration {
        let checksum = hex::encode(Sha256::new().chain_update(up).chain_update([0]).chain_update(down).finalize());
        Migration { version, name: name.to_owned(), up: up.to_owned(), down: down.to_owned(), checksum }
    }
}

fn read(dir: &Dir<'_>) -> Result<Vec<Migration>, MigrateError> {
    let mut list = Vec::new();
    for file in dir.files() {
        let file_name = file.path().to_string_lossy().into_owned();
        let bad = || MigrateError::BadFile(file_name.clone());
        if file_name.ends_with(".down.sql") {
            continue;
        }
        let stem = file_name.strip_suffix(".up.sql").ok_or_else(bad)?;
        let (number, name) = stem.split_once('_').ok_or_else(bad)?;
        let version = number.parse().ok().filter(|_| number.len() == 4).ok_or_else(bad)?;
        let up = file.contents_utf8().ok_or_else(bad)?;
        let down = dir.get_file(format!("{stem}.down.sql")).and_then(|file| file.contents_utf8()).ok_or_else(bad)?;
        list.push(Migration::new(version, name, up, down));
    }
    list.sort_by_key(|migration| migration.version);
    Ok(list)
}

/// Goes down to `target` (0: nothing left). Returns what was undone, in that order.
pub async fn down(
    owner: &Client,
    migrations: &Migrations,
    target: i32,
    data_loss: DataLoss,
) -> Result<Vec<Step>, MigrateError> {
    locked(owner, async {
        prepare_schema(owner, migrations).await?;
        let mut applied = applied(owner, &migrations.schema).await?;
        applied.sort_by_key(|row| std::cmp::Reverse(row.version));
        let mut plan = Vec::new();
        for row in applied.into_iter().filter(|row| row.version > target) {
            let migration = migrations
                .list
                .iter()
                .find(|migration| migration.version == row.version)
                .ok_or(MigrateError::Unknown { schema: migrations.schema.clone(), version: row.version })?;
            if migration.checksum != row.checksum {
                return Err(MigrateError::Edited { schema: migrations.schema.clone(), label: migration.label() });
            }
            if migration.loses_data() && data_loss == DataLoss::Refuse {
                return Err(MigrateError::DataLoss { schema: migrations.schema.clone(), label: migration.label() });
            }
            plan.push(migration);
        }
        let mut undone = Vec::new();
        for migration in plan {
            revert(owner, migrations, migration).await?;
            undone.push(migrations.step(migration));
        }
        Ok(undone)
    })
    .await
}

/// May a DOWN throw data away?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataLoss {
    /// No.
    Refuse,
    /// Yes, the operator said so.
    Allow,
}

/// Every migration known to this release, applied or not.
pub async fn status(owner: &Client, migrations: &Migrations) -> Result<Vec<Step>, MigrateError> {
    let exists: bool = owner
        .query_one(
            "SELECT to_regclass($1) IS NOT NULL AS found",
            &[&format!("{}.schema_migrations", migrations.schema)],
        )
        .await?
        .get("found");
    let applied = if exists { applied(owner, &migrations.schema).await? } else { Vec::new() };
    let mut steps = migrations.unapplied();
    for step in &mut steps {
        let row = applied.iter().find(|row| row.version == step.version);
        step.applied_at = row.map(|row| row.applied_at);
        step.duration_ms = row.map(|row| row.duration_ms);
    }
    Ok(steps)
}

struct AppliedRow {
    version: i32,
    checksum: String,
    applied_at: DateTime<Utc>,
    duration_ms: i64,
}

async fn applied(owner: &Client, schema: &str) -> Result<Vec<AppliedRow>, tokio_postgres::Error> {
    let sql =
        format!("SELECT version, checksum, applied_at, duration_ms FROM {schema}.schema_migrations ORDER BY version");
    let rows = owner.query(&sql, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| AppliedRow {
            version: row.get("version"),
            checksum: row.get("checksum"),
            applied_at: row.get("applied_at"),
            duration_ms: row.get("duration_ms"),
        })
        .collect())
}

async fn pending<'a>(owner: &Client, migrations: &'a Migrations) -> Result<Vec<&'a Migration>, MigrateError> {
    let applied = applied(owner, &migrations.schema).await?;
    let latest = applied.iter().map(|row| row.version).max().unwrap_or(0);
    let mut pending = Vec::new();
    for migration in &migrations.list {
        match applied.iter().find(|row| row.version == migration.version) {
            Some(row) if row.checksum == migration.checksum => {}
            Some(_) => {
                return Err(MigrateError::Edited { schema: migrations.schema.clone(), label: migration.label() });
            }
            None if migration.version < latest => {
                return Err(MigrateError::OutOfOrder {
                    schema: migrations.schema.clone(),
                    label: migration.label(),
                    latest,
                });
            }
            None => pending.push(migration),
        }
    }
    Ok(pending)
}

/// Holds the deploy lock while `work` runs, and gives it back whatever comes out.
async fn locked<T>(owner: &Client, work: impl Future<Output = Result<T, MigrateError>>) -> Result<T, MigrateError> {
    owner.execute("SELECT pg_advisory_lock($1)", &[&DEPLOY_LOCK]).await?;
    let result = work.await;
    owner.execute("SELECT pg_advisory_unlock($1)", &[&DEPLOY_LOCK]).await?;
    result
}

/// Makes the schema, its bookkeeping table and the service's role, where they are missing.
async fn prepare_schema(owner: &Client, migrations: &Migrations) -> Result<(), MigrateError> {
    let (schema, role) = (&migrations.schema, role_of(&migrations.service));
    owner
        .batch_execute(&format!(
            "DO $$ BEGIN
                 IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} NOLOGIN; END IF;
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
             END $$;
             DO $$ BEGIN
                 -- A superuser needs no membership, and deploys of two databases would meet in the shared catalogue.
                 IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = CURRENT_USER) THEN GRANT {role} TO CURRENT_USER; END IF;
             END $$;
             CREATE SCHEMA IF NOT EXISTS {schema};
             CREATE TABLE IF NOT EXISTS {schema}.schema_migrations (
                 version     integer     PRIMARY KEY,
                 name        text        NOT NULL,
                 checksum    text        NOT NULL,
                 applied_at  timestamptz NOT NULL DEFAULT now(),
                 duration_ms bigint      NOT NULL
             )"
        ))
        .await?;
    Ok(())
}

async fn revert(owner: &Client, migrations: &Migrations, migration: &Migration) -> Result<(), tokio_postgres::Error> {
    let delete = format!("DELETE FROM {}.schema_migrations WHERE version = $1", migrations.schema);
    in_transaction(owner, &migrations.schema, async {
        owner.batch_execute(&migration.down).await?;
        owner.execute(&delete, &[&migration.version]).await?;
        Ok(())
    })
    .await
}

async fn in_transaction<T>(
    owner: &Client,
    schema: &str,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, tokio_postgres::Error> {
    owner.batch_execute(&format!("BEGIN; SET LOCAL search_path = {schema}; SET LOCAL lock_timeout = '10s'")).await?;
    match work.await {
        Ok(value) => {
            owner.batch_execute("COMMIT").await?;
            Ok(value)
        }
        Err(error) => {
            owner.batch_execute("ROLLBACK").await?;
            Err(error)
        }
    }
}
