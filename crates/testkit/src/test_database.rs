//! A database of one test's own.

use std::time::Duration;

use database::migrate::{Migration, Migrations};
use database::{Database, Login, PoolLimits};
use include_dir::Dir;
use messaging::{Transport, Wakes};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::{FaultProxy, shared, template};

/// A database that lives as long as its test; of a failed test it stays for an hour, to be looked at.
pub struct TestDatabase {
    name: String,
    maintenance_url: String,
    url: String,
    wakes: Wakes,
}

impl TestDatabase {
    /// A database with these schemas, their roles, and the Postgres transport with its queues declared.
    ///
    /// ```ignore
    /// let db = TestDatabase::new(&[products::migrations()?]).await;
    /// let database = db.database("products", "catalog");
    /// ```
    pub async fn new(deploy: &[Migrations]) -> TestDatabase {
        TestDatabase::on(&shared::maintenance_url().await, deploy).await
    }

    /// A database without any schema, for tests of migrations.
    pub async fn empty() -> TestDatabase {
        let maintenance_url = shared::maintenance_url().await;
        let maintenance = connect(&maintenance_url).await;
        TestDatabase::copy(&maintenance, maintenance_url, "template0").await
    }

    /// As [`TestDatabase::new`], on the server of this maintenance database.
    pub(crate) async fn on(maintenance_url: &str, deploy: &[Migrations]) -> TestDatabase {
        let mut deploy = deploy.to_vec();
        if deploy.iter().all(|migrations| migrations.schema() != "messaging") {
            deploy.push(messaging::migrations().expect("messaging's migrations are well-formed"));
        }
        let maintenance = connect(maintenance_url).await;
        let template = template::template(&maintenance, maintenance_url, &deploy).await;
        TestDatabase::copy(&maintenance, maintenance_url.to_owned(), &template).await
    }

    async fn copy(maintenance: &Client, maintenance_url: String, template: &str) -> TestDatabase {
        let name = format!("test_{}", Uuid::now_v7().simple());
        let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
        maintenance.batch_execute(&create).await.unwrap_or_else(|error| panic!("{create}: {error}"));
        let url = with_database(&maintenance_url, &name);
        TestDatabase { name, maintenance_url, url, wakes: Wakes::new() }
    }

    /// The owner's login.
    pub fn owner_url(&self) -> &str {
        &self.url
    }

    /// A connection as the owner, for looking and for tampering.
    pub async fn owner(&self) -> Client {
        connect(&self.url).await
    }

    /// A service's own pool: its role, its schema, at most 8 connections, none kept warm.
    pub fn database(&self, service: &str, schema: &str) -> Database {
        self.database_with(service, schema, &test_limits())
    }

    /// As [`TestDatabase::database`], with limits of the test's choice.
    pub fn database_with(&self, service: &str, schema: &str, limits: &PoolLimits) -> Database {
        Database::connect(&Login::of_service(&self.url, service, schema), limits).expect("a well-formed URL")
    }

    /// As [`TestDatabase::database`], through a proxy in front of the server ([`FaultProxy::of_url`]).
    pub fn database_through(&self, proxy: &FaultProxy, service: &str, schema: &str) -> Database {
        let login = Login::of_service(&proxy.rewrite(&self.url), service, schema);
        Database::connect(&login, &test_limits()).expect("a well-formed URL")
    }

    /// The Postgres transport of the service that owns this pool. All transports of one `TestDatabase`
    /// wake each other in memory, as in one process.
    pub fn transport(&self, database: &Database) -> Transport {
        Transport::postgres(database.clone(), self.wakes.clone())
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("testkit: the database stays for an hour: {}", self.url);
            return;
        }
        let (url, drop) = (self.maintenance_url.clone(), format!("DROP DATABASE {} WITH (FORCE)", self.name));
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
                tokio::spawn(connection);
                client.batch_execute(&drop).await
            })?;
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        });
        match dropping.join() {
            Ok(Ok(())) => {}
            // The sweep of a later test drops it.
            Ok(Err(error)) => eprintln!("testkit: {} is left for the sweep: {error}", self.name),
            Err(_) => eprintln!("testkit: {} is left for the sweep", self.name),
        }
    }
}

/// What every schema has besides the foundation, brought by a migration of each service.
const EVERYWHERE: &str = concat!(
    include_str!("../../../services/orders/migrations/0003_operator_acts.up.sql"),
    include_str!("../../../services/orders/migrations/0005_traces.up.sql"),
    include_str!("../../../services/cart/migrations/0007_acts_of_sagas.up.sql")
);
const NOWHERE: &str = concat!(
    include_str!("../../../services/cart/migrations/0007_acts_of_sagas.down.sql"),
    include_str!("../../../services/orders/migrations/0005_traces.down.sql"),
    include_str!("../../../services/orders/migrations/0003_operator_acts.down.sql")
);

/// The migrations of a schema that has what every service's schema has, and these tables besides.
pub fn foundation_with(service: &str, schema: &str, tables: &str) -> Migrations {
    let foundation =
        Migrations::of_service(service, schema, &Dir::new("", &[])).expect("the foundation is well-formed");
    let mut list: Vec<Migration> = foundation
        .list()
        .iter()
        .map(|first| {
            let (up, down) = (format!("{}{EVERYWHERE}", first.up), format!("{NOWHERE}{}", first.down));
            Migration::new(first.version, &first.name, &up, &down)
        })
        .collect();
    if !tables.is_empty() {
        list.push(Migration::new(2, "tables", tables, "SELECT 'a test never goes down from here'"));
    }
    Migrations::checked(service, schema, list).expect("numbered without gaps")
}

fn test_limits() -> PoolLimits {
    PoolLimits { max: 8, warm: 0, wait: Duration::from_secs(10), ..PoolLimits::default() }
}

/// Connects, and runs the connection in the background.
pub async fn connect(url: &str) -> Client {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.unwrap_or_else(|error| panic!("connect to {url}: {error}"));
    tokio::spawn(connection);
    client
}

/// The same login to another database.
pub(crate) fn with_database(url: &str, database: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, None), |(base, query)| (base, Some(query)));
    let host_end = base.find("://").map_or(0, |at| at + 3);
    let path = base[host_end..].find('/').map_or(base.len(), |at| host_end + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{database}{query}", &base[..path])
}

/// Prepares every statement against the real schema under the service's role; panics with all that fail.
///
/// ```ignore
/// prepare_all(&db.database("products", "catalog"), &products::statements()).await;
/// ```
pub async fn prepare_all(database: &Database, statements: &[(&str, &str)]) {
    assert!(!statements.is_empty(), "no statements given");
    let db = database.read().await.expect("connect");
    let mut failures = Vec::new();
    for (name, sql) in statements {
        if let Err(error) = db.prepare(sql).await {
            failures.push(format!("{name}: {error}"));
        }
    }
    assert!(failures.is_empty(), "statements that do not fit the schema:\n{}", failures.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn only_the_database_changes() {
        assert_eq!(with_database("postgres://o:p@h:1/postgres", "t"), "postgres://o:p@h:1/t");
        assert_eq!(with_database("postgres://o:p@h:1", "t"), "postgres://o:p@h:1/t");
        assert_eq!(with_database("postgres://o:p@h:1/a?sslmode=disable", "t"), "postgres://o:p@h:1/t?sslmode=disable");
    }
}
