use std::cell::Cell;
use std::time::{Duration, Instant};

use events::topology::Exchange;
use lapin::types::AMQPValue;
use messaging::{Declares, RabbitConfig, Tapped, Transport};
use testkit::{TestBroker, eventually};

use crate::broker::{Operator, text};
use crate::meddler::Meddler;
use crate::shop::{Act, Hands, LIMIT, Shop, drafts, id, queue_of};

#[tokio::test]
async fn a_retry_returns_to_its_own_queue_only() {
    let (shop, broker) = (Shop::new().await, TestBroker::new().await);
    let transport = broker.transport();
    let all = drafts(3);
    let late = id(&all[1]);
    shop.record(&all).await;
    shop.relay_once(&transport).await;
    // In the batch, alone, and in its second delivery.
    let orders = Hands::new([(late, Act::RetryUntil { attempt: 3 })]);
    let analytics = Hands::new([]);
    let begun = Instant::now();
    let _orders = shop.consuming(queue_of("orders"), orders.clone(), &transport);
    let _analytics = shop.consuming(queue_of("analytics"), analytics.clone(), &transport);
    shop.until_applied("orders", 3).await;
    assert!(begun.elapsed() >= Duration::from_secs(1), "the first tier is a second: {:?}", begun.elapsed());
    shop.until_applied("analytics", 3).await;
    assert_eq!(analytics.seen(late), 1, "another service's retry is none of its business");
    let operator = Operator::at(broker.url()).await;
    for queue in [queue_of("orders").name(), queue_of("analytics").name(), "prost.retry.1s".to_owned()] {
        eventually(LIMIT, || async {
            match operator.ready(&queue).await {
                0 => Ok(()),
                left => Err(format!("{queue}: {left}")),
            }
        })
        .await;
    }
}

/// Acknowledgements are gathered for a moment; at the end none may be left.
#[tokio::test]
async fn what_a_consumer_handled_last_does_not_wait_for_the_next() {
    let (shop, broker) = (Shop::new().await, TestBroker::new().await);
    let transport = broker.transport();
    shop.record(&drafts(3)).await;
    shop.relay_once(&transport).await;
    let consumer = shop.consuming(queue_of("orders"), Hands::new([]), &transport);
    shop.until_applied("orders", 3).await;
    drop(consumer);
    let operator = Operator::at(broker.url()).await;
    operator.until(queue_of("orders"), 0, 0).await;
    assert!(operator.take(&queue_of("orders").name()).await.is_none(), "it was not acknowledged");
}

#[tokio::test]
async fn a_dead_letter_says_what_it_was_and_why_it_died() {
    let (shop, broker) = (Shop::new().await, TestBroker::new().await);
    let transport = broker.transport();
    let all = drafts(2);
    let poison = id(&all[0]);
    shop.record(&all).await;
    shop.relay_once(&transport).await;
    let _orders = shop.consuming(queue_of("orders"), Hands::new([(poison, Act::Reject)]), &transport);
    let operator = Operator::at(broker.url()).await;
    let dead = eventually(LIMIT, || async {
        operator.take(&queue_of("orders").dead_letter_queue()).await.ok_or("no dead letter".to_owned())
    })
    .await;
    shop.until_applied("orders", 1).await;

    assert_eq!(dead.data, serde_json::to_vec(&all[0].envelope).expect("JSON"), "byte for byte");
    assert_eq!(text(&dead, "x-prost-queue"), "orders.payments.events.queue");
    assert_eq!(text(&dead, "x-prost-exchange"), "payments.events");
    assert_eq!(text(&dead, "x-prost-routing-key"), "payment.failed");
    assert_eq!(text(&dead, "x-prost-reason"), "it is poison");
    chrono::DateTime::parse_from_rfc3339(&text(&dead, "x-prost-dead-at")).expect("a time");
    let headers = dead.properties.headers().as_ref().expect("headers");
    assert_eq!(headers.inner().get("x-prost-attempts"), Some(&AMQPValue::LongLongInt(0)));
    assert_eq!(dead.properties.message_id().as_ref().map(|id| id.to_string()), Some(poison.to_string()));
    assert_eq!(*dead.properties.delivery_mode(), Some(2), "persistent");
    assert_eq!(operator.ready(&queue_of("analytics").dead_letter_queue()).await, 0, "parked for orders alone");
}

