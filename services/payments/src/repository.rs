//! All SQL about payments and refunds: functions on a connection. Rows are locked in the order of their
//! order ids, so that batches never wait for each other in a circle.

use std::time::Duration;

use database::{Connection, Row};
use events::{CorrelationId, Currency, EventId, Money, MoneyError, OrderId, PaymentId, RefundId, TraceParent, UserId};
use messaging::HandlerError;
use payments_client::{PaymentStatus, RefundStatus};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::model::{Bill, Failure, Payment, Refund, RefundRequest, ask_again_after};

macro_rules! payment_columns {
    () => {
        "payments.id, payments.order_id, payments.user_id, payments.amount, payments.currency, payments.payment_method,
         payments.provider_ref, payments.status, payments.captured, payments.promised, payments.refunded,
         payments.failure_code, payments.failure_reason, payments.correlation_id, payments.requested_by,
         payments.refund_requested_by, payments.refund_reason, payments.attempts, payments.version,
         payments.traceparent"
    };
}

macro_rules! refund_columns {
    () => {
        "refunds.id AS refund_id, refunds.payment_id, refunds.amount AS refund_amount,
         refunds.currency AS refund_currency, refunds.reason, refunds.status AS refund_status,
         refunds.provider_ref AS refund_provider_ref, refunds.failure_reason AS refund_failure_reason,
         refunds.asked_by, refunds.requested_by AS refund_cause, refunds.attempts AS refund_attempts"
    };
}

