//! Messages that should change nothing: poison on every exchange, and copies of everything.

use std::time::Duration;

use crate::support::{Shop, Transport, oracle};
use events::topology::{EVENTS, Exchange, QUEUES, matches};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use serde_json::{Value, json};
use service::Role;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(60);

/// Every table whose rows tell what the shop did, without what only tells how often it was asked.
const STATE: &[(&str, &str)] = &[
    ("catalog.products", "id, stock_quantity, version"),
    ("catalog.inventory_reservations", "id, order_id, product_id, quantity, status"),
    ("cart.carts", "id, user_id, status, total, version"),
    ("cart.cart_items", "id, cart_id, product_id, quantity, price"),
    ("cart.inventory_locks", "cart_id, product_id, quantity, status"),
    ("orders.orders", "id, status, total, version, failure_code"),
    ("orders.saga_states", "id, status, compensation_log, asked"),
    ("orders.compensation_log", "id, compensation_event, status"),
    ("orders.inventory_reservations", "order_id, product_id, quantity, status"),
    ("payments.payments", "id, order_id, status, captured, refunded"),
    ("payments.refunds", "id, payment_id, amount, status"),
    ("payments.test_provider_charges", "key, amount, refunded, status"),
    ("catalog.events", "event_id"),
    ("cart.events", "event_id"),
    ("orders.events", "event_id"),
    ("payments.events", "event_id"),
];

/// One confirmed, one compensated and one cancelled order, so that every kind of event was published.
pub async fn trade(shop: &Shop) {
    let product = shop.client().signed_in(Role::Admin).create_product("Oolong", "4.20", 50).await;
    let shopper = shop.client().signed_in(Role::User);
    for (method, end) in
        [("pm_card_visa", "CONFIRMED"), ("pm_card_chargeDeclined", "COMPENSATED"), ("pm_card_visa", "CONFIRMED")]
    {
        let cart = shopper.cart_with(&product, 1).await;
        let order = shopper.checkout(&cart, method).await;
        shopper.order_in(&order, &[end], SOON).await;
    }
    let cart = shopper.cart_with(&product, 1).await;
    let order = shopper.checkout(&cart, "pm_card_visa").await;
    shopper.order_in(&order, &["CONFIRMED"], SOON).await;
    let cancel = "mutation($input: CancelOrderInput!) { cancelOrder(input: $input) { order { status } } }";
    shopper.graphql(cancel, json!({"input": {"id": order}})).await;
    shopper.order_in(&order, &["CANCELLED"], SOON).await;
}

async fn poison_is_parked_and_the_rest_passes(transport: Transport) {
    let shop = Shop::in_one_process(transport).await;
    let mut expected = Vec::new();
    for exchange in Exchange::ALL {
        let kind = EVENTS.iter().find(|event| event.exchange == exchange).expect("every exchange has events");
        let envelope = |event_type: &str, version: &str| {
            json!({"event_id": Uuid::now_v7(), "event_type": event_type, "aggregate_type": "order",
                   "aggregate_id": Uuid::now_v7(), "aggregate_version": 1, "correlation_id": Uuid::now_v7(),
                   "causation_id": null, "version": version, "timestamp": "2026-01-01T00:00:00Z",
                   "source": "test", "payload": {}})
            .to_string()
        };
        let poison = [
            "{not json".to_owned(),
            envelope("NobodyKnowsThis", "1"),
            envelope(kind.event_type, "99"),
            envelope(kind.event_type, "2"), // of the next release, perhaps with another shape
            envelope(kind.event_type, "1"),
            envelope("Nobody\0KnowsThis", "1"),
            envelope(&"x".repeat(100_000), "1"),
        ];
        shop.publish(exchange.name(), &poison.each_ref().map(|body| (kind.routing_key, body.as_str()))).await;
        let hears = |queue: &&events::topology::Queue| {
            queue.exchange == exchange && queue.routing_keys.iter().any(|key| matches(key, kind.routing_key))
        };
        for queue in QUEUES.iter().filter(hears) {
            expected.extend(poison.iter().map(|body| oracle::letter(&queue.name(), body)));
        }
    }
    trade(&shop).await;
    oracle::holds_but_for(&shop, &expected, SOON).await;
}