/// The broker ends that subscription alone; its queue comes back, and other queues notice nothing.
#[tokio::test]
async fn a_deleted_queue_comes_back_with_its_consumer() {
    let (shop, broker) = (Shop::new().await, TestBroker::new().await);
    let transport = broker.transport();
    let _relay = shop.relaying(&transport);
    let _orders = shop.consuming(queue_of("orders"), Hands::new([]), &transport);
    let _analytics = shop.consuming(queue_of("analytics"), Hands::new([]), &transport);
    shop.record(&drafts(1)).await;
    shop.until_applied("orders", 1).await;
    let operator = Operator::at(broker.url()).await;
    operator.delete(queue_of("orders")).await;
    // What is published before the queue is bound again is lost to it, as it would be to a new queue.
    let recorded = Cell::new(1);
    eventually(LIMIT, || async {
        shop.record(&drafts(1)).await;
        recorded.set(recorded.get() + 1);
        if shop.applied("orders").await > 1 { Ok(()) } else { Err("nothing came after the deletion".to_owned()) }
    })
    .await;
    shop.until_applied("analytics", recorded.get()).await;
}

/// Whoever acknowledges what it never got loses its channel, and that alone: others on its connection notice nothing.
#[tokio::test]
async fn a_consumer_whose_channel_is_closed_subscribes_again() {
    let (shop, broker) = (Shop::new().await, TestBroker::new().await);
    let meddler = Meddler::before(broker.url(), queue_of("orders")).await;
    let config = RabbitConfig { url: meddler.rewrite(broker.url()), declares: Declares::Everything };
    let transport = Transport::rabbit(config);
    transport.declare().await.expect("declare");
    let (orders, analytics) = (Hands::shut(), Hands::shut());
    let _relay = shop.relaying(&broker.transport());
    let _orders = shop.consuming(queue_of("orders"), orders.clone(), &transport);
    let _analytics = shop.consuming(queue_of("analytics"), analytics.clone(), &transport);
    shop.record(&drafts(300)).await;
    let operator = Operator::at(broker.url()).await;
    operator.until(queue_of("orders"), 100, 1).await;
    operator.until(queue_of("analytics"), 100, 1).await;
    let connections = meddler.connections();

    meddler.acknowledge_the_unknown();
    operator.until(queue_of("orders"), 300, 0).await;
    operator.until(queue_of("analytics"), 100, 1).await;
    orders.open();
    analytics.open();
    shop.until_applied("orders", 300).await;
    shop.until_applied("analytics", 300).await;
    operator.until(queue_of("orders"), 0, 1).await;

    // Once more, while it waits for messages.
    meddler.acknowledge_the_unknown();
    eventually(LIMIT, || async {
        match meddler.subscriptions() {
            3 => Ok(()),
            other => Err(format!("{other} subscriptions")),
        }
    })
    .await;
    shop.record(&drafts(50)).await;
    shop.until_applied("orders", 350).await;
    assert_eq!(meddler.connections(), connections, "no connection was lost");
    assert_eq!(operator.ready(&queue_of("orders").dead_letter_queue()).await, 0);
}

#[tokio::test]
async fn a_slow_listener_is_told_that_it_missed_something() {
    let (shop, broker) = (Shop::new().await, TestBroker::new().await);
    let transport = broker.transport();
    let mut tap = transport.tap(&[Exchange::Payments]).await;
    assert!(matches!(tap.next().await, Tapped::Gap));
    let _relay = shop.relaying(&transport);
    for some in drafts(3_000).chunks(500) {
        shop.record(some).await;
    }
    eventually(LIMIT, || async {
        match shop.unsent().await.len() {
            0 => Ok(()),
            left => Err(format!("{left} unsent")),
        }
    })
    .await;
    let last = drafts(1);
    let mut told = 0;
    while let Tapped::Event(_) = tokio::time::timeout(LIMIT, tap.next()).await.expect("the tap tells something") {
        told += 1;
    }
    assert!(told < 3_000, "it held {told} events for a listener that did not listen");
    shop.record(&last).await;
    loop {
        let told = tokio::time::timeout(LIMIT, tap.next()).await.expect("the tap goes on");
        if matches!(&told, Tapped::Event(event) if event.event_id == id(&last[0])) {
            break;
        }
    }
}
