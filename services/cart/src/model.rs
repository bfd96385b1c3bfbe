//! What may be done with a cart. No I/O.

use cart_client::{Cart, CartItem, CartStatus, CheckoutCart, MAX_QUANTITY};
use events::{
    Address, CartCheckoutInitiated, CartId, CartItemId, CorrelationId, Currency, ItemAddedToCart, Money, MoneyError,
    OrderId, OrderLine, ProductId, UserId,
};
use service::{Caller, Error};
use uuid::Uuid;

/// At most so many lines are in a cart.
pub const MAX_LINES: usize = 100;

/// What the cart knows of a product.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductCopy {
    /// The product.
    pub id: ProductId,
    /// Name as shown.
    pub name: String,
    /// Stock keeping unit.
    pub sku: String,
    /// Price of one.
    pub price: Money,
    /// Path of its picture.
    pub image_url: Option<String>,
    /// Version of the product that this copies.
    pub version: i64,
    /// Taken out of the catalogue?
    pub deleted: bool,
}

/// A cart as stored: what others see of it, and what they do not.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredCart {
    /// What others see.
    pub cart: Cart,
    /// Counts changes.
    pub version: i64,
    /// The order that it is becoming or became.
    pub order_id: Option<OrderId>,
}

/// What a checkout of a cart means in its present state.
#[derive(Debug, PartialEq)]
pub enum Checkout {
    /// It begins.
    Begin,
    /// It has begun before, with this order id: the same answer again.
    Begun(OrderId),
}

/// What adopting a cart means.
#[derive(Debug, PartialEq, Eq)]
pub enum Adoption {
    /// It is the caller's already.
    Own,
    /// It has no owner, and can get one.
    Ownerless,
}

/// 404: there is no such cart, or it is somebody else's.
pub fn cart_not_found() -> Error {
    Error::not_found("cart_not_found", "there is no such cart")
}

/// 404: no cart of the caller has this line.
pub fn item_not_found() -> Error {
    Error::not_found("cart_item_not_found", "there is no such line in a cart of yours")
}

/// 404: the catalogue does not have it, or no more.
pub fn product_not_found() -> Error {
    Error::not_found("product_not_found", "there is no such product")
}

impl StoredCart {
    /// A cart with no lines, not yet stored. Its times are those of this process until it is.
    pub fn new(id: CartId, user_id: Option<UserId>, currency: Currency) -> StoredCart {
        let now = chrono::Utc::now();
        let cart = Cart {
            id,
            user_id,
            status: CartStatus::Active,
            items: Vec::new(),
            total: Money::zero(currency),
            item_count: 0,
            created_at: now,
            updated_at: now,
        };
        StoredCart { cart, version: 1, order_id: None }
    }

    /// May the caller look at it? An ownerless cart is open to whoever holds its id.
    pub fn check_readable(&self, caller: &Caller) -> Result<(), Error> {
        if caller.is_admin() { Ok(()) } else { self.check_usable(caller) }
    }

    /// May the caller use it?
    pub fn check_usable(&self, caller: &Caller) -> Result<(), Error> {
        match self.cart.user_id {
            Some(owner) if caller.user_id() != Some(owner) => Err(cart_not_found()),
            Some(_) | None => Ok(()),
        }
    }

    /// May its lines be changed now? An abandoned cart comes back to life.
    pub fn reopen_for_change(&mut self) -> Result<(), Error> {
        match self.cart.status {
            CartStatus::Active | CartStatus::Abandoned => {
                self.cart.status = CartStatus::Active;
                self.version += 1;
                Ok(())
            }
            CartStatus::CheckingOut => {
                Err(Error::conflict("cart_not_active", "this cart is checking out and cannot be changed"))
            }
            CartStatus::Ordered => {
                Err(Error::conflict("cart_not_active", "this cart is ordered and cannot be changed"))
            }
        }
    }

