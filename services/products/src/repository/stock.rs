//! Holds, a whole batch per statement, and the history of the stock.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use database::{Command, Connection, Row};
use events::{CartId, OrderId, ProductId, RefusedLine, ReservationId, StockLine};
use messaging::HandlerError;
use products_client::{StockEntry, StockHistory};
use service::{Error, OnConstraint, Page, PageQuery};
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::price;
use crate::model::entry::StockChange;
use crate::model::stock::{Changes, Hold, OnShelf, OrderStock, Shelf, Standing};

database::statements! {
    /// What is known of these orders, locked in the order of their ids.
    LOCK_ORDERS = "SELECT o.order_id, o.cart_id, o.reservation_id, o.status, o.refusal, o.expires_at,
            line.product_ids, line.quantities
        FROM order_holds o
        LEFT JOIN LATERAL (
            SELECT array_agg(r.product_id ORDER BY r.product_id) AS product_ids,
                   array_agg(r.quantity ORDER BY r.product_id) AS quantities
            FROM inventory_reservations r WHERE r.order_id = o.order_id) line ON true
        WHERE o.order_id = ANY($1)
        ORDER BY o.order_id
        FOR NO KEY UPDATE OF o";
    /// These products, locked in the order of their ids, and until when a hold granted now lasts.
    LOCK_PRODUCTS = "SELECT now() + $2::float8 * interval '1 second' AS hold_until, p.*
        FROM (VALUES (1)) AS clock (tick)
        LEFT JOIN (
            SELECT id, name, price, currency, stock_quantity, deleted_at IS NOT NULL AS is_deleted
            FROM products WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE) p ON true";
    /// Everything that a batch changed. Fails if another replica has decided about one of the new orders meanwhile.
    WRITE = "WITH moved AS (
            UPDATE products p SET stock_quantity = p.stock_quantity + move.units
            FROM unnest($1::uuid[], $2::int[]) AS move (product_id, units)
            WHERE p.id = move.product_id),
        opened AS (
            INSERT INTO order_holds (order_id, cart_id, reservation_id, status, refusal, expires_at)
            SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::jsonb[], $8::timestamptz[])
                AS fresh (order_id, cart_id, reservation_id, status, refusal, expires_at)
            ORDER BY order_id),
        held AS (
            INSERT INTO inventory_reservations
                (id, product_id, quantity, order_id, reservation_id, status, expires_at, released_at)
            SELECT id, product_id, quantity, order_id, reservation_id, status, expires_at,
                   CASE status WHEN 'released' THEN now() END
            FROM unnest($9::uuid[], $10::uuid[], $11::int[], $12::uuid[], $13::uuid[], $14::text[], $15::timestamptz[])
                AS fresh (id, product_id, quantity, order_id, reservation_id, status, expires_at)),
        decided AS (
            UPDATE order_holds o SET status = later.status, updated_at = now()
            FROM unnest($16::uuid[], $17::text[]) AS later (order_id, status)
            WHERE o.order_id = later.order_id)
        UPDATE inventory_reservations r
        SET status = CASE WHEN later.status = 'released' AND r.status = 'held' AND r.expires_at < now()
                          THEN 'expired' ELSE later.status END,
            released_at = CASE later.status WHEN 'released' THEN now() END
        FROM unnest($16::uuid[], $17::text[]) AS later (order_id, status)
        WHERE r.order_id = later.order_id AND r.status IN ('held', 'committed')";
    /// Sets or adjusts what can be sold, and says so in the history.
    ADJUST = "WITH before AS (
            SELECT id, stock_quantity FROM products WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE),
        after AS (
            UPDATE products p
            SET stock_quantity = coalesce($2::int, before.stock_quantity + $3::int), updated_at = now()
            FROM before WHERE p.id = before.id
            RETURNING p.id, p.stock_quantity, p.stock_quantity - before.stock_quantity AS change)
        INSERT INTO inventory_history (id, product_id, change, stock_quantity, reason, actor)
        SELECT $4, id, change, stock_quantity, $5, $6 FROM after
        RETURNING id, product_id, change, stock_quantity, reason, actor, created_at";
    /// The opening stock of a new product.
    OPEN = "INSERT INTO inventory_history (id, product_id, change, stock_quantity, reason, actor)
        VALUES ($1, $2, $3, $3, $4, $5)";
    /// A page of the history.
    HISTORY = "SELECT id, product_id, change, stock_quantity, reason, actor, created_at FROM inventory_history
        WHERE product_id = $1 AND ($2::uuid IS NULL OR id < $2)
        ORDER BY id DESC LIMIT $3";
    /// The same page of the histories of several products.
    HISTORIES = "SELECT entry.* FROM unnest($1::uuid[]) AS wanted (product_id)
        CROSS JOIN LATERAL (
            SELECT id, product_id, change, stock_quantity, reason, actor, created_at FROM inventory_history
            WHERE product_id = wanted.product_id AND ($2::uuid IS NULL OR id < $2)
            ORDER BY id DESC LIMIT $3) entry
        ORDER BY entry.id DESC";
    /// Holds past their time by more than the grace, and the oldest of their orders.
    OVERDUE = "SELECT count(*) AS overdue, (array_agg(order_id ORDER BY expires_at))[1] AS oldest
        FROM inventory_reservations
        WHERE status = 'held' AND expires_at < now() - $1::float8 * interval '1 second'";
}

