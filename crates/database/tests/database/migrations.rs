//! Versioned migrations: all or nothing, once each, in order, never edited.

use database::migrate::{DataLoss, MigrateError, Migration, Migrations, Target, down, status, up, up_everywhere};
use testkit::{TestDatabase, foundation_with};
use tokio_postgres::Client;

const A: (&str, &str, &str) = ("a", "CREATE TABLE a (id integer)", "ALTER TABLE a RENAME TO gone_a");
const B: (&str, &str, &str) = ("b", "ALTER TABLE a ADD COLUMN b integer", "ALTER TABLE a DROP COLUMN b");
const BROKEN: (&str, &str, &str) = ("broken", "CREATE TABLE half (id integer); SELECT 1 / 0", "DROP TABLE half");

fn of(schema: &str, list: &[(&str, &str, &str)]) -> Migrations {
    let list = list
        .iter()
        .enumerate()
        .map(|(index, (name, up, down))| Migration::new(i32::try_from(index).expect("few") + 1, name, up, down))
        .collect();
    Migrations::checked(schema, schema, list).expect("numbered without gaps")
}

async fn tables(owner: &Client, schema: &str) -> Vec<String> {
    let sql = "SELECT tablename::text AS name FROM pg_tables
               WHERE schemaname = $1 AND tablename <> 'schema_migrations' ORDER BY 1";
    owner.query(sql, &[&schema]).await.expect("list tables").iter().map(|row| row.get("name")).collect()
}

async fn versions(owner: &Client, migrations: &Migrations) -> Vec<i32> {
    let steps = status(owner, migrations).await.expect("status");
    steps.iter().filter(|step| step.applied_at.is_some()).map(|step| step.version).collect()
}

