//! Where an order went is forgotten once nobody can need it any more: the order stays, its address goes.

use database::OldRows;

use crate::Orders;

database::statements! {
    /// What is kept of an address has the shape of one, so that everybody can still read it. An order that still has to
    /// go somewhere waits.
    FORGET = "WITH page AS MATERIALIZED (
            SELECT id, shipping_address IS NOT NULL
                AND status NOT IN ('SHIPPED', 'DELIVERED', 'COMPENSATED', 'CANCELLED') AS waits
            FROM orders
            WHERE id > $1 AND id < rpad(lpad(to_hex((extract(epoch FROM now() - make_interval(days => $2)) * 1000)::bigint),
                                             12, '0'), 32, '0')::uuid
            ORDER BY id LIMIT 1000),
        forgotten AS (
            UPDATE orders SET shipping_address = NULL FROM page
            WHERE orders.id = page.id AND shipping_address IS NOT NULL
              AND status IN ('SHIPPED', 'DELIVERED', 'COMPENSATED', 'CANCELLED')
            RETURNING orders.id),
        snapshots AS (
            UPDATE saga_states SET payload = payload || '{\"shipping_address\": {\"full_name\": \"\", \"line1\": \"\", \"city\": \"\", \"postal_code\": \"\", \"country_code\": \"ZZ\"}}'
            FROM forgotten WHERE order_id = forgotten.id)
        SELECT (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last,
               (SELECT id FROM page WHERE waits ORDER BY id LIMIT 1) AS waits,
               (SELECT count(*) FROM forgotten) AS done";
}

/// The addresses of orders placed more than so many days ago.
pub(crate) fn addresses(kept_days: i32) -> OldRows {
    OldRows::new(FORGET, kept_days)
}

impl Orders {
    /// Forgets the addresses of orders that are over, or on their way, for long. Returns of how many.
    pub async fn forget_addresses(&self) -> Result<i64, service::Error> {
        self.addresses.walk(&self.database).await
    }
}
