//! A caller that goes away, at every single await: nothing stays open, nothing is torn.
//!
//! A pool of one shows what is left behind: the next user would get that very connection.

use std::time::{Duration, Instant};

use database::{Database, Error, PoolLimits};
use testkit::{TestDatabase, eventually, foundation_with, polled};
use tokio_postgres::Client;

const LIMIT: Duration = Duration::from_secs(10);
const TABLES: &str = "CREATE TABLE pairs (id integer, half text)";

async fn pool_of_one() -> (TestDatabase, Database) {
    let db = TestDatabase::new(&[foundation_with("users", "users", TABLES)]).await;
    let limits = PoolLimits { max: 1, warm: 0, wait: Duration::from_secs(5), ..PoolLimits::default() };
    let database = db.database_with("users", "users", &limits);
    (db, database)
}

/// Nothing of this database's services runs a statement or holds a transaction open.
async fn assert_quiet(owner: &Client, after: &str) {
    eventually(LIMIT, || async {
        let sql = "SELECT count(*) AS busy FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = 'prost-users' AND state <> 'idle'";
        match owner.query_one(sql, &[]).await.expect("look").get::<_, i64>("busy") {
            0 => Ok(()),
            busy => Err(format!("{after}: {busy} busy connections")),
        }
    })
    .await;
}

/// The pool's only connection is sound: outside a transaction, and what it writes stays.
async fn assert_sound(database: &Database, after: &str) {
    let connection = database.read().await.unwrap_or_else(|error| panic!("{after}: {error}"));
    let now = || async {
        let row = connection.query_one("SELECT now()::text AS now", &[]).await;
        row.unwrap_or_else(|error| panic!("{after}: {error}")).get::<_, String>("now")
    };
    assert_ne!(now().await, now().await, "{after}: time stands still in a transaction that was left open");
}

async fn read(database: &Database) -> Result<i64, Error> {
    let connection = database.read().await?;
    connection.query_one("SELECT pg_sleep(0.002)::text AS slept", &[]).await?;
    connection.query_opt("SELECT id FROM pairs LIMIT 1", &[]).await?;
    connection.batch_execute("SAVEPOINT outside").await.expect_err("no transaction");
    Ok(connection.query_one("SELECT count(*) AS pairs FROM pairs", &[]).await?.get("pairs"))
}

async fn write(database: &Database, id: i32) -> Result<(), Error> {
    database
        .write(move |tx| {
            Box::pin(async move {
                tx.execute("INSERT INTO pairs VALUES ($1, 'left')", &[&id]).await?;
                tx.execute("INSERT INTO pairs VALUES ($1, 'right')", &[&id]).await?;
                Ok(())
            })
        })
        .await
}

#[tokio::test]
async fn a_read_dropped_at_any_await_leaves_a_sound_pool() {
    let (db, database) = pool_of_one().await;
    let owner = db.owner().await;
    for times in 0.. {
        let done = polled(times, read(&database)).await;
        let after = format!("dropped after {times} polls");
        assert_sound(&database, &after).await;
        assert_quiet(&owner, &after).await;
        if let Some(result) = done {
            result.expect("undisturbed");
            assert!(times > 4, "the read was dropped at several awaits");
            return;
        }
    }
}

#[tokio::test]
async fn a_write_dropped_at_any_await_is_whole_or_absent() {
    let (db, database) = pool_of_one().await;
    let owner = db.owner().await;
    for times in 0.. {
        let id = i32::try_from(times).expect("few");
        let done = polled(times, write(&database, id)).await;
        let after = format!("dropped after {times} polls");
        assert_sound(&database, &after).await;
        assert_quiet(&owner, &after).await;
        let sql = "SELECT count(*) AS halves FROM users.pairs WHERE id = $1";
        let halves: i64 = owner.query_one(sql, &[&id]).await.expect("count").get("halves");
        let expected = if times == 0 { 0 } else { 2 };
        assert_eq!(halves, expected, "{after}: a write that was begun runs to its end");
        if let Some(result) = done {
            result.expect("undisturbed");
            return;
        }
    }
}

/// A write whose very task is dropped, as when the runtime shuts down: at every await inside.
#[tokio::test]
async fn a_transaction_torn_from_inside_leaves_nothing() {
    let (db, database) = pool_of_one().await;
    let owner = db.owner().await;
    for times in 0.. {
        let id = i32::try_from(times).expect("few");
        let (tell, told) = tokio::sync::oneshot::channel();
        let result: Result<bool, Error> = database
            .write(move |tx| {
                Box::pin(async move {
                    let halves = async {
                        tx.execute("INSERT INTO pairs VALUES ($1, 'left')", &[&id]).await?;
                        tx.execute("INSERT INTO pairs VALUES ($1, 'right')", &[&id]).await
                    };
                    let done = polled(times, halves).await;
                    tell.send(done.is_some()).expect("listener");
                    match done {
                        Some(result) => result.map(|_| true),
                        // The handler gave up half-way: an error rolls back.
                        None => Err(Error::Panicked),
                    }
                })
            })
            .await;
        let after = format!("dropped after {times} polls");
        let whole = told.await.expect("told");
        assert_eq!(result.is_ok(), whole, "{after}");
        assert_sound(&database, &after).await;
        assert_quiet(&owner, &after).await;
        let sql = "SELECT count(*) AS halves FROM users.pairs WHERE id = $1";
        let halves: i64 = owner.query_one(sql, &[&id]).await.expect("count").get("halves");
        assert_eq!(halves, if whole { 2 } else { 0 }, "{after}");
        if whole {
            return;
        }
    }
}

#[tokio::test]
async fn the_statement_of_a_dropped_read_ends_in_the_server_within_a_second() {
    let (db, database) = pool_of_one().await;
    let owner = db.owner().await;
    let reader = database.clone();
    let reading =
        tokio::spawn(async move { reader.read().await?.query_one("SELECT pg_sleep(20)::text AS slept", &[]).await });
    let running = "SELECT count(*) AS running FROM pg_stat_activity
                   WHERE datname = current_database() AND query LIKE '%pg_sleep(20)%' AND pid <> pg_backend_pid()";
    let count = || async { owner.query_one(running, &[]).await.expect("look").get::<_, i64>("running") };
    eventually(LIMIT, || async { if count().await == 1 { Ok(()) } else { Err("not begun".to_owned()) } }).await;
    reading.abort();
    let begun = Instant::now();
    eventually(Duration::from_secs(1), || async {
        if count().await == 0 { Ok(()) } else { Err("the statement runs on".to_owned()) }
    })
    .await;
    assert_sound(&database, "aborted").await;
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn the_relay_is_nudged_even_if_the_writer_is_gone() {
    let (_db, database) = pool_of_one().await;
    let writer = database.clone();
    let dropped = polled(1, async move {
        writer.write(|tx| Box::pin(async move { database::outbox::record(tx, &[crate::outbox::draft()]).await })).await
    })
    .await;
    assert!(dropped.is_none());
    tokio::time::timeout(LIMIT, database.outbox_nudge().notified()).await.expect("nudged");
}
