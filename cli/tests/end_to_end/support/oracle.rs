//! What has to hold when the shop is at rest, asked of the databases and of the test provider's own books.

use std::collections::HashMap;
use std::time::Duration;

use testkit::eventually;
use tokio_postgres::Client;

use super::Shop;

/// Each rule is a query for what breaks it.
const RULES: &[(&str, &str)] = &[
    (
        "available + held + sold = received, per product",
        "SELECT p.id::text FROM catalog.products p
         WHERE p.stock_quantity
             + (SELECT coalesce(sum(quantity), 0) FROM catalog.inventory_reservations r
                WHERE r.product_id = p.id AND r.status IN ('held', 'committed'))
            <> (SELECT coalesce(sum(change), 0) FROM catalog.inventory_history h WHERE h.product_id = p.id)",
    ),
    ("nothing is negative", "SELECT id::text FROM catalog.products WHERE stock_quantity < 0"),
    (
        "every order is at rest",
        "SELECT id || ' ' || status FROM orders.orders
         WHERE status NOT IN ('CONFIRMED', 'SHIPPED', 'DELIVERED', 'COMPENSATED', 'CANCELLED')",
    ),
    (
        "no saga is stuck, and none owes an undo",
        "SELECT order_id || ' ' || status FROM orders.saga_states
         WHERE status = 'STUCK' OR cardinality(compensation_log) > 0",
    ),
    (
        "a confirmed order is paid in full, exactly once, in the provider's books",
        "SELECT o.id || ' ' || coalesce(c.charges, 0) FROM orders.orders o
         LEFT JOIN (SELECT order_id, count(*) AS charges, sum(amount - refunded) AS net
                    FROM payments.test_provider_charges WHERE status = 'captured' GROUP BY order_id) c ON c.order_id = o.id
         WHERE o.status IN ('CONFIRMED', 'SHIPPED', 'DELIVERED') AND (c.charges IS DISTINCT FROM 1 OR c.net <> o.total)",
    ),
    (
        "an order that is not confirmed keeps no money in the provider's books",
        "SELECT c.order_id::text FROM payments.test_provider_charges c LEFT JOIN orders.orders o ON o.id = c.order_id
         WHERE c.status = 'captured' AND c.amount <> c.refunded
           AND (o.id IS NULL OR o.status NOT IN ('CONFIRMED', 'SHIPPED', 'DELIVERED'))",
    ),
    (
        "a confirmed order has bought its stock",
        "SELECT o.id::text FROM orders.orders o
         WHERE o.status IN ('CONFIRMED', 'SHIPPED', 'DELIVERED')
           AND (SELECT sum(quantity) FROM orders.order_items i WHERE i.order_id = o.id)
               IS DISTINCT FROM (SELECT sum(quantity) FROM catalog.inventory_reservations r
                                 WHERE r.order_id = o.id AND r.status = 'committed')",
    ),
    (
        "an order that is not confirmed holds no stock",
        "SELECT r.order_id::text FROM catalog.inventory_reservations r LEFT JOIN orders.orders o ON o.id = r.order_id
         WHERE r.status IN ('held', 'committed')
           AND (o.id IS NULL OR o.status NOT IN ('CONFIRMED', 'SHIPPED', 'DELIVERED'))",
    ),
    (
        "a confirmed order's cart is ordered, a compensated one's is not checking out",
        "SELECT o.id || ' ' || o.status || ' ' || c.status FROM orders.orders o JOIN cart.carts c ON c.id = o.cart_id
         WHERE (o.status IN ('CONFIRMED', 'SHIPPED', 'DELIVERED') AND c.status <> 'ordered')
            OR (o.status = 'COMPENSATED' AND c.status = 'checking_out'
                AND NOT EXISTS (SELECT 1 FROM orders.orders later WHERE later.cart_id = o.cart_id AND later.id > o.id))",
    ),
    (
        "undos ran in reverse order of the steps",
        "SELECT a.order_id::text FROM orders.compensation_log a JOIN orders.compensation_log b USING (order_id)
         WHERE array_position('{RefundRequested,ReleaseRequested,ReopenRequested}'::text[], a.compensation_event)
             < array_position('{RefundRequested,ReleaseRequested,ReopenRequested}'::text[], b.compensation_event)
           AND a.completed_at > b.created_at",
    ),
    (
        "every outbox is empty",
        "SELECT event_id::text FROM users.outbox UNION ALL SELECT event_id::text FROM catalog.outbox
         UNION ALL SELECT event_id::text FROM cart.outbox UNION ALL SELECT event_id::text FROM orders.outbox
         UNION ALL SELECT event_id::text FROM payments.outbox",
    ),
    (
        "every event was applied by each service that wants it",
        "WITH event AS (
             SELECT event_id, routing_key, event_type FROM catalog.events UNION ALL SELECT event_id, routing_key, event_type FROM cart.events
             UNION ALL SELECT event_id, routing_key, event_type FROM orders.events
             UNION ALL SELECT event_id, routing_key, event_type FROM payments.events),
         applied AS (
             SELECT event_id, service_name FROM catalog.idempotency_records UNION ALL SELECT event_id, service_name FROM cart.idempotency_records
             UNION ALL SELECT event_id, service_name FROM orders.idempotency_records
             UNION ALL SELECT event_id, service_name FROM payments.idempotency_records)
         SELECT w.service || ' missed ' || e.event_type || ' ' || e.event_id FROM event e
         JOIN messaging.bindings b ON b.routing_key = e.routing_key
         JOIN (SELECT id, service FROM messaging.queues WHERE NOT transient AND service <> 'analytics') w ON w.id = b.queue_id
         WHERE NOT EXISTS (SELECT 1 FROM applied a WHERE a.event_id = e.event_id AND a.service_name = w.service)
         LIMIT 20",
    ),
];

/// Waits until the shop is at rest and every rule holds; panics with what breaks them after `limit`.
/// `poison`: how many dead letters there have to be, exactly.
pub async fn holds(shop: &Shop, poison: i64, limit: Duration) {
    let owner = shop.database.owner().await;
    eventually(limit, || async {
        let mut broken = Vec::new();
        for (rule, query) in RULES {
            let rows = owner.query(*query, &[]).await.map_err(|error| format!("{rule}: {error:?}"))?;
            if !rows.is_empty() {
                let first: Vec<String> = rows.iter().take(5).map(|row| row.get(0)).collect();
                broken.push(format!("{rule}: {} break it, e.g. {}", rows.len(), first.join(", ")));
            }
        }
        let dead = dead_letters(shop).await?;
        if dead.values().sum::<i64>() != poison {
            broken.push(format!("dead letters: {dead:?}, but {poison} were poison"));
        }
        if broken.is_empty() { Ok(()) } else { Err(broken.join("\n  ")) }
    })
    .await;
}

/// Dead letters per queue that has any; whatever waits or is under way anywhere is an error.
pub async fn dead_letters(shop: &Shop) -> Result<HashMap<String, i64>, String> {
    let transport = match &shop.broker {
        Some(broker) => broker.transport(),
        None => shop.database.transport(&shop.database.database("orders", "orders")),
    };
    let depths = transport.depths().await.map_err(|error| error.to_string())?;
    if let Some(busy) = depths.iter().find(|depth| depth.ready + depth.delayed > 0) {
        return Err(format!("{} holds {} ready, {} delayed", busy.queue, busy.ready, busy.delayed));
    }
    Ok(depths.into_iter().filter(|depth| depth.dead > 0).map(|depth| (depth.queue, depth.dead)).collect())
}

/// A number out of the databases.
pub async fn count(owner: &Client, sql: &str) -> i64 {
    owner.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
}
