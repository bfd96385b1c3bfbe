//! Carts and their lines.

use std::collections::HashMap;
use std::time::Duration;

use cart_client::{Cart, CartItem};
use chrono::{DateTime, Utc};
use database::outbox::Recorded;
use database::{Command, Connection, Row};
use events::{CartId, CartItemId, Currency, Draft, Money, ProductId, UserId};
use futures_util::try_join;
use rust_decimal::Decimal;
use service::Error;

use crate::model::StoredCart;

macro_rules! select_carts {
    ($condition:literal) => {
        concat!(
            "SELECT c.id, c.user_id, c.status, c.total, c.currency, c.version, c.order_id, c.created_at, c.updated_at,
                    i.id AS item_id, i.product_id, i.quantity, i.price, coalesce(p.name, '') AS name
             FROM carts c
             LEFT JOIN cart_items i ON i.cart_id = c.id
             LEFT JOIN products p ON p.product_id = i.product_id
             WHERE ",
            $condition,
            " ORDER BY c.id, i.created_at, i.id"
        )
    };
}

/// New carts, each with its first line and the event of it, and how that leaves. Those whose product is another by now
/// are left out; the version is looked up for each by its key, however small the catalogue was when this was planned.
macro_rules! create_with_items {
    ($leaves:literal) => {
        concat!(
            "WITH wanted AS MATERIALIZED (
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::numeric[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[],
                                  $8::int[], $9::numeric[], $10::uuid[], $11::text[], $12::text[], $13::uuid[],
                                  $14::text[], $15::text[], $16::text[])
                 AS wanted (id, user_id, total, currency, item_id, product_id, product_version, quantity, price, event_id,
                            event_type, aggregate_type, correlation_id, exchange, routing_key, envelope)
             WHERE product_version = (
                 SELECT version FROM products WHERE product_id = wanted.product_id AND NOT deleted)),
         cart AS (
             INSERT INTO carts (id, user_id, total, currency)
             SELECT id, user_id, total, currency FROM wanted RETURNING id, created_at),
         item AS (
             INSERT INTO cart_items (id, cart_id, product_id, quantity, price, currency)
             SELECT item_id, id, product_id, quantity, price, currency FROM wanted),
         recorded AS (
             INSERT INTO events (event_id, event_type, aggregate_type, aggregate_id, correlation_id, exchange, routing_key,
                                 envelope)
             SELECT event_id, event_type, aggregate_type, id, correlation_id, exchange, routing_key, envelope::json
             FROM wanted
             RETURNING event_id, recorded_at),
         ",
            $leaves
        )
    };
}

