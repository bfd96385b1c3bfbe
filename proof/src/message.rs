//! What travels between the services.

use events::topology::{EVENTS, QUEUES};
use events::{
    CartCheckoutInitiated, CartReopened, Event, OrderConfirmed, OrderPlaced, PaymentFailed, PaymentProcessed,
    PaymentRefunded, PaymentRequested, RefundRequested, ReleaseRequested, ReopenRequested, StockReleased,
    StockReservationFailed, StockReserved,
};

/// A service that takes part in a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Freezes carts and gives them back.
    Cart,
    /// Runs the sagas.
    Orders,
    /// Holds and sells stock.
    Products,
    /// Takes and returns money.
    Payments,
}

impl Service {
    /// All four.
    pub const ALL: [Service; 4] = [Service::Cart, Service::Orders, Service::Products, Service::Payments];

    /// Its name in the topology.
    pub fn name(self) -> &'static str {
        match self {
            Service::Cart => "cart",
            Service::Orders => "orders",
            Service::Products => "products",
            Service::Payments => "payments",
        }
    }
}

/// What a message says. Events that nobody here listens to are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named as the events are")]
pub enum Kind {
    CheckoutInitiated,
    OrderPlaced,
    PaymentRequested,
    OrderConfirmed,
    RefundRequested,
    ReleaseRequested,
    ReopenRequested,
    StockReserved,
    StockRefused,
    StockReleased,
    PaymentProcessed,
    PaymentFailed,
    /// PaymentRefunded, of all.
    Refunded,
    /// PaymentRefunded, of a part.
    PartlyRefunded,
    CartReopened,
    /// Cannot be read by anybody.
    Poison,
}

impl Kind {
    /// The event's name; none for what is no event.
    pub fn event_type(self) -> Option<&'static str> {
        Some(match self {
            Kind::CheckoutInitiated => CartCheckoutInitiated::TYPE,
            Kind::OrderPlaced => OrderPlaced::TYPE,
            Kind::PaymentRequested => PaymentRequested::TYPE,
            Kind::OrderConfirmed => OrderConfirmed::TYPE,
            Kind::RefundRequested => RefundRequested::TYPE,
            Kind::ReleaseRequested => ReleaseRequested::TYPE,
            Kind::ReopenRequested => ReopenRequested::TYPE,
            Kind::StockReserved => StockReserved::TYPE,
            Kind::StockRefused => StockReservationFailed::TYPE,
            Kind::StockReleased => StockReleased::TYPE,
            Kind::PaymentProcessed => PaymentProcessed::TYPE,
            Kind::PaymentFailed => PaymentFailed::TYPE,
            Kind::Refunded | Kind::PartlyRefunded => PaymentRefunded::TYPE,
            Kind::CartReopened => CartReopened::TYPE,
            Kind::Poison => return None,
        })
    }

    /// Who hears it. Written out because it is asked millions of times; [`consumers_by_topology`] says the same.
    pub fn consumers(self) -> &'static [Service] {
        match self {
            Kind::CheckoutInitiated
            | Kind::StockRefused
            | Kind::PaymentProcessed
            | Kind::PaymentFailed
            | Kind::Refunded
            | Kind::PartlyRefunded
            | Kind::CartReopened => &[Service::Orders],
            // The cart's mirror of holds decides nothing, and is left out.
            Kind::StockReserved | Kind::StockReleased => &[Service::Orders],
            Kind::OrderPlaced | Kind::ReleaseRequested => &[Service::Products],
            Kind::PaymentRequested | Kind::RefundRequested => &[Service::Payments],
            Kind::OrderConfirmed => &[Service::Cart, Service::Products],
            Kind::ReopenRequested => &[Service::Cart],
            Kind::Poison => &[],
        }
    }
}

/// Who hears an event, as the product's own table of queues says.
pub fn consumers_by_topology(kind: Kind) -> Vec<Service> {
    let Some(event) = EVENTS.iter().find(|event| Some(event.event_type) == kind.event_type()) else {
        return Vec::new();
    };
    let hears = |service: &Service| {
        QUEUES.iter().any(|queue| {
            queue.service == service.name()
                && queue.exchange == event.exchange
                && queue.routing_keys.contains(&event.routing_key)
        })
    };
    Service::ALL.into_iter().filter(hears).collect()
}

/// One message; equal ones are copies with the same event id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Message {
    /// About which order.
    pub order: u8,
    /// What it says.
    pub kind: Kind,
    /// The how-manieth of its kind about its order: a repeated request is a new event.
    pub nth: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_hears_what_is_as_in_the_topology() {
        for kind in [
            Kind::CheckoutInitiated,
            Kind::OrderPlaced,
            Kind::PaymentRequested,
            Kind::OrderConfirmed,
            Kind::RefundRequested,
            Kind::ReleaseRequested,
            Kind::ReopenRequested,
            Kind::StockReserved,
            Kind::StockRefused,
            Kind::StockReleased,
            Kind::PaymentProcessed,
            Kind::PaymentFailed,
            Kind::Refunded,
            Kind::PartlyRefunded,
            Kind::CartReopened,
        ] {
            let mirrors_holds = matches!(kind, Kind::StockReserved | Kind::StockReleased);
            let expected: Vec<Service> = consumers_by_topology(kind)
                .into_iter()
                .filter(|service| !(mirrors_holds && *service == Service::Cart))
                .collect();
            assert_eq!(kind.consumers(), expected, "{kind:?}");
        }
    }
}
