//! What each event tells about orders and carts.

use events::*;
use uuid::Uuid;

use crate::facts::{Addition, CartChange, Changes, OrderChange, Refund, Sale};

/// What a batch of events tells.
#[derive(Debug, Clone, Default)]
pub(crate) struct News {
    pub orders: Changes<OrderChange>,
    pub carts: Changes<CartChange>,
}

impl News {
    /// Reads a batch. Every payload is parsed, also where it changes no figure: a malformed one is not archived.
    pub(crate) fn read(batch: &[Envelope]) -> Result<News, DecodeError> {
        let mut news = News::default();
        for envelope in batch {
            news.add(envelope)?;
        }
        Ok(news)
    }

    /// The orders and carts that it tells of.
    pub(crate) fn ids(&self) -> Vec<Uuid> {
        self.orders.keys().chain(self.carts.keys()).copied().collect()
    }

    fn order(&mut self, id: OrderId, change: OrderChange) {
        self.orders.entry(id.uuid()).or_default().push(change);
    }

    fn cart(&mut self, id: CartId, change: CartChange) {
        self.carts.entry(id.uuid()).or_default().push(change);
    }

    fn add(&mut self, envelope: &Envelope) -> Result<(), DecodeError> {
        let (at, version) = (envelope.timestamp, envelope.aggregate_version);
        match envelope.event_type.as_str() {
            ItemAddedToCart::TYPE => {
                let event: ItemAddedToCart = envelope.decode()?;
                let value = event.unit_price.times(event.quantity).map_err(|error| unusable(envelope, error))?;
                self.cart(event.cart_id, CartChange::Filled { version, addition: Addition { at, value } });
            }
            CartCheckoutInitiated::TYPE => {
                let event: CartCheckoutInitiated = envelope.decode()?;
                self.cart(event.cart_id, CartChange::CheckedOut { version });
                self.order(event.order_id, OrderChange::CheckoutStarted(at));
            }
            CartCleared::TYPE => {
                self.cart(envelope.decode::<CartCleared>()?.cart_id, CartChange::Cleared { version });
            }
            CartReopened::TYPE => {
                self.cart(envelope.decode::<CartReopened>()?.cart_id, CartChange::Reopened { version, at });
            }
            StockReserved::TYPE => {
                self.order(envelope.decode::<StockReserved>()?.order_id, OrderChange::StockReserved(at));
            }
            PaymentProcessed::TYPE => {
                self.order(envelope.decode::<PaymentProcessed>()?.order_id, OrderChange::Paid(at));
            }
            OrderConfirmed::TYPE => {
                let event: OrderConfirmed = envelope.decode()?;
                let sale = Sale { at, total: event.total, lines: event.lines };
                self.order(event.order_id, OrderChange::Confirmed(sale));
            }
            OrderFailed::TYPE => {
                let event: OrderFailed = envelope.decode()?;
                self.order(event.order_id, OrderChange::Failed { code: event.code });
            }
            OrderRolledBack::TYPE => {
                self.order(envelope.decode::<OrderRolledBack>()?.order_id, OrderChange::RolledBack(at));
            }
            OrderCancelled::TYPE => {
                self.order(envelope.decode::<OrderCancelled>()?.order_id, OrderChange::Cancelled(at));
            }
            OrderShipped::TYPE => {
                self.order(envelope.decode::<OrderShipped>()?.order_id, OrderChange::Shipped(at));
            }
            OrderDelivered::TYPE => {
                self.order(envelope.decode::<OrderDelivered>()?.order_id, OrderChange::Delivered(at));
            }
            PaymentRefunded::TYPE => {
                let event: PaymentRefunded = envelope.decode()?;
                if let Some(amount) = event.amount {
                    let refund = Refund { at, amount };
                    self.order(event.order_id, OrderChange::Refunded { version, refund });
                }
            }
            _ => archive_only(envelope)?,
        }
        Ok(())
    }
}

/// Events that change no figure; an unknown one is refused.
fn archive_only(envelope: &Envelope) -> Result<(), DecodeError> {
    match envelope.event_type.as_str() {
        ProductCreated::TYPE => envelope.decode::<ProductCreated>().map(drop),
        ProductUpdated::TYPE => envelope.decode::<ProductUpdated>().map(drop),
        StockReservationFailed::TYPE => envelope.decode::<StockReservationFailed>().map(drop),
        StockReleased::TYPE => envelope.decode::<StockReleased>().map(drop),
        OrderPlaced::TYPE => envelope.decode::<OrderPlaced>().map(drop),
        PaymentRequested::TYPE => envelope.decode::<PaymentRequested>().map(drop),
        RefundRequested::TYPE => envelope.decode::<RefundRequested>().map(drop),
        ReleaseRequested::TYPE => envelope.decode::<ReleaseRequested>().map(drop),
        ReopenRequested::TYPE => envelope.decode::<ReopenRequested>().map(drop),
        PaymentFailed::TYPE => envelope.decode::<PaymentFailed>().map(drop),
        unknown => Err(DecodeError::UnknownType(unknown.to_owned())),
    }
}

fn unusable(envelope: &Envelope, error: MoneyError) -> DecodeError {
    let error = serde::de::Error::custom(error);
    DecodeError::Payload { event_type: envelope.event_type.clone(), error }
}
