//! Each rule of the oracle has something that breaks it and no other, and so has each promise: none is empty words.

use std::collections::BTreeSet;
use std::time::Duration;

use testkit::connect;
use tokio_postgres::Client;

use crate::messages::trade;
use crate::support::promises::{self, Promise, Told};
use crate::support::{Shop, Transport, oracle};

const SOON: Duration = Duration::from_secs(60);

/// A rule, and what breaks it in a shop with confirmed orders, a compensated one, and one cancelled after its sale.
const BREAKS: &[(&str, &str)] = &[
    (
        "available + held + sold = received, per product",
        "UPDATE catalog.products SET stock_quantity = stock_quantity + 1",
    ),
    (
        "nothing is negative",
        "ALTER TABLE catalog.products DROP CONSTRAINT products_stock_not_negative;
         INSERT INTO catalog.inventory_history (id, product_id, change, stock_quantity, reason, actor)
         SELECT gen_random_uuid(), id, -stock_quantity - 1, -1, 'oversold', 'test' FROM catalog.products;
         UPDATE catalog.products SET stock_quantity = -1",
    ),
    ("every order is at rest", "UPDATE orders.orders SET status = 'FAILED' WHERE status = 'COMPENSATED'"),
    (
        "no saga is stuck, and none owes an undo",
        "UPDATE orders.saga_states SET status = 'STUCK' WHERE status = 'COMPENSATED'",
    ),
    (
        "no saga is stuck, and none owes an undo",
        "UPDATE orders.saga_states SET compensation_log = '{ReopenRequested}' WHERE status = 'COMPENSATED'",
    ),
    (
        "a confirmed order is paid in full, exactly once, in the provider's books",
        "UPDATE payments.test_provider_charges SET refunded = 1
         WHERE order_id IN (SELECT id FROM orders.orders WHERE status = 'CONFIRMED')",
    ),
    (
        "a confirmed order is paid in full, exactly once, in the provider's books",
        "DELETE FROM payments.test_provider_charges
         WHERE order_id IN (SELECT id FROM orders.orders WHERE status = 'CONFIRMED')",
    ),
    (
        "a confirmed order is paid in full, exactly once, in the provider's books",
        "INSERT INTO payments.test_provider_charges (key, order_id, amount, currency, payment_method, status, refunded)
         SELECT gen_random_uuid(), order_id, amount, currency, payment_method, status, amount
         FROM payments.test_provider_charges
         WHERE order_id IN (SELECT id FROM orders.orders WHERE status = 'CONFIRMED')",
    ),
    (
        "an order that is not confirmed keeps no money in the provider's books",
        "UPDATE payments.test_provider_charges SET refunded = 0
         WHERE order_id IN (SELECT id FROM orders.orders WHERE status = 'CANCELLED')",
    ),
    (
        "an order that is not confirmed keeps no money in the provider's books",
        "INSERT INTO payments.test_provider_charges (key, order_id, amount, currency, payment_method, status)
         VALUES (gen_random_uuid(), gen_random_uuid(), 1, 'EUR', 'pm_card_visa', 'captured')",
    ),
    (
        "a confirmed order has bought its stock",
        "UPDATE catalog.inventory_reservations SET status = 'held' WHERE status = 'committed'",
    ),
    (
        "an order that is not confirmed holds no stock",
        "WITH held AS (
             UPDATE catalog.inventory_reservations SET status = 'held', released_at = NULL
             WHERE id = (SELECT id FROM catalog.inventory_reservations WHERE status = 'released' LIMIT 1)
             RETURNING product_id, quantity)
         UPDATE catalog.products p SET stock_quantity = stock_quantity - held.quantity
         FROM held WHERE p.id = held.product_id",
    ),
    (
        "no cart is checking out",
        "UPDATE cart.carts SET status = 'checking_out', order_id = gen_random_uuid() WHERE status = 'active'",
    ),
    (
        "the cart of an order that was confirmed stays its own, any other order's was given back",
        "UPDATE cart.carts SET status = 'active', order_id = NULL
         WHERE order_id IN (SELECT id FROM orders.orders WHERE status = 'CONFIRMED')",
    ),
    (
        "the cart of an order that was confirmed stays its own, any other order's was given back",
        "UPDATE cart.carts SET status = 'active', order_id = NULL
         WHERE order_id IN (SELECT id FROM orders.orders WHERE status = 'CANCELLED')",
    ),
    (
        "the cart of an order that was confirmed stays its own, any other order's was given back",
        "UPDATE cart.carts c SET status = 'ordered', order_id = o.id
         FROM orders.orders o WHERE o.cart_id = c.id AND o.status = 'COMPENSATED'",
    ),
    (
        "each order's end was told once, and no other",
        "INSERT INTO orders.events SELECT event_id, recorded_at + interval '1 ms', event_type, aggregate_type,
             aggregate_id, correlation_id, exchange, routing_key, envelope
         FROM orders.events WHERE event_type = 'OrderConfirmed'",
    ),
    (
        "each order's end was told once, and no other",
        "INSERT INTO orders.events SELECT event_id, recorded_at + interval '1 ms', event_type, aggregate_type,
             aggregate_id, correlation_id, exchange, routing_key, envelope
         FROM orders.events WHERE event_type = 'OrderCancelled'",
    ),
    ("each order's end was told once, and no other", "DELETE FROM orders.events WHERE event_type = 'OrderRolledBack'"),
    (
        "undos ran in reverse order of the steps",
        "UPDATE orders.compensation_log SET completed_at = completed_at + interval '1 hour'
         WHERE compensation_event = 'RefundRequested'",
    ),
    (
        "undos ran in reverse order of the steps",
        "UPDATE orders.compensation_log SET completed_at = completed_at + interval '1 hour'
         WHERE compensation_event = 'ReleaseRequested'",
    ),
    ("every outbox is empty", "INSERT INTO users.outbox (event_id) VALUES (gen_random_uuid())"),
    ("every outbox is empty", "INSERT INTO catalog.outbox (event_id) VALUES (gen_random_uuid())"),
    ("every outbox is empty", "INSERT INTO cart.outbox (event_id) VALUES (gen_random_uuid())"),
    ("every outbox is empty", "INSERT INTO orders.outbox (event_id) VALUES (gen_random_uuid())"),
    ("every outbox is empty", "INSERT INTO payments.outbox (event_id) VALUES (gen_random_uuid())"),
    (
        "every event was applied by each service that wants it",
        "DELETE FROM catalog.idempotency_records WHERE event_id IN (SELECT event_id FROM orders.events)",
    ),
    (
        "every event was applied by each service that wants it",
        "DELETE FROM cart.idempotency_records WHERE event_id IN (SELECT event_id FROM catalog.events)",
    ),
    (
        "every event was applied by each service that wants it",
        "DELETE FROM orders.idempotency_records WHERE event_id IN (SELECT event_id FROM cart.events)",
    ),
    (
        "every event was applied by each service that wants it",
        "DELETE FROM payments.idempotency_records WHERE event_id IN (SELECT event_id FROM orders.events)",
    ),
];
/// What shoppers were told, and what breaks it in the same shop.
const BREAKS_OF_PROMISES: &[(&str, &str)] = &[
    ("told Placed, and is gone", "DELETE FROM orders.orders WHERE status = 'COMPENSATED'"),
    ("told Confirmed, and is gone", "DELETE FROM orders.orders WHERE status = 'CONFIRMED'"),
    ("told Confirmed, and is CANCELLED", "UPDATE orders.orders SET status = 'CANCELLED' WHERE status = 'CONFIRMED'"),
    ("told CalledOff, and is CONFIRMED", "UPDATE orders.orders SET status = 'CONFIRMED' WHERE status = 'CANCELLED'"),
    (
        "was bought twice",
        "UPDATE orders.orders SET cart_id = (SELECT cart_id FROM orders.orders WHERE status = 'CONFIRMED' LIMIT 1)
         WHERE status = 'CONFIRMED'",
    ),
];
const ARCHIVED: &str = "the archive of analytics holds every event";
const NOT_ARCHIVED: &str = "DELETE FROM events_archive WHERE event_type = 'OrderRolledBack'";