database::statements! {
    /// The durable intent of a batch. An order that has a row keeps it.
    INSERT_PAYMENTS = "INSERT INTO payments (id, order_id, user_id, amount, currency, payment_method, correlation_id,
             requested_by, lease, traceparent, provider, status, next_attempt_at)
         SELECT id, order_id, user_id, amount, currency, payment_method, correlation_id, requested_by, lease,
             traceparent, $10, 'pending', now() + (CASE WHEN lease IS NULL THEN 0 ELSE $11::float8 END) * interval '1 second'
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::numeric[], $5::text[], $6::text[], $7::uuid[], $8::uuid[],
             $9::uuid[], $12::text[]) AS wanted (id, order_id, user_id, amount, currency, payment_method,
             correlation_id, requested_by, lease, traceparent)
         ORDER BY order_id
         ON CONFLICT (order_id) DO NOTHING
         RETURNING id";
    /// Marks the refund as wanted, or makes a row that forbids every later payment of the order. What is not
    /// being asked right now is asked at once.
    REQUEST_REFUNDS = concat!(
        "INSERT INTO payments (id, order_id, user_id, correlation_id, refund_requested_by, refund_reason, provider,
             status, failure_code, failure_reason)
         SELECT id, order_id, user_id, correlation_id, requested_by, reason, $7, 'failed', $8, $9
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[])
             AS wanted (id, order_id, user_id, correlation_id, requested_by, reason)
         ORDER BY order_id
         ON CONFLICT (order_id) DO UPDATE
         SET refund_requested_by = excluded.refund_requested_by, refund_reason = excluded.refund_reason,
             next_attempt_at = CASE WHEN payments.lease IS NULL THEN now() ELSE payments.next_attempt_at END,
             updated_at = now()
         RETURNING ", payment_columns!());
    LOCK_PAYMENTS_OF_ORDERS = concat!("SELECT ", payment_columns!(),
        " FROM payments WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE");
    LOCK_PAYMENT = concat!("SELECT ", payment_columns!(), " FROM payments WHERE id = $1 FOR UPDATE");
    /// Those whose lease is still held.
    LOCK_LEASED_PAYMENTS = concat!("SELECT ", payment_columns!(),
        " FROM payments JOIN unnest($1::uuid[], $2::uuid[]) AS held (id, lease)
            ON payments.id = held.id AND payments.lease = held.lease
          ORDER BY payments.order_id FOR UPDATE OF payments");
    CLAIM_PAYMENTS = concat!(
        "WITH due AS (
             SELECT id FROM payments WHERE status IN ('pending', 'authorized') AND next_attempt_at <= now()
             ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED)
         UPDATE payments SET lease = $2, next_attempt_at = now() + $3::float8 * interval '1 second'
         FROM due WHERE payments.id = due.id
         RETURNING ", payment_columns!());
    SAVE_PAYMENTS = "UPDATE payments
         SET status = new.status, captured = new.captured, promised = new.promised, refunded = new.refunded,
             provider_ref = new.provider_ref, failure_code = new.failure_code, failure_reason = new.failure_reason,
             attempts = new.attempts, version = new.version, lease = NULL,
             next_attempt_at = now() + new.wait_s * interval '1 second', updated_at = now()
         FROM unnest($1::uuid[], $2::text[], $3::numeric[], $4::numeric[], $5::numeric[], $6::text[], $7::text[],
             $8::text[], $9::int[], $10::bigint[], $11::float8[])
             AS new (id, status, captured, promised, refunded, provider_ref, failure_code, failure_reason, attempts,
             version, wait_s)
         WHERE payments.id = new.id";
    INSERT_REFUNDS = "INSERT INTO refunds (id, payment_id, amount, currency, reason, status, asked_by, requested_by)
         SELECT id, payment_id, amount, currency, reason, 'pending', asked_by, requested_by
         FROM unnest($1::uuid[], $2::uuid[], $3::numeric[], $4::text[], $5::text[], $6::uuid[], $7::uuid[])
             AS new (id, payment_id, amount, currency, reason, asked_by, requested_by)";
    CLAIM_REFUNDS = concat!(
        "WITH due AS (
             SELECT id FROM refunds WHERE status = 'pending' AND next_attempt_at <= now()
             ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED)
         UPDATE refunds SET lease = $2, next_attempt_at = now() + $3::float8 * interval '1 second'
         FROM due WHERE refunds.id = due.id
         RETURNING ", refund_columns!());
    /// The payments of refunds whose lease is still held. Payments are locked before refunds, everywhere.
    LOCK_PAYMENTS_OF_REFUNDS = concat!("SELECT ", payment_columns!(),
        " FROM payments WHERE id IN (SELECT payment_id FROM refunds WHERE id = ANY($1)) ORDER BY order_id FOR UPDATE");
    LOCK_LEASED_REFUNDS = concat!("SELECT ", refund_columns!(),
        " FROM refunds JOIN unnest($1::uuid[], $2::uuid[]) AS held (id, lease)
            ON refunds.id = held.id AND refunds.lease = held.lease
          ORDER BY refunds.id FOR UPDATE OF refunds");
    SAVE_REFUNDS = "UPDATE refunds
         SET status = new.status, provider_ref = new.provider_ref, failure_reason = new.failure_reason,
             attempts = new.attempts, lease = NULL, next_attempt_at = now() + new.wait_s * interval '1 second',
             updated_at = now()
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::float8[])
             AS new (id, status, provider_ref, failure_reason, attempts, wait_s)
         WHERE refunds.id = new.id";
    PAYMENTS_OF_ORDERS = concat!("SELECT ", payment_columns!(), ", provider, created_at, updated_at
         FROM payments WHERE order_id = ANY($1) AND amount IS NOT NULL AND ($2::uuid IS NULL OR user_id = $2)");
    PAYMENT = concat!("SELECT ", payment_columns!(), ", provider, created_at, updated_at
         FROM payments WHERE id = $1 AND amount IS NOT NULL AND ($2::uuid IS NULL OR user_id = $2)");
    REFUNDS_OF_PAYMENTS = concat!("SELECT ", refund_columns!(), ", created_at, updated_at
         FROM refunds WHERE payment_id = ANY($1) ORDER BY id");
    REFUND = concat!("SELECT ", refund_columns!(), ", created_at, updated_at FROM refunds WHERE id = $1");
}

/// A statement failed, or a row holds what it must not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error("a stored amount cannot be read or computed: {0}")]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Status(#[from] payments_client::UnknownStatus),
}

impl From<StoreError> for HandlerError {
    fn from(error: StoreError) -> HandlerError {
        match error {
            StoreError::Database(error) => HandlerError::Database(error),
            StoreError::Money(_) | StoreError::Status(_) => HandlerError::Reject(error.to_string()),
        }
    }
}

impl From<StoreError> for service::Error {
    fn from(error: StoreError) -> service::Error {
        match error {
            StoreError::Database(error) => error.into(),
            StoreError::Money(_) | StoreError::Status(_) => service::Error::internal(error),
        }
    }
}

/// A payment that is wanted, about to be stored.
#[derive(Debug, Clone)]
pub(crate) struct NewPayment {
    pub id: PaymentId,
    pub order_id: OrderId,
    pub user_id: UserId,
    pub amount: Money,
    pub method: String,
    pub correlation_id: CorrelationId,
    pub requested_by: EventId,
    /// Held by this process from the start, where it is about to be charged at once.
    pub lease: Option<Uuid>,
}

/// A refund that an order wants.
#[derive(Debug, Clone)]
pub(crate) struct NewRefundRequest {
    pub order_id: OrderId,
    pub user_id: UserId,
    pub correlation_id: CorrelationId,
    pub requested_by: EventId,
    pub reason: String,
}

/// Stores intents; returns the ids of those that were new.
pub(crate) async fn insert_payments(
    tx: &Connection,
    wanted: &[NewPayment],
    provider: &str,
    lease_time: Duration,
) -> Result<Vec<PaymentId>, StoreError> {
    let ids: Vec<PaymentId> = wanted.iter().map(|new| new.id).collect();
    let orders: Vec<OrderId> = wanted.iter().map(|new| new.order_id).collect();
    let users: Vec<UserId> = wanted.iter().map(|new| new.user_id).collect();
    let amounts: Vec<Decimal> = wanted.iter().map(|new| new.amount.decimal()).collect();
    let currencies: Vec<&str> = wanted.iter().map(|new| new.amount.currency().code()).collect();
    let methods: Vec<&str> = wanted.iter().map(|new| new.method.as_str()).collect();
    let correlations: Vec<CorrelationId> = wanted.iter().map(|new| new.correlation_id).collect();
    let causes: Vec<EventId> = wanted.iter().map(|new| new.requested_by).collect();
    let leases: Vec<Option<Uuid>> = wanted.iter().map(|new| new.lease).collect();
    let traces: Vec<Option<String>> =
        wanted.iter().map(|new| tx.trace_of(new.requested_by).map(|trace| trace.to_string())).collect();
    let rows = tx
        .query(
            INSERT_PAYMENTS,
            &[
                &ids,
                &orders,
                &users,
                &amounts,
                &currencies,
                &methods,
                &correlations,
                &causes,
                &leases,
                &provider,
                &lease_time.as_secs_f64(),
                &traces,
            ],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get("id")).collect())
}

/// Marks refunds as wanted, and returns the payments as they are, locked. `wanted` names an order once.
pub(crate) async fn request_refunds(
    tx: &Connection,
    wanted: &[NewRefundRequest],
    provider: &str,
) -> Result<Vec<Payment>, StoreError> {
    let ids: Vec<PaymentId> = wanted.iter().map(|_| PaymentId::new()).collect();
    let orders: Vec<OrderId> = wanted.iter().map(|new| new.order_id).collect();
    let users: Vec<UserId> = wanted.iter().map(|new| new.user_id).collect();
    let correlations: Vec<CorrelationId> = wanted.iter().map(|new| new.correlation_id).collect();
    let causes: Vec<EventId> = wanted.iter().map(|new| new.requested_by).collect();
    let reasons: Vec<&str> = wanted.iter().map(|new| new.reason.as_str()).collect();
    let failure = Failure::called_off();
    let rows = tx
        .query(
            REQUEST_REFUNDS,
            &[&ids, &orders, &users, &correlations, &causes, &reasons, &provider, &failure.code, &failure.reason],
        )
        .await?;
    rows.iter().map(payment).collect()
}

/// The payments of these orders, locked.
pub(crate) async fn lock_payments_of_orders(tx: &Connection, orders: &[OrderId]) -> Result<Vec<Payment>, StoreError> {
    tx.query(LOCK_PAYMENTS_OF_ORDERS, &[&orders]).await?.iter().map(payment).collect()
}

/// One payment, locked.
pub(crate) async fn lock_payment(tx: &Connection, id: PaymentId) -> Result<Option<Payment>, StoreError> {
    tx.query_opt(LOCK_PAYMENT, &[&id]).await?.as_ref().map(payment).transpose()
}

/// Those of the payments whose lease is still held, locked. Opens the transaction, if it is not open.
pub(crate) async fn lock_leased_payments(
    tx: &Connection,
    held: &[(PaymentId, Uuid)],
) -> Result<Vec<Payment>, StoreError> {
    let (ids, leases): (Vec<PaymentId>, Vec<Uuid>) = held.iter().copied().unzip();
    let rows = tx.open_with(LOCK_LEASED_PAYMENTS, &[&ids, &leases]).await?;
    note_traces(tx, &rows);
    rows.iter().map(payment).collect()
}

/// Leases up to `limit` payments whose time has come.
pub(crate) async fn claim_payments(
    db: &Connection,
    limit: i64,
    lease: Uuid,
    lease_time: Duration,
) -> Result<Vec<Payment>, StoreError> {
    db.query(CLAIM_PAYMENTS, &[&limit, &lease, &lease_time.as_secs_f64()]).await?.iter().map(payment).collect()
}

/// Stores what was decided about payments, and gives their leases back.
pub(crate) async fn save_payments(tx: &Connection, payments: &[&Payment]) -> Result<(), StoreError> {
    if payments.is_empty() {
        return Ok(());
    }
    let sum = |of: fn(&Bill) -> Money| -> Vec<Decimal> {
        payments.iter().map(|payment| payment.bill.as_ref().map_or(Decimal::ZERO, |bill| of(bill).decimal())).collect()
    };
    let ids: Vec<PaymentId> = payments.iter().map(|payment| payment.id).collect();
    let statuses: Vec<&str> = payments.iter().map(|payment| payment.status.as_str()).collect();
    let references: Vec<Option<&str>> = payments.iter().map(|payment| payment.provider_ref.as_deref()).collect();
    let failures = |of: fn(&Failure) -> &str| -> Vec<Option<&str>> {
        payments.iter().map(|payment| payment.failure.as_ref().map(of)).collect()
    };
    let attempts: Vec<i32> = payments.iter().map(|payment| count(payment.attempts)).collect();
    let versions: Vec<i64> = payments.iter().map(|payment| payment.version).collect();
    let waits: Vec<f64> = payments.iter().map(|payment| ask_again_after(payment.attempts).as_secs_f64()).collect();
    tx.execute(
        SAVE_PAYMENTS,
        &[
            &ids,
            &statuses,
            &sum(|bill| bill.captured),
            &sum(|bill| bill.promised),
            &sum(|bill| bill.refunded),
            &references,
            &failures(|failure| &failure.code),
            &failures(|failure| &failure.reason),
            &attempts,
            &versions,
            &waits,
        ],
    )
    .await?;
    Ok(())
}

/// Stores refunds that are to be carried out.
pub(crate) async fn insert_refunds(tx: &Connection, refunds: &[Refund]) -> Result<(), StoreError> {
    if refunds.is_empty() {
        return Ok(());
    }
    let ids: Vec<RefundId> = refunds.iter().map(|refund| refund.id).collect();
    let payments: Vec<PaymentId> = refunds.iter().map(|refund| refund.payment_id).collect();
    let amounts: Vec<Decimal> = refunds.iter().map(|refund| refund.amount.decimal()).collect();
    let currencies: Vec<&str> = refunds.iter().map(|refund| refund.amount.currency().code()).collect();
    let reasons: Vec<&str> = refunds.iter().map(|refund| refund.reason.as_str()).collect();
    let admins: Vec<Option<UserId>> = refunds.iter().map(|refund| refund.asked_by).collect();
    let causes: Vec<Option<EventId>> = refunds.iter().map(|refund| refund.requested_by).collect();
    tx.execute(INSERT_REFUNDS, &[&ids, &payments, &amounts, &currencies, &reasons, &admins, &causes]).await?;
    Ok(())
}

/// Leases up to `limit` refunds whose time has come.
pub(crate) async fn claim_refunds(
    db: &Connection,
    limit: i64,
    lease: Uuid,
    lease_time: Duration,
) -> Result<Vec<Refund>, StoreError> {
    db.query(CLAIM_REFUNDS, &[&limit, &lease, &lease_time.as_secs_f64()]).await?.iter().map(refund).collect()
}

/// Those of the refunds whose lease is still held, and their payments, all locked. Opens the transaction, if it is not
/// open.
pub(crate) async fn lock_leased_refunds(
    tx: &Connection,
    held: &[(RefundId, Uuid)],
) -> Result<(Vec<Payment>, Vec<Refund>), StoreError> {
    let (ids, leases): (Vec<RefundId>, Vec<Uuid>) = held.iter().copied().unzip();
    let rows = tx.open_with(LOCK_PAYMENTS_OF_REFUNDS, &[&ids]).await?;
    note_traces(tx, &rows);
    let payments: Result<Vec<Payment>, _> = rows.iter().map(payment).collect();
    let refunds: Result<Vec<Refund>, _> =
        tx.query(LOCK_LEASED_REFUNDS, &[&ids, &leases]).await?.iter().map(refund).collect();
    Ok((payments?, refunds?))
}

/// Stores what was decided about refunds, and gives their leases back.
pub(crate) async fn save_refunds(tx: &Connection, refunds: &[Refund]) -> Result<(), StoreError> {
    let ids: Vec<RefundId> = refunds.iter().map(|refund| refund.id).collect();
    let statuses: Vec<&str> = refunds.iter().map(|refund| refund.status.as_str()).collect();
    let references: Vec<Option<&str>> = refunds.iter().map(|refund| refund.provider_ref.as_deref()).collect();
    let failures: Vec<Option<&str>> = refunds.iter().map(|refund| refund.failure_reason.as_deref()).collect();
    let attempts: Vec<i32> = refunds.iter().map(|refund| count(refund.attempts)).collect();
    let waits: Vec<f64> = refunds.iter().map(|refund| ask_again_after(refund.attempts).as_secs_f64()).collect();
    tx.execute(SAVE_REFUNDS, &[&ids, &statuses, &references, &failures, &attempts, &waits]).await?;
    Ok(())
}

/// The payments of orders as they are shown; with `owner` only those that are that user's.
pub(crate) async fn payments_of_orders(
    db: &Connection,
    orders: &[OrderId],
    owner: Option<UserId>,
) -> Result<Vec<payments_client::Payment>, StoreError> {
    shown_payments(db, &db.query(PAYMENTS_OF_ORDERS, &[&orders, &owner]).await?).await
}

/// One payment as it is shown; with `owner` only if it is that user's.
pub(crate) async fn shown_payment_by_id(
    db: &Connection,
    id: PaymentId,
    owner: Option<UserId>,
) -> Result<Option<payments_client::Payment>, StoreError> {
    Ok(shown_payments(db, &db.query(PAYMENT, &[&id, &owner]).await?).await?.pop())
}

async fn shown_payments(db: &Connection, rows: &[Row]) -> Result<Vec<payments_client::Payment>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<PaymentId> = rows.iter().map(|row| row.get("id")).collect();
    let refunds = db.query(REFUNDS_OF_PAYMENTS, &[&ids]).await?;
    let refunds: Vec<payments_client::Refund> = refunds.iter().map(shown_refund).collect::<Result<_, _>>()?;
    rows.iter().filter_map(|row| shown_payment(row, &refunds).transpose()).collect()
}

