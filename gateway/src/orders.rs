//! Orders and the checkout.

mod mutations;
mod payments;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use events::OrderId;
use orders_client::OrderFilter;
use service::{Caller, Error, PageQuery};
use users_client::UserFilter;

use crate::connections::{Connection, PageArguments, cost};
use crate::errors::{fault, found};
use crate::products::Product;
use crate::scalars::{DateTime, Money};
use crate::scope::Scope;
use crate::users::User;

pub use mutations::OrderMutations;
pub use payments::Payment;

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "events::OrderStatus")]
pub enum OrderStatus {
    /// Stored; nothing decided yet.
    Pending,
    /// The cart is accepted; stock is being held.
    CartValidated,
    /// All lines are held; payment is under way.
    InventoryReserved,
    /// Paid. Passing: becomes CONFIRMED in the same breath.
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
    /// Cancelled; what was done is being undone.
    Cancelling,
    /// Cancelled, and everything is undone.
    Cancelled,
}

/// An order, and to whom it is shown.
#[derive(Debug, Clone)]
pub struct Order {
    order: orders_client::Order,
    caller: Caller,
}

impl Order {
    /// Shows an order to a caller who may see it.
    pub fn new(order: orders_client::Order, caller: Caller) -> Self {
        Self { order, caller }
    }
}

/// An order.
#[Object]
impl Order {
    /// The order's id.
    async fn id(&self) -> ID {
        self.order.id.to_string().into()
    }

    /// Where it stands.
    async fn status(&self) -> OrderStatus {
        self.order.status.into()
    }

    /// What was bought.
    async fn items(&self) -> Vec<OrderItem<'_>> {
        self.order.items.iter().map(OrderItem).collect()
    }

    /// Sum of the items.
    async fn subtotal(&self) -> Money {
        Money(self.order.subtotal)
    }

    /// Shipping; zero until shipping exists.
    async fn shipping_total(&self) -> Money {
        Money(self.order.shipping_total)
    }

    /// Tax; zero until taxes exist.
    async fn tax_total(&self) -> Money {
        Money(self.order.tax_total)
    }

    /// What is paid: subtotal, shipping and tax.
    async fn total(&self) -> Money {
        Money(self.order.total)
    }

    /// Where it goes.
    async fn shipping_address(&self) -> Option<Address> {
        self.order.shipping_address.clone().map(Address::from)
    }

    /// The id of its saga, in every log line and event about it.
    async fn correlation_id(&self) -> ID {
        self.order.correlation_id.to_string().into()
    }

    /// Why it failed, for machines: PAYMENT_DECLINED, OUT_OF_STOCK, PRICE_CHANGED, EXPIRED and others.
    async fn failure_code(&self) -> Option<&str> {
        self.order.failure_code.as_deref()
    }

    /// Why it failed, for the shopper.
    async fn failure_reason(&self) -> Option<&str> {
        self.order.failure_reason.as_deref()
    }

    /// May it still be cancelled?
    async fn cancellable(&self) -> bool {
        self.order.cancellable
    }

    /// Who bought; null to everybody but them and admins, and after the account was closed.
    #[graphql(complexity = "5 + child_complexity")]
    async fn customer(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let scope = Scope::of(ctx);
        let user = scope.loaders.user(&scope.clients, &self.caller, self.order.user_id).await.map_err(fault)?;
        Ok(user.map(|user| User::new(user, self.caller.clone())))
    }

    /// What was paid for it, and given back; empty until the payment is wanted.
    #[graphql(complexity = "5 + child_complexity")]
    async fn payments(&self, ctx: &Context<'_>) -> Result<Vec<Payment>> {
        let scope = Scope::of(ctx);
        let payments = scope.loaders.payments(&scope.clients, &self.caller, self.order.id).await.map_err(fault)?;
        Ok(payments.into_iter().map(Payment).collect())
    }

    /// When it was placed.
    async fn created_at(&self) -> DateTime {
        DateTime(self.order.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.order.updated_at)
    }

    /// When it left the house.
    async fn shipped_at(&self) -> Option<DateTime> {
        self.order.shipped_at.map(DateTime)
    }

    /// When it arrived.
    async fn delivered_at(&self) -> Option<DateTime> {
        self.order.delivered_at.map(DateTime)
    }

    /// What happened to it, oldest first, across services.
    #[graphql(complexity = "10 + child_complexity")]
    async fn timeline(&self, ctx: &Context<'_>) -> Result<Vec<TimelineEntry>> {
        let scope = Scope::of(ctx);
        let timeline = scope.loaders.timeline(&scope.clients, &self.caller, self.order.id).await.map_err(fault)?;
        Ok(timeline.into_iter().map(TimelineEntry::from).collect())
    }
}

/// A line of an order.
pub struct OrderItem<'a>(&'a orders_client::OrderItem);

