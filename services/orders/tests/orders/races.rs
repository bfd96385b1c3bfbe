//! A thousand orders whose payment arrives in the moment in which their time is up.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use events::{Draft, OrderStatus};
use orders::OrdersConfig;
use testkit::eventually;
use uuid::Uuid;

use crate::support::{Checkout, SOON, Shop};

const ORDERS: usize = 1_000;
const AT_ONCE: usize = 50;
/// So many besides are clearly in time, and as many clearly too late.
const CLEAR: usize = 25;

/// What orders told of each order, sorted.
async fn told(shop: &Shop) -> BTreeMap<String, Vec<String>> {
    let sql = "SELECT aggregate_id::text AS id, array_agg(event_type ORDER BY event_type) AS told FROM orders.events
               WHERE event_type NOT IN ('OrderPlaced', 'PaymentRequested') GROUP BY aggregate_id";
    let rows = shop.owner.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get("id"), row.get("told"))).collect()
}

fn ids(orders: &[Checkout]) -> Vec<Uuid> {
    orders.iter().map(|it| it.id().uuid()).collect()
}

/// Waits until the statement counts so many orders.
async fn counts(shop: &Shop, sql: &str, wanted: usize) {
    eventually(3 * SOON, || async {
        let found = shop.number(sql).await;
        if found == wanted as i64 { Ok(()) } else { Err(format!("{found} orders instead of {wanted}: {sql}")) }
    })
    .await;
}

/// Some payments long after their deadline, some long before.
async fn pay_clearly(shop: &Shop, late: &[Checkout], in_time: &[Checkout]) {
    let set = "UPDATE orders.saga_states SET expires_at = now() + $2::float8 * interval '1 second'
               WHERE order_id = ANY ($1)";
    shop.owner.execute(set, &[&ids(in_time), &3_600.0]).await.unwrap();
    shop.owner.execute(set, &[&ids(late), &0.0]).await.unwrap();
    counts(shop, "SELECT count(*) FROM orders.orders WHERE status = 'FAILED'", CLEAR).await;
    shop.tell(late.iter().chain(in_time).map(Checkout::processed).collect()).await;
}

/// The hold's end is the saga's deadline: whichever comes first decides, and the other is heard and changes nothing.
#[tokio::test]
async fn a_payment_that_meets_its_deadline_a_thousand_times_is_kept_or_given_back() {
    // Nobody answers, and nobody asks again.
    let hour = Duration::from_secs(3600);
    let config = OrdersConfig { undo_patience: hour, undo_patience_max: hour, ..OrdersConfig::default() };
    let shop = Shop::watched(config).await;
    let other = shop.replica();
    shop.consume(&other);
    shop.watch(&other);
    let orders: Vec<Checkout> = (0..ORDERS + 2 * CLEAR).map(|_| shop.cart()).collect();
    let say = |word: fn(&Checkout) -> Draft| orders.iter().map(word).collect::<Vec<_>>();
    shop.tell(say(Checkout::initiated)).await;
    shop.tell(say(Checkout::reserved)).await;
    let (racing, clear) = orders.split_at(ORDERS);
    let (late, in_time) = clear.split_at(CLEAR);
    pay_clearly(&shop, late, in_time).await;
    let mut takes = Duration::from_millis(100);
    for round in racing.chunks(AT_ONCE) {
        let (begun, ids) = (Instant::now(), ids(round));
        // Some time within what it took the last payments to be heard of.
        let sql = "UPDATE orders.saga_states SET expires_at = now() + random() * $2::float8 * interval '1 second'
                   WHERE order_id = ANY ($1)";
        shop.owner.execute(sql, &[&ids, &takes.as_secs_f64()]).await.unwrap();
        shop.tell(round.iter().map(Checkout::processed).collect()).await;
        takes = begun.elapsed();
    }
    counts(&shop, "SELECT count(*) FROM orders.orders WHERE status NOT IN ('CONFIRMED', 'FAILED')", 0).await;
    shop.rest().await;

    for (orders, status) in [(late, OrderStatus::Failed), (in_time, OrderStatus::Confirmed)] {
        for order in orders {
            assert_eq!(shop.status(order).await, status);
        }
    }
    let statuses = shop.owner.query("SELECT id::text, status FROM orders.orders", &[]).await.unwrap();
    let told = told(&shop).await;
    let mut confirmed = 0;
    for row in &statuses {
        let (id, status): (String, String) = (row.get("id"), row.get("status"));
        let expected: &[&str] = match status.as_str() {
            "CONFIRMED" => &["OrderConfirmed"],
            _ => &["OrderFailed", "RefundRequested"],
        };
        assert_eq!(told[&id], expected, "order {id} is {status}");
        confirmed += usize::from(status == "CONFIRMED");
    }
    println!("{confirmed} of {} orders were paid in time", statuses.len());
    assert_eq!(statuses.len(), orders.len());
}
