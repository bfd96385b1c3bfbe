//! A message on its way in or out.

use std::time::Duration;

use events::{EventId, TraceParent};
use uuid::Uuid;

/// Retries wait longer each time; after the last tier a message is parked.
pub(crate) const RETRY_DELAYS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)];

/// A message that was delivered this often without being settled may be what took its consumer down.
pub(crate) const MAX_DELIVERIES: u32 = 2;

/// Bytes of a text about a message that is kept. In RabbitMQ all headers of a message share one frame.
const LONGEST_TEXT: usize = 2_000;

/// A text that may quote a message, as every transport and every column can keep it: without NUL, and not longer
/// than anybody reads. Else what is wrong with a message would keep it from being parked.
pub(crate) fn legible(text: &str) -> String {
    let text = text[..text.floor_char_boundary(LONGEST_TEXT)].replace('\0', "\u{fffd}");
    text[..text.floor_char_boundary(LONGEST_TEXT)].to_owned()
}

/// A recorded event on its way to the broker.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub event_id: Uuid,
    pub exchange: String,
    pub routing_key: String,
    pub body: String,
    pub correlation_id: Uuid,
    pub traceparent: Option<String>,
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
    /// The trace it belongs to, if it says so.
    pub traceparent: Option<TraceParent>,
}

/// What a receiver has for its consumer.
#[derive(Debug)]
pub(crate) enum Received {
    /// Messages that are this receiver's until it settles them; none at the shutdown.
    Leased(Vec<Delivery>),
    /// There may be messages that can be taken within the transaction of their effect.
    Hint,
}

/// A message that was taken within the transaction of its effect.
#[derive(Debug)]
pub(crate) struct Taken {
    pub delivery: Delivery,
    /// The event whose idempotency record was looked for.
    pub event_id: EventId,
    /// It had not been applied before, and is recorded now.
    pub is_fresh: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_about_a_message_can_be_kept_whatever_it_quotes() {
        assert_eq!(legible("unknown event `Ünknown`"), "unknown event `Ünknown`");
        assert_eq!(legible("a\0b"), "a\u{fffd}b");
        for endless in ["é".repeat(5_000), "\0".repeat(5_000), format!("x{}", "🫖".repeat(5_000))] {
            let kept = legible(&endless);
            assert!((LONGEST_TEXT - 3..=LONGEST_TEXT).contains(&kept.len()) && !kept.contains('\0'), "{}", kept.len());
        }
    }
}