    /// Adds a product, or more of it; the line takes the present price, which the answer shows.
    pub fn add(&mut self, product: &ProductCopy, quantity: i32) -> Result<CartItem, Error> {
        self.check_currency(product.price.currency())?;
        let lines = self.cart.items.len();
        match self.cart.items.iter_mut().find(|item| item.product_id == product.id) {
            Some(item) => {
                item.quantity = item.quantity.saturating_add(quantity);
                item.unit_price = product.price;
            }
            None if lines >= MAX_LINES => {
                return Err(Error::conflict("cart_full", format!("a cart holds at most {MAX_LINES} products")));
            }
            None => self.cart.items.push(CartItem {
                id: CartItemId(Uuid::new_v4()), // random like the cart's: whoever holds it may change an ownerless cart
                product_id: product.id,
                name: product.name.clone(),
                quantity,
                unit_price: product.price,
                line_total: product.price,
            }),
        }
        self.recount()?;
        self.cart.items.iter().find(|item| item.product_id == product.id).cloned().ok_or_else(item_not_found)
    }

    /// Sets the quantity of a line; its price stays.
    pub fn set_quantity(&mut self, item_id: CartItemId, quantity: i32) -> Result<CartItem, Error> {
        self.cart.items.iter_mut().find(|item| item.id == item_id).ok_or_else(item_not_found)?.quantity = quantity;
        self.recount()?;
        self.cart.items.iter().find(|item| item.id == item_id).cloned().ok_or_else(item_not_found)
    }

    /// Takes a line out.
    pub fn remove(&mut self, item_id: CartItemId) -> Result<(), Error> {
        let before = self.cart.items.len();
        self.cart.items.retain(|item| item.id != item_id);
        if self.cart.items.len() == before { Err(item_not_found()) } else { self.recount() }
    }

    /// Takes all lines out.
    pub fn clear(&mut self) -> Result<(), Error> {
        self.cart.items.clear();
        self.recount()
    }

    /// What does adopting it mean for this user?
    pub fn adoption(&self, user: UserId) -> Result<Adoption, Error> {
        match self.cart.user_id {
            Some(owner) if owner == user => Ok(Adoption::Own),
            Some(_) => Err(cart_not_found()),
            None => Ok(Adoption::Ownerless),
        }
    }

    /// This cart with the lines of another: same products add up (to 999 at most) at the other's price, which
    /// the shopper saw last. `None` if one cart cannot hold both: two currencies, or too many lines.
    pub fn merged_with(&self, other: &StoredCart) -> Result<Option<StoredCart>, Error> {
        let mut merged = self.clone();
        for line in &other.cart.items {
            if merged.check_currency(line.unit_price.currency()).is_err() {
                return Ok(None);
            }
            match merged.cart.items.iter_mut().find(|item| item.product_id == line.product_id) {
                Some(item) => {
                    item.quantity = (item.quantity + line.quantity).min(MAX_QUANTITY);
                    item.unit_price = line.unit_price;
                }
                None => merged.cart.items.push(CartItem { id: CartItemId(Uuid::new_v4()), ..line.clone() }),
            }
        }
        merged.recount()?;
        Ok((merged.cart.items.len() <= MAX_LINES).then_some(merged))
    }

    /// What does a checkout by this user mean now?
    pub fn checkout(&self, user: UserId) -> Result<Checkout, Error> {
        if self.cart.user_id.is_some_and(|owner| owner != user) {
            return Err(cart_not_found());
        }
        match (self.cart.status, self.order_id) {
            (CartStatus::Ordered, _) => Err(Error::conflict("cart_already_ordered", "this cart is ordered already")),
            (CartStatus::CheckingOut, Some(order_id)) => Ok(Checkout::Begun(order_id)),
            (CartStatus::CheckingOut, None) => Err(Error::internal("a cart that checks out has an order id")),
            (CartStatus::Active | CartStatus::Abandoned, _) if self.cart.items.is_empty() => {
                Err(Error::conflict("cart_empty", "this cart is empty"))
            }
            (CartStatus::Active | CartStatus::Abandoned, _) => Ok(Checkout::Begin),
        }
    }

