//! The types of the cart's REST interface.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use events::{Address, CartId, CartItemId, Money, ProductId, UserId};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// At most so many of one product are in a cart.
pub const MAX_QUANTITY: i32 = 999;

/// Where a cart stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CartStatus {
    /// Can be shopped with.
    Active,
    /// Its order is being decided; it cannot be changed meanwhile.
    CheckingOut,
    /// Bought. Final.
    Ordered,
    /// Left alone for long; a change makes it active again.
    Abandoned,
}

impl CartStatus {
    /// Every status.
    pub const ALL: [CartStatus; 4] =
        [CartStatus::Active, CartStatus::CheckingOut, CartStatus::Ordered, CartStatus::Abandoned];

    /// As stored in tables and sent as JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            CartStatus::Active => "active",
            CartStatus::CheckingOut => "checking_out",
            CartStatus::Ordered => "ordered",
            CartStatus::Abandoned => "abandoned",
        }
    }
}

impl fmt::Display for CartStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CartStatus {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        CartStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a status of a cart"))
    }
}

/// A cart with its lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Cart {
    /// The cart.
    pub id: CartId,
    /// Its owner, if it has one.
    pub user_id: Option<UserId>,
    /// Where it stands.
    pub status: CartStatus,
    /// Its lines, in the order in which they were first added.
    pub items: Vec<CartItem>,
    /// Sum of the lines.
    pub total: Money,
    /// Sum of the quantities.
    pub item_count: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// One line of a cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CartItem {
    /// The line.
    pub id: CartItemId,
    /// The product.
    pub product_id: ProductId,
    /// The product's name, as the cart last learned it.
    pub name: String,
    /// How many.
    pub quantity: i32,
    /// The price of one that the shopper sees and will pay.
    pub unit_price: Money,
    /// Price of the line.
    pub line_total: Money,
}

/// Puts a product into a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct AddItem {
    /// Into which cart; absent: into a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cart_id: Option<CartId>,
    /// Which product.
    pub product_id: ProductId,
    /// How many, 1 to 999; 1 unless told.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 999, default = 1)]
    #[garde(range(min = 1, max = MAX_QUANTITY))]
    pub quantity: i32,
}

fn one() -> i32 {
    1
}

/// Sets the quantity of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct UpdateItem {
    /// How many, 1 to 999.
    #[schema(minimum = 1, maximum = 999)]
    #[garde(range(min = 1, max = MAX_QUANTITY))]
    pub quantity: i32,
}

/// Checks a cart out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CheckoutCart {
    /// E.g. `pm_card_visa`.
    #[schema(min_length = 1, max_length = 100)]
    #[garde(custom(names_a_method), length(chars, max = 100))]
    pub payment_method: String,
    /// Where it goes.
    #[garde(dive)]
    pub shipping_address: Address,
}

/// As many digits in a row as a card's number has at least.
const CARD_DIGITS: usize = 13;

/// A card's number would be kept with the order and in its events for years, so it has to be stopped here.
fn names_a_method(text: &str, (): &()) -> garde::Result {
    let text = text.trim();
    let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let is_card = text.replace('-', "").split(|c: char| !c.is_ascii_digit()).any(|run| run.len() >= CARD_DIGITS);
    if !text.is_empty() && is_name && !is_card {
        return Ok(());
    }
    Err(garde::Error::new("must name a payment method, such as pm_card_visa, and never a card's number"))
}

/// Whose active cart is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhoseCart {
    /// The user; the caller unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
}

/// Which carts are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListCarts {
    /// Their ids, separated by commas; at most 100.
    pub ids: String,
}

/// Whose active carts are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListActiveCarts {
    /// Ids of users, separated by commas; at most 100.
    pub user_ids: String,
}

/// Several carts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CartList {
    /// The carts, in no particular order.
    pub items: Vec<Cart>,
}
