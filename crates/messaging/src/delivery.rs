//! A message on its way in or out.

use std::time::Duration;

use uuid::Uuid;

/// Retries wait longer each time; after the last tier a message is parked.
pub(crate) const RETRY_DELAYS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)];

/// A message that was delivered this often without being settled may be what took its consumer down.
pub(crate) const MAX_DELIVERIES: u32 = 2;

/// A recorded event on its way to the broker.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub event_id: Uuid,
    pub exchange: String,
    pub routing_key: String,
    pub body: String,
}

/// Why a message was not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PublishError {
    /// The broker could not be asked; the message is not to blame.
    #[error("broker unreachable: {0}")]
    Unreachable(String),
    /// The broker refused this message, e.g. as unroutable.
    #[error("{0}")]
    Refused(String),
}

/// A message as a consumer got it.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// What the transport settles it by.
    pub tag: u64,
    /// The routing key it came with.
    pub routing_key: String,
    /// The envelope, unparsed.
    pub body: Vec<u8>,
    /// Failed attempts before this one.
    pub attempts: u32,
    /// Deliveries including this one; more than one means that an earlier consumer died with it.
    pub deliveries: u32,
}
