//! Checkouts, what becomes of their carts, and the mirror of their holds.

use std::time::Duration;

use chrono::{DateTime, Utc};
use database::{Command, Connection, Error};
use events::{CartCheckoutInitiated, CartId, EventId, OrderId, ProductId, ReservationId};
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::model::Standing;

database::statements! {
    /// These carts check out, each with its snapshot.
    BEGIN = "WITH begun AS (
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::uuid[], $6::uuid[], $7::text[])
                 AS begun (id, cart_id, user_id, cart_version, order_id, correlation_id, payload)),
         cart AS (
             UPDATE carts SET status = 'checking_out', user_id = begun.user_id, order_id = begun.order_id,
                 version = begun.cart_version, updated_at = now(), abandoned_at = NULL
             FROM begun WHERE carts.id = begun.cart_id)
         INSERT INTO saga_states (id, correlation_id, cart_id, order_id, payload, expires_at)
         SELECT id, correlation_id, cart_id, order_id, payload::jsonb, now() + $8::float8 * interval '1 second' FROM begun";
    PAYLOAD = "SELECT payload FROM saga_states WHERE order_id = $1";
    OVERDUE = "SELECT count(*) AS overdue FROM saga_states WHERE status = 'started' AND expires_at < now()";
    /// News of one order come over two queues at once: whoever handles them takes this lock first. In order,
    /// so that no two batches wait for each other; always before carts.
    LOCK = "SELECT order_id FROM saga_states WHERE order_id = ANY($1) ORDER BY order_id FOR NO KEY UPDATE";
    /// Those of one cart, before it is deleted.
    LOCK_OF_CART = "SELECT order_id FROM saga_states WHERE cart_id = $1 ORDER BY order_id FOR NO KEY UPDATE";
    /// What these carts hold, as the catalogue's copy has it: nobody writes a new price until the carts have taken the
    /// present one. Whoever has written one and not committed is waited for. In the order in which prices are written,
    /// after checkouts and before carts; the lines of a cart that is checking out do not change meanwhile.
    LOCK_PRICES = "SELECT product_id FROM products
         WHERE product_id IN (SELECT product_id FROM cart_items WHERE cart_id = ANY($1))
         ORDER BY product_id FOR SHARE";
    LOCK_CARTS = "SELECT id, status, order_id, version FROM carts WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";
    REPRICE = "UPDATE cart_items SET price = p.price, updated_at = now()
         FROM products p
         WHERE cart_items.cart_id = ANY($1) AND p.product_id = cart_items.product_id
           AND NOT p.deleted AND p.currency = cart_items.currency AND p.price <> cart_items.price";
    /// After REPRICE, whose effect only a later statement sees.
    REOPEN = "UPDATE carts SET status = 'active', order_id = NULL, reopened_at = now(), updated_at = now(),
             version = version + 1,
             total = (SELECT coalesce(sum(price * quantity), 0) FROM cart_items WHERE cart_id = carts.id)
         WHERE id = ANY($1)";
    RETOTAL = "UPDATE carts SET updated_at = now(), version = version + 1,
             total = (SELECT coalesce(sum(price * quantity), 0) FROM cart_items WHERE cart_id = carts.id)
         WHERE id = ANY($1)";
    /// Given back lately, with one of these products at another price. The change came before the refusal it caused,
    /// however late it is told (the tiers of retries alone are 71 s), clocks apart by a minute at most; one that came
    /// after it leaves the cart as the shopper saw it.
    LOCK_STALE = "SELECT id FROM carts
         WHERE status = 'active' AND reopened_at > now() - interval '10 minutes'
           AND EXISTS (SELECT 1 FROM cart_items i JOIN products p USING (product_id)
                       JOIN unnest($1::uuid[], $2::timestamptz[]) AS change (product_id, changed_at) USING (product_id)
                       WHERE i.cart_id = carts.id AND i.price <> p.price
                         AND change.changed_at < carts.reopened_at + interval '1 minute')
         ORDER BY id FOR NO KEY UPDATE";
    /// These orders are confirmed: their checkouts are complete, their holds sold, and these carts ordered.
    COMPLETE = "WITH checkout AS (
             UPDATE saga_states SET status = 'completed', updated_at = now()
             WHERE order_id = ANY($1) AND status = 'started'),
         sold AS (
             UPDATE inventory_locks SET status = 'committed' WHERE order_id = ANY($1) AND status = 'held')
         UPDATE carts SET status = 'ordered', version = version + 1, updated_at = now() WHERE id = ANY($2)";
    COMPENSATE = "UPDATE saga_states SET status = 'compensated', updated_at = now(),
             compensation_log = compensation_log || jsonb_build_array(
                 jsonb_build_object('step', 'cart_reopened', 'event_id', event_id, 'at', now()))
         FROM unnest($1::uuid[], $2::uuid[]) AS news (order_id, event_id)
         WHERE saga_states.order_id = news.order_id AND status = 'started'";
    HOLD = "INSERT INTO inventory_locks (id, cart_id, product_id, quantity, reservation_id, order_id, status, expires_at)
         SELECT held.id, saga_states.cart_id, held.product_id, held.quantity, held.reservation_id, held.order_id,
                CASE saga_states.status WHEN 'completed' THEN 'committed' ELSE 'held' END, held.expires_at
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::timestamptz[])
           AS held (id, order_id, reservation_id, product_id, quantity, expires_at)
         JOIN saga_states ON saga_states.order_id = held.order_id AND saga_states.cart_id IS NOT NULL
         ON CONFLICT (reservation_id, product_id) DO NOTHING";
    /// A release may overtake its hold: the row is there then, and the hold changes nothing.
    RELEASE = "INSERT INTO inventory_locks (id, cart_id, product_id, quantity, reservation_id, order_id, status, released_at)
         SELECT freed.id, saga_states.cart_id, freed.product_id, freed.quantity, freed.reservation_id, freed.order_id,
                'released', now()
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[])
           AS freed (id, order_id, reservation_id, product_id, quantity)
         JOIN saga_states ON saga_states.order_id = freed.order_id AND saga_states.cart_id IS NOT NULL
         ON CONFLICT (reservation_id, product_id) DO UPDATE SET status = 'released', released_at = now()";
}

