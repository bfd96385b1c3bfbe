//! Where a checkout was meant to go is forgotten once it is decided.

use cart::CartConfig;
use cart_client::CartApi;
use events::{OrderConfirmed, OrderStatus};

use crate::support::{Shop, checkout};

#[tokio::test]
async fn a_decided_checkout_forgets_where_it_was_meant_to_go() {
    let shop = Shop::open_with(CartConfig { addresses_kept_days: 0, ..CartConfig::default() }).await;
    let (ada, product) = (shop.shopper(), shop.product("12.50").await);
    let open = shop.cart_with(&ada, product, 1).await;
    let undecided = shop.carts.checkout(&ada, open.id, checkout()).await.expect("begun");
    let cart = shop.cart_with(&ada, product, 1).await;
    let begun = shop.carts.checkout(&ada, cart.id, checkout()).await.expect("begun");
    let confirmed = OrderConfirmed {
        order_id: begun.order_id,
        user_id: begun.user_id,
        cart_id: begun.cart_id,
        statuses: vec![OrderStatus::Confirmed],
        lines: begun.lines.clone(),
        total: begun.total,
    };
    shop.tell(&confirmed, 2).await;

    assert_eq!(shop.carts.forget_addresses().await.expect("forgotten"), 1);
    assert_eq!(shop.carts.forget_addresses().await.expect("once"), 0);
    let asked_again = shop.carts.checkout(&ada, open.id, checkout()).await.expect("the same");
    assert_eq!(asked_again, undecided, "one that is undecided is as it was");
}