/// A line of an order.
#[Object]
impl OrderItem<'_> {
    /// The product; null if it is not in the catalogue any more.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        let scope = Scope::of(ctx);
        scope.loaders.product(&scope.clients, &scope.caller, self.0.product_id).await.map_err(fault)
    }

    /// The product's name when it was ordered.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How many.
    async fn quantity(&self) -> u32 {
        self.0.quantity
    }

    /// Price of one when it was ordered.
    async fn unit_price(&self) -> Money {
        Money(self.0.unit_price)
    }

    /// Price of the line.
    async fn line_total(&self) -> Money {
        Money(self.0.line_total)
    }
}

/// Something that happened to an order.
#[derive(Debug, SimpleObject)]
pub struct TimelineEntry {
    /// What happened, e.g. StockReserved.
    event: String,
    /// When.
    at: DateTime,
    /// The service that said so.
    service: String,
    /// More, if there is more to say.
    detail: Option<String>,
}

impl From<orders_client::TimelineEntry> for TimelineEntry {
    fn from(entry: orders_client::TimelineEntry) -> Self {
        Self { event: entry.event, at: DateTime(entry.at), service: entry.service, detail: entry.detail }
    }
}

/// A postal address.
#[derive(Debug, Clone, SimpleObject, InputObject)]
#[graphql(name = "Address", input_name = "AddressInput")]
pub struct Address {
    /// Who receives it.
    full_name: String,
    /// Street and number.
    line1: String,
    /// Flat, floor, company.
    line2: Option<String>,
    /// Town.
    city: String,
    /// Postal code.
    postal_code: String,
    /// ISO 3166-1 alpha-2, e.g. DE.
    country_code: String,
    /// For the carrier.
    phone: Option<String>,
}

impl From<events::Address> for Address {
    fn from(address: events::Address) -> Self {
        let events::Address { full_name, line1, line2, city, postal_code, country_code, phone } = address;
        Self { full_name, line1, line2, city, postal_code, country_code, phone }
    }
}

impl From<Address> for events::Address {
    fn from(address: Address) -> Self {
        let Address { full_name, line1, line2, city, postal_code, country_code, phone } = address;
        Self { full_name, line1, line2, city, postal_code, country_code, phone }
    }
}

/// Queries about orders.
#[derive(Default)]
pub struct OrderQueries;

#[Object]
impl OrderQueries {
    /// The caller's orders, newest first; an admin sees everybody's.
    #[graphql(complexity = "cost(first, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "they are the field's in the schema")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 20, desc = "How many, 0 to 100.")] first: Option<i32>,
        #[graphql(desc = "Continue behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those in this state.")] status: Option<OrderStatus>,
        #[graphql(
            desc = "Only the one with this id of the order, of its correlation, or of an event that moved it; or \
            those of the customer with exactly this e-mail address (admin)."
        )]
        q: Option<String>,
        #[graphql(desc = "Only those placed then or later.")] from: Option<DateTime>,
        #[graphql(desc = "Only those placed before.")] to: Option<DateTime>,
    ) -> Result<Connection<Order>> {
        let scope = Scope::of(ctx);
        scope.caller.user().map_err(fault)?;
        let page = PageArguments::new(ctx, first, after).map_err(fault)?;
        let filter = OrderFilter {
            status: status.map(Into::into),
            from: from.map(|DateTime(at)| at),
            to: to.map(|DateTime(at)| at),
            ..OrderFilter::default()
        };
        let Some(filter) = narrowed(scope, filter, q.as_deref()).await.map_err(fault)? else {
            return Ok(page.nothing());
        };
        let orders = scope.clients.orders.orders(&scope.caller, filter, page.query()).await.map_err(fault)?;
        Ok(page.connection(orders, |order| Order::new(order, scope.caller.clone())))
    }

    /// An order of the caller's own, an admin's any; null otherwise.
    async fn order(&self, ctx: &Context<'_>, #[graphql(desc = "The order's id.")] id: ID) -> Result<Option<Order>> {
        let Ok(id) = id.parse::<OrderId>() else { return Ok(None) };
        let scope = Scope::of(ctx);
        let order = found(scope.clients.orders.order(&scope.caller, id).await)?;
        Ok(order.map(|order| Order::new(order, scope.caller.clone())))
    }
}

/// The filter with what was searched for: an id, or a customer's e-mail address. `None`: nothing is like that.
async fn narrowed(scope: &Scope, filter: OrderFilter, q: Option<&str>) -> Result<Option<OrderFilter>, Error> {
    let Some(text) = q.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(Some(filter)) };
    if let Ok(about) = text.parse() {
        return Ok(Some(OrderFilter { about: Some(about), ..filter }));
    }
    // Of all that begin like it, an address itself is the shortest; there is no second one like it.
    let wanted = UserFilter { q: Some(text.to_owned()), role: None };
    let found = scope.clients.users.users(&scope.caller, wanted, PageQuery::first(100)).await?;
    let customer = found.items.into_iter().find(|user| user.email.eq_ignore_ascii_case(text));
    Ok(customer.map(|user| OrderFilter { user_id: Some(user.id), ..filter }))
}
