//! An order followed through all services, what is measured on the way, and whether the books agree.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use service::Role;
use testkit::eventually;

use crate::support::{Client, Shop, Transport, client, oracle};

const SOON: Duration = Duration::from_secs(60);
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

const SAGA: &str = "query($id: ID!) { saga(id: $id) { customerEmail correlationId events { eventId eventType service
    published publishedAt recordedAt causationId payload traceId
    deliveries { service queue outcome attempts delayMs handledAt lastError deadLetterId } } } }";

/// Places an order as a browser would that begins a trace; returns its id.
async fn checkout_in_a_trace(shop: &Shop, token: &str, cart: &str) -> String {
    let document = "mutation($input: CheckoutInput!) { checkout(input: $input) { order { id } userErrors { code } } }";
    let input = json!({"cartId": cart, "paymentMethod": "pm_card_visa", "shippingAddress": {
        "fullName": "Ada Lovelace", "line1": "1 Analytical Way", "city": "London", "postalCode": "N1 9GU", "countryCode": "GB"}});
    let answer = client::http()
        .post(format!("{}/graphql", shop.url("gateway")))
        .bearer_auth(token)
        .header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"))
        .json(&json!({"query": document, "variables": {"input": input}}))
        .send()
        .await
        .expect("an answer");
    let body: Value = answer.json().await.expect("JSON");
    body["data"]["checkout"]["order"]["id"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

async fn register(shop: &Shop, email: &str) -> (Client, String) {
    let document = "mutation($input: RegisterUserInput!) { registerUser(input: $input) { token userErrors { code } } }";
    let input = json!({"email": email, "username": "ada", "password": "a long password"});
    let data = shop.client().graphql(document, json!({"input": input})).await;
    let token = data["registerUser"]["token"].as_str().unwrap_or_else(|| panic!("{data}")).to_owned();
    (shop.client().with_token(&token), token)
}

/// The saga, once every event of it is applied wherever it is wanted.
async fn settled(admin: &Client, order: &str) -> Value {
    eventually(SOON, || async {
        let saga = admin.graphql(SAGA, json!({"id": order})).await["saga"].clone();
        let events = saga["events"].as_array().ok_or("no events")?;
        let deliveries = events.iter().flat_map(|event| event["deliveries"].as_array().into_iter().flatten());
        let open: Vec<&Value> = deliveries.filter(|delivery| delivery["outcome"] != "applied").collect();
        let is_over = events.iter().any(|event| event["eventType"] == "OrderConfirmed");
        if is_over && open.is_empty() { Ok(saga) } else { Err(format!("{open:?}")) }
    })
    .await
}

#[tokio::test]
async fn an_order_is_followed_through_all_services() {
    let shop = Shop::in_processes(Transport::Postgres).await;
    let admin = shop.client().signed_in(Role::Admin);
    let product = admin.create_product("Sencha", "7.00", 5).await;
    let (shopper, token) = register(&shop, "Ada@example.com").await;
    let cart = shopper.cart_with(&product, 1).await;
    let order = checkout_in_a_trace(&shop, &token, &cart).await;
    shopper.order_in(&order, &["CONFIRMED"], SOON).await;

    let saga = settled(&admin, &order).await;
    assert_eq!(saga["customerEmail"], "Ada@example.com");
    let events = saga["events"].as_array().expect("events");
    let told: Vec<(&str, &str)> = events
        .iter()
        .map(|event| (event["service"].as_str().expect("a service"), event["eventType"].as_str().expect("a name")))
        .collect();
    let expected = [
        ("cart", "CartCheckoutInitiated"),
        ("orders", "OrderPlaced"),
        ("products", "StockReserved"),
        ("orders", "PaymentRequested"),
        ("payments", "PaymentProcessed"),
        ("orders", "OrderConfirmed"),
    ];
    assert_eq!(told, expected);
    for (event, before) in events.iter().zip([None].into_iter().chain(events.iter().map(Some))) {
        assert_eq!(event["causationId"], before.map_or(Value::Null, |before| before["eventId"].clone()), "{event}");
        assert_eq!((&event["traceId"], &event["published"]), (&json!(TRACE), &json!(true)), "{event}");
        assert!(event["payload"].as_str().is_some_and(|payload| payload.contains(&order)), "{event}");
    }
    let confirmed: BTreeSet<&str> = events[5]["deliveries"]
        .as_array()
        .expect("deliveries")
        .iter()
        .map(|delivery| delivery["service"].as_str().expect("a service"))
        .collect();
    assert_eq!(confirmed, BTreeSet::from(["analytics", "cart", "products"]));

    let shown: Value = serde_json::from_str(&shop.run(&["saga", "show", &order, "--json"])).expect("JSON");
    assert_eq!((shown["events"].as_array().map(Vec::len), &shown["unreachable"]), (Some(6), &json!([])));
    let text = shop.run(&["saga", "show", &order]);
    for line in ["+0 ms  cart CartCheckoutInitiated", "→ products", "→ analytics  applied"] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    whatever_is_in_hand_finds_it(&shop, &admin, &order, &saga).await;
}

async fn whatever_is_in_hand_finds_it(shop: &Shop, admin: &Client, order: &str, saga: &Value) {
    let search = "query($text: String!) { search(text: $text) { saga { orderId } sagas { orderId } orders { id }
        users { email } } }";
    let event = saga["events"][2]["eventId"].as_str().expect("an id");
    for id in [order, event, saga["correlationId"].as_str().expect("an id")] {
        let found = admin.graphql(search, json!({"text": id})).await["search"].clone();
        let (one, all) = (json!({"orderId": order}), json!([{"orderId": order}]));
        assert_eq!((&found["saga"], &found["sagas"], &found["orders"]), (&one, &all, &json!([{"id": order}])), "{id}");
        assert_eq!(found["users"], json!([{"email": "Ada@example.com"}]), "{id}");
    }
    let found = admin.graphql(search, json!({"text": "ada@example.com"})).await["search"].clone();
    assert_eq!((&found["users"][0]["email"], &found["orders"]), (&json!("Ada@example.com"), &json!([{"id": order}])));
    assert_eq!(found["sagas"], json!([{"orderId": order}]));
    let listed: Value =
        serde_json::from_str(&shop.run(&["saga", "list", "--email", "ADA@example.com", "--json"])).expect("JSON");
    assert_eq!((&listed["items"][0]["order_id"], &listed["items"][1]), (&json!(order), &Value::Null));
    let queues = admin.graphql("{ queues { service name ready deadLetters } }", json!({})).await["queues"].clone();
    assert_eq!(queues.as_array().map(Vec::len), Some(11), "{queues}");
    assert!(shop.run(&["dlq", "list", "--queues"]).contains("orders.cart.events.queue"));
    for stranger in [shop.client(), shop.client().signed_in(Role::User)] {
        for (document, variables) in [(SAGA, json!({"id": order})), ("{ queues { name } }", json!({}))] {
            stranger.try_graphql(document, variables).await.expect_err("for admins only");
        }
    }
}