    /// Begins the checkout: the cart is the user's and frozen, and its snapshot is the answer and the event.
    pub fn begin_checkout(&mut self, user: UserId, input: CheckoutCart) -> Result<CartCheckoutInitiated, Error> {
        let order_id = OrderId::new();
        self.cart.user_id = Some(user);
        self.cart.status = CartStatus::CheckingOut;
        self.order_id = Some(order_id);
        self.version += 1;
        let line = |item: &CartItem| OrderLine {
            product_id: item.product_id,
            name: item.name.clone(),
            quantity: item.quantity.unsigned_abs(),
            unit_price: item.unit_price,
        };
        Ok(CartCheckoutInitiated {
            cart_id: self.cart.id,
            order_id,
            correlation_id: CorrelationId::new(),
            user_id: user,
            lines: self.cart.items.iter().map(line).collect(),
            total: self.cart.total,
            payment_method: input.payment_method.trim().to_owned(),
            shipping_address: tidy(input.shipping_address),
        })
    }

    /// What is told of a product that was added.
    pub fn item_added(&self, item: &CartItem, quantity: i32) -> ItemAddedToCart {
        ItemAddedToCart {
            cart_id: self.cart.id,
            user_id: self.cart.user_id,
            product_id: item.product_id,
            quantity: quantity.unsigned_abs(),
            unit_price: item.unit_price,
        }
    }

    /// One currency per cart; an empty cart takes any.
    fn check_currency(&mut self, currency: Currency) -> Result<(), Error> {
        if self.cart.items.is_empty() {
            self.cart.total = Money::zero(currency);
        }
        let own = self.cart.total.currency();
        if own == currency {
            return Ok(());
        }
        let message = format!("this cart is in {own}, the product is sold in {currency}; use another cart for it");
        Err(Error::conflict("currency_mismatch", message))
    }

    /// Line totals, total and count from the lines.
    fn recount(&mut self) -> Result<(), Error> {
        let mut total = Money::zero(self.cart.total.currency());
        for item in &mut self.cart.items {
            if item.quantity > MAX_QUANTITY {
                let message = format!("a cart holds at most {MAX_QUANTITY} of one product");
                return Err(Error::unprocessable("quantity_too_large", message));
            }
            item.line_total = item.unit_price.times(item.quantity.unsigned_abs()).map_err(too_expensive)?;
            total = total.plus(item.line_total).map_err(too_expensive)?;
        }
        self.cart.total = total;
        self.cart.item_count = self.cart.items.iter().map(|item| i64::from(item.quantity)).sum();
        Ok(())
    }
}

fn too_expensive(error: MoneyError) -> Error {
    Error::unprocessable("total_too_large", "the total of the cart is larger than can be paid").with_source(error)
}

/// No blanks around, no empty extras, the country in capitals.
fn tidy(address: Address) -> Address {
    let trim = |text: String| text.trim().to_owned();
    let extra = |text: Option<String>| text.map(trim).filter(|text| !text.is_empty());
    Address {
        full_name: trim(address.full_name),
        line1: trim(address.line1),
        line2: extra(address.line2),
        city: trim(address.city),
        postal_code: trim(address.postal_code),
        country_code: address.country_code.to_ascii_uppercase(),
        phone: extra(address.phone),
    }
}

/// What is known of a cart when news of its order arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The cart.
    pub cart_id: CartId,
    /// Where it stands.
    pub status: CartStatus,
    /// The order that it is becoming or became.
    pub order_id: Option<OrderId>,
    /// Counts changes.
    pub version: i64,
}

impl Standing {
    /// The order is confirmed. Returns whether that changes the cart: only the order that it is becoming can.
    pub fn confirm(&mut self, order_id: OrderId) -> bool {
        self.leave_checkout(order_id, CartStatus::Ordered)
    }

    /// The order failed and gives the cart back. Returns whether that changes the cart: a late request of an
    /// earlier order must not reopen a newer checkout, and an ordered cart stays ordered.
    pub fn reopen(&mut self, order_id: OrderId) -> bool {
        let changed = self.leave_checkout(order_id, CartStatus::Active);
        if changed {
            self.order_id = None;
        }
        changed
    }

    fn leave_checkout(&mut self, order_id: OrderId, to: CartStatus) -> bool {
        match self.status {
            CartStatus::CheckingOut if self.order_id == Some(order_id) => {
                self.status = to;
                self.version += 1;
                true
            }
            CartStatus::CheckingOut | CartStatus::Active | CartStatus::Ordered | CartStatus::Abandoned => false,
        }
    }
}

#[cfg(test)]
mod tests;
