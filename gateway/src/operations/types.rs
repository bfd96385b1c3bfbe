//! What operators see.

use async_graphql::{ID, SimpleObject};

use crate::orders::TimelineEntry;
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
#[derive(Debug, Default, SimpleObject)]
pub struct DeadLetterList {
    /// The letters.
    pub(super) items: Vec<DeadLetter>,
    /// Where the next page begins; null on the last one.
    pub(super) next_cursor: Option<String>,
    /// How many there are, whatever was asked for.
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
    /// Its saga.
    pub(super) correlation_id: ID,
    /// Whether it was given up, until somebody retries it.
    pub(super) failed: bool,
    /// How often the broker refused it.
    pub(super) attempts: i32,
    /// When it was recorded.
    pub(super) recorded_at: DateTime,
    /// What was said last.
    pub(super) last_error: Option<String>,
}

impl From<operations::UnsentEvent> for UnsentEvent {
    fn from(event: operations::UnsentEvent) -> Self {
        UnsentEvent {
            event_id: event.event_id.to_string().into(),
            service: event.service,
            event_type: event.event_type,
            correlation_id: event.correlation_id.to_string().into(),
            failed: event.status == operations::UnsentStatus::Failed,
            attempts: event.attempts,
            recorded_at: DateTime(event.recorded_at),
            last_error: event.last_error,
        }
    }
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
    /// The oldest unsent events, 20 at most.
    pub(super) events: Vec<UnsentEvent>,
}

/// What carries an order from checkout to its end.
#[derive(Debug, SimpleObject)]
pub struct Saga {
    /// The saga's id.
    pub(super) id: ID,
    /// The order it carries.
    pub(super) order_id: ID,
    /// Its id in events and logs.
    pub(super) correlation_id: ID,
    /// An order's status, or STUCK.
    pub(super) status: String,
    /// Undos still owed, the next one first.
    pub(super) owed: Vec<String>,
    /// How often the next undo was asked for.
    pub(super) asked: i32,
    /// When it began.
    pub(super) created_at: DateTime,
    /// When it last moved.
    pub(super) updated_at: DateTime,
    /// When the watchdog looks at it; null at rest.
    pub(super) expires_at: Option<DateTime>,
    /// What happened, oldest first, across services; null in lists.
    pub(super) timeline: Option<Vec<TimelineEntry>>,
    /// Each undo's run, oldest first; null in lists.
    pub(super) compensations: Option<Vec<Compensation>>,
}

/// The run of one undo.
#[derive(Debug, SimpleObject)]
pub struct Compensation {
    /// The request, e.g. RefundRequested.
    pub(super) event: String,
    /// requested or completed.
    pub(super) status: String,
    /// When it was first asked for.
    pub(super) created_at: DateTime,
    /// When it was answered.
    pub(super) completed_at: Option<DateTime>,
}

impl From<orders_client::Saga> for Saga {
    fn from(saga: orders_client::Saga) -> Self {
        Saga {
            id: saga.id.to_string().into(),
            order_id: saga.order_id.to_string().into(),
            correlation_id: saga.correlation_id.to_string().into(),
            status: saga.status,
            owed: saga.owed,
            asked: saga.asked,
            created_at: DateTime(saga.created_at),
            updated_at: DateTime(saga.updated_at),
            expires_at: saga.expires_at.map(DateTime),
            timeline: None,
            compensations: None,
        }
    }
}

impl From<orders_client::SagaDetail> for Saga {
    fn from(detail: orders_client::SagaDetail) -> Self {
        let compensation = |undo: orders_client::Compensation| Compensation {
            event: undo.event,
            status: undo.status,
            created_at: DateTime(undo.created_at),
            completed_at: undo.completed_at.map(DateTime),
        };
        Saga {
            timeline: Some(detail.timeline.into_iter().map(TimelineEntry::from).collect()),
            compensations: Some(detail.compensations.into_iter().map(compensation).collect()),
            ..detail.saga.into()
        }
    }
}

/// Sagas, oldest first.
#[derive(Debug, SimpleObject)]
pub struct SagaList {
    /// The sagas.
    pub(super) items: Vec<Saga>,
    /// Where the next page begins; null on the last one.
    pub(super) next_cursor: Option<String>,
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
    /// To which dead letter, event or saga.
    pub(super) subject_id: ID,
    /// Of which queue, if it was a dead letter.
    pub(super) queue: Option<String>,
    /// Which event, if there was one.
    pub(super) event_id: Option<ID>,
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
            reason: act.reason,
            outcome: act.outcome,
        }
    }
}

/// Everything that has to do with one id or text.
#[derive(Debug, SimpleObject)]
pub struct Findings {
    /// The saga with this order, saga or correlation id.
    pub(super) saga: Option<Saga>,
    /// Dead letters that hold the text, 100 at most.
    pub(super) dead_letters: DeadLetterList,
    /// Unsent events of this event, saga or thing.
    pub(super) unsent_events: Vec<UnsentEvent>,
    /// Acts on this dead letter, event or saga, newest first.
    pub(super) acts: Vec<OperatorAct>,
}
