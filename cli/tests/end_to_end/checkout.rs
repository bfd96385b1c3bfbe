//! The whole journey against the real thing: the binary, PostgreSQL, RabbitMQ.

use std::time::Duration;

use crate::support::{Shop, Transport, oracle};
use serde_json::{Value, json};
use service::Role;
use testkit::eventually;

const SOON: Duration = Duration::from_secs(60);

/// Register, browse, fill a cart, check out, and see each step live.
async fn journey(shop: Shop) {
    let admin = shop.client().signed_in(Role::Admin);
    let product = admin.create_product("Ethiopia Guji", "12.50", 10).await;
    let guest = shop.client();
    let cart = guest.cart_with(&product, 2).await;
    let registered = guest
        .graphql(
            "mutation($input: RegisterUserInput!) { registerUser(input: $input) { user { id email role } token userErrors { code } } }",
            json!({"input": {"email": "ada@example.com", "username": "ada", "password": "correct horse", "cartId": cart}}),
        )
        .await;
    let shopper = guest.with_token(registered["registerUser"]["token"].as_str().expect("a token"));

    let order = shopper.checkout(&cart, "pm_card_visa").await;
    let states = shopper.watch(&order, |_| ()).await;
    assert_eq!(states.last().map(String::as_str), Some("CONFIRMED"), "{states:?}");
    assert!(is_forward(&states), "{states:?}");

    let order = shopper.order(&order).await;
    assert_eq!(order["total"]["amount"], "25.00");
    assert_eq!(order["items"][0]["lineTotal"]["amount"], "25.00");
    let events: Vec<&str> =
        order["timeline"].as_array().expect("a timeline").iter().filter_map(|entry| entry["event"].as_str()).collect();
    for event in [
        "CartCheckoutInitiated",
        "OrderPlaced",
        "StockReserved",
        "PaymentRequested",
        "PaymentProcessed",
        "OrderConfirmed",
    ] {
        assert!(events.contains(&event), "{event} is missing in {events:?}");
    }
    oracle::holds(&shop, 0, SOON).await;
    let stock = shopper.graphql("query($id: ID!) { product(id: $id) { stockQuantity } }", json!({"id": product})).await;
    assert_eq!(stock["product"]["stockQuantity"], 8);
}

fn is_forward(states: &[String]) -> bool {
    let path = ["PENDING", "CART_VALIDATED", "INVENTORY_RESERVED", "PAYMENT_PROCESSED", "CONFIRMED"];
    let places: Option<Vec<usize>> = states.iter().map(|state| path.iter().position(|step| step == state)).collect();
    places.is_some_and(|places| places.windows(2).all(|pair| pair[0] < pair[1]))
}

#[tokio::test]
async fn a_journey_in_one_process_on_postgres() {
    journey(Shop::in_one_process(Transport::Postgres).await).await;
}

#[tokio::test]
async fn a_journey_in_one_process_on_rabbitmq() {
    journey(Shop::in_one_process(Transport::Rabbit).await).await;
}

#[tokio::test]
async fn a_journey_with_every_service_apart_on_postgres() {
    journey(Shop::in_processes(Transport::Postgres).await).await;
}

#[tokio::test]
async fn a_journey_with_every_service_apart_on_rabbitmq() {
    journey(Shop::in_processes(Transport::Rabbit).await).await;
}

#[tokio::test]
async fn a_declined_payment_gives_everything_back() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let product = shop.client().signed_in(Role::Admin).create_product("Riesling", "9.90", 5).await;
    let shopper = shop.client().signed_in(Role::User);
    let cart = shopper.cart_with(&product, 3).await;
    let id = shopper.checkout(&cart, "pm_card_chargeDeclined").await;
    let order = shopper.order_in(&id, &["COMPENSATED"], SOON).await;
    assert_eq!(order["failureCode"], "PAYMENT_DECLINED");
    assert!(order["failureReason"].as_str().is_some_and(|reason| reason.contains(' ')), "{order}");

    // COMPENSATED is only said once a read shows it.
    let data = shopper
        .graphql(
            "query($cart: ID!, $product: ID!) { cart(id: $cart) { status itemCount } product(id: $product) { stockQuantity } }",
            json!({"cart": cart, "product": product}),
        )
        .await;
    assert_eq!(data, json!({"cart": {"status": "ACTIVE", "itemCount": 3}, "product": {"stockQuantity": 5}}));
    let owner = shop.database.owner().await;
    let rows = owner
        .query("SELECT compensation_event, status FROM orders.compensation_log ORDER BY id", &[])
        .await
        .expect("read the compensation log");
    let log: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let done = |event: &str| (event.to_owned(), "completed".to_owned());
    assert_eq!(log, [done("ReleaseRequested"), done("ReopenRequested")]);
    oracle::holds(&shop, 0, SOON).await;

    // The same cart, paid otherwise, becomes another order.
    let again = shopper.checkout(&cart, "pm_card_visa").await;
    assert_ne!(again, id);
    shopper.order_in(&again, &["CONFIRMED"], SOON).await;
    oracle::holds(&shop, 0, SOON).await;
}

