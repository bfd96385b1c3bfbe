//! How to ask orders: the operations, their types, and the client over HTTP.

mod http;
mod types;

use async_trait::async_trait;
use events::{OrderId, UserId};
use service::{Caller, Error, Page, PageQuery};

pub use http::Http;
pub use types::*;

/// At most so many timelines are read at once.
pub const MAX_TIMELINES: usize = 100;

/// At most so many users' orders are read at once.
pub const MAX_USERS: usize = 100;

/// What orders does for others. The service itself is the client in its own process; elsewhere
/// [`Http`] is. Every operation checks who calls; somebody else's order is `order_not_found`.
#[async_trait]
pub trait OrdersApi: Send + Sync {
    /// Checks out a cart and starts its saga. Once per cart: a second call answers the same order.
    ///
    /// Errors: those of the cart's checkout (`cart_not_found`, `cart_empty`, `cart_already_ordered`, …).
    async fn place(&self, caller: &Caller, input: PlaceOrder) -> Result<Order, Error>;

    /// One order of the caller's own; an admin's any.
    async fn order(&self, caller: &Caller, id: OrderId) -> Result<Order, Error>;

    /// The caller's orders, newest first; an admin sees everybody's.
    async fn orders(&self, caller: &Caller, filter: OrderFilter, page: PageQuery) -> Result<Page<Order>, Error>;

    /// The same page of the orders of several users, each newest first; whoever is not the caller's business is left out.
    /// For loaders. Errors: 401 without login; more than [`MAX_USERS`] users.
    async fn orders_of_users(
        &self,
        caller: &Caller,
        user_ids: &[UserId],
        page: &PageQuery,
    ) -> Result<Vec<OrdersOfUser>, Error>;

    /// Cancels an order that is not shipped. Answers at once; the order is `CANCELLING` until undone.
    ///
    /// Errors: `order_not_cancellable`.
    async fn cancel(&self, caller: &Caller, id: OrderId, input: CancelOrder) -> Result<Order, Error>;

    /// Marks a confirmed order as shipped (admin). Errors: `order_not_shippable`.
    async fn ship(&self, caller: &Caller, id: OrderId) -> Result<Order, Error>;

    /// Marks a shipped order as delivered (admin). Errors: `order_not_deliverable`.
    async fn deliver(&self, caller: &Caller, id: OrderId) -> Result<Order, Error>;

    /// What happened to an order, oldest first, across services.
    async fn timeline(&self, caller: &Caller, id: OrderId) -> Result<Vec<TimelineEntry>, Error>;

    /// The same of several orders, in no particular order; those are left out that are not the caller's (an admin sees
    /// any) or of which nothing is told yet. For loaders. Errors: more than [`MAX_TIMELINES`] ids.
    async fn timelines(&self, caller: &Caller, ids: &[OrderId]) -> Result<Vec<Timeline>, Error>;

    /// Sagas by state, the oldest first (admin).
    async fn sagas(&self, caller: &Caller, filter: SagaFilter, page: PageQuery) -> Result<Page<Saga>, Error>;

    /// The saga of an order, found by order, saga or correlation id (admin).
    async fn saga(&self, caller: &Caller, id: uuid::Uuid) -> Result<SagaDetail, Error>;

    /// Sets a stuck saga going again (admin). Errors: `saga_not_stuck`.
    async fn retry_saga(&self, caller: &Caller, id: uuid::Uuid) -> Result<SagaDetail, Error>;
}
