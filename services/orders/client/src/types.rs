//! What goes in and what comes out.

use chrono::{DateTime, Utc};
use events::{Address, CartId, CorrelationId, Money, OrderId, OrderStatus, ProductId, UserId};
use serde::{Deserialize, Serialize};
use service::Page;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Places an order from a cart.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    /// The cart to check out.
    pub cart_id: CartId,
    /// E.g. `pm_card_visa`.
    #[schema(example = "pm_card_visa")]
    pub payment_method: String,
    /// Where it goes.
    pub shipping_address: Address,
}

/// Cancels an order.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelOrder {
    /// Why, for the record; 500 characters at most.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Which orders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct OrderFilter {
    /// Only those in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<OrderStatus>,
    /// Only this user's; others than oneself only for admins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Only the one with this id, of the order, its saga's correlation or an event that moved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Uuid>,
    /// Only those placed then or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Only those placed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
}

/// Whose orders are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListOfUsers {
    /// Ids of users, separated by commas; at most 100.
    pub user_ids: String,
}

/// A page of a user's orders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrdersOfUser {
    /// The user.
    pub user_id: UserId,
    /// Their orders, newest first.
    pub orders: Page<Order>,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Who bought.
    pub user_id: UserId,
    /// The cart it came from.
    pub cart_id: CartId,
    /// Where it stands.
    pub status: OrderStatus,
    /// May it still be cancelled? A cancel that comes at the same time as a shipment may come too late nevertheless.
    pub cancellable: bool,
    /// Counts its changes.
    pub version: i64,
    /// What was bought.
    pub items: Vec<OrderItem>,
    /// Sum of the items.
    pub subtotal: Money,
    /// Shipping; zero until shipping exists.
    pub shipping_total: Money,
    /// Tax; zero until taxes exist.
    pub tax_total: Money,
    /// Subtotal, shipping and tax.
    pub total: Money,
    /// Where it goes.
    pub shipping_address: Option<Address>,
    /// Its saga's id, in every log line and event.
    pub correlation_id: CorrelationId,
    /// Why it failed, for machines: `PAYMENT_DECLINED`, `OUT_OF_STOCK`, `PRICE_CHANGED`, `EXPIRED`, …
    pub failure_code: Option<String>,
    /// Why it failed, for the shopper.
    pub failure_reason: Option<String>,
    /// When it was placed.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it left the house.
    pub shipped_at: Option<DateTime<Utc>>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it was cancelled.
    pub cancelled_at: Option<DateTime<Utc>>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderItem {
    /// The product.
    pub product_id: ProductId,
    /// Its name when ordered.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// Price of one.
    pub unit_price: Money,
    /// Price of all.
    pub line_total: Money,
}

/// Something that happened to an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimelineEntry {
    /// The event, e.g. `StockReserved`.
    pub event: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The service that said so.
    pub service: String,
    /// More, if there is more to say.
    pub detail: Option<String>,
}

/// Whose timelines are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListTimelines {
    /// Ids of orders, separated by commas; at most 100.
    pub ids: String,
}

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Timeline {
    /// The order.
    pub order_id: OrderId,
    /// What happened to it, oldest first.
    pub entries: Vec<TimelineEntry>,
}

/// Which sagas.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct SagaFilter {
    /// A saga's status: an order's, or `STUCK`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Only those of this user's orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
}

/// A saga in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Saga {
    /// Its row.
    pub id: Uuid,
    /// The order it carries.
    pub order_id: OrderId,
    /// Who ordered.
    pub user_id: UserId,
    /// Its id in events and logs.
    pub correlation_id: CorrelationId,
    /// An order's status, or `STUCK`.
    pub status: String,
    /// Undos still owed, the next one first.
    pub owed: Vec<String>,
    /// How often the next undo was asked for.
    pub asked: i32,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it last moved.
    pub updated_at: DateTime<Utc>,
    /// When the watchdog looks at it.
    pub expires_at: Option<DateTime<Utc>>,
}

/// One saga with all that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SagaDetail {
    /// The saga.
    pub saga: Saga,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// Each undo's run, oldest first.
    pub compensations: Vec<Compensation>,
}

/// The run of one undo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Compensation {
    /// The request, e.g. `RefundRequested`.
    pub event: String,
    /// `requested` or `completed`.
    pub status: String,
    /// When it was first asked for.
    pub created_at: DateTime<Utc>,
    /// When it was answered.
    pub completed_at: Option<DateTime<Utc>>,
}