/// What is known of these orders; nobody else decides about them until the transaction ends.
///
/// An order that is not known yet cannot be locked: see [`DECIDED_ONCE`].
pub async fn lock_orders(tx: &Connection, ids: &[OrderId]) -> Result<BTreeMap<OrderId, OrderStock>, HandlerError> {
    let rows = tx.query(LOCK_ORDERS, &[&ids]).await?;
    rows.iter().map(|row| Ok((row.get("order_id"), order_stock(row)?))).collect()
}

fn order_stock(row: &Row) -> Result<OrderStock, HandlerError> {
    let standing = match row.get("status") {
        "held" => Standing::Held(hold(row).ok_or_else(|| broken(row))?),
        "committed" => Standing::Committed(hold(row).ok_or_else(|| broken(row))?),
        "released" => Standing::Released(hold(row)),
        "refused" => {
            let refusal: Option<Json<Vec<RefusedLine>>> = row.get("refusal");
            Standing::Refused(refusal.ok_or_else(|| broken(row))?.0)
        }
        _ => return Err(broken(row)),
    };
    Ok(OrderStock { cart_id: row.get("cart_id"), standing })
}

/// `None` where the order never held anything.
fn hold(row: &Row) -> Option<Hold> {
    let product_ids: Vec<ProductId> = row.get::<_, Option<_>>("product_ids")?;
    let quantities: Vec<i32> = row.get::<_, Option<_>>("quantities")?;
    let lines = product_ids.into_iter().zip(quantities);
    Some(Hold {
        reservation_id: row.get::<_, Option<_>>("reservation_id")?,
        lines: lines
            .map(|(product_id, quantity)| StockLine { product_id, quantity: quantity.cast_unsigned() })
            .collect(),
        expires_at: row.get::<_, Option<_>>("expires_at")?,
    })
}

fn broken(row: &Row) -> HandlerError {
    let order_id: OrderId = row.get("order_id");
    HandlerError::Reject(format!("order_holds has a row that makes no sense: order {order_id}"))
}

/// These products; nobody else sells them until the transaction ends. Locked in the order of their ids, so
/// that two batches never wait for each other in a circle.
pub async fn lock_products(tx: &Connection, ids: &[ProductId], hold_for: Duration) -> Result<Shelf, HandlerError> {
    let rows = tx.query(LOCK_PRODUCTS, &[&ids, &hold_for.as_secs_f64()]).await?;
    let mut shelf = Shelf::default();
    for row in &rows {
        shelf.hold_until = row.get("hold_until");
        let Some(id) = row.get::<_, Option<ProductId>>("id") else { continue };
        let product = OnShelf {
            name: row.get("name"),
            price: price(row).map_err(|error| HandlerError::Reject(format!("product {id}: {error:?}")))?,
            available: row.get("stock_quantity"),
            is_deleted: row.get("is_deleted"),
        };
        shelf.products.insert(id, product);
    }
    Ok(shelf)
}

/// Violated if two replicas decide about the same order at once: the later one looks again.
pub const DECIDED_ONCE: &str = "order_holds_pkey";

/// What a batch changed, in one statement.
pub fn write(changes: &Changes) -> Command<'_> {
    let (products, units): (Vec<ProductId>, Vec<i32>) = changes.moves.iter().copied().unzip();
    let new = OrderColumns::of(&changes.new_orders);
    let later = OrderColumns::of(&changes.changed_orders);
    let lines = LineColumns::of(&changes.new_orders);
    Command::new(WRITE)
        .with(products)
        .with(units)
        .with(new.order_ids)
        .with(new.cart_ids)
        .with(new.reservation_ids)
        .with(new.statuses)
        .with(new.refusals)
        .with(new.expires_at)
        .with(lines.ids)
        .with(lines.product_ids)
        .with(lines.quantities)
        .with(lines.order_ids)
        .with(lines.reservation_ids)
        .with(lines.statuses)
        .with(lines.expires_at)
        .with(later.order_ids)
        .with(later.statuses)
}

#[derive(Default)]
struct OrderColumns<'a> {
    order_ids: Vec<OrderId>,
    cart_ids: Vec<CartId>,
    reservation_ids: Vec<Option<ReservationId>>,
    statuses: Vec<&'static str>,
    refusals: Vec<Option<Json<&'a [RefusedLine]>>>,
    expires_at: Vec<Option<DateTime<Utc>>>,
}

