//! What has to hold when the shop is at rest, asked of the databases and of the test provider's own books.

use std::collections::HashMap;
use std::time::Duration;

use events::topology::QUEUES;
use messaging::DeadLetterFilter;
use testkit::{connect, eventually};
use tokio_postgres::Client;
use uuid::Uuid;

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
    ("no cart is checking out", "SELECT id || ' ' || order_id FROM cart.carts WHERE status = 'checking_out'"),
    (
        "the cart of an order that was confirmed stays its own, any other order's was given back",
        "SELECT o.id || ' ' || o.status || ' ' || c.status FROM orders.orders o JOIN cart.carts c ON c.id = o.cart_id
         WHERE (o.id IN (SELECT aggregate_id FROM orders.events WHERE event_type = 'OrderConfirmed'))
            <> (c.status = 'ordered' AND c.order_id = o.id)",
    ),
    (
        "each order's end was told once, and no other",
        "WITH told AS (
             SELECT aggregate_id AS id, string_agg(event_type, ' ' ORDER BY event_type) AS ends FROM orders.events
             WHERE event_type IN ('OrderConfirmed', 'OrderRolledBack', 'OrderCancelled') GROUP BY aggregate_id)
         SELECT o.id || ' ' || o.status || ' told ' || coalesce(ends, 'nothing')
         FROM orders.orders o LEFT JOIN told USING (id)
         WHERE NOT CASE
             WHEN o.status IN ('CONFIRMED', 'SHIPPED', 'DELIVERED') THEN coalesce(ends, '') = 'OrderConfirmed'
             WHEN o.status = 'COMPENSATED' THEN coalesce(ends, '') = 'OrderRolledBack'
             WHEN o.status = 'CANCELLED' THEN coalesce(ends, '') IN ('OrderCancelled', 'OrderCancelled OrderConfirmed')
             ELSE true END",
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

/// Asked of two databases.
const ARCHIVED: &str = "the archive of analytics holds every event";
const EVENTS: &str = "SELECT event_id FROM catalog.events UNION ALL SELECT event_id FROM cart.events
    UNION ALL SELECT event_id FROM orders.events UNION ALL SELECT event_id FROM payments.events";
const NOT_ARCHIVED: &str = "SELECT event_id::text FROM unnest($1::uuid[]) AS event (event_id)
    WHERE NOT EXISTS (SELECT FROM events_archive archived WHERE archived.event_id = event.event_id)";

/// The names of all rules that are asked of databases.
pub fn rules() -> Vec<&'static str> {
    RULES.iter().map(|(rule, _)| *rule).chain([ARCHIVED]).collect()
}

/// The rules that do not hold, and what breaks them. Analytics comes last, and is asked when the others hold.
pub async fn broken(owner: &Client, analytics: &Client) -> Result<Vec<(&'static str, String)>, String> {
    let mut broken = Vec::new();
    for (rule, query) in RULES {
        let rows = owner.query(*query, &[]).await.map_err(|error| format!("{rule}: {error:?}"))?;
        broken.extend(breaks(rule, rows.iter().map(|row| row.get(0)).collect()));
    }
    if broken.is_empty() {
        let failed = |error| format!("{ARCHIVED}: {error:?}");
        let events = owner.query(EVENTS, &[]).await.map_err(failed)?;
        let events: Vec<Uuid> = events.iter().map(|row| row.get(0)).collect();
        let rows = analytics.query(NOT_ARCHIVED, &[&events]).await.map_err(failed)?;
        broken.extend(breaks(ARCHIVED, rows.iter().map(|row| row.get(0)).collect()));
    }
    Ok(broken)
}

fn breaks(rule: &'static str, found: Vec<String>) -> Option<(&'static str, String)> {
    let first = found.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    (!found.is_empty()).then(|| (rule, format!("{} break it, e.g. {first}", found.len())))
}

/// Whether the shop is at rest and every rule holds just now, with so many dead letters.
pub async fn holds_now(shop: &Shop, owner: &Client, analytics: &Client, poison: i64) -> Result<(), String> {
    let mut said: Vec<String> =
        broken(owner, analytics).await?.iter().map(|(rule, what)| format!("{rule}: {what}")).collect();
    let dead = dead_letters(shop).await?;
    if dead.values().sum::<i64>() != poison {
        said.push(format!("dead letters: {dead:?}, but {poison} were poison"));
    }
    if said.is_empty() { Ok(()) } else { Err(said.join("\n  ")) }
}

/// Waits until the shop is at rest and every rule holds; panics with what breaks them after `limit`.
/// `poison`: how many dead letters there have to be, exactly.
pub async fn holds(shop: &Shop, poison: i64, limit: Duration) {
    let (owner, analytics) = (shop.database.owner().await, connect(shop.analytics_url()).await);
    eventually(limit, || holds_now(shop, &owner, &analytics, poison)).await;
}

/// Every order and every checkout that is under way just now reaches its end within `limit`.
pub async fn interrupted_orders_end(shop: &Shop, limit: Duration) {
    let owner = shop.database.owner().await;
    let under_way = "SELECT id FROM orders.orders
                     WHERE status NOT IN ('CONFIRMED', 'SHIPPED', 'DELIVERED', 'COMPENSATED', 'CANCELLED')
                     UNION SELECT order_id FROM cart.carts WHERE status = 'checking_out'";
    let rows = owner.query(under_way, &[]).await.expect("ask for orders under way");
    let interrupted: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    let ended = "SELECT count(*) FROM orders.orders
                 WHERE id = ANY ($1) AND status IN ('CONFIRMED', 'SHIPPED', 'DELIVERED', 'COMPENSATED', 'CANCELLED')";
    eventually(limit, || async {
        let row = owner.query_one(ended, &[&interrupted]).await.map_err(|error| format!("{error:?}"))?;
        match row.get::<_, i64>(0) as usize {
            ended if ended == interrupted.len() => Ok(()),
            ended => Err(format!("{ended} of {} interrupted orders ended", interrupted.len())),
        }
    })
    .await;
}

/// A dead letter: its queue, and how its message begins. Long ones are not kept whole to be looked at.
pub type Letter = (String, String);

/// The letter that this message becomes in this queue.
pub fn letter(queue: &str, body: &str) -> Letter {
    (queue.to_owned(), body.chars().take(1_000).collect())
}

/// The same where these messages were poison: they are the dead letters, and nothing else is.
pub async fn holds_but_for(shop: &Shop, poison: &[Letter], limit: Duration) {
    holds(shop, i64::try_from(poison.len()).expect("a few"), limit).await;
    let mut poison = poison.to_vec();
    poison.sort_unstable();
    assert_eq!(letters(shop).await, poison, "the dead letters are the poison");
}

/// All dead letters, in order.
pub async fn letters(shop: &Shop) -> Vec<Letter> {
    let mut letters = Vec::new();
    match &shop.broker {
        Some(broker) => {
            let transport = broker.transport();
            for queue in QUEUES {
                let found = transport.dead_letters(queue, &DeadLetterFilter::default(), usize::MAX).await;
                letters.extend(found.expect("look").iter().map(|found| letter(&found.queue, &found.body)));
            }
        }
        None => {
            let all =
                "SELECT q.name, l.body FROM messaging.dead_letters l JOIN messaging.queues q ON q.id = l.queue_id";
            let rows = shop.database.owner().await.query(all, &[]).await.expect("look");
            letters.extend(rows.iter().map(|row| letter(row.get(0), row.get(1))));
        }
    }
    letters.sort_unstable();
    letters
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
