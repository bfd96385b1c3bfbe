//! What unit tests of this crate share.

use chrono::Utc;
use events::{CartId, CorrelationId, Currency, Money, OrderId, OrderStatus, UserId};
use orders_client::Order;

/// An order at a version and in a state.
pub fn order(version: i64, status: OrderStatus) -> Order {
    let zero = Money::zero(Currency::EUR);
    Order {
        id: OrderId::new(),
        user_id: UserId::new(),
        cart_id: CartId::new(),
        status,
        cancellable: true,
        version,
        items: Vec::new(),
        subtotal: zero,
        shipping_total: zero,
        tax_total: zero,
        total: zero,
        shipping_address: None,
        correlation_id: CorrelationId::new(),
        failure_code: None,
        failure_reason: None,
        created_at: Utc::now(),
        updated_at: Utc::now(),
        shipped_at: None,
        delivered_at: None,
        cancelled_at: None,
    }
}
