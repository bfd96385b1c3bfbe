//! All SQL of orders. Functions work on a connection; whole batches travel in arrays.

pub mod sagas;

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use database::{Command, Connection, Error, Row, ToSql};
use events::{Address, CartCheckoutInitiated, CorrelationId, Currency, Money, OrderId, OrderStatus, UserId};
use orders_client::{Order, OrderFilter, OrderItem, Timeline, TimelineEntry};
use rust_decimal::Decimal;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::model::{self, Hold, Stored, Unreadable};
use crate::saga::State;

database::statements! {
    /// Stores orders with their items and sagas. An order that is there already stays as it is.
    INSERT = "WITH placed AS (
            INSERT INTO orders (id, user_id, cart_id, currency, subtotal, total, status, saga_correlation_id,
                                payment_method, shipping_address)
            SELECT id, user_id, cart_id, currency, total, total, 'PENDING', correlation_id, payment_method, address::jsonb
            FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::numeric[], $6::uuid[], $7::text[], $8::text[])
                AS o (id, user_id, cart_id, currency, total, correlation_id, payment_method, address)
            ON CONFLICT DO NOTHING RETURNING id, created_at),
        items AS (
            INSERT INTO order_items (order_id, product_id, name, quantity, price, currency)
            SELECT order_id, product_id, name, quantity, price, currency
            FROM unnest($9::uuid[], $10::uuid[], $11::text[], $12::int[], $13::numeric[], $14::text[])
                AS i (order_id, product_id, name, quantity, price, currency)
            WHERE order_id IN (SELECT id FROM placed)),
        sagas AS (
            INSERT INTO saga_states (id, correlation_id, status, order_id, payload, expires_at)
            SELECT id, correlation_id, 'PENDING', order_id, payload::jsonb, now() + $17::float8 * interval '1 second'
            FROM unnest($15::uuid[], $6::uuid[], $1::uuid[], $16::text[]) AS s (id, correlation_id, order_id, payload)
            WHERE order_id IN (SELECT id FROM placed))
        SELECT id, created_at FROM placed";
    /// In key order, so that two batches never wait for each other in a circle. Locks the order too: of a row that
    /// is only joined, whoever had to wait for the lock would read the version from before the wait.
    LOCK = "SELECT s.order_id, s.correlation_id, s.status, s.ending, s.compensation_log, s.asked, o.version,
                   o.cancel_reason, s.payload
        FROM saga_states s JOIN orders o ON o.id = s.order_id
        WHERE s.order_id = ANY ($1) ORDER BY s.order_id FOR NO KEY UPDATE OF s, o";
    LOCK_EXPIRED = "SELECT s.order_id, s.correlation_id, s.status, s.ending, s.compensation_log, s.asked, o.version,
                           o.cancel_reason, s.payload
        FROM saga_states s JOIN orders o ON o.id = s.order_id
        WHERE s.expires_at <= now()
            AND s.status NOT IN ('CONFIRMED', 'SHIPPED', 'DELIVERED', 'COMPENSATED', 'CANCELLED') -- as the index has it
        ORDER BY s.expires_at LIMIT $1 FOR NO KEY UPDATE OF s, o SKIP LOCKED";
    POSTPONE = "UPDATE saga_states SET expires_at = now() + $2::float8 * interval '1 second' WHERE order_id = ANY ($1)";
    /// The new states of sagas and orders, and what is told of them.
    SAVE = "WITH moved AS (
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::float8[], $7::text[],
                                 $8::bigint[], $9::text[], $10::text[], $11::text[])
                AS m (order_id, saga_status, ending, owed, asked, patience_s, status, version, failure_code,
                      failure_reason, cancel_reason)),
        saga AS (
            UPDATE saga_states s
            SET status = m.saga_status, ending = m.ending, compensation_log = string_to_array(m.owed, ','),
                asked = m.asked, updated_at = now(), expires_at = now() + m.patience_s * interval '1 second'
            FROM moved m WHERE s.order_id = m.order_id),
        told AS (
            INSERT INTO timeline (order_id, event_id, event, service, detail, at)
            SELECT * FROM unnest($12::uuid[], $13::uuid[], $14::text[], $15::text[], $16::text[], $17::timestamptz[])
            ON CONFLICT DO NOTHING)
        UPDATE orders o
        SET status = m.status, version = m.version, updated_at = now(),
            failure_code = coalesce(o.failure_code, m.failure_code),
            failure_reason = coalesce(o.failure_reason, m.failure_reason),
            cancel_reason = coalesce(o.cancel_reason, m.cancel_reason),
            shipped_at = CASE WHEN m.status = 'SHIPPED' THEN coalesce(o.shipped_at, now()) ELSE o.shipped_at END,
            delivered_at = CASE WHEN m.status = 'DELIVERED' THEN coalesce(o.delivered_at, now()) ELSE o.delivered_at END,
            cancelled_at = CASE WHEN m.status = 'CANCELLED' THEN coalesce(o.cancelled_at, now()) ELSE o.cancelled_at END
        FROM moved m WHERE o.id = m.order_id";
    BEGIN_UNDOS = "INSERT INTO compensation_log (order_id, saga_correlation_id, compensation_event, compensation_payload, status)
        SELECT order_id, correlation_id, event, payload::jsonb, 'requested'
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS u (order_id, correlation_id, event, payload)
        ON CONFLICT (order_id, compensation_event) DO NOTHING";
    END_UNDOS = "UPDATE compensation_log l SET status = 'completed', completed_at = now()
        FROM unnest($1::uuid[], $2::text[]) AS u (order_id, event)
        WHERE l.order_id = u.order_id AND l.compensation_event = u.event AND l.status = 'requested'";
    HOLD = "INSERT INTO inventory_reservations (order_id, product_id, quantity, reservation_id, expires_at, status,
                                            fulfilled_at, released_at)
        SELECT order_id, product_id, quantity, reservation_id, expires_at, status,
               CASE WHEN status = 'committed' THEN now() END, CASE WHEN status = 'released' THEN now() END
        FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::uuid[], $5::timestamptz[], $6::text[])
            AS h (order_id, product_id, quantity, reservation_id, expires_at, status)
        ON CONFLICT (order_id, product_id) DO NOTHING";
    COMMIT_HOLDS = "UPDATE inventory_reservations SET status = 'committed', fulfilled_at = now()
        WHERE order_id = ANY ($1) AND status = 'held'";
    RELEASE_HOLDS = "UPDATE inventory_reservations SET status = 'released', released_at = now()
        WHERE order_id = ANY ($1) AND status IN ('held', 'committed')";
    ORDER = "SELECT * FROM orders WHERE id = $1";
    ORDERS = "SELECT * FROM orders
        WHERE ($1::uuid IS NULL OR user_id = $1) AND ($2::text IS NULL OR status = $2) AND ($3::uuid IS NULL OR id < $3)
          AND ($5::uuid[] IS NULL OR id = ANY ($5))
          AND ($6::timestamptz IS NULL OR created_at >= $6) AND ($7::timestamptz IS NULL OR created_at < $7)
        ORDER BY id DESC LIMIT $4";
    ORDERS_OF_USERS = "SELECT of_user.* FROM unnest($1::uuid[]) AS users (id) CROSS JOIN LATERAL (
            SELECT * FROM orders WHERE user_id = users.id AND ($2::uuid IS NULL OR id < $2)
            ORDER BY id DESC LIMIT $3) AS of_user
        ORDER BY id DESC";
    /// Each by an index of its own.
    ABOUT = "SELECT id FROM orders WHERE id = $1
        UNION SELECT id FROM orders WHERE saga_correlation_id = $1
        UNION SELECT order_id FROM timeline WHERE event_id = $1";
    /// Those of one order: the plan for one key serves every order.
    ITEMS_OF_ONE = "SELECT order_id, product_id, name, quantity, price, currency FROM order_items
        WHERE order_id = $1 ORDER BY id";
    ITEMS = "SELECT order_id, product_id, name, quantity, price, currency FROM order_items
        WHERE order_id = ANY ($1) ORDER BY order_id, id";
    /// In the order in which they were heard of: the clocks of other services disagree.
    TIMELINE = "SELECT event, service, detail, at FROM timeline WHERE order_id = $1 ORDER BY heard";
    TIMELINES = "SELECT t.order_id, t.event, t.service, t.detail, t.at
        FROM orders o JOIN timeline t ON t.order_id = o.id
        WHERE o.id = ANY ($1) AND ($2::uuid IS NULL OR o.user_id = $2) ORDER BY t.order_id, t.heard";
}

