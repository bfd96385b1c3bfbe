//! Somebody outside the shop who listens to its events, as `docs/events.md` says.

use lapin::options::{BasicAckOptions, BasicGetOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{Channel, Connection, ConnectionProperties};

use crate::TestBroker;

/// A login that may make queues under its own name and read exchanges, with a queue of its own.
pub struct Outsider {
    channel: Channel,
    queue: ShortString,
}

/// A message as it came.
#[derive(Debug)]
pub struct Heard {
    /// From which exchange.
    pub exchange: String,
    /// With which routing key.
    pub routing_key: String,
    /// AMQP's `message_id`.
    pub message_id: String,
    /// AMQP's `correlation_id`.
    pub correlation_id: String,
    /// AMQP's `content_type`.
    pub content_type: String,
    /// Its header `traceparent`, if it has one.
    pub traceparent: Option<String>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Outsider {
    /// Logs in with rights to read these exchanges, and binds a queue to each with these keys.
    pub async fn bound(broker: &TestBroker, bindings: &[(String, String)]) -> Outsider {
        let mut exchanges: Vec<String> = bindings.iter().map(|(exchange, _)| exchange.replace('.', r"\.")).collect();
        exchanges.sort_unstable();
        exchanges.dedup();
        let read = format!(r"^(partner\..*|{})$", exchanges.join("|"));
        let url = broker.add_login([r"^partner\.", r"^partner\.", &read]).await;
        let connection = Connection::connect(&url, ConnectionProperties::default()).await.expect("connect to RabbitMQ");
        let channel = connection.create_channel().await.expect("open a channel");
        let queue = ShortString::from("partner.events");
        let mut quorum = FieldTable::default();
        quorum.insert("x-queue-type".into(), AMQPValue::LongString(LongString::from("quorum")));
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.clone(), options, quorum).await.expect("declare a queue");
        for (exchange, key) in bindings {
            let (exchange, key) = (exchange.as_str().into(), key.as_str().into());
            let bound =
                channel.queue_bind(queue.clone(), exchange, key, QueueBindOptions::default(), FieldTable::default());
            bound.await.expect("bind the queue");
        }
        Outsider { channel, queue }
    }

    /// Takes the next message, if one is there.
    pub async fn hear(&self) -> Option<Heard> {
        let got =
            self.channel.basic_get(self.queue.clone(), BasicGetOptions::default()).await.expect("ask the queue")?;
        let delivery = got.delivery;
        delivery.acker.ack(BasicAckOptions::default()).await.expect("acknowledge");
        let headers = delivery.properties.headers().as_ref();
        let traceparent = headers.and_then(|headers| match headers.inner().get("traceparent") {
            Some(AMQPValue::LongString(text)) => Some(text.to_string()),
            _ => None,
        });
        let text = |property: &Option<ShortString>| property.as_ref().map(ShortString::to_string).unwrap_or_default();
        Some(Heard {
            exchange: delivery.exchange.to_string(),
            routing_key: delivery.routing_key.to_string(),
            message_id: text(delivery.properties.message_id()),
            correlation_id: text(delivery.properties.correlation_id()),
            content_type: text(delivery.properties.content_type()),
            traceparent,
            body: delivery.data,
        })
    }
}
