//! Where a checkout was meant to go is orders' business once it is decided: the snapshot stays, its address goes.

use database::OldRows;

use crate::Carts;

database::statements! {
    /// What is kept of an address has the shape of one, so that everybody can still read it. A checkout that is not
    /// decided waits.
    FORGET = "WITH page AS MATERIALIZED (
            SELECT id, status = 'started' AS waits FROM saga_states
            WHERE id > $1 AND id < rpad(lpad(to_hex((extract(epoch FROM now() - make_interval(days => $2)) * 1000)::bigint),
                                             12, '0'), 32, '0')::uuid
            ORDER BY id LIMIT 1000),
        forgotten AS (
            UPDATE saga_states
            SET payload = payload || '{\"shipping_address\": {\"full_name\": \"\", \"line1\": \"\", \"city\": \"\", \"postal_code\": \"\", \"country_code\": \"ZZ\"}}'
            FROM page
            WHERE saga_states.id = page.id AND status <> 'started' AND payload #>> '{shipping_address,line1}' <> ''
            RETURNING saga_states.id)
        SELECT (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last,
               (SELECT id FROM page WHERE waits ORDER BY id LIMIT 1) AS waits,
               (SELECT count(*) FROM forgotten) AS done";
}

/// The addresses of checkouts begun more than so many days ago.
pub(crate) fn addresses(kept_days: i32) -> OldRows {
    OldRows::new(FORGET, kept_days)
}

impl Carts {
    /// Forgets the addresses of checkouts that were decided long ago. Returns of how many.
    pub async fn forget_addresses(&self) -> Result<i64, service::Error> {
        self.addresses.walk(&self.database).await
    }
}