#[tokio::test]
async fn up_applies_each_once_and_remembers_it() {
    let db = TestDatabase::empty().await;
    let owner = db.owner().await;
    let users = of("users", &[A, B]);
    let applied = up(&owner, std::slice::from_ref(&users)).await.expect("up");
    assert_eq!(applied.iter().map(|step| step.version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(tables(&owner, "users").await, ["a"]);

    let sql = "SELECT name, checksum, applied_at <= now() AS past, duration_ms >= 0 AS took
               FROM users.schema_migrations WHERE version = 2";
    let row = owner.query_one(sql, &[]).await.expect("remembered");
    assert_eq!(row.get::<_, String>("name"), "b");
    assert_eq!(row.get::<_, String>("checksum"), users.list()[1].checksum);
    assert!(row.get::<_, bool>("past") && row.get::<_, bool>("took"));

    assert!(up(&owner, &[users]).await.expect("again").is_empty());
}

#[tokio::test]
async fn down_goes_to_the_version_asked_for_newest_first() {
    let db = TestDatabase::empty().await;
    let owner = db.owner().await;
    let users = of("users", &[A, B]);
    up(&owner, std::slice::from_ref(&users)).await.expect("up");
    let undone = down(&owner, &users, 0, DataLoss::Allow).await.expect("down");
    assert_eq!(undone.iter().map(|step| step.version).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(tables(&owner, "users").await, ["gone_a"]);
    assert!(versions(&owner, &users).await.is_empty());
    assert!(down(&owner, &users, 0, DataLoss::Allow).await.expect("again").is_empty());
    assert_eq!(up(&owner, &[users]).await.expect("up again").len(), 2);
}

#[tokio::test]
async fn going_down_does_not_throw_data_away_unasked() {
    let db = TestDatabase::empty().await;
    let owner = db.owner().await;
    let users = of("users", &[A, B]);
    up(&owner, std::slice::from_ref(&users)).await.expect("up");
    let refusal = down(&owner, &users, 0, DataLoss::Refuse).await.expect_err("b drops a column");
    assert!(matches!(&refusal, MigrateError::DataLoss { label, .. } if label == "0002_b"), "{refusal}");
    assert!(refusal.to_string().contains("--allow-data-loss"));
    assert_eq!(versions(&owner, &users).await, [1, 2]);
}

#[tokio::test]
async fn a_destructive_down_is_recognised_however_it_is_written() {
    for down in [
        "drop table t",
        "DROP\n  TABLE IF EXISTS t",
        "ALTER TABLE t DROP COLUMN c",
        "alter table t drop c",
        "ALTER TABLE ONLY s.t ADD x int, DROP IF EXISTS c",
        "TRUNCATE t",
        "DELETE FROM t WHERE true",
        "DROP SCHEMA s CASCADE",
        "DROP MATERIALIZED VIEW v",
        "DROP TYPE t",
        "DROP OWNED BY r",
    ] {
        assert!(Migration::new(1, "m", "", down).loses_data(), "{down}");
    }
    for down in [
        "DROP INDEX i",
        "DROP FUNCTION f(integer)",
        "ALTER TABLE t DROP CONSTRAINT c",
        "ALTER TABLE t ALTER COLUMN c DROP NOT NULL, ALTER c DROP DEFAULT",
        "DROP VIEW v",
    ] {
        assert!(!Migration::new(1, "m", "", down).loses_data(), "{down}");
    }
}

#[tokio::test]
async fn an_edited_migration_is_an_error_in_either_direction() {
    let db = TestDatabase::empty().await;
    let owner = db.owner().await;
    up(&owner, &[of("users", &[A])]).await.expect("up");
    for edited in [("a", "CREATE TABLE a (id bigint)", A.2), ("a", A.1, "SELECT 1")] {
        let edited = of("users", &[edited, B]);
        let refusal = up(&owner, std::slice::from_ref(&edited)).await.expect_err("edited");
        assert!(matches!(&refusal, MigrateError::Edited { label, .. } if label == "0001_a"), "{refusal}");
        let refusal = down(&owner, &edited, 0, DataLoss::Allow).await.expect_err("edited");
        assert!(matches!(refusal, MigrateError::Edited { .. }), "{refusal}");
    }
    assert_eq!(tables(&owner, "users").await, ["a"]);
}

#[tokio::test]
async fn a_lower_number_than_the_latest_is_an_error() {
    let db = TestDatabase::empty().await;
    let owner = db.owner().await;
    let users = of("users", &[A, B]);
    up(&owner, std::slice::from_ref(&users)).await.expect("up");
    owner.execute("DELETE FROM users.schema_migrations WHERE version = 1", &[]).await.expect("tamper");
    let refusal = up(&owner, &[users]).await.expect_err("out of order");
    assert!(matches!(refusal, MigrateError::OutOfOrder { latest: 2, .. }), "{refusal}");
}

#[tokio::test]
async fn a_gap_in_the_numbers_is_an_error() {
    let list = vec![Migration::new(1, "a", A.1, A.2), Migration::new(3, "c", B.1, B.2)];
    assert!(
        matches!(Migrations::checked("users", "users", list), Err(MigrateError::BadFile(label)) if label == "0003_c")
    );
}

#[tokio::test]
async fn a_deploy_that_fails_half_way_is_undone_newest_first() {
    let db = TestDatabase::empty().await;
    let owner = db.owner().await;
    up(&owner, &[of("users", &[A])]).await.expect("an earlier deploy");
    let (users, cart, orders) = (of("users", &[A, B]), of("cart", &[A]), of("orders", &[A, BROKEN]));
    let refusal = up(&owner, &[users.clone(), cart.clone(), orders.clone()]).await.expect_err("broken");
    let text = refusal.to_string();
    assert!(text.contains("orders: migration 0002_broken failed"), "{text}");
    assert!(text.contains("division by zero"), "{text}");
    assert!(text.contains("newest first: orders.0001_a, cart.0001_a, users.0002_b"), "{text}");

    assert_eq!(versions(&owner, &users).await, [1], "the earlier deploy stays");
    assert!(versions(&owner, &cart).await.is_empty());
    assert!(versions(&owner, &orders).await.is_empty());
    assert_eq!(tables(&owner, "orders").await, ["gone_a"], "nothing of the broken one is left");
}

#[tokio::test]
async fn a_deploy_over_two_databases_is_undone_in_both() {
    let (first, second) = (TestDatabase::empty().await, TestDatabase::empty().await);
    let (left, right) = (first.owner().await, second.owner().await);
    let a = ("a", A.1, "DROP TABLE a");
    let (users, cart, orders) = ([of("users", &[a])], [of("cart", &[a])], [of("orders", &[a, BROKEN])]);
    let here = Target { owner: &left, migrations: &users };
    let there = |migrations| Target { owner: &right, migrations };
    let nothing = || Box::pin(async { Ok(()) });

    let refusal = up_everywhere(&[here, there(&orders)], "nothing", nothing()).await.expect_err("broken");
    assert!(refusal.to_string().contains("newest first: orders.0001_a, users.0001_a"), "{refusal}");
    assert!(versions(&left, &users[0]).await.is_empty() && versions(&right, &orders[0]).await.is_empty());

    let last = Box::pin(async { right.batch_execute("SELECT 1 / 0").await });
    let refusal = up_everywhere(&[here, there(&cart)], "declaring", last).await.expect_err("broken");
    let text = refusal.to_string();
    assert!(text.contains("declaring failed") && text.contains("division by zero"), "{text}");
    assert!(text.contains("newest first: cart.0001_a, users.0001_a"), "{text}");
    assert!(versions(&left, &users[0]).await.is_empty() && versions(&right, &cart[0]).await.is_empty());

    let applied = up_everywhere(&[here, there(&cart)], "nothing", nothing()).await.expect("whole");
    assert_eq!(applied.iter().map(|step| step.schema.as_str()).collect::<Vec<_>>(), ["users", "cart"]);
}

#[tokio::test]
async fn rights_that_cannot_be_granted_undo_the_deploy() {
    let db = TestDatabase::empty().await;
    let owner = db.owner().await;
    let service = format!("gone_{}", uuid::Uuid::new_v4().simple());
    let drops_its_role = Migration::new(1, "odd", &format!("DROP ROLE prost_{service}"), "SELECT 1");
    let odd = Migrations::checked(&service, "odd", vec![drops_its_role]).expect("numbered");
    let users = of("users", &[A]);
    let refusal = up(&owner, &[users.clone(), odd.clone()]).await.expect_err("nobody to grant to");
    let text = refusal.to_string();
    assert!(text.contains("odd: granting rights failed"), "{text}");
    assert!(text.contains("newest first: odd.0001_odd, users.0001_a"), "{text}");
    assert!(versions(&owner, &users).await.is_empty() && versions(&owner, &odd).await.is_empty());
}

#[tokio::test]
async fn a_fault_that_can_be_seen_beforehand_applies_nothing() {
    let db = TestDatabase::empty().await;
    let owner = db.owner().await;
    up(&owner, &[of("cart", &[A])]).await.expect("up");
    let users = of("users", &[A]);
    let edited = of("cart", &[("a", "CREATE TABLE other (id integer)", A.2)]);
    let refusal = up(&owner, &[users.clone(), edited]).await.expect_err("edited");
    assert!(matches!(refusal, MigrateError::Edited { .. }), "{refusal}");
    assert!(versions(&owner, &users).await.is_empty());
    assert!(tables(&owner, "users").await.is_empty());
}

#[tokio::test]
async fn an_undo_that_fails_too_is_told() {
    let db = TestDatabase::empty().await;
    let owner = db.owner().await;
    let stuck = ("stuck", "CREATE TABLE s (id integer)", "SELECT broken_down()");
    let refusal = up(&owner, &[of("users", &[stuck]), of("cart", &[BROKEN])]).await.expect_err("broken");
    let text = refusal.to_string();
    assert!(text.contains("undoing users.0001_stuck failed too") && text.contains("broken_down"), "{text}");
}

#[tokio::test]
async fn of_concurrent_deploys_one_applies_and_the_others_find_it_done() {
    let db = TestDatabase::empty().await;
    let slow = ("slow", "CREATE TABLE slow (id integer); SELECT pg_sleep(0.2)", "DROP TABLE slow");
    let deploy = [of("users", &[slow]), of("cart", &[A])];
    let (left, middle, right) = (db.owner().await, db.owner().await, db.owner().await);
    let (a, b, c) = tokio::join!(up(&left, &deploy), up(&middle, &deploy), up(&right, &deploy));
    let mut applied = [a, b, c].map(|result| result.expect("up").len());
    applied.sort_unstable();
    assert_eq!(applied, [0, 0, 2]);
}

#[tokio::test]
async fn a_failed_deploy_gives_the_lock_back() {
    let db = TestDatabase::empty().await;
    let owner = db.owner().await;
    up(&owner, &[of("users", &[BROKEN])]).await.expect_err("broken");
    let other = db.owner().await;
    up(&other, &[of("users", &[A])]).await.expect("the lock is free");
}

#[tokio::test]
async fn a_release_does_not_go_down_over_a_newer_ones_migration() {
    let db = TestDatabase::empty().await;
    let owner = db.owner().await;
    up(&owner, &[of("users", &[A, B])]).await.expect("up");
    let older = of("users", &[A]);
    assert!(up(&owner, std::slice::from_ref(&older)).await.expect("newer ones are no error").is_empty());
    let refusal = down(&owner, &older, 0, DataLoss::Allow).await.expect_err("unknown");
    assert!(matches!(refusal, MigrateError::Unknown { version: 2, .. }), "{refusal}");
}

#[tokio::test]
async fn the_foundation_and_messaging_go_up_down_and_up() {
    let db = TestDatabase::empty().await;
    let owner = db.owner().await;
    let deploy = [
        foundation_with("users", "users", ""),
        foundation_with("analytics", "public", ""),
        messaging::migrations().expect("messaging"),
    ];
    up(&owner, &deploy).await.expect("up");
    for migrations in &deploy {
        let refusal = down(&owner, migrations, 0, DataLoss::Refuse).await.expect_err("it drops tables");
        assert!(matches!(refusal, MigrateError::DataLoss { .. }), "{refusal}");
        down(&owner, migrations, 0, DataLoss::Allow).await.expect("down");
        assert!(tables(&owner, migrations.schema()).await.is_empty(), "{}", migrations.schema());
        let sql = "SELECT count(*) AS left_over FROM pg_proc WHERE pronamespace = $1::text::regnamespace";
        let row = owner.query_one(sql, &[&migrations.schema()]).await.expect("functions");
        assert_eq!(row.get::<_, i64>("left_over"), 0, "{}", migrations.schema());
    }
    up(&owner, &deploy).await.expect("up again");
}
