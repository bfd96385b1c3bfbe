//! A great many events through an outbox and a queue, half of them while somebody keeps a transaction open: what is
//! done with goes, and claiming stays as quick as it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use database::{Connection, Database, outbox};
use events::topology::{Exchange, QUEUES};
use events::{CorrelationId, Draft, Envelope, OrderId, StockReleased};
use messaging::{Consumer, Handler, HandlerError, Relay};
use testkit::{TestDatabase, eventually, foundation_with};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::number;

const PERIODS: usize = 20;
const AT_ONCE: usize = 200;
/// For what one period holds.
const PATIENCE: Duration = Duration::from_secs(600);

/// Counts what it is given.
#[derive(Default)]
struct Counter(AtomicUsize);

#[async_trait]
impl Handler for Counter {
    async fn handle(&self, _tx: &Connection, _batch: &[Envelope]) -> Result<(), HandlerError> {
        Ok(())
    }

    fn committed(&self, batch: &[Envelope]) {
        self.0.fetch_add(batch.len(), Ordering::Relaxed);
    }
}

/// What a period left behind.
#[derive(Debug)]
struct Period {
    claim_us: u128,
    receive_us: u128,
    /// Of outbox and queue together: what passes through.
    passing_kb: i64,
    dead_rows: i64,
    /// Of the audit trail and the idempotency records: what stays until its time is over.
    kept_kb: i64,
}

#[tokio::test]
async fn what_passes_through_leaves_nothing_behind() {
    let events = number("CHAOS_EVENTS", 20_000).next_multiple_of(PERIODS * AT_ONCE);
    let foundations = [foundation_with("products", "catalog", ""), foundation_with("orders", "orders", "")];
    let test = TestDatabase::new(&foundations).await;
    let (products, orders) = (test.database("products", "catalog"), test.database("orders", "orders"));
    let owner = test.owner().await;
    let queue = QUEUES.iter().find(|queue| queue.service == "orders" && queue.exchange == Exchange::Products);
    let queue = queue.expect("orders listens to products");
    let others = "DELETE FROM messaging.bindings b USING messaging.queues q WHERE q.id = b.queue_id AND q.name <> $1";
    owner.execute(others, &[&queue.name()]).await.expect("nobody else listens");
    let (shutdown, counter) = (CancellationToken::new(), Arc::new(Counter::default()));
    let relay = Relay::new("products", products.clone(), test.transport(&products)).run(shutdown.clone());
    let consumer = Consumer { queue, database: orders.clone(), handler: counter.clone() };
    let running = [tokio::spawn(relay), tokio::spawn(consumer.run(test.transport(&orders), shutdown.clone()))];

    println!("   events  claim µs  receive µs  passing kB  dead rows  kept kB");
    let mut periods = Vec::with_capacity(PERIODS);
    let mut idle = None;
    for number in 1..=PERIODS {
        if number == PERIODS / 4 {
            idle = Some(leave_a_transaction_open(&test).await);
        } else if number == PERIODS * 3 / 4 {
            drop(idle.take());
        }
        let done = number * events / PERIODS;
        pass(&products, events / PERIODS).await;
        eventually(PATIENCE, || async {
            let applied = counter.0.load(Ordering::Relaxed);
            if applied == done { Ok(()) } else { Err(format!("{applied} of {done} applied")) }
        })
        .await;
        let period = look(&owner, &products, &orders, &queue.name()).await;
        let Period { claim_us, receive_us, passing_kb, dead_rows, kept_kb } = &period;
        let note = if idle.is_some() { "  a transaction is open" } else { "" };
        println!("{done:>9} {claim_us:>9} {receive_us:>11} {passing_kb:>11} {dead_rows:>10} {kept_kb:>8}{note}");
        periods.push(period);
    }
    shutdown.cancel();
    for task in running {
        task.await.expect("ends in order");
    }
    let waiting = "SELECT (SELECT count(*) FROM catalog.outbox) + (SELECT count(*) FROM messaging.messages)
                        + (SELECT count(*) FROM messaging.dead_letters)";
    let row = owner.query_one(waiting, &[]).await.expect("count");
    assert_eq!((row.get::<_, i64>(0), counter.0.load(Ordering::Relaxed)), (0, events), "each once, and nothing waits");
    // With nobody looking back any more, the space of what passed through is used again.
    let largest = periods.iter().map(|period| period.passing_kb).max().expect("periods");
    let last = periods.last().expect("periods");
    assert!(last.passing_kb <= largest && last.dead_rows <= 4 * (events / PERIODS) as i64, "it grows: {periods:#?}");
}