/// Checkouts with their snapshots, each with the version of its cart. After `overdue` an undecided one counts as such.
pub fn begin(checkouts: &[(CartCheckoutInitiated, i64)], overdue: Duration) -> Option<Command<'_>> {
    let column =
        |pick: fn(&CartCheckoutInitiated) -> Uuid| checkouts.iter().map(|(c, _)| pick(c)).collect::<Vec<Uuid>>();
    let json = |checkout| serde_json::to_string(checkout).expect("structs of the published language serialise");
    (!checkouts.is_empty()).then(|| {
        Command::new(BEGIN)
            .with(checkouts.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
            .with(column(|c| c.cart_id.uuid()))
            .with(column(|c| c.user_id.uuid()))
            .with(checkouts.iter().map(|(_, version)| *version).collect::<Vec<_>>())
            .with(column(|c| c.order_id.uuid()))
            .with(column(|c| c.correlation_id.uuid()))
            .with(checkouts.iter().map(|(c, _)| json(c)).collect::<Vec<String>>())
            .with(overdue.as_secs_f64())
    })
}

/// The snapshot of a checkout.
pub async fn payload(tx: &Connection, order_id: OrderId) -> Result<CartCheckoutInitiated, Error> {
    let Json(payload) = tx.query_one(PAYLOAD, &[&order_id]).await?.get("payload");
    Ok(payload)
}

/// How many checkouts are undecided for too long?
pub async fn overdue(db: &Connection) -> Result<i64, Error> {
    Ok(db.query_one(OVERDUE, &[]).await?.get("overdue"))
}

/// Locks the checkouts of these orders.
pub async fn lock(tx: &Connection, orders: &[OrderId]) -> Result<(), Error> {
    tx.query(LOCK, &[&orders]).await?;
    Ok(())
}

