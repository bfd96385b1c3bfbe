//! From a cart to a stored order.

use events::OrderStatus;
use futures_util::future::join_all;
use orders_client::OrdersApi;
use service::Caller;

use crate::support::{Checkout, Shop, eur, refusal, with_key};

#[tokio::test]
async fn a_checkout_is_stored_once_as_pending() {
    let shop = Shop::open().await;
    let checkout = shop.cart();
    let order = shop.place(&checkout).await;
    assert_eq!((order.id, order.status, order.version), (checkout.id(), OrderStatus::Pending, 1));
    assert_eq!((order.subtotal, order.shipping_total, order.total), (eur("24.48"), eur("0.00"), eur("24.48")));
    let lines: Vec<_> = order.items.iter().map(|item| (item.name.as_str(), item.quantity, item.line_total)).collect();
    assert_eq!(lines, [("Morning Coffee", 2, eur("19.98")), ("Evening Tea", 1, eur("4.50"))]);
    assert_eq!(order.shipping_address.as_ref(), Some(&checkout.0.shipping_address));
    assert_eq!(order.correlation_id, checkout.0.correlation_id);

    assert_eq!(shop.place(&checkout).await, order, "a second time: the same order");
    assert_eq!(shop.order(&checkout).await, order, "found as soon as it is answered");
    assert_eq!(shop.number("SELECT count(*) FROM orders.order_items").await, 2);
    assert_eq!(shop.saga(&checkout).await.saga.status, "PENDING");
    assert!(shop.told(&checkout).await.is_empty(), "nothing is asked of anybody before the cart's word");
}

#[tokio::test]
async fn parallel_checkouts_of_one_cart_are_one_order() {
    let shop = Shop::open().await;
    let checkout = shop.cart();
    let (placed, ()) = tokio::join!(
        join_all((0..20).map(|_| shop.place(&checkout))),
        shop.tell(vec![checkout.initiated()]) // the event arrives in their midst
    );
    assert!(placed.iter().all(|order| order.id == checkout.id() && order.items.len() == 2));
    assert_eq!(shop.number("SELECT count(*) FROM orders.orders").await, 1);
    assert_eq!(shop.status(&checkout).await, OrderStatus::CartValidated);
    assert_eq!(shop.types_told(&checkout).await, ["OrderPlaced"]);
}

#[tokio::test]
async fn the_event_creates_the_order_if_the_request_died() {
    let shop = Shop::open().await;
    let checkout = shop.cart();
    shop.tell(vec![checkout.initiated()]).await;
    let order = shop.order(&checkout).await;
    assert_eq!((order.status, order.items.len(), order.total), (OrderStatus::CartValidated, 2, eur("24.48")));
    assert_eq!(shop.place(&checkout).await, order, "who asks late gets the order as it is");
    assert_eq!(shop.types_told(&checkout).await, ["OrderPlaced"]);
}

#[tokio::test]
async fn the_carts_refusals_are_passed_on() {
    let shop = Shop::open().await;
    let unknown = Checkout::new();
    let placed = shop.orders.place(&shop.shopper(), unknown.input()).await;
    assert_eq!(refusal(placed), "cart_not_found");
    let nobody = Caller::anonymous(events::CorrelationId::new());
    assert_eq!(shop.orders.place(&nobody, unknown.input()).await.unwrap_err().status.as_u16(), 401);
    assert_eq!(shop.number("SELECT count(*) FROM orders.orders").await, 0);
}

#[tokio::test]
async fn a_repetition_is_answered_while_the_cart_is_away() {
    let shop = Shop::open().await;
    let checkout = shop.cart();
    let owner = shop.user(checkout.0.user_id);
    let placed = shop.orders.place(&with_key(&owner, "checkout-1"), checkout.input()).await.unwrap();
    let lonely = shop.replica_without_cart().await;
    assert_eq!(lonely.place(&with_key(&owner, "checkout-1"), checkout.input()).await.unwrap(), placed);
    let other = shop.cart();
    let reused = lonely.place(&with_key(&owner, "checkout-1"), other.input()).await;
    assert_eq!(refusal(reused), "idempotency_key_reused");
    assert_eq!(refusal(lonely.place(&with_key(&owner, "checkout-2"), checkout.input()).await), "unavailable");
}
