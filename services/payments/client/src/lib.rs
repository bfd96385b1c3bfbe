//! What payments offers to other parts of the shop: the trait, its types, and the client over HTTP.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use events::{CorrelationId, Money, OrderId, PaymentId, RefundId, UserId};
use serde::{Deserialize, Serialize};
use service::{Caller, ConfigError, Error, HttpClient, Page};
use utoipa::{IntoParams, ToSchema};

/// Orders whose payments are read at once, at most.
pub const MAX_ORDERS: usize = 100;

/// What may be asked of payments. Implemented by the service itself and by [`Http`].
#[async_trait]
pub trait PaymentsApi: Send + Sync {
    /// The payment of an order, on a page of one or none. An order that is somebody else's looks like one
    /// without payment; an admin sees every one.
    ///
    /// Errors: 401 without login.
    async fn payments_of_order(&self, caller: &Caller, order_id: OrderId) -> Result<Page<Payment>, Error>;

    /// One payment: of the caller's own order, an admin's any.
    ///
    /// Errors: 401 without login; 404 `payment_not_found`.
    async fn payment(&self, caller: &Caller, id: PaymentId) -> Result<Payment, Error>;

    /// The payments of several orders, in no particular order; what is somebody else's is left out, as above. For
    /// loaders.
    ///
    /// Errors: 401 without login; 422 for more than [`MAX_ORDERS`] ids.
    async fn payments_of_orders(&self, caller: &Caller, ids: &[OrderId]) -> Result<Vec<Payment>, Error>;

    /// Begins to give money back: the refund is certain and `pending` when this answers; `PaymentRefunded`
    /// follows once the provider has done it. The same idempotency key has one effect.
    ///
    /// Errors: 401, 403 without the role admin; 404 `payment_not_found`; 409 `payment_not_captured` or
    /// `refund_exceeds_captured`; 422 for an amount or a reason that is not acceptable.
    async fn refund(&self, caller: &Caller, payment_id: PaymentId, request: CreateRefund) -> Result<Refund, Error>;
}

/// What became of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Wanted; the provider's answer is not known yet.
    Pending,
    /// The provider holds the money ready; not captured yet.
    Authorized,
    /// The money is ours.
    Captured,
    /// The provider refused it, for certain.
    Declined,
    /// Ended without a charge for another reason, e.g. called off before it began.
    Failed,
    /// All of it is given back.
    Refunded,
    /// Some of it is given back.
    PartiallyRefunded,
}

/// A text that is no status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownStatus(pub String);

impl fmt::Display for UnknownStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a status", self.0)
    }
}

impl std::error::Error for UnknownStatus {}

impl PaymentStatus {
    /// Every status.
    pub const ALL: [PaymentStatus; 7] = [
        PaymentStatus::Pending,
        PaymentStatus::Authorized,
        PaymentStatus::Captured,
        PaymentStatus::Declined,
        PaymentStatus::Failed,
        PaymentStatus::Refunded,
        PaymentStatus::PartiallyRefunded,
    ];

    /// As stored and as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            PaymentStatus::Pending => "pending",
            PaymentStatus::Authorized => "authorized",
            PaymentStatus::Captured => "captured",
            PaymentStatus::Declined => "declined",
            PaymentStatus::Failed => "failed",
            PaymentStatus::Refunded => "refunded",
            PaymentStatus::PartiallyRefunded => "partially_refunded",
        }
    }
}

impl FromStr for PaymentStatus {
    type Err = UnknownStatus;
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}

/// The payment of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Payment {
    /// The payment.
    pub id: PaymentId,
    /// The order it pays.
    pub order_id: OrderId,
    /// Who pays.
    pub user_id: UserId,
    /// What is to be paid.
    pub amount: Money,
    /// With what, e.g. `pm_card_visa`.
    pub payment_method: String,
    /// Who moves the money, e.g. `test`.
    pub provider: String,
    /// What became of it.
    pub status: PaymentStatus,
    /// What was captured.
    pub captured: Money,
    /// What of it was given back.
    pub refunded: Money,
    /// Why it was refused, as a machine code, e.g. `PAYMENT_DECLINED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_code: Option<String>,
    /// Why it was refused, as a sentence for the shopper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    /// The saga it belongs to.
    pub correlation_id: CorrelationId,
    /// What was given back or is about to be, oldest first.
    pub refunds: Vec<Refund>,
    /// When it was wanted.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What became of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Certain to be tried until the provider gives an answer.
    Pending,
    /// The money is back.
    Succeeded,
    /// The provider refused it, for certain.
    Failed,
}

impl RefundStatus {
    /// Every status.
    pub const ALL: [RefundStatus; 3] = [RefundStatus::Pending, RefundStatus::Succeeded, RefundStatus::Failed];

    /// As stored and as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            RefundStatus::Pending => "pending",
            RefundStatus::Succeeded => "succeeded",
            RefundStatus::Failed => "failed",
        }
    }
}

impl FromStr for RefundStatus {
    type Err = UnknownStatus;
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}

/// Money on its way back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Refund {
    /// The refund.
    pub id: RefundId,
    /// The payment it is taken from.
    pub payment_id: PaymentId,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// What became of it.
    pub status: RefundStatus,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Body of `POST /payments/{id}/refunds`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRefund {
    /// How much; whatever is left of the capture unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// Why, 1 to 500 characters.
    #[schema(example = "damaged in transit")]
    pub reason: String,
}

/// Whose payments are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfOrders {
    /// Ids of orders, separated by commas; at most 100.
    pub ids: String,
}

/// Payments in another process.
#[derive(Debug, Clone)]
pub struct Http(HttpClient);

impl Http {
    /// `base_url`: the value of `PAYMENTS_URL`, e.g. `http://127.0.0.1:8085`.
    pub fn new(base_url: &str) -> Result<Http, ConfigError> {
        HttpClient::new("payments", base_url).map(Http)
    }
}

#[async_trait]
impl PaymentsApi for Http {
    async fn payments_of_order(&self, caller: &Caller, order_id: OrderId) -> Result<Page<Payment>, Error> {
        self.0.get(caller, "/payments").query(&[("order_id", order_id)]).send().await
    }

    async fn payment(&self, caller: &Caller, id: PaymentId) -> Result<Payment, Error> {
        self.0.get(caller, &format!("/payments/{id}")).send().await
    }

    async fn payments_of_orders(&self, caller: &Caller, ids: &[OrderId]) -> Result<Vec<Payment>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = ids.iter().map(OrderId::to_string).collect::<Vec<_>>().join(",");
        self.0.get(caller, "/payments/by-orders").query(&OfOrders { ids }).send().await
    }

    async fn refund(&self, caller: &Caller, payment_id: PaymentId, request: CreateRefund) -> Result<Refund, Error> {
        self.0.post(caller, &format!("/payments/{payment_id}/refunds")).json(&request).send().await
    }
}
