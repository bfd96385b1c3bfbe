//! Receiving from one durable queue, on a channel of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use events::topology::Queue;
use futures_util::future::try_join_all;
use futures_util::{FutureExt, StreamExt};
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Consumer};
use uuid::Uuid;

use super::headers::{
    self, ATTEMPTS, DEAD_AT, DELIVERY_COUNT, EXCHANGE, LETTER, QUEUE, REASON, ROUTING_KEY, TRACEPARENT, number_of,
    text_of,
};
use super::link::Slot;
use super::publisher::{self, Message, Publisher};
use super::topology;
use crate::delivery::Delivery;
use crate::transport::TransportError;

#[derive(Clone)]
pub(crate) struct RabbitReceiver {
    inner: Arc<Inner>,
}

struct Inner {
    queue: Queue,
    channel: Channel,
    consumer: tokio::sync::Mutex<Consumer>,
    redirects: Arc<Publisher>,
    /// What was received and not settled, by delivery tag.
    unsettled: Mutex<BTreeMap<u64, BasicProperties>>,
}

impl RabbitReceiver {
    /// Declares, limits, consumes; in this order, so that the limit is there before the first message.
    pub(super) async fn open(
        connection: &Arc<Slot>,
        redirects: Arc<Publisher>,
        queue: &Queue,
        prefetch: u16,
    ) -> Result<RabbitReceiver, TransportError> {
        let link = connection.link().await?;
        let channel = match link.channel().await {
            Ok(channel) => channel,
            Err(error) => {
                connection.discard(&link);
                return Err(error);
            }
        };
        topology::declare_queue(&channel, queue).await?;
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let (name, options) = (ShortString::from(queue.name()), BasicConsumeOptions::default());
        let consumer = channel.basic_consume(name, ShortString::default(), options, FieldTable::default()).await?;
        let inner = Inner {
            queue: *queue,
            channel,
            consumer: tokio::sync::Mutex::new(consumer),
            redirects,
            unsettled: Mutex::default(),
        };
        Ok(RabbitReceiver { inner: Arc::new(inner) })
    }

    /// Any error means that this channel is over, and what it held is delivered again.
    pub async fn receive(&self, max: usize) -> Result<Vec<Delivery>, TransportError> {
        let over = || TransportError::Rabbit("the broker ended the subscription".to_owned());
        let mut consumer = self.inner.consumer.lock().await;
        let mut batch = vec![self.take(consumer.next().await.ok_or_else(over)??)];
        while batch.len() < max
            && let Some(next) = consumer.next().now_or_never()
        {
            batch.push(self.take(next.ok_or_else(over)??));
        }
        Ok(batch)
    }

    fn take(&self, message: lapin::message::Delivery) -> Delivery {
        let headers = message.properties.headers().as_ref();
        let number = |name: &str| headers.and_then(|headers| number_of(headers, name)).unwrap_or(0);
        let delivery = Delivery {
            tag: message.delivery_tag,
            routing_key: headers
                .and_then(|headers| text_of(headers, ROUTING_KEY))
                .unwrap_or_else(|| message.routing_key.to_string()),
            body: message.data,
            attempts: number(ATTEMPTS),
            deliveries: number(DELIVERY_COUNT).saturating_add(1),
            traceparent: headers.and_then(|headers| text_of(headers, TRACEPARENT)).and_then(|text| text.parse().ok()),
        };
        self.unsettled().insert(message.delivery_tag, message.properties);
        delivery
    }

    fn unsettled(&self) -> MutexGuard<'_, BTreeMap<u64, BasicProperties>> {
        self.inner.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub async fn settle(&self, deliveries: &[Delivery]) -> Result<(), TransportError> {
        let tags: Vec<u64> = deliveries.iter().map(|delivery| delivery.tag).collect();
        self.acknowledge(&tags).await
    }

    /// One acknowledgement where these are the oldest unsettled messages, else one for each.
    async fn acknowledge(&self, tags: &[u64]) -> Result<(), TransportError> {
        let Some(&newest) = tags.iter().max() else { return Ok(()) };
        let oldest = self.unsettled().range(..=newest).all(|(tag, _)| tags.contains(tag));
        let channel = &self.inner.channel;
        if oldest {
            channel.basic_ack(newest, BasicAckOptions { multiple: true }).await?;
        } else {
            try_join_all(tags.iter().map(|tag| channel.basic_ack(*tag, BasicAckOptions::default()))).await?;
        }
        let mut unsettled = self.unsettled();
        for tag in tags {
            unsettled.remove(tag);
        }
        Ok(())
    }

    pub async fn retry(&self, delivery: &Delivery, delay: Duration) -> Result<(), TransportError> {
        let properties = self.redirected(delivery, delivery.attempts.saturating_add(1), &[]);
        self.redirect(delivery, &topology::tier(delay), &self.inner.queue.name(), properties).await
    }

    pub async fn park(&self, delivery: &Delivery, reason: &str) -> Result<(), TransportError> {
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let letter = Uuid::now_v7().to_string();
        let about = [(REASON, reason), (DEAD_AT, &*now), (LETTER, &*letter)];
        let properties = self.redirected(delivery, delivery.attempts, &about);
        self.redirect(delivery, &self.inner.queue.dead_letter_exchange(), &delivery.routing_key, properties).await
    }

    /// Publishes elsewhere, and only when that is confirmed settles here.
    async fn redirect(
        &self,
        delivery: &Delivery,
        exchange: &str,
        routing_key: &str,
        properties: BasicProperties,
    ) -> Result<(), TransportError> {
        let message = Message { exchange, routing_key, body: &delivery.body, properties };
        for answer in self.inner.redirects.publish(std::slice::from_ref(&message)).await {
            answer.map_err(|error| TransportError::Rabbit(error.to_string()))?;
        }
        self.acknowledge(&[delivery.tag]).await
    }

    /// The message's own properties, with what the broker wrote replaced by what we know.
    fn redirected(&self, delivery: &Delivery, attempts: u32, more: &[(&'static str, &str)]) -> BasicProperties {
        let received = self.unsettled().get(&delivery.tag).cloned().unwrap_or_default();
        let mut headers = headers::foreign(&received);
        let queue = &self.inner.queue;
        let known = [(EXCHANGE, queue.exchange.name()), (ROUTING_KEY, &delivery.routing_key), (QUEUE, &queue.name())];
        for (name, value) in known.iter().chain(more) {
            headers.insert((*name).into(), AMQPValue::LongString((*value).into()));
        }
        headers.insert(ATTEMPTS.into(), AMQPValue::LongLongInt(attempts.into()));
        let message_id = received.message_id().clone();
        let properties =
            publisher::properties(message_id.unwrap_or_else(|| ShortString::from(Uuid::new_v4().to_string())))
                .with_headers(headers);
        match received.correlation_id().clone() {
            Some(correlation_id) => properties.with_correlation_id(correlation_id),
            None => properties,
        }
    }
}
