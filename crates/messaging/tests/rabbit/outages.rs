//! Faults of a whole node, on one of the test's own.

use std::time::{Duration, Instant};

use events::topology::Exchange;
use messaging::{Tap, Tapped};
use testkit::{PrivateRabbit, eventually};

use crate::broker::Operator;
use crate::shop::{Hands, LIMIT, Shop, drafts, id, queue_of};

/// Messages that a consumer may hold unsettled.
const PREFETCH: u32 = 200;

#[tokio::test]
async fn under_a_memory_alarm_orders_wait_in_the_outbox_and_then_drain() {
    let (shop, node) = (Shop::new().await, PrivateRabbit::start().await);
    let broker = node.broker().await;
    let transport = broker.transport();
    let _orders = shop.consuming(queue_of("orders"), Hands::new([]), &transport);
    shop.record(&drafts(5)).await;
    shop.relay_once(&transport).await;
    shop.until_applied("orders", 5).await;

    node.raise_memory_alarm().await;
    shop.record(&drafts(5)).await;
    shop.relay_once(&transport).await; // the broker says that it is blocked once something is published
    for _ in 0..3 {
        shop.record(&drafts(5)).await;
        shop.fast_forward().await;
        let begun = Instant::now();
        shop.relay_once(&transport).await;
        assert!(begun.elapsed() < Duration::from_secs(2), "it fails fast: {:?}", begun.elapsed());
    }
    let unsent = shop.unsent().await;
    assert!(unsent.len() >= 15, "{unsent:?}");
    assert!(unsent.iter().all(|row| row.attempts == 0), "no message is to blame: {unsent:?}");
    assert!(unsent.iter().any(|row| row.error.contains("blocked")), "{unsent:?}");
    transport.check().await.expect("orders are accepted, so the service is ready");

    node.lift_memory_alarm().await;
    let _relay = shop.relaying(&transport);
    shop.until_applied("orders", 25).await;
    assert!(shop.unsent().await.is_empty());
}

#[tokio::test]
async fn after_kill_9_and_restart_all_goes_on_within_its_limits() {
    let (shop, node) = (Shop::new().await, PrivateRabbit::start().await);
    let broker = node.broker().await;
    let transport = broker.transport();
    let mut tap = transport.tap(&[Exchange::Payments]).await;
    gap(&mut tap).await;
    let hands = Hands::shut();
    let _relay = shop.relaying(&transport);
    let _orders = shop.consuming(queue_of("orders"), hands.clone(), &transport);
    shop.record(&drafts(500)).await;
    let operator = Operator::at(broker.url()).await;
    operator.until(queue_of("orders"), 500 - PREFETCH, 1).await;
    shop.until_sent().await;

    node.kill();
    shop.record(&drafts(100)).await;
    eventually(LIMIT, || async {
        let unsent = shop.unsent().await;
        let told = unsent.len() == 100 && unsent.iter().any(|row| !row.error.is_empty());
        if told { Ok(()) } else { Err(format!("{} unsent", unsent.len())) }
    })
    .await;
    assert!(shop.unsent().await.iter().all(|row| row.attempts == 0), "no message is to blame");
    node.revive().await;

    // The batch in hand commits, cannot be acknowledged, and so comes again: then it is a duplicate.
    hands.let_through(1);
    let operator = Operator::at(broker.url()).await;
    eventually(LIMIT, || async {
        let (ready, applied) = (operator.ready(&queue_of("orders").name()).await, shop.applied("orders").await);
        // Of what is left, duplicates may be settled already.
        let held = applied > 0 && (600 - applied..=600).contains(&(ready + PREFETCH));
        if held { Ok(()) } else { Err(format!("{ready} ready, {applied} applied")) }
    })
    .await;
    hands.let_through(600);
    shop.until_applied("orders", 600).await;
    gap(&mut tap).await;
    let after = drafts(1);
    shop.record(&after).await;
    loop {
        let told = tokio::time::timeout(LIMIT, tap.next()).await.expect("the tap goes on");
        if matches!(&told, Tapped::Event(event) if event.event_id == id(&after[0])) {
            break;
        }
    }
    assert_eq!(operator.ready(&queue_of("orders").dead_letter_queue()).await, 0);
}

/// How everybody loses the broker.
#[derive(Debug, Clone, Copy)]
enum Loss {
    /// The broker closes all connections.
    Connections,
    /// kill -9 of its node.
    Node,
}

/// Twenty, quick ones; `CHAOS_RESTARTS=20` adds as many kills. They take minutes: with `cargo test`, because nextest ends
/// what takes five.
fn losses() -> Vec<Loss> {
    let kills = std::env::var("CHAOS_RESTARTS").map_or(0, |kills| kills.parse().expect("CHAOS_RESTARTS is a number"));
    [vec![Loss::Connections; 20], vec![Loss::Node; kills]].concat()
}

#[tokio::test]
async fn however_often_the_broker_is_lost_the_prefetch_is_bounded() {
    let (shop, node) = (Shop::new().await, PrivateRabbit::start().await);
    let broker = node.broker().await;
    let transport = broker.transport();
    transport.declare().await.expect("declare");
    let (queue, hands) = (queue_of("orders"), Hands::shut());
    let _relay = shop.relaying(&transport);
    let mut lost = 0;
    // A consumer pauses longer after each loss; a new one on the same connections begins with a short pause.
    for few in losses().chunks(4) {
        let consumer = shop.consuming(queue, hands.clone(), &transport);
        for loss in few {
            lost += 1;
            lose_and_recover(&shop, &node, broker.url(), &hands, *loss, lost).await;
        }
        drop(consumer);
        Operator::at(broker.url()).await.until(queue, 0, 0).await;
    }
    assert_eq!(Operator::at(broker.url()).await.ready(&queue.dead_letter_queue()).await, 0);
}

/// The loss of this number, while one consumer holds as much as it may.
async fn lose_and_recover(shop: &Shop, node: &PrivateRabbit, url: &str, hands: &Hands, loss: Loss, number: usize) {
    const MORE: u32 = PREFETCH + 50;
    let queue = queue_of("orders");
    shop.record(&drafts(MORE as usize)).await;
    Operator::at(url).await.until(queue, MORE - PREFETCH, 1).await;
    shop.until_sent().await;
    match loss {
        Loss::Connections => node.close_connections().await,
        Loss::Node => {
            node.kill();
            node.revive().await;
        }
    }
    let operator = Operator::at(url).await;
    // All that was held is back, and whoever held it waits in its handler.
    operator.until(queue, MORE, 0).await;
    hands.open();
    shop.until_applied("orders", number * MORE as usize).await;
    operator.until(queue, 0, 1).await;
    hands.close();
}

/// Waits for the next gap.
async fn gap(tap: &mut Tap) {
    while !matches!(tokio::time::timeout(LIMIT, tap.next()).await.expect("the tap tells something"), Tapped::Gap) {}
}
