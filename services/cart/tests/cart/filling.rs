//! Filling, changing, owning and merging carts.

use std::sync::atomic::Ordering;
use std::time::Duration;

use cart::CartConfig;
use cart_client::{AddItem, CartApi, CartStatus, UpdateItem};
use chrono::Utc;
use events::{Currency, ItemAddedToCart, Money, ProductId, ProductUpdated};
use products_client::Product;
use service::Role;

use crate::support::{Shop, created, eur, refusal, with_key};

#[tokio::test]
async fn adding_without_a_cart_makes_a_new_one_each_time() {
    let shop = Shop::open().await;
    let (nobody, product) = (shop.nobody(), shop.product("12.99").await);
    let first = shop.cart_with(&nobody, product, 2).await;
    let second = shop.cart_with(&nobody, product, 1).await;

    assert_ne!(first.id, second.id);
    assert_eq!((first.status, first.user_id, first.item_count), (CartStatus::Active, None, 2));
    assert_eq!(
        (first.total, first.items[0].unit_price, first.items[0].line_total),
        (eur("25.98"), eur("12.99"), eur("25.98"))
    );
    assert_eq!(shop.get(&nobody, first.id).await, first, "the answer is what is stored");
    let (envelope, told): (_, ItemAddedToCart) = shop.latest().await;
    assert_eq!((envelope.aggregate_id, envelope.aggregate_version), (second.id.uuid(), 1));
    assert_eq!((told.cart_id, told.product_id, told.quantity, told.unit_price), (second.id, product, 1, eur("12.99")));
    assert_eq!(shop.recorded("ItemAddedToCart").await, 2);
}

#[tokio::test]
async fn the_same_product_adds_up_in_one_line() {
    let shop = Shop::open().await;
    let (ada, product, other) = (shop.shopper(), shop.product("3.00").await, shop.product("4.50").await);
    let cart = shop.cart_with(&ada, product, 2).await;
    let add = |product_id, quantity| AddItem { cart_id: Some(cart.id), product_id, quantity };
    shop.carts.add_item(&ada, add(product, 3)).await.expect("added");
    let full = shop.carts.add_item(&ada, add(other, 1)).await.expect("added");

    assert_eq!(full.items.iter().map(|item| item.quantity).collect::<Vec<_>>(), [5, 1]);
    assert_eq!((full.total, full.item_count, full.user_id), (eur("19.50"), 6, ada.user_id()));
    assert_eq!(shop.get(&ada, cart.id).await, full);
    assert_eq!(refusal(shop.carts.add_item(&ada, add(product, 995)).await), "quantity_too_large");
    for quantity in [0, -1, 1000] {
        assert_eq!(refusal(shop.carts.add_item(&ada, add(product, quantity)).await), "validation_failed");
    }
    assert_eq!(shop.get(&ada, cart.id).await, full, "a refusal changes nothing");
}

#[tokio::test]
async fn parallel_adds_to_one_cart_are_all_counted() {
    let shop = Shop::open().await;
    let (nobody, product) = (shop.nobody(), shop.product("1.00").await);
    let cart = shop.cart_with(&nobody, product, 1).await;
    let adds = (0..20).map(|_| async {
        shop.carts.add_item(&nobody, AddItem { cart_id: Some(cart.id), product_id: product, quantity: 1 }).await
    });
    for result in futures_util::future::join_all(adds).await {
        result.expect("added");
    }
    let cart = shop.get(&nobody, cart.id).await;
    assert_eq!((cart.item_count, cart.total, cart.items.len()), (21, eur("21.00"), 1));
}

#[tokio::test]
async fn a_cart_holds_a_hundred_lines_and_one_currency() {
    let shop = Shop::open().await;
    let nobody = shop.nobody();
    let cart = shop.carts.create(&nobody).await.expect("created");
    assert_eq!((cart.total, cart.item_count), (eur("0.00"), 0));
    let yen = ProductId::new();
    let price = Money::parse("500", "JPY".parse::<Currency>().expect("known")).expect("an amount");
    shop.tell(&events::ProductCreated { price, ..created(yen, "1.00") }, 1).await;
    let add = |product_id| shop.carts.add_item(&nobody, AddItem { cart_id: Some(cart.id), product_id, quantity: 1 });
    for _ in 0..100 {
        let product = ProductId::new();
        shop.catalogue.put(product_elsewhere(product, "1.00"));
        add(product).await.expect("added");
    }
    assert_eq!(refusal(add(shop.product("1.00").await).await), "cart_full");
    assert_eq!(refusal(add(yen).await), "currency_mismatch");
    let empty = shop.carts.clear(&nobody, cart.id).await.expect("cleared");
    assert!(empty.items.is_empty() && empty.total.is_zero());
    assert_eq!(shop.recorded("CartCleared").await, 1);
    assert_eq!(add(yen).await.expect("an empty cart takes any currency").total, price);
}

