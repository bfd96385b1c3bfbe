//! What operators see and do, over all services at once. Every field here needs the role admin, and every service
//! asks for it again.
//!
//! A service that is away does not hide the others: lists name who is missing.

mod merged;
mod mutations;
mod search;
mod trace;
mod types;

use std::future::Future;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use futures_util::future::join_all;
use operations::{ActFilter, DeadLetterFilter, OperationsApi, OutboxFilter};
use orders_client::SagaFilter;
use service::{Error, PageQuery};

use crate::connections::cost;
use crate::errors::{fault, found};
use crate::scope::Scope;

use merged::{acts, letters, unsent};
pub use mutations::OperationMutations;
use search::Findings;
use trace::{Saga, SagaList};
use types::{DeadLetter, DeadLetterList, OperatorAct, Outbox, Queue, UnsentEvent, UnsentEventList, UnsentStatus};

/// The operations of one service.
#[derive(Clone)]
pub struct Operated {
    /// The service's name.
    pub service: &'static str,
    /// Its operations.
    pub api: Arc<dyn OperationsApi>,
}

/// Queries of operators.
#[derive(Default)]
pub struct OperationQueries;

#[Object]
impl OperationQueries {
    /// Dead letters of all services, oldest first (admin).
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn dead_letters(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 20, desc = "How many, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Continue behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those of this service.")] service: Option<String>,
        #[graphql(desc = "Only those of this queue, e.g. orders.cart.events.queue.")] queue: Option<String>,
        #[graphql(desc = "Only those that hold this text: an id of an event, a saga or an order, an e-mail address.")]
        about: Option<String>,
    ) -> Result<DeadLetterList> {
        let scope = Scope::of(ctx);
        let page = PageQuery { limit: first.map(Into::into), cursor: after, with_cursors: None };
        letters(scope, service.as_deref(), DeadLetterFilter { queue, about }, page).await.map_err(fault)
    }

    /// One dead letter, with its message (admin); null if there is none.
    async fn dead_letter(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service whose queue it is.")] service: String,
        #[graphql(desc = "The queue it was parked of.")] queue: String,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Result<Option<DeadLetter>> {
        let scope = Scope::of(ctx);
        scope.caller.admin().map_err(fault)?;
        let Ok(id) = id.parse() else { return Ok(None) };
        let Ok(api) = operated(scope, &service) else { return Ok(None) };
        let detail = found(api.dead_letter(&scope.caller, &queue, id).await)?;
        Ok(detail.map(|detail| DeadLetter { body: Some(detail.body), ..detail.letter.into() }))
    }

    /// How each service's outbox stands (admin).
    #[graphql(complexity = "6 + 6 * child_complexity")]
    async fn outboxes(&self, ctx: &Context<'_>) -> Result<Vec<Outbox>> {
        let scope = Scope::of(ctx);
        scope.caller.admin().map_err(fault)?;
        let answers =
            each(
                scope,
                |api| async move { api.outbox(&scope.caller, OutboxFilter::default(), PageQuery::first(1)).await },
            );
        let outbox = |(service, answer): (&'static str, Result<operations::Outbox, Error>)| match answer {
            Ok(operations::Outbox { status, .. }) => Outbox {
                service,
                pending: Some(status.pending),
                oldest_age_s: status.oldest_age_s,
                failed: Some(status.failed),
                last_error: status.last_error,
            },
            Err(error) => {
                let last_error = Some(error.message.to_string());
                Outbox { service, pending: None, oldest_age_s: None, failed: None, last_error }
            }
        };
        Ok(answers.await.into_iter().map(outbox).collect())
    }

    /// Events of all services that are recorded and not published yet, oldest first (admin).
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn outbox_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 20, desc = "How many, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Continue behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those of this service.")] service: Option<String>,
        #[graphql(desc = "Only those that are still tried, or that were given up.")] status: Option<UnsentStatus>,
    ) -> Result<UnsentEventList> {
        let scope = Scope::of(ctx);
        let page = PageQuery { limit: first.map(Into::into), cursor: after, with_cursors: None };
        let filter = OutboxFilter { status: status.map(Into::into), about: None };
        unsent(scope, service.as_deref(), filter, page).await.map_err(fault)
    }

    /// One unsent event, with its message (admin); null if there is none.
    async fn outbox_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service that recorded it.")] service: String,
        #[graphql(desc = "The event.")] event_id: ID,
    ) -> Result<Option<UnsentEvent>> {
        let scope = Scope::of(ctx);
        scope.caller.admin().map_err(fault)?;
        let Ok(event_id) = event_id.parse() else { return Ok(None) };
        let Ok(api) = operated(scope, &service) else { return Ok(None) };
        Ok(found(api.unsent_event(&scope.caller, event_id).await)?.map(UnsentEvent::from))
    }

    /// Sagas by state, oldest first (admin).
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn sagas(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 20, desc = "How many, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Continue behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those in this state: an order's status, or STUCK.")] status: Option<String>,
    ) -> Result<SagaList> {
        let scope = Scope::of(ctx);
        scope.caller.admin().map_err(fault)?;
        let page = PageQuery { limit: first.map(Into::into), cursor: after, with_cursors: None };
        let filter = SagaFilter { status, user_id: None };
        let page = scope.clients.orders.sagas(&scope.caller, filter, page).await.map_err(fault)?;
        Ok(SagaList { items: page.items.into_iter().map(Saga::from).collect(), next_cursor: page.next_cursor })
    }

    /// One saga by order, saga or correlation id (admin); null if there is none.
    async fn saga(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order's id, the saga's, or its correlation id.")] id: ID,
    ) -> Result<Option<Saga>> {
        let scope = Scope::of(ctx);
        scope.caller.admin().map_err(fault)?;
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(found(scope.clients.orders.saga(&scope.caller, id).await)?.map(Saga::from))
    }

    /// How much waits in each queue, as it is now (admin). Queues of services that do not answer are missing.
    #[graphql(complexity = "6 + 11 * child_complexity")]
    async fn queues(&self, ctx: &Context<'_>) -> Result<Vec<Queue>> {
        let scope = Scope::of(ctx);
        scope.caller.admin().map_err(fault)?;
        let answers = each(scope, |api| async move { api.queues(&scope.caller).await }).await;
        Ok(unless_away(answers).map_err(fault)?.into_iter().flatten().map(Queue::from).collect())
    }

    /// What operators did, newest first (admin).
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn operator_acts(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 100, desc = "How many, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Continue behind this act: the id of the last one.")] after: Option<ID>,
        #[graphql(
            desc = "Only acts on this dead letter, event, order, payment or account, or on anything of this saga: its correlation id."
        )]
        about: Option<ID>,
    ) -> Result<Vec<OperatorAct>> {
        let scope = Scope::of(ctx);
        scope.caller.admin().map_err(fault)?;
        let about = match about.map(|id| id.parse()).transpose() {
            Ok(about) => about,
            Err(_) => return Ok(Vec::new()),
        };
        acts(scope, ActFilter { about }, first, after).await.map_err(fault)
    }

    /// Everything about an id, of an order, saga, correlation, event, dead letter or account, or about an e-mail
    /// address or a username, whole or as it begins (admin).
    #[graphql(complexity = "50 + 20 * child_complexity")]
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id or the text.")] text: String,
    ) -> Result<Findings> {
        let scope = Scope::of(ctx);
        scope.caller.admin().map_err(fault)?;
        search::search(scope, text.trim()).await.map_err(fault)
    }
}

/// Asks every service at once.
async fn each<'a, T, F>(
    scope: &'a Scope,
    ask: impl Fn(&'a dyn OperationsApi) -> F,
) -> Vec<(&'static str, Result<T, Error>)>
where
    F: Future<Output = Result<T, Error>>,
{
    join_all(scope.clients.operations.iter().map(|operated| {
        let asked = ask(&*operated.api);
        async move { (operated.service, asked.await) }
    }))
    .await
}

/// What services answered; those that are away are left out, and logged.
///
/// Errors: any other.
fn unless_away<T>(answers: Vec<(&'static str, Result<T, Error>)>) -> Result<Vec<T>, Error> {
    let mut found = Vec::with_capacity(answers.len());
    for (service, answer) in answers {
        match answer {
            Ok(answer) => found.push(answer),
            Err(error) if error.status.is_server_error() => {
                tracing::warn!(service, ?error, "a service is left out of what an operator sees");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn operated<'a>(scope: &'a Scope, service: &str) -> Result<&'a dyn OperationsApi, Error> {
    let found = scope.clients.operations.iter().find(|operated| operated.service == service);
    found
        .map(|operated| &*operated.api)
        .ok_or_else(|| Error::not_found("service_not_found", "there is no such service"))
}
