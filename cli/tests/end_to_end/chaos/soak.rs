//! A great many events through an outbox and a queue, half of them while somebody keeps a transaction open: what is
//! done with goes, looking for the next stays as quick as it was, and an event that comes alone is there at once
//! throughout.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use database::{Connection, Database, outbox};
use events::topology::{Exchange, QUEUES};
use events::{CorrelationId, Draft, Envelope, OrderId, StockReleased};
use messaging::{Consumer, Handler, HandlerError, Relay};
use testkit::{TestDatabase, eventually, foundation_with};
use tokio::sync::Notify;
use tokio_postgres::{Client, Row};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::number;

const PERIODS: usize = 20;
const AT_ONCE: usize = 200;
/// Events that come alone, one after the other, after each period.
const ALONE: usize = 20;
/// From so many on, nobody but autovacuum cleans up.
const LONG: usize = 1_000_000;
/// No look at a backlog is called slow that takes less: half of it would be slow on a quiet machine.
const QUICK_US: u128 = 100_000;
/// For what one period holds.
const PATIENCE: Duration = Duration::from_secs(600);

/// Counts what it is given.
#[derive(Default)]
struct Counter(AtomicUsize, Notify);

#[async_trait]
impl Handler for Counter {
    async fn handle(&self, _tx: &Connection, _batch: &[Envelope]) -> Result<(), HandlerError> {
        Ok(())
    }

    fn committed(&self, batch: &[Envelope]) {
        self.0.fetch_add(batch.len(), Ordering::Relaxed);
        self.1.notify_one();
    }
}

/// What a period left behind.
#[derive(Debug)]
struct Period {
    /// From the beginning of everything, whatever lies there.
    claim_us: u128,
    receive_us: u128,
    /// From recorded to handled, through relay and consumer.
    alone_us: u128,
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

    println!("   events  claim µs  receive µs  alone µs  passing kB  dead rows  kept kB");
    let mut periods = Vec::with_capacity(PERIODS);
    let mut idle = None;
    for number in 1..=PERIODS {
        if number == PERIODS / 4 {
            idle = Some(leave_a_transaction_open(&test).await);
        } else if number == PERIODS * 3 / 4 {
            drop(idle.take());
        }
        pass(&products, events / PERIODS).await;
        let done = number * events / PERIODS + (number - 1) * ALONE;
        until_applied(&counter, done).await;
        if events < LONG {
            vacuum(&owner).await;
        }
        let alone_us = coming_alone(&products, &counter, done).await;
        let period = look(&owner, &products, &orders, &queue.name(), alone_us).await;
        let Period { claim_us, receive_us, alone_us, passing_kb, dead_rows, kept_kb } = &period;
        let note = if idle.is_some() { "  a transaction is open" } else { "" };
        println!(
            "{done:>9} {claim_us:>9} {receive_us:>11} {alone_us:>9} {passing_kb:>11} {dead_rows:>10} {kept_kb:>8}{note}"
        );
        periods.push(period);
    }
    shutdown.cancel();
    for task in running {
        task.await.expect("ends in order");
    }
    let waiting = "SELECT (SELECT count(*) FROM catalog.outbox) + (SELECT count(*) FROM messaging.messages)
                        + (SELECT count(*) FROM messaging.dead_letters)";
    let row = owner.query_one(waiting, &[]).await.expect("count");
    assert_eq!(
        (row.get::<_, i64>(0), counter.0.load(Ordering::Relaxed)),
        (0, events + PERIODS * ALONE),
        "each once, and nothing waits"
    );
    stays_as_it_was(&periods);
    if events >= LONG {
        nobody_waits_for_what_is_done(&periods);
        autovacuum_keeps_up(&owner).await;
    }
}

