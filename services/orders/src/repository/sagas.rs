//! Sagas, as operators look at them.

use database::{Connection, Error, Row};
use events::OrderId;
use orders_client::{Compensation, Saga, SagaFilter};
use uuid::Uuid;

database::statements! {
    SAGAS = "SELECT id, order_id, (SELECT user_id FROM orders WHERE orders.id = order_id) AS user_id, correlation_id,
            status, compensation_log, asked, created_at, updated_at, expires_at
        FROM saga_states
        WHERE ($1::text IS NULL OR status = $1) AND ($2::uuid IS NULL OR id > $2)
          AND ($4::uuid IS NULL OR order_id IN (SELECT o.id FROM orders o WHERE o.user_id = $4))
        ORDER BY id LIMIT $3";
    SAGA = "SELECT id, order_id, (SELECT user_id FROM orders WHERE orders.id = order_id) AS user_id, correlation_id,
            status, compensation_log, asked, created_at, updated_at, expires_at
        FROM saga_states
        WHERE order_id = ANY (ARRAY[$1, (SELECT o.id FROM orders o WHERE o.saga_correlation_id = $1)]) OR id = $1";
    COMPENSATIONS = "SELECT compensation_event, status, created_at, completed_at FROM compensation_log
        WHERE order_id = $1 ORDER BY id";
    OPEN_BY_STATUS = "SELECT status, count(*) AS sagas FROM saga_states
        WHERE status NOT IN ('CONFIRMED', 'SHIPPED', 'DELIVERED', 'COMPENSATED', 'CANCELLED') GROUP BY status";
}

/// Sagas by state, and by whose order they carry.
pub async fn sagas(db: &Connection, filter: &SagaFilter, after: Option<Uuid>, rows: i64) -> Result<Vec<Saga>, Error> {
    Ok(db.query(SAGAS, &[&filter.status, &after, &rows, &filter.user_id]).await?.iter().map(saga_from).collect())
}

/// The saga of an order, by order, saga or correlation id.
pub async fn saga(db: &Connection, id: Uuid) -> Result<Option<Saga>, Error> {
    Ok(db.query_opt(SAGA, &[&id]).await?.as_ref().map(saga_from))
}

fn saga_from(row: &Row) -> Saga {
    Saga {
        id: row.get("id"),
        order_id: row.get("order_id"),
        user_id: row.get("user_id"),
        correlation_id: row.get("correlation_id"),
        status: row.get("status"),
        owed: row.get("compensation_log"),
        asked: row.get("asked"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
        expires_at: row.get("expires_at"),
    }
}

/// Each undo's run, oldest first.
pub async fn compensations(db: &Connection, id: OrderId) -> Result<Vec<Compensation>, Error> {
    let rows = db.query(COMPENSATIONS, &[&id]).await?;
    Ok(rows
        .iter()
        .map(|row| Compensation {
            event: row.get("compensation_event"),
            status: row.get("status"),
            created_at: row.get("created_at"),
            completed_at: row.get("completed_at"),
        })
        .collect())
}

/// How many sagas are open, by state.
pub async fn open_by_status(db: &Connection) -> Result<Vec<(String, i64)>, Error> {
    let rows = db.query(OPEN_BY_STATUS, &[]).await?;
    Ok(rows.iter().map(|row| (row.get("status"), row.get("sagas"))).collect())
}
