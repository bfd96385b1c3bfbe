//! An operator's hands on the broker.

use events::topology::Queue;
use lapin::message::BasicGetMessage;
use lapin::options::{BasicGetOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties};
use testkit::eventually;

use crate::shop::LIMIT;

pub struct Operator {
    channel: Channel,
    _connection: Connection,
}

impl Operator {
    pub async fn at(url: &str) -> Operator {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("connect");
        let channel = connection.create_channel().await.expect("open a channel");
        Operator { channel, _connection: connection }
    }

    /// Takes all bindings to its topic exchange away.
    pub async fn unbind(&self, queue: &Queue) {
        for key in queue.routing_keys {
            let (name, exchange) = (queue.name().into(), queue.exchange.name().into());
            self.channel.queue_unbind(name, exchange, (*key).into(), FieldTable::default()).await.expect("unbind");
        }
    }

    pub async fn delete(&self, queue: &Queue) {
        self.channel.queue_delete(queue.name().into(), QueueDeleteOptions::default()).await.expect("delete");
    }

    /// Messages that wait and that no consumer holds.
    pub async fn ready(&self, queue: &str) -> u32 {
        self.look(queue).await.message_count()
    }

    async fn look(&self, queue: &str) -> lapin::Queue {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        self.channel.queue_declare(queue.into(), passive, FieldTable::default()).await.expect("look")
    }

    /// Waits until so many messages are ready, and so many consumers there.
    pub async fn until(&self, queue: &Queue, ready: u32, consumers: u32) {
        let name = queue.name();
        eventually(LIMIT, || async {
            let found = self.look(&name).await;
            let seen = (found.message_count(), found.consumer_count());
            if seen == (ready, consumers) {
                return Ok(());
            }
            Err(format!("{name}: (ready, consumers) are {seen:?}, not {:?}", (ready, consumers)))
        })
        .await;
    }

    /// Takes a message out.
    pub async fn take(&self, queue: &str) -> Option<BasicGetMessage> {
        self.channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await.expect("get")
    }
}

/// A header's text.
pub fn text(message: &BasicGetMessage, name: &str) -> String {
    let headers = message.properties.headers().as_ref().expect("headers");
    match headers.inner().get(name) {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        other => panic!("{name} is {other:?}"),
    }
}