#[tokio::test]
async fn a_price_that_changed_fails_the_order_and_the_cart_comes_back_with_the_new_one() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let admin = shop.client().signed_in(Role::Admin);
    let product = admin.create_product("Darjeeling", "9.90", 5).await;
    let shopper = shop.client().signed_in(Role::User);
    let cart = shopper.cart_with(&product, 2).await;
    let change = "mutation($input: UpdateProductInput!) { updateProduct(input: $input) { userErrors { code } } }";
    let price = json!({"amount": "12.00", "currencyCode": "EUR"});
    let changed = admin.graphql(change, json!({"input": {"id": product, "price": price}})).await;
    assert_eq!(changed["updateProduct"]["userErrors"], json!([]));

    let id = shopper.checkout(&cart, "pm_card_visa").await;
    let order = shopper.order_in(&id, &["COMPENSATED"], SOON).await;
    assert_eq!((&order["failureCode"], &order["total"]["amount"]), (&json!("PRICE_CHANGED"), &json!("19.80")));
    assert!(order["failureReason"].as_str().is_some_and(|reason| reason.contains("Darjeeling")), "{order}");
    let owner = shop.database.owner().await;
    assert_eq!(oracle::count(&owner, "SELECT count(*) FROM payments.payments").await, 0, "nobody was charged");

    // The news of the price may come after the cart.
    let shown = json!({"cart": {"status": "ACTIVE", "items": [{"quantity": 2, "unitPrice": {"amount": "12.00"}}],
        "total": {"amount": "24.00"}}, "product": {"stockQuantity": 5}});
    let read = "query($cart: ID!, $product: ID!) {
        cart(id: $cart) { status items { quantity unitPrice { amount } } total { amount } }
        product(id: $product) { stockQuantity } }";
    eventually(SOON, || async {
        let data = shopper.try_graphql(read, json!({"cart": cart, "product": product})).await?;
        if data == shown { Ok(()) } else { Err(data.to_string()) }
    })
    .await;

    let again = shopper.checkout(&cart, "pm_card_visa").await;
    assert_ne!(again, id);
    let order = shopper.order_in(&again, &["CONFIRMED"], SOON).await;
    assert_eq!(order["total"]["amount"], "24.00");
    oracle::holds(&shop, 0, SOON).await;
}

#[tokio::test]
async fn a_lost_payment_answer_is_one_charge() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let product = shop.client().signed_in(Role::Admin).create_product("Sencha", "7.20", 5).await;
    let shopper = shop.client().signed_in(Role::User);
    for method in ["pm_test_timeout", "pm_test_error", "pm_test_slow"] {
        let cart = shopper.cart_with(&product, 1).await;
        let order = shopper.checkout(&cart, method).await;
        shopper.order_in(&order, &["CONFIRMED"], SOON).await;
    }
    oracle::holds(&shop, 0, SOON).await;
}

#[tokio::test]
async fn eighty_buyers_twenty_units_twenty_orders() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let product = shop.client().signed_in(Role::Admin).create_product("The last crate", "30.00", 20).await;
    let mut buyers = tokio::task::JoinSet::new();
    for _ in 0..80 {
        let (shopper, product) = (shop.client().signed_in(Role::User), product.clone());
        buyers.spawn(async move {
            let cart = shopper.cart_with(&product, 1).await;
            let order = shopper.checkout(&cart, "pm_card_visa").await;
            let order = shopper.order_in(&order, &["CONFIRMED", "COMPENSATED"], SOON).await;
            order["status"] == "CONFIRMED" || {
                assert_eq!(order["failureCode"], "OUT_OF_STOCK", "{order}");
                false
            }
        });
    }
    let sold = buyers.join_all().await.into_iter().filter(|bought| *bought).count();
    assert_eq!(sold, 20);
    oracle::holds(&shop, 0, SOON).await;
}