/// With nobody looking back any more, all is as quick and as small as in the beginning.
fn stays_as_it_was(periods: &[Period]) {
    let (first, last) = (&periods[0], periods.last().expect("periods"));
    for (what, first, last) in
        [("claiming", first.claim_us, last.claim_us), ("receiving", first.receive_us, last.receive_us)]
    {
        assert!(last <= (5 * first).max(QUICK_US), "{what} took {first} µs, and takes {last}: {periods:#?}");
    }
    // The space of what passed through is used again, and no more is needed than while nothing could be cleaned up.
    let while_open = &periods[PERIODS / 4 - 1..PERIODS * 3 / 4 - 1];
    let largest = while_open.iter().map(|period| period.passing_kb).max().expect("periods");
    assert!(last.passing_kb <= largest, "outbox and queue grow: {periods:#?}");
    // What is kept grows as the events do.
    let share = first.kept_kb.max(1) * periods.len() as i64;
    assert!(last.kept_kb <= 2 * share, "an event takes more and more space: {periods:#?}");
}

/// Even while somebody could still see all of it.
fn nobody_waits_for_what_is_done(periods: &[Period]) {
    let (first, slowest) = (periods[0].alone_us, periods.iter().map(|period| period.alone_us).max().expect("periods"));
    assert!(slowest <= (5 * first).max(QUICK_US), "an event alone took {first} µs, and took {slowest}: {periods:#?}");
}

/// It looks at every table every minute or more often, and begins with 5,000 dead rows.
async fn autovacuum_keeps_up(owner: &Client) {
    let ask = "SELECT relid::regclass::text AS name, autovacuum_count AS count, n_dead_tup AS dead
               FROM pg_stat_all_tables WHERE relid = ANY ('{catalog.outbox,messaging.messages}'::regclass[])";
    let said = |row: &Row| {
        let (name, count, dead): (String, i64, i64) = (row.get("name"), row.get("count"), row.get("dead"));
        format!("{name}: cleaned {count} times by autovacuum, {dead} dead rows")
    };
    eventually(PATIENCE, || async {
        let rows = owner.query(ask, &[]).await.map_err(|error| error.to_string())?;
        let said: Vec<String> = rows.iter().map(said).collect();
        if rows.iter().any(|row| row.get::<_, i64>("count") == 0 || row.get::<_, i64>("dead") > 10_000) {
            return Err(said.join("; "));
        }
        println!("{}", said.join("\n"));
        Ok(())
    })
    .await;
}

/// Somebody looks at the shop as it is now, and does not stop.
async fn leave_a_transaction_open(test: &TestDatabase) -> Client {
    let client = test.owner().await;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM catalog.outbox";
    client.batch_execute(begin).await.expect("begin");
    client
}

/// Events of one kind.
fn released(count: usize) -> Vec<Draft> {
    let event = StockReleased { order_id: OrderId::new(), reservation_id: None, lines: Vec::new() };
    (0..count).map(|_| Draft::new(&event, 1, CorrelationId::new(), "products")).collect()
}

async fn pass(products: &Database, events: usize) {
    for _ in 0..events / AT_ONCE {
        record(products, released(AT_ONCE)).await;
    }
}

async fn record(products: &Database, drafts: Vec<Draft>) {
    let recorded: Result<(), database::Error> =
        products.write(move |tx| Box::pin(async move { outbox::record(tx, &drafts).await })).await;
    recorded.expect("record");
}

/// As autovacuum does in its time; a short run does not wait for it, and measures the same every time.
async fn vacuum(owner: &Client) {
    owner.batch_execute("VACUUM ANALYZE catalog.outbox; ").await.expect("vacuum");
    owner.batch_execute("VACUUM ANALYZE messaging.messages").await.expect("vacuum");
}

async fn until_applied(counter: &Counter, events: usize) {
    eventually(PATIENCE, || async {
        let applied = counter.0.load(Ordering::Relaxed);
        if applied == events { Ok(()) } else { Err(format!("{applied} of {events} applied")) }
    })
    .await;
}

/// What an event takes that has nobody before it, after so many.
async fn coming_alone(products: &Database, counter: &Counter, done: usize) -> u128 {
    let mut times = Vec::with_capacity(ALONE);
    for number in 1..=ALONE {
        let begun = Instant::now();
        record(products, released(1)).await;
        let handled = async {
            while counter.0.load(Ordering::Relaxed) < done + number {
                counter.1.notified().await;
            }
        };
        tokio::time::timeout(PATIENCE, handled).await.expect("handled");
        times.push(begun.elapsed().as_micros());
    }
    median(times)
}