fn product_elsewhere(id: ProductId, price: &str) -> Product {
    Product {
        id,
        name: "Evening Tea".to_owned(),
        description: None,
        sku: id.to_string(),
        price: eur(price),
        stock_quantity: 0,
        in_stock: false,
        category_id: None,
        image_url: None,
        images: Vec::new(),
        supplier_id: None,
        version: 7,
        created_at: Utc::now(),
        updated_at: Utc::now(),
    }
}

#[tokio::test]
async fn an_unknown_product_is_asked_for_once_and_stock_is_never_looked_at() {
    let shop = Shop::open().await;
    let nobody = shop.nobody();
    let product = ProductId::new();
    let add = || shop.carts.add_item(&nobody, AddItem { cart_id: None, product_id: product, quantity: 1 });
    assert_eq!(refusal(add().await), "product_not_found");
    shop.catalogue.put(product_elsewhere(product, "8.00"));
    for _ in 0..3 {
        let cart = add().await.expect("added");
        assert_eq!((cart.total, cart.items[0].name.as_str()), (eur("8.00"), "Evening Tea"));
    }
    assert_eq!(shop.catalogue.asked.load(Ordering::Relaxed), 2, "once before it was there, once after");
}

#[tokio::test]
async fn only_newer_versions_of_a_product_are_written_and_a_deleted_one_cannot_be_added() {
    let shop = Shop::open().await;
    let (nobody, product) = (shop.nobody(), ProductId::new());
    let update = |price: &str, deleted| ProductUpdated {
        product_id: product,
        sku: "S".to_owned(),
        name: "Noon Tea".to_owned(),
        price: eur(price),
        category_id: None,
        image_url: None,
        deleted,
    };
    shop.tell(&update("5.00", false), 3).await;
    shop.tell(&update("4.00", false), 2).await;
    shop.tell(&created(product, "3.00"), 1).await;
    assert_eq!(shop.cart_with(&nobody, product, 1).await.total, eur("5.00"));
    shop.tell(&update("6.00", true), 4).await;
    let add = AddItem { cart_id: None, product_id: product, quantity: 1 };
    assert_eq!(refusal(shop.carts.add_item(&nobody, add).await), "product_not_found");
}

#[tokio::test]
async fn a_price_in_memory_that_is_no_longer_true_is_noticed() {
    let shop = Shop::open().await;
    let (nobody, product) = (shop.nobody(), shop.product("5.00").await);
    shop.cart_with(&nobody, product, 1).await; // now it is in memory
    let owner = shop.testbed.owner().await;
    // As if another process had consumed the news.
    let sql = "UPDATE cart.products SET price = 6, version = version + 1";
    owner.execute(sql, &[]).await.expect("updated");
    assert_eq!(shop.cart_with(&nobody, product, 1).await.total, eur("6.00"));
}

#[tokio::test]
async fn lines_are_changed_and_taken_out() {
    let shop = Shop::open().await;
    let (ada, product, other) = (shop.shopper(), shop.product("2.00").await, shop.product("5.00").await);
    let cart = shop.cart_with(&ada, product, 1).await;
    let cart = shop.carts.add_item(&ada, AddItem { cart_id: Some(cart.id), product_id: other, quantity: 1 }).await;
    let cart = cart.expect("added");
    let (first, second) = (cart.items[0].id, cart.items[1].id);

    let changed = shop.carts.update_item(&ada, first, UpdateItem { quantity: 9 }).await.expect("changed");
    assert_eq!((changed.total, changed.item_count), (eur("23.00"), 10));
    assert_eq!(shop.get(&ada, cart.id).await, changed);
    assert_eq!(refusal(shop.carts.update_item(&ada, first, UpdateItem { quantity: 0 }).await), "validation_failed");
    let left = shop.carts.remove_item(&ada, second).await.expect("removed");
    assert_eq!((left.total, left.items.len()), (eur("18.00"), 1));
    assert_eq!(shop.get(&ada, cart.id).await, left);
    assert_eq!(refusal(shop.carts.remove_item(&ada, second).await), "cart_item_not_found");
    shop.carts.delete(&ada, cart.id).await.expect("deleted");
    assert_eq!(refusal(shop.carts.get(&ada, cart.id).await), "cart_not_found");
}

