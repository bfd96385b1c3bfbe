//! Many orders in few transactions.

use events::{Draft, OrderStatus, StockRefusal};
use orders::OrdersConfig;
use testkit::eventually;

use crate::support::{Checkout, SOON, Shop};

#[tokio::test]
async fn a_batch_means_what_its_messages_mean_one_by_one() {
    let shop = Shop::closed(OrdersConfig::default()).await;
    let orders: Vec<Checkout> = (0..60).map(|_| shop.cart()).collect();
    // Half of them were placed; of the others the request died.
    for checkout in orders.iter().step_by(2) {
        shop.place(checkout).await;
    }
    for checkout in &orders {
        shop.publish(&checkout.initiated()).await;
    }
    shop.consume(&shop.orders);
    shop.rest().await;
    expect(&shop, &orders, |_| OrderStatus::CartValidated).await;
    assert!(transactions(&shop).await <= 2, "they went together");

    // Each twice, and with answers to what nobody asked yet among them.
    shop.tell(words(&orders, |at, it| match at % 3 {
        0 => vec![it.reserved()],
        1 => vec![it.refused(StockRefusal::OutOfStock)],
        _ => vec![it.reserved(), it.reserved(), it.released()],
    }))
    .await;
    let failed = |at: usize| at % 3 == 1;
    expect(&shop, &orders, |at| if failed(at) { OrderStatus::Failed } else { OrderStatus::InventoryReserved }).await;

    shop.tell(words(&orders, |at, it| match at % 3 {
        0 => vec![it.processed(), it.processed()],
        1 => vec![],
        _ => vec![it.declined(), it.partly_refunded()],
    }))
    .await;
    expect(&shop, &orders, |at| if at % 3 == 0 { OrderStatus::Confirmed } else { OrderStatus::Failed }).await;

    shop.tell(words(&orders, |at, it| if at % 3 == 2 { vec![it.released()] } else { vec![] })).await;
    shop.tell(words(&orders, |at, it| if at % 3 == 0 { vec![] } else { vec![it.reopened(), it.initiated()] })).await;
    expect(&shop, &orders, |at| if at % 3 == 0 { OrderStatus::Confirmed } else { OrderStatus::Compensated }).await;
    for (at, it) in orders.iter().enumerate() {
        let holds = shop.holds(it).await;
        let expected: &[&str] = match at % 3 {
            0 => &["committed", "committed"],
            1 => &[],
            _ => &["released", "released"],
        };
        assert_eq!(holds, expected);
        let versions: Vec<i64> =
            shop.told(it).await.iter().map(|(_, event)| event["aggregate_version"].as_i64().unwrap()).collect();
        assert!(versions.is_sorted(), "{versions:?}");
        assert_eq!(versions.last(), Some(&shop.order(it).await.version));
    }
}

fn words(orders: &[Checkout], say: impl Fn(usize, &Checkout) -> Vec<Draft>) -> Vec<Draft> {
    orders.iter().enumerate().flat_map(|(at, it)| say(at, it)).collect()
}

async fn expect(shop: &Shop, orders: &[Checkout], status: impl Fn(usize) -> OrderStatus) {
    for (at, it) in orders.iter().enumerate() {
        assert_eq!(shop.status(it).await, status(at), "order {at}");
    }
}

/// In how many transactions the sagas were last written.
async fn transactions(shop: &Shop) -> i64 {
    shop.number("SELECT count(DISTINCT xmin::text) FROM orders.saga_states").await
}

#[tokio::test]
async fn a_checkout_and_its_undo_in_any_order_end_alike() {
    let shop = Shop::open().await;
    let it = shop.cart();
    let all = || vec![it.reopened(), it.released(), it.declined(), it.reserved(), it.initiated()];
    shop.place(&it).await;
    // Messages that are too early are forgotten, so the peers answer again, as they do when they are asked again.
    eventually(SOON, || async {
        shop.tell(all()).await;
        let status = shop.status(&it).await;
        if status == OrderStatus::Compensated { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
    let told = shop.types_told(&it).await;
    let expected =
        ["OrderPlaced", "PaymentRequested", "OrderFailed", "ReleaseRequested", "ReopenRequested", "OrderRolledBack"];
    assert_eq!(told, expected);
}
