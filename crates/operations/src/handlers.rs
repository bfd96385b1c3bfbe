//! Who calls, may they, then the act.

use async_trait::async_trait;
use axum::http::StatusCode;
use database::audit::Operator;
use serde::Serialize;
use service::idempotency::{self, Operation};
use service::{Caller, Error, Page, PageQuery};
use uuid::Uuid;

use crate::dead_letters::Dispose;
use crate::outbox::{Settle, settle};
use crate::{
    Act, ActFilter, DeadLetterDetail, DeadLetterFilter, DeadLetters, Delivery, DiscardDeadLetters, DiscardEvent,
    EventFilter, Handled, Operations, OperationsApi, Outbox, OutboxFilter, Queue, RecordedEvent, Selection,
    UnsentDetail, UnsentEvent,
};

/// Characters of a reason.
const LONGEST_REASON: usize = 500;

#[async_trait]
impl OperationsApi for Operations {
    async fn outbox(&self, caller: &Caller, filter: OutboxFilter, page: PageQuery) -> Result<Outbox, Error> {
        caller.admin()?;
        self.unsent(&filter, &page).await
    }

    async fn unsent_event(&self, caller: &Caller, event_id: Uuid) -> Result<UnsentDetail, Error> {
        caller.admin()?;
        self.unsent_detail(event_id).await
    }

    async fn retry_event(&self, caller: &Caller, event_id: Uuid) -> Result<UnsentEvent, Error> {
        let operator = operator(caller, None)?;
        self.settle_event(caller, "POST /admin/outbox/{event_id}/retry", event_id, operator, Settle::Retry).await
    }

    async fn discard_event(&self, caller: &Caller, event_id: Uuid, input: DiscardEvent) -> Result<UnsentEvent, Error> {
        let operator = operator(caller, Some(&input.reason))?;
        self.settle_event(caller, "POST /admin/outbox/{event_id}/discard", event_id, operator, Settle::Discard).await
    }

    async fn dead_letters(
        &self,
        caller: &Caller,
        filter: DeadLetterFilter,
        page: PageQuery,
    ) -> Result<DeadLetters, Error> {
        caller.admin()?;
        self.letters(&filter, &page).await
    }

    async fn dead_letter(&self, caller: &Caller, queue: &str, id: Uuid) -> Result<DeadLetterDetail, Error> {
        caller.admin()?;
        let found = self.letter(Some(queue), id).await?;
        found.ok_or_else(|| Error::not_found("dead_letter_not_found", "there is no dead letter with this id"))
    }

    async fn replay(&self, caller: &Caller, selection: Selection) -> Result<Handled, Error> {
        let operator = operator(caller, None)?;
        self.dispose_once(caller, "POST /admin/dlq/replay", operator, Dispose::Replay, selection).await
    }

    async fn discard(&self, caller: &Caller, input: DiscardDeadLetters) -> Result<Handled, Error> {
        let operator = operator(caller, Some(&input.reason))?;
        self.dispose_once(caller, "POST /admin/dlq/discard", operator, Dispose::Discard, input.into_selection()).await
    }

    async fn acts(&self, caller: &Caller, filter: ActFilter, page: PageQuery) -> Result<Page<Act>, Error> {
        caller.admin()?;
        self.trail(&filter, &page).await
    }

    async fn events(
        &self,
        caller: &Caller,
        filter: EventFilter,
        page: PageQuery,
    ) -> Result<Page<RecordedEvent>, Error> {
        caller.admin()?;
        self.recorded(&filter, &page).await
    }

    async fn deliveries(&self, caller: &Caller, events: &[Uuid]) -> Result<Vec<Delivery>, Error> {
        caller.admin()?;
        self.delivered(events).await
    }

    async fn queues(&self, caller: &Caller) -> Result<Vec<Queue>, Error> {
        caller.admin()?;
        self.backlogs().await
    }
}

impl Operations {
    async fn settle_event(
        &self,
        caller: &Caller,
        action: &'static str,
        event_id: Uuid,
        operator: Operator,
        how: Settle,
    ) -> Result<UnsentEvent, Error> {
        let input = (event_id, &operator.reason);
        let operation = Operation::new(self.service, action, StatusCode::OK, caller, None, &input)?;
        let service = self.service;
        idempotency::write(&self.database, operation, move |tx| {
            Box::pin(async move { settle(tx, service, &operator, event_id, how).await })
        })
        .await
    }

    /// Detached, so that a caller who goes away tears nothing. The act is on a broker, so an idempotency key only
    /// remembers the answer; what makes a repetition harmless is that a letter can be taken once.
    async fn dispose_once(
        &self,
        caller: &Caller,
        action: &'static str,
        operator: Operator,
        how: Dispose,
        selection: Selection,
    ) -> Result<Handled, Error> {
        let operation = Operation::new(
            self.service,
            action,
            StatusCode::OK,
            caller,
            None,
            &Keyed { selection: &selection, reason: operator.reason.as_deref() },
        )?;
        let operations =
            Operations { service: self.service, database: self.database.clone(), transport: self.transport.clone() };
        let act = async move { operations.dispose(&operator, how, &selection).await };
        if caller.idempotency_key.is_some() {
            return idempotency::write(&self.database, operation, move |_| Box::pin(act)).await;
        }
        tokio::spawn(act).await.map_err(Error::internal)?
    }
}

/// What decides the effect of an act on dead letters.
#[derive(Serialize)]
struct Keyed<'a> {
    selection: &'a Selection,
    reason: Option<&'a str>,
}

/// The admin who calls, with a reason where one is asked for.
pub(crate) fn operator(caller: &Caller, reason: Option<&str>) -> Result<Operator, Error> {
    caller.admin()?;
    let actor = caller.actor()?;
    let reason = reason.map(check_reason).transpose()?;
    Ok(Operator { actor, reason })
}

/// A reason without the space around it; 422 unless it has 1 to 500 characters.
fn check_reason(reason: &str) -> Result<String, Error> {
    let reason = reason.trim();
    match reason.chars().count() {
        0 => Err(Error::invalid("reason", "missing", "say why, for the audit trail")),
        1..=LONGEST_REASON => Ok(reason.to_owned()),
        _ => Err(Error::invalid("reason", "too_long", format!("a reason has {LONGEST_REASON} characters at most"))),
    }
}
