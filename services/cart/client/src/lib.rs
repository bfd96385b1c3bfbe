//! What the cart service offers to others: its operations as the trait [`CartApi`], the types of its REST
//! interface, and [`Http`], the client that calls them over the network. The service itself implements
//! the trait for callers in the same process.

mod http;
mod types;

use async_trait::async_trait;
use events::{CartCheckoutInitiated, CartId, CartItemId, UserId};
use service::{Caller, Error};

pub use http::Http;
pub use types::{
    AddItem, Cart, CartItem, CartList, CartStatus, CheckoutCart, ListActiveCarts, ListCarts, MAX_QUANTITY, UpdateItem,
    WhoseCart,
};

/// At most so many carts are read at once.
pub const MAX_CARTS: usize = 100;

/// The operations of the cart service.
///
/// Who may: a cart without an owner is open to whoever holds its id (or the id of one of its lines), a
/// user's cart to that user, and for reading also to admins. Everybody else learns `cart_not_found` (404),
/// as for a cart that does not exist; a line that is not there is `cart_item_not_found` (404).
/// Changing a cart that is checking out or ordered is `cart_not_active` (409); changing an abandoned one
/// makes it active again.
///
/// A line keeps the price at which it was last added, until a checkout is refused: then the lines take the
/// present prices ("the cart shows the new price"). So nobody pays a price that was not shown.
///
/// The caller's idempotency key is honoured by every change.
#[async_trait]
pub trait CartApi: Send + Sync + 'static {
    /// Makes an empty cart: the caller's own, or without an owner for an anonymous caller.
    async fn create(&self, caller: &Caller) -> Result<Cart, Error>;

    /// Reads a cart.
    async fn get(&self, caller: &Caller, cart_id: CartId) -> Result<Cart, Error>;

    /// Reads several carts, in no particular order; those that the caller may not see are left out.
    /// For loaders. Errors: more than [`MAX_CARTS`] ids.
    async fn carts_by_ids(&self, caller: &Caller, cart_ids: &[CartId]) -> Result<Vec<Cart>, Error>;

    /// The latest active cart of a user; `None` if there is none, or if the caller is neither that user nor
    /// an admin.
    async fn active_cart_of_user(&self, caller: &Caller, user_id: UserId) -> Result<Option<Cart>, Error>;

    /// The same of several users, in no particular order; whoever has none, or is not the caller's business, is left out.
    /// For loaders. Errors: 401 without login; more than [`MAX_CARTS`] users.
    async fn active_carts_of_users(&self, caller: &Caller, user_ids: &[UserId]) -> Result<Vec<Cart>, Error>;

    /// Puts a product into a cart, or more of it; never looks at stock. Without a `cart_id` always into a
    /// new cart.
    ///
    /// Errors: `product_not_found` (404), `currency_mismatch` (409), `quantity_too_large` (422, over 999 of
    /// one product), `cart_full` (409, over 100 lines).
    async fn add_item(&self, caller: &Caller, input: AddItem) -> Result<Cart, Error>;

    /// Sets the quantity of a line.
    async fn update_item(&self, caller: &Caller, item_id: CartItemId, input: UpdateItem) -> Result<Cart, Error>;

    /// Takes a line out.
    async fn remove_item(&self, caller: &Caller, item_id: CartItemId) -> Result<Cart, Error>;

    /// Takes all lines out.
    async fn clear(&self, caller: &Caller, cart_id: CartId) -> Result<Cart, Error>;

    /// Deletes a cart that is active or abandoned.
    async fn delete(&self, caller: &Caller, cart_id: CartId) -> Result<(), Error>;

    /// Gives a cart without an owner to the caller: merged into the latest active cart of the caller, if
    /// there is one (the answer is then that one, and the given id is gone). The caller's own cart is
    /// answered unchanged.
    async fn adopt(&self, caller: &Caller, cart_id: CartId) -> Result<Cart, Error>;

    /// Turns an active cart into one that checks out, exactly once: fixes the order's id, its correlation id
    /// and a snapshot, and publishes `CartCheckoutInitiated`, which is also the answer. A cart that already
    /// checks out answers the same again, whatever the (valid) input. A cart without an owner becomes the caller's.
    ///
    /// Errors: 401 without a login, `cart_empty` (409), `cart_not_found` (404), `cart_already_ordered` (409),
    /// `validation_failed` (422).
    async fn checkout(
        &self,
        caller: &Caller,
        cart_id: CartId,
        input: CheckoutCart,
    ) -> Result<CartCheckoutInitiated, Error>;
}
