//! The way of an order that goes well, and of those that fail.

use events::{OrderStatus, StockRefusal};
use orders_client::OrdersApi;
use serde_json::Value;

use crate::support::{Checkout, Shop};

#[tokio::test]
async fn a_sale_step_by_step() {
    let shop = Shop::open().await;
    let it = shop.cart();
    shop.place(&it).await;
    let mut seen = Vec::new();
    for word in [it.initiated(), it.reserved(), it.processed()] {
        shop.tell(vec![word]).await;
        seen.push((shop.status(&it).await.as_str(), shop.holds(&it).await.first().cloned()));
    }
    let held = |status: &str| Some(status.to_owned());
    assert_eq!(
        seen,
        [("CART_VALIDATED", None), ("INVENTORY_RESERVED", held("held")), ("CONFIRMED", held("committed"))]
    );
    let told = shop.told(&it).await;
    let summary: Vec<_> = told
        .iter()
        .map(|(event_type, envelope)| (event_type.as_str(), envelope["aggregate_version"].as_i64().unwrap()))
        .collect();
    assert_eq!(summary, [("OrderPlaced", 2), ("PaymentRequested", 3), ("OrderConfirmed", 4)]);
    let statuses = |at: usize| told[at].1["payload"]["statuses"].clone();
    assert_eq!(statuses(2), Value::from(vec!["PAYMENT_PROCESSED", "CONFIRMED"]), "the passing state is told too");
    assert_eq!(told[1].1["payload"]["amount"]["amount"], "24.48");
    for (_, envelope) in &told {
        assert_eq!(envelope["correlation_id"], it.0.correlation_id.to_string());
        assert!(envelope["causation_id"].is_string(), "each has its cause");
    }
    assert_eq!(shop.saga(&it).await.saga.expires_at, None, "nobody waits any more");
}

#[tokio::test]
async fn the_timeline_tells_the_story_across_services() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::Compensated).await;
    let timeline = shop.orders.timeline(&shop.user(it.0.user_id), it.id()).await.unwrap();
    let story: Vec<_> =
        timeline.iter().map(|entry| (entry.event.as_str(), entry.service.as_str(), entry.detail.as_deref())).collect();
    let expected = [
        ("CartCheckoutInitiated", "cart", None),
        ("OrderPlaced", "orders", None),
        ("StockReserved", "products", None),
        ("PaymentRequested", "orders", None),
        ("PaymentFailed", "payments", Some("PAYMENT_DECLINED")),
        ("OrderFailed", "orders", Some("PAYMENT_DECLINED")),
        ("ReleaseRequested", "orders", None),
        ("StockReleased", "products", None),
        ("ReopenRequested", "orders", None),
        ("CartReopened", "cart", None),
        ("OrderRolledBack", "orders", None),
    ];
    assert_eq!(story, expected);
    assert!(timeline.is_sorted_by_key(|entry| entry.at));
}

#[tokio::test]
async fn a_clock_that_is_slow_elsewhere_does_not_turn_the_story_round() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::CartValidated).await;
    let mut reserved = it.reserved();
    reserved.envelope.timestamp -= std::time::Duration::from_secs(3600);
    shop.tell(vec![reserved]).await;
    let timeline = shop.saga(&it).await.timeline;
    let events: Vec<&str> = timeline.iter().map(|entry| entry.event.as_str()).collect();
    assert_eq!(events, ["CartCheckoutInitiated", "OrderPlaced", "StockReserved", "PaymentRequested"]);
    assert!(timeline[2].at < timeline[1].at, "each tells the time as it knows it");
}

