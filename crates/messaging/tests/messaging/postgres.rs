//! What is the Postgres transport's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use events::topology::Exchange;
use messaging::{Consumer, Transport, Wakes};
use testkit::eventually;
use tokio_util::sync::CancellationToken;

use crate::harness::{Harness, Kind, LIMIT, drafts, ids, orders};
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

#[tokio::test]
async fn another_process_hears_of_a_message_at_once() {
    let shop = Harness::new(Kind::SameDatabase).await;
    let shutdown = CancellationToken::new();
    let elsewhere = Wakes::listening(shop.db.owner_url(), shutdown.clone());
    let database = shop.db.database("orders", "orders");
    let transport = Transport::postgres(database.clone(), elsewhere);
    let consumer = Consumer { queue: orders(), database, handler: Probe::new() };
    tokio::spawn(consumer.run(transport, shutdown.clone()));
    let _relay = shop.relay();
    let warm = drafts(1);
    shop.record(&warm).await;
    shop.until_applied("orders", &ids(&warm)).await;
    let begun = std::time::Instant::now();
    for _ in 0..20 {
        let one = drafts(1);
        shop.record(&one).await;
        shop.until_applied("orders", &ids(&one)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(8), "20 events took {:?}", begun.elapsed());
    shutdown.cancel();
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
