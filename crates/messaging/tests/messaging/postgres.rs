//! What is the Postgres transport's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use database::Login;
use events::EventId;
use events::topology::Exchange;
use messaging::{Consumer, Transport, Wakes};
use testkit::{PrivatePostgres, TestDatabase, connect, eventually, publish_to_postgres};
use tokio_util::sync::CancellationToken;

use crate::conformance;
use crate::harness::{Harness, Kind, LIMIT, PRODUCTS, body, deploy, drafts, ids, orders, queue};
use crate::probe::{Act, Probe};

#[tokio::test]
async fn a_retry_comes_back_however_busy_the_queue_is() {
    let shop = Harness::new(Kind::SameDatabase).await;
    let late = drafts(1);
    let probe = Probe::with(Act::Apply, [(late[0].envelope.event_id, Act::Retry(2))]);
    let _running = (shop.relay(), shop.consumer(orders(), probe));
    shop.record(&late).await;
    let done = Arc::new(AtomicBool::new(false));
    let busy = async {
        while !done.load(Ordering::Relaxed) {
            shop.record(&drafts(1)).await;
        }
    };
    let waiting = async {
        let late = ids(&late);
        let applied = shop.until_applied("orders", &late);
        tokio::time::timeout(Duration::from_secs(10), applied).await.expect("the retry comes back");
        done.store(true, Ordering::Relaxed);
    };
    tokio::join!(busy, waiting);
}

fn login(db: &TestDatabase) -> Login {
    Login::of_service(db.owner_url(), "orders", "orders")
}

#[tokio::test]
async fn another_process_hears_of_a_message_at_once() {
    let shop = Harness::new(Kind::SameDatabase).await;
    let _relay = shop.relay();
    let shutdown = CancellationToken::new();
    consume_in_another_process(&shop, &shutdown);
    shop.warm_up().await;
    shop.is_told_at_once().await;
    shutdown.cancel();
}

/// A consumer of orders that is woken in no other way than another process is.
fn consume_in_another_process(shop: &Harness, shutdown: &CancellationToken) {
    let wakes = Wakes::listening(login(&shop.db), shutdown.clone());
    let database = shop.db.database("orders", "orders");
    let transport = Transport::postgres(database.clone(), wakes);
    let consumer = Consumer { queue: orders(), database, handler: Probe::new() };
    tokio::spawn(consumer.run(transport, shutdown.clone()));
}

#[tokio::test]
async fn the_queue_of_a_tap_that_nobody_reads_goes_and_the_tap_says_gap() {
    let shop = Harness::new(Kind::SameDatabase).await;
    let gateway = shop.db.database("gateway", "messaging");
    let mut tap = shop.db.transport(&gateway).tap(&[Exchange::Products]).await;
    assert!(matches!(tap.next().await, messaging::Tapped::Gap));
    let taps = "SELECT count(*) AS taps FROM messaging.queues WHERE transient";
    assert_eq!(shop.owner.query_one(taps, &[]).await.expect("count").get::<_, i64>("taps"), 1);
    let paused = "UPDATE messaging.queues SET last_seen_at = now() - interval '2 minutes' WHERE transient;
                  SELECT messaging.sweep()";
    shop.owner.batch_execute(paused).await.expect("as if the process had slept");
    let told = tokio::time::timeout(LIMIT, tap.next()).await.expect("told");
    assert!(matches!(told, messaging::Tapped::Gap), "{told:?}");
    drop(tap);
    eventually(LIMIT, || async {
        shop.owner.batch_execute(paused).await.expect("a minute later");
        match shop.owner.query_one(taps, &[]).await.expect("count").get::<_, i64>("taps") {
            0 => Ok(()),
            taps => Err(format!("{taps} taps are left")),
        }
    })
    .await;
}

