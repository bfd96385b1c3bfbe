//! Messages that come late, early, or about nobody.

use events::{Draft, OrderStatus, StockReserved};
use testkit::eventually;

use crate::support::{Checkout, SOON, Shop};

#[tokio::test]
async fn a_late_payment_is_asked_back_once_more() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::Cancelled).await;
    shop.tell(vec![it.processed()]).await;
    assert_eq!(shop.status(&it).await, OrderStatus::Cancelled);
    assert_eq!(
        shop.types_told(&it).await[2..],
        ["RefundRequested", "ReleaseRequested", "ReopenRequested", "OrderCancelled", "RefundRequested"]
    );
    let order = shop.order(&it).await;
    shop.tell(vec![it.refunded()]).await;
    assert_eq!(shop.order(&it).await, order, "the answer changes nothing");
    let log: Vec<_> = shop.saga(&it).await.compensations.into_iter().map(|undo| (undo.event, undo.status)).collect();
    let done = |event: &str| (event.to_owned(), "completed".to_owned());
    assert_eq!(log, [done("RefundRequested"), done("ReleaseRequested"), done("ReopenRequested")]);
}

#[tokio::test]
async fn a_partial_refund_is_no_refund() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::Cancelling).await;
    shop.tell(vec![it.partly_refunded()]).await;
    assert_eq!(shop.saga(&it).await.saga.owed, ["REFUND", "RELEASE", "REOPEN"]);
    shop.tell(vec![it.refunded()]).await;
    assert_eq!(shop.saga(&it).await.saga.owed, ["RELEASE", "REOPEN"]);
}

#[tokio::test]
async fn news_of_a_hold_after_its_end_is_no_hold() {
    let shop = Shop::open().await;
    // In two batches, and in one.
    for together in [true, false] {
        let it = shop.order_in(OrderStatus::CartValidated).await;
        shop.cancel(&it, None).await.unwrap();
        if together {
            shop.tell(vec![it.released(), it.reserved()]).await;
        } else {
            shop.tell(vec![it.released()]).await;
            shop.tell(vec![it.reserved()]).await;
        }
        assert_eq!(shop.holds(&it).await, ["released", "released"], "together: {together}");
        shop.tell(vec![it.reopened()]).await;
        assert_eq!(shop.status(&it).await, OrderStatus::Cancelled);
    }
}

#[tokio::test]
async fn news_of_a_hold_during_the_undo_is_a_hold_until_it_is_released() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::CartValidated).await;
    shop.cancel(&it, None).await.unwrap();
    shop.tell(vec![it.reserved()]).await;
    assert_eq!(shop.holds(&it).await, ["held", "held"]);
    assert_eq!(shop.types_told(&it).await, ["OrderPlaced", "ReleaseRequested"], "no payment is asked for");
    shop.tell(vec![it.released()]).await;
    assert_eq!(shop.holds(&it).await, ["released", "released"]);
}

/// The parked messages: their event ids and reasons.
async fn parked(shop: &Shop) -> Vec<(String, String)> {
    let sql = "SELECT body::json ->> 'event_id' AS id, reason FROM messaging.dead_letters ORDER BY id";
    shop.owner.query(sql, &[]).await.unwrap().iter().map(|row| (row.get("id"), row.get("reason"))).collect()
}

async fn delayed(shop: &Shop, attempts: i64) {
    eventually(SOON, || async {
        let sql = "SELECT coalesce(max(attempts), 0)::bigint FROM messaging.delayed_messages";
        let now = shop.number(sql).await;
        if now == attempts { Ok(()) } else { Err(format!("{now} attempts so far, not {attempts}")) }
    })
    .await;
}

#[tokio::test]
async fn an_event_of_an_unknown_order_is_retried_then_parked_and_takes_nobody_along() {
    let shop = Shop::open().await;
    let (stranger, it) = (Checkout::new(), shop.order_in(OrderStatus::CartValidated).await);
    let orphan = stranger.reserved();
    shop.publish(&orphan).await;
    shop.publish(&it.reserved()).await;
    for attempts in 1..=3 {
        delayed(&shop, attempts).await;
        assert!(parked(&shop).await.is_empty());
        shop.retries_are_due().await;
    }
    shop.rest().await;
    assert_eq!(shop.status(&it).await, OrderStatus::InventoryReserved, "its neighbour passed");
    let dead = parked(&shop).await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].0, orphan.envelope.event_id.to_string());
    assert!(dead[0].1.contains("not known"), "{}", dead[0].1);
    let sql =
        format!("SELECT count(*) FROM orders.idempotency_records WHERE event_id = '{}'", orphan.envelope.event_id);
    assert_eq!(shop.number(&sql).await, 0, "a failure is never recorded as processed");
}

#[tokio::test]
async fn an_event_that_came_before_its_order_waits_for_it() {
    let shop = Shop::open().await;
    let it = shop.cart();
    shop.publish(&it.released()).await;
    delayed(&shop, 1).await;
    shop.place(&it).await;
    shop.retries_are_due().await;
    shop.rest().await;
    assert!(parked(&shop).await.is_empty());
    assert_eq!(shop.saga(&it).await.timeline.len(), 1);
}

#[tokio::test]
async fn poison_is_parked_alone() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::CartValidated).await;
    let mutilated = |change: fn(&mut serde_json::Value)| {
        let mut body = serde_json::to_value(it.reserved().envelope).unwrap();
        change(&mut body);
        body.to_string()
    };
    let poison = [
        "{ not json".to_owned(),
        mutilated(|body| body["version"] = "2".into()),
        mutilated(|body| body["event_type"] = "StockEaten".into()),
        mutilated(|body| body["payload"] = serde_json::json!({ "order_id": 7 })),
    ];
    for body in &poison {
        testkit::publish_to_postgres(&shop.owner, "products.events", "product.stock_reserved", body).await;
    }
    let Draft { exchange, routing_key, .. } = it.reserved();
    assert_eq!((exchange.name(), routing_key), ("products.events", <StockReserved as events::Event>::ROUTING_KEY));
    shop.tell(vec![it.reserved()]).await;
    assert_eq!(shop.status(&it).await, OrderStatus::InventoryReserved);
    let sql = "SELECT count(*) FROM messaging.dead_letters d JOIN messaging.queues q ON q.id = d.queue_id
               WHERE q.name = 'orders.products.events.queue'";
    assert_eq!(shop.number(sql).await, 4);
}
