//! Dead letters of RabbitMQ: a queue can only be looked at by taking its messages and giving them back.
//!
//! Whoever looks holds what he has seen until he has seen enough; meanwhile others see less, so within a process
//! only one looks at a time. What is given back returns to its place. Quorum queues count that as a delivery, but
//! their limit is out of reach (see the topology), and a replayed message starts anew.

use chrono::{DateTime, Utc};
use events::topology::Queue;
use lapin::Channel;
use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicNackOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use uuid::Uuid;

use super::headers::{self, number_of, text_of};
use super::publisher::{self, Message};
use super::{RabbitTransport, topology};
use crate::dead_letters::{DeadLetter, DeadLetterFilter, Glance};
use crate::transport::TransportError;

/// Of a queue that is longer, the rest is seen once these are gone.
const MOST_SEEN: usize = 10_000;

/// For ids of messages that have none: those of other programs.
const NAMESPACE: Uuid = Uuid::from_u128(0x2f1c_6e0a_95d4_4b7e_8a53_d1c0_7be4_6f98);

/// What to do with a message that was wanted.
#[derive(Clone, Copy)]
enum Act {
    Replay,
    Discard,
}

impl RabbitTransport {
    pub async fn dead_letters(
        &self,
        queue: &Queue,
        filter: &DeadLetterFilter,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, TransportError> {
        // A round of an act on all starts at the head. A page has to see all, for its order.
        let most = if filter.until.is_some() && filter.about.is_none() { limit } else { MOST_SEEN };
        let mut letters = self.look(queue, most).await?;
        letters.retain(|letter| filter.admits(letter));
        letters.sort_by_key(DeadLetter::place);
        letters.truncate(limit);
        Ok(letters)
    }

    pub async fn dead_letters_named(&self, queue: &Queue, ids: &[Uuid]) -> Result<Vec<DeadLetter>, TransportError> {
        let mut letters = self.look(queue, MOST_SEEN).await?;
        letters.retain(|letter| ids.contains(&letter.id) || letter.event_id.is_some_and(|id| ids.contains(&id)));
        Ok(letters)
    }

    pub async fn replay_dead_letters(&self, queue: &Queue, letters: &[Uuid]) -> Result<Vec<Uuid>, TransportError> {
        self.act(queue, letters, Act::Replay).await
    }

    pub async fn discard_dead_letters(&self, queue: &Queue, letters: &[Uuid]) -> Result<Vec<Uuid>, TransportError> {
        self.act(queue, letters, Act::Discard).await
    }

    /// The oldest messages, all given back.
    async fn look(&self, queue: &Queue, most: usize) -> Result<Vec<DeadLetter>, TransportError> {
        let _alone = self.looking.lock().await;
        let channel = self.connections.consuming.link().await?.channel().await?;
        let mut letters = Vec::new();
        let mut last = None;
        while letters.len() < most
            && let Some(message) = next(&channel, queue).await?
        {
            last = Some(message.delivery_tag);
            letters.push(letter(queue, &message));
        }
        give_back(&channel, last).await?;
        Ok(letters)
    }

    /// Does it to the messages with these ids, each on its own; gives the others back.
    async fn act(&self, queue: &Queue, wanted: &[Uuid], act: Act) -> Result<Vec<Uuid>, TransportError> {
        let _alone = self.looking.lock().await;
        let channel = self.connections.consuming.link().await?.channel().await?;
        let mut done = Vec::new();
        let mut last = None;
        let mut seen = 0;
        while done.len() < wanted.len()
            && seen < MOST_SEEN + wanted.len()
            && let Some(message) = next(&channel, queue).await?
        {
            seen += 1;
            let letter = letter(queue, &message);
            if !wanted.contains(&letter.id) {
                last = Some(message.delivery_tag);
                continue;
            }
            if let Act::Replay = act {
                self.put_back(queue, &message, &letter).await?;
            }
            channel.basic_ack(message.delivery_tag, BasicAckOptions::default()).await?;
            done.push(letter.id);
        }
        give_back(&channel, last).await?;
        Ok(done)
    }

    /// Confirmed in its queue before it leaves the dead letters.
    async fn put_back(
        &self,
        queue: &Queue,
        message: &BasicGetMessage,
        letter: &DeadLetter,
    ) -> Result<(), TransportError> {
        let mut table = headers::foreign(&message.properties);
        let known = [
            (headers::EXCHANGE, letter.exchange.as_str()),
            (headers::ROUTING_KEY, &letter.routing_key),
            (headers::QUEUE, &letter.queue),
        ];
        for (name, value) in known {
            table.insert(name.into(), AMQPValue::LongString(value.into()));
        }
        let id = message.properties.message_id().clone().unwrap_or_else(|| letter.id.to_string().into());
        let message = Message {
            exchange: topology::BACK,
            routing_key: &queue.name(),
            body: &message.data,
            properties: publisher::properties(id).with_headers(table),
        };
        for answer in self.redirects.publish(std::slice::from_ref(&message)).await {
            answer.map_err(|error| TransportError::Rabbit(error.to_string()))?;
        }
        Ok(())
    }
}

async fn next(channel: &Channel, queue: &Queue) -> Result<Option<BasicGetMessage>, TransportError> {
    Ok(channel.basic_get(ShortString::from(queue.dead_letter_queue()), BasicGetOptions::default()).await?)
}

/// Everything unsettled up to this one; closed in order, so that it is back when the caller goes on.
async fn give_back(channel: &Channel, last: Option<u64>) -> Result<(), TransportError> {
    if let Some(last) = last {
        channel.basic_nack(last, BasicNackOptions { multiple: true, requeue: true }).await?;
    }
    channel.close(200, "seen".into()).await?;
    Ok(())
}

fn letter(queue: &Queue, message: &BasicGetMessage) -> DeadLetter {
    let none = FieldTable::default();
    let table = message.properties.headers().as_ref().unwrap_or(&none);
    let text = |name: &str| text_of(table, name);
    let body = String::from_utf8_lossy(&message.data).into_owned();
    let glance = Glance::at(&body);
    let id_of = |text: &str| Uuid::parse_str(text).ok();
    let message_id = message.properties.message_id().as_ref().and_then(|id| id_of(id.as_str()));
    DeadLetter {
        id: text(headers::LETTER)
            .and_then(|id| id_of(&id))
            .or(message_id)
            .unwrap_or_else(|| Uuid::new_v5(&NAMESPACE, &message.data)),
        queue: queue.name(),
        event_id: glance.event_id,
        event_type: glance.event_type,
        correlation_id: glance.correlation_id,
        exchange: text(headers::EXCHANGE).unwrap_or_else(|| queue.exchange.name().to_owned()),
        routing_key: text(headers::ROUTING_KEY).unwrap_or_else(|| message.routing_key.to_string()),
        reason: text(headers::REASON)
            .or_else(|| text("x-first-death-reason"))
            .unwrap_or_else(|| "parked by another program".to_owned()),
        attempts: number_of(table, headers::ATTEMPTS).unwrap_or(0).saturating_add(1),
        dead_at: text(headers::DEAD_AT)
            .and_then(|at| DateTime::parse_from_rfc3339(&at).ok())
            .map_or(DateTime::UNIX_EPOCH, |at| at.with_timezone(&Utc)),
        body,
    }
}
