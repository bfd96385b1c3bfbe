//! All SQL of the test provider's books. Each function is one statement that commits by itself.

use database::{Database, Error, Row};
use events::{OrderId, PaymentId};
use rust_decimal::Decimal;
use tokio_postgres::error::SqlState;

use super::{Entry, Method, Status};
use crate::provider::{Charge, Reversal};

/// A method of two faults succeeds with this call.
const CALLS_UNTIL_HEALTHY: i32 = 3;

database::statements! {
    CHARGE = "INSERT INTO test_provider_charges AS book (key, order_id, amount, currency, payment_method, status)
         SELECT key, order_id, amount, currency, payment_method, status
         FROM unnest($1::uuid[], $2::uuid[], $3::numeric[], $4::text[], $5::text[], $6::text[])
             AS asked (key, order_id, amount, currency, payment_method, status)
         ORDER BY key
         ON CONFLICT (key) DO UPDATE
         SET calls = book.calls + 1,
             status = CASE WHEN book.status = 'faulty' AND book.calls + 1 >= $7 THEN 'captured' ELSE book.status END
         RETURNING key, status, payment_method, calls";
    VOID = "INSERT INTO test_provider_charges AS book (key, order_id, amount, currency, payment_method, status)
         VALUES ($1, $2, $3, $4, $5, 'voided')
         ON CONFLICT (key) DO UPDATE
         SET calls = book.calls + 1,
             status = CASE WHEN book.status = 'faulty' THEN 'voided' ELSE book.status END
         RETURNING key, status, payment_method, calls";
    /// The charge's own row decides how much is left: whoever comes second sees what the first one took.
    REFUND = "WITH taken AS (
             UPDATE test_provider_charges SET refunded = refunded + $3
             WHERE key = $2 AND status = 'captured' AND refunded + $3 <= amount
               AND NOT EXISTS (SELECT 1 FROM test_provider_refunds WHERE key = $1)
             RETURNING key)
         INSERT INTO test_provider_refunds (key, charge_key, amount) SELECT $1, key, $3 FROM taken";
    FIND_REFUND = "SELECT 1 FROM test_provider_refunds WHERE key = $1";
}

/// Enters charges, or counts the call where the key is known. Keys are distinct.
pub(super) async fn charge(database: &Database, charges: &[Charge]) -> Result<Vec<Entry>, Error> {
    let keys: Vec<PaymentId> = charges.iter().map(|charge| charge.key).collect();
    let orders: Vec<OrderId> = charges.iter().map(|charge| charge.order_id).collect();
    let amounts: Vec<Decimal> = charges.iter().map(|charge| charge.amount.decimal()).collect();
    let currencies: Vec<&str> = charges.iter().map(|charge| charge.amount.currency().code()).collect();
    let methods: Vec<&str> = charges.iter().map(|charge| charge.method.as_str()).collect();
    let statuses: Vec<&str> = charges.iter().map(|charge| Method::of(&charge.method).first_status().as_str()).collect();
    let db = database.read().await?;
    let rows =
        db.query(CHARGE, &[&keys, &orders, &amounts, &currencies, &methods, &statuses, &CALLS_UNTIL_HEALTHY]).await?;
    Ok(rows.iter().filter_map(entry).collect())
}

/// Forbids the key, unless something became of it before.
pub(super) async fn void(database: &Database, charge: &Charge) -> Result<Entry, VoidError> {
    let db = database.read().await?;
    let (amount, currency) = (charge.amount.decimal(), charge.amount.currency().code());
    let row = db.query_one(VOID, &[&charge.key, &charge.order_id, &amount, &currency, &charge.method]).await?;
    entry(&row).ok_or(VoidError::Unreadable)
}

/// Why a key could not be forbidden.
#[derive(Debug, thiserror::Error)]
pub(super) enum VoidError {
    #[error(transparent)]
    Database(#[from] Error),
    #[error("the books hold an unknown status")]
    Unreadable,
}

/// Enters a refund; `false` if there is not that much left of the charge.
pub(super) async fn refund(database: &Database, reversal: &Reversal) -> Result<bool, Error> {
    let db = database.read().await?;
    match db.execute(REFUND, &[&reversal.key, &reversal.charge, &reversal.amount.decimal()]).await {
        Ok(entered) if entered > 0 => Ok(true),
        Ok(_) => Ok(db.query_opt(FIND_REFUND, &[&reversal.key]).await?.is_some()),
        // The same key came twice at once: the other one entered it.
        Err(error) if error.sql_state() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(true),
        Err(error) => Err(error),
    }
}

fn entry(row: &Row) -> Option<Entry> {
    Some(Entry {
        key: row.get("key"),
        status: Status::parse(row.get("status"))?,
        method: Method::of(row.get("payment_method")),
        calls: row.get("calls"),
    })
}
