//! What payments publishes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::envelope::event;
use crate::{Money, OrderId, PaymentId};

/// The money is captured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentProcessed {
    /// The order it pays.
    pub order_id: OrderId,
    /// The payment.
    pub payment_id: PaymentId,
    /// What was captured.
    pub amount: Money,
}
event!(PaymentProcessed, Payments, "payment.processed", "order", order_id);

/// The money was refused, for certain: nothing is captured and nothing will be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentFailed {
    /// The order it was to pay.
    pub order_id: OrderId,
    /// The payment.
    pub payment_id: PaymentId,
    /// Machine code, e.g. `PAYMENT_DECLINED`.
    #[schema(examples("PAYMENT_DECLINED"))]
    pub code: String,
    /// A sentence for the shopper.
    #[schema(examples("Your card was declined."))]
    pub reason: String,
}
event!(PaymentFailed, Payments, "payment.failed", "order", order_id);

/// Answer to `RefundRequested`, or a refund by an operator: what is captured for the order now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentRefunded {
    /// The order.
    pub order_id: OrderId,
    /// The payment; none if the order never had one.
    pub payment_id: Option<PaymentId>,
    /// What was given back by this refund; none if nothing had been captured.
    pub amount: Option<Money>,
    /// Nothing of the order's money is left with the shop.
    #[schema(examples(true))]
    pub complete: bool,
}
event!(PaymentRefunded, Payments, "payment.refunded", "order", order_id);
