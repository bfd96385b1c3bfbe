//! The headers that we write, and how headers are read.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

/// Failed attempts before this delivery.
pub(super) const ATTEMPTS: &str = "x-prost-attempts";
/// Where a message was first published, and for which queue it is.
pub(super) const EXCHANGE: &str = "x-prost-exchange";
pub(super) const ROUTING_KEY: &str = "x-prost-routing-key";
pub(super) const QUEUE: &str = "x-prost-queue";
/// Why and when a message was parked, and its id as a dead letter.
pub(super) const REASON: &str = "x-prost-reason";
pub(super) const DEAD_AT: &str = "x-prost-dead-at";
pub(super) const LETTER: &str = "x-prost-letter";
/// The trace context, as everybody calls it: it survives retries and dead letters with the other foreign headers.
pub(super) const TRACEPARENT: &str = "traceparent";
/// Written by quorum queues: how often a message came back unsettled.
pub(super) const DELIVERY_COUNT: &str = "x-delivery-count";

/// The headers of whoever published it, without the broker's and ours. RabbitMQ's `x-death` must not travel
/// on: a message that seems to circle between queues is dropped.
pub(super) fn foreign(properties: &BasicProperties) -> FieldTable {
    let mut headers = FieldTable::default();
    let is_foreign = |name: &str| !name.starts_with("x-") && !matches!(name, "CC" | "BCC");
    for (name, value) in properties.headers().iter().flatten().filter(|(name, _)| is_foreign(name.as_str())) {
        headers.insert(name.clone(), value.clone());
    }
    headers
}

pub(super) fn number_of(headers: &FieldTable, name: &str) -> Option<u32> {
    let number = match headers.inner().get(name)? {
        AMQPValue::ShortShortInt(number) => i64::from(*number),
        AMQPValue::ShortShortUInt(number) => i64::from(*number),
        AMQPValue::ShortInt(number) => i64::from(*number),
        AMQPValue::ShortUInt(number) => i64::from(*number),
        AMQPValue::LongInt(number) => i64::from(*number),
        AMQPValue::LongUInt(number) => i64::from(*number),
        AMQPValue::LongLongInt(number) => *number,
        _ => return None,
    };
    Some(u32::try_from(number.max(0)).unwrap_or(u32::MAX))
}

pub(super) fn text_of(headers: &FieldTable, name: &str) -> Option<String> {
    match headers.inner().get(name)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}