database::statements! {
    /// Carts with their lines, one row per line.
    READ = select_carts!("c.id = ANY($1)");
    READ_LATEST_OF_USERS = select_carts!("c.id IN (SELECT DISTINCT ON (user_id) id FROM carts
                                                    WHERE user_id = ANY($1) AND status = 'active'
                                                    ORDER BY user_id, updated_at DESC)");
    LATEST_OF_USER = "SELECT id FROM carts WHERE user_id = $1 AND status = 'active' ORDER BY updated_at DESC LIMIT 1";
    OF_ITEM = "SELECT cart_id FROM cart_items WHERE id = $1";
    /// In order of their ids, so that no two transactions wait for each other; without the key, so that nobody who
    /// only refers to a cart waits. The lines are read by a second
    /// statement: after a wait, this one would see the cart as it is now but its lines as they were.
    LOCK = "SELECT id FROM carts WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";
    /// The same, but for those that another transaction holds.
    LOCK_FREE = "SELECT id FROM carts WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED";
    CREATE = "INSERT INTO carts (id, user_id, currency) VALUES ($1, $2, $3) RETURNING created_at";
    /// The hot path: carts, lines, events and outbox rows in one statement, where the price is still the present one.
    CREATE_WITH_ITEMS = create_with_items!(
        "unsent AS (
             INSERT INTO outbox (event_id, recorded_at, lease, next_attempt_at)
             SELECT event_id, recorded_at, $17::uuid, coalesce(clock_timestamp() + $18::float8 * interval '1 second', now())
             FROM recorded)
         SELECT id, created_at, '{}'::text[] AS queues FROM cart");
    /// The same where the queues lie beside the tables: the events go straight into them.
    CREATE_WITH_ITEMS_AND_SEND = create_with_items!(
        "message AS (
             SELECT array_agg(event_id) AS ids, array_agg(event_type) AS types, array_agg(exchange) AS exchanges,
                    array_agg(routing_key) AS keys, array_agg(envelope) AS bodies
             FROM wanted),
         sent AS MATERIALIZED (
             SELECT event_id, queue, is_durable FROM message, messaging.send(ids, types, exchanges, keys, bodies, NULL)),
         unsent AS (
             INSERT INTO outbox (event_id, recorded_at)
             SELECT event_id, recorded_at FROM recorded
             WHERE NOT EXISTS (SELECT FROM sent WHERE sent.event_id = recorded.event_id AND sent.is_durable))
         SELECT id, created_at, ARRAY(SELECT DISTINCT queue FROM sent) AS queues FROM cart");
    SAVE = "UPDATE carts SET user_id = $2, status = $3, total = $4, currency = $5, version = $6, order_id = $7,
                updated_at = now(), abandoned_at = NULL
         WHERE id = $1 RETURNING updated_at";
    PUT_ITEMS = "INSERT INTO cart_items (id, cart_id, product_id, quantity, price, currency)
         SELECT id, $2, product_id, quantity, price, $6
         FROM unnest($1::uuid[], $3::uuid[], $4::int[], $5::numeric[]) AS item (id, product_id, quantity, price)
         ON CONFLICT (cart_id, product_id) DO UPDATE
         SET quantity = excluded.quantity, price = excluded.price, currency = excluded.currency, updated_at = now()";
    KEEP_ITEMS = "DELETE FROM cart_items WHERE cart_id = $1 AND id <> ALL($2)";
    DELETE = "DELETE FROM carts WHERE id = $1";
    ABANDON = "UPDATE carts SET status = 'abandoned', abandoned_at = now(), version = version + 1
         WHERE id = ANY(ARRAY(
             SELECT id FROM carts
             WHERE status = 'active' AND updated_at < now() - $1::float8 * interval '1 second'
             ORDER BY updated_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED))";
}

/// Carts with their lines; those that do not exist are left out.
pub async fn read(db: &Connection, ids: &[CartId]) -> Result<Vec<StoredCart>, Error> {
    gather(&db.query(READ, &[&ids]).await?)
}

/// The latest active carts of users; whoever has none is left out.
pub async fn read_latest_of_users(db: &Connection, user_ids: &[UserId]) -> Result<Vec<StoredCart>, Error> {
    gather(&db.query(READ_LATEST_OF_USERS, &[&user_ids]).await?)
}

/// Which cart is the latest active one of a user?
pub async fn latest_of_user(db: &Connection, user_id: UserId) -> Result<Option<CartId>, Error> {
    Ok(db.query_opt(LATEST_OF_USER, &[&user_id]).await?.map(|row| row.get("id")))
}

/// Which cart has this line?
pub async fn of_item(db: &Connection, item_id: CartItemId) -> Result<Option<CartId>, Error> {
    Ok(db.query_opt(OF_ITEM, &[&item_id]).await?.map(|row| row.get("cart_id")))
}

/// Locks carts, then reads them; both statements are on their way at once. Opens the transaction, if it is not open.
pub async fn lock(tx: &Connection, ids: &[CartId]) -> Result<Vec<StoredCart>, Error> {
    // Prepared beforehand, or the second could overtake the first.
    tx.prepare(LOCK).await?;
    tx.prepare(READ).await?;
    let params: [&(dyn database::ToSql + Sync); 1] = [&ids];
    let (_, rows) = try_join!(tx.open_with(LOCK, &params), tx.query(READ, &params))?;
    gather(&rows)
}

