//! Going up: one deploy over all databases of a shop.

use std::time::Instant;

use chrono::Utc;
use tokio_postgres::Client;

use super::{MigrateError, Migration, Migrations, Step, in_transaction, locked, pending, prepare_schema, revert};
use crate::BoxFuture;
use crate::error::describe;

/// Schemas of one database, and its owner's connection.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The connection.
    pub owner: &'a Client,
    /// What is applied there, in this order.
    pub migrations: &'a [Migrations],
}

struct Applied<'a> {
    owner: &'a Client,
    migrations: &'a Migrations,
    migration: &'a Migration,
    duration_ms: i64,
}

/// Why a deploy is undone.
struct Failure {
    /// The migration that failed; else what comes after them.
    at: Result<(String, String), String>,
    error: tokio_postgres::Error,
}

/// Applies what is missing in one database, in the order given. Returns what was applied.
///
/// Makes each service's schema and role first. Errors leave everything as it was before the call.
pub async fn up(owner: &Client, migrations: &[Migrations]) -> Result<Vec<Step>, MigrateError> {
    up_everywhere(&[Target { owner, migrations }], "nothing", Box::pin(async { Ok(()) })).await
}

/// Applies what is missing in several databases, and then does `last`, which is called `what` where it fails. Errors,
/// of `last` too, undo every migration that this call applied in any of them, newest first.
pub async fn up_everywhere(
    targets: &[Target<'_>],
    what: &str,
    last: BoxFuture<'_, Result<(), tokio_postgres::Error>>,
) -> Result<Vec<Step>, MigrateError> {
    let mut work: BoxFuture<'_, Result<Vec<Step>, MigrateError>> = Box::pin(deploy(targets, what, last));
    // Every deploy takes the locks in the same order, the first database's first.
    for target in targets.iter().rev() {
        work = Box::pin(locked(target.owner, work));
    }
    work.await
}

async fn deploy(
    targets: &[Target<'_>],
    what: &str,
    last: BoxFuture<'_, Result<(), tokio_postgres::Error>>,
) -> Result<Vec<Step>, MigrateError> {
    // All of them are checked before any of them is applied.
    let mut plan: Vec<(&Client, &Migrations, Vec<&Migration>)> = Vec::new();
    for target in targets {
        for migrations in target.migrations {
            prepare_schema(target.owner, migrations).await?;
            plan.push((target.owner, migrations, pending(target.owner, migrations).await?));
        }
    }
    let mut applied: Vec<Applied<'_>> = Vec::new();
    let mut done = apply_all(plan, &mut applied).await;
    if done.is_ok() {
        done = last.await.map_err(|error| Failure { at: Err(what.to_owned()), error });
    }
    if let Err(Failure { at, error }) = done {
        let (undone, error) = (undo(&applied).await, describe(&error));
        return Err(match at {
            Ok((schema, label)) => MigrateError::Failed { schema, label, error, undone },
            Err(what) => MigrateError::Unfinished { what, error, undone },
        });
    }
    Ok(applied
        .into_iter()
        .map(|applied| Step {
            applied_at: Some(Utc::now()),
            duration_ms: Some(applied.duration_ms),
            ..applied.migrations.step(applied.migration)
        })
        .collect())
}

async fn apply_all<'a>(
    plan: Vec<(&'a Client, &'a Migrations, Vec<&'a Migration>)>,
    applied: &mut Vec<Applied<'a>>,
) -> Result<(), Failure> {
    for (owner, migrations, pending) in plan {
        for migration in pending {
            let duration_ms = apply(owner, migrations, migration)
                .await
                .map_err(|error| Failure { at: Ok((migrations.schema.clone(), migration.label())), error })?;
            applied.push(Applied { owner, migrations, migration, duration_ms });
        }
        grant(owner, migrations)
            .await
            .map_err(|error| Failure { at: Err(format!("{}: granting rights", migrations.schema)), error })?;
    }
    Ok(())
}

/// PostgreSQL lets everybody make temporary tables; a service has no use for them.
const NO_TEMPORARY_TABLES: &str = "DO $$ BEGIN
        IF has_database_privilege('public', current_database(), 'TEMPORARY') THEN
            EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
        END IF;
    END $$";

/// The role may use its own schema's tables and functions, may read its migrations, may add to the audit trail, and
/// nothing else.
async fn grant(owner: &Client, migrations: &Migrations) -> Result<(), tokio_postgres::Error> {
    if migrations.schema == "messaging" {
        return Ok(()); // its own migrations grant the functions, one by one
    }
    let (schema, role) = (&migrations.schema, super::role_of(&migrations.service));
    let trail = format!(
        "DO $$ DECLARE part regclass; BEGIN
             FOR part IN SELECT relid FROM pg_partition_tree(to_regclass('{schema}.events')) LOOP
                 EXECUTE format('REVOKE UPDATE, DELETE ON %s FROM {role}', part);
             END LOOP;
         END $$"
    );
    owner
        .batch_execute(&format!(
            "REVOKE ALL ON SCHEMA {schema} FROM PUBLIC;
             GRANT USAGE ON SCHEMA {schema} TO {role};
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
             GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
             REVOKE INSERT, UPDATE, DELETE ON {schema}.schema_migrations FROM {role};
             {NO_TEMPORARY_TABLES};
             {trail}"
        ))
        .await
}

async fn apply(owner: &Client, migrations: &Migrations, migration: &Migration) -> Result<i64, tokio_postgres::Error> {
    let started = Instant::now();
    let insert = format!(
        "INSERT INTO {}.schema_migrations (version, name, checksum, duration_ms) VALUES ($1, $2, $3, $4)",
        migrations.schema
    );
    in_transaction(owner, &migrations.schema, async {
        owner.batch_execute(&migration.up).await?;
        let duration_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        owner.execute(&insert, &[&migration.version, &migration.name, &migration.checksum, &duration_ms]).await?;
        Ok(duration_ms)
    })
    .await
}

/// Undoes what a half-failed deploy applied, newest first, and says how that went.
async fn undo(applied: &[Applied<'_>]) -> String {
    if applied.is_empty() {
        return "Nothing had been applied before it".to_owned();
    }
    let mut undone = Vec::new();
    for Applied { owner, migrations, migration, .. } in applied.iter().rev() {
        let label = format!("{}.{}", migrations.schema, migration.label());
        if let Err(error) = revert(owner, migrations, migration).await {
            return format!(
                "Undone: {}; but undoing {label} failed too: {}. Look at it before you deploy again",
                undone.join(", "),
                describe(&error)
            );
        }
        undone.push(label);
    }
    format!("Undone, newest first: {}", undone.join(", "))
}
