//! The boundary to whoever moves the money.
//!
//! A call may fail in between: then nobody here knows whether it took effect. Every call therefore carries
//! a key, and repeating it with the same key gives the first call's result without a second effect.

use async_trait::async_trait;
use events::{Money, OrderId, PaymentId, RefundId};

/// Money to be taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Charge {
    /// The idempotency key.
    pub key: PaymentId,
    /// For the provider's books.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
    /// With what, e.g. `pm_card_visa`.
    pub method: String,
}

/// Money to be given back.
#[derive(Debug, Clone, PartialEq)]
pub struct Reversal {
    /// The idempotency key.
    pub key: RefundId,
    /// The charge it is taken from.
    pub charge: PaymentId,
    /// How much.
    pub amount: Money,
}

/// What a provider says about a charge; final, however often it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeOutcome {
    /// The money is taken, once.
    Captured {
        /// The provider's name for the charge.
        reference: String,
    },
    /// Refused: nothing is taken and nothing will be.
    Declined {
        /// Machine code, e.g. `PAYMENT_DECLINED`.
        code: String,
        /// A sentence for the shopper.
        reason: String,
    },
    /// Never charged, and with this key never will be.
    Voided,
}

/// What a provider says about a refund; final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReversalOutcome {
    /// The money is given back, once.
    Reversed {
        /// The provider's name for the refund.
        reference: String,
    },
    /// Refused: nothing was given back.
    Refused {
        /// Why.
        reason: String,
    },
}

/// No answer, or none that decides anything: whether the call took effect is unknown. Ask again with the same key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unanswered(pub String);

/// Moves money outside this process. Every call is idempotent by its key.
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    /// Its name, as it stands in the column `provider`.
    fn name(&self) -> &'static str;

    /// Takes the money, or says what became of that key before.
    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, Unanswered>;

    /// Says what became of that key, and forbids it if nothing did: a charge still on its way will be
    /// refused. (With Stripe: cancel the payment intent of that key.)
    async fn void(&self, charge: &Charge) -> Result<ChargeOutcome, Unanswered>;

    /// Gives money back, or says what became of that key before.
    async fn refund(&self, reversal: &Reversal) -> Result<ReversalOutcome, Unanswered>;
}
