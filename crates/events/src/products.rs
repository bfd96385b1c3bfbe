//! What products publishes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::envelope::event;
use crate::{CartId, CategoryId, Money, OrderId, ProductId, ReservationId};

/// A product came into the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProductCreated {
    /// The product.
    pub product_id: ProductId,
    /// Stock keeping unit, unique.
    #[schema(examples("TEA-EARL-GREY"))]
    pub sku: String,
    /// Name as shown.
    #[schema(examples("Earl Grey, 100 g"))]
    pub name: String,
    /// Price of one.
    pub price: Money,
    /// Category, if it has one.
    pub category_id: Option<CategoryId>,
    /// Path of its picture on the gateway.
    #[schema(examples("/images/tea-earl-grey.webp"))]
    pub image_url: Option<String>,
}
event!(ProductCreated, Products, "product.created", "product", product_id);

/// A product changed: the whole state after the change, and whether it can still be bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProductUpdated {
    /// The product.
    pub product_id: ProductId,
    /// Stock keeping unit, unique.
    #[schema(examples("TEA-EARL-GREY"))]
    pub sku: String,
    /// Name as shown.
    #[schema(examples("Earl Grey, 100 g"))]
    pub name: String,
    /// Price of one.
    pub price: Money,
    /// Category, if it has one.
    pub category_id: Option<CategoryId>,
    /// Path of its picture on the gateway.
    #[schema(examples("/images/tea-earl-grey.webp"))]
    pub image_url: Option<String>,
    /// Taken out of the catalogue?
    pub deleted: bool,
}
event!(ProductUpdated, Products, "product.updated", "product", product_id);

/// So many of one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockLine {
    /// The product.
    pub product_id: ProductId,
    /// How many.
    pub quantity: u32,
}

/// All lines of an order are held. Belongs to the order's aggregate, not the product's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StockReserved {
    /// The order that holds them.
    pub order_id: OrderId,
    /// The cart it came from.
    pub cart_id: CartId,
    /// The hold.
    pub reservation_id: ReservationId,
    /// What is held.
    pub lines: Vec<StockLine>,
    /// When the hold may be swept, should its order be unknown or over.
    pub expires_at: DateTime<Utc>,
}
event!(StockReserved, Products, "product.stock_reserved", "order", order_id);

/// Why stock could not be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StockRefusal {
    /// Not enough of it.
    OutOfStock,
    /// The price is another than the cart's.
    PriceChanged,
    /// Not in the catalogue any more.
    ProductUnavailable,
}

/// One line that stood in the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RefusedLine {
    /// The product.
    pub product_id: ProductId,
    /// Its name, for the shopper's message.
    #[schema(examples("Earl Grey, 100 g"))]
    pub name: String,
    /// What was wrong with this line.
    pub refusal: StockRefusal,
}

/// Nothing of an order is held: at least one line could not be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StockReservationFailed {
    /// The order.
    pub order_id: OrderId,
    /// The cart it came from.
    pub cart_id: CartId,
    /// The first reason, for the order as a whole.
    pub refusal: StockRefusal,
    /// Each line that could not be held.
    pub lines: Vec<RefusedLine>,
}
event!(StockReservationFailed, Products, "product.stock_reservation_failed", "order", order_id);

/// An order holds nothing any more (or never did, and never will).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StockReleased {
    /// The order.
    pub order_id: OrderId,
    /// The hold that was given back, if there was one.
    pub reservation_id: Option<ReservationId>,
    /// What went back to stock; empty if nothing was held.
    pub lines: Vec<StockLine>,
}
event!(StockReleased, Products, "product.stock_released", "order", order_id);