#[tokio::test]
async fn what_breaks_one_rule_of_the_oracle_is_noticed_by_that_rule_alone() {
    let shop = Shop::in_one_process(Transport::Postgres).await;
    trade(&shop).await;
    oracle::holds(&shop, 0, SOON).await;
    let (owner, analytics) = (shop.database.owner().await, connect(shop.analytics_url()).await);
    let mut noticed = BTreeSet::new();
    for (rule, sql) in BREAKS.iter().chain([&(ARCHIVED, NOT_ARCHIVED)]) {
        let broken = if *rule == ARCHIVED { &analytics } else { &owner };
        broken.batch_execute(&format!("BEGIN; {sql}")).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let said = oracle::broken(&owner, &analytics).await.expect("asked");
        broken.batch_execute("ROLLBACK").await.expect("roll back");
        assert_eq!(said.iter().map(|(rule, _)| *rule).collect::<Vec<_>>(), [*rule], "{sql}: {said:?}");
        noticed.insert(*rule);
    }
    assert_eq!(noticed, oracle::rules().into_iter().collect(), "a rule that nothing breaks");

    let promises = as_they_are(&owner).await;
    assert_eq!(promises::broken(&owner, &promises).await, [""; 0]);
    for (wrong, sql) in BREAKS_OF_PROMISES {
        owner.batch_execute(&format!("BEGIN; {sql}")).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let said = promises::broken(&owner, &promises).await;
        owner.batch_execute("ROLLBACK").await.expect("roll back");
        assert!(!said.is_empty() && said.iter().all(|said| said.ends_with(wrong)), "{sql}: {said:?}");
    }

    let letter = "INSERT INTO messaging.dead_letters (queue_id, exchange, routing_key, body, attempts, reason)
                  SELECT id, 'cart.events', 'cart.cleared', 'a letter', 1, 'a test'
                  FROM messaging.queues WHERE name = 'analytics.cart.events.queue'";
    owner.batch_execute(letter).await.expect("park one");
    let said = oracle::holds_now(&shop, &owner, &analytics, 0).await.expect_err("a dead letter");
    assert!(said.starts_with("dead letters: {\"analytics.cart.events.queue\": 1}"), "{said}");
    assert_eq!(oracle::letters(&shop).await, [oracle::letter("analytics.cart.events.queue", "a letter")]);
    owner.batch_execute("DELETE FROM messaging.dead_letters").await.expect("take it away");

    let waits = "INSERT INTO messaging.delayed_messages (queue_id, exchange, routing_key, body, attempts, due_at)
                 SELECT id, 'cart.events', 'cart.cleared', 'waits', 1, now() + interval '1 hour'
                 FROM messaging.queues WHERE name = 'analytics.cart.events.queue'";
    owner.batch_execute(waits).await.expect("delay one");
    let said = oracle::holds_now(&shop, &owner, &analytics, 0).await.expect_err("a message that waits");
    assert!(said.starts_with("analytics.cart.events.queue holds 0 ready, 1 delayed"), "{said}");
    owner.batch_execute("DELETE FROM messaging.delayed_messages").await.expect("take it away");
    oracle::holds(&shop, 0, SOON).await;
}

/// All orders, as if each shopper had heard the last of it.
async fn as_they_are(owner: &Client) -> Vec<Promise> {
    let orders = owner.query("SELECT id, status FROM orders.orders", &[]).await.expect("read orders");
    let told = |status| match status {
        "CONFIRMED" => Told::Confirmed,
        "CANCELLED" => Told::CalledOff,
        _ => Told::Placed,
    };
    orders.iter().map(|row| Promise { order: row.get("id"), told: told(row.get("status")), hung_up: false }).collect()
}
