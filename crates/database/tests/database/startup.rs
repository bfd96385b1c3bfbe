//! What a service checks before it takes work.

use database::migrate::{Migration, Migrations};
use database::startup::{StartupError, check};
use testkit::{TestDatabase, foundation_with};

fn migrations() -> Migrations {
    foundation_with("users", "users", "CREATE TABLE users (id integer)")
}

#[tokio::test]
async fn a_complete_schema_passes_also_when_it_is_newer() {
    let db = TestDatabase::new(&[migrations()]).await;
    check(&db.database("users", "users"), &migrations(), &["users"]).await.expect("complete");
    let older = foundation_with("users", "users", "");
    check(&db.database("users", "users"), &older, &[]).await.expect("newer migrations are no error");
}

#[tokio::test]
async fn a_missing_table_is_named() {
    let db = TestDatabase::new(&[migrations()]).await;
    let error = check(&db.database("users", "users"), &migrations(), &["users", "sessions"]).await.expect_err("lacks");
    assert!(matches!(&error, StartupError::MissingTables { tables, .. } if *tables == ["sessions"]), "{error}");
    assert!(error.to_string().contains("prost migrate up"), "{error}");
}

#[tokio::test]
async fn a_missing_migration_is_named() {
    let db = TestDatabase::new(&[migrations()]).await;
    let mut list = migrations().list().to_vec();
    list.push(Migration::new(3, "sessions", "", ""));
    let newer = Migrations::checked("users", "users", list).expect("numbered");
    let error = check(&db.database("users", "users"), &newer, &["users"]).await.expect_err("lacks");
    assert!(matches!(&error, StartupError::MissingMigrations { versions, .. } if *versions == ["0003_sessions"]));
}

#[tokio::test]
async fn an_unmigrated_database_is_told_as_such() {
    let other = TestDatabase::empty().await;
    let error = check(&other.database("users", "users"), &migrations(), &["users"]).await.expect_err("no schema");
    assert!(matches!(&error, StartupError::WrongSchema { found, .. } if found.is_empty()), "{error}");
    assert!(error.to_string().contains("prost migrate up"), "{error}");
}

#[tokio::test]
async fn a_foreign_schema_is_refused() {
    let db = TestDatabase::new(&[migrations(), foundation_with("cart", "cart", "")]).await;
    let error = check(&db.database("users", "cart"), &migrations(), &[]).await.expect_err("not its own");
    assert!(matches!(error, StartupError::WrongSchema { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_is_away_is_told_with_its_reason() {
    let db = TestDatabase::new(&[migrations()]).await;
    let proxy = testkit::FaultProxy::of_url(db.owner_url()).await;
    proxy.cut();
    let error = check(&db.database_through(&proxy, "users", "users"), &migrations(), &[]).await.expect_err("away");
    assert!(matches!(error, StartupError::Database(_)), "{error}");
    let unknown = check(&db.database("nobody", "users"), &migrations(), &[]).await.expect_err("no such role");
    assert!(unknown.to_string().contains("role \"prost_nobody\" does not exist"), "{unknown}");
}
