//! Limits and lifetimes of a service's connections.

use std::time::Duration;

use database::{Database, Error, PoolLimits};
use testkit::{FaultProxy, TestDatabase, eventually, foundation_with};

const LIMIT: Duration = Duration::from_secs(10);

fn limits() -> PoolLimits {
    PoolLimits { max: 2, warm: 0, wait: Duration::from_millis(100), ..PoolLimits::default() }
}

async fn users() -> TestDatabase {
    TestDatabase::new(&[foundation_with("users", "users", "CREATE TABLE things (id integer UNIQUE)")]).await
}

async fn backend(database: &Database) -> i32 {
    let row = database.read().await.expect("connect").query_one("SELECT pg_backend_pid() AS pid", &[]).await;
    row.expect("ask").get("pid")
}

#[tokio::test]
async fn every_connection_runs_under_the_role_in_the_schema_with_limits() {
    let db = users().await;
    let sql = "SELECT current_user::text AS role, current_schema()::text AS schema,
                      current_setting('statement_timeout') AS statement, current_setting('application_name') AS name,
                      current_setting('idle_in_transaction_session_timeout') AS idle";
    let database = db.database("users", "users");
    let row = database.read().await.expect("connect").query_one(sql, &[]).await.expect("ask");
    assert_eq!(row.get::<_, String>("role"), "prost_users");
    assert_eq!(row.get::<_, String>("schema"), "users");
    assert_eq!(row.get::<_, String>("statement"), "30s");
    assert_eq!(row.get::<_, String>("idle"), "20s");
    assert_eq!(row.get::<_, String>("name"), "prost-users");
}

#[tokio::test]
async fn no_more_connections_than_the_limit_and_no_endless_wait_for_one() {
    let db = users().await;
    let database = db.database_with("users", "users", &limits());
    let (left, right) = (database.read().await.expect("first"), database.read().await.expect("second"));
    let refusal = database.read().await.err().expect("the limit is two");
    assert!(matches!(refusal, Error::Pool(_)) && refusal.is_unavailable(), "{refusal}");
    drop(left);
    let again = database.read().await.expect("one came back");
    assert_eq!(database.pool_status().0, 2);
    drop((right, again));
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let db = users().await;
    let database = db.database_with("users", "users", &limits());
    assert_eq!(backend(&database).await, backend(&database).await);
}

#[tokio::test]
async fn some_connections_are_kept_warm() {
    let db = users().await;
    let database = db.database_with("users", "users", &PoolLimits { max: 5, warm: 3, ..limits() });
    eventually(LIMIT, || async {
        let (open, idle, _) = database.pool_status();
        if (open, idle) == (3, 3) { Ok(()) } else { Err(format!("{open} open, {idle} idle")) }
    })
    .await;
}

#[tokio::test]
async fn a_connection_past_its_lifetime_is_replaced() {
    let db = users().await;
    let database = db.database_with("users", "users", &PoolLimits { lifetime: Duration::from_millis(50), ..limits() });
    let first = backend(&database).await;
    eventually(LIMIT, || async {
        if backend(&database).await == first { Err("still the first connection".to_owned()) } else { Ok(()) }
    })
    .await;
}

#[tokio::test]
async fn idle_connections_are_closed_down_to_the_warm_ones() {
    let db = users().await;
    let database = db.database_with(
        "users",
        "users",
        &PoolLimits { max: 4, warm: 1, idle_time: Duration::from_millis(50), ..limits() },
    );
    let held = futures_util::future::join_all((0..4).map(|_| database.read())).await;
    assert!(held.iter().all(Result::is_ok));
    drop(held);
    eventually(LIMIT, || async {
        match database.pool_status().0 {
            1 => Ok(()),
            open => Err(format!("{open} open")),
        }
    })
    .await;
}

