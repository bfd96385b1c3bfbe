//! Recorded events, and what of them is unsent.

use std::time::Duration;

use database::outbox::{self, Attempt, MAX_ATTEMPTS};
use database::{Connection, Database, Error, idempotency, maintenance, startup};
use events::{CorrelationId, Draft, EventId, OrderId, StockReleased};
use testkit::{TestDatabase, eventually, foundation_with, prepare_all};
use tokio_postgres::Client;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(15);
const LIMIT: Duration = Duration::from_secs(10);

/// Some event of products.
pub fn draft() -> Draft {
    let event = StockReleased { order_id: OrderId::new(), reservation_id: None, lines: Vec::new() };
    Draft::new(&event, 1, CorrelationId::new(), "products")
}

pub async fn products() -> (TestDatabase, Database) {
    let db = TestDatabase::new(&[foundation_with("products", "catalog", "")]).await;
    let database = db.database("products", "catalog");
    (db, database)
}

pub async fn record(database: &Database, count: usize) -> Vec<EventId> {
    let drafts: Vec<Draft> = (0..count).map(|_| draft()).collect();
    let ids = drafts.iter().map(|draft| draft.envelope.event_id).collect();
    let result: Result<(), Error> =
        database.write(move |tx| Box::pin(async move { outbox::record(tx, &drafts).await })).await;
    result.expect("record");
    ids
}

pub async fn claim(db: &Connection, limit: i64) -> (Uuid, Vec<EventId>) {
    let lease = Uuid::new_v4();
    let claimed = outbox::claim(db, limit, lease, LEASE, None).await.expect("claim").claimed;
    (lease, claimed.iter().map(|row| row.event_id).collect())
}

/// Time passes for every row: it is due now.
pub async fn make_due(owner: &Client) {
    owner.execute("UPDATE catalog.outbox SET next_attempt_at = now() - interval '1 s'", &[]).await.expect("tamper");
}

async fn database_clock(owner: &Client) -> f64 {
    let row = owner.query_one("SELECT extract(epoch FROM clock_timestamp())::float8 AS now", &[]).await;
    row.expect("ask").get("now")
}

#[tokio::test]
async fn statements_fit_the_schema() {
    let (_db, database) = products().await;
    for all in [outbox::ALL, idempotency::ALL, maintenance::ALL, startup::ALL] {
        prepare_all(&database, all).await;
    }
}

#[tokio::test]
async fn what_is_published_is_what_was_recorded_byte_for_byte() {
    let (db, database) = products().await;
    let draft = draft();
    let (expected, id) = (serde_json::to_string(&draft.envelope).expect("JSON"), draft.envelope.event_id);
    let recorded: Result<(), Error> =
        database.write(move |tx| Box::pin(async move { outbox::record(tx, &[draft]).await })).await;
    recorded.expect("record");
    let connection = database.read().await.expect("connect");
    let claimed = outbox::claim(&connection, 10, Uuid::new_v4(), LEASE, None).await.expect("claim").claimed;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].body, expected);
    assert_eq!(claimed[0].exchange, "products.events");
    assert_eq!(claimed[0].routing_key, "product.stock_released");
    let sql = "SELECT event_type, aggregate_type FROM catalog.events WHERE event_id = $1";
    let row = db.owner().await.query_one(sql, &[&id]).await.expect("the audit trail");
    assert_eq!(row.get::<_, String>("event_type"), "StockReleased");
    assert_eq!(row.get::<_, String>("aggregate_type"), "order");
}

#[tokio::test]
async fn a_rolled_back_transaction_records_nothing() {
    let (_db, database) = products().await;
    let failed: Result<(), Error> = database
        .write(|tx| {
            Box::pin(async move {
                outbox::record(tx, &[draft()]).await?;
                Err(Error::Panicked)
            })
        })
        .await;
    assert!(failed.is_err());
    let backlog = outbox::backlog(&database.read().await.expect("connect")).await.expect("backlog");
    assert_eq!((backlog.pending, backlog.failed, backlog.oldest), (0, 0, None));
}

#[tokio::test]
async fn two_relays_never_claim_the_same_row() {
    let (_db, database) = products().await;
    record(&database, 100).await;
    let (left, right) = (database.read().await.expect("left"), database.read().await.expect("right"));
    let mut seen = Vec::new();
    loop {
        let ((_, a), (_, b)) = tokio::join!(claim(&left, 7), claim(&right, 7));
        if a.is_empty() && b.is_empty() {
            break;
        }
        seen.extend(a);
        seen.extend(b);
    }
    seen.sort_unstable();
    let claimed = seen.len();
    seen.dedup();
    assert_eq!((claimed, seen.len()), (100, 100));
}

#[tokio::test]
async fn a_relay_that_lost_its_lease_neither_deletes_nor_puts_back() {
    let (db, database) = products().await;
    let owner = db.owner().await;
    record(&database, 3).await;
    let connection = database.read().await.expect("connect");
    let (paused, events) = claim(&connection, 10).await;
    assert!(claim(&connection, 10).await.1.is_empty(), "leased");
    make_due(&owner).await;
    let (successor, again) = claim(&connection, 10).await;
    assert_eq!(again.len(), 3, "the lease ran out");

    assert_eq!(outbox::sent(&connection, &events, paused).await.expect("sent"), 0);
    let put_back = outbox::not_sent(&connection, &events, paused, "late", Attempt::Counts).await;
    assert_eq!(put_back.expect("not sent"), 0);
    let backlog = outbox::backlog(&connection).await.expect("backlog");
    assert_eq!((backlog.pending, backlog.last_error), (3, None));
    assert_eq!(outbox::sent(&connection, &events, successor).await.expect("sent"), 3);
    assert_eq!(outbox::backlog(&connection).await.expect("backlog").pending, 0);
}