/// Stores what the cart checked out, where it is not stored yet; returns when, for each that is new.
pub async fn insert(
    tx: &Connection,
    checkouts: &[&CartCheckoutInitiated],
    patience: Duration,
) -> Result<HashMap<OrderId, DateTime<Utc>>, Error> {
    let column = |pick: fn(&CartCheckoutInitiated) -> Uuid| checkouts.iter().map(|c| pick(c)).collect::<Vec<Uuid>>();
    let ids = column(|c| c.order_id.uuid());
    let users = column(|c| c.user_id.uuid());
    let carts = column(|c| c.cart_id.uuid());
    let correlations = column(|c| c.correlation_id.uuid());
    let currencies: Vec<&str> = checkouts.iter().map(|c| c.total.currency().code()).collect();
    let totals: Vec<Decimal> = checkouts.iter().map(|c| c.total.decimal()).collect();
    let methods: Vec<&str> = checkouts.iter().map(|c| c.payment_method.as_str()).collect();
    let addresses: Vec<String> = checkouts.iter().map(|c| json(&c.shipping_address)).collect();
    let payloads: Vec<String> = checkouts.iter().map(json).collect();
    let sagas: Vec<Uuid> = checkouts.iter().map(|_| Uuid::now_v7()).collect();

    let lines = || checkouts.iter().flat_map(|c| c.lines.iter().map(move |line| (c.order_id, line)));
    let line_orders: Vec<Uuid> = lines().map(|(order, _)| order.uuid()).collect();
    let products: Vec<Uuid> = lines().map(|(_, line)| line.product_id.uuid()).collect();
    let names: Vec<&str> = lines().map(|(_, line)| line.name.as_str()).collect();
    let quantities: Vec<i32> = lines().map(|(_, line)| line.quantity.cast_signed()).collect();
    let prices: Vec<Decimal> = lines().map(|(_, line)| line.unit_price.decimal()).collect();
    let line_currencies: Vec<&str> = lines().map(|(_, line)| line.unit_price.currency().code()).collect();

    let rows = tx
        .query(
            INSERT,
            &[
                &ids,
                &users,
                &carts,
                &currencies,
                &totals,
                &correlations,
                &methods,
                &addresses,
                &line_orders,
                &products,
                &names,
                &quantities,
                &prices,
                &line_currencies,
                &sagas,
                &payloads,
                &patience.as_secs_f64(),
            ],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get("id"), row.get("created_at"))).collect())
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("structs of the published language serialise")
}

