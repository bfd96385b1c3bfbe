//! A message that nobody can read: to show, and to practise, what becomes of one.
//!
//! Nothing else leaves a process without an outbox, and nothing depends on this one.

use events::topology::{Exchange, QUEUES, matches};
use events::{CorrelationId, Event};
use events::{EventId, OrderId, OrderPlaced};
use serde_json::json;

use crate::delivery::Outgoing;
use crate::{Transport, TransportError};

/// Who says to have sent it.
const SOURCE: &str = "poison";

/// A poison message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poison {
    /// Its id, by which its dead letters are found.
    pub event_id: EventId,
    /// Where it was published.
    pub exchange: Exchange,
    /// The queues that it went into, each of which parks it among its dead letters.
    pub queues: Vec<String>,
}

impl Transport {
    /// Publishes an `OrderPlaced` that places nothing.
    pub async fn send_poison(&self) -> Result<Poison, TransportError> {
        let (exchange, key) = (OrderPlaced::EXCHANGE, OrderPlaced::ROUTING_KEY);
        let (event_id, correlation_id) = (EventId::new(), CorrelationId::new());
        let body = json!({
            "event_id": event_id, "event_type": OrderPlaced::TYPE, "aggregate_type": "order",
            "aggregate_id": OrderId::new(), "aggregate_version": 1, "correlation_id": correlation_id,
            "causation_id": null, "version": OrderPlaced::VERSION, "timestamp": chrono::Utc::now(),
            "source": SOURCE, "payload": { "poison": "this places no order" },
        });
        let message = Outgoing {
            event_id: event_id.uuid(),
            exchange: exchange.name().to_owned(),
            routing_key: key.to_owned(),
            body: body.to_string(),
            correlation_id: correlation_id.uuid(),
            traceparent: None,
        };
        for answer in self.publish(&[message]).await {
            answer.map_err(|error| TransportError::Publish(error.to_string()))?;
        }
        let wants = |queue: &&events::topology::Queue| {
            queue.exchange == exchange && queue.routing_keys.iter().any(|pattern| matches(pattern, key))
        };
        Ok(Poison { event_id, exchange, queues: QUEUES.iter().filter(wants).map(|queue| queue.name()).collect() })
    }
}
