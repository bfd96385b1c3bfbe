//! What exists on the broker, from the one table in [`events::topology`].
//!
//! Declaring is idempotent and repeated on each connection, so lost queues and bindings come back. A
//! binding that a release no longer names stays until an operator removes it: AMQP can neither list
//! bindings nor compare them. Its messages are parked as unknown, not lost.
//!
//! A retry waits in one of three queues that all services share. It is published to the tier's fanout
//! exchange under the name of the queue it returns to; when its time is up, the broker dead-letters it to
//! the direct exchange [`BACK`], where each queue is bound under its own name.

use std::time::Duration;

use events::topology::{Exchange, QUEUES, Queue};
use futures_util::future::try_join_all;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{Channel, ExchangeKind};

use crate::delivery::RETRY_DELAYS;

/// Where messages return from the retry queues, routed by the name of their queue.
pub(super) const BACK: &str = "prost.retry.back";

/// RabbitMQ 4 gives up on a message after 20 deliveries by default, however innocent; ours decide that
/// themselves. `-1` (no limit) is unknown to 3.10.
const DELIVERY_LIMIT: i32 = i32::MAX;

/// Exchange and queue of the shortest tier that is at least this long; of the longest, if none is.
pub(super) fn tier(delay: Duration) -> String {
    let longest = RETRY_DELAYS[RETRY_DELAYS.len() - 1];
    tier_name(RETRY_DELAYS.into_iter().find(|tier| *tier >= delay).unwrap_or(longest))
}

fn tier_name(delay: Duration) -> String {
    format!("prost.retry.{}s", delay.as_secs())
}

/// The retry queues.
pub(super) fn tiers() -> impl Iterator<Item = String> {
    RETRY_DELAYS.into_iter().map(tier_name)
}

/// Declares everything.
pub(super) async fn declare(channel: &Channel) -> lapin::Result<()> {
    let mut exchanges = vec![exchange(channel, BACK.to_owned(), ExchangeKind::Direct)];
    exchanges.extend(Exchange::ALL.map(|topic| exchange(channel, topic.name().to_owned(), ExchangeKind::Topic)));
    exchanges.extend(tiers().map(|name| exchange(channel, name, ExchangeKind::Fanout)));
    exchanges.extend(QUEUES.iter().map(|q| exchange(channel, q.dead_letter_exchange(), ExchangeKind::Fanout)));
    try_join_all(exchanges).await?;

    let mut queues = Vec::new();
    for wanted in QUEUES {
        queues.push(queue(channel, wanted.name(), dead_lettering_to(&wanted.dead_letter_exchange())));
        queues.push(queue(channel, wanted.dead_letter_queue(), FieldTable::default()));
    }
    for delay in RETRY_DELAYS {
        let mut arguments = dead_lettering_to(BACK);
        let ttl_ms = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(ttl_ms));
        queues.push(queue(channel, tier_name(delay), arguments));
    }
    try_join_all(queues).await?;

    try_join_all(tiers().map(|name| bind(channel, name.clone(), name, String::new()))).await?;
    try_join_all(QUEUES.iter().flat_map(|wanted| bindings_of(channel, wanted))).await?;
    Ok(())
}

/// Declares one queue with what belongs to it; its exchanges exist.
pub(super) async fn declare_queue(channel: &Channel, wanted: &Queue) -> lapin::Result<()> {
    // In this order, so that a lost queue is bound again as soon as it is there.
    queue(channel, wanted.dead_letter_queue(), FieldTable::default()).await?;
    queue(channel, wanted.name(), dead_lettering_to(&wanted.dead_letter_exchange())).await?;
    try_join_all(bindings_of(channel, wanted)).await?;
    Ok(())
}

fn bindings_of(channel: &Channel, wanted: &Queue) -> Vec<impl Future<Output = lapin::Result<()>>> {
    let name = wanted.name();
    let mut bindings = vec![
        bind(channel, wanted.dead_letter_queue(), wanted.dead_letter_exchange(), String::new()),
        bind(channel, name.clone(), BACK.to_owned(), name.clone()),
    ];
    let topic = wanted.exchange.name();
    bindings
        .extend(wanted.routing_keys.iter().map(|key| bind(channel, name.clone(), topic.to_owned(), (*key).to_owned())));
    bindings
}

/// At-least-once, so that a message leaves its queue only when the next has it; that needs `reject-publish`.
fn dead_lettering_to(exchange: &str) -> FieldTable {
    let mut arguments = FieldTable::default();
    for (name, value) in [
        ("x-dead-letter-exchange", exchange),
        ("x-dead-letter-strategy", "at-least-once"),
        ("x-overflow", "reject-publish"),
    ] {
        arguments.insert(name.into(), AMQPValue::LongString(LongString::from(value)));
    }
    arguments
}

async fn exchange(channel: &Channel, name: String, kind: ExchangeKind) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(ShortString::from(name), kind, options, FieldTable::default()).await
}

async fn queue(channel: &Channel, name: String, mut arguments: FieldTable) -> lapin::Result<()> {
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(DELIVERY_LIMIT));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(ShortString::from(name), options, arguments).await?;
    Ok(())
}

async fn bind(channel: &Channel, queue: String, exchange: String, key: String) -> lapin::Result<()> {
    let (queue, exchange, key) = (ShortString::from(queue), ShortString::from(exchange), ShortString::from(key));
    channel.queue_bind(queue, exchange, key, QueueBindOptions::default(), FieldTable::default()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_never_gets_shorter() {
        assert_eq!(tier(Duration::ZERO), "prost.retry.1s");
        assert_eq!(tier(Duration::from_secs(1)), "prost.retry.1s");
        assert_eq!(tier(Duration::from_millis(1_001)), "prost.retry.10s");
        assert_eq!(tier(Duration::from_secs(60)), "prost.retry.60s");
        assert_eq!(tier(Duration::from_secs(3_600)), "prost.retry.60s");
    }
}