/// Each wants both products, one half of them in the opposite order: whoever gets one gets the other, too.
async fn buyers_of_two_products_in_opposite_order(transport: Transport) {
    let shop = Shop::in_one_process(transport).await;
    let admin = shop.client().signed_in(Role::Admin);
    let pair =
        [admin.create_product("The last cup", "6.00", 15).await, admin.create_product("Its saucer", "3.00", 15).await];
    let mut buyers = tokio::task::JoinSet::new();
    for number in 0..30 {
        let (shopper, mut wanted) = (shop.client().signed_in(Role::User), pair.clone());
        if number % 2 == 0 {
            wanted.reverse();
        }
        buyers.spawn(async move {
            let cart = shopper.cart_with(&wanted[0], 1).await;
            shopper.add(Some(&cart), &wanted[1], 1).await;
            let order = shopper.checkout(&cart, "pm_card_visa").await;
            shopper.order_in(&order, &["CONFIRMED", "COMPENSATED"], SOON).await["status"] == "CONFIRMED"
        });
    }
    let sold = buyers.join_all().await.into_iter().filter(|bought| *bought).count();
    assert_eq!(sold, 15);
    oracle::holds(&shop, 0, SOON).await;
}

#[tokio::test]
async fn buyers_of_two_products_in_opposite_order_get_what_there_is_over_postgres() {
    buyers_of_two_products_in_opposite_order(Transport::Postgres).await;
}

#[tokio::test]
async fn buyers_of_two_products_in_opposite_order_get_what_there_is_over_rabbitmq() {
    buyers_of_two_products_in_opposite_order(Transport::Rabbit).await;
}

#[tokio::test]
async fn parallel_checkouts_are_one_order() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let product = shop.client().signed_in(Role::Admin).create_product("Cola", "1.40", 100).await;
    for key in [Some("one and the same"), None] {
        let shopper = shop.client().signed_in(Role::User);
        let cart = shopper.cart_with(&product, 1).await;
        let mut checkouts = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (shopper, cart) = (shopper.clone(), cart.clone());
            checkouts.spawn(async move { shopper.try_checkout(&cart, "pm_card_visa", key).await.expect("checkout") });
        }
        let answers: Vec<Value> = checkouts.join_all().await;
        let first = &answers[0]["order"]["id"];
        assert!(first.is_string(), "{answers:?}");
        assert!(answers.iter().all(|answer| answer["order"]["id"] == *first), "{key:?}: {answers:?}");
    }
    oracle::holds(&shop, 0, SOON).await;
    let owner = shop.database.owner().await;
    assert_eq!(oracle::count(&owner, "SELECT count(*) FROM orders.orders").await, 2);
}

#[tokio::test]
async fn cancelling_gives_back_money_and_stock() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let product = shop.client().signed_in(Role::Admin).create_product("Tonic", "2.10", 10).await;
    let shopper = shop.client().signed_in(Role::User);
    let cancel =
        "mutation($input: CancelOrderInput!) { cancelOrder(input: $input) { order { status } userErrors { code } } }";

    let cart = shopper.cart_with(&product, 2).await;
    let paid = shopper.checkout(&cart, "pm_card_visa").await;
    shopper.order_in(&paid, &["CONFIRMED"], SOON).await;
    let data = shopper.graphql(cancel, json!({"input": {"id": paid, "reason": "changed my mind"}})).await;
    assert_eq!(data["cancelOrder"]["order"]["status"], "CANCELLING");
    shopper.order_in(&paid, &["CANCELLED"], SOON).await;

    let cart = shopper.cart_with(&product, 2).await;
    let unpaid = shopper.checkout(&cart, "pm_test_slow").await;
    shopper.order_in(&unpaid, &["INVENTORY_RESERVED"], SOON).await;
    shopper.graphql(cancel, json!({"input": {"id": unpaid}})).await;
    shopper.order_in(&unpaid, &["CANCELLED"], SOON).await;

    oracle::holds(&shop, 0, SOON).await;
    let stranger = shop.client().signed_in(Role::User);
    let data = stranger.graphql(cancel, json!({"input": {"id": paid}})).await;
    assert_eq!(data["cancelOrder"]["userErrors"][0]["code"], "ORDER_NOT_FOUND");
}
