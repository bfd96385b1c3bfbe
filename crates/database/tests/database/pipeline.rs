//! Transactions that are opened by their first statement and ended by their last.

use std::time::Duration;

use database::{Command, Connection, Database, Error, PoolLimits};
use testkit::{TestDatabase, foundation_with};

const TABLES: &str = "CREATE TABLE notes (id integer PRIMARY KEY)";
const LOOK: &str = "SELECT current_setting('transaction_deferrable') AS begun";
const NOTE: &str = "INSERT INTO notes (id) VALUES ($1)";

async fn one_connection() -> (TestDatabase, Database) {
    let db = TestDatabase::new(&[foundation_with("users", "users", TABLES)]).await;
    let limits = PoolLimits { max: 1, warm: 0, wait: Duration::from_secs(5), ..PoolLimits::default() };
    let database = db.database_with("users", "users", &limits);
    (db, database)
}

fn note(id: i32) -> Command<'static> {
    Command::new(NOTE).with(id)
}

async fn noted(database: &Database) -> Vec<i32> {
    let db = database.read().await.expect("connect");
    let rows = db.query("SELECT id FROM notes ORDER BY id", &[]).await.expect("read");
    rows.iter().map(|row| row.get("id")).collect()
}

/// Opens the transaction, and makes sure that it is open.
async fn open(tx: &Connection) -> Result<(), Error> {
    let rows = tx.open_with(LOOK, &[]).await?;
    assert_eq!(rows[0].get::<_, String>("begun"), "on", "the statement sees that BEGIN came before it");
    Ok(())
}

#[tokio::test]
async fn the_last_statements_take_the_commit_with_them() {
    let (_db, database) = one_connection().await;
    let after = database
        .write_opening(|tx| {
            Box::pin(async move {
                open(tx).await?;
                tx.all(&[note(1), note(2)]).await?;
                tx.last(&[note(3), note(4)]).await?;
                Ok::<_, Error>(tx.execute(NOTE, &[&5]).await)
            })
        })
        .await
        .expect("committed");
    assert!(matches!(after, Err(Error::Ended)), "what comes later is refused: {after:?}");
    assert_eq!(noted(&database).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn one_of_the_last_statements_that_fails_takes_all_back() {
    let (_db, database) = one_connection().await;
    for failing in [0, 1, 2] {
        let result: Result<_, Error> = database
            .write_opening(move |tx| {
                Box::pin(async move {
                    open(tx).await?;
                    tx.execute(NOTE, &[&1]).await?;
                    let commands: Vec<Command<'_>> =
                        (0..3).map(|at| note(if at == failing { 1 } else { 10 + at })).collect();
                    tx.last(&commands).await
                })
            })
            .await;
        let error = result.expect_err("twice the same note");
        assert_eq!(error.constraint(), Some("notes_pkey"));
        assert_eq!(noted(&database).await, [0; 0]);
    }
}

/// The server never hears of it, and would commit the others.
#[tokio::test]
async fn one_of_the_last_statements_that_cannot_be_sent_takes_all_back() {
    let (_db, database) = one_connection().await;
    for unsendable in [0, 1, 2] {
        let result: Result<_, Error> = database
            .write_opening(move |tx| {
                Box::pin(async move {
                    open(tx).await?;
                    tx.execute(NOTE, &[&1]).await?;
                    let mut commands = vec![note(2), note(3)];
                    commands.insert(unsendable, Command::new(NOTE).with("no number"));
                    tx.last(&commands).await
                })
            })
            .await;
        result.expect_err("the column takes numbers");
        assert_eq!(noted(&database).await, [0; 0]);
    }
}

/// The statements of batches follow the indexes, whoever opens the transaction; those of others are left to the server.
#[tokio::test]
async fn only_batches_are_planned_by_the_indexes() {
    const ASK: &str = "SELECT current_setting('plan_cache_mode') || ' ' || current_setting('enable_seqscan') AS plans";
    let (_db, database) = one_connection().await;
    let asked = |row: database::Row| row.get::<_, String>("plans");
    let as_usual = asked(database.read().await.unwrap().query_one(ASK, &[]).await.unwrap());
    let batch = database.write_batch(|tx| Box::pin(tx.query_one(ASK, &[]))).await.map(asked);
    assert_eq!(batch.unwrap(), "force_generic_plan off");
    let opened: Result<_, Error> = database.write_opening(|tx| Box::pin(tx.open_with(ASK, &[]))).await;
    assert_eq!(asked(opened.unwrap().remove(0)), "force_generic_plan off");
    let one = database.write(|tx| Box::pin(tx.query_one(ASK, &[]))).await.map(asked);
    assert_eq!((one.unwrap(), as_usual), ("auto on".to_owned(), "auto on".to_owned()));
}

#[tokio::test]
async fn work_that_passes_over_an_error_of_its_last_statements_is_told_of_it() {
    let (_db, database) = one_connection().await;
    let result: Result<bool, Error> = database
        .write_opening(|tx| {
            Box::pin(async move {
                open(tx).await?;
                Ok(tx.last(&[note(1), note(1)]).await.is_ok())
            })
        })
        .await;
    assert!(matches!(result, Err(Error::Ended)), "nothing is committed: {result:?}");
    assert_eq!(noted(&database).await, [0; 0]);
}

#[tokio::test]
async fn where_something_follows_the_work_the_last_statements_leave_the_commit_to_it() {
    let (_db, database) = one_connection().await;
    let result: Result<(), Error> = database
        .write(|tx| {
            Box::pin(async move {
                tx.last(&[note(1)]).await?;
                tx.execute(NOTE, &[&1]).await.map(drop)
            })
        })
        .await;
    result.expect_err("twice the same note");
    assert_eq!(noted(&database).await, [0; 0]);
}

#[tokio::test]
async fn work_that_never_opens_its_transaction_leaves_nothing_behind() {
    let (_db, database) = one_connection().await;
    let nothing: Result<i32, Error> = database.write_opening(|_| Box::pin(async { Ok(7) })).await;
    assert_eq!(nothing.expect("nothing to commit"), 7);
    assert_eq!(noted(&database).await, [0; 0]);
}
