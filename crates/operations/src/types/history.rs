//! What operators follow an order by.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use service::Error;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which recorded events: one of both is needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct EventFilter {
    /// Those of this saga.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<Uuid>,
    /// This one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<Uuid>,
}

/// An event in the record of the service that published it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordedEvent {
    /// The event.
    pub event_id: Uuid,
    /// The service that recorded it.
    pub service: String,
    /// Its name.
    pub event_type: String,
    /// Kind of thing it is about.
    pub aggregate_type: String,
    /// That thing.
    pub aggregate_id: Uuid,
    /// Its saga.
    pub correlation_id: Uuid,
    /// The event that caused it, if one did.
    pub causation_id: Option<Uuid>,
    /// Where it goes.
    pub exchange: String,
    /// With which key.
    pub routing_key: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Whether the outbox has sent it.
    pub published: bool,
    /// How often the broker refused it, while it waits.
    pub attempts: i32,
    /// What the broker said last, while it waits.
    pub last_error: Option<String>,
    /// The trace that the first request came with, if it did.
    pub trace_id: Option<String>,
    /// What it says.
    pub payload: serde_json::Value,
}

/// Whose deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct DeliveryFilter {
    /// Ids of events, separated by commas; 100 at most.
    pub event_ids: String,
}

impl DeliveryFilter {
    pub(crate) fn ids(&self) -> Result<Vec<Uuid>, Error> {
        let ids = self.event_ids.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::parse);
        ids.collect::<Result<_, _>>().map_err(|_| Error::invalid("event_ids", "invalid", "ids, separated by commas"))
    }
}

/// What became of an event in one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryOutcome {
    /// Its effect is there.
    Applied,
    /// On its way, or in the queue: nobody tried it yet.
    Waiting,
    /// It failed, and is tried again.
    Retrying,
    /// It was parked.
    Dead,
    /// An operator threw it away.
    Skipped,
}

impl DeliveryOutcome {
    /// As in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryOutcome::Applied => "applied",
            DeliveryOutcome::Waiting => "waiting",
            DeliveryOutcome::Retrying => "retrying",
            DeliveryOutcome::Dead => "dead",
            DeliveryOutcome::Skipped => "skipped",
        }
    }
}

/// An event on its way through one queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// The event.
    pub event_id: Uuid,
    /// The service that reads the queue.
    pub service: String,
    /// The queue.
    pub queue: String,
    /// What became of it.
    pub outcome: DeliveryOutcome,
    /// What handled it, if it was applied.
    pub handler: Option<String>,
    /// How often it was tried, in all.
    pub attempts: i32,
    /// When it was applied, or parked.
    pub handled_at: Option<DateTime<Utc>>,
    /// From its recording to that, in milliseconds; only in traces.
    #[serde(default)]
    pub delay_ms: Option<i64>,
    /// Why the last attempt failed that did; also of one that was applied later.
    pub last_error: Option<String>,
    /// The dead letter, if it is parked.
    pub dead_letter_id: Option<Uuid>,
}

impl Delivery {
    pub(crate) fn new(event_id: Uuid, service: &str, queue: String, outcome: DeliveryOutcome) -> Delivery {
        Delivery {
            event_id,
            service: service.to_owned(),
            queue,
            outcome,
            handler: None,
            attempts: 0,
            handled_at: None,
            delay_ms: None,
            last_error: None,
            dead_letter_id: None,
        }
    }
}

/// An event with what became of it everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TracedEvent {
    /// As it was recorded.
    #[serde(flatten)]
    pub event: RecordedEvent,
    /// When it had left for certain: the first of its consumers had it. Nobody notes more.
    pub published_at: Option<DateTime<Utc>>,
    /// What became of it in each queue that wants it, in the order of time.
    pub deliveries: Vec<Delivery>,
}

/// A saga across all services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Trace {
    /// The saga.
    pub correlation_id: Uuid,
    /// Its events, oldest first.
    pub events: Vec<TracedEvent>,
    /// Services that did not answer: what they recorded and handled is missing here.
    pub unreachable: Vec<&'static str>,
}

/// How much waits in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Queue {
    /// The service that reads it.
    pub service: String,
    /// Its name.
    pub name: String,
    /// Waiting for a consumer.
    pub ready: i64,
    /// Handed to a consumer and not settled; `null` where the broker does not tell (RabbitMQ).
    pub in_flight: Option<i64>,
    /// Waiting for their next try; `null` over RabbitMQ, where all queues share those.
    pub delayed: Option<i64>,
    /// Parked in its dead-letter queue.
    pub dead_letters: i64,
}

impl Queue {
    pub(crate) fn of(service: &str, backlog: messaging::QueueBacklog) -> Queue {
        Queue {
            service: service.to_owned(),
            name: backlog.queue,
            ready: backlog.ready,
            in_flight: backlog.in_flight,
            delayed: backlog.delayed,
            dead_letters: backlog.dead,
        }
    }
}