#[tokio::test]
async fn the_shutdown_breaks_off_no_receiving() {
    let shop = Harness::new(Kind::SameDatabase).await;
    // Sequences keep what a rollback takes back.
    shop.owner
        .batch_execute(
            "CREATE SEQUENCE messaging.begun; CREATE SEQUENCE messaging.ended; CREATE TABLE messaging.door (id integer);
             ALTER FUNCTION messaging.receive(text, integer, uuid, float8, bigint) RENAME TO really_receive;
             CREATE FUNCTION messaging.receive(queue_name text, max_messages integer, new_lease uuid, lease_s float8,
                                                from_id bigint)
                 RETURNS TABLE (id bigint, exchange text, routing_key text, body text, attempts integer,
                                deliveries integer, traceparent text)
                 LANGUAGE plpgsql SECURITY DEFINER SET search_path = messaging AS $$
             BEGIN
                 PERFORM nextval('begun');
                 LOCK TABLE door IN ACCESS SHARE MODE;
                 RETURN QUERY SELECT * FROM really_receive(queue_name, max_messages, new_lease, lease_s, from_id);
                 PERFORM nextval('ended');
             END $$",
        )
        .await
        .expect("slow down");
    let doorman = shop.db.owner().await;
    doorman.batch_execute("BEGIN; LOCK TABLE messaging.door").await.expect("close the door");
    let consumer = shop.consumer(orders(), Probe::new());
    let calls = async || {
        let sql = "SELECT coalesce(pg_sequence_last_value('messaging.begun'), 0) AS begun,
                          coalesce(pg_sequence_last_value('messaging.ended'), 0) AS ended";
        let row = shop.owner.query_one(sql, &[]).await.expect("count");
        (row.get::<_, i64>("begun"), row.get::<_, i64>("ended"))
    };
    eventually(LIMIT, || async { if calls().await.0 > 0 { Ok(()) } else { Err("not yet".to_owned()) } }).await;
    consumer.cancel();
    tokio::task::yield_now().await;
    shop.record(&drafts(3)).await;
    let relay = shop.relay();
    shop.until_sent().await;
    doorman.batch_execute("COMMIT").await.expect("open the door");
    consumer.ended().await;
    let (begun, ended) = calls().await;
    assert_eq!(begun, ended, "a statement that is broken off may still take leases");
    let sql = "SELECT count(*) AS leased FROM messaging.messages WHERE lease IS NOT NULL";
    assert_eq!(shop.owner.query_one(sql, &[]).await.expect("count").get::<_, i64>("leased"), 0, "all are given back");
    relay.stop().await;
}

/// Events of products that are recorded, that is: acknowledged to whoever asked for them.
async fn recorded(db: &TestDatabase) -> Vec<EventId> {
    let rows = connect(db.owner_url()).await.query("SELECT event_id FROM catalog.events", &[]).await.expect("read");
    rows.iter().map(|row| row.get("event_id")).collect()
}

#[tokio::test]
async fn after_kill_9_of_the_server_nothing_is_lost_or_doubled() {
    let server = PrivatePostgres::start().await;
    let db = server.database(&deploy()).await;
    let shutdown = CancellationToken::new();
    {
        let mut shop = Harness::on(db, Kind::SameDatabase).await;
        let wakes = Wakes::listening(login(&shop.db), shutdown.clone());
        let _relay = shop.relay();
        for consuming in [orders(), queue("cart", Exchange::Products)] {
            let database = shop.db.database(consuming.service, consuming.service);
            let transport = Transport::postgres(database.clone(), wakes.clone());
            let consumer = Consumer { queue: consuming, database, handler: Probe::new() };
            tokio::spawn(consumer.run(transport, shutdown.clone()));
        }
        for _ in 0..3 {
            let mut acknowledged = Vec::new();
            for _ in 0..30 {
                let some = drafts(5);
                shop.record(&some).await;
                acknowledged.extend(ids(&some));
            }
            server.kill();
            server.revive().await;
            let survivors = recorded(&shop.db).await;
            assert!(acknowledged.iter().all(|id| survivors.contains(id)), "what was acknowledged is there");
        }
        let all = recorded(&shop.db).await;
        shop.owner = shop.db.owner().await;
        shop.until_applied("orders", &all).await;
        shop.until_applied("cart", &all).await;
        shop.until_idle(&["orders", "cart"]).await;
        assert_eq!(all.len(), 3 * 30 * 5);
        for consuming in [orders(), queue("cart", Exchange::Products)] {
            let depth = shop.depth(consuming).await;
            assert_eq!((depth.ready, depth.delayed, depth.dead), (0, 0, 0), "an outage fills no dead-letter queue");
        }
        shutdown.cancel();
    }
}

