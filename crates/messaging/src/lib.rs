//! Messages between services: durable queues over RabbitMQ or PostgreSQL, the relay that empties a
//! service's outbox, and the runtime that hands batches to a service's consumers.
//!
//! Delivery is at least once; effects are applied once, because each consumer records the event id in
//! the transaction of the effect. No order is promised.

mod consumer;
mod dead_letters;
mod delivery;
mod low_water;
mod poison;
mod postgres;
mod rabbit;
mod relay;
mod taking;
mod transport;

pub use consumer::{Consumer, Handler, HandlerError};
pub use dead_letters::{DeadLetter, DeadLetterFilter};
pub use poison::Poison;
pub use postgres::{Wakes, declare_queues, migrations};
pub use rabbit::{Brokers, Declares, RabbitConfig, RabbitLogin, Rights, rights};
pub use relay::Relay;
pub use transport::{QueueBacklog, QueueDepth, Tap, Tapped, Transport, TransportError};