#[tokio::test]
async fn somebody_elses_cart_is_not_there_and_an_ownerless_one_is_everybodys() {
    let shop = Shop::open().await;
    let (ada, bob, nobody, product) = (shop.shopper(), shop.shopper(), shop.nobody(), shop.product("2.00").await);
    let hers = shop.cart_with(&ada, product, 1).await;
    let free = shop.cart_with(&nobody, product, 1).await;
    for stranger in [&bob, &nobody] {
        assert_eq!(refusal(shop.carts.get(stranger, hers.id).await), "cart_not_found");
        let add = AddItem { cart_id: Some(hers.id), product_id: product, quantity: 1 };
        assert_eq!(refusal(shop.carts.add_item(stranger, add).await), "cart_not_found");
        let item = hers.items[0].id;
        assert_eq!(
            refusal(shop.carts.update_item(stranger, item, UpdateItem { quantity: 2 }).await),
            "cart_item_not_found"
        );
        assert_eq!(refusal(shop.carts.remove_item(stranger, item).await), "cart_item_not_found");
        assert_eq!(refusal(shop.carts.clear(stranger, hers.id).await), "cart_not_found");
        assert_eq!(refusal(shop.carts.delete(stranger, hers.id).await), "cart_not_found");
        let both = shop.carts.carts_by_ids(stranger, &[hers.id, free.id]).await.expect("read");
        assert_eq!(both.iter().map(|cart| cart.id).collect::<Vec<_>>(), [free.id]);
    }
    let admin = shop.someone(Role::Admin);
    shop.carts.get(&admin, hers.id).await.expect("an admin may look");
    assert_eq!(refusal(shop.carts.clear(&admin, hers.id).await), "cart_not_found");
    let ada_id = ada.user_id().expect("logged in");
    assert_eq!(shop.carts.active_cart_of_user(&ada, ada_id).await.expect("read").expect("hers").id, hers.id);
    assert_eq!(shop.carts.active_cart_of_user(&bob, ada_id).await.expect("read"), None);
    let of_both = async |caller| {
        let carts = shop.carts.active_carts_of_users(caller, &[ada_id, bob.user_id().expect("bob")]).await;
        carts.expect("read").into_iter().map(|cart| cart.id).collect::<Vec<_>>()
    };
    assert_eq!(of_both(&ada).await, [hers.id]);
    assert_eq!(of_both(&bob).await, [], "he has none, and hers is none of his business");
}

#[tokio::test]
async fn an_ownerless_cart_becomes_the_callers_or_joins_the_latest_one() {
    let shop = Shop::open().await;
    let (ada, bob, nobody) = (shop.shopper(), shop.shopper(), shop.nobody());
    let (product, other) = (shop.product("2.00").await, shop.product("5.00").await);
    let first = shop.cart_with(&nobody, product, 600).await;
    assert_eq!(shop.carts.adopt(&nobody, first.id).await.expect_err("refused").status.as_u16(), 401);
    let owned = shop.carts.adopt(&ada, first.id).await.expect("adopted");
    assert_eq!((owned.id, owned.user_id), (first.id, ada.user_id()));
    assert_eq!(shop.carts.adopt(&ada, first.id).await.expect("again").id, first.id);
    assert_eq!(refusal(shop.carts.adopt(&bob, first.id).await), "cart_not_found");

    let second = shop.cart_with(&nobody, product, 600).await;
    shop.carts
        .add_item(&nobody, AddItem { cart_id: Some(second.id), product_id: other, quantity: 2 })
        .await
        .expect("added");
    let key = with_key(&ada, "login-1");
    let merged = shop.carts.adopt(&key, second.id).await.expect("merged");
    assert_eq!(merged.id, first.id);
    assert_eq!(merged.items.iter().map(|item| item.quantity).collect::<Vec<_>>(), [999, 2]);
    assert_eq!(merged.total, eur("2008.00"));
    assert_eq!(shop.get(&ada, first.id).await, merged);
    assert_eq!(refusal(shop.carts.get(&ada, second.id).await), "cart_not_found");
    assert_eq!(shop.carts.adopt(&key, second.id).await.expect("replayed"), merged);
}