/// A mutant: the idempotency record is lost. The suite has to notice, or it proves nothing.
#[tokio::test]
#[should_panic(expected = "an effect was doubled")]
async fn the_suite_notices_a_forgotten_idempotency_record() {
    let shop = Harness::new(Kind::SameDatabase).await;
    shop.owner
        .batch_execute(
            "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN DELETE FROM orders.idempotency_records WHERE event_id = NEW.event_id; RETURN NULL; END $$;
             CREATE TRIGGER forget AFTER INSERT ON orders.idempotency_records FOR EACH ROW EXECUTE FUNCTION forget()",
        )
        .await
        .expect("mutate");
    shop.owner.batch_execute("GRANT EXECUTE ON FUNCTION forget() TO PUBLIC").await.expect("grant");
    conformance::duplicates_change_nothing_in(shop).await;
}

/// A mutant: whoever acknowledges need not hold the lease, and does it before the effect is committed.
#[tokio::test]
#[should_panic(expected = "events not applied")]
async fn the_suite_notices_an_acknowledgement_before_the_commit() {
    let shop = Harness::new(Kind::SameDatabase).await;
    shop.owner
        .batch_execute(
            "CREATE OR REPLACE FUNCTION messaging.receive(queue_name text, max_messages integer, new_lease uuid, lease_s float8,
                                                from_id bigint DEFAULT 0)
                 RETURNS TABLE (id bigint, exchange text, routing_key text, body text, attempts integer,
                                deliveries integer, traceparent text)
                 LANGUAGE sql SECURITY DEFINER SET search_path = messaging AS $$
                     DELETE FROM messages WHERE queue_id = own_queue(queue_name)
                     RETURNING id, exchange, routing_key, body, attempts, 1, traceparent $$",
        )
        .await
        .expect("mutate");
    crate::faults::a_consumer_that_dies_half_way_in(shop, Duration::from_secs(3)).await;
}

/// Only what was sent straight is taken in the transaction of its effect; copies come under a lease, and may be first.
#[tokio::test]
async fn what_is_taken_after_its_copy_changes_nothing() {
    let shop = Harness::new(Kind::Straight).await;
    let probe = Probe::new();
    let _orders = shop.consumer(orders(), probe.clone());
    shop.until_declared().await;
    let all = drafts(10);
    for draft in all.chunks(1) {
        shop.publish_raw(Exchange::Products, PRODUCTS, &[body(&draft[0])]).await;
        shop.until_applied("orders", &ids(draft)).await;
        shop.record(draft).await;
        shop.until_empty(orders()).await;
    }
    shop.until_applied("orders", &ids(&all)).await;
    assert!(ids(&all).iter().all(|id| probe.attempts(*id) == 1), "a duplicate does not even reach the handler");
}

