//! What operators see.

use async_graphql::{Enum, ID, SimpleObject};

use crate::scalars::DateTime;

/// A message that a service could not handle and set aside.
#[derive(Debug, Clone, SimpleObject)]
pub struct DeadLetter {
    /// The dead letter's own id.
    pub(super) id: ID,
    /// The service whose queue it is.
    pub(super) service: String,
    /// The queue it was parked of, and where a replay puts it.
    pub(super) queue: String,
    /// The event, if the message names one.
    pub(super) event_id: Option<ID>,
    /// Its name, if the message says so.
    pub(super) event_type: Option<String>,
    /// Its saga, if the message names one.
    pub(super) correlation_id: Option<ID>,
    /// Where it was published.
    pub(super) exchange: String,
    /// With which key.
    pub(super) routing_key: String,
    /// Why it was parked.
    pub(super) reason: String,
    /// How often it was tried.
    pub(super) attempts: u32,
    /// When it was parked.
    pub(super) dead_at: DateTime,
    /// The message as it was published; null in lists.
    pub(super) body: Option<String>,
}

impl From<operations::DeadLetter> for DeadLetter {
    fn from(letter: operations::DeadLetter) -> Self {
        DeadLetter {
            id: letter.id.to_string().into(),
            service: letter.service,
            queue: letter.queue,
            event_id: letter.event_id.map(|id| id.to_string().into()),
            event_type: letter.event_type,
            correlation_id: letter.correlation_id.map(|id| id.to_string().into()),
            exchange: letter.exchange,
            routing_key: letter.routing_key,
            reason: letter.reason,
            attempts: letter.attempts,
            dead_at: DateTime(letter.dead_at),
            body: None,
        }
    }
}

/// Dead letters of all services, oldest first.
#[derive(Debug, SimpleObject)]
pub struct DeadLetterList {
    /// The letters.
    pub(super) items: Vec<DeadLetter>,
    /// Where the next page begins; null on the last one.
    pub(super) next_cursor: Option<String>,
    /// How many the queue has that was asked for, or the service, or all of them; whatever text was looked for.
    pub(super) total: i64,
    /// Services that did not answer.
    pub(super) unreachable: Vec<&'static str>,
}

/// An event that is recorded and not published yet.
#[derive(Debug, Clone, SimpleObject)]
pub struct UnsentEvent {
    /// The event.
    pub(super) event_id: ID,
    /// The service that recorded it.
    pub(super) service: String,
    /// Its name.
    pub(super) event_type: String,
    /// Where it goes.
    pub(super) exchange: String,
    /// With which key.
    pub(super) routing_key: String,
    /// Its saga.
    pub(super) correlation_id: ID,
    /// Whether it was given up, until somebody retries it.
    pub(super) failed: bool,
    /// How often the broker refused it.
    pub(super) attempts: i32,
    /// When it was recorded.
    pub(super) recorded_at: DateTime,
    /// When it is tried next; null if it was given up.
    pub(super) next_attempt_at: Option<DateTime>,
    /// What was said last.
    pub(super) last_error: Option<String>,
    /// The message as it will be published; null in lists.
    pub(super) body: Option<String>,
}

impl From<operations::UnsentDetail> for UnsentEvent {
    fn from(detail: operations::UnsentDetail) -> Self {
        UnsentEvent { body: Some(detail.body), ..detail.event.into() }
    }
}

impl From<operations::UnsentEvent> for UnsentEvent {
    fn from(event: operations::UnsentEvent) -> Self {
        UnsentEvent {
            event_id: event.event_id.to_string().into(),
            service: event.service,
            event_type: event.event_type,
            exchange: event.exchange,
            routing_key: event.routing_key,
            correlation_id: event.correlation_id.to_string().into(),
            failed: event.status == operations::UnsentStatus::Failed,
            attempts: event.attempts,
            recorded_at: DateTime(event.recorded_at),
            next_attempt_at: event.next_attempt_at.map(DateTime),
            last_error: event.last_error,
            body: None,
        }
    }
}

/// Unsent events of all services, oldest first.
#[derive(Debug, SimpleObject)]
pub struct UnsentEventList {
    /// The events.
    pub(super) items: Vec<UnsentEvent>,
    /// Where the next page begins; null on the last one.
    pub(super) next_cursor: Option<String>,
    /// Services that did not answer.
    pub(super) unreachable: Vec<&'static str>,
}

/// Whether an unsent event is still tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "operations::UnsentStatus")]
pub enum UnsentStatus {
    /// It is.
    Pending,
    /// It was given up, until an operator retries it.
    Failed,
}

/// How a service's outbox stands.
#[derive(Debug, SimpleObject)]
pub struct Outbox {
    /// Whose.
    pub(super) service: &'static str,
    /// Events waiting to be sent; null if the service did not answer.
    pub(super) pending: Option<i64>,
    /// Age of the oldest of them, in seconds.
    pub(super) oldest_age_s: Option<i64>,
    /// Events given up; null if the service did not answer.
    pub(super) failed: Option<i64>,
    /// The latest error.
    pub(super) last_error: Option<String>,
}

/// How much waits in a queue.
#[derive(Debug, SimpleObject)]
pub struct Queue {
    /// The service that reads it.
    pub(super) service: String,
    /// Its name.
    pub(super) name: String,
    /// Waiting for a consumer.
    pub(super) ready: Option<i64>,
    /// Handed to a consumer and not settled; null where the broker does not tell (RabbitMQ).
    pub(super) in_flight: Option<i64>,
    /// Waiting for their next try; null over RabbitMQ, where all queues share those.
    pub(super) delayed: Option<i64>,
    /// Parked in its dead-letter queue.
    pub(super) dead_letters: i64,
}

impl From<operations::Queue> for Queue {
    fn from(queue: operations::Queue) -> Self {
        Queue {
            service: queue.service,
            name: queue.name,
            ready: Some(queue.ready),
            in_flight: queue.in_flight,
            delayed: queue.delayed,
            dead_letters: queue.dead_letters,
        }
    }
}

/// What an operator did.
#[derive(Debug, SimpleObject)]
pub struct OperatorAct {
    /// Its id, in the order of acts.
    pub(super) id: ID,
    /// The service where it was done.
    pub(super) service: String,
    /// When.
    pub(super) acted_at: DateTime,
    /// Who: user: and an id, or shell: and a login.
    pub(super) actor: String,
    /// What, e.g. dead_letter.replay.
    pub(super) action: String,
    /// To which dead letter, event, saga, order, payment or account.
    pub(super) subject_id: ID,
    /// Of which queue, if it was a dead letter.
    pub(super) queue: Option<String>,
    /// Which event, if there was one.
    pub(super) event_id: Option<ID>,
    /// The saga that it is part of, if it is part of one.
    pub(super) correlation_id: Option<ID>,
    /// Why.
    pub(super) reason: Option<String>,
    /// done; missing if somebody else was faster; begun if it was interrupted and may have happened.
    pub(super) outcome: String,
}

impl From<operations::Act> for OperatorAct {
    fn from(act: operations::Act) -> Self {
        OperatorAct {
            id: act.id.to_string().into(),
            service: act.service,
            acted_at: DateTime(act.acted_at),
            actor: act.actor,
            action: act.action,
            subject_id: act.subject_id.to_string().into(),
            queue: act.queue,
            event_id: act.event_id.map(|id| id.to_string().into()),
            correlation_id: act.correlation_id.map(|id| id.to_string().into()),
            reason: act.reason,
            outcome: act.outcome,
        }
    }
}