/// Sagas that were locked.
pub struct Locked {
    /// Those that can be moved.
    pub sagas: Vec<Stored>,
    /// Those that cannot, until somebody mends them.
    pub unreadable: Vec<Unreadable>,
}

impl Locked {
    /// Is it there, readable or not?
    pub fn has(&self, order: OrderId) -> bool {
        self.sagas
            .iter()
            .map(|saga| saga.order_id)
            .chain(self.unreadable.iter().map(|saga| saga.order_id))
            .any(|id| id == order)
    }

    /// Adds what was locked later.
    pub fn extend(&mut self, more: Locked) {
        self.sagas.extend(more.sagas);
        self.unreadable.extend(more.unreadable);
    }
}

/// Locks the sagas of these orders until the transaction ends.
pub async fn lock(tx: &Connection, orders: &[OrderId]) -> Result<Locked, Error> {
    locked(&tx.query(LOCK, &[&orders]).await?)
}

/// Locks up to `limit` sagas whose deadline has passed and that nobody else is moving.
pub async fn lock_expired(tx: &Connection, limit: i64) -> Result<Locked, Error> {
    locked(&tx.query(LOCK_EXPIRED, &[&limit]).await?)
}

/// One row that makes no sense keeps nobody from reading the others.
fn locked(rows: &[Row]) -> Result<Locked, Error> {
    let mut locked = Locked { sagas: Vec::with_capacity(rows.len()), unreadable: Vec::new() };
    for row in rows {
        match stored(row) {
            Ok(saga) => locked.sagas.push(saga),
            Err(reason) => locked.unreadable.push(Unreadable { order_id: row.try_get("order_id")?, reason }),
        }
    }
    Ok(locked)
}