/// A payment with its refunds among `refunds`; `None` if it is a tombstone.
fn shown_payment(
    row: &Row,
    refunds: &[payments_client::Refund],
) -> Result<Option<payments_client::Payment>, StoreError> {
    let payment = payment(row)?;
    let Some(bill) = payment.bill else { return Ok(None) };
    let (failure_code, failure_reason) = payment.failure.map(|failure| (failure.code, failure.reason)).unzip();
    Ok(Some(payments_client::Payment {
        id: payment.id,
        order_id: payment.order_id,
        user_id: payment.user_id,
        amount: bill.amount,
        payment_method: bill.method,
        provider: row.get("provider"),
        status: payment.status,
        captured: bill.captured,
        refunded: bill.refunded,
        failure_code,
        failure_reason,
        correlation_id: payment.correlation_id,
        refunds: refunds.iter().filter(|refund| refund.payment_id == payment.id).cloned().collect(),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    }))
}

/// A refund as it is shown.
pub(crate) async fn shown_refund_by_id(db: &Connection, id: RefundId) -> Result<payments_client::Refund, StoreError> {
    shown_refund(&db.query_one(REFUND, &[&id]).await?)
}

fn shown_refund(row: &Row) -> Result<payments_client::Refund, StoreError> {
    let refund = refund(row)?;
    Ok(payments_client::Refund {
        id: refund.id,
        payment_id: refund.payment_id,
        amount: refund.amount,
        reason: refund.reason,
        status: refund.status,
        failure_reason: refund.failure_reason,
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    })
}

