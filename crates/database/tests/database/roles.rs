//! A service's role reaches its own schema and nothing else: by trying.

use database::maintenance::{self, Retention};
use database::{Database, Error};
use messaging::Wakes;
use testkit::{TestDatabase, foundation_with};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

const SERVICES: [(&str, &str); 5] =
    [("users", "users"), ("products", "catalog"), ("cart", "cart"), ("orders", "orders"), ("payments", "payments")];

async fn all_services() -> TestDatabase {
    let deploy: Vec<_> = SERVICES
        .iter()
        .map(|(service, schema)| foundation_with(service, schema, "CREATE TABLE things (id integer)"))
        .collect();
    TestDatabase::new(&deploy).await
}

async fn attempt(database: &Database, sql: &str) -> Result<(), Error> {
    database.read().await.expect("connect").batch_execute(sql).await
}

async fn assert_denied(database: &Database, sql: &str) {
    let error = attempt(database, sql).await.expect_err(sql);
    assert_eq!(error.sql_state(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}: {error}");
}

#[tokio::test]
async fn a_role_works_in_its_own_schema() {
    let db = all_services().await;
    for (service, schema) in SERVICES {
        let database = db.database(service, schema);
        attempt(&database, "INSERT INTO things VALUES (1); UPDATE things SET id = 2; DELETE FROM things")
            .await
            .expect("its own table");
        attempt(&database, "SELECT version FROM schema_migrations").await.expect("its own migrations");
        maintenance::run_once(&database, &Retention::default()).await.expect("maintenance");
    }
}

#[tokio::test]
async fn no_role_reaches_another_schema() {
    let db = all_services().await;
    for (service, schema) in SERVICES {
        let database = db.database(service, schema);
        for (_, foreign) in SERVICES.iter().filter(|(_, foreign)| *foreign != schema) {
            for table in ["things", "events", "outbox", "idempotency_records", "schema_migrations"] {
                assert_denied(&database, &format!("SELECT 1 FROM {foreign}.{table}")).await;
                assert_denied(&database, &format!("DELETE FROM {foreign}.{table}")).await;
            }
            assert_denied(&database, &format!("SELECT {foreign}.keep_event_partitions(1, 0)")).await;
        }
    }
}

#[tokio::test]
async fn no_role_makes_or_changes_tables_or_rewrites_its_migrations() {
    let db = all_services().await;
    for (service, schema) in SERVICES {
        let database = db.database(service, schema);
        for sql in [
            "CREATE TABLE mine (id integer)",
            "CREATE TABLE public.mine (id integer)",
            "CREATE SCHEMA mine",
            "ALTER TABLE things ADD COLUMN more integer",
            "DROP TABLE things",
            "TRUNCATE things",
            "CREATE INDEX mine ON things (id)",
            "DELETE FROM schema_migrations",
            "UPDATE schema_migrations SET checksum = ''",
            "CREATE ROLE mine",
            "COPY things TO '/tmp/things'",
        ] {
            assert_denied(&database, sql).await;
        }
    }
}

#[tokio::test]
async fn what_is_recorded_stays_as_it_is() {
    let db = all_services().await;
    let parts = "SELECT relid::regclass::text AS name FROM pg_partition_tree('orders.events')";
    let rows = db.owner().await.query(parts, &[]).await.expect("list the partitions");
    assert!(rows.len() > 5, "{} partitions", rows.len());
    let orders = db.database("orders", "orders");
    for row in rows {
        let part: String = row.get("name");
        assert_denied(&orders, &format!("UPDATE {part} SET event_type = ''")).await;
        assert_denied(&orders, &format!("DELETE FROM {part}")).await;
    }
    attempt(&orders, "SELECT FROM events").await.expect("it is there to be read");
}

#[tokio::test]
async fn tables_of_messaging_are_closed_to_every_role() {
    let db = all_services().await;
    for (service, schema) in SERVICES {
        let database = db.database(service, schema);
        for table in ["messages", "delayed_messages", "dead_letters", "queues", "bindings", "schema_migrations"] {
            assert_denied(&database, &format!("SELECT 1 FROM messaging.{table}")).await;
            assert_denied(&database, &format!("DELETE FROM messaging.{table}")).await;
        }
    }
}

#[tokio::test]
async fn a_role_sends_anywhere_and_receives_only_from_its_own_queues() {
    let db = all_services().await;
    let own = "orders.payments.events.queue";
    let lease = Uuid::new_v4();
    let calls = |queue: &str| {
        [
            format!("SELECT messaging.receive('{queue}', 1, '{lease}', 5)"),
            format!("SELECT messaging.ack('{queue}', '{{1}}', '{lease}')"),
            format!("SELECT messaging.release('{queue}', '{lease}')"),
            format!("SELECT messaging.retry_later('{queue}', 1, '{lease}', 1)"),
            format!("SELECT messaging.park('{queue}', 1, '{lease}', 'why')"),
        ]
    };
    for (service, schema) in SERVICES {
        let database = db.database(service, schema);
        let send = format!(
            "SELECT messaging.publish('', '{{{}}}', '{{payments.events}}', '{{payment.processed}}', '{{body}}')",
            Uuid::now_v7()
        );
        attempt(&database, &send).await.expect("sends anywhere");
        attempt(&database, "SELECT messaging.sweep(); SELECT messaging.depths()").await.expect("anybody may");
        assert_denied(&database, "SELECT messaging.open_tap('gateway.x', '{}', '{}')").await;
        for call in calls(own) {
            match service {
                "orders" => attempt(&database, &call).await.expect("its own queue"),
                _ => assert_denied(&database, &call).await,
            }
        }
    }
}

#[tokio::test]
async fn the_role_itself_may_be_the_login_and_a_stranger_to_it_may_not() {
    let db = all_services().await;
    let owner = db.owner().await;
    let service = format!("own_{}", Uuid::new_v4().simple());
    let own = foundation_with(&service, "own", "CREATE TABLE things (id integer)");
    database::migrate::up(&owner, &[own]).await.expect("up");
    let stranger = format!("stranger_{}", Uuid::new_v4().simple());
    owner
        .batch_execute(&format!(
            "ALTER ROLE prost_{service} LOGIN PASSWORD 'secret'; CREATE ROLE {stranger} LOGIN PASSWORD 'secret'"
        ))
        .await
        .expect("logins");
    let (scheme, rest) = db.owner_url().split_once("://").expect("a URL");
    let host = rest.split_once('@').expect("a login").1;
    let database = |role: &str| {
        let login = database::Login::of_service(&format!("{scheme}://{role}:secret@{host}"), &service, "own");
        Database::connect(&login, &database::PoolLimits { warm: 0, ..Default::default() }).expect("URL")
    };
    let own = database(&format!("prost_{service}"));
    attempt(&own, "INSERT INTO things VALUES (1)").await.expect("its own table");
    assert_denied(&own, "SELECT 1 FROM users.things").await;
    let refused = database(&stranger).read().await.err().expect("no member of the role").to_string();
    assert!(refused.contains(&format!("permission denied to set role \"prost_{service}\"")), "{refused}");
    own.close();
    owner
        .batch_execute(&format!("DROP OWNED BY prost_{service}; DROP ROLE prost_{service}, {stranger}"))
        .await
        .expect("drop the logins");
}

#[tokio::test]
async fn the_role_counts_and_not_who_logged_in() {
    let db = all_services().await;
    let owner = db.owner().await;
    let role = format!("login_{}", Uuid::new_v4().simple());
    owner
        .batch_execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'secret' IN ROLE prost_orders"))
        .await
        .expect("a login of its own");
    let (scheme, rest) = db.owner_url().split_once("://").expect("a URL");
    let host = rest.split_once('@').expect("a login").1;
    let login = database::Login::of_service(&format!("{scheme}://{role}:secret@{host}"), "orders", "orders");
    let database = Database::connect(&login, &database::PoolLimits { warm: 0, ..Default::default() }).expect("URL");
    attempt(&database, "INSERT INTO things VALUES (1)").await.expect("its own table");
    assert_denied(&database, "SELECT 1 FROM users.things").await;
    let transport = messaging::Transport::postgres(database.clone(), Wakes::new());
    transport.depths().await.expect("may look");
    let receive = format!("SELECT messaging.receive('orders.cart.events.queue', 1, '{}', 5)", Uuid::new_v4());
    attempt(&database, &receive).await.expect("its own queue");
    let foreign = receive.replace("orders.cart", "analytics.cart");
    assert_denied(&database, &foreign).await;
    database.close();
    owner.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.expect("drop the login");
}