fn stored(row: &Row) -> Result<Stored, String> {
    let read = || -> Result<Option<Stored>, tokio_postgres::Error> {
        let status: String = row.try_get("status")?;
        let ending: Option<String> = row.try_get("ending")?;
        let owed: Vec<String> = row.try_get("compensation_log")?;
        let Some(state) = model::state_from(&status, ending.as_deref(), &owed, row.try_get("asked")?) else {
            return Ok(None);
        };
        let Json(snapshot) = row.try_get::<_, Json<CartCheckoutInitiated>>("payload")?;
        Ok(Some(Stored {
            order_id: row.try_get("order_id")?,
            correlation_id: row.try_get("correlation_id")?,
            state,
            version: row.try_get("version")?,
            cancel_reason: row.try_get("cancel_reason")?,
            snapshot,
        }))
    };
    read()
        .map_err(|error| error.to_string())?
        .ok_or_else(|| "status, ending, compensation_log and asked do not fit together".to_owned())
}

/// The watchdog looks at these sagas again after `patience`.
pub async fn postpone(tx: &Connection, orders: &[OrderId], patience: Duration) -> Result<(), Error> {
    if !orders.is_empty() {
        tx.execute(POSTPONE, &[&orders, &patience.as_secs_f64()]).await?;
    }
    Ok(())
}

/// One saga's new state, and what changes on its order.
pub struct Saved<'a> {
    /// Whose.
    pub order_id: OrderId,
    /// Where it rests now.
    pub state: &'a State,
    /// The order's version now.
    pub version: i64,
    /// Until the watchdog looks.
    pub patience: Option<Duration>,
    /// Why it failed, if it did just now.
    pub failure: Option<&'a model::Failure>,
    /// Why it was cancelled, if it was and if a reason was given.
    pub cancel_reason: Option<&'a str>,
}

/// The new states of sagas and orders, and what is added to timelines.
pub fn save<'a>(moved: &'a [Saved<'a>], happened: &'a [Happened]) -> Command<'a> {
    let columns: Vec<_> = moved.iter().map(|m| model::columns(m.state)).collect();
    Command::new(SAVE)
        .with(moved.iter().map(|m| m.order_id).collect::<Vec<_>>())
        .with(columns.iter().map(|c| c.0).collect::<Vec<_>>())
        .with(columns.iter().map(|c| c.1).collect::<Vec<_>>())
        .with(columns.iter().map(|c| c.2.join(",")).collect::<Vec<_>>())
        .with(columns.iter().map(|c| c.3).collect::<Vec<_>>())
        .with(moved.iter().map(|m| m.patience.map(|p| p.as_secs_f64())).collect::<Vec<_>>())
        .with(moved.iter().map(|m| m.state.order_status().as_str()).collect::<Vec<_>>())
        .with(moved.iter().map(|m| m.version).collect::<Vec<_>>())
        .with(moved.iter().map(|m| m.failure.map(|f| f.code.as_str())).collect::<Vec<_>>())
        .with(moved.iter().map(|m| m.failure.map(|f| f.reason.as_str())).collect::<Vec<_>>())
        .with(moved.iter().map(|m| m.cancel_reason).collect::<Vec<_>>())
        .with(happened.iter().map(|h| h.order_id).collect::<Vec<_>>())
        .with(happened.iter().map(|h| h.event_id).collect::<Vec<_>>())
        .with(happened.iter().map(|h| h.event.as_str()).collect::<Vec<_>>())
        .with(happened.iter().map(|h| h.service.as_str()).collect::<Vec<_>>())
        .with(happened.iter().map(|h| h.detail.as_deref()).collect::<Vec<_>>())
        .with(happened.iter().map(|h| h.at).collect::<Vec<_>>())
}

