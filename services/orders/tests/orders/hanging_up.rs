//! Shoppers who hang up at any await of a request, over a pool of one: the next user would get what was left behind.

use axum::Router;
use orders::OrdersConfig;
use serde_json::json;
use service::Caller;
use testkit::{eventually, polled};

use crate::support::{Answer, Checkout, SOON, Shop, ask, with_key};

async fn place(app: &Router, caller: &Caller, it: &Checkout) -> Answer {
    let body = json!({ "cart_id": it.0.cart_id, "payment_method": it.0.payment_method,
        "shipping_address": it.0.shipping_address });
    ask(app.clone(), Some(caller), "POST", "/orders", Some(body)).await
}

/// The rows of an order, of its saga and of its lines, in one look.
async fn stored(shop: &Shop, it: &Checkout) -> [i64; 3] {
    let sql = "SELECT (SELECT count(*) FROM orders.orders WHERE id = $1) AS orders,
                      (SELECT count(*) FROM orders.saga_states WHERE order_id = $1) AS sagas,
                      (SELECT count(*) FROM orders.order_items WHERE order_id = $1) AS lines";
    let row = shop.owner.query_one(sql, &[&it.id()]).await.unwrap();
    ["orders", "sagas", "lines"].map(|column| row.get(column))
}

/// Nobody holds a transaction open.
async fn until_quiet(shop: &Shop, after: &str) {
    let sql = "SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    eventually(SOON, || async {
        match shop.number(sql).await {
            0 => Ok(()),
            open => Err(format!("{after}: {open} open transactions")),
        }
    })
    .await;
}

async fn whoever_hangs_up(shop: &Shop, caller_of: impl Fn(&Checkout) -> Caller) {
    let app = shop.app_over_a_pool_of_one();
    for times in 0.. {
        let it = shop.cart();
        let caller = caller_of(&it);
        let answered = polled(times, place(&app, &caller, &it)).await;
        let after = format!("hung up after {times} polls");
        let found = stored(shop, &it).await;
        assert!(matches!(found, [0, 0, 0] | [1, 1, 2]), "{after}: half an order, {found:?}");
        until_quiet(shop, &after).await;

        let again = place(&app, &caller, &it).await;
        assert_eq!(again.status, 202, "{after}: {:?}", again.json());
        assert_eq!(again.json()["id"], it.id().to_string(), "{after}");
        assert_eq!(stored(shop, &it).await, [1, 1, 2], "{after}");
        if let Some(first) = answered {
            assert_eq!(first.json()["id"], again.json()["id"]);
            assert!(times > 2, "it hung up at several awaits, not at {times}");
            return;
        }
    }
}

#[tokio::test]
async fn an_order_whose_shopper_hangs_up_at_any_await_is_whole_or_absent() {
    let shop = Shop::closed(OrdersConfig::default()).await;
    whoever_hangs_up(&shop, |it| shop.user(it.0.user_id)).await;
    whoever_hangs_up(&shop, |it| with_key(&shop.user(it.0.user_id), &it.id().to_string())).await;
}
