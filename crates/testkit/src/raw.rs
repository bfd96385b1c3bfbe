//! Messages that no service would send: for poison tests.

use std::time::Duration;

use events::topology::Queue;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueuePurgeOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use tokio_postgres::Client;
use uuid::Uuid;

/// Puts a body into every queue of the Postgres transport that is bound for this key; returns how many.
pub async fn publish_to_postgres(owner: &Client, exchange: &str, routing_key: &str, body: &str) -> u64 {
    owner
        .execute(
            "INSERT INTO messaging.messages (queue_id, exchange, routing_key, body)
             SELECT queue_id, exchange, routing_key, $3 FROM messaging.bindings
             WHERE exchange = $1 AND routing_key = $2",
            &[&exchange, &routing_key, &body],
        )
        .await
        .expect("insert messages")
}

/// How often a message is offered, and how long a broker that is just coming back is given between two offers.
const OFFERS: (u32, Duration) = (120, Duration::from_millis(500));

/// Publishes bodies to an exchange of RabbitMQ, which must be declared already; returns when all are confirmed.
///
/// # Panics
/// If a message is returned as unroutable, or refused for a minute: then the test would wait for nothing.
pub async fn publish_to_rabbit(url: &str, exchange: &str, messages: &[(&str, &[u8])]) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("connect to RabbitMQ");
    let channel = connection.create_channel().await.expect("open a channel");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("select confirms");
    for (routing_key, body) in messages {
        publish_until_taken(&channel, exchange, routing_key, body).await;
    }
    connection.close(200, "done".into()).await.expect("close the connection");
}

/// A queue whose leader is not elected yet, or that is full, refuses what it is offered.
#[expect(clippy::disallowed_methods, reason = "poison does not come from an outbox")]
async fn publish_until_taken(channel: &Channel, exchange: &str, routing_key: &str, body: &[u8]) {
    let (offers, pause) = OFFERS;
    for _ in 0..offers {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let properties = BasicProperties::default().with_delivery_mode(2);
        let (to, key) = (ShortString::from(exchange), ShortString::from(routing_key));
        let published = channel.basic_publish(to, key, options, body, properties).await.expect("publish");
        match published.await.expect("confirm") {
            Confirmation::Ack(None) => return,
            Confirmation::Nack(None) => tokio::time::sleep(pause).await,
            returned => panic!("{exchange} {routing_key}: {returned:?}"),
        }
    }
    panic!("{exchange} {routing_key}: refused {offers} times");
}

/// Puts a letter among the dead of RabbitMQ, as a process of ours does when it parks a message: with an id, a reason, and
/// the time of its death (RFC 3339). Returns when it is confirmed.
#[expect(clippy::disallowed_methods, reason = "only the end of a message's way is made")]
pub async fn park_in_rabbit(url: &str, dead_letter_queue: &str, id: Uuid, dead_at: &str, body: &str) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("connect to RabbitMQ");
    let channel = connection.create_channel().await.expect("open a channel");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("select confirms");
    let mut headers = FieldTable::default();
    let known =
        [("x-prost-letter", &*id.to_string()), ("x-prost-dead-at", dead_at), ("x-prost-reason", "parked by a test")];
    for (name, value) in known {
        headers.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    let properties = BasicProperties::default().with_delivery_mode(2).with_headers(headers);
    let (straight, queue) = (ShortString::from(""), ShortString::from(dead_letter_queue));
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let published =
        channel.basic_publish(straight, queue, options, body.as_bytes(), properties).await.expect("publish");
    let confirmation = published.await.expect("confirm");
    assert!(matches!(confirmation, Confirmation::Ack(None)), "{dead_letter_queue}: {confirmation:?}");
    connection.close(200, "done".into()).await.expect("close the connection");
}

/// Throws away what waits in a queue, as a broker that lost its data does; returns how many messages that were.
pub async fn lose_messages(url: &str, queue: &str) -> u32 {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("connect to RabbitMQ");
    let channel = connection.create_channel().await.expect("open a channel");
    let lost = channel.queue_purge(ShortString::from(queue), QueuePurgeOptions::default()).await.expect("purge");
    connection.close(200, "done".into()).await.expect("close the connection");
    lost
}

/// Takes away all that binds these queues to their topic exchanges.
pub async fn unbind_in_rabbit(url: &str, queues: impl Iterator<Item = &Queue>) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("connect to RabbitMQ");
    let channel = connection.create_channel().await.expect("open a channel");
    for queue in queues {
        for key in queue.routing_keys {
            let (name, exchange) = (queue.name().into(), queue.exchange.name().into());
            channel.queue_unbind(name, exchange, (*key).into(), FieldTable::default()).await.expect("unbind");
        }
    }
    connection.close(200, "done".into()).await.expect("close the connection");
}

/// Whether this login may take messages from a queue; takes none.
///
/// Errors: the broker's refusal.
pub async fn may_consume(url: &str, queue: &str) -> Result<(), String> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("connect to RabbitMQ");
    let channel = connection.create_channel().await.expect("open a channel");
    let (queue, tag, options) = (ShortString::from(queue), ShortString::default(), BasicConsumeOptions::default());
    let consumed = channel.basic_consume(queue, tag, options, FieldTable::default()).await;
    connection.close(200, "asked".into()).await.expect("close the connection");
    consumed.map(drop).map_err(|error| error.to_string())
}

/// Whether this login may publish to an exchange. What it publishes is routed nowhere.
///
/// Errors: the broker's refusal.
#[expect(clippy::disallowed_methods, reason = "the question is whether it is refused")]
pub async fn may_publish(url: &str, exchange: &str) -> Result<(), String> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("connect to RabbitMQ");
    let channel = connection.create_channel().await.expect("open a channel");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("select confirms");
    let (exchange, key) = (ShortString::from(exchange), ShortString::from("nobody.wants.this"));
    let published =
        channel.basic_publish(exchange, key, BasicPublishOptions::default(), b"", BasicProperties::default()).await;
    let answered = match published {
        Ok(confirmation) => confirmation.await.map(drop),
        Err(error) => Err(error),
    };
    connection.close(200, "asked".into()).await.expect("close the connection");
    answered.map_err(|error| error.to_string())
}
