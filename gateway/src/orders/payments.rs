//! What was paid for an order, and given back.

use async_graphql::{Enum, ID, Object};

use crate::scalars::{DateTime, Money};

/// What became of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "payments_client::PaymentStatus")]
pub enum PaymentStatus {
    /// Wanted; the provider's answer is not known yet.
    Pending,
    /// The provider holds the money ready; not captured yet.
    Authorized,
    /// The money is ours.
    Captured,
    /// The provider refused it, for certain.
    Declined,
    /// Ended without a charge for another reason.
    Failed,
    /// All of it is given back.
    Refunded,
    /// Some of it is given back.
    PartiallyRefunded,
}

/// The payment of an order.
#[derive(Debug, Clone)]
pub struct Payment(pub payments_client::Payment);

/// The payment of an order.
#[Object]
impl Payment {
    /// The payment's id.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What became of it.
    async fn status(&self) -> PaymentStatus {
        self.0.status.into()
    }

    /// What was to be paid.
    async fn amount(&self) -> Money {
        Money(self.0.amount)
    }

    /// What of it was captured.
    async fn captured(&self) -> Money {
        Money(self.0.captured)
    }

    /// What of that was given back.
    async fn refunded(&self) -> Money {
        Money(self.0.refunded)
    }

    /// With what, e.g. pm_card_visa.
    async fn method(&self) -> &str {
        &self.0.payment_method
    }

    /// Why it was refused, for machines: PAYMENT_DECLINED and others.
    async fn failure_code(&self) -> Option<&str> {
        self.0.failure_code.as_deref()
    }

    /// Why it was refused, for the shopper.
    async fn failure_reason(&self) -> Option<&str> {
        self.0.failure_reason.as_deref()
    }

    /// What was given back or is about to be, oldest first.
    async fn refunds(&self) -> Vec<Refund<'_>> {
        self.0.refunds.iter().map(Refund).collect()
    }

    /// When it was wanted.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

/// Money on its way back.
pub struct Refund<'a>(&'a payments_client::Refund);

/// Money on its way back.
#[Object]
impl Refund<'_> {
    /// The refund's id.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// How much.
    async fn amount(&self) -> Money {
        Money(self.0.amount)
    }

    /// PENDING until the provider has done it, then SUCCEEDED; FAILED if the provider refused it.
    async fn status(&self) -> String {
        self.0.status.as_str().to_uppercase()
    }

    /// Why.
    async fn reason(&self) -> Option<&str> {
        Some(self.0.reason.as_str())
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}