/// A delivery that failed, then succeeded, tells how often and why, afterwards, too.
#[tokio::test]
async fn what_took_several_attempts_says_why() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    let admin = shop.client().signed_in(Role::Admin);
    let product = admin.create_product("Gyokuro", "30.00", 5).await;
    let owner = shop.database.owner().await;
    owner.batch_execute("ALTER TABLE orders.inventory_reservations RENAME TO mislaid").await.expect("break it");
    let shopper = shop.client().signed_in(Role::User);
    let order = shopper.checkout(&shopper.cart_with(&product, 1).await, "pm_card_visa").await;
    let failing = eventually(SOON, || async {
        let saga = admin.graphql(SAGA, json!({"id": order})).await["saga"].clone();
        let mut deliveries = saga["events"].as_array().into_iter().flatten().filter_map(|event| {
            event["deliveries"].as_array()?.iter().find(|delivery| delivery["outcome"] == "retrying").cloned()
        });
        deliveries.next_back().ok_or_else(|| saga.to_string())
    })
    .await;
    assert_eq!(failing["queue"], "orders.products.events.queue");
    owner.batch_execute("ALTER TABLE orders.mislaid RENAME TO inventory_reservations").await.expect("mend it");
    let saga = settled(&admin, &order).await;
    let reserved =
        saga["events"].as_array().expect("events").iter().find(|event| event["eventType"] == "StockReserved");
    let deliveries = reserved.expect("it was")["deliveries"].as_array().expect("deliveries").clone();
    let late = deliveries.iter().find(|delivery| delivery["service"] == "orders").expect("orders wants it");
    assert!(late["attempts"].as_i64().is_some_and(|attempts| attempts > 1), "{late}");
    assert!(late["lastError"].as_str().is_some_and(|error| error.contains("42P01")), "{late}");
    assert!(late["delayMs"].as_i64().is_some_and(|delay| delay >= 1_000), "{late}");
    let easy = deliveries.iter().find(|delivery| delivery["service"] == "analytics").expect("analytics wants it");
    assert_eq!((&easy["attempts"], &easy["lastError"]), (&json!(1), &Value::Null));
    assert!(shop.run(&["saga", "show", &order]).contains("attempts; "), "the reason is told");
}

