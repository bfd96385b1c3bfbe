//! Migrated template databases: one per distinct set of migrations, made once, copied for each test.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use database::migrate::{self, Migrations};
use events::topology::{EVENTS, QUEUES};
use sha2::{Digest, Sha256};
use tokio_postgres::Client;
use uuid::{Timestamp, Uuid};

use crate::test_database::{connect, with_database};

/// Serialises the making of templates: an advisory lock in the maintenance database.
const LOCK: i64 = 0x7465_7374; // "test"
/// What a test that was killed left behind goes after this.
const LEFTOVER_AGE: Duration = Duration::from_secs(60 * 60);
/// A template of migrations that nobody has any more goes after this.
const TEMPLATE_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The name of a template with these migrations, messaging and its queues; made now if it is missing.
pub(crate) async fn template(maintenance: &Client, maintenance_url: &str, deploy: &[Migrations]) -> String {
    let print = fingerprint(deploy);
    if let Some(name) = find(maintenance, &print).await {
        return name;
    }
    maintenance.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).await.expect("lock the making of templates");
    let name = match find(maintenance, &print).await {
        Some(name) => name,
        None => {
            sweep(maintenance).await;
            build(maintenance, maintenance_url, deploy, &print).await
        }
    };
    maintenance.execute("SELECT pg_advisory_unlock($1)", &[&LOCK]).await.expect("unlock the making of templates");
    name
}

/// How rights are granted: a template made otherwise is another.
const RIGHTS: &str = include_str!("../../database/src/migrate/deploy.rs");

/// What the template holds, as text: migrations by checksum, the rights, the declared topology, and the day, for which it
/// has partitions.
fn fingerprint(deploy: &[Migrations]) -> String {
    let mut hash = Sha256::new();
    for migrations in deploy {
        hash.update(format!("{} {}\n", migrations.service(), migrations.schema()));
        for migration in migrations.list() {
            hash.update(format!("{} {}\n", migration.version, migration.checksum));
        }
    }
    let day = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() / 86_400;
    hash.update(format!("{RIGHTS}{QUEUES:?}{EVENTS:?}{day}"));
    hex::encode(&hash.finalize()[..8])
}

async fn find(maintenance: &Client, print: &str) -> Option<String> {
    let row = maintenance
        .query_opt(
            "SELECT datname::text AS name FROM pg_database WHERE datistemplate AND datname LIKE $1 LIMIT 1",
            &[&format!("template\\_%\\_{print}")],
        )
        .await
        .expect("look for a template");
    row.map(|row| row.get("name"))
}

/// Only a complete template carries the mark that `find` asks for.
async fn build(maintenance: &Client, maintenance_url: &str, deploy: &[Migrations], print: &str) -> String {
    let name = format!("template_{}_{print}", Uuid::now_v7().simple());
    maintenance.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("create a template");
    let owner = connect(&with_database(maintenance_url, &name)).await;
    if let Err(error) = migrate::up(&owner, deploy).await {
        drop(owner);
        maintenance.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.expect("drop the template");
        maintenance.execute("SELECT pg_advisory_unlock($1)", &[&LOCK]).await.expect("unlock");
        panic!("testkit cannot migrate: {error}");
    }
    if deploy.iter().any(|migrations| migrations.schema() == "messaging") {
        messaging::declare_queues(&owner).await.expect("declare the queues");
    }
    drop(owner);
    maintenance
        .batch_execute(&format!("ALTER DATABASE {name} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false"))
        .await
        .expect("mark the template");
    name
}

/// Drops test databases and templates whose time is over, by the age in their UUIDv7.
async fn sweep(maintenance: &Client) {
    let rows = maintenance
        .query("SELECT datname::text AS name, datistemplate AS template FROM pg_database", &[])
        .await
        .expect("list databases");
    for row in rows {
        let (name, template): (String, bool) = (row.get("name"), row.get("template"));
        let limit = match (name.split('_').next(), template) {
            (Some("template"), true) => TEMPLATE_AGE,
            (Some("test"), false) | (Some("template"), false) => LEFTOVER_AGE,
            _ => continue,
        };
        let Some(id) = name.split('_').nth(1).and_then(|id| Uuid::parse_str(id).ok()) else { continue };
        let Some(made) = id.get_timestamp() else { continue };
        if age(made) < limit {
            continue;
        }
        let drop = format!("ALTER DATABASE {name} WITH IS_TEMPLATE false; DROP DATABASE {name} WITH (FORCE)");
        for statement in drop.split("; ") {
            if let Err(error) = maintenance.batch_execute(statement).await {
                eprintln!("testkit: {statement}: {error}");
            }
        }
    }
}

fn age(made: Timestamp) -> Duration {
    let (seconds, _) = made.to_unix();
    SystemTime::now().duration_since(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap_or_default()
}