/// What is announced about these payments belongs to the traces of the requests that asked for them.
fn note_traces(tx: &Connection, rows: &[Row]) {
    for row in rows {
        let trace = row.get::<_, Option<&str>>("traceparent").and_then(|text| text.parse::<TraceParent>().ok());
        let causes: [Option<EventId>; 2] = [row.get("requested_by"), row.get("refund_requested_by")];
        if let Some(trace) = trace {
            tx.note_traces(causes.into_iter().flatten().map(|cause| (cause, trace)));
        }
    }
}

fn payment(row: &Row) -> Result<Payment, StoreError> {
    let status: PaymentStatus = row.get::<_, &str>("status").parse()?;
    let refund_requested_by: Option<EventId> = row.get("refund_requested_by");
    let failure_code: Option<String> = row.get("failure_code");
    Ok(Payment {
        id: row.get("id"),
        order_id: row.get("order_id"),
        user_id: row.get("user_id"),
        status,
        bill: bill(row)?,
        provider_ref: row.get("provider_ref"),
        failure: failure_code.zip(row.get("failure_reason")).map(|(code, reason)| Failure { code, reason }),
        correlation_id: row.get("correlation_id"),
        requested_by: row.get("requested_by"),
        refund_request: refund_requested_by
            .zip(row.get("refund_reason"))
            .map(|(requested_by, reason)| RefundRequest { requested_by, reason }),
        attempts: row.get::<_, i32>("attempts").unsigned_abs(),
        version: row.get("version"),
    })
}