#[tokio::test]
async fn a_decline_is_undone_in_reverse_order() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::Failed).await;
    let order = shop.order(&it).await;
    assert_eq!(order.failure_code.as_deref(), Some("PAYMENT_DECLINED"));
    assert_eq!(order.failure_reason.as_deref(), Some("Your card was declined."));
    let log = |detail: orders_client::SagaDetail| -> Vec<(String, String)> {
        detail.compensations.into_iter().map(|undo| (undo.event, undo.status)).collect()
    };
    let entry = |event: &str, status: &str| (event.to_owned(), status.to_owned());
    assert_eq!(shop.saga(&it).await.saga.owed, ["RELEASE", "REOPEN"]);
    assert_eq!(log(shop.saga(&it).await), [entry("ReleaseRequested", "requested")]);

    shop.tell(vec![it.reopened()]).await; // out of turn: nobody asked yet
    assert_eq!(shop.saga(&it).await.saga.owed, ["RELEASE", "REOPEN"]);
    shop.tell(vec![it.released()]).await;
    assert_eq!(shop.status(&it).await, OrderStatus::Failed, "written only when stock and cart are back");
    assert_eq!(shop.holds(&it).await, ["released", "released"]);
    shop.tell(vec![it.reopened()]).await;
    assert_eq!(shop.status(&it).await, OrderStatus::Compensated);
    let done = shop.saga(&it).await;
    assert!(done.compensations.iter().all(|undo| undo.completed_at.is_some()));
    assert_eq!(log(done), [entry("ReleaseRequested", "completed"), entry("ReopenRequested", "completed")]);
    assert_eq!(shop.types_told(&it).await.last().unwrap(), "OrderRolledBack");
}

#[tokio::test]
async fn refused_stock_gives_the_cart_back_and_says_why() {
    let shop = Shop::open().await;
    for (refusal, code, word) in [
        (StockRefusal::OutOfStock, "OUT_OF_STOCK", "not enough in stock"),
        (StockRefusal::PriceChanged, "PRICE_CHANGED", "the price has changed"),
        (StockRefusal::ProductUnavailable, "PRODUCT_UNAVAILABLE", "no longer available"),
    ] {
        let it = shop.order_in(OrderStatus::CartValidated).await;
        shop.tell(vec![it.refused(refusal)]).await;
        let order = shop.order(&it).await;
        assert_eq!((order.status, order.failure_code.as_deref()), (OrderStatus::Failed, Some(code)));
        let reason = order.failure_reason.unwrap();
        assert!(reason.contains("Morning Coffee") && reason.contains(word), "{reason}");
        assert_eq!(shop.types_told(&it).await, ["OrderPlaced", "OrderFailed", "ReopenRequested"]);
        shop.tell(vec![it.reopened()]).await;
        assert_eq!(shop.status(&it).await, OrderStatus::Compensated);
    }
}

#[tokio::test]
async fn a_hundred_copies_of_every_event_change_nothing() {
    let shop = Shop::open().await;
    let it = shop.cart();
    shop.place(&it).await;
    let words = [it.initiated(), it.reserved(), it.processed()];
    for word in &words {
        for _ in 0..98 {
            shop.publish(word).await;
        }
        shop.tell(vec![word.clone()]).await;
    }
    let (order, told, timeline) = (shop.order(&it).await, shop.types_told(&it).await, shop.saga(&it).await.timeline);
    assert_eq!((order.status, order.version), (OrderStatus::Confirmed, 4));
    assert_eq!(told, ["OrderPlaced", "PaymentRequested", "OrderConfirmed"]);
    assert_eq!((timeline.len(), shop.holds(&it).await.len()), (6, 2));

    for word in &words {
        for _ in 0..100 {
            shop.publish(word).await;
        }
    }
    shop.rest().await;
    assert_eq!(shop.order(&it).await, order);
    assert_eq!((shop.types_told(&it).await, shop.saga(&it).await.timeline), (told, timeline));
}

#[tokio::test]
async fn answers_given_again_under_a_new_id_change_nothing() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::Confirmed).await;
    let order = shop.order(&it).await;
    shop.tell(vec![it.initiated(), it.reserved(), it.processed(), it.partly_refunded()]).await;
    assert_eq!(shop.order(&it).await, order);
    assert_eq!(shop.types_told(&it).await.len(), 3);
    assert_eq!(shop.holds(&it).await, ["committed", "committed"]);
}

#[tokio::test]
async fn a_cart_that_came_back_becomes_another_order() {
    let shop = Shop::open().await;
    let first = shop.order_in(OrderStatus::Compensated).await;
    let again = Checkout(events::CartCheckoutInitiated {
        order_id: events::OrderId::new(),
        correlation_id: events::CorrelationId::new(),
        ..first.0.clone()
    });
    shop.tell(vec![again.initiated()]).await;
    assert_eq!(shop.order(&again).await.cart_id, shop.order(&first).await.cart_id);
    assert_eq!(shop.status(&again).await, OrderStatus::CartValidated);
    assert_eq!(shop.status(&first).await, OrderStatus::Compensated);
}