#[tokio::test]
async fn connections_end_with_the_last_user_of_the_pool() {
    let db = users().await;
    let database = db.database_with("users", "users", &PoolLimits { warm: 2, ..limits() });
    backend(&database).await;
    drop(database);
    let owner = db.owner().await;
    eventually(LIMIT, || async {
        let sql = "SELECT count(*) AS open FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = 'prost-users'";
        match owner.query_one(sql, &[]).await.expect("count").get::<_, i64>("open") {
            0 => Ok(()),
            open => Err(format!("{open} open")),
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_comes_back_is_used_again_without_a_word_from_the_caller() {
    let db = users().await;
    let proxy = FaultProxy::of_url(db.owner_url()).await;
    let database = db.database_through(&proxy, "users", "users");
    backend(&database).await;
    proxy.cut();
    eventually(LIMIT, || async {
        let error = async { database.read().await?.query_one("SELECT 1", &[]).await }.await.err();
        let error = error.ok_or_else(|| "still connected".to_owned())?;
        assert!(error.is_unavailable(), "{error}");
        Ok(())
    })
    .await;
    proxy.pass();
    eventually(LIMIT, || async {
        async { database.read().await?.query_one("SELECT 1", &[]).await }.await.map_err(|error| error.to_string())
    })
    .await;
}

#[tokio::test]
async fn after_a_silence_no_other_dead_connection_is_waited_for() {
    let db = users().await;
    let proxy = FaultProxy::of_url(db.owner_url()).await;
    let database = db.database_through(&proxy, "users", "users");
    let (one, other) = (database.read().await.expect("connect"), database.read().await.expect("connect"));
    drop((one, other));
    proxy.half_open();
    // Takes as long as an answer may: nothing shorter tells a dead connection from a slow one.
    let error = database.read().await.expect("connected before").query_one("SELECT 1", &[]).await;
    assert!(matches!(error, Err(Error::TimedOut(_))), "{:?}", error.err());
    proxy.pass();
    tokio::time::timeout(LIMIT, backend(&database)).await.expect("a connection that lives");
}

#[tokio::test]
async fn errors_say_what_the_server_said() {
    let db = users().await;
    let database = db.database("users", "users");
    let connection = database.read().await.expect("connect");
    let insert = "INSERT INTO things VALUES (1)";
    connection.execute(insert, &[]).await.expect("first");
    let error = connection.execute(insert, &[]).await.expect_err("unique");
    assert_eq!(error.constraint(), Some("things_id_key"));
    assert!(error.to_string().contains("23505"), "{error}");
    assert!(!error.is_unavailable() && !error.is_conflict());
    let cast = connection.query_one("SELECT 'text' AS word WHERE false", &[]).await.expect_err("no row");
    assert!(!cast.is_unavailable(), "{cast}");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_no_outage() {
    let db = users().await;
    let database = db.database("users", "users");
    let connection = database.read().await.expect("connect");
    let sleep = "SET statement_timeout = '10ms'; SELECT pg_sleep(60)";
    let error = connection.batch_execute(sleep).await.expect_err("too long");
    assert!(error.is_overdue() && !error.is_unavailable(), "{error}");
    let pid: i32 = connection.query_one("SELECT pg_backend_pid() AS pid", &[]).await.expect("ask").get("pid");
    db.owner().await.execute("SELECT pg_terminate_backend($1)", &[&pid]).await.expect("end the connection");
    let error = connection.batch_execute("SELECT 1").await.expect_err("the connection is ended");
    assert!(error.is_unavailable() && !error.is_overdue(), "{error}");
}

#[tokio::test]
async fn a_swallowed_error_does_not_pass_for_a_commit() {
    let db = users().await;
    let database = db.database("users", "users");
    let swallowed: Result<(), Error> = database
        .write(|tx| {
            Box::pin(async move {
                tx.batch_execute("INSERT INTO things VALUES (1)").await?;
                tx.batch_execute("INSERT INTO things VALUES (1)").await.expect_err("unique");
                Ok(())
            })
        })
        .await;
    let error = swallowed.expect_err("the transaction was aborted");
    assert!(error.to_string().contains("25P02"), "{error}");
    let kept: Result<(), Error> = database
        .write(|tx| {
            Box::pin(async move {
                tx.batch_execute("INSERT INTO things VALUES (2); SAVEPOINT attempt").await?;
                tx.batch_execute("INSERT INTO things VALUES (2)").await.expect_err("unique");
                tx.batch_execute("ROLLBACK TO attempt").await
            })
        })
        .await;
    kept.expect("back at the savepoint all is well");
    let row = db.owner().await.query_one("SELECT array_agg(id) AS ids FROM users.things", &[]).await.expect("read");
    assert_eq!(row.get::<_, Vec<i32>>("ids"), [2]);
}

#[tokio::test]
async fn a_panic_in_a_transaction_rolls_back_and_is_told() {
    let db = users().await;
    let database = db.database_with("users", "users", &PoolLimits { max: 1, ..limits() });
    let result: Result<(), Error> = database
        .write(|tx| {
            Box::pin(async move {
                tx.batch_execute("INSERT INTO things VALUES (1)").await?;
                panic!("as a bug would")
            })
        })
        .await;
    assert!(matches!(result, Err(Error::Panicked)), "{result:?}");
    eventually(LIMIT, || async {
        let row = async { database.read().await?.query_one("SELECT count(*) AS rows FROM things", &[]).await }.await;
        let rows: i64 = row.map_err(|error| error.to_string())?.get("rows");
        if rows == 0 { Ok(()) } else { Err(format!("{rows} rows")) }
    })
    .await;
}
