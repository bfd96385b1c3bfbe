//! What operators do.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use operations::{DiscardDeadLetters, DiscardEvent, Selection};
use service::{Caller, Error};

use super::operated;
use super::trace::Saga;
use super::types::{DeadLetter, UnsentEvent};
use crate::errors::payload;
use crate::scalars::{DateTime, id_of};
use crate::scope::Scope;

/// Which dead letters of a service an act is on: those named, or all.
#[derive(Debug, InputObject)]
pub struct Letters {
    /// The service whose queues they are of.
    service: String,
    /// Only those of this queue.
    queue: Option<String>,
    /// Ids of dead letters or of their events; 500 at most.
    ids: Option<Vec<ID>>,
    /// All there are. One mutation handles a few hundred; `more` says whether to ask again.
    #[graphql(default)]
    all: bool,
    /// With `all`: those parked until then. Give back the payload's `until` when asking again.
    until: Option<DateTime>,
    /// Only says what would be done.
    #[graphql(default)]
    dry_run: bool,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

impl Letters {
    fn selection(&self) -> Result<Selection, Error> {
        let ids = self.ids.as_ref().map(|ids| ids.iter().map(|id| id_of(id, "ids")).collect()).transpose()?;
        let until = self.until.as_ref().map(|until| until.0);
        Ok(Selection { queue: self.queue.clone(), ids, all: self.all, until, dry_run: self.dry_run })
    }
}

/// Dead letters of a service that are to be tried again: those named, or all.
#[derive(Debug, InputObject)]
pub struct ReplayDeadLettersInput {
    #[graphql(flatten)]
    letters: Letters,
}

/// Dead letters of a service that are thrown away, and why.
#[derive(Debug, InputObject)]
pub struct DiscardDeadLettersInput {
    #[graphql(flatten)]
    letters: Letters,
    /// Why, for the audit trail; 1 to 500 characters.
    reason: String,
}

/// A failed event that is to be sent again.
#[derive(Debug, InputObject)]
pub struct RetryOutboxEventInput {
    /// The service that recorded it.
    service: String,
    /// The event.
    event_id: ID,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

/// A failed event that is given up.
#[derive(Debug, InputObject)]
pub struct DiscardOutboxEventInput {
    /// The service that recorded it.
    service: String,
    /// The event.
    event_id: ID,
    /// Why, for the audit trail; 1 to 500 characters.
    reason: String,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

/// A stuck saga that is to move again.
#[derive(Debug, InputObject)]
pub struct RetrySagaInput {
    /// The order's id, the saga's, or its correlation id.
    id: ID,
    /// Repeating the mutation with the same key has no second effect.
    idempotency_key: Option<String>,
}

/// What became of an act on dead letters.
#[derive(Debug, SimpleObject)]
pub struct HandledDeadLetters {
    /// The letters that were handled; of a dry run, that would be.
    items: Vec<DeadLetter>,
    /// Letters that somebody else handled first, and ids that name none.
    missing: Vec<ID>,
    /// There are more.
    more: bool,
    /// When the act on all began.
    until: DateTime,
}

impl From<operations::Handled> for HandledDeadLetters {
    fn from(handled: operations::Handled) -> Self {
        HandledDeadLetters {
            items: handled.items.into_iter().map(DeadLetter::from).collect(),
            missing: handled.missing.iter().map(|id| id.to_string().into()).collect(),
            more: handled.more,
            until: DateTime(handled.until),
        }
    }
}

payload! {
    /// What became of `replayDeadLetters`.
    ReplayDeadLettersPayload {
        /// What was handled; null if there are userErrors.
        handled: HandledDeadLetters
    }
}

payload! {
    /// What became of `discardDeadLetters`.
    DiscardDeadLettersPayload {
        /// What was handled; null if there are userErrors.
        handled: HandledDeadLetters
    }
}

payload! {
    /// What became of `retryOutboxEvent`.
    RetryOutboxEventPayload {
        /// The event, waiting to be sent; null if there are userErrors.
        event: UnsentEvent
    }
}

payload! {
    /// What became of `discardOutboxEvent`.
    DiscardOutboxEventPayload {
        /// The event as it was; null if there are userErrors.
        event: UnsentEvent
    }
}

payload! {
    /// What became of `retrySaga`.
    RetrySagaPayload {
        /// The saga, moving again; null if there are userErrors.
        saga: Saga
    }
}

/// Acts of operators.
#[derive(Default)]
pub struct OperationMutations;

#[Object]
impl OperationMutations {
    /// Puts dead letters back into their queues, under their own event ids (admin). Mend code or data first.
    async fn replay_dead_letters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: ReplayDeadLettersInput,
    ) -> Result<ReplayDeadLettersPayload> {
        let letters = input.letters;
        let replay = async {
            let (scope, caller) = admin(ctx, letters.idempotency_key.as_deref())?;
            operated(scope, &letters.service)?.replay(&caller, letters.selection()?).await
        };
        ReplayDeadLettersPayload::new(replay.await.map(HandledDeadLetters::from))
    }

    /// Throws dead letters away, with a reason (admin).
    async fn discard_dead_letters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which, and why.")] input: DiscardDeadLettersInput,
    ) -> Result<DiscardDeadLettersPayload> {
        let DiscardDeadLettersInput { letters, reason } = input;
        let discard = async {
            let (scope, caller) = admin(ctx, letters.idempotency_key.as_deref())?;
            let Selection { queue, ids, all, until, dry_run } = letters.selection()?;
            let discard = DiscardDeadLetters { queue, ids, all, until, dry_run, reason };
            operated(scope, &letters.service)?.discard(&caller, discard).await
        };
        DiscardDeadLettersPayload::new(discard.await.map(HandledDeadLetters::from))
    }

    /// Lets a failed event be sent again (admin).
    async fn retry_outbox_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: RetryOutboxEventInput,
    ) -> Result<RetryOutboxEventPayload> {
        let retry = async {
            let (scope, caller) = admin(ctx, input.idempotency_key.as_deref())?;
            operated(scope, &input.service)?.retry_event(&caller, id_of(&input.event_id, "event_id")?).await
        };
        RetryOutboxEventPayload::new(retry.await.map(UnsentEvent::from))
    }

    /// Gives up sending a failed event, with a reason; it stays in the record of events (admin).
    async fn discard_outbox_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which, and why.")] input: DiscardOutboxEventInput,
    ) -> Result<DiscardOutboxEventPayload> {
        let discard = async {
            let (scope, caller) = admin(ctx, input.idempotency_key.as_deref())?;
            let event_id = id_of(&input.event_id, "event_id")?;
            let why = DiscardEvent { reason: input.reason };
            operated(scope, &input.service)?.discard_event(&caller, event_id, why).await
        };
        DiscardOutboxEventPayload::new(discard.await.map(UnsentEvent::from))
    }

    /// Sets a stuck saga going again (admin).
    async fn retry_saga(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: RetrySagaInput,
    ) -> Result<RetrySagaPayload> {
        let retry = async {
            let (scope, caller) = admin(ctx, input.idempotency_key.as_deref())?;
            scope.clients.orders.retry_saga(&caller, id_of(&input.id, "id")?).await
        };
        RetrySagaPayload::new(retry.await.map(Saga::from))
    }
}

/// The scope of an operator's mutation, and the operator with the key of its input.
fn admin<'a>(ctx: &Context<'a>, key: Option<&str>) -> Result<(&'a Arc<Scope>, Caller), Error> {
    let scope = Scope::of_mutation(ctx);
    scope.caller.admin()?;
    Ok((scope, scope.caller_with_key(key)?))
}
