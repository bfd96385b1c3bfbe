//! Orders that are over, in the order of their ids.

use database::{Connection, Error};
use events::{OrderId, OrderStatus};

database::statements! {
    ENDED = "SELECT id, status FROM orders
        WHERE ($1::uuid IS NULL OR id > $1)
          AND status IN ('CONFIRMED', 'SHIPPED', 'DELIVERED', 'COMPENSATED', 'CANCELLED')
        ORDER BY id LIMIT $2";
    AMONG = "SELECT id, status FROM orders WHERE id = ANY ($1)";
}

/// Up to `limit` orders after this one that ended or are paid.
pub(super) async fn ended(
    db: &Connection,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<(OrderId, OrderStatus)>, Error> {
    Ok(db.query(ENDED, &[&after, &limit]).await?.iter().map(order).collect())
}

/// These orders, as they are now.
pub(super) async fn among(db: &Connection, orders: &[OrderId]) -> Result<Vec<(OrderId, OrderStatus)>, Error> {
    Ok(db.query(AMONG, &[&orders]).await?.iter().map(order).collect())
}

fn order(row: &database::Row) -> (OrderId, OrderStatus) {
    let status = row.get::<_, &str>("status").parse().expect("the column's CHECK allows only known states");
    (row.get("id"), status)
}