/// Somebody looks at the shop as it is now, and does not stop.
async fn leave_a_transaction_open(test: &TestDatabase) -> Client {
    let client = test.owner().await;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM catalog.outbox";
    client.batch_execute(begin).await.expect("begin");
    client
}

async fn pass(products: &Database, events: usize) {
    for _ in 0..events / AT_ONCE {
        let event = StockReleased { order_id: OrderId::new(), reservation_id: None, lines: Vec::new() };
        let drafts: Vec<Draft> =
            (0..AT_ONCE).map(|_| Draft::new(&event, 1, CorrelationId::new(), "products")).collect();
        let recorded: Result<(), database::Error> =
            products.write(move |tx| Box::pin(async move { outbox::record(tx, &drafts).await })).await;
        recorded.expect("record");
    }
}

/// As autovacuum does in its time; it is not waited for, so that every run measures the same.
async fn look(owner: &Client, products: &Database, orders: &Database, queue: &str) -> Period {
    let (claim_us, receive_us) = (claiming(products).await, receiving(orders, queue).await);
    owner.batch_execute("VACUUM ANALYZE catalog.outbox; ").await.expect("vacuum");
    owner.batch_execute("VACUUM ANALYZE messaging.messages").await.expect("vacuum");
    owner.batch_execute("SELECT pg_stat_clear_snapshot()").await.expect("look anew");
    let sizes = "WITH passing AS (SELECT unnest('{catalog.outbox,messaging.messages}'::regclass[]) AS id)
                 SELECT (SELECT sum(pg_total_relation_size(id)) FROM passing)::bigint / 1024 AS passing_kb,
                        (SELECT sum(n_dead_tup) FROM pg_stat_user_tables WHERE relid IN (SELECT id FROM passing))::bigint
                            AS dead_rows,
                        ((SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('catalog.events'))
                            + pg_total_relation_size('orders.idempotency_records'))::bigint / 1024 AS kept_kb";
    let row = owner.query_one(sizes, &[]).await.expect("measure");
    let (passing_kb, dead_rows) = (row.get("passing_kb"), row.get("dead_rows"));
    Period { claim_us, receive_us, passing_kb, dead_rows, kept_kb: row.get("kept_kb") }
}

/// What a relay's look at its outbox takes, in the middle of many.
async fn claiming(products: &Database) -> u128 {
    let db = products.read().await.expect("connect");
    let mut times = Vec::new();
    for _ in 0..21 {
        let begun = Instant::now();
        outbox::claim(&db, 200, Uuid::new_v4(), Duration::from_secs(15)).await.expect("claim");
        times.push(begun.elapsed().as_micros());
    }
    median(times)
}

/// What a consumer's look at its queue takes.
async fn receiving(orders: &Database, queue: &str) -> u128 {
    let db = orders.read().await.expect("connect");
    let mut times = Vec::new();
    for _ in 0..21 {
        let begun = Instant::now();
        let sql = "SELECT count(*) FROM messaging.receive($1, 200, gen_random_uuid(), 15)";
        db.query(sql, &[&queue]).await.expect("receive");
        times.push(begun.elapsed().as_micros());
    }
    median(times)
}

fn median(mut times: Vec<u128>) -> u128 {
    times.sort_unstable();
    times[times.len() / 2]
}