#[tokio::test]
async fn a_key_makes_an_add_happen_once() {
    let shop = Shop::open().await;
    let (ada, product) = (shop.shopper(), shop.product("2.00").await);
    let keyed = with_key(&ada, "add-1");
    let add = AddItem { cart_id: None, product_id: product, quantity: 1 };
    let first = shop.carts.add_item(&keyed, add.clone()).await.expect("added");
    assert_eq!(shop.carts.add_item(&keyed, add.clone()).await.expect("replayed"), first);
    assert_eq!(shop.number("SELECT count(*) FROM carts").await, 1);
    let other = AddItem { quantity: 2, ..add };
    assert_eq!(refusal(shop.carts.add_item(&keyed, other).await), "idempotency_key_reused");
    let keyed = with_key(&ada, "create-1");
    let created = shop.carts.create(&keyed).await.expect("created");
    assert_eq!(shop.carts.create(&keyed).await.expect("replayed"), created);
}

#[tokio::test]
async fn a_key_makes_every_change_of_a_cart_happen_once() {
    let shop = Shop::open().await;
    let (product, other) = (shop.product("2.00").await, shop.product("5.00").await);
    let http = shop.over_http().await;
    // Of an anonymous caller the line or the cart is the scope, so that short keys count.
    for caller in [shop.shopper(), shop.nobody()] {
        let cart = shop.cart_with(&caller, product, 1).await;
        let add = |product_id| AddItem { cart_id: Some(cart.id), product_id, quantity: 1 };
        let cart = shop.carts.add_item(&caller, add(other)).await.expect("added");
        let (first, second) = (cart.items[0].id, cart.items[1].id);
        let set = |quantity| UpdateItem { quantity };

        let keyed = with_key(&caller, "set-1");
        let changed = http.update_item(&keyed, first, set(3)).await.expect("changed");
        shop.carts.update_item(&caller, first, set(7)).await.expect("changed again");
        assert_eq!(http.update_item(&keyed, first, set(3)).await.expect("replayed"), changed);
        assert_eq!(shop.get(&caller, cart.id).await.items[0].quantity, 7, "the repetition changed nothing");
        assert_eq!(refusal(http.update_item(&keyed, first, set(4)).await), "idempotency_key_reused");

        let keyed = with_key(&caller, "remove-1");
        let removed = http.remove_item(&keyed, second).await.expect("removed");
        assert_eq!(http.remove_item(&keyed, second).await.expect("replayed"), removed);
        assert_eq!(refusal(http.remove_item(&caller, second).await), "cart_item_not_found");

        let keyed = with_key(&caller, "clear-1");
        let cleared = http.clear(&keyed, cart.id).await.expect("cleared");
        let filled = shop.carts.add_item(&caller, add(other)).await.expect("filled again");
        assert_eq!(http.clear(&keyed, cart.id).await.expect("replayed"), cleared);
        assert_eq!(shop.get(&caller, cart.id).await, filled);
    }
}

#[tokio::test]
async fn carts_left_alone_are_abandoned_and_come_back_when_touched() {
    let shop =
        Shop::open_with(CartConfig { abandoned_after: Duration::from_secs(3600), ..CartConfig::default() }).await;
    let (ada, product) = (shop.shopper(), shop.product("2.00").await);
    let old = shop.cart_with(&ada, product, 1).await;
    let new = shop.cart_with(&ada, product, 1).await;
    let owner = shop.testbed.owner().await;
    let sql = "UPDATE cart.carts SET updated_at = now() - interval '2 hours' WHERE id = $1";
    owner.execute(sql, &[&old.id]).await.expect("aged");
    assert_eq!(shop.carts.abandon_idle_carts().await.expect("swept"), 1);
    assert_eq!(shop.get(&ada, old.id).await.status, CartStatus::Abandoned);
    assert_eq!(shop.get(&ada, new.id).await.status, CartStatus::Active);
    assert_eq!(shop.number("SELECT count(*) FROM carts WHERE abandoned_at IS NOT NULL").await, 1);
    let add = AddItem { cart_id: Some(old.id), product_id: product, quantity: 1 };
    assert_eq!(shop.carts.add_item(&ada, add).await.expect("added").status, CartStatus::Active);
    assert_eq!(shop.number("SELECT count(*) FROM carts WHERE abandoned_at IS NOT NULL").await, 0);
}
