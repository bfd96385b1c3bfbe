//! Dead letters, as operators see them: look, put back, throw away. A service reaches those of its own queues.
//!
//! Events are immutable: what is wrong with one is mended in code or data, and then it is replayed. A replay
//! goes back into the queue that it came from and into no other, under its own event id, so that consumers
//! which applied it already skip it.

use chrono::{DateTime, Utc};
use events::topology::Queue;
use serde_json::Value;
use uuid::Uuid;

use crate::delivery::legible;
use crate::transport::{Inner, Transport, TransportError};

/// A parked message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its own id. An event has a letter in each queue that it was parked of, and one per copy.
    pub id: Uuid,
    /// The queue it was parked of, and where a replay puts it.
    pub queue: String,
    /// The event, if the message names one.
    pub event_id: Option<Uuid>,
    /// Its name, if the message says so.
    pub event_type: Option<String>,
    /// Its saga, if the message names one.
    pub correlation_id: Option<Uuid>,
    /// Where it was published.
    pub exchange: String,
    /// With which key.
    pub routing_key: String,
    /// Why it was parked.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was parked; 1970 where only the broker knows.
    pub dead_at: DateTime<Utc>,
    /// The message as it was published, the envelope if it is one.
    pub body: String,
}

impl DeadLetter {
    /// Its place among others: oldest first.
    pub fn place(&self) -> (DateTime<Utc>, Uuid) {
        (self.dead_at, self.id)
    }
}

/// Which dead letters of a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// Those that hold this text: an event's id, a correlation id, an order's id, an e-mail address.
    pub about: Option<String>,
    /// Those that were parked until then: one round of an act on all there are. It may leave some to the next round.
    pub until: Option<DateTime<Utc>>,
    /// Those after this place.
    pub after: Option<(DateTime<Utc>, Uuid)>,
}

impl DeadLetterFilter {
    pub(crate) fn admits(&self, letter: &DeadLetter) -> bool {
        self.about.as_ref().is_none_or(|text| letter.body.contains(text.as_str()))
            && self.until.is_none_or(|until| letter.dead_at <= until)
            && self.after.is_none_or(|place| letter.place() > place)
    }
}

/// What a message says about itself, whatever shape it is in.
#[derive(Default)]
pub(crate) struct Glance {
    pub event_id: Option<Uuid>,
    pub event_type: Option<String>,
    pub correlation_id: Option<Uuid>,
}

impl Glance {
    pub fn at(body: &str) -> Glance {
        let Ok(Value::Object(fields)) = serde_json::from_str(body) else { return Glance::default() };
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let id = |name: &str| text(name).and_then(|text| Uuid::parse_str(text).ok());
        Glance {
            event_id: id("event_id"),
            event_type: text("event_type").map(legible),
            correlation_id: id("correlation_id"),
        }
    }
}

impl Transport {
    /// Up to `limit` dead letters of a queue, oldest first.
    pub async fn dead_letters(
        &self,
        queue: &Queue,
        filter: &DeadLetterFilter,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, TransportError> {
        match &self.inner {
            Inner::Postgres(postgres) => postgres.dead_letters(queue, filter, limit).await,
            Inner::Rabbit(rabbit) => rabbit.dead_letters(queue, filter, limit).await,
        }
    }

    /// The dead letters of a queue with these ids, or of events with these ids.
    pub async fn dead_letters_named(&self, queue: &Queue, ids: &[Uuid]) -> Result<Vec<DeadLetter>, TransportError> {
        match &self.inner {
            Inner::Postgres(postgres) => postgres.dead_letters_named(queue, ids).await,
            Inner::Rabbit(rabbit) => rabbit.dead_letters_named(queue, ids).await,
        }
    }

    /// Puts dead letters back into their queue, as new: no attempt counts. Returns those that were still there.
    ///
    /// Over RabbitMQ a crash half-way may put one back and keep it, too: consumers know the copy by its event id.
    pub async fn replay_dead_letters(&self, queue: &Queue, letters: &[Uuid]) -> Result<Vec<Uuid>, TransportError> {
        match &self.inner {
            Inner::Postgres(postgres) => postgres.replay_dead_letters(queue, letters).await,
            Inner::Rabbit(rabbit) => rabbit.replay_dead_letters(queue, letters).await,
        }
    }

    /// Throws dead letters away. Returns those that were still there.
    pub async fn discard_dead_letters(&self, queue: &Queue, letters: &[Uuid]) -> Result<Vec<Uuid>, TransportError> {
        match &self.inner {
            Inner::Postgres(postgres) => postgres.discard_dead_letters(queue, letters).await,
            Inner::Rabbit(rabbit) => rabbit.discard_dead_letters(queue, letters).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_message_holds_it_can_be_looked_at() {
        let id = Uuid::now_v7();
        let whole = Glance::at(&format!(r#"{{"event_id": "{id}", "event_type": "OrderPlaced", "correlation_id": 7}}"#));
        assert_eq!((whole.event_id, whole.event_type.as_deref()), (Some(id), Some("OrderPlaced")));
        assert_eq!(whole.correlation_id, None);
        let unspeakable = Glance::at(r#"{"event_type": "a\u0000b"}"#).event_type;
        assert_eq!(unspeakable.as_deref(), Some("a\u{fffd}b"), "the trail of operators' acts can hold it");
        for odd in ["", "{ not json", "[]", "null", "{}", r#"{"event_id": "x"}"#] {
            assert_eq!(Glance::at(odd).event_id, None, "{odd}");
        }
    }
}
