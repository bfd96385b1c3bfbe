//! Several processes of orders on one database.

use events::OrderStatus;
use orders::OrdersConfig;
use orders_client::OrdersApi;
use testkit::eventually;

use crate::support::{Checkout, SOON, Shop, refusal};

/// Each move has a version of its own: projections drop what is not newer.
#[tokio::test]
async fn who_waited_for_a_saga_sees_the_version_that_the_other_wrote() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::InventoryReserved).await;
    let mut other = shop.test.owner().await;
    let tx = other.transaction().await.unwrap();
    tx.execute("SELECT 1 FROM orders.saga_states WHERE order_id = $1 FOR UPDATE", &[&it.id()]).await.unwrap();
    tx.execute("UPDATE orders.saga_states SET updated_at = now() WHERE order_id = $1", &[&it.id()]).await.unwrap();
    tx.execute("UPDATE orders.orders SET version = version + 1 WHERE id = $1", &[&it.id()]).await.unwrap();
    let before = shop.order(&it).await.version;

    let (orders, caller, id) = (shop.orders.clone(), shop.user(it.0.user_id), it.id());
    let cancelling = tokio::spawn(async move { orders.cancel(&caller, id, Default::default()).await });
    eventually(SOON, || async {
        let sql = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%saga_states%'";
        if shop.number(sql).await == 1 { Ok(()) } else { Err("nobody waits for the saga".to_owned()) }
    })
    .await;
    tx.commit().await.unwrap();
    let cancelled = cancelling.await.unwrap().unwrap();
    assert_eq!((cancelled.status, cancelled.version), (OrderStatus::Cancelling, before + 2));
}

#[tokio::test]
async fn two_consumers_of_each_queue_move_every_saga_once() {
    let shop = Shop::closed(OrdersConfig::default()).await;
    let orders: Vec<Checkout> = (0..40).map(|_| shop.cart()).collect();
    let (first, second) = (shop.replica(), shop.replica());
    shop.consume(&first);
    shop.consume(&second);
    let say = |word: fn(&Checkout) -> events::Draft| orders.iter().map(word).collect::<Vec<_>>();
    for round in [say(Checkout::initiated), say(Checkout::reserved), say(Checkout::processed)] {
        // Copies under another id, and copies of those, so that both have something to do.
        let again = round.iter().map(|draft| {
            let mut again = draft.clone();
            again.envelope.event_id = events::EventId::new();
            again
        });
        let both: Vec<_> = round.iter().cloned().chain(again).collect();
        shop.tell(both).await;
    }
    for it in &orders {
        let order = shop.order(it).await;
        assert_eq!((order.status, order.version), (OrderStatus::Confirmed, 4));
        assert_eq!(shop.types_told(it).await, ["OrderPlaced", "PaymentRequested", "OrderConfirmed"]);
    }
}

#[tokio::test]
async fn two_watchdogs_expire_every_saga_once() {
    let shop = Shop::watched(OrdersConfig::default()).await;
    shop.watch(&shop.replica());
    let mut orders = Vec::new();
    for _ in 0..120 {
        let it = shop.cart();
        shop.place(&it).await;
        orders.push(it);
    }
    shop.owner.batch_execute("UPDATE orders.saga_states SET expires_at = now()").await.unwrap();
    eventually(SOON, || async {
        let failed = shop.number("SELECT count(*) FROM orders.orders WHERE status = 'FAILED'").await;
        if failed == 120 { Ok(()) } else { Err(format!("{failed} of 120 failed")) }
    })
    .await;
    for it in &orders {
        assert_eq!(shop.types_told(it).await, ["OrderFailed", "ReopenRequested"]);
        assert_eq!(shop.order(it).await.version, 2);
    }
}

#[tokio::test]
async fn of_a_shipment_and_a_cancellation_at_once_one_wins() {
    let shop = Shop::open().await;
    for _ in 0..10 {
        let it = shop.order_in(OrderStatus::Confirmed).await;
        let other = shop.replica();
        let (shipped, cancelled) = tokio::join!(other.ship(&shop.admin, it.id()), shop.cancel(&it, None));
        match shop.status(&it).await {
            OrderStatus::Shipped => assert_eq!(refusal(cancelled), "order_not_cancellable"),
            OrderStatus::Cancelling => assert_eq!(refusal(shipped), "order_not_shippable"),
            status => panic!("{status}: {shipped:?} {cancelled:?}"),
        }
    }
}