#[tokio::test]
async fn messages_are_taken_in_the_transaction_of_their_effect_or_not_at_all() {
    let shop = Harness::new(Kind::Straight).await;
    shop.record(&drafts(3)).await;
    let taken = "SELECT count(*) AS taken FROM messaging.take('orders.products.events.queue', 10, 0)";
    let orders_alone = shop.db.database("orders", "orders");
    let db = orders_alone.read().await.expect("connect");
    let refused = db.query_one(taken, &[]).await.expect_err("no BEGIN was heard");
    assert_eq!(refused.sql_state().map(|state| state.code()), Some("25P01"));
    drop(db);
    let cart = shop.db.database("cart", "cart");
    let stolen = cart.write_opening(move |tx| Box::pin(async move { tx.open_with(taken, &[]).await.map(drop) }));
    assert_eq!(stolen.await.expect_err("not cart's").sql_state().map(|state| state.code()), Some("42501"));
    let undone: Result<(), database::Error> = orders_alone
        .write_opening(move |tx| {
            Box::pin(async move {
                let rows = tx.open_with(taken, &[]).await?;
                assert_eq!(rows[0].get::<_, i64>("taken"), 3);
                tx.execute("SELECT 1 / 0", &[]).await.map(drop)
            })
        })
        .await;
    undone.expect_err("the effect failed");
    assert_eq!(shop.depth(orders()).await.ready, 3, "they are there again");
}

#[tokio::test]
async fn another_process_hears_at_once_of_what_was_sent_straight() {
    let shop = Harness::new(Kind::SameDatabase).await;
    let shutdown = CancellationToken::new();
    let here = Wakes::listening(login(&shop.db), shutdown.clone());
    Transport::postgres(shop.products.clone(), here).carry_straight(&shop.products);
    consume_in_another_process(&shop, &shutdown);
    shop.warm_up().await;
    shop.is_told_at_once().await;
    shutdown.cancel();
}

#[tokio::test]
async fn dead_letters_of_another_service_are_out_of_reach() {
    let shop = Harness::new(Kind::SameDatabase).await;
    let cart = shop.transport(&shop.db.database("cart", "cart"), "cart");
    let id = [uuid::Uuid::now_v7()];
    let refusals = [
        cart.dead_letters(orders(), &Default::default(), 10).await.map(drop),
        cart.dead_letters_named(orders(), &id).await.map(drop),
        cart.replay_dead_letters(orders(), &id).await.map(drop),
        cart.discard_dead_letters(orders(), &id).await.map(drop),
    ];
    for refusal in refusals {
        let error = refusal.expect_err("not cart's").to_string();
        assert!(error.contains("42501"), "{error}");
    }
}

/// So long others pass: longer than walks over a queue take to begin where others came.
const PASSING: Duration = Duration::from_secs(12);

/// Of both kinds: sent straight, which are taken, and others, which are leased.
#[tokio::test]
async fn what_commits_long_after_all_others_is_found_all_the_same() {
    let shop = Harness::new(Kind::Straight).await;
    let _orders = shop.consumer(orders(), Probe::new());
    shop.until_declared().await;
    let late = drafts(2);
    let slow = shop.db.owner().await;
    slow.batch_execute("BEGIN").await.expect("begin");
    let (exchange, straight) = (Exchange::Products.name(), &late[0].envelope);
    let send = "SELECT count(*) FROM messaging.send(ARRAY[$1::uuid], ARRAY[$2::text], ARRAY[$3::text], ARRAY[$4::text],
                                                    ARRAY[$5::text], ARRAY[NULL::text])";
    slow.query(send, &[&straight.event_id, &straight.event_type, &exchange, &PRODUCTS, &body(&late[0])])
        .await
        .expect("send");
    publish_to_postgres(&slow, exchange, PRODUCTS, &body(&late[1])).await;
    let begun = Instant::now();
    while begun.elapsed() < PASSING {
        let (sent, put) = (drafts(5), drafts(5));
        shop.record(&sent).await;
        shop.publish_raw(Exchange::Products, PRODUCTS, &put.iter().map(body).collect::<Vec<_>>()).await;
        shop.until_applied("orders", &ids(&[sent, put].concat())).await;
    }
    slow.batch_execute("COMMIT").await.expect("commit");
    // From the very beginning somebody walks every ten seconds at the least.
    shop.until_applied_within(3 * LIMIT, "orders", &ids(&late)).await;
}