/// A line of an order's timeline.
pub struct Happened {
    /// Whose.
    pub order_id: OrderId,
    /// The event's id.
    pub event_id: Uuid,
    /// Its name.
    pub event: String,
    /// The service that said so.
    pub service: String,
    /// More, if there is more to say.
    pub detail: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// An undo that is asked for: order, saga, event and its payload as JSON.
pub struct UndoRun {
    /// Whose.
    pub order_id: OrderId,
    /// Its saga.
    pub correlation_id: CorrelationId,
    /// The request, e.g. `RefundRequested`.
    pub event: String,
    /// Its payload.
    pub payload: String,
}

/// Logs undos that are asked for; one asked for again is logged once.
pub fn begin_undos(runs: &[UndoRun]) -> Option<Command<'_>> {
    (!runs.is_empty()).then(|| {
        Command::new(BEGIN_UNDOS)
            .with(runs.iter().map(|r| r.order_id).collect::<Vec<_>>())
            .with(runs.iter().map(|r| r.correlation_id).collect::<Vec<_>>())
            .with(runs.iter().map(|r| r.event.as_str()).collect::<Vec<_>>())
            .with(runs.iter().map(|r| r.payload.as_str()).collect::<Vec<_>>())
    })
}

/// Logs that undos were answered.
pub fn end_undos<'a>(answered: &'a [(OrderId, &'a str)]) -> Option<Command<'a>> {
    let (ids, events): (Vec<OrderId>, Vec<&str>) = answered.iter().copied().unzip();
    (!answered.is_empty()).then(|| Command::new(END_UNDOS).with(ids).with(events))
}

/// Copies holds to their orders, each with its status.
pub fn hold<'a>(holds: &'a [(Hold, &'a str)]) -> Option<Command<'a>> {
    let lines = || holds.iter().flat_map(|(hold, status)| hold.lines.iter().map(move |line| (hold, line, *status)));
    (!holds.is_empty()).then(|| {
        Command::new(HOLD)
            .with(lines().map(|(hold, ..)| hold.order_id).collect::<Vec<_>>())
            .with(lines().map(|(_, line, _)| line.product_id).collect::<Vec<_>>())
            .with(lines().map(|(_, line, _)| line.quantity.cast_signed()).collect::<Vec<_>>())
            .with(lines().map(|(hold, ..)| hold.reservation_id).collect::<Vec<_>>())
            .with(lines().map(|(hold, ..)| hold.expires_at).collect::<Vec<_>>())
            .with(lines().map(|(.., status)| status).collect::<Vec<_>>())
    })
}

/// Notes that these orders' holds became sales.
pub fn commit_holds(orders: &[OrderId]) -> Option<Command<'_>> {
    (!orders.is_empty()).then(|| Command::new(COMMIT_HOLDS).with(orders))
}

/// Notes that these orders hold nothing any more.
pub fn release_holds(orders: &[OrderId]) -> Option<Command<'_>> {
    (!orders.is_empty()).then(|| Command::new(RELEASE_HOLDS).with(orders))
}

/// One order with its items.
pub async fn order(db: &Connection, id: OrderId) -> Result<Option<Order>, Error> {
    let params: [&(dyn ToSql + Sync); 1] = [&id];
    let (row, items) = tokio::try_join!(db.query_opt(ORDER, &params), db.query(ITEMS_OF_ONE, &params))?;
    row.map(|row| order_from(&row, items.iter())).transpose()
}

/// Orders of a user (or everybody's), newest first, with their items.
pub async fn orders(
    db: &Connection,
    filter: &OrderFilter,
    after: Option<OrderId>,
    rows: i64,
) -> Result<Vec<Order>, Error> {
    let about: Option<Vec<OrderId>> = match filter.about {
        Some(id) => Some(db.query(ABOUT, &[&id]).await?.iter().map(|row| row.get("id")).collect()),
        None => None,
    };
    let status = filter.status.map(OrderStatus::as_str);
    let parameters: [&(dyn ToSql + Sync); 7] =
        [&filter.user_id, &status, &after, &rows, &about, &filter.from, &filter.to];
    let rows = db.query(ORDERS, &parameters).await?;
    with_items(db, &rows).await
}

/// So many orders of each of these users, newest first, with their items.
pub async fn orders_of_users(
    db: &Connection,
    users: &[UserId],
    after: Option<OrderId>,
    rows: i64,
) -> Result<Vec<Order>, Error> {
    let rows = db.query(ORDERS_OF_USERS, &[&users, &after, &rows]).await?;
    with_items(db, &rows).await
}

async fn with_items(db: &Connection, rows: &[Row]) -> Result<Vec<Order>, Error> {
    let ids: Vec<OrderId> = rows.iter().map(|row| row.get("id")).collect();
    let items = db.query(ITEMS, &[&ids]).await?;
    let mut of_orders: HashMap<OrderId, Vec<&Row>> = HashMap::with_capacity(rows.len());
    for item in &items {
        of_orders.entry(item.try_get("order_id")?).or_default().push(item);
    }
    rows.iter().zip(&ids).map(|(row, id)| order_from(row, of_orders.remove(id).unwrap_or_default())).collect()
}

fn order_from<'a>(row: &Row, items: impl IntoIterator<Item = &'a Row>) -> Result<Order, Error> {
    let money = |column: &str| money(row, column);
    let status: OrderStatus =
        row.try_get::<_, String>("status")?.parse().expect("the column's CHECK allows only known states");
    let mut lines = Vec::new();
    for item in items {
        let unit_price = self::money(item, "price")?;
        let quantity = item.try_get::<_, i32>("quantity")?.cast_unsigned();
        lines.push(OrderItem {
            product_id: item.try_get("product_id")?,
            name: item.try_get("name")?,
            quantity,
            unit_price,
            line_total: unit_price.times(quantity).expect("it was in range when it was ordered"),
        });
    }
    Ok(Order {
        id: row.try_get("id")?,
        user_id: row.try_get("user_id")?,
        cart_id: row.try_get("cart_id")?,
        status,
        cancellable: model::is_cancellable(status),
        version: row.try_get("version")?,
        items: lines,
        subtotal: money("subtotal")?,
        shipping_total: money("shipping_total")?,
        tax_total: money("tax_total")?,
        total: money("total")?,
        shipping_address: row.try_get::<_, Option<Json<Address>>>("shipping_address")?.map(|Json(address)| address),
        correlation_id: row.try_get("saga_correlation_id")?,
        failure_code: row.try_get("failure_code")?,
        failure_reason: row.try_get("failure_reason")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
        shipped_at: row.try_get("shipped_at")?,
        delivered_at: row.try_get("delivered_at")?,
        cancelled_at: row.try_get("cancelled_at")?,
    })
}

fn money(row: &Row, column: &str) -> Result<Money, Error> {
    let currency: Currency = row.try_get::<_, String>("currency")?.parse().expect("only known currencies are written");
    Ok(Money::from_decimal(row.try_get(column)?, currency).expect("amounts are written with their currency's digits"))
}

/// What happened to an order, oldest first.
pub async fn timeline(db: &Connection, id: OrderId) -> Result<Vec<TimelineEntry>, Error> {
    Ok(db.query(TIMELINE, &[&id]).await?.iter().map(entry).collect())
}

/// What happened to several orders (of one user's, if one is named), each oldest first.
pub async fn timelines(db: &Connection, ids: &[OrderId], user: Option<UserId>) -> Result<Vec<Timeline>, Error> {
    let mut timelines: Vec<Timeline> = Vec::new();
    for row in &db.query(TIMELINES, &[&ids, &user]).await? {
        let order_id = row.try_get("order_id")?;
        match timelines.last_mut().filter(|timeline| timeline.order_id == order_id) {
            Some(timeline) => timeline.entries.push(entry(row)),
            None => timelines.push(Timeline { order_id, entries: vec![entry(row)] }),
        }
    }
    Ok(timelines)
}

fn entry(row: &Row) -> TimelineEntry {
    TimelineEntry { event: row.get("event"), at: row.get("at"), service: row.get("service"), detail: row.get("detail") }
}