#[tokio::test]
async fn a_row_that_commits_late_is_claimed_although_its_number_is_low() {
    let (_db, database) = products().await;
    let early = draft();
    let early_id = early.envelope.event_id;
    let late = database.read().await.expect("connect");
    late.batch_execute("BEGIN").await.expect("begin");
    outbox::record(&late, &[early]).await.expect("record");
    let later = record(&database, 1).await;
    let connection = database.read().await.expect("connect");
    let (lease, claimed) = claim(&connection, 10).await;
    assert_eq!(claimed, later);
    outbox::sent(&connection, &claimed, lease).await.expect("sent");
    late.batch_execute("COMMIT").await.expect("commit");
    assert_eq!(claim(&connection, 10).await.1, [early_id]);
}

#[tokio::test]
async fn refusals_back_off_from_100_ms_doubling_to_30_s_and_end_in_failed() {
    let (db, database) = products().await;
    let owner = db.owner().await;
    let ids = record(&database, 1).await;
    let connection = database.read().await.expect("connect");
    for attempt in 0..MAX_ATTEMPTS {
        let (lease, claimed) = claim(&connection, 10).await;
        assert_eq!(claimed, ids, "attempt {attempt}");
        let before = database_clock(&owner).await;
        outbox::not_sent(&connection, &ids, lease, "unroutable", Attempt::Counts).await.expect("not sent");
        let after = database_clock(&owner).await;
        let sql = "SELECT extract(epoch FROM next_attempt_at)::float8 AS next, attempts, lease IS NULL AS free
                   FROM catalog.outbox";
        let row = owner.query_one(sql, &[]).await.expect("read");
        let (next, pause) = (row.get::<_, f64>("next"), (0.1 * 2_f64.powi(attempt)).min(30.0));
        // Microseconds get lost in the floating point.
        assert!(next > before + pause - 0.001 && next < after + pause + 0.001, "attempt {attempt}: {pause} s");
        assert_eq!(row.get::<_, i32>("attempts"), attempt + 1);
        assert!(row.get::<_, bool>("free"));
        make_due(&owner).await;
    }
    assert!(claim(&connection, 10).await.1.is_empty(), "failed rows are not tried");
    let backlog = outbox::backlog(&connection).await.expect("backlog");
    assert_eq!((backlog.pending, backlog.failed), (0, 1));
    assert_eq!(backlog.last_error.as_deref(), Some("unroutable"));
}

#[tokio::test]
async fn a_broker_that_is_away_does_not_count_against_the_message() {
    let (db, database) = products().await;
    let owner = db.owner().await;
    record(&database, 1).await;
    let connection = database.read().await.expect("connect");
    for _ in 0..2 * MAX_ATTEMPTS {
        let (lease, claimed) = claim(&connection, 10).await;
        outbox::not_sent(&connection, &claimed, lease, "away", Attempt::BrokerAway).await.expect("not sent");
        make_due(&owner).await;
    }
    let backlog = outbox::backlog(&connection).await.expect("backlog");
    assert_eq!((backlog.pending, backlog.failed), (1, 0));
}

#[tokio::test]
async fn a_row_is_due_again_by_itself() {
    let (_db, database) = products().await;
    let ids = record(&database, 1).await;
    let connection = database.read().await.expect("connect");
    let (lease, _) = claim(&connection, 10).await;
    outbox::not_sent(&connection, &ids, lease, "away", Attempt::BrokerAway).await.expect("not sent");
    eventually(LIMIT, || async {
        if claim(&connection, 10).await.1 == ids { Ok(()) } else { Err("not due".to_owned()) }
    })
    .await;
}

#[tokio::test]
async fn moving_to_the_queues_is_exactly_once_and_all_or_nothing() {
    let (db, database) = products().await;
    let owner = db.owner().await;
    messaging::declare_queues(&owner).await.expect("declaring again changes nothing");
    record(&database, 5).await;
    let (left, right) = (database.read().await.expect("left"), database.read().await.expect("right"));
    let (a, b) =
        tokio::join!(outbox::move_to_queues(&left, 100, "a", None), outbox::move_to_queues(&right, 100, "b", None));
    let (a, b) = (a.expect("move"), b.expect("move"));
    assert_eq!(a.count + b.count, 5);
    let depth = |queue: &'static str| {
        let owner = &owner;
        async move {
            let sql = "SELECT ready FROM messaging.depths() WHERE queue = $1";
            owner.query_one(sql, &[&queue]).await.expect("depth").get::<_, i64>("ready")
        }
    };
    for queue in ["orders.products.events.queue", "cart.products.events.queue", "analytics.products.events.queue"] {
        assert_eq!(depth(queue).await, 5, "{queue}");
    }

    record(&database, 2).await;
    owner.batch_execute("DELETE FROM messaging.bindings WHERE exchange = 'products.events'").await.expect("tamper");
    let error = outbox::move_to_queues(&left, 100, "a", None).await.expect_err("nobody wants it");
    assert!(error.to_string().contains("unroutable"), "{error}");
    assert_eq!(outbox::backlog(&left).await.expect("backlog").pending, 2);
    assert_eq!(depth("orders.products.events.queue").await, 5);
}