impl<'a> OrderColumns<'a> {
    fn of(orders: &'a [(OrderId, OrderStock)]) -> Self {
        let mut columns = OrderColumns::default();
        for (order_id, order) in orders {
            let hold = order.standing.hold();
            columns.order_ids.push(*order_id);
            columns.cart_ids.push(order.cart_id);
            columns.reservation_ids.push(hold.map(|hold| hold.reservation_id));
            columns.statuses.push(status(&order.standing));
            columns.refusals.push(match &order.standing {
                Standing::Refused(lines) => Some(Json(lines)),
                Standing::Held(_) | Standing::Committed(_) | Standing::Released(_) => None,
            });
            columns.expires_at.push(hold.map(|hold| hold.expires_at));
        }
        columns
    }
}

#[derive(Default)]
struct LineColumns {
    ids: Vec<Uuid>,
    product_ids: Vec<ProductId>,
    quantities: Vec<i32>,
    order_ids: Vec<OrderId>,
    reservation_ids: Vec<ReservationId>,
    statuses: Vec<&'static str>,
    expires_at: Vec<DateTime<Utc>>,
}

impl LineColumns {
    fn of(orders: &[(OrderId, OrderStock)]) -> Self {
        let mut columns = LineColumns::default();
        for (order_id, order) in orders {
            let Some(hold) = order.standing.hold() else { continue };
            for line in &hold.lines {
                columns.ids.push(Uuid::now_v7());
                columns.product_ids.push(line.product_id);
                columns.quantities.push(line.quantity.cast_signed());
                columns.order_ids.push(*order_id);
                columns.reservation_ids.push(hold.reservation_id);
                columns.statuses.push(status(&order.standing));
                columns.expires_at.push(hold.expires_at);
            }
        }
        columns
    }
}

fn status(standing: &Standing) -> &'static str {
    match standing {
        Standing::Held(_) => "held",
        Standing::Committed(_) => "committed",
        Standing::Refused(_) => "refused",
        Standing::Released(_) => "released",
    }
}

/// Changes the stock of a living product by hand; `None` if there is no such product.
///
/// Errors: 409 `insufficient_stock` if it would fall below zero.
pub async fn adjust(
    tx: &Connection,
    id: ProductId,
    change: StockChange,
    reason: &str,
    actor: &str,
) -> Result<Option<StockEntry>, Error> {
    let (set, adjust) = match change {
        StockChange::Set(units) => (Some(units), None),
        StockChange::Adjust(units) => (None, Some(units)),
    };
    let row = tx
        .query_opt(ADJUST, &[&id, &set, &adjust, &Uuid::now_v7(), &reason.trim(), &actor])
        .await
        .on_constraint("products_stock_not_negative", || {
            Error::conflict("insufficient_stock", "there are not so many to take away")
        })?;
    Ok(row.as_ref().map(entry))
}

/// Notes the opening stock of a product.
pub async fn open(tx: &Connection, id: ProductId, units: i32, reason: &str, actor: &str) -> Result<(), Error> {
    tx.execute(OPEN, &[&Uuid::now_v7(), &id, &units, &reason, &actor]).await?;
    Ok(())
}

/// A page of a product's history, newest first.
pub async fn history(db: &Connection, id: ProductId, query: &PageQuery) -> Result<Page<StockEntry>, Error> {
    let after: Option<Uuid> = query.after()?;
    let rows = db.query(HISTORY, &[&id, &after, &query.rows()?]).await?;
    Page::new(query, rows.iter().map(entry).collect(), |entry| entry.id)
}

/// The same page of each product's history, newest first.
pub async fn histories(db: &Connection, ids: &[ProductId], query: &PageQuery) -> Result<Vec<StockHistory>, Error> {
    let after: Option<Uuid> = query.after()?;
    let rows = db.query(HISTORIES, &[&ids, &after, &query.rows()?]).await?;
    let mut entries: Vec<StockEntry> = rows.iter().map(entry).collect();
    let mut page = |id: &ProductId| {
        let of_product = entries.extract_if(.., |entry| entry.product_id == *id).collect();
        let entries = Page::new(query, of_product, |entry: &StockEntry| entry.id)?;
        Ok(StockHistory { product_id: *id, entries })
    };
    ids.iter().map(&mut page).collect()
}

fn entry(row: &Row) -> StockEntry {
    StockEntry {
        id: row.get("id"),
        product_id: row.get("product_id"),
        change: row.get("change"),
        stock_quantity: row.get("stock_quantity"),
        reason: row.get("reason"),
        actor: row.get("actor"),
        created_at: row.get("created_at"),
    }
}

/// Lines that are held for longer than their time and `grace`, and the order that has been so for longest.
pub async fn overdue(db: &Connection, grace: Duration) -> Result<(i64, Option<OrderId>), Error> {
    let row = db.query_one(OVERDUE, &[&grace.as_secs_f64()]).await?;
    Ok((row.get("overdue"), row.get("oldest")))
}
