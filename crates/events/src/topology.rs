//! Who publishes where, and who consumes what: one table, from which every transport declares its
//! exchanges, queues, dead letters and bindings.
//!
//! Each consuming service has a queue of its own per exchange. With one queue per exchange, services
//! would take each other's messages.

use std::fmt;

use crate::*;

/// A topic exchange; one per publishing service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Exchange {
    /// `products.events`
    Products,
    /// `cart.events`
    Cart,
    /// `orders.events`
    Orders,
    /// `payments.events`
    Payments,
}

impl Exchange {
    /// All exchanges.
    pub const ALL: [Exchange; 4] = [Exchange::Products, Exchange::Cart, Exchange::Orders, Exchange::Payments];

    /// Name on the broker.
    pub fn name(self) -> &'static str {
        match self {
            Exchange::Products => "products.events",
            Exchange::Cart => "cart.events",
            Exchange::Orders => "orders.events",
            Exchange::Payments => "payments.events",
        }
    }

    /// The service that publishes there; no other does.
    pub fn publisher(self) -> &'static str {
        match self {
            Exchange::Products => "products",
            Exchange::Cart => "cart",
            Exchange::Orders => "orders",
            Exchange::Payments => "payments",
        }
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Exchange {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        Exchange::ALL
            .into_iter()
            .find(|exchange| exchange.name() == name)
            .ok_or_else(|| format!("`{name}` is not an exchange"))
    }
}

/// One kind of event, as the topology needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventKind {
    /// Name of the event.
    pub event_type: &'static str,
    /// Version that this release writes and reads.
    pub version: &'static str,
    /// Where it is published.
    pub exchange: Exchange,
    /// With which key.
    pub routing_key: &'static str,
}

const fn kind<E: Event>() -> EventKind {
    EventKind { event_type: E::TYPE, version: E::VERSION, exchange: E::EXCHANGE, routing_key: E::ROUTING_KEY }
}

/// Does something with the type of every event; [`visit_events`] shows them.
pub trait EventVisitor {
    /// Called once for each event and version.
    fn visit<E: Event>(&mut self);
}

/// One list for those who need an event's name and place, and for those who need its type.
macro_rules! events {
    ($($event:ident,)*) => {
        /// Every event there is.
        pub const EVENTS: &[EventKind] = &[$(kind::<$event>()),*];

        /// Shows the type of every event, in the order of [`EVENTS`].
        pub fn visit_events(visitor: &mut impl EventVisitor) {
            $(visitor.visit::<$event>();)*
        }
    };
}

events! {
    ProductCreated,
    ProductUpdated,
    StockReserved,
    StockReservationFailed,
    StockReleased,
    ItemAddedToCart,
    CartCheckoutInitiated,
    CartCleared,
    CartReopened,
    OrderPlaced,
    PaymentRequested,
    OrderConfirmed,
    OrderFailed,
    OrderRolledBack,
    OrderCancelled,
    RefundRequested,
    ReleaseRequested,
    ReopenRequested,
    OrderShipped,
    OrderDelivered,
    PaymentProcessed,
    PaymentFailed,
    PaymentRefunded,
}

/// A durable queue: what one service wants of one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// The service that reads it.
    pub service: &'static str,
    /// The exchange it is bound to.
    pub exchange: Exchange,
    /// The routing keys it handles.
    pub routing_keys: &'static [&'static str],
}

impl Queue {
    /// Does this event come here?
    pub fn receives(&self, event: &EventKind) -> bool {
        self.exchange == event.exchange && self.routing_keys.iter().any(|key| matches(key, event.routing_key))
    }

    /// E.g. `orders.products.events.queue`.
    pub fn name(&self) -> String {
        format!("{}.{}.queue", self.service, self.exchange)
    }

    /// Dead-letter exchange, e.g. `orders.products.events.dlx`.
    pub fn dead_letter_exchange(&self) -> String {
        format!("{}.{}.dlx", self.service, self.exchange)
    }

    /// Dead-letter queue, e.g. `orders.products.events.dlq`.
    pub fn dead_letter_queue(&self) -> String {
        format!("{}.{}.dlq", self.service, self.exchange)
    }
}

const fn queue(service: &'static str, exchange: Exchange, routing_keys: &'static [&'static str]) -> Queue {
    Queue { service, exchange, routing_keys }
}

/// Every durable queue of the shop. Whoever starts first declares all of them, so that an event
/// published before its consumer ever ran still waits for it.
pub const QUEUES: &[Queue] = &[
    queue("orders", Exchange::Cart, &[CartCheckoutInitiated::ROUTING_KEY, CartReopened::ROUTING_KEY]),
    queue(
        "orders",
        Exchange::Products,
        &[StockReserved::ROUTING_KEY, StockReservationFailed::ROUTING_KEY, StockReleased::ROUTING_KEY],
    ),
    queue(
        "orders",
        Exchange::Payments,
        &[PaymentProcessed::ROUTING_KEY, PaymentFailed::ROUTING_KEY, PaymentRefunded::ROUTING_KEY],
    ),
    queue(
        "products",
        Exchange::Orders,
        &[OrderPlaced::ROUTING_KEY, OrderConfirmed::ROUTING_KEY, ReleaseRequested::ROUTING_KEY],
    ),
    queue("payments", Exchange::Orders, &[PaymentRequested::ROUTING_KEY, RefundRequested::ROUTING_KEY]),
    queue(
        "cart",
        Exchange::Products,
        &[
            ProductCreated::ROUTING_KEY,
            ProductUpdated::ROUTING_KEY,
            StockReserved::ROUTING_KEY,
            StockReleased::ROUTING_KEY,
        ],
    ),
    queue("cart", Exchange::Orders, &[OrderConfirmed::ROUTING_KEY, ReopenRequested::ROUTING_KEY]),
    queue("analytics", Exchange::Products, &["product.*"]),
    queue("analytics", Exchange::Cart, &["cart.*"]),
    queue("analytics", Exchange::Orders, &["order.*"]),
    queue("analytics", Exchange::Payments, &["payment.*"]),
];

/// Does a binding pattern match a routing key? `*` stands for exactly one word.
pub fn matches(pattern: &str, routing_key: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('.'), routing_key.split('.'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(want), Some(word)) if want == "*" || want == word => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_a_durable_consumer() {
        for event in EVENTS {
            let consumed = QUEUES.iter().any(|queue| queue.receives(event));
            assert!(consumed, "{} would be unroutable", event.event_type);
        }
    }

    #[test]
    fn every_binding_is_published_by_somebody() {
        for queue in QUEUES {
            for key in queue.routing_keys {
                let published =
                    EVENTS.iter().any(|event| event.exchange == queue.exchange && matches(key, event.routing_key));
                assert!(published, "{} waits for {key}, which nobody publishes", queue.name());
            }
        }
    }

    #[test]
    fn types_and_keys_are_unique() {
        for (index, event) in EVENTS.iter().enumerate() {
            for other in &EVENTS[index + 1..] {
                assert_ne!(event.event_type, other.event_type);
                assert_ne!((event.exchange, event.routing_key), (other.exchange, other.routing_key));
            }
        }
    }
}
