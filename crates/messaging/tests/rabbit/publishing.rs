use std::collections::HashSet;
use std::time::{Duration, Instant};

use events::topology::Exchange;
use messaging::{Declares, RabbitConfig, Transport};
use testkit::{FaultProxy, TestBroker};

use crate::broker::Operator;
use crate::shop::{Shop, drafts, id, queue_of};

#[tokio::test]
async fn what_no_queue_takes_is_not_sent_and_lost_bindings_come_back() {
    let (shop, broker) = (Shop::new().await, TestBroker::new().await);
    let transport = broker.transport();
    transport.check().await.expect("connect");
    let operator = Operator::at(broker.url()).await;
    operator.unbind(queue_of("orders")).await;
    operator.unbind(queue_of("analytics")).await;

    shop.record(&drafts(1)).await;
    shop.relay_once(&transport).await;
    let unsent = shop.unsent().await;
    assert!(matches!(&unsent[..], [one] if one.attempts == 1 && one.error.starts_with("unroutable")), "{unsent:?}");

    shop.fast_forward().await;
    shop.relay_once(&transport).await;
    assert!(shop.unsent().await.is_empty(), "the refusal made the transport declare its bindings again");
    assert_eq!(operator.ready(&queue_of("orders").name()).await, 1);
    assert_eq!(operator.ready(&queue_of("analytics").name()).await, 1);
}

#[tokio::test]
async fn in_a_batch_exactly_the_unroutable_are_refused() {
    let (shop, broker) = (Shop::new().await, TestBroker::new().await);
    let transport = broker.transport();
    let all = drafts(200);
    shop.record(&all).await;
    let lost: HashSet<_> = all.iter().step_by(7).map(id).collect();
    let listed: Vec<_> = lost.iter().copied().collect();
    shop.tamper(&listed, Exchange::Payments.name(), "nobody.wants.this").await;

    shop.relay_once(&transport).await;
    let unsent = shop.unsent().await;
    assert_eq!(unsent.iter().map(|row| row.event_id).collect::<HashSet<_>>(), lost);
    assert!(unsent.iter().all(|row| row.attempts == 1 && row.error.contains("nobody.wants.this")), "{unsent:?}");
    let ready = Operator::at(broker.url()).await.ready(&queue_of("orders").name()).await;
    assert_eq!(ready as usize, all.len() - lost.len());
}

/// A message to an exchange that does not exist closes the channel under all others.
#[tokio::test]
async fn who_closes_the_channel_is_blamed_alone() {
    let (shop, broker) = (Shop::new().await, TestBroker::new().await);
    let transport = broker.transport();
    let all = drafts(20);
    shop.record(&all).await;
    shop.tamper(&[id(&all[7])], "nowhere.events", "payment.failed").await;

    shop.relay_once(&transport).await;
    let unsent = shop.unsent().await;
    assert!(matches!(&unsent[..], [one] if one.event_id == id(&all[7]) && one.attempts == 1), "{unsent:?}");
    assert!(unsent[0].error.contains("NOT_FOUND"), "{unsent:?}");

    shop.record(&drafts(5)).await;
    shop.relay_once(&transport).await;
    assert_eq!(shop.unsent().await.len(), 1, "the channel is back");
}

#[tokio::test]
async fn a_silent_broker_is_not_ready_and_blames_no_message() {
    let (shop, broker) = (Shop::new().await, TestBroker::new().await);
    let proxy = FaultProxy::of_url(broker.url()).await;
    let transport = broker.transport_through(&proxy);
    proxy.stall();
    let begun = Instant::now();
    transport.check().await.expect_err("nobody answers");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());

    shop.record(&drafts(3)).await;
    shop.relay_once(&transport).await;
    assert!(shop.unsent().await.iter().all(|row| row.attempts == 0 && !row.error.is_empty()));
    proxy.pass();
    shop.fast_forward().await;
    shop.relay_once(&transport).await;
    assert!(shop.unsent().await.is_empty());
}

#[tokio::test]
async fn tls_is_never_left_out() {
    let broker = TestBroker::new().await;
    let url = broker.url().replacen("amqp://", "amqps://", 1);
    // This port speaks no TLS: whoever connects here spoke in clear.
    Transport::rabbit(RabbitConfig { url, declares: Declares::Everything })
        .check()
        .await
        .expect_err("no TLS, no connection");
}

#[tokio::test]
async fn a_malformed_url_says_so() {
    let error = Transport::rabbit(RabbitConfig { url: "http://broker".to_owned(), declares: Declares::Everything })
        .check()
        .await;
    let error = error.expect_err("not AMQP").to_string();
    assert!(error.contains("URL"), "{error}");
}
