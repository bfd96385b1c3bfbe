//! The published language of the shop: ids, money, the event envelope, every event and who consumes it.
//!
//! One file per producer. No I/O lives here; whoever reads this crate knows everything that travels
//! between services. To add an event: write its struct beside its siblings, implement [`Event`] with
//! the `event!` macro, and name its consumers in [`topology`].

mod cart;
mod envelope;
mod id;
mod money;
mod order_status;
mod orders;
mod payments;
mod products;
pub mod topology;
mod trace;

pub use cart::*;
pub use envelope::{DecodeError, Draft, Envelope, Event};
pub use id::*;
pub use money::{Currency, Money, MoneyError};
pub use order_status::OrderStatus;
pub use orders::*;
pub use payments::*;
pub use products::*;
pub use trace::{NoTraceParent, TraceParent};