/// As [`lock`], without those that another transaction holds.
pub async fn lock_free(tx: &Connection, ids: &[CartId]) -> Result<Vec<StoredCart>, Error> {
    tx.prepare(LOCK_FREE).await?;
    tx.prepare(READ).await?;
    let params: [&(dyn database::ToSql + Sync); 1] = [&ids];
    let (locked, rows) = try_join!(tx.open_with(LOCK_FREE, &params), tx.query(READ, &params))?;
    let locked: Vec<CartId> = locked.iter().map(|row| row.get("id")).collect();
    Ok(gather(&rows)?.into_iter().filter(|stored| locked.contains(&stored.cart.id)).collect())
}

/// Stores a new cart without lines.
pub async fn create(db: &Connection, cart: &mut StoredCart) -> Result<(), Error> {
    let created =
        db.query_one(CREATE, &[&cart.cart.id, &cart.cart.user_id, &cart.cart.total.currency().code()]).await?;
    cart.cart.created_at = created.get("created_at");
    cart.cart.updated_at = cart.cart.created_at;
    Ok(())
}

/// A cart to be stored with its first line.
#[derive(Debug, Clone)]
pub struct NewCart {
    /// The cart.
    pub cart: Cart,
    /// The line.
    pub item: CartItem,
    /// The version of its product that is meant.
    pub product_version: i64,
    /// What is told of it.
    pub draft: Draft,
}

/// Stores new carts with their first lines, and records the events of them; when each was stored. Nothing is stored of
/// one whose product has another version at present.
pub async fn create_with_items(db: &Connection, new: &[NewCart]) -> Result<HashMap<CartId, DateTime<Utc>>, Error> {
    let is_sent = db.has_queues_beside();
    let envelopes: Vec<String> = new
        .iter()
        .map(|new| serde_json::to_string(&new.draft.envelope))
        .collect::<Result<_, _>>()
        .map_err(Error::internal)?;
    let command = Command::new(if is_sent { CREATE_WITH_ITEMS_AND_SEND } else { CREATE_WITH_ITEMS })
        .with(column(new, |new| new.cart.id))
        .with(column(new, |new| new.cart.user_id))
        .with(column(new, |new| new.cart.total.decimal()))
        .with(column(new, |new| new.cart.total.currency().code()))
        .with(column(new, |new| new.item.id))
        .with(column(new, |new| new.item.product_id))
        .with(column(new, |new| new.product_version))
        .with(column(new, |new| new.item.quantity))
        .with(column(new, |new| new.item.unit_price.decimal()))
        .with(column(new, |new| new.draft.envelope.event_id))
        .with(column(new, |new| new.draft.envelope.event_type.clone()))
        .with(column(new, |new| new.draft.envelope.aggregate_type.clone()))
        .with(column(new, |new| new.draft.envelope.correlation_id))
        .with(column(new, |new| new.draft.exchange.name()))
        .with(column(new, |new| new.draft.routing_key))
        .with(&envelopes);
    let (lease, seconds) = db.lease_from_birth().unzip();
    let command = if is_sent { command } else { command.with(lease).with(seconds) };
    let rows = db.run(&command).await?;
    let stored: HashMap<CartId, DateTime<Utc>> =
        rows.iter().map(|row| (row.get("id"), row.get("created_at"))).collect();
    match rows.first() {
        Some(row) if is_sent => db.note_filled_queues(row.get::<_, Vec<String>>("queues")),
        Some(_) => {
            let drafts = new.iter().zip(&envelopes).filter(|(new, _)| stored.contains_key(&new.cart.id));
            db.note_recorded(drafts.map(|(new, envelope)| Recorded::of(&new.draft, envelope, None)));
        }
        None => {}
    }
    Ok(stored)
}

fn column<T>(new: &[NewCart], pick: impl Fn(&NewCart) -> T) -> Vec<T> {
    new.iter().map(pick).collect()
}