async fn look(owner: &Client, products: &Database, orders: &Database, queue: &str, alone_us: u128) -> Period {
    let (claim_us, receive_us) = (claiming(products).await, receiving(orders, queue).await);
    owner.batch_execute("SELECT pg_stat_clear_snapshot()").await.expect("look anew");
    let sizes = "WITH passing AS (SELECT unnest('{catalog.outbox,messaging.messages}'::regclass[]) AS id)
                 SELECT (SELECT sum(pg_total_relation_size(id)) FROM passing)::bigint / 1024 AS passing_kb,
                        (SELECT sum(n_dead_tup) FROM pg_stat_user_tables WHERE relid IN (SELECT id FROM passing))::bigint
                            AS dead_rows,
                        ((SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('catalog.events'))
                            + pg_total_relation_size('orders.idempotency_records'))::bigint / 1024 AS kept_kb";
    let row = owner.query_one(sizes, &[]).await.expect("measure");
    let (passing_kb, dead_rows) = (row.get("passing_kb"), row.get("dead_rows"));
    Period { claim_us, receive_us, alone_us, passing_kb, dead_rows, kept_kb: row.get("kept_kb") }
}

/// Of a transaction that is taken back in any case, so that nobody else sees the backlog which it makes for itself.
enum Look {
    Took(Vec<u128>),
    Failed(database::Error),
}

impl From<database::Error> for Look {
    fn from(error: database::Error) -> Look {
        Look::Failed(error)
    }
}

impl Look {
    fn median(self) -> u128 {
        match self {
            Look::Took(times) => median(times),
            Look::Failed(error) => panic!("a look at a backlog failed: {error:?}"),
        }
    }
}

/// Looks of 200 at a backlog of so many times as much.
const LOOKS: usize = 5;

/// What a relay's look at its outbox takes, in the middle of some.
async fn claiming(products: &Database) -> u128 {
    let looked: Result<(), Look> = products
        .write(|tx| {
            Box::pin(async move {
                outbox::record(tx, &released(LOOKS * AT_ONCE)).await?;
                let mut times = Vec::new();
                for _ in 0..LOOKS {
                    let begun = Instant::now();
                    let due = outbox::claim(tx, AT_ONCE as i64, Uuid::new_v4(), Duration::from_secs(15), None).await?;
                    times.push(begun.elapsed().as_micros());
                    assert_eq!(due.claimed.len(), AT_ONCE);
                }
                Err(Look::Took(times))
            })
        })
        .await;
    looked.expect_err("taken back").median()
}

/// What a consumer's look at its queue takes, in the middle of some.
async fn receiving(orders: &Database, queue: &str) -> u128 {
    let queue = queue.to_owned();
    let looked: Result<(), Look> = orders
        .write(move |tx| {
            Box::pin(async move {
                let wait =
                    "SELECT messaging.publish('soak', array_agg(gen_random_uuid()), array_agg('products.events'::text),
                                array_agg('product.stock_released'::text), array_agg('a message'::text),
                                array_agg(NULL::text)) FROM generate_series(1, $1)";
                tx.query(wait, &[&i32::try_from(LOOKS * AT_ONCE).expect("some")]).await?;
                let mut times = Vec::new();
                for _ in 0..LOOKS {
                    let begun = Instant::now();
                    let sql = "SELECT count(*) FROM messaging.receive($1, $2, gen_random_uuid(), 15)";
                    let rows = tx.query(sql, &[&queue, &(AT_ONCE as i32)]).await?;
                    times.push(begun.elapsed().as_micros());
                    assert_eq!(rows[0].get::<_, i64>(0), AT_ONCE as i64);
                }
                Err(Look::Took(times))
            })
        })
        .await;
    looked.expect_err("taken back").median()
}

fn median(mut times: Vec<u128>) -> u128 {
    times.sort_unstable();
    times[times.len() / 2]
}
