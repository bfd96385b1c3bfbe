//! Checkout: exactly once, whoever asks how often.

use std::collections::HashSet;

use cart_client::{AddItem, CartApi, CartStatus, CheckoutCart, UpdateItem};
use events::{CartCheckoutInitiated, CartId};
use futures_util::future::join_all;
use tokio::sync::oneshot;

use crate::support::{Shop, checkout, eur, refusal, with_key};

#[tokio::test]
async fn a_checkout_fixes_the_order_and_freezes_the_cart() {
    let shop = Shop::open().await;
    let (ada, product) = (shop.shopper(), shop.product("12.50").await);
    let cart = shop.cart_with(&ada, product, 2).await;
    let begun = shop.carts.checkout(&ada, cart.id, checkout()).await.expect("begun");

    assert_eq!((begun.cart_id, Some(begun.user_id), begun.total), (cart.id, ada.user_id(), eur("25.00")));
    assert_eq!((begun.lines.len(), begun.lines[0].quantity, begun.lines[0].unit_price), (1, 2, eur("12.50")));
    assert_eq!(begun.lines[0].name, "Morning Coffee");
    assert_eq!(begun.shipping_address.country_code, "GB");
    assert_ne!(begun.correlation_id, ada.correlation_id, "a saga has an id of its own");
    let (envelope, told): (_, CartCheckoutInitiated) = shop.latest().await;
    assert_eq!(told, begun);
    assert_eq!((envelope.correlation_id, envelope.aggregate_version), (begun.correlation_id, 2));

    assert_eq!(shop.get(&ada, cart.id).await.status, CartStatus::CheckingOut);
    let item = cart.items[0].id;
    let add = AddItem { cart_id: Some(cart.id), product_id: product, quantity: 1 };
    assert_eq!(refusal(shop.carts.add_item(&ada, add).await), "cart_not_active");
    assert_eq!(refusal(shop.carts.update_item(&ada, item, UpdateItem { quantity: 1 }).await), "cart_not_active");
    assert_eq!(refusal(shop.carts.remove_item(&ada, item).await), "cart_not_active");
    assert_eq!(refusal(shop.carts.clear(&ada, cart.id).await), "cart_not_active");
    assert_eq!(refusal(shop.carts.delete(&ada, cart.id).await), "cart_not_active");
}

#[tokio::test]
async fn twenty_parallel_checkouts_are_one_order() {
    let shop = Shop::open().await;
    let (ada, product) = (shop.shopper(), shop.product("1.00").await);
    let cart = shop.cart_with(&ada, product, 1).await;
    let keyed = with_key(&ada, "checkout-1");
    let tries = (0..20).map(|number| {
        let caller = if number % 2 == 0 { &ada } else { &keyed };
        shop.carts.checkout(caller, cart.id, checkout())
    });
    let answers = join_all(tries).await;
    let orders: HashSet<_> = answers.into_iter().map(|answer| answer.expect("answered").order_id).collect();
    assert_eq!(orders.len(), 1);
    assert_eq!(shop.recorded("CartCheckoutInitiated").await, 1);
    assert_eq!(shop.number("SELECT count(*) FROM saga_states WHERE status = 'started'").await, 1);
}

#[tokio::test]
async fn many_shoppers_at_once_get_each_their_own_answer() {
    let shop = Shop::open().await;
    let (eve, product) = (shop.shopper(), shop.product("1.00").await);
    let mut shoppers = Vec::new();
    for quantity in 1..=20 {
        let shopper = shop.shopper();
        shoppers.push((shop.cart_with(&shopper, product, quantity).await, shopper));
    }
    let empty = shop.carts.create(&eve).await.expect("created");
    let (refused, answers) = tokio::join!(
        join_all([
            shop.carts.checkout(&eve, empty.id, checkout()),
            shop.carts.checkout(&eve, shoppers[0].0.id, checkout())
        ]),
        join_all(shoppers.iter().map(|(cart, shopper)| shop.carts.checkout(shopper, cart.id, checkout()))),
    );
    let refused: Vec<String> = refused.into_iter().map(refusal).collect();
    assert_eq!(refused, ["cart_empty", "cart_not_found"]);
    for ((cart, shopper), answer) in shoppers.iter().zip(answers) {
        let begun = answer.expect("begun");
        assert_eq!((begun.cart_id, Some(begun.user_id), begun.total), (cart.id, shopper.user_id(), cart.total));
        assert_eq!(shop.carts.checkout(shopper, cart.id, checkout()).await.expect("the same"), begun);
    }
    assert_eq!(shop.recorded("CartCheckoutInitiated").await, 20);
    assert_eq!(shop.number("SELECT count(*) FROM carts WHERE status = 'checking_out' AND version = 2").await, 20);
}

