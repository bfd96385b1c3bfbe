//! An order, followed through all services: its saga, the saga's events, and what became of each.

use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};
use events::UserId;
use operations::{ActFilter, TracedEvent};
use service::Error;
use uuid::Uuid;

use super::acts;
use super::types::OperatorAct;
use crate::errors::fault;
use crate::orders::TimelineEntry;
use crate::scalars::DateTime;
use crate::scope::Scope;

/// What carries an order from checkout to its end.
#[derive(Debug, SimpleObject)]
#[graphql(complex)]
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
    #[graphql(skip)]
    correlation: Uuid,
    #[graphql(skip)]
    customer: UserId,
}

#[ComplexObject]
impl Saga {
    /// Every event of every service that belongs to it, oldest first, and what became of each where it is wanted; null
    /// in lists. What services recorded and handled that do not answer is missing.
    #[graphql(complexity = "100 + 40 * child_complexity")]
    async fn events(&self, ctx: &Context<'_>) -> Result<Option<Vec<SagaEvent>>> {
        if self.timeline.is_none() {
            return Ok(None);
        }
        let scope = Scope::of(ctx);
        let services: Vec<_> = scope.clients.operations.iter().map(|one| (one.service, &*one.api)).collect();
        let trace = operations::trace(&services, &scope.caller, self.correlation).await.map_err(fault)?;
        let events: Result<Vec<SagaEvent>, Error> = trace.events.into_iter().map(SagaEvent::new).collect();
        Ok(Some(events.map_err(fault)?))
    }

    /// What operators did to it, its order, events, dead letters and payments, newest first, 100 at most.
    #[graphql(complexity = "100 * child_complexity")]
    async fn acts(&self, ctx: &Context<'_>) -> Result<Vec<OperatorAct>> {
        acts(Scope::of(ctx), ActFilter { about: Some(self.correlation) }, Some(100), None).await.map_err(fault)
    }

    /// Whose order it is; null if the account is gone.
    #[graphql(complexity = 5)]
    async fn customer_email(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let scope = Scope::of(ctx);
        let user = scope.loaders.user(&scope.clients, &scope.caller, self.customer).await.map_err(fault)?;
        Ok(user.map(|user| user.email))
    }
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
            correlation: saga.correlation_id.uuid(),
            customer: saga.user_id,
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

/// Sagas, oldest first.
#[derive(Debug, SimpleObject)]
pub struct SagaList {
    /// The sagas.
    pub(super) items: Vec<Saga>,
    /// Where the next page begins; null on the last one.
    pub(super) next_cursor: Option<String>,
}

/// An event of a saga, and what became of it.
#[derive(Debug, SimpleObject)]
pub struct SagaEvent {
    /// The event.
    event_id: ID,
    /// Its name, e.g. OrderPlaced.
    event_type: String,
    /// The service that recorded it.
    service: String,
    /// Kind of thing it is about, e.g. order.
    aggregate_type: String,
    /// That thing.
    aggregate_id: ID,
    /// When it was recorded, together with the change that it tells of.
    recorded_at: DateTime,
    /// Whether it has left the outbox.
    published: bool,
    /// When it had left for certain, because the first of its consumers had it; null until then.
    published_at: Option<DateTime>,
    /// What the broker said last, while the event waits in the outbox.
    last_error: Option<String>,
    /// The event that caused it; null for the first.
    causation_id: Option<ID>,
    /// What it says, as JSON.
    payload: String,
    /// The trace (W3C) that the first request came with; null if it came with none.
    trace_id: Option<String>,
    /// What became of it in each queue that wants it, in the order of time.
    deliveries: Vec<Delivery>,
}

impl SagaEvent {
    fn new(traced: TracedEvent) -> Result<SagaEvent, Error> {
        let event = traced.event;
        Ok(SagaEvent {
            event_id: event.event_id.to_string().into(),
            event_type: event.event_type,
            service: event.service,
            aggregate_type: event.aggregate_type,
            aggregate_id: event.aggregate_id.to_string().into(),
            recorded_at: DateTime(event.recorded_at),
            published: event.published,
            published_at: traced.published_at.map(DateTime),
            last_error: event.last_error,
            causation_id: event.causation_id.map(|id| id.to_string().into()),
            payload: serde_json::to_string(&event.payload).map_err(Error::internal)?,
            trace_id: event.trace_id,
            deliveries: traced.deliveries.into_iter().map(Delivery::from).collect(),
        })
    }
}

/// What became of an event in one queue.
#[derive(Debug, SimpleObject)]
pub struct Delivery {
    /// The service that reads the queue.
    service: String,
    /// The queue.
    queue: String,
    /// What handled it; null unless it was applied.
    handler: Option<String>,
    /// applied; waiting: nobody tried it yet; retrying: it failed and is tried again; dead: it is parked; skipped: an
    /// operator threw it away.
    outcome: String,
    /// How often it was tried, in all.
    attempts: i32,
    /// When it was applied, or parked.
    handled_at: Option<DateTime>,
    /// From its recording to that, in milliseconds.
    delay_ms: Option<i64>,
    /// Why the last attempt failed that did; also of one that was applied later.
    last_error: Option<String>,
    /// The dead letter of this service and queue, if it is parked.
    dead_letter_id: Option<ID>,
}

impl From<operations::Delivery> for Delivery {
    fn from(delivery: operations::Delivery) -> Self {
        Delivery {
            service: delivery.service,
            queue: delivery.queue,
            handler: delivery.handler,
            outcome: delivery.outcome.as_str().to_owned(),
            attempts: delivery.attempts,
            handled_at: delivery.handled_at.map(DateTime),
            delay_ms: delivery.delay_ms,
            last_error: delivery.last_error,
            dead_letter_id: delivery.dead_letter_id.map(|id| id.to_string().into()),
        }
    }
}
