//! The same operations over HTTP: nothing is lost on the wire.

use cart_client::{AddItem, CartApi, CartStatus, UpdateItem};
use events::CartId;
use service::Role;

use crate::support::{Shop, checkout, eur, refusal, with_key};

#[tokio::test]
async fn the_client_does_over_http_what_the_service_does() {
    let shop = Shop::open().await;
    let http = shop.over_http().await;
    let (ada, nobody, product) = (shop.shopper(), shop.nobody(), shop.product("2.50").await);
    let ada_id = ada.user_id().expect("logged in");

    assert_eq!(http.active_cart_of_user(&ada, ada_id).await.expect("asked"), None);
    let empty = http.create(&nobody).await.expect("created");
    assert_eq!(http.get(&nobody, empty.id).await.expect("read"), empty);
    let add = AddItem { cart_id: Some(empty.id), product_id: product, quantity: 3 };
    let filled = http.add_item(&nobody, add).await.expect("added");
    let item = filled.items[0].id;
    let changed = http.update_item(&nobody, item, UpdateItem { quantity: 4 }).await.expect("changed");
    assert_eq!((changed.total, changed.item_count), (eur("10.00"), 4));
    let adopted = http.adopt(&ada, empty.id).await.expect("adopted");
    assert_eq!(adopted.user_id, Some(ada_id));
    let admin = shop.someone(Role::Admin);
    assert_eq!(http.active_cart_of_user(&admin, ada_id).await.expect("asked").map(|cart| cart.id), Some(empty.id));
    assert_eq!(http.carts_by_ids(&ada, &[empty.id, CartId::new()]).await.expect("read"), [adopted]);

    let spare = http.add_item(&ada, AddItem { cart_id: None, product_id: product, quantity: 1 }).await.expect("added");
    http.remove_item(&ada, spare.items[0].id).await.expect("removed");
    assert!(http.clear(&ada, spare.id).await.expect("cleared").items.is_empty());
    http.delete(&ada, spare.id).await.expect("deleted");
    assert_eq!(refusal(http.get(&ada, spare.id).await), "cart_not_found");

    let keyed = with_key(&ada, "checkout-7");
    let begun = http.checkout(&keyed, empty.id, checkout()).await.expect("begun");
    assert_eq!(http.checkout(&keyed, empty.id, checkout()).await.expect("replayed"), begun);
    assert_eq!(shop.carts.checkout(&ada, empty.id, checkout()).await.expect("the same here"), begun);
    assert_eq!(http.get(&ada, empty.id).await.expect("read").status, CartStatus::CheckingOut);
    assert_eq!(refusal(http.remove_item(&ada, item).await), "cart_not_active");
    assert_eq!(http.checkout(&nobody, empty.id, checkout()).await.expect_err("no login").status.as_u16(), 401);
}

#[tokio::test]
async fn the_interface_describes_itself() {
    let shop = Shop::open().await;
    let api = cart::router(std::sync::Arc::clone(&shop.carts)).into_openapi();
    let described: Vec<&str> = api.paths.paths.keys().map(String::as_str).collect();
    let wanted = [
        "/cart",
        "/cart/items",
        "/cart/items/{id}",
        "/cart/{id}",
        "/cart/{id}/adopt",
        "/cart/{id}/checkout",
        "/cart/{id}/items",
        "/carts",
        "/carts/active",
    ];
    assert_eq!(described, wanted);
    let schemas = api.components.expect("schemas").schemas;
    for name in ["Cart", "CartItem", "CartCheckoutInitiated", "Money", "Address", "ErrorBody"] {
        assert!(schemas.contains_key(name), "{name} is not described: {:?}", schemas.keys());
    }
}