/// Stores everything of a cart but its lines.
pub async fn save(tx: &Connection, stored: &StoredCart) -> Result<DateTime<Utc>, Error> {
    let cart = &stored.cart;
    let saved = tx
        .query_opt(
            SAVE,
            &[
                &cart.id,
                &cart.user_id,
                &cart.status.as_str(),
                &cart.total.decimal(),
                &cart.total.currency().code(),
                &stored.version,
                &stored.order_id,
            ],
        )
        .await?;
    saved.map(|row| row.get("updated_at")).ok_or_else(|| Error::internal("a locked cart is gone"))
}

/// Stores lines of a cart: new ones, and new quantities and prices.
pub async fn put_items(tx: &Connection, cart: &Cart, items: &[CartItem]) -> Result<(), Error> {
    let ids: Vec<CartItemId> = items.iter().map(|item| item.id).collect();
    let products: Vec<ProductId> = items.iter().map(|item| item.product_id).collect();
    let quantities: Vec<i32> = items.iter().map(|item| item.quantity).collect();
    let prices: Vec<Decimal> = items.iter().map(|item| item.unit_price.decimal()).collect();
    tx.execute(PUT_ITEMS, &[&ids, &cart.id, &products, &quantities, &prices, &cart.total.currency().code()]).await?;
    Ok(())
}

/// Deletes all lines of a cart but those it still has.
pub async fn drop_other_items(tx: &Connection, cart: &Cart) -> Result<(), Error> {
    let kept: Vec<CartItemId> = cart.items.iter().map(|item| item.id).collect();
    tx.execute(KEEP_ITEMS, &[&cart.id, &kept]).await?;
    Ok(())
}

/// Deletes a cart with its lines.
pub async fn delete(tx: &Connection, id: CartId) -> Result<(), Error> {
    tx.execute(DELETE, &[&id]).await?;
    Ok(())
}

/// Marks up to `limit` carts as abandoned that nobody touched for so long. Returns how many.
pub async fn abandon(db: &Connection, idle: Duration, limit: i64) -> Result<u64, Error> {
    Ok(db.execute(ABANDON, &[&idle.as_secs_f64(), &limit]).await?)
}

fn gather(rows: &[Row]) -> Result<Vec<StoredCart>, Error> {
    let mut carts: Vec<StoredCart> = Vec::new();
    for row in rows {
        let id: CartId = row.get("id");
        if carts.last().is_none_or(|last| last.cart.id != id) {
            carts.push(cart(row, id)?);
        }
        let Some(last) = carts.last_mut() else { continue };
        if let Some(item_id) = row.get::<_, Option<CartItemId>>("item_id") {
            let item = item(row, item_id, last.cart.total.currency())?;
            last.cart.item_count += i64::from(item.quantity);
            last.cart.items.push(item);
        }
    }
    Ok(carts)
}

fn cart(row: &Row, id: CartId) -> Result<StoredCart, Error> {
    let currency: Currency = row.get::<_, &str>("currency").parse().map_err(Error::internal)?;
    let cart = Cart {
        id,
        user_id: row.get("user_id"),
        status: row.get::<_, &str>("status").parse().map_err(|error: String| Error::internal(error))?,
        items: Vec::new(),
        total: Money::from_decimal(row.get("total"), currency).map_err(Error::internal)?,
        item_count: 0,
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    };
    Ok(StoredCart { cart, version: row.get("version"), order_id: row.get("order_id") })
}

fn item(row: &Row, id: CartItemId, currency: Currency) -> Result<CartItem, Error> {
    let quantity: i32 = row.get("quantity");
    let unit_price = Money::from_decimal(row.get("price"), currency).map_err(Error::internal)?;
    Ok(CartItem {
        id,
        product_id: row.get("product_id"),
        name: row.get("name"),
        quantity,
        unit_price,
        line_total: unit_price.times(quantity.unsigned_abs()).map_err(Error::internal)?,
    })
}
