//! What shoppers were told has to be so in the end.

use std::collections::BTreeMap;

use tokio_postgres::Client;
use uuid::Uuid;

use super::Shop;

/// An order that a shopper was told of.
#[derive(Debug)]
pub struct Promise {
    pub order: Uuid,
    pub told: Told,
    /// The shopper hung up at least once before the answer.
    pub hung_up: bool,
}

/// The last that a shopper heard of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It is placed.
    Placed,
    /// It is confirmed, and the shopper never asked to call it off.
    Confirmed,
    /// It is being called off.
    CalledOff,
    /// It is placed; whether it was called off, too, the shopper never heard.
    PerhapsCalledOff,
}

/// Asked once the shop is at rest.
pub async fn are_kept(shop: &Shop, promises: &[Promise]) {
    let broken = broken(&shop.database.owner().await, promises).await;
    assert!(broken.is_empty(), "{broken:#?}");
}

/// What was not kept: orders that are gone or ended otherwise than was told, and carts that were bought twice.
pub async fn broken(owner: &Client, promises: &[Promise]) -> Vec<String> {
    let ids: Vec<Uuid> = promises.iter().map(|promise| promise.order).collect();
    let rows = owner.query("SELECT id, status FROM orders.orders WHERE id = ANY ($1)", &[&ids]).await;
    let found: BTreeMap<Uuid, String> =
        rows.expect("read orders").iter().map(|row| (row.get("id"), row.get("status"))).collect();
    let twice = "SELECT cart_id::text FROM orders.orders WHERE status IN ('CONFIRMED', 'SHIPPED', 'DELIVERED')
                 GROUP BY cart_id HAVING count(*) > 1";
    let twice = owner.query(twice, &[]).await.expect("read carts");
    let orders = promises.iter().filter_map(|promise| {
        let Promise { order, told, .. } = promise;
        let status = found.get(order).map(String::as_str);
        (!told.is_kept_by(status)).then(|| format!("{order} was told {told:?}, and is {}", status.unwrap_or("gone")))
    });
    orders.chain(twice.iter().map(|row| format!("cart {} was bought twice", row.get::<_, &str>(0)))).collect()
}

impl Told {
    fn is_kept_by(self, status: Option<&str>) -> bool {
        match self {
            Told::Placed | Told::PerhapsCalledOff => status.is_some(),
            Told::Confirmed => matches!(status, Some("CONFIRMED" | "SHIPPED" | "DELIVERED")),
            Told::CalledOff => matches!(status, Some("CANCELLED" | "COMPENSATED")),
        }
    }
}
