//! One search for whatever an operator has in hand: an id of anything, or an e-mail address.

use async_graphql::SimpleObject;
use events::UserId;
use operations::{ActFilter, DeadLetterFilter, EventFilter, OutboxFilter};
use orders_client::{OrderFilter, SagaFilter};
use service::{Error, PageQuery};
use users_client::UserFilter;
use uuid::Uuid;

use super::trace::Saga;
use super::types::{DeadLetterList, OperatorAct, UnsentEvent};
use super::{acts, each, letters, unless_away, unsent};
use crate::orders::Order;
use crate::scope::Scope;
use crate::users::User;

/// Accounts that a beginning of an address finds; the orders and sagas of each are looked up.
const MOST_USERS: u16 = 5;
/// Orders and sagas of each of them.
const MOST_ORDERS: u16 = 20;

/// Everything that has to do with one id or text.
#[derive(SimpleObject)]
pub struct Findings {
    /// The saga with this order, saga or correlation id, or that the event or dead letter with this id belongs to.
    pub(super) saga: Option<Saga>,
    /// That saga; of an e-mail address, those of the account's orders.
    pub(super) sagas: Vec<Saga>,
    /// The saga's order; of an e-mail address, the account's latest orders.
    pub(super) orders: Vec<Order>,
    /// Accounts with this id or this e-mail address or username, or whose order it is.
    pub(super) users: Vec<User>,
    /// Dead letters that hold the text or have this id, 100 at most.
    pub(super) dead_letters: DeadLetterList,
    /// Unsent events of this event, saga or thing, 100 at most.
    pub(super) unsent_events: Vec<UnsentEvent>,
    /// Acts on this dead letter, event, order, payment or account, or on anything of the order's saga, newest first, 100 at most.
    pub(super) acts: Vec<OperatorAct>,
}

/// Looks everywhere. The caller is an admin.
pub(super) async fn search(scope: &Scope, text: &str) -> Result<Findings, Error> {
    let dead_letters =
        letters(scope, None, DeadLetterFilter { queue: None, about: Some(text.to_owned()) }, PageQuery::first(100))
            .await?;
    match text.parse() {
        Ok(id) => by_id(scope, id, dead_letters).await,
        Err(_) => by_name(scope, text, dead_letters).await,
    }
}

async fn by_id(scope: &Scope, id: Uuid, dead_letters: DeadLetterList) -> Result<Findings, Error> {
    let mut saga = saga(scope, id).await?;
    // Whatever a saga is found by, all that belongs to it bears its correlation id.
    let about = Some(saga.as_ref().map_or(id, |detail| detail.saga.correlation_id.uuid()));
    if saga.is_none()
        && let Some(correlation_id) = correlation_of(scope, id, &dead_letters).await?
    {
        saga = self::saga(scope, correlation_id).await?;
    }
    let (mut orders, mut sagas, mut customer) = (Vec::new(), Vec::new(), UserId(id));
    if let Some(detail) = &saga {
        customer = detail.saga.user_id;
        sagas.push(Saga::from(detail.clone()));
        orders.extend(unless_missing(scope.clients.orders.order(&scope.caller, detail.saga.order_id).await)?);
    }
    let users = unless_missing(scope.clients.users.profile(&scope.caller, customer).await)?;
    Ok(Findings {
        saga: saga.map(Saga::from),
        sagas,
        orders: orders.into_iter().map(|order| Order::new(order, scope.caller.clone())).collect(),
        users: users.into_iter().map(|user| User::new(user, scope.caller.clone())).collect(),
        dead_letters,
        unsent_events: unsent(scope, None, OutboxFilter { status: None, about }, PageQuery::first(100)).await?.items,
        acts: acts(scope, ActFilter { about }, Some(100), None).await?,
    })
}

/// The saga that an event or a dead letter belongs to.
async fn correlation_of(scope: &Scope, id: Uuid, dead_letters: &DeadLetterList) -> Result<Option<Uuid>, Error> {
    let wanted = id.to_string();
    let letter = dead_letters.items.iter().find(|letter| letter.id.as_str() == wanted);
    if let Some(correlation_id) = letter.and_then(|letter| letter.correlation_id.as_ref()) {
        return Ok(correlation_id.parse().ok());
    }
    let filter = EventFilter { correlation_id: None, event_id: Some(id) };
    let events = each(scope, |api| async move { api.events(&scope.caller, filter, PageQuery::first(1)).await }).await;
    let found = unless_away(events)?.into_iter().flat_map(|page| page.items).next();
    Ok(found.map(|event| event.correlation_id))
}

/// By e-mail address or username, or how it begins.
async fn by_name(scope: &Scope, text: &str, dead_letters: DeadLetterList) -> Result<Findings, Error> {
    let filter = UserFilter { q: Some(text.to_owned()), ..UserFilter::default() };
    let found = scope.clients.users.users(&scope.caller, filter, PageQuery::first(MOST_USERS)).await?.items;
    let (mut orders, mut sagas) = (Vec::new(), Vec::new());
    for user in &found {
        let of_user = OrderFilter { user_id: Some(user.id), ..OrderFilter::default() };
        orders.extend(scope.clients.orders.orders(&scope.caller, of_user, PageQuery::first(MOST_ORDERS)).await?.items);
        let of_user = SagaFilter { status: None, user_id: Some(user.id) };
        sagas.extend(scope.clients.orders.sagas(&scope.caller, of_user, PageQuery::first(MOST_ORDERS)).await?.items);
    }
    Ok(Findings {
        saga: None,
        sagas: sagas.into_iter().map(Saga::from).collect(),
        orders: orders.into_iter().map(|order| Order::new(order, scope.caller.clone())).collect(),
        users: found.into_iter().map(|user| User::new(user, scope.caller.clone())).collect(),
        dead_letters,
        unsent_events: Vec::new(),
        acts: Vec::new(),
    })
}

async fn saga(scope: &Scope, id: Uuid) -> Result<Option<orders_client::SagaDetail>, Error> {
    unless_missing(scope.clients.orders.saga(&scope.caller, id).await)
}

fn unless_missing<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
