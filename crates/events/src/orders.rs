//! What orders publishes: what became of an order, and what it asks others to do.
//!
//! Every payload carries `statuses`, the states that the order passed through in this change, oldest
//! first: a live view can show each of them, also the passing ones.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::envelope::event;
use crate::{CartId, Money, OrderId, OrderLine, OrderStatus, UserId};

/// The order is valid; its stock is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderPlaced {
    /// The order.
    pub order_id: OrderId,
    /// Its buyer.
    pub user_id: UserId,
    /// The cart it came from.
    pub cart_id: CartId,
    /// States passed through.
    #[schema(examples(json!(["CART_VALIDATED"])))]
    pub statuses: Vec<OrderStatus>,
    /// What to hold, at which price.
    pub lines: Vec<OrderLine>,
    /// What the shopper will pay.
    pub total: Money,
}
event!(OrderPlaced, Orders, "order.placed", "order", order_id);

/// The stock is held; the payment is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentRequested {
    /// The order.
    pub order_id: OrderId,
    /// Its buyer.
    pub user_id: UserId,
    /// States passed through.
    #[schema(examples(json!(["INVENTORY_RESERVED"])))]
    pub statuses: Vec<OrderStatus>,
    /// What to capture.
    pub amount: Money,
    /// With what, e.g. `pm_card_visa`.
    #[schema(examples("pm_card_visa"))]
    pub payment_method: String,
    /// The saga gives up at this time; shorter than the hold.
    pub due_at: DateTime<Utc>,
}
event!(PaymentRequested, Orders, "order.payment_requested", "order", order_id);

/// Paid: the hold becomes a sale, the cart is ordered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderConfirmed {
    /// The order.
    pub order_id: OrderId,
    /// Its buyer.
    pub user_id: UserId,
    /// The cart it came from.
    pub cart_id: CartId,
    /// States passed through.
    #[schema(examples(json!(["PAYMENT_PROCESSED", "CONFIRMED"])))]
    pub statuses: Vec<OrderStatus>,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// What was paid.
    pub total: Money,
}
event!(OrderConfirmed, Orders, "order.confirmed", "order", order_id);

/// The order will not be fulfilled; what was done is being undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderFailed {
    /// The order.
    pub order_id: OrderId,
    /// Its buyer.
    pub user_id: UserId,
    /// The cart it came from.
    pub cart_id: CartId,
    /// States passed through.
    #[schema(examples(json!(["FAILED"])))]
    pub statuses: Vec<OrderStatus>,
    /// Machine code, e.g. `PAYMENT_DECLINED`.
    #[schema(examples("PAYMENT_DECLINED"))]
    pub code: String,
    /// A sentence for the shopper.
    #[schema(examples("Your card was declined."))]
    pub reason: String,
}
event!(OrderFailed, Orders, "order.failed", "order", order_id);

/// Everything that a failed order had done is undone: stock and cart are back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderRolledBack {
    /// The order.
    pub order_id: OrderId,
    /// Its buyer.
    pub user_id: UserId,
    /// The cart it came from.
    pub cart_id: CartId,
    /// States passed through.
    #[schema(examples(json!(["COMPENSATED"])))]
    pub statuses: Vec<OrderStatus>,
}
event!(OrderRolledBack, Orders, "order.rolled_back", "order", order_id);

/// A cancelled order is undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderCancelled {
    /// The order.
    pub order_id: OrderId,
    /// Its buyer.
    pub user_id: UserId,
    /// The cart it came from.
    pub cart_id: CartId,
    /// States passed through.
    #[schema(examples(json!(["CANCELLED"])))]
    pub statuses: Vec<OrderStatus>,
    /// What was given as the reason.
    #[schema(examples("Ordered by mistake"))]
    pub reason: Option<String>,
}
event!(OrderCancelled, Orders, "order.cancelled", "order", order_id);

/// Give back whatever was captured for this order, and capture nothing more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RefundRequested {
    /// The order.
    pub order_id: OrderId,
    /// Its buyer.
    pub user_id: UserId,
    /// States passed through.
    #[schema(examples(json!(["CANCELLING"])))]
    pub statuses: Vec<OrderStatus>,
    /// Why, for the provider's record.
    #[schema(examples("order_cancelled"))]
    pub reason: String,
}
event!(RefundRequested, Orders, "order.refund_requested", "order", order_id);

/// Give back whatever stock this order holds or bought, and hold nothing more for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReleaseRequested {
    /// The order.
    pub order_id: OrderId,
    /// Its buyer.
    pub user_id: UserId,
    /// The cart it came from.
    pub cart_id: CartId,
    /// States passed through.
    #[schema(examples(json!(["FAILED"])))]
    pub statuses: Vec<OrderStatus>,
}
event!(ReleaseRequested, Orders, "order.release_requested", "order", order_id);

/// Make the cart of this order active again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReopenRequested {
    /// The order.
    pub order_id: OrderId,
    /// Its buyer.
    pub user_id: UserId,
    /// The cart to reopen.
    pub cart_id: CartId,
    /// States passed through.
    #[schema(examples(json!(["FAILED"])))]
    pub statuses: Vec<OrderStatus>,
}
event!(ReopenRequested, Orders, "order.reopen_requested", "order", order_id);

/// The order left the house.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderShipped {
    /// The order.
    pub order_id: OrderId,
    /// Its buyer.
    pub user_id: UserId,
    /// States passed through.
    #[schema(examples(json!(["SHIPPED"])))]
    pub statuses: Vec<OrderStatus>,
}
event!(OrderShipped, Orders, "order.shipped", "order", order_id);

/// The order arrived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderDelivered {
    /// The order.
    pub order_id: OrderId,
    /// Its buyer.
    pub user_id: UserId,
    /// States passed through.
    #[schema(examples(json!(["DELIVERED"])))]
    pub statuses: Vec<OrderStatus>,
}
event!(OrderDelivered, Orders, "order.delivered", "order", order_id);