#[tokio::test]
async fn a_cart_that_somebody_holds_keeps_no_other_waiting() {
    let shop = Shop::open().await;
    let (ada, bob, product) = (shop.shopper(), shop.shopper(), shop.product("1.00").await);
    let (held, free) = (shop.cart_with(&ada, product, 1).await, shop.cart_with(&bob, product, 1).await);
    let (taken, is_taken) = oneshot::channel();
    let (release, is_released) = oneshot::channel::<()>();
    let id = held.id;
    let holder = shop.database.write(move |tx| {
        Box::pin(async move {
            tx.query("SELECT FROM carts WHERE id = $1 FOR UPDATE", &[&id]).await?;
            taken.send(()).expect("awaited");
            is_released.await.expect("told");
            Ok::<(), database::Error>(())
        })
    });
    let shoppers = async {
        is_taken.await.expect("taken");
        let waiting = shop.carts.checkout(&ada, held.id, checkout());
        let passing = async {
            let begun = shop.carts.checkout(&bob, free.id, checkout()).await;
            release.send(()).expect("held until now");
            begun
        };
        // The first to be asked for is the one that has to wait.
        tokio::join!(biased; waiting, passing)
    };
    let (kept, (waited, passed)) = tokio::join!(holder, shoppers);
    kept.expect("committed");
    assert_eq!((waited.expect("begun").cart_id, passed.expect("begun").cart_id), (held.id, free.id));
}

#[tokio::test]
async fn a_second_checkout_is_answered_with_the_first_whatever_it_says() {
    let shop = Shop::open().await;
    let (ada, product) = (shop.shopper(), shop.product("1.00").await);
    let cart = shop.cart_with(&ada, product, 1).await;
    let first = shop.carts.checkout(&ada, cart.id, checkout()).await.expect("begun");
    let other = CheckoutCart { payment_method: "pm_card_chargeDeclined".to_owned(), ..checkout() };
    assert_eq!(shop.carts.checkout(&ada, cart.id, other).await.expect("the same"), first);
}

#[tokio::test]
async fn an_ownerless_cart_becomes_the_buyers() {
    let shop = Shop::open().await;
    let (ada, bob, nobody, product) = (shop.shopper(), shop.shopper(), shop.nobody(), shop.product("1.00").await);
    let cart = shop.cart_with(&nobody, product, 1).await;
    let refused = shop.carts.checkout(&nobody, cart.id, checkout()).await.expect_err("needs a login");
    assert_eq!(refused.status.as_u16(), 401);
    shop.carts.checkout(&ada, cart.id, checkout()).await.expect("begun");
    assert_eq!(shop.get(&ada, cart.id).await.user_id, ada.user_id());
    assert_eq!(refusal(shop.carts.checkout(&bob, cart.id, checkout()).await), "cart_not_found");
    assert_eq!(refusal(shop.carts.get(&nobody, cart.id).await), "cart_not_found");
}

#[tokio::test]
async fn what_cannot_be_checked_out_is_refused_at_once() {
    let shop = Shop::open().await;
    let (ada, bob, product) = (shop.shopper(), shop.shopper(), shop.product("1.00").await);
    let empty = shop.carts.create(&ada).await.expect("created");
    assert_eq!(refusal(shop.carts.checkout(&ada, empty.id, checkout()).await), "cart_empty");
    let hers = shop.cart_with(&ada, product, 1).await;
    assert_eq!(refusal(shop.carts.checkout(&bob, hers.id, checkout()).await), "cart_not_found");
    assert_eq!(refusal(shop.carts.checkout(&ada, CartId::new(), checkout()).await), "cart_not_found");

    let mut wrong = CheckoutCart { payment_method: "  ".to_owned(), ..checkout() };
    wrong.shipping_address.city = String::new();
    wrong.shipping_address.country_code = "England".to_owned();
    let error = shop.carts.checkout(&ada, hers.id, wrong).await.expect_err("refused");
    let mut fields: Vec<&str> = error.fields.iter().map(|field| field.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["payment_method", "shipping_address.city", "shipping_address.country_code"]);
    for card in ["4242424242424242", "4000 0566 5566 5556", "4242-4242-4242-4242", "pm_4242424242424242"] {
        let with_card = CheckoutCart { payment_method: card.to_owned(), ..checkout() };
        assert_eq!(refusal(shop.carts.checkout(&ada, hers.id, with_card).await), "validation_failed", "{card}");
    }
    assert_eq!(shop.get(&ada, hers.id).await.status, CartStatus::Active);
    assert_eq!(shop.recorded("CartCheckoutInitiated").await, 0);
}
