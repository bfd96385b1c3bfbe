//! Receiving from one durable queue, on a channel of its own.
//!
//! Each acknowledgement is an entry in the log of a quorum queue, and nobody waits for it. So those of messages that
//! come one by one are gathered for a moment. After a death meanwhile a few handled messages come again, as duplicates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use events::topology::Queue;
use futures_util::future::try_join_all;
use futures_util::{FutureExt, StreamExt};
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Consumer};
use tokio::time::timeout;
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

/// How long acknowledgements are gathered.
const GATHER: Duration = Duration::from_millis(200);
/// A broker that does not read for so long is away.
const LIMIT: Duration = Duration::from_secs(5);
/// This part of what may be unsettled at a time is not gathered, so that the broker goes on sending.
const SHARE: usize = 4;

#[derive(Clone)]
pub(crate) struct RabbitReceiver {
    inner: Arc<Inner>,
}

struct Inner {
    queue: Queue,
    channel: Channel,
    consumer: tokio::sync::Mutex<Consumer>,
    redirects: Arc<Publisher>,
    unsettled: Mutex<Unsettled>,
    /// As many acknowledgements are gathered at most.
    most_gathered: usize,
    /// Held while acknowledgements are sent: one for all up to a message must not overtake an earlier one.
    acknowledging: tokio::sync::Mutex<()>,
}

/// What was received and not acknowledged, by delivery tag.
#[derive(Default)]
struct Unsettled {
    received: BTreeMap<u64, BasicProperties>,
    /// Those of them that are done with.
    done: BTreeSet<u64>,
}

/// What to tell the broker.
#[derive(Debug, PartialEq)]
struct Acknowledgements {
    /// All up to this one.
    up_to: Option<u64>,
    single: Vec<u64>,
}

impl Unsettled {
    /// Forgets what is done with: one acknowledgement for the oldest messages, if they are, and one for each other.
    fn take_done(&mut self) -> Acknowledgements {
        let up_to = self.received.keys().take_while(|tag| self.done.contains(tag)).last().copied();
        let single = self.done.iter().copied().filter(|tag| up_to.is_none_or(|up_to| *tag > up_to)).collect();
        let done = std::mem::take(&mut self.done);
        self.received.retain(|tag, _| !done.contains(tag));
        Acknowledgements { up_to, single }
    }
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
            most_gathered: usize::from(prefetch) / SHARE,
            acknowledging: tokio::sync::Mutex::default(),
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
        self.inner.unsettled().received.insert(message.delivery_tag, message.properties);
        delivery
    }

    pub async fn settle(&self, deliveries: &[Delivery]) -> Result<(), TransportError> {
        let (was, is) = {
            let mut unsettled = self.inner.unsettled();
            let was = unsettled.done.len();
            unsettled.done.extend(deliveries.iter().map(|delivery| delivery.tag));
            (was, unsettled.done.len())
        };
        // What came again may have a killer beside it: it must not look as if it had died, too.
        let is_again = deliveries.iter().any(|delivery| delivery.deliveries > 1);
        if is_again || is > self.inner.most_gathered {
            return self.inner.acknowledge().await;
        }
        if was == 0 {
            let inner = Arc::downgrade(&self.inner);
            tokio::spawn(async move {
                tokio::time::sleep(GATHER).await;
                if let Some(inner) = inner.upgrade() {
                    inner.acknowledge_at_leisure().await;
                }
            });
        }
        Ok(())
    }

    /// Acknowledges what was gathered, at the end.
    pub async fn release(&self) {
        self.inner.acknowledge_at_leisure().await;
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
        self.inner.unsettled().done.insert(delivery.tag);
        self.inner.acknowledge().await
    }

    /// The message's own properties, with what the broker wrote replaced by what we know.
    fn redirected(&self, delivery: &Delivery, attempts: u32, more: &[(&'static str, &str)]) -> BasicProperties {
        let received = self.inner.unsettled().received.get(&delivery.tag).cloned().unwrap_or_default();
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

impl Inner {
    fn unsettled(&self) -> MutexGuard<'_, Unsettled> {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn acknowledge(&self) -> Result<(), TransportError> {
        match timeout(LIMIT, self.tell()).await {
            Ok(told) => told,
            Err(_) => Err(TransportError::Rabbit(format!("no acknowledgement within {} s", LIMIT.as_secs()))),
        }
    }

    async fn tell(&self) -> Result<(), TransportError> {
        let _turn = self.acknowledging.lock().await;
        let Acknowledgements { up_to, single } = self.unsettled().take_done();
        let oldest = up_to.map(|tag| (tag, BasicAckOptions { multiple: true }));
        let others = single.into_iter().map(|tag| (tag, BasicAckOptions::default()));
        // All are on their way at once: whoever stops waiting takes none of them back.
        let told = oldest.into_iter().chain(others).map(|(tag, options)| self.channel.basic_ack(tag, options));
        try_join_all(told).await?;
        Ok(())
    }

    /// A channel that is over needs none: whoever receives hears of it, and the messages come again.
    async fn acknowledge_at_leisure(&self) {
        if let Err(error) = self.acknowledge().await {
            tracing::debug!(queue = self.queue.name(), %error, "handled messages are not acknowledged; they come again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acknowledged(received: &[u64], done: &[u64]) -> (Acknowledgements, Vec<u64>) {
        let received = received.iter().map(|tag| (*tag, BasicProperties::default())).collect();
        let mut unsettled = Unsettled { received, done: done.iter().copied().collect() };
        let acknowledgements = unsettled.take_done();
        assert_eq!(unsettled.done, BTreeSet::new());
        (acknowledgements, unsettled.received.into_keys().collect())
    }

    #[test]
    fn the_oldest_are_acknowledged_together() {
        let (told, left) = acknowledged(&[3, 4, 5, 6], &[3, 4, 5]);
        assert_eq!(told, Acknowledgements { up_to: Some(5), single: vec![] });
        assert_eq!(left, [6]);
    }

    #[test]
    fn what_has_an_older_one_before_it_is_acknowledged_alone() {
        let (told, left) = acknowledged(&[3, 4, 5, 6], &[3, 5, 6]);
        assert_eq!(told, Acknowledgements { up_to: Some(3), single: vec![5, 6] });
        assert_eq!(left, [4]);
        let (told, left) = acknowledged(&[3, 4], &[4]);
        assert_eq!(told, Acknowledgements { up_to: None, single: vec![4] });
        assert_eq!(left, [3]);
    }

    #[test]
    fn where_nothing_is_done_with_nothing_is_told() {
        let (told, left) = acknowledged(&[3], &[]);
        assert_eq!(told, Acknowledgements { up_to: None, single: vec![] });
        assert_eq!(left, [3]);
    }
}
