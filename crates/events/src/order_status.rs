//! The states of an order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// Stored; nothing decided yet.
    Pending,
    /// The cart's snapshot is accepted; stock is being held.
    CartValidated,
    /// All lines are held; payment is under way.
    InventoryReserved,
    /// Paid. Passing: becomes `Confirmed` in the same breath.
    PaymentProcessed,
    /// Paid and final; waits to be shipped.
    Confirmed,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
    /// Something failed; what was done is being undone.
    Failed,
    /// Failed, and everything is undone.
    Compensated,
    /// Cancelled by the shopper or an operator; what was done is being undone.
    Cancelling,
    /// Cancelled, and everything is undone.
    Cancelled,
}

impl OrderStatus {
    /// Every status.
    pub const ALL: [OrderStatus; 11] = [
        OrderStatus::Pending,
        OrderStatus::CartValidated,
        OrderStatus::InventoryReserved,
        OrderStatus::PaymentProcessed,
        OrderStatus::Confirmed,
        OrderStatus::Shipped,
        OrderStatus::Delivered,
        OrderStatus::Failed,
        OrderStatus::Compensated,
        OrderStatus::Cancelling,
        OrderStatus::Cancelled,
    ];

    /// The name in the database, in JSON and in GraphQL.
    pub fn as_str(self) -> &'static str {
        match self {
            OrderStatus::Pending => "PENDING",
            OrderStatus::CartValidated => "CART_VALIDATED",
            OrderStatus::InventoryReserved => "INVENTORY_RESERVED",
            OrderStatus::PaymentProcessed => "PAYMENT_PROCESSED",
            OrderStatus::Confirmed => "CONFIRMED",
            OrderStatus::Shipped => "SHIPPED",
            OrderStatus::Delivered => "DELIVERED",
            OrderStatus::Failed => "FAILED",
            OrderStatus::Compensated => "COMPENSATED",
            OrderStatus::Cancelling => "CANCELLING",
            OrderStatus::Cancelled => "CANCELLED",
        }
    }

    /// A live subscription ends here: nothing more happens without somebody's hand.
    pub fn ends_subscription(self) -> bool {
        match self {
            OrderStatus::Confirmed
            | OrderStatus::Shipped
            | OrderStatus::Delivered
            | OrderStatus::Compensated
            | OrderStatus::Cancelled => true,
            OrderStatus::Pending
            | OrderStatus::CartValidated
            | OrderStatus::InventoryReserved
            | OrderStatus::PaymentProcessed
            | OrderStatus::Failed
            | OrderStatus::Cancelling => false,
        }
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OrderStatus {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        OrderStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not an order status"))
    }
}
