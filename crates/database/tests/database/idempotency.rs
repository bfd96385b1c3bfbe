//! Each event is applied once per service, whoever else tries at the same time.

use std::time::Duration;

use database::{Connection, Database, idempotency};
use events::EventId;
use testkit::{TestDatabase, eventually, foundation_with};
use tokio_postgres::Client;

const LIMIT: Duration = Duration::from_secs(10);

async fn orders() -> (TestDatabase, Database) {
    let db = TestDatabase::new(&[foundation_with("orders", "orders", "")]).await;
    let database = db.database("orders", "orders");
    (db, database)
}

async fn claim(tx: &Connection, events: &[EventId]) -> Vec<EventId> {
    let claims: Vec<(EventId, &str)> = events.iter().map(|id| (*id, "StockReserved")).collect();
    let mut fresh: Vec<EventId> = idempotency::claim(tx, "orders", &claims).await.expect("claim").into_iter().collect();
    fresh.sort_unstable();
    fresh
}

async fn begin(database: &Database) -> Connection {
    let connection = database.read().await.expect("connect");
    connection.batch_execute("BEGIN").await.expect("begin");
    connection
}

async fn until_somebody_waits(owner: &Client) {
    eventually(LIMIT, || async {
        let sql = "SELECT count(*) AS waiting FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
        match owner.query_one(sql, &[]).await.expect("look").get::<_, i64>("waiting") {
            0 => Err("nobody waits".to_owned()),
            _ => Ok(()),
        }
    })
    .await;
}

#[tokio::test]
async fn a_second_claim_gets_nothing_and_another_service_gets_its_own() {
    let (_db, database) = orders().await;
    let (id, other) = (EventId::new(), EventId::new());
    let connection = database.read().await.expect("connect");
    assert_eq!(claim(&connection, &[id]).await, [id]);
    assert_eq!(claim(&connection, &[id, other]).await, [other]);
    let fresh = idempotency::claim(&connection, "cart", &[(id, "StockReserved")]).await.expect("claim");
    assert!(fresh.contains(&id));
}

#[tokio::test]
async fn two_copies_in_one_batch_are_one() {
    let (_db, database) = orders().await;
    let id = EventId::new();
    assert_eq!(claim(&database.read().await.expect("connect"), &[id, id, id]).await, [id]);
}

#[tokio::test]
async fn a_copy_that_another_replica_handles_is_waited_for() {
    for (end, expected) in [("COMMIT", 0), ("ROLLBACK", 1)] {
        let (db, database) = orders().await;
        let owner = db.owner().await;
        let id = EventId::new();
        let first = begin(&database).await;
        assert_eq!(claim(&first, &[id]).await, [id]);
        let second = begin(&database).await;
        let ids = [id];
        let (fresh, ()) = tokio::join!(claim(&second, &ids), async {
            until_somebody_waits(&owner).await;
            first.batch_execute(end).await.expect(end);
        });
        assert_eq!(fresh.len(), expected, "after {end}");
        second.batch_execute("COMMIT").await.expect("commit");
    }
}

#[tokio::test]
async fn batches_that_overlap_in_any_order_do_not_deadlock() {
    let (_db, database) = orders().await;
    for _ in 0..20 {
        let ids: Vec<EventId> = (0..200).map(|_| EventId::new()).collect();
        let reversed: Vec<EventId> = ids.iter().rev().copied().collect();
        let (left, right) = (begin(&database).await, begin(&database).await);
        let commit = |tx: Connection, ids: Vec<EventId>| async move {
            let fresh = claim(&tx, &ids).await.len();
            tx.batch_execute("COMMIT").await.expect("commit");
            fresh
        };
        let (a, b) = tokio::join!(commit(left, ids.clone()), commit(right, reversed));
        assert_eq!(a + b, ids.len());
    }
}