#[tokio::test]
async fn poison_is_parked_on_postgres() {
    poison_is_parked_and_the_rest_passes(Transport::Postgres).await;
}

#[tokio::test]
async fn poison_is_parked_on_rabbitmq() {
    poison_is_parked_and_the_rest_passes(Transport::Rabbit).await;
}

/// What was published: exchange, routing key, body.
type Message = (String, String, String);

async fn published(shop: &Shop) -> Vec<Message> {
    let all = "SELECT exchange, routing_key, envelope::text FROM (
                   SELECT * FROM catalog.events UNION ALL SELECT * FROM cart.events
                   UNION ALL SELECT * FROM orders.events UNION ALL SELECT * FROM payments.events) AS event
               ORDER BY event_id";
    let rows = shop.database.owner().await.query(all, &[]).await.expect("read the events");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

/// Sends all that was published so far once more, in any order; counts what it sent.
async fn send_again(shop: &Shop, random: &mut SmallRng, copies: &mut usize) {
    let mut messages = published(shop).await;
    messages.shuffle(random);
    for together in messages.chunk_by(|one, next| one.0 == next.0) {
        let copied: Vec<(&str, &str)> = together.iter().map(|(_, key, body)| (key.as_str(), body.as_str())).collect();
        shop.publish(&together[0].0, &copied).await;
        *copies += together.len();
    }
}

async fn copies_change_nothing(transport: Transport) {
    let shop = Shop::in_one_process(transport).await;
    trade(&shop).await;
    oracle::holds(&shop, 0, SOON).await;
    let before = state(&shop).await;

    // While other orders move, whose events are sent again as well.
    let (mut random, mut copies) = (SmallRng::seed_from_u64(1), 0);
    let again_and_again = async {
        for _ in 0..4 {
            send_again(&shop, &mut random, &mut copies).await;
        }
    };
    tokio::join!(trade(&shop), again_and_again);
    send_again(&shop, &mut random, &mut copies).await;
    // Of one event, all at once.
    let (exchange, routing_key, body) = &published(&shop).await[0];
    shop.publish(exchange, &[(routing_key.as_str(), body.as_str()); 100]).await;
    copies += 100;
    assert!(copies > 200, "only {copies} copies");
    oracle::holds(&shop, 0, SOON).await;
    let after = state(&shop).await;
    for ((table, _), (before, after)) in STATE.iter().zip(before.iter().zip(&after)) {
        let gone: Vec<&Value> = before.iter().filter(|row| !after.contains(row)).collect();
        assert!(gone.is_empty(), "{table} changed: {gone:?}");
        // Whoever had to wait may have asked twice, and told so.
        if !table.ends_with(".events") {
            assert_eq!(after.len(), 2 * before.len(), "{table}: the second time is like the first");
        }
    }
}

/// What the shop did, as its tables tell.
async fn state(shop: &Shop) -> Vec<Vec<Value>> {
    rows(shop, STATE).await
}

/// The same without what was told.
pub async fn state_but_for_events(shop: &Shop) -> Vec<Vec<Value>> {
    let tables: Vec<_> = STATE.iter().copied().filter(|(table, _)| !table.ends_with(".events")).collect();
    rows(shop, &tables).await
}

/// The rows of each table.
async fn rows(shop: &Shop, tables: &[(&str, &str)]) -> Vec<Vec<Value>> {
    let owner = shop.database.owner().await;
    let mut state = Vec::new();
    for (table, columns) in tables {
        let sql =
            format!("SELECT coalesce(json_agg(r ORDER BY r::text), '[]')::text FROM (SELECT {columns} FROM {table}) r");
        let row = owner.query_one(&sql, &[]).await.unwrap_or_else(|error| panic!("{table}: {error:?}"));
        state.push(serde_json::from_str(row.get::<_, &str>(0)).expect("JSON"));
    }
    state
}

#[tokio::test]
async fn copies_change_nothing_on_postgres() {
    copies_change_nothing(Transport::Postgres).await;
}

#[tokio::test]
async fn copies_change_nothing_on_rabbitmq() {
    copies_change_nothing(Transport::Rabbit).await;
}
