//! Addresses go, orders stay.

use events::OrderStatus;
use orders::OrdersConfig;
use orders_client::OrdersApi;

use crate::support::Shop;

#[tokio::test]
async fn orders_that_are_over_forget_where_they_went_and_nothing_else() {
    let shop = Shop::closed(OrdersConfig { addresses_kept_days: 0, ..OrdersConfig::default() }).await;
    shop.consume(&shop.orders);
    let over = [OrderStatus::Shipped, OrderStatus::Delivered, OrderStatus::Compensated, OrderStatus::Cancelled];
    let mut forgetful = Vec::new();
    for status in over {
        forgetful.push(shop.order_in(status).await);
    }
    let to_ship = shop.order_in(OrderStatus::Confirmed).await;
    assert_eq!(shop.orders.forget_addresses().await.unwrap(), 4);
    assert_eq!(shop.orders.forget_addresses().await.unwrap(), 0, "once");
    for (it, status) in forgetful.iter().zip(over) {
        let order = shop.order(it).await;
        assert_eq!((order.status, order.shipping_address.is_none()), (status, true));
        assert_eq!((order.total, order.items.len()), (it.0.total, it.0.lines.len()));
        shop.saga(it).await;
    }
    assert!(shop.order(&to_ship).await.shipping_address.is_some(), "it still has to go somewhere");
    let kept = "SELECT count(*) FROM orders.saga_states WHERE payload #>> '{shipping_address,line1}' <> ''";
    assert_eq!(shop.number(kept).await, 1);

    // The next walk begins at the first order that waits: what is done is not looked at again.
    let restored = "UPDATE orders.orders SET shipping_address = '{}' WHERE id = $1";
    shop.owner.execute(restored, &[&forgetful[0].id()]).await.unwrap();
    assert_eq!(shop.orders.forget_addresses().await.unwrap(), 0);
    shop.orders.ship(&shop.admin, to_ship.id()).await.unwrap();
    assert_eq!(shop.orders.forget_addresses().await.unwrap(), 1, "it waited, and was not forgotten");
    assert!(shop.order(&to_ship).await.shipping_address.is_none());
    assert_eq!(shop.replica().forget_addresses().await.unwrap(), 1, "a process that starts looks at all");
}

#[tokio::test]
async fn young_orders_keep_their_addresses() {
    let shop = Shop::open().await;
    let it = shop.order_in(OrderStatus::Delivered).await;
    assert_eq!(shop.orders.forget_addresses().await.unwrap(), 0);
    assert!(shop.order(&it).await.shipping_address.is_some());
}