/// Each gateway has the news in a queue of its own: nobody takes it from somebody who watches at another.
#[tokio::test]
async fn whichever_gateway_one_watches_at_tells_everything() {
    let mut shop = Shop::in_one_process(Transport::Postgres).await;
    let other = shop.another_gateway().await;
    let product = shop.client().signed_in(Role::Admin).create_product("Darjeeling", "11.00", 5).await;
    let owner = shop.database.owner().await;
    owner.batch_execute("ALTER TABLE payments.payments RENAME TO mislaid").await.expect("break it");
    let shopper = shop.client().signed_in(Role::User);
    let order = shopper.checkout(&shopper.cart_with(&product, 1).await, "pm_card_visa").await;
    shopper.order_in(&order, &["INVENTORY_RESERVED"], SOON).await;

    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let watching = [shopper.clone(), shopper.at(other)].map(|shopper| {
        let (order, told) = (order.clone(), told.clone());
        tokio::spawn(async move {
            let tell = |status: &str| told.send(status.to_owned()).expect("the test listens");
            shopper.watch(&order, tell).await
        })
    });
    drop(told);
    for _ in &watching {
        assert_eq!(heard.recv().await.as_deref(), Some("INVENTORY_RESERVED"), "as it is, at once");
    }
    owner.batch_execute("ALTER TABLE payments.mislaid RENAME TO payments").await.expect("mend it");
    for watched in watching {
        let states = watched.await.expect("it is told to the end");
        assert_eq!(states.last().map(String::as_str), Some("CONFIRMED"), "{states:?}");
    }
}

async fn printed(shop: &Shop) -> String {
    let answer = client::http().get(format!("{}/metrics", shop.url("gateway"))).send().await.expect("metrics");
    answer.text().await.expect("text")
}

async fn until_printed(shop: &Shop, line: &str) {
    eventually(SOON, || async {
        let text = printed(shop).await;
        if text.lines().any(|printed| printed == line) { Ok(()) } else { Err(format!("{line} is not in\n{text}")) }
    })
    .await;
}

/// Somebody meddles with the payments: the comparison says so, and that it is over.
#[tokio::test]
async fn the_books_are_compared_and_everything_measured_is_documented() {
    let shop = Shop::with_settings(&[("ORDERS_RECONCILE_INTERVAL_S", "1")], None).await;
    let product = shop.client().signed_in(Role::Admin).create_product("Matcha", "18.00", 5).await;
    let shopper = shop.client().signed_in(Role::User);
    let paid = shopper.checkout(&shopper.cart_with(&product, 1).await, "pm_card_visa").await;
    let declined = shopper.checkout(&shopper.cart_with(&product, 1).await, "pm_card_chargeDeclined").await;
    shopper.order_in(&paid, &["CONFIRMED"], SOON).await;
    shopper.order_in(&declined, &["COMPENSATED"], SOON).await;
    oracle::holds(&shop, 0, SOON).await;
    let differences = |kind: &str, count: i32| format!("reconciliation_differences{{kind=\"{kind}\"}} {count}");
    until_printed(&shop, &differences("confirmed_without_capture", 0)).await;
    let owner = shop.database.owner().await;
    let set = async |order: &str, status: &str, captured: &str| {
        let sql = format!(
            "UPDATE payments.payments SET status = '{status}', captured = {captured} WHERE order_id = '{order}'"
        );
        assert_eq!(owner.execute(&sql, &[]).await.expect("meddle"), 1);
    };
    set(&paid, "declined", "0").await;
    set(&declined, "captured", "amount").await;
    until_printed(&shop, &differences("confirmed_without_capture", 1)).await;
    until_printed(&shop, &differences("captured_though_undone", 1)).await;
    set(&paid, "captured", "amount").await;
    set(&declined, "declined", "0").await;
    until_printed(&shop, &differences("confirmed_without_capture", 0)).await;
    until_printed(&shop, &differences("captured_though_undone", 0)).await;

    let table = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md")).expect("the table");
    let text = printed(&shop).await;
    let names: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    for name in &names {
        assert!(table.contains(&format!("| `{name}` |")), "{name} is not documented");
    }
    for name in [
        "http_request_duration_seconds",
        "database_pool_waiting",
        "outbox_oldest_age_seconds",
        "queue_dead_letters",
        "queue_in_flight_messages",
        "consumer_batch_seconds",
        "sagas_open",
        "saga_duration_seconds",
        "saga_state_reached_seconds",
        "payments_open",
        "payments_oldest_open_age_seconds",
        "reconciliation_orders_total",
        "cache_reads_total",
    ] {
        assert!(names.contains(name), "{name} is not printed: {names:?}");
    }
}
