//! Who calls -> may they -> is it acceptable -> one transaction -> answer.

use async_trait::async_trait;
use axum::http::StatusCode;
use database::Connection;
use database::audit::{self, Action, Operator, Subject};
use events::{OrderId, PaymentId, RefundId, UserId};
use payments_client::{CreateRefund, MAX_ORDERS, Payment, PaymentsApi, Refund, RefundStatus};
use service::{Caller, Error, Page, idempotency};

use crate::model::{self, RefundRefusal};
use crate::repository::{self, StoreError};
use crate::{Payments, SERVICE};

const MAX_REASON_CHARS: usize = 500;
const REFUND: Action = Action::named("payment.refund");

#[async_trait]
impl PaymentsApi for Payments {
    async fn payments_of_order(&self, caller: &Caller, order_id: OrderId) -> Result<Page<Payment>, Error> {
        let items = self.payments_of_orders(caller, &[order_id]).await?;
        Ok(Page { items, next_cursor: None, cursors: Vec::new() })
    }

    async fn payment(&self, caller: &Caller, id: PaymentId) -> Result<Payment, Error> {
        let owner = owner(caller)?;
        let db = self.database.read().await?;
        repository::shown_payment_by_id(&db, id, owner).await?.ok_or_else(not_found)
    }

    async fn payments_of_orders(&self, caller: &Caller, ids: &[OrderId]) -> Result<Vec<Payment>, Error> {
        let owner = owner(caller)?;
        if ids.len() > MAX_ORDERS {
            return Err(Error::invalid("ids", "too_many", format!("at most {MAX_ORDERS} orders are read at once")));
        }
        let db = self.database.read().await?;
        Ok(repository::payments_of_orders(&db, ids, owner).await?)
    }

    async fn refund(&self, caller: &Caller, payment_id: PaymentId, request: CreateRefund) -> Result<Refund, Error> {
        let admin = caller.admin()?.user_id;
        let operator = Operator { actor: caller.actor()?, reason: Some(request.reason.clone()) };
        check(&request)?;
        let operation = idempotency::Operation::new(
            SERVICE,
            "POST /payments/{id}/refunds",
            StatusCode::CREATED,
            caller,
            None,
            &(payment_id, &request),
        )?;
        let refund = idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move { promise(tx, payment_id, request, admin, &operator).await })
        })
        .await?;
        self.worker.nudge();
        Ok(refund)
    }
}

/// Whose payments the caller may see; `None`: everybody's.
fn owner(caller: &Caller) -> Result<Option<UserId>, Error> {
    let user = caller.user()?.user_id;
    Ok((!caller.is_admin()).then_some(user))
}

fn not_found() -> Error {
    Error::not_found("payment_not_found", "there is no such payment")
}

fn check(request: &CreateRefund) -> Result<(), Error> {
    if request.reason.trim().is_empty() {
        return Err(Error::invalid("reason", "missing", "say why"));
    }
    if request.reason.chars().count() > MAX_REASON_CHARS {
        return Err(Error::invalid("reason", "too_long", "a reason is at most 500 characters"));
    }
    Ok(())
}

/// Stores the refund, with who gave it, and takes it off what is left, under the lock of the payment.
async fn promise(
    tx: &Connection,
    payment_id: PaymentId,
    request: CreateRefund,
    admin: UserId,
    operator: &Operator,
) -> Result<Refund, Error> {
    let mut payment = repository::lock_payment(tx, payment_id)
        .await?
        .filter(|payment| payment.bill.is_some())
        .ok_or_else(not_found)?;
    let amount = payment.refund_some(request.amount).map_err(refused)?;
    let refund = model::Refund {
        id: RefundId::new(),
        payment_id,
        amount,
        reason: request.reason,
        status: RefundStatus::Pending,
        provider_ref: None,
        failure_reason: None,
        asked_by: Some(admin),
        requested_by: None,
        attempts: 0,
    };
    repository::save_payments(tx, &[&payment]).await?;
    let subject = Subject::of_saga(payment_id.uuid(), payment.correlation_id);
    audit::record(tx, operator, REFUND, &[subject], audit::Outcome::Done).await?;
    let id = refund.id;
    repository::insert_refunds(tx, &[refund]).await?;
    Ok(repository::shown_refund_by_id(tx, id).await?)
}

fn refused(refusal: RefundRefusal) -> Error {
    let message = refusal.to_string();
    match refusal {
        RefundRefusal::NotCaptured => Error::conflict("payment_not_captured", message),
        RefundRefusal::ExceedsCaptured { .. } => Error::conflict("refund_exceeds_captured", message),
        RefundRefusal::NotPositive => Error::invalid("amount", "not_positive", message),
        RefundRefusal::Stored(error) => StoreError::from(error).into(),
        RefundRefusal::OtherCurrency(_) => Error::invalid("amount", "other_currency", message),
    }
}
