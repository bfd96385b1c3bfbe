//! One product, a fifth as many units as carts, and all carts released at once. The products service decides; nothing may
//! be sold twice, and everything must be sold.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use tokio_postgres::Client;
use uuid::Uuid;

use super::loops::Used;
use super::{Outcome, not_begun};
use crate::bench::fixture::{self, Market};
use crate::bench::journey::{check_out, fill_cart};
use crate::bench::line::{Failure, Line, PATIENCE};
use crate::bench::shop::Shop;
use crate::error::Result;
use crate::wire;

/// Connections over which the carts are released.
const LINES: usize = 250;
/// Carts for each unit.
const CARTS_PER_UNIT: u32 = 5;
/// Between two looks whether every order has ended.
const LOOK_EVERY: Duration = Duration::from_millis(250);

const NOW: &str = "SELECT extract(epoch FROM clock_timestamp())::float8 AS now";
const OPEN: &str = "SELECT count(*) AS open FROM orders.orders
    WHERE id = ANY ($1) AND status NOT IN ('CONFIRMED', 'COMPENSATED')";
/// An order is decided by the transaction that writes its hold, or that it has none.
const DECISIONS: &str =
    "SELECT extract(epoch FROM created_at)::float8 AS at FROM catalog.order_holds WHERE order_id = ANY ($1)";
const BOOKS: &str = "SELECT json_build_object(
    'confirmed', (SELECT count(*) FROM orders.orders WHERE id = ANY ($1) AND status = 'CONFIRMED'),
    'refused', (SELECT count(*) FROM orders.orders WHERE id = ANY ($1) AND status = 'COMPENSATED' AND failure_code = 'OUT_OF_STOCK'),
    'sold', (SELECT coalesce(sum(quantity), 0) FROM catalog.inventory_reservations
             WHERE product_id = $2 AND status IN ('held', 'committed')),
    'available', (SELECT stock_quantity FROM catalog.products WHERE id = $2),
    'charged', (SELECT count(*) FROM payments.payments WHERE order_id = ANY ($1) AND status = 'captured'))::text AS books";

/// Sells out once.
pub async fn run(shop: &Shop, market: &Arc<Market>, carts: u32) -> Result<Outcome> {
    let units = carts / CARTS_PER_UNIT;
    let ware = fixture::make_product(shop, units).await?;
    let owner = shop.owner().await?;
    let queues = fill(shop, market, &ware.id, carts).await.map_err(not_begun)?;

    let (before, released) = (shop.cpu_seconds(), now(&owner).await?);
    let (orders, mut failures) = release(queues).await;
    let began = Instant::now();
    while count(&owner, OPEN, &orders).await? > 0 {
        if began.elapsed() > PATIENCE {
            failures.push(format!("orders did not end within {PATIENCE:?}"));
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let used = Used::since(shop, before);

    let decisions = owner.query(DECISIONS, &[&orders]).await.map_err(wire::Error::from)?;
    let latency = |row: &tokio_postgres::Row| Duration::from_secs_f64((row.get::<_, f64>("at") - released).max(0.0));
    let latencies: Vec<Duration> = decisions.iter().map(latency).collect();
    failures.extend(wrong(&owner, &orders, &ware.id, units, carts).await?);
    let last = latencies.iter().max().copied().unwrap_or(PATIENCE);
    Ok(used.with(latencies, failures, last))
}

/// A connection and the carts that will be released over it.
struct Queue {
    line: Line,
    carts: Vec<String>,
}

async fn fill(shop: &Shop, market: &Arc<Market>, product: &str, carts: u32) -> Result<Vec<Queue>, Failure> {
    let lines = LINES.min(carts as usize);
    let mut filling = JoinSet::new();
    for number in 0..lines {
        let (market, gateway, product) = (Arc::clone(market), shop.gateway.clone(), product.to_owned());
        let share = (carts as usize + lines - 1 - number) / lines;
        filling.spawn(async move {
            let mut line = Line::open(&gateway, Some(&market.next_buyer().token)).await?;
            let mut carts = Vec::with_capacity(share);
            for _ in 0..share {
                carts.push(fill_cart(&mut line, &product).await?);
            }
            Ok(Queue { line, carts })
        });
    }
    filling.join_all().await.into_iter().collect()
}

/// Checks all of them out at once; the orders, and why there are fewer.
async fn release(queues: Vec<Queue>) -> (Vec<Uuid>, Vec<Failure>) {
    let mut running = JoinSet::new();
    for Queue { mut line, carts } in queues {
        running.spawn(async move {
            let mut answers = Vec::with_capacity(carts.len());
            for cart in carts {
                let order = check_out(&mut line, &cart).await;
                answers.push(order.and_then(|id| id.parse::<Uuid>().map_err(|error| format!("{id}: {error}"))));
            }
            answers
        });
    }
    let (mut orders, mut failures) = (Vec::new(), Vec::new());
    for answer in running.join_all().await.into_iter().flatten() {
        match answer {
            Ok(order) => orders.push(order),
            Err(failure) => failures.push(failure),
        }
    }
    (orders, failures)
}

/// What the books say that they must not.
async fn wrong(owner: &Client, orders: &[Uuid], product: &str, units: u32, carts: u32) -> Result<Option<Failure>> {
    let product: Uuid = product.parse().map_err(|error| not_begun(format!("{product}: {error}")))?;
    let row = owner.query_one(BOOKS, &[&orders, &product]).await.map_err(wire::Error::from)?;
    let books: &str = row.get("books");
    let wanted = json!({"confirmed": units, "refused": carts - units, "sold": units, "available": 0, "charged": units});
    let found: serde_json::Value = serde_json::from_str(books).unwrap_or_default();
    Ok((found != wanted)
        .then(|| format!("of {units} units for {carts} carts the books say {books}, and should {wanted}")))
}

async fn now(owner: &Client) -> Result<f64> {
    Ok(owner.query_one(NOW, &[]).await.map_err(wire::Error::from)?.get("now"))
}

async fn count(owner: &Client, sql: &str, orders: &[Uuid]) -> Result<i64> {
    Ok(owner.query_one(sql, &[&orders]).await.map_err(wire::Error::from)?.get(0))
}
