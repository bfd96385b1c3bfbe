//! What cart publishes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::envelope::event;
use crate::{CartId, CorrelationId, Money, OrderId, ProductId, UserId};

/// A product was put into a cart, or more of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ItemAddedToCart {
    /// The cart.
    pub cart_id: CartId,
    /// Its owner, if it has one.
    pub user_id: Option<UserId>,
    /// The product.
    pub product_id: ProductId,
    /// How many were added.
    pub quantity: u32,
    /// Price of one when added.
    pub unit_price: Money,
}
event!(ItemAddedToCart, Cart, "cart.item_added", "cart", cart_id);

/// One line as it is ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderLine {
    /// The product.
    pub product_id: ProductId,
    /// Its name when ordered.
    #[schema(examples("Earl Grey, 100 g"))]
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// The price of one that the shopper saw.
    pub unit_price: Money,
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, garde::Validate)]
pub struct Address {
    /// Who receives it.
    #[garde(custom(filled), length(chars, max = 200))]
    #[schema(examples("Ada Lovelace"))]
    pub full_name: String,
    /// Street and number.
    #[garde(custom(filled), length(chars, max = 200))]
    #[schema(examples("12 St James's Square"))]
    pub line1: String,
    /// Flat, floor, company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(chars, max = 200)))]
    #[schema(examples("Second floor"))]
    pub line2: Option<String>,
    /// Town.
    #[garde(custom(filled), length(chars, max = 100))]
    #[schema(examples("London"))]
    pub city: String,
    /// Postal code.
    #[garde(custom(filled), length(chars, max = 20))]
    #[schema(examples("SW1Y 4JH"))]
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    #[garde(custom(two_letters))]
    #[schema(examples("GB"))]
    pub country_code: String,
    /// For the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(length(chars, max = 40)))]
    #[schema(examples("+44 20 7946 0000"))]
    pub phone: Option<String>,
}

fn filled(text: &str, _: &()) -> garde::Result {
    if text.trim().is_empty() { Err(garde::Error::new("must not be empty")) } else { Ok(()) }
}

fn two_letters(text: &str, _: &()) -> garde::Result {
    let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_code { Ok(()) } else { Err(garde::Error::new("must be a country code of two letters, such as DE")) }
}

/// A cart is checking out: its snapshot is fixed, the saga begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CartCheckoutInitiated {
    /// The cart.
    pub cart_id: CartId,
    /// The order that this checkout becomes.
    pub order_id: OrderId,
    /// The saga's own id.
    pub correlation_id: CorrelationId,
    /// Who buys.
    pub user_id: UserId,
    /// What is bought. Never empty.
    pub lines: Vec<OrderLine>,
    /// Sum of the lines.
    pub total: Money,
    /// E.g. `pm_card_visa`.
    #[schema(examples("pm_card_visa"))]
    pub payment_method: String,
    /// Where it goes.
    pub shipping_address: Address,
}
event!(CartCheckoutInitiated, Cart, "cart.checkout_initiated", "cart", cart_id);

/// All lines were taken out of a cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CartCleared {
    /// The cart.
    pub cart_id: CartId,
}
event!(CartCleared, Cart, "cart.cleared", "cart", cart_id);

/// A cart whose order failed can be shopped with again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CartReopened {
    /// The cart.
    pub cart_id: CartId,
    /// The order that gave it back.
    pub order_id: OrderId,
}
event!(CartReopened, Cart, "cart.reopened", "cart", cart_id);