fn bill(row: &Row) -> Result<Option<Bill>, StoreError> {
    let Some(currency) = row.get::<_, Option<&str>>("currency") else { return Ok(None) };
    let currency: Currency = currency.parse()?;
    let money = |column: &str| Money::from_decimal(row.get(column), currency);
    Ok(Some(Bill {
        amount: money("amount")?,
        method: row.get("payment_method"),
        captured: money("captured")?,
        promised: money("promised")?,
        refunded: money("refunded")?,
    }))
}

fn refund(row: &Row) -> Result<Refund, StoreError> {
    let currency: Currency = row.get::<_, &str>("refund_currency").parse()?;
    let status: RefundStatus = row.get::<_, &str>("refund_status").parse()?;
    Ok(Refund {
        id: row.get("refund_id"),
        payment_id: row.get("payment_id"),
        amount: Money::from_decimal(row.get("refund_amount"), currency)?,
        reason: row.get("reason"),
        status,
        provider_ref: row.get("refund_provider_ref"),
        failure_reason: row.get("refund_failure_reason"),
        asked_by: row.get("asked_by"),
        requested_by: row.get("refund_cause"),
        attempts: row.get::<_, i32>("refund_attempts").unsigned_abs(),
    })
}

fn count(attempts: u32) -> i32 {
    i32::try_from(attempts).unwrap_or(i32::MAX)
}