/// Locks the checkouts of these orders, then the prices of what the carts `reopening` hold, until those have taken
/// them, then `carts`; says where these stand. Those that are gone are left out.
pub async fn lock_with_carts(
    tx: &Connection,
    orders: &[OrderId],
    reopening: &[CartId],
    carts: &[CartId],
) -> Result<Vec<Standing>, Error> {
    let mut commands = vec![Command::new(LOCK).with(orders)];
    commands.extend((!reopening.is_empty()).then(|| Command::new(LOCK_PRICES).with(reopening)));
    commands.push(Command::new(LOCK_CARTS).with(carts));
    let standing = |row: &database::Row| {
        let status = row.get::<_, &str>("status").parse().expect("the column's check admits only these");
        Standing { cart_id: row.get("id"), status, order_id: row.get("order_id"), version: row.get("version") }
    };
    Ok(tx.all(&commands).await?.pop().unwrap_or_default().iter().map(standing).collect())
}

/// Locks the checkouts of a cart.
pub async fn lock_of_cart(tx: &Connection, cart_id: CartId) -> Result<(), Error> {
    tx.query(LOCK_OF_CART, &[&cart_id]).await?;
    Ok(())
}

/// These orders are confirmed, and these carts ordered.
pub fn complete<'a>(orders: &'a [OrderId], carts: &'a [CartId]) -> Option<Command<'a>> {
    (!orders.is_empty()).then(|| Command::new(COMPLETE).with(orders).with(carts))
}

/// These orders gave their carts back: the lines take the present prices.
pub fn reopen<'a>(causes: &'a [(OrderId, EventId)], carts: &'a [CartId]) -> Vec<Command<'a>> {
    let (orders, events): (Vec<OrderId>, Vec<EventId>) = causes.iter().copied().unzip();
    if causes.is_empty() {
        return Vec::new();
    }
    vec![
        Command::new(COMPENSATE).with(orders).with(events),
        Command::new(REPRICE).with(carts),
        Command::new(REOPEN).with(carts),
    ]
}

/// The change of price that made an order fail may be told later than the failure: carts that were given back lately
/// still take it. Each product with the time of its change.
pub async fn reprice_reopened(tx: &Connection, changes: &[(ProductId, DateTime<Utc>)]) -> Result<(), Error> {
    let (products, times): (Vec<ProductId>, Vec<DateTime<Utc>>) = changes.iter().copied().unzip();
    let stale = tx.query(LOCK_STALE, &[&products, &times]).await?;
    let carts: Vec<CartId> = stale.iter().map(|row| row.get("id")).collect();
    if carts.is_empty() {
        return Ok(());
    }
    tx.execute(REPRICE, &[&carts]).await?;
    tx.execute(RETOTAL, &[&carts]).await?;
    Ok(())
}

/// One product that an order holds, or does not hold any more.
#[derive(Debug, Clone)]
pub struct Hold {
    /// The order.
    pub order_id: OrderId,
    /// Its hold.
    pub reservation_id: ReservationId,
    /// The product.
    pub product_id: ProductId,
    /// How many.
    pub quantity: u32,
    /// When it may be swept; unknown for one that is released.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Mirrors holds of orders that this service knows. Each product of a hold once.
pub fn hold(holds: &[Hold]) -> Option<Command<'_>> {
    let expires = || holds.iter().map(|hold| hold.expires_at).collect::<Vec<_>>();
    (!holds.is_empty()).then(|| mirrored(HOLD, holds).with(expires()))
}

/// Mirrors the end of holds. Each product of a hold once.
pub fn release(holds: &[Hold]) -> Option<Command<'_>> {
    (!holds.is_empty()).then(|| mirrored(RELEASE, holds))
}

fn mirrored<'a>(statement: &'static str, holds: &[Hold]) -> Command<'a> {
    Command::new(statement)
        .with(holds.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
        .with(holds.iter().map(|hold| hold.order_id).collect::<Vec<_>>())
        .with(holds.iter().map(|hold| hold.reservation_id).collect::<Vec<_>>())
        .with(holds.iter().map(|hold| hold.product_id).collect::<Vec<_>>())
        .with(holds.iter().map(|hold| i64::from(hold.quantity)).collect::<Vec<_>>())
}
