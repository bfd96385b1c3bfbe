//! Payments whose outcome is open.

use database::{Connection, Error};

database::statements! {
    OPEN = "SELECT count(*) FILTER (WHERE attempts = 0) AS pending, count(*) FILTER (WHERE attempts > 0) AS unknown,
            coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest_age_s
        FROM payments WHERE status IN ('pending', 'authorized')";
}

/// How many payments are open, and for how long.
pub(super) struct Open {
    /// Being asked for the first time, or about to be.
    pub pending: i64,
    /// Those of which an answer got lost.
    pub unknown: i64,
    /// Age of the oldest of both; 0 if there is none.
    pub oldest_age_s: f64,
}

/// Counts them, by the index of what is due.
pub(super) async fn open(db: &Connection) -> Result<Open, Error> {
    let row = db.query_one(OPEN, &[]).await?;
    Ok(Open { pending: row.get("pending"), unknown: row.get("unknown"), oldest_age_s: row.get("oldest_age_s") })
}
